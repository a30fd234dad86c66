"""What a closed survey says, from the county down to the grid, and the residents' words.

There are no results before the survey is closed and they never change afterwards, so nothing can
be learnt from comparing two days. Every ballot lies in a group of five or more that is told as a
whole (sql/31_survey_count.sql); a unit's figures are sums of whole groups, so subtracting units
from each other leaves groups again.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from appraisal.survey import queries, result_queries
from appraisal.survey.errors import WrongState
from appraisal.survey.schemas import CommentGroup, SurveyRow, UnitResult
from appraisal.survey.service import LEVELS
from shared.errors import NotFound
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.schemas import UnitRow

ABOVE = {below: above for above, below in LEVELS.items()}
"""Length of a unit's code → that of the unit right above it."""


async def closed(actor: Actor) -> list[tuple[SurveyRow, list[UnitRow]]]:
    """Closed surveys, latest first, with the units whose results the actor may see.

    Raises NotFound when there are no such units.
    """
    codes = _reach(actor)
    units = await roster.units(actor.county_id, codes)
    own = [units[code] for code in codes if code in units]
    return [(survey, own) for survey in await queries.closed_surveys(actor.county_id)]


async def of_cycle(actor: Actor, cycle_id: UUID) -> SurveyRow:
    """A cycle's survey, for who may see some unit's result. Raises NotFound."""
    _reach(actor)
    found = await queries.survey_of_cycle(actor.county_id, cycle_id)
    if found is None:
        raise NotFound
    return found


async def of_unit(actor: Actor, survey: SurveyRow, code: str) -> list[tuple[str, UnitResult]]:
    """The unit itself first, then the units right below it, each with its name.

    Raises NotFound, WrongState before the survey is closed.
    """
    require(actor, Action.SURVEY_RESULT, Target(unit_code=code))
    _closed(survey)
    lengths = [len(code)] + ([LEVELS[len(code)]] if len(code) in LEVELS else [])
    rows = await result_queries.results(actor.county_id, survey.id, code, lengths)
    if not rows:
        raise NotFound("这个单位没有抽到住户，没有测评结果。")
    units = await roster.units(actor.county_id, [row.code for row in rows])
    rows.sort(key=lambda row: (row.code != code, row.code))
    return [(units[row.code].name if row.code in units else row.code, row) for row in rows]


async def words(actor: Actor, survey: SurveyRow, code: str) -> list[CommentGroup]:
    """Residents' words below a unit in groups of five or more; for the department only.

    Raises NotFound, WrongState.
    """
    require(actor, Action.SURVEY_RUN, Target(unit_code=code))
    _closed(survey)
    texts: dict[str, list[str]] = defaultdict(list)
    for unit, text in await result_queries.comments(actor.county_id, survey.id, code):
        texts[unit].append(text)
    above = {unit[:length] for unit in texts for length in (6, 9, 12, 15) if length <= len(unit)}
    units = await roster.units(actor.county_id, above)
    return [
        CommentGroup(unit, _place(units, unit), tuple(found))
        for unit, found in sorted(texts.items())
    ]


def _place(units: Mapping[str, UnitRow], code: str) -> str:
    """青石镇柳塘村第一网格; the county by its own name."""
    codes = [code[:length] for length in (9, 12, 15) if length <= len(code)] or [code]
    return "".join(units[one].name if one in units else one for one in codes)


def _reach(actor: Actor) -> tuple[str, ...]:
    codes = reach(actor, Action.SURVEY_RESULT)
    if not codes:
        raise NotFound
    return codes


def _closed(survey: SurveyRow) -> None:
    if survey.state != "closed":
        raise WrongState("测评结束以后才有结果，进行中谁也看不到。")
