"""What pools know besides their cases: protections, and applicants until they are purged."""

from piccolo.columns import Boolean, Bytea, Date, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Shield(Table, tablename="shield", schema="appraisal", db=DB):
    """A fact that protects somebody from dismissal for a time; read by the department only."""

    county_id = county()
    id = key()
    person_id = link()
    kind = Text(default=None)
    starts_on = Date(default=None)
    ends_on = Date(default=None, null=True)
    """The last day; None = until further notice."""
    document = Text(default=None)
    recorded_by = link()
    recorded_at = Timestamptz(default=None)
    revoked_by = link(null=True)
    revoked_at = Timestamptz(default=None, null=True)


class Applicant(Table, tablename="applicant", schema="appraisal", db=DB):
    """Who applies for a vacancy: name and phone, nothing else; deleted when refused."""

    county_id = county()
    id = key()
    case_id = link()
    name = Text(default=None, null=True)
    phone_cipher = Bytea(default=None, null=True)
    phone_hmac = Bytea(default=None, null=True)
    source = Text(default=None)
    consent = Boolean(default=False)
    """Agrees to be named in full in the public notice."""
    purge_on = Date(default=None, null=True)
    purged_at = Timestamptz(default=None, null=True)
