"""What cases do by themselves at night: terms lapse, broken promises are marked, data is purged."""

from datetime import datetime

from appraisal.casework import service
from appraisal.pool import service as pool
from shared.retention.registry import APPLICANT, OBJECTOR, PROTECTION
from shared.scheduling.job import Job, last_day


async def _clock(county_id: int, _period: str, now: datetime) -> str:
    lapsed, late = await service.clock(county_id, now)
    return f"期满 {lapsed} 件，逾期 {late} 件"


async def _purge(county_id: int, _period: str, now: datetime) -> str:
    return f"清除未录用人员信息 {await pool.purge(county_id, now)} 人"


async def _erase(county_id: int, _period: str, now: datetime) -> str:
    return f"清除反映人信息 {await service.erase_objectors(county_id, now)} 件"


async def _forget(county_id: int, _period: str, now: datetime) -> str:
    return f"清除保护期和近亲属登记 {await pool.forget(county_id, now)} 条"


JOBS = (
    Job("casework.clock", "15 0 * * *", last_day(), _clock),
    Job(OBJECTOR.job, "25 0 * * *", last_day(), _erase),
    Job(APPLICANT.job, "35 0 * * *", last_day(), _purge),
    Job(PROTECTION.job, "45 0 * * *", last_day(), _forget),
)
