"""What the engine asks of the world, gathered for one step on one day."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from appraisal.casework import queries
from appraisal.casework.fields import day_of
from appraisal.casework.machines import (
    CONTEST_POOL,
    CONTEST_RESULT,
    LEFT_OUT,
    OBJECTION,
    RECOMPUTED,
    WARNING,
)
from appraisal.casework.rules import (
    SPANS,
    UNDELIVERABLE,
    Chain,
    Need,
    Outcome,
    Pool,
    Span,
    Step,
    Term,
    World,
    begun,
    promised,
    terms,
)
from appraisal.casework.schemas import Opening
from appraisal.cycle import queries as cycles
from appraisal.cycle.rules import Stage
from appraisal.notice import queries as notices
from appraisal.notice.schemas import NoticeRow
from appraisal.pool import queries as pools
from appraisal.pool.rules import GRADE_NAMES, ineligible, protected, thin
from shared import settings_county
from shared.calendar import service as calendar
from shared.clock import today
from shared.dates import chinese_date
from shared.roster import service as roster

RESULT_OUT = frozenset({Stage.NOTICE, Stage.APPEAL})
GRADE_OF = {"improvement": "basic"}
"""Machine → the grade it rests on; every other one rests on a fail."""
PENDING = {
    OBJECTION.key: "本人对这次结果的异议还没有办结。",
    RECOMPUTED.key: "全年成绩重新计算过，告知书还没有送达本人，或申诉期未满、申诉还没有答复。",
    CONTEST_RESULT.key: "对公示的异议还没有办结。",
    LEFT_OUT.key: "漏评还没有办结。",
    CONTEST_POOL.key: "对公示的异议还没有办结。",
}
"""Kind of an open case about a result → why nothing may rest on the result yet."""
ANOTHER_POST = "；愿意去别的空缺岗位的，请另登记报名。"
"""A case of admission is for one post to its end."""
UNNOTICED = "公示以后变更为优秀的，要先补充公示，公示期满再推荐。"
AT_FAULT = "这个人的严重过错退出正在办理，办结后再推荐。"
STOPPED = "stopped"
"""The step by which a township ends an exit that it began."""


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a step is about, and on which day it takes effect."""

    county_id: int
    opening: Opening
    on: date
    today: date
    case_id: UUID | None = None


async def world(matter: Matter, chain: Chain, step: Step, now: datetime) -> World:
    """Everything that ``rules.refusal`` looks at."""
    person_id = matter.opening.person_id
    return World(
        today=today(now),
        ends=await ends(matter.county_id, chain, step),
        against={need: await AGAINST[need](matter) for need in step.needs},
        deciders=await _deciders(matter) if "*" in step.fresh else frozenset(),
        kin=await queries.kin(matter.county_id, person_id) if person_id else frozenset(),
    )


async def ends(county_id: int, chain: Chain, step: Step) -> dict[Term, date]:
    """The last day of each of a step's terms that has begun. Raises MissingYear."""
    found = {}
    for term in terms(step):
        since = begun(term, chain)
        if since is not None:
            # As the served letter says it, whatever the settings have become since.
            days = promised(chain) if term.span is Span.OBJECTION else None
            found[term] = await last_day(county_id, since, term.span, days)
    return found


async def last_day(county_id: int, since: date, span: Span, days: int | None = None) -> date:
    """Days end on a working day; working days come from the county's calendar.

    ``days`` in place of the county's own number.
    """
    count, working = await _length(county_id, span)
    count = days or count
    if working:
        return await calendar.add_working_days(county_id, since, count)
    return await calendar.next_working_day(county_id, since + timedelta(days=count))


async def _length(county_id: int, span: Span) -> tuple[int, bool]:
    settings = await settings_county.get(county_id)
    own = {
        Span.NOTICE: settings.notice_days,
        Span.OBJECTION: settings.objection_days,
        Span.REVIEW: settings.review_days,
        Span.APPEAL: settings.appeal_days,
    }
    count, working = SPANS[span]
    return own.get(span, count), working


