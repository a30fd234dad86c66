"""An import, a confirmation and a posting that are killed in the middle, and run again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from points.ledger.verifier import service as verifier
from points.work import intake
from shared.database import DB
from shared.roster.roles import Role
from tests.conftest import SECRET, Servers
from tests.factories import COUNTY, member, small_county
from tests.points.work.test_intake import HEAD

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)
WORKERS = (("421222100001001", "欧阳金山"), ("421222100002001", "谭建军"))
EACH = 300
"""Records of each of two villages: together more than one transaction confirms or posts."""
WAITS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
LIVES = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
STEPS_LOCK = "LOCK TABLE points.verification IN SHARE MODE"
RECORD_LOCK = """
SELECT FROM points.work_record WHERE grid_code = '421222100002001'
ORDER BY work_date DESC, id DESC LIMIT 1 FOR UPDATE
"""
STATES = "SELECT state, count(*) FROM points.work_record WHERE county_id = $1 GROUP BY state"


def month() -> bytes:
    rows = [
        f"2026-10-{n % 30 + 1:02d},{grid},{name},{('SVC-01', 'ORG-04', 'OPN-01')[n % 3]},第{n}件,"
        for grid, name in WORKERS
        for n in range(EACH)
    ]
    return "\n".join([HEAD, *rows, rows[0]]).encode()


async def start(database: str, servers: Servers, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", *arguments),
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database,
            "REDIS_URL": servers.redis,
            "GRIDMERIT_SECRET_KEY": SECRET,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def run(database: str, servers: Servers, *arguments: str) -> str:
    process = await start(database, servers, *arguments)
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@asynccontextmanager
async def blocking(database: str, lock: str) -> AsyncIterator[None]:
    """Hold what a command needs half-way."""
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute(lock)
            yield
    finally:
        await holder.close()


async def blocked(watch: asyncpg.Connection) -> int:
    """The backend that waits for the lock, once one does; only a superuser sees it wait."""
    while True:
        if pid := await watch.fetchval(WAITS):
            return int(pid)
        await asyncio.sleep(0.05)


async def killed(database: str, servers: Servers, lock: str, *arguments: str) -> None:
    """Start a command, and kill it where it waits for the lock."""
    watch = await asyncpg.connect(database)
    async with blocking(database, lock):
        process = await start(database, servers, *arguments)
        waiting = asyncio.create_task(blocked(watch))
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise AssertionError((await process.communicate())[0].decode())
        process.kill()
        await ended
    while await watch.fetchval(LIVES, waiting.result()):  # noqa: ASYNC110  another process ends
        await asyncio.sleep(0.05)
    await watch.close()


async def states() -> dict[str, int]:
    return {row["state"]: row["count"] for row in await DB.fetch(STATES, COUNTY)}


async def test_what_is_killed_is_finished_by_the_next_run(
    committed: None, database: str, servers: Servers, tmp_path: Path
) -> None:
    """Nothing is lost, nothing comes twice, whatever step dies: kill -9 between two chunks.

    The import leaves nothing, confirmation and posting leave whole chunks; the next run does the
    rest, and one more changes nothing.
    """
    town = await small_county()
    await member(Role.GRIDWORKER, town.units["421222100002001"], "谭建军")
    file = tmp_path / "work.csv"
    file.write_bytes(month())
    forecast = await intake.import_work(None, COUNTY, file, "work.csv", dry_run=True, now=NOW)
    county = ("--county", str(COUNTY))
    steps = (
        (STEPS_LOCK, ("import", "work", str(file))),
        (RECORD_LOCK, ("work", "verify", "--month", "2026-10")),
        (RECORD_LOCK, ("work", "post", "--month", "2026-10")),
    )
    between: tuple[dict[str, int], ...] = (
        {},
        {"accepted": EACH, "pending": EACH},
        {"posted": EACH, "accepted": EACH},
    )
    after = ("pending", "accepted", "posted")
    for (lock, command), half, whole in zip(steps, between, after, strict=True):
        await killed(database, servers, lock, *command, *county)
        assert await states() == half
        for _ in range(2):
            await run(database, servers, *command, *county)
            assert await states() == {whole: 2 * EACH}
    posted = await DB.fetchval(
        "SELECT sum(posted)::int8 FROM points.work_record WHERE county_id = $1", COUNTY
    )
    awards = await DB.fetchval(
        "SELECT sum(amount)::int8 FROM points.posting WHERE county_id = $1 AND kind = 'award'",
        COUNTY,
    )
    assert posted == awards == forecast.counts
    assert (await verifier.verify(COUNTY)).findings == ()
