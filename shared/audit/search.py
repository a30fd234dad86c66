"""Reading the audit trail and 导出记录: by the department and the auditor, in their own subtree."""

import asyncio
from datetime import date, datetime, time, timedelta
from uuid import UUID

from shared.audit import queries
from shared.audit import service as audit
from shared.audit.schemas import Export, Filters, Line
from shared.clock import LOCAL_ZONE, today
from shared.dates import chinese_period
from shared.documents.excel import Column, Sheet, file_name, stamp, workbook
from shared.errors import Invalid
from shared.identity.access import Action, Target, require
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.roster import service as roster

PAGE = 50
EXPORT_LIMIT = 20_000
LONGEST_DAYS = 400
EARLIEST, LATEST = 2000, 2100
"""Years that can be asked for; a date's very first has no midnight in UTC."""
Cursor = tuple[datetime, UUID]


async def search(actor: Actor, filters: Filters, after: Cursor | None = None) -> list[Line]:
    """A page of events, latest first; raises NotFound, Invalid for an impossible period."""
    _require(actor, Action.AUDIT_READ, filters.unit)
    return await _search(actor, filters, after, PAGE)


async def export(
    actor: Actor, filters: Filters, purpose: str, now: datetime, department: str
) -> tuple[str, bytes]:
    """The events as an Excel file, its name and content, and a line in 导出记录.

    Raises NotFound, ConfirmFirst, Invalid without a purpose or above EXPORT_LIMIT rows.
    """
    _require(actor, Action.AUDIT_READ, filters.unit)
    require_confirmed(actor, now)
    if not purpose.strip():
        raise Invalid("请写明导出的用途。", {"purpose": "请写明导出的用途。"})
    lines = await _search(actor, filters, None, EXPORT_LIMIT + 1)
    if len(lines) > EXPORT_LIMIT:
        raise Invalid(f"超过 {EXPORT_LIMIT} 条，请缩短日期范围再导出。")
    await audit.log_export(actor, "审计记录", purpose, len(lines), now, unit_code=filters.unit)
    name = f"{await roster.unit_name(actor.county_id, filters.unit or actor.county_code)}审计记录"
    sheet = Sheet(
        name="审计记录",
        title=f"{name}（{chinese_period(filters.since, filters.until)}）",
        unit=department,
        on=today(now),
        columns=(
            Column("时间", "time", 18),
            Column("谁", width=10),
            Column("依据", width=20),
            Column("做了什么", width=16),
            Column("对谁", width=10),
            Column("单位", width=18),
            Column("变更", width=60),
            Column("原因", width=24),
        ),
        rows=[
            (
                line.at,
                line.who,
                line.right(department),
                line.what,
                line.about_name or "",
                line.unit_name or "",
                changes(line, department),
                line.reason,
            )
            for line in lines
        ],
    )
    content = await asyncio.to_thread(workbook, sheet, taken=stamp(actor.name, now))
    return file_name(name, f"{filters.since}至{filters.until}", now), content


async def exports(
    actor: Actor, since: date, until: date, who: str = "", after: Cursor | None = None
) -> list[Export]:
    """A page of 导出记录, latest first."""
    _require(actor, Action.EXPORT_LOG, "")
    first, last = span(since, until)
    return await queries.exports(actor.county_id, first, last, who, after, PAGE)


def span(since: date, until: date) -> tuple[datetime, datetime]:
    """Both days whole, in China; raises Invalid when they are turned round or too far apart."""
    known = EARLIEST <= since.year <= LATEST
    if not (known and timedelta(0) <= until - since <= timedelta(days=LONGEST_DAYS)):
        raise Invalid(f"结束日期不能早于开始日期，最多查 {LONGEST_DAYS} 天。")
    midnight = time(tzinfo=LOCAL_ZONE)
    return (
        datetime.combine(since, midnight),
        datetime.combine(until + timedelta(days=1), midnight),
    )


def changes(line: Line, department: str) -> str:
    """``field: before → after``, one after the other."""
    return "；".join(
        f"{name}：{old or '—'} → {new or '—'}" for name, old, new in line.changes(department)
    )


async def _search(actor: Actor, filters: Filters, after: Cursor | None, limit: int) -> list[Line]:
    first, last = span(filters.since, filters.until)
    return await queries.search(
        actor.county_id,
        first,
        last,
        filters.subject,
        filters.who,
        filters.unit,
        filters.object_id,
        after,
        limit,
    )


def _require(actor: Actor, action: Action, unit: str) -> None:
    require(actor, action, Target(unit_code=unit or actor.county_code))
