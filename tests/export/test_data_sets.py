from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from edge_digits.paper.tiles import PAPER_LEVEL
from export.data import collect
from export.data.collect import TrainingData, find_data, load_holdouts, load_negative_holdouts, load_training
from export.data.folder import DataError, crop_to_ink, is_held_out, load_chen, load_mnist, read_idx, shrink
from export.data.glyphs import GlyphSet
from export.data.mined import load_mined
from export.data.negative_sets import load_letters, load_omniglot
from export.data.orand import ink_of_string, load_orand


def test_mnist_alone_is_enough(drawn_data: Path, drawn_digits: GlyphSet) -> None:
    data = load_training(drawn_data)
    assert [each.name for each in data.digits] == ["mnist_train"]
    assert data.negatives == ()
    assert set(data.missing) == {
        "usps", "optdigits", "chen_mnist", "orand_car_a", "letters_emnist_subset", "mdas_symbols", "omniglot_small", "cyrillic_letters",
    }  # fmt: skip
    kept_aside = sum(len(each) for each in data.tuning_digits)
    assert len(data.digits[0]) + kept_aside == len(drawn_digits)


@pytest.fixture(scope="module")
def full(shared: Path) -> TrainingData:
    return load_training(shared / "data", limit=700)


def test_every_set_of_the_full_folder(full: TrainingData) -> None:
    data = full
    assert data.missing == ()
    assert {each.name for each in data.digits} == {"mnist_train", "usps_train", "optdigits_tra", "chen_train", "orand_train"}
    assert {each.name for each in data.negatives} == {"letters_train", "symbols_train", "omniglot_train", "cyrillic_train"}
    for each in (*data.digits, *data.negatives):
        assert all(glyph.dtype == np.uint8 and glyph.max() > 64 and max(glyph.shape) <= 56 for glyph in each.glyphs), each.name
        # Ink is 255 on paper 0: most of a cropped digit's rim is paper.
        assert np.mean([(glyph > 127).mean() for glyph in each.glyphs]) < 0.75, each.name
    assert all(set(each.labels) <= set(range(10)) for each in data.digits)
    assert all(set(each.labels) == {10} for each in data.negatives)


def test_hold_outs_have_their_published_sizes(shared: Path) -> None:
    sizes = {name: len(each) for name, each in load_holdouts(shared / "data").items()}
    assert sizes["mnist_test"] == 10_000
    assert sizes["usps_test"] == 2_007
    assert sizes["semeion"] == 1_593
    assert sizes["optdigits_tes"] == 946
    assert sizes["orand_val"] > 480


def test_no_held_out_picture_trains(shared: Path) -> None:
    trained = {glyph.tobytes() for glyph in load_chen(shared / "data", "train").glyphs}
    held = {glyph.tobytes() for glyph in load_chen(shared / "data", "holdout").glyphs}
    assert not trained & held
    assert 0.15 < len(held) / (len(held) + len(trained)) < 0.25
    letters = load_letters(shared / "data", "train"), load_letters(shared / "data", "holdout")
    assert not {g.tobytes() for g in letters[0].glyphs} & {g.tobytes() for g in letters[1].glyphs}


def test_omniglot_drawers_are_apart(shared: Path) -> None:
    train, held = load_omniglot(shared / "data", "train"), load_omniglot(shared / "data", "holdout")
    assert len(train) == 4 * len(held) > 0


def test_orand_digits_are_cut_by_box(shared: Path) -> None:
    val = load_orand(shared / "data", "val")
    assert set(val.labels) == set(range(10))
    assert np.mean([(glyph == 0).mean() for glyph in val.glyphs]) > 0.4


def test_the_tuning_part_is_small_and_apart(full: TrainingData) -> None:
    for train in full.digits:
        aside = next(each for each in full.tuning_digits if each.name == train.name)
        assert 0.005 < len(aside) / (len(aside) + len(train)) < 0.05
        assert not {g.tobytes() for g in train.glyphs} & {g.tobytes() for g in aside.glyphs}


def test_a_paper_pattern_becomes_nothing() -> None:
    pattern = (200 + 8 * np.sin(np.arange(60)[:, None] / 2) * np.cos(np.arange(200) / 3)).astype(np.uint8)
    assert ink_of_string(pattern).max() < PAPER_LEVEL
    pattern[15:45, 90:96] = 40
    ink = ink_of_string(pattern)
    assert ink[20:40, 91:95].min() == 255
    assert ink[:, :80].max() < PAPER_LEVEL


def test_missing_folder_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        find_data(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no such file"):
        load_mnist(tmp_path, "train")


def test_no_folder_given_downloads_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(collect, "download_set", lambda name, folder: asked.append((name, folder)))
    assert find_data(None) == tmp_path / "edge-digits" / "data"
    assert asked == [("mnist", tmp_path / "edge-digits" / "data")]


@pytest.mark.parametrize("content", [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\x01abcd", b"\0\0\x08\x01\0\0\0\x09abc", b"PK\x03\x04"])
def test_foreign_idx_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError):
        read_idx(path)


def test_a_changed_mnist_is_refused(drawn_data: Path) -> None:
    path = drawn_data / "mnist" / "train-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(DataError, match="md5"):
        load_mnist(drawn_data, "train")


def test_a_truncated_gz_is_refused(drawn_data: Path) -> None:
    path = drawn_data / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="unzipped"):
        load_mnist(drawn_data, "train")


def test_negative_hold_outs_are_skipped_where_absent(drawn_data: Path) -> None:
    assert load_negative_holdouts(drawn_data) == []


def test_crop_and_shrink() -> None:
    glyph = np.zeros((30, 40), np.uint8)
    glyph[5:25, 10:14] = 200
    assert crop_to_ink(glyph).shape == (20, 4)
    assert crop_to_ink(np.zeros((9, 9), np.uint8)).shape == (1, 1)
    assert shrink(np.full((100, 10), 255, np.uint8), 50).shape == (50, 5)
    assert shrink(np.full((10, 10), 255, np.uint8), 50).shape == (10, 10)


def test_the_held_out_fifth_is_a_fifth() -> None:
    rng = np.random.default_rng(0)
    held = [is_held_out(rng.integers(0, 256, (5, 5), dtype=np.uint8)) for _ in range(2000)]
    assert 0.17 < np.mean(held) < 0.23


def test_mined_glyphs_come_back(tmp_path: Path) -> None:
    glyphs = [np.full((3, 5), 7, np.uint8), np.full((2, 2), 9, np.uint8)]
    path = tmp_path / "mined.npz"
    np.savez(path, pixels=np.concatenate([g.ravel() for g in glyphs]), shapes=np.array([g.shape for g in glyphs], np.int32))
    mined = load_mined(path)
    assert [glyph.tolist() for glyph in mined.glyphs] == [glyph.tolist() for glyph in glyphs]
    assert mined.labels.tolist() == [10, 10]
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DataError, match=r"export\.mine"):
        load_mined(path)
