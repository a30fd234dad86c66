"""What a record earns and which cap cut it: pure functions over frozen values.

Amounts are integers of 0.1 point. Caps cut in one order: rule-day, rule-month, category-month,
person-month, person-year; a cut may leave a part.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from points.errors import RuleRefused
from shared.dates import chinese_date
from shared.errors import Conflict


class Category(StrEnum):
    """The six duty categories."""

    ORG = "ORG"
    SVC = "SVC"
    OPN = "OPN"
    MED = "MED"
    CARE = "CARE"
    LAW = "LAW"


CATEGORY_NAMES = {
    Category.ORG: "组织生活参与",
    Category.SVC: "民生事项服务",
    Category.OPN: "社情民意收集",
    Category.MED: "矛盾纠纷劝调",
    Category.CARE: "特殊人群帮教",
    Category.LAW: "政策法律宣传",
}


RULE_CODE = re.compile(f"({'|'.join(Category)})-[0-9]{{2}}")
PENALTY_CODE = re.compile("PEN-[0-9]{2}")
MOST_PENALTY = 200
"""The hardest deduction of the shipped policy: a county's own goes no further."""
MOST_TIMES = 10
"""How many times the county's points a village may pay at most: more is a typing error."""
NOT_WORK = re.compile("打卡|签到|在线时长|点赞|转发|步数|里程")
"""What nobody may gain or lose points for."""
NOT_WORK_SAID = "按规定，打卡、签到、在线时长、点赞、转发、步数、里程都不得计分或扣分。"


class Step(StrEnum):
    """Who must confirm a record; a rule with two steps needs both."""

    V1 = "V1"
    """The grid's own lead, else any lead of the village, else the chief."""
    COMMITTEE = "committee"
    SUPERVISOR = "supervisor"
    V3 = "V3"
    """The township."""
    V4 = "V4"
    """The county."""
    AGENCY = "agency"
    TRAINER = "trainer"
    MEDIATOR = "mediator"
    SYSTEM = "system"
    """Made by another part of the system, never declared by hand."""
    CHECK = "check"
    """Accepted as declared; one in ten is drawn for a check by V1."""


STEP_NAMES = {
    Step.V1: "网格长（空缺时总网格长）",
    Step.COMMITTEE: "两委成员",
    Step.SUPERVISOR: "村监委会成员",
    Step.V3: "乡镇网格指导员",
    Step.V4: "县级主管部门",
    Step.AGENCY: "责任单位",
    Step.TRAINER: "培训人",
    Step.MEDIATOR: "调解员",
    Step.SYSTEM: "系统",
    Step.CHECK: "随机抽查 10%",
}


class Evidence(StrEnum):
    """Whether a photo belongs to a record; none is ever asked where it is not needed."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


EVIDENCE_NAMES = {
    Evidence.NONE: "不收照片",
    Evidence.OPTIONAL: "照片可传可不传",
    Evidence.REQUIRED: "必须附照片",
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One award rule as it stands from a day on; amounts in 0.1 point."""

    code: str
    version: int = 1
    category: Category
    title: str
    points: int
    cap_day: int | None = None
    cap_month: int | None = None
    steps: tuple[Step, ...]
    resident: bool = False
    """The verifier also records how the resident confirmed: signature, phone or QR."""
    evidence: Evidence = Evidence.OPTIONAL
    per: int = 1
    """How many make one award: 10 households for LAW-01."""
    household: bool = False
    """Holds a household number and counts once per household and week."""
    secret: bool = False
    """No reference to a person at all; the text is the rule's own (专项帮教)."""
    repeat_zero: bool = False
    """A repeat within 7 days scores nothing."""
    quiet_days: int = 0
    """Days without a relapse before it may be confirmed."""
    templates: tuple[str, ...] = ()
    """Sentences to tap instead of typing."""
    village_least: int | None = None
    """From where to where a village may set what its own money pays; None = it may not."""
    village_most: int | None = None
    effective_from: date
    effective_to: date | None = None


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """What a village pays for an item from a day on, by resolution of its villagers' meeting.

    Wallet points only, in 0.1 point: merit is the county's. ``points`` None = as the county again.
    """

    village_code: str
    code: str
    points: int | None
    cap_day: int | None = None
    cap_month: int | None = None
    resolution: str
    effective_from: date


class Paid(msgspec.Struct, frozen=True):
    """Wallet points that a worker has been given for an item, in the day and in the month."""

    day: int = 0
    month: int = 0


