"""The village's say on prices, on the verifier's phone."""

from typing import Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.mall import service as mall
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, moment, page, part

DONE = {"approve": "已同意，到生效日改价。", "refuse": "已不同意，店里看得到原因。"}


class Decision(msgspec.Struct):
    """同意 or 不同意, with a reason for the latter."""

    answer: Literal["approve", "refuse"]
    note: str = ""


@get("/verify/prices")
async def waiting(request: Asked, done: FromQuery[str] = "") -> Template:
    """Price changes that wait for this village or township."""
    return await _waiting(request, done=DONE.get(done, ""))


@post("/verify/prices/{price_id:uuid}")
async def decide(request: Asked, price_id: FromPath[UUID]) -> Template | Redirect:
    """Approve or refuse; the day of a late approval is said on the next page."""
    try:
        form = forms.bind(Decision, await forms.read(request))
        await mall.decide_price(
            request.user,
            price_id,
            moment(request),
            approve=form.answer == "approve",
            note=form.note[:100],
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await _waiting(request, error)
    return Redirect(f"/verify/prices?done={form.answer}", status_code=303)


async def _waiting(request: Asked, error: GridmeritError | None = None, done: str = "") -> Template:
    number, found = asked_page(request), await mall.waiting_prices(request.user)
    rows, pages = part(found, number, mall.PAGE)
    return page(
        request,
        "mall/m_prices.html",
        rows=rows,
        number=number,
        pages=pages,
        total=len(found),
        error=error,
        done=done,
    )


router = Router("/", route_handlers=[waiting, decide], include_in_schema=False)
