"""Single facts: spot checks, commendations, complaints, vetoes.

Nothing is edited. A correction is a new entry that replaces the old one with a reason; a withdrawn
one stays readable. A veto is proposed by one and counts when another has approved it.
"""

from datetime import date, datetime
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.casework import queries as casework
from appraisal.cycle.schemas import CycleRow
from appraisal.duty import entry_queries as queries
from appraisal.duty import rules, service
from appraisal.duty.errors import NotInPost
from appraisal.duty.rules import EntryForm, EntryKind
from appraisal.duty.schemas import Entry
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster.rules import county_code

PAGE = 50
EXPORT_LIMIT = 20_000
FAR = (date(2000, 1, 1), date(2199, 12, 31))
COUNTING = ("standing", "proposed")


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of the list; empty = any."""

    kind: EntryKind | None = None
    unit: str = ""
    state: str = ""
    name: str = ""
    since: date | None = None
    until: date | None = None


async def add(actor: Actor, form: EntryForm, now: datetime, *, source: str = "form") -> UUID:
    """Enter a fact; a veto waits for approval.

    Raises Invalid naming fields, NotInPost, Forbidden for one's own, Frozen, Conflict if it is
    there already.
    """
    form = rules.settled(form)
    if faults := rules.entry_faults(form, today(now)):
        raise Invalid("有几处需要改正。", faults)
    return await _insert(actor, form, now, source, None)


async def correct(
    actor: Actor, entry_id: UUID, form: EntryForm, reason: str, now: datetime
) -> UUID:
    """Put a new entry in the place of one; kind, person and village stay.

    Raises Invalid, NotFound, Conflict, Forbidden, Frozen.
    """
    reason = _reason(reason, "请写明更正的原因。")
    async with DB.transaction():
        old = await _counting(actor, entry_id)
        form = msgspec.structs.replace(
            form, kind=old.kind, person_id=old.person_id, village_code=old.village_code
        )
        form = rules.settled(form)
        if faults := rules.entry_faults(form, today(now)):
            raise Invalid("有几处需要改正。", faults)
        await service.expect_open(actor.county_id, [old.happened_on])
        await queries.settle(actor.county_id, entry_id, "replaced", reason)
        return await _insert(actor, form, now, "form", old, reason)


async def withdraw(actor: Actor, entry_id: UUID, reason: str) -> None:
    """Take an entry back. Raises Invalid, NotFound, Conflict, Forbidden, Frozen."""
    reason = _reason(reason, "请写明撤销的原因。")
    async with DB.transaction():
        old = await _counting(actor, entry_id)
        await service.expect_open(actor.county_id, [old.happened_on])
        await queries.settle(actor.county_id, entry_id, "withdrawn", reason)
        await _audit(actor, "duty.withdraw", old, {"state": old.state}, "withdrawn", reason)


async def decide(actor: Actor, entry_id: UUID, *, stands: bool, reason: str, now: datetime) -> None:
    """Approve or refuse a proposed veto, by somebody who did not enter it.

    Raises Invalid, NotFound, Conflict, Forbidden, Frozen.
    """
    reason = _reason(reason, "请写明审定的理由。")
    async with DB.transaction():
        old = await _locked(actor.county_id, entry_id)
        require(
            actor,
            Action.VETO_DECIDE,
            Target(unit_code=old.village_code, owner=old.person_id, maker=old.entered_by),
        )
        if old.state != "proposed":
            raise Conflict(f"这一条{old.state_name}，不用再审定。")
        if actor.person_id in await casework.kin(actor.county_id, old.person_id):
            raise Conflict("您与当事人是近亲属，依规应当回避，请换一个人审定。")
        await service.expect_open(actor.county_id, [old.happened_on])
        state = "standing" if stands else "refused"
        await queries.settle(actor.county_id, entry_id, state, reason, (actor.person_id, now))
        await _audit(actor, Action.VETO_DECIDE, old, {"state": old.state}, state, reason)


async def view(actor: Actor, entry_id: UUID) -> list[Entry]:
    """An entry and what it replaced, latest first. Raises NotFound."""
    found = await queries.chain(actor.county_id, entry_id)
    if not found:
        raise NotFound
    first = found[0]
    require(actor, Action.DUTY_VIEW, Target(unit_code=first.village_code, owner=first.person_id))
    return found


async def listed(actor: Actor, given: Filter, page: int = 1) -> tuple[list[Entry], int]:
    """A page of the list and how many there are. Raises NotFound."""
    condition = _condition(actor, given)
    rows = await queries.listed(actor.county_id, condition, PAGE, (max(page, 1) - 1) * PAGE)
    return rows, await queries.count(actor.county_id, condition)


async def all_listed(actor: Actor, given: Filter) -> list[Entry]:
    """The whole list, for the export. Raises NotFound, Invalid above EXPORT_LIMIT."""
    rows = await queries.listed(actor.county_id, _condition(actor, given), EXPORT_LIMIT + 1, 0)
    if len(rows) > EXPORT_LIMIT:
        raise Invalid(f"超过 {EXPORT_LIMIT} 条，请缩短日期范围再导出。")
    return rows


async def own(actor: Actor) -> list[Entry]:
    """What counts of the actor, latest first."""
    return await queries.of_person(actor.county_id, actor.person_id)


async def to_decide(actor: Actor) -> list[Entry]:
    """Proposed vetoes that wait for somebody else's decision."""
    codes = reach(actor, Action.VETO_DECIDE)
    if not codes:
        return []
    condition = (codes, EntryKind.VETO.value, "proposed", "", *FAR)
    return await queries.listed(actor.county_id, condition, PAGE, 0)


