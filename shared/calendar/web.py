"""工作日历: the department reads and replaces a year's holidays and worked weekends."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.response import Template

from shared.calendar import rules, service
from shared.calendar.errors import MissingYear
from shared.clock import today
from shared.errors import Invalid
from shared.identity.access import Action, allowed, whole_county
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

Year = Annotated[int, msgspec.Meta(ge=2020, le=2099)]


class Query(msgspec.Struct):
    """Which year."""

    year: Year | None = None


class YearForm(msgspec.Struct):
    """A whole year, one line a day or stretch."""

    year: Year
    days: str


@get("/desk/calendar")
async def calendar(request: Asked) -> Template:
    """One year as lines."""
    query = forms.bind(Query, dict(request.query_params))
    return await _page(request, query.year or today(moment(request)).year)


@post("/desk/calendar")
async def replace(request: Asked) -> Template:
    """Replace a year."""
    values = await forms.read(request)
    form = forms.bind(YearForm, values)
    try:
        await service.replace_year(request.user, form.year, form.days)
    except Invalid as error:
        return await _page(request, form.year, text=form.days, error=error)
    return await _page(request, form.year, saved=True)


async def _page(
    request: Asked,
    year: int,
    *,
    text: str = "",
    error: Invalid | None = None,
    saved: bool = False,
) -> Template:
    actor = request.user
    known = True
    if not text:
        try:
            text = rules.as_text(await service.year(actor.county_id, year))
        except MissingYear:
            known = False
    county = whole_county(actor.county_id)
    return page(
        request,
        "calendar/desk_calendar.html",
        year=year,
        text=text,
        known=known,
        error=error,
        saved=saved,
        missing=await service.missing(actor.county_id, today(moment(request))),
        may_edit=allowed(actor, Action.CALENDAR_EDIT, county).allowed,
    )


router = Router("/", route_handlers=[calendar, replace], include_in_schema=False)
