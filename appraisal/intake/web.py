"""Desk pages of the workbooks: choose a file, look at what it would do, accept it."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from appraisal.intake import service
from appraisal.intake.kinds import KINDS
from appraisal.intake.rules import Kind
from appraisal.intake.service import File
from shared.documents.errors import BadFile
from shared.documents.excel import MIME
from shared.documents.files import MAX_BYTES
from shared.errors import Conflict, GridmeritError, Invalid, NotFound
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

BASE = "/appraisal/desk/intake"
UPLOAD_LIMIT = MAX_BYTES + 64 * 1024


@get(f"{BASE}/{{name:str}}")
async def choose(request: Asked, name: FromPath[str]) -> Template:
    """Choose the file."""
    kind = _kind(name)
    service.expect_right(request.user, kind)
    return _page(request, "desk_intake", kind)


@post(f"{BASE}/{{name:str}}", request_max_body_size=UPLOAD_LIMIT)
async def upload(request: Asked, name: FromPath[str]) -> Redirect | Template:
    """Try it; nothing is written."""
    kind = _kind(name)
    service.expect_right(request.user, kind)
    values = await forms.read(request, files=("file",))
    chosen = values.get("file")
    try:
        if not isinstance(chosen, UploadFile) or not chosen.filename:
            raise BadFile("请选择文件。")
        file = File(chosen.filename, await chosen.read())
        run_id, _ = await service.preview(request.user, kind, file, moment(request))
    except (Invalid, Conflict) as error:
        return _page(request, "desk_intake", kind, error=error)
    return Redirect(f"{BASE}/{name}/{run_id}", status_code=303)


@get(f"{BASE}/{{name:str}}/template.xlsx")
async def template(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """The sheet to fill in."""
    title, content = await service.template(request.user, _kind(name), moment(request))
    return Response(content, media_type=MIME, headers=attachment(title))


@get(f"{BASE}/{{name:str}}/{{run_id:uuid}}")
async def preview(request: Asked, name: FromPath[str], run_id: FromPath[UUID]) -> Template:
    """What the file would change, or its faults."""
    return await _preview(request, _kind(name), run_id)


@post(f"{BASE}/{{name:str}}/{{run_id:uuid}}")
async def accept(
    request: Asked, name: FromPath[str], run_id: FromPath[UUID]
) -> Redirect | Template:
    """Write what was shown."""
    kind = _kind(name)
    try:
        await service.accept(request.user, kind, run_id, moment(request))
    except (Invalid, Conflict) as error:
        return await _preview(request, kind, run_id, error)
    return Redirect(f"{BASE}/{name}/{run_id}", status_code=303)


@post(f"{BASE}/{{name:str}}/{{run_id:uuid}}/cancel")
async def give_up(request: Asked, name: FromPath[str], run_id: FromPath[UUID]) -> Redirect:
    """Forget the file."""
    await service.give_up(request.user, _kind(name), run_id)
    return Redirect(f"{BASE}/{name}", status_code=303)


@get(f"{BASE}/{{name:str}}/{{run_id:uuid}}/report.xlsx")
async def report(request: Asked, name: FromPath[str], run_id: FromPath[UUID]) -> Response[bytes]:
    """The workbook with its faults in red."""
    title, content = await service.report(request.user, _kind(name), run_id, moment(request))
    return Response(content, media_type=MIME, headers=attachment(title))


async def _preview(
    request: Asked, kind: Kind, run_id: UUID, error: GridmeritError | None = None
) -> Template:
    run, shown = await service.previewed(request.user, kind, run_id)
    return _page(request, "desk_intake_run", kind, error=error, run=run, shown=shown)


def _kind(name: str) -> Kind:
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound
    return kind


def _page(
    request: Asked, name: str, kind: Kind, *, error: GridmeritError | None = None, **context: Any
) -> Template:
    return page(
        request,
        f"intake/{name}.html",
        status=error.status if error else 200,
        problem=error.message if error else "",
        kind=kind,
        base=f"{BASE}/{kind.name}",
        **context,
    )


router = Router(
    "/",
    route_handlers=[choose, upload, template, preview, accept, give_up, report],
    include_in_schema=False,
)
