"""The roster that both services use: units, people, posts and dated assignments.

Reading functions answer "who held this post on that day"; what is not there is None, never an
error. The writes below ask no rights: they are the building blocks of the import, of
``shared.roster.office`` (which asks) and of the features that bring their own people (shops).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from asyncpg.exceptions import ExclusionViolationError, UniqueViolationError

from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Conflict, NotFound
from shared.identity.actor import Duty
from shared.ids import new_id
from shared.roster import names, phones, queries
from shared.roster.errors import BadPeriod, BadPhone, PhoneTaken, PostTaken
from shared.roster.roles import Employment, Role, UnitKind
from shared.roster.rules import KIND_BY_LENGTH, county_code, parent_code
from shared.roster.schemas import Holder, PersonCard, PersonRow, Place, Tenure, UnitRow, WorkerSpan


async def duties_at(county_id: int, person_id: UUID, on: date) -> tuple[Duty, ...]:
    """The posts a person holds on a day."""
    return tuple(await queries.duties(county_id, person_id, on))


async def holders(county_id: int, role: Role, unit_code: str, on: date) -> list[Holder]:
    """Who holds the role at exactly this unit on a day, by seat."""
    return await queries.holders(county_id, role, unit_code, on)


async def person(county_id: int, person_id: UUID) -> PersonCard | None:
    row = await queries.person(county_id, person_id)
    return None if row is None else card(row)


async def people(county_id: int, ids: Iterable[UUID]) -> dict[UUID, PersonCard]:
    rows = await queries.people(county_id, list(ids))
    return {row.id: card(row) for row in rows}


async def person_by_phone(county_id: int, phone: str) -> PersonCard | None:
    """Exact search; a phone typed in any usual way."""
    number = phones.clean(phone)
    if number is None:
        return None
    row = await queries.person_by_phone(county_id, phones.fingerprint(county_id, number))
    return None if row is None else card(row)


async def phone_of(county_id: int, person_id: UUID) -> str | None:
    """The whole number; whoever shows it must leave an audit record."""
    row = await queries.person(county_id, person_id)
    return None if row is None else phones.open_(row.phone_cipher)


async def worker_place(county_id: int, person_id: UUID, on: date, code: str = "") -> Place | None:
    """The grid somebody works in as a gridworker on a day, the first by code below a unit."""
    return (await queries.places(county_id, [person_id], on, code)).get(person_id)


async def worker_places(county_id: int, ids: Iterable[UUID], on: date) -> dict[UUID, Place]:
    return await queries.places(county_id, list(ids), on)


async def workers(county_id: int, code: str, first: date, last: date) -> list[WorkerSpan]:
    """Every gridworker of a subtree at any time from first to last, by grid."""
    return await queries.workers(county_id, code, first, last)


async def history(county_id: int, person_id: UUID) -> list[Tenure]:
    """All assignments of a person, latest first."""
    return await queries.tenures_of_person(county_id, person_id)


async def unit_by_code(county_id: int, code: str) -> UnitRow | None:
    return await queries.unit_by_code(county_id, code)


async def unit_name(county_id: int, code: str) -> str:
    """As it stands on papers: the name, or the code of a unit that is not there."""
    unit = await queries.unit_by_code(county_id, code)
    return unit.name if unit else code


async def units(county_id: int, codes: Iterable[str]) -> dict[str, UnitRow]:
    return {unit.code: unit for unit in await queries.units(county_id, list(codes))}


async def units_below(county_id: int, code: str, kind: UnitKind | None = None) -> list[UnitRow]:
    """The subtree of a unit, itself included, by code."""
    return await queries.units_below(county_id, code, kind)


async def add_county(county_id: int, name: str) -> UnitRow:
    """The county and its root unit; what exists stays."""
    code = county_code(county_id)
    async with DB.transaction():
        await queries.insert_county(county_id, name)
        if found := await queries.unit_by_code(county_id, code):
            return found
        unit = county_unit(county_id, name)
        await queries.insert_unit(county_id, unit)
        return unit


def county_unit(county_id: int, name: str) -> UnitRow:
    """The root of a county's tree, not stored yet."""
    return UnitRow(id=new_id(), code=county_code(county_id), kind=UnitKind.COUNTY, name=name)


