"""Weights, bands and grades as data, and what makes a table of them acceptable.

Scores are whole hundredths of a point (8765 = 87.65), so that they are exact and PostgreSQL and a
reader with a pencil get the same. How they are computed stands in ``scoring_queries``: one
statement over all workers; ``tests/appraisal/scorecard/oracle.py`` says it a second time.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec


class Component(StrEnum):
    """What a score is made of; results (成效) are three parts."""

    ATTENDANCE = "attendance"
    ORDERS = "orders"
    DATA = "data"
    SETTLED = "settled"
    SATISFACTION = "satisfaction"
    MERIT = "merit"
    TRAINING = "training"


class Grade(StrEnum):
    """等次, best first; undetermined where there is too little to judge."""

    EXCELLENT = "excellent"
    GOOD = "good"
    BASIC = "basic"
    FAIL = "fail"
    UNDETERMINED = "undetermined"


class Note(StrEnum):
    """Why the grade is not simply the band of the score."""

    NONE = ""
    VETO = "veto"
    SHORT = "short"
    EMPTY = "empty"
    QUOTA = "quota"


COMPONENT_NAMES = {
    Component.ATTENDANCE: "在岗情况",
    Component.ORDERS: "成效：工单按期",
    Component.DATA: "成效：信息准确",
    Component.SETTLED: "成效：就地化解",
    Component.SATISFACTION: "群众满意度",
    Component.MERIT: "履职积分",
    Component.TRAINING: "培训",
}
GRADE_NAMES = {
    Grade.EXCELLENT: "优秀",
    Grade.GOOD: "合格",
    Grade.BASIC: "基本合格",
    Grade.FAIL: "不合格",
    Grade.UNDETERMINED: "不定等次",
}
NOTE_NAMES = {
    Note.NONE: "",
    Note.VETO: "一票否决",
    Note.SHORT: "考核期内任职不满规定天数",
    Note.EMPTY: "没有可以评分的数据",
    Note.QUOTA: "分数达到优秀，但本乡镇优秀名额已满（或同分超出名额）",
}


class Band(msgspec.Struct, frozen=True):
    """A grade's part of 0–100: from ``low`` up to, not including, ``high`` (100 is in the last)."""

    grade: Grade
    low: int
    high: int


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of scoring; field names are the keys of the stored JSON. Points, percent, days."""

    attendance: int = 20
    orders: int = 15
    data: int = 10
    settled: int = 10
    satisfaction: int = 30
    merit: int = 10
    training: int = 5
    check_penalty: int = 1
    """Points off attendance for each failed spot check."""
    plus_cap: int = 5
    minus_cap: int = 10
    commend_township: int = 1
    commend_county: int = 2
    merit_cap: int = 150
    """Percent of the typical points that give the full weight."""
    min_days: int = 90
    """Fewest days in post for a grade (three months)."""
    excellent_share: int = 15
    """Most 优秀 in percent of a township's workers, rounded down."""
    excellent_from: int = 5
    """At least one 优秀 is possible from so many workers on."""
    first_share: int = 40
    """Percent of the half-year result in the annual one."""
    leave_from: int = 0
    """Days of approved leave from which points and training go by the other days; 0 = never, as in
    every scheme that was stored without it."""
    bands: tuple[Band, ...] = (
        Band(Grade.FAIL, 0, 60),
        Band(Grade.BASIC, 60, 70),
        Band(Grade.GOOD, 70, 90),
        Band(Grade.EXCELLENT, 90, 100),
    )

    @property
    def weights(self) -> Mapping[Component, int]:
        return {component: getattr(self, component.value) for component in Component}

    def line(self, grade: Grade) -> int:
        """Where a grade's band begins."""
        return next(band.low for band in self.bands if band.grade == grade)


def annual_score(share: int, first: int, second: int) -> int:
    """The year's score of both halves' in hundredths, half up; ``share`` is the first's percent."""
    return (2 * (share * first + (100 - share) * second) + 100) // 200


ORDER = (Grade.FAIL, Grade.BASIC, Grade.GOOD, Grade.EXCELLENT)
RANGES = {
    "check_penalty": (0, 20, "抽查不合格每次扣分"),
    "plus_cap": (0, 20, "加分上限"),
    "minus_cap": (0, 100, "扣分上限"),
    "commend_township": (0, 20, "乡镇表扬每次加分"),
    "commend_county": (0, 20, "县级表扬每次加分"),
    "merit_cap": (100, 1000, "积分封顶（占中位数的百分比）"),
    "min_days": (0, 184, "定等次最少任职天数"),
    "excellent_share": (0, 100, "优秀名额百分比"),
    "excellent_from": (1, 1000, "至少给一个优秀名额的人数"),
    "first_share": (0, 100, "上半年所占百分比"),
    "leave_from": (0, 184, "请假满几天起，积分和培训按其余天数折算（0 为不折算）"),
}
"""Field → least, most, and what the page calls it."""


def problems(scheme: Scheme) -> dict[str, str]:
    """What is wrong with a scheme, by field; empty if it may come into force."""
    found: dict[str, str] = {}
    for component, weight in scheme.weights.items():
        if not 0 <= weight <= 100:
            found[component.value] = f"“{COMPONENT_NAMES[component]}”的权重应在 0 到 100 之间。"
    total = sum(scheme.weights.values())
    if total != 100:
        found["weights"] = f"各项权重合计是 {total}，应当正好是 100。"
    if fault := band_fault(scheme.bands):
        found["bands"] = fault
    for name, (least, most, label) in RANGES.items():
        if not least <= getattr(scheme, name) <= most:
            found[name] = f"“{label}”应在 {least} 到 {most} 之间。"
    return found


def band_fault(bands: Sequence[Band]) -> str:
    """Why the bands do not cover 0–100 once, in the order of the grades; empty if they do."""
    return next(_band_faults(bands), "")


def _band_faults(bands: Sequence[Band]) -> Iterator[str]:
    for band in bands:
        if not 0 <= band.low < band.high <= 100:
            name = GRADE_NAMES[band.grade]
            yield f"“{name}”的 {band.low}–{band.high} 分不对：应在 0 到 100 之间，下限小于上限。"
    ordered = sorted(bands, key=lambda band: band.low)
    if ordered[0].low != 0:
        yield f"0 到 {ordered[0].low} 分没有对应的等次。"
    for lower, upper in pairwise(ordered):
        names = f"“{GRADE_NAMES[lower.grade]}”和“{GRADE_NAMES[upper.grade]}”"
        if lower.high < upper.low:
            yield f"{names}之间缺了 {lower.high} 到 {upper.low} 分。"
        if lower.high > upper.low:
            yield f"{names}在 {upper.low} 到 {min(lower.high, upper.high)} 分重叠。"
    if ordered[-1].high != 100:
        yield f"{ordered[-1].high} 到 100 分没有对应的等次。"
    if tuple(band.grade for band in ordered) != ORDER:
        yield "等次的高低次序不对：从低到高应是不合格、基本合格、合格、优秀。"
