"""Opening the cases of the pools, with the evidence that the books hold before the opener's eyes.

The system lists who a result puts forward; a person decides and writes why. No case is ever opened
by the system, and no list of the weakest is made: candidates come from bands, never from ranks.
"""

from datetime import datetime, timedelta
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError

from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.casework.machines import EXITS, MACHINES
from appraisal.casework.rules import Outcome, Pool
from appraisal.casework.schemas import Opening, SignForm
from appraisal.cycle import service as cycles
from appraisal.errors import StepRefused
from appraisal.pool import queries
from appraisal.pool.queries import ShieldRow
from appraisal.pool.rules import EXCELLENT, SOURCES, WEAK, ineligible, thin
from appraisal.pool.schemas import ApplyForm, Candidate, Evidence, ShieldForm
from shared.audit import service as audit
from shared.clock import today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, Target, allowed, reach, require
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.retention import service as retention
from shared.retention.registry import ABANDONED, APPLICANT, PROTECTION
from shared.roster import phones
from shared.roster import service as roster
from shared.roster.intake.columns import PERSON_NAME
from shared.roster.office import service as office
from shared.roster.office.schemas import Vacancy
from shared.roster.roles import Role

FORWARD = {Pool.RECOMMENDATION: (EXCELLENT,), Pool.WARNING: tuple(sorted(WEAK))}
"""Pool → grades that put somebody before it."""
SAME = "这个人已经有一件同样的事项在办，请在列表中打开。"
ANOTHER_EXIT = "这个人已经有一件退出在办，那一件办结或停止以后才能另办，请在列表中打开。"
APPLIED = "这个手机号已经报名这个岗位，正在办理，请在“准入”里打开。"
MACHINE_OF = {"basic": "improvement", "fail": "warning"}


async def candidates(actor: Actor, pool: Pool, cycle_id: UUID) -> list[Candidate]:
    """Whom a cycle's results put before a pool, for who signs in it. Raises NotFound."""
    cycle = await cycles.get(actor, cycle_id)
    if pool not in FORWARD or not reach(actor, Action.CASE_SIGN):
        raise NotFound
    machines = (machine for machine in MACHINES.values() if machine.pool is pool)
    signers = frozenset[Role]().union(*(step.signs for one in machines for step in one.steps))
    codes = reach(actor, Action.CASE_SIGN, signers)
    return await queries.candidates(actor.county_id, pool, FORWARD[pool], cycle.id, codes)


async def evidence(actor: Actor, pool: Pool, person_id: UUID, now: datetime) -> Evidence:
    """What the books say of a gridworker in the actor's reach. Raises NotFound."""
    card = await roster.person(actor.county_id, person_id)
    place = await roster.worker_place(actor.county_id, person_id, today(now))
    if card is None or place is None:
        raise NotFound
    require(actor, Action.CASE_SIGN, Target(unit_code=place.grid_code, owner=person_id))
    results = await queries.results_of(actor.county_id, pool, person_id)
    weak = next((one for one in results if one.grade in WEAK), None)
    standing = await queries.standing(actor.county_id, weak.cycle_id, person_id) if weak else None
    return Evidence(
        person_id=person_id,
        name=card.name,
        unit_code=place.grid_code,
        place=f"{place.township_name}{place.village_name}{place.grid_name}",
        employment=card.employment_type,
        results=results,
        open_deductions=await queries.open_deductions(actor.county_id, person_id),
        thin=thin(standing) if standing else "",
    )


async def recommend(actor: Actor, person_id: UUID, form: SignForm, now: datetime) -> UUID:
    """Put somebody forward for the recommendation pool. Raises NotFound, StepRefused, Invalid."""
    found = await evidence(actor, Pool.RECOMMENDATION, person_id, now)
    best = next((one for one in found.results if one.grade == EXCELLENT), None)
    if best is None:
        raise StepRefused(ineligible([], found.open_deductions))
    opening = Opening(
        machine="recommendation",
        person_id=person_id,
        unit_code=found.unit_code,
        employment=found.employment,
        about_cycle_id=best.cycle_id,
    )
    return await _open(actor, opening, form, now)


