"""Cycles and the signed steps between their stages."""

from piccolo.columns import Date, Integer, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Cycle(Table, tablename="cycle", schema="appraisal", db=DB):
    """One appraisal of a county; unique by (kind, year). Closed, it never changes (sql/10)."""

    county_id = county()
    id = key()
    kind = Text(default=None)
    year = Integer(default=None)
    title = Text(default=None)
    starts_on = Date(default=None)
    ends_on = Date(default=None)
    """The last day, itself within the period."""
    state = Text(default="draft")
    opened_by = link()
    opened_at = Timestamptz(default=None)
    closed_at = Timestamptz(default=None, null=True)


class CycleStep(Table, tablename="cycle_step", schema="appraisal", db=DB):
    """Who moved a cycle to its next stage, when, under which authority; append-only."""

    county_id = county()
    id = key()
    cycle_id = link()
    source = Text(default=None)
    target = Text(default=None)
    at = Timestamptz(default=None)
    person_id = link()
    name = Text(default=None)
    authority = Text(default=None)
    note = Text(default="")
