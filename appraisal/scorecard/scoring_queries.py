"""The scoring itself: one family of statements over all workers of one or many runs.

Everything is whole numbers (hundredths of a point), every division rounds half up, so a run can be
made again to the same byte. The text is put together from parts, because scoring writes what the
what-if only looks at, and calibration grades again what scoring graded. ``$1`` are the counties,
``$2`` the runs, side by side.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shared.database import DB

WORK_MEM = "SET LOCAL work_mem = '96MB'"
# What was posted late is not found by index: three million records are 3 GB to read, which from a
# slow disk takes longer than a page may.
PATIENCE = "SET LOCAL statement_timeout = '5min'"

# The planner knows nothing of the rows that views and earlier parts return: it would compare every
# one with every other, sort to group, and jump about in tables. So each source is read once, page
# after page, and grouped and joined by hash.
_MEANS = ("nestloop", "mergejoin", "sort", "indexscan")
BY_HASH = "; ".join(f"SET LOCAL enable_{means} = off" for means in _MEANS)
AS_USUAL = "; ".join(f"SET LOCAL enable_{means} = on" for means in _MEANS)

# To plan the scoring takes a fifth as long as to run it on a county. So a connection plans it once,
# and by key, whatever the planner knows of the tables then: it must also do when they have grown.
# Joins are by hash: who has just been written is in no statistics, and a county's first workers
# would each be compared with all the others.
_KEYED = ("seqscan", "nestloop", "mergejoin")
BY_KEY = "; ".join(
    ["SET LOCAL plan_cache_mode = force_generic_plan"]
    + [f"SET LOCAL enable_{means} = off" for means in _KEYED]
)
ANY_WAY = "; ".join(
    ["SET LOCAL plan_cache_mode = auto"] + [f"SET LOCAL enable_{means} = on" for means in _KEYED]
)


def late_entries(starts_on: str) -> str:
    """Points and deductions of earlier days that got into the ledger after the scoring of those.

    They count in the first cycle that is scored after that, once: ``starts_on`` is its first day.
    What was posted before the last scoring is never late, so it is left out first; days that no
    cycle covered, of records imported from before say, count nowhere.
    """
    scored = f"""
        FROM appraisal.cycle c
        JOIN appraisal.run b ON b.cycle_id = c.id AND b.current
        WHERE c.county_id = $1 AND b.county_id = $1 AND c.ends_on < {starts_on}"""
    return f"""
    SELECT m.person_id, m.day, m.records, m.awarded, m.deducted
    FROM points.merit_entry m
    WHERE m.county_id = $1 AND m.day < {starts_on}
      AND m.posted_at > (SELECT b.made_at {scored} ORDER BY c.ends_on DESC LIMIT 1)
      AND m.posted_at > (SELECT max(b.made_at) {scored} AND c.ends_on >= m.day
                           HAVING bool_or(c.starts_on <= m.day))"""


# Who was gridworker on the last day, where in the period, for how many days. A person's grid is the
# one of the last day with the most days; a day in two grids is one day in post.
GATHER = f"""
INSERT INTO appraisal.input (county_id, run_id, person_id, name, grid_code, grid_type,
    employment_type, days, days_rural, days_community, days_other, grids, rostered, on_duty,
    on_leave, missing_months, failed_checks, data_total, data_good, satisfaction, half_width,
    ballots, awarded, deducted, hours, hours_required, test, commended_township,
    commended_county, veto, veto_reason, first_final)
