"""Every item kind: what it does, every refusal it knows, and that the books stay sound."""

from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest

from points.ledger import queries, service
from points.ledger.items import (
    Balances,
    Code,
    Ending,
    ExpireHolds,
    OpenFund,
    Opening,
    Pick,
    PostHold,
    ReleaseAwaiting,
    StockMove,
    VoidHold,
)
from points.ledger.words import label
from shared.database import DB
from shared.ids import new_id
from tests.points.ledger.builders import (
    COUNTY,
    NOW,
    TODAY,
    VILLAGE,
    YEAR_END,
    answer,
    appeal,
    award,
    code,
    correction,
    deduct,
    expire_lots,
    fund,
    hold,
    line,
    one,
    post_hold,
    redeem,
    resolution,
    restock,
    reverse,
    sound,
    undo,
    void_hold,
)

pytestmark = pytest.mark.usefixtures("rollback")


async def have(person: UUID) -> Balances:
    return await service.balances(COUNTY, person, NOW)


async def pieces(shop: UUID, product: UUID) -> tuple[int, int]:
    row = await DB.fetchrow(
        "SELECT quantity, held FROM points.stock WHERE county_id = $1 AND shop_id = $2"
        " AND product_id = $3",
        COUNTY,
        shop,
        product,
    )
    return (row["quantity"], row["held"]) if row else (0, 0)


class World:
    """A worker with 100 points (1000), a shop with 10 bags of rice at 20 points."""

    worker: UUID
    shop: UUID
    rice: UUID
    fund_id: UUID


@pytest.fixture
async def world() -> World:
    w = World()
    w.worker, w.shop, w.rice = new_id(), new_id(), new_id()
    w.fund_id = await fund()
    outcomes = await service.post(
        COUNTY, [award(w.worker, w.fund_id, 1000), restock(w.shop, w.rice, 10)], NOW
    )
    assert all(o.accepted for o in outcomes)
    return w


async def put_code(person: UUID, token: bytes = b"t" * 32, seconds: int = 300) -> None:
    await DB.execute(
        "INSERT INTO points.code (county_id, id, person_id, token_hash, digits_hash, created_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        COUNTY,
        new_id(),
        person,
        token,
        token[::-1],
        NOW,
        NOW + timedelta(seconds=seconds),
    )


# --- awards, budgets, what waits ------------------------------------------------------------------


async def test_award_gives_merit_and_wallet(world: World) -> None:
    """An award posts the same amount to both units."""
    assert await have(world.worker) == Balances(1000, 1000, 0, 0, 0)
    await sound()


async def test_award_without_fund_waits() -> None:
    """Merit posts all the same; the wallet part waits until a fund adopts the village."""
    worker = new_id()
    outcome = await one(award(worker, None, 50))
    assert (outcome.code, outcome.amount, outcome.wallet, outcome.waiting) == (
        "accepted",
        50,
        0,
        50,
    )
    assert await have(worker) == Balances(50, 0, 0, 0, 50)
    await fund(1000)
    assert await have(worker) == Balances(50, 50, 0, 0, 0)
    await sound()


async def test_award_beyond_budget_waits_in_order() -> None:
    """What exceeds the budget waits; nothing overtakes it; resolutions release in order."""
    fund_id = await fund(100)
    ann, bob, cid = new_id(), new_id(), new_id()
    outcomes = await service.post(
        COUNTY, [award(ann, fund_id, 60), award(bob, fund_id, 60), award(cid, fund_id, 10)], NOW
    )
    assert [(o.wallet, o.waiting) for o in outcomes] == [(60, 0), (40, 20), (0, 10)]
    assert [
        (o.wallet, o.waiting) for o in await service.post(COUNTY, [award(cid, fund_id, 5)])
    ] == [(0, 5)]
    raised = await one(resolution(fund_id, 25, "2号"))
    assert (raised.amount, raised.quantity) == (25, 2)
    assert [(await have(p)).awaiting for p in (ann, bob, cid)] == [0, 0, 10]
    await one(resolution(fund_id, 1000, "3号"))
    assert [(await have(p)).wallet for p in (ann, bob, cid)] == [60, 60, 15]
    await sound()


async def test_no_award_overtakes_those_that_wait() -> None:
    """Budget that a reversal gave back is for whoever waited first."""
    fund_id = await fund(100)
    ann, bob, cid = new_id(), new_id(), new_id()
    earned = award(ann, fund_id, 60)
    await service.post(COUNTY, [earned, award(bob, fund_id, 60)], NOW)
    assert await code(reverse(earned)) == "accepted"
    late = await one(award(cid, fund_id, 10))
    assert (late.wallet, late.waiting) == (0, 10)
    await sound()


async def test_award_of_unknown_fund_waits() -> None:
    """A fund that does not exist pays nothing, and merit is not lost for it."""
    assert (await one(award(new_id(), new_id(), 10))).waiting == 10


