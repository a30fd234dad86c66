"""The figures of a cycle that fit on one sheet, from the features that own them."""

from uuid import UUID

import msgspec

from appraisal.brief import queries
from appraisal.brief.queries import CaseCount
from appraisal.cycle.schemas import CycleRow
from appraisal.ranking import service as ranking
from appraisal.ranking.schemas import UnitLine
from appraisal.survey import results
from appraisal.survey import service as surveys
from appraisal.survey.rules import Aspect
from appraisal.survey.schemas import UnitResult
from shared.identity.actor import Actor


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What the sheet says."""

    cycle: CycleRow
    county_name: str
    whole: UnitLine | None
    townships: list[UnitLine]
    opinion: UnitResult | None
    """The county's survey result, once the survey is closed."""
    aspects: tuple[Aspect, ...]
    months: list[tuple[str, int, int]]
    """Month of the period, points issued and redeemed (0.1)."""
    cases: list[CaseCount]


async def of_cycle(actor: Actor, cycle_id: UUID) -> Brief:
    """The sheet as of today. Raises NotFound, NoCycle."""
    found = await ranking.units(actor, cycle_id, "")
    county = found.path[0]
    cycle, survey = await surveys.of_cycle(actor, cycle_id)
    opinion: UnitResult | None = None
    aspects: tuple[Aspect, ...] = ()
    if survey and survey.state == "closed":
        opinion = (await results.of_unit(actor, survey, county.code))[0][1]
        aspects = (await surveys.form_of(actor.county_id, survey)).aspects
    return Brief(
        cycle=cycle,
        county_name=county.name,
        whole=found.whole,
        townships=found.lines,
        opinion=opinion,
        aspects=aspects,
        months=await queries.months(actor.county_id, cycle.starts_on, cycle.ends_on),
        cases=await queries.cases(actor.county_id, cycle_id),
    )
