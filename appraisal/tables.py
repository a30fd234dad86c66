"""All tables of the appraisal schema, gathered for Piccolo; each feature keeps its own."""

from appraisal.cycle.tables import Cycle, CycleStep
from appraisal.ranking.tables import Ranking
from appraisal.scorecard.tables import Calibration, Input, Receipt, Run, Scheme, Score

__all__ = [
    "Calibration",
    "Cycle",
    "CycleStep",
    "Input",
    "Ranking",
    "Receipt",
    "Run",
    "Scheme",
    "Score",
]
