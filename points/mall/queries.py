"""SQL of the mall. ``$1`` is the county everywhere; days are dates in China."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from points.mall.schemas import (
    AgreementRow,
    GoodsMoveRow,
    MoveRow,
    Offer,
    PriceRow,
    ProductRow,
    ShopRow,
)
from shared import lock_queries
from shared.database import DB
from shared.roster.rules import county_code

SHOP = """
SELECT s.id, s.unit_id, u.code AS unit_code, u.name AS unit_name, s.name, s.settlement_name,
       s.state, s.version, a.first_day, a.last_day,
       ARRAY(SELECT n.name FROM shared.post p
             JOIN shared.assignment g ON g.county_id = p.county_id AND g.post_id = p.id
               AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
             JOIN shared.person n ON n.county_id = g.county_id AND n.id = g.person_id
             WHERE p.county_id = s.county_id AND p.unit_id = s.unit_id
               AND p.role = 'shopkeeper' AND p.subject_id = s.id
             ORDER BY p.seat) AS keepers
FROM points.shop s
JOIN shared.unit u ON u.county_id = s.county_id AND u.id = s.unit_id
LEFT JOIN LATERAL (
    SELECT first_day, last_day FROM points.agreement a
    WHERE a.county_id = s.county_id AND a.shop_id = s.id
    ORDER BY (a.first_day <= $2 AND a.last_day >= $2) DESC, a.last_day DESC LIMIT 1
) a ON true
"""
SHOP_BY_ID = SHOP + "WHERE s.county_id = $1 AND s.id = $3"
SHOP_BY_NAME = SHOP + "WHERE s.county_id = $1 AND s.name = $3"
SHOPS = (
    SHOP
    + """
WHERE s.county_id = $1 AND EXISTS (SELECT FROM unnest($3::text[]) c WHERE starts_with(u.code, c))
  AND ($4 = '' OR s.state = $4) AND ($5 = '' OR position($5 IN s.name) > 0)
ORDER BY u.code COLLATE "C", s.name COLLATE "C" LIMIT $6 OFFSET $7
"""
)
COUNT_SHOPS = """
SELECT count(*) FROM points.shop s
JOIN shared.unit u ON u.county_id = s.county_id AND u.id = s.unit_id
WHERE s.county_id = $1 AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(u.code, c))
  AND ($3 = '' OR s.state = $3) AND ($4 = '' OR position($4 IN s.name) > 0)
