"""The record of a run: who made these weights, from what, where, how long, and how good they are."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch

RECORD_NAME: Final = "record.json"


def describe_commit() -> dict[str, Any]:
    """The commit of the clone this runs in, and whether its Python files differ from it."""
    root = Path(__file__).resolve().parent.parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
        status = subprocess.run(["git", "status", "--porcelain", "export"], cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {"commit": os.environ.get("EDGE_DIGITS_COMMIT", "unknown"), "changed": None}
    return {"commit": commit, "changed": bool(status.strip())}


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Processor, cores, accelerator and versions; no host name and no path."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__, "opencv": cv2.__version__},
    }


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as readable JSON, atomically."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(record, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
