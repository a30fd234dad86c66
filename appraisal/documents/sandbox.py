"""Fills a Word template in a process of its own: msgpack on stdin, msgpack on stdout.

A template is code: what its expressions may touch is limited by Jinja's sandbox, what they may
cost by the limits below. Run as a script with an empty environment; it imports nothing of ours.
"""

import io
import resource
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml.etree import LxmlError

MEMORY = 1024 * 1024 * 1024
SECONDS = 30


def main() -> None:
    """Answer ``{"names": […]}`` and ``{"document": bytes}``, or ``{"error": word, "line": n}``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # when memory is short, this goes first and not the database
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read())
    answer: dict[str, Any]
    try:
        answer = _filled(asked["template"], asked["facts"], asked["taken"])
    except TemplateSyntaxError as error:
        answer = {"error": "syntax", "detail": str(error.message)[:200]}
    except TemplateError as error:
        answer = {"error": "template", "detail": str(error.message or error)[:200]}
    except (PackageNotFoundError, zipfile.BadZipFile, LxmlError, KeyError, ValueError):
        answer = {"error": "broken"}
    except (MemoryError, RecursionError, OverflowError):
        answer = {"error": "too_large"}
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _filled(template: bytes, facts: dict[str, Any], taken: str) -> dict[str, Any]:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    # Global functions (range, lipsum, …) are no facts: a template that calls one names it.
    environment.globals.clear()
    document = DocxTemplate(io.BytesIO(template))
    names = sorted(document.get_undeclared_template_variables(environment))
    document = DocxTemplate(io.BytesIO(template))
    document.render(facts, environment, autoescape=True)
    target = io.BytesIO()
    document.save(target)
    return {"names": names, "document": _marked(target, taken) if taken else target.getvalue()}


def _marked(filled: io.BytesIO, taken: str) -> bytes:
    """With a line in every footer that a page may have; a linked one shows the one before it."""
    document = Document(filled)
    for number, section in enumerate(document.sections):
        footers = [section.footer]
        if section.different_first_page_header_footer:
            footers.append(section.first_page_footer)
        if document.settings.odd_and_even_pages_header_footer:
            footers.append(section.even_page_footer)
        for footer in footers:
            if number == 0 or not footer.is_linked_to_previous:
                footer.add_paragraph(taken)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


if __name__ == "__main__":
    main()
