"""``make bench``: the figures beside their baselines, on one cluster, in turn.

Own cluster in a temporary folder, durable settings (fsync, full_page_writes, synchronous_commit),
five rounds of every row after each other, medians with least and most. Each side's load client
(pgbench, or tests/load/client.py) runs on the same machine and is part of what is measured.
GRIDMERIT bench knobs: ``BENCH_ROUNDS``, ``BENCH_SECONDS``. Writes tests/load/bench.json.
"""

import asyncio
import hmac
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import asyncpg

from deploy.embedded import VALKEY, Embedded
from deploy.engine_postgres import Postgres
from deploy.migrate import OWNER, migrate
from points.ledger.verifier import service as verifier
from points.work import bulk, intake
from shared.clock import now
from shared.database import DB
from shared.identity import sealing
from shared.ids import new_id
from shared.roster import phones
from tests.factories import COUNTY
from tests.load import baselines, client, world
from tests.load.world import Terminal, World

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
CLIENTS = 8
"""Connections of each load client."""
SECRET = "bench" * 10
TICKS = os.sysconf("SC_CLK_TCK")
RESULT = Path(__file__).with_name("bench.json")
GOALS = {
    "P1": "≥ 0.5", "P3": "≥ 1.0", "P9": "≥ 0.10", "P12": "≤ 450", "P13": "≤ 200",
    "P14_first": "≤ 3", "P14_ready": "≤ 5", "P15": "≤ 500",
}  # fmt: skip
"""Floors; the next issue has the targets."""


