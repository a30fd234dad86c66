"""Results: right to the half, honest about their error, and silent about fewer than five."""

import math
import random
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import chain, product

import pytest

from appraisal.survey import result_queries, results
from appraisal.survey.rules import VALUES
from appraisal.survey.schemas import UnitResult
from shared.database import DB
from shared.errors import NotFound
from tests.appraisal.survey.world import (
    GRID,
    SECOND,
    VILLAGE,
    World,
    closed,
    current,
    drawn,
)
from tests.factories import COUNTY, acting

LENGTHS = [6, 9, 12, 15]
THIRD, FOURTH = "421222100002001", "421222100002002"
GRIDS = (GRID, SECOND, THIRD, FOURTH)
Ballot = tuple[bool, tuple[int, ...], str]
INSERT = """
INSERT INTO appraisal.ballot_inbox (county_id, id, survey_id, grid_code, aware, answers, comment)
VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, $6)
"""


async def told(made: World, given: dict[str, list[Ballot]]) -> dict[str, UnitResult]:
    """Put ballots in the inbox, close, and read every unit's result."""
    for grid, votes in given.items():
        for aware, values, words in votes:
            await DB.execute(INSERT, COUNTY, made.survey.id, grid, aware, list(values), words)
    await closed(made)
    rows = await result_queries.results(COUNTY, made.survey.id, "421222", LENGTHS)
    return {row.code: row for row in rows}


