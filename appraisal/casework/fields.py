"""What a step may record besides its words: fields as data, and what is wrong with an answer.

No health, belief or police matter is ever asked: where the law needs such a fact, the step says
only that somebody looked at the papers.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

from shared.dates import chinese_date
from shared.roster.roles import EMPLOYMENT_NAMES

MAX_TEXT = 200
YES = "1"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What neither the database nor a Word file can hold."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a step's form."""

    key: str
    label: str
    kind: Literal["text", "choice", "yes", "count", "score", "day"] = "text"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    hint: str = ""
    private: bool = False
    """Kept sealed, and told only to those who handle the case."""


SERVICE = (
    ("signed", "本人签收"),
    ("refused", "本人拒收，两名见证人在场"),
    ("post", "挂号邮寄"),
)
POSTED = "邮寄时必填；日期填回执上的收到日期，不是寄出日期；退回的信不算送达"
"""The term runs from when the person has the letter."""
MAILED = "邮寄来的，填邮戳上的寄出日期：期满前寄出的不算过期。"
"""A paper that was posted within its term is in time, however long it was on its way."""
UNREACHED = (
    ("unknown", "退回：查无此人"),
    ("moved", "退回：迁移新址"),
    ("unclaimed", "退回：逾期未领"),
    ("returned", "退回：拒收"),
    ("died", "本人死亡"),
)
CHANNELS = (
    ("visit", "当面"),
    ("phone", "电话"),
    ("letter", "来信"),
    ("online", "意见箱或网上"),
)
UNDELIVERED = "undelivered"
"""Why a letter reaches nobody."""
FIELDS = {
    field.key: field
    for field in (
        Field(key="how", label="送达方式", kind="choice", options=SERVICE),
        Field(key="witness_one", label="见证人一", required=False, hint="拒收时必填"),
        Field(key="witness_two", label="见证人二", required=False, hint="拒收时必填"),
        Field(key="post_number", label="挂号信编号", required=False, hint=POSTED),
        Field(key=UNDELIVERED, label="送达不到的原因", kind="choice", options=UNREACHED),
        Field(key="score", label="变更后的得分", kind="score", hint="0–100，最多两位小数"),
        Field(
            key="veto_lifted",
            label="一票否决不成立，撤销否决",
            kind="yes",
            required=False,
            hint="没有一票否决的不用勾选",
        ),
        Field(
            key="days_met",
            label="任职天数有误，实际已满规定天数，按得分定等次",
            kind="yes",
            required=False,
            hint="不是因任职天数不定等次的不用勾选",
        ),
        Field(key="first_half", label="变更后的上半年得分"),
        Field(key="annual", label="重新计算的全年得分"),
        Field(key="present", label="到会人数", kind="count"),
        Field(key="against", label="不赞成留任票数", kind="count"),
        Field(
            key="list_kind",
            label="推荐方向",
            kind="choice",
            options=(("reserve", "后备干部"), ("delegate", "两代表一委员"), ("other", "其他")),
        ),
        Field(
            key="employment",
            label="用工形式",
            kind="choice",
            options=tuple((kind.value, name) for kind, name in EMPLOYMENT_NAMES.items()),
        ),
        Field(key="full_time", label="专职", kind="yes", required=False),
        Field(key="adult", label="已满 18 周岁（看过证件，不留复印件）", kind="yes"),
        Field(
            key="residence",
            label="户籍或居住",
            kind="choice",
            options=(("local", "本地户籍"), ("year", "在本地居住满一年")),
        ),
        Field(
            key="schooling",
            label="文化程度",
            kind="choice",
            options=(
                ("primary", "小学"),
                ("middle", "初中"),
                ("high", "高中、中专"),
                ("college", "大专"),
                ("bachelor", "本科及以上"),
            ),
        ),
        Field(key="clean", label="核查过，没有不得担任的情形", kind="yes"),
        Field(key="starts_on", label="到岗日期", kind="day"),
        Field(key="term_until", label="协议（任期）最后一天", kind="day"),
        Field(key="objector", label="反映人", private=True),
        Field(key="contact", label="联系方式", private=True),
        Field(key="channel", label="怎么收到的", kind="choice", options=CHANNELS),
        Field(key="hearing", label="陈述申辩的时间和地点", hint="印在通知书上，送达本人"),
        Field(
            key="stopped_until",
            label="暂停系统权限到",
            kind="day",
            required=False,
            hint="泄露居民信息等才需要，最多 60 天，办结即恢复。不影响岗位和报酬；"
            "余额、兑换、申诉照常，工作可由村里代录。印在通知书上，送达本人",
        ),
        Field(key="heard", label="已听取本人的陈述和申辩", kind="yes"),
        Field(key="unprotected", label="核对过，不在法定保护期内", kind="yes"),
        Field(
            key="kind",
            label="帮扶方式",
            kind="choice",
            options=(("training", "培训"), ("other_grid", "调到其他网格")),
        ),
    )
}
HANDED = {
    "visit": "当面交反映人",
    "phone": "按反映人留的电话告知",
    "letter": "按反映人的来信地址寄出",
    "online": "按反映人留的联系方式发出",
}
"""How an objection was received → how its answer is handed over."""
ERASED_ON = "erased_on"
"""Stands among a step's answers once what was private in them is gone: the day."""
APPEAL_DAYS = "appeal_days"
"""Stands among the answers of a step that may be appealed: the working days its letter promises."""
SERVICE_FIELDS = ("how", "witness_one", "witness_two", "post_number")
CONTEST_FIELDS = ("objector", "contact", "channel")
CHECK_FIELDS = ("adult", "residence", "schooling", "clean")


