"""The survey of a cycle: freeze the list, draw from it in public, work in the field, close.

The order is the point: the list's hash is published before anybody knows the public value, and
the published list and value give the draw again on any computer (``gridmerit survey redraw``).
"""

import asyncio
import zlib
from collections import Counter
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.survey import ballot_queries, draw, queries
from appraisal.survey.draw import Drawn
from appraisal.survey.errors import WrongState
from appraisal.survey.rules import ASPECTS, PER_GRID, Aspect, top_up
from appraisal.survey.schemas import FormRow, GridProgress, Progress, SurveyRow
from shared.audit import service as audit
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, reach, require, whole_county
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.ids import new_id
from shared.retention import service as retention
from shared.retention.registry import SURVEY
from shared.roster import service as roster

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
PREPARING = (Stage.DRAFT, Stage.COLLECT)
LEVELS = {6: 9, 9: 12, 12: 15}
"""Length of a unit's code → that of the units right below it."""


class FreezeForm(msgspec.Struct):
    """Where the public value will come from is named before it exists."""

    value_source: Line
    per_grid: Annotated[int, msgspec.Meta(ge=20, le=200)] = PER_GRID


class DrawForm(msgspec.Struct):
    """The value that nobody controls, exactly as it is published."""

    public_value: Line


class FormForm(msgspec.Struct):
    """Words of the six aspects, in their order."""

    titles: list[Annotated[str, msgspec.Meta(min_length=1, max_length=8)]]
    prompts: list[Annotated[str, msgspec.Meta(min_length=1, max_length=30)]]


async def of_cycle(actor: Actor, cycle_id: UUID) -> tuple[CycleRow, SurveyRow | None]:
    """The cycle and its survey, if the list is frozen. Raises NotFound, NoCycle."""
    if not reach(actor, Action.SURVEY_VIEW):
        raise NotFound
    cycle = await cycles.get(actor, cycle_id)
    return cycle, await queries.survey_of_cycle(actor.county_id, cycle_id)


async def existing(actor: Actor, cycle_id: UUID) -> SurveyRow:
    """The cycle's survey; raises NotFound, NoCycle, WrongState before the list is frozen."""
    _, survey = await of_cycle(actor, cycle_id)
    if survey is None:
        raise WrongState("住户名单还没有冻结，请先冻结名单。")
    return survey


async def current_form(county_id: int) -> FormRow:
    """The newest version of the form; the shipped one where a county has none yet."""
    found = await queries.newest_form(county_id)
    return found or FormRow(UUID(int=0), 0, ASPECTS, datetime.min)  # noqa: DTZ901  never shown


async def form_of(county_id: int, survey: SurveyRow) -> FormRow:
    """The version that a survey began with."""
    found = await queries.form(county_id, survey.form_id)
    if found is None:  # a foreign key keeps it
        raise NotFound
    return found


async def save_form(actor: Actor, form: FormForm, now: datetime) -> None:
    """A new version, for surveys that are frozen from now on. Raises NotFound, Invalid."""
    county = actor.county_code
    require(actor, Action.SURVEY_RUN, Target(unit_code=county))
    if not len(form.titles) == len(form.prompts) == len(ASPECTS):
        raise Invalid("测评表要有六个方面，每个方面都要填写。")
    new = tuple(
        Aspect(old.key, title, prompt)
        for old, title, prompt in zip(ASPECTS, form.titles, form.prompts, strict=True)
    )
    async with DB.transaction():
        # As freezing does, which takes the newest version, or makes the first.
        await queries.lock_households(actor.county_id)
        old = await current_form(actor.county_id)
        if new == old.aspects:
            return
        await _insert_form(actor, new, now)
        await _audit(actor, "survey.form", None, before=old.aspects, after=new)


