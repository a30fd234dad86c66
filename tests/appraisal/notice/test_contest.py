"""What anybody objects to a public notice: received, looked into by others, answered, served."""

import asyncio
import io
import re
import zipfile
from contextvars import copy_context
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from appraisal.casework import queries
from appraisal.casework import service as casework
from appraisal.casework.rules import Outcome, Pool
from appraisal.cycle.rules import Stage
from appraisal.errors import NoticeRefused, StepRefused
from appraisal.notice import service as notice
from appraisal.notice.schemas import ContestForm, NoticeForm, NoticeRow
from appraisal.pool import service as pools
from shared import settings_county
from shared.clock import LOCAL_ZONE, now
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.appraisal.casework.scene import (
    NOW,
    Scene,
    actor_of,
    form,
    result,
    scene,
    served,
    sign,
)
from tests.appraisal.casework.test_web import post, shows
from tests.appraisal.cycle.stages import bring_to
from tests.appraisal.pool.test_service import (
    annual,
    application,
    second_of,
    to_decision,
    vacant_post,
)
from tests.conftest import as_owner
from tests.factories import COUNTY, Member, member
from tests.shared.identity.test_matrix import act_as

OBJECTOR, CONTACT = "游建设", "13907150715"


@pytest.fixture
async def made(rollback: None) -> Scene:
    """One excellent worker under public notice."""
    found = await scene(now=now())
    await result(found, found.town.worker, "excellent", "95.0")
    return found


async def published(made: Scene) -> UUID:
    """The notice of the cycle's 优秀, from today."""
    department = await actor_of(made, made.town.department)
    return await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)


async def notice_of(made: Scene) -> NoticeRow:
    """The notice of the scene's cycle."""
    clerk = await actor_of(made, made.clerk)
    _, found, _ = await notice.of_cycle(clerk, made.cycle_id)
    assert found is not None
    return found


def docx_text(answer: httpx.Response) -> str:
    """The words of a Word file."""
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return re.sub("<[^>]+>", "", book.read("word/document.xml").decode())


async def received(
    made: Scene,
    notice_id: UUID,
    by: Member | None = None,
    *,
    on: date | None = None,
    entry: int = 1,
    objector: str = OBJECTOR,
) -> UUID:
    """Somebody came to the office (today) and objected to a line (the first)."""
    given = ContestForm(
        entry=entry,
        objector=objector,
        contact=CONTACT,
        channel="visit",
        words="半年没有上过门。",
        received_on=on or made.today,
        no_kin=True,
    )
    actor = await actor_of(made, by or made.town.department)
    return await notice.contest(actor, notice_id, given, made.now)


