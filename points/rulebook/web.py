"""The department's rulebook: the rules in force, a new version of one, the caps above them."""

import re
from datetime import date, timedelta
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.rulebook import service
from points.rulebook.rules import (
    CATEGORY_NAMES,
    EVIDENCE_NAMES,
    MOST_PENALTY,
    STEP_NAMES,
    Caps,
    Category,
    Evidence,
    Penalty,
    Rule,
    Step,
    category_of,
    in_force,
    show,
    stamp,
)
from points.rulebook.variants import service as variants
from points.work import trial
from shared.clock import today
from shared.documents.cells import points as tenths
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, allowed, whole_county
from shared.identity.actor import Actor
from shared.months import month_bounds, month_of
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

CHOOSABLE = tuple(step for step in Step if step is not Step.SYSTEM)
AMOUNTS = ("points", "cap_day", "cap_month", "village_least", "village_most")
NEW_RULE: dict[str, Any] = {"per": 1, "steps": [Step.V1.value], "evidence": "optional"}
"""What most items have."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a version says, as typed; amounts in points, a blank cap is none."""

    title: str
    points: str
    cap_day: str = ""
    cap_month: str = ""
    village_least: str = ""
    village_most: str = ""
    per: int = 1
    steps: list[Step] = []
    resident: bool = False
    evidence: Evidence = Evidence.OPTIONAL
    repeat_zero: bool = False
    templates: str = ""
    effective_from: date
    last_day: date | None = None


class RuleForm(Terms, frozen=True, kw_only=True):
    """A new version."""

    version: int
    """The version that was on the page: somebody else's newer one is not overwritten."""


class CorrectionForm(Terms, frozen=True, kw_only=True):
    """Other terms for the version that has not begun."""

    seen: str
    """The stamp of what was on the page: somebody else's newer text is not overwritten."""


class NewRuleForm(Terms, frozen=True, kw_only=True):
    """An item of the county's own: also what all its versions will have."""

    code: str
    household: bool = False
    quiet_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 0


class PenaltyForm(msgspec.Struct, frozen=True, kw_only=True):
    """Other amounts of a deduction as typed: ``1、2``."""

    version: int
    choices: str
    effective_from: date
    last_day: date | None = None


class PenaltyCorrectionForm(msgspec.Struct, frozen=True, kw_only=True):
    """A deduction that has not begun, as typed."""

    seen: str
    title: str
    choices: str
    last_day: date | None = None


class NewPenaltyForm(msgspec.Struct, frozen=True, kw_only=True):
    """A deduction of the county's own as typed."""

    code: str
    title: str
    choices: str
    effective_from: date
    last_day: date | None = None


class Query(msgspec.Struct, frozen=True):
    """The day as the list's form sends it; emptied means today."""

    on: date | None = None


@get("/desk/rules")
async def rules(request: Asked) -> Template:
    """Every rule in force on a day, by category, with deductions and caps."""
    actor: Actor = request.user
    day = forms.bind(Query, dict(request.query_params)).on or today(moment(request))
    found = await service.rules_at(actor.county_id, day)
    return page(
        request,
        "rulebook/desk_rules.html",
        on=day,
        groups=service.by_category(found),
        names=CATEGORY_NAMES,
        step_names=STEP_NAMES,
        penalties=await service.penalties_at(actor.county_id, day),
        caps=await service.caps_at(actor.county_id, day),
        planned=await service.planned(actor.county_id, day),
        upcoming=await service.upcoming(actor.county_id, day),
        may_edit=_may_edit(actor),
    )


@get("/desk/rules/new")
async def new_rule(request: Asked, category: FromQuery[Category] = Category.ORG) -> Template:
    """The form of an item of the county's own."""
    actor: Actor = request.user
    code = await service.next_free(actor.county_id, category)
    first = first_of_next(today(moment(request))).isoformat()
    return _new_rule_page(request, NEW_RULE | {"code": code, "effective_from": first})


