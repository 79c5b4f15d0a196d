"""Puts a judged model into the product: files, golden tiles, manifest; refuses what no verdict has passed.

The verdict names the files by SHA-256, so a file that was changed after judging is refused as well. Everything is
first written into a folder of its own and loaded from there by the product's own classifier, self-test included; only
then are the files replaced, the manifest last.

With --keep-float a model whose int8 file misses a gate is published as its float file alone, if that reaches by itself
what the gates ask of int8: the manifest then has no int8 entry, says which gates were missed, and readers run float.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Protocol

from calibration import golden, onnx_files
from calibration.errors import CalibrationError, RefusedError, report
from calibration.gates import check_float_alone, load_gates, read_toml
from calibration.judge import PRECISIONS, VERDICT_FORMAT, Candidate, load_candidate
from edge_digits.errors import ModelNotFoundError
from edge_digits.options import Precision, RecognitionOptions
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.weights import COMPANIONS, CONTRACT_VERSION, MANIFEST_NAME, WEIGHTS_FOLDER, load_manifest

SHIPPED: Final[tuple[Precision, ...]] = ("int8", "float")
"""In the order of a manifest's entry."""
WEIGHTS_LICENCE: Final = "Apache-2.0"
TRAINING_SETS: Final = Path(__file__).resolve().parent / "training_sets.toml"


