"""公示、送达、异议: the department's pages, the server's list on a phone, one's own result."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from appraisal.casework.fields import CHANNELS, FIELDS, MAILED, POSTED, SERVICE
from appraisal.casework.machines import SERVING
from appraisal.casework.rules import Pool
from appraisal.casework.world import RESULT_OUT
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.notice import service
from appraisal.notice.schemas import ContestForm, NoticeForm, ServeForm
from appraisal.pool.rules import GRADE_NAMES
from appraisal.web import Refusal, StepForm, at_desk, both, signed_form
from shared.clock import today
from shared.errors import Conflict, Forbidden, Invalid
from shared.identity.access import Action, Target, allowed, whole_county
from shared.roster.issuer import issuer
from shared.roster.office import service as office
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, moment, part

STATES = [("open", "未送达"), ("unreachable", "送达不到"), ("served", "已送达")]
KINDS: dict[str, str] = {
    "excellent": "优秀等次",
    "supplement": "优秀等次补充",
    Pool.RECOMMENDATION: "推荐人选",
    Pool.ADMISSION: "拟录用人员",
}


class Query(msgspec.Struct):
    """The conditions of the list of results."""

    unit: Annotated[str, msgspec.Meta(max_length=15)] = ""
    grade: str = ""
    state: str = ""
    q: Annotated[str, msgspec.Meta(max_length=30)] = ""
    page: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1


class PoolNotice(NoticeForm, frozen=True, kw_only=True):
    """Which pool's waiting cases to publish."""

    pool: Pool


