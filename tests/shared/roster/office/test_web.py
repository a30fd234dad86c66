"""The desk's roster pages and the verifier's 名册, as a browser uses them."""

import io
import re
from datetime import timedelta

import httpx
import msgspec
import openpyxl
import pytest

from shared.clock import now, today
from shared.database import DB
from shared.documents.excel import MIME
from shared.identity import staff
from shared.roster import service as roster
from shared.roster.intake.columns import IMPORTABLE
from shared.roster.office.schemas import LEAVINGS, TRANSFERS
from shared.roster.roles import Role, UnitKind
from shared.roster.rules import ROLES_AT
from tests.factories import (
    COUNTY,
    STARTED,
    Member,
    SmallCounty,
    acting,
    member,
    phone,
    shop,
    small_county,
)
from tests.shared.documents import books
from tests.shared.identity.test_web import enter, enter_desk, post
from tests.shared.roster.intake import sheets


async def desk(client: httpx.AsyncClient) -> SmallCounty:
    """The small county with its department signed in."""
    world = await small_county()
    await enter_desk(client, world.department)
    return world


async def see(client: httpx.AsyncClient, path: str, *texts: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    for text in texts:
        assert text in answer.text, text
    return answer.text


async def test_the_tree_is_walked_from_county_to_grid(client: httpx.AsyncClient) -> None:
    """Every level shows its counts, its posts, and links to the next."""
    await desk(client)
    page = await see(client, "/desk/roster", "通城县", "隽水镇", "麦市镇", "周部长", "800")
    assert 'href="/desk/roster?unit=421222100"' in page
    await see(client, "/desk/roster?unit=421222100", "隽1社区居委会", "尹玉梅")
    page = await see(client, "/desk/roster?unit=421222100001", "王书记", "欧阳金山", "郑志强")
    assert "单小梅" in page
    await see(client, "/desk/roster?unit=421222100001001", "欧阳金山")
    assert (await client.get("/desk/roster?unit=421223")).status_code == 404
    assert (await client.get("/desk/roster?unit=421222999")).status_code == 404


async def test_people_are_found_by_name_pinyin_initials_and_phone(
    client: httpx.AsyncClient,
) -> None:
    """A phone only whole: its last digits find nobody."""
    world = await desk(client)
    number = world.committee.phone
    for query in ("单小", "小梅", "shanxiao", "sxm", "SXM", number, f"{number[:3]} {number[3:]}"):
        page = await see(client, f"/desk/roster/people?q={query}", "单小梅", "共 1 条")
        asked = (f'value="{query}"', f"/desk/roster/people?q={query}")
        assert number not in page.replace(asked[0], "").replace(asked[1], "")
    await see(client, f"/desk/roster/people?q={number[-4:]}", "没有符合条件")
    await see(client, "/desk/roster/people?role=gridworker&unit=421222101", "卢立新", "共 1 条")
    await see(client, "/desk/roster/people?state=former", "没有符合条件")
    assert (await client.get("/desk/roster/people?role=king")).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "people?q=%00",
        "people?page=99999999999999999999",
        "people?page=0",
        "people?state=x",
        "?unit=%00",
    ],
)
async def test_odd_addresses_are_refused(client: httpx.AsyncClient, path: str) -> None:
    """With a sentence, never a defect."""
    await desk(client)
    assert (await client.get(f"/desk/roster/{path}".replace("/?", "?"))).status_code == 422


async def test_an_odd_path_is_refused(client: httpx.AsyncClient) -> None:
    """NUL cannot be stored, so nobody can have it."""
    await desk(client)
    assert (await client.get("/desk/roster/units/%00/add")).status_code == 404


async def test_odd_forms_are_refused(client: httpx.AsyncClient) -> None:
    """Nothing stands below a grid; a code has digits of one kind; a version is a small number."""
    world = await desk(client)
    assert (await client.get("/desk/roster/units/421222100001001/add")).status_code == 404
    odd = {"number": "٣٣٣", "name": "第九网格"}
    answer = await post(client, "/desk/roster/units/421222100001/add", **odd)
    assert answer.status_code == 422
    odd = {"name": "张三", "employment": "contract", "version": "9" * 30}
    address = f"/desk/roster/people/{world.worker.person_id}/edit"
    assert (await post(client, address, **odd)).status_code == 422


async def test_a_phone_is_shown_on_demand_and_recorded(client: httpx.AsyncClient) -> None:
    """Masked until asked for; the asking is an audit event."""
    world = await desk(client)
    path = f"/desk/roster/people/{world.worker.person_id}"
    page = await see(client, path, "欧阳金山", "****")
    assert world.worker.phone not in page
    answer = await post(client, f"{path}/phone")
    assert world.worker.phone in answer.text
    seen = await DB.fetchval(
        "SELECT count(*) FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'roster.phone' AND object_id = $2",
        COUNTY,
        world.worker.person_id,
    )
    assert seen == 1


