"""Strips of digits that touch: the same seed gives the same strips, labels fit them, and the command writes them."""

from __future__ import annotations

from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_digits.errors import ExitCode
from edge_digits.paper.strips import INK_HEIGHT_PX, LONGEST_PX, MARGIN_PX, STRIP_HEIGHT_PX, WIDTH_STEP_PX
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export import strings
from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet, negatives
from export.strings import LONGEST_STRIP_PX, MOST_LABELS, NO_LABEL, Glyphs, make_run, merged_labels, save_strips
from tests.export.tiny_folders import write_letters


@pytest.fixture(scope="session")
def glyphs(drawn_digits: GlyphSet) -> Glyphs:
    """Drawn digits twice, the second set without a 4; bars for letters."""
    first = GlyphSet("mnist_train", [crop_to_ink(glyph) for glyph in drawn_digits.glyphs], drawn_digits.labels)
    sets = (first, first.take(first.labels != 4, "usps_train"))
    by_label = [[np.flatnonzero(each.labels == digit) for digit in range(10)] for each in sets]
    return Glyphs(
        sets, by_label, np.array([0.5, 0.5]), negatives("others", [np.full((20, 4 + width), 255, np.uint8) for width in range(5)])
    )


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads for processes, and few strips a task: what other processes cannot see of a test is seen here."""
    monkeypatch.setattr(strings, "get_context", lambda _: SimpleNamespace(Pool=ThreadPool))
    monkeypatch.setattr(strings, "STRIPS_A_TASK", 6)


def call(data: Path, out: Path, *more: str, count: int = 12) -> ExitCode:
    return strings.main(["--data", str(data), "--out", str(out), "--count", str(count), "--jobs", "1", *more])


def test_the_same_seed_gives_the_same_run(glyphs: Glyphs) -> None:
    for seed in range(20):
        (strip, labels), (twin, named) = (make_run(glyphs, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(strip, twin)
        assert labels == named
    others = [make_run(glyphs, np.random.default_rng(seed))[0] for seed in (0, 1)]
    assert not np.array_equal(*others)


def test_strips_have_the_form_of_strips_and_labels_their_range(glyphs: Glyphs) -> None:
    rng = np.random.default_rng(3)
    runs = [make_run(glyphs, rng) for _ in range(150)]
    for strip, labels in runs:
        assert strip.dtype == np.uint8
        assert strip.shape[0] == STRIP_HEIGHT_PX
        assert strip.shape[1] % WIDTH_STEP_PX == 0
        assert strip.shape[1] <= LONGEST_PX
        assert strip.max() == 255
        room = (STRIP_HEIGHT_PX - INK_HEIGHT_PX) // 2
        assert not strip[[*range(room), *range(-room, 0)]].any()
        assert not strip[:, :MARGIN_PX].any()
        assert 1 <= len(labels) <= MOST_LABELS
        assert set(labels) <= set(range(NOT_ONE_DIGIT + 1))
        assert labels == merged_labels(labels)
    assert {label for _, labels in runs for label in labels} == set(range(NOT_ONE_DIGIT + 1))
    assert {len(labels) for _, labels in runs} >= {1, 2, 3, 4}
    longer = [np.count_nonzero(strip.any(axis=0)) for strip, labels in runs if len(labels) == 4]
    shorter = [np.count_nonzero(strip.any(axis=0)) for strip, labels in runs if len(labels) == 2]
    assert np.median(longer) > 1.3 * np.median(shorter)


@pytest.mark.parametrize(
    ("labels", "merged"),
    [
        ([], []),
        ([1, 1], [1, 1]),
        ([10, 10, 10], [10]),
        ([10, 3, 10, 10], [10, 3, 10]),
        ([0, 10, 10, 0], [0, 10, 0]),
    ],
)
def test_neighbouring_letters_are_one(labels: list[int], merged: list[int]) -> None:
    assert merged_labels(labels) == merged


def test_a_data_folder_becomes_strips(drawn_data: Path, tmp_path: Path, in_this_process: None, capsys: Any) -> None:
    letters = write_letters(tmp_path / "mined.npz")
    files = [tmp_path / name for name in ("one.npz", "again.npz", "other.npz")]
    for file, seed in zip(files, ("4", "4", "5"), strict=True):
        assert call(drawn_data, file, "--mined", str(letters), "--seed", seed) == ExitCode.OK
    captured = capsys.readouterr()
    assert captured.out == ""
    made = [dict(np.load(file)) for file in files]
    pixels, widths, labels = (made[0][name] for name in ("pixels", "widths", "labels"))
    assert 0 < len(widths) <= 12
    assert f"one.npz: {len(widths)} strips" in captured.err
    assert pixels.size == STRIP_HEIGHT_PX * widths.sum()
    assert widths.max() <= LONGEST_STRIP_PX
    assert (labels.shape, labels.dtype) == ((len(widths), MOST_LABELS), np.uint8)
    assert ((labels <= NOT_ONE_DIGIT) | (labels == NO_LABEL)).all()
    assert all(np.array_equal(made[0][name], made[1][name]) for name in made[0])
    assert not np.array_equal(pixels, made[2]["pixels"])
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.is_file()) == [".npz"] * 4


def test_bad_folders_are_one_line(drawn_data: Path, tmp_path: Path, in_this_process: None, capsys: Any) -> None:
    letters = str(write_letters(tmp_path / "mined.npz"))
    (tmp_path / "file").write_text("no folder")
    out = tmp_path / "out.npz"
    for data, more, said in (
        (drawn_data, (), "nothing that is no digit"),
        (drawn_data, ("--mined", str(tmp_path / "file")), "file"),
        (tmp_path / "nowhere", ("--mined", letters), "no such folder"),
    ):
        assert call(data, out, *more) not in (ExitCode.OK, ExitCode.USAGE)
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("export.strings: ")
        assert said in error
    assert call(drawn_data, tmp_path / "file" / "out.npz", "--mined", letters) == ExitCode.USAGE
    assert "cannot be written" in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_a_bad_folder_stops_other_processes_too(tmp_path: Path, capsys: Any) -> None:
    assert call(tmp_path / "nowhere", tmp_path / "out.npz") == ExitCode.SOME_INPUTS_FAILED
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "no such folder" in error.splitlines()[-1]


@pytest.mark.parametrize("more", [["--count", "0"], ["--jobs", "0"], ["--seed", "-1"], ["--count", "many"]])
def test_absurd_options(tmp_path: Path, capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        call(tmp_path, tmp_path / "out.npz", *more)
    assert stop.value.code == ExitCode.USAGE
    assert more[0] in capsys.readouterr().err.splitlines()[-1]


def test_an_interrupted_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "strips.npz"
    save_strips(path, [np.zeros((32, 16), np.uint8)], [[1, 2]])
    before = path.read_bytes()
    monkeypatch.setattr(np, "savez", lambda file, **_: file.write(b"half") / 0)
    with pytest.raises(ZeroDivisionError):
        save_strips(path, [np.ones((32, 16), np.uint8)], [[3]])
    assert path.read_bytes() == before
