"""Every job of the product; the leader runs them (shared/scheduling)."""

from shared.scheduling.job import Job

JOBS: tuple[Job, ...] = ()
