"""Ordered ahead and held for one shop, against PostgreSQL."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from points.errors import ClockWrong, Refused, UseAsPickup
from points.ledger import service as ledger
from points.ledger.items import ExpireHolds
from points.ledger.verifier.service import verify
from points.mall import service as mall
from points.redemption import codes, pickups, queries, service
from points.redemption.jobs import JOBS
from points.redemption.schemas import HandOver, HoldOrder, OneTime, WantedLine
from shared.audit import service as audit
from shared.clock import now
from shared.database import DB
from shared.errors import NotFound
from shared.identity.actor import Actor
from shared.ids import new_id
from tests import factories
from tests.factories import COUNTY, acting
from tests.points.redemption.scene import Scene, counter, on_shelf, stock


def order(scene: Scene, *lines: tuple[UUID, int], **more: object) -> HoldOrder:
    """Rice if nothing else is asked for."""
    wanted = [WantedLine(*line) for line in lines or ((scene.rice, 1),)]
    fields: dict[str, object] = {"id": new_id(), "shop_id": scene.shop_id}
    return HoldOrder(lines=wanted, **(fields | more))  # type: ignore[arg-type]


async def available(actor: Actor) -> int:
    return await queries.spendable(COUNTY, actor.person_id, now())


async def test_ordered_ahead_and_fetched(rollback: None) -> None:
    """Points and pieces are set aside at once and leave when the pickup code is shown."""
    scene = await counter(2070)
    answer = await pickups.hold(scene.worker, order(scene, (scene.rice, 2)), now())
    assert answer.held is not None
    assert (answer.held.amount, answer.held.balance) == (700, 1370)
    assert await on_shelf(scene, scene.rice) == 0
    (mine,) = await pickups.mine(scene.worker)
    code = pickups.code_of(scene.worker, mine)
    assert code is not None
    found = await codes.pickup_of(scene.keeper, scene.shop_id, code.digits, now())
    assert found.id == answer.held.id
    assert pickups.code_of(scene.keeper, found) is None
    taken = await pickups.hand_over(scene.keeper, found.id, HandOver(id=new_id()), now())
    assert taken.redemption is not None
    assert (taken.redemption.amount, taken.redemption.balance) == (700, 1370)
    assert taken.redemption.hold_id == found.id
    assert await pickups.waiting(scene.keeper, scene.shop_id) == []


async def test_a_part_is_fetched_the_rest_returns(rollback: None) -> None:
    """One of two sacks taken: the other's points and piece come back."""
    scene = await counter(2070)
    answer = await pickups.hold(scene.worker, order(scene, (scene.rice, 2)), now())
    assert answer.held is not None
    picks = [WantedLine(scene.rice, 1)]
    taken = await pickups.hand_over(
        scene.keeper, answer.held.id, HandOver(id=new_id(), picks=picks), now()
    )
    assert taken.redemption is not None
    assert (taken.redemption.amount, await available(scene.worker)) == (350, 1720)
    assert await on_shelf(scene, scene.rice) == 1


async def test_repeats_have_one_effect(rollback: None) -> None:
    """The same hold, hand-over and void again: the same answer, nothing more happens."""
    scene = await counter(2070)
    wanted = order(scene)
    first = await pickups.hold(scene.worker, wanted, now())
    again = await pickups.hold(scene.worker, wanted, now())
    assert (first.repeated, again.repeated, again.held) == (False, True, first.held)
    assert await available(scene.worker) == 1720
    handed = HandOver(id=new_id())
    one = await pickups.hand_over(scene.keeper, wanted.id, handed, now())
    two = await pickups.hand_over(scene.keeper, wanted.id, handed, now())
    assert (two.repeated, two.redemption) == (True, one.redemption)
    other = order(scene)
    await pickups.hold(scene.worker, other, now())
    given_back = await pickups.void(scene.worker, other.id, "不要了", now())
    repeated = await pickups.void(scene.worker, other.id, "不要了", now())
    assert (given_back.repeated, repeated.repeated) == (False, True)
    assert await available(scene.worker) == 1720


async def test_a_count_below_what_is_kept_says_what_to_do(rollback: None) -> None:
    """There are fewer sacks than orders: an order has to be given back first."""
    scene = await counter(2070)
    wanted = order(scene, (scene.rice, 2))
    await pickups.hold(scene.worker, wanted, now())
    count = mall.StockForm(id=new_id(), product_id=scene.rice, move="count", quantity=1)
    with pytest.raises(Refused, match="交不了货的预订作废"):
        await mall.move_stock(scene.keeper, scene.shop_id, count, now())
    await pickups.void(scene.keeper, wanted.id, "少了一袋", now())
    await mall.move_stock(scene.keeper, scene.shop_id, count, now())
    assert await on_shelf(scene, scene.rice) == 1


