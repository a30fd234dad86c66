"""Turns redemptions away at the socket, where a refusal costs little more than reading it.

At three times what a counter can do, two of three requests are refused; each costs the server its
scope, its task and a turn of the loop, which those who were let in are then missing. So the
turnstile is asked as soon as the headers are read, and what it refuses never becomes a request.
"""

from functools import cache
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from deploy.joined import Joined
from points.errors import CounterBusy
from points.redemption.turnstile import PATH, Turnstile, problem

URL = PATH.encode()


class Doorstep(Joined):
    """HTTP/1.1 for an app that is a ``Turnstile``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.turnstile = cast("Turnstile", self.config.app)
        self.away: int | None = None
        """The request that is being read is refused: seconds after which to come again."""

    def on_headers_complete(self) -> None:
        # Behind an unanswered one it must wait for its turn, and who asks before sending the body
        # must be answered before it: the turnstile itself sees to those.
        idle = self.cycle is None or self.cycle.response_complete
        if self.url == URL and idle and not self.expect_100_continue:
            self.away = self.turnstile.refusal()
            if self.away is not None:
                return
            self.turnstile.expect(cast("dict[str, Any]", self.scope))
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.away is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.away is None:
            super().on_message_complete()
            return
        keep = self.parser.should_keep_alive()
        self.held.write_whole(answer(self.away, keep=keep))
        self.away = None
        if not keep:
            self.transport.close()
        self.on_response_complete()


@cache
def answer(retry_after: int, *, keep: bool) -> bytes:
    """The whole response."""
    headers, body = problem(retry_after)
    lines = headers if keep else (*headers, (b"connection", b"close"))
    head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    return STATUS_LINE[CounterBusy.status] + head + b"\r\n" + body
