"""``gridmerit verify``: asks every invariant and walks the hash chain, in one snapshot.

What it can show is that the rows agree with each other and with the chain. Whoever can rewrite the
whole database can rewrite the chain too: the printed roots and receipts outside it are what shows
that (``points.ledger.seal``).
"""

from collections.abc import Sequence
from time import perf_counter

import msgspec

from points.ledger.seal import service as seal
from points.ledger.verifier import queries
from points.ledger.verifier.queries import BatchRow, LeafRow, Tampered
from shared.database import DB

CHUNK_ROWS = 50_000
"""Sealed rows hashed by one query: bounds memory."""
CHUNK_BATCHES = 10_000
HEAD_BATCHES = 50
LEAF = 8
"""Bytes a block keeps of each row's hash."""
CHAIN = "I12 批次链"
SEALS = "I12 每日封印"


class Finding(msgspec.Struct, frozen=True):
    """A broken invariant and the first row that breaks it."""

    invariant: str
    thing: str
    id: str
    detail: str


class Verdict(msgspec.Struct, frozen=True):
    """What was looked at and what is wrong; no findings = everything holds."""

    county_id: int
    transfers: int
    batches: int
    seconds: float
    findings: tuple[Finding, ...]


async def verify(county_id: int) -> Verdict:
    """Check one county; names the first broken row of every invariant that fails."""
    started = perf_counter()
    findings: list[Finding] = []
    async with DB.transaction(isolation="repeatable_read"):
        await queries.be_patient()
        transfers = await queries.size(county_id)
        for invariant, sql in queries.CHECKS.items():
            broken = await queries.first_broken(sql, county_id)
            if broken:
                findings.append(Finding(invariant, broken.thing, broken.id, broken.detail))
        batches, broken_chain = await _walk(county_id)
        findings += broken_chain
        if wrong := await seal.first_broken(county_id):
            day, detail = wrong
            findings.append(Finding(SEALS, "day_root", str(day), detail))
    seconds = perf_counter() - started
    return Verdict(county_id, transfers, batches, seconds, tuple(findings))


async def verify_head(county_id: int) -> Finding | None:
    """Check only the newest blocks of the chain: quick enough for every start."""
    last = await queries.last_batch(county_id)
    first = max(last - HEAD_BATCHES + 1, 1)
    rows = await queries.batches(county_id, first, HEAD_BATCHES)
    for number, row in enumerate(rows, first):
        if row.number != number or not row.linked:
            return _block(number, "编号不连续，或与上一批的哈希对不上")
    spoiled = await queries.tampered(county_id, first, last) if rows else None
    return await _name(county_id, spoiled) if spoiled else None


async def counties() -> list[int]:
    """Counties that have a ledger."""
    return await queries.counties()


async def _walk(county_id: int) -> tuple[int, list[Finding]]:
    """Blocks walked, and what breaks the chain first."""
    count = 0
    while rows := await queries.batches(county_id, count + 1, CHUNK_BATCHES):
        for row in rows:
            count += 1
            if row.number != count:
                return count, [_block(count, "批次缺失：编号不连续")]
            if not row.linked:
                return count, [_block(count, "上一批的哈希对不上")]
        for first, last in _chunks(rows):
            spoiled = await queries.tampered(county_id, first, last)
            if spoiled:
                return count, [await _name(county_id, spoiled)]
    return count, []


def _chunks(rows: Sequence[BatchRow]) -> list[tuple[int, int]]:
    """Ranges of batch numbers with about ``CHUNK_ROWS`` sealed rows each."""
    found: list[tuple[int, int]] = []
    first, size = rows[0].number, 0
    for row in rows:
        size += row.rows
        if size >= CHUNK_ROWS:
            found.append((first, row.number))
            first, size = row.number + 1, 0
    if first <= rows[-1].number:
        found.append((first, rows[-1].number))
    return found


async def _name(county_id: int, spoiled: Tampered) -> Finding:
    """The first row of a block whose leaf is not the sealed one."""
    now = await queries.leaves(county_id, spoiled.number)
    sealed = [spoiled.leaves[start : start + LEAF] for start in range(0, len(spoiled.leaves), LEAF)]
    return first_difference(spoiled.number, now, sealed)


def first_difference(number: int, now: Sequence[LeafRow], sealed: Sequence[bytes]) -> Finding:
    """Say which row was changed, added, removed or moved; the block itself if none was."""
    for place, leaf in enumerate(sealed):
        if place < len(now) and now[place].leaf == leaf:
            continue
        if place >= len(now) or (len(now) < len(sealed) and now[place].leaf in sealed[place + 1 :]):
            return _block(number, f"第 {place + 1} 行被删除")
        row = now[place]
        added = len(now) > len(sealed) or leaf in {later.leaf for later in now[place + 1 :]}
        word = "多出或挪动的行" if added else "这一行被改动"
        return Finding(CHAIN, row.thing, str(row.id), f"批次 {number}：{word}")
    if len(now) > len(sealed):
        row = now[len(sealed)]
        return Finding(CHAIN, row.thing, str(row.id), f"批次 {number}：多出的行")
    return _block(number, "批次自身的哈希、时间或行数被改动")


def _block(number: int, detail: str) -> Finding:
    return Finding(CHAIN, "batch", str(number), detail)
