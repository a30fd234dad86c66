"""The counter against PostgreSQL: redeem, refuse, repeat, undo."""

import asyncio
from datetime import date, datetime, time, timedelta

import pytest

from points.errors import (
    CardUsedUp,
    NotACode,
    PinNeeded,
    Refused,
    TooManyTries,
    UndoTooLate,
)
from points.ledger.verifier import service as verifier
from points.mall import service as mall
from points.redemption import codes, pickups, queries, service
from points.redemption.schemas import HoldOrder
from shared.audit import service as audit
from shared.clock import LOCAL_ZONE, now, today
from shared.database import DB
from shared.errors import Forbidden, GridmeritError, Invalid, NotFound, Unavailable
from shared.identity import accounts, hashing
from shared.identity.errors import WaitFirst, WrongSignIn
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from tests import factories
from tests.factories import COUNTY, acting
from tests.points.redemption.scene import Scene, counter, fund, give, on_shelf, stock


async def available(scene: Scene) -> int:
    return await queries.spendable(COUNTY, scene.worker.person_id, now())


async def test_lately_redeemed_is_sought_in_the_batches_of_late(rollback: None) -> None:
    """A village that redeems little made its chief's page read all that the county ever did."""
    scene = await counter(2070)
    await service.redeem(scene.keeper, scene.order(await scene.code()), now())
    since = now() + timedelta(days=1)
    await DB.execute("SET LOCAL enable_seqscan = off")  # by the index, however small the tables are
    plan = await DB.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS OFF) {queries.REDEMPTIONS_NEAR}",
        COUNTY, ["421222"], since, today(), 2**31 - 1, 2**31 - 1, 21,
    )  # fmt: skip
    assert not [row[0] for row in plan if "Rows Removed by" in row[0]], plan


async def test_goods_for_points(rollback: None) -> None:
    """Two soaps and a sack of rice: 45 points leave the wallet, pieces leave the shelf."""
    scene = await counter(2070)
    order = scene.order(await scene.code(), (scene.soap, 2), (scene.rice, 1))
    answer = await service.redeem(scene.keeper, order, now())
    assert answer.redemption is not None
    assert (answer.redemption.amount, answer.redemption.balance) == (450, 1620)
    assert [line.name for line in answer.redemption.lines] == ["肥皂", "大米5kg"]
    assert (await on_shelf(scene, scene.soap), await on_shelf(scene, scene.rice)) == (18, 1)
    assert await available(scene) == 1620
    total = await service.total(COUNTY, scene.shop_id, today())
    assert (total.count, total.amount) == (1, 450)


async def test_typed_digits_do_the_same(rollback: None) -> None:
    """Eight digits typed with a blank in the middle open the same wallet."""
    scene = await counter()
    code = await codes.issue(scene.worker, now())
    spaced = f"{code.digits[:4]} {code.digits[4:]}"
    answer = await service.redeem(scene.keeper, scene.order(spaced), now())
    assert answer.redemption is not None
    assert answer.redemption.means == "digits"


async def test_the_same_order_again_has_one_effect(rollback: None) -> None:
    """A repeat gets the same answer; other content under the id is refused."""
    scene = await counter()
    order = scene.order(await scene.code())
    first = await service.redeem(scene.keeper, order, now())
    again = await service.redeem(scene.keeper, order, now() + timedelta(hours=1))
    assert (first.repeated, again.repeated) == (False, True)
    assert again.redemption == first.redemption
    assert await available(scene) == 2020
    other = scene.order(order.code, (scene.soap, 2), id=order.id)
    with pytest.raises(Refused) as error:
        await service.redeem(scene.keeper, other, now())
    assert error.value.code == "id_reused"


async def test_a_code_is_good_once(rollback: None) -> None:
    """A double scan is told when and for what the code was used; nothing is taken twice."""
    scene = await counter()
    code = await scene.code()
    await service.redeem(scene.keeper, scene.order(code), now())
    answer = await service.redeem(scene.keeper, scene.order(code), now())
    assert answer.refusal is not None
    assert answer.refusal.code == "code_used"
    with pytest.raises(Refused, match=r"这一码已用过（\d\d:\d\d 肥皂 1块）"):
        await service.customer(scene.keeper, scene.shop_id, code, now())
    assert await available(scene) == 2020


