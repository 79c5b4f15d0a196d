"""What trainings of the networks beside the tile classifier have in common: steps, averaged twin, checkpoints, record."""

from __future__ import annotations

import argparse
import copy
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from export import checkpoint
from export.networks import count_parameters
from export.optimisation import follow, schedule, use_bfloat16
from export.record import RECORD_NAME, describe_commit, describe_machine, write_record

AVERAGE_DECAY: Final = 0.999


class CompanionTraining(ABC):
    """A network, its averaged twin and its optimiser.

    examples : name of what it learns from, as settings and record have it. largest_gradient : norm to which gradients are
        cut, None for no cut.
    """

    examples: ClassVar[str]
    largest_gradient: ClassVar[float | None] = None

    def __init__(self, network: nn.Module, device: torch.device, options: argparse.Namespace, count: int) -> None:
        """options : epochs, batch, learning_rate, seed, start_from and out of the command line. count : examples. Raises UsageError."""
        if options.start_from is not None:
            _start_from(network, options.start_from)
        self.network, self.device, self.options, self.count = network, device, options, count
        self.average = copy.deepcopy(network).eval()
        self.batches_an_epoch = count // options.batch
        self.steps = max(1, options.epochs * self.batches_an_epoch)
        self.step = 0
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=0.02)
        self.bfloat16 = use_bfloat16("auto", device)

    @abstractmethod
    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """The loss of each batch of an epoch, computed when it is asked for."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Figures of the averaged twin on what was kept aside."""

    def forward(self, network: nn.Module, inputs: Tensor) -> Tensor:
        """What a network says of inputs, as float32, computed in bfloat16 where that is fast."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            answers: Tensor = network(inputs.contiguous(memory_format=torch.channels_last))
        return answers.float()

    def run(self, name: str, extra: dict[str, Any] | None = None) -> None:
        """Train all epochs that are left, with a checkpoint after each, and write the record. name : of the network."""
        out = self.options.out
        history = self._restore() if self.options.resume else []
        began = time.monotonic()
        for epoch in range(len(history), self.options.epochs):
            loss = self._run_epoch(epoch)
            row = {"epoch": epoch + 1, "loss": round(loss, 5), **self.validate()}
            print(" ".join(f"{key} {value}" for key, value in row.items()), f"{time.monotonic() - began:.0f} s", file=sys.stderr)
            history.append(row)
            checkpoint.save(out, self._state(history))
        record = {
            "network": name,
            "parameters": count_parameters(self.network),
            **describe_commit(),
            "seed": self.options.seed,
            "machine": describe_machine(self.device),
            "settings": self.settings(),
            **(extra or {}),
            "seconds": round(time.monotonic() - began, 1),
            "history": history,
        }
        write_record(out / RECORD_NAME, record)

    def _run_epoch(self, epoch: int) -> float:
        """All examples once; returns the mean loss."""
        self.network.train()
        found = []
        losses = self.losses(np.random.default_rng((self.options.seed, epoch)))
        for loss in tqdm(losses, total=self.batches_an_epoch, desc=f"epoch {epoch + 1}", file=sys.stderr, mininterval=5.0):
            for group in self.optimiser.param_groups:
                group["lr"] = self.options.learning_rate * schedule(self.step / self.steps)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            if self.largest_gradient is not None:
                nn.utils.clip_grad_norm_(self.network.parameters(), self.largest_gradient)
            self.optimiser.step()
            self.step += 1
            follow(self.average, self.network, self.step, AVERAGE_DECAY)
            found.append(float(loss.detach()))
        return float(np.mean(found))

    def settings(self) -> dict[str, Any]:
        """What a resumed run must have been started with."""
        chosen = {name: getattr(self.options, name) for name in ("epochs", "batch", "learning_rate", "seed")}
        return {**chosen, self.examples: self.count, "bfloat16": self.bfloat16}

    def _state(self, history: list[dict[str, float]]) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "history": history,
            "settings": self.settings(),
        }

    def _restore(self) -> list[dict[str, float]]:
        """Go on from the checkpoint of the run folder; returns the history. Raises UsageError for other settings."""
        state = checkpoint.load(self.options.out)
        if state["settings"] != self.settings():
            raise UsageError(f"{self.options.out}: was begun with other settings; give the same ones or another --out")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
        return list(state["history"])


def _start_from(network: nn.Module, run: Path) -> None:
    """Give a network the averaged weights of another run. Raises UsageError."""
    try:
        network.load_state_dict(checkpoint.load(run)["average"])
    except (KeyError, RuntimeError) as error:
        raise UsageError(f"{run}: its checkpoint is of another network; give another --start-from") from error


def add_training_options(parser: argparse.ArgumentParser, epochs: int, batch: int) -> None:
    """The options that every one of these trainings takes; epochs and batch : if nothing else is said."""
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--start-from", type=Path, metavar="DIR", help="another run, whose averaged weights this one begins with")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint of the run folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder")


def check_training_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends the command with usage when a number makes no sense."""
    for name, least in (("epochs", 1), ("batch", 2), ("threads", 0), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    if not 0 < options.learning_rate < float("inf"):
        parser.error(f"--learning-rate is {options.learning_rate}; give a number above 0")


def run_command(name: str, train: Callable[[argparse.Namespace], ExitCode], options: argparse.Namespace) -> ExitCode:
    """A training as a command: mistakes and interruptions are one line. name : of the module without its package."""
    try:
        return train(options)
    except EdgeDigitsError as error:
        print(f"export.{name}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"export.{name}: interrupted; go on with --resume", file=sys.stderr)
        return ExitCode.INTERRUPTED


def prepare_device(options: argparse.Namespace) -> torch.device:
    """Threads and seed as the options say; CUDA where there is one."""
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
