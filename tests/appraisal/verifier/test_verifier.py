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
    "UPDATE appraisal.ranking SET county_rank = 1 WHERE county_id = $1 AND county_rank > 9": "I16",
    "DELETE FROM appraisal.ranking WHERE county_id = $1 AND county_place = 5": "I16",
    "UPDATE appraisal.cycle SET state = 'review' WHERE county_id = $1": "I18",
}


@pytest.mark.parametrize(("spoil", "invariant"), SPOILED.items())
async def test_what_was_spoiled_is_named(scored: None, spoil: str, invariant: str) -> None:
    """By somebody with the owner's rights who switched the triggers off."""
    async with as_owner():
        await DB.execute("SET LOCAL session_replication_role = replica")
        await DB.execute(spoil, COUNTY)
        await DB.execute("SET LOCAL session_replication_role = origin")
    found = (await service.verify(COUNTY)).findings
    assert [finding.invariant[:3] for finding in found] == [invariant]
    assert found[0].id
