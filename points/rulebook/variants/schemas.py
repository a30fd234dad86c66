"""What variants show of themselves. Points in 0.1."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from points.rulebook.rules import Rule, Variant


class VariantForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the villagers' meeting has resolved; ``points`` None = as the county again."""

    village_code: str
    code: str
    points: int | None
    cap_day: int | None = None
    cap_month: int | None = None
    effective_from: date
    resolution: str
    resolved_on: date

    @property
    def variant(self) -> Variant:
        return Variant(
            village_code=self.village_code,
            code=self.code,
            points=self.points,
            cap_day=self.cap_day,
            cap_month=self.cap_month,
            resolution=self.resolution,
            effective_from=self.effective_from,
        )


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