async def undecided(county_id: int, cycle: CycleRow) -> list[str]:
    """Gate of scoring: no veto of the period may still wait for its decision."""
    code = county_code(county_id)
    span = (cycle.starts_on, cycle.ends_on)
    condition = ((code,), EntryKind.VETO.value, "proposed", "", *span)
    count = await queries.count(county_id, condition)
    return [f"有 {count} 件一票否决等待审定。"] if count else []


def may_change(actor: Actor, entry: Entry) -> bool:
    """Whether correcting or withdrawing it would be let through; the stage is asked later."""
    if entry.state not in COUNTING:
        return False
    return allowed(actor, _changing(entry), _target(entry)).allowed


def may_decide(actor: Actor, entry: Entry) -> bool:
    if entry.state != "proposed":
        return False
    target = Target(unit_code=entry.village_code, owner=entry.person_id, maker=entry.entered_by)
    return allowed(actor, Action.VETO_DECIDE, target).allowed


async def _insert(
    actor: Actor,
    form: EntryForm,
    now: datetime,
    source: str,
    old: Entry | None,
    reason: str = "",
) -> UUID:
    place = await service.place(
        actor, Action.DUTY_EDIT, form.person_id, form.happened_on, form.village_code
    )
    if place is None:
        raise NotInPost
    service.expect_right(actor, Action.DUTY_EDIT, place.village_code, form.person_id)
    entry_id = new_id()
    state = "proposed" if form.kind is EntryKind.VETO else "standing"
    stamp = (state, source, actor.person_id, now)
    try:
        async with DB.transaction():
            await service.expect_open(actor.county_id, [form.happened_on])
            await queries.insert(
                actor.county_id, entry_id, form, place.village_code, stamp, old.id if old else None
            )
            await audit.record(
                actor,
                "duty.correct" if old else "duty.enter",
                "duty_entry",
                entry_id,
                county_id=actor.county_id,
                about_id=form.person_id,
                unit_code=place.village_code,
                before=old,
                after=form,
                reason=reason,
            )
    except UniqueViolationError as error:
        raise Conflict("已有一条内容完全相同的记录，不用再登记。") from error
    return entry_id


async def _locked(county_id: int, entry_id: UUID) -> Entry:
    row = await queries.one(county_id, entry_id, lock=True)
    if row is None:
        raise NotFound
    return row


async def _counting(actor: Actor, entry_id: UUID) -> Entry:
    """An entry the actor may change, that still counts. Raises NotFound, Conflict, Forbidden."""
    old = await _locked(actor.county_id, entry_id)
    require(actor, _changing(old), _target(old))
    if old.state not in COUNTING:
        raise Conflict(f"这一条{old.state_name}，不能再改。")
    return old


def _changing(entry: Entry) -> Action:
    """An approved veto is changed only by who may approve one."""
    approved = entry.kind is EntryKind.VETO and entry.state == "standing"
    return Action.VETO_DECIDE if approved else Action.DUTY_EDIT


def _target(entry: Entry) -> Target:
    return Target(unit_code=entry.village_code, owner=entry.person_id)


def _condition(actor: Actor, given: Filter) -> queries.Condition:
    codes = reach(actor, Action.DUTY_VIEW)
    if given.unit or not codes:
        unit = given.unit or actor.county_code
        require(actor, Action.DUTY_VIEW, Target(unit_code=unit))
        codes = (unit,)
    first, last = given.since or FAR[0], given.until or FAR[1]
    return codes, given.kind or "", given.state, given.name, first, last


def _reason(text: str, sentence: str) -> str:
    if not text.strip():
        raise Invalid(sentence, {"reason": sentence})
    return text.strip()


async def _audit(
    actor: Actor, action: str, entry: Entry, before: object, state: str, reason: str
) -> None:
    await audit.record(
        actor,
        action,
        "duty_entry",
        entry.id,
        county_id=actor.county_id,
        about_id=entry.person_id,
        unit_code=entry.village_code,
        before=before,
        after={"state": state, "kind": entry.kind, "person_id": entry.person_id},
        reason=reason,
    )
