"""From a samples folder to a named model that `--model NAME` reads with: what `adapt`, the page and reviewing call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_digits.errors import UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import make_tiles
from edge_digits.personal.adaptation import Adaptation, adapt, count_errors, outputs_of
from edge_digits.personal.head import Difference
from edge_digits.personal.reserve import load_reserve
from edge_digits.personal.samples import Samples, find_samples, read_samples, require_some
from edge_digits.recognition.adapted import AdaptedHead, check_name, find_adapted, save_adapted
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.weights import PRECISIONS, is_path, load_manifest


@dataclass(frozen=True, slots=True)
class OwnModel:
    """An adapted model that was written.

    name : for `--model`. path : of its file. adaptation : what was learned, and the figures before and after.
    tested : errors on the samples kept apart for it, {} without any. metadata : as the file holds it.
    skipped : one line for each picture that could not be used.
    """

    name: str
    path: Path
    adaptation: Adaptation
    tested: Mapping[str, int]
    metadata: Mapping[str, Any]
    skipped: tuple[str, ...]

    def text(self) -> str:
        """One line for people."""
        return f"{self.name}: {self.adaptation.figures.text()}{_test_text(self.tested)}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"name": self.name, **self.metadata}


def make_own_model(folder: Path, name: str, options: RecognitionOptions | None = None) -> OwnModel:
    """Adapt the model of the options to the samples of a folder and write it under a name, or refuse and write nothing.

    A former model of that name is kept for `roll_back`. Raises UsageError, InputNotFoundError without a usable sample,
    ModelError, AdaptationRefusedError with the figures where own digits, or those of others, would be read worse.
    """
    options = options or RecognitionOptions()
    check_free(name)
    if find_adapted(options.model) is not None:
        raise UsageError(f"--model '{options.model}' is itself adapted; adapt a shipped model")
    samples = read_samples(find_samples(folder))
    require_some(samples, folder)
    classifier = Classifier(options)
    adaptation = adapt(classifier, samples, load_reserve())
    tested = _test_errors(classifier, adaptation, read_samples(find_samples(folder, "test")))
    metadata = {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "samples": {"train": samples.counts(), "skipped": len(samples.skipped)},
        "figures": {**adaptation.figures.to_dict(), **tested},
    }
    path = save_adapted(as_head(name, adaptation.difference, classifier, options.model, metadata))
    return OwnModel(name, path, adaptation, tested, metadata, tuple(samples.skipped))


def as_head(name: str, difference: Difference, classifier: Classifier, model: str, metadata: Mapping[str, Any]) -> AdaptedHead:
    """A fitted difference as an adapted head over the model that the classifier runs. model : as it was named by the options."""
    if classifier.adapted is not None:
        base = classifier.adapted.base_model
    else:
        # To be found again from whatever folder, and whatever the default will be.
        base = str(Path(model).resolve()) if is_path(model) else classifier.file.name
    return AdaptedHead(name, difference.weights, difference.bias, base, _base_files(classifier), metadata)


def check_free(name: str) -> None:
    """Raises UsageError for a name that cannot be, or that a shipped model has."""
    check_name(name)
    if name in {"default", *load_manifest()["models"]}:
        raise UsageError(f"name '{name}' is that of a shipped model; choose another")


def _base_files(classifier: Classifier) -> dict[str, str]:
    """SHA-256 of the base's files by precision: the head fitted to one serves its twin as well."""
    entry = classifier.file.entry
    twins: dict[str, str] = {kind: entry[kind]["sha256"] for kind in PRECISIONS if kind in entry}
    return {**twins, classifier.precision: classifier.file.sha256}


def _test_errors(classifier: Classifier, adaptation: Adaptation, test: Samples) -> dict[str, int]:
    if len(test) == 0:
        return {}
    outputs = outputs_of(classifier, make_tiles(test.glyphs))
    return {
        "test_samples": len(test),
        "test_errors_before": count_errors(outputs.logits, test.labels),
        "test_errors_after": count_errors(adaptation.difference.apply(outputs), test.labels),
    }


def _test_text(tested: Mapping[str, int]) -> str:
    if not tested:
        return ""
    return f"; test errors {tested['test_errors_before']} -> {tested['test_errors_after']} of {tested['test_samples']}"