async def test_two_shops_upload_in_any_order(rollback: None) -> None:
    """Holds of one worker at two shops, made while online, are both good whenever they arrive."""
    scene = await counter(2070)
    second = await factories.shop(scene.world.units["421222101001"], "麦市积分超市")
    await stock(second.shop_id, scene.rice, 3)
    keeper = await acting(second.keeper)
    here, there = order(scene), order(scene, shop_id=second.shop_id)
    for wanted in (here, there):
        assert (await pickups.hold(scene.worker, wanted, now())).held is not None
    handed_at = now()
    later = handed_at + timedelta(days=2)
    with pytest.raises(NotFound):
        await pickups.hand_over(keeper, here.id, HandOver(id=new_id()), now())
    for actor, wanted in ((keeper, there), (scene.keeper, here)):
        answer = await pickups.hand_over(
            actor, wanted.id, HandOver(id=new_id(), at=handed_at), later
        )
        assert answer.redemption is not None
        assert answer.redemption.at == handed_at
    assert await available(scene.worker) == 1370


async def test_the_counter_holds_for_somebody_with_a_code(rollback: None) -> None:
    """A shop sets goods aside for the person who shows a code; the code is spent by it."""
    scene = await counter(2070)
    code = await scene.code()
    answer = await pickups.hold(scene.keeper, order(scene, code=code), now())
    assert answer.held is not None
    again = await service.redeem(scene.keeper, scene.order(code), now())
    assert again.refusal is not None
    assert again.refusal.code == "code_used"
    assert [row.id for row in await pickups.waiting(scene.keeper, scene.shop_id)] == [
        answer.held.id
    ]


async def test_refused_orders_leave_nothing(rollback: None) -> None:
    """Too much, closed or own-less: no pickup code, nothing set aside, the refusal is kept."""
    scene = await counter(100)
    wanted = order(scene)
    for repeated in (False, True):
        answer = await pickups.hold(scene.worker, wanted, now())
        assert answer.refusal is not None
        assert (answer.refusal.code, answer.repeated) == ("insufficient", repeated)
    assert await pickups.mine(scene.worker) == []
    with pytest.raises(NotFound):
        await pickups.hold(await acting(scene.world.accountant), order(scene), now())
    with pytest.raises(NotFound):
        await pickups.void(scene.worker, wanted.id, "", now())


