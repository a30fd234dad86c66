"""A village's month on its way to the ledger, and objections to what it says.

collecting → reviewed as a whole by committee and supervisor → a tenth sampled by the township →
public notice of five working days → posted. A record under an open objection waits; the rest of
the month does not.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from points.errors import MonthNotReady, ObjectionRefused, WorkRefused
from points.rulebook.rules import Step
from points.work import month_queries as queries
from points.work import posting, trail
from points.work import queries as work_queries
from points.work.deductions import found_false, spoken
from points.work.month_queries import (
    MonthCount,
    MonthRow,
    ObjectionRow,
    Published,
    WorkerCategory,
)
from points.work.rules import (
    State,
    confirmer,
    sample,
    text_key,
    unfit,
)
from points.work.schemas import Line, MonthTotals, Record
from shared import settings_county
from shared.audit import service as audit
from shared.calendar import service as calendar
from shared.calendar.errors import MissingYear
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Forbidden, NotFound
from shared.identity.access import Action, Target, allowed, reach, require, whole_county
from shared.identity.actor import Actor
from shared.identity.sealing import keyed
from shared.ids import new_id
from shared.months import is_month, month_bounds, month_of, months_later, parse_month
from shared.roster import service as roster
from shared.roster.names import mask
from shared.roster.roles import Role, UnitKind

STATE_NAMES = {
    "collecting": "申报核实中",
    "reviewing": "村级审核中",
    "sampling": "乡镇抽查中",
    "notice": "公示中",
    "posted": "已入账",
    "immediate": "即时入账",
}
"""The last is never stored: where each record is posted when it is confirmed, a month has no
review or notice to wait for."""
OBJECTION_NAMES = {
    "open": "待答复",
    "upheld": "异议成立",
    "rejected": "维持原结果",
    "review": "复核中",
    "review_upheld": "复核：异议成立",
    "review_rejected": "复核：维持",
}
PUBLIC_NAMES = OBJECTION_NAMES | {
    "upheld": "群众意见属实",
    "rejected": "群众意见不属实",
    "review_upheld": "复核：群众意见属实",
    "review_rejected": "复核：群众意见不属实",
}
"""Of what the public objects: whoever asks for its review, what is true stays the question."""
UPHELD_NEXT = {
    State.RETURNED: "这条记录退回了，请网格员点“改一改再交”，重新核实。",
    State.POSTED: "已入账的分数不会自动改。少记的，请网格员补记一条（或请村书记代录），"
    "写明补的是哪一条，核实后入账。",
    State.REVERSED: "这条记录已随扣分冲回，不会自动恢复。确实做过的，请网格员补记一条"
    "（或请村书记代录），核实后入账。",
}
"""What has to be done after an upheld objection that does not change its record by itself."""
OPEN = frozenset({"open", "review"})
CONTEST_NEXT = "这条记录不予认定，不入账；请先听本人说明。本人可以请乡镇复核。"
"""What follows when an objection to the published month is found right."""
PAGE = 20
KILLED = timedelta(days=60)
"""How long the nights look for what a posting from paper that was killed half-way has left."""
ANSWER_DAYS = 5
REVIEW_DAYS = 10
REVIEWERS = (Role.COMMITTEE, Role.SUPERVISOR, Role.INSTRUCTOR, Role.DEPARTMENT)


async def overview(actor: Actor, month: int) -> list[MonthCount]:
    """Every village in the actor's reach with its run in figures."""
    rows = await queries.counts(actor.county_id, month, reach(actor, Action.MONTH_VIEW))
    mode = (await settings_county.get(actor.county_id)).posting_mode
    return [
        msgspec.structs.replace(row, state=_said(row.state, mode, row.accepted)) for row in rows
    ]


async def waiting(actor: Actor, now: datetime) -> list[int]:
    """The months that wait for the actor's review or look at the sample, one each village.

    Of the last quarter; the department, which could stand in anywhere, sees samples only.
    """
    on = today(now)
    found = await queries.sampling(actor.county_id, reach(actor, Action.WORK_SAMPLE))
    codes = reach(actor, Action.WORK_REVIEW)
    if not codes or Role.DEPARTMENT in actor.roles:
        return sorted(found)
    quarter = month_of(on - timedelta(days=92)), months_later(month_of(on), -1)
    for village_code, month in await queries.unfinished(actor.county_id, codes, *quarter):
        with suppress(MonthNotReady):
            await _month_over(actor.county_id, month, now)
            row = await _shown(actor.county_id, village_code, month)
            sides = await may_review(actor, row, now)
            if any(getattr(row, f"{side}_id") is None for side in sides):
                found.append(month)
    return sorted(found)


