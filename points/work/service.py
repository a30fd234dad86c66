"""Declaring work and confirming it.

A record's id is made where it is typed: the same id with the same content gives the first result
again. Nobody confirms their own work or what they keyed in; whom a step waits for is worked out
from the roster of the day, and vacant posts are stood in for by the level above.
"""

import hashlib
import itertools
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec

from points.errors import (
    DuplicateWork,
    NotConfirmer,
    NotQuietYet,
    ResidentMissing,
    WorkIdReused,
    WorkNotOpen,
    WorkRefused,
)
from points.rulebook import service as rulebook
from points.rulebook.rules import Evidence, Rule, Step
from points.work import confirming, month, month_queries, posting, queries, trail
from points.work.confirming import CONFIRMING
from points.work.rules import (
    OLDEST_DAYS,
    REPEAT_DAYS,
    Confirmer,
    PostHeld,
    State,
    confirmer,
    drawn,
    household_key,
    steps_for,
    text_key,
    unfit,
)
from points.work.schemas import Line, LogForm, NewRecord, NewStep, Record, StepRow, Task, Totals
from shared import settings_county
from shared.audit import service as audit
from shared.clock import LOCAL_ZONE, today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import NotFound
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.identity.sealing import keyed
from shared.ids import new_id
from shared.months import month_bounds, month_of, months_later
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from shared.roster.schemas import Place, UnitRow

MAX_TEXT = 500
MAX_QUANTITY = 500
PAGE = 20
TASKS = 20
"""Most records on one 待办 page."""
COUNTY_DIGITS = 6
VILLAGE_ROLES = (Role.LEAD, Role.CHIEF, Role.COMMITTEE, Role.SUPERVISOR)


async def log(actor: Actor, form: LogForm, now: datetime, *, photo: bytes | None = None) -> Record:
    """Declare work for oneself; ``photo`` is the hash of a stored picture.

    Raises WorkIdReused, WorkRefused with the field and the reason, DuplicateWork.
    """
    worker_id = form.worker_id or actor.person_id
    if worker_id != actor.person_id:
        return await _proxy(actor, worker_id, form, photo, now)
    place = await _place(actor.county_id, worker_id, form, now)
    # Where the actor works now: who has moved still declares the last days in the former grid.
    here = next(iter(actor.units(Role.GRIDWORKER)), "")
    authority = require(actor, Action.WORK_LOG, Target(unit_code=here, owner=actor.person_id))
    return await _declare(actor, worker_id, form, (place, "phone", authority), photo, now)


async def _proxy(
    actor: Actor, worker_id: UUID, form: LogForm, photo: bytes | None, at: datetime
) -> Record:
    """代录: the secretary keys in a paper slip; marked as such, and confirmed by somebody else."""
    place = await _place(actor.county_id, worker_id, form, at)
    authority = require(
        actor, Action.WORK_PROXY, Target(unit_code=place.village_code, owner=worker_id)
    )
    return await _declare(actor, worker_id, form, (place, "proxy", authority), photo, at)


async def verify(actor: Actor, record_id: UUID, *, resident_how: str = "", now: datetime) -> Record:
    """Confirm every open step that waits for the actor; the last one accepts the record.

    Raises NotFound, NotConfirmer, WorkNotOpen, ResidentMissing, NotQuietYet.
    """
    async with DB.transaction():
        record, steps, authority = await _answerable(actor, record_id, now)
        rule = await rule_of(actor.county_id, record)
        how = (resident_how or record.resident_how) if rule.resident else ""
        if rule.resident and not how:
            raise ResidentMissing
        quiet = record.work_date + timedelta(days=rule.quiet_days)
        if today(now) < quiet:
            raise NotQuietYet(rule.quiet_days, quiet)
        answered = [step.step for step in steps]
        await queries.answer_steps(
            actor.county_id,
            record_id,
            answered,
            "approve",
            (actor.person_id, authority, "page", now),
        )
        await audit.record(
            actor,
            Action.WORK_VERIFY,
            "work_record",
            record_id,
            county_id=actor.county_id,
            about_id=record.worker_id,
            unit_code=record.grid_code,
            before={"state": record.state},
            after={"steps": answered, "resident_how": how},
            authority=authority,
        )
        if not await accept_if_done(actor.county_id, record, how, now):
            await _point_again(actor.county_id, record, now)
    found = await queries.record(actor.county_id, record_id)
    return found or record


