"""SQL of the public sheet. ``$1`` is the county everywhere."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.settlement.publication.schemas import (
    Corrected,
    Figures,
    PublicationRow,
    ShopStock,
)
from shared.database import DB

# A fund opened after the month has nothing to say about it, unless a late upload fell into it.
FUND_IDS = """
SELECT f.id, f.existed FROM (
    SELECT f.*, EXISTS (SELECT FROM points.posting o WHERE o.county_id = $1 AND o.id = f.id
                        AND o.at < $2) AS existed
    FROM points.fund f WHERE f.county_id = $1) AS f
WHERE f.existed OR EXISTS (SELECT FROM points.statement s
                           WHERE s.county_id = $1 AND s.fund_id = f.id AND s.month = $3)
ORDER BY f.unit_code
"""
# What is there now less what has happened since: on the first of the month that is next to nothing.
# A redemption belongs to its own instant, as in the statements; a lot's id is that of its issue.
# Batches find what happened since by index; a terminal's clock may be minutes ahead of its batch.
LAST_BEFORE = """
SELECT points.batch_before($1, $3::timestamptz - interval '10 minutes') AS batch
"""
BALANCES = f"""
WITH last AS MATERIALIZED ({LAST_BEFORE}), own AS (
    SELECT id, balance FROM points.account
    WHERE county_id = $1 AND owner = $2 AND unit = 'wallet' AND kind IN ('issuance', 'expired')
), issued AS (
    SELECT COALESCE(sum(CASE WHEN t.debit = own.id THEN t.amount ELSE -t.amount END), 0) AS points
    FROM points.transfer t JOIN own ON own.id IN (t.debit, t.credit)
    WHERE t.county_id = $1 AND t.unit = 'wallet' AND t.id >= points.transfer_id($3, 0, 0, 0)
), spent AS (
    SELECT COALESCE(sum(e.sign * d.draw), 0) AS points
    FROM (
        SELECT lots, draws, 1 AS sign FROM points.redemption
        WHERE county_id = $1 AND batch > (SELECT batch FROM last) AND status = 'accepted'
          AND at >= $3
        UNION ALL
        SELECT r.lots, r.draws, -1 FROM points.posting u
        JOIN points.redemption r ON r.county_id = $1 AND r.id = u.target
        WHERE u.county_id = $1 AND u.batch > (SELECT batch FROM last) AND u.kind = 'undo'
          AND u.at >= $3) AS e
    CROSS JOIN LATERAL unnest(e.lots, e.draws) AS d (lot, draw)
    WHERE EXISTS (SELECT FROM points.lot l
                  WHERE l.county_id = $1 AND l.id = d.lot AND l.fund_id = $2)
)
SELECT (SELECT COALESCE(sum(r.amount_fen), 0) FROM points.resolution r
        JOIN points.posting p ON p.county_id = $1 AND p.id = r.id
        WHERE r.county_id = $1 AND r.fund_id = $2 AND p.at < $3)::int8 AS budget_fen,
       (SELECT -COALESCE(sum(balance), 0) FROM own)::int8 - issued.points::int8 AS used,
       (SELECT COALESCE(sum(remaining), 0) FROM points.lot
        WHERE county_id = $1 AND fund_id = $2 AND live)::int8
           - issued.points::int8 + spent.points::int8 AS outstanding,
       (SELECT COALESCE(sum(w.remaining + COALESCE(
               (SELECT sum(l.amount) FROM points.lot l WHERE l.county_id = $1 AND l.award_id = w.id
                AND l.id >= points.transfer_id($3, 0, 0, 0)), 0) + COALESCE(
               (SELECT sum(v.waiting) FROM points.posting v WHERE v.county_id = $1
                AND v.kind = 'reverse' AND v.target = w.id AND v.at >= $3), 0)), 0)
        FROM points.awaiting w JOIN points.posting p ON p.county_id = $1 AND p.id = w.id
        WHERE w.county_id = $1 AND w.fund_id = $2 AND p.at < $3)::int8 AS awaiting
