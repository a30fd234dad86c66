"""Scoring a cycle: a new run with inputs copied from the sources, scores, grades and ranks."""

from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Kind, Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.ranking import freezing
from appraisal.scorecard import queries, schemes, scoring_queries
from appraisal.scorecard.schemas import RunRow
from shared.audit import service as audit
from shared.database import DB
from shared.errors import Conflict
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.ids import new_id


async def score(actor: Actor, cycle_id: UUID, note: str, now: datetime) -> RunRow:
    """Score everybody who was gridworker on the last day of the period; the new run counts.

    Earlier runs stay. Calibrations belong to the run they were made on and are not carried over.
    Raises NotFound, NoCycle, CycleClosed, WrongStage, Conflict when nobody is there to be scored,
    or somebody else scores at this moment.
    """
    unit_code = actor.county_code
    authority = require(actor, Action.SCORE_RUN, Target(unit_code=unit_code))
    run_id = new_id()
    async with DB.transaction():
        cycle = await cycles.expect(actor.county_id, cycle_id, Stage.SCORE)
        scheme = await schemes.in_force(actor.county_id, cycle.ends_on)
        try:
            number = await queries.insert_run(
                actor.county_id,
                run_id,
                cycle_id,
                msgspec.json.encode(scheme.scheme).decode(),
                (cycle.ends_on - cycle.starts_on).days + 1,
                actor.person_id,
                actor.name,
                now,
                note.strip()[:500],
                annual=cycle.kind is Kind.ANNUAL,
            )
        except UniqueViolationError as error:  # the other press had the same number
            raise Conflict("刚刚已经评过一次分，请刷新页面查看。") from error
        await scoring_queries.be_roomy()
        people = await scoring_queries.gather(actor.county_id, run_id)
        if not people:
            raise Conflict(f"{cycle.ends_on:%Y年%m月%d日} 没有在岗的网格员，请核对名册。")
        await scoring_queries.score([actor.county_id], [run_id])
        await freezing.freeze(actor.county_id, run_id)
        await queries.make_current(actor.county_id, cycle_id, run_id, people)
        await audit.record(
            actor,
            Action.SCORE_RUN,
            "run",
            run_id,
            county_id=actor.county_id,
            unit_code=unit_code,
            after={"number": number, "people": people},
            reason=note.strip(),
            authority=authority,
        )
        made = await queries.current_run(actor.county_id, cycle_id)
    if made is None:  # we have just made it current
        raise Conflict("评分没有完成，请重试。")
    return made


async def unscored(county_id: int, cycle: CycleRow) -> list[str]:
    """A gate of the cycle: review needs a run, made of the data as they were last collected."""
    run = await queries.current_run(county_id, cycle.id)
    if run is None:
        return ["还没有评分，请先在“评分”页运行一次。"]
    returned = await cycles.returned_at(county_id, cycle.id)
    if returned and run.made_at < returned:
        return ["上次评分以后退回采集过，请先在“评分”页重新评分。"]
    first = await _first_half(county_id, cycle)
    if first and first.closed_at and run.made_at < first.closed_at:
        return [f"上次评分以后“{first.title}”才办结，请先在“评分”页重新评分。"]
    return []


async def deductions_open(county_id: int, cycle: CycleRow) -> list[str]:
    """A gate: a deduction of the period counts in its own cycle, if it is known by then.

    What is noticed later, while scores are made or after, counts in the next one.
    """
    count = await queries.open_deductions(county_id, cycle.starts_on, cycle.ends_on)
    return [f"考核期内有 {count} 件扣分还没有办结，要等决定和申诉期满。"] if count else []


async def first_half_open(county_id: int, cycle: CycleRow) -> list[str]:
    """A gate: the annual result takes in the half-year one, so that must be closed before."""
    first = await _first_half(county_id, cycle)
    if first is None or first.state is Stage.CLOSED:
        return []
    return [f"“{first.title}”还没有办结，全年成绩要用到它。"]


async def first_half_reopened(county_id: int, cycle: CycleRow) -> list[str]:
    """A gate: no year is closed while the half-year in it is open again for a late paper.

    One that is opened only now, for the first time, was no part of these results.
    """
    first = await _first_half(county_id, cycle)
    if first is None or not await cycles.reopened(county_id, first.id):
        return []
    return await first_half_open(county_id, cycle)


async def _first_half(county_id: int, cycle: CycleRow) -> CycleRow | None:
    """The half-year cycle that an annual one takes in."""
    if cycle.kind is not Kind.ANNUAL:
        return None
    return await cycles.of_period(county_id, Kind.HALF_YEAR, cycle.year)
