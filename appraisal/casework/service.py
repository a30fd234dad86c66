"""Cases: opening, signing a step, reading, and what the clock signs.

A step is written, its effect takes place and the audit event is recorded in one transaction, under
the lock of the case's row. Nothing is ever changed or taken back but by a further step.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.casework import documents, effects, queries
from appraisal.casework import fields as answers
from appraisal.casework.machines import MACHINES
from appraisal.casework.queries import NewStep
from appraisal.casework.rules import (
    AGAINST_THE_WILL,
    CONTESTED,
    LEAVES,
    LET_GO,
    OVERTURNED,
    POOL_NAMES,
    Machine,
    Outcome,
    Pool,
    Step,
    Term,
    done,
    lapses,
    next_steps,
    outcome,
    refusal,
    waits,
)
from appraisal.casework.schemas import (
    CaseRow,
    CaseView,
    Choice,
    KinRow,
    Letter,
    Opening,
    SignForm,
    StepRow,
)
from appraisal.casework.world import Matter, ends, last_day, objection_days, world
from appraisal.errors import StepRefused
from appraisal.notice import queries as notices
from shared import settings_county
from shared.audit import service as audit
from shared.audit.service import SYSTEM
from shared.calendar import service as calendar
from shared.calendar.errors import MissingYear
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.documents.excel import file_name, stamp
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.identity import sealing
from shared.identity.access import Action, Target, allowed, reach, require, whole_county
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.ids import new_id
from shared.retention.registry import OBJECTOR
from shared.roster import service as roster
from shared.roster.issuer import issuer
from shared.roster.names import mask
from shared.roster.roles import Role

PAGE = 50
MOST_ROWS = 20_000
MOST = 500
MOST_OPEN = 5000
"""Open cases of a county after a cycle: one for every second worker."""
"""Open cases that one list or one run of the clock looks at."""
MAX_WORDS = 1_000
MAX_DOCUMENT = 100
ERASED_AFTER_DAYS = OBJECTOR.days
"""From a case's end to the erasing of who objected: as long as a refused applicant's data."""
AUTO_WORDS = "期限已满，系统记录。"
OVERTURNED_WORDS = "退出所依据的考核结果已经变更，不再是不合格，系统记录。"
CONTESTED_WORDS = "公示期内收到的异议核查属实，系统记录。"
LET_GO_WORDS = "列入推荐库以后办结了退出，系统记录。"
APPEALABLE = frozenset(
    {"decided", "review_kept", "review_changed", "contest_changed", "recomputed", "not_added"}
)
"""Steps whose letter says how to appeal."""
OTHER_EXIT = "这个人还有另一件退出在办，那一件办结或停止以后，才能重开这一件。"
CARRIED_OUT = AGAINST_THE_WILL | {Outcome.RECOMMENDED, Outcome.ADMITTED}
"""Endings whose ground may turn out to be none."""
ACCEPTED = frozenset({"raised", "appealed", "applied"})
"""Steps whose letter is a receipt that promises an answer."""
INTENDED = "decided"
"""The decision that somebody is to leave: nothing happens before its appeal is over."""
IN_FORCE = "送达后申诉期满没有申诉，或申诉答复维持决定之日"
STAYS = "在此之前岗位不变，退出日期以退出通知书为准。"
READERS = frozenset({Role.DEPARTMENT, Role.AUDITOR})
BARE = "有的乡镇没有网格指导员，那里的异议要由县级复核，复核的人又不能答复申诉；"


async def open_case(
    actor: Actor,
    opening: Opening,
    form: SignForm,
    now: datetime,
    *,
    case_id: UUID | None = None,
    notice_id: UUID | None = None,
) -> UUID:
    """Open a case with its first step. Raises NotFound, Forbidden, Invalid, StepRefused."""
    machine = MACHINES[opening.machine]
    number = case_id or new_id()
    async with DB.transaction():
        await queries.insert_case(actor.county_id, number, machine.pool, opening, now)
        await _sign(actor, number, form, now, notice_id=notice_id)
    return number


async def sign(actor: Actor, case_id: UUID, form: SignForm, now: datetime) -> CaseRow:
    """Sign the next step. Raises NotFound, Forbidden, Invalid, StepRefused."""
    try:
        async with DB.transaction():
            return await _sign(actor, case_id, form, now)
    except UniqueViolationError as error:
        if error.constraint_name != "case_file_one_exit":
            raise
        raise StepRefused(OTHER_EXIT) from error


async def unpublishable(actor: Actor, case_id: UUID, on: date, now: datetime) -> str:
    """Why no notice may name a case that waits for one, such as an objection; empty if one may.

    Raises StepRefused: it does not wait for a notice any more.
    """
    _, _, _, reason = await _by_notice(actor, case_id, on, now)
    return reason


async def sign_notice(
    actor: Actor, case_ids: Sequence[UUID], notice_id: UUID, on: date, now: datetime
) -> None:
    """The step 公示 of cases whose names stand on a notice; inside the notice's transaction."""
    for case_id in case_ids:
        case, chain, step, reason = await _by_notice(actor, case_id, on, now)
        if reason:
            raise StepRefused(reason)
        authority = require(actor, Action.NOTICE_ISSUE, _about(case))
        form = SignForm(step=step.key, words="列入公示。", effective_on=on)
        await _write(actor, case, chain, step, form, now, authority, notice_id=notice_id)