async def _settled(matter: Matter) -> str:
    cycle_id, person_id = _result(matter)
    served = await notices.serving(matter.county_id, cycle_id, person_id)
    if served is None:
        return "考核结果还没有送达本人，不能据此办理。"
    if matter.on <= served.objection_until:
        return f"异议期到{chinese_date(served.objection_until)}，期满才能据此办理。"
    return await _objected(matter.county_id, person_id, cycle_id)


async def _objected(county_id: int, person_id: UUID, cycle_id: UUID) -> str:
    # What is being entered at this moment counts, too: the step waits for it.
    await queries.lock_objections(county_id, person_id)
    objections = await queries.of_person(county_id, person_id, Pool.OBJECTION, cycle_id)
    if any(one.state == UNDELIVERABLE for one in objections):
        return "对异议的答复书（告知书）还没有送达本人，不能据此办理。"
    return next((PENDING[one.machine] for one in objections if one.outcome is None), "")


async def _stands(matter: Matter) -> str:
    if matter.opening.basis == "fault":
        return ""
    cycle_id, person_id = _result(matter)
    found = await pools.standing(matter.county_id, cycle_id, person_id)
    wanted = GRADE_OF.get(matter.opening.machine, "fail")
    if found is None:
        return "没有找到这次考核的结果。"
    if found.grade == wanted:
        # An objection that was received in time may have been keyed in since the case began.
        objected = await _objected(matter.county_id, person_id, cycle_id)
        return objected or await _overtaken(matter.county_id, cycle_id, person_id)
    now, then = GRADE_NAMES.get(found.grade, found.grade), GRADE_NAMES[wanted]
    return f"这次考核的等次是“{now}”，不是“{then}”，不能据此办理。"


async def _overtaken(county_id: int, cycle_id: UUID, person_id: UUID) -> str:
    """Whoever did well since is not warned, and does not leave, for what was before."""
    for later in await pools.results_of(county_id, Pool.WARNING, person_id):
        if later.cycle_id == cycle_id:
            break
        if later.grade in {"good", "excellent"}:
            return (
                f"之后的考核（{later.cycle_title}）等次是“{later.grade_name}”，"
                "不能再据以前的结果办理。"
            )
    return ""


async def _substantial(matter: Matter) -> str:
    if matter.opening.basis == "fault":
        return ""
    return thin(await pools.standing(matter.county_id, *_result(matter)))


async def _unprotected(matter: Matter) -> str:
    person_id = matter.opening.person_id
    if person_id is None:
        return ""
    await pools.lock_shields(matter.county_id, person_id)
    return protected(await pools.shields(matter.county_id, person_id), matter.on, matter.today)


async def _failed_twice(matter: Matter) -> str:
    origin_id = matter.opening.origin_id
    origin = await queries.case(matter.county_id, origin_id) if origin_id else None
    if (
        origin is None
        or origin.person_id is None
        or origin.machine != WARNING.key
        or origin.person_id != matter.opening.person_id
        or origin.outcome is not Outcome.FAILED_AGAIN
    ):
        return "要先有书面警告、培训或调整，60 天复查仍不合格，才能立案。"
    failed_on = (await queries.steps(matter.county_id, origin.id))[-1].effective_on
    if matter.on < failed_on:
        return f"复查在{chinese_date(failed_on)}才有结论，日期请核对。"
    for exit_ in await queries.of_person(matter.county_id, origin.person_id, Pool.EXIT):
        # The township may stop and begin again; what an appeal or an ending decided is decided.
        decided = exit_.outcome is not None and exit_.state != STOPPED
        if exit_.origin_id == origin.id and exit_.id != matter.case_id and decided:
            return (
                f"依据这次复查的退出已经有了结果（{exit_.outcome_name}），"
                "要有新的警告和复查，才能再立案。"
            )
    return ""


