"""The scoring statement against an independent oracle, and the properties it must have (I15)."""

from datetime import UTC, datetime
from fractions import Fraction
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from appraisal.scorecard import scoring_queries
from appraisal.scorecard.rules import Component, Scheme
from shared.database import DB
from shared.identity.actor import Actor
from tests.appraisal.cycle.stages import opened
from tests.appraisal.scorecard.oracle import appraise
from tests.appraisal.scorecard.worlds import (
    PERIOD,
    random_scheme,
    random_worker,
    stored_run,
    worker,
)
from tests.conftest import as_owner
from tests.factories import COUNTY, acting, small_county

AFTER = datetime(2026, 7, 3, tzinfo=UTC)
SCORES = "SELECT * FROM appraisal.score WHERE county_id = $1 AND run_id = $2 ORDER BY person_id"
Row = dict[str, Any]


@pytest.fixture
async def department(rollback: None) -> Actor:
    """The department of the small county."""
    return await acting((await small_county()).department, desk=True)


@pytest.fixture
async def cycle_id(department: Actor) -> UUID:
    """A cycle to score in."""
    return await opened(department, AFTER)


async def scored(run_id: UUID) -> dict[UUID, Row]:
    """Score a run and read it back."""
    await scoring_queries.score([COUNTY], [run_id])
    return {row["person_id"]: dict(row) for row in await DB.fetch(SCORES, COUNTY, run_id)}


def cents(value: Fraction | None) -> int | None:
    return None if value is None else int(value * 100)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
async def test_every_score_agrees_with_the_oracle(cycle_id: UUID, seed: int) -> None:
    """Components, totals and grades of random workers under random rules, to the hundredth."""
    random = Random(seed)
    for story in range(8):
        workers = [
            random_worker(random, even=seed % 2 == 0) for _ in range(random.choice((1, 7, 40)))
        ]
        scheme = random_scheme(random) if story else Scheme()
        annual = random.random() < 0.5
        found = await scored(await stored_run(cycle_id, workers, scheme, annual=annual))
        rules = msgspec.to_builtins(scheme)
        expected = appraise(workers, rules, PERIOD, annual=annual)
        for person_id, said in expected.items():
            row = found[person_id]
            for name in (*Component, "period_score", "final"):
                assert row[name] == cents(said[name]), (seed, story, name, row, scheme)
            assert row["grade"] == said["grade"], (seed, story, row, scheme)


async def one(cycle_id: UUID, **facts: Any) -> Row:
    """The score of somebody among four ordinary workers."""
    somebody = worker(**facts)
    others = [worker() for _ in range(4)]
    rows = await scored(await stored_run(cycle_id, [somebody, *others]))
    return rows[somebody["person_id"]]


async def test_a_missing_component_shares_its_weight_and_is_never_zero(cycle_id: UUID) -> None:
    """Without orders and mediations 75 of 100 are there: each counts a third more."""
    row = await one(cycle_id, satisfaction=800)
    assert (row["orders"], row["settled"], row["present"]) == (None, None, 75)
    assert row["satisfaction"] == 3200
    assert row["attendance"] == 2667
    everything = await one(cycle_id, satisfaction=None)
    assert (everything["satisfaction"], everything["present"]) == (None, 45)


async def test_points_count_against_the_median_of_the_same_grid_type(cycle_id: UUID) -> None:
    """The median gives two thirds of the weight, half as much again all of it."""
    workers = [worker(awarded=points) for points in (500, 1000, 1500)]
    rows = await scored(await stored_run(cycle_id, workers))
    third = [rows[facts["person_id"]]["merit"] for facts in workers]
    assert third == [444, 889, 1333]
    assert {row["typical"] for row in rows.values()} == {1000}


async def test_nobody_has_points_then_points_are_missing(cycle_id: UUID) -> None:
    """A median of 0 compares nothing."""
    row = await one(cycle_id, awarded=0, grid_type="other", days_other=PERIOD, days_rural=0)
    assert (row["merit"], row["typical"]) == (None, None)