async def test_two_people_editing_one_form(client: httpx.AsyncClient) -> None:
    """The second to save is told, keeps what was typed, and nothing is overwritten."""
    world = await desk(client)
    path = f"/desk/roster/people/{world.worker.person_id}"
    page = await see(client, f"{path}/edit")
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    fields = {"employment": "contract", "version": found[1]}
    answer = await post(client, f"{path}/edit", name="欧阳金", full_time="1", **fields)
    assert answer.status_code == 303
    answer = await post(client, f"{path}/edit", name="欧阳银", **fields)
    assert answer.status_code == 409
    assert "别人已改过" in answer.text
    assert 'value="欧阳银"' in answer.text
    card = await roster.person(COUNTY, world.worker.person_id)
    assert card is not None
    assert (card.name, card.full_time) == ("欧阳金", True)


async def test_wrong_fields_have_sentences(client: httpx.AsyncClient) -> None:
    """Bad name, bad phone, somebody else's phone, no reason."""
    world = await desk(client)
    path = f"/desk/roster/people/{world.worker.person_id}/edit"
    good = {"name": "欧阳金山", "employment": "contract", "version": "1"}
    for fields, sentence in (
        ({"name": "<b>"}, "只能有汉字"),
        ({"name": ""}, "请填写"),
        ({"phone": "123"}, "11 位数字"),
        ({"employment": "king"}, "请从列表中选择"),
    ):
        answer = await post(client, path, **(good | fields))
        assert (answer.status_code, sentence in answer.text) == (422, True), sentence
    answer = await post(client, path, **(good | {"phone": world.chief.phone}))
    assert answer.status_code == 409
    assert "已登记给另一个人" in answer.text


async def test_leaving_moving_and_appointing(client: httpx.AsyncClient) -> None:
    """A worker leaves; another moves into the vacant grid; a new one takes the place left."""
    world = await desk(client)
    day = today()
    path = f"/desk/roster/assignments/{world.worker.assignment_id}"
    await see(client, f"{path}/end", "办理离任", "等申诉期满", *LEAVINGS)
    leaving = {"leaving": LEAVINGS[0], "reason": "11 月 20 日申请"}
    answer = await post(client, f"{path}/end", on=f"{day}", leaving=LEAVINGS[0], reason="")
    assert (answer.status_code, "请填写" in answer.text) == (422, True)
    answer = await post(client, f"{path}/end", on="2025-01-01", **leaving)
    assert (answer.status_code, "须晚于到岗日期" in answer.text) == (422, True)
    answer = await post(client, f"{path}/end", on=f"{day}", **leaving)
    assert answer.status_code == 303
    answer = await post(client, f"{path}/end", on=f"{day}", **leaving)
    assert answer.status_code == 409
    await see(client, "/desk/roster/vacancies?unit=421222100", "隽1第1网格", "任命")
    await see(client, "/desk/roster/people?state=former", "欧阳金山", "没有岗位")
    yesterday = day - timedelta(days=1)
    grid = "/desk/roster?unit=421222100001001"
    assert "欧阳金山" not in await see(client, grid)
    await see(client, f"{grid}&on={yesterday}", "欧阳金山", "的情况")
    await see(client, f"/desk/roster/posts/{world.worker.post_id}", "历任", "欧阳金山",
              "本人申请离任（有书面申请）：11 月 20 日申请")  # fmt: skip

    path = f"/desk/roster/assignments/{world.second_worker.assignment_id}/transfer"
    page = await see(client, path, "隽1第1网格")
    assert str(world.worker.post_id) in page
    fields = {"post_id": str(world.worker.post_id), "on": f"{day}", "reason": "工作需要"}
    for other in ({}, {"ground": ""}, {"ground": "工作需要"}, {"ground": LEAVINGS[0]}):
        answer = await post(client, path, **fields, **other)
        assert (answer.status_code, "也没有决定文书" in answer.text) == (422, True), other
    assert all(ground in page for ground in TRANSFERS)
    fields |= {"ground": TRANSFERS[0], "reason": "11 月 20 日同意书"}
    assert (await post(client, path, **fields)).status_code == 303
    [now_at, left] = await roster.history(COUNTY, world.second_worker.person_id)
    assert now_at.reason == left.reason == f"{TRANSFERS[0]}：11 月 20 日同意书"
    place = await roster.worker_place(COUNTY, world.second_worker.person_id, day)
    assert place is not None
    assert place.grid_code == "421222100001001"

    path = f"/desk/roster/posts/{world.second_worker.post_id}/appoint"
    await see(client, path, "任命网格员")
    fields = {"name": "新来人", "phone": phone(), "employment": "contract", "valid_from": f"{day}"}
    answer = await post(client, path, **fields)
    assert answer.status_code == 303
    await see(client, answer.headers["location"], "新来人", "网格员")
    answer = await post(client, path, **(fields | {"name": "又来人", "phone": phone()}))
    assert (answer.status_code, "由新来人担任" in answer.text) == (409, True)
    answer = await post(client, path, **(fields | {"name": "冒名", "phone": world.chief.phone}))
    assert (answer.status_code, "另一个姓名" in answer.text) == (422, True)


