"""SQL of attendance and of what the duty features share. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.cycle.rules import Stage
from appraisal.duty.schemas import (
    Missing,
    SheetInput,
    SheetLine,
    SheetRow,
    SheetVersion,
    UnitCount,
    Worker,
)
from shared.database import DB


class Covering(msgspec.Struct, frozen=True):
    """A cycle that covers days about to be written."""

    title: str
    state: Stage


COVERING = """
SELECT title, state FROM appraisal.cycle
WHERE county_id = $1
  AND EXISTS (SELECT FROM unnest($2::date[]) AS d WHERE d BETWEEN starts_on AND ends_on)
FOR SHARE
"""
# One row a worker and village: several grids of one village are one line of its sheet.
SERVING = """
SELECT s.person_id, n.name, s.village_code, v.name AS village_name, t.name AS township_name,
       s.grid_code, g.name AS grid_name, s.first_day, s.last_day
FROM (
    SELECT a.person_id, left(u.code, 12) AS village_code, min(u.code) AS grid_code,
           min(greatest(a.valid_from, $3)) AS first_day,
           max(least(COALESCE(a.valid_to - 1, $4), $4)) AS last_day
    FROM shared.assignment a
    JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id
        AND p.role = 'gridworker'
    JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
    WHERE a.county_id = $1 AND u.code ^@ ANY ($2::text[])
      AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $3)
    GROUP BY 1, 2
) s
JOIN shared.person n ON n.county_id = $1 AND n.id = s.person_id
JOIN shared.unit g ON g.county_id = $1 AND g.code = s.grid_code
JOIN shared.unit v ON v.county_id = $1 AND v.code = s.village_code
JOIN shared.unit t ON t.county_id = $1 AND t.code = left(s.village_code, 9)
"""
SHEET = f"""
SELECT w.*, a.rostered_days AS rostered, a.duty_days AS on_duty, a.leave_days AS leave, a.note,
       a.version, b.name AS entered_by, a.entered_at
FROM ({SERVING}) w
LEFT JOIN appraisal.attendance a ON a.county_id = $1 AND a.person_id = w.person_id
    AND a.village_code = w.village_code AND a.month = $5 AND a.current
LEFT JOIN shared.person b ON b.county_id = $1 AND b.id = a.entered_by
ORDER BY w.grid_code COLLATE "C", w.name, w.person_id
"""
COUNTS = """
SELECT t.code, t.name, count(s.person_id) AS expected, count(a.id) AS filled
FROM shared.unit t
LEFT JOIN (
    SELECT DISTINCT x.person_id, left(u.code, 12) AS village_code
    FROM shared.assignment x
    JOIN shared.post p ON p.county_id = x.county_id AND p.id = x.post_id
        AND p.role = 'gridworker'
    JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
    WHERE x.county_id = $1 AND x.valid_from <= $4 AND (x.valid_to IS NULL OR x.valid_to > $3)
) s ON left(s.village_code, 9) = t.code
LEFT JOIN appraisal.attendance a ON a.county_id = $1 AND a.person_id = s.person_id
    AND a.village_code = s.village_code AND a.month = $5 AND a.current
WHERE t.county_id = $1 AND t.kind = 'township' AND t.code ^@ ANY ($2::text[])
GROUP BY t.code, t.name ORDER BY t.code COLLATE "C"
"""
CURRENT = """
SELECT person_id, village_code, month, rostered_days AS rostered, duty_days AS on_duty,
       leave_days AS leave, note, version
FROM appraisal.attendance
WHERE county_id = $1 AND current AND person_id = ANY ($2) AND month = ANY ($3)
ORDER BY person_id FOR UPDATE
"""
RETIRE = """
UPDATE appraisal.attendance a SET current = false
FROM unnest($2::uuid[], $3::text[], $4::int[]) AS o (person_id, village_code, month)
WHERE a.county_id = $1 AND a.current AND a.person_id = o.person_id
  AND a.village_code = o.village_code AND a.month = o.month
"""
INSERT = """
INSERT INTO appraisal.attendance (county_id, reason, source, entered_by, entered_at, current, id,
    person_id, village_code, month, rostered_days, duty_days, leave_days, note, version)
SELECT $1, $2, $3, $4::uuid, $5::timestamptz, true, *
FROM unnest($6::uuid[], $7::uuid[], $8::text[], $9::int[], $10::numeric[], $11::numeric[],
            $12::numeric[], $13::text[], $14::int[])
"""
VERSIONS = """
SELECT a.month, v.name AS village_name, a.rostered_days AS rostered, a.duty_days AS on_duty,
       a.leave_days AS leave, a.note, a.version, a.current, a.reason, a.source,
       b.name AS entered_by, a.entered_at
