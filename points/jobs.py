"""Every job of the points service, in the order in which a night does them."""

from points.ledger.jobs import JOBS as LEDGER
from points.redemption.jobs import JOBS as REDEMPTION
from points.settlement.jobs import JOBS as SETTLEMENT
from points.work.jobs import JOBS as WORK
from shared.scheduling.job import Job

JOBS: tuple[Job, ...] = (*WORK, *LEDGER, *SETTLEMENT, *REDEMPTION)
