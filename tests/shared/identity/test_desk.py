"""Desk accounts from the console and from the admin's desk; the purge of what has ended."""

import base64
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest
from click.testing import CliRunner

from deploy.commands import identity as command
from shared.clock import now, today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity import accounts, desk, jobs, queries, sessions, signin
from shared.identity.actor import Actor
from shared.identity.errors import TakenOverAlready, WrongSignIn
from shared.identity.rules import totp
from shared.identity.schemas import DeskAccount, TerminalRow, Voucher
from shared.ids import new_id
from shared.retention.registry import DEVICE, SIGN_IN
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.factories import COUNTY, also_in, member, small_county
from tests.shared.identity.test_web import enter_desk, post
from tests.shared.identity.worlds import NOW, PIN, actor_of, resolved, slip_of, with_pin

PASSWORD = "village oak in white bloom"
OWN = "quiet river under an old bridge"
PHONE = "13712345678"
EARLIER = NOW - timedelta(minutes=2)


def digits(actor: Actor, at: datetime = NOW) -> str:
    """What the authenticator shows that the holder has set up in this session."""
    key = desk.authenticator(actor, "").key
    return totp(base64.b32decode(key), int(at.timestamp()) // 30)


async def console(role: Role = Role.ADMIN, **change: str) -> DeskAccount:
    """The command's service."""
    given = {"name": "钱管理", "phone": PHONE, "password": PASSWORD} | change
    county_name = given.pop("county_name", "")
    return await desk.create_on_console(
        COUNTY, role=role, now=NOW, county_name=county_name, **given
    )


async def signed_in(made: DeskAccount, phone: str = PHONE) -> Actor:
    """Through the door and the takeover, as the printed sheet says."""
    new = await signin.desk_sign_in(COUNTY, phone, PASSWORD, made.code, EARLIER)
    first = await resolved(new, EARLIER)
    assert first.handed
    done = await desk.take_over(first, OWN, OWN, digits(first, EARLIER), EARLIER)
    return await resolved(done.session)


async def test_the_first_admin_of_an_empty_database(rollback: None) -> None:
    """County, person, post, assignment and account in one go; and again changes only secrets."""
    with pytest.raises(NotFound, match="county-name"):
        await console()
    with pytest.raises(Invalid, match="12"):
        await console(county_name="通城县", password="short")
    assert await roster.unit_by_code(COUNTY, str(COUNTY)) is None  # refused as a whole
    made = await console(county_name="通城县")
    assert (await signed_in(made)).roles == {Role.ADMIN}
    again = await console()
    assert again.code != made.code
    assert (await signed_in(again)).roles == {Role.ADMIN}
    both = await console(Role.DEPARTMENT)
    assert (await signed_in(both)).roles == {Role.ADMIN, Role.DEPARTMENT}
    person = await roster.person_by_phone(COUNTY, PHONE)
    assert person is not None
    assert len(await roster.history(COUNTY, person.id)) == 2
    with pytest.raises(Invalid, match="别人名下"):
        await console(name="别人")
    with pytest.raises(Invalid, match="12"):
        await console(password="short")


async def test_a_password_of_what_everybody_knows_is_refused(rollback: None) -> None:
    """The county's and the holder's names with figures, wherever a password is set."""
    guessed = ("tongcheng2026", "qianguanli1986", f"{PHONE}abc")
    for password in guessed:
        with pytest.raises(Invalid, match="太容易猜到"):
            await console(county_name="通城县", password=password)
    made = await console(county_name="通城县")
    new = await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, made.code, EARLIER)
    first = await resolved(new, EARLIER)
    for password in guessed:
        with pytest.raises(Invalid, match="太容易猜到"):
            await desk.take_over(first, password, password, digits(first, EARLIER), EARLIER)
    done = await desk.take_over(first, OWN, OWN, digits(first, EARLIER), EARLIER)
    admin = await resolved(done.session)
    town = await roster.unit_by_code(COUNTY, str(COUNTY))
    assert town is not None
    other = await member(Role.ADMIN, town, "孙审计")
    for password in guessed:
        with pytest.raises(Invalid, match="太容易猜到"):
            await signin.change_password(admin, OWN, password, password, NOW)
    for password in ("tongcheng2026", "sunshenji1986", f"{other.phone}abc"):
        with pytest.raises(Invalid, match="太容易猜到"):
            await desk.open_desk(admin, other.person_id, password, NOW)