async def send_back(
    actor: Actor, record_id: UUID, reason: str, *, refuse: bool = False, now: datetime
) -> None:
    """退回 for correction, or refuse for good, with the reason in plain words.

    Raises NotFound, NotConfirmer, WorkNotOpen, WorkRefused without a reason.
    """
    if problem := unfit(reason, "请写明退回的原因，网格员看得到。"):
        raise WorkRefused("reason", problem)
    state = State.REFUSED if refuse else State.RETURNED
    async with DB.transaction():
        record, steps, authority = await _answerable(actor, record_id, now)
        await queries.answer_steps(
            actor.county_id,
            record_id,
            [step.step for step in steps],
            "refuse" if refuse else "return",
            (actor.person_id, authority, "page", now),
        )
        await queries.set_state(actor.county_id, record_id, state, now, reason=reason.strip())
        action = "work.refuse" if refuse else "work.return"
        await trail.changed(actor, action, record, state, authority, reason)


async def withdraw(actor: Actor, record_id: UUID, now: datetime) -> None:
    """Take back one's own record that nobody has confirmed yet, or a paper slip that was keyed in.

    Raises NotFound, WorkNotOpen.
    """
    async with DB.transaction():
        record = await queries.lock_record(actor.county_id, record_id)
        if record is None:
            raise NotFound
        authority = "self"
        if record.worker_id != actor.person_id:
            if record.source != "proxy":
                raise NotFound
            there = Target(unit_code=record.grid_code, owner=record.worker_id)
            authority = require(actor, Action.WORK_PROXY, there)
        if record.state not in (State.PENDING, State.RETURNED):
            raise WorkNotOpen(record.state)
        await queries.set_state(actor.county_id, record_id, State.WITHDRAWN, now)
        await trail.changed(actor, "work.withdraw", record, State.WITHDRAWN, authority)


async def accept_if_done(county_id: int, record: Record, how: str, at: datetime) -> bool:
    """Accept a record whose last step is confirmed; in immediate mode it is posted at once."""
    steps = await queries.steps(county_id, [record.id])
    if any(step.verdict != "approve" for step in steps):
        await queries.set_state(county_id, record.id, State.PENDING, at, resident_how=how)
        return False
    await queries.set_state(county_id, record.id, State.ACCEPTED, at, resident_how=how)
    await queries.mark_repeats(county_id, [record.id], REPEAT_DAYS)
    settings = await settings_county.get(county_id)
    if settings.posting_mode == "immediate":
        await posting.post_records(county_id, [record.id], at)
    else:
        await _open_run(county_id, record)
    return True


async def _open_run(county_id: int, record: Record) -> None:
    """Confirmed after its village's review: the record goes with the next run."""
    run = record.run_month
    while True:
        row = await month_queries.month_row(county_id, record.grid_code[:12], run)
        if row is None or row.state in {"collecting", "reviewing"}:
            break
        run = months_later(run)
    if run != record.run_month:
        await month_queries.move_to_run(county_id, record.id, run)


