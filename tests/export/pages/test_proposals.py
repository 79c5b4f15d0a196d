"""Labelled proposals: each written digit is found with its label, shards are whole, and the command goes on."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_digits.errors import ExitCode, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.strips import STRIP_HEIGHT_PX
from edge_digits.paper.surroundings import PATCH_SHAPE
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.pages import page_source, proposals
from export.pages.proposals import Proposals, boxes_on_page, load_shards, no_proposals, page_proposals, save_shard
from export.pages.sheet import WrittenDigit
from export.pages.view import Photograph
from export.strings import NO_LABEL
from tests.export.tiny_folders import write_cheques, write_text_pages
from tests.strokes import draw_digit

TOY = Path(__file__).resolve().parents[2] / "recognition" / "toy" / "toy.int8.onnx"


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return Classifier(RecognitionOptions(provider="cpu", threads=1))


def photo_of(digits: str = "2357", gap: int = 30, height: int = 50) -> Photograph:
    """Digits written side by side on white paper of 640 by 400 pixels."""
    picture = np.full((400, 640), 235, np.uint8)
    written, x = [], 100
    for character in digits:
        ink = draw_digit(int(character), height, 5)
        h, w = ink.shape
        picture[150 : 150 + h, x : x + w] = np.minimum(picture[150 : 150 + h, x : x + w], 235 - ink // 4 * 3)
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        box = float(x + columns[0]), float(150 + rows[0]), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1)
        written.append(WrittenDigit(int(character), box, 0, 0))
        x += w + gap
    return Photograph(picture, tuple(written), (), "plain", "scan", (digits,))


def of_page(photo: Photograph, classifier: Classifier, seed: int = 0) -> Proposals:
    return page_proposals(photo, classifier, 6, np.random.default_rng(seed))


def shapes(found: Proposals) -> dict[str, tuple[tuple[int, ...], Any]]:
    return {name: (getattr(found, name).shape[1:], getattr(found, name).dtype) for name in Proposals.__slots__}


def test_every_written_digit_is_proposed_with_its_label(classifier: Classifier) -> None:
    found = of_page(photo_of(), classifier)
    assert {2, 3, 5, 7} <= set(found.labels.tolist()) <= {2, 3, 5, 7, NOT_ONE_DIGIT}
    count = len(found.labels)
    assert (found.tiles.shape, found.patches.shape) == ((count, 28, 28), (count, 2, *PATCH_SHAPE))
    assert np.exp(found.log_probabilities.astype(np.float64)).sum(axis=1) == pytest.approx(1.0, abs=0.02)
    assert (found.pages == 6).all()
    assert (found.tiles.max(axis=(1, 2)) == 255).all()
    assert (found.patches[:, 1].max(axis=(1, 2)) > 100).all()
    assert shapes(found) == shapes(no_proposals())


def test_digits_that_touch_become_a_strip(classifier: Classifier) -> None:
    found = of_page(photo_of("2357", gap=-8), classifier)
    assert found.strip_pixels.size == STRIP_HEIGHT_PX * found.strip_widths.sum()
    spelt = [[int(label) for label in row if label != NO_LABEL] for row in found.strip_labels]
    assert [label for labels in spelt for label in labels if label != NOT_ONE_DIGIT] == [2, 3, 5, 7]
    assert max(len(labels) for labels in spelt) > 1


def test_the_same_page_gives_the_same_proposals(classifier: Classifier) -> None:
    first, again = (of_page(photo_of(), classifier) for _ in range(2))
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in Proposals.__slots__)


def test_of_a_crowded_page_a_random_part_is_kept(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_page(photo_of("2357" * 2), classifier)
    monkeypatch.setattr(proposals, "MOST_A_PAGE", 5)
    parts = [of_page(photo_of("2357" * 2), classifier, seed) for seed in range(4)]
    assert len(whole.labels) > 5
    assert all(len(part.labels) == len(part.patches) == len(part.tiles) == 5 for part in parts)
    assert len({part.tiles.tobytes() for part in parts}) > 1


def test_pages_that_give_nothing(classifier: Classifier) -> None:
    blank = replace(photo_of(""), picture=np.full((300, 400), 240, np.uint8))
    for photo in (blank, replace(photo_of(), rotate=90)):
        found = of_page(photo, classifier)
        assert len(found.labels) == len(found.strip_widths) == 0
        assert shapes(found) == shapes(no_proposals())


def test_boxes_are_brought_to_the_page() -> None:
    to_frame = np.array([[2.0, 0, 10], [0, 4.0, 20], [0, 0, 1]])
    boxes = [(30.0, 60.0, 8.0, 40.0)]
    assert boxes_on_page(boxes, to_frame).tolist() == [pytest.approx([10, 10, 4, 10])]
    turned = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert boxes_on_page(boxes, turned).tolist() == [pytest.approx([60, 30, 40, 8])]
    assert boxes_on_page([], to_frame).shape == (0, 4)


def test_shards_come_back_as_they_were_saved(classifier: Classifier, tmp_path: Path) -> None:
    page = of_page(photo_of("23", gap=-8), classifier)
    for name in ("0000.npz", "0001.npz"):
        save_shard(tmp_path / name, [page, no_proposals()])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000.npz", "0001.npz"]
    one, both = load_shards(tmp_path, 1), load_shards(tmp_path)
    assert all(np.array_equal(getattr(one, name), getattr(page, name)) for name in Proposals.__slots__)
    assert len(both.labels) == 2 * len(page.labels)
    assert shapes(both) == shapes(page)


def test_shards_without_strips_are_read_and_damaged_ones_told(tmp_path: Path, classifier: Classifier) -> None:
    page = of_page(photo_of(), classifier)
    arrays = {name: getattr(page, name) for name in Proposals.__slots__}
    np.savez(tmp_path / "0000.npz", **{name: array for name, array in arrays.items() if not name.startswith("strip_")})
    assert load_shards(tmp_path).strip_widths.shape == (0,)
    for damaged in (b"", b"no shard", (tmp_path / "0000.npz").read_bytes()[:5000]):
        (tmp_path / "0001.npz").write_bytes(damaged)
        with pytest.raises(UsageError, match=r"0001\.npz: no shard of proposals"):
            load_shards(tmp_path)
    with pytest.raises(UsageError, match="no shards; make them with"):
        load_shards(tmp_path / "nowhere")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads for processes, and two pages a shard: what other processes cannot see of a test is seen here."""
    monkeypatch.setattr(page_source, "get_context", lambda _: SimpleNamespace(Pool=ThreadPool))
    monkeypatch.setattr(proposals, "PAGES_A_SHARD", 2)


