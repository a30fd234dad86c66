"""Fills a Word template in a process of its own: msgpack on stdin, msgpack on stdout.

A template is code: what its expressions may touch is limited by Jinja's sandbox, what they may
cost by the limits below. Run as a script with an empty environment; it imports nothing of ours.
"""

import io
import resource
import sys
import zipfile
from typing import Any

import msgspec
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
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read())
    answer: dict[str, Any]
    try:
        answer = _filled(asked["template"], asked["facts"])
    except TemplateSyntaxError as error:
        answer = {"error": "syntax", "detail": str(error.message)[:200]}
    except TemplateError as error:
        answer = {"error": "template", "detail": str(error.message or error)[:200]}
    except (PackageNotFoundError, zipfile.BadZipFile, LxmlError, KeyError, ValueError):
        answer = {"error": "broken"}
    except (MemoryError, RecursionError, OverflowError):
        answer = {"error": "too_large"}
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _filled(template: bytes, facts: dict[str, Any]) -> dict[str, Any]:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    # Global functions (range, lipsum, …) are no facts: a template that calls one names it.
    environment.globals.clear()
    document = DocxTemplate(io.BytesIO(template))
    names = sorted(document.get_undeclared_template_variables(environment))
    document = DocxTemplate(io.BytesIO(template))
    document.render(facts, environment, autoescape=True)
    target = io.BytesIO()
    document.save(target)
    return {"names": names, "document": target.getvalue()}


if __name__ == "__main__":
    main()
