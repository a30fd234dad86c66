-- Keys, checks and indexes of the mall (repeatable).
SELECT shared.harden('points');

SELECT shared.reference('points.shop', 'unit_id', 'shared.unit');
SELECT shared.reference('points.agreement', 'shop_id', 'points.shop');
SELECT shared.reference('points.price', 'product_id', 'points.product');
SELECT shared.reference('points.price', 'shop_id', 'points.shop');

SELECT shared.ensure('points.shop', 'shop_state', $$state IN ('open','closed')$$);
SELECT shared.ensure('points.agreement', 'agreement_period', $$last_day >= first_day$$);
SELECT shared.ensure('points.product', 'product_category', $$category IN ('grain','seasoning',
    'washing','paper','stationery','kitchen','appliance','clothing','farm','daily')$$);
SELECT shared.ensure('points.product', 'product_state', $$state IN ('listed','withdrawn')$$);
SELECT shared.ensure('points.product', 'product_monthly_limit',
    $$monthly_limit IS NULL OR monthly_limit > 0$$);
SELECT shared.ensure('points.product', 'product_low_mark', $$low_mark >= 0$$);
SELECT shared.ensure('points.product', 'product_market', $$market_fen IS NULL OR market_fen > 0$$);
-- Whole points: the amount is in 0.1 points.
SELECT shared.ensure('points.price', 'price_points', $$points > 0 AND points % 10 = 0$$);
SELECT shared.ensure('points.price', 'price_purchase', $$purchase_fen >= 0$$);
SELECT shared.ensure('points.price', 'price_state',
    $$state IN ('proposed','approved','refused')$$);
SELECT shared.ensure('points.price', 'price_decided',
    $$(state = 'proposed') = (decided_at IS NULL)$$);

CREATE UNIQUE INDEX IF NOT EXISTS shop_name_unique ON points.shop (county_id, name COLLATE "C");
CREATE INDEX IF NOT EXISTS shop_unit ON points.shop (county_id, unit_id);
CREATE INDEX IF NOT EXISTS agreement_shop ON points.agreement (county_id, shop_id, first_day);
CREATE UNIQUE INDEX IF NOT EXISTS product_name_unique ON points.product
    (county_id, name COLLATE "C", measure COLLATE "C");
CREATE UNIQUE INDEX IF NOT EXISTS price_in_force_unique ON points.price
    (county_id, product_id, COALESCE(shop_id, '00000000-0000-0000-0000-000000000000'), first_day)
    WHERE state = 'approved';
CREATE INDEX IF NOT EXISTS price_waiting ON points.price (county_id, proposed_at)
    WHERE state = 'proposed';
