"""Decides whether an adapted head is better, and by how much: learns, cross-validates, and refuses when the guard fails."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import AdaptationRefusedError, UsageError
from edge_digits.paper.tiles import as_model_input, make_tile
from edge_digits.personal.head import Difference, Outputs, softmax
from edge_digits.personal.jitter import copies_of, jittered
from edge_digits.personal.methods import METHODS, Kept, Method, Own
from edge_digits.personal.reserve import Reserve
from edge_digits.personal.samples import Samples
from edge_digits.recognition.adapted import DIGITS
from edge_digits.recognition.classifier import Classifier

FOLDS: Final = 5
FEWEST_SAMPLES: Final = 10
LARGEST_RESERVE_DROP: Final = 0.2
"""Points of accuracy that the reserve may lose."""
LARGEST_OWN_ERROR: Final = 0.5
"""Share of own samples that may still be wrong. Writing is never that strange; labels of another page are."""
BATCH: Final = 512


Trial = tuple[int, NDArray[np.float64], Method]
"""Errors and log-losses of the samples in cross-validation, and the method."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an adaptation did, all errors counted on tiles that the head in question had not learned from.

    own_* : on the person's samples, by cross-validation over `folds`; losses are mean log-losses.
    reserve_* : on the base reserve, by halves.
    own_loss_gain_error : standard error of the gain in loss. method, strength, reserve_weight : of the chosen Method.
    seconds : of the whole adaptation.
    """

    samples: int
    folds: int
    own_errors_before: int
    own_errors_after: int
    own_loss_before: float
    own_loss_after: float
    own_loss_gain_error: float
    reserve_tiles: int
    reserve_errors_before: int
    reserve_errors_after: int
    method: str
    strength: float
    reserve_weight: float
    seconds: float

    @property
    def own_loss_gain(self) -> float:
        """By how much the log-loss on own samples falls."""
        return self.own_loss_before - self.own_loss_after

    @property
    def reserve_drop(self) -> float:
        """Accuracy that the reserve lost, in points; negative where it gained."""
        return 100.0 * (self.reserve_errors_after - self.reserve_errors_before) / max(1, self.reserve_tiles)

    def text(self) -> str:
        """One line for people."""
        return (
            f"own errors {self.own_errors_before} -> {self.own_errors_after} of {self.samples}, "
            f"log-loss {self.own_loss_before} -> {self.own_loss_after} ({self.folds}-fold cross-validation), "
            f"reserve errors {self.reserve_errors_before} -> {self.reserve_errors_after} of {self.reserve_tiles}, {self.seconds:.1f} s"
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A fitted difference to the shipped head that passed the guard, and its figures."""

    difference: Difference
    figures: Figures


def outputs_of(classifier: Classifier, tiles: NDArray[np.float32]) -> Outputs:
    """What the base model says of tiles float32 (n, 1, 28, 28), in batches, so that memory stays flat; n at least 1."""
    parts = [classifier.base_outputs(tiles[at : at + BATCH]) for at in range(0, len(tiles), BATCH)]
    return Outputs(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))


def own_digits(classifier: Classifier, tiles: NDArray[np.uint8], labels: NDArray[np.int64], copies: int | None = None) -> Own:
    """One person's digits and their jittered copies, as the base model sees them.

    tiles : uint8 (n, 28, 28), ink 255; n at least 1. labels : int64 (n,), 0..9. copies : of each, by default as many as so many need.
    """
    copies = copies_of(len(tiles)) if copies is None else copies
    outputs = [outputs_of(classifier, as_model_input(jittered(tiles, jitter))) for jitter in range(copies)]
    return Own(outputs_of(classifier, as_model_input(tiles)), labels, tuple(outputs))


def adapt(classifier: Classifier, samples: Samples, reserve: Reserve) -> Adaptation:
    """Fit the head to a person's samples.

    Raises UsageError with fewer than 10 samples, AdaptationRefusedError with the figures when the guard does not hold.
    """
    if len(samples) < FEWEST_SAMPLES:
        raise UsageError(f"{len(samples)} samples are too few to check that learning helps; give at least {FEWEST_SAMPLES}")
    started = perf_counter()
    own = own_digits(classifier, np.array([make_tile(glyph) for glyph in samples.glyphs]), samples.labels)
    kept = Kept(outputs_of(classifier, as_model_input(reserve.tiles)), reserve.labels)
    chosen = choose_head(own, kept, classifier.card.temperature)
    adaptation = Adaptation(chosen.difference, replace(chosen.figures, seconds=round(perf_counter() - started, 3)))
    require_better(adaptation.figures)
    return adaptation


