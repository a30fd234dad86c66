"""A score in plain words: each component with the facts it was made from. Pure."""

from fractions import Fraction

import msgspec

from appraisal.scorecard.rules import COMPONENT_NAMES, Component, Note, Scheme
from appraisal.scorecard.schemas import Facts, Scores

FEWEST_BALLOTS = 20
NOTHING = "没有数据，不计分，权重按比例分给其他项。"
VETOED = "一票否决不改得分，只把这次的等次定为不合格。"
VETO_ONCE = "年终考核按这个得分折算，不因这件事再定一次等次。"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One component: its weight, what it counted for here, what it gave, and why."""

    component: Component
    name: str
    weight: int
    counted: str
    """Percent of the score after missing components were shared out; empty = not counted."""
    points: int | None
    """In hundredths."""
    words: str


def lines(facts: Facts, scores: Scores, scheme: Scheme) -> list[Line]:
    """The components in the order of the form; those without weight are left out."""
    words = _words(facts, scores, scheme)
    return [
        Line(
            component=component,
            name=COMPONENT_NAMES[component],
            weight=weight,
            counted=_counted(weight, scores) if scores.of(component) is not None else "",
            points=scores.of(component),
            words=words[component],
        )
        for component, weight in scheme.weights.items()
        if weight
    ]


def plus_words(facts: Facts, scheme: Scheme) -> str:
    """Where the extra points come from."""
    found = []
    if facts.commended_township:
        found.append(f"乡镇表扬 {facts.commended_township} 次，每次 {scheme.commend_township} 分")
    if facts.commended_county:
        found.append(f"县级表扬 {facts.commended_county} 次，每次 {scheme.commend_county} 分")
    if not found:
        return "没有表扬记录。"
    return "；".join(found) + f"；最多加 {scheme.plus_cap} 分。"


def minus_words(facts: Facts, scheme: Scheme) -> str:
    """Where the deductions come from."""
    if facts.deducted <= 0:
        return "没有扣分记录。"
    return (
        f"积分扣分 {decimal(facts.deducted, 10)} 分（上次考核评分以后才定下来的也在内），"
        f"一分扣一分，最多扣 {scheme.minus_cap} 分。"
    )


def total_words(facts: Facts, scores: Scores, scheme: Scheme, *, annual: bool) -> str:
    """How the result follows from the sum.

    A veto decides the grade of the period in which it happened and leaves its score as it is: so
    one of the first half goes into the year by the score, and judges nobody a second time.
    """
    stands = scores.note is Note.VETO
    vetoed = (VETOED if annual else VETOED + VETO_ONCE) if stands else ""
    return _sum_words(facts, scores, scheme, annual=annual) + vetoed


def _sum_words(facts: Facts, scores: Scores, scheme: Scheme, *, annual: bool) -> str:
    if scores.calculated is None:
        return "没有可以评分的数据。"
    if annual and facts.first_final is not None and scores.period_score is not None:
        second = 100 - scheme.first_share
        return (
            f"全年 = 上半年 {decimal(facts.first_final, 100)} × {scheme.first_share}%"
            f" + 下半年 {decimal(scores.period_score, 100)} × {second}%。"
        )
    if annual:
        return "没有上半年成绩，全年按下半年计算。"
    return "各项得分相加，加上加分、减去扣分，不低于 0、不高于 100。"


def decimal(value: int, scale: int) -> str:
    """``decimal(865, 10) → "86.5"``, without trailing zeros."""
    whole, rest = divmod(abs(value), scale)
    digits = f"{rest:0{len(str(scale)) - 1}d}".rstrip("0")
    return ("-" if value < 0 else "") + (f"{whole}.{digits}" if digits else str(whole))


def _counted(weight: int, scores: Scores) -> str:
    hundredths = round(Fraction(weight * 10000, scores.present))
    return decimal(hundredths, 100)


def _words(facts: Facts, scores: Scores, scheme: Scheme) -> dict[Component, str]:
    return {
        Component.ATTENDANCE: _attendance(facts, scores, scheme),
        Component.ORDERS: _share(facts.orders_total, facts.orders_good, "工单", "按期办结"),
        Component.DATA: _share(facts.data_total, facts.data_good, "双随机核查", "准确"),
        Component.SETTLED: _share(
            facts.settled_total, facts.settled_good, "矛盾纠纷", "就地化解无反复"
        ),
        Component.SATISFACTION: _satisfaction(facts),
        Component.MERIT: _merit(facts, scores, scheme),
        Component.TRAINING: _training(facts, scores, scheme),
    }


def _attendance(facts: Facts, scores: Scores, scheme: Scheme) -> str:
    if scores.attendance is None:
        return "没有考勤记录。" + NOTHING
    words = (
        f"应在岗 {decimal(facts.rostered or 0, 10)} 天，在岗 {decimal(facts.on_duty or 0, 10)} 天，"
        f"批准请假 {decimal(facts.on_leave or 0, 10)} 天（请假算在岗）。"
    )
    if facts.failed_checks:
        words += f"抽查不合格 {facts.failed_checks} 次，每次扣 {scheme.check_penalty} 分。"
    if facts.missing_months:
        words += f"有 {facts.missing_months} 个月没有考勤表，没有计入。"
    return words


def _share(total: int | None, good: int | None, what: str, how: str) -> str:
    return f"{what} {total} 件，{how} {good} 件。" if total else NOTHING


def _satisfaction(facts: Facts) -> str:
    if facts.satisfaction is None:
        if facts.ballots:
            short = f"有效票 {facts.ballots} 张，不到 {FEWEST_BALLOTS} 张，样本不足。"
            return short + NOTHING
        return "没有群众测评结果。" + NOTHING
    spread = "" if facts.half_width is None else f"，误差 ±{decimal(facts.half_width, 10)} 分"
    words = f"群众测评 {decimal(facts.satisfaction, 10)} 分（有效票 {facts.ballots} 张{spread}）。"
    return words + ("在几个网格任职的，按天数折算。" if facts.grids > 1 else "")


def _merit(facts: Facts, scores: Scores, scheme: Scheme) -> str:
    earned = f"积分 {decimal(facts.awarded, 10)} 分"
    if _never_here(facts, scheme):
        return f"{earned}。考核期内都在请假，没有可比的天数。" + NOTHING
    if scores.merit is None or scores.typical is None:
        return f"{earned}。同类网格的中位数是 0，无法比较。" + NOTHING
    if scores.rate != facts.awarded:
        leave = f"，{_long_leave(facts)}不计" if _away(facts, scheme) else ""
        earned += f"（任职 {facts.days} 天{leave}，折合全期 {decimal(scores.rate, 10)} 分）"
    return (
        f"{earned}，同类网格的中位数 {decimal(scores.typical, 10)} 分；"
        f"达到中位数的 {decimal(scheme.merit_cap, 100)} 倍得满分。上次考核评分以后才入账的也在内。"
    )


def _training(facts: Facts, scores: Scores, scheme: Scheme) -> str:
    never = _never_here(facts, scheme)
    if scores.training is None:
        return ("考核期内都在请假，不要求学时。" if never else "没有培训安排。") + NOTHING
    words = []
    if facts.hours is not None and facts.hours_required and not never:
        hours, required = decimal(facts.hours, 100), decimal(facts.hours_required, 100)
        leave = f"（{_long_leave(facts)}，按比例折减）" if _away(facts, scheme) else ""
        words.append(f"学时 {hours}，要求 {required}{leave}")
    if facts.test is not None:
        words.append(f"测试平均 {decimal(facts.test, 100)} 分")
    return "；".join(words) + ("，各占一半。" if len(words) > 1 else "。")


def _away(facts: Facts, scheme: Scheme) -> int:
    """Days on leave (0.1) that are too many to be measured with; 0 where they are not."""
    leave = facts.on_leave or 0
    return leave if 0 < 10 * scheme.leave_from <= leave else 0


def _never_here(facts: Facts, scheme: Scheme) -> bool:
    away = _away(facts, scheme)
    return away > 0 and away >= (facts.rostered or 0)


def _long_leave(facts: Facts) -> str:
    rostered, leave = decimal(facts.rostered or 0, 10), decimal(facts.on_leave or 0, 10)
    return f"应在岗 {rostered} 天中批准的长假 {leave} 天"
