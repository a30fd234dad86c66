"""What a closed survey says, from the county down to the grid, and the residents' words.

There are no results before the survey is closed and they never change afterwards, so nothing can
be learnt from comparing two days. Every ballot lies in a group of five or more that is told as a
whole (sql/31_survey_count.sql); a unit's figures are sums of whole groups, so subtracting units
from each other leaves groups again.
"""

from collections import defaultdict

from appraisal.survey import result_queries
from appraisal.survey.errors import WrongState
from appraisal.survey.schemas import CommentGroup, SurveyRow, UnitResult
from appraisal.survey.service import LEVELS
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.roster import service as roster


async def of_unit(actor: Actor, survey: SurveyRow, code: str) -> list[tuple[str, UnitResult]]:
    """The unit itself first, then the units right below it, each with its name.

    Raises NotFound, WrongState before the survey is closed.
    """
    require(actor, Action.SURVEY_RESULT, Target(unit_code=code))
    _closed(survey)
    lengths = [len(code)] + ([LEVELS[len(code)]] if len(code) in LEVELS else [])
    rows = await result_queries.results(actor.county_id, survey.id, code, lengths)
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
    units = await roster.units(actor.county_id, texts)
    return [
        CommentGroup(unit, units[unit].name if unit in units else unit, tuple(found))
        for unit, found in sorted(texts.items())
    ]


def _closed(survey: SurveyRow) -> None:
    if survey.state != "closed":
        raise WrongState("测评结束以后才有结果，进行中谁也看不到。")