async def test_a_code_ends_after_five_minutes(rollback: None) -> None:
    """An old screenshot buys nothing, and the refusal is kept."""
    scene = await counter()
    order = scene.order(await scene.code())
    late = now() + timedelta(minutes=5, seconds=1)
    first = await service.redeem(scene.keeper, order, late)
    again = await service.redeem(scene.keeper, order, now())
    assert first.refusal is not None
    assert again.refusal is not None
    assert (first.refusal.code, again.refusal.code) == ("code_expired", "code_expired")
    assert again.repeated


@pytest.mark.parametrize("text", ["", "6901234567892", "12345", "https://x.example/r/abc"])
async def test_what_is_no_code_is_said(rollback: None, text: str) -> None:
    """A product's bar code or a short number is answered with what to do instead."""
    scene = await counter()
    with pytest.raises(NotACode, match="不是兑换码"):
        await service.redeem(scene.keeper, scene.order(text), now())


async def test_guessing_digits_is_slowed_down(rollback: None) -> None:
    """After the fifth wrong number the shop waits; a scanned token still works; right forgives."""
    scene = await counter()
    token = await scene.code()
    for number in range(5):
        answer = await service.redeem(scene.keeper, scene.order(f"1000000{number}"), now())
        assert answer.refusal is not None
        assert answer.refusal.code == "code_unknown"
    with pytest.raises(TooManyTries, match="秒后再试"):
        await service.redeem(scene.keeper, scene.order("10000009"), now())
    assert (await service.redeem(scene.keeper, scene.order(token), now())).redemption is not None
    digits = (await codes.issue(scene.worker, now())).digits
    later = now() + timedelta(seconds=30)
    await service.redeem(scene.keeper, scene.order(digits), later)
    found = await queries.tries(COUNTY, scene.shop_id)
    assert found is not None
    assert (found.failures, found.failures_today) == (0, 5)


async def test_refusals_of_goods_and_points(rollback: None) -> None:
    """Too few pieces, too few points, a limit of pieces: each with its sentence and product."""
    scene = await counter(2200)
    order = scene.order(await scene.code(), (scene.rice, 3))
    answer = await service.redeem(scene.keeper, order, now())
    assert answer.refusal is not None
    assert answer.refusal.message == "“大米5kg”库存不够，请减少数量或换别的商品。"
    answer = await service.redeem(
        scene.keeper, scene.order(await scene.code(), (scene.pot, 2)), now()
    )
    assert answer.refusal is not None
    assert answer.refusal.code == "insufficient"
    await give(scene.world.worker, 5000, await fund("421222100002"))
    answer = await service.redeem(
        scene.keeper, scene.order(await scene.code(), (scene.pot, 2)), now()
    )
    assert answer.refusal is not None
    assert answer.refusal.code == "month_limit"
    first = scene.order(await scene.code(), (scene.pot, 1))
    assert (await service.redeem(scene.keeper, first, now())).redemption is not None
    await DB.execute(
        "UPDATE shared.county SET settings = '{\"month_limit\": 90000}' WHERE id = $1", COUNTY
    )
    second = scene.order(await scene.code(), (scene.pot, 1))
    answer = await service.redeem(scene.keeper, second, now())
    assert answer.refusal is not None
    assert answer.refusal.message == "“高压锅”超过每人每月限兑数量，请减少数量。"