async def test_opening_balances_come_from_their_own_account() -> None:
    """Merit and wallet of the old books may differ."""
    fund_id, worker = await fund(), new_id()
    item = Opening(
        id=new_id(), person_id=worker, code="OPENING", merit=300, wallet=120, fund_id=fund_id,
        unit_code=VILLAGE, day=TODAY, expires_on=None,
    )  # fmt: skip
    assert await code(item) == "accepted"
    assert await have(worker) == Balances(300, 120, 0, 0, 0)
    await sound()


async def test_fund_and_resolution_refusals() -> None:
    """One fund a unit, one resolution a number, none without a fund."""
    fund_id = await fund(100)
    again = OpenFund(id=new_id(), unit_code=VILLAGE, name="又一个", point_value_fen=100)
    assert await code(again) == Code.FUND_EXISTS
    assert await code(resolution(fund_id, 5)) == Code.RESOLUTION_EXISTS
    assert await code(resolution(new_id(), 5)) == Code.FUND_UNKNOWN
    release = ReleaseAwaiting(id=new_id(), fund_id=new_id(), day=TODAY, expires_on=None)
    assert await code(release) == Code.FUND_UNKNOWN
    await sound()


async def test_a_mistyped_resolution_is_corrected_down_to_what_is_issued() -> None:
    """A row of its own: the budget falls, never below what is out; nobody loses a point."""
    fund_id, ann = await fund(100), new_id()
    typed = resolution(fund_id, 1000, "2号")
    await service.post(COUNTY, [typed, award(ann, fund_id, 300)], NOW)
    lowest = correction(typed, 200, 1000)
    assert await code(correction(typed, 195, 1000)) == Code.BUDGET_ISSUED
    assert await code(lowest) == "accepted"
    assert (await one(lowest)).repeated
    assert await code(correction(typed, 210, 1000)) == Code.RESOLUTION_CHANGED
    assert await code(correction(lowest, 210, 200)) == Code.RESOLUTION_UNKNOWN  # type: ignore[arg-type]
    waiting = await one(award(ann, fund_id, 5))
    assert (waiting.wallet, waiting.waiting) == (0, 5)
    assert (await have(ann)).wallet == 300
    await sound()


async def test_a_resolution_corrected_upwards_releases_what_waits() -> None:
    """In order, as a new resolution would; a mistyped one can be struck out whole."""
    fund_id, ann, bob = await fund(0), new_id(), new_id()
    typed, stray = resolution(fund_id, 10, "1号"), resolution(fund_id, 50, "2号")
    await service.post(COUNTY, [typed, award(ann, fund_id, 30), award(bob, fund_id, 30)], NOW)
    raised = await one(correction(typed, 45, 10))
    assert (raised.amount, raised.quantity) == (35, 2)
    assert [(await have(p)).awaiting for p in (ann, bob)] == [0, 15]
    await one(stray)
    assert await code(correction(stray, 0, 50)) == Code.BUDGET_ISSUED
    assert await code(correction(typed, 60, 45)) == "accepted"
    assert await code(correction(stray, 0, 50)) == "accepted"
    assert await code(resolution(fund_id, 5, "2号")) == Code.RESOLUTION_EXISTS
    await sound()


async def test_deduction_moves_merit_only(world: World) -> None:
    """The wallet stays; merit may fall below zero."""
    assert await code(deduct(world.worker, 1200)) == "accepted"
    assert await have(world.worker) == Balances(-200, 1000, 0, 0, 0)
    await sound()


# --- redemption -----------------------------------------------------------------------------------


async def test_redeem_moves_points_and_stock_together(world: World) -> None:
    """Worker to shop, pieces off the shelf, lots drawn."""
    outcome = await one(redeem(world.worker, world.shop, line(world.rice, 2, 200)))
    assert (outcome.code, outcome.amount, outcome.balance) == ("accepted", 400, 600)
    assert (await have(world.worker)).wallet == 600
    assert await pieces(world.shop, world.rice) == (8, 0)
    await sound()


async def test_first_expiring_is_spent_first() -> None:
    """Not the order of earning but the last day decides; points that never end come last."""
    fund_id, worker, shop, rice = await fund(), new_id(), new_id(), new_id()
    await service.post(
        COUNTY,
        [
            award(worker, fund_id, 100, expires_on=None),
            award(worker, fund_id, 100, expires_on=YEAR_END),
            award(worker, fund_id, 100, expires_on=TODAY),
            restock(shop, rice),
            redeem(worker, shop, line(rice, 15, 10)),
        ],
        NOW,
    )
    left = [(lot.expires_on, lot.remaining) for lot in await queries.lots(COUNTY, worker)]
    assert left == [(YEAR_END, 50), (None, 100)]
    await sound()


async def test_the_last_day_counts() -> None:
    """Points that end today are spent today, together with later ones."""
    fund_id, worker, shop, rice = await fund(), new_id(), new_id(), new_id()
    await service.post(
        COUNTY,
        [
            award(worker, fund_id, 100, expires_on=TODAY),
            award(worker, fund_id, 100),
            restock(shop, rice),
        ],
        NOW,
    )
    assert await code(redeem(worker, shop, line(rice, 1, 150))) == "accepted"
    assert (await have(worker)).wallet == 50
    await sound()


