"""Attendance at the desk: townships, a township's sheet, one person's versions, what is missing."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Response, Template

from appraisal.duty import exports, personal, service
from appraisal.duty.errors import Changed
from appraisal.duty.schemas import SheetInput, SheetLine
from shared.calendar.errors import MissingYear
from shared.clock import today
from shared.documents import cells
from shared.documents.excel import MIME
from shared.errors import Conflict, Forbidden, Invalid
from shared.months import month_cn, month_of, month_start, months_later
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

BASE = "/appraisal/desk/duty"
SHEET_LIMIT = 1024 * 1024
LONGEST = 31
COLUMNS = ("person", "village", "rostered", "on_duty", "leave", "note", "version")
CHOICES = 18
"""Months to choose from."""
Month = Annotated[int, msgspec.Meta(ge=202001, le=209912)]


class Query(msgspec.Struct):
    """Which month and unit (empty = the overview)."""

    month: Month | None = None
    unit: str = ""
    purpose: str = ""


class SheetForm(msgspec.Struct, kw_only=True):
    """A sheet's rows side by side: the n-th of each list is the n-th row."""

    month: Month
    unit: str
    reason: str = ""
    person: list[UUID] = []
    village: list[str] = []
    rostered: list[str] = []
    on_duty: list[str] = []
    leave: list[str] = []
    note: list[str] = []
    version: list[str] = []
    """Of the line that the page showed; 0 = none."""


@get(BASE)
async def months(request: Asked) -> Template:
    """A month by township, or one township's sheet."""
    given = forms.bind(Query, dict(request.query_params))
    month = _month(request, given.month)
    if given.unit:
        return await _sheet(request, given.unit, month)
    counts = await service.months(request.user, month)
    return page(
        request,
        "duty/desk_months.html",
        counts=counts,
        month=month,
        choices=_choices(request),
        may_edit=service.may_edit(request.user),
    )


@post(BASE, request_max_body_size=SHEET_LIMIT)
async def save(request: Asked) -> Template | Redirect:
    """Hand in a township's sheet; rows left blank are not touched."""
    form = forms.bind(SheetForm, await forms.read(request, lists=COLUMNS))
    month = _month(request, form.month)
    try:
        await _expect_fresh(request, form, month)
        lines = _lines(form)
        saved = await service.save(request.user, lines, moment(request), reason=form.reason)
    except (Invalid, Conflict, Forbidden) as error:
        return await _sheet(request, form.unit, month, form, error)
    return await _sheet(request, form.unit, month, saved=saved)


@get(f"{BASE}/export.xlsx")
async def export(request: Asked) -> Response[bytes]:
    """A month's sheet of a unit, or of all the reader's units."""
    given = forms.bind(Query, dict(request.query_params))
    month = _month(request, given.month)
    name, content = await exports.attendance(
        request.user, given.unit, month, given.purpose, moment(request)
    )
    return Response(content, media_type=MIME, headers=attachment(name))


@get(f"{BASE}/people/{{person_id:uuid}}")
async def person(
    request: Asked,
    person_id: FromPath[UUID],
    since: FromQuery[date | None] = None,
    until: FromQuery[date | None] = None,
) -> Template:
    """Everything that was registered about one person, or what of it lies between two days."""
    first, last = since or date.min, until or date.max
    found = await personal.records(request.user, person_id, first, last, moment(request))
    return page(
        request,
        "duty/desk_person.html",
        found=found,
        since=since,
        until=until,
    )


@get("/appraisal/desk/cycles/{cycle_id:uuid}/duty")
async def missing(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """What a cycle still lacks, by township, and whom to ask."""
    cycle, rows, instructors = await service.missing(request.user, cycle_id, moment(request))
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.township_code, []).append(row)
    return page(
        request,
        "duty/desk_missing.html",
        cycle=cycle,
        groups=groups,
        instructors=instructors,
        lines=len(rows),
        months=sum(len(row.months) for row in rows),
    )


