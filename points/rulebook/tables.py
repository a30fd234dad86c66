"""Versions of rules, deductions and caps, by the day from which they count."""

from piccolo.columns import JSONB, Date, Integer, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class RuleVersion(Table, tablename="rule_version", schema="points", db=DB):
    """One version of a rule; ``body`` is the Struct of ``rulebook.rules`` that the version is.

    A version ends where its successor begins; what it produced keeps its number.
    """

    county_id = county()
    id = key()
    kind = Text(default=None)
    code = Text(default=None)
    version = Integer(default=None)
    effective_from = Date(default=None)
    effective_to = Date(default=None, null=True)
    body = JSONB(default=None)
    recorded_at = Timestamptz(default=None)
    recorded_by = link(null=True)
