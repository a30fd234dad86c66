"""The cookies of a signed-in browser: the session, and the device that it is known by."""

from datetime import timedelta
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.response import Response

from shared.identity.schemas import NewSession
from shared.identity.sessions import MAX_TOKEN, county_of
from shared.settings import Settings

YEAR = int(timedelta(days=400).total_seconds())
"""The browser keeps the cookie; how long a session lives is decided on its row."""


def is_secure(settings: Settings) -> bool:
    """Whether browsers come by https."""
    return settings.public_url.startswith("https://")


def session_name(settings: Settings) -> str:
    """``__Host-`` needs https; plain http is for a demo on one machine."""
    return "__Host-gm" if is_secure(settings) else "gm"


def device_name(settings: Settings) -> str:
    return session_name(settings) + "-device"


def _wechat_name(settings: Settings) -> str:
    return session_name(settings) + "-wechat"


def device_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """What this browser is known by, or empty."""
    token = connection.cookies.get(device_name(connection.app.state.settings), "")
    return token if county_of(token) is not None and len(token) <= MAX_TOKEN else ""


def wechat_way(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """What this browser carries on its way to WeChat and back, or empty."""
    return connection.cookies.get(_wechat_name(connection.app.state.settings), "")


def carry_wechat(
    response: Response[Any], carried: str, life: timedelta, settings: Settings
) -> None:
    """For the way to WeChat and back, which may take so long."""
    age = int(life.total_seconds())
    response.set_cookie(_cookie(_wechat_name(settings), carried, age, settings))


def end_wechat(response: Response[Any], settings: Settings) -> None:
    """The way is over."""
    response.set_cookie(_cookie(_wechat_name(settings), "", 0, settings))


def admit(response: Response[Any], new: NewSession, settings: Settings) -> None:
    """Hand the new session to the browser; a desk's cookie goes when the browser closes."""
    age = YEAR if new.kind == "phone" else None
    response.set_cookie(_cookie(session_name(settings), new.token, age, settings))
    if new.device_token:
        response.set_cookie(_cookie(device_name(settings), new.device_token, YEAR, settings))


def dismiss(response: Response[Any], settings: Settings) -> None:
    """Take the session back; the device stays known."""
    response.set_cookie(_cookie(session_name(settings), "", 0, settings))


def _cookie(name: str, value: str, age: int | None, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=age,
        path="/",
        httponly=True,
        secure=is_secure(settings),
        samesite="lax",
    )
