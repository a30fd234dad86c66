"""SQL of people whose time is over. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from shared.database import DB

# Somebody without a post since $2, entered before $3, who is not signed in at $4 and still has a
# phone. One who was erased has none.
OVER = """
n.county_id = $1 AND n.phone_last4 <> '' AND n.created_at < $3
AND NOT EXISTS (SELECT FROM shared.assignment a
                WHERE a.county_id = $1 AND a.person_id = n.id
                  AND (a.valid_to IS NULL OR a.valid_to > $2))
AND NOT EXISTS (SELECT FROM shared.account c
                JOIN shared.session s ON s.county_id = $1 AND s.account_id = c.id
                WHERE c.county_id = $1 AND c.person_id = n.id
                  AND s.revoked_at IS NULL AND s.expires_at > $4)
"""
# Whoever gives them a post, a record or a case meanwhile waits for this lock (foreign keys).
LOCK = f"""
SELECT n.id FROM shared.person n WHERE {OVER} AND n.id > $5
ORDER BY n.id LIMIT $6 FOR UPDATE OF n SKIP LOCKED
"""
# The fingerprint is unique in a county, so each gets a random one, which no number has.
ERASE_PEOPLE = f"""
UPDATE shared.person n
SET name = $6, name_pinyin = $7, name_initials = $8, phone_cipher = $9,
    phone_hmac = sha256(uuid_send(gen_random_uuid())), phone_last4 = '', political = NULL,
    version = version + 1
WHERE {OVER} AND n.id = ANY($5::uuid[])
RETURNING n.id
"""
ERASE_ACCOUNTS = """
UPDATE shared.account
SET pin_hash = NULL, password_hash = NULL, totp_cipher = NULL, recovery_hashes = '{}',
    card_pin_hash = NULL, wechat_hash = NULL, wechat_at = NULL,
    disabled_at = COALESCE(disabled_at, $3)
WHERE county_id = $1 AND person_id = ANY($2::uuid[])
"""
REVOKE_KEYS = """
UPDATE shared.terminal_key SET revoked_at = $3
WHERE county_id = $1 AND person_id = ANY($2::uuid[]) AND revoked_at IS NULL
"""
Since = tuple[date, datetime, datetime]
"""Without a post since the day, entered before the moment, not signed in now."""


async def lock_over(county_id: int, since: Since, after: UUID, limit: int) -> list[UUID]:
    """People whose time is over, by id; their rows are locked."""
    return [row["id"] for row in await DB.fetch(LOCK, county_id, *since, after, limit)]


async def erase_people(
    county_id: int, since: Since, people: Sequence[UUID], name: tuple[str, str, str], phone: bytes
) -> list[UUID]:
    """Those of them whose time is still over, under another name and a sealed empty phone."""
    rows = await DB.fetch(ERASE_PEOPLE, county_id, *since, list(people), *name, phone)
    return [row["id"] for row in rows]


async def erase_accounts(county_id: int, people: Sequence[UUID], at: datetime) -> None:
    """Nothing is left to sign in with, nor to sign a terminal's requests."""
    await DB.execute(ERASE_ACCOUNTS, county_id, list(people), at)
    await DB.execute(REVOKE_KEYS, county_id, list(people), at)
