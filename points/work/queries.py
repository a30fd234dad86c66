"""Statements of work. ``$1`` is the county everywhere."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from points.work.rules import PostHeld, State
from points.work.schemas import Excluding, Line, NewRecord, NewStep, Record, StepRow, Totals
from shared.database import DB

RECORD = """
SELECT id, worker_id, grid_code, rule_code, rule_version, category, work_date, run_month,
       declared_at, text, quantity, source, entered_by, fingerprint, state, repeats, recused,
       resident_how, reason, gives, posted, decision::text AS decision, posted_at, photo
FROM points.work_record
"""
INSERT_RECORDS = """
INSERT INTO points.work_record (county_id, id, worker_id, grid_code, rule_code, rule_version,
    category, work_date, run_month, declared_at, seq, text, text_key, quantity, household, photo,
    source, entered_by, fingerprint, state, repeats, recused, resident_how, reason, gives, posted)
SELECT $1, r.id, r.worker_id, r.grid_code, r.rule_code, r.rule_version, r.category, r.work_date,
       r.run_month, r.declared_at, r.seq, r.text, r.text_key, r.quantity, r.household, r.photo,
       r.source, r.entered_by, r.fingerprint, r.state, NULL, '{}', '', '',
       r.gives, 0
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::text[], $8::date[],
            $9::int[], $10::timestamptz[], $11::int8[], $12::text[], $13::text[], $14::int[],
            $15::text[], $16::bytea[], $17::text[], $18::uuid[], $19::bytea[], $20::text[],
            $21::int8[])
    AS r (id, worker_id, grid_code, rule_code, rule_version, category, work_date, run_month,
          declared_at, seq, text, text_key, quantity, household, photo, source, entered_by,
          fingerprint, state, gives)
"""
INSERT_STEPS = """
INSERT INTO points.verification (county_id, id, record_id, step, role, unit_code, grid_code,
    verdict, authority, via)
SELECT $1, s.id, s.record_id, s.step, s.role, s.unit_code, s.grid_code, 'open', '', ''
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS s (id, record_id, step, role, unit_code, grid_code)
"""
STEPS = """
SELECT v.id, v.record_id, v.step, v.role, v.unit_code, v.grid_code, v.verdict, v.by_id,
       p.name AS by_name, v.authority, v.via, v.at
FROM points.verification v
LEFT JOIN shared.person p ON p.county_id = $1 AND p.id = v.by_id
WHERE v.county_id = $1 AND v.record_id = ANY($2::uuid[])
ORDER BY v.record_id, v.step
"""
ANSWER_STEPS = """
UPDATE points.verification
SET verdict = $4, by_id = $5, authority = $6, via = $7, at = $8
WHERE county_id = $1 AND record_id = $2 AND step = ANY($3::text[]) AND verdict = 'open'
"""
MOVE_STEPS = """
UPDATE points.verification v SET role = n.role, unit_code = n.unit_code, grid_code = n.grid_code
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS n (id, role, unit_code, grid_code)
WHERE v.county_id = $1 AND v.id = n.id AND v.verdict = 'open'
"""
ROLL = """
SELECT a.person_id, p.name, t.role, u.code AS unit_code, t.grids
FROM shared.assignment a
JOIN shared.post t ON t.county_id = $1 AND t.id = a.post_id
JOIN shared.unit u ON u.county_id = $1 AND u.id = t.unit_id
JOIN shared.person p ON p.county_id = $1 AND p.id = a.person_id
WHERE a.county_id = $1 AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to > $2)
  AND t.role = ANY($3::text[])
  AND ($4 = '' OR starts_with($4, u.code))
ORDER BY u.code COLLATE "C", t.role, t.seat
"""
STATE = """
UPDATE points.work_record
SET state = $3, reason = $4, resident_how = CASE WHEN $5 = '' THEN resident_how ELSE $5 END,
    accepted_at = CASE WHEN $3 = 'accepted' THEN $6 ELSE accepted_at END
