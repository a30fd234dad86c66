"""One query per invariant: each answers the first row that breaks it.

``$1`` is the county. A query answers ``thing`` (which table's row), ``id`` and ``detail`` in words;
no row means that the invariant holds.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shared.database import DB


class Broken(msgspec.Struct, frozen=True):
    """The first row that breaks an invariant."""

    thing: str
    id: str
    detail: str


class BatchRow(msgspec.Struct, frozen=True):
    """A block, as much of it as walking the chain needs."""

    number: int
    rows: int
    linked: bool
    """Its previous_hash is the hash of the block before."""


class LeafRow(msgspec.Struct, frozen=True):
    """A sealed row and the first eight bytes of its hash."""

    thing: str
    id: UUID
    leaf: bytes


class Tampered(msgspec.Struct, frozen=True):
    """A block whose rows no longer give its hash."""

    number: int
    leaves: bytes


# Flows of every lot, from the append-only rows alone: what left it and is not back.
LOT_FLOWS = """
WITH spent AS (
    SELECT d.lot, sum(d.draw) AS amount
    FROM points.redemption r CROSS JOIN LATERAL unnest(r.lots, r.draws) AS d (lot, draw)
    WHERE r.county_id = $1 AND r.status = 'accepted'
      AND NOT EXISTS (SELECT FROM points.posting u WHERE u.county_id = $1 AND u.kind = 'undo'
                      AND u.target = r.id)
    GROUP BY d.lot
), flowed AS (
    SELECT t.about AS lot, sum(t.amount) FILTER (WHERE d.kind = 'issuance') AS came,
        sum(t.amount) FILTER (WHERE d.kind = 'worker' AND c.kind IN ('issuance', 'expired')) AS went
    FROM points.transfer t
    JOIN points.account d ON d.county_id = $1 AND d.id = t.debit
    JOIN points.account c ON c.county_id = $1 AND c.id = t.credit
    WHERE t.county_id = $1 AND t.unit = 'wallet' AND t.code NOT IN ('redeem', 'undo')
    GROUP BY t.about
)
"""

# What the village of a record ``w`` under a rule ``r`` pays by a variant of its own on that day.
VARIANT = """
LEFT JOIN LATERAL (
    SELECT i.points, i.cap_day, i.cap_month FROM (
        SELECT * FROM points.rule_variant i WHERE i.county_id = $1
          AND i.village_code COLLATE "C" = left(w.grid_code, 12) AND i.code = w.rule_code
          AND i.state = 'approved' AND i.effective_from <= w.work_date
        ORDER BY i.effective_from DESC LIMIT 1) AS i
    WHERE i.points BETWEEN (r.body ->> 'village_least')::int8
        AND (r.body ->> 'village_most')::int8) AS v ON true
