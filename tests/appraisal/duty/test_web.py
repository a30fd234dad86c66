"""The pages of duty and training, as the department, an instructor and a worker use them."""

import io
import re
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import openpyxl
import pytest

from appraisal.cycle.rules import Kind, Stage
from appraisal.duty import drawing, entries, random_queries, service
from appraisal.duty.random_queries import NewItem
from appraisal.duty.rules import EntryKind
from appraisal.training import rules as trainings
from appraisal.training import service as training
from appraisal.training.schemas import AttendeeInput
from shared.clock import now
from shared.database import DB
from shared.documents.excel import MIME
from shared.ids import new_id
from shared.roster.roles import Role
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.duty.test_drawing import drawn, posted, result
from tests.appraisal.duty.test_drawing import form as check_form
from tests.appraisal.duty.test_sheets import HEAD
from tests.appraisal.duty.world import DAY, NOW, book, fact, line
from tests.factories import COUNTY, SmallCounty, acting, also_in, member, small_county
from tests.shared.identity.test_matrix import act_as, token

BASE = "/appraisal/desk/duty"


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


async def post(client: httpx.AsyncClient, path: str, **fields: object) -> httpx.Response:
    """A form as the page sends it."""
    return await client.post(path, data={"_csrf_token": await token(client), **fields})


async def confirm(client: httpx.AsyncClient) -> None:
    """The password was just given in the client's session."""
    await DB.execute(
        "UPDATE shared.session SET confirmed_at = $2 WHERE county_id = $1", COUNTY, now()
    )


def table_of(answer: httpx.Response) -> list[list[object]]:
    book_ = openpyxl.load_workbook(io.BytesIO(answer.content))
    return [[cell.value for cell in row] for row in book_.active.iter_rows()]


