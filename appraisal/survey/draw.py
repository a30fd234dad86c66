"""The public draw of households: pure, so that anybody can repeat it from two published files.

1. The frozen list is a file: UTF-8 with its mark, a line ``网格编码,户号,村民小组``, then a line a
   household sorted by grid and number, each ended by a line feed. Its SHA-256 is published first.
2. Seed = SHA-256 of the hash's 64 hex digits followed by the public value, written in hex.
3. A household's key is SHA-256 of ``seed|网格编码|户号``, a group's that of
   ``seed|网格编码|组|村民小组``.
4. Per grid ``per_grid`` households, all if there are not more, shared among the villager groups
   in proportion: whole parts first, the rest to the largest remainders, equal ones by the group's
   key.
5. In each group the smallest keys are drawn (正选). All others, by key, are its replacements
   (备选): the next of the same group, and when that is exhausted the next of the grid.
"""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal

import msgspec

LIST_TITLES = ("网格编码", "户号", "村民小组")
DRAW_TITLES = ("网格编码", "抽样序号", "类别", "户号", "村民小组")
KINDS = {"primary": "正选", "replacement": "备选"}
Kind = Literal["primary", "replacement"]


class Household(msgspec.Struct, frozen=True, order=True):
    """One line of the frozen list; a number, no name."""

    grid_code: str
    number: str
    group: str


class Drawn(msgspec.Struct, frozen=True):
    """One line of the published draw; ``ordinal`` counts within the grid, from 1."""

    grid_code: str
    ordinal: int
    kind: Kind
    number: str
    group: str


def list_file(households: Iterable[Household]) -> bytes:
    """The list as it is published and hashed."""
    rows = sorted(households)
    return _csv(LIST_TITLES, ((row.grid_code, row.number, row.group) for row in rows))


def read_list(data: bytes) -> list[Household]:
    """A published list again; raises ValueError with a sentence when it is not one."""
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError("这不是公布的住户名单文件（UTF-8 的 .csv）。") from error
    if not lines or tuple(lines[0]) != LIST_TITLES or any(len(line) != 3 for line in lines):
        raise ValueError(f"名单的表头应为：{'、'.join(LIST_TITLES)}。请使用系统公布的原文件。")
    return [Household(*line) for line in lines[1:]]


def draw_file(drawn: Iterable[Drawn]) -> bytes:
    """The draw as it is published."""
    rows = ((d.grid_code, str(d.ordinal), KINDS[d.kind], d.number, d.group) for d in drawn)
    return _csv(DRAW_TITLES, rows)


def digest(data: bytes) -> str:
    """SHA-256 in hex, as ``sha256sum`` prints it."""
    return hashlib.sha256(data).hexdigest()


def seed_of(list_hash: str, value: str) -> str:
    """SHA-256(list hash ‖ public value), in hex."""
    return digest((list_hash + value).encode())


def draw(households: Iterable[Household], seed: str, per_grid: int) -> list[Drawn]:
    """Every household with its place: by grid, first those drawn, then the replacements."""
    grids: dict[str, list[Household]] = defaultdict(list)
    for household in households:
        grids[household.grid_code].append(household)
    return [
        line for code in sorted(grids) for line in _draw_grid(code, grids[code], seed, per_grid)
    ]


def quotas(sizes: Mapping[str, int], number: int, keys: Mapping[str, str]) -> dict[str, int]:
    """``number`` shared in proportion to the sizes by the largest remainder (Hamilton).

    ``keys`` break ties between equal remainders, the smaller first.
    """
    whole = sum(sizes.values())
    exact = {group: Fraction(number * size, whole) for group, size in sizes.items()}
    shares = {group: int(share) for group, share in exact.items()}
    rest = number - sum(shares.values())
    order = sorted(exact, key=lambda group: (shares[group] - exact[group], keys[group]))
    for group in order[:rest]:
        shares[group] += 1
    return shares


def _draw_grid(code: str, members: list[Household], seed: str, per_grid: int) -> list[Drawn]:
    ordered = sorted(members, key=lambda one: _key(seed, code, one.number))
    sizes: dict[str, int] = defaultdict(int)
    for one in ordered:
        sizes[one.group] += 1
    keys = {group: _key(seed, code, "组", group) for group in sizes}
    left = quotas(sizes, min(per_grid, len(ordered)), keys)
    chosen: list[Household] = []
    others: list[Household] = []
    for one in ordered:
        taken = left[one.group] > 0
        left[one.group] -= taken
        (chosen if taken else others).append(one)
    kinds: list[tuple[Kind, Household]] = [("primary", one) for one in chosen]
    kinds += [("replacement", one) for one in others]
    return [
        Drawn(code, ordinal, kind, one.number, one.group)
        for ordinal, (kind, one) in enumerate(kinds, 1)
    ]


def _key(*parts: str) -> str:
    return digest("|".join(parts).encode())


def _csv(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    lines = [",".join(titles), *(",".join(row) for row in rows)]
    return ("\n".join(lines) + "\n").encode("utf-8-sig")
