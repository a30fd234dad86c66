"""What speaks against a warning, an exit, a recommendation or an admission, as pure functions.

Each answers with the sentence that refuses, or with nothing.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from shared.dates import chinese_date
from shared.retention.registry import APPLICANT

FEWEST_BALLOTS = 20
LINES = {"basic": Decimal(70), "fail": Decimal(60)}
"""Grade → the line it lies below, where a cycle's own bands do not say."""
EXCELLENT = "excellent"
WEAK = frozenset({"basic", "fail"})
GRADE_NAMES = {
    "excellent": "优秀",
    "good": "合格",
    "basic": "基本合格",
    "fail": "不合格",
    "undetermined": "不定等次",
}
SCHOOLING = ("primary", "middle", "high", "college", "bachelor")
LEAST_SCHOOLING = {"community": "high", "rural": "middle", "other": "middle"}
"""Grid type → the least schooling for its post."""
SOURCES = {
    "committee": "两委成员",
    "retired": "退休干部",
    "mediator": "人民调解员",
    "volunteer": "平安志愿者",
    "member": "无职党员",
    "worthy": "乡贤",
    "building": "楼栋长",
    "other": "其他",
}
"""Where an applicant comes from."""
PURGE_DAYS = APPLICANT.days
"""Days after which a refused applicant's name and phone are deleted."""


class Protection(StrEnum):
    """Facts of labour contract law art. 42, as its items; people record them, nothing guesses."""

    OCCUPATIONAL_CHECK = "occupational_check"
    WORK_INJURY = "work_injury"
    MEDICAL_PERIOD = "medical_period"
    MATERNITY = "maternity"
    LONG_SERVICE = "long_service"
    OTHER_LAW = "other_law"


PROTECTION_NAMES = {
    Protection.OCCUPATIONAL_CHECK: "职业病危害作业离岗前未检查，或疑似职业病诊断、观察期",
    Protection.WORK_INJURY: "职业病或工伤，丧失或部分丧失劳动能力",
    Protection.MEDICAL_PERIOD: "患病或非因工负伤，在规定的医疗期内",
    Protection.MATERNITY: "孕期、产期、哺乳期",
    Protection.LONG_SERVICE: "连续工作满十五年且距退休不足五年",
    Protection.OTHER_LAW: "法律、行政法规规定的其他情形",
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the scorecard says of one person in one cycle, as far as the pools ask."""

    grade: str
    final: Decimal | None
    vetoed: bool = False
    weight: Decimal | None = None
    """Share of the satisfaction component in the final score (0.30 = 30 of 100)."""
    ballots: int = 0
    half_width: Decimal | None = None
    """Of the satisfaction score, in its own 0–100 points."""
    line: Decimal | None = None
    """Where the band above the grade begins."""
    first_reach: Decimal = Decimal(0)
    """What weight × half-width of the half-year come to in an annual score."""


class Shield(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded protection; ``ends_on`` is its last day, None = until further notice."""

    starts_on: date
    ends_on: date | None


def thin(found: Standing | None) -> str:
    """Why the evidence does not carry a warning or an exit.

    Too few ballots, or final ± weight × half-width crosses the line of the band above. A veto
    rests on documents, not on the score.
    """
    if found is None or found.final is None:
        return "没有这次考核的得分，不能据此警告或退出。"
    if found.vetoed:
        return ""
    if found.ballots < FEWEST_BALLOTS or found.half_width is None or found.weight is None:
        return (
            f"满意度有效票只有 {found.ballots} 张（至少 {FEWEST_BALLOTS} 张），"
            "证据不足，不能警告或退出。"
        )
    line = found.line if found.line is not None else LINES.get(found.grade)
    reach = found.weight * found.half_width + found.first_reach
    if line is None or found.final + reach >= line:
        return (
            f"得分 {found.final} 加上满意度误差 {reach:.1f} "
            f"到了等次线 {line}，证据不足，不能警告或退出。"
        )
    return ""


def protected(shields: Sequence[Shield], on: date, today: date) -> str:
    """Why nobody may be dismissed from a day on, or today; which fact it is, is not said."""
    for shield in shields:
        if shield.starts_on <= max(on, today) and (shield.ends_on is None or on <= shield.ends_on):
            until = f"到{chinese_date(shield.ends_on)}" if shield.ends_on else "（未定止期）"
            return f"本人在法定保护期内{until}，不能办理。"
    return ""


def ineligible(grades: Sequence[tuple[str, str]], open_deductions: int) -> str:
    """Why somebody cannot be recommended. ``grades``: (kind, grade), the latest cycle first."""
    if open_deductions:
        return f"还有 {open_deductions} 件扣分没有办结，办结后再推荐。"
    if grades and grades[0][1] == "fail":
        return "最近一次考核不合格，不能推荐。"
    annual = next((grade for kind, grade in grades if kind == "annual"), "")
    running = [grade for _, grade in grades[:2]]
    if annual == EXCELLENT or running == [EXCELLENT, EXCELLENT]:
        return ""
    return "不是最近一个年度优秀，也不是连续两个半年优秀，不能推荐。"


def unqualified(grid_type: str, schooling: str) -> str:
    """Why the check fails on schooling."""
    least = LEAST_SCHOOLING.get(grid_type, "middle")
    if SCHOOLING.index(schooling) < SCHOOLING.index(least):
        return "文化程度低于这类网格的要求。"
    return ""
