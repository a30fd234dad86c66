"""Text size and theme: kept in cookies, so that the first byte of every page is right."""

from typing import Any

import msgspec
from litestar import Request, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from shared.web import forms
from shared.web.pages import TEXT_SIZES, THEMES

A_YEAR = 365 * 24 * 3600


class Preferences(msgspec.Struct):
    """What the form sends; a value outside the lists is ignored."""

    text_size: str = ""
    theme: str = ""
    next: str = "/"
    """The page to come back to."""


@post("/preferences", include_in_schema=False)
async def save(request: Request[Any, Any, Any]) -> Redirect:
    """Set the cookies and go back to the page that asked."""
    wanted = forms.bind(Preferences, await forms.read(request))
    secure = request.app.state.settings.public_url.startswith("https://")
    cookies = [
        Cookie(key=name, value=value, max_age=A_YEAR, samesite="lax", httponly=True, secure=secure)
        for name, value, allowed in (
            ("text_size", wanted.text_size, TEXT_SIZES),
            ("theme", wanted.theme, THEMES),
        )
        if value in allowed
    ]
    return Redirect(local(wanted.next), status_code=303, cookies=cookies)


def local(address: str) -> str:
    """An address on this host, or the first page: nobody is sent elsewhere by a forged form."""
    own = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if own and address.isprintable() else "/"
