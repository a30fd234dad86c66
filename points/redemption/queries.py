"""SQL of the counter. ``$1`` is the county everywhere; the ledger's tables are only read here.

A one-time code is inserted by us and spent inside ``points.post_batch``.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from points.redemption.schemas import (
    CardRow,
    CodeRow,
    DayTotal,
    HoldRow,
    LineRow,
    PickupRow,
    RedemptionRow,
    TriesRow,
    Untold,
)
from shared import lock_queries
from shared.database import DB

CODE = "SELECT id, person_id, created_at, expires_at, used_by FROM points.code "
CODE_BY_TOKEN = CODE + "WHERE county_id = $1 AND token_hash = $2"
CODE_BY_DIGITS = CODE + "WHERE county_id = $1 AND digits_hash = $2"
CODE_OF = CODE + "WHERE county_id = $1 AND id = $2 AND person_id = $3"
INSERT_CODE = """
INSERT INTO points.code
    (county_id, id, person_id, token_hash, digits_hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
CODES_SINCE = """
SELECT count(*) FROM points.code WHERE county_id = $1 AND person_id = $2 AND created_at > $3
"""

CARD = "SELECT id, person_id, number FROM points.card "
CARD_BY_TOKEN = CARD + "WHERE county_id = $1 AND token_hash = $2 AND revoked_at IS NULL"
CARD_BY_NUMBER = CARD + "WHERE county_id = $1 AND number = $2 AND revoked_at IS NULL"
# A card that has ended, if what is asked again was asked with it: nothing new can come of that.
CARD_USED = (
    CARD
    + """AS c WHERE c.county_id = $1 AND (c.token_hash = $2 OR c.number = $3)
  AND c.revoked_at IS NOT NULL
  AND EXISTS (
      SELECT FROM points.redemption r WHERE r.county_id = $1 AND r.id = $5 AND r.shop_id = $4
        AND r.means = 'card' AND r.person_id = c.person_id
      UNION ALL
      SELECT FROM points.hold h WHERE h.county_id = $1 AND h.id = $5 AND h.shop_id = $4
        AND h.means = 'card' AND h.person_id = c.person_id)
"""
)
CARDS_OF = """
SELECT person_id, number FROM points.card
WHERE county_id = $1 AND person_id = ANY($2) AND revoked_at IS NULL
"""
UNTOLD = """
SELECT l.person_id, n.name, min(l.expires_on) AS expires_on,
       sum(l.remaining - l.held)::int8 AS soon
FROM points.lot l
JOIN shared.person n ON n.county_id = $1 AND n.id = l.person_id
WHERE l.county_id = $1 AND l.person_id = ANY($2::uuid[]) AND l.live
  AND l.remaining > l.held AND l.expires_on BETWEEN $3 AND $4
  AND NOT EXISTS (SELECT FROM shared.account c WHERE c.county_id = $1
                  AND c.person_id = l.person_id AND c.activated_at IS NOT NULL
                  AND c.disabled_at IS NULL)
GROUP BY l.person_id, n.name
ORDER BY expires_on, n.name, l.person_id
"""
REVOKE_CARD = """
UPDATE points.card SET revoked_at = $3
WHERE county_id = $1 AND person_id = $2 AND revoked_at IS NULL RETURNING id
"""
INSERT_CARD = """
INSERT INTO points.card (county_id, id, person_id, number, token_hash, issued_at, issued_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (county_id, number) DO NOTHING RETURNING id
"""

PICKUP = """
SELECT k.id, k.person_id, n.name AS person_name, k.shop_id, s.name AS shop_name, h.status,
       h.amount, h.at, h.expires_at, k.collector, k.deliver_to, k.sealed, h.products,
       h.quantities, h.prices,
       EXISTS (SELECT FROM points.redemption r WHERE r.county_id = k.county_id AND r.hold_id = k.id
               AND r.status = 'accepted') AS charged
FROM points.pickup k
JOIN points.hold h ON h.county_id = k.county_id AND h.id = k.id AND h.status <> 'refused'
JOIN points.shop s ON s.county_id = k.county_id AND s.id = k.shop_id
JOIN shared.person n ON n.county_id = k.county_id AND n.id = k.person_id
"""
PICKUP_BY_ID = PICKUP + "WHERE k.county_id = $1 AND k.id = $2"
PICKUP_BY_TOKEN = PICKUP + "WHERE k.county_id = $1 AND k.token_hash = $2"
PICKUP_BY_DIGITS = (
    PICKUP + "WHERE k.county_id = $1 AND k.digits_hash = $2 AND k.shop_id = $3 ORDER BY k.id DESC"
)
PICKUPS_OF = PICKUP + "WHERE k.county_id = $1 AND k.person_id = $2 ORDER BY k.id DESC LIMIT 20"
PICKUPS_AT = (
    PICKUP
    + "WHERE k.county_id = $1 AND k.shop_id = $2 AND h.status = 'pending' ORDER BY k.id LIMIT 200"
)
INSERT_PICKUP = """
INSERT INTO points.pickup (county_id, id, person_id, shop_id, token_hash, digits_hash, sealed,
                           collector, deliver_to, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id
"""
FORGET_PICKUPS = """
UPDATE points.pickup k SET collector = '', deliver_to = ''
FROM points.hold h
JOIN points.batch b ON b.county_id = h.county_id AND b.number = h.resolved_batch AND b.at < $2
WHERE k.county_id = $1 AND (k.collector <> '' OR k.deliver_to <> '')
  AND h.county_id = k.county_id AND h.id = k.id
"""
DELETE_PICKUP = "DELETE FROM points.pickup WHERE county_id = $1 AND id = $2"
PRODUCT_NAMES = "SELECT id, name, measure FROM points.product WHERE county_id = $1 AND id = ANY($2)"

TRIES = """
SELECT failures, failures_today, failures_on, blocked_until FROM points.counter_tries
WHERE county_id = $1 AND id = $2
"""
CHARGE_TRY = """
INSERT INTO points.counter_tries (county_id, id, failures, failures_today, failures_on)
VALUES ($1, $2, 1, 1, $3)
ON CONFLICT (county_id, id) DO UPDATE SET
    failures = counter_tries.failures + 1,
    failures_today = CASE WHEN counter_tries.failures_on = $3
                          THEN counter_tries.failures_today ELSE 0 END + 1,
    failures_on = $3
RETURNING failures
"""
BLOCK_TRIES = "UPDATE points.counter_tries SET blocked_until = $3 WHERE county_id = $1 AND id = $2"
GIVE_BACK_TRY = """
UPDATE points.counter_tries SET failures = greatest(failures - 1, 0), blocked_until = NULL,
    failures_today = greatest(failures_today - 1, 0)
WHERE county_id = $1 AND id = $2
"""
FORGIVE_TRIES = """
UPDATE points.counter_tries SET failures = 0, blocked_until = NULL,
    failures_today = greatest(failures_today - 1, 0)
WHERE county_id = $1 AND id = $2 AND failures > 0
"""

REDEMPTION = """
SELECT r.id, r.status, r.refusal, r.subject, r.person_id, n.name AS person_name, r.shop_id,
       s.name AS shop_name, u.code AS unit_code, r.hold_id, r.amount, r.balance_after, r.at,
       r.means, r.actor_id, a.name AS actor_name, r.device, r.collector, r.batch, r.position,
       x.at AS undone_at, x.memo AS undo_reason
FROM points.redemption r
JOIN points.shop s ON s.county_id = r.county_id AND s.id = r.shop_id
JOIN shared.unit u ON u.county_id = s.county_id AND u.id = s.unit_id
LEFT JOIN shared.person n ON n.county_id = r.county_id AND n.id = r.person_id
LEFT JOIN shared.person a ON a.county_id = r.county_id AND a.id = r.actor_id
LEFT JOIN points.posting x ON x.county_id = r.county_id AND x.target = r.id AND x.kind = 'undo'
"""
REDEMPTION_BY_ID = REDEMPTION + "WHERE r.county_id = $1 AND r.id = $2"
REDEMPTIONS_AT = (
    REDEMPTION
    + """
WHERE r.county_id = $1 AND r.shop_id = $2 AND r.status = 'accepted'
  AND r.at >= $3 AND r.at < $4 AND (r.batch, r.position) < ($5, $6)
ORDER BY r.batch DESC, r.position DESC LIMIT $7
"""
)
# Batches bound the look back, or a village with few redemptions would read the county's whole
# history; a terminal's clock may be minutes ahead of its batch.
REDEMPTIONS_NEAR = (
    REDEMPTION
    + """
WHERE r.county_id = $1 AND r.status = 'accepted' AND r.at >= $3
  AND r.batch > (SELECT points.batch_before($1, $3::timestamptz - interval '10 minutes'))
  AND (r.batch, r.position) < ($5, $6)
  AND (EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(u.code, c))
       OR EXISTS (
           SELECT FROM shared.assignment g
           JOIN shared.post p ON p.county_id = g.county_id AND p.id = g.post_id
             AND p.role = 'gridworker'
           JOIN shared.unit w ON w.county_id = p.county_id AND w.id = p.unit_id
           WHERE g.county_id = r.county_id AND g.person_id = r.person_id
             AND g.valid_from <= $4 AND (g.valid_to IS NULL OR g.valid_to > $4)
             AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(w.code, c))))
ORDER BY r.batch DESC, r.position DESC LIMIT $7
"""
)
LAST_OF = (
    REDEMPTION
    + """
WHERE r.county_id = $1 AND r.person_id = $2 AND r.status = 'accepted' AND r.at >= $3
ORDER BY r.batch DESC, r.position DESC LIMIT 1
"""
)
LINES = """
SELECT l.redemption_id, l.product_id, p.name, p.measure, l.quantity, l.price
FROM points.redemption_line l
JOIN points.product p ON p.county_id = l.county_id AND p.id = l.product_id
WHERE l.county_id = $1 AND l.redemption_id = ANY($2) ORDER BY l.redemption_id, l.line
"""
DAY_TOTAL = """
SELECT count(*)::int AS count, coalesce(sum(r.amount), 0)::int8 AS amount FROM points.redemption r
WHERE r.county_id = $1 AND r.shop_id = $2 AND r.status = 'accepted' AND r.at >= $3 AND r.at < $4
  AND NOT EXISTS (SELECT FROM points.posting x WHERE x.county_id = r.county_id
                  AND x.target = r.id AND x.kind = 'undo')
"""
SPENDABLE = "SELECT points.spendable($1, $2, $3)"
HOLD = """
SELECT h.id, h.shop_id, h.person_id, h.status, h.amount, h.balance_after, h.at, h.expires_at,
       h.products, h.quantities, h.prices, s.name AS shop_name, u.code AS unit_code
FROM points.hold h
JOIN points.shop s ON s.county_id = h.county_id AND s.id = h.shop_id
JOIN shared.unit u ON u.county_id = s.county_id AND u.id = s.unit_id
WHERE h.county_id = $1 AND h.id = $2
"""


async def code_by_token(county_id: int, token_hash: bytes) -> CodeRow | None:
    return await DB.one(CodeRow, CODE_BY_TOKEN, county_id, token_hash)


async def code_by_digits(county_id: int, digits_hash: bytes) -> CodeRow | None:
    return await DB.one(CodeRow, CODE_BY_DIGITS, county_id, digits_hash)


async def code_of(county_id: int, code_id: UUID, person_id: UUID) -> CodeRow | None:
    return await DB.one(CodeRow, CODE_OF, county_id, code_id, person_id)


async def insert_code(
    county_id: int,
    code: CodeRow,
    token_hash: bytes,
    digits_hash: bytes,
) -> bool:
    """False when the digits are in use; the caller draws others."""
    found = await DB.fetchval(
        INSERT_CODE,
        county_id,
        code.id,
        code.person_id,
        token_hash,
        digits_hash,
        code.created_at,
        code.expires_at,
    )
    return found is not None


async def codes_since(county_id: int, person_id: UUID, since: datetime) -> int:
    return int(await DB.fetchval(CODES_SINCE, county_id, person_id, since))


async def card_by_token(county_id: int, token_hash: bytes) -> CardRow | None:
    return await DB.one(CardRow, CARD_BY_TOKEN, county_id, token_hash)


async def card_by_number(county_id: int, number: str) -> CardRow | None:
    return await DB.one(CardRow, CARD_BY_NUMBER, county_id, number)


async def card_used(
    county_id: int, code: tuple[bytes, str], shop_id: UUID, order_id: UUID
) -> CardRow | None:
    """A former card, by token's hash or number, under which a shop asked ``order_id`` before."""
    return await DB.one(CardRow, CARD_USED, county_id, *code, shop_id, order_id)


async def cards_of(county_id: int, people: Sequence[UUID]) -> dict[UUID, str]:
    """The number of everybody's card."""
    rows = await DB.fetch(CARDS_OF, county_id, list(people))
    return {row["person_id"]: row["number"] for row in rows}


async def untold(county_id: int, people: Sequence[UUID], first: date, last: date) -> list[Untold]:
    """Who of some people cannot sign in, and what of their points ends on these days."""
    return await DB.all(Untold, UNTOLD, county_id, list(people), first, last)


async def lock_cards(county_id: int) -> None:
    """Cards of a county are issued one after another, sheet by sheet."""
    await lock_queries.take(county_id, "points.card")


async def revoke_card(county_id: int, person_id: UUID, at: datetime) -> bool:
    """False when there was none."""
    return await DB.fetchval(REVOKE_CARD, county_id, person_id, at) is not None


async def insert_card(
    county_id: int, card: CardRow, token_hash: bytes, at: datetime, by: UUID
) -> bool:
    """False when the number is in use."""
    found = await DB.fetchval(
        INSERT_CARD, county_id, card.id, card.person_id, card.number, token_hash, at, by
    )
    return found is not None


async def pickup(county_id: int, pickup_id: UUID) -> PickupRow | None:
    return await DB.one(PickupRow, PICKUP_BY_ID, county_id, pickup_id)


async def pickup_by_token(county_id: int, token_hash: bytes) -> PickupRow | None:
    return await DB.one(PickupRow, PICKUP_BY_TOKEN, county_id, token_hash)


async def pickup_by_digits(county_id: int, digits_hash: bytes, shop_id: UUID) -> PickupRow | None:
    """The latest with these digits at this shop."""
    return await DB.one(PickupRow, PICKUP_BY_DIGITS, county_id, digits_hash, shop_id)


async def pickups_of(county_id: int, person_id: UUID) -> list[PickupRow]:
    return await DB.all(PickupRow, PICKUPS_OF, county_id, person_id)


async def pickups_at(county_id: int, shop_id: UUID) -> list[PickupRow]:
    return await DB.all(PickupRow, PICKUPS_AT, county_id, shop_id)


async def insert_pickup(
    county_id: int,
    pickup_id: UUID,
    holder: tuple[UUID, UUID],
    code: tuple[bytes, bytes, bytes],
    how: tuple[str, str],
    at: datetime,
) -> bool:
    """``holder`` is person and shop, ``code`` hashes and seal, ``how`` collector and place."""
    found = await DB.fetchval(INSERT_PICKUP, county_id, pickup_id, *holder, *code, *how, at)
    return found is not None


async def forget_pickups(county_id: int, before: datetime) -> int:
    """Blank who fetched, and where it was brought, of what was resolved by then; how many."""
    return await DB.count(FORGET_PICKUPS, county_id, before)


async def delete_pickup(county_id: int, pickup_id: UUID) -> None:
    await DB.execute(DELETE_PICKUP, county_id, pickup_id)


async def product_names(county_id: int, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Name and measure by product."""
    rows = await DB.fetch(PRODUCT_NAMES, county_id, list(ids))
    return {row["id"]: (row["name"], row["measure"]) for row in rows}


async def tries(county_id: int, counted_id: UUID) -> TriesRow | None:
    return await DB.one(TriesRow, TRIES, county_id, counted_id)


async def charge_try(county_id: int, counted_id: UUID, day: date) -> int:
    """Count one try at a shop or of a card; how many in a row."""
    return int(await DB.fetchval(CHARGE_TRY, county_id, counted_id, day))


async def block_tries(county_id: int, counted_id: UUID, until: datetime) -> None:
    await DB.execute(BLOCK_TRIES, county_id, counted_id, until)


async def forgive_tries(county_id: int, counted_id: UUID) -> None:
    """After a right try: the row begins anew, and the try itself does not count for the day."""
    await DB.execute(FORGIVE_TRIES, county_id, counted_id)


async def give_back_try(county_id: int, counted_id: UUID) -> None:
    """The row as it was before the latest try."""
    await DB.execute(GIVE_BACK_TRY, county_id, counted_id)


async def redemption(county_id: int, redemption_id: UUID) -> RedemptionRow | None:
    return await DB.one(RedemptionRow, REDEMPTION_BY_ID, county_id, redemption_id)


async def redemptions_at(
    county_id: int,
    shop_id: UUID,
    span: tuple[datetime, datetime],
    before: tuple[int, int],
    limit: int,
) -> list[RedemptionRow]:
    """Accepted ones of a shop in [from, to), latest first, before (batch, position)."""
    return await DB.all(RedemptionRow, REDEMPTIONS_AT, county_id, shop_id, *span, *before, limit)


async def redemptions_near(
    county_id: int,
    codes: Sequence[str],
    days: tuple[datetime, date],
    before: tuple[int, int],
    limit: int,
) -> list[RedemptionRow]:
    """Accepted ones at the shops, or by the gridworkers, of some units' subtrees, latest first.

    ``days`` are since when, and the day on which the gridworkers work there.
    """
    return await DB.all(
        RedemptionRow, REDEMPTIONS_NEAR, county_id, list(codes), *days, *before, limit
    )


async def last_of(county_id: int, person_id: UUID, since: datetime) -> RedemptionRow | None:
    return await DB.one(RedemptionRow, LAST_OF, county_id, person_id, since)


async def lines(county_id: int, ids: Sequence[UUID]) -> list[LineRow]:
    return await DB.all(LineRow, LINES, county_id, list(ids))


async def day_total(county_id: int, shop_id: UUID, span: tuple[datetime, datetime]) -> DayTotal:
    """Accepted and not undone."""
    found = await DB.one(DayTotal, DAY_TOTAL, county_id, shop_id, *span)
    return found or DayTotal(0, 0)


async def hold(county_id: int, hold_id: UUID) -> HoldRow | None:
    return await DB.one(HoldRow, HOLD, county_id, hold_id)


async def spendable(county_id: int, person_id: UUID, at: datetime) -> int:
    """Unexpired, unheld wallet points, as the ledger itself counts them."""
    return int(await DB.fetchval(SPENDABLE, county_id, person_id, at) or 0)