FROM issued, spent
"""
# Transfer ids begin with the batch's time: a month is a range of ids.
MOVED = """
SELECT COALESCE(sum(t.amount) FILTER (WHERE t.debit = i.id), 0)::int8 AS issued,
       COALESCE(sum(t.amount) FILTER (WHERE t.credit = i.id), 0)::int8 AS reversed,
       COALESCE(sum(t.amount) FILTER (WHERE t.credit = e.id), 0)::int8 AS expired
FROM points.transfer t
JOIN points.account i ON i.county_id = $1 AND i.owner = $2 AND i.kind = 'issuance'
  AND i.unit = 'wallet'
LEFT JOIN points.account e ON e.county_id = $1 AND e.owner = $2 AND e.kind = 'expired'
  AND e.unit = 'wallet'
WHERE t.county_id = $1 AND t.unit = 'wallet' AND t.id >= $3 AND t.id < $4
  AND (t.debit = i.id OR t.credit IN (i.id, e.id))
"""
SPENT = """
SELECT COALESCE(sum(l.points) FILTER (WHERE l.kind = 'redeem'), 0)::int8 AS redeemed,
       COALESCE(-sum(l.points) FILTER (WHERE l.kind = 'undo'), 0)::int8 AS undone,
       (count(DISTINCT r.person_id) FILTER (WHERE l.kind = 'redeem'))::int AS workers
FROM points.statement s
JOIN points.statement_line l ON l.county_id = $1 AND l.statement_id = s.id
JOIN points.redemption r ON r.county_id = $1 AND r.id = l.redemption_id
WHERE s.county_id = $1 AND s.fund_id = $2 AND s.month = $3
"""
PAYABLE = """
SELECT COALESCE(sum(payable_fen), 0)::int8 FROM points.statement
WHERE county_id = $1 AND fund_id = $2 AND month = $3
"""
STOCK = f"""
WITH last AS MATERIALIZED ({LAST_BEFORE}), since AS (
    SELECT shop_id, product_id, sum(delta)::int AS delta FROM (
        SELECT m.shop_id, m.product_id, m.delta FROM points.stock_move m
        JOIN points.batch b ON b.county_id = $1 AND b.number = m.batch
        WHERE m.county_id = $1 AND m.batch > (SELECT batch FROM last) AND b.at >= $3
        UNION ALL
        SELECT r.shop_id, l.product_id, -r.sign * l.quantity
        FROM (
            SELECT id, shop_id, 1 AS sign FROM points.redemption
            WHERE county_id = $1 AND batch > (SELECT batch FROM last) AND status = 'accepted'
              AND at >= $3
            UNION ALL
            SELECT r.id, r.shop_id, -1 FROM points.posting u
            JOIN points.redemption r ON r.county_id = $1 AND r.id = u.target
            WHERE u.county_id = $1 AND u.batch > (SELECT batch FROM last) AND u.kind = 'undo'
              AND u.at >= $3) AS r
        JOIN points.redemption_line l ON l.county_id = $1 AND l.redemption_id = r.id) AS moved
    GROUP BY shop_id, product_id
)
SELECT s.name AS shop, p.name AS product, p.measure,
       k.quantity - COALESCE(n.delta, 0) AS quantity
FROM points.shop s
JOIN shared.unit u ON u.county_id = $1 AND u.id = s.unit_id
JOIN points.stock k ON k.county_id = $1 AND k.shop_id = s.id
LEFT JOIN since n ON n.shop_id = k.shop_id AND n.product_id = k.product_id
JOIN points.product p ON p.county_id = $1 AND p.id = k.product_id
WHERE s.county_id = $1 AND k.quantity > COALESCE(n.delta, 0)
  AND (starts_with(u.code, left($2, 9))
       OR s.id IN (SELECT shop_id FROM points.statement
                   WHERE county_id = $1 AND fund_id = $4 AND month = $5))
