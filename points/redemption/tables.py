"""How a worker is recognised at the counter, beside the one-time codes that the ledger consumes."""

from piccolo.columns import Bytea, Date, Integer, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Card(Table, tablename="card", schema="points", db=DB):
    """A printed card: a long-lived token and number that count only with the worker's PIN.

    The number stands in clear text because lists show it; it is worth nothing without the PIN,
    whose wrong tries are counted on the account.
    """

    county_id = county()
    id = key()
    person_id = link()
    number = Text(default=None)
    token_hash = Bytea(default=None)
    issued_at = Timestamptz(default=None)
    issued_by = link(null=True)
    revoked_at = Timestamptz(default=None, null=True)


class Pickup(Table, tablename="pickup", schema="points", db=DB):
    """What a worker ordered ahead: the pickup code of a hold (same id), who fetches it and where.

    The worker must be able to show the code again for days, so it is also kept sealed; at the
    counter it is looked up by hash.
    """

    county_id = county()
    id = key()
    person_id = link()
    shop_id = link()
    token_hash = Bytea(default=None)
    digits_hash = Bytea(default=None)
    sealed = Bytea(default=None)
    """Token and digits, separated by a blank, encrypted."""
    collector = Text(default="")
    deliver_to = Text(default="")
    created_at = Timestamptz(default=None)


class CounterTries(Table, tablename="counter_tries", schema="points", db=DB):
    """Wrong codes at one shop, wrong PINs of one card (same id): kept where no cache is emptied."""

    county_id = county()
    id = key()
    failures = Integer(default=0)
    failures_today = Integer(default=0)
    failures_on = Date(default=None, null=True)
    blocked_until = Timestamptz(default=None, null=True)
