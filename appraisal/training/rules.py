"""Kinds of training, and what a session and a person's result may say."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec


class SessionKind(StrEnum):
    """室内培训课, 一线实践课, 座谈交流."""

    CLASSROOM = "classroom"
    PRACTICE = "practice"
    DISCUSSION = "discussion"


KIND_NAMES: Mapping[SessionKind, str] = {
    SessionKind.CLASSROOM: "室内培训课",
    SessionKind.PRACTICE: "一线实践课",
    SessionKind.DISCUSSION: "座谈交流",
}
DEFAULT_HOURS = Decimal(12)
"""Asked of everybody in a half-year where the department states nothing; also in training_total."""
MOST_HOURS = Decimal(24)
MOST_REQUIRED = Decimal(500)
FULL_MARKS = Decimal(100)


class SessionForm(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is entered."""

    kind: SessionKind
    title: str
    held_on: date
    hours: Decimal
    place: str = ""
    trainer: str
    unit_code: str
    tested: bool = False


def session_faults(form: SessionForm, on: date) -> dict[str, str]:
    """Field → what is wrong."""
    faults = {}
    if not 2 <= len(form.title.strip()) <= 60:
        faults["title"] = "培训名称要 2 到 60 个字。"
    if form.held_on > on:
        faults["held_on"] = "日期还没有到，办完再登记。"
    if not half_hours(form.hours, MOST_HOURS):
        faults["hours"] = f"学时以 0.5 为单位，最多 {MOST_HOURS}。"
    if not 2 <= len(form.trainer.strip()) <= 60:
        faults["trainer"] = "请填写培训人。"
    if len(form.place) > 60:
        faults["place"] = "太长了，最多 60 个字。"
    return faults


def half_hours(hours: Decimal, most: Decimal) -> bool:
    """Whether these are hours in halves, more than none and not too many."""
    return hours.is_finite() and 0 < hours <= most and hours * 2 == int(hours * 2)


def result_fault(*, present: bool, test: Decimal | None) -> str:
    """What is wrong with a person's line, or empty."""
    if test is None:
        return ""
    if not present:
        return "没有参加的人不能有测试成绩。"
    if not 0 <= test <= FULL_MARKS or test * 10 != int(test * 10):
        return "测试成绩要在 0 到 100 之间，最多一位小数。"
    return ""
