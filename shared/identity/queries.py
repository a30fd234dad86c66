"""SQL of identity: county settings, accounts, sessions, devices, slips, terminal keys.

``$1`` is the county everywhere.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from shared import lock_queries
from shared.database import DB
from shared.identity.rules import Tries
from shared.identity.schemas import (
    AccountLine,
    AccountRow,
    DeviceRow,
    SessionLine,
    SessionRow,
    SlipRow,
    StaffLine,
    StaleLine,
    TerminalRow,
)

ACCOUNT = """
SELECT id, person_id, pin_hash, password_hash, totp_cipher, totp_last_step, card_pin_hash,
       text_size, disabled_at, activated_at, failures, failures_today, failures_on, blocked_until,
       handed_until, taken_over_at
FROM shared.account
"""

SESSION = """
SELECT s.id, s.account_id, a.person_id, p.name, s.kind, s.device_id, a.text_size, s.created_at,
       s.expires_at, s.confirmed_at, a.stopped_until,
       s.kind = 'desk' AND a.password_hash IS NOT NULL AND a.taken_over_at IS NULL AS handed
FROM shared.session s
JOIN shared.account a ON a.county_id = s.county_id AND a.id = s.account_id
JOIN shared.person p ON p.county_id = a.county_id AND p.id = a.person_id
WHERE s.county_id = $1 AND s.token_hash = $2
  AND s.revoked_at IS NULL AND s.expires_at > $3 AND a.disabled_at IS NULL
"""

LAST_END = """
SELECT max(valid_to) FROM shared.assignment
WHERE county_id = $1 AND person_id = $2 AND valid_to <= $3
"""

SLIP = """
SELECT s.id, s.account_id, a.person_id, p.name, p.phone_last4, s.digits_hash, s.expires_at,
       s.failures
FROM shared.activation_slip s
JOIN shared.account a ON a.county_id = s.county_id AND a.id = s.account_id
JOIN shared.person p ON p.county_id = a.county_id AND p.id = a.person_id
WHERE s.county_id = $1 AND s.spent_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > $2
  AND a.disabled_at IS NULL
"""

ACCOUNT_LINES = """
WITH office AS (
    SELECT DISTINCT ON (p.id) p.id AS person_id, p.name, p.name_pinyin, po.role,
           u.code AS unit_code, u.name AS unit_name, v.name AS village_name, c.id AS account_id,
           c.activated_at, c.disabled_at, COALESCE(c.password_hash IS NOT NULL, false) AS desk,
           c.handed_until, c.taken_over_at,
           a.valid_to IS NOT NULL AND a.valid_to <= $2 AS away
    FROM shared.assignment a
    JOIN shared.post po ON po.county_id = a.county_id AND po.id = a.post_id
    JOIN shared.unit u ON u.county_id = po.county_id AND u.id = po.unit_id
    LEFT JOIN shared.unit v ON v.county_id = u.county_id AND v.code = left(u.code, 12)
      AND v.code <> u.code
    JOIN shared.person p ON p.county_id = a.county_id AND p.id = a.person_id
    LEFT JOIN shared.account c ON c.county_id = p.county_id AND c.person_id = p.id
    WHERE a.county_id = $1
      AND (a.valid_from <= $2 OR $6::uuid IS NOT NULL AND (
           SELECT max(COALESCE(b.valid_to, 'infinity')) <= $2
              AND max(b.valid_to) > $2::date - $10::int
           FROM shared.assignment b
           WHERE b.county_id = $1 AND b.person_id = a.person_id AND b.valid_from <= $2))
      AND (a.valid_to IS NULL OR a.valid_to > $2
           OR ($6::uuid IS NOT NULL OR $7 = 'away') AND a.valid_to > $2::date - $10::int
              AND a.valid_to = (SELECT max(COALESCE(b.valid_to, 'infinity'))
                                FROM shared.assignment b
                                WHERE b.county_id = $1 AND b.person_id = a.person_id))
      AND u.code LIKE ANY($4) AND ($6::uuid IS NULL OR p.id = $6)
      AND ($5 = '' OR starts_with(p.name, $5) OR starts_with(p.name_pinyin, lower($5))
           OR starts_with(p.name_initials, lower($5)))
    ORDER BY p.id, u.code COLLATE "C", po.role
)
SELECT person_id, name, role, unit_code, unit_name, village_name, account_id, activated_at,
       disabled_at, desk, handed_until, taken_over_at, away, count(*) OVER () AS total,
       (SELECT max(s.expires_at) FROM shared.activation_slip s
        WHERE s.county_id = $1 AND s.account_id = office.account_id AND s.spent_at IS NULL
          AND s.revoked_at IS NULL AND s.expires_at > $3) AS slip_until,
       (SELECT count(*) FROM shared.session s
        WHERE s.county_id = $1 AND s.account_id = office.account_id AND s.revoked_at IS NULL
          AND s.expires_at > $3) AS sessions
