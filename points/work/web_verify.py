"""The verifier's pages: 待办, 已办, 代录, the village's month, objections."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.desk import service as desk
from points.rulebook.rules import CATEGORY_NAMES
from points.work import month, service
from points.work.confirming import CONFIRMING
from points.work.month_queries import WorkerCategory
from points.work.rules import STATE_NAMES
from points.work.schemas import LogForm
from points.work.web import (
    STATE_TONES,
    UPLOAD,
    as_of,
    declarable,
    grid_choices,
    kept_photo,
    worker_choices,
)
from shared.clock import today
from shared.errors import GridmeritError, Invalid
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.months import month_cn, month_of, month_start, month_text, months_later
from shared.roster import service as roster
from shared.roster.office.schemas import Page
from shared.roster.schemas import UnitRow
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, moment, page, part
from shared.web.preferences import local

HOWS = (("signature", "签字"), ("phone", "电话"), ("qr", "扫码"))
"""How a resident confirmed; the verifier records it."""
BLANK = {"text": "", "household": "", "worker_id": "", "rule_code": "", "replaces": ""}
DONE = {
    "approve": "已通过。",
    "return": "已退回，网格员看得到原因，改好后会再排到这里。",
    "refuse": "已定为不予认定，网格员看得到原因。",
    "recuse": "您已回避，这条交给别人核实。",
}
"""What 待办 says of what was just done there."""
BATCH = 100
"""Most records confirmed at once."""


class Batch(msgspec.Struct, frozen=True):
    """The ticked records, and how residents confirmed where a rule asks."""

    ids: Annotated[list[UUID], msgspec.Meta(max_length=BATCH)]
    resident_how: str = ""


class MonthPart(msgspec.Struct):
    """Which page of a month's sample, and whose records besides."""

    page: Page = 1
    worker: UUID | None = None


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """A paper slip keyed in."""

    id: UUID
    worker_id: UUID
    rule_code: str
    work_date: date
    text: str = ""
    quantity: int = 1
    household: str = ""
    grid_code: str = ""
    replaces: UUID | None = None


@get("/verify")
async def todo(request: Asked, done: FromQuery[str] = "") -> Template:
    """What waits for me, the oldest first; what I may do besides stands below it."""
    return await _todo(request, {}, done=done)


@post("/verify/{record_id:uuid}")
async def approve(request: Asked, record_id: FromPath[UUID]) -> Template | Redirect:
    """通过."""
    values = await forms.read(request)
    try:
        await service.verify(
            request.user,
            record_id,
            resident_how=str(values.get("resident_how", "")),
            now=moment(request),
        )
    except GridmeritError as error:
        return await _todo(request, {str(record_id): error.message}, error.status)
    return Redirect("/verify?done=approve", status_code=303)


@post("/verify/{record_id:uuid}/return")
async def send_back(request: Asked, record_id: FromPath[UUID]) -> Template | Redirect:
    """退回 with a reason, or refuse for good."""
    values = await forms.read(request)
    refuse = values.get("refuse") == "1"
    try:
        await service.send_back(
            request.user,
            record_id,
            str(values.get("reason") or values.get("choice", "")),
            refuse=refuse,
            now=moment(request),
        )
    except GridmeritError as error:
        return await _todo(request, {str(record_id): error.message}, error.status)
    return Redirect(f"/verify?done={'refuse' if refuse else 'return'}", status_code=303)


@post("/verify/{record_id:uuid}/recuse")
async def recuse(request: Asked, record_id: FromPath[UUID]) -> Template | Redirect:
    """回避: somebody else confirms it."""
    try:
        await service.recuse(request.user, record_id, moment(request))
    except GridmeritError as error:
        return await _todo(request, {str(record_id): error.message}, error.status)
    return Redirect("/verify?done=recuse", status_code=303)