async def village(
    actor: Actor, village_code: str, month: int
) -> tuple[MonthRow, list[WorkerCategory]]:
    """One village's month with each worker's category totals after caps. Raises NotFound.

    What is not posted yet counts as it would if it were posted now.
    """
    require(actor, Action.MONTH_VIEW, Target(unit_code=village_code))
    row = await _shown(actor.county_id, village_code, month)
    accepted = await queries.of_run(actor.county_id, month, village_code, State.ACCEPTED)
    mode = (await settings_county.get(actor.county_id)).posting_mode
    row = msgspec.structs.replace(row, state=_said(row.state, mode, len(accepted)))
    return row, await _workers(actor.county_id, row, accepted)


async def _workers(county_id: int, row: MonthRow, accepted: Sequence[UUID]) -> list[WorkerCategory]:
    counts = await posting.forecast(county_id, accepted)
    found = await queries.by_worker(county_id, row.month, row.village_code)
    return [
        msgspec.structs.replace(
            item,
            points=item.points + counts.get((item.worker_id, item.grid_code, item.category), 0),
        )
        for item in found
    ]


def _said(state: str, mode: str, accepted: int) -> str:
    """What a month is said to be; what was confirmed before the mode changed waits for review."""
    return "immediate" if (state, mode, accepted) == ("collecting", "immediate", 0) else state


async def notice_days(county_id: int, row: MonthRow) -> int:
    """Working days of a notice: as it was published, whatever the settings have become since."""
    if row.notice_from and row.notice_to:
        first = row.notice_from + timedelta(days=1)
        return await calendar.working_days(county_id, first, row.notice_to)
    return (await settings_county.get(county_id)).notice_days


async def sampled(actor: Actor, row: MonthRow) -> list[Line]:
    """The records of a month that the township looks at."""
    return await work_queries.lines(actor.county_id, [UUID(item) for item in row.sample])


async def may_review(actor: Actor, row: MonthRow, now: datetime) -> list[str]:
    """Which of ``committee`` and ``supervisor`` the actor may answer for this month's village.

    They are two people, even where one holds both posts; who stands in from above may answer both.
    Nobody reviews a month with their own records.
    """
    roll = await work_queries.roll(actor.county_id, today(now), REVIEWERS, row.village_code)
    grid = row.village_code + "000"
    workers = await queries.workers_of_run(actor.county_id, row.month, row.village_code)
    found = []
    for step, other in (
        (Step.COMMITTEE, row.supervisor_id),
        (Step.SUPERVISOR, row.committee_id),
    ):
        who = confirmer(step, grid, workers, roll, cadre=False)
        if who and other and not who.escalated:
            who = confirmer(step, grid, workers | {other}, roll, cadre=False)
        if who and any(held.person_id == actor.person_id for held in who.people):
            found.append(step.value)
    return found


async def review(actor: Actor, village_code: str, month: int, now: datetime) -> MonthRow:
    """Confirm the month as a whole; with both signatures the sample is drawn.

    Records still waiting move to the next run. Raises MonthNotReady, NotFound.
    """
    authority = require(actor, Action.WORK_REVIEW, Target(unit_code=village_code))
    async with DB.transaction():
        row = await _locked(actor.county_id, village_code, month)
        if row.state not in {"collecting", "reviewing"}:
            raise MonthNotReady(f"这个月{STATE_NAMES[row.state]}，不用再审核。")
        await _month_over(actor.county_id, month, now)
        if not await may_review(actor, row, now):
            raise NotFound
        before = row
        for side in ("committee", "supervisor"):
            if getattr(row, f"{side}_id") is None and side in await may_review(actor, row, now):
                row = msgspec.structs.replace(row, **{f"{side}_id": actor.person_id})
        if row == before:
            return row
        row = msgspec.structs.replace(row, state="reviewing")
        if row.committee_id and row.supervisor_id:
            await queries.move_pending(actor.county_id, month, village_code, months_later(month))
            ids = await queries.in_run(actor.county_id, month, village_code, State.ACCEPTED)
            tickets = {item: keyed("sample", str(item)) for item in ids}
            drawn = [str(item) for item in sample(tickets)]
            row = msgspec.structs.replace(row, state="sampling", sample=drawn)
        await _save(actor, Action.WORK_REVIEW, row, now, authority)
    return row


