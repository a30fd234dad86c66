"""Figures as a table for people and as ``bench.json`` for comparing."""

import json
import os
import platform
import re
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULT = Path(__file__).with_name("bench.json")
GOALS = {
    "P1": "0.5  1.0  2.0", "P2": "0.3  0.5  0.8", "P3": "1.0  2.0  5.0",
    "P4": "0.8  0.95  1.0", "P6": "≤ 3  1.5  0.8", "P7 p99 ms": "≤ 50  20  10",
    "P7 p99.9 ms": "≤ 150  60  30", "P8": "0.7  0.9  0.95", "P8 shed p99 ms": "≤ 50  10  5",
    "P9": "0.10  0.25  0.40", "P9c": "0", "P9d": "≤ 256  64  32", "P12": "≤ 450  220  160",
    "P13": "≤ 200  120  90", "P13 growth MiB per million": "≤ 5  0  0",
    "P14 first 200": "≤ 3  1.2  0.6", "P14 ready": "≤ 5  2  1", "P15": "≤ 500  250  150",
    "P10": "≤ 3  1  0.5", "P10_raw": "≤ 15  5  2", "P11": "≤ 10  4  2",
    "P11_deep": "≤ 2  1.2  1.05", "P11c": "≤ 60  15  6",
}  # fmt: skip
"""Floor, target, moonshot."""
SCORING = ("P10", "P11", "B4", "B5 p99")
"""How the rows begin that ``tests.load.scoring`` measures, in a run of its own."""


def summary(figures: Mapping[str, list[float]]) -> dict[str, Any]:
    """Median, least and most of every figure."""
    return {
        name: {
            "median": round(statistics.median(values), 3),
            "min": round(min(values), 3),
            "max": round(max(values), 3),
        }
        for name, values in figures.items()
    }


def show(result: Mapping[str, Any]) -> None:
    """The table."""
    print(f"\n{'row':<28}{'median':>14}{'min':>14}{'max':>14}  floor target moonshot")
    for name, figure in result.items():
        cells = "".join(f"{figure[part]:>14,.3f}" for part in ("median", "min", "max"))
        print(f"{name:<28}{cells}  {GOALS.get(name, '')}".rstrip())


def machine(**notes: Any) -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": sys.version,
        **notes,
    }


def keep(result: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write ``bench.json``, beside the rows of scoring."""
    old = _kept()
    scoring = {name: row for name, row in old.items() if name.startswith(SCORING)}
    before = {name: note for name, note in old.get("machine", {}).items() if name == "scoring"}
    _write({**result, **scoring, "machine": {**about, **before}})


def add(result: Mapping[str, Any], **notes: Any) -> None:
    """Put the rows of scoring in place of its former ones, beside the others."""
    others = {name: row for name, row in _kept().items() if not name.startswith(SCORING)}
    about = others.pop("machine", {})
    _write({**others, **result, "machine": {**about, **notes}})


def _kept() -> dict[str, Any]:
    text = RESULT.read_text(encoding="utf-8") if RESULT.exists() else "{}"
    return dict(json.loads(text))


def _write(rows: Mapping[str, Any]) -> None:
    text = json.dumps(rows, ensure_ascii=False, indent=2)
    RESULT.write_text(text + "\n", encoding="utf-8")


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.machine()
