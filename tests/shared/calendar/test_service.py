from datetime import date

import pytest

from shared.calendar import service
from shared.calendar.errors import MissingYear
from shared.database import DB

COUNTY = 990001


async def test_first_use_seeds_the_year(rollback: None) -> None:
    assert await service.add_working_days(COUNTY, date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert not await service.is_working_day(COUNTY, date(2026, 10, 1))
    rows = await DB.fetchval(
        "SELECT count(*) FROM shared.calendar_exception WHERE county_id = $1", COUNTY
    )
    assert rows > 30


async def test_missing_year_stops_a_period_that_reaches_it(rollback: None) -> None:
    with pytest.raises(MissingYear, match="2027年"):
        await service.add_working_days(COUNTY, date(2026, 12, 30), 5)
    assert await service.missing(COUNTY, date(2026, 11, 24)) == [2027]
    assert await service.missing(COUNTY, date(2026, 10, 24)) == []
