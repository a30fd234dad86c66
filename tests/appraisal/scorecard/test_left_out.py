"""漏评: in post on the last day, and in no result that came out."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from appraisal.casework import service as casework
from appraisal.casework.schemas import SignForm
from appraisal.cycle.rules import Stage
from appraisal.errors import StepRefused
from appraisal.notice import queries as notices
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm, ServeForm
from appraisal.scorecard import left_out
from appraisal.scorecard.rules import Scheme
from appraisal.verifier import service as verifier
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.roster.roles import Role
from tests.appraisal.casework.test_web import post, shows
from tests.appraisal.cycle.stages import bring_to
from tests.appraisal.scorecard.scene import AFTER, Scene, scored_cycle
from tests.factories import COUNTY, Member, acting, member
from tests.shared.identity.test_matrix import act_as


def signed(step: str, **answers: str) -> SignForm:
    return SignForm(
        step=step,
        words="半年一直在岗，名册漏登。",
        effective_on=today(),
        document="任职文件",
        answers=answers,
        no_kin=True,
    )


async def forgotten(scene: Scene) -> Member:
    """A gridworker since the year began whom nobody had entered when the run was made."""
    return await member(Role.GRIDWORKER, scene.town.units["421222100001002"], "韦漏登")


async def others(person_id: UUID) -> list[dict[str, Any]]:
    rows = await DB.fetch(
        "SELECT * FROM appraisal.score WHERE county_id = $1 AND person_id <> $2 ORDER BY person_id",
        COUNTY,
        person_id,
    )
    return [dict(row) for row in rows]


async def test_who_was_left_out_gets_a_result_that_moves_nobody_s(rollback: None) -> None:
    """Reported by the department, found by another, told as everybody else; the books agree."""
    scene = await scored_cycle(Stage.NOTICE)
    town, at = scene.town, now()
    await notice.issue_results(scene.department, scene.cycle_id, NoticeForm(), AFTER)
    someone = await forgotten(scene)
    before = await others(someone.person_id)
    reported = signed("reported")
    with pytest.raises(NotFound):
        await left_out.report(
            await acting(town.chief), scene.cycle_id, someone.person_id, reported, at
        )
    with pytest.raises(StepRefused, match="已经有本人的结果"):
        await left_out.report(scene.department, scene.cycle_id, town.worker.person_id, reported, at)
    with pytest.raises(Invalid, match="不在网格员岗位"):
        await left_out.report(scene.department, scene.cycle_id, town.lead.person_id, reported, at)
    case_id = await left_out.report(
        scene.department, scene.cycle_id, someone.person_id, reported, at
    )
    with pytest.raises(Conflict, match="已经登记过"):
        await left_out.report(scene.department, scene.cycle_id, someone.person_id, reported, at)
    with pytest.raises(StepRefused, match="回避"):
        await casework.sign(
            scene.department, case_id, signed("added", score="93", days_met="1"), at
        )
    instructor = await acting(town.instructor)
    with pytest.raises(StepRefused, match="不能带来这样的等次"):
        await casework.sign(instructor, case_id, signed("added", score="65", days_met="1"), at)
    await casework.sign(instructor, case_id, signed("added", score="93", days_met="1"), at)
    found = await notices.result(COUNTY, scene.cycle_id, someone.person_id)
    assert found is not None
    assert (found.grade, found.final, found.service_name) == ("good", Decimal("93.00"), "未送达")
    assert await others(someone.person_id) == before
    assert (await verifier.verify(COUNTY)).findings == ()
    tally = await notices.tally(COUNTY, scene.cycle_id)
    assert (tally.results, tally.served) == (4, 0)
    form = ServeForm(how="signed", served_on=today())
    await notice.serve(await acting(town.chief), scene.cycle_id, someone.person_id, form, at)
    await notice.object_to(
        await acting(someone), scene.cycle_id, someone.person_id, signed("raised"), at
    )


async def test_who_was_not_left_out_is_told_and_may_appeal(rollback: None) -> None:
    """The answer is served; the county may find otherwise. Too few days stay 不定等次.

    Who reported it does not look into it.
    """
    scene = await scored_cycle(Stage.NOTICE)
    someone, at = await forgotten(scene), now()
    county = scene.town.units[str(COUNTY)]
    reporter = await acting(await member(Role.DEPARTMENT, county, "郭部长"), desk=True)
    case_id = await left_out.report(
        reporter, scene.cycle_id, someone.person_id, signed("reported"), at
    )
    for step, given in (("added", {"score": "93"}), ("not_added", {})):
        with pytest.raises(StepRefused, match="回避"):
            await casework.sign(reporter, case_id, signed(step, **given), at)
    await casework.sign(await acting(scene.town.instructor), case_id, signed("not_added"), at)
    me = await acting(someone)
    letter = await casework.letter(me, case_id, 2, named=False)
    assert "如不服" in letter.remedy
    await casework.sign(me, case_id, signed("told"), at)
    await casework.sign(me, case_id, signed("appealed"), at)
    clerk = await acting(await member(Role.DEPARTMENT, county, "吴科长"), desk=True)
    case = await casework.sign(clerk, case_id, signed("appeal_upheld", score="81"), at)
    assert case.outcome_name == "变更结果"
    found = await notices.result(COUNTY, scene.cycle_id, someone.person_id)
    assert found is not None
    assert (found.grade, found.final) == ("undetermined", Decimal("81.00"))
    assert (await verifier.verify(COUNTY)).findings == ()


async def test_the_desk_reports_whom_the_run_left_out(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """On the scoring page, once the results are out."""
    scene = await scored_cycle(Stage.REVIEW)
    someone = await forgotten(scene)
    here = f"/appraisal/desk/cycles/{scene.cycle_id}/scorecards"
    await act_as(client, scene.town.department)
    page = await shows(client, here, "韦漏登", "请重新评分")
    assert "登记漏评" not in page
    await bring_to(scene.department, scene.cycle_id, Stage.NOTICE, AFTER)
    await shows(client, here, "韦漏登", "登记漏评")
    wrong = await post(client, f"{here}/left-out", person_id=str(someone.person_id), words="")
    assert (wrong.status_code, "请写明理由" in wrong.text) == (422, True)
    sent = await post(
        client,
        f"{here}/left-out",
        person_id=str(someone.person_id),
        words="名册漏登",
        document="任职文件",
        no_kin="1",
    )
    assert sent.status_code == 303
    await shows(client, sent.headers["location"], "提出漏评", "韦漏登")
    await act_as(client, scene.town.instructor)
    await shows(client, sent.headers["location"], "核查：漏评属实，补评", "变更后的得分")
    case_id = UUID(sent.headers["location"].rpartition("/")[2])
    given = signed("added", score="81", days_met="1")
    await casework.sign(await acting(scene.town.instructor), case_id, given, now())
    await act_as(client, scene.town.department)
    await shows(client, f"{here}/{someone.person_id}", "漏评补评，按书面材料定分", "81.00")


async def test_nobody_who_joins_makes_the_median(rollback: None) -> None:
    """Even where a scheme asks for no days in post."""
    scene = await scored_cycle(Stage.NOTICE)
    body = msgspec.json.encode(Scheme(min_days=0)).decode()
    await DB.execute(
        "UPDATE appraisal.run SET scheme = $2 WHERE county_id = $1 AND current", COUNTY, body
    )
    someone, at = await forgotten(scene), now()
    case_id = await left_out.report(
        scene.department, scene.cycle_id, someone.person_id, signed("reported"), at
    )
    instructor = await acting(scene.town.instructor)
    await casework.sign(instructor, case_id, signed("added", score="80"), at)
    assert (await verifier.verify(COUNTY)).findings == ()
