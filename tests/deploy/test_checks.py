"""Each fault of an installation, made for real on a throw-away cluster, and named.

``gridmerit doctor`` runs as a process of its own with the rights of the points service, as it does
where the owner's address is not known to the service.
"""

import asyncio
import inspect
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

from deploy import checks, watch
from deploy.embedded import POSTGRES, Embedded
from deploy.engine_postgres import SUPERUSER
from points.ledger.items import Item, OpenFund
from shared.clock import now
from shared.database import DB
from shared.ids import new_id
from shared.scheduling import queries as scheduling
from shared.settings import Settings
from shared.web.gate import Gate
from tests.conftest import SECRET, Servers
from tests.points.ledger.builders import COUNTY
from tests.test_migrations import gridmerit

TRIES = 200
"""Of a tenth of a second: a reloaded setting reaches new sessions when the postmaster has it."""


class Cluster(msgspec.Struct, frozen=True):
    """A migrated throw-away cluster: the superuser's address and a service's environment."""

    superuser: str
    environment: dict[str, str]

    async def run(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.superuser)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def setting(self, name: str, value: str) -> None:
        """Change a server setting and wait until a new session has it."""
        await self.run(f"ALTER SYSTEM SET {name} = {value}", "SELECT pg_reload_conf()")
        for _ in range(TRIES):
            connection = await asyncpg.connect(self.superuser)
            found = await connection.fetchval("SELECT current_setting($1)", name)
            await connection.close()
            if found == value:
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"{name} did not become {value}")

    async def doctor(self) -> tuple[int, str]:
        return await gridmerit("doctor", "--service", "points", **self.environment)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Outside pytest's own folders, so that the engine's account can enter."""
    made = Path(tempfile.mkdtemp(prefix="gridmerit-checks-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
async def cluster(folder: Path, servers: Servers) -> AsyncIterator[Cluster]:
    """One for the module; each test puts back what it spoiled."""
    with Embedded(folder, valkey=False) as engines:
        url = engines.url(POSTGRES, "gridmerit_owner")
        data = {"GRIDMERIT_DATA_DIR": str(folder), "REDIS_URL": servers.redis}
        code, said = await gridmerit("migrate", DATABASE_URL=url, **data)
        assert code == 0, said
        yield Cluster(
            engines.url(POSTGRES, SUPERUSER),
            {
                **data,
                "GRIDMERIT_SECRET_KEY": SECRET,
                "GRIDMERIT_POINTS_URL": engines.url(POSTGRES, "gridmerit_points"),
                "GRIDMERIT_PUBLIC_URL": "https://grid.example",
            },
        )
    shutil.rmtree(engines.home.path)


async def assert_fault(cluster: Cluster, words: str) -> None:
    code, said = await cluster.doctor()
    wrong = [line for line in said.splitlines() if line.startswith("✗")]
    assert code == 2, said
    assert len(wrong) == 1, said
    assert words in wrong[0]


async def test_a_sound_installation_has_no_fault(cluster: Cluster) -> None:
    """Exit code 0, and every check has its line."""
    code, said = await cluster.doctor()
    assert code == 0, said
    assert said.count("\n") == len(checks.CHECKS)
    assert "✗" not in said


def test_a_process_asks_every_check_that_knows_a_fault() -> None:
    """And before its first request no other, which could only warn an administrator."""
    written = {
        found
        for _, found in inspect.getmembers(checks, inspect.iscoroutinefunction)
        if inspect.signature(found).return_annotation is checks.Finding
    }
    assert set(checks.CHECKS) == written
    fault = re.compile(r"\bfault\(|Level\.FAULT")
    knowing = {check for check in written if fault.search(inspect.getsource(check))}
    assert set(checks.FORBIDDING) == knowing


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
async def test_settings_that_lose_writes(cluster: Cluster, name: str) -> None:
    """Really switched off on the server."""
    await cluster.setting(name, "off")
    try:
        await assert_fault(cluster, f"{name} 是 off，应为 on")
    finally:
        await cluster.setting(name, "on")


async def test_a_server_that_logs_whole_rows(cluster: Cluster) -> None:
    """No write is lost by it, so it is a warning."""
    await cluster.setting("log_error_verbosity", "verbose")
    try:
        code, said = await cluster.doctor()
    finally:
        await cluster.setting("log_error_verbosity", "terse")
    assert (code, said.count("log_error_verbosity")) == (0, 1)


async def test_migrations_behind(cluster: Cluster) -> None:
    """A migration of this release that the database has not had; the rest is not asked."""
    await cluster.run(
        "CREATE TABLE public.aside AS SELECT * FROM public.migration WHERE app_name = 'points'",
        "DELETE FROM public.migration WHERE app_name = 'points'",
    )
    try:
        await assert_fault(cluster, "个迁移：请运行 gridmerit migrate")
    finally:
        await cluster.run(
            "INSERT INTO public.migration SELECT * FROM public.aside", "DROP TABLE public.aside"
        )


async def test_a_database_that_a_newer_release_has_upgraded(cluster: Cluster) -> None:
    """What runs on, of before the upgrade, writes no more than it could after a restart."""
    await cluster.run(
        "INSERT INTO public.migration (name, app_name, ran_on)"
        " VALUES ('2099-01-01T00:00:00:000000', 'points', now())"
    )
    try:
        await assert_fault(cluster, "由更新的版本升级过")
    finally:
        await cluster.run("DELETE FROM public.migration WHERE name LIKE '2099%'")


@pytest.mark.parametrize(
    ("right", "table"),
    [
        ("UPDATE", "points.account"),
        ("INSERT", "points.transfer"),
        ("DELETE", "points.transfer_past"),
        ("TRUNCATE", "points.batch"),
        ("UPDATE", "points.day_root"),
        ("DELETE", "shared.audit_event"),
    ],
)
async def test_rights_that_the_service_must_not_have(
    cluster: Cluster, right: str, table: str
) -> None:
    """Really granted: any way of writing the ledger, its partitions, or of unwriting the audit."""
    await cluster.run(f"GRANT {right} ON {table} TO gridmerit_points")
    try:
        await assert_fault(cluster, f"{table} {right}")
    finally:
        await cluster.run(f"REVOKE {right} ON {table} FROM gridmerit_points")


async def test_spoiled_chain_head(cluster: Cluster) -> None:
    """The newest block was changed by somebody who may do anything."""
    item: Item = OpenFund(
        id=new_id(), unit_code=str(COUNTY), name="县级", point_value_fen=100, covers=()
    )
    body = msgspec.json.encode(item).decode()
    connection = await asyncpg.connect(cluster.superuser)
    await connection.execute(
        "SELECT points.post_batch($1, ARRAY[$2]::jsonb[], ARRAY[$3]::bytea[], now())",
        COUNTY, body, sha256(body.encode()).digest(),
    )  # fmt: skip
    await connection.close()
    assert (await cluster.doctor())[0] == 0
    change = "UPDATE points.batch SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)"
    quiet = "SET session_replication_role = replica"
    await cluster.run(quiet, change)
    try:
        await assert_fault(cluster, "台账")
    finally:
        await cluster.run(quiet, change)


async def test_clock_skew(rollback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds off the database's clock is a fault, a tenth is not."""
    for seconds, level in ((0.1, checks.Level.OK), (-2, checks.Level.FAULT)):
        offset = timedelta(seconds=seconds)
        monkeypatch.setattr(checks, "now", lambda offset=offset: now() + offset)
        assert (await checks.clocks(Settings())).level is level


