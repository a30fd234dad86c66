"""Training: sessions, lines as versions, hours required, totals, and the workbook."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from appraisal.cycle.rules import Kind, Stage
from appraisal.duty.errors import Frozen, NotInPost
from appraisal.duty.service import Saved
from appraisal.errors import WrongStage
from appraisal.training import rules, service
from appraisal.training.rules import SessionForm, SessionKind
from appraisal.training.schemas import AttendeeInput
from shared.errors import Conflict, Invalid, NotFound
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.test_sheets import imported, tried
from tests.appraisal.duty.world import DAY, NOW, book
from tests.factories import Member, SmallCounty, acting, member, small_county

LATER = NOW.replace(year=2027, month=1, day=20)
HEAD = ["培训日期", "培训类型", "培训名称", "学时", "地点", "培训人", "网格编码", "姓名"]
HEAD += ["是否参加", "测试成绩"]


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


def session(**more: Any) -> SessionForm:
    values: dict[str, Any] = {
        "kind": SessionKind.CLASSROOM,
        "title": "反诈宣传",
        "held_on": DAY,
        "hours": Decimal("2.5"),
        "trainer": "派出所",
        "unit_code": "421222100",
        "tested": True,
    }
    return SessionForm(**(values | more))


def came(who: Member, test: str | None = None, *, present: bool = True) -> AttendeeInput:
    return AttendeeInput(
        person_id=who.person_id,
        village_code=who.unit_code[:12],
        present=present,
        test=Decimal(test) if test else None,
    )


async def figures(cycle_id: UUID, who: Member, town: SmallCounty) -> tuple[Any, Any, Any, int]:
    """Hours, required, test and sessions of one person, from the contract view."""
    department = await acting(town.department, desk=True)
    _, lines = await service.totals(department, cycle_id)
    [line] = [one for one in lines if one.person_id == who.person_id]
    return line.hours, line.required, line.test, line.sessions


async def test_hours_and_tests_add_up_in_the_cycle_they_fell_in(town: SmallCounty) -> None:
    """Who was absent has zero of what was offered; whose unit offered nothing has no figure.

    Nor has anybody when all of it was cancelled.
    """
    department = await acting(town.department, desk=True)
    annual = await opened(department, NOW, kind=Kind.ANNUAL)
    half = await opened(department, NOW)
    actor = await acting(town.instructor)
    first = await service.add_session(actor, session(), NOW)
    second = await service.add_session(actor, session(title="调解实务", hours=Decimal(4)), NOW)
    lines = [came(town.worker, "80"), came(town.second_worker, present=False)]
    assert await service.record(actor, first, lines, NOW) == Saved(1, 0, 1)
    await service.record(actor, second, [came(town.worker, "91")], NOW)
    hours = (Decimal("6.5"), rules.DEFAULT_HOURS, Decimal("85.50"), 2)
    assert await figures(annual, town.worker, town) == hours
    assert await figures(annual, town.second_worker, town) == (0, rules.DEFAULT_HOURS, None, 0)
    assert (await figures(annual, town.cousin_worker, town))[0] is None
    assert (await figures(half, town.worker, town))[0] is None
    await service.cancel(actor, second, "登记错了")
    assert (await figures(annual, town.worker, town))[0] == Decimal("2.5")
    absent = [came(town.worker, present=False)]
    await service.record(actor, first, absent, NOW, reason="签到表上没有")
    assert await figures(annual, town.worker, town) == (0, rules.DEFAULT_HOURS, None, 0)
    with pytest.raises(Conflict, match="取消"):
        await service.record(actor, second, [came(town.worker, "60")], NOW)
    await service.cancel(actor, first, "没有办成")
    assert (await figures(annual, town.second_worker, town))[0] is None


async def test_a_corrected_test_needs_a_reason(town: SmallCounty) -> None:
    """The last version counts, the same again changes nothing."""
    actor = await acting(town.instructor)
    made = await service.add_session(actor, session(), NOW)
    await service.record(actor, made, [came(town.worker, "80")], NOW)
    assert await service.record(actor, made, [came(town.worker, "80")], NOW) == Saved(0, 0, 1)
    with pytest.raises(Invalid, match="更正原因"):
        await service.record(actor, made, [came(town.worker, "85")], NOW)
    await service.record(actor, made, [came(town.worker, "85")], NOW, reason="复核加分")
    row, people = await service.session(actor, made)
    assert (row.present, row.average) == (1, Decimal("85.0"))
    assert [one.version for one in people if one.person_id == town.worker.person_id] == [2]
    [own], _ = await service.own(await acting(town.worker))
    assert (own.title, own.test) == ("反诈宣传", Decimal("85.0"))
    for wrong in (came(town.worker, "101"), came(town.worker, "60", present=False)):
        with pytest.raises(Invalid):
            await service.record(actor, made, [wrong], NOW, reason="改")


async def test_who_enters_training_of_whom(town: SmallCounty) -> None:
    """A trainer and an instructor in the own township, all of the county for the department."""
    trainer = await acting(await member(Role.TRAINER, town.units["421222100"]))
    made = await service.add_session(trainer, session(), NOW)
    with pytest.raises(NotInPost):
        await service.record(trainer, made, [came(town.cousin_worker)], NOW)
    with pytest.raises(NotFound):
        await service.add_session(trainer, session(unit_code="421222"), NOW)
    with pytest.raises(NotFound):
        await service.session(await acting(town.chief), made)
    department = await acting(town.department, desk=True)
    wide = await service.add_session(department, session(unit_code="421222"), NOW)
    _, people = await service.session(trainer, wide)
    assert {one.person_id for one in people} == {
        town.worker.person_id,
        town.second_worker.person_id,
    }
    with pytest.raises(Conflict, match="同名"):
        await service.add_session(trainer, session(), NOW)


async def test_required_hours_are_versions_of_an_open_cycle(town: SmallCounty) -> None:
    """Twelve unless stated; the last statement counts; not once scoring has begun."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await service.require_hours(department, cycle_id, Decimal(16), "", NOW)
    with pytest.raises(Invalid, match="原因"):
        await service.require_hours(department, cycle_id, Decimal(20), "", NOW)
    await service.require_hours(department, cycle_id, Decimal(20), "增加实践课", NOW)
    stated = await service.requirement(department, cycle_id)
    assert [(one.version, one.hours) for one in stated] == [(2, Decimal(20)), (1, Decimal(16))]
    assert (await figures(cycle_id, town.worker, town))[1] == 20
    with pytest.raises(NotFound):
        await service.require_hours(await acting(town.instructor), cycle_id, Decimal(1), "", NOW)
    made = await service.add_session(department, session(), NOW)
    await bring_to(department, cycle_id, Stage.SCORE, LATER)
    with pytest.raises(WrongStage):
        await service.require_hours(department, cycle_id, Decimal(8), "减", LATER)
    for refused in (
        service.record(department, made, [came(town.worker)], LATER),
        service.cancel(department, made, "错"),
        service.add_session(department, session(title="补课"), LATER),
    ):
        with pytest.raises(Frozen):
            await refused