async def confirm_sample(actor: Actor, village_code: str, month: int, now: datetime) -> MonthRow:
    """The township has looked at the sample: the notice begins and runs in working days.

    What it says is kept: it is printed again as it hung, whatever happens to a record since.
    """
    authority = require(actor, Action.WORK_SAMPLE, Target(unit_code=village_code[:9]))
    async with DB.transaction():
        row = await _locked(actor.county_id, village_code, month)
        if row.state in {"notice", "posted"}:
            raise MonthNotReady(f"这个月{STATE_NAMES[row.state]}，抽查已经确认过，不用再确认。")
        if row.state != "sampling":
            raise MonthNotReady("这个月还没有到抽查这一步，请先由村里审核。")
        settings = await settings_county.get(actor.county_id)
        begin = today(now)
        until = await calendar.add_working_days(actor.county_id, begin, settings.notice_days)
        row = msgspec.structs.replace(
            row, state="notice", sampler_id=actor.person_id, notice_from=begin, notice_to=until
        )
        await _save(actor, Action.WORK_SAMPLE, row, now, authority)
        await queries.publish(actor.county_id, row.id, await _notice(actor.county_id, row))
    return row


async def published(actor: Actor, row: MonthRow) -> Published | None:
    """The notice as it began; none before, or where the month was posted from paper."""
    return await queries.published(actor.county_id, row.id)


async def _notice(county_id: int, row: MonthRow) -> Published:
    accepted = await queries.of_run(county_id, row.month, row.village_code, State.ACCEPTED)
    return Published(
        village_name=await roster.unit_name(county_id, row.village_code),
        days=await notice_days(county_id, row),
        workers=[
            msgspec.structs.replace(item, name=mask(item.name))
            for item in await _workers(county_id, row, accepted)
        ],
    )


async def reject_sampled(actor: Actor, record_id: UUID, reason: str, now: datetime) -> None:
    """A sampled record does not hold: it is refused, with the reason.

    Only until the notice begins: what is on it can be objected to, not taken away unseen. Raises
    WorkRefused, NotFound, MonthNotReady.
    """
    if problem := unfit(reason, "请写明不予认定的原因。"):
        raise WorkRefused("reason", problem)
    async with DB.transaction():
        found = await work_queries.record(actor.county_id, record_id)
        if found is None:
            raise NotFound
        authority = require(
            actor,
            Action.WORK_SAMPLE,
            Target(unit_code=found.grid_code[:9], owner=found.worker_id),
        )
        row = await queries.month_row(
            actor.county_id, found.grid_code[:12], found.run_month, lock=True
        )
        record = await work_queries.lock_record(actor.county_id, record_id)
        if record is None or record.state != State.ACCEPTED:
            raise NotFound
        if row is None or row.state != "sampling" or str(record_id) not in row.sample:
            raise MonthNotReady("这条记录不在抽查之列，或抽查已经结束，不能再这样退掉。")
        await work_queries.set_state(
            actor.county_id, record_id, State.REFUSED, now, reason=reason.strip()
        )
        await work_queries.recuse(actor.county_id, record_id, actor.person_id)
        await trail.changed(actor, "work.refuse", record, State.REFUSED, authority, reason)


async def post_ended(county_id: int, now: datetime) -> MonthTotals:
    """Post every village month whose notice has ended, and what objections had held back."""
    totals = MonthTotals()
    for row in await queries.notice_ended(county_id, today(now)):
        posting.add(totals, await _post_village(None, row, now))
    left = await queries.left_over(county_id, now - KILLED)
    posting.add(totals, await posting.post_many(county_id, left, now))
    return totals


async def post_now(actor: Actor, now: datetime) -> MonthTotals:
    """The night's posting run, asked for by the department. Raises NotFound."""
    require(actor, Action.MONTH_POST, whole_county(actor.county_id))
    return await post_ended(actor.county_id, now)


