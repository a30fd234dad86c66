"""The roster by hand: every function asks for the right, writes, and leaves an audit event.

A person is managed by whoever manages *all* the posts they hold: a secretary must not be able to
change the phone, and so the sign-in, of somebody who also serves above.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from secrets import token_bytes
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from shared.audit import service as audit
from shared.audit.service import SYSTEM
from shared.clock import today
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.identity.sessions import FORMER_DAYS
from shared.roster import names, phones
from shared.roster import queries as basics
from shared.roster import service as roster
from shared.roster.errors import BadPeriod, BadPhone, Changed, PhoneTaken, PostTaken
from shared.roster.intake.columns import PERSON_NAME
from shared.roster.intake.plan import MOVED
from shared.roster.office import queries
from shared.roster.office.schemas import (
    LEAVINGS,
    MAX_REASON,
    TRANSFERS,
    AppointForm,
    Dossier,
    EndForm,
    Filter,
    Found,
    LeaveForm,
    NewUnitForm,
    PersonForm,
    PostForm,
    Seat,
    Tally,
    TransferForm,
    UnitForm,
    UnitView,
    Vacancy,
)
from shared.roster.roles import Role, UnitKind
from shared.roster.rules import (
    CODE_LENGTH,
    ROLES_AT,
    county_code,
    grid_type_of,
    just_left,
    worked_below,
)
from shared.roster.schemas import PersonCard, Tenure, UnitRow

PAGE = 50
NO_DIGITS = "----"
"""The last four of a number that was given up: no activation slip asks for them."""
MAX_VACANCIES = 2_000
BAD_NAME = "姓名只能有汉字、字母和间隔号。"
NOT_MOVED = "请从列表中选择情形。本人没有书面同意、也没有决定文书的，不能调岗。"
NOT_HERE = "请从列表中选择情形。不胜任、过错、期满，不能在这里办，请在“考核事项·退出”里办理。"


async def unit(actor: Actor, code: str, now: datetime, on: date | None = None) -> UnitView:
    """A unit with its children's counts and its own posts on a day (default: today).

    Empty code = the actor's top unit.
    """
    tops = reach(actor, Action.ROSTER_VIEW)
    code = code or (tops[0] if tops else "")
    require(actor, Action.ROSTER_VIEW, Target(unit_code=code))
    day = on or today(now)
    found = await roster.unit_by_code(actor.county_id, code)
    if found is None or (found.closed_on is not None and found.closed_on <= day):
        raise NotFound
    above = [code[:length] for length in CODE_LENGTH.values() if length < len(code)]
    visible = [each for each in above if each.startswith(tops)]
    counts = await queries.tallies(actor.county_id, day, found.id, itself=True)
    known = await roster.units(actor.county_id, visible)
    return UnitView(
        unit=found,
        path=tuple(known[each] for each in visible if each in known),
        below=[tally for tally in counts if tally.code != code],
        total=next(tally for tally in counts if tally.code == code),
        seats=await queries.seats_at(actor.county_id, day, code),
        can_edit=found.closed_on is None
        and allowed(actor, Action.ROSTER_EDIT, Target(unit_code=code)).allowed,
    )


async def tallies(actor: Actor, code: str, now: datetime) -> list[Tally]:
    """Counts of each unit below, and of the unit itself (the shortest code)."""
    require(actor, Action.ROSTER_VIEW, Target(unit_code=code))
    found = await _open_unit(actor, code)
    return await queries.tallies(actor.county_id, today(now), found.id, itself=True)


async def find(
    actor: Actor, wanted: Filter, now: datetime, *, page: int = 1, size: int = PAGE
) -> list[Found]:
    """People the actor may see; those without a post only for a whole county's viewers."""
    tops = reach(actor, Action.ROSTER_VIEW)
    within = [wanted.unit] if wanted.unit and wanted.unit.startswith(tops) else list(tops)
    if wanted.unit and not wanted.unit.startswith(tops):
        raise NotFound
    county = actor.county_code
    wanted = msgspec.structs.replace(wanted, q=wanted.q.strip())
    number = phones.clean(wanted.q)
    return await queries.find(
        actor.county_id,
        today(now),
        wanted,
        phones.fingerprint(actor.county_id, number) if number else None,
        within,
        homeless=county in tops and not wanted.unit,
        page=(size, (page - 1) * size),
    )


