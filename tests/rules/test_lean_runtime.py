"""Importing every module and reading a page may load numpy, cv2 and onnxruntime, and nothing else of others.

Run in a child process, because this one holds pytest and whatever other tests imported. What the three themselves
load (protobuf, for one) is taken from a child that imports only them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LEAN = {"numpy", "cv2", "onnxruntime"}

LIST_MODULES = """
import sys
outside = {name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - AT_START
print(" ".join(sorted(name for name in outside - {"edge_digits"} if not name.startswith("__"))))
"""

READ_A_PAGE = """
import importlib, pkgutil
import edge_digits
for module in pkgutil.walk_packages(edge_digits.__path__, "edge_digits."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
import cv2, numpy
page = numpy.full((400, 600), 235, numpy.uint8)
cv2.ellipse(page, (300, 200), (40, 70), 0, 0, 360, 30, 8)
reading = edge_digits.Reader().read(page)
assert reading.text == "0", reading.text
"""


def modules_after(script: str, extra_path: Path | None = None) -> set[str]:
    """Top-level modules of others that a fresh interpreter holds after the script."""
    start = "import sys\nAT_START = {name.split('.')[0] for name in sys.modules}\n"
    path = os.pathsep.join(entry for entry in (str(extra_path or ""), *sys.path) if entry)
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", start + script + LIST_MODULES],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.returncode == 0, child.stderr
    return set(child.stdout.split("\n")[-2].split())


@pytest.fixture(scope="module")
def baseline() -> set[str]:
    """What the three allowed modules load by themselves."""
    return modules_after("import numpy, cv2, onnxruntime\n")


def test_only_three_modules_of_others(baseline: set[str]) -> None:
    loaded = modules_after(READ_A_PAGE)
    assert loaded - baseline == set()
    assert loaded >= LEAN


def test_an_intruder_is_seen(tmp_path: Path, baseline: set[str]) -> None:
    (tmp_path / "intruder.py").write_text("", encoding="utf-8")
    loaded = modules_after("import intruder\n" + READ_A_PAGE, tmp_path)
    assert loaded - baseline == {"intruder"}
