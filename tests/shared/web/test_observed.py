"""Request ids, log lines without phones or tokens, and metrics for whom they are meant."""

import asyncio
import json
import logging
from collections.abc import Iterator
from io import StringIO

import asyncpg
import httpx
import pytest
import structlog
from litestar import Litestar

from shared.database import DB
from shared.settings import Settings
from shared.web.logging import configure
from shared.web.observed import Observed


@pytest.fixture
def observed(application: Litestar, settings: Settings) -> Observed:
    """The app as it is served."""
    return Observed(application, settings)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What is logged as in production; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = StringIO()
    configure("json", stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def ask(
    app: Observed, path: str, *, client: str = "127.0.0.1", **headers: str
) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        return await http.get(path, headers=headers)


async def test_every_answer_carries_an_id(observed: Observed) -> None:
    """The proxy's id is kept when it looks like one; absent pages have an id too."""
    assert len((await ask(observed, "/nowhere")).headers["x-request-id"]) == 32
    given = await ask(observed, "/health", **{"x-request-id": "from-nginx-0001"})
    assert given.headers["x-request-id"] == "from-nginx-0001"
    forged = await ask(observed, "/health", **{"x-request-id": "a\tb c"})
    assert len(forged.headers["x-request-id"]) == 32


async def test_log_has_templates_and_masked_phones(observed: Observed, log: StringIO) -> None:
    """A token in a path, a phone in a message: neither reaches the log."""
    await ask(observed, "/a/secret-token-0123456789")
    await asyncio.sleep(0)  # the turn in which it was answered ends
    structlog.get_logger("x").info(
        "called 13812345678", who={"phone": "13900001111"}, n=13712345678
    )
    logging.getLogger("library").warning("phone 13812345678")
    out = log.getvalue()
    lines = [json.loads(line) for line in out.splitlines()]
    assert "secret-token" not in out
    assert "138****5678" in lines[-2]["event"]
    assert lines[-2]["who"] == {"phone": "139****1111"}
    assert lines[-2]["n"] == "137****5678"
    assert lines[-1]["event"] == "phone 138****5678"
    assert {"request_id", "method", "status", "ms"} <= lines[0].keys()


async def test_a_refused_row_does_not_reach_the_log(rollback: None, log: StringIO) -> None:
    """PostgreSQL names it whole; what was refused, and where, is enough."""
    for cause in (None, KeyError("cause")):
        try:
            async with DB.transaction():
                await DB.execute(
                    "INSERT INTO shared.county (id, name, settings) VALUES (7, $1, NULL)",
                    "王二麻子\n\n石碑组 9 号",
                )
        except asyncpg.NotNullViolationError as error:
            error.__cause__ = cause
            structlog.get_logger("x").error("unhandled", exc_info=error)
            structlog.get_logger("x").warning("batch refused", error=str(error))
    out = log.getvalue()
    assert "王二麻子" not in out
    assert "石碑组" not in out
    assert out.count('null value in column \\"settings\\"') == 4
    assert out.count("KeyError") == 1


async def test_lines_of_one_turn_leave_in_one_write(observed: Observed, log: StringIO) -> None:
    """However Python buffers the stream: each write is a system call of the busiest route."""
    writes: list[str] = []
    log.write = writes.append  # type: ignore[assignment,method-assign]  # its writes, counted
    await asyncio.gather(*(ask(observed, "/nowhere") for _ in range(3)))
    await asyncio.sleep(0)
    assert "".join(writes).count('"event":"request"') == 3
    assert len(writes) == 1


async def test_ballots_leave_no_trace(observed: Observed, log: StringIO) -> None:
    """No line, no id, no metric for the page of residents' ballots."""
    answer = await ask(observed, "/s/token")
    assert "x-request-id" not in answer.headers
    assert log.getvalue() == ""


async def test_metrics_are_for_allowed_addresses(observed: Observed) -> None:
    """Prometheus on this machine reads them; for others the page does not exist."""
    await ask(observed, "/health")
    text = (await ask(observed, "/metrics")).text
    assert 'gridmerit_requests_total{method="GET",path="/health",status="200"}' in text
    assert "process_resident_memory_bytes" in text
    assert (await ask(observed, "/metrics", client="203.0.113.9")).status_code == 404
