"""The nouns of a reproduction: the recipe, as its source tells it, and the workbench that it runs on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


@dataclass
class Workbench:
    """Where and how a recipe runs.

    out : the run folder, which exists. data : local data folder; None downloads MNIST to the cache.
    seed : every draw comes from it. smoke : a few hundred tiles instead of the whole sets.
    epochs : instead of the recipe's own number, > 0. bfloat16 : networks compute in bfloat16, weights stay float32.
    samples : one writer's digits. writers : a folder with one such folder a writer.
    epochs_run : epochs by training phase, as `fit` was asked for them; goes into the record.
    """

    out: Path
    data: Path | None
    device: torch.device
    seed: int
    smoke: bool
    epochs: int | None
    bfloat16: bool
    samples: Path | None = None
    writers: Path | None = None
    epochs_run: dict[str, int] = field(default_factory=dict)

    def limit(self, real: int, smoke: int) -> int:
        """The number for a real run, or the one for a smoke run."""
        return smoke if self.smoke else real

    def epoch_count(self, real: int, smoke: int = 1) -> int:
        """The epochs asked for on the command line, else the recipe's own."""
        return self.limit(real, smoke) if self.epochs is None else self.epochs

    def tell(self, text: str) -> None:
        """One line on stderr."""
        print(text, file=sys.stderr)

    def progress(self, items: Iterable[Any], what: str, total: int | None = None) -> Any:
        """The items with a progress bar on stderr; `total` where they do not know their number."""
        from tqdm import tqdm

        return tqdm(items, desc=what, total=total, file=sys.stderr, mininterval=1.0, leave=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A published system.

    title : one line for the list. source : where its settings and figures come from.
    source_figures : percent. The figure of a judged network NAME stands under NAME, else under "mnist".
    settings : what the source fixes; all of it goes into the record, and a run folder keeps to it.
    run : trains, draws, judges and gives the figures of the record. Under "judged" it gives {NAME: what `judge`
    gave}, one row of the table each.
    takes_samples : whether --samples and --writers mean something to it.
    """

    name: str
    title: str
    source: str
    source_figures: dict[str, float]
    settings: dict[str, Any]
    run: Callable[[Workbench], dict[str, Any]]
    takes_samples: bool = False
