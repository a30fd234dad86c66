"""SQL of the exchange ledger and the summary. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime

from points.settlement.reports.schemas import LedgerFilter, LedgerRow, LedgerTotals, SummaryRow
from shared.clock import today
from shared.database import DB
from shared.plan_queries import planned_each_time
from shared.roster.rules import county_code

# The month of a redemption's own instant, when it came, and whether its month's statement has it.
MONTH = """
CROSS JOIN LATERAL (
    SELECT date_trunc('month', r.at AT TIME ZONE 'Asia/Shanghai') AS first) AS m
CROSS JOIN LATERAL (
    SELECT (m.first + interval '1 month') AT TIME ZONE 'Asia/Shanghai' AS past) AS o
"""
CAME = "(SELECT b.at FROM points.batch b WHERE b.county_id = $1 AND b.number = r.batch)"
IN_STATEMENT = """
EXISTS (SELECT FROM points.statement_line l
        JOIN points.statement s ON s.county_id = $1 AND s.id = l.statement_id
          AND s.month = to_char(m.first, 'YYYY-MM')
        WHERE l.county_id = $1 AND l.redemption_id = r.id AND l.kind = 'redeem')
"""


def event(since: str, until: str) -> str:
    """The table ``event`` of a period, whose two instants are given as SQL over arguments.

    A redemption counts when it was made, its undoing when it was made: nothing that happens later
    changes the ledger of a month that is over. One uploaded when its month was over and its
    statement made counts, as in the statements, when it came. So what was made in the period is
    sought shop by shop, a month at a time, and counts if it came before the end of the period, or
    of its month where the period ends in that; what was made before it is sought in its batches,
    and counts if it was late. Neither reads what came before the period or since, and when a batch
    came is only looked up for what was made before.
    """
    return f"""
