"""One epoch of gradient steps: schedule, averaged weights, precision."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT
from export.networks import ConvNetwork

WARM_UP_SHARE: Final = 0.06
FINAL_SHARE: Final = 0.002


@dataclass(frozen=True, slots=True)
class OptimisationOptions:
    """AdamW with a cosine schedule.

    average_decay : share of the averaged weights kept at each step. negative_weight : what a mistake on "not one digit"
    costs beside one on a digit; some letters are written like digits, and refusing a digit is the worse mistake.
    """

    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.01
    average_decay: float = 0.999
    negative_weight: float = 0.3


class Trainer:
    """A network in training with its optimiser and its averaged twin."""

    def __init__(self, network: ConvNetwork, device: torch.device, steps: int, options: OptimisationOptions, bfloat16: bool) -> None:
        self.network = network.to(device)
        self.average = copy.deepcopy(self.network).eval()
        self.device, self.steps, self.options, self.bfloat16 = device, steps, options, bfloat16
        decayed = [p for p in network.parameters() if p.ndim > 1]
        plain = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=options.learning_rate)
        self.weights = torch.ones(len(LABELS), device=device)
        self.weights[NOT_ONE_DIGIT] = options.negative_weight
        self.step = 0

    def run_epoch(self, batches: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """All batches once: tiles uint8 (b, 1, 28, 28), labels int64 (b,). Returns the mean loss and the training accuracy in percent."""
        self.network.train()
        loss_sum = torch.zeros((), device=self.device)
        right = torch.zeros((), device=self.device)
        count = 0
        for tiles, labels in batches:
            inputs, wanted = tiles.to(self.device, non_blocking=True).float() / 255.0, labels.to(self.device, non_blocking=True)
            loss, logits = self._step(inputs, wanted)
            loss_sum += loss.detach() * len(wanted)
            right += (logits.detach().argmax(1) == wanted).sum()
            count += len(wanted)
        return {"loss": round(float(loss_sum) / max(count, 1), 5), "accuracy": round(100.0 * float(right) / max(count, 1), 3)}

    def _step(self, tiles: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.learning_rate * schedule(self.step / self.steps)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(tiles)
        loss = nn.functional.cross_entropy(logits.float(), labels, self.weights, label_smoothing=self.options.label_smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        self._follow()
        return loss, logits

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged twin towards the network; early on it follows closely."""
        decay = min(self.options.average_decay, (1 + self.step) / (10 + self.step))
        for mine, theirs in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1.0 - decay)
            else:
                mine.copy_(theirs)

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


def schedule(progress: float) -> float:
    """Share of the full learning rate at 0..1 of the run: a short rise, then a cosine down to nearly nothing."""
    if progress < WARM_UP_SHARE:
        return max(progress / WARM_UP_SHARE, FINAL_SHARE)
    fall = (progress - WARM_UP_SHARE) / (1.0 - WARM_UP_SHARE)
    return FINAL_SHARE + (1.0 - FINAL_SHARE) * 0.5 * (1.0 + math.cos(math.pi * min(fall, 1.0)))


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is worth it: on any recent CUDA card, and on CPUs with the instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
