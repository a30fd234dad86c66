"""评分 at the desk: running it, what is missing, one person's card, calibration, the rules."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from appraisal.casework.world import RESULT_OUT
from appraisal.scorecard import annual, calibrating, left_out, schemes, scoring, service
from appraisal.scorecard.rules import (
    COMPONENT_NAMES,
    GRADE_NAMES,
    ORDER,
    RANGES,
    Band,
    Component,
    Grade,
    Scheme,
)
from appraisal.scorecard.schemas import Tally
from appraisal.scorecard.service import Card
from appraisal.web import StepForm, signed_form
from shared.clock import today
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, Target, allowed, whole_county
from shared.roster.roles import EMPLOYMENT_NAMES
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, may_open, moment, page, part

Refusal = Conflict | Invalid
CYCLE = "/appraisal/desk/cycles"
UNAPPRAISED = 50
"""Of those who are not appraised, on a page."""
SOURCES = {
    Component.ATTENDANCE: "/appraisal/desk/duty/people/{person_id}",
    Component.DATA: "/appraisal/desk/duty/people/{person_id}",
    Component.SATISFACTION: "/appraisal/desk/cycles/{cycle_id}/survey/results",
    Component.MERIT: "/appraisal/desk/cycles/{cycle_id}/scorecards/{person_id}/merit",
    Component.TRAINING: "/appraisal/desk/duty/people/{person_id}",
}
"""Component → the page of the rows it was made from."""
SURVEY = "/appraisal/desk/cycles/{cycle_id}/survey"
"""Where it is said why there is no result."""
WITHIN = {
    "/appraisal/desk/duty/people/{person_id}": "?since={starts_on}&until={ends_on}",
    "/appraisal/desk/cycles/{cycle_id}/survey/results": "?code={village_code}#unit-{grid_code}",
}
"""Page → how it is narrowed to the days or the grid in question."""
MISSING = (
    ("no_attendance", "没有考勤"),
    ("missing_months", "考勤缺月"),
    ("no_data", "没有双随机核查"),
    ("no_satisfaction", "测评样本不足或没有测评"),
    ("no_merit", "积分无法比较"),
    ("no_training", "没有培训"),
)
GRID_TYPES = {"rural": "农村网格", "community": "社区网格", "other": "其他网格"}


class RunForm(msgspec.Struct):
    """Why it is scored (again)."""

    note: str = ""


class AgainForm(msgspec.Struct):
    """Why annual scores are made again, and that nobody of them is a relative."""

    words: str = ""
    no_kin: bool = False


class LeftOutForm(StepForm, kw_only=True):
    """Who was left out; the rest is the first step of the case."""

    person_id: UUID


class CalibrationForm(msgspec.Struct):
    """The score that a person sets, and why."""

    score: Decimal
    reason: str


class SchemeForm(msgspec.Struct):
    """When other rules begin, and on what ground; the numbers are read beside."""

    effective_on: date
    reason: str = ""


@get("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards")
async def board(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """The scoring of a cycle."""
    return await _board(request, cycle_id)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards")
async def run(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """Score, or score again."""
    form = forms.bind(RunForm, await forms.read(request))
    try:
        await scoring.score(request.user, cycle_id, form.note, moment(request))
    except Conflict as error:
        return await _board(request, cycle_id, error)
    return Redirect(f"{CYCLE}/{cycle_id}/scorecards", status_code=303)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/annual")
async def recompute(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """Make the annual scores again whose half-year was changed."""
    values = await forms.read(request)
    try:
        form = forms.bind(AgainForm, values)
        await annual.recompute(
            request.user, cycle_id, form.words, moment(request), no_kin=form.no_kin
        )
    except (Invalid, Conflict) as error:
        return await _board(request, cycle_id, error, values)
    return Redirect("/appraisal/desk/cases?pool=objection", status_code=303)


@post("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/left-out")
async def report(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """漏评: report somebody who is in no result that has come out."""
    values = await forms.read(request) | {"step": "reported"}
    try:
        form = forms.bind(LeftOutForm, values)
        signed = signed_form(request, form, values)
        case_id = await left_out.report(
            request.user, cycle_id, form.person_id, signed, moment(request)
        )
    except (Invalid, Conflict) as error:
        return await _board(request, cycle_id, error, values)
    return Redirect(f"/appraisal/cases/{case_id}", status_code=303)


@get("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/changes/{number:int}")
async def changes(request: Asked, cycle_id: FromPath[UUID], number: FromPath[int]) -> Template:
    """Who changed since an earlier run."""
    found, listed = await service.difference(request.user, cycle_id, number)
    return page(
        request,
        "scorecard/desk_changes.html",
        cycle=found.cycle,
        run=found.run,
        number=number,
        changes=listed,
        places=await service.places(request.user.county_id, [one.grid_code for one in listed]),
    )


@get("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/{person_id:uuid}")
async def card(
    request: Asked,
    cycle_id: FromPath[UUID],
    person_id: FromPath[UUID],
    run: FromQuery[int | None] = None,
) -> Template:
    """One person's card, each number with the rows behind it."""
    found = await service.card(request.user, cycle_id, person_id, run)
    return _card(request, found, {})