async def test_ended_points_cannot_be_spent_before_the_sweep() -> None:
    """A lot past its last day counts for nothing even while it is not yet written off."""
    fund_id, worker, shop, rice = await fund(), new_id(), new_id(), new_id()
    yesterday = TODAY - timedelta(days=1)
    await service.post(
        COUNTY, [award(worker, fund_id, 100, expires_on=yesterday), restock(shop, rice)], NOW
    )
    assert await code(redeem(worker, shop, line(rice))) == Code.INSUFFICIENT


async def test_code_is_consumed_once(world: World) -> None:
    """A code pays one redemption; the second one with it is refused, a refused one leaves it."""
    await put_code(world.worker)
    goods = line(world.rice, 1, 200)
    too_much = redeem(None, world.shop, line(world.rice, 9, 200), code_hash=b"t" * 32)
    assert await code(too_much) == Code.INSUFFICIENT
    assert await code(redeem(None, world.shop, goods, code_hash=b"t" * 32)) == "accepted"
    assert await code(redeem(None, world.shop, goods, code_hash=b"t" * 32)) == Code.CODE_USED
    assert (await have(world.worker)).wallet == 800
    await sound()


async def test_code_refusals(world: World) -> None:
    """Unknown, another person's, expired."""
    await put_code(world.worker, seconds=10)
    goods = line(world.rice, 1, 200)
    assert await code(redeem(None, world.shop, goods, code_hash=b"x" * 32)) == Code.CODE_UNKNOWN
    theirs = redeem(None, world.shop, goods, code_hash=b"t" * 32)
    somebody = msgspec.structs.replace(theirs, person_id=new_id())
    assert await code(somebody) == Code.CODE_UNKNOWN
    late = redeem(None, world.shop, goods, code_hash=b"t" * 32, at=NOW + timedelta(seconds=10))
    assert await code(late) == Code.CODE_EXPIRED
    await sound()


async def test_stock_and_points_refusals(world: World) -> None:
    """The shelf is asked before the wallet; the product is named."""
    beans = new_id()
    outcome = await one(redeem(world.worker, world.shop, line(world.rice), line(beans)))
    assert (outcome.code, outcome.subject) == (Code.OUT_OF_STOCK, beans)
    short = await one(redeem(world.worker, world.shop, line(world.rice, 6, 200)))
    assert (short.code, short.balance) == (Code.INSUFFICIENT, 1000)
    poor = await one(redeem(new_id(), world.shop, line(world.rice, 11, 200)))
    assert poor.code == Code.OUT_OF_STOCK
    assert await pieces(world.shop, world.rice) == (10, 0)
    await sound()


async def test_month_limit_counts_holds_and_forgets_undone(world: World) -> None:
    """Points of the month: redeemed and held, without what was undone; next month is new."""
    goods = line(world.rice, 1, 200)
    first = redeem(world.worker, world.shop, goods, month_limit=500)
    held = hold(world.worker, world.shop, goods, month_limit=500)
    third = redeem(world.worker, world.shop, goods, month_limit=500)
    assert [await code(i) for i in (first, held, third)] == [
        "accepted",
        "accepted",
        Code.MONTH_LIMIT,
    ]
    assert await code(undo(first)) == "accepted"
    assert await code(redeem(world.worker, world.shop, goods, month_limit=500)) == "accepted"
    december = NOW + timedelta(days=31)
    later = redeem(world.worker, world.shop, goods, month_limit=500, at=december)
    assert await code(later) == "accepted"
    await sound()


async def test_month_limit_is_exact(world: World) -> None:
    """Up to the limit and not one point further."""
    first = redeem(world.worker, world.shop, line(world.rice, 1, 60), month_limit=100)
    over = redeem(world.worker, world.shop, line(world.rice, 1, 50), month_limit=100)
    last = redeem(world.worker, world.shop, line(world.rice, 1, 40), month_limit=100)
    codes = [await code(item) for item in (first, over, last)]
    assert codes == ["accepted", Code.MONTH_LIMIT, "accepted"]


async def test_product_limit_counts_pieces(world: World) -> None:
    """The product that is over its limit is named."""
    goods = line(world.rice, 2, 100, limit=3)
    assert await code(redeem(world.worker, world.shop, goods)) == "accepted"
    outcome = await one(redeem(world.worker, world.shop, goods))
    assert (outcome.code, outcome.subject) == (Code.PRODUCT_LIMIT, world.rice)


async def test_month_turns_at_midnight_in_china(world: World) -> None:
    """30 November 23:30 and 1 December 00:30 in China are two months, though one UTC day."""
    november = NOW.replace(day=30, hour=15, minute=30)
    december = NOW.replace(day=30, hour=16, minute=30)
    goods = line(world.rice, 1, 200)
    for at in (november, december):
        item = redeem(world.worker, world.shop, goods, month_limit=200, at=at)
        assert await code(item) == "accepted"


# --- repeats --------------------------------------------------------------------------------------


