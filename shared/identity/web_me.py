"""我的: own data, look, PIN, card PIN, devices, and the way between one's roles."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from shared.documents.excel import MIME, file_name
from shared.errors import GridmeritError, Invalid, TooMany
from shared.identity import accounts, cookies, own_data, sessions, signin
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.identity.errors import WrongSignIn
from shared.identity.schemas import TextSize
from shared.roster import service as roster
from shared.roster.roles import DESK_ROLES, VERIFIER_ROLES, Role, role_names
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import THEMES, Asked, county_of, moment, page
from shared.web.preferences import A_YEAR

VIEWS = {
    "worker": ("网格员", "/home"),
    "verifier": ("核实", "/verify"),
    "shop": ("积分超市", "/shop"),
    "desk": ("管理台", "/"),
}
"""The page sets a person may switch between: name and first page."""
REFUSALS = (Invalid, WrongSignIn, TooMany)


class ViewForm(msgspec.Struct):
    """Which of one's roles to work in."""

    view: str


class LookForm(msgspec.Struct):
    """Text size goes with the account, the theme stays on the device."""

    text_size: TextSize = "normal"
    theme: str = "auto"


class SecretForm(msgspec.Struct):
    """A new PIN or password, twice; ``old`` is the present one."""

    pin: str
    again: str
    old: str = ""


@get("/me")
async def me(request: Asked) -> Template:
    """Who one is here, and everything about the account."""
    return await me_page(request)


@post("/me/view")
async def switch(request: Asked) -> Redirect:
    """Go to the first page of another of one's roles."""
    form = forms.bind(ViewForm, await forms.read(request))
    view = form.view if form.view in views(request.user) else ""
    return Redirect(
        VIEWS[view][1] if view else "/me",
        status_code=303,
        cookies=[_cookie(request, "view", view)],
    )


@get("/me/look")
async def look_page(request: Asked) -> Template:
    """字号、外观和声音."""
    return own_page(request, "m_look")


@post("/me/look")
async def look(request: Asked) -> Redirect:
    """Keep the text size with the account, the theme on this device."""
    form = forms.bind(LookForm, await forms.read(request))
    await accounts.set_text_size(request.user, form.text_size)
    theme = form.theme if form.theme in THEMES else "auto"
    return Redirect(
        "/me/look",
        status_code=303,
        cookies=[
            _cookie(request, "text_size", form.text_size),
            _cookie(request, "theme", theme),
        ],
    )


@get("/me/pin")
async def pin_page(request: Asked) -> Template:
    """修改登录密码."""
    return _secret(request, "m_pin")


@post("/me/pin")
async def change_pin(request: Asked) -> Template:
    """Another PIN, or at a desk another password; every other session ends."""
    actor, device = request.user, cookies.device_token(request)
    change = signin.change_password if actor.desk else signin.change_pin
    try:
        form = forms.bind(SecretForm, await forms.read(request))
        new = await change(actor, form.old, form.pin, form.again, moment(request), device)
    except REFUSALS as error:
        return _secret(request, "m_pin", error)
    text = "其他手机和电脑都已退出登录。"
    if request.app.state.settings.wechat_app_id:
        text += "绑过微信登录的，请重新绑定。"
    done = own_page(request, "m_done", title="密码已改好", text=text)
    cookies.admit(done, new, request.app.state.settings)
    return done


@get("/me/card-pin")
async def card_pin_page(request: Asked) -> Template:
    """兑换卡密码."""
    return _secret(request, "m_card_pin")


@post("/me/card-pin")
async def set_card_pin(request: Asked) -> Template:
    """The PIN of one's printed card."""
    sessions.require_confirmed(request.user, moment(request))
    try:
        form = forms.bind(SecretForm, await forms.read(request))
        await accounts.set_card_pin(request.user, request.user.person_id, form.pin, form.again)
    except Invalid as error:
        return _secret(request, "m_card_pin", error)
    return own_page(
        request, "m_done", title="兑换卡密码已设好", text="到店出示纸卡，输入这个密码。"
    )


@get("/me/sessions")
async def devices(request: Asked) -> Template:
    """登录的设备."""
    lines = await sessions.mine(request.user, moment(request))
    return own_page(request, "m_sessions", lines=lines, here=request.user.session_id)


