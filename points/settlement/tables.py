"""Statements (对账单), their lines, disputes and signatures, and the monthly publication.

Names, goods and prices are copied into the statement when it is built: what was signed must read
the same years later, whatever shops and people are called by then. Points are ints of 0.1, money
is fen.
"""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Statement(Table, tablename="statement", schema="points", db=DB):
    """What one fund owes one shop for one month; unique by (shop, fund, month)."""

    county_id = county()
    id = key()
    shop_id = link()
    fund_id = link()
    month = Text(default=None)
    """``2026-10``."""
    through = Timestamptz(default=None)
    """What happened before this instant and stood in no earlier statement is in it."""
    state = Text(default="built")
    shop_name = Text(default=None)
    settlement_name = Text(default=None)
    fund_name = Text(default=None)
    unit_code = Text(default=None)
    """The fund's owner: whose accountant and supervision committee sign."""
    built_on = Date(default=None)
    line_count = Integer(default=None)
    points = BigInt(default=None)
    carried = Array(base_column=UUID(), default=list)
    """Earlier statements and disputes that ``opening_fen`` is made of."""
    opening_fen = BigInt(default=None)
    """Carried over: below zero after late undos, above zero when a dispute ended in favour."""
    amount_fen = BigInt(default=None)
    disputed_fen = BigInt(default=0)
    payable_fen = BigInt(default=None)
    carry_fen = BigInt(default=None)
    """The part below zero that the next statement opens with."""
    file_sha256 = Bytea(default=None)
    file = Bytea(default=None, null=True)
    """What hashes to it, kept: another release or library might write the same rows otherwise.

    NULL for statements from before files were kept: theirs is made anew from their rows.
    """
    frozen_at = Timestamptz(default=None, null=True)


class StatementLine(Table, tablename="statement_line", schema="points", db=DB):
    """A redemption, or its undoing with negative figures, as far as one fund pays for it."""

    county_id = county()
    id = key()
    statement_id = link()
    fund_id = link()
    position = Integer(default=None)
    kind = Text(default=None)
    redemption_id = link()
    at = Timestamptz(default=None)
    worker = Text(default=None)
    """Masked."""
    place = Text(default="")
    goods = Text(default=None)
    points = BigInt(default=None)
    whole_points = BigInt(default=None)
    """Of the whole redemption; more than ``points`` when several funds share it."""
    amount_fen = BigInt(default=None)


class StatementDispute(Table, tablename="statement_dispute", schema="points", db=DB):
    """有异议: takes a line out of the payable sum until somebody decides."""

    county_id = county()
    id = key()
    statement_id = link()
    line_id = link()
    part = Text(default=None)
    reason = Text(default=None)
    raised_by = link()
    raised_at = Timestamptz(default=None)
    state = Text(default="open")
    decided_by = link(null=True)
    decided_at = Timestamptz(default=None, null=True)
    note = Text(default="")


class StatementSignature(Table, tablename="statement_signature", schema="points", db=DB):
    """One of the three who sign, and exactly which file they signed."""

    county_id = county()
    id = key()
    statement_id = link()
    part = Text(default=None)
    person_id = link(null=True)
    name = Text(default=None)
    authority = Text(default=None)
    stand_in = Boolean(default=False)
    """The post is vacant, so the level above signs in its place."""
    means = Text(default=None)
    at = Timestamptz(default=None)
    file_sha256 = Bytea(default=None)
    voided_at = Timestamptz(default=None, null=True)


class Publication(Table, tablename="publication", schema="points", db=DB):
    """The monthly public sheet of one fund: issued, redeemed, stock, money."""

    county_id = county()
    id = key()
    fund_id = link()
    month = Text(default=None)
    built_on = Date(default=None)
    unit_code = Text(default=None)
    name = Text(default=None)
    figures = JSONB(default=None)
    """A ``Figures`` Struct (schemas.py)."""


class Correction(Table, tablename="correction", schema="points", db=DB):
    """A mistyped resolution put right: proposed by one, approved by another.

    Approved, the ledger has a row of the same id beside the resolution's own, which stays.
    """

    county_id = county()
    id = key()
    resolution_id = link()
    was_fen = BigInt(default=None)
    """What the resolution stood at when this was proposed."""
    amount_fen = BigInt(default=None)
    reason = Text(default=None)
    state = Text(default="proposed")
    proposed_at = Timestamptz(default=None)
    proposed_by = link()
    decided_at = Timestamptz(default=None, null=True)
    decided_by = link(null=True)
    decision_note = Text(default="")
