"""Litestar as both services use it: what is left out is a tenth of a process's start and memory."""

from typing import Any

import litestar
from litestar.datastructures import URL, FormMultiDict
from litestar.exceptions import ClientException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin


class Application(litestar.Litestar):
    """Without the plugins for pydantic and attrs, whose types no route of ours uses.

    Litestar adds them, and imports pydantic, where it is installed; Piccolo installs it.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


class Request(litestar.Request[Any, Any, Any]):
    """With a body of any bytes: what is no text is the sender's mistake, not a defect of ours."""

    __slots__ = ()

    @property
    def url(self) -> URL:
        """The address asked for; where host or query are none, the path: Litestar quotes it."""
        try:
            return super().url
        except ValueError:
            return URL.from_components(path=self.scope["path"])

    async def form(self) -> FormMultiDict:
        """The posted fields. Raises ClientException."""
        try:
            posted = await super().form()
        except (UnicodeDecodeError, LookupError) as error:
            raise ClientException from error
        token = posted.get("_csrf_token", "")
        if not (isinstance(token, str) and token.isascii()):  # comparing would fail
            await posted.close()
            raise ClientException
        return posted

    async def json(self) -> Any:
        """The posted document. Raises ClientException."""
        try:
            return await super().json()
        except (UnicodeDecodeError, RecursionError) as error:
            raise ClientException from error


class Router(litestar.Router):
    """A recipe: each app that takes it gets a router made by it.

    Litestar would make one at import and give each app a deep copy, of every handler down to its
    last option.
    """

    __slots__ = ("_options", "_path")

    def __init__(self, path: str, **options: Any) -> None:
        self._path = path
        self._options = options
        super().__init__(path, route_handlers=())

    def __deepcopy__(self, _: dict[int, Any]) -> litestar.Router:
        return litestar.Router(self._path, **self._options)