async def test_a_closed_shop_refuses_and_the_refusal_stays(rollback: None) -> None:
    """Closed means closed for this id, even after the shop opens again; the code stays good."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    await mall.edit_shop(chief, scene.shop_id, 1, "合作社", "closed", "盘点")
    order = scene.order(await scene.code())
    first = await service.redeem(scene.keeper, order, now())
    await mall.edit_shop(chief, scene.shop_id, 2, "合作社", "open")
    again = await service.redeem(scene.keeper, order, now())
    assert first.refusal is not None
    assert again.refusal is not None
    assert (first.refusal.code, again.refusal.code) == ("shop_closed", "shop_closed")
    fresh = scene.order(order.code)
    assert (await service.redeem(scene.keeper, fresh, now())).redemption is not None


async def test_no_agreement_no_redemption(rollback: None) -> None:
    """The day after an agreement ends the counter is closed."""
    world = await factories.small_county()
    ended = today() - timedelta(days=1)
    shop = await factories.shop(world.units["421222100001"], last_day=ended)
    soap = await factories.product()
    keeper, worker = await acting(shop.keeper), await acting(world.worker)
    scene = Scene(world, shop, shop.shop_id, keeper, worker, soap, soap, soap)
    answer = await service.redeem(keeper, scene.order(await scene.code()), now())
    assert answer.refusal is not None
    assert answer.refusal.code == "agreement_ended"


async def test_goods_without_price_and_changed_prices(rollback: None) -> None:
    """What is not on offer, or costs something else than the terminal showed, is refused."""
    scene = await counter()
    strange = scene.order(await scene.code(), (new_id(), 1))
    answer = await service.redeem(scene.keeper, strange, now())
    assert answer.refusal is not None
    assert answer.refusal.code == "not_for_sale"
    changed = scene.order(await scene.code(), amount=40)
    answer = await service.redeem(scene.keeper, changed, now())
    assert answer.refusal is not None
    assert answer.refusal.code == "price_changed"
    right = scene.order(await scene.code(), amount=50)
    assert (await service.redeem(scene.keeper, right, now())).redemption is not None
    twice = scene.order(await scene.code(), (scene.soap, 1), (scene.soap, 2))
    answer = await service.redeem(scene.keeper, twice, now())
    assert answer.redemption is not None
    assert [line.quantity for line in answer.redemption.lines] == [3]


async def test_who_may_serve(rollback: None) -> None:
    """Another shop's keeper, a worker, a former keeper: the shop does not exist for them."""
    scene = await counter()
    other = await factories.shop(scene.world.units["421222101001"], "麦市积分超市")
    order = scene.order(await scene.code())
    for actor in (await acting(other.keeper), scene.worker, await acting(scene.world.chief)):
        with pytest.raises(NotFound):
            await service.redeem(actor, order, now())
    post = await roster.add_post(
        COUNTY,
        scene.world.units["421222100001"].id,
        Role.SHOPKEEPER,
        subject_id=scene.shop_id,
    )
    ended = await roster.add_person(
        COUNTY, "前店主", factories.phone(), Employment.PURCHASED, now=now()
    )
    await roster.assign(COUNTY, post, ended, date(2026, 1, 1), valid_to=today(), now=now())
    duties = await roster.duties_at(COUNTY, ended, today())
    assert duties == ()


async def test_nobody_serves_themselves(rollback: None) -> None:
    """A keeper who is also a gridworker needs a helper for the own wallet."""
    scene = await counter()
    post = await roster.add_post(
        COUNTY,
        scene.world.units["421222100001"].id,
        Role.SHOPKEEPER,
        subject_id=scene.shop_id,
    )
    await roster.assign(COUNTY, post, scene.worker.person_id, date(2026, 1, 1), now=now())
    both = await acting(scene.world.worker)
    with pytest.raises(Forbidden, match="本人"):
        await service.redeem(both, scene.order(await scene.code()), now())


async def test_undo_brings_everything_back(rollback: None) -> None:
    """Points, pieces and the month's room return; a second undo is refused."""
    scene = await counter()
    answer = await service.redeem(scene.keeper, scene.order(await scene.code()), now())
    assert answer.redemption is not None
    row = await service.undo(scene.keeper, answer.redemption.id, "拿错商品", now())
    assert (row.undo_reason, row.undone_at is not None) == ("拿错商品", True)
    assert (await available(scene), await on_shelf(scene, scene.soap)) == (2070, 20)
    total = await service.total(COUNTY, scene.shop_id, today())
    assert (total.count, total.amount) == (0, 0)
    with pytest.raises(Refused, match="已经撤销过"):
        await service.undo(scene.keeper, answer.redemption.id, "拿错商品", now())