@post("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/{person_id:uuid}")
async def calibrate(
    request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]
) -> Template | Redirect:
    """校准: set another score, with a reason."""
    values = await forms.read(request)
    try:
        form = forms.bind(CalibrationForm, values)
        await calibrating.calibrate(
            request.user, cycle_id, person_id, form.score, form.reason, moment(request)
        )
    except (Invalid, Conflict) as error:
        found = await service.card(request.user, cycle_id, person_id)
        return _card(request, found, values, error)
    return Redirect(f"{CYCLE}/{cycle_id}/scorecards/{person_id}", status_code=303)


@get("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/{person_id:uuid}/merit")
async def merit(request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]) -> Template:
    """The months a person's points come from; each leads to its work records."""
    found = await service.card(request.user, cycle_id, person_id)
    months = await service.months(request.user, found)
    return page(request, "scorecard/desk_merit.html", card=found, cycle=found.cycle, months=months)


@get("/appraisal/desk/scheme")
async def scheme(request: Asked) -> Template:
    """The rules of scoring in force, and the form for others."""
    return await _scheme(request, {})


@post("/appraisal/desk/scheme")
async def change_scheme(request: Asked) -> Template | Redirect:
    """Let other rules hold from a day on."""
    values = await forms.read(request)
    try:
        form = forms.bind(SchemeForm, values)
        wanted = scheme_of(values)
        await schemes.change(request.user, wanted, form.effective_on, form.reason, moment(request))
    except Invalid as error:
        return await _scheme(request, values, error)
    return Redirect("/appraisal/desk/scheme", status_code=303)


def scheme_of(values: dict[str, Any]) -> Scheme:
    """The scheme that a form's numbers say. Raises Invalid naming the fields that are none."""
    numbers: dict[str, int] = {}
    faults: dict[str, str] = {}
    names = [*(component.value for component in Component), *RANGES]
    names += [f"{grade.value}_{end}" for grade in ORDER for end in ("low", "high")]
    for name in names:
        text = str(values.get(name, "")).strip()
        if text.removeprefix("-").isdecimal() and len(text) <= 5:
            numbers[name] = int(text)
        else:
            faults[name] = "请填整数。"
    if faults:
        raise Invalid("有几处需要改正。", faults)
    bands = tuple(
        Band(grade, numbers.pop(f"{grade.value}_low"), numbers.pop(f"{grade.value}_high"))
        for grade in ORDER
    )
    return Scheme(**numbers, bands=bands)


def fields_of(scheme: Scheme) -> dict[str, Any]:
    """A scheme as the form's fields."""
    values = {name: value for name, value in msgspec.to_builtins(scheme).items() if name != "bands"}
    for band in scheme.bands:
        values[f"{band.grade.value}_low"] = band.low
        values[f"{band.grade.value}_high"] = band.high
    return values


