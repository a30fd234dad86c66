"""Authentication of every request: a session cookie, or a terminal's signature, becomes the user.

It decides nothing: what the user may do is the guard's (routes) and the services' (objects).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send

from shared import settings_county
from shared.errors import Invalid
from shared.identity import sessions, terminals
from shared.identity.actor import Actor
from shared.identity.cookies import session_name
from shared.settings import Settings

SIGNED_BODY_LIMIT = 64 * 1024
SIGNED_BODY = "signed_body"
"""Where in the state of a signed request its body stands, read already."""
UNWATCHED = ("/static/", "/health", "/ready", "/metrics", "/s/")
"""Paths that never ask who is there; residents' ballots (/s/) must not even touch a session."""
ALIVE = "/desk/alive"
"""What a desk's page asks while somebody types or points on it."""


class Authentication(ASGIMiddleware):
    """Sets ``scope["user"]`` to an Actor or None, and ``state.county`` to the county's settings."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.cookie = session_name(settings)
        self.clock = clock

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["auth"] = None
        scope["user"] = None
        signed = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name.startswith(terminals.PREFIX)
        }
        if signed.get(terminals.KEY_HEADER):
            body = await whole_body(receive)
            receive = replay(body)
            scope["state"][SIGNED_BODY] = body
            scope["user"] = await self.terminal(scope, signed, body)
        elif not scope["path"].startswith(UNWATCHED):
            token = Request[Any, Any, Any](scope).cookies.get(self.cookie)
            now = self.clock()
            used = by_hand(scope)
            actor = await sessions.resolve(token, now, used=used) if token else None
            if token and actor is None:
                scope["state"]["left_alone"] = await sessions.left_alone(token, now)
            scope["user"] = actor
            scope["state"]["county"] = await (
                settings_county.get(actor.county_id)
                if actor
                else settings_county.of_the_only_county()
            )
        await next_app(scope, receive, send)

    async def terminal(self, scope: Scope, signed: dict[str, str], body: bytes) -> Actor | None:
        """The keeper behind a signed request; a session cookie beside it does not count."""
        query = scope["query_string"].decode("latin-1")
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        return await terminals.authenticate(
            signed,
            str(scope.get("method")),
            f"{path}?{query}" if query else path,
            body,
            self.clock(),
        )


def by_hand(scope: Scope) -> bool:
    """Whether a person asks: a navigation after a press, htmx's request, or that somebody types.

    What a page asks or loads again by itself keeps no session alive. Browsers too old to say, and
    those without https, are believed.
    """
    names = {name for name, _ in scope["headers"]}
    return (
        b"sec-fetch-mode" not in names
        or b"sec-fetch-user" in names
        or b"hx-current-url" in names
        or scope["path"] == ALIVE
    )


async def whole_body(receive: Receive) -> bytes:
    """The body that a signature covers; raises Invalid when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        parts.append(message["body"])
        size += len(message["body"])
        if size > SIGNED_BODY_LIMIT:
            raise Invalid("请求的内容太大。")
        if not message.get("more_body"):
            return b"".join(parts)


def replay(body: bytes) -> Receive:
    """Hand the read body on to the handler."""
    messages: list[HTTPReceiveMessage] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": body, "more_body": False},
    ]

    async def receive() -> HTTPReceiveMessage:
        return messages.pop() if len(messages) > 1 else messages[0]

    return receive
