"""``gridmerit import funds``, ``statement build``, ``statement sign`` and ``export``."""

from pathlib import Path

import click

from deploy.commands.county import CODE, COUNTY, known, only
from deploy.commands.mall import show
from deploy.commands.target import DRY_RUN, FOLDER, REPORT, SOURCE
from deploy.runtime import run
from points.imports import Imported
from points.settlement import building, console, rules
from points.settlement.documents import yuan
from points.settlement.funds.office import import_funds as read_funds
from points.settlement.reports import service as reports
from points.settlement.schemas import Built
from shared.clock import now
from shared.months import month_cn
from shared.settings import Settings

ONE_COUNTY = click.option("--county", type=CODE, help="县代码；只有一个县时可不写。")
KINDS = ("ledger", "statements", "points", "seals")


@click.command("funds")
@click.argument("file", type=SOURCE)
@COUNTY
@DRY_RUN
@REPORT
def import_funds(file: Path, county: int, *, dry_run: bool, report: Path | None) -> None:
    """导入积分资金决议表：资金、决议、预算；够付的待拨付积分随即发放。"""
    data = file.read_bytes()

    async def main(_: Settings) -> Imported:
        return await read_funds(None, await known(county), data, file.name, now(), dry_run=dry_run)

    show(run(main), report, dry_run=dry_run)


@click.command("build")
@click.option("--month", required=True, help="月份，如 2026-10。")
@ONE_COUNTY
def build(month: str, county: int | None) -> None:
    """生成一个月的对账单；当月未完的可以重复生成，直到有人签字。"""

    async def main(_: Settings) -> Built:
        return await building.build(None, await only(county), rules.checked_month(month), now())

    built = run(main)
    click.echo(
        f"{month_cn(month)}：新出对账单 {built.made} 张，续加 {built.extended} 张，"
        f"不变 {built.unchanged} 张；"
        f"新入 {built.line_count} 笔，应付 {yuan(built.payable_fen)} 元。"
    )


@click.command("sign")
@click.option("--month", required=True, help="月份，如 2026-10。")
@ONE_COUNTY
@click.option("--shop", default="", help="只登记这一家店的（店名）。")
def sign(month: str, county: int | None, shop: str) -> None:
    """登记纸质对账单上的三方签字；岗位空缺的由上一级代签并注明。"""

    async def main(_: Settings) -> console.PaperSigned:
        return await console.sign_month(await only(county), rules.checked_month(month), now(), shop)

    signed = run(main)
    click.echo(
        f"{month_cn(month)}：{signed.statements} 张对账单，"
        f"登记签字 {signed.signatures} 处（代签 {signed.stand_ins} 处），"
        f"已冻结 {signed.frozen} 张。"
    )
    for name in signed.stuck:
        click.echo(f"  还缺签字：{name}")


@click.command("export")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--month", required=True, help="月份，如 2026-10。")
@ONE_COUNTY
@click.option("--out", type=FOLDER, default=Path(), help="写到哪个文件夹，默认当前文件夹。")
def export(kind: str, month: str, county: int | None, out: Path) -> None:
    """导出 Excel：ledger 兑换台账，statements 对账单，points 积分汇总，seals 每日封印。"""

    async def main(_: Settings) -> list[reports.File]:
        county_id, period = await only(county), rules.checked_month(month)
        if kind == "statements":
            return await console.statement_files(county_id, period, now())
        if kind == "ledger":
            return [await reports.console_ledger(county_id, period)]
        if kind == "seals":
            return [await reports.console_seals(county_id, period)]
        return [await reports.console_summary(county_id, period)]

    out.mkdir(parents=True, exist_ok=True)  # before it is written down as taken
    files = run(main)
    for name, content in files:
        (out / name).write_bytes(content)
        click.echo(f"已写出 {out / name}")
    if not files:
        click.echo("这个月没有对账单。")
