"""试算: what the records of the last half-year would have come to under a new version."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from points.rulebook import service as rulebook
from points.rulebook.rules import Caps, Rule
from points.rulebook.variants import service as variants
from points.rulebook.variants.schemas import VariantForm
from points.work import posting
from shared.clock import today
from shared.identity.actor import Actor
from shared.months import month_of, month_start, months_later
from shared.roster import service as roster

MONTHS = 6


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Of a township, or of all; points in 0.1."""

    name: str
    workers: int
    before: int
    after: int
    gain: int
    """Workers who would have got more."""
    lose: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The whole months before a day; the last line is the county's."""

    first: date
    last: date
    records: int
    lines: list[Line]


async def of_rule(actor: Actor, new: Rule, now: datetime) -> Trial:
    """Try a version that could be put into force on its records; writes nothing.

    Raises RuleRefused, NotFound.
    """
    await rulebook.check_rule(actor, new, now)
    return await _try(actor.county_id, new, now)


async def of_caps(actor: Actor, new: Caps, now: datetime) -> Trial:
    """Try caps that could be put into force on all records; writes nothing.

    Raises RuleRefused, NotFound.
    """
    await rulebook.check_new_caps(actor, new, now)
    return await _try(actor.county_id, new, now)


async def of_variant(actor: Actor, form: VariantForm, now: datetime) -> Line:
    """What a village would have paid for an item; writes nothing. Raises RuleRefused, NotFound."""
    await variants.check(actor, form, now)
    first, last = _months(now)
    people: dict[UUID, tuple[int, int]] = {}
    for item, after in await posting.trial_of_variant(actor.county_id, form, first, last):
        was, would = people.get(item.worker_id, (0, 0))
        people[item.worker_id] = (was + item.paid, would + after)
    return _line("", people.values())


def _months(now: datetime) -> tuple[date, date]:
    """First and last day of the whole months before a day."""
    this = month_of(today(now))
    return month_start(months_later(this, -MONTHS)), month_start(this) - timedelta(days=1)


async def _try(county_id: int, new: Rule | Caps, now: datetime) -> Trial:
    first, last = _months(now)
    people: dict[str, dict[UUID, tuple[int, int]]] = defaultdict(dict)
    records = 0
    async for item, after in posting.trial(county_id, new, first, last):
        records += 1
        for code in (item.grid_code[:9], ""):
            was, would = people[code].get(item.worker_id, (0, 0))
            people[code][item.worker_id] = (was + item.posted, would + after)
    names = {code: unit.name for code, unit in (await roster.units(county_id, people)).items()}
    return Trial(
        first=first,
        last=last,
        records=records,
        lines=[
            _line(names.get(code, "合计"), people[code].values())
            for code in sorted(people, key=lambda code: (code == "", code))
        ],
    )


def _line(name: str, people: Iterable[tuple[int, int]]) -> Line:
    found = list(people)
    return Line(
        name=name,
        workers=len(found),
        before=sum(before for before, _ in found),
        after=sum(after for _, after in found),
        gain=sum(after > before for before, after in found),
        lose=sum(after < before for before, after in found),
    )