async def test_from_the_office_to_the_answer(client: httpx.AsyncClient, made: Scene) -> None:
    """Entered at the desk, decided by another who heard the person, answered, served, final."""
    worker, notice_id = made.town.worker, await published(made)
    await act_as(client, made.town.department)
    path = f"/appraisal/desk/notices/{notice_id}/objections"
    await shows(client, "/appraisal/desk/notices", path)
    await shows(client, f"/appraisal/desk/cycles/{made.cycle_id}/notice", path, "<small>人</small>")
    assert "欧阳金山" not in await shows(client, path, "欧**山", "没有收到异议")
    given = {
        "entry": "1",
        "objector": OBJECTOR,
        "contact": CONTACT,
        "channel": "letter",
        "words": "半年没有上过门。",
        "received_on": str(made.today),
    }
    bad = await post(client, path, **(given | {"contact": ""}))
    assert (bad.status_code, "请填写" in bad.text, OBJECTOR in bad.text) == (422, True, True)
    kin = await post(client, path, **given)
    assert (kin.status_code, "近亲属" in kin.text) == (422, True)
    sent = await post(client, path, **given, no_kin="1")
    case = sent.headers["location"]
    page = await shows(client, case, "显示反映人", "来信", "半年没有上过门")
    assert (OBJECTOR in page, CONTACT in page) == (False, False)
    shown = (await post(client, f"{case}/objector")).text
    assert (OBJECTOR in shown, CONTACT in shown) == (True, True)
    await shows(client, path, case, "网格指导员")
    own = await post(client, f"{case}/sign", step="contest_kept", words="查过", heard="1")
    assert own.status_code in {409, 422}

    await act_as(client, made.town.instructor)
    await shows(client, case, "显示反映人", "核查：异议成立，变更结果")
    decision = {"step": "contest_changed", "words": "属实", "score": "82", "no_kin": "1"}
    unheard = await post(client, f"{case}/sign", **decision, document="隽1号")
    assert (unheard.status_code, "请勾选" in unheard.text) == (422, True)
    done = await post(client, f"{case}/sign", **decision, document="隽1号", heard="1")
    assert done.status_code == 303
    answer = {"step": "replied_changed", "words": "已当面答复", "no_kin": "1"}
    assert (await post(client, f"{case}/sign", **answer)).status_code == 303

    await act_as(client, worker)
    pages = [await shows(client, case, "半年没有上过门", "本人签收")]
    pages += [await shows(client, f"{case}/print"), await shows(client, f"{case}/steps/1")]
    pages += [await shows(client, f"{case}/steps/2", "如不服")]
    assert not any(OBJECTOR in page or CONTACT in page for page in pages)
    assert (await post(client, f"{case}/sign", step="told")).status_code == 303
    await shows(client, case, "向县级申诉")
    standing = await DB.fetchrow(
        "SELECT grade, final FROM appraisal.scorecard WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        worker.person_id,
    )
    assert standing is not None
    assert (standing["grade"], standing["final"]) == ("good", 82)
    await act_as(client, made.town.chief)
    page = await shows(client, case, "半年没有上过门")
    assert OBJECTOR not in page


async def looked_up(case_id: UUID) -> dict[UUID, int]:
    """How often each person had an objector shown, by the audit."""
    rows = await DB.fetch(
        "SELECT actor_id, count(*) AS times FROM shared.audit_event WHERE county_id = $1"
        " AND action = 'case.objector' AND object_id = $2 GROUP BY actor_id",
        COUNTY,
        case_id,
    )
    return {row["actor_id"]: row["times"] for row in rows}


async def test_the_objector_is_unreadable_in_the_database(made: Scene) -> None:
    """Neither name nor contact stands in any row of the case, nor in the audit."""
    await received(made, await published(made))
    for table in ("appraisal.case_step", "appraisal.case_file", "shared.audit_event"):
        rows = await DB.fetch(
            f"SELECT t::text AS whole FROM {table} t WHERE county_id = $1", COUNTY
        )
        text = "".join(row["whole"] for row in rows)
        assert (OBJECTOR in text, CONTACT in text) == (False, False), table
        assert rows


async def test_the_answer_is_addressed_to_the_objector(
    client: httpx.AsyncClient, made: Scene
) -> None:
    """With the contact they gave, in print and Word, for those who handle it; masked for others."""
    case_id = await received(made, await published(made), made.clerk)
    await sign(made, made.town.instructor, case_id, "contest_kept", heard="1")
    await sign(made, made.town.instructor, case_id, "replied_kept")
    letter = f"/appraisal/cases/{case_id}/steps/3"
    for handler in (made.town.department, made.clerk, made.town.instructor):
        await act_as(client, handler)
        page = await shows(
            client, letter, "异议答复书", "反映人（保密）", "欧**山", "当面交反映人。"
        )
        assert (OBJECTOR in page, CONTACT in page) == (False, False)
        page = (await post(client, letter)).text
        assert f"{OBJECTOR}：" in page
        assert f"当面交反映人：{CONTACT}" in page
        assert "显示反映人" not in page
        assert "欧阳金山" not in page
        assert "送达人" not in page
        words = docx_text(await client.get(f"{letter}/letter.docx"))
        assert (OBJECTOR in words, CONTACT in words, "欧阳金山" in words) == (True, True, False)
        other = await shows(
            client, f"/appraisal/cases/{case_id}/steps/2", "欧阳金山（", "两名见证人"
        )
        assert OBJECTOR not in other
    for reader in (made.town.worker, made.town.chief):
        await act_as(client, reader)
        page = await shows(client, letter, "反映人（保密）", "当面交反映人。")
        assert (OBJECTOR in page, CONTACT in page, "显示反映人" in page) == (False, False, False)
        for asked in (letter, f"/appraisal/cases/{case_id}/objector"):
            answer = await post(client, asked)
            assert answer.status_code in {403, 404}
            assert OBJECTOR not in answer.text
    await act_as(client, made.town.chief)
    words = docx_text(await client.get(f"{letter}/letter.docx"))
    assert (OBJECTOR in words, CONTACT in words) == (False, False)
    logged = await DB.fetch("SELECT name FROM shared.export_log WHERE county_id = $1", COUNTY)
    assert {row["name"] for row in logged} == {"异议答复书"}
    looks = await looked_up(case_id)
    handlers = (made.town.department, made.clerk, made.town.instructor)
    assert looks == {who.person_id: 2 for who in handlers}, "once on paper, once in Word, each"


