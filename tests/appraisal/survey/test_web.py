"""The pages of the survey as residents, interviewers, keyers and the department click them."""

import io
import re
from uuid import UUID

import httpx
import openpyxl
import pytest

from appraisal.survey import field, slips, web_field
from appraisal.survey.rules import ASPECTS, slip_id, slip_number
from shared.database import DB
from shared.documents.excel import MIME
from shared.roster.roles import Role
from tests.appraisal.survey.world import (
    AT,
    GRID,
    SECOND,
    VALUE,
    VILLAGE,
    World,
    closed,
    drawn,
    frozen,
    interviewing,
    printed,
    sheet,
    vote,
)
from tests.factories import COUNTY, acting, member, small_county
from tests.shared.identity.test_matrix import act_as, token

BALLOT = {"aware": "1", **{f"v{number}": "80" for number in range(1, 7)}}


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form as our own pages send it."""
    return await client.post(path, data={"_csrf_token": await token(client), **fields})


async def test_a_resident_votes_without_a_trace(client: httpx.AsyncClient) -> None:
    """No cookie either way, no referrer, no cache; the worker's name after the gate question."""
    made = await drawn()
    slip = (await printed(made))[GRID][0]
    client.cookies.clear()
    shown = await client.get(f"/s/{slip}")
    assert shown.status_code == 200
    assert shown.text.index("您知道隽1第1网格的网格员是谁吗") < shown.text.index("欧阳金山")
    assert all(f"{aspect.title}<small>{aspect.prompt}" in shown.text for aspect in ASPECTS)
    assert "谁也查不到" in shown.text
    half = await client.post(f"/s/{slip}", data={"aware": "1", "v1": "80"})
    assert (half.status_code, "还有没选的" in half.text) == (422, True)
    done = await client.post(f"/s/{slip}", data={**BALLOT, "comment": "路灯坏了"})
    assert (done.status_code, "谢谢您，已收到" in done.text) == (200, True)
    again = await client.post(f"/s/{slip}", data=BALLOT)
    assert (again.status_code, "已经交过了" in again.text) == (409, True)
    for answer in (shown, half, done, again):
        assert "set-cookie" not in answer.headers
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "csrf" not in re.sub(r'<meta name="csrf-token" content="">', "", answer.text)


@pytest.mark.parametrize(
    "slip", ["421222." + "A" * 22, "421222.short", "%00", "999999." + "A" * 22]
)
async def test_what_is_no_slip_gets_kind_words(client: httpx.AsyncClient, slip: str) -> None:
    """Unknown, cut off, of no county: one sentence and whom to ask."""
    await drawn()
    for answer in (await client.get(f"/s/{slip}"), await client.post(f"/s/{slip}", data=BALLOT)):
        assert answer.status_code == 404
        assert "再扫一次" in answer.text
        assert "联系组织部" in answer.text


async def test_only_what_counts_is_ticked(client: httpx.AsyncClient) -> None:
    """A slip used before has a green tick; one that comes after the end is told so in red."""
    made = await drawn()
    used, late = (await printed(made))[GRID][:2]
    await client.post(f"/s/{used}", data=BALLOT)
    assert "result_ok" in (await client.get(f"/s/{used}")).text
    await closed(made)
    for answer in (await client.get(f"/s/{late}"), await client.post(f"/s/{late}", data=BALLOT)):
        assert (answer.status_code, "已经结束" in answer.text) == (409, True)
        assert "result_bad" in answer.text


