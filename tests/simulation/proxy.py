"""A TCP proxy between the app and PostgreSQL that cuts, delays and swallows, on command.

It stands on 127.0.0.1 and passes everything on to the engine's own socket, as the account of the
test's process.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK = 65_536


class Fault(StrEnum):
    """What a bad network does."""

    CUT = "cut"
    """Every connection breaks at once."""
    LOSE_ANSWERS = "lose_answers"
    """Requests arrive and are carried out, answers vanish; then the connection breaks."""
    SWALLOW = "swallow"
    """Nothing arrives in either direction; then the connection breaks."""
    DELAY = "delay"
    """Everything arrives, late."""


class Proxy:
    """Listens while entered; ``port`` is where."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.port = 0
        self.fault: Fault | None = None
        self.pause = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._break()
        await self._server.wait_closed()

    async def suffer(self, fault: Fault, seconds: float) -> None:
        """The fault for a while; all but a delay end with broken connections."""
        self.fault, self.pause = fault, seconds / 10
        if fault is not Fault.CUT:
            await asyncio.sleep(seconds)
        self.fault = None
        if fault is not Fault.DELAY:
            self._break()

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_unix_connection(str(self.target))
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, forth}
        await asyncio.gather(
            self._pump(reader, forth, answers=False), self._pump(back, writer, answers=True)
        )
        for each in (writer, forth):
            each.transport.abort()
            self._writers.discard(each)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                if self.fault is Fault.DELAY:
                    await asyncio.sleep(self.pause)
                if self.fault is Fault.SWALLOW or (self.fault is Fault.LOSE_ANSWERS and answers):
                    continue
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
