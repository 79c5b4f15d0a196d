"""Writes the one table of all networks from the records: `python -m export.reproduce table [--measure]`.

A row for each network that was judged, those of this project last. Speed is measured apart, with --measure, since only
one machine and one run make it comparable; without it the stored measurement is used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import ExitCode, UsageError
from export.record import RECORD_NAME, write_record
from export.reproduce.latency import BATCHES, KINDS, find_files, measure_files
from export.reproduce.registry import MODULES

FOLDER: Final = Path(__file__).resolve().parent
LATENCY_NAME: Final = "latency.json"
TABLE_NAME: Final = "TABLE.md"
OURS: Final = ("small", "tiny")
SMOKE_ENDING: Final = "-smoke"

MNIST: Final = "mnist_test"
ZERO_SHOT: Final = {"usps_test": "USPS", "semeion": "Semeion", "optdigits_tes": "optdigits", "chen_holdout": "Chen"}
NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; None where nothing was measured.

    size : bytes by kind. mnist : percent by kind. zero_shot : percent by set. source : percent.
    """

    name: str
    parameters: int | None
    size: Mapping[str, int | None]
    mnist: Mapping[str, float | None]
    source: float | None = None
    zero_shot: Mapping[str, float | None] = field(default_factory=dict)


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command. Raises UsageError, for the caller to report."""
    options = _parse(arguments)
    results: Path = options.results
    rows = [row for name in MODULES if (row_file := results / name / RECORD_NAME).is_file() for row in rows_of(read_json(row_file))]
    rows += [row for name in OURS if (row := own_row(name, options.records, options.models)) is not None]
    if not rows:
        raise UsageError(f"{results}: holds no records; run `python -m export.reproduce NAME --keep` first")
    if options.measure:
        write_record(results / LATENCY_NAME, measure_files(files_of(options.runs, options.models)))
    latency = read_json(results / LATENCY_NAME) if (results / LATENCY_NAME).is_file() else {}
    if not latency:
        print(f"{results / LATENCY_NAME}: none yet, the table has no times; measure them with --measure", file=sys.stderr)
    text = table_text(rows, latency)
    options.out.write_text(text, encoding="utf-8")
    print(f"{options.out}: {len(rows)} networks", file=sys.stderr)
    return ExitCode.OK


def rows_of(record: dict[str, Any]) -> list[Row]:
    """A row for each network that a reproduction judged."""
    source = record["source_figures"]
    return [
        Row(
            name=name,
            parameters=judged["parameters"],
            size=judged["bytes"],
            mnist={kind: judged["mnist"][kind]["accuracy"] for kind in KINDS},
            source=source.get(name, source.get("mnist")),
            zero_shot={which: figures["accuracy"] for which, figures in judged["zero_shot"].items()},
        )
        for name, judged in record["figures"]["judged"].items()
    ]


def own_row(name: str, records: Path, models: Path) -> Row | None:
    """The row of a network of this project; None, told on stderr, while it has no record."""
    path = records / f"{name}.json"
    if not path.is_file():
        print(f"{path}: none yet, {name} is left out of the table", file=sys.stderr)
        return None
    record = read_json(path)
    # The best of the ten digits is what every other network is asked; see "small and tiny" in export/README.md.
    figures = {kind: record["figures_mean"][f"{kind}_digits"] for kind in KINDS}
    paths = {kind: models / f"{name}.{kind}.onnx" for kind in KINDS}
    return Row(
        name=f"{name} (this project)",
        parameters=record["parameters"],
        size={kind: path.stat().st_size if path.is_file() else None for kind, path in paths.items()},
        mnist={kind: figures[kind].get(MNIST) for kind in KINDS},
        zero_shot={which: figures["float"].get(which) for which in ZERO_SHOT},
    )


def files_of(runs: Path, models: Path) -> dict[str, dict[str, Path]]:
    """The ONNX files of all real runs, and those of this project, by the name of their row. Raises UsageError for none."""
    found: dict[str, dict[str, Path]] = {}
    for folder in sorted(runs.iterdir()) if runs.is_dir() else []:
        if folder.is_dir() and not folder.name.endswith(SMOKE_ENDING):
            found |= find_files(folder)
    found |= {f"{name} (this project)": pair for name, pair in find_files(models).items() if name in OURS}
    if not found:
        raise UsageError(f"{runs}: holds no ONNX files to measure; run `python -m export.reproduce NAME` first")
    return found


def table_text(rows: list[Row], latency: dict[str, Any]) -> str:
    """The whole Markdown file."""
    times = latency.get("figures", {})
    timed = [(kind, batch) for batch in BATCHES for kind in KINDS]
    head = ["network", "parameters", "float bytes", "int8 bytes", "MNIST float", "MNIST int8", "source", *ZERO_SHOT.values()]
    head += [f"us {kind}, batch {batch}" for kind, batch in timed]
    lines = [
        "# All networks, one judge",
        "",
        "Written by `python -m export.reproduce table` from the records; [README.md](README.md) tells how to read it. Accuracy in",
        "percent; USPS, Semeion, optdigits and Chen are float. Times are microseconds a digit with one thread.",
        "",
        *_machine_lines(latency),
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
    ]
    for row in rows:
        cells = [row.name, _whole(row.parameters), *(_whole(row.size.get(kind)) for kind in KINDS)]
        cells += [_number(row.mnist.get(kind)) for kind in KINDS] + [_number(row.source)]
        cells += [_number(row.zero_shot.get(which)) for which in ZERO_SHOT]
        cells += [_number(times.get(row.name, {}).get(kind, {}).get(str(batch)), 1) for kind, batch in timed]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises UsageError when it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); run it again") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: holds no JSON object; run it again")
    return content


def _machine_lines(latency: dict[str, Any]) -> list[str]:
    machine = latency.get("machine")
    if not machine:
        return []
    versions = machine["versions"]
    return [f"Times: {machine['processor']}, onnxruntime {versions['onnxruntime']}, all files in one run, turn by turn.", ""]


def _whole(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _number(value: float | None, digits: int = 2) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.reproduce table", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="time the ONNX files of all runs and ours now, in one run")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "reproduce", metavar="DIR", help="run folders (%(default)s)")
    parser.add_argument("--results", type=Path, default=FOLDER / "results", metavar="DIR", help="kept records")
    parser.add_argument("--records", type=Path, default=FOLDER.parent / "records", metavar="DIR", help="records of our networks")
    parser.add_argument("--models", type=Path, default=FOLDER.parent / "models", metavar="DIR", help="ONNX files of our networks")
    parser.add_argument("--out", type=Path, default=FOLDER / TABLE_NAME, metavar="FILE", help="the table to write")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