async def test_the_department_goes_from_list_to_result(client: httpx.AsyncClient) -> None:
    """Import, freeze, draw, print, close: every page shows what the next step needs."""
    made = await frozen()
    await act_as(client, made.county.department)
    tried = await client.post(
        "/appraisal/desk/households",
        data={"_csrf_token": await token(client), "act": "try"},
        files={"file": ("households.csv", sheet(), "text/csv")},
    )
    assert (tried.status_code, "不变 160" in tried.text) == (200, True)
    assert "再选一次文件，点“导入”" in tried.text
    ending = await client.post(
        "/appraisal/desk/households",
        data={"_csrf_token": await token(client), "act": "try", "end_missing": "1"},
        files={"file": ("h.csv", f"网格编码,户号\n{GRID},001".encode(), "text/csv")},
    )
    assert "原有而表中没有的 39 户将删除。请再选一次文件，仍勾选删除，点“导入”" in ending.text
    base = f"/appraisal/desk/cycles/{made.cycle_id}/survey"
    home = await client.get(base)
    assert made.survey.list_hash in home.text
    assert (await post(client, f"{base}/draw", public_value="")).status_code == 422
    assert (await post(client, f"{base}/draw", public_value=VALUE)).status_code == 303
    assert VALUE in (await client.get(f"{base}/notice")).text
    assert (await client.get(f"{base}/list")).content.count(b"\n") == 161
    assert "正选" in (await client.get(f"{base}/drawn")).text
    assert 'href="/appraisal/visits/' in (await client.get(f"{base}?code=421222100")).text
    early = await client.get(f"{base}/results")
    assert (early.status_code, "结束以后才有结果" in early.text) == (409, True)
    for slip in (await printed(made))[GRID][:6]:
        await vote(slip, words="路灯坏了")
    assert (await post(client, f"{base}/close")).status_code == 303
    result = await client.get(f"{base}/results?code={VILLAGE}")
    assert (result.status_code, "样本不足 20 张" in result.text) == (200, True)
    assert "不足 5 张，不单列" in result.text
    assert (await client.get(f"{base}/words")).text.count("<li>路灯坏了</li>") == 6


