"""Reading scorecards, within one's rights."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from appraisal.casework.world import RESULT_OUT
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.notice import queries as notices
from appraisal.notice.schemas import ServingRow
from appraisal.scorecard import explaining, queries
from appraisal.scorecard.explaining import Line
from appraisal.scorecard.queries import MeritMonth, TeamRow
from appraisal.scorecard.schemas import (
    CalibrationRow,
    Change,
    Facts,
    RunRow,
    Scores,
    Tally,
    Unappraised,
)
from shared.errors import NotFound
from shared.identity.access import Action, Target, allowed, reach, require, whole_county
from shared.identity.actor import Actor
from shared.roster import service as roster

PUBLIC_STAGES = frozenset({Stage.NOTICE, Stage.APPEAL, Stage.CLOSED})
"""Before these a result is not decided yet, and only those who decide see it."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The scoring page: the run that counts, and those before it."""

    cycle: CycleRow
    run: RunRow | None
    runs: list[RunRow]
    tally: Tally | None
    unappraised: list[Unappraised]
    """Who was in post in the period and is not in it, while it can be scored again."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One person's scorecard in one run."""

    cycle: CycleRow
    run: RunRow
    facts: Facts
    place: str
    """Township, village and grid by the names they have today."""
    scores: Scores
    lines: list[Line]
    plus_words: str
    minus_words: str
    total_words: str
    calibrations: list[CalibrationRow]
    served: ServingRow | None
    """When and how the result was served on the person (送达)."""


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle in one's own list; the card is there once the result is announced."""

    cycle: CycleRow
    card: Card | None


async def board(actor: Actor, cycle_id: UUID) -> Board:
    """Raises NotFound, NoCycle."""
    require(actor, Action.CYCLE_VIEW, whole_county(actor.county_id))
    cycle = await cycles.get(actor, cycle_id)
    runs = await queries.runs(actor.county_id, cycle_id)
    run = next((run for run in runs if run.current), None)
    tally = await queries.tally(actor.county_id, run.id) if run else None
    again, out = cycle.state in {Stage.SCORE, Stage.REVIEW}, cycle.state in RESULT_OUT
    left_out = await queries.unappraised(actor.county_id, run.id) if run and (again or out) else []
    if out:  # whose term had ended before is left out by the rules
        left_out = [one for one in left_out if one.until is None]
    return Board(cycle=cycle, run=run, runs=runs, tally=tally, unappraised=left_out)


async def difference(actor: Actor, cycle_id: UUID, before: int) -> tuple[Board, list[Change]]:
    """Who changed from an earlier run to the current one. Raises NotFound, NoCycle."""
    found = await board(actor, cycle_id)
    earlier = next((run for run in found.runs if run.number == before), None)
    if found.run is None or earlier is None:
        raise NotFound
    return found, await queries.changes(actor.county_id, earlier.id, found.run.id)


async def card(actor: Actor, cycle_id: UUID, person_id: UUID, number: int | None = None) -> Card:
    """A person's card of the current or a numbered run.

    Who does not see the county's cycles sees the current run only, once it is announced. Raises
    NotFound, NoCycle.
    """
    cycle = await cycles.get(actor, cycle_id)
    decides = allowed(actor, Action.CYCLE_VIEW, whole_county(actor.county_id)).allowed
    if not decides and (number is not None or cycle.state not in PUBLIC_STAGES):
        raise NotFound
    run = (
        await queries.current_run(actor.county_id, cycle_id)
        if number is None
        else await queries.run_by_number(actor.county_id, cycle_id, number)
    )
    facts = await queries.facts(actor.county_id, run.id, person_id) if run else None
    if run is None or facts is None:
        raise NotFound
    require(actor, Action.SCORE_VIEW, Target(unit_code=facts.grid_code, owner=person_id))
    return await _card(actor.county_id, cycle, run, facts)


async def mine(actor: Actor) -> list[Own]:
    """The county's cycles with one's own results, latest first."""
    found = []
    for cycle in await cycles.cycles(actor):
        own = None
        if cycle.state in PUBLIC_STAGES:
            run = await queries.current_run(actor.county_id, cycle.id)
            facts = await queries.facts(actor.county_id, run.id, actor.person_id) if run else None
            if run and facts:
                own = await _card(actor.county_id, cycle, run, facts)
        found.append(Own(cycle=cycle, card=own))
    return found


async def own_card(actor: Actor, cycle_id: UUID) -> Card:
    """One's own card, once it is announced. Raises NotFound, NoCycle."""
    return await card(actor, cycle_id, actor.person_id)


async def months(actor: Actor, found: Card) -> list[MeritMonth]:
    """The months that a card's points were earned in, as the ledger says today."""
    return await queries.months(
        actor.county_id, found.facts.person_id, found.cycle.starts_on, found.cycle.ends_on
    )


async def team(actor: Actor, cycle_id: UUID) -> tuple[CycleRow, list[TeamRow]]:
    """The workers of one's own units; ranks only for those who may see them.

    Raises NotFound, NoCycle.
    """
    codes = reach(actor, Action.SCORE_VIEW)
    cycle = await cycles.get(actor, cycle_id)
    if not codes or cycle.state not in PUBLIC_STAGES:
        raise NotFound
    run = await queries.current_run(actor.county_id, cycle_id)
    if run is None:
        raise NotFound
    ranked = reach(actor, Action.RANK_VIEW)
    return cycle, await queries.team(actor.county_id, run.id, codes, ranked)


async def _card(county_id: int, cycle: CycleRow, run: RunRow, facts: Facts) -> Card:
    scores = await queries.scores(county_id, run.id, facts.person_id)
    if scores is None:
        raise NotFound
    return Card(
        cycle=cycle,
        run=run,
        facts=facts,
        place=(await places(county_id, [facts.grid_code]))[facts.grid_code],
        scores=scores,
        lines=explaining.lines(facts, scores, run.scheme),
        plus_words=explaining.plus_words(facts, run.scheme),
        minus_words=explaining.minus_words(facts, run.scheme),
        total_words=explaining.total_words(facts, scores, run.scheme, annual=run.annual),
        calibrations=await queries.calibrations(county_id, run.id, facts.person_id),
        served=await notices.serving(county_id, cycle.id, facts.person_id),
    )


async def places(county_id: int, grid_codes: Iterable[str]) -> dict[str, str]:
    """Grid → township, village and grid by the names they have today."""
    wanted = set(grid_codes)
    parts = {grid: [grid[:length] for length in (9, 12, 15)] for grid in wanted}
    units = await roster.units(county_id, {code for codes in parts.values() for code in codes})
    return {
        grid: " ".join(units[code].name for code in codes if code in units) or grid
        for grid, codes in parts.items()
    }
