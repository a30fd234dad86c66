"""Close the days of a ledger, and hand out the receipts that prove a transfer.

A day holds the batches after the day before up to the last one timed before its midnight (China).
A batch that waited across midnight and is timed before it, but came after the closing, belongs to
the next day: each transfer is in exactly one root, and a closed day stays as it is.
"""

from bisect import bisect_right
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from uuid import UUID

from points.ledger.seal import merkle, queries, rules
from points.ledger.seal.schemas import (
    MOST_HASHES,
    BatchPart,
    DayPart,
    DayRow,
    KeptBlock,
    ReceiptFile,
    Tree,
)
from shared.clock import LOCAL_ZONE, today
from shared.database import DB
from shared.errors import NotFound

HASH = 32
PAGE = 100
"""Closed days read at once by a check."""


async def close_days(county_id: int, now: datetime) -> int:
    """Close every day that is over and not closed, oldest first; answers how many."""
    first_at = await queries.first_at(county_id)
    if first_at is None:
        return 0
    closed = 0
    while True:
        last = await queries.last(county_id)
        day = rules.day_after(last, today(first_at))
        if day >= today(now):
            return closed
        async with DB.transaction():
            await queries.be_patient()
            closed += await queries.insert(county_id, await plant(county_id, last, day, now))


async def plant(county_id: int, last: DayRow | None, day: date, now: datetime) -> Tree:
    """The tree of a day, as the ledger has it now; ``last`` is the day before."""
    midnight = datetime.combine(day + timedelta(days=1), time.min, LOCAL_ZONE)
    before = last.last_batch if last else 0
    last_batch, head = await queries.last_batch(county_id, before, midnight)
    kept = (
        await queries.blocks(county_id, before + 1, last_batch, merkle.BLOCK)
        if last_batch > before
        else []
    )
    opened = DayRow(
        day=day,
        first_batch=before + 1,
        last_batch=last_batch,
        transfers=sum(len(block.leaves) for block in kept) // HASH,
        previous=last.root if last else b"",
        head=head,
        root=b"",
        closed_at=now,
    )
    return grown(county_id, opened, kept)


def grown(county_id: int, day: DayRow, kept: list[KeptBlock]) -> Tree:
    """The day with its tree: its own leaf first, then the transfers."""
    own = rules.first_leaf(county_id, day)
    hashes = [_split(block.leaves) for block in kept] or [[]]
    hashes[0].insert(0, own)
    roots = [merkle.root(leaves) for leaves in hashes]
    return Tree(
        day=day.day,
        first_batch=day.first_batch,
        last_batch=day.last_batch,
        transfers=day.transfers,
        previous=day.previous,
        head=day.head,
        root=merkle.root(roots),
        closed_at=day.closed_at,
        blocks=b"".join(roots),
        starts=tuple(block.start for block in kept),
    )


async def month(county_id: int, first: date) -> list[DayRow]:
    """The closed days of the month that begins on ``first``."""
    return await queries.days(
        county_id, first, first.replace(day=monthrange(first.year, first.month)[1])
    )


async def receipt_file(county_id: int, transfer_id: UUID) -> ReceiptFile:
    """The receipt of a transfer; with its proof once the day is closed. Raises NotFound.

    Asks no rights: the caller has made sure that the transfer is the person's own.
    """
    row = await queries.sealed(county_id, transfer_id)
    if row is None:
        raise NotFound
    place, leaves = None, None
    if row.rows <= MOST_HASHES:
        found = await queries.batch_leaves(county_id, row.number)
        leaves = tuple(leaf.leaf.hex() for leaf in found)
        place = [leaf.id for leaf in found].index(transfer_id)
    tree = await queries.tree_of_batch(county_id, row.number)
    return ReceiptFile(
        version=rules.VERSION,
        transfer=row.transfer,
        batch=BatchPart(
            county_id=county_id,
            number=row.number,
            at=row.at,
            items=row.items,
            rows=row.rows,
            previous_hash=row.previous_hash,
            hash=row.hash,
            place=place,
            leaves=leaves,
        ),
        day=await _proof(county_id, tree, transfer_id) if tree else None,
    )


async def first_broken(county_id: int) -> tuple[date, str] | None:
    """The first closed day that the ledger no longer gives, and what is wrong with it."""
    before: Tree | None = None
    while page := await queries.trees_after(county_id, before.day if before else date.min, PAGE):
        for tree in page:
            if wrong := await _wrong(county_id, before, tree):
                return tree.day, wrong
            before = tree
    return None


async def _wrong(county_id: int, before: Tree | None, tree: Tree) -> str:
    """What of a closed day does not hold; empty if all does."""
    if before and tree.day != rules.day_after(before, tree.day):
        return "前一天的封印缺失"
    expected = (before.root, before.last_batch + 1) if before else (b"", 1)
    if (tree.previous, tree.first_batch) != expected:
        return "和前一天的封印接不上"
    head, at = await queries.block(county_id, tree.last_batch)
    if tree.head != head or (at and today(at) > tree.day):
        return f"当天最后一页（第 {tree.last_batch} 页）对不上"
    if tree.last_batch < tree.first_batch:
        return _changed(county_id, tree, [])
    found = await queries.blocks(county_id, tree.first_batch, tree.last_batch, merkle.BLOCK)
    return _changed(county_id, tree, found)


def _changed(county_id: int, tree: Tree, found: list[KeptBlock]) -> str:
    """Where the transfers that are found now differ from those that were sealed."""
    if tree.transfers != sum(len(block.leaves) for block in found) // HASH:
        return f"封账时 {tree.transfers} 笔转账，现在多了或少了"
    again = grown(county_id, tree, found)
    pairs = zip(_split(tree.blocks), _split(again.blocks), strict=False)
    for start, (was, now) in zip(tree.starts, pairs, strict=False):
        if was != now:
            return f"从转账 {start} 起的 {merkle.BLOCK} 笔里有改动"
    if (again.root, again.blocks, again.starts) != (tree.root, tree.blocks, tree.starts):
        return "封印自身被改动"
    return ""


async def _proof(county_id: int, tree: Tree, transfer_id: UUID) -> DayPart:
    """From the one kept block that holds the transfer, and the roots of the others."""
    block = bisect_right(tree.starts, transfer_id) - 1
    size = tree.transfers + 1
    in_block = min(merkle.BLOCK, size - block * merkle.BLOCK) - (block == 0)
    found = await queries.leaves_from(county_id, tree.starts[block], in_block)
    place = [leaf.id for leaf in found].index(transfer_id)
    leaves = [leaf.leaf for leaf in found]
    if block == 0:
        leaves.insert(0, rules.first_leaf(county_id, tree))
        place += 1
    path = merkle.proof(place, leaves) + merkle.proof(block, _split(tree.blocks))
    return DayPart(
        date=f"{tree.day:%Y-%m-%d}",
        root=tree.root.hex(),
        index=block * merkle.BLOCK + place,
        size=size,
        proof=tuple(neighbour.hex() for neighbour in path),
    )


def _split(joined: bytes) -> list[bytes]:
    return [joined[first : first + HASH] for first in range(0, len(joined), HASH)]
