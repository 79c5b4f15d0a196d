"""What the tests of the reproductions start from: a workbench in a temporary folder, the command with few digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from export.reproduce.recipe import Workbench
from tests.personal.writers import write_samples


def bench_at(out: Path, **changes: Any) -> Workbench:
    """A workbench of a smoke run on the CPU; out is made."""
    out.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {"data": None, "device": torch.device("cpu"), "seed": 1, "smoke": True, "epochs": None, "bfloat16": False}
    return Workbench(out=out, **{**settings, **changes})


def smoke(name: str, data: Path, out: Path, *more: str) -> list[str]:
    """The arguments of a smoke run in float32, so that figures are the same on every machine of a kind."""
    fixed = ["--threads", "1", "--device", "cpu", "--precision", "float32", "--smoke"]
    return [name, "--data", str(data), "--out", str(out), *fixed, *more]


def write_writer(folder: Path, each: int, seed: int = 1) -> Path:
    """A writer's folder 0..9 without a split: pen on paper."""
    return write_samples(folder, each, {}, seed=seed) / "train"
