"""The gridworker's pages: 首页, 记工作, 明细."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.ledger import service as ledger
from points.rulebook import service as rulebook
from points.rulebook.rules import CATEGORY_NAMES, Category, Rule, Step, Variant
from points.rulebook.variants import service as variants
from points.work import deductions, month, photos, service
from points.work.confirming import VILLAGE
from points.work.rules import OLDEST_DAYS, STATE_NAMES, State
from points.work.schemas import LogForm
from shared.clock import today
from shared.errors import GridmeritError, Invalid, NotFound
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.roster.schemas import UnitRow
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page
from shared.web.preferences import local

UPLOAD = 9 * 1024 * 1024
STATE_TONES = {
    State.PENDING: "wait",
    State.RETURNED: "bad",
    State.WITHDRAWN: "mute",
    State.REFUSED: "bad",
    State.ACCEPTED: "ok",
    State.POSTED: "ok",
    State.REVERSED: "warn",
}
FILTERS = (("", "全部"), ("pending", "待核实"), ("returned", "退回"), ("posted", "已入账"))
RECENT = 5
BLANK = {"text": "", "choice": "", "household": "", "replaces": "", "grid_code": ""}


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """The declaration form; ``choice`` is a tapped sentence, ``text`` a typed one.

    ``person`` is who wrote it, as the phone says; None where a browser sends the form without it.
    """

    id: UUID
    rule_code: str
    work_date: date
    choice: str = ""
    text: str = ""
    quantity: int = 1
    household: str = ""
    grid_code: str = ""
    worker_id: UUID | None = None
    replaces: UUID | None = None
    person: UUID | None = None


@get("/home")
async def home(request: Asked) -> Template:
    """How many points, a code in one tap, and what happened last."""
    actor: Actor = request.user
    balances = await ledger.balances(actor.county_id, actor.person_id)
    totals = await service.own_totals(actor, moment(request))
    recent = await service.own_lines(actor)
    on = today(moment(request))
    return page(
        request,
        "work/m_home.html",
        today=on,
        ending=await ledger.first_ending(actor.county_id, actor.person_id, on),
        balances=balances,
        totals=totals,
        recent=recent[:RECENT],
        deductions=len(await deductions.open_own(actor)),
        returned=sum(line.state == State.RETURNED for line in recent),
        names=STATE_NAMES,
        tones=STATE_TONES,
    )


@get("/work")
async def categories(request: Asked, replaces: FromQuery[UUID | None] = None) -> Template:
    """Six tiles, one per duty category; ``replaces`` is a returned record of another one."""
    return page(request, "work/m_categories.html", categories=CATEGORY_NAMES, replaces=replaces)


@get("/work/new")
async def new(
    request: Asked,
    category: FromQuery[Category] = Category.ORG,
    rule: FromQuery[str] = "",
    replaces: FromQuery[UUID | None] = None,
) -> Template:
    """The declaration form of one category; a returned record comes back filled in.

    It was the wrong item, perhaps: another one may be chosen for it.
    """
    actor: Actor = request.user
    values: dict[str, Any] = {}
    if replaces is not None:
        old, _ = await service.view(actor, replaces)
        values = {"work_date": old.work_date.isoformat(), "text": old.text}
        values |= {"replaces": str(replaces), "grid_code": old.grid_code}
        if "category" not in request.query_params:
            category, rule = Category(old.category), old.rule_code
            values["quantity"] = old.quantity
    return await _form(request, category, rule, values, {})


@post("/work", request_max_body_size=UPLOAD)
async def declare(request: Asked) -> Template | Redirect | Response[None]:
    """Store one declaration; the same id again leads to the same result page.

    What another person wrote on this phone stays there until they sign in again: 401.
    """
    actor: Actor = request.user
    values = await forms.read(request, files=("photo",))
    values["id"] = values.get("id") or str(new_id())
    try:
        typed = forms.bind(Typed, {k: v for k, v in values.items() if k != "photo"})
        if typed.person not in (None, actor.person_id):
            return Response(None, status_code=401)
        form = LogForm(
            id=typed.id,
            rule_code=typed.rule_code,
            work_date=typed.work_date,
            text=typed.text or typed.choice,
            quantity=typed.quantity,
            household=typed.household,
            grid_code=typed.grid_code,
            worker_id=typed.worker_id,
            replaces=typed.replaces,
        )
        async with kept_photo(request, values.get("photo")) as photo:
            record = await service.log(actor, form, moment(request), photo=photo)
    except GridmeritError as error:
        if "application/json" in request.headers.get("accept", ""):
            raise
        return await _again(request, values, error)
    return Redirect(f"/records/{record.id}/done", status_code=303)


@get("/records/{record_id:uuid}/done")
async def declared(request: Asked, record_id: FromPath[UUID]) -> Template:
    """已提交, and whom it waits for."""
    actor: Actor = request.user
    line, _ = await service.view(actor, record_id)
    names = await service.waits_for(actor.county_id, record_id, moment(request))
    several, _ = await service.grids(actor, line.worker_id, moment(request))
    place = line.grid_name if several else ""
    return page(request, "work/m_done.html", line=line, waits_for=names, place=place)


@get("/records")
async def records(
    request: Asked, after: FromQuery[UUID | None] = None, show: FromQuery[str] = ""
) -> Template:
    """Every record with what it earned and why, latest first."""
    actor: Actor = request.user
    lines = await service.own_lines(actor, after, show)
    rules = await rules_by_code(actor.county_id)
    return page(
        request,
        "work/m_records.html",
        block="rows" if after else None,
        lines=lines[: service.PAGE],
        rules=rules,
        show=show,
        filters=FILTERS,
        more=len(lines) > service.PAGE,
        names=STATE_NAMES,
        tones=STATE_TONES,
    )


@get("/records/{record_id:uuid}")
async def record(request: Asked, record_id: FromPath[UUID]) -> Template:
    """One record: the rule's clause, who confirmed it and when, what cut it."""
    return await _record(request, record_id, {})


