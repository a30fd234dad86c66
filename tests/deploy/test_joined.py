"""An answer leaves in one packet, and none is kept back that has nothing to wait for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from deploy.joined import Joined

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]
WAIT = 20
"""Seconds after which a test fails."""


class Noted:
    """A transport that keeps what was written to it."""

    def __init__(self, transport: Any, pieces: list[bytes]) -> None:
        self.transport = transport
        self.pieces = pieces

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, piece: bytes) -> None:
        self.pieces.append(bytes(piece))
        self.transport.write(piece)


class App:
    """Answers by the path of the request."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        headers = [] if scope["path"] == "/stream" else [(b"content-length", b"4")]
        if scope["path"] == "/last":
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/stream":
            await self.go_on.wait()
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            await send({"type": "http.response.body", "body": b"two", "more_body": True})
        await send({"type": "http.response.body", "body": b"body"})


class Served:
    """The app on a free port, and the pieces that were written."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.pieces: list[bytes] = []
        pieces = self.pieces

        class Watched(Joined):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(Noted(transport, pieces))  # type: ignore[arg-type]  # is one

        config = uvicorn.Config(
            app, http=Watched, port=0, log_config=None, lifespan="off",
            timeout_keep_alive=2 * WAIT,  # closing sends what waits: too late to help a test
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.lines: list[Line] = []

    async def ask(self, method: str, path: str) -> Line:
        """A new connection with one request."""
        port = self.server.servers[0].sockets[0].getsockname()[1]
        line = await asyncio.open_connection("127.0.0.1", port)
        self.lines.append(line)
        line[1].write(f"{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        return line


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    one = Served(App())
    one.server.config.load()
    one.server.lifespan = one.server.config.lifespan_class(one.server.config)
    await one.server.startup()
    yield one
    for _, writer in one.lines:
        writer.transport.abort()
    await one.server.shutdown()


async def test_head_and_body_leave_together(served: Served) -> None:
    async with asyncio.timeout(WAIT):
        reader, _ = await served.ask("GET", "/")
        assert (await reader.readuntil(b"\r\n\r\nbody")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(served.pieces) == 1


async def test_a_head_without_a_body_leaves(served: Served) -> None:
    """HEAD: nothing follows that it could wait for."""
    async with asyncio.timeout(WAIT):
        reader, _ = await served.ask("HEAD", "/")
        assert b"content-length: 4" in await reader.readuntil(b"\r\n\r\n")


async def test_a_slow_body_does_not_keep_the_head(served: Served) -> None:
    """A stream's head arrives before its first piece is there, and its pieces in order."""
    async with asyncio.timeout(WAIT):
        reader, _ = await served.ask("GET", "/stream")
        await reader.readuntil(b"\r\n\r\n")
        served.app.go_on.set()
        assert await reader.readuntil(b"0\r\n\r\n") == (
            b"3\r\none\r\n3\r\ntwo\r\n4\r\nbody\r\n0\r\n\r\n"
        )


async def test_the_last_answer_comes_before_the_end(served: Served) -> None:
    """``Connection: close``: also what waited is sent."""
    async with asyncio.timeout(WAIT):
        reader, _ = await served.ask("HEAD", "/last")
        assert (await reader.read()).endswith(b"\r\n\r\n")
