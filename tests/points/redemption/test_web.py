"""The counter's and the worker's pages over HTTP: forms, redirects, sentences."""

import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from points.mall import service as mall
from points.redemption import codes, pickups, queries, service, web_verify
from points.redemption.schemas import HoldOrder, WantedLine
from shared.clock import now, today
from shared.database import DB
from shared.identity import accounts
from shared.ids import new_id
from shared.roster import service as roster
from shared.web.filters import date_cn
from tests import factories
from tests.factories import COUNTY, acting
from tests.points.redemption.scene import (
    Scene,
    counter,
    give,
    on_shelf,
    post,
    sign_in,
    stock,
)
from tests.shared.identity.worlds import with_pin


def field(text: str, name: str) -> str:
    """The value of a hidden field."""
    match = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert match, text[:2000]
    return match[1]


async def test_scan_choose_confirm(client: httpx.AsyncClient) -> None:
    """The link of the QR code opens the goods; confirming shows the amount; back is a receipt."""
    scene = await counter(2070)
    await sign_in(client, scene.keeper)
    code = await scene.code()
    goods = await client.get(f"/r/{code}")
    assert "欧**山 · 隽1第1网格" in goods.text
    assert "可用 <b>207</b> 分" in goods.text
    assert scene.world.worker.phone not in goods.text
    chosen = {f"q-{scene.soap}": "2", f"q-{scene.rice}": "1", f"q-{scene.pot}": "0"}
    form = {"id": field(goods.text, "id"), "code": field(goods.text, "code")}
    answer = await post(client, "/shop/redeem", **form, **chosen)
    assert answer.status_code == 303
    done = await client.get(answer.headers["location"])
    assert "−45分" in done.text
    assert "还剩 <b>162</b> 分" in done.text
    again = await post(client, "/shop/redeem", **form, **chosen)
    assert again.headers["location"] == answer.headers["location"]
    today = await client.get("/shop/today")
    assert "1 笔" in today.text
    receipt = await client.get(f"/receipts/{form['id']}")
    assert "撤销这笔兑换" in receipt.text


async def test_a_page_older_than_a_price_takes_no_other_sum(client: httpx.AsyncClient) -> None:
    """Shown before midnight, confirmed after: said with the new price, nothing is taken."""
    scene = await counter(2070)
    await sign_in(client, scene.keeper)
    code = await scene.code()
    goods = await client.get(f"/r/{code}")
    price = {f"p-{scene.soap}": field(goods.text, f"p-{scene.soap}")}
    form = {"id": field(goods.text, "id"), "code": code, f"q-{scene.soap}": "2"}
    await sign_in(client, scene.worker)
    order = await client.get(f"/pickups/new?shop={scene.shop_id}")
    ahead = {"id": field(order.text, "id"), "shop": str(scene.shop_id), f"q-{scene.soap}": "1"}
    dearer = mall.PriceForm(
        product_id=scene.soap, shop_id=None, first_day=today(), points=60, purchase_fen=450
    )
    await mall.set_price(COUNTY, dearer, now())
    late = await post(client, "/pickups", **ahead, **price)
    assert late.status_code == 409
    assert "商品积分有变动" in late.text
    await sign_in(client, scene.keeper)
    late = await post(client, "/shop/redeem", **form, **price)
    assert late.status_code == 409
    assert "商品积分有变动" in late.text
    assert await queries.spendable(COUNTY, scene.worker.person_id, now()) == 2070
    form |= {"id": field(late.text, "id"), f"p-{scene.soap}": field(late.text, f"p-{scene.soap}")}
    assert (await post(client, "/shop/redeem", **form)).status_code == 303
    assert await queries.spendable(COUNTY, scene.worker.person_id, now()) == 2070 - 120