async def vacancies(actor: Actor, code: str, now: datetime) -> list[Vacancy]:
    """Posts without a holder and grids without a gridworker."""
    require(actor, Action.ROSTER_VIEW, Target(unit_code=code))
    return await queries.vacancies(actor.county_id, today(now), code, MAX_VACANCIES)


async def dossier(actor: Actor, person_id: UUID, now: datetime) -> Dossier:
    """A person with every post they held, hold and will hold."""
    day = today(now)
    tenures = await roster.history(actor.county_id, person_id)
    targets = _targets(tenures, person_id, day, actor.county_id)
    if not any(allowed(actor, Action.ROSTER_VIEW, target).allowed for target in targets):
        raise NotFound
    card = await roster.person(actor.county_id, person_id)
    if card is None:
        raise NotFound
    return Dossier(
        card=card,
        tenures=tenures,
        current=[t for t in tenures if _holds(t, day)],
        coming=[t for t in tenures if t.valid_from > day],
        away=bool(just_left([t for t in tenures if t.valid_from <= day], day, FORMER_DAYS)),
        can_edit=all(allowed(actor, Action.ROSTER_EDIT, target).allowed for target in targets),
        can_show_phone=all(allowed(actor, Action.PHONE_SHOW, t).allowed for t in targets),
        can_see_work=worked_below(tenures, reach(actor, Action.MONTH_VIEW)),
    )


async def show_phone(actor: Actor, person_id: UUID, now: datetime) -> str:
    """The whole number; that it was looked at is recorded."""
    code = await _require_person(actor, Action.PHONE_SHOW, person_id, now)
    phone = await roster.phone_of(actor.county_id, person_id)
    if phone is None:
        raise NotFound
    async with DB.transaction():
        await audit.record(
            actor,
            Action.PHONE_SHOW,
            "person",
            person_id,
            county_id=actor.county_id,
            unit_code=code,
        )
    return phone


async def edit_person(actor: Actor, person_id: UUID, form: PersonForm, now: datetime) -> None:
    """Raises Changed when somebody else saved meanwhile, BadPhone, PhoneTaken."""
    code = await _require_person(actor, Action.ROSTER_EDIT, person_id, now)
    _check_name(form.name)
    before = await roster.person(actor.county_id, person_id)
    if before is None:
        raise NotFound
    phone = _sealed(actor.county_id, form.phone) if form.phone else None
    if form.given_up and not form.phone:
        await _refuse_serving(actor.county_id, person_id, today(now))
        phone = (phones.seal(""), token_bytes(32), NO_DIGITS)
    facts = (
        form.name,
        *names.romanise(form.name),
        form.employment,
        form.full_time,
        form.political or None,
    )
    try:
        async with _writing(actor):
            saved = await queries.update_person(
                actor.county_id, person_id, form.version, facts, phone
            )
            if not saved:
                raise Changed
            after = {
                "name": form.name,
                "employment_type": form.employment,
                "full_time": form.full_time,
                "political": form.political or None,
            }
            await audit.record(
                actor,
                "person.edit",
                "person",
                person_id,
                county_id=actor.county_id,
                unit_code=code,
                before={key: getattr(before, key) for key in after},
                after=after | ({"phone": "changed" if form.phone else "given_up"} if phone else {}),
            )
    except UniqueViolationError as error:
        raise PhoneTaken from error


