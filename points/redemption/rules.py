"""Codes, refusals and deadlines of the counter: decisions without a database.

Three kinds of code look alike to a shop and are told apart by their first character: a one-time
code, a pickup code of goods ordered ahead, a printed card (which also asks for the PIN).
"""

import base64
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

TOKEN_BYTES = 16
DIGITS = 8
PATH = "/r/"
UNDO_REASONS = ("拿错商品", "数量错了", "扫错了人", "商品有问题", "网格员不要了")
"""Why a redemption is taken back, offered as large choices."""


class CodeKind(StrEnum):
    """What a code stands for; the value is the first character of its token."""

    ONCE = "o"
    PICKUP = "p"
    CARD = "k"


_FIRST_DIGITS = {CodeKind.ONCE: "1234567", CodeKind.PICKUP: "8", CodeKind.CARD: "9"}
_TOKEN = re.compile(r"[opk][A-Za-z0-9_-]{22}")


class Scanned(msgspec.Struct, frozen=True):
    """What a scanner, camera or finger brought: a token or eight digits."""

    kind: CodeKind
    token: str = ""
    digits: str = ""


def make_token(kind: CodeKind, random: bytes) -> str:
    """A token from 16 random bytes: unguessable, so its tries need no counting."""
    return kind.value + base64.urlsafe_b64encode(random).decode().rstrip("=")


def make_digits(kind: CodeKind, below: Callable[[int], int]) -> str:
    """Eight digits of a kind; ``below(n)`` gives a random integer under n."""
    first = _FIRST_DIGITS[kind]
    return first[below(len(first))] + f"{below(10 ** (DIGITS - 1)):0{DIGITS - 1}d}"


def scanned(text: str) -> Scanned | None:
    """What was scanned or typed, whoever made the reader: a URL, a bare token, spaced digits.

    None for anything else; the caller says what to do instead.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    if plain.isascii() and plain.isdigit():
        if len(plain) != DIGITS or plain[0] == "0":
            return None
        kind = next(kind for kind, first in _FIRST_DIGITS.items() if plain[0] in first)
        return Scanned(kind, digits=plain)
    token = plain
    if "://" in plain:
        path = re.split("[?#]", plain)[0]
        token = path.rpartition(PATH)[2] if PATH in path else ""
    if not _TOKEN.fullmatch(token):
        return None
    return Scanned(CodeKind(token[0]), token=token)


def may_undo_early(made_at: datetime, now: datetime, minutes: int) -> bool:
    """Whether the shop itself may still take a redemption back."""
    return now < made_at + timedelta(minutes=minutes)


def seconds_left(expires_at: datetime, now: datetime) -> int:
    """Whole seconds a code is still good for; 0 = over."""
    return max(0, int((expires_at - now).total_seconds()))
