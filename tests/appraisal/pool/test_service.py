"""The pools on PostgreSQL: warned, trained, re-checked, heard, served, and only then let go."""

import asyncio
import io
import random
from collections.abc import Awaitable, Coroutine, Sequence
from contextvars import copy_context
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from docx import Document

from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.casework.machines import EXITS, MACHINES
from appraisal.casework.rules import OVERTURNED, Outcome, Pool, Span, next_steps
from appraisal.casework.schemas import Opening
from appraisal.casework.world import last_day
from appraisal.cycle.rules import Kind, Stage
from appraisal.documents import facts
from appraisal.errors import NoticeRefused, StepRefused
from appraisal.notice import queries as notices
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm
from appraisal.pool import queries, service
from appraisal.pool.rules import PURGE_DAYS, Protection
from appraisal.pool.schemas import ApplyForm, ShieldForm
from appraisal.scorecard import calibrating
from shared import settings_county
from shared.calendar import service as calendar
from shared.clock import now
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import GridmeritError, Invalid, NotFound
from shared.identity import accounts, sessions, web_me
from shared.identity.access import Action
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from tests.appraisal.casework.scene import (
    NOW,
    Scene,
    actor_of,
    form,
    gridworker,
    result,
    scene,
    served,
    sign,
)
from tests.appraisal.cycle.stages import bring_to, opened
from tests.factories import COUNTY, Member, acting, also_in, member, small_county
from tests.shared.identity.test_matrix import act_as, token

FORCED = ["dismissed", "returned", "replaced", "role_ended", "agreement_ended", "recalled"]


async def failed(made: Scene, someone: Member, final: str = "41.0", **more: Any) -> None:
    """A bad result that is settled: served, and its term over."""
    await result(made, someone, "fail", final, **more)
    await served(made, someone)
    made.pass_days(10)


async def warned(made: Scene, someone: Member) -> UUID:
    """A written warning by the instructor."""
    actor = await actor_of(made, made.town.instructor)
    return await service.warn(
        actor, someone.person_id, made.cycle_id, form(made, "warned"), made.now
    )


async def failed_again(made: Scene, someone: Member) -> UUID:
    """Warned, served, trained; after sixty days the re-check fails."""
    await failed(made, someone)
    case_id = await warned(made, someone)
    await sign(made, made.town.chief, case_id, "served")
    await sign(made, made.town.instructor, case_id, "supported")
    made.pass_days(63)
    await sign(made, made.clerk, case_id, "failed")
    return case_id


async def exit_of(made: Scene, someone: Member, basis: str, step: str) -> UUID:
    """An exit opened by the instructor."""
    actor = await actor_of(made, made.town.instructor)
    return await service.start_exit(actor, someone.person_id, basis, form(made, step), made.now)


async def to_decision(made: Scene, case_id: UUID) -> None:
    """Everything that the employment type asks before the decision."""
    while True:
        case = await casework_queries.case(COUNTY, case_id)
        assert case is not None
        step = case.kind.following(case.state)[0]
        if step.key == "decided":
            return
        signer = made.clerk
        if step.signs and Role.DEPARTMENT not in step.signs:
            signer = made.town.chief
        await sign(made, signer, case_id, step.key)


async def duties(made: Scene, someone: Member) -> Sequence[str]:
    held = await roster.duties_at(COUNTY, someone.person_id, made.today)
    return [duty.role.value for duty in held]


@pytest.mark.parametrize("employment", list(Employment))
async def test_the_whole_way_out_for_every_employment_type(
    rollback: None, employment: Employment
) -> None:
    """Failed, warned, re-checked, its own steps, served, appeal lapsed: out on the day."""
    made = await scene()
    someone = await gridworker(made, employment)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, made.town.chief, case_id, "served")
    machine = EXITS[employment, "appraisal"]
    ending = next(step for step in machine.steps if step.outcome in FORCED)
    with pytest.raises(StepRefused):
        await sign(made, made.clerk, case_id, ending.key)
    made.pass_days(10)
    await casework.clock(COUNTY, made.now)
    if employment is Employment.CONTRACT:
        with pytest.raises(StepRefused, match="才满"):
            await sign(made, made.clerk, case_id, ending.key)
        made.pass_days(25)
    assert await duties(made, someone) == ["gridworker"]
    case = await sign(made, made.clerk, case_id, ending.key)
    assert case.outcome == ending.outcome
    assert await duties(made, someone) == []
    held = await sessions.standing(COUNTY, someone.person_id, made.today, "phone")
    assert held == ((), True)
    after = made.today + timedelta(days=90)
    assert await sessions.standing(COUNTY, someone.person_id, after, "phone") == ((), False)
    assert not case.done
    assert (await sign(made, made.town.chief, case_id, "handed_over")).done


async def test_a_serious_fault_needs_a_hearing(rollback: None) -> None:
    """Evidence → called → heard by another → protection → union → decision, in no protection."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    case_id = await exit_of(made, someone, "fault", "evidence")
    with pytest.raises(StepRefused):
        await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, someone, case_id, "called")
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, made.town.instructor, case_id, "heard")
    await to_decision(made, case_id)
    keys = [step.step for step in await casework_queries.steps(COUNTY, case_id)]
    assert keys == ["evidence", "called", "heard", "protection", "union"]
    shield = ShieldForm(
        kind=Protection.MATERNITY, starts_on=made.today, ends_on=None, document="证明1号"
    )
    clerk = await actor_of(made, made.clerk)
    await service.record_shield(clerk, someone.person_id, shield, made.now)
    with pytest.raises(StepRefused, match="保护期"):
        await sign(made, made.town.instructor, case_id, "decided")


async def test_whoever_is_to_be_heard_reads_when_and_where(rollback: None) -> None:
    """Before it is served; what is printed after that is the proof of service."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    actor = await actor_of(made, made.town.instructor)
    silent = form(made, "evidence", hearing="")
    with pytest.raises(Invalid) as refused:
        await service.start_exit(actor, someone.person_id, "fault", silent, made.now)
    assert "hearing" in refused.value.fields
    case_id = await exit_of(made, someone, "fault", "evidence")
    letter = await casework.letter(actor, case_id, 1, named=False)
    assert letter.heading == "立案和听证通知书"
    assert ("陈述申辩的时间和地点", "9月10日上午9时，镇政府会议室") in letter.facts
    await sign(made, made.town.chief, case_id, "called")
    proof = await casework.letter(actor, case_id, 2, named=False)
    assert proof.heading == "送达回证"


async def test_access_stops_for_a_time_while_a_case_of_serious_fault_runs(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """The letter says until when; the post stays, own matters stay open, the end opens all."""
    made = await scene(now=now())
    someone = await gridworker(made, Employment.CONTRACT)
    await act_as(client, someone)
    token = client.cookies["gm"]
    actor = await actor_of(made, made.town.instructor)

    async def opened(days: int) -> UUID:
        until = (made.today + timedelta(days=days)).isoformat()
        evidence = form(made, "evidence", stopped_until=until)
        return await service.start_exit(actor, someone.person_id, "fault", evidence, made.now)

    for days in (-1, 61):
        with pytest.raises(StepRefused, match="最多暂停 60 天"):
            await opened(days)
    case_id = await opened(20)
    last = made.today + timedelta(days=20)
    letter = await casework.letter(actor, case_id, 1, named=False)
    assert ("暂停系统权限到", chinese_date(last)) in letter.facts
    stopped = await sessions.resolve(token, made.now)
    assert stopped is not None
    assert (stopped.duties, stopped.former, stopped.stopped_until) == ((), True, last)
    assert await duties(made, someone) == ["gridworker"]
    assert (await client.get("/appraisal/cases")).status_code == 200
    assert (await client.get("/appraisal/resign")).status_code == 404
    assert (await client.get("/")).headers["location"] == "/me"
    assert f"系统权限暂停到{chinese_date(last)}" in (await client.get("/me")).text
    still = await sessions.resolve(token, made.now + timedelta(days=20))
    assert still is not None
    assert still.stopped_until == last
    over = await sessions.resolve(token, made.now + timedelta(days=21))
    assert over is not None
    assert [duty.role for duty in over.duties] == [Role.GRIDWORKER]
    await sign(made, made.clerk, case_id, "stopped")
    again = await sessions.resolve(token, made.now)
    assert again is not None
    assert (len(again.duties), again.former, again.stopped_until) == (1, False, None)


async def test_who_first_signs_in_while_stopped_is_stopped_too(rollback: None) -> None:
    """The letter holds for an account that is made after it."""
    made = await scene(now=now())
    someone = await gridworker(made, Employment.CONTRACT)
    evidence = form(made, "evidence", stopped_until=made.today.isoformat())
    instructor = await actor_of(made, made.town.instructor)
    await service.start_exit(instructor, someone.person_id, "fault", evidence, made.now)
    account_id = await accounts.ensure_account(COUNTY, someone.person_id)
    new = await sessions.begin(COUNTY, account_id, someone.person_id, "phone", made.now)
    stopped = await sessions.resolve(new.token, made.now)
    assert stopped is not None
    assert (stopped.duties, stopped.former) == ((), True)


async def test_who_keeps_a_shop_finds_their_points_while_stopped(rollback: None) -> None:
    """The shop's pages stay, and so do those of the worker: balance, code, appeals."""
    made = await scene(now=now())
    someone = await gridworker(made, Employment.CONTRACT)
    unit = await roster.unit_by_code(COUNTY, someone.unit_code[:12])
    assert unit is not None
    post = await roster.add_post(COUNTY, unit.id, Role.SHOPKEEPER, subject_id=new_id())
    await roster.assign(COUNTY, post, someone.person_id, made.today, now=now())
    evidence = form(made, "evidence", stopped_until=made.today.isoformat())
    instructor = await actor_of(made, made.town.instructor)
    await service.start_exit(instructor, someone.person_id, "fault", evidence, made.now)
    account_id = await accounts.ensure_account(COUNTY, someone.person_id)
    new = await sessions.begin(COUNTY, account_id, someone.person_id, "phone", made.now)
    stopped = await sessions.resolve(new.token, made.now)
    assert stopped is not None
    assert ([duty.role for duty in stopped.duties], stopped.former) == ([Role.SHOPKEEPER], False)
    assert web_me.views(stopped) == ["shop", "worker"]


async def test_a_cadre_keeps_the_village_post(rollback: None) -> None:
    """Only the grid role ends."""
    made = await scene()
    someone = await gridworker(made, Employment.CADRE)
    village = made.town.units["421222100001"]
    post_id = await roster.add_post(COUNTY, village.id, Role.COMMITTEE)
    await roster.assign(COUNTY, post_id, someone.person_id, date(2026, 1, 1), now=now())
    case_id = await exit_of(made, someone, "fault", "evidence")
    await sign(made, someone, case_id, "called")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, someone, case_id, "served")
    made.pass_days(10)
    await casework.clock(COUNTY, made.now)
    await sign(made, made.clerk, case_id, "role_ended")
    assert await duties(made, someone) == ["committee"]


