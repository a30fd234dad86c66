"""Deductions on phones: the worker answers and appeals, others propose and decide."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.rulebook import service as rulebook
from points.rulebook.rules import Penalty, show
from points.work import deductions, service
from points.work.deductions import Proposal
from points.work.web import worker_choices
from shared.clock import today
from shared.errors import GridmeritError, Invalid
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, moment, page

TONES = {
    "noticed": "wait",
    "decided": "warn",
    "dropped": "ok",
    "appealed": "wait",
    "final": "bad",
    "annulled": "ok",
}

BLANK = {"record_id": "", "worker_id": "", "choice": "", "facts": "", "evidence": ""}


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """When and how a letter was handed over."""

    served_on: date
    how: str


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """The proposal as typed; ``choice`` is ``PEN-05:20``."""

    worker_id: UUID
    choice: str
    happened_on: date
    facts: str
    evidence: str
    record_id: UUID | None = None


@get("/deductions")
async def own(request: Asked) -> Template:
    """The worker's own deductions."""
    rows = await deductions.own(request.user)
    return page(
        request, "work/m_deductions.html", rows=rows, names=deductions.STATE_NAMES, tones=TONES
    )


@get("/deductions/{deduction_id:uuid}")
async def one(request: Asked, deduction_id: FromPath[UUID]) -> Template:
    """One deduction with what may be said to it."""
    return await _one(request, deduction_id, {})


@post("/deductions/{deduction_id:uuid}/reply")
async def reply(request: Asked, deduction_id: FromPath[UUID]) -> Template | Redirect:
    """陈述: the worker's own word."""
    values = await forms.read(request)
    try:
        await deductions.reply(
            request.user, deduction_id, str(values.get("text", "")), moment(request)
        )
    except Invalid as error:
        return await _one(request, deduction_id, error.fields, 422)
    return Redirect(f"/deductions/{deduction_id}", status_code=303)


@post("/deductions/{deduction_id:uuid}/appeal")
async def appeal(request: Asked, deduction_id: FromPath[UUID]) -> Template | Redirect:
    """申诉 against the decision."""
    values = await forms.read(request)
    try:
        await deductions.appeal(
            request.user, deduction_id, str(values.get("text", "")), moment(request)
        )
    except Invalid as error:
        return await _one(request, deduction_id, error.fields, 422)
    return Redirect(f"/deductions/{deduction_id}", status_code=303)


@get("/verify/deductions")
async def to_decide(request: Asked, done: FromQuery[str] = "") -> Template:
    """What waits for the actor's decision, and what went before."""
    return await _listed(request, {}, done=bool(done))


@get("/verify/deductions/new")
async def new(request: Asked, record: FromQuery[UUID | None] = None) -> Template:
    """Propose a deduction, from a record or from the list of workers."""
    values: dict[str, Any] = {}
    if record is not None:
        line, _ = await service.view(request.user, record)
        penalties = await rulebook.penalties_at(request.user.county_id, line.work_date)
        false = next((penalty for penalty in penalties if penalty.reverses), None)
        values = {
            "record_id": str(record),
            "worker_id": str(line.worker_id),
            "happened_on": line.work_date.isoformat(),
            "facts": f"{line.work_date.month}月{line.work_date.day}日“{line.text}”",
            "choice": f"{false.code}:{false.choices[0]}" if false else "",
        }
    return await _form(request, values, {})


@post("/verify/deductions")
async def propose(request: Asked) -> Template | Redirect:
    """Serve notice of a deduction."""
    values = await forms.read(request)
    try:
        typed = forms.bind(Proposed, values)
        code, _, amount = typed.choice.partition(":")
        form = Proposal(
            worker_id=typed.worker_id,
            code=code,
            amount=int(amount) if amount.isdecimal() and len(amount) <= 9 else 0,
            happened_on=typed.happened_on,
            facts=typed.facts,
            evidence=typed.evidence,
            record_id=typed.record_id,
        )
        made = await deductions.propose(request.user, form, moment(request))
    except GridmeritError as error:
        fields = error.fields if isinstance(error, Invalid) else {}
        return await _form(request, values, fields, error.status, error.message)
    return Redirect(f"/deductions/{made}", status_code=303)


@get("/verify/deductions/{deduction_id:uuid}/letter")
async def letter(request: Asked, deduction_id: FromPath[UUID]) -> Template:
    """告知书, or 决定书: on paper for a worker without a phone, who signs for it."""
    actor: Actor = request.user
    row = await deductions.view(actor, deduction_id)
    return page(
        request,
        "work/print_deduction.html",
        row=row,
        village=await roster.unit_name(actor.county_id, row.village_code),
        reverses=await deductions.takes_back(actor.county_id, row),
    )


@post("/verify/deductions/{deduction_id:uuid}/serve")
async def serve(request: Asked, deduction_id: FromPath[UUID]) -> Template | Redirect:
    """登记送达: the paper was handed over."""
    values = await forms.read(request)
    try:
        form = forms.bind(Served, values)
        await deductions.serve(
            request.user, deduction_id, form.served_on, form.how, moment(request)
        )
    except Invalid as error:
        return await _one(request, deduction_id, error.fields, 422)
    return Redirect(f"/deductions/{deduction_id}", status_code=303)


