-- Keys, checks and indexes of the shared schema (repeatable).
SELECT shared.harden('shared');

SELECT shared.reference('shared.unit', 'parent_id', 'shared.unit');
SELECT shared.reference('shared.post', 'unit_id', 'shared.unit');
SELECT shared.reference('shared.assignment', 'post_id', 'shared.post');
SELECT shared.reference('shared.assignment', 'person_id', 'shared.person');
SELECT shared.reference('shared.account', 'person_id', 'shared.person');
SELECT shared.reference('shared.device', 'account_id', 'shared.account');
SELECT shared.reference('shared.session', 'account_id', 'shared.account');
SELECT shared.reference('shared.activation_slip', 'account_id', 'shared.account');
SELECT shared.reference('shared.terminal_key', 'person_id', 'shared.person');
SELECT shared.reference('shared.export_log', 'person_id', 'shared.person');

SELECT shared.ensure('shared.unit', 'unit_kind',
    $$kind IN ('county','township','village','grid')$$);
SELECT shared.ensure('shared.unit', 'unit_code', $$code ~ '^[0-9]+$' AND length(code) =
    CASE kind WHEN 'county' THEN 6 WHEN 'township' THEN 9 WHEN 'village' THEN 12 ELSE 15 END$$);
SELECT shared.ensure('shared.unit', 'unit_grid_type',
    $$grid_type IS NULL OR grid_type IN ('rural','community','other')$$);
SELECT shared.ensure('shared.unit', 'unit_households', $$households IS NULL OR households >= 0$$);
SELECT shared.ensure('shared.person', 'person_employment', $$employment_type IN
    ('contract','dispatched','purchased','village_paid','cadre','volunteer','official')$$);
SELECT shared.ensure('shared.post', 'post_role',
    $$role IN ('chief','lead','gridworker','instructor',
    'shopkeeper','department','committee','supervisor','accountant','agency','trainer','mediator',
    'auditor','admin')$$);
SELECT shared.ensure('shared.assignment', 'assignment_period',
    $$valid_to IS NULL OR valid_to > valid_from$$);
SELECT shared.ensure('shared.session', 'session_kind', $$kind IN ('phone','desk')$$);
SELECT shared.ensure('shared.job_run', 'job_run_status', $$status IN ('running','done','failed')$$);

CREATE UNIQUE INDEX IF NOT EXISTS unit_code_unique ON shared.unit (county_id, code COLLATE "C");
-- Codes are compared as they are, too, in every join by code; an index in another order answers no
-- equality, and each row would look through all units. 120 kB for a county of 2,500.
CREATE INDEX IF NOT EXISTS unit_code_equal ON shared.unit (county_id, code);
CREATE UNIQUE INDEX IF NOT EXISTS person_phone_unique ON shared.person (county_id, phone_hmac);
CREATE INDEX IF NOT EXISTS person_name ON shared.person (county_id, name COLLATE "C");
CREATE INDEX IF NOT EXISTS person_pinyin ON shared.person (county_id, name_pinyin COLLATE "C");
CREATE INDEX IF NOT EXISTS person_initials ON shared.person (county_id, name_initials COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS post_seat_unique ON shared.post
    (county_id, unit_id, role, seat, COALESCE(subject_id, '00000000-0000-0000-0000-000000000000'));
CREATE INDEX IF NOT EXISTS assignment_post ON shared.assignment (county_id, post_id, valid_from);
CREATE INDEX IF NOT EXISTS assignment_person
    ON shared.assignment (county_id, person_id, valid_from);
CREATE UNIQUE INDEX IF NOT EXISTS account_person_unique ON shared.account (county_id, person_id);
CREATE UNIQUE INDEX IF NOT EXISTS account_wechat_unique ON shared.account (county_id, wechat_hash)
    WHERE wechat_hash IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS device_token_unique ON shared.device (county_id, token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS session_token_unique ON shared.session (county_id, token_hash);
CREATE INDEX IF NOT EXISTS session_account ON shared.session (county_id, account_id);
CREATE UNIQUE INDEX IF NOT EXISTS slip_token_unique
    ON shared.activation_slip (county_id, token_hash);
CREATE INDEX IF NOT EXISTS slip_digits ON shared.activation_slip (county_id, digits_hash);
CREATE INDEX IF NOT EXISTS audit_at ON shared.audit_event (county_id, at DESC);
CREATE INDEX IF NOT EXISTS export_at ON shared.export_log (county_id, at DESC);
CREATE INDEX IF NOT EXISTS audit_object ON shared.audit_event (county_id, object_id);
CREATE UNIQUE INDEX IF NOT EXISTS job_run_unique ON shared.job_run (county_id, job, period);
CREATE UNIQUE INDEX IF NOT EXISTS calendar_day_unique ON shared.calendar_exception (county_id, day);

-- One person per post at a time (invariant I17). An exclusion constraint would need an extension
-- that bare installations lack, so the post's row lock orders the writers and the trigger looks.
CREATE OR REPLACE FUNCTION shared.assignment_no_overlap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM FROM shared.post WHERE county_id = NEW.county_id AND id = NEW.post_id FOR UPDATE;
    IF EXISTS (
        SELECT FROM shared.assignment a
        WHERE a.county_id = NEW.county_id AND a.post_id = NEW.post_id AND a.id <> NEW.id
          AND daterange(a.valid_from, a.valid_to) && daterange(NEW.valid_from, NEW.valid_to)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '23P01', CONSTRAINT = 'assignment_no_overlap',
            MESSAGE = 'the post is held by somebody else in this period';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER assignment_no_overlap BEFORE INSERT OR UPDATE ON shared.assignment
    FOR EACH ROW EXECUTE FUNCTION shared.assignment_no_overlap();

-- Audit is append-only: the privilege is missing, and this trigger is the alarm.
CREATE OR REPLACE FUNCTION shared.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '42501',
        MESSAGE = format('%s.%s is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME);
END $$;
CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON shared.audit_event
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