async def test_no_warning_on_thin_evidence(rollback: None) -> None:
    """Nineteen ballots, or an interval that reaches the line."""
    made = await scene()
    few, near = made.town.worker, made.town.second_worker
    await failed(made, few, ballots=19)
    await result(made, near, "fail", "57.7")
    await served(made, near)
    made.pass_days(10)
    for someone, said in ((few, "19 张"), (near, "等次线")):
        with pytest.raises(StepRefused, match=said):
            await warned(made, someone)


async def test_nobody_is_talked_to_or_fails_again_on_thin_evidence(rollback: None) -> None:
    """69 and 8 × 0.3 reach the line of 70; so do 58, as they are by calibration since, that of 60.

    A re-check that was begun on better evidence cannot be failed then.
    """
    made = await scene()
    near, someone = made.town.second_worker, made.town.worker
    await result(made, near, "basic", "69.0")
    await served(made, near)
    await failed(made, someone)
    chief = await actor_of(made, made.town.chief)
    talked = form(made, "talked")
    with pytest.raises(StepRefused, match="等次线"):
        await service.warn(chief, near.person_id, made.cycle_id, talked, made.now)
    case_id = await warned(made, someone)
    await sign(made, made.town.chief, case_id, "served")
    await sign(made, made.town.instructor, case_id, "supported")
    made.pass_days(63)
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    await calibrating.calibrate(
        await actor_of(made, third), made.cycle_id, someone.person_id, Decimal(58), "复核", made.now
    )
    with pytest.raises(StepRefused, match="等次线"):
        await sign(made, made.clerk, case_id, "failed")


async def test_the_year_is_as_uncertain_as_both_its_surveys(rollback: None) -> None:
    """0.6 × 0.3 × 8 of the second half does not reach 60; with 0.4 × 0.3 × 8 of the first it does.

    Whoever has no first half in their year is judged by the second alone.
    """
    first = await scene(now=NOW - timedelta(days=30))
    both, second = first.town.worker, first.town.second_worker
    for someone in (both, second):
        await result(first, someone, "good", "75.0")
    department = await actor_of(first, first.town.department)
    await bring_to(department, first.cycle_id, Stage.CLOSED, first.now)
    at = first.now + timedelta(days=160)
    made = Scene(first.town, await annual(first), first.clerk, at)
    run = "UPDATE appraisal.run SET annual = true WHERE county_id = $1 AND cycle_id = $2"
    await DB.execute(run, COUNTY, made.cycle_id)
    await result(made, both, "fail", "58.0", first_final=7500)
    await result(made, second, "fail", "57.0")
    for someone in (both, second):
        await served(made, someone)
    made.pass_days(10)
    with pytest.raises(StepRefused, match=r"满意度误差 2\.4 到了等次线 60"):
        await warned(made, both)
    await warned(made, second)


async def test_a_veto_rests_on_papers(rollback: None) -> None:
    """The score and its ballots do not matter then."""
    made = await scene()
    await failed(made, made.town.worker, final="88.0", ballots=3, half_width="", note="veto")
    case_id = await warned(made, made.town.worker)
    (step,) = await casework_queries.steps(COUNTY, case_id)
    assert step.step == "warned"


async def test_no_warning_before_the_result_is_settled(rollback: None) -> None:
    """Not served, term running, objection open: each stands in the way.

    On the last day the term still runs, and an objection is in time.
    """
    made = await scene()
    await result(made, made.town.worker, "fail", "41.0")
    with pytest.raises(StepRefused, match="还没有送达"):
        await warned(made, made.town.worker)
    await served(made, made.town.worker)
    until = await calendar.add_working_days(COUNTY, made.today, 5)
    made.pass_days((until - made.today).days)
    with pytest.raises(StepRefused, match="异议期"):
        await warned(made, made.town.worker)
    worker = await actor_of(made, made.town.worker)
    await notice.object_to(worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now)
    made.pass_days(10)
    with pytest.raises(StepRefused, match="还没有办结"):
        await warned(made, made.town.worker)


async def test_a_changed_grade_stops_the_warning(rollback: None) -> None:
    """A better score by calibration: the re-check cannot fail any more."""
    made = await scene()
    await failed(made, made.town.worker)
    case_id = await warned(made, made.town.worker)
    await sign(made, made.town.chief, case_id, "served")
    await sign(made, made.town.instructor, case_id, "supported")
    clerk = await actor_of(made, made.clerk)
    await calibrating.calibrate(
        clerk,
        made.cycle_id,
        made.town.worker.person_id,
        Decimal(75),
        "漏计培训",
        made.now,
        authority="",
    )
    made.pass_days(63)
    with pytest.raises(StepRefused, match="等次是“合格”"):
        await sign(made, made.clerk, case_id, "failed")
    assert (await sign(made, made.clerk, case_id, "annulled")).outcome is Outcome.ANNULLED


async def test_nobody_leaves_while_an_objection_to_the_fail_is_open(rollback: None) -> None:
    """Received in time and keyed in when the exit had long begun: it is answered first."""
    made = await scene()
    received = made.today
    someone, case_id = await appeal_over(made)
    department = await actor_of(made, made.town.department)
    paper = form(made, "raised", on=received)
    objection = await notice.object_to(
        department, made.cycle_id, someone.person_id, paper, made.now
    )
    made.pass_days(40)
    with pytest.raises(StepRefused, match="异议还没有办结"):
        await sign(made, made.clerk, case_id, "dismissed")
    await sign(made, made.town.instructor, objection, "review_kept")
    await sign(made, made.town.chief, objection, "told")
    made.pass_days(20)
    await casework.clock(COUNTY, made.now)
    case = await sign(made, made.clerk, case_id, "dismissed")
    assert case.outcome is Outcome.DISMISSED


async def test_a_fail_that_a_better_result_followed_carries_nothing_more(rollback: None) -> None:
    """Neither a warning, nor a failed re-check, nor an exit rests on what has been overtaken."""
    made = await scene()
    someone, other = await gridworker(made, Employment.CONTRACT), made.town.worker
    await failed(made, other)
    await failed_again(made, someone)
    department = await acting(made.town.department, desk=True)
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    later = await annual(made)
    for one in (someone, other):
        await result(made, one, "good", "78.0", cycle_id=later)
    with pytest.raises(StepRefused, match="之后的考核"):
        await exit_of(made, someone, "appraisal", "opened")
    with pytest.raises(StepRefused, match="之后的考核"):
        await warned(made, other)


async def test_the_re_check_waits_sixty_days(rollback: None) -> None:
    """And is done by somebody else than who warned."""
    made = await scene()
    await failed(made, made.town.worker)
    case_id = await warned(made, made.town.worker)
    await sign(made, made.town.worker, case_id, "served")
    await sign(made, made.town.instructor, case_id, "supported")
    made.pass_days(59)
    with pytest.raises(StepRefused, match="才满"):
        await sign(made, made.clerk, case_id, "failed")
    made.pass_days(4)
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, made.town.instructor, case_id, "failed")
    assert (await sign(made, made.clerk, case_id, "passed")).outcome is Outcome.IMPROVED


async def test_what_must_wait_is_not_overdue_when_it_may_be_done(rollback: None) -> None:
    """The re-check is due on the first working day after the sixty days, and can be done then."""
    made = await scene()
    await failed(made, made.town.worker)
    case_id = await warned(made, made.town.worker)
    await sign(made, made.town.worker, case_id, "served")
    await sign(made, made.town.instructor, case_id, "supported")
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.due_on is not None
    made.pass_days((case.due_on - made.today).days - 1)
    with pytest.raises(StepRefused, match="才满"):
        await sign(made, made.clerk, case_id, "passed")
    made.pass_days(1)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    assert (await sign(made, made.clerk, case_id, "passed")).outcome is Outcome.IMPROVED


async def test_terms_have_the_length_that_rules_and_law_give_them(rollback: None) -> None:
    """Working days, and days of the calendar, from a Monday without holidays ahead."""
    await small_county()
    ends = {span: await last_day(COUNTY, date(2026, 7, 6), span) for span in Span}
    assert ends == {
        Span.NOTICE: date(2026, 7, 13),
        Span.OBJECTION: date(2026, 7, 13),
        Span.ESCALATED: date(2026, 7, 13),
        Span.REVIEW: date(2026, 7, 20),
        Span.APPEAL: date(2026, 7, 20),
        Span.DISMISSAL: date(2026, 8, 5),
        Span.RESIGNATION: date(2026, 8, 5),
        Span.TERM_END: date(2026, 8, 5),
        Span.PLAN: date(2026, 9, 4),
        Span.RECHECK: date(2026, 9, 4),
    }


async def test_an_exit_needs_two_failures(rollback: None) -> None:
    """A first failure alone opens nothing."""
    made = await scene()
    await failed(made, made.town.worker)
    with pytest.raises(StepRefused, match="60 天复查"):
        await exit_of(made, made.town.worker, "appraisal", "opened")


async def appeal_over(made: Scene) -> tuple[Member, UUID]:
    """Somebody on a contract whose exit is decided, served and not appealed; and the case."""
    someone = await gridworker(made, Employment.CONTRACT)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, someone, case_id, "served")
    made.pass_days(40)
    await casework.clock(COUNTY, made.now)
    return someone, case_id