async def test_repeat_gets_the_same_answer(world: World) -> None:
    """Same id and content: same outcome, nothing written; accepted or refused."""
    for item in (
        redeem(world.worker, world.shop, line(world.rice, 1, 200)),
        redeem(world.worker, world.shop, line(world.rice, 99, 200)),
        hold(world.worker, world.shop, line(world.rice, 1, 200)),
        award(world.worker, world.fund_id, 10),
        deduct(world.worker),
        restock(world.shop, world.rice, 5),
    ):
        first = await one(item)
        blocks = await DB.fetchval("SELECT count(*) FROM points.batch WHERE county_id = $1", COUNTY)
        again = await one(item)
        assert not first.repeated
        assert again.repeated
        assert (again.code, again.amount, again.balance, again.batch, again.position) == (
            first.code,
            first.amount,
            first.balance,
            first.batch,
            first.position,
        )
        assert blocks == await DB.fetchval(
            "SELECT count(*) FROM points.batch WHERE county_id = $1", COUNTY
        )
    await sound()


async def test_repeat_inside_a_batch_gets_the_same_answer(world: World) -> None:
    """The later of two equal requests of one batch is the repeat, accepted or refused."""
    for item in (
        redeem(world.worker, world.shop, line(world.rice, 1, 200)),
        redeem(world.worker, world.shop, line(world.rice, 99, 200)),
        award(world.worker, world.fund_id, 10),
    ):
        first, again = await service.post(COUNTY, [item, item], NOW)
        assert (first.repeated, again.repeated) == (False, True)
        assert (again.code, again.balance, again.position) == (
            first.code,
            first.balance,
            first.position,
        )
    await sound()


async def test_held_goods_are_not_for_sale(world: World) -> None:
    """What waits for somebody stands on the shelf and is not sold to others."""
    await one(restock(world.shop, product := new_id(), 3))
    assert await code(hold(world.worker, world.shop, line(product, 2, 10))) == "accepted"
    assert await code(redeem(world.worker, world.shop, line(product, 2, 10))) == "out_of_stock"
    assert await code(redeem(world.worker, world.shop, line(product, 1, 10))) == "accepted"
    await sound()


async def test_repeat_after_a_price_change_is_still_a_repeat(world: World) -> None:
    """What was asked for counts, not what it cost when it was asked again."""
    item = redeem(world.worker, world.shop, line(world.rice, 1, 200))
    await one(item)
    dearer = redeem(world.worker, world.shop, line(world.rice, 1, 300), id=item.id)
    outcome = await one(dearer)
    assert (outcome.repeated, outcome.amount) == (True, 200)


async def test_same_id_other_content_is_refused(world: World) -> None:
    """id_reused stands before every other refusal, in a batch and across batches."""
    item = redeem(world.worker, world.shop, line(world.rice, 1, 200))
    other = redeem(world.worker, world.shop, line(world.rice, 2, 200), id=item.id)
    outcomes = await service.post(COUNTY, [item, other, item], NOW)
    assert [(o.code, o.repeated) for o in outcomes] == [
        ("accepted", False),
        (Code.ID_REUSED, False),
        ("accepted", True),
    ]
    assert await code(other) == Code.ID_REUSED
    twice = award(world.worker, world.fund_id, 10)
    changed = award(world.worker, world.fund_id, 20, id=twice.id)
    outcomes = await service.post(COUNTY, [twice, twice, changed], NOW)
    assert [o.code for o in outcomes] == ["accepted", "accepted", Code.ID_REUSED]
    assert (await have(world.worker)).merit == 1010
    await sound()


async def test_refused_item_consumes_nothing_for_the_next(world: World) -> None:
    """In one batch: too much is refused, what fits after it still fits."""
    big = redeem(world.worker, world.shop, line(world.rice, 6, 200))
    fits = redeem(world.worker, world.shop, line(world.rice, 5, 200))
    outcomes = await service.post(COUNTY, [big, fits], NOW)
    assert [o.code for o in outcomes] == [Code.INSUFFICIENT, "accepted"]
    await sound()


# --- holds ----------------------------------------------------------------------------------------


async def test_hold_keeps_points_and_stock_then_posts(world: World) -> None:
    """Held points cannot be spent; posting turns them into one redemption."""
    held = hold(world.worker, world.shop, line(world.rice, 4, 200))
    assert await code(held) == "accepted"
    assert await have(world.worker) == Balances(1000, 200, 800, 0, 0)
    assert await pieces(world.shop, world.rice) == (10, 4)
    assert await code(redeem(world.worker, world.shop, line(world.rice, 2, 200))) == (
        Code.INSUFFICIENT
    )
    assert await code(post_hold(held)) == "accepted"
    assert await have(world.worker) == Balances(1000, 200, 0, 0, 0)
    assert await pieces(world.shop, world.rice) == (6, 0)
    await sound()


