"""Cases and their signed steps, and who is whose close relative.

``case_step`` is append-only: the right to change it is missing, and a trigger says so. A second
trigger refuses an ending against somebody's will without service and an appeal that is over.
"""

from piccolo.columns import JSONB, UUID, Boolean, Date, SmallInt, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class CaseFile(Table, tablename="case_file", schema="appraisal", db=DB):
    """One case; its state is the key of the last signed step."""

    county_id = county()
    id = key()
    machine = Text(default=None)
    pool = Text(default=None)
    person_id = link(null=True)
    """None = an applicant, who is no person of the roster yet."""
    unit_code = Text(default=None)
    """The grid that it is about: 15 digits."""
    employment = Text(default="")
    basis = Text(default="")
    about_cycle_id = link(null=True)
    """The cycle whose result it rests on. It outlives the cycle's closing."""
    post_id = link(null=True)
    """The vacancy of an admission."""
    origin_id = link(null=True)
    """The warning case that an exit comes from."""
    state = Text(default=None)
    outcome = Text(default=None, null=True)
    done = Boolean(default=False)
    opened_at = Timestamptz(default=None)
    due_on = Date(default=None, null=True)
    """The promised day of the next step."""
    overdue_on = Date(default=None, null=True)
    """The day on which the promise was found broken."""


class CaseStep(Table, tablename="case_step", schema="appraisal", db=DB):
    """A signed step: who, under which authority, with effect from when, recorded when."""

    county_id = county()
    id = key()
    case_id = link()
    position = SmallInt(default=None)
    step = Text(default=None)
    title = Text(default=None)
    """As it was called when it was signed."""
    outcome = Text(default=None, null=True)
    actor_id = link(null=True)
    """None = the clock."""
    actor_name = Text(default="")
    authority = Text(default=None)
    proxy = Boolean(default=False)
    """The person's own paper, entered by somebody in office (代录)."""
    effective_on = Date(default=None)
    recorded_at = Timestamptz(default=None)
    document = Text(default="")
    words = Text(default="")
    answers = JSONB(default="{}")
    notice_id = UUID(default=None, null=True)


class Kinship(Table, tablename="kinship", schema="appraisal", db=DB):
    """Two people are close relatives (近亲属): neither decides about the other."""

    county_id = county()
    id = key()
    person_id = link()
    relative_id = link()
    recorded_by = link()
    recorded_at = Timestamptz(default=None)
    ended_at = Timestamptz(default=None, null=True)
