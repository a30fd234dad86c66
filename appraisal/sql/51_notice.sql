-- Keys, checks and locks of notices and services (repeatable).
SELECT shared.reference('appraisal.notice', 'about_cycle_id', 'appraisal.cycle');
SELECT shared.reference('appraisal.notice_entry', 'notice_id', 'appraisal.notice');
SELECT shared.reference('appraisal.notice_entry', 'case_id', 'appraisal.case_file');
SELECT shared.reference('appraisal.serving', 'about_cycle_id', 'appraisal.cycle');
SELECT shared.reference('appraisal.serving', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.serving', 'server_id', 'shared.person');

ALTER TABLE appraisal.notice DROP CONSTRAINT IF EXISTS notice_kind;
SELECT shared.ensure('appraisal.notice', 'notice_about', $$
    kind IN ('excellent','supplement','recommendation','admission')
    AND (about_cycle_id IS NOT NULL) = (kind IN ('excellent','supplement'))
    AND starts_on <= ends_on$$);
SELECT shared.ensure('appraisal.serving', 'serving_how', $$CASE how
    WHEN 'signed' THEN true
    WHEN 'refused' THEN witness_one <> '' AND witness_two <> '' AND witness_one <> witness_two
    WHEN 'post' THEN post_number <> '' ELSE false END
    AND served_on <= objection_until$$);

CREATE UNIQUE INDEX IF NOT EXISTS notice_cycle ON appraisal.notice
    (county_id, about_cycle_id) WHERE kind = 'excellent';
CREATE INDEX IF NOT EXISTS notice_issued ON appraisal.notice (county_id, issued_at DESC);
CREATE UNIQUE INDEX IF NOT EXISTS notice_entry_place ON appraisal.notice_entry
    (county_id, notice_id, position);
CREATE INDEX IF NOT EXISTS notice_entry_case ON appraisal.notice_entry (county_id, case_id);
CREATE UNIQUE INDEX IF NOT EXISTS serving_once ON appraisal.serving
    (county_id, about_cycle_id, person_id);

CREATE OR REPLACE TRIGGER notice_append_only BEFORE UPDATE OR DELETE ON appraisal.notice
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
CREATE OR REPLACE TRIGGER serving_append_only BEFORE UPDATE OR DELETE ON appraisal.serving
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
