"""Work records, their confirmations, the village's month, objections and deductions."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class WorkRecord(Table, tablename="work_record", schema="points", db=DB):
    """What a worker did; ``id`` is made by whoever declares it, and is the award's id as well.

    ``decision`` is ``rulebook.rules.Decision``; amounts in 0.1 point.
    """

    county_id = county()
    id = key()
    worker_id = link()
    grid_code = Text(default=None)
    rule_code = Text(default=None)
    rule_version = Integer(default=None)
    category = Text(default=None)
    work_date = Date(default=None)
    run_month = Integer(default=None)
    declared_at = Timestamptz(default=None)
    seq = BigInt(default=0)
    text = Text(default=None)
    text_key = Text(default=None)
    quantity = Integer(default=1)
    household = Text(default="")
    photo = Bytea(default=None, null=True)
    source = Text(default=None)
    entered_by = link(null=True)
    fingerprint = Bytea(default=None)
    state = Text(default=None)
    repeats = link(null=True)
    recused = Array(base_column=UUID(), default=list)
    resident_how = Text(default="")
    reason = Text(default="")
    gives = BigInt(default=None)
    posted = BigInt(default=0)
    wallet = BigInt(default=None, null=True)
    """What the village pays by a variant of its own; None = as much as is posted."""
    decision = JSONB(default=None, null=True)
    accepted_at = Timestamptz(default=None, null=True)
    posted_at = Timestamptz(default=None, null=True)


class Verification(Table, tablename="verification", schema="points", db=DB):
    """One step of confirming a record: who is asked, and what they answered under what right.

    ``role``, ``unit_code`` and ``grid_code`` say whom the step waits for; they are worked out again
    when somebody answers, because posts change hands.
    """

    county_id = county()
    id = key()
    record_id = link()
    step = Text(default=None)
    role = Text(default="")
    unit_code = Text(default="")
    grid_code = Text(default="")
    verdict = Text(default="open")
    by_id = link(null=True)
    authority = Text(default="")
    via = Text(default="")
    at = Timestamptz(default=None, null=True)


class VillageMonth(Table, tablename="village_month", schema="points", db=DB):
    """One village's month on its way to the ledger (``month`` is 202610)."""

    county_id = county()
    id = key()
    village_code = Text(default=None)
    month = Integer(default=None)
    state = Text(default=None)
    committee_id = link(null=True)
    supervisor_id = link(null=True)
    reviewed_at = Timestamptz(default=None, null=True)
    sampler_id = link(null=True)
    sample = Array(base_column=Text(), default=list)
    notice_from = Date(default=None, null=True)
    notice_to = Date(default=None, null=True)
    published = JSONB(default=None, null=True)
    """A ``Published`` Struct (month_queries.py): the notice as it began."""
    posted_at = Timestamptz(default=None, null=True)


class Objection(Table, tablename="objection", schema="points", db=DB):
    """An objection to a record: answered in 5 working days, a second review in 10.

    The worker's own, or what anybody else objects to the published month (``by_public``); who that
    was is not kept.
    """

    county_id = county()
    id = key()
    record_id = link()
    worker_id = link()
    village_code = Text(default=None)
    by_public = Boolean(default=False)
    text = Text(default=None)
    state = Text(default=None)
    raised_at = Timestamptz(default=None)
    due_on = Date(default=None)
    answer = Text(default="")
    answered_by = link(null=True)
    answered_at = Timestamptz(default=None, null=True)
    review_text = Text(default="")
    review_due_on = Date(default=None, null=True)
    review_answer = Text(default="")
    reviewed_by = link(null=True)
    reviewed_at = Timestamptz(default=None, null=True)


class Deduction(Table, tablename="deduction", schema="points", db=DB):
    """Merit taken away, with due process: notice, answer, decision by another, appeal."""

    county_id = county()
    id = key()
    worker_id = link()
    village_code = Text(default=None)
    code = Text(default=None)
    title = Text(default=None)
    amount = BigInt(default=None)
    record_id = link(null=True)
    facts = Text(default=None)
    evidence = Text(default=None)
    happened_on = Date(default=None)
    state = Text(default=None)
    proposed_by = link()
    proposed_at = Timestamptz(default=None)
    answer_due_on = Date(default=None)
    answer = Text(default="")
    answered_at = Timestamptz(default=None, null=True)
    decided_by = link(null=True)
    decided_at = Timestamptz(default=None, null=True)
    decision = Text(default="")
    appeal_due_on = Date(default=None, null=True)
    appeal = Text(default="")
    appealed_at = Timestamptz(default=None, null=True)
    appeal_decided_by = link(null=True)
    appeal_decided_at = Timestamptz(default=None, null=True)
    appeal_decision = Text(default="")
    posted_at = Timestamptz(default=None, null=True)
    notice_served_on = Date(default=None, null=True)
    """The day on which the paper was handed over: of the notice, and of the decision."""
    decision_served_on = Date(default=None, null=True)