async def freeze(actor: Actor, cycle_id: UUID, form: FreezeForm, now: datetime) -> SurveyRow:
    """Keep the list of households as it stands and publish its hash.

    Raises NotFound, NoCycle, CycleClosed, WrongStage, Conflict (frozen already), Invalid (empty).
    """
    county_id = actor.county_id
    require(actor, Action.SURVEY_RUN, whole_county(county_id))
    households = await queries.to_freeze(county_id)
    if not households:
        raise Invalid("还没有住户名单。请先导入住户名单，再冻结。")
    content = await asyncio.to_thread(draw.list_file, households)
    packed = await asyncio.to_thread(zlib.compress, content)
    grids = Counter(one.grid_code for one in households)
    survey_id = new_id()
    async with DB.transaction():
        await queries.lock_households(county_id)
        await cycles.expect(county_id, cycle_id, *PREPARING)
        if await queries.survey_of_cycle(county_id, cycle_id):
            raise Conflict("这次考核的住户名单已经冻结，不能再换。")
        shown = await queries.newest_form(county_id)
        form_id = shown.id if shown else await _insert_form(actor, ASPECTS, now)
        await queries.insert_survey(
            county_id,
            survey_id,
            cycle_id,
            form_id,
            form.per_grid,
            packed,
            draw.digest(content),
            len(households),
            form.value_source,
            actor.person_id,
            now,
        )
        rows = [(new_id(), code, count) for code, count in sorted(grids.items())]
        await queries.insert_grids(county_id, survey_id, rows)
        after = {"list_hash": draw.digest(content), "households": len(households)}
        await _audit(actor, "survey.freeze", survey_id, after=after)
    return await existing(actor, cycle_id)


async def draw_sample(actor: Actor, cycle_id: UUID, form: DrawForm, now: datetime) -> SurveyRow:
    """Draw with the public value; the interviewers' lists stand afterwards.

    Raises NotFound, NoCycle, CycleClosed, WrongStage, WrongState.
    """
    county_id = actor.county_id
    require(actor, Action.SURVEY_RUN, whole_county(county_id))
    survey = await existing(actor, cycle_id)
    seed = draw.seed_of(survey.list_hash, form.public_value)
    lines, content = await asyncio.to_thread(
        _drawn, await queries.list_file(county_id, survey.id), seed, survey.per_grid
    )
    async with DB.transaction():
        await cycles.expect(county_id, cycle_id, *PREPARING)
        await locked(county_id, survey.id, "frozen")
        await queries.set_drawn(
            county_id,
            survey.id,
            form.public_value,
            seed,
            draw.digest(content),
            actor.person_id,
            now,
        )
        chosen = [(new_id(), line) for line in lines if line.kind == "primary"]
        await queries.insert_drawn(county_id, survey.id, chosen)
        after = {"value": form.public_value, "seed": seed, "households": len(chosen)}
        await _audit(actor, "survey.draw", survey.id, after=after)
    return await existing(actor, cycle_id)


async def published_list(actor: Actor, cycle_id: UUID) -> bytes:
    """The frozen list, byte for byte what the hash was taken of."""
    survey = await existing(actor, cycle_id)
    require(actor, Action.SURVEY_VIEW, whole_county(actor.county_id))
    return zlib.decompress(await queries.list_file(actor.county_id, survey.id))


async def published_draw(actor: Actor, cycle_id: UUID) -> bytes:
    """The whole draw with its order of replacement. Raises WrongState before it is drawn."""
    survey = await existing(actor, cycle_id)
    require(actor, Action.SURVEY_VIEW, whole_county(actor.county_id))
    _, content = await asyncio.to_thread(
        _drawn,
        await queries.list_file(actor.county_id, survey.id),
        _seed(survey),
        survey.per_grid,
    )
    return content


async def drawn_grid(county_id: int, survey: SurveyRow, grid_code: str) -> list[Drawn]:
    """The draw of one grid, replacements included, in order."""
    packed = await queries.list_file(county_id, survey.id)

    def one() -> list[Drawn]:
        found = draw.read_list(zlib.decompress(packed))
        own = (household for household in found if household.grid_code == grid_code)
        return draw.draw(own, _seed(survey), survey.per_grid)

    return await asyncio.to_thread(one)


