"""``gridmerit import work``, ``gridmerit work verify``, ``gridmerit work post``."""

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.commands.county import COUNTY, known
from deploy.commands.target import CHECKED, DRY_RUN, SOURCE, TARGET
from deploy.runtime import run
from points.rulebook.rules import show
from points.work import bulk, intake, intake_report
from points.work.bulk import Verified
from points.work.intake_report import Imported
from points.work.schemas import MonthTotals
from shared.clock import now, today
from shared.months import parse_month
from shared.roster import service as roster
from shared.roster.rules import county_code
from shared.settings import Settings

SHOWN = 20


def _month(_context: click.Context, _param: click.Parameter, value: str) -> int:
    """2026-10 → 202610."""
    try:
        return parse_month(value)
    except ValueError:
        raise click.BadParameter("月份请写成 2026-10 这样。") from None


MONTH = click.option("--month", required=True, callback=_month, help="月份，如 2026-10。")


@click.command("work")
@click.argument("file", type=SOURCE)
@COUNTY
@DRY_RUN
@click.option("--report", "target", type=TARGET,
              help="把逐行结果写到这个工作簿。")  # fmt: skip
def import_work(file: Path, county: int, target: Path | None, *, dry_run: bool) -> None:
    """导入一个月的工作记录：逐行接收、削减或拒绝，并说明原因。"""

    async def main(_settings: Settings) -> tuple[Imported, str]:
        await known(county)
        with _bar() as bar:
            result = await intake.import_work(
                None, county, file, file.name, dry_run=dry_run, now=now(), progress=_told(bar)
            )
        unit = await roster.unit_by_code(county, county_code(county))
        return result, unit.name if unit else county_code(county)

    result, name = run(main)
    _show_import(result, dry_run=dry_run)
    if target:
        target.write_bytes(intake_report.workbook(result, name, today()))
        click.echo(f"逐行结果：{target}")


@click.command("verify")
@MONTH
@COUNTY
def verify(month: int, county: int) -> None:
    """按纸质核实单，以有权核实人的名义确认一个月的记录。"""

    async def main(_settings: Settings) -> Verified:
        await known(county)
        with _bar() as bar:
            return await bulk.verify_month(county, month, now(), _told(bar))

    result = run(main)
    click.echo(
        f"待核实 {result.pending} 条：已核实 {result.accepted} 条（{result.steps} 步，"
        f"其中 {result.escalated} 步因岗位空缺或回避由上一级确认）。"
    )
    for name, count in sorted(result.stuck.items()):
        click.echo(f"  仍待核实 {count} 条：没有可确认的{name}")
    if result.early:
        click.echo(
            f"  仍待核实 {result.early} 条：规定的天数未满（如口头化解满 7 天），过后再运行一次"
        )
    if result.posted:
        _show_totals(result.posted)


@click.command("post")
@MONTH
@COUNTY
def post(month: int, county: int) -> None:
    """把一个月已核实、已公示的记录入账；可以重复运行。"""

    async def main(_settings: Settings) -> tuple[MonthTotals, int]:
        await known(county)
        with _bar() as bar:
            return await bulk.post_month(county, month, now(), _told(bar))

    totals, villages = run(main)
    click.echo(f"{villages} 个村（社区）入账。")
    _show_totals(totals)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _told(bar: Progress) -> Callable[[str, int], None]:
    """Steps as lines of a progress bar."""
    tasks: dict[str, int] = {}

    def told(step: str, count: int) -> None:
        if step not in tasks:
            tasks[step] = bar.add_task(step, total=0)
        task = bar.tasks[tasks[step]]
        bar.update(task.id, total=(task.total or 0) + count, completed=task.completed + count)

    return told


def _show_import(result: Imported, *, dry_run: bool) -> None:
    if dry_run:
        click.echo(CHECKED)
    for sentence in intake_report.sentences(result):
        click.echo(sentence)
    refused = [line for line in result.lines if line.outcome == "拒绝"]
    for line in refused[:SHOWN]:
        sheet = f"“{line.sheet}”" if line.sheet else ""
        click.echo(f"  {sheet}第 {line.number} 行 {line.name} {line.code}：{line.words}")
    if len(refused) > SHOWN:
        click.echo(f"  ……共 {len(refused)} 行，加上 --report 文件名.xlsx 可得到全部。")
    if result.confirmed:
        click.echo(f"按“核实人”列确认 {result.confirmed} 条，入账 {show(result.posted)} 分。")
    if result.left_out:
        click.echo(f"没有读取的列：{'、'.join(result.left_out)}")
    click.echo(f"用时 {result.seconds:.2f} 秒。")


def _show_totals(totals: MonthTotals) -> None:
    click.echo(
        f"入账 {totals.records} 条：规则给 {show(totals.gives)} 分，计 {show(totals.posted)} 分，"
        f"其中待拨付 {show(totals.awaiting)} 分；{totals.zero} 条不计分。"
    )
    for cap, amount in sorted(totals.cuts.items()):
        click.echo(f"  {cap}：减 {show(amount)} 分")
