"""The verifier says nothing of a sound county and names what was spoiled behind its back."""

from datetime import UTC, datetime
from random import Random

import pytest

from appraisal.cycle.rules import Stage
from appraisal.ranking import freezing
from appraisal.scorecard import queries, scoring_queries
from appraisal.verifier import service
from shared.database import DB
from shared.ids import new_id
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.worlds import random_scheme, random_worker, stored_run
from tests.conftest import as_owner
from tests.factories import COUNTY, acting, small_county

AFTER = datetime(2026, 7, 3, 2, tzinfo=UTC)


@pytest.fixture
async def scored(rollback: None) -> None:
    """Two runs of random workers under random rules, ranked."""
    department = await acting((await small_county()).department, desk=True)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    random = Random(3)
    run_id = new_id()
    for _ in range(2):
        workers = [random_worker(random, even=True) for _ in range(40)]
        run_id = await stored_run(cycle_id, workers, random_scheme(random))
        await scoring_queries.score([COUNTY], [run_id])
        await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, 40)


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


async def broken(spoil: str) -> list[service.Finding]:
    """The findings after somebody with the owner's rights switched the triggers off."""
    async with as_owner():
        await DB.execute("SET LOCAL session_replication_role = replica")
        await DB.execute(spoil, COUNTY)
        await DB.execute("SET LOCAL session_replication_role = origin")
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
