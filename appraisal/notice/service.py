"""The notice of a cycle, the notices of the pools, and service of each result on its person.

Only 优秀, recommendation and admission are ever made public. The term to object runs from the day
on which the result was served, in working days of the county's calendar.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.casework import fields
from appraisal.casework import queries as casework_queries
from appraisal.casework import service as casework
from appraisal.casework.fields import CONTEST_FIELDS, FIELDS, SERVICE_FIELDS
from appraisal.casework.machines import CONTEST_POOL, CONTEST_RESULT, OBJECTION, SERVING
from appraisal.casework.rules import Pool, Span
from appraisal.casework.schemas import CaseRow, Opening, SignForm
from appraisal.casework.world import RESULT_OUT, last_day, objection_days, out_on
from appraisal.cycle import queries as cycle_queries
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.errors import NoticeRefused
from appraisal.notice import queries
from appraisal.notice.queries import Tally
from appraisal.notice.schemas import (
    ContestForm,
    EntryRow,
    NewEntry,
    NoticeForm,
    NoticeRow,
    ResultRow,
    ServeForm,
    ServingRow,
    Subject,
)
from appraisal.pool import queries as pools
from shared import lock_queries, settings_county
from shared.audit import service as audit
from shared.calendar import service as calendar
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Invalid, NotFound
from shared.identity.access import Action, Target, reach, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster.issuer import issuer
from shared.roster.names import mask
from shared.settings_county import CountySettings

PAGE = 50
EXCELLENT, SUPPLEMENT = "excellent", "supplement"
TITLES = {
    EXCELLENT: "优秀等次名单公示",
    SUPPLEMENT: "优秀等次名单补充公示",
    Pool.RECOMMENDATION: "推荐人选公示",
    Pool.ADMISSION: "拟录用人员公示",
}
READY = {Pool.RECOMMENDATION: "examined", Pool.ADMISSION: "villagers"}
"""Pool → the state in which a case waits for its public notice."""
UNISSUED = "优秀名单的公示还没有发布。"
ISSUED = "这次考核的公示已经发布，请在公示列表中打开。"
LATE_PAPERS = timedelta(days=5)
"""From the last term to closing: a paper that was handed in on time still has to be keyed in, and
nothing about a closed cycle can be."""
RELIED_ON = "这次考核已经办结过，对公示名单的反映请按来信来访转交核查。"
"""A cycle that was closed opens again for nobody's loss."""
KIN = "您与当事人是近亲属，依规应当回避，请换一个人送达。"
TERMS = ("objection_days", "review_days", "appeal_days")
"""The settings that a result's letter promises."""
OBJECTED = "对这次结果已经提过异议，请在“我的事项”里看进展。"
UNREACHED = "这个结果已经登记过送达不到，请刷新页面。"


async def issue_results(actor: Actor, cycle_id: UUID, form: NoticeForm, now: datetime) -> UUID:
    """Publish the list of 优秀 of a cycle that stands at its notice, once.

    Raises NotFound, WrongStage, NoticeRefused.
    """
    county = actor.county_code
    require(actor, Action.NOTICE_ISSUE, Target(unit_code=county))
    async with _once(ISSUED), DB.transaction():
        cycle = await cycles.expect(actor.county_id, cycle_id, Stage.NOTICE)
        if await queries.notice_of_cycle(actor.county_id, cycle_id) is not None:
            raise NoticeRefused(ISSUED)
        found = await queries.excellent(actor.county_id, cycle_id)
        return await _issue_names(actor, EXCELLENT, cycle, found, form, now)


async def issue_supplement(actor: Actor, cycle_id: UUID, form: NoticeForm, now: datetime) -> UUID:
    """补充公示: publish who has become 优秀 since the cycle's notice, before anything follows.

    Raises NotFound, WrongStage, NoticeRefused.
    """
    require(actor, Action.NOTICE_ISSUE, whole_county(actor.county_id))
    async with DB.transaction():
        cycle = await cycles.expect(actor.county_id, cycle_id, *RESULT_OUT)
        if await queries.notice_of_cycle(actor.county_id, cycle_id) is None:
            raise NoticeRefused(UNISSUED)
        # Whoever presses at the same moment waits, and then finds nobody.
        await lock_queries.take(actor.county_id, f"appraisal.supplement {cycle_id}")
        found = await queries.unnamed(actor.county_id, cycle_id)
        if not found:
            raise NoticeRefused("现在没有要补充公示的人。")
        return await _issue_names(actor, SUPPLEMENT, cycle, found, form, now)


