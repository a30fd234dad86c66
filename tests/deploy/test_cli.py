"""The command as a process: what it says when things go wrong, how it serves and stops."""

import ast
import asyncio
import errno
import inspect
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import asyncpg
import httpx
import pytest
from click.testing import CliRunner

from deploy import chinese, cli, runtime
from deploy.commands import serve
from deploy.commands.roster import import_roster
from deploy.commands.settlement import export
from deploy.embedded import POSTGRES, Embedded
from deploy.engine_home import EngineError, listens, read_pid, send_signal
from deploy.engine_postgres import Postgres
from deploy.migrate import OWNER
from shared.database import DB
from shared.settings import SettingsError, load
from tests.conftest import Servers

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
RECOVERY_SECONDS = 15
Said = asyncio.Task[tuple[bytes, bytes]]
"""What a process says on both outputs, once it has ended."""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory; as root its engines' home stands elsewhere and goes too."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    yield folder
    if (folder / "engine").exists():
        shutil.rmtree((folder / "engine").resolve())


@pytest.fixture
def recovering(data_dir: Path) -> Iterator[Postgres]:
    """A database that is up and takes no connections, as after a power cut, until it is told."""
    with Embedded(data_dir, valkey=False) as engines:
        [engine] = [one for one in engines.engines if isinstance(one, Postgres)]
    # Nobody keeps it any more, who would start it again in between.
    (engine.data / "standby.signal").touch()
    engine.home.give(engine.data / "standby.signal")
    with (engine.data / "postgresql.conf").open("a") as file:
        file.write("hot_standby = off\n")
    run_control(engine, "start", "-l", str(engine.log))
    yield engine
    run_control(engine, "stop", "-m", "immediate")


def run_control(engine: Postgres, *arguments: str) -> None:
    command: tuple[str | Path, ...] = (engine.programs / "pg_ctl", "-w", "-D", engine.data)
    assert engine.home.run(*command, *arguments, log=engine.home.path / "control.log") == 0


def environment(**settings: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}


SOURCE = (sys.executable, "-m", "deploy")


async def start(
    folder: Path, *arguments: str, command: Sequence[str] = SOURCE, **settings: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        cwd=folder,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def say(folder: Path, *arguments: str, **settings: str) -> tuple[int | None, str, str]:
    """Exit code, standard output, error output."""
    process = await start(folder, *arguments, **settings)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def serving(
    folder: Path,
    *arguments: str,
    command: Sequence[str] = SOURCE,
    sound: object = True,
    unix: object = None,
    **settings: str,
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.subprocess.Process, Said]]:
    """The command serving, ready if sound; stopped with SIGTERM and waited for.

    On a free port, or a Unix socket.

    What it says is read all the time: a full pipe would stop it.
    """
    port = free_port()
    where = ("--host", str(unix)) if unix else ("--port", str(port))
    process = await start(folder, "serve", *where, *arguments, command=command, **settings)
    said = asyncio.create_task(process.communicate())
    base = f"http://127.0.0.1:{port}"
    transport = httpx.AsyncHTTPTransport(uds=str(unix)) if unix else None
    async with httpx.AsyncClient(base_url=base, timeout=5, transport=transport) as client:
        try:
            for _ in range(START_SECONDS * 10):
                try:
                    answer = await client.get("/ready")
                except httpx.TransportError:
                    assert process.returncode is None, await said
                    await asyncio.sleep(0.1)
                else:
                    assert (answer.status_code == 200) == bool(sound), answer.text
                    if sound:
                        assert answer.json() == {"status": "ok", "database": "ok", "cache": "ok"}
                    break
            yield client, process, said
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(said, START_SECONDS)


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        (["migrate"], {"GRIDMERIT_PROT": "1"}, "GRIDMERIT_PROT"),
        (["migrate"], {"GRIDMERIT_PORT": "many"}, "GRIDMERIT_PORT 应写整数"),
        (["migrate"], {"GRIDMERIT_POOL_SIZE": "0"}, "GRIDMERIT_POOL_SIZE"),
        (["migrate"], {"GRIDMERIT_SCHEDULER": "maybe"}, "GRIDMERIT_SCHEDULER 应写 on 或 off"),
        (
            ["serve"],
            {"GRIDMERIT_PUBLIC_URL": "jifen.example.gov.cn"},
            "GRIDMERIT_PUBLIC_URL 应写成",
        ),
        (["serve"], {"GRIDMERIT_PUBLIC_URL": "https://example.gov.cn/jifen"}, "后面不写路径"),
        (["migrate"], {"GRIDMERIT_METRICS_FROM": "lan"}, "GRIDMERIT_METRICS_FROM 里的“lan”"),
        (["migrate"], {"GRIDMERIT_SECRET_KEY": "short"}, "GRIDMERIT_SECRET_KEY"),
        (["migrate"], {"GRIDMERIT_PG_BIN": "/nowhere"}, "GRIDMERIT_PG_BIN"),
        (["doctor"], {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "DATABASE_URL"),
        (["doctor"], {"DATABASE_URL": "gridmerit"}, "DATABASE_URL 应写成"),
        (["doctor"], {"DATABASE_URL": "postgresql://x:a/b@db/x"}, "DATABASE_URL 应写成"),
        (["doctor"], {"GRIDMERIT_POINTS_URL": "mysql://x@db/x"}, "GRIDMERIT_POINTS_URL 应"),
        (["serve"], {"REDIS_URL": "localhost:6379"}, "REDIS_URL 应写成"),
        (["no-such-command"], {}, "no-such-command"),
        (["work", "post", "--county", "421222", "--month", "0000-01"], {}, "2026-10"),
        (["work", "verify", "--county", "421222", "--month", "9999-12"], {}, "2026-10"),
    ],
)
async def test_what_goes_wrong_is_one_sentence(
    data_dir: Path, arguments: list[str], settings: dict[str, str], sentence: str
) -> None:
    """Exit code 2 and a sentence that names the thing; never a traceback."""
    code, out, err = await say(
        data_dir, *arguments, **{"GRIDMERIT_DATA_DIR": str(data_dir), **settings}
    )
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err
    assert "程序内部错误" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version"], f"gridmerit {version('gridmerit')}"),
        (["--help"], "用法："),
        (["--help"], "显示版本。"),
        (["migrat"], "错误：没有 migrat 这个命令。"),
        (["verify", "--help"], "显示这份说明。"),
        (["verify", "--conty", "1"], "没有 --conty 这个选项。 是不是要写 '--county'？"),
        (["verify", "--county"], "选项 --county 后面要写内容。"),
        (["verify", "--county", "abc"], "'--county' 写法不对：“abc”不是整数。"),
        (["verify", "--county", "42"], "42 不在 100000<=x<=999999 之内。"),
        (["verify", "now"], "多写了 now，请去掉。"),
        (["work", "post"], "缺少选项 '--month'"),
        (["export", "all", "--month", "2026-10"], "“all”不能用，只能写 'ledger'"),
        (["import", "shops"], "缺少参数 'FILE'"),
        (["check-receipt", "nowhere"], "读不到文件 nowhere"),
    ],
)
def test_a_slip_at_the_keyboard_is_told_in_chinese(arguments: list[str], said: str) -> None:
    """The frame around our own sentences is click's, which knows English alone."""
    assert said in CliRunner().invoke(cli.cli, arguments).output


