"""The shelf, the village's say on prices and the desk's catalogue over HTTP."""

import re
from datetime import timedelta

import httpx
import pytest

from points.mall import service as mall
from shared import settings_county
from shared.clock import now, today
from shared.database import DB
from shared.ids import new_id
from shared.roster.roles import Role
from tests import factories
from tests.factories import COUNTY, acting
from tests.points.mall.test_office import GOODS_HEAD, LINE, SOAP, goods, shops
from tests.points.redemption.scene import counter, on_shelf, post, sign_in
from tests.shared.documents import books
from tests.shared.identity.test_web import enter_desk

TOMORROW = (today() + timedelta(days=1)).isoformat()


async def test_stock_in_out_and_counted(client: httpx.AsyncClient) -> None:
    """Pieces move once per form; out asks why; more than there is cannot leave."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    assert "大米5kg" in (await client.get("/shop/products")).text
    path = f"/shop/products/{scene.soap}"
    form = {"id": str(new_id()), "move": "in", "quantity": "5"}
    for _ in range(2):
        assert (await post(client, f"{path}/stock", **form)).status_code == 303
    assert await on_shelf(scene, scene.soap) == 25
    out = {"id": str(new_id()), "move": "out", "quantity": "30", "reason": "受潮"}
    refused = await post(client, f"{path}/stock", **out)
    assert refused.status_code == 409
    assert "库存不够出这么多件" in refused.text
    silent = await post(client, f"{path}/stock", **(out | {"quantity": "1", "reason": ""}))
    assert silent.status_code == 422
    counted = {"id": str(new_id()), "move": "count", "quantity": "22", "reason": "月末盘点"}
    saved = await post(client, f"{path}/stock", **counted)
    assert "库存已保存" in (await client.get(saved.headers["location"])).text
    assert await on_shelf(scene, scene.soap) == 22
    page = await client.get(path)
    assert "月末盘点" in page.text
    assert "店里实有件数，连同留着待取的" in page.text  # what is reserved counts too
    for quantity in ("-1", "1.5", "二", "99999999"):
        bad = await post(client, f"{path}/stock", id=str(new_id()), move="in", quantity=quantity)
        assert bad.status_code == 422, quantity


async def test_price_change_from_shop_to_village(client: httpx.AsyncClient) -> None:
    """Asked for on the shop's phone, decided on the secretary's."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    path = f"/shop/products/{scene.soap}/price"
    low = await post(client, path, points="4", purchase="4.5", first_day=TOMORROW)
    assert low.status_code == 422
    assert "低于协议进价" in low.text
    words = await post(client, path, points="五", purchase="4.505", first_day=TOMORROW)
    assert "两位小数" in words.text
    asked = await post(client, path, points="6", purchase="4.5", first_day=TOMORROW, why="涨价")
    assert "已报村里批准" in (await client.get(asked.headers["location"])).text
    await sign_in(client, await acting(scene.world.chief))
    assert "涨价" in (await client.get("/verify/prices")).text
    assert re.search("调价待批准.*1 件", (await client.get("/verify")).text, re.DOTALL)
    [waiting] = await mall.waiting_prices(await acting(scene.world.chief))
    page = (await client.get("/verify/prices")).text
    assert '<textarea class="weui-textarea" id="f-note-' in page, "Enter would press the first"
    other = await post(client, f"/verify/prices/{waiting.id}", answer="approved", note="贵")
    assert other.status_code == 422
    silent = await post(client, f"/verify/prices/{waiting.id}", answer="refuse")
    assert silent.status_code == 422
    done = await post(client, f"/verify/prices/{waiting.id}", answer="approve")
    assert done.status_code == 303
    told = (await client.get(done.headers["location"])).text
    assert "没有要批准的调价" in told
    assert "已同意，到生效日改价。" in told
    assert "调价待批准" not in (await client.get("/verify")).text
    await sign_in(client, scene.keeper)
    assert "已批准" in (await client.get(f"/shop/products/{scene.soap}")).text


async def test_late_undo_and_cards(client: httpx.AsyncClient) -> None:
    """The secretary sees the shop's redemptions and prints a card; others see nothing."""
    scene = await counter()
    await sign_in(client, await acting(scene.world.chief))
    assert "最近没有兑换" in (await client.get("/verify/redemptions")).text
    nobody = await post(client, "/verify/cards")
    assert (nobody.status_code, "还没有勾选" in nobody.text) == (422, True)
    cards = await post(client, "/verify/cards", person=str(scene.worker.person_id))
    assert "积分兑换卡" in cards.text
    assert "已有卡" in (await client.get("/verify/cards")).text
    lost = await post(client, f"/verify/cards/{scene.worker.person_id}/revoke")
    assert lost.status_code == 303
    foreign = await post(client, "/verify/cards", person=str(scene.world.cousin_worker.person_id))
    assert foreign.status_code == 404
    await sign_in(client, scene.worker)
    assert (await client.get("/verify/cards")).status_code == 404