"""

CHECKS: dict[str, str] = {
    "I1 两边与单位": """
        SELECT 'transfer' AS thing, t.id::text, '借贷账户缺失、相同或单位不一' AS detail
        FROM points.transfer t
        LEFT JOIN points.account d ON d.county_id = $1 AND d.id = t.debit
        LEFT JOIN points.account c ON c.county_id = $1 AND c.id = t.credit
        WHERE t.county_id = $1 AND (t.amount <= 0 OR t.debit = t.credit
            OR d.unit IS DISTINCT FROM t.unit OR c.unit IS DISTINCT FROM t.unit)
        ORDER BY t.id LIMIT 1""",
    "I1 总和为零": """
        SELECT 'account' AS thing, unit AS id, '各账户余额合计 ' || sum(balance) AS detail
        FROM (
            SELECT unit, balance FROM points.account WHERE county_id = $1
            UNION ALL
            SELECT t.unit, CASE WHEN a.id = t.credit THEN t.amount ELSE -t.amount END
            FROM points.account a
            JOIN points.transfer t ON t.county_id = $1 AND (t.credit = a.id OR t.debit = a.id)
            WHERE a.county_id = $1 AND a.kind = 'shop') AS held
        GROUP BY unit HAVING sum(balance) <> 0 LIMIT 1""",
    "I2 账户与主人": """
        SELECT 'account' AS thing, id::text, kind || '／' || unit || '，不是 ' || owner || ' 的'
            AS detail
        FROM points.account
        WHERE county_id = $1 AND id <> points.account_id(kind, unit, owner)
        ORDER BY id LIMIT 1""",
    "I2 余额等于转账": """
        SELECT 'account' AS thing, a.id::text,
            '余额 ' || a.balance || '，转账合计 ' || coalesce(m.moved, 0) AS detail
        FROM points.account a
        LEFT JOIN (
            SELECT account, sum(amount) AS moved FROM (
                SELECT debit AS account, -amount AS amount FROM points.transfer
                WHERE county_id = $1
                UNION ALL
                SELECT credit, amount FROM points.transfer WHERE county_id = $1) AS leg
            GROUP BY account) AS m ON m.account = a.id
        WHERE a.county_id = $1 AND a.kind <> 'shop' AND a.balance <> coalesce(m.moved, 0)
        ORDER BY a.id LIMIT 1""",
    "I2 月结余额": """
        WITH ends AS (
            SELECT array_agg(month ORDER BY month) AS months,
                array_agg(points.transfer_id(at, 0, 0, 0) ORDER BY month) AS bounds
            FROM points.closing WHERE county_id = $1
        ), moved AS (
            SELECT account, months[1 + width_bucket(id, bounds)] AS month, sum(amount) AS delta
            FROM (
                SELECT id, debit AS account, -amount AS amount FROM points.transfer
                WHERE county_id = $1
                UNION ALL
                SELECT id, credit, amount FROM points.transfer WHERE county_id = $1) AS leg, ends
            GROUP BY account, 2
        ), line AS (
            SELECT account, month, sum(delta) OVER (PARTITION BY account ORDER BY month) AS balance
            FROM moved WHERE month IS NOT NULL
        )
        SELECT 'closing_balance' AS thing, account::text AS id, month || ' 月结 '
            || coalesce(c.balance::text, '缺失') || '，转账合计 ' || coalesce(line.balance, 0)
            AS detail
        FROM line FULL JOIN (
            SELECT account, month, balance FROM points.closing_balance WHERE county_id = $1) AS c
            USING (account, month)
        WHERE c.balance IS DISTINCT FROM line.balance ORDER BY month, account LIMIT 1""",
    "I2 月结的时间与户数": """
        SELECT 'closing' AS thing, c.month::text AS id, c.accounts || ' 户，实有 '
            || coalesce(b.accounts, 0) || ' 户，结到 ' || c.at AS detail
        FROM points.closing c
        LEFT JOIN (SELECT month, count(*) AS accounts FROM points.closing_balance
                   WHERE county_id = $1 GROUP BY month) AS b USING (month)
        WHERE c.county_id = $1 AND (c.accounts <> coalesce(b.accounts, 0)
            OR c.at <> (make_date(c.month / 100, c.month % 100, 1) + interval '1 month')
                AT TIME ZONE 'Asia/Shanghai')
        ORDER BY c.month LIMIT 1""",
    "I3 任何时刻不过限": """
        SELECT 'transfer' AS thing, id::text, '账户 ' || account || ' 到此为 ' || running AS detail
        FROM (
            SELECT l.id, l.account, a.kind,
                sum(l.amount) OVER (PARTITION BY l.account ORDER BY l.id) AS running
            FROM (
                SELECT id, debit AS account, -amount AS amount FROM points.transfer
                WHERE county_id = $1 AND unit = 'wallet'
                UNION ALL
                SELECT id, credit, amount FROM points.transfer
                WHERE county_id = $1 AND unit = 'wallet') AS l
            JOIN points.account a ON a.county_id = $1 AND a.id = l.account
            WHERE a.kind <> 'issuance') AS line
        WHERE CASE kind WHEN 'offset' THEN running > 0 ELSE running < 0 END
        ORDER BY id LIMIT 1""",
    "I3 月用额不低于实际": """
        SELECT 'account' AS thing, a.id::text, a.month || ' 记 ' || a.month_points || '，实际 '
            || u.used AS detail
        FROM points.account a
        JOIN (
            SELECT person_id, month, sum(amount) AS used FROM (
                SELECT r.person_id, r.month, r.amount FROM points.redemption r
                WHERE r.county_id = $1 AND r.status = 'accepted'
                  AND NOT EXISTS (SELECT FROM points.posting u WHERE u.county_id = $1
                                  AND u.kind = 'undo' AND u.target = r.id)
                UNION ALL
                SELECT person_id, month, amount FROM points.hold
                WHERE county_id = $1 AND status = 'pending') AS spent
            GROUP BY person_id, month) AS u ON u.person_id = a.owner AND u.month >= a.month
        WHERE a.county_id = $1 AND a.kind = 'worker' AND a.unit = 'wallet'
          AND (u.month > a.month OR u.used > a.month_points)
        ORDER BY a.id LIMIT 1""",
    "I4 库存": """
        SELECT 'stock' AS thing, coalesce(s.id, product_id)::text AS id, '现存 '
            || coalesce(s.quantity::text, '缺失') || '，应为 '
            || coalesce(m.moved, 0) - coalesce(l.taken, 0) || '；占用 ' || coalesce(s.held, 0)
            || '，应为 ' || coalesce(h.held, 0) AS detail
        FROM (SELECT * FROM points.stock WHERE county_id = $1) AS s
        FULL JOIN (SELECT shop_id, product_id, sum(delta) AS moved FROM points.stock_move
                   WHERE county_id = $1 GROUP BY shop_id, product_id) AS m
            USING (shop_id, product_id)
        LEFT JOIN (
            SELECT r.shop_id, l.product_id, sum(l.quantity) AS taken
            FROM points.redemption r
            JOIN points.redemption_line l ON l.county_id = $1 AND l.redemption_id = r.id
            WHERE r.county_id = $1 AND r.status = 'accepted'
              AND NOT EXISTS (SELECT FROM points.posting u WHERE u.county_id = $1
                              AND u.kind = 'undo' AND u.target = r.id)
            GROUP BY r.shop_id, l.product_id) AS l USING (shop_id, product_id)
        LEFT JOIN (
            SELECT h.shop_id, g.product_id, sum(g.quantity) AS held
            FROM points.hold h
            CROSS JOIN LATERAL unnest(h.products, h.quantities) AS g (product_id, quantity)
            WHERE h.county_id = $1 AND h.status = 'pending'
            GROUP BY h.shop_id, g.product_id) AS h USING (shop_id, product_id)
        WHERE s.quantity < 0 OR s.held IS DISTINCT FROM coalesce(h.held, 0)
            OR s.quantity IS DISTINCT FROM coalesce(m.moved, 0) - coalesce(l.taken, 0)
        ORDER BY 2 LIMIT 1""",
    "I5 预算等于决议": """
        SELECT 'fund' AS thing, f.id::text,
            '预算 ' || f.budget_fen || ' 分，决议合计 ' || coalesce(sum(r.amount_fen), 0) || ' 分'
            AS detail
        FROM points.fund f
        LEFT JOIN points.resolution r ON r.county_id = $1 AND r.fund_id = f.id
        WHERE f.county_id = $1
        GROUP BY f.id, f.budget_fen HAVING f.budget_fen <> coalesce(sum(r.amount_fen), 0)
        ORDER BY f.id LIMIT 1""",
    "I5 资金与决议已入账": """
        SELECT thing, id::text, '与账页里入账的不一致，或只有一边' AS detail
        FROM (
            SELECT 'resolution' AS thing, coalesce(r.id, p.id) AS id
            FROM (SELECT * FROM points.resolution WHERE county_id = $1) AS r
            FULL JOIN (SELECT * FROM points.posting
                       WHERE county_id = $1 AND kind IN ('add_resolution', 'correct_resolution'))
                AS p ON p.id = r.id
            WHERE p.target IS DISTINCT FROM r.fund_id OR p.memo IS DISTINCT FROM concat_ws(' ',
                r.number, r.amount_fen, to_char(r.resolved_on, 'YYYY-MM-DD'), r.corrects)
            UNION ALL
            SELECT 'fund', coalesce(f.id, p.id)
            FROM (SELECT * FROM points.fund WHERE county_id = $1) AS f
            FULL JOIN (SELECT * FROM points.posting
                       WHERE county_id = $1 AND kind = 'open_fund') AS p ON p.id = f.id
            WHERE p.id IS NULL OR f.id IS NULL
                OR p.memo NOT IN (f.name, concat_ws(' ', f.name, f.unit_code, f.point_value_fen))
            ) AS other  -- earlier releases sealed the name alone
        ORDER BY id LIMIT 1""",
    "I5 任何时刻不超预算": """
        SELECT 'transfer' AS thing, id::text, '资金 ' || fund_id || ' 到此发放 ' || used
            || '（0.1 分），预算 ' || budget || ' 分' AS detail
        FROM (
            SELECT e.id, e.fund_id, f.point_value_fen,
                sum(e.used) OVER line AS used, sum(e.fen) OVER line AS budget
            FROM (
                SELECT points.transfer_id(b.at, p.batch, p.position, 0) AS id, r.fund_id,
                    0 AS used, r.amount_fen AS fen
                FROM points.resolution r
                JOIN points.posting p ON p.county_id = $1 AND p.id = r.id
                JOIN points.batch b ON b.county_id = $1 AND b.number = p.batch
                WHERE r.county_id = $1
                UNION ALL
                SELECT t.id, a.owner, CASE WHEN a.kind = 'issuance' AND a.id = t.debit
                    THEN t.amount ELSE -t.amount END, 0
                FROM points.account a
                JOIN points.transfer t ON t.county_id = $1 AND (t.debit = a.id OR t.credit = a.id)
                WHERE a.county_id = $1 AND a.unit = 'wallet' AND a.kind IN ('issuance', 'expired'))
                AS e
            JOIN points.fund f ON f.county_id = $1 AND f.id = e.fund_id
            WINDOW line AS (PARTITION BY e.fund_id ORDER BY e.id)) AS line
        WHERE used * point_value_fen > budget * 10 ORDER BY id LIMIT 1""",
    "I5 更正由另一人批准": """
        SELECT 'correction' AS thing, coalesce(c.id, r.id)::text AS id,
            '与入账的更正不一致，只有一边，或提出和批准是同一人' AS detail
        FROM (SELECT * FROM points.correction WHERE county_id = $1 AND state = 'approved') AS c
        FULL JOIN (
            SELECT r.id, r.corrects, r.amount_fen, p.actor_id FROM points.resolution r
            JOIN points.posting p ON p.county_id = $1 AND p.id = r.id
            JOIN points.fund f ON f.county_id = $1 AND f.id = r.fund_id
            JOIN shared.unit u ON u.county_id = $1 AND u.code = f.unit_code
            WHERE r.county_id = $1 AND r.corrects IS NOT NULL) AS r ON r.id = c.id
        WHERE (c.resolution_id, c.amount_fen - c.was_fen, c.decided_by)
                IS DISTINCT FROM (r.corrects, r.amount_fen, r.actor_id)
            OR c.proposed_by = c.decided_by
        ORDER BY 2 LIMIT 1""",
    "I6 兑换的行、批次与金额": """
        SELECT 'redemption' AS thing, r.id::text, '金额 ' || r.amount || '，明细合计 '
            || coalesce(l.total, 0) || '，扣自各批 ' || coalesce(d.total, 0) || '，转账 '
            || coalesce(t.amount, 0) AS detail
        FROM points.redemption r
        LEFT JOIN (SELECT redemption_id, sum(quantity * price) AS total FROM points.redemption_line
                   WHERE county_id = $1 GROUP BY redemption_id) AS l ON l.redemption_id = r.id
        LEFT JOIN LATERAL (SELECT sum(x) AS total FROM unnest(r.draws) AS x) AS d ON true
        LEFT JOIN points.batch b ON b.county_id = $1 AND b.number = r.batch
        LEFT JOIN points.transfer t ON t.county_id = $1
            AND t.id = points.transfer_id(b.at, r.batch, r.position, 1)
            AND t.about = r.id AND t.code = 'redeem'
            AND t.debit = points.account_id('worker', 'wallet', r.person_id)
            AND t.credit = points.account_id('shop', 'wallet', r.shop_id)
        WHERE r.county_id = $1 AND (b.number IS NULL OR CASE r.status
            WHEN 'accepted' THEN (r.amount, r.amount, r.amount)
                IS DISTINCT FROM (l.total, d.total, t.amount)
            ELSE l.total IS NOT NULL OR d.total IS NOT NULL OR t.amount IS NOT NULL END)
        ORDER BY r.batch, r.position LIMIT 1""",
    "I6 明细与转账有兑换": """
        SELECT thing, id::text, '没有对应的已入账兑换，或不是它的那一笔' AS detail
        FROM (
            SELECT 'redemption_line' AS thing, l.id FROM points.redemption_line l
            LEFT JOIN points.redemption r ON r.county_id = $1 AND r.id = l.redemption_id
                AND r.status = 'accepted'
            WHERE l.county_id = $1 AND r.id IS NULL
            UNION ALL
            SELECT 'transfer', t.id FROM points.transfer t
            LEFT JOIN points.redemption r ON r.county_id = $1 AND r.id = t.about
                AND r.status = 'accepted' AND r.batch = t.batch AND r.position = t.position
            WHERE t.county_id = $1 AND t.code = 'redeem'
              AND (r.id IS NULL OR right(t.id::text, 5) <> '00001')) AS stray
        ORDER BY id LIMIT 1""",
    "I7 每笔转账有来处": """
        WITH block AS MATERIALIZED (
            SELECT number, substr(uuid_send(points.transfer_id(at, number, 0, 0)), 1, 11) AS prefix
            FROM points.batch WHERE county_id = $1
        )
        SELECT 'transfer' AS thing, t.id::text, '没有对应的批次、入账或兑换' AS detail
        FROM (
            SELECT id, batch, position, code, uuid_send(id) AS bytes FROM points.transfer
            WHERE county_id = $1) AS t
        LEFT JOIN block b ON b.number = t.batch
        LEFT JOIN points.posting p ON p.county_id = $1 AND p.batch = t.batch
            AND p.position = t.position
        LEFT JOIN points.redemption r ON r.county_id = $1 AND r.batch = t.batch
            AND r.position = t.position AND r.status = 'accepted'
        WHERE b.number IS NULL OR (p.id IS NULL) = (r.id IS NULL)
           OR (r.id IS NULL) = (t.code = 'redeem') AND NOT (t.code = 'offset'
               AND r.hold_id IS NOT NULL)  -- what of an order was left pays a debt at once
           OR substr(t.bytes, 1, 11) <> b.prefix OR t.position <> (get_byte(t.bytes, 11) << 12)
              + (get_byte(t.bytes, 12) << 4) + (get_byte(t.bytes, 13) >> 4)
        ORDER BY t.id LIMIT 1""",
    "I7 被拒的没有效果": """
        SELECT 'redemption' AS thing, r.id::text, '被拒（' || r.refusal
            || '），却有扣分、明细、转账或用掉的兑换码' AS detail
        FROM points.redemption r
        LEFT JOIN (SELECT DISTINCT used_by FROM points.code WHERE county_id = $1) AS c
            ON c.used_by = r.id
        LEFT JOIN (SELECT DISTINCT batch, position FROM points.transfer WHERE county_id = $1) AS t
            ON t.batch = r.batch AND t.position = r.position
        LEFT JOIN (SELECT DISTINCT redemption_id FROM points.redemption_line
                   WHERE county_id = $1) AS l ON l.redemption_id = r.id
        WHERE r.county_id = $1 AND r.status = 'refused' AND (c.used_by IS NOT NULL
            OR t.batch IS NOT NULL OR l.redemption_id IS NOT NULL OR cardinality(r.draws) > 0)
        ORDER BY r.batch, r.position LIMIT 1""",
    "I7 履职入账有转账": """
        SELECT 'posting' AS thing, p.id::text, '入账 ' || p.amount || '，履职转账 '
            || coalesce(t.moved, 0) AS detail
        FROM points.posting p
        LEFT JOIN (SELECT batch, position, sum(amount) AS moved FROM points.transfer
                   WHERE county_id = $1 AND unit = 'merit' GROUP BY batch, position) AS t
            ON t.batch = p.batch AND t.position = p.position
        WHERE p.county_id = $1 AND p.kind IN ('award', 'opening', 'deduct', 'reverse')
          AND p.amount <> coalesce(t.moved, 0)
        ORDER BY p.batch, p.position LIMIT 1""",
    "I8 对账单合计": """
        SELECT 'statement' AS thing, s.id::text, s.line_count || ' 行 ' || s.points || '／'
            || s.amount_fen || ' 分，明细 ' || count(l.id) || ' 行 ' || coalesce(sum(l.points), 0)
            || '／' || coalesce(sum(l.amount_fen), 0) || ' 分' AS detail
        FROM points.statement s
        LEFT JOIN points.statement_line l ON l.county_id = $1 AND l.statement_id = s.id
        WHERE s.county_id = $1
        GROUP BY s.id, s.line_count, s.points, s.amount_fen
        HAVING (s.line_count, s.points, s.amount_fen) IS DISTINCT FROM
            (count(l.id)::int, coalesce(sum(l.points), 0)::int8,
             coalesce(sum(l.amount_fen), 0)::int8)
        ORDER BY s.id LIMIT 1""",
    "I8 对账行与兑换": """
        WITH charge AS (
            SELECT redemption_id, fund_id, amount,
                sum(amount) OVER (PARTITION BY redemption_id ORDER BY fund_id) AS upto,
                sum(amount) OVER (PARTITION BY redemption_id) AS whole
            FROM points.redemption_charge WHERE county_id = $1
        ), cost AS (
            SELECT redemption_id, sum(quantity * cost_fen) AS fen FROM points.redemption_line
            WHERE county_id = $1 GROUP BY redemption_id
        ), due AS (
            SELECT redemption_id, c.fund_id, c.amount,
                div(g.fen * c.upto, c.whole) - div(g.fen * (c.upto - c.amount), c.whole) AS fen
            FROM charge c JOIN cost g USING (redemption_id)
        )
        SELECT 'statement_line' AS thing, l.id::text, '积分 ' || l.points || '，台账 '
            || coalesce(c.amount, 0) || '；' || l.amount_fen || ' 分，应为 ' || coalesce(c.fen, 0)
            || ' 分' AS detail
        FROM points.statement_line l
        LEFT JOIN points.statement s ON s.county_id = $1 AND s.id = l.statement_id
        LEFT JOIN points.redemption r ON r.county_id = $1 AND r.id = l.redemption_id
        LEFT JOIN due c ON c.redemption_id = l.redemption_id AND c.fund_id = l.fund_id
        LEFT JOIN points.posting u ON u.county_id = $1 AND u.target = l.redemption_id
            AND u.kind = 'undo'
        WHERE l.county_id = $1 AND (abs(l.points) IS DISTINCT FROM c.amount
            OR abs(l.whole_points) IS DISTINCT FROM r.amount
            OR (s.fund_id, s.shop_id) IS DISTINCT FROM (l.fund_id, r.shop_id)
            OR l.at IS DISTINCT FROM CASE l.kind WHEN 'undo' THEN u.at ELSE r.at END
            OR abs(l.amount_fen) <> c.fen AND (l.kind, l.amount_fen) <> ('undo', 0)
            OR EXISTS (SELECT FROM points.statement_line o WHERE o.county_id = $1
                       AND o.redemption_id = l.redemption_id AND o.fund_id = l.fund_id
                       AND o.kind = l.kind AND o.id <> l.id))
        ORDER BY l.id LIMIT 1""",
    "I8 结转与异议": """
        WITH carry AS (
            SELECT id, carry_fen AS fen FROM points.statement WHERE county_id = $1
            UNION ALL
            SELECT d.id, CASE d.state WHEN 'payable' THEN l.amount_fen ELSE -u.amount_fen END
            FROM points.statement_dispute d
            JOIN points.statement_line l ON l.county_id = $1 AND l.id = d.line_id
            LEFT JOIN points.statement_line u ON u.county_id = $1 AND u.kind = 'undo'
                AND u.redemption_id = l.redemption_id AND u.fund_id = l.fund_id
            WHERE d.county_id = $1
        ), opening AS (
            SELECT x.id, sum(carry.fen) AS fen
            FROM (SELECT id, unnest(carried) AS from_id FROM points.statement
                  WHERE county_id = $1) AS x
            LEFT JOIN carry ON carry.id = x.from_id GROUP BY x.id
        ), disputed AS (
            SELECT s.id, sum(l.amount_fen) AS fen
            FROM points.statement s
            JOIN points.statement_line l ON l.county_id = $1 AND l.statement_id = s.id
            JOIN (SELECT line_id, bool_or(state IN ('open', 'refused')) AS out,
                         max(decided_at) AS decided_at
                  FROM points.statement_dispute
                  WHERE county_id = $1 AND state <> 'withdrawn' GROUP BY line_id) AS d
                ON d.line_id = l.id AND (d.out OR d.decided_at > s.frozen_at)
            WHERE s.county_id = $1 GROUP BY s.id
        )
        SELECT 'statement' AS thing, s.id::text, '结转 ' || s.opening_fen || ' 分，应为 '
            || coalesce(o.fen, 0) || ' 分；异议 ' || s.disputed_fen || ' 分，应为 '
            || coalesce(d.fen, 0) || ' 分' AS detail
        FROM points.statement s
        LEFT JOIN opening o ON o.id = s.id
        LEFT JOIN disputed d ON d.id = s.id
        WHERE s.county_id = $1
          AND (s.opening_fen, s.disputed_fen) <> (coalesce(o.fen, 0), coalesce(d.fen, 0))
        ORDER BY s.id LIMIT 1""",
    "I8 每笔兑换都在对账单里": """
        WITH loose AS MATERIALIZED (
            SELECT e.*, c.fund_id
            FROM (
                SELECT 'redeem' AS kind, r.id AS redemption_id, r.shop_id, r.at, r.batch
                FROM points.redemption r WHERE r.county_id = $1 AND r.status = 'accepted'
                UNION ALL
                SELECT 'undo', r.id, r.shop_id, u.at, u.batch
                FROM points.posting u
                JOIN points.redemption r ON r.county_id = $1 AND r.id = u.target
                WHERE u.county_id = $1 AND u.kind = 'undo') AS e
            JOIN points.redemption_charge c ON c.county_id = $1
                AND c.redemption_id = e.redemption_id
            LEFT JOIN points.statement_line l ON l.county_id = $1 AND l.kind = e.kind
                AND l.redemption_id = e.redemption_id AND l.fund_id = c.fund_id
            WHERE l.id IS NULL
        )
        SELECT 'redemption' AS thing, e.redemption_id::text AS id, '对账单 ' || s.id
            || ' 出单以前的' || CASE e.kind WHEN 'undo' THEN '撤销' ELSE '兑换' END
            || '不在任何单里' AS detail
        FROM loose e  -- else each redemption meets all statements that its shop ever had
        JOIN points.batch b ON b.county_id = $1 AND b.number = e.batch
        JOIN points.statement s ON s.county_id = $1 AND s.shop_id = e.shop_id
            AND s.fund_id = e.fund_id AND e.at < s.through
            AND (b.at AT TIME ZONE 'Asia/Shanghai')::date < s.built_on
        ORDER BY e.redemption_id LIMIT 1""",
    "I8 冻结的对账单有三方签字": """
        SELECT 'statement' AS thing, s.id::text, '签在这份文件上的有 ' || count(g.id) || ' 处'
            AS detail
        FROM points.statement s
        LEFT JOIN points.statement_signature g ON g.county_id = $1 AND g.statement_id = s.id
            AND g.voided_at IS NULL AND g.file_sha256 = s.file_sha256
        WHERE s.county_id = $1 AND s.state = 'frozen'
        GROUP BY s.id HAVING count(DISTINCT g.part) <> 3
        ORDER BY s.id LIMIT 1""",
    "I8 对账单的文件": """
        SELECT 'statement' AS thing, id::text, '保存的文件与它的指纹不一致' AS detail
        FROM points.statement
        WHERE county_id = $1 AND sha256(file) <> file_sha256
        ORDER BY id LIMIT 1""",
    "I9 入账与工作记录": """
        SELECT 'work_record' AS thing, w.id::text, '状态 ' || w.state || '，应入账 ' || w.posted
            || '，台账 ' || coalesce(p.amount, 0) AS detail
        FROM points.work_record w
        LEFT JOIN points.posting p ON p.county_id = $1 AND p.id = w.id AND p.kind = 'award'
        WHERE w.county_id = $1 AND (coalesce(p.amount, 0) <>
            CASE WHEN w.state IN ('posted', 'reversed') THEN w.posted ELSE 0 END
            OR (p.person_id, p.code, p.day) <> (w.worker_id, w.rule_code, w.work_date))
        ORDER BY w.id LIMIT 1""",
    "I9 可兑换积分与本村细则": """
        SELECT 'work_record' AS thing, w.id::text, '可兑换 ' || coalesce(w.wallet, w.posted)
            || '，台账 ' || coalesce(p.wallet + p.waiting, 0) || '，本村细则 '
            || coalesce(v.points::text, '没有') AS detail
        FROM points.work_record w
        JOIN points.rule_version r ON r.county_id = $1 AND r.code = w.rule_code
            AND r.version = w.rule_version
        LEFT JOIN points.posting p ON p.county_id = $1 AND p.id = w.id AND p.kind = 'award'
        """
    + VARIANT
    + """
        WHERE w.county_id = $1 AND w.state IN ('posted', 'reversed')
          AND (coalesce(w.wallet, w.posted) <> coalesce(p.wallet + p.waiting, 0)
            OR (w.wallet IS NULL) <> (v.points IS NULL)
            OR w.wallet > (2 * w.posted * v.points + (r.body ->> 'points')::int8)
                / (2 * (r.body ->> 'points')::int8)
            OR w.wallet > least(v.cap_day, v.cap_month))
        ORDER BY w.id LIMIT 1""",
    "I9 本村细则的上限": """
        SELECT 'work_record' AS thing, id::text, '同一天可兑换 ' || coalesce(paid_day, 0)
            || '，本村单日上限 ' || coalesce(most_day::text, '没有') || '；同一月 '
            || coalesce(paid_month, 0) || '，本村单月上限 ' || coalesce(most_month::text, '没有')
            AS detail
        FROM (
            SELECT w.id, sum(w.wallet) FILTER (WHERE v.cap_day IS NOT NULL) OVER day AS paid_day,
                max(v.cap_day) OVER day AS most_day,
                sum(w.wallet) FILTER (WHERE v.cap_month IS NOT NULL) OVER month AS paid_month,
                max(v.cap_month) OVER month AS most_month
            FROM points.work_record w
            JOIN points.rule_version r ON r.county_id = $1 AND r.code = w.rule_code
                AND r.version = w.rule_version
            """
    + VARIANT
    + """
            WHERE w.county_id = $1 AND w.state = 'posted' AND w.wallet > 0
            WINDOW day AS (PARTITION BY w.worker_id, w.rule_code, w.work_date),
                month AS (PARTITION BY w.worker_id, w.rule_code,
                    date_trunc('month', w.work_date::timestamp))) AS paid
        WHERE paid_day > most_day OR paid_month > most_month
        ORDER BY id LIMIT 1  -- of caps that differ in it the widest counts""",
    "I9 扣分与台账": """
        SELECT 'deduction' AS thing, coalesce(d.id, p.id)::text AS id, coalesce(d.code || ' '
            || d.amount, '没有扣分事项') || '，台账 ' || coalesce(p.code || ' ' || p.amount, '没有')
            AS detail
        FROM (SELECT * FROM points.deduction
              WHERE county_id = $1 AND state = 'final' AND posted_at IS NOT NULL) AS d
        FULL JOIN (
            SELECT * FROM points.posting p WHERE p.county_id = $1 AND p.kind = 'deduct'
              AND EXISTS (SELECT FROM points.rule_version r WHERE r.county_id = $1
                          AND r.kind = 'penalty' AND r.code = p.code)) AS p ON p.id = d.id
        WHERE (d.worker_id, d.code, d.amount) IS DISTINCT FROM (p.person_id, p.code, p.amount)
        ORDER BY 2 LIMIT 1""",
    "I9 冲正与工作记录": """
        SELECT 'work_record' AS thing, w.id::text, '状态 ' || w.state || '，冲正 '
            || coalesce(v.amount, 0) AS detail
        FROM points.work_record w
        LEFT JOIN points.posting v ON v.county_id = $1 AND v.target = w.id AND v.kind = 'reverse'
        WHERE w.county_id = $1 AND w.posted > 0
          AND (w.state = 'reversed') <> coalesce(v.amount = w.posted, false)
        ORDER BY w.id LIMIT 1""",
    "I9 无记录的入账": """
        SELECT 'posting' AS thing, p.id::text, '规则 ' || p.code || '，没有工作记录' AS detail
        FROM points.posting p
        WHERE p.county_id = $1 AND p.kind = 'award'
          AND EXISTS (SELECT FROM points.rule_version r WHERE r.county_id = $1
                      AND r.kind = 'award' AND r.code = p.code)
          AND NOT EXISTS (SELECT FROM points.work_record w WHERE w.county_id = $1 AND w.id = p.id)
        ORDER BY p.batch, p.position LIMIT 1""",
    "I10 冲正": """
        SELECT 'posting' AS thing, v.id::text, '冲正 ' || v.amount || '／'
            || v.wallet + v.waiting + v.settled || '，原为 ' || coalesce(o.amount, 0) || '／'
            || coalesce(o.wallet + o.waiting, 0) AS detail
        FROM points.posting v
        LEFT JOIN points.posting o ON o.county_id = $1 AND o.id = v.target
            AND o.kind IN ('award', 'opening', 'deduct')
        WHERE v.county_id = $1 AND v.kind = 'reverse' AND (o.id IS NULL OR v.amount > o.amount
            OR v.wallet + v.waiting + v.settled > o.wallet + o.waiting
            OR EXISTS (SELECT FROM points.posting w WHERE w.county_id = $1 AND w.kind = 'reverse'
                       AND w.target = v.target AND w.id <> v.id))
        ORDER BY v.batch, v.position LIMIT 1""",
    "I11 预订只了结一次": """
        SELECT 'hold' AS thing, h.id::text, '状态 ' || h.status || '，已取 ' || h.posted
            || '，兑换 ' || count(r.id) || ' 笔，作废 ' || count(v.id) || ' 笔' AS detail
        FROM points.hold h
        LEFT JOIN points.redemption r ON r.county_id = $1 AND r.hold_id = h.id
            AND r.status = 'accepted'
        LEFT JOIN points.posting v ON v.county_id = $1 AND v.target = h.id AND v.kind = 'void_hold'
        WHERE h.county_id = $1
        GROUP BY h.id, h.status, h.posted
        HAVING coalesce(sum(r.amount) FILTER (WHERE h.status <> 'voided'), 0) <> h.posted
            OR count(r.id) <> (h.status = 'posted')::int
                AND NOT (h.status = 'voided' AND count(r.id) = 1 AND bool_and(r.at < v.at))
            OR count(v.id) <> (h.status = 'voided')::int
        ORDER BY h.id LIMIT 1""",
    "I11 占用的积分": """
        SELECT 'lot' AS thing, l.id::text, '占用 ' || l.held || '，应为 ' || coalesce(h.held, 0)
            AS detail
        FROM points.lot l
        LEFT JOIN (
            SELECT d.lot, sum(d.draw) AS held
            FROM points.hold h CROSS JOIN LATERAL unnest(h.lots, h.draws) AS d (lot, draw)
            WHERE h.county_id = $1 AND h.status = 'pending' GROUP BY d.lot) AS h ON h.lot = l.id
        WHERE l.county_id = $1 AND l.held <> coalesce(h.held, 0) ORDER BY l.id LIMIT 1""",
    "I13 只增不改": """
        SELECT 'table' AS thing, t.name AS id, '缺少告警触发器，或服务账号有改删权限' AS detail
        FROM unnest(ARRAY['transfer', 'posting', 'redemption', 'redemption_line', 'batch',
                          'stock_move', 'resolution', 'closing', 'closing_balance',
                          'day_root']) AS t (name)
        WHERE $1::int IS NOT NULL AND (
            has_table_privilege('gridmerit_points', 'points.' || t.name, 'UPDATE, DELETE')
            OR (SELECT count(*) FROM pg_trigger g
                WHERE g.tgrelid = to_regclass('points.' || t.name) AND g.tgenabled <> 'D'
                  AND g.tgname IN (t.name || '_append_only', t.name || '_no_truncate')) <> 2)
        ORDER BY t.name LIMIT 1 -- not a business table: no county_id""",
    "I14 各批余额": LOT_FLOWS
    + """
        SELECT 'lot' AS thing, l.id::text, '发放 ' || l.amount || '／' || coalesce(f.came, 0)
            || '，余 ' || l.remaining || '，应余 '
            || coalesce(f.came, 0) - coalesce(f.went, 0) - coalesce(s.amount, 0) AS detail
        FROM points.lot l
        LEFT JOIN flowed f ON f.lot = l.id
        LEFT JOIN spent s ON s.lot = l.id
        WHERE l.county_id = $1 AND (l.amount <> coalesce(f.came, 0) OR l.remaining
            <> coalesce(f.came, 0) - coalesce(f.went, 0) - coalesce(s.amount, 0))
        ORDER BY l.id LIMIT 1""",
    "I14 各批的来处": """
        SELECT 'lot' AS thing, coalesce(l.id, t.id)::text AS id,
            '与发放它的那一笔不一致，或只有一边' AS detail
        FROM (SELECT * FROM points.lot WHERE county_id = $1) AS l
        FULL JOIN (
            SELECT t.id, t.amount, d.owner AS fund_id, c.owner AS person_id, p.day,
                CASE WHEN p.kind IN ('award', 'opening') THEN p.id END AS award_id
            FROM points.transfer t
            JOIN points.account d ON d.county_id = $1 AND d.id = t.debit AND d.kind = 'issuance'
            JOIN points.account c ON c.county_id = $1 AND c.id = t.credit AND c.kind = 'worker'
            LEFT JOIN points.posting p ON p.county_id = $1 AND p.batch = t.batch
                AND p.position = t.position
            WHERE t.county_id = $1 AND t.unit = 'wallet') AS t ON t.id = l.id
        LEFT JOIN points.posting a ON a.county_id = $1 AND a.id = l.award_id
        WHERE (l.fund_id, l.person_id, l.amount, l.earned_on, l.award_id) IS DISTINCT FROM
              (t.fund_id, t.person_id, t.amount, t.day, coalesce(t.award_id, l.award_id))
           OR a.person_id IS DISTINCT FROM l.person_id
        ORDER BY 2 LIMIT 1""",
    "I14 各批合计等于余额": """
        SELECT 'account' AS thing, a.id::text, '余额 ' || a.balance || '，各批合计 '
            || coalesce(l.remaining, 0) AS detail
        FROM points.account a
        LEFT JOIN (SELECT person_id, sum(remaining) AS remaining FROM points.lot
                   WHERE county_id = $1 GROUP BY person_id) AS l ON l.person_id = a.owner
        WHERE a.county_id = $1 AND a.kind = 'worker' AND a.unit = 'wallet'
          AND a.balance <> coalesce(l.remaining, 0)
        ORDER BY a.id LIMIT 1""",
    "I14 只清到期的": """
        SELECT 'transfer' AS thing, t.id::text, '清零时尚未到期：' || coalesce(
            l.expires_on::text, '永久有效') AS detail
        FROM points.transfer t
        LEFT JOIN points.posting p ON p.county_id = $1 AND p.batch = t.batch
            AND p.position = t.position AND p.kind = 'expire_lots'
        LEFT JOIN points.lot l ON l.county_id = $1 AND l.id = t.about
        WHERE t.county_id = $1 AND t.code = 'expire'
          AND (l.expires_on < p.day) IS NOT TRUE
        ORDER BY t.id LIMIT 1""",
    "I14 各批的截止日": """
        WITH change AS (
            SELECT e.before ->> 'expiry_policy' AS old, e.after ->> 'expiry_policy' AS policy,
                least(e.at, min(c.at)) AS since,
                greatest(e.at, max((c.after ->> 'until')::timestamptz)) AS seen
            FROM shared.audit_event e
            LEFT JOIN shared.audit_event c ON c.county_id = $1 AND c.action = 'clock.confirm'
                AND c.at < e.at AND (c.after ->> 'until')::timestamptz >= e.at
            WHERE e.county_id = $1 AND e.object_kind = 'county' AND e.after ? 'expiry_policy'
            GROUP BY e.id, e.at, e.before, e.after
        ), span AS (
            SELECT policy, since - interval '1 hour' AS since, interval '1 hour'
                + greatest(seen, lead(seen, 1, 'infinity') OVER (ORDER BY since, seen)) AS until
            FROM change
            UNION ALL
            SELECT coalesce((SELECT old FROM change ORDER BY since, seen LIMIT 1),
                    settings ->> 'expiry_policy', 'year_end_plus_one'), '-infinity',
                coalesce((SELECT seen FROM change ORDER BY since, seen LIMIT 1), 'infinity')
                + interval '1 hour'
            FROM shared.county WHERE id = $1 /* county_id */
        ), given AS (
            SELECT l.id, l.expires_on, p.at, p.memo, p.kind = 'opening' AS brought,
                l.earned_on, (p.at AT TIME ZONE 'Asia/Shanghai')::date AS posted_on
            FROM points.lot l
            JOIN points.transfer t ON t.county_id = $1 AND t.id = l.id
            JOIN points.posting p ON p.county_id = $1 AND p.batch = t.batch
                AND p.position = t.position
            LEFT JOIN points.work_record w ON w.county_id = $1 AND w.id = p.id
            WHERE l.county_id = $1 AND EXISTS (SELECT FROM span)
              AND (w.id IS NOT NULL OR p.code = 'AWARD-01'
                OR p.kind IN ('add_resolution', 'correct_resolution', 'release_awaiting')
                OR p.kind = 'opening' AND p.memo LIKE '期初积分，%')
        )
        SELECT 'lot' AS thing, g.id::text, '写着 ' || coalesce(g.expires_on::text, '永久有效')
            || '，与入账时的规定不一致' AS detail
        FROM given g
        WHERE CASE WHEN g.brought THEN g.memo <> '期初积分，可兑换积分'
                || coalesce('有效期至 ' || g.expires_on, '永久有效')
            ELSE NOT EXISTS (
                SELECT FROM span s
                CROSS JOIN LATERAL (
                    SELECT array_agg(CASE s.policy
                        WHEN 'year_end_plus_one' THEN make_date(date_part('year', day)::int + 1,
                            12, 31)
                        WHEN 'year_end' THEN make_date(date_part('year', day)::int, 12, 31)
                        WHEN 'quarter_end' THEN (date_trunc('quarter', day::timestamp)
                            + interval '3 months - 1 day')::date
                        WHEN 'days_365' THEN day + 365 END ORDER BY place) AS ends
                    FROM unnest(ARRAY[g.earned_on, g.posted_on, g.posted_on - 1])
                        WITH ORDINALITY AS d (day, place)) AS due
                WHERE g.at BETWEEN s.since AND s.until
                  AND (g.expires_on IS NOT DISTINCT FROM ends[1]
                       OR ends[1] < g.posted_on AND g.expires_on = ANY (ends[2:3]))) END
        ORDER BY g.id LIMIT 1""",
    "I14 待拨付": """
        SELECT 'awaiting' AS thing, coalesce(w.id, p.id)::text AS id, '待拨 '
            || coalesce(w.remaining::text, '缺失') || '，应为 ' || coalesce(p.waiting, 0)
            - coalesce(l.given, 0) - coalesce(v.cancelled, 0) AS detail
        FROM (SELECT * FROM points.awaiting WHERE county_id = $1) AS w
        FULL JOIN (SELECT * FROM points.posting WHERE county_id = $1 AND waiting > 0
                   AND kind IN ('award', 'opening')) AS p ON p.id = w.id
        LEFT JOIN LATERAL (SELECT sum(l.amount) - p.wallet AS given FROM points.lot l
                           WHERE l.county_id = $1 AND l.award_id = p.id) AS l ON true
        LEFT JOIN LATERAL (SELECT sum(v.waiting) AS cancelled FROM points.posting v
                           WHERE v.county_id = $1 AND v.kind = 'reverse' AND v.target = p.id)
            AS v ON true
        WHERE (w.person_id, w.code, w.batch, w.position, w.amount) IS DISTINCT FROM
              (p.person_id, p.code, p.batch, p.position, p.waiting)
           OR p.target <> w.fund_id OR p.target IS NOT NULL AND w.fund_id IS NULL
           OR w.remaining <> p.waiting - coalesce(l.given, 0) - coalesce(v.cancelled, 0)
        ORDER BY 2 LIMIT 1""",
    "I17 一岗一人": """
        SELECT 'assignment' AS thing, b.id::text, '与任职 ' || a.id || ' 时间重叠' AS detail
        FROM shared.assignment a
        JOIN shared.assignment b ON b.county_id = $1 AND b.post_id = a.post_id AND b.id > a.id
            AND daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)
        WHERE a.county_id = $1 ORDER BY b.id LIMIT 1""",
    "I18 入账有经手人": """
        SELECT 'redemption' AS thing, r.id::text, '没有经手人和权限' AS detail
        FROM points.redemption r
        WHERE r.county_id = $1 AND r.status = 'accepted'
          AND (r.authority = '' OR r.actor_id IS NULL)
        ORDER BY r.batch, r.position LIMIT 1""",
    "I18 核实有依据": """
        SELECT 'verification' AS thing, v.id::text, v.step || '：' || v.verdict
            || '，没有经手人或权限' AS detail
        FROM points.verification v
        WHERE v.county_id = $1 AND v.verdict <> 'open' AND (v.authority = '' OR v.at IS NULL)
        ORDER BY v.id LIMIT 1""",
    "I18 办理有审计": """
        SELECT o.thing, o.id::text, '状态 ' || o.state || '，审计里没有办理记录' AS detail
        FROM (
            SELECT 'redemption' AS thing, target AS id, 'undone' AS state FROM points.posting
            WHERE county_id = $1 AND kind = 'undo' AND actor_id IS NOT NULL
            UNION ALL
            SELECT 'statement', id, state FROM points.statement WHERE county_id = $1
            UNION ALL
            SELECT 'statement', statement_id, 'signed' FROM points.statement_signature
            WHERE county_id = $1
            UNION ALL
            SELECT 'deduction', id, state FROM points.deduction WHERE county_id = $1
            UNION ALL
            SELECT 'objection', id, state FROM points.objection WHERE county_id = $1
            UNION ALL
            SELECT 'price', id, state FROM points.price WHERE county_id = $1
            UNION ALL
            SELECT 'correction', id, state FROM points.correction WHERE county_id = $1
            UNION ALL
            SELECT 'work_record', id, state FROM points.work_record
            WHERE county_id = $1 AND source <> 'import') AS o
        LEFT JOIN (
            SELECT DISTINCT object_kind, object_id FROM shared.audit_event
            WHERE county_id = $1 AND authority <> '') AS a
            ON a.object_kind = o.thing AND a.object_id = o.id
        WHERE a.object_id IS NULL ORDER BY o.id LIMIT 1""",
    "I18 审计只增不改": """
        SELECT 'table' AS thing, 'audit_event' AS id, '服务账号有改删权限' AS detail
        FROM unnest(ARRAY['gridmerit_points', 'gridmerit_appraisal', 'gridmerit_app']) AS r (name)
        WHERE $1::int IS NOT NULL
          AND has_table_privilege(r.name, 'shared.audit_event', 'UPDATE, DELETE, TRUNCATE')
        LIMIT 1 -- not a business row: no county_id""",
    "I19 一期一次": """
        SELECT 'job_run' AS thing, max(id::text) AS id, job || ' ' || period || ' 完成了 '
            || count(*) || ' 次' AS detail
        FROM shared.job_run WHERE county_id = $1 AND status = 'done'
        GROUP BY job, period HAVING count(*) > 1 LIMIT 1""",
}

BATCHES = """
SELECT number, rows, linked FROM (
    SELECT number, rows, coalesce(previous_hash = CASE number WHEN 1 THEN ''::bytea
        ELSE lag(hash) OVER (ORDER BY number) END, false) AS linked
    FROM points.batch WHERE county_id = $1 AND number >= $2 - 1 ORDER BY number LIMIT $3 + 1
) AS page WHERE number >= $2
"""
# Blocks whose rows do not give their hash, and rows that claim a block which is not there.
TAMPERED = """
WITH bounds AS (
    SELECT points.transfer_id(min(at), min(number), 0, 0) AS low,
           points.transfer_id(max(at), max(number), 1048575, 1048575) AS high
    FROM points.batch WHERE county_id = $1 AND number IN ($2, $3)
)
SELECT coalesce(b.number, s.number) AS number, coalesce(b.leaves, '') AS leaves
FROM (SELECT * FROM points.batch WHERE county_id = $1 AND number BETWEEN $2 AND $3) AS b
FULL JOIN (SELECT s.* FROM bounds, points.sealed($1, $2, $3, low, high) AS s) AS s
    ON s.number = b.number
