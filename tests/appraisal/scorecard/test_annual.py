"""A half-year corrected after the year took it in: the year follows, and its person is told."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import msgspec
import pytest

from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.casework.rules import Outcome, Pool
from appraisal.casework.schemas import SignForm
from appraisal.cycle import advancing
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Kind, Stage
from appraisal.errors import CycleClosed
from appraisal.notice import service as notice
from appraisal.scorecard import annual, queries, scoring
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster.roles import Role
from tests.appraisal.casework.test_web import post
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.test_gather import AFTER, ATTENDANCE, department_of
from tests.factories import COUNTY, Member, SmallCounty, acting, member, small_county
from tests.shared.identity.test_matrix import act_as

WINTER = datetime(2027, 1, 5, tzinfo=UTC)


class Year(msgspec.Struct):
    """A county whose half-year is closed, at 50.00 for the worker; 80.00 in the second half."""

    town: SmallCounty
    department: Actor
    clerk: Member
    half: UUID
    year: UUID

    async def sign(
        self, who: Member, case_id: UUID, step: str, days_ago: int, **given: str
    ) -> None:
        """One step of a case, some days ago."""
        at = now() - timedelta(days=days_ago)
        form = SignForm(step=step, words="属实", effective_on=today(at), answers=given, no_kin=True)
        actor = await acting(who, desk=who.role is Role.DEPARTMENT)
        await casework.sign(actor, case_id, form, at)

    async def correct(self) -> None:
        """A paper received in time raises the half-year to 90.00; it is closed again."""
        await self.move(self.half, Stage.APPEAL)
        paper = SignForm(
            step="raised", words="漏记了考勤", effective_on=today(now() - timedelta(days=55))
        )
        case_id = await notice.object_to(
            await acting(self.town.chief), self.half, self.town.worker.person_id, paper,
            now() - timedelta(days=51),
        )  # fmt: skip
        await self.sign(self.town.instructor, case_id, "review_changed", 50, score="90.0")
        await self.sign(self.town.chief, case_id, "told", 48, how="signed")
        assert await casework.clock(COUNTY, now() - timedelta(days=30)) == (1, 0)
        assert await self.behind() == 0
        await self.move(self.half, Stage.CLOSED)

    async def move(self, cycle_id: UUID, target: Stage) -> None:
        actor = msgspec.structs.replace(self.department, confirmed_at=now())
        await advancing.advance(actor, cycle_id, target, "补录", now())

    async def behind(self) -> int:
        """How many are behind the half-year that is closed."""
        return len(await annual.behind(COUNTY, await cycles.get(self.department, self.year)))

    async def final(self) -> tuple[int | None, str]:
        """The worker's annual score and grade."""
        run = await queries.current_run(COUNTY, self.year)
        assert run is not None
        scores = await queries.scores(COUNTY, run.id, self.town.worker.person_id)
        assert scores is not None
        return scores.final, scores.grade


async def attended(who: Member, *months: tuple[int, int]) -> None:
    """Months, and the days served of twenty."""
    for month, days in months:
        await DB.execute(
            ATTENDANCE, COUNTY, new_id(), who.person_id, who.unit_code[:12],
            month, Decimal(20), Decimal(days), Decimal(0),
        )  # fmt: skip


async def scored(stage: Stage) -> Year:
    """The annual cycle in a stage; one of its people came too late for a half-year's grade."""
    town = await small_county()
    department = await department_of(town.department)
    clerk = await member(Role.DEPARTMENT, town.units[str(COUNTY)], "吴科长")
    came = date(2026, 6, 20)
    late = await member(Role.GRIDWORKER, town.units["421222101002001"], valid_from=came)
    await attended(town.worker, (202603, 10), (202609, 16))
    await attended(late, (202606, 20), (202609, 10))
    half = await opened(department, AFTER)
    await bring_to(department, half, Stage.SCORE, AFTER)
    await scoring.score(department, half, "", AFTER)
    await bring_to(department, half, Stage.CLOSED, AFTER)
    year = await opened(department, AFTER, kind=Kind.ANNUAL)
    await bring_to(department, year, Stage.SCORE, WINTER)
    await scoring.score(department, year, "", WINTER)
    await bring_to(department, year, stage, WINTER)
    return Year(town, department, clerk, half, year)


