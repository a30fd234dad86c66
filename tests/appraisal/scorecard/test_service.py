"""Who sees which card, calibration, signing, and the rules by date."""

import asyncio
from contextvars import copy_context
from datetime import date
from decimal import Decimal
from functools import partial
from uuid import UUID

import asyncpg
import msgspec
import pytest

from appraisal.cycle.rules import Stage
from appraisal.errors import CycleClosed, WrongStage
from appraisal.notice import service as notice
from appraisal.ranking import freezing
from appraisal.scorecard import calibrating, queries, schemes, scoring, scoring_queries, service
from appraisal.scorecard.rules import Scheme
from appraisal.verifier import service as verifier
from shared.clock import now
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.scene import AFTER, scored_cycle
from tests.appraisal.scorecard.worlds import known_people, stored_run, worker
from tests.conftest import as_owner
from tests.factories import COUNTY, acting, small_county


async def test_a_result_is_seen_by_its_worker_and_those_above_once_announced(
    rollback: None,
) -> None:
    """Before the notice only the county sees it; then the own village, never the neighbour's."""
    scene = await scored_cycle(Stage.REVIEW)
    town, who = scene.town, scene.town.worker.person_id
    assert (await service.card(scene.department, scene.cycle_id, who)).facts.name == "欧阳金山"
    worker, chief = await acting(town.worker), await acting(town.chief)
    for early in (worker, chief):
        with pytest.raises(NotFound):
            await service.card(early, scene.cycle_id, who)
    with pytest.raises(NotFound):
        await service.team(chief, scene.cycle_id)
    await bring_to(scene.department, scene.cycle_id, Stage.NOTICE, AFTER)
    for able in (worker, chief, await acting(town.lead), await acting(town.instructor)):
        assert (await service.card(able, scene.cycle_id, who)).facts.person_id == who
    for other in (town.second_worker, town.cousin_worker, town.committee, town.accountant):
        with pytest.raises(NotFound):
            await service.card(await acting(other), scene.cycle_id, who)
    with pytest.raises(NotFound):
        await service.card(worker, scene.cycle_id, who, 1)


async def test_ranks_are_for_the_township_and_above(rollback: None) -> None:
    """A chief reads the village's scores without ranks, the instructor with them."""
    scene = await scored_cycle(Stage.NOTICE, second_worker={"satisfaction": 700})
    _, village = await service.team(await acting(scene.town.chief), scene.cycle_id)
    assert [(row.name, row.rank) for row in village] == [("欧阳金山", None), ("苏建国", None)]
    _, township = await service.team(await acting(scene.town.instructor), scene.cycle_id)
    assert [(row.name, row.rank) for row in township] == [("欧阳金山", 1), ("苏建国", 2)]
    with pytest.raises(NotFound):
        await service.team(await acting(scene.town.worker), scene.cycle_id)


async def test_calibration_keeps_both_scores_and_grades_again(rollback: None) -> None:
    """Calculated and calibrated stand side by side, with who and why; ranks follow."""
    scene = await scored_cycle(Stage.REVIEW, worker={"satisfaction": 600})
    who = scene.town.worker.person_id
    before = await service.card(scene.department, scene.cycle_id, who)
    after = await calibrating.calibrate(
        scene.department, scene.cycle_id, who, Decimal("59.995"), "核实后扣减", AFTER
    )
    assert (after.calculated, after.calibrated) == (before.scores.calculated, 6000)
    assert (after.final, after.grade) == (6000, "basic")
    card = await service.card(scene.department, scene.cycle_id, who)
    [line] = card.calibrations
    assert (line.before, line.calibrated, line.made_name, line.reason) == (
        before.scores.final,
        6000,
        "周部长",
        "核实后扣减",
    )
    rank = await DB.fetchval(
        "SELECT county_rank FROM appraisal.ranking"
        " WHERE county_id = $1 AND run_id = $2 AND person_id = $3",
        COUNTY,
        scene.run_id,
        who,
    )
    assert rank == 3
    for score, reason in ((Decimal(101), "x"), (Decimal(80), " ")):
        with pytest.raises(Invalid):
            await calibrating.calibrate(scene.department, scene.cycle_id, who, score, reason, AFTER)
    with pytest.raises(NotFound):
        await calibrating.calibrate(
            await acting(scene.town.instructor), scene.cycle_id, who, Decimal(80), "x", AFTER
        )


