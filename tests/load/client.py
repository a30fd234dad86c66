"""The load client: a process of its own that sends prepared requests over open connections.

It builds nothing and parses only what it must: status, length, and that the answer names the id of
the request. *Closed* (rate 0): each connection sends its next request when the answer to its last
has come. *Open*: request n is due at n / rate seconds
whatever the server does; a request that finds no free connection waits here, and its time counts
from when it was due, so that a stalled server does not hide its own stall. What is sent away (503)
comes again later, as a terminal would. A round also ends when its requests do.

``python -m tests.load.client PLAN.json REQUESTS``; prints one JSON object.
"""

import asyncio
import struct
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from time import perf_counter, process_time
from typing import cast

import msgspec
import uvloop

TICK = 0.001
"""Seconds between two looks at what is due."""
GRACE = 10.0
"""Seconds for the last answers."""
ID_LENGTH = 36


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with the requests."""

    addresses: list[str]
    """Unix sockets of the workers of one service; connections are spread over them."""
    connections: int
    seconds: float
    rate: float = 0.0
    """Requests a second of an open loop; 0 = closed."""
    cold: float = 0.0
    """Seconds at the beginning that do not count."""
    status: str = "201"
    """Of an answer that is right."""


class Result(msgspec.Struct, kw_only=True):
    """What came of it; times in milliseconds."""

    seconds: float
    sent: int
    done: int
    """Right answers that named their request."""
    away: int
    """Answers 503."""
    wrong: list[str]
    """Everything else: one example of each."""
    quantiles: dict[str, float]
    """p50, p99, p99.9 and max of what was done."""
    shed: dict[str, float]
    """The same of what was sent away."""
    late: float
    """How far behind its own clock the client sent, at most."""
    cpu: float
    """Its own CPU seconds."""
    app: float = 0.0
    database: float = 0.0
    """CPU seconds of the workers and of PostgreSQL meanwhile, as the rig adds them."""

    @property
    def rate(self) -> float:
        return self.done / self.seconds


def pack(requests: Sequence[tuple[str, bytes]]) -> bytes:
    """Ids and requests as the client reads them."""
    return b"".join(
        id_.encode() + struct.pack(">I", len(request)) + request for id_, request in requests
    )


def unpack(data: bytes | mmap) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        start = at + ID_LENGTH + 4
        (size,) = struct.unpack_from(">I", data, at + ID_LENGTH)
        yield data[at : at + ID_LENGTH], data[start : start + size]
        at = start + size


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, load: "Load", address: str) -> None:
        self.load = load
        self.address = address
        self.transport: asyncio.WriteTransport
        self.got = b""
        self.request = (b"", b"")
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def send(self, request: tuple[bytes, bytes], due: float) -> None:
        self.request, self.due = request, due
        self.transport.write(request[1])

    def data_received(self, data: bytes) -> None:
        self.got = self.got + data if self.got else data
        head = self.got.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.got.lower().find(b"content-length: ", 0, head) + 16
        length = int(self.got[at : self.got.find(b"\r\n", at)])
        if len(self.got) < head + 4 + length:
            return
        answer, self.got = self.got, b""
        self.load.answered(self, answer, head)

    def connection_lost(self, error: Exception | None) -> None:
        self.load.lost(self, error)


class Load:
    """One round of load."""

    def __init__(self, requests: Iterator[tuple[bytes, bytes]], plan: Plan) -> None:
        self.requests = deque(requests)
        self.plan = plan
        self.right = plan.status.encode()
        self.free: deque[Connection] = deque()
        self.waiting: deque[float] = deque()
        """When the requests that found no connection were due."""
        self.done: list[float] = []
        self.shed: list[float] = []
        self.wrong: Counter[str] = Counter()
        self.flying = 0
        self.sent = 0
        self.late = 0.0
        self.counts_from = 0.0
        self.until = 0.0
        self.finished = asyncio.Event()
        self.reconnecting: set[asyncio.Future[None]] = set()

    async def run(self) -> Result:
        for n in range(self.plan.connections):
            await self.connect(self.plan.addresses[n % len(self.plan.addresses)])
        cpu = process_time()
        began = perf_counter()
        self.counts_from = began + self.plan.cold
        self.until = self.counts_from + self.plan.seconds
        if self.plan.rate:
            await self.pace(began)
        else:
            while self.free:
                self.send(self.free.popleft(), perf_counter())
        with suppress(TimeoutError):
            async with asyncio.timeout(self.until + GRACE - perf_counter()):
                await self.finished.wait()
        if self.flying:
            self.wrong["no answer"] = self.flying
        return Result(
            seconds=self.until - self.counts_from,
            sent=self.sent,
            done=len(self.done),
            away=len(self.shed),
            wrong=[f"{count} × {what}" for what, count in self.wrong.items()],
            quantiles=quantiles(self.done),
            shed=quantiles(self.shed),
            late=self.late * 1000,
            cpu=process_time() - cpu,
        )

    async def pace(self, began: float) -> None:
        """Send what is due, tick by tick."""
        number = 0
        while (now := perf_counter()) < self.until:
            while (due := began + number / self.plan.rate) <= now:
                if self.free:
                    self.late = max(self.late, now - due)
                    self.send(self.free.popleft(), due)
                else:
                    self.waiting.append(due)
                number += 1
            await asyncio.sleep(TICK)
        self.check_end()

    def send(self, connection: Connection, due: float) -> None:
        if not self.requests:
            self.until = min(self.until, perf_counter())
            self.free.append(connection)
            self.check_end()
            return
        self.flying += 1
        self.sent += 1
        connection.send(self.requests.popleft(), due)

    def answered(self, connection: Connection, answer: bytes, head: int) -> None:
        now = perf_counter()
        self.flying -= 1
        counts = connection.due >= self.counts_from and (self.plan.rate > 0 or now <= self.until)
        status = answer[9:12]
        if status == self.right and answer.find(connection.request[0], head) > 0:
            if counts:
                self.done.append(now - connection.due)
        elif status == b"503":
            self.requests.append(connection.request)
            if counts:
                self.shed.append(now - connection.due)
        else:
            self.wrong[answer[:400].decode("utf-8", "replace")] += 1
        if now < self.until and (not self.plan.rate or self.waiting):
            self.send(connection, self.waiting.popleft() if self.plan.rate else now)
        else:
            self.free.append(connection)
            self.check_end()

    def check_end(self) -> None:
        if not self.flying and perf_counter() >= self.until:
            self.finished.set()

    async def connect(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(
            lambda: Connection(self, address), address
        )
        self.free.append(connection)

    def lost(self, connection: Connection, error: Exception | None) -> None:
        """An idle one is closed by the server after a while, as any browser's is."""
        if perf_counter() >= self.until:
            return
        if connection in self.free:
            self.free.remove(connection)
            self.reconnecting.add(asyncio.ensure_future(self.connect(connection.address)))
        else:
            self.wrong[f"connection lost: {error!r}"] += 1


def quantiles(seconds: list[float]) -> dict[str, float]:
    """p50, p99, p99.9 and max in milliseconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    last = len(ordered) - 1
    places = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {name: ordered[int(last * place)] * 1000 for name, place in places.items()}


def main() -> None:
    """Read plan and requests, run, print."""
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    with Path(sys.argv[2]).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        load = Load(unpack(data), plan)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(load.run())
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
