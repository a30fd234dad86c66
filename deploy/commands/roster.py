"""``gridmerit import roster``."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.checks import require_secret
from deploy.commands.county import COUNTY
from deploy.commands.target import CHECKED, DRY_RUN, REPORT, SOURCE
from deploy.runtime import run
from shared.clock import now
from shared.errors import Invalid
from shared.roster.intake import service
from shared.roster.intake.schemas import Line, Preview
from shared.settings import Settings

STEPS = 8
"""How many times the service reports progress during an import."""
SHOWN = 20


@click.command("roster")
@click.argument("file", type=SOURCE)
@COUNTY
@click.option("--divisions", type=SOURCE, help="统计用区划代码表（.csv）。")
@DRY_RUN
@REPORT
@click.option("--end-missing", is_flag=True,
              help="不在新表里的人一并离任（网格员不在内：请逐人办理离任或退出）。")  # fmt: skip
def import_roster(
    file: Path,
    county: int,
    divisions: Path | None,
    report: Path | None,
    *,
    dry_run: bool,
    end_missing: bool,
) -> None:
    """导入花名册：先比对，再一次写入；有错误时什么都不写。"""
    console = Console()
    given = service.RosterFile(
        name=file.name,
        data=file.read_bytes(),
        divisions_name=divisions.name if divisions else "",
        divisions=divisions.read_bytes() if divisions else b"",
        end_missing=end_missing,
    )

    async def main(settings: Settings) -> service.Outcome:
        await require_secret(settings)
        with _bar(console) as bar:
            task = bar.add_task("准备", total=STEPS)

            def progress(step: str) -> None:
                bar.update(task, advance=1, description=step)

            work = service.dry_run if dry_run else service.apply
            outcome = await work(county, given, now(), progress=progress)
            bar.update(task, completed=STEPS, description="完成")
            return outcome

    try:
        outcome = run(main)
    except service.FaultyFile as error:
        _show_faults(console, error.preview, report, error.report)
        raise Invalid(f"文件有 {error.preview.fault_count} 处错误，没有导入任何内容。") from None
    _show(console, outcome.preview, dry_run=dry_run)
    if outcome.preview.faults:
        _show_faults(console, outcome.preview, report, outcome.report)
        raise Invalid(f"文件有 {outcome.preview.fault_count} 处错误，改正后才能导入。")
    if report:
        report.write_bytes(outcome.report)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console,
    )


def _show(console: Console, shown: Preview, *, dry_run: bool) -> None:
    table = Table(title=CHECKED if dry_run else "花名册已导入", title_justify="left")
    table.add_column("项目")
    table.add_column("数量", justify="right")
    table.add_row("表中人数", str(shown.rows))
    for label, count in shown.counts.items():
        table.add_row(label, str(count))
    console.print(table)
    _lines(console, "调整岗位", shown.moved)
    if shown.transfers:
        console.print(f"其中网格员 {shown.transfers} 名：须有本人书面同意或决定文书。")
    _lines(console, "离任", shown.left)
    _lines(console, "信息更正", shown.changed)
    _lines(console, "单位变更", shown.renamed)
    _lines(console, "不在新表（网格员不随表离任，请逐人办理离任或退出）", shown.missing)
    for note in shown.notes:
        console.print(note)
    console.print(f"用时 {shown.seconds:.2f} 秒。")


def _lines(console: Console, title: str, lines: list[Line]) -> None:
    if not lines:
        return
    console.print(f"[bold]{title}[/bold]")
    for line in lines[:SHOWN]:
        console.print(f"  {line.name}：{line.text}")
    if len(lines) > SHOWN:
        console.print(f"  ……共 {len(lines)} 人")


def _show_faults(console: Console, shown: Preview, target: Path | None, report: bytes) -> None:
    for sentence in shown.faults[:SHOWN]:
        console.print(f"[red]{sentence}[/red]")
    if shown.fault_count > SHOWN:
        console.print(f"……共 {shown.fault_count} 处")
    if target:
        target.write_bytes(report)
        console.print(f"标出错误的工作簿：{target}")
    else:
        console.print("加上 --report 文件名.xlsx，可得到标出错误的工作簿。")