def choose_head(own: Own, kept: Kept, temperature: float = 1.0) -> Adaptation:
    """The method with the fewest cross-validated own errors, then the least loss, among those that keep the reserve.

    No guard yet: what would be no gain is given all the same. own : at least 2 digits.
    """
    started = perf_counter()
    folds, written, labels = min(FOLDS, len(own)), own.outputs.logits, own.labels
    loss_before = _log_losses(written, labels, temperature)
    kept_before = count_errors(kept.outputs.logits, kept.labels)
    trials = [(*_cross_validate(own, kept, method, temperature, folds), method) for method in METHODS]
    trials.sort(key=lambda trial: (trial[0], float(trial[1].mean())))
    (own_after, losses, method), kept_after = _first_that_keeps(trials, own, kept, temperature)
    difference = method.fit(own, kept, temperature)
    gains = loss_before - losses
    figures = Figures(
        samples=len(labels),
        folds=folds,
        own_errors_before=count_errors(written, labels),
        own_errors_after=own_after,
        own_loss_before=round(float(loss_before.mean()), 4),
        own_loss_after=round(float(losses.mean()), 4),
        own_loss_gain_error=round(float(gains.std() / np.sqrt(len(gains))), 4),
        reserve_tiles=len(kept),
        reserve_errors_before=kept_before,
        reserve_errors_after=kept_after,
        method=method.name,
        strength=method.strength,
        reserve_weight=method.reserve_weight,
        seconds=round(perf_counter() - started, 3),
    )
    return Adaptation(difference, figures)


def _first_that_keeps(trials: list[Trial], own: Own, kept: Kept, temperature: float) -> tuple[Trial, int]:
    """The best of the trials, best first, that keeps the reserve, and its errors there; where none does, the one that harms least."""
    before = count_errors(kept.outputs.logits, kept.labels)
    judged: list[tuple[Trial, int]] = []
    for trial in trials:
        after = _reserve_errors(own, kept, trial[2], temperature)
        judged.append((trial, after))
        if not _drops_too_much(before, after, len(kept)):
            return judged[-1]
    return min(judged, key=lambda pair: pair[1])


def folds_of(labels: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Fold of each sample, int64 (n,), 0..folds-1: every digit is dealt out evenly, in its own order."""
    fold = np.zeros(len(labels), np.int64)
    dealt = 0
    for label in np.unique(labels):
        index = np.flatnonzero(labels == label)
        fold[index] = (dealt + np.arange(len(index))) % folds
        dealt += len(index)
    return fold


def _cross_validate(own: Own, kept: Kept, method: Method, temperature: float, folds: int) -> tuple[int, NDArray[np.float64]]:
    """Errors on the samples left out, and their log-losses, which decide between methods with as many errors.

    A sample that is left out is left out with its copies, and only itself is judged.
    """
    fold = folds_of(own.labels, folds)
    logits = np.zeros((len(own), DIGITS), np.float32)
    for out in range(folds):
        held = fold == out
        logits[held] = method.fit(own.take(~held), kept, temperature).apply(own.outputs.take(held))
    return count_errors(logits, own.labels), _log_losses(logits, own.labels, temperature)


def _log_losses(logits: NDArray[np.float32], labels: NDArray[np.int64], temperature: float) -> NDArray[np.float64]:
    right = softmax(logits[:, :DIGITS].astype(np.float64) / temperature)[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(right, 1e-12)), np.float64)


def _reserve_errors(own: Own, kept: Kept, method: Method, temperature: float) -> int:
    """Errors on each half of the reserve of a head that learned with the other half alone."""
    half = np.arange(len(kept)) < len(kept) // 2
    errors = 0
    for part in (half, ~half):
        learned = method.fit(own, kept.take(~part), temperature)
        errors += count_errors(learned.apply(kept.outputs.take(part)), kept.labels[part])
    return errors


def count_errors(logits: NDArray[np.float32], labels: NDArray[Any]) -> int:
    """Number of rows whose best digit is not its label. logits : float32 (n, 10) or (n, 11). labels : 0..9, (n,)."""
    return int((logits[:, :DIGITS].argmax(axis=1) != labels).sum())


def _drops_too_much(before: int, after: int, count: int) -> bool:
    return 100.0 * (after - before) > LARGEST_RESERVE_DROP * count


def require_better(figures: Figures) -> None:
    """Raises AdaptationRefusedError, with the figures, when own digits or the reserve would be read worse."""
    reasons = []
    if figures.own_errors_after > figures.own_errors_before:
        reasons.append("own digits would be read worse")
    elif figures.own_errors_after == figures.own_errors_before and not figures.own_loss_gain > figures.own_loss_gain_error:
        reasons.append("the shipped model reads this hand as well, and what it would gain in sureness may be chance")
    if figures.own_errors_after > LARGEST_OWN_ERROR * figures.samples:
        reasons.append("most own digits would still be read as others, so the labels cannot be right")
    if _drops_too_much(figures.reserve_errors_before, figures.reserve_errors_after, figures.reserve_tiles):
        reasons.append(f"other hands would lose {figures.reserve_drop:.2f} points, {LARGEST_RESERVE_DROP} are allowed")
    if reasons:
        raise AdaptationRefusedError(
            f"not adapted, because {' and '.join(reasons)}: {figures.text()}; nothing was written; check the labels or give more samples"
        )