WHERE county_id = $1 AND id = $2
"""
REPEATS = """
SELECT r.id, e.id AS earlier
FROM points.work_record r
JOIN LATERAL (
    SELECT o.id FROM points.work_record o
    WHERE o.county_id = $1 AND o.grid_code = r.grid_code AND o.rule_code = r.rule_code
      AND o.text_key = r.text_key AND o.id <> r.id
      AND o.work_date BETWEEN r.work_date - $3::int AND r.work_date
      AND o.state IN ('accepted', 'posted') AND o.repeats IS NULL
      AND (o.work_date, o.declared_at, o.seq, o.id) < (r.work_date, r.declared_at, r.seq, r.id)
    ORDER BY o.work_date DESC, o.id LIMIT 1) e ON true
WHERE r.county_id = $1 AND r.id = ANY($2::uuid[])
"""
MARK_REPEATS = """
UPDATE points.work_record r SET repeats = n.earlier
FROM unnest($2::uuid[], $3::uuid[]) AS n (id, earlier)
WHERE r.county_id = $1 AND r.id = n.id
"""
TOTALS = """
SELECT COALESCE(sum(gives) FILTER (WHERE state = 'pending'), 0)::int8 AS pending,
       COALESCE(sum(gives) FILTER (WHERE state = 'accepted'), 0)::int8 AS accepted,
       COALESCE(sum(COALESCE(wallet, posted))
           FILTER (WHERE state = 'posted' AND work_date >= $3 AND work_date < $4),
                0)::int8 AS posted
FROM points.work_record
WHERE county_id = $1 AND worker_id = $2
"""
LINE = """
SELECT r.id, r.worker_id, w.name AS worker_name, r.grid_code, g.name AS grid_name, r.rule_code,
       r.category, r.work_date, r.declared_at, r.text, r.quantity, r.state, r.source, r.entered_by,
       r.repeats, r.resident_how, r.reason, r.gives, r.posted, r.wallet,
       r.decision->>'words' AS words,
       r.photo IS NOT NULL AS has_photo, v.name AS verified_by, v.at AS verified_at, r.posted_at,
       r.run_month
FROM points.work_record r
JOIN shared.person w ON w.county_id = $1 AND w.id = r.worker_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = r.grid_code
LEFT JOIN LATERAL (
    SELECT p.name, s.at FROM points.verification s
    JOIN shared.person p ON p.county_id = $1 AND p.id = s.by_id
    WHERE s.county_id = $1 AND s.record_id = r.id AND s.verdict <> 'open'
    ORDER BY s.at DESC LIMIT 1) v ON true
WHERE r.county_id = $1
"""
LINES_OF_WORKER = (
    LINE
    + """
  AND r.worker_id = $2 AND ($3::uuid IS NULL OR r.id < $3)
  AND ($4 = '' OR r.state = $4) ORDER BY r.id DESC LIMIT $5
"""
)
LINES_OF_RUN = (
    LINE
    + """
  AND r.run_month = $2 AND starts_with(r.grid_code, $3) AND r.worker_id = $4 AND r.state = $5
ORDER BY r.work_date, r.declared_at, r.seq, r.id
"""
)
LINES_BY_ID = LINE + " AND r.id = ANY($2::uuid[]) ORDER BY r.work_date, r.declared_at, r.seq, r.id"
# A month and a unit are a range of the index of runs.
RETURNED_PAPERS = (
    LINE
    + """
  AND r.id IN (
    SELECT w.id FROM unnest($2::text[]) AS c CROSS JOIN generate_series($3::int, $4::int) AS month
    JOIN points.work_record w ON w.county_id = $1 AND w.run_month = month
      AND w.grid_code COLLATE "C" BETWEEN c AND c || '~'
    WHERE w.state = 'returned' AND w.source = 'proxy')
