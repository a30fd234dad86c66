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

SELECT shared.ensure('points.rule_variant', 'rule_variant_state', $$
    state IN ('proposed','approved','refused') AND (state = 'proposed') = (decided_at IS NULL)
    AND (decided_by IS NULL OR decided_by <> proposed_by)$$);
SELECT shared.ensure('points.rule_variant', 'rule_variant_points', $$
    CASE WHEN points IS NULL THEN cap_day IS NULL AND cap_month IS NULL
    ELSE points >= 0 AND coalesce(cap_day, points) >= points
        AND coalesce(cap_month, points) >= points END$$);
-- One at a time, and one that counts from a day.
CREATE UNIQUE INDEX IF NOT EXISTS rule_variant_waiting ON points.rule_variant
    (county_id, village_code COLLATE "C", code) WHERE state = 'proposed';
CREATE UNIQUE INDEX IF NOT EXISTS rule_variant_start ON points.rule_variant
    (county_id, village_code COLLATE "C", code, effective_from) WHERE state = 'approved';
