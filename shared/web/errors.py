"""The one table that turns an exception into a page or a problem document (RFC 9457).

Precedence when several apply is the order in which a service checks; each feature's errors module
lists its own in that order.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import structlog
from asyncpg import PostgresError
from asyncpg.exceptions import (
    CharacterNotInRepertoireError,
    DataError,
    IntegrityConstraintViolationError,
    NumericValueOutOfRangeError,
)
from litestar.connection import Request
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Response, Template

from shared.database import AWAY, BUSY
from shared.errors import (
    Conflict,
    GridmeritError,
    Invalid,
    NotFound,
    NotSignedIn,
    TooMany,
    Unavailable,
)
from shared.identity.errors import ConfirmFirst, TakeOverFirst
from shared.web import forms
from shared.web.pages import DESK_PATHS, asked, common
from shared.web.security import split

LOG = structlog.get_logger("gridmerit.web")
PROBLEM = "application/problem+json"
HTTP_SENTENCES = {
    400: "请求的内容有误，请检查后重试。",
    403: "页面已过期，请刷新后再试。",
    404: "没有找到这一页，或您没有查看的权限。",
    405: "不支持这样的操作。",
    413: "文件太大了，请压缩后再传。",
    415: "不支持这种内容格式。",
    429: "操作太频繁，请稍后再试。",
    503: "系统正忙，请稍后再试。",
}
UNSTORABLE = (CharacterNotInRepertoireError, NumericValueOutOfRangeError)
"""What a path may carry and no column can hold: NUL, a number of twenty digits."""

Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]


def handlers(constraints: Mapping[str, str]) -> dict[Any, Handler]:
    """Exception handlers of an app.

    ``constraints`` maps the name of a database constraint to the sentence of its Conflict.
    """

    def from_database(request: Request[Any, Any, Any], error: PostgresError) -> Response[Any]:
        if isinstance(error, IntegrityConstraintViolationError) and (
            sentence := constraints.get(getattr(error, "constraint_name", "") or "")
        ):
            return respond(request, Conflict(sentence))
        # The driver says a number too large for its argument in no class of its own.
        if isinstance(error, UNSTORABLE) or (
            isinstance(error, DataError) and "out of int" in str(error)
        ):
            return respond(request, Invalid("内容里有不能识别的字符或数字，请检查后重试。"))
        if isinstance(error, BUSY):
            return respond(request, Unavailable(HTTP_SENTENCES[503]))
        return from_unknown(request, error)

    return {
        GridmeritError: respond,
        HTTPException: from_http,
        PostgresError: from_database,
        **dict.fromkeys(AWAY, from_network),
        Exception: from_unknown,
    }


def respond(request: Request[Any, Any, Any], error: GridmeritError) -> Response[Any]:
    """A domain error: as a problem for programs, as a page for people."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, TooMany | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if wants_json(request):
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": error.message,
            "status": error.status,
            "code": error.code,
        }
        if isinstance(error, Invalid) and error.fields:
            content["fields"] = error.fields
        return Response(content, status_code=error.status, media_type=PROBLEM, headers=headers)
    if isinstance(error, NotSignedIn):
        return _to_sign_in(request)
    if isinstance(error, ConfirmFirst):
        return _to_confirm(request)
    if isinstance(error, TakeOverFirst) and request.method == "GET":
        return Redirect("/desk/take-over", status_code=303)
    fields = error.fields if isinstance(error, Invalid) else {}
    return Template(
        template_name="error.html",
        context=common(request) | {"error": error, "fields": fields},
        status_code=error.status,
        headers=headers,
    )


def from_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own errors, in our words and shape."""
    if error.status_code == NotFound.status:
        return respond(request, NotFound())
    problem = GridmeritError(HTTP_SENTENCES.get(error.status_code, HTTP_SENTENCES[400]))
    problem.status = error.status_code  # type: ignore[misc]  # the instance's own status
    problem.code = "invalid" if error.status_code == 400 else f"http_{error.status_code}"  # type: ignore[misc]
    extra = getattr(error, "extra", None)
    response = respond(request, problem)
    if wants_json(request) and isinstance(extra, list):
        response.content["fields"] = {
            str(item.get("key", "")): forms.sentence(str(item.get("message", ""))) for item in extra
        }
    for name, value in (error.headers or {}).items():
        response.set_header(name, value)
    return response


def from_network(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The database is away: the outcome is unknown, the same id may be sent again."""
    LOG.error("database_away", error=repr(error))
    return respond(request, Unavailable(HTTP_SENTENCES[503], retry_after=5))


def from_unknown(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A defect: logged whole, shown as one sentence."""
    LOG.error("unhandled", path=request.scope.get("path_template", ""), exc_info=error)
    return respond(request, GridmeritError("系统出错了，已记录。请稍后再试，或联系管理员。"))


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """Programs: the API's paths, and scripts of our pages that ask for JSON."""
    return request.scope["path"].startswith("/api/") or "application/json" in request.headers.get(
        "accept", ""
    )


def _to_confirm(request: Request[Any, Any, Any]) -> Response[Any]:
    """Give the password again, then come back: to the page, or for a form to where it stood."""
    target = f"/confirm?{urlencode({'next': _asked_for(request)})}"
    if request.headers.get("hx-request"):
        return Response(None, status_code=204, headers={"HX-Redirect": target})
    return Redirect(target, status_code=303)


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in, then come back: to the page, or for a form to where it stood."""
    given = {"unsaved": "1"} if request.method != "GET" else {}
    if (back := _asked_for(request)) != "/":
        given["next"] = back
    at_desk = request.scope["path"].startswith(DESK_PATHS)
    if request.scope["state"].get("left_alone"):
        given["idle"], at_desk = "1", True
    target = "/desk/sign-in" if at_desk else "/sign-in"
    if given:
        target += f"?{urlencode(given, safe='/')}"
    if request.headers.get("hx-request"):
        return Response(None, status_code=204, headers={"HX-Redirect": target})
    return Redirect(target, status_code=303)


def _asked_for(request: Request[Any, Any, Any]) -> str:
    """The page, or for a form where it stood: many addresses take one and have no page."""
    if request.method == "GET":
        return asked(request)
    at = split(request.headers.get("referer", ""))
    return f"{at.path}?{at.query}" if at.query else at.path or "/"
