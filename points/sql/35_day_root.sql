-- The daily roots (repeatable): which day holds a batch, and no second thoughts.
CREATE INDEX IF NOT EXISTS day_root_batch ON points.day_root (county_id, last_batch);
SELECT shared.ensure('points.day_root', 'day_root_batches',
    $$first_batch > 0 AND last_batch >= first_batch - 1 AND transfers >= 0$$);

CREATE OR REPLACE TRIGGER day_root_append_only BEFORE UPDATE OR DELETE ON points.day_root
    FOR EACH ROW EXECUTE FUNCTION shared.refuse_change();
CREATE OR REPLACE TRIGGER day_root_no_truncate BEFORE TRUNCATE ON points.day_root
    FOR EACH STATEMENT EXECUTE FUNCTION shared.refuse_change();

-- A transfer's leaf in the tree of its day: RFC 6962's prefix before the canonical row.
CREATE OR REPLACE FUNCTION points.day_leaf(t points.transfer) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x00'::bytea || convert_to(points.canon(t), 'UTF8'))
$$;
