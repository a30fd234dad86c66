"""SQL of statements and of the exchange ledger. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from points.settlement.rules import Part
from points.settlement.schemas import DisputeRow, Event, LineRow, SignatureRow, StatementRow
from shared import lock_queries
from shared.database import DB

# A redemption counts when it was accepted, its undoing when it was posted. What stands in a line
# already is skipped, so that nothing is paid twice and a straggler lands in the next statement. The
# grid is the one in which the worker worked on the day of the redemption, or the last before it.
EVENTS = """
WITH event AS (
    SELECT r.id, 'redeem' AS kind, r.at FROM points.redemption r
    WHERE r.county_id = $1 AND r.status = 'accepted' AND r.at < $2
      AND ($3::uuid IS NULL OR r.shop_id = $3)
    UNION ALL
    SELECT u.target, 'undo', u.at FROM points.posting u
    WHERE u.county_id = $1 AND u.kind = 'undo' AND u.at < $2
)
SELECT e.kind, e.id AS redemption_id, r.shop_id, e.at, COALESCE(p.name, '') AS worker,
       COALESCE(place.name, '') AS place, goods.goods, r.amount AS whole_points,
       goods.whole_fen, charge.funds, charge.shares,
       ARRAY(SELECT l.fund_id FROM points.statement_line l
             JOIN points.statement_dispute d ON d.county_id = $1 AND d.line_id = l.id
               AND d.state = 'refused'
             WHERE l.county_id = $1 AND l.redemption_id = e.id AND l.kind = 'redeem'
               AND e.kind = 'undo') AS unpaid
FROM event e
JOIN points.redemption r ON r.county_id = $1 AND r.id = e.id
LEFT JOIN shared.person p ON p.county_id = $1 AND p.id = r.person_id
LEFT JOIN LATERAL (
    SELECT v.name || w.name AS name
    FROM (SELECT (r.at AT TIME ZONE 'Asia/Shanghai')::date AS day) AS d
    JOIN shared.assignment x ON x.county_id = $1 AND x.person_id = r.person_id
      AND x.valid_from <= d.day
    JOIN shared.post o ON o.county_id = $1 AND o.id = x.post_id AND o.role = 'gridworker'
    JOIN shared.unit w ON w.county_id = $1 AND w.id = o.unit_id
    JOIN shared.unit v ON v.county_id = $1 AND v.id = w.parent_id
    ORDER BY (x.valid_to <= d.day) IS TRUE, x.valid_from DESC, w.code LIMIT 1) AS place ON true
CROSS JOIN LATERAL (
    SELECT string_agg(g.name || '×' || l.quantity, '、' ORDER BY l.line) AS goods,
           sum(l.quantity * l.cost_fen)::int8 AS whole_fen
    FROM points.redemption_line l
    JOIN points.product g ON g.county_id = $1 AND g.id = l.product_id
    WHERE l.county_id = $1 AND l.redemption_id = e.id) AS goods
CROSS JOIN LATERAL (
    SELECT array_agg(c.fund_id ORDER BY c.fund_id) AS funds,
           array_agg(c.amount ORDER BY c.fund_id) AS shares
    FROM points.redemption_charge c
    WHERE c.county_id = $1 AND c.redemption_id = e.id) AS charge
WHERE ($3::uuid IS NULL OR r.shop_id = $3)
  AND NOT EXISTS (SELECT FROM points.statement_line s
                  WHERE s.county_id = $1 AND s.redemption_id = e.id AND s.kind = e.kind)
ORDER BY r.shop_id, e.at, e.id, e.kind
"""
STATEMENT = """
SELECT s.id, s.shop_id, s.fund_id, s.month, s.through, s.state, s.shop_name, s.settlement_name,
       s.fund_name, s.unit_code, s.built_on, s.line_count, s.points, s.carried, s.opening_fen,
       s.amount_fen, s.disputed_fen, s.payable_fen, s.carry_fen, s.file_sha256, s.frozen_at
