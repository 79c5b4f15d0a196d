"""Decides whether a fine-tuned network may replace its base: own digits by cross-validation, other hands by a frozen set.

Strict on one side: where it cannot be shown that something is gained, the base stays.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from edge_digits.errors import AdaptationRefusedError
from edge_digits.personal.adaptation import FOLDS, LARGEST_OWN_ERROR, LARGEST_RESERVE_DROP, folds_of
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.figures import logits_of
from export.fine_tuning import Base, Lessons, Plan, Variants, fine_tune, prepare_lessons
from export.networks import ConvNetwork

BLENDS: Final = (1.0, 0.7, 0.4, 0.2)
"""How far to go from the base's weights to the fine-tuned ones; the farthest that keeps the frozen set is taken. A straight line
between the two keeps most of what was learned (M. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022)."""

AIMED_AT: Final = 0.5
"""A blend counts as keeping the frozen set up to this share of what the guard allows: the set is a sample, and on MNIST test a step that
lost 0.19 points of it lost 0.23."""

LEAST_GAIN: Final = 0.005
"""Where no error goes away, log-loss has to fall by more, in nats: what has nothing to gain shall cost nobody anything."""

Fit = Callable[[Lessons], ConvNetwork]


@dataclass(frozen=True, slots=True)
class FrozenSet:
    """What must not be forgotten. tiles : uint8 (m, 28, 28), m at least 1. labels : uint8 (m,), 0..10. None of them trains."""

    tiles: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Figures:
    """What fine-tuning did, all errors counted on tiles from which the network in question had not learned.

    own_* : on the person's samples, by cross-validation over `folds`; losses are mean log-losses, own_loss_doubt is the standard error
        of their difference. base_* : on the whole frozen set. digit_* : on the digits of it.
    blend : share of the way from the base's weights to the fine-tuned ones. An error is a best class other than the label.
    """

    samples: int
    folds: int
    own_errors_before: int
    own_errors_after: int
    own_loss_before: float
    own_loss_after: float
    own_loss_doubt: float
    base_tiles: int
    base_errors_before: int
    base_errors_after: int
    digit_tiles: int
    digit_errors_before: int
    digit_errors_after: int
    blend: float

    @property
    def base_drop(self) -> float:
        """Accuracy that the frozen set lost, in points, or its digits, whichever lost more; negative where both gained."""
        return max(
            _points(self.base_errors_after - self.base_errors_before, self.base_tiles),
            _points(self.digit_errors_after - self.digit_errors_before, self.digit_tiles),
        )

    def text(self) -> str:
        """One line for people."""
        return (
            f"own errors {self.own_errors_before} -> {self.own_errors_after} of {self.samples}, "
            f"log-loss {self.own_loss_before:.4f} -> {self.own_loss_after:.4f} ({self.folds}-fold cross-validation), "
            f"frozen set {self.base_errors_before} -> {self.base_errors_after} errors of {self.base_tiles}, "
            f"its digits {self.digit_errors_before} -> {self.digit_errors_after} of {self.digit_tiles}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fine-tuned network that the guard has not judged yet, and its figures."""

    network: ConvNetwork
    figures: Figures


def fit_and_measure(
    base: Base, own: Variants, frozen: FrozenSet, plan: Plan, seed: int, *, bfloat16: bool = False, told: Callable[[], None] | None = None
) -> Outcome:
    """Fine-tune on all samples and, once a fold, on the others of a fold. own : at least two samples. told : called after each fit."""

    def fit(part: Lessons) -> ConvNetwork:
        network = fine_tune(base, part, plan, seed, bfloat16)
        if told is not None:
            told()
        return network

    temperature = base.card.temperature
    frozen_before = logits_of(base.network, frozen.tiles)
    lessons = prepare_lessons(base, own)
    whole = fit(lessons)
    blend, network, frozen_after = _farthest_that_keeps(base.network, whole, frozen, frozen_before)
    folds = min(FOLDS, len(own))
    before, after = logits_of(base.network, own.plain), _cross_validate(base.network, lessons, folds, blend, fit)
    losses = log_losses(before, own.labels, temperature), log_losses(after, own.labels, temperature)
    digits = frozen.labels != NOT_ONE_DIGIT
    wrong = frozen_before.argmax(axis=1) != frozen.labels, frozen_after.argmax(axis=1) != frozen.labels
    figures = Figures(
        samples=len(own),
        folds=folds,
        own_errors_before=count_errors(before, own.labels),
        own_errors_after=count_errors(after, own.labels),
        own_loss_before=float(losses[0].mean()),
        own_loss_after=float(losses[1].mean()),
        own_loss_doubt=float((losses[1] - losses[0]).std(ddof=1) / np.sqrt(len(own))),
        base_tiles=len(frozen),
        base_errors_before=int(wrong[0].sum()),
        base_errors_after=int(wrong[1].sum()),
        digit_tiles=int(digits.sum()),
        digit_errors_before=int(wrong[0][digits].sum()),
        digit_errors_after=int(wrong[1][digits].sum()),
        blend=blend,
    )
    return Outcome(network, figures)