async def test_a_relative_is_not_told_who_objected(client: httpx.AsyncClient, made: Scene) -> None:
    """Recused from deciding, and so from what is told to those who handle it; nothing is shown."""
    case_id = await received(made, await published(made), made.clerk)
    await sign(made, made.clerk, case_id, "withdrawn")
    department = await actor_of(made, made.town.department)
    await casework.record_kin(department, "尹玉梅", "欧阳金山", made.now)
    instructor = await actor_of(made, made.town.instructor)
    with pytest.raises(Forbidden, match="近亲属"):
        await casework.show_objector(instructor, case_id)
    assert not (await casework.view(instructor, case_id, made.now)).sealed
    await act_as(client, made.town.instructor)
    answer = await post(client, f"/appraisal/cases/{case_id}/objector")
    assert (answer.status_code, OBJECTOR in answer.text) == (403, False)
    assert await looked_up(case_id) == {}
    assert dict(await casework.show_objector(department, case_id))["反映人"] == OBJECTOR


async def test_who_objected_is_erased_in_time(client: httpx.AsyncClient, made: Scene) -> None:
    """Ninety days after the case is over, once, audited without the name; the rest stays."""
    case_id = await received(made, await published(made), made.clerk)
    await sign(made, made.town.instructor, case_id, "contest_kept", heard="1")
    await sign(made, made.town.instructor, case_id, "replied_kept")
    later = await received(made, (await notice_of(made)).id, made.clerk)
    before = await casework.view(await actor_of(made, made.clerk), case_id, made.now)
    over = made.now + timedelta(days=casework.ERASED_AFTER_DAYS)
    assert await casework.erase_objectors(COUNTY, over) == 0
    assert await casework.erase_objectors(COUNTY, over + timedelta(minutes=1)) == 1
    assert await casework.erase_objectors(COUNTY, over + timedelta(days=9)) == 0
    clerk = await actor_of(made, made.clerk)
    view = await casework.view(clerk, case_id, made.now)
    assert (view.sealed, view.erased_on) == (False, over.astimezone(LOCAL_ZONE).date())
    assert await casework.show_objector(clerk, case_id) == []
    assert await looked_up(case_id) == {}
    assert [step.facts for step in view.steps] == [step.facts for step in before.steps]
    assert [step.words for step in view.steps] == [step.words for step in before.steps]
    assert dict(await casework.show_objector(clerk, later))["反映人"] == OBJECTOR
    assert await looked_up(later) == {clerk.person_id: 1}
    kept = await DB.fetchval(
        "SELECT answers::text FROM appraisal.case_step WHERE county_id = $1 AND case_id = $2"
        " AND position = 1",
        COUNTY,
        case_id,
    )
    assert set(msgspec.json.decode(kept)) == {"channel", "erased_on"}
    events = await DB.fetch(
        "SELECT authority, after::text AS after FROM shared.audit_event WHERE county_id = $1"
        " AND object_id = $2 AND action = 'case.erase'",
        COUNTY,
        case_id,
    )
    assert [tuple(row) for row in events] == [("system", '{"days_after_end": 90}')]
    await act_as(client, made.clerk)
    await shows(client, f"/appraisal/cases/{case_id}", "按保存期限清除")
    await shows(client, f"/appraisal/cases/{case_id}/steps/3", "反映人（已清除）：")


