"""SQL of funds. ``$1`` is the county everywhere; the ledger alone writes them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from points.settlement.funds.schemas import (
    CorrectionForm,
    CorrectionRow,
    FundRow,
    FundYear,
    ResolutionRow,
)
from shared.database import DB

# A unit's own fund, else that of the unit above it: codes of ancestors are prefixes.
FUNDS_FOR = """
SELECT DISTINCT ON (c) c AS code, f.id
FROM unnest($2::text[]) AS c
JOIN points.fund f ON f.county_id = $1
  AND f.unit_code IN (left(c, 12), left(c, 9), left(c, 6))
ORDER BY c, length(f.unit_code) DESC
"""
FUND_OF_UNIT = "SELECT id FROM points.fund WHERE county_id = $1 AND unit_code = $2"
FUND = """
SELECT f.id, f.unit_code, u.name AS unit_name, f.name, f.point_value_fen, f.budget_fen,
       COALESCE(-issued.balance, 0) AS issued, COALESCE(expired.balance, 0) AS expired,
       COALESCE(lots.outstanding, 0)::int8 AS outstanding,
       COALESCE(waiting.points, 0)::int8 AS awaiting
FROM points.fund f
JOIN shared.unit u ON u.county_id = f.county_id AND u.code = f.unit_code
LEFT JOIN points.account issued ON issued.county_id = f.county_id AND issued.owner = f.id
  AND issued.kind = 'issuance' AND issued.unit = 'wallet'
LEFT JOIN points.account expired ON expired.county_id = f.county_id AND expired.owner = f.id
  AND expired.kind = 'expired' AND expired.unit = 'wallet'
LEFT JOIN LATERAL (
    SELECT sum(l.remaining) AS outstanding FROM points.lot l
    WHERE l.county_id = $1 AND l.fund_id = f.id AND l.live) AS lots ON true
LEFT JOIN LATERAL (
    SELECT sum(a.remaining) AS points FROM points.awaiting a
    WHERE a.county_id = $1 AND a.fund_id = f.id AND a.remaining > 0) AS waiting ON true
"""
FUND_BY_ID = FUND + "WHERE f.county_id = $1 AND f.id = $2"
# $4: all, where awards wait for money, or where less than a tenth of the budget is left.
LISTED = """
WHERE f.county_id = $1
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(f.unit_code, c))
  AND ($3 = '' OR position($3 IN u.name || f.name) > 0)
  AND ($4 = ''
    OR $4 = 'waiting' AND EXISTS (
        SELECT FROM points.awaiting a
        WHERE a.county_id = $1 AND a.fund_id = f.id AND a.remaining > 0)
    OR $4 = 'low' AND f.budget_fen * 9 < f.point_value_fen * (
        SELECT -COALESCE(sum(a.balance), 0) FROM points.account a
        WHERE a.county_id = $1 AND a.owner = f.id AND a.unit = 'wallet'
          AND a.kind IN ('issuance', 'expired')))
"""
FUNDS = FUND + LISTED + 'ORDER BY f.unit_code COLLATE "C" LIMIT $5 OFFSET $6'
COUNT_FUNDS = (
    """
SELECT count(*) FROM points.fund f
JOIN shared.unit u ON u.county_id = f.county_id AND u.code = f.unit_code
"""
    + LISTED
)
# As far as a year's months are over: their public sheets added up, and the rest of the last one.
FUND_YEARS = f"""
SELECT f.id, u.name AS unit_name, f.name, COALESCE(y.issued, 0)::int8 AS issued,
       COALESCE(y.redeemed, 0)::int8 AS redeemed, COALESCE(y.expired, 0)::int8 AS expired,
       y.through, (s.figures ->> 'outstanding')::int8 AS outstanding,
       (s.figures ->> 'left_fen')::int8 AS left_fen,
       (SELECT COALESCE(sum(r.amount_fen), 0) FROM points.resolution r
        WHERE r.county_id = $1 AND r.fund_id = f.id
          AND date_part('year', r.resolved_on) = $5::int)::int8 AS resolved_fen
FROM points.fund f
JOIN shared.unit u ON u.county_id = f.county_id AND u.code = f.unit_code
LEFT JOIN LATERAL (
    SELECT sum((p.figures ->> 'issued')::int8 - (p.figures ->> 'reversed')::int8) AS issued,
           sum((p.figures ->> 'redeemed')::int8 - (p.figures ->> 'undone')::int8) AS redeemed,
           sum((p.figures ->> 'expired')::int8) AS expired, max(p.month) AS through
    FROM points.publication p
    WHERE p.county_id = $1 AND p.fund_id = f.id AND left(p.month, 4) = $5::int::text) AS y ON true
LEFT JOIN points.publication s ON s.county_id = $1 AND s.fund_id = f.id AND s.month = y.through
{LISTED}
ORDER BY f.unit_code COLLATE "C" LIMIT $6 OFFSET $7
"""
# Of a village that no fund pays for, too: ``unit_code`` is the worker's village.
AWAITING = """
SELECT COALESCE(sum(a.remaining), 0)::int8 FROM points.awaiting a
WHERE a.county_id = $1 AND a.remaining > 0
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(a.unit_code, c))
"""
# Villages below a unit that no fund nearer to them pays for: whose waiting awards a new fund takes.
UNCOVERED = """
SELECT u.code FROM shared.unit u
WHERE u.county_id = $1 AND u.kind = 'village' AND starts_with(u.code, $2)
  AND NOT EXISTS (SELECT FROM points.fund f WHERE f.county_id = $1
                  AND f.unit_code IN (u.code, left(u.code, 9), left(u.code, 6)))
