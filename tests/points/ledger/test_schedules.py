"""Schedules of the committer's core, played by seed: no clock, no task, no database.

A story mixes arrivals, hang-ups, batches that answer, that fail for one bad item, for all, whose
answer is lost before or after the commit, or that commit late, when the next batch already waits
for the county's lock. A failing seed is printed; ``--soak`` plays as many other ones.
"""

import random
from collections import Counter, deque
from datetime import UTC, datetime
from uuid import UUID

import pytest

from points.ledger.batching import FEWEST, Batch, Full, Lane, Ticket
from points.redemption import turnstile

AT = datetime(2026, 11, 2, tzinfo=UTC)
SHOPS = [UUID(int=n) for n in range(4)]
SEEDS = 2_000


class World:
    """A lane, a database that remembers ids, and who was told what."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.lane = Lane(limit=self.dice.choice((6, 40, 200)), patience=self.dice.choice((1, 30)))
        self.now = 0.0
        self.committed: dict[str, int] = {}
        """Item → its place in the order of commits: the outcome for ever."""
        self.late: list[Batch] = []
        """Sent on a connection that is gone, by a session that has not noticed."""
        self.accepted: list[Ticket] = []
        self.told: dict[int, str | int] = {}
        """Ticket's number → outcome, or why there is none."""
        self.dropped: set[int] = set()
        self.sent: list[Ticket] = []
        """In the order in which the door first saw them."""
        self.crowd = self.dice.random()

    def tell(self, ticket: Ticket, word: str | int) -> None:
        assert ticket.number not in self.told, "answered twice"
        assert ticket.number not in self.dropped, "answered after it was dropped"
        self.told[ticket.number] = word

    def arrive(self) -> None:
        shop = SHOPS[0] if self.dice.random() < self.crowd else self.dice.choice(SHOPS)
        body = f"poison{self.now}" if self.dice.random() < 0.03 else f"{self.now}"
        if self.accepted and self.dice.random() < 0.1:
            body = self.dice.choice(self.accepted).body  # the same request again
        ticket = Ticket(self.dice.randint(1, 3), shop, body, b"", AT)
        before = self.lane.waiting
        try:
            self.lane.admit(ticket, self.now)
        except Full as full:
            retry_after: int | None = full.retry_after
        else:
            retry_after = None
            self.accepted.append(ticket)
        assert retry_after is None or retry_after >= 1
        assert self.lane.waiting - before == (retry_after is None)
        assert self.lane.waiting <= self.lane.limit

    def hang_up(self) -> None:
        open_ = [t for t in self.accepted if t.number not in {*self.told, *self.dropped}]
        if open_:
            ticket = self.dice.choice(open_)
            if self.lane.abandon(ticket):
                assert ticket not in self.sent, "what was sent cannot be dropped"
                self.dropped.add(ticket.number)

    def write(self, batch: Batch) -> list[int]:
        """The door: whoever writes in the county finishes first, then ids decide."""
        late = [other for other in self.late if other.county_id == batch.county_id]
        self.late = [other for other in self.late if other not in late]
        for other in (*late, batch):
            if not any(ticket.body.startswith("poison") for ticket in other.tickets):
                for ticket in other.tickets:
                    key = f"{batch.county_id}/{ticket.body}"
                    self.committed.setdefault(key, len(self.committed))
        return [self.committed[f"{batch.county_id}/{t.body}"] for t in batch.tickets]

    def send(self) -> None:
        batch = self.lane.take(self.now)
        if batch is None:
            return
        assert 0 < len(batch.tickets) <= self.lane.most
        assert {ticket.county_id for ticket in batch.tickets} == {batch.county_id}
        self.judge_turns(batch)
        self.sent += [ticket for ticket in batch.tickets if ticket not in self.sent]
        assert self.lane.take(self.now) is None, "one batch at a time"
        self.now += self.dice.choice((0.001, 0.005, 0.02, 0.3))
        for _ in range(self.dice.choice((0, 0, 1, 5))):
            self.dice.choice((self.arrive, self.hang_up))()
        poisoned = any(ticket.body.startswith("poison") for ticket in batch.tickets)
        fate = self.dice.random()
        if fate < 0.08:  # lost; the session goes on, or not
            if self.dice.random() < 0.5:
                self.late.append(batch)
            self.end(self.lane.lost(), "unknown")
        elif fate < 0.12 and not poisoned:  # written, and the answer lost
            self.write(batch)
            self.end(self.lane.lost(), "unknown")
        elif fate < 0.15:
            unknown, unsent = self.lane.turned_away()
            self.end(unknown, "unknown")
            self.end(unsent, "busy")
        elif fate < 0.17:
            unknown, unsent = self.lane.away()
            assert not set(batch.tickets) & set(unsent), "what was sent may be written"
            self.end(unknown, "unknown")
            self.end(unsent, "busy")
        elif poisoned:
            self.end(self.lane.failed(), "error")
        else:
            outcomes = self.write(batch)
            self.lane.done(self.now)
            for ticket, outcome in zip(batch.tickets, outcomes, strict=True):
                self.tell(ticket, outcome)

    def judge_turns(self, batch: Batch) -> None:
        """A shop that has to wait has had as many places as any other, give or take one."""
        gone = {*self.told, *self.dropped, *(ticket.number for ticket in self.sent)}
        places = Counter(ticket.shop_id for ticket in batch.tickets if ticket.number not in gone)
        gone |= {ticket.number for ticket in batch.tickets}
        for ticket in self.accepted:
            if places and ticket.number not in gone and ticket.county_id == batch.county_id:
                assert places[ticket.shop_id] >= max(places.values()) - 1, "out of turn"

    def end(self, tickets: object, word: str) -> None:
        assert isinstance(tickets, (list, tuple))
        for ticket in tickets:
            assert word != "error" or ticket.body.startswith("poison"), "a bystander failed"
            self.tell(ticket, word)

    def play(self) -> None:
        for _ in range(self.dice.choice((10, 60, 150))):
            self.now += self.dice.choice((0.0, 0.001, 0.01))
            self.dice.choice((self.arrive, self.arrive, self.arrive, self.hang_up, self.send))()
        self.lane.closed = True
        rounds = 0
        while self.lane.busy:
            rounds += 1
            assert rounds < 5_000, "the lane never empties"
            self.send()

    def judge(self) -> None:
        everybody = {ticket.number for ticket in self.accepted}
        assert everybody == self.told.keys() | self.dropped, "somebody waits for ever"
        for ticket in self.accepted:
            word = self.told.get(ticket.number)
            key = f"{ticket.county_id}/{ticket.body}"
            if isinstance(word, int):
                assert self.committed[key] == word, "two outcomes for one id"
            if word == "error":
                assert key not in self.committed
        for county in (1, 2, 3):
            for shop in SHOPS:
                own = [t.number for t in self.sent if (t.county_id, t.shop_id) == (county, shop)]
                assert own == sorted(own), "a shop's items overtook each other"
        assert self.lane.waiting == 0
        assert self.lane.flying is None