def is_text(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant)


def test_click_still_says_what_was_put_into_chinese() -> None:
    """A new release of it may word a message anew, which would be English again."""
    asked = {"required"}
    for module in chinese.MODULES:
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in {"_", "ngettext"}:
                asked |= {str(ast.literal_eval(part)) for part in call.args if is_text(part)}
    assert chinese.WORDS.keys() <= asked


def test_every_import_takes_the_same_options() -> None:
    """Of one name, and told in the same words."""
    for wanted in ("  --county INTEGER RANGE", "  --dry-run", "  --report FILE"):
        told = set()
        for name in cli.IMPORTS:
            lines = CliRunner().invoke(cli.cli, ["import", name, "--help"]).output.splitlines()
            [line] = [line for line in lines if line.startswith(wanted)]
            told.add(" ".join(line.split()))
        assert len(told) == 1 or wanted == "  --report FILE", told


async def test_a_damaged_secret_is_not_taken_for_a_setting(data_dir: Path) -> None:
    """Nobody set one: the file is what has to come back."""
    (data_dir / "secret").write_text("abc\n", encoding="ascii")
    code, _, err = await say(data_dir, "doctor", GRIDMERIT_DATA_DIR=str(data_dir))
    assert (code, f"密钥文件 {data_dir / 'secret'} 不完整" in err) == (2, True)


def test_a_switch_is_written_as_the_handbook_says() -> None:
    """On and off, as its table has them, and true and false."""
    for word, meant in {"on": True, "Off": False, "true": True, "0": False}.items():
        assert load({"GRIDMERIT_SCHEDULER": word}).scheduler is meant
    with pytest.raises(SettingsError, match="PROT"):
        load({"GRIDMERIT_PROT": "1"})


def test_an_address_with_a_slash_at_its_end_makes_no_dead_codes() -> None:
    """Slips and codes are printed as address, slash, token; two slashes lead nowhere."""
    given = load({"GRIDMERIT_PUBLIC_URL": "https://jifen.example.gov.cn/"})
    assert given.public_url == "https://jifen.example.gov.cn"


