"""Reads handwritten digits off real paper, on the device: photo in, numbers out."""

from edge_digits._version import __version__
from edge_digits.errors import (
    CameraError,
    EdgeDigitsError,
    InputError,
    ModelError,
    ProviderError,
    UsageError,
)
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
