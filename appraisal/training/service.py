"""Training: sessions are entered, people's presence and tests handed in, hours required.

A line is session × person. The same line again changes nothing; another one is a new version with
a reason. A session that was entered wrongly is cancelled and entered anew.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.duty import service as duty
from appraisal.duty.errors import Changed
from appraisal.duty.service import Saved
from appraisal.training import queries, rules
from appraisal.training.rules import SessionForm
from appraisal.training.schemas import (
    Attendee,
    AttendeeInput,
    AttendeeRow,
    OwnSession,
    Requirement,
    SessionRow,
    TotalLine,
    Totals,
)
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, allowed, reach, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id

PAGE = 50
NO_SESSION = UUID(int=0)
FAR = (date(2000, 1, 1), date(2199, 12, 31))


async def add_session(actor: Actor, form: SessionForm, now: datetime) -> UUID:
    """Enter a session. Raises NotFound, Invalid, Frozen, Conflict if it is there already."""
    require(actor, Action.TRAINING_EDIT, Target(unit_code=form.unit_code))
    if faults := rules.session_faults(form, today(now)):
        raise Invalid("有几处需要改正。", faults)
    session_id = new_id()
    try:
        async with DB.transaction():
            await duty.expect_open(actor.county_id, [form.held_on])
            await queries.insert_session(actor.county_id, session_id, form, actor.person_id, now)
            await _audit(actor, "training.session", session_id, form.unit_code, form)
    except UniqueViolationError as error:
        raise Conflict("这一天已登记过同名的培训，请在列表中打开。") from error
    return session_id


async def find_session(county_id: int, form: SessionForm) -> SessionRow | None:
    """The session that a file speaks of, if it was entered."""
    found = await queries.find(county_id, form)
    return await queries.session(county_id, found) if found else None


async def cancel(actor: Actor, session_id: UUID, reason: str) -> None:
    """Take a session back: it counts for nobody. Raises Invalid, NotFound, Conflict, Frozen."""
    if not reason.strip():
        raise Invalid("请写明取消的原因。", {"reason": "请写明取消的原因。"})
    async with DB.transaction():
        row = await _editable(actor, session_id)
        await queries.cancel(actor.county_id, session_id, reason.strip())
        await _audit(
            actor,
            "training.cancel",
            session_id,
            row.unit_code,
            {"state": "cancelled", "title": row.title},
            reason.strip(),
        )


async def record(
    actor: Actor,
    session_id: UUID,
    lines: Sequence[AttendeeInput],
    now: datetime,
    *,
    reason: str = "",
    source: str = "form",
) -> Saved:
    """Hand in who came and what the test said.

    Raises Invalid naming each wrong line by its person, NotFound, Conflict, Forbidden for one's
    own, Frozen, Changed.
    """
    problems = {}
    for line in lines:
        duty.expect_right(actor, Action.TRAINING_EDIT, line.village_code, line.person_id)
        if fault := rules.result_fault(present=line.present, test=line.test):
            problems[str(line.person_id)] = fault
    if problems:
        raise Invalid("有几行需要改正。", problems)
    try:
        async with DB.transaction():
            row = await _locked(actor.county_id, session_id)
            if row.state != "held":
                raise Conflict("这次培训已取消，不能再登记。")
            await duty.expect_open(actor.county_id, [row.held_on])
            return await _write(actor, row, lines, now, reason.strip(), source)
    except UniqueViolationError as error:
        raise Changed from error


async def require_hours(
    actor: Actor, cycle_id: UUID, hours: Decimal, reason: str, now: datetime
) -> None:
    """State what a cycle asks of everybody. Raises NotFound, Invalid, WrongStage, Changed."""
    require(actor, Action.TRAINING_REQUIRE, whole_county(actor.county_id))
    if not rules.half_hours(hours, rules.MOST_REQUIRED):
        sentence = f"学时以 0.5 为单位，要在 0.5 到 {rules.MOST_REQUIRED} 之间。"
        raise Invalid("有几处需要改正。", {"hours": sentence})
    try:
        async with DB.transaction():
            await cycles.expect(actor.county_id, cycle_id, Stage.DRAFT, Stage.COLLECT)
            known = await queries.requirements(actor.county_id, cycle_id)
            version = known[0].version + 1 if known else 1
            if known and not reason.strip():
                raise Invalid("请写明修改的原因。", {"reason": "请写明修改的原因。"})
            stamp = (reason.strip(), actor.person_id, now)
            await queries.insert_requirement(
                actor.county_id, new_id(), cycle_id, version, hours, stamp
            )
            await audit.record(
                actor,
                Action.TRAINING_REQUIRE,
                "cycle",
                cycle_id,
                county_id=actor.county_id,
                before={"hours": known[0].hours} if known else None,
                after={"hours": hours, "version": version},
                reason=reason.strip(),
            )
    except UniqueViolationError as error:
        raise Changed from error


async def requirement(actor: Actor, cycle_id: UUID) -> list[Requirement]:
    """All stated versions, the one that counts first; empty = DEFAULT_HOURS. Raises NotFound."""
    await cycles.get(actor, cycle_id)
    return await queries.requirements(actor.county_id, cycle_id)


async def sessions(
    actor: Actor, first: date | None = None, last: date | None = None
) -> list[SessionRow]:
    """Sessions of the actor's units and of those above them, latest first. Raises NotFound."""
    codes = _reach(actor)
    return await queries.sessions(actor.county_id, codes, first or FAR[0], last or FAR[1])


