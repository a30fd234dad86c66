"""What a shop's scanner may bring, and how long a redemption can be taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from points.redemption.rules import (
    CodeKind,
    make_digits,
    make_token,
    may_undo_early,
    scanned,
    seconds_left,
)

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
TOKEN = make_token(CodeKind.ONCE, bytes(range(16)))


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"https://grid.example/r/{TOKEN}",
        f" http://127.0.0.1:8000/r/{TOKEN}\r\n",
        f"HTTPS://GRID.EXAMPLE/r/{TOKEN}?from=wechat#x",
    ],
)
def test_any_scanner_will_do(text: str) -> None:
    """WeChat's link, a bare token and a USB scanner's line all mean the same code."""
    found = scanned(text)
    assert found is not None
    assert (found.kind, found.token, found.digits) == (CodeKind.ONCE, TOKEN, "")


@pytest.mark.parametrize("text", ["12345678", "1234 5678", "１２３４５６７８", " 1234\t5678 "])
def test_digits_as_people_type_them(text: str) -> None:
    """Blanks and full-width digits of a Chinese keyboard are read through."""
    found = scanned(text)
    assert found is not None
    assert (found.kind, found.digits, found.token) == (CodeKind.ONCE, "12345678", "")


@pytest.mark.parametrize(
    "text",
    ["", "1234567", "123456789", "01234567", "一二三", "6901234567892", f"x{TOKEN[1:]}",
     "https://evil.example/a/b", "http://[x/r/",
     f"https://grid.example/s/{TOKEN}", "'; DROP TABLE", "٣" * 8],
)  # fmt: skip
def test_anything_else_is_no_code(text: str) -> None:
    """A product's bar code, a foreign link or nonsense is not mistaken for a worker."""
    assert scanned(text) is None


@pytest.mark.parametrize("kind", list(CodeKind))
def test_digits_and_tokens_tell_their_kind(kind: CodeKind) -> None:
    """One-time codes, pickup codes and cards cannot be confused, whatever the random number."""
    for number in (0, 3, 9):

        def pick(below: int, wanted: int = number) -> int:
            return min(wanted, below - 1)

        digits = make_digits(kind, pick)
        found = scanned(digits)
        assert found is not None
        assert (found.kind, len(digits)) == (kind, 8)
    token = scanned(make_token(kind, b"\xff" * 16))
    assert token is not None
    assert token.kind is kind


def test_the_shop_may_undo_for_ten_minutes() -> None:
    """Up to, and not including, the tenth minute."""
    assert may_undo_early(NOW - timedelta(minutes=9, seconds=59), NOW, 10)
    assert not may_undo_early(NOW - timedelta(minutes=10), NOW, 10)


def test_seconds_left_never_negative() -> None:
    """A code that is over has 0 seconds left."""
    assert seconds_left(NOW + timedelta(seconds=90.7), NOW) == 90
    assert seconds_left(NOW - timedelta(hours=1), NOW) == 0
