"""All tables of the appraisal schema, gathered for Piccolo; each feature keeps its own."""

from appraisal.cycle.tables import Cycle, CycleStep

__all__ = [
    "Cycle",
    "CycleStep",
]
