"""One loop that trains every reproduction: batches from memory, a row an epoch, a checkpoint an epoch.

No DataLoader: the sets fit into memory, and a small network's step is shorter than handing a batch between processes.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from edge_digits.errors import UsageError
from export.checkpoint import load_state, save_state
from export.reproduce.recipe import Workbench

Prepare = Callable[[Tensor, torch.Generator], Tensor]
Rows = list[dict[str, float]]

EVALUATION_BATCH: Final = 500


def fit(  # noqa: PLR0913 - every recipe states all of them by name
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor] | None,
    *,
    epochs: int,
    batch: int,
    bench: Workbench,
    phase: str,
    prepare: Prepare | None = None,
    schedule: Callable[[float], float] | None = None,
) -> Rows:
    """Train a network by cross-entropy; one row an epoch.

    train, validation : inputs (n, ...) and labels (n,) of any integer type. uint8 inputs (n, 28, 28) become float32
    (n, 1, 28, 28), 0..1, batch by batch; float ones are handed on as they are.
    prepare : in training, takes the place of that step: a batch as it lies in memory, on bench.device, and the run's
    generator, on the same device, to the network's input. schedule : progress 0..1 -> share of the learning rate.
    Returns epoch, loss, accuracy (percent, as met while training), validation_loss, validation_accuracy, seconds.
    Writes bench.out/PHASE.pt after each epoch and goes on from it; a resumed run on a CPU ends with the weights of an
    uninterrupted one. Raises UsageError for a checkpoint that is damaged or has more epochs than asked for.
    """
    bench.epochs_run[phase] = epochs
    network.to(bench.device)
    if bench.bfloat16:
        network.to(memory_format=torch.channels_last)
    pace = _Pace(optimiser, schedule, epochs * -(-len(train[1]) // batch))
    loop = _Loop(network, optimiser, bench, phase, prepare)
    inputs, labels = train[0].to(bench.device), train[1].to(bench.device).long()
    steps = -(-len(labels) // batch)
    done = len(loop.rows)
    if done > epochs:
        raise UsageError(f"{loop.path}: holds {done} epochs, asked for were {epochs}; give another --out")
    with tqdm(total=epochs * steps, initial=done * steps, desc=phase, unit="step", mininterval=1.0, file=sys.stderr) as bar:
        for epoch in range(done, epochs):
            began = time.monotonic()
            row = {"epoch": epoch + 1, **loop.run_epoch(inputs, labels, batch, pace, bar)}
            if validation is not None:
                loss, accuracy = loss_and_accuracy(network, *validation, bfloat16=bench.bfloat16)
                row |= {"validation_loss": round(loss, 5), "validation_accuracy": round(accuracy, 3)}
            loop.rows.append({**row, "seconds": round(time.monotonic() - began, 3)})
            loop.save()
            bar.set_postfix(loss=row["loss"], refresh=False)
    return loop.rows


class _Pace:
    """Sets the learning rate of each step from the rates that the optimiser was made with."""

    def __init__(self, optimiser: torch.optim.Optimizer, schedule: Callable[[float], float] | None, steps: int) -> None:
        self._optimiser, self._schedule, self._steps = optimiser, schedule, steps
        # Taken before a checkpoint brings back the rate of its last step.
        self._rates = [group["lr"] for group in optimiser.param_groups]

    def set(self, step: int) -> None:
        if self._schedule is not None:
            share = self._schedule(step / self._steps)
            for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
                group["lr"] = rate * share


class _Loop:
    """The state of a training phase that a checkpoint keeps."""

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer, bench: Workbench, phase: str, prepare: Prepare | None) -> None:
        self.network, self.optimiser, self.bench = network, optimiser, bench
        self.prepare = prepare or (lambda images, _: as_input(images))
        self.path = bench.out / f"{phase}.pt"
        self.generator = torch.Generator(bench.device).manual_seed(_seed_of(bench.seed, phase))
        self.rows: Rows = []
        if self.path.is_file():
            self._restore(load_state(self.path))

    def run_epoch(self, inputs: Tensor, labels: Tensor, batch: int, pace: _Pace, bar: Any) -> dict[str, float]:
        """All samples once in a new order."""
        self.network.train()
        order = torch.randperm(len(labels), generator=self.generator, device=inputs.device)
        # One gather an epoch: slices of the result are free, and a gather a batch is not.
        inputs, labels = inputs[order], labels[order]
        loss_sum = torch.zeros((), device=inputs.device)
        right = torch.zeros((), device=inputs.device)
        for start in range(0, len(labels), batch):
            pace.set(bar.n)
            wanted = labels[start : start + batch]
            images = self.prepare(inputs[start : start + batch], self.generator)
            logits = _forward(self.network, images, bfloat16=self.bench.bfloat16)
            loss = nn.functional.cross_entropy(logits, wanted)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            loss_sum += loss.detach() * len(wanted)
            right += (logits.detach().argmax(1) == wanted).sum()
            bar.update(1)
        count = max(len(labels), 1)
        return {"loss": round(float(loss_sum) / count, 5), "accuracy": round(100.0 * float(right) / count, 3)}

    def save(self) -> None:
        """Write all that an uninterrupted run would still hold; dropout draws from torch's own generators."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rows": self.rows,
            "generator": self.generator.get_state(),
            "draws": torch.get_rng_state(),
        }
        if self.bench.device.type == "cuda":
            state["cuda_draws"] = torch.cuda.get_rng_state(self.bench.device)
        save_state(self.path, state)

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rows = list(state["rows"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["draws"])
        if self.bench.device.type == "cuda" and "cuda_draws" in state:
            torch.cuda.set_rng_state(state["cuda_draws"], self.bench.device)


def as_input(images: Tensor) -> Tensor:
    """uint8 (n, 28, 28), 0..255, to float32 (n, 1, 28, 28), 0..1; float tensors as they are."""
    return images if images.is_floating_point() else images.unsqueeze(1).float().div_(255.0)


def logits_of(network: nn.Module, images: Tensor, batch: int = EVALUATION_BATCH, *, bfloat16: bool = False) -> Tensor:
    """float32 (n, classes) on the CPU, in evaluation mode. images : as `fit` takes them."""
    network.eval()
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    # no_grad, not inference_mode: a network that caches a tensor would else fail in the next training step.
    with torch.no_grad():
        parts = [
            _forward(network, as_input(images[start : start + batch].to(device)), bfloat16=bfloat16).cpu()
            for start in range(0, len(images), batch)
        ]
    return torch.cat(parts) if parts else torch.zeros(0, 10)


def predict(network: nn.Module, images: Tensor, batch: int = EVALUATION_BATCH, *, bfloat16: bool = False) -> NDArray[np.int64]:
    """The best class of each, int64 (n,). images : as `fit` takes them."""
    best: NDArray[np.int64] = logits_of(network, images, batch, bfloat16=bfloat16).argmax(1).numpy()
    return best


def accuracy_of(network: nn.Module, images: Tensor, labels: Tensor, batch: int = EVALUATION_BATCH, *, bfloat16: bool = False) -> float:
    """Percent named as labelled; 0 for no samples. labels : (n,) of any integer type."""
    hits = predict(network, images, batch, bfloat16=bfloat16) == labels.cpu().numpy()
    return 100.0 * float(hits.mean()) if hits.size else 0.0


def loss_and_accuracy(network: nn.Module, images: Tensor, labels: Tensor, *, bfloat16: bool = False) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy in percent, in evaluation mode; zeros for no samples."""
    if len(labels) == 0:
        return 0.0, 0.0
    logits, wanted = logits_of(network, images, bfloat16=bfloat16), labels.cpu().long()
    return float(nn.functional.cross_entropy(logits, wanted)), 100.0 * float((logits.argmax(1) == wanted).float().mean())


def _forward(network: nn.Module, images: Tensor, *, bfloat16: bool) -> Tensor:
    if bfloat16 and images.dim() == 4:
        images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bfloat16):
        logits: Tensor = network(images)
    return logits.float()


def _seed_of(seed: int, phase: str) -> int:
    """Phases of one run draw differently, and the same in every run."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{phase}".encode()).digest()[:7], "big")
