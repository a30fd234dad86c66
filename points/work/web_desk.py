"""The department's months: the state of every village, objections, deductions, import; prints."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from points.ledger.seal import service as seal
from points.rulebook import service as rulebook
from points.rulebook.rules import CATEGORY_NAMES, Category, Step, show
from points.work import deductions, intake, intake_report, month
from points.work.month_queries import MonthCount, WorkerCategory
from points.work.web import own_variants
from points.work.web_verify import last_month, month_choices
from shared.clock import today
from shared.documents import excel
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, allowed, reach, whole_county
from shared.identity.actor import Actor
from shared.months import month_cn, month_start
from shared.roster import service as roster
from shared.roster.office import service as office
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, asked_page, moment, page, part

UPLOAD = 21 * 1024 * 1024
TONES = {
    "collecting": "mute",
    "reviewing": "wait",
    "sampling": "wait",
    "notice": "warn",
    "posted": "ok",
    "immediate": "ok",
}
VILLAGES = 100
"""Of the overview, on a page."""
SHOWN = 50
"""Lines of an import's result on the page; the workbook has all."""
SLIP_ROWS = 12
"""Empty lines of the paper sheet a worker fills in: what one page holds beside the items."""


class Person(msgspec.Struct, kw_only=True):
    """One worker's line of the notice: points by category, 0.1 point."""

    worker_id: UUID
    name: str
    grid_name: str
    categories: dict[str, int]
    records: int = 0

    @property
    def total(self) -> int:
        return sum(self.categories.values())


@get("/desk/months")
async def months(
    request: Asked,
    chosen: FromQuery[str] = "",
    step: FromQuery[str] = "",
    unit: FromQuery[str] = "",
    q: FromQuery[str] = "",
) -> Template:
    """Every village's month in figures."""
    return await _months(request, chosen, step, unit, q)


@post("/desk/months/post")
async def post_ended(request: Asked) -> Template:
    """Post now what the night's job would: months whose notice has ended."""
    actor: Actor = request.user
    totals = await month.post_now(actor, moment(request))
    words = f"入账 {totals.records} 条，计 {show(totals.posted)} 分"
    words += f"，其中待拨付 {show(totals.awaiting)} 分。" if totals.awaiting else "。"
    return await _months(request, message=words if totals.records else "没有公示期满的村。")


@get("/desk/months/{village_code:str}/{number:int}")
async def village(request: Asked, village_code: FromPath[str], number: FromPath[int]) -> Template:
    """One village's month: who earned what, the sample, the notice."""
    actor: Actor = request.user
    row, workers = await month.village(actor, village_code, number)
    unit = await roster.unit_by_code(actor.county_id, village_code)
    if unit is None:
        raise NotFound
    signers = [row.committee_id, row.supervisor_id, row.sampler_id]
    people = await roster.people(actor.county_id, [one for one in signers if one])
    return page(
        request,
        "work/desk_month.html",
        row=row,
        unit=unit,
        label=month_cn(number),
        people=_people(workers),
        categories=CATEGORY_NAMES,
        signed=[people[one].name if one else "" for one in signers],
        sample=await month.sampled(actor, row),
        states=month.STATE_NAMES,
        tones=TONES,
    )


@get("/desk/months/objections")
async def objections(request: Asked) -> Template:
    """Objections and second reviews that are open, the most urgent first."""
    number, found = asked_page(request), await month.objections(request.user)
    rows, pages = part(found, number, month.PAGE)
    return page(
        request,
        "work/desk_objections.html",
        rows=rows,
        number=number,
        pages=pages,
        total=len(found),
        names=month.OBJECTION_NAMES,
        today=today(moment(request)),
    )


