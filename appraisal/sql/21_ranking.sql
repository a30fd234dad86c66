-- Keys, indexes and locks of ranks (repeatable).
-- A row is known by its place in the county's list, which the pages of that list need anyway. That
-- nobody stands there twice follows from the key of the scores that the places are made of; one
-- person is looked up in the list of the township. An index by person, in no order that rows are
-- written in, was a sixth of the work of freezing.
DO $$
BEGIN
    IF pg_get_constraintdef((SELECT oid FROM pg_constraint
            WHERE conrelid = 'appraisal.ranking'::regclass AND contype = 'p'))
        <> 'PRIMARY KEY (county_id, run_id, county_place)' THEN
        ALTER TABLE appraisal.ranking DROP CONSTRAINT ranking_pkey;
        ALTER TABLE appraisal.ranking ADD CONSTRAINT ranking_pkey
            PRIMARY KEY (county_id, run_id, county_place);
    END IF;
END $$;
DROP INDEX IF EXISTS appraisal.ranking_county;

-- A page of a list is a range of one of these or of the key; a village's list is short enough to
-- sort.
CREATE UNIQUE INDEX IF NOT EXISTS ranking_type ON appraisal.ranking
    (county_id, run_id, grid_type, type_place);
CREATE UNIQUE INDEX IF NOT EXISTS ranking_township ON appraisal.ranking
    (county_id, run_id, township_code, township_place);

CREATE OR REPLACE TRIGGER ranking_closed_insert AFTER INSERT ON appraisal.ranking
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal.refuse_closed_run();
CREATE OR REPLACE TRIGGER ranking_closed_delete AFTER DELETE ON appraisal.ranking
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal.refuse_closed_run();
CREATE OR REPLACE TRIGGER ranking_frozen BEFORE UPDATE ON appraisal.ranking
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
