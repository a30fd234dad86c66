"""SQL of the daily roots and receipts. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from points.ledger.seal.schemas import DayRow, KeptBlock, Leaf, SealedRow, Tree
from shared.database import DB

COLUMNS = "day, first_batch, last_batch, transfers, previous, head, root, closed_at"
LAST = f"SELECT {COLUMNS} FROM points.day_root WHERE county_id = $1 ORDER BY day DESC LIMIT 1"
DAYS = f"""
SELECT {COLUMNS} FROM points.day_root WHERE county_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day
"""
TREES_AFTER = f"""
SELECT {COLUMNS}, blocks, starts FROM points.day_root
WHERE county_id = $1 AND day > $2 ORDER BY day LIMIT $3
"""
TREE_OF_BATCH = f"""
SELECT {COLUMNS}, blocks, starts FROM points.day_root
WHERE county_id = $1 AND last_batch >= $2 AND first_batch <= $2 ORDER BY last_batch LIMIT 1
"""
FIRST_AT = "SELECT min(at) FROM points.batch WHERE county_id = $1 AND number = 1"
# Batches are numbered in the order of their times, so the search from the end passes only what
# came after that day.
LAST_BATCH = """
SELECT number, hash FROM points.batch
WHERE county_id = $1 AND (number = $2 OR (number > $2 AND at < $3)) ORDER BY number DESC LIMIT 1
"""
BATCH = "SELECT hash, at FROM points.batch WHERE county_id = $1 AND number = $2"
# The leaves of some batches' transfers, 256 together; the first place is the day's own leaf.
BLOCKS = """
WITH bounds AS MATERIALIZED (
    SELECT points.transfer_id(min(at), $2, 0, 0) AS low,
           points.transfer_id(max(at), $3, 1048575, 1048575) AS high
    FROM points.batch WHERE county_id = $1 AND number IN ($2, $3)
)
SELECT (array_agg(l.id ORDER BY l.id))[1] AS start,
       string_agg(l.leaf, ''::bytea ORDER BY l.id) AS leaves
FROM (SELECT t.id, points.day_leaf(t) AS leaf, row_number() OVER (ORDER BY t.id) / $4 AS block
      FROM points.transfer t
      WHERE t.county_id = $1 AND t.id >= (SELECT low FROM bounds)
        AND t.id <= (SELECT high FROM bounds)) AS l
GROUP BY l.block ORDER BY l.block
"""
LEAVES_FROM = """
SELECT t.id, points.day_leaf(t) AS leaf FROM points.transfer t
WHERE t.county_id = $1 AND t.id >= $2 ORDER BY t.id LIMIT $3
"""
INSERT = """
INSERT INTO points.day_root (county_id, day, first_batch, last_batch, transfers, previous, head,
                             root, closed_at, blocks, starts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (county_id, day) DO NOTHING
"""
SEALED = """
SELECT points.canon(t) AS transfer, b.number, points.micros(b.at) AS at, b.items, b.rows,
       encode(b.previous_hash, 'hex') AS previous_hash, encode(b.hash, 'hex') AS hash
FROM points.transfer t
JOIN points.batch b ON b.county_id = t.county_id AND b.number = t.batch
WHERE t.county_id = $1 AND t.id = $2
"""
BATCH_LEAVES = """
SELECT l.id, l.leaf
FROM points.batch b CROSS JOIN LATERAL points.leaves($1, $2, $2,
    points.transfer_id(b.at, $2, 0, 0), points.transfer_id(b.at, $2, 1048575, 1048575)) AS l
WHERE b.county_id = $1 AND b.number = $2 ORDER BY l.position, l.part, l.id
"""
# A day of a big import takes longer than a page may.
PATIENCE = "SET LOCAL statement_timeout = '30min'"


async def last(county_id: int) -> DayRow | None:
    return await DB.one(DayRow, LAST, county_id)


async def days(county_id: int, first: date, last_day: date) -> list[DayRow]:
    return await DB.all(DayRow, DAYS, county_id, first, last_day)


async def trees_after(county_id: int, day: date, limit: int) -> list[Tree]:
    return await DB.all(Tree, TREES_AFTER, county_id, day, limit)


async def tree_of_batch(county_id: int, batch: int) -> Tree | None:
    return await DB.one(Tree, TREE_OF_BATCH, county_id, batch)


async def first_at(county_id: int) -> datetime | None:
    at: datetime | None = await DB.fetchval(FIRST_AT, county_id)
    return at


async def last_batch(county_id: int, after: int, before: datetime) -> tuple[int, bytes]:
    """The newest batch before an instant, not older than batch ``after``."""
    row = await DB.fetchrow(LAST_BATCH, county_id, after, before)
    return (row["number"], row["hash"]) if row else (after, b"")


async def block(county_id: int, number: int) -> tuple[bytes, datetime | None]:
    """Hash and time of a batch; nothing of one that is not there."""
    row = await DB.fetchrow(BATCH, county_id, number)
    return (row["hash"], row["at"]) if row else (b"", None)


async def blocks(county_id: int, first: int, last_one: int, size: int) -> list[KeptBlock]:
    return await DB.all(KeptBlock, BLOCKS, county_id, first, last_one, size)


async def leaves_from(county_id: int, start: UUID, limit: int) -> list[Leaf]:
    return await DB.all(Leaf, LEAVES_FROM, county_id, start, limit)


async def insert(county_id: int, tree: Tree) -> bool:
    """Whether the day was still open."""
    values = msgspec.structs.astuple(tree)
    return await DB.execute(INSERT, county_id, *values[:-1], list(tree.starts)) == "INSERT 0 1"


async def sealed(county_id: int, transfer_id: UUID) -> SealedRow | None:
    return await DB.one(SealedRow, SEALED, county_id, transfer_id)


async def batch_leaves(county_id: int, number: int) -> Sequence[Leaf]:
    return await DB.all(Leaf, BATCH_LEAVES, county_id, number)


async def be_patient() -> None:
    await DB.execute(PATIENCE)