@pytest.mark.parametrize(
    "change",
    [
        "answers = answers - 'objector'",
        "answers = answers - ARRAY['objector', 'contact'] || '{\"erased_on\": \"\"}', words = '改'",
        'answers = \'{"erased_on": "x"}\'',
        "words = '改'",
    ],
)
async def test_a_step_changes_in_nothing_else(made: Scene, change: str) -> None:
    """Not even the owner may take the erasing as an occasion to change something."""
    case_id = await received(made, await published(made), made.clerk)
    await sign(made, made.clerk, case_id, "withdrawn")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        async with as_owner():
            await DB.execute(
                f"UPDATE appraisal.case_step SET {change} WHERE county_id = $1 AND case_id = $2"
                " AND position = 1",
                COUNTY,
                case_id,
            )


async def test_an_open_case_keeps_its_objector(made: Scene) -> None:
    """Neither the job nor the door itself erases before there is an end; services have no right."""
    case_id = await received(made, await published(made), made.clerk)
    assert await casework.erase_objectors(COUNTY, made.now + timedelta(days=900)) == 0
    assert await queries.erase(COUNTY, case_id, made.today) is False
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with DB.transaction():
            await DB.execute(
                "UPDATE appraisal.case_step SET words = '' WHERE county_id = $1", COUNTY
            )


async def test_the_list_says_when_an_objection_was_entered(
    client: httpx.AsyncClient, made: Scene
) -> None:
    """One received in time and entered late does not look as if it had come too late."""
    notice_id = await published(made)
    first, made.now = made.now, made.now + timedelta(days=30)
    await received(made, notice_id, on=first.astimezone(LOCAL_ZONE).date())
    await act_as(client, made.town.department)
    page = await shows(client, f"/appraisal/desk/notices/{notice_id}/objections", "登记日期")
    table = page[page.index("<table") : page.index("</table>")]
    entered = f"{made.today.month}月{made.today.day}日"
    assert (entered in table, "收到日期" in table) == (True, False)


async def test_the_period_is_the_notices(made: Scene) -> None:
    """Not before it stands, not after its last day; what came in time may be entered later."""
    notice_id = await published(made)
    first = made.today
    department = await actor_of(made, made.town.department)
    row, _, _ = await notice.contests(department, notice_id)
    made.now += timedelta(days=(row.ends_on - first).days + 3)
    with pytest.raises(StepRefused, match="已满"):
        await received(made, notice_id)
    late = made.now
    made.now -= timedelta(days=(row.ends_on - first).days + 4)
    with pytest.raises(StepRefused, match="才发布"):
        await received(made, notice_id)
    made.now = late
    in_time = await received(made, notice_id, on=row.ends_on)
    _, _, cases = await notice.contests(department, notice_id)
    assert [case.id for case in cases] == [in_time]


async def test_an_objection_pressed_twice_is_one(committed: None) -> None:
    """Two presses of the form at once are one case; another objector's is a second."""
    made = await scene(now=now())
    await result(made, made.town.worker, "excellent", "95.0")
    notice_id = await published(made)
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    outside = copy_context()
    async with DB.transaction():
        case_id = await received(made, notice_id)
        other = asyncio.create_task(received(made, notice_id), context=outside)
        while not other.done() and not await DB.fetchval(waits):
            pass
    assert await other == case_id
    assert await received(made, notice_id, objector="陶先进") != case_id
    assert await DB.fetchval("SELECT count(*) FROM appraisal.case_file") == 2
    await sign(made, made.clerk, case_id, "withdrawn")
    assert await received(made, notice_id) != case_id


async def test_who_may_and_who_is_recused(made: Scene) -> None:
    """Only the department enters; whoever received it or passed the result on does not decide."""
    notice_id = await published(made)
    for stranger in (made.town.instructor, made.town.chief, made.town.worker):
        with pytest.raises(NotFound):
            await received(made, notice_id, stranger)
    case_id = await received(made, notice_id, made.clerk)
    for decider in (made.clerk, made.town.department):
        with pytest.raises(StepRefused, match="回避"):
            await sign(made, decider, case_id, "contest_kept", heard="1")
    await sign(made, made.town.instructor, case_id, "contest_kept", heard="1")
    case = await sign(made, made.town.instructor, case_id, "replied_kept")
    assert (case.outcome, case.done) == (Outcome.UPHELD, True)
    with pytest.raises(Invalid):
        await received(made, notice_id, entry=9)


