"""Every job of the points service, in the order in which a night does them."""

from pathlib import Path

from points.ledger.jobs import JOBS as LEDGER
from points.redemption.jobs import JOBS as REDEMPTION
from points.settlement.jobs import JOBS as SETTLEMENT
from points.work.jobs import JOBS as WORK
from points.work.jobs import photo_job
from shared.scheduling.job import Job


def jobs(data_dir: Path) -> tuple[Job, ...]:
    """All of them; uploaded photos lie below ``data_dir``."""
    return (*WORK, *LEDGER, *SETTLEMENT, *REDEMPTION, photo_job(data_dir))
