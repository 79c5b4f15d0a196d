"""Heat, clock and energy as the system tells them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_digits.bench import power


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """A folder like /sys of a Raspberry Pi."""
    write(tmp_path / "class/thermal/thermal_zone0", type="cpu-thermal\n", temp="48500\n")
    write(tmp_path / "class/thermal/thermal_zone1", type="cpu-thermal\n", temp="51200\n")
    write(tmp_path / "class/thermal/thermal_zone2", type="asleep\n", temp="no number\n")
    write(tmp_path / "devices/system/cpu/cpu0/cpufreq", scaling_cur_freq="1800000\n", scaling_governor="ondemand\n")
    write(tmp_path / "devices/platform/soc/soc:firmware", get_throttled="50005\n")
    return tmp_path


def test_facts_of_a_pi(pi: Path) -> None:
    assert power.power_facts(pi) == {
        "temperature_c": {"cpu-thermal": 51.2},
        "clock_mhz": 1800.0,
        "governor": "ondemand",
        "on_battery": None,
        "throttled": ["under-voltage now", "throttled now", "under-voltage since the start", "throttled since the start"],
    }


def test_a_pi_without_complaints(pi: Path) -> None:
    (pi / "devices/platform/soc/soc:firmware/get_throttled").write_text("0\n")
    assert power.power_facts(pi)["throttled"] == []


def test_the_firmwares_own_program_is_asked_where_sysfs_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text("#!/bin/sh\necho throttled=0x20002\n")
    program.chmod(0o755)
    monkeypatch.setattr(power.shutil, "which", lambda name: str(program))
    assert power.throttled_word(tmp_path) == 0x20002
    program.write_text("#!/bin/sh\necho what?\n")
    assert power.throttled_word(tmp_path) is None
    program.write_text("#!/bin/sh\nexit 1\n")
    assert power.throttled_word(tmp_path) is None


def test_a_laptop_on_its_battery(tmp_path: Path) -> None:
    write(tmp_path / "class/power_supply/AC", type="Mains\n", online="0\n")
    write(tmp_path / "class/power_supply/BAT0", type="Battery\n", status="Discharging\n")
    assert power.power_facts(tmp_path)["on_battery"] is True
    (tmp_path / "class/power_supply/BAT0/status").write_text("Charging\n")
    assert power.power_facts(tmp_path)["on_battery"] is False


def test_energy_is_the_sum_of_the_packages(tmp_path: Path) -> None:
    write(tmp_path / "class/powercap/intel-rapl:0", energy_uj="2500000\n")
    write(tmp_path / "class/powercap/intel-rapl:1", energy_uj="500000\n")
    write(tmp_path / "class/powercap/intel-rapl:0:0", energy_uj="9000000\n")
    assert power.package_energy_j(tmp_path) == 3.0


def test_a_system_that_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power.shutil, "which", lambda name: None)
    nothing = {"temperature_c": {}, "clock_mhz": None, "governor": None, "on_battery": None, "throttled": None}
    assert power.power_facts(tmp_path) == nothing
    assert power.package_energy_j(tmp_path) is None


def test_facts_of_this_machine_are_json() -> None:
    json.dumps(power.power_facts())