async def issue_cases(actor: Actor, pool: Pool, form: NoticeForm, now: datetime) -> UUID:
    """Publish every case of a pool that waits for its notice, and sign that step in each.

    What an objection, say, forbids to publish waits for the next one and holds up nobody else.
    Raises NotFound, NoticeRefused.
    """
    require(actor, Action.NOTICE_ISSUE, whole_county(actor.county_id))
    if pool not in READY:
        raise NotFound
    on = today(now)
    async with DB.transaction():
        # Whoever presses at the same moment waits, and then finds nobody waiting.
        await lock_queries.take(actor.county_id, f"appraisal.notice {pool}")
        waiting = await casework_queries.at_state(actor.county_id, pool, READY[pool])
        if not waiting:
            raise NoticeRefused("现在没有等待公示的人选。")
        reasons = [await casework.unpublishable(actor, case.id, on, now) for case in waiting]
        ready = [case for case, reason in zip(waiting, reasons, strict=True) if not reason]
        if not ready:
            raise NoticeRefused("".join(reasons))
        full = (await settings_county.get(actor.county_id)).public_names == "full"
        entries = [await _entry(actor.county_id, case, full=full) for case in ready]
        notice_id = await _issue(actor, pool, TITLES[pool], entries, form, now)
        await casework.sign_notice(actor, [case.id for case in ready], notice_id, on, now)
    return notice_id


async def view(actor: Actor, notice_id: UUID) -> tuple[NoticeRow, list[EntryRow]]:
    """A notice as it was published. Raises NotFound."""
    found = await queries.notice(actor.county_id, notice_id)
    if found is None or not reach(actor, Action.NOTICE_VIEW):
        raise NotFound
    return found, await queries.entries(actor.county_id, notice_id)


async def notices(actor: Actor) -> list[NoticeRow]:
    """All notices of the county, latest first."""
    require(actor, Action.NOTICE_VIEW, whole_county(actor.county_id))
    return await queries.notices(actor.county_id)


async def of_cycle(actor: Actor, cycle_id: UUID) -> tuple[CycleRow, NoticeRow | None, Tally]:
    """Where a cycle's notice and service stand. Raises NotFound."""
    require(actor, Action.NOTICE_VIEW, whole_county(actor.county_id))
    cycle = await cycles.get(actor, cycle_id)
    found = await queries.notice_of_cycle(actor.county_id, cycle_id)
    return cycle, found, await queries.tally(actor.county_id, cycle_id)


async def supplements(actor: Actor, cycle_id: UUID) -> tuple[list[ResultRow], list[NoticeRow]]:
    """Whom the next supplementary notice of a cycle would name, and those that were issued."""
    require(actor, Action.NOTICE_VIEW, whole_county(actor.county_id))
    missing = await queries.unnamed(actor.county_id, cycle_id)
    return missing, await queries.supplements(actor.county_id, cycle_id)


async def waiting(actor: Actor, pool: Pool) -> list[CaseRow]:
    """Cases that the next notice of a pool would name."""
    require(actor, Action.NOTICE_VIEW, whole_county(actor.county_id))
    return await casework_queries.at_state(actor.county_id, pool, READY[pool])


async def results(
    actor: Actor,
    cycle_id: UUID,
    *,
    unit: str = "",
    grade: str = "",
    state: str = "",
    text: str = "",
    page: int = 1,
) -> tuple[list[ResultRow], int]:
    """Results in the actor's reach, the unserved first; none before they are out."""
    cycle = await cycles.get(actor, cycle_id)
    codes = reach(actor, Action.RESULT_VIEW)
    if not codes:
        raise NotFound
    if cycle.state not in {*RESULT_OUT, Stage.CLOSED}:
        return [], 0
    wanted = (unit, grade, state, text.strip())
    offset = (max(page, 1) - 1) * PAGE
    rows = await queries.listed(actor.county_id, cycle_id, codes, wanted, (PAGE, offset))
    return rows, await queries.count(actor.county_id, cycle_id, codes, wanted)


async def serve(
    actor: Actor, cycle_id: UUID, person_id: UUID, form: ServeForm, now: datetime
) -> ServingRow:
    """Record that a result was served on its person, by nobody who is a recorded relative.

    Raises NotFound, NoticeRefused, WrongStage, Invalid.
    """
    async with DB.transaction():
        found = await _result(actor.county_id, cycle_id, person_id)
        target = Target(unit_code=found.grid_code, owner=person_id)
        authority = require(actor, Action.RESULT_SERVE, target)
        if actor.person_id in await casework_queries.kin(actor.county_id, person_id):
            raise NoticeRefused(KIN)
        return await _serve(actor, found, cycle_id, form, now, authority)


