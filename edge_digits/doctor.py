"""`edge-digits doctor`: is this installation sound, and if not, what to do about it. One screen.

Everything that may be broken is tried in a fresh process, since an import on the wrong machine can die of an illegal
instruction, which no `except` survives.

Exit codes: 0 nothing failed (warnings allowed); 2 the installation is broken; 3 a model is missing or damaged;
5 the asked-for provider was not obtained. The first of these that applies.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from edge_digits.bench import machine
from edge_digits.bench.children import ChildDiedError, run_child
from edge_digits.errors import EdgeDigitsError, ExitCode, ModelError, ProviderError
from edge_digits.options import PROVIDERS, Precision, Provider, RecognitionOptions

Status = Literal["ok", "warn", "fail"]

EXTRAS: Final = {
    "documents": ("pypdfium2",),
    "web": ("starlette", "uvicorn", "python_multipart"),
    "xlsx": ("xlsxwriter",),
    "parquet": ("pyarrow",),
    "forms": ("reportlab",),
    "watch-folder": ("watchdog",),
    "cluster": ("ray",),
    "evaluate": ("scipy",),
    "assign": ("scipy",),
}
"""Modules of the extras that may be added to any installation; the same as in pyproject.toml."""

OPENCV: Final = tuple(name for name in machine.DISTRIBUTIONS if name.startswith("opencv"))
RUNTIMES: Final = ("onnxruntime", "onnxruntime-gpu")

FILES: Final[tuple[Precision, ...]] = ("int8", "float")
"""Precisions of a published network's files."""

FAILURES: Final = (ExitCode.USAGE, ExitCode.MODEL, ExitCode.PROVIDER)
"""Worst first: a broken installation explains a model that does not load, and that a provider that is not obtained."""

SLOWER: Final = 1.1
"""int8 is called slower than float from this ratio on; below it, two runs disagree."""

OPENCV_CODE: Final = """
import cv2
result["version"] = cv2.__version__
gui = [line.split(":", 1)[1].strip() for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:")]
result["gui"] = gui[0] if gui else "NONE"
"""

