"""Turns redemptions away at the socket, where a refusal costs little more than reading it.

At three times what a counter can do, two of three requests are refused; each costs the server its
scope, its task and a turn of the loop, which those who were let in are then missing. So the
turnstile is asked as soon as the headers are read, and what it refuses never becomes a request. A
request that comes in one piece, as nginx sends it, is not even parsed.
"""

import re
from functools import cache
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from deploy.joined import Joined
from points.errors import CounterBusy
from points.redemption.turnstile import MOST, PATH, Turnstile, problem

URL = PATH.encode()
START = b"POST " + URL + b" HTTP/1.1\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n")
MORE = re.compile(rb"\r\n(?:connection|transfer-encoding|expect|upgrade):")
"""Headers that say more of a request than where it ends."""


class Doorstep(Joined):
    """HTTP/1.1 for an app that is a ``Turnstile``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.turnstile = cast("Turnstile", self.config.app)
        self.away: int | None = None
        """The request that is being read is refused: seconds after which to come again."""
        self.reading = False
        """A part of a request has been read."""
        self.lately = False
        """Something was refused unparsed since the time of an idle connection began."""

    @property
    def idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        full = self.turnstile.inside >= MOST and self.idle and not self.reading
        away = self.turnstile.refusal() if full and whole(data) else None
        if away is None:
            super().data_received(data)
            return
        self.held.write_whole(answer(away, keep=True))
        self.lately = True
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_handler()

    def timeout_keep_alive_handler(self) -> None:
        if not self.lately:
            super().timeout_keep_alive_handler()
            return
        self.lately = False
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def on_message_begin(self) -> None:
        self.reading = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        # Behind an unanswered one it must wait for its turn, and who asks before sending the body
        # must be answered before it: the turnstile itself sees to those.
        if self.url == URL and self.idle and not self.expect_100_continue:
            self.away = self.turnstile.refusal()
            if self.away is not None:
                return
            self.turnstile.expect(cast("dict[str, Any]", self.scope))
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.away is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.reading = False
        if self.away is None:
            super().on_message_complete()
            return
        keep = self.parser.should_keep_alive()
        self.held.write_whole(answer(self.away, keep=keep))
        self.away = None
        if not keep:
            self.transport.close()
        self.on_response_complete()


def whole(data: bytes) -> bool:
    """Whether this is exactly one order, whose connection stays open behind it."""
    if not data.startswith(START):
        return False
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.lower() + b"\r\n"
    length = LENGTH.search(lines)
    if not end or length is None or MORE.search(lines):
        return False
    return int(length[1]) == len(body)


@cache
def answer(retry_after: int, *, keep: bool) -> bytes:
    """The whole response."""
    headers, body = problem(retry_after)
    lines = headers if keep else (*headers, (b"connection", b"close"))
    head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    return STATUS_LINE[CounterBusy.status] + head + b"\r\n" + body
