-- Keys, checks and indexes of the survey (repeatable).
SELECT shared.harden('appraisal');

SELECT shared.reference('appraisal.survey', 'cycle_id', 'appraisal.cycle');
SELECT shared.reference('appraisal.survey', 'form_id', 'appraisal.survey_form');
SELECT shared.reference('appraisal.survey_grid', 'survey_id', 'appraisal.survey');
SELECT shared.reference('appraisal.survey_household', 'survey_id', 'appraisal.survey');
SELECT shared.reference('appraisal.survey_interviewer', 'survey_id', 'appraisal.survey');
SELECT shared.reference('appraisal.survey_interviewer', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.slip_batch', 'survey_id', 'appraisal.survey');
SELECT shared.reference('appraisal.ballot_slip', 'batch_id', 'appraisal.slip_batch');
SELECT shared.reference('appraisal.ballot', 'survey_id', 'appraisal.survey');
SELECT shared.reference('appraisal.ballot_comment', 'survey_id', 'appraisal.survey');

SELECT shared.ensure('appraisal.survey', 'survey_state', $$state IN ('frozen','drawn','closed')
    AND (state = 'frozen') = (seed = '') AND (state = 'closed') = (closed_at IS NOT NULL)$$);
SELECT shared.ensure('appraisal.survey', 'survey_per_grid', $$per_grid BETWEEN 20 AND 200$$);
SELECT shared.ensure('appraisal.survey_household', 'survey_household_kind',
    $$kind IN ('primary','replacement')$$);
SELECT shared.ensure('appraisal.survey_household', 'survey_household_status',
    $$status IN ('pending','handed','refused','absent')$$);
SELECT shared.ensure('appraisal.ballot_inbox', 'ballot_inbox_answers', $$cardinality(answers) = 6
    AND answers <@ ARRAY[0,20,60,80,100]::smallint[] AND length(comment) <= 200$$);
SELECT shared.ensure('appraisal.ballot_paper', 'ballot_paper_others',
    $$second_by IS NULL OR second_by <> first_by$$);

-- What waits to be counted is never written to the write-ahead log, a backup or a replica: there a
-- used slip and its answer would stand side by side for ever. A crash of the database server loses
-- what waits; survey.lost says how much.
ALTER TABLE appraisal.ballot_burnt SET UNLOGGED;
ALTER TABLE appraisal.ballot_inbox SET UNLOGGED;
ALTER TABLE appraisal.ballot_paper SET UNLOGGED;

CREATE UNIQUE INDEX IF NOT EXISTS household_number ON appraisal.household
    (county_id, grid_code COLLATE "C", number COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS survey_form_version ON appraisal.survey_form
    (county_id, version);
CREATE UNIQUE INDEX IF NOT EXISTS survey_cycle ON appraisal.survey (county_id, cycle_id);
CREATE UNIQUE INDEX IF NOT EXISTS survey_grid_once ON appraisal.survey_grid
    (county_id, survey_id, grid_code COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS survey_household_once ON appraisal.survey_household
    (county_id, survey_id, grid_code COLLATE "C", number COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS survey_interviewer_once ON appraisal.survey_interviewer
    (county_id, survey_id, village_code, person_id);
CREATE INDEX IF NOT EXISTS slip_batch_grid ON appraisal.slip_batch
    (county_id, survey_id, grid_code COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS ballot_slip_number ON appraisal.ballot_slip
    (county_id, survey_id, number);
CREATE INDEX IF NOT EXISTS ballot_slip_batch ON appraisal.ballot_slip (county_id, batch_id);
CREATE INDEX IF NOT EXISTS ballot_box_grid ON appraisal.ballot_box
    (county_id, survey_id, grid_code COLLATE "C");
CREATE INDEX IF NOT EXISTS ballot_unit ON appraisal.ballot
    (county_id, survey_id, unit_code COLLATE "C");
CREATE INDEX IF NOT EXISTS ballot_comment_unit ON appraisal.ballot_comment
    (county_id, survey_id, unit_code COLLATE "C");

CREATE OR REPLACE TRIGGER survey_closed BEFORE INSERT OR UPDATE OR DELETE ON appraisal.survey
    FOR EACH ROW EXECUTE FUNCTION appraisal.refuse_closed();
