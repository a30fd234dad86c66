-- What points may know of appraisal (repeatable). Contract: columns are added, never changed.

-- award_due, version 1: one row an award that a closed cycle has earned somebody; today +30 points
-- for an annual 优秀. ``award`` names it within the cycle, amounts are 0.1 point, ``earned_on`` is
-- the last day of the cycle's period, ``closed_on`` the day in China on which it was closed. A row
-- stays for ever, because a closed cycle never changes; while one is opened again for a paper that
-- was received in time its rows are away, and nobody loses one by that paper.
CREATE OR REPLACE VIEW appraisal.award_due WITH (security_barrier) AS
SELECT c.county_id, r.person_id, c.id AS cycle_id, 'annual_excellent'::text AS award,
       300::int8 AS amount, r.grid_code, c.title, c.ends_on AS earned_on,
       (c.closed_at AT TIME ZONE 'Asia/Shanghai')::date AS closed_on
FROM appraisal.cycle c
JOIN appraisal.scorecard r ON r.county_id = c.county_id AND r.cycle_id = c.id AND r.current
WHERE c.kind = 'annual' AND c.state = 'closed' AND r.grade = 'excellent';
COMMENT ON VIEW appraisal.award_due IS 'contract v1: awards that closed cycles have earned people';

-- cycle_period, version 1: the days that a cycle covers, and the day in China on which it was
-- closed; NULL while it is not, also while it is opened again.
CREATE OR REPLACE VIEW appraisal.cycle_period WITH (security_barrier) AS
SELECT c.county_id, c.id AS cycle_id, c.starts_on, c.ends_on,
       (c.closed_at AT TIME ZONE 'Asia/Shanghai')::date AS closed_on
FROM appraisal.cycle c;
COMMENT ON VIEW appraisal.cycle_period IS 'contract v1: days of cycles, and when they were closed';

-- open_case, version 1: people of the roster with a case that is not concluded; no word of which.
CREATE OR REPLACE VIEW appraisal.open_case WITH (security_barrier) AS
SELECT f.county_id, f.person_id
FROM appraisal.case_file f
WHERE f.person_id IS NOT NULL AND NOT f.done;
COMMENT ON VIEW appraisal.open_case IS 'contract v1: people with a case that is not concluded';
