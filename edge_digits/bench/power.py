"""Heat, clock and energy, where the system tells: a hot or throttled machine measures something else.

Sources: the kernel's sysfs documentation (thermal, cpufreq, power_supply, powercap) and, on a Raspberry Pi, the firmware's
"throttled" word, whose bits the Raspberry Pi documentation of `vcgencmd get_throttled` explains.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

SYSTEM: Final = Path(os.sep, "sys")

THROTTLED_FILES: Final = ("devices/platform/soc/soc:firmware/get_throttled", "devices/platform/soc/soc:firmware/get_throttled_hex")

THROTTLED_BITS: Final = {
    0: "under-voltage now",
    1: "clock capped now",
    2: "throttled now",
    3: "soft temperature limit now",
    16: "under-voltage since the start",
    17: "clock capped since the start",
    18: "throttled since the start",
    19: "soft temperature limit since the start",
}

VCGENCMD_LIMIT_S: Final = 3.0


def power_facts(system: Path = SYSTEM) -> dict[str, Any]:
    """Degrees Celsius by sensor, clock in MHz, governor, supply, and what a Pi's firmware complains of.

    {"temperature_c": {name: degrees}, "clock_mhz", "governor", "on_battery", "throttled": [text]}; each None where the system
    does not tell, temperature_c {}.
    """
    word = throttled_word(system)
    return {
        "temperature_c": temperatures_c(system),
        "clock_mhz": _thousandths(system / "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"),
        "governor": _read(system / "devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "on_battery": _on_battery(system),
        "throttled": None if word is None else throttled_texts(word),
    }


def temperatures_c(system: Path = SYSTEM) -> dict[str, float]:
    """Degrees Celsius of each thermal zone that tells, by its kind; the hottest of several of one kind."""
    found: dict[str, float] = {}
    for zone in sorted((system / "class/thermal").glob("thermal_zone*")):
        degrees = _thousandths(zone / "temp")
        if degrees is not None:
            name = _read(zone / "type") or zone.name
            found[name] = max(degrees, found.get(name, degrees))
    return found


def throttled_word(system: Path = SYSTEM) -> int | None:
    """The "throttled" word of a Raspberry Pi's firmware: from sysfs, else from vcgencmd; None on other machines."""
    text = next((text for name in THROTTLED_FILES if (text := _read(system / name)) is not None), None) or _from_vcgencmd()
    try:
        return None if text is None else int(text.rpartition("=")[2], 16)
    except ValueError:
        return None


def throttled_texts(word: int) -> list[str]:
    """What the bits of a "throttled" word say; [] when all is well."""
    return [text for bit, text in THROTTLED_BITS.items() if word >> bit & 1]


def package_energy_j(system: Path = SYSTEM) -> float | None:
    """The running counter of the processor's own energy meters in joules (Intel and AMD, readable by root), None without one.

    Only differences mean anything; the counter starts anew after some hours, so a difference may be negative once.
    """
    counters = [_read(zone / "energy_uj") for zone in sorted((system / "class/powercap").glob("intel-rapl:?"))]
    known = [int(text) for text in counters if text is not None and text.isdigit()]
    return sum(known) / 1e6 if known else None


def _on_battery(system: Path) -> bool | None:
    states = [(_read(supply / "type"), _read(supply / "status")) for supply in sorted((system / "class/power_supply").glob("*"))]
    batteries = [status for kind, status in states if kind == "Battery"]
    return any(status == "Discharging" for status in batteries) if batteries else None


def _from_vcgencmd() -> str | None:
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=VCGENCMD_LIMIT_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _thousandths(path: Path) -> float | None:
    """What a file counts in thousandths: degrees of thermal zones, MHz of cpufreq's kHz."""
    text = _read(path)
    try:
        return None if text is None else round(int(text) / 1000, 1)
    except ValueError:
        return None


def _read(path: Path) -> str | None:
    # Sensors that are asleep or broken give OSError of many kinds when they are read.
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ") or None
    except OSError:
        return None
