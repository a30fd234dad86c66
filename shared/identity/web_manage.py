"""Accounts of other people: the secretary's phone pages and the desk's, over the same services."""

from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from shared.clock import today
from shared.errors import GridmeritError, Invalid, TooMany
from shared.identity import accounts, cookies, desk, slips
from shared.identity.access import Action, reach
from shared.identity.errors import WrongSignIn
from shared.identity.schemas import Voucher
from shared.identity.web_me import problem
from shared.roster import service as roster
from shared.roster.office.schemas import Page
from shared.roster.roles import DESK_ROLES, Role, UnitKind, role_names
from shared.web import forms
from shared.web.application import Router
from shared.web.filters import drawn
from shared.web.pages import Asked, county_of, moment, page

PHONE, DESK = "/verify/accounts", "/desk/accounts"
STATES = [
    ("open", "未激活"),
    ("active", "已激活"),
    ("disabled", "已停用"),
    ("away", "已离任 90 天内"),
]
REASONS = {
    "unused": "90 天没有登录",
    "never": "从未激活",
    "left": "已离任",
}


class SlipsForm(msgspec.Struct):
    """Whose slips to print."""

    person: list[UUID] = []


class ReasonForm(msgspec.Struct):
    """Why an account is stopped or let in again."""

    reason: str = ""


class CardForm(msgspec.Struct):
    """A card PIN, typed by the holder on the secretary's phone."""

    pin: str
    again: str


class PasswordForm(msgspec.Struct):
    """The first password of a desk account, and who confirms it where one must not do it alone."""

    password: str
    by_phone: str = ""
    by_password: str = ""
    by_code: str = ""


class Filters(msgspec.Struct):
    """The conditions of the list."""

    q: str = ""
    state: str = ""
    unit: str = ""
    page: Annotated[int, msgspec.Meta(le=100_000)] = 1


class StaleFilters(msgspec.Struct):
    """The conditions of the report."""

    reason: str = ""
    page: Page = 1


@get(PHONE)
async def phone_list(request: Asked) -> Template:
    """The people of one's village, who has an account and who not yet."""
    return await _list(request, "m_accounts")


@get(DESK)
async def desk_list(request: Asked) -> Template:
    """The same for the county."""
    return await _list(request, "desk_accounts")


