"""The doors in a browser: cookies, errors on the form, what is public, what is no-store."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import msgspec
import pytest
from litestar import Litestar
from structlog.testing import capture_logs

from shared.clock import now, today
from shared.database import DB
from shared.identity import accounts, hashing
from shared.identity.rules import totp
from shared.retention.registry import PERSON, PHOTO
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.roster.routes import ROSTER_ROUTES
from tests.factories import COUNTY, Member, member, small_county
from tests.shared.identity.test_matrix import act_as, token
from tests.shared.identity.worlds import NOW, OTHER_PIN, PIN, actor_of, slip_of, with_pin

PASSWORD = "village oak in white bloom"


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form as a browser sends it: with the token of a page."""
    if "csrftoken" not in client.cookies:
        await client.get("/sign-in")
    token = client.cookies["csrftoken"]
    return await client.post(path, data={"_csrf_token": token, **fields})


async def enter(client: httpx.AsyncClient, member: Member) -> None:
    """Sign in on a phone."""
    await with_pin(member)
    answer = await post(client, "/sign-in", phone=member.phone, pin=PIN)
    assert answer.status_code == 303, answer.text


async def enter_desk(client: httpx.AsyncClient, member: Member) -> None:
    """Sign in at a desk."""
    secrets = await accounts.desk_secrets(PASSWORD, member.phone)
    await accounts.give_desk(COUNTY, member.person_id, secrets, NOW)
    assert secrets.totp_key is not None
    code = totp(secrets.totp_key, int(now().timestamp()) // 30)
    answer = await post(client, "/desk/sign-in", phone=member.phone, password=PASSWORD, code=code)
    assert answer.status_code == 303, answer.text


async def test_sign_in_sets_a_fresh_http_only_cookie(client: httpx.AsyncClient) -> None:
    """A token that the browser brought along is never adopted (session fixation)."""
    world = await small_county()
    client.cookies.set("gm", f"{COUNTY}.chosen-by-somebody-else", domain="points.local", path="/")
    await with_pin(world.worker)
    answer = await post(client, "/sign-in", phone=world.worker.phone, pin=PIN)
    cookies = answer.headers.get_list("set-cookie")
    session = next(text for text in cookies if text.startswith("gm="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "chosen" not in session
    first = client.cookies["gm"]
    await post(client, "/sign-in", phone=world.worker.phone, pin=PIN)
    assert client.cookies["gm"] != first


async def test_every_cookie_of_a_sign_in_stays_on_https(
    client: httpx.AsyncClient, application: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session's, the device's and the look's."""
    world = await small_county()
    await accounts.set_text_size(await actor_of(world.worker), "elder")
    before = application.state.settings
    secured = msgspec.structs.replace(before, public_url="https://grid.example")
    monkeypatch.setattr(application.state, "settings", secured)
    await with_pin(world.worker)
    answer = await post(client, "/sign-in", phone=world.worker.phone, pin=PIN)
    cookies = answer.headers.get_list("set-cookie")
    assert {text.partition("=")[0] for text in cookies} == {
        "__Host-gm",
        "__Host-gm-device",
        "text_size",
    }
    for text in cookies:
        assert {"Secure", "HttpOnly", "SameSite=lax"} <= set(text.split("; ")), text


async def test_wrong_pin_is_a_sentence_on_the_form(client: httpx.AsyncClient) -> None:
    """422, the number kept, the PIN not."""
    world = await small_county()
    await with_pin(world.worker)
    answer = await post(client, "/sign-in", phone=world.worker.phone, pin=OTHER_PIN)
    assert answer.status_code == 422
    assert "手机号或密码不对" in answer.text
    assert world.worker.phone in answer.text
    assert OTHER_PIN not in answer.text


async def test_numbers_without_account_wait_like_others(
    client: httpx.AsyncClient, application: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the sentence nor the waiting tells who has an account, now or after waiting."""
    world = await small_county()
    await with_pin(world.worker)
    seen = []
    for phone in (world.worker.phone, "13" + world.worker.phone[2:][::-1]):
        answers: list[httpx.Response] = []
        for minute in (0, 0, 0, 0, 0, 0, 0, 1, 1, 3, 3):
            at = NOW + timedelta(minutes=minute)
            monkeypatch.setattr(application.state, "clock", lambda at=at: at)
            spaced = f"{phone[:3]} {phone[3:]}" if len(answers) % 2 else phone
            answers.append(await post(client, "/sign-in", phone=spaced, pin=OTHER_PIN))
        seen.append([(answer.status_code, said(answer)) for answer in answers])
    assert [status for status, _ in seen[0]] == [422] * 5 + [429] * 2 + [422, 429] * 2
    assert seen[1] == seen[0]


async def test_numbers_without_account_are_used_up_like_others(
    client: httpx.AsyncClient, application: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After twenty tries of a day both hear the same, and the next day both may try again."""
    world = await small_county()
    await with_pin(world.worker)
    seen = []
    for phone in (world.worker.phone, "13" + world.worker.phone[2:][::-1]):
        answers = []
        for quarter in (*range(22), 100):
            at = NOW + timedelta(minutes=16 * quarter)
            monkeypatch.setattr(application.state, "clock", lambda at=at: at)
            answers.append(await post(client, "/sign-in", phone=phone, pin=OTHER_PIN))
        seen.append([(answer.status_code, said(answer)) for answer in answers])
    assert [status for status, _ in seen[0]] == [422] * 20 + [429] * 2 + [422]
    assert seen[1] == seen[0]


async def test_numbers_without_account_are_sent_away_like_others(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While too many sign in neither number is counted."""
    world = await small_county()
    await with_pin(world.worker)
    seen = []
    for phone in (world.worker.phone, "13" + world.worker.phone[2:][::-1]):
        with monkeypatch.context() as storm:
            storm.setattr(hashing, "QUEUE_CAP", 0)
            busy = [await post(client, "/sign-in", phone=phone, pin=OTHER_PIN) for _ in range(7)]
        after = [await post(client, "/sign-in", phone=phone, pin=OTHER_PIN) for _ in range(6)]
        seen.append([answer.status_code for answer in busy + after])
    assert seen == [[503] * 7 + [422] * 5 + [429]] * 2


async def test_numbers_without_slip_wait_like_others(client: httpx.AsyncClient) -> None:
    """Who waits for activation is nobody's business: eight digits are tried the same for all."""
    world = await small_county()
    await slip_of(await actor_of(world.chief), world.worker)
    seen = []
    for phone in (world.worker.phone, world.lead.phone, "13" + world.worker.phone[2:][::-1]):
        form = {"phone": phone, "digits": "12345678", "pin": PIN, "again": PIN}
        answers = [await post(client, "/activate", **form) for _ in range(7)]
        seen.append([(answer.status_code, said(answer)) for answer in answers])
    assert [status for status, _ in seen[0]] == [422] * 5 + [429] * 2
    assert seen[1] == seen[0]
    assert seen[2] == seen[0]


def said(answer: httpx.Response) -> str:
    """The sentence over the form, without the seconds that run."""
    [sentence] = re.findall(r"[^>]*(?:不对|再试|次数太多)[^<]*", answer.text)[:1]
    return re.sub(r"\d+ 秒", "秒", str(sentence)).strip()


async def test_activation_by_scanning(client: httpx.AsyncClient) -> None:
    """The slip's page asks three things and signs in; a second scan says what to do."""
    world = await small_county()
    token, _ = await slip_of(await actor_of(world.chief), world.worker)
    page = await client.get(f"/a/{token}")
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert world.worker.name not in page.text
    weak = await post(
        client, f"/a/{token}", last4=world.worker.phone[-4:], pin="123456", again="123456"
    )
    assert "太容易猜到" in weak.text
    done = await post(
        client,
        f"/a/{token}",
        last4=world.worker.phone[-4:],
        pin=PIN,
        again=PIN,
        text_size="elder",
    )
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert 'data-text="elder"' in (await client.get("/me")).text
    spent = await client.get(f"/a/{token}")
    assert spent.status_code == 404
    assert "重打一张" in spent.text


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_sign_in_never_leads_elsewhere(client: httpx.AsyncClient, address: str) -> None:
    """The way back is an address of ours."""
    world = await small_county()
    await with_pin(world.worker)
    answer = await post(client, "/sign-in", phone=world.worker.phone, pin=PIN, next=address)
    assert answer.headers["location"] == "/"


async def test_own_pages(client: httpx.AsyncClient) -> None:
    """Every page of 我的 opens, says no-store, and shows nobody else."""
    world = await small_county()
    await enter(client, world.worker)
    for path in ("/me", "/me/look", "/me/pin", "/me/card-pin", "/me/sessions", "/me/data"):
        page = await client.get(path)
        assert page.status_code == 200, path
        assert page.headers["cache-control"] == "no-store"
        assert world.lead.name not in page.text
    assert "<sound-switch>" in (await client.get("/me/look")).text
    own = (await client.get("/me/data")).text
    assert "row__note" not in own  # sentences are broken like sentences, not kept whole like rows
    assert world.worker.phone in own
    assert f"保存到{PERSON.term}" in own
    assert f"照片保存到{PHOTO.term}" in own
    assert "工作记录" in own
    assert "积分明细" in own
    file = await client.get("/me/data.xlsx")
    assert file.content.startswith(b"PK")


async def test_changing_the_pin_in_the_browser(client: httpx.AsyncClient) -> None:
    """The session goes on under a new token."""
    world = await small_county()
    await enter(client, world.worker)
    before = client.cookies["gm"]
    wrong = await post(client, "/me/pin", old=OTHER_PIN, pin=OTHER_PIN, again=OTHER_PIN)
    assert wrong.status_code == 422
    assert "现在的密码不对" in wrong.text
    assert "手机号" not in wrong.text
    done = await post(client, "/me/pin", old=PIN, pin=OTHER_PIN, again=OTHER_PIN)
    assert "密码已改好" in done.text
    assert client.cookies["gm"] != before
    assert (await client.get("/me")).status_code == 200


async def test_who_has_left_lands_on_a_page_of_theirs(client: httpx.AsyncClient) -> None:
    """Sign-in and 回到首页 lead to 我的, which says what is still open; no hint to what is not."""
    world = await small_county()
    await roster.end_assignment(COUNTY, world.worker.assignment_id)
    await enter(client, world.worker)
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    page = (await client.get("/me")).text
    assert "您已离任。90 天内可查看积分" in page
    assert "<dt>状态</dt><dd>已离任</dd>" in page
    for path in ("/home", "/records"):
        assert "记工作" not in (await client.get(path)).text, path


async def test_secretary_prints_slips_and_sets_a_card_pin(client: httpx.AsyncClient) -> None:
    """On the phone, for the own village only; what is foreign is absent."""
    world = await small_county()
    await enter(client, world.chief)
    listed = await client.get("/verify/accounts")
    assert listed.text.count(f">{world.worker.name}<") == 1, "one row for slip and account"
    assert f'href="/verify/accounts/{world.worker.person_id}"' in listed.text
    assert world.cousin_worker.name not in listed.text
    sheet = await post(client, "/verify/accounts/slips", person=str(world.worker.person_id))
    assert re.search(r"\d{4} \d{4}", sheet.text)
    own = f"/verify/accounts/{world.worker.person_id}"
    assert (await client.get(own)).status_code == 200
    assert "已设好" in (await post(client, f"{own}/card-pin", pin=PIN, again=PIN)).text
    lost = await post(client, f"{own}/revoke", reason="手机丢失")
    assert lost.status_code == 303
    assert "所有设备都已退出登录" in (await client.get(lost.headers["location"])).text
    foreign = f"/verify/accounts/{world.cousin_worker.person_id}"
    absent = "/verify/accounts/0198c0de-0000-7000-8000-000000000000"
    texts = {
        re.sub(r'(value|content)="[^"]*"', "", (await client.get(p)).text)
        for p in (foreign, absent)
    }
    assert len(texts) == 1
    answer = await post(client, "/verify/accounts/slips", person=str(world.cousin_worker.person_id))
    assert answer.status_code == 404


async def test_a_township_s_lists_say_in_which_village(client: httpx.AsyncClient) -> None:
    """Every village has a 第一网格: people, accounts and cards name the village, too."""
    world = await small_county()
    await enter(client, world.instructor)
    village, grid = world.worker.unit_code[:12], world.worker.unit_code
    place = {world.units[village].name + sign + world.units[grid].name for sign in ("", " ")}
    for path in ("/verify/people", "/verify/accounts", "/verify/cards"):
        page = (await client.get(path)).text
        assert any(name in page for name in place), path


async def test_the_phone_s_list_of_accounts_leads_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second page said neither which page it is nor how to get back to the first."""
    monkeypatch.setattr(accounts, "PAGE", 1)
    world = await small_county()
    await enter(client, world.chief)
    second = (await client.get("/verify/accounts?page=2")).text
    assert "第 2 / " in second
    assert 'page=1" rel="prev"' in second


async def test_the_desk_manages_accounts(client: httpx.AsyncClient) -> None:
    """List, one account, stop it with a reason."""
    world = await small_county()
    await enter_desk(client, world.department)
    assert world.cousin_worker.name in (await client.get("/desk/accounts")).text
    assert ">退出登录</button>" in (await client.get("/desk/accounts")).text
    own = f"/desk/accounts/{world.worker.person_id}"
    await with_pin(world.worker)
    shown = await client.get(own)
    assert shown.status_code == 200
    fields = re.findall(r' id="(f-[^"]+)"', shown.text)
    assert len(fields) == len(set(fields)), "two fields of one id share a label"
    assert (await post(client, f"{own}/disable")).status_code == 422
    assert (await post(client, f"{own}/disable", reason="手机被盗")).status_code == 303
    assert "已停用" in (await client.get(own)).text


async def test_an_account_not_used_yet_was_not_used_long_ago(client: httpx.AsyncClient) -> None:
    """已久 is for sign-ins that are no longer kept; a desk that nobody came for has had none."""
    world = await small_county()
    admin = await member(Role.ADMIN, world.units["421222"])
    secrets = await accounts.desk_secrets(PASSWORD, admin.phone)
    for days, words in ((100, "从未"), (300, "已久")):
        given = now() - timedelta(days=days)
        await DB.execute("DELETE FROM shared.account WHERE person_id = $1", admin.person_id)
        await accounts.give_desk(COUNTY, admin.person_id, secrets, given)
        client.cookies.clear()
        await enter_desk(client, world.department)
        shown = (await client.get("/desk/accounts/stale")).text
        line = next(row for row in shown.split("<tr>") if f">{admin.name}<" in row)
        assert f"<td>{words}</td>" in line


async def test_every_post_of_a_person_counts_on_the_account_page(client: httpx.AsyncClient) -> None:
    """A committee member who is a gridworker has a card; a trainer who instructs has a desk."""
    world = await small_county()
    for unit, role, someone in (
        ("421222100001", Role.COMMITTEE, world.worker),
        ("421222100", Role.TRAINER, world.instructor),
    ):
        post_id = await roster.add_post(COUNTY, world.units[unit].id, role)
        await roster.assign(COUNTY, post_id, someone.person_id, today(), now=now())
    await enter(client, world.chief)
    own = f"/verify/accounts/{world.worker.person_id}"
    assert "设兑换卡密码" in (await client.get(own)).text
    other = await client.get(f"/verify/accounts/{world.committee.person_id}")
    assert "设兑换卡密码" not in other.text
    admin = await member(Role.ADMIN, world.units["421222"])
    client.cookies.clear()
    await enter_desk(client, admin)
    assert 'type="checkbox"' not in (await client.get("/desk/accounts")).text
    own = f"/desk/accounts/{world.instructor.person_id}"
    assert "电脑端账号" in (await client.get(own)).text
    made = await post(client, f"{own}/password", password=PASSWORD)
    assert "<h1>管理台账号</h1>" in made.text
    assert "电脑端账号" not in (await client.get(f"/desk/accounts/{world.chief.person_id}")).text


async def test_desk_pages_need_a_desk_session(client: httpx.AsyncClient) -> None:
    """A secretary's phone finds nothing there."""
    world = await small_county()
    await enter(client, world.chief)
    assert (await client.get("/desk/accounts")).status_code == 404


async def test_the_desk_says_why_nothing_can_be_written(
    client: httpx.AsyncClient, application: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who works there can have it mended; strangers and phones hear only that it is so."""
    world = await small_county()
    await enter_desk(client, world.department)
    monkeypatch.setattr(application.state.gate, "reasons", ("磁盘：/var/lib/x 只剩 5 MB",))
    assert "/var/lib/x 只剩 5 MB" in (await client.get("/desk/accounts")).text
    answers = [await post(client, "/sign-out"), await client.get("/ready")]
    client.cookies.clear()
    answers.append(await client.get("/desk/sign-in"))
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert not any("/var/lib/x" in answer.text for answer in answers)


async def test_an_address_of_odd_bytes_is_no_defect(
    client: httpx.AsyncClient, application: Litestar
) -> None:
    """An old browser's query in GBK, a host with a port that is none: the page, or the door."""

    async def gbk(scope: Any, receive: Any, send: Any) -> None:
        scope["query_string"] = b"next=\xd6\xd0"
        await application(scope, receive, send)

    transport = httpx.ASGITransport(gbk)
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as http:
        for path, status in (("/sign-in", 200), ("/me", 303), ("/nowhere", 404)):
            assert (await http.get(path)).status_code == status
            answer = await client.get(path, headers={"host": "points:none"})
            assert answer.status_code == status


@pytest.mark.parametrize("path", ["/sign-in", "/preferences", "/work", "/appraisal/duty/new"])
async def test_a_form_of_other_bytes_is_a_sentence(client: httpx.AsyncClient, path: str) -> None:
    """Parts in GBK or of an unknown alphabet: no defect of ours."""
    world = await small_county()
    await act_as(client, world.instructor if "duty" in path else world.worker)
    headers = {
        "content-type": "multipart/form-data; boundary=x",
        "x-csrftoken": await token(client),
    }
    for kind, value in (("text/plain", "隽水".encode("gbk")), ("text/plain; charset=none", b"1")):
        head = f'--x\r\nContent-Disposition: form-data; name="text"\r\nContent-Type: {kind}'
        body = head.encode() + b"\r\n\r\n" + value + b"\r\n--x--\r\n"
        answer = await client.post(path, content=body, headers=headers)
        assert (answer.status_code, "内容有误，请检查后重试" in answer.text) == (400, True)
        program = headers | {"accept": "application/json"}
        answer = await client.post(path, content=body, headers=program)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


async def test_a_form_of_an_ended_session_comes_back_to_its_page(client: httpx.AsyncClient) -> None:
    """Sign-in leads to where the form stood: many take a form and have no page of their own."""
    world = await small_county()
    await with_pin(world.worker)
    await client.get("/sign-in")
    client.headers["referer"] = "http://points/me/sessions?page=2"
    for path in ("/sign-out", "/me/sessions/end-others"):
        answer = await post(client, path)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?unsaved=1&next=/me/sessions%3Fpage%3D2"
        assert "刚才按的没有办成" in (await client.get(answer.headers["location"])).text
    asked = await client.get("/work/new?category=MED&rule=MED-01")
    assert asked.headers["location"] == "/sign-in?next=/work/new%3Fcategory%3DMED%26rule%3DMED-01"
    client.headers["referer"] = "http://[points"  # what is no address names no page
    assert (await post(client, "/sign-out")).headers["location"] == "/sign-in?unsaved=1"
    assert (await post(client, "/sign-in", phone="1", pin="1")).status_code == 422
    del client.headers["referer"]
    answer = await client.post("/sign-out", headers={"origin": "http://[points"})
    assert answer.status_code == 403
    answer = await post(client, "/sign-out")
    entry = answer.headers["location"]
    following = dict(parse_qsl(urlsplit(entry).query))
    answer = await post(client, "/sign-in", phone=world.worker.phone, pin=PIN, **following)
    assert answer.status_code == 303
    assert (await client.get(answer.headers["location"])).status_code < 400


async def test_an_idle_desk_is_led_to_its_door_and_told_why(client: httpx.AsyncClient) -> None:
    """From any page, a phone's too; requests that no hand made have not kept it alive."""
    world = await small_county()
    await enter_desk(client, world.department)
    browser = {"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}
    ends = "SELECT expires_at FROM shared.session WHERE kind = 'desk'"
    await DB.execute("UPDATE shared.session SET expires_at = expires_at - interval '9 minutes'")
    before = await DB.fetchval(ends)
    for own in (browser, {"sec-fetch-mode": "cors"}, {"sec-fetch-mode": "no-cors"}):
        assert (await client.get("/desk/accounts", headers=own)).status_code == 200
        assert await DB.fetchval(ends) == before
    assert (await client.get("/desk/alive", headers={"sec-fetch-mode": "cors"})).status_code == 204
    after = await DB.fetchval(ends)
    assert after > before
    pressed = browser | {"sec-fetch-user": "?1"}
    assert (await client.get("/desk/accounts", headers=pressed)).status_code == 200
    await DB.execute("UPDATE shared.session SET expires_at = $1", now())
    for path, door in (
        ("/desk/accounts?q=a", "/desk/sign-in?next=/desk/accounts%3Fq%3Da&idle=1"),
        ("/me", "/desk/sign-in?next=/me&idle=1"),
    ):
        answer = await client.get(path)
        assert answer.headers["location"] == door
    assert "没有操作，为了安全已自动退出" in (await client.get(door)).text
    assert (await client.get("/desk/alive")).status_code == 303
    await DB.execute("UPDATE shared.session SET revoked_at = $1", now())
    assert "idle" not in (await client.get("/desk/accounts")).headers["location"]


@pytest.mark.parametrize("name", ["中文", "a\r\nX-Forged: 1", "a&next=b"])
async def test_a_fragment_asked_without_session_leads_to_sign_in(
    client: httpx.AsyncClient, name: str
) -> None:
    """Whatever stands in its address: no page of a defect, and no header of the visitor's own."""
    answer = await client.get(f"/desk/rules/{quote(name)}", headers={"hx-request": "true"})
    assert answer.status_code == 204
    entry = answer.headers["hx-redirect"]
    assert entry.isprintable()
    assert dict(parse_qsl(urlsplit(entry).query)) == {"next": f"/desk/rules/{name}"}


async def test_who_asks_for_what_is_not_theirs_is_logged(client: httpx.AsyncClient) -> None:
    """The page says nothing, the log says who asked for which route, or tried a strange number."""
    world = await small_county()
    await enter(client, world.worker)
    with capture_logs() as said:
        assert (await client.get(f"/desk/accounts/{world.lead.person_id}")).status_code == 404
        await post(client, "/sign-in", phone="13899999999", pin=OTHER_PIN)
    route = "GET /desk/accounts/{person_id}"
    refused = {"route": route, "person": str(world.worker.person_id), "reason": "role"}
    warned = [line for line in said if line["log_level"] == "warning"]
    assert [line["event"] for line in warned] == ["refused", "sign_in_refused"]
    assert refused.items() <= warned[0].items()
    assert "13899999999" not in str(said)


async def test_own_data_names_who_can_correct_it(client: httpx.AsyncClient) -> None:
    """The department: a secretary has no page that changes a name or a number."""
    world = await small_county()
    await enter(client, world.worker)
    assert "姓名、手机号、岗位由组织部更正" in (await client.get("/me/data")).text
    rows = [row for row in ROSTER_ROUTES if row.endswith("/edit") and row.startswith("POST")]
    assert rows
    assert all(ROSTER_ROUTES[row].roles == frozenset({Role.DEPARTMENT}) for row in rows)


@pytest.mark.parametrize("number", ["sNaN", "NaN", "1e999999", "-1e400", "0.001", "9" * 40])
async def test_odd_numbers_are_refused(client: httpx.AsyncClient, number: str) -> None:
    """With a sentence on the settings' form and on the list of accounts, never a defect."""
    world = await small_county()
    await enter_desk(client, world.department)
    page = (await client.get("/desk/settings")).text
    shown = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', page))
    chosen = {"posting_mode": "monthly", "public_names": "masked", "expiry_policy": "never"}
    del shown["_csrf_token"]
    answer = await post(client, "/desk/settings", **shown | chosen | {"point_value": number})
    assert answer.status_code == 422
    assert "小数位太多或数字太大" in answer.text
    assert (await post(client, "/desk/settings", **shown | chosen)).status_code == 303
    assert (await client.get(f"/desk/accounts?page={number}")).status_code == 422


async def test_the_settings_say_what_they_do(client: httpx.AsyncClient) -> None:
    """The closing day moves past days of rest; a year's points count from the work, not posting."""
    world = await small_county()
    await enter_desk(client, world.department)
    page = (await client.get("/desk/settings")).text
    assert "遇休息日顺延到下一个工作日" in page
    assert "从做工作那天起满 365 天到期" in page


async def test_the_department_is_called_as_the_county_says(client: httpx.AsyncClient) -> None:
    """Wherever a page names it: whom to ask, whose post it is, who signs in at a desk."""
    town = await small_county()
    await DB.execute(
        "UPDATE shared.county SET settings = settings || $2::jsonb WHERE id = $1",
        COUNTY,
        '{"department_name": "社会工作部"}',
    )
    pages = [await client.get("/sign-in")]
    await enter(client, town.accountant)
    pages.append(await client.get("/funds"))
    await enter_desk(client, town.department)
    paths = (
        "/me",
        "/desk/roster",
        f"/desk/roster/people/{town.department.person_id}",
        f"/desk/roster/posts/{town.department.post_id}",
        f"/desk/roster/units/{COUNTY}/post",
        "/desk/accounts",
        f"/desk/accounts/{town.department.person_id}",
        "/desk/audit?subject=post",
        "/me/data",
    )
    await post(client, f"/desk/roster/units/{COUNTY}/post", role="department")
    pages += [await client.get(path) for path in paths]
    for page in pages:
        assert page.status_code == 200, page.url
        assert "社会工作部" in page.text, page.url
        assert "组织部" not in page.text, page.url