async def _eligible(matter: Matter) -> str:
    cycle_id, person_id = _result(matter)
    said = await queries.of_person(matter.county_id, person_id, Pool.OBJECTION, cycle_id)
    for case in said:
        # What is said of the recommendation's own notice is another need.
        if case.outcome is None and case.machine != CONTEST_POOL.key:
            return f"{PENDING[case.machine]}办结后再推荐。"
    for exit_ in await queries.of_person(matter.county_id, person_id, Pool.EXIT):
        if exit_.outcome is None and exit_.basis == "fault":
            return AT_FAULT
    found = await pools.grades(matter.county_id, person_id, matter.on)
    deductions = await pools.open_deductions(matter.county_id, person_id)
    shown = [(kind, grade if noticed else "") for kind, grade, noticed in found]
    refused = ineligible([(kind, grade) for kind, grade, _ in found], deductions)
    return refused or (UNNOTICED if ineligible(shown, 0) else "")


async def _in_time(matter: Matter) -> str:
    cycle_id, person_id = _result(matter)
    cycle = await cycles.cycle(matter.county_id, cycle_id)
    if cycle is None or cycle.state not in RESULT_OUT:
        return "这次考核的结果还没有公布，或已经办结。"
    if await pools.standing(matter.county_id, cycle_id, person_id) is None:
        return "这次考核没有本人的结果。"
    since = await out_on(matter.county_id, cycle_id)
    if since is not None and matter.on < since:
        return f"结果在{chinese_date(since)}才公布，请核对收到的日期。"
    served = await notices.serving(matter.county_id, cycle_id, person_id)
    if served is not None and matter.on > served.objection_until:
        return f"异议期到{chinese_date(served.objection_until)}，已经过了。"
    return ""


async def out_on(county_id: int, cycle_id: UUID) -> date | None:
    """The day on which a cycle's results came out."""
    taken = await cycles.steps(county_id, cycle_id)
    return next((today(step.at) for step in taken if step.target is Stage.NOTICE), None)


async def objection_days(county_id: int, cycle_id: UUID | None) -> int:
    """Working days to object or to appeal, as whoever was told by the longest letter may expect.

    A letter about a result may have been printed at any time since that came out: a term that the
    county has shortened since holds for whatever follows from it.
    """
    days = (await settings_county.get(county_id)).objection_days
    since = await out_on(county_id, cycle_id) if cycle_id else None
    return max(days, await notices.earlier_term(county_id, since)) if since else days


async def _cycle_open(matter: Matter) -> str:
    cycle_id, _ = _result(matter)
    cycle = await cycles.cycle_shared(matter.county_id, cycle_id)
    closed = cycle is None or cycle.state is Stage.CLOSED
    return (
        "这次考核已经办结归档，不能再改。期限内收到的书面申诉，请主管部门先重开这次考核，再补录。"
        if closed
        else ""
    )


async def _term_over(matter: Matter) -> str:
    signed = await queries.steps(matter.county_id, matter.case_id) if matter.case_id else []
    until = day_of(signed[0].given.get("term_until", "")) if signed else None
    if until is not None and matter.on <= until:
        return f"协议（任期）到{chinese_date(until)}才满，之后才能办这一步。"
    return ""


async def _vacant(matter: Matter) -> str:
    post_id = matter.opening.post_id
    if post_id is None or not await pools.vacant(matter.county_id, post_id, matter.on):
        return f"这个岗位已经有人，或已撤销{ANOTHER_POST}"
    if await queries.promised_to_another(matter.county_id, post_id, matter.case_id):
        return f"这个岗位已与另一个人签订协议{ANOTHER_POST}"
    return ""


async def _in_post(matter: Matter) -> str:
    person_id = matter.opening.person_id
    if person_id and await roster.worker_place(matter.county_id, person_id, matter.on):
        return ""
    return "这个人那天不在网格员岗位上。"


async def _gone(matter: Matter) -> str:
    return "" if await _in_post(matter) else "这个人还在网格员岗位上，不能因离任终止。"