async def _by_notice(
    actor: Actor, case_id: UUID, on: date, now: datetime
) -> tuple[CaseRow, list[StepRow], Step, str]:
    """A case, locked, with its steps, the one that a notice signs, and what is against that."""
    case, chain, machine = await _locked(actor.county_id, case_id)
    step = next((one for one in machine.following(case.state) if one.by_notice), None)
    if step is None:
        raise StepRefused(f"{case.name}的事项还没有到公示这一步，请刷新页面。")
    seen = await world(_matter(actor, case, on, now), [one.signed for one in chain], step, now)
    against = next(filter(None, seen.against.values()), "")
    return case, chain, step, f"{case.name}：{against}先办结这一件，再发布公示。" if against else ""


async def view(actor: Actor, case_id: UUID, now: datetime) -> CaseView:
    """A case with what the actor may sign next. Raises NotFound."""
    case = await queries.case(actor.county_id, case_id)
    if case is None:
        raise NotFound
    _require_view(actor, case)
    steps = await queries.steps(actor.county_id, case_id)
    chain = [step.signed for step in steps]
    choices = []
    for step in next_steps(case.kind, chain):
        found = _may_sign(actor, case, step)
        if found is None:
            continue
        matter = _matter(actor, case, today(now), now)
        try:
            seen = await world(matter, chain, step, now)
        except MissingYear as error:
            reason = error.message
        else:
            reason = refusal(case.kind, chain, step, actor.person_id, matter.on, seen)
        choices.append(Choice(step=step, reason=reason, proxy=found[1]))
    sealed = await _may_ask(actor, case, steps)
    return CaseView(case=case, steps=steps, choices=choices, sealed=sealed)


async def received(
    county_id: int, notice_id: UUID, opening: Opening, form: SignForm
) -> UUID | None:
    """The open objection to a notice in which the same person said the same of the same case."""
    for case in await queries.contests(county_id, notice_id):
        if case.outcome is not None or _opening(case) != opening:
            continue
        first = (await queries.steps(county_id, case.id))[0]
        said = {key: sealing.open_(b64decode(words)) for key, words in _closed([first]).items()}
        if (
            first.words == form.words.strip()
            and said["objector"] == form.answers["objector"].encode()
        ):
            return case.id
    return None


async def show_objector(actor: Actor, case_id: UUID) -> list[tuple[str, str]]:
    """Who objected, as (label, words); that it was looked at is recorded.

    Raises NotFound, Forbidden.
    """
    case = await queries.case(actor.county_id, case_id)
    if case is None:
        raise NotFound
    _require_view(actor, case)
    require(actor, Action.OBJECTOR_SHOW, _about(case))
    if await _is_kin(actor, case):
        raise Forbidden("您与当事人是近亲属，依规应当回避，不能查看反映人。")
    told = await _told(actor, case, await queries.steps(actor.county_id, case_id))
    return [(answers.FIELDS[key].label, words) for key, words in told.items()]