async def test_no_gridworker_is_dismissed_by_a_word_at_the_desk(client: httpx.AsyncClient) -> None:
    """Only leavings from the list, which is no dismissal; the audit has it with its paper."""
    world = await desk(client)
    path = f"/desk/roster/assignments/{world.worker.assignment_id}/end"
    fields = {"on": f"{today()}", "reason": "不能胜任"}
    for other in ({}, {"leaving": ""}, {"leaving": "不胜任"}, {"leaving": "x" * 61}):
        answer = await post(client, path, **fields, **other)
        assert answer.status_code == 422, other
    answer = await post(client, path, **fields, leaving="不胜任")
    assert "请在“考核事项·退出”里办理" in answer.text
    assert await roster.duties_at(COUNTY, world.worker.person_id, today())
    room = 199 - len(LEAVINGS[2])
    answer = await post(client, path, **fields | {"reason": "字" * (room + 1)}, leaving=LEAVINGS[2])
    assert (answer.status_code, f"最多 {room} 个字" in answer.text) == (422, True)
    reason = f"{LEAVINGS[2]}：{'字' * room}"
    answer = await post(client, path, **fields | {"reason": "字" * room}, leaving=LEAVINGS[2])
    assert answer.status_code == 303
    [tenure] = await roster.history(COUNTY, world.worker.person_id)
    assert (tenure.valid_to, tenure.reason) == (today(), reason)
    recorded = await DB.fetchval(
        "SELECT reason FROM shared.audit_event WHERE county_id = $1 AND action = 'assignment.end'",
        COUNTY,
    )
    assert recorded == reason


async def test_other_roles_leave_for_a_reason_in_free_words(client: httpx.AsyncClient) -> None:
    """The list is the gridworkers'; a lead's form has none."""
    world = await desk(client)
    path = f"/desk/roster/assignments/{world.committee.assignment_id}/end"
    assert LEAVINGS[0] not in await see(client, path, "办理离任")
    assert (await post(client, path, on=f"{today()}", reason="任期届满")).status_code == 303
    [tenure] = await roster.history(COUNTY, world.committee.person_id)
    assert tenure.reason == "任期届满"


async def test_a_future_assignment_can_be_taken_back(client: httpx.AsyncClient) -> None:
    """Before it begins; afterwards only ended."""
    world = await desk(client)
    unit = world.units["421222101002001"]
    answer = await post(client, f"/desk/roster/units/{unit.code}/post", role="gridworker")
    path = answer.headers["location"]
    day = today() + timedelta(days=10)
    fields = {"name": "新来人", "phone": phone(), "employment": "contract", "valid_from": f"{day}"}
    answer = await post(client, path, **fields)
    person = answer.headers["location"]
    page = await see(client, person, "还没开始", "取消")
    found = re.search(r"/desk/roster/assignments/[-0-9a-f]+/cancel", page)
    assert found
    assert (await post(client, found[0])).status_code == 303
    await see(client, person, "现在没有岗位")
    path = f"/desk/roster/assignments/{world.worker.assignment_id}/cancel"
    assert (await post(client, path)).status_code == 409


async def test_a_transfer_taken_back_leaves_the_old_post_as_it_was(
    client: httpx.AsyncClient,
) -> None:
    """Else it would still end on the day, and the person hold nothing from then on."""
    world = await desk(client)
    other = await roster.add_post(COUNTY, world.units["421222100001002"].id, Role.GRIDWORKER)
    day = today() + timedelta(days=10)
    move = f"/desk/roster/assignments/{world.worker.assignment_id}/transfer"
    fields = {"post_id": str(other), "on": f"{day}", "reason": "工作需要", "ground": TRANSFERS[0]}
    assert (await post(client, move, **fields)).status_code == 303
    [coming, old] = await roster.history(COUNTY, world.worker.person_id)
    assert (old.valid_to, coming.valid_from) == (day, day)
    heir = await member(Role.GRIDWORKER, world.units["421222101001002"])
    await roster.assign(COUNTY, old.post_id, heir.person_id, day, now=now())
    back = f"/desk/roster/assignments/{coming.id}/cancel"
    refused = await post(client, back)
    assert (refused.status_code, "原岗位" in refused.text) == (409, True)
    [promised] = [t for t in await roster.history(COUNTY, heir.person_id) if t.valid_from == day]
    heirs = f"/desk/roster/assignments/{promised.id}/cancel"
    assert (await post(client, heirs)).status_code == 303
    assert (await post(client, back)).status_code == 303
    [kept] = await roster.history(COUNTY, world.worker.person_id)
    assert (kept.id, kept.valid_to) == (old.id, None)
    person = await see(client, f"/desk/roster/people/{world.worker.person_id}", "调岗")
    assert "现在没有岗位" not in person


