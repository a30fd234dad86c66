"""Duty on the phone: what an instructor enters in the field, what a worker sees of their own."""

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from appraisal.duty import drawing, entries, rules, service
from appraisal.duty.entries import Filter
from appraisal.duty.rules import EntryKind
from appraisal.duty.web_entries import bound, form_page
from appraisal.duty.web_random import SHEET_LIMIT, check_page, record
from shared.clock import today
from shared.errors import Conflict, Forbidden, Invalid
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

RECENT = 10


class Query(msgspec.Struct, kw_only=True):
    """Which form; the entry just made."""

    kind: EntryKind = EntryKind.CHECK
    done: UUID | None = None


@get("/appraisal/duty")
async def hub(request: Asked) -> Template:
    """What can be entered, open checks, the latest entries."""
    given = forms.bind(Query, dict(request.query_params))
    rows, _ = await entries.listed(request.user, Filter())
    checks = [
        check
        for check in await drawing.checks(request.user)
        if check.state == "drawn" and check.checked < check.items
    ]
    return page(
        request,
        "duty/m_hub.html",
        rows=rows[:RECENT],
        checks=checks,
        done=given.done,
        kind_names=rules.KIND_NAMES,
    )


@get("/appraisal/duty/new")
async def new(request: Asked) -> Template:
    """The form of one kind."""
    given = forms.bind(Query, dict(request.query_params))
    on = today(moment(request))
    return await form_page(request, "m_entry_form", {"kind": given.kind, "happened_on": on})


@post("/appraisal/duty/new")
async def add(request: Asked) -> Template | Redirect:
    """Enter a fact."""
    values = await forms.read(request)
    try:
        form = bound(values)
        made = await entries.add(request.user, form, moment(request), source="phone")
    except (Invalid, Conflict, Forbidden) as error:
        return await form_page(request, "m_entry_form", values, error)
    return Redirect(f"/appraisal/duty?done={made}", status_code=303)


@get("/appraisal/duty/random/{check_id:uuid}")
async def check(request: Asked, check_id: FromPath[UUID]) -> Template:
    """The drawn records, to be looked at one by one."""
    return await check_page(request, "m_check", check_id)


@post("/appraisal/duty/random/{check_id:uuid}", request_max_body_size=SHEET_LIMIT)
async def results(request: Asked, check_id: FromPath[UUID]) -> Template:
    """Enter what was found."""
    return await record(request, "m_check", check_id, "phone")


@get("/appraisal/me/duty")
async def own(request: Asked) -> Template:
    """A worker's own attendance, checks, praise and complaints."""
    return page(
        request,
        "duty/m_own.html",
        lines=await service.own(request.user),
        rows=await entries.own(request.user),
    )


router = Router("/", route_handlers=[hub, new, add, check, results, own], include_in_schema=False)
