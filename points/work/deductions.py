"""Deductions with due process: notice, answer, decision by somebody else, appeal.

The worker has five working days to answer and five to appeal, from the day on which they can
know: on a phone at once, on paper once it was handed over. Only what is final reaches the
ledger, and then takes merit only.
"""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.errors import DeductionRefused, LedgerRefused
from points.ledger import service as ledger
from points.ledger.items import Code, Deduct, Item, Reverse
from points.rulebook import service as rulebook
from points.rulebook.rules import Penalty
from points.work import deduction_queries as queries
from points.work import queries as work_queries
from points.work.deduction_queries import DeductionRow, NewDeduction
from points.work.rules import State, unfit
from shared import settings_county
from shared.audit import service as audit
from shared.calendar import service as calendar
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Forbidden, NotFound
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.schemas import Place

PAGE = 20
ANSWER_DAYS = 5
APPEAL_DAYS = 5
UNPAID = (State.PENDING, State.RETURNED, State.ACCEPTED)
UNTOLD = "本人没有激活账号，告知书还没有登记送达。请送达并登记，陈述期满后再决定。"
STATE_NAMES = {
    "noticed": "已告知，可陈述",
    "decided": "已决定，可申诉",
    "dropped": "不予扣分",
    "appealed": "申诉中",
    "final": "已扣分",
    "annulled": "申诉成立，撤销",
}


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is held against a worker; ``amount`` in 0.1 point."""

    worker_id: UUID
    code: str
    amount: int
    happened_on: date
    facts: str
    evidence: str
    record_id: UUID | None = None


async def propose(actor: Actor, form: Proposal, now: datetime) -> UUID:
    """Serve notice of a deduction; the same form again is the notice already served.

    One false claim is held against a worker once, whoever finds it out a second time.
    Raises DeductionRefused, NotFound.
    """
    place = await _place(actor, form)
    if place is None:
        raise DeductionRefused("worker_id", "那天这个人不在网格员岗位上，请核对日期。")
    authority = require(
        actor,
        Action.DEDUCT_PROPOSE,
        Target(unit_code=place.village_code, owner=form.worker_id),
    )
    penalty = await _checked(actor.county_id, form, now)
    due = await calendar.add_working_days(actor.county_id, today(now), ANSWER_DAYS)
    row = NewDeduction(
        id=new_id(),
        worker_id=form.worker_id,
        village_code=place.village_code,
        code=form.code,
        title=penalty.title,
        amount=form.amount,
        record_id=form.record_id,
        facts=form.facts.strip(),
        evidence=form.evidence.strip(),
        happened_on=form.happened_on,
        proposed_by=actor.person_id,
        proposed_at=now,
        answer_due_on=due,
    )
    async with DB.transaction():
        await work_queries.lock_worker(actor.county_id, form.worker_id)
        if known := await queries.same(actor.county_id, row):
            return known
        if penalty.reverses and await queries.charged(actor.county_id, form.record_id, form.code):
            raise DeductionRefused("record_id", "这条记录已按这条规则告知过扣分，不能扣两次。")
        await queries.insert(actor.county_id, row)
        await _audit(actor, Action.DEDUCT_PROPOSE, row, authority, form)
    return row.id


async def reply(actor: Actor, deduction_id: UUID, text: str, now: datetime) -> None:
    """The worker's own word (陈述), within the term, or a paper of theirs that is keyed in.

    Raises NotFound, Forbidden, DeductionRefused.
    """
    if problem := unfit(text, "请写下您的说明。"):
        raise DeductionRefused("text", problem)
    async with DB.transaction():
        row, authority = await _speaking(actor, deduction_id, Action.DEDUCT_ANSWER)
        if row.state != "noticed":
            raise DeductionRefused("text", f"这一件{STATE_NAMES[row.state]}，不能再陈述。")
        mine = actor.person_id == row.worker_id
        if (mine or row.told) and today(now) > row.answer_due_on:
            raise DeductionRefused(
                "text", f"陈述期限是{chinese_date(row.answer_due_on)}，已经过了。"
            )
        if not mine and row.answered_at is not None:
            raise DeductionRefused("text", "本人已经说明过，不用再代录。")
        # After a paper the term still runs: only the worker can say that nothing is to be added.
        words = spoken(actor, row.worker_id, text)
        await queries.answer(actor.county_id, deduction_id, words, now if mine else None)
        await _audit(actor, Action.DEDUCT_ANSWER, row, authority, None)


async def serve(actor: Actor, deduction_id: UUID, served_on: date, how: str, now: datetime) -> None:
    """Record that the letter was handed over: the term of who has no phone runs from that day.

    Raises NotFound, Forbidden, DeductionRefused.
    """
    if problem := unfit(how, "请写明谁送的，本人签收、拒收（写见证人）还是挂号邮寄。"):
        raise DeductionRefused("how", problem)
    async with DB.transaction():
        row = await _locked(actor.county_id, deduction_id)
        there = Target(unit_code=row.village_code, owner=row.worker_id)
        authority = require(actor, Action.DEDUCT_DECIDE, there)
        if row.state not in {"noticed", "decided"}:
            raise DeductionRefused("served_on", f"这一件{STATE_NAMES[row.state]}，不用再送达。")
        noticed = row.state == "noticed"
        if (row.notice_served_on if noticed else row.decision_served_on) is not None:
            raise DeductionRefused("served_on", "已经登记过送达，请刷新页面。")
        if not today(row.decided_at or row.proposed_at) <= served_on <= today(now):
            raise DeductionRefused("served_on", "送达日期早于文书，或还没有到，请核对。")
        days = ANSWER_DAYS if noticed else APPEAL_DAYS
        due = await calendar.add_working_days(actor.county_id, served_on, days)
        known = (row.answer_due_on if noticed else row.appeal_due_on) or due
        await queries.serve(actor.county_id, deduction_id, served_on, max(due, known))
        await audit.record(
            actor,
            "deduct.serve",
            "deduction",
            row.id,
            county_id=actor.county_id,
            about_id=row.worker_id,
            unit_code=row.village_code,
            after={"state": row.state, "served_on": served_on},
            reason=how.strip(),
            authority=authority,
        )


async def decide(
    actor: Actor, deduction_id: UUID, *, stands: bool, reason: str, now: datetime
) -> None:
    """Decide after the worker's answer or its term, by somebody who did not propose it.

    Raises NotFound, Forbidden, DeductionRefused.
    """
    if problem := unfit(reason, "请写明决定的理由。"):
        raise DeductionRefused("reason", problem)
    async with DB.transaction():
        row = await _locked(actor.county_id, deduction_id)
        authority = require(
            actor,
            Action.DEDUCT_DECIDE,
            Target(unit_code=row.village_code, owner=row.worker_id, maker=row.proposed_by),
        )
        if row.state != "noticed":
            raise DeductionRefused("reason", f"这一件{STATE_NAMES[row.state]}，不能再决定。")
        if row.answered_at is None and today(now) <= row.answer_due_on:
            raise DeductionRefused(
                "reason", f"陈述期到{chinese_date(row.answer_due_on)}，过后或本人说明后才能决定。"
            )
        if not row.told:
            raise DeductionRefused("reason", UNTOLD)
        due = await calendar.add_working_days(actor.county_id, today(now), APPEAL_DAYS)
        state = "decided" if stands else "dropped"
        by = (actor.person_id, now, reason.strip(), due)
        await queries.decide(actor.county_id, deduction_id, state, by)
        await _audit(actor, Action.DEDUCT_DECIDE, row, authority, state)


async def appeal(actor: Actor, deduction_id: UUID, text: str, now: datetime) -> None:
    """The worker appeals within the term, on the phone or on a paper that is keyed in.

    Raises NotFound, Forbidden, DeductionRefused.
    """
    if problem := unfit(text, "请写明申诉的理由。"):
        raise DeductionRefused("text", problem)
    async with DB.transaction():
        row, authority = await _speaking(actor, deduction_id, Action.APPEAL)
        if row.state not in {"noticed", "decided"}:
            raise DeductionRefused("text", f"这一件{STATE_NAMES[row.state]}，不能再申诉。")
        late = row.appeal_due_on is None or today(now) > row.appeal_due_on
        told = row.told or actor.person_id == row.worker_id
        if row.state != "decided" or (told and late):
            raise DeductionRefused("text", "已过申诉期限，或还没有作出决定。")
        await queries.appeal(actor.county_id, deduction_id, spoken(actor, row.worker_id, text), now)
        await _audit(actor, Action.APPEAL, row, authority, None)


async def decide_appeal(
    actor: Actor, deduction_id: UUID, *, upheld: bool, reason: str, now: datetime
) -> None:
    """Decide the appeal, by neither proposer nor first decider; a rejected one is posted at once.

    Raises NotFound, Forbidden, DeductionRefused.
    """
    if problem := unfit(reason, "请写明申诉决定的理由。"):
        raise DeductionRefused("reason", problem)
    async with DB.transaction():
        row = await _locked(actor.county_id, deduction_id)
        makers = {row.proposed_by, row.decided_by}
        authority = require(
            actor,
            Action.APPEAL_DECIDE,
            Target(
                unit_code=row.village_code,
                owner=row.worker_id,
                maker=actor.person_id if actor.person_id in makers else None,
            ),
        )
        if row.state != "appealed":
            raise DeductionRefused("reason", "这一件没有待决定的申诉。")
        state = "annulled" if upheld else "final"
        await queries.decide_appeal(
            actor.county_id, deduction_id, state, (actor.person_id, now, reason.strip())
        )
        await _audit(actor, Action.APPEAL_DECIDE, row, authority, state)
        if not upheld:
            await _post(actor, actor.county_id, row, now, authority)


async def post_lapsed(county_id: int, now: datetime) -> int:
    """Post every decision whose appeal term has lapsed unused; how many."""
    rows = await queries.lapsed(county_id, today(now))
    for row in rows:
        async with DB.transaction():
            locked = await _locked(county_id, row.id)
            if locked.state != "decided":
                continue
            await queries.finalise(county_id, row.id, now)
            await _audit(None, "deduct.final", row, "system", "final", county_id)
            await _post(None, county_id, locked, now, "system")
    return len(rows)


async def to_decide(actor: Actor) -> list[DeductionRow]:
    """Deductions and appeals that the actor may decide."""
    rows = await queries.open_below(actor.county_id, reach(actor, Action.DEDUCT_DECIDE))
    upper = reach(actor, Action.APPEAL_DECIDE)
    return [
        row
        for row in rows
        if actor.person_id not in {row.worker_id, row.proposed_by, row.decided_by}
        and (row.state == "noticed" or row.village_code.startswith(upper or ("-",)))
    ]


async def to_serve(actor: Actor) -> list[DeductionRow]:
    """Deductions whose letter is still to be handed over, and that the actor may record."""
    rows = await queries.unserved_below(actor.county_id, reach(actor, Action.DEDUCT_DECIDE))
    return [row for row in rows if may_serve(actor, row)]


async def listed(actor: Actor, page: int = 1) -> tuple[list[DeductionRow], int]:
    """A page of the deductions in the actor's reach, latest first, and how many there are."""
    codes = reach(actor, Action.DEDUCT_VIEW)
    found = await queries.below(actor.county_id, codes, PAGE, (page - 1) * PAGE)
    return found, await queries.count_below(actor.county_id, codes)


