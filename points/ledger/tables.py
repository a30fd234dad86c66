"""Tables of the ledger; only ``points.post_batch`` writes them (codes excepted).

Append-only: transfer, posting, redemption, redemption_line, batch, stock_move, resolution,
closing, closing_balance. Moving state: account, lot, hold, stock, fund, awaiting, code. Amounts are
0.1 point, money is fen.
"""

from piccolo.columns import UUID, Array, BigInt, Bytea, Date, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Account(Table, tablename="account", schema="points", db=DB):
    """Whose points: ``owner`` is a person, shop or fund, or the nil UUID for the county's own.

    A shop's balance is not kept here: it is the sum of its transfers, so that no row is hot.
    """

    county_id = county()
    id = key()
    kind = Text(default=None)
    unit = Text(default=None)
    owner = UUID(default=None)
    balance = BigInt(default=0)
    month = Date(default=None, null=True)
    """A wallet's last month with a redemption or hold (first day); null: not counted yet."""
    month_points = BigInt(default=0)
    """Points of that month, undone and voided ones included: a bound that spares counting."""


class Transfer(Table, tablename="transfer", schema="points", db=DB):
    """One row is both legs: ``amount`` moves from ``debit`` to ``credit``.

    The id is a UUIDv7 made of the batch's time, its number, the item's position and the leg, so
    that the order of ids is the order of the ledger (see ``points.transfer_id``). The table is
    partitioned by it, one partition a quarter (sql/33_partitions.sql).
    """

    county_id = county()
    batch = Integer(default=None)
    position = Integer(default=None)
    amount = BigInt(default=None)
    id = key()
    debit = UUID(default=None)
    credit = UUID(default=None)
    about = UUID(default=None)
    """The lot of a wallet issue, reversal or expiry; else the redemption or the posting."""
    unit = Text(default=None)
    code = Text(default=None)
    """A rule's code (SVC-01, PEN-02), or opening, redeem, undo, reverse, expire, offset."""


class Closing(Table, tablename="closing", schema="points", db=DB):
    """A closed month (月结, 202610): every transfer before ``at`` is in its balances."""

    county_id = county()
    month = Integer(primary_key=True, default=None)
    at = Timestamptz(default=None)
    """The first instant after the month, in China."""
    accounts = Integer(default=None)
    """How many balances were written."""


class ClosingBalance(Table, tablename="closing_balance", schema="points", db=DB):
    """An account's balance at the end of a month in which it moved, whatever its kind.

    The key is (county_id, account, month): the newest row not after a month is its balance then.
    """

    county_id = county()
    month = Integer(default=None)
    balance = BigInt(default=None)
    account = UUID(primary_key=True, default=None)


class Batch(Table, tablename="batch", schema="points", db=DB):
    """A block of the county's hash chain; ``leaves`` holds 8 bytes of each row's hash."""

    county_id = county()
    number = Integer(primary_key=True, default=None)
    at = Timestamptz(default=None)
    items = Integer(default=None)
    rows = Integer(default=None)
    previous_hash = Bytea(default=None)
    hash = Bytea(default=None)
    leaves = Bytea(default=None)


class Posting(Table, tablename="posting", schema="points", db=DB):
    """What an item other than a redemption or hold did, under the caller's id."""

    county_id = county()
    id = key()
    batch = Integer(default=None)
    position = Integer(default=None)
    kind = Text(default=None)
    code = Text(default="")
    """The rule's code for awards and deductions."""
    target = UUID(default=None, null=True)
    """What it is about: the reversed award, undone redemption, resolved hold, fund or product."""
    person_id = link(null=True)
    day = Date(default=None, null=True)
    at = Timestamptz(default=None)
    amount = BigInt(default=0)
    """Merit of awards and deductions; else what ``Outcome.amount`` says."""
    wallet = BigInt(default=0)
    waiting = BigInt(default=0)
    settled = BigInt(default=0)
    quantity = Integer(default=0)
    request_hash = Bytea(default=None)
    actor_id = link(null=True)
    authority = Text(default="")
    memo = Text(default="")


class Lot(Table, tablename="lot", schema="points", db=DB):
    """Wallet points of one award and fund, with the day they end (null: never)."""

    county_id = county()
    id = key()
    person_id = link()
    fund_id = link()
    award_id = link()
    earned_on = Date(default=None)
    expires_on = Date(default=None, null=True)
    amount = BigInt(default=None)
    remaining = BigInt(default=None)
    held = BigInt(default=0)


class Awaiting(Table, tablename="awaiting", schema="points", db=DB):
    """The wallet part of an award that no budget covers yet (待拨付), in ledger order."""

    county_id = county()
    id = key()
    """The award's id."""
    person_id = link()
    fund_id = link(null=True)
    unit_code = Text(default=None)
    code = Text(default=None)
    amount = BigInt(default=None)
    remaining = BigInt(default=None)
    batch = Integer(default=None)
    position = Integer(default=None)