@post("/verify/preview")
async def preview(request: Asked) -> Template | Redirect:
    """What a batch would confirm, before it does."""
    batch = forms.bind(Batch, await forms.read(request, lists=("ids",)))
    chosen = set(batch.ids)
    found = [task for task in await service.tasks(request.user) if task.line.id in chosen]
    if not found:
        return Redirect("/verify", status_code=303)
    return page(request, "work/m_preview.html", tasks=found, hows=HOWS)


@post("/verify/batch")
async def approve_batch(request: Asked) -> Template:
    """Confirm the ticked records one by one; what fails is listed with its reason."""
    batch = forms.bind(Batch, await forms.read(request, lists=("ids",)))
    lines = {task.line.id: task.line for task in await service.tasks(request.user)}
    done, failed = 0, []
    for record_id in batch.ids:
        try:
            await service.verify(
                request.user, record_id, resident_how=batch.resident_how, now=moment(request)
            )
            done += 1
        except GridmeritError as error:
            failed.append((lines.get(record_id), error.message))
    return page(request, "work/m_batch_done.html", done=done, failed=failed)


@get("/verify/done")
async def done(request: Asked, after: FromQuery[UUID | None] = None) -> Template:
    """已办, latest first."""
    lines = await service.done(request.user, after)
    return page(
        request,
        "work/m_verified.html",
        block="rows" if after else None,
        lines=lines[: service.PAGE],
        more=len(lines) > service.PAGE,
        names=STATE_NAMES,
        tones=STATE_TONES,
    )


@get("/verify/proxy")
async def proxy(
    request: Asked,
    rule: FromQuery[str] = "",
    worker: FromQuery[str] = "",
    replaces: FromQuery[UUID | None] = None,
) -> Template:
    """代录: key in a worker's paper slip; one that was sent back comes back filled in."""
    values: dict[str, Any] = {"rule_code": rule, "worker_id": worker}
    if replaces is not None:
        old, _ = await service.view(request.user, replaces)
        values = {"rule_code": old.rule_code, "worker_id": str(old.worker_id)}
        values |= {"work_date": old.work_date.isoformat(), "text": old.text}
        values |= {"quantity": old.quantity, "grid_code": old.grid_code, "replaces": str(replaces)}
    return await _proxy(request, values, {})


@post("/verify/proxy", request_max_body_size=UPLOAD)
async def proxied(request: Asked) -> Template | Redirect:
    """Store a paper slip; somebody else confirms it."""
    values = await forms.read(request, files=("photo",))
    values["id"] = values.get("id") or str(new_id())
    try:
        typed = forms.bind(Proxy, {k: v for k, v in values.items() if k != "photo"})
        form = LogForm(**msgspec.structs.asdict(typed))
        async with kept_photo(request, values.pop("photo", None)) as photo:
            record = await service.log(request.user, form, moment(request), photo=photo)
    except GridmeritError as error:
        fields = error.fields if isinstance(error, Invalid) else {}
        return await _proxy(request, values, fields, error.status, error.message)
    return Redirect(f"/verify/proxy/{record.id}", status_code=303)


@get("/verify/proxy/{record_id:uuid}")
async def proxy_done(request: Asked, record_id: FromPath[UUID]) -> Template:
    """已代录, and whom it waits for."""
    actor: Actor = request.user
    line, _ = await service.view(actor, record_id)
    names = await service.waits_for(actor.county_id, record_id, moment(request))
    return page(request, "work/m_proxy_done.html", line=line, waits_for=names)


@get("/verify/months")
async def months(request: Asked, chosen: FromQuery[str] = "") -> Template:
    """Villages with the state of their month."""
    actor: Actor = request.user
    number = month.asked_month(chosen, last_month(moment(request)))
    return page(
        request,
        "work/m_months.html",
        rows=await month.overview(actor, number),
        month=number,
        choices=month_choices(moment(request)),
        states=month.STATE_NAMES,
    )


