-- Keys, checks and the lock of closed cycles (repeatable).
SELECT shared.harden('appraisal');

SELECT shared.reference('appraisal.cycle_step', 'cycle_id', 'appraisal.cycle');

SELECT shared.ensure('appraisal.cycle', 'cycle_kind', $$kind IN ('half_year','annual')$$);
SELECT shared.ensure('appraisal.cycle', 'cycle_state', $$state IN
    ('draft','collect','score','review','notice','appeal','closed')
    AND (state = 'closed') = (closed_at IS NOT NULL)$$);
SELECT shared.ensure('appraisal.cycle', 'cycle_period', $$starts_on < ends_on$$);

CREATE UNIQUE INDEX IF NOT EXISTS cycle_unique ON appraisal.cycle (county_id, kind, year);
CREATE INDEX IF NOT EXISTS cycle_step_cycle ON appraisal.cycle_step (county_id, cycle_id, at);

-- What belongs to a closed cycle never changes, not even for the tables' owner. A table with a
-- column cycle_id has this trigger before insert, update and delete; the cycle itself has it too,
-- and goes back to its objections only after somebody has signed that step, and with nothing else.
CREATE OR REPLACE FUNCTION appraisal.refuse_closed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    v_closed boolean;
BEGIN
    IF TG_TABLE_NAME = 'cycle' THEN
        v_closed := OLD.state = 'closed' AND NOT (TG_OP = 'UPDATE' AND NEW.state = 'appeal'
            AND to_jsonb(NEW) - ARRAY['state', 'closed_at']
                = to_jsonb(OLD) - ARRAY['state', 'closed_at']
            AND EXISTS (SELECT FROM appraisal.cycle_step s
                        WHERE s.county_id = OLD.county_id AND s.cycle_id = OLD.id
                          AND s.source = 'closed' AND s.at >= OLD.closed_at));
    ELSE
        SELECT bool_or(c.state = 'closed') INTO v_closed FROM appraisal.cycle c
        WHERE (TG_OP <> 'INSERT' AND c.county_id = OLD.county_id AND c.id = OLD.cycle_id)
           OR (TG_OP <> 'DELETE' AND c.county_id = NEW.county_id AND c.id = NEW.cycle_id);
    END IF;
    IF v_closed THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'a closed cycle never changes';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE OR REPLACE TRIGGER cycle_closed BEFORE UPDATE OR DELETE ON appraisal.cycle
    FOR EACH ROW EXECUTE FUNCTION appraisal.refuse_closed();
CREATE OR REPLACE TRIGGER cycle_step_append_only BEFORE UPDATE OR DELETE ON appraisal.cycle_step
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