class Fund(Table, tablename="fund", schema="points", db=DB):
    """A village collective's (or township's, county's) money for points."""

    county_id = county()
    id = key()
    unit_code = Text(default=None)
    name = Text(default=None)
    point_value_fen = Integer(default=None)
    budget_fen = BigInt(default=0)
    """The sum of the resolutions."""


class Resolution(Table, tablename="resolution", schema="points", db=DB):
    """A decision (决议) that raises a fund's budget, or the correction of one.

    ``amount_fen`` of a correction is the difference, ``number`` that of what it ``corrects``.
    """

    county_id = county()
    id = key()
    fund_id = link()
    number = Text(default=None)
    resolved_on = Date(default=None)
    amount_fen = BigInt(default=None)
    corrects = link(null=True)


class Code(Table, tablename="code", schema="points", db=DB):
    """A worker's one-time redemption code: hashes of its token and of its 8 digits."""

    county_id = county()
    id = key()
    person_id = link()
    token_hash = Bytea(default=None)
    digits_hash = Bytea(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    used_by = UUID(default=None, null=True)
    """The redemption or hold that consumed it."""


class Hold(Table, tablename="hold", schema="points", db=DB):
    """Points and stock kept for one shop: pending → posted | voided | expired, or refused at once.

    ``lots``/``draws`` and ``products``/``quantities``/``prices``/``costs`` are parallel arrays.
    """

    county_id = county()
    id = key()
    batch = Integer(default=None)
    position = Integer(default=None)
    status = Text(default=None)
    refusal = Text(default=None, null=True)
    subject = UUID(default=None, null=True)
    request_hash = Bytea(default=None)
    person_id = link(null=True)
    shop_id = link()
    amount = BigInt(default=None)
    posted = BigInt(default=0)
    balance_after = BigInt(default=None)
    month = Date(default=None)
    at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    lots = Array(base_column=UUID(), default=list)
    draws = Array(base_column=BigInt(), default=list)
    products = Array(base_column=UUID(), default=list)
    quantities = Array(base_column=Integer(), default=list)
    prices = Array(base_column=BigInt(), default=list)
    costs = Array(base_column=BigInt(), default=list)
    means = Text(default=None)
    actor_id = link(null=True)
    authority = Text(default="")
    device = Text(default="")
    collector = Text(default="")
    resolved_batch = Integer(default=None, null=True)


class Redemption(Table, tablename="redemption", schema="points", db=DB):
    """Goods for points at one shop, or its refusal: the idempotency record and its own audit."""

    county_id = county()
    id = key()
    batch = Integer(default=None)
    position = Integer(default=None)
    status = Text(default=None)
    refusal = Text(default=None, null=True)
    subject = UUID(default=None, null=True)
    request_hash = Bytea(default=None)
    person_id = link(null=True)
    shop_id = link()
    hold_id = link(null=True)
    amount = BigInt(default=None)
    balance_after = BigInt(default=None)
    month = Date(default=None)
    """First day of the month whose limits it counts against (a hold's own month)."""
    at = Timestamptz(default=None)
    lots = Array(base_column=UUID(), default=list)
    draws = Array(base_column=BigInt(), default=list)
    means = Text(default=None)
    actor_id = link(null=True)
    authority = Text(default="")
    device = Text(default="")
    collector = Text(default="")


class RedemptionLine(Table, tablename="redemption_line", schema="points", db=DB):
    """One product of an accepted redemption."""

    county_id = county()
    id = key()
    redemption_id = link()
    line = SmallInt(default=None)
    product_id = link()
    quantity = Integer(default=None)
    price = BigInt(default=None)
    """Per piece, 0.1 point; whole points, so a multiple of 10."""
    cost_fen = BigInt(default=None)
    """Agreed purchase price per piece."""


class Stock(Table, tablename="stock", schema="points", db=DB):
    """Pieces of a product at a shop; ``held`` of them wait for holds."""

    county_id = county()
    id = key()
    shop_id = link()
    product_id = link()
    quantity = Integer(default=0)
    held = Integer(default=0)


class StockMove(Table, tablename="stock_move", schema="points", db=DB):
    """Pieces in, out or counted, outside redemptions."""

    county_id = county()
    id = key()
    batch = Integer(default=None)
    position = Integer(default=None)
    shop_id = link()
    product_id = link()
    kind = Text(default=None)
    delta = Integer(default=None)
    quantity_after = Integer(default=None)
    at = Timestamptz(default=None)
    reason = Text(default="")
    actor_id = link(null=True)
