"""The worker's pages: the code on the screen, goods ordered ahead, receipts.

Showing the code page makes a fresh code of one's own; it spends nothing, and the number of codes
an hour is bounded.
"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.ledger import service as ledger
from points.mall import service as mall
from points.redemption import codes, pickups, service
from points.redemption.baskets import chosen, shown
from points.redemption.rules import PATH, UNDO_REASONS
from points.redemption.schemas import HoldOrder, LongText, ShortText
from shared.clock import today
from shared.errors import GridmeritError, Invalid, NotFound
from shared.ids import new_id
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page


class PickupForm(msgspec.Struct):
    """An order ahead, beside the chosen pieces."""

    id: UUID
    shop: UUID
    collector: ShortText = ""
    deliver_to: LongText = ""


@get("/code")
async def code_page(request: Asked) -> Template:
    """A fresh code: QR, eight digits, how long it is good."""
    made = await codes.issue(request.user, moment(request))
    balances = await ledger.balances(request.user.county_id, request.user.person_id)
    return page(
        request,
        "redemption/m_code.html",
        code=made,
        url=request.app.state.settings.public_url + PATH + made.token,
        balances=balances,
    )


@get("/code/state")
async def code_state(request: Asked, id: FromQuery[UUID]) -> Template | Response[None]:  # noqa: A002  the address says id
    """Nothing new (204), or what was taken with the code."""
    state = await service.code_state(request.user, id, moment(request))
    if state.spent is None:
        return Response(None, status_code=204)
    return page(request, "redemption/m_code.html", block="spent", spent=state.spent)


@get("/receipts/{redemption_id:uuid}")
async def receipt(request: Asked, redemption_id: FromPath[UUID]) -> Template:
    """What was handed out, for whoever may see it; the shop may undo it here in its minutes."""
    row = await service.view(request.user, redemption_id, moment(request))
    return page(
        request,
        "redemption/m_receipt.html",
        row=row,
        own=row.person_id == request.user.person_id,
        reasons=UNDO_REASONS if await service.undoable(request.user, row, moment(request)) else (),
    )


@get("/pickups")
async def pickup_list(request: Asked) -> Template:
    """What I ordered, and the shops where I can order."""
    rows = await pickups.mine(request.user)
    return page(request, "redemption/m_pickups.html", rows=rows)


@get("/pickups/new")
async def new_pickup(request: Asked, shop: FromQuery[UUID | None] = None) -> Template:
    """Choose a shop, then goods."""
    if shop is None:
        shops = await mall.open_shops(request.user.county_id, today(moment(request)))
        return page(request, "redemption/m_pickup_shops.html", shops=shops)
    return await _order_page(request, shop)


@post("/pickups")
async def order(request: Asked) -> Template | Redirect:
    """Order ahead; a repeat of the same form lands on the same order."""
    values = await forms.read(request)
    form = forms.bind(PickupForm, values)
    try:
        wanted = HoldOrder(
            id=form.id,
            shop_id=form.shop,
            lines=chosen(values),
            collector=form.collector,
            deliver_to=form.deliver_to,
        )
        cost = shown(values, wanted.lines)
        answer = await pickups.hold(request.user, wanted, moment(request), shown=cost)
    except Invalid as error:
        return await _order_page(request, form.shop, values, error)
    if answer.refusal:
        return await _order_page(request, form.shop, values, answer.refusal)
    return Redirect(f"/pickups/{form.id}?new=1", status_code=303)


@get("/pickups/{pickup_id:uuid}")
async def pickup(
    request: Asked, pickup_id: FromPath[UUID], new: FromQuery[int | None] = None
) -> Template:
    """One order with its pickup code."""
    row = await pickups.view(request.user, pickup_id)
    if row.person_id != request.user.person_id:
        raise NotFound
    code = pickups.code_of(request.user, row)
    url = request.app.state.settings.public_url + PATH + code.token if code else ""
    return page(request, "redemption/m_pickup.html", row=row, code=code, url=url, new=new)


@post("/pickups/{pickup_id:uuid}/void")
async def cancel(request: Asked, pickup_id: FromPath[UUID]) -> Redirect:
    """Give the order back: the points return to where they came from."""
    await pickups.void(request.user, pickup_id, "网格员取消", moment(request))
    return Redirect(f"/pickups/{pickup_id}", status_code=303)


async def _order_page(
    request: Asked,
    shop_id: UUID,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
) -> Template:
    """The shelf of a shop, with what was chosen when something was wrong."""
    actor, day = request.user, today(moment(request))
    shop = await mall.shop(actor.county_id, shop_id, day)
    if shop is None or not mall.agreed(shop, day) or shop.state != "open":
        raise NotFound("这家店现在不能预订，请选另一家。")
    again = isinstance(error, Invalid)
    balances = await ledger.balances(actor.county_id, actor.person_id)
    return page(
        request,
        "redemption/m_order.html",
        shop=shop,
        offers=await mall.offers(actor.county_id, shop_id, day),
        balance=balances.wallet,
        id=(values or {}).get("id") if again else new_id(),
        values=values or {},
        error=error,
    )


router = Router(
    "/",
    route_handlers=[
        code_page,
        code_state,
        receipt,
        pickup_list,
        new_pickup,
        order,
        pickup,
        cancel,
    ],
    include_in_schema=False,
)
