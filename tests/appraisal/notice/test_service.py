"""Notices, service and objections: told alone, heard in time, decided by somebody else."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.cycle import advancing
from appraisal.cycle.rules import Stage
from appraisal.errors import CycleClosed, NoticeRefused, StepRefused, WrongStage
from appraisal.gates import Gate
from appraisal.notice import queries
from appraisal.notice import service as notice
from appraisal.notice.schemas import ContestForm, NoticeForm, ServeForm
from appraisal.pool import queries as pools
from appraisal.scorecard import calibrating
from appraisal.scorecard import service as scorecards
from shared import settings_county
from shared.calendar import service as calendar
from shared.calendar.errors import MissingYear
from shared.clock import now
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.roster.roles import Role
from tests.appraisal.casework.scene import (
    NOW_LONG_AGO,
    Scene,
    actor_of,
    form,
    result,
    scene,
    served,
    sign,
)
from tests.appraisal.cycle.stages import bring_to
from tests.appraisal.scorecard.test_gather import vetoed
from tests.factories import COUNTY, acting, member


async def objected(made: Scene) -> UUID:
    """The worker's result was served, and they object to it."""
    await result(made, made.town.worker, "basic", "63.0")
    await served(made, made.town.worker)
    worker = await actor_of(made, made.town.worker)
    return await notice.object_to(
        worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
    )


async def test_only_excellent_is_public_and_masked(rollback: None) -> None:
    """Others' names and phones are on no notice; five working days from the calendar."""
    made = await scene()
    await result(made, made.town.worker, "excellent", "93.0")
    await result(made, made.town.second_worker, "fail", "41.0")
    department = await actor_of(made, made.town.department)
    with pytest.raises(NoticeRefused, match="还没有发布"):
        await notice.issue_supplement(department, made.cycle_id, NoticeForm(), made.now)
    notice_id = await notice.issue_results(
        department, made.cycle_id, NoticeForm(phone="0715-1"), made.now
    )
    row, entries = await notice.view(department, notice_id)
    assert [entry.name for entry in entries] == ["欧**山"]
    assert row.ends_on == await calendar.add_working_days(COUNTY, made.today, 5)
    with pytest.raises(NoticeRefused, match="已经发布"):
        await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)


async def test_full_names_are_a_setting(rollback: None) -> None:
    """As the county's agreements allow."""
    made = await scene()
    await result(made, made.town.worker, "excellent", "93.0")
    department = await actor_of(made, made.town.department)
    chosen = msgspec.structs.replace(await settings_county.get(COUNTY), public_names="full")
    await settings_county.update(department, COUNTY, chosen)
    notice_id = await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    _, entries = await notice.view(department, notice_id)
    assert [entry.name for entry in entries] == ["欧阳金山"]


async def test_a_notice_waits_for_its_stage(rollback: None) -> None:
    """Not before the review is over; until then nobody reads a result off the list, either."""
    made = await scene(stage=Stage.REVIEW)
    await result(made, made.town.worker, "good", "75.0")
    chief = await actor_of(made, made.town.chief)
    assert await notice.results(chief, made.cycle_id) == ([], 0)
    worker = made.town.worker
    with pytest.raises(NotFound):
        await notice.result_of(chief, made.cycle_id, worker.person_id)
    with pytest.raises(NotFound):
        await notice.own_result(await actor_of(made, worker), made.cycle_id)
    with pytest.raises(WrongStage):
        await notice.issue_results(
            await actor_of(made, made.town.department), made.cycle_id, NoticeForm(), made.now
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"how": "refused"}, "witness_one"),
        ({"how": "refused", "witness_one": "甲"}, "witness_two"),
        ({"how": "refused", "witness_one": "甲", "witness_two": "甲"}, "witness_two"),
        ({"how": "refused", "witness_one": "王书记", "witness_two": "乙"}, "witness_one"),
        ({"how": "refused", "witness_one": "甲", "witness_two": "欧阳金山"}, "witness_two"),
        ({"how": "post"}, "post_number"),
        ({"served_on": 1}, "served_on"),
        ({"served_on": -1}, "served_on"),
    ],
)
async def test_service_is_proven(rollback: None, change: dict[str, Any], field: str) -> None:
    """Two witnesses besides both sides, a posting number, not ahead nor before the results."""
    made = await scene()
    await result(made, made.town.worker, "good", "80.0")
    values: dict[str, Any] = {"how": "signed", "served_on": 0} | change
    values["served_on"] = made.today + timedelta(days=values["served_on"])
    chief = await actor_of(made, made.town.chief)
    with pytest.raises(Invalid) as refused:
        await notice.serve(
            chief,
            made.cycle_id,
            made.town.worker.person_id,
            ServeForm(**values),
            made.now,
        )
    assert list(refused.value.fields) == [field]


