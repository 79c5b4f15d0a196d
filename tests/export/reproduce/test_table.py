from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from torch import nn  # noqa: E402 - after the check for torch

from calibration.onnx_files import save_model  # noqa: E402
from edge_digits.errors import ExitCode  # noqa: E402
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce import latency, table  # noqa: E402
from export.reproduce.judging import to_onnx  # noqa: E402
from export.reproduce.table import rows_of  # noqa: E402

JUDGED = {
    "parameters": 61706,
    "bytes": {"float": 248898, "int8": 74507},
    "mnist": {"float": {"accuracy": 98.9}, "int8": {"accuracy": 98.91}},
    "zero_shot": {"usps_test": {"accuracy": 91.0}, "semeion": {"accuracy": 80.5}},
}


class House:
    """Folders as the command expects them, and its arguments."""

    def __init__(self, root: Path) -> None:
        self.results, self.runs, self.records, self.models = (root / name for name in ("results", "runs", "records", "models"))
        self.out = root / "TABLE.md"

    def add_result(self, name: str, judged: dict[str, Any], **more: Any) -> None:
        write(self.results / name / "record.json", {"source_figures": {}, "figures": {"judged": judged}, **more})

    def add_files(self, folder: Path, name: str) -> None:
        for kind in ("float", "int8"):
            save_model(to_onnx(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval()), folder / f"{name}.{kind}.onnx")

    def run(self, *more: str) -> ExitCode:
        places = ("runs", "results", "records", "models", "out")
        return command.main(["table", *(text for name in places for text in (f"--{name}", str(getattr(self, name)))), *more])

    def cells(self) -> dict[str, list[str]]:
        """Name of a line -> its other cells."""
        lines = [line for line in self.out.read_text().splitlines() if line.startswith("| ")]
        return {cells[0]: cells[1:] for line in lines if (cells := [cell.strip() for cell in line.strip("|").split("|")])}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_a_line_a_network_ours_last(house: House, capsys: Any) -> None:
    house.add_result("mlp", {"mlp-plain": JUDGED, "mlp-dropout": JUDGED})
    house.add_result("lenet5-transfer", {"lenet5": JUDGED}, source_figures={"lenet5": 99.0, "own_before": 70.0})
    means = {"float": {"mnist_test": 99.5}, "float_digits": {"mnist_test": 99.71, "semeion": 91.0}, "int8_digits": {"mnist_test": 99.7}}
    write(house.records / "small.json", {"parameters": 90_000, "figures_mean": means})
    house.add_files(house.models, "small")
    assert house.run() == ExitCode.OK
    cells = house.cells()
    assert list(cells) == ["network", "lenet5", "mlp-plain", "mlp-dropout", "small (this project)"]
    assert cells["lenet5"][:10] == ["61,706", "248,898", "74,507", "98.90", "98.91", "99.00", "91.00", "80.50", "-", "-"]
    assert cells["mlp-plain"][5] == "-"
    size = (house.models / "small.int8.onnx").stat().st_size
    assert cells["small (this project)"][:6] == ["90,000", cells["small (this project)"][1], f"{size:,}", "99.71", "99.70", "-"]
    assert cells["small (this project)"][6:8] == ["-", "91.00"]
    assert {len(each) for each in cells.values()} == {len(cells["network"])}
    said = capsys.readouterr()
    assert said.out == ""
    assert "tiny is left out" in said.err
    assert "no times" in said.err


def test_times_are_measured_stored_and_used_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "TURN_NS", 1)
    house.add_result("mlp", {"mlp-plain": JUDGED})
    house.add_files(house.runs / "mlp", "mlp-plain")
    house.add_files(house.runs / "mlp-smoke", "mlp-smoked")
    (house.runs / "mlp" / "half.float.onnx").write_bytes(b"its int8 file is missing")
    assert house.run("--measure") == ExitCode.OK
    stored = json.loads((house.results / "latency.json").read_text())
    assert list(stored["figures"]) == ["mlp-plain"]
    assert stored["threads"] == 1
    times = house.cells()["mlp-plain"][-4:]
    assert all(float(each) > 0.0 for each in times)
    assert stored["machine"]["processor"] in house.out.read_text()
    assert house.run() == ExitCode.OK
    assert house.cells()["mlp-plain"][-4:] == times


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_record_is_named(house: House, capsys: Any, content: str) -> None:
    house.add_result("mlp", {})
    (house.results / "mlp" / "record.json").write_text(content)
    assert house.run() == ExitCode.USAGE
    assert "record.json" in capsys.readouterr().err.splitlines()[-1]
    assert not house.out.exists()


def test_nothing_to_compare(house: House, capsys: Any) -> None:
    assert house.run() == ExitCode.USAGE
    assert "holds no records" in capsys.readouterr().err.splitlines()[-1]
    house.add_result("mlp", {"mlp-plain": JUDGED})
    assert house.run("--measure") == ExitCode.USAGE
    assert "holds no ONNX files" in capsys.readouterr().err.splitlines()[-1]


def test_a_file_that_does_not_load_is_named(house: House, capsys: Any) -> None:
    house.add_result("mlp", {"mlp-plain": JUDGED})
    house.add_files(house.runs / "mlp", "mlp-plain")
    (house.runs / "mlp" / "mlp-plain.int8.onnx").write_bytes(b"nothing")
    assert house.run("--measure") == ExitCode.MODEL
    assert "mlp-plain.int8.onnx" in capsys.readouterr().err.splitlines()[-1]


def test_the_source_figure_of_a_line() -> None:
    record = {"source_figures": {"mnist": 96.7}, "figures": {"judged": {"browser-mlp": JUDGED}}}
    assert [row.source for row in rows_of(record)] == [96.7]


def test_the_kept_table_is_that_of_the_kept_records(tmp_path: Path) -> None:
    kept = table.FOLDER / table.TABLE_NAME
    if not kept.is_file():
        pytest.skip("no table is kept in this clone")
    records = sorted((table.FOLDER / "results").glob("*/record.json"))
    assert records
    assert not any(json.loads(path.read_text())["smoke"] for path in records)
    assert command.main(["table", "--out", str(tmp_path / "again.md")]) == ExitCode.OK
    assert (tmp_path / "again.md").read_text() == kept.read_text()
