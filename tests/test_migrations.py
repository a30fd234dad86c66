"""The schema as it stands in the database: keys, rights, no drift, safe beside its twin."""

import asyncio
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from piccolo.apps.migrations.commands.new import AutoMigrationManager

from deploy.engine_postgres import DEBIAN
from deploy.migrate import MARK, digest, ensure
from shared.database import DB
from tests.conftest import Servers, as_owner

SCHEMAS = ["shared", "points", "appraisal"]
GLOBAL = ["shared.county"]
"""The one table that is not inside a county."""
SECRET = [
    *(f"shared.{name}" for name in ("account", "device", "session", "activation_slip")),
    *("shared.terminal_key", "points.code", "points.card", "points.pickup"),
]
LEDGER = ["account", "transfer", "hold", "lot", "batch", "redemption", "redemption_line", "stock"]
DOOR_NAMES = [
    "points.post_batch",
    "points.purge_codes",
    "points.make_partitions",
    "points.close_month",
    "appraisal.count_ballots",
    "appraisal.erase_objector",
    "appraisal.close_ballots",
]
"""The ledger's only door; codes past use go, partitions come, months close; ballots are counted,
and who objected is erased."""
WRITES = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
ROOT = Path(__file__).resolve().parent.parent

KEYS = """
SELECT i.indrelid::regclass::text AS "table", i.indexrelid::regclass::text AS key
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE i.indisunique AND c.relnamespace::regnamespace::text = ANY($1)
  AND c.oid::regclass::text <> ALL($2) AND a.attname IS DISTINCT FROM 'county_id'
"""
FOREIGN_KEYS = """
SELECT k.conrelid::regclass::text AS "table", k.conname AS key
FROM pg_constraint k
JOIN pg_attribute child ON child.attrelid = k.conrelid AND child.attnum = k.conkey[1]
JOIN pg_attribute parent ON parent.attrelid = k.confrelid AND parent.attnum = k.confkey[1]
WHERE k.contype = 'f' AND k.connamespace::regnamespace::text = ANY($1)
  AND (child.attname <> 'county_id'
       OR (parent.attname <> 'county_id' AND k.confrelid::regclass::text <> ALL($2)))
"""
WITHOUT_KEY = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text = ANY($1)
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
"""
SEQUENCES = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'S' AND relnamespace::regnamespace::text = ANY($1)
"""
MAY_WRITE = """
SELECT c.oid::regclass::text AS "table", privilege
FROM pg_class c, unnest($3::text[]) AS privilege
WHERE c.relkind IN ('r', 'p', 'v') AND c.relnamespace::regnamespace::text = ANY($2)
  AND has_table_privilege($1, c.oid, privilege)
"""
DOORS = """
SELECT p.oid::regproc::text AS name,
    'search_path=pg_catalog, pg_temp' = ANY(p.proconfig) AS pinned,
    has_function_privilege('public', p.oid, 'EXECUTE') AS public
FROM pg_proc p
WHERE p.prosecdef AND p.pronamespace::regnamespace::text = ANY($1)
"""


async def test_every_key_begins_with_the_county(database: str) -> None:
    """So that the same schema can be distributed by county."""
    assert await DB.fetch(KEYS, SCHEMAS, GLOBAL) == []
    assert await DB.fetch(FOREIGN_KEYS, SCHEMAS, GLOBAL) == []
    assert await DB.fetch(WITHOUT_KEY, SCHEMAS) == []
    assert await DB.fetch(SEQUENCES, SCHEMAS) == []


@pytest.mark.parametrize("app", SCHEMAS)
async def test_models_and_migrations_agree(database: str, app: str) -> None:
    """``piccolo migrations new <app> --auto`` would find nothing to do."""
    config = import_module(f"{app}.piccolo_app").APP_CONFIG
    found = await AutoMigrationManager(auto_input="y").get_alter_statements(config)
    assert [statement for alter in found for statement in alter.statements] == []


@pytest.mark.parametrize(
    ("role", "schemas"),
    [
        ("gridmerit_points", ["appraisal"]),
        ("gridmerit_appraisal", ["points"]),
        ("gridmerit_report", SCHEMAS),
    ],
)
async def test_no_role_writes_where_it_has_no_business(
    database: str, role: str, schemas: list[str]
) -> None:
    """Neither service writes the other's schema; the report role writes nothing."""
    assert await DB.fetch(MAY_WRITE, role, schemas, WRITES) == []


@pytest.mark.parametrize("role", ["gridmerit_points", "gridmerit_appraisal", "gridmerit_app"])
async def test_ledger_has_one_door_and_audit_none_back(database: str, role: str) -> None:
    """Only ``post_batch`` writes ledger tables; what is audited stays; nobody truncates."""
    may = {(row[0], row[1]) for row in await DB.fetch(MAY_WRITE, role, SCHEMAS, WRITES)}
    assert may.isdisjoint(
        (f"points.{table}", privilege) for table in LEDGER for privilege in WRITES
    )
    assert may.isdisjoint(
        (f"shared.{table}", privilege)
        for table in ("audit_event", "export_log")
        for privilege in ("UPDATE", "DELETE", "TRUNCATE")
    )
    assert not [table for table, privilege in may if privilege == "TRUNCATE"]