WITH run AS MATERIALIZED (
    SELECT r.cycle_id, c.starts_on, c.ends_on, c.kind, c.year
    FROM appraisal.run r
    JOIN appraisal.cycle c ON c.county_id = r.county_id AND c.id = r.cycle_id
    WHERE r.county_id = $1 AND r.id = $2
),
stretch AS MATERIALIZED (
    SELECT a.person_id, u.code AS grid_code, COALESCE(u.grid_type, 'other') AS grid_type,
           GREATEST(a.valid_from, r.starts_on) AS since,
           LEAST(COALESCE(a.valid_to, 'infinity'), r.ends_on + 1) AS past,
           a.valid_from <= r.ends_on AND (a.valid_to IS NULL OR a.valid_to > r.ends_on) AS at_end
    FROM run r
    JOIN shared.assignment a ON a.valid_from <= r.ends_on
        AND (a.valid_to IS NULL OR a.valid_to > r.starts_on)
    JOIN shared.post p ON p.id = a.post_id
    JOIN shared.unit u ON u.id = p.unit_id
    WHERE a.county_id = $1 AND p.county_id = $1 AND p.role = 'gridworker' AND u.county_id = $1
),
place AS MATERIALIZED (
    SELECT person_id, grid_code, grid_type, bool_or(at_end) AS at_end,
           sum(past - since)::int AS days
    FROM stretch GROUP BY person_id, grid_code, grid_type
),
worker AS MATERIALIZED (
    SELECT person_id,
           (array_agg(grid_code ORDER BY days DESC, grid_code COLLATE "C")
               FILTER (WHERE at_end))[1] AS grid_code,
           (array_agg(grid_type ORDER BY days DESC, grid_code COLLATE "C")
               FILTER (WHERE at_end))[1] AS grid_type,
           COALESCE(sum(days) FILTER (WHERE grid_type = 'rural'), 0) AS days_rural,
           COALESCE(sum(days) FILTER (WHERE grid_type = 'community'), 0) AS days_community,
           COALESCE(sum(days) FILTER (WHERE grid_type = 'other'), 0) AS days_other,
           count(*) AS grids
    FROM place GROUP BY person_id HAVING bool_or(at_end)
),
present AS MATERIALIZED (
    SELECT person_id, (SELECT sum(upper(r) - lower(r)) FROM unnest(spans) AS r)::int AS days
    FROM (SELECT person_id, range_agg(daterange(since, past)) AS spans
          FROM stretch GROUP BY person_id) AS s
),
surveyed AS MATERIALIZED (
    SELECT v.grid_code, v.score, v.half_width, v.ballots, v.valid
    FROM appraisal.survey_result v
    WHERE v.county_id = $1 AND v.cycle_id = (SELECT cycle_id FROM run)
),
liked AS MATERIALIZED (
    SELECT p.person_id,
           floor(sum(v.score * 10 * p.days) FILTER (WHERE v.valid)
               / sum(p.days) FILTER (WHERE v.valid) + 0.5)::int AS satisfaction,
           floor(sum(v.half_width * 10 * p.days) FILTER (WHERE v.valid)
               / sum(p.days) FILTER (WHERE v.valid) + 0.5)::int AS half_width,
           COALESCE(sum(v.ballots) FILTER (WHERE v.valid), max(v.ballots))::int AS ballots
    FROM place p
    JOIN surveyed v ON v.grid_code = p.grid_code
    GROUP BY p.person_id
),
duty AS MATERIALIZED (
    SELECT t.* FROM appraisal.duty_total t
    WHERE t.county_id = $1 AND t.cycle_id = (SELECT cycle_id FROM run)
),
training AS MATERIALIZED (
    SELECT t.* FROM appraisal.training_total t
    WHERE t.county_id = $1 AND t.cycle_id = (SELECT cycle_id FROM run)
),
earned AS MATERIALIZED (
    SELECT m.person_id, sum(m.awarded)::int AS awarded, sum(m.deducted)::int AS deducted
    FROM points.merit_entry m
    WHERE m.county_id = $1 AND m.day >= (SELECT starts_on FROM run)
      AND m.day <= (SELECT ends_on FROM run)
    GROUP BY m.person_id
),
late AS MATERIALIZED (
    SELECT l.person_id, sum(l.awarded)::int AS awarded, sum(l.deducted)::int AS deducted
    FROM ({late_entries("(SELECT starts_on FROM run)")}) AS l
    GROUP BY l.person_id
),
first AS MATERIALIZED (
    SELECT s.person_id, s.final
    FROM run r
    JOIN appraisal.cycle c ON c.kind = 'half_year' AND c.year = r.year AND r.kind = 'annual'
        AND c.state = 'closed'
    JOIN appraisal.run b ON b.cycle_id = c.id AND b.current
    JOIN appraisal.score s ON s.run_id = b.id AND s.grade <> 'undetermined'
    WHERE c.county_id = $1 AND b.county_id = $1 AND s.county_id = $1
)
SELECT $1, $2, w.person_id, n.name, w.grid_code, w.grid_type, n.employment_type,
       d.days, w.days_rural, w.days_community, w.days_other, w.grids, (t.rostered_days * 10)::int,
       (t.duty_days * 10)::int, (t.leave_days * 10)::int, COALESCE(t.missing_months, 0),
       COALESCE(t.failed_checks, 0), NULLIF(t.data_checked, 0),
       CASE WHEN t.data_checked > 0 THEN t.data_right END, l.satisfaction, l.half_width,
       COALESCE(l.ballots, 0), COALESCE(e.awarded, 0) + COALESCE(x.awarded, 0),
       COALESCE(e.deducted, 0) + COALESCE(x.deducted, 0),
       (g.hours * 100)::int, (g.required * 100)::int, (g.test * 100)::int,
       COALESCE(t.commended_township, 0), COALESCE(t.commended_county, 0),
       COALESCE(t.veto, false), COALESCE(t.veto_reason, ''), f.final
