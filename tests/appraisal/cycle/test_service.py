"""Opening cycles and moving them through their stages."""

from datetime import UTC, date, datetime, timedelta

import asyncpg
import msgspec
import pytest

from appraisal.cycle import advancing, queries, rules, service
from appraisal.cycle.rules import Kind, Stage
from appraisal.errors import CycleClosed, WrongStage
from points.work import deductions
from points.work.deductions import Proposal
from shared.clock import now
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.actor import Actor
from shared.identity.errors import ConfirmFirst
from shared.ids import new_id
from tests.appraisal.cycle.stages import bring_to, opened
from tests.conftest import as_owner
from tests.factories import COUNTY, SmallCounty, acting, small_county

AFTER = datetime(2026, 7, 3, tzinfo=UTC)


@pytest.fixture
async def world(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


@pytest.fixture
async def department(world: SmallCounty) -> Actor:
    """The department at its desk, its password just given."""
    actor = await acting(world.department, desk=True)
    return msgspec.structs.replace(actor, confirmed_at=AFTER)


def test_every_stage_leads_to_closed() -> None:
    """From each stage the forward steps end in 办结归档; only late papers open it again."""
    for stage in Stage:
        here, seen = stage, [stage]
        while here is not Stage.CLOSED:
            here = rules.steps_from(here)[0].target
            assert here not in seen
            seen.append(here)
    assert [step.target for step in rules.steps_from(Stage.CLOSED)] == [Stage.APPEAL]


def test_periods_are_the_two_halves_of_a_year() -> None:
    """January–June, and July–December."""
    assert rules.period(Kind.HALF_YEAR, 2026) == (date(2026, 1, 1), date(2026, 6, 30))
    assert rules.period(Kind.ANNUAL, 2026) == (date(2026, 7, 1), date(2026, 12, 31))


async def test_a_cycle_is_opened_once_and_by_the_department(
    world: SmallCounty, department: Actor
) -> None:
    """The second of a kind and year is refused; a chief cannot open any."""
    cycle_id = await opened(department, AFTER)
    found = await service.get(department, cycle_id)
    assert (found.title, found.state) == ("2026年上半年网格员评比", Stage.DRAFT)
    with pytest.raises(Conflict, match="已经建立"):
        await opened(department, AFTER)
    with pytest.raises(NotFound):
        await opened(await acting(world.chief), AFTER)


async def test_a_draft_is_seen_by_those_who_prepare_it_only(
    world: SmallCounty, department: Actor
) -> None:
    """A worker sees a cycle from 采集 on."""
    cycle_id = await opened(department, AFTER)
    worker = await acting(world.worker)
    assert await service.cycles(worker) == []
    with pytest.raises(NotFound):
        await service.get(worker, cycle_id)
    await bring_to(department, cycle_id, Stage.COLLECT, AFTER)
    assert [cycle.id for cycle in await service.cycles(worker)] == [cycle_id]


async def test_each_step_is_signed_and_audited(department: Actor) -> None:
    """Who, when, under which authority, with before and after (I18)."""
    cycle_id = await opened(department, AFTER)
    await advancing.advance(department, cycle_id, Stage.COLLECT, " 按方案 ", AFTER)
    [step] = await service.steps(department, cycle_id)
    assert (step.source, step.target, step.name, step.authority, step.note) == (
        Stage.DRAFT,
        Stage.COLLECT,
        "周部长",
        "组织部（通城县）",
        "按方案",
    )
    events = await DB.fetch(
        "SELECT before::text, after::text FROM shared.audit_event"
        " WHERE county_id = $1 AND object_id = $2 ORDER BY id",
        COUNTY,
        cycle_id,
    )
    assert events[-1]["before"] == '{"state": "draft"}'
    assert events[-1]["after"] == '{"state": "collect"}'


async def test_no_step_is_skipped_and_scoring_waits_for_the_period(department: Actor) -> None:
    """A stage that does not follow is refused, and so is scoring before the last day is over."""
    cycle_id = await opened(department, AFTER)
    with pytest.raises(Conflict, match="筹备"):
        await advancing.advance(department, cycle_id, Stage.NOTICE, "", AFTER)
    await bring_to(department, cycle_id, Stage.COLLECT, AFTER)
    last_evening = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    with pytest.raises(Conflict, match="2026年06月30日"):
        await advancing.advance(department, cycle_id, Stage.SCORE, "", last_evening)
    midnight = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    after = await advancing.advance(department, cycle_id, Stage.SCORE, "", midnight)
    assert after.state is Stage.SCORE
    with pytest.raises(Invalid, match="原因"):
        await advancing.advance(department, cycle_id, Stage.COLLECT, " ", AFTER)


async def test_scoring_waits_for_the_deductions_of_the_period(
    world: SmallCounty, department: Actor
) -> None:
    """One that becomes final after collecting would count in no cycle; a later day's waits not."""
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.COLLECT, AFTER)
    numbers = []
    for day in (date(2026, 6, 30), date(2026, 7, 1)):
        form = Proposal(
            worker_id=world.worker.person_id,
            code="PEN-01",
            amount=20,
            happened_on=day,
            facts="例会无故缺席",
            evidence="签到表",
        )
        lead = await acting(world.lead, on=day)
        numbers.append(await deductions.propose(lead, form, AFTER))
    with pytest.raises(Conflict, match="1 件扣分还没有办结"):
        await advancing.advance(department, cycle_id, Stage.SCORE, "", AFTER)
    await deductions.reply(await acting(world.worker), numbers[0], "我请过假", AFTER)
    chief = await acting(world.chief)
    await deductions.decide(chief, numbers[0], stands=False, reason="有请假条", now=AFTER)
    after = await advancing.advance(department, cycle_id, Stage.SCORE, "", AFTER)
    assert after.state is Stage.SCORE