async def test_a_result_is_served_once_and_by_those_who_may(rollback: None) -> None:
    """A colleague and another township cannot; the worker signs for their own only."""
    made = await scene()
    await result(made, made.town.worker, "good", "80.0")
    person_id = made.town.worker.person_id
    serving = ServeForm(how="signed", served_on=made.today)
    for stranger in (made.town.second_worker, made.town.cousin_worker, made.town.lead):
        actor = await actor_of(made, stranger)
        with pytest.raises(NotFound):
            await notice.serve(actor, made.cycle_id, person_id, serving, made.now)
        with pytest.raises(NotFound):
            await notice.receive(actor, made.cycle_id, made.now)
    row = await notice.receive(await actor_of(made, made.town.worker), made.cycle_id, made.now)
    assert row.objection_until == await calendar.add_working_days(COUNTY, made.today, 5)
    with pytest.raises(NoticeRefused, match="已经送达"):
        await notice.serve(
            await actor_of(made, made.town.chief), made.cycle_id, person_id, serving, made.now
        )


async def test_an_objection_changes_the_score_by_another_hand(rollback: None) -> None:
    """Reviewed in ten working days; the new score is calibrated with the reason."""
    made = await scene()
    case_id = await objected(made)
    view = await casework.view(await actor_of(made, made.town.worker), case_id, made.now)
    assert view.case.due_on == await calendar.add_working_days(COUNTY, made.today, 10)
    with pytest.raises(NotFound):
        await sign(made, made.town.chief, case_id, "review_changed")
    case = await sign(made, made.town.instructor, case_id, "review_changed", score="72.5")
    assert case.outcome is None
    standing = await pools.standing(COUNTY, made.cycle_id, made.town.worker.person_id)
    assert standing is not None
    assert (standing.grade, str(standing.final)) == ("good", "72.50")
    worker = await actor_of(made, made.town.worker)
    told = msgspec.structs.replace(form(made, "told"), words="")
    await casework.sign(worker, case_id, told, made.now)
    made.pass_days(14)
    await casework.clock(COUNTY, made.now)
    done = await casework_queries.case(COUNTY, case_id)
    assert done is not None
    assert (done.outcome_name, done.done) == ("变更结果", True)


async def test_nobody_loses_points_by_objecting(rollback: None) -> None:
    """Neither the review nor the appeal of one's own objection makes the result worse."""
    made = await scene()
    await result(made, made.town.worker, "good", "75.0")
    await served(made, made.town.worker)
    worker = await actor_of(made, made.town.worker)
    case_id = await notice.object_to(
        worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
    )
    with pytest.raises(StepRefused, match="不能反而降低"):
        await sign(made, made.town.instructor, case_id, "review_changed", score="58")
    await sign(made, made.town.instructor, case_id, "review_changed", score="76")
    await sign(made, made.town.worker, case_id, "told")
    await sign(made, made.town.worker, case_id, "appealed")
    with pytest.raises(StepRefused, match="得分是 76"):
        await sign(made, made.clerk, case_id, "appeal_upheld", score="75")
    case = await sign(made, made.clerk, case_id, "appeal_upheld", score="80")
    assert case.outcome == "changed"