FROM office
WHERE CASE $7 WHEN 'open' THEN activated_at IS NULL AND disabled_at IS NULL
              WHEN 'active' THEN activated_at IS NOT NULL AND disabled_at IS NULL
              WHEN 'disabled' THEN disabled_at IS NOT NULL
              WHEN 'away' THEN away ELSE true END
ORDER BY unit_code COLLATE "C", role, name_pinyin, person_id
LIMIT $8 OFFSET $9
"""


async def counties() -> list[tuple[int, str]]:
    """The counties of this database, by code."""
    rows = await DB.fetch("SELECT id, name FROM shared.county ORDER BY id")
    return [(row["id"], row["name"]) for row in rows]


async def settings(county_id: int) -> str | None:
    """The county's settings as JSON text."""
    sql = "SELECT settings FROM shared.county WHERE id = $1"
    stored: str | None = await DB.fetchval(sql, county_id)
    return stored


async def only_settings() -> str | None:
    """The settings of a database with one county; None where there are several, or none."""
    rows = await DB.fetch("SELECT settings FROM shared.county LIMIT 2")
    return rows[0]["settings"] if len(rows) == 1 else None


async def locked_settings(county_id: int) -> str | None:
    sql = "SELECT settings FROM shared.county WHERE id = $1 FOR UPDATE"
    stored: str | None = await DB.fetchval(sql, county_id)
    return stored


async def store_settings(county_id: int, text: str) -> None:
    await DB.execute("UPDATE shared.county SET settings = $2 WHERE id = $1", county_id, text)


async def ensure_account(county_id: int, account_id: UUID, person_id: UUID) -> UUID:
    """The person's account, made with the given id if there is none."""
    await DB.execute(
        "INSERT INTO shared.account (county_id, id, person_id) VALUES ($1, $2, $3)"
        " ON CONFLICT (county_id, person_id) DO NOTHING",
        county_id,
        account_id,
        person_id,
    )
    found: UUID = await DB.fetchval(
        "SELECT id FROM shared.account WHERE county_id = $1 AND person_id = $2",
        county_id,
        person_id,
    )
    return found


async def account(county_id: int, account_id: UUID, *, lock: bool = False) -> AccountRow | None:
    sql = ACCOUNT + " WHERE county_id = $1 AND id = $2" + (" FOR UPDATE" if lock else "")
    return await DB.one(AccountRow, sql, county_id, account_id)


async def account_of(county_id: int, person_id: UUID) -> AccountRow | None:
    sql = ACCOUNT + " WHERE county_id = $1 AND person_id = $2"
    return await DB.one(AccountRow, sql, county_id, person_id)


async def lock_wechat(county_id: int) -> None:
    """WeChats are bound one after another: each sees those before it."""
    await lock_queries.take(county_id, "shared.wechat")


