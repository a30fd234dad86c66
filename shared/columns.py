"""The columns that every business table begins with.

``county_id`` stands first in every primary key, unique index and foreign key, so that the same
schema can be distributed by county. Piccolo knows no composite keys: its model declares ``id`` as
the key, and ``shared.harden`` (shared/sql/00_keys.sql) replaces it by ``(county_id, id)``.
"""

from piccolo.columns import UUID, Integer


def county() -> Integer:
    """The six-digit division code of the county."""
    return Integer(default=None)


def key() -> UUID:
    """The caller's or the app's UUIDv7 (``shared.ids.new_id``), never a sequence."""
    return UUID(primary_key=True, default=None)


def link(*, null: bool = False) -> UUID:
    """The id half of a composite foreign key; the key itself is added in ``sql/``."""
    return UUID(default=None, null=null)
