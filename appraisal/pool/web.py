"""推荐库, 警告与改进, 退出, 准入: candidates, the evidence before the opener, the opening form."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from appraisal.casework import service as casework
from appraisal.casework.fields import FIELDS
from appraisal.casework.machines import (
    ADMISSION,
    BASIS_NAMES,
    EXITS,
    IMPROVEMENT,
    RECOMMENDATION,
    RESIGNATION,
    WARNING,
)
from appraisal.casework.rules import POOL_NAMES, Pool, Step
from appraisal.cycle import service as cycles
from appraisal.pool import service
from appraisal.pool.rules import PROTECTION_NAMES, SOURCES, WEAK
from appraisal.pool.schemas import ApplyForm, Evidence, ShieldForm
from appraisal.web import Refusal, StepForm, at_desk, both, signed_form
from shared.clock import today
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.roster.office import service as office
from shared.roster.office.schemas import Filter, Page
from shared.roster.office.schemas import Found as Person
from shared.roster.roles import Role
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, part

Name = Annotated[str, msgspec.Meta(max_length=30)]
BASES = list(BASIS_NAMES.items())
HANDED_IN = [("applied", "本人报名"), ("nominated", "组织提名")]


class Query(msgspec.Struct):
    """Which cycle's results, or whose name; which page of the cases, and of the results."""

    cycle: UUID | None = None
    q: Name = ""
    page: Page = 1
    row: Page = 1


class OpenQuery(msgspec.Struct):
    """For which pool, resting on which cycle, on which ground."""

    pool: Pool
    cycle: UUID | None = None
    basis: str = "fault"


