"""The committer's decisions without its connection: who waits, what goes next, what became of it.

Nothing here knows a clock, a task or a database; the time is handed in. So a seed plays thousands
of schedules of arrivals, cancels, errors and lost answers in a second (tests/simulation).

One lane is one connection. It sends one batch at a time, of one county, and takes what waits at
once: the batch grows by itself while the one before is being written. Within a county items go in
the order they came; only when more waits than fits do the shops take turns, so that a crowded
counter delays nobody but itself.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec

QUEUE = 2_000
"""Items that may wait in a lane."""
PATIENCE = 0.5
"""Seconds: who would wait longer is sent away at once, while that is still cheap."""
TARGET = 0.010
"""Seconds a batch should take at most."""
FEWEST, MOST = 48, 1_000
"""Bounds of a batch's size. Half of what a few cost is the statement's own: cutting a crowd of 48
in three on a slow machine would only make it wait longer."""
STEP = 8
"""How much a full batch that was quick enough lets the next one grow."""
BACK_SOON, BACK_LATE = 1, 10
"""Seconds after which somebody sent away may come again."""


class Full(Exception):  # noqa: N818  it is an answer
    """Sent away before anything was queued; ``retry_after`` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Ticket(msgspec.Struct, eq=False):
    """An item that waits for its answer; ``reply`` is the shell's handle of who asked."""

    county_id: int
    shop_id: UUID | None
    """Whose turn it is; None = nobody's in particular."""
    body: str
    fingerprint: bytes
    at: datetime
    reply: Any = None
    since: float = 0.0
    number: int = 0
    """Place in the order of arrival."""


class Batch(msgspec.Struct, eq=False):
    """What is sent in one statement."""

    county_id: int
    tickets: Sequence[Ticket]
    again: bool = False
    """Its answer was lost once: the same ids are asked for again."""


Shops = dict[UUID | None, deque[Ticket]]
"""Who waits in a county; the first has the next turn."""


