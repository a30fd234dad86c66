"""本村细则, on the phones of the chief and the township: proposed, tried, approved or refused."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from points.rulebook import service as rulebook
from points.rulebook.rules import show
from points.rulebook.variants import service
from points.rulebook.variants.schemas import Item, VariantForm
from points.rulebook.web import amounts, first_of_next
from points.work import trial
from shared.clock import today
from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, NotFound
from shared.identity.actor import Actor
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

DONE = {
    "propose": "已报上去，乡镇批准后到生效日起算。",
    "approve": "已同意，到生效日起算。",
    "refuse": "已不同意，村里看得到原因。",
}
AMOUNTS = ("points", "cap_day", "cap_month")


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as typed; blank points mean the county's again."""

    village_code: str
    code: str
    points: str = ""
    cap_day: str = ""
    cap_month: str = ""
    effective_from: date
    resolution: str
    resolved_on: date


class Decision(msgspec.Struct):
    """同意 or 不同意, with a reason for the latter."""

    answer: Literal["approve", "refuse"]
    note: Annotated[str, msgspec.Meta(max_length=100)] = ""


@get("/verify/variants")
async def variants(
    request: Asked,
    village: FromQuery[str] = "",
    code: FromQuery[str] = "",
    done: FromQuery[str] = "",
) -> Template:
    """What waits for a decision, and what the own village pays for its items."""
    if code:
        return await _item(request, village, code)
    return await _list(request, village, done=DONE.get(done, ""))


@post("/verify/variants")
async def propose(request: Asked) -> Template | Redirect:
    """Report what the villagers' meeting has resolved, or try it first."""
    values = await forms.read(request)
    village, code = str(values.get("village_code", "")), str(values.get("code", ""))
    try:
        typed = forms.bind(Typed, values)
        form = VariantForm(
            village_code=village,
            code=code,
            effective_from=typed.effective_from,
            resolution=typed.resolution.strip(),
            resolved_on=typed.resolved_on,
            **amounts({name: getattr(typed, name).strip() for name in AMOUNTS}, set()),
        )
        if values.get("act") == "try":
            tried = await trial.of_variant(request.user, form, moment(request))
            return await _item(request, village, code, values, tried=tried)
        await service.propose(request.user, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _item(request, village, code, values, error)
    return Redirect(f"/verify/variants?village={village}&done=propose", status_code=303)


@post("/verify/variants/{variant_id:uuid}")
async def decide(request: Asked, variant_id: FromPath[UUID]) -> Template | Redirect:
    """Approve or refuse it."""
    try:
        form = forms.bind(Decision, await forms.read(request))
        await service.decide(
            request.user,
            variant_id,
            approve=form.answer == "approve",
            note=form.note.strip(),
            now=moment(request),
        )
    except (Invalid, Conflict, Forbidden) as error:
        return await _list(request, "", error)
    return Redirect(f"/verify/variants?done={form.answer}", status_code=303)


async def _list(
    request: Asked, village: str, error: GridmeritError | None = None, done: str = ""
) -> Template:
    actor: Actor = request.user
    on = today(moment(request))
    villages = await service.villages(actor)
    if not village and len(villages) == 1:
        village = villages[0].code
    chosen = next((unit for unit in villages if unit.code == village), None)
    if village and chosen is None:
        raise NotFound
    return page(
        request,
        "variants/m_variants.html",
        status=error.status if error else 200,
        waiting=await service.waiting(actor),
        villages=villages,
        village=chosen,
        items=await service.items(actor.county_id, village, on) if chosen else [],
        titles=await rulebook.titles(actor.county_id),
        error=error,
        done=done,
    )


async def _item(
    request: Asked,
    village: str,
    code: str,
    values: dict[str, Any] | None = None,
    error: GridmeritError | None = None,
    tried: trial.Line | None = None,
) -> Template:
    actor: Actor = request.user
    on = today(moment(request))
    history = [row for row in await service.of_village(actor, village) if row.code == code]
    items = await service.items(actor.county_id, village, on)
    item = next((item for item in items if item.rule.code == code), None)
    if item is None:
        raise NotFound("县里没有给这一项定幅度，各村都按县里的分值。")
    return page(
        request,
        "variants/m_variant.html",
        status=error.status if error else 200,
        village=village,
        item=item,
        history=history,
        values=_typed(item, on) | (values or {}),
        errors=error.fields if isinstance(error, Invalid) else {},
        error=error,
        tried=tried,
        today=on,
    )


def _typed(item: Item, on: date) -> dict[str, str]:
    """What the form begins with: what counts now, from the first of next month."""
    own = item.counts
    shown = {name: getattr(own, name, None) for name in AMOUNTS}
    shown["points"] = own.points if own else item.rule.points
    return {
        **{name: "" if amount is None else show(amount) for name, amount in shown.items()},
        "effective_from": first_of_next(on).isoformat(),
        "resolution": "",
        "resolved_on": "",
    }


router = Router("/", route_handlers=[variants, propose, decide], include_in_schema=False)
