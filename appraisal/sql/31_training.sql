-- Keys, checks and indexes of training (repeatable).
SELECT shared.harden('appraisal');

SELECT shared.reference('appraisal.training_attendance', 'session_id',
    'appraisal.training_session');
SELECT shared.reference('appraisal.training_attendance', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.training_requirement', 'cycle_id', 'appraisal.cycle');

SELECT shared.ensure('appraisal.training_session', 'training_session_kind',
    $$kind IN ('classroom','practice','discussion')$$);
SELECT shared.ensure('appraisal.training_session', 'training_session_state',
    $$state IN ('held','cancelled')$$);
SELECT shared.ensure('appraisal.training_session', 'training_session_hours',
    $$hours > 0 AND hours <= 24$$);
SELECT shared.ensure('appraisal.training_attendance', 'training_attendance_test',
    $$test BETWEEN 0 AND 100 AND (test IS NULL OR present)$$);
SELECT shared.ensure('appraisal.training_attendance', 'training_attendance_source',
    $$source IN ('form','import')$$);
SELECT shared.ensure('appraisal.training_requirement', 'training_requirement_hours',
    $$hours > 0 AND hours <= 500$$);

CREATE INDEX IF NOT EXISTS training_session_list ON appraisal.training_session
    (county_id, held_on DESC, id);
CREATE UNIQUE INDEX IF NOT EXISTS training_session_once ON appraisal.training_session
    (county_id, held_on, unit_code, kind, title) WHERE state = 'held';
CREATE UNIQUE INDEX IF NOT EXISTS training_attendance_current ON appraisal.training_attendance
    (county_id, session_id, person_id) WHERE current;
CREATE INDEX IF NOT EXISTS training_attendance_person ON appraisal.training_attendance
    (county_id, person_id) WHERE current;
CREATE UNIQUE INDEX IF NOT EXISTS training_requirement_version ON appraisal.training_requirement
    (county_id, cycle_id, version);
