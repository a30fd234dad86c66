"""Calibration: a person sets another score than the calculated one, and says why."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from appraisal.casework import queries as casework
from appraisal.cycle import queries as cycle_queries
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.errors import CycleClosed
from appraisal.ranking import freezing
from appraisal.scorecard import queries, scoring_queries
from appraisal.scorecard.schemas import CalibrationRow, Scores
from shared.audit import service as audit
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster

STAGES = (Stage.REVIEW, Stage.NOTICE, Stage.APPEAL)
KIN = "您与当事人是近亲属，依规应当回避，请换一个人校准。"
TOLD = "结果已经公布，不能再用校准降低得分；对公示名单有异议的，核查并听取本人意见以后再办。"


async def calibrate(
    actor: Actor,
    cycle_id: UUID,
    person_id: UUID,
    score: Decimal,
    reason: str,
    now: datetime,
    *,
    authority: str = "",
) -> Scores:
    """Set a person's final score (0–100, two decimals) in the current run and grade all again.

    Once the results are out, only that person is graded again: nobody loses or gets a grade
    without a notice because of what another was granted, even if 优秀 then exceeds its share.
    ``authority`` is given where an objection or appeal was decided by due process, which has asked
    its own rights; without it, a result that is out may not be made worse. Raises NotFound,
    Forbidden (own score), NoCycle, CycleClosed, WrongStage, Conflict for a relative, Invalid.
    """
    cents = _cents(score, reason)
    async with DB.transaction():
        cycle = await cycles.expect(actor.county_id, cycle_id, *STAGES)
        # Grades and ranks are made of everybody's scores, so of two calibrations one waits.
        run = await queries.current_run_locked(actor.county_id, cycle.id)
        facts = await queries.facts(actor.county_id, run.id, person_id) if run else None
        if run is None or facts is None:
            raise NotFound
        target = Target(unit_code=facts.grid_code, owner=person_id)
        before = await queries.scores_locked(actor.county_id, run.id, person_id)
        if before is None:
            raise NotFound
        rose = before.final is None or cents >= before.final
        out = cycle.state is not Stage.REVIEW
        if not authority:
            authority = await _impartial(actor, target, person_id)
            if out:
                await _require_kept(actor.county_id, cycle.id, rose=rose)
        row = CalibrationRow(
            calculated=before.calculated,
            before=before.final,
            calibrated=cents,
            reason=reason.strip(),
            made_name=actor.name,
            authority=authority,
            made_at=now,
        )
        await queries.insert_calibration(
            actor.county_id, new_id(), cycle_id, run.id, person_id, row, actor.person_id
        )
        await queries.calibrate(actor.county_id, run.id, person_id, cents)
        await scoring_queries.regrade(
            actor.county_id, run.id, person_id if out else None, rose=rose
        )
        await freezing.freeze(actor.county_id, run.id)
        after = await queries.scores(actor.county_id, run.id, person_id)
        if after is None:
            raise NotFound
        await audit.record(
            actor,
            Action.SCORE_CALIBRATE,
            "score",
            person_id,
            county_id=actor.county_id,
            about_id=person_id,
            unit_code=facts.grid_code,
            before={"final": before.final, "grade": before.grade},
            after={"final": after.final, "grade": after.grade},
            reason=row.reason,
            authority=authority,
        )
    return after


async def join(county_id: int, cycle_id: UUID, person_id: UUID) -> None:
    """Give somebody who was left out a place in the current run, for a score that people set.

    Nothing is known of them there, and they count no day: so they move nobody's median, and
    nobody's score. Raises NotFound.
    """
    cycle = await cycle_queries.cycle(county_id, cycle_id)
    place = cycle and await roster.worker_place(county_id, person_id, cycle.ends_on)
    if not place or not await queries.join(county_id, cycle_id, person_id, place):
        raise NotFound


async def _impartial(actor: Actor, target: Target, person_id: UUID) -> str:
    """The authority of somebody who is no recorded relative of the person."""
    authority = require(actor, Action.SCORE_CALIBRATE, target)
    if actor.person_id in await casework.kin(actor.county_id, person_id):
        raise Conflict(KIN)
    return authority


async def _require_kept(county_id: int, cycle_id: UUID, *, rose: bool) -> None:
    """Without due process a result that is out gets no worse, and one relied on does not move."""
    if await cycle_queries.reopened(county_id, cycle_id):
        raise CycleClosed
    if not rose:
        raise Invalid(TOLD, {"score": TOLD})


def _cents(score: Decimal, reason: str) -> int:
    if not (score.is_finite() and Decimal(0) <= score <= Decimal(100)):
        raise Invalid("得分应在 0 到 100 之间。", {"score": "得分应在 0 到 100 之间。"})
    if not reason.strip():
        raise Invalid("请写明校准的理由。", {"reason": "请写明校准的理由。"})
    return int((score * 100).quantize(Decimal(1), ROUND_HALF_UP))
