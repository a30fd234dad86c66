"""All tables of the appraisal schema, gathered for Piccolo; each feature keeps its own."""

from appraisal.casework.tables import CaseFile, CaseStep, Kinship
from appraisal.cycle.tables import Cycle, CycleStep
from appraisal.notice.tables import Notice, NoticeEntry, Serving
from appraisal.pool.tables import Applicant, Shield
from appraisal.ranking.tables import Ranking
from appraisal.scorecard.tables import Calibration, Input, Receipt, Run, Scheme, Score

__all__ = [
    "Applicant",
    "Calibration",
    "CaseFile",
    "CaseStep",
    "Cycle",
    "CycleStep",
    "Input",
    "Kinship",
    "Notice",
    "NoticeEntry",
    "Ranking",
    "Receipt",
    "Run",
    "Scheme",
    "Score",
    "Serving",
    "Shield",
]