async def account_by_wechat(county_id: int, wechat_hash: bytes) -> AccountRow | None:
    """The account that this WeChat opens, its row locked; a disabled one is as good as none."""
    sql = ACCOUNT + " WHERE county_id = $1 AND wechat_hash = $2 AND disabled_at IS NULL FOR UPDATE"
    return await DB.one(AccountRow, sql, county_id, wechat_hash)


async def is_open(county_id: int, session_id: UUID) -> bool:
    """Whether nobody has ended the session."""
    sql = "SELECT revoked_at IS NULL FROM shared.session WHERE county_id = $1 AND id = $2"
    return bool(await DB.fetchval(sql, county_id, session_id))


async def wechat_at(county_id: int, account_id: UUID) -> datetime | None:
    sql = "SELECT wechat_at FROM shared.account WHERE county_id = $1 AND id = $2"
    bound: datetime | None = await DB.fetchval(sql, county_id, account_id)
    return bound


async def set_wechat(
    county_id: int, account_id: UUID, wechat_hash: bytes | None, at: datetime | None
) -> None:
    await DB.execute(
        "UPDATE shared.account SET wechat_hash = $3, wechat_at = $4"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        wechat_hash,
        at,
    )


async def store_tries(county_id: int, account_id: UUID, tries: Tries) -> None:
    await DB.execute(
        "UPDATE shared.account SET failures = $3, blocked_until = $4, failures_today = $5,"
        " failures_on = $6 WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        tries.failures,
        tries.blocked_until,
        tries.today,
        tries.on,
    )


async def forgive_account(county_id: int, account_id: UUID) -> None:
    """A right try: the counter begins anew, and the try itself does not count for the day."""
    await DB.execute(
        "UPDATE shared.account SET failures = 0, blocked_until = NULL,"
        " failures_today = greatest(failures_today - 1, 0) WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
    )


async def set_pin(county_id: int, account_id: UUID, pin_hash: str, now: datetime) -> None:
    """A new PIN; the counters of wrong tries begin anew."""
    await DB.execute(
        "UPDATE shared.account SET pin_hash = $3, activated_at = COALESCE(activated_at, $4),"
        " failures = 0, failures_today = 0, blocked_until = NULL WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        pin_hash,
        now,
    )


async def set_card_pin(county_id: int, account_id: UUID, pin_hash: str) -> None:
    await DB.execute(
        "UPDATE shared.account SET card_pin_hash = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        pin_hash,
    )


async def set_text_size(county_id: int, account_id: UUID, size: str) -> None:
    await DB.execute(
        "UPDATE shared.account SET text_size = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        size,
    )


async def set_password(
    county_id: int,
    account_id: UUID,
    password_hash: str,
    totp_cipher: bytes | None,
    recovery_hashes: Sequence[str],
    now: datetime,
    handed_until: datetime | None,
) -> None:
    """Password, authenticator and recovery codes together; the counters begin anew."""
    await DB.execute(
        "UPDATE shared.account SET password_hash = $3, totp_cipher = $4, totp_last_step = 0,"
        " recovery_hashes = $5, activated_at = COALESCE(activated_at, $6), failures = 0,"
        " failures_today = 0, blocked_until = NULL, handed_until = $7,"
        " taken_over_at = CASE WHEN $7::timestamptz IS NULL THEN $6::timestamptz END"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        password_hash,
        totp_cipher,
        list(recovery_hashes),
        now,
        handed_until,
    )


async def change_password(county_id: int, account_id: UUID, password_hash: str) -> None:
    await DB.execute(
        "UPDATE shared.account SET password_hash = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        password_hash,
    )


async def use_totp_step(county_id: int, account_id: UUID, step: int) -> bool:
    """Mark a step as used; False when it, or a later one, was used already."""
    changed = await DB.count(
        "UPDATE shared.account SET totp_last_step = $3"
        " WHERE county_id = $1 AND id = $2 AND totp_last_step < $3",
        county_id,
        account_id,
        step,
    )
    return changed == 1


