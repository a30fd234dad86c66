"""What the tests of duty and training need: actors, dates, forms, office files."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from appraisal.duty.rules import EntryForm, EntryKind
from appraisal.duty.schemas import SheetInput
from appraisal.intake.service import File
from shared.database import DB
from tests.factories import COUNTY, Member
from tests.shared.documents import books

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
DAY = date(2026, 10, 20)
MONTH = 202610


def line(
    who: Member, on_duty: str = "18", leave: str = "1", *, rostered: str = "20", **more: Any
) -> SheetInput:
    """A line of October's sheet."""
    values: dict[str, Any] = {
        "person_id": who.person_id,
        "village_code": who.unit_code[:12],
        "month": MONTH,
        "rostered": Decimal(rostered),
        "on_duty": Decimal(on_duty),
        "leave": Decimal(leave),
    }
    return SheetInput(**(values | more))


async def duty_total(cycle_id: UUID, person_id: UUID) -> SimpleNamespace:
    """A person's row of the contract view."""
    [found] = await DB.fetch(
        "SELECT * FROM appraisal.duty_total"
        " WHERE county_id = $1 AND cycle_id = $2 AND person_id = $3",
        COUNTY,
        cycle_id,
        person_id,
    )
    return SimpleNamespace(**found)


def fact(who: Member, kind: EntryKind = EntryKind.CHECK, **more: Any) -> EntryForm:
    """A sound entry of a kind."""
    values: dict[str, Any] = {
        "kind": kind,
        "person_id": who.person_id,
        "happened_on": DAY,
        "by_whom": "镇综治办",
        **{
            EntryKind.CHECK: {"outcome": "failed", "place": "村委会"},
            EntryKind.COMMEND: {"level": "county", "document": "通报第3期"},
            EntryKind.COMPLAINT: {
                "level": "township",
                "outcome": "founded",
                "facts": "推诿不办",
            },
            EntryKind.VETO: {"outcome": "leak", "facts": "转发名册", "document": "调查结论"},
        }[kind],
    }
    return EntryForm(**(values | more))


def book(*rows: Sequence[Any], name: str = "表.xlsx") -> File:
    """A workbook with a title row over its header."""
    return File(name, books.xlsx([["一张表"], *rows]))
