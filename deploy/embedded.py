"""The default on one machine: real PostgreSQL and Valkey, shared by every gridmerit process.

Each process that uses the engines holds a shared lock on ``use.lock``; starting and stopping
happen under the home folder's exclusive lock. The last process out stops the engines; one that is
killed is restarted by whoever holds the lock. A process that dies by kill -9 leaves them running:
its lock is gone with it, and the next one finds, uses and at last stops them.
"""

import fcntl
import logging
import os
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from deploy.engine_home import EngineError, find, locked
from deploy.engine_postgres import Postgres, find_programs
from deploy.engine_valkey import Valkey, find_program

WATCH_SECONDS = 0.25
LONGEST_BACKOFF = 10.0
log = logging.getLogger(__name__)


POSTGRES, VALKEY = "PostgreSQL", "Valkey"


class Engine(Protocol):
    """What the keeper needs of an engine."""

    @property
    def name(self) -> str: ...
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def admit(self) -> None: ...
    def url(self, role: str) -> str: ...


class Embedded:
    """Keeps the engines of a data directory running while it is entered."""

    def __init__(
        self, data_dir: Path, *, postgres: bool = True, valkey: bool = True, pg_bin: str = ""
    ) -> None:
        self.home = find(data_dir)
        self.engines: list[Engine] = []
        if postgres:
            self.engines.append(Postgres(self.home, find_programs(pg_bin)))
        if valkey:
            self.engines.append(Valkey(self.home, find_program()))
        self._use = -1
        self._leaving = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="engines", daemon=True)

    def __enter__(self) -> Self:
        """Start what is not running.

        Raises EngineError when an engine cannot be started.
        """
        with locked(self.home.path):
            path = self.home.path / "use.lock"
            self._use = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.home.give(path)
            fcntl.flock(self._use, fcntl.LOCK_SH)
            try:
                self._start_missing()
            except BaseException:
                with suppress(EngineError):  # what kept it from starting says more
                    self._leave()
                raise
        self._keeper.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the engines if nobody else uses them.

        Raises EngineError, unless the block has failed: of a full disk it says more than the stop.
        """
        self._leaving.set()
        self._keeper.join()
        with locked(self.home.path), suppress(EngineError) if error else nullcontext():
            self._leave()

    def url(self, name: str, role: str = "") -> str:
        """The address of the engine of this name, empty when it is not ours to run."""
        return next((engine.url(role) for engine in self.engines if engine.name == name), "")

    def _start_missing(self) -> None:
        for engine in self.engines:
            if engine.alive():
                engine.admit()
            else:
                engine.start()

    def _leave(self) -> None:
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            for engine in reversed(self.engines):
                engine.stop()
        finally:
            os.close(self._use)

    def _keep(self) -> None:
        """Restart a killed engine, with a growing pause between failures."""
        pause = WATCH_SECONDS
        while not self._leaving.wait(pause):
            pause = WATCH_SECONDS if self._revive() else min(pause * 2, LONGEST_BACKOFF)

    def _revive(self) -> bool:
        if all(engine.alive() for engine in self.engines):
            return True
        started = time.monotonic()
        try:
            with locked(self.home.path):
                self._start_missing()
        except (EngineError, OSError):
            log.exception("an engine is down and did not start")
            return False
        log.warning("engines restarted in %.1f s", time.monotonic() - started)
        return True
