"""Judges an int8 model against its float model on sets that neither was trained on, and both against the gates.

Runs them through edge_digits' own engine, so that what is judged is what readers run. Prints a table, writes every
figure into a JSON verdict, and exits with 3 when a gate is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np

from calibration import figures, latency, onnx_files
from calibration.errors import CalibrationError, report
from calibration.gates import COMMITTED_GATES, Gates, load_gates
from calibration.tile_sets import LabelledTiles, Tiles, TileSets, load_tile_sets
from edge_digits import __version__
from edge_digits.errors import ExitCode
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine, installed_runtimes
from edge_digits.recognition.weights import NOT_ONE_DIGIT, ModelCard, read_card

PRECISIONS: Final = ("float", "int8")
VERDICT_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model file on trial. path, data, engine (one thread) and card belong together."""

    path: Path
    data: bytes
    engine: Engine
    card: ModelCard

    def logits(self, tiles: Tiles) -> figures.Logits:
        """tiles : uint8 (n, 28, 28). Returns float32 (n, 11)."""
        return self.engine.run("logits", as_model_input(tiles))


def load_candidate(path: Path) -> Candidate:
    """Open a model file. Raises CalibrationError or ModelError when it is none of the contract."""
    onnx_files.load_model(path)
    data = path.read_bytes()
    engine = Engine(data, threads=1, name=str(path))
    return Candidate(path, data, engine, read_card(engine.metadata, str(path)))


