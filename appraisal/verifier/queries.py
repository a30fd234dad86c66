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
CHECKS = {
    "I15 得分由输入和规则推出": f"""
SELECT '得分' AS thing, COALESCE(x.person_id, s.person_id)::text AS id,
       format('存的是 %s（%s），重算是 %s（%s）', s.final, s.grade, x.final, x.grade) AS detail
FROM ({scoring_queries.AGAIN}) AS x
FULL JOIN (SELECT * FROM appraisal.score WHERE county_id = ANY($1) AND run_id = ANY($2)) AS s
    ON s.county_id = x.county_id AND s.run_id = x.run_id AND s.person_id = x.person_id
WHERE (x.attendance, x.orders, x.data, x.settled, x.satisfaction, x.merit, x.training, x.plus,
       x.minus, x.present, x.rate, x.typical, x.period_score, x.calculated, x.final, x.grade,
       x.note) IS DISTINCT FROM
      (s.attendance, s.orders, s.data, s.settled, s.satisfaction, s.merit, s.training, s.plus,
       s.minus, s.present, s.rate, s.typical, s.period_score, s.calculated, s.final, s.grade,
       s.note)
ORDER BY 2 LIMIT 1
""",
    **{
        f"I16 {name}名次": RANKS.format(level=level, kept=kept, own=own)
        for name, (level, kept, own) in LEVELS.items()
    },
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
