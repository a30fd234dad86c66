"""What our own server does at the socket: it turns redemptions away, and sends answers whole.

At three times what a counter can do, two of three requests are refused; each costs the server its
scope, its task and a turn of the loop, which those who were let in are then missing. So the
turnstile is asked as soon as the headers are read, and what it refuses never becomes a request.

uvicorn writes the head of an answer and its body apart, and uvloop sends each as it comes. That is
a second trip through the kernel for every request, and a second packet that wakes the client.
"""

import asyncio
from functools import cache
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from points.errors import CounterBusy
from points.redemption.turnstile import PATH, Turnstile, problem

URL = PATH.encode()


class Doorstep(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 for an app that is a ``Turnstile``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.turnstile = cast("Turnstile", self.config.app)
        self.away: int | None = None
        """The request that is being read is refused: seconds after which to come again."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(Together(transport, self.loop))

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
        self.transport.write(answer(self.away, keep=keep))
        cast("Together", self.transport).flush()
        self.away = None
        if not keep:
            self.transport.close()
        self.on_response_complete()


class Together(asyncio.Transport):
    """Sends a head with the body that is written after it, as one.

    What nothing follows in the same turn of the loop goes alone at its end.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.transport, self.loop = transport, loop
        self.held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.held:
            held, self.held = self.held, b""
            self.transport.writelines((held, data))
        else:
            self.held = bytes(data)
            self.loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what is held; who hung up gets nothing."""
        held, self.held = self.held, b""
        if held and not self.transport.is_closing():
            self.transport.write(held)

    def close(self) -> None:
        self.flush()
        self.transport.close()

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.transport.resume_reading()


@cache
def answer(retry_after: int, *, keep: bool) -> bytes:
    """The whole response."""
    headers, body = problem(retry_after)
    lines = headers if keep else (*headers, (b"connection", b"close"))
    head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    return STATUS_LINE[CounterBusy.status] + head + b"\r\n" + body