async def test_a_veto_that_was_wrong_is_lifted_by_an_objection(rollback: None) -> None:
    """A score alone leaves the fail; with the veto found wrong the grade follows the score."""
    made = await scene()
    worker, other = made.town.worker, made.town.second_worker
    department = await actor_of(made, made.town.department)
    for someone, lifted in ((other, ""), (worker, "1")):
        await result(made, someone, "fail", "82.53", note="veto")
        await served(made, someone)
        me = await actor_of(made, someone)
        case_id = await notice.object_to(
            me, made.cycle_id, me.person_id, form(made, "raised"), made.now
        )
        await sign(
            made, made.town.instructor, case_id, "review_changed", score="82.53", veto_lifted=lifted
        )
        standing = await pools.standing(COUNTY, made.cycle_id, me.person_id)
        assert standing is not None
        assert (standing.grade, standing.vetoed) == (("good", False) if lifted else ("fail", True))
        card = await scorecards.card(department, made.cycle_id, me.person_id)
        assert ("一票否决" in card.total_words) is not bool(lifted)


async def test_who_decided_before_does_not_decide_again(rollback: None) -> None:
    """Who passed the results on or calibrated this one is recused, and so is whoever reviewed.

    Nor does who keyed in the objection or the appeal on paper answer it.
    """
    made = await scene()
    other = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "丁部长")
    await result(made, made.town.worker, "basic", "63.0")
    await served(made, made.town.worker)
    instructor, who = await actor_of(made, made.town.instructor), made.town.worker.person_id
    calibrator = await actor_of(made, other)
    await calibrating.calibrate(calibrator, made.cycle_id, who, Decimal("63.5"), "漏记", made.now)
    case_id = await notice.object_to(instructor, made.cycle_id, who, form(made, "raised"), made.now)
    for barred in (made.town.department, other, made.town.instructor):
        with pytest.raises(StepRefused, match="回避"):
            await sign(made, barred, case_id, "review_kept")
    await sign(made, made.clerk, case_id, "review_kept")
    await sign(made, made.town.chief, case_id, "told")
    keyer = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    await sign(made, keyer, case_id, "appealed")
    for barred in (made.clerk, made.town.department, other, keyer):
        with pytest.raises(StepRefused, match="回避"):
            await sign(made, barred, case_id, "appeal_rejected")
    with pytest.raises(NotFound):
        await sign(made, made.town.instructor, case_id, "appeal_rejected")
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "何部长")
    await sign(made, third, case_id, "appeal_rejected")


async def test_who_approved_a_veto_does_not_hear_what_is_said_against_it(rollback: None) -> None:
    """Another of the department's, or the township, answers; the same on appeal."""
    made = await scene()
    worker = made.town.worker
    await vetoed(worker, await actor_of(made, made.clerk))
    await result(made, worker, "fail", "82.53", note="veto")
    await served(made, worker)
    me = await actor_of(made, worker)
    case_id = await notice.object_to(
        me, made.cycle_id, me.person_id, form(made, "raised"), made.now
    )
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, made.clerk, case_id, "review_kept")
    await sign(made, made.town.instructor, case_id, "review_kept")
    await sign(made, worker, case_id, "told")
    await sign(made, worker, case_id, "appealed")
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, made.clerk, case_id, "appeal_rejected")
    third = await member(Role.DEPARTMENT, made.town.units[str(COUNTY)], "郭部长")
    await sign(made, third, case_id, "appeal_rejected")


async def test_relatives_are_recused(rollback: None) -> None:
    """A recorded kinship bars signing; without the declaration nobody signs."""
    made = await scene()
    case_id = await objected(made)
    department = await actor_of(made, made.town.department)
    await casework.record_kin(department, "尹玉梅", "欧阳金山", made.now)
    with pytest.raises(StepRefused, match="近亲属"):
        await sign(made, made.town.instructor, case_id, "review_kept")
    (kin,) = await casework.kinships(department)
    await casework.end_kin(department, kin.id, made.now)
    await casework.record_kin(department, "吴科长", "欧阳金山", made.now)
    clerk, who = await actor_of(made, made.clerk), made.town.worker.person_id
    with pytest.raises(Conflict, match="近亲属"):
        await calibrating.calibrate(clerk, made.cycle_id, who, Decimal("99.0"), "好", made.now)
    instructor = await actor_of(made, made.town.instructor)
    silent = msgspec.structs.replace(form(made, "review_kept"), no_kin=False)
    with pytest.raises(Invalid) as refused:
        await casework.sign(instructor, case_id, silent, made.now)
    assert list(refused.value.fields) == ["no_kin"]
    await sign(made, made.town.instructor, case_id, "review_kept")


