"""Bringing a cycle to the stage a test is about."""

from datetime import datetime
from uuid import UUID

import msgspec

from appraisal.cycle import advancing, rules, service
from appraisal.cycle.rules import Kind, Stage
from appraisal.cycle.schemas import CycleForm
from appraisal.scorecard import queries
from shared.identity.actor import Actor
from tests.appraisal.scorecard.worlds import stored_run


async def opened(
    actor: Actor, now: datetime, *, kind: Kind = Kind.HALF_YEAR, year: int = 2026
) -> UUID:
    """A new cycle in draft; ``actor`` is the department's."""
    return await service.open_cycle(actor, CycleForm(kind=kind, year=year), now)


async def bring_to(actor: Actor, cycle_id: UUID, stage: Stage, now: datetime) -> None:
    """Take the usual steps forward until the cycle stands in ``stage``."""
    actor = msgspec.structs.replace(actor, confirmed_at=now)
    while (found := await service.get(actor, cycle_id)).state is not stage:
        forward = rules.steps_from(found.state)[0]
        if forward.target is Stage.REVIEW:
            await ensure_run(actor.county_id, cycle_id)
        await advancing.advance(actor, cycle_id, forward.target, "", now)


async def ensure_run(county_id: int, cycle_id: UUID) -> None:
    """A run of nobody, where the test has not scored: a review needs one."""
    if await queries.current_run(county_id, cycle_id) is None:
        run_id = await stored_run(cycle_id, [], county_id=county_id)
        await queries.make_current(county_id, cycle_id, run_id, 0)
