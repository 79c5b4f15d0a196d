"""Facts about the machine that no figure may go without."""

from __future__ import annotations

import json
import platform

import numpy as np
import pytest

from edge_digits.bench import machine

ARM_INFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid asimddp
CPU part\t: 0xd0b

processor\t: 1
Features\t: fp

Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""


def test_facts_of_this_machine() -> None:
    facts = machine.machine_facts()
    assert facts["architecture"] == platform.machine()
    assert 1 <= facts["cores_usable"] <= facts["cores"]
    assert facts["python_bits"] in (32, 64)
    json.dumps(facts)


def test_versions_name_what_is_installed() -> None:
    versions = machine.software_facts()
    assert versions["python"] == platform.python_version()
    assert versions["numpy"] == np.__version__
    assert any(name.startswith("opencv") for name in versions)
    assert machine.installed_version("no-such-distribution") is None


def test_arm_flags_are_those_of_the_first_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_read_text", lambda path: ARM_INFO if path == "/proc/cpuinfo" else None)
    facts = machine.machine_facts()
    assert facts["cpu"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert facts["features"] == ["asimddp", "asimd"]
    assert facts["int8_dot_product"] is True
    assert facts["memory_mb"] is None


def test_a_system_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_read_text", lambda path: None)
    facts = machine.machine_facts()
    assert facts["features"] == []
    assert facts["int8_dot_product"] is None
