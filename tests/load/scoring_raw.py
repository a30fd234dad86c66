"""P10 from raw records: attendance, checks, ballots, trainings and work records of a county.

The product copies its inputs from the sources' views and scores them, one county after another as
in production; DuckDB does the same sums over the same rows and scores them with the same statement,
all counties at once. The raw rows are some ninety a worker; ``BENCH_RAW_COUNTIES`` names the sizes
that are measured one after another, "10,20,40" counties of 2,500.
"""

import asyncio
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import asyncpg
import duckdb

from appraisal.scorecard import scoring_queries

SIZES = [int(size) for size in os.environ.get("BENCH_RAW_COUNTIES", "10,20,40").split(",")]
"""Counties; the last is the figure that counts, the others show that it is linear."""
PEOPLE = 2_500
FIRST = 200_000
"""Codes of the counties with raw rows."""

# A worker's number n names the person, the grid, the post and the assignment; every id is made of
# it, so that rows need no lookup. ``$1`` is the county, ``$2`` how many workers.
ID = "('00000000-0000-4000-8000-' || lpad(to_hex({}), 12, '0'))::uuid"
PERSON, POST = ID.format("n"), ID.format("n + 1000000")
GRID = (
    "lpad($1::int::text, 6, '0') || lpad((n % 16)::text, 3, '0') || lpad((n / 100)::text, 3, '0')"
    " || lpad((n % 1000)::text, 3, '0')"
)
FACES = "('{100,100,80,80,80,60,20,0}'::smallint[])"
PRIMES = (1, 3, 5, 7, 11, 13)
PEOPLE_ROWS = "FROM generate_series(1, $2::int) AS n"
WORLD = (
    f"""INSERT INTO shared.unit (county_id, id, code, kind, grid_type, name, households)
    SELECT $1::int, {PERSON}, {GRID}, 'grid',
        (ARRAY['rural', 'rural', 'community', 'other'])[1 + n % 4], '网格', 100 {PEOPLE_ROWS}""",
    f"""INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials, phone_cipher,
        phone_hmac, phone_last4, employment_type, full_time, version, created_at)
    SELECT $1::int, {PERSON}, '张三', '', '', '', sha256(n::text::bytea), '0000', 'contract', true,
        1, now() {PEOPLE_ROWS}""",
    f"""INSERT INTO shared.post (county_id, id, unit_id, role, seat, grids)
    SELECT $1::int, {POST}, {PERSON}, 'gridworker', 1, '{{}}' {PEOPLE_ROWS}""",
    f"""INSERT INTO shared.assignment (county_id, id, post_id, person_id, valid_from, reason,
        recorded_at)
    SELECT $1::int, {POST}, {POST}, {PERSON}, '2025-01-01', '', now() {PEOPLE_ROWS}""",
    f"""INSERT INTO appraisal.attendance (county_id, id, person_id, village_code, month,
        rostered_days, duty_days, leave_days, note, version, current, reason, source, entered_at)
    SELECT $1::int, {ID.format("n * 100 + m")}, {PERSON}, left({GRID}, 12), 202600 + m, 22,
        18 + (n + m) % 5, 0,
        '', 1, true, '', 'form', now() {PEOPLE_ROWS}, generate_series(1, 6) AS m""",
    f"""INSERT INTO appraisal.random_check (county_id, id, title, unit_code, mode, first_day,
        last_day, people, per_person, inspectors, workers, records, value, value_source, state,
        opened_by, opened_at)
    SELECT $1::int, {ID.format("1")}, '', $1::int::text, 'paper', '2026-05-01', '2026-05-31',
        $2::int, 10, '{{}}',
        0, 0, '', '', 'drawn', {ID.format("1")}, now()""",
    f"""INSERT INTO appraisal.random_item (county_id, id, check_id, position, person_id,
        village_code, label, inspector)
    SELECT $1::int, {ID.format("n * 100 + k")}, {ID.format("1")}, n * 10 + k, {PERSON},
        left({GRID}, 12),
        '', '' {PEOPLE_ROWS}, generate_series(1, 10) AS k""",
    f"""INSERT INTO appraisal.random_result (county_id, id, item_id, version, current, correct,
        note, checked_on, checked_by, reason, source, entered_by, entered_at)
    SELECT $1::int, {ID.format("n * 100 + k")}, {ID.format("n * 100 + k")}, 1, true,
        (n * 7 + k) % 9 <> 0, '', '2026-05-31', '', '', 'form', {ID.format("1")}, now()
    {PEOPLE_ROWS}, generate_series(1, 10) AS k""",
    f"""INSERT INTO appraisal.training_session (county_id, id, unit_code, kind, title, held_on,
        hours, place, trainer, tested, state, reason, entered_at)
    SELECT $1::int, {ID.format("k")}, $1::int::text, 'classroom', 'k' || k, '2026-03-01', 4.0,
        '', '', true, 'held',
        '', now() FROM generate_series(1, 3) AS k WHERE $2::int > 0""",
    f"""INSERT INTO appraisal.training_attendance (county_id, id, session_id, person_id,
        village_code, present, test, version, current, reason, source, entered_at)
    SELECT $1::int, {ID.format("n * 100 + k")}, {ID.format("k")}, {PERSON}, left({GRID}, 12),
        (n + k) % 5 <> 0,
        CASE WHEN (n + k) % 5 <> 0 THEN 60 + (n * k) % 41 END, 1, true, '', 'form', now()
    {PEOPLE_ROWS}, generate_series(1, 3) AS k""",
    f"""INSERT INTO appraisal.survey_form (county_id, id, version, aspects, created_at)
    SELECT $1::int, {ID.format("1")}, 1, '[]', now() WHERE $2::int > 0""",
    f"""INSERT INTO appraisal.survey (county_id, id, cycle_id, form_id, state, per_grid, list_file,
        list_hash, households, value_source, frozen_by, frozen_at, public_value, seed, draw_hash,
        drawn_by, drawn_at, closed_by, closed_at)
    SELECT $1::int, {ID.format("1")}, '00000000-0000-0000-0000-000000000001', {ID.format("1")},
        'closed',
        30, '', '', 100, '', {ID.format("1")}, now(), 'x', 'x', 'x', {ID.format("1")}, now(),
        {ID.format("1")}, now() WHERE $2::int > 0""",
    f"""INSERT INTO appraisal.survey_grid (county_id, id, survey_id, grid_code, households)
    SELECT $1::int, {PERSON}, {ID.format("1")}, {GRID}, 100 {PEOPLE_ROWS}""",
    f"""INSERT INTO appraisal.ballot (county_id, id, survey_id, unit_code, aware, answers)
    SELECT $1::int, {ID.format("n * 100 + b")}, {ID.format("1")}, {GRID}, true,
        ARRAY[{", ".join(f"{FACES}[1 + (n * {k} + b * b + n / {k} * b) % 8]" for k in PRIMES)}]
    {PEOPLE_ROWS}, generate_series(1, 25) AS b""",
    f"""INSERT INTO points.work_record (county_id, id, worker_id, grid_code, rule_code,
        rule_version, category, work_date, run_month, declared_at, seq, text, text_key, quantity,
        source, fingerprint, state, recused, resident_how, reason, gives, posted)
    SELECT $1::int, {ID.format("n * 100 + m * 10 + k")}, {PERSON}, {GRID}, 'ORG-02', 1, 'ORG',
        make_date(2026, m, k * 4), 202600 + m, now(), k, '', '', 1, 'import', '', 'posted', '{{}}',
        '', '', 30, 10 + (n + m) % 20 {PEOPLE_ROWS}, generate_series(1, 6) AS m,
        generate_series(1, 6) AS k""",
)
COPIES = {
    "person": "SELECT county_id, id AS person_id, name, employment_type FROM shared.person",
    "assignment": "SELECT county_id, person_id, post_id, valid_from FROM shared.assignment",
    "post": "SELECT county_id, id, unit_id FROM shared.post",
    "unit": "SELECT county_id, id, code, grid_type FROM shared.unit",
    "attendance": "SELECT county_id, person_id, village_code, month, rostered_days, duty_days,"
    " leave_days, current FROM appraisal.attendance",
    "item": "SELECT county_id, id, check_id, person_id FROM appraisal.random_item",
    "checked": "SELECT county_id, id, state, last_day FROM appraisal.random_check",
    "result": "SELECT county_id, item_id, correct, current FROM appraisal.random_result",
    "session": "SELECT county_id, id, hours, held_on, state FROM appraisal.training_session",
    "training": "SELECT county_id, person_id, session_id, present, test, current"
    " FROM appraisal.training_attendance",
    "ballot": "SELECT county_id, unit_code, answers[1] AS a, answers[2] AS b, answers[3] AS c,"
    " answers[4] AS d, answers[5] AS e, answers[6] AS f FROM appraisal.ballot",
    "record": "SELECT county_id, worker_id, work_date, state, posted FROM points.work_record",
}
"""Raw rows for DuckDB: the same ones, with the columns that our statement looks at."""
MEAN = " + ".join(f"CASE WHEN {name} > 0 THEN {name} ELSE 0 END" for name in "abcdef")
RATED = " + ".join(f"({name} > 0)::int" for name in "abcdef")
ASPECTS = ", ".join(f"avg(CASE WHEN {name} > 0 THEN {name} END) AS {name}" for name in "abcdef")
GATHERED = f"""
CREATE OR REPLACE TABLE input AS
WITH attended AS (
    SELECT county_id, person_id, (sum(rostered_days) * 10)::int AS rostered,
           (sum(duty_days) * 10)::int AS on_duty, (sum(leave_days) * 10)::int AS on_leave,
           6 - count(DISTINCT month) AS missing_months
    FROM attendance WHERE current AND month BETWEEN 202601 AND 202606 GROUP BY ALL
), checks AS (
    SELECT i.county_id, i.person_id, count(*)::int AS total,
           (count(*) FILTER (r.correct))::int AS good
    FROM checked k
    JOIN item i ON i.county_id = k.county_id AND i.check_id = k.id
    JOIN result r ON r.county_id = i.county_id AND r.item_id = i.id
    WHERE k.state = 'drawn' AND k.last_day BETWEEN DATE '2026-01-01' AND DATE '2026-06-30'
      AND r.current
    GROUP BY ALL
), trained AS (
    SELECT t.county_id, t.person_id, (100 * sum(s.hours) FILTER (t.present))::int AS hours,
           round(avg(t.test) * 100)::int AS test
    FROM session s
    JOIN training t ON t.county_id = s.county_id AND t.session_id = s.id
    WHERE s.state = 'held' AND s.held_on BETWEEN DATE '2026-01-01' AND DATE '2026-06-30'
      AND t.current
    GROUP BY ALL
), rated AS (
    SELECT county_id, unit_code, (count(*) FILTER ({RATED} > 0))::int AS ballots, {ASPECTS},
           stddev_samp(({MEAN}) / nullif({RATED}, 0)) AS spread
    FROM ballot GROUP BY ALL
), liked AS (
    SELECT county_id, unit_code, ballots,
           floor((a + b + c + d + e + f) / 6 * 10 + 0.5 + 1e-9)::int AS satisfaction,
           round(2.063899 * spread / sqrt(ballots) * sqrt(0.75) * 10)::int AS half_width
    FROM rated
), earned AS (
    SELECT county_id, worker_id AS person_id, sum(posted)::int AS awarded
    FROM record
    WHERE state = 'posted' AND work_date BETWEEN DATE '2026-01-01' AND DATE '2026-06-30'
    GROUP BY ALL
)
SELECT s.county_id, '00000000-0000-0000-0000-000000000002'::uuid AS run_id, s.person_id, n.name,
       u.code AS grid_code, u.grid_type, n.employment_type, 181 AS days,
       CASE WHEN u.grid_type = 'rural' THEN 181 ELSE 0 END AS days_rural,
       CASE WHEN u.grid_type = 'community' THEN 181 ELSE 0 END AS days_community,
       CASE WHEN u.grid_type = 'other' THEN 181 ELSE 0 END AS days_other, 1 AS grids,
       a.rostered, a.on_duty, a.on_leave, a.missing_months, 0 AS failed_checks,
       NULL::int AS orders_total, NULL::int AS orders_good, k.total AS data_total,
       k.good AS data_good, NULL::int AS settled_total, NULL::int AS settled_good,
       l.satisfaction, l.half_width, l.ballots, e.awarded, 0 AS deducted, t.hours,
       1200 AS hours_required, t.test, 0 AS commended_township, 0 AS commended_county,
       false AS veto, '' AS veto_reason, NULL::int AS first_final
FROM assignment s
JOIN post p ON p.county_id = s.county_id AND p.id = s.post_id
JOIN unit u ON u.county_id = p.county_id AND u.id = p.unit_id
JOIN person n ON n.county_id = s.county_id AND n.person_id = s.person_id
LEFT JOIN attended a ON a.county_id = s.county_id AND a.person_id = s.person_id
LEFT JOIN checks k ON k.county_id = s.county_id AND k.person_id = s.person_id
LEFT JOIN trained t ON t.county_id = s.county_id AND t.person_id = s.person_id
LEFT JOIN liked l ON l.county_id = s.county_id AND l.unit_code = u.code
LEFT JOIN earned e ON e.county_id = s.county_id AND e.person_id = s.person_id
"""
RUN = "INSERT INTO run VALUES (?, '00000000-0000-0000-0000-000000000002', 181, false)"