async def tasks(actor: Actor) -> list[Task]:
    """待办: records with a step that waits for the actor, oldest first."""
    duties, grids = _waiting(actor)
    found = await queries.open_for(actor.county_id, duties, grids, actor.person_id, TASKS)
    steps = await queries.steps(actor.county_id, [line.id for line in found])
    held = {(role, unit) for role, unit in duties}
    rules: dict[tuple[str, date], Rule | None] = {}
    result = []
    for line in found:
        step = next(
            (
                step
                for step in steps
                if step.record_id == line.id
                and step.verdict == "open"
                and (step.role, step.unit_code) in held
            ),
            None,
        )
        key = (line.rule_code, line.work_date)
        if key not in rules:
            rules[key] = await rulebook.rule_at(actor.county_id, *key)
        rule = rules[key]
        if step is not None and rule is not None:
            result.append(Task(line=line, step=step.step, title=rule.title, resident=rule.resident))
    return result


async def count_tasks(actor: Actor) -> int:
    """How many records wait for the actor."""
    duties, grids = _waiting(actor)
    return await queries.count_open_for(actor.county_id, duties, grids, actor.person_id)


async def done(actor: Actor, after: UUID | None = None) -> list[Line]:
    """已办: what the actor has answered, latest first; ``after`` is the last one seen.

    One more than a page, which tells whether there is another.
    """
    return await queries.done_by(actor.county_id, actor.person_id, after, PAGE + 1)


async def own_lines(actor: Actor, before: UUID | None = None, state: str = "") -> list[Line]:
    """One's own records, latest first: one more than a page, as in :func:`done`."""
    return await queries.lines_of_worker(actor.county_id, actor.person_id, before, state, PAGE + 1)


async def own_totals(actor: Actor, now: datetime) -> Totals:
    """Points on their way and posted this month, 0.1 point."""
    first, after = month_bounds(month_of(today(now)))
    return await queries.totals(actor.county_id, actor.person_id, first, after)


async def returned_papers(actor: Actor, now: datetime) -> list[Line]:
    """Paper slips that were sent back: whoever keys in corrects them, their workers have no phone.

    For the village and the township; the department would look through the whole county.
    """
    on = today(now)
    codes = [code for code in reach(actor, Action.WORK_PROXY) if len(code) > COUNTY_DIGITS]
    months = (month_of(on - timedelta(days=OLDEST_DAYS)), month_of(on))
    return await queries.returned_papers(actor.county_id, codes, months, TASKS)


async def view(actor: Actor, record_id: UUID) -> tuple[Line, list[StepRow]]:
    """One record with its steps, for the worker and for whoever may look. Raises NotFound."""
    found = await queries.lines(actor.county_id, [record_id])
    if not found:
        raise NotFound
    line = found[0]
    require(actor, Action.WORK_VIEW, Target(unit_code=line.grid_code, owner=line.worker_id))
    return line, await queries.steps(actor.county_id, [record_id])


async def photo_of(actor: Actor, record_id: UUID) -> bytes | None:
    """The hash of a record's photo, for those who may see the record. Raises NotFound."""
    await view(actor, record_id)
    found = await queries.record(actor.county_id, record_id)
    return found.photo if found else None


async def grids(actor: Actor, worker_id: UUID, now: datetime) -> tuple[list[UnitRow], str]:
    """The grids to choose from for who holds posts in several at once, and the likely one.

    As far back as work may be declared; nothing for everybody else. Likely is where the last
    record was that the actor wrote today, else the only grid of today.
    """
    on = today(now)
    after = on + timedelta(days=1)
    spans = []
    for held in await roster.history(actor.county_id, worker_id):
        first = max(held.valid_from, on - timedelta(days=OLDEST_DAYS))
        end = min(held.valid_to or after, after)
        if held.role == Role.GRIDWORKER and first < end:
            spans.append((first, end, held.unit_code))
    if not any(
        one[2] != other[2] and one[0] < other[1] and other[0] < one[1]
        for one, other in itertools.combinations(spans, 2)
    ):
        return [], ""
    units = await roster.units(actor.county_id, {code for _, _, code in spans})
    midnight = datetime.combine(on, time(), LOCAL_ZONE)
    last = await queries.last_grid(actor.county_id, worker_id, actor.person_id, midnight)
    current = {code for _, end, code in spans if end == after}
    return list(units.values()), last or (current.pop() if len(current) == 1 else "")