async def use_recovery(county_id: int, account_id: UUID, code_hash: str) -> bool:
    """Spend a recovery code; False when there is no such code."""
    changed = await DB.count(
        "UPDATE shared.account SET recovery_hashes = array_remove(recovery_hashes, $3)"
        " WHERE county_id = $1 AND id = $2 AND $3 = ANY(recovery_hashes)",
        county_id,
        account_id,
        code_hash,
    )
    return changed == 1


async def has_recovery(county_id: int, account_id: UUID, code_hash: str) -> bool:
    """Whether there is such a code; it is not spent."""
    found: bool = await DB.fetchval(
        "SELECT EXISTS (SELECT FROM shared.account"
        " WHERE county_id = $1 AND id = $2 AND $3 = ANY(recovery_hashes))",
        county_id,
        account_id,
        code_hash,
    )
    return found


async def set_stopped(county_id: int, person_id: UUID, until: date | None) -> bool:
    """Whether there is an account, and it was stopped until another day before."""
    written = await DB.count(
        "UPDATE shared.account SET stopped_until = $3"
        " WHERE county_id = $1 AND person_id = $2 AND stopped_until IS DISTINCT FROM $3",
        county_id,
        person_id,
        until,
    )
    return written == 1


async def set_disabled(county_id: int, account_id: UUID, at: datetime | None) -> None:
    await DB.execute(
        "UPDATE shared.account SET disabled_at = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        account_id,
        at,
    )


async def device(
    county_id: int, account_id: UUID, token_hash: bytes, *, lock: bool = False
) -> DeviceRow | None:
    sql = (
        "SELECT id, failures, blocked_until FROM shared.device"
        " WHERE county_id = $1 AND account_id = $2 AND token_hash = $3"
        + (" FOR UPDATE" if lock else "")
    )
    return await DB.one(DeviceRow, sql, county_id, account_id, token_hash)


async def insert_device(
    county_id: int, device_id: UUID, account_id: UUID, token_hash: bytes, now: datetime
) -> UUID:
    """The device's id: of the one that a sign-in at the same moment has made, if there is one."""
    found: UUID = await DB.fetchval(
        "INSERT INTO shared.device (county_id, id, account_id, token_hash, created_at, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $5)"
        " ON CONFLICT (county_id, token_hash) DO UPDATE SET seen_at = EXCLUDED.seen_at"
        " RETURNING id",
        county_id,
        device_id,
        account_id,
        token_hash,
        now,
    )
    return found


async def store_device_tries(county_id: int, device_id: UUID, tries: Tries) -> None:
    await DB.execute(
        "UPDATE shared.device SET failures = $3, blocked_until = $4"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        device_id,
        tries.failures,
        tries.blocked_until,
    )


async def forgive_device(county_id: int, device_id: UUID, now: datetime) -> None:
    await DB.execute(
        "UPDATE shared.device SET failures = 0, blocked_until = NULL, seen_at = $3"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        device_id,
        now,
    )


async def give_back(county_id: int, account_id: UUID, device_id: UUID | None) -> None:
    """The counter of a device, or of the account, as it was before the latest try."""
    if device_id is not None:
        await DB.execute(
            "UPDATE shared.device SET failures = greatest(failures - 1, 0), blocked_until = NULL"
            " WHERE county_id = $1 AND id = $2",
            county_id,
            device_id,
        )
    else:
        await DB.execute(
            "UPDATE shared.account SET failures = greatest(failures - 1, 0), blocked_until = NULL,"
            " failures_today = greatest(failures_today - 1, 0) WHERE county_id = $1 AND id = $2",
            county_id,
            account_id,
        )


async def forget_devices(county_id: int, account_id: UUID, device_id: UUID | None = None) -> None:
    """One device of an account, or all: they count as unknown from now on."""
    await DB.execute(
        "DELETE FROM shared.device WHERE county_id = $1 AND account_id = $2"
        " AND ($3::uuid IS NULL OR id = $3)",
        county_id,
        account_id,
        device_id,
    )


