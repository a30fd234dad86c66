"""What an intake can take in, and what it answers."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime

import msgspec

from shared.documents import excel
from shared.documents.read import Column, Row, Table
from shared.identity.access import Action
from shared.identity.actor import Actor


class Line(msgspec.Struct, frozen=True):
    """One change in words; ``row`` of the file."""

    row: int
    name: str
    text: str


class Outcome(msgspec.Struct):
    """What a file did, or would do."""

    rows: int = 0
    created: int = 0
    corrected: int = 0
    same: int = 0
    lines: list[Line] = []
    notes: list[str] = []
    faults: list[str] = []
    fault_count: int = 0
    left_out: list[str] = []
    digest: str = ""


Store = Callable[[Actor, Table, datetime, str], Awaitable[Outcome]]
"""Checks every row, adds faults to the table, and writes what is sound: the caller rolls back a
dry run and a file with faults. The text is the reason of corrections."""
Fill = Callable[[Actor, date], Awaitable[excel.Sheet]]
"""The sheet to fill in, with the rows that are expected."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of workbook."""

    name: str
    """In addresses and in ``import_run.kind``."""
    title: str
    action: Action
    columns: tuple[Column, ...]
    dropped: tuple[str, ...]
    store: Store
    template: Fill
    hints: tuple[str, ...]
    back: str
    """The page it belongs to."""
    menu: str


def change(row: Row, name: str, text: str) -> Line:
    return Line(row.number, name, text)
