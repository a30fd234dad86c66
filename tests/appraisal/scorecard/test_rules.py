"""Which tables of weights and bands may come into force."""

import msgspec
import pytest

from appraisal.scorecard.rules import Band, Grade, Scheme, band_fault, problems


def bands(*limits: tuple[int, int]) -> tuple[Band, ...]:
    """Limits of 不合格, 基本合格, 合格, 优秀."""
    grades = (Grade.FAIL, Grade.BASIC, Grade.GOOD, Grade.EXCELLENT)
    return tuple(Band(grade, *pair) for grade, pair in zip(grades, limits, strict=True))


def test_the_shipped_scheme_is_accepted() -> None:
    """20, 15, 10, 10, 30, 10, 5; lines at 60, 70, 90."""
    assert problems(Scheme()) == {}
    assert [Scheme().line(grade) for grade in list(Grade)[:4]] == [90, 70, 60, 0]


def test_weights_sum_to_100() -> None:
    """Refused otherwise, saying the sum."""
    found = problems(msgspec.structs.replace(Scheme(), merit=15))
    assert found == {"weights": "各项权重合计是 105，应当正好是 100。"}
    negative = problems(msgspec.structs.replace(Scheme(), merit=-5, training=20))
    assert "merit" in negative


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (((0, 60), (60, 70), (75, 90), (90, 100)), "“基本合格”和“合格”之间缺了 70 到 75 分。"),
        (((0, 60), (55, 70), (70, 90), (90, 100)), "“不合格”和“基本合格”在 55 到 60 分重叠。"),
        (((5, 60), (60, 70), (70, 90), (90, 100)), "0 到 5 分没有对应的等次。"),
        (((0, 60), (60, 70), (70, 90), (90, 99)), "99 到 100 分没有对应的等次。"),
        (((0, 60), (70, 90), (60, 70), (90, 100)), "等次的高低次序不对"),
        (((0, 60), (70, 60), (70, 90), (90, 100)), "“基本合格”的 70–60 分不对"),
        (((0, 60), (60, 60), (60, 90), (90, 100)), "“基本合格”的 60–60 分不对"),
        (((0, 60), (60, 70), (70, 90), (90, 101)), "“优秀”的 90–101 分不对"),
        (((0, 60), (60, 70), (70, 90), (90, 100)), ""),
    ],
)
def test_bands_cover_every_score_once(limits: tuple[tuple[int, int], ...], sentence: str) -> None:
    """Gaps, overlaps and ends are named."""
    assert band_fault(bands(*limits)).startswith(sentence)
    assert bool(band_fault(bands(*limits))) is bool(sentence)
