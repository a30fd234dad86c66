"""When points end."""

from datetime import date

import pytest

from points.ledger.rules import Policy, expires_on


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
