"""Writes and reads the state of a training run, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import torch

from edge_digits.errors import UsageError

CHECKPOINT_NAME: Final = "checkpoint.pt"


def save(run: Path, state: dict[str, Any]) -> None:
    """Write the checkpoint of a run folder; an interrupted write leaves the one before."""
    run.mkdir(parents=True, exist_ok=True)
    partial = run / f".{CHECKPOINT_NAME}.{os.getpid()}.part"
    try:
        torch.save(state, partial)
        partial.replace(run / CHECKPOINT_NAME)
    finally:
        partial.unlink(missing_ok=True)


def load(run: Path) -> dict[str, Any]:
    """The checkpoint of a run folder. Raises UsageError when there is none, or it is damaged."""
    path = run / CHECKPOINT_NAME
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no checkpoint; run `python -m export.train --out {run}` first") from error
    except Exception as error:  # torch raises pickle, zip and runtime errors for a damaged file
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); train again without --resume") from error
    return state