class JudgedFile(Protocol):
    """A model file that a verdict may speak of."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def data(self) -> bytes:
        """Its bytes."""


def load_verdict(path: Path) -> dict[str, Any]:
    """Read a verdict of `python -m calibration.judge`. Raises CalibrationError."""
    try:
        verdict: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if verdict["format"] != VERDICT_FORMAT or not verdict["gates"] or set(verdict["files"]) != set(PRECISIONS):
            raise CalibrationError(f"{path}: not a verdict of format {VERDICT_FORMAT}; judge the files again")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, CalibrationError):
            raise
        raise CalibrationError(f"{path}: no verdict ({error}); write one with `python -m calibration.judge`") from error
    return verdict


def refuse_unless_passed(verdict: Mapping[str, Any], candidates: Mapping[str, JudgedFile]) -> None:
    """Raises RefusedError unless every gate was passed by these very files."""
    if verdict.get("passed") is not True or missed_gates(verdict["gates"]):
        raise RefusedError(f"the verdict is no pass ({missed_gates(verdict['gates']) or 'passed is not true'}); nothing was published")
    _refuse_other_files(verdict, candidates)


def refuse_unless_float_passes(verdict: Mapping[str, Any], candidates: Mapping[str, JudgedFile]) -> list[dict[str, Any]]:
    """The gates as the float file alone passed them. Raises RefusedError when it did not, or no gate says anything of it."""
    checks = check_float_alone(verdict["gates"], verdict["figures"])
    if not checks or missed_gates(checks):
        reason = f"float misses {missed_gates(checks)}" if checks else "no gate judges the float file alone"
        raise RefusedError(f"the verdict is no pass ({missed_gates(verdict['gates'])}), and {reason}; nothing was published")
    _refuse_other_files(verdict, candidates)
    return checks


def missed_gates(checks: Sequence[Mapping[str, Any]]) -> str:
    """The gates of a verdict that were not passed, with commas; "" where all were."""
    return ", ".join(str(check.get("gate")) for check in checks if check.get("passed") is not True)


def _refuse_other_files(verdict: Mapping[str, Any], candidates: Mapping[str, JudgedFile]) -> None:
    for kind in PRECISIONS:
        found, judged = hashlib.sha256(candidates[kind].data).hexdigest(), verdict["files"][kind]["sha256"]
        if found != judged:
            raise RefusedError(
                f"{candidates[kind].path}: SHA-256 {found[:12]}..., judged was {judged[:12]}...; judge it again, nothing was published"
            )


def publish(
    name: str, verdict: Mapping[str, Any], candidates: Mapping[str, Candidate], mnist: Path, folder: Path, *, keep_float: bool = False
) -> dict[str, Any]:
    """Write files and manifest of a judged pair; returns the manifest's entry.

    name : of the model. candidates : "float" and "int8". mnist : folder of the MNIST idx files.
    folder : where shipped models lie; other models in its manifest stay.
    keep_float : where int8 missed a gate, publish the float file alone; the entry then has "int8_refused" in place of "int8".
    Raises RefusedError, CalibrationError, ModelError; the folder is then as before.
    """
    if name in COMPANIONS:
        raise CalibrationError(f"name is '{name}', which is that of a network beside the tile classifier; choose another")
    kinds, extra = SHIPPED, {}
    if keep_float and verdict.get("passed") is False and missed_gates(verdict["gates"]):
        checks = refuse_unless_float_passes(verdict, candidates)
        kinds, extra = ("float",), {"int8_refused": {"missed": [check for check in verdict["gates"] if check["passed"] is not True]}}
        verdict = {**verdict, "gates": checks}
    else:
        refuse_unless_passed(verdict, candidates)
    contents = _files(name, {kind: candidates[kind] for kind in kinds}, mnist)
    entry = {**_entry(name, verdict, {kind: candidates[kind] for kind in kinds}, contents), **extra}
    manifest = _manifest_with(folder, name, entry)
    contents[MANIFEST_NAME] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    _prove({**contents, MANIFEST_NAME: json.dumps({**manifest, "default": name, "models": {name: entry}}).encode()}, kinds)
    replace_files(folder, contents, [f"{name}.{kind}.{end}" for kind in SHIPPED if kind not in kinds for end in ("onnx", "golden.npz")])
    return entry


def _files(name: str, candidates: Mapping[str, Candidate], mnist: Path) -> dict[str, bytes]:
    chosen = golden.choose_golden(golden.mnist_training_part(mnist), [candidate.logits for candidate in candidates.values()])
    contents: dict[str, bytes] = {}
    for kind in candidates:
        contents[f"{name}.{kind}.onnx"] = candidates[kind].data
        contents[f"{name}.{kind}.golden.npz"] = golden.as_npz(chosen.tiles, candidates[kind].logits(chosen.tiles))
    return contents


def _entry(name: str, verdict: Mapping[str, Any], candidates: Mapping[str, Candidate], contents: Mapping[str, bytes]) -> dict[str, Any]:
    card = next(iter(candidates.values())).card
    training = card.training
    agreement = {s: row["agreement_percent"] for s, row in verdict["figures"].items() if "agreement_percent" in row}
    return {
        **{kind: _file_entry(name, kind, verdict, contents) for kind in candidates},
        **({"agreement_percent": agreement} if "int8" in candidates else {}),
        "temperature": card.temperature,
        "reject_threshold": card.reject_threshold,
        "licence": WEIGHTS_LICENCE,
        "training": training,
        "training_sets": training_sets(training),
        "judged": {
            "date": verdict["date"],
            "machine": verdict["machine"],
            "gates": verdict["gates"],
            "committed_gates": verdict["gates_sha256"] == load_gates().sha256,
            "tiles_sha256": verdict["tiles_sha256"],
        },
        "published": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def _file_entry(name: str, kind: str, verdict: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    file, golden_file = f"{name}.{kind}.onnx", f"{name}.{kind}.golden.npz"
    return {
        "file": file,
        "bytes": len(contents[file]),
        "sha256": hashlib.sha256(contents[file]).hexdigest(),
        "golden": {"file": golden_file, "sha256": hashlib.sha256(contents[golden_file]).hexdigest()},
        "figures": {s: _own_figures(kind, row) for s, row in verdict["figures"].items() if f"{kind}_accuracy_percent" in row},
        "latency_us_per_digit": verdict["latency_us_per_digit"][kind],
    }


def _own_figures(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one file, without the prefix that tells it from the other."""
    own = {key.removeprefix(f"{kind}_"): value for key, value in row.items() if key.startswith(f"{kind}_")}
    return {"tiles": row["tiles"], **own}


