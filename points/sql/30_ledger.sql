-- Keys, checks, indexes and alarms of the ledger (repeatable). The door itself: 31_post_batch.sql.
SELECT shared.harden('points');

SELECT shared.reference('points.resolution', 'fund_id', 'points.fund');
SELECT shared.reference('points.resolution', 'corrects', 'points.resolution');
SELECT shared.reference('points.lot', 'fund_id', 'points.fund');
SELECT shared.reference('points.awaiting', 'fund_id', 'points.fund');
-- A line is written by the statement that writes its redemption: a key would only cost.
ALTER TABLE points.redemption_line DROP CONSTRAINT IF EXISTS redemption_line_redemption_id_fkey;
SELECT shared.reference('points.redemption', 'hold_id', 'points.hold');

SELECT shared.ensure('points.account', 'account_kind', $$kind IN
    ('issuance','opening','worker','shop','expired','offset','clawback')$$);
SELECT shared.ensure('points.account', 'account_unit', $$unit IN ('merit','wallet')$$);
-- Limited accounts: a wallet never goes below zero; an offset is what a person owes.
SELECT shared.ensure('points.account', 'account_limit',
    $$(kind NOT IN ('worker','expired','clawback') OR unit = 'merit' OR balance >= 0)
      AND (kind <> 'offset' OR balance <= 0)
      AND (kind <> 'shop' OR balance = 0)$$);
SELECT shared.ensure('points.transfer', 'transfer_amount', $$amount > 0$$);
SELECT shared.ensure('points.transfer', 'transfer_sides', $$debit <> credit$$);
SELECT shared.ensure('points.transfer', 'transfer_unit', $$unit IN ('merit','wallet')$$);
SELECT shared.ensure('points.lot', 'lot_amounts',
    $$amount > 0 AND held >= 0 AND remaining >= held AND amount >= remaining$$);
SELECT shared.ensure('points.awaiting', 'awaiting_amounts',
    $$amount > 0 AND remaining >= 0 AND remaining <= amount$$);
SELECT shared.ensure('points.fund', 'fund_money', $$budget_fen >= 0 AND point_value_fen > 0$$);
-- A correction holds the difference to what its resolution stood at.
ALTER TABLE points.resolution DROP CONSTRAINT IF EXISTS resolution_amount;
SELECT shared.ensure('points.resolution', 'resolution_fen',
    $$CASE WHEN corrects IS NULL THEN amount_fen > 0 ELSE amount_fen <> 0 END$$);
SELECT shared.ensure('points.stock', 'stock_quantity', $$held >= 0 AND quantity >= held$$);
SELECT shared.ensure('points.stock_move', 'stock_move_kind',
    $$kind IN ('in','out','count') AND quantity_after >= 0$$);
SELECT shared.ensure('points.hold', 'hold_state',
    $$status IN ('pending','posted','voided','expired','refused')
      AND (status = 'refused') = (refusal IS NOT NULL)
      AND posted >= 0 AND posted <= amount AND (posted > 0) = (status = 'posted')
      AND (status IN ('pending','refused')) = (resolved_batch IS NULL)$$);
SELECT shared.ensure('points.redemption', 'redemption_state',
    $$status IN ('accepted','refused') AND (status = 'refused') = (refusal IS NOT NULL)
      AND (status = 'refused' OR (person_id IS NOT NULL AND amount > 0))$$);
SELECT shared.ensure('points.redemption', 'redemption_means',
    $$means IN ('token','digits','card','self')$$);
SELECT shared.ensure('points.redemption_line', 'line_amounts',
    $$quantity > 0 AND price > 0 AND price % 10 = 0 AND cost_fen >= 0$$);
ALTER TABLE points.posting DROP CONSTRAINT IF EXISTS posting_kind;
SELECT shared.ensure('points.posting', 'posting_kinds', $$kind IN ('award','opening','deduct',
    'reverse','void_hold','expire_holds','undo','expire_lots','stock_move','open_fund',
    'add_resolution','correct_resolution','release_awaiting')$$);

CREATE UNIQUE INDEX IF NOT EXISTS account_owner_unique ON points.account
    (county_id, owner, kind, unit);
-- Account indexes hold no id: equal keys are deduplicated to a few bytes a row, and one person's
-- transfers are few enough to sort.
CREATE INDEX IF NOT EXISTS transfer_debit ON points.transfer (county_id, debit);
CREATE INDEX IF NOT EXISTS transfer_credit ON points.transfer (county_id, credit);
CREATE UNIQUE INDEX IF NOT EXISTS posting_place_unique ON points.posting
    (county_id, batch, position);
-- An award is reversed once, a redemption undone once (I10).
CREATE UNIQUE INDEX IF NOT EXISTS posting_target_unique ON points.posting
    (county_id, kind, target) WHERE kind IN ('reverse', 'undo', 'void_hold');
CREATE INDEX IF NOT EXISTS posting_person ON points.posting (county_id, person_id, day);
CREATE INDEX IF NOT EXISTS posting_day ON points.posting (county_id, day);
-- Spending from a lot touches no index, unless it is the last of it: an index that named
-- ``remaining`` would get a new entry, and so would all others, with every redemption.
ALTER TABLE points.lot
    ADD COLUMN IF NOT EXISTS live boolean GENERATED ALWAYS AS (remaining > 0) STORED;
