"""SQL of clues, each over a whole county's month at once. ``$1`` is the county everywhere.

``$2`` are the units whose subtrees are looked at, ``$3`` is the most lines that are answered. What
was redeemed is what the exchange ledger of the month shows; a record belongs to its run.
"""

from collections.abc import Sequence

from points.oversight import rules
from points.oversight.schemas import (
    Answered,
    Corrected,
    Late,
    OwnShop,
    Pair,
    Paper,
    Same,
    Undone,
)
from points.settlement.reports.queries import event
from points.settlement.rules import month_end, month_start
from shared.database import DB

PERIOD = f"""
WITH {event("$4::timestamptz", "$5::timestamptz")}
"""
AT_SHOP = """
JOIN points.shop s ON s.county_id = $1 AND s.id = f.shop_id
JOIN shared.unit u ON u.county_id = $1 AND u.id = s.unit_id
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(u.code, 9) AND t.code <> u.code
"""
IN_UNIT = """
LEFT JOIN shared.unit u ON u.county_id = $1 AND u.code = f.code
LEFT JOIN shared.unit t ON t.county_id = $1 AND t.code = left(f.code, 9) AND t.code <> f.code
"""
"""Where a finding ``f`` with a shop, or with a unit's code, is."""
MINE = "{} ^@ ANY ($2::text[])"
PAIRS = f"""
{PERIOD}, f AS MATERIALIZED (
    SELECT shop_id, person_id, count(*) AS times, sum(amount)::int8 AS points,
           (sum(count(*)) OVER shop)::int8 AS shop_times,
           (sum(sum(amount)) OVER shop)::int8 AS shop_points
    FROM event WHERE kind = 'redeem'
    GROUP BY shop_id, person_id WINDOW shop AS (PARTITION BY shop_id)
)
SELECT concat(t.name, u.name) AS place, f.shop_id, s.name AS shop, f.person_id, p.name, f.times,
       f.points, f.shop_times, f.shop_points
FROM f
JOIN shared.person p ON p.county_id = $1 AND p.id = f.person_id
{AT_SHOP}
WHERE {MINE.format("u.code")}
  AND (f.times >= $6 OR f.shop_times >= $7 AND f.points * 100 >= f.shop_points * $8)
ORDER BY f.times DESC, f.points DESC, p.id, s.id LIMIT $3
"""
OWN_SHOP = f"""
{PERIOD}, f AS MATERIALIZED (
    SELECT e.shop_id, e.person_id, count(*) AS times, sum(e.amount)::int8 AS points
    FROM event e
    WHERE e.kind = 'redeem' AND EXISTS (
        SELECT FROM shared.post o
        JOIN shared.assignment x ON x.county_id = $1 AND x.post_id = o.id
        WHERE o.county_id = $1 AND o.role = 'shopkeeper' AND o.subject_id = e.shop_id
          AND x.person_id = e.person_id
          AND x.valid_from <= (e.redeemed_at AT TIME ZONE 'Asia/Shanghai')::date
          AND (x.valid_to IS NULL
               OR x.valid_to > (e.redeemed_at AT TIME ZONE 'Asia/Shanghai')::date))
    GROUP BY e.shop_id, e.person_id
)
SELECT concat(t.name, u.name) AS place, f.shop_id, s.name AS shop, f.person_id, p.name, f.times,
       f.points
FROM f
JOIN shared.person p ON p.county_id = $1 AND p.id = f.person_id
{AT_SHOP}
WHERE {MINE.format("u.code")}
ORDER BY f.points DESC, p.id, s.id LIMIT $3
"""
UNDONE = f"""
{PERIOD}, f AS MATERIALIZED (
    SELECT shop_id, count(*) FILTER (WHERE kind = 'redeem') AS times,
           count(*) FILTER (WHERE kind = 'undo') AS undone,
           count(*) FILTER (WHERE kind = 'undo' AND authority <> 'shop') AS late
    FROM event GROUP BY shop_id
)
SELECT concat(t.name, u.name) AS place, f.shop_id, s.name AS shop, f.times, f.undone, f.late
FROM f
{AT_SHOP}
WHERE {MINE.format("u.code")} AND f.undone >= $6 AND f.undone * 100 >= f.times * $7
ORDER BY f.undone DESC, s.id LIMIT $3
"""
# Batches find a period by index, as in the exchange ledger.
CORRECTED = f"""
WITH f AS MATERIALIZED (
    SELECT m.shop_id, count(*) FILTER (WHERE m.kind = 'count' AND m.delta <> 0) AS counts,
           COALESCE(sum(m.delta) FILTER (WHERE m.kind = 'count' AND m.delta > 0), 0) AS found,
           COALESCE(-sum(m.delta) FILTER (WHERE m.kind = 'count' AND m.delta < 0), 0) AS missing,
           COALESCE(-sum(m.delta) FILTER (WHERE m.kind = 'out'), 0) AS taken
    FROM points.stock_move m
    WHERE m.county_id = $1 AND m.kind IN ('count', 'out') AND m.at >= $4 AND m.at < $5
      AND m.batch > points.batch_before($1, $4::timestamptz - interval '10 minutes')
    GROUP BY m.shop_id
)
SELECT concat(t.name, u.name) AS place, f.shop_id, s.name AS shop, f.counts, f.found, f.missing,
       f.taken
FROM f
{AT_SHOP}
WHERE {MINE.format("u.code")} AND f.found + f.missing + f.taken >= $6
ORDER BY f.found + f.missing + f.taken DESC, s.id LIMIT $3
"""
# Paper is typed, and files come, when the month is over: only what a worker typed counts.
LATE = f"""
WITH f AS MATERIALIZED (
    SELECT r.worker_id AS person_id, left(r.grid_code, 12) AS code, count(*) AS times,
           count(*) FILTER (WHERE r.work_date < d.late
               AND (r.declared_at AT TIME ZONE 'Asia/Shanghai')::date >= d.late) AS late
    FROM points.work_record r
    CROSS JOIN LATERAL (
        SELECT (date_trunc('month', r.work_date::timestamp) + interval '1 month'
                - interval '2 days')::date AS late) AS d
    WHERE r.county_id = $1 AND r.run_month = $4 AND r.standing AND r.source = 'phone'
      AND {MINE.format("r.grid_code")}
    GROUP BY r.worker_id, left(r.grid_code, 12)
)
SELECT concat(t.name, u.name) AS place, f.person_id, p.name, f.times, f.late
FROM f
JOIN shared.person p ON p.county_id = $1 AND p.id = f.person_id
{IN_UNIT}
WHERE f.late >= $5 AND f.late * 100 >= f.times * $6
ORDER BY f.late DESC, p.id, f.code LIMIT $3
"""
# The words of 专项帮教 are the rule's own.
SAME = f"""
WITH f AS MATERIALIZED (
    SELECT r.worker_id, left(r.grid_code, 12) AS code, r.rule_code, min(r.text) AS text,
           count(*) AS times
    FROM points.work_record r
    WHERE r.county_id = $1 AND r.run_month = $4 AND r.standing AND r.rule_code <> 'CARE-02'
      AND {MINE.format("r.grid_code")}
    GROUP BY r.worker_id, left(r.grid_code, 12), r.rule_code, r.text_key
    HAVING count(*) >= $5
)
SELECT concat(t.name, u.name) AS place, f.code AS village_code, p.name, f.rule_code, f.text, f.times
FROM f
JOIN shared.person p ON p.county_id = $1 AND p.id = f.worker_id
{IN_UNIT}
ORDER BY f.times DESC, p.id, f.rule_code LIMIT $3
"""
# Two steps of a record that one person answers are one; a signed sheet has been read on paper.
ANSWERED = f"""
WITH answer AS (
    SELECT v.by_id, v.record_id, max(v.at) AS at, bool_or(v.verdict <> 'approve') AS back,
           min(split_part(v.authority, '@', 2)) AS code
    FROM points.work_record r
    JOIN points.verification v ON v.county_id = $1 AND v.record_id = r.id
      AND v.verdict <> 'open' AND v.via = 'page'
    WHERE r.county_id = $1 AND r.run_month = $4 AND {MINE.format("r.grid_code")}
    GROUP BY v.by_id, v.record_id
), paced AS (
    SELECT by_id, back, code,
           count(*) OVER (PARTITION BY by_id ORDER BY at
                          RANGE BETWEEN interval '1 minute' PRECEDING AND CURRENT ROW) AS minute
    FROM answer
), f AS MATERIALIZED (
    SELECT by_id, min(code) AS code, count(*) AS times, count(*) FILTER (WHERE back) AS sent_back,
           max(minute) AS minute
    FROM paced GROUP BY by_id
)
SELECT concat(t.name, u.name) AS place, f.by_id AS person_id, p.name, f.times, f.sent_back, f.minute
FROM f
JOIN shared.person p ON p.county_id = $1 AND p.id = f.by_id
{IN_UNIT}
WHERE f.times >= $5 AND f.sent_back = 0 OR f.minute >= $6
ORDER BY f.minute DESC, f.times DESC, p.id LIMIT $3
"""
PAPER = f"""
WITH f AS MATERIALIZED (
    SELECT r.entered_by, v.by_id, left(r.grid_code, 12) AS code, count(DISTINCT r.id) AS times,
           count(DISTINCT r.worker_id) AS workers,
           count(DISTINCT r.id) FILTER (
               WHERE v.at < r.declared_at + make_interval(mins => $6::int)) AS soon
    FROM points.work_record r
    JOIN points.verification v ON v.county_id = $1 AND v.record_id = r.id
      AND v.verdict = 'approve' AND length(split_part(v.authority, '@', 2)) >= 12
    WHERE r.county_id = $1 AND r.run_month = $4 AND r.standing AND r.source = 'proxy'
      AND {MINE.format("r.grid_code")}
    GROUP BY r.entered_by, v.by_id, left(r.grid_code, 12)
    HAVING count(DISTINCT r.id) >= $5
)
SELECT concat(t.name, u.name) AS place, f.entered_by AS person_id, p.name, o.name AS other, f.times,
       f.workers, f.soon
FROM f
JOIN shared.person p ON p.county_id = $1 AND p.id = f.entered_by
JOIN shared.person o ON o.county_id = $1 AND o.id = f.by_id
{IN_UNIT}
ORDER BY f.times DESC, p.id, o.id LIMIT $3
"""


