"""The product as its users meet it: engines, the served app and schedulers, each killable.

The engines belong to the test's process, which restarts them as ``gridmerit`` itself does; app and
schedulers are processes of their own, started again by hand after a kill.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from deploy.embedded import POSTGRES, VALKEY, Embedded
from deploy.engine_home import read_pid
from deploy.migrate import OWNER

SECRET = "simulation" * 4
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "deploy")
START_SECONDS = 120
"""Patience with a crowded machine; recovery times are reported, not asserted."""


class Rig:
    """Everything up while the block runs; ``database_url`` may lead through a proxy.

    With ``disk_mib`` the engines live on a disk of that size; only root can have that.
    """

    def __init__(self, folder: Path, *, schedulers: int = 0, disk_mib: int = 0) -> None:
        self.folder = folder
        self.engines = Embedded(folder / "data")
        self.disk: Path | None = None
        if disk_mib:
            self.disk = self.engines.home.path
            mount(self.disk, disk_mib)
            self.engines = Embedded(folder / "data")
        self.app: subprocess.Popen[bytes] | None = None
        self.schedulers: list[subprocess.Popen[bytes]] = []
        self.wanted_schedulers = schedulers
        self.database_url = ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def __enter__(self) -> Self:
        self.engines.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_app()
        self.engines.__exit__(kind, error, trace)
        if self.disk is not None:
            subprocess.run(["umount", "--lazy", self.disk], check=True)
        shutil.rmtree(self.engines.home.path, ignore_errors=True)

    def stop_app(self) -> None:
        """Kill what still runs of ours."""
        for process in (self.app, *self.schedulers):
            if process is not None:
                process.kill()
                process.wait()

    @property
    def owner_url(self) -> str:
        """The database's own address, past any proxy."""
        return self.engines.url(POSTGRES, OWNER)

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.database_url or self.owner_url,
            "REDIS_URL": self.engines.url(VALKEY),
            "GRIDMERIT_SECRET_KEY": SECRET,
            "GRIDMERIT_SCHEDULER": "false",
            "GRIDMERIT_DATA_DIR": str(self.folder / "data"),
        }

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*COMMAND, *arguments], cwd=ROOT, env=self.environment(), stdout=log, stderr=log
            )

    def serve(self) -> None:
        """Start the app (and the schedulers) and wait until it listens."""
        self.app = self._start("app", "serve", "--port", str(self.port))
        while len(self.schedulers) < self.wanted_schedulers:
            self.schedulers.append(self._start("scheduler", "scheduler"))
        self.wait_for_app()

    def wait_for_app(self) -> None:
        """Until the app listens; one that gave up (no database yet) is started again."""
        until = monotonic() + START_SECONDS
        while monotonic() < until:
            if self.app is not None and self.app.poll() is not None:
                self.app = self._start("app", "serve", "--port", str(self.port))
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            sleep(0.02)
        raise AssertionError((self.folder / "app.log").read_text(encoding="utf-8")[-3000:])

    def postmaster(self) -> int:
        return read_pid(self.engines.home.path / "postgres" / "postmaster.pid")

    def backends(self) -> list[int]:
        """PostgreSQL's processes that serve a client."""
        parent, found = self.postmaster(), []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")[0].split()
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == parent and words[1:2] and words[1].startswith(b"gridmerit"):
                    found.append(int(entry.name))
        return found

    def kill(self, target: str, dice: random.Random) -> bool:
        """Kill -9 of one process; False when there was none of that kind just now."""
        if target == "app":
            assert self.app is not None
            self.app.kill()
            self.app.wait()
            self.app = self._start("app", "serve", "--port", str(self.port))
            return True
        if target == "scheduler":
            at = dice.randrange(len(self.schedulers))
            self.schedulers[at].kill()
            self.schedulers[at].wait()
            self.schedulers[at] = self._start("scheduler", "scheduler")
            return True
        if target == "backend":
            pids = self.backends()
        else:
            folder, file = {
                "postmaster": ("postgres", "postmaster.pid"),
                "valkey": ("valkey", "valkey.pid"),
            }[target]
            pids = [read_pid(self.engines.home.path / folder / file)]
        alive = [pid for pid in pids if pid > 1]
        if not alive:
            return False
        with suppress(ProcessLookupError):
            os.kill(dice.choice(alive), signal.SIGKILL)
            return True
        return False


def mount(folder: Path, mib: int) -> None:
    """A disk of that size over a folder, with the folder's own owner and mode."""
    found = folder.stat()
    options = f"size={mib}m,uid={found.st_uid},gid={found.st_gid},mode={found.st_mode & 0o777:o}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


def open_folder(base: Path) -> Path:
    """A fresh folder below ``base`` for one rig."""
    return Path(tempfile.mkdtemp(prefix="rig-", dir=base))
