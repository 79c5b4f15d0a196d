"""Facts about this machine, without which no figure means anything."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import struct
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

INT8_FEATURES: Final = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
"""CPU flags, as Linux names them, of instructions that multiply and add int8 at once; "asimddp" is Arm's dot product."""

OTHER_FEATURES: Final = ("avx2", "avx512f", "avx512bw", "asimd", "sve")

ARM_PARTS: Final = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
    "0xd4f": "Neoverse-V2",
}
"""Arm's part numbers (implementer 0x41), as the kernel's arch/arm64/include/asm/cputype.h lists them."""

DISTRIBUTIONS: Final = (
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


def machine_facts() -> dict[str, Any]:
    """CPU, cores, instruction sets, memory and system; unknown facts are None."""
    flags = cpu_flags()
    return {
        "cpu": cpu_model(),
        "board": _read_text("/proc/device-tree/model"),
        "architecture": platform.machine(),
        "python_bits": struct.calcsize("P") * 8,
        "cores": os.cpu_count(),
        "cores_usable": usable_cores(),
        "features": [f for f in (*INT8_FEATURES, *OTHER_FEATURES) if f in flags],
        "int8_dot_product": any(f in flags for f in INT8_FEATURES) if flags else None,
        "memory_mb": _memory_mb(),
        "load_average": _load_average(),
        "system": platform.platform(),
    }


def software_facts() -> dict[str, str]:
    """Versions of Python, of edge_digits and of the installed distributions it computes with."""
    from edge_digits._version import __version__

    versions = {"python": platform.python_version(), "edge_digits": __version__}
    return versions | {name: version for name in DISTRIBUTIONS if (version := installed_version(name))}


def installed_version(distribution: str) -> str | None:
    """The installed version of a distribution, None when it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def utc_now() -> str:
    """The time now, UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str | None:
    """The CPU's name as its maker gives it; None where the system does not tell."""
    info = _cpu_info()
    return (
        info.get("model name")
        or info.get("Model")
        or ARM_PARTS.get(info.get("CPU part", ""))
        or info.get("Hardware")
        or platform.processor()
        or None
    )


def cpu_flags() -> frozenset[str]:
    """Instruction set flags of the first core; empty where the system does not tell."""
    info = _cpu_info()
    return frozenset((info.get("flags") or info.get("Features") or "").split())


def _cpu_info() -> dict[str, str]:
    text = _read_text("/proc/cpuinfo") or ""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    info: dict[str, str] = {}
    for key, value in pairs:
        info.setdefault(key.strip(), value.strip())
    return info


def _read_text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip("\0\n") or None
    except OSError:
        return None


def _memory_mb() -> int | None:
    for line in (_read_text("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None


def _load_average() -> float | None:
    """Processes that wanted a core over the last minute: above the number of cores, timings are not to be trusted."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
