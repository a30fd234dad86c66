"""What the survey does by itself: count what waits, forget what is old."""

from datetime import datetime, timedelta

from appraisal.survey import ballots, service
from shared.retention.registry import SURVEY
from shared.scheduling.job import Job, last_day, last_slot

KEPT = timedelta(days=SURVEY.days)
"""Words, slips and who noted which visit stay for a year after the survey is closed."""


async def _count(county_id: int, _period: str, _now: datetime) -> str:
    return f"归档测评票 {await ballots.count(county_id)} 张"


async def _forget(county_id: int, _period: str, now: datetime) -> str:
    comments, slips, visits = await service.forget(county_id, now - KEPT)
    return f"清理意见 {comments} 条、票 {slips} 张、访问登记 {visits} 条"


JOBS = (
    Job("survey.count", "*/10 * * * *", last_slot(10), _count),
    Job(SURVEY.job, "40 2 * * *", last_day(2), _forget),
)