async def test_an_exit_does_not_begin_before_its_ground(rollback: None) -> None:
    """Not on a day on which the re-check had not failed yet, nor once the result is another."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    made.pass_days(3)
    actor = await actor_of(made, made.town.instructor)
    early = form(made, "opened", on=made.today - timedelta(days=4))
    with pytest.raises(StepRefused, match="复查"):
        await service.start_exit(actor, someone.person_id, "appraisal", early, made.now)
    for score, why in ((59, "证据不足"), (75, "等次是“合格”"), (41, "")):
        await calibrating.calibrate(
            actor, made.cycle_id, someone.person_id, Decimal(score), "漏记", made.now, authority="x"
        )
        if why:
            with pytest.raises(StepRefused, match=why):
                await exit_of(made, someone, "appraisal", "opened")
    on_time = form(made, "opened", on=made.today - timedelta(days=3))
    await service.start_exit(actor, someone.person_id, "appraisal", on_time, made.now)


async def test_a_protected_person_stays(rollback: None) -> None:
    """No decision and no dismissal in a protected period; the sentence does not say why."""
    made = await scene()
    someone, case_id = await appeal_over(made)
    clerk = await actor_of(made, made.clerk)
    shield = ShieldForm(
        kind=Protection.MATERNITY, starts_on=made.today, ends_on=None, document="证明1号"
    )
    with pytest.raises(NotFound):
        await service.record_shield(
            await actor_of(made, made.town.chief), someone.person_id, shield, made.now
        )
    await service.record_shield(clerk, someone.person_id, shield, made.now)
    for ending in ("dismissed", "dismissed_paid"):
        with pytest.raises(StepRefused, match="保护期") as refused:
            await sign(made, made.clerk, case_id, ending)
        assert "孕" not in refused.value.message
    text = await DB.fetchval(
        "SELECT string_agg(COALESCE(after::text, ''), ' ') FROM shared.audit_event"
        " WHERE county_id = $1",
        COUNTY,
    )
    assert "maternity" not in text
    _, (row,) = await service.shields(clerk, someone.person_id, made.now)
    looks = await DB.fetch(
        "SELECT actor_id, about_id, after FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'shield.show'",
        COUNTY,
    )
    assert [tuple(look) for look in looks] == [(clerk.person_id, someone.person_id, None)]
    await service.revoke_shield(clerk, someone.person_id, row.id, made.now)
    await sign(made, made.clerk, case_id, "dismissed")


async def test_no_dismissal_runs_ahead_of_a_protection(rollback: None) -> None:
    """Signed for next month, it could not see what is recorded until then: it waits for its day.

    Nor is anybody dismissed who has resigned meanwhile.
    """
    made = await scene()
    someone, case_id = await appeal_over(made)
    ahead = made.today + timedelta(days=30)
    with pytest.raises(StepRefused, match="还没有到"):
        await sign(made, made.clerk, case_id, "dismissed", on=ahead)
    made.pass_days(10)
    shield = ShieldForm(
        kind=Protection.MEDICAL_PERIOD, starts_on=made.today, ends_on=None, document="证明2号"
    )
    clerk = await actor_of(made, made.clerk)
    await service.record_shield(clerk, someone.person_id, shield, made.now)
    made.pass_days(20)
    with pytest.raises(StepRefused, match="保护期"):
        await sign(made, made.clerk, case_id, "dismissed")
    assert await duties(made, someone) == ["gridworker"]
    _, (row,) = await service.shields(clerk, someone.person_id, made.now)
    await service.revoke_shield(clerk, someone.person_id, row.id, made.now)
    leaves = await service.resign(await actor_of(made, someone), form(made, "applied"), made.now)
    await sign(made, made.clerk, leaves, "resigned")
    with pytest.raises(StepRefused, match="不在网格员岗位上"):
        await sign(made, made.clerk, case_id, "dismissed")


async def test_no_dismissal_is_dated_back_behind_a_protection(rollback: None) -> None:
    """Signed today with effect from last week it would end the post of somebody protected today."""
    made = await scene()
    someone, case_id = await appeal_over(made)
    made.pass_days(30)
    before = made.today
    made.pass_days(5)
    shield = ShieldForm(
        kind=Protection.MEDICAL_PERIOD, starts_on=made.today, ends_on=None, document="证明2号"
    )
    clerk = await actor_of(made, made.clerk)
    await service.record_shield(clerk, someone.person_id, shield, made.now)
    with pytest.raises(StepRefused, match="保护期"):
        await sign(made, made.clerk, case_id, "dismissed", on=before)
    assert await duties(made, someone) == ["gridworker"]


async def test_an_appeal_keeps_somebody(rollback: None) -> None:
    """Decided by the county, not by those who decided; until then nothing ends.

    Neither by who signed the re-check or the decision, nor by who keyed in the appeal.
    """
    made = await scene()
    county = made.town.units[str(COUNTY)]
    decider, keyer = [await member(Role.DEPARTMENT, county, name) for name in ("洪科长", "丁科长")]
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await to_decision(made, case_id)
    await sign(made, decider, case_id, "decided")
    await sign(made, made.town.chief, case_id, "served")
    await sign(made, keyer, case_id, "appealed")
    made.pass_days(60)
    await casework.clock(COUNTY, made.now)
    with pytest.raises(StepRefused):
        await sign(made, made.clerk, case_id, "dismissed")
    for barred in (made.clerk, decider, keyer):
        with pytest.raises(StepRefused, match="回避"):
            await sign(made, barred, case_id, "appeal_upheld")
    third = await member(Role.DEPARTMENT, county, "郭部长")
    case = await sign(made, third, case_id, "appeal_upheld")
    assert (case.outcome, case.done) == (Outcome.KEPT, True)
    assert await duties(made, someone) == ["gridworker"]
    with pytest.raises(StepRefused, match="留任"):
        await exit_of(made, someone, "appraisal", "opened")


async def let_go(made: Scene, someone: Member) -> tuple[UUID, date]:
    """Dismissed on the day on which the term had lapsed; the case and the term's last day."""
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, made.town.chief, case_id, "served")
    last = await calendar.add_working_days(COUNTY, made.today, 5)
    made.pass_days((last - made.today).days + 1)
    assert (await casework.clock(COUNTY, made.now))[0] == 1
    await sign(made, made.clerk, case_id, "dismissed")
    assert await duties(made, someone) == []
    return case_id, last


@pytest.mark.parametrize("handed", [False, True])
async def test_an_appeal_in_time_undoes_a_dismissal_before_it_was_keyed_in(
    rollback: None,
    handed: bool,  # noqa: FBT001  a parameter of the table
) -> None:
    """The paper lay in the office: its date of receipt counts, and the post goes on meanwhile."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    case_id, last = await let_go(made, someone)
    if handed:
        case = await sign(made, made.town.chief, case_id, "handed_over")
        assert (case.outcome, case.done, case.waits_for("组织部")) == (Outcome.DISMISSED, True, "")
    made.pass_days(2)
    with pytest.raises(StepRefused, match="已过期限"):
        await sign(made, made.town.chief, case_id, "appealed", on=last + timedelta(days=1))
    case = await sign(made, made.town.chief, case_id, "appealed", on=last)
    assert (case.outcome, case.done) == (None, False)
    assert await duties(made, someone) == ["gridworker"]
    with pytest.raises(StepRefused):
        await sign(made, made.clerk, case_id, "dismissed")
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    await sign(made, third, case_id, "appeal_rejected")
    case = await sign(made, made.clerk, case_id, "dismissed")
    assert case.outcome is Outcome.DISMISSED
    assert await duties(made, someone) == []
    tenures = await roster.history(COUNTY, someone.person_id)
    assert [tenure.valid_to for tenure in tenures] == [made.today]


async def test_who_is_to_stay_has_a_post(rollback: None) -> None:
    """Somebody was appointed meanwhile: another post is found before the decision is undone."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    case_id, last = await let_go(made, someone)
    post_id = (await roster.history(COUNTY, someone.person_id))[0].post_id
    heir = await roster.add_person(
        COUNTY, "侯任者", "13900007777", Employment.VILLAGE_PAID, now=now()
    )
    await roster.assign(COUNTY, post_id, heir, made.today, now=now())
    made.pass_days(1)
    await sign(made, made.town.chief, case_id, "appealed", on=last)
    assert await duties(made, someone) == []
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    with pytest.raises(StepRefused, match="安排网格岗位"):
        await sign(made, third, case_id, "appeal_upheld")
    grid = made.town.units["421222100001001"]
    other = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, other, someone.person_id, made.today, now=now())
    case = await sign(made, third, case_id, "appeal_upheld")
    assert (case.outcome, await duties(made, someone)) == (Outcome.KEPT, ["gridworker"])


@pytest.mark.parametrize(
    ("step", "outcome", "held"),
    [("revoked", Outcome.KEPT, ["gridworker"]), ("stays_away", Outcome.UPHELD, [])],
)
async def test_an_exit_whose_fail_is_corrected_is_taken_back(
    rollback: None, step: str, outcome: Outcome, held: list[str]
) -> None:
    """A paper in time raised the result after the dismissal: the desk hears of it, and acts."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    case_id, _ = await let_go(made, someone)
    await sign(made, made.town.chief, case_id, "handed_over")
    department = await actor_of(made, made.clerk)
    assert case_id not in [case.id for case in await casework.to_sign(department)]
    told = await notices.serving(COUNTY, made.cycle_id, someone.person_id)
    assert told is not None
    chief = await actor_of(made, made.town.chief)
    paper = form(made, "raised", on=told.objection_until)
    objection = await notice.object_to(chief, made.cycle_id, someone.person_id, paper, made.now)
    assert await casework.clock(COUNTY, made.now) == (1, 0)  # its answer is overdue
    await sign(made, made.town.instructor, objection, "review_changed", score="75.0")
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert (case.state_name, case.outcome, case.done) == (
        "依据的考核结果已变更，待撤销退出", None, False,
    )  # fmt: skip
    assert case.due_on == await calendar.add_working_days(COUNTY, made.today, 5)
    assert case_id in [one.id for one in await casework.to_sign(department)]
    case = await sign(made, made.clerk, case_id, step)
    assert (case.outcome, case.done) == (outcome, True)
    assert await duties(made, someone) == held
    assert await casework.clock(COUNTY, made.now) == (0, 0)


async def test_a_meeting_that_would_keep_somebody_carries_no_exit(rollback: None) -> None:
    """Half of those who came is not more than half; more votes than people are a mistake."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    chief = made.town.chief
    with pytest.raises(Invalid, match="改正"):
        await sign(made, chief, case_id, "assembly", present="40", against="41")
    with pytest.raises(StepRefused, match="过半数"):
        await sign(made, chief, case_id, "assembly", present="40", against="20")
    with pytest.raises(StepRefused, match="过了半数"):
        await sign(made, chief, case_id, "assembly_kept", present="40", against="21")
    case = await sign(made, chief, case_id, "assembly", present="40", against="21")
    assert case.state == "assembly"


