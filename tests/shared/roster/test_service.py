"""The roster's contract with the other features, on PostgreSQL."""

from datetime import date, timedelta

import pytest

from shared.clock import now
from shared.database import DB
from shared.errors import Conflict, NotFound
from shared.roster import service
from shared.roster.errors import BadPeriod, BadPhone, PhoneTaken, PostTaken
from shared.roster.roles import Employment, Role, UnitKind
from tests.factories import COUNTY, STARTED, member, phone, small_county, units

TODAY = date(2026, 11, 24)


async def test_duties_follow_the_assignments_of_the_day(rollback: None) -> None:
    """Nothing before the first day, the duty from it on, nothing from the last day on."""
    made = await units()
    lead = await member(
        Role.LEAD,
        made["421222100001"],
        grids=("421222100001001",),
        valid_from=date(2026, 3, 1),
        valid_to=date(2026, 6, 1),
    )

    async def on(day: date) -> list[tuple[Role, str, tuple[str, ...]]]:
        duties = await service.duties_at(COUNTY, lead.person_id, day)
        return [(duty.role, duty.unit_code, duty.grids) for duty in duties]

    held = [(Role.LEAD, "421222100001", ("421222100001001",))]
    assert await on(date(2026, 2, 28)) == []
    assert await on(date(2026, 3, 1)) == held
    assert await on(date(2026, 5, 31)) == held
    assert await on(date(2026, 6, 1)) == []


async def test_holders_are_those_at_exactly_the_unit(rollback: None) -> None:
    """A village's leads are not a township's, and a role is not another."""
    world = await small_county()
    leads = await service.holders(COUNTY, Role.LEAD, "421222100001", TODAY)
    assert [(holder.name, holder.grids) for holder in leads] == [
        ("郑志强", ("421222100001001",)),
        ("汪春花", ("421222100001002",)),
    ]
    assert await service.holders(COUNTY, Role.LEAD, "421222100", TODAY) == []
    assert await service.holders(COUNTY, Role.CHIEF, "421222100002", TODAY) == []
    assert leads[0].person_id == world.lead.person_id


async def test_a_gridworkers_place_names_grid_village_and_township(rollback: None) -> None:
    """The place is found on a day in the post, None otherwise."""
    world = await small_county()
    place = await service.worker_place(COUNTY, world.worker.person_id, TODAY)
    assert place is not None
    assert (place.grid_code, place.village_code, place.township_name) == (
        "421222100001001",
        "421222100001",
        "隽水镇",
    )
    assert await service.worker_place(COUNTY, world.chief.person_id, TODAY) is None
    before = STARTED - timedelta(days=1)
    assert await service.worker_place(COUNTY, world.worker.person_id, before) is None


async def test_workers_lists_everybody_who_was_there_in_the_period(rollback: None) -> None:
    """Someone who left within the period is listed with the end."""
    made = await units()
    grid = made["421222100001001"]
    left = await member(Role.GRIDWORKER, grid, "甲", valid_to=date(2026, 10, 10))
    await service.assign(
        COUNTY,
        left.post_id,
        await service.add_person(COUNTY, "乙", phone(), Employment.CONTRACT, now=now()),
        date(2026, 10, 10),
        now=now(),
    )
    spans = await service.workers(COUNTY, "421222100", date(2026, 10, 1), date(2026, 10, 31))
    assert [(span.name, span.valid_from, span.valid_to) for span in spans] == [
        ("甲", STARTED, date(2026, 10, 10)),
        ("乙", date(2026, 10, 10), None),
    ]
    november = await service.workers(COUNTY, "421222", date(2026, 11, 1), date(2026, 11, 30))
    assert [span.name for span in november] == ["乙"]


async def test_one_person_per_post_at_a_time(rollback: None) -> None:
    """An overlapping assignment is refused; the day the first ends is free."""
    made = await units()
    first = await member(Role.GRIDWORKER, made["421222100001001"])
    other = await service.add_person(COUNTY, "李四", phone(), Employment.CONTRACT, now=now())
    with pytest.raises(PostTaken):
        await service.assign(COUNTY, first.post_id, other, TODAY, now=now())
    await service.end_assignment(COUNTY, first.assignment_id, TODAY)
    await service.assign(COUNTY, first.post_id, other, TODAY, now=now())


async def test_an_ended_assignment_is_not_overwritten(rollback: None) -> None:
    """Ending twice, before the beginning, or what is not there, each has its refusal."""
    made = await units()
    first = await member(Role.GRIDWORKER, made["421222100001001"])
    with pytest.raises(BadPeriod):
        await service.end_assignment(COUNTY, first.assignment_id, STARTED)
    await service.end_assignment(COUNTY, first.assignment_id, TODAY)
    with pytest.raises(Conflict):
        await service.end_assignment(COUNTY, first.assignment_id, TODAY)
    with pytest.raises(NotFound):
        await service.end_assignment(COUNTY, first.person_id, TODAY)


async def test_phones_are_unique_and_checked(rollback: None) -> None:
    """However it is typed, a number is one number; what is no mobile number is refused."""
    await service.add_county(COUNTY, "通城县")
    number = phone()
    someone = await service.add_person(COUNTY, "张三", number, Employment.CONTRACT, now=now())
    with pytest.raises(PhoneTaken):
        await service.add_person(COUNTY, "李四", f"+86 {number}", Employment.CONTRACT, now=now())
    with pytest.raises(BadPhone):
        await service.add_person(COUNTY, "李四", "12345", Employment.CONTRACT, now=now())
    found = await service.person_by_phone(COUNTY, f"{number[:3]}-{number[3:]}")
    assert found is not None
    assert (found.id, found.phone_masked) == (someone, f"139****{number[-4:]}")
    assert await service.phone_of(COUNTY, someone) == number
    assert await service.person_by_phone(COUNTY + 1, number) is None


async def test_units_below_are_the_subtree(rollback: None) -> None:
    """Prefix of the code, optionally one kind."""
    await units()
    grids = await service.units_below(COUNTY, "421222100001", UnitKind.GRID)
    assert [grid.code for grid in grids] == ["421222100001001", "421222100001002"]
    assert len(await service.units_below(COUNTY, "421222100")) == 1 + 2 + 4
    with pytest.raises(Conflict):
        await service.add_unit(COUNTY, "421222100", "隽水镇")
    with pytest.raises(NotFound):
        await service.add_unit(COUNTY, "421222999001", "无名村")


async def test_a_unit_is_found_by_its_code(rollback: None) -> None:
    """As joins ask for it: lists that name units looked through all of them for each row."""
    await units()
    await DB.execute("SET LOCAL enable_seqscan = off")
    plan = await DB.fetch(
        "EXPLAIN SELECT name FROM shared.unit WHERE county_id = $1 AND code = $2",
        COUNTY,
        "421222100",
    )
    assert not [row[0] for row in plan if "Filter" in row[0]], plan
