"""The one engine of all cases: which step may follow, who may sign it, and what speaks against it.

A machine is data (``machines.py``): steps, each with the steps it may follow. A chain is what has
been signed so far; nothing in it ever changes, an error is mended by a further step. Whatever a
step needs to know of the world (guards) and of the calendar (last days of terms) is handed in, so
that any history can be walked in a test.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from shared.dates import chinese_date
from shared.roster.roles import Role


class Pool(StrEnum):
    """What a case is about."""

    OBJECTION = "objection"
    RECOMMENDATION = "recommendation"
    WARNING = "warning"
    EXIT = "exit"
    ADMISSION = "admission"
    SERVICE = "service"


POOL_NAMES = {
    Pool.OBJECTION: "异议申诉",
    Pool.RECOMMENDATION: "推荐库",
    Pool.WARNING: "警告与改进",
    Pool.EXIT: "退出",
    Pool.ADMISSION: "准入",
    Pool.SERVICE: "送达",
}


class Outcome(StrEnum):
    """How a case can end."""

    UPHELD = "upheld"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    RECOMMENDED = "recommended"
    DECLINED = "declined"
    IMPROVED = "improved"
    FAILED_AGAIN = "failed_again"
    ANNULLED = "annulled"
    LEFT = "left"
    KEPT = "kept"
    RENEWED = "renewed"
    RESIGNED = "resigned"
    TERM_ENDED = "term_ended"
    DISMISSED = "dismissed"
    RETURNED = "returned"
    REPLACED = "replaced"
    ROLE_ENDED = "role_ended"
    AGREEMENT_ENDED = "agreement_ended"
    RECALLED = "recalled"
    ADMITTED = "admitted"
    REFUSED = "refused"
    UNDELIVERED = "undelivered"


OUTCOME_NAMES = {
    Outcome.UPHELD: "维持原结果",
    Outcome.CHANGED: "变更结果",
    Outcome.WITHDRAWN: "撤回",
    Outcome.RECOMMENDED: "列入推荐库",
    Outcome.DECLINED: "不列入",
    Outcome.IMPROVED: "已改进",
    Outcome.FAILED_AGAIN: "复查仍不合格",
    Outcome.ANNULLED: "撤销警告",
    Outcome.LEFT: "因离任终止",
    Outcome.KEPT: "留任",
    Outcome.RENEWED: "续聘",
    Outcome.RESIGNED: "本人辞去",
    Outcome.TERM_ENDED: "期满退出",
    Outcome.DISMISSED: "辞退",
    Outcome.RETURNED: "退回派遣单位",
    Outcome.REPLACED: "由承接单位更换",
    Outcome.ROLE_ENDED: "免去网格职务",
    Outcome.AGREEMENT_ENDED: "终止志愿服务",
    Outcome.RECALLED: "由原单位召回",
    Outcome.ADMITTED: "已上岗",
    Outcome.REFUSED: "未录用",
    Outcome.UNDELIVERED: "送达不到",
}
AGAINST_THE_WILL = frozenset(
    {
        Outcome.DISMISSED,
        Outcome.RETURNED,
        Outcome.REPLACED,
        Outcome.ROLE_ENDED,
        Outcome.AGREEMENT_ENDED,
        Outcome.RECALLED,
    }
)
"""Endings that nobody asked for: never without a served notice and a lapsed or decided appeal,
never on thin evidence, never in a protected period. :func:`refusal` holds every machine to it."""
LEAVES = AGAINST_THE_WILL | {Outcome.RESIGNED, Outcome.TERM_ENDED}
"""Endings after which the grid post is no longer theirs."""
SERVED = "served"
APPEAL_OVER = frozenset({"lapsed", "appeal_rejected"})
REVIEW_CHANGED = "review_changed"
UNDELIVERABLE = "undeliverable"
"""The step that confirms that a letter reaches nobody."""
OVERTURNED, CONTESTED, LET_GO = "overturned", "contested", "let_go"
"""Steps that the clock signs when the ground of what was carried out has gone."""
HOW = "how"
"""The field that makes a step a service: in which of three ways the person was told."""
AHEAD = timedelta(days=60)
"""How far ahead an ending that the person asked for may take effect."""
BACK = timedelta(days=90)
"""How late a case may be entered that answers to nothing before it."""


class Need(StrEnum):
    """What must hold in the world for a step; looked at on the day of signing."""

    SETTLED = "settled"
    """The result was served, its objection term is over, and nothing about it is open."""
    STANDS = "stands"
    """The grade that the case rests on is still the person's grade, nothing said of it is open, and
    no better one followed."""
    SUBSTANTIAL = "substantial"
    """The evidence is not thin (:func:`thin`)."""
    UNPROTECTED = "unprotected"
    """No recorded fact protects the person from the effective date to the day of signing; it is
    never ahead, as a fact that is recorded in between would come too late."""
    FAILED_TWICE = "failed_twice"
    """A warning case of the person ended with a failed re-check."""
    ELIGIBLE = "eligible"
    """Excellent in the year or two half-years running; no open deduction, objection or exit for a
    serious fault."""
    IN_TIME = "in_time"
    """The result is out, and its objection term has not lapsed."""
    CYCLE_OPEN = "cycle_open"
    """The cycle that the case is about is not closed."""
    TERM_OVER = "term_over"
    """The last day that the letter named is over."""
    VACANT = "vacant"
    """The post is vacant, and agreed upon with nobody else."""
    IN_POST = "in_post"
    """The person holds a grid post."""
    GONE = "gone"
    """The person holds none any more."""
    NOTICED = "noticed"
    """The notice stands on that day, and its period is not over."""
    UNCONTESTED = "uncontested"
    """The published period is over; nobody's objection is open, and none was found right."""
    LEFT_OUT = "left_out"
    """The person was in post on the last day, and has no result of the cycle."""
    UNSERVED = "unserved"
    """The result has not been served on the person."""