async def test_it_takes_nothing_from_the_persons_own_objection(made: Scene) -> None:
    """Several people may object to a line, and its person to the result; the cycle waits.

    What they are is the county's list: a township reads the notice alone.
    """
    notice_id = await published(made)
    first = await received(made, notice_id)
    second = await received(made, notice_id, objector="陶先进")
    await served(made, made.town.worker)
    mine = await actor_of(made, made.town.worker)
    office = await actor_of(made, made.clerk)
    _, _, _, own = await notice.own_result(mine, made.cycle_id)
    assert own == []
    cycle, _, _ = await notice.of_cycle(office, made.cycle_id)
    assert "还有 2 件异议或申诉没有办结。" in await notice.nothing_open(COUNTY, cycle)
    _, _, cases = await notice.contests(office, notice_id)
    assert {case.id for case in cases} == {first, second}
    with pytest.raises(NotFound):
        await notice.contests(await actor_of(made, made.town.instructor), notice_id)


async def test_a_pool_waits_for_what_is_said_of_its_notice(rollback: None) -> None:
    """A contested recommendation is not concluded; found right, it ends by 不列入 only."""
    made, case_id, notice_id = await recommended()
    contest_id = await received(made, notice_id, made.town.department)
    made.pass_days(14)
    with pytest.raises(StepRefused, match="还没有办结"):
        await sign(made, made.clerk, case_id, "recommended")
    third = await member(Role.DEPARTMENT, made.town.units["421222"], "何科长")
    for decider in (made.town.instructor, made.clerk):
        with pytest.raises(StepRefused, match="回避"):
            await sign(made, decider, contest_id, "contest_dropped", heard="1")
    await sign(made, third, contest_id, "contest_dropped", heard="1")
    case = await sign(made, third, contest_id, "replied_changed")
    assert (case.name, case.outcome, case.done) == ("欧阳金山", Outcome.CHANGED, True)
    with pytest.raises(StepRefused, match="核查属实"):
        await sign(made, made.clerk, case_id, "recommended")
    case = await sign(made, made.clerk, case_id, "declined")
    assert case.outcome is Outcome.DECLINED


async def test_an_objection_found_right_after_the_listing_takes_off_the_list(
    rollback: None,
) -> None:
    """In time, keyed in when the person was listed: it comes back to the desk, which removes it."""
    made, case_id, notice_id = await recommended()
    clerk = await actor_of(made, made.clerk)
    on, third = made.today, await member(Role.DEPARTMENT, made.town.units["421222"], "何科长")
    made.pass_days(14)
    listed = await sign(made, made.clerk, case_id, "recommended")
    assert (listed.outcome, listed.done) == (Outcome.RECOMMENDED, True)
    contest_id = await received(made, notice_id, made.town.department, on=on)
    await sign(made, third, contest_id, "contest_dropped", heard="1")
    assert case_id not in [one.id for one in await casework.to_sign(clerk)]
    await sign(made, third, contest_id, "replied_changed")
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    [case] = [one for one in await casework.to_sign(clerk) if one.id == case_id]
    assert (case.outcome, case.state_name) == (None, "对公示的异议核查属实，待移出推荐库")
    case = await sign(made, made.clerk, case_id, "removed")
    assert (case.outcome, case.done) == (Outcome.DECLINED, True)
    assert await casework.clock(COUNTY, made.now) == (0, 0)


