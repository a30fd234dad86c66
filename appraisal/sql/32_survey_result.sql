-- What a closed survey says (repeatable). Every figure is exact: sums of whole answers, divided
-- once, with 30 digits, so that a half is a half when it is rounded.

-- 97.5 % quantile of Student's t: the table to 30 degrees of freedom, then the expansion of
-- Cornish and Fisher around the normal quantile (Abramowitz and Stegun 26.7.5), right to 5 digits.
CREATE OR REPLACE FUNCTION appraisal.t_quantile(p_df int) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN p_df < 1 THEN NULL WHEN p_df <= 30 THEN (ARRAY[
        12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
        2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922,
        2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
        2.048407, 2.045230, 2.042272])[p_df]
    ELSE 1.959964 + (2.372271 + (2.822499 + 2.555850 / p_df) / p_df) / p_df END
$$;

-- Mean of the aspects' means, one decimal, half up; aspects that nobody rated do not count.
CREATE OR REPLACE FUNCTION appraisal.survey_score(p_sums bigint[], p_counts bigint[])
RETURNS numeric LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT round(round(avg(round(s::numeric, 30) / c), 20), 1)
    FROM unnest(p_sums, p_counts) AS a (s, c) WHERE c > 0
$$;

-- Half of the 95 % interval over n ballot means, of a population of p_all households: Student's t
-- with the correction for a finite population (Cochran, Sampling Techniques, 2.8 and 2.15).
CREATE OR REPLACE FUNCTION appraisal.survey_half_width(
    p_n bigint, p_sum numeric, p_squares numeric, p_all bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN p_n < 2 THEN NULL ELSE round(appraisal.t_quantile((p_n - 1)::int) * sqrt(
        greatest(p_squares - p_sum * p_sum / p_n, 0) / (p_n - 1) / p_n
        * greatest(1 - p_n::numeric / greatest(p_all, p_n), 0)), 1) END
$$;

-- The groups of ballots that are ever told apart, each of five or more, in sums that add up.
CREATE OR REPLACE VIEW appraisal.survey_cell AS
WITH rated AS (
    SELECT b.county_id, b.survey_id, b.unit_code, b.aware, b.answers, r.rated, r.satisfied,
           CASE WHEN r.rated > 0 THEN round(r.total::numeric, 30) / r.rated END AS mean
    FROM appraisal.ballot b, LATERAL (
        SELECT count(*) FILTER (WHERE v > 0) AS rated, count(*) FILTER (WHERE v >= 60) AS satisfied,
               sum(v) AS total FROM unnest(b.answers) v) r)
SELECT county_id, survey_id, unit_code, count(*) AS ballots, count(*) FILTER (WHERE aware) AS aware,
    count(mean) AS counted, sum(rated)::bigint AS rated, sum(satisfied)::bigint AS satisfied,
    coalesce(sum(mean), 0) AS means, coalesce(sum(mean * mean), 0) AS squares,
    ARRAY[sum(answers[1]), sum(answers[2]), sum(answers[3]), sum(answers[4]), sum(answers[5]),
          sum(answers[6])]::bigint[] AS sums,
    ARRAY[count(*) FILTER (WHERE answers[1] > 0), count(*) FILTER (WHERE answers[2] > 0),
          count(*) FILTER (WHERE answers[3] > 0), count(*) FILTER (WHERE answers[4] > 0),
          count(*) FILTER (WHERE answers[5] > 0), count(*) FILTER (WHERE answers[6] > 0)
          ]::bigint[] AS counts
FROM rated
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
