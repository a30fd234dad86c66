"""Attendance: versions, rights, the freeze, what is missing, the totals of the contract view."""

from datetime import date
from decimal import Decimal

import pytest

from appraisal.cycle.rules import Kind, Stage
from appraisal.duty import entries, personal, service
from appraisal.duty.errors import Frozen, NotInPost
from appraisal.duty.rules import EntryKind
from appraisal.duty.service import Saved
from shared.calendar.errors import MissingYear
from shared.clock import now
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.world import MONTH, NOW, duty_total, fact, line
from tests.factories import COUNTY, SmallCounty, acting, member, small_county

LATER = NOW.replace(year=2027, month=1, day=20)
JUNE = date(2026, 6, 30)


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


async def test_a_line_is_kept_corrected_with_a_reason_and_never_lost(town: SmallCounty) -> None:
    """The same again changes nothing; another figure is a new version; both can be read."""
    actor = await acting(town.instructor)
    assert await service.save(actor, [line(town.worker)], NOW) == Saved(1, 0, 0)
    assert await service.save(actor, [line(town.worker)], NOW) == Saved(0, 0, 1)
    with pytest.raises(Invalid, match="更正原因"):
        await service.save(actor, [line(town.worker, "17")], NOW)
    saved = await service.save(actor, [line(town.worker, "17")], NOW, reason="数错一天")
    assert saved == Saved(0, 1, 0)
    found = await personal.records(actor, town.worker.person_id, date.min, date.max, NOW)
    assert found.name == town.worker.name
    before = await personal.records(
        actor, town.worker.person_id, date(2026, 1, 1), date(2026, 6, 30), NOW
    )
    assert (before.name, before.versions) == (town.worker.name, [])
    assert [(row.on_duty, row.current, row.reason) for row in found.versions] == [
        (Decimal(17), True, "数错一天"),
        (Decimal(18), False, ""),
    ]
    events = await DB.fetch(
        "SELECT before IS NULL AS first, reason FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'duty.attendance' ORDER BY id",
        COUNTY,
    )
    assert [tuple(row) for row in events] == [(True, ""), (False, "数错一天")]


async def test_whose_lines_one_may_enter(town: SmallCounty) -> None:
    """An instructor the own township's, the department all; nobody the own; others nothing."""
    instructor = await acting(town.instructor)
    with pytest.raises(NotInPost):
        await service.save(instructor, [line(town.cousin_worker)], NOW)
    department = await acting(town.department, desk=True)
    lines = [line(town.cousin_worker), line(town.second_worker)]
    assert (await service.save(department, lines, NOW)).created == 2
    for other in (town.chief, town.lead, town.worker):
        with pytest.raises(NotInPost):
            await service.save(await acting(other), [line(town.second_worker)], NOW)
    both = await member(Role.GRIDWORKER, town.units["421222100002001"])
    duties = (*instructor.duties, *(await acting(both)).duties)
    myself = type(instructor)(
        county_id=COUNTY,
        person_id=both.person_id,
        name="",
        account_id=instructor.account_id,
        session_id=instructor.session_id,
        duties=duties,
    )
    with pytest.raises(Forbidden, match="本人"):
        await service.save(myself, [line(both)], NOW)


async def test_wrong_lines_are_named_by_their_person_and_nothing_is_kept(
    town: SmallCounty,
) -> None:
    """One bad line of two keeps the good one out as well."""
    actor = await acting(town.department)
    bad = line(town.worker, "20", "1")
    with pytest.raises(Invalid) as refused:
        await service.save(actor, [line(town.second_worker), bad], NOW)
    assert refused.value.fields == {
        str(town.worker.person_id): "出勤加请假多于应出勤天数，请核对。"
    }
    early = line(town.worker, month=202512)
    with pytest.raises(Invalid) as refused:
        await service.save(actor, [early], NOW)
    assert "2025年12月不在这个村的网格员岗位上" in str(refused.value.fields)
    assert await service.own(await acting(town.second_worker)) == []


async def test_a_cycle_past_collecting_freezes_its_days_and_no_others(town: SmallCounty) -> None:
    """The annual cycle of 2026 is scored: October is closed, June and January 2027 are not."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    assert (await service.save(department, [line(town.worker)], NOW)).created == 1
    made = await entries.add(department, fact(town.worker), NOW)
    await bring_to(department, cycle_id, Stage.SCORE, LATER)
    with pytest.raises(Frozen, match=r"2026年度网格员考核.*评分"):
        await service.save(department, [line(town.worker, "1")], LATER, reason="改")
    for refused in (
        entries.add(department, fact(town.worker, EntryKind.COMMEND), LATER),
        entries.withdraw(department, made, "撤"),
        entries.correct(department, made, fact(town.worker, place="渡口"), "改", LATER),
        entries.correct(department, made, fact(town.worker, happened_on=JUNE), "改", LATER),
    ):
        with pytest.raises(Frozen):
            await refused
    june = line(town.worker, month=202606)
    january = line(town.worker, month=202701)
    assert (await service.save(department, [june, january], LATER)).created == 2


async def test_usual_days_are_working_days_in_post(town: SmallCounty) -> None:
    """October 2026 has 18 working days; who came on the 19th has ten of them."""
    late = await member(
        Role.GRIDWORKER, town.units["421222100001002"], valid_from=date(2026, 10, 19)
    )
    lines = await service.sheet(await acting(town.instructor), "421222100001", MONTH)
    usual = await service.usual_days(COUNTY, lines)
    village = late.unit_code[:12]
    assert usual[town.worker.person_id, village] == Decimal(18)
    assert usual[late.person_id, village] == Decimal(10)


async def test_missing_lines_are_named_until_last_month_with_whom_to_ask(
    town: SmallCounty,
) -> None:
    """July to October of three workers; the month that runs is not missed yet."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await service.save(department, [line(town.worker)], NOW)
    cycle, rows, instructors = await service.missing(department, cycle_id, NOW)
    assert cycle.id == cycle_id
    months = (202607, 202608, 202609)
    assert {row.name: row.months for row in rows} == {
        town.worker.name: months,
        town.second_worker.name: (*months, MONTH),
        town.cousin_worker.name: (*months, MONTH),
    }
    assert instructors == {"421222100": town.instructor.name}
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    _, own, _ = await service.missing(await acting(town.instructor), cycle_id, NOW)
    assert {row.township_code for row in own} == {"421222100"}


