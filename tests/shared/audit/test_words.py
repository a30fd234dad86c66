"""An auditor reads words, not the keys that are stored."""

from collections.abc import Mapping

import pytest

from appraisal.casework.machines import MACHINES
from appraisal.cycle import rules as cycle
from appraisal.duty import rules as duty
from appraisal.scorecard.rules import GRADE_NAMES
from appraisal.training.rules import KIND_NAMES
from points.mall.rules import CATEGORY_NAMES
from points.rulebook.rules import STEP_NAMES, Caps, Rule
from points.settlement.rules import PART_NAMES
from points.work import deductions, month
from points.work import rules as work
from shared.audit.schemas import Line
from shared.audit.words import FIELDS, VALUES, value_text
from shared.clock import now
from shared.ids import new_id
from shared.roster.roles import EMPLOYMENT_NAMES, ROLE_NAMES

STORED_MONTHS = {state: name for state, name in month.STATE_NAMES.items() if state != "immediate"}


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("role", ROLE_NAMES),
        ("employment_type", EMPLOYMENT_NAMES),
        ("steps", STEP_NAMES),
        ("part", PART_NAMES),
        ("grade", GRADE_NAMES),
        ("level", duty.LEVEL_NAMES),
        (
            "outcome",
            {key: name for each in duty.OUTCOME_NAMES.values() for key, name in each.items()},
        ),
        ("product.category", CATEGORY_NAMES),
        ("training.kind", KIND_NAMES),
        ("duty.kind", duty.KIND_NAMES),
        ("duty.state", duty.STATE_NAMES),
        ("cycle.kind", cycle.KIND_NAMES),
        ("cycle.state", cycle.STAGE_NAMES),
        ("work.state", work.STATE_NAMES | STORED_MONTHS),
        ("month.state", STORED_MONTHS),
        ("objection.state", month.OBJECTION_NAMES),
        ("deduct.state", deductions.STATE_NAMES),
    ],
)
def test_the_audit_says_what_the_pages_say(place: str, names: Mapping[str, str]) -> None:
    """The two services' own words and those of the audit trail are the same."""
    assert VALUES[place] == {str(key): name for key, name in names.items()}


def test_every_procedure_and_step_has_a_word() -> None:
    """A new step of a case does not show its key to the auditor."""
    assert set(MACHINES) == VALUES["machine"].keys()
    steps = {step.key for machine in MACHINES.values() for step in machine.steps}
    assert steps == VALUES["case.state"].keys()


def test_a_word_is_read_in_its_subject_and_an_unknown_one_is_kept() -> None:
    """The same key differs by subject; what nobody translated is never hidden."""
    assert value_text("state", "refused", "work") == "不予认定"
    assert value_text("state", "refused", "price") == "不同意"
    assert value_text("state", "mystery", "work") == "mystery"
    assert value_text("steps", ["committee", "new_step"]) == "两委成员、new_step"
    assert value_text("name", "open") == "open"


def test_every_field_of_a_rule_has_a_word() -> None:
    """A changed cap is no ``cap_day`` to the auditor, and stands in points."""
    assert {*Rule.__struct_fields__, *Caps.__struct_fields__} <= FIELDS.keys()
    assert value_text("cap_day", 30) == value_text("points", 30) == "3.0"


def test_a_line_shows_its_changes_in_chinese() -> None:
    """As on 审计查询: 状态：待核实 → 退回."""
    line = Line(
        id=new_id(),
        at=now(),
        actor_name=None,
        authority="interviewer",
        authority_unit=None,
        action="work.return",
        object_kind="record",
        object_id=None,
        about_name=None,
        unit_code="",
        unit_name=None,
        before='{"state":"pending"}',
        after='{"state":"returned"}',
        reason="",
    )
    assert line.changes("组织部") == [("状态", "待核实", "退回")]
    assert line.right("组织部") == "访问员"
