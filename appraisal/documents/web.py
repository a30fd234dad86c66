"""文书模板 at the desk: what each may say, the current file, a sample, one's own version."""

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from appraisal.documents import facts, rules, service
from appraisal.documents.rules import KIND_NAMES, DocumentKind
from appraisal.ranking.web import asked
from shared.errors import Conflict, GridmeritError, Invalid, NotFound
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

BASE = "/appraisal/desk/documents"
UPLOAD_LIMIT = rules.MOST_BYTES + 64 * 1024


class Reason(msgspec.Struct, kw_only=True):
    reason: str = ""


@get(BASE)
async def documents(request: Asked) -> Template:
    """All kinds with their versions."""
    return await _page(request)


@get(f"{BASE}/{{name:str}}/template.docx")
async def template(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """The template that counts now."""
    return _file(*await service.template(request.user, _kind(name)))


@get(f"{BASE}/{{name:str}}/sample.docx")
async def sample(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """How it looks."""
    return _file(*await service.sample(request.user, _kind(name)))


@post(f"{BASE}/{{name:str}}", request_max_body_size=UPLOAD_LIMIT)
async def upload(request: Asked, name: FromPath[str]) -> Template | Redirect:
    """Keep the county's own version."""
    kind = _kind(name)
    values = await forms.read(request, files=("file",))
    chosen = values.get("file")
    try:
        if not isinstance(chosen, UploadFile) or not chosen.filename:
            raise Invalid("请选择模板文件。", {"file": "请选择模板文件。"})  # noqa: TRY301
        await service.upload(
            request.user,
            kind,
            chosen.filename,
            await chosen.read(),
            str(values.get("reason", "")),
            moment(request),
        )
    except (Invalid, Conflict) as error:
        return await _page(request, kind, error)
    return Redirect(BASE, status_code=303)


@post(f"{BASE}/{{name:str}}/default")
async def back(request: Asked, name: FromPath[str]) -> Template | Redirect:
    """Back to the product's own."""
    kind = _kind(name)
    form = forms.bind(Reason, await forms.read(request))
    try:
        await service.back_to_default(request.user, kind, form.reason, moment(request))
    except Conflict as error:
        return await _page(request, kind, error)
    return Redirect(BASE, status_code=303)


@get("/appraisal/desk/cycles/{cycle_id:uuid}/scorecards/{person_id:uuid}/sheet.docx")
async def sheet(
    request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]
) -> Response[bytes]:
    """考核表 of one worker."""
    return _file(*await facts.sheet(request.user, cycle_id, person_id, moment(request)))


@get("/appraisal/me/{cycle_id:uuid}/sheet.docx")
async def own_sheet(request: Asked, cycle_id: FromPath[UUID]) -> Response[bytes]:
    """The same 考核表, taken by the worker it is about."""
    actor = request.user
    return _file(*await facts.sheet(actor, cycle_id, actor.person_id, moment(request)))


@get("/appraisal/results/{cycle_id:uuid}/{person_id:uuid}/letter.docx")
async def letter(
    request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]
) -> Response[bytes]:
    """告知书 of one worker."""
    return _file(*await facts.letter(request.user, cycle_id, person_id, moment(request)))


@get("/appraisal/notices/{notice_id:uuid}/notice.docx")
async def notice(request: Asked, notice_id: FromPath[UUID]) -> Response[bytes]:
    """公示 as it was published."""
    return _file(*await facts.notice(request.user, notice_id, moment(request)))


@get("/appraisal/cases/{case_id:uuid}/steps/{number:int}/letter.docx")
async def decision(
    request: Asked, case_id: FromPath[UUID], number: FromPath[int]
) -> Response[bytes]:
    """The letter of one step of a case."""
    return _file(*await facts.decision(request.user, case_id, number, moment(request)))


@get("/appraisal/desk/cycles/{cycle_id:uuid}/ranking.docx")
async def ranking(request: Asked, cycle_id: FromPath[UUID]) -> Response[bytes]:
    """排名表 of a unit; logged with its purpose."""
    query, wanted = asked(request)
    return _file(
        *await facts.ranking(request.user, cycle_id, wanted, query.purpose, moment(request))
    )


async def _page(
    request: Asked, kind: DocumentKind | None = None, error: GridmeritError | None = None
) -> Template:
    history = await service.history(request.user)
    return page(
        request,
        "documents/desk_documents.html",
        kinds=[
            (
                one,
                KIND_NAMES[one],
                [
                    (name, rules.WORDS[name], name in rules.REQUIRED[one])
                    for name in rules.fields(one)
                ],
                [(name, rules.WORDS[name]) for name in rules.line_fields(one)],
                history[one],
            )
            for one in DocumentKind
        ],
        may_edit=service.may_edit(request.user),
        wrong=kind,
        error=error,
    )


def _kind(name: str) -> DocumentKind:
    try:
        return DocumentKind(name)
    except ValueError as error:
        raise NotFound from error


def _file(name: str, content: bytes) -> Response[bytes]:
    return Response(content, media_type=service.MIME, headers=attachment(name))


router = Router(
    "/",
    route_handlers=[
        documents,
        template,
        sample,
        upload,
        back,
        sheet,
        own_sheet,
        letter,
        notice,
        decision,
        ranking,
    ],
    include_in_schema=False,
)