async def close(actor: Actor, cycle_id: UUID, now: datetime) -> SurveyRow:
    """Count for the last time; from now on there are results, and no slip is taken any more.

    Raises NotFound, NoCycle, CycleClosed, WrongStage, WrongState, ConfirmFirst.
    """
    county_id = actor.county_id
    require(actor, Action.SURVEY_RUN, whole_county(county_id))
    survey = await existing(actor, cycle_id)
    require_confirmed(actor, now)
    async with DB.transaction():
        await cycles.expect(county_id, cycle_id, Stage.COLLECT)
        # The count locks the ballots' tables first, as a ballot does, and then the survey's row.
        dropped = await ballot_queries.close(county_id, survey.id)
        await locked(county_id, survey.id, "drawn")
        await queries.set_closed(county_id, survey.id, actor.person_id, now, dropped)
        await _audit(actor, "survey.close", survey.id, after={"dropped": dropped})
    return await existing(actor, cycle_id)


async def unfinished(county_id: int, cycle: CycleRow) -> list[str]:
    """What a cycle waits for before it is scored: a survey that was begun comes to its end."""
    survey = await queries.survey_of_cycle(county_id, cycle.id)
    return ["群众测评还没有结束。"] if survey and survey.state != "closed" else []


async def locked(county_id: int, survey_id: UUID, *states: str) -> SurveyRow:
    """The survey's row until the transaction ends; raises WrongState in any other state."""
    survey = await queries.survey(county_id, survey_id, lock=True)
    if survey is None or survey.state not in states:
        raise WrongState("这次测评已经到了别的阶段，请刷新页面后再办。")
    return survey


async def progress(actor: Actor, survey: SurveyRow, code: str) -> list[Progress]:
    """Field work of a unit in counts: the unit itself first, then the units right below it."""
    require(actor, Action.SURVEY_VIEW, Target(unit_code=code))
    closed = survey.state == "closed"
    grids = await queries.progress(actor.county_id, survey.id, code, closed=closed)
    length = LEVELS.get(len(code), 15)
    below = sorted({grid.grid_code[:length] for grid in grids})
    units = await roster.units(actor.county_id, [code, *below])
    parts = {unit: [g for g in grids if g.grid_code.startswith(unit)] for unit in (code, *below)}
    return [
        _summed(unit, units[unit].name if unit in units else unit, found, survey.per_grid)
        for unit, found in parts.items()
    ]


async def forget(county_id: int, before: datetime) -> tuple[int, int, int]:
    """Retention: words, slips and who noted a visit, of surveys closed before."""
    async with DB.transaction():
        gone = await queries.forget(county_id, before)
        await retention.record(county_id, SURVEY, sum(gone))
    return gone


def needed(grid: GridProgress) -> int:
    """Households that a grid must still be given."""
    return top_up(grid.households, grid.handed, grid.answered, grid.pending)


def _summed(code: str, name: str, grids: list[GridProgress], per_grid: int) -> Progress:
    return Progress(
        code=code,
        name=name,
        grids=len(grids),
        households=sum(grid.households for grid in grids),
        drawn=sum(min(per_grid, grid.households) for grid in grids),
        listed=sum(grid.listed for grid in grids),
        handed=sum(grid.handed for grid in grids),
        pending=sum(grid.pending for grid in grids),
        gone=sum(grid.gone for grid in grids),
        slips=sum(grid.slips for grid in grids),
        answered=sum(grid.answered for grid in grids),
        short=sum(needed(grid) > 0 for grid in grids),
    )


def _drawn(packed: bytes, seed: str, per_grid: int) -> tuple[list[Drawn], bytes]:
    lines = draw.draw(draw.read_list(zlib.decompress(packed)), seed, per_grid)
    return lines, draw.draw_file(lines)


def _seed(survey: SurveyRow) -> str:
    if not survey.seed:
        raise WrongState("还没有抽样，请先输入公开数值抽样。")
    return survey.seed


async def _insert_form(actor: Actor, aspects: tuple[Aspect, ...], now: datetime) -> UUID:
    form_id = new_id()
    encoded = msgspec.json.encode(aspects).decode()
    await queries.insert_form(actor.county_id, form_id, encoded, actor.person_id, now)
    return form_id


async def _audit(
    actor: Actor,
    action: str,
    survey_id: UUID | None,
    *,
    before: object = None,
    after: object = None,
) -> None:
    await audit.record(
        actor,
        action,
        "survey",
        survey_id,
        county_id=actor.county_id,
        unit_code=actor.county_code,
        before=before,
        after=after,
    )
