"""How a handler answers with a page: one call that adds what every page shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from jinja2_fragments.litestar import HTMXBlockTemplate
from litestar.connection import Request
from litestar.response import Template

from shared.errors import GridmeritError, Invalid
from shared.identity.actor import Actor
from shared.identity.routes import MENU_ROUTES, may_ask
from shared.roster.office.schemas import Page
from shared.settings_county import CountySettings
from shared.web import forms
from shared.web.security import split

T = TypeVar("T")
Asked = Request[Actor, Any, Any]
"""What a handler of a signed-in person is given."""
TEXT_SIZES = ("normal", "large", "elder", "huge")
DESK_PATHS = ("/desk", "/appraisal/desk")
"""Where the pages of the desk stand."""
THEMES = ("auto", "light", "dark")


def page(
    request: Request[Any, Any, Any],
    template: str,
    *,
    block: str | None = None,
    status: int | None = None,
    headers: dict[str, str] | None = None,
    error: GridmeritError | None = None,
    **context: Any,
) -> Template:
    """A page, or only its ``block`` when htmx asks (then 422 answers are swapped as well).

    What was refused is its ``error``: it gives the status, and ``fields`` is what it names.
    Adds to the context: ``actor``, ``county`` (CountySettings), ``now``, ``theme``, ``text_size``,
    ``settings``, ``here``, ``may(path)``; Litestar adds ``request`` and ``csrf_token()``.
    """
    fields = error.fields if isinstance(error, Invalid) else {}
    context = common(request) | {"error": error, "fields": fields} | context
    status = status or (error.status if error else 200)
    if block and request.headers.get("hx-request"):
        return HTMXBlockTemplate(
            template_name=template, block_name=block, context=context, status_code=status
        )
    return Template(
        template_name=template,
        context=context,
        status_code=status,
        headers={"Cache-Control": "no-store", "Vary": "HX-Request"} | (headers or {}),
    )


def common(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What every template may use."""
    actor = request.scope.get("user")
    size = request.cookies.get("text_size", "")
    theme = request.cookies.get("theme", "")
    return {
        "actor": actor,
        "county": county_of(request),
        "settings": request.app.state.settings,
        "now": moment(request),
        "text_size": size if size in TEXT_SIZES else (actor.text_size if actor else "normal"),
        "theme": theme if theme in THEMES else "auto",
        "desk_paths": DESK_PATHS,
        "here": address(request),
        "may": lambda path: may_open(request, path),
    }


def county_of(request: Request[Any, Any, Any]) -> CountySettings:
    """The settings of whoever asks, else of the only county, else the defaults."""
    return request.scope.get("state", {}).get("county") or CountySettings()


class Paged(msgspec.Struct):
    """Which page of a list an address asks for."""

    page: Page = 1


def asked_page(request: Request[Any, Any, Any]) -> int:
    """Raises Invalid."""
    return forms.bind(Paged, dict(request.query_params)).page


def part(rows: Sequence[T], number: int, size: int) -> tuple[Sequence[T], int]:
    """A page of a list, counted from 1, and how many pages there are."""
    return rows[(number - 1) * size : number * size], -(-len(rows) // size)


def address(request: Request[Any, Any, Any]) -> str:
    """Where to come back to: a page that answers a form is found again where the form stood."""
    came_from = request.headers.get("referer") if request.method == "POST" else None
    if not came_from:
        return asked(request)
    at = split(came_from)
    return f"{at.path}?{at.query}" if at.query else at.path


def asked(request: Request[Any, Any, Any]) -> str:
    """Path and query, whatever bytes and host somebody sent: ``request.url`` fails at odd ones."""
    query = request.scope["query_string"].decode(errors="replace")
    return f"{request.scope['path']}?{query}" if query else request.scope["path"]


def may_open(request: Request[Any, Any, Any], path: str) -> bool:
    """Whether this user gets a page: menus show nothing that would be refused.

    ``path`` is fixed or a route's template; it may be the other service's, if a menu links to it.
    """
    actor = request.scope.get("user")
    row = f"GET {path}"
    access = request.app.state.routes.get(row) or MENU_ROUTES.get(row)
    return access is not None and (access.public or (actor is not None and may_ask(actor, access)))


def moment(request: Request[Any, Any, Any]) -> datetime:
    """The app's clock, which a test may move."""
    clock = request.app.state.clock
    at: datetime = clock()
    return at