async def test_what_the_villagers_have_decided_is_not_asked_again(rollback: None) -> None:
    """Their vote to keep somebody stands in the books; another try needs another warning."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    kept = await sign(made, made.town.chief, case_id, "assembly_kept", present="40", against="20")
    assert (kept.done, kept.outcome) == (True, Outcome.KEPT)
    with pytest.raises(StepRefused, match="已经有了结果"):
        await exit_of(made, someone, "appraisal", "opened")


async def test_a_case_opens_again_beside_no_other_exit(rollback: None) -> None:
    """Who came back and is to leave again has one exit at a time: said, not an error."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    case_id, last = await let_go(made, someone)
    await sign(made, made.town.chief, case_id, "handed_over")
    grid = made.town.units["421222100001001"]
    other = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, other, someone.person_id, made.today, now=now())
    second = await exit_of(made, someone, "fault", "evidence")
    with pytest.raises(StepRefused, match="另一件退出"):
        await sign(made, made.town.chief, case_id, "appealed", on=last)
    await sign(made, made.town.instructor, second, "stopped")
    await sign(made, made.town.chief, case_id, "appealed", on=last)


async def test_the_clock_opens_no_exit_beside_another(rollback: None) -> None:
    """Whose fail is corrected while they are to leave again: first the other one ends."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    case_id, _ = await let_go(made, someone)
    await sign(made, made.town.chief, case_id, "handed_over")
    grid = made.town.units["421222100001001"]
    other = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    await roster.assign(COUNTY, other, someone.person_id, made.today, now=now())
    second = await exit_of(made, someone, "fault", "evidence")
    clerk = await actor_of(made, made.clerk)
    await calibrating.calibrate(
        clerk, made.cycle_id, someone.person_id, Decimal(75), "复核", made.now
    )
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    await sign(made, made.town.instructor, second, "stopped")
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.state == OVERTURNED


async def test_a_decision_says_when_it_takes_effect(rollback: None) -> None:
    """Not on the day it was signed: after service, when no appeal was made or it was rejected."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    department = await actor_of(made, made.town.department)
    decided = (await casework_queries.steps(COUNTY, case_id))[-1]
    _, content = await facts.decision(department, case_id, decided.position, made.now)
    text = "\n".join(one.text for one in Document(io.BytesIO(content)).paragraphs)
    assert "自送达后申诉期满没有申诉，或申诉答复维持决定之日起生效。" in text
    assert "在此之前岗位不变" in text
    assert f"自 {chinese_date(made.today)} 起生效" not in text
    assert chinese_date(made.today) in text.splitlines()


async def test_the_promised_term_to_appeal_outlasts_a_shorter_setting(rollback: None) -> None:
    """Ten days stand in the served decision; three, set afterwards, are for the next one."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    department = await actor_of(made, made.town.department)
    longer = msgspec.structs.replace(await settings_county.get(COUNTY), objection_days=10)
    await settings_county.update(department, COUNTY, longer)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    shorter = msgspec.structs.replace(await settings_county.get(COUNTY), objection_days=3)
    await settings_county.update(department, COUNTY, shorter)
    decided = (await casework_queries.steps(COUNTY, case_id))[-1]
    letter = await casework.letter(department, case_id, decided.position, named=False)
    assert "10个工作日内向县级申诉" in letter.remedy
    await sign(made, made.town.chief, case_id, "served")
    last = await calendar.add_working_days(COUNTY, made.today, 10)
    made.pass_days((last - made.today).days)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    case = await sign(made, someone, case_id, "appealed")
    assert case.outcome is None


async def test_an_exit_that_was_stopped_may_begin_again(rollback: None) -> None:
    """The township gave it up before anything was decided: the failed re-check still stands."""
    made = await scene()
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed_again(made, someone)
    case_id = await exit_of(made, someone, "appraisal", "opened")
    await sign(made, made.town.instructor, case_id, "stopped")
    assert await exit_of(made, someone, "appraisal", "opened") != case_id


async def test_the_database_refuses_what_no_code_should_try(rollback: None) -> None:
    """A dismissal, or another end against the will, written past the engine finds the trigger."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    case_id = await exit_of(made, someone, "fault", "evidence")
    first = await casework_queries.steps(COUNTY, case_id)
    row = casework_queries.NewStep(
        id=new_id(),
        case_id=case_id,
        position=2,
        step="dismissed",
        title="解除合同",
        outcome=Outcome.DISMISSED,
        actor_id=first[0].actor_id,
        actor_name="x",
        authority="x",
        proxy=False,
        effective_on=made.today,
        recorded_at=made.now,
        document="x",
        words="x",
        answers="{}",
        notice_id=None,
    )
    for outcome in FORCED:
        forced = msgspec.structs.replace(row, outcome=Outcome(outcome))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with DB.transaction():
                await casework_queries.insert_step(COUNTY, forced)


async def tried(made: Scene, chance: random.Random, case_id: UUID, people: list[Member]) -> None:
    """One attempt at any step of the case by anybody, on some day."""
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    steps = await casework_queries.steps(COUNTY, case_id)
    likely = [step for step in next_steps(case.kind, [s.signed for s in steps]) if not step.auto]
    pool = likely if likely and chance.random() < 0.8 else list(case.kind.steps)
    step = chance.choice(
        [s for s in pool if s.key not in {"stopped", "withdrawn", "appeal_upheld"}] or pool
    )
    made.pass_days(chance.choice([0, 0, 0, 0, 0, 1, 1, 8]))
    try:
        async with DB.transaction():
            if chance.random() < 0.25:
                await casework.clock(COUNTY, made.now)
            usual = people[:4] if chance.random() < 0.7 else people
            await sign(made, chance.choice(usual), case_id, step.key)
    except GridmeritError:
        pass


UNLAWFUL = """
SELECT s.case_id, s.step FROM appraisal.case_step s
JOIN appraisal.case_file f ON f.county_id = $1 AND f.id = s.case_id
WHERE s.county_id = $1 AND s.outcome = ANY($2::text[]) AND NOT (
    EXISTS (SELECT FROM appraisal.case_step d WHERE d.county_id = $1 AND d.case_id = s.case_id
            AND d.step = 'served' AND d.position < s.position)
    AND EXISTS (SELECT FROM appraisal.case_step d WHERE d.county_id = $1
                AND d.case_id = s.case_id AND d.step IN ('lapsed', 'appeal_rejected')
                AND d.position < s.position)
    AND NOT EXISTS (SELECT FROM appraisal.case_step a WHERE a.county_id = $1
                    AND a.case_id = s.case_id AND a.step = 'appealed'
                    AND NOT EXISTS (SELECT FROM appraisal.case_step d WHERE d.county_id = $1
                        AND d.case_id = s.case_id AND d.step = 'appeal_rejected'
                        AND d.position > a.position AND d.position < s.position))
    AND NOT EXISTS (SELECT FROM appraisal.shield h WHERE h.county_id = $1
                    AND h.person_id = f.person_id AND h.starts_on <= s.effective_on
                    AND (h.ends_on IS NULL OR h.ends_on >= s.effective_on))
    AND (f.basis = 'fault' OR EXISTS (
        SELECT FROM appraisal.scorecard c WHERE c.county_id = $1 AND c.current
          AND c.cycle_id = f.about_cycle_id AND c.person_id = f.person_id AND c.grade = 'fail'
          AND c.ballots >= 20 AND c.final + c.satisfaction_weight * c.half_width < 60)))
"""
"""Endings against the will that break the law of the house, looked for in the rows alone."""


@pytest.mark.parametrize("seed", [0, 2])
async def test_random_walks_of_the_service_dismiss_nobody_unlawfully(
    rollback: None, seed: int
) -> None:
    """Anybody tries any step on any day, some protected, some on thin evidence."""
    chance = random.Random(seed)
    made = await scene()
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    people = [third, made.clerk, made.town.instructor, made.town.chief, made.town.department]
    cases = []
    for number, employment in enumerate(Employment):
        someone = await gridworker(made, employment)
        people.append(someone)
        if number % 3 == 0:
            await service.record_shield(
                await actor_of(made, third),
                someone.person_id,
                ShieldForm(kind=Protection.OTHER_LAW, starts_on=made.today, document="一号"),
                made.now,
            )
        basis = ("fault", "appraisal")[number % 2]
        opening = Opening(
            machine=EXITS[employment, basis].key,
            person_id=someone.person_id,
            unit_code=someone.unit_code,
            employment=employment,
            basis=basis,
            about_cycle_id=made.cycle_id,
        )
        if basis == "appraisal":
            thin = number == 3
            await failed(made, someone, final="57.9" if thin else "41.0")
        case_id = new_id()
        await casework_queries.insert_case(COUNTY, case_id, Pool.EXIT, opening, made.now)
        await opened_anyway(made, case_id, opening)
        cases.append(case_id)
    for _ in range(70):
        for case_id in cases:
            await tried(made, chance, case_id, people)
    assert await DB.fetch(UNLAWFUL, COUNTY, FORCED) == []
    ended = await DB.fetchval(
        "SELECT count(*) FROM appraisal.case_step WHERE county_id = $1 AND outcome = ANY($2)",
        COUNTY,
        FORCED,
    )
    assert ended > 0


