"""Too many redemptions are turned away before anything of them is read; nothing else is."""

import asyncio
import json
from typing import Any

import pytest

from points.ledger import committer
from points.redemption.turnstile import MOST, PATH, Turnstile


class Slow:
    """An app whose requests end when told to."""

    def __init__(self) -> None:
        self.served = 0
        self.release = asyncio.Event()

    async def __call__(self, *_: Any) -> None:
        self.served += 1
        await self.release.wait()


async def ask(turnstile: Turnstile, path: str = PATH) -> list[dict[str, Any]]:
    """What is sent; reading the request fails the test."""
    sent: list[dict[str, Any]] = []

    async def receive() -> None:
        pytest.fail("it was read")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await turnstile({"type": "http", "path": path, "method": "POST", "headers": []}, receive, send)
    return sent


async def test_so_many_are_let_in_and_no_more() -> None:
    """The next one is a 503 with Retry-After in the API's own shape; then there is room again."""
    app = Slow()
    turnstile = Turnstile(app)
    async with asyncio.TaskGroup() as group:
        for _ in range(MOST):
            group.create_task(ask(turnstile))
        group.create_task(ask(turnstile, "/wallet"))
        await asyncio.sleep(0)
        start, body = await ask(turnstile)
        headers = dict(start["headers"])
        problem = json.loads(body["body"])
        assert (start["status"], headers[b"retry-after"]) == (503, b"1")
        assert headers[b"content-type"] == b"application/problem+json"
        assert headers[b"content-length"] == str(len(body["body"])).encode()
        assert (problem["status"], problem["code"]) == (503, "busy")
        assert "1 秒后再试" in problem["title"]
        assert app.served == MOST + 1
        app.release.set()
    assert await ask(turnstile) == []
    assert app.served == MOST + 2


async def test_a_full_queue_turns_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committer says when to come again."""
    monkeypatch.setattr(committer, "overloaded", lambda: 7)
    app = Slow()
    start, _ = await ask(Turnstile(app))
    assert dict(start["headers"])[b"retry-after"] == b"7"
    assert app.served == 0


async def test_who_fails_leaves_room() -> None:
    """An error inside does not count for ever."""

    async def broken(*_: Any) -> None:
        raise RuntimeError

    turnstile = Turnstile(broken)
    for _ in range(MOST + 1):
        with pytest.raises(RuntimeError):
            await ask(turnstile)
