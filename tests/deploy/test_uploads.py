"""Files from the desk, whichever service reads them: nobody else waits for one."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from appraisal.survey.households import import_households
from points.mall.goods_file import import_products
from points.mall.shop_file import import_shops
from points.settlement.funds.office import import_funds
from points.work.intake import import_work
from shared.clock import now
from shared.documents import parser
from shared.documents.errors import BadFile
from shared.identity.actor import Actor
from tests.factories import COUNTY
from tests.shared.documents import books

Importer = Callable[[Actor | None, int, bytes, str], Awaitable[object]]
NOW = now()


@pytest.mark.parametrize(
    "importer",
    [
        *(
            partial(one, now=NOW)
            for one in (import_shops, import_products, import_funds, import_work)
        ),
        import_households,
    ],
)
async def test_a_file_that_waits_for_its_turn_stops_nobody_else(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two others are being read; what ends their reading runs on the same loop."""
    monkeypatch.setattr(parser, "PATIENCE", 2.0)
    for _ in range(parser.AT_ONCE):
        assert parser._places.acquire(timeout=2)
    for _ in range(parser.AT_ONCE):
        asyncio.get_running_loop().call_later(0.05, parser._places.release)
    with pytest.raises(BadFile, match="没有找到表头"):
        await importer(None, COUNTY, books.xlsx([["说明"]]), "说明.xlsx")