def form_parts() -> dict[str, Any]:
    """What the form of a scheme is made of."""
    return {
        "components": list(COMPONENT_NAMES.items()),
        "grades": [(grade, GRADE_NAMES[grade]) for grade in reversed(ORDER)],
        "ranges": [(name, label) for name, (_, _, label) in RANGES.items()],
    }


async def _board(
    request: Asked,
    cycle_id: UUID,
    error: Refusal | None = None,
    values: dict[str, Any] | None = None,
) -> Template:
    found = await service.board(request.user, cycle_id)
    behind = await annual.behind(request.user.county_id, found.cycle)
    missed = [one for one in found.unappraised if one.until is None]
    number = asked_page(request)
    unappraised, pages = part(found.unappraised, number, UNAPPRAISED)
    grids = [one.grid_code for one in behind]
    grids += [one.grid_code for one in (*unappraised, *missed)]
    places = await service.places(request.user.county_id, grids)
    return page(
        request,
        "scorecard/desk_scorecards.html",
        cycle=found.cycle,
        board=found,
        grades=_grades(found.tally) if found.tally else [],
        missing=MISSING,
        error=error,
        values=values or {},
        may_run=_may(request, Action.SCORE_RUN) and found.cycle.state == "score",
        behind=behind,
        left_out=[(one.person_id, f"{one.name}（{places[one.grid_code]}）") for one in missed],
        unappraised=unappraised,
        number=number,
        pages=pages,
        places=places,
        may_recompute=found.cycle.state in RESULT_OUT and _may(request, Action.CYCLE_EDIT),
    )


async def _scheme(request: Asked, values: dict[str, Any], error: Invalid | None = None) -> Template:
    versions = await schemes.versions(request.user)
    day = today(moment(request))
    current = next(version for version in versions if version.effective_on <= day)
    return page(
        request,
        "scorecard/desk_scheme.html",
        versions=versions,
        current=current,
        values=values or fields_of(current.scheme) | {"effective_on": day, "reason": ""},
        error=error,
        may_edit=_may(request, Action.SCHEME_EDIT),
        **form_parts(),
    )


def _card(
    request: Asked, found: Card, values: dict[str, Any], error: Refusal | None = None
) -> Template:
    target = Target(unit_code=found.facts.grid_code, owner=found.facts.person_id)
    stage = found.cycle.state in calibrating.STAGES and found.run.current
    return page(
        request,
        "scorecard/desk_card.html",
        cycle=found.cycle,
        card=found,
        links=_links(request, found),
        values=values,
        error=error,
        may_calibrate=stage and allowed(request.user, Action.SCORE_CALIBRATE, target).allowed,
        grid_types=GRID_TYPES,
        employments=EMPLOYMENT_NAMES,
        merit_page=_link(request, SOURCES[Component.MERIT], found),
        duty_page=_link(request, SOURCES[Component.ATTENDANCE], found),
    )


def _links(request: Asked, found: Card) -> dict[Component, str]:
    """Where each component's rows are shown, as far as this person may open them."""
    links = {component: _link(request, path, found) for component, path in SOURCES.items()}
    if not found.facts.ballots:
        links[Component.SATISFACTION] = _link(request, SURVEY, found)
    return {component: link for component, link in links.items() if link}


def _link(request: Asked, path: str, found: Card) -> str:
    if not may_open(request, path):
        return ""
    return (path + WITHIN.get(path, "")).format(
        cycle_id=found.cycle.id,
        person_id=found.facts.person_id,
        starts_on=found.cycle.starts_on,
        ends_on=found.cycle.ends_on,
        grid_code=found.facts.grid_code,
        village_code=found.facts.grid_code[:12],
    )


def _grades(tally: Tally) -> list[tuple[str, int]]:
    return [(GRADE_NAMES[grade], getattr(tally, grade.value)) for grade in Grade]


def _may(request: Asked, action: Action) -> bool:
    county = whole_county(request.user.county_id)
    return allowed(request.user, action, county).allowed


router = Router(
    "/",
    route_handlers=[
        board,
        run,
        recompute,
        report,
        changes,
        card,
        calibrate,
        merit,
        scheme,
        change_scheme,
    ],
    include_in_schema=False,
)