async def test_a_clock_behind_what_is_recorded(cluster: Cluster) -> None:
    """The database of one machine shares its wrong clock; who put a clock back says so, once."""
    later = (
        "INSERT INTO shared.audit_event (county_id, id, at, authority, action, object_kind)"
        " VALUES ({}, gen_random_uuid(), now() + interval '{}', 'system', 'identity.sign_in', 'x')"
    )
    await cluster.run(
        f"INSERT INTO shared.county (id, name) VALUES ({COUNTY}, '通城县') ON CONFLICT DO NOTHING",
        f"INSERT INTO shared.unit (county_id, id, kind, code, name) VALUES"
        f" ({COUNTY}, gen_random_uuid(), 'county', '{COUNTY}', '通城县') ON CONFLICT DO NOTHING",
        later.format(COUNTY, "1 minute"),
    )
    assert (await cluster.doctor())[0] == 0
    await cluster.run(later.format(COUNTY, "300 days"))
    await assert_fault(cluster, "早于已有的记录")
    arguments = ("doctor", "--service", "points", "--clock-is-right")
    code, said = await gridmerit(*arguments, **cluster.environment)
    assert code == 0, said
    assert (await cluster.doctor())[0] == 0
    await cluster.run(later.format(COUNTY, "301 days"))
    await assert_fault(cluster, "早于已有的记录")
    await gridmerit(*arguments, **cluster.environment)


async def test_jobs_that_nobody_runs(rollback: None) -> None:
    """A scheduler that was never started, or ended long ago, fails in nothing."""
    assert (await checks.jobs(Settings())).level is checks.Level.OK
    await DB.execute(
        "INSERT INTO shared.county (id, name, settings) VALUES ($1, '某县', '{}')", COUNTY
    )
    assert "还没有运行过" in (await checks.jobs(Settings())).sentence
    for days, level in ((2, checks.Level.WARNING), (0, checks.Level.OK)):
        at = now() - timedelta(days=days)
        run = await scheduling.start(COUNTY, new_id(), "ledger.holds", str(at.date()), at)
        assert run is not None
        await scheduling.finish(COUNTY, run, "done", at, "")
        found = await checks.jobs(Settings())
        assert found.level is level
        assert ("gridmerit-scheduler" in found.sentence) is bool(days)