async def left(client: httpx.AsyncClient, someone: Member) -> None:
    """Somebody leaves by their own wish, today."""
    path = f"/desk/roster/assignments/{someone.assignment_id}/end"
    answer = await post(client, path, on=f"{today()}", leaving=LEAVINGS[0], reason="11 月申请")
    assert answer.status_code == 303


async def test_a_number_that_is_somebody_elses_by_now(client: httpx.AsyncClient) -> None:
    """Given up by who has left and cannot be asked, it can be the newcomer's; not while in post."""
    world = await desk(client)
    person = f"/desk/roster/people/{world.worker.person_id}"
    fields = {"name": world.worker.name, "employment": "contract", "version": "1", "given_up": "1"}
    assert "注销这个号码" not in await see(client, f"{person}/edit")
    answer = await post(client, f"{person}/edit", **fields)
    assert (answer.status_code, "还在岗位上" in answer.text) == (422, True)
    await left(client, world.worker)
    fill = f"/desk/roster/posts/{world.worker.post_id}/appoint"
    new = {"name": "新来人", "phone": world.worker.phone, "employment": "contract"}
    answer = await post(client, fill, **new, valid_from=f"{today()}")
    assert (answer.status_code, "注销号码" in answer.text) == (422, True)
    await see(client, f"{person}/edit", "注销这个号码")
    assert (await post(client, f"{person}/edit", **fields)).status_code == 303
    await see(client, person, world.worker.name, "****")
    await see(client, "/desk/audit?subject=person", "号码已注销")
    assert await roster.person_by_phone(COUNTY, world.worker.phone) is None
    assert (await post(client, fill, **new, valid_from=f"{today()}")).status_code == 303
    fields = fields | {"version": "2", "phone": phone(), "given_up": ""}
    assert (await post(client, f"{person}/edit", **fields)).status_code == 303
    card = await roster.person_by_phone(COUNTY, fields["phone"])
    assert card is not None
    assert card.id == world.worker.person_id


async def test_who_comes_back_is_the_same_person(client: httpx.AsyncClient) -> None:
    """By the number they had; with another one only somebody says that it is not the same."""
    world = await desk(client)
    await left(client, world.worker)
    fill = f"/desk/roster/posts/{world.worker.post_id}/appoint"
    back = {"name": world.worker.name, "phone": phone(), "employment": "volunteer"}
    answer = await post(client, fill, **back, valid_from=f"{today()}")
    assert (answer.status_code, "一位已离任的欧阳金山" in answer.text) == (422, True)
    assert 'name="another"' in answer.text
    known = back | {"phone": world.worker.phone, "political": "中共党员"}
    assert (await post(client, fill, **known, valid_from=f"{today()}")).status_code == 303
    card = await roster.person(COUNTY, world.worker.person_id)
    assert card is not None
    assert (card.employment_type, card.full_time) == ("volunteer", False)
    assert (card.political, len(await roster.history(COUNTY, card.id))) == ("中共党员", 2)

    await left(client, world.second_worker)
    fill = f"/desk/roster/posts/{world.second_worker.post_id}/appoint"
    other = back | {"name": world.second_worker.name, "another": "1"}
    assert (await post(client, fill, **other, valid_from=f"{today()}")).status_code == 303
    found = await roster.person_by_phone(COUNTY, other["phone"])
    assert found is not None
    assert found.id != world.second_worker.person_id