async def test_serves_and_stops_cleanly(data_dir: Path) -> None:
    """One process, embedded engines, both services; SIGTERM ends it with code 0, engines too."""
    async with serving(data_dir, GRIDMERIT_DATA_DIR="d", GRIDMERIT_LOG_FORMAT="json") as (
        client,
        process,
        said,
    ):
        page = await client.get("/", follow_redirects=False)
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
        assert "x-request-id" in page.headers
        assert (await client.get("/appraisal/nowhere")).status_code == 404
        assert (await client.get("/metrics")).status_code == 200
        process.send_signal(signal.SIGTERM)
        out, err = await said
    assert (process.returncode, err.decode()) == (0, f"{runtime.MIGRATING}\n")
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert (events[0], events[-1]) == ("serving", "stopped")
    home = (data_dir / "d" / "engine").resolve()
    assert not (home / "postgres" / "postmaster.pid").exists()
    assert not (home / "valkey" / "valkey.pid").exists()
    shutil.rmtree(home)


@pytest.mark.soak
async def test_serves_again_after_any_engine_is_killed(data_dir: Path) -> None:
    """Kill -9 of PostgreSQL and of Valkey under a running service: never a 500, soon ready."""
    engine = data_dir / "engine"
    async with serving(data_dir, GRIDMERIT_DATA_DIR=str(data_dir)) as (client, *_):
        for pid_file in (engine / "postgres/postmaster.pid", engine / "valkey/valkey.pid"):
            old = read_pid(pid_file)
            send_signal(old, signal.SIGKILL)
            whole, started = False, time.monotonic()
            while not whole or read_pid(pid_file) in {0, old}:
                page, answer = await client.get("/sign-in"), await client.get("/ready")
                assert {page.status_code, answer.status_code} <= {200, 503}, page.text
                whole = answer.status_code == 200 and answer.json()["cache"] == "ok"
                assert time.monotonic() - started < RECOVERY_SECONDS
                await asyncio.sleep(0.05)


@contextmanager
def systemd() -> Iterator[tuple[str, socket.socket]]:
    """Where a unit of Type=notify says that it is up: an address and what listens there."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        listener.bind(f"{folder}/notify")
        listener.settimeout(START_SECONDS)
        yield f"{folder}/notify", listener


async def test_scheduler_stops_cleanly(data_dir: Path) -> None:
    """The jobs alone: leads, and ends with code 0 on SIGTERM."""
    with systemd() as (address, heard):
        process = await start(
            data_dir, "scheduler", GRIDMERIT_DATA_DIR=str(data_dir), NOTIFY_SOCKET=address
        )
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        assert json.loads(line)["event"] == "scheduler leads"
        assert await asyncio.to_thread(heard.recv, 64) == b"READY=1"
    process.send_signal(signal.SIGTERM)
    _, err = await asyncio.wait_for(process.communicate(), START_SECONDS)
    assert (process.returncode, err.decode()) == (0, f"{runtime.MIGRATING}\n")


async def test_two_services_share_the_engines(data_dir: Path) -> None:
    """Split into two processes, each works with its own login role."""
    settings = {"GRIDMERIT_DATA_DIR": str(data_dir)}
    async with (
        serving(data_dir, "--service", "points", **settings) as (points, *_),
        serving(data_dir, "--service", "appraisal", **settings) as (appraisal, *_),
    ):
        assert (await points.get("/", follow_redirects=False)).status_code == 303
        assert (await appraisal.get("/", follow_redirects=False)).status_code == 404
        with Embedded(data_dir) as engines:
            connection = await asyncpg.connect(engines.url(POSTGRES, "postgres"))
            rows = await connection.fetch(
                "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = 'gridmerit'"
                " AND application_name LIKE 'gridmerit %' ORDER BY 1"
            )
            await connection.close()
            assert [row[0] for row in rows] == ["gridmerit appraisal", "gridmerit points"]


async def test_refuses_to_write_when_promises_cannot_be_kept(data_dir: Path) -> None:
    """Fsync off: an acknowledged redemption could be lost, so nothing is written."""
    settings = {"GRIDMERIT_DATA_DIR": str(data_dir)}
    with Embedded(data_dir, valkey=False) as engines:
        configuration = engines.home.path / "postgres" / "postgresql.conf"
    with configuration.open("a", encoding="utf-8") as file:
        file.write("fsync = off\n")
    async with serving(data_dir, sound=False, **settings) as (client, *_):
        for answer in (await client.get("/ready"), await client.post("/sign-in", data={})):
            assert answer.status_code == 503
            assert "fsync" not in answer.text
        assert (await client.get("/sign-in")).status_code == 200
    code, out, _ = await say(data_dir, "doctor", **settings)
    assert code == 2
    assert "✗ 数据库" in out
    assert "✓ 权限" in out


@pytest.mark.parametrize("service", ["points", "appraisal"])
async def test_a_service_that_has_its_address_brings_no_database_of_its_own(
    data_dir: Path, servers: Servers, database: str, service: str
) -> None:
    """A machine may know nothing but one service's login: no engine is started beside it."""
    address = {f"GRIDMERIT_{service.upper()}_URL": database, "REDIS_URL": servers.redis}
    _, out, err = await say(
        data_dir, "doctor", "--service", service, GRIDMERIT_DATA_DIR=str(data_dir), **address
    )
    assert "✓ 迁移" in out, err
    assert "数据库在外部" in out
    assert not (data_dir / "engine").exists()


