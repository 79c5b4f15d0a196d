"""What a wheel must hold, must not hold, and may weigh: `python .ci/check_wheel.py WHEEL`."""

from __future__ import annotations

import fnmatch
import json
import sys
import zipfile
from pathlib import Path

MAX_WHEEL_BYTES = 4_000_000  # of which the float files, for CUDA and for comparison, take more than half
MAX_INT8_BYTES = 100_000
MAX_ALL_INT8_BYTES = 1_000_000  # what a device loads: the tile classifier and the networks beside it

WANTED = [
    "edge_digits/__init__.py",
    "edge_digits/py.typed",
    "edge_digits/weights/manifest.json",
    "edge_digits/weights/*.int8.onnx",
    "edge_digits/weights/*.float.onnx",
    "edge_digits/weights/*.npz",
    "edge_digits/bench/sample_page.jpg",
    "edge_digits/web/static/*.html",
    "edge_digits-*.dist-info/licenses/LICENSE",
]
ALLOWED = ["edge_digits/*", "edge_digits-*.dist-info/*"]
UNWANTED = ["*/tests/*", "*.pyc", "*.pt", "*/__pycache__/*", "*~"]


def problems(wheel: Path) -> list[str]:
    """Everything wrong with a wheel, in words."""
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        manifest = json.loads(archive.read("edge_digits/weights/manifest.json"))
    found = [f"{pattern} is missing" for pattern in WANTED if not fnmatch.filter(sizes, pattern)]
    found += [f"{name} has no place in the wheel" for name in sizes if not _is_any(name, ALLOWED) or _is_any(name, UNWANTED)]
    named = {part["file"] for entry in manifest["models"].values() for part in entry.values() if isinstance(part, dict) and "file" in part}
    found += [f"{name} is named by the manifest but missing" for name in named if f"edge_digits/weights/{name}" not in sizes]
    int8 = sizes.get(f"edge_digits/weights/{manifest['models'][manifest['default']]['int8']['file']}", 0)
    if int8 > MAX_INT8_BYTES:
        found.append(f"the default int8 model has {int8} bytes, allowed are {MAX_INT8_BYTES}")
    everything = int8 + sum(entry["int8"]["bytes"] for entry in manifest.get("companions", {}).values() if "int8" in entry)
    if everything > MAX_ALL_INT8_BYTES:
        found.append(f"the int8 networks have {everything} bytes together, allowed are {MAX_ALL_INT8_BYTES}")
    if wheel.stat().st_size > MAX_WHEEL_BYTES:
        found.append(f"the wheel has {wheel.stat().st_size} bytes, allowed are {MAX_WHEEL_BYTES}")
    print(f"{wheel.name}: {wheel.stat().st_size} bytes, {len(sizes)} files, default int8 model {int8} bytes")
    return found


def _is_any(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)