def test_every_schedule_answers_everybody_once(request: pytest.FixtureRequest) -> None:
    """Once, never in two ways, in order, within the bounds of the queue; no bystander fails."""
    rounds = request.config.getoption("soak")
    first = random.randrange(2**40) if rounds else 0
    for seed in range(first, first + SEEDS * max(1, rounds)):
        world = World(seed)
        try:
            world.play()
            world.judge()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def ticket(shop: int = 0, county: int = 1) -> Ticket:
    return Ticket(county, SHOPS[shop], "", b"", AT)


def test_a_county_keeps_the_order_of_arrival() -> None:
    """What fits in one batch goes as it came, whichever shop it is from."""
    lane = Lane()
    came = [ticket(shop) for shop in (0, 0, 1, 2, 0, 1)]
    for one in came:
        lane.admit(one, 0.0)
    batch = lane.take(0.0)
    assert batch is not None
    assert list(batch.tickets) == came


def test_a_crowded_shop_delays_only_itself() -> None:
    """Another shop's item is in the next batch, however many stand in the first one's queue."""
    lane = Lane()
    for _ in range(600):
        lane.admit(ticket(), 0.0)
    late = ticket(1)
    lane.admit(late, 0.0)
    batch = lane.take(0.0)
    assert batch is not None
    assert late in batch.tickets
    assert len(batch.tickets) == lane.size < 600