class Took(NamedTuple):
    """Seconds on the wall and of CPU: on a shared machine only the second is our own."""

    wall: float
    cpu: float


class Bench(Protocol):
    """What the caller's bench offers."""

    folder: Path
    superuser: str
    counties: list[int]
    figures: dict[str, list[float]]

    def note(self, row: str, figure: float) -> None: ...
    async def lanes(self, counties: Sequence[int], work: Any) -> Took: ...
    def compared(self, row: str, baseline: str, ours: Took, theirs: Took, size: str) -> None: ...
    async def runs(self, owner: asyncpg.Connection, counties: list[int], people: int) -> None: ...


async def build(address: str, counties: list[int]) -> None:
    """Raw rows of the counties, without the triggers that ask each row; cycles are there."""

    async def lane(own: list[int]) -> None:
        connection = await asyncpg.connect(address)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET synchronous_commit = off")
        for county in own:
            for statement in WORLD:
                await connection.execute(statement, county, PEOPLE)
        await connection.close()

    await asyncio.gather(lane(counties[::2]), lane(counties[1::2]))


async def settle(address: str) -> None:
    """What autovacuum and a checkpoint would have done by the end of a half-year."""
    connection = await asyncpg.connect(address)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def duck(bench: Bench, owner: asyncpg.Connection, size: int) -> duckdb.DuckDBPyConnection:
    """DuckDB with copies of the raw rows."""
    (bench.folder / "raw.duckdb").unlink(missing_ok=True)
    db = duckdb.connect(str(bench.folder / "raw.duckdb"))
    db.execute("SET threads = 2")
    for name, query in COPIES.items():
        path = bench.folder / f"{name}.csv"
        wanted = f"{query} WHERE county_id >= {FIRST} AND county_id < {FIRST + size}"
        await owner.copy_from_query(wanted, output=path, format="csv", header=True)
        text = {"unit": "code", "ballot": "unit_code", "attendance": "village_code"}.get(name)
        columns = f", types = {{'{text}': 'VARCHAR'}}" if text else ""
        db.execute(
            f"CREATE TABLE {name} AS SELECT * FROM read_csv('{path}', header = true{columns})"
        )
        path.unlink()
    db.execute("CREATE TABLE run (county_id int, id uuid, period_days int, annual boolean)")
    db.executemany(RUN, [[FIRST + number] for number in range(size)])
    return db