async def test_partial_post_returns_the_rest(world: World) -> None:
    """Q5: what is not taken goes back to its lots and to the shelf."""
    held = hold(world.worker, world.shop, line(world.rice, 4, 200))
    await one(held)
    some = PostHold(
        id=new_id(), hold_id=held.id, shop_id=world.shop, at=NOW, picks=(Pick(world.rice, 1),),
        actor_id=new_id(), authority="shop",
    )  # fmt: skip
    outcome = await one(some)
    assert (outcome.code, outcome.amount, outcome.balance) == ("accepted", 200, 800)
    assert await have(world.worker) == Balances(1000, 800, 0, 0, 0)
    assert await pieces(world.shop, world.rice) == (9, 0)
    assert (await one(some)).repeated
    await sound()


async def test_what_is_left_of_an_order_pays_a_debt(world: World) -> None:
    """An award is taken back while its points are held: the rest of the order settles it."""
    given = award(world.worker, world.fund_id, 500)
    await one(given)
    held = hold(world.worker, world.shop, line(world.rice, 7, 200))
    await one(held)
    await one(reverse(given))
    assert await have(world.worker) == Balances(1000, 0, 1400, 400, 0)
    some = PostHold(
        id=new_id(), hold_id=held.id, shop_id=world.shop, at=NOW, picks=(Pick(world.rice, 1),),
        actor_id=new_id(), authority="shop",
    )  # fmt: skip
    assert await code(some) == "accepted"
    assert await have(world.worker) == Balances(1000, 800, 0, 0, 0)
    await sound()


async def test_hold_refusals(world: World) -> None:
    """Unknown, another shop's, resolved, expired, more than was held."""
    held = hold(world.worker, world.shop, line(world.rice, 2, 200))
    await one(held)
    assert await code(post_hold(hold(world.worker, world.shop, line(world.rice)))) == (
        Code.HOLD_UNKNOWN
    )
    stranger = PostHold(id=new_id(), hold_id=held.id, shop_id=new_id(), at=NOW)
    assert await code(stranger) == Code.SHOP_MISMATCH
    void = VoidHold(id=new_id(), hold_id=held.id, shop_id=new_id())
    assert await code(void) == Code.SHOP_MISMATCH
    late = PostHold(id=new_id(), hold_id=held.id, shop_id=world.shop, at=NOW + timedelta(days=7))
    assert await code(late) == Code.HOLD_EXPIRED
    for greedy in (Pick(world.rice, 3), Pick(new_id(), 1)):
        item = PostHold(id=new_id(), hold_id=held.id, shop_id=world.shop, at=NOW, picks=(greedy,))
        outcome = await one(item)
        assert (outcome.code, outcome.subject) == (Code.LINES_EXCEED_HOLD, greedy.product_id)
    assert await code(void_hold(held)) == "accepted"
    assert await code(post_hold(held)) == Code.HOLD_RESOLVED
    assert await code(void_hold(held)) == Code.HOLD_RESOLVED
    assert await have(world.worker) == Balances(1000, 1000, 0, 0, 0)
    await sound()


async def test_hold_times_out_once(world: World) -> None:
    """Q4: the sweep gives points and pieces back once, and the second sweep finds nothing."""
    held = hold(world.worker, world.shop, line(world.rice, 2, 200))
    kept = hold(world.worker, world.shop, line(world.rice, 1, 200), days=8)
    await service.post(COUNTY, [held, kept], NOW)
    end = NOW + timedelta(days=7)
    assert await service.expire_holds(COUNTY, end) == 0
    assert await service.expire_holds(COUNTY, end + service.HOLD_GRACE) == 1
    assert await service.expire_holds(COUNTY, end + service.HOLD_GRACE) == 0
    assert await have(world.worker) == Balances(1000, 800, 200, 0, 0)
    assert await pieces(world.shop, world.rice) == (10, 1)
    assert await code(post_hold(held)) == Code.HOLD_RESOLVED
    empty = await one(ExpireHolds(id=new_id(), at=end))
    assert (empty.accepted, empty.batch) == (True, None)
    await sound()


async def test_refused_hold_keeps_nothing(world: World) -> None:
    """A refused hold is unknown to whoever wants to collect it."""
    held = hold(world.worker, world.shop, line(world.rice, 11, 200))
    assert await code(held) == Code.OUT_OF_STOCK
    assert await code(post_hold(held)) == Code.HOLD_UNKNOWN
    assert await pieces(world.shop, world.rice) == (10, 0)


# --- undo, reversal, offset -----------------------------------------------------------------------


async def test_undo_returns_to_the_exact_lots(world: World) -> None:
    """Points go back to the lots they came from, pieces to the shelf; once."""
    await one(award(world.worker, world.fund_id, 100, expires_on=TODAY))
    before = await queries.lots(COUNTY, world.worker)
    bought = redeem(world.worker, world.shop, line(world.rice, 1, 200))
    await one(bought)
    assert await queries.lots(COUNTY, world.worker) != before
    assert await code(undo(bought)) == "accepted"
    assert await queries.lots(COUNTY, world.worker) == before
    assert await pieces(world.shop, world.rice) == (10, 0)
    assert await code(undo(bought)) == Code.ALREADY_UNDONE
    await sound()


