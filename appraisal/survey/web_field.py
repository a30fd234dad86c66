"""Field work on phone and desk: interviewers' lists, slips to print, papers keyed in twice."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from appraisal.survey import ballots, field, service, slips
from appraisal.survey.ballots import Keyed
from appraisal.survey.errors import SlipUnknown
from appraisal.survey.field import NOTES, STATUS_NAMES
from appraisal.survey.rules import MAX_COMMENT, SCALE, VISITS, agreed, side_by_side, token_in
from appraisal.survey.schemas import DrawnRow
from appraisal.survey.web_ballot import BallotForm
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, NotFound
from shared.identity.access import Action, Target, allowed
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.office.schemas import Page
from shared.web import forms
from shared.web.application import Router
from shared.web.filters import drawn
from shared.web.pages import Asked, moment, page

VISITS_PATH = "/appraisal/visits/{survey_id:uuid}/{village_code:str}"
PAPERS = "/appraisal/papers/{survey_id:uuid}"
BODY = 128 * 1024
HOUSEHOLDS = 300
"""Households on one page: some sixty grids' are several megabytes, and too large a form."""
SEEN = "visits-"
"""Before a household's id: the field of the visits that its page showed."""


class Query(msgspec.Struct):
    """Which page of a village's households."""

    page: Page = 1


class PersonForm(msgspec.Struct):
    """Whom it is about."""

    person_id: UUID


@get("/appraisal/visits")
async def villages(request: Asked) -> Template:
    """The villages that somebody interviews, or whose survey they run."""
    found = await field.villages(request.user)
    papers = {survey.id for survey, unit in found if _runs(request.user, unit.code)}
    return page(request, "survey/m_visits.html", found=found, papers=sorted(papers))


