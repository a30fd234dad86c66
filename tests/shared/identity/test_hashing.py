"""What a copy of the accounts' table gives to whoever tries PINs against it."""

import asyncio
from threading import Event

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from shared.identity import hashing, sealing
from tests.conftest import SECRET
from tests.shared.identity.worlds import OTHER_PIN, PIN


async def test_the_table_alone_gives_nothing_to_try() -> None:
    """Six digits are a million: without the installation's key not even the right ones fit."""
    stored = await hashing.make(PIN)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(stored[stored.index("$argon2id$") :], PIN)
    assert await hashing.matches(stored, PIN)
    assert not await hashing.matches(stored, OTHER_PIN)
    sealing.configure("x" * 43)
    try:
        assert not await hashing.matches(stored, PIN)
    finally:
        sealing.configure(SECRET)


async def test_a_hash_of_an_older_release_still_opens() -> None:
    """Nobody needs a new slip because the program is newer."""
    stored = PasswordHasher().hash(PIN)
    assert await hashing.matches(stored, PIN)
    assert not await hashing.matches(stored, OTHER_PIN)


async def test_nobody_waits_for_slow_workbooks_at_the_door() -> None:
    """Uploads may hold every thread of the loop for a minute."""
    done = Event()
    uploads = [asyncio.create_task(asyncio.to_thread(done.wait)) for _ in range(64)]
    try:
        stored = await asyncio.wait_for(hashing.make(PIN), 30)
        assert await asyncio.wait_for(hashing.matches(stored, PIN), 30)
    finally:
        done.set()
        await asyncio.gather(*uploads)
