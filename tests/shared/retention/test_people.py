"""Who left is erased when the time is over, nobody else is, and the books stand as they were."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from appraisal.cycle.rules import Stage
from appraisal.ranking import freezing
from appraisal.scorecard import queries as scorecards
from appraisal.scorecard import scoring_queries
from appraisal.verifier import service as appraisal_verifier
from deploy.jobs import jobs
from points.ledger.verifier import service as ledger_verifier
from points.settlement import service as settlement
from shared.clock import now, today
from shared.database import DB
from shared.identity import queries as identity
from shared.identity import sessions, signin
from shared.identity.errors import WrongSignIn
from shared.ids import new_id
from shared.retention.registry import PERSON, REGISTRY
from shared.retention.service import ERASED_NAME
from shared.roster import service as roster
from shared.roster.names import mask
from shared.roster.roles import Employment, Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.scorecard.worlds import random_scheme, random_worker, stored_run
from tests.conftest import as_owner
from tests.factories import COUNTY, Member, SmallCounty, acting, small_county
from tests.points.settlement.test_statements import built, sign_all
from tests.points.settlement.world import VILLAGE, earn, in_last_month, redeem, world
from tests.shared.identity.worlds import PIN, with_pin

LEFT = today() + timedelta(days=2)
"""The first day without a post; later than everybody was entered, whatever the hour."""
OVER = LEFT + timedelta(days=PERSON.days)
JOBS = {job.name: job for job in jobs(Path("nowhere"))}


def noon(day: date) -> datetime:
    """In China."""
    return datetime.combine(day, time(4), UTC)


async def run(day: date) -> str:
    """What the night's job says."""
    return await JOBS[PERSON.job].run(COUNTY, str(day), noon(day))


async def leave(*people: Member) -> None:
    for someone in people:
        await roster.end_assignment(COUNTY, someone.assignment_id, LEFT)


async def people() -> dict[UUID, dict[str, Any]]:
    rows = await DB.fetch("SELECT * FROM shared.person WHERE county_id = $1", COUNTY)
    return {row["id"]: dict(row) for row in rows}


async def erasures() -> list[str]:
    rows = await DB.fetch(
        "SELECT after FROM shared.audit_event WHERE county_id = $1 AND action = 'data.erase'",
        COUNTY,
    )
    return [row["after"] for row in rows]


async def test_who_left_is_erased_on_the_day_and_not_one_earlier(rollback: None) -> None:
    """Name, phone and sign-in go; everybody else stays; a second run finds nothing to do.

    Sign-in is PIN, card, WeChat and a shop terminal's key.
    """
    town = await small_county()
    gone = town.worker
    account_id = await with_pin(gone)
    await identity.set_card_pin(COUNTY, account_id, "x")
    await identity.set_wechat(COUNTY, account_id, b"w" * 32, now())
    key_id = await put(
        "shared.terminal_key", shop_id=new_id(), person_id=gone.person_id, label="收银台",
        secret_cipher=b"x", created_at=now(),
    )  # fmt: skip
    await leave(gone)
    before = await people()
    assert await run(OVER - timedelta(days=1)) == "清除离任人员信息 0 人"
    assert await people() == before
    assert await run(OVER) == "清除离任人员信息 1 人"
    after = await people()
    row = after.pop(gone.person_id)
    was = before.pop(gone.person_id)
    assert after == before
    assert (row["name"], row["phone_last4"], row["political"]) == (ERASED_NAME, "", None)
    assert row["phone_hmac"] != was["phone_hmac"]
    assert not {was["name_pinyin"], was["name_initials"]} & {
        row["name_pinyin"],
        row["name_initials"],
    }
    assert await roster.phone_of(COUNTY, gone.person_id) == ""
    assert await roster.person_by_phone(COUNTY, gone.phone) is None
    account = await identity.account_of(COUNTY, gone.person_id)
    assert account is not None
    assert (account.pin_hash, account.card_pin_hash) == (None, None)
    assert await identity.account_by_wechat(COUNTY, b"w" * 32) is None
    assert await identity.wechat_at(COUNTY, account_id) is None
    key = await identity.terminal(COUNTY, key_id)
    assert key is not None
    assert key.revoked_at == noon(OVER)
    assert account.disabled_at == noon(OVER)
    with pytest.raises(WrongSignIn):
        await signin.sign_in(COUNTY, gone.phone, PIN, noon(OVER))
    assert [msgspec.json.decode(one) for one in await erasures()] == [
        {"what": PERSON.what, "count": 1}
    ]
    assert await run(OVER) == "清除离任人员信息 0 人"
    assert len(await erasures()) == 1


