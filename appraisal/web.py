"""What the pages of cases, notices and pools share: the step's form and the choice of page."""

from datetime import date
from typing import Any

import msgspec
from litestar.response import Template

from appraisal.casework.fields import FIELDS
from appraisal.casework.schemas import SignForm
from shared.clock import today
from shared.errors import Conflict, Invalid
from shared.identity.actor import Actor
from shared.roster.roles import DESK_ROLES
from shared.web.pages import Asked, moment, page

Refusal = Invalid | Conflict


class StepForm(msgspec.Struct):
    """A step as posted; what else it records is read by its field names."""

    step: str
    words: str = ""
    document: str = ""
    effective_on: date | None = None
    no_kin: bool = False


def signed_form(request: Asked, form: StepForm, values: dict[str, Any]) -> SignForm:
    """The posted step as the service takes it; without a day it is today."""
    return SignForm(
        step=form.step,
        words=form.words,
        document=form.document,
        effective_on=form.effective_on or today(moment(request)),
        answers={key: str(values[key]) for key in FIELDS if values.get(key)},
        no_kin=form.no_kin,
    )


def at_desk(actor: Actor) -> bool:
    """Whether the actor sits at a desk rather than holding a phone."""
    return actor.desk and bool(actor.roles & DESK_ROLES)


def both(request: Asked, template: str, **context: Any) -> Template:
    """A page with the tabs of whoever looks: worker, verifier, or none."""
    return page(
        request,
        template,
        desk_user=at_desk(request.user),
        **context,
    )
