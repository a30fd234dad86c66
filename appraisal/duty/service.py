"""Attendance sheets: whom a month expects, what was handed in, what is still missing.

A line is a person × village × month. Handing in the same line again changes nothing; another line
is a new version with a reason. Once the cycle over the month has left its collecting stage nothing
of it changes (``Frozen``).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.cycle import service as cycles
from appraisal.cycle.rules import STAGE_NAMES, Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.duty import queries, rules
from appraisal.duty.errors import Changed, Frozen, NotInPost
from appraisal.duty.rules import Days
from appraisal.duty.schemas import (
    Missing,
    SheetInput,
    SheetLine,
    SheetRow,
    SheetVersion,
    UnitCount,
    Worker,
)
from shared.audit import service as audit
from shared.calendar import service as calendar
from shared.clock import today
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity.access import SENTENCES, Action, Target, allowed, reach, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.months import month_cn, month_days, month_of, month_start, months_later
from shared.roster import service as roster
from shared.roster.roles import UnitKind
from shared.roster.schemas import Place, UnitRow

OPEN_STAGES = (Stage.DRAFT, Stage.COLLECT)
MOST_LINES = 20_000


class Saved(msgspec.Struct):
    """What handing in a sheet did."""

    created: int = 0
    corrected: int = 0
    same: int = 0


async def expect_open(county_id: int, days: Iterable[date]) -> None:
    """Nothing may be written for days whose cycle is past collecting; call it in the transaction.

    Raises Frozen.
    """
    for cycle in await queries.covering(county_id, sorted(set(days))):
        if cycle.state not in OPEN_STAGES:
            raise Frozen(cycle.title, STAGE_NAMES[cycle.state])


async def frozen(county_id: int, day: date) -> str:
    """Why nothing may be written for a day, so that no page offers it; empty if it may."""
    try:
        await expect_open(county_id, [day])
    except Frozen as error:
        return error.message
    return ""


def expect_right(actor: Actor, action: Action, unit_code: str, owner: UUID) -> str:
    """The authority to write about a worker; a stranger is a wrong field, not a missing page.

    Raises NotInPost, Forbidden for one's own data.
    """
    decision = allowed(actor, action, Target(unit_code=unit_code, owner=owner))
    if decision.allowed:
        return decision.authority
    if sentence := SENTENCES.get(decision.reason):
        raise Forbidden(sentence)
    raise NotInPost


async def months(actor: Actor, month: int) -> list[UnitCount]:
    """Townships in the actor's reach: workers expected on the month's sheets, lines there."""
    codes = _reach(actor, Action.DUTY_VIEW)
    return await queries.counts(actor.county_id, codes, month_days(month), month)


async def sheet(actor: Actor, unit_code: str, month: int) -> list[SheetLine]:
    """Every gridworker of a unit in a month, with their line if there is one.

    Without a unit, those of all the actor's units. Raises NotFound.
    """
    if unit_code:
        require(actor, Action.DUTY_VIEW, Target(unit_code=unit_code))
    codes = [unit_code] if unit_code else _reach(actor, Action.DUTY_VIEW)
    return await queries.sheet(actor.county_id, codes, month_days(month), month)


async def usual_days(county_id: int, lines: Sequence[SheetLine]) -> dict[tuple[UUID, str], Decimal]:
    """Working days within each line's time in post: what 应出勤 usually is.

    Raises MissingYear.
    """
    known: dict[tuple[date, date], int] = {}
    found = {}
    for line in lines:
        span = (line.first_day, line.last_day)
        if span not in known:
            known[span] = await calendar.working_days(county_id, *span)
        found[line.person_id, line.village_code] = Decimal(known[span])
    return found


async def save(
    actor: Actor,
    lines: Sequence[SheetInput],
    now: datetime,
    *,
    reason: str = "",
    source: str = "form",
) -> Saved:
    """Hand in lines: new ones, corrections with a reason, unchanged ones.

    Raises Invalid naming each wrong line by its person, Forbidden, Frozen, Changed.
    """
    if len(lines) > MOST_LINES:
        raise Invalid(f"一次最多 {MOST_LINES} 行，请分几次。")
    for line in lines:
        expect_right(actor, Action.DUTY_EDIT, line.village_code, line.person_id)
    await _expect_sound(actor.county_id, lines)
    try:
        async with DB.transaction():
            await expect_open(actor.county_id, [month_start(line.month) for line in lines])
            return await _write(actor, lines, now, reason.strip(), source)
    except UniqueViolationError as error:
        raise Changed from error


async def own(actor: Actor) -> list[SheetVersion]:
    """The actor's own lines that count, latest first."""
    return await queries.versions(actor.county_id, actor.person_id, current_only=True)