async def letter(actor: Actor, case_id: UUID, position: int, *, named: bool) -> Letter:
    """The facts of one step's letter. Raises NotFound.

    ``named``: an answer to an objector names them for whoever may know, which is recorded.
    """
    case = await queries.case(actor.county_id, case_id)
    if case is None:
        raise NotFound
    _require_view(actor, case)
    signed = await queries.steps(actor.county_id, case_id)
    row = next((one for one in signed if one.position == position), None)
    if row is None:
        raise NotFound
    settings = await settings_county.get(actor.county_id)
    remedy = ""
    if row.step in APPEALABLE:
        days = row.signed.appeal_days or settings.objection_days
        then = await _days_at(actor.county_id, "appeal_days", row.recorded_at)
        remedy = (
            f"如不服，可在本文书送达之日起{days}个工作日内向县级申诉，"
            f"{then or settings.appeal_days}个工作日内答复。"
        ) + (STAYS if row.step == INTENDED else "")
    elif row.step in ACCEPTED and row is signed[-1] and case.due_on is not None:
        remedy = f"将在{chinese_date(case.due_on)}前（含当日）答复。"
        if row.step == "applied" and not row.proxy:
            remedy += "到期没有答复的，辞去从次日起生效；改变主意的，请在此前撤回。"
    found = Letter(
        case_id=case_id,
        person_id=case.person_id,
        unit_code=case.unit_code,
        heading=case.kind.step(row.step).letter or row.title,
        document=row.document,
        name=case.name,
        applicant=case.person_id is None,
        place=f"{case.township_name}{case.village_name}{case.unit_name}",
        title=case.title,
        basis=case.basis_name,
        cycle_title=case.cycle_title,
        step_title=row.title,
        words=row.words,
        facts=row.facts,
        effective_on=row.effective_on,
        actor_name=row.actor_name,
        issuer=await issuer(actor.county_id),
        remedy=remedy,
        in_force=IN_FORCE if row.step == INTENDED else "",
    )
    if case.kind.step(row.step).to_objector:
        sealed = await _may_ask(actor, case, signed)
        told = await _told(actor, case, signed) if named and sealed else {}
        return _to_objector(found, signed, told, sealed=sealed and not told)
    return found


async def to_sign(actor: Actor) -> list[CaseRow]:
    """Open cases in which the actor may sign something, the overdue ones first."""
    rows = await queries.open_below(actor.county_id, _view_reach(actor), MOST_OPEN)
    return [
        case
        for case in rows
        if case.person_id != actor.person_id
        and any(_may_sign(actor, case, step) for step in case.kind.following(case.state))
    ]


async def listed(
    actor: Actor, pool: str, *, unit: str = "", state: str = "", text: str = "", page: int = 1
) -> tuple[list[CaseRow], int]:
    """A pool's cases in the actor's reach, the open ones first, and how many there are."""
    codes = _view_reach(actor)
    wanted = (pool, unit, state, text.strip())
    rows = await queries.listed(actor.county_id, codes, *wanted, (PAGE, (max(page, 1) - 1) * PAGE))
    return rows, await queries.count(actor.county_id, codes, *wanted)


