"""补充公示: who becomes 优秀 after the notice is named before anything follows from it."""

import asyncio
from contextvars import copy_context
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import msgspec
import pytest

from appraisal.casework import service as casework
from appraisal.cycle import advancing
from appraisal.cycle.rules import Kind, Stage
from appraisal.errors import NoticeRefused, StepRefused
from appraisal.notice import queries
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm, NoticeRow
from appraisal.pool import queries as pools
from appraisal.pool import service as pool
from shared.clock import now
from shared.database import DB
from shared.dates import chinese_date
from shared.roster.roles import Employment
from tests.appraisal.casework.scene import (
    NOW_LONG_AGO,
    Scene,
    actor_of,
    form,
    gridworker,
    result,
    scene,
    served,
    sign,
)
from tests.appraisal.casework.test_web import post, shows
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.notice.test_contest import docx_text, received
from tests.factories import COUNTY
from tests.shared.identity.test_matrix import act_as


async def year() -> Scene:
    """Last year's results of five workers, one of them under notice as 优秀, the worker 合格."""
    made = await scene(stage=Stage.DRAFT, now=NOW_LONG_AGO)
    department = await actor_of(made, made.town.department)
    made.cycle_id = await opened(department, made.now, kind=Kind.ANNUAL, year=2025)
    await bring_to(department, made.cycle_id, Stage.NOTICE, made.now)
    await result(made, made.town.worker, "good", "85.0")
    await result(made, made.town.second_worker, "excellent", "93.0")
    for _ in range(3):
        await result(made, await gridworker(made, Employment.CONTRACT), "good", "80.0")
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    return made


async def raised(made: Scene) -> UUID:
    """The worker was told, objected, and is 优秀 by the review."""
    worker = await actor_of(made, made.town.worker)
    await served(made, made.town.worker)
    case_id = await notice.object_to(
        worker, made.cycle_id, worker.person_id, form(made, "raised"), made.now
    )
    await sign(made, made.town.instructor, case_id, "review_changed", score="95")
    found = await queries.result(COUNTY, made.cycle_id, worker.person_id)
    assert found is not None
    assert found.grade == "excellent"
    await sign(made, made.town.worker, case_id, "told")
    return case_id


async def supplemented(made: Scene) -> NoticeRow:
    """The supplementary notice, issued today."""
    department = await actor_of(made, made.town.department)
    notice_id = await notice.issue_supplement(department, made.cycle_id, NoticeForm(), made.now)
    return (await notice.view(department, notice_id))[0]


async def closing(made: Scene) -> list[str]:
    """What stands against closing the cycle."""
    cycle, _, _ = await notice.of_cycle(await actor_of(made, made.clerk), made.cycle_id)
    return await notice.nothing_open(COUNTY, cycle)


