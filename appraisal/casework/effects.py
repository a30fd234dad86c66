"""What a signed step does elsewhere, in the same transaction: roster, scorecard, retention."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from appraisal.casework import queries
from appraisal.casework.fields import YES, day_of, score_of
from appraisal.casework.queries import NewStep
from appraisal.casework.rules import LEAVES, Outcome, Pool, Step
from appraisal.casework.schemas import CaseRow
from appraisal.errors import StepRefused
from appraisal.pool import queries as pools
from appraisal.pool.rules import PURGE_DAYS, WEAK, unqualified
from appraisal.scorecard import calibrating
from appraisal.scorecard.rules import Grade
from shared.clock import today
from shared.dates import chinese_date
from shared.identity import accounts
from shared.identity.actor import Actor
from shared.roster import phones
from shared.roster import service as roster
from shared.roster.errors import PostTaken
from shared.roster.office import service as office
from shared.roster.office.schemas import AppointForm, EndForm, PersonForm
from shared.roster.roles import Employment, Role
from shared.roster.schemas import Tenure

MAX_REASON = 100
STOPPED_AT_MOST = timedelta(days=60)
CLEARED = (
    "报名信息已经清除，不能往下办。请办“不予录用”或“本人放弃”；本人还愿意报名的，请重新登记报名。"
)
LOWERS = frozenset({"contest_changed"})
"""Steps that may make a result worse: what others object to, never what the person asked for."""
UNDONE = frozenset({"appealed", "appeal_upheld", "revoked"})
"""Steps of an exit after which whoever has left already is in post again."""


async def take_place(actor: Actor, case: CaseRow, step: Step, row: NewStep, now: datetime) -> None:
    """Raises StepRefused, and what the roster refuses; then the step is not signed either."""
    if case.basis == "fault":
        await _stop_or_open(actor, case, step, row, now)
    if step.outcome in LEAVES:
        await _leave(actor, case, step, row.effective_on)
    elif step.key in UNDONE and case.pool is Pool.EXIT:
        await _come_back(actor, case, step, row)
    elif "score" in step.fields or "annual" in step.fields:
        await _rescore(actor, case, row, now)
    elif "term_until" in step.fields:
        _expect_running(row)
    elif case.pool is Pool.ADMISSION and case.person_id is None:
        await _admit(actor, case, step, row, now)
    elif "against" in step.fields and case.basis != "fault":
        out = step.outcome is not Outcome.KEPT
        _expect_majority(int(row.given["present"]), int(row.given["against"]), out=out)


async def _stop_or_open(
    actor: Actor, case: CaseRow, step: Step, row: NewStep, now: datetime
) -> None:
    """Access stopped while a case of serious fault runs, if its letter says so: never for good."""
    until = day_of(row.given.get("stopped_until", ""))
    if until is not None and not today(now) <= until <= today(now) + STOPPED_AT_MOST:
        raise StepRefused(
            f"系统权限从今天起最多暂停 {STOPPED_AT_MOST.days} 天，请核对“暂停系统权限到”的日期。"
        )
    if case.person_id is not None and (until is not None or step.outcome is not None):
        await accounts.stop_access(
            actor, case.person_id, until, unit_code=case.unit_code, authority=row.authority
        )


def _expect_majority(present: int, against: int, *, out: bool) -> None:
    """The villagers' meeting carries an exit by more than half of those who came.

    Raises StepRefused; a serious fault is a matter of evidence and not of votes.
    """
    if out and against * 2 <= present:
        raise StepRefused("不赞成留任的没有过半数，不能据此退出；请办“村民民主评议：同意留任”。")
    if not out and against * 2 > present:
        raise StepRefused("不赞成留任的过了半数，请办“村民民主评议”。")


def _expect_running(row: NewStep) -> None:
    """Whoever works on after the term was not let go by it. Raises StepRefused."""
    until = day_of(row.given["term_until"])
    if until is not None and until < row.effective_on:
        raise StepRefused(
            f"协议（任期）在{chinese_date(until)}已满，之后继续任职的，不能再按期满退出，请核对日期。"
        )


async def _leave(actor: Actor, case: CaseRow, step: Step, on: date) -> None:
    """Every grid post ends on the day; its rights end with it. Other posts are no part of it."""
    for tenure in await _held(actor.county_id, case, on):
        await office.end(actor, tenure.id, EndForm(on=on, reason=_ending(case, step)))


async def lapse(county_id: int, case: CaseRow, step: Step, on: date) -> None:
    """The same for what the clock has signed. Raises StepRefused where people must look first."""
    if step.outcome not in LEAVES:
        return
    held = await _held(county_id, case, on)
    if not held:
        raise StepRefused("这个人已经不在网格员岗位上。")
    for tenure in held:
        await office.lapse(county_id, tenure, on, _ending(case, step))


async def _held(county_id: int, case: CaseRow, on: date) -> list[Tenure]:
    """The grid posts that an ending on a day takes. Raises StepRefused."""
    found = []
    for tenure in await roster.history(county_id, case.person_id) if case.person_id else ():
        if tenure.role is not Role.GRIDWORKER:
            continue
        if tenure.valid_from > on:
            raise StepRefused("这个人在这一天之后还安排了网格岗位，请先在名册里取消。")
        if tenure.valid_to is None or tenure.valid_to > on:
            found.append(tenure)
    return found


async def _come_back(actor: Actor, case: CaseRow, step: Step, row: NewStep) -> None:
    """An ending before an appeal that had been made in time never was one: the posts go on.

    One that somebody else holds by now stays theirs; who is to stay then needs another first. What
    the person had agreed on themselves, to resign on a later day, goes on as well.
    """
    signed = await queries.steps(actor.county_id, case.id)
    left = [(case.kind.step(one.step), one.effective_on) for one in signed]
    ends = {(_ending(case, one), on) for one, on in left if one.outcome in LEAVES}
    if case.person_id is None or not ends:
        return
    leaves = await _resigned(actor.county_id, case.person_id, min(on for _, on in ends))
    for tenure in await roster.history(actor.county_id, case.person_id):
        if tenure.role is Role.GRIDWORKER and (tenure.reason, tenure.valid_to) in ends:
            with suppress(PostTaken):
                await office.resume(actor, tenure.id, _ending(case, step))
                if leaves is not None:
                    await office.end(actor, tenure.id, leaves)
    if leaves is not None and leaves.on <= row.effective_on:
        return
    if step.outcome is Outcome.KEPT and not any(
        tenure.role is Role.GRIDWORKER
        and (tenure.valid_to is None or tenure.valid_to > row.effective_on)
        for tenure in await roster.history(actor.county_id, case.person_id)
    ):
        raise StepRefused("原岗位已有人接任或已撤销，请先在名册里给本人安排网格岗位，再签办。")


async def _resigned(county_id: int, person_id: UUID, since: date) -> EndForm | None:
    """The day from ``since`` on for which somebody's resignation was agreed to, with the reason."""
    for case in await queries.of_person(county_id, person_id, Pool.EXIT):
        for one in await queries.steps(county_id, case.id):
            step = case.kind.step(one.step)
            if step.outcome is Outcome.RESIGNED and one.effective_on >= since:
                return EndForm(on=one.effective_on, reason=_ending(case, step))
    return None


