"""Moving a cycle to its next stage: checked, signed, audited."""

from datetime import datetime
from uuid import UUID

from appraisal.cycle import queries, rules
from appraisal.cycle.rules import Stage, Step
from appraisal.cycle.schemas import CycleRow
from appraisal.errors import CycleClosed, NoCycle
from appraisal.gates import GATES
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.ids import new_id

MAX_NOTE = 500


async def advance(
    actor: Actor, cycle_id: UUID, target: Stage, note: str, now: datetime
) -> CycleRow:
    """Take one step of ``rules.STEPS``.

    Precedence: NotFound, NoCycle, CycleClosed (nothing but opening it again follows), Conflict (no
    such step from here, or something is missing), ConfirmFirst, Invalid (a note is needed).
    """
    unit_code = actor.county_code
    authority = require(actor, Action.CYCLE_EDIT, Target(unit_code=unit_code))
    async with DB.transaction():
        cycle = await queries.cycle_locked(actor.county_id, cycle_id)
        if cycle is None:
            raise NoCycle
        step = rules.step(cycle.state, target)
        if step is None and cycle.state is Stage.CLOSED:
            raise CycleClosed
        if step is None:
            raise Conflict(f"考核现在是“{cycle.stage_name}”，不能这样变更，请刷新页面后再办。")
        if missing := await hindrances(actor.county_id, cycle, step, now):
            raise Conflict("还不能办这一步：" + "".join(missing))
        if step.confirms:
            require_confirmed(actor, now)
        note = note.strip()[:MAX_NOTE]
        if step.needs_note and not note:
            raise Invalid("请写明原因。", {"note": "请写明原因。"})
        closed_at = now if target is Stage.CLOSED else None
        await queries.insert_step(
            actor.county_id,
            new_id(),
            cycle_id,
            cycle.state,
            target,
            now,
            actor.person_id,
            actor.name,
            authority,
            note,
        )
        await queries.set_state(actor.county_id, cycle_id, target, closed_at)
        await audit.record(
            actor,
            Action.CYCLE_EDIT,
            "cycle",
            cycle_id,
            county_id=actor.county_id,
            unit_code=unit_code,
            before={"state": cycle.state},
            after={"state": target},
            reason=note,
            authority=authority,
        )
        after = await queries.cycle(actor.county_id, cycle_id)
    if after is None:  # the row is locked by us
        raise NoCycle
    return after


async def hindrances(county_id: int, cycle: CycleRow, step: Step, now: datetime) -> list[str]:
    """Sentences on what must be done before the step; none if it may be taken."""
    found = []
    if step.after_period and today(now) <= cycle.ends_on:
        found.append(f"考核期到 {cycle.ends_on:%Y年%m月%d日} 才结束。")
    for gate in GATES.get((step.source, step.target), ()):
        found += await gate(county_id, cycle)
    return found
