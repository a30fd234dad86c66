"""The public draw: repeatable, in proportion, and with nothing left to anybody's choice."""

import csv
import hashlib
import io
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal.survey import draw
from appraisal.survey.draw import Drawn, Household

GRID = "421222100001001"
SIZES = st.dictionaries(st.sampled_from(["1组", "2组", "3组", "4组", ""]), st.integers(1, 60))


def grid(sizes: dict[str, int], code: str = GRID) -> list[Household]:
    """A grid's households, numbered on through its groups."""
    groups = [group for group, size in sorted(sizes.items()) for _ in range(size)]
    return [Household(code, f"{number:03d}", group) for number, group in enumerate(groups, 1)]


def drawn(households: list[Household], value: str = "07 13 21", per_grid: int = 30) -> list[Drawn]:
    seed = draw.seed_of(draw.digest(draw.list_file(households)), value)
    return draw.draw(households, seed, per_grid)


@settings(max_examples=40)
@given(SIZES.filter(bool), st.integers(1, 40))
def test_every_group_has_its_share(sizes: dict[str, int], per_grid: int) -> None:
    """The largest remainder: no group is a whole household off its proportion, nobody twice."""
    lines = drawn(grid(sizes), per_grid=per_grid)
    number, whole = min(per_grid, sum(sizes.values())), sum(sizes.values())
    primary = [line for line in lines if line.kind == "primary"]
    assert (len(primary), len(lines)) == (number, whole)
    assert [line.ordinal for line in lines] == list(range(1, whole + 1))
    assert len({line.number for line in lines}) == whole
    counts = Counter(line.group for line in primary)
    for group, size in sizes.items():
        assert abs(counts[group] - Fraction(number * size, whole)) < 1


def test_remainders_are_shared_exactly() -> None:
    """30 of 10, 20 and 70 households: 3, 6, 21; of 10, 10 and 11 (29 drawn): by the remainders."""
    keys = {"a": "2", "b": "1", "c": "0"}
    assert draw.quotas({"a": 10, "b": 20, "c": 70}, 30, keys) == {"a": 3, "b": 6, "c": 21}
    # 29 × 10/31 = 9.35, 9.35, 10.29: the two remainders of .35 are equal, one household is left.
    assert draw.quotas({"a": 10, "b": 10, "c": 11}, 29, keys) == {"a": 9, "b": 10, "c": 10}


@settings(max_examples=20)
@given(st.permutations(grid({"1组": 9, "2组": 31})))
def test_the_order_of_the_input_is_nobodys_lever(households: list[Household]) -> None:
    """The list's hash and the draw depend on its content only."""
    assert draw.list_file(households) == draw.list_file(sorted(households))
    assert drawn(households) == drawn(sorted(households))


def test_anybody_can_repeat_it_with_standard_tools() -> None:
    """The documented recipe, written down again with nothing of ours, gives the same draw."""
    households = grid({"1组": 40, "2组": 25})
    content = draw.list_file(households)
    value = "双色球 2026070 期：03 07 12 19 28 31 + 09"
    seed = hashlib.sha256((hashlib.sha256(content).hexdigest() + value).encode()).hexdigest()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    order = sorted(
        rows,
        key=lambda row: hashlib.sha256(f"{seed}|{row['网格编码']}|{row['户号']}".encode()).digest(),
    )
    expected = []
    left = {"1组": 18, "2组": 12}  # 30 × 40/65 = 18.46, 30 × 25/65 = 11.54: the larger rest wins
    for row in order:
        if left[row["村民小组"]]:
            left[row["村民小组"]] -= 1
            expected.append(row["户号"])
    actual = drawn(households, value)
    assert [line.number for line in actual if line.kind == "primary"] == expected
    assert draw.read_list(content) == households


def test_another_value_draws_others() -> None:
    """The value decides: two values agree on no more than chance would."""
    households = grid({"": 300})
    first, second = ({one.number for one in drawn(households, v)[:30]} for v in ("1", "2"))
    assert len(first & second) < 15


def test_all_of_a_small_grid() -> None:
    """Thirty households or fewer are all drawn; nobody is left as replacement."""
    lines = drawn(grid({"1组": 11, "2组": 8}))
    assert {line.kind for line in lines} == {"primary"}
    assert len(lines) == 19


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", "网格编码,户号\n1,2\n".encode()])
def test_another_file_is_refused_in_a_sentence(data: bytes) -> None:
    """What is no published list gives no draw."""
    with pytest.raises(ValueError, match=r"名单"):
        draw.read_list(data)