async def warn(
    actor: Actor, person_id: UUID, cycle_id: UUID, form: SignForm, now: datetime
) -> UUID:
    """Reminder talk for 基本合格, written warning for 不合格."""
    found = await evidence(actor, Pool.WARNING, person_id, now)
    standing = await queries.standing(actor.county_id, cycle_id, person_id)
    machine = MACHINE_OF.get(standing.grade) if standing else None
    if machine is None:
        raise StepRefused("这次考核的等次不是基本合格或不合格，不能警告。")
    opening = Opening(
        machine=machine,
        person_id=person_id,
        unit_code=found.unit_code,
        employment=found.employment,
        about_cycle_id=cycle_id,
    )
    return await _open(actor, opening, form, now)


async def start_exit(
    actor: Actor, person_id: UUID, basis: str, form: SignForm, now: datetime
) -> UUID:
    """Open an exit on the path of the person's employment type."""
    found = await evidence(actor, Pool.EXIT, person_id, now)
    machine = EXITS.get((found.employment, basis))
    if machine is None:
        raise Invalid("请选择退出的原因。", {"basis": "请从列表中选择。"})
    origin = None
    if basis == "appraisal":
        earlier = await casework_queries.of_person(actor.county_id, person_id, Pool.WARNING)
        origin = next((one for one in earlier if one.outcome is Outcome.FAILED_AGAIN), None)
    opening = Opening(
        machine=machine.key,
        person_id=person_id,
        unit_code=found.unit_code,
        employment=found.employment,
        basis=basis,
        about_cycle_id=origin.about_cycle_id if origin else None,
        origin_id=origin.id if origin else None,
    )
    return await _open(actor, opening, form, now)


async def resign(actor: Actor, form: SignForm, now: datetime) -> UUID:
    """本人辞去: the person's own application from their phone."""
    place = await roster.worker_place(actor.county_id, actor.person_id, today(now))
    card = await roster.person(actor.county_id, actor.person_id)
    if place is None or card is None:
        raise NotFound
    opening = Opening(
        machine=EXITS[card.employment_type, "wish"].key,
        person_id=actor.person_id,
        unit_code=place.grid_code,
        employment=card.employment_type,
        basis="wish",
    )
    return await _open(actor, opening, form, now)


async def vacancies(actor: Actor, now: datetime) -> list[Vacancy]:
    """Vacant gridworkers' posts in the actor's reach."""
    found: list[Vacancy] = []
    for code in reach(actor, Action.CASE_SIGN):
        found += [
            one
            for one in await office.vacancies(actor, code, now)
            if one.role is Role.GRIDWORKER and one.post_id is not None
        ]
    return found


async def apply(actor: Actor, form: ApplyForm, now: datetime) -> UUID:
    """Take an application or a nomination for a vacancy. Raises Invalid, StepRefused."""
    number = phones.clean(form.phone)
    problems = await _unfit(actor.county_id, form)
    if number is None:
        problems["phone"] = "手机号应为 1 开头的 11 位数字。"
    if form.source not in SOURCES:
        problems["source"] = "请从列表中选择。"
    if form.step not in {"applied", "nominated"}:
        problems["step"] = "请选择本人报名或组织提名。"
    vacancy = next((v for v in await vacancies(actor, now) if v.post_id == form.post_id), None)
    if vacancy is None:
        problems["post_id"] = "请从空缺岗位中选择。"
    if problems or number is None or vacancy is None:
        raise Invalid("有几处需要改正。", problems)
    case_id = new_id()
    opening = Opening(
        machine="admission", person_id=None, unit_code=vacancy.unit_code, post_id=form.post_id
    )
    signed = SignForm(
        step=form.step,
        words=form.words,
        effective_on=form.effective_on,
        no_kin=form.no_kin,
    )
    who = (form.name, phones.seal(number), phones.fingerprint(actor.county_id, number))
    async with DB.transaction():
        if await queries.applied(actor.county_id, form.post_id, who[2]):
            raise Invalid("有几处需要改正。", {"phone": APPLIED})
        await casework.open_case(actor, opening, signed, now, case_id=case_id)
        await queries.insert_applicant(
            actor.county_id, new_id(), case_id, who, form.source, consent=form.consent
        )
    return case_id


async def shields(actor: Actor, person_id: UUID, now: datetime) -> tuple[str, list[ShieldRow]]:
    """A person's name and recorded protections; for the department only. Raises NotFound.

    They tell of illness and pregnancy: that somebody looked is recorded, as with a phone number.
    """
    code = await _require_shield(actor, person_id, now)
    card = await roster.person(actor.county_id, person_id)
    rows = await queries.shields(actor.county_id, person_id)
    if rows:
        async with DB.transaction():
            await _audit_shield(actor, "shield.show", person_id, code)
    return (card.name if card else ""), rows