@post("/desk/rules")
async def add_rule(request: Asked) -> Template | Redirect:
    """Add an item; it may be declared from its day on."""
    values = await forms.read(request, lists=("steps",))
    try:
        form = forms.bind(NewRuleForm, values)
        code = form.code.upper()
        item = Rule(
            code=code,
            category=category_of(code),
            title=form.title,
            points=0,
            steps=(),
            household=form.household,
            quiet_days=form.quiet_days,
            effective_from=form.effective_from,
        )
        await service.add_rule(request.user, _version(item, form), moment(request))
    except Invalid as error:
        return _new_rule_page(request, values, error)
    return Redirect(f"/desk/rules/{code}?saved=1", status_code=303)


@get("/desk/rules/{code:str}")
async def rule(request: Asked, code: FromPath[str]) -> Template:
    """One rule: its versions, and the form of the next."""
    return await _rule_page(request, code, None, {})


@post("/desk/rules/{code:str}")
async def change(request: Asked, code: FromPath[str]) -> Template | Redirect:
    """Put a new version into force from its day on, or try it first."""
    values = await forms.read(request, lists=("steps",))
    try:
        form = forms.bind(RuleForm, values)
        history = await service.history(request.user.county_id, code)
        new = _version(history[-1], form)
        if values.get("act") == "try":
            tried = await trial.of_rule(request.user, new, moment(request))
            return await _rule_page(request, code, values, {}, tried=tried)
        await service.change_rule(request.user, new, moment(request), based_on=form.version)
    except Invalid as error:
        return await _rule_page(request, code, values, error.fields, 422, error.message)
    except Conflict as error:
        values.pop("version")
        return await _rule_page(request, code, values, {"version": error.message}, 409)
    return Redirect(f"/desk/rules/{code}?saved=1", status_code=303)


@get("/desk/rules/{code:str}/correct")
async def corrected_rule(request: Asked, code: FromPath[str]) -> Template:
    """The form of the version that has not begun; once it has, that of the next."""
    return await _correct_page(request, code, None, {})


@post("/desk/rules/{code:str}/correct")
async def correct_rule(request: Asked, code: FromPath[str]) -> Template | Redirect:
    """Put the version right before its first day."""
    values = await forms.read(request, lists=("steps",))
    try:
        form = forms.bind(CorrectionForm, values)
        history = await service.history(request.user.county_id, code)
        new = _version(history[-1], form)
        await service.correct_rule(request.user, new, moment(request), seen=form.seen)
    except Invalid as error:
        return await _correct_page(request, code, values, error.fields, 422, error.message)
    except Conflict as error:
        values.pop("seen")
        return await _correct_page(request, code, values, {"version": error.message}, 409)
    return Redirect(f"/desk/rules/{code}?saved=1", status_code=303)


@get("/desk/rules-penalties/new")
async def new_penalty(request: Asked) -> Template:
    """The form of a deduction of the county's own."""
    actor: Actor = request.user
    code = await service.next_free(actor.county_id, "PEN")
    first = first_of_next(today(moment(request))).isoformat()
    return _new_penalty_page(request, {"code": code, "effective_from": first})


@post("/desk/rules-penalties")
async def add_penalty(request: Asked) -> Template | Redirect:
    """Add a deduction; it may be proposed for what happens from its day on."""
    values = await forms.read(request)
    try:
        form = forms.bind(NewPenaltyForm, values)
        item = Penalty(
            code=form.code.upper(),
            title=form.title,
            choices=_choices(form.choices),
            effective_from=form.effective_from,
            effective_to=_after(form.last_day),
        )
        await service.add_penalty(request.user, item, moment(request))
    except Invalid as error:
        return _new_penalty_page(request, values, error)
    return Redirect(f"/desk/rules-penalties/{item.code}?saved=1", status_code=303)


@get("/desk/rules-penalties/{code:str}")
async def penalty(request: Asked, code: FromPath[str]) -> Template:
    """One deduction rule: its versions, and the form of the next."""
    return await _penalty_page(request, code, None, {})


