"""The facts a document says: texts only, already as they are to be read.

A template's placeholders are these fields' names: ``{{ title }}``, and in a table row
``{%tr for row in rows %}`` … ``{{ row.name }}`` … ``{%tr endfor %}``.
"""

from datetime import datetime
from typing import ClassVar

import msgspec


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the appraisal sheet."""

    name: str
    weight: str
    score: str
    basis: str
    """What the figure was made from."""


class SheetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """网格员考核表: one worker's sheet."""

    kind: ClassVar[str] = "sheet"
    title: str
    period: str
    issuer: str
    date: str
    name: str
    unit: str
    """乡镇、村社区、网格."""
    employment: str
    rows: list[Component]
    calculated: str
    calibrated: str = ""
    calibration: str = ""
    """Who changed it and why."""
    final: str
    grade: str
    satisfaction: str = ""
    """Ballots and interval."""


class RankLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a ranking."""

    rank: str
    township: str
    village: str
    name: str
    score: str
    grade: str
    ballots: str


class RankingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """考核排名表: for those who appraise."""

    kind: ClassVar[str] = "ranking"
    title: str
    period: str
    unit: str
    issuer: str
    date: str
    rows: list[RankLine]


class NoticeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One published line; the name is masked already where it must be."""

    number: str
    name: str
    unit: str
    note: str


class NoticeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """公示."""

    kind: ClassVar[str] = "notice"
    title: str
    basis: str
    starts_on: str
    ends_on: str
    days: str
    """How many working days."""
    phone: str
    place: str
    issuer: str
    date: str
    rows: list[NoticeLine]


class LetterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """考核结果告知书: one worker's result and how to object."""

    kind: ClassVar[str] = "letter"
    title: str
    number: str = ""
    name: str
    unit: str
    cycle: str
    period: str
    final: str
    grade: str
    consequence: str = ""
    objection_until: str
    place: str
    phone: str
    issuer: str
    date: str


class DecisionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """决定书: what was decided in a case, on which facts, and how to appeal."""

    kind: ClassVar[str] = "decision"
    title: str
    number: str = ""
    name: str
    unit: str
    matter: str
    facts: str
    basis: str = ""
    decision: str
    effective_on: str
    appeal: str = ""
    """How and until when."""
    issuer: str
    date: str


Facts = SheetFacts | RankingFacts | NoticeFacts | LetterFacts | DecisionFacts


class TemplateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a county's template, without its content."""

    kind: str
    version: int
    current: bool
    file_name: str
    own: bool
    """False: back to the product's own."""
    reason: str
    uploaded_by_name: str
    uploaded_at: datetime
