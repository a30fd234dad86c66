-- Keys and checks of the rulebook (repeatable).
SELECT shared.harden('points');

SELECT shared.ensure('points.rule_version', 'rule_version_kind',
    $$kind IN ('award','penalty','caps')$$);
SELECT shared.ensure('points.rule_version', 'rule_version_period',
    $$effective_to IS NULL OR effective_to > effective_from$$);
CREATE UNIQUE INDEX IF NOT EXISTS rule_version_number
    ON points.rule_version (county_id, code, version);
CREATE UNIQUE INDEX IF NOT EXISTS rule_version_start
    ON points.rule_version (county_id, code, effective_from);
-- Only the last version of a code may be open: with the two above, versions cannot overlap.
CREATE UNIQUE INDEX IF NOT EXISTS rule_version_open
    ON points.rule_version (county_id, code) WHERE effective_to IS NULL;
