"""SQL of results; ``$1`` is the county. Sums of groups of five or more, never of fewer."""

from uuid import UUID

from appraisal.survey.schemas import UnitResult
from shared.database import DB

# Aspects of a unit are told from those groups in which each of the six was rated five times or
# more; otherwise a difference of two units would say what one or two people answered.
RESULTS = """
WITH part AS (
    SELECT left(c.unit_code, l.length) AS code, c.*, (
        SELECT min(n) >= 5 FROM unnest(c.counts) n) AS told
    FROM appraisal.survey_cell c, unnest($4::int[]) AS l (length)
    WHERE c.county_id = $1 AND c.survey_id = $2 AND starts_with(c.unit_code, $3)
      AND length(c.unit_code) >= l.length),
summed AS (
    SELECT code, sum(ballots)::bigint AS ballots, sum(counted)::bigint AS counted,
        sum(aware)::bigint AS aware, sum(rated)::bigint AS rated,
        sum(satisfied)::bigint AS satisfied, sum(means) AS means, sum(squares) AS squares
    FROM part GROUP BY code),
aspect AS (
    SELECT p.code, a.n, sum(p.sums[a.n]) AS sum, sum(p.counts[a.n]) AS count,
        sum(p.sums[a.n]) FILTER (WHERE p.told) AS told_sum,
        sum(p.counts[a.n]) FILTER (WHERE p.told) AS told_count
    FROM part p, generate_series(1, 6) AS a (n) GROUP BY p.code, a.n),
aspects AS (
    SELECT code, appraisal.survey_score(array_agg(sum::bigint ORDER BY n),
            array_agg(count::bigint ORDER BY n)) AS score,
        array_agg(round(round(told_sum, 30) / told_count, 1) ORDER BY n)
            FILTER (WHERE told_count > 0) AS told
    FROM aspect GROUP BY code),
population AS (
    SELECT left(g.grid_code, l.length) AS code, sum(g.households)::bigint AS households,
        sum(h.asked)::bigint AS asked
    FROM unnest($4::int[]) AS l (length)
    JOIN appraisal.survey_grid g ON g.county_id = $1 AND g.survey_id = $2
        AND starts_with(g.grid_code, $3)
    LEFT JOIN (SELECT grid_code, count(*) AS asked FROM appraisal.survey_household
        WHERE county_id = $1 AND survey_id = $2 AND status = 'handed' GROUP BY 1) h
        USING (grid_code)
    GROUP BY 1)
SELECT p.code, COALESCE(s.ballots, 0) AS ballots, COALESCE(s.counted, 0) AS counted,
    round(s.aware / s.ballots::numeric, 4) AS aware_share,
    round(s.satisfied / nullif(s.rated, 0)::numeric, 4) AS satisfied_share,
    a.score, appraisal.survey_half_width(s.counted, s.means, s.squares, p.households) AS half_width,
    a.told AS aspects, COALESCE(p.asked, 0) AS asked, p.households
FROM population p
LEFT JOIN summed s USING (code)
LEFT JOIN aspects a USING (code)
ORDER BY p.code COLLATE "C"
"""
COMMENTS = """
SELECT unit_code, text FROM appraisal.ballot_comment
WHERE county_id = $1 AND survey_id = $2 AND starts_with(unit_code, $3)
ORDER BY unit_code COLLATE "C", id
"""


async def results(
    county_id: int, survey_id: UUID, code: str, lengths: list[int]
) -> list[UnitResult]:
    """Units at or below ``code`` whose codes have one of the lengths."""
    return await DB.all(UnitResult, RESULTS, county_id, survey_id, code, lengths)


async def comments(county_id: int, survey_id: UUID, code: str) -> list[tuple[str, str]]:
    """Unit code and words, by unit and then by random id."""
    return [tuple(row) for row in await DB.fetch(COMMENTS, county_id, survey_id, code)]