async def opened_anyway(made: Scene, case_id: UUID, opening: Opening) -> None:
    """The first step as if its own guards had let it pass, so that the rest is walked."""
    first = MACHINES[opening.machine].openings[0]
    row = casework_queries.NewStep(
        id=new_id(),
        case_id=case_id,
        position=1,
        step=first.key,
        title=first.title,
        outcome=None,
        actor_id=made.town.instructor.person_id,
        actor_name="尹玉梅",
        authority="instructor@421222100",
        proxy=False,
        effective_on=made.today,
        recorded_at=made.now,
        document="x",
        words="x",
        answers="{}",
        notice_id=None,
    )
    await casework_queries.insert_step(COUNTY, row)
    await casework_queries.set_state(
        COUNTY, case_id, first.key, None, done=False, due_on=None, overdue_on=None
    )


async def test_nobody_who_worked_on_is_let_go_by_a_term_that_is_over(rollback: None) -> None:
    """An agreement that ended in summer, and was worked under since, ends nothing in autumn."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    actor = await actor_of(made, made.town.instructor)
    for until, last in (("2026-08-31", False), ("2026-09-01", True)):
        due = form(made, "due", term_until=until)
        if last:
            await service.start_exit(actor, someone.person_id, "term", due, made.now)
            break
        with pytest.raises(StepRefused, match="2026年8月31日已满"):
            await service.start_exit(actor, someone.person_id, "term", due, made.now)


async def test_nobody_fails_again_in_a_post_that_they_have_left(rollback: None) -> None:
    """The warning ends with what happened; while somebody is in post it does not end so."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    await result(made, someone, "fail", "40.0")
    await served(made, someone)
    made.pass_days(10)
    instructor, chief = made.town.instructor, made.town.chief
    case_id = await service.warn(
        await actor_of(made, instructor),
        someone.person_id,
        made.cycle_id,
        form(made, "warned"),
        made.now,
    )
    await sign(made, chief, case_id, "served")
    await sign(made, instructor, case_id, "supported")
    with pytest.raises(StepRefused, match="还在网格员岗位上"):
        await sign(made, instructor, case_id, "left")
    leaves = await service.resign(await actor_of(made, someone), form(made, "applied"), made.now)
    await sign(made, instructor, leaves, "resigned")
    made.pass_days(75)
    with pytest.raises(StepRefused, match="不在网格员岗位上"):
        await sign(made, made.clerk, case_id, "failed")
    case = await sign(made, instructor, case_id, "left")
    assert (case.done, case.outcome_name) == (True, "因离任终止")


async def test_a_resignation_is_the_persons_own(rollback: None) -> None:
    """From the phone, or a letter keyed in; the post ends on the agreed day."""
    made = await scene()
    worker = await actor_of(made, made.town.worker)
    case_id = await service.resign(worker, form(made, "applied"), made.now)
    with pytest.raises(StepRefused, match="已经有一件"):
        await service.resign(worker, form(made, "applied"), made.now)
    ending = made.today + timedelta(days=30)
    await sign(made, made.town.instructor, case_id, "resigned", on=ending)
    assert await duties(made, made.town.worker) == ["gridworker"]
    made.pass_days(30)
    assert await duties(made, made.town.worker) == []


async def test_a_second_way_out_says_that_there_is_another(rollback: None) -> None:
    """It is not the same matter: a serious fault waits for the end of an agreement, or its stop."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    due = form(made, "due", term_until="2026-10-31")
    instructor = await actor_of(made, made.town.instructor)
    case_id = await service.start_exit(instructor, someone.person_id, "term", due, made.now)
    with pytest.raises(StepRefused, match="已经有一件退出在办"):
        async with DB.transaction():
            await exit_of(made, someone, "fault", "evidence")
    await sign(made, made.town.instructor, case_id, "renewed")
    await exit_of(made, someone, "fault", "evidence")


@pytest.mark.parametrize(
    ("basis", "step"), [("term", "due"), ("fault", "evidence"), ("appraisal", "opened")]
)
async def test_who_is_to_leave_may_resign(rollback: None, basis: str, step: str) -> None:
    """Whatever else is under way; once they are gone it ends by that, and lets nobody go again."""
    made = await scene()
    someone = await gridworker(made, Employment.VOLUNTEER)
    if basis == "appraisal":
        await failed_again(made, someone)
    actor = await actor_of(made, made.town.instructor)
    opens = form(made, step, term_until=str(made.today + timedelta(days=90)))
    other = await service.start_exit(actor, someone.person_id, basis, opens, made.now)
    leaves = await service.resign(await actor_of(made, someone), form(made, "applied"), made.now)
    with pytest.raises(StepRefused, match="还在网格员岗位上"):
        await sign(made, made.town.instructor, other, "left")
    await sign(made, made.town.instructor, leaves, "resigned")
    assert await duties(made, someone) == []
    made.pass_days(1)
    case = await sign(made, made.town.instructor, other, "left")
    assert (case.done, case.outcome_name) == (True, "因离任终止")


async def test_a_serious_fault_goes_on_beside_a_resignation(rollback: None) -> None:
    """Found and told, it dismisses nobody who has resigned; who was dismissed resigns no more."""
    made = await scene()
    endings = []
    for resigns in (True, False):
        someone = await gridworker(made, Employment.VOLUNTEER)
        case_id = await exit_of(made, someone, "fault", "evidence")
        me = await actor_of(made, someone)
        leaves = await service.resign(me, form(made, "applied"), made.now)
        await sign(made, made.town.chief, case_id, "called")
        await sign(made, made.clerk, case_id, "heard")
        await to_decision(made, case_id)
        await sign(made, made.town.instructor, case_id, "decided")
        await sign(made, made.town.chief, case_id, "served")
        if resigns:
            await sign(made, made.clerk, leaves, "resigned")
        made.pass_days(10)
        await casework.clock(COUNTY, made.now)
        if resigns:
            with pytest.raises(StepRefused, match="不在网格员岗位上"):
                await sign(made, made.clerk, case_id, "agreement_ended")
            endings.append((await sign(made, made.clerk, case_id, "left")).outcome)
        else:
            await sign(made, made.clerk, case_id, "agreement_ended")
            made.pass_days(1)
            with pytest.raises(StepRefused, match="不在网格员岗位上"):
                await sign(made, made.clerk, leaves, "resigned")
            endings.append((await sign(made, made.clerk, leaves, "left")).outcome)
        assert await duties(made, someone) == []
    assert endings == [Outcome.LEFT, Outcome.LEFT]


async def test_a_term_ends_after_its_last_day_and_never_in_a_protection(rollback: None) -> None:
    """Whoever was told in time leaves on the day after, unless the law protects them then."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    actor = await actor_of(made, made.town.instructor)
    until = made.today + timedelta(days=45)
    due = form(made, "due", term_until=str(until))
    case_id = await service.start_exit(actor, someone.person_id, "term", due, made.now)
    await sign(made, made.town.chief, case_id, "served")
    made.pass_days(45)
    with pytest.raises(StepRefused, match=f"到{chinese_date(until)}才满"):
        await sign(made, made.clerk, case_id, "term_ended")
    made.pass_days(1)
    clerk = await actor_of(made, made.clerk)
    shield = ShieldForm(
        kind=Protection.MEDICAL_PERIOD, starts_on=made.today, ends_on=None, document="证明1号"
    )
    await service.record_shield(clerk, someone.person_id, shield, made.now)
    with pytest.raises(StepRefused, match="保护期"):
        await sign(made, made.clerk, case_id, "term_ended")
    _, (row,) = await service.shields(clerk, someone.person_id, made.now)
    await service.revoke_shield(clerk, someone.person_id, row.id, made.now)
    case = await sign(made, made.clerk, case_id, "term_ended")
    assert (case.outcome, await duties(made, someone)) == (Outcome.TERM_ENDED, [])


async def test_nobody_leaves_at_the_end_of_a_term_who_resigned_before_it(rollback: None) -> None:
    """The letter would say that they left in another way, and on another day.

    Nobody leaves sooner than thirty days after it, whatever day it names.
    """
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    case_id = await exit_of(made, someone, "term", "due")
    await sign(made, made.town.chief, case_id, "served")
    leaves = await service.resign(await actor_of(made, someone), form(made, "applied"), made.now)
    await sign(made, made.clerk, leaves, "resigned")
    made.pass_days(30)
    with pytest.raises(StepRefused, match="期限到"):
        await sign(made, made.clerk, case_id, "term_ended")
    made.pass_days(15)
    with pytest.raises(StepRefused, match="不在网格员岗位上"):
        await sign(made, made.clerk, case_id, "term_ended")
    assert (await sign(made, made.clerk, case_id, "left")).outcome is Outcome.LEFT


async def test_who_resigned_for_later_may_be_let_go_before(rollback: None) -> None:
    """The day agreed on lies ahead: the fault's ending comes first, on its own day."""
    made = await scene()
    someone = await gridworker(made, Employment.VOLUNTEER)
    case_id = await exit_of(made, someone, "fault", "evidence")
    me = await actor_of(made, someone)
    leaves = await service.resign(me, form(made, "applied"), made.now)
    await sign(made, made.clerk, leaves, "resigned", on=made.today + timedelta(days=50))
    await sign(made, made.town.chief, case_id, "called")
    await sign(made, made.clerk, case_id, "heard")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, made.town.chief, case_id, "served")
    made.pass_days(10)
    await casework.clock(COUNTY, made.now)
    assert await duties(made, someone) == ["gridworker"]
    await sign(made, made.clerk, case_id, "agreement_ended")
    assert await duties(made, someone) == []


@pytest.mark.parametrize("over", [False, True])
async def test_who_resigned_and_is_kept_on_appeal_leaves_on_the_agreed_day(
    rollback: None,
    over: bool,  # noqa: FBT001  a parameter of the table
) -> None:
    """The letting go is undone, what they agreed on themselves is not, also where it is over."""
    made = await scene()
    someone = await gridworker(made, Employment.VOLUNTEER)
    case_id = await exit_of(made, someone, "fault", "evidence")
    me = await actor_of(made, someone)
    leaves = await service.resign(me, form(made, "applied"), made.now)
    agreed = made.today + timedelta(days=30)
    await sign(made, made.clerk, leaves, "resigned", on=agreed)
    await sign(made, made.town.chief, case_id, "called")
    await sign(made, made.clerk, case_id, "heard")
    await to_decision(made, case_id)
    await sign(made, made.town.instructor, case_id, "decided")
    await sign(made, made.town.chief, case_id, "served")
    received = made.today
    made.pass_days(10)
    await casework.clock(COUNTY, made.now)
    await sign(made, made.clerk, case_id, "agreement_ended")
    assert await duties(made, someone) == []
    made.pass_days(25 if over else 1)
    await sign(made, made.town.chief, case_id, "appealed", on=received)
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    case = await sign(made, third, case_id, "appeal_upheld")
    assert case.outcome is Outcome.KEPT
    assert await duties(made, someone) == ([] if over else ["gridworker"])
    [tenure] = await roster.history(COUNTY, someone.person_id)
    assert (tenure.valid_to, "本人辞去" in tenure.reason) == (agreed, True)


