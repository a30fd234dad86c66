"""The counter from the command line."""

import pytest

from points.redemption import console
from shared.clock import now
from shared.errors import Invalid, NotFound
from shared.roster.roles import Role
from tests import factories
from tests.factories import COUNTY
from tests.points.redemption.scene import counter, on_shelf

SHOP = "银城积分超市"


async def test_goods_by_name(rollback: None) -> None:
    """Worker by phone or name, goods by name: the same redemption as at the counter."""
    scene = await counter(2070)
    worker = scene.world.worker
    for who in (worker.phone, worker.name):
        answer = await console.redeem(COUNTY, SHOP, who, [("肥皂", 2)], now())
        assert answer.redemption is not None
        assert answer.redemption.amount == 100
    assert await on_shelf(scene, scene.soap) == 16
    refused = await console.redeem(COUNTY, SHOP, worker.phone, [("大米5kg", 3)], now())
    assert refused.refusal is not None


async def test_what_is_not_found_is_named(rollback: None) -> None:
    """A wrong shop, worker or product, a name that two people have, a shop without a keeper."""
    scene = await counter()
    phone = scene.world.worker.phone
    with pytest.raises(NotFound, match="没有叫“别家”的店"):
        await console.redeem(COUNTY, "别家", phone, [("肥皂", 1)], now())
    with pytest.raises(NotFound, match="没有叫“无名氏”的网格员"):
        await console.redeem(COUNTY, SHOP, "无名氏", [("肥皂", 1)], now())
    with pytest.raises(Invalid, match="香皂"):
        await console.redeem(COUNTY, SHOP, phone, [("香皂", 1)], now())
    unit = scene.world.units["421222100002001"]
    await factories.member(Role.GRIDWORKER, unit, scene.world.worker.name)
    with pytest.raises(Invalid, match="请改用手机号"):
        await console.redeem(COUNTY, SHOP, scene.world.worker.name, [("肥皂", 1)], now())