async def test_a_transfer_is_prorated_by_days(cycle_id: UUID) -> None:
    """Half the period in a grid where more is usual: the measure lies between the two."""
    rural = [worker(awarded=1000) for _ in range(3)]
    town = [
        worker(awarded=3000, grid_type="community", days_rural=0, days_community=PERIOD)
        for _ in range(3)
    ]
    moved = worker(
        awarded=2000, grid_type="community", days_rural=90, days_community=91, days=PERIOD
    )
    rows = await scored(await stored_run(cycle_id, [*rural, *town, moved]))
    usual = Fraction(90 * 1000 + 91 * 3000, PERIOD)
    assert rows[moved["person_id"]]["typical"] == round(usual)


async def test_who_came_late_is_measured_by_their_days(cycle_id: UUID) -> None:
    """Half the days and half the points are as good as all of both."""
    row = await one(cycle_id, awarded=1000, days=91, days_rural=91)
    assert row["rate"] == 1989
    early = await one(cycle_id, days=89, days_rural=89)
    assert (early["grade"], early["note"]) == ("undetermined", "short")


async def test_veto_fails_whatever_the_score(cycle_id: UUID) -> None:
    """一票否决."""
    row = await one(cycle_id, veto=True)
    assert (row["grade"], row["note"], row["final"] > 9000) == ("fail", "veto", True)


async def test_quota_of_excellent_is_the_townships(cycle_id: UUID) -> None:
    """15 % of 20 are 3: the tie is broken by satisfaction, what is still tied stays out whole."""
    best = [worker(satisfaction=1000 - step) for step in (0, 1)]
    tied = [worker(satisfaction=990), worker(satisfaction=990)]
    rest = [worker(satisfaction=500) for _ in range(16)]
    rows = await scored(await stored_run(cycle_id, [*best, *tied, *rest]))
    grades = [(rows[one["person_id"]]["grade"], rows[one["person_id"]]["note"]) for one in best]
    assert grades == [("excellent", "")] * 2
    assert [rows[one["person_id"]]["note"] for one in tied] == ["quota"] * 2


ATTENDANCE_ONLY = Scheme(
    attendance=100,
    orders=0,
    data=0,
    settled=0,
    satisfaction=0,
    merit=0,
    training=0,
    excellent_share=100,
)
"""A score is the share of days on duty."""


async def test_a_grade_begins_at_its_line(cycle_id: UUID) -> None:
    """90.00, 70.00 and 60.00 are in the better band, a hundredth less is not; so are 90 days."""
    wanted = {
        9000: "excellent", 8999: "good", 7000: "good", 6999: "basic", 6000: "basic", 5999: "fail",
    }  # fmt: skip
    workers = {
        share: worker(rostered=10000, on_duty=share, on_leave=0, days=90, days_rural=90)
        for share in wanted
    }
    early = worker(days=89, days_rural=89)
    run_id = await stored_run(cycle_id, [*workers.values(), early], ATTENDANCE_ONLY)
    rows = await scored(run_id)
    found = {share: rows[one["person_id"]] for share, one in workers.items()}
    assert {share: row["final"] for share, row in found.items()} == {
        share: share for share in found
    }
    assert {share: row["grade"] for share, row in found.items()} == wanted
    assert rows[early["person_id"]]["grade"] == "undetermined"


async def test_equal_scores_go_by_satisfaction_then_results(cycle_id: UUID) -> None:
    """Three with 92.00 and room for two."""
    scheme = msgspec.structs.replace(ATTENDANCE_ONLY, attendance=80, data=20, excellent_share=10)

    def somebody(liked: int, on_duty: int, good: int) -> Row:
        return worker(
            satisfaction=liked, rostered=10000, on_duty=on_duty, on_leave=0, data_good=good
        )

    first, second, third = (
        somebody(900, 9625, 15), somebody(800, 9000, 20), somebody(800, 9625, 15),
    )  # fmt: skip
    rest = [somebody(1000, 100, 0) for _ in range(17)]
    rows = await scored(await stored_run(cycle_id, [third, second, first, *rest], scheme))
    named = [rows[one["person_id"]] for one in (first, second, third)]
    assert [row["final"] for row in named] == [9200] * 3
    assert [row["note"] for row in named] == ["", "", "quota"]


