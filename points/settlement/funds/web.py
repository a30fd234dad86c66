"""集体资金: what a village's fund has left, on phones; entering resolutions, at the desk."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect, Template

from points.mall.office import Imported
from points.mall.rules import parse_yuan
from points.settlement.funds import office, service
from points.settlement.funds.schemas import ResolutionForm
from points.settlement.publication import service as publication
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, Target, allowed
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
    waiting: bool = False
    page: Page = 1


class EntryForm(msgspec.Struct):
    """A resolution as the desk types it."""

    unit_code: str
    number: Name
    resolved_on: date
    amount: str


@get("/funds")
async def funds(request: Asked) -> Template:
    """The funds of the own units on a phone."""
    rows, _ = await service.list_funds(request.user)
    return page(request, "funds/m_funds.html", rows=rows)


@get("/funds/{fund_id:uuid}")
async def fund(request: Asked, fund_id: FromPath[UUID]) -> Template:
    """One fund: its figures, resolutions and public sheets."""
    found, resolutions = await service.view_fund(request.user, fund_id)
    sheets = await publication.of_fund(request.user, fund_id)
    at_desk = request.user.desk and bool(request.user.roles & DESK_ROLES)
    return page(
        request,
        f"funds/{'desk' if at_desk else 'm'}_fund.html",
        fund=found,
        resolutions=resolutions,
        sheets=sheets,
        months=[
            (sheet.month, sheet.figures.issued, sheet.figures.redeemed)
            for sheet in reversed(sheets[:YEAR])
        ],
    )


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
            request.user, request.user.county_id, _resolution(form), now=moment(request)
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
            dry_run=values.get("act") != "write",
        )
    except Invalid as error:
        return await _desk(request, {}, error=error)
    return await _desk(request, {}, result=result, written=values.get("act") == "write")


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
        request.user, text=query.q, waiting=query.waiting, page=query.page
    )
    county = Target(unit_code=str(request.user.county_id))
    return page(
        request,
        "funds/desk_funds.html",
        rows=rows,
        total=total,
        pages=-(-total // service.PAGE),
        query=query,
        values=values,
        error=error,
        problems=error.fields if isinstance(error, Invalid) else {},
        result=result,
        written=written,
        may_enter=allowed(request.user, Action.FUND_EDIT, county).allowed,
    )


def _resolution(form: EntryForm) -> ResolutionForm:
    try:
        amount_fen = parse_yuan(form.amount)
    except ValueError as error:
        raise Invalid("有几处需要改正。", {"amount": str(error)}) from error
    return ResolutionForm(
        unit_code=form.unit_code,
        number=form.number,
        resolved_on=form.resolved_on,
        amount_fen=amount_fen,
    )


router = Router(
    "/", route_handlers=[funds, fund, desk, enter, import_file], include_in_schema=False
)