async def test_the_admin_opens_desks_for_desk_posts_only(rollback: None) -> None:
    """Not for the own account, not for a gridworker, and nobody else may."""
    world = await small_county()
    admin = await signed_in(await console())
    trainer = await member(Role.TRAINER, world.units["421222100"])
    await desk.open_desk(admin, trainer.person_id, PASSWORD, NOW)
    with pytest.raises(Forbidden):
        await desk.open_desk(admin, admin.person_id, PASSWORD, NOW)
    with pytest.raises(Invalid):
        await desk.open_desk(admin, world.worker.person_id, PASSWORD, NOW)
    auditor = await member(Role.AUDITOR, world.units["421222"])
    department = await actor_of(world.department, desk=True)
    with pytest.raises(NotFound):
        await desk.open_desk(department, auditor.person_id, PASSWORD, NOW)


async def test_an_admin_alone_takes_no_desk_over(rollback: None) -> None:
    """Nor opens the department's or another admin's; holder, department or other admin confirm."""
    world = await small_county()
    other = await member(Role.ADMIN, world.units["421222"])
    admin = await signed_in(await console())

    async def opened(person_id: UUID, holder: Actor | None = None, phone: str = "") -> DeskAccount:
        by = Voucher(phone, OWN, digits(holder)) if holder else None
        return await desk.open_desk(admin, person_id, PASSWORD, NOW, by)

    for someone in (world.department, other):
        with pytest.raises(Invalid, match="另一位系统管理员"):
            await opened(someone.person_id)
    trainer = await member(Role.TRAINER, world.units["421222100"])
    first = await opened(trainer.person_id)
    with pytest.raises(Invalid, match="另一位系统管理员"):
        await opened(trainer.person_id)
    by = Voucher(trainer.phone, PASSWORD, first.code)
    with pytest.raises(Invalid, match="还没有设自己的密码"):
        await desk.open_desk(admin, trainer.person_id, PASSWORD, NOW, by)
    holder = await signed_in(first, trainer.phone)
    with pytest.raises(WrongSignIn):
        await opened(trainer.person_id, holder=admin, phone=trainer.phone)
    again = await opened(trainer.person_id, holder=holder, phone=trainer.phone)
    holder = await signed_in(again, trainer.phone)
    for by_whom, phone in ((admin, PHONE), (holder, trainer.phone)):
        with pytest.raises(Invalid, match="另一位系统管理员"):
            await opened(world.department.person_id, holder=by_whom, phone=phone)
    theirs = await desk.create_on_console(
        COUNTY, other.name, other.phone, Role.ADMIN, PASSWORD, NOW
    )
    holder = await signed_in(theirs, other.phone)
    await opened(world.department.person_id, holder=holder, phone=other.phone)
    said = await DB.fetchval(
        "SELECT after ->> 'confirmed_by' FROM shared.audit_event WHERE object_id = $1"
        " AND action = 'identity.desk_account' AND after IS NOT NULL",
        world.department.person_id,
    )
    assert said == other.name


