"""The shop's 商品: its shelf, pieces in, out and counted, and prices it asks for."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from msgspec import Meta

from points.mall import service as mall
from points.mall.rules import parse_whole, parse_yuan
from shared.clock import today
from shared.errors import Conflict, GridmeritError, Invalid, NotFound
from shared.ids import new_id
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, moment, page, part

DONE = {"stock": "库存已保存。", "price": "已报村里批准，批准前仍按现价兑换。"}


class PriceChange(msgspec.Struct):
    """What a shop asks for: points and yuan as people write them."""

    points: str
    purchase: str
    first_day: date
    why: Annotated[str, Meta(max_length=100)] = ""


def price_form(values: dict[str, Any], product_id: UUID, shop_id: UUID | None) -> mall.PriceForm:
    """A proposal from posted fields; raises Invalid naming what is wrong."""
    form = forms.bind(PriceChange, values)
    faults = {}
    points = fen = 0
    try:
        points = parse_whole(form.points, least=1, most=100_000) * 10
    except ValueError as error:
        faults["points"] = str(error)
    try:
        fen = parse_yuan(form.purchase)
    except ValueError as error:
        faults["purchase"] = str(error)
    if faults:
        raise Invalid("有几处需要改正。", faults)
    return mall.PriceForm(
        product_id=product_id,
        shop_id=shop_id,
        first_day=form.first_day,
        points=points,
        purchase_fen=fen,
        reason=form.why,
    )


@get("/shop/products")
async def shelf(request: Asked) -> Template:
    """Everything on the shelf, low ones first; what the catalogue has besides."""
    shop_id = kept_shop(request)
    county_id = request.user.county_id
    offers = await mall.offers(county_id, shop_id, today(moment(request)))
    here = {offer.product_id for offer in offers}
    catalogue = await mall.list_products(county_id, state="listed")
    number = asked_page(request)
    besides = [row for row in catalogue if row.id not in here]
    others, pages = part(besides, number, mall.PAGE)
    return page(
        request,
        "mall/m_shelf.html",
        low=[offer for offer in offers if offer.low],
        offers=[offer for offer in offers if not offer.low],
        others=others,
        number=number,
        pages=pages,
        total=len(besides),
    )


@get("/shop/products/{product_id:uuid}")
async def product(
    request: Asked, product_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Template:
    """One product of the shelf: stock and price."""
    return await _product(request, product_id, done=DONE.get(done, ""))


@post("/shop/products/{product_id:uuid}/stock")
async def move(request: Asked, product_id: FromPath[UUID]) -> Template | Redirect:
    """入库, 出库 or 盘点."""
    values = await forms.read(request) | {"product_id": str(product_id)}
    try:
        form = forms.bind(mall.StockForm, values)
        await mall.move_stock(request.user, kept_shop(request), form, moment(request))
    except (Invalid, Conflict) as error:
        return await _product(request, product_id, values, error)
    return Redirect(f"/shop/products/{product_id}?done=stock", status_code=303)


@post("/shop/products/{product_id:uuid}/price")
async def propose(request: Asked, product_id: FromPath[UUID]) -> Template | Redirect:
    """Ask the village for another price from a day on."""
    values = await forms.read(request)
    try:
        form = price_form(values, product_id, kept_shop(request))
        await mall.propose_price(request.user, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _product(request, product_id, values, error)
    return Redirect(f"/shop/products/{product_id}?done=price", status_code=303)


def kept_shop(request: Asked) -> UUID:
    """The shop of this counter. Raises NotFound."""
    if not request.user.shops:
        raise NotFound
    first: UUID = request.user.shops[0]
    return first


async def _product(
    request: Asked,
    product_id: UUID,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
    done: str = "",
) -> Template:
    actor, shop_id, day = request.user, kept_shop(request), today(moment(request))
    row = await mall.product(actor.county_id, product_id)
    if row is None:
        raise NotFound
    offers = await mall.offers(actor.county_id, shop_id, day)
    prices = await mall.shop_prices(actor, shop_id)
    return page(
        request,
        "mall/m_product.html",
        row=row,
        offer=next((offer for offer in offers if offer.product_id == product_id), None),
        moves=await mall.stock_moves(actor, shop_id, product_id),
        prices=[price for price in prices if price.product_id == product_id],
        id=new_id(),
        day=day,
        values=values or {},
        error=error,
        done=done,
    )


router = Router("/", route_handlers=[shelf, product, move, propose], include_in_schema=False)