def may_shield(actor: Actor, person_id: UUID | None, unit_code: str) -> bool:
    """Whether the page of protections is theirs."""
    target = Target(unit_code=unit_code, owner=person_id)
    return person_id is not None and allowed(actor, Action.SHIELD_EDIT, target).allowed


async def record_shield(actor: Actor, person_id: UUID, form: ShieldForm, now: datetime) -> None:
    """Record, once, that the law protects somebody for a time; the audit does not say why."""
    code = await _require_shield(actor, person_id, now)
    if form.ends_on is not None and form.ends_on < form.starts_on:
        raise Invalid("有几处需要改正。", {"ends_on": "止期早于起期，请核对。"})
    fact = (form.kind, form.starts_on, form.ends_on, form.document.strip())
    async with DB.transaction():
        # A double would go on protecting whoever revokes the one.
        await queries.lock_shields(actor.county_id, person_id)
        known = await queries.shields(actor.county_id, person_id)
        if fact in {(one.kind, one.starts_on, one.ends_on, one.document) for one in known}:
            return
        await queries.insert_shield(
            actor.county_id, new_id(), person_id, fact, actor.person_id, now
        )
        await _audit_shield(actor, Action.SHIELD_EDIT, person_id, code)


async def revoke_shield(actor: Actor, person_id: UUID, shield_id: UUID, now: datetime) -> None:
    """Take a wrong record back; it stays in the books. Raises NotFound."""
    code = await _require_shield(actor, person_id, now)
    async with DB.transaction():
        if not await queries.revoke_shield(
            actor.county_id, person_id, shield_id, actor.person_id, now
        ):
            raise NotFound
        await _audit_shield(actor, "shield.end", person_id, code)


async def purge(county_id: int, now: datetime) -> int:
    """Delete applicants' data whose time is over, and of those whom nobody decided on; how many."""
    silent = now - timedelta(days=ABANDONED.days)
    done = 0
    while True:
        async with DB.transaction():
            over, abandoned = await queries.purge(county_id, today(now), now, silent)
            await retention.record(county_id, APPLICANT, over)
            await retention.record(county_id, ABANDONED, abandoned)
        done += over + abandoned
        if over + abandoned < queries.PURGE_CHUNK:
            return done


async def forget(county_id: int, now: datetime) -> int:
    """Delete protections and kinships that ended, or whose people left, long ago; how many."""
    before = now - timedelta(days=PROTECTION.days)
    async with DB.transaction():
        gone = await queries.forget_shields(county_id, before, today(before))
        gone += await queries.forget_kin(county_id, before, today(before))
        await retention.record(county_id, PROTECTION, gone)
    return gone


async def _unfit(county_id: int, form: ApplyForm) -> dict[str, str]:
    """What the roster would refuse at the very end, when the notice has long been published."""
    problems = {}
    if not PERSON_NAME.fullmatch(form.name):
        problems["name"] = office.BAD_NAME
    known = await roster.person_by_phone(county_id, form.phone)
    if known is not None and known.name != form.name:
        problems["phone"] = "这个手机号已登记给另一个姓名的人，请核对姓名和手机号。"
    return problems


async def _open(actor: Actor, opening: Opening, form: SignForm, now: datetime) -> UUID:
    try:
        return await casework.open_case(actor, opening, form, now)
    except UniqueViolationError as error:
        other = error.constraint_name == "case_file_one_exit"
        raise StepRefused(ANOTHER_EXIT if other else SAME) from error


async def _require_shield(actor: Actor, person_id: UUID, now: datetime) -> str:
    place = await roster.worker_place(actor.county_id, person_id, today(now))
    county = actor.county_code
    target = Target(unit_code=place.grid_code if place else county, owner=person_id)
    require(actor, Action.SHIELD_EDIT, target)
    if await roster.person(actor.county_id, person_id) is None:
        raise NotFound
    return target.unit_code


async def _audit_shield(actor: Actor, action: str, person_id: UUID, code: str) -> None:
    await audit.record(
        actor,
        action,
        "shield",
        person_id,
        county_id=actor.county_id,
        about_id=person_id,
        unit_code=code,
    )
