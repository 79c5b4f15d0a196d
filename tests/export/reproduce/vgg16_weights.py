"""Weights in the shapes of VGG16 that mean nothing: what reads them and computes with them can be tested without the real ones."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np
import pytest

from export.reproduce import vgg16


@functools.cache
def random_weights() -> dict[str, np.ndarray]:
    """float32, of a size that keeps the features near 1 (K. He and others, 2015)."""
    rng = np.random.default_rng(16)
    weights, width = {}, 3
    for number, block in enumerate(vgg16.WIDTHS, start=1):
        for layer, filters in enumerate(block, start=1):
            shape = (filters, width, 3, 3)
            values = rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2.0 / (9 * width)))
            weights[f"block{number}_conv{layer}.weight"] = values
            weights[f"block{number}_conv{layer}.bias"] = rng.standard_normal(filters, np.float32)
            width = filters
    return weights


def write_half(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write them as the file in half precision that a data folder may hold, and make that the published one."""
    path = data / vgg16.SET / vgg16.HALF_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: array.astype(np.float16 if array.ndim == 4 else np.float32) for name, array in random_weights().items()})  # type: ignore[arg-type]
    monkeypatch.setattr(vgg16, "HALF_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path
