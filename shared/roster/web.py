"""名册 on a verifier's phone: the people of the own village or township."""

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template

from shared.clock import today
from shared.identity.access import Action, reach
from shared.roster.office import service
from shared.roster.office.schemas import Filter, Page, ShortText
from shared.roster.phones import mask, open_
from shared.roster.roles import EMPLOYMENT_NAMES, role_names
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, county_of, moment, page

BASE = "/verify/people"
SIZE = 20


class PeopleQuery(msgspec.Struct):
    """Search and page."""

    q: ShortText = ""
    page: Page = 1


@get(BASE)
async def people(request: Asked) -> Template:
    """Twenty people at a time; htmx asks for the next twenty."""
    given = forms.bind(PeopleQuery, dict(request.query_params))
    number = given.page
    lines = await service.find(
        request.user, Filter(q=given.q), moment(request), page=number, size=SIZE
    )
    total = lines[0].total if lines else 0
    return page(
        request,
        "roster/m_people.html",
        block="rows" if number > 1 else None,
        lines=[(line, mask(open_(line.phone_cipher))) for line in lines],
        q=given.q,
        page=number,
        more=number * SIZE < total,
        total=total,
        role_names=role_names(county_of(request).department_name),
    )


@get(f"{BASE}/{{person_id:uuid}}")
async def person(request: Asked, person_id: FromPath[UUID]) -> Template:
    """One person."""
    return await _person(request, person_id)


@post(f"{BASE}/{{person_id:uuid}}/phone")
async def show_phone(request: Asked, person_id: FromPath[UUID]) -> Template:
    """The whole number, this once; recorded."""
    phone = await service.show_phone(request.user, person_id, moment(request))
    return await _person(request, person_id, phone=phone)


async def _person(request: Asked, person_id: UUID, *, phone: str = "") -> Template:
    found = await service.dossier(request.user, person_id, moment(request))
    return page(
        request,
        "roster/m_person.html",
        dossier=found,
        phone=phone,
        day=today(moment(request)),
        role_names=role_names(county_of(request).department_name),
        employment_names=EMPLOYMENT_NAMES,
        can_issue=bool(reach(request.user, Action.SLIP_ISSUE)),
    )


router = Router("/", route_handlers=[people, person, show_phone], include_in_schema=False)