async def test_a_resignation_on_paper_is_entered_for_its_writer(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """Who has no phone resigns as well: the grounds of an exit have it, at the desk and below."""
    made = await scene(now=now())
    someone = await gridworker(made, Employment.VOLUNTEER)
    path = f"/appraisal/people/{someone.person_id}/open"
    for who in (made.town.department, made.town.chief):
        await act_as(client, who)
        page = (await client.get(f"{path}?pool=exit&basis=fault")).text
        assert "basis=wish" in page
    given = {"pool": "exit", "basis": "wish", "step": "applied", "words": "想回家务农。"}
    sent = await client.post(path, data={"_csrf_token": await token(client), **given})
    assert sent.status_code == 303
    page = (await client.get(sent.headers["location"])).text
    assert ("本人辞去" in page, "代录" in page) == (True, True)


async def test_nobody_alone_makes_somebody_resign(rollback: None) -> None:
    """Who enters a resignation in somebody's name does not also accept it."""
    made = await scene()
    someone = await gridworker(made, Employment.CONTRACT)
    case_id = await exit_of(made, someone, "wish", "applied")
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, made.town.instructor, case_id, "resigned")
    assert await duties(made, someone) == ["gridworker"]
    assert (await sign(made, made.clerk, case_id, "resigned")).outcome is Outcome.RESIGNED


async def test_a_resignation_that_nobody_answers_takes_effect(rollback: None) -> None:
    """After thirty days, by the clock; one that an office keyed in waits for a second hand."""
    made = await scene()
    worker, other = made.town.worker, made.town.second_worker
    case_id = await service.resign(await actor_of(made, worker), form(made, "applied"), made.now)
    keyed_in = await exit_of(made, other, "wish", "applied")
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.due_on is not None
    paper = await casework.letter(await actor_of(made, worker), case_id, 1, named=False)
    assert "到期没有答复的，辞去从次日起生效" in paper.remedy
    made.pass_days((case.due_on - made.today).days)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    made.pass_days(1)
    assert await casework.clock(COUNTY, made.now) == (1, 1)
    assert await duties(made, worker) == []
    assert await duties(made, other) == ["gridworker"]
    view = await casework.view(await actor_of(made, made.clerk), case_id, made.now)
    assert (view.case.outcome_name, view.case.done) == ("本人辞去", False)
    last = view.steps[-1]
    assert (last.actor_name, last.authority, last.effective_on) == ("系统", "system", made.today)
    ended = await DB.fetch(
        "SELECT authority, reason FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'assignment.end' AND object_id = $2",
        COUNTY,
        worker.person_id,
    )
    assert [tuple(row) for row in ended] == [("system", "本人辞去：提出满三十日没有答复，辞去生效")]
    assert (await sign(made, made.town.chief, case_id, "handed_over")).done
    waiting = await casework_queries.case(COUNTY, keyed_in)
    assert waiting is not None
    assert (waiting.state, waiting.overdue_on) == ("applied", made.today)


async def test_the_clock_ends_no_post_that_is_still_ahead(rollback: None) -> None:
    """Who was given another grid since is looked at by people, and nobody else's night stops."""
    made = await scene()
    worker = made.town.worker
    case_id = await service.resign(await actor_of(made, worker), form(made, "applied"), made.now)
    leaves = await service.resign(
        await actor_of(made, made.town.second_worker), form(made, "applied"), made.now
    )
    later = made.today + timedelta(days=60)
    await also_in(worker, made.town.units["421222100002001"], later)
    made.pass_days(40)
    assert await casework.clock(COUNTY, made.now) == (1, 1)
    states = [await casework_queries.case(COUNTY, one) for one in (case_id, leaves)]
    assert [one.state for one in states if one] == ["applied", "resigned_by_law"]
    assert "gridworker" in await duties(made, worker)


async def test_recommendation_from_two_halves_to_the_list(rollback: None) -> None:
    """Eligible, examined by another, on a public notice, listed after its period."""
    made = await scene(stage=Stage.NOTICE, now=NOW - timedelta(days=30))
    department = await actor_of(made, made.town.department)
    await result(made, made.town.worker, "excellent", "93.0")
    instructor = await actor_of(made, made.town.instructor)
    worker_id = made.town.worker.person_id
    with pytest.raises(StepRefused, match="不能推荐"):
        await service.recommend(instructor, worker_id, form(made, "proposed"), made.now)
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    later = Scene(made.town, await annual(made), made.clerk, made.now + timedelta(days=160))
    await result(later, made.town.worker, "excellent", "94.0")
    await bring_to(department, later.cycle_id, Stage.APPEAL, later.now)
    case_id = await service.recommend(
        await actor_of(later, made.town.department), worker_id, form(later, "proposed"), later.now
    )
    with pytest.raises(StepRefused, match="回避"):
        await sign(later, made.town.department, case_id, "examined")
    await sign(later, made.clerk, case_id, "examined")
    with pytest.raises(StepRefused):
        await sign(later, made.clerk, case_id, "noticed")
    notice_id = await notice.issue_cases(
        await actor_of(later, made.clerk), Pool.RECOMMENDATION, NoticeForm(), later.now
    )
    _, entries = await notice.view(department, notice_id)
    assert [(entry.name, entry.note) for entry in entries] == [("欧**山", "后备干部")]
    with pytest.raises(StepRefused, match="才满"):
        await sign(later, made.clerk, case_id, "recommended")
    later.pass_days(14)
    case = await sign(later, made.clerk, case_id, "recommended")
    assert (case.outcome, case.done) == (Outcome.RECOMMENDED, True)
    with pytest.raises(NoticeRefused, match="没有等待"):
        await notice.issue_cases(department, Pool.RECOMMENDATION, NoticeForm(), later.now)


async def test_who_was_never_excellent_is_not_recommended(rollback: None) -> None:
    """Found by name at the desk and put forward: a sentence says why not."""
    made = await scene()
    instructor = await actor_of(made, made.town.instructor)
    worker_id = made.town.worker.person_id
    with pytest.raises(StepRefused, match="不能推荐"):
        await service.recommend(instructor, worker_id, form(made, "proposed"), made.now)
    await result(made, made.town.worker, "good", "88.0")
    with pytest.raises(StepRefused, match="不能推荐"):
        await service.recommend(instructor, worker_id, form(made, "proposed"), made.now)


async def test_a_year_made_again_is_no_objection_of_the_person(rollback: None) -> None:
    """What holds the recommendation up is the letter on its way; nobody has objected."""
    made = await scene(stage=Stage.DRAFT)
    department, worker = await actor_of(made, made.town.department), made.town.worker
    made.cycle_id = await opened(department, made.now, kind=Kind.ANNUAL, year=2025)
    await bring_to(department, made.cycle_id, Stage.NOTICE, made.now)
    await result(made, worker, "excellent", "94.0")
    await bring_to(department, made.cycle_id, Stage.APPEAL, made.now)
    opening = Opening(
        machine="recomputed",
        person_id=worker.person_id,
        unit_code=worker.unit_code,
        about_cycle_id=made.cycle_id,
    )
    signed = form(made, "recomputed", first_half="90", annual="95")
    await casework.open_case(department, opening, signed, made.now)
    instructor = await actor_of(made, made.town.instructor)
    with pytest.raises(StepRefused, match="重新计算过，告知书还没有送达") as refused:
        await service.recommend(instructor, worker.person_id, form(made, "proposed"), made.now)
    assert "异议" not in refused.value.message


async def test_an_old_year_recommends_nobody_who_was_away_since(rollback: None) -> None:
    """Excellent in 2024, not appraised in 2025: that is neither the year nor two halves running."""
    made = await scene()
    department = await actor_of(made, made.town.department)
    worker = made.town.worker
    for year in (2024, 2025):
        cycle_id = await opened(department, made.now, kind=Kind.ANNUAL, year=year)
        await bring_to(department, cycle_id, Stage.NOTICE, made.now)
        if year == 2024:
            await result(made, worker, "excellent", "94.0", cycle_id=cycle_id)
        await bring_to(department, cycle_id, Stage.CLOSED, made.now)
    await result(made, worker, "excellent", "93.0")
    await bring_to(department, made.cycle_id, Stage.APPEAL, made.now)
    assert await queries.grades(COUNTY, worker.person_id, made.today) == [
        ("half_year", "excellent", False),
        ("annual", "", True),
        ("annual", "excellent", True),
    ]
    instructor = await actor_of(made, made.town.instructor)
    with pytest.raises(StepRefused, match="不能推荐"):
        await service.recommend(instructor, worker.person_id, form(made, "proposed"), made.now)


async def test_nobody_is_published_whom_the_books_no_longer_put_forward(rollback: None) -> None:
    """Examined in summer, another grade by autumn: no public notice names them."""
    made = await scene(stage=Stage.DRAFT, now=now())
    department, worker = await actor_of(made, made.town.department), made.town.worker
    cycle_id = await opened(department, made.now, kind=Kind.ANNUAL, year=2025)
    await bring_to(department, cycle_id, Stage.NOTICE, made.now)
    await result(made, worker, "excellent", "94.0", cycle_id=cycle_id)
    await bring_to(department, cycle_id, Stage.APPEAL, made.now)
    instructor = await actor_of(made, made.town.instructor)
    given = form(made, "proposed")
    case_id = await service.recommend(instructor, worker.person_id, given, made.now)
    await sign(made, made.clerk, case_id, "examined")
    await calibrating.calibrate(
        department, cycle_id, worker.person_id, Decimal(80), "核查属实", made.now, authority="x"
    )
    with pytest.raises(NoticeRefused, match="欧阳金山：不是最近一个年度优秀"):
        await notice.issue_cases(department, Pool.RECOMMENDATION, NoticeForm(), made.now)
    assert [row.kind for row in await notice.notices(department)] == ["excellent"]
    await sign(made, made.clerk, case_id, "declined")


