"""Passwords that are refused, and those that are not."""

import pytest

from shared.identity import passwords
from shared.identity.estimate import guesses
from shared.identity.passwords import FEWEST_GUESSES, TOO_EASY, guessable, weak_password

KNOWN = ("13900000001", "张建国", "通城县")
LEAKED = (
    "password12345 qwertyuiop123 1qaz2wsx3edc 123456789012 Passw0rd@2026 admin@123456 aaaaaaaaaaaaa"
    " woaini1314520 5201314woaini qq1234567890 aa123456789012 zaq12wsxcde3 asdfghjkl;'12"
    " iloveyou1314 1q2w3e4r5t6y Huawei@123456 wodemima123456 abc123456789 1234567890!@#$%^"
)
GUESSED = (
    "13900000001abcd zhangjianguo1985 tongcheng2026 TongChengXian01 gridmerit2026! wangge123456"
    " wanggeyuan2026 tongchengwangge guanliyuan@123 网格员网格员网格员网格员 通城县网格管理系统密码"
)
GOOD = (
    *("村口的老槐树又开了一树白花", "correct horse battery", "village oak in white bloom"),
    *("u7-Kd93nq0Lw", "839201746352", "张建国家门口的那条小河很清"),
    "tongcheng de laohuaishu kaihua le",
)


@pytest.mark.parametrize("password", [*LEAKED.split(), *GUESSED.split()])
def test_what_others_try_is_found_soon(password: str) -> None:
    """What stands in lists of leaked ones, or is known of the holder, the county, the trade."""
    assert guesses(password, guessable(*KNOWN)) < FEWEST_GUESSES


@pytest.mark.parametrize("password", GOOD)
def test_a_sentence_is_a_good_password(password: str) -> None:
    """No composition rule: twelve characters of anything that nobody else thinks of."""
    assert guesses(password, guessable(*KNOWN)) >= FEWEST_GUESSES


@pytest.mark.parametrize(
    "password", ["12345678\nabc", "\0" * 12, "²" * 12, "१२-३४-१९८५", "İ" * 128]
)
def test_odd_characters_are_looked_at(password: str) -> None:
    """Whatever is posted has a figure, and not an error page."""
    assert guesses(password, guessable(*KNOWN)) >= 1


def test_a_password_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too short, too long, too easy; one full of signs, which takes seconds, is taken."""
    assert "12" in (weak_password("short") or "")
    assert "128" in (weak_password("k" * 129) or "")
    assert weak_password("tongcheng2026", *KNOWN) == TOO_EASY
    assert weak_password(GOOD[0], *KNOWN) is None
    monkeypatch.setattr(passwords, "SECONDS", 1)
    assert weak_password("4@8({[<369&#!1/|0$5+7%2" * 5) is None
