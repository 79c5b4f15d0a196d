"""`edge-digits adapt`: fits the model to one person's hand, lists what was fitted, takes it back.

Exit codes: 0 written; 1 refused by the guard or no usable samples; 2 wrong usage; 3 model missing or damaged.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_digits.arguments import add_model_arguments, model_options
from edge_digits.errors import ExitCode, ModelError, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import make_tiles
from edge_digits.personal.adaptation import Adaptation, adapt, count_errors, outputs_of
from edge_digits.personal.reserve import load_reserve
from edge_digits.personal.samples import Samples, find_samples, read_samples, require_some
from edge_digits.recognition.adapted import (
    AdaptedHead,
    adapted_names,
    check_name,
    find_adapted,
    remove_adapted,
    save_adapted,
)
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.weights import PRECISIONS, is_path, load_manifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--samples, --name, --list, --remove, --format and the model's."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--samples", type=Path, metavar="DIR", help="folder with 0..9/*.png, or with train/ and test/ of them")
    what.add_argument("--list", action="store_true", help="list the adapted models and their figures")
    what.add_argument("--remove", metavar="NAME", help="delete an adapted model; the shipped one is read with again")
    parser.add_argument("--name", help="name of the adapted model, used as `--model NAME` from then on")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed (default %(default)s)")
    add_model_arguments(parser)
    parser.epilog = "Nothing is written when own digits, or those of others, would be read worse: exit code 1, with the figures."


def run(arguments: argparse.Namespace) -> ExitCode:
    """Run the command."""
    if arguments.list:
        return _list(arguments.format)
    if arguments.remove is not None:
        print(f"removed {remove_adapted(arguments.remove)}", file=sys.stderr)
        return ExitCode.OK
    if arguments.name is None:
        raise UsageError("--samples needs a --name for the adapted model, for example --name me")
    _check_free(arguments.name)
    return _adapt(arguments.samples, arguments.name, model_options(arguments), arguments.format)


def _check_free(name: str) -> None:
    """Raises UsageError for a name that cannot be, or that a shipped model has."""
    check_name(name)
    taken = {"default", *load_manifest()["models"]}
    if name in taken:
        raise UsageError(f"name '{name}' is that of a shipped model; choose another")


def _adapt(folder: Path, name: str, options: RecognitionOptions, output: str) -> ExitCode:
    if find_adapted(options.model) is not None:
        raise UsageError(f"--model '{options.model}' is itself adapted; adapt a shipped model")
    samples = read_samples(find_samples(folder))
    for line in samples.skipped:
        print(f"edge-digits: skipped {line}", file=sys.stderr)
    require_some(samples, folder)
    classifier = Classifier(options)
    adaptation = adapt(classifier, samples, load_reserve())
    tested = _test_errors(classifier, adaptation, read_samples(find_samples(folder, "test")))
    metadata = {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "samples": {"train": samples.counts(), "skipped": len(samples.skipped)},
        "figures": {**adaptation.figures.to_dict(), **tested},
    }
    difference = adaptation.difference
    head = AdaptedHead(name, difference.weights, difference.bias, _base_name(classifier, options), _base_files(classifier), metadata)
    path = save_adapted(head)
    print(f"edge-digits: wrote {path}, {path.stat().st_size} bytes; use it with --model {name}", file=sys.stderr)
    if output == "json":
        print(json.dumps({"name": name, **metadata}))
    else:
        print(f"{name}: {adaptation.figures.text()}{_test_text(tested)}")
    return ExitCode.OK


def _test_errors(classifier: Classifier, adaptation: Adaptation, test: Samples) -> dict[str, int]:
    """Errors on the samples kept apart for it; {} without any."""
    if len(test) == 0:
        return {}
    outputs = outputs_of(classifier, make_tiles(test.glyphs))
    return {
        "test_samples": len(test),
        "test_errors_before": count_errors(outputs.logits, test.labels),
        "test_errors_after": count_errors(adaptation.difference.apply(outputs), test.labels),
    }


def _test_text(tested: dict[str, int]) -> str:
    if not tested:
        return ""
    return f"; test errors {tested['test_errors_before']} -> {tested['test_errors_after']} of {tested['test_samples']}"


def _base_name(classifier: Classifier, options: RecognitionOptions) -> str:
    """How to find the base again, from whatever folder and whatever the default will be."""
    return str(Path(options.model).resolve()) if is_path(options.model) else classifier.file.name


def _base_files(classifier: Classifier) -> dict[str, str]:
    """SHA-256 of the base's files by precision: the head fitted to one serves its twin as well."""
    entry = classifier.file.entry
    twins: dict[str, str] = {kind: entry[kind]["sha256"] for kind in PRECISIONS if kind in entry}
    return {**twins, classifier.precision: classifier.file.sha256}


def _list(output: str) -> ExitCode:
    code = ExitCode.OK
    for name in adapted_names():
        try:
            head = find_adapted(name)
        except ModelError as error:
            print(f"edge-digits: {error}", file=sys.stderr)
            code = ExitCode.MODEL
            continue
        if head is None:
            continue
        entry: dict[str, Any] = {"name": name, **head.metadata}
        figures = entry.get("figures", {})
        if output == "json":
            print(json.dumps(entry))
        else:
            own = f"own errors {figures.get('own_errors_before')} -> {figures.get('own_errors_after')} of {figures.get('samples')}"
            print(f"{name}: on {head.base_model}, {entry.get('created')}, {own}")
    return code
