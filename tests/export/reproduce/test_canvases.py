from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from edge_digits.errors import UsageError  # noqa: E402 - after the check for torch
from export.reproduce.canvases import by_tile_rule, counts, load_drawn, place, place_written, resize_naively  # noqa: E402
from tests.export.reproduce.benches import write_writer  # noqa: E402


def draw(folder: Path, part: str, digit: int, ground: int = 0, ink: int = 255) -> Path:
    canvas = np.full((512, 512), ground, np.uint8)
    cv2.putText(canvas, str(digit), (150, 400), cv2.FONT_HERSHEY_SIMPLEX, 12.0, ink, 24)
    path = folder / part / str(digit) / "1.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), canvas)
    return path


@pytest.mark.parametrize(("found", "wanted"), [(50, (10, 5)), (15, (10, 5)), (10, (7, 3)), (9, (6, 3)), (3, (2, 1)), (2, (1, 1))])
def test_two_in_three_train_where_there_are_few(found: int, wanted: tuple[int, int]) -> None:
    assert counts(found, 10, 5) == wanted


def test_written_digits_are_split_without_overlap(tmp_path: Path) -> None:
    (writer,) = place_written(write_writer(tmp_path, 4), 10, 5, [np.random.default_rng(3)])
    assert np.bincount(writer.train_labels).tolist() == [3] * 10
    assert np.bincount(writer.test_labels).tolist() == [1] * 10
    trained = {image.tobytes() for image in writer.train_images}
    assert len(trained) == 30
    assert not trained & {image.tobytes() for image in writer.test_images}


def test_the_draw_decides_who_tests(tmp_path: Path) -> None:
    folder = write_writer(tmp_path, 4)
    one, same, other = place_written(folder, 10, 5, [np.random.default_rng(seed) for seed in (1, 1, 2)])
    assert all(np.array_equal(a, b) for a, b in zip(one.test_images, same.test_images, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one.test_images, other.test_images, strict=True))


def test_a_digit_with_one_picture_is_refused(tmp_path: Path) -> None:
    folder = write_writer(tmp_path, 2)
    next((folder / "7").glob("*.png")).unlink()
    with pytest.raises(UsageError, match=r"7: 1 usable pictures; give at least 2"):
        list(place_written(folder, 10, 5, [np.random.default_rng(1)]))


def test_an_unreadable_sample_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_writer(tmp_path, 3)
    next((folder / "7").glob("*.png")).write_bytes(b"no picture")
    (writer,) = place_written(folder, 10, 5, [np.random.default_rng(1)])
    assert np.bincount(writer.train_labels).tolist() == [2] * 7 + [1, 2, 2]
    assert "left out: " in capsys.readouterr().err


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no folders 0 to 9"):
        list(place_written(tmp_path, 10, 5, []))


@pytest.mark.parametrize("shape", [(20, 10), (900, 300), (1, 1), (2, 40)])
def test_a_glyph_stands_large_in_the_middle(shape: tuple[int, int]) -> None:
    canvas = place(np.full(shape, 255, np.uint8))
    assert canvas.shape == (512, 512)
    rows, columns = np.flatnonzero(canvas.max(axis=1) > 127), np.flatnonzero(canvas.max(axis=0) > 127)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(0.7 * 512, abs=2)
    assert rows.mean() == pytest.approx(255.5, abs=1.5)
    assert columns.mean() == pytest.approx(255.5, abs=1.5)


def test_drawn_canvases_stay_as_they_are(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for digit in range(10):
            draw(tmp_path, part, digit)
    writer = load_drawn(tmp_path)
    assert writer.train_labels.tolist() == list(range(10))
    assert np.array_equal(writer.test_images[3], cv2.imread(str(tmp_path / "test" / "3" / "1.png"), cv2.IMREAD_GRAYSCALE))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    draw(tmp_path, "train", 3)
    with pytest.raises(UsageError, match="test: no pictures in folders 0 to 9"):
        load_drawn(tmp_path)


def test_black_on_white_is_no_canvas(tmp_path: Path) -> None:
    draw(tmp_path, "train", 3)
    path = draw(tmp_path, "test", 3, ground=255, ink=0)
    with pytest.raises(UsageError, match=f"{path.name}: is no white on black"):
        load_drawn(tmp_path)


def test_an_unreadable_canvas_is_one_line(tmp_path: Path) -> None:
    draw(tmp_path, "train", 3)
    draw(tmp_path, "test", 3).write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"1\.png.*remove it from the samples"):
        load_drawn(tmp_path)


def test_two_ways_down_to_28_pixels() -> None:
    canvas = np.zeros((512, 512), np.uint8)
    canvas[200:300, 20:60] = 255
    naive, ruled = resize_naively([canvas])[0], by_tile_rule([canvas])[0]
    # Squashing leaves the ink where it was; the rule brings its mass to the middle and its longest side to 20 px.
    assert int(np.flatnonzero(naive.any(axis=0)).max()) < 5
    assert int(np.count_nonzero(ruled.max(axis=1) > 127)) == 20
    assert resize_naively([]).shape == by_tile_rule([]).shape == (0, 28, 28)
