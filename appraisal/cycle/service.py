"""Cycles: opening one, reading it, and holding its stage while something is written into it."""

from datetime import datetime
from uuid import UUID

import msgspec

from appraisal.cycle import queries, rules
from appraisal.cycle.rules import STAGE_NAMES, Kind, Stage
from appraisal.cycle.schemas import CycleForm, CycleRow, StepRow
from appraisal.errors import CycleClosed, NoCycle, WrongStage
from shared import settings_county
from shared.audit import service as audit
from shared.audit.words import authority_name
from shared.database import DB
from shared.errors import Conflict
from shared.identity.access import Action, Target, allowed, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.schemas import UnitRow


async def open_cycle(actor: Actor, form: CycleForm, now: datetime) -> UUID:
    """Open a cycle for the actor's county, in draft. Raises NotFound, Conflict if it exists."""
    unit_code = actor.county_code
    require(actor, Action.CYCLE_EDIT, Target(unit_code=unit_code))
    starts_on, ends_on = rules.period(form.kind, form.year)
    title = form.title or rules.title(form.kind, form.year)
    cycle_id = new_id()
    async with DB.transaction():
        made = await queries.insert_cycle(
            actor.county_id,
            cycle_id,
            form.kind,
            form.year,
            title,
            starts_on,
            ends_on,
            actor.person_id,
            now,
        )
        if not made:
            raise Conflict(
                f"{form.year} 年的{rules.KIND_NAMES[form.kind]}已经建立，请在列表中打开。"
            )
        await audit.record(
            actor,
            Action.CYCLE_EDIT,
            "cycle",
            cycle_id,
            county_id=actor.county_id,
            unit_code=unit_code,
            after={"kind": form.kind, "year": form.year, "title": title, "state": Stage.DRAFT},
        )
    return cycle_id


async def cycles(actor: Actor) -> list[CycleRow]:
    """All cycles of the county, latest first; drafts only for who prepares or audits them."""
    found = await queries.cycles(actor.county_id)
    if _sees_drafts(actor):
        return found
    return [cycle for cycle in found if cycle.state is not Stage.DRAFT]


async def get(actor: Actor, cycle_id: UUID) -> CycleRow:
    """One cycle of the actor's county. Raises NoCycle."""
    found = await queries.cycle(actor.county_id, cycle_id)
    if found is None or (found.state is Stage.DRAFT and not _sees_drafts(actor)):
        raise NoCycle
    return found


async def steps(actor: Actor, cycle_id: UUID) -> list[StepRow]:
    """The signed steps so far. Raises NotFound."""
    require(actor, Action.CYCLE_VIEW, whole_county(actor.county_id))
    found = await queries.steps(actor.county_id, cycle_id)
    codes = {step.authority.partition("@")[2] for step in found}
    units = await roster.units(actor.county_id, codes)
    department = (await settings_county.get(actor.county_id)).department_name
    return [
        msgspec.structs.replace(step, authority=_in_words(step.authority, units, department))
        for step in found
    ]


async def expect(county_id: int, cycle_id: UUID, *stages: Stage) -> CycleRow:
    """The cycle, kept in its stage until the caller's transaction ends.

    Whoever writes into a cycle calls this first, inside the transaction. Raises NoCycle,
    CycleClosed, WrongStage.
    """
    found = await queries.cycle_shared(county_id, cycle_id)
    if found is None:
        raise NoCycle
    if found.state not in stages:
        if found.state is Stage.CLOSED:
            raise CycleClosed
        needed = "”或“".join(STAGE_NAMES[stage] for stage in stages)
        raise WrongStage(found.stage_name, needed)
    return found


async def returned_at(county_id: int, cycle_id: UUID) -> datetime | None:
    """When scoring was last given back to collecting."""
    return await queries.returned_at(county_id, cycle_id)


async def reopened(county_id: int, cycle_id: UUID) -> bool:
    """Whether it was closed before: open only for papers that were received in time."""
    return await queries.reopened(county_id, cycle_id)


async def of_period(county_id: int, kind: Kind, year: int) -> CycleRow | None:
    """The county's cycle of a kind and year."""
    return await queries.cycle_of_period(county_id, kind, year)


def _in_words(authority: str, units: dict[str, UnitRow], department: str) -> str:
    unit = units.get(authority.partition("@")[2])
    return authority_name(authority, unit.name if unit else None, department)


def _sees_drafts(actor: Actor) -> bool:
    county = whole_county(actor.county_id)
    return allowed(actor, Action.CYCLE_VIEW, county).allowed