async def test_an_instructor_fills_in_the_townships_sheet(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """Blank rows stay untouched; a wrong row says so and keeps what was typed."""
    await act_as(client, town.instructor)
    overview = await client.get(f"{BASE}?month=202610")
    assert f"{BASE}?month=202610&amp;unit=421222100" in overview.text
    assert "麦市镇" not in overview.text
    path = f"{BASE}?month=202610&unit=421222100"
    page = await client.get(path)
    assert page.text.count('name="rostered" value="18"') == 2
    people = [town.worker, town.second_worker]
    common = {
        "month": "202610",
        "unit": "421222100",
        "person": [str(one.person_id) for one in people],
        "village": [one.unit_code[:12] for one in people],
        "rostered": ["18", "18"],
        "leave": ["", ""],
        "note": ["", ""],
    }
    wrong = await post(client, BASE, **common, on_duty=["19", ""], reason="")
    assert (wrong.status_code, "出勤加请假多于应出勤" in wrong.text) == (422, True)
    assert 'value="19"' in wrong.text
    letters = await post(client, BASE, **common, on_duty=["十八", ""], reason="")
    assert (letters.status_code, "0 到 31 的数字" in letters.text) == (422, True)
    torn = await post(client, BASE, **common, on_duty="19", reason="")
    assert (torn.status_code, "表格不完整" in torn.text) == (422, True)
    saved = await post(client, BASE, **common, on_duty=["17.5", ""], reason="")
    assert (saved.status_code, "新登记 1 条" in saved.text) == (200, True)
    again = await post(client, BASE, **common, on_duty=["17", "18"], reason="")
    assert (again.status_code, "更正原因" in again.text) == (422, True)
    done = await post(client, BASE, **common, on_duty=["17", "18"], reason="数错")
    assert "新登记 1 条，更正 1 条" in done.text
    history = await client.get(f"{BASE}/people/{town.worker.person_id}")
    assert "数错" in history.text
    assert "17.5" in history.text
    alarm = await client.get(f"{BASE}?month=202712&unit=421222100")
    assert "2027年的节假日安排还没有录入" in alarm.text
    foreign = await client.get(f"{BASE}?month=202610&unit=421222101")
    assert foreign.status_code == 404


async def test_a_workbook_goes_through_its_pages(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """Template, look, red cells, accept; a file that is none is refused in a sentence."""
    await act_as(client, town.department)
    path = "/appraisal/desk/intake/attendance"
    assert "怎么填" in (await client.get(path)).text
    template = await client.get(f"{path}/template.xlsx")
    assert template.headers["content-type"] == MIME
    who = town.worker

    async def upload(*rows: list[object], data: bytes = b"") -> httpx.Response:
        content = data or book(HEAD, *rows).data
        fields = {"_csrf_token": await token(client)}
        return await client.post(path, data=fields, files={"file": ("考勤.xlsx", content)})

    nonsense = await upload(data=b"no workbook")
    assert nonsense.status_code == 422
    bad = await upload([202610, who.unit_code, "某某某", 18, 18, 0, ""])
    look = await client.get(bad.headers["location"])
    assert "1 处错误" in look.text
    report = await client.get(f"{bad.headers['location']}/report.xlsx")
    assert "错误说明" in table_of(report)[1]
    refused = await post(client, bad.headers["location"])
    assert refused.status_code == 422
    good = await upload([202610, who.unit_code, who.name, 18, 17, 1, ""])
    assert ">导入</button>" in (await client.get(good.headers["location"])).text
    done = await post(client, good.headers["location"])
    assert done.status_code == 303
    assert "导入完成" in (await client.get(good.headers["location"])).text
    dropped = await upload([202609, who.unit_code, who.name, 18, 17, 1, ""])
    await post(client, f"{dropped.headers['location']}/cancel")
    assert "已过期或已放弃" in (await client.get(dropped.headers["location"])).text
    assert (await client.get("/appraisal/desk/intake/veto")).status_code == 404


async def test_entries_at_the_desk(client: httpx.AsyncClient, town: SmallCounty) -> None:
    """Entered, corrected, withdrawn; every refusal comes back into the form."""
    await act_as(client, town.department)
    path = f"{BASE}/entries"
    empty = await post(client, path, kind="check", person_id=str(town.worker.person_id))
    assert (empty.status_code, empty.text.count("请填写。")) == (422, 1)
    fields = {
        "kind": "check",
        "person_id": str(town.worker.person_id),
        "happened_on": "2026-10-20",
        "outcome": "failed",
        "place": "村委会",
        "by_whom": "督查组",
    }
    made = await post(client, path, **fields)
    assert made.status_code == 303
    assert (await post(client, path, **fields)).status_code == 409
    here = made.headers["location"]
    assert "村委会" in (await client.get(here)).text
    assert (await post(client, f"{here}/correct", **fields)).status_code == 422
    form_again = await client.get(f"{here}/correct")
    assert 'value="村委会"' in form_again.text
    changed = await post(client, f"{here}/correct", **(fields | {"place": "桥头", "reason": "改"}))
    new = changed.headers["location"]
    text = (await client.get(new)).text
    assert ("桥头" in text, "更正前的内容" in text) == (True, True)
    assert (await post(client, f"{new}/withdraw", reason="")).status_code == 422
    assert (await post(client, f"{new}/withdraw", reason="查无此事")).status_code == 303
    listed = await client.get(f"{path}?kind=check&state=withdrawn&name={town.worker.name}")
    assert "已撤销" in listed.text
    for kind in EntryKind:
        assert (await client.get(f"{path}/new?kind={kind}")).status_code == 200


async def test_a_veto_waits_for_another_on_the_page(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """The instructor enters, the department decides."""
    veto = await entries.add(await acting(town.instructor), fact(town.worker, EntryKind.VETO), NOW)
    await act_as(client, town.department)
    assert "1 件一票否决等待审定" in (await client.get(f"{BASE}/entries")).text
    path = f"{BASE}/entries/{veto}"
    page = (await client.get(path)).text
    assert "认定成立" in page
    assert '<textarea class="form-control" id="f-reason"' in page, "Enter would press the first"
    silent = await post(client, f"{path}/decide", reason="属实")
    assert (silent.status_code, "请选择一个结论" in silent.text) == (422, True)
    assert (await post(client, f"{path}/decide", stands="1", reason="")).status_code == 422
    assert (await post(client, f"{path}/decide", stands="1", reason="属实")).status_code == 303
    assert "认定成立" not in (await client.get(path)).text


async def test_a_check_from_page_to_paper(client: httpx.AsyncClient, town: SmallCounty) -> None:
    """Opened, drawn, entered at the desk and on the phone, printed, taken back."""
    for day in (8, 15):
        await posted(town.worker, town.lead, date(2026, 11, day))
    await act_as(client, town.instructor)
    fields = {
        "title": "十一月核查",
        "unit_code": "421222100",
        "mode": "drawn",
        "first_day": "2026-11-01",
        "last_day": "2026-11-20",
        "people": "5",
        "per_person": "2",
        "inspectors": "尹某\n胡某",
        "value_source": "会场摇号",
    }
    path = f"{BASE}/random"
    assert (await client.get(f"{path}/new")).status_code == 200
    wrong = await post(client, path, **(fields | {"inspectors": "尹某"}))
    assert (wrong.status_code, "至少写两个人" in wrong.text) == (422, True)
    made = await post(client, path, **fields)
    here = made.headers["location"]
    text = (await client.get(here)).text
    listing = await client.get(f"{here}/list.txt")
    assert len(listing.text.splitlines()) == 2
    assert re.search(r"<code>[0-9a-f]{64}</code>", text)
    assert "＿＿" in (await client.get(f"{here}/print")).text
    assert (await post(client, f"{here}/draw", value="")).status_code == 422
    assert (await post(client, f"{here}/draw", value="7", value_source="摇号")).status_code == 303
    check_id = UUID(here.rpartition("/")[2])
    actor = await acting(town.instructor)
    first, second = await drawing.items(actor, check_id)
    when = {"checked_on": "2026-11-25"}
    nothing = await post(client, f"{here}/results", **when)
    assert (nothing.status_code, "至少给一条" in nothing.text) == (422, True)
    wrong = await post(client, f"{here}/results", **when, **{f"correct-{first.id}": "0"})
    assert (wrong.status_code, "写明错在哪里" in wrong.text) == (422, True)
    one = {f"correct-{first.id}": "1", f"by-{first.id}": "尹某"}
    assert "新登记 1 条" in (await post(client, f"{here}/results", **when, **one)).text
    phone = f"/appraisal/duty/random/{check_id}"
    assert second.label in (await client.get(phone)).text
    assert "1 / 2 条" in (await client.get(phone)).text
    assert "1 / 2 条" in (await client.get("/appraisal/duty")).text
    two = {f"correct-{second.id}": "0", f"note-{second.id}": "没去", f"by-{second.id}": "胡某"}
    assert "已保存 1 条" in (await post(client, phone, **when, **two)).text
    changed = {f"correct-{first.id}": "0", f"note-{first.id}": "补查", f"touched-{first.id}": "1"}
    changed |= {f"by-{first.id}": "尹某", "reason": "复查"}
    assert "更正 1 条" in (await post(client, f"{here}/results", **when, **changed)).text
    await confirm(client)
    rows = table_of(await client.get(f"{here}/export.xlsx"))
    assert [row[rows[2].index("结果")] for row in rows[3:5]] == ["错误", "错误"]
    assert "第 1 版" not in (await client.get(here)).text
    assert "种子" in (await client.get(f"{here}/print")).text
    assert (await post(client, f"{here}/void", reason="重来")).status_code == 303
    assert "已作废" in (await client.get(path)).text
    assert "已作废" in (await client.get(f"{here}/print")).text


async def long_check(town: SmallCounty, count: int) -> UUID:
    """A check of so many drawn records, none looked at yet."""
    await posted(town.worker, town.lead, date(2026, 11, 8))
    check_id = await drawn(town)
    [first] = await drawing.items(await acting(town.instructor), check_id)
    more = [
        NewItem(
            id=new_id(), position=number, person_id=first.person_id, record_id=None,
            village_code=first.village_code, label=f"第 {number} 次例会",
            worked_on=first.worked_on, inspector="尹某",
        )
        for number in range(2, count + 1)
    ]  # fmt: skip
    await random_queries.insert_items(COUNTY, check_id, more)
    return check_id


def typed(page: str, verdict: str = "1") -> dict[str, str]:
    """The fields of a check's page with the same verdict for every record that is open on it."""
    fields = dict(re.findall(r'name="((?:by|version|note)-[^"]+)"[^>]* value="([^"]*)"', page))
    ids = re.findall(r'name="version-([^"]+)" value="0"', page)
    return fields | {f"correct-{one}": verdict for one in ids} | {"checked_on": "2026-11-25"}


async def test_a_long_check_is_entered_part_by_part_on_the_phone(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """Some 300 open records were one form, which the server refused with all that was typed."""
    check_id = await long_check(town, 450)
    path = f"/appraisal/duty/random/{check_id}"
    await act_as(client, town.instructor)
    page = await client.get(path)
    assert page.text.count('name="version-') == 100
    assert "0 / 450 条" in page.text
    later = await client.get(f"{path}?after=100")
    assert ("第 101 次例会" in later.text, "第 100 次例会" in later.text) == (True, False)
    notes = typed(later.text, "0")
    notes |= {name: "网" * 200 for name in notes if name.startswith("note-")}
    saved = await post(client, f"{path}?after=100", **notes)
    assert (saved.status_code, "已保存 100 条" in saved.text) == (200, True)
    assert ("第 201 次例会" in saved.text, "100 / 450 条" in saved.text) == (True, True)
    again = await post(client, f"{path}?after=100", **notes)
    assert (again.status_code, "已保存 100 条" in again.text) == (200, True)
    text = saved.text
    for done in (200, 300, 350):
        text = (await post(client, f"{path}?after=100", **typed(text))).text
        assert f"{done} / 450 条" in text
    assert "第 2 次例会" in text, "what was skipped is listed once the end is reached"
    assert "1 / 1" not in (await client.get("/appraisal/duty")).text
    last = await post(client, path, **typed(text))
    assert ("450 / 450 条" in last.text, "没有要您查的了" in last.text) == (True, True)
    assert "十一月核查" not in (await client.get("/appraisal/duty")).text


async def test_a_long_check_has_pages_at_the_desk(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """It opens where the first record waits; a page is saved by itself and stays in sight."""
    check_id = await long_check(town, 230)
    path = f"{BASE}/random/{check_id}"
    await act_as(client, town.instructor)
    first = (await client.get(path)).text
    assert ("共 230 条，第 1 / 3 页" in first, "第 101 次例会" in first) == (True, False)
    second = (await client.get(f"{path}?page=2")).text
    saved = await post(client, f"{path}/results?page=2", **typed(second))
    assert ("新登记 100 条" in saved.text, "第 2 / 3 页" in saved.text) == (True, True)
    assert "（100 / 230）" in saved.text
    assert "第 1 / 3 页" in (await client.get(path)).text
    await post(client, f"{path}/results?page=1", **typed(first))
    assert "第 3 / 3 页" in (await client.get(path)).text
    assert (await client.get(f"{path}?page=9")).status_code == 200
    sheet = (await client.get(f"{path}/print")).text
    assert sheet.count('<td class="center">') == 230


async def test_what_another_inspector_found_meanwhile_is_not_passed_over(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """A verdict typed on an older page was dropped without a word, or took the other's place."""
    check_id = await long_check(town, 3)
    actor = await acting(town.instructor)
    first, second, _ = await drawing.items(actor, check_id)
    desk, phone = f"{BASE}/random/{check_id}", f"/appraisal/duty/random/{check_id}"
    await act_as(client, town.instructor)
    page, small = (await client.get(desk)).text, (await client.get(phone)).text
    await drawing.record(actor, check_id, [result(first.id)], NOW)
    wrong = {f"correct-{first.id}": "0", f"note-{first.id}": "没去"}
    for path, text in ((f"{desk}/results?page=1", page), (phone, small)):
        refused = await post(client, path, **(typed(text) | wrong))
        assert (refused.status_code, "刚刚有人改过" in refused.text) == (409, True)
        assert f'name="correct-{second.id}" value="1" checked' in refused.text
    page = (await client.get(desk)).text
    await drawing.record(
        actor, check_id, [result(first.id, correct=False, note="没去")], NOW, reason="复查"
    )
    mine = {f"touched-{first.id}": "1", f"correct-{first.id}": "0", f"note-{first.id}": "日期不对"}
    late = await post(client, f"{desk}/results?page=1", **(typed(page) | mine), reason="再查")
    assert late.status_code == 409
    [item, *_] = await drawing.items(actor, check_id)
    assert (item.version, item.note) == (2, "没去")


async def test_the_cycles_tabs_show_what_is_missing_and_training(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """Whom to ask stands beside whose sheet is missing; hours are stated on the page."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    await act_as(client, town.department)
    base = f"/appraisal/desk/cycles/{cycle_id}"
    page = await client.get(f"{base}/duty")
    assert f"请向{town.instructor.name}（网格指导员）要" in page.text
    assert "麦市镇（还没有网格指导员）" in page.text
    assert f'href="{base}/training"' in page.text
    stated = await post(client, f"{base}/training", hours="16", reason="")
    assert stated.status_code == 303
    assert (await post(client, f"{base}/training", hours="x", reason="")).status_code == 422
    assert (await post(client, f"{base}/training", hours="18", reason="")).status_code == 422
    totals = await client.get(f"{base}/training")
    assert ("16" in totals.text, "单位还没有培训" in totals.text) == (True, True)
    await confirm(client)
    rows = table_of(await client.get(f"{base}/training/export.xlsx"))
    assert [row[4] for row in rows[3:6]] == [
        town.worker.name,
        town.second_worker.name,
        town.cousin_worker.name,
    ]


async def test_training_of_a_cycle_has_pages(
    client: httpx.AsyncClient, town: SmallCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who lacks hours stands first: a county of three thousand had one page of half a megabyte."""
    monkeypatch.setattr(training, "PAGE", 1)
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    form = trainings.SessionForm(
        kind=trainings.SessionKind.CLASSROOM, title="调解", held_on=DAY, hours=Decimal(4),
        trainer="司法所", unit_code="421222101", tested=False,
    )  # fmt: skip
    session = await training.add_session(department, form, NOW)
    absent = AttendeeInput(
        person_id=town.cousin_worker.person_id,
        village_code=town.cousin_worker.unit_code[:12],
        present=False,
        test=None,
    )
    await training.record(department, session, [absent], NOW)
    await act_as(client, town.department)
    path = f"/appraisal/desk/cycles/{cycle_id}/training"
    first, second = (await client.get(path)).text, (await client.get(f"{path}?page=2")).text
    assert "共 3 条，第 1 / 3 页" in first
    assert (town.cousin_worker.name in first, town.worker.name in first) == (True, False)
    assert (town.cousin_worker.name in second, town.worker.name in second) == (False, True)


async def test_checks_and_courses_have_pages(
    client: httpx.AsyncClient, town: SmallCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A county's lists ended at two hundred and five hundred, and nothing said so."""
    monkeypatch.setattr(drawing, "PAGE", 1)
    monkeypatch.setattr(training, "PAGE", 1)
    instructor = await acting(town.instructor)
    for day, title in ((10, "甲"), (20, "乙")):
        await drawing.open_check(
            instructor, check_form(title=f"{title}核查", mode="paper"), NOW + timedelta(minutes=day)
        )
        course = trainings.SessionForm(
            kind=trainings.SessionKind.CLASSROOM, title=f"{title}课", held_on=DAY.replace(day=day),
            hours=Decimal(4), trainer="司法所", unit_code="421222100", tested=False,
        )  # fmt: skip
        await training.add_session(instructor, course, NOW)
    await act_as(client, town.instructor)
    for path, last, first in (
        (f"{BASE}/random", "乙核查", "甲核查"),
        ("/appraisal/desk/training", "乙课", "甲课"),
    ):
        for number, shown, other in ((1, last, first), (2, first, last)):
            page = (await client.get(f"{path}?page={number}")).text
            assert f"第 {number} / 2 页" in page
            assert (shown in page, other in page) == (True, False), path


async def test_training_at_the_desk_and_on_the_workers_phone(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """Entered with who came; the worker sees hours and test."""
    await act_as(client, town.instructor)
    path = "/appraisal/desk/training"
    fields = {
        "kind": "classroom",
        "title": "反诈宣传",
        "unit_code": "421222100",
        "held_on": "2026-10-20",
        "hours": "2.5",
        "trainer": "派出所",
        "tested": "1",
    }
    assert (await post(client, path, **(fields | {"hours": "0.3"}))).status_code == 422
    made = await post(client, path, **fields)
    here = made.headers["location"]
    one, two = town.worker.person_id, town.second_worker.person_id
    rows = {f"row-{one}": "1", f"row-{two}": "1"}
    wrong = await post(client, here, **rows, **{f"present-{one}": "1", f"test-{one}": "优"})
    assert (wrong.status_code, "0 到 100" in wrong.text) == (422, True)
    absent = await post(client, here, **rows, **{f"test-{two}": "60"})
    assert (absent.status_code, "没有参加" in absent.text) == (422, True)
    saved = await post(client, here, **rows, **{f"present-{one}": "1", f"test-{one}": "88"})
    assert "新登记 1 条" in saved.text
    await confirm(client)
    assert len(table_of(await client.get(f"{here}/export.xlsx"))) > 4
    await act_as(client, town.worker)
    mine = (await client.get("/appraisal/me/training")).text.replace("\xa0", " ")
    assert ("反诈宣传" in mine, "测试 88 分" in mine) == (True, True)
    assert 'href="/appraisal/me/training"' in (await client.get("/me")).text
    await act_as(client, town.instructor)
    assert (await post(client, f"{here}/cancel", reason="")).status_code == 422
    assert (await post(client, f"{here}/cancel", reason="登错")).status_code == 303
    assert "已取消" in (await client.get(path)).text


async def test_nothing_is_offered_that_a_scored_cycle_refuses(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """A session, a sheet, a fact and a check of its days say why, instead of a form."""
    department = await acting(town.department, desk=True)
    cycle_id = await opened(department, NOW, kind=Kind.ANNUAL)
    await bring_to(department, cycle_id, Stage.COLLECT, NOW)
    day = date(2026, 10, 20)
    form = trainings.SessionForm(
        kind=trainings.SessionKind.CLASSROOM,
        title="反诈宣传",
        unit_code="421222100",
        held_on=day,
        hours=Decimal(2),
        trainer="派出所",
    )
    session = await training.add_session(department, form, NOW)
    entry = await entries.add(await acting(town.instructor), fact(town.worker), NOW)
    await posted(town.worker, town.lead, date(2026, 11, 8))
    check = await drawn(town)
    pages = {
        f"/appraisal/desk/training/{session}": "取消培训",
        f"{BASE}?month=202610&unit=421222100": "保存考勤",
        f"{BASE}/entries/{entry}": "撤销这一条",
        f"{BASE}/random/{check}": "保存结果",
        f"/appraisal/duty/random/{check}": "保存选好的",
    }
    await act_as(client, town.instructor)
    for path, button in pages.items():
        assert button in (await client.get(path)).text, path
    await bring_to(department, cycle_id, Stage.SCORE, NOW + timedelta(days=60))
    for path, button in pages.items():
        page = (await client.get(path)).text
        assert (button in page, "这段时间的数据不能再改" in page) == (False, True), path


async def test_a_sheet_from_before_a_correction_does_not_undo_it(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """Another corrected one line, this page another one: both corrections stand in the end."""
    actor = await acting(town.instructor)
    one, two = town.worker, town.second_worker
    await service.save(actor, [line(one), line(two)], NOW)
    await act_as(client, town.instructor)
    path = f"{BASE}?month=202610&unit=421222100"

    def shown(text: str) -> dict[str, list[str]]:
        names = ("person", "village", "rostered", "on_duty", "leave", "note", "version")
        return {name: re.findall(f'name="{name}" value="([^"]*)"', text) for name in names}

    fields = shown((await client.get(path)).text)
    await service.save(actor, [line(one, "15")], NOW, reason="数错")
    common = {"month": "202610", "unit": "421222100", "reason": "漏记"}
    at = fields["person"].index(str(two.person_id))
    fields["on_duty"][at] = "16"
    refused = await post(client, BASE, **common, **fields)
    assert (refused.status_code, "刚刚有人改过" in refused.text) == (409, True)
    fields = shown(refused.text)
    assert sorted(fields["on_duty"]) == ["15", "16"]
    assert "更正 1 条" in (await post(client, BASE, **common, **fields)).text


async def test_what_another_entered_meanwhile_is_not_overwritten(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """A page from before it comes back with the other's line as stored, one's own as typed."""
    actor = await acting(town.instructor)
    held = trainings.SessionForm(
        kind=trainings.SessionKind.CLASSROOM, title="民法典", held_on=date(2026, 10, 20),
        hours=Decimal(2), trainer="司法所", unit_code="421222100",
    )  # fmt: skip
    session_id = await training.add_session(actor, held, NOW)
    path = f"/appraisal/desk/training/{session_id}"
    one, two = town.worker, town.second_worker
    await act_as(client, town.instructor)
    page = (await client.get(path)).text
    hidden = dict(re.findall(r'name="((?:row|version)-[^"]*)" value="(\d)"', page))
    came = AttendeeInput(
        person_id=one.person_id, village_code=one.unit_code[:12], present=True, test=Decimal(88)
    )
    department = await acting(town.department, desk=True)
    await training.record(department, session_id, [came], NOW)
    mine = {f"present-{two.person_id}": "1", f"test-{two.person_id}": "90", "reason": "补登"}
    refused = await post(client, path, **hidden, **mine)
    assert (refused.status_code, "刚刚有人改过" in refused.text) == (409, True)
    assert ('value="88"' in refused.text, 'value="90"' in refused.text) == (True, True)
    hidden = dict(re.findall(r'name="((?:row|version)-[^"]*)" value="(\d)"', refused.text))
    kept = {f"present-{one.person_id}": "1", f"test-{one.person_id}": "88"}
    assert "新登记 1 条" in (await post(client, path, **hidden, **mine, **kept)).text
    _, people = await training.session(actor, session_id)
    assert {who.person_id: who.test for who in people} == {one.person_id: 88, two.person_id: 90}


async def test_nobody_lacks_hours_of_a_course_that_nobody_gave(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """The score does not count them, so the worker's page does not say none of twelve."""
    department = await acting(town.department, desk=True)
    await bring_to(department, await opened(department, NOW), Stage.COLLECT, NOW)
    await act_as(client, town.worker)
    mine = (await client.get("/appraisal/me/training")).text
    assert ("单位还没有培训" in mine, "0 / 12" in mine) == (True, False)


async def test_a_trainer_s_phone_leads_to_the_training_and_back(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """The page is made for the desk; no link led there from a trainer's phone, none back."""
    trainer = await member(Role.TRAINER, town.units["421222100"])
    await act_as(client, trainer, desk=False)
    mine = (await client.get("/me")).text
    assert ('href="/appraisal/desk/training"' in mine, "履职数据" in mine) == (True, False)
    back = '<a href="/me">我的</a>'
    assert back in (await client.get("/appraisal/desk/training")).text
    await act_as(client, trainer)
    assert back not in (await client.get("/appraisal/desk/training")).text


async def test_the_phone_in_the_field_and_the_workers_own(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """An instructor records a check on the spot; the worker reads it and the attendance."""
    await service.save(await acting(town.instructor), [line(town.worker)], NOW)
    await act_as(client, town.instructor)
    assert 'href="/appraisal/duty"' in (await client.get("/me")).text
    assert "记现场抽查" in (await client.get("/appraisal/duty")).text
    path = "/appraisal/duty/new"
    assert town.worker.name in (await client.get(f"{path}?kind=check")).text
    assert town.cousin_worker.name not in (await client.get(f"{path}?kind=check")).text
    fields = {
        "kind": "check",
        "person_id": str(town.worker.person_id),
        "happened_on": "2026-10-20",
        "place": "村委会",
        "by_whom": "尹玉梅",
    }
    assert (await post(client, path, **fields)).status_code == 422
    done = await post(client, path, **fields, outcome="passed")
    assert "已登记" in (await client.get(done.headers["location"])).text
    await act_as(client, town.worker)
    mine = (await client.get("/appraisal/me/duty")).text
    assert ("出勤 18 / 20 天" in mine, "现场抽查" in mine) == (True, True)


@pytest.mark.parametrize("path", [f"{BASE}/entries", "/appraisal/duty"])
async def test_who_works_in_two_villages_stands_in_the_form_for_each(
    client: httpx.AsyncClient, town: SmallCounty, path: str
) -> None:
    """The line that was chosen is where the fact belongs, and stays chosen in a refused form."""
    village = "421222100002"
    await also_in(town.worker, town.units[f"{village}001"])
    await act_as(client, town.instructor)
    form = (await client.get(f"{path}/new?kind=check")).text
    values = re.findall(rf'<option value="([^"]+)">{town.worker.name}（', form)
    person = str(town.worker.person_id)
    assert values == [f"{person}@{town.worker.unit_code[:12]}", f"{person}@{village}"]
    assert f'<option value="{town.second_worker.person_id}">' in form
    fields = {
        "kind": "check",
        "person_id": values[1],
        "happened_on": "2026-10-20",
        "by_whom": "督查组",
        "outcome": "failed",
    }
    target = path if path.startswith(BASE) else f"{path}/new"
    refused = await post(client, target, **fields)
    assert f'<option value="{values[1]}" selected>' in refused.text
    assert (await post(client, target, **fields, place="村委会")).status_code == 303
    [entry], _ = await entries.listed(await acting(town.instructor), entries.Filter())
    assert entry.village_code == village


async def test_both_townships_open_the_page_of_whom_they_share(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """The link of an attendance line led the second one, by code, to a missing page."""
    grid = town.units["421222101001001"]
    await also_in(town.worker, grid)
    there = await member(Role.INSTRUCTOR, town.units["421222101"], "黎指导")
    for instructor in (town.instructor, there):
        await act_as(client, instructor)
        page = await client.get(f"{BASE}/people/{town.worker.person_id}")
        assert (page.status_code, town.worker.name in page.text) == (200, True)


async def test_exports_are_logged_and_ask_for_the_password(
    client: httpx.AsyncClient, town: SmallCounty
) -> None:
    """A list leaves with who and how many; without a fresh password it does not."""
    await service.save(await acting(town.instructor), [line(town.worker)], NOW)
    await act_as(client, town.department)
    path = f"{BASE}/export.xlsx?month=202610&purpose=月报"
    await DB.execute(
        "UPDATE shared.session SET confirmed_at = $2 WHERE county_id = $1",
        COUNTY,
        now() - timedelta(hours=1),
    )
    assert (await client.get(path)).status_code == 303
    await confirm(client)
    rows = table_of(await client.get(path))
    assert rows[2][1:] == [
        "月份",
        "乡镇",
        "村社区",
        "网格编码",
        "姓名",
        "应出勤天数",
        "出勤天数",
        "请假天数",
        "备注",
    ]
    assert (rows[3][7], rows[3][8]) == (18, 1)
    listed = await client.get(f"{BASE}/entries/export.xlsx?kind=complaint")
    assert table_of(listed)[0][0] == "通城县网格员投诉台账"
    log = await DB.fetch(
        "SELECT name, purpose, row_count FROM shared.export_log WHERE county_id = $1 ORDER BY at",
        COUNTY,
    )
    assert [tuple(row) for row in log] == [("考勤表", "月报", 3), ("投诉台账", "考核", 0)]