async def unreached(
    actor: Actor, cycle_id: UUID, person_id: UUID, form: SignForm, now: datetime
) -> UUID:
    """Record that a result reaches nobody, for somebody else to confirm.

    Raises NotFound, Invalid, StepRefused, NoticeRefused.
    """
    async with _once(UNREACHED), DB.transaction():
        await cycles.expect(actor.county_id, cycle_id, *RESULT_OUT)
        found = await _result(actor.county_id, cycle_id, person_id)
        opening = Opening(
            machine=SERVING.key,
            person_id=person_id,
            unit_code=found.grid_code,
            about_cycle_id=cycle_id,
        )
        return await casework.open_case(actor, opening, form, now)


async def receive(actor: Actor, cycle_id: UUID, now: datetime) -> ServingRow:
    """签收: the person signs for their own result. Raises NotFound, WrongStage, NoticeRefused."""
    async with DB.transaction():
        found = await _result(actor.county_id, cycle_id, actor.person_id)
        authority = require(actor, Action.RESULT_VIEW, Target(owner=actor.person_id))
        form = ServeForm(how="signed", served_on=today(now))
        return await _serve(actor, found, cycle_id, form, now, authority)


async def own_result(
    actor: Actor, cycle_id: UUID
) -> tuple[CycleRow, ResultRow, ServingRow | None, list[CaseRow]]:
    """The actor's own result with its service and objections. Raises NotFound."""
    require(actor, Action.RESULT_VIEW, Target(owner=actor.person_id))
    cycle = await cycles.get(actor, cycle_id)
    found = await queries.result(actor.county_id, cycle_id, actor.person_id)
    if found is None or cycle.state not in {*RESULT_OUT, Stage.CLOSED}:
        raise NotFound("这次考核的结果还没有公布，或没有您的结果。")
    served = await queries.serving(actor.county_id, cycle_id, actor.person_id)
    return cycle, found, served, await _objections(actor.county_id, cycle_id, actor.person_id)


async def result_of(
    actor: Actor, cycle_id: UUID, person_id: UUID
) -> tuple[CycleRow, ResultRow, ServingRow | None, list[CaseRow]]:
    """Somebody's result, for whoever serves it. Raises NotFound."""
    cycle = await cycles.get(actor, cycle_id)
    found = await queries.result(actor.county_id, cycle_id, person_id)
    if found is None or cycle.state not in {*RESULT_OUT, Stage.CLOSED}:
        raise NotFound
    require(actor, Action.RESULT_VIEW, Target(unit_code=found.grid_code, owner=person_id))
    served = await queries.serving(actor.county_id, cycle_id, person_id)
    return cycle, found, served, await _objections(actor.county_id, cycle_id, person_id)


async def terms(county_id: int, served: ServingRow | None) -> CountySettings:
    """The terms that a result's letter promises: once it is served, those of that day."""
    settings = await settings_county.get(county_id)
    if served is None:
        return settings
    then = await queries.since_changed(county_id, served.recorded_at, TERMS)
    return msgspec.structs.replace(settings, **then)


async def object_to(
    actor: Actor, cycle_id: UUID, person_id: UUID, form: SignForm, now: datetime
) -> UUID:
    """异议 to a result: one's own, or a paper that somebody in office enters for its writer.

    Raises NotFound, Invalid, StepRefused, NoticeRefused.
    """
    async with _once(OBJECTED), DB.transaction():
        await cycles.expect(actor.county_id, cycle_id, *RESULT_OUT)
        found = await _result(actor.county_id, cycle_id, person_id)
        await casework_queries.lock_objections(actor.county_id, person_id)
        earlier = await _objections(actor.county_id, cycle_id, person_id)
        if any(case.outcome is None or case.outcome != "withdrawn" for case in earlier):
            raise NoticeRefused(OBJECTED)
        opening = Opening(
            machine="objection",
            person_id=person_id,
            unit_code=found.grid_code,
            about_cycle_id=cycle_id,
        )
        return await casework.open_case(actor, opening, form, now)


async def contests(
    actor: Actor, notice_id: UUID
) -> tuple[NoticeRow, list[EntryRow], list[CaseRow]]:
    """A notice, its lines, and the objections to it that were received. Raises NotFound."""
    require(actor, Action.NOTICE_VIEW, whole_county(actor.county_id))
    row, entries = await view(actor, notice_id)
    return row, entries, await casework_queries.contests(actor.county_id, notice_id)