@post("/me/sessions/{session_id:uuid}/end")
async def end_one(request: Asked, session_id: FromPath[UUID]) -> Redirect:
    """Sign one device out."""
    await sessions.end_one(request.user, session_id, moment(request))
    return Redirect("/me/sessions", status_code=303)


@post("/me/sessions/end-others")
async def end_others(request: Asked) -> Redirect:
    """Sign out everywhere but here."""
    await sessions.end_elsewhere(request.user, moment(request))
    return Redirect("/me/sessions", status_code=303)


@get("/me/data")
async def data(request: Asked) -> Template:
    """What is kept about oneself, why, and whom to tell that something is wrong."""
    actor = request.user
    found = await own_data.sections(actor, contributors(request), moment(request))
    works = _works(actor)
    return own_page(request, "m_data", sections=found, works=works)


@get("/me/data.xlsx")
async def data_file(request: Asked) -> Response[bytes]:
    """The same to take away; the password is asked first."""
    actor, now = request.user, moment(request)
    sessions.require_confirmed(actor, now)
    department = county_of(request).department_name
    content = await own_data.export(actor, contributors(request), now, department)
    name = file_name("本人资料", actor.name, now)
    return Response(content, media_type=MIME, headers=attachment(name))


async def me_page(request: Asked) -> Template:
    """The page behind 我的 of every tab set."""
    actor = request.user
    codes = [duty.unit_code for duty in actor.duties]
    units = await roster.units(actor.county_id, codes)
    names = role_names(county_of(request).department_name)
    posts = [
        (names[duty.role], units[duty.unit_code].name if duty.unit_code in units else "")
        for duty in actor.duties
    ]
    return own_page(
        request,
        "m_me",
        posts=posts,
        views=[(view, *VIEWS[view]) for view in views(actor)],
        manages=bool(actor.roles & {Role.CHIEF, Role.INSTRUCTOR}),
        works=_works(actor),
        signs=bool(reach(actor, Action.CASE_SIGN)),
    )


def views(actor: Actor) -> list[str]:
    """The page sets that the actor's roles open, the most used first."""
    found = []
    if Role.SHOPKEEPER in actor.roles:
        found.append("shop")
    if actor.roles & VERIFIER_ROLES:
        found.append("verifier")
    if _works(actor):
        found.append("worker")
    if actor.desk and actor.roles & DESK_ROLES:
        found.append("desk")
    return found


def _works(actor: Actor) -> bool:
    """Whether points are theirs: also of somebody stopped, whom a shop keeps from being former."""
    return Role.GRIDWORKER in actor.roles or actor.former or actor.stopped_until is not None


def current_view(request: Asked) -> str:
    """Which tabs stand below a page that all roles share."""
    allowed = views(request.user)
    if request.scope["path"].startswith("/shop") and "shop" in allowed:
        return "shop"
    chosen = request.cookies.get("view", "")
    if request.user.desk and "desk" in allowed:
        return ""
    return chosen if chosen in allowed else next(iter(allowed), "")


def contributors(request: Asked) -> tuple[own_data.Contributor, ...]:
    """Sections that the services add."""
    found: tuple[own_data.Contributor, ...] = request.app.state.get("own_data", ())
    return found


def own_page(request: Asked, name: str, *, status: int = 200, **context: Any) -> Template:
    """A page of 我的, with the tabs of the role one works in."""
    view = current_view(request)
    back = "/shop/me" if view == "shop" else "/me"
    return page(
        request,
        f"identity/{name}.html",
        status=status,
        view=view,
        home=back,
        **context,
    )


def _secret(request: Asked, name: str, error: GridmeritError | None = None) -> Template:
    return own_page(request, name, **problem(error))


def problem(error: GridmeritError | None) -> dict[str, Any]:
    """Status, the sentence over the form and those beside its fields."""
    return {
        "status": error.status if error else 200,
        "problem": error.message if error else "",
        "errors": error.fields if isinstance(error, Invalid) else {},
    }


def _cookie(request: Asked, name: str, value: str) -> Cookie:
    secure = cookies.is_secure(request.app.state.settings)
    return Cookie(
        key=name, value=value, max_age=A_YEAR, httponly=True, samesite="lax", secure=secure
    )


router = Router(
    "/",
    route_handlers=[
        me,
        switch,
        look_page,
        look,
        pin_page,
        change_pin,
        card_pin_page,
        set_card_pin,
        devices,
        end_one,
        end_others,
        data,
        data_file,
    ],
    include_in_schema=False,
)
