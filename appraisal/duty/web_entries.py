"""Spot checks, commendations, complaints and vetoes at the desk."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from appraisal.duty import entries, exports, rules, service
from appraisal.duty.entries import Filter
from appraisal.duty.rules import KIND_NAMES, LEVEL_NAMES, OUTCOME_NAMES, EntryForm, EntryKind
from appraisal.duty.schemas import Entry
from shared.clock import today
from shared.documents.excel import MIME
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, NotFound
from shared.identity.access import Action
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

BASE = "/appraisal/desk/duty/entries"
LABELS = {
    EntryKind.CHECK: {
        "outcome": "抽查结果",
        "place": "抽查地点",
        "by_whom": "抽查人",
        "facts": "情况",
        "document": "凭据",
    },
    EntryKind.COMMEND: {
        "level": "级别",
        "by_whom": "表扬单位",
        "document": "表扬文件或凭据",
        "facts": "事由",
    },
    EntryKind.COMPLAINT: {
        "level": "级别",
        "facts": "投诉事由",
        "by_whom": "受理单位",
        "outcome": "核查结果",
        "document": "凭据",
        "reference": "对应的扣分编号",
    },
    EntryKind.VETO: {
        "outcome": "情形",
        "facts": "查实的事实",
        "document": "认定文书",
        "by_whom": "认定单位",
    },
}
"""Kind → field → label, in the order of the form."""


class Query(msgspec.Struct, kw_only=True):
    """The list's conditions."""

    kind: EntryKind = EntryKind.CHECK
    unit: str = ""
    state: str = ""
    name: str = ""
    since: date | None = None
    until: date | None = None
    page: int = 1
    purpose: str = ""


class Decision(msgspec.Struct, kw_only=True):
    """The reason of what is done to an entry."""

    reason: str = ""