async def contest(actor: Actor, notice_id: UUID, form: ContestForm, now: datetime) -> UUID:
    """Enter anybody's objection to a notice; the objector's name and contact are kept sealed.

    The same once more is the same case, as long as that is open.

    Raises NotFound, Invalid, StepRefused, NoticeRefused.
    """
    require(actor, Action.NOTICE_ISSUE, whole_county(actor.county_id))
    signed = SignForm(
        step="received",
        words=form.words,
        effective_on=form.received_on,
        document=form.document,
        answers={key: getattr(form, key) for key in CONTEST_FIELDS},
        no_kin=form.no_kin,
    )
    async with DB.transaction():
        row, _ = await view(actor, notice_id)
        found = await queries.subject(actor.county_id, notice_id, form.entry)
        if found is None:
            raise Invalid("有几处需要改正。", {"entry": "请从名单中选择。"})
        opening = await _contested(actor.county_id, row, found)
        # Whoever enters the same at the same moment waits, and then finds it.
        await lock_queries.take(actor.county_id, f"appraisal.contest {notice_id} {form.entry}")
        earlier = await casework.received(actor.county_id, notice_id, opening, signed)
        return earlier or await casework.open_case(actor, opening, signed, now, notice_id=notice_id)


async def notice_over(county_id: int, cycle: CycleRow) -> list[str]:
    """Gate to the stage of objections: the notice was issued and its period is over."""
    found = await queries.notice_of_cycle(county_id, cycle.id)
    if found is None:
        return [UNISSUED]
    on = today()
    return [f"公示期到{chinese_date(found.ends_on)}才满。"] if on <= found.ends_on else []


async def nothing_open(county_id: int, cycle: CycleRow) -> list[str]:
    """Gate to closing: everybody in reach was told, everybody named, nothing runs or is open."""
    tally = await queries.tally(county_id, cycle.id)
    found = []
    if unserved := tally.results - tally.served - tally.unreachable:
        found.append(f"还有 {unserved} 人的结果没有送达。")
    elif tally.last_day is not None and today() <= tally.last_day:
        found.append(f"最晚的异议期到{chinese_date(tally.last_day)}才满。")
    if missing := await queries.unnamed(county_id, cycle.id):
        found.append(f"还有 {len(missing)} 人变更为优秀，没有补充公示。")
    shown = [row.ends_on for row in await queries.supplements(county_id, cycle.id)]
    if shown and today() <= shown[-1]:
        found.append(f"补充公示的公示期到{chinese_date(shown[-1])}才满。")
    lapsed = await casework_queries.lapsed(county_id, cycle.id)
    over = max((day for day in (tally.last_day, lapsed, *shown) if day is not None), default=None)
    if not found and over is not None and today() <= (until := over + LATE_PAPERS):
        found.append(f"期限内交来的书面异议、申诉可能还在路上，过了{chinese_date(until)}再办结。")
    pending = await casework_queries.open_of_cycle(county_id, cycle.id, Pool.OBJECTION)
    if pending:
        found.append(f"还有 {len(pending)} 件异议或申诉没有办结。")
    return found


@asynccontextmanager
async def _once(sentence: str) -> AsyncIterator[None]:
    """Two who do the same at once find each other in a unique index: one is told of the other."""
    try:
        yield
    except UniqueViolationError as error:
        raise NoticeRefused(sentence) from error


async def _issue_names(
    actor: Actor,
    kind: str,
    cycle: CycleRow,
    found: Sequence[ResultRow],
    form: NoticeForm,
    now: datetime,
) -> UUID:
    full = (await settings_county.get(actor.county_id)).public_names == "full"
    entries = [
        NewEntry(
            person_id=row.person_id,
            name=row.name if full else mask(row.name),
            unit=f"{row.township_name}{row.village_name}{row.grid_name}",
            note=row.grade_name,
        )
        for row in found
    ]
    return await _issue(
        actor, kind, f"{cycle.title}{TITLES[kind]}", entries, form, now, cycle=cycle
    )


async def _issue(
    actor: Actor,
    kind: str,
    title: str,
    entries: Sequence[NewEntry],
    form: NoticeForm,
    now: datetime,
    *,
    cycle: CycleRow | None = None,
) -> UUID:
    settings = await settings_county.get(actor.county_id)
    on = today(now)
    row = NoticeRow(
        id=new_id(),
        kind=kind,
        about_cycle_id=cycle.id if cycle else None,
        cycle_title="",
        title=title,
        issuer=await issuer(actor.county_id),
        full_names=settings.public_names == "full",
        phone=form.phone.strip() or settings.complaint_phone,
        place=form.place.strip(),
        starts_on=await calendar.add_working_days(actor.county_id, on, 1),
        ends_on=await last_day(actor.county_id, on, Span.NOTICE),
        days=settings.notice_days,
        issued_by=actor.person_id,
        issued_at=now,
    )
    await queries.insert_notice(actor.county_id, row)
    await queries.insert_entries(actor.county_id, row.id, entries)
    await audit.record(
        actor,
        Action.NOTICE_ISSUE,
        "notice",
        row.id,
        county_id=actor.county_id,
        unit_code=actor.county_code,
        after={"kind": kind, "names": len(entries), "ends_on": row.ends_on},
    )
    return row.id