span AS MATERIALIZED (
    SELECT first, GREATEST({since}, first AT TIME ZONE 'Asia/Shanghai') AS since,
           LEAST({until}, past) AS until, points.batch_before($1, GREATEST({until}, past)) AS last
    FROM (SELECT first, (first + interval '1 month') AT TIME ZONE 'Asia/Shanghai' AS past
          FROM generate_series(date_trunc('month', {since} AT TIME ZONE 'Asia/Shanghai'),
              ({until} - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai',
              interval '1 month') AS first) AS m
), event AS (
    SELECT r.id, 'redeem' AS kind, 1 AS sign, r.at, NULL AS reason, r.actor_id,
           NULL AS authority, h.id AS shop_id, r.person_id, r.amount, r.at AS redeemed_at,
           r.collector
    FROM points.shop h
    CROSS JOIN span m
    CROSS JOIN LATERAL (
        SELECT * FROM points.redemption
        WHERE county_id = $1 AND shop_id = h.id AND at >= m.since AND at < m.until
          AND status = 'accepted' OFFSET 0) AS r
    WHERE h.county_id = $1 AND (r.batch <= m.last OR {IN_STATEMENT})
    UNION ALL
    SELECT r.id, 'redeem', 1, r.at, NULL, r.actor_id, NULL, r.shop_id, r.person_id, r.amount,
           r.at, r.collector
    FROM points.redemption r
    {MONTH}
    WHERE r.county_id = $1 AND r.status = 'accepted'
      AND r.batch > points.batch_before($1, {since}) AND r.batch <= points.batch_before($1, {until})
      AND r.at < {since} AND {CAME} >= o.past AND NOT {IN_STATEMENT}
    UNION ALL
    SELECT r.id, 'undo', -1, u.at, u.memo, u.actor_id, u.authority, r.shop_id, r.person_id,
           r.amount, r.at, r.collector
    FROM points.posting u
    JOIN points.redemption r ON r.county_id = $1 AND r.id = u.target
    WHERE u.county_id = $1 AND u.kind = 'undo' AND u.at >= {since} AND u.at < {until}
)"""


# Who and what may be meant by words that are sought, so that only their lines are looked at: a
# worker, also by a village, and a shop. Words with a blank may begin in one name and end in
# another.
SOUGHT = """
sought AS MATERIALIZED (
    SELECT id FROM shared.person WHERE county_id = $1 AND position($4 IN name) > 0
    UNION ALL
    SELECT id FROM points.shop WHERE county_id = $1 AND position($4 IN name) > 0
    UNION ALL
    SELECT a.person_id FROM shared.unit v
    JOIN shared.unit w ON w.county_id = $1 AND left(w.code, 12) = v.code
    JOIN shared.post o ON o.county_id = $1 AND o.unit_id = w.id AND o.role = 'gridworker'
    JOIN shared.assignment a ON a.county_id = $1 AND a.post_id = o.id
    WHERE v.county_id = $1 AND position($4 IN v.name) > 0
)
"""
# Both belong to the village in which the worker worked on the day of the redemption, or the last
# before it. Sorted before anything is joined, so that a page joins what it shows; of a semijoin the
# planner would think that it leaves less than a page, and join everything.
FOUND = """
FROM (SELECT * FROM event WHERE ($5::uuid IS NULL OR shop_id = $5)
        AND ($6::uuid IS NULL OR person_id = $6)
        AND ($4 = '' OR $4 LIKE '% %' OR person_id IN (SELECT id FROM sought)
             OR shop_id IN (SELECT id FROM sought))
      ORDER BY at DESC, id DESC, kind DESC) AS e
JOIN points.shop s ON s.county_id = $1 AND s.id = e.shop_id
JOIN shared.unit su ON su.county_id = $1 AND su.id = s.unit_id
LEFT JOIN shared.person p ON p.county_id = $1 AND p.id = e.person_id
LEFT JOIN LATERAL (
    SELECT w.code
    FROM (SELECT (e.redeemed_at AT TIME ZONE 'Asia/Shanghai')::date AS day) AS d
    JOIN shared.assignment x ON x.county_id = $1 AND x.person_id = e.person_id
      AND x.valid_from <= d.day
    JOIN shared.post o ON o.county_id = $1 AND o.id = x.post_id AND o.role = 'gridworker'
    JOIN shared.unit w ON w.county_id = $1 AND w.id = o.unit_id
    ORDER BY (x.valid_to <= d.day) IS TRUE, x.valid_from DESC, w.code LIMIT 1) AS place ON true
LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(place.code, 12)
WHERE ($4 = '' OR position($4 IN concat_ws(' ', p.name, s.name, v.name)) > 0)
  AND (SELECT bool_or(starts_with(COALESCE(place.code, su.code), c)) FROM unnest($7::text[]) c)
"""
PERIOD = f"WITH {event('$2::timestamptz', '$3::timestamptz')}"
WORDS = f"{PERIOD}, {SOUGHT}"
LEDGER = f"""
{WORDS}, found AS (
    SELECT e.id, e.kind, e.at, COALESCE(p.name, '') AS worker, v.name AS village, place.code,
           s.name AS shop, e.sign * e.amount AS points, e.redeemed_at, e.collector,
           e.actor_id, e.reason
    {FOUND}
    ORDER BY e.at DESC, e.id DESC, e.kind DESC LIMIT $8 OFFSET $9)
SELECT f.id, f.kind, f.at, f.worker, t.name AS township, f.village, g.name AS grid, f.shop,
       goods.goods, f.points, f.redeemed_at, f.collector, COALESCE(a.name, '') AS clerk, f.reason
FROM found f
LEFT JOIN shared.person a ON a.county_id = $1 AND a.id = f.actor_id
LEFT JOIN shared.unit g ON g.county_id = $1 AND g.code = f.code
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(f.code, 9)
CROSS JOIN LATERAL (
    SELECT string_agg(d.name || '×' || l.quantity, '、' ORDER BY l.line) AS goods
    FROM points.redemption_line l
    JOIN points.product d ON d.county_id = $1 AND d.id = l.product_id
    WHERE l.county_id = $1 AND l.redemption_id = f.id) AS goods
ORDER BY f.at DESC, f.id DESC, f.kind DESC
"""
# From each shop the last by index, whatever the years before.
LATEST = """
SELECT max(last.at)
FROM points.shop h
CROSS JOIN LATERAL (
    SELECT r.at FROM points.redemption r
    WHERE r.county_id = $1 AND r.shop_id = h.id AND r.status = 'accepted'
    ORDER BY r.at DESC LIMIT 1) AS last
WHERE h.county_id = $1
"""
SUMS = """
SELECT count(*)::int AS rows, count(*) FILTER (WHERE e.kind = 'undo')::int AS undone,
       COALESCE(sum(e.sign * e.amount), 0)::int8 AS points
"""
TOTALS = f"{WORDS} {SUMS} {FOUND}"
# Whose village it is need not be looked up to add up the whole county.
COUNTY_TOTALS = f"""
{PERIOD} {SUMS}
FROM event e WHERE ($4::uuid IS NULL OR e.shop_id = $4) AND ($5::uuid IS NULL OR e.person_id = $5)
"""
# Reversals count against the category of what they take back, in the period they were posted. Who
# left before the period and still redeemed, or paid for it, stands where they worked last.
DAYS = (
    "($2::date::timestamp AT TIME ZONE 'Asia/Shanghai')",
    "(($3::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')",
)
SUMMARY = f"""
WITH {event(*DAYS)}, moved AS (
    SELECT m.person_id,
           split_part(CASE m.kind WHEN 'reverse' THEN o.code ELSE m.code END, '-', 1) AS category,
           CASE WHEN m.kind = 'deduct' OR (m.kind = 'reverse' AND o.kind <> 'deduct')
                THEN -m.amount ELSE m.amount END AS amount,
           COALESCE(o.kind, m.kind) = 'deduct' AS deduction
    FROM points.posting m
    LEFT JOIN points.posting o ON o.county_id = $1 AND o.id = m.target AND m.kind = 'reverse'
    WHERE m.county_id = $1 AND m.kind IN ('award', 'opening', 'deduct', 'reverse')
      AND COALESCE(m.day, (m.at AT TIME ZONE 'Asia/Shanghai')::date) BETWEEN $2 AND $3
), earned AS (
    SELECT person_id,
           sum(amount) FILTER (WHERE category = 'ORG') AS org,
           sum(amount) FILTER (WHERE category = 'SVC') AS svc,
           sum(amount) FILTER (WHERE category = 'OPN') AS opn,
           sum(amount) FILTER (WHERE category = 'MED') AS med,
           sum(amount) FILTER (WHERE category = 'CARE') AS care,
           sum(amount) FILTER (WHERE category = 'LAW') AS law,
           sum(amount) FILTER (WHERE deduction) AS deducted,
           sum(amount) FILTER (WHERE NOT deduction
               AND category NOT IN ('ORG', 'SVC', 'OPN', 'MED', 'CARE', 'LAW')) AS other,
           sum(amount) AS total
    FROM moved GROUP BY person_id
), spent AS (
    SELECT person_id, sum(sign * amount) AS redeemed FROM event GROUP BY person_id
), former AS (
    SELECT DISTINCT ON (x.person_id) x.id
    FROM (SELECT person_id FROM earned UNION SELECT person_id FROM spent) AS m
    JOIN shared.assignment x ON x.county_id = $1 AND x.person_id = m.person_id
      AND x.valid_from <= $3
    JOIN shared.post o ON o.county_id = $1 AND o.id = x.post_id AND o.role = 'gridworker'
    ORDER BY x.person_id, (x.valid_to <= $3) IS TRUE, x.valid_from DESC, x.id
), worker AS (
    SELECT DISTINCT ON (x.person_id) x.person_id, w.code, w.name AS grid
    FROM shared.assignment x
    JOIN shared.post o ON o.county_id = $1 AND o.id = x.post_id AND o.role = 'gridworker'
    JOIN shared.unit w ON w.county_id = $1 AND w.id = o.unit_id
    WHERE x.county_id = $1 AND x.valid_from <= $3
      AND (x.valid_to IS NULL OR x.valid_to > $2 OR x.id IN (SELECT id FROM former))
      AND EXISTS (SELECT FROM unnest($4::text[]) c WHERE starts_with(w.code, c))
    ORDER BY x.person_id, (x.valid_to <= $3) IS TRUE, x.valid_from DESC, w.code
), wallet AS (
    SELECT person_id, sum(remaining - held) AS wallet FROM points.lot
    WHERE county_id = $1 AND live AND (expires_on IS NULL OR expires_on >= $5
        OR points.appealing($1, person_id))
    GROUP BY person_id
)
SELECT t.name AS township, v.name AS village, w.grid, p.name AS worker,
       COALESCE(e.org, 0)::int8 AS org, COALESCE(e.svc, 0)::int8 AS svc,
       COALESCE(e.opn, 0)::int8 AS opn, COALESCE(e.med, 0)::int8 AS med,
       COALESCE(e.care, 0)::int8 AS care, COALESCE(e.law, 0)::int8 AS law,
       COALESCE(e.other, 0)::int8 AS other, COALESCE(e.deducted, 0)::int8 AS deducted,
       COALESCE(e.total, 0)::int8 AS total, COALESCE(s.redeemed, 0)::int8 AS redeemed,
       COALESCE(l.wallet, 0)::int8 AS wallet
FROM worker w
JOIN shared.person p ON p.county_id = $1 AND p.id = w.person_id
JOIN shared.unit v ON v.county_id = $1 AND v.code = left(w.code, 12)
JOIN shared.unit t ON t.county_id = $1 AND t.code = left(w.code, 9)
LEFT JOIN earned e ON e.person_id = w.person_id
LEFT JOIN spent s ON s.person_id = w.person_id
LEFT JOIN wallet l ON l.person_id = w.person_id
ORDER BY w.code COLLATE "C", p.name_pinyin COLLATE "C", p.id
"""


async def ledger(
    county_id: int, wanted: LedgerFilter, codes: Sequence[str], page: tuple[int, int]
) -> list[LedgerRow]:
    """Redemptions and undoings of the subtrees, newest first; ``page`` is (limit, offset)."""
    async with planned_each_time():
        return await DB.all(
            LedgerRow,
            LEDGER,
            county_id,
            wanted.first,
            wanted.last,
            wanted.text,
            wanted.shop_id,
            wanted.worker_id,
            list(codes),
            *page,
        )


async def totals(county_id: int, wanted: LedgerFilter, codes: Sequence[str]) -> LedgerTotals:
    """What all pages of the ledger come to."""
    sql = COUNTY_TOTALS
    given: tuple[object, ...] = (wanted.shop_id, wanted.worker_id)
    if wanted.text or county_code(county_id) not in codes:
        sql, given = TOTALS, (wanted.text, *given, list(codes))
    async with planned_each_time():
        found = await DB.one(LedgerTotals, sql, county_id, wanted.first, wanted.last, *given)
    return found or LedgerTotals(rows=0, undone=0, points=0)


async def latest(county_id: int) -> datetime | None:
    """When anything was last redeemed in the county."""
    found: datetime | None = await DB.fetchval(LATEST, county_id)
    return found


async def summary(
    county_id: int, first: date, last: date, codes: Sequence[str], on: datetime
) -> list[SummaryRow]:
    async with planned_each_time():
        return await DB.all(SummaryRow, SUMMARY, county_id, first, last, list(codes), today(on))
