"""A month of random records against a plain second reading of the rules."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from points.ledger import service as ledger
from points.rulebook.defaults import CAPS, RULES
from points.work import bulk, intake
from shared.database import DB
from tests.factories import COUNTY, small_county
from tests.points.work.test_intake import HEAD

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)
WORKERS = (("421222100001001", "欧阳金山"), ("421222100001002", "苏建国"))
BY_CODE = {rule.code: rule for rule in RULES}
CODES = ("ORG-01", "ORG-02", "SVC-01", "SVC-02", "OPN-01", "OPN-02", "MED-01", "LAW-02", "CARE-04")
TEXTS = ("甲", "乙", "丙")

Row = tuple[date, str, str, str, str]


def rows_of(seed: int) -> list[Row]:
    chance = random.Random(seed)
    found = []
    for _ in range(160):
        grid, name = chance.choice(WORKERS)
        day = date(2026, 10, 1) + timedelta(days=chance.randrange(31))
        found.append((day, grid, name, chance.choice(CODES), chance.choice(TEXTS)))
    return found


def oracle(rows: list[Row]) -> dict[tuple[str, str], int]:
    """Points by worker and rule, 0.1: sorted, duplicates out, repeats zero, caps one by one."""
    given: dict[tuple[object, ...], int] = defaultdict(int)
    sums: dict[tuple[str, str], int] = defaultdict(int)
    reports: dict[tuple[str, str], list[date]] = defaultdict(list)
    for day, grid, name, code, text in sorted(dict.fromkeys(rows), key=lambda row: row[0]):
        rule = BY_CODE[code]
        amount = rule.points
        if rule.repeat_zero:
            if any((day - earlier).days <= 7 for earlier in reports[grid, text]):
                continue
            reports[grid, text].append(day)
        limits = (
            ((name, code, day), rule.cap_day),
            ((name, code), rule.cap_month),
            ((name, rule.category), CAPS.category_month[rule.category]),
            ((name,), CAPS.person_month),
        )
        for key, limit in limits:
            if limit is not None:
                amount = min(amount, limit - given[key])
        for key, _ in limits:
            given[key] += amount
        sums[name, code] += amount
    return {key: value for key, value in sums.items() if value}


@pytest.mark.parametrize("seed", range(4))
async def test_the_ledger_gets_what_the_rules_say(rollback: None, seed: int) -> None:
    """Every worker's every rule agrees, and the balances are their sums."""
    town = await small_county()
    rows = rows_of(seed)
    lines = [f"{day},{grid},{name},{code},{text}," for day, grid, name, code, text in rows]
    result = await intake.import_work(
        None, COUNTY, "\n".join([HEAD, *lines]).encode(), "a.csv", now=NOW
    )
    await bulk.verify_month(COUNTY, 202610, NOW)
    totals, _ = await bulk.post_month(COUNTY, 202610, NOW)
    found = await DB.fetch(
        "SELECT p.name, r.rule_code, sum(r.posted)::int8 AS posted FROM points.work_record r"
        " JOIN shared.person p ON p.county_id = $1 AND p.id = r.worker_id"
        " WHERE r.county_id = $1 GROUP BY 1, 2 HAVING sum(r.posted) > 0",
        COUNTY,
    )
    expected = oracle(rows)
    assert {(row["name"], row["rule_code"]): row["posted"] for row in found} == expected
    assert result.counts == totals.posted == sum(expected.values())
    assert totals.gives == totals.posted + sum(totals.cuts.values())
    for member in (town.worker, town.second_worker):
        merit = (await ledger.balances(COUNTY, member.person_id)).merit
        assert merit == sum(v for (name, _), v in expected.items() if name == member.name)