async def test_typed_digits(client: httpx.AsyncClient) -> None:
    """Eight digits with a blank lead to the same page; nonsense stays on the counter with help."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    code = await codes.issue(scene.worker, now())
    spaced = f"{code.digits[:4]} {code.digits[4:]}"
    assert "确认兑换" in (await post(client, "/shop/customer", code=spaced)).text
    wrong = await post(client, "/shop/customer", code="6901234567892")
    assert wrong.status_code == 422
    assert "这不是兑换码" in wrong.text
    unknown = await post(client, "/shop/customer", code="12345678")
    assert unknown.status_code == 409
    assert "没有这个兑换码" in unknown.text


async def test_a_stranger_scans(client: httpx.AsyncClient) -> None:
    """Anybody else is told who can; nothing is used up."""
    scene = await counter()
    code = await scene.code()
    assert "请让店主扫码" in (await client.get(f"/r/{code}")).text
    await sign_in(client, scene.worker)
    assert "请让店主扫码" in (await client.get(f"/r/{code}")).text
    assert (await client.get("/shop")).status_code == 404
    await sign_in(client, scene.keeper)
    assert "确认兑换" in (await client.get(f"/r/{code}")).text


async def test_a_double_scan(client: httpx.AsyncClient) -> None:
    """The second scan says when and for what the code was used."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    code = await scene.code()
    await service.redeem(scene.keeper, scene.order(code), now())
    answer = await client.get(f"/r/{code}")
    assert answer.status_code == 409
    assert "这一码已用过" in answer.text
    assert "肥皂 1块" in answer.text


async def test_not_enough_points_stays_on_the_goods(client: httpx.AsyncClient) -> None:
    """The choice is kept, the reason stands above it, the code is still good."""
    scene = await counter(100)
    await sign_in(client, scene.keeper)
    code = await scene.code()
    goods = await client.get(f"/r/{code}")
    form = {"id": field(goods.text, "id"), "code": code}
    answer = await post(client, "/shop/redeem", **form, **{f"q-{scene.soap}": "3"})
    assert answer.status_code == 409
    assert "可用积分不够" in answer.text
    assert 'value="3"' in answer.text
    form["id"] = field(answer.text, "id")
    assert (
        await post(client, "/shop/redeem", **form, **{f"q-{scene.soap}": "2"})
    ).status_code == 303


async def test_wrong_pieces(client: httpx.AsyncClient) -> None:
    """Nothing chosen, a negative, a decimal, a word: one sentence, nothing taken."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    code = await scene.code()
    for pieces in ("0", "-1", "1.5", "二", "999999"):
        form = {"id": str(new_id()), "code": code, f"q-{scene.soap}": pieces}
        answer = await post(client, "/shop/redeem", **form)
        assert answer.status_code == 422, pieces
    assert await on_shelf(scene, scene.soap) == 20


async def test_card_and_pin(client: httpx.AsyncClient) -> None:
    """A card's number asks for the PIN; wrong: again; right: the goods."""
    scene = await counter()
    card = await codes.issue_card(await acting(scene.world.chief), scene.worker.person_id, now())
    await accounts.set_card_pin(scene.worker, scene.worker.person_id, "739164", "739164")
    await sign_in(client, scene.keeper)
    asked = await post(client, "/shop/customer", code=card.number)
    assert "请持卡人自己输入" in asked.text
    wrong = await post(client, "/shop/customer", code=card.number, pin="000000")
    assert "卡密码不对" in wrong.text
    assert "请持卡人自己输入" in wrong.text
    right = await post(client, "/shop/customer", code=card.number, pin="739164")
    assert "确认兑换" in right.text
    assert card.number not in right.text
    assert 'name="collector"' in right.text, "a family member who brings the card is named"
    form = {name: field(right.text, name) for name in ("id", "code")}
    few = await post(
        client, "/shop/redeem", **form, collector="李秀英", **{f"q-{scene.soap}": "999"}
    )
    assert 'value="李秀英"' in few.text
    form["id"] = field(few.text, "id")
    answer = await post(
        client, "/shop/redeem", **form, collector="李秀英", **{f"q-{scene.soap}": "1"}
    )
    assert "李秀英代取" in (await client.get(answer.headers["location"])).text


async def test_undo_on_the_receipt(client: httpx.AsyncClient) -> None:
    """A reason is needed; afterwards both sides see that it was taken back."""
    scene = await counter()
    answer = await service.redeem(scene.keeper, scene.order(await scene.code()), now())
    assert answer.redemption is not None
    path = f"/shop/redemptions/{answer.redemption.id}/undo"
    await sign_in(client, scene.keeper)
    without = await post(client, path)
    assert without.status_code == 422
    assert ("没有撤销" in without.text, "没有兑换" in without.text) == (True, False)
    assert (await post(client, path, reason="拿错商品")).status_code == 303
    for actor in (scene.keeper, scene.worker):
        await sign_in(client, actor)
        receipt = await client.get(f"/receipts/{answer.redemption.id}")
        assert "撤销：拿错商品" in receipt.text
    await sign_in(client, await acting(scene.world.cousin_worker))
    assert (await client.get(f"/receipts/{answer.redemption.id}")).status_code == 404


