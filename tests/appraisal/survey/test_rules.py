"""Small decisions of the survey."""

from uuid import UUID

from appraisal.survey import rules
from appraisal.survey.draw import Drawn
from appraisal.survey.field import next_in_order
from appraisal.survey.rules import ASPECTS, Answers
from shared.identity.actor import Duty
from shared.ids import new_id
from shared.roster.roles import Role

GOOD = Answers(aware=True, values=(100, 80, 60, 20, 0, 100))


def test_a_ballot_answers_six_aspects_with_the_five_faces() -> None:
    """Anything else is said field by field."""
    assert rules.faults(GOOD, ASPECTS) == {}
    assert set(rules.faults(Answers(aware=True, values=(100,) * 5), ASPECTS)) == {"values"}
    assert set(rules.faults(Answers(aware=True, values=(70,) * 6), ASPECTS)) == {"values"}
    long = Answers(aware=True, values=(0,) * 6, comment="好" * 201)
    assert set(rules.faults(long, ASPECTS)) == {"comment"}


def test_two_keyings_are_compared_answer_by_answer() -> None:
    """Titles of what differs, the gate question first; words are not compared."""
    other = Answers(aware=False, values=(100, 80, 60, 20, 20, 100), comment="好")
    assert rules.differences(GOOD, GOOD, ASPECTS) == []
    assert rules.differences(GOOD, other, ASPECTS) == ["是否知道网格员", "公道廉洁"]


def test_a_slip_is_stored_under_half_a_hash() -> None:
    """The id is no token, is the same each time, and gives the ten digits on the paper."""
    token = "421222.AAAAAAAAAAAAAAAAAAAAAA"
    slip = rules.slip_id(token)
    assert slip == rules.slip_id(token) != rules.slip_id(token[:-1] + "B")
    assert len(rules.slip_number(slip)) == 10
    assert rules.slip_number(UUID(int=7)) == "0000000007"
    assert rules.county_of(token) == 421222
    assert rules.county_of("421222.short") is None
    assert rules.token_in(f"https://jifen.example/s/{token}") == token
    assert rules.token_in(token + "?x") == ""


def test_an_interviewer_has_nothing_to_do_with_the_village() -> None:
    """Neither its worker nor any post of the village; the next village's people may."""
    village = "421222100001"

    def duty(code: str, role: Role) -> Duty:
        return Duty(role=role, unit_code=code, post_id=new_id())

    assert not rules.may_interview([duty(village + "001", Role.GRIDWORKER)], village)
    assert not rules.may_interview([duty(village, Role.CHIEF)], village)
    assert rules.may_interview([duty("421222100", Role.INSTRUCTOR)], village)
    assert rules.may_interview([duty("421222100002", Role.CHIEF)], village)
    both = [duty("421222100002001", Role.GRIDWORKER), duty(village, Role.COMMITTEE)]
    assert not rules.may_interview(both, village)


def test_households_are_added_until_enough_have_answered() -> None:
    """60 % of those asked and 20 answers, less who still waits for a visit."""
    assert rules.top_up(households=200, asked=30, answered=20, pending=0) == 0
    assert rules.top_up(households=200, asked=30, answered=17, pending=0) == 3
    assert rules.top_up(households=200, asked=30, answered=17, pending=3) == 0
    assert rules.top_up(households=200, asked=50, answered=22, pending=0) == 8
    assert rules.top_up(households=200, asked=51, answered=30, pending=0) == 1  # 30.6 are 31
    assert rules.top_up(households=12, asked=12, answered=12, pending=0) == 0


def test_a_replacement_is_the_next_of_the_same_group() -> None:
    """When the group is exhausted it is the next of the grid; nobody comes twice."""
    drawn = [
        Drawn("g", number, "replacement", str(number), group)
        for number, group in enumerate(("1组", "2组", "1组", "2组"), 1)
    ]
    found = next_in_order(drawn, ["1"], ["1组", "2组", "1组", "1组"])
    assert [one.number for one in found] == ["3", "2", "4"]
    assert [one.number for one in next_in_order(drawn, [], [None, None])] == ["1", "2"]
