"""``make bench``: the figures beside their baselines, on one cluster, in turn.

An own cluster in a temporary folder with durable settings. Every round measures every group once,
baseline and ours one after the other; five rounds, medians with least and most. docs/bench.md says
what each row is. ``python -m tests.load.bench P6 P7`` measures only the groups of those rows and
leaves bench.json alone; BENCH_ROUNDS, BENCH_SECONDS and BENCH_OVERLOAD_SECONDS shorten it.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import asyncpg

from deploy.embedded import Embedded
from deploy.lasting import lasting
from deploy.migrate import migrate
from shared.database import DB
from shared.identity import sealing
from shared.roster import phones
from tests.load import baselines, counter, imports, report, standing, stress, world
from tests.load.counter import Figures
from tests.load.rig import CLIENTS, CONNECTIONS, SECONDS, SECRET, Rig

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
GROUPS: dict[str, tuple[tuple[str, ...], Callable[[Rig], Awaitable[Figures]]]] = {
    "start": (("P14",), standing.start),
    "counter": (("B1", "B2", "B1h", "B2h", "P1", "P2", "P3", "P4", "P15"), counter.counter),
    "idle": (("P6",), counter.idle),
    "steady": (("P7",), stress.steady),
    "overload": (("P8",), stress.overload),
    "memory": (("P13",), stress.memory),
    "keyed": (("B5",), counter.keyed),
    **imports.GROUPS,
    "size": (("P12",), standing.size),
    "curve": (("curve",), counter.curve),
    "verified": (("verify",), standing.verified),
}
"""Group → the rows it measures, and how; a worker runs from the first on."""


async def measure(rig: Rig, groups: list[str]) -> dict[str, list[float]]:
    """Every group in every round."""
    DB.configure(rig.url)
    await migrate()
    await DB.start_connection_pool(min_size=1, max_size=4)
    phones.configure(SECRET)
    sealing.configure(SECRET)
    owner = await asyncpg.connect(rig.url)
    print("building the county …", flush=True)
    with lasting():  # the imports below run in this process, as they do in a command's
        rig.world = await world.build()
    await baselines.prepare(owner)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    figures: dict[str, list[float]] = defaultdict(list)
    if "start" not in groups:
        await standing.start(rig)
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", flush=True)
        for group in groups:
            os.sync()  # else the next group waits for what the last one wrote
            began = perf_counter()
            found = await GROUPS[group][1](rig)
            print(f" {group} ({perf_counter() - began:.0f} s)", flush=True)
            for name, figure in found.items():
                figures[name].append(figure)
                print(f"  {name:<28}{figure:>14,.3f}", flush=True)
    await DB.close_connection_pool()
    return figures


def chosen(rows: list[str]) -> list[str]:
    """The groups of the rows that were named; all of them if none was."""
    unknown = [row for row in rows if not any(row in known for known, _ in GROUPS.values())]
    if unknown:
        raise SystemExit(f"no such row: {', '.join(unknown)}")
    return [name for name, (known, _) in GROUPS.items() if not rows or set(rows) & set(known)]


def main() -> None:
    """Start the engines, measure, say, clean up."""
    groups = chosen(sys.argv[1:])
    folder = Path(tempfile.mkdtemp(prefix="gridmerit-bench-data-"))
    with Embedded(folder) as engines:
        rig = Rig(engines)
        fsync = rig.fsync()
        try:
            figures = asyncio.run(measure(rig, groups))
        finally:
            rig.stop()
            shutil.rmtree(rig.folder, ignore_errors=True)
        home = engines.home.path
    about = report.machine(
        rounds=ROUNDS,
        seconds=SECONDS,
        **{"pgbench clients": CLIENTS, "HTTP connections": CONNECTIONS, "fdatasync µs": fsync},
    )
    result = report.summary(figures)
    report.show(result)
    print(about)
    if groups == list(GROUPS):
        report.keep(result, about)
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