async def test_no_relative_serves_a_letter(rollback: None) -> None:
    """Neither the result nor the answer to an objection; who signs for their own is no relative."""
    made = await scene()
    worker, chief = made.town.worker, made.town.chief
    department = await actor_of(made, made.town.department)
    await casework.record_kin(department, "王书记", "欧阳金山", made.now)
    await result(made, worker, "basic", "63.0")
    with pytest.raises(NoticeRefused, match="近亲属"):
        await served(made, worker)
    me = await actor_of(made, worker)
    await notice.receive(me, made.cycle_id, made.now)
    case_id = await notice.object_to(
        me, made.cycle_id, me.person_id, form(made, "raised"), made.now
    )
    await sign(made, made.town.instructor, case_id, "review_kept")
    with pytest.raises(StepRefused, match="近亲属"):
        await sign(made, chief, case_id, "told")
    await sign(made, worker, case_id, "told")


async def test_a_term_that_was_shortened_after_letters_were_printed_holds(rollback: None) -> None:
    """Ten days stand on the letter; five, set before it is served, are for the next results."""
    made = await scene()
    worker = made.town.worker
    department = await actor_of(made, made.town.department)
    for days in (10, 5):
        chosen = msgspec.structs.replace(await settings_county.get(COUNTY), objection_days=days)
        await settings_county.update(department, COUNTY, chosen)
    case_id = await objected(made)
    told = await queries.serving(COUNTY, made.cycle_id, worker.person_id)
    assert told is not None
    assert told.objection_until == await calendar.add_working_days(COUNTY, made.today, 10)
    await sign(made, made.town.instructor, case_id, "review_kept")
    answered = await casework.letter(department, case_id, 2, named=False)
    assert "10个工作日内向县级申诉" in answered.remedy


async def test_nobody_decides_their_own_matter(rollback: None) -> None:
    """An instructor who is also a gridworker hands their objection to somebody else."""
    made = await scene()
    case_id = await objected(made)
    worker = await actor_of(made, made.town.worker)
    both = msgspec.structs.replace(
        worker, duties=(await actor_of(made, made.town.instructor)).duties
    )
    with pytest.raises(Forbidden, match="本人"):
        await casework.sign(both, case_id, form(made, "review_kept"), made.now)


async def test_silence_is_moved_up(rollback: None) -> None:
    """After ten working days the clock says so, and the case shows as overdue."""
    made = await scene()
    case_id = await objected(made)
    due = await calendar.add_working_days(COUNTY, made.today, 10)
    made.now += timedelta(days=(due - made.today).days)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    made.pass_days(1)
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert (case.state, case.overdue_on) == ("escalated", made.today)
    waiting = await casework.to_sign(await actor_of(made, made.clerk))
    assert [one.id for one in waiting] == [case_id]
    made.pass_days(30)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    await sign(made, made.clerk, case_id, "review_kept")
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.overdue_on is None


async def test_a_longer_term_to_answer_is_for_the_next_letters(rollback: None) -> None:
    """Ten days stand on the served result and on its answer: so do they on both receipts."""
    made = await scene(now=now() - timedelta(days=60))
    department = await actor_of(made, made.town.department)
    await result(made, made.town.worker, "basic", "63.0")
    await served(made, made.town.worker)
    settings = await settings_county.get(COUNTY)
    longer = msgspec.structs.replace(settings, review_days=15, appeal_days=15)
    await settings_county.update(department, COUNTY, longer)
    me = await actor_of(made, made.town.worker)
    case_id = await notice.object_to(
        me, made.cycle_id, me.person_id, form(made, "raised"), made.now
    )
    due = await calendar.add_working_days(COUNTY, made.today, 10)
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.due_on == due
    made.pass_days((due - made.today).days + 1)
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    await sign(made, made.town.instructor, case_id, "review_kept")
    await sign(made, made.town.worker, case_id, "told")
    answer = await casework.letter(department, case_id, 3, named=False)
    assert "10个工作日内答复" in answer.remedy
    case = await sign(made, made.town.worker, case_id, "appealed")
    due = await calendar.add_working_days(COUNTY, made.today, 10)
    assert case.due_on == due
    made.pass_days((due - made.today).days + 1)
    assert await casework.clock(COUNTY, made.now) == (1, 0)


