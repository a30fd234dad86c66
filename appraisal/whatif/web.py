"""试算 at the desk."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template

from appraisal.scorecard import service as scorecards
from appraisal.scorecard.web_desk import fields_of, form_parts, scheme_of
from appraisal.whatif import service
from appraisal.whatif.service import Outcome
from shared.errors import Invalid
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, page


@get("/appraisal/desk/cycles/{cycle_id:uuid}/whatif")
async def form(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """The rules that the cycle was scored with, to be changed and tried."""
    return await _page(request, cycle_id)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/whatif")
async def replay(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """What other rules would have done; nothing is stored."""
    values = await forms.read(request)
    try:
        outcome = await service.replay(request.user, cycle_id, scheme_of(values))
    except Invalid as error:
        return await _page(request, cycle_id, values, error=error)
    return await _page(request, cycle_id, values, outcome=outcome)


async def _page(
    request: Asked,
    cycle_id: UUID,
    values: dict[str, Any] | None = None,
    *,
    outcome: Outcome | None = None,
    error: Invalid | None = None,
) -> Template:
    cycle, run = await service.scored(request.user, cycle_id)
    return page(
        request,
        "whatif/desk_whatif.html",
        cycle=cycle,
        run=run,
        values=values or (fields_of(run.scheme) if run else {}),
        outcome=outcome,
        out=cycle.state in scorecards.PUBLIC_STAGES,
        places=await scorecards.places(request.user.county_id, _grids(outcome)),
        shown=service.SHOWN,
        error=error,
        **form_parts(),
    )


def _grids(outcome: Outcome | None) -> list[str]:
    """The grids of those whom the page names."""
    if outcome is None:
        return []
    return [one.grid_code for one in [*outcome.crossing[: service.SHOWN], *outcome.furthest]]


router = Router("/", route_handlers=[form, replay], include_in_schema=False)
