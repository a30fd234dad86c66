"""The built style sheets and scripts: how a page names them and how they are served.

``shared/web/assets/build.mjs`` writes them under hashed names into ``static/dist``, together with
``manifest.json`` and copies compressed by brotli and gzip. A hashed name never changes its content,
so a phone keeps it for ever; the whole set is about 1 MB and stays in memory here.
"""

import json
import mimetypes
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Response

from shared.web.application import Router

DIST = Path(__file__).parent / "static" / "dist"
STATIC_ROOT = "/static"
FOREVER = "public, max-age=31536000, immutable"
SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""Content codings we keep ready, best first, and how their files end."""


class StaticFile(msgspec.Struct, frozen=True):
    """One served file in every coding it has."""

    media_type: str
    bodies: dict[str, bytes]
    """Content coding (``""`` = as is) → bytes."""


class Assets:
    """The manifest: logical name (``m.css``) → hashed file name."""

    def __init__(self, dist: Path = DIST) -> None:
        manifest = dist / "manifest.json"
        self.names: dict[str, str] = json.loads(manifest.read_bytes()) if manifest.exists() else {}

    def url(self, name: str) -> str:
        """The address of a built file; unbuilt (a bare checkout) it is a 404 and not a crash."""
        return f"{STATIC_ROOT}/{self.names.get(name, name)}"


def router() -> Router:
    """Serve the built files; unknown names are the ordinary 404."""
    files = load(DIST)

    # No CSRF cookie either: a ballot's page shall set none, nor what it loads.
    @get("/{name:str}", include_in_schema=False, exclude_from_auth=True, exclude_from_csrf=True)
    async def static_file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        """The best coding that the browser accepts."""
        if (file := files.get(name)) is None:
            raise NotFoundException
        accepted = request.headers.get("accept-encoding", "")
        coding = next((c for c in SUFFIXES if c in accepted and c in file.bodies), "")
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        if coding:
            headers["Content-Encoding"] = coding
        return Response(file.bodies[coding], media_type=file.media_type, headers=headers)

    return Router(path=STATIC_ROOT, route_handlers=[static_file])


def load(dist: Path) -> dict[str, StaticFile]:
    """Read the built files; empty when nothing has been built."""
    packed = tuple(SUFFIXES.values())
    return {
        path.name: StaticFile(
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            bodies={"": path.read_bytes()}
            | {
                coding: twin.read_bytes()
                for coding, suffix in SUFFIXES.items()
                if (twin := path.with_name(path.name + suffix)).exists()
            },
        )
        for path in (sorted(dist.iterdir()) if dist.exists() else [])
        if path.is_file() and not path.name.endswith((*packed, ".json"))
    }