async def test_units_and_posts(client: httpx.AsyncClient) -> None:
    """Added with a code, renamed once, closed when empty."""
    world = await desk(client)
    base = "/desk/roster/units"
    await see(client, f"{base}/421222100001/add", 'value="003"', "新增网格")
    fields = {"number": "003", "name": "雁塔第3网格", "households": "88"}
    answer = await post(client, f"{base}/421222100001/add", **fields)
    assert answer.headers["location"] == "/desk/roster?unit=421222100001003"
    assert (await post(client, f"{base}/421222100001/add", **fields)).status_code == 409
    answer = await post(client, f"{base}/421222100001/add", **(fields | {"number": "3"}))
    assert answer.status_code == 422
    made = await roster.unit_by_code(COUNTY, "421222100001003")
    assert made is not None
    assert (made.grid_type, made.households) == ("community", 88)

    page = await see(client, f"{base}/421222100001003/edit")
    found = re.search(r'name="was" value="([^"]+)"', page)
    assert found
    fields = {"name": "雁塔三网格", "households": "90", "grid_type": "rural", "was": found[1]}
    path = f"{base}/421222100001003/edit"
    assert (await post(client, path, **fields)).status_code == 303
    answer = await post(client, path, **fields)
    assert (answer.status_code, "别人已改过" in answer.text) == (409, True)
    await see(client, "/desk/audit?subject=unit", "网格类型：城镇社区 → 农村", "户数：88 → 90")

    answer = await post(client, f"{base}/421222100001/post", role="gridworker")
    assert answer.status_code == 422
    answer = await post(client, f"{base}/421222100001/post", role="lead", grids="421222101001001")
    assert answer.status_code == 422
    answer = await post(client, f"{base}/421222100001/post", role="lead", grids="421222100001003")
    assert answer.status_code == 303
    post_id = answer.headers["location"].split("/")[-2]
    answer = await post(client, f"/desk/roster/posts/{post_id}/close")
    assert answer.headers["location"] == "/desk/roster?unit=421222100001"
    answer = await post(client, f"/desk/roster/posts/{world.chief.post_id}/close")
    assert (answer.status_code, "还有人" in answer.text) == (409, True)

    assert (await post(client, f"{base}/421222100001003/close")).status_code == 303
    assert (await client.get("/desk/roster?unit=421222100001003")).status_code == 404
    answer = await post(client, f"{base}/421222100001/close")
    assert (answer.status_code, "在这里任职" in answer.text) == (409, True)


async def test_a_village_that_becomes_rural_takes_its_grids_along(
    client: httpx.AsyncClient,
) -> None:
    """Workers are compared by their grid's type: the village's own changed nothing."""
    world = await desk(client)
    village = world.units["421222100001"]
    path = f"/desk/roster/units/{village.code}/edit"
    page = await see(client, path, "同类型的网格跟着改")
    other = "421222100001002"
    await DB.execute("UPDATE shared.unit SET grid_type = 'other' WHERE code = $1", other)
    found = re.search(r'name="was" value="([^"]+)"', page)
    assert found
    fields = {"name": "隽一村", "grid_type": "rural", "was": found[1]}
    assert (await post(client, path, **fields)).status_code == 303
    units = {unit.code: unit for unit in await roster.units_below(COUNTY, village.code)}
    assert [units[code].grid_type for code in sorted(units)] == ["rural", "rural", "other"]
    events = await DB.fetch(
        "SELECT unit_code FROM shared.audit_event WHERE county_id = $1 AND action = 'unit.edit'"
        " ORDER BY unit_code",
        COUNTY,
    )
    assert [row["unit_code"] for row in events] == [village.code, "421222100001001"]


async def upload(client: httpx.AsyncClient, data: bytes, name: str = "a.xlsx") -> httpx.Response:
    token = client.cookies["csrftoken"]
    return await client.post(
        "/desk/roster/import",
        data={"_csrf_token": token},
        files={"file": (name, data), "divisions": ("", b"")},
    )


async def test_import_from_choosing_to_done(client: httpx.AsyncClient) -> None:
    """Preview, accept, done; a fault gives the workbook in red; a bad file one sentence."""
    await desk(client)
    await see(client, "/desk/roster/import", "选择文件")
    answer = await upload(client, b"%PDF")
    assert (answer.status_code, "PDF" in answer.text) == (422, True)
    answer = await upload(client, b"", "")
    assert (answer.status_code, "请选择花名册文件" in answer.text) == (422, True)

    people = sheets.staff()
    people[0]["手机号"] = "1"
    answer = await upload(client, sheets.workbook(people))
    page = await see(client, answer.headers["location"], "1 处错误", "第 4 行“手机号”", "标红")
    assert ">导入</button>" not in page
    found = re.search(r"/desk/roster/import/[-0-9a-f]+/report.xlsx", page)
    assert found
    report = await client.get(found[0])
    assert report.headers["content-type"] == MIME
    assert report.content.startswith(b"PK")
    answer = await post(client, answer.headers["location"])
    assert (answer.status_code, "没有导入任何内容" in answer.text) == (422, True)

    answer = await upload(client, sheets.workbook(sheets.staff()))
    run = answer.headers["location"]
    await see(client, run, ">导入</button>", "不在新表", "身份证号")
    assert (await post(client, run, end_missing="1")).status_code == 303
    await see(client, run, "已导入")
    answer = await post(client, run)
    assert (answer.status_code, "已经导入过" in answer.text) == (409, True)
    await see(client, "/desk/roster?unit=421222100200", "石南村委会")

    answer = await upload(client, sheets.workbook(sheets.staff()))
    run = answer.headers["location"]
    assert (await post(client, f"{run}/cancel")).status_code == 303
    await see(client, run, "已过期或已放弃")


