"""The verifier says nothing of a sound county and names what was spoiled behind its back."""

from datetime import UTC, date, datetime
from random import Random

import pytest

from appraisal.cycle.rules import Stage
from appraisal.ranking import freezing
from appraisal.scorecard import queries, scoring_queries
from appraisal.verifier import service
from shared.audit import service as audit
from shared.database import DB
from shared.ids import new_id
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.worlds import random_scheme, random_worker, rostered, stored_run
from tests.conftest import as_owner
from tests.factories import COUNTY, acting, member, units

AFTER = datetime(2026, 7, 3, 2, tzinfo=UTC)


@pytest.fixture
async def scored(rollback: None) -> None:
    """Two runs of the roster's workers, with random facts under random rules, ranked."""
    department = await acting(
        await member(Role.DEPARTMENT, (await units())[str(COUNTY)]), desk=True
    )
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    random = Random(3)
    people = [random_worker(random, even=True) for _ in range(40)]
    await rostered(people)
    run_id = new_id()
    for _ in range(2):
        workers = [
            random_worker(random, even=True)
            | {key: one[key] for key in ("person_id", "name", "grid_code")}
            for one in people
        ]
        run_id = await stored_run(cycle_id, workers, random_scheme(random))
        await scoring_queries.score([COUNTY], [run_id])
        await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, 40)


async def named(*starts: str) -> list[service.Finding]:
    """The findings of some invariants."""
    found = (await service.verify(COUNTY)).findings
    return [finding for finding in found if finding.invariant.startswith(starts)]


async def test_a_sound_county_has_no_findings(scored: None) -> None:
    """Every run is scored again and found equal."""
    verdict = await service.verify(COUNTY)
    assert (verdict.runs, verdict.findings) == (2, ())
    assert (await service.verify(999999)).findings == ()


SPOILED = {
    "UPDATE appraisal.score SET merit = 1 WHERE county_id = $1 AND merit > 1": "I15",
    "UPDATE appraisal.score SET grade = 'basic' WHERE county_id = $1 AND grade = 'good'": "I15",
    "UPDATE appraisal.cycle SET state = 'review' WHERE county_id = $1": "I18",
}


LEVELS = {
    "county": "I16 全县名次",
    "type": "I16 同类网格名次",
    "township": "I16 乡镇名次",
    "village": "I16 村名次",
}
UNITS = {
    "type": "UPDATE appraisal.ranking SET grid_type = CASE grid_type WHEN 'rural' THEN 'other'"
    " ELSE 'rural' END, type_place = type_place + 1000 WHERE county_id = $1 AND county_place = 5",
    "township": "UPDATE appraisal.ranking SET township_code = '421222999' WHERE county_id = $1"
    " AND county_place = 5",
    "village": "UPDATE appraisal.ranking SET village_code = '421222100999' WHERE county_id = $1"
    " AND county_place = 5",
}
"""Somebody listed where their grid is not."""


async def spoiled(spoil: str, *given: object) -> None:
    """Somebody with the owner's rights switched the triggers off."""
    async with as_owner():
        await DB.execute("SET LOCAL session_replication_role = replica")
        await DB.execute(spoil, COUNTY, *given)
        await DB.execute("SET LOCAL session_replication_role = origin")


async def broken(spoil: str) -> list[service.Finding]:
    """The findings after somebody spoiled something."""
    await spoiled(spoil)
    return list((await service.verify(COUNTY)).findings)


@pytest.mark.parametrize(("spoil", "invariant"), SPOILED.items())
async def test_what_was_spoiled_is_named(scored: None, spoil: str, invariant: str) -> None:
    """A score, a grade or a stage that nobody's inputs or signature gave."""
    found = await broken(spoil)
    assert [finding.invariant[:3] for finding in found] == [invariant]
    assert found[0].id


@pytest.mark.parametrize("change", ["_rank = NULL", "_rank = {}_rank + 1", "_place = 1000"])
@pytest.mark.parametrize("level", LEVELS)
async def test_a_wrong_rank_is_named_with_its_level(scored: None, level: str, change: str) -> None:
    """No rank, another rank, or another place in the list, of one worker at one level."""
    found = await broken(
        f"UPDATE appraisal.ranking SET {level}{change.format(level)} WHERE county_id = $1"
        f" AND person_id = (SELECT person_id FROM appraisal.ranking WHERE county_id = $1"
        f" AND {level}_rank > 1 LIMIT 1)"
    )
    assert [finding.invariant for finding in found] == [LEVELS[level]]
    assert found[0].id


