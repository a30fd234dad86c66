import json
from pathlib import Path

from shared.web.assets import Assets, load

ASSETS = Path(__file__).resolve().parents[3] / "shared" / "web" / "assets"


def test_npm_pins_are_exact_and_name_no_registry() -> None:
    """The lock works behind any mirror, and an upgrade is always somebody's decision."""
    wanted = json.loads((ASSETS / "package.json").read_text())["dependencies"]
    lock = (ASSETS / "package-lock.json").read_text()
    assert all(version[0].isdigit() for version in wanted.values())
    assert "://" not in lock
    assert json.loads(lock)["packages"][""]["dependencies"] == wanted


def test_files_are_served_in_every_coding(tmp_path: Path) -> None:
    """A built file brings its compressed twins; the manifest is no page asset."""
    for name in ("m-1.css", "m-1.css.br", "m-1.css.gz", "manifest.json"):
        (tmp_path / name).write_text(json.dumps({"m.css": "m-1.css"}))
    assert set(load(tmp_path)) == {"m-1.css"}
    assert set(load(tmp_path)["m-1.css"].bodies) == {"", "br", "gzip"}
    assert Assets(tmp_path).url("m.css") == "/static/m-1.css"


def test_a_bare_checkout_still_renders(tmp_path: Path) -> None:
    """Before the assets are built pages have no style, but they are pages."""
    assert load(tmp_path / "none") == {}
    assert Assets(tmp_path / "none").url("m.css") == "/static/m.css"
