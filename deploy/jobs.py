"""Every job of the product; the leader runs them (shared/scheduling)."""

from appraisal.jobs import JOBS as APPRAISAL
from points.jobs import JOBS as POINTS
from shared.identity.jobs import JOBS as IDENTITY
from shared.roster.jobs import JOBS as ROSTER
from shared.scheduling.job import Job
from shared.scheduling.jobs import JOBS as SCHEDULING

JOBS: tuple[Job, ...] = (*ROSTER, *IDENTITY, *POINTS, *APPRAISAL, *SCHEDULING)
