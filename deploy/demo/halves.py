"""Which half-years the demo plays in, counted so that the one before is always one less."""

from datetime import date, datetime, time, timedelta
from typing import Self

import msgspec

from appraisal.cycle import rules
from appraisal.cycle.rules import Kind
from shared.clock import LOCAL_ZONE, today
from shared.months import month_of

SETTLING = timedelta(days=60)
"""From the end of a half-year until its appraisal is surely over."""
TEN_IN_THE_MORNING = time(10)


class Half(msgspec.Struct, frozen=True):
    """A half-year with a cycle of its own; the second one's is the annual appraisal."""

    number: int

    @classmethod
    def open_at(cls, at: datetime) -> Self:
        """The half-year whose cycle is being worked on; the one before is closed."""
        day = today(at - SETTLING)
        return cls(day.year * 2 + (day.month > 6))

    @property
    def before(self) -> "Half":
        return Half(self.number - 1)

    @property
    def kind(self) -> Kind:
        return Kind.ANNUAL if self.number % 2 else Kind.HALF_YEAR

    @property
    def year(self) -> int:
        return self.number // 2

    @property
    def first(self) -> date:
        return rules.period(self.kind, self.year)[0]

    @property
    def last(self) -> date:
        return rules.period(self.kind, self.year)[1]

    @property
    def months(self) -> range:
        """202601 … 202606."""
        return range(month_of(self.first), month_of(self.last) + 1)

    def after(self, days: int) -> datetime:
        """Ten in the morning, so many days after the last one (before it, if negative)."""
        day = self.last + timedelta(days=days)
        return datetime.combine(day, TEN_IN_THE_MORNING, LOCAL_ZONE)