async def test_undo_refusals(world: World) -> None:
    """Unknown, refused, another shop's, twice: in one batch and later."""
    refused = redeem(world.worker, world.shop, line(world.rice, 99, 200))
    await one(refused)
    assert await code(undo(refused)) == Code.REDEMPTION_UNKNOWN
    assert await code(undo(redeem(world.worker, world.shop, line(world.rice)))) == (
        Code.REDEMPTION_UNKNOWN
    )
    bought = redeem(world.worker, world.shop, line(world.rice, 1, 200))
    await one(bought)
    elsewhere = redeem(world.worker, new_id(), line(world.rice, 1, 200), id=bought.id)
    assert await code(undo(elsewhere)) == Code.SHOP_MISMATCH
    twice = await service.post(COUNTY, [undo(bought), undo(bought)], NOW)
    assert [outcome.code for outcome in twice] == ["accepted", Code.ALREADY_UNDONE]
    assert await code(undo(bought)) == Code.ALREADY_UNDONE
    await sound()


async def test_reversal_of_spent_points_becomes_an_offset(world: World) -> None:
    """Q3: what was spent is owed, visibly, never a negative wallet; later awards settle it."""
    earned = award(world.worker, world.fund_id, 1000)
    await service.post(
        COUNTY, [earned, redeem(world.worker, world.shop, line(world.rice, 7, 200))], NOW
    )
    back = await one(reverse(earned))
    assert (back.amount, back.wallet, back.settled) == (1000, 600, 400)
    assert await have(world.worker) == Balances(1000, 0, 0, 400, 0)
    part = await one(award(world.worker, world.fund_id, 300))
    assert (part.wallet, part.settled) == (300, 300)
    assert await have(world.worker) == Balances(1300, 0, 0, 100, 0)
    rest = await one(award(world.worker, world.fund_id, 300))
    assert rest.settled == 100
    assert await have(world.worker) == Balances(1600, 200, 0, 0, 0)
    await sound()


async def test_reversal_cancels_what_waits_first() -> None:
    """Points that were never issued are simply not issued."""
    fund_id, worker = await fund(40), new_id()
    earned = award(worker, fund_id, 100)
    await one(earned)
    back = await one(reverse(earned))
    assert (back.amount, back.waiting, back.wallet, back.settled) == (100, 60, 40, 0)
    assert await have(worker) == Balances(0, 0, 0, 0, 0)
    await sound()


async def test_reversal_leaves_held_points_and_returned_ones_settle(world: World) -> None:
    """Held points become an offset; when the hold is given up they settle it at once."""
    fund_id = world.fund_id
    worker = new_id()
    earned = award(worker, fund_id, 400)
    held = hold(worker, world.shop, line(world.rice, 2, 200))
    await service.post(COUNTY, [earned, held], NOW)
    assert (await one(reverse(earned))).settled == 400
    assert await have(worker) == Balances(0, 0, 400, 400, 0)
    assert await code(void_hold(held)) == "accepted"
    assert await have(worker) == Balances(0, 0, 0, 0, 0)
    await sound()


async def test_undo_settles_an_offset(world: World) -> None:
    """Points that come back by undo pay what is owed first."""
    worker = new_id()
    earned = award(worker, world.fund_id, 400)
    bought = redeem(worker, world.shop, line(world.rice, 2, 200))
    await service.post(COUNTY, [earned, bought, reverse(earned), undo(bought)], NOW)
    assert await have(worker) == Balances(0, 0, 0, 0, 0)
    await sound()


async def test_points_that_ended_are_not_taken_back_once_more(world: World) -> None:
    """Of an award, 40 spent and 60 written off: reversed, only what was spent is owed."""
    worker = new_id()
    earned = award(worker, world.fund_id, 1000, expires_on=TODAY)
    bought = redeem(worker, world.shop, line(world.rice, 2, 200))
    await service.post(COUNTY, [earned, bought], NOW)
    assert (await one(expire_lots(TODAY + timedelta(days=1)))).amount == 600
    back = await one(reverse(earned))
    assert (back.amount, back.wallet, back.settled) == (1000, 0, 400)
    assert await have(worker) == Balances(0, 0, 0, 400, 0)
    await sound()


async def test_a_part_reversed_falls_on_what_ended_first(world: World) -> None:
    """Had the award been smaller by it, less would have ended."""
    worker = new_id()
    earned = award(worker, world.fund_id, 1000, expires_on=TODAY)
    await service.post(COUNTY, [earned, redeem(worker, world.shop, line(world.rice, 2, 200))], NOW)
    await one(expire_lots(TODAY + timedelta(days=1)))
    assert (await one(reverse(earned, 700))).settled == 100
    assert await have(worker) == Balances(300, 0, 0, 100, 0)
    await sound()


async def test_reversal_refusals(world: World) -> None:
    """Unknown, twice, more than it gave; part is allowed once."""
    earned = award(world.worker, world.fund_id, 100)
    await one(earned)
    assert await code(reverse(award(world.worker, None))) == Code.AWARD_UNKNOWN
    assert await code(reverse(earned, 101)) == Code.REVERSE_EXCEEDS
    assert await code(reverse(earned, 30)) == "accepted"
    assert await have(world.worker) == Balances(1070, 1070, 0, 0, 0)
    assert await code(reverse(earned, 30)) == Code.ALREADY_REVERSED
    penalty = deduct(world.worker, 20)
    await one(penalty)
    assert await code(reverse(penalty)) == "accepted"
    assert (await have(world.worker)).merit == 1070
    await sound()