ORDER BY r.work_date, r.id LIMIT $5
"""
)
OPEN_FOR = (
    LINE
    + """
  AND r.state = 'pending' AND EXISTS (
    SELECT FROM points.verification s
    JOIN unnest($2::text[], $3::text[]) AS d (role, unit_code)
        ON d.role = s.role AND d.unit_code = s.unit_code
    WHERE s.county_id = $1 AND s.record_id = r.id AND s.verdict = 'open'
      AND (s.grid_code = '' OR s.role <> 'lead' OR s.grid_code = ANY($4::text[])))
  AND r.worker_id <> $5 AND r.entered_by IS DISTINCT FROM $5 AND $5 <> ALL(r.recused)
ORDER BY r.work_date, r.declared_at, r.seq, r.id LIMIT $6
"""
)
COUNT_OPEN_FOR = """
SELECT count(*) FROM points.work_record r
WHERE r.county_id = $1 AND r.state = 'pending' AND EXISTS (
    SELECT FROM points.verification s
    JOIN unnest($2::text[], $3::text[]) AS d (role, unit_code)
        ON d.role = s.role AND d.unit_code = s.unit_code
    WHERE s.county_id = $1 AND s.record_id = r.id AND s.verdict = 'open'
      AND (s.grid_code = '' OR s.role <> 'lead' OR s.grid_code = ANY($4::text[])))
  AND r.worker_id <> $5 AND r.entered_by IS DISTINCT FROM $5 AND $5 <> ALL(r.recused)
"""
# By when the person answered, whatever others did to the record since; a sheet or a batch answers
# many in one instant.
DONE_BY = """
WITH own AS (
    SELECT record_id AS id, max(at) AS at FROM points.verification
    WHERE county_id = $1 AND by_id = $2 AND verdict <> 'open' GROUP BY record_id
)
SELECT id, at FROM own
WHERE $3::uuid IS NULL OR (at, id) < (SELECT at, id FROM own WHERE id = $3)
ORDER BY at DESC, id DESC LIMIT $4
"""
CHECKED_BEFORE = """
SELECT EXISTS (
    SELECT FROM points.work_record r
    JOIN points.verification v ON v.county_id = $1 AND v.record_id = r.id AND v.step = 'check'
    WHERE r.county_id = $1 AND r.worker_id = $2 AND (r.id = $5 OR (r.work_date = $3
        AND r.rule_code = $4 AND r.state IN ('returned', 'withdrawn'))))
"""
# Few steps are open, whatever the years before, and a step waits at its record's unit or above.
OPEN_STEPS = """
SELECT v.id, v.record_id, v.step, v.role, v.unit_code, v.grid_code, v.verdict, v.by_id,
       NULL::text AS by_name, v.authority, v.via, v.at
FROM points.verification v
JOIN points.work_record r ON r.county_id = $1 AND r.id = v.record_id
WHERE v.county_id = $1 AND v.verdict = 'open' AND r.state = 'pending'
  AND (starts_with(v.unit_code, $2) OR starts_with($2, v.unit_code))
  AND starts_with(r.grid_code, $2)
ORDER BY v.record_id, v.step
"""
EXCLUDING = """
SELECT r.id, r.worker_id, r.grid_code, r.entered_by, r.recused,
       p.employment_type = 'cadre' AS cadre,
       ARRAY(SELECT v.by_id FROM points.verification v WHERE v.county_id = $1
             AND v.record_id = r.id AND v.verdict = 'approve' AND v.by_id IS NOT NULL) AS confirmed
FROM unnest($2::uuid[]) AS x (id)
JOIN points.work_record r ON r.county_id = $1 AND r.id = x.id
JOIN shared.person p ON p.county_id = $1 AND p.id = r.worker_id
WHERE r.state = 'pending'
"""
RECUSE = """
UPDATE points.work_record SET recused = array_append(recused, $3)
WHERE county_id = $1 AND id = $2 AND $3 <> ALL(recused)
"""
LAST_GRID = """
SELECT grid_code FROM points.work_record
WHERE county_id = $1 AND worker_id = $2 AND COALESCE(entered_by, worker_id) = $3
  AND source <> 'import' AND declared_at >= $4