@post("/records/{record_id:uuid}/withdraw")
async def withdraw(request: Asked, record_id: FromPath[UUID]) -> Redirect:
    """Take back what nobody has confirmed yet."""
    values = await forms.read(request)
    await service.withdraw(request.user, record_id, moment(request))
    return Redirect(local(str(values.get("next") or "/records")), status_code=303)


@post("/records/{record_id:uuid}/objection")
async def object_to(request: Asked, record_id: FromPath[UUID]) -> Template | Redirect:
    """有异议: answered in five working days."""
    values = await forms.read(request)
    try:
        await month.object_to(request.user, record_id, str(values.get("text", "")), moment(request))
    except Invalid as error:
        return await _record(request, record_id, error.fields, 422)
    return Redirect(f"/records/{record_id}", status_code=303)


@post("/verify/records/{record_id:uuid}/contest")
async def contest(request: Asked, record_id: FromPath[UUID]) -> Template | Redirect:
    """登记群众异议: what somebody else objects to a published month."""
    values = await forms.read(request)
    try:
        await month.contest(request.user, record_id, str(values.get("text", "")), moment(request))
    except Invalid as error:
        return await _record(request, record_id, error.fields, 422)
    return Redirect(f"/records/{record_id}", status_code=303)


@post("/records/{record_id:uuid}/review")
async def ask_review(request: Asked, record_id: FromPath[UUID]) -> Template | Redirect:
    """不服答复: a second review by the township."""
    values = await forms.read(request)
    try:
        await month.ask_review(
            request.user, record_id, str(values.get("text", "")), moment(request)
        )
    except Invalid as error:
        return await _record(request, record_id, error.fields, 422)
    return Redirect(f"/records/{record_id}", status_code=303)


@get("/records/{record_id:uuid}/photo")
async def photo_of(request: Asked, record_id: FromPath[UUID]) -> Response[bytes]:
    """The evidence photo, only for those who may see the record."""
    actor: Actor = request.user
    name = await service.photo_of(actor, record_id)
    folder = request.app.state.settings.data_dir
    data = await photos.load(folder, name) if name else None
    if data is None:
        raise NotFound
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})


async def _record(
    request: Asked, record_id: UUID, errors: dict[str, str], status: int = 200
) -> Template:
    actor: Actor = request.user
    line, steps = await service.view(actor, record_id)
    rule = await rulebook.rule_at(actor.county_id, line.rule_code, line.work_date)
    if rule is None:
        raise NotFound
    objection = await month.objection_of(actor.county_id, record_id)
    public = objection is not None and objection.by_public
    return page(
        request,
        "work/m_record.html",
        status=status,
        line=line,
        steps=steps,
        rule=rule,
        paying=(
            await variants.paying(actor.county_id, line.grid_code[:12], [rule], line.work_date)
        ).get(rule.code),
        own=line.worker_id == actor.person_id,
        enters=await month.may_enter(actor, line),
        waits_for=await service.waiting(actor.county_id, record_id, moment(request)),
        objection=objection,
        may_contest=await month.may_contest(actor, line, moment(request)),
        may_object=await month.may_object(actor, line, moment(request)),
        errors=errors,
        names=STATE_NAMES,
        tones=STATE_TONES,
        objection_names=month.PUBLIC_NAMES if public else month.OBJECTION_NAMES,
        upheld_next=month.UPHELD_NEXT,
    )


async def rules_by_code(county_id: int) -> dict[str, Rule]:
    """Every rule there ever was, for the titles in lists."""
    found = await rulebook.rules_since(county_id, date.min, today())
    return {rule.code: rule for rule in found}


async def declarable(county_id: int, on: date) -> list[Rule]:
    """Rules of work that may be declared on a day, those that ended lately included."""
    found = await rulebook.rules_since(county_id, on - timedelta(days=OLDEST_DAYS), on)
    return [rule for rule in found if Step.SYSTEM not in rule.steps]


