"""Each check names the first row that breaks it. ``$1`` is the county in an array, ``$2`` runs."""

from uuid import UUID

import msgspec

from appraisal.scorecard import scoring_queries
from shared.database import DB

COUNTIES = "SELECT DISTINCT county_id FROM appraisal.cycle ORDER BY county_id"
RUNS = "SELECT id FROM appraisal.run WHERE county_id = $1 ORDER BY cycle_id, number"
# Said again without the small numbers that freezing sorts by: unit, order and ties in plain words.
RANKS = """
SELECT '名次' AS thing, COALESCE(r.person_id, e.person_id)::text AS id,
       format('存的是 %s 第 %s 名、第 %s 位，应为 %s 第 %s 名、第 %s 位', COALESCE(r.unit, '无'),
              COALESCE(r.rank::text, '无'), COALESCE(r.place::text, '无'), COALESCE(e.unit, '无'),
              COALESCE(e.rank::text, '无'), COALESCE(e.place::text, '无')) AS detail
FROM (
    SELECT county_id, run_id, person_id, {kept} AS unit, {level}_rank AS rank,
           {level}_place AS place
    FROM appraisal.ranking WHERE county_id = ANY($1) AND run_id = ANY($2)) AS r
FULL JOIN (
    SELECT county_id, run_id, person_id, unit,
           CASE WHEN top >= 0 THEN rank() OVER (
               PARTITION BY county_id, run_id, unit ORDER BY top DESC) END AS rank,
           row_number() OVER (PARTITION BY county_id, run_id, unit
               ORDER BY top DESC, liked DESC, results DESC, person_id) AS place
    FROM (
        SELECT s.county_id, s.run_id, s.person_id, {own} AS unit,
               CASE WHEN s.grade <> 'undetermined' AND s.note <> 'veto' THEN s.final ELSE -1 END
                   AS top,
               COALESCE(i.satisfaction, -1) AS liked,
               COALESCE(s.orders, 0) + COALESCE(s.data, 0) + COALESCE(s.settled, 0) AS results
        FROM appraisal.score s
        JOIN appraisal.input i ON i.county_id = s.county_id AND i.run_id = s.run_id
            AND i.person_id = s.person_id
        WHERE s.county_id = ANY($1) AND s.run_id = ANY($2)) AS one) AS e
    ON e.county_id = r.county_id AND e.run_id = r.run_id AND e.person_id = r.person_id
WHERE (r.unit, r.rank, r.place) IS DISTINCT FROM (e.unit, e.rank, e.place)
ORDER BY 2 LIMIT 1
"""
LEVELS = {
    "全县": ("county", "county_id::text", "s.county_id::text"),
    "同类网格": ("type", "grid_type", "i.grid_type"),
    "乡镇": ("township", "township_code", "left(i.grid_code, 9)"),
    "村": ("village", "village_code", "left(i.grid_code, 12)"),
}
"""Level in words → its columns, its unit as the ranking keeps it and as the grid says it."""
# Assignments are dated and kept, but may be corrected later: a run answers for the roster as it was
# known when it was made. Who was appointed, moved or ended afterwards, or stood in a file imported
# since, is no finding; who never was a gridworker of that grid always is.
ROSTER = """
WITH run AS MATERIALIZED (
    SELECT r.county_id, r.id, r.made_at, c.ends_on
    FROM appraisal.run r
    JOIN appraisal.cycle c ON c.county_id = r.county_id AND c.id = r.cycle_id
    WHERE r.county_id = ANY($1) AND r.id = ANY($2)
),
held AS MATERIALIZED (
    SELECT a.county_id, a.person_id, u.code, a.valid_from, a.valid_to, a.recorded_at
    FROM shared.assignment a
    JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id
    JOIN shared.unit u ON u.county_id = a.county_id AND u.id = p.unit_id
    WHERE a.county_id = ANY($1) AND p.role = 'gridworker'
),
rostered AS MATERIALIZED (
    SELECT r.county_id, r.id AS run_id, h.person_id, array_agg(h.code) AS grids,
           bool_or(h.recorded_at <= r.made_at) AS known
    FROM run r
    JOIN held h ON h.county_id = r.county_id AND h.valid_from <= r.ends_on
        AND (h.valid_to IS NULL OR h.valid_to > r.ends_on)
    GROUP BY r.county_id, r.id, h.person_id
)
SELECT '考核人员' AS thing, COALESCE(i.person_id, w.person_id)::text AS id,
       CASE WHEN i.person_id IS NULL
            THEN format('考核期最后一天在 %s 任网格员，评分和排名里没有', w.grids[1])
            ELSE format('评分和排名里有，考核期最后一天却不是 %s 的网格员', i.grid_code)
       END AS detail
FROM (SELECT county_id, run_id, person_id, grid_code FROM appraisal.input
      WHERE county_id = ANY($1) AND run_id = ANY($2)) AS i
FULL JOIN rostered w
    ON w.county_id = i.county_id AND w.run_id = i.run_id AND w.person_id = i.person_id
JOIN run r ON r.id = COALESCE(i.run_id, w.run_id)
WHERE (i.person_id IS NULL AND w.known OR w.person_id IS NULL OR i.grid_code <> ALL (w.grids))
  AND NOT ((i.person_id IS NULL OR EXISTS (
          SELECT FROM held h WHERE h.county_id = i.county_id AND h.person_id = i.person_id
          AND h.code = i.grid_code))
      AND (EXISTS (
          SELECT FROM shared.audit_event e
          WHERE e.county_id = r.county_id AND e.object_id = COALESCE(i.person_id, w.person_id)
          AND e.action LIKE 'assignment.%' AND e.at > r.made_at)
        OR EXISTS (
          SELECT FROM shared.import_run m WHERE m.county_id = r.county_id AND m.kind = 'roster'
          AND m.applied_at > r.made_at)))
ORDER BY 2 LIMIT 1
"""
SAMPLE = """
SELECT '测评样本' AS thing, COALESCE(g.grid_code, h.grid_code) AS id,
       CASE WHEN g.grid_code IS NULL THEN '抽了样，冻结的名单里没有这个网格'
            WHEN u.id IS NULL THEN '冻结名单那天，名册里没有这个网格'
            WHEN h.listed > g.households
            THEN format('名单上 %s 户，抽样和递补却有 %s 户', g.households, h.listed)
            ELSE format('应抽 %s 户，抽了 %s 户', LEAST(s.per_grid, g.households),
                        COALESCE(h.chosen, 0)) END AS detail
FROM (SELECT county_id, survey_id, grid_code, households FROM appraisal.survey_grid
      WHERE county_id = ANY($1)) AS g
FULL JOIN (
    SELECT county_id, survey_id, grid_code, count(*) AS listed,
           count(*) FILTER (WHERE kind = 'primary') AS chosen
    FROM appraisal.survey_household WHERE county_id = ANY($1)
    GROUP BY county_id, survey_id, grid_code) AS h
    ON h.county_id = g.county_id AND h.survey_id = g.survey_id AND h.grid_code = g.grid_code
JOIN appraisal.survey s ON s.county_id = ANY($1)
    AND s.id = COALESCE(g.survey_id, h.survey_id)
LEFT JOIN shared.unit u ON u.county_id = g.county_id AND u.code = g.grid_code AND u.kind = 'grid'
    AND (u.closed_on IS NULL OR u.closed_on >= (s.frozen_at AT TIME ZONE 'Asia/Shanghai')::date)
WHERE cardinality($2::uuid[]) >= 0
  AND (g.grid_code IS NULL OR u.id IS NULL OR h.listed > g.households
       OR COALESCE(h.chosen, 0)
          <> CASE s.state WHEN 'frozen' THEN 0 ELSE LEAST(s.per_grid, g.households) END)
ORDER BY 2 LIMIT 1
"""
# The nth signature of a step answers to the nth event that says so, in both directions.
STEPS = """
SELECT '考核事项' AS thing, COALESCE(s.case_id, e.object_id)::text AS id,
       CASE WHEN e.object_id IS NULL
            THEN format('第 %s 步“%s”没有相符的审计记录', s.position, s.title)
            ELSE format('审计里有 %s 这一步，事项里没有相符的签字', e.step) END AS detail
FROM (
    SELECT county_id, case_id, position, title, step, effective_on, actor_id, authority,
           row_number() OVER (PARTITION BY county_id, case_id, step ORDER BY position) AS nth
    FROM appraisal.case_step WHERE county_id = ANY($1)) AS s
FULL JOIN (
    SELECT county_id, object_id, after->>'state' AS step,
           (after->>'effective_on')::date AS effective_on, actor_id, authority,
           row_number() OVER (
               PARTITION BY county_id, object_id, after->>'state' ORDER BY id) AS nth
    FROM shared.audit_event
    WHERE county_id = ANY($1) AND object_kind = 'case' AND action = 'case.sign') AS e
    ON e.county_id = s.county_id AND e.object_id = s.case_id AND e.step = s.step
    AND e.nth = s.nth
WHERE cardinality($2::uuid[]) >= 0
  AND (s.effective_on, s.actor_id, s.authority)
      IS DISTINCT FROM (e.effective_on, e.actor_id, e.authority)
ORDER BY 2, s.position LIMIT 1
"""
# Once the results are out, an objection changes nobody else's grade: who is within the share of
# 优秀 is then no longer what all the scores say today.
OUT_BEFORE = """
SELECT DISTINCT k.county_id, k.run_id
FROM appraisal.calibration k
JOIN appraisal.cycle_step t ON t.county_id = k.county_id AND t.cycle_id = k.cycle_id
    AND t.target = 'notice' AND t.at <= k.made_at
WHERE k.county_id = ANY($1) AND k.run_id = ANY($2)
"""
CHECKS = {
    "I15 得分由输入和规则推出": f"""
SELECT '得分' AS thing, COALESCE(x.person_id, s.person_id)::text AS id,
       format('存的是 %s（%s），重算是 %s（%s）', s.final, s.grade, x.final, x.grade) AS detail
FROM ({scoring_queries.AGAIN}) AS x
FULL JOIN (SELECT * FROM appraisal.score WHERE county_id = ANY($1) AND run_id = ANY($2)) AS s
    ON s.county_id = x.county_id AND s.run_id = x.run_id AND s.person_id = x.person_id
LEFT JOIN ({OUT_BEFORE}) AS o ON o.county_id = s.county_id AND o.run_id = s.run_id
WHERE (x.attendance, x.orders, x.data, x.settled, x.satisfaction, x.merit, x.training, x.plus,
       x.minus, x.present, x.rate, x.typical, x.period_score, x.calculated, x.final)
      IS DISTINCT FROM
      (s.attendance, s.orders, s.data, s.settled, s.satisfaction, s.merit, s.training, s.plus,
       s.minus, s.present, s.rate, s.typical, s.period_score, s.calculated, s.final)
   OR (x.grade, x.note) IS DISTINCT FROM (s.grade, s.note)
      AND NOT (o.run_id IS NOT NULL AND (x.grade = 'excellent' AND s.note = 'quota'
                                         OR x.note = 'quota' AND s.grade = 'excellent'))
ORDER BY 2 LIMIT 1
""",
    **{
        f"I16 {name}名次": RANKS.format(level=level, kept=kept, own=own)
        for name, (level, kept, own) in LEVELS.items()
    },
    "I16 评分的人数": """
SELECT '评分' AS thing, r.id::text AS id,
       format('记的是 %s 人，输入有 %s 人', r.people, COALESCE(i.people, 0)) AS detail
FROM appraisal.run r
LEFT JOIN (SELECT county_id, run_id, count(*) AS people FROM appraisal.input
           WHERE county_id = ANY($1) AND run_id = ANY($2) GROUP BY county_id, run_id) AS i
    ON i.county_id = r.county_id AND i.run_id = r.id
WHERE r.county_id = ANY($1) AND r.id = ANY($2) AND r.people <> COALESCE(i.people, 0)
ORDER BY 2 LIMIT 1
""",
    "I16 评分和排名的人与当日名册": ROSTER,
    "I16 测评样本与当日名册": SAMPLE,
    "I16 测评名单的户数": """
SELECT '测评' AS thing, s.id::text AS id,
       format('记的是 %s 户，各网格合计 %s 户', s.households, COALESCE(g.households, 0)) AS detail
FROM appraisal.survey s
LEFT JOIN (SELECT county_id, survey_id, sum(households) AS households FROM appraisal.survey_grid
           WHERE county_id = ANY($1) GROUP BY county_id, survey_id) AS g
    ON g.county_id = s.county_id AND g.survey_id = s.id
WHERE s.county_id = ANY($1) AND s.households <> COALESCE(g.households, 0)
    AND cardinality($2::uuid[]) >= 0
ORDER BY 2 LIMIT 1
""",
    "I18 事项的每一步有审计": STEPS,
    "I18 事项的状态有签字": """
SELECT '考核事项' AS thing, f.id::text AS id,
       format('状态是 %s，最后签字的是 %s', f.state, COALESCE(l.step, '无')) AS detail
FROM appraisal.case_file f
LEFT JOIN (
    SELECT DISTINCT ON (county_id, case_id) county_id, case_id, step FROM appraisal.case_step
    WHERE county_id = ANY($1) ORDER BY county_id, case_id, position DESC) AS l
    ON l.county_id = f.county_id AND l.case_id = f.id
WHERE f.county_id = ANY($1) AND f.state IS DISTINCT FROM l.step
    AND cardinality($2::uuid[]) >= 0
ORDER BY 2 LIMIT 1
""",
    "I18 考核的阶段有签字": """
SELECT '考核' AS thing, c.id::text AS id,
       format('阶段是 %s，最后签字到 %s', c.state, l.target) AS detail
FROM appraisal.cycle c
LEFT JOIN LATERAL (
    SELECT t.target FROM appraisal.cycle_step t
    WHERE t.county_id = c.county_id AND t.cycle_id = c.id ORDER BY t.at DESC, t.id DESC LIMIT 1
) AS l ON true
WHERE c.county_id = ANY($1) AND c.state <> COALESCE(l.target, 'draft')
    AND cardinality($2::uuid[]) >= 0
ORDER BY c.id LIMIT 1
""",
}


class Broken(msgspec.Struct, frozen=True):
    """The first row that breaks a check."""

    thing: str
    id: str | None
    detail: str


async def counties() -> list[int]:
    """Counties that have a cycle."""
    return [row["county_id"] for row in await DB.fetch(COUNTIES)]


async def runs(county_id: int) -> list[UUID]:
    return [row["id"] for row in await DB.fetch(RUNS, county_id)]


async def first_broken(sql: str, county_id: int, found: list[UUID]) -> Broken | None:
    return await DB.one(Broken, sql, [county_id], found)