@pytest.fixture
def wrapped(data_dir: Path) -> tuple[str, ...]:
    """deploy/gridmerit.sh, of an installation below the data folder and as this account."""
    text = (ROOT / "deploy" / "gridmerit.sh").read_text(encoding="utf-8")
    for old, new in (
        ('"$(id -u)"', "0"),
        ("/etc/gridmerit/", f"{data_dir}/"),
        ("/var/lib/gridmerit/data", str(data_dir)),
        ("runuser -u gridmerit -- /opt/gridmerit/.venv/bin/gridmerit", " ".join(SOURCE)),
    ):
        assert old in text
        text = text.replace(old, new)
    path = data_dir / "gridmerit.sh"
    path.write_text(text, encoding="utf-8")
    return "sh", str(path)


async def test_a_command_works_on_the_database_of_the_split_services(
    data_dir: Path, servers: Servers, database: str, wrapped: tuple[str, ...]
) -> None:
    """Their addresses stand in files of their own; a console without them would start an engine."""
    files = {
        "points": f"GRIDMERIT_PORT=8001\nGRIDMERIT_POINTS_URL='{database}'\n",
        "environment": f"REDIS_URL='{servers.redis}'\n",
    }
    for name, text in files.items():
        (data_dir / name).write_text(text, encoding="utf-8")
    process = await start(data_dir, "doctor", "--service", "points", command=wrapped)
    out, err = await process.communicate()
    assert "✓ 程序：数据库在外部" in out.decode(), err
    process = await start(data_dir, "verify", command=wrapped)
    _, err = await process.communicate()
    assert (process.returncode, "gridmerit_app 的地址" in err.decode()) == (2, True)
    (data_dir / "scheduler").write_text(f"DATABASE_URL='{database}'\n", encoding="utf-8")
    process = await start(data_dir, "doctor", command=wrapped)
    assert "✓ 程序：数据库在外部" in (await process.communicate())[0].decode()
    other = "postgresql://nobody@127.0.0.1:1/none"
    process = await start(data_dir, "migrate", command=wrapped, DATABASE_URL=other)
    assert "连接不上" in (await process.communicate())[1].decode()
    (data_dir / "scheduler").unlink()
    (data_dir / "database-url").write_text(f"{database}\n", encoding="utf-8")
    process = await start(data_dir, "doctor", command=wrapped)
    assert "✓ 程序：数据库在外部" in (await process.communicate())[0].decode()
    assert not (data_dir / "engine").exists()


async def test_root_works_in_the_data_directory_that_the_service_has(
    data_dir: Path, servers: Servers, database: str, wrapped: tuple[str, ...]
) -> None:
    """What the settings name goes before the usual one, as systemd has it; root's own does not."""
    lines = [f"GRIDMERIT_DATA_DIR='{data_dir / 'other'}'", f"REDIS_URL='{servers.redis}'"]
    (data_dir / "environment").write_text("\n".join(lines), encoding="utf-8")
    (data_dir / "database-url").write_text(database, encoding="utf-8")
    where = {"GRIDMERIT_DATA_DIR": str(data_dir / "mine")}
    process = await start(data_dir, "doctor", command=wrapped, **where)
    out, err = await process.communicate()
    assert f"磁盘：{data_dir / 'other'} " in out.decode(), err
    assert not (data_dir / "mine").exists()


async def test_settings_that_windows_has_written_are_the_same_for_root(
    data_dir: Path, servers: Servers, database: str, wrapped: tuple[str, ...]
) -> None:
    """Systemd drops the end of such a line, a shell keeps it: root would have another secret."""
    key = "k" * 40
    lines = [f"DATABASE_URL='{database}'", f"REDIS_URL='{servers.redis}'", "GRIDMERIT_PORT=8001"]
    (data_dir / "environment").write_text("\r\n".join([*lines, ""]), encoding="utf-8")
    (data_dir / "secret-key").write_text(f"{key}\r\n", encoding="utf-8")
    process = await start(data_dir, "doctor", command=wrapped)
    out, err = await process.communicate()
    assert "✓ 程序：数据库在外部" in out.decode(), err
    assert load({"GRIDMERIT_SECRET_KEY": f"{key}\r"}).secret_key == key


async def test_the_doctor_names_the_tools_of_the_database_that_is_used(
    data_dir: Path, servers: Servers, database: str
) -> None:
    """Not of an embedded one beside it, from before or Valkey's folder alone."""
    settings = {"GRIDMERIT_DATA_DIR": str(data_dir), "REDIS_URL": servers.redis}
    assert "✓ 程序：PostgreSQL 的工具在" in (await say(data_dir, "doctor", **settings))[1]
    _, out, err = await say(data_dir, "doctor", DATABASE_URL=database, **settings)
    assert "✓ 程序：数据库在外部" in out, err


