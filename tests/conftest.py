"""One event loop, one database, one rolled-back transaction per test.

``DATABASE_URL``/``REDIS_URL`` choose servers; without them the embedded engines start. Concurrency
tests take ``committed`` instead of ``rollback``: real commits, then everything is truncated.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from litestar import Litestar

os.environ.setdefault("PICCOLO_CONF", "deploy.piccolo_conf")

from deploy.migrate import migrate
from points.app import create_app
from shared.database import DB
from shared.roster import phones
from shared.settings import Settings

TEST_DATABASE = "gridmerit_test"
SECRET = "k" * 43

phones.configure(SECRET)


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


@pytest.fixture(scope="session")
def settings(database: str) -> Settings:
    """Settings of the test process."""
    return Settings(
        secret_key=SECRET,
        redis_url=os.environ.get("REDIS_URL", "redis://127.0.0.1:6390/0"),
        api_docs=True,
    )


@pytest.fixture(scope="session")
async def application(settings: Settings) -> AsyncIterator[Litestar]:
    """The points app with its lifespan held open in a task of its own.

    Litestar's event emitter holds a task group, which must be left by the task that entered it.
    """
    app = create_app(settings)
    started, stopping = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stopping.wait()

    task = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    yield app
    stopping.set()
    await task


@pytest.fixture
async def client(application: Litestar, rollback: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app inside the test's rolled-back transaction."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        yield http