async def own_variants(
    actor: Actor, units: Sequence[str], rules: Sequence[Rule], on: date
) -> dict[str, Variant]:
    """What the actor's village pays for items instead; nothing where they are of several."""
    villages = {code[:VILLAGE] for code in units}
    if len(villages) != 1 or len(village := villages.pop()) < VILLAGE:
        return {}
    return await variants.paying(actor.county_id, village, rules, on)


async def as_of(county_id: int, rule: Rule, typed: object, on: date) -> tuple[Rule, date]:
    """A rule as it counts on the day typed, and the day: if none is, the latest that it has."""
    try:
        day = date.fromisoformat(str(typed))
    except ValueError:
        day = min(on, rule.effective_to - timedelta(days=1)) if rule.effective_to else on
    return await rulebook.rule_at(county_id, rule.code, day) or rule, day


async def _form(
    request: Asked,
    category: Category,
    code: str,
    values: dict[str, Any],
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
) -> Template:
    actor: Actor = request.user
    on = today(moment(request))
    found = await declarable(actor.county_id, on)
    offered = [rule for rule in found if rule.category == category]
    if not offered:
        raise NotFound("这一类现在没有可以申报的事项。")
    chosen = next((rule for rule in offered if rule.code == code), offered[0])
    chosen, day = await as_of(actor.county_id, chosen, values.get("work_date"), on)
    sentences = await service.sentences(actor, chosen)
    grids, likely = await service.grids(actor, actor.person_id, moment(request))
    mine = actor.units(Role.GRIDWORKER)
    return page(
        request,
        "work/m_new.html",
        status=status,
        category=category,
        category_name=CATEGORY_NAMES[category],
        offered=offered,
        rule=chosen,
        paying=await own_variants(actor, mine, [*offered, chosen], day),
        sentences=[(text, text) for text in sentences],
        grids=await grid_choices(actor, grids),
        values=BLANK
        | {"work_date": day.isoformat(), "quantity": chosen.per, "grid_code": likely}
        | values,
        has_photo=await _has_photo(actor, values.get("replaces")),
        errors=errors,
        message=message,
        today=on,
        oldest=on - timedelta(days=OLDEST_DAYS),
    )


async def _has_photo(actor: Actor, replaces: object) -> bool:
    """Whether the returned record that a form corrects has a photo."""
    try:
        return await service.photo_of(actor, UUID(str(replaces))) is not None
    except (ValueError, GridmeritError):
        return False


async def worker_choices(actor: Actor, action: Action, on: date) -> list[tuple[str, str]]:
    """Whom the actor may do this for, to choose from: the name and the grids, each once.

    Last who has left or moved, as long as work in the former grids may still be declared.
    """
    people: dict[tuple[str, str], list[str]] = {}
    gone: dict[tuple[str, str], list[str]] = {}
    since = on - timedelta(days=OLDEST_DAYS)
    for code in reach(actor, action):
        for span in await roster.workers(actor.county_id, code, since, on):
            found = people if span.valid_to is None or span.valid_to > on else gone
            found.setdefault((str(span.person_id), span.name), []).append(span.grid_code)
    codes = {code for found in (people, gone) for each in found.values() for code in each}
    units = await roster.units(actor.county_id, codes)
    names = dict(await grid_choices(actor, units.values()))

    def places(grids: list[str]) -> str:
        return "、".join(names[code] for code in dict.fromkeys(grids))

    return [
        *((key[0], f"{key[1]}（{places(grids)}）") for key, grids in people.items()),
        *(
            (key[0], f"{key[1]}（原{places(grids)}）")
            for key, grids in gone.items()
            if key not in people
        ),
    ]


async def grid_choices(actor: Actor, grids: Collection[UnitRow]) -> list[tuple[str, str]]:
    """Grids by code to choose from, with the village where there are several."""
    villages = await roster.units(actor.county_id, {grid.code[:12] for grid in grids})

    def village(grid: UnitRow) -> str:
        return villages[grid.code[:12]].name if len(villages) > 1 else ""

    return [(grid.code, village(grid) + grid.name) for grid in grids]


async def _again(request: Asked, values: dict[str, Any], error: GridmeritError) -> Template:
    """The form as it was typed, with what is wrong."""
    code = str(values.get("rule_code", ""))
    prefix = code.partition("-")[0]
    category = Category(prefix) if prefix in set(Category) else Category.ORG
    fields = error.fields if isinstance(error, Invalid) else {}
    kept = {name: value for name, value in values.items() if name not in {"photo", "id"}}
    return await _form(request, category, code, kept, fields, error.status, error.message)


@asynccontextmanager
async def kept_photo(request: Asked, upload: object) -> AsyncIterator[bytes | None]:
    """The hash of an uploaded picture, kept if the block ends well; None without one."""
    data = await upload.read() if isinstance(upload, UploadFile) else b""
    if not data:
        yield None
        return
    async with photos.keep(request.app.state.settings.data_dir, data) as name:
        yield name


router = Router(
    "/",
    route_handlers=[
        home,
        categories,
        new,
        declare,
        declared,
        records,
        record,
        withdraw,
        object_to,
        contest,
        ask_review,
        photo_of,
    ],
    include_in_schema=False,
)