class Span(StrEnum):
    """Lengths that terms refer to; a county may set the first four."""

    NOTICE = "notice"
    OBJECTION = "objection"
    REVIEW = "review"
    APPEAL = "appeal"
    ESCALATED = "escalated"
    PLAN = "plan"
    RECHECK = "recheck"
    DISMISSAL = "dismissal"
    RESIGNATION = "resignation"
    TERM_END = "term_end"


SPANS: dict[Span, tuple[int, bool]] = {
    Span.NOTICE: (5, True),
    Span.OBJECTION: (5, True),
    Span.REVIEW: (10, True),
    Span.APPEAL: (10, True),
    Span.ESCALATED: (5, True),
    Span.PLAN: (60, False),
    Span.RECHECK: (60, False),
    Span.DISMISSAL: (30, False),
    Span.RESIGNATION: (30, False),
    Span.TERM_END: (30, False),
}
"""Span → (how many, whether working days)."""


class Term(msgspec.Struct, frozen=True):
    """A stretch of time that begins the day after one of the steps took effect."""

    since: tuple[str, ...]
    """Keys of steps; the latest of them in the chain counts."""
    span: Span


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a machine."""

    key: str
    title: str
    after: tuple[str, ...] = ()
    """Steps that it may follow; none = it opens a case."""
    signs: frozenset[Role] = frozenset()
    """Roles that may sign, over the unit at ``level``."""
    level: int = 15
    """Digits of the unit code whose authority is asked: 6 county … 15 grid."""
    own: bool = False
    """The person themselves; whoever is in ``signs`` may then enter their paper (代录)."""
    auto: bool = False
    """Signed by the clock, not by a person."""
    by_notice: bool = False
    """Signed by issuing a public notice, not by hand."""
    by_result: bool = False
    """Signed by the clock once what the case rests on is another, or was found wrong."""
    fresh: tuple[str, ...] = ()
    """Not by anybody who signed one of these; ``*`` also bars who decided before the case."""
    needs: tuple[Need, ...] = ()
    within: Term | None = None
    """Takes effect at the latest on the term's last day."""
    past: tuple[Term, ...] = ()
    """Takes effect after the last day of each; one whose step is not in the chain is no bar."""
    answer: Span | None = None
    """How soon the next step is promised."""
    document: bool = False
    """A document must be named."""
    fields: tuple[str, ...] = ()
    """Further facts the step records (``fields.py``)."""
    ahead: bool = False
    """May take effect later than today."""
    late: bool = False
    """May be recorded after steps that took effect later (a paper handed in on time).

    Of a step that opens a case: as late as may be, since the world bounds its day.
    """
    outcome: Outcome | None = None
    letter: str = ""
    """Heading of the letter that the step prints, e.g. 警告书."""
    to_objector: bool = False
    """The letter goes to whoever objected to a notice, not to the person it is about."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of case: its steps in reading order."""

    key: str
    title: str
    pool: Pool
    steps: tuple[Step, ...]

    def step(self, key: str) -> Step:
        """Raises KeyError."""
        return next_of(self.steps, key)

    @property
    def openings(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if not step.after)

    def following(self, key: str) -> tuple[Step, ...]:
        """What may follow a step."""
        return tuple(step for step in self.steps if key in step.after)


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was signed."""

    key: str
    actor_id: UUID | None
    """None = the clock."""
    effective_on: date
    appeal_days: int | None = None
    """Working days to appeal that its letter promises, where it promises any."""


Chain = Sequence[Signed]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine cannot see in the chain itself."""

    today: date
    ends: Mapping[Term, date]
    """Last day of each term that the step names and whose step is in the chain."""
    against: Mapping[Need, str]
    """For each need of the step: the sentence that speaks against it, or empty."""
    deciders: frozenset[UUID] = frozenset()
    """Who decided about the matter before the case was opened."""
    kin: frozenset[UUID] = frozenset()
    """Close relatives of the person."""


def next_of(steps: Sequence[Step], key: str) -> Step:
    """Raises KeyError."""
    for step in steps:
        if step.key == key:
            return step
    raise KeyError(key)


def next_steps(machine: Machine, chain: Chain) -> tuple[Step, ...]:
    """What the machine allows after the chain, whatever the world says."""
    return machine.following(chain[-1].key) if chain else machine.openings


