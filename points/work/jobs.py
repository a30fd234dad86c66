"""What work does by itself at night.

Steps follow the posts they wait for; months whose notice has ended and deductions whose appeal
term has lapsed reach the ledger.
"""

from datetime import datetime
from pathlib import Path

from points.rulebook.rules import show
from points.work import appraisal_awards, deductions, month, photos, service
from shared.retention.registry import PHOTO
from shared.roster.rules import county_code
from shared.scheduling.job import Job, last_day


async def _post(county_id: int, _period: str, now: datetime) -> str:
    totals = await month.post_ended(county_id, now)
    return f"入账 {totals.records} 条，{show(totals.posted)} 分"


async def _deduct(county_id: int, _period: str, now: datetime) -> str:
    return f"扣分入账 {await deductions.post_lapsed(county_id, now)} 件"


async def _refresh(county_id: int, _period: str, now: datetime) -> str:
    return f"换人核实 {await service.refresh(county_id, county_code(county_id), now)} 步"


async def _award(county_id: int, _period: str, now: datetime) -> str:
    people, posted = await appraisal_awards.post_due(county_id, now)
    return f"年度优秀奖励 {people} 人，{show(posted)} 分"


JOBS = (
    Job("work.refresh", "10 0 * * *", last_day(), _refresh),
    Job("work.post", "20 0 * * *", last_day(), _post),
    Job("work.deduct", "25 0 * * *", last_day(), _deduct),
    Job("work.award", "28 0 * * *", last_day(), _award),
)


def photo_job(data_dir: Path) -> Job:
    """Evidence photos, which lie below ``data_dir``, go when their time is over."""

    async def run(county_id: int, _period: str, now: datetime) -> str:
        return f"清除工作照片 {await photos.erase_over(data_dir, county_id, now)} 张"

    return Job(PHOTO.job, "20 3 * * *", last_day(3), run)
