"""Double-random checks at the desk: freeze, draw, enter, publish."""

from contextlib import suppress
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from appraisal.duty import drawing, exports, rules, service
from appraisal.duty.drawing import CheckForm, Result
from appraisal.duty.schemas import CheckRow
from appraisal.duty.service import Saved
from shared.clock import today
from shared.documents.excel import MIME
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid
from shared.identity.access import Action, reach
from shared.roster import service as roster
from shared.roster.issuer import issuer
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, asked_page, moment, page, part

BASE = "/appraisal/desk/duty/random"
SHEET_LIMIT = 1024 * 1024
Refusal = Invalid | Conflict | Forbidden


class OpenForm(msgspec.Struct, kw_only=True):
    """A check as it is typed; inspectors one a line."""

    title: str
    unit_code: str
    mode: str = "drawn"
    first_day: date
    last_day: date
    people: Annotated[int, msgspec.Meta(ge=1, le=rules.MOST_PEOPLE)] = 10
    per_person: Annotated[int, msgspec.Meta(ge=1, le=rules.MOST_PER_PERSON)] = 3
    inspectors: str = ""
    value_source: str


class DrawForm(msgspec.Struct, kw_only=True):
    """The public value and where it comes from."""

    value: str = ""
    value_source: str = ""


class VoidForm(msgspec.Struct, kw_only=True):
    reason: str = ""


class Purpose(msgspec.Struct, kw_only=True):
    purpose: str = ""


class Part(msgspec.Struct, kw_only=True):
    """Which of a check's records: a page of the desk, what follows a position on the phone."""

    page: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    after: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


@get(BASE)
async def checks(request: Asked) -> Template:
    """All checks in reach."""
    number = asked_page(request)
    rows, pages = part(await drawing.checks(request.user), number, drawing.PAGE)
    return page(
        request,
        "duty/desk_random.html",
        checks=rows,
        number=number,
        pages=pages,
        may_draw=drawing.may_draw(request.user),
    )


@get(f"{BASE}/new")
async def new(request: Asked) -> Template:
    """The form that opens one."""
    return await _form(request, {})


