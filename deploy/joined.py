"""uvicorn's HTTP/1.1, with the head and the body of an answer in one packet.

uvicorn writes them one after the other, and each write is a system call here and a wake-up at the
other end: a tenth of what an answer of the counter costs.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HERE = ("127.0.0.1", 0)
"""Who comes through a Unix socket is on this machine: it is believed and let in as such."""


class Held:
    """A transport where a piece waits for the next one, at most to the end of the loop's turn."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._piece = b""
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        """Send a piece with the one that waits, or have it wait for the next."""
        waited = bool(self._piece)
        self._piece += piece
        if waited:
            self.flush()
        else:
            self._loop.call_soon(self.flush)

    def write_whole(self, answer: bytes) -> None:
        """Send an answer that is in one piece, behind what waits."""
        self.flush()
        self._transport.write(answer)

    def flush(self) -> None:
        """Send what waits."""
        if self._piece:
            piece, self._piece = self._piece, b""
            self._transport.write(piece)

    def close(self) -> None:
        """Close behind what waits."""
        self.flush()
        self._transport.close()


class Joined(HttpToolsProtocol):
    """A connection whose answers go through ``Held``."""

    def connection_made(  # type: ignore[override]  # uvicorn's own is narrower than its base
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self.held = Held(transport)
        self.transport = cast("asyncio.Transport", self.held)
        if self.server is not None and self.server[1] is None:
            self.server = self.client = HERE
