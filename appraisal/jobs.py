"""Every job of the appraisal service, in the order in which a night does them."""

from appraisal.casework.jobs import JOBS as CASEWORK
from appraisal.survey.jobs import JOBS as SURVEY
from shared.scheduling.job import Job

JOBS: tuple[Job, ...] = (*SURVEY, *CASEWORK)
