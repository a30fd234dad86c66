"""对账单 on the shop's phone, the signers' phones and the desk, and as a sheet to print."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from points.ledger.seal import service as seal
from points.settlement import building, documents, service, signing
from points.settlement.rules import PART_NAMES, Part, first_day
from points.settlement.schemas import Listed, View
from shared.clock import today
from shared.documents.excel import MIME
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, allowed, whole_county
from shared.months import month_cn
from shared.roster.office.schemas import Page
from shared.roster.roles import DESK_ROLES, Role
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, asked_page, moment, page, part

STATES = {"built": "待签字", "frozen": "三方已签"}
LINES = 20
"""Of a statement on one page of the phone; the desk, the sheet and the file show all."""


class Query(msgspec.Struct):
    """The conditions of the list."""

    month: str = ""
    state: str = ""
    q: str = ""
    page: Page = 1


class SignForm(msgspec.Struct):
    """Which part, of which file."""

    part: Part
    file: str


class DisputeForm(msgspec.Struct):
    """Which line, and why."""

    line_id: UUID
    reason: str


class DecideForm(msgspec.Struct):
    """Pay it or not, and on what ground."""

    pay: bool
    note: str


class BuildForm(msgspec.Struct):
    """The month to build."""

    month: str


@get("/shop/statements")
async def shop_statements(request: Asked) -> Template:
    """对账: what is in no statement yet, what waits for the keeper, and the statements so far."""
    actor = request.user
    running = [view for shop_id in actor.shops for view in await building.preview(actor, shop_id)]
    waiting = await service.to_sign(actor)
    return _page(
        request,
        "m_statements",
        running=running,
        waiting=waiting,
        **await _others(request, waiting),
    )


@get("/verify/statements")
async def to_sign(request: Asked) -> Template:
    """Statements that wait for the signer or a decision, and all of the own unit."""
    waiting = await service.to_sign(request.user)
    disputed = await service.to_decide(request.user)
    others = await _others(request, (*waiting, *disputed))
    return _page(request, "m_to_sign", waiting=waiting, disputed=disputed, **others)


@get("/statements/{statement_id:uuid}")
async def statement(request: Asked, statement_id: FromPath[UUID]) -> Template:
    """One statement on a phone, or at the desk."""
    return await _statement(request, statement_id)


@post("/statements/{statement_id:uuid}/sign")
async def sign(request: Asked, statement_id: FromPath[UUID]) -> Template | Redirect:
    """确认无误，签字."""
    form = forms.bind(SignForm, await forms.read(request))
    try:
        await signing.sign(request.user, statement_id, form.part, form.file, moment(request))
    except Conflict as error:
        return await _statement(request, statement_id, error=error)
    return _back(statement_id)


@post("/statements/{statement_id:uuid}/dispute")
async def dispute(request: Asked, statement_id: FromPath[UUID]) -> Template | Redirect:
    """有异议."""
    typed = await forms.read(request)
    try:
        form = forms.bind(DisputeForm, typed)
        await service.dispute(
            request.user, statement_id, form.line_id, form.reason, moment(request)
        )
    except (Invalid, Conflict) as error:
        return await _statement(request, statement_id, error=error, typed=typed)
    return _back(statement_id)


@post("/disputes/{dispute_id:uuid}/withdraw")
async def withdraw(request: Asked, dispute_id: FromPath[UUID]) -> Redirect:
    """撤回异议."""
    found = await service.withdraw(request.user, dispute_id, moment(request))
    return _back(found.statement.id)


@post("/disputes/{dispute_id:uuid}/decide")
async def decide(request: Asked, dispute_id: FromPath[UUID]) -> Redirect:
    """裁定: pay the line or not."""
    form = forms.bind(DecideForm, await forms.read(request))
    found = await service.decide(
        request.user, dispute_id, form.note, pay=form.pay, now=moment(request)
    )
    return _back(found.statement.id)


@get("/statements/{statement_id:uuid}/file")
async def file(request: Asked, statement_id: FromPath[UUID]) -> Response[bytes]:
    """The Excel file, as it was hashed."""
    name, content = await service.export(request.user, statement_id)
    return Response(content, media_type=MIME, headers=attachment(name))


@get("/statements/{statement_id:uuid}/print")
async def sheet(request: Asked, statement_id: FromPath[UUID]) -> Template:
    """The sheet to sign on paper."""
    found = await service.view(request.user, statement_id)
    seals = await seal.month(request.user.county_id, first_day(found.statement.month))
    return _page(request, "print_statement", view=found, summary=_summary(found), seals=seals)


@get("/desk/statements")
async def desk(request: Asked) -> Template:
    """结算对账 of the county."""
    return await _desk(request)


@post("/desk/statements")
async def build(request: Asked) -> Template:
    """Build or extend a month's statements."""
    values = await forms.read(request)
    try:
        form = forms.bind(BuildForm, values)
        built = await building.build(
            request.user, request.user.county_id, form.month, moment(request)
        )
    except (Invalid, Conflict) as error:
        return await _desk(request, error=error)
    counts = f"新出 {built.made} 张，续加 {built.extended} 张，不变 {built.unchanged} 张"
    return await _desk(request, done=f"{month_cn(built.month)}：{counts}。")