FROM appraisal.attendance a
JOIN shared.unit v ON v.county_id = a.county_id AND v.code = a.village_code
LEFT JOIN shared.person b ON b.county_id = a.county_id AND b.id = a.entered_by
WHERE a.county_id = $1 AND a.person_id = $2 AND (NOT $3 OR a.current)
ORDER BY a.month DESC, a.village_code, a.version DESC LIMIT 200
"""
MISSING = """
SELECT x.village_code, v.name AS village_name, t.code AS township_code, t.name AS township_name,
       x.person_id, n.name, array_agg(DISTINCT x.month ORDER BY x.month) AS months
FROM appraisal.expected_attendance x
JOIN shared.person n ON n.county_id = x.county_id AND n.id = x.person_id
JOIN shared.unit v ON v.county_id = x.county_id AND v.code = x.village_code
JOIN shared.unit t ON t.county_id = x.county_id AND t.code = left(x.village_code, 9)
WHERE x.county_id = $1 AND x.cycle_id = $2 AND x.village_code ^@ ANY ($3::text[])
  AND x.month <= $4
  AND NOT EXISTS (
      SELECT FROM appraisal.attendance a
      WHERE a.county_id = x.county_id AND a.person_id = x.person_id AND a.month = x.month
        AND a.village_code = x.village_code AND a.current)
GROUP BY x.village_code, v.name, t.code, t.name, x.person_id, n.name
ORDER BY x.village_code COLLATE "C", n.name, x.person_id
"""
INSTRUCTORS = """
SELECT u.code, string_agg(n.name, '、' ORDER BY n.name) AS names
FROM shared.unit u
JOIN shared.post p ON p.county_id = u.county_id AND p.unit_id = u.id AND p.role = 'instructor'
JOIN shared.assignment a ON a.county_id = p.county_id AND a.post_id = p.id
    AND a.valid_from <= $3 AND (a.valid_to IS NULL OR a.valid_to > $3)
JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
WHERE u.county_id = $1 AND u.code = ANY ($2) GROUP BY u.code
"""


async def covering(county_id: int, days: Sequence[date]) -> list[Covering]:
    """Cycles over any of the days, kept in their stage until the transaction ends."""
    return await DB.all(Covering, COVERING, county_id, list(days))


async def serving(county_id: int, codes: Sequence[str], first: date, last: date) -> list[Worker]:
    """Gridworkers of the units at any time from first to last, one row a village."""
    sql = SERVING + ' ORDER BY s.grid_code COLLATE "C", n.name, s.person_id'
    return await DB.all(Worker, sql, county_id, list(codes), first, last)


async def sheet(
    county_id: int, codes: Sequence[str], span: tuple[date, date], month: int
) -> list[SheetLine]:
    return await DB.all(SheetLine, SHEET, county_id, list(codes), *span, month)


async def counts(
    county_id: int, codes: Sequence[str], span: tuple[date, date], month: int
) -> list[UnitCount]:
    return await DB.all(UnitCount, COUNTS, county_id, list(codes), *span, month)


async def current(county_id: int, people: Sequence[UUID], months: Sequence[int]) -> list[SheetRow]:
    """Lines that count now, locked until the transaction ends."""
    return await DB.all(SheetRow, CURRENT, county_id, list(people), list(months))


async def retire(county_id: int, lines: Sequence[SheetInput]) -> None:
    await DB.execute(
        RETIRE,
        county_id,
        [line.person_id for line in lines],
        [line.village_code for line in lines],
        [line.month for line in lines],
    )


async def insert(
    county_id: int,
    stamp: tuple[str, str, UUID | None, datetime],
    ids: Sequence[UUID],
    rows: Sequence[SheetRow],
) -> None:
    """``stamp``: reason, source, who, when."""
    await DB.execute(
        INSERT,
        county_id,
        *stamp,
        list(ids),
        [row.person_id for row in rows],
        [row.village_code for row in rows],
        [row.month for row in rows],
        [row.rostered for row in rows],
        [row.on_duty for row in rows],
        [row.leave for row in rows],
        [row.note for row in rows],
        [row.version for row in rows],
    )


async def versions(
    county_id: int, person_id: UUID, *, current_only: bool = False
) -> list[SheetVersion]:
    return await DB.all(SheetVersion, VERSIONS, county_id, person_id, current_only)


async def missing(
    county_id: int, cycle_id: UUID, codes: Sequence[str], until: int
) -> list[Missing]:
    """Whose lines are missing up to the month ``until`` (202603)."""
    return await DB.all(Missing, MISSING, county_id, cycle_id, list(codes), until)


async def instructors(county_id: int, townships: Sequence[str], on: date) -> dict[str, str]:
    """Township → names of its instructors."""
    rows = await DB.fetch(INSTRUCTORS, county_id, list(townships), on)
    return {row["code"]: row["names"] for row in rows}
