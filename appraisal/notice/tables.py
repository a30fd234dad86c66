"""Public notices with their frozen entries, and service of results on the person (送达)."""

from piccolo.columns import Boolean, Date, SmallInt, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Notice(Table, tablename="notice", schema="appraisal", db=DB):
    """A public notice: only 优秀, recommendation and admission are ever on one."""

    county_id = county()
    id = key()
    kind = Text(default=None)
    about_cycle_id = link(null=True)
    title = Text(default=None)
    issuer = Text(default=None)
    full_names = Boolean(default=None)
    phone = Text(default="")
    """Where objections are taken; never a worker's."""
    place = Text(default="")
    starts_on = Date(default=None)
    ends_on = Date(default=None)
    """The last working day of the period."""
    days = SmallInt(default=None)
    issued_by = link()
    issued_at = Timestamptz(default=None)


class NoticeEntry(Table, tablename="notice_entry", schema="appraisal", db=DB):
    """A line of a notice, as it was published."""

    county_id = county()
    id = key()
    notice_id = link()
    position = SmallInt(default=None)
    case_id = link(null=True)
    person_id = link(null=True)
    name = Text(default=None)
    """As shown: masked or in full."""
    unit = Text(default=None)
    note = Text(default="")


class Serving(Table, tablename="serving", schema="appraisal", db=DB):
    """A result served on the person alone: signed, refused before two witnesses, or by post."""

    county_id = county()
    id = key()
    about_cycle_id = link()
    person_id = link()
    unit_code = Text(default=None)
    grade = Text(default=None)
    how = Text(default=None)
    served_on = Date(default=None)
    server_id = link()
    server_name = Text(default=None)
    witness_one = Text(default="")
    witness_two = Text(default="")
    post_number = Text(default="")
    objection_until = Date(default=None)
    """The last working day on which an objection is in time."""
    recorded_at = Timestamptz(default=None)