async def records(actor: Actor, village_code: str, month: int) -> list[Line]:
    """A village's records of a run that count or still may. Raises NotFound."""
    require(actor, Action.MONTH_VIEW, Target(unit_code=village_code))
    await _require_month(actor.county_id, village_code, month)
    ids: list[UUID] = []
    for state in (State.PENDING, State.ACCEPTED, State.POSTED):
        ids += await queries.of_run(actor.county_id, month, village_code, state)
    return await work_queries.lines(actor.county_id, ids)


async def object_to(actor: Actor, record_id: UUID, text: str, now: datetime) -> UUID:
    """有异议: raise an objection to one's own record, or key in its worker's paper.

    Raises ObjectionRefused, NotFound, Forbidden.
    """
    async with DB.transaction():
        line = await _locked_line(actor, record_id, text)
        authority = await _speaking(actor, line, Action.OBJECT)
        if not await _objectionable(actor.county_id, line, now):
            raise ObjectionRefused("text", "已过提异议的期限，或已经提过异议。")
        words = spoken(actor, line.worker_id, text)
        return await _raise(actor, line, words, now, authority, by_public=False)


async def contest(actor: Actor, record_id: UUID, text: str, now: datetime) -> UUID:
    """What anybody objects to a record of a published month, entered by whom they told it.

    It holds the record back until it is answered; who objected is not kept. What is posted already
    is taken back by a deduction only. Raises ObjectionRefused, NotFound, Forbidden.
    """
    async with DB.transaction():
        line = await _locked_line(actor, record_id, text)
        there = Target(unit_code=line.grid_code, owner=line.worker_id)
        authority = require(actor, Action.WORK_PROXY, there)
        if not await may_contest(actor, line, now):
            raise ObjectionRefused(
                "text", "只有公示期内、还没有入账、没有异议在办的记录可以登记；"
                "已入账的，查实不实的按扣分办理。",
            )  # fmt: skip
        return await _raise(actor, line, text.strip(), now, authority, by_public=True)


async def _locked_line(actor: Actor, record_id: UUID, text: str) -> Line:
    """The record that an objection in these words is about."""
    if problem := unfit(text, "请写明哪里不对。"):
        raise ObjectionRefused("text", problem)
    found = await work_queries.record(actor.county_id, record_id)
    if found is None:
        raise NotFound
    if found.state == State.PENDING:
        # Whoever confirms it holds the record and waits for the worker; we would wait in turn.
        there = Target(unit_code=found.grid_code, owner=found.worker_id)
        require(actor, Action.WORK_VIEW, there)
        raise ObjectionRefused("text", "这条记录还在核实，有了结果才能提异议。")
    # A run that posts it waits, and then finds the objection; or it is found posted.
    await work_queries.lock_worker(actor.county_id, found.worker_id)
    await work_queries.lock_record(actor.county_id, record_id)
    (line,) = await work_queries.lines(actor.county_id, [record_id])
    return line


async def _raise(
    actor: Actor, line: Line, words: str, at: datetime, authority: str, *, by_public: bool
) -> UUID:
    objection_id, village_code = new_id(), line.grid_code[:12]
    due = await calendar.add_working_days(actor.county_id, today(at), ANSWER_DAYS)
    await queries.insert_objection(
        actor.county_id,
        (objection_id, line.id, line.worker_id, village_code, words, at, due, by_public),
    )
    await audit.record(
        actor,
        Action.OBJECT,
        "objection",
        objection_id,
        county_id=actor.county_id,
        about_id=line.worker_id,
        unit_code=village_code,
        after={"record": line.id, "due": due},
        authority=authority,
    )
    return objection_id


def may_contest_month(actor: Actor, row: MonthRow, now: datetime) -> bool:
    """Whether the actor may enter objections to records of a village month under notice."""
    there = Target(unit_code=row.village_code)
    if row.state != "notice" or row.notice_to is None or today(now) > row.notice_to:
        return False
    return allowed(actor, Action.WORK_PROXY, there).allowed


async def contestable(actor: Actor, row: MonthRow, worker_id: UUID) -> list[Line]:
    """One worker's records of a village month that waits to be posted."""
    return await work_queries.lines_of_run(
        actor.county_id, row.month, row.village_code, worker_id, State.ACCEPTED
    )


