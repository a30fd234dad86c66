"""The department's months, prints, and deductions on phones."""

import re
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import httpx
import msgspec
import pytest

from points.work import bulk, deductions, intake, month, month_queries, posting, service
from points.work.month_queries import MonthRow
from points.work.schemas import LogForm
from shared.audit.words import value_text
from shared.calendar import service as calendar
from shared.clock import now, today
from shared.database import DB
from shared.ids import new_id
from shared.months import month_of
from shared.roster.office import queries as office_queries
from shared.web.filters import date_cn
from tests.factories import COUNTY, SmallCounty, acting, small_county
from tests.points.work.test_intake import HEAD, WORKER
from tests.points.work.test_month import CLOSED, RUN, confirmed, immediate, to_notice
from tests.shared.identity.test_web import enter, enter_desk, post

GRID = "421222100001001"
VILLAGE = "421222100001"


def file_of(days: int = 1) -> bytes:
    """Five equal meetings before today: one more than the month's cap."""
    first = today().replace(day=1) - timedelta(days=1)
    on = [first - timedelta(days=7 * week) for week in range(days)]
    rows = [f"{day},{GRID},{WORKER},ORG-02,参加网格例会," for day in on]
    return "\r\n".join([HEAD, *rows]).encode("gb18030")


def last_month() -> int:
    day = today().replace(day=1) - timedelta(days=1)
    return day.year * 100 + day.month


async def declared(town: SmallCounty, days_ago: int) -> UUID:
    """A record of a meeting that many days ago."""
    on = today() - timedelta(days=days_ago)
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=on, text="参加网格例会")
    return (await service.log(await acting(town.worker), form, now())).id


async def town_with_records() -> SmallCounty:
    town = await small_county()
    await intake.import_work(None, COUNTY, file_of(), "a.csv", now=now())
    await bulk.verify_month(COUNTY, last_month(), now())
    return town


async def test_the_desk_sees_every_village_s_month(client: httpx.AsyncClient) -> None:
    """The overview, one village, objections, deductions, the prints."""
    town = await town_with_records()
    await enter_desk(client, town.department)
    assert (await client.get("/desk/months?chosen=²²²²-01")).status_code == 200
    overview = await client.get("/desk/months")
    assert overview.status_code == 200
    assert town.units[VILLAGE].name in overview.text
    for path in (
        f"/desk/months/{VILLAGE}/{last_month()}",
        "/desk/months/objections",
        "/desk/months/deductions",
        f"/verify/months/{VILLAGE}/{last_month()}/sheet",
        "/verify/slips",
    ):
        answer = await client.get(path)
        assert answer.status_code in {200, 404}, path
    notice = await client.get(f"/verify/months/{VILLAGE}/{last_month()}/notice")
    assert "欧**山" in notice.text
    assert WORKER not in notice.text
    assert "5个工作日" in notice.text
    assert "草稿，不能张贴" in notice.text
    assert "已经逐条核实" not in notice.text
    await bulk.post_month(COUNTY, last_month(), now())
    notice = await client.get(f"/verify/months/{VILLAGE}/{last_month()}/notice")
    assert "已经逐条核实" in notice.text
    assert "草稿" not in notice.text