async def test_a_result_found_wrong_after_the_listing_takes_off_the_list(rollback: None) -> None:
    """An objection to the 优秀 itself, once its answer is final and the grade is another."""
    made, case_id, _ = await recommended()
    made.pass_days(14)
    await sign(made, made.clerk, case_id, "recommended")
    row = await notice_of(made)
    contest_id = await received(made, row.id, made.clerk, on=row.ends_on)
    await sign(made, made.town.instructor, contest_id, "contest_changed", heard="1", score="80")
    await sign(made, made.town.instructor, contest_id, "replied_changed")
    await sign(made, made.town.chief, contest_id, "told")
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    made.pass_days(10)
    assert await casework.clock(COUNTY, made.now) == (2, 0), "lapsed, and listed no more"
    case = await queries.case(COUNTY, case_id)
    assert case is not None
    assert (case.state, case.outcome) == ("contested", None)


async def test_nobody_is_listed_who_is_gone_or_at_fault(rollback: None) -> None:
    """Put forward in time: the list waits for the end of a serious fault, and takes no leaver."""
    made, case_id, _ = await recommended()
    made.pass_days(14)
    instructor = await actor_of(made, made.town.instructor)
    worker_id, evidence = made.town.worker.person_id, form(made, "evidence")
    fault = await pools.start_exit(instructor, worker_id, "fault", evidence, made.now)
    with pytest.raises(StepRefused, match="严重过错退出正在办理"):
        await sign(made, made.clerk, case_id, "recommended")
    me = await actor_of(made, made.town.worker)
    leaves = await pools.resign(me, form(made, "applied"), made.now)
    await sign(made, made.town.instructor, leaves, "resigned")
    await sign(made, made.town.instructor, fault, "left")
    with pytest.raises(StepRefused, match="不在网格员岗位上"):
        await sign(made, made.clerk, case_id, "recommended")
    case = await sign(made, made.clerk, case_id, "declined")
    assert case.outcome is Outcome.DECLINED


async def test_who_is_let_go_after_the_listing_comes_off_the_list(rollback: None) -> None:
    """The desk hears of it, and removes them; not whom a late appeal has kept meanwhile."""
    made, case_id, _ = await recommended()
    made.pass_days(14)
    await sign(made, made.clerk, case_id, "recommended")
    instructor = await actor_of(made, made.town.instructor)
    worker, evidence = made.town.worker, form(made, "evidence")
    fault = await pools.start_exit(instructor, worker.person_id, "fault", evidence, made.now)
    await sign(made, made.town.chief, fault, "called")
    await sign(made, made.clerk, fault, "heard")
    await to_decision(made, fault)
    await sign(made, made.town.instructor, fault, "decided")
    await sign(made, made.town.chief, fault, "served")
    told = made.today
    made.pass_days(14)
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    made.pass_days(1)
    await sign(made, made.clerk, fault, "dismissed")
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    clerk = await actor_of(made, made.clerk)
    [case] = [one for one in await casework.to_sign(clerk) if one.id == case_id]
    assert (case.outcome, case.state_name) == (None, "列入以后被要求退出，待移出推荐库")
    with pytest.raises(StepRefused, match="不在网格员岗位上"):
        await sign(made, made.clerk, case_id, "stays_listed")
    made.pass_days(1)
    await sign(made, made.town.chief, fault, "appealed", on=told)
    case = await sign(made, made.clerk, case_id, "stays_listed")
    assert (case.outcome, case.done) == (Outcome.RECOMMENDED, True)
    third = await member(Role.DEPARTMENT, made.town.units["421222"], "何科长")
    await sign(made, third, fault, "appeal_rejected")
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    made.pass_days(1)
    await sign(made, made.clerk, fault, "dismissed")
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    case = await sign(made, made.clerk, case_id, "removed")
    assert (case.outcome, case.done) == (Outcome.DECLINED, True)
    assert await casework.clock(COUNTY, made.now) == (0, 0)


async def test_a_pool_s_notice_published_twice_at_once_is_one(committed: None) -> None:
    """The second press finds nobody waiting, not somebody whose turn is still to come."""
    made = await scene(now=NOW)
    instructor, department = [
        await actor_of(made, who) for who in (made.town.instructor, made.town.department)
    ]
    form_ = application(made, await vacant_post(made))
    case_id = await pools.apply(instructor, form_, made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    outcome = await second_of(
        notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now),
        notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now),
    )
    assert isinstance(outcome, NoticeRefused), outcome
    assert outcome.message == "现在没有等待公示的人选。"


