"""Double-random checks (双随机核查): which workers, which of their records, looked at by whom.

The list is frozen and its hash published before anybody knows the public value; hash and value
give the seed, the seed gives the draw, and whoever has the list can repeat it. What inspectors
find is entered per record; a correction is a new version.
"""

import asyncio
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.duty import random_queries as queries
from appraisal.duty import rules, service
from appraisal.duty.errors import Changed, NotInPost
from appraisal.duty.random_queries import NewCheck, NewItem, NewResult
from appraisal.duty.rules import Record
from appraisal.duty.schemas import CheckItem, CheckRow
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster

MOST_RECORDS = 200_000
PAGE = 100
"""Records of a check on one page."""


class CheckForm(msgspec.Struct, frozen=True, kw_only=True):
    """A check to open; ``value_source``: which public value will be used, or how paper drew."""

    title: str
    unit_code: str
    first_day: date
    last_day: date
    people: int = 10
    per_person: int = 3
    inspectors: tuple[str, ...] = ()
    value_source: str = ""
    mode: str = "drawn"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one record."""

    item_id: UUID
    correct: bool
    note: str = ""
    checked_on: date
    checked_by: str
    seen: str = ""
    """Version of the result that the page showed, 0 = none; empty where no page did."""


class PaperItem(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was drawn outside the product."""

    person_id: UUID
    village_code: str = ""
    """Where, for who works in several villages at once."""
    label: str
    correct: bool
    note: str = ""
    checked_on: date
    checked_by: str


async def open_check(actor: Actor, form: CheckForm, now: datetime) -> UUID:
    """Freeze the list of records and publish its hash; the same form again is the check it made.

    Raises NotFound, Invalid, Frozen.
    """
    require(actor, Action.RANDOM_DRAW, Target(unit_code=form.unit_code))
    _checked(form, today(now))
    check_id = new_id()
    text, workers, records = "", 0, 0
    if form.mode == "drawn":
        found = await queries.candidates(
            actor.county_id, form.unit_code, form.first_day, form.last_day, MOST_RECORDS + 1
        )
        if not found:
            raise Invalid("这段时间、这个范围里没有已入账的工作记录，没有东西可抽。")
        if len(found) > MOST_RECORDS:
            raise Invalid(f"超过 {MOST_RECORDS} 条记录，请缩短日期或缩小范围。")
        text = rules.listing([Record(one.person_id, one.record_id) for one in found])
        workers, records = len({one.person_id for one in found}), len(found)
    row = NewCheck(
        id=check_id,
        title=form.title.strip(),
        unit_code=form.unit_code,
        mode=form.mode,
        first_day=form.first_day,
        last_day=form.last_day,
        people=form.people,
        per_person=form.per_person,
        inspectors=[name.strip() for name in form.inspectors],
        workers=workers,
        records=records,
        listing=await asyncio.to_thread(zlib.compress, text.encode()) if text else None,
        list_hash=rules.list_hash(text) if text else None,
        value_source=form.value_source.strip(),
        state="listed" if form.mode == "drawn" else "drawn",
        opened_by=actor.person_id,
        opened_at=now,
    )
    async with DB.transaction():
        await queries.lock_opening(actor.county_id)
        await service.expect_open(actor.county_id, [form.last_day])
        if known := await queries.same(actor.county_id, row):
            return known
        await queries.insert_check(actor.county_id, row)
        after = {"list_hash": row.list_hash.hex() if row.list_hash else "", "records": records}
        await _audit(actor, "random.open", check_id, form.unit_code, after)
    return check_id


async def draw(actor: Actor, check_id: UUID, value: str, source: str, now: datetime) -> int:
    """Draw by the public value; how many records. Raises NotFound, Invalid, Conflict, Frozen."""
    value, source = value.strip(), source.strip()
    if not value or not source:
        names = {"value": (value, "公开数值"), "value_source": (source, "数值的来历")}
        fields = {key: f"请填写{name}。" for key, (given, name) in names.items() if not given}
        raise Invalid("有几处需要改正。", fields)
    row = await view(actor, check_id)
    require(actor, Action.RANDOM_DRAW, Target(unit_code=row.unit_code))
    if row.state != "listed" or row.list_hash is None:
        raise Conflict("这次核查已经抽取过，或已作废。")
    text = await listing(actor, check_id)
    seed = rules.seed_of(row.list_hash, value)
    drawn = await asyncio.to_thread(
        rules.draw, text, seed, row.people, row.per_person, row.inspectors
    )
    items = await _items(actor.county_id, drawn, row)
    async with DB.transaction():
        if await queries.lock(actor.county_id, check_id) != "listed":
            raise Conflict("这次核查已经抽取过，或已作废。")
        await service.expect_open(actor.county_id, [row.last_day])
        await queries.set_drawn(
            actor.county_id, check_id, value, source, seed, (actor.person_id, now)
        )
        await queries.insert_items(actor.county_id, check_id, items)
        after = {"seed": seed.hex(), "value": value, "items": len(items)}
        await _audit(actor, Action.RANDOM_DRAW, check_id, row.unit_code, after)
    return len(items)


