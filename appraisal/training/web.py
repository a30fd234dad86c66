"""Training at the desk, and a worker's own on the phone."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from appraisal.duty import exports
from appraisal.duty import service as duty
from appraisal.duty.errors import Changed
from appraisal.duty.service import Saved
from appraisal.training import rules, service, sheets
from appraisal.training.rules import KIND_NAMES, SessionForm
from appraisal.training.schemas import Attendee, AttendeeInput
from shared.clock import today
from shared.documents import cells
from shared.documents.excel import MIME
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid
from shared.identity.access import Action, reach
from shared.roster import service as roster
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page, part

BASE = "/appraisal/desk/training"
SHEET_LIMIT = 2 * 1024 * 1024


class Query(msgspec.Struct, kw_only=True):
    """Conditions, which page, and a purpose of an export."""

    since: date | None = None
    until: date | None = None
    purpose: str = ""
    page: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1


class CancelForm(msgspec.Struct, kw_only=True):
    reason: str = ""


class RequireForm(msgspec.Struct, kw_only=True):
    hours: Decimal
    reason: str = ""


@get(BASE)
async def sessions(request: Asked) -> Template:
    """All sessions in reach, and the form of a new one."""
    return await _sessions(request, {})


@post(BASE)
async def add(request: Asked) -> Template | Redirect:
    """Enter a session."""
    values = await forms.read(request)
    try:
        form = forms.bind(SessionForm, values)
        made = await service.add_session(request.user, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _sessions(request, values, error)
    return Redirect(f"{BASE}/{made}", status_code=303)


@get(f"{BASE}/{{session_id:uuid}}")
async def session(request: Asked, session_id: FromPath[UUID]) -> Template:
    """Who came, what the test said."""
    return await _session(request, session_id)


@post(f"{BASE}/{{session_id:uuid}}", request_max_body_size=SHEET_LIMIT)
async def record(request: Asked, session_id: FromPath[UUID]) -> Template:
    """Hand in who came and what the test said."""
    values = await forms.read(request)
    try:
        lines = await _lines(request, session_id, values)
        saved = await service.record(
            request.user,
            session_id,
            lines,
            moment(request),
            reason=str(values.get("reason", "")),
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await _session(request, session_id, error, values=values)
    return await _session(request, session_id, saved=saved)


@post(f"{BASE}/{{session_id:uuid}}/cancel")
async def cancel(request: Asked, session_id: FromPath[UUID]) -> Template | Redirect:
    """Take a session back."""
    form = forms.bind(CancelForm, await forms.read(request))
    try:
        await service.cancel(request.user, session_id, form.reason)
    except (Invalid, Conflict, Forbidden) as error:
        return await _session(request, session_id, error)
    return Redirect(f"{BASE}/{session_id}", status_code=303)


@get(f"{BASE}/{{session_id:uuid}}/export.xlsx")
async def export(request: Asked, session_id: FromPath[UUID]) -> Response[bytes]:
    """A session's list."""
    given = forms.bind(Query, dict(request.query_params))
    at = moment(request)
    row, people = await service.session(request.user, session_id)
    exports.expect_right(request.user, "", at)
    sheet = await sheets.session_sheet(request.user, row, people, today(at))
    name, content = await exports.logged(
        request.user,
        f"培训登记表_{row.title}",
        f"{row.held_on:%Y-%m-%d}",
        sheet,
        len(people),
        given.purpose,
        at,
    )
    return Response(content, media_type=MIME, headers=attachment(name))


