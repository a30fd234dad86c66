"""群众测评 at the department's desk: households, form, freezing, the draw, progress, results."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from appraisal.survey import ballots, households, results, service
from appraisal.survey.households import Imported
from appraisal.survey.rules import ENOUGH, FEWEST, PER_GRID
from appraisal.survey.service import DrawForm, FormForm, FreezeForm
from shared.audit import service as audit
from shared.documents.excel import MIME
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, allowed, whole_county
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.issuer import issuer
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

Refusal = Conflict | Invalid
UPLOAD = 21 * 1024 * 1024
BASE = "/appraisal/desk/cycles/{cycle_id:uuid}/survey"
CSV = "text/csv; charset=utf-8"


@get("/appraisal/desk/households")
async def household_list(request: Asked) -> Template:
    """The living list in counts, and its import."""
    return await _households(request)


@post("/appraisal/desk/households", request_max_body_size=UPLOAD, status_code=200)
async def household_import(request: Asked) -> Template:
    """A list of households: tried, or taken."""
    actor = request.user
    values = await forms.read(request, files=("file",))
    upload = values.get("file")
    if not isinstance(upload, UploadFile):
        return await _households(request, error=Invalid("请选择住户名单文件。"))
    data = await upload.read()
    try:
        result = await households.import_households(
            actor,
            actor.county_id,
            data,
            upload.filename,
            dry_run=values.get("act") != "store",
            end_missing=values.get("end_missing") == "1",
        )
    except Invalid as error:
        return await _households(request, error=error)
    kept = None
    if result.faults:
        kept = await households.keep(actor, data, upload.filename, result, moment(request))
    return await _households(request, result=result, kept=kept, stored=values.get("act") == "store")


@get("/appraisal/desk/households/{run_id:uuid}/report.xlsx")
async def household_report(request: Asked, run_id: FromPath[UUID]) -> Response[bytes]:
    """A refused list again, its wrong cells in red."""
    name, content = await households.report(request.user, run_id)
    return Response(content, media_type=MIME, headers=attachment(name))


@get("/appraisal/desk/survey-form")
async def form_page(request: Asked) -> Template:
    """The words of the six aspects."""
    return await _form(request)


@post("/appraisal/desk/survey-form")
async def form_save(request: Asked) -> Template | Redirect:
    """A new version of the words."""
    try:
        form = forms.bind(FormForm, await forms.read(request, lists=("titles", "prompts")))
        await service.save_form(request.user, form, moment(request))
    except Invalid as error:
        return await _form(request, error)
    return Redirect("/appraisal/desk/survey-form", status_code=303)


@get(BASE)
async def home(request: Asked, cycle_id: FromPath[UUID], code: FromQuery[str] = "") -> Template:
    """Where the survey stands, and its progress from the county down to the grid."""
    return await _home(request, cycle_id, code)


@post(BASE + "/freeze")
async def freeze(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """Keep the list and publish its hash."""
    values = await forms.read(request)

    async def act() -> None:
        form = forms.bind(FreezeForm, values)
        await service.freeze(request.user, cycle_id, form, moment(request))

    return await _act(request, cycle_id, act, values)


@post(BASE + "/draw")
async def draw_sample(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """Draw with the value that has become public."""
    values = await forms.read(request)

    async def act() -> None:
        form = forms.bind(DrawForm, values)
        await service.draw_sample(request.user, cycle_id, form, moment(request))

    return await _act(request, cycle_id, act, values)


@post(BASE + "/close")
async def close(request: Asked, cycle_id: FromPath[UUID]) -> Template | Redirect:
    """The last count."""

    async def act() -> None:
        await service.close(request.user, cycle_id, moment(request))

    return await _act(request, cycle_id, act, {})


@get(BASE + "/list")
async def list_file(request: Asked, cycle_id: FromPath[UUID]) -> Response[bytes]:
    """The published list, byte for byte."""
    content = await service.published_list(request.user, cycle_id)
    await _logged(request, "冻结的住户名单", content)
    return Response(content, media_type=CSV, headers=attachment("住户名单.csv"))


@get(BASE + "/drawn")
async def drawn_file(request: Asked, cycle_id: FromPath[UUID]) -> Response[bytes]:
    """The draw, replacements in their order."""
    content = await service.published_draw(request.user, cycle_id)
    await _logged(request, "抽样结果", content)
    return Response(content, media_type=CSV, headers=attachment("抽样结果.csv"))


@get(BASE + "/notice")
async def notice(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """The sheet for the notice board: hash, value, seed, and how to repeat the draw."""
    cycle, _ = await service.of_cycle(request.user, cycle_id)
    survey = await service.existing(request.user, cycle_id)
    county = request.user.county_code
    lines = await service.progress(request.user, survey, county)
    return page(
        request,
        "survey/print_draw.html",
        cycle=cycle,
        survey=survey,
        lines=lines,
        issuer=await issuer(request.user.county_id),
    )


@get(BASE + "/results")
async def result_page(
    request: Asked, cycle_id: FromPath[UUID], code: FromQuery[str] = ""
) -> Template:
    """Scores with their intervals, from the county down."""
    actor = request.user
    cycle, _ = await service.of_cycle(actor, cycle_id)
    survey = await service.existing(actor, cycle_id)
    unit = code or actor.county_code
    form = await service.form_of(actor.county_id, survey)
    return page(
        request,
        "survey/desk_results.html",
        cycle=cycle,
        survey=survey,
        code=unit,
        rows=await results.of_unit(actor, survey, unit),
        aspects=form.aspects,
        enough=ENOUGH,
        fewest=FEWEST,
        may_run=_may_run(actor),
    )


@get(BASE + "/words")
async def word_page(
    request: Asked, cycle_id: FromPath[UUID], code: FromQuery[str] = ""
) -> Template:
    """Residents' words in groups, for the department."""
    actor = request.user
    cycle, _ = await service.of_cycle(actor, cycle_id)
    survey = await service.existing(actor, cycle_id)
    unit = code or actor.county_code
    groups = await results.words(actor, survey, unit)
    return page(request, "survey/desk_words.html", cycle=cycle, groups=groups, fewest=FEWEST)