def judge(candidates: Mapping[str, Candidate], sets: TileSets, gates: Gates, rounds: int = latency.ROUNDS) -> dict[str, Any]:
    """The verdict: files, figures by set, latency, the gates one by one, and whether all were passed.

    candidates : "float" and "int8". rounds : of the latency measurement.
    """
    if not sets.held_out:
        raise CalibrationError("the tiles file holds no set with labels to judge on")
    found = {kind: _logits_by_set(candidates[kind], sets.held_out) for kind in PRECISIONS}
    measured: dict[str, dict[str, Any]] = {
        "file": {f"{kind}_bytes": len(candidates[kind].data) for kind in PRECISIONS},
        **{name: _set_figures(candidates, {k: found[k][name] for k in PRECISIONS}, part) for name, part in sets.held_out.items()},
        "all_sets": _pooled(found),
    }
    checks = [gate.check(measured) for gate in gates.gates]
    tiles = as_model_input(next(iter(sets.held_out.values())).tiles[: latency.TILES_A_TURN])
    return {
        "format": VERDICT_FORMAT,
        "passed": all(check["passed"] for check in checks),
        "gates": checks,
        "gates_sha256": gates.sha256,
        "tiles_sha256": sets.sha256,
        "files": {kind: _file_facts(candidates[kind]) for kind in PRECISIONS},
        "figures": measured,
        "latency_us_per_digit": latency.measure({kind: candidates[kind].engine for kind in PRECISIONS}, tiles, rounds),
        "machine": machine_facts(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _logits_by_set(candidate: Candidate, sets: Mapping[str, LabelledTiles]) -> dict[str, figures.Logits]:
    return {name: candidate.logits(part.tiles) for name, part in sets.items()}


def _set_figures(candidates: Mapping[str, Candidate], logits: Mapping[str, figures.Logits], part: LabelledTiles) -> dict[str, Any]:
    result: dict[str, Any] = {"tiles": len(part)}
    for kind in PRECISIONS:
        card, given = candidates[kind].card, logits[kind]
        result[f"{kind}_accuracy_percent"] = figures.accuracy_percent(given, part.labels)
        if (part.labels == NOT_ONE_DIGIT).all():
            result[f"{kind}_rejected_percent"] = figures.rejected_percent(given, card.temperature, card.reject_threshold)
        else:
            result.update(_digit_figures(kind, card, given, part))
    result["drop_points"] = result["float_accuracy_percent"] - result["int8_accuracy_percent"]
    result["agreement_percent"] = figures.agreement_percent(logits["float"], logits["int8"])
    result["largest_logit_difference"] = float(np.abs(logits["float"] - logits["int8"]).max())
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in result.items()}


def _digit_figures(kind: str, card: ModelCard, logits: figures.Logits, part: LabelledTiles) -> dict[str, Any]:
    by_label = figures.accuracy_by_label_percent(logits, part.labels)
    worst = min(by_label, key=lambda label: by_label[label])
    named = figures.named(logits, card.temperature, card.reject_threshold)
    wrong = (logits.argmax(axis=1) != part.labels)[named]
    return {
        f"{kind}_worst_digit": worst,
        f"{kind}_worst_digit_percent": by_label[worst],
        f"{kind}_ece_percent": figures.calibration_error_percent(logits, part.labels, card.temperature),
        f"{kind}_named_percent": 100.0 * float(named.mean()),
        f"{kind}_named_error_percent": 100.0 * float(wrong.mean()) if named.any() else 0.0,
    }


def _pooled(found: Mapping[str, Mapping[str, figures.Logits]]) -> dict[str, Any]:
    pooled = {kind: np.concatenate(list(found[kind].values())) for kind in PRECISIONS}
    return {
        "tiles": len(pooled["float"]),
        "agreement_percent": round(figures.agreement_percent(pooled["float"], pooled["int8"]), 6),
    }


def _file_facts(candidate: Candidate) -> dict[str, Any]:
    card = candidate.card
    return {
        "file": candidate.path.name,
        "bytes": len(candidate.data),
        "sha256": hashlib.sha256(candidate.data).hexdigest(),
        "temperature": card.temperature,
        "reject_threshold": card.reject_threshold,
        "training": card.training,
    }


def machine_facts() -> dict[str, Any]:
    """What the figures were measured on: processor, system, versions."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "edge_digits": __version__,
        **installed_runtimes(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def as_table(verdict: Mapping[str, Any]) -> str:
    """The verdict for people: sets, latency, gates."""
    lines = [f"{'set':20}{'tiles':>7}{'float %':>9}{'int8 %':>9}{'agree %':>9}{'worst int8':>13}{'ECE %':>8}{'named %':>9}"]
    lines += [_set_row(name, row) for name, row in verdict["figures"].items() if "float_accuracy_percent" in row]
    lines.append("")
    for kind in PRECISIONS:
        timed = verdict["latency_us_per_digit"][kind]
        values = ", ".join(f"{key.replace('_', ' ')} {value['p50']:.1f}" for key, value in timed.items())
        lines.append(f"{kind:6}{verdict['files'][kind]['bytes']:>8} bytes; us a digit, one thread: {values}")
    lines.append("")
    for check in verdict["gates"]:
        value = "not measured" if check["value"] is None else f"{check['value']:g}"
        lines.append(f"{'pass' if check['passed'] else 'FAIL'}  {check['gate']} {check['bound']} {check['limit']:g}: {value}")
    return "\n".join(lines)


def _set_row(name: str, row: Mapping[str, Any]) -> str:
    float_percent, int8_percent, agreement = (row[f"{key}_percent"] for key in ("float_accuracy", "int8_accuracy", "agreement"))
    line = f"{name:20}{row['tiles']:>7}{float_percent:>9.2f}{int8_percent:>9.2f}{agreement:>9.2f}"
    if "int8_rejected_percent" in row:
        return f"{line}   rejected: float {row['float_rejected_percent']:.2f} %, int8 {row['int8_rejected_percent']:.2f} %"
    worst, ece, named = (row[f"int8_{key}_percent"] for key in ("worst_digit", "ece", "named"))
    return f"{line}{row['int8_worst_digit']:>5}: {worst:>6.2f}{ece:>8.3f}{named:>9.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Judge two files; exit code 3 when a gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m calibration.judge", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--float", required=True, type=Path, dest="float_path", metavar="F.onnx")
    parser.add_argument("--int8", required=True, type=Path, dest="int8_path", metavar="Q.onnx")
    parser.add_argument("--tiles", required=True, type=Path, metavar="T.npz", help="tiles file of `python -m export.calibration_tiles`")
    parser.add_argument("--gates", type=Path, default=COMMITTED_GATES, metavar="GATES.toml", help="default: calibration/gates.toml")
    parser.add_argument("--out", required=True, type=Path, metavar="VERDICT.json", help="where the verdict is written")
    parser.add_argument("--rounds", type=int, default=latency.ROUNDS, help="of the latency measurement (default %(default)s)")
    arguments = parser.parse_args(argv)
    return report("calibration.judge", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.rounds < 1:
        raise CalibrationError(f"rounds is {arguments.rounds}; give a number above 0")
    gates = load_gates(arguments.gates)
    candidates = {"float": load_candidate(arguments.float_path), "int8": load_candidate(arguments.int8_path)}
    verdict = judge(candidates, load_tile_sets(arguments.tiles), gates, arguments.rounds)
    return report_verdict("calibration.judge", verdict, as_table(verdict), arguments.out)


def report_verdict(command: str, verdict: dict[str, Any], table: str, out: Path) -> int:
    """Write a verdict and print its table; the exit code, with a line on stderr where a gate was missed."""
    onnx_files.write_atomically(out, (json.dumps(verdict, indent=1) + "\n").encode())
    print(table)
    missed = [check["gate"] for check in verdict["gates"] if not check["passed"]]
    if missed:
        print(f"{command}: refused, {len(missed)} gate(s) missed: {', '.join(missed)}", file=sys.stderr)
        return int(ExitCode.MODEL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