@pytest.mark.parametrize("command", [["scheduler"], ["verify"], ["serve", "--port", "1"]])
async def test_what_both_services_need_says_whose_address_to_set(
    data_dir: Path, servers: Servers, database: str, command: list[str]
) -> None:
    """Two services' logins cannot do both services' work: no guessed server is asked instead."""
    code, out, err = await say(
        data_dir,
        *command,
        GRIDMERIT_DATA_DIR=str(data_dir),
        GRIDMERIT_POINTS_URL=database,
        GRIDMERIT_APPRAISAL_URL=database,
        REDIS_URL=servers.redis,
    )
    assert (code, out) == (2, "")
    assert "DATABASE_URL 设为账号 gridmerit_app 的地址" in err


async def test_scheduler_and_verify_work_with_the_common_login(
    data_dir: Path, servers: Servers
) -> None:
    """Not the owner's address: that of ``gridmerit_app``, which says that it cannot migrate."""
    with Embedded(data_dir, valkey=False) as engines:
        owner = engines.url(POSTGRES, OWNER)
        assert (await say(data_dir, "migrate", DATABASE_URL=owner, REDIS_URL=servers.redis))[0] == 0
        settings = {"DATABASE_URL": engines.url(POSTGRES, "gridmerit_app")}
        settings |= {"REDIS_URL": servers.redis, "GRIDMERIT_DATA_DIR": "d"}
        code, out, err = await say(data_dir, "verify", **settings)
        assert (code, out, err) == (0, "库里还没有台账和考核：请确认这就是要核对的数据库。\n", "")
        process = await start(data_dir, "scheduler", **settings)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        assert json.loads(line)["event"] == "scheduler leads"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), START_SECONDS) == 0
        connection = await asyncpg.connect(owner)
        await connection.execute("COMMENT ON SCHEMA shared IS 'gridmerit of yesterday'")
        await connection.close()
        code, _, err = await say(data_dir, "verify", **settings)
    assert code == 2
    assert "gridmerit_owner 的地址，运行一次 gridmerit migrate" in err


@pytest.mark.parametrize(
    "command",
    [
        "verify --county 999999",
        "import shops file.csv --county 999999",
        "import products file.csv --county 999999",
        "import funds file.csv --county 999999",
        "import work file.csv --county 999999",
        "import households file.csv --county 999999",
        "import balances file.csv --county 999999",
        "work verify --county 999999 --month 2026-10",
        "work post --county 999999 --month 2026-10",
        "redeem --county 999999 --shop 一店 --worker 张三 --item 肥皂=1",
        "statement build --county 999999 --month 2026-10",
        "statement sign --county 999999 --month 2026-10",
        "export ledger --county 999999 --month 2026-10",
    ],
)
async def test_a_county_that_is_not_there_is_neither_sound_nor_empty(
    data_dir: Path, servers: Servers, database: str, command: str
) -> None:
    """A slip in the code must not pass for a check of the books, or for a month that is done."""
    (data_dir / "file.csv").write_text("店名,品名\n一店,肥皂\n", encoding="utf-8")
    code, out, err = await say(
        data_dir,
        *command.split(),
        GRIDMERIT_DATA_DIR=str(data_dir),
        DATABASE_URL=database,
        REDIS_URL=servers.redis,
    )
    assert (code, out) == (2, "")
    assert err.strip() == "gridmerit：库里没有 999999 这个县，请核对县代码；新的县先导入花名册。"


async def test_a_refusal_says_its_sentence_once(
    data_dir: Path, servers: Servers, database: str
) -> None:
    """Also where a form would show it at the field again."""
    (data_dir / "empty.csv").touch()
    command = ("import", "roster", "empty.csv", "--county", "421222", "--dry-run")
    settings = {"DATABASE_URL": database, "REDIS_URL": servers.redis, "GRIDMERIT_DATA_DIR": "d"}
    code, _, err = await say(data_dir, *command, **settings)
    assert (code, err) == (2, "gridmerit：文件是空的，请检查后重新选择。\n")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "磁盘满了"),
        (OSError(errno.ENOSPC, "No space left on device", "/srv/report.xlsx"), "清理出空间"),
        (asyncpg.DiskFullError("could not extend file"), "磁盘满了"),
        (asyncpg.LockNotAvailableError("canceling statement"), "正忙"),
        (asyncpg.AdminShutdownError("terminating connection"), "再运行一次"),
        (asyncpg.ConnectionDoesNotExistError("closed"), "再运行一次"),
        (asyncpg.ReadOnlySQLTransactionError("read-only"), "主库"),
    ],
)
def test_what_a_database_refuses_says_what_to_do(error: Exception, words: str) -> None:
    """A full disk is no wrong address, and none of these is a defect of the program."""
    assert words in cli.sentence(error)