async def appoint(actor: Actor, post_id: UUID, form: AppointForm, now: datetime) -> UUID:
    """Put somebody into a vacant post; the id of the person. Raises PostTaken, PhoneTaken."""
    await _seat(actor, post_id, now, filling=True)
    _check_name(form.name)
    if phones.clean(form.phone) is None:
        raise BadPhone
    async with _writing(actor):
        seat = await _locked_seat(actor, post_id, now, filling=True)
        known = await roster.person_by_phone(actor.county_id, form.phone)
        if known is not None and known.name != form.name:
            sentence = (
                "这个手机号已登记给另一个姓名的人，请核对姓名和手机号。"
                "原来的人已离任、号码转给了别人的，请先到那个人的“修改信息”里注销号码。"
            )
            raise Invalid(sentence, {"phone": sentence})
        if known is None and not form.another:
            await _refuse_returning(actor, form.name, seat.unit_code, today(now))
        person_id = known.id if known else await _add_person(actor, form, seat.unit_code, now)
        if known is not None:
            await _take_back(actor, known, form, seat.unit_code, now)
        await _assign(actor, seat, person_id, form.valid_from, now)
    return person_id


async def end(actor: Actor, assignment_id: UUID, form: EndForm) -> None:
    """End an assignment on a day, in the past or ahead. Raises BadPeriod, Conflict."""
    tenure = await _tenure(actor, assignment_id, ending=True)
    async with _writing(actor):
        await _end(actor, tenure, form.on, form.reason)


async def lapse(county_id: int, tenure: Tenure, day: date, reason: str) -> None:
    """End an assignment that ends by law, by nobody's hand. Raises BadPeriod, Conflict."""
    async with DB.transaction():
        await queries.share_county(county_id)
        await roster.end_assignment(county_id, tenure.id, day, reason=reason)
        await audit.record(
            None,
            "assignment.end",
            "person",
            tenure.person_id,
            county_id=county_id,
            unit_code=tenure.unit_code,
            after={"valid_to": day},
            reason=reason,
            authority=SYSTEM,
        )


async def leave(actor: Actor, assignment_id: UUID, form: LeaveForm) -> None:
    """End an assignment by hand: a gridworker's only where it is not against their will.

    Raises Invalid, BadPeriod, Conflict.
    """
    tenure = await _tenure(actor, assignment_id, ending=True)
    reason = form.reason
    if tenure.role is Role.GRIDWORKER:
        if form.leaving not in LEAVINGS:
            raise Invalid(NOT_HERE, {"leaving": NOT_HERE})
        reason = _on_the_ground(form.leaving, reason)
    await end(actor, assignment_id, EndForm(on=form.on, reason=reason))


async def resume(actor: Actor, assignment_id: UUID, reason: str) -> None:
    """Take the end of an assignment back: it goes on from that day. Raises PostTaken."""
    tenure = await _tenure(actor, assignment_id)
    async with _writing(actor):
        await _resume(actor, tenure, reason)


async def transfer(actor: Actor, assignment_id: UUID, form: TransferForm, now: datetime) -> None:
    """Leave one post and take another on the same day, or neither.

    A gridworker is moved on a paper: another grid is another work place. Raises Invalid.
    """
    tenure = await _tenure(actor, assignment_id)
    seat = await _seat(actor, form.post_id, now)
    if seat.post_id == tenure.post_id:
        sentence = "新岗位就是现在的岗位，请另选一个。"
        raise Invalid(sentence, {"post_id": sentence})
    reason = form.reason
    if tenure.role is Role.GRIDWORKER:
        if form.ground not in TRANSFERS:
            raise Invalid(NOT_MOVED, {"ground": NOT_MOVED})
        reason = _on_the_ground(form.ground, reason)
    async with _writing(actor):
        seat = await _locked_seat(actor, form.post_id, now)
        await _end(actor, tenure, form.on, reason)
        await _assign(actor, seat, tenure.person_id, form.on, now, reason=reason)


async def cancel(actor: Actor, assignment_id: UUID, now: datetime) -> None:
    """Take back an assignment that has not begun; it never held, so nothing of it is kept.

    Of a transfer both halves, or neither. Raises Conflict.
    """
    tenure = await _tenure(actor, assignment_id)
    async with _writing(actor):
        if not await queries.delete_coming(actor.county_id, assignment_id, today(now)):
            raise Conflict("这段任职已经开始，不能取消，只能结束。")
        await _record(actor, "assignment.cancel", tenure, before={"valid_from": tenure.valid_from})
        await _stay(actor, tenure)