@get(VISITS_PATH)
async def village(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Template:
    """One village's list, and for who runs the survey its slips and interviewers."""
    return await _village(request, survey_id, village_code)


@post(VISITS_PATH, request_max_body_size=BODY)
async def note(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Template | Redirect:
    """Keep what became of the visits that were marked."""
    notes: dict[UUID, str] = {}
    known: dict[UUID, int] = {}
    for name, value in (await forms.read(request)).items():
        with suppress(ValueError):
            if name.startswith(SEEN):
                known[UUID(name.removeprefix(SEEN))] = int(str(value))
            else:
                notes[UUID(name)] = str(value)
    notes = {one: said for one, said in notes.items() if said}
    try:
        if not notes:
            raise Invalid("请先选好哪几户是什么结果，再保存。")  # noqa: TRY301
        await field.note_visits(
            request.user, survey_id, village_code, notes, moment(request), known=known
        )
    except (Invalid, Conflict) as error:
        return await _village(request, survey_id, village_code, error, (notes, known))
    return _back(survey_id, village_code, _query(request).page)


@get(VISITS_PATH + "/print")
async def print_list(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Template:
    """The list on paper, with empty boxes."""
    actor = request.user
    _, rows, _ = await field.hand_out_list(actor, survey_id, village_code)
    units = await roster.units(actor.county_id, [village_code, *rows])
    if village_code not in units:
        raise NotFound
    return page(
        request,
        "survey/print_visits.html",
        rows=rows,
        units=units,
        village=units[village_code],
        names=STATUS_NAMES,
        back=_address(survey_id, village_code),
    )


@post(VISITS_PATH + "/slips", status_code=200)
async def print_slips(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Template:
    """Slips for the printer; their tokens are on this answer only."""
    actor = request.user
    again = (await forms.read(request)).get("again") == "1"
    url = request.app.state.settings.public_url
    try:
        made = await slips.print_slips(
            actor, survey_id, village_code, url, moment(request), again=again
        )
    except (Invalid, Conflict) as error:
        return await _village(request, survey_id, village_code, error)
    form = await ballots.form_to_print(actor, survey_id)
    # Printed from a grid's own page too, a slip names its village.
    village = await roster.unit_by_code(actor.county_id, village_code[:12])
    return page(
        request,
        "survey/print_ballots.html",
        slips=made,
        codes=await drawn([slip.url for slip in made], "测评码"),
        form=form,
        village=village,
        scale=SCALE,
        back=_address(survey_id, village_code),
    )


@post(VISITS_PATH + "/top-up")
async def top_up(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Template | Redirect:
    """Bring replacements to the grids that have too few answers."""
    try:
        added = await field.top_up(request.user, survey_id, village_code)
        if not added:
            raise Conflict("现在不用补抽：已答够，或还有住户待访。")  # noqa: TRY301
    except (Invalid, Conflict) as error:
        return await _village(request, survey_id, village_code, error)
    return _back(survey_id, village_code)


@post(VISITS_PATH + "/interviewers")
async def assign(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Template | Redirect:
    """Name an interviewer."""
    try:
        form = forms.bind(PersonForm, await forms.read(request))
        await field.assign(request.user, survey_id, village_code, form.person_id, moment(request))
    except (Invalid, Conflict) as error:
        return await _village(request, survey_id, village_code, error)
    return _back(survey_id, village_code)


@post(VISITS_PATH + "/interviewers/end")
async def dismiss(
    request: Asked, survey_id: FromPath[UUID], village_code: FromPath[str]
) -> Redirect:
    """Take an interviewer off the village."""
    form = forms.bind(PersonForm, await forms.read(request))
    await field.dismiss(request.user, survey_id, village_code, form.person_id)
    return _back(survey_id, village_code)


@get(PAPERS)
async def papers(request: Asked, survey_id: FromPath[UUID]) -> Template:
    """The batch entry screen: a slip's number, then its answers."""
    return await _papers(request, survey_id)


@post(PAPERS, status_code=200)
async def find(request: Asked, survey_id: FromPath[UUID]) -> Template:
    """The empty form of the slip whose number was typed or scanned."""
    code = _code(await forms.read(request))
    try:
        return await _paper(request, survey_id, code, {})
    except GridmeritError as error:
        return await _papers(request, survey_id, error=_shown(error))


@post(PAPERS + "/key", status_code=200)
async def key(request: Asked, survey_id: FromPath[UUID]) -> Template:
    """One of the two keyings."""
    values = await forms.read(request)
    code = _code(values)
    try:
        answers = forms.bind(BallotForm, values).answers()
        keyed = await ballots.key_paper(request.user, survey_id, code, answers)
    except Invalid as error:
        return await _paper(request, survey_id, code, values, error)
    except GridmeritError as error:
        return await _papers(request, survey_id, error=_shown(error))
    return await _papers(request, survey_id, keyed=keyed)


@post(PAPERS + "/decide", status_code=200)
async def decide(request: Asked, survey_id: FromPath[UUID]) -> Template:
    """The third look at a paper."""
    values = await forms.read(request)
    code = _code(values)
    try:
        answers = forms.bind(BallotForm, values).answers()
        await ballots.decide_paper(request.user, survey_id, code, answers)
    except Invalid as error:
        return await _paper(request, survey_id, code, values, error)
    except GridmeritError as error:
        return await _papers(request, survey_id, error=_shown(error))
    return await _papers(request, survey_id, keyed=Keyed(number=code, cast=True))


async def _village(
    request: Asked,
    survey_id: UUID,
    village_code: str,
    error: GridmeritError | None = None,
    marked: tuple[dict[UUID, str], dict[UUID, int]] = ({}, {}),
) -> Template:
    actor = request.user
    survey, listed, may_note = await field.hand_out_list(actor, survey_id, village_code)
    units = await roster.units(actor.county_id, [village_code, *listed])
    number = _query(request).page
    total, rows = _part(listed, number)
    notes, known = marked
    noted = {
        row.id: notes.get(row.id, "")
        for row in (one for grid in rows.values() for one in grid)
        # Noted meanwhile: a second press on the same mark would be a second visit.
        if known.get(row.id, row.visits) == row.visits
    }
    if village_code not in units:
        raise NotFound
    runs = _runs(actor, village_code)
    lines = await service.progress(actor, survey, village_code) if runs else []
    at = moment(request)
    return page(
        request,
        "survey/m_village.html",
        survey=survey,
        village=units[village_code],
        units=units,
        rows=rows,
        number=number,
        pages=-(-total // HOUSEHOLDS),
        total=total,
        noted=noted,
        lines=lines,
        may_note=may_note,
        runs=runs,
        interviewers=await field.interviewers(actor, survey_id, village_code) if runs else [],
        candidates=await field.candidates(actor, survey, village_code, at) if runs else [],
        notes=NOTES,
        names=STATUS_NAMES,
        visits=VISITS,
        address=_address(survey_id, village_code),
        error=error,
    )


async def _papers(
    request: Asked,
    survey_id: UUID,
    *,
    keyed: Keyed | None = None,
    error: GridmeritError | None = None,
) -> Template:
    conflicts, waiting = await ballots.conflicts(request.user, survey_id)
    return page(
        request,
        "survey/m_papers.html",
        survey_id=survey_id,
        keyed=keyed,
        conflicts=conflicts,
        waiting=waiting,
        error=error,
    )


async def _paper(
    request: Asked,
    survey_id: UUID,
    code: str,
    values: dict[str, Any],
    error: Invalid | None = None,
) -> Template:
    paper, waiting = await ballots.find_paper(request.user, survey_id, code)
    both = ballots.keyings(waiting) if waiting else None
    return page(
        request,
        "survey/m_paper.html",
        survey_id=survey_id,
        paper=paper,
        number=f"{paper.slip.number:010d}",
        turn=3 if both else 2 if waiting else 1,
        differing=side_by_side(*both, paper.form.aspects) if both else [],
        values=values or (agreed(*both) if both else {}),
        error=error,
        scale=SCALE,
        max_comment=MAX_COMMENT,
    )


def _code(values: dict[str, Any]) -> str:
    """The number or the token in what was typed or scanned."""
    found = str(values.get("code", ""))
    return token_in(found) or found


def _shown(error: GridmeritError) -> GridmeritError:
    """What belongs on the entry screen; an absent page stays absent."""
    if isinstance(error, SlipUnknown | Conflict | Forbidden | Invalid):
        return error
    raise error


def _runs(actor: Actor, code: str) -> bool:
    return allowed(actor, Action.SURVEY_FIELD, Target(unit_code=code)).allowed


def _address(survey_id: UUID, village_code: str) -> str:
    return f"/appraisal/visits/{survey_id}/{village_code}"


def _back(survey_id: UUID, village_code: str, number: int = 1) -> Redirect:
    at = f"?page={number}" if number > 1 else ""
    return Redirect(_address(survey_id, village_code) + at, status_code=303)


def _query(request: Asked) -> Query:
    return forms.bind(Query, dict(request.query_params))


def _part(listed: dict[str, list[DrawnRow]], number: int) -> tuple[int, dict[str, list[DrawnRow]]]:
    """How many households there are, and those of one page by grid."""
    every = [row for rows in listed.values() for row in rows]
    found: dict[str, list[DrawnRow]] = {}
    for row in every[(number - 1) * HOUSEHOLDS : number * HOUSEHOLDS]:
        found.setdefault(row.grid_code, []).append(row)
    return len(every), found


router = Router(
    "/",
    route_handlers=[
        villages,
        village,
        note,
        print_list,
        print_slips,
        top_up,
        assign,
        dismiss,
        papers,
        find,
        key,
        decide,
    ],
    include_in_schema=False,
)
