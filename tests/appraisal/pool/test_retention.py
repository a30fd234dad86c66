"""What pools keep of people goes in time: abandoned applications, protections, kinships."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest

from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.casework.rules import Outcome, Pool
from appraisal.errors import NoticeRefused, StepRefused
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm
from appraisal.pool import queries, service
from appraisal.pool.rules import Protection
from appraisal.pool.schemas import ShieldForm
from shared.database import DB
from shared.ids import new_id
from shared.retention.registry import ABANDONED, APPLICANT, PROTECTION
from shared.roster import service as roster
from tests.appraisal.casework.scene import Scene, actor_of, scene, sign
from tests.appraisal.notice.test_contest import received
from tests.appraisal.pool.test_service import application, vacant_post
from tests.factories import COUNTY


async def applied(
    made: Scene, *steps: str, name: str = "汪小芳", phone: str = "13700001111"
) -> UUID:
    """An application for a vacant post, with the first steps signed today."""
    instructor = await actor_of(made, made.town.instructor)
    form = application(made, await vacant_post(made), name=name, phone=phone)
    case_id = await service.apply(instructor, form, made.now)
    for step in steps:
        await sign(made, made.town.instructor, case_id, step)
    return case_id


async def contact(case_id: UUID) -> tuple[str | None, bool]:
    """The name, and whether there is a phone."""
    row = await queries.contact(COUNTY, case_id)
    assert row is not None
    return row.name, row.phone_cipher is not None


async def erased() -> list[dict[str, object]]:
    rows = await DB.fetch(
        "SELECT after FROM shared.audit_event WHERE county_id = $1 AND action = 'data.erase'",
        COUNTY,
    )
    return [msgspec.json.decode(row["after"]) for row in rows]


async def test_an_application_that_nobody_decides_on_loses_its_name(rollback: None) -> None:
    """A year after the last step; the case can only be closed then, the person apply again."""
    made = await scene()
    case_id = await applied(made, "checked")
    made.pass_days(ABANDONED.days - 1)
    assert await service.purge(COUNTY, made.now) == 0
    assert await contact(case_id) == ("汪小芳", True)
    made.pass_days(2)
    assert await service.purge(COUNTY, made.now) == 1
    assert await contact(case_id) == (None, False)
    assert await erased() == [{"what": ABANDONED.what, "count": 1}]
    case = await casework_queries.case(COUNTY, case_id)
    assert case is not None
    assert case.name == "（已清除）"
    with pytest.raises(StepRefused, match="已经清除"):
        await sign(made, made.town.instructor, case_id, "interviewed")
    await applied(made)
    closed = await sign(made, made.town.instructor, case_id, "withdrawn")
    assert (closed.outcome, closed.done) == (Outcome.WITHDRAWN, True)
    made.pass_days(APPLICANT.days)
    assert await service.purge(COUNTY, made.now) == 0


async def test_an_erased_applicant_does_not_hold_up_a_notice(rollback: None) -> None:
    """Nor is there a notice of somebody without a name; the others' is published.

    Nobody is erased while it is looked into what was objected to theirs.
    """
    made = await scene()
    await applied(made, "checked", "interviewed", "villagers")
    made.pass_days(ABANDONED.days + 1)
    assert await service.purge(COUNTY, made.now) == 1
    department = await actor_of(made, made.town.department)
    with pytest.raises(NoticeRefused, match="没有等待"):
        await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    await applied(made, "checked", "interviewed", "villagers", name="魏大山", phone="13700002222")
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    _, entries = await notice.view(department, notice_id)
    assert [entry.name for entry in entries] == ["魏*山"]
    contest_id = await received(made, notice_id)
    made.pass_days(ABANDONED.days + 1)
    assert await service.purge(COUNTY, made.now) == 0
    await sign(made, made.clerk, contest_id, "withdrawn")
    assert await service.purge(COUNTY, made.now) == 1


async def test_who_signed_an_agreement_is_not_forgotten(rollback: None) -> None:
    """However long the post is not opened, the agreement has a name in it."""
    made = await scene()
    case_id = await applied(made, "checked", "interviewed", "villagers")
    department = await actor_of(made, made.town.department)
    await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    made.pass_days(14)
    await sign(made, made.town.instructor, case_id, "agreed")
    made.pass_days(3 * ABANDONED.days)
    assert await service.purge(COUNTY, made.now) == 0
    assert await contact(case_id) == ("汪小芳", True)


async def shield(made: Scene, ends_on: date | None) -> None:
    clerk = await actor_of(made, made.clerk)
    form = ShieldForm(
        kind=Protection.MEDICAL_PERIOD, starts_on=made.today, ends_on=ends_on, document="证明1号"
    )
    await service.record_shield(clerk, made.town.worker.person_id, form, made.now)


async def shields() -> Sequence[date | None]:
    rows = await DB.fetch("SELECT ends_on FROM appraisal.shield WHERE county_id = $1", COUNTY)
    return [row["ends_on"] for row in rows]


async def test_a_protection_goes_three_years_after_its_end(rollback: None) -> None:
    """The open one stays while its person is in post, and goes three years after they left."""
    made = await scene()
    ended = made.today + timedelta(days=30)
    await shield(made, ended)
    await shield(made, None)
    made.pass_days(30 + PROTECTION.days)
    assert await service.forget(COUNTY, made.now) == 0
    made.pass_days(1)
    assert await service.forget(COUNTY, made.now) == 1
    assert await shields() == [None]
    await roster.end_assignment(COUNTY, made.town.worker.assignment_id, made.today)
    made.pass_days(PROTECTION.days - 1)
    assert await service.forget(COUNTY, made.now) == 0
    made.pass_days(1)
    assert await service.forget(COUNTY, made.now) == 1
    assert await shields() == []
    assert await erased() == [{"what": PROTECTION.what, "count": 1}] * 2


async def test_a_protection_outlasts_a_case(rollback: None) -> None:
    """While a case of the person is open, nobody takes the evidence away."""
    made = await scene()
    await shield(made, made.today)
    await DB.execute(
        "INSERT INTO appraisal.case_file (county_id, id, machine, pool, person_id, unit_code,"
        " state, opened_at) VALUES ($1, $2, 'exit_wish', 'exit', $3, $4, 'applied', $5)",
        *(COUNTY, new_id(), made.town.worker.person_id, made.town.worker.unit_code, made.now),
    )
    made.pass_days(PROTECTION.days + 1)
    assert await service.forget(COUNTY, made.now) == 0
    assert len(await shields()) == 1


async def test_a_kinship_goes_with_who_left(rollback: None) -> None:
    """One of the two has left, or it was taken back, for three years; others stay."""
    made = await scene()
    clerk = await actor_of(made, made.clerk)
    town = made.town
    for relative in (town.chief, town.lead, town.accountant):
        await casework.record_kin(clerk, relative.name, town.worker.name, made.now)
    made.pass_days(1)
    await roster.end_assignment(COUNTY, town.lead.assignment_id, made.today)
    made.pass_days(PROTECTION.days - 1)
    assert await service.forget(COUNTY, made.now) == 0
    made.pass_days(1)
    assert await service.forget(COUNTY, made.now) == 1
    names = {(row.name, row.relative_name) for row in await casework.kinships(clerk)}
    assert {name for pair in names for name in pair} == {
        town.worker.name,
        town.chief.name,
        town.accountant.name,
    }


async def test_a_kinship_outlasts_a_case_of_either(rollback: None) -> None:
    """Who is to be recused from an open case stays known, whichever of the two it is about."""
    made = await scene()
    clerk = await actor_of(made, made.clerk)
    people = (made.town.worker, made.town.chief, made.town.lead)
    first, middle, last = sorted(people, key=lambda one: one.person_id)
    for relative in (first, last):
        await casework.record_kin(clerk, relative.name, middle.name, made.now)
    for row in await casework.kinships(clerk):
        await casework.end_kin(clerk, row.id, made.now)
    case_id = new_id()
    await DB.execute(
        "INSERT INTO appraisal.case_file (county_id, id, machine, pool, person_id, unit_code,"
        " state, opened_at) VALUES ($1, $2, 'exit_wish', 'exit', $3, $4, 'applied', $5)",
        *(COUNTY, case_id, middle.person_id, made.town.worker.unit_code, made.now),
    )
    made.pass_days(PROTECTION.days + 1)
    assert await service.forget(COUNTY, made.now) == 0
    await DB.execute(
        "UPDATE appraisal.case_file SET done = true, outcome = 'withdrawn'"
        " WHERE county_id = $1 AND id = $2",
        COUNTY,
        case_id,
    )
    assert await service.forget(COUNTY, made.now) == 2
