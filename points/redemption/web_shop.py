"""The counter: scan, choose, confirm; take back; hand out what was ordered ahead.

The code itself travels in the forms (never in an address other than ``/r/``) until the ledger
consumes it; a form's hidden id makes a double click one redemption.
"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.errors import NotACode, Refused
from points.mall import service as mall
from points.redemption import codes, pickups, service
from points.redemption.baskets import chosen, shown
from points.redemption.rules import PATH, CodeKind, scanned
from points.redemption.schemas import HandOver, RedemptionOrder
from shared.clock import today
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, NotFound, TooMany
from shared.ids import new_id
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page
from shared.web.ratelimit import limit

FAILURES = (Conflict, Invalid, Forbidden, TooMany, NotFound)
CHOOSE_AGAIN = {"insufficient", "out_of_stock", "product_limit", "month_limit", "price_changed"}
"""Refusals after which other goods, or the same at another price, may do."""
TRIES_A_MINUTE = 60


class CodeForm(msgspec.Struct):
    """What was scanned or typed; with a card also the PIN."""

    code: str
    pin: str = ""


class RedeemForm(msgspec.Struct):
    """The confirmed goods, beside the chosen pieces."""

    id: UUID
    code: str
    collector: str = ""


class UndoForm(msgspec.Struct):
    """Why it is taken back."""

    reason: str = ""


class HandOverForm(msgspec.Struct):
    """Who came for an order, beside the chosen pieces."""

    id: UUID
    collector: str = ""


@get("/shop")
async def counter(request: Asked) -> Template:
    """扫码: every way of reading a code, and the day so far."""
    return await _counter(request)


@post("/shop/customer")
async def find(request: Asked) -> Template | Redirect:
    """Whom the code brings: goods to choose, the card's PIN, or the order to hand out."""
    shop_id = kept_shop(request)
    await limit(request.app.state.valkey, "code", str(shop_id), TRIES_A_MINUTE, 60)
    form = forms.bind(CodeForm, await forms.read(request))
    return await _found(request, shop_id, form)


@get(PATH + "{token:str}")
async def scanned_link(
    request: Request[Any, Any, Any], token: FromPath[str]
) -> Template | Redirect:
    """The link in the QR code: a keeper goes on to the goods, anybody else is told who can."""
    if not request.user or not request.user.shops:
        return page(request, "redemption/m_not_keeper.html")
    return await _found(request, kept_shop(request), CodeForm(token))


@post("/shop/redeem")
async def redeem(request: Asked) -> Template | Redirect:
    """Goods for points: the green or the red page."""
    shop_id, now = kept_shop(request), moment(request)
    values = await forms.read(request)
    form = forms.bind(RedeemForm, values)
    try:
        wanted = chosen(values)
        order = RedemptionOrder(
            id=form.id,
            shop_id=shop_id,
            code=form.code,
            lines=wanted,
            amount=shown(values, wanted),
            collector=form.collector[:20],
        )
        answer = await service.redeem(request.user, order, now)
    except Invalid as error:
        return await _goods(request, shop_id, form.code, values, error)
    except FAILURES as error:
        if error.code == "id_reused":
            return await _tried_before(request, shop_id, form, values)
        return failed(request, error)
    if answer.refusal:
        if answer.refusal.code in CHOOSE_AGAIN:
            return await _goods(request, shop_id, form.code, values, answer.refusal)
        return failed(request, answer.refusal)
    return Redirect(f"/shop/done/{form.id}", status_code=303)


@get("/shop/done/{redemption_id:uuid}")
async def done(request: Asked, redemption_id: FromPath[UUID]) -> Template:
    """The green page: the amount, the rest, the next customer."""
    row = await service.view(request.user, redemption_id, moment(request))
    return page(request, "redemption/m_done.html", row=row)


@post("/shop/redemptions/{redemption_id:uuid}/undo")
async def undo(request: Asked, redemption_id: FromPath[UUID]) -> Template | Redirect:
    """Take a redemption back, with its reason."""
    form = forms.bind(UndoForm, await forms.read(request))
    try:
        await service.undo(request.user, redemption_id, form.reason, moment(request))
    except (Conflict, Forbidden, Invalid) as error:
        if error.code != "already_undone":  # the receipt says by whom, and that all came back
            return failed(request, error, title="没有撤销", back=f"/receipts/{redemption_id}")
    return Redirect(f"/receipts/{redemption_id}", status_code=303)


@get("/shop/today")
async def day(request: Asked, after: FromQuery[str | None] = None) -> Template:
    """今日 12 笔 / 318 分, each line a receipt."""
    shop_id, on = kept_shop(request), today(moment(request))
    rows, more = await service.day_list(request.user, shop_id, on, after=after)
    return page(
        request,
        "redemption/m_today.html",
        block="rows" if after else None,
        rows=rows,
        more=more,
        after=after,
        total=await service.total(request.user.county_id, shop_id, on),
    )


@get("/shop/pickups")
async def orders(request: Asked) -> Template:
    """What is set aside here and not fetched yet."""
    rows = await pickups.waiting(request.user, kept_shop(request))
    return page(request, "redemption/m_shop_pickups.html", rows=rows)


