"""What the interpreter and the processor can do, and whether heat or a weak supply holds them back."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any, Final

from edge_digits.bench.machine import INT8_FEATURES
from edge_digits.doctor.finding import Finding, broken

HOT_C: Final = 80.0
"""A Raspberry Pi lowers its clock from 80 degrees Celsius on (Raspberry Pi documentation, frequency management)."""

ARM_64: Final = ("aarch64", "arm64")


def look_at_python(bits: int, architecture: str) -> Finding:
    """bits : of the interpreter. architecture : of the kernel, as platform.machine gives it."""
    found = f"{platform.python_version()}, {bits} bit, {architecture}"
    if bits < 64 and architecture in (*ARM_64, "x86_64"):
        return broken("python", found, "a 32-bit user land on a 64-bit kernel: install the 64-bit system; onnxruntime has no 32-bit wheels")
    if bits < 64:
        return broken("python", found, "onnxruntime has no 32-bit wheels: install a 64-bit operating system and its Python")
    return Finding("python", "ok", found)


def look_at_cpu(facts: Mapping[str, Any]) -> Finding:
    """facts : of bench.machine.machine_facts."""
    cores = f"{facts['board'] or facts['cpu'] or facts['architecture']}, {facts['cores_usable']} of {facts['cores']} cores"
    if not facts["features"]:
        return Finding("cpu", "ok", f"{cores}; instruction sets unknown")
    int8 = [name for name in facts["features"] if name in INT8_FEATURES]
    others = [name for name in facts["features"] if name not in INT8_FEATURES]
    found = f"{cores}; int8 by {', '.join(int8)}" if int8 else f"{cores}; no int8 dot product (see speed)"
    return Finding("cpu", "ok", f"{found}; {', '.join(others)}" if others else found)


def look_at_power(facts: Mapping[str, Any]) -> Finding:
    """facts : of bench.power.power_facts."""
    degrees = facts["temperature_c"]
    hottest = max(degrees.values(), default=None)
    parts = [f"{hottest:.0f} degrees Celsius"] if hottest is not None else []
    parts += [f"{facts['clock_mhz']:.0f} MHz"] if facts["clock_mhz"] else []
    parts += [f"governor {facts['governor']}"] if facts["governor"] else []
    parts += ["on battery"] if facts["on_battery"] else []
    parts += facts["throttled"] or (["never throttled"] if facts["throttled"] is not None else [])
    found = ", ".join(parts) or "the system tells nothing of heat and supply"
    complaints = facts["throttled"] or []
    if any(text.startswith("under-voltage") for text in complaints):
        return Finding("power", "warn", found, "the supply is too weak: use the official one, and a short, thick cable")
    if complaints or (hottest is not None and hottest >= HOT_C):
        return Finding("power", "warn", found, "the processor is slowed by heat: give it a heat sink or a fan, and measure again")
    return Finding("power", "ok", found)
