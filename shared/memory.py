"""What a process may remember between requests, and how it forgets in time.

The tables behind what is remembered carry triggers (``shared/sql/20_changes.sql`` and the services'
own) that notify ``CHANNEL`` when a change commits. One connection of its own listens: any
notification empties the memory. While nobody listens nothing is remembered: the connection is
asked every second whether it lives, and an answer is trusted for ``PATIENCE`` seconds only.
Nothing is remembered inside a transaction either, which may see rows that nobody else will.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeVar

import structlog
from asyncpg import Connection

from shared.database import DB

CHANNEL = "gridmerit_changes"
BEAT = 1.0
"""Seconds between two questions whether the listening connection lives."""
PATIENCE = 3.0
"""Seconds an answer is trusted for: the longest anything can be stale, were a network cut."""
MOST = 20_000
"""Things remembered; beyond that everything is forgotten at once."""
LOG = structlog.get_logger("gridmerit.memory")
T = TypeVar("T")


class Memory:
    """Values by key, valid until the next change of anything behind any of them."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}
        self._changes = 0
        self._trusted_until = 0.0
        self._users = 0
        self._task: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._asking = asyncio.Lock()
        self.heard = asyncio.Event()
        """Set at every change and when listening begins or ends; whoever waits clears it."""

    @property
    def trusted(self) -> bool:
        """Whether somebody listens and no transaction is open here."""
        return monotonic() < self._trusted_until and DB.current_transaction.get() is None

    def recall(self, key: Hashable) -> Any:
        """The value under a key, or None; None values are not remembered."""
        return self._kept.get(key) if self.trusted else None

    async def learn(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """Load a value, and remember it unless something changed meanwhile."""
        changes, trusted = self._changes, self.trusted
        value = await load()
        if trusted and changes == self._changes and value is not None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = value
        return value

    def forget(self, *_: object) -> None:
        """Something changed, or may have."""
        self._changes += 1
        self._kept.clear()
        self.heard.set()

    async def catch_up(self) -> None:
        """Return when every change committed before this call is forgotten here.

        The server sends a session's notifications before it answers the session's next statement.
        """
        async with self._asking:
            if self._connection is None:
                return
            asked = monotonic()
            await self._connection.execute(f"LISTEN {CHANNEL}", timeout=PATIENCE)
            begins, self._trusted_until = not self._trusted_until, asked + PATIENCE
            if begins:
                self.forget()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Remember while the block runs; the services of one process share one listener."""
        self._users += 1
        if self._users == 1:
            self._task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0 and self._task is not None:
                self._task.cancel()
                with suppress(asyncio.CancelledError):
                    await self._task
                self._distrust()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001  whatever it is: forget, and try again
                LOG.warning("memory_off", error=repr(error))
            self._distrust()
            await asyncio.sleep(BEAT)

    async def _listen_once(self) -> None:
        """Until the connection is lost."""
        connection: Connection = await DB.get_new_connection()
        connection.add_termination_listener(self._distrust)
        try:
            await connection.add_listener(CHANNEL, self.forget)
            self._connection = connection
            while True:
                await self.catch_up()
                await asyncio.sleep(BEAT)
        finally:
            self._connection = None
            connection.terminate()

    def _distrust(self, *_: object) -> None:
        self._trusted_until = 0.0
        self.forget()


MEMORY = Memory()
