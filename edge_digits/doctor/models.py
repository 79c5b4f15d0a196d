"""Do the models load and compute what they should, and was the provider obtained? Tried in a fresh process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edge_digits.bench.children import run_child
from edge_digits.doctor.finding import Finding
from edge_digits.doctor.speed import look_at_speed
from edge_digits.errors import EdgeDigitsError, ExitCode, ModelError, ProviderError
from edge_digits.options import Precision, Provider, RecognitionOptions

FILES: Final[tuple[Precision, ...]] = ("int8", "float")
"""Precisions of a published network's files."""

MODEL_CODE: Final = """
from edge_digits.doctor.models import examine_model
result.update(examine_model(*argument))
"""


def try_models(options: RecognitionOptions) -> dict[str, Any]:
    """What examine_model finds, in a fresh process. Raises ChildDiedError."""
    return run_child(MODEL_CODE, (options.model, options.provider))[0]


def look_at_models(report: Mapping[str, Any], asked: Provider) -> Iterator[Finding]:
    """report : of examine_model. asked : the provider that was asked for."""
    for precision, entry in report["models"].items():
        yield _model(precision, entry)
    yield from map(_companion, report["companions"])
    yield _provider(asked, report["provider"])
    if report["speed"]:
        yield look_at_speed(report["speed"])


def examine_model(model: str, provider: Provider) -> dict[str, Any]:
    """Self-test both precisions on the CPU, build a session with the provider, time both.

    Returns {"models": {"int8" | "float": {"difference"} or {"error"} or {"left_out"}}, "companions": [...], "provider": {...},
    "speed": what time_precisions gives, {} where a model is broken}; a precision is left out where the model was published without it.
    """
    from edge_digits.doctor.speed import time_precisions
    from edge_digits.recognition.classifier import GOLDEN_TOLERANCE, Classifier

    models: dict[str, dict[str, Any]] = {}
    published: dict[str, Any] = {}
    companions: list[dict[str, Any]] = []
    for precision in FILES:
        try:
            classifier = Classifier(RecognitionOptions(model, "cpu", precision))
            facts = {"name": classifier.name, "sha256": classifier.sha256, "golden": classifier.file.golden is not None}
            models[precision] = {**facts, "difference": classifier.self_test(), "tolerance": GOLDEN_TOLERANCE[precision]}
            published = classifier.file.entry
            companions = companions or _examine_companions(classifier.file.folder)
        except ModelError as error:
            models[precision] = {"error": str(error)}
    for kind in models:
        if published and kind not in published:
            models[kind] = {"left_out": [check["gate"] for check in published.get(f"{kind}_refused", {}).get("missed", [])]}
    sound = [kind for kind in FILES if "difference" in models[kind]]
    speed = {} if any("error" in entry for entry in (*models.values(), *companions)) else time_precisions(model, sound)
    return {"models": models, "companions": companions, "provider": _try_provider(model, provider), "speed": speed}


def _examine_companions(folder: Path) -> list[dict[str, Any]]:
    """Self-test the files of the networks beside the classifier: {"kind", "error"} or {"kind", precision: {"bytes", "difference"}}.

    Those of the classifier's own folder, and the shipped ones where it holds none, as a Reader takes them.
    """
    from edge_digits.recognition.companions import companion_files, open_companion
    from edge_digits.recognition.weights import WEIGHTS_FOLDER

    found: list[dict[str, Any]] = []
    own = companion_files(folder)
    for kind, files in (companion_files() | own).items():
        home = folder if kind in own else WEIGHTS_FOLDER
        entry: dict[str, Any] = {"kind": kind}
        for precision in (p for p in FILES if p in files):
            try:
                companion = open_companion(kind, RecognitionOptions(precision=precision), home)
            except ModelError as error:
                entry["error"] = str(error)
                continue
            if companion is not None:
                entry[precision] = {"bytes": len(companion.file.data), "difference": companion.self_test()}
        found.append(entry)
    return found


def _try_provider(model: str, provider: Provider) -> dict[str, Any]:
    from edge_digits.recognition.classifier import Classifier
    from edge_digits.recognition.engine import load_onnxruntime

    compiled_in = load_onnxruntime().get_available_providers()
    try:
        classifier = Classifier(RecognitionOptions(model, provider))
    except ProviderError as error:
        return {"compiled_in": compiled_in, "error": str(error)}
    except EdgeDigitsError:
        return {"compiled_in": compiled_in, "obtained": None}
    return {"compiled_in": compiled_in, "obtained": classifier.provider, "precision": classifier.precision}


def _model(precision: str, entry: dict[str, Any]) -> Finding:
    check = f"model {precision}"
    if "error" in entry:
        return Finding(check, "fail", entry["error"], "reinstall edge-digits, or name a sound model with --model", ExitCode.MODEL)
    if "left_out" in entry:
        reason = f"missed {', '.join(entry['left_out'])}" if entry["left_out"] else "the manifest has none"
        return Finding(check, "ok", f"not published ({reason}); the other precision runs on the CPU")
    found = f"{entry['name']} {entry['sha256'][:12]}"
    if not entry["golden"]:
        return Finding(check, "warn", f"{found}, loads; has no golden tiles to test it with", "publish it with a manifest")
    return Finding(check, "ok", f"{found}, golden logits differ by {entry['difference']:.2g} at most (allowed {entry['tolerance']:g})")


def _companion(entry: dict[str, Any]) -> Finding:
    check = entry["kind"]
    if "error" in entry:
        return Finding(check, "fail", entry["error"], "reinstall edge-digits", ExitCode.MODEL)
    files = [f"{p} {entry[p]['bytes']:,} bytes, off by {entry[p]['difference']:.2g}" for p in FILES if p in entry]
    return Finding(check, "ok", f"{'; '.join(files)} at most on golden inputs")


def _provider(asked: str, entry: dict[str, Any]) -> Finding:
    if "error" in entry:
        return Finding("provider", "fail", entry["error"], "use --provider cpu, or repair CUDA and try again", ExitCode.PROVIDER)
    if entry["obtained"] is None:
        return Finding("provider", "warn", f"{asked} asked for, not tried: no model loads", "repair the model first")
    found = f"{asked} asked for, {entry['obtained']} obtained, {entry['precision']} model"
    if asked == "auto" and "CUDAExecutionProvider" in entry["compiled_in"] and entry["obtained"] != "CUDAExecutionProvider":
        return Finding("provider", "warn", found, "CUDA is compiled in but gave no session: check the driver, CUDA and cuDNN")
    return Finding("provider", "ok", found)