async def test_one_of_five_may_be_excellent_and_of_four_none(cycle_id: UUID) -> None:
    """15 % of a small township is nobody; from five workers on there is one."""
    for people, grade in ((5, "excellent"), (4, "good")):
        best, *rest = (worker(satisfaction=1000 - 100 * step) for step in range(people))
        rows = await scored(await stored_run(cycle_id, [best, *rest]))
        assert rows[best["person_id"]]["grade"] == grade


async def test_the_same_inputs_give_the_same_bytes(cycle_id: UUID) -> None:
    """A run made again from the same inputs and rules is equal to the last bit (I15)."""
    random = Random(7)
    workers = [random_worker(random, even=False) for _ in range(60)]
    runs = [await stored_run(cycle_id, workers) for _ in range(2)]
    hashes = []
    for run_id in runs:
        await scoring_queries.score([COUNTY], [run_id])
        hashes.append(
            await DB.fetchval(
                "SELECT md5(string_agg((to_jsonb(s) - 'run_id')::text, ',' ORDER BY person_id))"
                " FROM appraisal.score s WHERE county_id = $1 AND run_id = $2",
                COUNTY,
                run_id,
            )
        )
    assert hashes[0] == hashes[1]


async def test_many_runs_are_scored_at_once_as_if_alone(cycle_id: UUID) -> None:
    """One statement over two runs mixes neither medians nor quotas."""
    random = Random(8)
    groups = [[random_worker(random, even=True) for _ in range(20)] for _ in range(2)]
    alone = [await scored(await stored_run(cycle_id, workers)) for workers in groups]
    runs = [await stored_run(cycle_id, workers) for workers in groups]
    await scoring_queries.score([COUNTY], runs)
    for run_id, expected in zip(runs, alone, strict=True):
        together = {row["person_id"]: dict(row) for row in await DB.fetch(SCORES, COUNTY, run_id)}
        assert together.keys() == expected.keys()
        for person_id, row in together.items():
            assert row | {"run_id": None} == expected[person_id] | {"run_id": None}


async def test_inputs_are_never_changed(cycle_id: UUID) -> None:
    """Not even by the tables' owner: a run keeps what it was made from."""
    run_id = await stored_run(cycle_id, [worker()])
    await scored(run_id)
    async with as_owner():
        for statement in (
            "UPDATE appraisal.input SET awarded = 0 WHERE county_id = $1 AND run_id = $2",
            "DELETE FROM appraisal.input WHERE county_id = $1 AND run_id = $2",
            "DELETE FROM appraisal.score WHERE county_id = $1 AND run_id = $2",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with DB.transaction():
                    await DB.execute(statement, COUNTY, run_id)


async def test_a_long_leave_is_no_absence_from_points_and_training(cycle_id: UUID) -> None:
    """Four months of six: a third of points and hours is as good as all; nothing for the absent."""
    mother = worker(awarded=500, on_duty=400, on_leave=800, hours=400)
    away = worker(awarded=0, on_duty=0, on_leave=1200, hours=0, test=None)
    short = worker(awarded=500, on_duty=905, on_leave=295, hours=400)
    everybody = [mother, away, short, *(worker() for _ in range(3))]
    rows = await scored(await stored_run(cycle_id, everybody, Scheme(leave_from=30)))
    found = [rows[one["person_id"]] for one in (mother, away, short, everybody[-1])]
    assert [row["rate"] for row in found] == [1500, 0, 500, 1500]
    assert {row["typical"] for row in found} == {1500, None}
    assert [found[0][name] for name in ("merit", "training")] == [
        found[3][name] for name in ("merit", "training")
    ]
    assert (found[1]["merit"], found[1]["training"], found[1]["present"]) == (None, None, 60)
    assert found[2]["merit"] < found[0]["merit"]
    run_id = await stored_run(cycle_id, everybody, Scheme())
    await DB.execute(
        "UPDATE appraisal.run SET scheme = scheme - 'leave_from' WHERE county_id = $1 AND id = $2",
        COUNTY,
        run_id,
    )
    before = await scored(run_id)
    assert before[mother["person_id"]]["rate"] == 500
