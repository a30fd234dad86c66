"""``gridmerit verify`` and ``gridmerit import balances``."""

from pathlib import Path

import click

from appraisal.verifier import service as appraisal
from deploy.commands.county import CODE, COUNTY, known
from deploy.commands.target import CHECKED, DRY_RUN, REPORT, SOURCE
from deploy.runtime import run
from points.ledger import opening
from points.ledger.opening import Brought
from points.ledger.verifier import service
from points.ledger.verifier.service import Verdict
from shared.settings import Settings


@click.command("verify")
@click.option("--county", type=CODE, help="县代码，6 位；默认每个县。")
def verify(county: int | None) -> None:
    """核对台账和考核：逐条检查不变量和批次哈希链，指出第一处不符的行。"""

    async def main(_: Settings) -> tuple[list[Verdict], list[appraisal.Verdict]]:
        if county:
            await known(county)
        ledgers = [county] if county else await service.counties()
        scored = [county] if county else await appraisal.counties()
        return (
            [await service.verify(each) for each in ledgers],
            [await appraisal.verify(each) for each in scored],
        )

    ledgers, appraisals = run(main)
    if not ledgers and not appraisals:
        click.echo("库里还没有台账和考核：请确认这就是要核对的数据库。")
    for verdict in ledgers:
        show(verdict)
    for result in appraisals:
        show_appraisal(result)
    if any(one.findings for one in ledgers) or any(one.findings for one in appraisals):
        raise SystemExit(1)


def show(verdict: Verdict) -> None:
    """Print one county's verdict."""
    for finding in verdict.findings:
        click.echo(f"✗ {finding.invariant}：{finding.thing} {finding.id}，{finding.detail}")
    word = f"有 {len(verdict.findings)} 处不符" if verdict.findings else "全部相符"
    click.echo(
        f"{verdict.county_id}：{verdict.transfers} 笔转账，{verdict.batches} 个批次，{word}"
        f"（{verdict.seconds:.1f} 秒）。"
    )


def show_appraisal(verdict: appraisal.Verdict) -> None:
    """Print what was found of one county's appraisals."""
    for finding in verdict.findings:
        click.echo(f"✗ {finding.invariant}：{finding.thing} {finding.id}，{finding.detail}")
    word = f"有 {len(verdict.findings)} 处不符" if verdict.findings else "全部相符"
    click.echo(
        f"{verdict.county_id}：考核评分 {verdict.runs} 次，{word}（{verdict.seconds:.1f} 秒）。"
    )


@click.command("balances")
@click.argument("file", type=SOURCE)
@COUNTY
@DRY_RUN
@REPORT
def import_balances(file: Path, county: int, *, dry_run: bool, report: Path | None) -> None:
    """导入期初积分：姓名、网格编码、履职积分、可兑换积分；有错误时什么都不写。"""
    data = file.read_bytes()

    async def main(_: Settings) -> Brought:
        return await opening.import_balances(
            None, await known(county), data, file.name, dry_run=dry_run
        )

    result = run(main)
    if result.left_out:
        click.echo(f"没有读取的列：{'、'.join(result.left_out)}")
    if result.hidden:
        click.echo(result.hidden)
    if result.faults:
        for sentence in result.faults:
            click.echo(f"  {sentence}")
        if report:
            report.write_bytes(result.report)
            click.echo(f"标红的表格已写到 {report}")
        click.echo(f"共 {result.rows} 行，有错误，没有写入。")
        raise SystemExit(1)
    if dry_run:
        click.echo(CHECKED)
    verb = "将" if dry_run else "已"
    click.echo(
        f"共 {result.rows} 行：{verb}入账 {result.posted} 人，以前导入过 {result.same} 人，"
        f"更正 {result.corrected} 人；"
        f"履职积分 {result.merit / 10:g}，可兑换积分 {result.wallet / 10:g}，"
        f"其中待拨付 {result.waiting / 10:g}。"
    )
