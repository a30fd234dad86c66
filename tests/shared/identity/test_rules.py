"""Weak PINs, delays after wrong tries, one-time codes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.identity.rules import (
    LONGEST_DELAY,
    TRIES_A_DAY,
    Tries,
    charged,
    delay,
    totp,
    totp_step,
    used_up,
    waiting,
    weak_pin,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)


WEAK = (
    "123456 654321 901234 111111 121212 112211 888666 147258 168168 790502 010203 199001 202612"
    " 12345 1234567 12345a １２３４５６"
)


@pytest.mark.parametrize("pin", [*WEAK.split(), ""])
def test_weak_pins_are_refused(pin: str) -> None:
    """Runs, repeats, keypad walks, dates and anything that is not six digits."""
    assert weak_pin(pin)


@pytest.mark.parametrize("pin", ["482915", "739026", "664917", "305882", "917364"])
def test_ordinary_pins_pass(pin: str) -> None:
    """What is left for people to choose from is most of the million."""
    assert weak_pin(pin) is None


def test_few_pins_are_refused_as_dates() -> None:
    """The rules leave nine tenths of all PINs, so that they add no burden."""
    assert sum(weak_pin(f"{number:06d}") is None for number in range(0, 1_000_000, 7)) > 128_000


def test_delay_doubles_from_the_fifth_failure_to_fifteen_minutes() -> None:
    """Four tries are free."""
    assert [delay(n) for n in range(12)] == [0, 0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900]
    assert delay(10_000) == LONGEST_DELAY


def test_tries_are_charged_before_they_are_made() -> None:
    """A count per day for unknown devices, which begins anew at midnight in China."""
    tries = Tries(0, None)
    for _ in range(TRIES_A_DAY):
        tries = charged(tries, NOW, DAY)
    assert tries.failures == tries.today == TRIES_A_DAY
    assert used_up(tries, DAY)
    assert not used_up(tries, DAY + timedelta(days=1))
    assert charged(tries, NOW, DAY + timedelta(days=1)).today == 1
    assert waiting(tries, NOW) == LONGEST_DELAY + 1
    assert waiting(tries, NOW + timedelta(seconds=LONGEST_DELAY)) == 0


def test_totp_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, last six digits."""
    secret = b"12345678901234567890"
    known = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {at: totp(secret, at // 30) for at in known} == known


def test_a_code_works_once_and_a_step_early_or_late() -> None:
    """Replay protection: a step at or before the last used one is refused."""
    secret = b"12345678901234567890"
    step = int(NOW.timestamp()) // 30
    assert totp_step(secret, totp(secret, step), NOW, 0) == step
    assert totp_step(secret, totp(secret, step), NOW, step) is None
    assert totp_step(secret, totp(secret, step + 1), NOW, step) == step + 1
    for far in (step - 2, step + 2):
        assert totp_step(secret, totp(secret, far), NOW, 0) is None
    assert totp_step(secret, "１２３４５６", NOW, 0) is None
