-- What the scorecard reads of duty and training, by cycle and person (repeatable; shape of the
-- columns is a contract inside the service: columns are added, never changed).

-- Everybody who was a gridworker in a cycle's period; ``grid_code`` is where they ended it.
CREATE OR REPLACE VIEW appraisal.cycle_worker AS
SELECT c.county_id, c.id AS cycle_id, c.starts_on, c.ends_on, a.person_id,
       (array_agg(u.code ORDER BY a.valid_from DESC, u.code))[1] AS grid_code
FROM appraisal.cycle c
JOIN shared.assignment a ON a.county_id = c.county_id AND a.valid_from <= c.ends_on
    AND (a.valid_to IS NULL OR a.valid_to > c.starts_on)
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id AND p.role = 'gridworker'
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id
GROUP BY c.county_id, c.id, a.person_id;

-- Months counted from year 0, so that they can be subtracted.
CREATE OR REPLACE FUNCTION appraisal.month_number(p_day date) RETURNS int LANGUAGE sql IMMUTABLE
RETURN date_part('year', p_day)::int * 12 + date_part('month', p_day)::int - 1;

-- From which to which month a village's sheets should name whom: a row a cycle and assignment.
CREATE OR REPLACE VIEW appraisal.expected_months AS
SELECT c.county_id, c.id AS cycle_id, a.person_id, left(u.code, 12) AS village_code,
       appraisal.month_number(c.starts_on) AS cycle_first,
       appraisal.month_number(GREATEST(c.starts_on, a.valid_from)) AS first,
       appraisal.month_number(LEAST(c.ends_on, a.valid_to - 1)) AS last
FROM appraisal.cycle c
JOIN shared.assignment a ON a.county_id = c.county_id AND a.valid_from <= c.ends_on
    AND (a.valid_to IS NULL OR a.valid_to > c.starts_on)
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id AND p.role = 'gridworker'
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id;

-- The same, a row a month (202603); twice for two posts of one person in one village.
CREATE OR REPLACE VIEW appraisal.expected_attendance AS
SELECT e.county_id, e.cycle_id, e.person_id, e.village_code,
       m.number / 12 * 100 + m.number % 12 + 1 AS month
FROM appraisal.expected_months e
CROSS JOIN LATERAL generate_series(e.first, e.last) AS m (number);

-- duty_total, version 1: one row a cycle and gridworker. Days are NULL where no sheet names the
-- person, so that a missing sheet is never a zero; ``missing_months`` says how many are missing.
-- ``data_checked`` 0 means that no double-random check drew the person.
CREATE OR REPLACE VIEW appraisal.duty_total AS
SELECT w.county_id, w.cycle_id, w.person_id,
       d.rostered_days, d.duty_days, d.leave_days,
       COALESCE(d.missing_months, 0)::int AS missing_months,
       COALESCE(e.failed_checks, 0)::int AS failed_checks,
       COALESCE(e.passed_checks, 0)::int AS passed_checks,
       COALESCE(r.checked, 0)::int AS data_checked, COALESCE(r.correct, 0)::int AS data_right,
       COALESCE(e.commended_township, 0)::int AS commended_township,
       COALESCE(e.commended_county, 0)::int AS commended_county,
       COALESCE(e.complaints_founded, 0)::int AS complaints_founded,
       COALESCE(e.vetoes, 0) > 0 AS veto, e.veto_reason
