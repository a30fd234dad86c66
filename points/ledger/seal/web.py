"""The daily seals at the desk, and the page on which anybody checks a receipt.

That page must also work from a disk without us, so it is one file that carries its own style and
script; the policy it is served with names their hashes instead of our address.
"""

import re
from base64 import b64encode
from datetime import date
from hashlib import sha256
from pathlib import Path

from litestar import MediaType, get
from litestar.params import FromQuery
from litestar.response import Response, Template

from points.ledger.seal import service
from points.work.web_verify import month_choices
from shared.identity.actor import Actor
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

CHECKER = (Path(__file__).parents[2] / "static" / "check-receipt.html").read_text(encoding="utf-8")


def _hashes(tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", CHECKER, re.DOTALL)
    digests = (b64encode(sha256(text.encode()).digest()).decode() for text in found)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


POLICY = (
    f"default-src 'none'; script-src {_hashes('script')}; style-src {_hashes('style')};"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@get("/desk/seals")
async def seals(request: Asked, month: FromQuery[str] = "") -> Template:
    """每日封印: the closed days of a month and their roots."""
    actor: Actor = request.user
    choices = month_choices(moment(request))
    chosen = month if month in dict(choices) else choices[0][0]
    return page(
        request,
        "ledger/desk_seals.html",
        seals=await service.month(actor.county_id, date.fromisoformat(f"{chosen}-01")),
        month=chosen,
        choices=choices,
    )


@get("/check-receipt")
async def checker() -> Response[str]:
    """The same for everybody: nothing of ours is asked, nothing of theirs is sent."""
    return Response(
        CHECKER,
        media_type=MediaType.HTML,
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
    )


router = Router("/", route_handlers=[seals, checker], include_in_schema=False)