async def test_nothing_is_undone_that_the_audit_does_not_know(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle, neither is there: the nightly check would call the books broken."""
    scene = await counter()
    answer = await service.redeem(scene.keeper, scene.order(await scene.code()), now())
    assert answer.redemption is not None

    async def dies(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", dies)
        with pytest.raises(asyncio.CancelledError):
            await service.undo(scene.keeper, answer.redemption.id, "拿错商品", now())
    assert (await service.full(COUNTY, answer.redemption.id)).undone_at is None
    await service.undo(scene.keeper, answer.redemption.id, "拿错商品", now())
    assert not (await verifier.verify(COUNTY)).findings


async def test_after_ten_minutes_only_the_secretary(rollback: None) -> None:
    """The shop is told whom to ask; the chief may, the worker may not."""
    scene = await counter()
    answer = await service.redeem(scene.keeper, scene.order(await scene.code()), now())
    assert answer.redemption is not None
    late = now() + timedelta(minutes=10)
    with pytest.raises(UndoTooLate, match="找村书记"):
        await service.undo(scene.keeper, answer.redemption.id, "拿错商品", late)
    with pytest.raises(NotFound):
        await service.undo(scene.worker, answer.redemption.id, "拿错商品", late)
    chief = await acting(scene.world.chief)
    with pytest.raises(Invalid, match="撤销原因"):
        await service.undo(chief, answer.redemption.id, " ", late)
    row = await service.undo(chief, answer.redemption.id, "数量错了", late)
    assert row.undone_at is not None
    event = await DB.fetchrow(
        "SELECT action, authority, reason FROM shared.audit_event"
        " WHERE county_id = $1 AND object_id = $2",
        COUNTY,
        answer.redemption.id,
    )
    assert event is not None
    assert tuple(event) == ("redeem.undo_late", "chief@421222100001", "数量错了")


async def test_the_worker_sees_the_code_turn_into_a_receipt(rollback: None) -> None:
    """While it is good the screen counts down; once used it shows the redemption."""
    scene = await counter()
    at = now()
    code = await codes.issue(scene.worker, at)
    state = await service.code_state(scene.worker, code.id, at + timedelta(seconds=60))
    assert (state.seconds, state.spent) == (240, None)
    await service.redeem(scene.keeper, scene.order(code.token), now())
    state = await service.code_state(scene.worker, code.id, now())
    assert state.spent is not None
    assert (state.spent.amount, state.spent.balance_after) == (50, 2020)
    with pytest.raises(NotFound):
        await service.code_state(await acting(scene.world.second_worker), code.id, now())


async def test_a_printed_card_needs_its_pin(rollback: None) -> None:
    """Without PIN, with a wrong one, after a new card: refused; with it: one code for one sale."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    old = await codes.issue_card(chief, scene.worker.person_id, now())
    card = await codes.issue_card(chief, scene.worker.person_id, now())
    await accounts.set_card_pin(scene.worker, scene.worker.person_id, "739164", "739164")
    order = scene.order(card.number)
    with pytest.raises(PinNeeded):
        await service.redeem(scene.keeper, order, now())
    with pytest.raises(GridmeritError, match="不对"):
        await service.redeem(scene.keeper, scene.order(card.number, pin="111111"), now())
    answer = await service.redeem(scene.keeper, scene.order(old.token, pin="739164"), now())
    assert answer.refusal is not None
    assert answer.refusal.code == "code_unknown"
    answer = await service.redeem(scene.keeper, scene.order(card.token, pin="739164"), now())
    assert answer.redemption is not None
    assert answer.redemption.means == "card"
    minted = await codes.from_card(scene.keeper, scene.shop_id, card.number, "739164", now())
    assert (await service.redeem(scene.keeper, scene.order(minted.token), now())).redemption
    await codes.revoke_card(chief, scene.worker.person_id, now())
    answer = await service.redeem(scene.keeper, scene.order(card.token, pin="739164"), now())
    assert answer.redemption is None


@pytest.mark.parametrize("kind", ["token", "number"])
async def test_a_lost_answer_outlives_the_card(rollback: None, kind: str) -> None:
    """The card is replaced before the shop asks again: the first answer, for sale and order."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    card = await codes.issue_card(chief, scene.worker.person_id, now())
    await accounts.set_card_pin(scene.worker, scene.worker.person_id, "739164", "739164")
    shown = getattr(card, kind)
    order = scene.order(shown, pin="739164")
    ahead = HoldOrder(
        id=new_id(), shop_id=scene.shop_id, lines=order.lines, code=shown, pin="739164"
    )
    first = await service.redeem(scene.keeper, order, now())
    held = await pickups.hold(scene.keeper, ahead, now())
    await codes.issue_card(chief, scene.worker.person_id, now())
    again = await service.redeem(scene.keeper, order, now())
    assert (again.repeated, again.redemption) == (True, first.redemption)
    kept = await pickups.hold(scene.keeper, ahead, now())
    assert (kept.repeated, kept.held) == (True, held.held)
    other = await service.redeem(scene.keeper, scene.order(shown, pin="739164"), now())
    assert other.refusal is not None
    assert other.refusal.code == "code_unknown"
    assert await queries.spendable(COUNTY, scene.worker.person_id, now()) == 1970


async def test_wrong_pins_are_counted_on_the_card(rollback: None) -> None:
    """Five cost waiting, twenty the day; a right one is given back, a new card begins anew."""
    scene = await counter()
    chief, person_id = await acting(scene.world.chief), scene.worker.person_id
    card = await codes.issue_card(chief, person_id, now())
    await accounts.set_card_pin(scene.worker, person_id, "739164", "739164")
    morning = datetime.combine(today(), time(8), LOCAL_ZONE)

    async def minted(minutes: int, pin: str, number: str = card.number) -> None:
        at = morning + timedelta(minutes=minutes)
        await codes.from_card(scene.keeper, scene.shop_id, number, pin, at)

    for _ in range(5):
        with pytest.raises(WrongSignIn):
            await minted(0, "111111")
    with pytest.raises(WaitFirst):
        await minted(0, "739164")
    await minted(1, "739164")
    for minutes in range(20, 20 + 15 * 16, 16):
        with pytest.raises(WrongSignIn):
            await minted(minutes, "111111")
    with pytest.raises(CardUsedUp):
        await minted(300, "739164")
    again = await codes.issue_card(chief, person_id, now())
    await minted(300, "739164", again.number)


async def test_a_card_s_pin_that_nobody_has_time_to_look_at_does_not_count(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers who storm the sign-in page do not shut a card."""
    scene = await counter()
    person_id = scene.worker.person_id
    card = await codes.issue_card(await acting(scene.world.chief), person_id, now())
    await accounts.set_card_pin(scene.worker, person_id, "739164", "739164")
    with monkeypatch.context() as storm:
        storm.setattr(hashing, "QUEUE_CAP", 0)
        for _ in range(21):
            with pytest.raises(Unavailable):
                await codes.from_card(scene.keeper, scene.shop_id, card.token, "739164", now())
    await codes.from_card(scene.keeper, scene.shop_id, card.token, "739164", now())


async def test_many_digits_at_once_are_counted_as_many(committed: None) -> None:
    """Forty parallel guesses of a code get five looks, not forty."""
    scene = await counter()
    at = now()
    results = await asyncio.gather(
        *(
            service.redeem(scene.keeper, scene.order(f"100000{number}"), at)
            for number in range(10, 50)
        ),
        return_exceptions=True,
    )
    waiting = [result for result in results if isinstance(result, TooManyTries)]
    assert len(waiting) == 35


async def test_many_pins_at_once_are_counted_as_many(committed: None) -> None:
    """Forty parallel guesses of a card's PIN get five looks at it."""
    scene = await counter()
    person_id, at = scene.worker.person_id, now()
    card = await codes.issue_card(await acting(scene.world.chief), person_id, at)
    await accounts.set_card_pin(scene.worker, person_id, "739164", "739164")
    results = await asyncio.gather(
        *(
            codes.from_card(scene.keeper, scene.shop_id, card.token, "111111", at)
            for _ in range(40)
        ),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, WrongSignIn)]
    waiting = [result for result in results if isinstance(result, WaitFirst)]
    assert (len(refused), len(waiting)) == (5, 35)


