"""Rows of a counter kept busy: a steady half of its peak, thrice its peak, a long run.

Open loops: a request is due when its time has come, and its time counts from then.
"""

import os

from tests.load.counter import Figures
from tests.load.rig import COLD, SECONDS, Rig

OPEN_CONNECTIONS = 200
"""Enough that no due request waits in the client while the server answers in time."""
OVERLOAD = 3
OVERLOAD_SECONDS = float(os.environ.get("BENCH_OVERLOAD_SECONDS", "60"))
LONG_SECONDS = 30.0
MILLION = 1_000_000


async def steady(rig: Rig) -> Figures:
    """P7: latency at half of the own peak, in ms from when a request was due."""
    peak = await _peak(rig)
    result = await rig.redeem(rate=peak / 2, seconds=2 * SECONDS, connections=OPEN_CONNECTIONS)
    return {
        "P7 rate": peak / 2,
        "P7 p50 ms": result.quantiles["p50"],
        "P7 p99 ms": result.quantiles["p99"],
        "P7 p99.9 ms": result.quantiles["p99.9"],
        "P7 client late ms": result.late,
    }


async def overload(rig: Rig) -> Figures:
    """P8: thrice the peak; what is still done of it, and how soon the rest is sent away, in ms."""
    peak = await _peak(rig)
    result = await rig.redeem(
        rate=OVERLOAD * peak,
        seconds=OVERLOAD_SECONDS,
        connections=OPEN_CONNECTIONS,
        spare=int(2 * peak * OVERLOAD_SECONDS) + OPEN_CONNECTIONS,
    )
    return {
        "P8": result.rate / peak,
        "P8 offered ÷ peak": result.sent / (result.seconds + COLD) / peak,
        "P8 shed p50 ms": result.shed.get("p50", 0.0),
        "P8 shed p99 ms": result.shed.get("p99", 0.0),
        "P8 done p99 ms": result.quantiles["p99"],
    }


async def memory(rig: Rig) -> Figures:
    """P13: resident MiB after a long run, and what it grew by, told for a million transfers."""
    before = rig.rss()
    result = await rig.redeem(seconds=LONG_SECONDS)
    after = rig.rss()
    return {"P13": after, "P13 growth MiB per million": (after - before) / result.sent * MILLION}


async def _peak(rig: Rig) -> float:
    if not rig.peak:
        rig.peak = (await rig.redeem()).rate
    return rig.peak
