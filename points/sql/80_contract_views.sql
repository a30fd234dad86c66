-- What appraisal may know of points (repeatable). Contract: columns are added, never changed.

-- merit_entry, version 1: one row a posted record or final deduction, without what it says. Amounts
-- in 0.1 point; ``awarded`` is net of reversals, after caps; ``deducted`` stands apart because
-- appraisal counts it as 扣分, not in the merit component; ``posted_at`` is when it got into the
-- ledger. A condition on county, person or day reaches the rows' indexes, so that a half-year of
-- one county reads no other.
CREATE OR REPLACE VIEW points.merit_entry WITH (security_barrier) AS
SELECT r.county_id, r.worker_id AS person_id, r.work_date AS day, 1 AS records,
       r.posted AS awarded, 0::int8 AS deducted, r.posted_at
FROM points.work_record r
WHERE r.state = 'posted'
UNION ALL
SELECT d.county_id, d.worker_id, d.happened_on, 0, 0, d.amount, d.posted_at
FROM points.deduction d
WHERE d.state = 'final' AND d.posted_at IS NOT NULL;
COMMENT ON VIEW points.merit_entry IS 'contract v1: posted merit by person and day of work';

-- merit_month, version 1: merit_entry by person and month of work (202603).
CREATE OR REPLACE VIEW points.merit_month WITH (security_barrier) AS
SELECT m.county_id, m.person_id, m.month,
       sum(m.records)::int8 AS records, sum(m.awarded)::int8 AS awarded,
       sum(m.deducted)::int8 AS deducted
FROM (
    SELECT e.*, date_part('year', e.day)::int * 100 + date_part('month', e.day)::int AS month
    FROM points.merit_entry e
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

-- published_month, version 1: one row a fund and month: what its public sheet says was issued and
-- redeemed, in 0.1 point.
CREATE OR REPLACE VIEW points.published_month WITH (security_barrier) AS
SELECT p.county_id, p.month, (p.figures ->> 'issued')::int8 AS issued,
       (p.figures ->> 'redeemed')::int8 AS redeemed
FROM points.publication p;
COMMENT ON VIEW points.published_month IS 'contract v1: points on public sheets';
