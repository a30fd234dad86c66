"""Tables of the shared schema: roster, identity, audit, jobs, calendar, settings.

Enums are text with a CHECK (sql/10_shared.sql), times are UTC, dates are dates in China.
"""

from piccolo.columns import (
    JSONB,
    Array,
    Boolean,
    Bytea,
    Date,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class County(Table, tablename="county", schema="shared", db=DB):
    """The counties of this database; the one table that is not inside a county."""

    id = Integer(primary_key=True, default=None)
    name = Text(default=None)
    settings = JSONB(default="{}")


class Unit(Table, tablename="unit", schema="shared", db=DB):
    """A county, township, village or grid; an ancestor's code is a prefix of its code."""

    county_id = county()
    id = key()
    code = Text(default=None)
    kind = Text(default=None)
    grid_type = Text(default=None, null=True)
    name = Text(default=None)
    parent_id = link(null=True)
    households = Integer(default=None, null=True)
    closed_on = Date(default=None, null=True)


class Person(Table, tablename="person", schema="shared", db=DB):
    """Somebody with a post, now or once; the phone is kept encrypted, found by its HMAC."""

    county_id = county()
    id = key()
    name = Text(default=None)
    name_pinyin = Text(default=None)
    name_initials = Text(default=None)
    phone_cipher = Bytea(default=None)
    phone_hmac = Bytea(default=None)
    phone_last4 = Text(default=None)
    employment_type = Text(default=None)
    full_time = Boolean(default=None)
    political = Text(default=None, null=True)
    version = Integer(default=1)
    created_at = Timestamptz(default=None)


class Post(Table, tablename="post", schema="shared", db=DB):
    """A place to be filled: a role at a unit, vacant or held through an assignment.

    A lead's post belongs to the village and may name grids (codes); a shopkeeper's post names the
    shop as its subject.
    """

    county_id = county()
    id = key()
    unit_id = link()
    role = Text(default=None)
    seat = SmallInt(default=1)
    grids = Array(base_column=Text(), default=list)
    subject_id = link(null=True)
    closed_on = Date(default=None, null=True)


class Assignment(Table, tablename="assignment", schema="shared", db=DB):
    """Person × post × [valid_from, valid_to): dated, may start in the future, history kept."""

    county_id = county()
    id = key()
    post_id = link()
    person_id = link()
    valid_from = Date(default=None)
    valid_to = Date(default=None, null=True)
    reason = Text(default="")
    recorded_at = Timestamptz(default=None)
    recorded_by = link(null=True)


class Account(Table, tablename="account", schema="shared", db=DB):
    """How a person signs in: PIN on phones, password and TOTP at a desk.

    The counts of wrong tries stand here, not in the cache, so that emptying it frees no guessing.
    """

    county_id = county()
    id = key()
    person_id = link()
    pin_hash = Text(default=None, null=True)
    password_hash = Text(default=None, null=True)
    totp_cipher = Bytea(default=None, null=True)
    totp_last_step = Integer(default=0)
    recovery_hashes = Array(base_column=Text(), default=list)
    card_pin_hash = Text(default=None, null=True)
    text_size = Text(default="normal")
    disabled_at = Timestamptz(default=None, null=True)
    failures = Integer(default=0)
    failures_today = Integer(default=0)
    failures_on = Date(default=None, null=True)
    blocked_until = Timestamptz(default=None, null=True)
    activated_at = Timestamptz(default=None, null=True)
    stopped_until = Date(default=None, null=True)
    """Last day on which only balance, code and objection open, as a case of serious fault runs."""
    handed_until = Timestamptz(default=None, null=True)
    """How long the first password works that another has set; None once the holder's own counts."""
    taken_over_at = Timestamptz(default=None, null=True)
    """When the holder set secrets that nobody else has seen; None also for accounts of old."""
    wechat_hash = Bytea(default=None, null=True)
    """Of the openid that opens the account beside the PIN."""
    wechat_at = Timestamptz(default=None, null=True)
    """When it was bound."""


class Device(Table, tablename="device", schema="shared", db=DB):
    """A phone that has signed in before: it has its own counter of wrong tries."""

    county_id = county()
    id = key()
    account_id = link()
    token_hash = Bytea(default=None)
    failures = Integer(default=0)
    blocked_until = Timestamptz(default=None, null=True)
    created_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)


