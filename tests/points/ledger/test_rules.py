"""When points end."""

from datetime import date

import pytest

from points.ledger.rules import Policy, expires_on, last_day


@pytest.mark.parametrize(
    ("policy", "earned", "ends"),
    [
        ("year_end_plus_one", date(2026, 1, 1), date(2027, 12, 31)),
        ("year_end", date(2026, 12, 31), date(2026, 12, 31)),
        ("quarter_end", date(2026, 1, 31), date(2026, 3, 31)),
        ("quarter_end", date(2026, 6, 30), date(2026, 6, 30)),
        ("quarter_end", date(2026, 12, 1), date(2026, 12, 31)),
        ("days_365", date(2027, 3, 1), date(2028, 2, 29)),
        ("never", date(2026, 1, 1), None),
    ],
)
def test_last_day_of_each_policy(policy: Policy, earned: date, ends: date | None) -> None:
    """Each policy's last day, at the edges of its period."""
    assert expires_on(policy, earned) == ends


@pytest.mark.parametrize(
    ("policy", "earned", "posted", "ends"),
    [
        ("year_end", date(2026, 12, 20), date(2027, 1, 15), date(2027, 12, 31)),
        ("year_end", date(2026, 11, 20), date(2026, 12, 31), date(2026, 12, 31)),
        ("quarter_end", date(2026, 9, 20), date(2026, 10, 15), date(2026, 12, 31)),
        ("quarter_end", date(2026, 8, 20), date(2026, 9, 15), date(2026, 9, 30)),
        ("year_end_plus_one", date(2026, 12, 20), date(2027, 1, 15), date(2027, 12, 31)),
        ("never", date(2026, 12, 20), date(2027, 1, 15), None),
    ],
)
def test_points_do_not_end_before_they_are_posted(
    policy: Policy, earned: date, posted: date, ends: date | None
) -> None:
    """December's work is posted in January; what is posted in time ends as it was earned."""
    assert last_day(policy, earned, posted) == ends