def test_counties_take_turns() -> None:
    """A county that always has somebody waiting does not keep the others from the door."""
    lane = Lane()
    for _ in range(200):
        lane.admit(ticket(county=1), 0.0)
    lane.admit(ticket(county=2), 0.0)
    turns = []
    for _ in range(2):
        batch = lane.take(0.0)
        assert batch is not None
        turns.append(batch.county_id)
        lane.done(0.001)
    assert turns == [1, 2]


def test_a_crowd_at_one_shop_leaves_room_for_others() -> None:
    """One shop fills half of the queue; then it is sent away and others still come in."""
    lane = Lane(limit=100)
    for _ in range(50):
        lane.admit(ticket(), 0.0)
    with pytest.raises(Full):
        lane.admit(ticket(), 0.0)
    lane.admit(ticket(1), 0.0)


def test_who_would_wait_long_is_sent_away_at_once() -> None:
    """By the pace of late, or by how long the batch on its way has taken already."""
    lane = Lane(patience=0.5)
    lane.admit(ticket(), 0.0)
    lane.take(0.0)
    assert lane.refusal(0.4) is None
    assert lane.refusal(0.6) == 1
    assert lane.refusal(60.0) == 10
    lane.done(0.6)
    assert lane.refusal(0.6) is None


def test_batches_grow_while_quick_and_halve_when_slow() -> None:
    """Additive up, by half down; a disk that makes every batch slow changes nothing."""
    lane = Lane(patience=60)

    def play(seconds: float) -> int:
        for shop in range(4):
            for _ in range(100):
                lane.admit(ticket(shop), 0.0)
        lane.take(0.0)
        lane.done(seconds)
        lane.away()
        return lane.size

    before = lane.size
    assert play(0.002) == before + 8
    assert play(0.050) == (before + 8) // 2
    for _ in range(9):
        assert play(0.050) >= FEWEST
    lane.quickest = 0.040
    assert play(0.050) == FEWEST + 8


def test_those_inside_go_in_one_batch_however_slow() -> None:
    """Half of what a few cost is the statement's own: in three batches all would wait longer."""
    lane = Lane()
    for second in range(20):
        for shop in range(2):
            for _ in range(lane.size // 2):
                lane.admit(ticket(shop), second)
        lane.take(second)
        lane.quickest = 0.001
        lane.done(second + 0.2)
    for _ in range(turnstile.MOST):
        lane.admit(ticket(), 60.0)
    batch = lane.take(60.0)
    assert batch is not None
    assert len(batch.tickets) == turnstile.MOST


def test_a_poisoned_batch_is_halved_until_the_item_is_alone() -> None:
    """Eight items, one bad: seven are written, in order, and one fails."""
    lane = Lane()
    came = [ticket() for _ in range(8)]
    came[5].body = "bad"
    for one in came:
        lane.admit(one, 0.0)
    written: list[Ticket] = []
    failed: deque[Ticket] = deque()
    while batch := lane.take(0.0):
        if any(one.body for one in batch.tickets):
            failed.extend(lane.failed())
        else:
            written += batch.tickets
            lane.done(0.001)
    assert list(failed) == [came[5]]
    assert written == [one for one in came if one is not came[5]]