@post("/desk/rules-penalties/{code:str}")
async def change_penalty(request: Asked, code: FromPath[str]) -> Template | Redirect:
    """Put other amounts into force from their day on."""
    values = await forms.read(request)
    try:
        form = forms.bind(PenaltyForm, values)
        await service.change_penalty(
            request.user,
            code,
            _choices(form.choices),
            form.effective_from,
            moment(request),
            effective_to=_after(form.last_day),
            based_on=form.version,
        )
    except Invalid as error:
        return await _penalty_page(request, code, values, error.fields, 422, error.message)
    except Conflict as error:
        values.pop("version")
        return await _penalty_page(request, code, values, {"version": error.message}, 409)
    return Redirect(f"/desk/rules-penalties/{code}?saved=1", status_code=303)


@get("/desk/rules-penalties/{code:str}/correct")
async def corrected_penalty(request: Asked, code: FromPath[str]) -> Template:
    """The form of the version that has not begun; once it has, that of the next."""
    return await _correct_penalty_page(request, code, None, {})


@post("/desk/rules-penalties/{code:str}/correct")
async def correct_penalty(request: Asked, code: FromPath[str]) -> Template | Redirect:
    """Put the version right before its first day."""
    values = await forms.read(request)
    try:
        form = forms.bind(PenaltyCorrectionForm, values)
        await service.correct_penalty(
            request.user,
            code,
            form.title,
            _choices(form.choices),
            moment(request),
            effective_to=_after(form.last_day),
            seen=form.seen,
        )
    except Invalid as error:
        return await _correct_penalty_page(request, code, values, error.fields, 422, error.message)
    except Conflict as error:
        values.pop("seen")
        return await _correct_penalty_page(request, code, values, {"version": error.message}, 409)
    return Redirect(f"/desk/rules-penalties/{code}?saved=1", status_code=303)


@get("/desk/rules-caps")
async def caps(request: Asked) -> Template:
    """Category and person caps, and the form of the next version."""
    return await _caps_page(request, None, {})


@post("/desk/rules-caps")
async def change_caps(request: Asked) -> Template | Redirect:
    """Put new caps into force from their day on, or try them first."""
    values = await forms.read(request)
    try:
        new = _caps(values)
        if values.get("act") == "try":
            tried = await trial.of_caps(request.user, new, moment(request))
            return await _caps_page(request, values, {}, tried=tried)
        await service.change_caps(request.user, new, moment(request))
    except Invalid as error:
        return await _caps_page(request, values, error.fields, 422, error.message)
    return Redirect("/desk/rules", status_code=303)


def _version(last: Rule, form: Terms) -> Rule:
    """The form as the next version of a rule. Raises Invalid for amounts that are no numbers."""
    found = amounts({name: getattr(form, name) for name in AMOUNTS}, {"points"})
    return msgspec.structs.replace(
        last,
        title=form.title,
        points=found["points"] or 0,
        cap_day=found["cap_day"],
        cap_month=found["cap_month"],
        village_least=found["village_least"],
        village_most=found["village_most"],
        per=form.per,
        steps=tuple(step for step in Step if step in form.steps),
        resident=form.resident,
        evidence=Evidence.NONE if last.secret else form.evidence,
        repeat_zero=form.repeat_zero,
        templates=tuple(line.strip() for line in form.templates.splitlines() if line.strip()),
        effective_from=form.effective_from,
        effective_to=_after(form.last_day),
    )


def _after(last_day: date | None) -> date | None:
    return last_day + timedelta(days=1) if last_day else None


def _day_before(end: date | None) -> str:
    return (end - timedelta(days=1)).isoformat() if end else ""


def _said(choices: tuple[int, ...]) -> str:
    return "、".join(show(amount) for amount in choices)


