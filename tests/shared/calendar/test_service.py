import asyncio
from datetime import date
from uuid import uuid4

import pytest

from shared.calendar import rules, service
from shared.calendar.errors import MissingYear
from shared.database import DB
from shared.errors import Invalid
from shared.identity.actor import Actor, Duty
from shared.roster.roles import Role
from tests.shared.calendar.test_rules import NEW_YEAR

COUNTY = 990001
ACTOR = Actor(
    county_id=COUNTY,
    person_id=uuid4(),
    name="李干事",
    account_id=uuid4(),
    session_id=uuid4(),
    duties=(Duty(Role.DEPARTMENT, str(COUNTY), uuid4()),),
)


async def test_first_use_seeds_the_year(rollback: None) -> None:
    assert await service.add_working_days(COUNTY, date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert await service.working_days(COUNTY, date(2026, 10, 1), date(2026, 10, 1)) == 0
    rows = await DB.fetchval(
        "SELECT count(*) FROM shared.calendar_exception WHERE county_id = $1", COUNTY
    )
    assert rows > 30


async def test_missing_year_stops_a_period_that_reaches_it(rollback: None) -> None:
    with pytest.raises(MissingYear, match=r"2027年.*请主管部门在"):
        await service.add_working_days(COUNTY, date(2026, 12, 30), 5)
    assert await service.missing(COUNTY, date(2026, 11, 24)) == [2027]
    assert await service.missing(COUNTY, date(2026, 10, 24)) == []


async def test_department_enters_a_year_and_the_table_wins(rollback: None) -> None:
    await service.replace_year(ACTOR, 2027, NEW_YEAR)
    assert await service.add_working_days(COUNTY, date(2026, 12, 30), 2) == date(2027, 1, 4)
    await service.replace_year(ACTOR, 2027, NEW_YEAR + "2027-01-04 休 元旦\n")
    assert await service.next_working_day(COUNTY, date(2027, 1, 1)) == date(2027, 1, 5)
    events = await DB.fetchval(
        "SELECT count(*) FROM shared.audit_event WHERE county_id = $1"
        " AND action = 'calendar.replace'",
        COUNTY,
    )
    assert events == 2


async def test_of_two_who_enter_a_year_at_once_one_counts(committed: None) -> None:
    """Never a mixture of both, nor of one and what is published: whoever saved last is believed."""
    texts = [NEW_YEAR + line for line in ("2027-10-09 班\n", "2027-10-16 班\n")]
    wanted = [rules.parse_year(2027, text)[0] for text in texts]
    for _ in range(5):
        await asyncio.gather(*(service.replace_year(ACTOR, 2027, text) for text in texts))
        assert await service.year(COUNTY, 2027) in wanted
    text = rules.as_text(rules.library_year(2026)).replace("2026-10-10 班", "2026-10-17 班")
    await asyncio.gather(service.year(COUNTY, 2026), service.replace_year(ACTOR, 2026, text))
    assert await service.year(COUNTY, 2026) == rules.parse_year(2026, text)[0]


async def test_faulty_year_changes_nothing(rollback: None) -> None:
    before = await service.year(COUNTY, 2026)
    with pytest.raises(Invalid) as raised:
        await service.replace_year(ACTOR, 2026, "2026-01-01 休")
    assert "5月1日" in raised.value.fields["days"]
    assert await service.year(COUNTY, 2026) == before


async def test_working_days_of_a_stretch(rollback: None) -> None:
    """October 2026: 22 weekdays, five of them holidays, one worked Saturday; over a year's end."""
    assert await service.working_days(COUNTY, date(2026, 10, 1), date(2026, 10, 31)) == 18
    assert await service.working_days(COUNTY, date(2025, 12, 31), date(2026, 1, 4)) == 2
    assert await service.working_days(COUNTY, date(2026, 10, 2), date(2026, 10, 1)) == 0
    with pytest.raises(MissingYear, match="2027年"):
        await service.working_days(COUNTY, date(2026, 12, 1), date(2027, 1, 1))