def test_a_closed_folder_names_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's command runs as the service's account, which is not plain to whoever typed it."""
    denied = PermissionError(errno.EACCES, "Permission denied", "/root/x")
    said = cli.sentence(denied)
    assert "/root/x" in said
    assert f"账号是 {pwd.getpwuid(os.geteuid()).pw_name}" in said
    monkeypatch.setattr(cli, "account", lambda: "gridmerit")
    assert "chown gridmerit: 文件名" in cli.sentence(denied), "root is not told to become root"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root gives its rights away for a moment."""
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another account")
def test_a_file_that_the_account_may_not_use_is_said_first(tmp_path: Path) -> None:
    """Not that it does not exist; and no export is written down as taken and then not written."""
    (tmp_path / "roster.csv").touch()
    tmp_path.chmod(0o700)
    with as_nobody():
        read = CliRunner().invoke(
            import_roster, [str(tmp_path / "roster.csv"), "--county", "421222"]
        )
        out = ("ledger", "--month", "2026-10", "--out", str(tmp_path / "new"))
        written = CliRunner().invoke(export, out)
    name = pwd.getpwuid(65534).pw_name
    assert (read.exit_code, written.exit_code) == (2, 2)
    assert f"账号 {name} 读不到文件" in read.output
    assert f"账号 {name} 不能写到文件夹" in written.output


def test_a_defect_is_written_down_where_that_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service's account stands in folders it cannot write to."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = cli.sentence(KeyError("defect of 13812345678"))
    [path] = tmp_path.glob("gridmerit-error-*.log")
    assert str(path) in said
    assert "KeyError" in path.read_text(encoding="utf-8")
    assert "13812345678" not in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0


async def test_a_defect_of_a_service_is_in_its_log(tmp_path: Path) -> None:
    """Its own /tmp goes with it under systemd, so nobody could read a file there."""
    script = (
        "import click; from deploy import cli\n"
        "@click.command()\n"
        "def serve(): raise KeyError('call 13812345678')\n"
        "cli.cli = serve; cli.sys.argv = ['gridmerit']; cli.main()"
    )
    process = await start(tmp_path, command=(sys.executable, "-c", script), TMPDIR=str(tmp_path))
    _, err = await process.communicate()
    assert process.returncode == 2
    assert "Traceback" in err.decode()
    assert "call 138****5678" in err.decode()
    assert err.decode().endswith("gridmerit：程序内部错误（KeyError），详情见上。\n")
    assert os.listdir(tmp_path) == []  # noqa: PTH208  in a coroutine


async def test_an_empty_database_asks_for_the_migration(data_dir: Path, servers: Servers) -> None:
    """Whoever has only a service's address cannot bring the schema."""
    with Embedded(data_dir, valkey=False) as engines:
        connection = await asyncpg.connect(engines.url(POSTGRES, OWNER))
        await connection.execute("CREATE ROLE gridmerit_appraisal LOGIN")
        await connection.close()
        code, _, err = await say(
            data_dir,
            *("import", "households", __file__, "--county", "421222"),
            GRIDMERIT_APPRAISAL_URL=engines.url(POSTGRES, "gridmerit_appraisal"),
            REDIS_URL=servers.redis,
        )
    assert code == 2
    assert "运行 gridmerit migrate" in err


async def refused(data_dir: Path, servers: Servers, database: str, *where: str) -> str:
    """What a service says that cannot listen there."""
    settings = {"DATABASE_URL": database, "REDIS_URL": servers.redis}
    code, _, err = await say(
        data_dir, "serve", *where, GRIDMERIT_DATA_DIR=str(data_dir), **settings
    )
    assert code == 2
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_taken_port_is_one_sentence(
    data_dir: Path, servers: Servers, database: str, host: str, shown: str
) -> None:
    """Somebody else listens there; an address is written as browsers take it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        err = await refused(data_dir, servers, database, "--host", host, "--port", str(port))
    assert f" {shown}:{port}（已有程序在用，也许服务已经在运行）" in err


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose sockets have a path that is short enough."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


async def test_serves_on_a_unix_socket(
    data_dir: Path, short: Path, servers: Servers, database: str
) -> None:
    """For a proxy on this machine only, whose word on the visitor's address is believed."""
    path = short / "http.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))  # as one that was killed leaves it
    settings = {"DATABASE_URL": database, "REDIS_URL": servers.redis}
    running = serving(data_dir, unix=path, GRIDMERIT_DATA_DIR=str(data_dir), **settings)
    async with running as (client, process, said):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert (await client.get("/metrics")).status_code == 200
        outside = {"x-forwarded-for": "203.0.113.9"}
        assert (await client.get("/metrics", headers=outside)).status_code == 404
        assert (await client.get("/sign-in", headers=outside)).status_code == 200
        err = await refused(data_dir, servers, database, "--host", str(path))
        assert f"{path}（已有程序在用，也许服务已经在运行）" in err
        assert (await client.get("/health")).status_code == 200
    assert process.returncode == 0, await said


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("kept.txt", "kept.txt 不是套接字"),
        ("nowhere/http.sock", "没有这个文件夹"),
        (f"{'x' * 100}.sock", "路径太长"),
    ],
)
async def test_a_socket_that_cannot_be_is_one_sentence(
    data_dir: Path, short: Path, servers: Servers, database: str, name: str, sentence: str
) -> None:
    """And nobody's file is taken for one."""
    (short / "kept.txt").write_text("kept")
    assert sentence in await refused(data_dir, servers, database, "--host", str(short / name))
    assert (short / "kept.txt").read_text() == "kept"