def require_no_harm(figures: Figures) -> None:
    """Raises AdaptationRefusedError, with the figures, unless own digits gain and others keep what they have."""
    reasons = reasons_to_refuse(figures)
    if reasons:
        raise AdaptationRefusedError(f"not fine-tuned, because {' and '.join(reasons)}: {figures.text()}; nothing was written")


def reasons_to_refuse(figures: Figures) -> list[str]:
    """Why the base has to stay; empty when fine-tuning may replace it."""
    reasons = []
    gain = figures.own_loss_before - figures.own_loss_after
    if figures.own_errors_after > figures.own_errors_before:
        reasons.append("own digits would be read worse")
    elif gain < 0:
        reasons.append("the base is surer of this hand")
    elif figures.own_errors_after == figures.own_errors_before and gain <= max(figures.own_loss_doubt, LEAST_GAIN):
        reasons.append("the base reads this hand as well, and what is gained in certainty is little or chance")
    if figures.own_errors_after > LARGEST_OWN_ERROR * figures.samples:
        reasons.append("most own digits would still be read as others, so the labels cannot be right")
    if figures.base_drop > LARGEST_RESERVE_DROP:
        reasons.append(f"other hands would lose {figures.base_drop:.2f} points, {LARGEST_RESERVE_DROP} are allowed")
    return reasons


def count_errors(logits: NDArray[np.float32], labels: NDArray[Any]) -> int:
    """Number of rows whose best class is not the label. logits : float32 (n, 11). labels : 0..10, (n,)."""
    return int((logits.argmax(axis=1) != labels).sum())


def log_losses(logits: NDArray[np.float32], labels: NDArray[np.int64], temperature: float) -> NDArray[np.float64]:
    """-ln(probability of the label) of each row, in nats."""
    scaled = torch.log_softmax(torch.from_numpy(logits).double() / temperature, 1).numpy()
    losses: NDArray[np.float64] = -scaled[np.arange(len(labels)), labels]
    return losses


def blended(base: ConvNetwork, tuned: ConvNetwork, share: float) -> ConvNetwork:
    """A network with weights so far on the line from the base (0) to the fine-tuned one (1), in evaluation mode."""
    between = copy.deepcopy(base)
    with torch.no_grad():
        for mine, theirs in zip(between.parameters(), tuned.parameters(), strict=True):
            mine.lerp_(theirs, share)
    return between.eval()


def _farthest_that_keeps(
    base: ConvNetwork, tuned: ConvNetwork, frozen: FrozenSet, before: NDArray[np.float32]
) -> tuple[float, ConvNetwork, NDArray[np.float32]]:
    """The largest blend that keeps the frozen set; where none does, the smallest, for the guard to judge."""
    digits = frozen.labels != NOT_ONE_DIGIT
    for share in BLENDS:
        network = blended(base, tuned, share)
        after = logits_of(network, frozen.tiles)
        drops = [
            _points(count_errors(after[part], frozen.labels[part]) - count_errors(before[part], frozen.labels[part]), int(part.sum()))
            for part in (digits, np.ones_like(digits))
        ]
        if max(drops) <= AIMED_AT * LARGEST_RESERVE_DROP:
            break
    return share, network, after


def _cross_validate(base: ConvNetwork, own: Lessons, folds: int, blend: float, fit: Fit) -> NDArray[np.float32]:
    """Logits float32 (n, 11) of each sample by a network that learned from the other folds alone."""
    fold = folds_of(own.variants.labels, folds)
    logits = np.zeros((len(own), NOT_ONE_DIGIT + 1), np.float32)
    for out in range(folds):
        held = fold == out
        logits[held] = logits_of(blended(base, fit(own.take(~held)), blend), own.variants.plain[held])
    return logits


def _points(errors: int, count: int) -> float:
    return 100.0 * errors / max(1, count)
