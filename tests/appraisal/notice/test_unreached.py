"""A letter that reaches nobody: two people say so, nobody waits for it, nothing rests on it."""

import httpx
import msgspec
import pytest

from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.casework.rules import Pool
from appraisal.cycle import advancing
from appraisal.cycle.rules import Stage
from appraisal.errors import CycleClosed, NoticeRefused, StepRefused
from appraisal.notice import queries
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm
from appraisal.pool import service as pools
from shared.calendar import service as calendar
from shared.clock import now
from shared.errors import NotFound
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
from tests.appraisal.casework.test_web import post, shows
from tests.factories import COUNTY
from tests.shared.identity.test_matrix import act_as


async def open_things(made: Scene) -> list[str]:
    """What keeps the cycle from closing."""
    department = await actor_of(made, made.town.department)
    return await notice.nothing_open(COUNTY, (await notice.of_cycle(department, made.cycle_id))[0])


async def test_a_result_that_reaches_nobody_keeps_no_cycle_open(rollback: None) -> None:
    """One records the returned letter, another confirms it; the fail counts against nobody."""
    made = await scene(now=NOW_LONG_AGO)
    town, worker = made.town, made.town.worker
    department = await actor_of(made, town.department)
    instructor = await actor_of(made, town.instructor)
    await result(made, worker, "fail", "41.0")
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    given = (made.cycle_id, worker.person_id, form(made, "undelivered"), made.now)
    for nobody in (town.lead, town.cousin_worker, worker):
        with pytest.raises(NotFound):
            await notice.unreached(await actor_of(made, nobody), *given)
    case_id = await notice.unreached(instructor, *given)
    with pytest.raises(NoticeRefused, match="已经登记"):
        await notice.unreached(department, *given)
    assert await open_things(made) == ["还有 1 人的结果没有送达。"]
    with pytest.raises(StepRefused, match="回避"):
        await sign(made, town.instructor, case_id, "undeliverable")
    case = await sign(made, made.clerk, case_id, "undeliverable")
    assert (case.outcome_name, case.done) == ("送达不到", True)
    assert await open_things(made) == []
    tally = await queries.tally(COUNTY, made.cycle_id)
    assert (tally.served, tally.unreachable) == (0, 1)
    made.pass_days(40)
    with pytest.raises(StepRefused, match="还没有送达本人"):
        await pools.warn(
            instructor, worker.person_id, made.cycle_id, form(made, "warned"), made.now
        )


async def test_who_was_out_of_reach_is_told_and_heard_later(rollback: None) -> None:
    """Also when the cycle is closed by then: the term runs from when they have the letter."""
    made = await scene(now=NOW_LONG_AGO)
    town, worker = made.town, made.town.worker
    await result(made, worker, "fail", "41.0")
    department = await actor_of(made, town.department)
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    me, instructor = await actor_of(made, worker), await actor_of(made, town.instructor)
    undelivered = form(made, "undelivered")
    case_id = await notice.unreached(
        instructor, made.cycle_id, worker.person_id, undelivered, made.now
    )
    await sign(made, made.clerk, case_id, "undeliverable")
    made.now = now()
    department = msgspec.structs.replace(department, confirmed_at=made.now)
    for stage in (Stage.APPEAL, Stage.CLOSED):
        await advancing.advance(department, made.cycle_id, stage, "", made.now)
    row = await notice.receive(me, made.cycle_id, made.now)
    assert row.objection_until == await calendar.add_working_days(COUNTY, made.today, 5)
    raised = form(made, "raised")
    with pytest.raises(CycleClosed):
        await notice.object_to(me, made.cycle_id, worker.person_id, raised, made.now)
    await advancing.advance(department, made.cycle_id, Stage.APPEAL, "补送达后的异议", made.now)
    await notice.object_to(me, made.cycle_id, worker.person_id, raised, made.now)
    assert (await open_things(made))[-1] == "还有 1 件异议或申诉没有办结。"