async def record(
    actor: Actor,
    check_id: UUID,
    results: Sequence[Result],
    now: datetime,
    *,
    reason: str = "",
    source: str = "form",
) -> service.Saved:
    """Enter what inspectors found; unchanged ones change nothing, corrections need a reason.

    Raises NotFound, Invalid, Conflict, Forbidden, Frozen, Changed.
    """
    row = await view(actor, check_id)
    ids = [result.item_id for result in results]
    items = {item.id: item for item in await queries.items_of(actor.county_id, check_id, ids)}
    fresh: list[Result] = []
    saved = service.Saved()
    for result in results:
        item = items.get(result.item_id)
        if item is None:
            raise NotFound
        service.expect_right(actor, Action.DUTY_EDIT, item.village_code, item.person_id)
        if faults := result_faults(result, row, today(now)):
            raise Invalid(f"第 {item.position} 条：{''.join(faults.values())}", faults)
        if item.version is None:
            saved.created += 1
        elif _same(item, result):
            saved.same += 1
            continue
        elif result.seen not in {"", str(item.version)}:
            raise Changed
        else:
            saved.corrected += 1
        fresh.append(result)
    if saved.corrected and not reason.strip():
        raise Invalid(
            f"有 {saved.corrected} 条是改已有的结果，请写明更正原因。", {"reason": "请写明原因。"}
        )
    try:
        async with DB.transaction():
            if await queries.lock(actor.county_id, check_id) != "drawn":
                raise Conflict("这次核查还没有抽取，或已作废，不能登记结果。")
            await service.expect_open(actor.county_id, [row.last_day])
            await _write(actor, row, items, fresh, (reason.strip(), source, actor.person_id, now))
    except UniqueViolationError as error:
        raise Changed from error
    return saved


async def add_paper(
    actor: Actor,
    check_id: UUID,
    found: Sequence[PaperItem],
    now: datetime,
    *,
    reason: str = "",
    source: str = "form",
) -> service.Saved:
    """Results of a check that was drawn outside the product; the same one again changes nothing.

    Raises NotFound, Invalid, Conflict, Forbidden, Frozen.
    """
    row = await view(actor, check_id)
    if row.mode != "paper":
        raise Conflict("这次核查是系统抽取的，只能登记抽到的条目。")
    async with DB.transaction():
        # Read under the lock: of two files at once each would add what the other has just added.
        await queries.lock(actor.county_id, check_id)
        await service.expect_open(actor.county_id, [row.last_day])
        made, results = await _papers(actor.county_id, check_id, found)
        await queries.insert_items(actor.county_id, check_id, made)
        return await record(actor, check_id, results, now, reason=reason, source=source)


async def void(actor: Actor, check_id: UUID, reason: str) -> None:
    """Take a check back: its results no longer count. Raises Invalid, NotFound, Frozen."""
    if not reason.strip():
        raise Invalid("请写明作废的原因。", {"reason": "请写明作废的原因。"})
    row = await view(actor, check_id)
    require(actor, Action.RANDOM_DRAW, Target(unit_code=row.unit_code))
    async with DB.transaction():
        state = await queries.lock(actor.county_id, check_id)
        if state == "void":
            raise Conflict("这次核查已经作废。")
        await service.expect_open(actor.county_id, [row.last_day])
        await queries.set_state(actor.county_id, check_id, "void")
        await _audit(
            actor, "random.void", check_id, row.unit_code, {"state": "void"}, reason.strip()
        )


async def view(actor: Actor, check_id: UUID) -> CheckRow:
    """One check. Raises NotFound."""
    row = await queries.check(actor.county_id, check_id)
    if row is None:
        raise NotFound
    require(actor, Action.RANDOM_VIEW, Target(unit_code=row.unit_code))
    return row


async def items(actor: Actor, check_id: UUID) -> list[CheckItem]:
    """What was drawn and found. Raises NotFound."""
    await view(actor, check_id)
    return await queries.items(actor.county_id, check_id)


