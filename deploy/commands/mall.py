"""``gridmerit import shops`` and ``gridmerit import products``."""

from pathlib import Path

import click

from deploy.checks import require_secret
from deploy.commands.county import COUNTY, known
from deploy.commands.target import CHECKED, DRY_RUN, REPORT, SOURCE
from deploy.runtime import run
from points.imports import Imported
from points.mall import goods_file, shop_file
from shared.clock import now
from shared.settings import Settings

SHOWN = 30
"""Lines of a report on the screen; the rest is in the workbook."""


@click.command("shops")
@click.argument("file", type=SOURCE)
@COUNTY
@DRY_RUN
@REPORT
def import_shops(file: Path, county: int, *, dry_run: bool, report: Path | None) -> None:
    """导入积分超市名录：店名、协议、店主。"""
    data = file.read_bytes()

    async def main(settings: Settings) -> Imported:
        await require_secret(settings)
        return await shop_file.import_shops(
            None, await known(county), data, file.name, now(), dry_run=dry_run
        )

    show(run(main), report, dry_run=dry_run)


@click.command("products")
@click.argument("file", type=SOURCE)
@COUNTY
@DRY_RUN
@REPORT
def import_products(file: Path, county: int, *, dry_run: bool, report: Path | None) -> None:
    """导入商品目录：品名、价格、期初库存。没有“店名”列时用于每一家店。"""
    data = file.read_bytes()

    async def main(_: Settings) -> Imported:
        return await goods_file.import_products(
            None, await known(county), data, file.name, now(), dry_run=dry_run
        )

    show(run(main), report, dry_run=dry_run)


def show(result: Imported, report: Path | None, *, dry_run: bool) -> None:
    """Print what happened; exit code 1 when nothing was written because of faults."""
    for line in (result.faults or result.lines)[:SHOWN]:
        click.echo(f"  {line}")
    more = len(result.faults or result.lines) - SHOWN
    if more > 0:
        click.echo(f"  …… 另有 {more} 条")
    if result.left_out:
        click.echo(f"没有读取的列：{'、'.join(result.left_out)}")
    if result.hidden:
        click.echo(result.hidden)
    if result.faults:
        if report and result.report:
            report.write_bytes(result.report)
            click.echo(f"标红的表格已写到 {report}")
        click.echo(f"共 {result.rows} 行，有 {len(result.faults)} 处错误，没有写入。")
        raise SystemExit(1)
    if dry_run:
        click.echo(CHECKED)
    verb = "将" if dry_run else "已"
    click.echo(
        f"共 {result.rows} 行：{verb}新增 {result.created}，{verb}更改 {result.changed}，"
        f"不变 {result.same}。"
    )
