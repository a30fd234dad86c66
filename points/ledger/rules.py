"""When earned points end: pure functions of the policy and the day."""

from datetime import date, timedelta


def expires_on(policy: str, earned: date) -> date | None:
    """The last day on which points earned on a day can be spent; None = never.

    ``year_end_plus_one`` (the default): a lot earned in year Y ends on 31 December of Y+1.
    Raises ValueError for an unknown policy.
    """
    if policy == "year_end_plus_one":
        return date(earned.year + 1, 12, 31)
    if policy == "year_end":
        return date(earned.year, 12, 31)
    if policy == "quarter_end":
        month = (earned.month - 1) // 3 * 3 + 3
        after = date(earned.year + month // 12, month % 12 + 1, 1)
        return after - timedelta(days=1)
    if policy == "days_365":
        return earned + timedelta(days=365)
    if policy == "never":
        return None
    raise ValueError(f"unknown expiry policy {policy!r}")