async def may_contest(actor: Actor, line: Line, now: datetime) -> bool:
    """Whether the actor may enter what somebody else objects to a record under notice."""
    there = Target(unit_code=line.grid_code, owner=line.worker_id)
    if line.worker_id == actor.person_id or not allowed(actor, Action.WORK_PROXY, there).allowed:
        return False
    row = await queries.month_row(actor.county_id, line.grid_code[:12], line.run_month)
    if row is None or row.state != "notice" or row.notice_to is None or today(now) > row.notice_to:
        return False
    earlier = await queries.objection_of(actor.county_id, line.id)
    return line.state == State.ACCEPTED and (earlier is None or earlier.state not in OPEN)


async def may_object(actor: Actor, line: Line, now: datetime) -> bool:
    """Five working days from the last thing that happened to one's own record.

    What the township refuses is taken at once and until the notice, in which the term runs. While
    nobody has entered the next year's holidays, no term that reaches into it is over.
    """
    speaks = line.worker_id == actor.person_id or await may_enter(actor, line)
    with suppress(MissingYear):
        return speaks and await _objectionable(actor.county_id, line, now)
    return speaks


async def may_enter(actor: Actor, line: Line) -> bool:
    """Whether the actor may key in the worker's paper about a record: not who decided about it."""
    there = Target(unit_code=line.grid_code, owner=line.worker_id)
    if line.worker_id == actor.person_id or not allowed(actor, Action.WORK_PROXY, there).allowed:
        return False
    row = await queries.objection_of(actor.county_id, line.id)
    decided = await queries.mixed_up(actor.county_id, line.id)
    return actor.person_id not in {row.answered_by if row else None, *decided}


async def _objectionable(county_id: int, line: Line, now: datetime) -> bool:
    if line.state in (State.PENDING, State.WITHDRAWN):
        return False
    earlier = await queries.objection_of(county_id, line.id)
    # Whom an objection of the public's cost the record asks for its review instead.
    if earlier and not (earlier.by_public and earlier.state in {"rejected", "review_rejected"}):
        return False
    happened = line.posted_at or line.verified_at or line.declared_at
    last = await calendar.add_working_days(county_id, today(happened), ANSWER_DAYS)
    row = await queries.month_row(county_id, line.grid_code[:12], line.run_month)
    if row and row.state == "sampling" and str(line.id) in row.sample:
        return line.state == State.REFUSED or today(now) <= last
    if row and row.notice_to:
        last = max(last, row.notice_to)
    return today(now) <= last


async def _speaking(actor: Actor, line: Line, action: Action) -> str:
    """Under which authority somebody objects: the worker, or who keys in their paper.

    Raises NotFound, Forbidden.
    """
    there = Target(unit_code=line.grid_code, owner=line.worker_id)
    if line.worker_id == actor.person_id:
        return require(actor, action, there)
    authority = require(actor, Action.WORK_PROXY, there)
    if not await may_enter(actor, line):
        raise Forbidden("这一件是您经手的，请换一个人代录本人的书面材料。")
    return authority


async def objection_of(county_id: int, record_id: UUID) -> ObjectionRow | None:
    """The latest objection to a record."""
    return await queries.objection_of(county_id, record_id)


async def objections(actor: Actor) -> list[ObjectionRow]:
    """What the actor may answer, the most urgent first."""
    first = await queries.open_objections(
        actor.county_id, reach(actor, Action.OBJECTION_ANSWER), "open"
    )
    second = await queries.open_objections(
        actor.county_id, reach(actor, Action.OBJECTION_REVIEW), "review"
    )
    return [
        row
        for row in (*first, *second)
        if row.worker_id != actor.person_id and not (row.state == "review" and _partial(actor, row))
    ]


def _partial(actor: Actor, row: ObjectionRow) -> bool:
    """Whether the actor answered first, or refused the record or left it to others.

    Of the last two nothing keeps the department away: nobody stands above it.
    """
    mixed = actor.person_id in row.mixed_up and Role.DEPARTMENT not in actor.roles
    return mixed or row.answered_by == actor.person_id