async def export(
    actor: Actor,
    pool: str,
    *,
    unit: str = "",
    state: str = "",
    text: str = "",
    purpose: str,
    now: datetime,
) -> tuple[str, bytes]:
    """The list under its conditions as a workbook, logged: file name and content.

    Raises NotFound, ConfirmFirst, Invalid.
    """
    codes = _view_reach(actor)
    require(actor, Action.EXPORT, Target(unit_code=unit or actor.county_code))
    require_confirmed(actor, now)
    if not purpose.strip():
        raise Invalid("请写明导出的用途。", {"purpose": "请写明用途，例如“部务会审议”。"})
    wanted = (pool, unit, state, text.strip())
    rows = await queries.listed(actor.county_id, codes, *wanted, (MOST_ROWS + 1, 0))
    if len(rows) > MOST_ROWS:
        raise Invalid(f"超过 {MOST_ROWS} 件，请按乡镇或类别分别导出。")
    settings = await settings_county.get(actor.county_id)
    about = next((name for one, name in POOL_NAMES.items() if one == pool), "考核")
    title, on = f"{about}事项台账", today(now)
    whose = await roster.unit_name(actor.county_id, unit or actor.county_code)
    department, taken = settings.department_name, stamp(actor.name, now)
    content = await asyncio.to_thread(
        documents.cases, f"{whose}{title}", department, on, rows, taken
    )
    await audit.log_export(actor, title, purpose.strip(), len(rows), now, unit_code=unit)
    return file_name(f"{whose}{title}", f"{on:%Y-%m}", now), content


async def own(actor: Actor) -> list[CaseRow]:
    """The actor's own cases, the open ones first."""
    return await queries.own(actor.county_id, actor.person_id)


async def clock(county_id: int, now: datetime) -> tuple[int, int]:
    """Sign what lapses by itself and mark broken promises; how many of each.

    A broken promise is seen on the desk and by everybody above whoever should have answered.
    Raises MissingYear once all is done that the calendar reaches.
    """
    on = today(now)
    states = sorted(
        f"{machine.key} {key}"
        for machine in MACHINES.values()
        for step in machine.steps
        if step.auto
        for key in step.after
    )
    lapsed, unknown = 0, None
    for found in await queries.in_states(county_id, states, MOST):
        try:
            async with DB.transaction():
                lapsed += await _lapse(county_id, found.id, on, now)
        except MissingYear as error:
            unknown = error
    forced = sorted(AGAINST_THE_WILL)
    undone = [
        (found.id, key, words)
        for key, words, rows in (
            (OVERTURNED, OVERTURNED_WORDS, await queries.overturned(county_id, forced, MOST)),
            (CONTESTED, CONTESTED_WORDS, await queries.contested(county_id, MOST)),
            (LET_GO, LET_GO_WORDS, await queries.let_go(county_id, forced, MOST)),
        )
        for found in rows
    ]
    for case_id, key, words in undone:
        try:
            async with DB.transaction():
                lapsed += await _overturn(county_id, case_id, key, words, on, now)
        except MissingYear as error:
            unknown = error
    late = await queries.late(county_id, on, MOST)
    for case in late:
        async with DB.transaction():
            await _mark_overdue(county_id, case.id, on)
    if unknown is not None:
        raise unknown
    return lapsed, len(late)


async def _lapse(county_id: int, case_id: UUID, on: date, now: datetime) -> bool:
    """Sign what is due of one case; whether anything was. Raises MissingYear."""
    case, chain, machine = await _locked(county_id, case_id)
    signed = [step.signed for step in chain]
    known: dict[Term, date] = {}
    for step in machine.following(case.state):
        known |= await ends(county_id, signed, step) if step.auto else {}
    last = machine.step(case.state)
    if last.answer is not None and case.due_on is not None:
        # The day that was promised, whatever the settings have become since.
        known[Term((last.key,), last.answer)] = case.due_on
    due = lapses(machine, signed, known, on)
    # A resignation that an office keyed in goes through two hands: somebody else accepts it.
    if due is None or (due.outcome in LEAVES and chain[-1].proxy):
        return False
    form = SignForm(step=due.key, words=AUTO_WORDS, effective_on=on)
    try:
        async with DB.transaction():
            await _write(None, case, chain, due, form, now, SYSTEM, county_id=county_id)
    except MissingYear:
        raise
    except (Conflict, Invalid):
        return False  # people must look first, to whom it is shown as overdue
    return True