class Penalty(msgspec.Struct, frozen=True, kw_only=True):
    """One deduction rule; ``choices`` are the possible amounts in 0.1 point (merit only)."""

    code: str
    version: int = 1
    title: str
    choices: tuple[int, ...]
    reverses: bool = False
    """Takes back the whole award as well (false or duplicate claim)."""
    effective_from: date
    effective_to: date | None = None


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """Caps that stand above single rules, in 0.1 point."""

    category_month: dict[Category, int]
    person_month: int
    person_year: int
    effective_from: date


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker has already been given in the periods the caps look at, in 0.1 point."""

    rule_day: int = 0
    rule_month: int = 0
    category_month: int = 0
    person_month: int = 0
    person_year: int = 0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What else decides: how many, whether it repeats, whether the household had its visit."""

    quantity: int = 1
    repeats: bool = False
    visited_this_week: bool = False


class Cut(msgspec.Struct, frozen=True):
    """One cap that took something: its Chinese name, its size and what it left."""

    cap: str
    limit: int
    left: int


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rule gave, what cut it, what is posted, and the same in words.

    ``wallet`` is what the village pays where it has a variant; None = as much as is posted.
    """

    gives: int
    posted: int
    cuts: tuple[Cut, ...]
    words: str
    wallet: int | None = None

    @property
    def pays(self) -> int:
        return self.posted if self.wallet is None else self.wallet


def decide(rule: Rule, caps: Caps, earned: Earned, facts: Facts) -> Decision:
    """What one verified record earns.

    Worked out from domain rules: points × whole multiples of ``per``, nothing for a repeat or a
    second visit in a week, then each cap in its order. Never below zero, never above a cap.
    """
    gives = rule.points * (facts.quantity // rule.per)
    head = f"{rule.code} {rule.title}：得 {show(gives)} 分"
    if rule.repeat_zero and facts.repeats:
        return Decision(gives, 0, (), f"{head}；7 天内已有相同上报，本次不计分。")
    if rule.household and facts.visited_this_week:
        return Decision(gives, 0, (), f"{head}；本周已探访过这一户，本次不计分。")
    amount = gives
    cuts: list[Cut] = []
    for name, limit, used in _caps(rule, caps, earned):
        left = max(limit - used, 0)
        if amount > left:
            cuts.append(Cut(name, limit, left))
            amount = left
    if not cuts:
        return Decision(gives, amount, (), f"{head}。")
    reasons = "，".join(
        f"{cut.cap}上限 {show(cut.limit)} 分，只余 {show(cut.left)} 分" for cut in cuts
    )
    return Decision(gives, amount, tuple(cuts), f"{head}；{reasons}，计 {show(amount)} 分。")


def fits(rule: Rule, variant: Variant) -> bool:
    """Whether a variant counts under a version of its item: within the range, if there is one."""
    return (
        variant.points is not None
        and rule.village_least is not None
        and rule.village_most is not None
        and rule.village_least <= variant.points <= rule.village_most
    )


def variant_on(found: Sequence[Variant], rule: Rule, on: date) -> Variant | None:
    """The variant that counts on a day, of one village's for an item, the latest first.

    None where the latest leaves it to the county, or does not fit what the county's rule allows.
    """
    for variant in found:
        if variant.effective_from <= on:
            return variant if fits(rule, variant) else None
    return None


def pay(rule: Rule, variant: Variant, decision: Decision, paid: Paid) -> Decision:
    """A decision with what the village pays for it.

    The village's points in proportion to what the county's caps left, half up to 0.1; then its own
    caps. Merit, and what the county's rule says, stay.
    """
    amount = _share(decision.posted, variant.points or 0, rule.points)
    reasons = [f"本村细则（{variant.resolution}）每次可兑换 {show(variant.points or 0)} 分"]
    limits = (
        ("本村单日", variant.cap_day, paid.day),
        ("本村单月", variant.cap_month, paid.month),
    )
    for name, limit, used in limits:
        left = amount if limit is None else max(limit - used, 0)
        if limit is not None and amount > left:
            reasons.append(f"{name}上限 {show(limit)} 分，只余 {show(left)} 分")
            amount = left
    said = f"；{'，'.join(reasons)}，可兑换计 {show(amount)} 分。" if decision.posted else "。"
    words = decision.words.removesuffix("。") + said
    return msgspec.structs.replace(decision, wallet=amount, words=words)


def check_variant(new: Variant, rule: Rule | None, caps: Caps) -> None:
    """Whether a village may have a variant from its day on; ``rule`` is the item on that day.

    Raises RuleRefused with the field and the reason: no such item, no range, outside it, caps that
    are below one award or wider than the county's.
    """
    if rule is None:
        raise RuleRefused("effective_from", "这一天没有这一项，请核对日期。")
    if rule.village_least is None or rule.village_most is None:
        raise RuleRefused("code", "县里没有给这一项定幅度，各村都按县里的分值。")
    if new.points is None:
        if new.cap_day is not None or new.cap_month is not None:
            raise RuleRefused("points", "另设上限的，每次兑换的分值也要填。")
        return
    if not fits(rule, new):
        least, most = show(rule.village_least), show(rule.village_most)
        raise RuleRefused("points", f"县里定的幅度是 {least} 到 {most} 分，请在这以内填。")
    category = caps.category_month[rule.category]
    for field, name, limit, county in (
        ("cap_day", "单日上限", new.cap_day, rule.cap_day or rule.cap_month or category),
        ("cap_month", "单月上限", new.cap_month, rule.cap_month or category),
    ):
        widest = _share(county, new.points, rule.points)
        if limit is not None and not new.points <= limit <= widest:
            raise RuleRefused(
                field,
                f"{name}要在每次的 {show(new.points)} 分和县里上限折算的 {show(widest)} 分之间，"
                "不另设的空着。",
            )


def _share(amount: int, points: int, of: int) -> int:
    """An amount of the county's points in the village's, half up."""
    return (2 * amount * points + of) // (2 * of)


def show(amount: int) -> str:
    """Tenths as people write them: 5 → 0.5, 20 → 2."""
    whole, tenth = divmod(abs(amount), 10)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{tenth}" if tenth else f"{sign}{whole}"


def check_change(new: Rule, history: list[Rule], caps: Caps, today: date) -> None:
    """Whether the department may put this version into force.

    Raises RuleRefused with the field and the reason: points or caps that make no sense, a cap below
    the points, no verifier, or a version that would overlap one already in force or planned.
    """
    for field, holds, reason in (
        ("points", new.points > 0, "分值要大于 0。"),
        ("per", new.per > 0, "计分数量至少为 1。"),
        ("title", bool(new.title), "请填写名称。"),
        ("title", not NOT_WORK.search(new.title), NOT_WORK_SAID),
        ("steps", bool(new.steps), "至少要有一级核实人。"),
        (
            "templates",
            bool(new.templates) or not new.secret,
            "这一项只记统一用语，请至少保留一句。",
        ),
    ):
        if not holds:
            raise RuleRefused(field, reason)
    limits = (
        ("cap_day", "单日上限", new.cap_day),
        ("cap_month", "单月上限", new.cap_month),
    )
    for field, name, limit in limits:
        if limit is not None and limit < new.points:
            raise RuleRefused(field, f"{name} {show(limit)} 分低于单次分值 {show(new.points)} 分。")
    if new.cap_day and new.cap_month and new.cap_month < new.cap_day:
        raise RuleRefused("cap_month", "单月上限低于单日上限。")
    _check_range(new)
    category = caps.category_month[new.category]
    if category < new.points:
        raise RuleRefused(
            "points", f"超过{CATEGORY_NAMES[new.category]}类每月上限 {show(category)} 分。"
        )
    _check_start(new, history, today)


def _check_range(new: Rule) -> None:
    """Both ends or none, around the county's own points."""
    least, most = new.village_least, new.village_most
    if least is None and most is None:
        return
    if least is None or most is None:
        field = "village_least" if least is None else "village_most"
        raise RuleRefused(field, "村里可定的最低分和最高分要一起填，或者都空着。")
    if not least <= new.points <= most:
        field = "village_least" if least > new.points else "village_most"
        raise RuleRefused(field, f"幅度要包括县里的分值 {show(new.points)} 分。")
    if most > new.points * MOST_TIMES:
        raise RuleRefused("village_most", f"最高不超过县里分值的 {MOST_TIMES} 倍。")


