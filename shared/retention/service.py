"""Erasing who left, and writing down what each job has erased.

Somebody who is erased stays as a row without a name, since the ledger, scores and signed steps say
by id whom they are about. What was frozen, signed, published or audited keeps the name that it had.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.retention import queries
from shared.retention.registry import PERSON, REGISTRY, Kept
from shared.roster import names, phones
from shared.roster.rules import county_code
from shared.scheduling import runner
from shared.scheduling.queries import RunRow

ERASED_NAME = "已离任人员"
CHUNK = 500
Hold = Callable[[int, Sequence[UUID], date], Awaitable[set[UUID]]]
"""``hold(county_id, people, today)``: of whom a service still has something to settle."""


async def erase_people(county_id: int, now: datetime, holds: Sequence[Hold]) -> int:
    """Take name, phone and sign-in from everybody who left long ago; how many.

    Whoever a service holds back keeps them until a later night.
    """
    on, before = today(now), now - timedelta(days=PERSON.days)
    since = (on - timedelta(days=PERSON.days), before, now)
    name, phone = (ERASED_NAME, *names.romanise(ERASED_NAME)), phones.seal("")
    last, done = UUID(int=0), 0
    while True:
        async with DB.transaction():
            found = await queries.lock_over(county_id, since, last, CHUNK)
            held = [await hold(county_id, found, on) for hold in holds]
            free = set(found).difference(*held)
            gone = await queries.erase_people(county_id, since, sorted(free), name, phone)
            await queries.erase_accounts(county_id, gone, now)
            await record(county_id, PERSON, len(gone))
        done += len(gone)
        if len(found) < CHUNK:
            return done
        last = found[-1]


async def record(county_id: int, kept: Kept, count: int) -> None:
    """Write down how much of what was erased, in the transaction that erased it; never whose."""
    if count:
        await audit.record(
            None,
            "data.erase",
            "data",
            county_id=county_id,
            unit_code=county_code(county_id),
            after={"what": kept.what, "count": count},
            authority=audit.SYSTEM,
        )


async def listed(actor: Actor) -> list[tuple[Kept, RunRow | None]]:
    """Each kind of personal data with the latest run that erased it. Raises NotFound."""
    require(actor, Action.SETTINGS_VIEW, whole_county(actor.county_id))
    runs = {run.job: run for run in await runner.latest(actor.county_id)}
    return [(kept, runs.get(kept.job)) for kept in REGISTRY]