@get("/verify/months/{village_code:str}/{number:int}")
async def village_month(
    request: Asked, village_code: FromPath[str], number: FromPath[int]
) -> Template:
    """One village's month: totals, the sample, and the step that is next."""
    return await _month(request, village_code, number, "")


@post("/verify/months/{village_code:str}/{number:int}/review")
async def review(
    request: Asked, village_code: FromPath[str], number: FromPath[int]
) -> Template | Redirect:
    """The village's review of the month as a whole."""
    try:
        await month.review(request.user, village_code, number, moment(request))
    except GridmeritError as error:
        return await _month(request, village_code, number, error.message, error.status)
    return Redirect(f"/verify/months/{village_code}/{number}", status_code=303)


@post("/verify/months/{village_code:str}/{number:int}/sample")
async def confirm_sample(
    request: Asked, village_code: FromPath[str], number: FromPath[int]
) -> Template | Redirect:
    """The township has looked at the sample; the notice begins."""
    try:
        await month.confirm_sample(request.user, village_code, number, moment(request))
    except GridmeritError as error:
        return await _month(request, village_code, number, error.message, error.status)
    return Redirect(f"/verify/months/{village_code}/{number}", status_code=303)


@post("/verify/sampled/{record_id:uuid}/refuse")
async def refuse_sampled(request: Asked, record_id: FromPath[UUID]) -> Redirect:
    """A sampled record does not hold."""
    values = await forms.read(request)
    await month.reject_sampled(
        request.user, record_id, str(values.get("reason", "")), moment(request)
    )
    return Redirect(local(str(values.get("next") or "/verify/months")), status_code=303)


@get("/verify/objections")
async def objections(request: Asked, done: FromQuery[str] = "") -> Template:
    """Objections to answer, the most urgent first."""
    return await _objections(request, {}, done=bool(done))


@post("/verify/objections/{objection_id:uuid}")
async def answer(request: Asked, objection_id: FromPath[UUID]) -> Template | Redirect:
    """Answer an objection, or decide its review."""
    values = await forms.read(request)
    try:
        await month.answer(
            request.user,
            objection_id,
            upheld=forms.chosen(values, "verdict", "upheld", "rejected"),
            text=str(values.get("text", "")),
            now=moment(request),
        )
    except GridmeritError as error:
        return await _objections(request, {str(objection_id): error.message}, error.status)
    return Redirect("/verify/objections?done=1", status_code=303)


async def _todo(
    request: Asked, problems: dict[str, str], status: int = 200, *, done: str = ""
) -> Template:
    actor: Actor = request.user
    for code in actor.units(*service.VILLAGE_ROLES):
        await service.refresh(actor.county_id, code, moment(request))
    found = await service.tasks(actor)
    may_proxy = bool(reach(actor, Action.WORK_PROXY))
    return page(
        request,
        "work/m_todo.html",
        status=status,
        tasks=found,
        total=await service.count_tasks(actor),
        problems=problems,
        gone=_gone(problems, [task.line.id for task in found]),
        hows=HOWS,
        done=DONE.get(done, ""),
        todo=await desk.to_do(actor, moment(request)),
        categories=CATEGORY_NAMES,
        verifies=bool(actor.units(*CONFIRMING)),
        sees_months=bool(reach(actor, Action.MONTH_VIEW)),
        may_proxy=may_proxy,
        returned=len(await service.returned_papers(actor, moment(request))) if may_proxy else 0,
        may_propose=bool(reach(actor, Action.DEDUCT_PROPOSE)),
        signs_cases=bool(reach(actor, Action.CASE_SIGN)),
        month=month_of(last_month(moment(request))),
    )