"""
INSERT_SHOP = """
INSERT INTO points.shop (county_id, id, unit_id, name, settlement_name, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (county_id, name) DO NOTHING RETURNING id
"""
UPDATE_SHOP = """
UPDATE points.shop SET settlement_name = $4, state = $5, version = version + 1
WHERE county_id = $1 AND id = $2 AND version = $3 RETURNING version
"""
AGREEMENTS = """
SELECT id, first_day, last_day, recorded_at FROM points.agreement
WHERE county_id = $1 AND shop_id = $2 ORDER BY first_day DESC
"""
INSERT_AGREEMENT = """
INSERT INTO points.agreement (county_id, id, shop_id, first_day, last_day, recorded_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# Prices that are or will be in force and ask more money than their points are worth.
UNDERPAID = """
SELECT d.name FROM points.price p
JOIN points.product d ON d.county_id = $1 AND d.id = p.product_id AND d.state = 'listed'
WHERE p.county_id = $1 AND p.state = 'approved' AND p.purchase_fen * 10 > p.points * $2
  AND ($4::uuid IS NULL OR p.product_id = $4)
  AND NOT EXISTS (SELECT FROM points.price n
      WHERE n.county_id = $1 AND n.product_id = p.product_id AND n.state = 'approved'
        AND n.shop_id IS NOT DISTINCT FROM p.shop_id
        AND n.first_day > p.first_day AND n.first_day <= $3)
ORDER BY d.name COLLATE "C" LIMIT 1
"""
LEAST_VALUE = "SELECT min(point_value_fen) FROM points.fund WHERE county_id = $1"
LOCK_SHOP = "SELECT version FROM points.shop WHERE county_id = $1 AND id = $2 FOR UPDATE"
LOCK_PRODUCT = "SELECT version FROM points.product WHERE county_id = $1 AND id = $2 FOR UPDATE"

PRODUCT = """
SELECT p.id, p.name, p.category, p.measure, p.monthly_limit, p.low_mark, p.market_fen, p.state,
       p.version, r.points, r.purchase_fen
FROM points.product p
LEFT JOIN LATERAL (
    SELECT points, purchase_fen FROM points.price r
    WHERE r.county_id = p.county_id AND r.product_id = p.id AND r.shop_id IS NULL
      AND r.state = 'approved' AND r.first_day <= $2
    ORDER BY r.first_day DESC LIMIT 1
) r ON true
"""
PRODUCT_BY_ID = PRODUCT + "WHERE p.county_id = $1 AND p.id = $3"
PRODUCT_BY_NAME = PRODUCT + "WHERE p.county_id = $1 AND p.name = $3 AND p.measure = $4"
PRODUCTS = (
    PRODUCT
    + """
WHERE p.county_id = $1 AND ($3 = '' OR position($3 IN p.name) > 0)
  AND ($4 = '' OR p.category = $4) AND ($5 = '' OR p.state = $5)
ORDER BY p.category, p.name COLLATE "C", p.measure COLLATE "C"
"""
)
INSERT_PRODUCT = """
INSERT INTO points.product
    (county_id, id, name, category, measure, monthly_limit, low_mark, market_fen, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (county_id, name, measure) DO NOTHING RETURNING id
"""
UPDATE_PRODUCT = """
UPDATE points.product
SET category = $4, monthly_limit = $5, low_mark = $6, market_fen = $7, state = $8,
    version = version + 1
WHERE county_id = $1 AND id = $2 AND version = $3 RETURNING version
"""

PRICE = """
SELECT r.id, r.product_id, p.name AS product_name, p.measure, r.shop_id, s.name AS shop_name,
       u.code AS unit_code, r.first_day, r.points, r.purchase_fen, r.state, r.reason,
       r.proposed_at, r.proposed_by, a.name AS proposer, r.decided_at, b.name AS decider,
       r.decision_note,
       (SELECT c.points FROM points.price c
        WHERE c.county_id = r.county_id AND c.product_id = r.product_id
          AND (c.shop_id = r.shop_id OR c.shop_id IS NULL)
          AND c.state = 'approved' AND c.first_day <= r.first_day AND c.id <> r.id
        ORDER BY c.shop_id IS NULL, c.first_day DESC LIMIT 1) AS points_before
FROM points.price r
JOIN points.product p ON p.county_id = r.county_id AND p.id = r.product_id
LEFT JOIN points.shop s ON s.county_id = r.county_id AND s.id = r.shop_id
LEFT JOIN shared.unit u ON u.county_id = s.county_id AND u.id = s.unit_id
LEFT JOIN shared.person a ON a.county_id = r.county_id AND a.id = r.proposed_by
LEFT JOIN shared.person b ON b.county_id = r.county_id AND b.id = r.decided_by
"""
PRICE_BY_ID = PRICE + "WHERE r.county_id = $1 AND r.id = $2"
PRICES_OF_PRODUCT = (
    PRICE + "WHERE r.county_id = $1 AND r.product_id = $2 ORDER BY r.proposed_at DESC LIMIT 100"
)
PRICES_OF_SHOP = (
    PRICE + "WHERE r.county_id = $1 AND r.shop_id = $2 ORDER BY r.proposed_at DESC LIMIT 50"
)
PRICES_WAITING = (
    PRICE
    + """
WHERE r.county_id = $1 AND r.state = 'proposed'
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(COALESCE(u.code, $3), c))
ORDER BY r.proposed_at, r.id
"""
)
# Prices that are or will be in force and are worth more money than the goods cost in the shops.
DEARER = (
    PRICE
    + """
WHERE r.county_id = $1 AND r.product_id = $2 AND r.state = 'approved'
  AND r.points * $3::int8 > $4::int8 * 10 AND (r.shop_id IS NULL OR s.state = 'open')
  AND NOT EXISTS (SELECT FROM points.price n
      WHERE n.county_id = $1 AND n.product_id = $2 AND n.state = 'approved'
        AND n.shop_id IS NOT DISTINCT FROM r.shop_id
        AND n.first_day > r.first_day AND n.first_day <= $5)
ORDER BY r.first_day, r.id LIMIT 1
"""
)
DEARER_GOODS = """
SELECT DISTINCT p.name COLLATE "C" AS name FROM points.price r
JOIN points.product p ON p.county_id = $1 AND p.id = r.product_id AND p.state = 'listed'
LEFT JOIN points.shop s ON s.county_id = $1 AND s.id = r.shop_id
WHERE r.county_id = $1 AND r.state = 'approved' AND r.points * $2::int8 > p.market_fen * 10
  AND (r.shop_id = $4 OR $4 IS NULL AND (r.shop_id IS NULL OR s.state = 'open'))
  AND NOT EXISTS (SELECT FROM points.price n
      WHERE n.county_id = $1 AND n.product_id = r.product_id AND n.state = 'approved'
        AND n.shop_id IS NOT DISTINCT FROM r.shop_id
        AND n.first_day > r.first_day AND n.first_day <= $3)
ORDER BY name
"""
INSERT_PRICE = """
INSERT INTO points.price (county_id, id, product_id, shop_id, first_day, points, purchase_fen,
                          state, reason, proposed_at, proposed_by, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
DECIDE_PRICE = """
UPDATE points.price
SET state = $3, first_day = $4, decided_at = $5, decided_by = $6, decision_note = $7
WHERE county_id = $1 AND id = $2 AND state = 'proposed' RETURNING id
"""
PRICE_IN_FORCE = """
SELECT r.id FROM points.price r
WHERE r.county_id = $1 AND r.product_id = $2 AND r.shop_id IS NOT DISTINCT FROM $3
  AND r.state = 'approved' AND r.first_day <= $4 AND r.points = $5 AND r.purchase_fen = $6
  AND NOT EXISTS (
      SELECT FROM points.price l
      WHERE l.county_id = r.county_id AND l.product_id = r.product_id
        AND l.shop_id IS NOT DISTINCT FROM r.shop_id AND l.state = 'approved'
        AND l.first_day > r.first_day AND l.first_day <= $4)
LIMIT 1
"""
OFFERS = """
SELECT p.id AS product_id, p.name, p.category, p.measure, r.points, r.purchase_fen,
       s.quantity - s.held AS quantity, p.low_mark, p.monthly_limit
FROM points.stock s
JOIN points.product p ON p.county_id = s.county_id AND p.id = s.product_id AND p.state = 'listed'
CROSS JOIN LATERAL (
    SELECT points, purchase_fen FROM points.price r
    WHERE r.county_id = p.county_id AND r.product_id = p.id
      AND (r.shop_id = s.shop_id OR r.shop_id IS NULL)
      AND r.state = 'approved' AND r.first_day <= $3
    ORDER BY r.shop_id IS NULL, r.first_day DESC LIMIT 1
) r
WHERE s.county_id = $1 AND s.shop_id = $2
ORDER BY p.category, r.points, p.name COLLATE "C"
"""
STOCK_MOVES = """
SELECT m.kind, m.delta, m.quantity_after, m.at, m.reason, n.name AS actor_name
FROM points.stock_move m
LEFT JOIN shared.person n ON n.county_id = m.county_id AND n.id = m.actor_id
WHERE m.county_id = $1 AND m.shop_id = $2 AND m.product_id = $3
ORDER BY m.batch DESC, m.position DESC LIMIT 20
"""
CORRECTIONS = """
SELECT m.kind, m.delta, m.quantity_after, m.at, m.reason, n.name AS actor_name, p.name AS product,
       p.measure
FROM points.stock_move m
JOIN points.product p ON p.county_id = m.county_id AND p.id = m.product_id
LEFT JOIN shared.person n ON n.county_id = m.county_id AND n.id = m.actor_id
WHERE m.county_id = $1 AND m.shop_id = $2 AND m.at >= $3 AND m.at < $4
  AND m.kind IN ('out', 'count') AND m.delta <> 0
ORDER BY m.batch DESC, m.position DESC
"""
SAME_PROPOSAL = """
SELECT id FROM points.price
WHERE county_id = $1 AND product_id = $2 AND shop_id IS NOT DISTINCT FROM $3 AND first_day = $4
  AND points = $5 AND purchase_fen = $6 AND proposed_by = $7 AND state = 'proposed'
LIMIT 1
"""
VACANT_FIRST_POST = """
SELECT p.id FROM shared.post p
WHERE p.county_id = $1 AND p.subject_id = $2 AND p.role = 'shopkeeper' AND p.seat = 1
  AND NOT EXISTS (SELECT FROM shared.assignment a
                  WHERE a.county_id = $1 AND a.post_id = p.id
                    AND (a.valid_to IS NULL OR a.valid_to > $3))
"""
STOCKED = "SELECT shop_id, product_id, quantity FROM points.stock WHERE county_id = $1"
PRICE_OF_DAY = """
SELECT id FROM points.price
WHERE county_id = $1 AND product_id = $2 AND shop_id IS NOT DISTINCT FROM $3
  AND first_day = $4 AND state = 'approved'
"""


async def shop(county_id: int, shop_id: UUID, on: date) -> ShopRow | None:
    return await DB.one(ShopRow, SHOP_BY_ID, county_id, on, shop_id)


async def shop_by_name(county_id: int, name: str, on: date) -> ShopRow | None:
    return await DB.one(ShopRow, SHOP_BY_NAME, county_id, on, name)


async def shops(
    county_id: int, on: date, codes: Sequence[str], state: str, text: str, page: tuple[int, int]
) -> list[ShopRow]:
    """Shops whose unit lies in one of the subtrees; ``page`` is (limit, offset)."""
    return await DB.all(ShopRow, SHOPS, county_id, on, list(codes), state, text, *page)


async def count_shops(county_id: int, codes: Sequence[str], state: str, text: str) -> int:
    return int(await DB.fetchval(COUNT_SHOPS, county_id, list(codes), state, text))


async def insert_shop(
    county_id: int, shop_id: UUID, unit_id: UUID, name: str, settlement: str, at: datetime
) -> bool:
    """False if the name is taken."""
    found = await DB.fetchval(INSERT_SHOP, county_id, shop_id, unit_id, name, settlement, at)
    return found is not None


async def update_shop(
    county_id: int, shop_id: UUID, version: int, settlement: str, state: str
) -> bool:
    """False if somebody else changed it since ``version``."""
    row = await DB.fetchval(UPDATE_SHOP, county_id, shop_id, version, settlement, state)
    return row is not None


async def lock_shop(county_id: int, shop_id: UUID) -> None:
    """Agreements of a shop are written one after another, so that none overlap."""
    await DB.execute(LOCK_SHOP, county_id, shop_id)


async def lock_import(county_id: int) -> None:
    """One list of shops or goods at a time: two would wait for each other's lines, row by row."""
    await lock_queries.take(county_id, "points.mall_import")


async def lock_product(county_id: int, product_id: UUID) -> None:
    """Prices of a product are decided one after another."""
    await DB.execute(LOCK_PRODUCT, county_id, product_id)


async def agreements(county_id: int, shop_id: UUID) -> list[AgreementRow]:
    return await DB.all(AgreementRow, AGREEMENTS, county_id, shop_id)


async def insert_agreement(
    county_id: int, row: AgreementRow, shop_id: UUID, person_id: UUID | None
) -> None:
    await DB.execute(
        INSERT_AGREEMENT,
        county_id,
        row.id,
        shop_id,
        row.first_day,
        row.last_day,
        row.recorded_at,
        person_id,
    )


async def vacant_first_post(county_id: int, shop_id: UUID, since: date) -> UUID | None:
    """The post of a shop's first keeper, if nobody holds it from a day on."""
    found: UUID | None = await DB.fetchval(VACANT_FIRST_POST, county_id, shop_id, since)
    return found


async def product(county_id: int, product_id: UUID, on: date) -> ProductRow | None:
    return await DB.one(ProductRow, PRODUCT_BY_ID, county_id, on, product_id)


async def product_by_name(county_id: int, name: str, measure: str, on: date) -> ProductRow | None:
    return await DB.one(ProductRow, PRODUCT_BY_NAME, county_id, on, name, measure)


async def products(
    county_id: int, on: date, text: str, category: str, state: str
) -> list[ProductRow]:
    return await DB.all(ProductRow, PRODUCTS, county_id, on, text, category, state)


async def insert_product(county_id: int, row: ProductRow, at: datetime) -> bool:
    """False if name and measure are taken."""
    found = await DB.fetchval(
        INSERT_PRODUCT,
        county_id,
        row.id,
        row.name,
        row.category,
        row.measure,
        row.monthly_limit,
        row.low_mark,
        row.market_fen,
        at,
    )
    return found is not None


async def update_product(county_id: int, row: ProductRow) -> bool:
    """False if somebody else changed it since ``row.version``."""
    found = await DB.fetchval(
        UPDATE_PRODUCT,
        county_id,
        row.id,
        row.version,
        row.category,
        row.monthly_limit,
        row.low_mark,
        row.market_fen,
        row.state,
    )
    return found is not None


async def price(county_id: int, price_id: UUID) -> PriceRow | None:
    return await DB.one(PriceRow, PRICE_BY_ID, county_id, price_id)


async def prices_of_product(county_id: int, product_id: UUID) -> list[PriceRow]:
    return await DB.all(PriceRow, PRICES_OF_PRODUCT, county_id, product_id)


async def prices_of_shop(county_id: int, shop_id: UUID) -> list[PriceRow]:
    return await DB.all(PriceRow, PRICES_OF_SHOP, county_id, shop_id)


async def prices_waiting(county_id: int, codes: Sequence[str]) -> list[PriceRow]:
    """Proposals for shops in the subtrees; one for every shop belongs to the county itself."""
    return await DB.all(PriceRow, PRICES_WAITING, county_id, list(codes), county_code(county_id))


async def dearer(
    county_id: int, product_id: UUID, value_fen: int, market_fen: int, on: date
) -> PriceRow | None:
    """A price above the market, with points of this value; what ``on`` replaced is not asked."""
    return await DB.one(PriceRow, DEARER, county_id, product_id, value_fen, market_fen, on)


async def dearer_goods(
    county_id: int, value_fen: int, on: date, shop_id: UUID | None = None
) -> list[str]:
    """Goods with a price (of all open shops, or one's own) above the market, at this value."""
    rows = await DB.fetch(DEARER_GOODS, county_id, value_fen, on, shop_id)
    return [row["name"] for row in rows]


async def insert_price(county_id: int, row: PriceRow) -> None:
    await DB.execute(
        INSERT_PRICE,
        county_id,
        row.id,
        row.product_id,
        row.shop_id,
        row.first_day,
        row.points,
        row.purchase_fen,
        row.state,
        row.reason,
        row.proposed_at,
        row.proposed_by,
        row.decided_at,
    )


async def same_proposal(county_id: int, row: PriceRow) -> UUID | None:
    """A proposal of exactly this by the same person that nobody has decided yet."""
    found: UUID | None = await DB.fetchval(
        SAME_PROPOSAL,
        county_id,
        row.product_id,
        row.shop_id,
        row.first_day,
        row.points,
        row.purchase_fen,
        row.proposed_by,
    )
    return found


async def decide_price(
    county_id: int, price_id: UUID, state: str, first_day: date, at: datetime, by: UUID, note: str
) -> bool:
    """False if it was decided before."""
    found = await DB.fetchval(DECIDE_PRICE, county_id, price_id, state, first_day, at, by, note)
    return found is not None


async def price_stands(county_id: int, row: PriceRow, on: date) -> bool:
    """Whether exactly this price is in force on a day (an import then changes nothing)."""
    found = await DB.fetchval(
        PRICE_IN_FORCE,
        county_id,
        row.product_id,
        row.shop_id,
        on,
        row.points,
        row.purchase_fen,
    )
    return found is not None


async def price_begins(county_id: int, row: PriceRow) -> bool:
    """Whether another approved price begins on the same day."""
    found = await DB.fetchval(PRICE_OF_DAY, county_id, row.product_id, row.shop_id, row.first_day)
    return found is not None


async def offers(county_id: int, shop_id: UUID, on: date) -> list[Offer]:
    """Listed goods on a shop's shelves with the price in force; held pieces are not offered."""
    return await DB.all(Offer, OFFERS, county_id, shop_id, on)


async def stocked(county_id: int) -> dict[tuple[UUID, UUID], int]:
    """The pieces of every (shop, product) that has a shelf."""
    rows = await DB.fetch(STOCKED, county_id)
    return {(row["shop_id"], row["product_id"]): row["quantity"] for row in rows}


async def least_value(county_id: int) -> int | None:
    """The least reference value (fen a point) that a fund was opened with."""
    found: int | None = await DB.fetchval(LEAST_VALUE, county_id)
    return found


async def underpaid(
    county_id: int, value_fen: int, on: date, product_id: UUID | None = None
) -> str | None:
    """A product, or just this one, whose price a point of this value does not cover."""
    found: str | None = await DB.fetchval(UNDERPAID, county_id, value_fen, on, product_id)
    return found


async def stock_moves(county_id: int, shop_id: UUID, product_id: UUID) -> list[MoveRow]:
    """What went in, out or was counted, latest first."""
    return await DB.all(MoveRow, STOCK_MOVES, county_id, shop_id, product_id)


async def corrections(
    county_id: int, shop_id: UUID, since: datetime, until: datetime
) -> list[GoodsMoveRow]:
    """What was taken out of a shop's shelves or corrected by a count, latest first."""
    return await DB.all(GoodsMoveRow, CORRECTIONS, county_id, shop_id, since, until)