async def test_the_total_adds_up_by_cycle_and_never_guesses(town: SmallCounty) -> None:
    """Days of the period only, its last as well, entries that stand, vetoes that are approved.

    Of a corrected line the last version; NULL without sheet.
    """
    department = await acting(town.department, desk=True)
    annual = await opened(department, NOW, kind=Kind.ANNUAL)
    half = await opened(department, NOW, kind=Kind.HALF_YEAR)
    who = town.worker
    lines = [line(who), line(who, "10", "0.5", month=202609), line(who, "15", month=202606)]
    await service.save(department, [line(who, "14", month=202606)], NOW)
    await service.save(department, lines, NOW, reason="数错一天")
    await entries.add(department, fact(who), NOW)
    await entries.add(department, fact(who, happened_on=JUNE), NOW)
    withdrawn = await entries.add(department, fact(who, place="渡口"), NOW)
    await entries.withdraw(department, withdrawn, "不是他")
    await entries.add(department, fact(who, outcome="passed", place="桥头"), NOW)
    await entries.add(department, fact(who, EntryKind.COMMEND), NOW)
    await entries.add(department, fact(who, EntryKind.COMMEND, level="township"), NOW)
    await entries.add(department, fact(who, EntryKind.COMPLAINT), NOW)
    veto = await entries.add(department, fact(who, EntryKind.VETO), NOW)
    found = await duty_total(annual, who.person_id)
    assert (found.rostered_days, found.duty_days, found.leave_days) == (
        Decimal(40),
        Decimal(28),
        Decimal("1.5"),
    )
    assert (found.missing_months, found.failed_checks, found.complaints_founded) == (4, 1, 1)
    assert (found.commended_township, found.commended_county) == (1, 1)
    assert (found.data_checked, found.veto, found.veto_reason) == (0, False, None)
    other = await acting(await member(Role.DEPARTMENT, town.units["421222"]), desk=True)
    await entries.decide(other, veto, stands=True, reason="属实", now=NOW)
    found = await duty_total(annual, who.person_id)
    assert (found.veto, found.veto_reason) == (True, "泄露数据（调查结论）")
    first = await duty_total(half, who.person_id)
    assert (first.duty_days, first.failed_checks, first.veto) == (Decimal(15), 1, False)
    nothing = await duty_total(annual, town.second_worker.person_id)
    assert (nothing.rostered_days, nothing.missing_months) == (None, 6)


async def test_days_before_and_after_a_transfer_add_up(town: SmallCounty) -> None:
    """A worker of two villages in one month has a line in each sheet, and both count."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    who = town.worker
    await roster.end_assignment(COUNTY, who.assignment_id, date(2026, 10, 15), reason="调整")
    post = await roster.add_post(COUNTY, town.units["421222101001002"].id, Role.GRIDWORKER)
    await roster.assign(COUNTY, post, who.person_id, date(2026, 10, 15), now=now())
    there = line(who, "9", "0", rostered="9", village_code="421222101001")
    here = line(who, "6", "1", rostered="8")
    assert (await service.save(department, [here, there], NOW)).created == 2
    found = await duty_total(cycle_id, who.person_id)
    assert (found.rostered_days, found.duty_days) == (Decimal(17), Decimal(15))


async def test_scoring_waits_for_a_veto_that_nobody_decided(town: SmallCounty) -> None:
    """The step names it; decided either way it is free."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW)
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    form = fact(town.worker, EntryKind.VETO, happened_on=date(2026, 6, 30))
    veto = await entries.add(await acting(town.instructor), form, NOW)
    with pytest.raises(Conflict, match="1 件一票否决等待审定"):
        await bring_to(department, cycle_id, Stage.SCORE, NOW)
    await entries.decide(department, veto, stands=False, reason="证据不足", now=NOW)
    await bring_to(department, cycle_id, Stage.SCORE, NOW)


async def test_a_year_without_calendar_is_an_alarm(town: SmallCounty) -> None:
    """No guess of what was rostered."""
    lines = await service.sheet(await acting(town.instructor), "421222100", 202701)
    with pytest.raises(MissingYear, match="2027年"):
        await service.usual_days(COUNTY, lines)
