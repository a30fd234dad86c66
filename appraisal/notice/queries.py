"""SQL of notices, of results to be served and of services. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

import msgspec

from appraisal.notice.schemas import (
    EntryRow,
    NewEntry,
    NoticeRow,
    ResultRow,
    ServeForm,
    ServingRow,
    Subject,
)
from shared.clock import LOCAL_ZONE
from shared.database import DB
from shared.ids import new_id

NOTICE = """
SELECT n.id, n.kind, n.about_cycle_id, COALESCE(c.title, '') AS cycle_title, n.title, n.issuer,
       n.full_names, n.phone, n.place, n.starts_on, n.ends_on, n.days, n.issued_by, n.issued_at
FROM appraisal.notice n
LEFT JOIN appraisal.cycle c ON c.county_id = $1 AND c.id = n.about_cycle_id
WHERE n.county_id = $1
"""
INSERT_NOTICE = """
INSERT INTO appraisal.notice (county_id, id, kind, about_cycle_id, title, issuer, full_names,
    phone, place, starts_on, ends_on, days, issued_by, issued_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
INSERT_ENTRIES = """
INSERT INTO appraisal.notice_entry (county_id, id, notice_id, position, case_id, person_id, name,
    unit, note)
SELECT $1, e.id, $2, e.position, e.case_id, e.person_id, e.name, e.unit, e.note
FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[])
    AS e (id, position, case_id, person_id, name, unit, note)
"""
ENTRIES = """
SELECT position, name, unit, note FROM appraisal.notice_entry
WHERE county_id = $1 AND notice_id = $2 ORDER BY position
"""
# Who is recorded as not to be reached; confirmed, once it has an outcome.
UNREACHED = """LEFT JOIN appraisal.case_file u ON u.county_id = $1 AND u.about_cycle_id = r.cycle_id
  AND u.person_id = r.person_id AND u.machine = 'serving'
  AND u.outcome IS DISTINCT FROM 'withdrawn'
"""
# The current run's results with names and places; who left in the period is still told.
RESULTS = f"""
SELECT r.person_id, p.name, r.grid_code, COALESCE(g.name, '') AS grid_name,
       COALESCE(v.name, '') AS village_name, COALESCE(t.name, '') AS township_name, r.grade,
       r.final, s.how, s.served_on, s.objection_until, u.id AS unreached,
       u.outcome IS NOT NULL AS unreachable
FROM appraisal.scorecard r
JOIN shared.person p ON p.county_id = $1 AND p.id = r.person_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = r.grid_code
LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(r.grid_code, 12)
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(r.grid_code, 9)
LEFT JOIN appraisal.serving s ON s.county_id = $1 AND s.about_cycle_id = r.cycle_id
  AND s.person_id = r.person_id
{UNREACHED}WHERE r.county_id = $1 AND r.current AND r.cycle_id = $2
"""
BY_GRID = """ AND r.grade = 'excellent' ORDER BY r.grid_code COLLATE "C", p.name"""
EXCELLENT = RESULTS + BY_GRID
NAMING = """
SELECT n.id FROM appraisal.notice n
JOIN appraisal.notice_entry e ON e.county_id = $1 AND e.notice_id = n.id
WHERE n.county_id = $1 AND n.about_cycle_id = {cycle} AND e.person_id = {person}
"""
UNNAMED = f"""{RESULTS}
AND NOT EXISTS ({NAMING.format(cycle="r.cycle_id", person="r.person_id")}){BY_GRID}"""
ONE_RESULT = RESULTS + " AND r.person_id = $3"
LISTED = (
    RESULTS
    + """
  AND EXISTS (SELECT FROM unnest($3::text[]) c WHERE starts_with(r.grid_code, c))
  AND ($4 = '' OR starts_with(r.grid_code, $4)) AND ($5 = '' OR r.grade = $5)
  AND CASE $6 WHEN 'open' THEN s.id IS NULL AND u.outcome IS NULL
              WHEN 'unreachable' THEN s.id IS NULL AND u.outcome IS NOT NULL
              WHEN 'served' THEN s.id IS NOT NULL ELSE true END
  AND ($7 = '' OR position($7 IN p.name) > 0)
ORDER BY s.id IS NOT NULL, r.grid_code COLLATE "C", p.name_pinyin COLLATE "C", r.person_id
LIMIT $8 OFFSET $9
"""
)
COUNT = f"SELECT count(*) FROM ({LISTED}) AS listed"
TALLY = f"""
SELECT count(*)::int AS results, count(s.id)::int AS served, max(s.objection_until) AS last_day,
       count(u.outcome) FILTER (WHERE s.id IS NULL)::int AS unreachable
FROM appraisal.scorecard r
LEFT JOIN appraisal.serving s ON s.county_id = $1 AND s.about_cycle_id = r.cycle_id
  AND s.person_id = r.person_id
{UNREACHED}WHERE r.county_id = $1 AND r.current AND r.cycle_id = $2
"""
SERVING = """
SELECT id, about_cycle_id, person_id, grade, how, served_on, server_id, server_name, witness_one,
       witness_two, post_number, objection_until, recorded_at
FROM appraisal.serving WHERE county_id = $1 AND about_cycle_id = $2 AND person_id = $3
"""
INSERT_SERVING = """
INSERT INTO appraisal.serving (county_id, id, about_cycle_id, person_id, unit_code, grade,
    server_id, server_name, objection_until, recorded_at, how, served_on, witness_one,
    witness_two, post_number)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (county_id, about_cycle_id, person_id) DO NOTHING
"""
# The settings themselves keep no history; their audit events name no object.
EARLIER_TERM = """
SELECT COALESCE(max((e.before ->> 'objection_days')::int), 0) FROM shared.audit_event e
WHERE e.county_id = $1 AND e.object_id IS NULL AND e.object_kind = 'county'
  AND e.action = 'settings.edit' AND e.at >= $2
"""
# What each setting was at an instant, if it has changed since.
SINCE_CHANGED = """
SELECT DISTINCT ON (k.name) k.name, (e.before ->> k.name)::int AS days
FROM shared.audit_event e CROSS JOIN unnest($3::text[]) AS k (name)
WHERE e.county_id = $1 AND e.object_id IS NULL AND e.object_kind = 'county'
  AND e.action = 'settings.edit' AND e.at > $2 AND e.before ->> k.name IS NOT NULL
ORDER BY k.name, e.at, e.id
"""


class Tally(msgspec.Struct, frozen=True):
    """How far the service of a cycle's results has come."""

    results: int
    served: int
    last_day: date | None
    """The latest last day for objections so far."""
    unreachable: int = 0
    """Not served, and confirmed to be out of reach."""


async def insert_notice(county_id: int, row: NoticeRow) -> None:
    await DB.execute(
        INSERT_NOTICE,
        county_id,
        row.id,
        row.kind,
        row.about_cycle_id,
        row.title,
        row.issuer,
        row.full_names,
        row.phone,
        row.place,
        row.starts_on,
        row.ends_on,
        row.days,
        row.issued_by,
        row.issued_at,
    )


async def insert_entries(county_id: int, notice_id: UUID, entries: Sequence[NewEntry]) -> None:
    await DB.execute(
        INSERT_ENTRIES,
        county_id,
        notice_id,
        [new_id() for _ in entries],
        list(range(1, len(entries) + 1)),
        [entry.case_id for entry in entries],
        [entry.person_id for entry in entries],
        [entry.name for entry in entries],
        [entry.unit for entry in entries],
        [entry.note for entry in entries],
    )


async def notice(county_id: int, notice_id: UUID) -> NoticeRow | None:
    return await DB.one(NoticeRow, NOTICE + " AND n.id = $2", county_id, notice_id)


async def notices(county_id: int) -> list[NoticeRow]:
    sql = NOTICE + " ORDER BY n.issued_at DESC, n.id"
    return await DB.all(NoticeRow, sql, county_id)


async def notice_of_cycle(county_id: int, cycle_id: UUID) -> NoticeRow | None:
    sql = NOTICE + " AND n.about_cycle_id = $2 AND n.kind = 'excellent'"
    return await DB.one(NoticeRow, sql, county_id, cycle_id)


async def supplements(county_id: int, cycle_id: UUID) -> list[NoticeRow]:
    """The further notices of a cycle, in the order of their days."""
    sql = NOTICE + " AND n.about_cycle_id = $2 AND n.kind = 'supplement' ORDER BY n.issued_at, n.id"
    return await DB.all(NoticeRow, sql, county_id, cycle_id)


async def naming(county_id: int, cycle_id: UUID, person_id: UUID) -> NoticeRow | None:
    """The notice of a cycle that names somebody."""
    sql = f"{NOTICE} AND n.id IN ({NAMING.format(cycle='$2', person='$3')})"
    return await DB.one(NoticeRow, sql, county_id, cycle_id, person_id)


async def entries(county_id: int, notice_id: UUID) -> list[EntryRow]:
    return await DB.all(EntryRow, ENTRIES, county_id, notice_id)


async def subject(county_id: int, notice_id: UUID, position: int) -> Subject | None:
    """Whom a line is about."""
    sql = (
        "SELECT case_id, person_id FROM appraisal.notice_entry"
        " WHERE county_id = $1 AND notice_id = $2 AND position = $3"
    )
    return await DB.one(Subject, sql, county_id, notice_id, position)


async def excellent(county_id: int, cycle_id: UUID) -> list[ResultRow]:
    return await DB.all(ResultRow, EXCELLENT, county_id, cycle_id)


async def unnamed(county_id: int, cycle_id: UUID) -> list[ResultRow]:
    """Who is 优秀 and stands on no notice of the cycle."""
    return await DB.all(ResultRow, UNNAMED, county_id, cycle_id)


async def result(county_id: int, cycle_id: UUID, person_id: UUID) -> ResultRow | None:
    return await DB.one(ResultRow, ONE_RESULT, county_id, cycle_id, person_id)


async def listed(
    county_id: int,
    cycle_id: UUID,
    codes: Sequence[str],
    wanted: tuple[str, str, str, str],
    page: tuple[int, int],
) -> list[ResultRow]:
    """``wanted`` is (unit, grade, state, text)."""
    return await DB.all(ResultRow, LISTED, county_id, cycle_id, list(codes), *wanted, *page)


async def count(
    county_id: int, cycle_id: UUID, codes: Sequence[str], wanted: tuple[str, str, str, str]
) -> int:
    found: int = await DB.fetchval(COUNT, county_id, cycle_id, list(codes), *wanted, None, 0)
    return found


async def tally(county_id: int, cycle_id: UUID) -> Tally:
    found = await DB.one(Tally, TALLY, county_id, cycle_id)
    return found or Tally(0, 0, None)


async def serving(county_id: int, cycle_id: UUID, person_id: UUID) -> ServingRow | None:
    return await DB.one(ServingRow, SERVING, county_id, cycle_id, person_id)


async def earlier_term(county_id: int, since: date) -> int:
    """The longest term to object that the county's settings have had since; 0 = no other."""
    begun = datetime.combine(since, time(), LOCAL_ZONE)
    found: int = await DB.fetchval(EARLIER_TERM, county_id, begun)
    return found


async def since_changed(county_id: int, at: datetime, names: Sequence[str]) -> dict[str, int]:
    """Of settings that have changed since an instant: what they were then."""
    rows = await DB.fetch(SINCE_CHANGED, county_id, at, list(names))
    return {row["name"]: row["days"] for row in rows}


async def insert_serving(
    county_id: int,
    result: ResultRow,
    cycle_id: UUID,
    server: tuple[UUID, str],
    form: ServeForm,
    objection_until: date,
    at: datetime,
) -> bool:
    """False when it was served before."""
    changed = await DB.count(
        INSERT_SERVING,
        county_id,
        new_id(),
        cycle_id,
        result.person_id,
        result.grid_code,
        result.grade,
        *server,
        objection_until,
        at,
        *msgspec.structs.astuple(form),
    )
    return changed == 1