async def forget_other_devices(county_id: int, account_id: UUID, session_id: UUID) -> None:
    """All devices of an account but the one of the given session."""
    await DB.execute(
        "DELETE FROM shared.device d WHERE d.county_id = $1 AND d.account_id = $2"
        " AND NOT EXISTS (SELECT FROM shared.session s WHERE s.county_id = $1 AND s.id = $3"
        " AND s.device_id = d.id)",
        county_id,
        account_id,
        session_id,
    )


async def forget_device_of(county_id: int, account_id: UUID, session_id: UUID) -> None:
    """The device on which a session of the account was begun."""
    await DB.execute(
        "DELETE FROM shared.device d USING shared.session s WHERE d.county_id = $1"
        " AND d.account_id = $2 AND s.county_id = $1 AND s.id = $3 AND s.account_id = $2"
        " AND d.id = s.device_id",
        county_id,
        account_id,
        session_id,
    )


async def session(county_id: int, token_hash: bytes, now: datetime) -> SessionRow | None:
    return await DB.one(SessionRow, SESSION, county_id, token_hash, now)


async def left_alone(
    county_id: int, token_hash: bytes, now: datetime, begun_after: datetime
) -> bool:
    """Whether a desk session begun later than that has ended without being revoked."""
    found: bool = await DB.fetchval(
        "SELECT EXISTS (SELECT FROM shared.session WHERE county_id = $1 AND token_hash = $2"
        " AND kind = 'desk' AND revoked_at IS NULL AND expires_at <= $3 AND created_at > $4)",
        county_id,
        token_hash,
        now,
        begun_after,
    )
    return found


async def last_end(county_id: int, person_id: UUID, on: date) -> date | None:
    """The first day without any of the person's ended posts."""
    found: date | None = await DB.fetchval(LAST_END, county_id, person_id, on)
    return found


async def insert_session(county_id: int, row: SessionRow, token_hash: bytes, agent: str) -> None:
    await DB.execute(
        "INSERT INTO shared.session (county_id, id, account_id, device_id, token_hash, kind,"
        " created_at, expires_at, confirmed_at, agent)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        county_id,
        row.id,
        row.account_id,
        row.device_id,
        token_hash,
        row.kind,
        row.created_at,
        row.expires_at,
        row.confirmed_at,
        agent,
    )


async def roll_session(county_id: int, session_id: UUID, expires_at: datetime) -> None:
    await DB.execute(
        "UPDATE shared.session SET expires_at = $3 WHERE county_id = $1 AND id = $2",
        county_id,
        session_id,
        expires_at,
    )


async def rotate_session(
    county_id: int, session_id: UUID, token_hash: bytes, confirmed_at: datetime
) -> None:
    await DB.execute(
        "UPDATE shared.session SET token_hash = $3, confirmed_at = $4"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        session_id,
        token_hash,
        confirmed_at,
    )


async def sessions(county_id: int, account_id: UUID, now: datetime) -> list[SessionLine]:
    """The live sessions of an account, latest first."""
    return await DB.all(
        SessionLine,
        "SELECT id, kind, agent, created_at, expires_at FROM shared.session"
        " WHERE county_id = $1 AND account_id = $2 AND revoked_at IS NULL AND expires_at > $3"
        " ORDER BY created_at DESC LIMIT 50",
        county_id,
        account_id,
        now,
    )


async def revoke_sessions(
    county_id: int,
    account_id: UUID,
    now: datetime,
    *,
    only: UUID | None = None,
    keep: UUID | None = None,
) -> int:
    """End one session, all, or all but one; how many were live.

    With all or all but one, a bound WeChat opens the account no more; who is just binding one
    holds the account's row, so this waits.
    """
    return await DB.count(
        "WITH unbound AS (UPDATE shared.account SET wechat_hash = NULL, wechat_at = NULL"
        " WHERE county_id = $1 AND id = $2 AND $4::uuid IS NULL)"
        " UPDATE shared.session SET revoked_at = $3 WHERE county_id = $1 AND account_id = $2"
        " AND revoked_at IS NULL AND expires_at > $3"
        " AND ($4::uuid IS NULL OR id = $4) AND ($5::uuid IS NULL OR id <> $5)",
        county_id,
        account_id,
        now,
        only,
        keep,
    )


