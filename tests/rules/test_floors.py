"""Every module of the product stands on a floor of the import contract: a new file must choose one."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOOR_IMPORTS = {"edge_digits._version", "edge_digits.errors", "edge_digits.reader", "edge_digits.reading.reading"}


@pytest.fixture(scope="module")
def floors(root: Path) -> list[str]:
    """The modules and packages that the contract names."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [name.strip(" ()") for layer in layers for name in re.split(r"[|:]", layer)]


@pytest.fixture(scope="module")
def modules(root: Path, python_files: list[Path]) -> dict[str, Path]:
    """Dotted name -> file of every module of the product."""
    found = {}
    for path in python_files:
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] == "edge_digits":
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_every_module_stands_on_one_floor(floors: list[str], modules: dict[str, Path]) -> None:
    homeless, twice = [], []
    for name, path in modules.items():
        on = [floor for floor in floors if name == floor or name.startswith(f"{floor}.")]
        twice += [name] if len(on) > 1 else []
        homeless += [name] if not on and not _is_door(path) and name != "edge_digits" else []
    assert homeless == []
    assert twice == []


def test_every_floor_exists(floors: list[str], modules: dict[str, Path]) -> None:
    assert [floor for floor in floors if floor not in modules] == []


def test_the_front_door_opens_to_four_modules(modules: dict[str, Path]) -> None:
    # The root package stands on no floor, since every module lies inside it; what it may import is told here.
    source = modules["edge_digits"].read_text(encoding="utf-8")
    named = set(re.findall(r"\bedge_digits(?:\.\w+)+", source))
    imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert named == DOOR_IMPORTS
    assert imported - DOOR_IMPORTS <= {"__future__", "typing"}


def _is_door(path: Path) -> bool:
    """A package's own file that says what the room is for and imports nothing."""
    if path.name != "__init__.py":
        return False
    return not any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
