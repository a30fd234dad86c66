-- Keys, checks and indexes of the counter (repeatable).
SELECT shared.harden('points');

SELECT shared.reference('points.card', 'person_id', 'shared.person');
SELECT shared.reference('points.pickup', 'person_id', 'shared.person');
SELECT shared.reference('points.pickup', 'shop_id', 'points.shop');

SELECT shared.ensure('points.card', 'card_number', $$number ~ '^9[0-9]{7}$'$$);
SELECT shared.ensure('points.pickup', 'pickup_texts',
    $$length(collector) <= 20 AND length(deliver_to) <= 100$$);

CREATE UNIQUE INDEX IF NOT EXISTS card_number_unique ON points.card
    (county_id, number COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS card_token_unique ON points.card (county_id, token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS card_person_unique ON points.card (county_id, person_id)
    WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS pickup_token_unique ON points.pickup (county_id, token_hash);
CREATE INDEX IF NOT EXISTS pickup_digits ON points.pickup (county_id, digits_hash);
CREATE INDEX IF NOT EXISTS pickup_person ON points.pickup (county_id, person_id, id);
CREATE INDEX IF NOT EXISTS pickup_shop ON points.pickup (county_id, shop_id, id);