async def test_a_file_moves_gridworkers_only_where_somebody_says_there_are_papers(
    client: httpx.AsyncClient,
) -> None:
    """As the desk's form does; nobody is asked where no gridworker moves."""
    world = await desk(client)
    await upload_and_accept(client, sheets.staff())
    people = sheets.staff()
    people[4] |= {"网格编码": "421222100001003", "网格名称": "雁塔社区第3网格", "户数": 103}
    answer = await upload(client, sheets.workbook(people))
    run = answer.headers["location"]
    await see(client, run, "调岗的 1 名网格员", 'name="papers"')
    answer = await post(client, run)
    assert (answer.status_code, "本人书面同意或决定文书" in answer.text) == (409, True)
    assert (await post(client, run, papers="1")).status_code == 303
    held = await roster.holders(COUNTY, Role.GRIDWORKER, "421222100001003", today())
    assert [holder.name for holder in held] == ["欧阳金山"]
    assert world.worker.name == "欧阳金山"


async def upload_and_accept(client: httpx.AsyncClient, people: list[sheets.Cells]) -> None:
    """A file without moves of gridworkers asks for nothing."""
    answer = await upload(client, sheets.workbook(people))
    assert 'name="papers"' not in (await client.get(answer.headers["location"])).text
    assert (await post(client, answer.headers["location"])).status_code == 303


async def test_the_box_for_the_missing_leaves_gridworkers_out(client: httpx.AsyncClient) -> None:
    """It counts the others, and is not there where only gridworkers are missing."""
    world = await desk(client)
    export = await client.get("/desk/roster/export.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(export.content)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet]
    workers, run = {world.worker.name, world.second_worker.name}, ""
    for left_out, box in ((workers, False), (workers | {world.committee.name}, True)):
        kept = [row for row in rows if not left_out.intersection(map(str, row))]
        answer = await upload(client, books.xlsx(kept))
        run = answer.headers["location"]
        page = await see(client, run, "不在新表", "请逐人办理离任或退出")
        assert ("不在新表里的 1 人一并离任（网格员不在内" in page) == box
        assert ('name="end_missing"' in page) == box
    assert (await post(client, run, end_missing="1")).status_code == 303
    assert await roster.duties_at(COUNTY, world.committee.person_id, today()) == ()
    assert await roster.duties_at(COUNTY, world.worker.person_id, today())


async def test_an_export_imports_as_nothing_new(client: httpx.AsyncClient) -> None:
    """Phones are masked in it, and still every row is recognised."""
    world = await desk(client)
    answer = await client.get("/desk/roster/export.xlsx")
    assert answer.status_code == 200, answer.text
    assert world.worker.phone.encode() not in answer.content
    last = list(openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0])[-1]
    assert str(last[0].value).startswith(f"导出：{world.department.name} 20")
    answer = await upload(client, answer.content)
    page = await see(client, answer.headers["location"], "没有变化")
    assert "处错误" not in page
    shown = re.findall(r'figures__label">([^<]+)</span><strong>(\d+)<', page)
    counts = {label: int(number) for label, number in shown}
    assert {label for label, number in counts.items() if number} == {"表中人数", "没有变化"}
    template = await client.get("/desk/roster/template.xlsx")
    assert template.content.startswith(b"PK")


async def test_an_export_after_a_merger_opens_no_grid_again(client: httpx.AsyncClient) -> None:
    """The lead's post still names the grid that was closed; the file of today does not."""
    world = await desk(client)
    kept, closed = "421222100001001", "421222100001002"
    both = await member(Role.LEAD, world.units["421222100001"], "双格长", grids=(kept, closed))
    path = f"/desk/roster/assignments/{world.second_worker.assignment_id}/end"
    answer = await post(client, path, on=str(today()), leaving=LEAVINGS[2], reason="11 月 1 日合并")
    assert answer.status_code == 303
    assert (await post(client, f"/desk/roster/units/{closed}/close")).status_code == 303
    answer = await upload(client, (await client.get("/desk/roster/export.xlsx")).content)
    page = await see(client, answer.headers["location"], "没有变化")
    shown = re.findall(r'figures__label">([^<]+)</span><strong>(\d+)<', page)
    assert {label for label, number in shown if int(number)} == {"表中人数", "没有变化"}
    assert "恢复使用" not in page
    [tenure] = await roster.history(COUNTY, both.person_id)
    assert tenure.grids == (kept, closed)


