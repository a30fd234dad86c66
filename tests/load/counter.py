"""Rows of the counter: redemptions over HTTP beside the same redemption by hand in PostgreSQL.

Each round measures every baseline and every row of ours once, in turn.
"""

import asyncio

import msgspec

from tests.load import baselines
from tests.load.client import Plan
from tests.load.rig import COLD, CONNECTIONS, SECONDS, Rig

Figures = dict[str, float]
CURVE = (1, 2, 3)
"""Workers."""


async def counter(rig: Rig) -> Figures:
    """B1, B2, B1h, B2h; P1, P2, P3, P4 against them; P15."""
    bases = {
        row: await asyncio.to_thread(rig.pgbench, baselines.SCRIPTS[row])
        for row in ("B1", "B2", "B2h", "B1h")
    }
    uniform = await rig.redeem()
    rig.peak = uniform.rate
    hot = await rig.redeem(hot=True)
    return {
        **bases,
        "HTTP": uniform.rate,
        "HTTP p50 ms": uniform.quantiles["p50"],
        "HTTP p99 ms": uniform.quantiles["p99"],
        "HTTP hot": hot.rate,
        "P1": uniform.rate / bases["B1"],
        "P2": uniform.rate / bases["B2"],
        "P3": hot.rate / bases["B2h"],
        "P4": hot.rate / uniform.rate,
        "P15": (uniform.app + uniform.database) / uniform.sent * 1e6,
        "P15 app": uniform.app / uniform.sent * 1e6,
        "P15 PostgreSQL": uniform.database / uniform.sent * 1e6,
        "client CPU µs": uniform.cpu / uniform.sent * 1e6,
    }


async def idle(rig: Rig) -> Figures:
    """P6: what the web adds to one call when nobody else is there, in ms."""
    base = 1000 / await asyncio.to_thread(rig.pgbench, baselines.SCRIPTS["B2"], 1, SECONDS / 2)
    ours = await rig.redeem(connections=1, seconds=SECONDS / 2)
    p50 = ours.quantiles["p50"]
    return {"B2 one client ms": base, "HTTP one client p50 ms": p50, "P6": p50 - base}


async def curve(rig: Rig) -> Figures:
    """Redemptions a second of one, two and three workers on this machine."""
    figures = {}
    for workers in CURVE:
        await asyncio.to_thread(rig.serve, workers)
        await rig.warm()
        figures[f"workers {workers}"] = (await rig.redeem()).rate
    await asyncio.to_thread(rig.serve)
    await rig.warm()
    return figures


async def keyed(rig: Rig) -> Figures:
    """B5: keyed SELECTs a second over HTTP, and the median time of one, in ms."""
    process, address = rig.start("-m", "tests.load.keyed")
    try:
        await asyncio.to_thread(rig.answers, process, address, "/health")
        people = [str(rig.world.people[n % len(rig.world.people)]) for n in range(60_000)]
        asked = [
            (id_, f"GET /person/{id_} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()) for id_ in people
        ]
        plan = Plan(
            addresses=[address],
            connections=CONNECTIONS,
            seconds=SECONDS / 2,
            cold=COLD,
            status="200",
        )
        many = await rig.run_client(plan, asked)
        one = await rig.run_client(msgspec.structs.replace(plan, connections=1), asked)
        return {"B5": many.rate, "B5 one client p50 ms": one.quantiles["p50"]}
    finally:
        process.terminate()
        process.wait(30)
