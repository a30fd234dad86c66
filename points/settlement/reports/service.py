"""The exchange ledger on screen and as a file, and the summary of points as a file.

A file leaves the house, so each one needs a recent password, names its purpose and is logged.
The console writes the same files without a person: the audit trail says so.
"""

import asyncio
from datetime import date, datetime
from uuid import UUID

from points.ledger.seal import service as seal
from points.settlement import rules
from points.settlement.reports import documents, queries
from points.settlement.reports.schemas import LedgerFilter, LedgerRow, LedgerTotals, SummaryRow
from shared.audit import service as audit
from shared.clock import LOCAL_ZONE, today
from shared.clock import now as clock_now
from shared.documents.excel import file_name, stamp
from shared.errors import Invalid, NotFound
from shared.identity import sessions
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.months import month_days, month_of
from shared.roster import service as roster
from shared.roster.rules import county_code

PAGE = 50
MOST_ROWS = 100_000
CONSOLE = "控制台"
"""Who takes a file out on the console."""
LONGEST = 366
"""Days of one period."""
EARLIEST, LATEST = 2000, 2099
"""Years in which there can be a redemption."""
File = tuple[str, bytes]
"""Name and content."""


async def ledger(
    actor: Actor, wanted: LedgerFilter, page: int = 1
) -> tuple[list[LedgerRow], LedgerTotals]:
    """One page of the exchange ledger, newest first, and what all its pages come to."""
    offset = (max(page, 1) - 1) * PAGE
    codes = reach(actor, Action.LEDGER_VIEW)
    rows = await queries.ledger(actor.county_id, wanted, codes, (PAGE, offset))
    return rows, await queries.totals(actor.county_id, wanted, codes)


async def latest_month(actor: Actor, before: date) -> tuple[date, date] | None:
    """The first and the last day of the last month with a redemption; None if that is no earlier.

    For somebody who sees the whole county.
    """
    at = await queries.latest(actor.county_id)
    if at is None or today(at) >= before:
        return None
    return month_days(month_of(today(at)))


async def export_ledger(actor: Actor, wanted: LedgerFilter, purpose: str) -> File:
    """兑换台账 as Excel. Raises NotFound, ConfirmFirst (give the password again), Invalid."""
    codes, at = _allowed(actor, purpose), clock_now()
    rows = await _ledger_rows(actor.county_id, wanted, codes)
    file = await ledger_file(actor.county_id, wanted, rows, at, actor.name)
    await audit.log_export(actor, file[0], purpose.strip(), len(rows), at)
    return file


async def export_summary(actor: Actor, first: date, last: date, purpose: str) -> File:
    """积分汇总 as Excel. Raises as export_ledger."""
    codes, at = _allowed(actor, purpose), clock_now()
    _check_period(first, last)
    rows = await queries.summary(actor.county_id, first, last, codes, at)
    file = await summary_file(actor.county_id, first, last, rows, at, actor.name)
    await audit.log_export(actor, file[0], purpose.strip(), len(rows), at)
    return file


async def console_ledger(county_id: int, month: str) -> File:
    """兑换台账 of a month, for the command."""
    wanted = month_filter(month)
    rows = await _ledger_rows(county_id, wanted, [county_code(county_id)])
    file = await ledger_file(county_id, wanted, rows, clock_now())
    return await _logged(county_id, file, len(rows))


async def console_summary(county_id: int, month: str) -> File:
    """积分汇总 of a month, for the command."""
    first, last, at = rules.first_day(month), rules.last_day(month), clock_now()
    rows = await queries.summary(county_id, first, last, [county_code(county_id)], at)
    file = await summary_file(county_id, first, last, rows, at)
    return await _logged(county_id, file, len(rows))


async def console_seals(county_id: int, month: str) -> File:
    """每日封印 of a month, for the command."""
    name, at = await roster.unit_name(county_id, county_code(county_id)), clock_now()
    rows = await seal.month(county_id, rules.first_day(month))
    content = await asyncio.to_thread(documents.seals, name, month, rows, today(at))
    return await _logged(county_id, (file_name(f"{name}每日封印", month, at), content), len(rows))


def month_filter(month: str) -> LedgerFilter:
    """A whole month."""
    rules.checked_month(month)
    return LedgerFilter(first=rules.month_start(month), last=rules.month_end(month))


def day_filter(
    first: date,
    last: date,
    text: str = "",
    shop_id: UUID | None = None,
    worker_id: UUID | None = None,
) -> LedgerFilter:
    """From the first to the last day, both included. Raises Invalid."""
    _check_period(first, last)
    start = datetime(first.year, first.month, first.day, tzinfo=LOCAL_ZONE)
    end = datetime.fromordinal(last.toordinal() + 1).replace(tzinfo=LOCAL_ZONE)
    return LedgerFilter(
        first=start, last=end, text=text.strip(), shop_id=shop_id, worker_id=worker_id
    )


async def ledger_file(
    county_id: int, wanted: LedgerFilter, rows: list[LedgerRow], at: datetime, by: str = CONSOLE
) -> File:
    """The file of given rows."""
    name = await roster.unit_name(county_id, county_code(county_id))
    taken = stamp(by, at)
    content = await asyncio.to_thread(documents.ledger, name, wanted, rows, today(at), taken)
    return file_name(f"{name}兑换台账", documents.period(wanted), at), content


async def summary_file(
    county_id: int,
    first: date,
    last: date,
    rows: list[SummaryRow],
    at: datetime,
    by: str = CONSOLE,
) -> File:
    """The file of given rows."""
    name = await roster.unit_name(county_id, county_code(county_id))
    days, taken = (first, last), stamp(by, at)
    content = await asyncio.to_thread(documents.summary, name, days, rows, today(at), taken)
    return file_name(f"{name}积分汇总", f"{first}至{last}", at), content


async def _ledger_rows(
    county_id: int, wanted: LedgerFilter, codes: list[str] | tuple[str, ...]
) -> list[LedgerRow]:
    rows = await queries.ledger(county_id, wanted, codes, (MOST_ROWS + 1, 0))
    if len(rows) > MOST_ROWS:
        raise Invalid(f"超过 {MOST_ROWS} 行，请缩短时间范围后再导出。")
    return rows[::-1]


def _allowed(actor: Actor, purpose: str) -> tuple[str, ...]:
    codes = reach(actor, Action.EXPORT)
    if not codes:
        raise NotFound
    sessions.require_confirmed(actor, clock_now())
    if not purpose.strip():
        raise Invalid("请写明导出的用途。", {"purpose": "请写明用途，例如“十月对账”。"})
    return codes


def _check_period(first: date, last: date) -> None:
    within = first.year >= EARLIEST and last.year <= LATEST
    if not within or not 0 <= (last - first).days < LONGEST:
        sentence = "起止日期不对，一次最多一年。"
        raise Invalid(sentence, {"last": sentence})


async def _logged(county_id: int, file: File, rows: int) -> File:
    await audit.record(
        None,
        "export",
        "export",
        county_id=county_id,
        unit_code=county_code(county_id),
        after={"name": file[0], "rows": rows},
    )
    return file