async def own(actor: Actor) -> list[DeductionRow]:
    """The actor's own deductions, latest first."""
    return await queries.of_worker(actor.county_id, actor.person_id)


async def open_own(actor: Actor) -> list[DeductionRow]:
    """The actor's own deductions that they may still say something to, or that are pending."""
    return [row for row in await own(actor) if row.state in {"noticed", "decided", "appealed"}]


async def view(actor: Actor, deduction_id: UUID) -> DeductionRow:
    """One deduction. Raises NotFound."""
    row = await queries.one(actor.county_id, deduction_id)
    if row is None:
        raise NotFound
    require(actor, Action.DEDUCT_VIEW, Target(unit_code=row.village_code, owner=row.worker_id))
    return row


async def takes_back(county_id: int, row: DeductionRow) -> bool:
    """Whether the award of the record goes with the deduction."""
    return row.record_id is not None and await _reverses(county_id, row)


async def _post(
    actor: Actor | None, county_id: int, row: DeductionRow, at: datetime, authority: str
) -> None:
    """Merit down by the amount; a false claim's award is reversed as well.

    A false claim that has no award yet is refused, or the next run would pay it. Other rules
    may point to a record as evidence and leave its award alone.
    """
    items: list[Item] = [
        Deduct(
            id=row.id,
            authority="work.deduct",
            person_id=row.worker_id,
            code=row.code,
            amount=row.amount,
            day=today(at),
            memo=row.title,
        )
    ]
    if row.record_id is not None and await takes_back(county_id, row):
        record = await work_queries.lock_record(county_id, row.record_id)
        if record is not None and record.state in (*UNPAID, State.POSTED):
            state = State.REVERSED if record.state == State.POSTED else State.REFUSED
            await work_queries.set_state(county_id, row.record_id, state, at, reason=row.title)
            await audit.record(
                actor,
                "work.reverse" if state is State.REVERSED else "work.refuse",
                "work_record",
                row.record_id,
                county_id=county_id,
                about_id=row.worker_id,
                unit_code=record.grid_code,
                before={"state": record.state},
                after={"state": state},
                reason=row.title,
                authority=authority,
            )
            if record.posted:
                items.append(
                    Reverse(
                        id=new_id(),
                        authority="work.deduct",
                        award_id=row.record_id,
                        day=today(at),
                        memo=row.title,
                    )
                )
    for outcome in await ledger.post(county_id, items):
        if outcome.code != Code.ACCEPTED:
            raise LedgerRefused(str(outcome.code))


