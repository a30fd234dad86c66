"""Every job of the product; the leader runs them (shared/scheduling)."""

from points.jobs import JOBS as POINTS
from shared.roster.jobs import JOBS as ROSTER
from shared.scheduling.job import Job

JOBS: tuple[Job, ...] = (*ROSTER, *POINTS)
