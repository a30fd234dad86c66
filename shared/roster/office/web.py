"""Desk pages of the roster: the tree, people, vacancies, and the forms that change them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from shared.clock import today
from shared.errors import Conflict, GridmeritError, Invalid, NotFound
from shared.roster import service as roster
from shared.roster.office import service
from shared.roster.office.schemas import (
    LEAVINGS,
    TRANSFERS,
    AppointForm,
    Filter,
    LeaveForm,
    NewUnitForm,
    Page,
    PersonForm,
    PostForm,
    TransferForm,
    UnitForm,
)
from shared.roster.phones import mask, open_
from shared.roster.roles import EMPLOYMENT_NAMES, UNIT_KIND_NAMES, UnitKind, role_names
from shared.roster.rules import CODE_LENGTH, GRID_TYPE_NAMES, ROLES_AT
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, county_of, moment, page

BASE = "/desk/roster"
STATES = [("serving", "在岗"), ("former", "没有岗位"), ("all", "全部")]
Answer = Redirect | Template


class UnitQuery(msgspec.Struct):
    """Which unit (empty = the top one), on which day (default: today)."""

    unit: str = ""
    on: date | None = None


class PeopleQuery(Filter, frozen=True, kw_only=True):
    """The people list's conditions and page."""

    page: Page = 1


@get(BASE)
async def unit_page(request: Asked) -> Template:
    """One unit: figures, what is below, who serves here."""
    given = forms.bind(UnitQuery, dict(request.query_params))
    view = await service.unit(request.user, given.unit, moment(request), given.on)
    return _page(request, "desk_unit", view=view, on=given.on)