async def test_functions_with_the_owners_rights_are_few_and_pinned(database: str) -> None:
    """A SECURITY DEFINER function is a door: each is named here, its search path pinned.

    With pg_temp last: unnamed it is searched first, and whoever calls could put a type there.
    """
    doors = {row["name"]: (row["pinned"], row["public"]) for row in await DB.fetch(DOORS, SCHEMAS)}
    assert doors == dict.fromkeys(DOOR_NAMES, (True, False))


async def test_report_role_sees_no_secrets(database: str) -> None:
    """Hashes of PINs and tokens are nobody's report."""
    readable = await DB.fetch(MAY_WRITE, "gridmerit_report", SCHEMAS, ["SELECT"])
    assert {row[0] for row in readable}.isdisjoint(SECRET)
    assert {"shared.person", "points.redemption"} <= {row[0] for row in readable}


async def test_the_suite_has_the_apps_rights_and_the_owner_on_request(rollback: None) -> None:
    """Tests work as the service does; spoiling a row takes the owner."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with DB.transaction():
            await DB.execute("DELETE FROM shared.audit_event WHERE county_id = 1")
    async with as_owner():
        await DB.execute("DELETE FROM shared.audit_event WHERE county_id = 1")
    assert await DB.fetchval("SELECT current_user") == "gridmerit_app"


async def gridmerit(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the command in a process of its own: exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "deploy", *arguments),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_two_migrations_at_once_are_one_migration(
    empty_database: str, servers: Servers, tmp_path: Path
) -> None:
    """The second waits for the first and finds nothing to do; a third changes nothing."""
    environment = {
        "DATABASE_URL": empty_database,
        "REDIS_URL": servers.redis,
        "GRIDMERIT_DATA_DIR": str(tmp_path),
    }
    done = await asyncio.gather(*(gridmerit("migrate", **environment) for _ in range(2)))
    assert [code for code, _ in done] == [0, 0], done
    before = await schema_of(empty_database)
    told = "正在把数据库建立或升级到本版本……\n"
    assert any(told in said for _, said in done)
    assert await gridmerit("migrate", **environment) == (0, "数据库已是本版本。\n")
    assert await schema_of(empty_database) == before


async def test_a_restart_of_the_same_release_touches_no_table(database: str) -> None:
    """The counters of another process go on: not even a lock that waits for all of them is met."""
    other = await asyncpg.connect(database)
    async with asyncio.timeout(30), other.transaction():
        await other.execute("LOCK TABLE points.account, shared.session, points.transfer")
        await ensure()
        await other.execute(f"COMMENT ON SCHEMA shared IS '{MARK}of another release'")
    await ensure()
    stands = await other.fetchval("SELECT obj_description('shared'::regnamespace, 'pg_namespace')")
    assert stands == MARK + digest(), "another release's schema is brought to this one's"
    await other.close()


async def test_an_old_program_leaves_a_newer_schema_alone(
    empty_database: str, servers: Servers, tmp_path: Path
) -> None:
    """Its functions and grants do not go over tables that it does not know."""
    environment = {
        "DATABASE_URL": empty_database,
        "REDIS_URL": servers.redis,
        "GRIDMERIT_DATA_DIR": str(tmp_path),
    }
    assert (await gridmerit("migrate", **environment))[0] == 0
    connection = await asyncpg.connect(empty_database)
    newer = f"{MARK}of a newer release"
    await connection.execute(
        "INSERT INTO public.migration (name, app_name, ran_on)"
        " VALUES ('2999-01-01T00:00:00:000000', 'points', now());"
        f"COMMENT ON SCHEMA shared IS '{newer}'"
    )
    code, said = await gridmerit("migrate", **environment)
    assert code == 2
    assert "请安装新版本的程序" in said
    stands = "SELECT obj_description('shared'::regnamespace, 'pg_namespace')"
    assert await connection.fetchval(stands) == newer
    await connection.close()


async def schema_of(url: str) -> list[asyncpg.Record]:
    """Tables, constraints and rights of a database, to compare."""
    connection = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(
            "SELECT c.oid::regclass::text, c.relkind, c.relacl::text, k.conname,"
            " pg_get_constraintdef(k.oid) FROM pg_class c"
            " LEFT JOIN pg_constraint k ON k.conrelid = c.oid"
            " WHERE c.relnamespace::regnamespace::text = ANY($1) ORDER BY 1, 4",
            SCHEMAS,
        )
    finally:
        await connection.close()
    return rows


FIRST_RELEASE = """
SELECT shared.harden('points');
SELECT shared.ensure('points.transfer', 'transfer_amount', 'amount > 0');
SELECT shared.ensure('points.transfer', 'transfer_sides', 'debit <> credit');
SELECT shared.ensure('points.transfer', 'transfer_unit', $$unit IN ('merit','wallet')$$);
CREATE INDEX transfer_debit ON points.transfer (county_id, debit);
CREATE INDEX transfer_credit ON points.transfer (county_id, credit);
CREATE FUNCTION shared.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER transfer_append_only BEFORE UPDATE OR DELETE ON points.transfer
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
CREATE TRIGGER transfer_no_truncate BEFORE TRUNCATE ON points.transfer
    FOR EACH STATEMENT EXECUTE FUNCTION shared.refuse_change();
INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about, unit,
    code)
SELECT 421222, n, 1, n, (lpad(to_hex(1793500000000 + n * 86400000::int8), 12, '0')
        || '7000800000000000' || lpad(to_hex(n), 4, '0'))::uuid,
    md5('a')::uuid, md5(n::text)::uuid, md5('x')::uuid, 'merit', 'SVC-01'
FROM generate_series(1, 300) n;
"""
"""What the first release's repeatable SQL said of transfers, and 300 days of them from 2026-11."""


async def test_the_plain_ledger_becomes_a_partitioned_one(
    empty_database: str, servers: Servers, tmp_path: Path
) -> None:
    """Every row stays as it was, with keys, checks and alarms; the next rows get partitions."""
    environment = {
        "DATABASE_URL": empty_database,
        "REDIS_URL": servers.redis,
        "GRIDMERIT_DATA_DIR": str(tmp_path),
    }
    first = "2026-11-24T03:43:13:797353"
    connection = await asyncpg.connect(empty_database)
    await connection.execute((ROOT / "deploy/sql/00_roles.sql").read_text(encoding="utf-8"))
    await connection.execute(
        f'GRANT CREATE ON DATABASE "{urlsplit(empty_database).path[1:]}" TO gridmerit_owner;'
        "GRANT CREATE ON SCHEMA public TO gridmerit_owner; SET ROLE gridmerit_owner"
    )
    code, said = await piccolo("points", first, DATABASE_URL=empty_database)
    assert code == 0, said
    await connection.execute((ROOT / "shared/sql/00_keys.sql").read_text(encoding="utf-8"))
    await connection.execute(FIRST_RELEASE)
    rows = "SELECT * FROM points.transfer WHERE county_id = 421222 ORDER BY id"
    before = await connection.fetch(rows)
    file = await connection.fetchval("SELECT pg_relation_filenode('points.transfer')")
    code, said = await gridmerit("migrate", **environment)
    assert code == 0, said
    assert await connection.fetch(rows) == before
    assert await connection.fetchval("SELECT pg_relation_filenode('points.transfer_past')") == file
    partitions = {
        row["name"]: row["bound"]
        for row in await connection.fetch(
            "SELECT relname AS name, pg_get_expr(relpartbound, oid) AS bound FROM pg_class"
            " WHERE relispartition AND relkind = 'r' AND relname LIKE 'transfer%'"
        )
    }
    assert partitions["transfer_default"] == "DEFAULT"
    assert partitions["transfer_past"].startswith("FOR VALUES FROM (MINVALUE) TO (")
    keys = await connection.fetch(
        "SELECT i.indrelid::regclass::text, count(*) FROM pg_index i JOIN pg_class c"
        " ON c.oid = i.indrelid WHERE c.relname LIKE 'transfer%' GROUP BY 1"
    )
    assert {row["count"] for row in keys} == {3}
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute("DELETE FROM points.transfer WHERE county_id = 421222")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "INSERT INTO points.transfer SELECT county_id, batch, position, 0, id, debit, credit,"
            " about, unit, code FROM points.transfer WHERE county_id = 421222 LIMIT 1"
        )
    await connection.close()
    assert (await gridmerit("migrate", **environment))[0] == 0


async def piccolo(app: str, until: str, **environment: str) -> tuple[int, str]:
    """Migrate one app up to one migration only, in a process of its own."""
    script = (
        "import asyncio, sys; from piccolo.apps.migrations.commands.forwards import run_forwards;"
        "from shared.database import DB; import os; DB.configure(os.environ['DATABASE_URL'],"
        " server_settings={'role': 'gridmerit_owner'});"
        "asyncio.run(run_forwards(*sys.argv[1:]))"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, app, until),
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PICCOLO_CONF": "deploy.piccolo_conf",
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@pytest.mark.skipif(not (DEBIAN / "15" / "bin" / "postgres").exists(), reason="no PostgreSQL 15")
async def test_schema_stands_on_postgresql_15(tmp_path: Path) -> None:
    """The oldest PostgreSQL that we support, with no contrib extension."""
    code, said = await gridmerit(
        "migrate", GRIDMERIT_DATA_DIR=str(tmp_path), GRIDMERIT_PG_BIN=str(DEBIAN / "15" / "bin")
    )
    shutil.rmtree((tmp_path / "engine").resolve())
    assert (code, said) == (0, "正在把数据库建立或升级到本版本……\n数据库已是本版本。\n")
