"""测评结果 on a phone: what a closed survey says of the units somebody answers for.

The same figures as at the desk, from the same function, so nothing can be learnt here that the
hiding of small groups keeps back there.
"""

from uuid import UUID

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from appraisal.cycle import service as cycles
from appraisal.survey import results, service
from appraisal.survey.rules import ENOUGH, FEWEST
from shared.identity.access import Action, reach
from shared.web.application import Router
from shared.web.pages import Asked, page


@get("/appraisal/opinion")
async def surveys(request: Asked) -> Template:
    """The closed surveys, for each unit that one answers for."""
    actor = request.user
    titles = {cycle.id: cycle.title for cycle in await cycles.cycles(actor)}
    return page(request, "survey/m_opinions.html", found=await results.closed(actor), titles=titles)


@get("/appraisal/opinion/{cycle_id:uuid}")
async def opinion(request: Asked, cycle_id: FromPath[UUID], code: FromQuery[str] = "") -> Template:
    """A unit's result, and the units right below it."""
    actor = request.user
    cycle = await cycles.get(actor, cycle_id)
    survey = await results.of_cycle(actor, cycle_id)
    own = reach(actor, Action.SURVEY_RESULT)
    rows = await results.of_unit(actor, survey, code or own[0])
    form = await service.form_of(actor.county_id, survey)
    unit = rows[0][1].code
    return page(
        request,
        "survey/m_opinion.html",
        cycle=cycle,
        rows=rows,
        aspects=form.aspects,
        above="" if unit in own else unit[: results.ABOVE.get(len(unit), 0)],
        enough=ENOUGH,
        fewest=FEWEST,
    )


router = Router("/", route_handlers=[surveys, opinion], include_in_schema=False)
