"""Are the libraries there, sound, and alone? Each is imported in a fresh process, which may die of an illegal instruction."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from edge_digits.bench import machine
from edge_digits.bench.children import ChildDiedError, run_child
from edge_digits.doctor.finding import Finding, broken

EXTRAS: Final = {
    "documents": ("pypdfium2",),
    "web": ("starlette", "uvicorn", "python_multipart"),
    "xlsx": ("xlsxwriter",),
    "parquet": ("pyarrow",),
    "forms": ("yaml", "reportlab"),
    "watch-folder": ("watchdog",),
    "mqtt": ("paho",),
    "cluster": ("ray",),
    "evaluate": ("scipy",),
    "assign": ("scipy",),
}
"""Modules of the extras that may be added to any installation; the same as in pyproject.toml."""

OPENCV: Final = tuple(name for name in machine.DISTRIBUTIONS if name.startswith("opencv"))
RUNTIMES: Final = ("onnxruntime", "onnxruntime-gpu")

OPENCV_CODE: Final = """
import cv2
result["version"] = cv2.__version__
information = [line.strip() for line in cv2.getBuildInformation().splitlines()]
result["gui"] = next((line.split(":", 1)[1].strip() for line in information if line.startswith("GUI:")), "") or "NONE"
from cv2 import videoio_registry as registry
result["cameras"] = [registry.getBackendName(backend) for backend in registry.getCameraBackends()]
result["streams"] = [registry.getBackendName(backend) for backend in registry.getStreamBackends()]
"""


def look_at_libraries() -> Iterator[Finding]:
    """numpy, OpenCV and onnxruntime, and wheels that overwrite each other."""
    versions = machine.software_facts()
    libraries = [_numpy(), _opencv(), _clash("opencv", OPENCV, versions), _runtime(), _clash("onnxruntime", RUNTIMES, versions)]
    yield from (finding for finding in libraries if finding is not None)


def _numpy() -> Finding:
    try:
        result, _ = run_child("import numpy\nresult['version'] = numpy.__version__")
    except ChildDiedError as error:
        return broken("numpy", f"cannot be imported: {error.reason}", "pip install --force-reinstall numpy")
    return Finding("numpy", "ok", result["version"])


def _opencv() -> Finding:
    try:
        result, _ = run_child(OPENCV_CODE)
    except ChildDiedError as error:
        advice = 'pip install "edge-digits[cpu]"'
        if ".so" in error.reason:  # libGL and its like: the windowed wheel on a system without a desktop
            advice = 'pip uninstall opencv-python, then pip install "edge-digits[headless]"'
        return broken("opencv", f"cannot be imported: {error.reason}", advice)
    windows = "without windows (`watch` needs --no-window)" if result["gui"] == "NONE" else f"windows by {result['gui']}"
    found = f"{result['version']}, {windows}; cameras by {', '.join(result['cameras']) or 'nothing'}"
    if sys.platform == "linux" and "V4L2" not in result["cameras"]:
        return Finding("opencv", "warn", found, "this build has no V4L2: USB cameras need the wheel of pip, not this OpenCV")
    if "FFMPEG" not in result["streams"]:
        return Finding("opencv", "warn", found, "this build has no FFmpeg: videos and network streams need the wheel of pip")
    return Finding("opencv", "ok", found)


def _runtime() -> Finding:
    try:
        result, _ = run_child("import onnxruntime\nresult['version'] = onnxruntime.__version__")
    except ChildDiedError as error:
        advice = 'pip install "edge-digits[cpu]"'
        if error.died_of == "SIGILL":
            advice = 'this version uses instructions that the CPU lacks: pip install --upgrade "onnxruntime!=1.21.0"'
        return broken("onnxruntime", f"cannot be imported: {error.reason}", advice)
    return Finding("onnxruntime", "ok", result["version"])


def _clash(library: str, distributions: tuple[str, ...], versions: Mapping[str, str]) -> Finding | None:
    """Two wheels that write the same files: the later one wins, half of the earlier one stays."""
    installed = [name for name in distributions if name in versions]
    if len(installed) < 2:
        return None
    both = " ".join(installed)
    what = "only the CPU provider works" if library == "onnxruntime" else "they overwrite each other's files"
    extras = "cpu or gpu" if library == "onnxruntime" else "cpu or headless"
    return broken(f"{library} x{len(installed)}", f"{both}: {what}", f'pip uninstall {both}, then pip install "edge-digits[{extras}]"')


def look_at_extras() -> Finding:
    """Which optional extras are installed."""
    there = {extra: all(importlib.util.find_spec(module) for module in modules) for extra, modules in EXTRAS.items()}
    installed, missing = ([extra for extra in EXTRAS if there[extra] is wanted] for wanted in (True, False))
    found = "; ".join(f"{what}: {', '.join(extras)}" for what, extras in (("installed", installed), ("not installed", missing)) if extras)
    return Finding("extras", "ok", found, f'when needed: pip install "edge-digits[{missing[0]}]"' if missing else "")