async def test_a_refused_list_comes_back_red(client: httpx.AsyncClient) -> None:
    """The sheet as it was, the wrong cell red, its reason beside it; for who sent it only."""
    county = await small_county()
    await act_as(client, county.department)
    answer = await client.post(
        "/appraisal/desk/households",
        data={"_csrf_token": await token(client), "act": "store"},
        files={"file": ("隽水镇住户.csv", f"网格编码,户号\n{GRID},张三家\n{GRID},7\n".encode())},
    )
    assert (answer.status_code, "下载标红的表格" in answer.text) == (422, True)
    found = re.search(r'href="(/appraisal/desk/households/[^"]+/report\.xlsx)"', answer.text)
    assert found
    book = await client.get(found[1])
    assert (book.status_code, book.headers["content-type"]) == (200, MIME)
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows == [
        ["网格编码", "户号", "错误说明"],
        [GRID, "张三家", "户号：户号只能是 20 位以内的数字、字母或短横线，不要写姓名。"],
        [GRID, "7", None],
    ]
    red = [cell.coordinate for row in sheet for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"]
    assert red == ["B2"]
    other = await member(Role.DEPARTMENT, county.units["421222"])
    await act_as(client, other)
    assert (await client.get(found[1])).status_code == 404


async def test_who_answers_for_a_unit_reads_its_result_on_the_phone(
    client: httpx.AsyncClient,
) -> None:
    """The own units and what is below, once it is over; no other unit, no words, no small cell."""
    made = await drawn()
    address = f"/appraisal/opinion/{made.cycle_id}"
    tokens = await printed(made)
    for slip in tokens[GRID][:6]:
        await vote(slip, words="路灯坏了")
    for slip in tokens[SECOND][:3]:
        await vote(slip)
    await act_as(client, made.county.instructor)
    assert "还没有测评结果" in (await client.get("/appraisal/opinion")).text
    assert (await client.get(address)).status_code == 409
    await closed(made)
    assert f'href="{address}?code=421222100"' in (await client.get("/appraisal/opinion")).text
    village = (await client.get(f"{address}?code={VILLAGE}")).text.replace("\xa0", " ")
    assert "有效票 6 张" in village
    assert "不足 5 张，不单列" in village
    assert re.search(r"__ft\W+[\d.]+ 分<", village)
    assert village.count('class="chart__bar_1"') == 6
    assert "路灯坏了" not in village
    assert "样本不足" in (await client.get(f"{address}?code={GRID}")).text
    assert "不足 5 张票，不单列" in (await client.get(f"{address}?code={SECOND}")).text
    assert (await client.get(f"{address}?code=421222")).status_code == 404
    await act_as(client, made.county.chief)
    assert "有效票 6 张" in (await client.get(address)).text
    for code in ("421222100", "421222100002", "421222"):
        assert (await client.get(f"{address}?code={code}")).status_code == 404
    await act_as(client, made.county.worker)
    assert (await client.get(address)).status_code == 404
    assert (await client.get("/appraisal/opinion")).status_code == 404


async def test_a_unit_without_a_sample_says_so(client: httpx.AsyncClient) -> None:
    """A code that no household was drawn in is an absent page, at desk and on phone."""
    made = await drawn()
    await closed(made)
    await act_as(client, made.county.department)
    for path in (f"desk/cycles/{made.cycle_id}/survey/results", f"opinion/{made.cycle_id}"):
        answer = await client.get(f"/appraisal/{path}?code=421222999")
        assert (answer.status_code, "没有抽到住户" in answer.text) == (404, True)


async def test_words_of_the_form_are_edited_on_a_page(client: httpx.AsyncClient) -> None:
    """Six titles and prompts, kept as a new version."""
    made = await frozen()
    await act_as(client, made.county.department)
    fields = {
        "_csrf_token": await token(client),
        "titles": [aspect.title for aspect in ASPECTS],
        "prompts": ["说话和气", *(aspect.prompt for aspect in ASPECTS[1:])],
    }
    saved = await client.post("/appraisal/desk/survey-form", data=fields)
    assert saved.status_code == 303
    shown = (await client.get("/appraisal/desk/survey-form")).text
    assert ("说话和气" in shown, "现在是第 2 版" in shown) == (True, True)


async def test_an_interviewer_works_on_the_phone(client: httpx.AsyncClient) -> None:
    """The villages, the list, what became of visits; nothing to print, no slip to see."""
    made = await drawn()
    cousin = await interviewing(made)
    await act_as(client, made.county.cousin_worker)
    address = f"/appraisal/visits/{made.survey.id}/{VILLAGE}"
    assert address in (await client.get("/appraisal/visits")).text
    page = (await client.get(address)).text
    assert "打印测评票" not in page
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    noted = await post(client, address, **{str(rows[GRID][0].id): "handed"})
    assert noted.status_code == 303
    assert "已发票" in (await client.get(address)).text
    assert (await post(client, address)).status_code == 422
    assert (await client.get(address + "/print")).status_code == 200
    assert (await post(client, address + "/slips")).status_code == 404
    await act_as(client, made.county.chief)
    assert (await client.get(address)).status_code == 404


async def test_a_visit_posted_twice_is_one_visit(client: httpx.AsyncClient) -> None:
    """Nobody at home, and the button pressed twice: the household waits for the second visit."""
    made = await drawn()
    cousin = await interviewing(made)
    await act_as(client, made.county.cousin_worker)
    address = f"/appraisal/visits/{made.survey.id}/{VILLAGE}"
    page = (await client.get(address)).text
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    one = str(rows[GRID][0].id)
    hidden = dict(re.findall(r'name="(visits-[^"]*)" value="(\d)"', page))
    for status in (303, 422):
        answer = await post(client, address, **{one: "absent"}, **hidden)
        assert (answer.status_code, " checked>" in answer.text) == (status, False)
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    assert (len(rows[GRID]), rows[GRID][0].status, rows[GRID][0].visits) == (30, "pending", 1)


async def test_a_long_list_of_visits_has_pages(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A village of sixty grids was one form of 160 KB, which was refused with all its marks."""
    monkeypatch.setattr(web_field, "HOUSEHOLDS", 40)
    made = await drawn()
    await interviewing(made)
    await act_as(client, made.county.cousin_worker)
    address = f"/appraisal/visits/{made.survey.id}/{VILLAGE}"
    first, second = (await client.get(address)).text, (await client.get(f"{address}?page=2")).text
    assert "第 1 / 2 页" in first
    assert (first.count('name="visits-'), second.count('name="visits-')) == (40, 20)
    hidden = dict(re.findall(r'name="(visits-[^"]*)" value="(\d)"', second))
    marks = {name.removeprefix("visits-"): "handed" for name in hidden}
    saved = await post(client, f"{address}?page=2", **hidden, **marks)
    assert saved.headers["location"] == f"{address}?page=2"
    assert (await client.get(f"{address}?page=2")).text.count("已发票") >= 20
    _, rows, _ = await field.hand_out_list(
        await acting(made.county.cousin_worker), made.survey.id, VILLAGE
    )
    assert sum(row.status == "handed" for grid in rows.values() for row in grid) == 20


async def test_marks_stay_when_one_of_them_is_refused(client: httpx.AsyncClient) -> None:
    """Another noted one household meanwhile: the other marks of the page were lost with it."""
    made = await drawn()
    cousin = await interviewing(made)
    await act_as(client, made.county.cousin_worker)
    address = f"/appraisal/visits/{made.survey.id}/{VILLAGE}"
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    one, other = (str(row.id) for row in rows[GRID][:2])
    await field.note_visits(cousin, made.survey.id, VILLAGE, {UUID(one): "handed"}, AT)
    refused = await post(client, address, **{one: "refused", other: "absent"})
    assert (refused.status_code, "不能再改" in refused.text) == (422, True)
    assert f'name="{other}" value="absent" checked' in refused.text
    assert (await post(client, address, **{other: "absent"})).status_code == 303


async def test_the_township_prints_and_names_interviewers(client: httpx.AsyncClient) -> None:
    """Slips once, on the answer only; a villager is refused as interviewer."""
    made = await drawn()
    await act_as(client, made.county.instructor)
    address = f"/appraisal/visits/{made.survey.id}/{VILLAGE}"
    assert "再加一批备选住户，加了不能去掉" in (await client.get(address)).text
    answer = await post(client, address + "/slips")
    assert answer.status_code == 200
    assert answer.text.count('class="ballot-slip"') == 60
    assert "都已有票" in (await post(client, address + "/slips")).text
    own = await post(client, address + "/interviewers", person_id=str(made.county.lead.person_id))
    assert (own.status_code, "不能是本村" in own.text) == (422, True)
    other = str(made.county.instructor.person_id)
    assert (await post(client, address + "/interviewers", person_id=other)).status_code == 303
    assert (await post(client, address + "/interviewers/end", person_id=other)).status_code == 303
    assert "不用补抽" in (await post(client, address + "/top-up")).text


async def test_too_many_slips_are_printed_grid_by_grid(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that says so leads to each grid's own page, which prints them."""
    made = await drawn()
    monkeypatch.setattr(slips, "SHEET_LIMIT", 40)
    await act_as(client, made.county.instructor)
    refused = await post(client, f"/appraisal/visits/{made.survey.id}/{VILLAGE}/slips")
    assert (refused.status_code, "请按网格打印" in refused.text) == (422, True)
    grids = re.findall(rf'href="(/appraisal/visits/{made.survey.id}/\d{{15}})"', refused.text)
    assert len(grids) == 2
    for grid in grids:
        assert "打印测评票" in (await client.get(grid)).text
        answer = await post(client, grid + "/slips")
        assert answer.text.count('class="ballot-slip"') == 30


async def test_a_slip_names_its_village_wherever_it_was_printed(client: httpx.AsyncClient) -> None:
    """From the page of the village and from that of a grid the head of a slip is the same."""
    made = await drawn()
    units = made.county.units
    await act_as(client, made.county.instructor)
    for code in (GRID, VILLAGE):
        address = f"/appraisal/visits/{made.survey.id}/{code}"
        page = (await post(client, address + "/slips")).text
        head = re.findall(r"<p>(\S+)　不记名", page)
        grids = {GRID} if code == GRID else {SECOND}
        assert set(head) == {units[VILLAGE].name + units[grid].name for grid in grids}


async def test_the_notice_of_the_draw_stays_as_it_was_drawn(client: httpx.AsyncClient) -> None:
    """Printed again after somebody refused, it does not count the replacement as drawn."""
    made = await drawn()
    notice = f"/appraisal/desk/cycles/{made.survey.cycle_id}/survey/notice"
    figures = re.compile(r'<tr><td>(.+?)</td>.*?<td class="num">(\d+)</td></tr>')
    await act_as(client, made.county.department)
    before = figures.findall((await client.get(notice)).text)
    cousin = await interviewing(made)
    _, rows, _ = await field.hand_out_list(cousin, made.survey.id, VILLAGE)
    await field.note_visits(cousin, made.survey.id, VILLAGE, {rows[GRID][0].id: "refused"}, AT)
    assert len((await field.hand_out_list(cousin, made.survey.id, VILLAGE))[1][GRID]) == 31
    assert figures.findall((await client.get(notice)).text) == before != []


async def test_what_no_village_or_slip_has_is_not_found(client: httpx.AsyncClient) -> None:
    """A mistyped address or number is said to be one, on every page."""
    made = await drawn()
    await act_as(client, made.county.department)
    address = f"/appraisal/visits/{made.survey.id}/421222999999"
    for path in (address, address + "/print"):
        assert (await client.get(path)).status_code == 404
    papers = f"/appraisal/papers/{made.survey.id}"
    assert (await post(client, papers, code="②" * 10)).status_code == 404


async def test_nobody_of_the_village_interviews_one_of_its_grids(client: httpx.AsyncClient) -> None:
    """Neither named nor offered on the page of a grid, whose lead's post is the village's."""
    made = await drawn()
    await act_as(client, made.county.instructor)
    address = f"/appraisal/visits/{made.survey.id}/{GRID}"
    page = (await client.get(address)).text
    for villager in (made.county.lead, made.county.second_worker):
        assert str(villager.person_id) not in page
        fields = {"person_id": str(villager.person_id)}
        named = await post(client, address + "/interviewers", **fields)
        assert (named.status_code, "不能是本村" in named.text) == (422, True)


async def test_who_ends_a_survey_hears_of_papers_that_would_be_lost(
    client: httpx.AsyncClient,
) -> None:
    """One paper keyed in once: it counts only if somebody keys it again before the end."""
    made = await drawn()
    slip = (await printed(made))[GRID][0]
    await act_as(client, made.county.department)
    home = f"/appraisal/desk/cycles/{made.cycle_id}/survey"
    words = "还有 1 张纸质票没有录完，结束后不再计入"
    assert words not in (await client.get(home)).text
    await keyed(client, made, slip)
    assert words in (await client.get(home)).text


async def keyed(client: httpx.AsyncClient, made: World, code: str, **changes: str) -> str:
    """Open a paper and key it in; what the entry screen says then."""
    address = f"/appraisal/papers/{made.survey.id}"
    opened = await post(client, address, code=code)
    act = "decide" if "第三人核对" in opened.text else "key"
    return (await post(client, f"{address}/{act}", code=code, **(BALLOT | changes))).text


async def test_two_people_key_a_paper(client: httpx.AsyncClient) -> None:
    """First, second with a difference, a third person decides; a wrong number is said."""
    made = await drawn()
    numbers = [slip_number(slip_id(slip)) for slip in (await printed(made))[GRID][:2]]
    await act_as(client, made.county.department)
    assert "第一遍已录" in await keyed(client, made, numbers[0])
    assert "换一个人录第二遍" in await keyed(client, made, numbers[0])
    assert "第一遍已录" in await keyed(client, made, numbers[1])
    assert "不能用了" in await keyed(client, made, "0000000000")
    await act_as(client, made.county.instructor)
    assert "两遍一致，已计入" in await keyed(client, made, numbers[0])
    assert "两遍不一致：工作态度" in await keyed(client, made, numbers[1], v1="20")
    early = await post(client, f"/appraisal/papers/{made.survey.id}", code=numbers[1])
    assert (early.status_code, "您录过这张票" in early.text) == (403, True)
    assert "第三人" in await keyed(client, made, numbers[1])
    clerk = await member(Role.DEPARTMENT, made.county.units["421222"])
    await act_as(client, clerk)
    third = (await post(client, f"/appraisal/papers/{made.survey.id}", code=numbers[1])).text
    shown = re.findall(r"<tr><th[^>]*>(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", third)
    assert shown == [("工作态度", "满意", "不满意")]
    assert len(re.findall(r"<input[^>]* checked", third)) == 6
    assert "已计入" in await keyed(client, made, numbers[1])
    count = "SELECT count(*) FROM appraisal.ballot_inbox WHERE county_id = $1"
    assert await DB.fetchval(count, COUNTY) == 2


async def test_slips_stand_in_the_order_of_their_hashes(rollback: None) -> None:
    """What is stored says nothing of the order of printing, and no token can be got from it."""
    made = await drawn()
    found = await slips.print_slips(made.department, made.survey.id, VILLAGE, "http://x", AT)
    tokens = [slip.url.rpartition("/")[2] for slip in found]
    rows = await DB.fetch(
        "SELECT id, ballot_slip::text AS whole FROM appraisal.ballot_slip"
        " WHERE county_id = $1 ORDER BY ctid",
        COUNTY,
    )
    assert [row["id"] for row in rows] == sorted(slip_id(one) for one in tokens)
    stored = "".join(row["whole"] for row in rows)
    assert not any(one.partition(".")[2] in stored for one in tokens)
    await closed(made)