async def test_two_who_left_are_erased_and_their_numbers_are_free(rollback: None) -> None:
    """The fingerprint is unique in a county; a number may come back as somebody new."""
    town = await small_county()
    await leave(town.worker, town.second_worker)
    assert await run(OVER) == "清除离任人员信息 2 人"
    again = await roster.add_person(
        COUNTY, "欧阳金山", town.worker.phone, Employment.VOLUNTEER, now=now()
    )
    assert again != town.worker.person_id


async def put(table: str, **columns: Any) -> UUID:
    """A row as its owner writes it."""
    given = {"county_id": COUNTY, "id": new_id(), **columns}
    places = ", ".join(f"${number}" for number in range(1, len(given) + 1))
    async with as_owner():
        await DB.execute(
            f"INSERT INTO {table} ({', '.join(given)}) VALUES ({places})", *given.values()
        )
    return UUID(str(given["id"]))


async def record(town: SmallCounty, state: str) -> UUID:
    """A work record of the worker."""
    gone = town.worker
    return await put(
        "points.work_record",
        worker_id=gone.person_id,
        grid_code=gone.unit_code,
        rule_code="ORG-02",
        rule_version=1,
        category="ORG",
        work_date=today(),
        run_month=202611,
        declared_at=now(),
        text="参加网格例会",
        text_key="参加网格例会",
        source="phone",
        fingerprint=b"",
        state=state,
        gives=10,
    )


async def account(town: SmallCounty, kind: str, balance: int) -> None:
    await put(
        "points.account", kind=kind, unit="wallet", owner=town.worker.person_id, balance=balance
    )


async def awaiting(town: SmallCounty) -> None:
    """An award of which no fund has paid the wallet part."""
    await earn(town.worker.person_id, None, 50)


async def pending_hold(town: SmallCounty) -> None:
    await put(
        "points.hold",
        batch=1,
        position=1,
        status="pending",
        request_hash=b"",
        person_id=town.worker.person_id,
        shop_id=new_id(),
        amount=50,
        balance_after=0,
        month=today(),
        at=now(),
        expires_at=now(),
        means="self",
    )


async def objection(town: SmallCounty, state: str) -> None:
    await put(
        "points.objection",
        record_id=await record(town, "refused"),
        worker_id=town.worker.person_id,
        village_code=VILLAGE,
        text="那天我去了",
        state=state,
        raised_at=now(),
        due_on=today(),
    )


async def deduction(town: SmallCounty, state: str) -> None:
    await put(
        "points.deduction",
        worker_id=town.worker.person_id,
        village_code=VILLAGE,
        code="PEN-01",
        title="无故不参加例会",
        amount=20,
        facts="没有请假",
        evidence="签到表",
        happened_on=today(),
        state=state,
        proposed_by=town.lead.person_id,
        proposed_at=now(),
        answer_due_on=today(),
    )


async def case(town: SmallCounty) -> None:
    await put(
        "appraisal.case_file",
        machine="exit_wish",
        pool="exit",
        person_id=town.worker.person_id,
        unit_code=town.worker.unit_code,
        state="applied",
        opened_at=now(),
    )


async def cycle(town: SmallCounty) -> UUID:
    """An open one over days in which the worker was in post."""
    return await opened(await acting(town.department, desk=True), now())


async def term(town: SmallCounty) -> None:
    """A closed cycle whose result may still be objected to on the night itself."""
    cycle_id = await put(
        "appraisal.cycle",
        kind="annual",
        year=2025,
        title="2025年度考核",
        starts_on=date(2025, 1, 1),
        ends_on=date(2025, 12, 31),
        state="closed",
        opened_by=town.department.person_id,
        opened_at=now(),
        closed_at=now(),
    )
    await put(
        "appraisal.serving",
        about_cycle_id=cycle_id,
        person_id=town.worker.person_id,
        unit_code=town.worker.unit_code,
        grade="good",
        how="signed",
        served_on=today(),
        server_id=town.chief.person_id,
        server_name=town.chief.name,
        objection_until=OVER,
        recorded_at=now(),
    )


async def second_post(town: SmallCounty) -> None:
    """Another post that goes on."""
    unit = town.units[VILLAGE]
    post_id = await roster.add_post(COUNTY, unit.id, Role.COMMITTEE)
    await roster.assign(COUNTY, post_id, town.worker.person_id, today(), now=now())


