-- Keys, checks and indexes of duty (repeatable).
SELECT shared.harden('appraisal');

SELECT shared.reference('appraisal.attendance', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.duty_entry', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.duty_entry', 'replaces', 'appraisal.duty_entry');
SELECT shared.reference('appraisal.random_item', 'check_id', 'appraisal.random_check');
SELECT shared.reference('appraisal.random_item', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.random_result', 'item_id', 'appraisal.random_item');

SELECT shared.ensure('appraisal.attendance', 'attendance_month',
    $$month % 100 BETWEEN 1 AND 12 AND month BETWEEN 202001 AND 209912$$);
SELECT shared.ensure('appraisal.attendance', 'attendance_days',
    $$rostered_days BETWEEN 0 AND 31 AND duty_days >= 0 AND leave_days >= 0
      AND duty_days + leave_days <= rostered_days
      AND rostered_days * 2 % 1 = 0 AND duty_days * 2 % 1 = 0 AND leave_days * 2 % 1 = 0$$);
SELECT shared.ensure('appraisal.attendance', 'attendance_source', $$source IN ('form','import')$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_kind',
    $$kind IN ('check','commend','complaint','veto')$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_outcome', $$CASE kind
    WHEN 'check' THEN outcome IN ('passed','failed')
    WHEN 'commend' THEN outcome = ''
    WHEN 'complaint' THEN outcome IN ('open','founded','unfounded')
    ELSE outcome IN ('fraud','leak','corruption') END$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_level', $$CASE kind
    WHEN 'commend' THEN level IN ('township','county')
    WHEN 'complaint' THEN level IN ('township','county')
    ELSE level = '' END$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_state',
    $$state IN ('standing','withdrawn','replaced') OR
      (kind = 'veto' AND state IN ('proposed','refused'))$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_other_decides',
    $$kind <> 'veto' OR decided_by <> entered_by$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_veto_decided',
    $$kind <> 'veto' OR state <> 'standing' OR decided_by IS NOT NULL$$);
SELECT shared.ensure('appraisal.duty_entry', 'duty_entry_source',
    $$source IN ('form','phone','import')$$);
SELECT shared.ensure('appraisal.random_check', 'random_check_state',
    $$state IN ('listed','drawn','void')$$);
SELECT shared.ensure('appraisal.random_check', 'random_check_mode', $$mode IN ('drawn','paper')$$);
SELECT shared.ensure('appraisal.random_check', 'random_check_seed',
    $$mode = 'paper' OR state <> 'drawn' OR (seed IS NOT NULL AND value <> '')$$);
SELECT shared.ensure('appraisal.random_result', 'random_result_source',
    $$source IN ('form','phone','import')$$);

CREATE UNIQUE INDEX IF NOT EXISTS attendance_current ON appraisal.attendance
    (county_id, month, village_code, person_id) WHERE current;
CREATE UNIQUE INDEX IF NOT EXISTS attendance_version ON appraisal.attendance
    (county_id, person_id, month, village_code, version);
-- The same fact twice is a slip of the pen; what was withdrawn may be said again.
CREATE UNIQUE INDEX IF NOT EXISTS duty_entry_once ON appraisal.duty_entry
    (county_id, person_id, kind, happened_on,
     md5(outcome || '|' || level || '|' || place || '|' || by_whom || '|' || facts || '|'
         || document))
    WHERE state IN ('standing', 'proposed');
CREATE INDEX IF NOT EXISTS duty_entry_list ON appraisal.duty_entry
    (county_id, kind, happened_on DESC, id);
CREATE INDEX IF NOT EXISTS random_check_list ON appraisal.random_check (county_id, opened_at DESC);
CREATE INDEX IF NOT EXISTS random_item_check ON appraisal.random_item
    (county_id, check_id, position);
CREATE INDEX IF NOT EXISTS random_item_person ON appraisal.random_item (county_id, person_id);
CREATE UNIQUE INDEX IF NOT EXISTS random_result_current ON appraisal.random_result
    (county_id, item_id) WHERE current;
CREATE UNIQUE INDEX IF NOT EXISTS random_result_version ON appraisal.random_result
    (county_id, item_id, version);