def _ending(case: CaseRow, step: Step) -> str:
    """What the roster says of an assignment that a step ended."""
    return f"{case.title}：{step.title}"[:MAX_REASON]


async def _rescore(actor: Actor, case: CaseRow, row: NewStep, now: datetime) -> None:
    """A decided objection becomes a calibrated score with its reason."""
    score = score_of(row.given.get("annual") or row.given.get("score", ""))
    if score is None or case.about_cycle_id is None or case.person_id is None:
        raise StepRefused("没有写明变更后的得分。")
    found = await pools.standing(actor.county_id, case.about_cycle_id, case.person_id)
    if found is None:
        await calibrating.join(actor.county_id, case.about_cycle_id, case.person_id)
    if row.step not in LOWERS:
        if found is not None and found.final is not None and score < found.final:
            raise StepRefused(
                f"现在的得分是 {found.final}。本人提出的异议、申诉，不能反而降低得分；"
                "没有理由提高的，请办“维持”。"
            )
    else:
        least = await pools.relied_on(actor.county_id, case.about_cycle_id, case.person_id)
        if least is not None and score < least:
            raise StepRefused(f"这次考核办结时的得分是 {least}，重开以后不能降到这个得分以下。")
    reason = f"{row.title}（{row.document or case.title}）：{row.words}"
    after = await calibrating.calibrate(
        actor, case.about_cycle_id, case.person_id, score, reason, now, authority=row.authority
    )
    graded = found is not None and found.grade != Grade.UNDETERMINED
    if found is None and after.grade in WEAK:
        raise StepRefused(
            f"按这个得分是“{after.grade_name}”。漏评不是本人的过错，补评不能带来这样的等次；"
            "请不勾选任职天数，按不定等次补评。"
        )
    if not graded and after.grade in WEAK and row.step not in LOWERS:
        raise StepRefused(
            f"原来不定等次，这样会变成“{after.grade_name}”。本人提出的异议、申诉，不能带来更差的结果；"
            "请办“维持”。"
        )


