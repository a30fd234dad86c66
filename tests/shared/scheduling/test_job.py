from datetime import UTC, datetime

import pytest

from shared.scheduling import job

COUNTY = 990001


@pytest.mark.parametrize(
    ("at", "newest"),
    [
        (datetime(2026, 10, 31, 15, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 10, 31, 16, 0, tzinfo=UTC), "2026-10"),  # midnight in China
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), "2026-12"),
    ],
)
def test_month_is_due_from_the_first_in_china(at: datetime, newest: str) -> None:
    due = job.months()(at, COUNTY)
    assert due[-1] == newest
    assert len(due) == job.MONTHS_BACK
    assert due == sorted(due)


def test_month_due_later_waits_for_its_hour() -> None:
    periods = job.months(hour=2)
    assert periods(datetime(2026, 10, 31, 17, 59, tzinfo=UTC), COUNTY)[-1] == "2026-09"
    assert periods(datetime(2026, 10, 31, 18, 0, tzinfo=UTC), COUNTY)[-1] == "2026-10"


def test_days_catch_up_and_sweeps_do_not() -> None:
    at = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert job.days(back=2)(at, COUNTY) == ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert job.last_day(hour=9)(at, COUNTY) == ["2026-11-23"]
    assert job.last_slot(15)(at.replace(minute=44), COUNTY) == ["2026-11-24T08:30"]