def call(data: Path, out: Path, *more: str, count: int = 2) -> ExitCode:
    return proposals.main(["--data", str(data), "--out", str(out), "--count", str(count), "--jobs", "1", *more])


def test_generated_pages_become_shards(drawn_data: Path, tmp_path: Path, in_this_process: None, capsys: Any) -> None:
    out = tmp_path / "out"
    assert call(drawn_data, out, "--seed", "3") == ExitCode.OK, capsys.readouterr().err
    assert capsys.readouterr().out == ""
    first = (out / "0000.npz").read_bytes()
    assert set(load_shards(out).pages.tolist()) <= {0, 1}
    assert call(drawn_data, out, "--seed", "3", count=3) == ExitCode.OK
    assert (out / "0000.npz").read_bytes() == first
    assert sorted(path.name for path in out.iterdir()) == ["0000.npz", "0001.npz"]
    (out / "0000.npz").unlink()
    kept = (out / "0001.npz").stat().st_mtime_ns
    assert call(drawn_data, out, "--seed", "3", count=3) == ExitCode.OK
    assert (out / "0001.npz").stat().st_mtime_ns == kept
    with np.load(out / "0000.npz") as again:
        (tmp_path / "before.npz").write_bytes(first)
        with np.load(tmp_path / "before.npz") as before:
            assert all(np.array_equal(again[name], before[name]) for name in Proposals.__slots__)


def test_real_fields_and_texts_become_shards(tmp_path: Path, in_this_process: None) -> None:
    write_cheques(tmp_path)
    write_text_pages(tmp_path)
    assert call(tmp_path, tmp_path / "fields", "--real", "--text-share", "0", "--model", str(TOY)) == ExitCode.OK
    assert {3, 5, 7} & set(load_shards(tmp_path / "fields").labels.tolist())
    assert call(tmp_path, tmp_path / "texts", "--real", "--text-share", "1", "--split", "validation") == ExitCode.OK
    assert set(load_shards(tmp_path / "texts").labels.tolist()) <= {NOT_ONE_DIGIT}


def test_mistakes_are_one_line(drawn_data: Path, tmp_path: Path, in_this_process: None, capsys: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    for data, more, code, said in (
        (tmp_path / "nowhere", (), ExitCode.SOME_INPUTS_FAILED, "no such file"),
        (drawn_data, ("--real",), ExitCode.SOME_INPUTS_FAILED, "no such file"),
        (drawn_data, ("--model", str(tmp_path / "none.onnx")), ExitCode.MODEL, "none.onnx"),
        (drawn_data, ("--out", str(tmp_path / "file")), ExitCode.USAGE, "cannot be a folder"),
    ):
        assert call(data, tmp_path / "out", *more) == code
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("export.pages.proposals: ")
        assert said in error
    assert not list((tmp_path / "out").iterdir())


def test_a_bad_folder_stops_other_processes_too(tmp_path: Path, capsys: Any) -> None:
    assert call(tmp_path / "nowhere", tmp_path / "out") == ExitCode.SOME_INPUTS_FAILED
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "no such file" in error.splitlines()[-1]


@pytest.mark.parametrize("more", [["--count", "0"], ["--jobs", "0"], ["--seed", "-1"], ["--text-share", "1.5"], ["--split", "test"]])
def test_absurd_options(tmp_path: Path, capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        call(tmp_path, tmp_path / "out", *more)
    assert stop.value.code == ExitCode.USAGE
    assert more[0] in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
