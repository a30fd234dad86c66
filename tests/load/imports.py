"""Rows of imports: a month of work from the file to the ledger, beside COPY of what it writes.

``python -m tests.load.imports FILE COUNTY`` is the process whose memory P9d looks at.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from time import perf_counter

import asyncpg

from points.work import bulk, intake
from shared.database import DB
from shared.identity import sealing
from shared.roster import phones
from tests.factories import COUNTY
from tests.load import baselines, orders, world
from tests.load.client import Plan
from tests.load.counter import Figures
from tests.load.rig import COLD, CONNECTIONS, SECONDS, SECRET, Rig

ROOT = Path(__file__).resolve().parents[2]
SMALL = 1_000
LARGE = int(os.environ.get("BENCH_LARGE_FILE", "300000"))
"""Rows of P9d's files: above intake.DETAILED, what an import needs does not grow with them."""
MONTHS = count(1)
"""Each import is of a month of its own, from February 2026 on."""
PACE = 100.0
"""Redemptions a second of a busy county."""


async def imported(rig: Rig) -> Figures:
    """P9 against B3; P9c: ledger rows that the same file writes again."""
    month, at = coming()
    data = world.month_of_work(rig.world.workers, month)
    since = await last_batch()
    began = perf_counter()
    read = await intake.import_work(None, COUNTY, data, "work.csv", now=at)
    done = await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
    took = perf_counter() - began
    assert done.posted is not None
    assert done.posted.records == read.rows, (read.rows, done)
    before = await last_batch()
    await intake.import_work(None, COUNTY, data, "work.csv", now=at)
    await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
    again = await last_batch() - before
    owner = await asyncpg.connect(rig.url)
    base = await baselines.copied_rows_a_second(owner, COUNTY, since)
    await owner.close()
    return {
        "B3": base,
        "import rows/s": read.rows / took,
        "P9": read.rows / took / base,
        "P9c": again,
    }


async def beside(rig: Rig) -> Figures:
    """What a counter notices of an import: redemptions while a month is confirmed and posted."""
    month, at = coming()
    data = world.month_of_work(rig.world.workers, month)
    await intake.import_work(None, COUNTY, data, "work.csv", now=at)
    plan = Plan(
        addresses=rig.addresses, connections=CONNECTIONS, seconds=SECONDS, rate=PACE, cold=COLD
    )
    amount = int(PACE * (SECONDS + COLD)) + 1
    requests = await orders.make(rig.world, rig.world.terminals, amount, hot=False)
    counter = asyncio.create_task(rig.run_client(plan, requests))
    await asyncio.sleep(COLD + 1)
    began = perf_counter()
    await bulk.verify_month(COUNTY, month.year * 100 + month.month, now=at)
    took = perf_counter() - began
    result = await counter
    return {
        "posting s": took,
        "beside p50 ms": result.quantiles["p50"],
        "beside p99 ms": result.quantiles["p99"],
        "beside max ms": result.quantiles["max"],
    }


def coming() -> tuple[date, datetime]:
    """The next month, and when it is imported."""
    years, months = divmod(next(MONTHS), 12)
    month = date(2026 + years, months + 1, 1)
    after = month + timedelta(days=32)
    return month, datetime(after.year, after.month, 2, tzinfo=UTC)


async def last_batch() -> int:
    return int(
        await DB.fetchval(
            "SELECT coalesce(max(number), 0) FROM points.batch WHERE county_id = $1", COUNTY
        )
    )


async def large(rig: Rig) -> Figures:
    """P9d: MiB by which an import's peak grows from a small file to a large one (dry runs)."""
    peaks = [await asyncio.to_thread(peak, rig, rows) for rows in (SMALL, LARGE)]
    return {"P9d": max(peaks[1] - peaks[0], 0.0)}


def peak(rig: Rig, rows: int) -> float:
    """The most MiB that a process of its own takes to import so many rows."""
    path = rig.folder / f"work-{rows}.csv"
    write(path, rig.world.workers, rows)
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.imports", str(path), str(COUNTY)],
        env=rig.environment, cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    path.unlink()
    return float(done.stdout)


def write(path: Path, workers: list[tuple[str, str]], rows: int) -> None:
    """Work of the first 300 days of the year, no two rows alike."""
    with path.open("w", encoding="utf-8") as file:
        file.write("日期,网格编码,姓名,规则编号,内容\n")
        for n in range(rows):
            name, grid = workers[n % len(workers)]
            day = date(2026, 1, 1) + timedelta(days=n // len(workers) % 300)
            file.write(f"{day},{grid},{name},{world.MONTH[n % 9][1]},第{n}件代办事项\n")


async def _tried(path: Path, county_id: int) -> None:
    DB.configure(os.environ["DATABASE_URL"])
    at = datetime(2026, 11, 20, tzinfo=UTC)
    await intake.import_work(None, county_id, path, path.name, dry_run=True, now=at)


def main() -> None:
    """Try the import and print the peak of resident memory in MiB.

    Not by getrusage, whose peak a process takes over from the one that started it.
    """
    phones.configure(SECRET)
    sealing.configure(SECRET)
    asyncio.run(_tried(Path(sys.argv[1]), int(sys.argv[2])))
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found
    print(int(found[1]) / 1024)


GROUPS: dict[str, tuple[tuple[str, ...], Callable[[Rig], Awaitable[Figures]]]] = {
    "imports": (("B3", "P9", "P9c"), imported),
    "beside": (("beside",), beside),
    "large": (("P9d",), large),
}


if __name__ == "__main__":
    main()