async def test_an_objection_has_its_term(rollback: None) -> None:
    """Five working days from service; a paper handed in on time may be keyed in later."""
    made = await scene()
    await result(made, made.town.worker, "basic", "63.0")
    await served(made, made.town.worker)
    handed_in = made.today + timedelta(days=2)
    made.pass_days(10)
    worker = await actor_of(made, made.town.worker)
    for on in (None, handed_in):  # what they sign themselves takes effect today
        with pytest.raises(StepRefused, match="已经过了"):
            await notice.object_to(
                worker, made.cycle_id, worker.person_id, form(made, "raised", on=on), made.now
            )
    chief = await actor_of(made, made.town.chief)
    case_id = await notice.object_to(
        chief, made.cycle_id, worker.person_id, form(made, "raised", on=handed_in), made.now
    )
    view = await casework.view(worker, case_id, made.now)
    assert (view.steps[0].proxy, view.steps[0].effective_on) == (True, handed_in)
    assert view.steps[0].recorded_at == made.now
    with pytest.raises(NoticeRefused, match="已经提过"):
        await notice.object_to(
            worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
        )


async def test_the_same_done_twice_at_once_is_done_once(committed: None) -> None:
    """The phone and the office enter one objection, two clerks press 发布: one each, one told."""
    made = await scene()
    await result(made, made.town.worker, "basic", "63.0")
    await served(made, made.town.worker)
    worker = await actor_of(made, made.town.worker)
    chief = await actor_of(made, made.town.chief)
    clerks = [await actor_of(made, who) for who in (made.town.department, made.clerk)]
    raised = form(made, "raised")
    for done in (
        await asyncio.gather(
            *(
                notice.object_to(who, made.cycle_id, worker.person_id, raised, made.now)
                for who in (worker, chief, worker, chief)
            ),
            return_exceptions=True,
        ),
        await asyncio.gather(
            *(notice.issue_results(c, made.cycle_id, NoticeForm(), made.now) for c in clerks),
            return_exceptions=True,
        ),
    ):
        refused = [type(one) for one in done if isinstance(one, BaseException)]
        assert refused == [NoticeRefused] * (len(done) - 1)


async def test_a_calendar_that_ends_closes_no_page_and_stops_no_other_case(
    rollback: None,
) -> None:
    """Next year's days off are unknown: that is said at the step, and every other term lapses."""
    made = await scene()
    made.pass_days((date(2027, 12, 1) - made.today).days)
    waiting = await objected(made)
    await result(made, made.town.second_worker, "basic", "64.0")
    second = await actor_of(made, made.town.second_worker)
    silent = await notice.object_to(
        second, made.cycle_id, second.person_id, form(made, "raised"), made.now
    )
    first, other = sorted((waiting, silent))
    for case_id in (first, other):
        await sign(made, made.town.instructor, case_id, "review_kept")
    made.pass_days(19)
    await sign(made, made.town.chief, other, "told")
    made.pass_days(9)
    await sign(made, made.town.chief, first, "told")
    worker = await actor_of(made, made.town.worker if first == waiting else made.town.second_worker)
    view = await casework.view(worker, first, made.now)
    [choice] = view.choices
    assert "2028年的节假日安排还没有录入" in choice.reason
    with pytest.raises(MissingYear):
        await casework.clock(COUNTY, made.now)
    case = await casework_queries.case(COUNTY, other)
    assert case is not None
    assert case.state == "lapsed"


async def test_a_receipt_promises_the_day_of_the_answer(rollback: None) -> None:
    """On the paper that the objector and the appellant take home."""
    made = await scene()
    case_id = await objected(made)
    worker = await actor_of(made, made.town.worker)
    until = await calendar.add_working_days(COUNTY, made.today, 10)
    paper = await casework.letter(worker, case_id, 1, named=False)
    assert f"{chinese_date(until)}前（含当日）答复" in paper.remedy
    await sign(made, made.town.instructor, case_id, "review_kept")
    answer = await casework.letter(worker, case_id, 2, named=False)
    assert "前（含当日）答复" not in answer.remedy
    await sign(made, made.town.worker, case_id, "told")
    await sign(made, made.town.worker, case_id, "appealed")
    paper = await casework.letter(worker, case_id, 4, named=False)
    assert f"{chinese_date(until)}前（含当日）答复" in paper.remedy


