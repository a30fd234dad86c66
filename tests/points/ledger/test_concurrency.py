"""Probes with real commits: a crowd at once, on a hundred connections or through the committer.

The connections are opened beforehand. Races show only in a crowd; a lost update or a double spend
shows in the answers, and whatever those say, the verifier must find the books sound afterwards.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial

import asyncpg
import pytest

from points.ledger import service
from points.ledger.committer import AT_ONCE, Committer
from points.ledger.items import (
    Code,
    ExpireHolds,
    Item,
    Outcome,
    Pick,
    PostHold,
)
from points.ledger.storage import service as storage
from shared.database import DB
from shared.ids import new_id
from tests.conftest import APP_ROLE, as_owner
from tests.points.ledger.builders import (
    CLERK,
    COUNTY,
    NOW,
    TODAY,
    award,
    correction,
    deduct,
    expire_lots,
    fund,
    hold,
    line,
    post_hold,
    redeem,
    resolution,
    restock,
    reverse,
    sound,
    undo,
    void_hold,
)

CROWD = 100


@pytest.fixture(scope="module")
async def hundred(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A hundred connections, opened before anything happens."""
    pool = await asyncpg.create_pool(
        database, min_size=CROWD, max_size=CROWD, server_settings={"role": APP_ROLE}
    )
    yield pool
    await pool.close()


class Door:
    """How the crowd comes in: each on a connection of its own, or by the committer."""

    committer: Committer | None = None


@pytest.fixture(params=["alone", "batched"])
async def crowd(
    request: pytest.FixtureRequest, hundred: asyncpg.Pool, committed: None, database: str
) -> AsyncIterator[None]:
    """DB works with the hundred instead of the usual twenty."""
    usual, DB.pool = DB.pool, hundred
    made = Committer(partial(asyncpg.connect, database, server_settings={"role": APP_ROLE}))
    task = asyncio.create_task(made.run())
    Door.committer = made if request.param == "batched" else None
    yield
    made.close()
    await task
    Door.committer, DB.pool = None, usual


pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("crowd")]


async def rush(items: Sequence[Item]) -> list[Outcome]:
    """Post every item by itself, all at the same moment."""
    if door := Door.committer:
        return list(await asyncio.gather(*(door.submit(COUNTY, item, NOW) for item in items)))
    return list(await asyncio.gather(*(service.post_one(COUNTY, item, NOW) for item in items)))