async def test_a_session_says_what_it_lacks() -> None:
    """Every wrong field, one sentence each."""
    wrong = session(title="课", held_on=date(2026, 12, 1), hours=Decimal("0.3"), trainer=" ")
    faults = rules.session_faults(wrong, date(2026, 11, 26))
    assert set(faults) == {"title", "held_on", "hours", "trainer"}


async def test_training_comes_by_workbook(town: SmallCounty) -> None:
    """Sessions are made from their rows once; the same file again changes nothing."""
    actor = await acting(town.instructor)
    there = ["2026-10-20", "一线实践课", "入户实训", 3, "石南村", "尹玉梅"]
    rows = [
        [*there, town.worker.unit_code, town.worker.name, "是", 88.5],
        [*there, town.second_worker.unit_code, town.second_worker.name, "否", ""],
    ]
    done = await imported(actor, "training", book(HEAD, *rows))
    assert (done.created, done.same) == (1, 1)
    again = await imported(actor, "training", book(HEAD, *rows))
    assert (again.created, again.corrected, again.same) == (0, 0, 2)
    [row] = await service.sessions(actor)
    assert (row.title, row.kind, row.hours) == ("入户实训", SessionKind.PRACTICE, Decimal(3))
    bad = [
        [*there, town.worker.unit_code, town.worker.name, "否", 90],
        ["2026-10-20", "上课", *there[2:], town.worker.unit_code, town.worker.name, "是", 90],
        [*there, town.cousin_worker.unit_code, town.cousin_worker.name, "是", 90],
    ]
    shown = await tried(actor, "training", book(HEAD, *bad))
    assert [fault.split("：")[0] for fault in shown.faults] == [
        "第 3 行“测试成绩”",
        "第 4 行“培训类型”",
        "第 5 行“网格编码”",
    ]


async def test_other_hours_of_a_known_session_are_red(town: SmallCounty) -> None:
    """A row that says three where two are registered would be read, and counted as two."""
    actor = await acting(town.instructor)
    two, three = (
        [DAY, "室内培训课", "民法典", hours, "", "司法所", who.unit_code, who.name, "是", ""]
        for hours, who in ((2, town.worker), (3, town.second_worker))
    )
    shown = await tried(actor, "training", book(HEAD, two, three))
    assert [fault.split("：")[0] for fault in shown.faults] == ["第 4 行“学时”"]
    assert (await imported(actor, "training", book(HEAD, two))).created == 1
    shown = await tried(actor, "training", book(HEAD, three))
    assert "登记的是 2 学时" in shown.faults[0]