@get("/shop/pickups/{pickup_id:uuid}")
async def shop_order(request: Asked, pickup_id: FromPath[UUID]) -> Template:
    """One order, ready to be handed over."""
    row = await pickups.view(request.user, pickup_id)
    if row.shop_id not in request.user.shops:
        raise NotFound
    return page(request, "redemption/m_hand_over.html", row=row, id=new_id(), error=None)


@post("/shop/pickups/{pickup_id:uuid}/post")
async def hand_over(request: Asked, pickup_id: FromPath[UUID]) -> Template | Redirect:
    """Handed over, all or some of it."""
    values = await forms.read(request)
    form = forms.bind(HandOverForm, values)
    try:
        order = HandOver(id=form.id, picks=chosen(values), collector=form.collector[:20])
        answer = await pickups.hand_over(request.user, pickup_id, order, moment(request))
    except FAILURES as error:
        return failed(request, error, back=f"/shop/pickups/{pickup_id}")
    if answer.refusal:
        return failed(request, answer.refusal, back="/shop/pickups")
    return Redirect(f"/shop/done/{form.id}", status_code=303)


@post("/shop/pickups/{pickup_id:uuid}/void")
async def give_back(request: Asked, pickup_id: FromPath[UUID]) -> Template | Redirect:
    """Cannot be delivered: points and pieces go back."""
    form = forms.bind(UndoForm, await forms.read(request))
    try:
        reason = form.reason or "店里作废"
        await pickups.void(request.user, pickup_id, reason, moment(request))
    except Conflict as error:
        return failed(request, error, back="/shop/pickups")
    return Redirect("/shop/pickups", status_code=303)


def kept_shop(request: Asked) -> UUID:
    """The shop of this counter; a keeper of several works in the first. Raises NotFound."""
    if not request.user.shops:
        raise NotFound
    first: UUID = request.user.shops[0]
    return first


def failed(
    request: Asked, error: GridmeritError, *, title: str = "没有兑换", back: str = "/shop"
) -> Template:
    """The red page: the reason, and what to do next."""
    return page(
        request,
        "redemption/m_failed.html",
        error=error,
        failed=title,
        back_to=back,
    )


async def _counter(request: Asked, error: GridmeritError | None = None) -> Template:
    shop_id, now = kept_shop(request), moment(request)
    on = today(now)
    rows, _ = await service.day_list(request.user, shop_id, on, limit=1)
    waiting = await pickups.waiting(request.user, shop_id)
    shop = await mall.shop(request.user.county_id, shop_id, on)
    return page(
        request,
        "redemption/m_counter.html",
        serving=shop is not None and shop.state == "open" and mall.agreed(shop, on),
        total=await service.total(request.user.county_id, shop_id, on),
        last=rows[0] if rows else None,
        waiting=len(waiting),
        error=error,
    )


async def _found(request: Asked, shop_id: UUID, form: CodeForm) -> Template | Redirect:
    """The next page for a code: a one-time code's goods, a card's PIN, an order."""
    now = moment(request)
    code = scanned(form.code)
    if code is None:
        return await _counter(request, NotACode())
    try:
        if code.kind is CodeKind.PICKUP:
            order = await codes.pickup_of(request.user, shop_id, form.code, now)
            return Redirect(f"/shop/pickups/{order.id}", status_code=303)
        if code.kind is CodeKind.CARD:
            return await _with_card(request, shop_id, form)
        return await _goods(request, shop_id, form.code)
    except FAILURES as error:
        return failed(request, error)


async def _with_card(request: Asked, shop_id: UUID, form: CodeForm) -> Template:
    """Ask for the PIN, then go on as with a code."""
    error: GridmeritError | None = None
    if form.pin:
        try:
            minted = await codes.from_card(
                request.user, shop_id, form.code, form.pin, moment(request)
            )
            return await _goods(request, shop_id, minted.token)
        except Refused:
            raise
        except GridmeritError as wrong:
            error = wrong
    return page(
        request,
        "redemption/m_card.html",
        code=form.code,
        error=error,
    )


async def _tried_before(
    request: Asked, shop_id: UUID, form: RedeemForm, values: dict[str, Any]
) -> Template | Redirect:
    """The answer to the first press was lost, and other goods are chosen now: what came of it."""
    try:
        await service.view(request.user, form.id, moment(request))
    except NotFound:
        before = Conflict("上一次没有办成。请核对商品，再点“确认兑换”。")
        return await _goods(request, shop_id, form.code, values, before)
    return Redirect(f"/shop/done/{form.id}", status_code=303)


async def _goods(
    request: Asked,
    shop_id: UUID,
    code: str,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
) -> Template:
    """The customer and the shelf. A refused order gets a new id: it is another try."""
    now = moment(request)
    person = await service.customer(request.user, shop_id, code, now)
    return page(
        request,
        "redemption/m_goods.html",
        person=person,
        offers=await mall.offers(request.user.county_id, shop_id, today(now)),
        id=new_id(),
        code=code,
        values=values or {},
        error=error,
    )


router = Router(
    "/",
    route_handlers=[
        counter,
        find,
        scanned_link,
        redeem,
        done,
        undo,
        day,
        orders,
        shop_order,
        hand_over,
        give_back,
    ],
    include_in_schema=False,
)