@get("/appraisal/pools/{pool:str}")
async def pool_page(request: Asked, pool: FromPath[str]) -> Template:
    """One pool: whom results put before it, and its cases."""
    kind = _pool(pool)
    actor = request.user
    query = forms.bind(Query, dict(request.query_params))
    known = await cycles.cycles(actor)
    known = [one for one in known if one.state in {"notice", "appeal", "closed"}]
    chosen = next((one for one in known if one.id == query.cycle), known[0] if known else None)
    cases, total = await casework.listed(actor, kind.value, page=query.page)
    listed = kind in service.FORWARD and chosen is not None
    people: list[Person] = []
    if query.q and kind in {Pool.EXIT, Pool.RECOMMENDATION}:
        wanted = Filter(q=query.q, role=Role.GRIDWORKER)
        people = await office.find(actor, wanted, moment(request), size=20)
    desk = at_desk(actor)
    found = await service.candidates(actor, kind, chosen.id) if listed and chosen else []
    candidates, result_pages = part(found, query.row, casework.PAGE)
    return both(
        request,
        "pool/desk_pool.html" if desk else "pool/m_pool.html",
        pool=kind,
        name=POOL_NAMES[kind],
        cycles=known,
        chosen=chosen,
        candidates=candidates,
        results=len(found),
        result_pages=result_pages,
        cases=cases,
        total=total,
        pages=-(-total // casework.PAGE),
        people=people,
        query=query,
        forward=kind in service.FORWARD,
        searches=kind in {Pool.EXIT, Pool.RECOMMENDATION},
    )


@get("/appraisal/people/{person_id:uuid}/open")
async def opening(request: Asked, person_id: FromPath[UUID]) -> Template:
    """The evidence, and the first step to sign."""
    return await _opening(request, person_id, dict(request.query_params))


@post("/appraisal/people/{person_id:uuid}/open")
async def open_case(request: Asked, person_id: FromPath[UUID]) -> Template | Redirect:
    """Open the case."""
    values = await forms.read(request)
    actor, at = request.user, moment(request)
    try:
        asked = forms.bind(OpenQuery, values)
        form = signed_form(request, forms.bind(StepForm, values), values)
        if asked.pool is Pool.RECOMMENDATION:
            case_id = await service.recommend(actor, person_id, form, at)
        elif asked.pool is Pool.WARNING and asked.cycle:
            case_id = await service.warn(actor, person_id, asked.cycle, form, at)
        elif asked.pool is Pool.EXIT:
            basis = str(values.get("basis", ""))
            case_id = await service.start_exit(actor, person_id, basis, form, at)
        else:
            raise NotFound
    except (Invalid, Conflict, Forbidden) as error:
        return await _opening(request, person_id, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@get("/appraisal/admissions/new")
async def new_admission(request: Asked) -> Template:
    """Take an application or nomination for a vacancy."""
    return await _admission(request, {})


@post("/appraisal/admissions/new")
async def admit(request: Asked) -> Template | Redirect:
    """Open the admission case."""
    values = await forms.read(request)
    try:
        form = forms.bind(ApplyForm, values)
        case_id = await service.apply(request.user, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _admission(request, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@get("/appraisal/resign")
async def resignation(request: Asked) -> Template:
    """申请辞去: the gridworker's own."""
    return _resignation(request, {})


@post("/appraisal/resign")
async def resign(request: Asked) -> Template | Redirect:
    """Hand the application in."""
    values = await forms.read(request) | {"step": RESIGNATION.openings[0].key}
    try:
        form = signed_form(request, forms.bind(StepForm, values), values)
        case_id = await service.resign(request.user, form, moment(request))
    except (Invalid, Conflict) as error:
        return _resignation(request, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@get("/appraisal/desk/people/{person_id:uuid}/shields")
async def shields(request: Asked, person_id: FromPath[UUID]) -> Template:
    """保护期: for the department alone."""
    return await _shields(request, person_id, {})


@post("/appraisal/desk/people/{person_id:uuid}/shields")
async def record_shield(request: Asked, person_id: FromPath[UUID]) -> Template | Redirect:
    """Record a protection."""
    values = await forms.read(request)
    try:
        form = forms.bind(ShieldForm, values)
        await service.record_shield(request.user, person_id, form, moment(request))
    except Invalid as error:
        return await _shields(request, person_id, values, error)
    return Redirect(f"/appraisal/desk/people/{person_id}/shields", status_code=303)


@post("/appraisal/desk/people/{person_id:uuid}/shields/{shield_id:uuid}/revoke")
async def revoke_shield(
    request: Asked, person_id: FromPath[UUID], shield_id: FromPath[UUID]
) -> Redirect:
    """Take a wrong record back."""
    await service.revoke_shield(request.user, person_id, shield_id, moment(request))
    return Redirect(f"/appraisal/desk/people/{person_id}/shields", status_code=303)


async def _opening(
    request: Asked,
    person_id: UUID,
    values: dict[str, Any],
    error: Refusal | Forbidden | None = None,
) -> Template:
    try:
        asked = forms.bind(OpenQuery, values)
    except Invalid as wrong:
        raise NotFound from wrong
    if asked.pool not in {Pool.RECOMMENDATION, Pool.WARNING, Pool.EXIT}:
        raise NotFound
    found = await service.evidence(request.user, asked.pool, person_id, moment(request))
    step = _first(asked, found)
    return both(
        request,
        "pool/desk_open.html" if at_desk(request.user) else "pool/m_open.html",
        found=found,
        asked=asked,
        name=POOL_NAMES[asked.pool],
        step=step,
        bases=BASES,
        fields=FIELDS,
        values={"effective_on": today(moment(request)).isoformat()} | values,
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
        back=f"/appraisal/pools/{asked.pool}",
    )


def _first(asked: OpenQuery, found: Evidence) -> Step:
    """The step that opens the case; for an exit it follows from employment type and ground."""
    if asked.pool is Pool.RECOMMENDATION:
        return RECOMMENDATION.openings[0]
    if asked.pool is Pool.WARNING:
        weak = next((one for one in found.results if one.cycle_id == asked.cycle), None)
        if weak is None or weak.grade not in WEAK:
            raise NotFound
        return (IMPROVEMENT if weak.grade == "basic" else WARNING).openings[0]
    machine = EXITS.get((found.employment, asked.basis))
    if machine is None:
        raise NotFound
    return machine.openings[0]


async def _admission(
    request: Asked, values: dict[str, Any], error: Refusal | Forbidden | None = None
) -> Template:
    vacancies = await service.vacancies(request.user, moment(request))
    return both(
        request,
        "pool/desk_admission.html" if at_desk(request.user) else "pool/m_admission.html",
        vacancies=[
            (one.post_id, f"{one.township_name or ''}{one.village_name or ''}{one.unit_name}")
            for one in vacancies
        ],
        sources=list(SOURCES.items()),
        steps=HANDED_IN,
        title=ADMISSION.title,
        values={"effective_on": today(moment(request)).isoformat(), "step": "applied"} | values,
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
    )


def _resignation(request: Asked, values: dict[str, Any], error: Refusal | None = None) -> Template:
    return both(
        request,
        "pool/m_resign.html",
        values=values,
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
    )


async def _shields(
    request: Asked, person_id: UUID, values: dict[str, Any], error: Invalid | None = None
) -> Template:
    name, rows = await service.shields(request.user, person_id, moment(request))
    return both(
        request,
        "pool/desk_shields.html",
        status=error.status if error else 200,
        person_id=person_id,
        name=name,
        rows=rows,
        kinds=list(PROTECTION_NAMES.items()),
        kind_names=PROTECTION_NAMES,
        values=values,
        errors=error.fields if error else {},
    )


def _pool(text: str) -> Pool:
    if text not in {pool.value for pool in Pool} - {Pool.OBJECTION.value, Pool.SERVICE.value}:
        raise NotFound
    return Pool(text)


router = Router(
    "/",
    route_handlers=[
        pool_page,
        opening,
        open_case,
        new_admission,
        admit,
        resignation,
        resign,
        shields,
        record_shield,
        revoke_shield,
    ],
    include_in_schema=False,
)
