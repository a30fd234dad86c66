"""The load client: a process of its own that sends prepared requests over open connections.

Closed loop: each connection sends its next request when the answer to the last has come. Usage:
``python -m tests.load.client HOST PORT CONNECTIONS SECONDS < requests``, each request with its
length in four bytes before it; prints one JSON object.
"""

import asyncio
import json
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from time import perf_counter


def pack(requests: list[bytes]) -> bytes:
    """Requests as ``main`` reads them."""
    return b"".join(struct.pack(">I", len(request)) + request for request in requests)


def unpack(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


class Run:
    """One round of load."""

    def __init__(self, requests: Iterator[bytes], seconds: float) -> None:
        self.requests = requests
        self.seconds = seconds
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.until = 0.0

    async def connection(self, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for request in self.requests:
            began = perf_counter()
            if began > self.until:
                break
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            start = lower.index(b"content-length:") + 15
            await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
            self.took.append(perf_counter() - began)
            self.statuses[head[9:12].decode()] += 1
        writer.close()

    async def run(self, host: str, port: int, connections: int) -> dict[str, object]:
        began = perf_counter()
        self.until = began + self.seconds
        await asyncio.gather(*(self.connection(host, port) for _ in range(connections)))
        seconds = perf_counter() - began
        took = sorted(self.took)
        return {
            "count": len(took),
            "seconds": seconds,
            "p50_ms": took[len(took) // 2] * 1000,
            "p99_ms": took[len(took) * 99 // 100] * 1000,
            "statuses": dict(self.statuses),
        }


def main() -> None:
    """Read the requests, run, print."""
    host, port, connections, seconds = sys.argv[1:5]
    requests = unpack(sys.stdin.buffer.read())
    run = Run(iter(list(requests)), float(seconds))
    print(json.dumps(asyncio.run(run.run(host, int(port), int(connections)))))


if __name__ == "__main__":
    main()