@post("/verify/deductions/{deduction_id:uuid}/decide")
async def decide(request: Asked, deduction_id: FromPath[UUID]) -> Template | Redirect:
    """Decide whether the deduction stands."""
    values = await forms.read(request)
    try:
        await deductions.decide(
            request.user,
            deduction_id,
            stands=forms.chosen(values, "verdict", "stands", "dropped"),
            reason=str(values.get("reason", "")),
            now=moment(request),
        )
    except GridmeritError as error:
        return await _listed(request, {str(deduction_id): error.message}, error.status)
    return Redirect("/verify/deductions?done=1", status_code=303)


@post("/verify/deductions/{deduction_id:uuid}/appeal")
async def decide_appeal(request: Asked, deduction_id: FromPath[UUID]) -> Template | Redirect:
    """Decide the appeal."""
    values = await forms.read(request)
    try:
        await deductions.decide_appeal(
            request.user,
            deduction_id,
            upheld=forms.chosen(values, "verdict", "upheld", "rejected"),
            reason=str(values.get("reason", "")),
            now=moment(request),
        )
    except GridmeritError as error:
        return await _listed(request, {str(deduction_id): error.message}, error.status)
    return Redirect("/verify/deductions?done=1", status_code=303)


async def _one(
    request: Asked, deduction_id: UUID, errors: dict[str, str], status: int = 200
) -> Template:
    actor: Actor = request.user
    row = await deductions.view(actor, deduction_id)
    on = today(moment(request))
    mine = row.worker_id == actor.person_id
    speaks = mine or deductions.may_enter(actor, row)
    return page(
        request,
        "work/m_deduction.html",
        status=status,
        row=row,
        mine=mine,
        may_reply=speaks
        and row.state == "noticed"
        and (on <= row.answer_due_on or not (mine or row.told)),
        may_appeal=speaks
        and row.state == "decided"
        and row.appeal_due_on is not None
        and (on <= row.appeal_due_on or not (mine or row.told)),
        may_serve=deductions.may_serve(actor, row),
        undecidable=""
        if mine or row.state not in {"decided", "appealed"}
        else await deductions.undecidable(actor, row, on),
        today=on,
        errors=errors,
        names=deductions.STATE_NAMES,
        tones=TONES,
    )


async def _listed(
    request: Asked, problems: dict[str, str], status: int = 200, *, done: bool = False
) -> Template:
    actor: Actor = request.user
    waiting = await deductions.to_decide(actor)
    ids = {row.id for row in waiting}
    on = today(moment(request))
    number = asked_page(request)
    rows, total = await deductions.listed(actor, number)
    return page(
        request,
        "work/m_deductions_decide.html",
        status=status,
        waiting=waiting,
        letters=await deductions.to_serve(actor) if number == 1 else [],
        undecidable={
            row.id: await deductions.undecidable(actor, row, on)
            for row in waiting
            if row.state == "noticed"
        },
        others=[row for row in rows if number > 1 or row.id not in ids],
        number=number,
        pages=-(-total // deductions.PAGE),
        total=total,
        problems=problems,
        done=done,
        gone=[words for one, words in problems.items() if one not in {str(id_) for id_ in ids}],
        today=on,
        may_propose=bool(reach(actor, Action.DEDUCT_PROPOSE)),
        names=deductions.STATE_NAMES,
        tones=TONES,
    )


def _titles(penalty: Penalty) -> list[str]:
    """What each amount is for: 甲（乙 / 丙） or 乙 / 丙 names them in the amounts' order."""
    stem, _, inside = penalty.title.partition("（")
    if " / " in inside:
        parts = [f"{stem}（{part}）" for part in inside.removesuffix("）").split(" / ")]
    else:
        parts = penalty.title.split(" / ")
    return parts if len(parts) == len(penalty.choices) else [penalty.title] * len(penalty.choices)


async def _form(
    request: Asked,
    values: dict[str, Any],
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
) -> Template:
    actor: Actor = request.user
    on = today(moment(request))
    workers = await worker_choices(actor, Action.DEDUCT_PROPOSE, on)
    try:
        day = date.fromisoformat(str(values.get("happened_on", on)))
    except ValueError:
        day = on
    choices = [
        (f"{penalty.code}:{amount}", f"{title}　−{show(amount)} 分")
        for penalty in await rulebook.penalties_at(actor.county_id, day)
        for title, amount in zip(_titles(penalty), penalty.choices, strict=True)
        if not penalty.reverses or values.get("record_id")
    ]
    return page(
        request,
        "work/m_deduction_new.html",
        status=status,
        workers=[choice for choice in workers if choice[0] != str(actor.person_id)],
        choices=choices,
        values=BLANK | {"happened_on": on.isoformat()} | values,
        errors=errors,
        message=message,
    )


router = Router(
    "/",
    route_handlers=[
        own,
        one,
        reply,
        appeal,
        to_decide,
        new,
        letter,
        propose,
        serve,
        decide,
        decide_appeal,
    ],
    include_in_schema=False,
)
