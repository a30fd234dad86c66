"""The wheel: everything that runs is in it, and it installs without a network."""

import os
import subprocess
import sys
import venv
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.deploy.test_cli import ROOT, data_dir, serving

__all__ = ["data_dir"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as ``make dist`` builds it, also where the handbook's packages were fetched."""
    folder = tmp_path_factory.mktemp("dist")
    probe = ROOT / "deploy" / "packages" / f"probe-{os.getpid()}.whl"
    probe.parent.mkdir(exist_ok=True)
    probe.touch()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    finally:
        probe.unlink()
        with suppress(OSError):  # what somebody fetched stays
            probe.parent.rmdir()
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_what_runs_and_no_third_party_source(wheel: Path) -> None:
    """SQL, templates and built assets are in; node_modules, tests and addresses are not."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "shared/web/static/dist/manifest.json" in names
    assert "points/sql/31_post_batch.sql" in names
    assert "deploy/sql/90_grants.sql" in names
    assert "shared/web/templates/error.html" in names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]
    assert not [name for name in names if name.endswith(".whl")]


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """The command, installed with no index into an environment that has the dependencies."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    command = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    command += ["install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    packages = next((environment / "lib").glob("python3*/site-packages"))
    dependencies = (path for path in sys.path if path.endswith("site-packages"))
    (packages / "dependencies.pth").write_text("\n".join(dependencies), encoding="utf-8")
    return environment / "bin" / "gridmerit"


async def test_installed_wheel_serves(installed: Path, data_dir: Path) -> None:
    """Pages and their styles come from the wheel alone."""
    settings = {"GRIDMERIT_DATA_DIR": str(data_dir), "PYTHONPATH": ""}
    async with serving(data_dir, command=[str(installed)], **settings) as (client, *_):
        page = await client.get("/sign-in")
        assert page.status_code == 200
        style = next(part for part in page.text.split('"') if part.endswith(".css"))
        assert (await client.get(style)).status_code == 200
