"""Pages that open the door: sign-in on phones and at desks, activation, sign-out, confirming."""

import asyncio
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from redis.exceptions import RedisError

from shared.clock import today
from shared.errors import GridmeritError, Invalid, TooMany, Unavailable
from shared.identity import cookies, desk, hashing, sessions, signin, slips, wechat
from shared.identity.actor import Actor
from shared.identity.errors import (
    ConfirmFirst,
    SlipSpent,
    UnknownAccount,
    UsedUp,
    WaitFirst,
    WrongSignIn,
)
from shared.identity.middleware import ALIVE
from shared.identity.rules import Tries, charged, used_up, waiting
from shared.identity.schemas import NewSession, TextSize
from shared.identity.sealing import keyed
from shared.identity.web_me import problem
from shared.roster import service as roster
from shared.roster.names import mask
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import moment, page
from shared.web.preferences import A_YEAR, local
from shared.web.ratelimit import FAILED_OPEN, limit

Asked = Request[Any, Any, Any]

TRIES_OF_ADDRESS = 60
"""Sign-in tries from one address in a minute: a village office shares one."""
LINE_BITS = 64
"""Leading bits of an IPv6 address that a provider gives to a line."""
GHOST_WINDOW = 7 * 24 * 3600
"""Seconds that the tries of a number without account are remembered."""
GHOSTS = asyncio.Lock()
"""Tries at once are counted one after the other, as on an account's row."""
REFUSALS = (Invalid, WrongSignIn, TooMany)
Answer = Template | Redirect


class PinForm(msgspec.Struct):
    """Sign-in on a phone."""

    phone: str
    pin: str
    county: int | None = None
    next: str = "/"


class DeskForm(msgspec.Struct):
    """Sign-in at a desk; ``code`` is a one-time or a recovery code."""

    phone: str
    password: str
    code: str
    county: int | None = None
    next: str = "/"


class TakeOverForm(msgspec.Struct):
    """The holder's own password, twice, and a code of the authenticator just set up."""

    password: str
    again: str
    code: str


class SlipForm(msgspec.Struct):
    """From a scanned slip."""

    last4: str
    pin: str
    again: str
    text_size: TextSize = "normal"


class DigitsForm(msgspec.Struct):
    """From a slip that could not be scanned."""

    phone: str
    digits: str
    pin: str
    again: str
    text_size: TextSize = "normal"
    county: int | None = None


class ConfirmForm(msgspec.Struct):
    """PIN or password once more."""

    secret: str
    next: str = "/me"


@get("/sign-in")
async def sign_in_page(request: Asked) -> Answer:
    """The phone's door."""
    if request.scope.get("user") is not None:
        return Redirect(came_to(request, "/"), status_code=303)
    return await sign_in_form(request, {"next": came_to(request, "/")})


@post("/sign-in")
async def sign_in(request: Asked) -> Answer:
    """Phone number and PIN → the page that was asked for."""
    values = await forms.read(request)
    try:
        form = forms.bind(PinForm, values)
        await slow_down(request)
        new = await signin.sign_in(
            await _county(form.county),
            form.phone,
            form.pin,
            moment(request),
            device_token=cookies.device_token(request),
            agent=agent_of(request),
        )
    except REFUSALS as error:
        secret = str(values.get("pin", ""))
        return await sign_in_form(request, values, await _ghost(request, error, "pin", secret))
    return entered(request, new, form.next)


@get("/desk/sign-in")
async def desk_page(request: Asked) -> Template:
    """The desk's door."""
    return await _desk(request, {"next": came_to(request, "/")})


@post("/desk/sign-in")
async def desk_sign_in(request: Asked) -> Answer:
    """Phone number, password and code → the desk."""
    values = await forms.read(request)
    try:
        form = forms.bind(DeskForm, values)
        await slow_down(request)
        new = await signin.desk_sign_in(
            await _county(form.county),
            form.phone,
            form.password,
            form.code,
            moment(request),
            device_token=cookies.device_token(request),
            agent=agent_of(request),
        )
    except REFUSALS as error:
        secret = str(values.get("password", ""))
        return await _desk(request, values, await _ghost(request, error, "desk", secret))
    return entered(request, new, form.next)


@get("/desk/take-over")
async def take_over_page(request: Request[Actor, Any, Any]) -> Answer:
    """All that the first password of a desk account opens."""
    if not request.user.handed:
        return Redirect("/", status_code=303)
    return await _take_over(request)


