-- Keys, checks and indexes of settlement (repeatable).
SELECT shared.harden('points');

SELECT shared.reference('points.statement', 'shop_id', 'points.shop');
SELECT shared.reference('points.statement', 'fund_id', 'points.fund');
SELECT shared.reference('points.statement_line', 'statement_id', 'points.statement');
SELECT shared.reference('points.statement_line', 'redemption_id', 'points.redemption');
SELECT shared.reference('points.statement_dispute', 'statement_id', 'points.statement');
SELECT shared.reference('points.statement_dispute', 'line_id', 'points.statement_line');
SELECT shared.reference('points.statement_signature', 'statement_id', 'points.statement');
SELECT shared.reference('points.publication', 'fund_id', 'points.fund');
SELECT shared.reference('points.correction', 'resolution_id', 'points.resolution');

SELECT shared.ensure('points.statement', 'statement_state', $$state IN ('built','frozen')
    AND (state = 'frozen') = (frozen_at IS NOT NULL)$$);
SELECT shared.ensure('points.statement', 'statement_month', $$month ~ '^\d{4}-(0[1-9]|1[0-2])$'$$);
SELECT shared.ensure('points.statement', 'statement_sums', $$payable_fen >= 0 AND carry_fen <= 0
    AND payable_fen + carry_fen = opening_fen + amount_fen - disputed_fen$$);
SELECT shared.ensure('points.statement_line', 'statement_line_kind', $$kind IN ('redeem','undo')
    AND CASE kind WHEN 'redeem' THEN points > 0 AND amount_fen >= 0
                  ELSE points < 0 AND amount_fen <= 0 END$$);
SELECT shared.ensure('points.statement_dispute', 'statement_dispute_state', $$
    state IN ('open','withdrawn','payable','refused')
    AND (state = 'open') = (decided_at IS NULL)
    AND part IN ('shop','accountant','supervisor','instructor','department')$$);
SELECT shared.ensure('points.statement_signature', 'statement_signature_part', $$
    part IN ('shop','accountant','supervisor') AND means IN ('phone','desk','paper')$$);
SELECT shared.ensure('points.publication', 'publication_month',
    $$month ~ '^\d{4}-(0[1-9]|1[0-2])$'$$);
SELECT shared.ensure('points.correction', 'correction_state', $$
    state IN ('proposed','approved','refused') AND (state = 'proposed') = (decided_at IS NULL)
    AND was_fen >= 0 AND amount_fen >= 0 AND amount_fen <> was_fen
    AND (decided_by IS NULL OR decided_by <> proposed_by)$$);

CREATE UNIQUE INDEX IF NOT EXISTS statement_unique ON points.statement
    (county_id, shop_id, fund_id, month);
CREATE INDEX IF NOT EXISTS statement_month ON points.statement (county_id, month, unit_code);
-- Everybody's 待办 asks for those that want a signature: few, whatever the years before.
CREATE INDEX IF NOT EXISTS statement_open ON points.statement (county_id) WHERE state = 'built';
-- Each redemption, and each undoing, stands in exactly one statement of a fund (I8).
CREATE UNIQUE INDEX IF NOT EXISTS statement_line_once ON points.statement_line
    (county_id, fund_id, redemption_id, kind);
CREATE UNIQUE INDEX IF NOT EXISTS statement_line_place ON points.statement_line
    (county_id, statement_id, position);
CREATE UNIQUE INDEX IF NOT EXISTS statement_dispute_open ON points.statement_dispute
    (county_id, line_id) WHERE state IN ('open', 'payable', 'refused');
CREATE INDEX IF NOT EXISTS statement_dispute_statement ON points.statement_dispute
    (county_id, statement_id);
CREATE UNIQUE INDEX IF NOT EXISTS statement_signature_once ON points.statement_signature
    (county_id, statement_id, part) WHERE voided_at IS NULL;
-- Three parts, three people.
CREATE UNIQUE INDEX IF NOT EXISTS statement_signature_person ON points.statement_signature
    (county_id, statement_id, person_id) WHERE voided_at IS NULL AND person_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS publication_unique ON points.publication
    (county_id, fund_id, month);
-- One at a time: what the second is to put right is not known before the first is decided.
CREATE UNIQUE INDEX IF NOT EXISTS correction_waiting ON points.correction
    (county_id, resolution_id) WHERE state = 'proposed';

-- A closed period never changes: lines are only added, and never to a frozen statement.
CREATE OR REPLACE FUNCTION points.statement_frozen() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_TABLE_NAME = 'statement' THEN
        IF OLD.state = 'frozen' OR TG_OP = 'DELETE' THEN
            RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'a frozen statement never changes';
        END IF;
    ELSIF TG_OP <> 'INSERT' OR EXISTS (SELECT FROM points.statement s
            WHERE s.county_id = NEW.county_id AND s.id = NEW.statement_id AND s.state = 'frozen')
    THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'lines of a statement never change';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE OR REPLACE TRIGGER statement_frozen BEFORE UPDATE OR DELETE ON points.statement
    FOR EACH ROW EXECUTE FUNCTION points.statement_frozen();
CREATE OR REPLACE TRIGGER statement_line_frozen BEFORE INSERT OR UPDATE OR DELETE
    ON points.statement_line FOR EACH ROW EXECUTE FUNCTION points.statement_frozen();
CREATE INDEX IF NOT EXISTS statement_line_redemption ON points.statement_line
    (county_id, redemption_id);
