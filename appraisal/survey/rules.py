"""What a ballot may say and what makes it count; who may hand out slips; what a slip's code is."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from shared.identity.actor import Duty

PER_GRID = 30
ENOUGH = 20
"""Counted ballots from which a grid's result is valid."""
FEWEST = 5
"""Below so many nothing is shown, moved or printed on its own."""
ANSWERED_SHARE = 60
"""Per cent of the households asked that must have answered before a grid needs no more."""
VISITS = 2
"""Times nobody was at home before a household is replaced."""
UNKNOWN = 0
SCALE = ((100, "非常满意"), (80, "满意"), (60, "基本满意"), (20, "不满意"), (UNKNOWN, "不了解"))
"""Value and word of each face; 不了解 is not counted."""
VALUES = frozenset(value for value, _ in SCALE)
MAX_COMMENT = 200
NUMBER_DIGITS = 10
HOUSEHOLD = re.compile(r"[0-9A-Za-z-]{1,20}")
GROUP = re.compile(r"[^,，;；\"'\s=+@|-][^,;\"\s|]{0,19}")
TOKEN = re.compile(r"(\d{6})\.([A-Za-z0-9_-]{22})")


class Aspect(msgspec.Struct, frozen=True):
    """One row of the form."""

    key: str
    title: str
    prompt: str


ASPECTS = (
    Aspect("attitude", "工作态度", "热情、耐心、主动上门"),
    Aspect("competence", "业务水平", "懂政策、说得清"),
    Aspect("ability", "服务能力", "能办事、会协调"),
    Aspect("timeliness", "办事效率", "回应快、按时办"),
    Aspect("fairness", "公道廉洁", "不优亲厚友、不吃拿卡要"),
    Aspect("results", "工作成效", "问题真解决、有反馈"),
)
"""The shipped form, version 1."""


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What one ballot says: the gate question, a value per aspect, words."""

    aware: bool
    values: tuple[int, ...]
    comment: str = ""


def faults(answers: Answers, aspects: Sequence[Aspect]) -> dict[str, str]:
    """Field → sentence for what cannot be taken."""
    found = {}
    if len(answers.values) != len(aspects) or not VALUES.issuperset(answers.values):
        found["values"] = "六个方面请各选一个。"
    if len(answers.comment) > MAX_COMMENT:
        found["comment"] = f"太长了，最多 {MAX_COMMENT} 个字。"
    return found


def differences(first: Answers, second: Answers, aspects: Sequence[Aspect]) -> list[str]:
    """Titles of what two keyings of one paper say differently; words are not compared."""
    titles = ["是否知道网格员"] if first.aware != second.aware else []
    pairs = zip(aspects, first.values, second.values, strict=True)
    return [*titles, *(aspect.title for aspect, one, other in pairs if one != other)]


def side_by_side(
    first: Answers, second: Answers, aspects: Sequence[Aspect]
) -> list[tuple[str, str, str]]:
    """What two keyings of one paper say differently, in the form's words; words as well."""
    words = dict(SCALE)
    known = {True: "知道", False: "不知道"}
    rows = [("知道网格员是谁", known[first.aware], known[second.aware])]
    pairs = zip(aspects, first.values, second.values, strict=True)
    rows += [(aspect.title, words[one], words[other]) for aspect, one, other in pairs]
    rows += [("写的话", first.comment or "（没有写）", second.comment or "（没有写）")]
    return [row for row in rows if row[1] != row[2]]


def agreed(first: Answers, second: Answers) -> dict[str, str]:
    """Fields of the form in which two keyings say the same."""
    found = {"aware": str(int(first.aware))} if first.aware == second.aware else {}
    pairs = enumerate(zip(first.values, second.values, strict=True), 1)
    found |= {f"v{number}": str(one) for number, (one, other) in pairs if one == other}
    return found | ({"comment": first.comment} if first.comment == second.comment else {})


def slip_id(token: str) -> UUID:
    """Under which a slip is stored: half of the token's SHA-256, so no list of slips gives one."""
    return UUID(bytes=hashlib.sha256(f"ballot:{token}".encode()).digest()[:16])


def slip_number(slip: UUID) -> str:
    """The ten digits printed on the slip for whoever keys a paper in; they follow from the hash."""
    return str(slip.int % 10**NUMBER_DIGITS).zfill(NUMBER_DIGITS)


def county_of(token: str) -> int | None:
    """The county that stands before the point of a token; None if it is none of ours."""
    match = TOKEN.fullmatch(token)
    return int(match[1]) if match else None


def token_in(text: str) -> str:
    """The token in what a scanner typed (the whole address), or empty."""
    match = TOKEN.search(text)
    return match[0] if match and match.end() == len(text) else ""


def may_interview(duties: Iterable[Duty], village_code: str) -> bool:
    """Neither the worker nor anybody from that village: no duty there today."""
    return not any(duty.unit_code.startswith(village_code) for duty in duties)


def top_up(households: int, asked: int, answered: int, pending: int) -> int:
    """How many more households a grid needs, beside those on the list that wait for a visit.

    Enough is 60 % of the households asked and 20 answers (everybody, in a small grid); every
    missing answer brings one household.
    """
    target = max(-(-asked * ANSWERED_SHARE // 100), min(ENOUGH, households))
    return max(target - answered - pending, 0)