async def sentences(actor: Actor, rule: Rule) -> list[str]:
    """What the worker wrote lately under a rule, then the rule's own sentences."""
    recent = await queries.recent_texts(actor.county_id, actor.person_id, rule.code)
    return list(dict.fromkeys([*recent, *rule.templates]))


async def rule_of(county_id: int, record: Record) -> Rule:
    """The rule version a record was declared under. Raises NotFound."""
    for rule in await rulebook.history(county_id, record.rule_code):
        if rule.version == record.rule_version:
            return rule
    raise NotFound


async def recuse(actor: Actor, record_id: UUID, now: datetime) -> None:
    """回避: a verifier who is related to the worker leaves the record to the next in line.

    Raises NotFound, NotConfirmer, WorkNotOpen.
    """
    async with DB.transaction():
        record, _, authority = await _answerable(actor, record_id, now)
        await queries.recuse(actor.county_id, record_id, actor.person_id)
        await refresh(actor.county_id, record.grid_code, now)
        await audit.record(
            actor,
            "work.recuse",
            "work_record",
            record_id,
            county_id=actor.county_id,
            about_id=record.worker_id,
            unit_code=record.grid_code,
            authority=authority,
        )


async def refresh(county_id: int, code: str, now: datetime) -> int:
    """Point open steps below a unit at whoever holds the posts now; how many moved."""
    steps = await queries.open_steps(county_id, code)
    records = await queries.excluding(county_id, (step.record_id for step in steps))
    roll = await confirming.roll_of(county_id, today(now), code)
    moved = []
    for step in steps:
        record = records.get(step.record_id)
        if record is None:
            continue  # answered since the line above
        found = roll.confirmer(
            step.step,
            record.grid_code,
            record.excluded,
            record.worker_id,
            cadre=record.cadre,
            confirmed=frozenset(record.confirmed),
        )
        made = new_step(step.record_id, step.step, found)
        if (made.role, made.unit_code, made.grid_code) != (
            step.role,
            step.unit_code,
            step.grid_code,
        ):
            moved.append(msgspec.structs.replace(made, id=step.id))
    await queries.move_steps(county_id, moved)
    return len(moved)


async def _point_again(county_id: int, record: Record, at: datetime) -> None:
    """Who has just confirmed one step of a record may have been the one whom another waited for."""
    roll = await queries.roll(county_id, today(at), CONFIRMING, record.grid_code)
    steps = await queries.steps(county_id, [record.id])
    confirmed = frozenset(step.by_id for step in steps if step.verdict == "approve" and step.by_id)
    moved = []
    for step in steps:
        if step.verdict == "open":
            found = await _confirmer(county_id, record, step.step, roll, confirmed)
            made = new_step(record.id, step.step, found)
            moved.append(msgspec.structs.replace(made, id=step.id))
    await queries.move_steps(county_id, moved)


async def waits_for(county_id: int, record_id: UUID, now: datetime) -> list[str]:
    """Names of the people whom a record waits for: 等王书记核实."""
    return list((await waiting(county_id, record_id, now)).values())


async def waiting(county_id: int, record_id: UUID, now: datetime) -> dict[str, str]:
    """The same by step; a step that nobody can confirm is absent."""
    record = await queries.record(county_id, record_id)
    if record is None:
        return {}
    roll = await queries.roll(county_id, today(now), CONFIRMING, record.grid_code)
    names: dict[str, str] = {}
    steps = await queries.steps(county_id, [record_id])
    confirmed = frozenset(step.by_id for step in steps if step.verdict == "approve" and step.by_id)
    for step in steps:
        if step.verdict == "open":
            found = await _confirmer(county_id, record, step.step, roll, confirmed)
            if found:
                names[step.step] = found.people[0].name
    return names