async def test_two_calibrations_at_once_keep_to_the_quota(committed: None) -> None:
    """The second waits for the first: one 优秀 among five, ranks as the scores say."""
    department = await acting((await small_county()).department, desk=True)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    facts = [worker(satisfaction=600) for _ in range(5)]
    run_id = await stored_run(cycle_id, facts)
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, len(facts))
    await bring_to(department, cycle_id, Stage.REVIEW, AFTER)
    first, second = (one["person_id"] for one in facts[:2])
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    outside = copy_context()
    async with DB.transaction():
        await calibrating.calibrate(department, cycle_id, first, Decimal(95), "核实", AFTER)
        other = asyncio.create_task(
            calibrating.calibrate(department, cycle_id, second, Decimal(96), "核实", AFTER),
            context=outside,
        )
        while not other.done() and not await DB.fetchval(waits):
            pass
    assert (await other).grade == "excellent"
    rows = await DB.fetch(
        "SELECT grade, note FROM appraisal.scorecard"
        " WHERE county_id = $1 AND run_id = $2 AND calibrated IS NOT NULL ORDER BY calibrated",
        COUNTY,
        run_id,
    )
    assert [tuple(row) for row in rows] == [("good", "quota"), ("excellent", "")]
    things = {finding.thing for finding in (await verifier.verify(COUNTY)).findings}
    assert not things & {"得分", "名次"}


async def test_an_objection_takes_no_grade_from_who_was_told(rollback: None) -> None:
    """After the notice only the objector is graded again, and more points never cost 优秀."""
    department = await acting((await small_county()).department, desk=True)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    facts = [worker(satisfaction=600) for _ in range(5)]
    await known_people(facts)
    run_id = await stored_run(cycle_id, facts)
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, len(facts))
    await bring_to(department, cycle_id, Stage.REVIEW, AFTER)
    first, second, third = (one["person_id"] for one in facts[:3])

    async def decided(who: UUID, score: int) -> str:
        scores = await calibrating.calibrate(
            department, cycle_id, who, Decimal(score), "异议成立", AFTER, authority="instructor@1"
        )
        return scores.grade

    async def grades() -> list[str]:
        found = [await queries.scores(COUNTY, run_id, who) for who in (first, second, third)]
        return [one.grade for one in found if one]

    await decided(first, 95)
    await decided(second, 92)
    assert await grades() == ["excellent", "good", "good"]
    await bring_to(department, cycle_id, Stage.APPEAL, AFTER)
    assert await decided(second, 96) == "excellent"
    assert await decided(first, 95) == "excellent"
    assert await decided(third, 93) == "good"
    assert await grades() == ["excellent", "excellent", "good"]
    assert await decided(first, 94) == "good"
    assert await decided(second, 60) == "basic"
    assert await grades() == ["good", "basic", "good"]
    things = {finding.thing for finding in (await verifier.verify(COUNTY)).findings}
    assert not things & {"得分", "名次"}


async def test_nobody_calibrates_their_own_score(rollback: None) -> None:
    """The department's member who works a grid as well hears why."""
    scene = await scored_cycle(Stage.REVIEW)
    own = msgspec.structs.replace(scene.department, person_id=scene.town.worker.person_id)
    with pytest.raises(Forbidden, match="本人"):
        await calibrating.calibrate(
            own, scene.cycle_id, scene.town.worker.person_id, Decimal(99), "x", AFTER
        )


async def test_a_closed_cycle_s_scores_never_change(rollback: None) -> None:
    """Neither calibration nor scoring nor the owner's own statements (I17)."""
    scene = await scored_cycle(Stage.CLOSED)
    who = scene.town.worker.person_id
    with pytest.raises(CycleClosed):
        await calibrating.calibrate(
            scene.department, scene.cycle_id, who, Decimal(80), "再改", AFTER
        )
    key = "WHERE county_id = $1 AND run_id = $2"
    copied = (
        "INSERT INTO appraisal.score (county_id, run_id, person_id, plus, minus, present, rate,"
        " grade) SELECT county_id, run_id, gen_random_uuid(), 0, 0, 0, 0, 'good'"
        f" FROM appraisal.score {key}"
    )
    async with as_owner():
        for statement in (
            f"UPDATE appraisal.score SET grade = 'fail' {key}",
            f"DELETE FROM appraisal.ranking {key}",
            copied,
            "UPDATE appraisal.run SET people = 0 WHERE county_id = $1 AND id = $2",
            "DELETE FROM appraisal.run WHERE county_id = $1 AND id = $2",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="closed"):
                async with DB.transaction():
                    await DB.execute(statement, COUNTY, scene.run_id)