async def add_unit(actor: Actor, above: str, form: NewUnitForm) -> UnitRow:
    """A unit below another. Raises Conflict for a code in use."""
    require(actor, Action.ROSTER_EDIT, Target(unit_code=above))
    parent = await _open_unit(actor, above)
    if parent.kind is UnitKind.GRID:
        raise NotFound
    grid_type = parent.grid_type
    if parent.kind is UnitKind.TOWNSHIP:
        grid_type = grid_type_of(form.name)
    async with _writing(actor):
        await _still_open(actor, above)
        unit = await roster.add_unit(
            actor.county_id,
            above + form.number,
            form.name,
            grid_type=grid_type,
            households=form.households,
        )
        await audit.record(
            actor,
            "unit.add",
            "unit",
            unit.id,
            county_id=actor.county_id,
            unit_code=unit.code,
            after={"name": unit.name, "households": unit.households},
        )
    return unit


async def edit_unit(actor: Actor, code: str, form: UnitForm) -> None:
    """Raises Changed when somebody else saved meanwhile."""
    require(actor, Action.ROSTER_EDIT, Target(unit_code=code))
    async with _writing(actor):
        found = await roster.unit_by_code(actor.county_id, code)
        if found is None:
            raise NotFound
        await basics.lock_unit(actor.county_id, found.id)
        found = await roster.unit_by_code(actor.county_id, code)
        if found is None or stamp(found) != form.was:
            raise Changed
        grid_type = (form.grid_type or found.grid_type) if found.grid_type is not None else None
        await queries.update_unit(actor.county_id, found.id, form.name, form.households, grid_type)
        before: dict[str, object] = {"name": found.name, "households": found.households}
        after: dict[str, object] = {"name": form.name, "households": form.households}
        if grid_type != found.grid_type:
            # It decides whose median of points a worker is held against.
            before["grid_type"], after["grid_type"] = found.grid_type, grid_type
        await audit.record(
            actor,
            "unit.edit",
            "unit",
            found.id,
            county_id=actor.county_id,
            unit_code=code,
            before=before,
            after=after,
        )
        if found.kind is UnitKind.VILLAGE and grid_type != found.grid_type:
            await _follow(actor, found, grid_type)


async def _follow(actor: Actor, village: UnitRow, grid_type: str | None) -> None:
    """What counts is the type of the grids: they become what their village becomes."""
    county_id, before = actor.county_id, village.grid_type
    grids = await queries.follow_type(county_id, village.code, before, grid_type)
    events = [
        audit.Entry("unit.edit", "unit", grid_id, code,
                    {"grid_type": before}, {"grid_type": grid_type})
        for grid_id, code in sorted(grids, key=lambda grid: grid[1])
    ]  # fmt: skip
    if events:
        await audit.record_all(actor, events, county_id=county_id, reason="")


async def close_unit(actor: Actor, code: str, now: datetime) -> None:
    """Close an empty unit with everything below; the history stays. Raises Conflict."""
    require(actor, Action.ROSTER_EDIT, Target(unit_code=code[:-3]))
    day = today(now)
    found = await _open_unit(actor, code)
    if found.kind is UnitKind.COUNTY:
        raise NotFound
    async with _writing(actor):
        await _still_open(actor, code)
        # Closed first: that waits for whoever is filling a post below, who is then counted.
        await queries.close_unit(actor.county_id, code, day)
        if count := await queries.holders_below(actor.county_id, code, day):
            raise Conflict(f"还有 {count} 人在这里任职。请先让他们离任或调岗，再撤销单位。")
        await audit.record(
            actor, "unit.close", "unit", found.id, county_id=actor.county_id, unit_code=code
        )


