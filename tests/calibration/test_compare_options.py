from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from calibration import compare_options
from calibration.compare_options import as_markdown, worth_trying
from calibration.quantize import METHODS
from tests.calibration.conftest import Bench


def run(bench: Bench, *more: str) -> int:
    out = bench.folder / "options.json"
    chosen = ["--methods", "minmax", "--calibration-tiles", "64", "--rounds", "1"]
    return compare_options.main(["--float", str(bench.source), "--tiles", str(bench.tiles), "--out", str(out), *chosen, *more])


@pytest.fixture(scope="module")
def compared(finished_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The record of one method and the page."""
    folder = tmp_path_factory.mktemp("options")
    assert run(finished_bench, "--out", str(folder / "options.json"), "--markdown", str(folder / "OPTIONS.md")) == 0
    record: dict[str, Any] = json.loads((folder / "options.json").read_text(encoding="utf-8"))
    return record, (folder / "OPTIONS.md").read_text(encoding="utf-8")


def test_every_combination_has_a_row_and_float_the_last(compared: tuple[dict[str, Any], str]) -> None:
    *rows, as_float = compared[0]["rows"]
    switches = ("per_channel", "reduce_range", "float_head", "float_first", "symmetric")
    assert len({tuple(row[switch] for switch in switches) for row in rows}) == len(rows) == 32
    assert "method" not in as_float
    assert (as_float["agreement_percent"], as_float["logit_difference"]) == (100.0, 0.0)


def test_rows_are_ordered_by_nearness_to_float(compared: tuple[dict[str, Any], str]) -> None:
    *rows, _ = compared[0]["rows"]
    distances = [row["logit_difference"] for row in rows]
    assert distances == sorted(distances)
    everything_float = [row for row in rows if row["float_head"] and row["float_first"]]
    assert all(row["logit_difference"] == 0.0 for row in everything_float)
    assert distances[-1] > 0.01


def test_figures_belong_to_their_row(compared: tuple[dict[str, Any], str]) -> None:
    *rows, as_float = compared[0]["rows"]
    for row in rows:
        assert row["mnist_drop_points"] == pytest.approx(as_float["mnist_accuracy_percent"] - row["mnist_accuracy_percent"], abs=1e-5)
        assert set(row["latency_us_per_digit"]) == {"batch_1", "batch_64"}
    whole = [row["bytes"] for row in rows if not row["float_head"]]
    assert max(whole) < as_float["bytes"]


def test_the_page_holds_the_table_and_says_how_to_read_it(compared: tuple[dict[str, Any], str]) -> None:
    record, page = compared
    assert as_markdown(record["rows"]) in page
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(record["rows"])
    assert len({line.count("|") for line in table}) == 1
    assert table[-1].startswith("| float | - ")
    assert record["machine"]["onnxruntime"] in page


def test_other_methods_are_tried_per_channel_only() -> None:
    choices = worth_trying(METHODS, 100)
    assert {choice.method for choice in choices} == set(METHODS)
    assert all(choice.per_channel for choice in choices if choice.method != "minmax")
    assert len(choices) == len(set(choices)) == 32 + 3 * 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--methods", "guess"], "method is 'guess'"), (["--rounds", "0"], "rounds is 0"), (["--calibration-tiles", "0"], "is 0")],
)
def test_absurd_arguments_are_refused(arguments: list[str], message: str, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bench, *arguments) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err
    assert not (bench.folder / "options.json").exists()


@pytest.mark.parametrize("lost", ["temperature", "mnist_test"])
def test_tiles_that_lack_a_set_are_refused(lost: str, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(bench.tiles) as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith(lost)}
    np.savez(bench.tiles, **kept)
    assert run(bench) == 1
    assert f"lacks 'temperature' or '{compare_options.BASE_SET}'" in capsys.readouterr().err
    assert not (bench.folder / "options.json").exists()
