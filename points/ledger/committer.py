"""Counter writes in natural batches: ``submit`` an item, await its outcome.

One task owns one connection and sends what waits, one statement a batch, which commits by itself;
``batching.Lane`` decides what goes when. The task is nobody's request: who hangs up takes nothing
along, and no cancel can hit a COMMIT. Inside an open transaction, and in processes without a
committer (commands, jobs), an item is posted directly.

When an answer is lost (the connection broke after the batch was sent), the same ids are asked for
once more on a new connection. The door takes the county's lock first, so it waits for a session
that may still be writing, then answers from what is stored and decides only what is not there. If
the database cannot be reached either, those who asked are told that the outcome is unknown and that
the same id may be sent again, which is always safe.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
import structlog
from asyncpg import Connection, PostgresError
from asyncpg.exceptions import (
    DeadlockDetectedError,
    InsufficientResourcesError,
    LockNotAvailableError,
    QueryCanceledError,
    SerializationError,
)
from prometheus_client import Counter, Gauge, Histogram

from points.errors import CounterBusy, OutcomeUnknown
from points.ledger import queries
from points.ledger.batching import Full, Lane, Ticket
from points.ledger.items import Item, Outcome
from shared import clock
from shared.database import AWAY, DB

LOG = structlog.get_logger(__name__)
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
"""A batch whose answer takes longer is lost, whatever the network says."""
AT_ONCE = 4
"""Answers that go out in one turn of the loop while others wait to be sent. All of a crowd's would
be a turn of many milliseconds, in which no socket is read and nobody is told to come later. Where
nobody waits, all go at once: who comes back together makes one batch again."""
DRAIN_SECONDS = 15
"""At the end of the process, for what was accepted."""
PLAN_AGAIN = frozenset(8 * 4**n for n in range(8))
"""Batches of a connection before which it forgets its plans: those made for an empty table may use
any index of it, and a county's first day must not be slow until somebody analyses."""
NO_USE = (
    LockNotAvailableError,
    QueryCanceledError,
    DeadlockDetectedError,
    SerializationError,
    InsufficientResourcesError,
)
"""Nothing was written, and halving the batch would not help."""
LOST = (*AWAY, TimeoutError)

SIZE = Histogram(
    "gridmerit_batch_items", "Items in one batch of the counter",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)  # fmt: skip
SECONDS = Histogram(
    "gridmerit_batch_seconds", "Time of one batch of the counter",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 5),
)  # fmt: skip
WAITED = Histogram(
    "gridmerit_batch_wait_seconds", "How long the first item of a batch waited to be sent",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 5),
)  # fmt: skip
QUEUE = Gauge("gridmerit_batch_queue", "Items that wait to be sent")
TURNED_AWAY = Counter("gridmerit_batch_refused", "Items not taken because too many waited")
BROKEN = Counter("gridmerit_batch_errors", "Batches that met an error", ["kind"])

Connect = Callable[[], Awaitable[Connection]]