async def test_nothing_is_given_back_that_the_audit_does_not_know(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle, the order is as before and can be given back, or fetched, again."""
    scene = await counter(2070)
    wanted, late = order(scene), order(scene)
    code, handed_at, later = await given_up(scene, late, scene.worker, "不要了")
    await pickups.hold(scene.worker, wanted, now())
    upload = HandOver(id=new_id(), at=handed_at, code=code.digits)

    async def dies(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", dies)
        with pytest.raises(asyncio.CancelledError):
            await pickups.void(scene.worker, wanted.id, "不要了", now())
        with pytest.raises(asyncio.CancelledError):
            await pickups.hand_over(scene.keeper, late.id, upload, later)
    states = {row.id: row.state for row in await pickups.mine(scene.worker)}
    assert states == {wanted.id: "pending", late.id: "voided"}
    answer = await pickups.void(scene.worker, wanted.id, "不要了", now())
    fetched = await pickups.hand_over(scene.keeper, late.id, upload, later)
    assert (answer.repeated, fetched.repeated) == (False, False)
    events = await DB.fetch(
        "SELECT action, count(*) FROM shared.audit_event WHERE county_id = $1"
        " AND action LIKE 'hold.%' GROUP BY action ORDER BY action",
        COUNTY,
    )
    assert [tuple(event) for event in events] == [("hold.late", 1), ("hold.void", 2)]


async def test_family_member_fetches(rollback: None) -> None:
    """The name stands on the order and on the receipt; so does where it is brought."""
    scene = await counter()
    wanted = order(scene, collector="李秀英", deliver_to="三组李家湾")
    await pickups.hold(scene.worker, wanted, now())
    (mine,) = await pickups.mine(scene.worker)
    assert (mine.collector, mine.deliver_to) == ("李秀英", "三组李家湾")
    answer = await pickups.hand_over(scene.keeper, wanted.id, HandOver(id=new_id()), now())
    assert answer.redemption is not None
    assert answer.redemption.collector == "李秀英"


async def test_names_and_addresses_of_old_orders_are_forgotten(rollback: None) -> None:
    """Ninety days after the end of it; the ledger still says who took it, a live order waits."""
    scene = await counter()
    taken, given_back, waits = (
        order(scene, (scene.soap, 1), collector="李秀英", deliver_to="三组李家湾") for _ in range(3)
    )
    for wanted in (taken, given_back, waits):
        await pickups.hold(scene.worker, wanted, now())
    handed = HandOver(id=new_id())
    await pickups.hand_over(scene.keeper, taken.id, handed, now())
    await pickups.void(scene.worker, given_back.id, "", now())
    (job,) = JOBS
    assert "0 份" in await job.run(COUNTY, "", now() + timedelta(days=89))
    assert "2 份" in await job.run(COUNTY, "", now() + timedelta(days=91))
    rows = {row.id: (row.collector, row.deliver_to) for row in await pickups.mine(scene.worker)}
    assert rows == {
        taken.id: ("", ""),
        given_back.id: ("", ""),
        waits.id: ("李秀英", "三组李家湾"),
    }
    assert (await service.full(COUNTY, handed.id)).collector == "李秀英"


async def test_over_after_seven_days(rollback: None) -> None:
    """Not fetched in time: refused at the counter, and the sweep gives everything back once."""
    scene = await counter(2070)
    wanted = order(scene)
    await pickups.hold(scene.worker, wanted, now())
    late = now() + timedelta(days=7, seconds=1)
    answer = await pickups.hand_over(scene.keeper, wanted.id, HandOver(id=new_id()), late)
    assert answer.refusal is not None
    assert answer.refusal.code == "hold_expired"
    swept = await ledger.post_one(COUNTY, ExpireHolds(id=new_id(), at=late))
    assert swept.quantity == 1
    assert await available(scene.worker) == 2070
    with pytest.raises(Refused, match="已经取走或作废"):
        await pickups.void(scene.keeper, wanted.id, "", now())


async def test_handed_over_in_time_and_uploaded_after_the_end(rollback: None) -> None:
    """For a day the sweep waits for shops without a line; nothing is handed over meanwhile."""
    scene = await counter(2070)
    early, never = order(scene), order(scene)
    for wanted in (early, never):
        await pickups.hold(scene.worker, wanted, now())
    handed_at = now()
    late = handed_at + timedelta(days=7, hours=20)
    assert await ledger.expire_holds(COUNTY, late) == 0
    refused = await pickups.hand_over(scene.keeper, never.id, HandOver(id=new_id()), late)
    assert refused.refusal is not None
    assert refused.refusal.code == "hold_expired"
    upload = HandOver(id=new_id(), at=handed_at)
    answer = await pickups.hand_over(scene.keeper, early.id, upload, late)
    assert answer.redemption is not None
    assert answer.redemption.at == handed_at
    assert await ledger.expire_holds(COUNTY, late + timedelta(hours=5)) == 1
    assert await available(scene.worker) == 1720


async def given_up(
    scene: Scene, wanted: HoldOrder, by: Actor, reason: str
) -> tuple[OneTime, datetime, datetime]:
    """Ordered and given up: the pickup code, when it was fetched before, when it was given up."""
    await pickups.hold(scene.worker, wanted, now())
    (mine,) = await pickups.mine(scene.worker)
    code = pickups.code_of(scene.worker, mine)
    assert code is not None
    handed_at = now()
    later = handed_at + timedelta(hours=3)
    await pickups.void(by, wanted.id, reason, later)
    return code, handed_at, later


async def test_fetched_offline_and_cancelled_before_the_upload(rollback: None) -> None:
    """The pickup code proves that it was fetched first: charged anew, once, the books prove it."""
    scene = await counter(2070)
    wanted = order(scene)
    code, handed_at, later = await given_up(scene, wanted, scene.worker, "不要了")
    bare = await pickups.hand_over(
        scene.keeper, wanted.id, HandOver(id=new_id(), at=handed_at), later
    )
    assert bare.refusal is not None
    assert bare.refusal.code == "hold_resolved"
    after = HandOver(id=new_id(), at=later + timedelta(minutes=1), code=code.digits)
    refused = await pickups.hand_over(scene.keeper, wanted.id, after, later)
    assert refused.refusal is not None
    assert await available(scene.worker) == 2070
    upload = HandOver(id=new_id(), at=handed_at, code=code.digits)
    for repeated in (False, True):
        answer = await pickups.hand_over(scene.keeper, wanted.id, upload, later)
        assert answer.redemption is not None
        assert (answer.repeated, answer.redemption.hold_id) == (repeated, wanted.id)
    twice = await pickups.hand_over(
        scene.keeper, wanted.id, HandOver(id=new_id(), at=handed_at, code=code.digits), later
    )
    assert twice.refusal is not None
    assert twice.refusal.code == "hold_resolved"
    assert (await available(scene.worker), await on_shelf(scene, scene.rice)) == (1720, 1)
    (mine,) = await pickups.mine(scene.worker)
    assert (mine.status, mine.state) == ("voided", "charged")
    report = await verify(COUNTY)
    assert not report.findings, report.findings
    events = await DB.fetch(
        "SELECT reason FROM shared.audit_event WHERE county_id = $1 AND action = 'hold.late'"
        " AND object_id = $2",
        COUNTY,
        wanted.id,
    )
    assert sum(not event["reason"] for event in events) == 1


async def test_cancelled_and_spent_before_the_upload(rollback: None) -> None:
    """Points that went elsewhere meanwhile: refused with what to do; so is another order's code."""
    scene = await counter(400)
    wanted = order(scene)
    code, handed_at, later = await given_up(scene, wanted, scene.worker, "不要了")
    again = order(scene)
    assert (await pickups.hold(scene.worker, again, later)).held is not None
    upload = HandOver(id=new_id(), at=handed_at, code=code.token)
    answer = await pickups.hand_over(scene.keeper, wanted.id, upload, later)
    assert answer.refusal is not None
    assert answer.refusal.code == "cancelled_spent"
    assert "村书记" in answer.refusal.message
    with pytest.raises(NotFound, match="另一份预订"):
        await pickups.hand_over(
            scene.keeper, again.id, HandOver(id=new_id(), code=code.token), later
        )
    assert await available(scene.worker) == 50


async def test_given_up_by_the_shop_is_not_charged(rollback: None) -> None:
    """The shop's own word that it cannot deliver stands, whatever it uploads afterwards."""
    scene = await counter(2070)
    wanted = order(scene)
    code, handed_at, later = await given_up(scene, wanted, scene.keeper, "缺货")
    upload = HandOver(id=new_id(), at=handed_at, code=code.token)
    answer = await pickups.hand_over(scene.keeper, wanted.id, upload, later)
    assert answer.refusal is not None
    assert answer.refusal.code == "hold_resolved"
    assert await available(scene.worker) == 2070


@pytest.mark.parametrize("minutes", [-60, 10])
async def test_impossible_times_are_refused(rollback: None, minutes: int) -> None:
    """A hand-over before the hold or in the future is a wrong clock."""
    scene = await counter()
    wanted = order(scene)
    await pickups.hold(scene.worker, wanted, now())
    with pytest.raises(ClockWrong):
        await pickups.hand_over(
            scene.keeper,
            wanted.id,
            HandOver(id=new_id(), at=now() + timedelta(minutes=minutes)),
            now(),
        )


async def test_a_pickup_code_buys_nothing_else(rollback: None) -> None:
    """Scanned on the ordinary page it is sent to the pickup page; at another shop it is unknown."""
    scene = await counter()
    await pickups.hold(scene.worker, order(scene), now())
    (mine,) = await pickups.mine(scene.worker)
    code = pickups.code_of(scene.worker, mine)
    assert code is not None
    with pytest.raises(UseAsPickup):
        await service.redeem(scene.keeper, scene.order(code.token), now())
    other = await factories.shop(scene.world.units["421222101001"], "麦市积分超市")
    with pytest.raises(NotFound, match="银城积分超市"):
        await codes.pickup_of(await acting(other.keeper), other.shop_id, code.token, now())


async def test_fetched_and_given_back_at_once(committed: None) -> None:
    """Shop and worker act in the same moment: exactly one of them wins, points fit."""
    scene = await counter(2070)
    wanted = order(scene)
    await pickups.hold(scene.worker, wanted, now())
    results = await asyncio.gather(
        pickups.hand_over(scene.keeper, wanted.id, HandOver(id=new_id()), now()),
        pickups.void(scene.worker, wanted.id, "", now()),
        return_exceptions=True,
    )
    taken = isinstance(results[0], service.Answer) and results[0].redemption is not None
    voided = isinstance(results[1], pickups.VoidAnswer)
    assert taken != voided
    assert await available(scene.worker) == (1720 if taken else 2070)
