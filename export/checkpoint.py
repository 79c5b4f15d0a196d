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
    save_state(run / CHECKPOINT_NAME, state)


def load(run: Path) -> dict[str, Any]:
    """The checkpoint of a run folder. Raises UsageError when there is none, or it is damaged."""
    path = run / CHECKPOINT_NAME
    if not path.exists():
        raise UsageError(f"{path}: no checkpoint; run `python -m export.train --out {run}` first")
    return load_state(path, "train again without --resume")


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint file whole or not at all, in a folder that is there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        torch.save(state, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_state(path: Path, advice: str = "delete it or give another --out") -> dict[str, Any]:
    """A checkpoint file on the CPU. advice : what to do where it cannot be read, for the UsageError that is raised then."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises pickle, zip and runtime errors for a damaged file
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); {advice}") from error
    return state
