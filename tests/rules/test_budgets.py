"""Bytes that may not creep up: the shipped models, and memory over many reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_digits.recognition.weights import MANIFEST_NAME, WEIGHTS_FOLDER

MAX_INT8_BYTES = 100_000
MAX_FLOAT_BYTES = 500_000
MAX_ALL_INT8_BYTES = 1_000_000
"""Of the default classifier and the networks beside it together."""
MAX_GROWTH_BYTES = 8_000_000
"""Over 200 reads. A page of the test kept once a read would be 14 MB."""

READ_OFTEN = """
import sys
from pathlib import Path
from edge_digits import Reader
from tests.strokes import draw_page

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

reader = Reader(threads=1)
pages = [draw_page([str(407 + n)], width=300 + 8 * n, height=200, digit_px=60) for n in range(5)]
for page in pages * 10:
    reader.read(page)
before = resident_bytes()
for page in pages * 40:
    reader.read(page)
print(resident_bytes() - before)
"""


def test_the_default_model_is_small() -> None:
    manifest = json.loads((WEIGHTS_FOLDER / MANIFEST_NAME).read_text(encoding="utf-8"))
    default = manifest["models"][manifest["default"]]
    assert 0 < (WEIGHTS_FOLDER / default["int8"]["file"]).stat().st_size <= MAX_INT8_BYTES
    assert 0 < (WEIGHTS_FOLDER / default["float"]["file"]).stat().st_size <= MAX_FLOAT_BYTES


def test_all_networks_together_are_small() -> None:
    manifest = json.loads((WEIGHTS_FOLDER / MANIFEST_NAME).read_text(encoding="utf-8"))
    entries = [manifest["models"][manifest["default"]], *manifest.get("companions", {}).values()]
    # A network published without int8 runs as float.
    files = [WEIGHTS_FOLDER / entry.get("int8", entry["float"])["file"] for entry in entries]
    assert 0 < sum(path.stat().st_size for path in files) <= MAX_ALL_INT8_BYTES


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_memory_stays_flat_over_many_reads() -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", READ_OFTEN], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MAX_GROWTH_BYTES
