"""What a sheet may say, and the draw of a double-random check as pure functions of its seed."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from shared.months import month_days


class EntryKind(StrEnum):
    """抽查, 表扬, 投诉, 一票否决."""

    CHECK = "check"
    COMMEND = "commend"
    COMPLAINT = "complaint"
    VETO = "veto"


KIND_NAMES = {
    EntryKind.CHECK: "现场抽查",
    EntryKind.COMMEND: "表扬",
    EntryKind.COMPLAINT: "投诉",
    EntryKind.VETO: "一票否决",
}
OUTCOME_NAMES: Mapping[EntryKind, Mapping[str, str]] = {
    EntryKind.CHECK: {"passed": "合格", "failed": "不合格"},
    EntryKind.COMMEND: {},
    EntryKind.COMPLAINT: {"open": "核查中", "founded": "属实", "unfounded": "不属实"},
    EntryKind.VETO: {"fraud": "弄虚作假", "leak": "泄露数据", "corruption": "贪污腐败"},
}
LEVEL_NAMES = {"township": "乡镇级", "county": "县级"}
LEVELLED = frozenset({EntryKind.COMMEND, EntryKind.COMPLAINT})
STATE_NAMES = {
    "standing": "有效",
    "proposed": "待审定",
    "refused": "不予认定",
    "withdrawn": "已撤销",
    "replaced": "已更正",
}
MODE_NAMES = {"drawn": "系统抽取", "paper": "线下抽取"}
MOST_NOTE = 200
MOST_FACTS = 500
MOST_PEOPLE = 500
MOST_PER_PERSON = 50
MOST_INSPECTORS = 30


class EntryForm(msgspec.Struct, frozen=True, kw_only=True):
    """One fact as it is entered."""

    kind: EntryKind
    person_id: UUID
    happened_on: date
    village_code: str = ""
    """Where, for who works in several villages at once."""
    outcome: str = ""
    level: str = ""
    place: str = ""
    by_whom: str = ""
    facts: str = ""
    document: str = ""
    reference: str = ""


class Days(msgspec.Struct, frozen=True):
    """One line of a monthly sheet, in days and halves of days."""

    rostered: Decimal
    on_duty: Decimal
    leave: Decimal
    note: str = ""


def day_faults(days: Days, month: int) -> dict[str, str]:
    """Field → what is wrong with a line of the sheet."""
    faults = {}
    longest = month_days(month)[1].day
    names = {"rostered": "应出勤天数", "on_duty": "出勤天数", "leave": "请假天数"}
    for field, name in names.items():
        value: Decimal = getattr(days, field)
        if value < 0 or value * 2 != int(value * 2):
            faults[field] = f"{name}以半天为单位，例如 21 或 20.5。"
    if days.rostered > longest:
        faults["rostered"] = f"{month % 100} 月只有 {longest} 天。"
    if not faults and days.on_duty + days.leave > days.rostered:
        faults["on_duty"] = "出勤加请假多于应出勤天数，请核对。"
    if len(days.note) > MOST_NOTE:
        faults["note"] = f"备注最多 {MOST_NOTE} 个字。"
    return faults


def entry_faults(form: EntryForm, on: date) -> dict[str, str]:
    """Field → what is wrong with an entry."""
    faults = {}
    if form.happened_on > on:
        faults["happened_on"] = "日期还没有到。"
    outcomes = OUTCOME_NAMES[form.kind]
    if outcomes and form.outcome not in outcomes:
        faults["outcome"] = f"请从{'、'.join(outcomes.values())}中选择。"
    if form.kind in LEVELLED and form.level not in LEVEL_NAMES:
        faults["level"] = "请选择乡镇级或县级。"
    for field, name in NEEDED[form.kind].items():
        if not getattr(form, field).strip():
            faults[field] = f"请填写{name}。"
    for field in ("place", "by_whom", "document", "reference"):
        if len(getattr(form, field)) > 100:
            faults[field] = "太长了，最多 100 个字。"
    if len(form.facts) > MOST_FACTS:
        faults["facts"] = f"太长了，最多 {MOST_FACTS} 个字。"
    return faults


NEEDED: Mapping[EntryKind, Mapping[str, str]] = {
    EntryKind.CHECK: {"place": "抽查地点", "by_whom": "抽查人"},
    EntryKind.COMMEND: {"by_whom": "表扬单位", "document": "表扬文件或凭据"},
    EntryKind.COMPLAINT: {"facts": "投诉事由", "by_whom": "受理单位"},
    EntryKind.VETO: {"facts": "查实的事实", "document": "认定文书"},
}
"""Kind → fields that may not be empty."""


def settled(form: EntryForm) -> EntryForm:
    """Without blanks at the ends, and without what the kind does not ask."""
    return msgspec.structs.replace(
        form,
        outcome=form.outcome if OUTCOME_NAMES[form.kind] else "",
        level=form.level if form.kind in LEVELLED else "",
        place=form.place.strip() if form.kind is EntryKind.CHECK else "",
        by_whom=form.by_whom.strip(),
        facts=form.facts.strip(),
        document=form.document.strip(),
        reference=form.reference.strip() if form.kind is EntryKind.COMPLAINT else "",
    )


class Record(msgspec.Struct, frozen=True):
    """One record of one worker that a draw may pick."""

    person_id: UUID
    record_id: UUID


class Drawn(msgspec.Struct, frozen=True):
    """A record that the draw picked, and who looks at it."""

    person_id: UUID
    record_id: UUID
    inspector: str


def listing(records: Sequence[Record]) -> str:
    """The list as it is published and hashed: one ``person record`` a line, sorted."""
    return "".join(sorted(f"{one.person_id} {one.record_id}\n" for one in records))


def parsed(text: str) -> list[Record]:
    """The records of a published list."""
    pairs = (line.split(" ") for line in text.splitlines())
    return [Record(UUID(person), UUID(record)) for person, record in pairs]


def list_hash(text: str) -> bytes:
    """SHA-256 of the published text: ``sha256sum`` of the file gives the same."""
    return hashlib.sha256(text.encode()).digest()


def seed_of(hashed: bytes, value: str) -> bytes:
    """SHA-256(hash of the list ‖ public value), the hash in lower-case hex."""
    return hashlib.sha256((hashed.hex() + value).encode()).digest()


def draw(
    text: str, seed: bytes, people: int, per_person: int, inspectors: Sequence[str]
) -> list[Drawn]:
    """Workers, then records of each, then an inspector for each worker; repeatable by anyone.

    Whatever is drawn is put in the order of SHA-256(seed in hex ‖ word ‖ id), and the first count.
    """
    by_person: dict[UUID, list[UUID]] = {}
    for record in parsed(text):
        by_person.setdefault(record.person_id, []).append(record.record_id)
    found = []
    for person in sorted(by_person, key=lambda one: _rank(seed, "worker", one))[:people]:
        number = int.from_bytes(_rank(seed, "inspector", person)) % max(len(inspectors), 1)
        inspector = inspectors[number] if inspectors else ""
        records = sorted(by_person[person], key=lambda one: _rank(seed, "record", one))
        found += [Drawn(person, record, inspector) for record in records[:per_person]]
    return found


def _rank(seed: bytes, word: str, identity: UUID) -> bytes:
    return hashlib.sha256(f"{seed.hex()}{word}{identity}".encode()).digest()