async def test_a_contested_result_recommends_nobody(rollback: None) -> None:
    """Not while somebody's objection to the 优秀 is open; found wrong, the way is free."""
    first = await scene(now=NOW - timedelta(days=30))
    await result(first, first.town.worker, "excellent", "93.0")
    department = await actor_of(first, first.town.department)
    await bring_to(department, first.cycle_id, Stage.CLOSED, first.now)
    at = first.now + timedelta(days=160)
    made = Scene(first.town, await annual(first), first.clerk, at)
    await result(made, made.town.worker, "excellent", "94.0")
    then = min(now(), at) - timedelta(days=60)
    notice_id = await notice.issue_results(department, made.cycle_id, NoticeForm(), then)
    on = then.astimezone(LOCAL_ZONE).date()
    contest_id = await received(made, notice_id, made.clerk, on=on)
    await bring_to(department, made.cycle_id, Stage.APPEAL, at)
    instructor = await actor_of(made, made.town.instructor)
    worker_id = made.town.worker.person_id
    with pytest.raises(StepRefused, match="异议还没有办结"):
        await pools.recommend(instructor, worker_id, form(made, "proposed"), at)
    await sign(made, made.town.instructor, contest_id, "contest_kept", heard="1")
    await sign(made, made.town.instructor, contest_id, "replied_kept")
    case_id = await pools.recommend(instructor, worker_id, form(made, "proposed"), at)
    assert (await casework.view(instructor, case_id, at)).case.state == "proposed"


async def test_an_applicant_is_named_though_not_in_the_roster(rollback: None) -> None:
    """An objection to an admission's notice is about the application; it blocks the agreement.

    Once in the roster they are named from there.
    """
    made = await scene(now=NOW)
    instructor = await actor_of(made, made.town.instructor)
    post_id = await vacant_post(made)
    case_id = await pools.apply(instructor, application(made, post_id), made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    department = await actor_of(made, made.town.department)
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    contest_id = await received(made, notice_id)
    view = await casework.view(department, contest_id, made.now)
    assert (view.case.name, view.case.person_id) == ("汪小芳", None)
    assert view.sealed
    assert dict(await casework.show_objector(department, contest_id))["反映人"] == OBJECTOR
    made.pass_days(14)
    with pytest.raises(StepRefused, match="还没有办结"):
        await sign(made, made.town.instructor, case_id, "agreed")
    await sign(made, made.clerk, contest_id, "contest_kept", heard="1")
    await sign(made, made.clerk, contest_id, "replied_kept")
    starts_on = str(made.today)
    for step in ("agreed", "trained", "admitted"):
        await sign(made, made.town.instructor, case_id, step, starts_on=starts_on)
    assert await pools.purge(COUNTY, made.now) == 1
    answer = await casework.letter(department, contest_id, 3, named=False)
    assert answer.title == "您对公示名单中汪*芳的异议"


async def test_an_objection_in_time_stops_an_admission_that_went_on(rollback: None) -> None:
    """Entered after the agreement: nobody takes up the post while it is open, or if it is right."""
    made = await scene(now=NOW)
    instructor = await actor_of(made, made.town.instructor)
    post_id = await vacant_post(made)
    case_id = await pools.apply(instructor, application(made, post_id), made.now)
    for step in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, step)
    department = await actor_of(made, made.town.department)
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    row, _ = await notice.view(department, notice_id)
    made.pass_days(14)
    await sign(made, made.town.instructor, case_id, "agreed")
    contest_id = await received(made, notice_id, on=row.ends_on)
    await sign(made, made.town.instructor, case_id, "trained")
    starts_on = str(made.today)
    with pytest.raises(StepRefused, match="还没有办结"):
        await sign(made, made.town.instructor, case_id, "admitted", starts_on=starts_on)
    await sign(made, made.clerk, contest_id, "contest_dropped", heard="1")
    await sign(made, made.clerk, contest_id, "replied_changed")
    with pytest.raises(StepRefused, match="核查属实"):
        await sign(made, made.town.instructor, case_id, "admitted", starts_on=starts_on)
    case = await sign(made, made.town.instructor, case_id, "refused")
    assert case.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("step", "outcome"), [("kept_on", Outcome.UPHELD), ("exit_instead", Outcome.CHANGED)]
)
async def test_an_objection_found_right_after_the_first_day_comes_to_the_desk(
    rollback: None, step: str, outcome: Outcome
) -> None:
    """In time, keyed in when the post was taken up: people decide, and nobody is out of it yet."""
    made = await scene(now=NOW)
    instructor = await actor_of(made, made.town.instructor)
    post_id = await vacant_post(made)
    case_id = await pools.apply(instructor, application(made, post_id), made.now)
    for before in ("checked", "interviewed", "villagers"):
        await sign(made, made.town.instructor, case_id, before)
    department = await actor_of(made, made.town.department)
    notice_id = await notice.issue_cases(department, Pool.ADMISSION, NoticeForm(), made.now)
    row, _ = await notice.view(department, notice_id)
    made.pass_days(14)
    starts_on = str(made.today)
    for before in ("agreed", "trained", "admitted"):
        await sign(made, made.town.instructor, case_id, before, starts_on=starts_on)
    assert await pools.purge(COUNTY, made.now) == 1
    contest_id = await received(made, notice_id, on=row.ends_on)
    await sign(made, made.clerk, contest_id, "contest_dropped", heard="1")
    await sign(made, made.clerk, contest_id, "replied_changed")
    assert await casework.clock(COUNTY, made.now) == (1, 0)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    clerk = await actor_of(made, made.clerk)
    [case] = [one for one in await casework.to_sign(clerk) if one.id == case_id]
    assert (case.outcome, case.state_name) == (None, "对公示的异议核查属实，已到岗，待处理")
    case = await sign(made, made.clerk, case_id, step)
    assert (case.outcome, case.done) == (outcome, True)
    assert await casework.clock(COUNTY, made.now) == (0, 0)
    assert case.person_id is not None
    held = await roster.duties_at(COUNTY, case.person_id, made.today)
    assert [duty.role for duty in held] == [Role.GRIDWORKER]


