from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from edge_digits.errors import ExitCode  # noqa: E402 - after the check for torch
from export.networks import count_parameters  # noqa: E402
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce.recipes.lenet5_transfer import accuracy_table, build, find_writers  # noqa: E402
from tests.export.reproduce.benches import bench_at, smoke, write_writer  # noqa: E402


def test_a_smoke_run_goes_the_whole_way(drawn_data: Path, tmp_path: Path) -> None:
    for seed, name in enumerate(("anna", "otto")):
        write_writer(tmp_path / name, 3, seed).rename(tmp_path / f"writers-{name}")
        (tmp_path / "writers").mkdir(exist_ok=True)
        (tmp_path / f"writers-{name}").rename(tmp_path / "writers" / name)
    out = tmp_path / "run"
    assert command.main(smoke("lenet5-transfer", drawn_data, out, "--writers", str(tmp_path / "writers"))) == ExitCode.OK
    record = json.loads((out / "record.json").read_text())
    figures = record["figures"]
    assert set(figures["writers"]) == {"anna", "otto"}
    for writer in figures["writers"].values():
        assert writer["train"] == 20
        assert writer["test"] == 10
        assert writer["own_gain"] == pytest.approx(writer["own_after"] - writer["own_before"])
        assert writer["mnist_loss"] == pytest.approx(writer["mnist_before"] - writer["mnist_after"], abs=2e-3)
    # So slow a rate has hardly left its start after a few steps, but it goes down.
    losses = [row["loss"] for row in figures["mnist_by_epoch"]]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    assert figures["judged"]["lenet5"]["mnist"]["float"]["accuracy"] == pytest.approx(
        figures["mnist_by_epoch"][-1]["validation_accuracy"], abs=1e-3
    )
    assert record["epochs"] == {"mnist": 4, "anna-1": 3, "otto-1": 3}
    assert {"curves.png", "accuracy.md", "lenet5.float.onnx", "lenet5.int8.onnx"} <= {path.name for path in out.iterdir()}
    base, own = (torch.load(out / name, weights_only=True)["network"] for name in ("mnist.pt", "anna-1.pt"))
    changed = {name for name, value in base.items() if not torch.equal(value, own[name])}
    assert changed == {name for name in base if name.startswith("dense")}


def test_lenet_has_its_known_size() -> None:
    assert count_parameters(build()) == 61_706


def test_without_a_writer_nothing_is_trained(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    assert command.main(smoke("lenet5-transfer", drawn_data, tmp_path / "run")) == ExitCode.USAGE
    assert "--samples" in capsys.readouterr().err.splitlines()[-1]
    assert not list((tmp_path / "run").glob("*.pt"))


def test_a_missing_folder_is_one_line(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    code = command.main(smoke("lenet5-transfer", drawn_data, tmp_path / "run", "--samples", str(tmp_path / "nobody")))
    assert code == ExitCode.USAGE
    assert "no such folder" in capsys.readouterr().err.splitlines()[-1]


def test_where_writers_are_looked_for(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "personal" / "otto").mkdir(parents=True)
    data.mkdir()
    assert find_writers(bench_at(tmp_path / "run", data=data)) == [tmp_path / "personal" / "otto"]
    (data / "personal" / "anna").mkdir(parents=True)
    assert find_writers(bench_at(tmp_path / "run", data=data)) == [data / "personal" / "anna"]
    assert find_writers(bench_at(tmp_path / "run", data=data, samples=tmp_path)) == [tmp_path]
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="holds no folders"):
        find_writers(bench_at(tmp_path / "run", writers=tmp_path / "none"))


def test_the_table_shows_the_epochs_that_were_run() -> None:
    def rows(epochs: int) -> list[dict[str, float]]:
        return [{"epoch": e, "loss": 1 / e, "accuracy": 50.0, "validation_accuracy": 60.0 + e} for e in range(1, epochs + 1)]

    lines = accuracy_table(rows(2), {"anna": rows(12), "otto": rows(12)}).splitlines()
    assert "| 2 | 0.5000 | 50.00 | 62.00 |" in lines
    assert "| 10 | 70.0 | 70.0 |" in lines
    assert not any(line.startswith("| 20 |") for line in lines)
