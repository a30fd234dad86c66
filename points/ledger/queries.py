"""SQL of the ledger: one call writes, everything else reads. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Connection

from points.ledger.batching import Ticket
from points.ledger.items import (
    Balances,
    Item,
    LotRow,
    OpeningRow,
    Outcome,
    Receipt,
    TransferRow,
)
from shared.database import DB

POST_BATCH = """
SELECT id, code, repeated, batch, position, person_id, amount, wallet, waiting, settled, balance,
       quantity, subject
FROM points.post_batch($1, $2::jsonb[], $3::bytea[], $4) ORDER BY place
"""
BALANCES = """
SELECT
    coalesce((SELECT balance FROM points.account WHERE county_id = $1
              AND id = points.account_id('worker', 'merit', $2)), 0) AS merit,
    points.spendable($1, $2, $3) AS wallet,
    coalesce((SELECT sum(held) FROM points.lot WHERE county_id = $1 AND person_id = $2
              AND live), 0)::int8 AS held,
    points.owed($1, $2) AS "offset",
    coalesce((SELECT sum(remaining) FROM points.awaiting WHERE county_id = $1 AND person_id = $2
              AND remaining > 0), 0)::int8 AS awaiting
"""
# A person's legs from both account indexes; what a transfer is about says its words and its shop.
# What a resolution lets go has the words of the award that waited, not those of the resolution.
TRANSFERS = """
WITH own AS (
    SELECT id, batch, position, unit, code, amount, about FROM points.transfer
    WHERE county_id = $1 AND credit = ANY (ARRAY[points.account_id('worker', 'merit', $2),
        points.account_id('worker', 'wallet', $2)]) AND id < $3
    UNION ALL
    SELECT id, batch, position, unit, code, -amount, about FROM points.transfer
    WHERE county_id = $1 AND debit = ANY (ARRAY[points.account_id('worker', 'merit', $2),
        points.account_id('worker', 'wallet', $2)]) AND id < $3
)
SELECT t.id, b.at, t.batch, t.position, t.unit, t.code, t.amount, w.word,
       CASE WHEN w.word = t.code AND t.code NOT IN ('offset', 'undo')
            THEN coalesce(p.memo, '') ELSE '' END AS memo,
       CASE WHEN p.kind = 'award' AND t.code <> 'offset' THEN p.day END AS day,
       r.shop_id, r.id AS redemption_id
FROM (SELECT * FROM own WHERE $5 = '' OR unit = $5 ORDER BY id DESC LIMIT $4) AS t
JOIN points.batch b ON b.county_id = $1 AND b.number = t.batch
LEFT JOIN points.posting p ON p.county_id = $1 AND p.batch = t.batch AND p.position = t.position
LEFT JOIN points.redemption r ON r.county_id = $1 AND r.id = t.about
CROSS JOIN LATERAL (SELECT CASE WHEN t.code <> 'offset'
    AND p.kind IN ('add_resolution', 'correct_resolution', 'release_awaiting')
    THEN 'release' ELSE t.code END AS word) w
ORDER BY t.id DESC
"""
# The last closed month before the instant, and what moved since: both bounds of the ids are known
# before transfers are read, so that only the partitions between them are opened.
BALANCE_AT = """
WITH closed AS MATERIALIZED (
    SELECT month, points.transfer_id(at, 0, 0, 0) AS until FROM points.closing
    WHERE county_id = $1 AND at <= $4 ORDER BY month DESC LIMIT 1
)
SELECT (coalesce((
    SELECT balance FROM points.closing_balance
    WHERE county_id = $1 AND account = points.account_id('worker', $3, $2)
      AND month <= (SELECT month FROM closed)
    ORDER BY month DESC LIMIT 1), 0)
  + coalesce((
    SELECT sum(CASE WHEN credit = points.account_id('worker', $3, $2) THEN amount
                    ELSE -amount END) FROM points.transfer
    WHERE county_id = $1 AND id < points.transfer_id($4, 0, 0, 0)
      AND id >= coalesce((SELECT until FROM closed), points.nobody())
      AND (credit = points.account_id('worker', $3, $2)
           OR debit = points.account_id('worker', $3, $2))), 0))::int8
"""
RECEIPT_OF_PERSON = """
SELECT t.id AS transfer_id, t.county_id, b.at, t.unit, t.code, t.amount, t.debit, t.credit,
       t.about, t.batch, t.position, encode(b.previous_hash, 'hex') AS previous_hash,
       encode(b.hash, 'hex') AS hash
FROM points.transfer t
JOIN points.batch b ON b.county_id = t.county_id AND b.number = t.batch
WHERE t.county_id = $1 AND t.id = $2
  AND ARRAY[t.debit, t.credit] && ARRAY[points.account_id('worker', 'merit', $3),
                                        points.account_id('worker', 'wallet', $3)]