@post("/desk/take-over")
async def take_over(request: Request[Actor, Any, Any]) -> Template:
    """The holder's own password and authenticator; the recovery codes are shown here once."""
    try:
        form = forms.bind(TakeOverForm, await forms.read(request))
        made = await desk.take_over(
            request.user, form.password, form.again, form.code, moment(request)
        )
    except Invalid as error:
        return await _take_over(request, error)
    done = page(request, "identity/print_recovery.html", codes=made.recovery_codes)
    cookies.admit(done, made.session, request.app.state.settings)
    return done


@post("/sign-out")
async def sign_out(request: Request[Actor, Any, Any]) -> Redirect:
    """End this session; the device stays known."""
    await sessions.end(request.user, moment(request))
    response = Redirect("/desk/sign-in" if request.user.desk else "/sign-in", status_code=303)
    cookies.dismiss(response, request.app.state.settings)
    return response


@get(ALIVE, status_code=204)
async def alive() -> None:
    """Somebody works on a desk's page; the middleware has noted it."""


@get("/a/{token:str}")
async def slip_page(request: Asked, token: FromPath[str]) -> Template:
    """What a scanned slip opens."""
    return await _activation(request, token, {})


@post("/a/{token:str}")
async def activate(request: Asked, token: FromPath[str]) -> Answer:
    """Last four digits, a PIN twice, a text size → signed in."""
    values = await forms.read(request)
    try:
        form = forms.bind(SlipForm, values)
        await slow_down(request)
        new = await slips.activate(
            token,
            form.last4,
            form.pin,
            form.again,
            form.text_size,
            moment(request),
            device_token=cookies.device_token(request),
            agent=agent_of(request),
        )
    except REFUSALS as error:
        return await _activation(request, token, values, error)
    return entered(request, new, "/")


@get("/activate")
async def digits_page(request: Asked) -> Template:
    """For whoever cannot scan."""
    return await _digits(request, {})


@post("/activate")
async def activate_by_digits(request: Asked) -> Answer:
    """Phone number and the slip's eight digits, a PIN twice, a text size → signed in."""
    values = await forms.read(request)
    try:
        form = forms.bind(DigitsForm, values)
        await slow_down(request)
        new = await slips.activate_by_digits(
            await _county(form.county),
            form.phone,
            form.digits.replace(" ", ""),
            form.pin,
            form.again,
            form.text_size,
            moment(request),
            device_token=cookies.device_token(request),
            agent=agent_of(request),
        )
    except REFUSALS as error:
        return await _digits(request, values, await _ghost(request, error, "digits"))
    return entered(request, new, "/")


@get("/confirm")
async def confirm_page(request: Request[Actor, Any, Any]) -> Template:
    """Before an export: the password once more."""
    return _confirm(request, came_to(request, "/me"))


@post("/confirm")
async def confirm(request: Request[Actor, Any, Any]) -> Answer:
    """The session gets a new token and counts as confirmed for ten minutes."""
    form = forms.bind(ConfirmForm, await forms.read(request))
    try:
        new = await signin.confirm(
            request.user, form.secret, moment(request), cookies.device_token(request)
        )
    except REFUSALS as error:
        return _confirm(request, local(form.next), error)
    return entered(request, new, form.next)