async def test_an_export_with_township_posts_imports_as_nothing_new(
    client: httpx.AsyncClient,
) -> None:
    """Every post that the office may add above a village comes back as it went out."""
    world = await desk(client)
    for code, kind in (("421222", UnitKind.COUNTY), ("421222100", UnitKind.TOWNSHIP)):
        for role in IMPORTABLE.intersection(ROLES_AT[kind]):
            await member(role, world.units[code])
    answer = await client.get("/desk/roster/export.xlsx")
    answer = await upload(client, answer.content)
    page = await see(client, answer.headers["location"], "没有变化")
    assert "处错误" not in page, page
    assert ">导入</button>" in page


async def test_an_export_of_no_unit_is_absent(client: httpx.AsyncClient) -> None:
    """As on the unit's page."""
    await desk(client)
    for code in ("421222999", "4212221"):
        answer = await client.get(f"/desk/roster/export.xlsx?unit={code}")
        assert answer.status_code == 404, answer.text


async def test_a_day_before_a_post_was_closed_shows_who_held_it(client: httpx.AsyncClient) -> None:
    """What was closed since was there then, with its holder and its count."""
    world = await desk(client)
    tenure, before = world.committee, today() - timedelta(days=7)
    await post(client, f"/desk/roster/assignments/{tenure.assignment_id}/end",
               on=str(today() - timedelta(days=1)), reason="任期届满")  # fmt: skip
    was = await see(client, f"/desk/roster?unit=421222100001&on={before}", "单小梅")
    figures = re.findall(r'figures__label">([^<]+)</span><strong>(\d+)<', was)
    answer = await post(client, f"/desk/roster/posts/{tenure.post_id}/close")
    assert answer.status_code == 303
    page = await see(client, f"/desk/roster?unit=421222100001&on={before}", "单小梅")
    assert re.findall(r'figures__label">([^<]+)</span><strong>(\d+)<', page) == figures
    assert "单小梅" not in await see(client, "/desk/roster?unit=421222100001")
    await see(client, f"/desk/roster/posts/{tenure.post_id}", "单小梅", "任期届满")


async def test_a_day_before_a_unit_was_closed_shows_it(client: httpx.AsyncClient) -> None:
    """In its parent's list and by itself, with nothing to edit."""
    await desk(client)
    before, grid = today() - timedelta(days=7), "421222101002002"
    answer = await post(client, f"/desk/roster/units/{grid}/close")
    assert answer.status_code == 303
    await see(client, f"/desk/roster?unit=421222101002&on={before}", grid, ">200<")
    page = await see(client, f"/desk/roster?unit={grid}&on={before}")
    assert "撤销单位" not in page
    assert grid not in await see(client, "/desk/roster?unit=421222101002")
    assert (await client.get(f"/desk/roster?unit={grid}")).status_code == 404


async def test_a_shop_helper_who_left_is_no_vacancy(client: httpx.AsyncClient) -> None:
    """Posts of shops are filled by the shop: in the figures as in the list of vacancies."""
    world = await desk(client)
    kept = await shop(world.units["421222100001"])
    keeper = await acting(kept.keeper)
    address = "/desk/roster?unit=421222100001"
    before = await see(client, address, "孟国平")
    begun = now() - timedelta(days=3)
    await staff.add_helper(keeper, kept.shop_id, "帮手甲", phone(), begun)
    await see(client, address, "帮手甲")
    line = (await staff.listed(keeper, kept.shop_id, begun))[1]
    await staff.end_helper(keeper, kept.shop_id, line.assignment_id, now())
    after = await see(client, address)
    figure = r'figures__label">空缺岗位</span><strong>(\d+)<'
    assert re.findall(figure, after) == re.findall(figure, before) == ["0"]
    assert after.count("空缺</span>") == before.count("空缺</span>")


