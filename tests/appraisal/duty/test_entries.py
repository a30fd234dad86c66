"""Spot checks, commendations, complaints, vetoes: entered, corrected, withdrawn, approved."""

from datetime import date

import pytest

from appraisal.casework import service as casework
from appraisal.duty import entries
from appraisal.duty.entries import Filter
from appraisal.duty.errors import NotInPost
from appraisal.duty.rules import EntryKind
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.roster.roles import Role
from tests.appraisal.duty.world import NOW, fact
from tests.factories import SmallCounty, acting, also_in, member, small_county


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


async def test_a_correction_replaces_and_both_stay_readable(town: SmallCounty) -> None:
    """The chain shows what was said before, with the reason; only the new one counts."""
    actor = await acting(town.instructor)
    first = await entries.add(actor, fact(town.worker), NOW)
    with pytest.raises(Invalid, match="原因"):
        await entries.correct(actor, first, fact(town.worker, place="渡口"), " ", NOW)
    second = await entries.correct(actor, first, fact(town.worker, place="渡口"), "地点记错", NOW)
    chain = await entries.view(actor, second)
    assert [(one.place, one.state, one.reason) for one in chain] == [
        ("渡口", "standing", ""),
        ("村委会", "replaced", "地点记错"),
    ]
    with pytest.raises(Conflict, match="已更正"):
        await entries.withdraw(actor, first, "再撤")
    own = await entries.own(await acting(town.worker))
    assert [one.id for one in own] == [second]


async def test_a_correction_keeps_kind_and_person(town: SmallCounty) -> None:
    """Whoever names somebody else in a correction still corrects the one it is about."""
    actor = await acting(town.instructor)
    first = await entries.add(actor, fact(town.worker), NOW)
    other = fact(town.second_worker, EntryKind.COMMEND, outcome="passed", place="桥头")
    second = await entries.correct(actor, first, other, "结果记错", NOW)
    found = (await entries.view(actor, second))[0]
    assert (found.person_id, found.kind) == (town.worker.person_id, EntryKind.CHECK)
    assert found.outcome == "passed"


async def test_of_two_villages_the_one_that_was_chosen_has_the_fact(town: SmallCounty) -> None:
    """A correction keeps it; else it is the writer's own, and never one of another day."""
    grid = town.units["421222101001001"]
    await also_in(town.worker, grid, date(2026, 10, 10))
    department = await acting(town.department, desk=True)
    there = await acting(await member(Role.INSTRUCTOR, town.units["421222101"], "黎指导"))
    village = grid.code[:12]
    chosen = fact(town.worker, village_code=village)
    first = await entries.add(department, chosen, NOW)
    assert (await entries.view(there, first))[0].village_code == village
    second = await entries.correct(department, first, fact(town.worker, place="桥头"), "错", NOW)
    assert (await entries.view(there, second))[0].village_code == village
    own = await entries.add(there, fact(town.worker, place="渡口"), NOW)
    assert (await entries.view(there, own))[0].village_code == village
    lower = await entries.add(department, fact(town.worker, place="卫生室"), NOW)
    before = fact(town.worker, happened_on=date(2026, 10, 9), village_code=village)
    for entry in (lower, await entries.add(department, before, NOW)):
        assert (await entries.view(department, entry))[0].village_code == "421222100001"


async def test_the_same_fact_twice_is_refused_until_withdrawn(town: SmallCounty) -> None:
    """Equal in every word; what was withdrawn may be said again."""
    actor = await acting(town.instructor)
    first = await entries.add(actor, fact(town.worker), NOW)
    with pytest.raises(Conflict, match="完全相同"):
        await entries.add(actor, fact(town.worker, place=" 村委会 "), NOW)
    await entries.withdraw(actor, first, "重登")
    assert await entries.add(actor, fact(town.worker), NOW) != first


async def test_a_veto_counts_when_another_has_approved_it(town: SmallCounty) -> None:
    """Who entered it may not approve it, an instructor may not at all; then only approvers undo."""
    department = await acting(town.department, desk=True)
    instructor = await acting(town.instructor)
    veto = await entries.add(department, fact(town.worker, EntryKind.VETO), NOW)
    assert (await entries.view(department, veto))[0].state == "proposed"
    assert [one.id for one in await entries.to_decide(department)] == [veto]
    with pytest.raises(Forbidden, match="经手"):
        await entries.decide(department, veto, stands=True, reason="属实", now=NOW)
    with pytest.raises(NotFound):
        await entries.decide(instructor, veto, stands=True, reason="属实", now=NOW)
    other = await acting(await member(Role.DEPARTMENT, town.units["421222"]), desk=True)
    await entries.decide(other, veto, stands=True, reason="属实", now=NOW)
    found = (await entries.view(other, veto))[0]
    assert (found.state, found.decided_by_name) == ("standing", other.name)
    with pytest.raises(Conflict):
        await entries.decide(other, veto, stands=False, reason="再审", now=NOW)
    with pytest.raises(NotFound):
        await entries.withdraw(instructor, veto, "撤")
    await entries.withdraw(other, veto, "复查不成立")
    assert (await entries.view(other, veto))[0].state == "withdrawn"


async def test_a_refused_veto_counts_for_nothing(town: SmallCounty) -> None:
    """It stays in the list as 不予认定."""
    veto = await entries.add(await acting(town.instructor), fact(town.worker, EntryKind.VETO), NOW)
    department = await acting(town.department, desk=True)
    await entries.decide(department, veto, stands=False, reason="证据不足", now=NOW)
    assert await entries.own(await acting(town.worker)) == []
    rows, total = await entries.listed(department, Filter(kind=EntryKind.VETO, state="refused"))
    assert ([row.id for row in rows], total) == ([veto], 1)


async def test_no_relative_approves_a_veto(town: SmallCounty) -> None:
    """Nor refuses one: it decides the whole grade."""
    veto = await entries.add(await acting(town.instructor), fact(town.worker, EntryKind.VETO), NOW)
    clerk = await acting(await member(Role.DEPARTMENT, town.units["421222"], "吴科长"), desk=True)
    await casework.record_kin(clerk, "吴科长", town.worker.name, NOW)
    with pytest.raises(Conflict, match="近亲属"):
        await entries.decide(clerk, veto, stands=False, reason="不实", now=NOW)
    department = await acting(town.department, desk=True)
    await entries.decide(department, veto, stands=True, reason="属实", now=NOW)


async def test_who_sees_and_enters_what(town: SmallCounty) -> None:
    """A township its own, a village its own, a worker the own; strangers find nothing."""
    department = await acting(town.department, desk=True)
    here = await entries.add(department, fact(town.worker), NOW)
    there = await entries.add(department, fact(town.cousin_worker), NOW)
    for viewer, seen in (
        (department, {here, there}),
        (await acting(town.instructor), {here}),
        (await acting(town.chief), {here}),
    ):
        rows, _ = await entries.listed(viewer, Filter())
        assert {row.id for row in rows} == seen
    with pytest.raises(NotFound):
        await entries.view(await acting(town.instructor), there)
    with pytest.raises(NotFound):
        await entries.listed(await acting(town.instructor), Filter(unit="421222101"))
    assert len(await entries.view(await acting(town.worker), here)) == 1
    with pytest.raises(NotFound):
        await entries.view(await acting(town.second_worker), here)
    with pytest.raises(NotInPost):
        await entries.add(await acting(town.instructor), fact(town.cousin_worker), NOW)
    with pytest.raises(NotInPost):
        await entries.add(await acting(town.instructor), fact(town.lead), NOW)