WHERE b.number IS NULL OR s.number IS NULL OR (b.items, b.rows) <> (s.items, s.rows)
   OR b.leaves <> s.leaves OR b.hash <> points.chain_hash(
      b.previous_hash, $1, b.number, b.at, s.items, s.rows, s.content)
ORDER BY 1 LIMIT 1
"""
LEAVES = """
SELECT (ARRAY['posting', 'redemption', 'hold', 'stock_move', 'transfer'])[part] AS thing, l.id,
       substr(leaf, 1, 8) AS leaf
FROM points.batch b CROSS JOIN LATERAL points.leaves($1, $2, $2,
    points.transfer_id(b.at, $2, 0, 0), points.transfer_id(b.at, $2, 1048575, 1048575)) AS l
WHERE b.county_id = $1 AND b.number = $2 ORDER BY l.position, l.part, l.id
"""
LAST_BATCH = "SELECT coalesce(max(number), 0) FROM points.batch WHERE county_id = $1"
COUNTIES = "SELECT DISTINCT county_id FROM points.batch ORDER BY county_id"
# A whole ledger takes longer than a page may; and a LIMIT 1 that finds nothing misleads the planner
# into nested loops, which are quick only to a first row.
PATIENCE = ("SET LOCAL statement_timeout = '30min'", "SET LOCAL enable_nestloop = off")
SIZE = "SELECT count(*) FROM points.transfer WHERE county_id = $1"


async def first_broken(sql: str, county_id: int) -> Broken | None:
    return await DB.one(Broken, sql, county_id)


async def batches(county_id: int, first: int, limit: int) -> list[BatchRow]:
    return await DB.all(BatchRow, BATCHES, county_id, first, limit)


async def tampered(county_id: int, first: int, last: int) -> Tampered | None:
    return await DB.one(Tampered, TAMPERED, county_id, first, last)


async def leaves(county_id: int, number: int) -> Sequence[LeafRow]:
    return await DB.all(LeafRow, LEAVES, county_id, number)


async def last_batch(county_id: int) -> int:
    return int(await DB.fetchval(LAST_BATCH, county_id))


async def counties() -> list[int]:
    return [row["county_id"] for row in await DB.fetch(COUNTIES)]


async def be_patient() -> None:
    for setting in PATIENCE:
        await DB.execute(setting)


async def size(county_id: int) -> int:
    return int(await DB.fetchval(SIZE, county_id))