async def pairs(county_id: int, codes: Sequence[str], month: str) -> list[Pair]:
    least = (rules.PAIR_TIMES, rules.SHOP_TIMES, rules.SHARE)
    return await DB.all(Pair, PAIRS, county_id, list(codes), rules.MOST, *_span(month), *least)


async def own_shop(county_id: int, codes: Sequence[str], month: str) -> list[OwnShop]:
    return await DB.all(OwnShop, OWN_SHOP, county_id, list(codes), rules.MOST, *_span(month))


async def undone(county_id: int, codes: Sequence[str], month: str) -> list[Undone]:
    least = (rules.UNDONE_TIMES, rules.UNDONE_SHARE)
    return await DB.all(Undone, UNDONE, county_id, list(codes), rules.MOST, *_span(month), *least)


async def corrected(county_id: int, codes: Sequence[str], month: str) -> list[Corrected]:
    given = (rules.MOST, *_span(month), rules.PIECES)
    return await DB.all(Corrected, CORRECTED, county_id, list(codes), *given)


async def late(county_id: int, codes: Sequence[str], month: str) -> list[Late]:
    given = (rules.MOST, _run(month), rules.LATE_TIMES, rules.LATE_SHARE)
    return await DB.all(Late, LATE, county_id, list(codes), *given)


async def same(county_id: int, codes: Sequence[str], month: str) -> list[Same]:
    given = (rules.MOST, _run(month), rules.SAME_TIMES)
    return await DB.all(Same, SAME, county_id, list(codes), *given)


async def answered(county_id: int, codes: Sequence[str], month: str) -> list[Answered]:
    given = (rules.MOST, _run(month), rules.PASSED_TIMES, rules.MINUTE_TIMES)
    return await DB.all(Answered, ANSWERED, county_id, list(codes), *given)


async def paper(county_id: int, codes: Sequence[str], month: str) -> list[Paper]:
    given = (rules.MOST, _run(month), rules.PAPER_TIMES, rules.PAPER_MINUTES)
    return await DB.all(Paper, PAPER, county_id, list(codes), *given)


def _span(month: str) -> tuple[object, object]:
    return month_start(month), month_end(month)


def _run(month: str) -> int:
    """2026-10 → 202610, as records name their run."""
    return int(month.replace("-", ""))
