"""Bring a database to the schema of this release: migrations, then the repeatable SQL.

Piccolo's migrations make tables and columns. What its models cannot say (composite keys, foreign
keys, functions, views, grants) stands in ``<app>/sql/*.sql``, written so that running it again
changes nothing, and is run after every migration.
"""

import contextlib
import io
from pathlib import Path

from asyncpg import Connection
from piccolo.apps.migrations.commands.forwards import run_forwards

from shared.database import DB

LOCK = 0x6772_6964  # "grid": the session advisory lock of `gridmerit migrate`
APPS = ("shared", "points", "appraisal")
ROOT = Path(__file__).resolve().parent.parent


async def migrate() -> None:
    """Run everything that is missing on the database DB points to, one process at a time."""
    lock: Connection = await DB.get_new_connection()
    try:
        await lock.execute("SET lock_timeout = '60s'")
        await lock.execute("SELECT pg_advisory_lock($1)", LOCK)
        for app in APPS:
            await lock.execute(f"CREATE SCHEMA IF NOT EXISTS {app}")
        with contextlib.redirect_stdout(io.StringIO()):
            for app in APPS:
                result = await run_forwards(app)
                if not result.success:
                    raise RuntimeError(f"migration of {app} failed: {result.message}")
        async with lock.transaction():
            await lock.execute("SET LOCAL lock_timeout = '10s'")
            for path in repeatable():
                await lock.execute(path.read_text(encoding="utf-8"))
    finally:
        await lock.close()


def repeatable() -> list[Path]:
    """The repeatable SQL files, in the order they run."""
    return [path for app in APPS for path in sorted((ROOT / app / "sql").glob("*.sql"))]
