"""Exchanging the installation's secret: everything goes on under the new one, or nothing does."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from appraisal.casework import service as casework
from deploy.engine_home import EngineError
from deploy.rotation import NOTHING, PLACES, rotate, use
from shared.clock import now
from shared.database import DB
from shared.identity import accounts, hashing, queries, sealing, signin
from shared.identity.rules import totp
from shared.identity.schemas import TerminalRow
from shared.ids import new_id
from shared.roster import phones
from shared.roster import service as roster
from tests.appraisal.casework.scene import Scene, actor_of, result, scene
from tests.appraisal.notice.test_contest import CONTACT, OBJECTOR, published, received
from tests.conftest import APP_ROLE, SECRET, as_owner
from tests.factories import COUNTY
from tests.shared.identity.worlds import PIN, with_pin

NEW, NEWEST = "n" * 43, "m" * 43
PICKUP = """
INSERT INTO points.pickup (county_id, id, person_id, shop_id, token_hash, digits_hash, sealed,
    collector, deliver_to, created_at)
VALUES ($1, $2, $2, $2, '', '', $3, '', '', $4)
"""
UPLOAD = """
INSERT INTO shared.import_run (county_id, id, kind, file_name, file_sha256, payload, created_at)
VALUES ($1, $2, 'roster', 'a.xlsx', '', $3, $4)
"""
PASSWORD = "village oak in white bloom"


@pytest.fixture
async def made(rollback: None) -> Scene:
    """One excellent worker under public notice."""
    found = await scene(now=now())
    await result(found, found.town.worker, "excellent", "95.0")
    return found


@pytest.fixture(autouse=True)
def old_keys() -> Iterator[None]:
    """The other tests' secret counts again."""
    yield
    use(SECRET)


async def exchanged(old: str, new: str) -> bool:
    """As the command does it, and back to the service's rights."""
    try:
        return await rotate(old, new)
    finally:
        await DB.execute(f"SET LOCAL ROLE {APP_ROLE}")
        use(new)


async def terminal(made: Scene, sealed: bytes) -> None:
    """A shop terminal's key."""
    row = TerminalRow(
        id=new_id(),
        shop_id=new_id(),
        person_id=made.town.chief.person_id,
        name="",
        label="收银台",
        secret_cipher=sealed,
        created_at=made.now,
        revoked_at=None,
    )
    await queries.insert_terminal(COUNTY, row)


async def test_everything_goes_on_under_another_secret(made: Scene) -> None:
    """Phones, PINs, passwords, authenticators, terminals, pickups, uploads, who objected; twice."""
    worker, department = made.town.worker, made.town.department
    await with_pin(worker)
    await queries.set_card_pin(
        COUNTY,
        await accounts.ensure_account(COUNTY, worker.person_id),
        await hashing.make("280519"),
    )
    secrets = await accounts.desk_secrets(PASSWORD, department.phone)
    assert secrets.totp_key is not None
    await accounts.give_desk(COUNTY, department.person_id, secrets, made.now)
    case_id = await received(made, await published(made))
    await terminal(made, sealing.seal(b"counter"))
    async with as_owner():
        await DB.execute("ALTER TABLE points.pickup DROP CONSTRAINT pickup_person_id_fkey")
        await DB.execute("ALTER TABLE points.pickup DROP CONSTRAINT pickup_shop_id_fkey")
        await DB.execute(PICKUP, COUNTY, new_id(), sealing.seal(b"token 12345678"), made.now)
        await DB.execute(UPLOAD, COUNTY, new_id(), sealing.seal(b"file"), made.now)
    for number, (old, new) in enumerate(((SECRET, NEW), (NEW, NEWEST))):
        assert await exchanged(old, new)
        assert not await exchanged(old, new), "a call that was cut off goes on where it was"
        at = made.now + timedelta(minutes=number + 1)
        person = await roster.person_by_phone(COUNTY, worker.phone)
        assert person is not None
        assert person.phone_masked.endswith(worker.phone[-4:])
        await signin.sign_in(COUNTY, worker.phone, PIN, at)
        await signin.check_card_pin(COUNTY, worker.person_id, "280519", at)
        code = totp(secrets.totp_key, int(at.timestamp()) // 30)
        await signin.desk_sign_in(COUNTY, department.phone, PASSWORD, code, at)
        for table, column, said in (
            ("shared.terminal_key", "secret_cipher", b"counter"),
            ("points.pickup", "sealed", b"token 12345678"),
            ("shared.import_run", "payload", b"file"),
        ):
            value = await DB.fetchval(f"SELECT {column} FROM {table} WHERE county_id = $1", COUNTY)
            assert sealing.open_(value) == said
        digits = sealing.keyed("redemption digits", "12345678")
        assert digits == await DB.fetchval(
            "SELECT digits_hash FROM points.pickup WHERE county_id = $1", COUNTY
        )
        told = await casework.show_objector(await actor_of(made, department), case_id)
        assert {words for _, words in told} == {OBJECTOR, CONTACT}
    codes = "SELECT recovery_hashes FROM shared.account WHERE county_id = $1 AND person_id = $2"
    assert await DB.fetchval(codes, COUNTY, department.person_id) == []
    with pytest.raises(Exception, match="append-only"):
        async with as_owner():
            await DB.execute("UPDATE appraisal.case_step SET words = 'x' WHERE county_id = 421222")


async def test_people_who_were_erased_hinder_nothing(made: Scene) -> None:
    """None of them has a number, and no two may have one fingerprint."""
    people = [made.town.worker.person_id, made.town.chief.person_id]
    await DB.execute(
        "UPDATE shared.person SET phone_cipher = $3, phone_last4 = '',"
        " phone_hmac = sha256(uuid_send(id)) WHERE county_id = $1 AND id = ANY($2::uuid[])",
        *(COUNTY, people, phones.seal("")),
    )
    assert await exchanged(SECRET, NEW)
    assert [await roster.phone_of(COUNTY, one) for one in people] == ["", ""]


async def test_one_value_under_another_secret_and_nothing_changes(made: Scene) -> None:
    """What was sealed elsewhere cannot be carried over; nobody is left half way."""
    await terminal(made, b"\0" * 60)
    with pytest.raises(EngineError, match="什么也没有改"):
        await exchanged(SECRET, NEW)
    await DB.execute(f"SET LOCAL ROLE {APP_ROLE}")
    use(SECRET)
    assert await roster.phone_of(COUNTY, made.town.worker.person_id) == made.town.worker.phone
    with pytest.raises(EngineError, match="什么也没有改"):
        await exchanged(NEW, NEWEST)


async def test_no_sealed_column_is_forgotten(database: str) -> None:
    """Whatever column may hold sealed bytes has its row in the table of places."""
    rows = await DB.fetch(
        "SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns"
        " WHERE data_type = 'bytea' AND table_schema IN ('shared', 'points', 'appraisal')"
        " AND (column_name LIKE '%cipher%' OR column_name IN ('sealed', 'payload'))"
    )
    assert {tuple(row) for row in rows} == {(place.table, place.column) for place in PLACES}
    assert len(sealing.seal(b"")) == NOTHING
