"""What pyproject.toml, constraints.txt, README.md and CHANGELOG.md say of each other."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_digits import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOP_LEVEL = {"pyproject.toml", "README.md", "constraints.txt", "LICENSE", "CHANGELOG.md", ".ci", ".gitignore"}
TOP_FOLDERS = {"edge_digits", "export", "calibration", "deploy", "tests"}
RUNTIMES = {"cpu", "headless", "gpu"}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The [project] table."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, list[str]]:
    """Name -> pinned versions."""
    found: dict[str, list[str]] = {}
    for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = re.match(r"([\w.-]+)==([\w.+-]+)", line).groups()
            found.setdefault(normal(name), []).append(version)
    return found


def normal(requirement: str) -> str:
    """Normalised distribution name of a requirement."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement).group()).lower()


def test_the_top_level_is_as_designed(project_files: list[Path], root: Path) -> None:
    top = {path.relative_to(root).parts[0] for path in project_files}
    assert top == TOP_LEVEL | TOP_FOLDERS


def test_base_needs_numpy_alone(project: dict[str, Any]) -> None:
    assert [normal(r) for r in project["dependencies"]] == ["numpy"]
    assert project["requires-python"] == ">=3.10"


def test_each_runtime_brings_one_onnxruntime_one_opencv_and_tqdm(project: dict[str, Any]) -> None:
    wanted = {
        "cpu": ["onnxruntime", "opencv-python", "tqdm"],
        "headless": ["onnxruntime", "opencv-python-headless", "tqdm"],
        "gpu": ["onnxruntime-gpu", "opencv-python", "tqdm"],
    }
    extras = project["optional-dependencies"]
    assert {name: sorted(normal(r) for r in extras[name]) for name in RUNTIMES} == wanted


def test_no_runtime_allows_the_release_that_kills_a_pi(project: dict[str, Any]) -> None:
    requirements = [r for name in RUNTIMES for r in project["optional-dependencies"][name] if r.startswith("onnxruntime")]
    assert len(requirements) == len(RUNTIMES)
    assert all("!=1.21.0" in requirement for requirement in requirements)


def test_other_extras_bring_no_runtime(project: dict[str, Any]) -> None:
    extras = {name: {normal(r) for r in rows} for name, rows in project["optional-dependencies"].items() if name not in RUNTIMES}
    clashing = {"onnxruntime", "onnxruntime-gpu", "opencv-python", "opencv-python-headless", "opencv-contrib-python"}
    assert {name: rows & clashing for name, rows in extras.items() if rows & clashing} == {}
    assert {"documents", "web", "xlsx", "cluster"} <= set(extras)


def test_everything_the_tests_install_is_pinned(project: dict[str, Any], pins: dict[str, list[str]], root: Path) -> None:
    installed = command(root, "test-command").partition('".[')[2].partition(']"')[0].split(",")
    assert "headless" in installed
    wanted = {normal(r) for extra in installed for r in project["optional-dependencies"][extra]} | {"numpy"}
    assert wanted - set(pins) == set()


@pytest.mark.parametrize("marker", ["read-command", "test-command"])
def test_readme_commands_are_one_line_and_set_up_their_own_environment(marker: str, root: Path) -> None:
    line = command(root, marker)
    assert line.startswith("python3 -m venv .venv && ")
    assert "-c constraints.txt" in line


def test_the_sample_that_the_readme_reads_is_there(root: Path) -> None:
    sample = root / command(root, "read-command").split()[-1]
    assert sample.is_file()


def test_the_changelog_begins_with_this_version(root: Path) -> None:
    heads = re.findall(r"^## (\S+)", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == __version__


def command(root: Path, marker: str) -> str:
    """The one line of the fenced block after <!-- marker --> in README.md, as .ci/run takes it."""
    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"<!-- {marker} -->\s*```(?:bash|sh)\n(.*?)\n```", text, re.DOTALL)
    assert len(blocks) == 1
    assert "\n" not in blocks[0]
    return str(blocks[0])
