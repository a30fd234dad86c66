"""The committer with real commits: crowds, bad items, broken connections, hang-ups, shutdown."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest
from prometheus_client import REGISTRY

from points.errors import CounterBusy, OutcomeUnknown
from points.ledger import committer, service
from points.ledger.batching import Lane
from points.ledger.committer import Committer
from points.ledger.items import Code, Item, Outcome
from shared.database import DB
from shared.ids import new_id
from tests.conftest import APP_ROLE
from tests.points.ledger.builders import (
    COUNTY,
    NOW,
    award,
    fund,
    line,
    redeem,
    restock,
    sound,
)

pytestmark = pytest.mark.usefixtures("committed")


class Wire(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection whose answers can be lost."""

    deaf = False
    planned = 0
    """How often its plans were forgotten."""

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        self.planned += query == "DISCARD PLANS"
        return await super().execute(query, *args, **options)

    async def fetch(self, *args: Any, **options: Any) -> Any:
        rows = await super().fetch(*args, **options)
        if self.deaf:
            raise ConnectionResetError
        return rows


class Shell(Committer):
    """A committer on the test's database that can be held up between batches."""

    def __init__(self, url: str, lane: Lane | None = None) -> None:
        super().__init__(self.connect, lane)
        self.url = url
        self.connections: list[Wire] = []
        self.reachable = True
        self.settings = {"role": APP_ROLE}

    async def connect(self) -> asyncpg.Connection:
        if not self.reachable:
            raise ConnectionRefusedError
        options: dict[str, Any] = {"server_settings": self.settings}
        wire = await asyncpg.connect(self.url, connection_class=Wire, **options)
        self.connections.append(wire)
        return self.connections[-1]


@pytest.fixture
async def shell(database: str) -> AsyncIterator[Shell]:
    made = Shell(database)
    task = asyncio.create_task(made.run())
    yield made
    made.close()
    await task


async def posted(shell: Shell, items: list[Item]) -> list[Outcome]:
    return list(await asyncio.gather(*(shell.submit(COUNTY, item, NOW) for item in items)))


async def shop_of(workers: list[Any], points: int = 1000, pieces: int = 1000) -> tuple[Any, Any]:
    """A shop with one product on the shelf, and a fund that gave everybody points."""
    shop, rice, fund_id = new_id(), new_id(), await fund()
    given = [award(worker, fund_id, points) for worker in workers]
    await service.post(COUNTY, [*given, restock(shop, rice, pieces)], NOW)
    return shop, rice


async def test_a_crowd_goes_in_few_batches(shell: Shell) -> None:
    """Everybody is answered rightly, and the blocks of the chain are far fewer than the items."""
    workers = [new_id() for _ in range(300)]
    shop, rice = await shop_of(workers, pieces=250)
    before = await DB.fetchval("SELECT max(number) FROM points.batch WHERE county_id = $1", COUNTY)
    outcomes = await posted(shell, [redeem(w, shop, line(rice, 1, 10)) for w in workers])
    assert Counter(o.code for o in outcomes) == {"accepted": 250, Code.OUT_OF_STOCK: 50}
    assert [o.code for o in outcomes] == ["accepted"] * 250 + [Code.OUT_OF_STOCK] * 50
    numbers = {outcome.batch for outcome in outcomes}
    assert max(n for n in numbers if n) - before == len(numbers) < 12
    await sound()


async def test_plans_are_made_anew_as_tables_fill(shell: Shell) -> None:
    """Before a connection's 8th and 32nd batch, and again from the start on a new one."""
    shop, rice = new_id(), new_id()
    for number, planned in ((7, 0), (1, 1), (23, 1), (1, 2)):
        for _ in range(number):
            await shell.submit(COUNTY, restock(shop, rice, 1), NOW)
        assert [wire.planned for wire in shell.connections] == [planned]
    shell.connections[0].terminate()
    for _ in range(8):
        await shell.submit(COUNTY, restock(shop, rice, 1), NOW)
    assert shell.connections[-1].planned == 1
    await sound()


