"""Each check names the first row that breaks it. ``$1`` is the county in an array, ``$2`` runs."""

from uuid import UUID

import msgspec

from appraisal.scorecard import scoring_queries
from shared.database import DB

COUNTIES = "SELECT DISTINCT county_id FROM appraisal.cycle ORDER BY county_id"
RUNS = "SELECT id FROM appraisal.run WHERE county_id = $1 ORDER BY cycle_id, number"
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
    "I16 每人一个名次，同分同名次": """
SELECT '名次' AS thing, COALESCE(r.person_id, s.person_id)::text AS id,
       format('存的是 %s，应为 %s', r.county_rank, s.place) AS detail
FROM (SELECT * FROM appraisal.ranking WHERE county_id = ANY($1) AND run_id = ANY($2)) AS r
FULL JOIN (
    SELECT county_id, run_id, person_id, CASE WHEN ranked THEN rank() OVER (
               PARTITION BY county_id, run_id ORDER BY ranked DESC, final DESC) END AS place
    FROM (SELECT *, grade <> 'undetermined' AND note <> 'veto' AS ranked FROM appraisal.score
          WHERE county_id = ANY($1) AND run_id = ANY($2)) AS one) AS s
    ON s.county_id = r.county_id AND s.run_id = r.run_id AND s.person_id = r.person_id
WHERE r.county_id IS NULL OR s.county_id IS NULL OR r.county_rank IS DISTINCT FROM s.place
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
