"""What every answer says to the browser, and what every change must show: that it is ours.

The headers are set by a hook on sending, so that error pages have them too. The cross-origin check
is a second wall beside the CSRF token: a browser tells where a request was started.
"""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, BeforeMessageSendHookHandler, Message, Receive, Scope, Send

from shared.errors import Forbidden
from shared.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
TOKEN_PATHS = ("/a/", "/r/", "/s/")
"""Their addresses are secrets: no other site, and no page of ours, gets them as referrer."""
POLICY = (
    "default-src 'self'; script-src 'self'; img-src 'self' data: blob:;"
    " media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
"""No inline script and no inline style; the QR reader is WebAssembly."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"
TELLING = frozenset({b"sec-fetch-site", b"origin", b"host"})
"""Headers by which a browser tells where a request was started."""


def split(address: str) -> SplitResult:
    """The parts of an address that a browser sent; of one that is none, nothing."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def security_headers(settings: Settings) -> BeforeMessageSendHookHandler:
    """A ``before_send`` hook; personal pages say ``no-store``.

    A handler may say otherwise, as the page does that works without us and carries its own script.
    """
    fixed = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    fixed.append((b"cache-control", b"no-store"))
    if settings.public_url.startswith("https://"):
        fixed.append((b"strict-transport-security", HSTS.encode()))

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = list(message["headers"])
        set_by_handler = {name.lower() for name, _ in headers}
        headers += [pair for pair in fixed if pair[0] not in set_by_handler]
        secret = scope["path"].startswith(TOKEN_PATHS)
        headers.append((b"referrer-policy", b"no-referrer" if secret else b"same-origin"))
        message["headers"] = headers

    return add


class SameOrigin(ASGIMiddleware):
    """Refuses a change that another site's page started, whatever token it carries."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings) -> None:
        self.host = urlsplit(settings.public_url).netloc

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope.get("method") not in SAFE_METHODS:
            if not self.is_ours(scope):
                raise Forbidden("这个操作是从别的网站发来的，已拒绝。请从本系统的页面操作。")
            if not scope["path"].startswith("/api/"):
                sent = Request[Any, Any, Any](scope)
                token = sent.headers.get("x-csrftoken", "") + sent.cookies.get("csrftoken", "")
                if not token.isascii():  # comparing it would fail
                    raise PermissionDeniedException
        await next_app(scope, receive, send)

    def is_ours(self, scope: Scope) -> bool:
        """By Sec-Fetch-Site, else by Origin; without both no browser asks, or the token decides."""
        sent = {name: value for name, value in scope["headers"] if name in TELLING}
        site = sent.get(b"sec-fetch-site")
        if site is not None:
            return site in {b"same-origin", b"none"}
        origin = sent.get(b"origin", b"null").decode("latin-1")
        if origin == "null":
            return True
        return split(origin).netloc in {sent.get(b"host", b"").decode("latin-1"), self.host}
