"""Turns redemptions away while there are too many, before anything of them is read.

It stands before everything else that a request meets, because what is sent away must cost little:
then those who were let in are still served at the counter's full speed.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from prometheus_client import Counter

from points.errors import CounterBusy
from points.ledger import committer

PATH = "/api/redemptions"
MOST = 64
"""Redemptions at work in one process at a time. More would only wait for its one processor; the
committer's own queue judges what the database can take."""
TURNED_AWAY = Counter("gridmerit_redemptions_turned_away", "Redemptions not let in")
PROBLEM = b"application/problem+json"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Turnstile:
    """An ASGI app around another one."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        retry_after = committer.overloaded() or (1 if self.inside >= MOST else None)
        if retry_after is not None:
            await _turn_away(send, retry_after)
            return
        self.inside += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.inside -= 1


async def _turn_away(send: Send, retry_after: int) -> None:
    """503 as a problem document, as the table of errors would write it."""
    TURNED_AWAY.inc()
    error = CounterBusy(retry_after)
    body = msgspec.json.encode(
        {
            "type": "about:blank",
            "title": error.message,
            "status": error.status,
            "code": error.code,
        }
    )
    headers = [
        (b"content-type", PROBLEM),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", str(retry_after).encode()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