FROM worker w
JOIN present d ON d.person_id = w.person_id
JOIN shared.person n ON n.county_id = $1 AND n.id = w.person_id
LEFT JOIN duty t ON t.person_id = w.person_id
LEFT JOIN training g ON g.person_id = w.person_id
LEFT JOIN liked l ON l.person_id = w.person_id
LEFT JOIN earned e ON e.person_id = w.person_id
LEFT JOIN late x ON x.person_id = w.person_id
LEFT JOIN first f ON f.person_id = w.person_id
ORDER BY w.person_id
"""

SCHEME_OF_RUN = "r.scheme"
SCHEME_GIVEN = "$3::jsonb"


def _rule(scheme: str) -> str:
    """The numbers of each run's scheme, as columns."""
    return f"""
rule AS (
    SELECT row_number() OVER () AS number, r.county_id, r.id AS run_id,
           r.period_days::int8 AS period_days, r.annual, x.*,
           (v.scheme #>> '{{bands,1,low}}')::int * 100 AS basic_line,
           (v.scheme #>> '{{bands,2,low}}')::int * 100 AS good_line,
           (v.scheme #>> '{{bands,3,low}}')::int * 100 AS excellent_line
    FROM appraisal.run r
    CROSS JOIN LATERAL (SELECT {scheme} AS scheme) AS v
    CROSS JOIN LATERAL jsonb_to_record(v.scheme) AS x(
        attendance int8, orders int8, data int8, settled int8, satisfaction int8, merit int8,
        training int8, check_penalty int8, plus_cap int8, minus_cap int8, commend_township int8,
        commend_county int8, merit_cap int8, min_days int8, excellent_share int8,
        excellent_from int8, first_share int8, leave_from int8)
    WHERE r.county_id = ANY($1) AND r.id = ANY($2)
)"""


# Who was away for long, with leave, is measured by the other days of the attendance sheets.
LONG_LEAVE = "u.leave_from > 0 AND i.on_leave >= 10 * u.leave_from"
HERE = "(i.rostered - i.on_leave)"

# Points as if the worker had been in post for the whole period, rounded half up to 0.1 point; NULL
# where no day is left to measure by.
RATE = f"""CASE WHEN {LONG_LEAVE} THEN CASE WHEN i.days > 0 AND i.rostered > i.on_leave
                    THEN (2 * GREATEST(i.awarded, 0) * u.period_days * i.rostered
                          + i.days * {HERE}) / (2 * i.days * {HERE}) END
                WHEN i.days > 0 THEN (2 * GREATEST(i.awarded, 0) * u.period_days + i.days)
                    / (2 * i.days) END"""

# A township among all runs of the statement: one number sorts faster than two keys and a code.
TOWNS = 1_000_000_000
TOWN = f"u.number * {TOWNS} + i.grid_code::int8 / 1000000"