async def test_a_deduction_is_served_on_paper(client: httpx.AsyncClient) -> None:
    """Who has no phone gets notice and decision as letters, with the terms; signed for on paper."""
    town = await small_county()
    await enter(client, town.chief)
    answer = await post(
        client,
        "/verify/deductions",
        worker_id=str(town.worker.person_id),
        choice="PEN-01:20",
        happened_on=str(today()),
        facts="例会无故缺席",
        evidence="签到表",
    )
    assert answer.status_code == 303
    path = answer.headers["location"]
    assert "打印告知书" in (await client.get(path)).text
    number = UUID(path.rpartition("/")[2])
    row = await deductions.view(await acting(town.chief), number)
    letter = (await client.get(f"/verify{path}/letter")).text
    assert "扣分事项告知书" in letter
    assert f"{WORKER}（{town.units[VILLAGE].name}）：" in letter
    assert "拟扣履职积分 2 分，可兑换积分不扣。您可以自本告知书送达之日起 5 个工作日内" in letter
    assert "例会无故缺席" in letter
    assert "还没有登记送达" in (await client.get(path)).text
    waiting = (await client.get("/verify/deductions")).text
    assert "未登记送达" in waiting
    wrong = await post(client, f"/verify{path}/serve", served_on=str(today()), how="")
    assert (wrong.status_code, "本人签收、拒收" in wrong.text) == (422, True)
    served = await post(client, f"/verify{path}/serve", served_on=str(today()), how="本人签收")
    assert served.status_code == 303
    row = await deductions.view(await acting(town.chief), number)
    letter = (await client.get(f"/verify{path}/letter")).text
    assert f"您可以在{date_cn(row.answer_due_on)}前（含当日）" in letter
    late = now() + timedelta(days=20)
    by = await acting(town.instructor)
    await deductions.decide(by, number, stands=True, reason="没有请假条", now=late)
    letter = (await client.get(f"/verify{path}/letter")).text
    assert "可以自本决定书送达之日起 5 个工作日内书面或在手机上申诉" in letter
    await deductions.serve(await acting(town.chief), number, today(late), "本人签收", late)
    row = await deductions.view(by, number)
    assert row.appeal_due_on is not None
    letter = (await client.get(f"/verify{path}/letter")).text
    assert "扣分决定书" in letter
    assert "扣履职积分 2 分。理由：没有请假条" in letter
    assert f"可以在{date_cn(row.appeal_due_on)}前（含当日）书面或在手机上申诉" in letter
    await enter(client, town.worker)
    assert "打印" not in (await client.get(path)).text
    assert (await client.get(f"/verify{path}/letter")).status_code == 404


async def test_the_to_do_page_leads_back_to_the_desk(client: httpx.AsyncClient) -> None:
    """The desk's 办理 opens the phone's pages, whose 返回 ends at 待办."""
    town = await small_county()
    back = 'class="top__back" href="/desk"'
    await enter_desk(client, town.department)
    assert back in (await client.get("/verify")).text
    client.cookies.clear()
    await enter(client, town.chief)
    assert "top__back" not in (await client.get("/verify")).text


async def test_a_month_under_notice_waits_for_no_objection(client: httpx.AsyncClient) -> None:
    """Only the records objected to do, as the month's page says."""
    town = await small_county()
    await confirmed(town, 8)
    await to_notice(town)
    await enter(client, town.chief)
    page = (await client.get(f"/verify/months/{VILLAGE}/{RUN}")).text
    assert "<dd>公示期满以后入账；有异议的记录，答复以后再入账</dd>" in page


