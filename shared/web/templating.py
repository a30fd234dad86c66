"""The Jinja environment of both services: one, strict, with our filters."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.web import assets, filters

SHARED_TEMPLATES = Path(__file__).parent / "templates"


def environment(roots: Sequence[str]) -> Environment:
    """An environment over the service's template folder and the shared one."""
    made = Environment(
        loader=FileSystemLoader([*roots, str(SHARED_TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters.install(made, assets.DIST)
    return made