@get("/appraisal/desk/cycles/{cycle_id:uuid}/notice")
async def of_cycle(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """公示与异议 of one cycle."""
    return await _of_cycle(request, cycle_id)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/notice")
async def issue(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """Publish the list of 优秀, or who has joined it since."""
    values = await forms.read(request)
    publish = service.issue_supplement if values.get("supplement") else service.issue_results
    try:
        form = forms.bind(NoticeForm, values)
        await publish(request.user, cycle_id, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _of_cycle(request, cycle_id, values, error)
    return Redirect(f"/appraisal/desk/cycles/{cycle_id}/notice", status_code=303)


@get("/appraisal/desk/notices")
async def notices(request: Asked) -> Template:
    """All public notices, and what waits for one."""
    return await _notices(request, {})


@post("/appraisal/desk/notices")
async def issue_cases(request: Asked) -> Template | Redirect:
    """Publish a pool's waiting cases."""
    values = await forms.read(request)
    try:
        form = forms.bind(PoolNotice, values)
        await service.issue_cases(request.user, form.pool, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _notices(request, values, error)
    return Redirect("/appraisal/desk/notices", status_code=303)


@get("/appraisal/desk/notices/{notice_id:uuid}/objections")
async def contests(request: Asked, notice_id: FromPath[UUID]) -> Template:
    """What anybody objected to a notice, and the form for a further one."""
    return await _contests(request, notice_id, {})


@post("/appraisal/desk/notices/{notice_id:uuid}/objections")
async def contest(request: Asked, notice_id: FromPath[UUID]) -> Template | Redirect:
    """Enter an objection that was received."""
    values = await forms.read(request)
    try:
        form = forms.bind(ContestForm, values)
        case_id = await service.contest(request.user, notice_id, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _contests(request, notice_id, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@get("/appraisal/notices/{notice_id:uuid}")
async def sheet(
    request: Asked, notice_id: FromPath[UUID], size: FromQuery[str | None] = None
) -> Template:
    """The notice on A4, or on A3 for the board."""
    row, entries = await service.view(request.user, notice_id)
    return both(
        request,
        "notice/print_notice.html",
        row=row,
        entries=entries,
        kinds=KINDS,
        size="a3" if size == "a3" else "a4",
    )


@get("/appraisal/serving")
async def serving(request: Asked, cycle: FromQuery[UUID | None] = None) -> Template:
    """送达: whom to tell, on a phone."""
    found = [one for one in await cycles.cycles(request.user) if one.state in {*Stage} - BEFORE]
    chosen = next((one for one in found if one.id == cycle), found[0] if found else None)
    query = forms.bind(Query, {k: v for k, v in request.query_params.items() if k != "cycle"})
    rows, total = (
        await service.results(
            request.user, chosen.id, state=query.state, text=query.q, page=query.page
        )
        if chosen
        else ([], 0)
    )
    return both(
        request,
        "notice/m_serving.html",
        cycles=found,
        chosen=chosen,
        rows=rows,
        total=total,
        pages=-(-total // service.PAGE),
        query=query,
    )


@get("/appraisal/results/{cycle_id:uuid}/{person_id:uuid}")
async def result(request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]) -> Template:
    """One person's result, for whoever serves it."""
    return await _result(request, cycle_id, person_id)


@post("/appraisal/results/{cycle_id:uuid}/{person_id:uuid}")
async def serve(
    request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]
) -> Template | Redirect:
    """Record the service."""
    values = await forms.read(request)
    try:
        form = forms.bind(ServeForm, values)
        await service.serve(request.user, cycle_id, person_id, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _result(request, cycle_id, person_id, values, error)
    return Redirect(f"/appraisal/results/{cycle_id}/{person_id}", status_code=303)


@post("/appraisal/results/{cycle_id:uuid}/{person_id:uuid}/objection")
async def paper_objection(
    request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]
) -> Template | Redirect:
    """代录: the person's objection on paper."""
    values = await forms.read(request) | {"step": "raised"}
    try:
        form = signed_form(request, forms.bind(StepForm, values), values)
        case_id = await service.object_to(request.user, cycle_id, person_id, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _result(request, cycle_id, person_id, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@post("/appraisal/results/{cycle_id:uuid}/{person_id:uuid}/unreached")
async def unreached(
    request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]
) -> Template | Redirect:
    """The letter came back, or its reader has died."""
    values = await forms.read(request) | {"step": "undelivered"}
    try:
        form = signed_form(request, forms.bind(StepForm, values), values)
        case_id = await service.unreached(request.user, cycle_id, person_id, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _result(request, cycle_id, person_id, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@get("/appraisal/results/{cycle_id:uuid}/{person_id:uuid}/print")
async def slip(request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]) -> Template:
    """告知书 and 送达回证 of one result."""
    cycle, found, served, _ = await service.result_of(request.user, cycle_id, person_id)
    return both(
        request,
        "notice/print_result.html",
        cycle=cycle,
        found=found,
        served=served,
        terms=await service.terms(request.user.county_id, served),
        issuer=await issuer(request.user.county_id),
    )


@get("/appraisal/me/{cycle_id:uuid}/objection")
async def own(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """My own result: when I was told, until when I may object, what became of it."""
    return await _own(request, cycle_id)


@post("/appraisal/me/{cycle_id:uuid}/objection")
async def object_to(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """有异议."""
    values = await forms.read(request) | {"step": "raised"}
    try:
        form = signed_form(request, forms.bind(StepForm, values), values)
        case_id = await service.object_to(
            request.user, cycle_id, request.user.person_id, form, moment(request)
        )
    except (Invalid, Conflict) as error:
        return await _own(request, cycle_id, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@post("/appraisal/me/{cycle_id:uuid}/receive")
async def receive(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """签收: I was told."""
    try:
        await service.receive(request.user, cycle_id, moment(request))
    except Conflict as error:
        return await _own(request, cycle_id, error=error)
    return Redirect(f"/appraisal/me/{cycle_id}/objection", status_code=303)


BEFORE = {Stage.DRAFT, Stage.COLLECT, Stage.SCORE, Stage.REVIEW}


async def _of_cycle(
    request: Asked,
    cycle_id: UUID,
    values: dict[str, Any] | None = None,
    error: Refusal | None = None,
) -> Template:
    query = forms.bind(Query, dict(request.query_params))
    cycle, notice, tally = await service.of_cycle(request.user, cycle_id)
    missing, supplements = await service.supplements(request.user, cycle_id)
    rows, total = await service.results(
        request.user,
        cycle_id,
        unit=query.unit,
        grade=query.grade,
        state=query.state,
        text=query.q,
        page=query.page,
    )
    return both(
        request,
        "notice/desk_notice.html",
        cycle=cycle,
        notice=notice,
        missing=missing if notice and cycle.state in RESULT_OUT else [],
        supplements=supplements,
        tally=tally,
        rows=rows,
        total=total,
        pages=-(-total // service.PAGE),
        query=query,
        grades=list(GRADE_NAMES.items()),
        states=STATES,
        townships=[(unit.code, unit.name) for unit in await office.townships(request.user)],
        values=values or {},
        error=error,
        may_issue=cycle.state in RESULT_OUT and _may_issue(request),
    )


async def _notices(
    request: Asked, values: dict[str, Any], error: Refusal | None = None
) -> Template:
    number = asked_page(request)
    rows, pages = part(await service.notices(request.user), number, service.PAGE)
    waiting = [
        (pool, KINDS[pool], await service.waiting(request.user, pool)) for pool in service.READY
    ]
    return both(
        request,
        "notice/desk_notices.html",
        rows=rows,
        number=number,
        pages=pages,
        waiting=waiting,
        kinds=KINDS,
        values=values,
        error=error,
        may_issue=_may_issue(request),
    )


async def _contests(
    request: Asked,
    notice_id: UUID,
    values: dict[str, Any],
    error: Refusal | Forbidden | None = None,
) -> Template:
    row, entries, cases = await service.contests(request.user, notice_id)
    number = asked_page(request)
    shown, pages = part(cases, number, service.PAGE)
    on = today(moment(request))
    return both(
        request,
        "notice/desk_contests.html",
        row=row,
        subjects=[(one.position, f"{one.name}（{one.unit}）") for one in entries],
        cases=shown,
        number=number,
        pages=pages,
        total=len(cases),
        channels=CHANNELS,
        mailed=MAILED,
        values={"received_on": min(on, row.ends_on).isoformat()} | values,
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
        over=on > row.ends_on,
        may_enter=bool(entries) and _may_issue(request),
    )


async def _result(
    request: Asked,
    cycle_id: UUID,
    person_id: UUID,
    values: dict[str, Any] | None = None,
    error: Refusal | Forbidden | None = None,
) -> Template:
    cycle, found, served, objections = await service.result_of(request.user, cycle_id, person_id)
    target = Target(unit_code=found.grid_code, owner=person_id)
    may_serve = allowed(request.user, Action.RESULT_SERVE, target).allowed
    may_object = not any(case.outcome != "withdrawn" for case in objections)
    on = today(moment(request))
    return both(
        request,
        "notice/desk_result.html" if at_desk(request.user) else "notice/m_result.html",
        cycle=cycle,
        found=found,
        served=served,
        objections=objections,
        service_ways=SERVICE,
        posted=POSTED,
        mailed=MAILED,
        fields=FIELDS,
        values={"served_on": on.isoformat(), "effective_on": on.isoformat()} | (values or {}),
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
        may_serve=may_serve and (found.unreachable or cycle.state is not Stage.CLOSED),
        running=cycle.state is not Stage.CLOSED,
        unreached=SERVING.step("undelivered"),
        may_object=may_object,
        late=may_serve and may_object and cycle.state is Stage.CLOSED,
        on=on,
    )


async def _own(
    request: Asked,
    cycle_id: UUID,
    values: dict[str, Any] | None = None,
    error: Refusal | None = None,
) -> Template:
    cycle, found, served, objections = await service.own_result(request.user, cycle_id)
    on = today(moment(request))
    running = cycle.state is not Stage.CLOSED
    return both(
        request,
        "notice/m_own.html",
        cycle=cycle,
        found=found,
        served=served,
        objections=objections,
        may_object=running
        and not any(case.outcome != "withdrawn" for case in objections)
        and (served is None or on <= served.objection_until),
        running=running,
        in_term=served is not None and on <= served.objection_until,
        values=values or {},
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
    )


def _may_issue(request: Asked) -> bool:
    county = whole_county(request.user.county_id)
    return allowed(request.user, Action.NOTICE_ISSUE, county).allowed


router = Router(
    "/",
    route_handlers=[
        of_cycle,
        issue,
        notices,
        issue_cases,
        contests,
        contest,
        sheet,
        serving,
        result,
        serve,
        paper_objection,
        unreached,
        slip,
        own,
        object_to,
        receive,
    ],
    include_in_schema=False,
)