async def items_of(actor: Actor, check_id: UUID, ids: Sequence[UUID]) -> list[CheckItem]:
    """Those of a check's records that are named. Raises NotFound."""
    await view(actor, check_id)
    return await queries.items_of(actor.county_id, check_id, ids)


async def part(county_id: int, check: CheckRow, page: int | None) -> tuple[list[CheckItem], int]:
    """A page of the records of a check that was viewed, and its number.

    Without a number it is the page of the first record that has no result.
    """
    if page is None:
        page = await queries.before_waiting(county_id, check.id) // PAGE + 1
    return await queries.part(county_id, check.id, PAGE, (page - 1) * PAGE), page


async def waiting(county_id: int, check: CheckRow, after: int) -> tuple[list[CheckItem], bool]:
    """The next records without a result of a check that was viewed, and whether more follow.

    Behind the position ``after``, or from the start where none is left there.
    """
    found = await queries.waiting(county_id, check.id, after, PAGE + 1)
    if not found and after:
        found = await queries.waiting(county_id, check.id, 0, PAGE + 1)
    return found[:PAGE], len(found) > PAGE


async def checks(actor: Actor) -> list[CheckRow]:
    """Checks of the actor's units, latest first."""
    return await queries.checks(actor.county_id, reach(actor, Action.RANDOM_VIEW))


async def listing(actor: Actor, check_id: UUID) -> str:
    """The published list as text, whose SHA-256 is the published hash. Raises NotFound."""
    await view(actor, check_id)
    packed = await queries.listing(actor.county_id, check_id)
    if packed is None:
        raise NotFound
    return (await asyncio.to_thread(zlib.decompress, packed)).decode()


def may_draw(actor: Actor, unit_code: str = "") -> bool:
    """Whether the actor may open or draw a check (of this unit, or of any)."""
    if not unit_code:
        return bool(reach(actor, Action.RANDOM_DRAW))
    return allowed(actor, Action.RANDOM_DRAW, Target(unit_code=unit_code)).allowed


def may_record(actor: Actor, item: CheckItem) -> bool:
    """Whether the actor may enter what was found of this record."""
    target = Target(unit_code=item.village_code, owner=item.person_id)
    return allowed(actor, Action.DUTY_EDIT, target).allowed


async def _papers(
    county_id: int, check_id: UUID, found: Sequence[PaperItem]
) -> tuple[list[NewItem], list[Result]]:
    """The records that the check does not have yet, and what was found of each."""
    items = await queries.items(county_id, check_id)
    known = {(item.person_id, item.label): item for item in items}
    made: list[NewItem] = []
    results: list[Result] = []
    for number, one in enumerate(found, len(items) + 1):
        if not one.label.strip():
            raise Invalid("请写明核查了什么。", {"label": "请写明核查了什么。"})
        item = known.get((one.person_id, one.label.strip()))
        item_id = item.id if item else new_id()
        if item is None:
            place = await roster.worker_place(
                county_id, one.person_id, one.checked_on, one.village_code
            )
            if place is None:
                raise NotInPost
            made.append(
                NewItem(
                    id=item_id,
                    position=number,
                    person_id=one.person_id,
                    village_code=place.village_code,
                    record_id=None,
                    label=one.label.strip(),
                    worked_on=None,
                    inspector=one.checked_by.strip(),
                )
            )
        results.append(
            Result(
                item_id=item_id,
                correct=one.correct,
                note=one.note,
                checked_on=one.checked_on,
                checked_by=one.checked_by,
            )
        )
    return made, results


async def _items(county_id: int, drawn: Sequence[rules.Drawn], row: CheckRow) -> list[NewItem]:
    """What the draw picked, with what the record says; one reversed since keeps its place."""
    known = await queries.candidates_of(county_id, [one.record_id for one in drawn])
    people = sorted({one.person_id for one in drawn})
    places = await roster.worker_places(county_id, people, row.last_day)
    made = []
    for number, one in enumerate(drawn, 1):
        record = known.get(one.record_id)
        place = places.get(one.person_id)
        code = record.grid_code if record else place.grid_code if place else row.unit_code
        made.append(
            NewItem(
                id=new_id(),
                position=number,
                person_id=one.person_id,
                village_code=code[:12],
                record_id=one.record_id,
                label=record.label if record else "（记录已冲销）",
                worked_on=record.work_date if record else None,
                inspector=one.inspector,
            )
        )
    return made