def _choices(text: str) -> tuple[int, ...]:
    """Amounts between any marks, each once and as typed. Raises Invalid."""
    try:
        found = [tenths(part) for part in re.split(r"[\s、,，;；/]+", text.strip())]
    except ValueError as error:
        raise Invalid("有几处需要改正。", {"choices": str(error)}) from error
    return tuple(dict.fromkeys(found))


def _caps(values: dict[str, Any]) -> Caps:
    """Typed caps; Raises Invalid with a sentence for each wrong field."""
    names = [*(str(category) for category in Category), "person_month", "person_year"]
    found = amounts({name: str(values.get(name, "")) for name in names}, set(names))
    try:
        first = date.fromisoformat(str(values.get("effective_from", "")))
    except ValueError as error:
        sentence = "请选择日期，例如 2027-01-01。"
        raise Invalid("有几处需要改正。", {"effective_from": sentence}) from error
    return Caps(
        category_month={category: found[str(category)] or 0 for category in Category},
        person_month=found["person_month"] or 0,
        person_year=found["person_year"] or 0,
        effective_from=first,
    )


def amounts(typed: dict[str, str], needed: set[str]) -> dict[str, int | None]:
    """Points as 0.1 point; blank = None. Raises Invalid."""
    found: dict[str, int | None] = {}
    problems: dict[str, str] = {}
    for name, text in typed.items():
        if not text:
            found[name] = None
            if name in needed:
                problems[name] = "请填写。"
            continue
        try:
            found[name] = tenths(text)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise Invalid("有几处需要改正。", problems)
    return found


async def _rule_page(
    request: Asked,
    code: str,
    values: dict[str, Any] | None,
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
    tried: trial.Trial | None = None,
) -> Template:
    actor: Actor = request.user
    history = await service.history(actor.county_id, code)
    last = history[-1]
    on = today(moment(request))
    return page(
        request,
        "rulebook/desk_rule.html",
        status=status,
        rule=last,
        current=in_force(history, on) or last,
        variants=await variants.of_item(actor, code),
        tried=tried,
        history=history[::-1],
        values=values or _typed(last, on),
        errors=errors,
        message=message or "有几处需要改正。",
        saved="saved" in request.query_params,
        today=on,
        names=CATEGORY_NAMES,
        steps=[(step.value, STEP_NAMES[step]) for step in CHOOSABLE],
        step_names=STEP_NAMES,
        evidence=[(kind.value, name) for kind, name in EVIDENCE_NAMES.items()],
        evidence_names=EVIDENCE_NAMES,
        may_edit=_may_edit(actor) and Step.SYSTEM not in last.steps,
    )


async def _correct_page(
    request: Asked,
    code: str,
    values: dict[str, Any] | None,
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
) -> Template:
    history = await service.history(request.user.county_id, code)
    last, on = history[-1], today(moment(request))
    if last.effective_from <= on:
        return await _rule_page(request, code, values, errors, status, message)
    shown = _typed(last, on) | {
        "effective_from": last.effective_from.isoformat(),
        "last_day": _day_before(last.effective_to),
    }
    return page(
        request,
        "rulebook/desk_rule_correct.html",
        status=status,
        rule=last,
        seen=stamp(last),
        values=values or shown,
        errors=errors,
        message=message or "有几处需要改正。",
        steps=[(step.value, STEP_NAMES[step]) for step in CHOOSABLE],
        evidence=[(kind.value, name) for kind, name in EVIDENCE_NAMES.items()],
    )


async def _correct_penalty_page(
    request: Asked,
    code: str,
    values: dict[str, Any] | None,
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
) -> Template:
    history = await service.penalty_history(request.user.county_id, code)
    last = history[-1]
    if last.effective_from <= today(moment(request)):
        return await _penalty_page(request, code, values, errors, status, message)
    shown = {
        "title": last.title,
        "choices": _said(last.choices),
        "last_day": _day_before(last.effective_to),
    }
    return page(
        request,
        "rulebook/desk_penalty_correct.html",
        status=status,
        penalty=last,
        seen=stamp(last),
        most=max(history[0].choices) if len(history) > 1 else MOST_PENALTY,
        values=values or shown,
        errors=errors,
        message=message or "有几处需要改正。",
    )


