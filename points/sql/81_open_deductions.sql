-- What appraisal may know of deductions that are not decided for good (repeatable).

-- open_deduction, version 1: one row a person with deductions that are noticed, decided but still
-- open to appeal, or appealed; ``cases`` says how many, ``days`` of which days.
CREATE OR REPLACE VIEW points.open_deduction WITH (security_barrier) AS
SELECT d.county_id, d.worker_id AS person_id, count(*)::int AS cases,
       array_agg(d.happened_on) AS days
FROM points.deduction d
WHERE d.state IN ('noticed', 'decided', 'appealed')
GROUP BY d.county_id, d.worker_id;
COMMENT ON VIEW points.open_deduction IS 'contract v1: deductions without a final decision';