async def test_same_request_many_times_has_one_effect(shell: Shell) -> None:
    """Within a batch and across batches."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    item = redeem(worker, shop, line(rice, 1, 100))
    outcomes = await posted(shell, [item] * 60) + await posted(shell, [item])
    assert len({(o.code, o.batch, o.position, o.balance) for o in outcomes}) == 1
    assert sum(not o.repeated for o in outcomes) == 1
    await sound()


async def test_a_poison_item_fails_alone(shell: Shell) -> None:
    """The database refuses one item of a hundred with an error; the others are written."""
    workers = [new_id() for _ in range(100)]
    shop, rice = await shop_of(workers)
    items: list[Item] = [redeem(w, shop, line(rice, 1, 10)) for w in workers]
    items[40] = msgspec.structs.replace(items[40], collector="\x00")
    outcomes = await asyncio.gather(
        *(shell.submit(COUNTY, item, NOW) for item in items), return_exceptions=True
    )
    bad = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
    assert bad == [40]
    assert isinstance(outcomes[40], asyncpg.PostgresError)
    good = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    assert all(outcome.accepted for outcome in good)
    await sound()


async def test_a_killed_backend_loses_nobody(shell: Shell, database: str) -> None:
    """Batches whose connection is cut while they wait for the county's lock: each counts once."""
    workers = [new_id() for _ in range(50)]
    shop, rice = await shop_of(workers)
    await posted(shell, [redeem(workers[0], shop, line(rice, 1, 10))])
    other = await asyncpg.connect(database)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
    going = asyncio.create_task(
        posted(shell, [redeem(w, shop, line(rice, 1, 10)) for w in workers])
    )
    await waits_for_lock(other)
    await other.execute("SELECT pg_terminate_backend($1)", shell.connections[-1].get_server_pid())
    await lock.commit()
    outcomes = await going
    await other.close()
    assert [o.code for o in outcomes] == ["accepted"] * 50
    redeemed = await DB.fetchval(
        "SELECT count(*) FROM points.redemption WHERE county_id = $1", COUNTY
    )
    assert redeemed == 51
    await sound()


async def waits_for_lock(connection: asyncpg.Connection) -> None:
    """Until somebody waits for the county's lock."""
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
    async with asyncio.timeout(30):
        while not await connection.fetchval(waits):
            pass


async def test_a_lost_answer_is_found_again(shell: Shell) -> None:
    """Committed, but the answer never came: it is read from what is stored, not done again."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    await posted(shell, [redeem(worker, shop, line(rice, 1, 10))])
    shell.connections[-1].deaf = True
    outcome = (await posted(shell, [redeem(worker, shop, line(rice, 1, 10))]))[0]
    assert (outcome.accepted, outcome.repeated, outcome.balance) == (True, True, 980)
    assert len(shell.connections) == 2
    await sound()


async def test_lost_and_away_is_unknown(shell: Shell) -> None:
    """Nobody can say: the asker is told so, and the same id tells later."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    await posted(shell, [redeem(worker, shop, line(rice, 1, 10))])
    shell.connections[-1].deaf, shell.reachable = True, False
    item = redeem(worker, shop, line(rice, 1, 10))
    with pytest.raises(OutcomeUnknown, match="同一编号"):
        await shell.submit(COUNTY, item, NOW)
    with pytest.raises(CounterBusy):
        await shell.submit(COUNTY, redeem(worker, shop, line(rice, 1, 10)), NOW)
    shell.reachable = True
    assert (await shell.submit(COUNTY, item, NOW)).accepted
    await sound()


async def test_lost_and_then_turned_away_is_unknown(shell: Shell, database: str) -> None:
    """The second question finds the county locked; the session of the first one writes later."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    await posted(shell, [redeem(worker, shop, line(rice, 1, 10))])
    other = await asyncpg.connect(database)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
    item = redeem(worker, shop, line(rice, 1, 10))
    going = asyncio.create_task(shell.submit(COUNTY, item, NOW))
    await waits_for_lock(other)
    shell.settings["lock_timeout"] = "100ms"
    shell.connections[-1].terminate()  # the server does not see that nobody listens
    with pytest.raises(OutcomeUnknown):
        await going
    await lock.commit()
    await other.close()
    assert (await shell.submit(COUNTY, item, NOW)).repeated
    await sound()


async def test_who_hangs_up_stops_no_commit(shell: Shell, database: str) -> None:
    """A cancelled caller: what was sent is committed, what still waited is dropped."""
    workers = [new_id() for _ in range(3)]
    shop, rice = await shop_of(workers)
    other = await asyncpg.connect(database)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
    items = [redeem(w, shop, line(rice, 1, 10)) for w in workers]
    tasks = [asyncio.create_task(shell.submit(COUNTY, items[0], NOW))]
    await waits_for_lock(other)
    tasks += [asyncio.create_task(shell.submit(COUNTY, item, NOW)) for item in items[1:]]
    await asyncio.sleep(0)
    assert shell.lane.waiting == 2
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.wait(tasks[:2])
    await lock.commit()
    assert (await tasks[2]).accepted
    await other.close()
    found = await DB.fetch("SELECT id FROM points.redemption WHERE county_id = $1", COUNTY)
    assert {row["id"] for row in found} == {items[0].id, items[2].id}
    await sound()


async def test_a_counter_waits_for_one_chunk_of_a_long_posting(shell: Shell, database: str) -> None:
    """The county's lock goes to who waited longest: a chunk that comes after waits its turn."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    fund_id = await DB.fetchval("SELECT id FROM points.fund WHERE county_id = $1", COUNTY)
    other = await asyncpg.connect(database)

    async with DB.transaction():
        first = await service.post(COUNTY, [award(new_id(), fund_id) for _ in range(50)], NOW)
        counter = asyncio.create_task(
            shell.submit(COUNTY, redeem(worker, shop, line(rice, 1, 10)), NOW)
        )
        await waits_for_lock(other)
    chunks = [
        await service.post(COUNTY, [award(new_id(), fund_id) for _ in range(50)], NOW)
        for _ in range(3)
    ]
    outcome = await counter
    await other.close()
    assert first[0].batch is not None
    assert outcome.batch == first[0].batch + 1
    assert chunks[-1][0].batch == first[0].batch + 4


