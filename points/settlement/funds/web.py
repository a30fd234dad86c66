"""集体资金: what a village's fund has left, on phones; entering resolutions, at the desk."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect, Template

from points.imports import Imported
from points.mall.rules import parse_yuan, yuan
from points.settlement.funds import office, service
from points.settlement.funds.schemas import CorrectionForm, FundYear, ResolutionForm, State
from points.settlement.publication import service as publication
from shared.clock import today
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, Target, allowed, whole_county
from shared.roster.office.schemas import Page
from shared.roster.roles import DESK_ROLES
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

FILE_LIMIT = 5 * 1024 * 1024
YEAR = 12
"""Months in the chart of a fund."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class Query(msgspec.Struct):
    """The conditions of the list."""

    q: str = ""
    state: State = ""
    year: Annotated[int, msgspec.Meta(ge=0, le=2199)] = 0
    """One year's figures; 0 = all that ever was."""
    page: Page = 1


class EntryForm(msgspec.Struct):
    """A resolution as the desk types it."""

    unit_code: str
    number: Name
    resolved_on: date
    amount: str


class CorrectForm(msgspec.Struct):
    """What a resolution really says, as typed in yuan."""

    resolution_id: UUID
    amount: str
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Decision(msgspec.Struct):
    """A second person's answer; a refusal says why."""

    answer: Literal["approve", "refuse"]
    note: Annotated[str, msgspec.Meta(max_length=100)] = ""


@get("/funds")
async def funds(request: Asked) -> Template:
    """The funds of the own units on a phone."""
    query = forms.bind(Query, dict(request.query_params))
    rows, total = await service.list_funds(request.user, page=query.page)
    return page(
        request,
        "funds/m_funds.html",
        rows=rows,
        corrections=await service.corrections_waiting(request.user),
        total=total,
        pages=-(-total // service.PAGE),
        number=query.page,
    )


@get("/funds/{fund_id:uuid}")
async def fund(request: Asked, fund_id: FromPath[UUID]) -> Template:
    """One fund: its figures, resolutions and public sheets."""
    return await _fund(request, fund_id, {})


@post("/desk/funds/{fund_id:uuid}/corrections")
async def correct(request: Asked, fund_id: FromPath[UUID]) -> Template | Redirect:
    """Ask for another amount of a mistyped resolution, to be approved by a second person."""
    values = await forms.read(request)
    try:
        form = forms.bind(CorrectForm, values)
        asked = CorrectionForm(
            resolution_id=form.resolution_id, amount_fen=_fen(form.amount), reason=form.reason
        )
        await service.propose_correction(request.user, fund_id, asked, moment(request))
    except (Invalid, Conflict) as error:
        return await _fund(request, fund_id, values, error)
    return Redirect(f"/funds/{fund_id}", status_code=303)


@post("/funds/{fund_id:uuid}/corrections/{correction_id:uuid}")
async def decide(
    request: Asked, fund_id: FromPath[UUID], correction_id: FromPath[UUID]
) -> Template | Redirect:
    """Approve or refuse it: a second person of the department, or who keeps the unit's books."""
    try:
        form = forms.bind(Decision, await forms.read(request))
        await service.decide_correction(
            request.user,
            fund_id,
            correction_id,
            approve=form.answer == "approve",
            note=form.note,
            now=moment(request),
        )
    except (Invalid, Conflict) as error:
        return await _fund(request, fund_id, {}, error)
    return Redirect(f"/funds/{fund_id}", status_code=303)


@get("/desk/funds")
async def desk(request: Asked) -> Template:
    """All funds, and the form for a resolution."""
    return await _desk(request, {})


@post("/desk/funds")
async def enter(request: Asked) -> Template | Redirect:
    """Enter a resolution."""
    values = await forms.read(request)
    try:
        form = forms.bind(EntryForm, values)
        resolved = await service.resolve(
            request.user, request.user.county_id, _resolution(form), moment(request)
        )
    except (Invalid, Conflict) as error:
        return await _desk(request, values, error=error)
    return Redirect(f"/funds/{resolved.fund_id}", status_code=303)


@post("/desk/funds/import", request_max_body_size=FILE_LIMIT)
async def import_file(request: Asked) -> Template:
    """Read an office file: first look (dry run), then write."""
    values = await forms.read(request, files=("file",))
    upload = values.get("file")
    if not isinstance(upload, UploadFile):
        nothing = Invalid("请选择文件。", {"file": "请选择文件。"})
        return await _desk(request, {}, error=nothing)
    try:
        result = await office.import_funds(
            request.user,
            request.user.county_id,
            await upload.read(),
            upload.filename,
            moment(request),
            dry_run=values.get("act") != "write",
        )
    except Invalid as error:
        return await _desk(request, {}, error=error)
    return await _desk(request, {}, result=result, written=values.get("act") == "write")


async def _fund(
    request: Asked,
    fund_id: UUID,
    values: dict[str, Any],
    error: Invalid | Conflict | None = None,
) -> Template:
    actor = request.user
    found, resolutions = await service.view_fund(actor, fund_id)
    sheets = await publication.of_fund(actor, fund_id)
    at_desk = actor.desk and bool(actor.roles & DESK_ROLES)
    own = Target(unit_code=found.unit_code)
    return page(
        request,
        f"funds/{'desk' if at_desk else 'm'}_fund.html",
        fund=found,
        resolutions=resolutions,
        choices=[(row.id, f"{row.number}（{yuan(row.stands_fen)} 元）") for row in resolutions],
        corrections=await service.corrections(actor, fund_id),
        sheets=sheets,
        months=[
            (sheet.month, sheet.figures.issued, sheet.figures.redeemed)
            for sheet in reversed(sheets[:YEAR])
        ],
        values=values,
        error=error,
        may_correct=allowed(actor, Action.FUND_EDIT, own).allowed,
    )


async def _desk(
    request: Asked,
    values: dict[str, Any],
    *,
    error: Invalid | Conflict | None = None,
    result: Imported | None = None,
    written: bool = False,
) -> Template:
    query = forms.bind(Query, dict(request.query_params))
    rows, total = await service.list_funds(
        request.user, text=query.q, state=query.state, page=query.page
    )
    years: list[FundYear] = []
    if query.year:
        years = await service.list_years(
            request.user, query.year, text=query.q, state=query.state, page=query.page
        )
    this_year = today(moment(request)).year
    county = whole_county(request.user.county_id)
    return page(
        request,
        "funds/desk_funds.html",
        rows=rows,
        years=years,
        choices=[(year, f"{year}年") for year in range(this_year, this_year - 5, -1)],
        total=total,
        pages=-(-total // service.PAGE),
        query=query,
        values=values,
        error=error,
        problems=error.fields if isinstance(error, Invalid) else {},
        corrections=await service.corrections_waiting(request.user),
        result=result,
        written=written,
        may_enter=allowed(request.user, Action.FUND_EDIT, county).allowed,
    )


def _resolution(form: EntryForm) -> ResolutionForm:
    return ResolutionForm(
        unit_code=form.unit_code,
        number=form.number,
        resolved_on=form.resolved_on,
        amount_fen=_fen(form.amount),
    )


def _fen(amount: str) -> int:
    """Typed yuan. Raises Invalid."""
    try:
        return parse_yuan(amount)
    except ValueError as error:
        raise Invalid("有几处需要改正。", {"amount": str(error)}) from error


router = Router(
    "/",
    route_handlers=[funds, fund, correct, decide, desk, enter, import_file],
    include_in_schema=False,
)