async def test_nobody_is_published_for_a_post_that_is_taken(rollback: None) -> None:
    """Somebody was moved there meanwhile: the applicant is told before the village reads it."""
    made = await scene()
    post_id = await vacant_post(made)
    instructor = await actor_of(made, made.town.instructor)
    case_id = await service.apply(instructor, application(made, post_id), made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    await roster.assign(COUNTY, post_id, made.town.second_worker.person_id, made.today, now=now())
    department = await actor_of(made, made.town.department)
    with pytest.raises(NoticeRefused, match=r"汪小芳：这个岗位已经有人.*请另登记报名"):
        await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    await sign(made, made.town.instructor, case_id, "refused")


async def test_one_who_cannot_be_published_holds_up_nobody_else(rollback: None) -> None:
    """The others stand on the notice; what is against the one may take weeks.

    Whole names are for whoever agreed to it.
    """
    made = await scene()
    taken, free, freer = [await vacant_post(made) for _ in range(3)]
    instructor = await actor_of(made, made.town.instructor)
    held = await service.apply(instructor, application(made, taken), made.now)
    given = application(made, free, name="汪小兰", phone="13700001112")
    ready = await service.apply(instructor, given, made.now)
    given = application(made, freer, name="汪小英", phone="13700001113", consent=True)
    agreed = await service.apply(instructor, given, made.now)
    for case_id in (held, ready, agreed):
        for step in ("checked", "interviewed", "villagers"):
            await sign(made, made.town.instructor, case_id, step)
    await roster.assign(COUNTY, taken, made.town.second_worker.person_id, made.today, now=now())
    department = await actor_of(made, made.town.department)
    whole = msgspec.structs.replace(await settings_county.get(COUNTY), public_names="full")
    await settings_county.update(department, COUNTY, whole)
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    _, entries = await notice.view(department, notice_id)
    assert sorted(entry.name for entry in entries) == ["汪*兰", "汪小英"]
    assert [case.id for case in await notice.waiting(department, Pool.ADMISSION)] == [held]


async def annual(made: Scene) -> UUID:
    """The year's cycle, at its notice."""
    department = await acting(made.town.department, desk=True)
    later = made.now + timedelta(days=160)
    cycle_id = await opened(department, later, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.NOTICE, later)
    return cycle_id


async def vacant_post(made: Scene) -> UUID:
    grid = made.town.units["421222100002001"]
    return await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)


def application(made: Scene, post_id: UUID, **more: Any) -> ApplyForm:
    values: dict[str, Any] = {
        "post_id": post_id,
        "step": "applied",
        "name": "汪小芳",
        "phone": "13700001111",
        "source": "mediator",
        "words": "自愿报名。",
        "effective_on": made.today,
        "consent": False,
        "no_kin": True,
    }
    return ApplyForm(**(values | more))


async def test_admission_from_vacancy_to_access(rollback: None) -> None:
    """Checked, interviewed, heard, noticed, agreed, trained; then person and post exist."""
    made = await scene()
    post_id = await vacant_post(made)
    instructor = await actor_of(made, made.town.instructor)
    assert post_id in {one.post_id for one in await service.vacancies(instructor, made.now)}
    case_id = await service.apply(instructor, application(made, post_id), made.now)
    with pytest.raises(Invalid) as refused:
        await sign(made, made.town.instructor, case_id, "checked", adult="")
    assert list(refused.value.fields) == ["adult"]
    with pytest.raises(StepRefused, match="文化程度"):
        await sign(made, made.town.instructor, case_id, "checked", schooling="primary")
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    department = await actor_of(made, made.town.department)
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    with pytest.raises(StepRefused, match="才满"):
        await sign(made, made.town.instructor, case_id, "agreed")
    made.pass_days(14)
    await sign(made, made.town.instructor, case_id, "agreed")
    await sign(made, made.town.instructor, case_id, "trained")
    early = str(made.today - timedelta(days=365))
    with pytest.raises(StepRefused, match="早于签订协议"):
        async with DB.transaction():
            await sign(made, made.town.instructor, case_id, "admitted", starts_on=early)
    case = await sign(made, made.town.instructor, case_id, "admitted", starts_on=str(made.today))
    assert (case.outcome, case.name) == (Outcome.ADMITTED, "汪小芳")
    card = await roster.person_by_phone(COUNTY, "13700001111")
    assert card is not None
    assert (card.id, card.employment_type) == (case.person_id, Employment.VILLAGE_PAID)
    held = await roster.duties_at(COUNTY, card.id, made.today)
    assert [(duty.role, duty.unit_code) for duty in held] == [(Role.GRIDWORKER, "421222100002001")]
    assert await service.purge(COUNTY, made.now) == 1
    _, entries = await notice.view(department, notice_id)
    assert [entry.name for entry in entries] == ["汪*芳"], "the notice stays as it was published"


async def test_who_nominates_somebody_does_not_agree_with_them(rollback: None) -> None:
    """Another one signs that the public had nothing against it."""
    made = await scene()
    nominee = application(made, await vacant_post(made), step="nominated")
    case_id = await service.apply(await actor_of(made, made.town.instructor), nominee, made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    department = await actor_of(made, made.town.department)
    await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    made.pass_days(14)
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, made.town.instructor, case_id, "agreed")
    assert (await sign(made, made.clerk, case_id, "agreed")).state == "agreed"


