"""Bring a database to the schema of this release: roles, migrations, repeatable SQL, grants.

Piccolo's migrations make tables and columns. What its models cannot say (composite keys, foreign
keys, functions, views, grants) stands in ``<app>/sql/*.sql``, written so that running it again
changes nothing, and is run after every migration.
"""

import contextlib
import hashlib
import io
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from asyncpg import Connection

from shared.database import DB
from shared.settings import name_piccolo_conf

LOCK = 0x6772_6964  # "grid": the session advisory lock of `gridmerit migrate`
APPS = ("shared", "points", "appraisal")
OWNER = "gridmerit_owner"
ROOT = Path(__file__).resolve().parent.parent
SQL = ROOT / "deploy" / "sql"
TIMEOUTS = {"lock_timeout": "10s", "statement_timeout": "15min"}


MARK = "gridmerit "
"""Begins the comment on schema ``shared`` that says which release's schema stands there."""


class MigrationError(Exception):
    """The database could not be brought to this release; the message says what to do."""


async def ensure(begin: Callable[[], None] = lambda: None) -> None:
    """Migrate, unless this very release's schema stands already; ``begin`` is called before.

    So an ordinary restart takes no lock on any table and cannot stand in the way of the counters
    that another process serves. Raises MigrationError.
    """
    stands = await DB.fetchval(
        "SELECT obj_description(to_regnamespace('shared')::oid, 'pg_namespace')"
    )
    if stands != MARK + digest():
        begin()
        await migrate()


def digest() -> str:
    """SHA-256 of everything that makes the schema."""
    files = [SQL / "00_roles.sql", *repeatable()]
    for app in APPS:
        files += sorted((ROOT / app / "piccolo_migrations").glob("*.py"))
    found = hashlib.sha256()
    for path in files:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


async def migrate() -> None:
    """Run everything that is missing on the database DB points to, one process at a time.

    DB must be configured with the owner's address. Raises MigrationError.
    """
    name_piccolo_conf("deploy.piccolo_conf")
    lock: Connection = await DB.get_new_connection()
    try:
        await lock.execute("SET lock_timeout = '120s'")
        await lock.execute("SELECT pg_advisory_lock($1)", LOCK)
        await _make_roles(lock)
        owner = await _step_down(lock)
        await _check_owner(lock, owner)
        await _check_release(lock)
        for app in APPS:
            await lock.execute(f"CREATE SCHEMA IF NOT EXISTS {app}")
        async with _migrating_as(owner):
            for app in APPS:
                await _run_forwards(app)
        async with lock.transaction():
            await lock.execute("SET LOCAL lock_timeout = '10s'")
            for path in repeatable():
                await lock.execute(path.read_text(encoding="utf-8"))
            await lock.execute(f"COMMENT ON SCHEMA shared IS '{MARK}{digest()}'")
    finally:
        await lock.close()


def known_migrations() -> set[tuple[str, str]]:
    """(app, id) of the migrations of this release."""
    return {
        (app, match[1])
        for app in APPS
        for path in (ROOT / app / "piccolo_migrations").glob(f"{app}_*.py")
        if (match := re.search(r'^ID = "(.+)"', path.read_text(encoding="utf-8"), re.MULTILINE))
    }


def repeatable() -> list[Path]:
    """The repeatable SQL files, in the order they run: grants last, on whatever exists then."""
    files = [path for app in APPS for path in sorted((ROOT / app / "sql").glob("*.sql"))]
    return [*files, SQL / "90_grants.sql"]


async def _make_roles(connection: Connection) -> None:
    may_create = await connection.fetchval(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user"
    )
    if may_create:
        await connection.execute((SQL / "00_roles.sql").read_text(encoding="utf-8"))
    elif not await connection.fetchval("SELECT to_regrole('gridmerit_app') IS NOT NULL"):
        raise MigrationError(
            "数据库账号不能建立角色：请由数据库管理员执行一次"
            f" psql -f {SQL / '00_roles.sql'}，再运行 gridmerit migrate。"
        )


async def _step_down(connection: Connection) -> str:
    """Own the schema as an ordinary role even where the address is a superuser's."""
    name, superuser, database = await connection.fetchrow(
        "SELECT rolname, rolsuper, current_database() FROM pg_roles WHERE rolname = session_user"
    )
    if not superuser:
        return str(name)
    await connection.execute(f'GRANT CREATE ON DATABASE "{database}" TO {OWNER}')
    await connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}")
    await connection.execute(f"SET ROLE {OWNER}")
    return OWNER


async def _check_owner(connection: Connection, name: str) -> None:
    """Say whose address is needed, before anything is half done."""
    owner, database, may_make = await connection.fetchrow(
        "SELECT (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'shared'),"
        " current_database(), has_database_privilege(current_database(), 'CREATE')"
        " AND has_schema_privilege('public', 'CREATE')"
    )
    if owner is None and not may_make:
        raise MigrationError(
            f"账号 {name} 不能在数据库 {database} 里建表：请由数据库管理员执行一次"
            f' ALTER DATABASE "{database}" OWNER TO "{name}"，再运行 gridmerit migrate。'
        )
    if owner and not await connection.fetchval("SELECT pg_has_role($1, 'USAGE')", owner):
        raise MigrationError(
            f"数据库不是本版本，而账号 {name} 不能升级它：请先把 DATABASE_URL 设为"
            f"所有者 {owner} 的地址，运行一次 gridmerit migrate。"
        )


async def _check_release(connection: Connection) -> None:
    """An old program would put its old functions and grants over a newer release's tables."""
    if not await connection.fetchval("SELECT to_regclass('public.migration') IS NOT NULL"):
        return
    rows = await connection.fetch("SELECT app_name, name FROM public.migration")
    if newer := {(row["app_name"], row["name"]) for row in rows} - known_migrations():
        raise MigrationError(
            f"数据库由更新的版本升级过（有 {len(newer)} 个本版本没有的迁移）："
            "请安装新版本的程序；要回到旧版本，先恢复升级前的备份。"
        )


@contextlib.asynccontextmanager
async def _migrating_as(owner: str) -> AsyncIterator[None]:
    """Piccolo opens its own connections: they run as the owner and wait for nobody long."""
    before = dict(DB.config)
    DB.config["server_settings"] = {**TIMEOUTS, "role": owner}
    try:
        yield
    finally:
        DB.config.clear()
        DB.config.update(before)


async def _run_forwards(app: str) -> None:
    """Imported here: an ordinary start migrates nothing and need not wait for it."""
    from piccolo.apps.migrations.commands.forwards import run_forwards  # noqa: PLC0415

    with contextlib.redirect_stdout(io.StringIO()):
        result = await run_forwards(app)
    if not result.success:
        raise MigrationError(f"{app} 的数据库迁移失败：{result.message}")