async def _overturn(
    county_id: int, case_id: UUID, key: str, words: str, on: date, now: datetime
) -> bool:
    """Open a case again whose ground has gone, so that the desk takes it back; whether it was."""
    case, chain, machine = await _locked(county_id, case_id)
    step = next((one for one in machine.following(case.state) if one.key == key), None)
    if step is None or case.outcome not in CARRIED_OUT:
        return False
    form = SignForm(step=step.key, words=words, effective_on=on)
    await _write(None, case, chain, step, form, now, SYSTEM, county_id=county_id)
    return True


async def erase_objectors(county_id: int, now: datetime) -> int:
    """Erase who objected to a notice, some time after the case was over; how many cases.

    The facts of the case, its decision and everybody's signatures stay.
    """
    found = await queries.to_erase(county_id, now - timedelta(days=ERASED_AFTER_DAYS), MOST)
    erased = 0
    for case_id, person_id, unit_code in found:
        async with DB.transaction():
            if await queries.erase(county_id, case_id, today(now)):
                await audit.record(
                    None,
                    "case.erase",
                    "case",
                    case_id,
                    county_id=county_id,
                    about_id=person_id,
                    unit_code=unit_code,
                    after={"days_after_end": ERASED_AFTER_DAYS},
                    authority=SYSTEM,
                )
                erased += 1
    return erased


async def undecidable(county_id: int, cycle_id: UUID, passing: UUID | None, on: date) -> str:
    """What an objection or appeal in a cycle would find nobody for; empty if somebody is left.

    ``passing`` is who would pass the results on. Two are needed where one must review as well.
    """
    people, bare = await queries.left_to_decide(county_id, cycle_id, passing, on)
    needed = 2 if bare else 1
    if people >= needed:
        return ""
    name = (await settings_county.get(county_id)).department_name
    return (
        "通过审核的人、校准过得分的人、审定过一票否决的人，依规不能再答复同一结果的申诉；"
        f"{BARE if bare else ''}"
        f"除他们以外，县级要有 {needed} 个能登录的{name}账号，现在有 {people} 个。"
        f"请在名册里给另外的人安排{name}岗位，由系统管理员开通账号，否则申诉没有人能答复。"
    )


async def kinships(actor: Actor) -> list[KinRow]:
    """Recorded close relatives of the county. Raises NotFound."""
    require(actor, Action.KIN_EDIT, whole_county(actor.county_id))
    return await queries.kinships(actor.county_id)


async def record_kin(actor: Actor, one: str, other: str, now: datetime) -> None:
    """Record that two people, named in full, are close relatives. Raises Invalid."""
    require(actor, Action.KIN_EDIT, whole_county(actor.county_id))
    pair = []
    for field, name in (("person", one.strip()), ("relative", other.strip())):
        found = await queries.person_named(actor.county_id, name, [actor.county_code])
        if len(found) != 1:
            many = "有几个人叫这个名字，请先在名册里区分姓名。" if found else "名册里没有这个人。"
            raise Invalid("登记没有成功。", {field: f"“{name}”：{many}"})
        pair.append(found[0])
    if pair[0] == pair[1]:
        raise Invalid("登记没有成功。", {"relative": "请写另一个人。"})
    async with DB.transaction():
        kin_id = new_id()
        couple = (pair[0], pair[1])
        if await queries.insert_kin(actor.county_id, kin_id, couple, actor.person_id, now):
            await _audit_kin(actor, Action.KIN_EDIT, kin_id, pair[0])


async def end_kin(actor: Actor, kin_id: UUID, now: datetime) -> None:
    """Take a wrong record back; it stays in the books. Raises NotFound."""
    require(actor, Action.KIN_EDIT, whole_county(actor.county_id))
    async with DB.transaction():
        person_id = await queries.end_kin(actor.county_id, kin_id, now)
        if person_id is None:
            raise NotFound
        await _audit_kin(actor, "kin.end", kin_id, person_id)


