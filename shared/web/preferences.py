"""Text size and theme: kept in cookies, so that the first byte of every page is right.

A signed-in person's text size is also kept with the account: a new phone begins with it.
"""

from typing import Any, Literal

import msgspec
from litestar import Request, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from shared.identity import accounts
from shared.identity.schemas import TextSize
from shared.web import forms

Theme = Literal["auto", "light", "dark"]
A_YEAR = 365 * 24 * 3600


class Preferences(msgspec.Struct):
    """What the form sends; what it leaves out stays as it is."""

    text_size: TextSize | None = None
    theme: Theme | None = None
    next: str = "/"
    """The page to come back to."""


@post("/preferences", include_in_schema=False)
async def save(request: Request[Any, Any, Any]) -> Redirect:
    """Set the cookies and go back to the page that asked."""
    wanted = forms.bind(Preferences, await forms.read(request))
    secure = request.app.state.settings.public_url.startswith("https://")
    cookies = [
        Cookie(key=name, value=value, max_age=A_YEAR, samesite="lax", httponly=True, secure=secure)
        for name, value in (("text_size", wanted.text_size), ("theme", wanted.theme))
        if value
    ]
    actor = request.scope.get("user")
    if actor and wanted.text_size:
        await accounts.set_text_size(actor, wanted.text_size)
    return Redirect(local(wanted.next), status_code=303, cookies=cookies)


def local(address: str) -> str:
    """An address on this host, or the first page: nobody is sent elsewhere by a forged form."""
    own = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if own and address.isprintable() else "/"