ORDER BY s.name COLLATE "C", p.category, p.name COLLATE "C"
"""
CORRECTED = """
SELECT r.number, c.was_fen, c.amount_fen, c.reason
FROM points.resolution w
JOIN points.correction c ON c.county_id = $1 AND c.id = w.id
JOIN points.resolution r ON r.county_id = $1 AND r.id = w.corrects
JOIN points.posting p ON p.county_id = $1 AND p.id = w.id
WHERE w.county_id = $1 AND w.fund_id = $2 AND p.at >= $3 AND p.at < $4
ORDER BY p.batch, p.position
"""
PUBLICATION = """
SELECT id, fund_id, month, built_on, unit_code, name, figures FROM points.publication
"""
BY_ID = PUBLICATION + "WHERE county_id = $1 AND id = $2"
OF_FUND = PUBLICATION + "WHERE county_id = $1 AND fund_id = $2 ORDER BY month DESC LIMIT 24"
INSERT = """
INSERT INTO points.publication (county_id, id, fund_id, month, built_on, unit_code, name, figures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (county_id, fund_id, month) DO NOTHING
RETURNING id
"""


class Moved(msgspec.Struct, frozen=True):
    """Points of a fund in a month."""

    issued: int
    reversed: int
    expired: int


class Spent(msgspec.Struct, frozen=True):
    """What the month's statements say was spent, and by how many."""

    redeemed: int
    undone: int
    workers: int


class Balances(msgspec.Struct, frozen=True):
    """What a fund had and owed at an instant; points in 0.1, money in fen."""

    budget_fen: int
    used: int
    """Issued, less reversed and expired."""
    outstanding: int
    awaiting: int


async def fund_ids(county_id: int, before: datetime, month: str) -> list[tuple[UUID, bool]]:
    """Funds that existed before an instant (true), or have a statement of the month."""
    rows = await DB.fetch(FUND_IDS, county_id, before, month)
    return [(row["id"], row["existed"]) for row in rows]


async def balances(county_id: int, fund_id: UUID, at: datetime) -> Balances | None:
    return await DB.one(Balances, BALANCES, county_id, fund_id, at)


async def moved(county_id: int, fund_id: UUID, first: datetime, last: datetime) -> Moved:
    """From ``first`` to before ``last``."""
    low, high = (UUID(int=int(at.timestamp() * 1000) << 80) for at in (first, last))
    return await DB.one(Moved, MOVED, county_id, fund_id, low, high) or Moved(0, 0, 0)


async def spent(county_id: int, fund_id: UUID, month: str) -> Spent:
    return await DB.one(Spent, SPENT, county_id, fund_id, month) or Spent(0, 0, 0)


async def payable(county_id: int, fund_id: UUID, month: str) -> int:
    return int(await DB.fetchval(PAYABLE, county_id, fund_id, month))


async def stock(
    county_id: int, unit_code: str, fund_id: UUID, month: str, at: datetime
) -> list[ShopStock]:
    """Shelves of the shops in the fund's township, and of those it pays, as they were then."""
    return await DB.all(ShopStock, STOCK, county_id, unit_code, at, fund_id, month)


async def corrected(
    county_id: int, fund_id: UUID, first: datetime, last: datetime
) -> list[Corrected]:
    """Resolutions corrected from ``first`` to before ``last``."""
    return await DB.all(Corrected, CORRECTED, county_id, fund_id, first, last)


async def publication(county_id: int, publication_id: UUID) -> PublicationRow | None:
    found = await DB.fetchrow(BY_ID, county_id, publication_id)
    return None if found is None else _row(dict(found))


async def of_fund(county_id: int, fund_id: UUID) -> list[PublicationRow]:
    return [_row(dict(row)) for row in await DB.fetch(OF_FUND, county_id, fund_id)]


async def insert(
    county_id: int, publication_id: UUID, row: tuple[UUID, str, date, str, str], figures: Figures
) -> bool:
    """``row``: fund, month, built on, unit code, name. False if the month is published."""
    body = msgspec.json.encode(figures).decode()
    return await DB.fetchval(INSERT, county_id, publication_id, *row, body) is not None


def _row(values: dict[str, object]) -> PublicationRow:
    figures = msgspec.json.decode(str(values["figures"]), type=Figures)
    return msgspec.convert({**values, "figures": figures}, PublicationRow)