async def _sign(
    actor: Actor, case_id: UUID, form: SignForm, now: datetime, *, notice_id: UUID | None = None
) -> CaseRow:
    case, steps, machine = await _locked(actor.county_id, case_id)
    step = next((one for one in machine.steps if one.key == form.step), None)
    chain = [one.signed for one in steps]
    if step is None or step.by_notice or step not in next_steps(machine, chain):
        _require_view(actor, case)
        raise StepRefused("现在不能办这一步，请刷新页面，按下一步办理。")
    authority, proxy = _require_sign(actor, case, step)
    mine = step.own and not proxy
    if mine:
        form = _own_form(step, form, today(now))
    parties = frozenset({actor.name, case.name})
    # Who takes an application in decides nothing yet; every further step about an applicant does.
    official = not step.own and (case.person_id is not None or bool(steps))
    _check(form, step, parties, official=official)
    matter = _matter(actor, case, form.effective_on, now)
    seen = await world(matter, chain, step, now)
    reason = refusal(machine, chain, step, actor.person_id, form.effective_on, seen)
    if reason:
        raise StepRefused(reason)
    form = msgspec.structs.replace(form, answers=_sealed(form.answers))
    return await _write(
        actor, case, steps, step, form, now, authority, proxy=proxy, notice_id=notice_id
    )


def _own_form(step: Step, form: SignForm, day: date) -> SignForm:
    """What the person themselves signs takes effect today; receipt is by signature."""
    given = {"how": "signed"} if "how" in step.fields else {}
    words = form.words.strip() or ("本人已收到。" if given else "")
    return msgspec.structs.replace(form, words=words, effective_on=day, answers=given)


def _check(form: SignForm, step: Step, parties: frozenset[str], *, official: bool) -> None:
    """Raises Invalid naming each wrong field."""
    found = answers.problems(step.fields, form.answers, parties)
    if not form.words.strip() and "how" not in step.fields:
        found["words"] = "请写明理由或情况。"
    if len(form.words) > MAX_WORDS:
        found["words"] = f"太长了，最多 {MAX_WORDS} 个字。"
    if step.document and not form.document.strip():
        found["document"] = "请写文书编号或材料名称。"
    if len(form.document) > MAX_DOCUMENT:
        found["document"] = f"太长了，最多 {MAX_DOCUMENT} 个字。"
    if official and not form.no_kin:
        found["no_kin"] = "请声明与当事人不是近亲属；是近亲属的，请换一个人办理。"
    if found:
        raise Invalid("有几处需要改正。", found)


async def _write(
    actor: Actor | None,
    case: CaseRow,
    steps: Sequence[StepRow],
    step: Step,
    form: SignForm,
    now: datetime,
    authority: str,
    *,
    proxy: bool = False,
    notice_id: UUID | None = None,
    county_id: int = 0,
) -> CaseRow:
    county = actor.county_id if actor else county_id
    machine = case.kind
    keys = [*(one.step for one in steps), step.key]
    given = {key: form.answers[key] for key in step.fields if form.answers.get(key)}
    if step.key in APPEALABLE:
        about = case.about_cycle_id if case.pool is Pool.OBJECTION else None
        given[answers.APPEAL_DAYS] = str(await objection_days(county, about))
    row = NewStep(
        id=new_id(),
        case_id=case.id,
        position=len(keys),
        step=step.key,
        title=step.title,
        outcome=step.outcome,
        actor_id=actor.person_id if actor else None,
        actor_name=actor.name if actor else "系统",
        authority=authority,
        proxy=proxy,
        effective_on=form.effective_on,
        recorded_at=now,
        document=form.document.strip(),
        words=form.words.strip() or "已送达。",
        answers=msgspec.json.encode(given).decode(),
        notice_id=notice_id,
    )
    await queries.insert_step(county, row)
    await queries.set_state(
        county,
        case.id,
        step.key,
        outcome(machine, keys),
        done=done(machine, keys),
        due_on=await _due_on(county, case, steps, step, form.effective_on),
        overdue_on=today(now) if step.auto and step.answer else None,
    )
    after = await queries.case(county, case.id)
    if after is None:  # the row is locked by us
        raise NotFound
    await audit.record(
        actor,
        Action.CASE_SIGN,
        "case",
        case.id,
        county_id=county,
        about_id=case.person_id,
        unit_code=case.unit_code,
        before={"state": case.state},
        after={"machine": machine.key, "state": step.key, "effective_on": form.effective_on},
        authority=authority,
    )
    if actor is None:
        await effects.lapse(county, after, step, row.effective_on)
        return after
    await effects.take_place(actor, after, step, row, now)
    return await queries.case(county, case.id) or after


