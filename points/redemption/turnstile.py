"""Turns redemptions away while there are too many, before anything of them is read.

It stands before everything else that a request meets, because what is sent away must cost little:
then those who were let in are still served at the counter's full speed. Our own server asks it
earlier still, at the socket (``deploy.doorstep``).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import msgspec
from prometheus_client import Counter

from points.errors import CounterBusy
from points.ledger import committer

PATH = "/api/redemptions"
MOST = 48
"""Redemptions at work in one process at a time. More would only wait for its one processor; the
committer's own queue judges what the database can take."""
TURNED_AWAY = Counter("gridmerit_redemptions_turned_away", "Redemptions not let in")
PROBLEM = b"application/problem+json"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]
EXPECTED = "expected"
"""Where in the state of a request stands that its place is kept."""


class Turnstile:
    """An ASGI app around another one."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        if not scope.get("state", {}).get(EXPECTED):
            retry_after = self.refusal()
            if retry_after is not None:
                await _turn_away(send, retry_after)
                return
            self.inside += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.inside -= 1

    def refusal(self) -> int | None:
        """Seconds after which to come again, if nobody is let in now. Who asks turns away."""
        retry_after = committer.overloaded() or (1 if self.inside >= MOST else None)
        if retry_after is not None:
            TURNED_AWAY.inc()
        return retry_after

    def expect(self, scope: Scope) -> None:
        """Keep a place for a request that will certainly come with this scope."""
        self.inside += 1
        scope["state"][EXPECTED] = True


@cache
def problem(retry_after: int) -> tuple[Headers, bytes]:
    """Headers and body of the 503, a problem document as the table of errors would write it."""
    error = CounterBusy(retry_after)
    body = msgspec.json.encode(
        {
            "type": "about:blank",
            "title": error.message,
            "status": error.status,
            "code": error.code,
        }
    )
    headers = (
        (b"content-type", PROBLEM),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", str(retry_after).encode()),
    )
    return headers, body


async def _turn_away(send: Send, retry_after: int) -> None:
    headers, body = problem(retry_after)
    await send({"type": "http.response.start", "status": CounterBusy.status, "headers": [*headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
