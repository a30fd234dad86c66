"""What variants show of themselves. Points in 0.1."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.rulebook.rules import Rule, Variant


class VariantForm(Variant, frozen=True, kw_only=True):
    """What the villagers' meeting has resolved, and when."""

    resolved_on: date


class VariantRow(VariantForm, frozen=True, kw_only=True):
    """A variant with who asked for it and who decided."""

    id: UUID
    village_name: str
    state: str
    proposed_at: datetime
    proposed_by: UUID
    proposer: str
    decided_at: datetime | None
    decider: str | None
    decision_note: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item of which a village may set what it pays, and what it has set."""

    rule: Rule
    latest: Variant | None
    """The one that began last, whether it fits the county's range or not."""
    counts: Variant | None
    """The same if it does."""