async def answer(
    actor: Actor, objection_id: UUID, *, upheld: bool, text: str, now: datetime
) -> None:
    """Answer an objection, or decide its second review (then not who decided before).

    An upheld objection to a refused record accepts it, and in immediate mode posts it; not one that
    a final deduction found to be a false claim. Raises NotFound, Forbidden, ObjectionRefused.
    """
    if problem := unfit(text, "请写明答复的理由。"):
        raise ObjectionRefused("text", problem)
    async with DB.transaction():
        found = await queries.objection(actor.county_id, objection_id)
        if found is None:
            raise NotFound
        await work_queries.lock_worker(actor.county_id, found.worker_id)
        record = await work_queries.lock_record(actor.county_id, found.record_id)
        row = await queries.objection(actor.county_id, objection_id)
        if row is None or row.state not in {"open", "review"}:
            raise NotFound  # somebody else has answered it meanwhile
        second = row.state == "review"
        authority = require(
            actor,
            Action.OBJECTION_REVIEW if second else Action.OBJECTION_ANSWER,
            Target(
                unit_code=row.village_code,
                owner=row.worker_id,
                maker=actor.person_id if second and _partial(actor, row) else None,
            ),
        )
        verdict = "upheld" if upheld else "rejected"
        by = (actor.person_id, now)
        if second:
            await queries.answer_review(
                actor.county_id, objection_id, f"review_{verdict}", text.strip(), by
            )
        else:
            await queries.answer_objection(actor.county_id, objection_id, verdict, text.strip(), by)
        # Of the public's objection the worker is the other side: found wrong, the record counts.
        counts = upheld != row.by_public
        if counts and record is not None and record.state == State.REFUSED:
            if await found_false(actor.county_id, record.id):
                instead = "答复群众意见属实" if row.by_public else "维持原结果"
                raise ObjectionRefused(
                    "text", f"这条记录已按虚报作出扣分决定，不能再认定。请{instead}。"
                )
            await _no_second(actor.county_id, record)
            await work_queries.set_state(actor.county_id, record.id, State.ACCEPTED, now)
            await trail.changed(actor, Action.WORK_VERIFY, record, State.ACCEPTED, authority, text)
        elif row.by_public and upheld and record is not None and record.state == State.ACCEPTED:
            await work_queries.set_state(
                actor.county_id, record.id, State.REFUSED, now, reason=text.strip()
            )
            await trail.changed(actor, "work.refuse", record, State.REFUSED, authority, text)
        await audit.record(
            actor,
            Action.OBJECTION_REVIEW if second else Action.OBJECTION_ANSWER,
            "objection",
            objection_id,
            county_id=actor.county_id,
            about_id=row.worker_id,
            unit_code=row.village_code,
            before={"state": row.state},
            after={"verdict": f"public_{verdict}" if row.by_public else verdict},
            reason=text,
            authority=authority,
        )
        settings = await settings_county.get(actor.county_id)
        if settings.posting_mode == "immediate":
            await posting.post_records(actor.county_id, [row.record_id], now)


async def _no_second(county_id: int, record: Record) -> None:
    """The same work may have been declared again since it was refused; it counts once."""
    key = text_key(record.text)
    if await work_queries.same_record(
        county_id, record.worker_id, record.work_date, record.rule_code, key
    ):
        raise ObjectionRefused(
            "text", "这件事后来又记了一条，不能计两次。请维持原结果，按后记的那一条办理。"
        )


async def ask_review(actor: Actor, record_id: UUID, text: str, now: datetime) -> None:
    """Not content with the answer, oneself or on a paper: the township decides within ten days.

    Of an objection of the public's whoever lost asks: the worker, or the office for who objected.

    Raises ObjectionRefused, NotFound, Forbidden.
    """
    if problem := unfit(text, "请写明不服的理由。"):
        raise ObjectionRefused("text", problem)
    async with DB.transaction():
        line = await _locked_line(actor, record_id, text)
        row = await queries.objection_of(actor.county_id, record_id)
        if row is not None and row.state == "review":
            await _speaking(actor, line, Action.APPEAL)
            raise ObjectionRefused("text", "已经申请过复核，请等答复。")
        if row is None or row.state not in ({"upheld"} if row.by_public else set()) | {"rejected"}:
            raise NotFound
        worker = not row.by_public or row.state == "upheld"
        if not worker and line.worker_id == actor.person_id:
            raise NotFound
        if not worker and line.state != State.ACCEPTED:
            raise ObjectionRefused("text", "这条记录已入账，查实不实的按扣分办理。")
        authority = await _speaking(actor, line, Action.APPEAL)
        answered = today(row.answered_at)
        last = await calendar.add_working_days(actor.county_id, answered, ANSWER_DAYS)
        if today(now) > last:
            raise ObjectionRefused("text", f"已过申请复核的期限（{chinese_date(last)}）。")
        due = await calendar.add_working_days(actor.county_id, today(now), REVIEW_DAYS)
        words = spoken(actor, row.worker_id, text) if worker else text.strip()
        await queries.ask_review(actor.county_id, row.id, words, due, row.state)
        await audit.record(
            actor,
            Action.APPEAL,
            "objection",
            row.id,
            county_id=actor.county_id,
            about_id=row.worker_id,
            unit_code=row.village_code,
            before={"state": row.state},
            after={"state": "review", "due": due},
            authority=authority,
        )


