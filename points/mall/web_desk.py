"""The department's 积分超市 and 商品审核: lists, agreements, catalogue, prices, office files."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.imports import Imported
from points.mall import goods_file, shop_file
from points.mall import service as mall
from points.mall.rules import CATEGORY_NAMES, Category, parse_yuan
from points.mall.schemas import ProductRow
from points.mall.web_shop import price_form
from points.settlement.rules import checked_month, month_end, month_start
from shared.clock import today
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, NotFound
from shared.identity.actor import Actor
from shared.roster.office.schemas import Page
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, part
from shared.web.pages import page as render

FILE_LIMIT = 5 * 1024 * 1024
REFUSALS = (Invalid, Conflict, Forbidden)
CATEGORIES = [(item.value, CATEGORY_NAMES[item]) for item in Category]
Importer = Callable[..., Awaitable[Imported]]


class ShopQuery(msgspec.Struct):
    """The conditions of the list of shops."""

    q: str = ""
    status: str = ""
    page: Page = 1


class ProductQuery(msgspec.Struct):
    """The conditions of the catalogue."""

    q: str = ""
    category: str = ""
    status: str = ""
    page: Page = 1
    waiting: Page = 1
    """Of the prices that wait."""


class ShopEdit(msgspec.Struct):
    """What may change about a shop."""

    version: int
    settlement_name: str
    state: str
    reason: str = ""


class Agreement(msgspec.Struct):
    """A further period."""

    first_day: date
    last_day: date


class ProductEntry(msgspec.Struct):
    """A kind of goods as the desk writes it; the market price is in yuan."""

    category: Category
    name: str = ""
    measure: str = ""
    low_mark: int = 5
    monthly_limit: int | None = None
    market: str = ""
    state: str = "listed"
    version: int = 1


class Decision(msgspec.Struct):
    """同意 or 不同意 a price for every shop."""

    answer: Literal["approve", "refuse"]
    note: str = ""


# --- shops


@get("/desk/shops")
async def shops(request: Asked) -> Template:
    """Every shop of the actor's units."""
    return await _shops(request, forms.bind(ShopQuery, dict(request.query_params)))


@get("/desk/shops/new")
async def new_shop(request: Asked) -> Template:
    """The form of a new shop."""
    return _shop_form(request)


@post("/desk/shops")
async def add_shop(request: Asked) -> Template | Redirect:
    """Enter a shop with its first agreement."""
    values = await forms.read(request)
    try:
        form = forms.bind(mall.ShopForm, values)
        shop_id = await mall.add_shop(request.user, request.user.county_id, form, moment(request))
    except REFUSALS as error:
        return _shop_form(request, values, error)
    return Redirect(f"/desk/shops/{shop_id}", status_code=303)


@get("/desk/shops/{shop_id:uuid}")
async def shop(request: Asked, shop_id: FromPath[UUID], month: FromQuery[str] = "") -> Template:
    """One shop: agreements, keepers, shelf, what a month took out of it beside redemptions."""
    return await _shop(request, shop_id, month=month)


@post("/desk/shops/{shop_id:uuid}")
async def edit_shop(request: Asked, shop_id: FromPath[UUID]) -> Template | Redirect:
    """Change, close or reopen."""
    values = await forms.read(request)
    try:
        form = forms.bind(ShopEdit, values)
        await mall.edit_shop(
            request.user, shop_id, form.version, form.settlement_name, form.state, form.reason
        )
    except REFUSALS as error:
        return await _shop(request, shop_id, values, error)
    return Redirect(f"/desk/shops/{shop_id}", status_code=303)


@post("/desk/shops/{shop_id:uuid}/agreements")
async def agree(request: Asked, shop_id: FromPath[UUID]) -> Template | Redirect:
    """Add a period."""
    values = await forms.read(request)
    try:
        form = forms.bind(Agreement, values)
        await mall.add_agreement(
            request.user, shop_id, form.first_day, form.last_day, moment(request)
        )
    except REFUSALS as error:
        return await _shop(request, shop_id, values, error)
    return Redirect(f"/desk/shops/{shop_id}", status_code=303)


@post("/desk/shops/import", request_max_body_size=FILE_LIMIT)
async def import_shops(request: Asked) -> Template:
    """The office's list of shops: look first, then write."""
    return await _import(request, shop_file.import_shops, "积分超市名录", "/desk/shops", "shops")


# --- goods


@get("/desk/products")
async def products(request: Asked) -> Template:
    """The catalogue, and prices that wait for the department."""
    query = forms.bind(ProductQuery, dict(request.query_params))
    found = await mall.list_products(
        request.user.county_id, text=query.q, category=query.category, state=query.status
    )
    rows, pages = part(found, query.page, mall.PAGE)
    proposed = await mall.waiting_prices(request.user)
    waiting, waiting_pages = part(proposed, query.waiting, mall.PAGE)
    return render(
        request,
        "mall/desk_products.html",
        rows=rows,
        pages=pages,
        total=len(found),
        query=query,
        categories=CATEGORIES,
        waiting=waiting,
        waiting_pages=waiting_pages,
        waiting_total=len(proposed),
    )


@get("/desk/products/new")
async def new_product(request: Asked) -> Template:
    """The form of new goods."""
    return _product_form(request)


@post("/desk/products")
async def add_product(request: Asked) -> Template | Redirect:
    """Enter a kind of goods; prohibited ones are refused."""
    values = await forms.read(request)
    try:
        form = _product_values(values)
        product_id = await mall.add_product(
            request.user, request.user.county_id, form, moment(request)
        )
    except REFUSALS as error:
        return _product_form(request, values, error)
    return Redirect(f"/desk/products/{product_id}", status_code=303)