async def _reverses(county_id: int, row: DeductionRow) -> bool:
    penalties = await rulebook.penalties_at(county_id, row.happened_on)
    return any(penalty.reverses for penalty in penalties if penalty.code == row.code)


async def found_false(county_id: int, record_id: UUID) -> bool:
    """Whether a record is a false claim by a decision that is final."""
    rows = await queries.final_of(county_id, record_id)
    return any([await _reverses(county_id, row) for row in rows])


async def _place(actor: Actor, form: Proposal) -> Place | None:
    """Of who works in several villages: that of the false record, else the actor's own."""
    codes = reach(actor, Action.DEDUCT_PROPOSE)
    if form.record_id is not None:
        record = await work_queries.record(actor.county_id, form.record_id)
        codes = (record.grid_code,) if record is not None else ()
    for code in (*codes, ""):
        place = await roster.worker_place(actor.county_id, form.worker_id, form.happened_on, code)
        if place is not None:
            return place
    return None


async def _checked(county_id: int, form: Proposal, at: datetime) -> Penalty:
    penalties = await rulebook.penalties_at(county_id, form.happened_on)
    penalty = next((item for item in penalties if item.code == form.code), None)
    if penalty is None:
        raise DeductionRefused("code", "没有这条扣分规则，请从列表中选择。")
    if form.amount not in penalty.choices:
        raise DeductionRefused("amount", "扣分数不在这条规则的范围内，请从列表中选择。")
    if form.happened_on > today(at):
        raise DeductionRefused("happened_on", "日期还没有到。")
    for field in ("facts", "evidence"):
        if problem := unfit(getattr(form, field), "请写明事实和证据，两项都要填。"):
            raise DeductionRefused(field, problem)
    if penalty.reverses or form.record_id is not None:
        record = await work_queries.record(county_id, form.record_id) if form.record_id else None
        if record is None or record.worker_id != form.worker_id:
            raise DeductionRefused("record_id", "请从这名网格员本人的工作记录里选出这一条。")
    return penalty