def _median(grid_type: str) -> str:
    """Twice the median, a whole number: the median of whole numbers is one or lies half-way."""
    return (
        "COALESCE(2 * percentile_cont(0.5) WITHIN GROUP (ORDER BY rate)"
        f" FILTER (WHERE grid_type = '{grid_type}'), 0)::int8 AS {grid_type}"
    )


# Run by run, because one run's workers need no sort to stand together. Computed once, even where
# the planner still believes the inputs to be empty, as it does in the first run.
MEDIAN = f"""
median AS MATERIALIZED (
    SELECT u.*, m.*
    FROM rule u
    CROSS JOIN LATERAL (
        SELECT {_median("rural")},
               {_median("community")},
               {_median("other")}
        FROM (SELECT i.grid_type, {RATE} AS rate
              FROM appraisal.input i
              WHERE i.county_id = ANY($1) AND i.run_id = ANY($2)
                AND i.county_id = u.county_id AND i.run_id = u.run_id
                AND i.days >= u.min_days AND ({LONG_LEAVE}
                    AND i.days * {HERE} < u.min_days * i.rostered) IS NOT TRUE) AS rated
    ) AS m
)"""

# Twice the points that are typical for the days in each type, and the days that have a measure.
TYPICAL = "i.days_rural * u.rural + i.days_community * u.community + i.days_other * u.other"
COUNTED = """CASE WHEN u.rural > 0 THEN i.days_rural ELSE 0 END
               + CASE WHEN u.community > 0 THEN i.days_community ELSE 0 END
               + CASE WHEN u.other > 0 THEN i.days_other ELSE 0 END"""


def _trained(hours: str, required: str) -> tuple[str, str]:
    """Training as n and d: half the hours, half the test, or the one that there is."""
    both = f"{required} > 0 AND i.hours IS NOT NULL AND i.test IS NOT NULL"
    one = f"{required} > 0 AND i.hours IS NOT NULL"
    n = f"""CASE WHEN {both} THEN LEAST({hours}, {required})::int8 * 10000
                   + i.test::int8 * {required}
               WHEN {one} THEN LEAST({hours}, {required}) ELSE i.test END"""
    d = f"""CASE WHEN {both} THEN {required}::int8 * 20000
               WHEN {one} THEN {required} ELSE 10000 END"""
    return n, d


TRAINED = _trained("i.hours", "i.hours_required")
TRAINED_HERE = _trained("i.hours::int8 * i.rostered", f"(i.hours_required::int8 * {HERE})")

