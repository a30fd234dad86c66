-- Keys, checks and locks of cases (repeatable).
SELECT shared.harden('appraisal');

SELECT shared.reference('appraisal.case_file', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.case_file', 'about_cycle_id', 'appraisal.cycle');
SELECT shared.reference('appraisal.case_file', 'post_id', 'shared.post');
SELECT shared.reference('appraisal.case_file', 'origin_id', 'appraisal.case_file');
SELECT shared.reference('appraisal.case_step', 'case_id', 'appraisal.case_file');
SELECT shared.reference('appraisal.case_step', 'actor_id', 'shared.person');
SELECT shared.reference('appraisal.kinship', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.kinship', 'relative_id', 'shared.person');

-- An objection to a pool's notice is about the case that was published, which may be of somebody
-- who is not in the roster yet.
ALTER TABLE appraisal.case_file DROP CONSTRAINT IF EXISTS case_file_pool,
    DROP CONSTRAINT IF EXISTS case_file_about;
SELECT shared.ensure('appraisal.case_file', 'case_file_rests_on', $$pool IN
    ('objection','recommendation','warning','exit','admission','service')
    AND (person_id IS NOT NULL OR pool = 'admission' OR machine = 'contest_pool')
    AND (about_cycle_id IS NOT NULL OR pool IN ('exit','admission') OR machine = 'contest_pool')
    AND (post_id IS NOT NULL) = (pool = 'admission')
    AND (machine <> 'contest_pool' OR origin_id IS NOT NULL)$$);
SELECT shared.ensure('appraisal.case_file', 'case_file_unit', $$unit_code ~ '^[0-9]{15}$'$$);
SELECT shared.ensure('appraisal.case_file', 'case_file_done', $$NOT done OR outcome IS NOT NULL$$);
SELECT shared.ensure('appraisal.case_step', 'case_step_signed',
    $$words <> '' AND (actor_id IS NULL) = (authority = 'system')$$);
SELECT shared.ensure('appraisal.kinship', 'kinship_two', $$person_id < relative_id$$);

CREATE INDEX IF NOT EXISTS case_file_open ON appraisal.case_file
    (county_id, unit_code COLLATE "C") WHERE NOT done;
CREATE INDEX IF NOT EXISTS case_file_pool_unit ON appraisal.case_file
    (county_id, pool, unit_code COLLATE "C");
CREATE INDEX IF NOT EXISTS case_file_person ON appraisal.case_file (county_id, person_id);
CREATE INDEX IF NOT EXISTS case_file_cycle ON appraisal.case_file (county_id, about_cycle_id);
-- One own objection to a result, one warning for it, one word that it reaches nobody; one exit and
-- one recommendation at a time.
-- To resign is anybody's right, whatever else is under way: that ends once the person is gone.
DROP INDEX IF EXISTS appraisal.case_file_objection;
CREATE UNIQUE INDEX IF NOT EXISTS case_file_own_objection ON appraisal.case_file
    (county_id, about_cycle_id, person_id)
    WHERE machine = 'objection' AND outcome IS DISTINCT FROM 'withdrawn';
CREATE UNIQUE INDEX IF NOT EXISTS case_file_left_out ON appraisal.case_file
    (county_id, about_cycle_id, person_id) WHERE machine = 'left_out';
CREATE UNIQUE INDEX IF NOT EXISTS case_file_undelivered ON appraisal.case_file
    (county_id, about_cycle_id, person_id)
    WHERE machine = 'serving' AND outcome IS DISTINCT FROM 'withdrawn';
CREATE INDEX IF NOT EXISTS case_file_origin ON appraisal.case_file (county_id, origin_id);
CREATE UNIQUE INDEX IF NOT EXISTS case_file_warning ON appraisal.case_file
    (county_id, about_cycle_id, person_id)
    WHERE pool = 'warning' AND outcome IS DISTINCT FROM 'annulled';
DROP INDEX IF EXISTS appraisal.case_file_exit;
CREATE UNIQUE INDEX IF NOT EXISTS case_file_one_exit ON appraisal.case_file
    (county_id, person_id, (basis = 'wish')) WHERE pool = 'exit' AND NOT done;
CREATE UNIQUE INDEX IF NOT EXISTS case_file_recommendation ON appraisal.case_file
    (county_id, person_id) WHERE pool = 'recommendation' AND NOT done;
CREATE INDEX IF NOT EXISTS case_step_notice ON appraisal.case_step (county_id, notice_id);
CREATE UNIQUE INDEX IF NOT EXISTS case_step_place ON appraisal.case_step
    (county_id, case_id, position);
CREATE UNIQUE INDEX IF NOT EXISTS kinship_once ON appraisal.kinship
    (county_id, person_id, relative_id) WHERE ended_at IS NULL;

-- A signed step never changes, but for one thing: who objected to a notice, kept sealed, is erased
-- some time after the case is over. Only erase_objector may, and nothing else of the row moves.
CREATE OR REPLACE FUNCTION appraisal.case_step_stands() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.answers ? 'objector'
        AND NEW.answers ? 'erased_on'
        AND NEW.answers - 'erased_on' = OLD.answers - ARRAY['objector', 'contact']
        AND to_jsonb(NEW) - 'answers' = to_jsonb(OLD) - 'answers'
        AND EXISTS (SELECT FROM appraisal.case_file f
                    WHERE f.county_id = OLD.county_id AND f.id = OLD.case_id AND f.done) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'appraisal.case_step is append-only';
END $$;
CREATE OR REPLACE TRIGGER case_step_append_only BEFORE UPDATE OR DELETE ON appraisal.case_step
    FOR EACH ROW EXECUTE FUNCTION appraisal.case_step_stands();

-- The service has no right to change a step, hence SECURITY DEFINER. The case's row is locked
-- first, as signing does. False when there is nothing left to erase or the case is open again.
CREATE OR REPLACE FUNCTION appraisal.erase_objector(p_county int, p_case uuid, p_on date)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM appraisal.case_file f
    WHERE f.county_id = p_county AND f.id = p_case AND f.done FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE appraisal.case_step s
    SET answers = s.answers - ARRAY['objector', 'contact']
        || jsonb_build_object('erased_on', p_on::text)
    WHERE s.county_id = p_county AND s.case_id = p_case AND s.answers ? 'objector';
    RETURN FOUND;
END $$;

-- The third lock on an ending against somebody's will, after the machines' data and the engine:
-- the decision was served, and since then the appeal has lapsed or been rejected.
CREATE OR REPLACE FUNCTION appraisal.due_process() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    v_served int;
    v_last text;
BEGIN
    SELECT max(s.position) FILTER (WHERE s.step = 'served'),
           (array_agg(s.step ORDER BY s.position DESC))[1]
    INTO v_served, v_last
    FROM appraisal.case_step s WHERE s.county_id = NEW.county_id AND s.case_id = NEW.case_id;
    IF v_served IS NULL OR v_last NOT IN ('lapsed', 'appeal_rejected') THEN
        RAISE EXCEPTION USING ERRCODE = '42501',
            MESSAGE = 'no exit without a served decision and an appeal that is over';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER case_step_due_process BEFORE INSERT ON appraisal.case_step
    FOR EACH ROW WHEN (NEW.outcome IN ('dismissed','returned','replaced','role_ended',
        'agreement_ended','recalled'))
    EXECUTE FUNCTION appraisal.due_process();