async def _locked(county_id: int, deduction_id: UUID) -> DeductionRow:
    row = await queries.one(county_id, deduction_id, lock=True)
    if row is None:
        raise NotFound
    return row


async def undecidable(actor: Actor, row: DeductionRow, on: date) -> str:
    """That nobody would be left to decide an appeal; empty if somebody is.

    Said to whoever is about to decide as if they had, and while the appeal is open.
    """
    parties = {row.worker_id, row.proposed_by, row.decided_by or actor.person_id}
    if await queries.left_to_decide(actor.county_id, row.village_code, list(parties), on):
        return ""
    name = (await settings_county.get(actor.county_id)).department_name
    who = "提出和决定的人" if row.decided_by else "提出的人和您（由您决定的话）"
    return (
        f"{who}不能再答复申诉，除此以外乡镇和县里没有能登录的网格指导员、{name}人员。"
        f"请换一个人决定，或先在名册里给另外的人安排岗位并开通账号，否则申诉没有人能答复。"
    )


def may_serve(actor: Actor, row: DeductionRow) -> bool:
    """Whether the actor may record that the letter was handed over, which is still to be done."""
    there = Target(unit_code=row.village_code, owner=row.worker_id)
    waits = row.state in {"noticed", "decided"} and not row.told
    return waits and allowed(actor, Action.DEDUCT_DECIDE, there).allowed


def may_enter(actor: Actor, row: DeductionRow) -> bool:
    """Whether the actor may key in the worker's paper: not who has a part in the deduction."""
    there = Target(unit_code=row.village_code, owner=row.worker_id)
    apart = actor.person_id not in {row.worker_id, row.proposed_by, row.decided_by}
    return apart and allowed(actor, Action.WORK_PROXY, there).allowed


def spoken(actor: Actor, worker_id: UUID, text: str) -> str:
    """Somebody's own words; where another keyed them in from paper, with who did (代录)."""
    words = text.strip()
    return words if actor.person_id == worker_id else f"{words}（书面材料，{actor.name}代录）"


async def _speaking(actor: Actor, deduction_id: UUID, action: Action) -> tuple[DeductionRow, str]:
    """The deduction, for the worker or whoever keys in their paper, and under which authority."""
    row = await _locked(actor.county_id, deduction_id)
    there = Target(unit_code=row.village_code, owner=row.worker_id)
    if row.worker_id == actor.person_id:
        return row, require(actor, action, there)
    authority = require(actor, Action.WORK_PROXY, there)
    if not may_enter(actor, row):
        raise Forbidden("这一件是您经手的，请换一个人代录本人的书面材料。")
    return row, authority


async def _audit(
    actor: Actor | None,
    action: str,
    row: NewDeduction | DeductionRow,
    authority: str,
    after: object,
    county_id: int = 0,
) -> None:
    await audit.record(
        actor,
        action,
        "deduction",
        row.id,
        county_id=actor.county_id if actor else county_id,
        about_id=row.worker_id,
        unit_code=row.village_code,
        after={"state": after} if isinstance(after, str) else after,
        authority=authority,
    )
