"""Everything that the installation's secret seals, sealed anew under another: all of it or nothing.

One transaction of the tables' owner, while no service runs. PINs and passwords keep their hashes,
which take the key they were keyed with along; what is a keyed hash of something that nobody knows
(recovery codes, the digits of slips) cannot be carried over and is void.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from types import ModuleType
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from appraisal.casework.fields import FIELDS
from deploy.engine_home import EngineError
from points.redemption.codes import digits_hash
from shared.audit import service as audit
from shared.database import DB
from shared.identity import hashing, sealing
from shared.roster import phones
from shared.scheduling.queries import counties

CHUNK = 1_000
NOTHING = 28
"""Bytes of nonce and tag: what is shorter was never sealed."""
WRONG = "现在的密钥解不开库里的数据，什么也没有改：请把原来的密钥放回。"
Values = tuple[object, ...]


class Place(msgspec.Struct, frozen=True):
    """A column of sealed bytes, and what else of the row follows from what they say."""

    table: str
    column: str
    keys: ModuleType = sealing
    also: str = ""
    follows: Callable[[int, str], bytes] | None = None
    chunk: int = CHUNK


def _fingerprint(county_id: int, phone: str) -> bytes:
    """Whoever was erased has no number: again a random one, as fingerprints are unique."""
    return phones.fingerprint(county_id, phone) if phone else os.urandom(32)


PLACES = (
    Place("shared.person", "phone_cipher", phones, "phone_hmac", _fingerprint),
    Place("appraisal.applicant", "phone_cipher", phones, "phone_hmac", phones.fingerprint),
    Place("shared.account", "totp_cipher"),
    Place("shared.terminal_key", "secret_cipher"),
    Place("shared.import_run", "payload", chunk=1),
    Place(
        *("points.pickup", "sealed", sealing, "digits_hash"),
        lambda _, said: digits_hash(said.partition(" ")[2]),
    ),
)
HASHES = ("pin_hash", "password_hash", "card_pin_hash")
PRIVATE = [key for key, field in FIELDS.items() if field.private]
OWNS = """
SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'appraisal.case_step'::regclass
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND pid <> pg_backend_pid() AND application_name LIKE 'gridmerit %'
"""
FIRST = """
SELECT phone_cipher FROM shared.person
WHERE county_id = $1 AND octet_length(phone_cipher) >= $2 ORDER BY id LIMIT 1
"""


async def rotate(old: str, new: str) -> bool:
    """Seal all counties anew; False when an earlier call has done so already.

    Raises EngineError, and then nothing has changed.
    """
    try:
        async with DB.transaction() as connection:
            await connection.execute("SET LOCAL ROLE NONE; SET LOCAL lock_timeout = '10s'")
            if not await DB.fetchval(OWNS):
                raise EngineError("请用数据库所有者的地址（DATABASE_URL）运行。")
            if await DB.fetchval(OTHERS):
                raise EngineError("还有服务或命令在用数据库：请先停止，再运行。")
            await connection.execute("LOCK TABLE shared.person IN ACCESS EXCLUSIVE MODE")
            if not await _lies_under(old) and await _lies_under(new):
                return False
            await connection.execute(
                "ALTER TABLE appraisal.case_step DISABLE TRIGGER case_step_append_only"
            )
            for county_id in await counties():
                await _county(county_id, old, new)
            await connection.execute(
                "ALTER TABLE appraisal.case_step ENABLE TRIGGER case_step_append_only"
            )
    except InvalidTag as error:
        raise EngineError(
            "现在的密钥解不开库里的数据，什么也没有改：请把原来的密钥放回。"
        ) from error
    finally:
        use(old)
    return True


def use(secret: str) -> None:
    """Seal and open with the keys of this secret from now on."""
    phones.configure(secret)
    sealing.configure(secret)


async def _lies_under(secret: str) -> bool:
    """Whether the first phone number of every county opens."""
    use(secret)
    for county_id in await counties():
        sealed = await DB.fetchval(FIRST, county_id, NOTHING)
        try:
            if sealed is not None:
                phones.open_(sealed)
        except InvalidTag:
            return False
    return True


async def _county(county_id: int, old: str, new: str) -> None:
    for place in PLACES:

        def opened(value: bytes, keys: ModuleType = place.keys) -> object:
            return keys.open_(value)

        def sealed(said: object, place: Place = place) -> Values:
            again = (place.keys.seal(said),)
            if place.follows is None:
                return again
            text = said if isinstance(said, str) else bytes(said).decode()  # type: ignore[call-overload]
            return (*again, place.follows(county_id, text))

        names = [place.column, *([place.also] if place.also else [])]
        where = f"octet_length({place.column}) >= {NOTHING}"
        await _each(county_id, place.table, names, where, opened, sealed, (old, new), place.chunk)
    for name in HASHES:
        await _each(
            *(county_id, "shared.account", [name], f"{name} IS NOT NULL"),
            *(hashing.opened, lambda said: (hashing.carried(*said),), (old, new)),
        )
    await _each(
        *(county_id, "appraisal.case_step", ["answers"], f"answers ?| ARRAY{PRIVATE}"),
        *(_private, _private_again, (old, new)),
    )
    await DB.execute(
        "UPDATE shared.account SET recovery_hashes = '{}' WHERE county_id = $1", county_id
    )
    await audit.record(None, "identity.rotate", "county", county_id=county_id, authority="console")


async def _each(
    county_id: int,
    table: str,
    names: Sequence[str],
    where: str,
    opened: Callable[..., object],
    sealed: Callable[..., Values],
    secrets: tuple[str, str],
    chunk: int = CHUNK,
) -> None:
    """Row by row: what the first column says, and the columns that say it again."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 3))
    last = UUID(int=0)
    while rows := await DB.fetch(
        f"SELECT id, {names[0]} FROM {table} WHERE county_id = $1 AND id > $2 AND {where}"
        " ORDER BY id LIMIT $3",
        county_id,
        last,
        chunk,
    ):
        use(secrets[0])
        said = [opened(row[1]) for row in rows]
        use(secrets[1])
        await DB.executemany(
            f"UPDATE {table} SET {sets} WHERE county_id = $1 AND id = $2",
            [(county_id, row["id"], *sealed(one)) for row, one in zip(rows, said, strict=True)],
        )
        last = rows[-1]["id"]


def _private(answers: str) -> dict[str, str]:
    """A signed step's answers, what was sealed in them readable."""
    given = msgspec.json.decode(answers, type=dict[str, str])
    closed = {key: given[key] for key in PRIVATE if given.get(key)}
    return given | {key: sealing.open_(b64decode(text)).decode() for key, text in closed.items()}


def _private_again(given: dict[str, str]) -> Values:
    closed = {key: given[key] for key in PRIVATE if given.get(key)}
    again = {key: b64encode(sealing.seal(text.encode())).decode() for key, text in closed.items()}
    return (msgspec.json.encode(given | again).decode(),)
