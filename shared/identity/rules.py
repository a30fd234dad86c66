"""Decisions of identity as pure functions: weak PINs, delays after wrong tries, TOTP.

Clock and randomness are arguments.
"""

import base64
import hmac
import re
import struct
from datetime import date, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

import msgspec

PIN = re.compile(r"[0-9]{6}")
WEAK_PINS = frozenset(
    {"123123", "112233", "131420", "147258", "147852", "258369", "159357", "168168", "123321"}
    | {"520520", "521521", "520521", "123654", "456123", "789456", "102030", "514230", "110120"}
)

FREE_TRIES = 4
"""Wrong tries that cost nothing but counting; the fifth brings the first delay."""
FIRST_DELAY = 15
LONGEST_DELAY = 15 * 60
TRIES_A_DAY = 20
DEVICE_TRIES = 20
"""After so many wrong tries in a row a known device is known no more."""

TOTP_STEP = 30
TOTP_DRIFT = 1
"""Steps that a clock may be early or late."""


def weak_pin(pin: str) -> str | None:
    """Why a PIN is refused, as a sentence, or None if it is good enough.

    Digits only, six; runs, repeats, dates and the commonest ones are what people guess first.
    """
    if not PIN.fullmatch(pin):
        return "密码是 6 位数字。"
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if len(steps) == 1 or len(set(pin)) <= 2 or pin in WEAK_PINS or pin[:3] == pin[3:]:
        return "这个密码太容易猜到，请换一个。"
    if looks_like_date(pin):
        return "请不要用生日或日期，换一个。"
    return None


def looks_like_date(pin: str) -> bool:
    """YYMMDD, or YYYYMM of a birth year: what is printed on papers that others see."""
    year, month, day = int(pin[:2]), int(pin[2:4]), int(pin[4:])
    if 1 <= month <= 12 and 1 <= day <= 31:
        try:
            date(2000 + year if year < 50 else 1900 + year, month, day)
        except ValueError:
            return False
        return True
    return 1930 <= int(pin[:4]) <= 2035 and 1 <= day <= 12


def delay(failures: int) -> int:
    """Seconds to wait after so many wrong tries: none up to 4, then 15 s doubling to 15 min."""
    if failures <= FREE_TRIES:
        return 0
    return min(FIRST_DELAY << min(failures - FREE_TRIES - 1, 10), LONGEST_DELAY)


class Tries(msgspec.Struct, frozen=True):
    """A counter of wrong tries as it is stored on an account or a device."""

    failures: int
    blocked_until: datetime | None
    today: int = 0
    on: date | None = None


def charged(tries: Tries, now: datetime, day: date) -> Tries:
    """The counter with one more try, charged before the secret is looked at.

    So that many tries at once are counted as many; a right one is given back afterwards.
    """
    failures = tries.failures + 1
    wait = delay(failures)
    return Tries(
        failures=failures,
        blocked_until=now + timedelta(seconds=wait) if wait else None,
        today=(tries.today if tries.on == day else 0) + 1,
        on=day,
    )


def waiting(tries: Tries, now: datetime) -> int:
    """Whole seconds until the next try is possible; 0 = now."""
    if tries.blocked_until is None or tries.blocked_until <= now:
        return 0
    return int((tries.blocked_until - now).total_seconds()) + 1


def used_up(tries: Tries, day: date) -> bool:
    """Whether unknown devices have had all of today's tries."""
    return tries.on == day and tries.today >= TRIES_A_DAY


def totp(secret: bytes, step: int) -> str:
    """The six digits of RFC 6238 (SHA-1, 30 s) for a time step."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def totp_step(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """The step a code belongs to, or None; a step not after ``last_step`` was used before."""
    if not (code.isascii() and code.isdigit()):
        return None
    current = int(now.timestamp()) // TOTP_STEP
    for step in range(current - TOTP_DRIFT, current + TOTP_DRIFT + 1):
        if step > last_step and hmac.compare_digest(totp(secret, step), code):
            return step
    return None


def totp_uri(secret: bytes, name: str, issuer: str) -> str:
    """What an authenticator app scans."""
    key = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?secret={key}&issuer={quote(issuer)}"