async def test_strangers_see_no_case(rollback: None) -> None:
    """A colleague, another township, a lead: absent; the auditor reads."""
    made = await scene()
    case_id = await objected(made)
    for stranger in (made.town.second_worker, made.town.cousin_worker, made.town.lead):
        with pytest.raises(NotFound):
            await casework.view(await actor_of(made, stranger), case_id, made.now)
    for reader in (made.town.chief, made.town.instructor, made.clerk):
        view = await casework.view(await actor_of(made, reader), case_id, made.now)
        assert view.case.name == "欧阳金山"


async def test_a_cycle_closes_when_everybody_was_told_and_heard(rollback: None) -> None:
    """Unserved results, running terms and open objections each keep it open."""
    made = await scene(now=NOW_LONG_AGO)
    department = await actor_of(made, made.town.department)
    await result(made, made.town.worker, "basic", "63.0")
    cycle = (await notice.of_cycle(department, made.cycle_id))[0]
    assert await notice.notice_over(COUNTY, cycle) == ["优秀名单的公示还没有发布。"]
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    assert await notice.notice_over(COUNTY, cycle) == []
    assert await notice.nothing_open(COUNTY, cycle) == ["还有 1 人的结果没有送达。"]
    await served(made, made.town.worker)
    assert await notice.nothing_open(COUNTY, cycle) == []
    worker = await actor_of(made, made.town.worker)
    case_id = await notice.object_to(
        worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
    )
    assert await notice.nothing_open(COUNTY, cycle) == ["还有 1 件异议或申诉没有办结。"]
    await casework.sign(worker, case_id, form(made, "withdrawn"), made.now)
    assert await notice.nothing_open(COUNTY, cycle) == []
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    with pytest.raises(CycleClosed):
        await notice.object_to(
            worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
        )


