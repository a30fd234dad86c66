"""Every job of the product; the leader runs them (shared/scheduling)."""

from pathlib import Path

from appraisal import retention_queries as appraisal
from appraisal.jobs import JOBS as APPRAISAL
from points import retention_queries as points
from points.jobs import jobs as points_jobs
from shared.identity.jobs import JOBS as IDENTITY
from shared.retention.jobs import people
from shared.scheduling.job import Job
from shared.scheduling.jobs import JOBS as SCHEDULING
from shared.uploads.jobs import JOBS as UPLOADS


def jobs(data_dir: Path) -> tuple[Job, ...]:
    """All of them; who left is erased when neither service holds them back."""
    erasing = people((points.held, appraisal.held))
    return (*UPLOADS, *IDENTITY, *points_jobs(data_dir), *APPRAISAL, erasing, *SCHEDULING)
