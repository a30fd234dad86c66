"""Workbooks of single facts: spot checks, commendations, complaints."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from appraisal.duty import entries, entry_queries, rules
from appraisal.duty.people import NAME, Found, people
from appraisal.duty.rules import EntryForm, EntryKind
from appraisal.duty.schemas import Entry
from appraisal.duty.sheets import DROPPED, PLACES, WHO, frozen_days
from appraisal.intake.rules import Kind, Outcome, change
from shared.clock import today
from shared.dates import chinese_date
from shared.documents import excel
from shared.documents.read import Column, Row, Table
from shared.identity.access import Action
from shared.identity.actor import Actor
from shared.settings_county import get as county_settings

TITLES: Mapping[EntryKind, Mapping[str, str]] = {
    EntryKind.CHECK: {
        "happened_on": "日期",
        "outcome": "结果",
        "place": "抽查地点",
        "by_whom": "抽查人",
        "facts": "情况",
        "document": "凭据",
    },
    EntryKind.COMMEND: {
        "happened_on": "日期",
        "level": "级别",
        "by_whom": "表扬单位",
        "document": "表扬文件",
        "facts": "事由",
    },
    EntryKind.COMPLAINT: {
        "happened_on": "日期",
        "level": "级别",
        "outcome": "核查结果",
        "by_whom": "受理单位",
        "facts": "投诉事由",
        "document": "凭据",
        "reference": "扣分编号",
    },
    EntryKind.VETO: {
        "happened_on": "日期",
        "outcome": "情形",
        "facts": "查实的事实",
        "document": "认定文书",
        "by_whom": "认定单位",
    },
}
"""Kind → field → title, in the order of the columns; a veto is listed, never imported."""
LEVELS = {"乡镇级": "township", "乡镇": "township", "镇级": "township", "县级": "county"} | {
    "县": "county"
}
STATE = "状态"
GONE = tuple(rules.STATE_NAMES[state] for state in ("refused", "withdrawn", "replaced"))
"""Our own list says so of a row: imported again, it stays what it is."""
WIDE = {"facts": 34, "document": 20, "by_whom": 16, "place": 16}


def entry_columns(kind: EntryKind) -> tuple[Column, ...]:
    """What an import of this kind reads."""
    needed = {"happened_on", *(["outcome"] if rules.OUTCOME_NAMES[kind] else [])}
    needed |= {"level"} if kind in rules.LEVELLED else set()
    needed |= set(rules.NEEDED[kind])
    columns = [
        Column(title, "date" if field == "happened_on" else "text", required=field in needed)
        for field, title in TITLES[kind].items()
    ]
    return (columns[0], *WHO, *columns[1:], Column(STATE))


async def entry_sheet(
    actor: Actor, kind: EntryKind, rows: list[Entry], on: date, *, states: bool = True
) -> excel.Sheet:
    """A list of entries, in the format the import reads; ``states``: with what became of them."""
    outcomes = tuple(rules.OUTCOME_NAMES[kind].values())
    choices = {"outcome": outcomes, "level": tuple(rules.LEVEL_NAMES.values())}
    columns = [
        excel.Column(
            title,
            kind="date" if field == "happened_on" else "text",
            width=WIDE.get(field, 11),
            choices=choices.get(field, ()),
        )
        for field, title in TITLES[kind].items()
    ]
    name = rules.KIND_NAMES[kind]
    more = (excel.Column(STATE, width=9), excel.Column("登记人", width=10)) if states else ()
    return excel.Sheet(
        name=f"{name}台账",
        title=f"网格员{name}台账",
        unit=(await county_settings(actor.county_id)).department_name,
        on=on,
        columns=(columns[0], *PLACES, *columns[1:], *more),
        rows=[_entry_cells(entry, states=states) for entry in rows],
    )


def _entry_cells(entry: Entry, *, states: bool) -> tuple[object, ...]:
    shown = {"outcome": entry.outcome_name, "level": entry.level_name}
    values = [shown.get(field, getattr(entry, field)) for field in TITLES[entry.kind]]
    where = (entry.township_name, entry.village_name, entry.grid_code, entry.name)
    more = (entry.state_name, entry.entered_by_name or "") if states else ()
    return (values[0], *where, *values[1:], *more)


def _store_entries(kind: EntryKind) -> Callable[..., Awaitable[Outcome]]:
    async def store(actor: Actor, table: Table, now: datetime, _reason: str) -> Outcome:
        return await store_entries(actor, kind, table, now)

    return store


async def store_entries(actor: Actor, kind: EntryKind, table: Table, now: datetime) -> Outcome:
    """Rows of one kind as entries; what stands already changes nothing."""
    days = [row["日期"] for row in table.rows if row["日期"]]
    who = await people(actor, Action.DUTY_EDIT, days)
    frozen = await frozen_days(actor.county_id, days)
    forms: list[tuple[Row, EntryForm]] = []
    seen: dict[EntryForm, Row] = {}  # the same fact is one, whichever of two villages has it
    gone = [row for row in table.rows if row[STATE] in GONE]
    for row in table.rows:
        if row[STATE] in GONE:
            continue
        form = _entry(row, kind, table, who.find, frozen, now)
        if form is None:
            continue
        if other := seen.get(_fact(form)):
            table.fault(row, NAME, f"和{table.where(other)}完全相同，请只留一行。")
            continue
        seen[_fact(form)] = row
        forms.append((row, form))
    outcome = Outcome()
    if gone:
        outcome.notes.append(f"有 {len(gone)} 行的状态是{GONE[0]}、{GONE[1]}或{GONE[2]}，不导入。")
    if table.faults:
        return outcome
    standing = await entry_queries.standing(
        actor.county_id, kind, [form.person_id for _, form in forms], min(days), max(days)
    )
    known = {_fact(_form_of(entry)) for entry in standing}
    fresh = []
    for row, form in forms:
        if _fact(form) in known:
            outcome.same += 1
            continue
        fresh.append(form)
        outcome.created += 1
        words = "，".join(
            word
            for word in (
                chinese_date(form.happened_on),
                rules.LEVEL_NAMES.get(form.level, ""),
                rules.OUTCOME_NAMES[kind].get(form.outcome, ""),
                form.by_whom,
            )
            if word
        )
        outcome.lines.append(change(row, row[NAME], words))
    # In one order, whatever the file's, so that two with the same facts wait for each other.
    for form in sorted(fresh, key=msgspec.structs.astuple):
        await entries.add(actor, form, now, source="import")
    return outcome


def _entry(
    row: Row,
    kind: EntryKind,
    table: Table,
    find: Callable[[Table, Row, date, date], Found | None],
    frozen: Mapping[date, str],
    now: datetime,
) -> EntryForm | None:
    on: date | None = row["日期"]
    if on is None:
        return None
    if on in frozen:
        table.fault(row, "日期", frozen[on])
        return None
    found = find(table, row, on, on)
    if found is None:
        return None
    values: dict[str, Any] = {field: row[title] or "" for field, title in TITLES[kind].items()}
    outcomes = {name: key for key, name in rules.OUTCOME_NAMES[kind].items()}
    if "outcome" in values:
        values["outcome"] = outcomes.get(values["outcome"], "?")
    if "level" in values:
        values["level"] = LEVELS.get(values["level"], "?")
    values |= {"person_id": found.person_id, "village_code": found.village_code}
    form = rules.settled(EntryForm(kind=kind, **values))
    faults = rules.entry_faults(form, today(now))
    for field, sentence in faults.items():
        table.fault(row, TITLES[kind][field], sentence)
    return None if faults else form


def _fact(form: EntryForm) -> EntryForm:
    return msgspec.structs.replace(form, village_code="")


def _form_of(entry: Entry) -> EntryForm:
    names = [field.name for field in msgspec.structs.fields(EntryForm)]
    return EntryForm(**{name: getattr(entry, name) for name in names})


def _entry_kind(kind: EntryKind) -> Kind:
    name = rules.KIND_NAMES[kind]

    async def template(actor: Actor, on: date) -> excel.Sheet:
        return await entry_sheet(actor, kind, [], on, states=False)

    return Kind(
        name=kind.value,
        title=f"{name}台账",
        action=Action.DUTY_IMPORT,
        columns=entry_columns(kind),
        dropped=(*DROPPED, "登记人"),
        store=_store_entries(kind),
        template=template,
        hints=(
            f"必填：{'、'.join(one.title for one in entry_columns(kind) if one.required)}。",
            "同一个文件再导一次不会重复登记。",
        ),
        back=f"/appraisal/desk/duty/entries?kind={kind.value}",
        menu="duty",
    )


KINDS = tuple(_entry_kind(kind) for kind in EntryKind if kind is not EntryKind.VETO)