async def test_whoever_chooses_an_applicant_declares_to_be_no_relative(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """An applicant stands in no roster, so that only the signer can say it."""
    made = await scene(now=now())
    instructor = await actor_of(made, made.town.instructor)
    form_ = application(made, await vacant_post(made))
    case_id = await service.apply(instructor, form_, made.now)
    silent = msgspec.structs.replace(form(made, "checked"), no_kin=False)
    with pytest.raises(Invalid) as refused:
        await casework.sign(instructor, case_id, silent, made.now)
    assert list(refused.value.fields) == ["no_kin"]
    await act_as(client, made.town.instructor)
    page = await client.get(f"/appraisal/cases/{case_id}")
    assert "不是近亲属" in page.text
    await sign(made, made.town.instructor, case_id, "checked")


@pytest.mark.parametrize("serving", [False, True])
async def test_who_comes_back_works_under_the_new_agreement(
    rollback: None,
    serving: bool,  # noqa: FBT001  a parameter of the table
) -> None:
    """The way out follows the form of employment; a cadre who takes a grid remains a cadre."""
    made = await scene()
    village = made.town.units["421222100002"]
    number = "13700001111"
    left = None if serving else date(2026, 3, 1)
    before = Employment.CADRE if serving else Employment.CONTRACT
    role = Role.COMMITTEE if serving else Role.GRIDWORKER
    grid = village if serving else made.town.units["421222100001001"]
    known = await member(role, grid, "汪小芳", number=number, employment=before, valid_to=left)
    instructor = await actor_of(made, made.town.instructor)
    form_ = application(made, await vacant_post(made), phone=number)
    case_id = await service.apply(instructor, form_, made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    department = await actor_of(made, made.town.department)
    await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    made.pass_days(14)
    await sign(made, made.town.instructor, case_id, "agreed", employment="volunteer")
    await sign(made, made.town.instructor, case_id, "trained")
    await sign(made, made.town.instructor, case_id, "admitted", starts_on=str(made.today))
    card = await roster.person(COUNTY, known.person_id)
    assert card is not None
    assert card.employment_type is (before if serving else Employment.VOLUNTEER)
    assert "gridworker" in await duties(made, known)


async def test_a_refused_applicant_is_forgotten(rollback: None) -> None:
    """Name and phone go after ninety days, notice and log of files included; the rest stays."""
    made = await scene()
    instructor = await actor_of(made, made.town.instructor)
    form_ = application(made, await vacant_post(made))
    case_id = await service.apply(instructor, form_, made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    department = await actor_of(made, made.town.department)
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    await sign(made, made.town.instructor, case_id, "refused")
    name, _ = await facts.decision(department, case_id, 6, made.now)
    made.pass_days(PURGE_DAYS - 1)
    assert await service.purge(COUNTY, made.now) == 0
    made.pass_days(1)
    assert await service.purge(COUNTY, made.now) == 1
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.name == "（已清除）"
    row = await queries.contact(COUNTY, case_id)
    assert row is not None
    assert (row.name, row.phone_cipher) == (None, None)
    _, entries = await notice.view(department, notice_id)
    assert [entry.name for entry in entries] == ["（已清除）"]
    logged = await DB.fetchval("SELECT name FROM shared.export_log WHERE county_id = $1", COUNTY)
    assert (name, logged) == ("不予录用告知书.docx", "不予录用告知书")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone": "123"}, "phone"),
        ({"phone": "13700002222"}, "phone"),
        ({"name": "汪小芳（女）"}, "name"),
        ({"source": "cousin"}, "source"),
        ({"step": "admitted"}, "step"),
        ({"post_id": UUID(int=7)}, "post_id"),
    ],
)
async def test_a_wrong_application_names_its_field(
    rollback: None, change: dict[str, object], field: str
) -> None:
    """Phone, somebody else's phone, no name, source, first step, vacancy."""
    made = await scene()
    grid = made.town.units["421222100002002"]
    await member(Role.GRIDWORKER, grid, "李大山", number="13700002222")
    post_id = await vacant_post(made)
    with pytest.raises(Invalid) as refused:
        await service.apply(
            await actor_of(made, made.town.instructor),
            msgspec.structs.replace(application(made, post_id), **change),
            made.now,
        )
    assert list(refused.value.fields) == [field]


async def test_a_protection_and_a_kinship_recorded_twice_at_once_are_one(committed: None) -> None:
    """One that is revoked would protect on by its double; the audit knows no row that is not."""
    made = await scene()
    clerk, someone = await actor_of(made, made.clerk), made.town.worker
    shield = ShieldForm(
        kind=Protection.MATERNITY, starts_on=made.today, ends_on=None, document="证明1号"
    )
    await asyncio.gather(
        *(service.record_shield(clerk, someone.person_id, shield, made.now) for _ in range(3))
    )
    _, (row,) = await service.shields(clerk, someone.person_id, made.now)
    await service.revoke_shield(clerk, someone.person_id, row.id, made.now)
    assert (await service.shields(clerk, someone.person_id, made.now))[1] == []
    await service.record_shield(clerk, someone.person_id, shield, made.now)
    await asyncio.gather(
        *(casework.record_kin(clerk, "王书记", someone.name, made.now) for _ in range(3))
    )
    assert len(await casework.kinships(clerk)) == 1
    sql = "SELECT count(*) FROM shared.audit_event WHERE county_id = $1 AND action = $2"
    counts = [
        await DB.fetchval(sql, COUNTY, action) for action in (Action.SHIELD_EDIT, Action.KIN_EDIT)
    ]
    assert counts == [2, 1]


async def test_an_application_pressed_twice_is_one(committed: None) -> None:
    """The second, at the same moment, is told of the first; refused, they may apply again."""
    made = await scene()
    post_id = await vacant_post(made)
    instructor = await actor_of(made, made.town.instructor)
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        case_id = await service.apply(instructor, application(made, post_id), made.now)
        other = asyncio.create_task(
            service.apply(instructor, application(made, post_id, step="nominated"), made.now),
            context=outside,
        )
        while not other.done() and not await DB.fetchval(waits):
            pass
    with pytest.raises(Invalid) as refused:
        await other
    assert "已经报名" in refused.value.fields["phone"]
    await sign(made, made.town.instructor, case_id, "refused")
    assert await service.apply(instructor, application(made, post_id), made.now) != case_id


async def second_of(first: Awaitable[object], second: Coroutine[Any, Any, object]) -> object:
    """What becomes of an act that meets another one before that is committed."""
    outside = copy_context()
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    async with DB.transaction():
        await first
        task = asyncio.create_task(second, context=outside)
        while not task.done() and not await DB.fetchval(waits):
            pass
    return (await asyncio.gather(task, return_exceptions=True))[0]


async def test_a_protection_recorded_at_the_moment_of_dismissal_counts(committed: None) -> None:
    """The dismissal waits for what is being recorded of the person, and finds it."""
    made = await scene()
    someone, case_id = await appeal_over(made)
    clerk = await actor_of(made, made.clerk)
    shield = ShieldForm(
        kind=Protection.MATERNITY, starts_on=made.today, ends_on=None, document="证明1号"
    )
    outcome = await second_of(
        service.record_shield(clerk, someone.person_id, shield, made.now),
        sign(made, made.clerk, case_id, "dismissed"),
    )
    assert isinstance(outcome, StepRefused), outcome
    assert "保护期" in outcome.message


async def test_an_objection_entered_at_the_moment_of_dismissal_counts(committed: None) -> None:
    """The dismissal waits for the paper that is being keyed in, and finds it."""
    made = await scene()
    received = made.today
    someone, case_id = await appeal_over(made)
    department = await actor_of(made, made.town.department)
    paper = form(made, "raised", on=received)
    outcome = await second_of(
        notice.object_to(department, made.cycle_id, someone.person_id, paper, made.now),
        sign(made, made.clerk, case_id, "dismissed"),
    )
    assert isinstance(outcome, StepRefused), outcome
    assert "异议还没有办结" in outcome.message


async def test_one_post_is_agreed_with_one_applicant(rollback: None) -> None:
    """Two stand on the notice; who signed first has it, until that comes to nothing."""
    made = await scene()
    post_id = await vacant_post(made)
    instructor = await actor_of(made, made.town.instructor)
    cases = []
    for name, phone in (("汪小芳", "13700001111"), ("韦大山", "13700002222")):
        form_ = application(made, post_id, name=name, phone=phone)
        cases.append(await service.apply(instructor, form_, made.now))
        for step in ("checked", "interviewed", "villagers"):
            await sign(made, made.town.instructor, cases[-1], step)
    department = await actor_of(made, made.town.department)
    await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    made.pass_days(14)
    first, second = cases
    await sign(made, made.town.instructor, first, "agreed")
    with pytest.raises(StepRefused, match="签订协议"):
        await sign(made, made.town.instructor, second, "agreed")
    await sign(made, made.town.instructor, first, "withdrawn")
    await sign(made, made.town.instructor, second, "agreed")
    await sign(made, made.town.instructor, second, "trained")
    case = await sign(made, made.town.instructor, second, "admitted", starts_on=str(made.today))
    assert case.outcome is Outcome.ADMITTED


async def test_a_taken_post_admits_nobody(rollback: None) -> None:
    """Somebody else was put there meanwhile, or is to begin there later."""
    made = await scene()
    post_id = await vacant_post(made)
    instructor = await actor_of(made, made.town.instructor)
    case_id = await service.apply(instructor, application(made, post_id), made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    await notice.issue_cases(
        await actor_of(made, made.town.department), Pool.ADMISSION, NoticeForm(), made.now
    )
    made.pass_days(14)
    later = made.today + timedelta(days=9)
    await roster.assign(COUNTY, post_id, made.town.cousin_worker.person_id, later, now=now())
    for _ in range(2):
        with pytest.raises(StepRefused, match="已经有人"):
            await sign(made, made.town.instructor, case_id, "agreed")
        made.pass_days(9)


async def test_candidates_come_from_bands_within_reach(rollback: None) -> None:
    """An instructor sees the own township's weak results, with the case once it is open."""
    made = await scene()
    await failed(made, made.town.worker)
    await result(made, made.town.cousin_worker, "basic", "65.0")
    instructor = await actor_of(made, made.town.instructor)
    (row,) = await service.candidates(instructor, Pool.WARNING, made.cycle_id)
    assert (row.name, row.case_id) == ("欧阳金山", None)
    case_id = await warned(made, made.town.worker)
    (row,) = await service.candidates(instructor, Pool.WARNING, made.cycle_id)
    assert row.case_id == case_id
    with pytest.raises(StepRefused, match="已经有一件"):
        await warned(made, made.town.worker)
    for stranger in (made.town.lead, made.town.worker):
        with pytest.raises(NotFound):
            await service.candidates(await actor_of(made, stranger), Pool.WARNING, made.cycle_id)


async def test_an_annulled_warning_hides_no_new_one(rollback: None) -> None:
    """Taken back, as if it had not been: the list leads to the opening again."""
    made = await scene()
    await failed(made, made.town.worker)
    case_id = await warned(made, made.town.worker)
    department = await actor_of(made, made.town.department)
    [listed] = await service.candidates(department, Pool.WARNING, made.cycle_id)
    assert listed.case_id == case_id
    await sign(made, made.town.instructor, case_id, "annulled")
    [listed] = await service.candidates(department, Pool.WARNING, made.cycle_id)
    assert listed.case_id is None
    assert await warned(made, made.town.worker) != case_id


async def test_an_open_case_of_an_earlier_result_hides_no_later_one(rollback: None) -> None:
    """A plan of the half-year is still running: the year's fail is not yet dealt with."""
    made = await scene()
    await result(made, made.town.worker, "basic", "64.0")
    await served(made, made.town.worker)
    made.pass_days(10)
    chief = await actor_of(made, made.town.chief)
    worker_id = made.town.worker.person_id
    case_id = await service.warn(chief, worker_id, made.cycle_id, form(made, "talked"), made.now)
    department = await actor_of(made, made.town.department)
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    later = Scene(made.town, await annual(made), made.clerk, made.now + timedelta(days=160))
    await result(later, made.town.worker, "fail", "41.0")
    instructor = await actor_of(later, made.town.instructor)
    for cycle_id, opened_for in ((made.cycle_id, case_id), (later.cycle_id, None)):
        (row,) = await service.candidates(instructor, Pool.WARNING, cycle_id)
        assert row.case_id == opened_for


async def test_improvement_after_a_talk(rollback: None) -> None:
    """基本合格: talk, sixty-day plan, and no re-check before they are over."""
    made = await scene()
    await result(made, made.town.worker, "basic", "64.0")
    await served(made, made.town.worker)
    made.pass_days(10)
    chief = await actor_of(made, made.town.chief)
    case_id = await service.warn(
        chief, made.town.worker.person_id, made.cycle_id, form(made, "talked"), made.now
    )
    await sign(made, made.town.chief, case_id, "planned")
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.due_on is not None
    assert case.due_on >= made.today + timedelta(days=60)
    made.pass_days(59)
    with pytest.raises(StepRefused, match="期限到"):
        await sign(made, made.town.instructor, case_id, "improved")
    made.pass_days(4)
    done = await sign(made, made.town.instructor, case_id, "improved")
    assert (done.outcome, done.done) == (Outcome.IMPROVED, True)
    assert msgspec.json.encode(done.outcome) == b'"improved"'


async def test_nobody_has_not_improved_whose_result_was_corrected_or_who_has_left(
    rollback: None,
) -> None:
    """The plan ends with what happened, as a warning does, and nothing is put down against them."""
    made = await scene()
    raised, gone = made.town.worker, await gridworker(made, Employment.CONTRACT)
    cases = {}
    for someone in (raised, gone):
        await result(made, someone, "basic", "64.0")
        await served(made, someone)
    made.pass_days(10)
    chief = await actor_of(made, made.town.chief)
    for someone in (raised, gone):
        cases[someone.name] = await service.warn(
            chief, someone.person_id, made.cycle_id, form(made, "talked"), made.now
        )
        await sign(made, made.town.chief, cases[someone.name], "planned")
    await calibrating.calibrate(
        chief, made.cycle_id, raised.person_id, Decimal(75), "漏记", made.now, authority="x"
    )
    leaves = await service.resign(await actor_of(made, gone), form(made, "applied"), made.now)
    await sign(made, made.clerk, leaves, "resigned")
    made.pass_days(63)
    for someone, why, ends in (
        (raised, "等次是“合格”", "annulled"),
        (gone, "不在网格员岗位上", "left"),
    ):
        with pytest.raises(StepRefused, match=why):
            await sign(made, made.town.instructor, cases[someone.name], "not_improved")
        assert (await sign(made, made.town.instructor, cases[someone.name], ends)).done
