"""The resident's page behind a slip's QR code: no sign-in, no cookie, no trace (README).

It stands outside authentication and CSRF: the slip is the permission, and a forged post would need
it. Nothing here may log, count by address or remember who asked.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Template

from appraisal.survey import ballots
from appraisal.survey.errors import SlipUnknown
from appraisal.survey.rules import MAX_COMMENT, SCALE, Answers, county_of
from shared import settings_county
from shared.errors import Conflict, GridmeritError, Invalid, NotFound
from shared.settings_county import CountySettings
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import page

BODY = 8 * 1024
CONTEXT: dict[str, Any] = {"text_size": "elder", "scale": SCALE, "max_comment": MAX_COMMENT}


class BallotForm(msgspec.Struct):
    """The posted ballot; a value per aspect under ``v1`` … ``v6``."""

    aware: Annotated[int, msgspec.Meta(ge=0, le=1)]
    v1: int
    v2: int
    v3: int
    v4: int
    v5: int
    v6: int
    comment: str = ""

    def answers(self) -> Answers:
        values = (self.v1, self.v2, self.v3, self.v4, self.v5, self.v6)
        return Answers(aware=bool(self.aware), values=values, comment=self.comment)


@get("/s/{token:str}")
async def ballot(request: Request[Any, Any, Any], token: FromPath[str]) -> Template:
    """The gate question, then the worker and the six aspects."""
    return await _ballot(request, token, {}, {})


@post("/s/{token:str}", status_code=200)
async def submit(request: Request[Any, Any, Any], token: FromPath[str]) -> Template:
    """Take the ballot and say thanks, on this very page: there is nothing to go back to."""
    values = await forms.read(request)
    try:
        county_id = _county(token)
        paper = await ballots.open_slip(county_id, token)
        answers = forms.bind(BallotForm, values).answers()
        await ballots.submit_ballot(county_id, token, answers)
    except Invalid as error:
        return await _ballot(request, token, values, error.fields)
    except (NotFound, Conflict) as error:
        return await _sorry(request, token, error)
    return _page(request, "m_ballot_done", paper=paper, county=await _settings(token))


async def _ballot(
    request: Request[Any, Any, Any], token: str, values: dict[str, Any], errors: dict[str, str]
) -> Template:
    try:
        paper = await ballots.open_slip(_county(token), token)
    except (NotFound, Conflict) as error:
        return await _sorry(request, token, error)
    return _page(
        request,
        "m_ballot",
        status=422 if errors else 200,
        paper=paper,
        values=values,
        errors=errors,
        county=await _settings(token),
    )


async def _sorry(request: Request[Any, Any, Any], token: str, error: GridmeritError) -> Template:
    return _page(
        request,
        "m_ballot_end",
        error=error,
        county=await _settings(token),
    )


def _county(token: str) -> int:
    county_id = county_of(token)
    if county_id is None:
        raise SlipUnknown
    return county_id


async def _settings(token: str) -> CountySettings:
    """Whose page this is, for the line at its foot."""
    try:
        return await settings_county.get(county_of(token) or 0)
    except NotFound:
        return await settings_county.of_the_only_county()


def _page(request: Request[Any, Any, Any], name: str, **context: Any) -> Template:
    return page(
        request,
        f"survey/{name}.html",
        **(CONTEXT | context),
    )


router = Router(
    "/",
    route_handlers=[ballot, submit],
    include_in_schema=False,
    request_max_body_size=BODY,
    opt={"exclude_from_csrf": True},
)