MODEL_CODE: Final = """
from edge_digits.doctor import examine_model
result.update(examine_model(*argument))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    status : "ok", "warn" (works, but could be better) or "fail". found : what there is.
    advice : what to do, "" when there is nothing to do. exit_code : of a failure.
    """

    check: str
    status: Status
    found: str
    advice: str = ""
    exit_code: ExitCode = ExitCode.OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print the findings as one JSON object")
    parser.add_argument("--model", default="default", metavar="NAME|PATH", help="model to test (default %(default)s)")
    parser.add_argument("--provider", default="auto", metavar="NAME", help=f"provider to try: {', '.join(PROVIDERS)} (default %(default)s)")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Look at everything and print it."""
    options = RecognitionOptions(arguments.model, arguments.provider)
    findings = list(examine(options))
    code = verdict(findings)
    if arguments.json:
        report = {"exit_code": int(code), "machine": machine.machine_facts(), "software": machine.software_facts()}
        entries = [{**asdict(finding), "exit_code": int(finding.exit_code)} for finding in findings]
        print(json.dumps({**report, "findings": entries}, indent=1, ensure_ascii=False))
        return code
    for finding in findings:
        print(f"{finding.status:5} {finding.check:12} {finding.found}")
        if finding.advice:
            print(f"{'':18} -> {finding.advice}")
    return code


def verdict(findings: list[Finding]) -> ExitCode:
    """The exit code of a list of findings: the worst failure, OK without any."""
    codes = {finding.exit_code for finding in findings if finding.status == "fail"}
    return next((code for code in FAILURES if code in codes), ExitCode.OK)


def examine(options: RecognitionOptions) -> Iterator[Finding]:
    """Look at the interpreter, the CPU, the libraries, the models, the provider, the extras."""
    yield _python(struct.calcsize("P") * 8, platform.machine())
    yield _cpu(machine.machine_facts())
    versions = machine.software_facts()
    libraries = [_numpy(), _opencv(), _clash("opencv", OPENCV, versions), _runtime(), _clash("onnxruntime", RUNTIMES, versions)]
    found = [finding for finding in libraries if finding is not None]
    yield from found
    if not any(finding.status == "fail" and finding.check in ("numpy", "opencv", "onnxruntime") for finding in found):
        yield from _models(options)
    yield from map(_extra, EXTRAS)


def _broken(check: str, found: str, advice: str) -> Finding:
    return Finding(check, "fail", found, advice, ExitCode.USAGE)


def _python(bits: int, architecture: str) -> Finding:
    found = f"{platform.python_version()}, {bits} bit, {architecture}"
    if bits < 64:
        return _broken("python", found, "onnxruntime has no 32-bit wheels: install a 64-bit operating system and its Python")
    return Finding("python", "ok", found)


def _cpu(facts: dict[str, Any]) -> Finding:
    found = f"{facts['board'] or facts['cpu'] or facts['architecture']}, {facts['cores_usable']} of {facts['cores']} cores"
    names = ", ".join(facts["features"])
    return Finding("cpu", "ok", f"{found}; {names or 'instruction sets unknown'}")


def _numpy() -> Finding:
    try:
        result, _ = run_child("import numpy\nresult['version'] = numpy.__version__")
    except ChildDiedError as error:
        return _broken("numpy", f"cannot be imported: {error.reason}", "pip install --force-reinstall numpy")
    return Finding("numpy", "ok", result["version"])


def _opencv() -> Finding:
    try:
        result, _ = run_child(OPENCV_CODE)
    except ChildDiedError as error:
        advice = 'pip install "edge-digits[cpu]"'
        if ".so" in error.reason:  # libGL and its like: the windowed wheel on a system without a desktop
            advice = 'pip uninstall opencv-python, then pip install "edge-digits[headless]"'
        return _broken("opencv", f"cannot be imported: {error.reason}", advice)
    if result["gui"] == "NONE":
        return Finding("opencv", "ok", f"{result['version']}, without windows", "`edge-digits watch` needs --no-window with this wheel")
    return Finding("opencv", "ok", f"{result['version']}, windows by {result['gui']}")


def _runtime() -> Finding:
    try:
        result, _ = run_child("import onnxruntime\nresult['version'] = onnxruntime.__version__")
    except ChildDiedError as error:
        advice = 'pip install "edge-digits[cpu]"'
        if error.died_of == "SIGILL":
            advice = 'this version uses instructions that the CPU lacks: pip install --upgrade "onnxruntime!=1.21.0"'
        return _broken("onnxruntime", f"cannot be imported: {error.reason}", advice)
    return Finding("onnxruntime", "ok", result["version"])


def _clash(library: str, distributions: tuple[str, ...], versions: dict[str, str]) -> Finding | None:
    """Two wheels that write the same files: the later one wins, half of the earlier one stays."""
    installed = [name for name in distributions if name in versions]
    if len(installed) < 2:
        return None
    both = " ".join(installed)
    what = "only the CPU provider works" if library == "onnxruntime" else "they overwrite each other's files"
    extras = "cpu or gpu" if library == "onnxruntime" else "cpu or headless"
    return _broken(f"{library} x{len(installed)}", f"{both}: {what}", f'pip uninstall {both}, then pip install "edge-digits[{extras}]"')


def _models(options: RecognitionOptions) -> Iterator[Finding]:
    try:
        report, _ = run_child(MODEL_CODE, (options.model, options.provider))
    except ChildDiedError as error:
        yield Finding("model", "fail", f"trying it failed: {error.reason}", "reinstall edge-digits and onnxruntime", ExitCode.MODEL)
        return
    for precision, entry in report["models"].items():
        yield _model(precision, entry)
    yield from map(_companion, report["companions"])
    yield _provider(options.provider, report["provider"])
    if report["us_per_digit"]:
        yield _speed(report["us_per_digit"])


def examine_model(model: str, provider: Provider) -> dict[str, Any]:
    """Self-test both precisions on the CPU, build a session with the provider, time both.

    Returns {"models": {"int8" | "float": {"difference"} or {"error"} or {"left_out"}}, "companions": [...], "provider": {...},
    "us_per_digit": {precision: us}}; a precision is left out where the model was published without it.
    """
    from edge_digits.bench.tiles import measure_tiles
    from edge_digits.bench.timing import Effort
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
    speeds: dict[str, float] = {}
    if not any("error" in entry for entry in models.values()):
        entries = measure_tiles(RecognitionOptions(model, "cpu"), [1], [64], Effort(20, 3, 2.0))
        speeds = {entry["precision"]: entry["us_per_digit"] for entry in entries}
    return {"models": models, "companions": companions, "provider": _try_provider(model, provider), "us_per_digit": speeds}


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


def _speed(us_per_digit: dict[str, float]) -> Finding:
    found = ", ".join(f"{precision} {us:.1f}" for precision, us in us_per_digit.items()) + " us a digit, one thread, 64 at once"
    if us_per_digit.get("int8", 0.0) > SLOWER * us_per_digit.get("float", float("inf")):
        return Finding("speed", "warn", found, "float is faster on this CPU: use --precision float")
    return Finding("speed", "ok", found)


def _extra(extra: str) -> Finding:
    missing = [module for module in EXTRAS[extra] if importlib.util.find_spec(module) is None]
    if missing:
        return Finding(f"[{extra}]", "ok", f'not installed; pip install "edge-digits[{extra}]" adds it')
    return Finding(f"[{extra}]", "ok", "installed")
