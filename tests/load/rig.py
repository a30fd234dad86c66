"""What the bench runs on: an own cluster, served workers of the app, load, and the meters.

Durable settings as in production. CPU is user and system time of the app's workers and of all of
PostgreSQL; the load clients run on the same machine and print their own.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import httpx
import msgspec

from deploy.embedded import VALKEY, Embedded
from deploy.engine_postgres import Postgres
from deploy.migrate import OWNER
from tests.load import orders
from tests.load.client import Plan, Result, pack
from tests.load.world import Terminal, World

SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
CLIENTS = 8
"""Connections of pgbench: its best number on two cores."""
CONNECTIONS = 48
"""Connections of the HTTP client: as many as a counter lets in at once."""
COLD = 0.5
"""Seconds of each round that do not count."""
FASTEST = 9_000
"""Requests a second that are prepared before anything is known."""
SECRET = "bench" * 10
TICKS = os.sysconf("SC_CLK_TCK")
STARTED = 60.0
"""Seconds a worker may take to answer."""


class Rig:
    """Engines, workers, the county, and what was last measured of the peak."""

    def __init__(self, engines: Embedded) -> None:
        self.postgres: Any = next(e for e in engines.engines if isinstance(e, Postgres))
        self.url = self.postgres.url(OWNER)
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "REDIS_URL": engines.url(VALKEY),
            "GRIDMERIT_SECRET_KEY": SECRET,
            "GRIDMERIT_SCHEDULER": "false",
            "GRIDMERIT_DATA_DIR": str(engines.home.path),
        }
        self.folder = Path(tempfile.mkdtemp(prefix="gridmerit-bench-"))
        self.started = 0
        self.world: World
        self.workers: list[subprocess.Popen[bytes]] = []
        self.addresses: list[str] = []
        self.peak = 0.0
        """Redemptions a second that one worker reached last."""

    # Workers

    def start(self, *command: str) -> tuple[subprocess.Popen[bytes], str]:
        """A process that serves on a Unix socket given as its last argument."""
        self.started += 1
        address = str(self.folder / f"{self.started}.sock")
        log = (self.folder / "serve.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *command, address], env=self.environment, stdout=log, stderr=log
        )
        return process, address

    def serve(self, workers: int = 1) -> tuple[float, float]:
        """Have that many workers; seconds to the last one's first 200 and to ready."""
        self.stop()
        first = ready = 0.0
        for _ in range(workers):
            began = perf_counter()
            process, address = self.start("-m", "deploy", "serve", "--host")
            self.workers.append(process)
            self.addresses.append(address)
            first = self.answers(process, address, "/health", began)
            ready = self.answers(process, address, "/ready", began)
        return first, ready

    def answers(
        self,
        process: subprocess.Popen[bytes],
        address: str,
        path: str,
        began: float | None = None,
    ) -> float:
        """Seconds until the first 200."""
        began = perf_counter() if began is None else began
        with httpx.Client(transport=httpx.HTTPTransport(uds=address), timeout=2) as client:
            while True:
                try:
                    if client.get(f"http://bench{path}").is_success:
                        return perf_counter() - began
                except httpx.TransportError:
                    pass
                if process.poll() is not None or perf_counter() - began > STARTED:
                    raise RuntimeError((self.folder / "serve.log").read_text()[-2000:])
                sleep(0.005)

    def stop(self) -> None:
        for process in self.workers:
            process.terminate()
        for process in self.workers:
            process.wait(30)
        self.workers, self.addresses = [], []

    # Load

    def pgbench(self, script: str, clients: int = CLIENTS, seconds: float = SECONDS) -> float:
        """Transactions a second of a script."""
        path = self.folder / "script.sql"
        path.write_text(script)
        out = subprocess.run(
            [str(self.postgres.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(clients),
             "-j", str(min(2, clients)), "-T", str(max(1, round(seconds))), "-f", str(path),
             self.url],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        found = re.search(r"tps = ([0-9.]+)", out)
        assert found, out
        return float(found[1])

    async def redeem(
        self,
        *,
        hot: bool = False,
        seconds: float = SECONDS,
        connections: int = CONNECTIONS,
        rate: float = 0.0,
        spare: int = 0,
    ) -> Result:
        """Redemptions over HTTP, each with a live code of its own; every answer is checked."""
        pace = rate or (1.5 * self.peak if self.peak else FASTEST)
        count = spare or int(pace * (seconds + COLD) + connections)
        keys: list[Terminal] = self.world.hot_terminals if hot else self.world.terminals
        requests = await orders.make(self.world, keys, count, hot=hot)
        plan = Plan(
            addresses=self.addresses, connections=connections, seconds=seconds, rate=rate, cold=COLD
        )
        return await self.run_client(plan, requests)

    async def run_client(self, plan: Plan, requests: list[tuple[str, bytes]]) -> Result:
        """The load client in its own process; raises when an answer was wrong."""
        plan_file, request_file = self.folder / "plan.json", self.folder / "requests"
        plan_file.write_bytes(msgspec.json.encode(plan))
        request_file.write_bytes(pack(requests))
        app, database = self.app_cpu(), self.database_cpu()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.load.client", str(plan_file), str(request_file),
            stdout=subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        result = msgspec.json.decode(out, type=Result)
        if result.wrong:
            raise RuntimeError("\n".join(result.wrong))
        result.app, result.database = self.app_cpu() - app, self.database_cpu() - database
        return result

    async def warm(self) -> None:
        """Have every terminal known and every plan made."""
        for hot, keys in ((False, self.world.terminals), (True, self.world.hot_terminals)):
            await self.redeem(hot=hot, seconds=60.0, spare=len(keys))

    # Meters

    def app_cpu(self) -> float:
        """CPU seconds so far of the workers."""
        return sum(_cpu(process.pid)[0] for process in self.workers)

    def database_cpu(self) -> float:
        """CPU seconds so far of all of PostgreSQL."""
        return database_cpu(self.postgres.data)

    def rss(self) -> float:
        """Resident MiB of the first worker."""
        status = Path(f"/proc/{self.workers[0].pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found
        return int(found[1]) / 1024

    def fsync(self) -> int | None:
        """Microseconds of one fdatasync where the cluster lies."""
        out = subprocess.run(
            [str(self.postgres.programs / "pg_test_fsync"), "-s", "1", "-f",
             str(self.postgres.data / "fsync-test")],
            capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
        (self.postgres.data / "fsync-test").unlink(missing_ok=True)
        found = re.search(r"fdatasync\s+[0-9.]+ ops/sec\s+(\d+) usecs/op", out)
        return int(found[1]) if found else None


def database_cpu(data: Path) -> float:
    """CPU seconds so far of a cluster: backends alive, and gone (the postmaster's)."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    own, children = _cpu(postmaster)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == postmaster:
            own += _cpu(int(stat.parent.name))[0]
    return own + children


def _cpu(pid: int) -> tuple[float, float]:
    """CPU seconds of a process and of its children that were waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    user, system, children_user, children_system = (int(field) for field in fields[11:15])
    return (user + system) / TICKS, (children_user + children_system) / TICKS
