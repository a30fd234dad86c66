"""Desk accounts from the console and from the admin's desk; the purge of what has ended."""

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from deploy.commands import identity as command
from shared.clock import now, today
from shared.database import DB
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity import accounts, desk, jobs, queries, sessions, signin
from shared.identity.actor import Actor
from shared.identity.errors import WrongSignIn
from shared.identity.rules import totp
from shared.identity.schemas import DeskAccount, TerminalRow, Voucher
from shared.ids import new_id
from shared.retention.registry import DEVICE, SIGN_IN
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.factories import COUNTY, member, small_county
from tests.shared.identity.test_web import enter_desk, post
from tests.shared.identity.worlds import NOW, PIN, actor_of, resolved, slip_of, with_pin

PASSWORD = "village oak in white bloom"
PHONE = "13712345678"


def code(made: DeskAccount) -> str:
    """What the authenticator shows now."""
    return totp(base64.b32decode(made.totp_key), int(NOW.timestamp()) // 30)


async def console(role: Role = Role.ADMIN, **change: str) -> DeskAccount:
    """The command's service."""
    given = {"name": "钱管理", "phone": PHONE, "password": PASSWORD} | change
    county_name = given.pop("county_name", "")
    return await desk.create_on_console(
        COUNTY, role=role, now=NOW, county_name=county_name, **given
    )


async def signed_in(made: DeskAccount) -> Actor:
    """Through the door, as the printed sheet says."""
    return await resolved(await signin.desk_sign_in(COUNTY, PHONE, PASSWORD, code(made), NOW))


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
    assert again.totp_key != made.totp_key
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


async def test_the_admin_opens_desks_for_desk_posts_only(rollback: None) -> None:
    """Not for the own account, not for a gridworker, and nobody else may."""
    world = await small_county()
    admin = await signed_in(await console())
    trainer = await member(Role.TRAINER, world.units["421222100"])
    made = await desk.open_desk(admin, trainer.person_id, PASSWORD, NOW)
    assert len(made.recovery_codes) == 8
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

    async def opened(
        person_id: UUID, made: DeskAccount | None = None, phone: str = "", at: datetime = NOW
    ) -> DeskAccount:
        digits = totp(base64.b32decode(made.totp_key), int(at.timestamp()) // 30) if made else ""
        by = Voucher(phone, PASSWORD, digits) if made else None
        return await desk.open_desk(admin, person_id, PASSWORD, at, by)

    for someone in (world.department, other):
        with pytest.raises(Invalid, match="另一位系统管理员"):
            await opened(someone.person_id)
    trainer = await member(Role.TRAINER, world.units["421222100"])
    first = await opened(trainer.person_id)
    with pytest.raises(Invalid, match="另一位系统管理员"):
        await opened(trainer.person_id)
    with pytest.raises(WrongSignIn):
        await opened(
            trainer.person_id,
            made=msgspec.structs.replace(first, totp_key="A" * 32),
            phone=trainer.phone,
        )
    again = await opened(trainer.person_id, made=first, phone=trainer.phone)
    own = await desk.create_on_console(COUNTY, "钱管理", PHONE, Role.ADMIN, PASSWORD, NOW)
    for made, phone in ((own, PHONE), (again, trainer.phone)):
        with pytest.raises(Invalid, match="另一位系统管理员"):
            await opened(world.department.person_id, made=made, phone=phone)
    theirs = await desk.create_on_console(
        COUNTY, other.name, other.phone, Role.ADMIN, PASSWORD, NOW
    )
    await opened(world.department.person_id, made=theirs, phone=other.phone)
    said = await DB.fetchval(
        "SELECT after ->> 'confirmed_by' FROM shared.audit_event WHERE object_id = $1"
        " AND action = 'identity.desk_account' AND after IS NOT NULL",
        world.department.person_id,
    )
    assert said == other.name


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
    await roster.assign(COUNTY, post_id, world.department.person_id, today() + timedelta(days=9))
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
    """QR, key and codes are printed once, in characters every terminal has."""
    made = DeskAccount(
        name="钱管理",
        phone="137****5678",
        totp_uri="otpauth://totp/x?secret=ABCD",
        totp_key="ABCD",
        recovery_codes=("AAAA-BBBB",),
    )
    command.show(made, "系统管理员")
    text = capsys.readouterr().out
    assert "AAAA-BBBB" in text
    assert "█" in text
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
    fresh = totp(base64.b32decode(made.totp_key), int(now().timestamp()) // 30)
    answered = await post(client, "/desk/sign-in", phone=PHONE, password=typed, code=fresh)
    assert answered.status_code == 303, answered.text


async def test_accounts_unused_for_ninety_days_are_listed(rollback: None) -> None:
    """Not who has come since, nor who is stopped or was never let in; a phone's use counts."""
    world = await small_county()
    for someone in (world.worker, world.second_worker, world.cousin_worker, world.chief):
        await with_pin(someone)
    admin = await signed_in(await console())
    cousin = await signin.sign_in(COUNTY, world.cousin_worker.phone, PIN, NOW)
    later = NOW + timedelta(days=89)
    await sessions.resolve(cousin.token, NOW + timedelta(days=25))
    assert [line.name for line in await accounts.listed(admin, later, state="stale")] == []
    later = NOW + timedelta(days=91)
    await signin.sign_in(COUNTY, world.worker.phone, PIN, later - timedelta(days=1))
    office = await actor_of(world.department, desk=True)
    await accounts.set_disabled(
        office, world.second_worker.person_id, later, disabled=True, reason="离岗"
    )
    listed = await accounts.listed(admin, later, state="stale")
    assert [(line.name, line.used_at) for line in listed] == [
        ("钱管理", NOW),
        (world.chief.name, None),
    ]
    later = NOW + timedelta(days=116)
    names = {line.name for line in await accounts.listed(admin, later, state="stale")}
    assert world.cousin_worker.name in names


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
        return [line.name for line in await accounts.listed(admin, later, state="stale")]

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
