"""What speaks against a warning, an exit, a recommendation, an admission."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.pool.rules import (
    Protection,
    Shield,
    Standing,
    ineligible,
    protected,
    thin,
    unqualified,
)

SOLID = Standing(
    grade="fail",
    final=Decimal("50.0"),
    weight=Decimal("0.30"),
    ballots=25,
    half_width=Decimal("12.0"),
    line=Decimal(60),
)
DAY = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("change", "is_thin"),
    [
        ({}, False),
        ({"ballots": 19}, True),
        ({"ballots": 20}, False),
        ({"half_width": None}, True),
        ({"weight": None}, True),
        ({"final": Decimal("56.3")}, False),
        ({"final": Decimal("56.4")}, True),
        ({"final": Decimal("59.9"), "half_width": Decimal(0)}, False),
        ({"final": None}, True),
        ({"final": None, "vetoed": True}, True),
        ({"ballots": 0, "half_width": None, "vetoed": True}, False),
        ({"line": None}, False),
        ({"grade": "basic", "line": None, "final": Decimal("67.0")}, True),
        ({"grade": "excellent", "line": None}, True),
    ],
)
def test_thin_evidence(change: dict[str, object], is_thin: bool) -> None:  # noqa: FBT001
    """Too few ballots, or the line lies within reach of the interval; a veto rests on papers."""
    assert bool(thin(msgspec.structs.replace(SOLID, **change))) is is_thin


def test_without_a_result_there_is_no_evidence() -> None:
    """Nobody is warned for what was not measured."""
    assert thin(None)


@given(
    final=st.decimals(0, 60, places=2),
    half=st.decimals(0, 30, places=1),
    ballots=st.integers(0, 60),
)
def test_what_is_not_thin_lies_wholly_below_the_line(
    final: Decimal, half: Decimal, ballots: int
) -> None:
    """The whole interval, and on twenty ballots at least."""
    found = msgspec.structs.replace(SOLID, final=final, half_width=half, ballots=ballots)
    holds = ballots >= 20 and 100 * final + 30 * half < 6000
    assert (thin(found) == "") is holds


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [(0, 0, True), (-5, -1, False), (-5, None, True), (1, None, False), (-1, 1, True)],
)
def test_protection_holds_on_its_days(
    starts: int,
    ends: int | None,
    holds: bool,  # noqa: FBT001
) -> None:
    """First and last day included; without an end until further notice."""
    last = None if ends is None else DAY + timedelta(days=ends)
    shield = Shield(starts_on=DAY + timedelta(days=starts), ends_on=last)
    assert bool(protected([shield], DAY, DAY)) is holds


def test_the_reason_of_a_protection_is_not_said() -> None:
    """Whoever signs sees that there is one, not which."""
    said = protected([Shield(starts_on=DAY, ends_on=None)], DAY, DAY)
    assert not any(word in said for word in ("孕", "医疗", "工伤", "病"))
    assert len(Protection) == 6


@pytest.mark.parametrize(
    ("grades", "open_deductions", "may"),
    [
        ([("annual", "excellent")], 0, True),
        ([("annual", "excellent")], 1, False),
        ([("half_year", "excellent"), ("annual", "excellent")], 0, True),
        ([("half_year", "good"), ("annual", "excellent")], 0, True),
        ([("annual", "good"), ("half_year", "excellent")], 0, False),
        ([("half_year", "fail"), ("annual", "excellent")], 0, False),
        ([("half_year", "excellent")], 0, False),
        ([("half_year", "excellent"), ("annual", "good")], 0, False),
        ([], 0, False),
    ],
)
def test_who_can_be_recommended(
    grades: list[tuple[str, str]],
    open_deductions: int,
    may: bool,  # noqa: FBT001
) -> None:
    """Excellent in the year or two half-years running, no open deduction."""
    assert (ineligible(grades, open_deductions) == "") is may


@pytest.mark.parametrize(
    ("grid_type", "schooling", "may"),
    [
        ("community", "middle", False),
        ("community", "high", True),
        ("rural", "primary", False),
        ("rural", "middle", True),
        ("other", "bachelor", True),
    ],
)
def test_schooling_by_grid_type(
    grid_type: str,
    schooling: str,
    may: bool,  # noqa: FBT001
) -> None:
    """A community's post asks for more."""
    assert (unqualified(grid_type, schooling) == "") is may
