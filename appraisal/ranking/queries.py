"""SQL of ranks. ``$1`` is the county (or the counties of many runs)."""

from collections.abc import Sequence
from uuid import UUID

from shared.database import DB

FORGET = "DELETE FROM appraisal.ranking WHERE county_id = ANY($1) AND run_id = ANY($2)"
# Equal scores share a rank; within it satisfaction, then results decide who is named first. One
# sort by county, township and village each serves rank and place.
FREEZE = """
INSERT INTO appraisal.ranking (county_id, run_id, person_id, grid_type, township_code,
    village_code, county_place, county_rank, type_place, type_rank, township_place, township_rank,
    village_place, village_rank)
SELECT county_id, run_id, person_id, grid_type, township_code, village_code,
       county_place, CASE WHEN ranked THEN county_rank END,
       type_place, CASE WHEN ranked THEN type_rank END,
       township_place, CASE WHEN ranked THEN township_rank END,
       village_place, CASE WHEN ranked THEN village_rank END
FROM (
    SELECT r.*,
           row_number() OVER in_county AS county_place,
           row_number() OVER in_type AS type_place,
           row_number() OVER in_township AS township_place,
           row_number() OVER in_village AS village_place,
           rank() OVER (PARTITION BY county_id, run_id ORDER BY ranked DESC, final DESC)
               AS county_rank,
           rank() OVER (PARTITION BY county_id, run_id, grid_type
                        ORDER BY ranked DESC, final DESC) AS type_rank,
           rank() OVER (PARTITION BY county_id, run_id, township_code
                        ORDER BY ranked DESC, final DESC) AS township_rank,
           rank() OVER (PARTITION BY county_id, run_id, village_code
                        ORDER BY ranked DESC, final DESC) AS village_rank
    FROM (
        SELECT s.county_id, s.run_id, s.person_id, i.grid_type,
               left(i.grid_code, 9) AS township_code, left(i.grid_code, 12) AS village_code,
               s.grade <> 'undetermined' AS ranked, s.final, i.satisfaction AS liked,
               COALESCE(s.orders, 0) + COALESCE(s.data, 0) + COALESCE(s.settled, 0) AS results
        FROM appraisal.score s
        JOIN appraisal.input i ON i.county_id = s.county_id AND i.run_id = s.run_id
            AND i.person_id = s.person_id
        WHERE s.county_id = ANY($1) AND s.run_id = ANY($2)
    ) AS r
    WINDOW in_county AS (PARTITION BY county_id, run_id ORDER BY ranked DESC, final DESC,
               liked DESC NULLS LAST, results DESC, person_id),
           in_type AS (PARTITION BY county_id, run_id, grid_type ORDER BY ranked DESC, final DESC,
               liked DESC NULLS LAST, results DESC, person_id),
           in_township AS (PARTITION BY county_id, run_id, township_code
               ORDER BY ranked DESC, final DESC, liked DESC NULLS LAST, results DESC, person_id),
           in_village AS (PARTITION BY county_id, run_id, village_code
               ORDER BY ranked DESC, final DESC, liked DESC NULLS LAST, results DESC, person_id)
) AS placed
"""


async def forget(counties: Sequence[int], runs: Sequence[UUID]) -> None:
    await DB.execute(FORGET, counties, runs)


async def freeze(counties: Sequence[int], runs: Sequence[UUID]) -> None:
    await DB.execute(FREEZE, counties, runs)
