"""Schemes, scoring runs, their frozen inputs and scores, calibrations.

Scores are hundredths of a point. A run is a version: its inputs are copied from the sources when it
is made, its scores follow from them and from the scheme that the run carries.
"""

from piccolo.columns import JSONB, UUID, Boolean, Date, Integer, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class Scheme(Table, tablename="scheme", schema="appraisal", db=DB):
    """Weights, bands and rules from a day on; append-only, the latest made of a day counts."""

    county_id = county()
    id = key()
    effective_on = Date(default=None)
    body = JSONB(default=None)
    made_by = link()
    made_name = Text(default=None)
    made_at = Timestamptz(default=None)
    reason = Text(default="")


class Run(Table, tablename="run", schema="appraisal", db=DB):
    """One scoring of a cycle; numbered from 1, one of a cycle is the current one."""

    county_id = county()
    id = key()
    cycle_id = link()
    number = Integer(default=None)
    current = Boolean(default=False)
    scheme = JSONB(default=None)
    """The rules it was made with, whole: a later scheme changes no run."""
    annual = Boolean(default=None)
    period_days = Integer(default=None)
    people = Integer(default=0)
    made_by = link()
    made_name = Text(default=None)
    made_at = Timestamptz(default=None)
    note = Text(default="")


class Input(Table, tablename="input", schema="appraisal", db=DB):
    """What a run knew of one person; its key is (county_id, run_id, person_id), see sql/20.

    ``person_id`` was gridworker of ``grid_code`` on the last day of the period. NULL = the source
    had nothing, which makes the component missing. Units: days, 0.1 day of attendance, 0.1 point of
    merit, 0.1 of the satisfaction score, 0.01 hour, 0.01 of the test's hundred.
    """

    county_id = county()
    run_id = link()
    person_id = UUID(primary_key=True, default=None)
    name = Text(default=None)
    grid_code = Text(default=None)
    grid_type = Text(default=None)
    employment_type = Text(default=None)
    days = Integer(default=None)
    """Days in post within the period, each counted once."""
    days_rural = Integer(default=0)
    days_community = Integer(default=0)
    days_other = Integer(default=0)
    """Days in grids of each type; a day in two grids counts in both."""
    grids = Integer(default=1)
    """How many grids within the period."""
    rostered = Integer(default=None, null=True)
    on_duty = Integer(default=None, null=True)
    on_leave = Integer(default=None, null=True)
    missing_months = Integer(default=0)
    failed_checks = Integer(default=0)
    orders_total = Integer(default=None, null=True)
    orders_good = Integer(default=None, null=True)
    data_total = Integer(default=None, null=True)
    data_good = Integer(default=None, null=True)
    settled_total = Integer(default=None, null=True)
    settled_good = Integer(default=None, null=True)
    satisfaction = Integer(default=None, null=True)
    half_width = Integer(default=None, null=True)
    ballots = Integer(default=0)
    awarded = Integer(default=0)
    deducted = Integer(default=0)
    hours = Integer(default=None, null=True)
    hours_required = Integer(default=None, null=True)
    test = Integer(default=None, null=True)
    commended_township = Integer(default=0)
    commended_county = Integer(default=0)
    veto = Boolean(default=False)
    veto_reason = Text(default="")
    first_final = Integer(default=None, null=True)
    """The half-year result that an annual one takes in."""


class Score(Table, tablename="score", schema="appraisal", db=DB):
    """What a run made of one input; key as there. A component that is NULL was missing."""

    county_id = county()
    run_id = link()
    person_id = UUID(primary_key=True, default=None)
    attendance = Integer(default=None, null=True)
    orders = Integer(default=None, null=True)
    data = Integer(default=None, null=True)
    settled = Integer(default=None, null=True)
    satisfaction = Integer(default=None, null=True)
    merit = Integer(default=None, null=True)
    training = Integer(default=None, null=True)
    plus = Integer(default=None)
    minus = Integer(default=None)
    present = Integer(default=None)
    """Sum of the weights of the components that are there."""
    rate = Integer(default=None)
    """Points as if in post for the whole period (0.1 point)."""
    typical = Integer(default=None, null=True)
    """What was typical for the same grid types (0.1 point)."""
    period_score = Integer(default=None, null=True)
    calculated = Integer(default=None, null=True)
    calibrated = Integer(default=None, null=True)
    final = Integer(default=None, null=True)
    grade = Text(default=None)
    note = Text(default="")


class Calibration(Table, tablename="calibration", schema="appraisal", db=DB):
    """Who set another score, and why; append-only, the latest of a person counts."""

    county_id = county()
    id = key()
    cycle_id = link()
    run_id = link()
    person_id = link()
    calculated = Integer(default=None, null=True)
    before = Integer(default=None, null=True)
    calibrated = Integer(default=None)
    reason = Text(default=None)
    made_by = link()
    made_name = Text(default=None)
    authority = Text(default=None)
    made_at = Timestamptz(default=None)