async def _due_on(
    county_id: int, case: CaseRow, steps: Sequence[StepRow], step: Step, on: date
) -> date | None:
    """The promised day of the next step; of one that must wait, the first on which it may be."""
    if step.answer is None:
        return None
    days = await _promised(county_id, case, steps, step)
    due = await last_day(county_id, on, step.answer, days)
    return await calendar.add_working_days(county_id, due, 1) if waits(case.kind, step) else due


async def _promised(
    county_id: int, case: CaseRow, steps: Sequence[StepRow], step: Step
) -> int | None:
    """Working days to answer by the letter that an objection or appeal answers to, if fewer."""
    told_at = None
    if step.key == "raised" and case.about_cycle_id and case.person_id:
        served = await notices.serving(county_id, case.about_cycle_id, case.person_id)
        told_at = served.recorded_at if served else None
    elif step.key == "appealed":
        told_at = _letter_at(steps)
    name = "review_days" if step.key == "raised" else "appeal_days"
    days = await _days_at(county_id, name, told_at) if told_at else None
    return None if days is None else min(days, getattr(await settings_county.get(county_id), name))


def _letter_at(steps: Sequence[StepRow]) -> datetime | None:
    """When the last letter was signed that says how to appeal."""
    return next((one.recorded_at for one in reversed(steps) if one.step in APPEALABLE), None)


async def _days_at(county_id: int, name: str, at: datetime) -> int | None:
    """A number of days as the county's settings had it, if it is another by now."""
    return (await notices.since_changed(county_id, at, (name,))).get(name)


async def _mark_overdue(county_id: int, case_id: UUID, on: date) -> None:
    case, _, _ = await _locked(county_id, case_id)
    if case.done or case.overdue_on or case.due_on is None or case.due_on >= on:
        return
    await queries.set_state(
        county_id,
        case_id,
        case.state,
        case.outcome,
        done=False,
        due_on=case.due_on,
        overdue_on=on,
    )
    await audit.record(
        None,
        "case.overdue",
        "case",
        case_id,
        county_id=county_id,
        about_id=case.person_id,
        unit_code=case.unit_code,
        after={"state": case.state, "due_on": case.due_on},
    )


async def _locked(county_id: int, case_id: UUID) -> tuple[CaseRow, list[StepRow], Machine]:
    case = await queries.case(county_id, case_id, lock=True)
    if case is None:
        raise NotFound
    return case, await queries.steps(county_id, case_id), case.kind


def _matter(actor: Actor, case: CaseRow, on: date, now: datetime) -> Matter:
    return Matter(
        county_id=actor.county_id,
        opening=_opening(case),
        on=on,
        today=today(now),
        case_id=case.id,
    )


def _sealed(given: Mapping[str, str]) -> dict[str, str]:
    """Answers as they are stored: what is private can be read with the installation's key only."""
    return {
        key: b64encode(sealing.seal(answer.encode())).decode()
        if answer and answers.FIELDS[key].private
        else answer
        for key, answer in given.items()
    }


def _closed(steps: Sequence[StepRow]) -> dict[str, str]:
    """What _sealed closed in the steps."""
    return {
        key: step.given[key]
        for step in steps
        for key, field in answers.FIELDS.items()
        if field.private and step.given.get(key)
    }


async def _may_ask(actor: Actor, case: CaseRow, steps: Sequence[StepRow]) -> bool:
    """Whether there is something private that the actor may see."""
    if not _closed(steps) or not allowed(actor, Action.OBJECTOR_SHOW, _about(case)).allowed:
        return False
    return not await _is_kin(actor, case)


