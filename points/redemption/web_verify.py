"""The village's part: taking back late, and printed cards for people without a phone."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.redemption import codes, service
from points.redemption.rules import PATH, UNDO_REASONS
from shared.database import DB
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, TooMany
from shared.web import forms
from shared.web.application import Router
from shared.web.filters import drawn
from shared.web.pages import Asked, asked_page, moment, page, part

MOST_CARDS = 48
HOLDERS = 50
"""People on one page of those who may have a card."""


class LateUndo(msgspec.Struct):
    """Why it is taken back."""

    reason: str = ""


class CardsForm(msgspec.Struct):
    """For whom cards are printed."""

    person: list[UUID]


@get("/verify/redemptions")
async def recent(request: Asked, after: FromQuery[str | None] = None) -> Template:
    """Redemptions of the last month at the shops of the actor's units."""
    rows, more = await service.recent(request.user, moment(request), after=after)
    return page(
        request,
        "redemption/m_redemptions.html",
        block="rows" if after else None,
        rows=rows,
        more=more,
    )


@get("/verify/redemptions/{redemption_id:uuid}")
async def one(request: Asked, redemption_id: FromPath[UUID]) -> Template:
    """A receipt with the late undo."""
    return await _one(request, redemption_id)


@post("/verify/redemptions/{redemption_id:uuid}/undo")
async def undo(request: Asked, redemption_id: FromPath[UUID]) -> Template | Redirect:
    """Take it back after the shop's minutes."""
    form = forms.bind(LateUndo, await forms.read(request))
    try:
        await service.undo(request.user, redemption_id, form.reason, moment(request))
    except (Conflict, Forbidden, Invalid) as error:
        return await _one(request, redemption_id, error)
    return Redirect(f"/verify/redemptions/{redemption_id}", status_code=303)


@get("/verify/cards")
async def cards(request: Asked) -> Template:
    """Choose for whom a card is printed."""
    return await _cards(request)


@post("/verify/cards")
async def print_cards(request: Asked) -> Template:
    """A sheet of new cards; former cards of these people stop working."""
    now = moment(request)
    values = await forms.read(request, lists=("person",))
    try:
        form = forms.bind(CardsForm, values)
        if not form.person:
            raise Invalid("还没有勾选，请先选给谁打印。")  # noqa: TRY301  one answer
        if len(form.person) > MOST_CARDS:
            raise Invalid(f"一次最多 {MOST_CARDS} 张，请分几次打印。")  # noqa: TRY301  one answer
        async with DB.transaction():  # a card that is not printed must not replace one that is
            made = [await codes.issue_card(request.user, person, now) for person in form.person]
    except (Invalid, Forbidden, TooMany) as error:
        return await _cards(request, error, values.get("person", ()))
    base = request.app.state.settings.public_url + PATH
    return page(
        request,
        "redemption/print_cards.html",
        cards=made,
        codes=await drawn([base + card.token for card in made], "兑换卡"),
    )


@post("/verify/cards/{person_id:uuid}/revoke")
async def revoke(request: Asked, person_id: FromPath[UUID]) -> Redirect:
    """A lost card stops working at once."""
    await codes.revoke_card(request.user, person_id, moment(request))
    return Redirect("/verify/cards", status_code=303)


async def _one(
    request: Asked, redemption_id: UUID, error: GridmeritError | None = None
) -> Template:
    return page(
        request,
        "redemption/m_late_undo.html",
        row=await service.view(request.user, redemption_id, moment(request)),
        reasons=UNDO_REASONS,
        error=error,
    )


async def _cards(
    request: Asked, error: GridmeritError | None = None, ticked: Sequence[str] = ()
) -> Template:
    number = asked_page(request)
    holders = await codes.card_holders(request.user, moment(request))
    people, pages = part(holders, number, HOLDERS)
    return page(
        request,
        "redemption/m_cards.html",
        people=people,
        number=number,
        pages=pages,
        total=len(holders),
        untold=await codes.untold(request.user, moment(request)) if number == 1 else [],
        left=await codes.cards_left(request.user, moment(request)) if number == 1 else [],
        ticked=ticked,
        error=error,
    )


router = Router(
    "/",
    route_handlers=[recent, one, undo, cards, print_cards, revoke],
    include_in_schema=False,
)
