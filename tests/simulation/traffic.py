"""Terminals that never give up: every call is repeated under its id until it has an answer.

What was sent and what was answered is kept, so that the checker can ask the ledger about each.
"""

import asyncio
import hmac
import json
import random
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic_ns
from uuid import UUID

import msgspec

from shared.ids import new_id
from tests.simulation.scene import Scene, Terminal

ANSWERED = frozenset({200, 201, 400, 403, 404, 409, 422})
"""Everything else (a broken connection, 429, 5xx) leaves the outcome open."""
PATIENCE = 6.0
"""Seconds until an answer is given up for lost."""
PAUSE = 0.02


class Call(msgspec.Struct):
    """One request, under one id, however often it was sent."""

    id: UUID
    kind: str
    path: str
    body: bytes
    terminal: Terminal
    code: str = ""
    lines: tuple[tuple[UUID, int], ...] = ()
    hold_id: UUID | None = None
    first_sent: int = 0
    acked: int = 0
    status: int = 0
    answer: bytes = b""


class Broken(Exception):  # noqa: N818  it is a fact, not an error
    """The connection is gone."""


class Line:
    """One keep-alive connection of a terminal's network."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    def hang_up(self) -> None:
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body; raises Broken."""
        try:
            async with asyncio.timeout(PATIENCE):
                if self.writer is None or self.reader is None:
                    self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
                self.writer.write(request)
                head = await self.reader.readuntil(b"\r\n\r\n")
                lower = head.lower()
                start = lower.index(b"content-length:") + 15
                length = int(lower[start : lower.index(b"\r\n", start)])
                return int(head[9:12]), lower, await self.reader.readexactly(length)
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError) as error:
            self.hang_up()
            raise Broken from error


def signed(call: Call) -> bytes:
    """The call as it goes over the wire now."""
    stamp = str(int(datetime.now(UTC).timestamp()))
    text = "\n".join(("POST", call.path, stamp, str(call.id), sha256(call.body).hexdigest()))
    signature = hmac.new(call.terminal.secret, text.encode(), "sha256").hexdigest()
    head = (
        f"POST {call.path} HTTP/1.1\r\nhost: sim\r\ncontent-type: application/json\r\n"
        f"content-length: {len(call.body)}\r\ngridmerit-key: {call.terminal.key}\r\n"
        f"gridmerit-timestamp: {stamp}\r\ngridmerit-nonce: {call.id}\r\n"
        f"gridmerit-signature: {signature}\r\n\r\n"
    )
    return head.encode() + call.body