ORDER BY id DESC LIMIT 1
"""
RECENT_TEXTS = """
SELECT text FROM points.work_record
WHERE county_id = $1 AND worker_id = $2 AND rule_code = $3 AND state <> 'refused'
GROUP BY text ORDER BY max(declared_at) DESC LIMIT 3
"""


async def lock_worker(county_id: int, worker_id: UUID) -> None:
    """One declaration or posting of a worker at a time; released with the transaction."""
    await DB.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($2::uuid::text, $1::int))",
        county_id,
        worker_id,
    )


async def record(county_id: int, record_id: UUID) -> Record | None:
    sql = RECORD + " WHERE county_id = $1 AND id = $2"
    return await DB.one(Record, sql, county_id, record_id)


async def lock_record(county_id: int, record_id: UUID) -> Record | None:
    sql = RECORD + " WHERE county_id = $1 AND id = $2 FOR UPDATE"
    return await DB.one(Record, sql, county_id, record_id)


async def insert_records(county_id: int, rows: Sequence[NewRecord]) -> None:
    names = NewRecord.__struct_fields__
    await DB.execute(INSERT_RECORDS, county_id, *([getattr(r, n) for r in rows] for n in names))


async def insert_steps(county_id: int, rows: Sequence[NewStep]) -> None:
    names = NewStep.__struct_fields__
    await DB.execute(INSERT_STEPS, county_id, *([getattr(r, n) for r in rows] for n in names))


async def steps(county_id: int, record_ids: Sequence[UUID]) -> list[StepRow]:
    return await DB.all(StepRow, STEPS, county_id, list(record_ids))


async def open_steps(county_id: int, code: str) -> list[StepRow]:
    return await DB.all(StepRow, OPEN_STEPS, county_id, code)


async def excluding(county_id: int, records: Iterable[UUID]) -> dict[UUID, Excluding]:
    """Those of the records that are pending, with who may not confirm them."""
    rows = await DB.all(Excluding, EXCLUDING, county_id, sorted(set(records)))
    return {row.id: row for row in rows}


async def recuse(county_id: int, record_id: UUID, person_id: UUID) -> None:
    await DB.execute(RECUSE, county_id, record_id, person_id)


async def answer_steps(
    county_id: int,
    record_id: UUID,
    names: Sequence[str],
    verdict: str,
    by: tuple[UUID | None, str, str, datetime],
) -> None:
    """``by`` is (person, authority, via, at)."""
    await DB.execute(ANSWER_STEPS, county_id, record_id, list(names), verdict, *by)


async def move_steps(county_id: int, rows: Sequence[NewStep]) -> None:
    await DB.execute(
        MOVE_STEPS,
        county_id,
        [row.id for row in rows],
        [row.role for row in rows],
        [row.unit_code for row in rows],
        [row.grid_code for row in rows],
    )


async def roll(county_id: int, on: date, roles: Sequence[str], below: str = "") -> list[PostHeld]:
    """Holders of the roles on a day; with ``below``, only at units that stand above that code."""
    rows = await DB.fetch(ROLL, county_id, on, list(roles), below)
    return [msgspec.convert(dict(row), PostHeld) for row in rows]


async def set_state(
    county_id: int,
    record_id: UUID,
    state: State,
    at: datetime,
    *,
    reason: str = "",
    resident_how: str = "",
) -> None:
    await DB.execute(STATE, county_id, record_id, state, reason, resident_how, at)


async def mark_repeats(county_id: int, ids: Sequence[UUID], days: int) -> int:
    """Flag records that repeat an accepted one; how many were."""
    found = await DB.fetch(REPEATS, county_id, list(ids), days)
    await DB.execute(
        MARK_REPEATS, county_id, [row["id"] for row in found], [row["earlier"] for row in found]
    )
    return len(found)


async def totals(county_id: int, worker_id: UUID, first: date, after: date) -> Totals:
    found = await DB.one(Totals, TOTALS, county_id, worker_id, first, after)
    return found or Totals(pending=0, accepted=0, posted=0)


async def lines_of_worker(
    county_id: int, worker_id: UUID, before: UUID | None, state: str, limit: int
) -> list[Line]:
    return await DB.all(Line, LINES_OF_WORKER, county_id, worker_id, before, state, limit)


async def lines_of_run(
    county_id: int, month: int, code: str, worker_id: UUID, state: State
) -> list[Line]:
    """A worker's records of a unit's run."""
    return await DB.all(Line, LINES_OF_RUN, county_id, month, code, worker_id, state)


async def lines(county_id: int, ids: Sequence[UUID]) -> list[Line]:
    return await DB.all(Line, LINES_BY_ID, county_id, list(ids))


async def returned_papers(
    county_id: int, codes: Sequence[str], months: tuple[int, int], limit: int
) -> list[Line]:
    """Paper slips of units, keyed in and sent back, of runs from the first month to the last."""
    return await DB.all(Line, RETURNED_PAPERS, county_id, list(codes), *months, limit)


async def open_for(
    county_id: int, duties: Sequence[tuple[str, str]], grids: Sequence[str], me: UUID, limit: int
) -> list[Line]:
    """Pending records with a step that waits for one of the duties (role, unit)."""
    roles, units = [role for role, _ in duties], [unit for _, unit in duties]
    return await DB.all(Line, OPEN_FOR, county_id, roles, units, list(grids), me, limit)


async def count_open_for(
    county_id: int, duties: Sequence[tuple[str, str]], grids: Sequence[str], me: UUID
) -> int:
    roles, units = [role for role, _ in duties], [unit for _, unit in duties]
    return int(await DB.fetchval(COUNT_OPEN_FOR, county_id, roles, units, list(grids), me))


async def done_by(county_id: int, person_id: UUID, after: UUID | None, limit: int) -> list[Line]:
    """Records a person answered, latest first; ``verified_at`` is when that person did."""
    own = {
        row["id"]: row["at"] for row in await DB.fetch(DONE_BY, county_id, person_id, after, limit)
    }
    found = {line.id: line for line in await lines(county_id, list(own))}
    return [msgspec.structs.replace(found[key], verified_at=at) for key, at in own.items()]


async def recent_texts(county_id: int, worker_id: UUID, rule_code: str) -> list[str]:
    rows = await DB.fetch(RECENT_TEXTS, county_id, worker_id, rule_code)
    return [row["text"] for row in rows]


async def checked_before(
    county_id: int, worker_id: UUID, on: date, rule_code: str, replaces: UUID | None
) -> bool:
    """Whether a check waited for a record that this one would stand in for."""
    return bool(await DB.fetchval(CHECKED_BEFORE, county_id, worker_id, on, rule_code, replaces))


async def last_grid(
    county_id: int, worker_id: UUID, writer_id: UUID, since: datetime
) -> str | None:
    """The grid of the worker's record that this person wrote last."""
    found: str | None = await DB.fetchval(LAST_GRID, county_id, worker_id, writer_id, since)
    return found


async def same_record(
    county_id: int, worker_id: UUID, on: date, rule_code: str, key: str
) -> str | None:
    """The grid of the standing record equal in worker, date, rule and text."""
    found: str | None = await DB.fetchval(
        "SELECT grid_code FROM points.work_record WHERE county_id = $1 AND worker_id = $2"
        " AND work_date = $3 AND rule_code = $4 AND text_key = $5"
        " AND standing",
        county_id,
        worker_id,
        on,
        rule_code,
        key,
    )
    return found
