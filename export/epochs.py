"""Where the batches of a training come from: made as they are needed, or taken from a pool made before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from edge_digits.errors import UsageError
from edge_digits.recognition.weights import LABELS
from export.augment import AugmentOptions
from export.mixture import DIGIT_WEIGHTS, NEGATIVE_WEIGHTS, Mixture, start_worker
from export.tile_pool import GENTLE_STRENGTH, TilePool


class Epochs(Protocol):
    """The batches of a training, epoch by epoch; the same epoch gives the same batches whenever it is asked for."""

    def __len__(self) -> int:
        """Batches of an epoch."""
        ...

    def batches(self, epoch: int, *, gentle: bool) -> Iterable[tuple[Tensor, ...]]:
        """Tiles uint8 (b, 1, 28, 28), labels int64 (b,), and a teacher's logits float32 (b, 11) where there is one."""
        ...

    def settings(self) -> dict[str, Any]:
        """What the record of a run says of its tiles."""
        ...


class MadeEpochs:
    """Every epoch is made anew, by worker processes."""

    def __init__(self, mixture: Mixture, workers: int, *, pinned: bool) -> None:
        self.mixture, self.workers, self.pinned = mixture, workers, pinned
        mixture.start_epoch(0)

    def __len__(self) -> int:
        return len(self.mixture)

    def batches(self, epoch: int, *, gentle: bool) -> Iterable[tuple[Tensor, ...]]:
        """See Epochs."""
        self.mixture.start_epoch(epoch, GENTLE_STRENGTH if gentle else 1.0)
        loader: Any = DataLoader(
            self.mixture, batch_size=None, num_workers=self.workers, worker_init_fn=start_worker, pin_memory=self.pinned
        )
        return loader  # type: ignore[no-any-return]

    def settings(self) -> dict[str, Any]:
        """See Epochs."""
        return {
            "mixture": asdict(self.mixture.options),
            "augment": asdict(AugmentOptions()),
            "digit_weights": dict(DIGIT_WEIGHTS),
            "negative_weights": dict(NEGATIVE_WEIGHTS),
        }


class PooledEpochs:
    """Epochs of a pool in turn, each time in another order; the order follows from the seed.

    answers : float16 (e, n, 11), a teacher's logits for every tile of the pool, or None.
    """

    def __init__(self, pool: TilePool, seed: int, batch: int, answers: NDArray[np.float16] | None = None) -> None:
        self.pool, self.seed, self.batch, self.answers = pool, seed, batch, answers

    def __len__(self) -> int:
        return self.pool.tiles.shape[1] // self.batch

    def batches(self, epoch: int, *, gentle: bool) -> Iterable[tuple[Tensor, ...]]:
        """See Epochs."""
        source = self.pool.epoch_for(epoch, gentle=gentle)
        tiles, labels = np.asarray(self.pool.tiles[source]), self.pool.labels[source].astype(np.int64)
        answers = None if self.answers is None else np.asarray(self.answers[source])
        order = np.random.default_rng([self.seed, epoch]).permutation(len(labels))
        for start in range(0, len(self) * self.batch, self.batch):
            chosen = order[start : start + self.batch]
            batch: list[Tensor] = [torch.from_numpy(tiles[chosen][:, None]), torch.from_numpy(labels[chosen])]
            if answers is not None:
                batch.append(torch.from_numpy(answers[chosen].astype(np.float32)))
            yield tuple(batch)

    def settings(self) -> dict[str, Any]:
        """See Epochs."""
        return {"pool": self.pool.settings, "mixture": self.pool.settings["mixture"], "batch": self.batch}


ANSWERS_KIND: Final = np.dtype(np.float16)


def load_answers(path: Path, pool: TilePool) -> NDArray[np.float16]:
    """The teacher's logits of a pool, float16 (e, n, 11), read-only. Raises UsageError when they are of another pool, or no such file."""
    try:
        answers: NDArray[np.float16] = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: no answers; make them by `python -m export.answers --out {path}`") from error
    wanted = (*pool.labels.shape, len(LABELS))
    if answers.shape != wanted or answers.dtype != ANSWERS_KIND:
        raise UsageError(f"{path}: answers of shape {answers.shape}, the pool needs {wanted}; make them again for this pool")
    return answers
