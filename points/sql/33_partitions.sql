-- Partitions of the transfers (repeatable): one a quarter of China's calendar, by the time in the
-- id. What was there before the ledger was divided, or before this quarter, is transfer_past;
-- transfer_default holds nothing, unless nobody made partitions or a clock was far ahead.

-- The instant at which the partitions end; what is younger lands in transfer_default.
CREATE OR REPLACE FUNCTION points.partitions_end() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT max(to_timestamp(('x' || replace(substr(found[1], 1, 13), '-', ''))::bit(48)::int8
                            / 1000.0))
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)') AS found
    WHERE i.inhparent = 'points.transfer'::regclass
$$;

-- Make the partitions up to p_ahead quarters after that of p_at; answers how many rows had strayed
-- into the default partition and are in their place now. A new table is attached, not created in
-- place: only the default partition is locked for a moment, and rather than make others wait behind
-- a long reader it gives up; the next night tries again. The job beside an upgrade waits for it.
CREATE OR REPLACE FUNCTION points.make_partitions(p_at timestamptz, p_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_start timestamp;
    v_last timestamp := date_trunc('quarter', p_at AT TIME ZONE 'Asia/Shanghai')
        + p_ahead * interval '3 months';
    v_name text;
    v_low uuid;
    v_high uuid;
    v_stray int;
    v_strays int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('points.make_partitions', 0));
    v_start := points.partitions_end() AT TIME ZONE 'Asia/Shanghai';
    WHILE v_start <= v_last LOOP
        v_name := 'transfer_' || to_char(v_start, 'YYYY"q"Q');
        v_low := points.transfer_id(v_start AT TIME ZONE 'Asia/Shanghai', 0, 0, 0);
        v_start := v_start + interval '3 months';
        v_high := points.transfer_id(v_start AT TIME ZONE 'Asia/Shanghai', 0, 0, 0);
        EXECUTE format('CREATE TABLE points.%I (LIKE points.transfer INCLUDING ALL,'
            ' CONSTRAINT bounds CHECK (id >= %L AND id < %L))', v_name, v_low, v_high);
        v_stray := (SELECT count(*) FROM points.transfer_default
                    WHERE id >= v_low AND id < v_high);
        IF v_stray > 0 THEN
            ALTER TABLE points.transfer DETACH PARTITION points.transfer_default;
            EXECUTE format('INSERT INTO points.%I SELECT * FROM points.transfer_default'
                ' WHERE id >= %L AND id < %L', v_name, v_low, v_high);
            DELETE FROM points.transfer_default WHERE id >= v_low AND id < v_high;
        END IF;
        EXECUTE format('ALTER TABLE points.transfer ATTACH PARTITION points.%I'
            ' FOR VALUES FROM (%L) TO (%L)', v_name, v_low, v_high);
        EXECUTE format('ALTER TABLE points.%I DROP CONSTRAINT bounds', v_name);
        IF v_stray > 0 THEN
            ALTER TABLE points.transfer ATTACH PARTITION points.transfer_default DEFAULT;
        END IF;
        v_strays := v_strays + v_stray;
    END LOOP;
    PERFORM points.guard_partitions();
    RETURN v_strays;
END $$;

-- Row triggers come with the partitioned table, the alarm on TRUNCATE does not.
CREATE OR REPLACE FUNCTION points.guard_partitions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    v_partition regclass;
BEGIN
    FOR v_partition IN
        SELECT i.inhrelid::regclass FROM pg_inherits i
        WHERE i.inhparent = 'points.transfer'::regclass
          AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = i.inhrelid
                          AND g.tgname = 'transfer_no_truncate')
    LOOP
        EXECUTE format('CREATE TRIGGER transfer_no_truncate BEFORE TRUNCATE ON %s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION shared.refuse_change()', v_partition);
    END LOOP;
END $$;

SELECT points.make_partitions(now(), 2);