class Committer:
    """A lane with its connection; ``run`` is its task."""

    def __init__(self, connect: Connect, lane: Lane | None = None) -> None:
        self.lane = lane or Lane()
        self._connect = connect
        self._connection: Connection | None = None
        self._sent = 0
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def retry_after(self) -> int | None:
        """Seconds after which to come again, if nobody is taken now: asked before any work."""
        retry_after = self.lane.refusal(self._loop.time())
        if retry_after is not None:
            TURNED_AWAY.inc()
        return retry_after

    async def submit(self, county_id: int, item: Item, at: datetime) -> Outcome:
        """Queue an item and await its outcome.

        Raises CounterBusy (nothing was written), OutcomeUnknown, or the item's own database error.
        A cancelled caller leaves the queue; what was sent by then is committed all the same.
        """
        ticket = Ticket(
            county_id=county_id,
            shop_id=getattr(item, "shop_id", None),
            body=msgspec.json.encode(item).decode(),
            fingerprint=item.fingerprint(),
            at=at,
            reply=self._loop.create_future(),
        )
        try:
            self.lane.admit(ticket, self._loop.time())
        except Full as full:
            TURNED_AWAY.inc()
            raise CounterBusy(full.retry_after) from None
        self._wake.set()
        try:
            outcome: Outcome = await ticket.reply
        except asyncio.CancelledError:
            self.lane.abandon(ticket)
            raise
        return outcome

    async def run(self) -> None:
        """Send batch after batch until closed and empty."""
        try:
            while not self.lane.closed or self.lane.busy:
                if self.lane.busy:
                    await self._send()
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self.lane.closed = True
            self._tell_all()
            self._hang_up()

    def close(self) -> None:
        """Take nobody any more; ``run`` ends when everybody is answered."""
        self.lane.closed = True
        self._wake.set()

    async def _send(self) -> None:
        """One batch, there and back."""
        if self._connection is None and not await self._call():
            return
        batch = self.lane.take(self._loop.time())
        if batch is None or self._connection is None:
            return
        SIZE.observe(len(batch.tickets))
        WAITED.observe(self._loop.time() - batch.tickets[0].since)
        QUEUE.set(self.lane.waiting)
        began = self._loop.time()
        try:
            await self._plan(self._connection)
            outcomes = await queries.post_tickets(
                self._connection, batch.county_id, batch.tickets, ANSWER_SECONDS
            )
        except NO_USE as error:
            BROKEN.labels("busy").inc()
            LOG.warning("batch refused", error=str(error), items=len(batch.tickets))
            _tell(*self.lane.turned_away())
        except LOST as error:
            self._lose(repr(error))
        except PostgresError as error:
            BROKEN.labels("item").inc()
            _fail(self.lane.failed(), error)
        except Exception:
            LOG.exception("answer not understood")
            self._lose("")
        else:
            self.lane.done(self._loop.time())
            SECONDS.observe(self._loop.time() - began)
            answers = [*zip(batch.tickets, outcomes, strict=True)]
            self._answer(answers, AT_ONCE if self.lane.waiting else len(answers))

    def _answer(self, answers: Sequence[tuple[Ticket, Outcome]], count: int) -> None:
        """Wake those who asked, so many in each turn of the loop."""
        for ticket, outcome in answers[:count]:
            if not ticket.reply.done():
                ticket.reply.set_result(outcome)
        if len(answers) > count:
            self._loop.call_soon(self._answer, answers[count:], count)

    async def _plan(self, connection: Connection) -> None:
        """Have the server forget this connection's plans, now and then."""
        self._sent += 1
        if self._sent in PLAN_AGAIN:
            await queries.plan_again(connection, ANSWER_SECONDS)

    async def _call(self) -> bool:
        """Connect; if that fails, everybody who waits is told."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                self._connection = await self._connect()
                self._sent = 0
        except (*LOST, PostgresError) as error:
            BROKEN.labels("away").inc()
            LOG.warning("database away", error=repr(error))
            self._tell_all()
        return self._connection is not None

    def _lose(self, error: str) -> None:
        BROKEN.labels("lost").inc()
        LOG.warning("answer lost", error=error)
        self._hang_up()
        _fail(self.lane.lost(), OutcomeUnknown())

    def _tell_all(self) -> None:
        _tell(*self.lane.away())

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _tell(unknown: Sequence[Ticket], unsent: Sequence[Ticket]) -> None:
    _fail(unknown, OutcomeUnknown())
    _fail(unsent, CounterBusy())


def _fail(tickets: Sequence[Ticket], error: Exception) -> None:
    for ticket in tickets:
        if not ticket.reply.done():
            ticket.reply.set_exception(error)


class _Running:
    """The process's committer, if it serves counters."""

    committer: Committer | None = None


@asynccontextmanager
async def serving(_: Any = None) -> AsyncIterator[None]:
    """Run the process's committer while the block runs (an app's lifespan); drain it at the end."""
    committer = Committer(DB.get_new_connection)
    task = asyncio.create_task(committer.run(), name="committer")
    before, _Running.committer = _Running.committer, committer
    try:
        yield
    finally:
        _Running.committer = before
        committer.close()
        await asyncio.wait({task}, timeout=DRAIN_SECONDS)
        task.cancel()
        await asyncio.wait({task})


async def submit(county_id: int, item: Item, now: datetime | None = None) -> Outcome:
    """Post one item of a counter: with others in the committer's batch, if this process serves.

    Raises CounterBusy, OutcomeUnknown. Refusals are outcomes.
    """
    at = now or clock.now()
    committer = _Running.committer
    if committer is None or DB.current_transaction.get() is not None:
        return (await queries.post_batch(county_id, [item], at))[0]
    return await committer.submit(county_id, item, at)


def overloaded() -> int | None:
    """Seconds after which to come again, if the counter can take nobody now; costs nothing.

    For routes: answer 503 with ``Retry-After`` before a body is read.
    """
    return _Running.committer.retry_after() if _Running.committer else None