async def test_the_worker_shows_a_code(client: httpx.AsyncClient) -> None:
    """QR and digits; nothing new until it is used, then the amount and the rest."""
    scene = await counter(2070)
    await sign_in(client, scene.worker)
    shown = await client.get("/code")
    assert shown.headers["cache-control"] == "no-store"
    digits = re.search(r"<figcaption>(\d{4} \d{4})</figcaption>", shown.text)
    state = re.search(r'src="(/code/state[^"]*)"', shown.text)
    assert digits
    assert state
    fragment = {"hx-request": "true"}
    assert (await client.get(state[1], headers=fragment)).status_code == 204
    await service.redeem(scene.keeper, scene.order(digits[1]), now())
    used = await client.get(state[1], headers=fragment)
    assert "已扣 5 分" in used.text
    assert "剩 202 分" in used.text
    assert "银城积分超市" in used.text
    assert "<html" not in used.text


async def test_order_ahead_and_hand_over(client: httpx.AsyncClient) -> None:
    """The worker chooses shop and goods, the shop finds the order by its code and hands it out."""
    scene = await counter(2070)
    await sign_in(client, scene.worker)
    assert "银城积分超市" in (await client.get("/pickups/new")).text
    goods = await client.get(f"/pickups/new?shop={scene.shop_id}")
    form = {"id": field(goods.text, "id"), "shop": str(scene.shop_id), "collector": "李秀英"}
    ordered = await post(client, "/pickups", **form, **{f"q-{scene.rice}": "1"})
    assert ordered.status_code == 303
    pickup = await client.get(ordered.headers["location"])
    digits = re.search(r"<figcaption>(\d{4} \d{4})</figcaption>", pickup.text)
    assert digits
    await sign_in(client, scene.keeper)
    found = await post(client, "/shop/customer", code=digits[1])
    assert found.headers["location"] == f"/shop/pickups/{form['id']}"
    page = await client.get(found.headers["location"])
    assert "李秀英代取" in page.text
    taken = await post(
        client,
        f"/shop/pickups/{form['id']}/post",
        id=field(page.text, "id"),
        **{f"q-{scene.rice}": "1"},
    )
    assert "−35分" in (await client.get(taken.headers["location"])).text
    late = await post(client, f"/shop/pickups/{form['id']}/void", reason="x")
    assert late.status_code == 409


async def test_the_worker_comes_instead_of_the_named_one(client: httpx.AsyncClient) -> None:
    """The shop clears the name: the receipt and the ledger say that nobody else took it."""
    scene = await counter(2070)
    await sign_in(client, scene.worker)
    form = {"id": str(new_id()), "shop": str(scene.shop_id), "collector": "李秀英"}
    assert (await post(client, "/pickups", **form, **{f"q-{scene.soap}": "1"})).status_code == 303
    await sign_in(client, scene.keeper)
    page = await client.get(f"/shop/pickups/{form['id']}")
    assert 'value="李秀英"' in page.text
    given = {"id": field(page.text, "id"), "collector": "", f"q-{scene.soap}": "1"}
    done = await post(client, f"/shop/pickups/{form['id']}/post", **given)
    assert "代取" not in (await client.get(done.headers["location"])).text
    row = await service.full(COUNTY, UUID(given["id"]))
    assert row.collector == ""


async def test_cancel_an_order(client: httpx.AsyncClient) -> None:
    """The points return; somebody else's order is not there."""
    scene = await counter(2070)
    order = await ordered_ahead(client, scene)
    await sign_in(client, await acting(scene.world.second_worker))
    assert (await client.get(f"/pickups/{order}")).status_code == 404
    assert (await post(client, f"/pickups/{order}/void")).status_code == 404
    await sign_in(client, scene.worker)
    assert (await post(client, f"/pickups/{order}/void")).status_code == 303
    assert "已取消" in (await client.get("/pickups")).text


