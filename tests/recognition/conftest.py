"""The published toy model: a small net that names drawn digits, with manifest and golden tiles (see tests/calibration/toy.py)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.tiles import as_model_input

TOY = Path(__file__).resolve().parent / "toy"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A copy of the toy model's folder that a test may damage."""
    return Path(shutil.copytree(TOY, tmp_path / "toy"))


@pytest.fixture(scope="session")
def tiles() -> NDArray[np.float32]:
    """The toy's golden tiles, float32 (44, 1, 28, 28): four of each label in order."""
    with np.load(TOY / "toy.int8.golden.npz") as arrays:
        return as_model_input(arrays["tiles"])


@pytest.fixture
def change_manifest() -> Callable[[Path, Change], None]:
    """Edit the manifest of a folder in place."""

    def change(folder: Path, edit: Change) -> None:
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        edit(manifest)
        path.write_text(json.dumps(manifest), encoding="utf-8")

    return change


@pytest.fixture
def replace_file(change_manifest: Callable[[Path, Change], None]) -> Callable[[Path, str, bytes], None]:
    """Give a precision's file other bytes and the manifest their checksum, as a careless publisher would."""

    def replace(folder: Path, precision: str, data: bytes) -> None:
        (folder / f"toy.{precision}.onnx").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        change_manifest(folder, lambda manifest: manifest["models"]["toy"][precision].update(sha256=digest))

    return replace
