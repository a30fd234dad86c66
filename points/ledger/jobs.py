"""What the ledger does by itself: days close, holds and codes end, points expire, books prove.

Each sweep makes up for all that were missed, so only the latest slot or day ever runs.
"""

from datetime import date, datetime

from points.ledger import service
from points.ledger.seal import service as seal
from points.ledger.storage import service as storage
from points.ledger.verifier import service as verifier
from shared import settings_county
from shared.clock import today
from shared.errors import Conflict
from shared.retention.registry import CODE
from shared.scheduling.job import Job, last_day, last_slot, months


class BooksBroken(Conflict):
    """The nightly check found a broken invariant: the run fails, so that it is seen."""

    code = "books_broken"


class StorageBehind(Conflict):
    """Transfers have no partition of their own: nothing is lost, somebody should look."""

    code = "storage_behind"


async def _partitions(_county_id: int, _period: str, now: datetime) -> str:
    moved = await storage.prepare(now)
    found = await storage.storage()
    if not found.ready(now):
        raise StorageBehind(
            f"台账分区只到 {today(found.until):%Y-%m-%d}，有 {found.strays} 笔转账放在后备分区。"
            "数据没有丢失；请核对服务器时间，再运行 gridmerit migrate。"
        )
    return f"台账分区备到 {today(found.until):%Y-%m-%d}" + (f"，归位 {moved} 笔" if moved else "")


async def _closing(county_id: int, period: str, now: datetime) -> str:
    written = await storage.close_month(county_id, int(period.replace("-", "")), now)
    return "已有更晚的月结" if written is None else f"月结 {written} 个账户"


async def _holds(county_id: int, _period: str, now: datetime) -> str:
    return f"作废过期预订 {await service.expire_holds(county_id, now)} 份"


async def _codes(county_id: int, _period: str, now: datetime) -> str:
    return f"清理旧兑换码 {await service.purge_codes(county_id, now)} 个"


async def _expiry(county_id: int, period: str, _now: datetime) -> str:
    written_off = await service.expire_lots(county_id, date.fromisoformat(period))
    return f"到期清零 {written_off} 批"


async def _awaiting(county_id: int, _period: str, now: datetime) -> str:
    settings = await settings_county.get(county_id)
    released = await service.release_waiting(county_id, settings.expiry_policy, today(now))
    return f"补发待拨付 {released / 10:g} 分"


async def _seal(county_id: int, _period: str, now: datetime) -> str:
    return f"封账 {await seal.close_days(county_id, now)} 天"


async def _verify(county_id: int, _period: str, _now: datetime) -> str:
    verdict = await verifier.verify(county_id)
    if verdict.findings:
        first = verdict.findings[0]
        raise BooksBroken(
            f"台账有 {len(verdict.findings)} 处不符：{first.invariant}，{first.thing} {first.id}，"
            f"{first.detail}。请停止入账并联系维护人员。"
        )
    return f"{verdict.transfers} 笔转账、{verdict.batches} 个批次，全部相符"


JOBS = (
    Job("ledger.seal", "5 0 * * *", last_day(), _seal),
    Job("ledger.partitions", "10 0 * * *", last_day(), _partitions),
    Job("ledger.closing", "30 1 * * *", months(hour=1), _closing),
    Job("ledger.holds", "*/5 * * * *", last_slot(5), _holds),
    Job(CODE.job, "20 0 * * *", last_day(), _codes),
    Job("ledger.expiry", "30 0 * * *", last_day(), _expiry),
    Job("ledger.awaiting", "40 0 * * *", last_day(), _awaiting),
    Job("ledger.verify", "0 3 * * *", last_day(3), _verify),
)
