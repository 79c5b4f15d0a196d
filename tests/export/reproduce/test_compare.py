from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from edge_digits.errors import ExitCode, UsageError  # noqa: E402 - after the check for torch
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce.compare import compare, compare_with, contact_sheet, describe  # noqa: E402
from export.reproduce.mnist import Mnist  # noqa: E402
from export.reproduce.stages import NAMED  # noqa: E402
from tests.export.reproduce.benches import bench_at  # noqa: E402

TRUTH = [3, 1, 4, 1, 5, 9]


def some_digits(count: int = 6) -> Mnist:
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
    labels = np.array((TRUTH * count)[:count], np.uint8)
    return Mnist(images[:0], labels[:0], images, labels)


def run_folder(path: Path, **named: list[int]) -> Path:
    """A run whose classes after N epochs are given as after_N."""
    path.mkdir(parents=True, exist_ok=True)
    for look, classes in named.items():
        np.save(path / NAMED.format(look.removeprefix("after_")), np.array(classes, np.uint8))
    return path


def test_every_disagreement_becomes_a_picture(tmp_path: Path) -> None:
    first = run_folder(tmp_path / "a", after_1=[3, 1, 9, 7, 5, 4], after_10=TRUTH)
    second = run_folder(tmp_path / "b", after_1=[3, 2, 4, 8, 6, 4], after_10=TRUTH, after_7=TRUTH)
    mnist = some_digits()
    figures = compare(first, second, mnist, second)
    assert list(figures) == ["after_1", "after_10"]
    assert figures["after_1"] == {
        "n": 6,
        "errors": [3, 4],
        "disagreements": 4,
        "only_first_right": 2,
        "only_second_right": 1,
        "both_wrong_differently": 1,
        "both_wrong_alike": 1,
    }
    pictures = second / "disagreements_after_1"
    assert sorted(path.name for path in pictures.iterdir()) == ["1_1_1_2.png", "2_4_9_4.png", "3_1_7_8.png", "4_5_5_6.png"]
    assert np.array_equal(cv2.imread(str(pictures / "2_4_9_4.png"), cv2.IMREAD_GRAYSCALE), mnist.test_images[2])
    assert (second / "disagreements_after_1.png").is_file()
    assert "after 1: 3 and 4 errors, 4 disagreements" in describe(figures)


def test_two_that_agree_leave_no_picture(tmp_path: Path) -> None:
    first, second = (run_folder(tmp_path / name, after_1=TRUTH) for name in "ab")
    stale = second / "disagreements_after_1"
    stale.mkdir()
    (stale / "9_9_9_8.png").write_bytes(b"of an earlier comparison")
    figures = compare(first, second, some_digits(), second)
    assert figures["after_1"]["disagreements"] == 0
    assert list(stale.iterdir()) == []
    assert cv2.imread(str(second / "disagreements_after_1.png")) is not None


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({}, "no number of epochs"),
        ({"after_2": TRUTH}, "no number of epochs"),
        ({"after_1": TRUTH[:4]}, "holds 4 classes for 6 test digits"),
    ],
)
def test_runs_that_do_not_fit_together(tmp_path: Path, named: dict[str, list[int]], said: str) -> None:
    first, second = run_folder(tmp_path / "a", after_1=TRUTH), run_folder(tmp_path / "b", **named)
    with pytest.raises(UsageError, match=said):
        compare(first, second, some_digits(), second)


def test_damaged_classes(tmp_path: Path) -> None:
    first, second = run_folder(tmp_path / "a", after_1=TRUTH), run_folder(tmp_path / "b")
    (second / NAMED.format(1)).write_bytes(b"nothing")
    with pytest.raises(UsageError, match="cannot be read"):
        compare(first, second, some_digits(), second)


def test_the_convolutional_network_comes_first(tmp_path: Path, capsys: Any) -> None:
    mnist = some_digits()
    vgg = bench_at(tmp_path / "vgg16-frozen-smoke")
    assert compare_with("kaggle-cnn", "vgg16-frozen", vgg, mnist) is None
    assert "no run of kaggle-cnn" in capsys.readouterr().err
    run_folder(vgg.out, after_1=[0, 1, 4, 1, 5, 9])
    cnn = bench_at(tmp_path / "kaggle-cnn-smoke")
    run_folder(cnn.out, after_1=[2, 1, 4, 1, 5, 9])
    for bench, name, other in ((cnn, "kaggle-cnn", "vgg16-frozen"), (vgg, "vgg16-frozen", "kaggle-cnn")):
        figures = compare_with(other, name, bench, mnist)
        assert figures is not None
        assert figures["after_1"]["disagreements"] == 1
        assert (bench.out / "disagreements_after_1" / "0_3_2_0.png").is_file()


def test_a_folder_of_another_name_has_none_beside_it(tmp_path: Path) -> None:
    bench = bench_at(tmp_path / "mine")
    run_folder(bench.out, after_1=TRUTH)
    assert compare_with("kaggle-cnn", "vgg16-frozen", bench, some_digits()) is None


def test_a_contact_sheet_holds_the_first_sixty() -> None:
    images = some_digits(75).test_images
    sheet = contact_sheet(images, ["1:2/3"] * 75)
    assert sheet.shape[0] == 6 * (56 + 16)
    assert np.array_equal(sheet[:56:2, 58:114:2], images[1])
    assert contact_sheet(images[:0], []).min() == 255


def test_the_command(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    rng = np.random.default_rng(1)
    first, second = (run_folder(tmp_path / name, after_1=list(rng.integers(0, 10, 100))) for name in "ab")
    out = tmp_path / "out"
    arguments = ["compare", str(first), str(second), "--data", str(drawn_data), "--smoke", "--out", str(out)]
    assert command.main(arguments) == ExitCode.OK
    figures = json.loads((out / "compared.json").read_text())
    assert figures["after_1"]["n"] == 100
    assert figures["after_1"]["disagreements"] == len(list((out / "disagreements_after_1").iterdir())) > 50
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["kaggle-cnn", "nowhere/at/all", ""])
def test_a_run_that_is_not_there_is_one_line(name: str, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(["compare", name]) == ExitCode.USAGE
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "run `python -m export.reproduce" in lines[0]
    assert list(tmp_path.iterdir()) == []