async def test_an_order_past_its_end_shows_no_code_any_more(client: httpx.AsyncClient) -> None:
    """While the ledger still waits for a late upload both sides can only give it back."""
    scene = await counter(2070)
    order = HoldOrder(id=new_id(), shop_id=scene.shop_id, lines=[WantedLine(scene.soap, 1)])
    await pickups.hold(scene.worker, order, now() - timedelta(days=7, hours=1))
    await sign_in(client, scene.keeper)
    assert "没有待取的预订" in (await client.get("/shop/pickups")).text
    page = await client.get(f"/shop/pickups/{order.id}")
    assert "确认交货" not in page.text
    assert "交不了货，作废" in page.text
    await sign_in(client, scene.worker)
    assert "已过期" in (await client.get("/pickups")).text
    page = await client.get(f"/pickups/{order.id}")
    assert "出示" not in page.text
    assert "积分一天内退回" in page.text
    assert (await post(client, f"/pickups/{order.id}/void")).status_code == 303
    assert await queries.spendable(COUNTY, scene.worker.person_id, now()) == 2070


async def ordered_ahead(client: httpx.AsyncClient, scene: Scene) -> UUID:
    """An order of one soap."""
    await sign_in(client, scene.worker)
    order = new_id()
    form = {"id": str(order), "shop": str(scene.shop_id), f"q-{scene.soap}": "1"}
    assert (await post(client, "/pickups", **form)).status_code == 303
    return order


async def test_old_codes(client: httpx.AsyncClient) -> None:
    """An expired code is said on the red page with what to do next."""
    scene = await counter()
    code = (await codes.issue(scene.worker, now() - timedelta(minutes=6))).token
    await sign_in(client, scene.keeper)
    answer = await client.get(f"/r/{code}")
    assert answer.status_code == 409
    assert "兑换码已过期" in answer.text


async def test_a_sheet_of_cards_is_printed_whole_or_not_at_all(client: httpx.AsyncClient) -> None:
    """Somebody on it has left the village meanwhile: the others' cards are still good."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    card = await codes.issue_card(chief, scene.worker.person_id, now())
    await sign_in(client, chief)
    people = [str(scene.worker.person_id), str(scene.world.cousin_worker.person_id)]
    answer = await post(client, "/verify/cards", person=people)
    assert answer.status_code == 404
    kept = {row.person_id: row.number for row in await codes.card_holders(chief, now())}
    assert kept[scene.worker.person_id] == card.number
    assert card.place == "隽1社区居委会隽1第1网格"


async def test_who_was_ticked_for_too_many_cards_stays_ticked(client: httpx.AsyncClient) -> None:
    """Everybody of a village of sixty was ticked by hand, and then nobody was."""
    scene = await counter()
    await sign_in(client, await acting(scene.world.chief))
    one = str(scene.worker.person_id)
    answer = await post(client, "/verify/cards", person=[one] * 49)
    assert (answer.status_code, "一次最多 48 张" in answer.text) == (422, True)
    assert re.findall(r'value="([^"]+)" checked', answer.text) == [one]


async def test_the_secretary_is_told_whose_points_end(client: httpx.AsyncClient) -> None:
    """Who has no sign-in hears of it from the village only; who signs in reads it on the phone."""
    scene = await counter(0)
    chief = await acting(scene.world.chief)
    fund_id = await DB.fetchval("SELECT id FROM points.fund WHERE county_id = $1", COUNTY)
    await give(scene.world.second_worker, 300, fund_id, expires_on=today() + timedelta(days=31))
    await sign_in(client, chief)
    assert "积分快到期" not in (await client.get("/verify")).text
    ends = today() + timedelta(days=30)
    for member in (scene.world.worker, scene.world.second_worker, scene.world.cousin_worker):
        await give(member, 200, fund_id, expires_on=ends)
    await give(scene.world.second_worker, 50, fund_id, expires_on=today())
    await with_pin(scene.world.worker)
    assert re.search("积分快到期，请告诉本人.*1 人", (await client.get("/verify")).text, re.DOTALL)
    shown = (await client.get("/verify/cards")).text
    told = shown[shown.index('id="untold"') : shown.index("<form method")]
    assert (scene.world.second_worker.name in told, scene.worker.name in told) == (True, False)
    assert f"最早的 {date_cn(today())}到期" in told
    assert "<b>25</b>分" in told
    [row] = await codes.untold(chief, now())
    assert (row.soon, row.place) == (250, "隽1社区居委会隽1第2网格")
    await sign_in(client, await acting(scene.world.department))
    assert "积分快到期" not in (await client.get("/verify/cards")).text


async def test_everybody_of_a_township_can_have_a_card(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list ended at three hundred people, and nothing said so."""
    monkeypatch.setattr(web_verify, "HOLDERS", 1)
    scene = await counter()
    await sign_in(client, await acting(scene.world.chief))
    first, second = [(await client.get(f"/verify/cards?page={number}")).text for number in (1, 2)]
    assert "共 2 条，第 1 / 2 页" in first
    for shown, member in ((first, scene.world.worker), (second, scene.world.second_worker)):
        assert re.findall(r'name="person" value="([^"]+)"', shown) == [str(member.person_id)]
    answer = await post(client, "/verify/cards?page=2")
    assert (answer.status_code, "第 2 / 2 页" in answer.text) == (422, True)


