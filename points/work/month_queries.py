"""Statements of the month and of objections. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.database import DB


class MonthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One village's month as stored; without more, as it begins."""

    id: UUID
    village_code: str
    month: int
    state: str = "collecting"
    committee_id: UUID | None = None
    supervisor_id: UUID | None = None
    sampler_id: UUID | None = None
    sample: list[str] = []
    notice_from: date | None = None
    notice_to: date | None = None
    posted_at: datetime | None = None


class MonthCount(msgspec.Struct, frozen=True, kw_only=True):
    """A village's run in figures; ``points`` is 0.1 point, before caps unless posted."""

    village_code: str
    village_name: str
    township_name: str
    state: str
    pending: int
    accepted: int
    posted: int
    points: int
    notice_to: date | None
    objections: int


class WorkerCategory(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's records of a category in a run; ``points`` are those posted, 0.1 point."""

    worker_id: UUID
    name: str
    grid_code: str
    grid_name: str
    category: str
    records: int
    points: int


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice said when it began; names are masked."""

    village_name: str
    days: int
    """Working days that it hung."""
    workers: list[WorkerCategory]


class ObjectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An objection with the names it concerns."""

    id: UUID
    record_id: UUID
    worker_id: UUID
    worker_name: str
    village_code: str
    place: str
    """The township and the village."""
    record_text: str
    record_state: str
    by_public: bool
    text: str
    state: str
    raised_at: datetime
    due_on: date
    answer: str
    answered_by: UUID | None
    answered_at: datetime | None
    review_text: str
    review_due_on: date | None
    review_answer: str
    mixed_up: tuple[UUID, ...]
    """Who refused the record, or left it to others."""


MONTH = """
SELECT id, village_code, month, state, committee_id, supervisor_id, sampler_id, sample, notice_from,
       notice_to, posted_at
FROM points.village_month
"""
ENSURE = """
INSERT INTO points.village_month (county_id, id, village_code, month, state, sample)
VALUES ($1, $2, $3, $4, 'collecting', '{}') ON CONFLICT DO NOTHING
"""
SAVE = """
UPDATE points.village_month
SET state = $3, committee_id = $4, supervisor_id = $5, reviewed_at = COALESCE(reviewed_at, $6),
    sampler_id = $7, sample = $8, notice_from = $9, notice_to = $10, posted_at = $11
WHERE county_id = $1 AND id = $2
"""
PUBLISH = """
UPDATE points.village_month SET published = $3::jsonb WHERE county_id = $1 AND id = $2
"""
# Records are added up before they meet the villages: a county has hundreds of those, and thousands
# of these a month. A village's page reads its own part of the index, give or take.
# A village that was merged since still owes the months in which somebody worked there.
COUNTS = """
WITH run AS (
    SELECT left(grid_code, 12) AS village_code,
           count(*) FILTER (WHERE state = 'pending') AS pending,
           count(*) FILTER (WHERE state = 'accepted') AS accepted,
           count(*) FILTER (WHERE state = 'posted') AS posted,
           sum(CASE state WHEN 'posted' THEN posted WHEN 'accepted' THEN gives END)::int8 AS points
    FROM points.work_record
    WHERE county_id = $1 AND run_month = $2
      AND grid_code COLLATE "C" BETWEEN (SELECT min(c COLLATE "C") FROM unnest($3::text[]) c)
          AND (SELECT max(c COLLATE "C") || '~' FROM unnest($3::text[]) c)
    GROUP BY 1
), waiting AS (
    SELECT village_code, count(*) AS objections FROM points.objection
    WHERE county_id = $1 AND state IN ('open', 'review') GROUP BY 1
)
SELECT u.code AS village_code, u.name AS village_name,
       (SELECT t.name FROM shared.unit t WHERE t.county_id = $1 AND t.code = left(u.code, 9))
           AS township_name,
       COALESCE(m.state, 'collecting') AS state,
       COALESCE(r.pending, 0) AS pending, COALESCE(r.accepted, 0) AS accepted,
       COALESCE(r.posted, 0) AS posted, COALESCE(r.points, 0) AS points, m.notice_to,
       COALESCE(o.objections, 0) AS objections
FROM shared.unit u
LEFT JOIN points.village_month m
    ON m.county_id = $1 AND m.village_code = u.code AND m.month = $2
LEFT JOIN run r ON r.village_code = u.code
LEFT JOIN waiting o ON o.village_code = u.code
WHERE u.county_id = $1 AND u.kind = 'village'
  AND (u.closed_on IS NULL OR r.village_code IS NOT NULL) AND u.code ^@ ANY ($3::text[])
ORDER BY u.code COLLATE "C"
"""
# Months with something to sign for: confirmed records that no review has taken up, or a sample. A
# month and a unit are a range of the index; three months of the county are a hundred thousand rows.
UNFINISHED = """
SELECT r.village_code, r.month FROM (
    SELECT DISTINCT left(w.grid_code, 12) AS village_code, w.run_month AS month
    FROM unnest($2::text[]) AS c CROSS JOIN generate_series($3::int, $4::int) AS month
    JOIN points.work_record w ON w.county_id = $1 AND w.run_month = month
      AND w.grid_code COLLATE "C" BETWEEN c AND c || '~' AND w.state = 'accepted') AS r
LEFT JOIN points.village_month m ON m.county_id = $1 AND m.village_code = r.village_code
  AND m.month = r.month
WHERE m.state IS NULL OR m.state IN ('collecting', 'reviewing')
"""
SAMPLING = """
SELECT month FROM points.village_month
WHERE county_id = $1 AND state = 'sampling'
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(village_code, c))
"""
BY_WORKER = """
SELECT r.worker_id, w.name, r.grid_code, COALESCE(g.name, r.grid_code) AS grid_name, r.category,
       count(*) AS records, sum(r.posted)::int8 AS points
FROM points.work_record r
JOIN shared.person w ON w.county_id = $1 AND w.id = r.worker_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = r.grid_code
WHERE r.county_id = $1 AND r.run_month = $2 AND starts_with(r.grid_code, $3)
  AND r.state IN ('accepted', 'posted')
GROUP BY r.worker_id, w.name, g.name, r.grid_code, r.category
ORDER BY r.grid_code COLLATE "C", w.name, r.worker_id, r.category
"""
IN_RUN = """
SELECT r.id FROM points.work_record r
WHERE r.county_id = $1 AND r.run_month = $2 AND starts_with(r.grid_code, $3) AND r.state = $4
  AND NOT EXISTS (SELECT FROM points.objection o WHERE o.county_id = $1 AND o.record_id = r.id
                  AND o.state IN ('open', 'review'))
ORDER BY r.worker_id, r.work_date, r.declared_at, r.seq, r.id
"""
# Answered objections, which the month was noticed and posted without, and what a run from paper
# that was killed has left of a month posted since $2. No index looks at a state, and three years
# are millions of rows: so each is sought by its key, whatever the planner thinks of many keys.
LEFT_OVER = """
SELECT r.id, r.grid_code FROM (
    SELECT record_id AS id FROM points.objection
    WHERE county_id = $1 AND state NOT IN ('open', 'review')
    UNION
    SELECT w.id FROM points.village_month p
    CROSS JOIN LATERAL (
        SELECT id FROM points.work_record
        WHERE county_id = $1 AND run_month = p.month AND state = 'accepted'
          AND grid_code COLLATE "C" BETWEEN p.village_code AND p.village_code || '~' OFFSET 0) AS w
    WHERE p.county_id = $1 AND p.state = 'posted' AND p.posted_at >= $2) AS l
CROSS JOIN LATERAL (
    SELECT id, grid_code, run_month FROM points.work_record
    WHERE county_id = $1 AND id = l.id AND state = 'accepted' OFFSET 0) AS r
JOIN points.village_month m ON m.county_id = $1 AND m.village_code = left(r.grid_code, 12)
    AND m.month = r.run_month AND m.state = 'posted'
WHERE NOT EXISTS (SELECT FROM points.objection o WHERE o.county_id = $1 AND o.record_id = r.id
                  AND o.state IN ('open', 'review'))
"""
MOVE_LATE = """
UPDATE points.work_record SET run_month = $3 WHERE county_id = $1 AND id = $2
"""
OF_RUN = """
SELECT id FROM points.work_record
WHERE county_id = $1 AND run_month = $2 AND starts_with(grid_code, $3) AND state = $4
"""
WORKERS_OF_RUN = """
SELECT DISTINCT worker_id FROM points.work_record
WHERE county_id = $1 AND run_month = $2 AND starts_with(grid_code, $3)
  AND state IN ('accepted', 'posted')
"""
# In the order in which the sheets of a month are entered, so that the two wait for each other.
MOVE_PENDING = """
WITH moved AS MATERIALIZED (
    SELECT id FROM points.work_record
    WHERE county_id = $1 AND run_month = $2 AND starts_with(grid_code, $3) AND state = 'pending'
    ORDER BY work_date, id FOR UPDATE
)
UPDATE points.work_record r SET run_month = $4 FROM moved
WHERE r.county_id = $1 AND r.id = moved.id
"""
NOTICE_ENDED = (
    MONTH
    + """
WHERE county_id = $1 AND state = 'notice' AND notice_to < $2
ORDER BY month, village_code COLLATE "C"
"""
)
MIXED_UP = """
r.recused || ARRAY(SELECT v.by_id FROM points.verification v WHERE v.county_id = $1
    AND v.record_id = r.id AND v.verdict = 'refuse' AND v.by_id IS NOT NULL)
"""
MIXED_UP_IN = f"SELECT {MIXED_UP} FROM points.work_record r WHERE r.county_id = $1 AND r.id = $2"
OBJECTION = f"""
SELECT o.id, o.record_id, o.worker_id, w.name AS worker_name, o.village_code,
       concat(t.name, v.name) AS place, r.text AS record_text, r.state AS record_state,
       o.by_public, o.text, o.state, o.raised_at,
       o.due_on, o.answer, o.answered_by, o.answered_at, o.review_text, o.review_due_on,
       o.review_answer, {MIXED_UP} AS mixed_up
FROM points.objection o
JOIN shared.person w ON w.county_id = $1 AND w.id = o.worker_id
JOIN points.work_record r ON r.county_id = $1 AND r.id = o.record_id
JOIN shared.unit v ON v.county_id = $1 AND v.code = o.village_code
JOIN shared.unit t ON t.county_id = $1 AND t.code = left(o.village_code, 9)
WHERE o.county_id = $1
"""
INSERT_OBJECTION = """
INSERT INTO points.objection (county_id, id, record_id, worker_id, village_code, text, state,
    raised_at, due_on, by_public, answer, review_text, review_answer)
VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, '', '', '')
"""
ANSWER_OBJECTION = """
UPDATE points.objection SET state = $3, answer = $4, answered_by = $5, answered_at = $6
WHERE county_id = $1 AND id = $2 AND state = 'open'
"""
ASK_REVIEW = """
UPDATE points.objection SET state = 'review', review_text = $3, review_due_on = $4
WHERE county_id = $1 AND id = $2 AND state = $5
"""
ANSWER_REVIEW = """
UPDATE points.objection SET state = $3, review_answer = $4, reviewed_by = $5, reviewed_at = $6
WHERE county_id = $1 AND id = $2 AND state = 'review'
"""


async def ensure_month(county_id: int, month_id: UUID, village_code: str, month: int) -> None:
    await DB.execute(ENSURE, county_id, month_id, village_code, month)


async def month_row(
    county_id: int, village_code: str, month: int, *, lock: bool = False
) -> MonthRow | None:
    sql = MONTH + " WHERE county_id = $1 AND village_code = $2 AND month = $3"
    return await DB.one(
        MonthRow, sql + (" FOR UPDATE" if lock else ""), county_id, village_code, month
    )


async def save_month(county_id: int, row: MonthRow, at: datetime) -> None:
    await DB.execute(
        SAVE,
        county_id,
        row.id,
        row.state,
        row.committee_id,
        row.supervisor_id,
        at if row.committee_id and row.supervisor_id else None,
        row.sampler_id,
        row.sample,
        row.notice_from,
        row.notice_to,
        row.posted_at,
    )


async def publish(county_id: int, month_id: UUID, notice: Published) -> None:
    await DB.execute(PUBLISH, county_id, month_id, msgspec.json.encode(notice).decode())


async def published(county_id: int, month_id: UUID) -> Published | None:
    sql = "SELECT published FROM points.village_month WHERE county_id = $1 AND id = $2"
    found = await DB.fetchval(sql, county_id, month_id)
    return None if found is None else msgspec.json.decode(found, type=Published)


async def counts(county_id: int, month: int, codes: Sequence[str]) -> list[MonthCount]:
    return await DB.all(MonthCount, COUNTS, county_id, month, list(codes))


async def unfinished(
    county_id: int, codes: Sequence[str], first: int, last: int
) -> list[tuple[str, int]]:
    """Villages and months of work that wait for the village's review."""
    rows = await DB.fetch(UNFINISHED, county_id, list(codes), first, last)
    return [(row["village_code"], row["month"]) for row in rows]


async def sampling(county_id: int, codes: Sequence[str]) -> list[int]:
    """The month of each village's month that waits for the look at its sample."""
    return [row["month"] for row in await DB.fetch(SAMPLING, county_id, list(codes))]


async def by_worker(county_id: int, month: int, code: str) -> list[WorkerCategory]:
    return await DB.all(WorkerCategory, BY_WORKER, county_id, month, code)


async def in_run(county_id: int, month: int, code: str, state: str) -> list[UUID]:
    rows = await DB.fetch(IN_RUN, county_id, month, code, state)
    return [row["id"] for row in rows]


async def left_over(county_id: int, since: datetime) -> list[tuple[UUID, str]]:
    """Accepted records that their posted month waited for no longer: (id, grid).

    Without an objection only where the month was posted since then.
    """
    return [(row["id"], row["grid_code"]) for row in await DB.fetch(LEFT_OVER, county_id, since)]


async def move_to_run(county_id: int, record_id: UUID, month: int) -> None:
    await DB.execute(MOVE_LATE, county_id, record_id, month)


async def of_run(county_id: int, month: int, code: str, state: str) -> list[UUID]:
    rows = await DB.fetch(OF_RUN, county_id, month, code, state)
    return [row["id"] for row in rows]


async def workers_of_run(county_id: int, month: int, code: str) -> frozenset[UUID]:
    """Whose records a run would post."""
    rows = await DB.fetch(WORKERS_OF_RUN, county_id, month, code)
    return frozenset(row["worker_id"] for row in rows)


async def move_pending(county_id: int, month: int, code: str, to: int) -> None:
    await DB.execute(MOVE_PENDING, county_id, month, code, to)


async def notice_ended(county_id: int, on: date) -> list[MonthRow]:
    return await DB.all(MonthRow, NOTICE_ENDED, county_id, on)


async def objection(county_id: int, objection_id: UUID) -> ObjectionRow | None:
    return await DB.one(ObjectionRow, OBJECTION + " AND o.id = $2", county_id, objection_id)


async def mixed_up(county_id: int, record_id: UUID) -> set[UUID]:
    """Who refused a record, as its verifier or as sampled, or left it to others."""
    return set(await DB.fetchval(MIXED_UP_IN, county_id, record_id) or ())


async def objection_of(county_id: int, record_id: UUID) -> ObjectionRow | None:
    """The latest objection to a record."""
    sql = OBJECTION + " AND o.record_id = $2 ORDER BY o.id DESC LIMIT 1"
    return await DB.one(ObjectionRow, sql, county_id, record_id)


async def open_objections(county_id: int, codes: Sequence[str], state: str) -> list[ObjectionRow]:
    sql = (
        OBJECTION + " AND o.state = $3 AND EXISTS (SELECT FROM unnest($2::text[]) c"
        " WHERE starts_with(o.village_code, c)) ORDER BY o.due_on, o.id"
    )
    return await DB.all(ObjectionRow, sql, county_id, list(codes), state)


async def insert_objection(
    county_id: int, row: tuple[UUID, UUID, UUID, str, str, datetime, date, bool]
) -> None:
    """``row`` is (id, record, worker, village, text, raised at, due on, by the public)."""
    await DB.execute(INSERT_OBJECTION, county_id, *row)


async def answer_objection(
    county_id: int, objection_id: UUID, state: str, answer: str, by: tuple[UUID, datetime]
) -> None:
    await DB.execute(ANSWER_OBJECTION, county_id, objection_id, state, answer, *by)


async def ask_review(
    county_id: int, objection_id: UUID, text: str, due_on: date, state: str
) -> None:
    """``state``: which answer the review is asked about."""
    await DB.execute(ASK_REVIEW, county_id, objection_id, text, due_on, state)


async def answer_review(
    county_id: int, objection_id: UUID, state: str, answer: str, by: tuple[UUID, datetime]
) -> None:
    await DB.execute(ANSWER_REVIEW, county_id, objection_id, state, answer, *by)