@get(f"{DESK}/stale")
async def stale_list(request: Asked) -> Template:
    """Accounts that should perhaps be stopped; the auditor looks, others act."""
    given = forms.bind(StaleFilters, dict(request.query_params))
    lines = await accounts.stale(
        request.user, moment(request), reason=given.reason, page=given.page
    )
    total = lines[0].total if lines else 0
    return page(
        request,
        "identity/desk_stale.html",
        lines=lines,
        total=total,
        pages=-(-total // accounts.PAGE),
        given=given,
        reasons=REASONS,
        role_names=role_names(county_of(request).department_name),
        logs_since=moment(request) - accounts.LOGS_KEPT,
    )


@post([f"{PHONE}/slips", f"{DESK}/slips"])
async def print_slips(request: Asked) -> Template:
    """Fresh slips, eight to a sheet; the page is the only place where they can be read."""
    form = forms.bind(SlipsForm, await forms.read(request, lists=("person",)))
    settings = request.app.state.settings
    made = await slips.issue(request.user, form.person, moment(request), settings.public_url)
    host = urlsplit(settings.public_url).netloc
    return page(
        request,
        "identity/print_slips.html",
        slips=made,
        codes=await drawn([slip.url for slip in made], "激活码"),
        host=host,
        back=_base(request),
    )


@get(f"{PHONE}/{{person_id:uuid}}")
async def phone_account(
    request: Asked, person_id: FromPath[UUID], out: FromQuery[int | None] = None
) -> Template:
    """One account; ``out`` when it has just been signed out everywhere."""
    done = "所有设备都已退出登录。" if out else ""
    return await _account(request, "m_account", person_id, done=done)


@get(f"{DESK}/{{person_id:uuid}}")
async def desk_account(
    request: Asked, person_id: FromPath[UUID], out: FromQuery[int | None] = None
) -> Template:
    """One account; ``out`` when it has just been signed out everywhere."""
    done = "所有设备都已退出登录。" if out else ""
    return await _account(request, "desk_account", person_id, done=done)


@post([f"{PHONE}/{{person_id:uuid}}/revoke", f"{DESK}/{{person_id:uuid}}/revoke"])
async def revoke(request: Asked, person_id: FromPath[UUID]) -> Redirect:
    """A lost phone: every session and every unused slip ends."""
    form = forms.bind(ReasonForm, await forms.read(request))
    await accounts.revoke_all(request.user, person_id, moment(request), form.reason)
    return Redirect(f"{_base(request)}/{person_id}?out=1", status_code=303)


@post(f"{PHONE}/{{person_id:uuid}}/card-pin")
async def card_pin(request: Asked, person_id: FromPath[UUID]) -> Template:
    """The holder is present and types it."""
    try:
        form = forms.bind(CardForm, await forms.read(request))
        await accounts.set_card_pin(request.user, person_id, form.pin, form.again)
    except Invalid as error:
        return await _account(request, "m_account", person_id, error)
    return await _account(request, "m_account", person_id, done="兑换卡密码已设好。")


@post(f"{DESK}/{{person_id:uuid}}/disable")
async def disable(request: Asked, person_id: FromPath[UUID]) -> Redirect | Template:
    """Stop an account at once."""
    return await _switch(request, person_id, disabled=True)


@post(f"{DESK}/{{person_id:uuid}}/enable")
async def enable(request: Asked, person_id: FromPath[UUID]) -> Redirect | Template:
    """Let it sign in again."""
    return await _switch(request, person_id, disabled=False)


@post(f"{DESK}/{{person_id:uuid}}/password")
async def open_desk(request: Asked, person_id: FromPath[UUID]) -> Template:
    """A desk account for somebody with a desk post; the sheet is shown once."""
    try:
        form = forms.bind(PasswordForm, await forms.read(request))
        by = Voucher(form.by_phone, form.by_password, form.by_code, cookies.device_token(request))
        made = await desk.open_desk(request.user, person_id, form.password, moment(request), by)
    except (Invalid, WrongSignIn, TooMany) as error:
        return await _account(request, "desk_account", person_id, error)
    return page(request, "identity/print_desk_account.html", made=made, back=f"{DESK}/{person_id}")


async def _list(request: Asked, name: str) -> Template:
    actor = request.user
    given = forms.bind(Filters, dict(request.query_params))
    lines = await accounts.listed(
        actor,
        moment(request),
        query=given.q,
        state=given.state,
        unit=given.unit,
        page=max(given.page, 1),
    )
    total = lines[0].total if lines else 0
    townships = [
        (unit.code, unit.name)
        for code in reach(actor, Action.SESSIONS_REVOKE)
        for unit in await roster.units_below(actor.county_id, code, UnitKind.TOWNSHIP)
    ]
    return page(
        request,
        f"identity/{name}.html",
        lines=lines,
        total=total,
        pages=-(-total // accounts.PAGE),
        given=given,
        states=STATES,
        townships=townships,
        can_issue=bool(reach(actor, Action.SLIP_ISSUE)),
    )


async def _account(
    request: Asked,
    name: str,
    person_id: UUID,
    error: GridmeritError | None = None,
    done: str = "",
) -> Template:
    actor = request.user
    line = await accounts.line(actor, person_id, moment(request))
    # The line shows one post; what the account may have follows from all of them.
    held = await roster.duties_at(actor.county_id, person_id, today(moment(request)))
    roles = {duty.role for duty in held}
    theirs = Role.DEPARTMENT in actor.roles or not await accounts.is_auditor(
        actor.county_id, person_id
    )
    return page(
        request,
        f"identity/{name}.html",
        line=line,
        card=await roster.person(actor.county_id, person_id),
        can_issue=bool(reach(actor, Action.SLIP_ISSUE)) and not line.away,
        can_disable=theirs and bool(reach(actor, Action.ACCOUNT_DISABLE)),
        can_open_desk=theirs and bool(reach(actor, Action.DESK_ACCOUNT) and roles & DESK_ROLES),
        needs_another=theirs and await desk.needs_another(actor.county_id, person_id),
        has_card=Role.GRIDWORKER in roles,
        done=done,
        **problem(error),
    )


async def _switch(request: Asked, person_id: UUID, *, disabled: bool) -> Redirect | Template:
    form = forms.bind(ReasonForm, await forms.read(request))
    try:
        await accounts.set_disabled(
            request.user, person_id, moment(request), disabled=disabled, reason=form.reason
        )
    except Invalid as error:
        return await _account(request, "desk_account", person_id, error)
    return Redirect(f"{DESK}/{person_id}", status_code=303)


def _base(request: Asked) -> str:
    return DESK if request.scope["path"].startswith(DESK) else PHONE


router = Router(
    "/",
    route_handlers=[
        phone_list,
        desk_list,
        stale_list,
        print_slips,
        phone_account,
        desk_account,
        revoke,
        card_pin,
        disable,
        enable,
        open_desk,
    ],
    include_in_schema=False,
)
