"""Training sessions, attendance at them, and the hours a cycle requires."""

from piccolo.columns import Boolean, Date, Integer, Numeric, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class TrainingSession(Table, tablename="training_session", schema="appraisal", db=DB):
    """One course, field practice or discussion; cancelled, never deleted."""

    county_id = county()
    id = key()
    unit_code = Text(default=None)
    kind = Text(default=None)
    title = Text(default=None)
    held_on = Date(default=None)
    hours = Numeric(digits=(4, 1), default=None)
    place = Text(default="")
    trainer = Text(default="")
    tested = Boolean(default=False)
    state = Text(default=None)
    reason = Text(default="")
    entered_by = link(null=True)
    entered_at = Timestamptz(default=None)


class TrainingAttendance(Table, tablename="training_attendance", schema="appraisal", db=DB):
    """One version of one person at one session; ``test`` of 100, NULL = none taken."""

    county_id = county()
    id = key()
    session_id = link()
    person_id = link()
    village_code = Text(default=None)
    present = Boolean(default=None)
    test = Numeric(digits=(4, 1), default=None, null=True)
    version = Integer(default=None)
    current = Boolean(default=True)
    reason = Text(default="")
    source = Text(default=None)
    entered_by = link(null=True)
    entered_at = Timestamptz(default=None)


class TrainingRequirement(Table, tablename="training_requirement", schema="appraisal", db=DB):
    """The hours a cycle asks of everybody; the highest version counts."""

    county_id = county()
    id = key()
    cycle_id = link()
    version = Integer(default=None)
    hours = Numeric(digits=(5, 1), default=None)
    reason = Text(default="")
    entered_by = link()
    entered_at = Timestamptz(default=None)