async def session(actor: Actor, session_id: UUID) -> tuple[SessionRow, list[Attendee]]:
    """A session and everybody in the actor's reach who could have come. Raises NotFound."""
    row = await queries.session(actor.county_id, session_id)
    codes = _reach(actor)
    if row is None:
        raise NotFound
    within = [code for code in codes if row.unit_code.startswith(code)]
    below = [code for code in codes if code.startswith(row.unit_code)]
    if not within and not below:
        raise NotFound
    units = [row.unit_code] if within else below
    return row, await queries.attendees(actor.county_id, units, row.held_on, session_id)


async def candidates(actor: Actor, on: date) -> list[Attendee]:
    """Gridworkers of a day in the actor's reach, nobody marked. Raises NotFound."""
    return await queries.attendees(actor.county_id, _reach(actor), on, NO_SESSION)


async def totals(actor: Actor, cycle_id: UUID) -> tuple[CycleRow, list[TotalLine]]:
    """Everybody's training in a cycle, in the actor's reach. Raises NotFound."""
    cycle = await cycles.get(actor, cycle_id)
    return cycle, await queries.totals(actor.county_id, cycle_id, _reach(actor))


async def own(actor: Actor) -> tuple[list[OwnSession], list[Totals]]:
    """The actor's own sessions, and hours against what each cycle asks."""
    found = await queries.own(actor.county_id, actor.person_id)
    return found, await queries.own_totals(actor.county_id, actor.person_id)


def may_edit(actor: Actor, unit_code: str = "") -> bool:
    """Whether the actor may enter sessions (of this unit, or of any)."""
    if not unit_code:
        return bool(reach(actor, Action.TRAINING_EDIT))
    return allowed(actor, Action.TRAINING_EDIT, Target(unit_code=unit_code)).allowed


def may_enter(actor: Actor, who: Attendee) -> bool:
    """Whether the actor may hand in this person's line."""
    target = Target(unit_code=who.village_code, owner=who.person_id)
    return allowed(actor, Action.TRAINING_EDIT, target).allowed


def may_require(actor: Actor) -> bool:
    county = whole_county(actor.county_id)
    return allowed(actor, Action.TRAINING_REQUIRE, county).allowed


async def _write(
    actor: Actor,
    row: SessionRow,
    lines: Sequence[AttendeeInput],
    now: datetime,
    reason: str,
    source: str,
) -> Saved:
    known = {one.person_id: one for one in await queries.current(actor.county_id, row.id)}
    saved, fresh, events = Saved(), [], []
    for line in lines:
        before = known.get(line.person_id)
        if before is None and not line.present:
            saved.same += 1  # nobody has to be listed as absent
            continue
        if before is not None and (before.present, before.test) == (line.present, line.test):
            saved.same += 1
            continue
        if before is None:
            saved.created += 1
        else:
            saved.corrected += 1
        version = before.version + 1 if before else 1
        one = AttendeeRow(**msgspec.structs.asdict(line), version=version)
        fresh.append(one)
        events.append(
            audit.Entry("training.result", "person", line.person_id, line.village_code, before, one)
        )
    if saved.corrected and not reason:
        raise Invalid(
            f"有 {saved.corrected} 人是改已有的登记，请写明更正原因。", {"reason": "请写明原因。"}
        )
    if fresh:
        stamp = (reason, source, actor.person_id, now)
        await queries.write(actor.county_id, row.id, stamp, [new_id() for _ in fresh], fresh)
        await audit.record_all(actor, events, county_id=actor.county_id, reason=reason or row.title)
    return saved


async def _locked(county_id: int, session_id: UUID) -> SessionRow:
    row = await queries.session(county_id, session_id, lock=True)
    if row is None:
        raise NotFound
    return row


async def _editable(actor: Actor, session_id: UUID) -> SessionRow:
    row = await _locked(actor.county_id, session_id)
    require(actor, Action.TRAINING_EDIT, Target(unit_code=row.unit_code))
    if row.state != "held":
        raise Conflict("这次培训已经取消。")
    await duty.expect_open(actor.county_id, [row.held_on])
    return row


def _reach(actor: Actor) -> tuple[str, ...]:
    codes = reach(actor, Action.TRAINING_VIEW)
    if not codes:
        require(actor, Action.TRAINING_VIEW, whole_county(actor.county_id))
    return codes


async def _audit(
    actor: Actor, action: str, session_id: UUID, unit_code: str, after: object, reason: str = ""
) -> None:
    await audit.record(
        actor,
        action,
        "training_session",
        session_id,
        county_id=actor.county_id,
        unit_code=unit_code,
        after=after,
        reason=reason,
    )