async def test_time_zone_data_missing(cluster: Cluster) -> None:
    """Without any zone files the command still says so in a sentence."""
    script = (
        "import sys, zoneinfo; sys.modules['tzdata'] = None; zoneinfo.reset_tzpath([]);"
        "sys.argv = ['gridmerit', 'doctor', '--service', 'points'];"
        "from deploy.cli import main; main()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script,
        cwd=Path(checks.__file__).parents[1],
        env={"PATH": os.environ["PATH"], **cluster.environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 2, said.decode()
    assert "✗ 时钟：缺少 Asia/Shanghai 时区数据" in said.decode()


async def test_disk_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less free than must be."""
    settings = Settings(data_dir=tmp_path)
    assert (await checks.disk(settings)).level is checks.Level.OK
    monkeypatch.setattr(checks, "LEAST_DISK", shutil.disk_usage(tmp_path).total + 1)
    found = await checks.disk(settings)
    assert found.level is checks.Level.FAULT
    assert str(tmp_path) in found.sentence


async def test_the_engines_disk_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's engines lie on the system's disk, wherever the data are."""
    memory = Path("/dev/shm")  # noqa: S108  what lies in it is a folder of its own
    (less, full), (more, roomy) = sorted(
        (shutil.disk_usage(one).free, one) for one in (memory, tmp_path)
    )
    if more - less < 1 << 20:
        pytest.skip("no other disk here")
    monkeypatch.setattr(checks, "LEAST_DISK", (less + more) // 2)
    with tempfile.TemporaryDirectory(dir=roomy) as data:
        (Path(data) / "engine").symlink_to(full)
        found = await checks.disk(Settings(data_dir=Path(data)))
    assert (found.level, str(full) in found.sentence) == (checks.Level.FAULT, True)


@asynccontextmanager
async def serving(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """The points service as a process of its own, until it answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy",
        "serve", "--service", "points", "--port", str(port),
        cwd=Path(checks.__file__).parents[1],
        env={"PATH": os.environ["PATH"], **cluster.environment},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(TRIES):
                try:
                    await client.get("/health")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.3)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_faulty_installation_shows_and_does_not_write(cluster: Cluster) -> None:
    """Pages open, every change is a 503 and readiness says no; why, they tell no stranger."""
    await cluster.setting("full_page_writes", "off")
    try:
        async with serving(cluster) as client:
            assert (await client.get("/health")).status_code == 200
            assert (await client.get("/sign-in")).status_code == 200
            ready = await client.get("/ready", headers={"accept": "application/json"})
            refused = await client.post("/sign-in", data={"phone": "1"})
            api = await client.post("/api/redemptions", json={})
    finally:
        await cluster.setting("full_page_writes", "on")
    assert (ready.status_code, ready.json()["code"]) == (503, "read_only")
    assert (refused.status_code, api.status_code) == (503, 503)
    for answer in (ready, refused, api):
        assert "full_page_writes" not in answer.text
    assert api.headers["retry-after"] == "60"


async def test_the_gate_opens_when_the_fault_is_repaired(
    rollback: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a restart: the watch asks again and lets changes through; it shuts as well."""
    monkeypatch.setattr(watch, "EVERY", 0.01)
    monkeypatch.setattr(checks, "CHECKS", (checks.disk,))
    monkeypatch.setattr(checks, "CHEAP", (checks.disk,))
    gate, settings = Gate(), Settings(data_dir=tmp_path)

    async def until(*, shut: bool) -> None:
        for _ in range(TRIES):
            if bool(gate.reasons) is shut:
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"the gate did not move: {gate}")

    async with watch.watched(settings, gate):
        assert gate.reasons == ()
        monkeypatch.setattr(checks, "LEAST_DISK", 1 << 62)
        await until(shut=True)
        monkeypatch.setattr(checks, "LEAST_DISK", 0)
        await until(shut=False)


async def test_a_check_that_is_cut_off_does_not_end_the_watch(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock or a slow disk costs one look: the next one shuts the gate as ever."""
    monkeypatch.setattr(watch, "EVERY", 0.01)
    monkeypatch.setattr(checks, "FORBIDDING", (checks.disk,))
    monkeypatch.setattr(checks, "CHEAP", (checks.migrations, checks.disk))
    gate, settings = Gate(), Settings(data_dir=tmp_path)
    blocker = await asyncpg.connect(database)
    await blocker.execute("BEGIN; LOCK TABLE public.migration")
    async with watch.watched(settings, gate):
        for _ in range(TRIES):
            if await blocker.fetchval(
                "SELECT bool_or(pg_cancel_backend(pid)) FROM pg_locks"
                " WHERE relation = 'public.migration'::regclass AND NOT granted"
            ):
                break
            await asyncio.sleep(0.1)
        await blocker.close()
        monkeypatch.setattr(checks, "LEAST_DISK", 1 << 62)
        for _ in range(TRIES):
            if gate.reasons:
                break
            await asyncio.sleep(0.1)
    assert gate.reasons