ORDER BY u.code
"""
RESOLUTIONS = """
SELECT r.id, r.fund_id, r.number, r.resolved_on, r.amount_fen,
       (r.amount_fen + COALESCE(sum(c.amount_fen), 0))::int8 AS stands_fen
FROM points.resolution r
LEFT JOIN points.resolution c ON c.county_id = $1 AND c.fund_id = $2 AND c.corrects = r.id
WHERE r.county_id = $1 AND r.fund_id = $2 AND r.corrects IS NULL
GROUP BY r.id, r.fund_id, r.number, r.resolved_on, r.amount_fen
ORDER BY r.resolved_on DESC, r.number COLLATE "C"
"""
CORRECTION = """
SELECT c.id, f.id AS fund_id, f.name AS fund_name, f.unit_code, c.resolution_id, r.number,
       c.was_fen, c.amount_fen, c.reason, c.state, c.proposed_at, c.proposed_by,
       a.name AS proposer, c.decided_at, b.name AS decider, c.decision_note
FROM points.correction c
JOIN points.resolution r ON r.county_id = $1 AND r.id = c.resolution_id
JOIN points.fund f ON f.county_id = $1 AND f.id = r.fund_id
JOIN shared.person a ON a.county_id = $1 AND a.id = c.proposed_by
LEFT JOIN shared.person b ON b.county_id = $1 AND b.id = c.decided_by
WHERE c.county_id = $1
"""
CORRECTION_BY_ID = CORRECTION + "AND f.id = $2 AND c.id = $3"
CORRECTIONS_OF_FUND = CORRECTION + "AND f.id = $2 ORDER BY c.proposed_at DESC, c.id"
CORRECTIONS_WAITING = (
    CORRECTION
    + """
AND c.state = 'proposed'
AND EXISTS (SELECT FROM unnest($2::text[]) u WHERE starts_with(f.unit_code, u))
ORDER BY c.proposed_at, c.id
"""
)
INSERT_CORRECTION = """
INSERT INTO points.correction (county_id, id, resolution_id, was_fen, amount_fen, reason,
                               proposed_at, proposed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (county_id, resolution_id) WHERE state = 'proposed' DO NOTHING
RETURNING id
"""
DECIDE_CORRECTION = """
UPDATE points.correction
SET state = $3, decided_at = $4, decided_by = $5, decision_note = $6
WHERE county_id = $1 AND id = $2 AND state = 'proposed' RETURNING id
"""


async def funds_for(county_id: int, codes: Sequence[str]) -> dict[str, UUID]:
    """By unit code; units that no fund pays for are absent."""
    rows = await DB.fetch(FUNDS_FOR, county_id, list(codes))
    return {row["code"]: row["id"] for row in rows}


async def fund_of_unit(county_id: int, unit_code: str) -> UUID | None:
    found: UUID | None = await DB.fetchval(FUND_OF_UNIT, county_id, unit_code)
    return found


async def fund(county_id: int, fund_id: UUID) -> FundRow | None:
    return await DB.one(FundRow, FUND_BY_ID, county_id, fund_id)


async def funds(
    county_id: int, codes: Sequence[str], text: str, state: str, page: tuple[int, int]
) -> list[FundRow]:
    return await DB.all(FundRow, FUNDS, county_id, list(codes), text, state, *page)


async def fund_years(
    county_id: int, codes: Sequence[str], text: str, state: str, year: int, page: tuple[int, int]
) -> list[FundYear]:
    given = (list(codes), text, state, year)
    return await DB.all(FundYear, FUND_YEARS, county_id, *given, *page)


async def count_funds(county_id: int, codes: Sequence[str], text: str, state: str) -> int:
    return int(await DB.fetchval(COUNT_FUNDS, county_id, list(codes), text, state))


async def awaiting(county_id: int, codes: Sequence[str]) -> int:
    return int(await DB.fetchval(AWAITING, county_id, list(codes)))


async def uncovered(county_id: int, unit_code: str) -> list[str]:
    return [row["code"] for row in await DB.fetch(UNCOVERED, county_id, unit_code)]


async def resolutions(county_id: int, fund_id: UUID) -> list[ResolutionRow]:
    return await DB.all(ResolutionRow, RESOLUTIONS, county_id, fund_id)


async def correction(county_id: int, fund_id: UUID, correction_id: UUID) -> CorrectionRow | None:
    return await DB.one(CorrectionRow, CORRECTION_BY_ID, county_id, fund_id, correction_id)


async def corrections(county_id: int, fund_id: UUID) -> list[CorrectionRow]:
    return await DB.all(CorrectionRow, CORRECTIONS_OF_FUND, county_id, fund_id)


async def corrections_waiting(county_id: int, codes: Sequence[str]) -> list[CorrectionRow]:
    return await DB.all(CorrectionRow, CORRECTIONS_WAITING, county_id, list(codes))


async def insert_correction(
    county_id: int, correction_id: UUID, form: CorrectionForm, was_fen: int, at: datetime, by: UUID
) -> bool:
    """False while another one of the same resolution waits."""
    row = (form.resolution_id, was_fen, form.amount_fen, form.reason, at, by)
    return bool(await DB.fetchval(INSERT_CORRECTION, county_id, correction_id, *row))


async def decide_correction(
    county_id: int, correction_id: UUID, state: str, at: datetime, by: UUID, note: str
) -> bool:
    """False if somebody has decided it already."""
    decision = (state, at, by, note)
    return bool(await DB.fetchval(DECIDE_CORRECTION, county_id, correction_id, *decision))