class Bench:
    """The engines, the served app and what was measured."""

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
        self.figures: dict[str, list[float]] = defaultdict(list)
        self.notes: dict[str, Any] = {}
        self.world: World
        self.started: subprocess.Popen[bytes] | None = None
        self.port = 0

    def note(self, row: str, figure: float) -> None:
        self.figures[row].append(figure)
        print(f"  {row:<14} {figure:>12,.2f}", flush=True)

    # The served app

    def serve(self) -> tuple[float, float]:
        """Start it; seconds to the first 200 and to ready."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        log = (self.folder / "serve.log").open("wb")
        began = perf_counter()
        self.started = subprocess.Popen(
            [sys.executable, "-c", "from deploy.cli import main; main()", "serve", "--port",
             str(self.port)],
            env=self.environment, stdout=log, stderr=log,
        )  # fmt: skip
        return self.answers("/health", began), self.answers("/ready", began)

    def answers(self, path: str, began: float) -> float:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2):
                    return perf_counter() - began
            except OSError:
                if self.server.poll() is not None or perf_counter() - began > 60:
                    raise RuntimeError((self.folder / "serve.log").read_text()[-2000:]) from None
                sleep(0.01)

    def stop(self) -> None:
        if self.started is not None:
            self.started.terminate()
            self.started.wait(30)
            self.started = None

    @property
    def server(self) -> subprocess.Popen[bytes]:
        assert self.started is not None
        return self.started

    # Load

    def pgbench(self, script: str, clients: int = CLIENTS) -> float:
        """Transactions a second of a script."""
        path = self.folder / "script.sql"
        path.write_text(script)
        out = subprocess.run(
            [str(self.postgres.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(clients),
             "-j", "2", "-T", str(int(SECONDS)), "-f", str(path), self.url],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        found = re.search(r"tps = ([0-9.]+)", out)
        assert found, out
        return float(found[1])

    async def http(self, keys: list[Terminal], *, hot: bool, seconds: float) -> dict[str, Any]:
        """Redemptions over HTTP: each with a live code of its own, signed by a terminal."""
        at = now()
        tokens = await world.codes(self.world.people, int(1_500 * seconds), at)
        stamp = str(int(at.timestamp()))
        requests = []
        for n, token in enumerate(tokens):
            terminal = keys[n % len(keys)]
            product = self.world.products[0 if hot else n % len(self.world.products)]
            order = {
                "id": str(new_id()),
                "shop_id": str(terminal.shop_id),
                "code": token,
                "lines": [{"product_id": str(product), "quantity": 1}],
            }
            requests.append(signed(terminal, json.dumps(order).encode(), stamp, str(n)))
        out = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.load.client", "127.0.0.1", str(self.port), str(CLIENTS),
             str(seconds)],
            input=client.pack(requests), capture_output=True, check=True,
        )  # fmt: skip
        result: dict[str, Any] = json.loads(out.stdout)
        assert set(result["statuses"]) == {"201"}, result
        return result

    def cpu(self) -> float:
        """CPU seconds so far of the app and all of PostgreSQL."""
        postmaster = int((self.postgres.data / "postmaster.pid").read_text().split()[0])
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            pid, parent = int(stat.parent.name), int(fields[1])
            if pid in {postmaster, self.server.pid} or parent == postmaster:
                total += int(fields[11]) + int(fields[12])
            if pid == postmaster:
                total += int(fields[13]) + int(fields[14])
        return total / TICKS

    def rss(self) -> float:
        """Resident MiB of the app."""
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found
        return int(found[1]) / 1024

    # Rows

    async def counter(self) -> None:
        """P1, P3, P15 with their baselines, in turn."""
        for row in ("B1", "B2", "B2h", "B1h"):
            self.note(row, await asyncio.to_thread(self.pgbench, baselines.SCRIPTS[row]))
        cpu = self.cpu()
        uniform = await self.http(self.world.terminals, hot=False, seconds=SECONDS)
        spent = self.cpu() - cpu
        self.note("HTTP", uniform["count"] / uniform["seconds"])
        self.note("HTTP p99 ms", uniform["p99_ms"])
        self.note("P15", spent / uniform["count"] * 1e6)
        hot = await self.http(self.world.hot_terminals, hot=True, seconds=SECONDS)
        self.note("HTTP hot", hot["count"] / hot["seconds"])
        for row, above, below in (
            ("P1", "HTTP", "B1"), ("P2", "HTTP", "B2"), ("P3", "HTTP hot", "B2h"),
            ("P4", "HTTP hot", "HTTP"),
        ):  # fmt: skip
            self.note(row, self.figures[above][-1] / self.figures[below][-1])
        for row, where in (("door", False), ("door hot", True)):
            script = door_script(self.world, hot=where)
            self.note(row, await asyncio.to_thread(self.pgbench, script))

    async def imported(self, number: int, owner: asyncpg.Connection) -> None:
        """P9 and B3: a month of work from the file to the ledger, and the same file again."""
        month = date(2026, 2 + number, 1)
        at = datetime(2026, 3 + number, 2, tzinfo=UTC)
        data = world.month_of_work(self.world.workers, month)
        since = await last_batch()
        began = perf_counter()
        read = await intake.import_work(None, COUNTY, data, "work.csv", now=at)
        done = await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
        took = perf_counter() - began
        assert done.posted is not None
        assert done.posted.records == read.rows, (read.rows, done)
        self.note("import rows/s", read.rows / took)
        before = await last_batch()
        await intake.import_work(None, COUNTY, data, "work.csv", now=at)
        await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
        self.note("P9c", await last_batch() - before)
        self.note("B3", await baselines.copied_rows_a_second(owner, COUNTY, since))
        self.note("P9", self.figures["import rows/s"][-1] / self.figures["B3"][-1])

    async def bytes_a_transfer(self) -> None:
        row = await DB.fetchrow(
            "SELECT count(*) AS n, (SELECT sum(pg_total_relation_size(relid))"
            " FROM pg_partition_tree('points.transfer') WHERE isleaf)::float8 AS size"
            " FROM points.transfer WHERE county_id = $1",
            COUNTY,
        )
        assert row is not None
        self.note("P12", row["size"] / row["n"])
        self.notes["transfers at P12"] = row["n"]

    def fsync(self) -> None:
        """Microseconds of one fdatasync where the cluster lies."""
        out = subprocess.run(
            [str(self.postgres.programs / "pg_test_fsync"), "-s", "1", "-f",
             str(self.folder / "fsync")],
            capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
        found = re.search(r"fdatasync\s+[0-9.]+ ops/sec\s+(\d+) usecs/op", out)
        self.notes["fdatasync µs"] = int(found[1]) if found else None


def signed(terminal: Terminal, body: bytes, stamp: str, nonce: str) -> bytes:
    """A terminal's request, ready to send."""
    path = "/api/redemptions"
    text = "\n".join(("POST", path, stamp, nonce, sha256(body).hexdigest()))
    signature = hmac.new(world.SECRET, text.encode(), "sha256").hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\ngridmerit-key: {terminal.key}\r\n"
        f"gridmerit-timestamp: {stamp}\r\ngridmerit-nonce: {nonce}\r\n"
        f"gridmerit-signature: {signature}\r\n\r\n"
    )
    return head.encode() + body


