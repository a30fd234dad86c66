from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from points.settlement import rules
from points.settlement.rules import Figure, Part
from shared.errors import Invalid


def test_disputed_lines_leave_the_payable_sum() -> None:
    found = rules.sums(0, [Figure(350, 3300), Figure(50, 450, disputed=True), Figure(-350, -3300)])
    assert (found.line_count, found.points, found.amount_fen) == (3, 50, 450)
    assert (found.disputed_fen, found.payable_fen, found.carry_fen) == (450, 0, 0)


@given(
    st.integers(-(10**6), 10**6),
    st.lists(st.tuples(st.integers(-999, 999), st.integers(-9999, 9999), st.booleans())),
)
def test_sums_always_balance(opening: int, lines: list[tuple[int, int, bool]]) -> None:
    """Payable plus carry = opening + total − disputed, and at most one of them is not zero."""
    found = rules.sums(opening, [Figure(p, a, d) for p, a, d in lines])
    assert found.payable_fen + found.carry_fen == opening + found.amount_fen - found.disputed_fen
    assert found.payable_fen >= 0 >= found.carry_fen
    assert 0 in (found.payable_fen, found.carry_fen)


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_split_loses_no_fen(total: int, shares: list[int]) -> None:
    parts = rules.split(total, shares)
    assert sum(parts) == total
    assert all(
        abs(part - total * s / sum(shares)) <= 1 for part, s in zip(parts, shares, strict=True)
    )


def test_the_shop_signs_first_then_the_village_in_any_order() -> None:
    assert rules.next_parts([]) == {Part.SHOP}
    assert rules.next_parts([Part.SHOP]) == {Part.ACCOUNTANT, Part.SUPERVISOR}
    assert rules.next_parts([Part.SHOP, Part.SUPERVISOR]) == {Part.ACCOUNTANT}
    assert rules.next_parts(list(Part)) == frozenset()


def test_months_end_at_midnight_in_china() -> None:
    assert rules.month_end("2026-12") == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert str(rules.last_day("2028-02")) == "2028-02-29"
    assert rules.next_month("2026-12") == "2027-01"


def test_statement_closes_with_its_month_or_its_first_signature() -> None:
    half = datetime(2026, 10, 15, tzinfo=UTC)
    assert not rules.closed("2026-10", half, signed=False)
    assert rules.closed("2026-10", half, signed=True)
    assert rules.closed("2026-10", rules.month_end("2026-10"), signed=False)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "202610", "1999-01", "", "2026-10-01"])
def test_other_months_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="2026-10"):
        rules.checked_month(text)


def test_source_of_money_names_the_owner() -> None:
    assert rules.fund_owner("421222100001", "村集体") == "421222100001"
    assert rules.fund_owner("421222100001", " 乡镇 ") == "421222100"
    with pytest.raises(ValueError, match="企业赞助"):
        rules.fund_owner("421222100001", "企业赞助")
