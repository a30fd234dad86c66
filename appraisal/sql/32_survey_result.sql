-- What a closed survey says (repeatable). Every figure is exact: sums of whole answers, divided
-- once, with 30 digits, so that a half is a half when it is rounded.

-- 97.5 % quantile of Student's t: the table to 30 degrees of freedom, then the expansion of
-- Cornish and Fisher around the normal quantile (Abramowitz and Stegun 26.7.5), right to 5 digits.
-- These three are bodies that were read when they were made: they need no search path, so that the
-- planner writes them into the statement; a call costs more than what it computes.
CREATE OR REPLACE FUNCTION appraisal.t_quantile(p_df int) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN p_df < 1 THEN NULL WHEN p_df <= 30 THEN (ARRAY[
        12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
        2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922,
        2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
        2.048407, 2.045230, 2.042272])[p_df]
    ELSE 1.959964 + (2.372271 + (2.822499 + 2.555850 / p_df) / p_df) / p_df END;

-- Mean of the aspects' means, one decimal, half up; aspects that nobody rated do not count.
CREATE OR REPLACE FUNCTION appraisal.survey_score(p_sums bigint[], p_counts bigint[])
RETURNS numeric LANGUAGE sql IMMUTABLE
RETURN round(round((
        COALESCE(round(p_sums[1]::numeric, 30) / NULLIF(p_counts[1], 0), 0)
        + COALESCE(round(p_sums[2]::numeric, 30) / NULLIF(p_counts[2], 0), 0)
        + COALESCE(round(p_sums[3]::numeric, 30) / NULLIF(p_counts[3], 0), 0)
        + COALESCE(round(p_sums[4]::numeric, 30) / NULLIF(p_counts[4], 0), 0)
        + COALESCE(round(p_sums[5]::numeric, 30) / NULLIF(p_counts[5], 0), 0)
        + COALESCE(round(p_sums[6]::numeric, 30) / NULLIF(p_counts[6], 0), 0)
    ) / NULLIF(num_nonnulls(NULLIF(p_counts[1], 0), NULLIF(p_counts[2], 0), NULLIF(p_counts[3], 0),
        NULLIF(p_counts[4], 0), NULLIF(p_counts[5], 0), NULLIF(p_counts[6], 0)), 0), 20), 1);

-- Half of the 95 % interval over n ballot means, of a population of p_all households: Student's t
-- with the correction for a finite population (Cochran, Sampling Techniques, 2.8 and 2.15).
CREATE OR REPLACE FUNCTION appraisal.survey_half_width(
    p_n bigint, p_sum numeric, p_squares numeric, p_all bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN p_n < 2 THEN NULL ELSE round(appraisal.t_quantile((p_n - 1)::int) * sqrt(
        greatest(p_squares - p_sum * p_sum / p_n, 0) / (p_n - 1) / p_n
        * greatest(1 - p_n::numeric / greatest(p_all, p_n), 0)), 1) END;

-- A ballot's answers as numbers, and the mean of its one to six answers in sixtieths, which are
-- whole: exact, and quick for millions of ballots. The barriers keep each level computed once; else
-- the planner would write its expressions wherever the next level uses them. Conditions on county,
-- survey and code (a range, not a prefix) still reach the index.
CREATE OR REPLACE VIEW appraisal.ballot_answer WITH (security_barrier) AS
SELECT county_id, survey_id, unit_code, aware, answers[1] AS a, answers[2] AS b,
       answers[3] AS c, answers[4] AS d, answers[5] AS e, answers[6] AS f
FROM appraisal.ballot;
CREATE OR REPLACE VIEW appraisal.ballot_rated WITH (security_barrier) AS
SELECT *, (a > 0)::int + (b > 0)::int + (c > 0)::int + (d > 0)::int + (e > 0)::int + (f > 0)::int
       AS rated
FROM appraisal.ballot_answer;
CREATE OR REPLACE VIEW appraisal.ballot_mean WITH (security_barrier) AS
SELECT *, CASE WHEN rated > 0 THEN (a + b + c + d + e + f) * (60 / rated) END AS sixtieths
FROM appraisal.ballot_rated;

-- The groups of ballots that are ever told apart, each of five or more, in sums that add up.
CREATE OR REPLACE VIEW appraisal.survey_cell AS
SELECT county_id, survey_id, unit_code, count(*) AS ballots, count(*) FILTER (WHERE aware) AS aware,
    count(sixtieths) AS counted, sum(rated)::bigint AS rated,
    sum((a >= 60)::int + (b >= 60)::int + (c >= 60)::int + (d >= 60)::int + (e >= 60)::int
        + (f >= 60)::int)::bigint AS satisfied,
    coalesce(sum(sixtieths), 0) / 60.0 AS means,
    coalesce(sum(sixtieths * sixtieths), 0) / 3600.0 AS squares,
    ARRAY[sum(a), sum(b), sum(c), sum(d), sum(e), sum(f)]::bigint[] AS sums,
    ARRAY[count(*) FILTER (WHERE a > 0), count(*) FILTER (WHERE b > 0),
          count(*) FILTER (WHERE c > 0), count(*) FILTER (WHERE d > 0),
          count(*) FILTER (WHERE e > 0), count(*) FILTER (WHERE f > 0)]::bigint[] AS counts
FROM appraisal.ballot_mean
GROUP BY county_id, survey_id, unit_code;

-- Contract with the scorecard: one row a grid of a closed survey. ballots are the counted ones;
-- shares from 0 to 1; fewer than 20 counted ballots are not valid.
CREATE OR REPLACE VIEW appraisal.survey_result AS
SELECT s.county_id, s.cycle_id, g.grid_code,
    (SELECT count(*) FROM appraisal.survey_household h
     WHERE h.county_id = g.county_id AND h.survey_id = g.survey_id AND h.grid_code = g.grid_code
       AND h.status = 'handed')::int AS asked,
    coalesce(c.counted, 0)::int AS ballots,
    round(c.aware::numeric / c.ballots, 4) AS aware_share,
    round(c.satisfied::numeric / nullif(c.rated, 0), 4) AS satisfied_share,
    appraisal.survey_score(c.sums, c.counts)::numeric(4, 1) AS score,
    appraisal.survey_half_width(c.counted, c.means, c.squares, g.households) AS half_width,
    coalesce(c.counted >= 20, FALSE) AS valid
FROM appraisal.survey s
JOIN appraisal.survey_grid g ON g.county_id = s.county_id AND g.survey_id = s.id
LEFT JOIN appraisal.survey_cell c ON c.county_id = g.county_id AND c.survey_id = g.survey_id
    AND c.unit_code = g.grid_code
WHERE s.state = 'closed';