# --- expiry ---------------------------------------------------------------------------------------


async def test_expiry_writes_off_due_lots_once() -> None:
    """Only lots past their day, not held, of nobody who appeals; bounded; budget comes back."""
    fund_id, shop, rice = await fund(500), new_id(), new_id()
    ann, bob, cid = new_id(), new_id(), new_id()
    await service.post(
        COUNTY,
        [
            award(ann, fund_id, 100, expires_on=TODAY),
            award(ann, fund_id, 100, expires_on=YEAR_END),
            award(bob, fund_id, 100, expires_on=TODAY),
            award(cid, fund_id, 100, expires_on=TODAY),
            restock(shop, rice),
            hold(bob, shop, line(rice, 1, 10)),
            award(cid, fund_id, 200, expires_on=TODAY),
        ],
        NOW,
    )
    assert (await one(expire_lots(TODAY))).quantity == 0
    morrow = TODAY + timedelta(days=1)
    appealed = await appeal(cid)
    swept = await one(expire_lots(morrow))
    assert (swept.quantity, swept.amount) == (1, 100)
    await answer(appealed)
    assert [(await one(expire_lots(morrow, limit=1))).quantity for _ in range(3)] == [1, 1, 0]
    assert [(await service.balances(COUNTY, p)).wallet for p in (ann, cid)] == [100, 0]
    assert (await have(cid)).awaiting == 100
    assert await service.release_waiting(COUNTY, "never", morrow) == 100
    assert (await have(cid)).awaiting == 0
    await sound()


async def test_a_sweep_looks_at_no_more_lots_than_it_writes_off(rollback: None) -> None:
    """A county's year ends on one day: each 500 of 100,000 took as long as all of them."""
    fund_id = await fund(5000)
    due = [award(new_id(), fund_id, 10, expires_on=TODAY) for _ in range(40)]
    await service.post(COUNTY, due, NOW)
    for means in ("seqscan", "bitmapscan", "sort"):
        await DB.execute(f"SET LOCAL enable_{means} = off")
    await DB.execute("DISCARD PLANS")
    read = "SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'points.lot'::regclass"
    before = await DB.fetchval(read)
    assert (await one(expire_lots(TODAY + timedelta(days=1), limit=2))).quantity == 2
    assert await DB.fetchval(read) - before < len(due)


async def test_who_appeals_spends_points_past_their_last_day(world: World) -> None:
    """None of a person's points end while an appeal is open: bought, ordered, fetched till then."""
    ann, ends = new_id(), TODAY + timedelta(days=3)
    later = NOW + timedelta(days=9)
    for amount in (100, 50, 150):
        await one(award(ann, world.fund_id, amount, expires_on=ends))
    buy = line(world.rice, 1, 120)
    assert await code(redeem(ann, world.shop, buy, at=later)) == Code.INSUFFICIENT
    appealed = await appeal(ann)
    assert (await service.balances(COUNTY, ann, later)).wallet == 300
    assert await service.first_ending(COUNTY, ann, later.date()) == Ending(ann, ends, 300, 300)
    bought = await one(redeem(ann, world.shop, buy, at=later))
    assert (bought.code, bought.balance) == ("accepted", 180)
    held = hold(ann, world.shop, buy, at=later)
    assert await code(held) == "accepted"
    await answer(appealed)
    assert (await service.balances(COUNTY, ann, later)).wallet == 0
    assert await service.first_ending(COUNTY, ann, later.date()) is None
    assert await code(redeem(ann, world.shop, line(world.rice, 1, 10), at=later)) == (
        Code.INSUFFICIENT
    )
    assert await code(post_hold(held, at=later)) == "accepted"
    await sound()


async def test_points_undone_after_their_day_are_swept_later(world: World) -> None:
    """A returned lot keeps its last day."""
    worker = new_id()
    bought = redeem(worker, world.shop, line(world.rice, 1, 200))
    await service.post(COUNTY, [award(worker, world.fund_id, 200, expires_on=TODAY), bought], NOW)
    morrow = TODAY + timedelta(days=1)
    assert await service.expire_lots(COUNTY, morrow) == 0
    await one(undo(bought))
    assert await service.expire_lots(COUNTY, morrow) == 1
    await sound()


# --- stock ----------------------------------------------------------------------------------------


async def test_stock_moves(world: World) -> None:
    """In, out and counted; never below what is held, never below zero."""

    def move(kind: str, quantity: int) -> StockMove:
        return StockMove(
            id=new_id(), shop_id=world.shop, product_id=world.rice, move=kind,  # type: ignore[arg-type]
            quantity=quantity, at=NOW, memo="盘点",
        )  # fmt: skip

    await one(hold(world.worker, world.shop, line(world.rice, 3, 10)))
    assert await code(move("out", 8)) == Code.OUT_OF_STOCK
    assert await code(move("count", 2)) == Code.OUT_OF_STOCK
    assert await code(move("out", 7)) == "accepted"
    assert (await one(move("count", 20))).quantity == 20
    assert await pieces(world.shop, world.rice) == (20, 3)
    await sound()