async def _post_village(actor: Actor | None, row: MonthRow, at: datetime) -> MonthTotals:
    """One transaction a village: its accepted records without an open objection."""
    county_id = _county_of(row)
    async with DB.transaction():
        locked = await queries.month_row(county_id, row.village_code, row.month, lock=True)
        if locked is None or locked.state != "notice":
            return MonthTotals()  # another run has posted it meanwhile
        done = msgspec.structs.replace(locked, state="posted", posted_at=locked.posted_at or at)
        await _save(actor, Action.MONTH_POST, done, at, "work.post")
        ids = await queries.in_run(county_id, row.month, row.village_code, State.ACCEPTED)
        return await posting.post_records(county_id, ids, at)


def _county_of(row: MonthRow) -> int:
    return int(row.village_code[:6])


async def _month_over(county_id: int, month: int, at: datetime) -> None:
    settings = await settings_county.get(county_id)
    day = today(at)
    if month >= month_of(day):
        raise MonthNotReady("这个月还没有过完，下月再审核。")
    last = await _closes_on(county_id, month, settings.declare_close_day)
    if day <= last:
        raise MonthNotReady(f"申报到{chinese_date(last)}截止，之后再审核。")


async def run_of(county_id: int, work_date: date, declared_on: date) -> int:
    """The run a record belongs to: its own month while that is declared, else a later one."""
    close_day = (await settings_county.get(county_id)).declare_close_day
    month = month_of(work_date)
    while declared_on >= month_bounds(month)[1] + timedelta(days=close_day):
        if declared_on <= await _closes_on(county_id, month, close_day):
            break
        month = months_later(month)
    return month


async def _closes_on(county_id: int, month: int, close_day: int) -> date:
    """The last day of declaring a month's work; on a day of rest, the next working day.

    Where nobody has entered the year's holidays it is the day itself: work is declared all the
    same.
    """
    last = month_bounds(month)[1] + timedelta(days=close_day - 1)
    try:
        return await calendar.next_working_day(county_id, last)
    except MissingYear:
        return last


async def _require_month(county_id: int, village_code: str, month: int) -> None:
    """A month of the calendar in a village of the roster; raises NotFound."""
    unit = await roster.unit_by_code(county_id, village_code)
    if unit is None or unit.kind is not UnitKind.VILLAGE or not is_month(month):
        raise NotFound


async def _shown(county_id: int, village_code: str, month: int) -> MonthRow:
    """The month as stored, or as it will begin: who only looks stores nothing."""
    await _require_month(county_id, village_code, month)
    row = await queries.month_row(county_id, village_code, month)
    return row or MonthRow(id=new_id(), village_code=village_code, month=month)


async def _locked(county_id: int, village_code: str, month: int) -> MonthRow:
    await _require_month(county_id, village_code, month)
    await queries.ensure_month(county_id, new_id(), village_code, month)
    row = await queries.month_row(county_id, village_code, month, lock=True)
    if row is None:
        raise NotFound
    return row


async def _save(
    actor: Actor | None, action: str, row: MonthRow, at: datetime, authority: str
) -> None:
    county_id = _county_of(row)
    await queries.save_month(county_id, row, at)
    await audit.record(
        actor,
        action,
        "village_month",
        row.id,
        county_id=county_id,
        unit_code=row.village_code,
        after={
            "month": row.month,
            "state": row.state,
            "notice_from": row.notice_from,
            "notice_to": row.notice_to,
        },
        authority=authority,
    )


def asked_month(text: str, fallback: date) -> int:
    """``2026-10`` as 202610; anything else is the month of ``fallback``."""
    try:
        return parse_month(text)
    except ValueError:
        return month_of(fallback)