def terms(step: Step) -> Iterator[Term]:
    """Every term the step looks at."""
    if step.within:
        yield step.within
    yield from step.past


def begun(term: Term, chain: Chain) -> date | None:
    """The day the term's step took effect; None while it is not in the chain."""
    return next((one.effective_on for one in reversed(chain) if one.key in term.since), None)


def promised(chain: Chain) -> int | None:
    """Working days to appeal that the last letter promised."""
    return next((one.appeal_days for one in reversed(chain) if one.appeal_days), None)


def waits(machine: Machine, step: Step) -> bool:
    """Whether people can keep a step's promise only once its whole span is over."""
    return any(
        step.answer is not None and Term((step.key,), step.answer) in further.past
        for further in machine.following(step.key)
        if not further.auto
    )


def refusal(
    machine: Machine, chain: Chain, step: Step, actor: UUID | None, on: date, world: World
) -> str:
    """Why the step may not be signed with effect on a day; empty if it may.

    In this order: the machine, recusal, the day, the terms, the world, due process.
    """
    if step not in next_steps(machine, chain):
        return "现在不能办这一步，请刷新页面，按下一步办理。"
    for reason in (
        _recused(chain, step, actor, world),
        _wrong_day(chain, step, on, world.today),
        _wrong_time(chain, step, on, world.ends),
        *(world.against[need] for need in step.needs),
        _undue(chain, step),
    ):
        if reason:
            return reason
    return ""


def _recused(chain: Chain, step: Step, actor: UUID | None, world: World) -> str:
    if actor is None:
        return "" if step.auto else "这一步要由有权的人签办。"
    if step.auto:
        return "这一步由系统按期限自动记录。"
    # Their own paper anybody may enter, but a relative serves nothing on them.
    if (not step.own or HOW in step.fields) and actor in world.kin:
        return "您与当事人是近亲属，依规应当回避，请换一个人办理。"
    signed = {one.actor_id for one in chain if one.key in step.fresh}
    if actor in signed or ("*" in step.fresh and actor in world.deciders):
        return "您此前已对这件事作过决定，依规应当回避，请换一个人办理。"
    return ""


def _wrong_day(chain: Chain, step: Step, on: date, today: date) -> str:
    if on > today and not step.ahead:
        return "生效日期还没有到。"
    if on > today + AHEAD:
        return f"生效日期最多可以定在 {AHEAD.days} 天以内。"
    if not chain:
        late = on < today - BACK and not step.late
        return f"日期在 {BACK.days} 天以前，请核对。" if late else ""
    before = chain[-1].effective_on
    if step.late and HOW not in step.fields:
        # It answers to the step that its term began with, whatever was signed since.
        before = (begun(step.within, chain) if step.within else None) or chain[0].effective_on
    if on < before:
        return f"日期早于上一步的生效日期（{chinese_date(before)}），请核对。"
    return ""


def _wrong_time(chain: Chain, step: Step, on: date, ends: Mapping[Term, date]) -> str:
    within = step.within
    if within and begun(within, chain) is not None and on > ends[within]:
        return f"已过期限，最后一天是{chinese_date(ends[within])}。"
    for term in step.past:
        if begun(term, chain) is not None and on <= ends[term]:
            return f"期限到{chinese_date(ends[term])}才满，之后才能办这一步。"
    return ""


def _undue(chain: Chain, step: Step) -> str:
    """A second lock on every ending against the will, whatever a machine's data says."""
    if step.outcome not in AGAINST_THE_WILL:
        return ""
    keys = [one.key for one in chain]
    if SERVED not in keys:
        return "决定书还没有送达本人，不能办理退出。"
    after = keys[len(keys) - 1 - keys[::-1].index(SERVED) :]
    if not after or after[-1] not in APPEAL_OVER:
        return "申诉期未满，或申诉还没有答复，不能办理退出。"
    missing = {Need.SUBSTANTIAL, Need.UNPROTECTED} - set(step.needs)
    return "这一步没有核对证据和保护期，不能办理退出。" if missing else ""


def lapses(machine: Machine, chain: Chain, ends: Mapping[Term, date], today: date) -> Step | None:
    """The clock's step that is due after a chain, if one is."""
    for step in next_steps(machine, chain):
        if step.auto and all(today > ends[term] for term in step.past):
            return step
    return None


def outcome(machine: Machine, keys: Sequence[str]) -> Outcome | None:
    """What a chain has come to; None while it is open, or open again."""
    for key in reversed(keys):
        step = machine.step(key)
        if step.outcome or any(not further.late for further in machine.following(key)):
            # What stands after a review that changed the result is the changed one.
            changed = step.outcome is Outcome.UPHELD and REVIEW_CHANGED in keys
            return Outcome.CHANGED if changed else step.outcome
    return None


def done(machine: Machine, keys: Sequence[str]) -> bool:
    """Whether nobody has anything to do: it has an outcome, and no formality is left."""
    left = [step for step in machine.following(keys[-1]) if not (step.outcome or step.late)]
    return outcome(machine, keys) is not None and not left
