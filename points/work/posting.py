"""From accepted records to the ledger: what each earns, in order, and the awards for it.

Caps look at what a worker was already given, so records are taken by work date, then declaration
time, and a worker's records are decided by one run at a time.
"""

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from points.errors import LedgerRefused
from points.ledger import service as ledger
from points.ledger.items import Award, Code
from points.ledger.rules import last_day
from points.rulebook import service as rulebook
from points.rulebook.rules import (
    Caps,
    Decision,
    Earned,
    Facts,
    Paid,
    Rule,
    Variant,
    decide,
    pay,
    variant_on,
)
from points.rulebook.variants import service as variants
from points.rulebook.variants.service import Variants
from points.settlement.funds import service as funds
from points.work import posting_queries as queries
from points.work.posting_queries import Decided, Due, Given, Report
from points.work.rules import REPEAT_DAYS, State, week_of
from points.work.schemas import MonthTotals
from shared import settings_county
from shared.clock import today
from shared.database import DB
from shared.months import month_of

CHUNK = 500
"""Records decided and posted in one transaction, so that redemptions wait for none long; more only
where somebody asks for whole villages and one has more."""


class _Ledger(msgspec.Struct):
    """What workers were given so far, summed the ways caps ask."""

    rule_day: dict[tuple[UUID, str, date], int]
    rule_month: dict[tuple[UUID, str, int], int]
    category_month: dict[tuple[UUID, str, int], int]
    person_month: dict[tuple[UUID, int], int]
    person_year: dict[tuple[UUID, int], int]
    paid_day: dict[tuple[UUID, str, date], int]
    paid_month: dict[tuple[UUID, str, int], int]
    visits: set[tuple[str, str, date]]
    reports: dict[tuple[str, str, str], list[tuple[date, UUID]]]
    """Counted records that a later one may repeat, by grid, rule and text."""

    def repeated(self, due: Due) -> UUID | None:
        """The counted record within 7 days that this one repeats."""
        near = timedelta(days=REPEAT_DAYS)
        for on, record_id in self.reports[_report(due)]:
            if abs(on - due.work_date) <= near:
                return record_id
        return None

    def earned(self, due: Due) -> Earned:
        month = month_of(due.work_date)
        return Earned(
            rule_day=self.rule_day[due.worker_id, due.rule_code, due.work_date],
            rule_month=self.rule_month[due.worker_id, due.rule_code, month],
            category_month=self.category_month[due.worker_id, due.category, month],
            person_month=self.person_month[due.worker_id, month],
            person_year=self.person_year[due.worker_id, due.work_date.year],
        )

    def paid(self, due: Due) -> Paid:
        return Paid(
            self.paid_day[due.worker_id, due.rule_code, due.work_date],
            self.paid_month[due.worker_id, due.rule_code, month_of(due.work_date)],
        )

    def add(self, due: Due | Given, amount: int, paid: int) -> None:
        month = month_of(due.work_date)
        self.paid_day[due.worker_id, due.rule_code, due.work_date] += paid
        self.paid_month[due.worker_id, due.rule_code, month] += paid
        self.rule_day[due.worker_id, due.rule_code, due.work_date] += amount
        self.rule_month[due.worker_id, due.rule_code, month] += amount
        self.category_month[due.worker_id, due.category, month] += amount
        self.person_month[due.worker_id, month] += amount
        self.person_year[due.worker_id, due.work_date.year] += amount
        if isinstance(due, Due) and due.household and amount > 0:
            self.visits.add(_visit(due))


async def post_records(county_id: int, ids: Sequence[UUID], at: datetime) -> MonthTotals:
    """Decide and post accepted records; call inside a transaction, last thing in it.

    A record that is not accepted (any more) is left alone, so a repeat posts nothing twice.
    Raises LedgerRefused if the ledger does not take an award.
    """
    return await _post(county_id, ids, at, State.ACCEPTED, ())


async def post_confirmed(
    county_id: int, ids: Sequence[UUID], at: datetime, resident_rules: Sequence[str]
) -> MonthTotals:
    """The same for pending records whose every step this transaction has just answered on paper.

    A sheet bears the signatures of residents too.
    """
    return await _post(county_id, ids, at, State.PENDING, resident_rules)


async def _post(
    county_id: int, ids: Sequence[UUID], at: datetime, state: State, resident_rules: Sequence[str]
) -> MonthTotals:
    await queries.lock_workers(county_id, ids)
    due = await queries.due(county_id, ids, state)
    totals = MonthTotals()
    if not due:
        return totals
    settings = await settings_county.get(county_id)
    paying = await funds.funds_for(county_id, {item.grid_code[:12] for item in due})
    decided: list[Decided] = []
    awards: list[Award] = []
    for item, rule, repeats, decision in await decisions(county_id, due):
        _count(totals, decision)
        words = msgspec.json.encode(decision).decode()
        decided.append(Decided(item.id, decision.posted, decision.wallet, words, repeats))
        if decision.posted:
            fund_id = paying.get(item.grid_code[:12])
            ends = last_day(settings.expiry_policy, item.work_date, today(at))
            awards.append(_award(item, rule, decision, fund_id, ends))
    await queries.store(county_id, decided, at, resident_rules)
    for outcome in await ledger.post(county_id, awards):
        if outcome.code != Code.ACCEPTED:
            raise LedgerRefused(str(outcome.code))
        totals.awaiting += outcome.waiting
    return totals