async def _is_kin(actor: Actor, case: CaseRow) -> bool:
    """A recorded relative of the person does not handle the case, and learns no more of it."""
    if case.person_id is None:
        return False
    return actor.person_id in await queries.kin(actor.county_id, case.person_id)


async def _told(actor: Actor, case: CaseRow, steps: Sequence[StepRow]) -> dict[str, str]:
    """What _sealed closed, opened for somebody who may see it; recorded."""
    closed = _closed(steps)
    if closed:
        async with DB.transaction():
            await audit.record(
                actor,
                Action.OBJECTOR_SHOW,
                "case",
                case.id,
                county_id=actor.county_id,
                about_id=case.person_id,
                unit_code=case.unit_code,
            )
    return {key: sealing.open_(b64decode(words)).decode() for key, words in closed.items()}


def _to_objector(
    found: Letter, steps: Sequence[StepRow], told: Mapping[str, str], *, sealed: bool
) -> Letter:
    """The same facts for whoever objected: the person's name as on the notice, masked."""
    first = steps[0].given
    handed = answers.HANDED.get(first.get("channel", ""), "")
    contact = told.get("contact", "")
    return msgspec.structs.replace(
        found,
        name=told.get("objector")
        or f"反映人（{'已清除' if answers.ERASED_ON in first else '保密'}）",
        place="",
        title=f"您对公示名单中{mask(found.name)}的异议",
        handed=f"{handed}：{contact}" if contact else handed,
        sealed=sealed,
    )


def viewers(machine: Machine) -> frozenset[Role]:
    """Who handles such cases, and who reads everything."""
    return READERS.union(*(step.signs for step in machine.steps))


def _about(case: CaseRow) -> Target:
    return Target(unit_code=case.unit_code, owner=case.person_id)


def _require_view(actor: Actor, case: CaseRow) -> None:
    target = Target(unit_code=case.unit_code, owner=case.person_id, roles=viewers(case.kind))
    require(actor, Action.CASE_VIEW, target)


def _view_reach(actor: Actor) -> tuple[str, ...]:
    """Kind and unit of the cases that the actor may open, as the queries compare them."""
    return tuple(
        f"{machine.key} {code}"
        for machine in MACHINES.values()
        for code in reach(actor, Action.CASE_VIEW, viewers(machine))
    )


def _target(case: CaseRow, step: Step) -> Target:
    return Target(unit_code=case.unit_code[: step.level], owner=case.person_id, roles=step.signs)


def _may_sign(actor: Actor, case: CaseRow, step: Step) -> tuple[str, bool] | None:
    """(authority, whether it is the person's paper that somebody else enters), or None."""
    if step.own and case.person_id == actor.person_id:
        decision = allowed(actor, Action.APPEAL, Target(owner=actor.person_id))
        return (decision.authority, False) if decision.allowed else None
    if not step.signs:
        return None
    decision = allowed(actor, Action.CASE_SIGN, _target(case, step))
    return (decision.authority, step.own) if decision.allowed else None


def _require_sign(actor: Actor, case: CaseRow, step: Step) -> tuple[str, bool]:
    """Raises NotFound, or Forbidden where only the separation of duties stands in the way."""
    found = _may_sign(actor, case, step)
    if found is not None:
        return found
    if step.signs:
        require(actor, Action.CASE_SIGN, _target(case, step))
    raise NotFound


def _opening(case: CaseRow) -> Opening:
    return Opening(
        machine=case.machine,
        person_id=case.person_id,
        unit_code=case.unit_code,
        employment=case.employment,
        basis=case.basis,
        about_cycle_id=case.about_cycle_id,
        post_id=case.post_id,
        origin_id=case.origin_id,
    )


async def _audit_kin(actor: Actor, action: str, kin_id: UUID, person_id: UUID) -> None:
    await audit.record(
        actor, action, "kinship", kin_id, county_id=actor.county_id, about_id=person_id
    )
