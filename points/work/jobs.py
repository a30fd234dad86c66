"""What work does by itself at night.

Steps follow the posts they wait for; months whose notice has ended and deductions whose appeal
term has lapsed reach the ledger.
"""

from datetime import datetime

from points.rulebook.rules import show
from points.work import deductions, month, service
from shared.scheduling.job import Job, last_day


async def _post(county_id: int, _period: str, now: datetime) -> str:
    totals = await month.post_ended(county_id, now)
    return f"入账 {totals.records} 条，{show(totals.posted)} 分"


async def _deduct(county_id: int, _period: str, now: datetime) -> str:
    return f"扣分入账 {await deductions.post_lapsed(county_id, now)} 件"


async def _refresh(county_id: int, _period: str, now: datetime) -> str:
    return f"换人核实 {await service.refresh(county_id, f'{county_id:06d}', now)} 步"


JOBS = (
    Job("work.refresh", "10 0 * * *", last_day(), _refresh),
    Job("work.post", "20 0 * * *", last_day(), _post),
    Job("work.deduct", "25 0 * * *", last_day(), _deduct),
)