async def test_what_is_written_into_a_cycle_holds_its_stage(department: Actor) -> None:
    """``expect`` says which stage it is and which it should be."""
    cycle_id = await opened(department, AFTER)
    with pytest.raises(WrongStage, match=r"筹备.*采集数据"):
        await service.expect(COUNTY, cycle_id, Stage.COLLECT)
    found = await service.expect(COUNTY, cycle_id, Stage.DRAFT, Stage.COLLECT)
    assert found.id == cycle_id


async def test_a_closed_cycle_never_changes(department: Actor) -> None:
    """Closing asks for the password; afterwards nobody moves it, not even the owner."""
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.APPEAL, AFTER)
    stale = msgspec.structs.replace(department, confirmed_at=None)
    with pytest.raises(ConfirmFirst):
        await advancing.advance(stale, cycle_id, Stage.CLOSED, "", AFTER)
    closed = await advancing.advance(department, cycle_id, Stage.CLOSED, "", AFTER)
    assert closed.closed_at == AFTER
    with pytest.raises(CycleClosed):
        await advancing.advance(department, cycle_id, Stage.REVIEW, "再改", AFTER)
    with pytest.raises(CycleClosed):
        await service.expect(COUNTY, cycle_id, Stage.REVIEW)
    unsigned = "UPDATE appraisal.cycle SET state = 'appeal', closed_at = NULL"
    async with as_owner():
        for statement in (
            f"{unsigned} WHERE county_id = $1 AND id = $2",
            "UPDATE appraisal.cycle SET title = '' WHERE county_id = $1 AND id = $2",
            "DELETE FROM appraisal.cycle WHERE county_id = $1 AND id = $2",
            "DELETE FROM appraisal.cycle_step WHERE county_id = $1 AND cycle_id = $2",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with DB.transaction():
                    await DB.execute(statement, COUNTY, cycle_id)
    assert (await service.get(department, cycle_id)).opened_at <= now()


async def test_a_closed_cycle_opens_by_a_fresh_signature_and_with_nothing_else(
    department: Actor,
) -> None:
    """What was signed before it was last closed opens it for nobody, not even the owner."""
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.CLOSED, AFTER)
    again, later = AFTER + timedelta(days=1), AFTER + timedelta(days=2)
    for at, target in ((again, Stage.APPEAL), (later, Stage.CLOSED)):
        signer = msgspec.structs.replace(department, confirmed_at=at)
        await advancing.advance(signer, cycle_id, target, "补录", at)
    opens = "UPDATE appraisal.cycle SET state = 'appeal', closed_at = NULL{}"
    where = " WHERE county_id = $1 AND id = $2"

    async def refused(change: str) -> bool:
        try:
            async with DB.transaction():
                await DB.execute(opens.format(change) + where, COUNTY, cycle_id)
        except asyncpg.InsufficientPrivilegeError:
            return True
        return False

    async with as_owner():
        assert await refused("")
        signature = (Stage.CLOSED, Stage.APPEAL, later, department.person_id, "周部长", "x", "补录")
        await queries.insert_step(COUNTY, new_id(), cycle_id, *signature)
        assert await refused(", title = ''")
        assert not await refused("")