async def _others(request: Asked, above: Sequence[Listed]) -> dict[str, Any]:
    """A page of all statements, without those that stand above them."""
    number = forms.bind(Query, dict(request.query_params)).page
    listed, total = await service.list_statements(request.user, page=number)
    ids = {item.statement.id for item in above}
    return {
        "others": [item for item in listed if item.statement.id not in ids],
        "number": number,
        "pages": -(-total // service.PAGE),
        "total": total,
    }


async def _desk(
    request: Asked, *, error: Invalid | Conflict | None = None, done: str = ""
) -> Template:
    query = forms.bind(Query, dict(request.query_params))
    listed, total = await service.list_statements(
        request.user, month=query.month, state=query.state, text=query.q, page=query.page
    )
    county = whole_county(request.user.county_id)
    return _page(
        request,
        "desk_statements",
        disputed=await service.to_decide(request.user),
        listed=listed,
        total=total,
        pages=-(-total // service.PAGE),
        query=query,
        states=STATES,
        error=error,
        done=done,
        month=str(today(moment(request)))[:7],
        may_build=allowed(request.user, Action.STATEMENT_BUILD, county).allowed,
    )


async def _statement(
    request: Asked,
    statement_id: UUID,
    *,
    error: Invalid | Conflict | None = None,
    typed: dict[str, Any] | None = None,
) -> Template:
    found = await service.view(request.user, statement_id)
    at_desk = request.user.desk and bool(request.user.roles & DESK_ROLES)
    shop = Role.SHOPKEEPER in request.user.roles
    number = asked_page(request)
    lines, pages = part(found.lines, number, LINES)
    return _page(
        request,
        "desk_statement" if at_desk else "m_statement",
        view=found,
        lines=lines,
        disputable=[line for line in found.disputable if line in lines],
        number=number,
        pages=pages,
        summary=_summary(found),
        waits_for=Listed(found.statement, tuple(found.signed)).waits_for,
        lacking=await signing.lacking(request.user.county_id, found.statement, found.signatures),
        error=error,
        typed=typed or {},
        me=request.user.person_id,
        tabs="shop" if shop else "verifier",
        back="/shop/statements" if shop else "/verify/statements",
    )


def _summary(view: View) -> list[tuple[str, str]]:
    return documents.summary(view.statement)


def _back(statement_id: UUID) -> Redirect:
    return Redirect(f"/statements/{statement_id}", status_code=303)


def _page(request: Asked, name: str, **context: Any) -> Template:
    return page(
        request,
        f"settlement/{name}.html",
        part_names=PART_NAMES,
        kinds=documents.KINDS,
        short=documents.short,
        parts=list(Part),
        **context,
    )


router = Router(
    "/",
    route_handlers=[
        shop_statements,
        to_sign,
        statement,
        sign,
        dispute,
        withdraw,
        decide,
        file,
        sheet,
        desk,
        build,
    ],
    include_in_schema=False,
)
