"""Shapes of the daily roots and of the receipt file (docs/receipts.md)."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]
Day = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10)]
MOST_HASHES = 256
"""Rows of a batch that a receipt still carries (16 KB of text); proofs are far shorter."""
Hashes = Annotated[tuple[Hex, ...], msgspec.Meta(max_length=MOST_HASHES)]


class DayRow(msgspec.Struct, frozen=True):
    """A closed day as it is shown and printed."""

    day: date
    first_batch: int
    last_batch: int
    transfers: int
    previous: bytes
    head: bytes
    root: bytes
    closed_at: datetime


class Tree(DayRow, frozen=True):
    """A closed day with the kept subtrees of its tree."""

    blocks: bytes
    starts: tuple[UUID, ...]


class KeptBlock(msgspec.Struct, frozen=True):
    """Up to 256 neighbouring leaves of a day."""

    start: UUID
    leaves: bytes


class Leaf(msgspec.Struct, frozen=True):
    """A row and its hash."""

    id: UUID
    leaf: bytes


class SealedRow(msgspec.Struct, frozen=True):
    """A transfer as it is hashed, and the header of its batch."""

    transfer: str
    number: int
    at: int
    items: int
    rows: int
    previous_hash: str
    hash: str


class BatchPart(msgspec.Struct, frozen=True):
    """The block of the county's hash chain that holds the transfer."""

    county_id: Number
    number: Number
    at: Count
    """Microseconds since 1970-01-01 UTC."""
    items: Number
    rows: Number
    previous_hash: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$", max_length=64)]
    """Empty in the county's first batch."""
    hash: Hex
    place: Number | None = None
    """The transfer's place in ``leaves``, from 0."""
    leaves: Hashes | None = None
    """SHA-256 of every row of the batch; left out where there are more than 256."""


class DayPart(msgspec.Struct, frozen=True):
    """The inclusion proof in the tree of the closed day."""

    date: Day
    root: Hex
    index: Number
    size: Number
    proof: Hashes


class ReceiptFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is downloaded; ``transfer`` is the canonical row, byte for byte as it was hashed."""

    version: int = msgspec.field(name="gridmerit-receipt")
    transfer: Annotated[str, msgspec.Meta(max_length=1000)]
    batch: BatchPart
    day: DayPart | None = None


class Line(msgspec.Struct, frozen=True):
    """One thing that was checked, in words: ✓ holds, ✗ does not, ？ cannot be told from here."""

    mark: str
    text: str
