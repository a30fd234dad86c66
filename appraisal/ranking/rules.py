"""Sub-totals of a list: the units right below, in figures."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from appraisal.ranking.schemas import RankRow
from appraisal.scorecard.rules import Grade


class Subtotal(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of a list. Scores are hundredths, survey scores tenths; means half up."""

    code: str
    name: str
    people: int
    mean: int | None
    best: int | None
    worst: int | None
    grades: tuple[int, ...]
    """How many of each, from excellent to undetermined."""
    liked_people: int
    """How many have a survey score."""
    liked: int | None
    ballots: int


def subtotals(rows: Sequence[RankRow], length: int) -> list[Subtotal]:
    """The rows by the first ``length`` digits of their grid, in the order of the codes."""
    groups: dict[str, list[RankRow]] = defaultdict(list)
    for row in rows:
        groups[row.grid_code[:length]].append(row)
    return [_subtotal(code, groups[code], length) for code in sorted(groups)]


def _subtotal(code: str, rows: Sequence[RankRow], length: int) -> Subtotal:
    finals = [
        row.final for row in rows if row.final is not None and row.grade is not Grade.UNDETERMINED
    ]
    liked = [row.liked for row in rows if row.liked is not None]
    return Subtotal(
        code=code,
        name=_name(rows[0], length),
        people=len(rows),
        mean=_mean(finals),
        best=max(finals, default=None),
        worst=min(finals, default=None),
        grades=tuple(sum(row.grade is grade for row in rows) for grade in Grade),
        liked_people=len(liked),
        liked=_mean(liked),
        ballots=sum(row.ballots for row in rows),
    )


def _name(row: RankRow, length: int) -> str:
    names = {9: row.township_name, 12: row.township_name + row.village_name}
    return names.get(length, row.village_name + row.grid_name)


def _mean(values: Sequence[int]) -> int | None:
    """Half up; scores are not negative."""
    return (2 * sum(values) + len(values)) // (2 * len(values)) if values else None