async def test_who_can_be_told_is_not_served_in_a_closed_cycle(rollback: None) -> None:
    """What was recorded is taken back, or overtaken by the signature; both end it."""
    made = await scene()
    town, worker, other = made.town, made.town.worker, made.town.second_worker
    instructor = await actor_of(made, town.instructor)
    cases = {}
    for someone in (worker, other):
        await result(made, someone, "good", "80.0")
        undelivered = form(made, "undelivered", undelivered="unclaimed")
        cases[someone.person_id] = await notice.unreached(
            instructor, made.cycle_id, someone.person_id, undelivered, made.now
        )
    case = await sign(made, town.instructor, cases[worker.person_id], "deliverable")
    assert (case.outcome_name, case.done) == ("撤回", True)
    await served(made, other)
    with pytest.raises(StepRefused, match="已经送达"):
        await sign(made, made.clerk, cases[other.person_id], "undeliverable")
    assert (await sign(made, made.clerk, cases[other.person_id], "deliverable")).done
    again = form(made, "undelivered")
    with pytest.raises(StepRefused, match="已经送达"):
        await notice.unreached(instructor, made.cycle_id, other.person_id, again, made.now)
    tally = await queries.tally(COUNTY, made.cycle_id)
    assert (tally.served, tally.unreachable) == (1, 0)


async def test_an_answer_that_reaches_nobody_ends_the_objection(rollback: None) -> None:
    """It stands, nothing rests on it, and the appeal runs from when the person has it after all."""
    made = await scene()
    town, worker = made.town, made.town.worker
    await result(made, worker, "fail", "41.0")
    await served(made, worker)
    me, instructor = await actor_of(made, worker), await actor_of(made, town.instructor)
    case_id = await notice.object_to(
        me, made.cycle_id, me.person_id, form(made, "raised"), made.now
    )
    await sign(made, town.instructor, case_id, "review_kept")
    made.pass_days(20)
    await sign(made, town.chief, case_id, "undelivered", undelivered="moved")
    case = await sign(made, town.instructor, case_id, "undeliverable")
    assert (case.outcome_name, case.done) == ("维持原结果", True)
    with pytest.raises(StepRefused, match="答复书"):
        await pools.warn(
            instructor, worker.person_id, made.cycle_id, form(made, "warned"), made.now
        )
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    made.pass_days(30)
    with pytest.raises(StepRefused, match="早于"):
        await sign(made, town.chief, case_id, "told_late", on=case.opened_at.date())
    case = await sign(made, worker, case_id, "told_late")
    assert (case.outcome, case.done) == (None, False)
    case = await sign(made, worker, case_id, "appealed")
    case = await sign(made, made.clerk, case_id, "appeal_upheld", score="81.5")
    assert case.outcome_name == "变更结果"


async def test_the_pages_say_that_the_letter_reached_nobody(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """The form at the desk and on the phone, the lists, and the person's own page."""
    made = await scene(now=now())
    worker = made.town.worker
    await result(made, worker, "fail", "41.0")
    one = f"/appraisal/results/{made.cycle_id}/{worker.person_id}"
    await act_as(client, made.town.department)
    await shows(client, one, "登记送达不到", "退回：查无此人", "本人死亡")
    await act_as(client, made.town.chief)
    await shows(client, one, "登记送达不到", "退信的挂号信编号")
    wrong = await post(client, f"{one}/unreached", words="查无此人")
    said = wrong.text
    assert (wrong.status_code, said.count("请填写"), said.count("查无此人<")) == (422, 1, 2)
    sent = await post(
        client,
        f"{one}/unreached",
        undelivered="unknown",
        words="邮局退回",
        document="XA12345678942",
        no_kin="1",
    )
    assert sent.status_code == 303
    await shows(client, one, "送达不到，待核实")
    await shows(client, "/appraisal/serving", "送达不到，待核实")
    await act_as(client, made.town.instructor)
    await shows(client, "/appraisal/cases", "考核结果送达不到", "欧阳金山")
    case = sent.headers["location"]
    await shows(client, case, "核实：考核结果确实送达不到", "退回：查无此人")
    done = await post(
        client, f"{case}/sign", step="undeliverable", words="走访过，确已搬走", no_kin="1"
    )
    assert done.status_code == 303
    await act_as(client, worker)
    await shows(
        client, f"/appraisal/me/{made.cycle_id}/objection", "没有送到您手里", "不会据这个结果"
    )
    await act_as(client, made.town.department)
    desk = f"/appraisal/desk/cycles/{made.cycle_id}/notice?state=unreachable"
    await shows(client, desk, "欧阳金山", "经两人登记、核实")
    assert "欧阳金山" not in (await client.get(desk.replace("unreachable", "open"))).text
    row = await casework_queries.of_person(COUNTY, worker.person_id, Pool.SERVICE, made.cycle_id)
    assert [one.pool_name for one in row] == ["送达"]
