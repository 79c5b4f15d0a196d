"""Cards compared, put into a table and drawn."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from edge_digits.bench import cards, latency_plot, latency_table
from edge_digits.bench.compare import compare_cards
from edge_digits.cli import main
from edge_digits.errors import ExitCode, UsageError


def summary(p50: float, spread: float = 1.0) -> dict[str, Any]:
    return {"p50": p50, "p95": p50 + 2, "p99": p50 + 3, "median_between": [p50 - spread, p50 + spread]}


def card() -> dict[str, Any]:
    """A card with one page and two batches at both precisions."""
    cpu = "CPUExecutionProvider"
    cases = [{"precision": p, "provider": cpu, "threads": 1, "ms": {"total": summary(ms)}} for p, ms in (("int8", 20), ("float", 30))]
    tiles = [
        {"precision": p, "provider": cpu, "threads": 1, "batch": batch, "call_ms": summary(us * batch / 1000, 0.001), "us_per_digit": us}
        for p, us in (("int8", 60.0), ("float", 120.0))
        for batch in (1, 64)
    ]
    files = {"int8": {"sha256": "aa", "bytes": 100_000}, "float": {"sha256": "bb", "bytes": 300_000}}
    return {
        "card": "edge-digits bench",
        "card_version": 2,
        "date": "2026-11-21T20:00:00+00:00",
        "machine": {"cpu": "A CPU", "board": "Raspberry Pi 5 Model B Rev 1.0", "architecture": "aarch64", "cores_usable": 4},
        "software": {"python": "3.11", "edge_digits": "0.1.0", "onnxruntime": "1.31.1", "opencv-python": "5.0", "numpy": "2.4"},
        "model": {"name": "digits", **files, "companions": {"context": {"int8": {"bytes": 20_000}, "float": {"bytes": 60_000}}}},
        "provider": {"asked": "auto", "obtained": cpu, "precision": "int8"},
        "pages": [{"name": "sample_page.jpg", "origin": "sample", "cases": cases}],
        "tiles": tiles,
        "cold_start": {
            **{step: summary(100) for step in ("import_ms", "reader_ms", "first_read_ms")}, "process_ms": summary(1500), "peak_mb": 90.4
        },
    }  # fmt: skip


def write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_a_ratio_and_its_spread_decide(tmp_path: Path) -> None:
    other = copy.deepcopy(card())
    other["pages"][0]["cases"][0]["ms"]["total"] = summary(10)
    other["pages"][0]["cases"][1]["ms"]["total"] = summary(31)
    other["tiles"].pop()
    other["software"]["onnxruntime"] = "1.30"
    found = compare_cards((write(tmp_path / "a.json", card()), write(tmp_path / "b.json", other)))
    by_case = {case["case"]: case for case in found["cases"]}
    faster = by_case["sample_page.jpg, int8, CPU, 1 thread"]
    assert (faster["ratio"], faster["between"], faster["verdict"]) == (0.5, [0.429, 0.579], "faster")
    assert by_case["sample_page.jpg, float, CPU, 1 thread"]["verdict"] == "same"
    assert found["differs"] == {"onnxruntime": ("1.31.1", "1.30")}
    assert found["only_in"] == {str(tmp_path / "a.json"): ["64 tiles, float, CPU, 1 thread"], str(tmp_path / "b.json"): []}


def test_compare_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write(tmp_path / "a.json", card()))
    assert main(["bench", "compare", path, path]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert "cold start, process" in printed
    assert printed.count(" same") == 10
    assert main(["bench", "compare", path, path, "--json"]) == ExitCode.OK
    assert len(json.loads(capsys.readouterr().out)["cases"]) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no bench card"),
        ('{"card": "edge-digits footprint"}', "is no bench card"),
        ('{"card": "edge-digits bench", "card_version": 1}', "is a card of version 1, this release reads 2; measure again"),
    ],
)
def test_what_is_no_card_is_told(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        cards.load_card(path)


def test_a_card_is_named_by_machine_provider_and_date() -> None:
    assert cards.file_name(card()) == "raspberry-pi-5-model-b-rev-1-0-4-cores-cpu-2026-11-21.json"
    pc = {**card(), "machine": {"cpu": "AMD EPYC", "board": None, "architecture": "x86_64", "cores_usable": 2}}
    assert cards.file_name(pc) == "amd-epyc-2-cores-cpu-2026-11-21.json"


def test_the_table_has_a_row_a_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "plot.svg"
    assert main(["bench", "table", str(write(tmp_path / "a.json", card())), "--plot", str(plot)]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    name = "Raspberry Pi 5 Model B Rev 1.0, 4 cores"
    assert lines[2] == f"| {name} | int8 | 120 kB | 20 / 22 |  |  | 60 | 60 | 1.5 | 90 |"
    assert lines[3] == f"| {name} | float | 360 kB | 30 / 32 |  |  | 120 | 120 |  |  |"
    assert "2026-11-21, edge_digits 0.1.0, Python 3.11, ONNX Runtime 1.31.1, OpenCV 5.0, NumPy 2.4." in lines[5]
    assert {line.count("|") for line in lines[:4]} == {len(latency_table.HEADING) + 1}
    drawn = ET.fromstring(plot.read_text())
    assert len([element for element in drawn.iter() if element.get("fill") == "none"]) == 2


def test_a_busy_machine_is_told_under_the_table() -> None:
    busy = {**card(), "machine": {**card()["machine"], "load_average": 9.4}}
    assert "load average 9 on 4 cores" in latency_table.markdown([busy])
    busy["machine"]["load_average"] = 1.0
    assert "load average" not in latency_table.markdown([busy])


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no card holds measured tiles"):
        latency_plot.svg([{**card(), "tiles": []}])
