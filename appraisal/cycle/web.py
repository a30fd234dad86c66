"""考核评比 at the desk: the list of cycles, opening one, its stages."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from appraisal.casework import service as casework
from appraisal.casework.world import RESULT_OUT
from appraisal.cycle import advancing, rules, service
from appraisal.cycle.rules import KIND_NAMES, STAGE_NAMES, Stage
from appraisal.cycle.schemas import CycleForm, CycleRow
from appraisal.scorecard import annual
from shared.clock import today
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, allowed, whole_county
from shared.identity.actor import Actor
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

Refusal = Conflict | Invalid


class StepForm(msgspec.Struct):
    """Where to, and why."""

    target: Stage
    note: str = ""


@get("/appraisal/desk")
async def home(request: Asked) -> Template:
    """All cycles of the county."""
    return await _home(request, {})


@post("/appraisal/desk")
async def open_cycle(request: Asked) -> Template | Redirect:
    """Open a cycle."""
    values = await forms.read(request)
    try:
        form = forms.bind(CycleForm, values)
        cycle_id = await service.open_cycle(request.user, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _home(request, values, error)
    return Redirect(f"/appraisal/desk/cycles/{cycle_id}", status_code=303)


@get("/appraisal/desk/cycles/{cycle_id:uuid}")
async def cycle(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """One cycle: where it stands, what may follow, what was signed."""
    return await _cycle(request, cycle_id)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/advance")
async def advance(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """Take the next step, or one back."""
    form = forms.bind(StepForm, await forms.read(request))
    try:
        await advancing.advance(request.user, cycle_id, form.target, form.note, moment(request))
    except (Invalid, Conflict) as error:
        return await _cycle(request, cycle_id, error)
    return Redirect(f"/appraisal/desk/cycles/{cycle_id}", status_code=303)


async def _home(request: Asked, values: dict[str, Any], error: Refusal | None = None) -> Template:
    found = await service.cycles(request.user)
    return _page(
        request,
        "desk_cycles",
        cycles=found,
        values=values,
        error=error,
        kinds=list(KIND_NAMES.items()),
        year=today(moment(request)).year,
        behind=[cycle for cycle in found if await annual.behind(request.user.county_id, cycle)],
        may_edit=_may_edit(request.user),
    )


async def _cycle(request: Asked, cycle_id: UUID, error: Refusal | None = None) -> Template:
    found = await service.get(request.user, cycle_id)
    choices = [
        (step, await advancing.hindrances(request.user.county_id, found, step, moment(request)))
        for step in rules.steps_from(found.state)
    ]
    return _page(
        request,
        "desk_cycle",
        cycle=found,
        choices=choices,
        signed=await service.steps(request.user, cycle_id),
        stages=list(Stage),
        undecidable=await _undecidable(request, found),
        error=error,
        may_edit=_may_edit(request.user),
    )


async def _undecidable(request: Asked, cycle: CycleRow) -> str:
    """Said before the results are passed on, and as long as somebody can still be appointed."""
    if cycle.state is not Stage.REVIEW and cycle.state not in RESULT_OUT:
        return ""
    actor, on = request.user, today(moment(request))
    passing = actor.person_id if cycle.state is Stage.REVIEW else None
    return await casework.undecidable(actor.county_id, cycle.id, passing, on)


def _may_edit(actor: Actor) -> bool:
    return allowed(actor, Action.CYCLE_EDIT, whole_county(actor.county_id)).allowed


def _page(request: Asked, name: str, **context: Any) -> Template:
    return page(
        request,
        f"cycle/{name}.html",
        stage_names=STAGE_NAMES,
        **context,
    )


router = Router("/", route_handlers=[home, open_cycle, cycle, advance], include_in_schema=False)