# Each component as a share n ÷ d of its weight; n is NULL where it is missing or has no weight.
# OFFSET 0 keeps the planner from writing each expression into every place that uses it. A level
# costs as much as the arithmetic in it, for every column it hands on: so they are few.
SHARE = f"""
fact AS (
    SELECT i.county_id, i.run_id, i.person_id, {TOWN} AS town, {{days}} AS days, {{veto}} AS veto,
           i.first_final,
           i.satisfaction AS liked, u.annual, u.min_days, u.first_share, u.basic_line,
           u.good_line, u.excellent_line, u.merit_cap, u.attendance AS w_attendance,
           u.orders AS w_orders, u.data AS w_data, u.settled AS w_settled,
           u.satisfaction AS w_satisfaction, u.merit AS w_merit, u.training AS w_training,
           COALESCE({RATE}, 0) AS rate,
           CASE WHEN {LONG_LEAVE} AND i.rostered <= i.on_leave THEN 0 ELSE {TYPICAL} END AS usual,
           {COUNTED} AS counted,
           CASE WHEN u.attendance > 0 AND i.rostered > 0 THEN GREATEST(u.attendance
               * LEAST(i.on_duty + i.on_leave, i.rostered)
               - u.check_penalty * i.failed_checks * i.rostered, 0) END AS n_attendance,
           u.attendance * i.rostered AS d_attendance,
           CASE WHEN u.orders > 0 AND i.orders_total > 0 THEN i.orders_good END AS n_orders,
           i.orders_total AS d_orders,
           CASE WHEN u.data > 0 AND i.data_total > 0 THEN i.data_good END AS n_data,
           i.data_total AS d_data,
           CASE WHEN u.settled > 0 AND i.settled_total > 0 THEN i.settled_good END AS n_settled,
           i.settled_total AS d_settled,
           CASE WHEN u.satisfaction > 0 THEN i.satisfaction END AS n_satisfaction,
           CASE WHEN u.training > 0 THEN CASE WHEN {LONG_LEAVE} THEN {TRAINED_HERE[0]}
               ELSE {TRAINED[0]} END END AS n_training,
           CASE WHEN {LONG_LEAVE} THEN {TRAINED_HERE[1]}
               ELSE {TRAINED[1]} END AS d_training,
           LEAST(u.plus_cap, u.commend_township * i.commended_township
               + u.commend_county * i.commended_county) * 100 AS plus,
           LEAST(u.minus_cap * 100, GREATEST(i.deducted, 0) * 10) AS minus
    FROM median u
    JOIN appraisal.input i ON i.county_id = u.county_id AND i.run_id = u.run_id
    WHERE i.county_id = ANY($1) AND i.run_id = ANY($2)
    OFFSET 0
),
weighed AS (
    SELECT county_id, run_id, person_id, town, days, veto, first_final, liked, annual, min_days,
           first_share, basic_line, good_line, excellent_line, w_attendance, w_orders, w_data,
           w_settled, w_satisfaction, w_merit, w_training, rate, n_attendance, d_attendance,
           n_orders, d_orders, n_data, d_data, n_settled, d_settled, n_satisfaction, n_training,
           d_training, plus, minus,
           CASE WHEN w_merit > 0 AND usual > 0
                THEN LEAST(rate * 200 * counted, usual * merit_cap) END AS n_merit,
           usual * merit_cap AS d_merit,
           CASE WHEN usual > 0 THEN (usual + counted) / (2 * counted) END AS typical,
           CASE WHEN n_attendance IS NULL THEN 0 ELSE w_attendance END
           + CASE WHEN n_orders IS NULL THEN 0 ELSE w_orders END
           + CASE WHEN n_data IS NULL THEN 0 ELSE w_data END
           + CASE WHEN n_settled IS NULL THEN 0 ELSE w_settled END
           + CASE WHEN n_satisfaction IS NULL THEN 0 ELSE w_satisfaction END
           + CASE WHEN usual > 0 THEN w_merit ELSE 0 END
           + CASE WHEN n_training IS NULL THEN 0 ELSE w_training END AS present
    FROM fact
    OFFSET 0
)"""

# A veto and the days stand in the frozen input for good; an objection or appeal that found them
# wrong says so in a signed step, and the grade follows that. An earlier run stays as it was.
FOUND_WRONG = """
SELECT FROM appraisal.case_file f
JOIN appraisal.case_step t ON t.county_id = f.county_id AND t.case_id = f.id
JOIN appraisal.run b ON b.county_id = f.county_id AND b.cycle_id = f.about_cycle_id
WHERE f.county_id = i.county_id AND f.person_id = i.person_id AND b.id = i.run_id AND b.current
  AND t.answers ->> '{what}' = '1'
"""
VETO = f"i.veto AND NOT EXISTS ({FOUND_WRONG.format(what='veto_lifted')})"
DAYS = f"""CASE WHEN i.days < u.min_days AND EXISTS ({FOUND_WRONG.format(what="days_met")})
                THEN u.min_days ELSE i.days END"""
AS_GATHERED = SHARE.format(days="i.days", veto="i.veto")
AS_FOUND = SHARE.format(days=DAYS, veto=VETO)


def _points(name: str, denominator: str) -> str:
    """Half up of weight × 100 ÷ present × n ÷ d, in hundredths: (⌊twice that⌋ + 1) ÷ 2."""
    return f"((20000 * w_{name} * n_{name} / (present * {denominator}) + 1) >> 1)::int AS {name}"