@get("/appraisal/desk/cycles/{cycle_id:uuid}/training")
async def totals(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """Everybody's hours and tests of a cycle, and what it asks."""
    return await _totals(request, cycle_id)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/training")
async def require_hours(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """State the hours."""
    values = await forms.read(request)
    try:
        form = forms.bind(RequireForm, values)
        await service.require_hours(
            request.user, cycle_id, form.hours, form.reason, moment(request)
        )
    except (Invalid, Conflict) as error:
        return await _totals(request, cycle_id, error, values)
    return Redirect(f"/appraisal/desk/cycles/{cycle_id}/training", status_code=303)


@get("/appraisal/desk/cycles/{cycle_id:uuid}/training/export.xlsx")
async def export_totals(request: Asked, cycle_id: FromPath[UUID]) -> Response[bytes]:
    """The totals as a workbook."""
    given = forms.bind(Query, dict(request.query_params))
    at = moment(request)
    cycle, lines = await service.totals(request.user, cycle_id)
    exports.expect_right(request.user, "", at)
    sheet = await sheets.total_sheet(request.user, cycle.title, lines, today(at))
    name, content = await exports.logged(
        request.user, "培训汇总表", cycle.title, sheet, len(lines), given.purpose, at
    )
    return Response(content, media_type=MIME, headers=attachment(name))


@get("/appraisal/me/training")
async def own(request: Asked) -> Template:
    """A worker's own sessions and hours."""
    found, sums = await service.own(request.user)
    return page(request, "training/m_own.html", sessions=found, sums=sums)


async def _sessions(
    request: Asked, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    given = forms.bind(Query, dict(request.query_params))
    actor = request.user
    codes = reach(actor, Action.TRAINING_EDIT)
    units = await roster.units(actor.county_id, codes)
    found = await service.sessions(actor, given.since, given.until)
    rows, pages = part(found, given.page, service.PAGE)
    return page(
        request,
        "training/desk_sessions.html",
        rows=rows,
        pages=pages,
        given=given,
        values=values,
        error=error,
        kinds=KIND_NAMES.items(),
        units=[(unit.code, unit.name) for unit in units.values()],
        may_edit=bool(units),
        on=today(moment(request)),
    )


async def _session(
    request: Asked,
    session_id: UUID,
    error: GridmeritError | None = None,
    *,
    saved: Saved | None = None,
    values: dict[str, Any] | None = None,
) -> Template:
    row, people = await service.session(request.user, session_id)
    frozen = await duty.frozen(request.user.county_id, row.held_on)
    return page(
        request,
        "training/desk_session.html",
        session=row,
        people=[(one, not frozen and service.may_enter(request.user, one)) for one in people],
        frozen=frozen,
        may_cancel=not frozen and service.may_edit(request.user, row.unit_code),
        error=error,
        saved=saved,
        values=values,
        typed=values or {},
    )


async def _totals(
    request: Asked,
    cycle_id: UUID,
    error: GridmeritError | None = None,
    values: dict[str, Any] | None = None,
) -> Template:
    cycle, lines = await service.totals(request.user, cycle_id)
    given = forms.bind(Query, dict(request.query_params))
    ordered = sorted(lines, key=lambda line: line.hours is None or line.hours >= line.required)
    first = (given.page - 1) * service.PAGE
    return page(
        request,
        "training/desk_totals.html",
        cycle=cycle,
        lines=lines,
        shown=ordered[first : first + service.PAGE],
        number=given.page,
        pages=-(-len(lines) // service.PAGE),
        stated=await service.requirement(request.user, cycle_id),
        default=rules.DEFAULT_HOURS,
        short=sum(line.hours is not None and line.hours < line.required for line in lines),
        may_require=service.may_require(request.user),
        error=error,
        values=values or {},
    )


async def _lines(request: Asked, session_id: UUID, values: dict[str, Any]) -> list[AttendeeInput]:
    """What the page says of everybody it lists whom the actor may enter.

    Raises Changed when somebody's line is not the one that the page showed, and forgets what the
    page says of them, so that it comes back as it is stored.
    """
    _, people = await service.session(request.user, session_id)
    if stale := [one.person_id for one in people if _is_stale(one, values)]:
        for key in stale:
            for name in ("row", "present", "test", "version"):
                values.pop(f"{name}-{key}", None)
        raise Changed
    found, problems = [], {}
    for one in people:
        if f"row-{one.person_id}" not in values or not service.may_enter(request.user, one):
            continue
        text = str(values.get(f"test-{one.person_id}", ""))
        try:
            test = cells.decimal(text) if text else None
        except ValueError:
            problems[str(one.person_id)] = f"{one.name}：测试成绩请填 0 到 100 的数字。"
            continue
        found.append(
            AttendeeInput(
                person_id=one.person_id,
                village_code=one.village_code,
                present=f"present-{one.person_id}" in values,
                test=test,
            )
        )
    if problems:
        raise Invalid("有几行需要改正。", problems)
    return found


def _is_stale(one: Attendee, values: dict[str, Any]) -> bool:
    shown = values.get(f"version-{one.person_id}")
    return shown is not None and shown != str(one.version or 0)


router = Router(
    "/",
    route_handlers=[
        sessions,
        add,
        session,
        record,
        cancel,
        export,
        totals,
        require_hours,
        export_totals,
        own,
    ],
    include_in_schema=False,
)