def training_sets(training: Mapping[str, Any]) -> dict[str, Any]:
    """Title, source, licence and number of glyphs of each set that the training record lists under "glyphs".

    Raises CalibrationError for a record without sets or a set of unknown licence.
    """
    known, glyphs = read_toml(TRAINING_SETS), training.get("glyphs")
    if not isinstance(glyphs, dict) or not glyphs:
        raise CalibrationError("the training record lists no training sets; finish the run and export the model again")
    unknown = sorted(name for name in glyphs if name not in known)
    if unknown:
        raise CalibrationError(f"training set(s) {', '.join(unknown)}: not in calibration/training_sets.toml; add source and licence")
    return {name: {**known[name], "glyphs": count} for name, count in glyphs.items()}


def _manifest_with(folder: Path, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    try:
        manifest = load_manifest(folder)
    except ModelNotFoundError:
        manifest = {"contract": CONTRACT_VERSION, "default": name, "models": {}}
    return {**manifest, "models": {**manifest["models"], name: entry}}


def _prove(contents: Mapping[str, bytes], kinds: Sequence[Precision]) -> None:
    """Load the files as a reader would, self-test included, before anything is replaced."""
    with tempfile.TemporaryDirectory(prefix="edge_digits_publish_") as staged:
        for file, data in contents.items():
            (Path(staged) / file).write_bytes(data)
        for precision in kinds:
            Classifier(RecognitionOptions(model=staged, provider="cpu", precision=precision))


def replace_files(folder: Path, contents: Mapping[str, bytes], stale: Sequence[str]) -> None:
    """All files or none; the manifest comes last, so a reader that starts in between sees a damaged model, never a wrong one.

    stale : files of an earlier publication that the manifest names no more; they go after it.
    """
    before = {file: (folder / file).read_bytes() if (folder / file).is_file() else None for file in [*contents, *stale]}
    try:
        for file in sorted(contents, key=lambda f: f == MANIFEST_NAME):
            onnx_files.write_atomically(folder / file, contents[file])
        for file in stale:
            (folder / file).unlink(missing_ok=True)
    except BaseException:
        for file, data in before.items():
            if data is None:
                (folder / file).unlink(missing_ok=True)
            else:
                onnx_files.write_atomically(folder / file, data)
        raise


def main(argv: Sequence[str] | None = None) -> int:
    """Publish; exit code 3 when refused."""
    parser = argparse.ArgumentParser(prog="python -m calibration.publish", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--float", required=True, type=Path, dest="float_path", metavar="F.onnx")
    parser.add_argument("--int8", required=True, type=Path, dest="int8_path", metavar="Q.onnx")
    parser.add_argument(
        "--verdict", required=True, type=Path, metavar="VERDICT.json", help="of `python -m calibration.judge` on these files"
    )
    parser.add_argument("--mnist", required=True, type=Path, metavar="DIR", help="folder of the MNIST idx files, for the golden tiles")
    parser.add_argument("--name", default="digits", help="name of the model (default %(default)s)")
    parser.add_argument("--keep-float", action="store_true", help="where int8 missed a gate, publish the float file alone, if that passes")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER, metavar="DIR", help="default: the product's own weights")
    arguments = parser.parse_args(argv)
    return report("calibration.publish", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    verdict = load_verdict(arguments.verdict)
    candidates = {"float": load_candidate(arguments.float_path), "int8": load_candidate(arguments.int8_path)}
    entry = publish(arguments.name, verdict, candidates, arguments.mnist, arguments.out, keep_float=arguments.keep_float)
    if "int8_refused" in entry:
        print(
            f"int8 misses {missed_gates(entry['int8_refused']['missed'])}: float alone is published, and runs on the CPU too",
            file=sys.stderr,
        )
    for kind in (kind for kind in SHIPPED if kind in entry):
        print(f"{arguments.out / entry[kind]['file']}: {entry[kind]['bytes']} bytes, SHA-256 {entry[kind]['sha256']}", file=sys.stderr)
    if not entry["judged"]["committed_gates"]:
        print("judged by other gates than calibration/gates.toml: a model to work with, not one to release", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