PARTS = f"""
part AS (
    SELECT county_id, run_id, person_id, town, days, veto, first_final, liked, annual,
           min_days, first_share, basic_line, good_line, excellent_line, plus::int AS plus,
           minus::int AS minus, present::int AS present, rate::int AS rate,
           typical::int AS typical,
           {_points("attendance", "d_attendance")},
           {_points("orders", "d_orders")},
           {_points("data", "d_data")},
           {_points("settled", "d_settled")},
           {_points("satisfaction", "1000")},
           {_points("merit", "d_merit")},
           {_points("training", "d_training")}
    FROM weighed
    OFFSET 0
),
summed AS (
    SELECT p.*,
           COALESCE(orders, 0) + COALESCE(data, 0) + COALESCE(settled, 0) AS results,
           CASE WHEN present > 0 THEN LEAST(GREATEST(
               COALESCE(attendance, 0) + COALESCE(orders, 0) + COALESCE(data, 0)
               + COALESCE(settled, 0) + COALESCE(satisfaction, 0) + COALESCE(merit, 0)
               + COALESCE(training, 0) + plus - minus, 0), 10000) END AS period_score
    FROM part p
    OFFSET 0
),
reckoned AS (
    SELECT s.*, CASE WHEN annual AND first_final IS NOT NULL
        THEN ((2 * (first_share * first_final + (100 - first_share) * period_score) + 100)
              / 200)::int
        ELSE period_score END AS calculated
    FROM summed s
    OFFSET 0
)"""
FRESH = "total AS (SELECT r.*, r.calculated AS final FROM reckoned r)"
# What people calibrated stays as they set it, whatever the rules had been.
KEPT = """
total AS (
    SELECT r.*, COALESCE(k.calibrated, r.calculated) AS final
    FROM reckoned r
    LEFT JOIN appraisal.score k ON k.county_id = r.county_id AND k.run_id = r.run_id
        AND k.person_id = r.person_id
)"""

# The grade by score alone, and who may be better than that: ``merits`` is score, satisfaction and
# results in one number (14, 10 and 14 bits). What is put down here to be read twice is written once
# more, so it is no wider than it must be, and what is read first stands first.
RATED = """
rated AS MATERIALIZED (
    SELECT town,
           CASE WHEN NOT veto AND days >= min_days AND final >= excellent_line
                THEN (final::int8 << 24) + (COALESCE(liked + 1, 0)::int8 << 14) + results
                ELSE 0 END AS merits,
           {columns},
           CASE WHEN veto THEN 'fail'
                WHEN days < min_days OR final IS NULL THEN 'undetermined'
                WHEN final >= good_line THEN 'good'
                WHEN final >= basic_line THEN 'basic'
                ELSE 'fail' END AS grade,
           CASE WHEN veto THEN 'veto' WHEN days < min_days THEN 'short'
                WHEN final IS NULL THEN 'empty' ELSE '' END AS note
    FROM total
)"""
# 优秀 goes by rank within the township; those with equal score, satisfaction and results are in or
# out together. So within are those who beat the first one for whom there is no room, ``bar``.
QUOTA = f"""
quota AS (
    SELECT w.town, c.merits[1 + GREATEST(w.workers * u.excellent_share / 100,
               CASE WHEN w.workers >= u.excellent_from THEN 1 ELSE 0 END)::int] AS bar
    FROM (SELECT town, array_agg(merits ORDER BY merits DESC) AS merits
          FROM rated WHERE merits > 0 GROUP BY town) AS c
    JOIN (SELECT town, count(*) AS workers FROM rated GROUP BY town) AS w ON w.town = c.town
    JOIN rule u ON u.number = w.town / {TOWNS}
),
graded AS (
    SELECT r.*, merits > 0 AS top, merits > COALESCE(q.bar, 0) AS within
    FROM rated r
    LEFT JOIN quota q ON q.town = r.town
)"""
GRADE = "CASE WHEN within THEN 'excellent' ELSE grade END"
NOTE = "CASE WHEN top AND NOT within THEN 'quota' ELSE note END"
RESULTS = """county_id, run_id, person_id, attendance, orders, data, settled, satisfaction, merit,
       training, plus, minus, present, rate, typical, period_score, calculated, final"""