async def insert_slip(
    county_id: int,
    slip_id: UUID,
    account_id: UUID,
    hashes: tuple[bytes, bytes],
    made: tuple[datetime, UUID],
    expires_at: datetime,
) -> None:
    """``hashes``: of the token and of the digits; ``made``: when and by whom."""
    await DB.execute(
        "INSERT INTO shared.activation_slip (county_id, id, account_id, token_hash, digits_hash,"
        " created_at, created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        county_id,
        slip_id,
        account_id,
        *hashes,
        *made,
        expires_at,
    )


async def lock_slips(county_id: int) -> None:
    """Slips of a county are printed one sheet after another: each sees those before it."""
    await lock_queries.take(county_id, "shared.activation_slip")


async def revoke_slips(county_id: int, account_id: UUID, now: datetime) -> None:
    """An account has one usable slip at most: the one printed last."""
    await DB.execute(
        "UPDATE shared.activation_slip SET revoked_at = $3 WHERE county_id = $1"
        " AND account_id = $2 AND spent_at IS NULL AND revoked_at IS NULL",
        county_id,
        account_id,
        now,
    )


async def slip_by_token(
    county_id: int, token_hash: bytes, now: datetime, *, lock: bool = False
) -> SlipRow | None:
    sql = SLIP + " AND s.token_hash = $3" + (" FOR UPDATE OF s" if lock else "")
    return await DB.one(SlipRow, sql, county_id, now, token_hash)


async def slip_of(county_id: int, account_id: UUID, now: datetime) -> SlipRow | None:
    return await DB.one(SlipRow, SLIP + " AND s.account_id = $3", county_id, now, account_id)


async def count_slip_try(county_id: int, slip_id: UUID, limit: int, now: datetime) -> None:
    """One more wrong try; with the last one the slip is void."""
    await DB.execute(
        "UPDATE shared.activation_slip SET failures = failures + 1,"
        " revoked_at = CASE WHEN failures + 1 >= $3 THEN $4::timestamptz END"
        " WHERE county_id = $1 AND id = $2 AND revoked_at IS NULL",
        county_id,
        slip_id,
        limit,
        now,
    )


async def spend_slip(county_id: int, slip_id: UUID, now: datetime) -> bool:
    """False when somebody else was quicker."""
    changed = await DB.count(
        "UPDATE shared.activation_slip SET spent_at = $3 WHERE county_id = $1 AND id = $2"
        " AND spent_at IS NULL AND revoked_at IS NULL AND expires_at > $3",
        county_id,
        slip_id,
        now,
    )
    return changed == 1


async def account_lines(
    county_id: int,
    moment: tuple[date, datetime],
    prefixes: Sequence[str],
    *,
    away_days: int,
    query: str = "",
    person_id: UUID | None = None,
    state: str = "",
    limit: int = 1,
    offset: int = 0,
) -> list[AccountLine]:
    """People in office below the given units, with the state of their accounts.

    One person who is asked for may also have left lately and await the next post.

    ``moment``: today's date and the instant; ``state``: open, active, disabled, empty, or away:
    those who left less than ``away_days`` ago and hold or await no post.
    """
    patterns = [f"{code}%" for code in prefixes]
    return await DB.all(
        AccountLine,
        ACCOUNT_LINES,
        county_id,
        *moment,
        patterns,
        query,
        person_id,
        state,
        limit,
        offset,
        away_days,
    )


