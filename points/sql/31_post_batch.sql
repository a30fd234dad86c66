-- The door of the ledger (repeatable). points.post_batch is the only function a service may use to
-- write it; everything else here is its inside and has no rights of its own.

DO $$
BEGIN
    EXECUTE 'ALTER TABLE points.account SET (fillfactor = 80)';
    EXECUTE 'ALTER TABLE points.stock SET (fillfactor = 50)';
    EXECUTE 'ALTER TABLE points.lot SET (fillfactor = 80)';
    -- Every code is meant to be used, once.
    EXECUTE 'ALTER TABLE points.code SET (fillfactor = 50)';
END $$;

-- What earlier releases had and this one has not.
DROP FUNCTION IF EXISTS points.decide_purchase(int, jsonb);
DROP FUNCTION IF EXISTS points.purchases(int, int[], jsonb[], bytea[]);
DROP FUNCTION IF EXISTS points.runs(int, jsonb[], bytea[]);
DROP FUNCTION IF EXISTS points.over_limit(int, uuid, date, int8, jsonb);
DROP FUNCTION IF EXISTS points.post_redeem(int, int, timestamptz, int, jsonb, bytea);
DROP FUNCTION IF EXISTS points.take_stock(int, uuid, jsonb);
DROP FUNCTION IF EXISTS points.draw_lots(int, uuid[], int8[]);
DROP FUNCTION IF EXISTS points.canon(points.redemption);
DROP FUNCTION IF EXISTS points.family(jsonb);
DROP FUNCTION IF EXISTS points.known_hash(int, text, uuid);
DROP FUNCTION IF EXISTS points.verdicts(int, jsonb[], bytea[]);
DROP FUNCTION IF EXISTS points.answers(int, jsonb[], text[], boolean[]);
DROP FUNCTION IF EXISTS points.seal(int, int, timestamptz, bytea);

-- Ids of transfers: a UUIDv7 whose time is the batch's and whose tail is batch, position and leg
-- (8, 5 and 5 hex digits), so that the order of ids is the order of the ledger and the rows of a
-- batch lie together without another index.
CREATE OR REPLACE FUNCTION points.transfer_id(
    p_at timestamptz, p_batch int, p_position int, p_leg int) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::int8), 12, '0')
        || '7' || substr(lpad(to_hex(p_batch), 8, '0'), 1, 3)
        || '8' || substr(lpad(to_hex(p_batch), 8, '0'), 4)
        || lpad(to_hex(p_position), 5, '0') || lpad(to_hex(p_leg), 5, '0'))::uuid
$$;

