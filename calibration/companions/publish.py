"""Puts a judged companion into the product: files, golden inputs, manifest; refuses what no verdict has passed.

    python -m calibration.companions.publish --float F.onnx --int8 Q.onnx --verdict VERDICT.json --mnist DIR

As calibration/publish.py does it for the tile classifier, beside which it is put: the files are first loaded from a folder of
their own by the product itself, self-test included; then they are replaced, all or none, the manifest last.
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
from typing import Any

from calibration.companions import golden
from calibration.companions.candidate import Candidate, load_candidate
from calibration.companions.judge import GROUPS
from calibration.errors import CalibrationError, report
from calibration.gates import load_gates, read_toml
from calibration.golden import mnist_training_part
from calibration.publish import (
    SHIPPED,
    TRAINING_SETS,
    WEIGHTS_LICENCE,
    load_verdict,
    missed_gates,
    refuse_unless_float_passes,
    refuse_unless_passed,
    replace_files,
)
from edge_digits.options import Precision, RecognitionOptions
from edge_digits.recognition.companions import open_companion
from edge_digits.recognition.weights import MANIFEST_NAME, WEIGHTS_FOLDER, load_manifest


def publish_companion(
    verdict: Mapping[str, Any], candidates: Mapping[str, Candidate], mnist: Path, folder: Path, *, keep_float: bool = False
) -> dict[str, Any]:
    """Write files and manifest of a judged pair; returns the manifest's entry.

    candidates : "float" and "int8". mnist : folder of the MNIST idx files. folder : of shipped models, with a manifest;
    everything else in it stays. keep_float : where int8 missed a gate, publish the float file alone.
    Raises RefusedError, CalibrationError, ModelError; the folder is then as before.
    """
    kind = _kind(verdict, candidates)
    manifest = load_manifest(folder)
    kinds, extra = SHIPPED, {}
    if keep_float and verdict.get("passed") is False and missed_gates(verdict["gates"]):
        checks = refuse_unless_float_passes(verdict, candidates)
        kinds, extra = ("float",), {"int8_refused": {"missed": [check for check in verdict["gates"] if check["passed"] is not True]}}
        verdict = {**verdict, "gates": checks}
    else:
        refuse_unless_passed(verdict, candidates)
    chosen: dict[str, Candidate] = {precision: candidates[precision] for precision in kinds}
    contents = _files(kind, chosen, mnist)
    entry = {**_entry(kind, verdict, chosen, contents), **extra}
    manifest = {**manifest, "companions": {**manifest.get("companions", {}), kind: entry}}
    contents[MANIFEST_NAME] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    _prove(kind, contents, kinds)
    stale = [f"{kind}.{precision}.{end}" for precision in SHIPPED if precision not in kinds for end in ("onnx", "golden.npz")]
    replace_files(folder, contents, stale)
    return entry


def _kind(verdict: Mapping[str, Any], candidates: Mapping[str, Candidate]) -> str:
    kinds = {str(verdict.get("kind", "tile classifier")), *(candidate.card.kind for candidate in candidates.values())}
    if len(kinds) > 1:
        raise CalibrationError(f"verdict and files of kinds {', '.join(sorted(kinds))}; give those that belong together")
    return kinds.pop()


def _files(kind: str, candidates: Mapping[str, Candidate], mnist: Path) -> dict[str, bytes]:
    inputs = golden.choose_golden(kind, mnist_training_part(mnist), candidates)
    contents: dict[str, bytes] = {}
    for precision, candidate in candidates.items():
        contents[f"{kind}.{precision}.onnx"] = candidate.data
        contents[f"{kind}.{precision}.golden.npz"] = golden.as_npz(inputs, candidate.outputs(inputs))
    return contents


def _entry(kind: str, verdict: Mapping[str, Any], candidates: Mapping[str, Candidate], contents: Mapping[str, bytes]) -> dict[str, Any]:
    card = next(iter(candidates.values())).card
    figures = verdict["figures"][GROUPS[kind]]
    return {
        **{precision: _file_entry(kind, precision, verdict, contents) for precision in candidates},
        **({"agreement_percent": {GROUPS[kind]: figures["agreement_percent"]}} if "int8" in candidates else {}),
        **({"not_one_digit_share": card.not_one_digit_share} if kind == "context" else {}),
        "licence": WEIGHTS_LICENCE,
        "training": card.training,
        "training_sets": training_sets(card.training),
        "judged": {
            "date": verdict["date"],
            "machine": verdict["machine"],
            "gates": verdict["gates"],
            "committed_gates": verdict["gates_sha256"] == load_gates(companion=kind).sha256,
            "sets_sha256": verdict["sets_sha256"],
        },
        "published": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def _file_entry(kind: str, precision: str, verdict: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    file, golden_file = f"{kind}.{precision}.onnx", f"{kind}.{precision}.golden.npz"
    figures, prefix = verdict["figures"][GROUPS[kind]], f"{precision}_"
    own = {key.removeprefix(prefix): value for key, value in figures.items() if key.startswith(prefix)}
    return {
        "file": file,
        "bytes": len(contents[file]),
        "sha256": hashlib.sha256(contents[file]).hexdigest(),
        "golden": {"file": golden_file, "sha256": hashlib.sha256(contents[golden_file]).hexdigest()},
        "figures": {GROUPS[kind]: {"inputs": figures["inputs"], **own}},
        "latency_us_per_input": {"width_px": verdict["latency_us_per_input"]["width_px"], **verdict["latency_us_per_input"][precision]},
    }


def training_sets(training: Mapping[str, Any]) -> dict[str, Any]:
    """Title, source and licence of each set that the training record names under "sets".

    Raises CalibrationError for a record without a commit or sets, or a set of unknown licence.
    """
    known, names = read_toml(TRAINING_SETS), training.get("sets")
    if "commit" not in training or not isinstance(names, list) or not names:
        raise CalibrationError("the training record tells no commit or no sets; finish the run and export the network again")
    unknown = sorted(str(name) for name in names if name not in known)
    if unknown:
        raise CalibrationError(f"training set(s) {', '.join(unknown)}: not in calibration/training_sets.toml; add source and licence")
    return {name: known[name] for name in names}


def _prove(kind: str, contents: Mapping[str, bytes], kinds: Sequence[Precision]) -> None:
    """Load the files as a reader would, self-test included, before anything is replaced."""
    with tempfile.TemporaryDirectory(prefix="edge_digits_publish_") as staged:
        for file, data in contents.items():
            (Path(staged) / file).write_bytes(data)
        for precision in kinds:
            open_companion(kind, RecognitionOptions(precision=precision), Path(staged))


def main(argv: Sequence[str] | None = None) -> int:
    """Publish; exit code 3 when refused."""
    parser = argparse.ArgumentParser(prog="python -m calibration.companions.publish", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--float", required=True, type=Path, dest="float_path", metavar="F.onnx")
    parser.add_argument("--int8", required=True, type=Path, dest="int8_path", metavar="Q.onnx")
    parser.add_argument("--verdict", required=True, type=Path, metavar="VERDICT.json", help="of `python -m calibration.companions.judge`")
    parser.add_argument("--mnist", required=True, type=Path, metavar="DIR", help="folder of the MNIST idx files, for the golden inputs")
    parser.add_argument("--keep-float", action="store_true", help="where int8 missed a gate, publish the float file alone, if that passes")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER, metavar="DIR", help="default: the product's own weights")
    arguments = parser.parse_args(argv)
    return report("calibration.companions.publish", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    verdict = load_verdict(arguments.verdict)
    candidates = {"float": load_candidate(arguments.float_path), "int8": load_candidate(arguments.int8_path)}
    entry = publish_companion(verdict, candidates, arguments.mnist, arguments.out, keep_float=arguments.keep_float)
    if "int8_refused" in entry:
        print(f"int8 misses {missed_gates(entry['int8_refused']['missed'])}: float alone is published", file=sys.stderr)
    for precision in (precision for precision in SHIPPED if precision in entry):
        part = entry[precision]
        print(f"{arguments.out / part['file']}: {part['bytes']} bytes, SHA-256 {part['sha256']}", file=sys.stderr)
    if not entry["judged"]["committed_gates"]:
        print("judged by other gates than calibration/gates.toml: a network to work with, not one to release", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