async def measure(bench: Bench, owner: asyncpg.Connection, score: str, rounds: int) -> None:
    """P10 from raw at each size, in turn with B4 from raw; both sides' results are compared."""
    await owner.execute("TRUNCATE appraisal.score, appraisal.ranking, appraisal.input")
    built: list[int] = []
    for size in SIZES:
        more = [FIRST + number for number in range(len(built), size)]
        await bench.runs(owner, more, PEOPLE)
        print(f"building raw rows of {len(more)} more counties …", flush=True)
        await build(bench.superuser, more)
        await settle(bench.superuser)
        built += more
        name = "" if size == SIZES[-1] else f" of {size}"
        db = await duck(bench, owner, size)
        for _ in range(rounds):
            await turn(bench, owner, db, score, built, name)
        db.close()
    per_worker = [
        statistics.median(bench.figures[f"P10_raw{name} cpu s"]) / size
        for name, size in ((f" of {SIZES[0]}", SIZES[0]), ("", SIZES[-1]))
    ]
    bench.note("P10_raw largest ÷ smallest, cpu", per_worker[1] / per_worker[0])


async def turn(
    bench: Bench,
    owner: asyncpg.Connection,
    db: duckdb.DuckDBPyConnection,
    score: str,
    counties: list[int],
    name: str,
) -> None:
    """One pass of DuckDB, one of ours; the same grades and scores come out."""

    async def product(own: list[int], runs: list[UUID]) -> None:
        await scoring_queries.gather(own[0], runs[0])
        await scoring_queries.score(own, runs)

    await owner.execute("TRUNCATE appraisal.score, appraisal.input")
    began, cpu = perf_counter(), process_time()
    db.execute(GATHERED)
    db.execute(f"CREATE OR REPLACE TABLE score AS {score}")
    db.execute("CHECKPOINT")
    theirs_took = Took(perf_counter() - began, process_time() - cpu)
    ours_took = await bench.lanes(counties, product)
    bench.compared("P10_raw", "B4_raw", ours_took, theirs_took, name)
    ours = await owner.fetch(
        "SELECT grade, count(*) AS n, sum(final) AS sum FROM appraisal.score"
        " WHERE county_id = ANY($1) GROUP BY 1 ORDER BY 1",
        counties,
    )
    theirs = db.execute("SELECT grade, count(*), sum(final) FROM score GROUP BY 1 ORDER BY 1")
    found = theirs.fetchall()
    assert [tuple(row) for row in ours] == found, (ours, found)
