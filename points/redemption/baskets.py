"""Goods chosen on a page: ``q-<product id>`` = pieces, ``p-<product id>`` = the price shown.

A page may be older than a price: who confirms it confirms the sum that stood on it.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from points.redemption.schemas import MAX_LINES, WantedLine
from shared.errors import Invalid

PREFIX = "q-"
PRICE = "p-"
MOST = 200


def chosen(values: Mapping[str, Any]) -> list[WantedLine]:
    """The lines with pieces; raises Invalid when there are none, too many, or no whole number."""
    lines = []
    for name, value in values.items():
        if not name.startswith(PREFIX) or value in ("", "0"):
            continue
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST):
            raise Invalid(f"件数要填 0 到 {MOST} 的整数。", {name: "请填整数件数。"})
        try:
            lines.append(WantedLine(UUID(name.removeprefix(PREFIX)), int(text)))
        except ValueError as error:
            raise Invalid("没有这种商品，请刷新页面。") from error
    if not lines:
        raise Invalid("还没有选商品，请先点加号。", {"goods": "还没有选商品，请先点加号。"})
    if len(lines) > MAX_LINES:
        raise Invalid(f"一次最多 {MAX_LINES} 种商品，请分开兑换。")
    return lines


def shown(values: Mapping[str, Any], lines: Sequence[WantedLine]) -> int | None:
    """What the page said that the chosen goods cost; None if it did not say."""
    total = 0
    for line in lines:
        price = str(values.get(f"{PRICE}{line.product_id}", ""))
        if not (price.isascii() and price.isdigit() and len(price) <= 9):
            return None
        total += line.quantity * int(price)
    return total or None
