"""Deadlines and "N working days" everywhere come from here, from the county's own table.

A year is seeded from the published arrangement the first time it is asked for, and from then on
the table wins. A year that neither has raises MissingYear: a job that meets it fails and shows on
the health page, a page says what to enter, and nobody's deadline is guessed.
"""

from datetime import date

from shared.audit import service as audit
from shared.calendar import queries, rules
from shared.calendar.errors import MissingYear
from shared.calendar.rules import DayException
from shared.database import DB
from shared.errors import Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id


async def add_working_days(county_id: int, start: date, count: int) -> date:
    """The last day of a period of ``count`` working days that begins the day after ``start``.

    ``count`` 0 gives ``start`` itself or, on a day of rest, the next working day. Raises
    MissingYear.
    """
    known: dict[int, dict[date, bool]] = {}
    years = [start.year]
    while True:
        for year in years:
            known[year] = await _exceptions(county_id, year)
        try:
            return rules.nth_working_day(
                start, count, lambda day: rules.is_working(day, known[day.year])
            )
        except KeyError:
            years = [max(known) + 1]


async def working_days(county_id: int, first: date, last: date) -> int:
    """How many days from first to last, both included, are worked. Raises MissingYear."""
    known = {
        number: await _exceptions(county_id, number) for number in range(first.year, last.year + 1)
    }
    return rules.count_working(first, last, lambda day: rules.is_working(day, known[day.year]))


async def next_working_day(county_id: int, day: date) -> date:
    """A deadline on a holiday moves to the next working day. Raises MissingYear."""
    return await add_working_days(county_id, day, 0)


async def year(county_id: int, number: int) -> tuple[DayException, ...]:
    """A year's exceptions in date order, seeded on first use. Raises MissingYear."""
    days = await queries.year(county_id, number)
    if not days:
        published = rules.library_year(number)
        async with DB.transaction():
            await queries.lock(county_id)
            days = await queries.year(county_id, number)  # entered by the department meanwhile?
            if not days:
                await queries.insert(county_id, [new_id() for _ in published], published)
                days = await queries.year(county_id, number)
    return tuple(days)


async def missing(county_id: int, on: date) -> list[int]:
    """Years that deadlines may soon reach and nobody has entered: the alarm of the desk."""
    years = [on.year] if on.month < 11 else [on.year, on.year + 1]  # published each November
    absent = []
    for number in years:
        try:
            await year(county_id, number)
        except MissingYear:
            absent.append(number)
    return absent


async def replace_year(actor: Actor, number: int, text: str) -> tuple[DayException, ...]:
    """Replace the arrangement of a whole year by what the department typed.

    Raises Invalid naming each wrong line; nothing is written then.
    """
    require(actor, Action.CALENDAR_EDIT, whole_county(actor.county_id))
    days, faults = rules.parse_year(number, text)
    if faults:
        raise Invalid("有几处需要改正。", {"days": " ".join(faults)})
    async with DB.transaction():
        await queries.lock(actor.county_id)
        before = await queries.year(actor.county_id, number)
        await queries.delete_year(actor.county_id, number)
        await queries.insert(actor.county_id, [new_id() for _ in days], days)
        await audit.record(
            actor,
            "calendar.replace",
            "calendar_year",
            county_id=actor.county_id,
            before={"year": number, "days": len(before)},
            after={"year": number, "days": rules.as_text(days)},
        )
    return days


async def _exceptions(county_id: int, number: int) -> dict[date, bool]:
    return {item.day: item.working for item in await year(county_id, number)}