class Traffic:
    """A crowd at the counters until it is told to stop."""

    def __init__(self, scene: Scene, port: int, dice: random.Random) -> None:
        self.scene, self.port, self.dice = scene, port, dice
        self.calls: dict[UUID, Call] = {}
        self.holds: list[Call] = []
        self.done: list[Call] = []
        self.statuses: Counter[int] = Counter()
        self.broken = self.faulty = 0
        """Tries without an answer, and with one that leaves the outcome open."""
        self.lies: list[str] = []
        self.stopping = False
        self.news = asyncio.Event()
        """Set, and replaced, when a call has its answer."""

    async def crowd(self, size: int) -> None:
        """``size`` connections, each sending one call after the other; ends when stopped."""
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(self._one())

    async def until(self, count: int, patience: float) -> None:
        """Let the counters work until so many calls are answered."""
        async with asyncio.timeout(patience):
            while len(self.done) < count:
                await self.news.wait()

    async def refused(self, more: int, patience: float) -> None:
        """Until so many more tries got no answer, or a fault instead of one."""
        until = self.broken + self.faulty + more
        async with asyncio.timeout(patience):
            while self.broken + self.faulty < until:
                await self.news.wait()

    async def answered_since(self, since: int, patience: float) -> float:
        """Seconds from ``since`` (monotonic ns) until something sent afterwards was answered."""
        async with asyncio.timeout(patience):
            while not any(call.first_sent > since for call in self.done[-200:]):
                await self.news.wait()
        return (monotonic_ns() - since) / 1e9

    async def _one(self) -> None:
        line = Line(self.port)
        while not self.stopping:
            if self.done and self.dice.random() < 0.05:
                await self._again(line, self.dice.choice(self.done[-500:]))
            else:
                await self._settle(line, await self._next())
        line.hang_up()

    async def _settle(self, line: Line, call: Call) -> None:
        """Send until there is an answer; a stop is no excuse to leave an outcome open."""
        call.first_sent = monotonic_ns()
        self.calls[call.id] = call
        while not await self._answered(line, call):
            self._tell()
            await asyncio.sleep(PAUSE)
        if call.kind == "hold" and call.status in {200, 201}:
            self.holds.append(call)
        self.done.append(call)
        self._tell()

    async def _answered(self, line: Line, call: Call) -> bool:
        """One try."""
        try:
            status, _, body = await line.ask(signed(call))
        except Broken:
            self.broken += 1
            return False
        self.statuses[status] += 1
        if status not in ANSWERED:
            self.faulty += 1
            return False
        call.acked = monotonic_ns()
        call.status, call.answer = status, body
        return True

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def _again(self, line: Line, call: Call) -> None:
        """The same request once more: the same answer, marked as a repeat."""
        try:
            status, head, body = await line.ask(signed(call))
        except Broken:
            self.broken += 1
            return
        self.statuses[status] += 1
        if status not in ANSWERED:
            return
        stored = status in {200, 409} and b"idempotency-hit: true" in head
        if call.status in {200, 201} and not (status == 200 and stored):
            self.lies.append(f"{call.id} was accepted, its repeat got {status} {body!r}")
        if status in {200, 409} and call.status in {200, 201, 409} and body != call.answer:
            self.lies.append(f"{call.id} got {call.answer!r}, its repeat {body!r}")

    async def _next(self) -> Call:
        """Mostly goods for points; holds, their ends, and codes used twice in between."""
        roll = self.dice.random()
        if self.holds and roll < 0.15:
            held = self.holds.pop(self.dice.randrange(len(self.holds)))
            return self._hand_over(held) if roll < 0.10 else self._void(held)
        code = await self.scene.code()
        if self.done and roll > 0.97:
            code = self.dice.choice(self.done).code or code
        return self._purchase("hold" if roll < 0.25 else "redeem", code)

    def _purchase(self, kind: str, code: str) -> Call:
        terminal = self.dice.choice(self.scene.terminals)
        goods = self.dice.sample(self.scene.products, self.dice.choice((1, 1, 1, 2)))
        lines = tuple((product, self.dice.choice((1, 1, 2, 3))) for product in goods)
        id_ = new_id()
        body = {
            "id": str(id_),
            "shop_id": str(terminal.shop_id),
            "code": code,
            "lines": [{"product_id": str(p), "quantity": n} for p, n in lines],
        }
        path = "/api/redemptions" if kind == "redeem" else "/api/holds"
        return Call(id_, kind, path, json.dumps(body).encode(), terminal, code, lines)

    def _hand_over(self, held: Call) -> Call:
        """All of it, or one piece of its first line."""
        id_, part = new_id(), self.dice.random() < 0.3
        lines = ((held.lines[0][0], 1),) if part else held.lines
        picks = [{"product_id": str(p), "quantity": n} for p, n in lines]
        body = {"id": str(id_)} | ({"picks": picks} if part else {})
        return Call(
            id_, "hand_over", f"/api/holds/{held.id}/post", json.dumps(body).encode(),
            held.terminal, lines=lines if part else (), hold_id=held.id,
        )  # fmt: skip

    def _void(self, held: Call) -> Call:
        return Call(
            new_id(), "void", f"/api/holds/{held.id}/void", b'{"reason": "changed my mind"}',
            held.terminal, hold_id=held.id,
        )  # fmt: skip
