"""The report on writers: which samples are learned, what is counted, and that it goes on where it ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_digits.errors import ExitCode
from export import fine_tuning, finetune, finetune_report
from export.data import folder as data_folder
from export.finetune_report import Writer, _rows
from export.finetune_summary import summarise, table
from export.finetune_trial import enough, fits_of, splits
from export.from_onnx import find_base
from tests.export.conftest import draw_digit, write_idx
from tests.personal.writers import mirrored, write_samples

Report = Callable[..., int]
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """Calls the command on drawn digits and two drawn writers."""
    data, personal, rng = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("personal"), np.random.default_rng(3)
    labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), 20))
    pictures = np.array([draw_digit(int(label), rng) for label in labels])
    digests = {}
    for prefix in ("train", "t10k"):
        for stem, array in ((f"{prefix}-images-idx3-ubyte", pictures), (f"{prefix}-labels-idx1-ubyte", labels)):
            digests[stem] = write_idx(data / "mnist" / f"{stem}.gz", array)
    write_samples(personal / "turned", 5, {2: mirrored, 7: mirrored})
    write_samples(personal / "plain", 5, {}, seed=5)

    def call(out: Path, *more: str) -> int:
        fixed = ["--personal", str(personal), "--data", str(data), "--threads", "1", "--precision", "float32", "--limit", "200"]
        return int(finetune_report.main([*fixed, "--out", str(out), "--counts", "3", "--seeds", "1", *more]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_folder, "MNIST_IDX_MD5", digests)
        patch.setattr(finetune, "REPLAY_TILES", 256)
        patch.setattr(fine_tuning, "HEAD_UP_TO", 30)
        patch.setattr(fine_tuning, "HEAD_STEPS", 60)
        yield call


def without_times(path: Path) -> Any:
    record = json.loads(path.read_text(encoding="utf-8"))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in record["rows"]], record["summary"]


def test_a_report_and_one_that_was_interrupted(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    whole, broken = tmp_path / "whole.json", tmp_path / "broken.json"
    assert report(whole) == ExitCode.OK
    shown = capfd.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].startswith("| base | writer |")
    assert [line.split(" | ")[1:4] for line in lines[2:]] == [["plain", "3", "1 (1)"], ["turned", "3", "1 (0)"]]
    assert whole.with_suffix(".png").read_bytes().startswith(PNG)
    record = json.loads(whole.read_text(encoding="utf-8"))
    assert str(tmp_path) not in json.dumps(record)
    plain, turned = record["summary"]
    assert (turned["trials"], turned["tested"], turned["seeds"]) == (1, 20, 1)
    assert turned["own_after"] < turned["own_before"]
    assert plain["own_after"] == plain["own_before"]
    assert plain["base_drop_points"]["mnist_test"] == {"mean": 0.0, "worst": 0.0}

    kept = finetune_report.write_record
    rows: list[int] = []

    def write_and_stop(path: Path, current: dict[str, Any]) -> None:
        kept(path, current)
        rows.append(len(current["rows"]))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(finetune_report, "write_record", write_and_stop)
        assert report(broken) == ExitCode.INTERRUPTED
    assert rows == [1]
    assert "the same command goes on" in capfd.readouterr().err
    assert report(broken) == ExitCode.OK
    assert without_times(broken) == without_times(whole)


def test_other_settings_are_refused(report: Report, tmp_path: Path, capfd: Any) -> None:
    out = tmp_path / "report.json"
    out.write_text(json.dumps({"settings": {"seeds": 9}, "rows": []}), encoding="utf-8")
    before = out.read_bytes()
    assert report(out) == ExitCode.USAGE
    assert "begun with other settings (bases, writers" in capfd.readouterr().err.splitlines()[-1]
    out.write_bytes(b"no report")
    assert report(out) == ExitCode.USAGE
    assert "is no report" in capfd.readouterr().err
    assert before != out.read_bytes() == b"no report"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--personal", "nowhere"], "no such folder"),
        (["--base", "nobody"], "no model 'nobody'"),
        (["--base", "digits", "digits"], "a name twice"),
        (["--sets", "semeion"], "holds no semeion"),
    ],
)
def test_mistakes_are_one_line(report: Report, tmp_path: Path, more: list[str], said: str, capfd: Any) -> None:
    assert report(tmp_path / "report.json", *more) in (ExitCode.USAGE, ExitCode.MODEL)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("export.finetune_report: ")
    assert said in line
    assert list(tmp_path.iterdir()) == []


def test_writers_that_make_no_report(report: Report, tmp_path: Path, capfd: Any) -> None:
    personal = tmp_path / "personal"
    personal.mkdir()
    assert report(tmp_path / "report.json", "--personal", str(personal)) == ExitCode.USAGE
    assert "no writer's folder" in capfd.readouterr().err
    write_samples(personal / "few", 1, {})
    assert report(tmp_path / "report.json", "--personal", str(personal)) == ExitCode.USAGE
    assert "needs 20 and some of each digit" in capfd.readouterr().err


@pytest.mark.parametrize("more", [["--seeds", "0"], ["--counts", "2"], ["--limit", "-1"]])
def test_absurd_numbers(report: Report, tmp_path: Path, more: list[str], capfd: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        report(tmp_path / "report.json", *more)
    assert stop.value.code == 2
    assert more[0] in capfd.readouterr().err


def test_draws_learn_as_many_of_each_digit_and_follow_the_seed() -> None:
    labels = np.repeat(np.arange(10), 7)
    (first,), (again,), (other,) = (list(splits(labels, 3, seed)) for seed in (1, 1, 2))
    assert (np.bincount(labels[first]) == 3).all()
    assert (first == again).all()
    assert (first != other).any()
    assert enough(labels, 6)
    assert not enough(labels, 7)


def test_a_number_that_leaves_no_test_is_all_fold_by_fold() -> None:
    base = find_base("digits")
    few, many = (Writer(name, [], np.repeat(np.arange(10), count)) for name, count in (("few", 4), ("many", 11)))
    rows = [row.key() for row in _rows(base, [few, many], [3, 10, None], 2)]
    assert [(row["writer"], row["samples_a_digit"], row["seed"]) for row in rows] == [
        *(("few", count, seed) for seed in (1, 2) for count in (3, "all")),
        *(("many", count, seed) for seed in (1, 2) for count in (3, 10, "all")),
    ]
    assert {row["base"] for row in rows} == {"digits"}


def test_folds_leave_every_sample_out_once() -> None:
    labels = np.repeat(np.arange(10), [9, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    held = np.stack([~learned for learned in splits(labels, None, 1)])
    assert (held.sum(axis=0) == 1).all()
    assert (held != np.stack([~learned for learned in splits(labels, None, 2)])).any()
    assert fits_of(labels, None) == 30
    assert fits_of(labels, 1) == 6


def trial(before: int, after: int, lost: int, *, refused: bool = False) -> dict[str, Any]:
    return {
        "tested": 100,
        "refused": ["why"] if refused else [],
        "own_before": before,
        "own_after": after,
        "own_after_unguarded": after + 1,
        "held_out_after": {"mnist_test": 40 + lost},
    }


def test_the_summary_pools_own_errors_and_keeps_the_worst() -> None:
    row = {"base": "digits", "writer": "w", "samples_a_digit": 10, "base_tiles": {"mnist_test": 10_000}, "base_before": {"mnist_test": 40}}
    rows = [
        {**row, "seed": 1, "trials": [trial(10, 4, 10)]},
        {**row, "seed": 2, "trials": [trial(10, 11, -5)]},
        {**row, "seed": 3, "trials": [trial(8, 8, 0, refused=True)]},
    ]
    (line,) = summarise(rows)
    assert (line["own_before"], line["own_after"], line["own_after_unguarded"], line["tested"]) == (28, 23, 26, 300)
    assert (line["trials"], line["refused"], line["worse"]) == (3, 1, 1)
    assert line["own_cut_percent"] == pytest.approx(17.9)
    assert line["base_drop_points"]["mnist_test"] == {"mean": pytest.approx(0.0167, abs=1e-4), "worst": 0.1}
    assert "| digits | w | 10 | 3 (1) | 28 -> 23 of 300 | 18 % | 1 | 0.017 (0.10) |" in table([line])


def test_nothing_to_cut_is_no_figure() -> None:
    row = {"base": "digits", "writer": "w", "samples_a_digit": 1, "seed": 1, "base_tiles": {}, "base_before": {}}
    (line,) = summarise([{**row, "trials": [{**trial(0, 0, 0), "held_out_after": {}}]}])
    assert line["own_cut_percent"] is None
    assert "| - | 0 | - |" in table([line])
    assert summarise([]) == []
