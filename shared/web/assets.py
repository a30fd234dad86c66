"""Where the built assets are, and how a page names them."""

from pathlib import Path

STATIC_DIRECTORY = Path(__file__).parent / "static"
