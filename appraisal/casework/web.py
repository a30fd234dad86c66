"""考核事项: one's own cases and those to sign, on phones and at the desk; every step printable."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from appraisal.casework import service
from appraisal.casework.fields import FIELDS, MAILED
from appraisal.casework.machines import RECOMMENDATION
from appraisal.casework.rules import POOL_NAMES
from appraisal.casework.schemas import CaseView
from appraisal.pool import service as pools
from appraisal.web import (
    Refusal,
    StepForm,
    at_desk,
    both,
    signed_form,
)
from shared.clock import today
from shared.documents.excel import MIME
from shared.errors import Conflict, Forbidden, Invalid
from shared.identity.access import Action, reach
from shared.roster.office import service as office
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, asked_page, moment, part

STATES = [("open", "在办"), ("overdue", "逾期"), ("done", "办结"), ("all", "全部")]


class Query(msgspec.Struct):
    """The conditions of the list."""

    pool: str = ""
    unit: Annotated[str, msgspec.Meta(max_length=15)] = ""
    state: str = "open"
    q: Annotated[str, msgspec.Meta(max_length=30)] = ""
    page: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    purpose: Annotated[str, msgspec.Meta(max_length=60)] = ""


class KinForm(msgspec.Struct):
    """Two people, by their full names."""

    person: Annotated[str, msgspec.Meta(min_length=2, max_length=30)]
    relative: Annotated[str, msgspec.Meta(min_length=2, max_length=30)]


@get("/appraisal/cases")
async def mine(request: Asked) -> Template:
    """我的事项, and for those in office what waits for their signature; its number for 待办."""
    actor = request.user
    return both(
        request,
        "casework/m_cases.html",
        block="count",
        own=await service.own(actor),
        waiting=await service.to_sign(actor),
        signs=bool(reach(actor, Action.CASE_SIGN)),
        recommends=bool(reach(actor, Action.CASE_SIGN, service.viewers(RECOMMENDATION))),
        on=today(moment(request)),
    )


@get("/appraisal/desk/cases")
async def listed(request: Asked) -> Template:
    """The county's cases by pool, township and state."""
    query = forms.bind(Query, dict(request.query_params))
    rows, total = await service.listed(
        request.user,
        query.pool,
        unit=query.unit,
        state=query.state,
        text=query.q,
        page=query.page,
    )
    return both(
        request,
        "casework/desk_cases.html",
        rows=rows,
        total=total,
        pages=-(-total // service.PAGE),
        query=query,
        pools=[(pool.value, name) for pool, name in POOL_NAMES.items()],
        states=STATES,
        townships=[(unit.code, unit.name) for unit in await office.townships(request.user)],
        on=today(moment(request)),
    )


@get("/appraisal/desk/cases.xlsx")
async def file(request: Asked) -> Response[bytes]:
    """The list as shown, whole, as a file; logged with its purpose."""
    query = forms.bind(Query, dict(request.query_params))
    name, content = await service.export(
        request.user,
        query.pool,
        unit=query.unit,
        state=query.state,
        text=query.q,
        purpose=query.purpose,
        now=moment(request),
    )
    return Response(content, media_type=MIME, headers=attachment(name))


@get("/appraisal/cases/{case_id:uuid}")
async def case(request: Asked, case_id: FromPath[UUID]) -> Template:
    """One case: what was signed, and what may be signed next."""
    return await _case(request, case_id)


@post("/appraisal/cases/{case_id:uuid}/sign")
async def sign(request: Asked, case_id: FromPath[UUID]) -> Template | Redirect:
    """Sign the next step."""
    values = await forms.read(request)
    try:
        step = forms.bind(StepForm, values)
        await service.sign(
            request.user, case_id, signed_form(request, step, values), moment(request)
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await _case(request, case_id, values, error)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@post("/appraisal/cases/{case_id:uuid}/objector")
async def show_objector(request: Asked, case_id: FromPath[UUID]) -> Template:
    """Who objected, this once; recorded."""
    return await _case(request, case_id, told=await service.show_objector(request.user, case_id))


@get("/appraisal/cases/{case_id:uuid}/print")
async def dossier(request: Asked, case_id: FromPath[UUID]) -> Template:
    """The whole chain on paper."""
    view = await service.view(request.user, case_id, moment(request))
    return both(request, "casework/print_case.html", view=view, on=today(moment(request)))


@get("/appraisal/cases/{case_id:uuid}/steps/{number:int}")
async def letter(request: Asked, case_id: FromPath[UUID], number: FromPath[int]) -> Template:
    """The letter of one step; an objector's name is left out."""
    found = await service.letter(request.user, case_id, number, named=False)
    return both(request, "casework/print_letter.html", letter=found, number=number)


@post("/appraisal/cases/{case_id:uuid}/steps/{number:int}")
async def named_letter(request: Asked, case_id: FromPath[UUID], number: FromPath[int]) -> Template:
    """The letter to an objector with their name, this once; recorded."""
    found = await service.letter(request.user, case_id, number, named=True)
    return both(request, "casework/print_letter.html", letter=found, number=number)


@get("/appraisal/desk/kin")
async def kin(request: Asked) -> Template:
    """近亲属回避: who must not decide about whom."""
    return await _kin(request, {})


@post("/appraisal/desk/kin")
async def record_kin(request: Asked) -> Template | Redirect:
    """Record a kinship."""
    values = await forms.read(request)
    try:
        form = forms.bind(KinForm, values)
        await service.record_kin(request.user, form.person, form.relative, moment(request))
    except Invalid as error:
        return await _kin(request, values, error)
    return Redirect("/appraisal/desk/kin", status_code=303)


@post("/appraisal/desk/kin/{kin_id:uuid}/end")
async def end_kin(request: Asked, kin_id: FromPath[UUID]) -> Redirect:
    """Take a wrong record back."""
    await service.end_kin(request.user, kin_id, moment(request))
    return Redirect("/appraisal/desk/kin", status_code=303)


async def _case(
    request: Asked,
    case_id: UUID,
    values: dict[str, Any] | None = None,
    error: Refusal | Forbidden | None = None,
    told: Sequence[tuple[str, str]] = (),
) -> Template:
    view: CaseView = await service.view(request.user, case_id, moment(request))
    on = today(moment(request))
    return both(
        request,
        "casework/desk_case.html" if at_desk(request.user) else "casework/m_case.html",
        view=view,
        told=told,
        values={"effective_on": on.isoformat()} | (values or {}),
        error=error,
        errors=error.fields if isinstance(error, Invalid) else {},
        fields=FIELDS,
        mailed=MAILED,
        mine=view.case.person_id == request.user.person_id,
        shielded=pools.may_shield(request.user, view.case.person_id, view.case.unit_code),
        on=on,
    )


async def _kin(request: Asked, values: dict[str, Any], error: Invalid | None = None) -> Template:
    number = asked_page(request)
    rows, pages = part(await service.kinships(request.user), number, service.PAGE)
    return both(
        request,
        "casework/desk_kin.html",
        status=error.status if error else 200,
        rows=rows,
        number=number,
        pages=pages,
        values=values,
        errors=error.fields if error else {},
    )


router = Router(
    "/",
    route_handlers=[
        mine,
        listed,
        file,
        case,
        sign,
        show_objector,
        dossier,
        letter,
        named_letter,
        kin,
        record_kin,
        end_kin,
    ],
    include_in_schema=False,
)