async def test_ten_scanners_one_code(committed: None) -> None:
    """Ten orders of one code at once: one redemption, nine refusals, 5 points gone."""
    scene = await counter()
    code = await scene.code()
    orders = [scene.order(code) for _ in range(10)]
    answers = await asyncio.gather(
        *(service.redeem(scene.keeper, order, now()) for order in orders)
    )
    assert [answer.redemption is not None for answer in answers].count(True) == 1
    refused = {answer.refusal.code for answer in answers if answer.refusal}
    assert refused == {"code_used"}
    assert await available(scene) == 2020


async def test_a_shops_day_in_pages(rollback: None) -> None:
    """Latest first, two a page, nothing twice; another shop's keeper sees nothing."""
    scene = await counter()
    made = []
    for _ in range(5):
        answer = await service.redeem(scene.keeper, scene.order(await scene.code()), now())
        assert answer.redemption is not None
        made.append(answer.redemption.id)
    seen, after = [], None
    while True:
        page = await service.day_page(scene.keeper, scene.shop_id, today(), after=after, limit=2)
        seen += [item.id for item in page.items]
        after = page.next
        if after is None:
            break
    assert seen == made[::-1]
    assert page.items[0].customer == "欧**山"
    with pytest.raises(Invalid, match="翻页"):
        await service.day_page(scene.keeper, scene.shop_id, today(), after="x", limit=2)
    with pytest.raises(NotFound):
        await service.day_page(scene.worker, scene.shop_id, today(), after=None, limit=2)