async def test_systemd_hears_when_a_service_answers(
    data_dir: Path, short: Path, servers: Servers, database: str
) -> None:
    """Not before: what an administrator types behind ``systemctl start`` finds it there."""
    path = short / "http.sock"
    settings = {"DATABASE_URL": database, "REDIS_URL": servers.redis}
    with systemd() as (address, heard):
        process = await start(
            data_dir,
            *("serve", "--host", str(path)),
            GRIDMERIT_DATA_DIR=str(data_dir),
            NOTIFY_SOCKET=address,
            **settings,
        )
        assert await asyncio.to_thread(heard.recv, 64) == b"READY=1"
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(base_url="http://gridmerit", transport=transport) as client:
            assert (await client.get("/ready")).status_code == 200
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), START_SECONDS)


async def test_a_socket_has_no_port(
    data_dir: Path, short: Path, servers: Servers, database: str
) -> None:
    """Who asks for one would look for the pages there in vain."""
    where = ("--host", str(short / "http.sock"), "--port", "8000")
    assert "请去掉 --port" in await refused(data_dir, servers, database, *where)
    assert not (short / "http.sock").exists()


def test_two_at_one_dead_socket_do_not_take_it_from_each_other(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told that the first is there, and those who ask reach the first."""
    path, both = short / "http.sock", threading.Barrier(2)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    def asked(path: Path) -> bool:
        found = listens(path)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return found

    monkeypatch.setattr(serve, "listens", asked)
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(serve._unix_socket, path) for _ in range(2)]
    errors = [error for one in tries if isinstance(error := one.exception(), OSError)]
    assert [error.errno for error in errors] == [errno.EADDRINUSE]
    assert listens(path)
    for one in tries:
        if not one.exception():
            one.result().close()


async def test_a_command_that_is_cut_off_says_so(data_dir: Path) -> None:
    """Nobody is there to answer its question, or somebody pressed Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *(*SOURCE, "create-admin", "--county", "421222"),
        cwd=data_dir,
        env=environment(GRIDMERIT_DATA_DIR=str(data_dir)),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    _, err = await process.communicate()
    assert process.returncode == 130
    assert "gridmerit：已中断；再运行一次" in err.decode()


async def test_an_unknown_host_is_named(data_dir: Path, servers: Servers, database: str) -> None:
    """Not a number of the resolver's own."""
    err = await refused(data_dir, servers, database, "--host", "nowhere.invalid")
    assert "nowhere.invalid" in err
    assert "GRIDMERIT_HOST" in err
    assert "Unknown error" not in err


async def test_waits_for_a_database_that_recovers(recovering: Postgres, tmp_path: Path) -> None:
    """Says so once, and goes on when it may: a boot after a power cut is no fault."""
    url = recovering.url(OWNER)
    with pytest.raises(asyncpg.CannotConnectNowError):
        await asyncpg.connect(url)
    process = await start(tmp_path, "migrate", DATABASE_URL=url)
    assert process.stderr is not None
    async with asyncio.timeout(120):
        said = (await process.stderr.readline()).decode()
        assert said == f"{runtime.RECOVERING}\n"
        await asyncio.to_thread(run_control, recovering, "promote")
        out, error = await process.communicate()
    assert (process.returncode, error.decode()) == (0, f"{runtime.MIGRATING}\n"), out
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM shared.unit") == 0
    await connection.close()


async def test_a_backup_is_restored_as_the_handbook_says(
    data_dir: Path, wrapped: tuple[str, ...]
) -> None:
    """Its lines say nothing and end with 0, also where a newer release made the tables.

    The secret stands among the settings, which root's command knows and no other.
    """
    (data_dir / "environment").write_text(f"GRIDMERIT_SECRET_KEY='{'s' * 40}'\n", encoding="ascii")
    given = ["--county", "421222", "--county-name", "通城县", "--name", "钱管理"]
    given += ["--phone", "13712345678", "--password", "village oak in white bloom"]
    process = await start(data_dir, "create-admin", *given, command=wrapped)
    _, err = await process.communicate()
    assert process.returncode == 0, err
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Backup and restore\n")[2].partition("\n## ")[0]
    dump, _, restore = re.findall(r"(?:^    .+\n)+", section, re.MULTILINE)
    with Embedded(data_dir, valkey=False) as engines:
        [engine] = [one for one in engines.engines if isinstance(one, Postgres)]
        with backup_folder(engine) as folder:
            assert "已备份" in await shell(engine, data_dir, folder, dump)
            connection = await asyncpg.connect(engines.url(POSTGRES, "postgres"))
            await connection.execute(
                "CREATE TABLE points.newer (county_id int, id uuid,"
                " FOREIGN KEY (county_id, id) REFERENCES points.fund (county_id, id))"
            )
            await connection.close()
            [made] = folder.iterdir()
            assert stat.S_IMODE(made.stat().st_mode) == 0o600
            saved = made.read_bytes()
    with backup_folder(engine) as folder:
        (folder / made.name).write_bytes(saved)
        (folder / made.name).chmod(0o600)
        restore = restore.replace("gridmerit-….dump", made.name)
        said = await shell(engine, data_dir, folder, restore)
    assert "421222" in said
    assert "✓ 密钥" in said
    assert not (data_dir / "secret").exists()
    with Embedded(data_dir, valkey=False) as engines:
        connection = await asyncpg.connect(engines.url(POSTGRES, OWNER))
        assert await connection.fetchval("SELECT to_regclass('points.newer')") is None
        await connection.close()


async def test_an_outside_database_is_not_ours_to_back_up(
    tmp_path: Path, servers: Servers, database: str
) -> None:
    """An empty embedded one beside it would be a file that everybody takes for a backup."""
    settings = {"DATABASE_URL": database, "REDIS_URL": servers.redis}
    code, _, err = await say(
        tmp_path, "backup", "kept", GRIDMERIT_DATA_DIR=str(tmp_path / "data"), **settings
    )
    assert code == 2
    assert "数据库在外部" in err
    assert not (tmp_path / "kept").exists()


@contextmanager
def backup_folder(engine: Postgres) -> Iterator[Path]:
    """The handbook's /srv/backup, outside pytest's own folders: the engine's account enters it."""
    folder = Path(tempfile.mkdtemp())
    engine.home.give(folder)
    yield folder
    shutil.rmtree(folder)


async def shell(engine: Postgres, data_dir: Path, folder: Path, lines: str) -> str:
    """Lines of the handbook on a ``wrapped`` installation; they must not complain, but say."""
    owner = engine.home.owner.pw_name
    for old, new in (
        ("install -d -m 0700 -o gridmerit -g gridmerit /srv/backup", "true"),
        ("/srv/backup", str(folder)),
        ("FOLDER-OF-THE-PROGRAMS", str(engine.programs)),
        ("runuser -u gridmerit --", f"runuser -u {owner} --" if os.geteuid() == 0 else "env"),
        ("/var/lib/gridmerit/data", str(data_dir)),
    ):
        lines = lines.replace(old, new)
    function = f'gridmerit() {{ sh {data_dir}/gridmerit.sh "$@"; }}\nset -e\n'
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", function + lines),
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, ""), out.decode()
    return out.decode()