# One line a person: of a post held now, best not a gridworker's, or of one that was left, best a
# gridworker's: who was one keeps the account. Nobody signs in at a shop's terminal, nor
# who redeems with a printed card.
STALE_LINES = """
WITH tenure AS (
    SELECT c.id AS account_id, a.person_id, po.role, u.code, u.name, a.valid_from,
           COALESCE(a.valid_to, 'infinity') AS ends,
           max(COALESCE(a.valid_to, 'infinity')) OVER (PARTITION BY a.person_id) AS last_end
    FROM shared.account c
    JOIN shared.assignment a ON a.county_id = c.county_id AND a.person_id = c.person_id
    JOIN shared.post po ON po.county_id = a.county_id AND po.id = a.post_id
    JOIN shared.unit u ON u.county_id = po.county_id AND u.id = po.unit_id
    WHERE c.county_id = $1 AND c.disabled_at IS NULL
), office AS (
    SELECT DISTINCT ON (person_id) * FROM tenure
    WHERE valid_from <= $2 AND (ends > $2 OR last_end <= $2 AND ends > $2::date - $7::int)
    ORDER BY person_id, (role = 'gridworker') = (ends > $2), code COLLATE "C", role
), used AS (
    SELECT account_id, max(greatest(created_at, CASE kind WHEN 'phone'
               THEN expires_at - $8::interval END)) AS at
    FROM shared.session WHERE county_id = $1 GROUP BY account_id
), line AS (
    SELECT o.person_id, p.name, p.name_pinyin, o.role, o.code AS unit_code, o.name AS unit_name,
           v.name AS village_name, c.activated_at, s.at AS used_at,
           CASE WHEN o.ends <= $2 THEN o.last_end END AS left_on,
           CASE WHEN c.activated_at IS NULL THEN
                    CASE WHEN o.ends > $2 AND c.card_pin_hash IS NULL AND NOT EXISTS (
                        SELECT FROM shared.activation_slip t
                        WHERE t.county_id = $1 AND t.account_id = c.id AND t.spent_at IS NULL
                          AND t.revoked_at IS NULL AND t.expires_at > $3) THEN 'never' END
                WHEN o.role = 'gridworker' THEN NULL
                WHEN o.ends <= $2 THEN 'left'
                WHEN c.activated_at < $9 AND COALESCE(s.at, c.activated_at) < $9 AND NOT EXISTS (
                    SELECT FROM shared.terminal_key k WHERE k.county_id = $1
                      AND k.person_id = o.person_id AND k.revoked_at IS NULL) THEN 'unused'
           END AS reason
    FROM office o
    JOIN shared.account c ON c.county_id = $1 AND c.id = o.account_id
    JOIN shared.person p ON p.county_id = $1 AND p.id = o.person_id
    LEFT JOIN shared.unit v ON v.county_id = $1 AND v.code = left(o.code, 12) AND v.code <> o.code
    LEFT JOIN used s ON s.account_id = c.id
    WHERE o.code LIKE ANY($4)
)
SELECT person_id, name, role, unit_name, village_name, activated_at, used_at, left_on, reason,
       count(*) OVER () AS total
FROM line WHERE reason IS NOT NULL AND ($5 = '' OR reason = $5)
ORDER BY reason DESC, unit_code COLLATE "C", role, name_pinyin, person_id
LIMIT $6 OFFSET $10
"""


async def stale_lines(
    county_id: int,
    moment: tuple[date, datetime],
    prefixes: Sequence[str],
    reason: str,
    page: tuple[int, int],
    *,
    away_days: int,
    unused: tuple[timedelta, datetime],
) -> list[StaleLine]:
    """Accounts that can still sign in and perhaps should not, with why.

    ``moment``: today's date and the instant; ``page``: limit and offset; ``unused``: how long after
    its last use a phone's session ends, and since when an account is looked for.
    """
    limit, offset = page
    return await DB.all(
        StaleLine,
        STALE_LINES,
        county_id,
        *moment,
        [f"{code}%" for code in prefixes],
        reason,
        limit,
        away_days,
        *unused,
        offset,
    )


