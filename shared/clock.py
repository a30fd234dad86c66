"""The only place that asks what time it is.

Services take ``now`` as an argument where a test must move time; a page or job passes ``now()``.
"""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

try:
    LOCAL_ZONE: tzinfo = ZoneInfo("Asia/Shanghai")
except ZoneInfoNotFoundError:
    # So far that an administrator can be told (deploy.checks); China has one offset since 1991.
    LOCAL_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """The current instant, UTC and aware."""
    return datetime.now(UTC)


def today(at: datetime | None = None) -> date:
    """The date in China at an instant (default: now)."""
    return (at or now()).astimezone(LOCAL_ZONE).date()
