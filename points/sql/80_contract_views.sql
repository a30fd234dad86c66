-- What appraisal may know of points (repeatable). Contract: columns are added, never changed.

-- merit_month, version 1: one row a person and month of work that has posted records or a final
-- deduction. Amounts in 0.1 point. ``awarded`` is net of reversals, after caps; ``deducted`` stands
-- apart because appraisal counts it as 扣分, not in the merit component.
CREATE OR REPLACE VIEW points.merit_month WITH (security_barrier) AS
SELECT m.county_id, m.person_id, m.month,
       sum(m.records)::int8 AS records, sum(m.awarded)::int8 AS awarded,
       sum(m.deducted)::int8 AS deducted
FROM (
    SELECT r.county_id, r.worker_id AS person_id,
           (extract(year FROM r.work_date) * 100 + extract(month FROM r.work_date))::int AS month,
           count(*) AS records, sum(r.posted) AS awarded, 0 AS deducted
    FROM points.work_record r
    WHERE r.state = 'posted'
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT d.county_id, d.worker_id,
           (extract(year FROM d.happened_on) * 100 + extract(month FROM d.happened_on))::int,
           0, 0, sum(d.amount)
    FROM points.deduction d
    WHERE d.state = 'final' AND d.posted_at IS NOT NULL
    GROUP BY 1, 2, 3
) m
GROUP BY m.county_id, m.person_id, m.month;
COMMENT ON VIEW points.merit_month IS 'contract v1: posted merit by person and month of work';

-- checkable_record, version 1: posted records that a double-random check may draw. What a record
-- of 专项帮教 says stays in points.
CREATE OR REPLACE VIEW points.checkable_record WITH (security_barrier) AS
SELECT r.county_id, r.id AS record_id, r.worker_id AS person_id, r.grid_code, r.work_date,
       r.rule_code, CASE WHEN r.rule_code = 'CARE-02' THEN '专项帮教' ELSE r.text END AS label
FROM points.work_record r
WHERE r.state = 'posted';
COMMENT ON VIEW points.checkable_record IS 'contract v1: posted work that a check may look at';