async def test_a_database_that_stays_away_is_one_sentence(
    recovering: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(runtime, "RECOVERY_SECONDS", 0.0)
    before = dict(DB.config)
    DB.configure(recovering.url(OWNER))
    pool, DB.pool = DB.pool, None
    try:
        with pytest.raises(EngineError, match="还在启动或恢复"):
            await runtime.awake()
    finally:
        DB.pool = pool
        DB.config.clear()
        DB.config.update(before)


def earlier_secrets(folder: Path) -> list[str]:
    """What an exchange has kept for old backups."""
    return [path.read_text() for path in folder.glob("secret.until-*")]


async def test_the_secret_is_exchanged_while_nothing_runs(data_dir: Path) -> None:
    """Refused beside a service; then all opens with another file, and the old one is kept."""
    settings = {"GRIDMERIT_DATA_DIR": str(data_dir)}
    given = ["--county", "421222", "--county-name", "通城县", "--name", "钱管理"]
    given += ["--phone", "13712345678", "--password", "village oak in white bloom"]
    code, _, err = await say(data_dir, "create-admin", *given, **settings)
    assert code == 0, err
    old = (data_dir / "secret").read_text()
    async with serving(data_dir, **settings):
        code, _, err = await say(data_dir, "rotate-secret", **settings)
        assert (code, "请先停止" in err) == (2, True)
        assert (data_dir / "secret").read_text() == old
    code, out, err = await say(data_dir, "rotate-secret", **settings)
    assert code == 0, err
    assert "备用码全部作废" in out
    assert (data_dir / "secret").read_text() != old
    assert earlier_secrets(data_dir) == [old]
    assert not (data_dir / "secret.next").exists()
    _, out, _ = await say(data_dir, "doctor", **settings)
    assert "✓ 密钥" in out
    by_hand = settings | {"GRIDMERIT_SECRET_KEY": (data_dir / "secret").read_text()}
    code, out, err = await say(data_dir, "rotate-secret", **by_hand)
    assert (code, "secret.next" in out) == (0, True), err
    _, out, _ = await say(data_dir, "doctor", **by_hand)
    assert "✗ 密钥" in out
    by_hand["GRIDMERIT_SECRET_KEY"] = (data_dir / "secret.next").read_text()
    _, out, _ = await say(data_dir, "doctor", **by_hand)
    assert "✓ 密钥" in out
    code, _, err = await say(data_dir, "rotate-secret", **by_hand)
    assert code == 0, err
    assert (data_dir / "secret.next").read_text() != by_hand["GRIDMERIT_SECRET_KEY"]