async def test_the_sheet_serves_for_the_takeover_only(rollback: None) -> None:
    """The administrator knows it: after that it opens nothing, and no other session lives on."""
    await small_county()
    made = await console()
    peek = await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, made.code, NOW)
    first = await resolved(await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, made.code, NOW))
    with pytest.raises(Invalid, match="12"):
        await desk.take_over(first, "short", "short", digits(first), NOW)
    with pytest.raises(Invalid, match="不一样"):
        await desk.take_over(first, OWN, PASSWORD, digits(first), NOW)
    with pytest.raises(Invalid, match="初始密码"):
        await desk.take_over(first, PASSWORD, PASSWORD, digits(first), NOW)
    with pytest.raises(Invalid, match="动态码"):
        await desk.take_over(first, OWN, OWN, "000000", NOW)
    done = await desk.take_over(first, OWN, OWN, digits(first), NOW)
    assert len(done.recovery_codes) == 8
    assert not (await resolved(done.session)).handed
    assert await sessions.resolve(peek.token, NOW) is None
    with pytest.raises(TakenOverAlready):
        await desk.take_over(first, PASSWORD, PASSWORD, digits(first), NOW)
    later = NOW + timedelta(minutes=1)
    for password, code in (
        (PASSWORD, made.code),
        (OWN, made.code),
        (PASSWORD, digits(first, later)),
        (OWN, digits(first)),
    ):
        with pytest.raises(WrongSignIn):
            await signin.desk_sign_in(COUNTY, PHONE, password, code, later)
    later += timedelta(minutes=5)
    for code in (digits(first, later), done.recovery_codes[0]):
        new = await signin.desk_sign_in(COUNTY, PHONE, OWN, code, later)
        assert not (await resolved(new, later)).handed
    who = await DB.fetchval(
        "SELECT object_id FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'identity.take_over'",
        COUNTY,
    )
    assert who == first.person_id


async def test_the_sheet_expires_and_the_account_says_so(rollback: None) -> None:
    """Nobody came for it in seven days; who has taken the account over is no concern of that."""
    world = await small_county()
    office = await actor_of(world.department, desk=True)
    made = await console()
    person = await roster.person_by_phone(COUNTY, PHONE)
    assert person is not None
    line = await accounts.line(office, person.id, NOW)
    assert line.desk_state(NOW).startswith("本人还没有接管")
    late = NOW + timedelta(days=7)
    assert "已过期" in line.desk_state(late)
    with pytest.raises(WrongSignIn, match="已过期"):
        await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, made.code, late)
    await signed_in(await console())
    line = await accounts.line(office, person.id, NOW)
    assert line.desk_state(late) == f"本人已接管（{chinese_date(today(EARLIER))}）"
    await DB.execute("UPDATE shared.account SET taken_over_at = NULL WHERE county_id = $1", COUNTY)
    line = await accounts.line(office, person.id, NOW)  # as one of before this release
    assert "由管理员打印" in line.desk_state(late)


async def test_an_authenticator_that_another_printed_is_replaced(rollback: None) -> None:
    """Of before there were sheets: it confirms nothing; at the desk its holder sets a new one."""
    await small_county()
    holder = await signed_in(await console())
    await DB.execute("UPDATE shared.account SET taken_over_at = NULL WHERE county_id = $1", COUNTY)
    with pytest.raises(Invalid, match="还没有设自己的密码"):
        await signin.vouch(COUNTY, PHONE, OWN, digits(holder), NOW)
    later = NOW + timedelta(minutes=2)
    first = await resolved(
        await signin.desk_sign_in(COUNTY, PHONE, OWN, digits(holder, later), later), later
    )
    assert first.handed
    with pytest.raises(Invalid, match="现在的密码"):
        await desk.take_over(first, OWN, OWN, digits(first, later), later)
    done = await desk.take_over(first, PASSWORD, PASSWORD, digits(first, later), later)
    assert not (await resolved(done.session, later)).handed
    later += timedelta(minutes=2)
    with pytest.raises(WrongSignIn):
        await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, digits(holder, later), later)
    new = await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, digits(first, later), later)
    assert not (await resolved(new, later)).handed


