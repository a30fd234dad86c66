"""SQL of duty entries. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from appraisal.duty.rules import EntryForm, EntryKind
from appraisal.duty.schemas import Entry
from shared.database import DB

ENTRY = """
SELECT e.id, e.kind, e.person_id, n.name, e.village_code, v.name AS village_name,
       t.name AS township_name, g.code AS grid_code, e.happened_on,
       e.outcome, e.level, e.place, e.by_whom, e.facts,
       e.document, e.reference, e.state, e.source, e.entered_by, b.name AS entered_by_name,
       e.entered_at, d.name AS decided_by_name, e.decided_at, e.reason, e.replaces
FROM appraisal.duty_entry e
JOIN shared.person n ON n.county_id = e.county_id AND n.id = e.person_id
JOIN shared.unit v ON v.county_id = e.county_id AND v.code = e.village_code
JOIN shared.unit t ON t.county_id = e.county_id AND t.code = left(e.village_code, 9)
LEFT JOIN LATERAL (
    SELECT min(u.code) AS code FROM shared.assignment a
    JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id AND p.role = 'gridworker'
    JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id
        AND starts_with(u.code, e.village_code)
    WHERE a.county_id = $1 AND a.person_id = e.person_id
      AND a.valid_from <= e.happened_on
      AND (a.valid_to IS NULL OR a.valid_to > e.happened_on)
) g ON true
LEFT JOIN shared.person b ON b.county_id = e.county_id AND b.id = e.entered_by
LEFT JOIN shared.person d ON d.county_id = e.county_id AND d.id = e.decided_by
WHERE e.county_id = $1
"""
LISTED = (
    ENTRY
    + """
  AND e.village_code ^@ ANY ($2::text[]) AND ($3 = '' OR e.kind = $3)
  AND ($4 = '' OR e.state = $4) AND ($5 = '' OR n.name = $5)
  AND e.happened_on BETWEEN $6 AND $7
ORDER BY e.happened_on DESC, e.id DESC LIMIT $8 OFFSET $9
"""
)
COUNT = """
SELECT count(*) FROM appraisal.duty_entry e
JOIN shared.person n ON n.county_id = e.county_id AND n.id = e.person_id
WHERE e.county_id = $1 AND e.village_code ^@ ANY ($2::text[]) AND ($3 = '' OR e.kind = $3)
  AND ($4 = '' OR e.state = $4) AND ($5 = '' OR n.name = $5)
  AND e.happened_on BETWEEN $6 AND $7
"""
CHAIN = """
WITH RECURSIVE chain AS (
    SELECT id, replaces FROM appraisal.duty_entry WHERE county_id = $1 AND id = $2
    UNION ALL
    SELECT o.id, o.replaces FROM chain c
    JOIN appraisal.duty_entry o ON o.county_id = $1 AND o.id = c.replaces
)
"""
INSERT = """
INSERT INTO appraisal.duty_entry (county_id, id, kind, person_id, village_code, happened_on,
    outcome, level, place, by_whom, facts, document, reference, state, source, entered_by,
    entered_at, replaces)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
SETTLE = """
UPDATE appraisal.duty_entry SET state = $3, decided_by = COALESCE($4, decided_by),
    decided_at = COALESCE($5, decided_at), reason = $6
WHERE county_id = $1 AND id = $2
"""
Condition = tuple[Sequence[str], str, str, str, date, date]
"""Units, kind, state, name, first and last day."""


async def one(county_id: int, entry_id: UUID, *, lock: bool = False) -> Entry | None:
    sql = ENTRY + " AND e.id = $2" + (" FOR UPDATE OF e" if lock else "")
    return await DB.one(Entry, sql, county_id, entry_id)


async def listed(county_id: int, given: Condition, limit: int, offset: int) -> list[Entry]:
    codes, *rest = given
    return await DB.all(Entry, LISTED, county_id, list(codes), *rest, limit, offset)


async def count(county_id: int, given: Condition) -> int:
    codes, *rest = given
    return int(await DB.fetchval(COUNT, county_id, list(codes), *rest))


async def chain(county_id: int, entry_id: UUID) -> list[Entry]:
    """An entry and what it replaced, latest first."""
    sql = (
        CHAIN + ENTRY + " AND e.id IN (SELECT id FROM chain) ORDER BY e.entered_at DESC, e.id DESC"
    )
    return await DB.all(Entry, sql, county_id, entry_id)


async def of_person(county_id: int, person_id: UUID) -> list[Entry]:
    """What counts of one person, latest first."""
    sql = ENTRY + " AND e.person_id = $2 AND e.state = 'standing'"
    return await DB.all(
        Entry, sql + " ORDER BY e.happened_on DESC, e.id LIMIT 100", county_id, person_id
    )


async def standing(
    county_id: int, kind: EntryKind, people: Sequence[UUID], first: date, last: date
) -> list[Entry]:
    """What counts already of these people, to recognise a file that comes again."""
    sql = ENTRY + (
        " AND e.kind = $2 AND e.person_id = ANY ($3) AND e.happened_on BETWEEN $4 AND $5"
        " AND e.state IN ('standing', 'proposed')"
    )
    return await DB.all(Entry, sql, county_id, kind, list(people), first, last)


async def insert(
    county_id: int,
    entry_id: UUID,
    form: EntryForm,
    village_code: str,
    stamp: tuple[str, str, UUID | None, datetime],
    replaces: UUID | None,
) -> None:
    """``stamp``: state, source, who, when."""
    await DB.execute(
        INSERT,
        county_id,
        entry_id,
        form.kind,
        form.person_id,
        village_code,
        form.happened_on,
        form.outcome,
        form.level,
        form.place,
        form.by_whom,
        form.facts,
        form.document,
        form.reference,
        *stamp,
        replaces,
    )


async def settle(
    county_id: int,
    entry_id: UUID,
    state: str,
    reason: str,
    decided: tuple[UUID | None, datetime | None] = (None, None),
) -> None:
    await DB.execute(SETTLE, county_id, entry_id, state, *decided, reason)