async def test_the_published_period_outlasts_a_shorter_setting(rollback: None) -> None:
    """Ten days stand on the notice; five, set afterwards, are for the next notice."""
    made, case_id, notice_id = await recommended(notice_days=10)
    department = await actor_of(made, made.town.department)
    row, _ = await notice.view(department, notice_id)
    assert row.days == 10
    shorter = msgspec.structs.replace(await settings_county.get(COUNTY), notice_days=5)
    await settings_county.update(department, COUNTY, shorter)
    made.now += timedelta(days=(row.ends_on - made.today).days)
    with pytest.raises(StepRefused, match="才满"):
        await sign(made, made.clerk, case_id, "recommended")
    made.pass_days(1)
    case = await sign(made, made.clerk, case_id, "recommended")
    assert case.outcome is Outcome.RECOMMENDED


async def recommended(notice_days: int = 0) -> tuple[Scene, UUID, UUID]:
    """Two excellent halves, a proposal, an examination, a notice: scene, case, notice."""
    first = await scene(now=NOW - timedelta(days=30))
    await result(first, first.town.worker, "excellent", "93.0")
    department = await actor_of(first, first.town.department)
    await bring_to(department, first.cycle_id, Stage.CLOSED, first.now)
    at = first.now + timedelta(days=160)
    made = Scene(first.town, await annual(first), first.clerk, at)
    await result(made, made.town.worker, "excellent", "94.0")
    await bring_to(department, made.cycle_id, Stage.APPEAL, at)
    instructor = await actor_of(made, made.town.instructor)
    worker_id = made.town.worker.person_id
    case_id = await pools.recommend(instructor, worker_id, form(made, "proposed"), at)
    await sign(made, made.clerk, case_id, "examined")
    if notice_days:
        longer = msgspec.structs.replace(await settings_county.get(COUNTY), notice_days=notice_days)
        await settings_county.update(department, COUNTY, longer)
    clerk = await actor_of(made, made.clerk)
    notice_id = await notice.issue_cases(clerk, Pool.RECOMMENDATION, NoticeForm(), at)
    return made, case_id, notice_id
