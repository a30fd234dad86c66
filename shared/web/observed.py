"""What is known of every request: its id, one log line, its time and status as metrics.

It stands outside the app, because an app's own middleware does not see what no route matched. A
path is recorded as its template only: real paths carry tokens of slips and codes. Requests of
residents' ballots leave no trace at all.
"""

import os
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from structlog.contextvars import bind_contextvars, reset_contextvars

from shared.settings import Settings
from shared.web import logging

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

GIVEN_ID = re.compile(rb"[A-Za-z0-9-]{8,64}")
UNMATCHED = "unmatched"
QUIET = ("/health", "/ready", "/static/{name}")
TRACELESS = "/s/"
"""Ballots: no log, no metric, no id."""
REQUESTS = Counter("gridmerit_requests", "Requests answered", ["method", "path", "status"])
SECONDS = Histogram(
    "gridmerit_request_seconds",
    "Time to the end of the answer",
    ["method", "path"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Observed:
    """An ASGI app that watches another one, and answers ``/metrics`` to the addresses allowed."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app = app
        self.networks = [ip_network(part.strip()) for part in settings.metrics_from.split(",")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(TRACELESS):
            await self.app(scope, receive, send)
        elif scope["path"] == "/metrics" and self._may_measure(scope):
            await _send_metrics(send)
        else:
            await self._observe(scope, receive, send)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        status = 0
        started = time.perf_counter()

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        bound = bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, noting)
        finally:
            reset_contextvars(**bound)
            _note(scope, status, time.perf_counter() - started, request_id)

    def _may_measure(self, scope: Scope) -> bool:
        client = scope.get("client")
        try:
            address = ip_address(client[0]) if client else None
        except ValueError:  # a unix socket's client has no address
            return False
        return address is not None and any(address in network for network in self.networks)


def _request_id(scope: Scope) -> str:
    """The proxy's id where it gave one, else ours."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if GIVEN_ID.fullmatch(given) else os.urandom(16).hex()


def _note(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    path = UNMATCHED if status in {0, 404, 405} else scope.get("path_template", UNMATCHED)
    # Only known methods become labels: anybody can send any word.
    method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST"} else "OTHER"
    requests, times = _meters(method, path, status)
    requests.inc()
    times.observe(seconds)
    if path not in QUIET or status >= 500:
        logging.request(
            method=method,
            path=path,
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
        )


@cache
def _meters(method: str, path: str, status: int) -> tuple[Counter, Histogram]:
    """As many as there are routes and statuses."""
    return REQUESTS.labels(method, path, status), SECONDS.labels(method, path)


async def _send_metrics(send: Send) -> None:
    headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": generate_latest()})