async def test_a_full_queue_sends_away_before_anything_is_done(database: str) -> None:
    """More than the bound at once: the rest is refused with a time to come again, none is lost."""
    workers = [new_id() for _ in range(120)]
    shop, rice = await shop_of(workers)
    small = Shell(database, Lane(limit=100))
    before = REGISTRY.get_sample_value("gridmerit_batch_refused_total")
    waiting = [
        asyncio.create_task(small.submit(COUNTY, redeem(w, shop, line(rice, 1, 10)), NOW))
        for w in workers
    ]
    await asyncio.sleep(0)
    running = asyncio.create_task(small.run())
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    small.close()
    await running
    busy = [outcome for outcome in outcomes if isinstance(outcome, CounterBusy)]
    assert len(busy) == 70  # one shop may fill half of the queue
    assert all(error.retry_after >= 1 for error in busy)
    assert sum(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes) == 50
    assert REGISTRY.get_sample_value("gridmerit_batch_refused_total") == (before or 0) + 70
    await sound()


async def test_shutdown_answers_everybody(database: str) -> None:
    """Closed with a full queue: what was accepted is committed, who comes later is sent away."""
    workers = [new_id() for _ in range(80)]
    shop, rice = await shop_of(workers)
    made = Shell(database)
    waiting = [
        asyncio.create_task(made.submit(COUNTY, redeem(w, shop, line(rice, 1, 10)), NOW))
        for w in workers
    ]
    await asyncio.sleep(0)
    made.close()
    with pytest.raises(CounterBusy):
        async with asyncio.timeout(20):
            await made.submit(COUNTY, redeem(workers[0], shop, line(rice, 1, 10)), NOW)
    assert made.retry_after() is not None
    await made.run()
    assert all(outcome.accepted for outcome in await asyncio.gather(*waiting))
    assert made.connections[-1].is_closed()
    await sound()


async def test_who_is_under_way_when_a_stop_cannot_wait_is_told_that_nobody_knows(
    database: str,
) -> None:
    """The county is locked past the drain: what was sent may yet be written, the rest was not."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    other = await asyncpg.connect(database)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT pg_advisory_xact_lock(1818584167, $1)", COUNTY)
    made = Shell(database)
    running = asyncio.create_task(made.run())
    items = [redeem(worker, shop, line(rice, 1, 10)) for _ in range(2)]
    waiting = [asyncio.create_task(made.submit(COUNTY, items[0], NOW))]
    await waits_for_lock(other)
    waiting.append(asyncio.create_task(made.submit(COUNTY, items[1], NOW)))
    await asyncio.sleep(0)
    running.cancel()
    sent, unsent = await asyncio.gather(*waiting, return_exceptions=True)
    await lock.rollback()
    await other.close()
    assert isinstance(sent, OutcomeUnknown)
    assert isinstance(unsent, CounterBusy)


async def test_a_serving_process_uses_it_and_a_transaction_does_not() -> None:
    """``submit`` goes through the running committer; inside a transaction it is part of that."""
    worker = new_id()
    shop, rice = await shop_of([worker])
    sent = REGISTRY.get_sample_value("gridmerit_batch_items_count") or 0
    async with committer.serving():
        assert committer.overloaded() is None
        assert (await committer.submit(COUNTY, redeem(worker, shop, line(rice, 1, 10)))).accepted
        async with DB.transaction():
            own = await committer.submit(COUNTY, redeem(worker, shop, line(rice, 1, 10)))
    assert own.accepted
    assert REGISTRY.get_sample_value("gridmerit_batch_items_count") == sent + 1
    assert committer.overloaded() is None
    await sound()