async def test_before_the_takeover_no_page_opens(client: httpx.AsyncClient) -> None:
    """Every page leads there, nothing is done; the holder then gets codes and the desk."""
    world = await small_county()
    someone = await member(Role.DEPARTMENT, world.units["421222"])
    made = await desk.create_on_console(
        COUNTY, someone.name, someone.phone, Role.DEPARTMENT, PASSWORD, now()
    )
    sheet = {"phone": someone.phone, "password": PASSWORD, "code": made.code}
    entered = await post(client, "/desk/sign-in", **sheet)
    assert entered.status_code == 303
    for path in ("/desk", "/me", "/me/pin", "/desk/accounts", "/confirm", "/me/data.xlsx"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/take-over"), path
    for path in ("/me/pin", "/confirm", "/desk/accounts/slips"):
        answer = await post(client, path, old=PASSWORD, pin=OWN, again=OWN, secret=PASSWORD)
        assert answer.status_code == 403, path
        assert "请先设好自己的密码" in answer.text
    told = await client.get("/api/wallets/me", headers={"accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (403, "take_over_first")
    shown = await client.get("/desk/take-over")
    assert shown.headers["cache-control"] == "no-store"
    found = re.search(r"<code>([A-Z2-7]{16}) ([A-Z2-7]{16})</code>", shown.text)
    assert found is not None
    fresh = totp(base64.b32decode(found[1] + found[2]), int(now().timestamp()) // 30)
    wrong = await post(client, "/desk/take-over", password=OWN, again=OWN, code="000000")
    assert wrong.status_code == 422
    assert found[0] in wrong.text  # the key scanned already stays
    before = client.cookies["gm"]
    done = await post(client, "/desk/take-over", password=OWN, again=OWN, code=fresh)
    assert done.status_code == 200, done.text
    assert len(re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", done.text)) == 8
    assert client.cookies["gm"] != before
    assert (await client.get("/desk")).status_code == 200
    assert (await client.get("/desk/take-over")).headers["location"] == "/"
    assert "本人已接管" in (await client.get(f"/desk/accounts/{someone.person_id}")).text


async def test_the_admin_does_not_touch_the_auditor(rollback: None) -> None:
    """Who runs the system neither stops nor takes over who audits it, today's or tomorrow's."""
    world = await small_county()
    admin = await signed_in(await console())
    auditor = await member(Role.AUDITOR, world.units["421222"])
    await accounts.ensure_account(COUNTY, auditor.person_id)
    stop = partial(accounts.set_disabled, person_id=auditor.person_id, now=NOW, reason="核查")
    with pytest.raises(Forbidden, match="审计"):
        await desk.open_desk(admin, auditor.person_id, PASSWORD, NOW)
    with pytest.raises(Forbidden, match="审计"):
        await stop(admin, disabled=True)
    await stop(await actor_of(world.department, desk=True), disabled=True)
    with pytest.raises(Forbidden, match="审计"):
        await stop(admin, disabled=False)
    post_id = await roster.add_post(COUNTY, world.units["421222"].id, Role.AUDITOR)
    await roster.assign(
        COUNTY, post_id, world.department.person_id, today() + timedelta(days=9), now=now()
    )
    with pytest.raises(Forbidden, match="审计"):
        await desk.open_desk(admin, world.department.person_id, PASSWORD, NOW)


async def test_the_admins_page_offers_nothing_about_an_auditor(client: httpx.AsyncClient) -> None:
    """No form that would be refused; the department's page has the one it may use."""
    world = await small_county()
    county = world.units["421222"]
    auditor = await member(Role.AUDITOR, county)
    await accounts.ensure_account(COUNTY, auditor.person_id)
    seen = {}
    for someone in (await member(Role.ADMIN, county), world.department):
        await enter_desk(client, someone)
        seen[someone.role] = (await client.get(f"/desk/accounts/{auditor.person_id}")).text
    assert f"{auditor.person_id}/revoke" in seen[Role.ADMIN]
    assert f"{auditor.person_id}/disable" not in seen[Role.ADMIN]
    assert f"{auditor.person_id}/password" not in seen[Role.ADMIN]
    assert f"{auditor.person_id}/disable" in seen[Role.DEPARTMENT]


async def test_the_admin_has_no_business_rights(rollback: None) -> None:
    """No slips, no settings, no audit trail: accounts only."""
    world = await small_county()
    admin = await signed_in(await console())
    with pytest.raises(NotFound):
        await slip_of(admin, world.worker)


def test_the_sheet_of_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    """The code of the first sign-in and its last day; nothing that opens the desk later."""
    made = DeskAccount(name="钱管理", phone="137****5678", code="AAAA-BBBB", until=NOW)
    command.show(made, "系统管理员")
    text = capsys.readouterr().out
    assert "首次登录码：AAAA-BBBB" in text
    assert str(today(NOW)) in text
    answer = CliRunner().invoke(command.create_admin, ["--county", "421222", "--role", "wizard"])
    assert answer.exit_code == 2
    assert "wizard" in answer.output


@pytest.mark.parametrize("number", ["42122", "4212221", "-421222"])
def test_the_console_takes_only_a_code_of_six_digits(number: str) -> None:
    """Nobody could sign in to a county of another length, nor could it be taken away again."""
    given = ["--county", number, "--county-name", "通城县", "--name", "钱管理"]
    given += ["--phone", PHONE, "--password", PASSWORD]
    answer = CliRunner().invoke(command.create_admin, given)
    assert answer.exit_code == 2
    assert number in answer.output


async def test_a_sentence_typed_at_the_console_opens_the_desk(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Console and browser read one password, whatever its punctuation and width."""
    typed = " 门前两棵枣树，春天开花：秋天Ｒｅｄ！ "
    works: list[Callable[[object], Awaitable[DeskAccount]]] = []
    monkeypatch.setattr(command, "run", works.append)
    monkeypatch.setattr(command, "show", lambda *_: None)
    given = ["--county", str(COUNTY), "--county-name", "通城县", "--name", "钱管理"]
    given += ["--phone", PHONE, "--password", typed]
    answer = CliRunner().invoke(command.create_admin, given)
    assert answer.exit_code == 0, answer.output
    made = await works[0](None)
    answered = await post(client, "/desk/sign-in", phone=PHONE, password=typed, code=made.code)
    assert answered.status_code == 303, answered.text


async def test_accounts_unused_for_ninety_days_are_listed(rollback: None) -> None:
    """Not who has come since, nor who is stopped, nor any gridworker; a phone's use counts."""
    world = await small_county()
    for someone in (world.worker, world.lead, world.other_lead, world.chief):
        await with_pin(someone)
    admin = await signed_in(await console())
    other = await signin.sign_in(COUNTY, world.other_lead.phone, PIN, NOW)
    later = NOW + timedelta(days=89)
    await sessions.resolve(other.token, NOW + timedelta(days=25))
    assert await accounts.stale(admin, later, reason="unused") == []
    later = NOW + timedelta(days=91)
    office = await actor_of(world.department, desk=True)
    await accounts.set_disabled(office, world.lead.person_id, later, disabled=True, reason="离岗")
    listed = await accounts.stale(admin, later, reason="unused")
    assert [(line.name, line.used_at) for line in listed] == [
        ("钱管理", EARLIER),
        (world.chief.name, None),
    ]
    later = NOW + timedelta(days=116)
    names = [line.name for line in await accounts.stale(admin, later, reason="unused")]
    assert names == ["钱管理", world.chief.name, world.other_lead.name]


async def test_accounts_that_nobody_came_for_or_whose_post_ended_are_listed(
    rollback: None,
) -> None:
    """A gridworker's only while never activated: who was one keeps balance, code and objection.

    Nor somebody's who redeems with a printed card and its PIN, and needs no phone.
    """
    world = await small_county()
    chief = await actor_of(world.chief)
    card = await member(Role.GRIDWORKER, world.units["421222100001002"], "胡有卡")
    await accounts.set_card_pin(chief, card.person_id, PIN, PIN)
    for someone in (world.worker, world.lead, world.second_worker):
        await slip_of(chief, someone)
    for someone in (world.chief, world.lead, world.other_lead, world.second_worker):
        await with_pin(someone)
    await also_in(world.other_lead, world.units["421222100001001"])
    admin = await signed_in(await console())
    at = NOW + timedelta(days=6)
    assert await accounts.stale(admin, at) == []
    at = NOW + timedelta(days=8)
    assert [(line.name, line.reason) for line in await accounts.stale(admin, at)] == [
        (world.worker.name, "never")
    ]
    left = today(NOW)
    for someone in (world.worker, world.lead, world.other_lead, world.second_worker):
        for tenure in await roster.history(COUNTY, someone.person_id):
            await roster.end_assignment(COUNTY, tenure.id, left)
    for days, names in ((8, [world.lead.name]), (89, [world.lead.name]), (90, [])):
        listed = await accounts.stale(admin, NOW + timedelta(days=days), reason="left")
        assert [line.name for line in listed] == names, days
        assert all(line.left_on == left for line in listed)


async def test_the_auditor_sees_which_accounts_are_stale_and_opens_none(
    client: httpx.AsyncClient,
) -> None:
    """The administrator and the department get from the line to the account."""
    world = await small_county()
    await with_pin(world.chief)
    await DB.execute(
        "UPDATE shared.account SET activated_at = $3 WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        world.chief.person_id,
        now() - timedelta(days=91),
    )
    link = f'href="/desk/accounts/{world.chief.person_id}"'
    unit = world.units[str(COUNTY)]
    for role, opens in ((Role.AUDITOR, False), (Role.ADMIN, True), (Role.DEPARTMENT, True)):
        client.cookies.clear()
        await enter_desk(client, await member(role, unit))
        shown = (await client.get("/desk/accounts/stale")).text
        assert (world.chief.name in shown, link in shown) == (True, opens), role
    assert world.chief.name not in (await client.get("/desk/accounts/stale?reason=never")).text
    assert 'href="/desk/accounts/stale"' in (await client.get("/desk/audit")).text


async def test_who_stands_behind_a_shop_s_terminal_is_not_listed_as_unused(rollback: None) -> None:
    """Nobody signs in at it; stopping its keeper's account would stop the counter."""
    world = await small_county()
    await with_pin(world.chief)
    admin = await signed_in(await console())
    row = TerminalRow(
        id=new_id(),
        shop_id=new_id(),
        person_id=world.chief.person_id,
        name="",
        label="收银台",
        secret_cipher=b"",
        created_at=NOW,
        revoked_at=None,
    )
    await queries.insert_terminal(COUNTY, row)
    later = NOW + timedelta(days=91)

    async def unused() -> list[str]:
        return [line.name for line in await accounts.stale(admin, later, reason="unused")]

    assert await unused() == ["钱管理"]
    assert await queries.revoke_terminal(COUNTY, row.id, NOW)
    assert await unused() == ["钱管理", world.chief.name]


async def test_the_purge_keeps_what_the_law_asks_for(rollback: None) -> None:
    """Sessions stay 200 days after their end; live ones for ever."""
    world = await small_county()
    await with_pin(world.worker)
    chief = await actor_of(world.chief)
    await slip_of(chief, world.second_worker)
    old = await resolved(await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW))
    await sessions.end(old, NOW)
    live = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
    assert await jobs.purge(COUNTY, "", NOW + timedelta(days=199)) == (
        "清理登录 0 次、激活条 0 张、设备 0 台"
    )
    await queries.roll_session(COUNTY, (await resolved(live)).session_id, NOW + timedelta(days=500))
    assert await jobs.purge(COUNTY, "", NOW + timedelta(days=401)) == (
        "清理登录 1 次、激活条 1 张、设备 2 台"
    )
    assert await DB.fetchval("SELECT count(*) FROM shared.session WHERE county_id > 0") == 1
    rows = await DB.fetch(
        "SELECT after ->> 'what' AS what, after ->> 'count' AS n FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'data.erase' ORDER BY id",
        COUNTY,
    )
    assert [tuple(row) for row in rows] == [(SIGN_IN.what, "2"), (DEVICE.what, "2")]