@get("/desk/months/deductions")
async def all_deductions(request: Asked) -> Template:
    """Every deduction with where it stands."""
    number = asked_page(request)
    rows, total = await deductions.listed(request.user, number)
    return page(
        request,
        "work/desk_deductions.html",
        rows=rows,
        number=number,
        pages=-(-total // deductions.PAGE),
        total=total,
        names=deductions.STATE_NAMES,
        may_act=bool(reach(request.user, Action.DEDUCT_DECIDE)),
    )


@post("/desk/months/import", request_max_body_size=UPLOAD)
async def import_file(request: Asked) -> Template | Response[bytes]:
    """A file of work records: tried, stored, or tried and returned as a workbook."""
    actor: Actor = request.user
    values = await forms.read(request, files=("file",))
    upload, act = values.get("file"), values.get("act")
    try:
        if not isinstance(upload, UploadFile):
            raise Invalid("请选择工作记录表。", {"file": "请选择文件。"})  # noqa: TRY301
        result = await intake.import_work(
            actor,
            actor.county_id,
            await upload.read(),
            upload.filename,
            dry_run=act != "store",
            now=moment(request),
        )
    except Invalid as error:
        return await _months(request, problem=error.message, status=422)
    if act == "report":
        county = await roster.unit_name(actor.county_id, actor.county_code)
        on = today(moment(request))
        data = await asyncio.to_thread(intake_report.workbook, result, county, on)
        name = excel.file_name("工作记录导入", "逐行结果", moment(request))
        return Response(data, media_type=excel.MIME, headers=attachment(name))
    return page(
        request,
        "work/desk_import.html",
        result=result,
        stored=act == "store",
        sentences=intake_report.sentences(result),
        refused=[line for line in result.lines if line.outcome == "拒绝"][:SHOWN],
    )


@get("/verify/months/{village_code:str}/{number:int}/notice")
async def notice(
    request: Asked,
    village_code: FromPath[str],
    number: FromPath[int],
    size: FromQuery[str] = "",
) -> Template:
    """公示: masked names and category totals, with the term and the place for the seal; A3 too."""
    actor: Actor = request.user
    row, workers = await month.village(actor, village_code, number)
    unit = await roster.unit_by_code(actor.county_id, village_code)
    if unit is None:
        raise NotFound
    hung = await month.published(actor, row)
    return page(
        request,
        "work/print_notice.html",
        row=row,
        village=hung.village_name if hung else unit.name,
        label=month_cn(number),
        people=_people(hung.workers if hung else workers),
        categories=CATEGORY_NAMES,
        on=row.notice_from or today(moment(request)),
        days=hung.days if hung else await month.notice_days(actor.county_id, row),
        seals=await seal.month(actor.county_id, month_start(number)),
        desk=actor.desk,
        size="a3" if size == "a3" else "a4",
    )


@get("/verify/months/{village_code:str}/{number:int}/sheet")
async def sheet(request: Asked, village_code: FromPath[str], number: FromPath[int]) -> Template:
    """核实单: a month's records of a village with room for the verifiers' signatures."""
    actor: Actor = request.user
    unit = await roster.unit_by_code(actor.county_id, village_code)
    if unit is None:
        raise NotFound
    return page(
        request,
        "work/print_sheet.html",
        unit=unit,
        label=month_cn(number),
        lines=await month.records(actor, village_code, number),
        desk=actor.desk,
        back=f"/verify/months/{village_code}/{number}",
    )


@get("/verify/slips")
async def slips(request: Asked) -> Template:
    """An empty paper sheet for workers without a phone, keyed in later (代录)."""
    actor: Actor = request.user
    on = today(moment(request))
    rules = await rulebook.rules_at(actor.county_id, on)
    return page(
        request,
        "work/print_slip.html",
        paying=await own_variants(actor, reach(actor, Action.WORK_PROXY), rules, on),
        rules=[rule for rule in rules if Step.SYSTEM not in rule.steps],
        categories=CATEGORY_NAMES,
        rows=range(SLIP_ROWS),
    )


async def _months(
    request: Asked,
    chosen: str = "",
    step: str = "",
    unit: str = "",
    q: str = "",
    *,
    message: str = "",
    problem: str = "",
    status: int = 200,
) -> Template:
    actor: Actor = request.user
    at = moment(request)
    number = month.asked_month(chosen, last_month(at))
    rows = await month.overview(actor, number)
    steps = {row.state for row in rows} | month.STATE_NAMES.keys() - {"immediate"}
    found = [row for row in rows if _fits(row, step, unit, q)]
    page_number = asked_page(request)
    shown, pages = part(found, page_number, VILLAGES)
    return page(
        request,
        "work/desk_months.html",
        status=status,
        rows=shown,
        totals=_totals(found),
        page_number=page_number,
        pages=pages,
        villages=len(found),
        townships=[(one.code, one.name) for one in await office.townships(actor)],
        number=number,
        chosen=f"{number // 100}-{number % 100:02d}",
        label=month_cn(number),
        choices=month_choices(at),
        step=step,
        unit=unit,
        q=q,
        states={state: name for state, name in month.STATE_NAMES.items() if state in steps},
        tones=TONES,
        objections=sum(row.objections for row in rows),
        open_deductions=len(await deductions.to_decide(actor)),
        may_post=_may(actor, Action.MONTH_POST),
        may_import=_may(actor, Action.WORK_IMPORT),
        message=message,
        problem=problem,
    )


def _fits(row: MonthCount, step: str, unit: str, q: str) -> bool:
    return step in ("", row.state) and row.village_code.startswith(unit) and q in row.village_name


def _totals(rows: list[MonthCount]) -> dict[str, int]:
    names = ("pending", "accepted", "posted", "points")
    return {name: sum(getattr(row, name) for row in rows) for name in names}


def _people(workers: list[WorkerCategory]) -> list[Person]:
    """One line a worker and grid, categories side by side."""
    found: dict[tuple[UUID, str], Person] = {}
    for item in workers:
        key = (item.worker_id, item.grid_name)
        if key not in found:
            zero: dict[str, Any] = {str(category): 0 for category in Category}
            found[key] = Person(
                worker_id=item.worker_id,
                name=item.name,
                grid_name=item.grid_name,
                categories=zero,
            )
        found[key].categories[item.category] += item.points
        found[key].records += item.records
    return list(found.values())


def _may(actor: Actor, action: Action) -> bool:
    return allowed(actor, action, whole_county(actor.county_id)).allowed


router = Router(
    "/",
    route_handlers=[
        months,
        post_ended,
        village,
        objections,
        all_deductions,
        import_file,
        notice,
        sheet,
        slips,
    ],
    include_in_schema=False,
)