DROP INDEX IF EXISTS points.lot_person, points.lot_due, points.redemption_hold_unique;
CREATE INDEX IF NOT EXISTS lot_spent_first ON points.lot (county_id, person_id, expires_on, id)
    WHERE live;
CREATE INDEX IF NOT EXISTS lot_award ON points.lot (county_id, award_id);
CREATE INDEX IF NOT EXISTS lot_held ON points.lot (county_id, person_id) WHERE held > 0;
CREATE INDEX IF NOT EXISTS lot_ending ON points.lot (county_id, expires_on) WHERE live;
-- What a fund still owes is added up for its page, each statement and each public sheet.
CREATE INDEX IF NOT EXISTS lot_fund ON points.lot (county_id, fund_id) WHERE live;
CREATE INDEX IF NOT EXISTS awaiting_open ON points.awaiting (county_id, fund_id, batch, position)
    WHERE remaining > 0;
CREATE INDEX IF NOT EXISTS awaiting_person ON points.awaiting (county_id, person_id)
    WHERE remaining > 0;
CREATE UNIQUE INDEX IF NOT EXISTS fund_unit_unique ON points.fund (county_id, unit_code);
DROP INDEX IF EXISTS points.resolution_number_unique;
CREATE UNIQUE INDEX IF NOT EXISTS resolution_number_once ON points.resolution
    (county_id, fund_id, number) WHERE corrects IS NULL;
CREATE INDEX IF NOT EXISTS resolution_fund ON points.resolution (county_id, fund_id);
CREATE UNIQUE INDEX IF NOT EXISTS code_token_unique ON points.code (county_id, token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS code_digits_unique ON points.code (county_id, digits_hash);
CREATE INDEX IF NOT EXISTS code_person ON points.code (county_id, person_id);
CREATE INDEX IF NOT EXISTS code_expiry ON points.code (county_id, expires_at);
CREATE UNIQUE INDEX IF NOT EXISTS hold_place_unique ON points.hold (county_id, batch, position);
CREATE INDEX IF NOT EXISTS hold_pending ON points.hold (county_id, expires_at)
    WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS hold_person ON points.hold (county_id, person_id, month);
CREATE INDEX IF NOT EXISTS hold_shop ON points.hold (county_id, shop_id, at);
CREATE UNIQUE INDEX IF NOT EXISTS redemption_place_unique ON points.redemption
    (county_id, batch, position);
CREATE UNIQUE INDEX IF NOT EXISTS redemption_hold_once ON points.redemption
    (county_id, hold_id) WHERE status = 'accepted' AND hold_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS redemption_person ON points.redemption (county_id, person_id, month);
CREATE INDEX IF NOT EXISTS redemption_shop ON points.redemption (county_id, shop_id, at);
CREATE UNIQUE INDEX IF NOT EXISTS redemption_line_unique ON points.redemption_line
    (county_id, redemption_id, line);
CREATE UNIQUE INDEX IF NOT EXISTS stock_unique ON points.stock (county_id, shop_id, product_id);
CREATE UNIQUE INDEX IF NOT EXISTS stock_move_place_unique ON points.stock_move
    (county_id, batch, position);
CREATE INDEX IF NOT EXISTS stock_move_stock ON points.stock_move (county_id, shop_id, product_id);

-- Append-only (I13): nobody has the privilege; should an owner try, the alarm rings.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['transfer', 'posting', 'redemption', 'redemption_line', 'batch',
                                   'stock_move', 'resolution', 'closing', 'closing_balance'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE'
            ' ON points.%1$I FOR EACH ROW EXECUTE FUNCTION shared.refuse_change()', v_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER %1$s_no_truncate BEFORE TRUNCATE'
            ' ON points.%1$I FOR EACH STATEMENT EXECUTE FUNCTION shared.refuse_change()', v_table);
    END LOOP;
END $$;

-- Which fund pays for how much of a redemption: it follows the lots that were drawn. They are taken
-- out of the row before lots are joined: a LATERAL between lets the planner look through all lots
-- of the county for each redemption, as it does where nobody has analysed yet.
CREATE OR REPLACE VIEW points.redemption_charge AS
SELECT d.county_id, d.redemption_id, l.fund_id, sum(d.draw)::int8 AS amount
FROM (
    SELECT r.county_id, r.id AS redemption_id, unnest(r.lots) AS lot_id, unnest(r.draws) AS draw
    FROM points.redemption r WHERE r.status = 'accepted') AS d
JOIN points.lot l ON l.county_id = d.county_id AND l.id = d.lot_id
GROUP BY d.county_id, d.redemption_id, l.fund_id;

-- The number of the last batch before an instant, 0 when none is: numbers have no gap and no batch
-- is older than the one before it, so twenty looks find it among a million. An index by time would
-- be written with every batch.
CREATE OR REPLACE FUNCTION points.batch_before(p_county int, p_at timestamptz) RETURNS int
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    v_low int := 0;
    v_high int := 1 + coalesce((SELECT number FROM points.batch WHERE county_id = p_county
                                ORDER BY number DESC LIMIT 1), 0);
    v_middle int;
BEGIN
    WHILE v_high - v_low > 1 LOOP
        v_middle := (v_low + v_high) / 2;
        IF (SELECT at FROM points.batch WHERE county_id = p_county AND number = v_middle) < p_at
        THEN
            v_low := v_middle;
        ELSE
            v_high := v_middle;
        END IF;
    END LOOP;
    RETURN v_low;
END $$;
