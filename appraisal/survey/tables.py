"""Tables of the survey: households, form, draw, field work, slips, and the way of a ballot.

A ballot goes ``ballot_inbox`` → ``ballot_box`` → ``ballot``, its slip ``ballot_burnt`` →
``ballot_spent`` → nothing (sql/31_survey_count.sql says why). No table that holds an answer has a
time, a person or a slip; ids there are random.
"""

from piccolo.columns import (
    JSONB,
    Array,
    BigInt,
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


class Household(Table, tablename="household", schema="appraisal", db=DB):
    """A household of a grid as the county lists it now: a number and a villager group, no name."""

    county_id = county()
    id = key()
    grid_code = Text(default=None)
    number = Text(default=None)
    villager_group = Text(default="")


class SurveyForm(Table, tablename="survey_form", schema="appraisal", db=DB):
    """A version of the six aspects (``rules.Aspect``); a survey keeps the one it began with."""

    county_id = county()
    id = key()
    version = Integer(default=None)
    aspects = JSONB(default=None)
    created_by = link(null=True)
    created_at = Timestamptz(default=None)


class Survey(Table, tablename="survey", schema="appraisal", db=DB):
    """One cycle's survey; ``list_file`` is the published list, compressed, hash and seed in hex.

    ``waiting`` is what the last count left in the inbox, ``lost`` what a crash of the database
    server took from there, ``dropped`` what could not be kept without showing who said it.
    """

    county_id = county()
    id = key()
    cycle_id = link()
    form_id = link()
    state = Text(default=None)
    per_grid = SmallInt(default=None)
    list_file = Bytea(default=None)
    list_hash = Text(default=None)
    households = Integer(default=None)
    value_source = Text(default=None)
    frozen_by = link()
    frozen_at = Timestamptz(default=None)
    public_value = Text(default="")
    seed = Text(default="")
    draw_hash = Text(default="")
    drawn_by = link(null=True)
    drawn_at = Timestamptz(default=None, null=True)
    closed_by = link(null=True)
    closed_at = Timestamptz(default=None, null=True)
    waiting = Integer(default=0)
    lost = Integer(default=0)
    dropped = Integer(default=0)


class SurveyGrid(Table, tablename="survey_grid", schema="appraisal", db=DB):
    """A grid of the frozen list with its number of households."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)
    households = Integer(default=None)


class SurveyHousehold(Table, tablename="survey_household", schema="appraisal", db=DB):
    """A drawn household on its interviewer's list: what became of the visit, never which slip."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)
    ordinal = Integer(default=None)
    kind = Text(default=None)
    number = Text(default=None)
    villager_group = Text(default="")
    status = Text(default="pending")
    visits = SmallInt(default=0)
    noted_by = link(null=True)
    noted_on = Date(default=None, null=True)


class SurveyInterviewer(Table, tablename="survey_interviewer", schema="appraisal", db=DB):
    """Who hands out the slips of a village: nobody of that village."""

    county_id = county()
    id = key()
    survey_id = link()
    village_code = Text(default=None)
    person_id = link()
    assigned_by = link()
    assigned_at = Timestamptz(default=None)


class SlipBatch(Table, tablename="slip_batch", schema="appraisal", db=DB):
    """Slips of a grid printed together; of a void one only those handed in before count."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)
    slips = Integer(default=None)
    voided = Boolean(default=False)
    printed_by = link()
    printed_on = Date(default=None)


class BallotSlip(Table, tablename="ballot_slip", schema="appraisal", db=DB):
    """A slip that was printed; ``id`` is a hash of its token, ``number`` follows from it."""

    county_id = county()
    id = key()
    survey_id = link()
    batch_id = link()
    grid_code = Text(default=None)
    number = BigInt(default=None)


class BallotBurnt(Table, tablename="ballot_burnt", schema="appraisal", db=DB):
    """Slips used since the last count (unlogged; emptied by every count)."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)


class BallotInbox(Table, tablename="ballot_inbox", schema="appraisal", db=DB):
    """Answers given since the last count (unlogged; emptied by every count)."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)
    aware = Boolean(default=None)
    answers = Array(base_column=SmallInt(), default=None)
    comment = Text(default="")


class BallotPaper(Table, tablename="ballot_paper", schema="appraisal", db=DB):
    """A paper keyed once, or twice with differences (unlogged); ``id`` is the slip's."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)
    aware = Boolean(default=None)
    answers = Array(base_column=SmallInt(), default=None)
    comment = Text(default="")
    first_by = link()
    second_by = link(null=True)
    second_aware = Boolean(default=None, null=True)
    second_answers = Array(base_column=SmallInt(), default=None, null=True)
    second_comment = Text(default="")


class BallotSpent(Table, tablename="ballot_spent", schema="appraisal", db=DB):
    """Used slips of an open survey whose answers were counted, five or more of a grid at once."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)


class BallotBox(Table, tablename="ballot_box", schema="appraisal", db=DB):
    """Counted answers of an open survey."""

    county_id = county()
    id = key()
    survey_id = link()
    grid_code = Text(default=None)
    aware = Boolean(default=None)
    answers = Array(base_column=SmallInt(), default=None)
    comment = Text(default="")


class Ballot(Table, tablename="ballot", schema="appraisal", db=DB):
    """An answer of a closed survey; ``unit_code`` is the grid, or above it below five answers."""

    county_id = county()
    id = key()
    survey_id = link()
    unit_code = Text(default=None)
    aware = Boolean(default=None)
    answers = Array(base_column=SmallInt(), default=None)


class BallotComment(Table, tablename="ballot_comment", schema="appraisal", db=DB):
    """Words of a ballot, parted from its answers, in groups of five or more."""

    county_id = county()
    id = key()
    survey_id = link()
    unit_code = Text(default=None)
    text = Text(default=None)
