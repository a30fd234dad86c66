"""A worker's month record by record: for the worker, for verifiers, for who checks appraisal."""

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

import msgspec

from points.work import evidence_queries as queries
from points.work.evidence_queries import Evidence
from points.work.rules import State
from shared.errors import NotFound
from shared.identity.access import Action, Target, allowed, reach
from shared.identity.actor import Actor
from shared.months import is_month, month_bounds
from shared.roster import service as roster
from shared.roster.rules import worked_below


class Day(msgspec.Struct, frozen=True):
    """One day, and how many records of it are in each state."""

    on: date
    states: Mapping[State, int]


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's month: records that were not withdrawn, and final deductions."""

    name: str
    weeks: list[list[Day | None]]
    records: list[Evidence]
    deductions: list[Evidence]
    """Where the actor may see those of the whole county."""
    year: list[tuple[str, int]]
    """``2026-10`` and what its work brought, of this month and the eleven before; 0.1 point."""


async def of_month(actor: Actor, worker_id: UUID, number: int) -> Month:
    """Rows of the month of work ``number`` (202603): of oneself, else of the villages one sees.

    Raises NotFound.
    """
    if not is_month(number):
        raise NotFound
    first, past = month_bounds(number)
    county = actor.county_code
    own = allowed(actor, Action.WORK_VIEW, Target(owner=worker_id)).allowed
    codes = (county,) if own else reach(actor, Action.MONTH_VIEW)
    person = await roster.person(actor.county_id, worker_id)
    records = await queries.records(actor.county_id, worker_id, codes, first, past)
    here = records or worked_below(await roster.history(actor.county_id, worker_id), codes)
    if person is None or not (own or here):
        raise NotFound
    deducted = allowed(actor, Action.DEDUCT_VIEW, Target(unit_code=county)).allowed
    return Month(
        name=person.name,
        weeks=weeks(first, records),
        records=records,
        deductions=(
            await queries.deductions(actor.county_id, worker_id, first, past) if deducted else []
        ),
        year=await queries.year(actor.county_id, worker_id, codes, first),
    )


def weeks(first: date, records: Iterable[Evidence]) -> list[list[Day | None]]:
    """A month from Mondays to Sundays; None before its first day and after its last."""
    states: dict[date, Counter[State]] = defaultdict(Counter)
    for record in records:
        states[record.work_date][record.state] += 1
    return [
        [Day(on, states[on]) if on.month == first.month else None for on in week]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]