class Lane:
    """The queue of one connection and the batch that is on its way."""

    def __init__(self, *, limit: int = QUEUE, patience: float = PATIENCE, most: int = MOST) -> None:
        self.limit, self.patience, self.most = limit, patience, most
        self.size = min(2 * FEWEST, most)
        """How many items the next batch may have."""
        self.waiting = 0
        """Items that wait and are not on their way."""
        self.flying: Batch | None = None
        self.took = 0.0
        """Seconds that a batch took of late, smoothed."""
        self.quickest = 0.0
        """Seconds of a batch that waited for nobody, slowly forgotten."""
        self.closed = False
        self._counties: dict[int, Shops] = {}
        self._first: deque[Batch] = deque()
        """Parts of a batch that met an error: before anything else, in their order."""
        self._number = 0
        self._since = 0.0

    @property
    def busy(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self.waiting or self._first or self.flying)

    def wait(self, now: float) -> float:
        """Seconds that an item admitted now would probably wait.

        A batch that takes longer than others did will probably take as long again.
        """
        batches = (len(self._first) + self.waiting // self.size) * self.took
        return batches + (max(self.took, now - self._since) if self.flying else 0.0)

    def refusal(self, now: float) -> int | None:
        """Seconds after which to come again, if the lane can take nobody now."""
        if self.closed:
            return BACK_SOON
        wait = self.wait(now)
        if self.waiting >= self.limit or wait > self.patience:
            return min(max(BACK_SOON, round(2 * wait)), BACK_LATE)
        return None

    def admit(self, ticket: Ticket, now: float) -> None:
        """Queue an item. Raises Full; then nothing was queued."""
        retry_after = self.refusal(now)
        shops = self._counties.get(ticket.county_id, {})
        own = len(shops.get(ticket.shop_id, ()))
        # A crowd at one shop may fill half of the queue, two may fill a third each …
        if retry_after is None and own >= max(FEWEST, self.limit // (len(shops) + 1)):
            retry_after = BACK_SOON
        if retry_after is not None:
            raise Full(retry_after)
        self._number += 1
        ticket.since, ticket.number = now, self._number
        if ticket.county_id not in self._counties:
            self._counties[ticket.county_id] = shops
        shops.setdefault(ticket.shop_id, deque()).append(ticket)
        self.waiting += 1

    def abandon(self, ticket: Ticket) -> bool:
        """Who asked is gone. What has not been sent is dropped; what has been sent is not stopped.

        Answers whether it was dropped.
        """
        shops = self._counties.get(ticket.county_id, {})
        queue = shops.get(ticket.shop_id, ())
        if not isinstance(queue, deque) or ticket not in queue:
            return False
        queue.remove(ticket)
        self.waiting -= 1
        if not queue:
            del shops[ticket.shop_id]
        if not shops:
            del self._counties[ticket.county_id]
        return True

    def take(self, now: float) -> Batch | None:
        """The next batch to send; None while one is on its way or nobody waits."""
        if self.flying is not None:
            return None
        if self._first:
            self.flying = self._first.popleft()
        elif self._counties:
            county_id = next(iter(self._counties))
            shops = self._counties.pop(county_id)
            self.flying = Batch(county_id, self._choose(shops))
            if shops:
                self._counties[county_id] = shops
        self._since = now
        return self.flying

    def done(self, now: float) -> None:
        """The batch was answered."""
        size = len(self._landed().tickets)
        took = now - self._since
        self.took += (took - self.took) * (0.5 if self.took else 1.0)
        self.quickest = min(self.quickest * 1.01, took) if self.quickest else took
        # A slow disk makes every batch slow; smaller ones would only make more of them.
        if took > max(TARGET, 2 * self.quickest):
            self.size = max(min(FEWEST, self.most), self.size // 2)
        elif size >= self.size:
            self.size = min(self.most, self.size + STEP)

    def failed(self) -> Sequence[Ticket]:
        """The batch met an error and wrote nothing; whom to tell now.

        A single item fails alone. A batch is halved and its halves go next, in order, so that an
        item that cannot be written takes nobody along.
        """
        batch = self._landed()
        if len(batch.tickets) == 1:
            return batch.tickets
        half = len(batch.tickets) // 2
        self._first.extendleft(
            Batch(batch.county_id, part) for part in (batch.tickets[half:], batch.tickets[:half])
        )
        return ()

    def turned_away(self) -> tuple[Sequence[Ticket], Sequence[Ticket]]:
        """The batch wrote nothing, and trying again now is no use (a lock, a full disk).

        As ``away``: what was sent before may yet be written by the session that it went to.
        """
        batch = self._landed()
        return (batch.tickets, ()) if batch.again else ((), batch.tickets)

    def lost(self) -> Sequence[Ticket]:
        """The connection broke after the batch was sent: what became of it is unknown.

        It goes next, under the same ids: the door first waits for whoever still writes in the
        county, then answers from what is stored, and decides only what is not there. If that answer
        is lost as well, those who asked are told that nobody knows.
        """
        batch = self._landed()
        if batch.again:
            return batch.tickets
        self._first.appendleft(Batch(batch.county_id, batch.tickets, again=True))
        return ()

    def away(self) -> tuple[Sequence[Ticket], Sequence[Ticket]]:
        """No connection can be had: who has been sent and does not know, and who never was."""
        unknown = [ticket for batch in self._first if batch.again for ticket in batch.tickets]
        unsent = [ticket for batch in self._first if not batch.again for ticket in batch.tickets]
        if self.flying is not None:
            unknown.extend(self.flying.tickets)
        for shops in self._counties.values():
            unsent.extend(chain.from_iterable(shops.values()))
        self._first.clear()
        self._counties.clear()
        self.flying, self.waiting = None, 0
        return unknown, unsent

    def _landed(self) -> Batch:
        batch, self.flying = self.flying, None
        assert batch is not None  # noqa: S101  only a batch on its way can land
        return batch

    def _choose(self, shops: Shops) -> Sequence[Ticket]:
        """At most ``size`` tickets of a county: all, or the shops' in turn."""
        chosen: list[Ticket] = []
        while shops and len(chosen) < self.size:
            shop = next(iter(shops))
            queue = shops.pop(shop)
            chosen.append(queue.popleft())
            if queue:
                shops[shop] = queue
        self.waiting -= len(chosen)
        return sorted(chosen, key=lambda ticket: ticket.number)