async def missing(
    actor: Actor, cycle_id: UUID, now: datetime
) -> tuple[CycleRow, list[Missing], dict[str, str]]:
    """The cycle, whose lines are missing in months that are over, and whom to ask.

    Raises NotFound.
    """
    cycle = await cycles.get(actor, cycle_id)
    codes = _reach(actor, Action.DUTY_VIEW)
    until = months_later(month_of(today(now)), -1)
    rows = await queries.missing(actor.county_id, cycle_id, codes, until)
    townships = sorted({row.township_code for row in rows})
    return cycle, rows, await queries.instructors(actor.county_id, townships, today(now))


async def workers(actor: Actor, action: Action, on: date) -> list[Worker]:
    """Gridworkers in post on a day whom the actor may write about, without the actor."""
    found = await queries.serving(actor.county_id, _reach(actor, action), on, on)
    return [one for one in found if one.person_id != actor.person_id]


async def place(
    actor: Actor, action: Action, person_id: UUID, on: date, chosen: str = ""
) -> Place | None:
    """Of who works in several villages that day: the chosen one, else the actor's own."""
    for code in (*filter(None, (chosen, *reach(actor, action))), ""):
        found = await roster.worker_place(actor.county_id, person_id, on, code)
        if found is not None:
            return found
    return None


async def townships(actor: Actor, action: Action) -> list[UnitRow]:
    """Townships within the actor's reach; those that a village lies in, for village roles."""
    found: dict[str, UnitRow] = {}
    for code in _reach(actor, action):
        near = code[:9]
        for unit in await roster.units_below(actor.county_id, near, UnitKind.TOWNSHIP):
            found[unit.code] = unit
    return [found[code] for code in sorted(found)]


async def unit(county_id: int, code: str) -> UnitRow:
    """A unit by its code. Raises NotFound."""
    found = await roster.unit_by_code(county_id, code)
    if found is None:
        raise NotFound
    return found


def may_edit(actor: Actor) -> bool:
    """Whether there is any unit the actor may write about."""
    return bool(reach(actor, Action.DUTY_EDIT))


def may_write(actor: Actor, unit_code: str) -> bool:
    """Whether the actor may write about this unit's workers."""
    return allowed(actor, Action.DUTY_EDIT, Target(unit_code=unit_code)).allowed


def _reach(actor: Actor, action: Action) -> tuple[str, ...]:
    """Units of the actor's right; raises NotFound when there are none."""
    codes = reach(actor, action)
    if not codes:
        require(actor, action, whole_county(actor.county_id))
    return codes


async def _expect_sound(county_id: int, lines: Sequence[SheetInput]) -> None:
    """Each line's figures are possible, and its person was in post there that month."""
    posts: dict[int, set[tuple[UUID, str]]] = {}
    for month in {line.month for line in lines}:
        villages = sorted({line.village_code for line in lines if line.month == month})
        served = await queries.serving(county_id, villages, *month_days(month))
        posts[month] = {(one.person_id, one.village_code) for one in served}
    problems: dict[str, str] = {}
    for line in lines:
        if (line.person_id, line.village_code) not in posts[line.month]:
            name = month_cn(line.month)
            problems[str(line.person_id)] = f"{name}不在这个村的网格员岗位上，请核对。"
            continue
        days = Days(line.rostered, line.on_duty, line.leave, line.note)
        if faults := rules.day_faults(days, line.month):
            problems[str(line.person_id)] = "".join(faults.values())
    if problems:
        raise Invalid("有几行需要改正。", problems)


async def _write(
    actor: Actor, lines: Sequence[SheetInput], now: datetime, reason: str, source: str
) -> Saved:
    people = sorted({line.person_id for line in lines})
    known = {
        (row.person_id, row.village_code, row.month): row
        for row in await queries.current(
            actor.county_id, people, sorted({line.month for line in lines})
        )
    }
    saved, fresh, events = Saved(), [], []
    # In one order, so that two that hand in the same lines wait for each other.
    for line in sorted(lines, key=lambda one: (one.person_id, one.village_code, one.month)):
        before = known.get((line.person_id, line.village_code, line.month))
        if before is not None and _equal(before, line):
            saved.same += 1
            continue
        if before is None:
            saved.created += 1
        else:
            saved.corrected += 1
        version = before.version + 1 if before else 1
        row = SheetRow(**msgspec.structs.asdict(line), version=version)
        fresh.append(row)
        events.append(
            audit.Entry("duty.attendance", "person", line.person_id, line.village_code, before, row)
        )
    if saved.corrected and not reason:
        raise Invalid(
            f"有 {saved.corrected} 行是改已有的考勤，请写明更正原因。", {"reason": "请写明原因。"}
        )
    if fresh:
        await queries.retire(actor.county_id, fresh)
        stamp = (reason, source, actor.person_id, now)
        await queries.insert(actor.county_id, stamp, [new_id() for _ in fresh], fresh)
        await audit.record_all(actor, events, county_id=actor.county_id, reason=reason)
    return saved


def _equal(before: SheetRow, line: SheetInput) -> bool:
    names = ("rostered", "on_duty", "leave", "note")
    return all(getattr(before, name) == getattr(line, name) for name in names)
