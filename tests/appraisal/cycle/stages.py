"""Bringing a cycle to the stage a test is about."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from appraisal.cycle import advancing, rules, service
from appraisal.cycle.rules import Kind, Stage
from appraisal.cycle.schemas import CycleForm
from appraisal.notice import queries as notices
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm
from appraisal.scorecard import queries
from shared import clock
from shared.database import DB
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
        if found.state is Stage.NOTICE:
            await told(actor, cycle_id)
        forward = rules.steps_from(found.state)[0]
        if forward.target is Stage.REVIEW:
            await ensure_run(actor.county_id, cycle_id)
        await advancing.advance(actor, cycle_id, forward.target, "", now)


async def ensure_run(county_id: int, cycle_id: UUID) -> None:
    """A run of nobody, where the test has not scored: a review needs one."""
    if await queries.current_run(county_id, cycle_id) is None:
        run_id = await stored_run(cycle_id, [], county_id=county_id)
        await queries.make_current(county_id, cycle_id, run_id, 0)


async def told(actor: Actor, cycle_id: UUID) -> None:
    """The notice is over and everybody signed for their result, long ago."""
    then = clock.now() - timedelta(days=60)
    county_id = actor.county_id
    if await notices.notice_of_cycle(county_id, cycle_id) is None:
        await notice.issue_results(actor, cycle_id, NoticeForm(), then)
    await DB.execute(
        "INSERT INTO appraisal.serving (county_id, id, about_cycle_id, person_id, unit_code, grade,"
        " how, served_on, server_id, server_name, witness_one, witness_two, post_number,"
        " objection_until, recorded_at)"
        " SELECT r.county_id, gen_random_uuid(), r.cycle_id, r.person_id, r.grid_code, r.grade,"
        " 'signed', $3, $4, '', '', '', '', $3::date + 7, $5"
        " FROM appraisal.scorecard r"
        " WHERE r.county_id = $1 AND r.cycle_id = $2 AND r.current"
        " ON CONFLICT DO NOTHING",
        county_id,
        cycle_id,
        clock.today(then),
        actor.person_id,
        then,
    )