async def sign_in_form(
    request: Asked, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    """The phone's door, again after a refusal."""
    return page(
        request,
        "identity/m_sign_in.html",
        form=values,
        counties=await signin.counties(),
        by_wechat=wechat.offered(request.app.state.settings, request.headers.get("user-agent", "")),
        **problem(error),
    )


async def _desk(
    request: Asked, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    return page(
        request,
        "identity/desk_sign_in.html",
        form=values,
        counties=await signin.counties(),
        **problem(error),
    )


async def _take_over(
    request: Request[Actor, Any, Any], error: GridmeritError | None = None
) -> Template:
    actor = request.user
    phone = await roster.phone_of(actor.county_id, actor.person_id) or ""
    return page(
        request,
        "identity/desk_take_over.html",
        authenticator=desk.authenticator(actor, phone),
        **problem(error),
    )


async def _activation(
    request: Asked,
    token: str,
    values: dict[str, Any],
    error: GridmeritError | None = None,
) -> Template:
    """The slip may be void by now: then only the way to a new one is shown."""
    try:
        slip = await slips.find(token, moment(request))
    except SlipSpent as spent:
        return page(request, "identity/m_slip_spent.html", error=spent)
    return page(
        request,
        "identity/m_activate.html",
        action=f"/a/{quote(token)}",
        name=mask(slip.name),
        form=values,
        counties=[],
        **problem(error),
    )


async def _digits(
    request: Asked, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    return page(
        request,
        "identity/m_activate.html",
        action="/activate",
        name="",
        form=values,
        counties=await signin.counties(),
        **problem(error),
    )


def _confirm(
    request: Request[Actor, Any, Any], back: str, error: GridmeritError | None = None
) -> Template:
    kind = "desk" if request.user.desk else "m"
    return page(
        request,
        f"identity/{kind}_confirm.html",
        next=back,
        asked=ConfirmFirst().message,
        **problem(error),
    )


def entered(request: Request[Any, Any, Any], new: NewSession, address: str) -> Redirect:
    """Signed in: the cookies, and on to an address of ours."""
    response = Redirect(local(address), status_code=303)
    settings = request.app.state.settings
    cookies.admit(response, new, settings)
    if new.text_size != "normal":
        secure = cookies.is_secure(settings)
        response.set_cookie(
            "text_size", new.text_size, max_age=A_YEAR, httponly=True, secure=secure, samesite="lax"
        )
    return response


async def _county(asked: int | None) -> int:
    """The county of the form, or the only one there is."""
    known = [county_id for county_id, _ in await signin.counties()]
    if asked in known:
        return asked
    if len(known) == 1:
        return known[0]
    sentence = "请选择您所在的县。" if known else "系统还没有导入名册，请联系管理员。"
    raise Invalid(sentence, {"county": sentence})


async def slow_down(request: Asked) -> None:
    """A coarse limit by address; by number there is none, or strangers could shut somebody out."""
    address = _line(request.client.host) if request.client else "unknown"
    await limit(request.app.state.valkey, "sign-in-address", address, TRIES_OF_ADDRESS, 60)


def _line(address: str) -> str:
    """Whose address it is: with IPv6 one line has 2⁶⁴ of them, a new one for every try."""
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    return str(found.ipv4_mapped or IPv6Network((found, LINE_BITS), strict=False))


async def _ghost(
    request: Asked, error: GridmeritError, door: str, secret: str = ""
) -> GridmeritError:
    """A number without account is counted like one with, so that no answer tells them apart.

    As there, who must wait hears it before the slow look at the secret.
    """
    if not isinstance(error, UnknownAccount):
        return error
    redis, at = request.app.state.valkey, moment(request)
    key = f"limit:ghost:{door}:{keyed('ghost', error.who).hex()}"
    stored = None
    try:
        async with GHOSTS:
            stored = await redis.get(key)
            tries = msgspec.json.decode(stored, type=Tries) if stored else Tries(0, None)
            if used_up(tries, today(at)):
                return UsedUp()
            if seconds := waiting(tries, at):
                return WaitFirst(seconds)
            tries = charged(tries, at, today(at))
            await redis.set(key, msgspec.json.encode(tries), ex=GHOST_WINDOW)
    except (RedisError, OSError):
        FAILED_OPEN.labels("sign-in-ghost").inc()
    try:
        if secret:
            await hashing.matches(None, secret[: signin.MAX_SECRET])
    except Unavailable:
        with suppress(RedisError, OSError):
            await redis.set(key, stored or msgspec.json.encode(Tries(0, None)), ex=GHOST_WINDOW)
        raise
    return error


def came_to(request: Request[Any, Any, Any], otherwise: str) -> str:
    """Where to go afterwards: an address of ours."""
    return local(request.query_params.get("next", otherwise))


def agent_of(request: Request[Any, Any, Any]) -> str:
    """What the list of sessions shows: WeChat, a phone or a computer."""
    text = request.headers.get("user-agent", "")
    place = "微信" if "MicroMessenger" in text else "浏览器"
    kinds = (("iPhone", "苹果手机"), ("iPad", "平板"), ("Android", "安卓手机"))
    device = next((name for mark, name in kinds if mark in text), "电脑")
    return f"{device} {place}"


router = Router(
    "/",
    route_handlers=[
        sign_in_page,
        sign_in,
        desk_page,
        desk_sign_in,
        take_over_page,
        take_over,
        sign_out,
        alive,
        slip_page,
        activate,
        digits_page,
        activate_by_digits,
        confirm_page,
        confirm,
    ],
    include_in_schema=False,
)
