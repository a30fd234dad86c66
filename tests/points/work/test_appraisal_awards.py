"""+30 for an annual 优秀: read from appraisal's view, posted once, from the county's fund."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from appraisal.cycle.rules import Kind, Stage
from points.ledger import queries as ledger_queries
from points.ledger import service as ledger
from points.ledger.items import Award, OpenFund
from points.ledger.verifier import service as verifier
from points.settlement.funds import service as funds
from points.settlement.funds.schemas import ResolutionForm
from points.work import appraisal_awards, award_queries
from points.work.jobs import JOBS
from shared.clock import now
from shared.database import DB
from shared.ids import new_id
from shared.roster.roles import Role
from shared.scheduling import runner
from tests.appraisal.casework.scene import Scene, result
from tests.appraisal.cycle.stages import bring_to, opened
from tests.factories import COUNTY, SmallCounty, acting, member, small_county
from tests.points.redemption import scene as counter

CLOSED = datetime(2027, 1, 20, 4, tzinfo=UTC)
COLUMNS = [
    "county_id",
    "person_id",
    "cycle_id",
    "award",
    "amount",
    "grid_code",
    "title",
    "earned_on",
    "closed_on",
]


async def year(town: SmallCounty, *, closed: bool = True) -> UUID:
    """An annual cycle with one 优秀 and one 合格."""
    department = await acting(town.department, desk=True)
    clerk = await member(Role.DEPARTMENT, town.units[str(COUNTY)], "吴科长")
    cycle_id = await opened(department, CLOSED, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.NOTICE, CLOSED)
    made = Scene(town, cycle_id, clerk, CLOSED)
    await result(made, town.worker, "excellent", "93.0")
    await result(made, town.second_worker, "good", "80.0")
    await bring_to(department, cycle_id, Stage.CLOSED if closed else Stage.APPEAL, CLOSED)
    return cycle_id


async def test_the_view_keeps_its_columns(rollback: None) -> None:
    """The contract: names and order; a new one goes to the end."""
    rows = await DB.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'appraisal.award_due'::regclass"
        " AND attnum > 0 ORDER BY attnum"
    )
    assert [row["attname"] for row in rows][: len(COLUMNS)] == COLUMNS


async def test_an_open_cycle_gives_nothing(rollback: None) -> None:
    """Only a closed one cannot change any more."""
    town = await small_county()
    await year(town, closed=False)
    assert await appraisal_awards.post_due(COUNTY, CLOSED) == (0, 0)


async def test_thirty_points_once_from_the_countys_fund(rollback: None) -> None:
    """Whatever the caps say, in merit and wallet; the next night finds nothing to do."""
    town = await small_county()
    fund_id = await counter.fund(str(COUNTY))
    await year(town)
    assert await appraisal_awards.post_due(COUNTY, CLOSED) == (1, 300)
    assert await appraisal_awards.post_due(COUNTY, CLOSED + timedelta(days=1)) == (0, 0)
    got = await ledger.balances(COUNTY, town.worker.person_id, CLOSED)
    assert (got.merit, got.wallet) == (300, 300)
    other = await ledger.balances(COUNTY, town.second_worker.person_id, CLOSED)
    assert other.merit == 0
    (lot,) = await ledger_queries.lots(COUNTY, town.worker.person_id)
    assert lot.fund_id == fund_id
    counted = "SELECT count(*) FROM points.merit_month WHERE county_id = $1"
    assert await DB.fetchval(counted, COUNTY) == 0
    assert (await verifier.verify(COUNTY)).findings == ()


async def test_without_a_county_fund_the_wallet_waits(rollback: None) -> None:
    """Merit at once; a village's fund does not pay for the county's award."""
    town = await small_county()
    await counter.fund("421222100001")
    await year(town)
    await appraisal_awards.post_due(COUNTY, CLOSED)
    got = await ledger.balances(COUNTY, town.worker.person_id, CLOSED)
    assert (got.merit, got.wallet, got.awaiting) == (300, 0, 300)


async def test_the_countys_first_resolution_pays_the_awards_that_waited(rollback: None) -> None:
    """They are the county's own, of no village: its fund takes them over when it is opened."""
    town = await small_county()
    await year(town)
    await appraisal_awards.post_due(COUNTY, CLOSED)
    form = ResolutionForm(
        unit_code=str(COUNTY),
        number="县财预〔2026〕9号",
        resolved_on=date(2026, 11, 2),
        amount_fen=100_000,
    )
    resolved = await funds.resolve(None, COUNTY, form, now())
    assert (resolved.awards, resolved.released) == (1, 300)
    assert (await ledger.balances(COUNTY, town.worker.person_id)).awaiting == 0