async def session(town: SmallCounty) -> None:
    """Somebody is signed in under the name."""
    account_id = await with_pin(town.worker)
    await sessions.begin(COUNTY, account_id, town.worker.person_id, "phone", noon(OVER))


HELD: dict[str, Callable[[SmallCounty], Awaitable[object]]] = {
    "another post": second_post,
    "signed in": session,
    "points to spend": lambda town: account(town, "worker", 10),
    "a debt": lambda town: account(town, "offset", -10),
    "points that wait": awaiting,
    "an order": pending_hold,
    "work to confirm": lambda town: record(town, "pending"),
    "work to post": lambda town: record(town, "accepted"),
    "an objection": lambda town: objection(town, "open"),
    "a review": lambda town: objection(town, "review"),
    "a deduction": lambda town: deduction(town, "noticed"),
    "an appeal": lambda town: deduction(town, "appealed"),
    "a deduction to post": lambda town: deduction(town, "final"),
    "a case": case,
    "a cycle": cycle,
    "a term": term,
}


@pytest.mark.parametrize("held", HELD)
async def test_whoever_has_something_open_is_kept(rollback: None, held: str) -> None:
    """Every obstacle alone; the next who left is erased all the same."""
    town = await small_county()
    await leave(town.worker)
    await HELD[held](town)
    before = (await people())[town.worker.person_id]
    free = await roster.add_person(COUNTY, "任满期", "13700000009", Employment.VOLUNTEER, now=now())
    assert await run(OVER) == "清除离任人员信息 1 人"
    found = await people()
    assert found[town.worker.person_id] == before
    assert found[free]["name"] == ERASED_NAME


async def test_somebody_who_is_being_appointed_is_not_erased(committed: None) -> None:
    """The appointment is not committed yet when the job comes; it finds them locked."""
    town = await small_county()
    await leave(town.worker)
    post_id = await roster.add_post(COUNTY, town.units[VILLAGE].id, Role.COMMITTEE)
    other = await DB.get_new_connection()
    try:
        async with other.transaction():
            await other.execute(
                "INSERT INTO shared.assignment (county_id, id, post_id, person_id, valid_from,"
                " reason, recorded_at) VALUES ($1, $2, $3, $4, $5, '', $6)",
                *(COUNTY, new_id(), post_id, town.worker.person_id, today(), now()),
            )
            assert await run(OVER) == "清除离任人员信息 0 人"
    finally:
        await other.close()
    assert await run(OVER) == "清除离任人员信息 0 人"
    assert (await people())[town.worker.person_id]["name"] == town.worker.name


async def test_the_books_say_the_same_afterwards(rollback: None) -> None:
    """Ledger, signed statement with the name in it, and the scores of a closed cycle."""
    made = await world()
    gone = made.county.worker
    await earn(gone.person_id, made.fund_id, 50)
    await redeem(made, in_last_month(), soap=1)
    [statement] = await built()
    await sign_all(made, statement)
    department = await made.department()
    _, content, seen = await settlement.file(department, statement.id)
    assert [line.worker for line in seen.lines] == [mask(gone.name)]
    cycle_id = await opened(department, now())
    await bring_to(department, cycle_id, Stage.SCORE, now())
    worker = random_worker(Random(7), even=True) | {
        "person_id": gone.person_id,
        "name": gone.name,
        "grid_code": gone.unit_code,
    }
    run_id = await stored_run(cycle_id, [worker], random_scheme(Random(7)))
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await scorecards.make_current(COUNTY, cycle_id, run_id, 1)
    await bring_to(department, cycle_id, Stage.CLOSED, now())
    books = await ledger_verifier.verify(COUNTY), await appraisal_verifier.verify(COUNTY)
    await leave(gone)
    assert await run(OVER) == "清除离任人员信息 1 人"
    assert (await people())[gone.person_id]["name"] == ERASED_NAME
    assert (await settlement.file(department, statement.id))[1] == content
    assert [one.findings for one in books] == [(), books[1].findings]
    assert (await ledger_verifier.verify(COUNTY)).findings == ()
    assert (await appraisal_verifier.verify(COUNTY)).findings == books[1].findings


def test_every_period_has_a_job() -> None:
    """A line of the registry with a period is one that a job erases."""
    assert {kept.job for kept in REGISTRY if kept.days} <= JOBS.keys()
    assert all(bool(kept.days) == bool(kept.job) for kept in REGISTRY)
