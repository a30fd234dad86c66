"""All tables of the appraisal schema, gathered for Piccolo; each feature keeps its own."""

from appraisal.casework.tables import CaseFile, CaseStep, Kinship
from appraisal.cycle.tables import Cycle, CycleStep
from appraisal.documents.tables import DocumentTemplate
from appraisal.duty.tables import (
    Attendance,
    DutyEntry,
    RandomCheck,
    RandomItem,
    RandomResult,
)
from appraisal.notice.tables import Notice, NoticeEntry, Serving
from appraisal.pool.tables import Applicant, Shield
from appraisal.ranking.tables import Ranking
from appraisal.scorecard.tables import Calibration, Input, Run, Scheme, Score
from appraisal.survey.tables import (
    Ballot,
    BallotBox,
    BallotBurnt,
    BallotComment,
    BallotInbox,
    BallotPaper,
    BallotSlip,
    BallotSpent,
    Household,
    SlipBatch,
    Survey,
    SurveyForm,
    SurveyGrid,
    SurveyHousehold,
    SurveyInterviewer,
)
from appraisal.training.tables import (
    TrainingAttendance,
    TrainingRequirement,
    TrainingSession,
)

__all__ = [
    "Applicant",
    "Attendance",
    "Ballot",
    "BallotBox",
    "BallotBurnt",
    "BallotComment",
    "BallotInbox",
    "BallotPaper",
    "BallotSlip",
    "BallotSpent",
    "Calibration",
    "CaseFile",
    "CaseStep",
    "Cycle",
    "CycleStep",
    "DocumentTemplate",
    "DutyEntry",
    "Household",
    "Input",
    "Kinship",
    "Notice",
    "NoticeEntry",
    "RandomCheck",
    "RandomItem",
    "RandomResult",
    "Ranking",
    "Run",
    "Scheme",
    "Score",
    "Serving",
    "Shield",
    "SlipBatch",
    "Survey",
    "SurveyForm",
    "SurveyGrid",
    "SurveyHousehold",
    "SurveyInterviewer",
    "TrainingAttendance",
    "TrainingRequirement",
    "TrainingSession",
]