async def _sheet(
    request: Asked,
    unit_code: str,
    month: int,
    form: SheetForm | None = None,
    error: Invalid | Conflict | Forbidden | None = None,
    saved: service.Saved | None = None,
) -> Template:
    lines = await service.sheet(request.user, unit_code, month)
    usual: dict[tuple[UUID, str], Decimal] = {}
    alarm = ""
    try:
        usual = await service.usual_days(request.user.county_id, lines)
    except MissingYear as missing_year:
        alarm = missing_year.message
    frozen = await service.frozen(request.user.county_id, month_start(month))
    return page(
        request,
        "duty/desk_sheet.html",
        unit_code=unit_code,
        unit=await service.unit(request.user.county_id, unit_code),
        month=month,
        choices=_choices(request),
        rows=[(line, _shown(line, usual, form)) for line in lines],
        alarm=alarm,
        error=error,
        saved=saved,
        reason=form.reason if form else "",
        frozen=frozen,
        may_edit=not frozen and service.may_write(request.user, unit_code),
        own=request.user.person_id,
    )


def _shown(
    line: SheetLine, usual: dict[tuple[UUID, str], Decimal], form: SheetForm | None
) -> dict[str, str]:
    """What stands in a row's fields: what was typed, else what is stored, else the proposal."""
    if form is not None:
        names = ("rostered", "on_duty", "leave", "note")
        pairs = list(zip(form.person, form.village, strict=False))
        whole = all(len(getattr(form, name)) == len(pairs) for name in names)
        if whole and (line.person_id, line.village_code) in pairs:
            index = pairs.index((line.person_id, line.village_code))
            return {name: getattr(form, name)[index] for name in names}
    proposal = line.rostered
    if proposal is None:
        proposal = usual.get((line.person_id, line.village_code))
    return {
        "rostered": _number(proposal),
        "on_duty": _number(line.on_duty),
        "leave": _number(line.leave),
        "note": line.note or "",
    }


def _lines(form: SheetForm) -> list[SheetInput]:
    """The rows that were filled in. Raises Invalid naming each wrong one by its person."""
    columns = (form.person, form.village, form.rostered, form.on_duty, form.leave, form.note)
    if len({len(column) for column in columns}) != 1:
        raise Invalid("表格不完整，请刷新页面后重新填写。")
    found, problems = [], {}
    for person, village, rostered, on_duty, leave, note in zip(*columns, strict=True):
        if not on_duty and not leave:
            continue
        try:
            found.append(
                SheetInput(
                    person_id=person,
                    village_code=village,
                    month=form.month,
                    rostered=_days(rostered),
                    on_duty=_days(on_duty),
                    leave=_days(leave or "0"),
                    note=note,
                )
            )
        except ValueError:
            problems[str(person)] = "天数请填 0 到 31 的数字，例如 21 或 20.5。"
    if problems:
        raise Invalid("有几行需要改正。", problems)
    return found


async def _expect_fresh(request: Asked, form: SheetForm, month: int) -> None:
    """Raises Changed when a stored line is not the one that the page showed.

    What the page says of it is forgotten, so that it comes back as it is stored.
    """
    if len(form.version) != len(form.person):
        return
    stored = {
        (line.person_id, line.village_code): str(line.version or 0)
        for line in await service.sheet(request.user, form.unit, month)
    }
    shown = enumerate(zip(form.person, form.village, form.version, strict=False))
    stale = {at for at, (who, where, seen) in shown if stored.get((who, where)) != seen}
    if stale:
        for name in ("person", "village", "rostered", "on_duty", "leave", "note", "version"):
            column = getattr(form, name)
            column[:] = [value for at, value in enumerate(column) if at not in stale]
        raise Changed


def _days(text: str) -> Decimal:
    days = cells.decimal(text)
    if days > LONGEST:
        raise ValueError
    return days


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _month(request: Asked, asked: int | None) -> int:
    if asked is not None and 1 <= asked % 100 <= 12:
        return asked
    return _choices(request)[0][0]


def _choices(request: Asked) -> list[tuple[int, str]]:
    """Last month first, then back; this month stands behind it."""
    month = month_of(today(moment(request)))
    found = [months_later(month, -number) for number in range(CHOICES)]
    return [(one, month_cn(one)) for one in (found[1], found[0], *found[2:])]


router = Router(
    "/", route_handlers=[months, save, export, person, missing], include_in_schema=False
)
