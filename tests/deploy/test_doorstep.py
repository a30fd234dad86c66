"""What is refused at the socket: the same answer as further inside, and nothing else is touched."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from deploy.doorstep import Doorstep
from points.redemption.turnstile import MOST, Turnstile

ORDER = b'{"goods": "oil"}'
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Counter:
    """An app that answers with the body it got, when told to."""

    def __init__(self) -> None:
        self.served = 0
        self.release = asyncio.Event()
        self.came = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.served += 1
        self.came.set()
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await self.release.wait()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Inner(Turnstile):
    """Knows how many requests the server made of what it read."""

    made = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.made += 1
        await super().__call__(scope, receive, send)


class Served(uvicorn.Server):
    """In this process, on a free port."""

    def __init__(self, turnstile: Inner) -> None:
        self.turnstile = turnstile
        self.lines: list[Line] = []
        super().__init__(
            uvicorn.Config(turnstile, http=Doorstep, port=0, log_config=None, lifespan="off")
        )

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
async def counter() -> Counter:
    return Counter()


@pytest.fixture
async def served(counter: Counter) -> AsyncIterator[Served]:
    server = Served(Inner(counter))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    yield server
    counter.release.set()
    for _, writer in server.lines:
        writer.transport.abort()
    await server.shutdown()


async def connect(served: Served) -> Line:
    line = await asyncio.open_connection("127.0.0.1", served.port)
    served.lines.append(line)
    return line


def request(body: bytes = ORDER, path: str = "/api/redemptions", more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def answer(line: Line) -> tuple[int, dict[str, str], bytes]:
    async with asyncio.timeout(20):
        head = (await line[0].readuntil(b"\r\n\r\n")).decode()
        status, *rest = head.rstrip().split("\r\n")
        headers = dict(row.split(": ", 1) for row in rest)
        body = await line[0].readexactly(int(headers["content-length"]))
    return int(status.split()[1]), headers, body


async def full(counter: Counter, served: Served) -> list[Line]:
    """As many connections as are let in, each waiting for its answer."""
    lines = [await connect(served) for _ in range(MOST)]
    for line in lines:
        line[1].write(request())
    async with asyncio.timeout(20):
        while counter.served < MOST:
            counter.came.clear()
            await counter.came.wait()
    return lines


async def test_a_full_counter_refuses_at_the_door(counter: Counter, served: Served) -> None:
    """A problem document with Retry-After; the connection stays good; other pages are served."""
    lines = await full(counter, served)
    line = await connect(served)
    line[1].write(request())
    status, headers, body = await answer(line)
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", "busy")
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert served.turnstile.made == counter.served == MOST
    other = await connect(served)
    other[1].write(request(path="/wallet"))
    counter.release.set()
    assert (await answer(other))[0] == 201
    assert [(await answer(one))[0] for one in lines] == [201] * MOST
    line[1].write(request(b"[1]"))
    status, _, body = await answer(line)
    assert (status, body) == (201, b"[1]")
    assert served.turnstile.inside == 0


async def test_a_crowd_that_comes_at_once_is_counted_at_the_door(
    counter: Counter, served: Served
) -> None:
    """Who is let in has a place before anything runs: none too many becomes a request."""
    lines = [await connect(served) for _ in range(2 * MOST)]
    for line in lines:
        line[1].write(request())
    answers = [asyncio.create_task(answer(line)) for line in lines]
    async with asyncio.timeout(20):
        for early, one in enumerate(asyncio.as_completed(answers), start=1):
            assert (await one)[0] == 503
            if early == MOST:
                break
    assert served.turnstile.made == counter.served == MOST
    counter.release.set()
    assert [one[0] for one in await asyncio.gather(*answers)].count(201) == MOST


async def test_a_refused_body_is_nobodys(counter: Counter, served: Served) -> None:
    """However it arrives: in pieces, or with the next request in the same packet."""
    lines = await full(counter, served)
    line = await connect(served)
    whole = request(b"x" * 1000)
    for part in (whole[:30], whole[30:200], whole[200:900]):
        line[1].write(part)
        await line[1].drain()
    line[1].write(whole[900:] + request(b"next", path="/wallet"))
    assert (await answer(line))[0] == 503
    counter.release.set()
    status, _, body = await answer(line)
    assert (status, body) == (201, b"next")
    assert len(lines) == MOST


async def test_a_body_that_reads_like_an_order_is_none(counter: Counter, served: Served) -> None:
    """What comes in a packet of its own may still be the rest of what came before."""
    lines = await full(counter, served)
    line = await connect(served)
    head, end, body = request(request()).partition(b"\r\n\r\n")
    line[1].write(head + end)
    other = await connect(served)
    other[1].write(request())
    assert (await answer(other))[0] == 503  # so the head was read before
    line[1].write(body)
    assert (await answer(line))[0] == 503
    counter.release.set()
    line[1].write(request(b"next", path="/wallet"))
    status, _, answered = await answer(line)
    assert (status, answered) == (201, b"next")
    assert len(lines) == MOST


async def test_an_idle_line_is_closed_after_its_last_refusal(
    counter: Counter, served: Served
) -> None:
    """However it was refused; one that goes on asking stays open."""
    served.config.timeout_keep_alive = 1
    lines = await full(counter, served)
    line = await connect(served)
    began = asyncio.get_running_loop().time()
    for _ in range(2):
        line[1].write(request())
        assert (await answer(line))[0] == 503
    async with asyncio.timeout(20):
        assert await line[0].read() == b""
    assert asyncio.get_running_loop().time() - began >= 1
    assert len(lines) == MOST


async def test_who_wants_to_go_is_let_go(counter: Counter, served: Served) -> None:
    """``Connection: close`` ends the connection behind the answer."""
    lines = await full(counter, served)
    line = await connect(served)
    line[1].write(request(more="connection: close\r\n"))
    status, headers, _ = await answer(line)
    assert (status, headers["connection"]) == (503, "close")
    async with asyncio.timeout(20):
        assert await line[0].read() == b""
    assert len(lines) == MOST


async def test_who_asks_first_is_told_before_the_body(counter: Counter, served: Served) -> None:
    """``Expect: 100-continue``: such a client sends nothing more until it is answered."""
    lines = await full(counter, served)
    line = await connect(served)
    head, _, body = request(more="expect: 100-continue\r\n").partition(b"\r\n\r\n")
    line[1].write(head + b"\r\n\r\n")
    assert (await answer(line))[0] == 503
    assert (body, len(lines), counter.served) == (ORDER, MOST, MOST)


async def test_one_behind_an_unanswered_one_waits_its_turn(
    counter: Counter, served: Served
) -> None:
    """Answers come in the order of the requests."""
    lines = await full(counter, served)
    lines[0][1].write(request(b"again"))
    other = await connect(served)
    other[1].write(request())
    assert (await answer(other))[0] == 503  # so the one behind was read before
    counter.release.set()
    assert (await answer(lines[0]))[2] == ORDER
    assert (await answer(lines[0]))[2] == b"again"
    assert served.turnstile.inside == 0


async def test_who_hangs_up_leaves_room(counter: Counter, served: Served) -> None:
    """A place is given back when its request ends, whoever still listens."""
    lines = await full(counter, served)
    for line in lines:
        line[1].transport.abort()
    counter.release.set()
    line = await connect(served)
    status = 503
    async with asyncio.timeout(20):
        while status == 503:
            line[1].write(request())
            status, *_ = await answer(line)
    assert status == 201
