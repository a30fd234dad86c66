"""Desk pages of the import and the files that belong to it."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from shared.documents.errors import BadFile
from shared.documents.excel import MIME
from shared.documents.files import MAX_BYTES
from shared.errors import Conflict, GridmeritError, Invalid
from shared.roster.intake import service
from shared.roster.intake.service import FaultyFile, RosterFile
from shared.roster.office import exports
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

BASE = "/desk/roster/import"
UPLOAD_LIMIT = 2 * MAX_BYTES + 64 * 1024
"""Two files and their wrapping; the reader refuses a single one above MAX_BYTES by name."""
SHOWN = 200


class AcceptForm(msgspec.Struct):
    """What the user decides about people who are not in the file, and says of those moved."""

    end_missing: bool = False
    papers: bool = False


class ExportQuery(msgspec.Struct):
    """Which subtree, and what for."""

    unit: str = ""
    purpose: str = "核对名册"


@get(BASE)
async def import_page(request: Asked) -> Template:
    """Choose the file."""
    return _page(request, "desk_import")


@post(BASE, request_max_body_size=UPLOAD_LIMIT)
async def upload(request: Asked) -> Redirect | Template:
    """Compare it with the roster; nothing is written."""
    values = await forms.read(request, files=("file", "divisions"))
    try:
        file = await _file(values)
        run_id, _ = await service.preview(request.user, file, moment(request))
    except Invalid as error:
        return _page(request, "desk_import", error=error)
    return Redirect(f"{BASE}/{run_id}", status_code=303)


@get(f"{BASE}/{{run_id:uuid}}")
async def preview_page(request: Asked, run_id: FromPath[UUID]) -> Template:
    """What the file would change, or its faults."""
    run, shown = await service.previewed(request.user, run_id)
    return _page(request, "desk_import_preview", run=run, shown=shown, limit=SHOWN)


@post(f"{BASE}/{{run_id:uuid}}")
async def accept(request: Asked, run_id: FromPath[UUID]) -> Redirect | Template:
    """Write what was shown."""
    form = forms.bind(AcceptForm, await forms.read(request))
    run, shown = await service.previewed(request.user, run_id)
    try:
        await service.accept(
            request.user,
            run_id,
            moment(request),
            end_missing=form.end_missing,
            papers=form.papers,
        )
    except (FaultyFile, BadFile, Conflict) as error:
        return _page(request, "desk_import_preview", error=error, run=run, shown=shown, limit=SHOWN)
    return Redirect(f"{BASE}/{run_id}", status_code=303)


@post(f"{BASE}/{{run_id:uuid}}/cancel")
async def give_up(request: Asked, run_id: FromPath[UUID]) -> Redirect:
    """Forget the file."""
    await service.give_up(request.user, run_id)
    return Redirect(BASE, status_code=303)


@get(f"{BASE}/{{run_id:uuid}}/report.xlsx")
async def report(request: Asked, run_id: FromPath[UUID]) -> Response[bytes]:
    """The workbook with its faults in red."""
    name, content = await service.report(request.user, run_id, moment(request))
    return download(name, content)


@get("/desk/roster/export.xlsx")
async def export(request: Asked) -> Response[bytes]:
    """The roster in the import's own format."""
    given = forms.bind(ExportQuery, dict(request.query_params))
    name, content = await exports.roster_file(
        request.user, given.unit, given.purpose, moment(request)
    )
    return download(name, content)


@get("/desk/roster/template.xlsx")
async def template(request: Asked) -> Response[bytes]:
    """An empty workbook to fill in."""
    return download(*await exports.template_file(request.user, moment(request)))


def download(name: str, content: bytes) -> Response[bytes]:
    """A workbook as an attachment with a Chinese file name."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=MIME, headers=headers)


async def _file(values: dict[str, Any]) -> RosterFile:
    """The uploads as bytes. Raises BadFile when none was chosen."""
    chosen, divisions = values.get("file"), values.get("divisions")
    if not isinstance(chosen, UploadFile) or not chosen.filename:
        raise BadFile("请选择花名册文件。")
    file = RosterFile(name=chosen.filename, data=await chosen.read())
    if isinstance(divisions, UploadFile) and divisions.filename:
        return msgspec.structs.replace(
            file, divisions_name=divisions.filename, divisions=await divisions.read()
        )
    return file


def _page(
    request: Asked, name: str, *, error: GridmeritError | None = None, **context: Any
) -> Template:
    return page(
        request,
        f"roster/{name}.html",
        status=error.status if error else 200,
        problem=error.message if error else "",
        **context,
    )


router = Router(
    "/",
    route_handlers=[
        import_page,
        upload,
        preview_page,
        accept,
        give_up,
        report,
        export,
        template,
    ],
    include_in_schema=False,
)
