"""``gridmerit verify``."""

import click

from deploy.runtime import run
from points.ledger.verifier import service
from points.ledger.verifier.service import Verdict
from shared.settings import Settings


@click.command("verify")
@click.option("--county", type=click.IntRange(100_000, 999_999), help="县代码，6 位；默认每个县。")
def verify(county: int | None) -> None:
    """核对台账：逐条检查不变量和批次哈希链，指出第一处不符的行。"""

    async def main(_: Settings) -> list[Verdict]:
        chosen = [county] if county else await service.counties()
        return [await service.verify(each) for each in chosen]

    verdicts = run(main)
    for verdict in verdicts:
        show(verdict)
    if any(verdict.findings for verdict in verdicts):
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