def _checked(form: CheckForm, on: date) -> None:
    """Raises Invalid naming each wrong field."""
    faults = {}
    if not 2 <= len(form.title.strip()) <= 60:
        faults["title"] = "名称要 2 到 60 个字。"
    faults |= _period_faults(form, on)
    if not 1 <= form.people <= rules.MOST_PEOPLE:
        faults["people"] = f"抽查人数要在 1 到 {rules.MOST_PEOPLE} 之间。"
    if not 1 <= form.per_person <= rules.MOST_PER_PERSON:
        faults["per_person"] = f"每人条数要在 1 到 {rules.MOST_PER_PERSON} 之间。"
    if sentence := _inspectors_fault(form):
        faults["inspectors"] = sentence
    if not form.value_source.strip() or len(form.value_source) > 200:
        faults["value_source"] = "请写明怎样抽取，例如“当天会场摇号”“某期彩票开奖号码”。"
    if form.mode not in rules.MODE_NAMES:
        faults["mode"] = "请从列表中选择。"
    if faults:
        raise Invalid("有几处需要改正。", faults)


def _period_faults(form: CheckForm, on: date) -> dict[str, str]:
    half = [(day.year, day.month > 6) for day in (form.first_day, form.last_day)]
    if form.last_day < form.first_day:
        return {"last_day": "结束日期不能早于开始日期。"}
    if half[0] != half[1]:
        return {"last_day": "起止日期要在同一个半年里，这样才知道计入哪次考核。"}
    if form.first_day > on:
        return {"first_day": "开始日期还没有到。"}
    return {}


def _inspectors_fault(form: CheckForm) -> str:
    names = [name.strip() for name in form.inspectors]
    if len(names) > rules.MOST_INSPECTORS or any(not 2 <= len(name) <= 20 for name in names):
        return f"核查人员一行一个名字，最多 {rules.MOST_INSPECTORS} 人。"
    if form.mode == "drawn" and len(set(names)) < 2:
        return "双随机要求核查人员也随机选派，请至少写两个人。"
    return ""


def result_faults(result: Result, row: CheckRow, on: date) -> dict[str, str]:
    """Field → what is wrong with a result."""
    faults = {}
    if not row.first_day <= result.checked_on <= on:
        faults["checked_on"] = "核查日期不能早于核查范围的第一天，也不能在今天以后。"
    if not 2 <= len(result.checked_by.strip()) <= 40:
        faults["checked_by"] = "请填写核查人。"
    if len(result.note) > rules.MOST_NOTE:
        faults["note"] = f"说明最多 {rules.MOST_NOTE} 个字。"
    if not result.correct and not result.note.strip():
        faults["note"] = "认定错误的，请写明错在哪里。"
    return faults


def _same(item: CheckItem, result: Result) -> bool:
    stored = (item.correct, item.note, item.checked_on, item.checked_by)
    return stored == (
        result.correct,
        result.note.strip(),
        result.checked_on,
        result.checked_by.strip(),
    )


async def _write(
    actor: Actor,
    row: CheckRow,
    items: dict[UUID, CheckItem],
    fresh: Sequence[Result],
    stamp: tuple[str, str, UUID, datetime],
) -> None:
    ids = [result.item_id for result in fresh]
    versions = await queries.results(actor.county_id, ids)
    if any(versions.get(one) != items[one].version for one in ids):
        raise Changed
    rows = [
        NewResult(
            id=new_id(),
            item_id=result.item_id,
            version=versions.get(result.item_id, 0) + 1,
            correct=result.correct,
            note=result.note.strip(),
            checked_on=result.checked_on,
            checked_by=result.checked_by.strip(),
        )
        for result in fresh
    ]
    await queries.retire(actor.county_id, ids)
    await queries.insert_results(actor.county_id, stamp, rows)
    events = []
    for one in rows:
        item = items[one.item_id]
        before = {"correct": item.correct, "note": item.note} if item.version else None
        events.append(
            audit.Entry(
                "random.result",
                "random_item",
                item.id,
                item.village_code,
                before,
                one,
                item.person_id,
            )
        )
    await audit.record_all(actor, events, county_id=actor.county_id, reason=stamp[0] or row.title)


async def _audit(
    actor: Actor, action: str, check_id: UUID, unit_code: str, after: object, reason: str = ""
) -> None:
    await audit.record(
        actor,
        action,
        "random_check",
        check_id,
        county_id=actor.county_id,
        unit_code=unit_code,
        after=after,
        reason=reason,
    )