@pytest.mark.parametrize("level", UNITS)
async def test_a_worker_in_another_units_list_is_named(scored: None, level: str) -> None:
    """The unit is that of the frozen grid."""
    assert LEVELS[level] in {finding.invariant for finding in await broken(UNITS[level])}


@pytest.mark.parametrize(
    "spoil",
    [
        "DELETE FROM appraisal.ranking WHERE county_id = $1 AND county_place = 5",
        "UPDATE appraisal.ranking SET person_id = run_id WHERE county_id = $1 AND county_place = 5",
    ],
)
async def test_who_is_missing_or_nobody_is_named_at_every_level(scored: None, spoil: str) -> None:
    """Each worker of a run once, and nobody else."""
    assert [finding.invariant for finding in await broken(spoil)] == list(LEVELS.values())


ENDED = "2026-06-30"
ONE = "(SELECT person_id FROM appraisal.ranking WHERE county_id = $1 AND county_place = 5 LIMIT 1)"
COUNTS = {
    f"UPDATE shared.assignment SET valid_to = '{ENDED}' WHERE county_id = $1"
    f" AND person_id = {ONE}": "却不是",
    "UPDATE shared.post SET role = 'lead' WHERE county_id = $1 AND id IN (SELECT post_id"
    f" FROM shared.assignment WHERE county_id = $1 AND person_id = {ONE})": "却不是",
    "UPDATE shared.post SET unit_id = (SELECT id FROM shared.unit WHERE county_id = $1"
    " AND code = '421222100001') WHERE county_id = $1 AND id IN (SELECT post_id"
    f" FROM shared.assignment WHERE county_id = $1 AND person_id = {ONE})": "却不是",
    "DELETE FROM shared.assignment WHERE county_id = $1 AND person_id = " + ONE: "却不是",
    "WITH gone AS (SELECT run_id, person_id FROM appraisal.input WHERE county_id = $1 LIMIT 1),"
    " i AS (DELETE FROM appraisal.input t USING gone g WHERE t.county_id = $1"
    " AND t.run_id = g.run_id AND t.person_id = g.person_id),"
    " s AS (DELETE FROM appraisal.score t USING gone g WHERE t.county_id = $1"
    " AND t.run_id = g.run_id AND t.person_id = g.person_id),"
    " r AS (UPDATE appraisal.run t SET people = people - 1 FROM gone g WHERE t.county_id = $1"
    " AND t.id = g.run_id) DELETE FROM appraisal.ranking t USING gone g WHERE t.county_id = $1"
    " AND t.run_id = g.run_id AND t.person_id = g.person_id": "里没有",
}
"""Where the run and the roster of the day say different things → in which words."""


@pytest.mark.parametrize(("spoil", "words"), COUNTS.items())
async def test_a_run_holds_the_roster_of_its_day(scored: None, spoil: str, words: str) -> None:
    """Whoever was gridworker on the last day, in that grid, and nobody else."""
    found = await broken(spoil)
    [finding] = [one for one in found if one.invariant == "I16 评分和排名的人与当日名册"]
    assert words in finding.detail
    assert finding.id


async def test_a_later_correction_of_the_roster_is_no_finding(scored: None) -> None:
    """Who is found, after the run, to have left earlier was there as far as the run could know."""
    person_id = await DB.fetchval(f"SELECT {ONE}", COUNTY)
    await DB.execute(
        "UPDATE shared.assignment SET valid_to = $3::date WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        person_id,
        date.fromisoformat(ENDED),
    )
    assert len(await named("I16 评分和排名的人")) == 1
    await audit.record(None, "assignment.end", "person", person_id, county_id=COUNTY)
    assert await named("I16 评分和排名的人") == []


async def test_a_run_counts_its_people(scored: None) -> None:
    """The number that every page shows is that of the frozen inputs."""
    spoil = "UPDATE appraisal.run SET people = people + 1 WHERE county_id = $1 AND current"
    assert [finding.invariant for finding in await broken(spoil)] == ["I16 评分的人数"]