def _new_rule_page(
    request: Asked, values: dict[str, Any], error: Invalid | None = None
) -> Template:
    return page(
        request,
        "rulebook/desk_rule_new.html",
        error=error,
        values=values,
        kinds="，".join(f"{category} {name}" for category, name in CATEGORY_NAMES.items()),
        steps=[(step.value, STEP_NAMES[step]) for step in CHOOSABLE],
        evidence=[(kind.value, name) for kind, name in EVIDENCE_NAMES.items()],
    )


def _new_penalty_page(
    request: Asked, values: dict[str, Any], error: Invalid | None = None
) -> Template:
    return page(
        request,
        "rulebook/desk_penalty_new.html",
        error=error,
        values=values,
        most=MOST_PENALTY,
    )


async def _penalty_page(
    request: Asked,
    code: str,
    values: dict[str, Any] | None,
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
) -> Template:
    actor: Actor = request.user
    history = await service.penalty_history(actor.county_id, code)
    last = history[-1]
    on = today(moment(request))
    shown = {
        "choices": _said(last.choices),
        "effective_from": first_of_next(on).isoformat(),
    }
    return page(
        request,
        "rulebook/desk_penalty.html",
        status=status,
        penalty=last,
        most=max(history[0].choices),
        history=history[::-1],
        values=values or shown,
        errors=errors,
        message=message or "有几处需要改正。",
        saved="saved" in request.query_params,
        today=on,
        may_edit=_may_edit(actor),
    )


async def _caps_page(
    request: Asked,
    values: dict[str, Any] | None,
    errors: dict[str, str],
    status: int = 200,
    message: str = "",
    tried: trial.Trial | None = None,
) -> Template:
    actor: Actor = request.user
    on = today(moment(request))
    now = await service.caps_at(actor.county_id, on)
    shown: dict[str, Any] = {str(c): show(v) for c, v in now.category_month.items()}
    shown |= {"person_month": show(now.person_month), "person_year": show(now.person_year)}
    shown["effective_from"] = first_of_next(on).isoformat()
    return page(
        request,
        "rulebook/desk_caps.html",
        status=status,
        tried=tried,
        values=values or shown,
        errors=errors,
        message=message or "有几处需要改正。",
        names=CATEGORY_NAMES,
        caps=now,
        may_edit=_may_edit(actor),
    )


def _typed(rule: Rule, on: date) -> dict[str, Any]:
    """A version as the form shows it."""
    return {
        "title": rule.title,
        "points": show(rule.points),
        "cap_day": "" if rule.cap_day is None else show(rule.cap_day),
        "cap_month": "" if rule.cap_month is None else show(rule.cap_month),
        "village_least": "" if rule.village_least is None else show(rule.village_least),
        "village_most": "" if rule.village_most is None else show(rule.village_most),
        "per": rule.per,
        "steps": [step.value for step in rule.steps],
        "resident": rule.resident,
        "evidence": rule.evidence.value,
        "repeat_zero": rule.repeat_zero,
        "templates": "\n".join(rule.templates),
        "effective_from": first_of_next(on).isoformat(),
    }


def first_of_next(on: date) -> date:
    """Where the form of new terms begins: with the next month."""
    return month_bounds(month_of(on))[1]


def _may_edit(actor: Actor) -> bool:
    return allowed(actor, Action.RULES_EDIT, whole_county(actor.county_id)).allowed


router = Router(
    "/",
    route_handlers=[
        rules,
        new_rule,
        add_rule,
        rule,
        change,
        corrected_rule,
        correct_rule,
        new_penalty,
        add_penalty,
        penalty,
        change_penalty,
        corrected_penalty,
        correct_penalty,
        caps,
        change_caps,
    ],
    include_in_schema=False,
)