-- An account's id follows from whose it is: no look-up, and nobody can have two.
CREATE OR REPLACE FUNCTION points.account_id(p_kind text, p_unit text, p_owner uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(substr(sha256((p_kind || '/' || p_unit || '/' || p_owner::text)::bytea), 1, 16),
                  'hex')::uuid
$$;

-- The county's own accounts have no owner.
CREATE OR REPLACE FUNCTION points.nobody() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '00000000-0000-0000-0000-000000000000'::uuid
$$;

-- Most are open already: looking them up costs less than an INSERT that meets them.
CREATE OR REPLACE FUNCTION points.open_accounts(
    p_county int, p_kind text, p_unit text, p_owners uuid[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO points.account (county_id, id, kind, unit, owner, balance)
    SELECT p_county, n.id, p_kind, p_unit, n.owner, 0
    FROM (SELECT DISTINCT points.account_id(p_kind, p_unit, o) AS id, o AS owner
          FROM unnest(p_owners) AS o WHERE o IS NOT NULL) AS n
    WHERE NOT EXISTS (SELECT FROM points.account a WHERE a.county_id = p_county AND a.id = n.id)
    ON CONFLICT (county_id, id) DO NOTHING
$$;

-- One UPDATE per balance row, however many transfers touched it. A shop's balance is not kept.
-- Planned each time: with the real ids the planner sees how few rows they are.
CREATE OR REPLACE FUNCTION points.apply_balances(p_county int, p_low uuid, p_high uuid)
RETURNS void LANGUAGE sql SET plan_cache_mode = force_custom_plan AS $$
    UPDATE points.account a SET balance = a.balance + m.delta
    FROM (
        SELECT account, sum(amount)::int8 AS delta FROM (
            SELECT debit AS account, -amount AS amount FROM points.transfer
            WHERE county_id = p_county AND id BETWEEN p_low AND p_high
            UNION ALL
            SELECT credit, amount FROM points.transfer
            WHERE county_id = p_county AND id BETWEEN p_low AND p_high) AS leg
        GROUP BY account) AS m
    WHERE a.county_id = p_county AND a.id = m.account AND a.kind <> 'shop'
$$;

-- What a fund can still issue, in 0.1 point: budget less what is out, spent or paid (I5). Written
-- off and reversed points give their budget back.
CREATE OR REPLACE FUNCTION points.fund_room(p_county int, p_fund uuid) RETURNS int8
LANGUAGE sql STABLE AS $$
    SELECT greatest(0, f.budget_fen * 10 / f.point_value_fen
        + coalesce(issued.balance, 0) + coalesce(expired.balance, 0))
    FROM points.fund f
    LEFT JOIN points.account issued ON issued.county_id = f.county_id
        AND issued.id = points.account_id('issuance', 'wallet', f.id)
    LEFT JOIN points.account expired ON expired.county_id = f.county_id
        AND expired.id = points.account_id('expired', 'wallet', f.id)
    WHERE f.county_id = p_county AND f.id = p_fund
$$;

CREATE OR REPLACE FUNCTION points.waits(p_county int, p_fund uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM points.awaiting
        WHERE county_id = p_county AND fund_id = p_fund AND remaining > 0)
$$;

-- What people owe after reversals, in 0.1 point.
CREATE OR REPLACE FUNCTION points.owed(p_county int, p_person uuid) RETURNS int8
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT -balance FROM points.account WHERE county_id = p_county
        AND id = points.account_id('offset', 'wallet', p_person)), 0)
$$;

-- The three wallet legs of giving a person a lot: issue, and if something is owed, back and clear.
CREATE OR REPLACE FUNCTION points.issue_legs(
    p_leg int, p_code text, p_fund uuid, p_person uuid, p_lot uuid, p_award uuid,
    p_amount int8, p_settled int8)
RETURNS TABLE (leg int, code text, debit uuid, credit uuid, amount int8, about uuid)
LANGUAGE sql IMMUTABLE AS $$
    SELECT leg, code, debit, credit, amount, about FROM (VALUES
        (p_leg, p_code, points.account_id('issuance', 'wallet', p_fund),
         points.account_id('worker', 'wallet', p_person), p_amount, p_lot),
        (p_leg + 1, 'offset', points.account_id('worker', 'wallet', p_person),
         points.account_id('issuance', 'wallet', p_fund), p_settled, p_lot),
        (p_leg + 2, 'offset', points.account_id('clawback', 'wallet', points.nobody()),
         points.account_id('offset', 'wallet', p_person), p_settled, p_award)
    ) AS l (leg, code, debit, credit, amount, about) WHERE amount > 0
$$;

-- Awards, opening balances and deductions, set-wise. Running sums decide in order: the first
-- award that a budget does not cover waits with the rest of it, and everything after it waits.
-- Ids of accounts and transfers are hashed and put together once an item: it is what costs most.
CREATE OR REPLACE FUNCTION points.post_awards(
    p_county int, p_batch int, p_at timestamptz, p_places int[], p_items jsonb[],
    p_hashes bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_people uuid[] := ARRAY(SELECT DISTINCT (j ->> 'person_id')::uuid FROM unnest(p_items) AS j);
    v_funds uuid[] := ARRAY(SELECT DISTINCT (j ->> 'fund_id')::uuid FROM unnest(p_items) AS j
                            WHERE j ->> 'fund_id' IS NOT NULL);
    v_stem text := left(replace(points.transfer_id(p_at, p_batch, 0, 0)::text, '-', ''), 22);
    v_issuance uuid := points.account_id('issuance', 'merit', points.nobody());
    v_opening uuid := points.account_id('opening', 'merit', points.nobody());
    v_clawback uuid := points.account_id('clawback', 'wallet', points.nobody());
    v_debtors uuid[];
    v_debts int8[];
BEGIN
    PERFORM points.open_accounts(p_county, 'worker', 'merit', v_people);
    PERFORM points.open_accounts(p_county, 'worker', 'wallet', v_people);
    PERFORM points.open_accounts(p_county, 'issuance', 'merit', ARRAY[points.nobody()]);
    PERFORM points.open_accounts(p_county, 'opening', 'merit', ARRAY[points.nobody()]);
    SELECT array_agg(a.owner), array_agg(-a.balance) INTO v_debtors, v_debts
    FROM unnest(v_people) AS p
    JOIN points.account a ON a.county_id = p_county
        AND a.id = points.account_id('offset', 'wallet', p)
    WHERE a.balance < 0;
    WITH item AS MATERIALIZED (
        SELECT u.place, u.hash, x.id, x.kind, x.code, x.person_id, x.unit_code, x.day, x.expires_on,
               coalesce(x.merit, x.amount) AS merit, coalesce(x.wallet, 0) AS wallet, f.id AS fund,
               CASE WHEN f.id IS NULL OR f.waiting THEN 0 ELSE f.room END AS room, f.issuing,
               x.actor_id, x.authority, x.memo
        FROM unnest(p_places, p_items, p_hashes) AS u (place, j, hash)
        CROSS JOIN LATERAL jsonb_to_record(u.j) AS x (id uuid, kind text, code text,
            person_id uuid, fund_id uuid, unit_code text, day date, expires_on date, merit int8,
            amount int8, wallet int8, actor_id uuid, authority text, memo text)
        LEFT JOIN (
            SELECT id, points.fund_room(p_county, id) AS room,
                points.waits(p_county, id) AS waiting,
                points.account_id('issuance', 'wallet', id) AS issuing
            FROM points.fund WHERE county_id = p_county AND id = ANY (v_funds) OFFSET 0) AS f
            ON f.id = x.fund_id
    ), given AS MATERIALIZED (
        SELECT item.*, greatest(0, least(wallet, room - coalesce(sum(wallet) OVER (
            PARTITION BY fund ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)))::int8 AS now
        FROM item
    ), settled AS MATERIALIZED (
        SELECT given.*, (v_stem || lpad(to_hex(place), 5, '0') || '00002')::uuid AS lot,
            points.account_id('worker', 'merit', given.person_id) AS merit_account,
            points.account_id('worker', 'wallet', given.person_id) AS wallet_account,
            greatest(0, least(now, coalesce(owed.amount, 0) - coalesce(sum(now) OVER (
                PARTITION BY given.person_id ORDER BY place
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)))::int8 AS settled
        FROM given
        LEFT JOIN unnest(v_debtors, v_debts) AS owed (person_id, amount)
            ON owed.person_id = given.person_id
    ), posting AS (
        INSERT INTO points.posting (county_id, id, batch, position, kind, code, target, person_id,
            day, at, amount, wallet, waiting, settled, quantity, request_hash, actor_id, authority,
            memo)
        SELECT p_county, id, p_batch, place, kind, code, fund, person_id, day, p_at, merit, now,
            wallet - now, settled, 0, hash, actor_id, authority, memo
        FROM settled
    ), lot AS (
        INSERT INTO points.lot (county_id, id, person_id, fund_id, award_id, earned_on, expires_on,
            amount, remaining, held)
        SELECT p_county, lot, person_id, fund, id, day, expires_on, now, now - settled, 0
        FROM settled WHERE now > 0
    ), waiting AS (
        INSERT INTO points.awaiting (county_id, id, person_id, fund_id, unit_code, code, amount,
            remaining, batch, position)
        SELECT p_county, id, person_id, fund, unit_code, code, wallet - now, wallet - now, p_batch,
            place
        FROM settled WHERE wallet > now
    )
    INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about, unit,
        code)
    SELECT p_county, p_batch, place, amount,
        (v_stem || lpad(to_hex(place), 5, '0') || lpad(to_hex(leg), 5, '0'))::uuid, debit, credit,
        about, unit, code
    FROM (
        SELECT place, 1 AS leg, 'merit' AS unit, code, merit AS amount, id AS about,
            CASE kind WHEN 'deduct' THEN merit_account WHEN 'opening' THEN v_opening
                ELSE v_issuance END AS debit,
            CASE kind WHEN 'deduct' THEN v_issuance ELSE merit_account END AS credit
        FROM settled WHERE merit > 0
        UNION ALL
        SELECT place, 2, 'wallet', code, now, lot, issuing, wallet_account
        FROM settled WHERE now > 0
        UNION ALL
        SELECT place, 3, 'wallet', 'offset', settled, lot, wallet_account, issuing
        FROM settled WHERE settled > 0
        UNION ALL
        SELECT place, 4, 'wallet', 'offset', settled, id, v_clawback,
            points.account_id('offset', 'wallet', person_id)
        FROM settled WHERE settled > 0) AS leg
    ORDER BY place, leg;
    PERFORM points.apply_balances(p_county, points.transfer_id(p_at, p_batch, min(place), 0),
                                  points.transfer_id(p_at, p_batch, max(place), 1048575))
    FROM unnest(p_places) AS place;
END $$;

-- Waiting awards that no fund took over when it was opened go to the one that pays for their unit:
-- the nearest of the unit's own and those above it.
CREATE OR REPLACE FUNCTION points.adopt(p_county int, p_fund uuid) RETURNS void
LANGUAGE sql AS $$
    UPDATE points.awaiting a SET fund_id = p_fund
    WHERE a.county_id = p_county AND a.fund_id IS NULL AND a.remaining > 0
      AND p_fund = (SELECT f.id FROM points.fund f WHERE f.county_id = p_county
          AND f.unit_code IN (left(a.unit_code, 12), left(a.unit_code, 9), left(a.unit_code, 6))
          ORDER BY length(f.unit_code) DESC LIMIT 1)
$$;

-- Give waiting awards what the fund's budget now covers, in ledger order. Answers how many awards
-- got something and how much.
CREATE OR REPLACE FUNCTION points.release_awaiting(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_fund uuid, p_limit int, p_day date,
    p_expires_on date, OUT awards int, OUT amount int8)
LANGUAGE plpgsql AS $$
DECLARE
    v_room int8 := points.fund_room(p_county, p_fund);
BEGIN
    PERFORM points.adopt(p_county, p_fund);
    WITH waiting AS (
        SELECT a.id, a.person_id, a.code, a.remaining, a.batch, a.position
        FROM points.awaiting a
        WHERE a.county_id = p_county AND a.fund_id = p_fund AND a.remaining > 0
        ORDER BY a.batch, a.position LIMIT p_limit
    ), given AS MATERIALIZED (
        SELECT * FROM (
            SELECT w.*, row_number() OVER line AS n,
                least(w.remaining, v_room - sum(w.remaining) OVER line + w.remaining)::int8 AS now
            FROM waiting w
            WINDOW line AS (ORDER BY w.batch, w.position ROWS UNBOUNDED PRECEDING)) AS fits
        WHERE now > 0
    ), settled AS MATERIALIZED (
        SELECT given.*, points.transfer_id(p_at, p_batch, p_place, (n * 3 - 2)::int) AS lot,
            greatest(0, least(now, points.owed(p_county, person_id) - sum(now) OVER (
                PARTITION BY person_id ORDER BY n ROWS UNBOUNDED PRECEDING) + now))::int8 AS settled
        FROM given
    ), taken AS (
        UPDATE points.awaiting a SET remaining = a.remaining - settled.now
        FROM settled WHERE a.county_id = p_county AND a.id = settled.id
    ), lot AS (
        INSERT INTO points.lot (county_id, id, person_id, fund_id, award_id, earned_on, expires_on,
            amount, remaining, held)
        SELECT p_county, lot, person_id, p_fund, id, p_day, p_expires_on, now, now - settled, 0
        FROM settled
    ), moved AS (
        INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about,
            unit, code)
        SELECT p_county, p_batch, p_place, l.amount,
            points.transfer_id(p_at, p_batch, p_place, l.leg), l.debit, l.credit, l.about, 'wallet',
            l.code
        FROM settled CROSS JOIN LATERAL points.issue_legs(
            (n * 3 - 2)::int, settled.code, p_fund, person_id, lot, id, now, settled) AS l
    )
    SELECT count(*)::int, coalesce(sum(now), 0)::int8 INTO awards, amount FROM settled;
    PERFORM points.apply_balances(p_county, points.transfer_id(p_at, p_batch, p_place, 0),
                                  points.transfer_id(p_at, p_batch, p_place, 1048575));
END $$;

CREATE OR REPLACE FUNCTION points.move(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_leg int, p_unit text, p_code text,
    p_debit uuid, p_credit uuid, p_amount int8, p_about uuid) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about, unit,
        code)
    VALUES (p_county, p_batch, p_place, p_amount,
        points.transfer_id(p_at, p_batch, p_place, p_leg), p_debit, p_credit, p_about, p_unit,
        p_code)
$$;

CREATE OR REPLACE FUNCTION points.note(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea,
    p_target uuid, p_person uuid, p_amount int8, p_wallet int8 DEFAULT 0, p_waiting int8 DEFAULT 0,
    p_settled int8 DEFAULT 0, p_quantity int DEFAULT 0, p_memo text DEFAULT NULL) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO points.posting (county_id, id, batch, position, kind, code, target, person_id, day,
        at, amount, wallet, waiting, settled, quantity, request_hash, actor_id, authority, memo)
    VALUES (p_county, (p_item ->> 'id')::uuid, p_batch, p_place, p_item ->> 'kind', '', p_target,
        p_person, (p_item ->> 'day')::date, p_at, p_amount, p_wallet, p_waiting, p_settled,
        p_quantity, p_hash, (p_item ->> 'actor_id')::uuid, p_item ->> 'authority',
        coalesce(p_memo, p_item ->> 'memo', ''))
$$;

-- Points that came back to lots while something is owed settle that first. Answers the next leg.
CREATE OR REPLACE FUNCTION points.settle_returned(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_leg int, p_person uuid,
    p_lots uuid[]) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_owed int8 := points.owed(p_county, p_person);
    v_leg int := p_leg;
    v_lot record;
    v_take int8;
BEGIN
    IF v_owed = 0 THEN
        RETURN v_leg;
    END IF;
    FOR v_lot IN SELECT id, fund_id, award_id, remaining - held AS free FROM points.lot
                 WHERE county_id = p_county AND id = ANY (p_lots) AND remaining > held ORDER BY id
    LOOP
        v_take := least(v_owed, v_lot.free);
        EXIT WHEN v_take = 0;
        UPDATE points.lot SET remaining = remaining - v_take
        WHERE county_id = p_county AND id = v_lot.id;
        PERFORM points.move(p_county, p_batch, p_at, p_place, v_leg, 'wallet', 'offset',
            points.account_id('worker', 'wallet', p_person),
            points.account_id('issuance', 'wallet', v_lot.fund_id), v_take, v_lot.id);
        PERFORM points.move(p_county, p_batch, p_at, p_place, v_leg + 1, 'wallet', 'offset',
            points.account_id('clawback', 'wallet', points.nobody()),
            points.account_id('offset', 'wallet', p_person), v_take, v_lot.award_id);
        v_owed := v_owed - v_take;
        v_leg := v_leg + 2;
    END LOOP;
    PERFORM points.apply_balances(p_county, points.transfer_id(p_at, p_batch, p_place, p_leg),
                                  points.transfer_id(p_at, p_batch, p_place, v_leg - 1));
    RETURN v_leg;
END $$;

-- Points of a month: redeemed and not undone, and in live holds. Limits count pending.
CREATE OR REPLACE FUNCTION points.month_points(p_county int, p_person uuid, p_month date)
RETURNS int8 LANGUAGE sql STABLE AS $$
    SELECT (coalesce((
        SELECT sum(r.amount) FROM points.redemption r
        WHERE r.county_id = p_county AND r.person_id = p_person AND r.month = p_month
          AND r.status = 'accepted' AND (SELECT u.id FROM points.posting u
              WHERE u.county_id = p_county AND u.kind = 'undo' AND u.target = r.id) IS NULL), 0)
        + coalesce((
        SELECT sum(h.amount) FROM points.hold h
        WHERE h.county_id = p_county AND h.person_id = p_person AND h.month = p_month
          AND h.status = 'pending'), 0))::int8
$$;

CREATE OR REPLACE FUNCTION points.month_pieces(
    p_county int, p_person uuid, p_month date, p_product uuid)
RETURNS int8 LANGUAGE sql STABLE AS $$
    SELECT (coalesce((
        SELECT sum((SELECT sum(l.quantity) FROM points.redemption_line l
                    WHERE l.county_id = p_county AND l.redemption_id = r.id
                      AND l.product_id = p_product))
        FROM points.redemption r
        WHERE r.county_id = p_county AND r.person_id = p_person AND r.month = p_month
          AND r.status = 'accepted' AND (SELECT u.id FROM points.posting u
              WHERE u.county_id = p_county AND u.kind = 'undo' AND u.target = r.id) IS NULL), 0)
        + coalesce((
        SELECT sum(g.quantity) FROM points.hold h
        CROSS JOIN LATERAL unnest(h.products, h.quantities) AS g (product, quantity)
        WHERE h.county_id = p_county AND h.person_id = p_person AND h.month = p_month
          AND h.status = 'pending' AND g.product = p_product), 0))::int8
$$;

-- Month limit of points first, then the limits of pieces, in the order of the lines.
CREATE OR REPLACE FUNCTION points.over_limit(
    p_county int, p_person uuid, p_month date, p_amount int8, p_limit int8, p_products uuid[],
    p_quantities int[], p_limits int8[], OUT refusal text, OUT subject uuid)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_limit < p_amount + points.month_points(p_county, p_person, p_month) THEN
        refusal := 'month_limit';
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(p_products) LOOP
        CONTINUE WHEN p_limits[i] IS NULL;
        IF p_limits[i] < p_quantities[i]
           + points.month_pieces(p_county, p_person, p_month, p_products[i]) THEN
            refusal := 'product_limit';
            subject := p_products[i];
            RETURN;
        END IF;
    END LOOP;
END $$;

-- Whether an objection or an appeal of a person's is open: till it is decided none of their points
-- end, so they can also be spent past their last day.
CREATE OR REPLACE FUNCTION points.appealing(p_county int, p_person uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM points.objection o WHERE o.county_id = p_county
                   AND o.worker_id = p_person AND o.state IN ('open', 'review'))
        OR EXISTS (SELECT FROM points.deduction d WHERE d.county_id = p_county
                   AND d.worker_id = p_person AND d.state = 'appealed')
$$;

-- Which of a person's lots give an amount, first expiring first; it reads no more than it needs.
CREATE OR REPLACE FUNCTION points.draw(
    p_county int, p_person uuid, p_today date, p_amount int8, OUT lots uuid[], OUT draws int8[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_left int8 := p_amount;
    v_lot record;
BEGIN
    FOR v_lot IN SELECT l.id, l.remaining - l.held AS free FROM points.lot l
                 WHERE l.county_id = p_county AND l.person_id = p_person AND l.live
                   AND l.remaining > l.held AND ((l.expires_on >= p_today) IS NOT FALSE
                       OR points.appealing(p_county, p_person))
                 ORDER BY l.expires_on, l.id
    LOOP
        lots := lots || v_lot.id;
        draws := draws || least(v_lot.free, v_left);
        v_left := v_left - least(v_lot.free, v_left);
        EXIT WHEN v_left = 0;
    END LOOP;
    IF v_left > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'XX001', MESSAGE = 'a wallet holds more than its lots';
    END IF;
END $$;

-- What purchases (redemptions or holds) would get if each stood alone before what is stored now:
-- one row an item, nothing changed. Checks run in the order of precedence of ledger/items.py;
-- ``asked`` says that no code and no counter refused before. What is available is the balance (the
-- sum of the lots) less what is held or ended and not swept, so that long histories cost nothing.
-- LIMIT keeps a look-up an index look-up, whatever the planner thinks of arrays.
CREATE OR REPLACE FUNCTION points.judge(
    p_county int, p_places int[], p_items jsonb[], p_hashes bytea[])
RETURNS TABLE (place int, hash bytea, id uuid, shop_id uuid, at timestamptz, month date,
    expires_at timestamptz, means text, actor_id uuid, authority text, device text, collector text,
    asked boolean, person uuid, wallet uuid, code_id uuid, amount int8, available int8, used int8,
    products uuid[], quantities int[], prices int8[], costs int8[], free int[], lots uuid[],
    draws int8[], refusal text, subject uuid)
LANGUAGE sql STABLE AS $$
    SELECT u.place, u.hash, x.id, x.shop_id, x.at, d.month, x.expires_at, x.means, x.actor_id,
        coalesce(x.authority, ''), coalesce(x.device, ''), coalesce(x.collector, ''),
        w.refusal IS NULL, w.person, a.id, c.id, g.amount,
        f.available, f.used, g.products, g.quantities, g.prices, g.costs, g.free,
        coalesce(t.lots, ARRAY[n.id]), coalesce(t.draws, ARRAY[g.amount]),
        CASE WHEN w.refusal IS NOT NULL THEN w.refusal
            WHEN g.short IS NOT NULL THEN 'out_of_stock'
            WHEN f.available < g.amount THEN 'insufficient'
            ELSE o.refusal END,
        CASE WHEN x.refused <> '' THEN x.refused_product
            WHEN w.refusal IS NOT NULL THEN NULL
            WHEN g.short IS NOT NULL THEN g.short
            WHEN f.available < g.amount THEN NULL
            ELSE o.subject END
    FROM unnest(p_places, p_items, p_hashes) AS u (place, j, hash)
    CROSS JOIN LATERAL jsonb_to_record(u.j) AS x (id uuid, shop_id uuid, means text,
        code_hash text, person_id uuid, refused text, refused_product uuid, at timestamptz,
        expires_at timestamptz, month_limit int8, actor_id uuid, authority text, device text,
        collector text, lines jsonb)
    CROSS JOIN LATERAL (SELECT (x.at AT TIME ZONE interval '8 hours')::date AS today,
        date_trunc('month', x.at AT TIME ZONE interval '8 hours')::date AS month) AS d
    LEFT JOIN LATERAL (
        SELECT k.id, k.person_id, k.expires_at, k.used_by FROM points.code k
        WHERE x.means = 'token' AND k.county_id = p_county
          AND k.token_hash = decode(x.code_hash, 'base64')
        UNION ALL
        SELECT k.id, k.person_id, k.expires_at, k.used_by FROM points.code k
        WHERE x.means <> 'token' AND k.county_id = p_county
          AND k.digits_hash = decode(x.code_hash, 'base64')
        LIMIT 1) AS c ON true
    CROSS JOIN LATERAL (SELECT
        CASE WHEN x.refused <> '' THEN x.refused
            WHEN x.code_hash IS NULL THEN NULL
            WHEN c.id IS NULL OR c.person_id <> x.person_id THEN 'code_unknown'
            WHEN c.person_id = x.actor_id THEN 'own_wallet'
            WHEN c.expires_at <= x.at THEN 'code_expired'
            WHEN c.used_by IS NOT NULL THEN 'code_used' END AS refusal,
        CASE WHEN x.refused <> '' OR x.code_hash IS NULL THEN x.person_id
            WHEN c.person_id = coalesce(x.person_id, c.person_id) THEN c.person_id END AS person
        OFFSET 0) AS w
    CROSS JOIN LATERAL (
        SELECT sum(l.quantity * l.price)::int8 AS amount,
            array_agg(l.product_id ORDER BY l.n) AS products,
            array_agg(l.quantity ORDER BY l.n) AS quantities,
            array_agg(l.price ORDER BY l.n) AS prices,
            array_agg(l.cost_fen ORDER BY l.n) AS costs,
            array_agg(l."limit" ORDER BY l.n) AS limits,
            array_agg(coalesce(s.free, 0) ORDER BY l.n) AS free,
            (array_agg(l.product_id ORDER BY l.n)
                FILTER (WHERE l.quantity > coalesce(s.free, 0)))[1] AS short,
            bool_or(l."limit" IS NOT NULL) AS limited,
            bool_or(l."limit" < l.quantity) AS over
        FROM ROWS FROM (jsonb_to_recordset(x.lines) AS (product_id uuid, quantity int, price int8,
            cost_fen int8, "limit" int8)) WITH ORDINALITY
            AS l (product_id, quantity, price, cost_fen, "limit", n)
        LEFT JOIN LATERAL (
            SELECT s.quantity - s.held AS free FROM points.stock s
            WHERE s.county_id = p_county AND s.shop_id = x.shop_id
              AND s.product_id = l.product_id LIMIT 1) AS s ON true
    ) AS g
    LEFT JOIN LATERAL (
        SELECT a.id, a.balance, a.month, a.month_points FROM points.account a
        WHERE w.refusal IS NULL AND a.county_id = p_county
          AND a.id = points.account_id('worker', 'wallet', w.person) LIMIT 1) AS a ON true
    LEFT JOIN LATERAL (
        SELECT l.id, l.remaining - l.held AS free,
            l.expires_on < d.today AND NOT points.appealing(p_county, w.person) AS ended
        FROM points.lot l
        WHERE w.refusal IS NULL AND l.county_id = p_county AND l.person_id = w.person AND l.live
          AND l.remaining > l.held
        ORDER BY l.expires_on, l.id LIMIT 1) AS n ON true
    CROSS JOIN LATERAL (SELECT
        CASE WHEN w.refusal IS NOT NULL THEN 0 ELSE coalesce(a.balance, 0)
            - coalesce((
                SELECT sum(l.held) FROM points.lot l
                WHERE l.county_id = p_county AND l.person_id = w.person AND l.held > 0), 0)::int8
            - coalesce((
                SELECT sum(l.remaining - l.held) FROM points.lot l
                WHERE n.ended AND l.county_id = p_county AND l.person_id = w.person AND l.live
                  AND l.expires_on < d.today), 0)::int8 END AS available,
        CASE WHEN w.refusal IS NOT NULL OR a.month < d.month THEN 0
            WHEN a.month = d.month THEN a.month_points
            ELSE points.month_points(p_county, w.person, d.month) END AS used
        OFFSET 0) AS f
    LEFT JOIN LATERAL (
        SELECT l.refusal, l.subject
        FROM points.over_limit(p_county, w.person, d.month, g.amount, x.month_limit, g.products,
                               g.quantities, g.limits) AS l
        WHERE w.refusal IS NULL AND g.short IS NULL AND f.available >= g.amount
          AND (x.month_limit < g.amount + f.used OR g.over OR g.limited AND f.used > 0)
        OFFSET 0) AS o ON true
    LEFT JOIN LATERAL (
        SELECT l.lots, l.draws FROM points.draw(p_county, w.person, d.today, g.amount) AS l
        WHERE w.refusal IS NULL AND g.short IS NULL AND f.available >= g.amount
          AND o.refusal IS NULL AND (n.ended OR n.free < g.amount)
        OFFSET 0) AS t ON true
$$;

-- Redemptions, set-wise, exactly as if decided one after another. All are judged as if each stood
-- alone; that is true of every item before the first that meets an accepted one of its own wallet
-- (and so of its code), or whose pieces no longer fit behind the accepted ones. Up to there it is
-- written, one statement in all; the rest is judged anew. After such a cut the next look reaches
-- no further than this one came, and twice as far after a whole one, so that no order of items
-- makes the work grow with its square.
CREATE OR REPLACE FUNCTION points.post_redeems(
    p_county int, p_batch int, p_at timestamptz, p_places int[], p_items jsonb[],
    p_hashes bytea[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_codes text[] := '{}';
    v_new text[];
    v_size int := cardinality(p_places);
    v_from int := 1;
    v_reach int := v_size;
    v_to int;
BEGIN
    WHILE v_from <= v_size LOOP
        v_to := least(v_size, v_from + v_reach - 1);
        IF v_from = v_to THEN
            v_new := ARRAY[points.redeem_one(p_county, p_batch, p_at, p_places[v_from],
                                             p_items[v_from], p_hashes[v_from])];
        ELSIF v_to - v_from + 1 = v_size THEN
            v_new := points.redeem_first(p_county, p_batch, p_at, p_places, p_items, p_hashes);
        ELSE
            v_new := points.redeem_first(p_county, p_batch, p_at, p_places[v_from:v_to],
                                         p_items[v_from:v_to], p_hashes[v_from:v_to]);
        END IF;
        v_reach := CASE WHEN v_from + cardinality(v_new) <= v_to THEN cardinality(v_new)
                   ELSE 2 * v_reach END;
        v_from := v_from + cardinality(v_new);
        v_codes := v_codes || v_new;
    END LOOP;
    RETURN v_codes;
END $$;

-- The same for one item: at a quiet counter a batch is one, and a statement for many has to be set
-- up each time, which costs more than these few.
CREATE OR REPLACE FUNCTION points.redeem_one(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    d record;
    v_ok boolean;
    v_till uuid;
BEGIN
    SELECT * INTO d FROM points.judge(p_county, ARRAY[p_place], ARRAY[p_item], ARRAY[p_hash]);
    v_ok := d.refusal IS NULL;
    INSERT INTO points.redemption (county_id, id, batch, position, status, refusal, subject,
        request_hash, person_id, shop_id, amount, balance_after, month, at, lots, draws, means,
        actor_id, authority, device, collector)
    VALUES (p_county, d.id, p_batch, p_place, CASE WHEN v_ok THEN 'accepted' ELSE 'refused' END,
        d.refusal, d.subject, p_hash, d.person, d.shop_id, d.amount,
        d.available - CASE WHEN v_ok THEN d.amount ELSE 0 END, d.month, d.at,
        CASE WHEN v_ok THEN d.lots ELSE '{}' END, CASE WHEN v_ok THEN d.draws ELSE '{}' END,
        d.means, d.actor_id, d.authority, d.device, d.collector);
    IF NOT v_ok THEN
        RETURN d.refusal;
    END IF;
    v_till := points.account_id('shop', 'wallet', d.shop_id);
    UPDATE points.code SET used_by = d.id WHERE county_id = p_county AND id = d.code_id;
    UPDATE points.account a SET balance = a.balance - d.amount, month = greatest(a.month, d.month),
        month_points = CASE WHEN a.month > d.month THEN a.month_points ELSE d.used + d.amount END
    WHERE a.county_id = p_county AND a.id = d.wallet;
    FOR i IN 1 .. cardinality(d.lots) LOOP
        UPDATE points.lot SET remaining = remaining - d.draws[i]
        WHERE county_id = p_county AND id = d.lots[i];
    END LOOP;
    FOR i IN 1 .. cardinality(d.products) LOOP
        UPDATE points.stock SET quantity = quantity - d.quantities[i]
        WHERE county_id = p_county AND shop_id = d.shop_id AND product_id = d.products[i];
        INSERT INTO points.redemption_line (county_id, id, redemption_id, line, product_id,
            quantity, price, cost_fen)
        VALUES (p_county, points.transfer_id(p_at, p_batch, p_place, i), d.id, i, d.products[i],
            d.quantities[i], d.prices[i], d.costs[i]);
    END LOOP;
    INSERT INTO points.account (county_id, id, kind, unit, owner, balance)
    VALUES (p_county, v_till, 'shop', 'wallet', d.shop_id, 0)
    ON CONFLICT (county_id, id) DO NOTHING;
    INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about, unit,
        code)
    VALUES (p_county, p_batch, p_place, d.amount, points.transfer_id(p_at, p_batch, p_place, 1),
        d.wallet, v_till, d.id, 'wallet', 'redeem');
    RETURN 'accepted';
END $$;

-- Decides and writes the longest part that needs no second look; answers its codes.
CREATE OR REPLACE FUNCTION points.redeem_first(
    p_county int, p_batch int, p_at timestamptz, p_places int[], p_items jsonb[],
    p_hashes bytea[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_codes text[];
BEGIN
    WITH judged AS MATERIALIZED (
        SELECT p.*, p.refusal IS NULL AS ok,
            points.account_id('shop', 'wallet', p.shop_id) AS till,
            sum((p.refusal IS NULL)::int) OVER (PARTITION BY p.asked, p.person ORDER BY p.place
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS met
        FROM points.judge(p_county, p_places, p_items, p_hashes) AS p
    ), cut AS MATERIALIZED (
        SELECT min(place) AS place FROM (
            SELECT place FROM judged WHERE asked AND met > 0
            UNION ALL
            SELECT place FROM (
                SELECT j.place, t.quantity, t.free,
                    sum(CASE WHEN j.ok THEN t.quantity ELSE 0 END) OVER (
                        PARTITION BY j.shop_id, t.product ORDER BY j.place
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM judged j
                CROSS JOIN LATERAL unnest(j.products, j.quantities, j.free)
                    AS t (product, quantity, free)
                WHERE j.asked) AS flow
            WHERE quantity <= free AND quantity > free - before) AS again
    ), kept AS MATERIALIZED (
        SELECT * FROM judged WHERE place < coalesce((SELECT place FROM cut), 2147483647)
    ), redeemed AS (
        INSERT INTO points.redemption (county_id, id, batch, position, status, refusal, subject,
            request_hash, person_id, shop_id, amount, balance_after, month, at, lots,
            draws, means, actor_id, authority, device, collector)
        SELECT p_county, id, p_batch, place, CASE WHEN ok THEN 'accepted' ELSE 'refused' END,
            refusal, subject, hash, person, shop_id, amount,
            available - CASE WHEN ok THEN amount ELSE 0 END, month, at,
            CASE WHEN ok THEN lots ELSE '{}' END, CASE WHEN ok THEN draws ELSE '{}' END, means,
            actor_id, authority, device, collector
        FROM kept
    ), used AS (
        UPDATE points.code c SET used_by = k.id FROM kept k
        WHERE k.ok AND c.county_id = p_county AND c.id = k.code_id
    ), lined AS (
        INSERT INTO points.redemption_line (county_id, id, redemption_id, line, product_id,
            quantity, price, cost_fen)
        SELECT p_county, points.transfer_id(p_at, p_batch, k.place, l.n::int), k.id, l.n,
            l.product, l.quantity, l.price, l.cost
        FROM kept k
        CROSS JOIN LATERAL unnest(k.products, k.quantities, k.prices, k.costs) WITH ORDINALITY
            AS l (product, quantity, price, cost, n)
        WHERE k.ok
    ), taken AS (
        UPDATE points.stock s SET quantity = s.quantity - t.quantity
        FROM (
            SELECT k.shop_id, l.product, sum(l.quantity)::int AS quantity
            FROM kept k CROSS JOIN LATERAL unnest(k.products, k.quantities) AS l (product, quantity)
            WHERE k.ok GROUP BY k.shop_id, l.product) AS t
        WHERE s.county_id = p_county AND s.shop_id = t.shop_id AND s.product_id = t.product
    ), drawn AS (
        UPDATE points.lot l SET remaining = l.remaining - t.draw
        FROM kept k CROSS JOIN LATERAL unnest(k.lots, k.draws) AS t (id, draw)
        WHERE k.ok AND l.county_id = p_county AND l.id = t.id
    ), opened AS (
        INSERT INTO points.account (county_id, id, kind, unit, owner, balance)
        SELECT DISTINCT p_county, till, 'shop', 'wallet', shop_id, 0 FROM kept WHERE ok
        ON CONFLICT (county_id, id) DO NOTHING
    ), spent AS (
        UPDATE points.account a SET balance = a.balance - k.amount,
            month = greatest(a.month, k.month), month_points = CASE WHEN a.month > k.month
                THEN a.month_points ELSE k.used + k.amount END
        FROM kept k
        WHERE k.ok AND a.county_id = p_county AND a.id = k.wallet
    ), moved AS (
        INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about,
            unit, code)
        SELECT p_county, p_batch, place, amount, points.transfer_id(p_at, p_batch, place, 1),
            wallet, till, id, 'wallet', 'redeem'
        FROM kept WHERE ok
    )
    SELECT array_agg(coalesce(refusal, 'accepted') ORDER BY place) INTO v_codes FROM kept;
    RETURN v_codes;
END $$;

CREATE OR REPLACE FUNCTION points.pay_shop(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_person uuid, p_shop uuid,
    p_amount int8, p_redemption uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_wallet uuid := points.account_id('worker', 'wallet', p_person);
BEGIN
    PERFORM points.open_accounts(p_county, 'shop', 'wallet', ARRAY[p_shop]);
    UPDATE points.account SET balance = balance - p_amount
    WHERE county_id = p_county AND id = v_wallet;
    PERFORM points.move(p_county, p_batch, p_at, p_place, 1, 'wallet', 'redeem', v_wallet,
        points.account_id('shop', 'wallet', p_shop), p_amount, p_redemption);
END $$;

CREATE OR REPLACE FUNCTION points.post_new_hold(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    d record;
BEGIN
    SELECT * INTO d FROM points.judge(p_county, ARRAY[p_place], ARRAY[p_item], ARRAY[p_hash]);
    INSERT INTO points.hold (county_id, id, batch, position, status, refusal, subject,
        request_hash, person_id, shop_id, amount, posted, balance_after, month, at, expires_at,
        lots, draws, products, quantities, prices, costs, means, actor_id, authority, device,
        collector)
    VALUES (p_county, d.id, p_batch, p_place,
        CASE WHEN d.refusal IS NULL THEN 'pending' ELSE 'refused' END, d.refusal, d.subject,
        p_hash, d.person, d.shop_id, d.amount, 0,
        d.available - CASE WHEN d.refusal IS NULL THEN d.amount ELSE 0 END, d.month, d.at,
        d.expires_at, CASE WHEN d.refusal IS NULL THEN d.lots ELSE '{}' END,
        CASE WHEN d.refusal IS NULL THEN d.draws ELSE '{}' END, d.products, d.quantities, d.prices,
        d.costs, d.means, d.actor_id, d.authority, d.device, d.collector);
    IF d.refusal IS NOT NULL THEN
        RETURN d.refusal;
    END IF;
    UPDATE points.code SET used_by = d.id WHERE county_id = p_county AND id = d.code_id;
    UPDATE points.account a SET month = greatest(a.month, d.month),
        month_points = CASE WHEN a.month > d.month THEN a.month_points ELSE d.used + d.amount END
    WHERE a.county_id = p_county AND a.id = d.wallet;
    UPDATE points.stock s SET held = s.held + t.quantity
    FROM unnest(d.products, d.quantities) AS t (product, quantity)
    WHERE s.county_id = p_county AND s.shop_id = d.shop_id AND s.product_id = t.product;
    UPDATE points.lot l SET held = l.held + t.draw
    FROM unnest(d.lots, d.draws) AS t (id, draw) WHERE l.county_id = p_county AND l.id = t.id;
    RETURN NULL;
END $$;

-- Everything a hold kept is free again: first step of posting, voiding and expiring it.
CREATE OR REPLACE FUNCTION points.free_hold(
    p_county int, p_hold uuid, p_batch int, p_status text, p_posted int8) RETURNS void
LANGUAGE sql AS $$
    UPDATE points.stock s SET held = s.held - g.quantity
    FROM points.hold h CROSS JOIN LATERAL unnest(h.products, h.quantities) AS g (product, quantity)
    WHERE h.county_id = p_county AND h.id = p_hold AND s.county_id = p_county
      AND s.shop_id = h.shop_id AND s.product_id = g.product;
    UPDATE points.lot l SET held = l.held - t.draw
    FROM points.hold h CROSS JOIN LATERAL unnest(h.lots, h.draws) AS t (id, draw)
    WHERE h.county_id = p_county AND h.id = p_hold AND l.county_id = p_county AND l.id = t.id;
    UPDATE points.hold SET status = p_status, posted = p_posted, resolved_batch = p_batch
    WHERE county_id = p_county AND id = p_hold;
$$;

CREATE OR REPLACE FUNCTION points.decide_hold(
    p_county int, p_hold points.hold, p_item jsonb, OUT refusal text, OUT subject uuid)
LANGUAGE plpgsql AS $$
BEGIN
    IF p_hold.id IS NULL THEN
        refusal := 'hold_unknown';
    ELSIF p_hold.shop_id <> (p_item ->> 'shop_id')::uuid THEN
        refusal := 'shop_mismatch';
    ELSIF p_hold.status <> 'pending' THEN
        refusal := 'hold_resolved';
    ELSIF p_hold.expires_at <= (p_item ->> 'at')::timestamptz THEN
        refusal := 'hold_expired';
    ELSIF p_item ->> 'picks' IS NOT NULL THEN
        SELECT 'lines_exceed_hold', (k ->> 'product_id')::uuid INTO refusal, subject
        FROM jsonb_array_elements(p_item -> 'picks') AS k
        LEFT JOIN unnest(p_hold.products, p_hold.quantities) AS g (product, quantity)
            ON g.product = (k ->> 'product_id')::uuid
        WHERE (k ->> 'quantity')::int8 > coalesce(g.quantity, 0) LIMIT 1;
    END IF;
END $$;

-- Whether a hold was handed over before its worker gave it up, by a shop that had no line: the time
-- alone is the shop's own word, so the pickup code must have been shown as well, and once.
CREATE OR REPLACE FUNCTION points.fetched_first(p_county int, p_hold points.hold, p_item jsonb)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(p_hold.status = 'voided' AND (p_item ->> 'shown')::boolean, false)
        AND EXISTS (SELECT FROM points.posting v
            WHERE v.county_id = p_county AND v.kind = 'void_hold' AND v.target = p_hold.id
              AND v.authority = 'self' AND v.at > (p_item ->> 'at')::timestamptz)
        AND NOT EXISTS (SELECT FROM points.redemption r WHERE r.county_id = p_county
            AND r.hold_id = p_hold.id AND r.status = 'accepted')
$$;

-- Whether what went back to wallet and shelf is still there to be taken again.
CREATE OR REPLACE FUNCTION points.decide_again(
    p_county int, p_hold points.hold, p_quantities int[], p_amount int8, p_at timestamptz,
    OUT refusal text, OUT subject uuid)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT 'out_of_stock', g.product INTO refusal, subject
    FROM unnest(p_hold.products, p_quantities) AS g (product, quantity)
    LEFT JOIN points.stock s ON s.county_id = p_county AND s.shop_id = p_hold.shop_id
        AND s.product_id = g.product
    WHERE g.quantity > coalesce(s.quantity - s.held, 0) LIMIT 1;
    IF refusal IS NULL AND points.spendable(p_county, p_hold.person_id, p_at) < p_amount THEN
        refusal := 'cancelled_spent';
    END IF;
END $$;

-- Hand over what was held, or part of it: frees the hold, then spends from its own lots. What was
-- fetched before the worker gave it up is spent anew from whatever lots there are.
CREATE OR REPLACE FUNCTION points.post_post_hold(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid := (p_item ->> 'id')::uuid;
    v_hold points.hold;
    v_no record;
    v_quantities int[];
    v_amount int8;
    v_lots uuid[];
    v_draws int8[];
    v_free int8;
    v_again boolean;
BEGIN
    SELECT * INTO v_hold FROM points.hold
    WHERE county_id = p_county AND id = (p_item ->> 'hold_id')::uuid AND status <> 'refused';
    v_again := points.fetched_first(p_county, v_hold, p_item);
    IF v_again THEN
        v_hold.status := 'pending';  -- as it was when the goods left; the row stays voided
    END IF;
    SELECT * INTO v_no FROM points.decide_hold(p_county, v_hold, p_item);
    SELECT array_agg(coalesce(CASE WHEN p_item ->> 'picks' IS NULL THEN g.quantity
                              ELSE (k ->> 'quantity')::int END, 0) ORDER BY g.n),
        coalesce(sum(g.price * CASE WHEN p_item ->> 'picks' IS NULL THEN g.quantity
                               ELSE (k ->> 'quantity')::int END), 0)
    INTO v_quantities, v_amount
    FROM unnest(v_hold.products, v_hold.quantities, v_hold.prices) WITH ORDINALITY
        AS g (product, quantity, price, n)
    LEFT JOIN jsonb_array_elements(nullif(p_item -> 'picks', 'null')) AS k
        ON (k ->> 'product_id')::uuid = g.product;
    SELECT array_agg(id ORDER BY n), array_agg(least(draw, v_amount - before) ORDER BY n)
    INTO v_lots, v_draws
    FROM (SELECT id, draw, n, sum(draw) OVER (ORDER BY n) - draw AS before
          FROM unnest(v_hold.lots, v_hold.draws) WITH ORDINALITY AS t (id, draw, n)) AS own
    WHERE before < v_amount;
    IF v_again AND v_no.refusal IS NULL THEN
        SELECT * INTO v_no FROM points.decide_again(p_county, v_hold, v_quantities, v_amount,
                                                    (p_item ->> 'at')::timestamptz);
        IF v_no.refusal IS NULL THEN
            SELECT lots, draws INTO v_lots, v_draws
            FROM points.draw(p_county, v_hold.person_id,
                ((p_item ->> 'at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date, v_amount);
        END IF;
    END IF;
    IF v_no.refusal IS NULL THEN
        IF NOT v_again THEN
            PERFORM points.free_hold(p_county, v_hold.id, p_batch, 'posted', v_amount);
        END IF;
        UPDATE points.lot l SET remaining = l.remaining - t.draw
        FROM unnest(v_lots, v_draws) AS t (id, draw) WHERE l.county_id = p_county AND l.id = t.id;
        UPDATE points.stock s SET quantity = s.quantity - g.quantity
        FROM unnest(v_hold.products, v_quantities) AS g (product, quantity)
        WHERE s.county_id = p_county AND s.shop_id = v_hold.shop_id AND s.product_id = g.product;
    END IF;
    v_free := points.spendable(p_county, v_hold.person_id, (p_item ->> 'at')::timestamptz);
    INSERT INTO points.redemption (county_id, id, batch, position, status, refusal, subject,
        request_hash, person_id, shop_id, hold_id, amount, balance_after, month, at, lots, draws,
        means, actor_id, authority, device, collector)
    VALUES (p_county, v_id, p_batch, p_place,
        CASE WHEN v_no.refusal IS NULL THEN 'accepted' ELSE 'refused' END, v_no.refusal,
        v_no.subject, p_hash, v_hold.person_id, (p_item ->> 'shop_id')::uuid, v_hold.id, v_amount,
        v_free, coalesce(v_hold.month, date_trunc('month', p_at AT TIME ZONE 'Asia/Shanghai')),
        (p_item ->> 'at')::timestamptz, CASE WHEN v_no.refusal IS NULL THEN v_lots ELSE '{}' END,
        CASE WHEN v_no.refusal IS NULL THEN v_draws ELSE '{}' END, coalesce(v_hold.means, 'card'),
        (p_item ->> 'actor_id')::uuid, p_item ->> 'authority', p_item ->> 'device',
        coalesce(p_item ->> 'collector', v_hold.collector, ''));
    IF v_no.refusal IS NULL THEN
        PERFORM points.finish_hold(p_county, p_batch, p_at, p_place, v_hold, v_quantities,
                                   v_amount, v_id);
    END IF;
    RETURN v_no.refusal;
END $$;

CREATE OR REPLACE FUNCTION points.finish_hold(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_hold points.hold,
    p_quantities int[], p_amount int8, p_redemption uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO points.redemption_line (county_id, id, redemption_id, line, product_id, quantity,
        price, cost_fen)
    SELECT p_county, points.transfer_id(p_at, p_batch, p_place, g.n::int), p_redemption, g.n,
        g.product, g.quantity, g.price, g.cost
    FROM unnest(p_hold.products, p_quantities, p_hold.prices, p_hold.costs) WITH ORDINALITY
        AS g (product, quantity, price, cost, n)
    WHERE g.quantity > 0;
    PERFORM points.pay_shop(p_county, p_batch, p_at, p_place, p_hold.person_id, p_hold.shop_id,
                            p_amount, p_redemption);
    IF p_amount < p_hold.amount THEN
        PERFORM points.settle_returned(p_county, p_batch, p_at, p_place, 2, p_hold.person_id,
                                       p_hold.lots);
    END IF;
END $$;

-- Unheld wallet points that have not ended at an instant.
CREATE OR REPLACE FUNCTION points.spendable(p_county int, p_person uuid, p_at timestamptz)
RETURNS int8 LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(remaining - held), 0)::int8 FROM points.lot
    WHERE county_id = p_county AND person_id = p_person AND live
      AND (expires_on IS NULL OR expires_on >= (p_at AT TIME ZONE 'Asia/Shanghai')::date
           OR points.appealing(p_county, p_person))
$$;

CREATE OR REPLACE FUNCTION points.post_void_hold(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_hold points.hold;
BEGIN
    SELECT * INTO v_hold FROM points.hold
    WHERE county_id = p_county AND id = (p_item ->> 'hold_id')::uuid AND status <> 'refused';
    IF v_hold.id IS NULL THEN
        RETURN 'hold_unknown';
    ELSIF v_hold.shop_id <> (p_item ->> 'shop_id')::uuid THEN
        RETURN 'shop_mismatch';
    ELSIF v_hold.status <> 'pending' THEN
        RETURN 'hold_resolved';
    END IF;
    PERFORM points.free_hold(p_county, v_hold.id, p_batch, 'voided', 0);
    PERFORM points.settle_returned(p_county, p_batch, p_at, p_place, 1, v_hold.person_id,
                                   v_hold.lots);
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_hold.id,
                        v_hold.person_id, v_hold.amount);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.post_expire_holds(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_hold points.hold;
    v_count int := 0;
    v_leg int := 1;
    v_amount int8 := 0;
BEGIN
    FOR v_hold IN SELECT * FROM points.hold
        WHERE county_id = p_county AND status = 'pending'
          AND expires_at <= (p_item ->> 'at')::timestamptz
        ORDER BY expires_at, id LIMIT (p_item ->> 'limit')::int
    LOOP
        PERFORM points.free_hold(p_county, v_hold.id, p_batch, 'expired', 0);
        v_leg := points.settle_returned(p_county, p_batch, p_at, p_place, v_leg,
                                        v_hold.person_id, v_hold.lots);
        v_count := v_count + 1;
        v_amount := v_amount + v_hold.amount;
    END LOOP;
    IF v_count > 0 THEN
        PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, NULL, NULL, v_amount,
                            p_quantity => v_count);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.post_undo(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    r points.redemption;
BEGIN
    SELECT * INTO r FROM points.redemption WHERE county_id = p_county
        AND id = (p_item ->> 'redemption_id')::uuid AND status = 'accepted';
    IF r.id IS NULL THEN
        RETURN 'redemption_unknown';
    ELSIF r.shop_id <> (p_item ->> 'shop_id')::uuid THEN
        RETURN 'shop_mismatch';
    ELSIF EXISTS (SELECT FROM points.posting
                  WHERE county_id = p_county AND target = r.id AND kind = 'undo') THEN
        RETURN 'already_undone';
    END IF;
    UPDATE points.stock s SET quantity = s.quantity + l.quantity
    FROM points.redemption_line l
    WHERE l.county_id = p_county AND l.redemption_id = r.id
      AND s.county_id = p_county AND s.shop_id = r.shop_id AND s.product_id = l.product_id;
    UPDATE points.lot l SET remaining = l.remaining + t.draw
    FROM unnest(r.lots, r.draws) AS t (id, draw) WHERE l.county_id = p_county AND l.id = t.id;
    PERFORM points.move(p_county, p_batch, p_at, p_place, 1, 'wallet', 'undo',
        points.account_id('shop', 'wallet', r.shop_id),
        points.account_id('worker', 'wallet', r.person_id), r.amount, r.id);
    UPDATE points.account SET balance = balance + r.amount
    WHERE county_id = p_county AND id = points.account_id('worker', 'wallet', r.person_id);
    PERFORM points.settle_returned(p_county, p_batch, p_at, p_place, 2, r.person_id, r.lots);
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, r.id, r.person_id,
                        r.amount);
    RETURN NULL;
END $$;

-- Takes the wallet part of a reversal back: what waits is cancelled, what its lots still have
-- returns to the fund, the rest is owed, unless it ended unspent and was written off: the person
-- has lost that once.
CREATE OR REPLACE FUNCTION points.take_back(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_award points.posting,
    p_amount int8, p_reversal uuid, OUT waiting int8, OUT taken int8, OUT owed int8)
LANGUAGE plpgsql AS $$
DECLARE
    v_lot record;
    v_leg int := 2;
    v_take int8;
BEGIN
    SELECT least(p_amount, a.remaining) INTO waiting FROM points.awaiting a
    WHERE a.county_id = p_county AND a.id = p_award.id;
    waiting := coalesce(waiting, 0);
    taken := 0;
    UPDATE points.awaiting a SET remaining = a.remaining - take_back.waiting
    WHERE a.county_id = p_county AND a.id = p_award.id AND take_back.waiting > 0;
    FOR v_lot IN SELECT l.id, l.fund_id, l.remaining - l.held AS free FROM points.lot l
                 WHERE l.county_id = p_county AND l.award_id = p_award.id AND l.remaining > l.held
                 ORDER BY l.id
    LOOP
        v_take := least(v_lot.free, p_amount - waiting - taken);
        EXIT WHEN v_take = 0;
        UPDATE points.lot SET remaining = remaining - v_take
        WHERE county_id = p_county AND id = v_lot.id;
        PERFORM points.move(p_county, p_batch, p_at, p_place, v_leg, 'wallet', 'reverse',
            points.account_id('worker', 'wallet', p_award.person_id),
            points.account_id('issuance', 'wallet', v_lot.fund_id), v_take, v_lot.id);
        taken := taken + v_take;
        v_leg := v_leg + 1;
    END LOOP;
    owed := p_amount - waiting - taken;
    IF owed > 0 THEN
        owed := greatest(0, owed - coalesce((
            SELECT sum(t.amount) FROM points.transfer t
            WHERE t.county_id = p_county AND t.code = 'expire'
              AND t.debit = points.account_id('worker', 'wallet', p_award.person_id)
              AND t.about IN (SELECT l.id FROM points.lot l WHERE l.county_id = p_county
                              AND l.award_id = p_award.id)), 0));
    END IF;
    IF owed > 0 THEN
        PERFORM points.open_accounts(p_county, 'offset', 'wallet', ARRAY[p_award.person_id]);
        PERFORM points.open_accounts(p_county, 'clawback', 'wallet', ARRAY[points.nobody()]);
        PERFORM points.move(p_county, p_batch, p_at, p_place, v_leg, 'wallet', 'offset',
            points.account_id('offset', 'wallet', p_award.person_id),
            points.account_id('clawback', 'wallet', points.nobody()), owed, p_reversal);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION points.post_reverse(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid := (p_item ->> 'id')::uuid;
    v_award points.posting;
    v_amount int8 := (p_item ->> 'amount')::int8;
    v_worker uuid;
    v_source uuid;
    v_merit int8;
    v_back record;
BEGIN
    SELECT * INTO v_award FROM points.posting
    WHERE county_id = p_county AND id = (p_item ->> 'award_id')::uuid
      AND kind IN ('award', 'opening', 'deduct');
    IF v_award.id IS NULL THEN
        RETURN 'award_unknown';
    ELSIF EXISTS (SELECT FROM points.posting
                  WHERE county_id = p_county AND target = v_award.id AND kind = 'reverse') THEN
        RETURN 'already_reversed';
    ELSIF v_amount > greatest(v_award.amount, v_award.wallet + v_award.waiting) THEN
        RETURN 'reverse_exceeds';
    END IF;
    v_merit := least(v_amount, v_award.amount);
    v_worker := points.account_id('worker', 'merit', v_award.person_id);
    v_source := points.account_id(CASE v_award.kind WHEN 'opening' THEN 'opening'
                                  ELSE 'issuance' END, 'merit', points.nobody());
    IF v_merit > 0 THEN
        PERFORM points.move(p_county, p_batch, p_at, p_place, 1, 'merit', 'reverse',
            CASE v_award.kind WHEN 'deduct' THEN v_source ELSE v_worker END,
            CASE v_award.kind WHEN 'deduct' THEN v_worker ELSE v_source END, v_merit, v_id);
    END IF;
    SELECT * INTO v_back FROM points.take_back(p_county, p_batch, p_at, p_place, v_award,
        least(v_amount, v_award.wallet + v_award.waiting), v_id);
    PERFORM points.apply_balances(p_county, points.transfer_id(p_at, p_batch, p_place, 0),
                                  points.transfer_id(p_at, p_batch, p_place, 1048575));
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_award.id,
        v_award.person_id, v_merit, v_back.taken, v_back.waiting, v_back.owed);
    RETURN NULL;
END $$;

-- Writes off lots past their last day; a lot with a live hold on it is not touched at all, nor is
-- one of a person whose objection or appeal is open. Those of one day go in any order: a county's
-- year ends on one, and to sort it by more than the index does is to look at all of it each time.
CREATE OR REPLACE FUNCTION points.post_expire_lots(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
    v_amount int8;
BEGIN
    PERFORM points.open_accounts(p_county, 'expired', 'wallet', ARRAY(
        SELECT id FROM points.fund WHERE county_id = p_county));
    WITH due AS MATERIALIZED (
        SELECT l.*, row_number() OVER () AS n FROM (
            SELECT id, person_id, fund_id, remaining FROM points.lot
            WHERE county_id = p_county AND live AND held = 0
              AND expires_on < (p_item ->> 'on')::date
              AND NOT points.appealing(p_county, person_id)
            ORDER BY expires_on LIMIT (p_item ->> 'limit')::int) AS l
    ), emptied AS (
        UPDATE points.lot l SET remaining = 0 FROM due
        WHERE l.county_id = p_county AND l.id = due.id
    ), moved AS (
        INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about,
            unit, code)
        SELECT p_county, p_batch, p_place, remaining,
            points.transfer_id(p_at, p_batch, p_place, n::int),
            points.account_id('worker', 'wallet', person_id),
            points.account_id('expired', 'wallet', fund_id), id, 'wallet', 'expire'
        FROM due
    )
    SELECT count(*)::int, coalesce(sum(remaining), 0)::int8 INTO v_count, v_amount FROM due;
    IF v_count > 0 THEN
        PERFORM points.apply_balances(p_county, points.transfer_id(p_at, p_batch, p_place, 0),
                                      points.transfer_id(p_at, p_batch, p_place, 1048575));
        PERFORM points.note(p_county, p_batch, p_at, p_place,
            p_item || jsonb_build_object('day', p_item -> 'on'), p_hash, NULL, NULL, v_amount,
            p_quantity => v_count);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.post_stock_move(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_shop uuid := (p_item ->> 'shop_id')::uuid;
    v_product uuid := (p_item ->> 'product_id')::uuid;
    v_quantity int := (p_item ->> 'quantity')::int;
    v_id uuid := (p_item ->> 'id')::uuid;
    v_stock points.stock;
    v_before int;
    v_delta int;
BEGIN
    SELECT * INTO v_stock FROM points.stock
    WHERE county_id = p_county AND shop_id = v_shop AND product_id = v_product;
    v_before := coalesce(v_stock.quantity, 0);
    v_delta := CASE p_item ->> 'move' WHEN 'in' THEN v_quantity WHEN 'out' THEN -v_quantity
               ELSE v_quantity - v_before END;
    IF v_before + v_delta < coalesce(v_stock.held, 0) THEN
        RETURN 'out_of_stock';
    END IF;
    INSERT INTO points.stock (county_id, id, shop_id, product_id, quantity, held)
    VALUES (p_county, v_id, v_shop, v_product, 0, 0)
    ON CONFLICT (county_id, shop_id, product_id) DO NOTHING;
    UPDATE points.stock SET quantity = quantity + v_delta
    WHERE county_id = p_county AND shop_id = v_shop AND product_id = v_product;
    INSERT INTO points.stock_move (county_id, id, batch, position, shop_id, product_id, kind,
        delta, quantity_after, at, reason, actor_id)
    VALUES (p_county, v_id, p_batch, p_place, v_shop, v_product, p_item ->> 'move', v_delta,
        v_before + v_delta, (p_item ->> 'at')::timestamptz, p_item ->> 'memo',
        (p_item ->> 'actor_id')::uuid);
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_product, NULL,
                        abs(v_delta), p_quantity => v_before + v_delta);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.post_open_fund(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid := (p_item ->> 'id')::uuid;
    v_adopted int;
BEGIN
    IF EXISTS (SELECT FROM points.fund
               WHERE county_id = p_county AND unit_code = p_item ->> 'unit_code') THEN
        RETURN 'fund_exists';
    END IF;
    INSERT INTO points.fund (county_id, id, unit_code, name, point_value_fen, budget_fen)
    VALUES (p_county, v_id, p_item ->> 'unit_code', p_item ->> 'name',
        (p_item ->> 'point_value_fen')::int, 0);
    PERFORM points.open_accounts(p_county, 'issuance', 'wallet', ARRAY[v_id]);
    UPDATE points.awaiting SET fund_id = v_id
    WHERE county_id = p_county AND fund_id IS NULL AND remaining > 0
      AND unit_code IN (SELECT jsonb_array_elements_text(p_item -> 'covers'));
    GET DIAGNOSTICS v_adopted = ROW_COUNT;
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_id, NULL, 0,
                        p_quantity => v_adopted, p_memo => concat_ws(' ', p_item ->> 'name',
                            p_item ->> 'unit_code', p_item ->> 'point_value_fen'));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.post_add_resolution(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_fund uuid := (p_item ->> 'fund_id')::uuid;
    v_fen int8 := (p_item ->> 'amount_fen')::int8;
    v_out record;
BEGIN
    UPDATE points.fund SET budget_fen = budget_fen + v_fen
    WHERE county_id = p_county AND id = v_fund
      AND NOT EXISTS (SELECT FROM points.resolution WHERE county_id = p_county
                      AND fund_id = v_fund AND number = p_item ->> 'number');
    IF NOT FOUND THEN
        RETURN CASE WHEN EXISTS (SELECT FROM points.fund WHERE county_id = p_county AND id = v_fund)
               THEN 'resolution_exists' ELSE 'fund_unknown' END;
    END IF;
    INSERT INTO points.resolution (county_id, id, fund_id, number, resolved_on, amount_fen)
    VALUES (p_county, (p_item ->> 'id')::uuid, v_fund, p_item ->> 'number',
        (p_item ->> 'resolved_on')::date, v_fen);
    SELECT * INTO v_out FROM points.release_awaiting(p_county, p_batch, p_at, p_place, v_fund, 5000,
        (p_item ->> 'day')::date, (p_item ->> 'expires_on')::date);
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_fund, NULL,
        v_out.amount, p_quantity => v_out.awards,
        p_memo => concat_ws(' ', p_item ->> 'number', v_fen, p_item ->> 'resolved_on'));
    RETURN NULL;
END $$;

-- The counter-entry to a mistyped resolution: another row, which names it and holds the difference,
-- so that the budget stays the sum of the rows. It falls no lower than what is issued (I5).
CREATE OR REPLACE FUNCTION points.post_correct_resolution(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_was int8 := (p_item ->> 'was_fen')::int8;
    v_fen int8 := (p_item ->> 'amount_fen')::int8 - v_was;
    v_wrong points.resolution;
    v_out record;
BEGIN
    SELECT * INTO v_wrong FROM points.resolution
    WHERE county_id = p_county AND id = (p_item ->> 'resolution_id')::uuid AND corrects IS NULL;
    IF NOT FOUND THEN
        RETURN 'resolution_unknown';
    END IF;
    IF v_was <> (SELECT sum(amount_fen) FROM points.resolution
                 WHERE county_id = p_county AND fund_id = v_wrong.fund_id
                   AND (id = v_wrong.id OR corrects = v_wrong.id)) THEN
        RETURN 'resolution_changed';
    END IF;
    UPDATE points.fund f SET budget_fen = f.budget_fen + v_fen
    WHERE f.county_id = p_county AND f.id = v_wrong.fund_id
      AND (f.budget_fen + v_fen) * 10 + f.point_value_fen * (
          SELECT coalesce(sum(a.balance), 0) FROM points.account a
          WHERE a.county_id = p_county AND a.owner = f.id AND a.unit = 'wallet'
            AND a.kind IN ('issuance', 'expired')) >= 0;
    IF NOT FOUND THEN
        RETURN 'budget_issued';
    END IF;
    INSERT INTO points.resolution (county_id, id, fund_id, number, resolved_on, amount_fen,
        corrects)
    VALUES (p_county, (p_item ->> 'id')::uuid, v_wrong.fund_id, v_wrong.number,
        (p_item ->> 'day')::date, v_fen, v_wrong.id);
    SELECT * INTO v_out FROM points.release_awaiting(p_county, p_batch, p_at, p_place,
        v_wrong.fund_id, 5000, (p_item ->> 'day')::date, (p_item ->> 'expires_on')::date);
    PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_wrong.fund_id, NULL,
        v_out.amount, p_quantity => v_out.awards,
        p_memo => concat_ws(' ', v_wrong.number, v_fen, p_item ->> 'day', v_wrong.id));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.post_release_awaiting(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_fund uuid := (p_item ->> 'fund_id')::uuid;
    v_out record;
BEGIN
    IF NOT EXISTS (SELECT FROM points.fund WHERE county_id = p_county AND id = v_fund) THEN
        RETURN 'fund_unknown';
    END IF;
    SELECT * INTO v_out FROM points.release_awaiting(p_county, p_batch, p_at, p_place, v_fund,
        (p_item ->> 'limit')::int, (p_item ->> 'day')::date, (p_item ->> 'expires_on')::date);
    IF v_out.awards > 0 THEN
        PERFORM points.note(p_county, p_batch, p_at, p_place, p_item, p_hash, v_fund, NULL,
                            v_out.amount, p_quantity => v_out.awards);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points.micros(p_at timestamptz) RETURNS int8
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (extract(epoch FROM p_at) * 1000000)::int8
$$;

-- Canonical text of a row, what the chain seals. Instants are microseconds, days are ISO.
CREATE OR REPLACE FUNCTION points.canon(t points.transfer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT json_build_array('transfer', t.id, t.batch, t.position, t.unit, t.code, t.debit,
        t.credit, t.amount, t.about)::text
$$;

CREATE OR REPLACE FUNCTION points.canon(p points.posting) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT json_build_array('posting', p.id, p.kind, p.code, p.target, p.person_id, p.day,
        points.micros(p.at), p.amount, p.wallet, p.waiting, p.settled, p.quantity,
        encode(p.request_hash, 'hex'), p.actor_id, p.authority, p.memo)::text
$$;

-- The lines are handed in: a function that looks them up would not be inlined.
CREATE OR REPLACE FUNCTION points.canon(r points.redemption, p_lines json) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT json_build_array('redemption', r.id, r.status, r.refusal, r.subject,
        encode(r.request_hash, 'hex'), r.person_id, r.shop_id, r.hold_id, r.amount,
        r.balance_after, r.month, points.micros(r.at), r.lots, r.draws, r.means, r.actor_id,
        r.authority, r.device, r.collector, p_lines)::text
$$;

-- A hold as it was made; how it ended shows in the redemption or posting that ended it.
CREATE OR REPLACE FUNCTION points.canon(h points.hold) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT json_build_array('hold', h.id, h.refusal, h.subject, encode(h.request_hash, 'hex'),
        h.person_id, h.shop_id, h.amount, h.balance_after, h.month, points.micros(h.at),
        points.micros(h.expires_at), h.lots, h.draws, h.products, h.quantities, h.prices, h.costs,
        h.means, h.actor_id, h.authority, h.device, h.collector)::text
$$;

CREATE OR REPLACE FUNCTION points.canon(s points.stock_move) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT json_build_array('stock_move', s.id, s.shop_id, s.product_id, s.kind, s.delta,
        s.quantity_after, points.micros(s.at), s.reason, s.actor_id)::text
$$;

-- Every sealed row of some batches with its leaf, in the order of the chain. Transfers are found
-- by their ids, so that a row that claims another batch than its id does not hide.
CREATE OR REPLACE FUNCTION points.leaves(
    p_county int, p_first int, p_last int, p_low uuid, p_high uuid)
RETURNS TABLE (batch int, "position" int, part int, id uuid, leaf bytea)
LANGUAGE sql STABLE AS $$
    SELECT p.batch, p.position, 1, p.id, sha256(convert_to(points.canon(p), 'UTF8'))
    FROM points.posting p WHERE p.county_id = p_county AND p.batch BETWEEN p_first AND p_last
    UNION ALL
    SELECT r.batch, r.position, 2, r.id, sha256(convert_to(points.canon(r, g.lines), 'UTF8'))
    FROM points.redemption r
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_array(l.id, l.line, l.product_id, l.quantity, l.price,
                                         l.cost_fen) ORDER BY l.line) AS lines
        FROM points.redemption_line l
        WHERE l.county_id = p_county AND l.redemption_id = r.id) AS g
    WHERE r.county_id = p_county AND r.batch BETWEEN p_first AND p_last
    UNION ALL
    SELECT h.batch, h.position, 3, h.id, sha256(convert_to(points.canon(h), 'UTF8'))
    FROM points.hold h WHERE h.county_id = p_county AND h.batch BETWEEN p_first AND p_last
    UNION ALL
    SELECT s.batch, s.position, 4, s.id, sha256(convert_to(points.canon(s), 'UTF8'))
    FROM points.stock_move s WHERE s.county_id = p_county AND s.batch BETWEEN p_first AND p_last
    UNION ALL
    SELECT t.batch, t.position, 5, t.id, sha256(convert_to(points.canon(t), 'UTF8'))
    FROM points.transfer t WHERE t.county_id = p_county AND t.id BETWEEN p_low AND p_high
$$;

CREATE OR REPLACE FUNCTION points.sealed(
    p_county int, p_first int, p_last int, p_low uuid, p_high uuid)
RETURNS TABLE (number int, items int, rows int, leaves bytea, content bytea)
LANGUAGE sql STABLE AS $$
    SELECT l.batch, count(DISTINCT l.position)::int, count(*)::int,
        string_agg(substr(l.leaf, 1, 8), ''::bytea ORDER BY l.position, l.part, l.id),
        sha256(string_agg(l.leaf, ''::bytea ORDER BY l.position, l.part, l.id))
    FROM points.leaves(p_county, p_first, p_last, p_low, p_high) AS l
    GROUP BY l.batch
$$;

CREATE OR REPLACE FUNCTION points.chain_hash(
    p_previous bytea, p_county int, p_number int, p_at timestamptz, p_items int, p_rows int,
    p_content bytea) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(p_previous || convert_to(json_build_array(p_county, p_number,
        points.micros(p_at), p_items, p_rows)::text, 'UTF8') || p_content)
$$;

-- Which table keeps an item's id: r redemption, h hold, p posting.
CREATE OR REPLACE FUNCTION points.family(p_kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE p_kind WHEN 'redeem' THEN 'r' WHEN 'post_hold' THEN 'r' WHEN 'hold' THEN 'h'
        ELSE 'p' END
$$;

-- Duplicates inside the batch and ids known before: 'repeated', 'id_reused', '#n' for the same as
-- place n of this batch, or null for what is to be decided.
CREATE OR REPLACE FUNCTION points.known_ids(p_county int, p_items jsonb[], p_hashes bytea[])
RETURNS TABLE (place int, kind text, code text) LANGUAGE sql STABLE AS $$
    SELECT i.place, i.kind, CASE
        WHEN i.known = i.hash THEN 'repeated'
        WHEN i.known IS NOT NULL THEN 'id_reused'
        WHEN i.first < i.place AND i.first_hash = i.hash THEN '#' || i.first
        WHEN i.first < i.place THEN 'id_reused' END
    FROM (
        SELECT u.place, u.kind, u.hash, first_value(u.place) OVER same AS first,
            first_value(u.hash) OVER same AS first_hash, k.known
        FROM (
            SELECT t.n::int AS place, t.hash, t.j ->> 'kind' AS kind, (t.j ->> 'id')::uuid AS id,
                points.family(t.j ->> 'kind') AS family
            FROM unnest(p_items, p_hashes) WITH ORDINALITY AS t (j, hash, n)) AS u
        LEFT JOIN LATERAL (
            SELECT r.request_hash AS known FROM points.redemption r
            WHERE u.family = 'r' AND r.county_id = p_county AND r.id = u.id
            UNION ALL
            SELECT h.request_hash FROM points.hold h
            WHERE u.family = 'h' AND h.county_id = p_county AND h.id = u.id
            UNION ALL
            SELECT p.request_hash FROM points.posting p
            WHERE u.family = 'p' AND p.county_id = p_county AND p.id = u.id
            LIMIT 1) AS k ON true
        WINDOW same AS (PARTITION BY u.family, u.id ORDER BY u.place)) AS i
$$;

-- What is to be decided of a batch, cut into runs that are decided in one go: neighbours of a kind
-- that has a set-wise way, and single items.
CREATE OR REPLACE FUNCTION points.runs(p_kinds text[], p_codes text[])
RETURNS TABLE (way text, places int[]) LANGUAGE sql STABLE AS $$
    SELECT r.way, array_agg(r.place ORDER BY r.place)
    FROM (
        SELECT w.place, w.way, CASE w.way WHEN 'single' THEN w.place
            ELSE row_number() OVER (ORDER BY w.place)
                - row_number() OVER (PARTITION BY w.way ORDER BY w.place) END AS run
        FROM (
            SELECT n::int AS place, CASE WHEN kind IN ('award', 'opening', 'deduct') THEN 'award'
                WHEN kind = 'redeem' THEN 'redeem' ELSE 'single' END AS way
            FROM unnest(p_kinds, p_codes) WITH ORDINALITY AS t (kind, code, n)
            WHERE code IS NULL) AS w) AS r
    GROUP BY r.way, r.run ORDER BY min(r.place)
$$;

-- The outcome rows, read from what is stored, so that a repeat cannot differ. LIMIT keeps every
-- look-up an index look-up, whatever the planner thinks of arrays. Codes as ``known_ids`` and
-- decisions give them.
CREATE OR REPLACE FUNCTION points.answers(p_county int, p_items jsonb[], p_codes text[])
RETURNS TABLE (place int, id uuid, code text, repeated boolean, batch int, "position" int,
    person_id uuid, amount int8, wallet int8, waiting int8, settled int8, balance int8,
    quantity int, subject uuid)
LANGUAGE sql STABLE AS $$
    SELECT i.place::int, i.id,
        CASE WHEN i.code = 'repeated' THEN coalesce(o.refusal, 'accepted') ELSE i.code END,
        i.again, o.batch, o.position, o.person_id, coalesce(o.amount, 0),
        coalesce(o.wallet, 0), coalesce(o.waiting, 0), coalesce(o.settled, 0), o.balance,
        coalesce(o.quantity, 0), o.subject
    FROM (
        SELECT n AS place, (j ->> 'id')::uuid AS id, points.family(j ->> 'kind') AS family,
            CASE WHEN c LIKE '#%' THEN p_codes[substr(c, 2)::int] ELSE c END AS code,
            c = 'repeated' OR c LIKE '#%' AS again
        FROM unnest(p_items, p_codes) WITH ORDINALITY AS t (j, c, n)) AS i
    LEFT JOIN LATERAL (
        SELECT NULL AS refusal, NULL::uuid AS subject, p.batch, p.position, p.person_id, p.amount,
            p.wallet, p.waiting, p.settled, NULL::int8 AS balance, p.quantity
        FROM points.posting p
        WHERE i.family = 'p' AND p.county_id = p_county AND p.id = i.id
        UNION ALL
        SELECT r.refusal, r.subject, r.batch, r.position, r.person_id, r.amount, 0, 0, 0,
            r.balance_after, 0
        FROM points.redemption r
        WHERE i.family = 'r' AND r.county_id = p_county AND r.id = i.id
        UNION ALL
        SELECT h.refusal, h.subject, h.batch, h.position, h.person_id, h.amount, 0, 0, 0,
            h.balance_after, 0
        FROM points.hold h
        WHERE i.family = 'h' AND h.county_id = p_county AND h.id = i.id
        LIMIT 1) AS o ON i.code <> 'id_reused'
    ORDER BY i.place
$$;

CREATE OR REPLACE FUNCTION points.post_item(
    p_county int, p_batch int, p_at timestamptz, p_place int, p_item jsonb, p_hash bytea)
RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(CASE p_item ->> 'kind'
        WHEN 'hold' THEN
            points.post_new_hold(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'post_hold' THEN
            points.post_post_hold(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'void_hold' THEN
            points.post_void_hold(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'expire_holds' THEN
            points.post_expire_holds(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'undo' THEN
            points.post_undo(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'reverse' THEN
            points.post_reverse(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'expire_lots' THEN
            points.post_expire_lots(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'stock_move' THEN
            points.post_stock_move(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'open_fund' THEN
            points.post_open_fund(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'add_resolution' THEN
            points.post_add_resolution(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'correct_resolution' THEN
            points.post_correct_resolution(p_county, p_batch, p_at, p_place, p_item, p_hash)
        WHEN 'release_awaiting' THEN
            points.post_release_awaiting(p_county, p_batch, p_at, p_place, p_item, p_hash)
        ELSE 'unknown_kind' END, 'accepted');
END $$;

-- The door. One call carries one county; p_items and p_hashes are parallel. No EXCEPTION block and
-- no savepoint anywhere below: an error fails the whole batch.
--
-- Locks: the chain lets a county have one writer at a time anyway, since a block needs the hash of
-- the one before it. So the county's lock is taken first, before anything is read: whoever holds it
-- sees every earlier batch (each statement below has a fresh snapshot), no balance, lot, stock or
-- code can change under the decision, and two batches cannot wait for each other's rows. It is an
-- advisory lock because a head row would be rewritten, and bloat, with every batch. UPDATEs stay
-- relative and CHECKs stay in force, so that even without it no balance could pass its limit; the
-- batch's primary key would refuse the second of two equal numbers.
--
-- Plans are generic: a redemption's statements cost more to plan than to run. A session may have
-- made its plans when the county was new and its tables empty; so none of them may read a table
-- whole, or each redemption would cost as much as all before it until somebody analyses.
CREATE OR REPLACE FUNCTION points.post_batch(
    p_county int, p_items jsonb[], p_hashes bytea[], p_at timestamptz)
RETURNS TABLE (place int, id uuid, code text, repeated boolean, batch int, "position" int,
    person_id uuid, amount int8, wallet int8, waiting int8, settled int8, balance int8,
    quantity int, subject uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_memoize = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_size int := coalesce(cardinality(p_items), 0);
    -- A variable holds its array expanded, a parameter does not: indexing that walks it each time.
    v_items jsonb[] := p_items;
    v_hashes bytea[] := p_hashes;
    v_last bytea;
    v_number int;
    v_at timestamptz;
    v_run record;
    v_codes text[];
    v_kinds text[];
    v_plain boolean;
    v_new text[];
    v_first uuid;
    v_final uuid;
BEGIN
    IF v_size = 0 OR v_size > 5000 OR v_size <> cardinality(p_hashes) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a batch has 1 to 5000 items';
    END IF;
    PERFORM pg_advisory_xact_lock(1818584167, p_county);
    SELECT coalesce(b.number, 0) + 1, coalesce(b.hash, '\x'), greatest(p_at, b.at,
        (SELECT at FROM points.closing WHERE county_id = p_county ORDER BY month DESC LIMIT 1))
    INTO v_number, v_last, v_at
    FROM (SELECT) AS always
    LEFT JOIN LATERAL (SELECT number, hash, at FROM points.batch WHERE county_id = p_county
                       ORDER BY number DESC LIMIT 1) AS b ON true;
    SELECT array_agg(k.code ORDER BY k.place), array_agg(k.kind ORDER BY k.place),
        bool_and(k.code IS NULL AND k.kind = 'redeem')
    INTO v_codes, v_kinds, v_plain FROM points.known_ids(p_county, p_items, p_hashes) AS k;
    IF v_plain THEN
        v_codes := points.post_redeems(p_county, v_number, v_at,
            ARRAY(SELECT generate_series(1, v_size)), p_items, p_hashes);
    ELSE
        FOR v_run IN SELECT * FROM points.runs(v_kinds, v_codes) LOOP
            v_new := points.post_run(p_county, v_number, v_at, v_run.way, v_run.places,
                ARRAY(SELECT v_items[n] FROM unnest(v_run.places) AS n),
                ARRAY(SELECT v_hashes[n] FROM unnest(v_run.places) AS n));
            FOR i IN 1 .. cardinality(v_new) LOOP
                v_codes[v_run.places[i]] := v_new[i];
            END LOOP;
        END LOOP;
    END IF;
    v_first := points.transfer_id(v_at, v_number, 0, 0);
    v_final := points.transfer_id(v_at, v_number, 1048575, 1048575);
    -- Close the batch as the next block of the county's chain; nothing written, no block.
    INSERT INTO points.batch (county_id, number, at, items, rows, previous_hash, hash, leaves)
    SELECT p_county, v_number, v_at, s.items, s.rows, v_last,
        points.chain_hash(v_last, p_county, v_number, v_at, s.items, s.rows, s.content), s.leaves
    FROM points.sealed(p_county, v_number, v_number, v_first, v_final) AS s;
    RETURN QUERY SELECT * FROM points.answers(p_county, p_items, v_codes);
END $$;

CREATE OR REPLACE FUNCTION points.post_run(
    p_county int, p_batch int, p_at timestamptz, p_way text, p_places int[], p_items jsonb[],
    p_hashes bytea[]) RETURNS text[]
LANGUAGE plpgsql AS $$
BEGIN
    IF p_way = 'redeem' THEN
        RETURN points.post_redeems(p_county, p_batch, p_at, p_places, p_items, p_hashes);
    ELSIF p_way = 'single' THEN
        RETURN ARRAY[points.post_item(p_county, p_batch, p_at, p_places[1], p_items[1],
                                      p_hashes[1])];
    END IF;
    PERFORM points.post_awards(p_county, p_batch, p_at, p_places, p_items, p_hashes);
    RETURN array_fill('accepted'::text, ARRAY[cardinality(p_places)]);
END $$;

-- Spent and lapsed codes are kept for a while, so that a late repeat still says why, then purged.
CREATE OR REPLACE FUNCTION points.purge_codes(p_county int, p_before timestamptz, p_limit int)
RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH old AS (
        SELECT id FROM points.code WHERE county_id = p_county AND expires_at < p_before
        ORDER BY expires_at LIMIT p_limit
    ), gone AS (
        DELETE FROM points.code c USING old
        WHERE c.county_id = p_county AND c.id = old.id RETURNING 1
    )
    SELECT count(*)::int FROM gone
$$;
