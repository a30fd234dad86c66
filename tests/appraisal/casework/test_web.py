"""The pages of notices, objections and pools, told as stories through the door."""

import io
import re
from datetime import timedelta
from uuid import UUID

import httpx
import msgspec
import openpyxl
import pytest

from appraisal.casework import queries
from appraisal.casework import service as casework
from appraisal.casework.fields import MAILED
from appraisal.casework.machines import MACHINES
from appraisal.casework.rules import Pool
from appraisal.casework.schemas import Opening
from appraisal.cycle import advancing
from appraisal.cycle.rules import Stage
from appraisal.notice import service as notice
from appraisal.notice.schemas import NoticeForm
from shared import settings_county
from shared.calendar import service as calendar
from shared.clock import now
from shared.database import DB
from shared.dates import chinese_date
from shared.ids import new_id
from shared.roster.roles import Employment
from tests.appraisal.casework.scene import Scene, actor_of, gridworker, result, scene, served
from tests.appraisal.cycle.stages import bring_to
from tests.appraisal.pool.test_service import failed, let_go, vacant_post, warned
from tests.factories import COUNTY, Member
from tests.shared.identity.test_matrix import act_as, token


@pytest.fixture
async def made(rollback: None) -> Scene:
    """A cycle whose results came out today."""
    return await scene(now=now())


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form as the page sends it."""
    return await client.post(path, data={"_csrf_token": await token(client), **fields})


async def shows(client: httpx.AsyncClient, path: str, *words: str) -> str:
    """The page opens and says these words."""
    answer = await client.get(path)
    assert answer.status_code == 200, (path, answer.text[:1500])
    for word in words:
        assert word in answer.text, (path, word)
    return answer.text


async def test_notice_service_objection_and_answer(client: httpx.AsyncClient, made: Scene) -> None:
    """The department publishes, the chief serves, the worker objects, the instructor answers."""
    cycle = f"/appraisal/desk/cycles/{made.cycle_id}/notice"
    worker = made.town.worker
    await result(made, worker, "basic", "64.0")
    await result(made, made.town.second_worker, "excellent", "95.0")
    await act_as(client, made.town.department)
    await shows(client, cycle, "发布公示", "欧阳金山", "基本合格", "未送达")
    assert (await post(client, cycle, phone="0715-1", place="县委")).status_code == 303
    assert (await post(client, cycle)).status_code == 409
    page = await shows(client, cycle, "打印 A3")
    notice_id = re.search(r"/appraisal/notices/([0-9a-f-]{36})", page)
    assert notice_id is not None
    sheet = await shows(client, notice_id[0], "苏*国", "公示期自", "（盖章）", "0715-1")
    assert "欧阳金山" not in sheet
    await shows(client, f"{notice_id[0]}?size=a3", "sheet-a3")

    await act_as(client, made.town.chief)
    await shows(client, "/appraisal/serving", "欧阳金山", "未送达")
    one = f"/appraisal/results/{made.cycle_id}/{worker.person_id}"
    await shows(client, one, "登记送达", "代录书面异议")
    wrong = await post(client, one, how="refused", served_on=str(made.today))
    assert (wrong.status_code, "两名见证人" in wrong.text) == (422, True)
    right = await post(
        client, one, how="refused", served_on=str(made.today), witness_one="甲", witness_two="乙"
    )
    assert right.status_code == 303
    await shows(client, f"{one}/print", "送达回证", "考核结果告知书")

    await act_as(client, worker)
    own = f"/appraisal/me/{made.cycle_id}/objection"
    await shows(client, own, "有异议", "拒收")
    empty = await post(client, own, words="")
    assert (empty.status_code, "请写明" in empty.text) == (422, True)
    sent = await post(client, own, words="培训学时少算了 8 小时")
    assert sent.status_code == 303
    case = sent.headers["location"]
    await shows(client, case, "提出异议", "承诺日期", "培训学时")
    await shows(client, "/appraisal/cases", "对考核结果的异议")
    assert (await post(client, own, words="再来")).status_code == 409

    await act_as(client, made.town.instructor)
    await shows(client, "/appraisal/cases", "等您签办", "欧阳金山")
    assert ">1 件<" in (await client.get("/appraisal/cases", headers={"hx-request": "1"})).text
    await shows(client, case, "复核：变更结果", "变更后的得分")
    bad = await post(
        client, f"{case}/sign", step="review_changed", words="属实", score="abc", no_kin="1"
    )
    assert (bad.status_code, "0 到 100" in bad.text) == (422, True)
    done = await post(
        client, f"{case}/sign", step="review_changed", words="补记学时", score="71", no_kin="1"
    )
    assert done.status_code == 303

    await act_as(client, worker)
    await shows(client, case, "本人签收", "补记学时")
    assert (await post(client, f"{case}/sign", step="told")).status_code == 303
    await shows(client, case, "向县级申诉")
    await shows(client, f"{case}/print", "办理记录", "网格指导员", "打印：")
    await shows(client, f"{case}/steps/2", "异议复核答复书", "如不服", "（盖章）")
    assert (await client.get(f"{case}/steps/9")).status_code == 404


async def test_the_list_of_cases_as_a_file(client: httpx.AsyncClient, made: Scene) -> None:
    """What the page shows under its conditions; password and purpose first, then in the log."""
    await result(made, made.town.worker, "basic", "64.0")
    await act_as(client, made.town.worker)
    await post(client, f"/appraisal/me/{made.cycle_id}/objection", words="培训学时少算了")
    await act_as(client, made.town.department)
    path = "/appraisal/desk/cases.xlsx?pool=objection&state=open&purpose=部务会"
    said = "UPDATE shared.session SET confirmed_at = $2 WHERE county_id = $1"
    await DB.execute(said, COUNTY, now() - timedelta(hours=2))
    assert (await client.get(path)).headers["location"].startswith("/confirm")
    await DB.execute(said, COUNTY, now())
    assert (await client.get("/appraisal/desk/cases.xlsx")).status_code == 422
    book = openpyxl.load_workbook(io.BytesIO((await client.get(path)).content)).worksheets[0]
    rows = [row for row in book.iter_rows(values_only=True) if isinstance(row[0], int)]
    assert [(row[1], row[6], row[12]) for row in rows] == [("欧阳金山", "对考核结果的异议", "在办")]
    done = await client.get("/appraisal/desk/cases.xlsx?state=done&purpose=部务会")
    empty = openpyxl.load_workbook(io.BytesIO(done.content)).worksheets[0]
    assert not [row for row in empty.iter_rows(values_only=True) if isinstance(row[0], int)]
    logged = await DB.fetch(
        "SELECT name, purpose, row_count FROM shared.export_log WHERE county_id = $1 ORDER BY at",
        COUNTY,
    )
    assert [tuple(row) for row in logged] == [
        ("异议申诉事项台账", "部务会", 1),
        ("考核事项台账", "部务会", 0),
    ]


async def test_the_phone_s_list_of_results_leads_back(
    client: httpx.AsyncClient, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever served from the second page had no way back to the first."""
    await result(made, made.town.worker, "basic", "64.0")
    await result(made, made.town.second_worker, "excellent", "95.0")
    monkeypatch.setattr(notice, "PAGE", 1)
    await act_as(client, made.town.chief)
    await shows(client, "/appraisal/serving?page=2", "第 2 / 2 页", 'page=1" rel="prev"')