def door_script(place: World, *, hot: bool) -> str:
    """Load for pgbench at the door itself: one redemption a call, by card, without the web."""
    return f"""
\\set w random(1, {len(place.people)})
\\set s random(1, {1 if hot else len(place.shops)})
\\set p random(1, {1 if hot else len(place.products)})
SELECT code FROM points.post_batch({COUNTY}, ARRAY[jsonb_build_object('kind', 'redeem',
    'id', uuidv7(), 'person_id', (SELECT id FROM base_people WHERE n = :w),
    'shop_id', (SELECT id FROM base_shops WHERE n = :s),
    'lines', jsonb_build_array(jsonb_build_object(
        'product_id', (SELECT id FROM base_products WHERE n = :p),
        'quantity', 1, 'price', 10, 'cost_fen', 80)),
    'means', 'card', 'at', now(), 'month_limit', 100000, 'authority', 'shop', 'device', '',
    'collector', '', 'refused', '', 'actor_id', uuidv7())], ARRAY['\\x00'::bytea], now());
"""


async def draw_tables(owner: asyncpg.Connection, place: World) -> None:
    """Tables from which pgbench draws people, shops and products."""
    for name, ids in (
        ("base_people", place.people), ("base_shops", place.shops),
        ("base_products", place.products),
    ):  # fmt: skip
        await owner.execute(f"CREATE TABLE {name} (n int PRIMARY KEY, id uuid)")
        await owner.executemany(f"INSERT INTO {name} VALUES ($1, $2)", list(enumerate(ids, 1)))


async def last_batch() -> int:
    return int(
        await DB.fetchval(
            "SELECT coalesce(max(number), 0) FROM points.batch WHERE county_id = $1", COUNTY
        )
    )


async def run(bench: Bench) -> None:
    """Everything, in order."""
    DB.configure(bench.url)
    await migrate()
    await DB.start_connection_pool(min_size=1, max_size=4)
    phones.configure(SECRET)
    sealing.configure(SECRET)
    owner = await asyncpg.connect(bench.url)
    print("building the county …", flush=True)
    bench.world = await world.build()
    await bench.bytes_a_transfer()
    await baselines.prepare(owner)
    await draw_tables(owner, bench.world)
    await owner.execute("ANALYZE")
    bench.fsync()
    for _ in range(ROUNDS):
        first, ready = await asyncio.to_thread(bench.serve)
        bench.note("P14_first", first)
        bench.note("P14_ready", ready)
        if len(bench.figures["P14_ready"]) < ROUNDS:
            bench.stop()
    await bench.http(bench.world.terminals, hot=False, seconds=10)
    warm, sent = bench.rss(), 0.0
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", flush=True)
        await bench.counter()
        await bench.imported(number, owner)
        sent += (bench.figures["HTTP"][-1] + bench.figures["HTTP hot"][-1]) * SECONDS
        bench.note("P13", bench.rss())
    bench.notes["P13 growth MiB per million"] = round((bench.rss() - warm) / sent * 1e6, 1)
    bench.stop()
    await owner.execute("ANALYZE")
    verdict = await verifier.verify(COUNTY)
    bench.notes["verify transfers/min"] = round(verdict.transfers / verdict.seconds * 60)
    bench.notes["findings"] = [str(finding) for finding in verdict.findings]
    await owner.close()
    await DB.close_connection_pool()


def report(bench: Bench) -> None:
    """The table, and the same as JSON."""
    result: dict[str, Any] = {
        row: {
            "median": round(statistics.median(figures), 3),
            "min": round(min(figures), 3),
            "max": round(max(figures), 3),
        }
        for row, figures in bench.figures.items()
    }
    print(f"\n{'row':<16}{'median':>12}{'min':>12}{'max':>12}  floor")
    for row, figure in result.items():
        cells = "".join(f"{figure[name]:>12,.2f}" for name in ("median", "min", "max"))
        print(f"{row:<16}{cells}  {GOALS.get(row, '')}")
    result["machine"] = {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "load before": os.getloadavg()[2],
        "python": platform.python_version(),
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "clients": CLIENTS,
        **bench.notes,
    }
    print(json.dumps(result["machine"], ensure_ascii=False, indent=2))
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def processor() -> str:
    """The processor's name."""
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.machine()


def main() -> None:
    """Start the engines, measure, clean up."""
    folder = Path(tempfile.mkdtemp(prefix="gridmerit-bench-data-"))
    with Embedded(folder) as engines:
        bench = Bench(engines)
        try:
            asyncio.run(run(bench))
        finally:
            bench.stop()
            shutil.rmtree(bench.folder, ignore_errors=True)
        home = engines.home.path
    report(bench)
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
