"""The files of the project, for the rules that hold for all of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = ("__pycache__", "build", "dist", "runs")


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """What git tracks or would track; without git (an unpacked archive) all but hidden and built folders."""
    if (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
        return sorted({ROOT / name for name in names if name and (ROOT / name).is_file()})
    return sorted(path for path in ROOT.rglob("*") if path.is_file() and not _is_built(path.relative_to(ROOT)))


@pytest.fixture(scope="session")
def python_files(project_files: list[Path]) -> list[Path]:
    """The Python files among them."""
    return [path for path in project_files if path.suffix == ".py"]


def _is_built(path: Path) -> bool:
    return any(part in BUILT or part.endswith(".egg-info") or (part.startswith(".") and part != ".ci") for part in path.parts[:-1])