async def test_every_state_can_be_asked_for(client: httpx.AsyncClient, made: Scene) -> None:
    """全部 is a choice of its own: an empty one would mean the usual, 在办."""
    await result(made, made.town.worker, "basic", "64.0")
    await act_as(client, made.town.worker)
    sent = await post(client, f"/appraisal/me/{made.cycle_id}/objection", words="学时少算了")
    await post(client, f"{sent.headers['location']}/sign", step="withdrawn", words="想通了")
    await act_as(client, made.town.department)
    for state, shown in (("open", False), ("done", True), ("all", True)):
        page = await client.get(f"/appraisal/desk/cases?state={state}")
        assert (sent.headers["location"] in page.text) is shown, state


async def test_a_pools_cases_have_pages(
    client: httpx.AsyncClient, rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a phone the cases behind the first fifty of a pool could not be found at all."""
    made = await scene(now=now() - timedelta(days=40))
    cases = []
    for _ in range(2):
        someone = await gridworker(made, Employment.CONTRACT)
        await failed(made, someone)
        cases.append(f"/appraisal/cases/{await warned(made, someone)}")
    monkeypatch.setattr(casework, "PAGE", 1)
    for reader, heading in (
        (made.town.instructor, "事项</h2>"),
        (made.town.department, "的事项（2）"),
    ):
        await act_as(client, reader)
        found = []
        for number in (1, 2):
            page = await shows(client, f"/appraisal/pools/warning?page={number}", "共 2 条")
            listed = page[page.index(heading) :]
            found += [case for case in cases if case in listed]
        assert sorted(found) == sorted(cases)


async def test_the_results_before_a_pool_have_pages(
    client: httpx.AsyncClient, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A county's list of 优秀 ended at five hundred, and nothing said so."""
    monkeypatch.setattr(casework, "PAGE", 1)
    people = [made.town.worker, made.town.second_worker]
    for member in people:
        await result(made, member, "excellent", "95.0")
    for reader in (made.town.instructor, made.town.department):
        await act_as(client, reader)
        found = []
        for number in (1, 2):
            page = await shows(
                client, f"/appraisal/pools/recommendation?row={number}", f"第 {number} / 2 页"
            )
            found += re.findall(r"/appraisal/people/([0-9a-f-]+)/open", page)
        assert found == [str(member.person_id) for member in people]


async def test_notices_and_kinships_have_pages(
    client: httpx.AsyncClient, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists at the desk ended at one hundred and five hundred, and nothing said so."""
    monkeypatch.setattr(casework, "PAGE", 1)
    monkeypatch.setattr(notice, "PAGE", 1)
    department = await actor_of(made, made.town.department)
    for relative in ("欧阳金山", "苏建国"):
        await casework.record_kin(department, "尹玉梅", relative, made.now)
    await result(made, made.town.worker, "excellent", "95.0")
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    await DB.execute(
        "INSERT INTO appraisal.notice SELECT n.* FROM appraisal.notice o,"
        " jsonb_populate_record(o, jsonb_build_object('id', $2::uuid, 'title', '旧公示',"
        " 'kind', 'admission', 'about_cycle_id', null, 'issued_at', '2026-01-05')) n"
        " WHERE o.county_id = $1",
        COUNTY,
        new_id(),
    )
    await act_as(client, made.town.department)
    for path, first, last in (
        ("/appraisal/desk/kin", "欧阳金山", "苏建国"),
        ("/appraisal/desk/notices", "优秀", "旧公示"),
    ):
        for number, shown, other in ((1, first, last), (2, last, first)):
            page = await shows(client, f"{path}?page={number}", f"第 {number} / 2 页")
            cells = " ".join(re.findall(r"<td>([^<]+)</td>", page))
            assert (shown in cells, other in cells) == (True, False), (path, number)


async def test_more_than_500_open_cases_hide_none_that_waits(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """After a large county's cycle the 500 that are due first pushed it off the list."""
    made = await scene(now=now() - timedelta(days=40))
    someone = await gridworker(made, Employment.CONTRACT)
    await failed(made, someone)
    case_id = await warned(made, someone)
    chief = await actor_of(made, made.town.chief)
    assert [case.id for case in await casework.to_sign(chief)] == [case_id]
    await DB.execute(
        "INSERT INTO appraisal.case_file SELECT (jsonb_populate_record(f, jsonb_build_object("
        "'id', gen_random_uuid(), 'person_id', NULL, 'about_cycle_id', NULL, 'pool', 'admission',"
        " 'machine', 'admission', 'state', 'applied', 'due_on', '2020-01-01', 'post_id',"
        " (SELECT id FROM shared.post WHERE county_id = $1 LIMIT 1)))).*"
        " FROM appraisal.case_file f, generate_series(1, 500)"
        " WHERE f.county_id = $1 AND f.id = $2",
        COUNTY,
        case_id,
    )
    assert case_id in {case.id for case in await casework.to_sign(chief)}


async def test_the_desk_lists_warns_and_lets_go(client: httpx.AsyncClient, rollback: None) -> None:
    """Candidates by band, the evidence, the refusal in a sentence, the case."""
    made = await scene(now=now() - timedelta(days=30))
    someone = await gridworker(made, Employment.CONTRACT)
    await failed(made, someone)
    await result(made, made.town.worker, "excellent", "94.0")
    await act_as(client, made.town.department)
    for path in ("/appraisal/desk/cases", "/appraisal/desk/notices", "/appraisal/desk/kin"):
        await shows(client, path, "人员进出")
    for pool in ("recommendation", "warning", "exit", "admission"):
        await shows(client, f"/appraisal/pools/{pool}")
    assert (await client.get("/appraisal/pools/objection")).status_code == 404
    await shows(client, "/appraisal/pools/warning", someone.name, "看依据、办理")
    person = f"/appraisal/people/{someone.person_id}/open"
    await shows(client, f"{person}?pool=warning&cycle={made.cycle_id}", "作出书面警告", "41.00")
    assert (await client.get(f"{person}?pool=warning")).status_code == 404
    assert (await client.get(f"{person}?pool=none")).status_code == 404
    fields = {"pool": "warning", "cycle": str(made.cycle_id), "step": "warned", "no_kin": "1"}
    wrong = await post(client, person, **fields, words="不合格")
    assert (wrong.status_code, "文书编号" in wrong.text) == (422, True)
    right = await post(client, person, **fields, words="不合格", document="1号")
    assert right.status_code == 303
    case = right.headers["location"]
    await shows(client, case, "警告书送达本人", "撤销警告")
    await DB.execute(
        "UPDATE shared.county SET settings = settings || $2::jsonb WHERE id = $1",
        COUNTY,
        '{"department_name": "社会工作部"}',
    )
    for path in (case, f"{case}/print", "/appraisal/desk/cases?pool=warning"):
        assert "组织部" not in await shows(client, path, "社会工作部")
    await shows(client, "/appraisal/desk/cases?pool=warning&q=" + someone.name, someone.name)
    await shows(client, "/appraisal/pools/exit?q=" + someone.name, "办理退出")
    await shows(client, f"{person}?pool=exit", "固定证据，立案")
    refused = await post(
        client,
        person,
        pool="exit",
        basis="appraisal",
        step="opened",
        words="x",
        document="1号",
        no_kin="1",
    )
    assert (refused.status_code, "60 天复查" in refused.text) == (409, True)
    fault = {"words": "x", "document": "1号", "hearing": "9时", "no_kin": "1"}
    silent = await post(client, person, pool="exit", step="evidence", **fault)
    assert (silent.status_code, "请选择退出的原因" in silent.text) == (422, True)


async def test_a_paper_objection_after_one_was_withdrawn(
    client: httpx.AsyncClient, made: Scene
) -> None:
    """What the phone offers the worker, the office can enter for them: on desk and phone pages."""
    await result(made, made.town.worker, "basic", "64.0")
    await act_as(client, made.town.worker)
    own = f"/appraisal/me/{made.cycle_id}/objection"
    sent = await post(client, own, words="学时少算了")
    one = f"/appraisal/results/{made.cycle_id}/{made.town.worker.person_id}"
    offices = (made.town.department, made.town.chief)
    for office in offices:
        await act_as(client, office)
        assert "代录异议" not in await shows(client, one)
    await act_as(client, made.town.worker)
    await post(client, f"{sent.headers['location']}/sign", step="withdrawn", words="再想想")
    await shows(client, own, "提交异议")
    for office in offices:
        await act_as(client, office)
        await shows(client, one, "代录异议", MAILED)
    assert (await post(client, f"{one}/objection", words="学时少算了")).status_code == 303


async def test_who_signs_for_their_result_is_not_its_server(
    client: httpx.AsyncClient, made: Scene
) -> None:
    """The proof of service names a server only where somebody else served."""
    await result(made, made.town.worker, "basic", "64.0")
    await result(made, made.town.second_worker, "basic", "64.0")
    await act_as(client, made.town.chief)
    slip = f"/appraisal/results/{made.cycle_id}/{made.town.second_worker.person_id}/print"
    page = await shows(client, slip, "自本告知书送达之日起5个工作日内", "<p>　　年　　月　　日</p>")
    assert chinese_date(made.today) not in page, "printed ahead: the day of service is written in"
    await served(made, made.town.second_worker)
    last = await calendar.add_working_days(COUNTY, made.today, 5)
    told, until = chinese_date(made.today), chinese_date(last)
    await shows(client, slip, f"已于{told}送达，请在{until}前（含当日）")
    await act_as(client, made.town.worker)
    await post(client, f"/appraisal/me/{made.cycle_id}/receive")
    await act_as(client, made.town.chief)
    for someone, server in ((made.town.worker, ""), (made.town.second_worker, "王书记")):
        slip = f"/appraisal/results/{made.cycle_id}/{someone.person_id}/print"
        await shows(client, slip, f"<th>送达人</th><td>{server}</td>", "本人签收")


async def test_a_printed_result_keeps_the_term_it_was_served_with(
    client: httpx.AsyncClient, made: Scene
) -> None:
    """Settings that change afterwards are not printed beside the day that holds."""
    await result(made, made.town.worker, "good", "80.0")
    await served(made, made.town.worker)
    await act_as(client, made.town.chief)
    slip = f"/appraisal/results/{made.cycle_id}/{made.town.worker.person_id}/print"
    until = await calendar.add_working_days(COUNTY, made.today, 5)
    await shows(client, slip, f"请在{chinese_date(until)}前（含当日）书面")
    told = (await client.get(slip)).text
    for days in (9, 7):
        longer = msgspec.structs.replace(
            await settings_county.get(COUNTY),
            objection_days=days,
            review_days=2 * days,
            appeal_days=2 * days,
        )
        await settings_county.update(await actor_of(made, made.town.department), COUNTY, longer)
    assert (await client.get(slip)).text == told


async def test_a_mark_that_nothing_can_hold_is_refused(
    client: httpx.AsyncClient, made: Scene
) -> None:
    """In what a step records besides its words too: a sentence at the field, nothing signed."""
    await result(made, made.town.worker, "basic", "64.0")
    await act_as(client, made.town.worker)
    sent = await post(client, f"/appraisal/me/{made.cycle_id}/objection", words="学时少算了")
    case = sent.headers["location"]
    await act_as(client, made.clerk)
    await post(client, f"{case}/sign", step="review_kept", words="查过", no_kin="1")
    told = {"step": "told", "how": "refused", "witness_two": "乙"}
    for mark in ("\0", "\x0b"):
        wrong = await post(client, f"{case}/sign", **told, witness_one=f"甲{mark}丙")
        assert (wrong.status_code, "不能识别的字符" in wrong.text) == (422, True)
    own = await post(client, f"{case}/sign", **told, witness_one=made.clerk.name)
    assert (own.status_code, "送达人和本人不能作见证人" in own.text) == (422, True)
    assert (await post(client, f"{case}/sign", **told, witness_one="甲")).status_code == 303


async def test_protections_are_the_departments(client: httpx.AsyncClient, made: Scene) -> None:
    """Recorded and taken back at the desk; nobody else finds the page."""
    page = f"/appraisal/desk/people/{made.town.worker.person_id}/shields"
    await act_as(client, made.town.department)
    await shows(client, page, "法定保护期")
    wrong = await post(
        client, page, kind="maternity", starts_on="2026-02-02", ends_on="2026-01-01", document="1"
    )
    assert (wrong.status_code, "止期早于起期" in wrong.text) == (422, True)
    assert (
        await post(client, page, kind="maternity", starts_on="2026-02-02", document="1")
    ).status_code == 303
    shown = await shows(client, page, "哺乳期")
    revoke = re.search(r'action="([^"]+/revoke)"', shown)
    assert revoke is not None
    assert (await post(client, revoke[1])).status_code == 303
    await shows(client, page, "没有登记")
    for other in (made.town.chief, made.town.instructor, made.town.worker):
        await act_as(client, other)
        assert (await client.get(page)).status_code == 404


async def test_kinship_at_the_desk(client: httpx.AsyncClient, made: Scene) -> None:
    """Named in full; an unknown name is said."""
    await act_as(client, made.town.department)
    page = "/appraisal/desk/kin"
    wrong = await post(client, page, person="尹玉梅", relative="无此人")
    assert (wrong.status_code, "没有这个人" in wrong.text) == (422, True)
    assert (await post(client, page, person="尹玉梅", relative="欧阳金山")).status_code == 303
    shown = await shows(client, page, "欧阳金山")
    end = re.search(r'action="([^"]+/end)"', shown)
    assert end is not None
    assert (await post(client, end[1])).status_code == 303


async def test_admission_on_a_phone(client: httpx.AsyncClient, made: Scene) -> None:
    """The instructor takes an application; the phone is shown nowhere."""
    post_id = await vacant_post(made)
    await act_as(client, made.town.instructor)
    await shows(client, "/appraisal/pools/admission", "登记报名或提名")
    form = {
        "post_id": str(post_id),
        "step": "applied",
        "name": "汪小芳",
        "phone": "13700001111",
        "source": "mediator",
        "words": "自愿报名",
        "effective_on": str(made.today),
    }
    await shows(client, "/appraisal/admissions/new", "不收证件号码")
    wrong = await post(client, "/appraisal/admissions/new", **(form | {"phone": "1"}))
    assert (wrong.status_code, "11 位数字" in wrong.text) == (422, True)
    sent = await post(client, "/appraisal/admissions/new", **form)
    assert sent.status_code == 303
    shown = await shows(client, sent.headers["location"], "汪小芳", "资格核查合格", "已满 18 周岁")
    assert "13700001111" not in shown
    assert shown.count("我声明：与当事人不是近亲属") == shown.count('name="step"')
    fit = {"step": "checked", "words": "看过证件", "adult": "1", "residence": "local"}
    fit |= {"schooling": "high", "clean": "1", "effective_on": str(made.today)}
    case = sent.headers["location"]
    silent = await post(client, f"{case}/sign", **fit)
    assert (silent.status_code, "请声明与当事人不是近亲属" in silent.text) == (422, True)
    assert (await post(client, f"{case}/sign", **fit, no_kin="1")).status_code == 303


async def test_resigning_from_the_phone(client: httpx.AsyncClient, made: Scene) -> None:
    """Handed in, shown, taken back."""
    await act_as(client, made.town.worker)
    await shows(client, "/appraisal/resign", "随时可以撤回")
    sent = await post(client, "/appraisal/resign", words="外出务工")
    assert sent.status_code == 303
    case = sent.headers["location"]
    assert (await post(client, "/appraisal/resign", words="外出务工")).status_code == 409
    await shows(client, case, "本人撤回")
    back = await post(client, f"{case}/sign", step="withdrawn", words="不走了")
    assert back.status_code == 303
    await shows(client, case, "撤回")


async def test_a_closed_result_says_how_a_late_paper_is_entered(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """The village or township that finds it, and the department that opens the cycle again."""
    made = await scene(now=now() - timedelta(days=40))
    await result(made, made.town.worker, "basic", "64.0")
    await served(made, made.town.worker)
    department = await actor_of(made, made.town.department)
    await notice.issue_results(department, made.cycle_id, NoticeForm(), made.now)
    await bring_to(department, made.cycle_id, Stage.CLOSED, now())
    one = f"/appraisal/results/{made.cycle_id}/{made.town.worker.person_id}"
    await act_as(client, made.town.chief)
    assert "代录书面异议" not in await shows(client, one, "重开以后补录")
    await act_as(client, made.town.department)
    cycle = f"/appraisal/desk/cycles/{made.cycle_id}"
    await shows(client, cycle, "重开，补录期限内收到的异议、申诉", "为什么晚录")
    made.now = now()
    ready = msgspec.structs.replace(department, confirmed_at=made.now)
    await advancing.advance(ready, made.cycle_id, Stage.APPEAL, "8月收到，漏录", made.now)
    await act_as(client, made.town.chief)
    await shows(client, one, "代录书面异议")


async def test_who_left_still_objects(client: httpx.AsyncClient, made: Scene) -> None:
    """Ninety days long: the own result, the objection, the own cases, and nothing else."""
    await result(made, made.town.worker, "fail", "41.0")
    await served(made, made.town.worker)
    await DB.execute(
        "UPDATE shared.assignment SET valid_to = $2 WHERE county_id = $1 AND person_id = $3",
        COUNTY,
        made.today,
        made.town.worker.person_id,
    )
    await act_as(client, made.town.worker)
    own = f"/appraisal/me/{made.cycle_id}/objection"
    await shows(client, own, "有异议")
    sent = await post(client, own, words="不属实")
    assert sent.status_code == 303
    await shows(client, sent.headers["location"], "提出异议")
    await shows(client, "/appraisal/cases", "对考核结果的异议")
    for closed in ("/appraisal/resign", "/appraisal/serving", "/work"):
        assert (await client.get(closed)).status_code == 404


async def test_who_was_let_go_reads_how_a_paper_in_time_still_counts(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """No form that can only be refused; the chief's page offers to key the paper in."""
    made = await scene(now=now() - timedelta(days=100))
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    case_id, _ = await let_go(made, someone)
    await act_as(client, someone)
    page = await shows(client, f"/appraisal/cases/{case_id}", "请村里或乡镇代录")
    assert 'value="appealed"' not in page
    await act_as(client, made.town.chief)
    await shows(client, f"/appraisal/cases/{case_id}", 'value="appealed"', "已过期限", MAILED)


async def test_others_cases_and_results_are_absent(
    client: httpx.AsyncClient, rollback: None
) -> None:
    """As if they did not exist, to colleagues, other townships and leads."""
    made = await scene(now=now() - timedelta(days=30))
    someone = await gridworker(made, Employment.VILLAGE_PAID)
    await failed(made, someone)
    made.now += timedelta(days=5)
    case = f"/appraisal/cases/{await warned(made, someone)}"
    absent = f"/appraisal/cases/{UUID(int=7)}"
    one = f"/appraisal/results/{made.cycle_id}/{someone.person_id}"
    strangers: list[Member] = [made.town.second_worker, made.town.cousin_worker, made.town.lead]
    for stranger in strangers:
        await act_as(client, stranger)
        for path in (case, f"{case}/print", f"{case}/steps/1", one, f"{one}/print"):
            answer = await client.get(path)
            assert answer.status_code == 404, (stranger.role, path)
        assert (await client.get(case)).text.count("没有找到") == (
            await client.get(absent)
        ).text.count("没有找到")
        signed = await post(client, f"{case}/sign", step="served", how="signed")
        assert signed.status_code == 404


async def test_a_list_has_what_may_be_opened(client: httpx.AsyncClient, made: Scene) -> None:
    """A recommendation is not the village's business, nor is it on the village's list."""
    cases = {}
    for machine in ("recommendation", "objection"):
        opening = Opening(
            machine=machine,
            person_id=made.town.worker.person_id,
            unit_code=made.town.worker.unit_code,
            about_cycle_id=made.cycle_id,
        )
        cases[machine] = new_id()
        await queries.insert_case(COUNTY, cases[machine], MACHINES[machine].pool, opening, made.now)
        await queries.set_state(
            COUNTY,
            cases[machine],
            MACHINES[machine].openings[0].key,
            None,
            done=False,
            due_on=None,
            overdue_on=None,
        )
    for someone, seen in (
        (made.town.chief, {"objection"}),
        (made.town.instructor, {"recommendation", "objection"}),
        (made.town.committee, set()),
    ):
        actor = await actor_of(made, someone)
        listed, total = await casework.listed(actor, "")
        assert ({case.machine for case in listed}, total) == (seen, len(seen))
        await act_as(client, someone)
        for machine, case_id in cases.items():
            page = await client.get(f"/appraisal/cases/{case_id}")
            assert page.status_code == (200 if machine in seen else 404)


async def test_a_pool_notice_from_the_desk(client: httpx.AsyncClient, made: Scene) -> None:
    """Nothing waits: said in a sentence; an unknown pool is a wrong choice."""
    await act_as(client, made.town.department)
    none = await post(client, "/appraisal/desk/notices", pool="recommendation")
    assert (none.status_code, "没有等待公示" in none.text) == (409, True)
    wrong = await post(client, "/appraisal/desk/notices", pool="warning")
    assert wrong.status_code == 404
    department = await actor_of(made, made.town.department)
    assert await notice.waiting(department, Pool.ADMISSION) == []


async def test_a_cycle_page_says_what_is_missing(client: httpx.AsyncClient, made: Scene) -> None:
    """The notice before the appeal stage, the unserved before closing."""
    await result(made, made.town.worker, "good", "80.0")
    await act_as(client, made.town.department)
    page = f"/appraisal/desk/cycles/{made.cycle_id}"
    await shows(client, page, "优秀名单的公示还没有发布")
    department = await actor_of(made, made.town.department)
    before = made.now - timedelta(days=30)
    await notice.issue_results(department, made.cycle_id, NoticeForm(), before)
    assert (await post(client, f"{page}/advance", target=Stage.APPEAL)).status_code == 303
    await shows(client, page, "还有 1 人的结果没有送达")