async def add_post(actor: Actor, code: str, form: PostForm) -> UUID:
    """One more vacant post at a unit. Raises Invalid for a role that does not belong there."""
    require(actor, Action.ROSTER_EDIT, Target(unit_code=code))
    found = await _open_unit(actor, code)
    if form.role not in ROLES_AT[found.kind]:
        sentence = "这一级单位没有这种岗位，请从列表中选择。"
        raise Invalid(sentence, {"role": sentence})
    grids = sorted(set(form.grids)) if form.role is Role.LEAD else []
    below = {unit.code for unit in await roster.units_below(actor.county_id, code, UnitKind.GRID)}
    if not below.issuperset(grids):
        sentence = "网格不属于这个村（社区），请从列表中选择。"
        raise Invalid(sentence, {"grids": sentence})
    async with _writing(actor):
        await _still_open(actor, code)
        post_id = await roster.add_post(actor.county_id, found.id, form.role, grids=grids)
        await audit.record(
            actor,
            "post.add",
            "post",
            post_id,
            county_id=actor.county_id,
            unit_code=code,
            after={"role": form.role, "grids": grids},
        )
    return post_id


async def close_post(actor: Actor, post_id: UUID, now: datetime) -> str:
    """Close a vacant post; the code of its unit. Raises Conflict while somebody holds it."""
    await _seat(actor, post_id, now)
    async with _writing(actor):
        seat = await _locked_seat(actor, post_id, now)
        if seat.person_id is not None or seat.next_name is not None:
            raise Conflict("岗位上还有人，或已安排了接任的人。请先结束任职，再撤销岗位。")
        await queries.close_post(actor.county_id, post_id, today(now))
        await audit.record(
            actor,
            "post.close",
            "post",
            post_id,
            county_id=actor.county_id,
            unit_code=seat.unit_code,
            before={"role": seat.role},
        )
    return seat.unit_code


async def seat(actor: Actor, post_id: UUID, now: datetime) -> Seat:
    """A post that the actor may fill."""
    return await _seat(actor, post_id, now, filling=True)


async def post_history(actor: Actor, post_id: UUID) -> tuple[Seat, list[Tenure]]:
    """A post, closed or not, and everybody who held, holds or will hold it, latest first."""
    found = await queries.seat(actor.county_id, date.min, post_id)
    if found is None:
        raise NotFound
    require(actor, Action.ROSTER_VIEW, Target(unit_code=found.unit_code))
    return found, await basics.tenures_of_post(actor.county_id, post_id)


async def tenure(actor: Actor, assignment_id: UUID, *, ending: bool = False) -> Tenure:
    """An assignment that the actor may change; a shop's keeper can only be ended."""
    return await _tenure(actor, assignment_id, ending=ending)


async def editable_unit(actor: Actor, code: str) -> UnitRow:
    """A unit that the actor may change."""
    require(actor, Action.ROSTER_EDIT, Target(unit_code=code))
    return await _open_unit(actor, code)


async def townships(actor: Actor) -> list[UnitRow]:
    """The townships of the actor's view, for filters."""
    found = [
        unit
        for code in reach(actor, Action.ROSTER_VIEW)
        for unit in await roster.units_below(actor.county_id, code, UnitKind.TOWNSHIP)
    ]
    return [unit for unit in found if unit.closed_on is None]


def may_edit(actor: Actor) -> bool:
    """Whether any form is theirs at all."""
    return bool(reach(actor, Action.ROSTER_EDIT))


def stamp(unit: UnitRow) -> str:
    """What an edit form carries to notice that the unit changed meanwhile."""
    return f"{unit.name}/{unit.households}/{unit.grid_type}/{unit.closed_on}"


@asynccontextmanager
async def _writing(actor: Actor) -> AsyncIterator[None]:
    """A transaction that waits for a running import of the county, and that one for it."""
    async with DB.transaction():
        await queries.share_county(actor.county_id)
        yield


async def _open_unit(actor: Actor, code: str) -> UnitRow:
    found = await roster.unit_by_code(actor.county_id, code)
    if found is None or found.closed_on is not None:
        raise NotFound
    return found


async def _still_open(actor: Actor, code: str) -> None:
    """Nobody closes the unit, or adds below it, until the transaction ends. Raises NotFound."""
    await queries.lock_units(actor.county_id)
    await _open_unit(actor, code)