async def test_the_department_changes_the_first_keeper_of_a_shop(
    client: httpx.AsyncClient,
) -> None:
    """The shop may not, and without it who has left would keep the right to hand goods out."""
    world = await desk(client)
    kept = await shop(world.units["421222100001"])
    address, keeper = "/desk/roster?unit=421222100001", kept.keeper
    leave = f"/desk/roster/assignments/{keeper.assignment_id}/end"
    assert leave in await see(client, address, "孟国平")
    assert leave in await see(client, f"/desk/roster/people/{keeper.person_id}")
    await see(client, leave, "孟国平")
    answer = await post(client, leave, on=str(today()), reason="不再经营")
    assert answer.status_code == 303
    assert await roster.duties_at(COUNTY, keeper.person_id, today()) == ()
    fill = f"/desk/roster/posts/{keeper.post_id}/appoint"
    assert fill in await see(client, address)
    await see(client, fill, "任命店主")
    fields = {"name": "李新店", "phone": phone(), "employment": "volunteer"}
    answer = await post(client, fill, **fields, valid_from=str(today()))
    assert answer.status_code == 303
    [holder] = await roster.holders(COUNTY, Role.SHOPKEEPER, "421222100001", today())
    assert (holder.name, holder.subject_id) == ("李新店", kept.shop_id)
    [line] = await staff.listed(
        await acting(msgspec.structs.replace(keeper, person_id=holder.person_id)),
        kept.shop_id,
        now(),
    )
    assert line.seat == 1
    for act in (
        f"assignments/{line.assignment_id}/transfer",
        f"assignments/{line.assignment_id}/cancel",
        f"posts/{keeper.post_id}/close",
    ):
        assert (await post(client, f"/desk/roster/{act}")).status_code == 404


async def test_a_person_leads_only_to_an_account_page_that_is_there(
    client: httpx.AsyncClient,
) -> None:
    """Who has not begun, or left so long ago that nobody can sign in, has no page there."""
    world = await desk(client)
    coming = await member(
        Role.GRIDWORKER, world.units["421222101001002"], valid_from=today() + timedelta(days=9)
    )
    await roster.end_assignment(COUNTY, world.second_worker.assignment_id, today())
    long_ago = today() - timedelta(days=90)
    await roster.end_assignment(COUNTY, world.cousin_worker.assignment_id, long_ago)
    for someone in (world.worker, world.second_worker, world.cousin_worker, coming):
        address = f"/desk/accounts/{someone.person_id}"
        page = await see(client, f"/desk/roster/people/{someone.person_id}", someone.name)
        there = (await client.get(address)).status_code == 200
        assert (address in page) is there is (someone in (world.worker, world.second_worker))


async def test_who_has_left_belongs_to_the_unit_left_last(client: httpx.AsyncClient) -> None:
    """Not to where the post began last: that village parted with them long ago."""
    world = await small_county()
    worker, day = world.worker, today()
    other = world.units["421222101001001"]
    post_id = await roster.add_post(COUNTY, other.id, Role.MEDIATOR)
    begun = STARTED + timedelta(days=10)
    ended = begun + timedelta(days=10)
    await roster.assign(COUNTY, post_id, worker.person_id, begun, valid_to=ended, now=now())
    stranger = await member(Role.CHIEF, world.units["421222101001"], "李书记")
    await roster.end_assignment(COUNTY, worker.assignment_id, day)
    path = f"/verify/people/{worker.person_id}"
    await enter(client, stranger)
    assert (await client.get(path)).status_code == 404
    assert (await post(client, f"{path}/phone")).status_code == 404
    client.cookies.clear()
    await enter(client, world.chief)
    await see(client, path, worker.name)
    assert worker.phone in (await post(client, f"{path}/phone")).text


async def test_the_verifiers_list_is_the_own_subtree(client: httpx.AsyncClient) -> None:
    """A chief sees the village, not the other township; a worker sees no list at all."""
    world = await small_county()
    await enter(client, world.chief)
    page = await see(client, "/verify/people", "欧阳金山", "郑志强", "****")
    assert "卢立新" not in page
    await see(client, "/verify/people?q=oyjs", "欧阳金山", "共 1 条")
    path = f"/verify/people/{world.worker.person_id}"
    page = await see(client, path, "网格员", "显示完整手机号", "激活条")
    assert world.worker.phone not in page
    assert world.worker.phone in (await post(client, f"{path}/phone")).text
    other = f"/verify/people/{world.cousin_worker.person_id}"
    assert (await client.get(other)).status_code == 404
    assert (await post(client, f"{other}/phone")).status_code == 404
    assert (await client.get("/desk/roster")).status_code == 404


async def test_a_long_list_goes_on(client: httpx.AsyncClient) -> None:
    """Twenty rows, then a link that htmx replaces by the next."""
    from tests.factories import member

    world = await small_county()
    for _ in range(20):
        await member(Role.COMMITTEE, world.units["421222100002"], "周小明")
    await enter(client, world.instructor)
    page = await see(client, "/verify/people", "加载更多")
    assert page.count('class="weui-cell weui-cell_access"') == 20
    answer = await client.get("/verify/people?q=&page=2", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert answer.text.count("weui-cell_access") > 0