async def add_unit(
    county_id: int,
    code: str,
    name: str,
    *,
    grid_type: str | None = None,
    households: int | None = None,
) -> UnitRow:
    """A unit below its parent, whose kind follows from the length of its code."""
    above = await queries.unit_by_code(county_id, parent_code(code))
    if above is None:
        raise NotFound(f"没有找到上级单位 {parent_code(code)}，请先添加上级单位。")
    unit = UnitRow(
        id=new_id(),
        code=code,
        kind=KIND_BY_LENGTH[len(code)],
        name=name,
        grid_type=grid_type,
        parent_id=above.id,
        households=households,
    )
    try:
        async with DB.transaction():
            await queries.insert_unit(county_id, unit)
    except UniqueViolationError as error:
        raise Conflict(f"代码 {code} 已经用过了，请核对。") from error
    return unit


async def add_person(
    county_id: int,
    name: str,
    phone: str,
    employment_type: Employment,
    *,
    full_time: bool = False,
    political: str | None = None,
    now: datetime,
) -> UUID:
    """A person without a post yet. Raises BadPhone, PhoneTaken."""
    number = phones.clean(phone)
    if number is None:
        raise BadPhone
    row = PersonRow(
        id=new_id(),
        name=name,
        phone_cipher=phones.seal(number),
        phone_hmac=phones.fingerprint(county_id, number),
        phone_last4=number[-4:],
        employment_type=employment_type,
        full_time=full_time,
        political=political,
        version=1,
    )
    if not await queries.insert_person(county_id, row, names.romanise(name), now):
        raise PhoneTaken
    return row.id


async def add_post(
    county_id: int,
    unit_id: UUID,
    role: Role,
    *,
    grids: Sequence[str] = (),
    subject_id: UUID | None = None,
) -> UUID:
    """One more seat of a role at a unit, vacant."""
    post_id = new_id()
    async with DB.transaction():
        await queries.lock_unit(county_id, unit_id)
        await queries.insert_post(county_id, post_id, unit_id, role, grids, subject_id)
    return post_id


async def assign(
    county_id: int,
    post_id: UUID,
    person_id: UUID,
    valid_from: date,
    *,
    valid_to: date | None = None,
    reason: str = "",
    actor_id: UUID | None = None,
    now: datetime,
) -> UUID:
    """Put a person into a post from a day on (it may lie ahead). Raises PostTaken, BadPeriod."""
    if valid_to is not None and valid_to <= valid_from:
        raise BadPeriod("离任日期须晚于到岗日期。")
    assignment_id = new_id()
    recorded = (now, actor_id)
    try:
        async with DB.transaction():
            await queries.insert_assignment(
                county_id,
                assignment_id,
                post_id,
                person_id,
                (valid_from, valid_to),
                reason,
                recorded,
            )
    except ExclusionViolationError as error:
        raise PostTaken from error
    return assignment_id


async def end_assignment(
    county_id: int, assignment_id: UUID, on: date | None = None, *, reason: str = ""
) -> None:
    """The day is the first without the post. Raises NotFound, BadPeriod, Conflict."""
    day = on or today()
    if await queries.end_assignment(county_id, assignment_id, day, reason):
        return
    found = await queries.tenure(county_id, assignment_id)
    if found is None:
        raise NotFound
    if found.valid_from >= day:
        raise BadPeriod(f"离任日期须晚于到岗日期{chinese_date(found.valid_from)}。")
    raise Conflict("这段任职已经结束，不能再改。")


async def resume_assignment(county_id: int, assignment_id: UUID, *, reason: str) -> None:
    """Take an end back, as if there had been none. Raises PostTaken."""
    try:
        async with DB.transaction():
            resumed = await queries.resume_assignment(county_id, assignment_id, reason)
    except ExclusionViolationError as error:
        raise PostTaken from error
    if not resumed:
        raise PostTaken


def card(row: PersonRow) -> PersonCard:
    """What others may see of a stored person."""
    return PersonCard(
        id=row.id,
        name=row.name,
        phone_masked=phones.mask(phones.open_(row.phone_cipher)),
        employment_type=Employment(row.employment_type),
        full_time=row.full_time,
        political=row.political,
        version=row.version,
    )
