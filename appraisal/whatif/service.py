"""Replaying a run's frozen inputs under another scheme: who moves, who crosses a line, the cost.

Calibrated scores stay as people set them. Under the run's own scheme the replay is the stored
result to the hundredth, which a test holds.
"""

from uuid import UUID

import msgspec

from appraisal.cycle import service as cycles
from appraisal.cycle.schemas import CycleRow
from appraisal.scorecard import queries, scoring_queries
from appraisal.scorecard.rules import GRADE_NAMES, Grade, Scheme, problems
from appraisal.scorecard.schemas import RunRow, Standing
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor

AWARD = 300
"""What an annual 优秀 earns, in 0.1 point."""
SHOWN = 200


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One person whose score or grade would be another."""

    person_id: UUID
    name: str
    grid_code: str
    before: int | None
    after: int | None
    grade_before: Grade
    grade_after: Grade

    @property
    def crosses(self) -> bool:
        return self.grade_before is not self.grade_after

    @property
    def grades(self) -> tuple[str, str]:
        return GRADE_NAMES[self.grade_before], GRADE_NAMES[self.grade_after]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What other rules would have done to a run."""

    people: int
    moved: int
    crossing: list[Move]
    """Those whose grade would change, all of them."""
    furthest: list[Move]
    """Those whose score alone would move, most first."""
    counts: list[tuple[str, int, int]]
    """Grade, before, after."""
    new_excellent: int
    lost_excellent: int

    @property
    def cost(self) -> int:
        """0.1 point that the new 优秀 would earn at the end of a year."""
        return self.new_excellent * AWARD


async def scored(actor: Actor, cycle_id: UUID) -> tuple[CycleRow, RunRow | None]:
    """The cycle and its current run. Raises NotFound, NoCycle."""
    require(actor, Action.SCHEME_VIEW, whole_county(actor.county_id))
    cycle = await cycles.get(actor, cycle_id)
    return cycle, await queries.current_run(actor.county_id, cycle_id)


async def replay(actor: Actor, cycle_id: UUID, scheme: Scheme) -> Outcome:
    """Compare the current run with what ``scheme`` would give.

    Raises NotFound, NoCycle, Invalid naming what does not add up.
    """
    _, run = await scored(actor, cycle_id)
    if faults := problems(scheme):
        raise Invalid("这样的规则不能试算。", faults)
    if run is None:
        raise NotFound
    then = {row.person_id: row for row in await queries.standings(actor.county_id, run.id)}
    # What an objection granted may exceed the share of 优秀: that is no work of other rules.
    own = await _replayed(actor.county_id, run, run.scheme)
    tried = await _replayed(actor.county_id, run, scheme)
    found = {
        key: (then[key].final, then[key].grade) if tried[key] == own[key] else tried[key]
        for key in tried
    }
    moves = [
        _move(then[key], *what)
        for key, what in found.items()
        if what != (then[key].final, then[key].grade)
    ]
    moves.sort(key=lambda move: (-abs((move.after or 0) - (move.before or 0)), move.name))
    crossing = [move for move in moves if move.crosses]
    best = [move.grade_after is Grade.EXCELLENT for move in crossing]
    return Outcome(
        people=len(found),
        moved=len(moves),
        crossing=crossing,
        furthest=[move for move in moves if not move.crosses][:SHOWN],
        counts=[
            (
                GRADE_NAMES[grade],
                sum(row.grade is grade for row in then.values()),
                sum(after is grade for _, after in found.values()),
            )
            for grade in Grade
        ],
        new_excellent=sum(best),
        lost_excellent=sum(move.grade_before is Grade.EXCELLENT for move in crossing),
    )


async def _replayed(
    county_id: int, run: RunRow, scheme: Scheme
) -> dict[UUID, tuple[int | None, Grade]]:
    body = msgspec.json.encode(scheme).decode()
    rows = await scoring_queries.replay(county_id, run.id, body)
    return {row.person_id: (row.final, Grade(row.grade)) for row in rows}


def _move(before: Standing, after: int | None, grade: Grade) -> Move:
    return Move(
        person_id=before.person_id,
        name=before.name,
        grid_code=before.grid_code,
        before=before.final,
        after=after,
        grade_before=before.grade,
        grade_after=grade,
    )
