-- Closed months (repeatable): what every account held at a month's end, so that a past balance is
-- read from the month before it instead of from the beginning.
SELECT shared.ensure('points.closing', 'closing_month', $$month % 100 BETWEEN 1 AND 12$$);

-- Close a month (202610) of a county once; answers how many balances were written, null if it was
-- closed already, or a later month is. An account that did not move in the month has no row.
-- It holds the county's lock, and the door takes no batch older than the last closing, so that
-- nothing can be added to what was closed.
CREATE OR REPLACE FUNCTION points.close_month(p_county int, p_month int, p_now timestamptz)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_end timestamptz := (make_date(p_month / 100, p_month % 100, 1) + interval '1 month')
        AT TIME ZONE 'Asia/Shanghai';
    v_last timestamptz;
    v_count int;
BEGIN
    IF v_end > p_now THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the month is not over';
    END IF;
    PERFORM pg_advisory_xact_lock(1818584167, p_county);
    v_last := (SELECT at FROM points.closing WHERE county_id = p_county
               ORDER BY month DESC LIMIT 1);
    IF v_last >= v_end THEN
        RETURN NULL;
    END IF;
    EXECUTE 'INSERT INTO points.closing_balance (county_id, month, balance, account)
        SELECT $1, $2, coalesce(b.balance, 0) + m.delta, m.account
        FROM (
            SELECT account, sum(amount)::int8 AS delta FROM (
                SELECT debit AS account, -amount AS amount FROM points.transfer
                WHERE county_id = $1 AND id >= $3 AND id < $4
                UNION ALL
                SELECT credit, amount FROM points.transfer
                WHERE county_id = $1 AND id >= $3 AND id < $4) AS leg
            GROUP BY account) AS m
        LEFT JOIN LATERAL (
            SELECT balance FROM points.closing_balance
            WHERE county_id = $1 AND account = m.account ORDER BY month DESC LIMIT 1) AS b ON true'
    USING p_county, p_month,
        coalesce(points.transfer_id(v_last, 0, 0, 0), points.nobody()),
        points.transfer_id(v_end, 0, 0, 0);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    INSERT INTO points.closing (county_id, month, at, accounts)
    VALUES (p_county, p_month, v_end, v_count);
    RETURN v_count;
END $$;