@get("/desk/products/{product_id:uuid}")
async def product(request: Asked, product_id: FromPath[UUID]) -> Template:
    """One kind of goods with all its prices."""
    return await _product(request, product_id)


@post("/desk/products/{product_id:uuid}")
async def edit_product(request: Asked, product_id: FromPath[UUID]) -> Template | Redirect:
    """Change shelf, limits, market price or state."""
    values = await forms.read(request)
    try:
        form = _product_values(values)
        await mall.edit_product(request.user, product_id, form, moment(request))
    except REFUSALS as error:
        return await _product(request, product_id, values, error)
    return Redirect(f"/desk/products/{product_id}", status_code=303)


@post("/desk/products/{product_id:uuid}/price")
async def propose(request: Asked, product_id: FromPath[UUID]) -> Template | Redirect:
    """A price for every shop, to be approved by a second person of the department."""
    values = await forms.read(request)
    try:
        form = price_form(values, product_id, None)
        await mall.propose_price(request.user, form, moment(request))
    except REFUSALS as error:
        return await _product(request, product_id, values, error)
    return Redirect(f"/desk/products/{product_id}", status_code=303)


@post("/desk/products/prices/{price_id:uuid}")
async def decide(request: Asked, price_id: FromPath[UUID]) -> Template | Redirect:
    """Approve or refuse a proposal."""
    form = forms.bind(Decision, await forms.read(request))
    row = await mall.decide_price(
        request.user,
        price_id,
        moment(request),
        approve=form.answer == "approve",
        note=form.note[:100],
    )
    return Redirect(f"/desk/products/{row.product_id}", status_code=303)


@post("/desk/products/import", request_max_body_size=FILE_LIMIT)
async def import_products(request: Asked) -> Template:
    """The office's catalogue: look first, then write."""
    return await _import(
        request, goods_file.import_products, "商品目录", "/desk/products", "products"
    )


async def _import(request: Asked, importer: Importer, title: str, back: str, menu: str) -> Template:
    """Run an import or its dry run, and show what happened."""
    posted = await forms.read(request, files=("file",))
    file = posted.get("file")
    actor: Actor = request.user
    result, error = None, None
    dry_run = posted.get("how") != "write"
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise Invalid("请先选择文件。", {"file": "请先选择文件。"})
        data = await file.read()
        result = await importer(
            actor, actor.county_id, data, file.filename, moment(request), dry_run=dry_run
        )
    except REFUSALS as refused:
        error = refused
    report = b64encode(result.report).decode() if result and result.report else ""
    return render(
        request,
        "mall/desk_import.html",
        what=title,
        back=back,
        menu=menu,
        result=result,
        report=report,
        dry_run=dry_run,
        error=error,
    )


async def _shops(request: Asked, query: ShopQuery) -> Template:
    rows, total = await mall.list_shops(
        request.user, state=query.status, text=query.q, page=query.page
    )
    return render(
        request,
        "mall/desk_shops.html",
        rows=rows,
        total=total,
        q=query.q,
        state=query.status,
        number=query.page,
        pages=-(-total // mall.PAGE),
        day=today(moment(request)),
    )


def _shop_form(
    request: Asked, values: dict[str, Any] | None = None, error: GridmeritError | None = None
) -> Template:
    return render(
        request,
        "mall/desk_shop_new.html",
        values=values or {},
        error=error,
    )


async def _shop(
    request: Asked,
    shop_id: UUID,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
    month: str = "",
) -> Template:
    day = today(moment(request))
    month = checked_month(month or f"{day:%Y-%m}")
    row = await mall.view_shop(request.user, shop_id)
    return render(
        request,
        "mall/desk_shop.html",
        row=row,
        agreements=await mall.agreements(request.user, shop_id),
        offers=await mall.offers(request.user.county_id, shop_id, day),
        corrections=await mall.corrections(
            request.user, shop_id, month_start(month), month_end(month)
        ),
        month=month,
        day=day,
        values=values or {},
        error=error,
    )


def _product_values(values: dict[str, Any]) -> mall.ProductForm:
    """The posted fields as a product; raises Invalid."""
    form = forms.bind(ProductEntry, values)
    try:
        market = parse_yuan(form.market) if form.market else None
    except ValueError as error:
        raise Invalid(str(error), {"market": str(error)}) from error
    return mall.ProductForm(
        name=form.name,
        category=form.category,
        measure=form.measure,
        monthly_limit=form.monthly_limit,
        low_mark=form.low_mark,
        market_fen=market,
        state=form.state,
        version=form.version,
    )


def _product_form(
    request: Asked, values: dict[str, Any] | None = None, error: GridmeritError | None = None
) -> Template:
    return render(
        request,
        "mall/desk_product_new.html",
        values=values or {},
        categories=CATEGORIES,
        error=error,
    )


async def _product(
    request: Asked,
    product_id: UUID,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
) -> Template:
    row: ProductRow | None = await mall.product(request.user.county_id, product_id)
    if row is None:
        raise NotFound
    return render(
        request,
        "mall/desk_product.html",
        row=row,
        prices=await mall.prices(request.user, product_id),
        categories=CATEGORIES,
        day=today(moment(request)),
        values=values or {},
        error=error,
    )


router = Router(
    "/",
    route_handlers=[
        shops,
        new_shop,
        add_shop,
        shop,
        edit_shop,
        agree,
        import_shops,
        products,
        new_product,
        add_product,
        product,
        edit_product,
        propose,
        decide,
        import_products,
    ],
    include_in_schema=False,
)