def check_penalty(new: Penalty, history: list[Penalty], today: date) -> None:
    """Whether the department may put a deduction, or other amounts of one, into force.

    Never more than the first version's highest, which is the policy's. Raises RuleRefused.
    """
    most = max(history[0].choices) if history else MOST_PENALTY
    if not new.choices or any(not 0 < amount <= most for amount in new.choices):
        raise RuleRefused("choices", f"每一档扣分要大于 0 分，不超过政策规定的 {show(most)} 分。")
    if not PENALTY_CODE.fullmatch(new.code):
        raise RuleRefused("code", "编号写成 PEN 加两位数，例如 PEN-09。")
    if NOT_WORK.search(new.title):
        raise RuleRefused("title", NOT_WORK_SAID)
    _check_start(new, history, today)


def category_of(code: str) -> Category:
    """The category of a new rule. Raises RuleRefused for a code of another form."""
    if not RULE_CODE.fullmatch(code):
        raise RuleRefused("code", "编号写成类别代号加两位数，例如 SVC-05。")
    return Category(code.partition("-")[0])


def next_code(prefix: str, used: Iterable[str]) -> str:
    """The number after all that a category, or PEN, ever had: a code is never given twice."""
    numbers = [int(code.partition("-")[2]) for code in used if code.startswith(f"{prefix}-")]
    return f"{prefix}-{max(numbers, default=0) + 1:02d}"


