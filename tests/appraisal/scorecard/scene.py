"""A scored cycle for tests of pages: the small county's workers with given facts."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from appraisal.cycle.rules import Kind, Stage
from appraisal.ranking import freezing
from appraisal.scorecard import queries, scoring_queries
from shared.identity.actor import Actor
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.worlds import stored_run, worker
from tests.factories import COUNTY, Member, SmallCounty, acting, small_county

AFTER = datetime(2026, 7, 3, 2, tzinfo=UTC)


class Scene(msgspec.Struct, frozen=True):
    """A cycle with one run of the county's three workers."""

    town: SmallCounty
    department: Actor
    cycle_id: UUID
    run_id: UUID


async def scored_cycle(
    stage: Stage = Stage.REVIEW,
    *,
    year: int = 2026,
    kind: Kind = Kind.HALF_YEAR,
    **given: dict[str, Any],
) -> Scene:
    """``given``: facts by the member's name in SmallCounty (worker, second_worker, …)."""
    town = await small_county()
    department = msgspec.structs.replace(
        await acting(town.department, desk=True), confirmed_at=AFTER
    )
    cycle_id = await opened(department, AFTER, year=year, kind=kind)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    people: dict[str, Member] = {
        "worker": town.worker,
        "second_worker": town.second_worker,
        "cousin_worker": town.cousin_worker,
    }
    facts = [
        worker(
            person_id=member.person_id,
            name=member.name,
            grid_code=member.unit_code,
            grid_type="community",
            days_rural=0,
            days_community=181,
        )
        | given.get(name, {})
        for name, member in people.items()
    ]
    run_id = await stored_run(cycle_id, facts)
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, len(facts))
    await bring_to(department, cycle_id, stage, AFTER)
    return Scene(town, department, cycle_id, run_id)