# --- reading --------------------------------------------------------------------------------------


async def test_movements_page_by_page(world: World) -> None:
    """Newest first, signed, with words, shop and work date; pages join without gap or repeat."""
    bought = redeem(world.worker, world.shop, line(world.rice, 1, 200))
    await service.post(COUNTY, [bought, deduct(world.worker, 20)], NOW)
    whole = await service.transfers(COUNTY, world.worker)
    assert [(row.unit, row.code, row.amount) for row in whole] == [
        ("merit", "PEN-01", -20),
        ("wallet", "redeem", -200),
        ("wallet", "SVC-01", 1000),
        ("merit", "SVC-01", 1000),
    ]
    assert (whole[1].shop_id, whole[1].redemption_id) == (world.shop, bought.id)
    assert whole[3].day == TODAY
    first = await service.transfers(COUNTY, world.worker, limit=3)
    second = await service.transfers(COUNTY, world.worker, before=first[-1].id, limit=3)
    assert first + second == whole
    wallet = await service.transfers(COUNTY, world.worker, unit="wallet")
    assert [row.code for row in wallet] == ["redeem", "SVC-01"]


async def test_movements_are_called_by_what_they_are() -> None:
    """Money that comes later, an undoing or a debt is called so and is no day's work."""
    fund_id, shop, rice, worker = await fund(0), new_id(), new_id(), new_id()
    first = msgspec.structs.replace(award(worker, fund_id, 100), memo="代办社保认证")
    later = TODAY + timedelta(days=20)
    raised = msgspec.structs.replace(resolution(fund_id, 1000, "决〔2026〕2号"), day=later)
    sold = redeem(worker, shop, line(rice, 1, 60))
    await service.post(COUNTY, [first, raised, restock(shop, rice), sold, undo(sold)], NOW)
    again = redeem(worker, shop, line(rice, 1, 60))
    visit = msgspec.structs.replace(award(worker, fund_id, 70), memo="走访")
    await service.post(COUNTY, [again, reverse(first), visit, deduct(worker, 10)], NOW)
    rows = await service.transfers(COUNTY, worker, unit="wallet")
    assert [(label(row.word, row.memo), row.amount, row.day) for row in rows] == [
        ("抵扣冲回", -60, None),
        ("走访", 70, TODAY),
        ("记录冲回", -40, None),
        ("兑换商品", -60, None),
        ("撤销兑换", 60, None),
        ("兑换商品", -60, None),
        ("待拨付到账", 100, None),
    ]
    merit = await service.transfers(COUNTY, worker, unit="merit")
    assert [(row.amount, row.day) for row in merit[:1]] == [(-10, None)]


async def test_balance_at_every_past_date() -> None:
    """Q7: the balance at the end of any day, from transfers alone."""
    fund_id, worker = await fund(), new_id()
    for day, amount in ((3, 10), (5, 20), (9, 40)):
        await service.post(
            COUNTY, [award(worker, fund_id, amount)], NOW.replace(year=2027, day=day, hour=1)
        )
    ends = [date(2027, 11, day) for day in (2, 3, 4, 5, 8, 9, 30)]
    found = [await service.balance_at(COUNTY, worker, "merit", end) for end in ends]
    assert found == [0, 10, 10, 30, 30, 70, 70]


async def test_receipt_names_block_and_hash(world: World) -> None:
    """A redemption's receipt carries its transfer, batch number and hash at once."""
    outcome = await one(redeem(world.worker, world.shop, line(world.rice, 1, 200)))
    [row] = await service.transfers(COUNTY, world.worker, limit=1)
    receipt = await service.own_receipt(COUNTY, world.worker, row.id)
    assert (receipt.batch, receipt.amount, len(receipt.hash)) == (outcome.batch, 200, 64)


@pytest.mark.parametrize(("merit", "wallet"), [(-1, 5), (0, 0), (10**10, 0)])
def test_impossible_amounts_are_refused_before_the_ledger(merit: int, wallet: int) -> None:
    """Zero, negative and absurd amounts never reach the database."""
    with pytest.raises(ValueError, match=r"award|range"):
        Opening(
            id=new_id(), person_id=new_id(), code="X", fund_id=None, unit_code="", day=TODAY,
            expires_on=None, merit=merit, wallet=wallet,
        )  # fmt: skip


def test_impossible_lines_are_refused_before_the_ledger() -> None:
    """No empty basket, no fraction of a point, no product twice, no zero pieces."""
    rice = new_id()
    for lines in ((), (line(rice, 1, 15),), (line(rice), line(rice)), (line(rice, 0),)):
        with pytest.raises(ValueError, match=r"lines|points|product|quantity"):
            redeem(new_id(), new_id(), *lines)