async def test_a_code_of_another_county(rollback: None) -> None:
    """Counties do not know each other's codes, shops or goods."""
    scene = await counter()
    other = await factories.small_county(421223)
    foreign = await codes.issue(await acting(other.worker), now())
    answer = await service.redeem(scene.keeper, scene.order(foreign.token), now())
    assert answer.refusal is not None
    assert answer.refusal.code == "code_unknown"
    shop = await factories.shop(other.units["421223100001"], "邻县积分超市", county_id=421223)
    order = scene.order(await scene.code(), shop_id=shop.shop_id)
    with pytest.raises(NotFound):
        await service.redeem(scene.keeper, order, now())


async def test_the_secretary_of_the_workers_village(rollback: None) -> None:
    """A township's shop serves many villages: each secretary sees and undoes the own people's."""
    scene = await counter()
    town = await factories.shop(scene.world.units["421222100"], "隽水镇积分超市")
    await stock(town.shop_id, scene.soap, 5)
    order = scene.order(await scene.code(), shop_id=town.shop_id)
    answer = await service.redeem(await acting(town.keeper), order, now())
    assert answer.redemption is not None
    late = now() + timedelta(days=1)
    chief = await acting(scene.world.chief)
    assert [row.id for row in (await service.recent(chief, late))[0]] == [order.id]
    assert (await service.view(chief, order.id, late)).id == order.id
    other = await factories.member(Role.CHIEF, scene.world.units["421222100002"], "外村书记")
    stranger = await acting(other)
    assert await service.recent(stranger, late) == ([], None)
    with pytest.raises(NotFound):
        await service.view(stranger, order.id, late)
    with pytest.raises(NotFound):
        await service.undo(stranger, order.id, "扫错了人", late)
    row = await service.undo(chief, order.id, "扫错了人", late)
    assert row.undone_at is not None


async def test_the_secretary_undoes_what_the_shop_undid(rollback: None) -> None:
    """A page opened before it: the answer is that it is done, whoever did it."""
    scene = await counter()
    answer = await service.redeem(scene.keeper, scene.order(await scene.code()), now())
    assert answer.redemption is not None
    await service.undo(scene.keeper, answer.redemption.id, "拿错商品", now())
    with pytest.raises(Refused, match="已经撤销过"):
        await service.undo(await acting(scene.world.chief), answer.redemption.id, "数量错了", now())


