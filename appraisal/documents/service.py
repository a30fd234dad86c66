"""Word documents: a county's own template where it has one, else the product's.

The department downloads a template, changes it in Word or WPS, and uploads it: placeholders that
do not exist, or that the law needs and are gone, are refused; a template is tried with sample
facts before it is kept. Every version stays.
"""

import asyncio
import hashlib
import subprocess
from datetime import datetime
from pathlib import Path

import msgspec
from asyncpg.exceptions import UniqueViolationError

from appraisal.documents import queries, rules
from appraisal.documents.rules import KIND_NAMES, DocumentKind
from appraisal.documents.schemas import Facts, TemplateRow
from shared.audit import service as audit
from shared.database import DB
from shared.documents.parser import parse
from shared.errors import Conflict, Invalid
from shared.identity.access import Action, allowed, require, whole_county
from shared.identity.actor import Actor
from shared.ids import new_id

SANDBOX = Path(__file__).with_name("sandbox.py")
TIMEOUT = 40
MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SENTENCES = {
    "syntax": "模板里的占位符写错了，例如少了半个括号。请对照默认模板改正。",
    "template": "模板里有不能使用的写法，只能用页面上列出的占位符和表格行的循环。",
    "broken": "模板打不开，可能已损坏。请用 Word 或 WPS 重新另存一次再传。",
    "too_large": "模板太复杂，处理不了。请从默认模板重新改起。",
}


class Answer(msgspec.Struct):
    """What the sandbox says."""

    names: list[str] = []
    document: bytes = b""
    error: str = ""
    detail: str = ""


async def render(county_id: int, facts: Facts, taken: str = "") -> bytes:
    """A .docx that says the facts, by the county's template. Raises Invalid.

    ``taken`` stands in the footer of lists and sheets: who took them out. What is published or
    served on somebody has none.
    """
    template = await queries.current(county_id, facts.kind)
    if template is None:
        template = await asyncio.to_thread(_default, DocumentKind(facts.kind))
    return (await asyncio.to_thread(filled, template, facts, taken)).document


def _default(kind: DocumentKind) -> bytes:
    """The product's own template; what writes Word files is loaded by the first that asks.

    It would cost every start a tenth of a second, and every process 7 MiB.
    """
    from appraisal.documents import defaults  # noqa: PLC0415

    return defaults.template(kind)


async def template(actor: Actor, kind: DocumentKind) -> tuple[str, bytes]:
    """The template that counts now: file name and content. Raises NotFound."""
    _require_view(actor)
    content = await queries.current(actor.county_id, kind)
    if content is None:
        content = await asyncio.to_thread(_default, kind)
    return f"{KIND_NAMES[kind]}模板.docx", content


async def sample(actor: Actor, kind: DocumentKind) -> tuple[str, bytes]:
    """How the template looks with sample facts. Raises NotFound, Invalid."""
    _require_view(actor)
    return f"{KIND_NAMES[kind]}样张.docx", await render(actor.county_id, rules.sample(kind))


async def upload(
    actor: Actor, kind: DocumentKind, name: str, data: bytes, reason: str, now: datetime
) -> None:
    """Keep a template after it has been tried. Raises NotFound, Invalid, Conflict."""
    require(actor, Action.DOCUMENT_EDIT, whole_county(actor.county_id))
    if fault := rules.package_fault(data):
        raise Invalid(fault, {"file": fault})
    answer = await asyncio.to_thread(filled, data, rules.sample(kind))
    if fault := rules.names_fault(kind, set(answer.names)):
        raise Invalid(fault, {"file": fault})
    file = (name[:200], data, hashlib.sha256(data).digest())
    await _replace(actor, kind, file, reason.strip(), now)


async def back_to_default(actor: Actor, kind: DocumentKind, reason: str, now: datetime) -> None:
    """The product's own template counts again. Raises NotFound, Conflict."""
    require(actor, Action.DOCUMENT_EDIT, whole_county(actor.county_id))
    if await queries.current(actor.county_id, kind) is None:
        raise Conflict("现在用的就是默认模板。")
    await _replace(actor, kind, ("", None, None), reason.strip(), now)


async def history(actor: Actor) -> dict[str, list[TemplateRow]]:
    """Kind → its versions, latest first. Raises NotFound."""
    _require_view(actor)
    found: dict[str, list[TemplateRow]] = {kind.value: [] for kind in DocumentKind}
    for row in await queries.history(actor.county_id):
        found[row.kind].append(row)
    return found


def may_edit(actor: Actor) -> bool:
    return allowed(actor, Action.DOCUMENT_EDIT, whole_county(actor.county_id)).allowed


async def _replace(
    actor: Actor,
    kind: DocumentKind,
    file: tuple[str, bytes | None, bytes | None],
    reason: str,
    now: datetime,
) -> None:
    try:
        async with DB.transaction():
            version = await queries.last_version(actor.county_id, kind) + 1
            template_id = new_id()
            await queries.replace(
                actor.county_id,
                template_id,
                kind,
                version,
                file,
                (reason, actor.person_id, now),
            )
            await audit.record(
                actor,
                Action.DOCUMENT_EDIT,
                "document_template",
                template_id,
                county_id=actor.county_id,
                after={
                    "kind": kind,
                    "version": version,
                    "file": file[0],
                    "sha256": file[2].hex() if file[2] else "",
                },
                reason=reason,
            )
    except UniqueViolationError as error:
        raise Conflict("刚刚有人换过这个模板，请刷新后再传。") from error


def filled(content: bytes, facts: Facts, taken: str = "") -> Answer:
    """Fill in a process of its own (see sandbox.py). Raises Invalid."""
    asked = msgspec.msgpack.encode({"template": content, "facts": facts, "taken": taken})
    try:
        answer = msgspec.msgpack.decode(parse(SANDBOX, data=asked, seconds=TIMEOUT), type=Answer)
    except (subprocess.SubprocessError, msgspec.MsgspecError) as error:
        raise Invalid(SENTENCES["too_large"], {"file": SENTENCES["too_large"]}) from error
    if answer.error:
        sentence = SENTENCES.get(answer.error, SENTENCES["broken"])
        if answer.error == "template" and "undefined" in answer.detail:
            sentence = f"模板里有认不得的占位符（{answer.detail}）。请对照页面上的占位符表改正。"
        raise Invalid(sentence, {"file": sentence})
    return answer


def _require_view(actor: Actor) -> None:
    require(actor, Action.DOCUMENT_VIEW, whole_county(actor.county_id))