async def test_who_becomes_excellent_is_named_before_the_cycle_closes(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five working days of their own; the first notice stays as it was published."""
    made = await year()
    department = await actor_of(made, made.town.department)
    with pytest.raises(NoticeRefused, match="没有要补充公示"):
        await supplemented(made)
    await raised(made)
    assert "还有 1 人变更为优秀，没有补充公示。" in await closing(made)
    made.now = now()
    row = await supplemented(made)
    _, entries = await notice.view(department, row.id)
    assert ([entry.name for entry in entries], row.days) == (["欧**山"], 5)
    with pytest.raises(NoticeRefused, match="没有要补充公示"):
        await supplemented(made)
    runs = f"补充公示的公示期到{chinese_date(row.ends_on)}才满。"
    assert runs in await closing(made)
    for days in (0, 1):
        later = row.ends_on + timedelta(days=days)
        monkeypatch.setattr(notice, "today", lambda day=later: day)
        assert (runs in await closing(made)) is (days == 0)
    monkeypatch.undo()
    first = await queries.notice_of_cycle(COUNTY, made.cycle_id)
    assert first is not None
    _, entries = await notice.view(department, first.id)
    assert [entry.name for entry in entries] == ["苏*国"]


async def test_two_who_publish_at_once_name_nobody_twice(committed: None) -> None:
    """One of them finds nobody left."""
    made = await year()
    await raised(made)
    tasks = [asyncio.create_task(supplemented(made), context=copy_context()) for _ in range(2)]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(one, NoticeRefused) for one in done) == 1
    assert len(await queries.supplements(COUNTY, made.cycle_id)) == 1


async def test_nobody_is_recommended_before_the_supplement_is_over(rollback: None) -> None:
    """The grade is there, the sentence says what is missing; then the way is free."""
    made = await year()
    await raised(made)
    instructor = await actor_of(made, made.town.instructor)
    department = await actor_of(made, made.town.department)
    worker_id = made.town.worker.person_id
    made.pass_days(20)
    await casework.clock(COUNTY, made.now)
    await bring_to(department, made.cycle_id, Stage.APPEAL, made.now)
    with pytest.raises(StepRefused, match="补充公示"):
        await pool.recommend(instructor, worker_id, form(made, "proposed"), made.now)
    row = await supplemented(made)
    for on in (made.today, row.ends_on):
        made.pass_days((on - made.today).days)
        with pytest.raises(StepRefused, match="补充公示"):
            await pool.recommend(instructor, worker_id, form(made, "proposed"), made.now)
    made.pass_days(1)
    await pool.recommend(instructor, worker_id, form(made, "proposed"), made.now)


async def test_anybody_objects_to_the_supplement_as_to_the_notice(rollback: None) -> None:
    """Within its own days, though those of the first one are over; it may cost the grade."""
    made = await year()
    await raised(made)
    made.pass_days(20)
    await casework.clock(COUNTY, made.now)
    row = await supplemented(made)
    made.pass_days(2)
    case_id = await received(made, row.id)
    assert "还有 1 件异议或申诉没有办结。" in await closing(made)
    await sign(made, made.clerk, case_id, "contest_changed", score="84", heard="1")
    await sign(made, made.clerk, case_id, "replied_changed")
    await sign(made, made.town.worker, case_id, "told")
    found = await queries.result(COUNTY, made.cycle_id, made.town.worker.person_id)
    assert found is not None
    assert (found.grade, found.final) == ("good", Decimal(84))
    made.pass_days(14)
    with pytest.raises(StepRefused, match="已满"):
        await received(made, row.id, objector="陶先进")


async def test_a_grade_of_a_reopened_cycle_is_contested_down_to_what_stood(
    rollback: None,
) -> None:
    """Nobody relied on the new grade yet; below the score it was closed with it does not go."""
    made = await year()
    await served(made, made.town.worker)
    in_time = made.today + timedelta(days=1)
    made.now = now()
    department = await actor_of(made, made.town.department)
    department = msgspec.structs.replace(department, confirmed_at=made.now)
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    await advancing.advance(department, made.cycle_id, Stage.APPEAL, "漏录", made.now)
    worker_id = made.town.worker.person_id
    chief = await actor_of(made, made.town.chief)
    paper = form(made, "raised", on=in_time)
    case_id = await notice.object_to(chief, made.cycle_id, worker_id, paper, made.now)
    await sign(made, made.town.instructor, case_id, "review_changed", score="95")
    row = await supplemented(made)
    made.pass_days(1)
    contest_id = await received(made, row.id)
    with pytest.raises(StepRefused, match="办结时的得分是 85"):
        await sign(made, made.clerk, contest_id, "contest_changed", score="60", heard="1")
    await sign(made, made.clerk, contest_id, "contest_changed", score="86", heard="1")
    first = await queries.notice_of_cycle(COUNTY, made.cycle_id)
    assert first is not None
    with pytest.raises(NoticeRefused, match="办结过"):
        await received(made, first.id)


async def test_the_supplement_is_published_at_the_desk(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """The page names whom, prints what was published, and takes objections."""
    made = await year()
    await raised(made)
    await act_as(client, made.town.department)
    path = f"/appraisal/desk/cycles/{made.cycle_id}/notice"
    await shows(client, path, "欧阳金山（", "在公示以后变更为优秀", "发布补充公示（1 人）")
    assert (await post(client, path, supplement="1", phone="0715-1")).status_code == 303
    page = await shows(client, path, "优秀等次名单补充公示")
    assert "发布补充公示" not in page
    [row] = await queries.supplements(COUNTY, made.cycle_id)
    await shows(client, f"/appraisal/notices/{row.id}", "补充公示", "公示以后", "欧**山")
    text = docx_text(await client.get(f"/appraisal/notices/{row.id}/notice.docx"))
    assert "公示以后，有结果经复核变更" in text
    await shows(client, "/appraisal/desk/notices", "优秀等次补充")
    await shows(client, f"/appraisal/desk/notices/{row.id}/objections", "欧**山", "登记一件")
    again = await post(client, path, supplement="1")
    assert (again.status_code, "没有要补充公示" in again.text) == (409, True)


async def test_points_are_due_only_when_the_supplement_is_over(rollback: None) -> None:
    """The +30 of a changed 优秀 waits for closing, and closing for the notice."""
    made = await year()
    await raised(made)
    due = "SELECT person_id FROM appraisal.award_due WHERE county_id = $1"
    assert await DB.fetch(due, COUNTY) == []
    department = await actor_of(made, made.town.department)
    made.pass_days(20)
    await casework.clock(COUNTY, made.now)
    await supplemented(made)
    made.now = now()
    await bring_to(department, made.cycle_id, Stage.CLOSED, made.now)
    people = {row["person_id"] for row in await DB.fetch(due, COUNTY)}
    assert people == {made.town.worker.person_id, made.town.second_worker.person_id}
    grades = await pools.grades(COUNTY, made.town.worker.person_id, made.today)
    assert grades == [("annual", "excellent", True)]
