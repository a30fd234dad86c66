"""Passwords that others would guess: leaked ones, runs of keys, what is known of the holder."""

from pathlib import Path
from subprocess import TimeoutExpired

import msgspec

from shared.documents.parser import parse
from shared.roster.names import romanise

LENGTH = (12, 128)
FEWEST_GUESSES = 10**9
"""What finds a password among those that people choose; the door lets far fewer be tried."""
GUESSED_HERE = (
    *("gridmerit", "网格", "网格员", "网格管理", "积分", "考核", "组织部", "管理员", "密码"),
    *("系统", "中国", "我爱你", "woaini1314", "5201314", "1314520", "一二三四五六七八九十"),
)
"""Words of this trade and country, tried in pinyin, too; the world's commonest the library has."""
TOO_EASY = "这个密码太容易猜到：不要用常见密码、连着的键、自己的姓名或县名加数字，可以用一句话。"
ESTIMATE = Path(__file__).with_name("estimate.py")
SECONDS = 10
"""Only what is long and full of signs takes so long to look at, and nobody guesses that."""


def weak_password(password: str, *known: str) -> str | None:
    """Why a desk password is refused, or None: how soon it is guessed counts, not composition.

    ``known`` is what others know of its holder: number, name, county. It blocks, so call it in a
    thread. Raises Unavailable as :func:`parse`.
    """
    shortest, longest = LENGTH
    if len(password) < shortest:
        return f"密码至少 {shortest} 个字符，可以用一句话。"
    if len(password) > longest:
        return f"密码最多 {longest} 个字符。"
    asked = msgspec.json.encode((password, guessable(*known)))
    try:
        guesses = float(parse(ESTIMATE, data=asked, seconds=SECONDS))
    except TimeoutExpired:
        return None
    return TOO_EASY if guesses < FEWEST_GUESSES else None


def guessable(*known: str) -> list[str]:
    """The words that are tried first: a county's name without 县, too, and all in pinyin."""
    words = [*GUESSED_HERE, *known, *(word[:-1] for word in known)]
    return words + [romanise(word)[0] for word in words if not word.isascii()]