async def _noticed(matter: Matter) -> str:
    found = await _notice(matter)
    if found is None:
        return "还没有公示，不能登记对公示的异议。"
    if matter.on < today(found.issued_at):
        return f"公示在{chinese_date(today(found.issued_at))}才发布，请核对收到的日期。"
    if matter.on > found.ends_on:
        return (
            f"公示期到{chinese_date(found.ends_on)}已满，之后收到的不再按异议办理，"
            "请按来信来访转交核查。"
        )
    return ""


async def _notice(matter: Matter) -> NoticeRow | None:
    """The notice that somebody objects to: of the published case, else of the person's grade."""
    origin_id = matter.opening.origin_id
    if origin_id is None:
        cycle_id, person_id = _result(matter)
        return await notices.naming(matter.county_id, cycle_id, person_id)
    return await _notice_of(matter.county_id, origin_id)


async def _notice_of(county_id: int, case_id: UUID) -> NoticeRow | None:
    """The notice on which a case was published."""
    for step in reversed(await queries.steps(county_id, case_id)):
        if step.notice_id:
            return await notices.notice(county_id, step.notice_id)
    return None


async def _left_out(matter: Matter) -> str:
    cycle_id, person_id = _result(matter)
    if await pools.standing(matter.county_id, cycle_id, person_id) is not None:
        return "这次考核已经有本人的结果。"
    cycle = await cycles.cycle(matter.county_id, cycle_id)
    if cycle and await roster.worker_place(matter.county_id, person_id, cycle.ends_on):
        return ""
    return "考核期最后一天，名册上这个人不在网格员岗位，不属于漏评；名册有误的，请先更正名册。"


async def _unserved(matter: Matter) -> str:
    served = await notices.serving(matter.county_id, *_result(matter))
    return "" if served is None else "结果已经送达本人，不用再办这一步。"


async def _uncontested(matter: Matter) -> str:
    if matter.case_id is None:
        return ""
    found = await _notice_of(matter.county_id, matter.case_id)
    if found is not None and matter.on <= found.ends_on:
        # As it was published, whatever the settings have become since.
        return f"公示期到{chinese_date(found.ends_on)}才满，之后才能办这一步。"
    contests = await queries.contests_of_case(matter.county_id, matter.case_id)
    if any(case.outcome is None for case in contests):
        return "对这次公示的异议还没有办结。"
    if any(case.outcome is Outcome.CHANGED for case in contests):
        return "对这次公示的异议核查属实，不能再往下办。"
    return ""


AGAINST: dict[Need, Callable[[Matter], Awaitable[str]]] = {
    Need.SETTLED: _settled,
    Need.STANDS: _stands,
    Need.SUBSTANTIAL: _substantial,
    Need.UNPROTECTED: _unprotected,
    Need.FAILED_TWICE: _failed_twice,
    Need.ELIGIBLE: _eligible,
    Need.IN_TIME: _in_time,
    Need.CYCLE_OPEN: _cycle_open,
    Need.TERM_OVER: _term_over,
    Need.VACANT: _vacant,
    Need.IN_POST: _in_post,
    Need.GONE: _gone,
    Need.NOTICED: _noticed,
    Need.UNCONTESTED: _uncontested,
    Need.LEFT_OUT: _left_out,
    Need.UNSERVED: _unserved,
}


async def _deciders(matter: Matter) -> frozenset[UUID]:
    """Who has decided before: on the score, a veto or the results, or gave the warning."""
    found: set[UUID] = set()
    opening = matter.opening
    if opening.about_cycle_id and opening.person_id:
        found |= await pools.deciders(matter.county_id, opening.about_cycle_id, opening.person_id)
    if opening.origin_id and opening.machine != OBJECTION.key:
        earlier = await queries.steps(matter.county_id, opening.origin_id)
        found |= {one.actor_id for one in earlier if one.actor_id and not one.proxy}
    return frozenset(found)


def _result(matter: Matter) -> tuple[UUID, UUID]:
    """The cycle and the person; a case about a result has both, which the database checks."""
    cycle_id, person_id = matter.opening.about_cycle_id, matter.opening.person_id
    return cycle_id or UUID(int=0), person_id or UUID(int=0)