async def test_both_secretaries_of_a_worker_of_two_villages(rollback: None) -> None:
    """What the list shows can be opened and taken back, in whichever village the grid lies."""
    scene = await counter()
    town = await factories.shop(scene.world.units["421222101"], "麦市镇积分超市")
    await stock(town.shop_id, scene.soap, 5)
    grid = scene.world.units["421222100002001"]
    post = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post, scene.worker.person_id, date(2026, 1, 1), now=now())
    order = scene.order(await scene.code(), shop_id=town.shop_id)
    assert (await service.redeem(await acting(town.keeper), order, now())).redemption
    second = await factories.member(Role.CHIEF, scene.world.units["421222100002"], "邻村书记")
    for chief in (scene.world.chief, second):
        actor = await acting(chief)
        assert [row.id for row in (await service.recent(actor, now()))[0]] == [order.id]
        assert (await service.view(actor, order.id, now())).id == order.id
    row = await service.undo(await acting(second), order.id, "扫错了人", now())
    assert row.undone_at is not None


async def test_a_card_is_good_for_ninety_days_after_leaving(rollback: None) -> None:
    """As long as its holder's phone shows codes, and no longer."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    card = await codes.issue_card(chief, scene.worker.person_id, now())
    await accounts.set_card_pin(scene.worker, scene.worker.person_id, "739164", "739164")
    await roster.end_assignment(COUNTY, scene.world.worker.assignment_id, today(), reason="辞职")
    order = scene.order(card.number, pin="739164")
    answer = await service.redeem(scene.keeper, order, now() + timedelta(days=89))
    assert answer.redemption is not None
    late = now() + timedelta(days=90)
    with pytest.raises(Forbidden, match="90 天"):
        await service.redeem(scene.keeper, scene.order(card.number, pin="739164"), late)
    with pytest.raises(Forbidden, match="90 天"):
        await codes.from_card(scene.keeper, scene.shop_id, card.number, "739164", late)


@pytest.mark.parametrize("role", ["chief", "instructor", "department"])
async def test_the_card_of_somebody_who_left_can_be_stopped(rollback: None, role: str) -> None:
    """By the secretary of the village left last, the township and the department; nobody else."""
    scene = await counter()
    world, person_id = scene.world, scene.worker.person_id
    card = await codes.issue_card(await acting(world.chief), person_id, now())
    await roster.end_assignment(COUNTY, world.worker.assignment_id, today(), reason="辞职")
    late = now() + timedelta(days=30)
    neighbour = await factories.member(Role.CHIEF, world.units["421222100002"], "邻村书记")
    assert await codes.cards_left(await acting(neighbour), late) == []
    with pytest.raises(NotFound):
        await codes.revoke_card(await acting(neighbour), person_id, late)
    actor = await acting(getattr(world, role))
    assert person_id not in [row.person_id for row in await codes.card_holders(actor, late)]
    (left,) = await codes.cards_left(actor, late)
    assert (left.person_id, left.number) == (person_id, card.number)
    await codes.revoke_card(actor, person_id, late)
    assert await queries.card_by_number(COUNTY, card.number) is None
    assert await codes.cards_left(actor, late) == []


async def test_cards_of_a_worker_of_several_grids(rollback: None) -> None:
    """One line in the list; the secretary of either village may print or stop the card."""
    scene = await counter()
    for code in ("421222100001002", "421222100002001"):
        post = await roster.add_post(COUNTY, scene.world.units[code].id, Role.GRIDWORKER)
        await roster.assign(COUNTY, post, scene.worker.person_id, date(2026, 1, 1), now=now())
    second = await factories.member(Role.CHIEF, scene.world.units["421222100002"], "邻村书记")
    for member in (scene.world.chief, second):
        chief = await acting(member)
        listed = [row.person_id for row in await codes.card_holders(chief, now())]
        assert listed.count(scene.worker.person_id) == 1
        card = await codes.issue_card(chief, scene.worker.person_id, now())
        assert card.name == "欧阳金山"
        await codes.revoke_card(chief, scene.worker.person_id, now())
    with pytest.raises(NotFound):
        await codes.issue_card(await acting(second), scene.world.second_worker.person_id, now())


async def test_a_card_printed_by_two_presses(committed: None) -> None:
    """Both are answered with a card; one counts in the end."""
    scene = await counter()
    chief = await acting(scene.world.chief)
    cards = await asyncio.gather(
        *(codes.issue_card(chief, scene.worker.person_id, now()) for _ in range(6))
    )
    assert len({card.number for card in cards}) == 6
    found = [await queries.card_by_number(COUNTY, card.number) for card in cards]
    assert sum(card is not None for card in found) == 1
