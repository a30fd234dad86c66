"""Two at once, with real commits: one wins, the other gets a sentence, nothing is doubled."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.roster import service as roster
from shared.roster.errors import Changed, PhoneTaken, PostTaken
from shared.roster.intake import service as intake
from shared.roster.intake.service import FaultyFile, RosterFile
from shared.roster.office import service as office
from shared.roster.office.schemas import (
    TRANSFERS,
    AppointForm,
    EndForm,
    NewUnitForm,
    PersonForm,
    PostForm,
    TransferForm,
)
from shared.roster.roles import Employment, Role
from tests.factories import COUNTY, acting, phone, small_county
from tests.shared.roster.intake import sheets

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


async def test_two_assignments_to_one_post(committed: None) -> None:
    """Exactly one holds it (invariant I17)."""
    world = await small_county()
    grid = world.units["421222101002001"]
    post_id = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    people = [
        await roster.add_person(COUNTY, "张三", phone(), Employment.CONTRACT, now=now())
        for _ in range(8)
    ]
    results = await asyncio.gather(
        *(roster.assign(COUNTY, post_id, person, today(), now=now()) for person in people),
        return_exceptions=True,
    )
    assert sum(isinstance(result, PostTaken) for result in results) == 7
    assert len(await roster.holders(COUNTY, Role.GRIDWORKER, grid.code, today())) == 1


async def test_two_people_with_one_phone(committed: None) -> None:
    """The second is refused, its post stays vacant."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    number = phone()
    posts = [
        await roster.add_post(COUNTY, world.units[f"42122210100200{n}"].id, Role.GRIDWORKER)
        for n in (1, 2)
    ]

    def form(name: str) -> AppointForm:
        return AppointForm(
            name=name, phone=number, employment=Employment.CONTRACT, valid_from=today()
        )

    results = await asyncio.gather(
        office.appoint(actor, posts[0], form("张三"), NOW),
        office.appoint(actor, posts[1], form("李四"), NOW),
        return_exceptions=True,
    )
    # Which of the two sentences depends on whether the first had committed already.
    assert sum(isinstance(result, PhoneTaken | Invalid) for result in results) == 1
    count = await DB.fetchval(
        "SELECT count(*) FROM shared.assignment WHERE county_id = $1 AND post_id = ANY($2)",
        COUNTY,
        posts,
    )
    assert count == 1


async def test_two_saves_of_one_form(committed: None) -> None:
    """One is stored, the other is told; the version moves by one."""
    world = await small_county()
    actor = await acting(world.department, desk=True)

    def form(name: str) -> PersonForm:
        return PersonForm(name=name, employment=Employment.CONTRACT, version=1)

    results = await asyncio.gather(
        *(
            office.edit_person(actor, world.worker.person_id, form(name), NOW)
            for name in ("欧阳甲", "欧阳乙", "欧阳丙")
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Changed) for result in results) == 2
    card = await roster.person(COUNTY, world.worker.person_id)
    assert card is not None
    assert card.version == 2


async def test_end_and_transfer_at_once(committed: None) -> None:
    """The assignment ends once, by one of the two."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    post_id = await roster.add_post(COUNTY, world.units["421222101002001"].id, Role.GRIDWORKER)
    ending = EndForm(on=today(), reason="辞职")
    moving = TransferForm(post_id=post_id, on=today(), reason="调整", ground=TRANSFERS[0])
    results = await asyncio.gather(
        office.end(actor, world.worker.assignment_id, ending),
        office.transfer(actor, world.worker.assignment_id, moving, NOW),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    tenures = await roster.history(COUNTY, world.worker.person_id)
    moved = results[1] is None
    assert [tenure.valid_to for tenure in tenures] == ([None] if moved else []) + [today()]


async def second_of(
    first: Callable[[], Awaitable[Any]], second: Callable[[], Awaitable[Any]]
) -> Any:
    """What becomes of an act that met another one's rows before these were committed."""
    met = asyncio.Event()

    async def later() -> Any:
        await met.wait()
        return await second()

    task = asyncio.create_task(later())
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    async with asyncio.timeout(30), DB.transaction():
        await first()
        met.set()
        while not await DB.fetchval(waits):
            pass
    return (await asyncio.gather(task, return_exceptions=True))[0]


