-- Keys, checks and indexes of work (repeatable).
SELECT shared.harden('points');

SELECT shared.reference('points.work_record', 'worker_id', 'shared.person');
SELECT shared.reference('points.verification', 'record_id', 'points.work_record');
SELECT shared.reference('points.objection', 'record_id', 'points.work_record');
SELECT shared.reference('points.objection', 'worker_id', 'shared.person');
SELECT shared.reference('points.deduction', 'worker_id', 'shared.person');
SELECT shared.reference('points.deduction', 'record_id', 'points.work_record');

SELECT shared.ensure('points.work_record', 'work_record_state',
    $$state IN ('pending','returned','withdrawn','refused','accepted','posted','reversed')$$);
SELECT shared.ensure('points.work_record', 'work_record_source',
    $$source IN ('phone','proxy','import')$$);
SELECT shared.ensure('points.work_record', 'work_record_quantity', $$quantity > 0$$);
SELECT shared.ensure('points.work_record', 'work_record_posted', $$posted BETWEEN 0 AND gives$$);
SELECT shared.ensure('points.work_record', 'work_record_wallet', $$wallet >= 0$$);
SELECT shared.ensure('points.work_record', 'work_record_secret',
    $$rule_code <> 'CARE-02' OR (household = '' AND photo IS NULL)$$);
SELECT shared.ensure('points.verification', 'verification_verdict',
    $$verdict IN ('open','approve','return','refuse')$$);
SELECT shared.ensure('points.village_month', 'village_month_state',
    $$state IN ('collecting','reviewing','sampling','notice','posted')$$);
SELECT shared.ensure('points.objection', 'objection_state',
    $$state IN ('open','upheld','rejected','review','review_upheld','review_rejected')$$);
SELECT shared.ensure('points.deduction', 'deduction_state',
    $$state IN ('noticed','decided','dropped','appealed','final','annulled')$$);
SELECT shared.ensure('points.deduction', 'deduction_amount', $$amount > 0$$);
SELECT shared.ensure('points.deduction', 'deduction_other_decides', $$decided_by <> proposed_by$$);
SELECT shared.ensure('points.deduction', 'deduction_other_reviews',
    $$appeal_decided_by <> decided_by AND appeal_decided_by <> proposed_by$$);

-- A record is rewritten when it is confirmed and when it is posted. No index looks at its state and
-- every page has room, so that no index has to be written again: `standing` (generated: the state
-- is none of returned, withdrawn, refused) changes only when a record is sent back.
DO $$
BEGIN
    EXECUTE 'ALTER TABLE points.work_record SET (fillfactor = 50)';
END $$;
-- Equal in worker, date, rule and text = 重复; what was sent back or withdrawn does not count.
CREATE UNIQUE INDEX IF NOT EXISTS work_record_once ON points.work_record
    (county_id, worker_id, work_date, rule_code, text_key)
    WHERE standing;
CREATE INDEX IF NOT EXISTS work_record_worker ON points.work_record (county_id, worker_id, id DESC);
-- Whose photos are due, and whether another record has the same: only records with one are in it.
CREATE INDEX IF NOT EXISTS work_record_photo ON points.work_record (county_id, photo, work_date)
    WHERE photo IS NOT NULL;
CREATE INDEX IF NOT EXISTS work_record_run ON points.work_record
    (county_id, run_month, grid_code COLLATE "C");
CREATE INDEX IF NOT EXISTS work_record_repeat ON points.work_record
    (county_id, grid_code COLLATE "C", rule_code, text_key, work_date);
CREATE UNIQUE INDEX IF NOT EXISTS verification_step
    ON points.verification (county_id, record_id, step);
CREATE INDEX IF NOT EXISTS verification_open ON points.verification
    (county_id, role, unit_code COLLATE "C") WHERE verdict = 'open';
CREATE INDEX IF NOT EXISTS verification_by ON points.verification (county_id, by_id, at DESC);
CREATE UNIQUE INDEX IF NOT EXISTS village_month_once ON points.village_month
    (county_id, village_code, month);
CREATE UNIQUE INDEX IF NOT EXISTS objection_once ON points.objection (county_id, record_id)
    WHERE state IN ('open', 'review');
CREATE INDEX IF NOT EXISTS objection_village ON points.objection
    (county_id, state, village_code COLLATE "C");
-- Whose points do not end.
CREATE INDEX IF NOT EXISTS objection_worker ON points.objection (county_id, worker_id)
    WHERE state IN ('open', 'review');
CREATE INDEX IF NOT EXISTS deduction_worker ON points.deduction (county_id, worker_id, id DESC);
CREATE INDEX IF NOT EXISTS deduction_village ON points.deduction
    (county_id, state, village_code COLLATE "C");