FROM points.statement s
"""
STATEMENT_BY_ID = STATEMENT + "WHERE s.county_id = $1 AND s.id = $2"
STATEMENT_LOCKED = STATEMENT_BY_ID + " FOR UPDATE"
STATEMENTS_LOCKED = STATEMENT + "WHERE s.county_id = $1 AND s.id = ANY($2) ORDER BY s.id FOR UPDATE"
STATEMENTS_OF_MONTH = (
    STATEMENT + "WHERE s.county_id = $1 AND s.month = $2 ORDER BY s.unit_code, s.shop_name, s.id"
)
DISPUTED = (
    STATEMENT
    + """
WHERE s.county_id = $1
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(s.unit_code, c))
  AND EXISTS (SELECT FROM points.statement_dispute d WHERE d.county_id = $1
              AND d.statement_id = s.id AND d.state = 'open' AND d.raised_by <> $3)
ORDER BY s.month, s.unit_code COLLATE "C", s.id
"""
)
STATEMENTS = (
    STATEMENT
    + """
WHERE s.county_id = $1 AND ($2 = '' OR s.month = $2) AND ($3 = '' OR s.state = $3)
  AND ($4 = '' OR position($4 IN s.shop_name || s.fund_name) > 0)
  AND (s.shop_id = ANY($5::uuid[]) OR s.unit_code ^@ ANY ($6::text[]))
ORDER BY s.month DESC, s.unit_code COLLATE "C", s.shop_name COLLATE "C", s.id
LIMIT $7 OFFSET $8
"""
)
COUNT_STATEMENTS = """
SELECT count(*) FROM points.statement s
WHERE s.county_id = $1 AND ($2 = '' OR s.month = $2) AND ($3 = '' OR s.state = $3)
  AND ($4 = '' OR position($4 IN s.shop_name || s.fund_name) > 0)
  AND (s.shop_id = ANY($5::uuid[]) OR s.unit_code ^@ ANY ($6::text[]))
"""
# What frozen statements of earlier months left below zero, lines of theirs decided in favour after
# the freeze, and undoings that were deducted although the line was refused later, so that it never
# was paid: as far as no later statement has opened with them.
CARRIES = """
SELECT x.id, x.shop_id, x.fund_id, x.fen FROM (
    SELECT s.county_id, s.id, s.shop_id, s.fund_id, s.carry_fen AS fen
    FROM points.statement s
    WHERE s.county_id = $1 AND s.month < $2 AND s.state = 'frozen' AND s.carry_fen < 0
    UNION ALL
    SELECT d.county_id, d.id, s.shop_id, s.fund_id, l.amount_fen
    FROM points.statement_dispute d
    JOIN points.statement s ON s.county_id = $1 AND s.id = d.statement_id AND s.month < $2
    JOIN points.statement_line l ON l.county_id = $1 AND l.id = d.line_id
    WHERE d.county_id = $1 AND d.state = 'payable' AND s.state = 'frozen'
      AND d.decided_at > s.frozen_at
    UNION ALL
    SELECT d.county_id, d.id, t.shop_id, t.fund_id, -u.amount_fen
    FROM points.statement_dispute d
    JOIN points.statement_line l ON l.county_id = $1 AND l.id = d.line_id AND l.kind = 'redeem'
    JOIN points.statement_line u ON u.county_id = $1 AND u.redemption_id = l.redemption_id
      AND u.fund_id = l.fund_id AND u.kind = 'undo' AND u.amount_fen < 0
    JOIN points.statement t ON t.county_id = $1 AND t.id = u.statement_id AND t.month <= $2
    WHERE d.county_id = $1 AND d.state = 'refused'
      AND NOT EXISTS (SELECT FROM points.statement_dispute o
                      WHERE o.county_id = $1 AND o.line_id = u.id
                        AND o.state IN ('open', 'refused'))) AS x
WHERE NOT EXISTS (SELECT FROM points.statement n
                  WHERE n.county_id = $1 AND n.shop_id = x.shop_id AND n.fund_id = x.fund_id
                    AND x.id = ANY(n.carried))
ORDER BY x.id
"""
INSERT_STATEMENT = """
INSERT INTO points.statement (county_id, id, shop_id, fund_id, month, through, state, shop_name,
    settlement_name, fund_name, unit_code, built_on, line_count, points, carried, opening_fen,
    amount_fen, disputed_fen, payable_fen, carry_fen, file_sha256, file)
