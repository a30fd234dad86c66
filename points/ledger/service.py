"""The one way into the ledger: ``post``. Everything that moves points, stock or funds calls it.

Outside a transaction a batch commits by itself; inside one it is part of it, so that a month, an
import or a test stands or falls as a whole. Post last in a transaction: the batch locks the county
until commit, and whoever holds a row while waiting for the county could be waited for in turn.

The reads here take a county and a person and ask no rights: that is the caller's business.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from points.ledger import queries
from points.ledger.items import (
    MAX_ITEMS,
    Balances,
    Ending,
    ExpireHolds,
    ExpireLots,
    Item,
    Outcome,
    Receipt,
    ReleaseAwaiting,
    TransferRow,
)
from points.ledger.rules import Policy, expires_on
from shared import clock
from shared.database import DB
from shared.errors import NotFound
from shared.ids import new_id
from shared.retention import service as retention
from shared.retention.registry import CODE

PAGE = 50
CHUNK = 500
"""Rows one step of a sweep touches, so that redemptions wait for no sweep."""
HOLD_GRACE = timedelta(days=1)
"""After a hold's end: an offline shop may still upload what it handed over before."""
REMINDED = timedelta(days=30)
"""How long before their end people are told of it."""
CODE_MEMORY = timedelta(days=CODE.days)
"""How long a lapsed code can still be told from an unknown one."""


async def post(county_id: int, items: Sequence[Item], now: datetime | None = None) -> list[Outcome]:
    """Put items into one batch and answer each, in order.

    Refusals are outcomes. More than ``MAX_ITEMS`` are cut into several batches. ``now`` is when
    the batch is recorded; a block is never older than the one before it.
    """
    at = now or clock.now()
    outcomes: list[Outcome] = []
    for first in range(0, len(items), MAX_ITEMS):
        chunk = items[first : first + MAX_ITEMS]
        outcomes += await queries.post_batch(county_id, chunk, at)
    return outcomes


async def post_one(county_id: int, item: Item, now: datetime | None = None) -> Outcome:
    """Post a single item."""
    return (await post(county_id, [item], now))[0]


async def balances(county_id: int, person_id: UUID, at: datetime | None = None) -> Balances:
    """What a person has; spendable points as of an instant (default now). Unknown people: zeros."""
    return await queries.balances(county_id, person_id, at or clock.now())


async def balance_at(
    county_id: int, person_id: UUID, unit: Literal["merit", "wallet"], end_of: date
) -> int:
    """A person's balance at the end of a past day, from the last closed month and what moved."""
    midnight = datetime.combine(end_of + timedelta(days=1), datetime.min.time(), clock.LOCAL_ZONE)
    return await queries.balance_at(county_id, person_id, unit, midnight)


async def transfers(
    county_id: int,
    person_id: UUID,
    *,
    before: UUID | None = None,
    limit: int = PAGE,
    unit: Literal["", "merit", "wallet"] = "",
) -> list[TransferRow]:
    """A page of a person's movements, newest first; ``before`` is the last id of the page before.

    ``limit`` is at most 201: a page of 200, and whether there is another.
    """
    return await queries.transfers(county_id, person_id, before, min(limit, 201), unit)


async def own_receipt(county_id: int, person_id: UUID, transfer_id: UUID) -> Receipt:
    """A receipt of the person's own movement; raises NotFound for anybody else's."""
    found = await queries.receipt_of_person(county_id, transfer_id, person_id)
    if found is None:
        raise NotFound
    return found


async def first_ending(county_id: int, person_id: UUID, on: date) -> Ending | None:
    """What of a person's points that can be spent ends first; None = nothing ends.

    A last day before ``on`` is one that an open objection or appeal holds up; all of them then
    end together, when it is decided.
    """
    ends: dict[date, int] = {}
    for lot in await queries.lots(county_id, person_id):
        free = lot.remaining - lot.held
        if free and lot.expires_on is not None:
            ends[lot.expires_on] = ends.get(lot.expires_on, 0) + free
    if ends and min(ends) < on and not await queries.appealing(county_id, person_id):
        ends = {day: free for day, free in ends.items() if day >= on}
    if not ends:
        return None
    soon = sum(amount for day, amount in ends.items() if day <= on + REMINDED)
    past = sum(amount for day, amount in ends.items() if day < on)
    return Ending(person_id, min(ends), past or ends[min(ends)], soon)


async def expire_holds(county_id: int, now: datetime) -> int:
    """Void every hold that ended a day before ``now`` and was not uploaded; answers how many.

    From its end on nothing can be handed over from it, whether it is void yet or not.
    """
    done = 0
    while True:
        sweep = ExpireHolds(id=new_id(), at=now - HOLD_GRACE, limit=CHUNK)
        quantity = (await post_one(county_id, sweep)).quantity
        done += quantity
        if quantity < CHUNK:
            return done


async def expire_lots(county_id: int, on: date) -> int:
    """Write off every lot whose last day is before ``on``; answers how many.

    People with an open objection or appeal keep theirs. Stopped half-way, the next run does the
    rest.
    """
    done = 0
    while True:
        sweep = ExpireLots(id=new_id(), on=on, limit=CHUNK)
        quantity = (await post_one(county_id, sweep)).quantity
        done += quantity
        if quantity < CHUNK:
            return done


async def release_waiting(county_id: int, policy: Policy, on: date) -> int:
    """Issue waiting awards from budget that expiry or reversal freed; answers 0.1 points."""
    released = 0
    for fund_id in await queries.waiting_funds(county_id):
        item = ReleaseAwaiting(
            id=new_id(), fund_id=fund_id, day=on, expires_on=expires_on(policy, on)
        )
        released += (await post_one(county_id, item)).amount
    return released


async def purge_codes(county_id: int, now: datetime) -> int:
    """Delete codes that lapsed two days ago; answers how many."""
    done = 0
    while True:
        async with DB.transaction():
            quantity = await queries.purge_codes(county_id, now - CODE_MEMORY, CHUNK)
            await retention.record(county_id, CODE, quantity)
        done += quantity
        if quantity < CHUNK:
            return done