async def test_the_village_pages_through_what_it_may_undo(client: httpx.AsyncClient) -> None:
    """The list of a busy shop leads on to its oldest line."""
    scene = await counter(2070)
    await stock(scene.shop_id, scene.soap, 1)
    orders = []
    for _ in range(service.PAGE + 1):
        orders.append(scene.order(await scene.code()))
        assert (await service.redeem(scene.keeper, orders[-1], now())).redemption
    await sign_in(client, await acting(scene.world.chief))
    first = await client.get("/verify/redemptions")
    assert f"/verify/redemptions/{orders[-1].id}" in first.text
    assert str(orders[0].id) not in first.text
    more = re.search(r'href="(/verify/redemptions\?after=[0-9.]+)"', first.text)
    assert more
    rest = await client.get(more[1])
    assert f"/verify/redemptions/{orders[0].id}" in rest.text
    assert 'href="/verify/redemptions?after=' not in rest.text


async def test_a_lost_card_of_somebody_who_left_is_stopped(client: httpx.AsyncClient) -> None:
    """The secretary finds it on the page and stops it; no new one can be printed."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    card = await codes.issue_card(chief, scene.worker.person_id, now())
    await roster.end_assignment(COUNTY, scene.world.worker.assignment_id, today(), reason="辞职")
    await sign_in(client, chief)
    shown = await client.get("/verify/cards")
    assert "欧阳金山（已离任）的卡作废" in shown.text
    assert f'value="{scene.worker.person_id}"' not in shown.text
    answer = await post(client, f"/verify/cards/{scene.worker.person_id}/revoke")
    assert answer.status_code == 303
    assert await queries.card_by_number(COUNTY, card.number) is None
    assert "已离任" not in (await client.get("/verify/cards")).text


async def test_odd_pieces_and_names_are_answered_with_a_sentence(
    client: httpx.AsyncClient,
) -> None:
    """Leading zeros, a field sent twice, an overlong name: said, never a broken page."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    code = await scene.code()
    for pieces, status in (("00000299999999", 422), (["1", "1"], 400)):
        form = {"id": str(new_id()), "code": code, f"q-{scene.soap}": pieces}
        assert (await post(client, "/shop/redeem", **form)).status_code == status, pieces
    await sign_in(client, scene.worker)
    form = {"id": str(new_id()), "shop": str(scene.shop_id), f"q-{scene.soap}": "1"}
    for more in ({"collector": "长" * 21}, {"deliver_to": "长" * 101}):
        answer = await post(client, "/pickups", **form, **more)
        assert answer.status_code == 422, more
        assert "太长了" in answer.text


async def test_a_made_up_cursor_is_answered_with_a_sentence(client: httpx.AsyncClient) -> None:
    """Only what a page gave out leads on."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    for after in ("1.²", "1", "x.1", "9" * 5000 + ".1"):
        assert (await client.get("/shop/today", params={"after": after})).status_code == 422


async def test_a_counter_whose_agreement_ended_says_so(client: httpx.AsyncClient) -> None:
    """Before anybody chooses goods that cannot be handed out."""
    world = await factories.small_county()
    ended = today() - timedelta(days=1)
    shop = await factories.shop(world.units["421222100001"], last_day=ended)
    await sign_in(client, await acting(shop.keeper))
    assert "现在不能兑换" in (await client.get("/shop")).text
    good = await factories.shop(world.units["421222100002"], "别家超市")
    await sign_in(client, await acting(good.keeper))
    assert "现在不能兑换" not in (await client.get("/shop")).text