@get(BASE)
async def listed(request: Asked) -> Template:
    """One kind's list."""
    given = forms.bind(Query, dict(request.query_params))
    number = max(given.page, 1)
    rows, total = await entries.listed(request.user, _filter(given), number)
    units = await service.townships(request.user, Action.DUTY_VIEW)
    return _page(
        request,
        "desk_entries",
        given=given,
        rows=rows,
        total=total,
        number=number,
        pages=-(-total // entries.PAGE),
        townships=[(unit.code, unit.name) for unit in units],
        states=[*rules.STATE_NAMES.items()],
        waiting=len(await entries.to_decide(request.user)),
        may_edit=service.may_edit(request.user),
    )


@get(f"{BASE}/export.xlsx")
async def export(request: Asked) -> Response[bytes]:
    """The list as a workbook."""
    given = forms.bind(Query, dict(request.query_params))
    name, content = await exports.entry_list(
        request.user, given.kind, _filter(given), given.purpose, moment(request)
    )
    return Response(content, media_type=MIME, headers=attachment(name))


@get(f"{BASE}/new")
async def new(request: Asked) -> Template:
    """The form of one kind."""
    given = forms.bind(Query, dict(request.query_params))
    on = today(moment(request))
    return await form_page(request, "desk_entry_form", {"kind": given.kind, "happened_on": on})


@post(BASE)
async def add(request: Asked) -> Template | Redirect:
    """Enter a fact."""
    values = await forms.read(request)
    try:
        form = bound(values)
        made = await entries.add(request.user, form, moment(request))
    except (Invalid, Conflict, Forbidden) as error:
        return await form_page(request, "desk_entry_form", values, error)
    return Redirect(f"{BASE}/{made}", status_code=303)


@get(f"{BASE}/{{entry_id:uuid}}")
async def entry(request: Asked, entry_id: FromPath[UUID]) -> Template:
    """One fact and what it replaced."""
    return await _entry(request, entry_id)


@get(f"{BASE}/{{entry_id:uuid}}/correct")
async def correct_page(request: Asked, entry_id: FromPath[UUID]) -> Template:
    """The form again, filled in."""
    found = (await entries.view(request.user, entry_id))[0]
    if not entries.may_change(request.user, found):
        raise NotFound
    return await form_page(request, "desk_entry_form", msgspec.structs.asdict(found), entry=found)


@post(f"{BASE}/{{entry_id:uuid}}/correct")
async def correct(request: Asked, entry_id: FromPath[UUID]) -> Template | Redirect:
    """Put a new entry in its place."""
    found = (await entries.view(request.user, entry_id))[0]
    values = await forms.read(request)
    values |= {"kind": found.kind.value, "person_id": str(found.person_id)}
    try:
        form = forms.bind(EntryForm, values)
        made = await entries.correct(
            request.user, entry_id, form, str(values.get("reason", "")), moment(request)
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await form_page(request, "desk_entry_form", values, error, entry=found)
    return Redirect(f"{BASE}/{made}", status_code=303)


@post(f"{BASE}/{{entry_id:uuid}}/withdraw")
async def withdraw(request: Asked, entry_id: FromPath[UUID]) -> Template | Redirect:
    """Take it back."""
    form = forms.bind(Decision, await forms.read(request))
    try:
        await entries.withdraw(request.user, entry_id, form.reason)
    except (Invalid, Conflict, Forbidden) as error:
        return await _entry(request, entry_id, error)
    return Redirect(f"{BASE}/{entry_id}", status_code=303)


@post(f"{BASE}/{{entry_id:uuid}}/decide")
async def decide(request: Asked, entry_id: FromPath[UUID]) -> Template | Redirect:
    """Approve or refuse a veto."""
    values = await forms.read(request)
    form = forms.bind(Decision, values)
    try:
        stands = forms.chosen(values, "stands", "1", "0")
        await entries.decide(
            request.user, entry_id, stands=stands, reason=form.reason, now=moment(request)
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await _entry(request, entry_id, error)
    return Redirect(f"{BASE}/{entry_id}", status_code=303)


def bound(values: dict[str, Any]) -> EntryForm:
    """The form; who works in several villages was chosen with one of them."""
    person, _, village = str(values.get("person_id", "")).partition("@")
    return forms.bind(EntryForm, values | {"person_id": person, "village_code": village})


async def form_page(
    request: Asked,
    name: str,
    values: dict[str, Any],
    error: GridmeritError | None = None,
    *,
    entry: Entry | None = None,
) -> Template:
    """The form of an entry, on phone and desk alike."""
    kind = _kind(values.get("kind"))
    on = today(moment(request))
    found = await service.workers(request.user, Action.DUTY_EDIT, on)
    lines = Counter(one.person_id for one in found)
    return _page(
        request,
        name,
        kind=kind,
        values=values,
        error=error,
        entry=entry,
        workers=[
            (
                f"{one.person_id}@{one.village_code}"
                if lines[one.person_id] > 1
                else one.person_id,
                f"{one.name}（{one.village_name} {one.grid_name}）",
            )
            for one in found
        ],
        labels=LABELS[kind],
        needed={*rules.NEEDED[kind], "outcome", "level"},
        options={"outcome": OUTCOME_NAMES[kind].items(), "level": LEVEL_NAMES.items()},
    )


async def _entry(request: Asked, entry_id: UUID, error: GridmeritError | None = None) -> Template:
    chain = await entries.view(request.user, entry_id)
    frozen = await service.frozen(request.user.county_id, chain[0].happened_on)
    return _page(
        request,
        "desk_entry",
        entry=chain[0],
        older=chain[1:],
        labels=LABELS[chain[0].kind],
        frozen=frozen,
        may_change=not frozen and entries.may_change(request.user, chain[0]),
        may_decide=not frozen and entries.may_decide(request.user, chain[0]) and request.user.desk,
        error=error,
    )


def _filter(given: Query) -> Filter:
    return Filter(
        kind=given.kind,
        unit=given.unit,
        state=given.state,
        name=given.name,
        since=given.since,
        until=given.until,
    )


def _kind(value: Any) -> EntryKind:
    return EntryKind(value) if value in set(EntryKind) else EntryKind.CHECK


def _page(request: Asked, name: str, **context: Any) -> Template:
    return page(
        request,
        f"duty/{name}.html",
        kind_names=KIND_NAMES,
        **context,
    )


router = Router(
    "/",
    route_handlers=[listed, export, new, add, entry, correct_page, correct, withdraw, decide],
    include_in_schema=False,
)
