"""The annual result of somebody whose half-year was corrected after the year had taken it in.

A closed half-year opens again only for a paper received in time, by which nobody loses; so the
year is made again only where that raises it. While it is being reviewed everybody is scored again;
once it is out, each person's score moves by a case of its own: signed, served, open to appeal.
"""

from datetime import datetime
from uuid import UUID

from appraisal.casework import service as casework
from appraisal.casework.machines import RECOMPUTED
from appraisal.casework.schemas import Opening, SignForm
from appraisal.casework.world import RESULT_OUT
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Kind, Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.scorecard import queries
from appraisal.scorecard.explaining import decimal
from appraisal.scorecard.rules import annual_score
from appraisal.scorecard.schemas import Behind
from shared import lock_queries
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor

SCORED = frozenset({Stage.REVIEW, *RESULT_OUT, Stage.CLOSED})


async def behind(county_id: int, cycle: CycleRow) -> list[Behind]:
    """Whose annual score of the current run is lower than the closed half-year now makes it."""
    if cycle.kind is not Kind.ANNUAL or cycle.state not in SCORED:
        return []
    found = []
    for row in await queries.first_changed(county_id, cycle.id):
        before = row.period_score
        if row.taken is not None:
            before = annual_score(row.share, row.taken, row.period_score)
        rise = annual_score(row.share, row.first, row.period_score) - before
        # What was calibrated keeps its difference to what was calculated.
        after = min(row.final + rise, 100_00)
        if after > row.final:
            found.append(
                Behind(
                    person_id=row.person_id,
                    name=row.name,
                    grid_code=row.grid_code,
                    first=row.first,
                    before=row.final,
                    after=after,
                )
            )
    return found


async def not_taken_in(county_id: int, cycle: CycleRow) -> list[str]:
    """A gate: nobody's year is published or closed with a half-year that is another by now."""
    count = len(await behind(county_id, cycle))
    how = "退回重新评分" if cycle.state is Stage.REVIEW else "在“评分”页重新计算"
    return [f"有 {count} 人的上半年成绩后来变更了，全年成绩请先{how}。"] if count else []


async def recompute(
    actor: Actor, cycle_id: UUID, words: str, now: datetime, *, no_kin: bool
) -> int:
    """Make the year again for everybody who is behind, a case each; how many.

    Raises NotFound, Forbidden, NoCycle, CycleClosed, WrongStage, Invalid, StepRefused, Conflict.
    """
    require(actor, Action.CYCLE_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        cycle = await cycles.expect(actor.county_id, cycle_id, *RESULT_OUT)
        await lock_queries.take(actor.county_id, f"appraisal.annual {cycle_id}")
        found = await behind(actor.county_id, cycle)
        if not found:
            raise Conflict("没有要重新计算的人，请刷新页面查看。")
        for one in found:
            opening = Opening(
                machine=RECOMPUTED.key,
                person_id=one.person_id,
                unit_code=one.grid_code,
                about_cycle_id=cycle_id,
            )
            answers = {
                "first_half": decimal(one.first, 100),
                "annual": decimal(one.after, 100),
            }
            signed = SignForm(
                step="recomputed",
                words=words,
                effective_on=today(now),
                answers=answers,
                no_kin=no_kin,
            )
            await casework.open_case(actor, opening, signed, now)
    return len(found)