TERMINAL = """
SELECT t.id, t.shop_id, t.person_id, p.name, t.label, t.secret_cipher, t.created_at, t.revoked_at
FROM shared.terminal_key t
JOIN shared.person p ON p.county_id = t.county_id AND p.id = t.person_id
"""


async def terminal(county_id: int, key_id: UUID) -> TerminalRow | None:
    sql = TERMINAL + " WHERE t.county_id = $1 AND t.id = $2"
    return await DB.one(TerminalRow, sql, county_id, key_id)


async def terminals(county_id: int, shop_id: UUID) -> list[TerminalRow]:
    sql = (
        TERMINAL + " WHERE t.county_id = $1 AND t.shop_id = $2 ORDER BY t.created_at DESC LIMIT 50"
    )
    return await DB.all(TerminalRow, sql, county_id, shop_id)


async def insert_terminal(county_id: int, row: TerminalRow) -> None:
    await DB.execute(
        "INSERT INTO shared.terminal_key (county_id, id, shop_id, person_id, label, secret_cipher,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        county_id,
        row.id,
        row.shop_id,
        row.person_id,
        row.label,
        row.secret_cipher,
        row.created_at,
    )


async def revoke_terminal(county_id: int, key_id: UUID, now: datetime) -> bool:
    changed = await DB.count(
        "UPDATE shared.terminal_key SET revoked_at = $3"
        " WHERE county_id = $1 AND id = $2 AND revoked_at IS NULL",
        county_id,
        key_id,
        now,
    )
    return changed == 1


STAFF = """
SELECT a.id AS assignment_id, a.person_id, n.name, n.phone_last4, p.seat, a.valid_from,
       c.activated_at
FROM shared.post p
JOIN shared.assignment a ON a.county_id = p.county_id AND a.post_id = p.id
  AND (a.valid_to IS NULL OR a.valid_to > $3)
JOIN shared.person n ON n.county_id = a.county_id AND n.id = a.person_id
LEFT JOIN shared.account c ON c.county_id = n.county_id AND c.person_id = n.id
WHERE p.county_id = $1 AND p.subject_id = $2 AND p.role = 'shopkeeper'
ORDER BY p.seat, a.valid_from
LIMIT 50
"""


async def staff(county_id: int, shop_id: UUID, on: date) -> list[StaffLine]:
    """Who keeps a shop on a day or later, first keeper first."""
    return await DB.all(StaffLine, STAFF, county_id, shop_id, on)


async def lock_staff(county_id: int, shop_id: UUID) -> None:
    """A shop's helpers are added one after another: each sees those before it."""
    await lock_queries.take(county_id, f"shared.staff {shop_id}")


async def shop_unit(county_id: int, shop_id: UUID) -> tuple[UUID, str] | None:
    """Id and code of the unit where a shop's keepers have their posts."""
    row = await DB.fetchrow(
        "SELECT u.id, u.code FROM shared.post p"
        " JOIN shared.unit u ON u.county_id = p.county_id AND u.id = p.unit_id"
        " WHERE p.county_id = $1 AND p.subject_id = $2 AND p.role = 'shopkeeper'"
        " ORDER BY p.seat LIMIT 1",
        county_id,
        shop_id,
    )
    return None if row is None else (row["id"], row["code"])


async def purge_sessions(county_id: int, before: datetime) -> int:
    """Sessions that had ended by then; how many."""
    return await DB.count(
        "DELETE FROM shared.session WHERE county_id = $1 AND LEAST(expires_at, revoked_at) < $2",
        county_id,
        before,
    )


async def purge_slips(county_id: int, before: datetime) -> int:
    """Slips that had expired by then; how many."""
    return await DB.count(
        "DELETE FROM shared.activation_slip WHERE county_id = $1 AND expires_at < $2",
        county_id,
        before,
    )


async def purge_devices(county_id: int, before: datetime) -> int:
    """Devices not seen since; how many."""
    return await DB.count(
        "DELETE FROM shared.device WHERE county_id = $1 AND seen_at < $2", county_id, before
    )