async def post_many(
    county_id: int,
    records: Sequence[tuple[UUID, str]],
    at: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> MonthTotals:
    """Post (id, grid) pairs in chunks of whole villages, each a transaction: resumable, bounded."""
    totals = MonthTotals()
    for chunk in chunks(records):
        async with DB.transaction():
            add(totals, await post_records(county_id, chunk, at))
        progress(len(chunk))
    return totals


def chunks(records: Sequence[tuple[UUID, str]], size: int = CHUNK) -> Iterator[list[UUID]]:
    """Ids by village, so that what caps and repeats look at is decided together."""
    chunk: list[UUID] = []
    ordered = sorted(records, key=lambda pair: (pair[1][:12], pair[0]))
    for _, group in itertools.groupby(ordered, key=lambda pair: pair[1][:12]):
        village = [record_id for record_id, _ in group]
        if chunk and len(chunk) + len(village) > size:
            yield chunk
            chunk = []
        chunk += village
    if chunk:
        yield chunk


def add(totals: MonthTotals, more: MonthTotals) -> None:
    """Sum of two runs, into the first."""
    for name in ("records", "gives", "posted", "zero", "awaiting"):
        setattr(totals, name, getattr(totals, name) + getattr(more, name))
    for cap, amount in more.cuts.items():
        totals.cuts[cap] = totals.cuts.get(cap, 0) + amount


async def forecast(county_id: int, ids: Sequence[UUID]) -> dict[tuple[UUID, str, str], int]:
    """What accepted records would come to: 0.1 point by worker, grid and category."""
    found: dict[tuple[UUID, str, str], int] = defaultdict(int)
    due = await queries.accepted(county_id, ids)
    if due:
        for item, _, _, decision in await decisions(county_id, due):
            found[item.worker_id, item.grid_code, item.category] += decision.posted
    return dict(found)


async def trial(
    county_id: int, new: Rule | Caps, first: date, last: date
) -> AsyncIterator[tuple[Due, int]]:
    """Posted records of some months, and what each would have got under another version.

    A rule's own, or under other caps all, a township at a time. Caps cut in their order as ever;
    what was given for other work, and in other months, stands. Writes nothing.
    """
    versions, caps = await rulebook.versions(county_id), await rulebook.caps_versions(county_id)
    if isinstance(new, Rule):
        instead = [msgspec.structs.replace(new, version=old.version) for old in versions[new.code]]
        code, units, rules = new.code, [""], _Rules({new.code: instead}, caps, {})
    else:
        always = rulebook.CapsVersion(msgspec.structs.replace(new, effective_from=first), None)
        code, units = "", await queries.townships(county_id, first)
        rules = _Rules(versions, [always], {})
    for unit in units:
        posted = await queries.posted(county_id, code, unit, first, last)
        for _, village in itertools.groupby(posted, key=lambda item: item.grid_code[:12]):
            for item, _, _, decision in await decisions(county_id, list(village), rules):
                yield item, decision.posted


async def trial_of_variant(
    county_id: int, new: Variant, first: date, last: date
) -> list[tuple[Due, int]]:
    """Posted records of a village's item, and what the village would have paid for each.

    Merit as it would be by the county's versions of those days. Writes nothing.
    """
    versions = (await rulebook.versions(county_id))[new.code]
    open_ = [
        msgspec.structs.replace(old, village_least=new.points, village_most=new.points)
        for old in versions
    ]
    always = msgspec.structs.replace(new, effective_from=first)
    rules = _Rules(
        {new.code: open_},
        await rulebook.caps_versions(county_id),
        {(new.village_code, new.code): [always]},
    )
    due = await queries.posted(county_id, new.code, new.village_code, first, last)
    if not due:
        return []
    return [(item, found.pays) for item, _, _, found in await decisions(county_id, due, rules)]


async def decisions(
    county_id: int, due: Sequence[Due], rules: "_Rules | None" = None
) -> list[tuple[Due, Rule, UUID | None, Decision]]:
    """What each record earns after what is posted already and those before it in ``due``.

    Writes nothing: an import uses it to say what its rows will come to. The third value is the
    earlier record that one repeats. What is posted already is decided anew, by other ``rules``.
    """
    rules = rules or _Rules(
        await rulebook.versions(county_id),
        await rulebook.caps_versions(county_id),
        await variants.approved(county_id, {item.grid_code[:12] for item in due}),
    )
    book = await _book(county_id, due, rules)
    found = []
    for item in due:
        rule, caps = rules.at(item)
        repeats = book.repeated(item) if rule.repeat_zero else item.repeats
        facts = Facts(
            quantity=item.quantity,
            repeats=repeats is not None,
            visited_this_week=bool(item.household) and _visit(item) in book.visits,
        )
        decision = decide(rule, caps, book.earned(item), facts)
        if variant := rules.variant(item, rule):
            decision = pay(rule, variant, decision, book.paid(item))
        book.add(item, decision.posted, decision.pays)
        if rule.repeat_zero and repeats is None:
            book.reports[_report(item)].append((item.work_date, item.id))
        found.append((item, rule, repeats, decision))
    return found


class _Rules:
    """Rule versions, caps and the villages' variants, each asked for once."""

    def __init__(
        self,
        versions: dict[str, list[Rule]],
        caps: Sequence[rulebook.CapsVersion],
        variants: Variants,
    ) -> None:
        self.rules = {(r.code, r.version): r for found in versions.values() for r in found}
        self.versions = caps
        self.variants = variants
        self.caps: dict[date, Caps] = {}

    def at(self, due: Due) -> tuple[Rule, Caps]:
        """Raises NotFound before the first caps."""
        if due.work_date not in self.caps:
            self.caps[due.work_date] = rulebook.caps_of(self.versions, due.work_date)
        return self.rules[due.rule_code, due.rule_version], self.caps[due.work_date]

    def variant(self, due: Due, rule: Rule) -> Variant | None:
        """What the village of the record pays by, if not as the county's rule says."""
        found = self.variants.get((due.grid_code[:12], due.rule_code))
        return variant_on(found, rule, due.work_date) if found else None


async def _book(county_id: int, due: Sequence[Due], rules: _Rules) -> _Ledger:
    book = _Ledger(
        defaultdict(int),
        defaultdict(int),
        defaultdict(int),
        defaultdict(int),
        defaultdict(int),
        defaultdict(int),
        defaultdict(int),
        set(),
        defaultdict(list),
    )
    workers = sorted({item.worker_id for item in due})
    months = sorted({month_of(item.work_date) for item in due})
    for sums in await queries.given(county_id, workers, months):
        book.add(sums, sums.posted, sums.paid)
    years = sorted({item.work_date.year for item in due})
    for worker_id, year, amount in await queries.given_in_years(county_id, workers, years):
        book.person_year[worker_id, year] = amount
    for item in due:
        book.add(item, -item.posted, -item.paid)
    days = [item.work_date for item in due]
    again = {item.id for item in due}
    visiting = [item for item in due if item.household]
    if visiting:
        grids = sorted({item.grid_code for item in visiting})
        houses = sorted({item.household for item in visiting})
        for visit in await queries.visits(county_id, grids, houses, week_of(min(days))[0]):
            if visit.id not in again:
                book.visits.add(_visit(visit))
    keys = sorted({_report(item) for item in due if rules.at(item)[0].repeat_zero})
    if keys:
        near = timedelta(days=REPEAT_DAYS)
        for past in await queries.reports(county_id, keys, min(days) - near, max(days) + near):
            if past.id not in again:
                book.reports[_report(past)].append((past.work_date, past.id))
    return book


def _report(due: Due | Report) -> tuple[str, str, str]:
    return due.grid_code, due.rule_code, due.text_key


def _visit(due: Due) -> tuple[str, str, date]:
    """A household of a grid in a week."""
    return due.grid_code, due.household, week_of(due.work_date)[0]


def _award(
    due: Due, rule: Rule, decision: Decision, fund_id: UUID | None, expires_on: date | None
) -> Award:
    return Award(
        id=due.id,
        authority="work.post",
        person_id=due.worker_id,
        code=rule.code,
        merit=decision.posted,
        wallet=decision.pays,
        fund_id=fund_id,
        unit_code=due.grid_code[:12],
        day=due.work_date,
        expires_on=expires_on,
        memo=rule.templates[0] if rule.secret else rule.title,
    )


def _count(totals: MonthTotals, decision: Decision) -> None:
    totals.records += 1
    totals.gives += decision.gives
    totals.posted += decision.posted
    totals.zero += decision.posted == 0
    for cap, amount in lost(decision).items():
        totals.cuts[cap] = totals.cuts.get(cap, 0) + amount


def lost(decision: Decision) -> dict[str, int]:
    """What each cap took, 0.1 point; a repeat loses everything without a cap."""
    found: dict[str, int] = {}
    rest = decision.gives
    for cut in decision.cuts:
        found[cut.cap] = rest - cut.left
        rest = cut.left
    if not decision.cuts and decision.posted < decision.gives:
        found["重复或本周已探访"] = decision.gives - decision.posted
    return found