VALUES ($1, $2, $3, $4, $5, $6, 'built', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
    $19, $20, $21)
"""
FILE = "SELECT file FROM points.statement WHERE county_id = $1 AND id = $2"
UPDATE_STATEMENT = """
UPDATE points.statement
SET through = $3, built_on = $4, line_count = $5, points = $6, carried = $7, opening_fen = $8,
    amount_fen = $9, disputed_fen = $10, payable_fen = $11, carry_fen = $12, file_sha256 = $13,
    file = $14
WHERE county_id = $1 AND id = $2 AND file_sha256 = $15 AND state = 'built'
RETURNING id
"""
FREEZE = """
UPDATE points.statement SET state = 'frozen', frozen_at = $3
WHERE county_id = $1 AND id = ANY($2) AND state = 'built'
"""
INSERT_LINES = """
INSERT INTO points.statement_line (county_id, id, statement_id, fund_id, position, kind,
    redemption_id, at, worker, place, goods, points, whole_points, amount_fen)
SELECT $1, id, $2, $3, position, kind, redemption_id, at, worker, place, goods, points,
    whole_points, amount_fen
FROM unnest($4::uuid[], $5::int[], $6::text[], $7::uuid[], $8::timestamptz[], $9::text[],
            $10::text[], $11::text[], $12::int8[], $13::int8[], $14::int8[])
    AS l (id, position, kind, redemption_id, at, worker, place, goods, points, whole_points,
          amount_fen)
"""
LINES = """
SELECT id, position, kind, redemption_id, at, worker, place, goods, points, whole_points,
       amount_fen
FROM points.statement_line WHERE county_id = $1 AND statement_id = $2 ORDER BY position
"""
DISPUTE = """
SELECT d.id, d.statement_id, d.line_id, d.part, d.reason, d.raised_by, r.name AS raised_name,
       d.raised_at, d.state, p.name AS decided_name, d.decided_at, d.note
FROM points.statement_dispute d
JOIN shared.person r ON r.county_id = $1 AND r.id = d.raised_by
LEFT JOIN shared.person p ON p.county_id = $1 AND p.id = d.decided_by
"""
DISPUTE_BY_ID = DISPUTE + "WHERE d.county_id = $1 AND d.id = $2"
DISPUTES = DISPUTE + "WHERE d.county_id = $1 AND d.statement_id = $2 ORDER BY d.raised_at, d.id"
UNDONE = """
SELECT l.id FROM points.statement_line l
JOIN points.posting u ON u.county_id = $1 AND u.kind = 'undo' AND u.target = l.redemption_id
WHERE l.county_id = $1 AND l.statement_id = $2 AND l.kind = 'redeem'
"""
MOOT = """
SELECT d.id, d.statement_id FROM points.statement_dispute d
JOIN points.statement_line l ON l.county_id = $1 AND l.id = d.line_id AND l.kind = 'redeem'
JOIN points.posting u ON u.county_id = $1 AND u.kind = 'undo' AND u.target = l.redemption_id
  AND u.at < $2
