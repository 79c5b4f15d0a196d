"""Reads handwritten digits off real paper, on the device: photo in, numbers out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edge_digits._version import __version__
from edge_digits.errors import (
    CameraError,
    EdgeDigitsError,
    InputError,
    ModelError,
    ProviderError,
    UsageError,
    missing_library,
)

if TYPE_CHECKING:
    from edge_digits.reader import Reader
    from edge_digits.reading.reading import Digit, Reading

__all__ = [
    "CameraError",
    "Digit",
    "EdgeDigitsError",
    "InputError",
    "ModelError",
    "ProviderError",
    "Reader",
    "Reading",
    "UsageError",
    "__version__",
]

_HOMES = {"Reader": "edge_digits.reader", "Reading": "edge_digits.reading.reading", "Digit": "edge_digits.reading.reading"}


def __getattr__(name: str) -> Any:
    # A Reader brings numpy and OpenCV: they are imported on first use, so that `edge-digits doctor` can run, and say
    # what to do, where one of them is missing or broken.
    if name not in _HOMES:
        raise AttributeError(f"module 'edge_digits' has no attribute '{name}'")
    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ImportError as error:
        raise missing_library(error) from error
