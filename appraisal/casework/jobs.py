"""What cases do by themselves at night: terms lapse, broken promises are marked, data is purged."""

from datetime import datetime

from appraisal.casework import service
from appraisal.pool import service as pool
from shared.scheduling.job import Job, last_day


async def _clock(county_id: int, _period: str, now: datetime) -> str:
    lapsed, late = await service.clock(county_id, now)
    return f"期满 {lapsed} 件，逾期 {late} 件"


async def _purge(county_id: int, _period: str, now: datetime) -> str:
    return f"清除未录用人员信息 {await pool.purge(county_id, now)} 人"


async def _erase(county_id: int, _period: str, now: datetime) -> str:
    return f"清除反映人信息 {await service.erase_objectors(county_id, now)} 件"


JOBS = (
    Job("casework.clock", "15 0 * * *", last_day(), _clock),
    Job("casework.erase", "25 0 * * *", last_day(), _erase),
    Job("pool.purge", "35 0 * * *", last_day(), _purge),
)