class Session(Table, tablename="session", schema="shared", db=DB):
    """An opaque 256-bit token's hash; a new token at sign-in and at every change of rights."""

    county_id = county()
    id = key()
    account_id = link()
    device_id = link(null=True)
    token_hash = Bytea(default=None)
    kind = Text(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    confirmed_at = Timestamptz(default=None, null=True)
    revoked_at = Timestamptz(default=None, null=True)
    agent = Text(default="")


class ActivationSlip(Table, tablename="activation_slip", schema="shared", db=DB):
    """A printed slip (激活条): a QR token and 8 digits, both hashed, valid 7 days, spent once."""

    county_id = county()
    id = key()
    account_id = link()
    token_hash = Bytea(default=None)
    digits_hash = Bytea(default=None)
    created_at = Timestamptz(default=None)
    created_by = link()
    expires_at = Timestamptz(default=None)
    failures = SmallInt(default=0)
    spent_at = Timestamptz(default=None, null=True)
    revoked_at = Timestamptz(default=None, null=True)


class TerminalKey(Table, tablename="terminal_key", schema="shared", db=DB):
    """A shop terminal's key for the JSON API: HMAC-signed requests, scope one shop."""

    county_id = county()
    id = key()
    shop_id = link()
    person_id = link()
    label = Text(default=None)
    secret_cipher = Bytea(default=None)
    created_at = Timestamptz(default=None)
    revoked_at = Timestamptz(default=None, null=True)


class AuditEvent(Table, tablename="audit_event", schema="shared", db=DB):
    """Who did what to what under which authority, with before and after; append-only."""

    county_id = county()
    id = key()
    at = Timestamptz(default=None)
    actor_id = link(null=True)
    authority = Text(default=None)
    action = Text(default=None)
    object_kind = Text(default=None)
    object_id = link(null=True)
    about_id = link(null=True)
    unit_code = Text(default="")
    before = JSONB(default=None, null=True)
    after = JSONB(default=None, null=True)
    reason = Text(default="")
    request_id = Text(default="")


class JobRun(Table, tablename="job_run", schema="shared", db=DB):
    """One period of one job, done once (invariant I19)."""

    county_id = county()
    id = key()
    job = Text(default=None)
    period = Text(default=None)
    status = Text(default=None)
    started_at = Timestamptz(default=None)
    finished_at = Timestamptz(default=None, null=True)
    detail = Text(default="")


class CalendarException(Table, tablename="calendar_exception", schema="shared", db=DB):
    """A weekday off or a weekend day worked; every year the department covers has a row set."""

    county_id = county()
    id = key()
    day = Date(default=None)
    working = Boolean(default=None)
    name = Text(default="")


class ImportRun(Table, tablename="import_run", schema="shared", db=DB):
    """An office file that was read: its dry run, and whether it was accepted."""

    county_id = county()
    id = key()
    kind = Text(default=None)
    file_name = Text(default=None)
    file_sha256 = Bytea(default=None)
    created_at = Timestamptz(default=None)
    created_by = link(null=True)
    applied_at = Timestamptz(default=None, null=True)
    summary = JSONB(default="{}")
    payload = Bytea(default=None, null=True)


class ExportLog(Table, tablename="export_log", schema="shared", db=DB):
    """Who took which file out, why, and how many rows (导出记录)."""

    county_id = county()
    id = key()
    at = Timestamptz(default=None)
    person_id = link()
    name = Text(default=None)
    purpose = Text(default="")
    row_count = Integer(default=None)