"""
LOTS = """
SELECT id, fund_id, award_id, expires_on, amount, remaining, held
FROM points.lot WHERE county_id = $1 AND person_id = $2 AND live
ORDER BY expires_on, id LIMIT 1000
"""
# Also of what no fund has taken over: ``points.adopt`` gives it to the same one.
WAITING_FUNDS = """
SELECT DISTINCT w.fund_id FROM (
    SELECT coalesce(a.fund_id, (
        SELECT f.id FROM points.fund f WHERE f.county_id = $1
          AND f.unit_code IN (left(a.unit_code, 12), left(a.unit_code, 9), left(a.unit_code, 6))
        ORDER BY length(f.unit_code) DESC LIMIT 1)) AS fund_id
    FROM (SELECT DISTINCT fund_id, unit_code FROM points.awaiting
          WHERE county_id = $1 AND remaining > 0) AS a) AS w
WHERE w.fund_id IS NOT NULL AND points.fund_room($1, w.fund_id) > 0
"""
APPEALING = "SELECT points.appealing($1, $2) /* county_id = $1 */"
# What was taken back whole is 0 and 0.
OPENINGS = """
SELECT o.id, o.person_id, o.day, o.merit * o.stands AS merit, o.wallet * o.stands AS wallet
FROM (
    SELECT DISTINCT ON (p.person_id) p.id, p.person_id, p.day, p.amount AS merit,
        p.wallet + p.waiting AS wallet, (NOT EXISTS (
            SELECT FROM points.posting r WHERE r.county_id = $1 AND r.kind = 'reverse'
              AND r.target = p.id))::int AS stands
    FROM points.posting p
    WHERE p.county_id = $1 AND p.person_id = ANY ($2::uuid[]) AND p.kind = 'opening'
    ORDER BY p.person_id, p.batch DESC, p.position DESC) AS o
"""
PURGE_CODES = "SELECT points.purge_codes($1, $2, $3) /* county_id = $1 */"
NEWEST = UUID(int=(1 << 128) - 1)
"""Sorts after every id: the cursor of the first page."""


async def post_batch(county_id: int, items: Sequence[Item], at: datetime) -> list[Outcome]:
    """Decide and write one batch; one outcome an item, in order."""
    bodies = [msgspec.json.encode(item).decode() for item in items]
    fingerprints = [item.fingerprint() for item in items]
    return await DB.all(Outcome, POST_BATCH, county_id, bodies, fingerprints, at)


async def post_tickets(
    connection: Connection, county_id: int, tickets: Sequence[Ticket], seconds: float
) -> list[Outcome]:
    """The same for items that were made ready before, on the committer's own connection."""
    rows = await connection.fetch(
        POST_BATCH,
        county_id,
        [ticket.body for ticket in tickets],
        [ticket.fingerprint for ticket in tickets],
        max(ticket.at for ticket in tickets),
        timeout=seconds,
    )
    return [Outcome(**row) for row in rows]


async def plan_again(connection: Connection, seconds: float) -> None:
    """The next statement of this connection is planned for the tables as they are by then."""
    await connection.execute("DISCARD PLANS", timeout=seconds)


async def balances(county_id: int, person_id: UUID, at: datetime) -> Balances:
    found = await DB.one(Balances, BALANCES, county_id, person_id, at)
    assert found is not None  # noqa: S101  a SELECT of scalars has one row
    return found


async def transfers(
    county_id: int, person_id: UUID, before: UUID | None, limit: int, unit: str
) -> list[TransferRow]:
    return await DB.all(TransferRow, TRANSFERS, county_id, person_id, before or NEWEST, limit, unit)


async def balance_at(county_id: int, person_id: UUID, unit: str, at: datetime) -> int:
    return int(await DB.fetchval(BALANCE_AT, county_id, person_id, unit, at))


async def lots(county_id: int, person_id: UUID) -> list[LotRow]:
    return await DB.all(LotRow, LOTS, county_id, person_id)


async def waiting_funds(county_id: int) -> list[UUID]:
    return [row["fund_id"] for row in await DB.fetch(WAITING_FUNDS, county_id)]


async def purge_codes(county_id: int, before: datetime, limit: int) -> int:
    return int(await DB.fetchval(PURGE_CODES, county_id, before, limit))


async def receipt_of_person(county_id: int, transfer_id: UUID, person_id: UUID) -> Receipt | None:
    return await DB.one(Receipt, RECEIPT_OF_PERSON, county_id, transfer_id, person_id)


async def appealing(county_id: int, person_id: UUID) -> bool:
    """Whether an objection or an appeal of a person's is open: none of their points end then."""
    return bool(await DB.fetchval(APPEALING, county_id, person_id))


async def openings(county_id: int, people: Sequence[UUID]) -> dict[UUID, OpeningRow]:
    """The opening balances that people have; of a corrected one the last."""
    rows = await DB.all(OpeningRow, OPENINGS, county_id, list(people))
    return {row.person_id: row for row in rows}