@pytest.mark.parametrize("closes", ["post", "unit"])
@pytest.mark.parametrize("closed_first", [False, True])
async def test_nobody_is_appointed_to_what_is_closed_meanwhile(
    committed: None, closes: str, *, closed_first: bool
) -> None:
    """Whoever is late is told; a holder of a closed post would be in no list and no count."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    grid = world.units["421222101002001"]
    post_id = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    form = AppointForm(
        name="张三", phone=phone(), employment=Employment.CONTRACT, valid_from=today()
    )

    async def appoint() -> object:
        return await office.appoint(actor, post_id, form, NOW)

    async def close() -> None:
        if closes == "post":
            await office.close_post(actor, post_id, NOW)
        else:
            await office.close_unit(actor, grid.code, NOW)

    outcome = await (second_of(close, appoint) if closed_first else second_of(appoint, close))
    assert isinstance(outcome, NotFound if closed_first else Conflict), outcome
    holders = await roster.holders(COUNTY, Role.GRIDWORKER, grid.code, today())
    assert len(holders) == (0 if closed_first else 1)
    unit = await roster.unit_by_code(COUNTY, grid.code)
    assert unit is not None
    assert (unit.closed_on is not None) is (closed_first and closes == "unit")


async def test_a_post_that_an_import_fills_is_not_closed(committed: None) -> None:
    """The press waits for the import; what it looked at before holds no longer."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    grid = world.units["421222101002001"]
    post_id = await roster.add_post(COUNTY, grid.id, Role.GRIDWORKER)
    row = sheets.person("张三", phone(), place=("麦市镇", "麦2村委会", "421222101002"))
    file = RosterFile(name="a.xlsx", data=sheets.workbook([row]))
    outcome = await second_of(
        lambda: intake.apply(COUNTY, file, NOW), lambda: office.close_post(actor, post_id, NOW)
    )
    assert isinstance(outcome, Conflict)
    assert await roster.holders(COUNTY, Role.GRIDWORKER, grid.code, today())


async def test_an_import_and_edits_by_hand(committed: None) -> None:
    """They wait for each other; whoever is late works on what the other left, or is refused."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    file = RosterFile(name="a.xlsx", data=sheets.workbook(sheets.staff()))
    ending = EndForm(on=today(), reason="辞职")
    results = await asyncio.gather(
        intake.apply(COUNTY, file, NOW),
        office.end(actor, world.worker.assignment_id, ending),
        office.end(actor, world.second_worker.assignment_id, ending),
        return_exceptions=True,
    )
    imported = results[0]
    assert isinstance(imported, FaultyFile) or not isinstance(imported, BaseException), imported
    overlapping = await DB.fetchval(
        """
        SELECT count(*) FROM shared.assignment a JOIN shared.assignment b
          ON b.county_id = $1 AND b.post_id = a.post_id AND b.id > a.id
        WHERE a.county_id = $1
          AND daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)
        """,
        COUNTY,
    )
    assert overlapping == 0


@pytest.mark.parametrize("adds", ["post", "unit"])
@pytest.mark.parametrize("closed_first", [False, True])
async def test_nothing_is_added_below_what_is_closed_meanwhile(
    committed: None, adds: str, *, closed_first: bool
) -> None:
    """A grid in use below a closed village would stand on the list of vacancies for ever."""
    world = await small_county()
    actor = await acting(world.department, desk=True)
    village = world.units["421222101002"]

    async def add() -> None:
        if adds == "post":
            await office.add_post(actor, village.code, PostForm(role=Role.CHIEF))
        else:
            await office.add_unit(actor, village.code, NewUnitForm(number="009", name="新网格"))

    async def close() -> None:
        await office.close_unit(actor, village.code, NOW)

    outcome = await (second_of(close, add) if closed_first else second_of(add, close))
    assert isinstance(outcome, NotFound) if closed_first else outcome is None, outcome
    left = await DB.fetchval(
        "SELECT count(*) FROM shared.unit u LEFT JOIN shared.post p ON p.county_id = $1"
        " AND p.unit_id = u.id WHERE u.county_id = $1 AND starts_with(u.code, $2)"
        " AND (u.closed_on IS NULL OR p.id IS NOT NULL AND p.closed_on IS NULL)",
        COUNTY,
        village.code,
    )
    assert left == 0
