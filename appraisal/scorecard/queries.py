"""SQL of schemes, runs and calibrations. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from appraisal.scorecard.rules import GRADE_NAMES, Grade, Note, Scheme
from appraisal.scorecard.schemas import (
    CalibrationRow,
    Change,
    Facts,
    FirstHalf,
    RunRow,
    SchemeRow,
    Scores,
    Standing,
    Tally,
    Unappraised,
)
from appraisal.scorecard.scoring_queries import late_entries
from shared.database import DB
from shared.months import month_of
from shared.roster.schemas import Place

SCHEME = """
SELECT id, effective_on, body AS scheme, made_name, made_at, reason FROM appraisal.scheme
"""
SCHEME_AT = (
    SCHEME
    + """
WHERE county_id = $1 AND effective_on <= $2 ORDER BY effective_on DESC, made_at DESC LIMIT 1
"""
)
SCHEMES = SCHEME + "WHERE county_id = $1 ORDER BY effective_on DESC, made_at DESC LIMIT 100"
INSERT_SCHEME = """
INSERT INTO appraisal.scheme (county_id, id, effective_on, body, made_by, made_name, made_at,
    reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
RUN = """
SELECT id, cycle_id, number, current, scheme, annual, period_days, people, made_name, made_at, note
FROM appraisal.run
"""
RUNS = RUN + "WHERE county_id = $1 AND cycle_id = $2 ORDER BY number DESC"
CURRENT_RUN = RUN + "WHERE county_id = $1 AND cycle_id = $2 AND current"
CURRENT_RUN_LOCKED = CURRENT_RUN + " FOR UPDATE"
RUN_BY_NUMBER = RUN + "WHERE county_id = $1 AND cycle_id = $2 AND number = $3"
INSERT_RUN = """
INSERT INTO appraisal.run (county_id, id, cycle_id, number, current, scheme, annual, period_days,
    people, made_by, made_name, made_at, note)
SELECT $1, $2, $3, COALESCE(max(number), 0) + 1, false, $4, $5, $6, 0, $7, $8, $9, $10
FROM appraisal.run WHERE county_id = $1 AND cycle_id = $3
RETURNING number
"""
RETIRE_RUNS = """
UPDATE appraisal.run SET current = false WHERE county_id = $1 AND cycle_id = $2 AND current
"""
MAKE_CURRENT = """
UPDATE appraisal.run SET current = true, people = $3 WHERE county_id = $1 AND id = $2
"""
FACTS = """
SELECT person_id, name, grid_code, grid_type, employment_type, days, days_rural, days_community,
       days_other, grids, rostered, on_duty, on_leave, missing_months, failed_checks,
       orders_total, orders_good, data_total, data_good, settled_total, settled_good,
       satisfaction, half_width, ballots, awarded, deducted, hours, hours_required, test,
       commended_township, commended_county, veto, veto_reason, first_final
FROM appraisal.input WHERE county_id = $1 AND run_id = $2 AND person_id = $3
"""
SCORES = """
SELECT attendance, orders, data, settled, satisfaction, merit, training, plus, minus, present,
       rate, typical, period_score, calculated, calibrated, final, grade, note
FROM appraisal.score WHERE county_id = $1 AND run_id = $2 AND person_id = $3
"""
SCORES_LOCKED = SCORES + " FOR UPDATE"
CALIBRATE = """
UPDATE appraisal.score SET calibrated = $4, final = $4
WHERE county_id = $1 AND run_id = $2 AND person_id = $3
"""
INSERT_CALIBRATION = """
INSERT INTO appraisal.calibration (county_id, id, cycle_id, run_id, person_id, calculated, before,
    calibrated, reason, made_by, made_name, authority, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
CALIBRATIONS = """
SELECT calculated, before, calibrated, reason, made_name, authority, made_at
FROM appraisal.calibration
WHERE county_id = $1 AND run_id = $2 AND person_id = $3 ORDER BY made_at, id
"""
CHANGES = """
SELECT person_id, COALESCE(b.name, a.name) AS name, COALESCE(b.grid_code, a.grid_code) AS grid_code,
       a.final AS before, b.final AS after, a.grade AS grade_before, b.grade AS grade_after
FROM (SELECT i.person_id, i.name, i.grid_code, s.final, s.grade
      FROM appraisal.input i JOIN appraisal.score s
        ON s.county_id = $1 AND s.run_id = $2 AND s.person_id = i.person_id
      WHERE i.county_id = $1 AND i.run_id = $2) AS a
FULL JOIN (SELECT i.person_id, i.name, i.grid_code, s.final, s.grade
      FROM appraisal.input i JOIN appraisal.score s
        ON s.county_id = $1 AND s.run_id = $3 AND s.person_id = i.person_id
      WHERE i.county_id = $1 AND i.run_id = $3) AS b USING (person_id)
WHERE (a.final, a.grade) IS DISTINCT FROM (b.final, b.grade)
ORDER BY abs(COALESCE(b.final, 0) - COALESCE(a.final, 0)) DESC, person_id
LIMIT 500
"""
STANDINGS = """
SELECT i.person_id, i.name, i.grid_code, s.final, s.grade
FROM appraisal.input i
JOIN appraisal.score s ON s.county_id = $1 AND s.run_id = $2 AND s.person_id = i.person_id
WHERE i.county_id = $1 AND i.run_id = $2
"""
# What was taken in is the run's input, or what a case made of it since. A half-year that was never
# opened again is as the year took it in, or came too late for the year.
FIRST_CHANGED = """
SELECT i.person_id, i.name, i.grid_code, (r.scheme ->> 'first_share')::int AS share,
       h.final AS first, COALESCE(k.first, i.first_final)::int AS taken, s.period_score, s.final
FROM appraisal.run r
JOIN appraisal.cycle c ON c.county_id = $1 AND c.id = r.cycle_id AND c.kind = 'annual'
JOIN appraisal.cycle f ON f.county_id = $1 AND f.kind = 'half_year' AND f.year = c.year
    AND f.state = 'closed' AND EXISTS (SELECT FROM appraisal.cycle_step o
        WHERE o.county_id = $1 AND o.cycle_id = f.id AND o.source = 'closed')
JOIN appraisal.run b ON b.county_id = $1 AND b.cycle_id = f.id AND b.current
JOIN appraisal.input i ON i.county_id = $1 AND i.run_id = r.id
JOIN appraisal.score s ON s.county_id = $1 AND s.run_id = r.id AND s.person_id = i.person_id
    AND s.period_score IS NOT NULL AND s.final IS NOT NULL
JOIN appraisal.score h ON h.county_id = $1 AND h.run_id = b.id AND h.person_id = i.person_id
    AND h.grade <> 'undetermined'
LEFT JOIN LATERAL (
    SELECT (t.answers ->> 'first_half')::numeric * 100 AS first
    FROM appraisal.case_file d
    JOIN appraisal.case_step t ON t.county_id = $1 AND t.case_id = d.id AND t.position = 1
    WHERE d.county_id = $1 AND d.about_cycle_id = c.id AND d.person_id = i.person_id
      AND d.machine = 'recomputed'
    ORDER BY t.recorded_at DESC LIMIT 1
) k ON true
WHERE r.county_id = $1 AND r.cycle_id = $2 AND r.current
  AND h.final IS DISTINCT FROM COALESCE(k.first, i.first_final)
ORDER BY i.grid_code COLLATE "C", i.name, i.person_id
"""
TALLY = """
SELECT count(*)::int AS people,
       count(*) FILTER (WHERE s.grade = 'excellent')::int AS excellent,
       count(*) FILTER (WHERE s.grade = 'good')::int AS good,
       count(*) FILTER (WHERE s.grade = 'basic')::int AS basic,
       count(*) FILTER (WHERE s.grade = 'fail')::int AS fail,
       count(*) FILTER (WHERE s.grade = 'undetermined')::int AS undetermined,
       count(s.calibrated)::int AS calibrated,
       count(*) FILTER (WHERE s.attendance IS NULL)::int AS no_attendance,
       count(*) FILTER (WHERE s.data IS NULL)::int AS no_data,
       count(*) FILTER (WHERE s.satisfaction IS NULL)::int AS no_satisfaction,
       count(*) FILTER (WHERE s.merit IS NULL)::int AS no_merit,
       count(*) FILTER (WHERE s.training IS NULL)::int AS no_training,
       count(*) FILTER (WHERE i.missing_months > 0)::int AS missing_months
FROM appraisal.input i
JOIN appraisal.score s ON s.county_id = i.county_id AND s.run_id = i.run_id
    AND s.person_id = i.person_id
WHERE i.county_id = $1 AND i.run_id = $2
"""
UNAPPRAISED = """
SELECT a.person_id, n.name,
       (array_agg(u.code ORDER BY a.valid_to DESC NULLS FIRST, u.code COLLATE "C"))[1] AS grid_code,
       CASE WHEN NOT bool_or(a.valid_to IS NULL OR a.valid_to > c.ends_on)
            THEN max(a.valid_to) - 1 END AS until
FROM appraisal.run r
JOIN appraisal.cycle c ON c.county_id = $1 AND c.id = r.cycle_id
JOIN shared.assignment a ON a.county_id = $1 AND a.valid_from <= c.ends_on
    AND (a.valid_to IS NULL OR a.valid_to > GREATEST(c.starts_on, a.valid_from))
JOIN shared.post p ON p.county_id = $1 AND p.id = a.post_id AND p.role = 'gridworker'
JOIN shared.unit u ON u.county_id = $1 AND u.id = p.unit_id
JOIN shared.person n ON n.county_id = $1 AND n.id = a.person_id
WHERE r.county_id = $1 AND r.id = $2
  AND NOT EXISTS (SELECT FROM appraisal.input i
      WHERE i.county_id = $1 AND i.run_id = $2 AND i.person_id = a.person_id)
GROUP BY a.person_id, n.name
ORDER BY until DESC NULLS FIRST, n.name, a.person_id
"""
JOIN = """
WITH run AS (
    UPDATE appraisal.run r SET people = r.people + 1
    WHERE r.county_id = $1 AND r.cycle_id = $2 AND r.current
    RETURNING r.id, (r.scheme ->> 'min_days')::int AS min_days
),
known AS (
    INSERT INTO appraisal.input (county_id, run_id, person_id, name, grid_code, grid_type,
        employment_type, days, days_rural, days_community, days_other, grids, missing_months,
        failed_checks, ballots, awarded, deducted, commended_township, commended_county, veto,
        veto_reason)
    SELECT $1, r.id, n.id, n.name, $4, $5, n.employment_type, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
           false, ''
    FROM run r JOIN shared.person n ON n.county_id = $1 AND n.id = $3
)
INSERT INTO appraisal.score (county_id, run_id, person_id, plus, minus, present, rate, grade, note)
SELECT $1, r.id, $3, 0, 0, 0, 0, 'undetermined',
       CASE WHEN r.min_days > 0 THEN 'short' ELSE 'empty' END
FROM run r
"""
OPEN_DEDUCTIONS = """
SELECT count(*)::int FROM points.open_deduction d CROSS JOIN unnest(d.days) AS day
WHERE d.county_id = $1 AND day BETWEEN $2 AND $3
"""
MONTHS = f"""
SELECT month, records::int, awarded::int, deducted::int FROM points.merit_month
WHERE county_id = $1 AND person_id = $2 AND month BETWEEN $3 AND $4
UNION ALL
SELECT date_part('year', l.day)::int * 100 + date_part('month', l.day)::int,
       sum(l.records)::int, sum(l.awarded)::int, sum(l.deducted)::int
FROM ({late_entries("$5::date")}) AS l
WHERE l.person_id = $2 GROUP BY 1
ORDER BY month
"""


TEAM = """
SELECT i.person_id, i.name, i.grid_code,
       COALESCE(v.name, '') || COALESCE(g.name, i.grid_code) AS grid_name, s.final,
       s.grade, s.note, i.satisfaction, i.ballots, i.half_width,
       CASE WHEN EXISTS (SELECT FROM unnest($4::text[]) c WHERE starts_with(i.grid_code, c))
            THEN r.township_rank END AS rank
FROM appraisal.input i
JOIN appraisal.score s ON s.county_id = $1 AND s.run_id = $2 AND s.person_id = i.person_id
JOIN appraisal.ranking r ON r.county_id = $1 AND r.run_id = $2 AND r.person_id = i.person_id
    AND r.township_code = left(i.grid_code, 9)
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = i.grid_code
LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(i.grid_code, 12)
WHERE i.county_id = $1 AND i.run_id = $2
  AND EXISTS (SELECT FROM unnest($3::text[]) c WHERE starts_with(i.grid_code, c))
ORDER BY rank NULLS LAST, i.grid_code COLLATE "C", i.name, i.person_id
"""


class TeamRow(msgspec.Struct, frozen=True, kw_only=True):
    """A worker in the list of those who answer for the unit; no rank unless they may see it."""

    person_id: UUID
    name: str
    grid_code: str
    grid_name: str
    final: int | None
    grade: Grade
    note: Note
    satisfaction: int | None
    ballots: int
    half_width: int | None
    rank: int | None

    @property
    def grade_name(self) -> str:
        return GRADE_NAMES[self.grade]


class MeritMonth(msgspec.Struct, frozen=True):
    """A month's posted points of one person (0.1 point); ``month`` is 202603."""

    month: int
    records: int
    awarded: int
    deducted: int


async def scheme_at(county_id: int, on: date) -> SchemeRow | None:
    row = await DB.fetchrow(SCHEME_AT, county_id, on)
    return None if row is None else _scheme(dict(row))


async def schemes(county_id: int) -> list[SchemeRow]:
    return [_scheme(dict(row)) for row in await DB.fetch(SCHEMES, county_id)]


async def insert_scheme(
    county_id: int,
    scheme_id: UUID,
    effective_on: date,
    body: str,
    made_by: UUID,
    made_name: str,
    made_at: datetime,
    reason: str,
) -> None:
    await DB.execute(
        INSERT_SCHEME,
        county_id,
        scheme_id,
        effective_on,
        body,
        made_by,
        made_name,
        made_at,
        reason,
    )


async def runs(county_id: int, cycle_id: UUID) -> list[RunRow]:
    return [_run(dict(row)) for row in await DB.fetch(RUNS, county_id, cycle_id)]


async def current_run(county_id: int, cycle_id: UUID) -> RunRow | None:
    row = await DB.fetchrow(CURRENT_RUN, county_id, cycle_id)
    return None if row is None else _run(dict(row))


async def current_run_locked(county_id: int, cycle_id: UUID) -> RunRow | None:
    """The run that counts, for whoever grades it: one at a time, until the transaction ends."""
    row = await DB.fetchrow(CURRENT_RUN_LOCKED, county_id, cycle_id)
    return None if row is None else _run(dict(row))


async def run_by_number(county_id: int, cycle_id: UUID, number: int) -> RunRow | None:
    row = await DB.fetchrow(RUN_BY_NUMBER, county_id, cycle_id, number)
    return None if row is None else _run(dict(row))


async def insert_run(
    county_id: int,
    run_id: UUID,
    cycle_id: UUID,
    scheme: str,
    period_days: int,
    made_by: UUID,
    made_name: str,
    made_at: datetime,
    note: str,
    *,
    annual: bool,
) -> int:
    """The run's number."""
    number: int = await DB.fetchval(
        INSERT_RUN,
        county_id,
        run_id,
        cycle_id,
        scheme,
        annual,
        period_days,
        made_by,
        made_name,
        made_at,
        note,
    )
    return number


async def make_current(county_id: int, cycle_id: UUID, run_id: UUID, people: int) -> None:
    """This run counts from now on, the others of the cycle stay as they were."""
    await DB.execute(RETIRE_RUNS, county_id, cycle_id)
    await DB.execute(MAKE_CURRENT, county_id, run_id, people)


async def facts(county_id: int, run_id: UUID, person_id: UUID) -> Facts | None:
    return await DB.one(Facts, FACTS, county_id, run_id, person_id)


async def scores(county_id: int, run_id: UUID, person_id: UUID) -> Scores | None:
    return await DB.one(Scores, SCORES, county_id, run_id, person_id)


async def scores_locked(county_id: int, run_id: UUID, person_id: UUID) -> Scores | None:
    return await DB.one(Scores, SCORES_LOCKED, county_id, run_id, person_id)


async def calibrate(county_id: int, run_id: UUID, person_id: UUID, score: int) -> None:
    await DB.execute(CALIBRATE, county_id, run_id, person_id, score)


async def insert_calibration(
    county_id: int,
    calibration_id: UUID,
    cycle_id: UUID,
    run_id: UUID,
    person_id: UUID,
    row: CalibrationRow,
    made_by: UUID,
) -> None:
    await DB.execute(
        INSERT_CALIBRATION,
        county_id,
        calibration_id,
        cycle_id,
        run_id,
        person_id,
        row.calculated,
        row.before,
        row.calibrated,
        row.reason,
        made_by,
        row.made_name,
        row.authority,
        row.made_at,
    )


async def calibrations(county_id: int, run_id: UUID, person_id: UUID) -> list[CalibrationRow]:
    return await DB.all(CalibrationRow, CALIBRATIONS, county_id, run_id, person_id)


async def changes(county_id: int, before: UUID, after: UUID) -> list[Change]:
    """Who differs between two runs, most first; at most 500."""
    return await DB.all(Change, CHANGES, county_id, before, after)


async def standings(county_id: int, run_id: UUID) -> list[Standing]:
    return await DB.all(Standing, STANDINGS, county_id, run_id)


async def tally(county_id: int, run_id: UUID) -> Tally | None:
    return await DB.one(Tally, TALLY, county_id, run_id)


async def unappraised(county_id: int, run_id: UUID) -> list[Unappraised]:
    """Who was gridworker in the period and is not in the run, the last to leave first."""
    return await DB.all(Unappraised, UNAPPRAISED, county_id, run_id)


async def join(county_id: int, cycle_id: UUID, person_id: UUID, place: Place) -> bool:
    """An empty row of the current run for somebody; whether there is a run."""
    where = (place.grid_code, place.grid_type or "other")
    return await DB.count(JOIN, county_id, cycle_id, person_id, *where) == 1


async def team(
    county_id: int, run_id: UUID, codes: Sequence[str], ranked: Sequence[str]
) -> list[TeamRow]:
    return await DB.all(TeamRow, TEAM, county_id, run_id, list(codes), list(ranked))


async def first_changed(county_id: int, cycle_id: UUID) -> list[FirstHalf]:
    """Who is in an annual run with another half-year than the closed one has by now."""
    return await DB.all(FirstHalf, FIRST_CHANGED, county_id, cycle_id)


async def open_deductions(county_id: int, first: date, last: date) -> int:
    """Deductions of these days that are not decided for good; a contract view of points."""
    found: int = await DB.fetchval(OPEN_DEDUCTIONS, county_id, first, last)
    return found


async def months(county_id: int, person_id: UUID, first: date, last: date) -> list[MeritMonth]:
    """Those of the period, and before them what was posted too late for its own cycle."""
    numbers = month_of(first), month_of(last)
    return await DB.all(MeritMonth, MONTHS, county_id, person_id, *numbers, first)


def _scheme(row: dict[str, Any]) -> SchemeRow:
    row["scheme"] = msgspec.json.decode(row["scheme"], type=Scheme)
    return SchemeRow(**row)


def _run(row: dict[str, Any]) -> RunRow:
    row["scheme"] = msgspec.json.decode(row["scheme"], type=Scheme)
    return RunRow(**row)