async def test_an_annual_result_that_is_out_follows_its_half_year(rollback: None) -> None:
    """Blocked from closing until it is made again, served and open to appeal; then never again."""
    made = await scored(Stage.APPEAL)
    assert await made.final() == (6800, "basic")
    await made.move(made.half, Stage.APPEAL)
    with pytest.raises(Conflict, match="还没有办结"):
        await made.move(made.year, Stage.CLOSED)
    await made.move(made.half, Stage.CLOSED)
    assert await made.behind() == 0
    await made.correct()
    with pytest.raises(Conflict, match="1 人的上半年成绩后来变更了"):
        await made.move(made.year, Stage.CLOSED)
    assert await annual.recompute(made.department, made.year, "漏记考勤", now(), no_kin=True) == 1
    assert await made.final() == (8400, "good")
    assert await made.behind() == 0
    with pytest.raises(Conflict, match="没有要重新计算"):
        await annual.recompute(made.department, made.year, "漏记考勤", now(), no_kin=True)
    [case] = await casework_queries.open_of_cycle(COUNTY, made.year, Pool.OBJECTION)
    letter = await casework.letter(made.department, case.id, 1, named=False)
    assert letter.heading == "全年成绩变更告知书"
    assert ("重新计算的全年得分", "84") in letter.facts
    assert "5个工作日内向县级申诉" in letter.remedy
    with pytest.raises(Conflict, match="1 件异议或申诉没有办结"):
        await made.move(made.year, Stage.CLOSED)
    await made.sign(made.town.worker, case.id, "told", 0)
    await casework.clock(COUNTY, now() + timedelta(days=20))
    done = await casework_queries.case(COUNTY, case.id)
    assert done is not None
    assert (done.outcome, done.done) == (Outcome.CHANGED, True)


async def test_a_year_under_review_is_scored_again(rollback: None) -> None:
    """Nothing is out yet: the results are not passed on with the half-year of before.

    Nor while that is open; one that fell takes nothing.
    """
    made = await scored(Stage.REVIEW)
    await made.move(made.half, Stage.APPEAL)
    with pytest.raises(Conflict, match="还没有办结"):
        await made.move(made.year, Stage.NOTICE)
    run = await queries.current_run(COUNTY, made.half)
    assert run is not None
    await queries.calibrate(COUNTY, run.id, made.town.worker.person_id, 4000)
    await made.move(made.half, Stage.CLOSED)
    assert await made.behind() == 0
    await made.correct()
    with pytest.raises(Conflict, match="退回重新评分"):
        await made.move(made.year, Stage.NOTICE)
    await made.move(made.year, Stage.SCORE)
    await scoring.score(made.department, made.year, "", now())
    assert await made.final() == (8400, "good")


async def test_a_half_year_that_came_too_late_holds_no_year_up(rollback: None) -> None:
    """The results are out when somebody opens it: they were made of the second half alone."""
    town = await small_county()
    department = await department_of(town.department)
    await attended(town.worker, (202603, 20), (202609, 10))
    year = await opened(department, AFTER, kind=Kind.ANNUAL)
    await bring_to(department, year, Stage.SCORE, WINTER)
    await scoring.score(department, year, "", WINTER)
    await bring_to(department, year, Stage.APPEAL, WINTER)
    half = await opened(department, WINTER)
    await bring_to(department, half, Stage.SCORE, WINTER)
    await scoring.score(department, half, "", WINTER)
    await bring_to(department, half, Stage.CLOSED, WINTER)
    assert await annual.behind(COUNTY, await cycles.get(department, year)) == []
    await bring_to(department, year, Stage.CLOSED, WINTER)


async def test_a_closed_year_is_named_until_it_is_made_again(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """The list of cycles says so; it is opened again, and what was calibrated keeps its surplus."""
    made = await scored(Stage.NOTICE)
    run = await queries.current_run(COUNTY, made.year)
    assert run is not None
    await queries.calibrate(COUNTY, run.id, made.town.worker.person_id, 7050)
    await bring_to(made.department, made.year, Stage.CLOSED, now())
    await made.correct()
    with pytest.raises(CycleClosed):
        await annual.recompute(made.department, made.year, "漏记考勤", now(), no_kin=True)
    await act_as(client, made.town.department)
    board = f"/appraisal/desk/cycles/{made.year}/scorecards"
    assert "全年成绩还没有重新计算" in (await client.get("/appraisal/desk")).text
    assert "请先在“概况”页重开" in (await client.get(board)).text
    await made.move(made.year, Stage.APPEAL)
    page = (await client.get(board)).text
    assert "重新计算 1 人的全年成绩" in page
    answer = await post(client, f"{board}/annual", words="漏记考勤")
    assert "请声明与当事人不是近亲属" in answer.text
    answer = await post(client, f"{board}/annual", words="漏记考勤", no_kin="1")
    assert answer.status_code == 303
    assert await made.final() == (8650, "good")
    assert "还没有重新计算" not in (await client.get("/appraisal/desk")).text
