"""What must be done before a cycle may take a step: each feature adds its checks here.

A gate looks at the county's cycle and returns sentences that say what is missing; an empty list
lets the step pass. Only ``cycle.advancing`` imports this module, so features may import the cycle.
"""

from collections.abc import Awaitable, Callable

from appraisal.cycle.rules import Stage
from appraisal.cycle.schemas import CycleRow
from appraisal.duty import entries as duty
from appraisal.notice import service as notice
from appraisal.scorecard import annual, scoring
from appraisal.survey import service as survey

Gate = Callable[[int, CycleRow], Awaitable[list[str]]]

GATES: dict[tuple[Stage, Stage], tuple[Gate, ...]] = {
    (Stage.COLLECT, Stage.SCORE): (
        duty.undecided,
        scoring.deductions_open,
        survey.unfinished,
        scoring.first_half_open,
    ),
    # Asked again: the half-year cycle may have been opened since.
    (Stage.SCORE, Stage.REVIEW): (scoring.first_half_open, scoring.unscored),
    # And again: it may have been opened again, and changed, since this was scored.
    (Stage.REVIEW, Stage.NOTICE): (scoring.first_half_open, annual.not_taken_in),
    (Stage.NOTICE, Stage.APPEAL): (notice.notice_over,),
    (Stage.APPEAL, Stage.CLOSED): (
        notice.nothing_open,
        scoring.first_half_reopened,
        annual.not_taken_in,
    ),
}
"""(from, to) → checks."""
