"""SQL of the public sheet. ``$1`` is the county everywhere."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.settlement.publication.schemas import Figures, PublicationRow, ShopStock
from shared.database import DB

# A fund opened after the month has nothing to say about it, unless a late upload fell into it.
FUND_IDS = """
SELECT f.id FROM points.fund f
WHERE f.county_id = $1
  AND (EXISTS (SELECT FROM points.posting o WHERE o.county_id = $1 AND o.id = f.id AND o.at < $2)
       OR EXISTS (SELECT FROM points.statement s
                  WHERE s.county_id = $1 AND s.fund_id = f.id AND s.month = $3))
ORDER BY f.unit_code
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
STOCK = """
SELECT s.name AS shop, p.name AS product, p.measure, k.quantity
FROM points.shop s
JOIN shared.unit u ON u.county_id = $1 AND u.id = s.unit_id
JOIN points.stock k ON k.county_id = $1 AND k.shop_id = s.id AND k.quantity > 0
JOIN points.product p ON p.county_id = $1 AND p.id = k.product_id
WHERE s.county_id = $1
  AND (starts_with(u.code, left($2, 9))
       OR s.id IN (SELECT shop_id FROM points.statement
                   WHERE county_id = $1 AND fund_id = $3 AND month = $4))
ORDER BY s.name COLLATE "C", p.category, p.name COLLATE "C" LIMIT 500
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


async def fund_ids(county_id: int, before: datetime, month: str) -> list[UUID]:
    """Funds that existed before an instant, or have a statement of the month."""
    return [row["id"] for row in await DB.fetch(FUND_IDS, county_id, before, month)]


async def moved(county_id: int, fund_id: UUID, first: datetime, last: datetime) -> Moved:
    """From ``first`` to before ``last``."""
    low, high = (UUID(int=int(at.timestamp() * 1000) << 80) for at in (first, last))
    return await DB.one(Moved, MOVED, county_id, fund_id, low, high) or Moved(0, 0, 0)


async def spent(county_id: int, fund_id: UUID, month: str) -> Spent:
    return await DB.one(Spent, SPENT, county_id, fund_id, month) or Spent(0, 0, 0)


async def payable(county_id: int, fund_id: UUID, month: str) -> int:
    return int(await DB.fetchval(PAYABLE, county_id, fund_id, month))


async def stock(county_id: int, unit_code: str, fund_id: UUID, month: str) -> list[ShopStock]:
    """Shelves of the shops in the fund's township, and of those it pays."""
    return await DB.all(ShopStock, STOCK, county_id, unit_code, fund_id, month)


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