async def test_a_large_month_is_read_in_parts(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sample and its 2,400 records were one page; the records are found by their worker."""
    monkeypatch.setattr(service, "PAGE", 2)
    town = await small_county()
    records = [await confirmed(town, day) for day in (1, 8, 15)]
    for side in (town.committee, town.supervisor):
        row = await month.review(await acting(side), VILLAGE, RUN, CLOSED)
    row = msgspec.structs.replace(row, sample=[str(record.id) for record in records])
    await month_queries.save_month(COUNTY, row, CLOSED)
    here = f"/verify/months/{VILLAGE}/{RUN}"
    await enter(client, town.instructor)
    first = (await client.get(here)).text
    assert ("抽查 3 条" in first, first.count("/verify/sampled/")) == (True, 2)
    assert f'hx-get="{here}?page=2"' in first
    more = (await client.get(f"{here}?page=2", headers={"hx-request": "true"})).text
    assert ("<html" in more, "加载更多" in more) == (False, False)
    assert more.count("/verify/sampled/") == 1
    assert f'name="next" value="{here}"' in more
    await month.confirm_sample(await acting(town.instructor), VILLAGE, RUN, CLOSED)
    await DB.execute(
        "UPDATE points.village_month SET notice_to = $2 WHERE county_id = $1", COUNTY, today()
    )
    await enter(client, town.chief)
    whole = (await client.get(here)).text
    assert ("群众对公示有异议的" in whole, "/records/" in whole) == (True, False)
    found = await client.get(f"{here}?worker={town.worker.person_id}")
    assert f'href="{here}?worker={town.worker.person_id}"' in whole
    assert all(f'href="/records/{record.id}"' in found.text for record in records)
    await enter(client, town.committee)
    assert "?worker=" not in (await client.get(here)).text


async def test_no_deduction_is_out_of_reach(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list ended at the latest two hundred, and nothing said so."""
    monkeypatch.setattr(deductions, "PAGE", 1)
    town = await small_county()
    lead = await acting(town.lead)
    old, new = [
        await deductions.propose(
            lead,
            deductions.Proposal(
                worker_id=town.worker.person_id,
                code="PEN-01",
                amount=20,
                happened_on=today() - timedelta(days=day),
                facts="例会无故缺席",
                evidence="签到表",
            ),
            now(),
        )
        for day in (3, 2)
    ]
    await enter_desk(client, town.department)
    for number, shown, other in ((1, new, old), (2, old, new)):
        page = (await client.get(f"/desk/months/deductions?page={number}")).text
        assert f"共 2 条，第 {number} / 2 页" in page
        assert (f"/deductions/{shown}" in page, f"/deductions/{other}" in page) == (True, False)
    client.cookies.clear()
    await enter(client, town.lead)
    first, second = [
        (await client.get(f"/verify/deductions?page={number}")).text for number in (1, 2)
    ]
    assert (f"/deductions/{new}" in first, "没有等您决定" in first) == (True, True)
    assert (f"/deductions/{old}" in second, "没有等您决定" in second) == (True, False)
    await enter(client, town.chief)
    second = (await client.get("/verify/deductions?page=2")).text
    assert f"/deductions/{old}" in second, "though it waits on the first page"


async def test_no_objection_is_out_of_reach(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the desk and on the phone; what fails on the second page is said on it."""
    monkeypatch.setattr(month, "PAGE", 1)
    town = await small_county()
    worker, lead = await acting(town.worker), await acting(town.lead)
    objections = []
    for day in (3, 2):
        record = await declared(town, day)
        await service.send_back(lead, record, "没有开会", refuse=True, now=now())
        objections.append(await month.object_to(worker, record, "我来了", now()))
    old, new = objections
    await enter_desk(client, town.department)
    listed = [
        (await client.get(f"/desk/months/objections?page={number}")).text for number in (1, 2)
    ]
    assert [page.count(">答复</a>") for page in listed] == [1, 1]
    assert "共 2 条，第 2 / 2 页" in listed[1]
    await enter(client, town.committee)
    second = (await client.get("/verify/objections?page=2")).text
    answers = f'action="/verify/objections/{new}?page=2"'
    assert (answers in second, f"/verify/objections/{old}" in second) == (True, False)
    wrong = await post(client, f"/verify/objections/{new}?page=2", verdict="rejected", text="")
    assert (wrong.status_code, answers in wrong.text) == (422, True)


async def test_a_letter_that_nobody_handed_over_is_counted(client: httpx.AsyncClient) -> None:
    """The notice, then the decision, of somebody without a phone; until each is recorded."""
    town = await small_county()
    form = deductions.Proposal(
        worker_id=town.worker.person_id,
        code="PEN-01",
        amount=20,
        happened_on=today(),
        facts="例会无故缺席",
        evidence="签到表",
    )
    number = await deductions.propose(await acting(town.lead), form, now())
    chief, late = await acting(town.chief), now() + timedelta(days=20)

    async def said() -> tuple[bool, bool, bool]:
        await enter(client, town.chief)
        todo, listed = [(await client.get(f"/verify{path}")).text for path in ("", "/deductions")]
        await enter_desk(client, town.department)
        desk = (await client.get("/desk")).text
        return "扣分文书待送达" in todo, 'id="letters"' in listed, "扣分文书待送达" in desk

    assert await said() == (True, True, True)
    await deductions.serve(chief, number, today(), "本人签收", now())
    assert await said() == (False, False, False)
    await deductions.decide(
        await acting(town.instructor), number, stands=True, reason="没有请假条", now=late
    )
    assert await said() == (True, True, True)
    await deductions.serve(chief, number, today(late), "本人签收", late)
    assert await said() == (False, False, False)
    await enter(client, town.lead)
    assert "扣分文书待送达" not in (await client.get("/verify")).text


async def test_a_review_of_the_public_s_objection_asks_what_is_true(
    client: httpx.AsyncClient,
) -> None:
    """To keep the result would refuse the record here, where the worker asked for the review."""
    town = await small_county()
    record = await confirmed(town, 8)
    await to_notice(town)
    found = await month.contest(await acting(town.chief), record.id, "那天没有开会", CLOSED)
    committee = await acting(town.committee)
    await month.answer(committee, found, upheld=True, text="签到表上没有", now=CLOSED)
    await month.ask_review(await acting(town.worker), record.id, "有照片", CLOSED)
    await enter(client, town.instructor)
    asked = (await client.get("/verify/objections")).text
    assert "维持原结果" not in asked
    assert "可以请乡镇复核" not in asked, "this is the review"
    assert 'value="upheld" required><span>属实，这条记录不予认定<' in asked
    assert 'value="rejected" required><span>不属实，这条记录照常入账<' in asked
    silent = await post(client, f"/verify/objections/{found}", text="照片属实")
    assert (silent.status_code, "请选择一个结论" in silent.text) == (422, True)
    await post(client, f"/verify/objections/{found}", verdict="rejected", text="照片属实")
    shown = (await client.get(f"/records/{record.id}")).text
    assert "复核：群众意见不属实" in shown
    answers = await DB.fetch(
        "SELECT after ->> 'verdict' FROM shared.audit_event WHERE county_id = $1"
        " AND object_id = $2 AND after ? 'verdict' ORDER BY at, id",
        COUNTY,
        found,
    )
    assert [value_text("verdict", row[0], "objection") for row in answers] == [
        "群众意见属实",
        "群众意见不属实",
    ]
    assert value_text("verdict", "rejected", "objection") == "维持原结果", "as it was chosen then"


async def test_a_month_has_one_line_a_person(client: httpx.AsyncClient) -> None:
    """Whoever signs for the month reads each sum, not a line for each category."""
    town, on = await small_county(), today().replace(day=1) - timedelta(days=1)
    rows = [f"{on},{GRID},{WORKER},ORG-02,参加网格例会,", f"{on},{GRID},{WORKER},LAW-04,反诈,"]
    data = "\r\n".join([HEAD, *rows]).encode("gb18030")
    await intake.import_work(None, COUNTY, data, "a.csv", now=now())
    await bulk.verify_month(COUNTY, last_month(), now())
    await enter(client, town.chief)
    page = (await client.get(f"/verify/months/{VILLAGE}/{last_month()}")).text
    assert page.count(f">{WORKER}<") == 1
    assert "<dt>下一步</dt><dd>月底以后，两委成员和村监委会成员各审核签字一次</dd>" in page
    assert re.search(
        r"：政策法律宣传 1\s条，组织生活参与 1\s条|：组织生活参与 1\s条，政策法律宣传 1\s条", page
    )


async def test_an_upheld_objection_says_what_has_to_be_done(client: httpx.AsyncClient) -> None:
    """What is posted does not change by it: who answers and who objected read what comes next."""
    town = await town_with_records()
    await bulk.post_month(COUNTY, last_month(), now())
    worker = await acting(town.worker)
    (line,) = await service.own_lines(worker)
    objection = await month.object_to(worker, line.id, "那天参加了两次", now())
    await enter(client, town.committee)
    asked = await client.get("/verify/objections")
    assert "如果异议成立：已入账的分数不会自动改" in asked.text
    made = await post(
        client, f"/verify/objections/{objection}", verdict="upheld", text="签到表上有"
    )
    assert "已答复，本人看得到。" in (await client.get(made.headers["location"])).text
    await enter(client, town.worker)
    shown = await client.get(f"/records/{line.id}")
    assert "异议成立。已入账的分数不会自动改。少记的，请网格员补记一条" in shown.text


async def test_a_notice_says_the_days_it_was_published_with(client: httpx.AsyncClient) -> None:
    """Longer notices from now on make no other of one that hangs already."""
    town = await town_with_records()
    begin = today()
    until = await calendar.add_working_days(COUNTY, begin, 5)
    row = MonthRow(id=new_id(), village_code=VILLAGE, month=last_month())
    await month_queries.ensure_month(COUNTY, row.id, VILLAGE, row.month)
    row = msgspec.structs.replace(row, state="notice", notice_from=begin, notice_to=until)
    await month_queries.save_month(COUNTY, row, now())
    await DB.execute(
        "UPDATE shared.county SET settings = settings || '{\"notice_days\": 7}' WHERE id = $1",
        COUNTY,
    )
    await enter_desk(client, town.department)
    address = f"/verify/months/{VILLAGE}/{last_month()}/notice"
    assert "（5个工作日）" in (await client.get(address)).text


async def test_a_sample_is_passed_after_a_question(client: httpx.AsyncClient) -> None:
    """It publishes the month; what was found in the sample cannot be changed any more."""
    town = await town_with_records()
    row = MonthRow(id=new_id(), village_code=VILLAGE, month=last_month())
    await month_queries.ensure_month(COUNTY, row.id, VILLAGE, row.month)
    row = msgspec.structs.replace(row, state="sampling")
    await month_queries.save_month(COUNTY, row, now())
    await enter(client, town.instructor)
    page = (await client.get(f"/verify/months/{VILLAGE}/{last_month()}")).text
    assert 'data-confirm="公示以后，抽查的结果不能再改。确定吗？"' in page


async def test_a_month_that_waits_longer_is_led_to(client: httpx.AsyncClient) -> None:
    """待办 and the desk counted it, and led to last month's list, which does not show it."""
    town = await town_with_records()
    older = month_of(today().replace(day=1) - timedelta(days=40))
    row = MonthRow(id=new_id(), village_code=VILLAGE, month=older)
    await month_queries.ensure_month(COUNTY, row.id, VILLAGE, row.month)
    await month_queries.save_month(COUNTY, msgspec.structs.replace(row, state="sampling"), now())
    chosen = f"chosen={older // 100}-{older % 100:02d}"
    await enter(client, town.instructor)
    assert f'href="/verify/months?{chosen}"' in (await client.get("/verify")).text
    assert month.STATE_NAMES["sampling"] in (await client.get(f"/verify/months?{chosen}")).text
    page = (await client.get(f"/verify/months/{VILLAGE}/{older}")).text
    assert f'class="top__back" href="/verify/months?{chosen}"' in page
    await enter_desk(client, town.department)
    listed = f"/desk/months?step=sampling&{chosen}"
    assert listed.replace("&", "&amp;") in (await client.get("/desk")).text
    assert town.units[VILLAGE].name in (await client.get(listed)).text


async def test_a_notice_is_printed_again_as_it_hung(client: httpx.AsyncClient) -> None:
    """Whatever happens since: an objection found right, a worker's or a village's other name."""
    town = await small_county()
    record = await confirmed(town, 1)
    await confirmed(town, 2)
    row = await to_notice(town)
    await enter_desk(client, town.department)
    address = f"/verify/months/{VILLAGE}/{RUN}/notice"
    hung = (await client.get(address)).text
    assert '<td class="num">2</td>' in hung
    told = await month.contest(await acting(town.chief), record.id, "那天没有开会", CLOSED)
    instructor = await acting(town.instructor)
    await month.answer(instructor, told, upheld=True, text="查过签到表，属实", now=CLOSED)
    assert row.notice_to is not None
    await month.post_ended(COUNTY, CLOSED + timedelta(days=20))
    village = town.units[VILLAGE]
    await office_queries.update_unit(COUNTY, village.id, "新村", None, village.grid_type)
    await DB.execute(
        "UPDATE shared.person SET name = '欧阳银河' WHERE county_id = $1 AND id = $2",
        COUNTY,
        town.worker.person_id,
    )
    assert (await client.get(address)).text == hung
    now_counts = (await client.get(f"/desk/months/{VILLAGE}/{RUN}")).text
    assert now_counts.count("<strong>1</strong>") == 2, "the person's and the sum of all"


async def test_a_file_is_tried_then_stored(client: httpx.AsyncClient) -> None:
    """先检查 writes nothing, 导入 does, the report is a workbook, a wrong file is one sentence."""
    town = await small_county()
    await enter_desk(client, town.department)
    await client.get("/desk/months")
    token = {"_csrf_token": client.cookies["csrftoken"]}

    async def send(act: str, data: bytes) -> httpx.Response:
        files = {"file": ("work.csv", data, "text/csv")}
        return await client.post("/desk/months/import", data=token | {"act": act}, files=files)

    tried = await send("try", file_of())
    assert "还没有写入" in tried.text
    assert "再选一次文件，点“导入”" in tried.text
    count = "SELECT count(*) FROM points.work_record WHERE county_id = $1"
    assert await DB.fetchval(count, COUNTY) == 0
    stored = await send("store", file_of())
    assert "工作记录已导入" in stored.text
    assert await DB.fetchval(count, COUNTY) == 1
    report = await send("report", file_of())
    assert report.content.startswith(b"PK")
    assert quote("工作记录导入_逐行结果") in report.headers["content-disposition"]
    wrong = await send("store", b"%PDF-1.7")
    assert wrong.status_code == 422
    assert "PDF" in wrong.text


async def test_a_deduction_goes_its_whole_way(client: httpx.AsyncClient) -> None:
    """Proposed by the lead, answered, decided by the chief, appealed, decided above."""
    town = await small_county()
    await enter(client, town.lead)
    offered = (await client.get("/verify/deductions/new")).text
    assert ">记错　−1 分<" in offered
    assert ">投诉属实（县级）　−5 分<" in offered
    form = {
        "worker_id": str(town.worker.person_id),
        "choice": "PEN-01:20",
        "happened_on": today().isoformat(),
        "facts": "例会无故缺席",
        "evidence": "签到表",
    }
    wrong = await post(client, "/verify/deductions", **(form | {"facts": " "}))
    assert wrong.status_code == 422
    assert {
        (await post(client, "/verify/deductions", **form | {"choice": f"PEN-01:{odd}"})).status_code
        for odd in ("²", "9" * 5000)
    } == {422}
    made = await post(client, "/verify/deductions", **form)
    address = made.headers["location"]
    number = address.rsplit("/", 1)[1]
    early = await post(
        client, f"/verify/deductions/{number}/decide", verdict="stands", reason="属实"
    )
    assert early.status_code == 404

    await enter(client, town.chief)
    assert "代录本人的书面说明" in (await client.get(address)).text
    await post(client, f"{address}/reply", text="当天发烧")
    assert "当天发烧（书面材料，王书记代录）" in (await client.get(address)).text
    await enter(client, town.lead)
    assert "代录" not in (await client.get(address)).text.replace("王书记代录", "")

    await enter(client, town.worker)
    shown = (await client.get(address)).text
    assert "例会无故缺席" in shown
    assert f"<dt>编号</dt><dd>{number[-12:].upper()}</dd>" in shown, "a complaint names it"
    assert "1 件扣分事项" in (await client.get("/home")).text
    await post(client, f"{address}/reply", text="我请过假")

    await enter(client, town.chief)
    asked = (await client.get("/verify/deductions")).text
    assert ("我请过假" in asked, "checked" in asked) == (True, False)
    silent = await post(client, f"/verify/deductions/{number}/decide", reason="没有请假条")
    assert (silent.status_code, "请选择一个结论" in silent.text) == (422, True)
    decided = await post(
        client, f"/verify/deductions/{number}/decide", verdict="stands", reason="没有请假条"
    )
    assert decided.status_code == 303
    assert "已决定，本人看得到。" in (await client.get(decided.headers["location"])).text

    await enter(client, town.worker)
    await post(client, f"{address}/appeal", text="请假条在网格长那里")
    await enter(client, town.instructor)
    silent = await post(client, f"/verify/deductions/{number}/appeal", reason="没有")
    assert (silent.status_code, "请选择一个结论" in silent.text) == (422, True)
    done = await post(
        client, f"/verify/deductions/{number}/appeal", verdict="rejected", reason="没有"
    )
    assert done.status_code == 303
    await enter(client, town.worker)
    page = (await client.get(address)).text
    assert ("已扣分" in page, "已经评分的，计入下一次" in page) == (True, True)
    assert 'href="/deductions"' in (await client.get("/me")).text, "found again once it is over"
    deducted = "SELECT deducted FROM points.merit_month WHERE county_id = $1"
    assert await DB.fetchval(deducted, COUNTY) == 20
    await enter(client, town.second_worker)
    assert (await client.get(address)).status_code == 404


async def test_a_month_that_is_posted_at_once_waits_for_no_review(
    client: httpx.AsyncClient,
) -> None:
    """In immediate mode no village is said to be collecting for ever, and nothing is unsigned."""
    town = await small_county()
    earlier = await confirmed(town, 1)
    await immediate()
    await confirmed(town, 2)
    await enter_desk(client, town.department)
    address = f"/desk/months/{VILLAGE}/{RUN}"
    shown = (await client.get(address)).text
    assert "申报核实中" in shown  # one waits since the other mode
    async with DB.transaction():
        await posting.post_records(COUNTY, [earlier.id], now())
    for path in (address, "/desk/months?chosen=2026-10", f"/verify/months/{VILLAGE}/{RUN}/notice"):
        shown = (await client.get(path)).text
        assert "申报核实中" not in re.sub("<option.*?</option>", "", shown), path
        assert "未签" not in shown, path
        assert "草稿" not in shown, path
    await enter(client, town.committee)
    for path in ("/verify/months?chosen=2026-10", f"/verify/months/{VILLAGE}/{RUN}"):
        shown = (await client.get(path)).text
        assert "即时入账" in shown, path
        assert "整月审核通过" not in shown, path
    assert "不用整月审核、公示" in shown
