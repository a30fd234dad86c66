"""``gridmerit check-receipt``: what a receipt proves, without a database and without a network."""

from pathlib import Path

import click

from deploy.commands.target import SOURCE
from points.ledger.seal import rules

MARK_COLOURS = {rules.GOOD: "green", rules.BAD: "red", rules.OPEN: "yellow", rules.SAYS: None}
LARGEST = 1 << 20


@click.command("check-receipt")
@click.argument("file", type=SOURCE)
@click.option("--root", default="", help="公示或对账单上印的当日封印，至少前 16 位；空格不计。")
def check_receipt(file: Path, root: str) -> None:
    """核对下载的积分凭证（不连网、不用数据库）。退出码：0 相符，1 不符。"""
    with file.open("rb") as opened:
        lines = rules.check(opened.read(LARGEST), root)
    for line in (*lines, rules.verdict(lines)):
        click.echo(f"{click.style(line.mark, fg=MARK_COLOURS[line.mark])} {line.text}")
    if rules.verdict(lines).mark == rules.BAD:
        raise SystemExit(1)