async def test_the_desks_shops(client: httpx.AsyncClient) -> None:
    """Enter, change, agree again; an old form is told; a phone session is not let in."""
    world = await factories.small_county()
    await sign_in(client, await acting(world.department))
    assert (await client.get("/desk/shops")).status_code in {303, 404}
    await sign_in(client, await acting(world.department, desk=True))
    new = {
        "name": "银城积分超市",
        "unit_code": "421222100001",
        "settlement_name": "银城合作社",
        "first_day": "2026-01-01",
        "last_day": "2026-12-31",
    }
    wrong = await post(client, "/desk/shops", **(new | {"unit_code": "421222999999"}))
    assert wrong.status_code == 422
    assert "没有这个单位代码" in wrong.text
    made = await post(client, "/desk/shops", **new)
    assert made.status_code == 303
    path = made.headers["location"]
    assert "银城合作社" in (await client.get(path)).text
    again = await post(client, "/desk/shops", **new)
    assert again.status_code == 409
    edit = {"version": "1", "settlement_name": "新合作社", "state": "open"}
    assert (await post(client, path, **edit)).status_code == 303
    stale = await post(client, path, **edit)
    assert stale.status_code == 409
    assert "别人已改过" in stale.text
    period = {"first_day": "2027-01-01", "last_day": "2027-12-31"}
    assert (await post(client, f"{path}/agreements", **period)).status_code == 303
    overlap = await post(client, f"{path}/agreements", **period)
    assert "重叠" in overlap.text
    assert "银城积分超市" in (await client.get("/desk/shops?q=银城&status=open")).text


async def test_the_desks_catalogue(client: httpx.AsyncClient) -> None:
    """Prohibited goods are refused on the form; a general price waits for a second person."""
    world = await factories.small_county()
    desk = await acting(world.department, desk=True)
    await sign_in(client, desk)
    tobacco = await post(client, "/desk/products", name="香烟", measure="条", category="daily")
    assert tobacco.status_code == 422
    assert "不得用积分兑换" in tobacco.text
    for name in ("monthly_limit", "low_mark"):
        much = {"name": "肥皂", "measure": "块", "category": "washing", name: "99999999999"}
        assert (await post(client, "/desk/products", **much)).status_code == 422, name
    made = await post(
        client, "/desk/products", name="肥皂", measure="块", category="washing", market="6.5"
    )
    path = made.headers["location"]
    dear = await post(client, f"{path}/price", points="7", purchase="4.5", first_day=TOMORROW)
    assert "高于市场价" in dear.text
    asked = await post(client, f"{path}/price", points="6", purchase="4.5", first_day=TOMORROW)
    assert asked.status_code == 303
    listed = await client.get("/desk/products")
    assert "等批准的价格（1）" in listed.text
    [waiting] = await mall.waiting_prices(desk)
    wrong = await post(client, f"/desk/products/prices/{waiting.id}", answer="y", note="贵")
    assert wrong.status_code == 422
    own = await post(client, f"/desk/products/prices/{waiting.id}", answer="approve")
    assert own.status_code == 403
    other = await factories.member(Role.DEPARTMENT, world.units[str(COUNTY)], "李副部长")
    await sign_in(client, await acting(other, desk=True))
    done = await post(client, f"/desk/products/prices/{waiting.id}", answer="approve")
    assert done.status_code == 303
    edit = {"category": "daily", "low_mark": "3", "state": "withdrawn", "version": "1"}
    assert (await post(client, path, **edit)).status_code == 303
    assert (await post(client, path, **edit)).status_code == 409


