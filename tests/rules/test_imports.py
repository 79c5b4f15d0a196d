"""Heavy and lean code are kept apart by folders: torch only under export/, onnx only there and under calibration/."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HEAVY = {
    "torch": ("export", "tests/export"),
    "torchvision": (),
    "onnx": ("export", "calibration", "tests/export", "tests/calibration"),
}
LEAN_ENGINE = "edge_digits/recognition/engine.py"


def imported(source: str) -> set[str]:
    """Top-level names of all modules that a source imports, lazily or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__"):
            names.update(str(a.value).split(".")[0] for a in node.args if isinstance(a, ast.Constant))
    return names


@pytest.mark.parametrize(("module", "allowed"), HEAVY.items())
def test_heavy_modules_stay_in_their_folders(module: str, allowed: tuple[str, ...], python_files: list[Path], root: Path) -> None:
    strays = []
    for path in python_files:
        name = path.relative_to(root).as_posix()
        if module in imported(path.read_text(encoding="utf-8")) and not name.startswith(tuple(f"{folder}/" for folder in allowed)):
            strays.append(name)
    assert strays == []


def test_one_file_of_the_product_imports_onnxruntime(python_files: list[Path], root: Path) -> None:
    users = {
        path.relative_to(root).as_posix()
        for path in python_files
        if path.is_relative_to(root / "edge_digits") and "onnxruntime" in imported(path.read_text(encoding="utf-8"))
    }
    assert users == {LEAN_ENGINE}


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "def f():\n    from torch.nn import Linear",
        "import importlib\nimportlib.import_module('torch')",
        "import torch.nn as nn",
    ],
)
def test_an_import_is_seen_wherever_it_stands(source: str) -> None:
    assert "torch" in imported(source)


def test_a_name_is_no_import() -> None:
    assert "torch" not in imported("torch = 'import torch'\nfrom .torch import x")
