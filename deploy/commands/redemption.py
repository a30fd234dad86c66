"""``gridmerit redeem``: the counter of the story, from the command line."""

import click

from deploy.commands.county import COUNTY, known
from deploy.runtime import run
from points.redemption import console
from points.redemption.service import Answer
from shared.clock import now
from shared.settings import Settings

MOST = 200


def _item(
    _context: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, int]]:
    """``肥皂=2`` → ("肥皂", 2)."""
    items = []
    for value in values:
        name, equals, pieces = value.rpartition("=")
        if not (
            equals and name and pieces.isascii() and pieces.isdigit() and 1 <= int(pieces) <= MOST
        ):
            raise click.BadParameter(f"“{value}”请写成 商品=件数，例如 肥皂=2，件数 1 到 {MOST}。")
        items.append((name, int(pieces)))
    return items


@click.command()
@COUNTY
@click.option("--shop", required=True, help="店名。")
@click.option("--worker", required=True, help="网格员的手机号或姓名。")
@click.option("--item", "items", multiple=True, required=True, callback=_item,
              help="商品=件数，可写多次。")  # fmt: skip
def redeem(county: int, shop: str, worker: str, items: list[tuple[str, int]]) -> None:
    """在一家积分超市为一名网格员兑换商品。"""

    async def main(_settings: Settings) -> Answer:
        return await console.redeem(await known(county), shop, worker, items, now())

    answer = run(main)
    if answer.refusal:
        click.echo(f"没有兑换：{answer.refusal.message}")
        raise SystemExit(1)
    done = answer.redemption
    if done is None:
        return
    click.echo(f"{done.shop_name} 兑换成功，台账号 {done.batch}-{done.position}：")
    for line in done.lines:
        click.echo(f"  {line.name} {line.quantity}{line.measure}　{line.amount // 10} 分")
    click.echo(f"合计 {done.amount // 10} 分，还剩 {done.balance / 10:g} 分。")
