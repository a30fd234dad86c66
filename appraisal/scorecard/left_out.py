"""漏评: who was in post on the last day and is in no result that has come out.

Without a result there is nothing to object to, so the department reports it as a case, which
somebody else decides. Before the results are out, the roster is put right and all scored again.
"""

from datetime import datetime
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError

from appraisal.casework import service as casework
from appraisal.casework.machines import LEFT_OUT
from appraisal.casework.schemas import Opening, SignForm
from appraisal.casework.world import RESULT_OUT
from appraisal.cycle import service as cycles
from shared.database import DB
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.roster import service as roster

KNOWN = "这个人的漏评已经登记过，请在“考核事项”里打开。"
NOT_THERE = "考核期最后一天，名册上这个人不在网格员岗位；名册有误的，请先更正名册。"


async def report(
    actor: Actor, cycle_id: UUID, person_id: UUID, form: SignForm, now: datetime
) -> UUID:
    """Open the case. Raises NotFound, NoCycle, WrongStage, Invalid, StepRefused, Conflict."""
    require(actor, Action.CYCLE_EDIT, whole_county(actor.county_id))
    try:
        async with DB.transaction():
            cycle = await cycles.expect(actor.county_id, cycle_id, *RESULT_OUT)
            place = await roster.worker_place(actor.county_id, person_id, cycle.ends_on)
            if place is None:
                raise Invalid(NOT_THERE, {"person_id": NOT_THERE})
            opening = Opening(
                machine=LEFT_OUT.key,
                person_id=person_id,
                unit_code=place.grid_code,
                about_cycle_id=cycle_id,
            )
            return await casework.open_case(actor, opening, form, now)
    except UniqueViolationError as error:
        raise Conflict(KNOWN) from error