def stamp(version: Rule | Penalty) -> str:
    """Tells two texts of one version apart."""
    return hashlib.sha256(msgspec.json.encode(version)).hexdigest()[:16]


def check_correction(new: Rule | Penalty, last: Rule | Penalty, seen: str, today: date) -> None:
    """Whether the last version may still be put right, and would be.

    Raises Conflict once it has begun or is not the text that was ``seen`` any more, RuleRefused
    where nothing changes.
    """
    if last.effective_from <= today:
        raise Conflict(
            f"第 {last.version} 版{chinese_date(last.effective_from)}已经生效，请存成新版。"
        )
    if seen != stamp(last):
        raise Conflict(f"别人刚改过第 {last.version} 版，请核对后再改。")
    if new == last:
        raise RuleRefused("version", "没有改动，不用保存。")


def _check_start(
    new: Rule | Penalty, history: Sequence[Rule] | Sequence[Penalty], today: date
) -> None:
    """A version changes something, and begins after today and after all others."""
    if new.effective_from <= today:
        raise RuleRefused("effective_from", "生效日期要在今天以后，已核实的记录才不会变。")
    if new.effective_to is not None and new.effective_to <= new.effective_from:
        raise RuleRefused("last_day", "最后一天早于生效日期，请核对。")
    for other in history:
        if other.effective_from >= new.effective_from:
            raise RuleRefused(
                "effective_from",
                f"{chinese_date(other.effective_from)}起已有第 {other.version} 版，"
                "新版的生效日期要更晚。",
            )
    if history and new == msgspec.structs.replace(
        history[-1], version=new.version, effective_from=new.effective_from
    ):
        raise RuleRefused(
            "version", f"和第 {history[-1].version} 版完全一样，没有改动，不用存新版。"
        )


def check_caps(new: Caps, history: list[Caps], rules: list[Rule], today: date) -> None:
    """Whether the department may put these caps into force.

    Raises RuleRefused: below a rule's points, a person's month below a category's, or overlapping.
    """
    for rule in rules:
        if new.category_month[rule.category] < rule.points:
            raise RuleRefused(
                str(rule.category),
                f"低于 {rule.code} 的单次分值 {show(rule.points)} 分。",
            )
    for category, limit in new.category_month.items():
        if limit > new.person_month:
            raise RuleRefused(str(category), f"高于个人每月上限 {show(new.person_month)} 分。")
    if new.person_year < new.person_month:
        raise RuleRefused("person_year", "个人全年上限低于每月上限。")
    if new.effective_from <= today:
        raise RuleRefused("effective_from", "生效日期要在今天以后，已核实的记录才不会变。")
    if any(other.effective_from >= new.effective_from for other in history):
        raise RuleRefused("effective_from", "这一天以后已有一版上限，新版的生效日期要更晚。")
    if new == msgspec.structs.replace(history[-1], effective_from=new.effective_from):
        raise RuleRefused("person_month", "和上一版完全一样，没有改动，不用存新版。")


def in_force(versions: list[Rule], on: date) -> Rule | None:
    """The version of one rule that counts for work done on a day."""
    for rule in versions:
        if rule.effective_from <= on and (rule.effective_to is None or on < rule.effective_to):
            return rule
    return None


def _caps(rule: Rule, caps: Caps, earned: Earned) -> list[tuple[str, int, int]]:
    """(name, limit, used) in the order in which caps cut."""
    found = [
        ("本项单日", rule.cap_day, earned.rule_day),
        ("本项单月", rule.cap_month, earned.rule_month),
        (
            f"{CATEGORY_NAMES[rule.category]}类单月",
            caps.category_month[rule.category],
            earned.category_month,
        ),
        ("个人单月", caps.person_month, earned.person_month),
        ("个人全年", caps.person_year, earned.person_year),
    ]
    return [(name, limit, used) for name, limit, used in found if limit is not None]
