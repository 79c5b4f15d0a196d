"""Judges a companion's int8 file against its float file on what neither was trained on, and both against the gates.

    python -m calibration.companions.judge --float F.onnx --int8 Q.onnx --sets S.npz --out VERDICT.json

An example counts as read when all that stands on it was: the label of a glyph, with the corrections added to what the tile
classifier said, or every label of a run of ink. Of parts of pages each pixel of ink counts. Exits with 3 when a gate is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration import latency
from calibration.companions.candidate import Candidate, largest_difference, load_candidate, readings
from calibration.companions.sets import CompanionSets, Examples, load_companion_sets
from calibration.companions.stroke_figures import stroke_figures
from calibration.errors import CalibrationError, report
from calibration.gates import COMMITTED_GATES, FILE_GROUP, Gates, load_gates
from calibration.judge import PRECISIONS, VERDICT_FORMAT, machine_facts, report_verdict
from edge_digits.recognition.companions import CONTRACTS, as_companion_input
from edge_digits.recognition.weights import NOT_ONE_DIGIT

GROUPS: Final = {"context": "proposals", "strings": "strips", "finder": "parts"}
"""Name of the figures, by kind; the gates are named alike."""
ROUNDS: Final = 8


def judge_companion(candidates: Mapping[str, Candidate], sets: CompanionSets, gates: Gates, rounds: int = ROUNDS) -> dict[str, Any]:
    """The verdict: files, figures, latency, the gates one by one, and whether all were passed.

    candidates : "float" and "int8". rounds : of the latency measurement. Raises CalibrationError for files and sets of
    different kinds.
    """
    kinds = {sets.kind, *(candidate.card.kind for candidate in candidates.values())}
    if len(kinds) > 1:
        raise CalibrationError(f"files and sets of kinds {', '.join(sorted(kinds))}; give those that belong together")
    measured = {
        FILE_GROUP: {f"{kind}_bytes": len(candidates[kind].data) for kind in PRECISIONS},
        GROUPS[sets.kind]: _figures(candidates, sets.held_out),
    }
    checks = [gate.check(measured) for gate in gates.gates]
    return {
        "format": VERDICT_FORMAT,
        "kind": sets.kind,
        "passed": all(check["passed"] for check in checks),
        "gates": checks,
        "gates_sha256": gates.sha256,
        "sets_sha256": sets.sha256,
        "files": {kind: _file_facts(candidates[kind]) for kind in PRECISIONS},
        "figures": measured,
        "latency_us_per_input": _latency(candidates, sets, rounds),
        "machine": machine_facts(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _figures(candidates: Mapping[str, Candidate], examples: Examples) -> dict[str, Any]:
    if examples.strokes is not None:
        return stroke_figures(candidates, examples)
    outputs = {kind: candidates[kind].all_outputs(examples) for kind in PRECISIONS}
    found = {kind: readings(outputs[kind], examples) for kind in PRECISIONS}
    digits = np.array([NOT_ONE_DIGIT not in labels for labels in examples.labels])
    result: dict[str, Any] = {"inputs": len(examples)}
    for kind in PRECISIONS:
        right = _same(found[kind], examples.labels)
        result[f"{kind}_accuracy_percent"] = _percent(right)
        for name, chosen in (("digits", digits), ("others", ~digits)):
            if chosen.any():
                result[f"{kind}_{name}_accuracy_percent"] = _percent(right[chosen])
    if examples.said is not None:
        nothing_added = [np.zeros_like(batch) for batch in outputs["float"]]
        result["alone_accuracy_percent"] = _percent(_same(readings(nothing_added, examples), examples.labels))
        result |= {f"{kind}_gain_points": result[f"{kind}_accuracy_percent"] - result["alone_accuracy_percent"] for kind in PRECISIONS}
    result["drop_points"] = result["float_accuracy_percent"] - result["int8_accuracy_percent"]
    result["agreement_percent"] = _percent(_same(found["float"], found["int8"]))
    result["largest_output_difference"] = largest_difference(outputs["float"], outputs["int8"])
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in result.items()}


def _same(first: Sequence[tuple[int, ...]], second: Sequence[tuple[int, ...]]) -> NDArray[np.bool_]:
    return np.array([a == b for a, b in zip(first, second, strict=True)], np.bool_)


def _percent(right: NDArray[np.bool_]) -> float:
    return 100.0 * float(right.mean())


def _file_facts(candidate: Candidate) -> dict[str, Any]:
    sha256 = hashlib.sha256(candidate.data).hexdigest()
    return {"file": candidate.path.name, "bytes": len(candidate.data), "sha256": sha256, "training": candidate.card.training}


def _latency(candidates: Mapping[str, Candidate], sets: CompanionSets, rounds: int) -> dict[str, Any]:
    """Of inputs of the commonest width."""
    commonest = max(sets.held_out.groups, key=len)[: latency.TILES_A_TURN]
    engines = {kind: candidates[kind].engine for kind in PRECISIONS}
    return {
        "width_px": int(commonest.shape[-1]),
        **latency.measure(engines, as_companion_input(commonest), rounds, CONTRACTS[sets.kind].output),
    }


def as_table(verdict: Mapping[str, Any]) -> str:
    """The verdict for people."""
    figures = verdict["figures"][GROUPS[verdict["kind"]]]
    lines = [f"{verdict['kind']}, {figures['inputs']} {GROUPS[verdict['kind']]}: agree {figures['agreement_percent']:.2f} %"]
    if "alone_accuracy_percent" in figures:
        lines.append(f"tile classifier alone {figures['alone_accuracy_percent']:.2f} %")
    for kind in PRECISIONS:
        shares = [f"{label} {figures[key]:.2f} %" for label, key in _shares(kind) if key in figures]
        timed = verdict["latency_us_per_input"][kind]
        times = ", ".join(f"{key.replace('_', ' ')} {value['p50']:.0f}" for key, value in timed.items())
        lines.append(f"{kind:6}{verdict['files'][kind]['bytes']:>8} bytes; right {', '.join(shares)}; us an input, one thread: {times}")
    for check in verdict["gates"]:
        value = "not measured" if check["value"] is None else f"{check['value']:g}"
        lines.append(f"{'pass' if check['passed'] else 'FAIL'}  {check['gate']} {check['bound']} {check['limit']:g}: {value}")
    return "\n".join(lines)


def _shares(kind: str) -> list[tuple[str, str]]:
    return [("all", f"{kind}_accuracy_percent"), *((part, f"{kind}_{part}_accuracy_percent") for part in ("digits", "others"))]


def main(argv: Sequence[str] | None = None) -> int:
    """Judge two files; exit code 3 when a gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m calibration.companions.judge", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--float", required=True, type=Path, dest="float_path", metavar="F.onnx")
    parser.add_argument("--int8", required=True, type=Path, dest="int8_path", metavar="Q.onnx")
    parser.add_argument("--sets", required=True, type=Path, metavar="S.npz", help="of `python -m export.companion_sets`")
    parser.add_argument("--gates", type=Path, default=COMMITTED_GATES, metavar="GATES.toml", help="default: calibration/gates.toml")
    parser.add_argument("--out", required=True, type=Path, metavar="VERDICT.json", help="where the verdict is written")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the latency measurement (default %(default)s)")
    arguments = parser.parse_args(argv)
    return report("calibration.companions.judge", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.rounds < 1:
        raise CalibrationError(f"rounds is {arguments.rounds}; give a number above 0")
    sets = load_companion_sets(arguments.sets)
    gates = load_gates(arguments.gates, sets.kind)
    candidates = {"float": load_candidate(arguments.float_path), "int8": load_candidate(arguments.int8_path)}
    verdict = judge_companion(candidates, sets, gates, arguments.rounds)
    return report_verdict("calibration.companions.judge", verdict, as_table(verdict), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
