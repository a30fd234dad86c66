"""Duty's lists as workbooks, each with a line in 导出记录."""

import asyncio
from datetime import datetime
from uuid import UUID

import msgspec

from appraisal.duty import drawing, entries, entry_sheets, random_sheets, rules, service, sheets
from appraisal.duty.entries import Filter
from appraisal.duty.rules import EntryKind
from shared.audit import service as audit
from shared.clock import today
from shared.documents import excel
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.months import month_text
from shared.roster import service as roster

Made = tuple[str, bytes]
"""File name and content."""


async def attendance(actor: Actor, unit_code: str, month: int, purpose: str, now: datetime) -> Made:
    """A unit's sheet of a month. Raises NotFound, ConfirmFirst."""
    expect_right(actor, unit_code, now)
    lines = await service.sheet(actor, unit_code, month)
    sheet = await sheets.attendance_sheet(actor, month, lines, today(now))
    period = month_text(month)
    return await logged(actor, "考勤表", period, sheet, len(lines), purpose, now, unit_code)


async def entry_list(
    actor: Actor, kind: EntryKind, given: Filter, purpose: str, now: datetime
) -> Made:
    """A list of entries of one kind. Raises NotFound, ConfirmFirst, Invalid."""
    expect_right(actor, given.unit, now)
    rows = await entries.all_listed(actor, given)
    sheet = await entry_sheets.entry_sheet(actor, kind, rows, today(now))
    name = f"{rules.KIND_NAMES[kind]}台账"
    period = f"{today(now):%Y-%m}"
    return await logged(actor, name, period, sheet, len(rows), purpose, now, given.unit)


async def random_check(actor: Actor, check_id: UUID, purpose: str, now: datetime) -> Made:
    """What a check drew and found. Raises NotFound, ConfirmFirst."""
    check = await drawing.view(actor, check_id)
    expect_right(actor, check.unit_code, now)
    items = await drawing.items(actor, check_id)
    title = f"双随机核查登记表（{check.title}）"
    sheet = await random_sheets.random_sheet(
        actor, [(check, item) for item in items], title, today(now)
    )
    name = f"双随机核查_{check.title}"
    period, unit = f"{check.last_day:%Y-%m}", check.unit_code
    return await logged(actor, name, period, sheet, len(items), purpose, now, unit)


def expect_right(actor: Actor, unit_code: str, now: datetime) -> None:
    """Whoever takes a file out may, and has just given the password.

    Raises NotFound, ConfirmFirst.
    """
    if unit_code or not reach(actor, Action.EXPORT):
        require(actor, Action.EXPORT, Target(unit_code=unit_code or actor.county_code))
    require_confirmed(actor, now)


async def logged(
    actor: Actor,
    name: str,
    period: str,
    sheet: excel.Sheet,
    rows: int,
    purpose: str,
    now: datetime,
    unit_code: str = "",
) -> Made:
    """The workbook, written down in 导出记录; its titles say whose list it is."""
    taken, reached = excel.stamp(actor.name, now), reach(actor, Action.EXPORT)
    code = unit_code or (reached[0] if len(reached) == 1 else actor.county_code)
    whose = await roster.unit_name(actor.county_id, code)
    sheet = msgspec.structs.replace(sheet, title=f"{whose}{sheet.title}")
    content = await asyncio.to_thread(excel.workbook, sheet, taken=taken)
    await audit.log_export(actor, name, purpose or "考核", rows, now, unit_code=unit_code)
    return excel.file_name(f"{whose}{name}", period, now), content
