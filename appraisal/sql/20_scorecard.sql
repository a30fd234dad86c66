-- Keys, checks, indexes, locks and the view of scorecards (repeatable).

-- A run's inputs and scores are known by (county, run, person). Piccolo knows one key column only.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['input', 'score'] LOOP
        IF (SELECT cardinality(conkey) FROM pg_constraint
            WHERE conrelid = ('appraisal.' || v_table)::regclass AND contype = 'p') < 3 THEN
            EXECUTE format('ALTER TABLE appraisal.%I DROP CONSTRAINT %I', v_table,
                           v_table || '_pkey');
            EXECUTE format('ALTER TABLE appraisal.%I ADD CONSTRAINT %I PRIMARY KEY'
                           ' (county_id, run_id, person_id)', v_table, v_table || '_pkey');
        END IF;
    END LOOP;
END $$;

SELECT shared.reference('appraisal.run', 'cycle_id', 'appraisal.cycle');
SELECT shared.reference('appraisal.calibration', 'run_id', 'appraisal.run');

SELECT shared.ensure('appraisal.score', 'score_grade',
    $$grade IN ('excellent','good','basic','fail','undetermined')
      AND note IN ('','veto','short','empty','quota')$$);
SELECT shared.ensure('appraisal.score', 'score_range', $$final BETWEEN 0 AND 10000
    AND final = COALESCE(calibrated, calculated)$$);

CREATE INDEX IF NOT EXISTS scheme_effective ON appraisal.scheme (county_id, effective_on, made_at);
CREATE UNIQUE INDEX IF NOT EXISTS run_number ON appraisal.run (county_id, cycle_id, number);
CREATE UNIQUE INDEX IF NOT EXISTS run_current ON appraisal.run (county_id, cycle_id)
    WHERE current;
CREATE INDEX IF NOT EXISTS calibration_person ON appraisal.calibration
    (county_id, cycle_id, person_id, made_at);

CREATE OR REPLACE TRIGGER scheme_append_only BEFORE UPDATE OR DELETE ON appraisal.scheme
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
CREATE OR REPLACE TRIGGER calibration_append_only BEFORE UPDATE OR DELETE
    ON appraisal.calibration FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
CREATE OR REPLACE TRIGGER run_closed BEFORE INSERT OR UPDATE OR DELETE ON appraisal.run
    FOR EACH ROW EXECUTE FUNCTION appraisal.refuse_closed();
CREATE OR REPLACE TRIGGER calibration_closed BEFORE INSERT ON appraisal.calibration
    FOR EACH ROW EXECUTE FUNCTION appraisal.refuse_closed();

-- Inputs and scores of a closed cycle's run: looked at once a statement, because a statement writes
-- a whole county. Inputs are never changed at all, scores only by calibration.
CREATE OR REPLACE FUNCTION appraisal.refuse_closed_run() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT county_id, run_id FROM touched) t
        JOIN appraisal.run r ON r.county_id = t.county_id AND r.id = t.run_id
        JOIN appraisal.cycle c ON c.county_id = r.county_id AND c.id = r.cycle_id
        WHERE c.state = 'closed'
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'a closed cycle never changes';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER input_closed AFTER INSERT ON appraisal.input
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal.refuse_closed_run();
CREATE OR REPLACE TRIGGER input_frozen BEFORE UPDATE OR DELETE ON appraisal.input
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
CREATE OR REPLACE TRIGGER score_closed_insert AFTER INSERT ON appraisal.score
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal.refuse_closed_run();
CREATE OR REPLACE TRIGGER score_closed_update AFTER UPDATE ON appraisal.score
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal.refuse_closed_run();
CREATE OR REPLACE TRIGGER score_kept BEFORE DELETE ON appraisal.score
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();

-- Contract with notice and pools, version 1: one row a run and person, in points. ``current`` marks
-- the run that counts. ``satisfaction_weight`` is its share of the score (0.3000 = 30 of 100) after
-- missing components were shared out, NULL where satisfaction itself is missing; ``grade_line`` is
-- where the band above the grade begins, NULL above the best.
CREATE OR REPLACE VIEW appraisal.scorecard AS
SELECT r.county_id, r.cycle_id, r.number AS run, r.id AS run_id, r.current, i.person_id, i.name,
       i.grid_code, left(i.grid_code, 12) AS village_code, left(i.grid_code, 9) AS township_code,
       i.grid_type, i.employment_type, i.days,
       round(s.attendance / 100.0, 2)::numeric(5, 2) AS attendance,
       round(s.orders / 100.0, 2)::numeric(5, 2) AS orders,
       round(s.data / 100.0, 2)::numeric(5, 2) AS data,
       round(s.settled / 100.0, 2)::numeric(5, 2) AS settled,
       round(s.satisfaction / 100.0, 2)::numeric(5, 2) AS satisfaction,
       round(s.merit / 100.0, 2)::numeric(5, 2) AS merit,
       round(s.training / 100.0, 2)::numeric(5, 2) AS training,
       round(s.plus / 100.0, 2)::numeric(5, 2) AS plus,
       round(s.minus / 100.0, 2)::numeric(5, 2) AS minus,
       round(s.calculated / 100.0, 2)::numeric(5, 2) AS calculated,
       round(s.calibrated / 100.0, 2)::numeric(5, 2) AS calibrated,
       round(s.final / 100.0, 2)::numeric(5, 2) AS final,
       s.grade, s.note, s.note = 'veto' AS veto, i.veto_reason, i.ballots,
       round(i.half_width / 10.0, 1)::numeric(4, 1) AS half_width,
       round(i.satisfaction / 10.0, 1)::numeric(4, 1) AS satisfaction_score,
       CASE WHEN s.satisfaction IS NOT NULL THEN round(
           (r.scheme ->> 'satisfaction')::numeric / s.present
           * CASE WHEN r.annual AND i.first_final IS NOT NULL
                  THEN 1 - (r.scheme ->> 'first_share')::numeric / 100 ELSE 1 END, 4)
       END AS satisfaction_weight,
       (CASE s.grade WHEN 'fail' THEN r.scheme #>> '{bands,1,low}'
                     WHEN 'basic' THEN r.scheme #>> '{bands,2,low}'
                     WHEN 'good' THEN r.scheme #>> '{bands,3,low}' END)::int AS grade_line
FROM appraisal.run r
JOIN appraisal.input i ON i.county_id = r.county_id AND i.run_id = r.id
JOIN appraisal.score s ON s.county_id = i.county_id AND s.run_id = i.run_id
    AND s.person_id = i.person_id;
COMMENT ON VIEW appraisal.scorecard IS 'contract v1: scores and grades by run and person';