WHERE d.county_id = $1 AND d.state = 'open' ORDER BY d.id
"""
INSERT_DISPUTE = """
INSERT INTO points.statement_dispute (county_id, id, statement_id, line_id, part, reason,
    raised_by, raised_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
DECIDE_DISPUTE = """
UPDATE points.statement_dispute
SET state = $3, decided_by = $4, decided_at = $5, note = $6
WHERE county_id = $1 AND id = $2 AND state = 'open' RETURNING id
"""
SIGNATURES = """
SELECT statement_id, part, person_id, name, authority, stand_in, means, at
FROM points.statement_signature
WHERE county_id = $1 AND statement_id = ANY($2) AND voided_at IS NULL ORDER BY at, part
"""
SIGNED = """
SELECT statement_id, part FROM points.statement_signature
WHERE county_id = $1 AND statement_id = ANY($2) AND voided_at IS NULL
"""
INSERT_SIGNATURES = """
INSERT INTO points.statement_signature (county_id, id, statement_id, part, person_id, name,
    authority, stand_in, means, at, file_sha256)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                         $8::bool[], $9::text[], $10::timestamptz[], $11::bytea[])
"""
VOID_SIGNATURES = """
UPDATE points.statement_signature SET voided_at = $3
WHERE county_id = $1 AND statement_id = $2 AND voided_at IS NULL
"""


async def events(county_id: int, through: datetime, shop_id: UUID | None = None) -> list[Event]:
    """What happened before ``through`` and stands in no statement, by shop and time."""
    return await DB.all(Event, EVENTS, county_id, through, shop_id)


async def statement(county_id: int, statement_id: UUID) -> StatementRow | None:
    return await DB.one(StatementRow, STATEMENT_BY_ID, county_id, statement_id)


async def statement_locked(county_id: int, statement_id: UUID) -> StatementRow | None:
    return await DB.one(StatementRow, STATEMENT_LOCKED, county_id, statement_id)


async def statements_locked(county_id: int, ids: Sequence[UUID]) -> list[StatementRow]:
    return await DB.all(StatementRow, STATEMENTS_LOCKED, county_id, list(ids))


async def disputed(county_id: int, codes: Sequence[str], by: UUID) -> list[StatementRow]:
    """With an objection that waits for a decision, by somebody else than ``by``."""
    return await DB.all(StatementRow, DISPUTED, county_id, list(codes), by)


async def statements_of_month(county_id: int, month: str) -> list[StatementRow]:
    return await DB.all(StatementRow, STATEMENTS_OF_MONTH, county_id, month)


async def statements(
    county_id: int,
    filters: tuple[str, str, str],
    within: tuple[Sequence[UUID], Sequence[str]],
    page: tuple[int, int],
) -> list[StatementRow]:
    """``filters`` are month, state, text; ``within`` shops and unit codes; page limit, offset."""
    shops, codes = within
    return await DB.all(
        StatementRow, STATEMENTS, county_id, *filters, list(shops), list(codes), *page
    )


async def count_statements(
    county_id: int, filters: tuple[str, str, str], within: tuple[Sequence[UUID], Sequence[str]]
) -> int:
    shops, codes = within
    return int(await DB.fetchval(COUNT_STATEMENTS, county_id, *filters, list(shops), list(codes)))


async def carries(county_id: int, month: str) -> dict[tuple[UUID, UUID], list[tuple[UUID, int]]]:
    """By (shop, fund): what a month's statement opens with, as (its id, fen)."""
    found: dict[tuple[UUID, UUID], list[tuple[UUID, int]]] = {}
    for row in await DB.fetch(CARRIES, county_id, month):
        found.setdefault((row["shop_id"], row["fund_id"]), []).append((row["id"], row["fen"]))
    return found


async def lock_builds(county_id: int) -> None:
    """Builds are written one after another, so that two months do not open with the same."""
    await lock_queries.take(county_id, "points.statement")


async def insert_statement(county_id: int, row: StatementRow, file: bytes) -> None:
    await DB.execute(
        INSERT_STATEMENT,
        county_id,
        row.id,
        row.shop_id,
        row.fund_id,
        row.month,
        row.through,
        row.shop_name,
        row.settlement_name,
        row.fund_name,
        row.unit_code,
        row.built_on,
        row.line_count,
        row.points,
        row.carried,
        row.opening_fen,
        row.amount_fen,
        row.disputed_fen,
        row.payable_fen,
        row.carry_fen,
        row.file_sha256,
        file,
    )


async def file(county_id: int, statement_id: UUID) -> bytes | None:
    """The file that was hashed; None of a statement from before files were kept."""
    found: bytes | None = await DB.fetchval(FILE, county_id, statement_id)
    return found


async def update_statement(county_id: int, row: StatementRow, file: bytes, was: bytes) -> bool:
    """False if the file has changed since it hashed to ``was``."""
    found = await DB.fetchval(
        UPDATE_STATEMENT,
        county_id,
        row.id,
        row.through,
        row.built_on,
        row.line_count,
        row.points,
        row.carried,
        row.opening_fen,
        row.amount_fen,
        row.disputed_fen,
        row.payable_fen,
        row.carry_fen,
        row.file_sha256,
        file,
        was,
    )
    return found is not None


async def freeze(county_id: int, ids: Sequence[UUID], at: datetime) -> None:
    await DB.execute(FREEZE, county_id, list(ids), at)


async def insert_lines(county_id: int, row: StatementRow, lines: Sequence[LineRow]) -> None:
    await DB.execute(
        INSERT_LINES,
        county_id,
        row.id,
        row.fund_id,
        [line.id for line in lines],
        [line.position for line in lines],
        [line.kind for line in lines],
        [line.redemption_id for line in lines],
        [line.at for line in lines],
        [line.worker for line in lines],
        [line.place for line in lines],
        [line.goods for line in lines],
        [line.points for line in lines],
        [line.whole_points for line in lines],
        [line.amount_fen for line in lines],
    )


async def lines(county_id: int, statement_id: UUID) -> list[LineRow]:
    return await DB.all(LineRow, LINES, county_id, statement_id)


async def dispute(county_id: int, dispute_id: UUID) -> DisputeRow | None:
    return await DB.one(DisputeRow, DISPUTE_BY_ID, county_id, dispute_id)


async def disputes(county_id: int, statement_id: UUID) -> list[DisputeRow]:
    return await DB.all(DisputeRow, DISPUTES, county_id, statement_id)


async def undone(county_id: int, statement_id: UUID) -> set[UUID]:
    """Lines of redemptions that were undone since."""
    return {row["id"] for row in await DB.fetch(UNDONE, county_id, statement_id)}


async def moot(county_id: int, through: datetime) -> list[tuple[UUID, UUID]]:
    """Open disputes of lines that were undone before ``through``, each with its statement."""
    rows = await DB.fetch(MOOT, county_id, through)
    return [(row["id"], row["statement_id"]) for row in rows]


async def insert_dispute(county_id: int, row: DisputeRow) -> None:
    await DB.execute(
        INSERT_DISPUTE,
        county_id,
        row.id,
        row.statement_id,
        row.line_id,
        row.part,
        row.reason,
        row.raised_by,
        row.raised_at,
    )


async def decide_dispute(
    county_id: int, dispute_id: UUID, state: str, by: UUID | None, at: datetime, note: str
) -> bool:
    """False if it was decided before."""
    found = await DB.fetchval(DECIDE_DISPUTE, county_id, dispute_id, state, by, at, note)
    return found is not None


async def signatures(county_id: int, statement_id: UUID) -> list[SignatureRow]:
    return (await signatures_of(county_id, [statement_id])).get(statement_id, [])


async def signatures_of(county_id: int, ids: Sequence[UUID]) -> dict[UUID, list[SignatureRow]]:
    found: dict[UUID, list[SignatureRow]] = {}
    for row in await DB.fetch(SIGNATURES, county_id, list(ids)):
        values = dict(row) | {"part": Part(row["part"])}
        found.setdefault(values.pop("statement_id"), []).append(SignatureRow(**values))
    return found


async def signed(county_id: int, ids: Sequence[UUID]) -> dict[UUID, set[Part]]:
    found: dict[UUID, set[Part]] = {}
    for row in await DB.fetch(SIGNED, county_id, list(ids)):
        found.setdefault(row["statement_id"], set()).add(Part(row["part"]))
    return found


async def insert_signatures(
    county_id: int, given: Sequence[tuple[UUID, StatementRow, SignatureRow]]
) -> None:
    """``given`` is (id, statement, signature)."""
    await DB.execute(
        INSERT_SIGNATURES,
        county_id,
        [signature_id for signature_id, _, _ in given],
        [statement.id for _, statement, _ in given],
        [row.part for _, _, row in given],
        [row.person_id for _, _, row in given],
        [row.name for _, _, row in given],
        [row.authority for _, _, row in given],
        [row.stand_in for _, _, row in given],
        [row.means for _, _, row in given],
        [row.at for _, _, row in given],
        [statement.file_sha256 for _, statement, _ in given],
    )


async def void_signatures(county_id: int, statement_id: UUID, at: datetime) -> int:
    """How many were taken back."""
    return await DB.count(VOID_SIGNATURES, county_id, statement_id, at)