async def _admit(actor: Actor, case: CaseRow, step: Step, row: NewStep, now: datetime) -> None:
    """Check the schooling, open the post, or let the applicant's data go in time."""
    closing = step.outcome in {Outcome.REFUSED, Outcome.WITHDRAWN}
    who = await pools.contact(actor.county_id, case.id)
    if who is not None and who.name is None and not closing:
        raise StepRefused(CLEARED)
    if step.key == "checked":
        unit = await roster.unit_by_code(actor.county_id, case.unit_code)
        grid_type = (unit.grid_type if unit else None) or "other"
        if reason := unqualified(grid_type, row.given["schooling"]):
            raise StepRefused(reason)
    if closing or step.outcome is Outcome.ADMITTED:
        # Admitted people stand in the roster from now on; the copy here has no use any more.
        day = today(now)
        wait = 0 if step.outcome is Outcome.ADMITTED else PURGE_DAYS
        await pools.purge_after(actor.county_id, case.id, day + timedelta(days=wait))
    if step.outcome is Outcome.ADMITTED:
        person_id = await _appoint(actor, case, row, now)
        await pools.name_person(actor.county_id, case.id, person_id)


async def _appoint(actor: Actor, case: CaseRow, row: NewStep, now: datetime) -> UUID:
    who = await pools.contact(actor.county_id, case.id)
    starts_on = day_of(row.given["starts_on"])
    if who is None or not who.name or who.phone_cipher is None or starts_on is None:
        raise StepRefused("报名信息已经清除，不能开通岗位。")
    if case.post_id is None:
        raise StepRefused("没有选定空缺岗位。")
    signed = await queries.steps(actor.county_id, case.id)
    agreement = next(step for step in signed if step.step == "agreed")
    if starts_on < agreement.effective_on:
        day = chinese_date(agreement.effective_on)
        raise StepRefused(f"到岗日期早于签订协议的日期（{day}），请核对。")
    agreed = agreement.given
    form = AppointForm(
        another=True,
        name=who.name,
        phone=phones.open_(who.phone_cipher),
        employment=Employment(agreed["employment"]),
        full_time=agreed.get("full_time") == YES,
        valid_from=starts_on,
    )
    person_id = await office.appoint(actor, case.post_id, form, now)
    await _agree(actor, person_id, case.post_id, form, now)
    return person_id


async def _agree(
    actor: Actor, person_id: UUID, post_id: UUID, form: AppointForm, now: datetime
) -> None:
    """Who comes back works under the new agreement; who still holds a post keeps what is known."""
    card = await roster.person(actor.county_id, person_id)
    if card is None or (card.employment_type, card.full_time) == (form.employment, form.full_time):
        return
    for tenure in await roster.history(actor.county_id, person_id):
        ended = tenure.valid_to is not None and tenure.valid_to <= today(now)
        if tenure.post_id != post_id and not ended:
            return
    known = PersonForm(
        name=card.name,
        employment=form.employment,
        full_time=form.full_time,
        political=card.political or "",
        version=card.version,
    )
    await office.edit_person(actor, person_id, known, now)