async def test_a_cycles_terms_are_over_the_day_after_their_last(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice's, the term to object, and five days for papers that are on their way."""
    made = await scene()
    department = await actor_of(made, made.town.department)
    worker = await actor_of(made, made.town.worker)
    await result(made, made.town.worker, "basic", "63.0")
    notice_id = await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    row, _ = await notice.view(department, notice_id)
    until = (await notice.receive(worker, made.cycle_id, made.now)).objection_until
    cycle, _, _ = await notice.of_cycle(department, made.cycle_id)

    async def on(day: date, days: int, gate: Gate) -> str:
        monkeypatch.setattr(notice, "today", lambda: day + timedelta(days=days))
        return "".join(await gate(COUNTY, cycle))

    assert "公示期" in await on(row.ends_on, 0, notice.notice_over)
    assert await on(row.ends_on, 1, notice.notice_over) == ""
    found = [await on(until, days, notice.nothing_open) for days in (0, 1, 5, 6)]
    wanted = ("最晚的异议期", "可能还在路上", "可能还在路上")
    assert all(said in why for said, why in zip(wanted, found[:3], strict=True))
    assert found[3] == ""


async def test_a_cycle_stays_open_for_papers_on_their_way(rollback: None) -> None:
    """An appeal handed in on the last day is keyed in some days later, not refused as too late."""
    made = await scene(now=now() - timedelta(days=34))
    department = await actor_of(made, made.town.department)
    await result(made, made.town.worker, "basic", "63.0")
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    await served(made, made.town.worker)
    worker = await actor_of(made, made.town.worker)
    case_id = await notice.object_to(
        worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
    )
    await sign(made, made.town.instructor, case_id, "review_kept")
    made.pass_days(14)
    await sign(made, made.town.chief, case_id, "told")
    handed_in = made.today
    made.now = now()
    assert (await casework.clock(COUNTY, made.now))[0] == 1
    cycle = (await notice.of_cycle(department, made.cycle_id))[0]
    [why] = await notice.nothing_open(COUNTY, cycle)
    assert "可能还在路上" in why
    case = await sign(made, made.town.chief, case_id, "appealed", on=handed_in)
    assert case.outcome is None


async def test_nobody_objects_before_the_results_are_out(rollback: None) -> None:
    """A day typed wrong would begin, and so end, the term to answer before there was a result."""
    made = await scene()
    await result(made, made.town.worker, "basic", "63.0")
    chief = await actor_of(made, made.town.chief)
    early = form(made, "raised", on=made.today - timedelta(days=1))
    with pytest.raises(StepRefused, match="才公布"):
        await notice.object_to(chief, made.cycle_id, made.town.worker.person_id, early, made.now)
    await notice.object_to(
        chief, made.cycle_id, made.town.worker.person_id, form(made, "raised"), made.now
    )


async def test_a_closed_cycle_opens_for_a_paper_received_in_time(rollback: None) -> None:
    """The department signs why; the date of receipt counts, and nobody else's result moves."""
    made = await scene(now=NOW_LONG_AGO)
    department = await actor_of(made, made.town.department)
    worker, other = made.town.worker.person_id, made.town.second_worker.person_id
    await result(made, made.town.worker, "basic", "63.0")
    await result(made, made.town.second_worker, "excellent", "93.0")
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    await served(made, made.town.worker)
    await served(made, made.town.second_worker)
    received = made.today + timedelta(days=2)
    made.now = now()
    department = msgspec.structs.replace(department, confirmed_at=made.now)
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    chief = await actor_of(made, made.town.chief)
    paper = form(made, "raised", on=received)
    with pytest.raises(CycleClosed):
        await notice.object_to(chief, made.cycle_id, worker, paper, made.now)
    with pytest.raises(NotFound):
        await advancing.advance(chief, made.cycle_id, Stage.APPEAL, "漏录", made.now)
    with pytest.raises(Invalid, match="原因"):
        await advancing.advance(department, made.cycle_id, Stage.APPEAL, "", made.now)
    await advancing.advance(
        department, made.cycle_id, Stage.APPEAL, "8月5日收到的异议漏录", made.now
    )
    with pytest.raises(CycleClosed):
        await calibrating.calibrate(
            department, made.cycle_id, other, Decimal("99.0"), "再加分", made.now
        )
    row = await queries.notice_of_cycle(COUNTY, made.cycle_id)
    assert row is not None
    against = ContestForm(
        entry=1,
        objector="陶先进",
        contact="13912345678",
        channel="letter",
        words="不应评为优秀",
        received_on=received,
        no_kin=True,
    )
    with pytest.raises(NoticeRefused, match="办结过"):
        await notice.contest(department, row.id, against, made.now)
    late = form(made, "raised", on=made.today)
    with pytest.raises(StepRefused, match="已经过了"):
        await notice.object_to(chief, made.cycle_id, worker, late, made.now)
    case_id = await notice.object_to(chief, made.cycle_id, worker, paper, made.now)
    await sign(made, made.town.instructor, case_id, "review_changed", score="81.5")
    found = await queries.result(COUNTY, made.cycle_id, worker)
    assert found is not None
    assert found.grade == "good"
    cycle = (await notice.of_cycle(department, made.cycle_id))[0]
    assert (cycle.state, cycle.closed_at) == (Stage.APPEAL, None)
    assert await notice.nothing_open(COUNTY, cycle) == ["还有 1 件异议或申诉没有办结。"]


async def test_what_is_signed_stays(rollback: None) -> None:
    """Neither steps nor services nor notices can be changed by the service's role."""
    import asyncpg

    made = await scene()
    await objected(made)
    for table in ("case_step", "serving", "notice"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with DB.transaction():
                await DB.execute(f"DELETE FROM appraisal.{table} WHERE county_id = $1", COUNTY)


async def test_tally_counts_the_current_run(rollback: None) -> None:
    """Results, served, and the latest day for objections."""
    made = await scene()
    await result(made, made.town.worker, "good", "80.0")
    await result(made, made.town.second_worker, "good", "81.0")
    await served(made, made.town.worker)
    tally = await queries.tally(COUNTY, made.cycle_id)
    assert (tally.results, tally.served) == (2, 1)
    rows, count = await notice.results(await acting(made.town.chief), made.cycle_id, state="open")
    assert ([row.name for row in rows], count) == (["苏建国"], 1)
