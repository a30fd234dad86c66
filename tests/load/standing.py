"""Rows of what stands still: the start of a worker, bytes on disk, the verifier's speed."""

import asyncio

from points.ledger.verifier import service as verifier
from shared.database import DB
from tests.factories import COUNTY
from tests.load.counter import Figures
from tests.load.rig import Rig

SIZE = """
SELECT (SELECT count(*) FROM points.transfer) AS transfers,
       (SELECT sum(pg_total_relation_size(relid))::int8
        FROM pg_partition_tree('points.transfer') WHERE isleaf) AS bytes
"""


async def start(rig: Rig) -> Figures:
    """P14: seconds from the start of a worker to its first 200 and to ready; engines are up."""
    first, ready = await asyncio.to_thread(rig.serve)
    await rig.warm()
    return {"P14 first 200": first, "P14 ready": ready}


async def size(rig: Rig) -> Figures:
    """P12: bytes of disk a transfer, all indexes counted; those of the baselines are among them."""
    row = await DB.fetchrow(SIZE)
    assert row is not None
    return {"P12": row["bytes"] / row["transfers"], "transfers": row["transfers"]}


async def verified(rig: Rig) -> Figures:
    """Transfers a minute that the verifier reads and recomputes; it must find nothing."""
    verdict = await verifier.verify(COUNTY)
    if verdict.findings:
        raise RuntimeError("\n".join(str(finding) for finding in verdict.findings))
    return {"verify transfers/min": verdict.transfers / verdict.seconds * 60}