GRADED = f"{RATED.format(columns=RESULTS)}, {QUOTA}"
SCORED = f"""
SELECT {RESULTS}, {GRADE} AS grade, {NOTE} AS note
FROM graded
"""
SCORE = f"""
INSERT INTO appraisal.score (county_id, run_id, person_id, attendance, orders, data, settled,
    satisfaction, merit, training, plus, minus, present, rate, typical, period_score, calculated,
    final, grade, note)
WITH {_rule(SCHEME_OF_RUN)}, {MEDIAN}, {AS_GATHERED}, {PARTS}, {FRESH}, {GRADED} {SCORED}
"""
REPLAY = f"""
WITH {_rule(SCHEME_GIVEN)}, {MEDIAN}, {AS_FOUND}, {PARTS}, {KEPT}, {GRADED} {SCORED}
"""
AGAIN = f"""
WITH {_rule(SCHEME_OF_RUN)}, {MEDIAN}, {AS_FOUND}, {PARTS}, {KEPT}, {GRADED} {SCORED}
"""
REGRADE = f"""
WITH {_rule(SCHEME_OF_RUN)},
total AS (
    SELECT s.county_id, s.run_id, s.person_id, {TOWN} AS town, {DAYS} AS days,
           {VETO} AS veto, i.satisfaction AS liked, s.final,
           COALESCE(s.orders, 0) + COALESCE(s.data, 0) + COALESCE(s.settled, 0) AS results,
           u.min_days, u.basic_line, u.good_line, u.excellent_line
    FROM appraisal.score s
    JOIN appraisal.input i ON i.county_id = s.county_id AND i.run_id = s.run_id
        AND i.person_id = s.person_id
    JOIN rule u ON u.county_id = s.county_id AND u.run_id = s.run_id
    WHERE s.county_id = ANY($1) AND s.run_id = ANY($2)
), {RATED.format(columns="county_id, run_id, person_id")}, {QUOTA}
UPDATE appraisal.score s SET grade = g.grade, note = g.note
FROM (SELECT county_id, run_id, person_id, {GRADE} AS grade, {NOTE} AS note FROM graded) AS g
WHERE s.county_id = ANY($1) AND s.county_id = g.county_id AND s.run_id = g.run_id
  AND s.person_id = g.person_id AND (s.grade, s.note) IS DISTINCT FROM (g.grade, g.note)
  AND ($3::uuid IS NULL OR s.person_id = $3 AND NOT ($4 AND s.grade = 'excellent'
       AND g.note = 'quota'))
"""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One person's scores, in hundredths; what a run stores and a what-if looks at."""

    county_id: int
    run_id: UUID
    person_id: UUID
    attendance: int | None
    orders: int | None
    data: int | None
    settled: int | None
    satisfaction: int | None
    merit: int | None
    training: int | None
    plus: int
    minus: int
    present: int
    rate: int
    typical: int | None
    period_score: int | None
    calculated: int | None
    final: int | None
    grade: str
    note: str


async def be_roomy() -> None:
    """Let this transaction sort a county in memory."""
    await DB.execute(WORK_MEM)


async def gather(county_id: int, run_id: UUID) -> int:
    """Copy what the sources know into the run's inputs; how many people that is.

    Inside a transaction. One county at a time, so that it reads the rows of that county and no
    other's; many counties take as long as the sum of them.
    """
    await DB.execute(PATIENCE)
    await DB.execute(BY_HASH)
    people = await DB.count(GATHER, county_id, run_id)
    await DB.execute(AS_USUAL)
    return people


async def score(counties: Sequence[int], runs: Sequence[UUID]) -> int:
    """Score and grade the runs' inputs, inside a transaction; how many people that is."""
    await DB.execute(BY_KEY)
    people = await DB.count(SCORE, counties, runs)
    await DB.execute(ANY_WAY)
    return people


async def replay(county_id: int, run_id: UUID, scheme: str) -> list[Result]:
    """What the run's inputs would give under another scheme (JSON); writes nothing."""
    return await DB.all(Result, REPLAY, [county_id], [run_id], scheme)


async def regrade(
    county_id: int, run_id: UUID, only: UUID | None = None, *, rose: bool = False
) -> int:
    """Grade a run again by its final scores; how many grades changed.

    ``only`` one person, everybody else keeping what they were told; whose score ``rose`` or stayed
    keeps 优秀, whoever else has come into the township's share since.
    """
    return await DB.count(REGRADE, [county_id], [run_id], only, rose)
