"""Attendance by month, single facts about a worker's duty, and double-random checks.

Nothing here is edited: a correction is a new version, and what was said before stays readable.
"""

from piccolo.columns import (
    Array,
    Boolean,
    Bytea,
    Date,
    Integer,
    Numeric,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Attendance(Table, tablename="attendance", schema="appraisal", db=DB):
    """One version of one line of a village's monthly sheet (考勤表); days in halves.

    ``month`` is 202603. ``current`` marks the version that counts.
    """

    county_id = county()
    id = key()
    person_id = link()
    village_code = Text(default=None)
    month = Integer(default=None)
    rostered_days = Numeric(digits=(4, 1), default=None)
    duty_days = Numeric(digits=(4, 1), default=None)
    leave_days = Numeric(digits=(4, 1), default=None)
    note = Text(default="")
    version = Integer(default=None)
    current = Boolean(default=True)
    reason = Text(default="")
    source = Text(default=None)
    entered_by = link(null=True)
    entered_at = Timestamptz(default=None)


class DutyEntry(Table, tablename="duty_entry", schema="appraisal", db=DB):
    """One fact: a human spot check, a commendation, a complaint or a one-vote veto.

    ``outcome`` is the check's or complaint's result or the veto's ground; ``reference`` names the
    deduction that points keeps. A veto counts once somebody else has approved it.
    """

    county_id = county()
    id = key()
    kind = Text(default=None)
    person_id = link()
    village_code = Text(default=None)
    happened_on = Date(default=None)
    outcome = Text(default="")
    level = Text(default="")
    place = Text(default="")
    by_whom = Text(default="")
    facts = Text(default="")
    document = Text(default="")
    reference = Text(default="")
    state = Text(default=None)
    source = Text(default=None)
    entered_by = link(null=True)
    entered_at = Timestamptz(default=None)
    decided_by = link(null=True)
    decided_at = Timestamptz(default=None, null=True)
    reason = Text(default="")
    replaces = link(null=True)


class RandomCheck(Table, tablename="random_check", schema="appraisal", db=DB):
    """A double-random check: the frozen list, the public value, the seed that follows from both.

    ``listing`` is the list as text, compressed; ``list_hash`` is the SHA-256 of that text.
    ``mode`` paper: drawn outside the product, only its results are kept here.
    """

    county_id = county()
    id = key()
    title = Text(default=None)
    unit_code = Text(default=None)
    mode = Text(default=None)
    first_day = Date(default=None)
    last_day = Date(default=None)
    people = Integer(default=None)
    per_person = Integer(default=None)
    inspectors = Array(base_column=Text(), default=list)
    workers = Integer(default=0)
    records = Integer(default=0)
    listing = Bytea(default=None, null=True)
    list_hash = Bytea(default=None, null=True)
    value = Text(default="")
    value_source = Text(default="")
    seed = Bytea(default=None, null=True)
    state = Text(default=None)
    opened_by = link()
    opened_at = Timestamptz(default=None)
    drawn_by = link(null=True)
    drawn_at = Timestamptz(default=None, null=True)


class RandomItem(Table, tablename="random_item", schema="appraisal", db=DB):
    """One record of one drawn worker, to be looked at by the inspector the draw gave it."""

    county_id = county()
    id = key()
    check_id = link()
    position = Integer(default=None)
    person_id = link()
    village_code = Text(default=None)
    record_id = link(null=True)
    label = Text(default=None)
    worked_on = Date(default=None, null=True)
    inspector = Text(default="")


class RandomResult(Table, tablename="random_result", schema="appraisal", db=DB):
    """What an inspector found; a correction is a new version."""

    county_id = county()
    id = key()
    item_id = link()
    version = Integer(default=None)
    current = Boolean(default=True)
    correct = Boolean(default=None)
    note = Text(default="")
    checked_on = Date(default=None)
    checked_by = Text(default="")
    reason = Text(default="")
    source = Text(default=None)
    entered_by = link()
    entered_at = Timestamptz(default=None)