async def test_a_result_that_is_out_is_not_lowered_by_hand(rollback: None) -> None:
    """Only a case lowers it, where the person is heard, served and may appeal."""
    scene = await scored_cycle(Stage.NOTICE)
    who = scene.town.worker.person_id
    before = (await service.card(scene.department, scene.cycle_id, who)).scores
    with pytest.raises(Invalid, match="结果已经公布"):
        await calibrating.calibrate(
            scene.department, scene.cycle_id, who, Decimal(50), "重新核算", AFTER
        )
    assert (await service.card(scene.department, scene.cycle_id, who)).scores == before
    better = await calibrating.calibrate(
        scene.department, scene.cycle_id, who, Decimal(100), "漏计培训", AFTER
    )
    assert better.final == 10000


async def test_a_worker_s_list_has_the_result_once_announced(rollback: None) -> None:
    """Served or not, as the calibration of a decided objection leaves it."""
    scene = await scored_cycle(Stage.REVIEW)
    worker = await acting(scene.town.worker)
    [early] = await service.mine(worker)
    assert early.card is None
    await bring_to(scene.department, scene.cycle_id, Stage.NOTICE, AFTER)
    assert (await service.own_card(worker, scene.cycle_id)).served is None
    await notice.receive(worker, scene.cycle_id, now())
    await calibrating.calibrate(
        scene.department,
        scene.cycle_id,
        worker.person_id,
        Decimal(88),
        "异议成立",
        AFTER,
        authority="instructor@421222100",
    )
    [own] = await service.mine(worker)
    assert own.card is not None
    assert own.card.served is not None
    assert (own.card.scores.final, own.card.served.how) == (8800, "signed")


async def test_calibration_belongs_to_its_stages(rollback: None) -> None:
    """Not while it is still being scored."""
    scene = await scored_cycle(Stage.SCORE)
    with pytest.raises(WrongStage, match="审核校准"):
        await calibrating.calibrate(
            scene.department, scene.cycle_id, scene.town.worker.person_id, Decimal(1), "x", AFTER
        )


async def test_rules_hold_from_their_day(rollback: None) -> None:
    """The shipped ones before; what is wrong is named and not stored.

    A period is scored by those of its last day.
    """
    scene = await scored_cycle(Stage.SCORE)
    heavier = msgspec.structs.replace(Scheme(), merit=15, training=0)
    await schemes.change(scene.department, heavier, date(2026, 3, 1), "县方案", AFTER)
    assert (await schemes.in_force(COUNTY, date(2026, 2, 28))) == schemes.SHIPPED
    assert (await schemes.in_force(COUNTY, date(2026, 3, 1))).scheme == heavier
    await schemes.change(scene.department, Scheme(), date(2026, 7, 1), "县方案", AFTER)
    assert (await scoring.score(scene.department, scene.cycle_id, "", AFTER)).scheme == heavier
    with pytest.raises(Invalid) as refused:
        await schemes.change(
            scene.department,
            msgspec.structs.replace(heavier, merit=20),
            date(2026, 4, 1),
            "县方案",
            AFTER,
        )
    assert "105" in refused.value.fields["weights"]
    with pytest.raises(NotFound):
        await schemes.change(await acting(scene.town.chief), Scheme(), date(2026, 4, 1), "x", AFTER)


async def test_rules_saved_twice_at_once_are_one_version(committed: None) -> None:
    """What is in force on the day already makes no version."""
    department = await acting((await small_county()).department, desk=True)
    heavier = msgspec.structs.replace(Scheme(), merit=15, training=0)
    change = partial(schemes.change, department, heavier, date(2026, 3, 1), "县方案", AFTER)
    await asyncio.gather(*(change() for _ in range(3)))
    assert len(await schemes.versions(department)) == 2


async def test_every_number_has_its_sentence(rollback: None) -> None:
    """Missing ones say so and show no zero; counted ones name the facts they came from."""
    scene = await scored_cycle(
        Stage.NOTICE, worker={"satisfaction": None, "ballots": 12, "failed_checks": 1}
    )
    card = await service.own_card(await acting(scene.town.worker), scene.cycle_id)
    by_name = {line.name: line for line in card.lines}
    liked = by_name["群众满意度"]
    assert (liked.points, liked.counted) == (None, "")
    assert "12 张" in liked.words
    assert "不计分" in liked.words
    assert "抽查不合格 1 次" in by_name["在岗情况"].words
    assert "中位数 150 分" in by_name["履职积分"].words
    assert sum(Decimal(line.counted or 0) for line in card.lines) == pytest.approx(
        Decimal(100), abs=Decimal("0.05")
    )
    shown = sum(line.points or 0 for line in card.lines) + card.scores.plus - card.scores.minus
    assert shown == card.scores.calculated
