"""用微信登录: out to WeChat and back, to sign in or to bind; and 我的 → 微信登录."""

from typing import Any

from litestar import Request, get, post
from litestar.response import Redirect, Template

from shared.errors import Conflict, GridmeritError, TooMany
from shared.identity import cookies, wechat
from shared.identity.actor import Actor
from shared.identity.errors import DeskOnly, NoOffice, NotBound, WeChatAway, WeChatLost
from shared.identity.web import Answer, agent_of, came_to, entered, sign_in_form, slow_down
from shared.identity.web_me import own_page, problem
from shared.web.application import Router
from shared.web.pages import Asked, moment

OWN = "/me/wechat"
REFUSALS = (
    WeChatLost,
    WeChatAway,
    NotBound,
    NoOffice,
    DeskOnly,
    Conflict,
    TooMany,
)


@get("/sign-in/wechat")
async def set_out(request: Request[Any, Any, Any]) -> Redirect:
    """To WeChat, which says at once which WeChat this is."""
    return _away(request, came_to(request, "/"), "/sign-in")


@get(wechat.BACK)
async def back(request: Request[Any, Any, Any]) -> Answer:
    """From WeChat with a code: signed in, or bound to the account that asked for it."""
    settings, now = request.app.state.settings, moment(request)
    actor: Actor | None = request.scope["user"]
    binds = False
    try:
        way = wechat.came_back(
            cookies.wechat_way(request), request.query_params.get("state", ""), now
        )
        binds = way.session_id is not None
        if binds and (actor is None or actor.session_id != way.session_id):
            raise WeChatLost
        await slow_down(request)
        hashed = await wechat.openid_hash(settings, request.query_params.get("code", ""))
        if binds and actor is not None:
            await wechat.bind(actor, hashed, now)
            response = Redirect(OWN, status_code=303)
        else:
            new = await wechat.sign_in(
                hashed,
                now,
                device_token=cookies.device_token(request),
                agent=agent_of(request),
            )
            response = entered(request, new, way.next)
    except REFUSALS as error:
        if binds and actor is not None:
            return await _own(request, error)
        return await sign_in_form(request, {"next": "/"}, error)
    cookies.end_wechat(response, settings)
    return response


@get(OWN)
async def own(request: Asked) -> Template:
    """微信登录: whether a WeChat opens the account, and how to change that."""
    return await _own(request)


@get(f"{OWN}/bind")
async def bind(request: Asked) -> Redirect:
    """To WeChat, to bind it. A link: a form may not lead away from us."""
    return _away(request, OWN, OWN, request.user)


@post(f"{OWN}/end")
async def unbind(request: Asked) -> Redirect:
    """解除."""
    await wechat.unbind(request.user)
    return Redirect(OWN, status_code=303)


def _away(
    request: Request[Any, Any, Any], next_: str, otherwise: str, actor: Actor | None = None
) -> Redirect:
    """Out to WeChat; ``otherwise`` where the county has no account there."""
    settings = request.app.state.settings
    if not settings.wechat_app_id:
        return Redirect(otherwise, status_code=303)
    address, carried = wechat.set_out(settings, moment(request), next_, actor)
    response = Redirect(address, status_code=303)
    cookies.carry_wechat(response, carried, wechat.LIFE, settings)
    return response


async def _own(request: Asked, error: GridmeritError | None = None) -> Template:
    return own_page(
        request,
        "m_wechat",
        bound_at=await wechat.bound_at(request.user),
        offered=wechat.offered(request.app.state.settings, request.headers.get("user-agent", "")),
        **problem(error),
    )


router = Router("/", route_handlers=[set_out, back, own, bind, unbind], include_in_schema=False)
