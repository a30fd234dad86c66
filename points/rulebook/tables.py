"""Versions of rules, deductions and caps, and villages' variants, by the day they count from."""

from piccolo.columns import JSONB, BigInt, Date, Integer, Text, Timestamptz
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


class RuleVariant(Table, tablename="rule_variant", schema="points", db=DB):
    """What a village pays for an item from a day on: proposed by one, approved by another.

    ``points`` None = from that day on as the county's rule says. Wallet only, in 0.1 point.
    """

    county_id = county()
    id = key()
    village_code = Text(default=None)
    code = Text(default=None)
    points = BigInt(default=None, null=True)
    cap_day = BigInt(default=None, null=True)
    cap_month = BigInt(default=None, null=True)
    effective_from = Date(default=None)
    resolution = Text(default=None)
    """The paper of the villagers' meeting, and its day."""
    resolved_on = Date(default=None)
    state = Text(default="proposed")
    proposed_at = Timestamptz(default=None)
    proposed_by = link()
    decided_at = Timestamptz(default=None, null=True)
    decided_by = link(null=True)
    decision_note = Text(default="")