async def _declare(
    actor: Actor,
    worker_id: UUID,
    form: LogForm,
    origin: tuple[Place, str, str],
    photo: bytes | None,
    at: datetime,
) -> Record:
    """Check and store one declaration with the steps it waits for."""
    place, source, authority = origin
    county_id = actor.county_id
    rule = await declarable(county_id, form.rule_code, form.work_date)
    form = msgspec.structs.replace(form, household=household_key(form.household))
    text = text_of(rule, form.text)
    photo = photo or await _photo_before(county_id, rule, form, worker_id)
    check_fields(rule, form, text, photo)
    fingerprint = fingerprint_of(worker_id, form, text, photo)
    async with DB.transaction():
        await queries.lock_worker(county_id, worker_id)
        if known := await queries.record(county_id, form.id):
            if known.fingerprint != fingerprint or known.worker_id != worker_id:
                raise WorkIdReused
            return known
        await _no_duplicate(county_id, worker_id, rule, form.work_date, text, place)
        steps = steps_for(rule.steps, checked=await _checked(county_id, worker_id, form))
        row = NewRecord(
            id=form.id,
            worker_id=worker_id,
            grid_code=place.grid_code,
            rule_code=rule.code,
            rule_version=rule.version,
            category=rule.category,
            work_date=form.work_date,
            run_month=await month.run_of(county_id, form.work_date, today(at)),
            declared_at=at,
            seq=0,
            text=text,
            text_key=text_key(text),
            quantity=form.quantity,
            household=form.household if rule.household else "",
            photo=photo,
            source=source,
            entered_by=actor.person_id if source == "proxy" else None,
            fingerprint=fingerprint,
            state=State.PENDING,
            gives=rule.points * (form.quantity // rule.per),
        )
        await queries.insert_records(county_id, [row])
        await _open_steps(county_id, row, steps, at)
        if form.replaces is not None:
            await _replace(actor, form.replaces, worker_id, at, authority)
        await audit.record(
            actor,
            Action.WORK_PROXY if source == "proxy" else Action.WORK_LOG,
            "work_record",
            form.id,
            county_id=county_id,
            about_id=worker_id,
            unit_code=place.grid_code,
            after={"rule": rule.code, "work_date": form.work_date, "worker": worker_id},
            authority=authority,
        )
        stored = await queries.record(county_id, form.id)
        if stored is None:
            raise NotFound
        if not steps:
            await accept_if_done(county_id, stored, "", at)
        else:
            await queries.mark_repeats(county_id, [form.id], REPEAT_DAYS)
    return await queries.record(county_id, form.id) or stored


async def declarable(county_id: int, code: str, on: date) -> Rule:
    """The rule in force on a work date, if people may declare under it. Raises WorkRefused."""
    rule = await rulebook.rule_at(county_id, code, on)
    if rule is None:
        raise WorkRefused("rule_code", f"{chinese_date(on)}没有生效的规则 {code}，请重新选择事项。")
    if Step.SYSTEM in rule.steps:
        raise WorkRefused("rule_code", f"{code} 由工单办结自动产生，不用手工申报。")
    return rule


def text_of(rule: Rule, text: str) -> str:
    """What is kept of the words: a secret rule keeps only its own."""
    return rule.templates[0] if rule.secret else text.strip()


def check_fields(rule: Rule, form: LogForm, text: str, photo: bytes | None) -> None:
    """Raises WorkRefused for the first field that does not fit the rule."""
    for field, holds, reason in (
        ("text", bool(text), "请写一句做了什么。"),
        ("text", len(text) <= MAX_TEXT, f"最多 {MAX_TEXT} 个字。"),
        ("quantity", 1 <= form.quantity <= MAX_QUANTITY, f"数量应在 1 到 {MAX_QUANTITY} 之间。"),
        ("quantity", form.quantity >= rule.per, f"每 {rule.per} 户计一次，请填实际户数。"),
        ("quantity", rule.per > 1 or form.quantity == 1, "这一项一次只能记 1 件。"),
        ("household", not rule.household or bool(form.household), "请填探访的户号。"),
        ("household", len(form.household) <= 20, "户号太长了，请核对。"),
        ("photo", photo is not None or rule.evidence != Evidence.REQUIRED, "这一项要附照片。"),
        ("photo", photo is None or rule.evidence != Evidence.NONE, "这一项不收照片。"),
    ):
        if not holds:
            raise WorkRefused(field, reason)


def fingerprint_of(worker_id: UUID, form: LogForm, text: str, photo: bytes | None) -> bytes:
    """What makes two declarations under one id the same."""
    content = (
        str(worker_id),
        form.rule_code,
        form.work_date,
        text,
        form.quantity,
        form.household,
        photo.hex() if photo else "",
        *filter(None, [form.grid_code]),
    )
    return hashlib.sha256(msgspec.json.encode(content)).digest()


async def _place(county_id: int, worker_id: UUID, form: LogForm, at: datetime) -> Place:
    """Where the worker worked that day. Raises WorkRefused: future, too old, not in post."""
    on = form.work_date
    if on > today(at):
        raise WorkRefused("work_date", "日期还没有到，请改成实际做事的那天。")
    if on < today(at) - timedelta(days=OLDEST_DAYS):
        raise WorkRefused("work_date", f"只能补记 {OLDEST_DAYS} 天以内的工作。")
    place = await roster.worker_place(county_id, worker_id, on)
    if place is None:
        raise WorkRefused(
            "work_date", f"{on.month}月{on.day}日不在网格员岗位上，不能记这天的工作。"
        )
    if form.grid_code:
        place = await roster.worker_place(county_id, worker_id, on, form.grid_code)
        if place is None or place.grid_code != form.grid_code:
            raise WorkRefused(
                "grid_code", f"{on.month}月{on.day}日不在这个网格的岗位上，请改选当天的网格。"
            )
    return place


async def _no_duplicate(
    county_id: int, worker_id: UUID, rule: Rule, on: date, text: str, place: Place
) -> None:
    """Equal in worker, day, rule and words is 重复, in another grid too: the words tell apart."""
    grid = await queries.same_record(county_id, worker_id, on, rule.code, text_key(text))
    said = f"{on.month}月{on.day}日的“{text}”"
    if grid and grid != place.grid_code and not rule.secret:
        raise DuplicateWork(
            f"{said}在另一个网格已经记过。这个网格也做了的，请在内容里写明是哪个网格。"
        )
    if grid:
        raise DuplicateWork(f"{said}已经记过了，不用再记。")


async def _checked(county_id: int, worker_id: UUID, form: LogForm) -> bool:
    """Whether a CHECK falls on a record: drawn by lot, once for whatever stands in for it."""
    return drawn(keyed("check", str(form.id))) or await queries.checked_before(
        county_id, worker_id, form.work_date, form.rule_code, form.replaces
    )


async def _open_steps(county_id: int, row: NewRecord, steps: Sequence[Step], at: datetime) -> None:
    roll = await queries.roll(county_id, today(at), CONFIRMING, row.grid_code)
    excluded = frozenset(filter(None, (row.worker_id, row.entered_by)))
    cadre = await is_cadre(county_id, row.worker_id)
    rows = []
    for step in steps:
        found = confirmer(step, row.grid_code, excluded, roll, cadre=cadre, worker=row.worker_id)
        rows.append(new_step(row.id, step, found))
    await queries.insert_steps(county_id, rows)


def new_step(record_id: UUID, step: Step, found: Confirmer | None) -> NewStep:
    """A step that waits for a confirmer, or for nobody yet."""
    return NewStep(
        id=new_id(),
        record_id=record_id,
        step=step,
        role=found.role if found else "",
        unit_code=found.unit_code if found else "",
        grid_code=found.grid_code if found else "",
    )


async def _photo_before(county_id: int, rule: Rule, form: LogForm, worker_id: UUID) -> bytes | None:
    """The photo of the returned record, which the corrected one keeps unless it has another."""
    if form.replaces is None or rule.evidence == Evidence.NONE:
        return None
    old = await queries.record(county_id, form.replaces)
    return old.photo if old is not None and old.worker_id == worker_id else None


async def _replace(
    actor: Actor, old_id: UUID, worker_id: UUID, at: datetime, authority: str
) -> None:
    """The corrected record takes the place of the returned one."""
    old = await queries.record(actor.county_id, old_id)
    if old is not None and old.state == State.RETURNED:
        # Not one that waits: who confirms that holds it and waits for the worker, whom we hold.
        old = await queries.lock_record(actor.county_id, old_id)
    if old is None or old.worker_id != worker_id:
        raise NotFound
    if old.state != State.RETURNED:
        raise WorkNotOpen(old.state)
    await queries.set_state(actor.county_id, old_id, State.WITHDRAWN, at, reason=old.reason)
    await trail.changed(actor, "work.withdraw", old, State.WITHDRAWN, authority)


async def is_cadre(county_id: int, worker_id: UUID) -> bool:
    """Whether a worker is a village cadre besides: confirmed one level up."""
    card = await roster.person(county_id, worker_id)
    return card is not None and card.employment_type == Employment.CADRE


async def _confirmer(
    county_id: int,
    record: Record,
    step: Step,
    roll: Sequence[PostHeld],
    confirmed: frozenset[UUID],
) -> Confirmer | None:
    excluded = frozenset(filter(None, (record.worker_id, record.entered_by, *record.recused)))
    cadre = await is_cadre(county_id, record.worker_id)
    return confirmer(
        Step(step),
        record.grid_code,
        excluded,
        roll,
        cadre=cadre,
        worker=record.worker_id,
        confirmed=confirmed,
    )


async def _answerable(
    actor: Actor, record_id: UUID, at: datetime
) -> tuple[Record, list[StepRow], str]:
    """The locked record, its open steps that wait for the actor, and under which authority."""
    record = await queries.lock_record(actor.county_id, record_id)
    if record is None:
        raise NotFound
    require(actor, Action.WORK_VIEW, Target(unit_code=record.grid_code, owner=record.worker_id))
    if record.state != State.PENDING:
        raise WorkNotOpen(record.state)
    roll = await queries.roll(actor.county_id, today(at), CONFIRMING, record.grid_code)
    steps = await queries.steps(actor.county_id, [record_id])
    mine: list[StepRow] = []
    authority = ""
    confirmed = {step.by_id for step in steps if step.verdict == "approve" and step.by_id}
    for step in steps:
        found = await _confirmer(actor.county_id, record, step.step, roll, frozenset(confirmed))
        if step.verdict != "open" or found is None:
            continue
        if not any(held.person_id == actor.person_id for held in found.people):
            continue
        authority = require(
            actor,
            Action.WORK_VERIFY,
            Target(
                unit_code=found.unit_code,
                owner=record.worker_id,
                maker=record.entered_by,
                roles=frozenset({found.role}),
            ),
        )
        mine.append(step)
        if not found.escalated:
            confirmed.add(actor.person_id)
    if not mine:
        raise NotConfirmer
    return record, mine, authority


def _waiting(actor: Actor) -> tuple[list[tuple[str, str]], list[str]]:
    """The (role, unit) pairs and grids a step may wait for, from the actor's duties."""
    duties = [(duty.role.value, duty.unit_code) for duty in actor.duties if duty.role in CONFIRMING]
    grids = [grid for duty in actor.duties if duty.role == Role.LEAD for grid in duty.grids]
    return duties, grids
