"""One event loop, one database, one rolled-back transaction per test.

``DATABASE_URL``/``REDIS_URL`` choose servers; without them the embedded engines start. Concurrency
tests take ``committed`` instead of ``rollback``: real commits, then everything is truncated.
"""

import os
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

os.environ.setdefault("PICCOLO_CONF", "deploy.piccolo_conf")

from deploy.migrate import migrate
from shared.database import DB

TEST_DATABASE = "gridmerit_test"


class Rollback(Exception):  # noqa: N818  it is not an error
    """Ends a test's transaction."""


@pytest.fixture(scope="session")
async def database() -> AsyncIterator[str]:
    """A fresh, migrated database with a running pool; yields its URL."""
    server = os.environ.get("DATABASE_URL", "postgresql://postgres@127.0.0.1:5440/postgres")
    name = f"{TEST_DATABASE}_{os.getpid()}"
    DB.configure(server)
    await DB.execute(f'CREATE DATABASE "{name}"')
    base, _, _ = server.rpartition("/")
    DB.configure(f"{base}/{name}")
    await migrate()
    await DB.start_connection_pool(min_size=2, max_size=20)
    yield f"{base}/{name}"
    await DB.close_connection_pool()
    DB.configure(server)
    await DB.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def rollback(database: str) -> AsyncIterator[None]:
    """Everything the test writes is undone."""
    with suppress(Rollback):
        async with DB.transaction():
            yield
            raise Rollback


@pytest.fixture
async def committed(database: str) -> AsyncIterator[None]:
    """The test commits for real; afterwards every business table is emptied."""
    yield
    rows = await DB.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname IN ('shared', 'points', 'appraisal')"
    )
    await DB.execute("TRUNCATE " + ", ".join(row["name"] for row in rows) + " CASCADE")
