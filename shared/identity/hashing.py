"""Slow hashes of PINs and passwords, off the event loop and one at a time.

Argon2id at OWASP's minimum costs tens of milliseconds of one core; unlimited, a login storm would
take both cores from redemptions. A queue that grows past its cap answers "busy" at once.

A million PINs are tried in hours whatever a hash costs, so a secret is keyed first: a copy of the
table without the installation's key gives nothing to try.
"""

import asyncio
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import Unavailable
from shared.identity.sealing import keyed, keyed_by, mac_key, open_, seal

MEMORY_KIB = 19_456
PASSES = 2
LANES = 1
QUEUE_CAP = 100
KEYED = "keyed:"
"""Stands before a hash whose secret was keyed; older ones go on as they are."""
CARRIED = "carried:"
"""Stands before a hash that was keyed under an earlier secret: that key, sealed, then the hash."""

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
_dummy = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
"""The hash of no secret: checking one against it takes as long as against any other."""


class Turnstile:
    """One hash at a time; at most ``QUEUE_CAP`` wait."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= QUEUE_CAP:
            raise Unavailable("现在登录的人太多，请过一会儿再试。", retry_after=5)
        self._waiting += 1
        try:
            await self._one.acquire()
        except asyncio.CancelledError:
            self._waiting -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._waiting -= 1
        self._one.release()


_turnstile = Turnstile()
_thread = ThreadPoolExecutor(1, "hashing")
"""Of its own: the loop's threads may all be waiting for slow workbooks."""


async def make(secret: str) -> str:
    """The stored form of a PIN or password."""
    async with _turnstile:
        loop = asyncio.get_running_loop()
        return KEYED + await loop.run_in_executor(_thread, _hasher.hash, _keyed(secret))


async def matches(stored: str | None, secret: str) -> bool:
    """Whether the secret is the stored one; takes as long when there is nothing stored."""
    async with _turnstile:
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(_thread, _check, stored or _dummy, secret)
    return right and stored is not None


def opened(stored: str) -> tuple[bytes | None, str]:
    """The key under which a secret was keyed, and the hash; no key for one older than keys."""
    if stored.startswith(KEYED):
        return mac_key(), stored.removeprefix(KEYED)
    if stored.startswith(CARRIED):
        sealed, _, plain = stored.removeprefix(CARRIED).partition(":")
        return open_(b64decode(sealed)), plain
    return None, stored


def carried(key: bytes | None, plain: str) -> str:
    """What ``opened`` opened, stored under the secret that counts now: nobody's PIN is lost."""
    return plain if key is None else f"{CARRIED}{b64encode(seal(key)).decode()}:{plain}"


def _check(stored: str, secret: str) -> bool:
    key, stored = opened(stored)
    if key is not None:
        secret = keyed_by(key, "secret", secret).hex()
    try:
        return _hasher.verify(stored, secret)
    except (VerificationError, InvalidHashError):
        return False


def _keyed(secret: str) -> str:
    return keyed("secret", secret).hex()
