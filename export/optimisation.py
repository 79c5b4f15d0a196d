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
    teacher_share : what a teacher's answers weigh in the loss where batches bring them, 0..1. teacher_temperature : softens both sides.
    """

    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.01
    average_decay: float = 0.999
    negative_weight: float = 0.3
    teacher_share: float = 0.0
    teacher_temperature: float = 2.0


class Trainer:
    """A network in training with its optimiser and its averaged twin."""

    def __init__(self, network: ConvNetwork, device: torch.device, steps: int, options: OptimisationOptions, bfloat16: bool) -> None:
        # Channels last: small convolutions run a third faster so on a CPU.
        self.network = network.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.device, self.steps, self.options, self.bfloat16 = device, steps, options, bfloat16
        decayed = [p for p in network.parameters() if p.ndim > 1]
        plain = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=options.learning_rate)
        self.weights = torch.ones(len(LABELS), device=device)
        self.weights[NOT_ONE_DIGIT] = options.negative_weight
        self.step = 0

    def run_epoch(self, batches: Iterable[tuple[Tensor, ...]]) -> dict[str, float]:
        """All batches once: tiles uint8 (b, 1, 28, 28), labels int64 (b,), and a teacher's logits float32 (b, 11) or nothing.

        Returns the mean loss and the training accuracy in percent.
        """
        self.network.train()
        loss_sum = torch.zeros((), device=self.device)
        right = torch.zeros((), device=self.device)
        count = 0
        for batch in batches:
            tiles, wanted, *answers = (part.to(self.device, non_blocking=True) for part in batch)
            inputs = (tiles.float() / 255.0).contiguous(memory_format=torch.channels_last)
            loss, logits = self._step(inputs, wanted, answers[0] if answers else None)
            loss_sum += loss.detach() * len(wanted)
            right += (logits.detach().argmax(1) == wanted).sum()
            count += len(wanted)
        return {"loss": round(float(loss_sum) / max(count, 1), 5), "accuracy": round(100.0 * float(right) / max(count, 1), 3)}

    def _step(self, tiles: Tensor, labels: Tensor, answers: Tensor | None) -> tuple[Tensor, Tensor]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.learning_rate * schedule(self.step / self.steps)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(tiles)
        loss = nn.functional.cross_entropy(logits.float(), labels, self.weights, label_smoothing=self.options.label_smoothing)
        if answers is not None:
            share = self.options.teacher_share
            loss = (1.0 - share) * loss + share * distillation_loss(logits.float(), answers, self.options.teacher_temperature)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        follow(self.average, self.network, self.step, self.options.average_decay)
        return loss, logits

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


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, most: float) -> None:
    """Move the averaged twin towards the network; early on it follows closely.

    step : steps done. most : share of the averaged weights kept at each later step.
    """
    decay = min(most, (1 + step) / (10 + step))
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    real = [pair for pair in pairs if pair[0].dtype.is_floating_point]
    torch._foreach_lerp_([mine for mine, _ in real], [theirs for _, theirs in real], 1.0 - decay)
    for mine, theirs in pairs:
        if not mine.dtype.is_floating_point:
            mine.copy_(theirs)


def distillation_loss(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """Cross-entropy between softened probabilities, times the temperature squared (Hinton, Vinyals and Dean, 2015); both (b, 11)."""
    wanted = torch.softmax(answers / temperature, dim=1)
    return -(wanted * torch.log_softmax(logits / temperature, dim=1)).sum(1).mean() * temperature**2


def schedule(progress: float) -> float:
    """Share of the full learning rate at 0..1 of the run: a short rise, then a cosine down to nearly nothing."""
    if progress < WARM_UP_SHARE:
        return max(progress / WARM_UP_SHARE, FINAL_SHARE)
    fall = (progress - WARM_UP_SHARE) / (1.0 - WARM_UP_SHARE)
    return FINAL_SHARE + (1.0 - FINAL_SHARE) * 0.5 * (1.0 + math.cos(math.pi * min(fall, 1.0)))


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16. precision : of the command line, "auto" (where it is fast), "float32" or "bfloat16"."""
    return has_fast_bfloat16(device) if precision == "auto" else precision == "bfloat16"


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is worth it: on any recent CUDA card, and on CPUs with the instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
