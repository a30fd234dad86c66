"""When wallet points end; the day is fixed on the lot when it is earned."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal

Policy = Literal["year_end_plus_one", "quarter_end", "year_end", "days_365", "never"]


def last_day(policy: Policy, earned_on: date, posted_on: date) -> date | None:
    """The last day of points that reach the wallet later than they were earned.

    A month is posted when the next is under way; what would have ended by then, before anybody
    could spend it, counts as earned on the day it is posted.
    """
    ends = expires_on(policy, earned_on)
    return expires_on(policy, posted_on) if ends is not None and ends < posted_on else ends


def expires_on(policy: Policy, earned_on: date) -> date | None:
    """The last day on which points earned on a day can be spent; None = never ends."""
    match policy:
        case "year_end_plus_one":
            return date(earned_on.year + 1, 12, 31)
        case "year_end":
            return date(earned_on.year, 12, 31)
        case "quarter_end":
            month = (earned_on.month + 2) // 3 * 3
            return date(earned_on.year, month, monthrange(earned_on.year, month)[1])
        case "days_365":
            return earned_on + timedelta(days=365)
        case "never":
            return None