def _targets(tenures: Sequence[Tenure], person_id: UUID, day: date, county_id: int) -> list[Target]:
    """The units that decide about a person: of their posts, else of the last, else the county.

    The last are those that ended last, whichever began first.
    """
    held = [t for t in tenures if t.valid_to is None or t.valid_to > day]
    last = max((t.valid_to for t in tenures if t.valid_to), default=day)
    left = [tenure for tenure in tenures if tenure.valid_to == last]
    codes = {tenure.unit_code for tenure in held or left} or {county_code(county_id)}
    return [Target(unit_code=code, owner=person_id) for code in sorted(codes)]


def _holds(tenure: Tenure, day: date) -> bool:
    return tenure.valid_from <= day and (tenure.valid_to is None or tenure.valid_to > day)


async def _require_person(actor: Actor, action: Action, person_id: UUID, now: datetime) -> str:
    """The right over every post of the person; the code that the audit names."""
    tenures = await roster.history(actor.county_id, person_id)
    targets = _targets(tenures, person_id, today(now), actor.county_id)
    for target in targets:
        require(actor, action, target)
    return targets[0].unit_code


async def _seat(actor: Actor, post_id: UUID, now: datetime, *, filling: bool = False) -> Seat:
    """Of a shop's posts only the first, and only to be filled: helpers come from its keeper."""
    found = await queries.seat(actor.county_id, today(now), post_id)
    if found is None:
        raise NotFound
    require(actor, Action.ROSTER_EDIT, Target(unit_code=found.unit_code))
    if found.role is Role.ADMIN:
        raise NotFound
    if found.role is Role.SHOPKEEPER and not (filling and found.seat == 1):
        raise NotFound
    return found


async def _locked_seat(
    actor: Actor, post_id: UUID, now: datetime, *, filling: bool = False
) -> Seat:
    """The post as it stands when all who were at it are done; it stays so to the end."""
    await queries.lock_post(actor.county_id, post_id)
    return await _seat(actor, post_id, now, filling=filling)


async def _tenure(actor: Actor, assignment_id: UUID, *, ending: bool = False) -> Tenure:
    found = await basics.tenure(actor.county_id, assignment_id)
    if found is None:
        raise NotFound
    require(actor, Action.ROSTER_EDIT, Target(unit_code=found.unit_code))
    if found.role is Role.ADMIN or (found.role is Role.SHOPKEEPER and not ending):
        raise NotFound
    return found


async def _take_back(
    actor: Actor, known: PersonCard, form: AppointForm, code: str, now: datetime
) -> None:
    """Who comes back works as the form says; who still holds a post keeps what is known."""
    after = {
        "employment_type": form.employment,
        "full_time": form.full_time,
        "political": form.political or known.political,
    }
    before = {key: getattr(known, key) for key in after}
    if after == before or await _serves(actor.county_id, known.id, today(now)):
        return
    facts = (
        known.name,
        *names.romanise(known.name),
        form.employment,
        form.full_time,
        form.political or known.political,
    )
    if not await queries.update_person(actor.county_id, known.id, known.version, facts, None):
        raise Changed
    await audit.record(
        actor,
        "person.edit",
        "person",
        known.id,
        county_id=actor.county_id,
        unit_code=code,
        before=before,
        after=after,
    )


async def _serves(county_id: int, person_id: UUID, day: date) -> bool:
    """Whether somebody holds or awaits a post."""
    tenures = await roster.history(county_id, person_id)
    return any(tenure.valid_to is None or tenure.valid_to > day for tenure in tenures)


async def _refuse_serving(county_id: int, person_id: UUID, day: date) -> None:
    if await _serves(county_id, person_id, day):
        sentence = "还在岗位上的人不能注销号码，请填写新手机号。"
        raise Invalid(sentence, {"phone": sentence})


async def _refuse_returning(actor: Actor, name: str, code: str, day: date) -> None:
    """Who comes back with another number would begin anew, without their points and record."""
    village = code[: CODE_LENGTH[UnitKind.VILLAGE]]
    if place := await queries.namesake(actor.county_id, name, village, day):
        sentence = (
            f"名册里有一位已离任的{name}（原在{place}）。是同一个人，请先到那个人的“修改信息”里"
            "改成新手机号再任命，积分和经历才接得上；不是同一个人，请勾选“是另一个人”。"
        )
        raise Invalid(sentence, {"another": sentence})


