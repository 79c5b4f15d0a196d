"""The public list is a promise: a name more or less is a decision, not an accident."""

from __future__ import annotations

import edge_digits


def test_public_names_are_pinned() -> None:
    assert edge_digits.__all__ == [
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


def test_every_public_name_is_there() -> None:
    missing = [name for name in edge_digits.__all__ if not hasattr(edge_digits, name)]
    assert missing == []
