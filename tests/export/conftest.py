"""A data folder small enough for tests: digits drawn with OpenCV, in the files and the layout of MNIST."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from export.data import folder as data_folder  # noqa: E402 - after the check for torch
from export.data.glyphs import GlyphSet  # noqa: E402

# Small nets on small batches: a second thread only waits.
torch.set_num_threads(1)

EACH = 24


def draw_digit(digit: int, rng: np.random.Generator) -> np.ndarray:
    picture = np.zeros((28, 28), np.uint8)
    at = 6 + int(rng.integers(-2, 3)), 22 + int(rng.integers(-2, 3))
    cv2.putText(picture, str(digit), at, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.65, 0.8)), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return picture


def write_idx(path: Path, array: np.ndarray) -> str:
    """Write a gzipped idx file; returns the md5 of its unzipped content."""
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, mtime=0))
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture(scope="session")
def drawn_digits() -> GlyphSet:
    rng = np.random.default_rng(7)
    labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), EACH))
    return GlyphSet("mnist_train", [draw_digit(int(label), rng) for label in labels], labels)


@pytest.fixture
def drawn_data(tmp_path: Path, drawn_digits: GlyphSet, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds mnist/ alone, as after a download."""
    folder = tmp_path / "data"
    digests = {}
    for prefix in ("train", "t10k"):
        for stem, array in (
            (f"{prefix}-images-idx3-ubyte", np.array(drawn_digits.glyphs)),
            (f"{prefix}-labels-idx1-ubyte", drawn_digits.labels),
        ):
            digests[stem] = write_idx(folder / "mnist" / f"{stem}.gz", array)
    monkeypatch.setattr(data_folder, "MNIST_IDX_MD5", digests)
    return folder
