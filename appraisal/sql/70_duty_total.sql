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

-- Which villages' sheets should name whom in which month (202603) of a cycle.
CREATE OR REPLACE VIEW appraisal.expected_attendance AS
SELECT DISTINCT c.county_id, c.id AS cycle_id, a.person_id, left(u.code, 12) AS village_code,
       (extract(year FROM m.first) * 100 + extract(month FROM m.first))::int AS month
FROM appraisal.cycle c
CROSS JOIN LATERAL (
    SELECT s::date AS first, (s + interval '1 month')::date AS after
    FROM generate_series(date_trunc('month', c.starts_on::timestamp), c.ends_on::timestamp,
                         interval '1 month') s
) m
JOIN shared.assignment a ON a.county_id = c.county_id AND a.valid_from < m.after
    AND (a.valid_to IS NULL OR a.valid_to > m.first)
JOIN shared.post p ON p.county_id = a.county_id AND p.id = a.post_id AND p.role = 'gridworker'
JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id;

-- duty_total, version 1: one row a cycle and gridworker. Days are NULL where no sheet names the
-- person, so that a missing sheet is never a zero; ``missing_months`` says how many are missing.
-- ``data_checked`` 0 means that no double-random check drew the person.
CREATE OR REPLACE VIEW appraisal.duty_total AS
SELECT w.county_id, w.cycle_id, w.person_id,
       d.rostered_days, d.duty_days, d.leave_days,
       COALESCE(g.months, 0)::int AS missing_months,
       COALESCE(e.failed_checks, 0)::int AS failed_checks,
       COALESCE(e.passed_checks, 0)::int AS passed_checks,
       COALESCE(r.checked, 0)::int AS data_checked, COALESCE(r.correct, 0)::int AS data_right,
       COALESCE(e.commended_township, 0)::int AS commended_township,
       COALESCE(e.commended_county, 0)::int AS commended_county,
       COALESCE(e.complaints_founded, 0)::int AS complaints_founded,
       COALESCE(e.vetoes, 0) > 0 AS veto, e.veto_reason
FROM appraisal.cycle_worker w
LEFT JOIN (
    SELECT c.county_id, c.id AS cycle_id, t.person_id, sum(t.rostered_days) AS rostered_days,
           sum(t.duty_days) AS duty_days, sum(t.leave_days) AS leave_days
    FROM appraisal.cycle c
    JOIN appraisal.attendance t ON t.county_id = c.county_id AND t.current
        AND make_date(t.month / 100, t.month % 100, 1) BETWEEN c.starts_on AND c.ends_on
    GROUP BY c.county_id, c.id, t.person_id
) d ON d.county_id = w.county_id AND d.cycle_id = w.cycle_id AND d.person_id = w.person_id
LEFT JOIN (
    SELECT x.county_id, x.cycle_id, x.person_id, count(DISTINCT x.month) AS months
    FROM appraisal.expected_attendance x
    WHERE NOT EXISTS (
        SELECT FROM appraisal.attendance t
        WHERE t.county_id = x.county_id AND t.person_id = x.person_id AND t.month = x.month
          AND t.village_code = x.village_code AND t.current)
    GROUP BY x.county_id, x.cycle_id, x.person_id
) g ON g.county_id = w.county_id AND g.cycle_id = w.cycle_id AND g.person_id = w.person_id
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
