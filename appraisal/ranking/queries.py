"""SQL of ranks. ``$1`` is the county (or the counties of many runs)."""

from collections.abc import Sequence
from uuid import UUID

from appraisal.ranking.schemas import Level, RankRow, UnitLine, Wanted
from appraisal.scorecard.scoring_queries import ANY_WAY, BY_KEY
from shared.database import DB

FORGET = "DELETE FROM appraisal.ranking WHERE county_id = ANY($1) AND run_id = ANY($2)"
# Who has no grade, or fails by veto, has no rank and stands last. Equal scores share a rank; within
# it satisfaction, then results decide who is named first. One sort a level serves rank and place,
# over few small numbers instead of codes and ids, because every level writes each row down twice:
# a grid type, township and village among all runs of the statement, ``top`` (0 = no rank).
FREEZE = """
INSERT INTO appraisal.ranking (county_id, run_id, person_id, grid_type, township_code,
    village_code, county_place, county_rank, type_place, type_rank, township_place, township_rank,
    village_place, village_rank)
WITH listed AS (
    SELECT row_number() OVER () AS number, county_id, id AS run_id
    FROM appraisal.run WHERE county_id = ANY($1) AND id = ANY($2)
)
SELECT l.county_id, l.run_id, p.person_id,
       CASE p.kind % 4 WHEN 1 THEN 'rural' WHEN 2 THEN 'community' ELSE 'other' END,
       left(p.grid_code, 9), left(p.grid_code, 12),
       p.county_place, CASE WHEN p.top > 0 THEN p.county_rank END,
       p.type_place, CASE WHEN p.top > 0 THEN p.type_rank END,
       p.township_place, CASE WHEN p.top > 0 THEN p.township_rank END,
       p.village_place, CASE WHEN p.top > 0 THEN p.village_rank END
FROM (
    SELECT r.*,
           row_number() OVER (PARTITION BY number ORDER BY top DESC, rest DESC, person_id)
               AS county_place,
           rank() OVER (PARTITION BY number ORDER BY top DESC) AS county_rank,
           row_number() OVER (PARTITION BY kind ORDER BY top DESC, rest DESC, person_id)
               AS type_place,
           rank() OVER (PARTITION BY kind ORDER BY top DESC) AS type_rank,
           row_number() OVER (PARTITION BY town ORDER BY top DESC, rest DESC, person_id)
               AS township_place,
           rank() OVER (PARTITION BY town ORDER BY top DESC) AS township_rank,
           row_number() OVER (PARTITION BY town, village ORDER BY top DESC, rest DESC, person_id)
               AS village_place,
           rank() OVER (PARTITION BY town, village ORDER BY top DESC) AS village_rank
    FROM (
        SELECT l.number, s.person_id, i.grid_code,
               l.number * 4 + CASE i.grid_type WHEN 'rural' THEN 1 WHEN 'community' THEN 2
                   ELSE 3 END AS kind,
               l.number * 1000000000 + i.grid_code::int8 / 1000000 AS town,
               i.grid_code::int8 / 1000 AS village,
               CASE WHEN s.grade <> 'undetermined' AND s.note <> 'veto' THEN s.final + 1 ELSE 0
               END AS top,
               (COALESCE(i.satisfaction + 1, 0) << 14) + COALESCE(s.orders, 0)
                   + COALESCE(s.data, 0) + COALESCE(s.settled, 0) AS rest
        FROM listed l
        JOIN appraisal.score s ON s.county_id = l.county_id AND s.run_id = l.run_id
        JOIN appraisal.input i ON i.county_id = s.county_id AND i.run_id = s.run_id
            AND i.person_id = s.person_id
        WHERE s.county_id = ANY($1) AND s.run_id = ANY($2)
          AND i.county_id = ANY($1) AND i.run_id = ANY($2)
    ) AS r
) AS p
JOIN listed l ON l.number = p.number
"""
# A page is a range of the level's index; names are looked up for its rows only. Without conditions
# beside the level's own, and with its limit in its text, it is planned once a connection: planning
# takes longer than running it. Conditions read on along the same index until the page is full.
PAGE = """
SELECT k.place, k.rank, i.person_id, i.name, i.grid_code, COALESCE(g.name, '') AS grid_name,
       COALESCE(v.name, '') AS village_name, COALESCE(t.name, '') AS township_name, i.grid_type,
       i.employment_type, i.days, s.attendance, s.orders, s.data, s.settled, s.satisfaction,
       s.merit, s.training, s.plus, s.minus, s.calculated, s.calibrated, s.final, s.grade, s.note,
       i.satisfaction AS liked, i.ballots, i.half_width
FROM (
    SELECT r.{level}_place AS place, r.{level}_rank AS rank, r.person_id
    FROM appraisal.ranking r
    WHERE r.county_id = $1 AND r.run_id = $2 AND r.{level}_place > $3 {conditions}
    ORDER BY r.{level}_place LIMIT {limit}
) AS k
JOIN appraisal.input i ON i.county_id = $1 AND i.run_id = $2 AND i.person_id = k.person_id
JOIN appraisal.score s ON s.county_id = $1 AND s.run_id = $2 AND s.person_id = k.person_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = i.grid_code
LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(i.grid_code, 12)
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(i.grid_code, 9)
ORDER BY k.place
"""
OWN = {
    Level.COUNTY: "AND length($4) >= 0",
    Level.TYPE: "AND length($4) >= 0 AND r.grid_type = $5",
    Level.TOWNSHIP: "AND r.township_code = $4",
    Level.VILLAGE: "AND r.village_code = left($4, 12) AND r.township_code = left($4, 9)",
}
"""Level → what its list holds; ``$4`` is the unit, ``$5`` the grid type."""
NARROWED = """
      AND ($5 = '' OR r.grid_type = $5)
      AND ($6 = '' AND $7 = '' AND length($4) < 15 OR EXISTS (
          SELECT FROM appraisal.input j
          JOIN appraisal.score z ON z.county_id = $1 AND z.run_id = $2
              AND z.person_id = j.person_id
          WHERE j.county_id = $1 AND j.run_id = $2 AND j.person_id = r.person_id
            AND ($6 = '' OR z.grade = $6) AND ($7 = '' OR position($7 IN j.name) > 0)
            AND (length($4) < 15 OR j.grid_code = $4)))
"""
DENSE = {
    Level.COUNTY: "",
    Level.TYPE: "AND r.grid_type = $4",
    Level.TOWNSHIP: "AND r.township_code = $4",
    Level.VILLAGE: "AND r.village_code = $4 AND r.township_code = left($4, 9)",
}
"""The same of a list without other conditions; ``$4`` is the unit or the grid type."""
COUNT = {
    level: f"""
SELECT COALESCE(max(r.{level}_place), 0) FROM appraisal.ranking r
WHERE r.county_id = $1 AND r.run_id = $2 {own.replace("$4", "$3")}
"""
    for level, own in DENSE.items()
}
"""Places are dense from 1: the last one is how many there are."""
UNITS = """
SELECT x.code, COALESCE(u.name, x.code) AS name, x.people, x.mean, x.excellent, x.good, x.basic,
       x.fail, x.undetermined, x.liked, x.grids_liked, x.ballots
FROM (
    SELECT left(i.grid_code, $4) AS code, count(*)::int AS people,
           round(avg(s.final) FILTER (WHERE s.grade <> 'undetermined'))::int AS mean,
           count(*) FILTER (WHERE s.grade = 'excellent')::int AS excellent,
           count(*) FILTER (WHERE s.grade = 'good')::int AS good,
           count(*) FILTER (WHERE s.grade = 'basic')::int AS basic,
           count(*) FILTER (WHERE s.grade = 'fail')::int AS fail,
           count(*) FILTER (WHERE s.grade = 'undetermined')::int AS undetermined,
           round(avg(i.satisfaction))::int AS liked, count(i.satisfaction)::int AS grids_liked,
           sum(i.ballots)::int AS ballots
    FROM appraisal.input i
    JOIN appraisal.score s ON s.county_id = i.county_id AND s.run_id = i.run_id
        AND s.person_id = i.person_id
    WHERE i.county_id = $1 AND i.run_id = $2 AND starts_with(i.grid_code, $3)
    GROUP BY 1
) AS x
LEFT JOIN shared.unit u ON u.county_id = $1 AND u.code = x.code
ORDER BY x.mean DESC NULLS LAST, x.code COLLATE "C" LIMIT 500
"""


