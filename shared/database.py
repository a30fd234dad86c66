"""The database engine: Piccolo's, mended where it would hurt (see the README's decisions).

Piccolo queries and plain SQL share one connection and one transaction here. ``DB`` is ambient: a
process, or a test, points it at a server with :meth:`Database.configure`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any, TypeVar

import msgspec
from asyncpg import Connection, InterfaceError, InternalClientError, Record
from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    CrashShutdownError,
    DeadlockDetectedError,
    InsufficientResourcesError,
    LockNotAvailableError,
    PostgresConnectionError,
    QueryCanceledError,
    SerializationError,
)
from piccolo.engine.postgres import PostgresEngine

AWAY = (
    OSError,
    PostgresConnectionError,
    CannotConnectNowError,
    AdminShutdownError,
    CrashShutdownError,
    InsufficientResourcesError,
    InternalClientError,
    InterfaceError,
)
"""What a statement raises while the server is down, coming up or full: its outcome is unknown."""
BUSY = (LockNotAvailableError, DeadlockDetectedError, SerializationError, QueryCanceledError)
"""What a statement raises that waits in vain for others, a backup say: later it may pass."""
T = TypeVar("T", bound=msgspec.Struct)


class Rollback(Exception):  # noqa: N818  it is not an error
    """Ends a :meth:`Database.revocable` block with nothing written."""


class Database(PostgresEngine):
    """A PostgreSQL engine whose transactions nest as savepoints and never leak a connection."""

    def configure(self, url: str, **options: Any) -> None:
        """Point at a server; call before the pool starts."""
        self.config.clear()
        self.config.update(dsn=url, **options)

    async def check_version(self) -> None:
        """Do not connect at import: an embedded server starts later."""

    async def start_connection_pool(self, **options: Any) -> None:
        async def keep(connection: Connection) -> None:
            """No statement sets session state, so a released connection needs no reset."""

        await super().start_connection_pool(reset=keep, **options)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """The current transaction's connection, else one of the pool, else a fresh one."""
        if current := self.current_transaction.get():
            yield current.connection
        elif self.pool:
            async with self.pool.acquire() as connection:
                yield connection
        else:
            connection = await self.get_new_connection()
            try:
                yield connection
            finally:
                await connection.close()

    @asynccontextmanager
    async def transaction(  # type: ignore[override]  # yields the connection
        self, isolation: str | None = None, *, allow_nested: bool = True
    ) -> AsyncIterator[Connection]:
        """A transaction, or a savepoint inside the current one."""
        async with AsyncExitStack() as stack:
            nested = self.current_transaction.get() is not None
            if nested and not allow_nested:
                raise RuntimeError("a transaction is already open")
            connection = await stack.enter_async_context(self.connection())
            await stack.enter_async_context(
                connection.transaction(isolation=None if nested else isolation)
            )
            if not nested:
                holder: Any = SimpleNamespace(connection=connection)
                token = self.current_transaction.set(holder)
                stack.callback(self.current_transaction.reset, token)
            yield connection

    @asynccontextmanager
    async def revocable(self) -> AsyncIterator[None]:
        """A transaction that ``raise Rollback`` undoes: a dry run, or a file with faults."""
        with suppress(Rollback):
            async with self.transaction():
                yield

    async def fetch(self, sql: str, *args: object) -> list[Record]:
        async with self.connection() as connection:
            rows: list[Record] = await connection.fetch(sql, *args)
            return rows

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        async with self.connection() as connection:
            status: str = await connection.execute(sql, *args)
            return status

    async def count(self, sql: str, *args: object) -> int:
        """Execute; how many rows that wrote."""
        return int((await self.execute(sql, *args)).rpartition(" ")[2])

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        async with self.connection() as connection:
            await connection.executemany(sql, rows)

    async def all(self, kind: type[T], sql: str, *args: object) -> list[T]:
        """Rows as Structs; column names are the field names, enums and tuples are converted."""
        return [msgspec.convert(dict(row), kind) for row in await self.fetch(sql, *args)]

    async def one(self, kind: type[T], sql: str, *args: object) -> T | None:
        """The first row as a Struct, or None."""
        row = await self.fetchrow(sql, *args)
        return None if row is None else msgspec.convert(dict(row), kind)


DB = Database(config={})
