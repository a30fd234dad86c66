"""What a record earns and which cap cut it."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from points.errors import RuleRefused
from points.rulebook.defaults import CAPS, PENALTIES, RULES
from points.rulebook.rules import (
    Category,
    Cut,
    Earned,
    Facts,
    Rule,
    Step,
    check_change,
    decide,
    in_force,
    show,
)

BY_CODE = {rule.code: rule for rule in RULES}
TODAY = date(2026, 11, 24)
NOTHING = Earned()
ONE = Facts()


def test_the_shipped_rulebook_is_complete() -> None:
    """24 award rules, 8 deductions, and the sums that prove no digit was mistyped."""
    assert len(RULES) == 24
    assert len(PENALTIES) == 8
    assert sum(rule.points for rule in RULES) == 635
    assert sum(rule.cap_month or 0 for rule in RULES) == 1750
    assert sum(rule.cap_day or 0 for rule in RULES) == 230
    assert {rule.category for rule in RULES} == set(Category)
    assert sum(CAPS.category_month.values()) == 900
    assert (CAPS.person_month, CAPS.person_year) == (600, 6000)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_first_record_earns_the_rule_s_points(rule: Rule) -> None:
    """With nothing earned yet, every rule gives its points and no cap cuts."""
    decision = decide(rule, CAPS, NOTHING, Facts(quantity=rule.per))
    assert (decision.posted, decision.cuts) == (rule.points, ())


@pytest.mark.parametrize(
    ("earned", "posted", "cap"),
    [
        (Earned(rule_day=30), 0, "本项单日"),
        (Earned(rule_month=115), 5, "本项单月"),
        (Earned(category_month=200), 0, "民生事项服务类单月"),
        (Earned(person_month=597), 3, "个人单月"),
        (Earned(person_year=6000), 0, "个人全年"),
    ],
)
def test_each_cap_cuts_and_is_named(earned: Earned, posted: int, cap: str) -> None:
    """A cap may leave a part; the decision says which cap it was."""
    decision = decide(BY_CODE["SVC-01"], CAPS, earned, ONE)
    assert decision.posted == posted
    assert [cut.cap for cut in decision.cuts] == [cap]
    assert cap in decision.words


def test_caps_cut_in_their_order() -> None:
    """The rule's month leaves 5, then the category's month leaves 2: both are said."""
    earned = Earned(rule_month=115, category_month=198)
    decision = decide(BY_CODE["SVC-01"], CAPS, earned, ONE)
    assert decision.cuts == (Cut("本项单月", 120, 5), Cut("民生事项服务类单月", 200, 2))
    assert decision.posted == 2


def test_a_repeated_report_scores_nothing() -> None:
    """OPN-01 within 7 days of the same report: zero, and the words say why."""
    decision = decide(BY_CODE["OPN-01"], CAPS, NOTHING, Facts(repeats=True))
    assert decision.posted == 0
    assert "7 天内" in decision.words


def test_one_visit_a_household_and_week() -> None:
    """CARE-01 counts a household once a week."""
    decision = decide(BY_CODE["CARE-01"], CAPS, NOTHING, Facts(visited_this_week=True))
    assert decision.posted == 0


@pytest.mark.parametrize(("households", "gives"), [(9, 0), (10, 10), (29, 20)])
def test_households_count_in_tens(households: int, gives: int) -> None:
    """LAW-01 gives a point for every full ten households, before caps."""
    assert decide(BY_CODE["LAW-01"], CAPS, NOTHING, Facts(quantity=households)).gives == gives


@given(
    st.sampled_from(RULES),
    st.builds(
        Earned,
        rule_day=st.integers(0, 100),
        rule_month=st.integers(0, 300),
        category_month=st.integers(0, 300),
        person_month=st.integers(0, 700),
        person_year=st.integers(0, 7000),
    ),
    st.builds(
        Facts, quantity=st.integers(0, 100), repeats=st.booleans(), visited_this_week=st.booleans()
    ),
)
def test_no_decision_exceeds_a_cap(rule: Rule, earned: Earned, facts: Facts) -> None:
    """Posted is between 0 and what the rule gives, and never lifts a total above its cap."""
    decision = decide(rule, CAPS, earned, facts)
    assert 0 <= decision.posted <= decision.gives
    room = [
        CAPS.category_month[rule.category] - earned.category_month,
        CAPS.person_month - earned.person_month,
        CAPS.person_year - earned.person_year,
    ]
    assert decision.posted <= max(min(room), 0)
    assert (decision.posted < decision.gives) <= bool(
        decision.cuts or facts.repeats or facts.visited_this_week
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": 0}, "points"),
        ({"points": 250, "cap_day": None, "cap_month": None}, "points"),
        ({"cap_day": 5}, "cap_day"),
        ({"cap_day": 40, "cap_month": 30}, "cap_month"),
        ({"steps": ()}, "steps"),
        ({"title": ""}, "title"),
        ({"per": 0}, "per"),
        ({"effective_from": TODAY}, "effective_from"),
    ],
)
def test_a_senseless_version_is_refused(change: dict[str, object], field: str) -> None:
    """Each check names its field and the reason."""
    good = msgspec.structs.replace(
        BY_CODE["SVC-01"], version=2, effective_from=date(2027, 1, 1), cap_day=30, cap_month=120
    )
    with pytest.raises(RuleRefused) as refused:
        check_change(msgspec.structs.replace(good, **change), [BY_CODE["SVC-01"]], CAPS, TODAY)
    assert list(refused.value.fields) == [field]


def test_a_secret_rule_keeps_a_sentence() -> None:
    """Its sentence is all that a record of it says: without one nobody could declare."""
    bare = msgspec.structs.replace(
        BY_CODE["CARE-02"], version=2, effective_from=date(2027, 1, 1), templates=()
    )
    with pytest.raises(RuleRefused) as refused:
        check_change(bare, [BY_CODE["CARE-02"]], CAPS, TODAY)
    assert list(refused.value.fields) == ["templates"]


def test_versions_may_not_overlap() -> None:
    """A version already planned for a later day blocks one that would reach into it."""
    planned = msgspec.structs.replace(BY_CODE["SVC-01"], version=2, effective_from=date(2027, 3, 1))
    new = msgspec.structs.replace(planned, version=3, effective_from=date(2027, 2, 1))
    with pytest.raises(RuleRefused, match="2027年3月1日"):
        check_change(new, [BY_CODE["SVC-01"], planned], CAPS, TODAY)


def test_the_version_in_force_on_the_work_date_counts() -> None:
    """The day a version ends is the first day of its successor."""
    first = msgspec.structs.replace(BY_CODE["SVC-01"], effective_to=date(2027, 1, 1))
    second = msgspec.structs.replace(first, version=2, effective_from=date(2027, 1, 1))
    second = msgspec.structs.replace(second, effective_to=None)
    assert in_force([first, second], date(2026, 12, 31)) == first
    assert in_force([first, second], date(2027, 1, 1)) == second
    assert in_force([first, second], date(2025, 12, 31)) is None


def test_rules_made_elsewhere_are_not_declared_by_hand() -> None:
    """SVC-03 comes from work orders only."""
    assert BY_CODE["SVC-03"].steps == (Step.SYSTEM,)


def test_tenths_are_shown_without_a_trailing_zero() -> None:
    """35 分, 0.5 分, −2 分."""
    assert [show(350), show(5), show(-20)] == ["35", "0.5", "-2"]