FROM appraisal.cycle_worker w
LEFT JOIN (
    -- A bit a month of the cycle: a month is missing where any village owes its sheet.
    SELECT county_id, cycle_id, person_id, sum(t.rostered_days) AS rostered_days,
           sum(t.duty_days) AS duty_days, sum(t.leave_days) AS leave_days,
           bit_count(bit_or(x.months & ~COALESCE(t.months, 0))::bit(32)) AS missing_months
    FROM (
        SELECT county_id, cycle_id, person_id, village_code,
               bit_or(((1 << last - first + 1) - 1) << first - cycle_first) AS months
        FROM appraisal.expected_months
        GROUP BY county_id, cycle_id, person_id, village_code
    ) x
    FULL JOIN (
        SELECT c.county_id, c.cycle_id, t.person_id, t.village_code,
               sum(t.rostered_days) AS rostered_days, sum(t.duty_days) AS duty_days,
               sum(t.leave_days) AS leave_days,
               bit_or(1 << t.month / 100 * 12 + t.month % 100 - 1 - c.first) AS months
        FROM (
            SELECT county_id, id AS cycle_id, appraisal.month_number(starts_on) AS first,
                   appraisal.month_number(ends_on) AS last
            FROM appraisal.cycle
        ) c
        JOIN appraisal.attendance t ON t.county_id = c.county_id AND t.current
            AND t.month BETWEEN c.first / 12 * 100 + c.first % 12 + 1
                            AND c.last / 12 * 100 + c.last % 12 + 1
        GROUP BY c.county_id, c.cycle_id, t.person_id, t.village_code
    ) t USING (county_id, cycle_id, person_id, village_code)
    GROUP BY county_id, cycle_id, person_id
) d ON d.county_id = w.county_id AND d.cycle_id = w.cycle_id AND d.person_id = w.person_id
LEFT JOIN (
    SELECT c.county_id, c.id AS cycle_id, y.person_id,
           count(*) FILTER (WHERE y.kind = 'check' AND y.outcome = 'failed') AS failed_checks,
           count(*) FILTER (WHERE y.kind = 'check' AND y.outcome = 'passed') AS passed_checks,
           count(*) FILTER (WHERE y.kind = 'commend' AND y.level = 'township')
               AS commended_township,
           count(*) FILTER (WHERE y.kind = 'commend' AND y.level = 'county') AS commended_county,
           count(*) FILTER (WHERE y.kind = 'complaint' AND y.outcome = 'founded')
               AS complaints_founded,
           count(*) FILTER (WHERE y.kind = 'veto') AS vetoes,
           string_agg(CASE y.outcome WHEN 'fraud' THEN '弄虚作假' WHEN 'leak' THEN '泄露数据'
                      ELSE '贪污腐败' END || '（' || y.document || '）', '；'
                      ORDER BY y.happened_on, y.id) FILTER (WHERE y.kind = 'veto') AS veto_reason
    FROM appraisal.cycle c
    JOIN appraisal.duty_entry y ON y.county_id = c.county_id AND y.state = 'standing'
        AND y.happened_on BETWEEN c.starts_on AND c.ends_on
    GROUP BY c.county_id, c.id, y.person_id
) e ON e.county_id = w.county_id AND e.cycle_id = w.cycle_id AND e.person_id = w.person_id
LEFT JOIN (
    SELECT c.county_id, c.id AS cycle_id, i.person_id, count(*) AS checked,
           count(*) FILTER (WHERE o.correct) AS correct
    FROM appraisal.cycle c
    JOIN appraisal.random_check k ON k.county_id = c.county_id AND k.state = 'drawn'
        AND k.last_day BETWEEN c.starts_on AND c.ends_on
    JOIN appraisal.random_item i ON i.county_id = k.county_id AND i.check_id = k.id
    JOIN appraisal.random_result o ON o.county_id = i.county_id AND o.item_id = i.id AND o.current
    GROUP BY c.county_id, c.id, i.person_id
) r ON r.county_id = w.county_id AND r.cycle_id = w.cycle_id AND r.person_id = w.person_id;
COMMENT ON VIEW appraisal.duty_total IS 'contract v1: duty by cycle and gridworker';

-- training_total, version 1: ``hours`` NULL where no session was held for the person's units, so
-- that nobody loses points for a course that nobody gave; ``test`` is the mean of the tests taken,
-- NULL without one. Without a stated requirement 12 hours are asked (rules.DEFAULT_HOURS).
CREATE OR REPLACE VIEW appraisal.training_total AS
SELECT w.county_id, w.cycle_id, w.person_id,
       CASE WHEN h.hours IS NOT NULL OR EXISTS (
           SELECT FROM appraisal.training_session s
           WHERE s.county_id = w.county_id AND s.state = 'held'
             AND s.held_on BETWEEN w.starts_on AND w.ends_on
             AND s.unit_code IN (left(w.grid_code, 6), left(w.grid_code, 9), left(w.grid_code, 12))
       ) THEN COALESCE(h.hours, 0) END AS hours,
       COALESCE(q.hours, 12.0) AS required, h.test, COALESCE(h.sessions, 0)::int AS sessions
FROM appraisal.cycle_worker w
LEFT JOIN (
    SELECT DISTINCT ON (t.county_id, t.cycle_id) t.county_id, t.cycle_id, t.hours
    FROM appraisal.training_requirement t
    ORDER BY t.county_id, t.cycle_id, t.version DESC
) q ON q.county_id = w.county_id AND q.cycle_id = w.cycle_id
LEFT JOIN (
    SELECT c.county_id, c.id AS cycle_id, t.person_id,
           sum(s.hours) FILTER (WHERE t.present) AS hours,
           count(*) FILTER (WHERE t.present) AS sessions, round(avg(t.test), 2) AS test
    FROM appraisal.cycle c
    JOIN appraisal.training_session s ON s.county_id = c.county_id AND s.state = 'held'
        AND s.held_on BETWEEN c.starts_on AND c.ends_on
    JOIN appraisal.training_attendance t ON t.county_id = s.county_id AND t.session_id = s.id
        AND t.current
    GROUP BY c.county_id, c.id, t.person_id
) h ON h.county_id = w.county_id AND h.cycle_id = w.cycle_id AND h.person_id = w.person_id;
COMMENT ON VIEW appraisal.training_total IS 'contract v1: training by cycle and gridworker';