async def _contested(county_id: int, row: NoticeRow, found: Subject) -> Opening:
    """The case about a line: of a person's result, or of the pool's case.

    Raises NotFound, NoticeRefused.
    """
    if row.about_cycle_id and found.person_id:
        cycle = await cycle_queries.cycle(county_id, row.about_cycle_id)
        closed = cycle is None or cycle.state is Stage.CLOSED
        # Who was named only since it was opened again has had nothing of it yet.
        relied_on = await cycle_queries.reopened(county_id, row.about_cycle_id, row.issued_at)
        if closed or relied_on:
            raise NoticeRefused(RELIED_ON)
        result = await _result(county_id, row.about_cycle_id, found.person_id)
        return Opening(
            machine=CONTEST_RESULT.key,
            person_id=found.person_id,
            unit_code=result.grid_code,
            about_cycle_id=row.about_cycle_id,
        )
    case = await casework_queries.case(county_id, found.case_id) if found.case_id else None
    if case is None:
        raise NotFound
    return Opening(
        machine=CONTEST_POOL.key,
        person_id=case.person_id,
        unit_code=case.unit_code,
        about_cycle_id=case.about_cycle_id,
        origin_id=case.id,
    )


async def _entry(county_id: int, case: CaseRow, *, full: bool) -> NewEntry:
    """An applicant's full name also needs their own consent."""
    signed = await casework_queries.steps(county_id, case.id)
    note = ""
    if case.pool is Pool.RECOMMENDATION:
        kinds = dict(FIELDS["list_kind"].options)
        note = kinds.get(signed[0].given.get("list_kind", ""), "")
    else:
        who = await pools.contact(county_id, case.id)
        full = full and who is not None and who.consent
    return NewEntry(
        case_id=case.id,
        person_id=case.person_id,
        name=case.name if full else mask(case.name),
        unit=f"{case.township_name}{case.village_name}{case.unit_name}",
        note=note,
    )


async def _serve(
    actor: Actor,
    found: ResultRow,
    cycle_id: UUID,
    form: ServeForm,
    now: datetime,
    authority: str,
) -> ServingRow:
    # Whom the letter did not reach may have it at any time, also when all others are done.
    late = {Stage.CLOSED} if found.unreachable else set[Stage]()
    await cycles.expect(actor.county_id, cycle_id, *RESULT_OUT, *late)
    given = {key: str(getattr(form, key)) for key in SERVICE_FIELDS}
    problems = fields.problems(SERVICE_FIELDS, given, frozenset({actor.name, found.name}))
    since = await out_on(actor.county_id, cycle_id)
    if form.served_on > today(now):
        problems["served_on"] = "送达日期还没有到。"
    elif since is not None and form.served_on < since:
        # The term would be over before the person could have known of a result.
        problems["served_on"] = f"结果在{chinese_date(since)}才公布，请核对送达日期。"
    if problems:
        raise Invalid("有几处需要改正。", problems)
    days = await objection_days(actor.county_id, cycle_id)
    until = await last_day(actor.county_id, form.served_on, Span.OBJECTION, days)
    server = (actor.person_id, actor.name)
    if not await queries.insert_serving(actor.county_id, found, cycle_id, server, form, until, now):
        raise NoticeRefused("这个结果已经送达过，请刷新页面。")
    await audit.record(
        actor,
        Action.RESULT_SERVE,
        "serving",
        found.person_id,
        county_id=actor.county_id,
        about_id=found.person_id,
        unit_code=found.grid_code,
        after={"how": form.how, "served_on": form.served_on, "objection_until": until},
        authority=authority,
    )
    served = await queries.serving(actor.county_id, cycle_id, found.person_id)
    if served is None:
        raise NotFound
    return served


async def _result(county_id: int, cycle_id: UUID, person_id: UUID) -> ResultRow:
    found = await queries.result(county_id, cycle_id, person_id)
    if found is None:
        raise NotFound
    return found


async def _objections(county_id: int, cycle_id: UUID, person_id: UUID) -> list[CaseRow]:
    """The person's own objections to a result; not what others say of a notice."""
    found = await casework_queries.of_person(county_id, person_id, Pool.OBJECTION, cycle_id)
    return [case for case in found if case.machine == OBJECTION.key]