def half_up(value: Fraction, places: str) -> Decimal:
    exact = Decimal(value.numerator * 10**40 // value.denominator).scaleb(-40)
    rest = value - Fraction(exact)
    step = Decimal(1).scaleb(-41) if rest else Decimal(0)
    return (exact + step).quantize(Decimal(places), ROUND_HALF_UP)


def scored(votes: Sequence[Ballot]) -> Decimal:
    """The rule, in exact fractions: mean of the six means of counted answers."""
    means = []
    for place in range(6):
        counted = [values[place] for _, values, _ in votes if values[place]]
        if counted:
            means.append(Fraction(sum(counted), len(counted)))
    return half_up(sum(means, Fraction(0)) / len(means), "0.1")


def some(rng: random.Random, count: int, unknown: float = 0.15) -> list[Ballot]:
    """Random ballots; a share of the answers is 不了解."""
    faces = sorted(VALUES - {0})
    return [
        (
            rng.random() < 0.8,
            tuple(0 if rng.random() < unknown else rng.choice(faces) for _ in range(6)),
            "好" if rng.random() < 0.4 else "",
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_scores_are_exact(rollback: None, seed: int) -> None:
    """Every grid's and unit's score, shares and interval against the rule in fractions."""
    made = await drawn()
    rng = random.Random(seed)
    given = {grid: some(rng, rng.randint(20, 30)) for grid in GRIDS}
    found = await told(made, given)
    for code in ("421222", "421222100", VILLAGE, *GRIDS):
        votes = [one for grid, own in given.items() if grid.startswith(code) for one in own]
        row = found[code]
        assert row.score == scored(votes), code
        counted = [[v for v in values if v] for _, values, _ in votes if any(values)]
        assert (row.ballots, row.counted) == (len(votes), len(counted))
        good = Fraction(sum(v >= 60 for own in counted for v in own), sum(map(len, counted)))
        assert row.satisfied_share == half_up(good, "0.0001")
        aware = Fraction(sum(one[0] for one in votes), len(votes))
        assert row.aware_share == half_up(aware, "0.0001")
        means = [sum(own) / len(own) for own in counted]
        average = sum(means) / len(means)
        variance = sum((one - average) ** 2 for one in means) / (len(means) - 1)
        error = math.sqrt(variance / len(means) * (1 - len(means) / row.households))
        width = t_quantile(len(means) - 1) * error
        assert row.half_width is not None
        assert abs(float(row.half_width) - width) <= 0.0501


async def test_a_half_is_rounded_up(rollback: None) -> None:
    """84.25 is 84.3 though it is a sum of thirds; 66.6… is 66.7."""
    function = "SELECT appraisal.survey_score($1::bigint[], $2::bigint[])"
    sums, counts = [253, 505, 337, 337, 337, 337], [3, 6, 4, 4, 4, 4]
    exact = sum((Fraction(s, c) for s, c in zip(sums, counts, strict=True)), Fraction(0)) / 6
    assert exact == Fraction(337, 4)
    assert await DB.fetchval(function, sums, counts) == Decimal("84.3")
    assert await DB.fetchval(function, [1011, 1011], [12, 12]) == Decimal("84.3")
    assert await DB.fetchval(function, [200, 0], [3, 0]) == Decimal("66.7")


def t_quantile(df: int) -> float:
    """97.5 % point of Student's t by bisection over Simpson's rule: nothing of the product's."""
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)

    def density(x: float) -> float:
        return scale * math.pow(1 + x * x / df, -(df + 1) / 2)

    def within(x: float) -> float:
        steps = 2000
        width = x / steps
        inner = sum((4 if n % 2 else 2) * density(n * width) for n in range(1, steps))
        return (density(0) + inner + density(x)) * width / 3

    low, high = 0.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < 0.475 else (low, middle)
    return low


async def test_quantiles_of_t_are_right(rollback: None) -> None:
    """Against an integration of the density, and the printed tables at the usual places."""
    for df in (1, 2, 3, 5, 10, 19, 29, 30, 31, 35, 50, 80, 120, 300):
        found = await DB.fetchval("SELECT appraisal.t_quantile($1)", df)
        assert abs(float(found) - t_quantile(df)) < 2e-5, df
    for df, printed in ((19, "2.093"), (40, "2.021"), (60, "2.000"), (120, "1.980")):
        found = await DB.fetchval("SELECT round(appraisal.t_quantile($1), 3)", df)
        assert found == Decimal(printed)


async def test_a_result_counts_from_twenty(rollback: None) -> None:
    """Nineteen are not valid; a ballot that rates nothing is none; all asked leaves no error."""
    made = await drawn(20)
    good: Ballot = (True, (100,) * 6, "")
    blank: Ballot = (False, (0,) * 6, "")
    await told(made, {GRID: [good] * 19 + [blank] * 1, SECOND: [good] * 20})
    rows = {
        row["grid_code"]: row
        for row in await DB.fetch(
            "SELECT * FROM appraisal.survey_result WHERE county_id = $1 AND cycle_id = $2",
            COUNTY,
            made.cycle_id,
        )
    }
    assert [(rows[code]["ballots"], rows[code]["valid"]) for code in GRIDS] == [
        (19, False),
        (20, True),
        (0, False),
        (0, False),
    ]
    assert rows[SECOND]["score"] == 100
    assert rows[SECOND]["half_width"] == 0
    assert rows[GRID]["aware_share"] == Decimal("0.95")
    assert rows[THIRD]["score"] is None


def below(code: str, shown: dict[str, UnitResult]) -> list[str]:
    length = {6: 9, 9: 12, 12: 15}.get(len(code))
    return [one for one in shown if length == len(one) and one.startswith(code)]


def partitions(code: str, shown: dict[str, UnitResult]) -> Iterator[tuple[str, ...]]:
    """Every set of published units below one that do not overlap."""
    choices = [[(), (child,), *partitions(child, shown)] for child in below(code, shown)]
    for parts in product(*choices):
        yield tuple(chain.from_iterable(parts))


@pytest.mark.parametrize("seed", range(6))
async def test_no_difference_of_units_is_about_fewer_than_five(rollback: None, seed: int) -> None:
    """All sets of published units are subtracted from all published units above them."""
    made = await drawn()
    rng = random.Random(seed)
    given = {grid: some(rng, rng.choice((0, 1, 2, 3, 4, 5, 7, 25))) for grid in GRIDS}
    found = await told(made, given)
    shown = {code: row for code, row in found.items() if row.ballots}
    tried = 0
    for code, row in shown.items():
        assert min(row.ballots, row.counted) >= 5
        for parts in set(partitions(code, shown)):
            tried += 1
            for number in ("ballots", "counted"):
                rest = getattr(row, number) - sum(getattr(shown[one], number) for one in parts)
                assert rest == 0 or rest >= 5, (code, parts)
    whole = sum(len(votes) for votes in given.values())
    assert tried or whole < 5
    kept = shown["421222"].ballots if "421222" in shown else 0
    dropped = await DB.fetchval("SELECT dropped FROM appraisal.survey WHERE county_id = $1", COUNTY)
    assert kept + dropped == whole


async def test_an_aspect_that_two_rated_is_not_told_by_subtraction(rollback: None) -> None:
    """The village's aspects leave out the grid whose aspects are hidden; its score does not."""
    made = await drawn()
    few: list[Ballot] = [(True, (20 if n < 2 else 0, 80, 80, 80, 80, 80), "") for n in range(8)]
    many: list[Ballot] = [(True, (100,) * 6, "")] * 25
    found = await told(made, {GRID: few, SECOND: many})
    assert found[GRID].aspects is None
    assert found[VILLAGE].aspects == found[SECOND].aspects == (Decimal(100),) * 6
    assert found[VILLAGE].score == scored(few + many)
    assert found[GRID].score == Decimal("70.0")


async def test_small_grids_are_told_with_their_village(rollback: None) -> None:
    """Three and four ballots make seven of the village; two alone go up and, alone, are dropped."""
    made = await drawn()
    good: Ballot = (True, (80,) * 6, "")
    found = await told(made, {GRID: [good] * 3, SECOND: [good] * 4, THIRD: [good] * 2})
    counts = {code: row.ballots for code, row in found.items() if row.ballots}
    assert counts == {VILLAGE: 7, "421222100": 7, "421222": 7}
    dropped = await DB.fetchval("SELECT dropped FROM appraisal.survey WHERE county_id = $1", COUNTY)
    assert dropped == 2


RATED: Ballot = (True, (80,) * 6, "")
EMPTY: Ballot = (True, (0,) * 6, "")


@pytest.mark.parametrize(
    ("given", "counts", "dropped"),
    [
        (
            {GRID: [*[RATED] * 4, EMPTY], SECOND: [RATED] * 6},
            {SECOND: 6, VILLAGE: 6, "421222100": 6, "421222": 6},
            5,
        ),
        (
            {GRID: [RATED] * 4, THIRD: [RATED] * 6, FOURTH: [RATED]},
            {THIRD: 6, "421222100002": 6, "421222100": 11, "421222": 11},
            0,
        ),
        ({GRID: [RATED] * 4}, {}, 4),
    ],
)
async def test_four_are_told_nowhere(
    rollback: None, given: dict[str, list[Ballot]], counts: dict[str, int], dropped: int
) -> None:
    """Of a grid, of a village or of the county; one that rates nothing makes them no five."""
    made = await drawn()
    found = await told(made, given)
    assert {code: row.ballots for code, row in found.items() if row.ballots} == counts
    sql = "SELECT dropped FROM appraisal.survey WHERE county_id = $1"
    assert await DB.fetchval(sql, COUNTY) == dropped


async def test_words_come_in_groups_to_the_department_only(rollback: None) -> None:
    """Five or more of a unit, else of the unit above; an instructor sees figures, no words."""
    made = await drawn()
    said: dict[str, list[Ballot]] = {
        GRID: [(True, (80,) * 6, f"甲{n}") for n in range(6)],
        SECOND: [(True, (80,) * 6, f"乙{n}" if n < 3 else "") for n in range(6)],
        THIRD: [(True, (80,) * 6, f"丙{n}" if n < 4 else "") for n in range(6)],
    }
    await told(made, said)
    survey = await current(made)
    groups = await results.words(made.department, survey, "421222")
    assert {group.code: len(group.texts) for group in groups} == {GRID: 6, "421222100": 7}
    with pytest.raises(NotFound):
        await results.words(made.instructor, survey, "421222100")
    own = await results.of_unit(made.instructor, survey, "421222100")
    assert own[0][1].ballots == 18
    with pytest.raises(NotFound):
        await results.of_unit(made.instructor, survey, "421222")
    chief = await acting(made.county.chief)
    assert [row.code for _, row in await results.of_unit(chief, survey, VILLAGE)] == [
        VILLAGE,
        GRID,
        SECOND,
    ]
