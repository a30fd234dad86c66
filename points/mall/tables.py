"""Shops, their agreements, what they sell, and at which dated price.

Quantities on the shelf are the ledger's (``points.stock``): they move with the points.
"""

from piccolo.columns import BigInt, Date, Integer, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Shop(Table, tablename="shop", schema="points", db=DB):
    """A partner shop (积分超市) of a village, township or the county.

    ``settlement_name`` is the account the village pays; money never touches this system.
    """

    county_id = county()
    id = key()
    unit_id = link()
    name = Text(default=None)
    settlement_name = Text(default=None)
    state = Text(default="open")
    version = Integer(default=1)
    created_at = Timestamptz(default=None)


class Agreement(Table, tablename="agreement", schema="points", db=DB):
    """The days on which a shop may redeem: both ends belong to it."""

    county_id = county()
    id = key()
    shop_id = link()
    first_day = Date(default=None)
    last_day = Date(default=None)
    recorded_at = Timestamptz(default=None)
    recorded_by = link(null=True)


class Product(Table, tablename="product", schema="points", db=DB):
    """A kind of goods of the county's catalogue.

    ``monthly_limit`` is pieces a person and month, ``low_mark`` the pieces at which a shop is
    reminded to order, ``market_fen`` the usual shop price that a points price may not exceed.
    """

    county_id = county()
    id = key()
    name = Text(default=None)
    category = Text(default=None)
    measure = Text(default=None)
    monthly_limit = Integer(default=None, null=True)
    low_mark = Integer(default=5)
    market_fen = BigInt(default=None, null=True)
    state = Text(default="listed")
    version = Integer(default=1)
    created_at = Timestamptz(default=None)


class Price(Table, tablename="price", schema="points", db=DB):
    """What a product costs from a day on: in 0.1 points, and in fen what the village pays for it.

    ``shop_id`` empty means every shop; a shop's own price goes before it. A price counts only when
    approved; it is never edited: a change is a new row with a later first day.
    """

    county_id = county()
    id = key()
    product_id = link()
    shop_id = link(null=True)
    first_day = Date(default=None)
    points = BigInt(default=None)
    purchase_fen = BigInt(default=None)
    state = Text(default="proposed")
    reason = Text(default="")
    proposed_at = Timestamptz(default=None)
    proposed_by = link(null=True)
    decided_at = Timestamptz(default=None, null=True)
    decided_by = link(null=True)
    decision_note = Text(default="")