async def test_an_award_that_no_fund_took_over_is_paid(rollback: None) -> None:
    """Left behind when the county opened its fund: its next resolution or the night finds it."""
    town = await small_county()
    await year(town)
    await appraisal_awards.post_due(COUNTY, CLOSED)
    opened = OpenFund(id=new_id(), unit_code=str(COUNTY), name="县", point_value_fen=100)
    await ledger.post_one(COUNTY, opened)
    form = ResolutionForm(
        unit_code=str(COUNTY),
        number="县财预〔2026〕9号",
        resolved_on=date(2026, 11, 2),
        amount_fen=100_000,
    )
    assert (await funds.resolve(None, COUNTY, form, now())).released == 300
    left = Award(
        id=new_id(),
        person_id=town.worker.person_id,
        code="SVC-01",
        merit=10,
        wallet=10,
        fund_id=None,
        unit_code="421222100001",
        day=CLOSED.date(),
        expires_on=None,
    )
    await ledger.post_one(COUNTY, left)
    assert (await ledger.balances(COUNTY, town.worker.person_id)).awaiting == 10
    assert await ledger.release_waiting(COUNTY, "year_end_plus_one", CLOSED.date()) == 10
    assert await ledger.release_waiting(COUNTY, "year_end_plus_one", CLOSED.date()) == 0
    got = await ledger.balances(COUNTY, town.worker.person_id)
    assert (got.awaiting, got.wallet) == (0, 310)
    assert not (await verifier.verify(COUNTY)).findings


async def test_the_night_job_does_it(rollback: None) -> None:
    """Through the scheduler's runner, in a process that has both services."""
    town = await small_county()
    await year(town)
    (job,) = [job for job in JOBS if job.name == "work.award"]
    await runner.run_due(job, CLOSED)
    assert await runner.failures(COUNTY) == []
    got = await ledger.balances(COUNTY, town.worker.person_id, CLOSED)
    assert got.merit == 300


async def test_two_roles_meet_at_the_view_alone(rollback: None) -> None:
    """Points reads what is due and no more of appraisal; appraisal posts nothing."""
    town = await small_county()
    cycle_id = await year(town)
    await DB.execute("SET LOCAL ROLE gridmerit_points")
    due = await award_queries.due(COUNTY)
    assert [(one.person_id, one.cycle_id, one.amount) for one in due] == [
        (town.worker.person_id, cycle_id, 300)
    ]
    assert await appraisal_awards.post_due(COUNTY, CLOSED) == (1, 300)
    for forbidden in (
        "SELECT FROM appraisal.score WHERE county_id = $1",
        "UPDATE appraisal.cycle SET title = '' WHERE county_id = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with DB.transaction():
                await DB.execute(forbidden, COUNTY)
    await DB.execute("SET LOCAL ROLE gridmerit_appraisal")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with DB.transaction():
            await appraisal_awards.post_due(COUNTY, CLOSED)
    await DB.execute("SET LOCAL ROLE gridmerit_app")


def test_the_same_award_has_the_same_id() -> None:
    """Another person, cycle or award has another."""
    one = award_queries.Due(
        person_id=UUID(int=1),
        cycle_id=UUID(int=2),
        award="annual_excellent",
        amount=300,
        title="",
        closed_on=CLOSED.date(),
    )
    same = msgspec.structs.replace(one, title="x", amount=500)
    assert appraisal_awards.award_id(COUNTY, one) == appraisal_awards.award_id(COUNTY, same)
    other = msgspec.structs.replace(one, person_id=UUID(int=3))
    assert appraisal_awards.award_id(COUNTY, one) != appraisal_awards.award_id(COUNTY, other)