@get(f"{BASE}/people")
async def people_page(request: Asked) -> Template:
    """Search and filter."""
    given = forms.bind(PeopleQuery, dict(request.query_params))
    number = given.page
    lines = await service.find(request.user, given, moment(request), page=number)
    total = lines[0].total if lines else 0
    return _page(
        request,
        "desk_people",
        lines=[(line, mask(open_(line.phone_cipher))) for line in lines],
        given=given,
        page=number,
        pages=-(-total // service.PAGE),
        total=total,
        townships=[(unit.code, unit.name) for unit in await service.townships(request.user)],
        states=STATES,
        can_edit=service.may_edit(request.user),
    )


@get(f"{BASE}/vacancies")
async def vacancies_page(request: Asked) -> Template:
    """Posts without a holder."""
    given = forms.bind(UnitQuery, dict(request.query_params))
    code = given.unit or request.user.county_code
    return _page(
        request,
        "desk_vacancies",
        lines=await service.vacancies(request.user, code, moment(request)),
        given=given,
        townships=[(unit.code, unit.name) for unit in await service.townships(request.user)],
        can_edit=service.may_edit(request.user),
    )


@get(f"{BASE}/people/{{person_id:uuid}}")
async def person_page(request: Asked, person_id: FromPath[UUID]) -> Template:
    """One person with the history of their posts."""
    return await _person(request, person_id)


@post(f"{BASE}/people/{{person_id:uuid}}/phone")
async def show_phone(request: Asked, person_id: FromPath[UUID]) -> Template:
    """The whole number, this once; recorded."""
    phone = await service.show_phone(request.user, person_id, moment(request))
    return await _person(request, person_id, phone=phone)


@get(f"{BASE}/people/{{person_id:uuid}}/edit")
async def edit_person_page(request: Asked, person_id: FromPath[UUID]) -> Template:
    """The form of a person's facts."""
    return await _edit_person(request, person_id, {})


@post(f"{BASE}/people/{{person_id:uuid}}/edit")
async def edit_person(request: Asked, person_id: FromPath[UUID]) -> Answer:
    """Save them."""
    values = await forms.read(request)
    try:
        form = forms.bind(PersonForm, values)
        await service.edit_person(request.user, person_id, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _edit_person(request, person_id, values, error)
    return _to(f"{BASE}/people/{person_id}")


@get(f"{BASE}/posts/{{post_id:uuid}}")
async def post_page(request: Asked, post_id: FromPath[UUID]) -> Template:
    """Who held this post, and when."""
    seat, tenures = await service.post_history(request.user, post_id)
    return _page(request, "desk_post", seat=seat, tenures=tenures)


@get(f"{BASE}/posts/{{post_id:uuid}}/appoint")
async def appoint_page(request: Asked, post_id: FromPath[UUID]) -> Template:
    """The form that puts somebody into a post."""
    return await _appoint(request, post_id, {})


@post(f"{BASE}/posts/{{post_id:uuid}}/appoint")
async def appoint(request: Asked, post_id: FromPath[UUID]) -> Answer:
    """Appoint."""
    values = await forms.read(request)
    try:
        form = forms.bind(AppointForm, values)
        person_id = await service.appoint(request.user, post_id, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _appoint(request, post_id, values, error)
    return _to(f"{BASE}/people/{person_id}")


@post(f"{BASE}/posts/{{post_id:uuid}}/close")
async def close_post(request: Asked, post_id: FromPath[UUID]) -> Redirect:
    """Close a vacant post."""
    code = await service.close_post(request.user, post_id, moment(request))
    return _to(f"{BASE}?unit={code}")


@get(f"{BASE}/assignments/{{assignment_id:uuid}}/end")
async def end_page(request: Asked, assignment_id: FromPath[UUID]) -> Template:
    """The form that ends an assignment."""
    return await _end(request, assignment_id, {})


@post(f"{BASE}/assignments/{{assignment_id:uuid}}/end")
async def end(request: Asked, assignment_id: FromPath[UUID]) -> Answer:
    """End it."""
    values = await forms.read(request)
    tenure = await service.tenure(request.user, assignment_id, ending=True)
    try:
        await service.leave(request.user, assignment_id, forms.bind(LeaveForm, values))
    except (Invalid, Conflict) as error:
        return await _end(request, assignment_id, values, error)
    return _to(f"{BASE}/people/{tenure.person_id}")


@get(f"{BASE}/assignments/{{assignment_id:uuid}}/transfer")
async def transfer_page(request: Asked, assignment_id: FromPath[UUID]) -> Template:
    """The form that moves somebody to another post."""
    return await _transfer(request, assignment_id, {})


@post(f"{BASE}/assignments/{{assignment_id:uuid}}/transfer")
async def transfer(request: Asked, assignment_id: FromPath[UUID]) -> Answer:
    """Move them."""
    values = await forms.read(request)
    tenure = await service.tenure(request.user, assignment_id)
    try:
        form = forms.bind(TransferForm, values)
        await service.transfer(request.user, assignment_id, form, moment(request))
    except (Invalid, Conflict) as error:
        return await _transfer(request, assignment_id, values, error)
    return _to(f"{BASE}/people/{tenure.person_id}")


@post(f"{BASE}/assignments/{{assignment_id:uuid}}/cancel")
async def cancel(request: Asked, assignment_id: FromPath[UUID]) -> Redirect:
    """Take back what has not begun."""
    tenure = await service.tenure(request.user, assignment_id)
    await service.cancel(request.user, assignment_id, moment(request))
    return _to(f"{BASE}/people/{tenure.person_id}")


@get(f"{BASE}/units/{{code:str}}/add")
async def add_unit_page(request: Asked, code: FromPath[str]) -> Template:
    """The form of a new unit."""
    return await _add_unit(request, code, {})


@post(f"{BASE}/units/{{code:str}}/add")
async def add_unit(request: Asked, code: FromPath[str]) -> Answer:
    """Add it."""
    values = await forms.read(request)
    try:
        made = await service.add_unit(request.user, code, forms.bind(NewUnitForm, values))
    except (Invalid, Conflict) as error:
        return await _add_unit(request, code, values, error)
    return _to(f"{BASE}?unit={made.code}")


@get(f"{BASE}/units/{{code:str}}/edit")
async def edit_unit_page(request: Asked, code: FromPath[str]) -> Template:
    """The form of a unit's facts."""
    return await _edit_unit(request, code, {})


@post(f"{BASE}/units/{{code:str}}/edit")
async def edit_unit(request: Asked, code: FromPath[str]) -> Answer:
    """Save them."""
    values = await forms.read(request)
    try:
        await service.edit_unit(request.user, code, forms.bind(UnitForm, values))
    except (Invalid, Conflict) as error:
        return await _edit_unit(request, code, values, error)
    return _to(f"{BASE}?unit={code}")


@post(f"{BASE}/units/{{code:str}}/close")
async def close_unit(request: Asked, code: FromPath[str]) -> Redirect:
    """Close an empty unit."""
    await service.close_unit(request.user, code, moment(request))
    return _to(f"{BASE}?unit={code[:-3]}")


@get(f"{BASE}/units/{{code:str}}/post")
async def add_post_page(request: Asked, code: FromPath[str]) -> Template:
    """The form of a new post."""
    return await _add_post(request, code, {})


@post(f"{BASE}/units/{{code:str}}/post")
async def add_post(request: Asked, code: FromPath[str]) -> Answer:
    """Add it, then appoint."""
    values = await forms.read(request, lists=("grids",))
    try:
        post_id = await service.add_post(request.user, code, forms.bind(PostForm, values))
    except (Invalid, Conflict) as error:
        return await _add_post(request, code, values, error)
    return _to(f"{BASE}/posts/{post_id}/appoint")


async def _person(request: Asked, person_id: UUID, *, phone: str = "") -> Template:
    found = await service.dossier(request.user, person_id, moment(request))
    day = today(moment(request))
    return _page(request, "desk_person", dossier=found, phone=phone, day=day)


async def _edit_person(
    request: Asked, person_id: UUID, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    found = await service.dossier(request.user, person_id, moment(request))
    if not found.can_edit:
        raise NotFound
    card = found.card
    given = {
        "name": card.name,
        "phone": "",
        "given_up": False,
        "employment": card.employment_type,
        "full_time": card.full_time,
        "political": card.political or "",
        "version": card.version,
    }
    if values:
        given |= {"full_time": False} | values
    serving = bool(found.current or found.coming)
    return _form(request, "desk_person_edit", given, error, card=card, serving=serving)


async def _appoint(
    request: Asked, post_id: UUID, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    seat = await service.seat(request.user, post_id, moment(request))
    given = {
        "name": "",
        "phone": "",
        "employment": "",
        "full_time": False,
        "political": "",
        "another": False,
        "valid_from": _day(moment(request)),
    }
    return _form(request, "desk_appoint", given | values, error, seat=seat)


async def _end(
    request: Asked, assignment_id: UUID, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    tenure = await service.tenure(request.user, assignment_id, ending=True)
    given = {"on": _day(moment(request)), "leaving": "", "reason": ""} | values
    leavings = [(leaving, leaving) for leaving in LEAVINGS]
    return _form(request, "desk_end", given, error, tenure=tenure, leavings=leavings)


async def _transfer(
    request: Asked, assignment_id: UUID, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    now = moment(request)
    tenure = await service.tenure(request.user, assignment_id)
    scope = tenure.unit_code[: CODE_LENGTH[UnitKind.TOWNSHIP]]
    vacant = await service.vacancies(request.user, scope, now)
    given = {"post_id": "", "on": _day(now), "ground": "", "reason": ""} | values
    grounds = [(ground, ground) for ground in TRANSFERS]
    return _form(
        request, "desk_transfer", given, error, tenure=tenure, vacant=vacant, grounds=grounds
    )


async def _add_unit(
    request: Asked, code: str, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    above = await service.editable_unit(request.user, code)
    if above.kind is UnitKind.GRID:
        raise NotFound
    below = await roster.units_below(request.user.county_id, code)
    used = [unit.code[-3:] for unit in below if len(unit.code) == len(code) + 3]
    number = f"{int(max(used, default='000')) + 1:03d}"
    given = {"number": number, "name": "", "households": ""} | values
    return _form(request, "desk_unit_add", given, error, above=above)


async def _edit_unit(
    request: Asked, code: str, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    unit = await service.editable_unit(request.user, code)
    given = {
        "name": unit.name,
        "households": "" if unit.households is None else unit.households,
        "grid_type": unit.grid_type or "",
        "was": service.stamp(unit),
    }
    return _form(request, "desk_unit_edit", given | values, error, unit=unit)


async def _add_post(
    request: Asked, code: str, values: dict[str, Any], error: GridmeritError | None = None
) -> Template:
    unit = await service.editable_unit(request.user, code)
    grids = await roster.units_below(request.user.county_id, code, UnitKind.GRID)
    given = {"role": "", "grids": []} | values
    names = role_names(county_of(request).department_name)
    roles = [(role, names[role]) for role in ROLES_AT[unit.kind]]
    return _form(request, "desk_post_add", given, error, unit=unit, grids=grids, roles=roles)


def _form(
    request: Asked,
    name: str,
    given: dict[str, Any],
    error: GridmeritError | None,
    **context: Any,
) -> Template:
    """A form with what was typed and what is wrong with it."""
    errors = error.fields if isinstance(error, Invalid) else {}
    return _page(
        request,
        name,
        status=error.status if error else 200,
        given=given,
        errors=errors,
        problem=error.message if error and not errors else "",
        **context,
    )


def _page(request: Asked, name: str, *, status: int = 200, **context: Any) -> Template:
    return page(
        request,
        f"roster/{name}.html",
        status=status,
        role_names=role_names(county_of(request).department_name),
        employment_names=EMPLOYMENT_NAMES,
        kind_names=UNIT_KIND_NAMES,
        grid_types=GRID_TYPE_NAMES,
        **context,
    )


def _day(now: datetime) -> str:
    return today(now).isoformat()


def _to(address: str) -> Redirect:
    return Redirect(address, status_code=303)


router = Router(
    "/",
    route_handlers=[
        unit_page,
        people_page,
        vacancies_page,
        person_page,
        show_phone,
        edit_person_page,
        edit_person,
        post_page,
        appoint_page,
        appoint,
        close_post,
        end_page,
        end,
        transfer_page,
        transfer,
        cancel,
        add_unit_page,
        add_unit,
        edit_unit_page,
        edit_unit,
        close_unit,
        add_post_page,
        add_post,
    ],
    include_in_schema=False,
)