async def _add_person(actor: Actor, form: AppointForm, code: str, now: datetime) -> UUID:
    person_id = await roster.add_person(
        actor.county_id,
        form.name,
        form.phone,
        form.employment,
        full_time=form.full_time,
        political=form.political or None,
        now=now,
    )
    await audit.record(
        actor,
        "person.add",
        "person",
        person_id,
        county_id=actor.county_id,
        unit_code=code,
        after={"name": form.name, "employment_type": form.employment},
    )
    return person_id


async def _assign(
    actor: Actor, seat: Seat, person_id: UUID, day: date, now: datetime, *, reason: str = ""
) -> None:
    try:
        assignment_id = await roster.assign(
            actor.county_id,
            seat.post_id,
            person_id,
            day,
            reason=reason,
            actor_id=actor.person_id,
            now=now,
        )
    except PostTaken as error:
        raise PostTaken(seat.name or seat.next_name or "") from error
    await audit.record(
        actor,
        "assignment.start",
        "person",
        person_id,
        county_id=actor.county_id,
        unit_code=seat.unit_code,
        after={"assignment": assignment_id, "role": seat.role, "valid_from": day},
        reason=reason,
    )


def _on_the_ground(ground: str, reason: str) -> str:
    """Both in the one text that history and audit keep."""
    if len(ground) + 1 + len(reason) > MAX_REASON:
        sentence = f"太长了，最多 {MAX_REASON - len(ground) - 1} 个字。"
        raise Invalid(sentence, {"reason": sentence})
    return f"{ground}：{reason}"


async def _end(actor: Actor, tenure: Tenure, day: date, reason: str) -> None:
    try:
        await roster.end_assignment(actor.county_id, tenure.id, day, reason=reason)
    except BadPeriod as error:
        raise BadPeriod(error.message, {"on": error.message}) from error
    await _record(actor, "assignment.end", tenure, after={"valid_to": day}, reason=reason)


async def _stay(actor: Actor, coming: Tenure) -> None:
    """Whoever was to be transferred keeps the post that was to end for it."""
    reasons = {coming.reason, MOVED} if coming.reason else set()
    for left in await roster.history(actor.county_id, coming.person_id):
        if left.valid_to != coming.valid_from or left.reason not in reasons:
            continue
        target = Target(unit_code=left.unit_code)
        if not allowed(actor, Action.ROSTER_EDIT, target).allowed:
            raise Conflict("这是一次调岗，原岗位不归您管理，请由上一级取消。")
        try:
            await _resume(actor, left, "取消调岗")
        except PostTaken as error:
            raise Conflict(
                "这是一次调岗，原岗位已安排别人接任或已撤销。请先取消接任，再取消调岗。"
            ) from error


async def _resume(actor: Actor, tenure: Tenure, reason: str) -> None:
    await roster.resume_assignment(actor.county_id, tenure.id, reason=reason)
    before = {"valid_to": tenure.valid_to}
    await _record(actor, "assignment.resume", tenure, before=before, reason=reason)


async def _record(
    actor: Actor,
    action: str,
    tenure: Tenure,
    *,
    before: object = None,
    after: object = None,
    reason: str = "",
) -> None:
    await audit.record(
        actor,
        action,
        "person",
        tenure.person_id,
        county_id=actor.county_id,
        unit_code=tenure.unit_code,
        before=before,
        after=after,
        reason=reason,
    )


def _check_name(name: str) -> None:
    if not PERSON_NAME.fullmatch(name):
        raise Invalid(BAD_NAME, {"name": BAD_NAME})


def _sealed(county_id: int, phone: str) -> tuple[bytes, bytes, str]:
    number = phones.clean(phone)
    if number is None:
        raise BadPhone
    return phones.seal(number), phones.fingerprint(county_id, number), number[-4:]