async def page(county_id: int, run_id: UUID, wanted: Wanted, limit: int) -> list[RankRow]:
    """Rows of a list after ``wanted.after``, in its order."""
    key = (county_id, run_id, wanted.after)
    if wanted.dense:
        sql = PAGE.format(level=wanted.level, conditions=DENSE[wanted.level], limit=limit)
        return await DB.all(RankRow, sql, *key, *wanted.own)
    conditions = OWN[wanted.level] + NARROWED
    sql = PAGE.format(level=wanted.level, conditions=conditions, limit="$8")
    given = (wanted.unit, wanted.grid_type, wanted.grade, wanted.text, limit)
    return await DB.all(RankRow, sql, *key, *given)


async def count(county_id: int, run_id: UUID, wanted: Wanted) -> int:
    """How many are in a dense list."""
    found: int = await DB.fetchval(COUNT[wanted.level], county_id, run_id, *wanted.own)
    return found


async def units(county_id: int, run_id: UUID, code: str, length: int) -> list[UnitLine]:
    """The units below ``code`` whose codes have ``length`` digits, in figures."""
    return await DB.all(UnitLine, UNITS, county_id, run_id, code, length)


async def forget(counties: Sequence[int], runs: Sequence[UUID]) -> None:
    await DB.execute(FORGET, counties, runs)


async def freeze(counties: Sequence[int], runs: Sequence[UUID]) -> None:
    """Rank the runs' workers at every level, inside a transaction."""
    await DB.execute(BY_KEY)
    await DB.execute(FREEZE, counties, runs)
    await DB.execute(ANY_WAY)
