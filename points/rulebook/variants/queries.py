"""Statements of villages' variants. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from points.rulebook.rules import Variant
from points.rulebook.variants.schemas import VariantForm, VariantRow
from shared.database import DB

APPROVED = """
SELECT village_code, code, points, cap_day, cap_month, resolution, effective_from
FROM points.rule_variant
WHERE county_id = $1 AND village_code COLLATE "C" = ANY($2::text[]) AND state = 'approved'
ORDER BY village_code, code, effective_from DESC
"""
ROW = """
SELECT v.id, v.village_code, u.name AS village_name, v.code, v.points, v.cap_day, v.cap_month,
       v.effective_from, v.resolution, v.resolved_on, v.state, v.proposed_at, v.proposed_by,
       a.name AS proposer, v.decided_at, b.name AS decider, v.decision_note
FROM points.rule_variant v
JOIN shared.unit u ON u.county_id = $1 AND u.code = v.village_code
JOIN shared.person a ON a.county_id = $1 AND a.id = v.proposed_by
LEFT JOIN shared.person b ON b.county_id = $1 AND b.id = v.decided_by
WHERE v.county_id = $1
"""
BY_ID = ROW + "AND v.id = $2"
OF_VILLAGE = ROW + 'AND v.village_code COLLATE "C" = $2 ORDER BY v.proposed_at DESC, v.id'
OF_ITEM = (
    ROW
    + """
  AND v.code = $2 AND v.state <> 'refused'
ORDER BY v.village_code COLLATE "C", v.effective_from DESC, v.id
"""
)
WAITING = (
    ROW
    + """
  AND v.state = 'proposed'
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(v.village_code, c))
ORDER BY v.proposed_at, v.id
"""
)
INSERT = """
INSERT INTO points.rule_variant (county_id, id, village_code, code, points, cap_day, cap_month,
    effective_from, resolution, resolved_on, proposed_at, proposed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (county_id, village_code COLLATE "C", code) WHERE state = 'proposed' DO NOTHING
RETURNING id
"""
BEGINS = """
SELECT EXISTS (SELECT FROM points.rule_variant WHERE county_id = $1
    AND village_code COLLATE "C" = $2 AND code = $3 AND effective_from = $4 AND state = 'approved')
"""
DECIDE = """
UPDATE points.rule_variant
SET state = $3, effective_from = $4, decided_at = $5, decided_by = $6, decision_note = $7
WHERE county_id = $1 AND id = $2 AND state = 'proposed' RETURNING id
"""


async def approved(county_id: int, villages: Sequence[str]) -> list[Variant]:
    """Of some villages, by item, the latest first."""
    return await DB.all(Variant, APPROVED, county_id, list(villages))


async def variant(county_id: int, variant_id: UUID) -> VariantRow | None:
    return await DB.one(VariantRow, BY_ID, county_id, variant_id)


async def of_village(county_id: int, village_code: str) -> list[VariantRow]:
    """Everything that was ever asked for, newest first."""
    return await DB.all(VariantRow, OF_VILLAGE, county_id, village_code)


async def of_item(county_id: int, code: str) -> list[VariantRow]:
    """What counts, will or may, village by village."""
    return await DB.all(VariantRow, OF_ITEM, county_id, code)


async def waiting(county_id: int, codes: Sequence[str]) -> list[VariantRow]:
    return await DB.all(VariantRow, WAITING, county_id, list(codes))


async def insert(
    county_id: int, variant_id: UUID, form: VariantForm, at: datetime, by: UUID
) -> bool:
    """False while another one of the village's item waits."""
    terms = (form.village_code, form.code, form.points, form.cap_day, form.cap_month)
    paper = (form.effective_from, form.resolution, form.resolved_on)
    return bool(await DB.fetchval(INSERT, county_id, variant_id, *terms, *paper, at, by))


async def begins(county_id: int, village_code: str, code: str, on: date) -> bool:
    """Whether an approved one counts from just that day."""
    return bool(await DB.fetchval(BEGINS, county_id, village_code, code, on))


async def decide(
    county_id: int, variant_id: UUID, state: str, first: date, decided: tuple[datetime, UUID, str]
) -> bool:
    """False if somebody has decided it already."""
    return bool(await DB.fetchval(DECIDE, county_id, variant_id, state, first, *decided))
