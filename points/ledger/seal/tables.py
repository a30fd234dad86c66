"""The table of the daily roots; append-only, written once a day by the job."""

from piccolo.columns import UUID, Array, BigInt, Bytea, Date, Integer, Timestamptz
from piccolo.table import Table

from shared.columns import county
from shared.database import DB


class DayRoot(Table, tablename="day_root", schema="points", db=DB):
    """A closed day (China) of a county's ledger and the Merkle root over its transfers.

    ``blocks`` and ``starts`` are what a proof needs without hashing the whole day again: the root
    of every 256 leaves (32 bytes each), and the first transfer in each.
    """

    county_id = county()
    day = Date(primary_key=True, default=None)
    first_batch = Integer(default=None)
    last_batch = Integer(default=None)
    """One less than ``first_batch`` on a day without a batch."""
    transfers = BigInt(default=None)
    previous = Bytea(default=None)
    """The root of the day before; empty on the first day."""
    head = Bytea(default=None)
    """The hash of ``last_batch``."""
    root = Bytea(default=None)
    blocks = Bytea(default=None)
    starts = Array(base_column=UUID(), default=list)
    closed_at = Timestamptz(default=None)