async def _act(
    request: Asked, cycle_id: UUID, act: Callable[[], Any], values: dict[str, Any]
) -> Template | Redirect:
    try:
        await act()
    except (Invalid, Conflict) as error:
        return await _home(request, cycle_id, "", values, error)
    return Redirect(f"/appraisal/desk/cycles/{cycle_id}/survey", status_code=303)


async def _home(
    request: Asked,
    cycle_id: UUID,
    code: str,
    values: dict[str, Any] | None = None,
    error: Refusal | None = None,
) -> Template:
    actor = request.user
    county = actor.county_code
    cycle, survey = await service.of_cycle(actor, cycle_id)
    lines, waiting = [], 0
    if survey and survey.state != "frozen":
        lines = await service.progress(actor, survey, code or county)
        if survey.state == "drawn" and _may_run(actor):
            found, waiting = await ballots.conflicts(actor, survey.id)
            waiting += len(found)
    return page(
        request,
        "survey/desk_survey.html",
        cycle=cycle,
        survey=survey,
        counts=[] if survey else await households.counts(actor),
        lines=lines,
        code=code or county,
        above=await roster.unit_by_code(actor.county_id, code) if code else None,
        papers=waiting,
        values=values or {},
        error=error,
        per_grid=PER_GRID,
        may_run=_may_run(actor),
    )


async def _households(
    request: Asked,
    *,
    result: Imported | None = None,
    kept: UUID | None = None,
    stored: bool = False,
    error: Invalid | None = None,
) -> Template:
    return page(
        request,
        "survey/desk_households.html",
        status=422 if error or (result and result.faults) else 200,
        counts=await households.counts(request.user),
        result=result,
        kept=kept,
        stored=stored,
        error=error,
        may_run=_may_run(request.user),
    )


async def _form(request: Asked, error: Invalid | None = None) -> Template:
    return page(
        request,
        "survey/desk_form.html",
        form=await service.current_form(request.user.county_id),
        error=error,
        may_run=_may_run(request.user),
    )


def _may_run(actor: Actor) -> bool:
    return allowed(actor, Action.SURVEY_RUN, whole_county(actor.county_id)).allowed


async def _logged(request: Asked, name: str, content: bytes) -> None:
    """A public file of the whole county, one line a household below its head."""
    actor, rows = request.user, content.count(b"\n") - 1
    county = actor.county_code
    await audit.log_export(actor, name, "公开抽样", rows, unit_code=county)


router = Router(
    "/",
    route_handlers=[
        household_list,
        household_import,
        household_report,
        form_page,
        form_save,
        home,
        freeze,
        draw_sample,
        close,
        list_file,
        drawn_file,
        notice,
        result_page,
        word_page,
    ],
    include_in_schema=False,
)
