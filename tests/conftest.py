"""One event loop, one database, one rolled-back transaction per test.

``DATABASE_URL``/``REDIS_URL`` choose servers; without them the embedded engines start. Concurrency
tests take ``committed`` instead of ``rollback``: real commits, then everything is truncated.
"""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx
import hypothesis
import pytest
import uvicorn
from litestar import Litestar

os.environ.setdefault("PICCOLO_CONF", "deploy.piccolo_conf")

import appraisal.app
import points.app
from deploy.embedded import POSTGRES, VALKEY, Embedded
from deploy.engine_postgres import SUPERUSER
from deploy.migrate import migrate
from deploy.single import OneProcess
from shared.database import DB
from shared.identity import sealing
from shared.memory import MEMORY, Memory
from shared.roster import phones
from shared.settings import Settings
from tests.inspector import inspect_statements, violations

TEST_DATABASE = "gridmerit_test"
APP_ROLE = "gridmerit_app"
SECRET = "k" * 43

phones.configure(SECRET)
# A busy machine is slow, not wrong: time is measured by `make bench`, not by properties.
hypothesis.settings.register_profile("gridmerit", deadline=None)
hypothesis.settings.load_profile("gridmerit")
sealing.configure(SECRET)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``make soak`` plays the marked tests many times, each with other random stories."""
    parser.addoption("--soak", type=int, default=0, help="how often tests marked soak are played")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as cores: tests wait for disks, engines and pages a third of the time."""
    return -(-3 * (os.cpu_count() or 1) // 2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = metafunc.config.getoption("soak")
    if rounds and metafunc.definition.get_closest_marker("soak"):
        metafunc.fixturenames.append("soak_round")
        metafunc.parametrize("soak_round", range(rounds))


class Rollback(Exception):  # noqa: N818  it is not an error
    """Ends a test's transaction."""


class Servers(NamedTuple):
    """Addresses of the run's servers; the database's is a superuser's."""

    database: str
    redis: str


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """DATABASE_URL and REDIS_URL, and the embedded engines for whatever is not set."""
    database, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if database and redis:
        yield Servers(database, redis)
        return
    folder = Path(tempfile.mkdtemp(prefix="gridmerit-test-"))
    pg_bin = os.environ.get("GRIDMERIT_PG_BIN", "")
    with Embedded(folder, postgres=not database, valkey=not redis, pg_bin=pg_bin) as engines:
        yield Servers(database or engines.url(POSTGRES, SUPERUSER), redis or engines.url(VALKEY))
    shutil.rmtree(engines.home.path)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def database(servers: Servers) -> AsyncIterator[str]:
    """A fresh, migrated database with a running pool of the app's role; yields its URL."""
    name = f"{TEST_DATABASE}_{os.getpid()}"
    DB.configure(servers.database)
    await DB.execute(f'CREATE DATABASE "{name}"')
    url = urlsplit(servers.database)._replace(path=f"/{name}").geturl()
    DB.configure(url)
    await migrate()
    await DB.start_connection_pool(
        min_size=2, max_size=20, init=inspect_statements, server_settings={"role": APP_ROLE}
    )
    yield url
    await DB.close_connection_pool()
    DB.configure(servers.database)
    await DB.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def empty_database(servers: Servers) -> AsyncIterator[str]:
    """A database with nothing in it; yields its superuser's URL."""
    name = f"gridmerit_empty_{os.getpid()}"
    connection = await asyncpg.connect(servers.database)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield urlsplit(servers.database)._replace(path=f"/{name}").geturl()
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@asynccontextmanager
async def as_owner() -> AsyncIterator[None]:
    """Inside it the test may do what no service may, such as spoil a ledger row."""
    async with DB.transaction() as connection:
        await connection.execute("SET LOCAL ROLE NONE")
        yield
        await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The app on a port of its own; yields its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture(autouse=True)
def county_in_every_statement() -> Iterator[None]:
    """No statement of ours touches a business table without saying which county."""
    violations.clear()
    yield
    assert not violations, f"statements without county_id: {violations}"


@pytest.fixture
async def rollback(database: str) -> AsyncIterator[None]:
    """Everything the test writes is undone."""
    with suppress(Rollback):
        async with DB.transaction():
            yield
            raise Rollback


@pytest.fixture
async def committed(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The test commits for real; afterwards every business table is emptied.

    Nothing is remembered meanwhile, so that no test depends on how fast notifications come.
    """
    monkeypatch.setattr(Memory, "trusted", False)
    yield
    owner = await asyncpg.connect(database)
    # What a test cut off may still be running, and would be committed behind the emptying.
    await owner.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'"
    )
    # Ledger tables refuse deleting; a replica session skips that alarm, and foreign keys too.
    await owner.execute("SET session_replication_role = replica")
    tables = await owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname IN ('shared', 'points', 'appraisal')"
    )
    # Few have rows, and TRUNCATE makes new files for every one: deleting is twenty times as fast.
    written = await owner.fetch(
        " UNION ALL ".join(
            f"SELECT '{name}' AS name WHERE EXISTS (SELECT FROM {name})" for (name,) in tables
        )
    )
    await owner.execute("BEGIN; " + "".join(f"DELETE FROM {name}; " for (name,) in written) + "END")
    await owner.close()


@pytest.fixture
async def remembering(committed: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """As ``committed``, with the memory of a served process."""
    monkeypatch.undo()
    async with MEMORY.listening():
        async with asyncio.timeout(30):
            while not MEMORY.trusted:
                await MEMORY.heard.wait()
                MEMORY.heard.clear()
        MEMORY.forget()
        MEMORY.heard.clear()
        yield


@pytest.fixture(scope="session")
def settings(servers: Servers, database: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the test process."""
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        secret_key=SECRET,
        redis_url=servers.redis,
        api_docs=True,
    )


@pytest.fixture(scope="session")
async def application(settings: Settings) -> AsyncIterator[Litestar]:
    """The points app with its lifespan held open."""
    async with held_open(points.app.create_app(settings)) as app:
        yield app


@pytest.fixture(scope="session")
async def appraisal_application(settings: Settings, database: str) -> AsyncIterator[Litestar]:
    """The appraisal app with its lifespan held open."""
    async with held_open(appraisal.app.create_app(settings)) as app:
        yield app


@asynccontextmanager
async def held_open(app: Litestar) -> AsyncIterator[Litestar]:
    """An app whose lifespan lives in a task of its own.

    Litestar's event emitter holds a task group, which must be left by the task that entered it.
    """
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
async def client(
    application: Litestar, appraisal_application: Litestar, rollback: None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the one process of both services, inside the test's rolled-back transaction."""
    async for key in application.state.valkey.scan_iter("limit:*"):
        await application.state.valkey.delete(key)
    transport = httpx.ASGITransport(OneProcess(application, appraisal_application))
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        yield http