def tally(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(outcome.code for outcome in outcomes)


async def test_q1_hundred_spends_of_the_whole_balance() -> None:
    """One wins, ninety-nine are told that the points do not suffice."""
    worker, shop, rice = new_id(), new_id(), new_id()
    fund_id = await fund()
    await service.post(COUNTY, [award(worker, fund_id, 1000), restock(shop, rice, 1000)], NOW)
    outcomes = await rush([redeem(worker, shop, line(rice, 10, 100)) for _ in range(CROWD)])
    assert tally(outcomes) == {"accepted": 1, Code.INSUFFICIENT: 99}
    assert (await service.balances(COUNTY, worker, NOW)).wallet == 0
    await sound()


async def test_q2_same_request_many_times() -> None:
    """One effect and a hundred equal answers, ninety-nine of them marked as repeats."""
    worker, shop, rice = new_id(), new_id(), new_id()
    fund_id = await fund()
    await service.post(COUNTY, [award(worker, fund_id, 1000), restock(shop, rice, 1000)], NOW)
    item = redeem(worker, shop, line(rice, 1, 100))
    outcomes = await rush([item] * CROWD)
    assert len({(o.code, o.amount, o.balance, o.batch, o.position) for o in outcomes}) == 1
    assert sum(not o.repeated for o in outcomes) == 1
    assert (await service.balances(COUNTY, worker, NOW)).wallet == 900
    await sound()


async def test_q2_one_code_at_many_counters() -> None:
    """A code pays once, whichever of a hundred shops is first."""
    worker, shops, rice = new_id(), [new_id() for _ in range(CROWD)], new_id()
    fund_id = await fund()
    stock = [restock(shop, rice, 5) for shop in shops]
    await service.post(COUNTY, [award(worker, fund_id, 100_000), *stock], NOW)
    await DB.execute(
        "INSERT INTO points.code (county_id, id, person_id, token_hash, digits_hash, created_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        COUNTY, new_id(), worker, b"t" * 32, b"d" * 32, NOW, NOW + timedelta(minutes=5),
    )  # fmt: skip
    outcomes = await rush(
        [redeem(None, shop, line(rice, 1, 100), code_hash=b"t" * 32) for shop in shops]
    )
    assert tally(outcomes) == {"accepted": 1, Code.CODE_USED: 99}
    await sound()


async def test_q3_earn_spend_reject_the_earning() -> None:
    """Whoever is first, spent points end as an explicit offset and the wallet is never negative."""
    worker, shop, rice = new_id(), new_id(), new_id()
    fund_id = await fund()
    earned = award(worker, fund_id, 1000)
    await service.post(COUNTY, [earned, restock(shop, rice, 1000)], NOW)
    spends: list[Item] = [redeem(worker, shop, line(rice, 1, 100)) for _ in range(30)]
    spends.insert(5, reverse(earned))
    outcomes = await rush(spends)
    spent = sum(o.amount for i, o in enumerate(outcomes) if i != 5 and o.accepted)
    have = await service.balances(COUNTY, worker, NOW)
    assert (have.merit, have.wallet, have.offset) == (0, 0, spent)
    await sound()


async def test_q4_hold_ends_once() -> None:
    """Sweeps, voids and posts of one hold at once: exactly one of them ends it."""
    worker, shop, rice = new_id(), new_id(), new_id()
    fund_id = await fund()
    held = hold(worker, shop, line(rice, 3, 100), days=1)
    await service.post(COUNTY, [award(worker, fund_id, 1000), restock(shop, rice), held], NOW)
    enders: list[Item] = [
        PostHold(
            id=new_id(), hold_id=held.id, shop_id=shop, at=NOW, actor_id=CLERK, authority="shop"
        )
        for _ in range(30)
    ]
    enders += [void_hold(held) for _ in range(30)]
    enders += [ExpireHolds(id=new_id(), at=NOW + timedelta(days=2)) for _ in range(30)]
    random.Random(4).shuffle(enders)
    outcomes = await rush(enders)
    ended = sum(
        outcome.quantity if isinstance(item, ExpireHolds) else outcome.accepted
        for item, outcome in zip(enders, outcomes, strict=True)
    )
    assert ended == 1
    have = await service.balances(COUNTY, worker, NOW)
    assert have.held == 0
    assert have.wallet in {700, 1000}
    await sound()


async def test_q5_partial_posts_race() -> None:
    """One partial post wins; what it did not take is back, once."""
    worker, shop, rice = new_id(), new_id(), new_id()
    fund_id = await fund()
    held = hold(worker, shop, line(rice, 10, 10))
    await service.post(COUNTY, [award(worker, fund_id, 100), restock(shop, rice), held], NOW)
    posts = [
        PostHold(
            id=new_id(), hold_id=held.id, shop_id=shop, at=NOW, picks=(Pick(rice, 1 + n % 10),),
            actor_id=CLERK, authority="shop",
        )
        for n in range(CROWD)
    ]  # fmt: skip
    outcomes = await rush(posts)
    assert tally(outcomes) == {"accepted": 1, Code.HOLD_RESOLVED: 99}
    taken = next(o.amount for o in outcomes if o.accepted)
    assert (await service.balances(COUNTY, worker, NOW)).wallet == 100 - taken
    await sound()


async def test_q6_sweeps_write_off_once() -> None:
    """Many sweeps at once, in small bites: every due lot is written off exactly once."""
    workers = [new_id() for _ in range(50)]
    fund_id = await fund()
    await service.post(
        COUNTY, [award(w, fund_id, 10 + n, expires_on=TODAY) for n, w in enumerate(workers)], NOW
    )
    sweeps = [expire_lots(TODAY + timedelta(days=1), limit=3) for _ in range(CROWD)]
    outcomes = await rush(sweeps)
    assert sum(o.quantity for o in outcomes) == 50
    assert sum(o.amount for o in outcomes) == sum(10 + n for n in range(50))
    await sound()


async def test_q9_holds_at_two_shops_in_any_order() -> None:
    """Uploaded late, in any order and all at once: each posts once, nobody is short."""
    worker, east, west, rice = new_id(), new_id(), new_id(), new_id()
    fund_id = await fund()
    holds = [hold(worker, (east, west)[n % 2], line(rice, 1, 100)) for n in range(10)]
    await service.post(
        COUNTY, [award(worker, fund_id, 1000), restock(east, rice, 5), restock(west, rice, 5)], NOW
    )
    assert tally(await rush(holds)) == {"accepted": 10}
    uploads = [post_hold(held) for held in holds] * 5
    random.Random(9).shuffle(uploads)
    outcomes = await rush(uploads)
    assert tally(outcomes) == {"accepted": 50}
    assert sum(not o.repeated for o in outcomes) == 10
    have = await service.balances(COUNTY, worker, NOW)
    assert (have.wallet, have.held) == (0, 0)
    await sound()


async def test_q10_one_piece_left() -> None:
    """A hundred buyers with points enough: one gets the last piece."""
    workers, shop, rice = [new_id() for _ in range(CROWD)], new_id(), new_id()
    fund_id = await fund()
    await service.post(
        COUNTY, [*(award(w, fund_id, 100) for w in workers), restock(shop, rice, 1)], NOW
    )
    outcomes = await rush([redeem(w, shop, line(rice, 1, 100)) for w in workers])
    assert tally(outcomes) == {"accepted": 1, Code.OUT_OF_STOCK: 99}
    await sound()


async def test_budget_is_exact_under_a_rush_of_awards() -> None:
    """Issuing stops at the budget to the tenth of a point; the rest waits, in order."""
    fund_id = await fund(375)
    outcomes = await rush([award(new_id(), fund_id, 10) for _ in range(CROWD)])
    assert sum(o.wallet for o in outcomes) == 375
    assert sum(o.waiting for o in outcomes) == 625
    await sound()


async def test_a_budget_corrected_down_in_a_rush_of_awards_covers_them() -> None:
    """One of the corrections at most counts, and never below what came before it."""
    fund_id = await fund(0)
    typed = resolution(fund_id, 600)
    await service.post_one(COUNTY, typed, NOW)
    lower = {(item := correction(typed, n * 50, 600)).id: item for n in range(10)}
    wave: list[Item] = [*lower.values(), *(award(new_id(), fund_id, 10) for _ in range(90))]
    random.Random(15).shuffle(wave)
    outcomes = await rush(wave)
    counted = [o.id for o in outcomes if o.id in lower and o.accepted]
    assert len(counted) <= 1
    budget = lower[counted[0]].amount_fen // 10 if counted else 600
    assert sum(o.wallet for o in outcomes) == budget
    await sound()


async def test_everything_at_once_never_deadlocks() -> None:
    """Every kind of item, shuffled, on few rows: no error, books sound, chain unbroken."""
    dice = random.Random(7)
    workers = [new_id() for _ in range(4)]
    shops, goods = [new_id(), new_id()], [new_id(), new_id()]
    fund_id = await fund(50_000)
    earned = [award(dice.choice(workers), fund_id, 300) for _ in range(20)]
    stock = [restock(shop, product, 40) for shop in shops for product in goods]
    await service.post(COUNTY, [*earned, *stock], NOW)
    basket = [line(goods[0], 1, 20), line(goods[1], 2, 10)]
    bought = [redeem(dice.choice(workers), dice.choice(shops), *basket) for _ in range(25)]
    held = [hold(dice.choice(workers), dice.choice(shops), *basket[::-1]) for _ in range(25)]
    wave: list[Item] = [*bought, *held]
    wave += [award(dice.choice(workers), fund_id, 70) for _ in range(15)]
    wave += [restock(dice.choice(shops), dice.choice(goods), 3) for _ in range(10)]
    dice.shuffle(wave)
    await rush(wave)
    second: list[Item] = [undo(item) for item in bought]
    second += [post_hold(item) if dice.random() < 0.5 else void_hold(item) for item in held]
    second += [reverse(item) for item in earned]
    second += [deduct(dice.choice(workers)) for _ in range(10)]
    dice.shuffle(second)
    await rush(second)
    await sound()


@pytest.mark.parametrize("crowd", ["batched"], indirect=True)
async def test_a_batch_is_answered_a_few_at_a_time() -> None:
    """While others wait, sockets are read between the answers of a batch."""
    door = Door.committer
    assert door is not None
    worker, shop, rice = new_id(), new_id(), new_id()
    fund_id = await fund()
    await service.post(COUNTY, [award(worker, fund_id, 10_000), restock(shop, rice, 1000)], NOW)
    loop, turn, answered, begun = asyncio.get_running_loop(), 0, Counter[int](), asyncio.Event()

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        if answered.total() < CROWD:
            loop.call_soon(next_turn)

    async def ask() -> None:
        await door.submit(COUNTY, redeem(worker, shop, line(rice, 1, 100)), NOW)
        answered[turn] += 1
        begun.set()

    next_turn()
    asked = [asyncio.create_task(ask()) for _ in range(CROWD)]
    await begun.wait()
    assert answered.total() < CROWD
    assert max(answered.values()) <= AT_ONCE
    await asyncio.gather(*asked)
    assert answered.total() == CROWD
    await sound()


async def test_two_counties_do_not_wait_for_each_other() -> None:
    """A batch open in one county leaves another county's counter free."""
    fund_id = await fund()
    other = await fund(county=421223)
    async with DB.transaction():
        await service.post(COUNTY, [award(new_id(), fund_id)], NOW)
        task = asyncio.create_task(_elsewhere(award(new_id(), other)))
        assert (await asyncio.wait_for(task, 5)).accepted


async def _elsewhere(item: Item) -> Outcome:
    """Post in county 421223 on a connection of its own."""
    assert DB.pool is not None
    token = DB.current_transaction.set(None)
    try:
        return await service.post_one(421223, item, NOW)
    finally:
        DB.current_transaction.reset(token)


PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'points.transfer'::regclass
"""


async def test_partitions_made_by_three_at_once_are_made_once(committed: None) -> None:
    """The nightly job beside an upgrade at a new quarter: neither fails."""
    before = {row[0] for row in await DB.fetch(PARTITIONS)}
    ends = (await storage.storage()).until
    try:
        assert await asyncio.gather(*(storage.prepare(ends) for _ in range(3))) == [0, 0, 0]
        made = {row[0] for row in await DB.fetch(PARTITIONS)} - before
        assert len(made) == storage.AHEAD + 1
    finally:
        for name in {row[0] for row in await DB.fetch(PARTITIONS)} - before:
            async with as_owner():
                await DB.execute(f"DROP TABLE {name}")