async def _proxy(
    request: Asked,
    values: dict[str, Any],
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
) -> Template:
    actor: Actor = request.user
    on = today(moment(request))
    offered = await declarable(actor.county_id, on)
    chosen = next((rule for rule in offered if rule.code == values.get("rule_code")), offered[0])
    chosen, day = await as_of(actor.county_id, chosen, values.get("work_date"), on)
    workers = await worker_choices(actor, Action.WORK_PROXY, on)
    grids: list[UnitRow] = []
    likely = ""
    if values.get("worker_id") in dict(workers):
        grids, likely = await service.grids(actor, UUID(values["worker_id"]), moment(request))
        grids = [grid for grid in grids if grid.code.startswith(reach(actor, Action.WORK_PROXY))]
    return page(
        request,
        "work/m_proxy.html",
        status=status,
        workers=workers,
        grids=await grid_choices(actor, grids),
        rules=[(rule.code, f"{rule.code} {rule.title}") for rule in offered],
        rule=chosen,
        returned=await service.returned_papers(actor, moment(request)),
        values=BLANK
        | {"work_date": day.isoformat(), "quantity": chosen.per, "grid_code": likely}
        | values,
        errors=errors,
        message=message,
    )


async def _month(
    request: Asked, village_code: str, number: int, message: str, status: int = 200
) -> Template:
    actor: Actor = request.user
    row, workers = await month.village(actor, village_code, number)
    people: dict[tuple[UUID, str], list[WorkerCategory]] = {}
    for item in workers:
        people.setdefault((item.worker_id, item.grid_code), []).append(item)
    unit = await roster.unit_by_code(actor.county_id, village_code)
    asked = forms.bind(MonthPart, dict(request.query_params))
    sample = await month.sampled(actor, row) if row.state == "sampling" else []
    shown, pages = part(sample, asked.page, service.PAGE)
    contests = month.may_contest_month(actor, row, moment(request))
    return page(
        request,
        "work/m_month.html",
        block="sampled" if asked.page > 1 else None,
        status=status,
        row=row,
        unit=unit,
        people=list(people.values()),
        categories=CATEGORY_NAMES,
        sample=shown,
        sampled=len(sample),
        more=asked.page + 1 if asked.page < pages else 0,
        contests=contests,
        lines=(
            await month.contestable(actor, row, asked.worker) if contests and asked.worker else []
        ),
        sides=await month.may_review(actor, row, moment(request)),
        may_sample=any(village_code.startswith(code) for code in reach(actor, Action.WORK_SAMPLE)),
        states=month.STATE_NAMES,
        message=message,
    )


async def _objections(
    request: Asked, problems: dict[str, str], status: int = 200, *, done: bool = False
) -> Template:
    number, found = asked_page(request), await month.objections(request.user)
    rows, pages = part(found, number, month.PAGE)
    return page(
        request,
        "work/m_objections.html",
        status=status,
        rows=rows,
        number=number,
        pages=pages,
        total=len(found),
        names=month.OBJECTION_NAMES,
        upheld_next=month.UPHELD_NEXT,
        done=done,
        contest_next=month.CONTEST_NEXT,
        problems=problems,
        gone=_gone(problems, [row.id for row in rows]),
    )


def _gone(problems: dict[str, str], listed: list[UUID]) -> list[str]:
    """What to say of those that somebody else has dealt with: they are in the list no more."""
    shown = {str(one) for one in listed}
    return [words for one, words in problems.items() if one not in shown]


def last_month(at: datetime) -> date:
    """A day of the month before, which is the one under review."""
    return month_start(months_later(month_of(today(at)), -1))


def month_choices(at: datetime) -> list[tuple[str, str]]:
    """This month and the eleven before, for a list of choices."""
    this = month_of(today(at))
    found = [months_later(this, -number) for number in range(12)]
    return [(month_text(month), month_cn(month)) for month in found]


router = Router(
    "/",
    route_handlers=[
        todo,
        approve,
        send_back,
        recuse,
        preview,
        approve_batch,
        done,
        proxy,
        proxied,
        proxy_done,
        months,
        village_month,
        review,
        confirm_sample,
        refuse_sampled,
        objections,
        answer,
    ],
    include_in_schema=False,
)
