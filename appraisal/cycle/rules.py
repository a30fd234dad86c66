"""The stages of a cycle as data: which follows which, and what its period is."""

from datetime import date
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """Half-year appraisal, or the annual one that scores the second half."""

    HALF_YEAR = "half_year"
    ANNUAL = "annual"


class Stage(StrEnum):
    """Where a cycle stands; the order of the members is the usual way through."""

    DRAFT = "draft"
    COLLECT = "collect"
    SCORE = "score"
    REVIEW = "review"
    NOTICE = "notice"
    APPEAL = "appeal"
    CLOSED = "closed"


KIND_NAMES = {Kind.HALF_YEAR: "半年评比", Kind.ANNUAL: "年终考核"}
STAGE_NAMES = {
    Stage.DRAFT: "筹备",
    Stage.COLLECT: "采集数据",
    Stage.SCORE: "评分",
    Stage.REVIEW: "审核校准",
    Stage.NOTICE: "公示",
    Stage.APPEAL: "异议申诉",
    Stage.CLOSED: "办结归档",
}


class Step(msgspec.Struct, frozen=True):
    """One way from a stage to another."""

    source: Stage
    target: Stage
    label: str
    """What the button says."""
    needs_note: bool = False
    confirms: bool = False
    """The password is asked again."""
    after_period: bool = False
    """Not before the last day of the period is over."""


REOPEN = "重开，补录期限内收到的异议、申诉"
"""What was received in time is heard, however late the office keys it in; nothing else is."""
STEPS = (
    Step(Stage.DRAFT, Stage.COLLECT, "开始采集数据"),
    Step(Stage.COLLECT, Stage.SCORE, "结束采集，进入评分", after_period=True),
    Step(Stage.SCORE, Stage.COLLECT, "退回采集", needs_note=True),
    Step(Stage.SCORE, Stage.REVIEW, "评分完成，提交审核"),
    Step(Stage.REVIEW, Stage.SCORE, "退回重新评分", needs_note=True),
    Step(Stage.REVIEW, Stage.NOTICE, "审核通过，开始公示"),
    Step(Stage.NOTICE, Stage.APPEAL, "公示期满，进入异议申诉"),
    Step(Stage.APPEAL, Stage.CLOSED, "办结归档", confirms=True),
    Step(Stage.CLOSED, Stage.APPEAL, REOPEN, needs_note=True, confirms=True),
)


def steps_from(stage: Stage) -> tuple[Step, ...]:
    """What may follow a stage, forward first."""
    order = list(Stage)
    found = [step for step in STEPS if step.source is stage]
    return tuple(sorted(found, key=lambda step: -order.index(step.target)))


def step(source: Stage, target: Stage) -> Step | None:
    return next((one for one in STEPS if (one.source, one.target) == (source, target)), None)


def period(kind: Kind, year: int) -> tuple[date, date]:
    """First and last day: January–June, or July–December for the annual one."""
    if kind is Kind.HALF_YEAR:
        return date(year, 1, 1), date(year, 6, 30)
    return date(year, 7, 1), date(year, 12, 31)


def title(kind: Kind, year: int) -> str:
    """2026年上半年网格员评比, 2026年度网格员考核."""
    return f"{year}年上半年网格员评比" if kind is Kind.HALF_YEAR else f"{year}年度网格员考核"
