"""The Raspberry Pi's files: scripts and unit checked by the tools made for it, settings taken by the command they are for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_digits.doctor.settings import look_at_settings

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
PI = DEPLOY / "pi"
UNIT = PI / "edge-digits.service"


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.hardware
@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_clean(script: Path) -> None:
    done = subprocess.run([tool("shellcheck"), str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.hardware
def test_the_unit_is_sound(tmp_path: Path) -> None:
    """With another program in the place of the one that is not installed here."""
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", UNIT.read_text(), flags=re.MULTILINE))
    done = subprocess.run([tool("systemd-analyze"), "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_settings_that_are_installed_are_sound() -> None:
    assert look_at_settings(PI / "edge-digits.toml").status == "ok"


def test_paths_of_the_unit_are_those_that_are_installed() -> None:
    script, unit = (PI / "install.sh").read_text(), UNIT.read_text()
    paths = dict(re.findall(r"^(home|settings|state)=(\S+)$", script, re.MULTILINE))
    assert f"ExecStart={paths['home']}/venv/bin/edge-digits --config {paths['settings']} watch" in unit
    assert f"ReadWritePaths=-{paths['state']}" in unit
    assert f"User={re.search(r'^account=(.+)$', script, re.MULTILINE)[1]}" in unit  # type: ignore[index]


@pytest.mark.parametrize(("words", "code", "said"), [(["--help"], 0, "--uninstall"), (["--now"], 2, "unknown option --now; see --help")])
def test_the_script_explains_itself(words: list[str], code: int, said: str) -> None:
    done = subprocess.run(["/bin/bash", str(PI / "install.sh"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
