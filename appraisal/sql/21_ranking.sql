-- Keys, indexes and locks of ranks (repeatable).
DO $$
BEGIN
    IF (SELECT cardinality(conkey) FROM pg_constraint
        WHERE conrelid = 'appraisal.ranking'::regclass AND contype = 'p') < 3 THEN
        ALTER TABLE appraisal.ranking DROP CONSTRAINT ranking_pkey;
        ALTER TABLE appraisal.ranking ADD CONSTRAINT ranking_pkey
            PRIMARY KEY (county_id, run_id, person_id);
    END IF;
END $$;

-- A page of a list is a range of one of these; a village's list is short enough to sort.
CREATE UNIQUE INDEX IF NOT EXISTS ranking_county ON appraisal.ranking
    (county_id, run_id, county_place);
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