@post(BASE)
async def open_check(request: Asked) -> Template | Redirect:
    """Freeze the list."""
    values = await forms.read(request)
    try:
        typed = forms.bind(OpenForm, values)
        names = [name for name in typed.inspectors.splitlines() if name.strip()]
        form = CheckForm(
            title=typed.title,
            unit_code=typed.unit_code,
            first_day=typed.first_day,
            last_day=typed.last_day,
            people=typed.people,
            per_person=typed.per_person,
            inspectors=tuple(names),
            value_source=typed.value_source,
            mode=typed.mode,
        )
        made = await drawing.open_check(request.user, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await _form(request, values, error)
    return Redirect(f"{BASE}/{made}", status_code=303)


@get(f"{BASE}/{{check_id:uuid}}")
async def check(request: Asked, check_id: FromPath[UUID]) -> Template:
    """One check: list, draw, results."""
    return await check_page(request, "desk_check", check_id)


@post(f"{BASE}/{{check_id:uuid}}/draw")
async def draw(request: Asked, check_id: FromPath[UUID]) -> Template | Redirect:
    """Draw by the public value."""
    form = forms.bind(DrawForm, await forms.read(request))
    try:
        await drawing.draw(request.user, check_id, form.value, form.value_source, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await check_page(request, "desk_check", check_id, error)
    return Redirect(f"{BASE}/{check_id}", status_code=303)


@post(f"{BASE}/{{check_id:uuid}}/results", request_max_body_size=SHEET_LIMIT)
async def results(request: Asked, check_id: FromPath[UUID]) -> Template:
    """Enter what was found."""
    return await record(request, "desk_check", check_id, "form")


@post(f"{BASE}/{{check_id:uuid}}/void")
async def void(request: Asked, check_id: FromPath[UUID]) -> Template | Redirect:
    """Take the check back."""
    form = forms.bind(VoidForm, await forms.read(request))
    try:
        await drawing.void(request.user, check_id, form.reason)
    except (Invalid, Conflict, Forbidden) as error:
        return await check_page(request, "desk_check", check_id, error)
    return Redirect(f"{BASE}/{check_id}", status_code=303)


@get(f"{BASE}/{{check_id:uuid}}/list.txt")
async def listing(request: Asked, check_id: FromPath[UUID]) -> Response[str]:
    """The frozen list: its SHA-256 is the published hash."""
    text = await drawing.listing(request.user, check_id)
    return Response(text, media_type="text/plain", headers=attachment("双随机抽取名单.txt"))


@get(f"{BASE}/{{check_id:uuid}}/export.xlsx")
async def export(request: Asked, check_id: FromPath[UUID]) -> Response[bytes]:
    """What was drawn and found."""
    given = forms.bind(Purpose, dict(request.query_params))
    name, content = await exports.random_check(
        request.user, check_id, given.purpose, moment(request)
    )
    return Response(content, media_type=MIME, headers=attachment(name))


@get(f"{BASE}/{{check_id:uuid}}/print")
async def notice(request: Asked, check_id: FromPath[UUID]) -> Template:
    """The draw as a public sheet: how anybody repeats it, and who was drawn."""
    return await check_page(request, "print_check", check_id)


async def record(request: Asked, name: str, check_id: UUID, source: str) -> Template:
    """Enter results from a page of phone or desk; rows without a verdict are not touched."""
    values = await forms.read(request)
    try:
        found = [
            Result(
                item_id=item.id,
                correct=values[f"correct-{item.id}"] == "1",
                note=str(values.get(f"note-{item.id}", "")),
                checked_on=_day(values.get("checked_on")),
                checked_by=str(values.get(f"by-{item.id}", "") or values.get("checked_by", "")),
                seen=str(values.get(f"version-{item.id}", "")),
            )
            for item in await drawing.items_of(request.user, check_id, _judged(values))
            if values.get(f"touched-{item.id}")
            or values.get(f"version-{item.id}", str(item.version or 0)) == "0"
        ]
        if not found:
            raise Invalid("请至少给一条选上“正确”或“错误”。")  # noqa: TRY301
        saved = await drawing.record(
            request.user,
            check_id,
            found,
            moment(request),
            reason=str(values.get("reason", "")),
            source=source,
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await check_page(request, name, check_id, error, values=values)
    return await check_page(request, name, check_id, saved=saved)


async def check_page(
    request: Asked,
    name: str,
    check_id: UUID,
    error: Refusal | None = None,
    *,
    saved: Saved | None = None,
    values: dict[str, Any] | None = None,
) -> Template:
    """One check, on phone and desk alike."""
    row = await drawing.view(request.user, check_id)
    listed = await _listed(request, name, row)
    frozen = await service.frozen(request.user.county_id, row.last_day)
    return page(
        request,
        f"duty/{name}.html",
        check=row,
        items=[
            (item, not frozen and drawing.may_record(request.user, item))
            for item in listed.pop("items")
        ],
        pages=-(-row.items // drawing.PAGE),
        **listed,
        frozen=frozen,
        may_draw=not frozen and drawing.may_draw(request.user, row.unit_code),
        error=error,
        saved=saved,
        values=values or {},
        on=today(moment(request)),
    )


async def _listed(request: Asked, name: str, row: CheckRow) -> dict[str, Any]:
    """The records that a page shows: some thousands in one form would be refused as too large."""
    given = forms.bind(Part, dict(request.query_params))
    if name == "m_check":
        items, more = await drawing.waiting(request.user.county_id, row, given.after)
        return {"items": items, "more": more, "after": given.after}
    if name == "desk_check":
        items, number = await drawing.part(request.user.county_id, row, given.page)
        return {"items": items, "number": number}
    whole = await drawing.items(request.user, row.id)
    return {"items": whole, "issuer": await issuer(request.user.county_id)}


def _judged(values: dict[str, Any]) -> list[UUID]:
    """The records that a form gives a verdict."""
    found = []
    for name, value in values.items():
        if name.startswith("correct-") and value in ("0", "1"):
            with suppress(ValueError):
                found.append(UUID(name.removeprefix("correct-")))
    return found


async def _form(
    request: Asked, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    codes = reach(request.user, Action.RANDOM_DRAW)
    units = [*(await roster.units(request.user.county_id, codes)).values()]
    units += [
        unit
        for unit in await service.townships(request.user, Action.RANDOM_DRAW)
        if unit.code not in codes
    ]
    return page(
        request,
        "duty/desk_random_new.html",
        values=values,
        error=error,
        units=[(unit.code, unit.name) for unit in units],
        modes=rules.MODE_NAMES.items(),
    )


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid("请填写核查日期。", {"checked_on": "请填写核查日期。"}) from error


router = Router(
    "/",
    route_handlers=[
        checks,
        new,
        open_check,
        check,
        draw,
        results,
        void,
        listing,
        export,
        notice,
    ],
    include_in_schema=False,
)