async def test_no_goods_and_no_price_are_out_of_reach(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue ended at five hundred, what waits for an answer at two hundred."""
    monkeypatch.setattr(mall, "PAGE", 1)
    scene = await counter()
    proposals = []
    for product_id in (scene.soap, scene.rice):
        form = mall.PriceForm(
            product_id=product_id,
            shop_id=scene.shop_id,
            first_day=today() + timedelta(days=1),
            points=400,
            purchase_fen=450,
        )
        proposals.append(await mall.propose_price(scene.keeper, form, now()))
    await sign_in(client, await acting(scene.world.department, desk=True))
    goods_seen, prices_seen = [], []
    for number in (1, 2, 3):
        path = f"/desk/products?page={number}&waiting={number}"
        before, _, catalogue = (await client.get(path)).text.partition("商品目录</caption>")
        goods_seen += re.findall(r'/desk/products/([0-9a-f-]{36})"', catalogue)
        prices_seen += re.findall(r"/desk/products/prices/([0-9a-f-]{36})", before)
    assert sorted(goods_seen) == sorted(map(str, (scene.soap, scene.rice, scene.pot)))
    assert prices_seen == [str(one) for one in proposals]
    await sign_in(client, await acting(scene.world.chief))
    second = (await client.get("/verify/prices?page=2")).text
    assert re.findall(r"/verify/prices/([0-9a-f-]{36})", second) == [str(proposals[1])]


async def test_office_files_on_the_desk(client: httpx.AsyncClient) -> None:
    """Look first, then write; faults come back with a marked workbook; no file is one sentence."""
    world = await factories.small_county()
    await sign_in(client, await acting(world.department, desk=True))
    await client.get("/desk/shops")
    token = {"_csrf_token": client.cookies["csrftoken"]}

    async def send(path: str, data: bytes, how: str) -> httpx.Response:
        files = {"file": ("名录.xlsx", data)}
        return await client.post(path, data=token | {"how": how}, files=files)

    looked = await send("/desk/shops/import", shops(LINE), "check")
    assert "将新增 1" in looked.text
    assert "还没有写入" in looked.text
    assert "再选一次文件，点“导入”" in looked.text
    assert await mall.open_shops(COUNTY, today()) == []
    written = await send("/desk/shops/import", shops(LINE), "write")
    assert "已新增 1" in written.text
    faulty = await send("/desk/products/import", goods(SOAP, ["香烟", "条", 9, 1, 1]), "write")
    assert "不得用积分兑换" in faulty.text
    assert "base64," in faulty.text
    good = await send("/desk/products/import", goods(SOAP), "write")
    assert "已新增 1" in good.text
    broken = await send("/desk/products/import", b"PK\x03\x04 torn", "write")
    assert broken.status_code == 422
    filtered = books.xlsx([GOODS_HEAD, [1, *SOAP]], hidden=(2,))
    warned = await send("/desk/products/import", filtered, "check")
    assert "表里有 1 行被筛选或隐藏（第 2 行），也在导入之列" in warned.text
    missing = await client.post("/desk/shops/import", data=token | {"how": "check"})
    assert missing.status_code == 422
    assert "请先选择文件" in missing.text


async def test_odd_questions_to_the_lists(client: httpx.AsyncClient) -> None:
    """A page that there cannot be, or a name with what no name can hold: one sentence."""
    world = await factories.small_county()
    await factories.shop(world.units["421222100001"])
    await sign_in(client, await acting(world.department, desk=True))
    for question in ("shops?page=9999999999999999999", "shops?q=a%00", "products?category=%00"):
        assert (await client.get(f"/desk/{question}")).status_code == 422, question
    assert "银城积分超市" in (await client.get("/desk/shops?page=1&q=银城")).text


async def test_points_are_not_worth_more_while_goods_would_be_dearer_than_in_shops(
    client: httpx.AsyncClient,
) -> None:
    """The settings name the goods; once their price fits, or they are withdrawn, it is saved."""
    scene = await counter()
    await DB.execute(
        "UPDATE points.product SET market_fen = 550 WHERE county_id = $1 AND id = $2",
        COUNTY,
        scene.soap,
    )
    await enter_desk(client, scene.world.department)
    page = (await client.get("/desk/settings")).text
    form = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', page))
    del form["_csrf_token"]
    form |= {"posting_mode": "monthly", "public_names": "masked", "expiry_policy": "never"}
    refused = await post(client, "/desk/settings", **form | {"point_value": "1.2"})
    assert refused.status_code == 422
    assert "每分值 1.2 元时，肥皂的兑换价高于市场价" in refused.text
    assert (await settings_county.get(COUNTY)).point_value_fen == 100
    for value in ("1.1", "0.9"):
        page = (await client.get("/desk/settings")).text
        form["seen"] = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', page))["seen"]
        saved = await post(client, "/desk/settings", **form | {"point_value": value})
        assert saved.status_code == 303
