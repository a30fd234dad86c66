"""积分超市的「我的」: helpers of a shop and keys of its terminals."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from shared.errors import Conflict, GridmeritError, Invalid, NotFound
from shared.identity import slips, staff, terminals, web_me
from shared.identity.errors import HeldElsewhere
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

REFUSALS = (Invalid, Conflict)
OTHER_POSTS = "{name}已是店员。本人在店外还有或有过岗位，激活条请村（社区）书记打印。"


class HelperForm(msgspec.Struct):
    """A new helper."""

    name: str
    phone: str


class TerminalForm(msgspec.Struct):
    """A new key: what the terminal is called."""

    label: str


@get("/shop/me")
async def me(request: Asked) -> Template:
    """我的, with the shop's tabs."""
    return await web_me.me_page(request)


@get("/shop/staff")
async def staff_page(request: Asked) -> Template:
    """店员."""
    return await _staff(request)


@post("/shop/staff")
async def add_helper(request: Asked) -> Template:
    """A helper, and the slip to scan."""
    shop_id, now = _shop(request), moment(request)
    values = await forms.read(request)
    try:
        form = forms.bind(HelperForm, values)
        person_id = await staff.add_helper(request.user, shop_id, form.name, form.phone, now)
    except REFUSALS as error:
        return await _staff(request, values, error)
    if await staff.is_activated(request.user.county_id, person_id):
        return await _staff(request, done=f"{form.name}已加入，用原来的密码登录。")
    return await _slip(request, person_id)


@post("/shop/staff/{person_id:uuid}/slip")
async def slip(request: Asked, person_id: FromPath[UUID]) -> Template:
    """A slip for a helper who has none or lost the phone."""
    return await _slip(request, person_id)


@post("/shop/staff/{assignment_id:uuid}/end")
async def end_helper(request: Asked, assignment_id: FromPath[UUID]) -> Redirect:
    """The helper has left."""
    await staff.end_helper(request.user, _shop(request), assignment_id, moment(request))
    return Redirect("/shop/staff", status_code=303)


@get("/shop/terminals")
async def terminals_page(request: Asked) -> Template:
    """收银终端."""
    return await _terminals(request)


@post("/shop/terminals")
async def create_terminal(request: Asked) -> Template:
    """A key and its secret, shown once."""
    values = await forms.read(request)
    try:
        form = forms.bind(TerminalForm, values)
        made = await terminals.create(request.user, _shop(request), form.label, moment(request))
    except REFUSALS as error:
        return await _terminals(request, values, error)
    return page(request, "identity/m_terminal_key.html", made=made)


@post("/shop/terminals/{key_id:uuid}/revoke")
async def revoke_terminal(request: Asked, key_id: FromPath[UUID]) -> Redirect:
    """The key stops working at once."""
    await terminals.revoke(request.user, key_id, moment(request))
    return Redirect("/shop/terminals", status_code=303)


def _shop(request: Asked) -> UUID:
    """The shop one keeps (the first, if several); raises NotFound."""
    if not request.user.shops:
        raise NotFound
    return request.user.shops[0]


async def _slip(request: Asked, person_id: UUID) -> Template:
    """The slip of a helper, whose other posts may put the account into other hands."""
    settings = request.app.state.settings
    try:
        made = await slips.issue(request.user, [person_id], moment(request), settings.public_url)
    except HeldElsewhere:
        lines = await staff.listed(request.user, _shop(request), moment(request))
        name = next((line.name for line in lines if line.person_id == person_id), "")
        if not name:
            raise
        return await _staff(request, done=OTHER_POSTS.format(name=name))
    return page(request, "identity/m_slip.html", slip=made[0])


async def _staff(
    request: Asked,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
    done: str = "",
) -> Template:
    lines = await staff.listed(request.user, _shop(request), moment(request))
    return page(
        request,
        "identity/m_staff.html",
        lines=lines,
        form=values or {},
        done=done,
        **web_me.problem(error),
    )


async def _terminals(
    request: Asked, values: dict[str, Any] | None = None, error: GridmeritError | None = None
) -> Template:
    lines = await terminals.listed(request.user, _shop(request))
    return page(
        request,
        "identity/m_terminals.html",
        lines=lines,
        form=values or {},
        **web_me.problem(error),
    )


router = Router(
    "/",
    route_handlers=[
        me,
        staff_page,
        add_helper,
        slip,
        end_helper,
        terminals_page,
        create_terminal,
        revoke_terminal,
    ],
    include_in_schema=False,
)