CHECKS: dict[str, tuple[Callable[[Field, str], bool], str]] = {
    "text": (lambda _, __: True, ""),
    "choice": (lambda field, answer: answer in dict(field.options), "请从列表中选择。"),
    "yes": (lambda _, answer: answer == YES, "请勾选。"),
    "count": (
        lambda _, answer: answer.isascii() and answer.isdigit() and len(answer) <= 5,
        "请填整数。",
    ),
    "score": (lambda _, answer: score_of(answer) is not None, "请填 0 到 100 的数，最多两位小数。"),
    "day": (lambda _, answer: day_of(answer) is not None, "请选择日期，例如 2026-11-24。"),
}
"""Kind of field → whether an answer fits, and what to do if not."""


def problems(
    keys: tuple[str, ...], answers: Mapping[str, str], parties: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Field → what is wrong with its answer. ``parties`` to a service do not witness it."""
    found = {}
    for key in keys:
        field = FIELDS[key]
        if reason := _problem(field, answers.get(key, "").strip()):
            found[key] = reason
    if "how" in keys:
        found |= _service_problems(answers, parties)
    if "against" in keys and not found and int(answers["against"]) > int(answers["present"]):
        found["against"] = "票数多于到会人数，请核对。"
    return found


def _problem(field: Field, answer: str) -> str:
    if not answer:
        return "" if not field.required else "请勾选。" if field.kind == "yes" else "请填写。"
    if len(answer) > MAX_TEXT:
        return f"太长了，最多 {MAX_TEXT} 个字。"
    if CONTROL.search(answer):
        return "有不能识别的字符，请重新输入。"
    fits, sentence = CHECKS[field.kind]
    return "" if fits(field, answer) else sentence


def score_of(answer: str) -> Decimal | None:
    """A score as typed, or None."""
    try:
        score = Decimal(answer)
    except InvalidOperation:
        return None
    if not score.is_finite() or not 0 <= score <= 100 or score != round(score, 2):
        return None
    return score


def day_of(answer: str) -> date | None:
    """A date as typed, or None."""
    try:
        return date.fromisoformat(answer)
    except ValueError:
        return None


def _service_problems(answers: Mapping[str, str], parties: frozenset[str]) -> dict[str, str]:
    how = answers.get("how", "").strip()
    one, two = (answers.get(f"witness_{which}", "").strip() for which in ("one", "two"))
    if how == "refused" and not one:
        return {"witness_one": "本人拒收的，请写两名见证人。"}
    if how == "refused" and (not two or one == two):
        return {"witness_two": "请写另一名见证人，两人不能相同。"}
    if how == "refused" and (own := parties & {one, two}):
        field = "witness_one" if one in own else "witness_two"
        return {field: "送达人和本人不能作见证人，请写另一个人。"}
    if how == "post" and not answers.get("post_number", "").strip():
        return {"post_number": "请写挂号信编号。"}
    return {}


def shown(answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Recorded facts as (label, words), in the order of the fields; nothing private."""
    found = []
    for key, field in FIELDS.items():
        answer = answers.get(key, "")
        if answer and not field.private:
            words = "是" if field.kind == "yes" else dict(field.options).get(answer, answer)
            day = day_of(answer) if field.kind == "day" else None
            found.append((field.label, chinese_date(day) if day else words))
    return found
