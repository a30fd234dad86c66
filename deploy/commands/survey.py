"""``gridmerit import households`` and ``gridmerit survey redraw``."""

from pathlib import Path

import click

from appraisal.survey import draw, households
from appraisal.survey.households import Imported
from appraisal.survey.rules import PER_GRID
from deploy.commands.county import COUNTY, known
from deploy.commands.target import CHECKED, DRY_RUN, REPORT, SOURCE, TARGET
from deploy.runtime import run
from shared.errors import Invalid
from shared.settings import Settings

SHOWN = 20
DIFFERENT = 1
"""Exit code of a draw that is not the published one."""


@click.command("households")
@click.argument("file", type=SOURCE)
@COUNTY
@DRY_RUN
@REPORT
@click.option("--end-missing", is_flag=True, help="删除这些网格里表中没有的住户。")
def import_households(
    file: Path, county: int, report: Path | None, *, dry_run: bool, end_missing: bool
) -> None:
    """导入住户名单：网格编码、户号、村民小组，不要姓名。"""
    data = file.read_bytes()

    async def main(_settings: Settings) -> Imported:
        return await households.import_households(
            None, await known(county), data, file.name, dry_run=dry_run, end_missing=end_missing
        )

    result = run(main, "appraisal")
    if result.left_out:
        click.echo(f"没有读取的列：{'、'.join(result.left_out)}")
    if result.hidden:
        click.echo(result.hidden)
    if result.faults:
        _refuse(result, report)
    if dry_run:
        click.echo(CHECKED)
    verb = "将" if dry_run else "已"
    missing = f"{verb}删除 {result.ended}" if end_missing else f"表中没有、仍保留 {result.missing}"
    click.echo(
        f"{result.grids} 个网格，共 {result.rows} 户：{verb}新增 {result.created}，"
        f"{verb}迁入 {result.moved}，{verb}改小组 {result.changed}，不变 {result.same}，{missing}。"
    )
    if result.twins:
        click.echo(result.twins)
    click.echo(f"用时 {result.seconds:.2f} 秒。")


@click.command("redraw")
@click.argument("file", type=SOURCE)
@click.option("--value", required=True, help="公布的公开数值，一字不差。")
@click.option("--per-grid", type=click.IntRange(20, 200), default=PER_GRID, help="每网格抽几户。")
@click.option("--list-hash", help="公布的名单校验码。")
@click.option("--hash", "draw_hash", help="公布的抽样结果校验码，可以只写前几位。")
@click.option("--against", type=SOURCE, help="公布的抽样结果文件。")
@click.option("--out", "--output", "output", type=TARGET, help="把重做的抽样结果写到这个文件。")
def redraw(
    file: Path,
    value: str,
    per_grid: int,
    list_hash: str | None,
    draw_hash: str | None,
    against: Path | None,
    output: Path | None,
) -> None:
    """用公布的名单和数值重做抽样，不需要数据库；与公布的不同时退出码为 1。"""
    content = file.read_bytes()
    try:
        listed = draw.read_list(content)
    except ValueError as error:
        raise Invalid(str(error)) from error
    digest = draw.digest(content)
    seed = draw.seed_of(digest, value)
    made = draw.draw_file(draw.draw(listed, seed, per_grid))
    grids = len({one.grid_code for one in listed})
    click.echo(f"名单 {grids} 个网格、{len(listed)} 户，校验码 {digest}")
    click.echo(f"种子 {seed}")
    click.echo(f"抽样结果校验码 {draw.digest(made)}")
    if output:
        output.write_bytes(made)
        click.echo(f"抽样结果已写到 {output}")
    same = [
        ("名单", _same(digest, list_hash)),
        ("抽样结果校验码", _same(draw.digest(made), draw_hash)),
        ("抽样结果文件", against is None or against.read_bytes() == made),
    ]
    if wrong := [name for name, equal in same if not equal]:
        click.echo(f"与公布的不同：{'、'.join(wrong)}。", err=True)
        raise SystemExit(DIFFERENT)
    if list_hash or draw_hash or against:
        click.echo("与公布的一致。")


def _same(made: str, published: str | None) -> bool:
    return published is None or (
        len(published) >= 8 and made.startswith(published.strip().rstrip("…").lower())
    )


def _refuse(result: Imported, report: Path | None) -> None:
    for line in result.faults[:SHOWN]:
        click.echo(f"  {line}")
    if result.fault_count > SHOWN:
        click.echo(f"  ……共 {result.fault_count} 处")
    if report and result.report:
        report.write_bytes(result.report)
        click.echo(f"标出错误的工作簿：{report}")
    raise Invalid(f"文件有 {result.fault_count} 处错误，没有导入任何内容。")
