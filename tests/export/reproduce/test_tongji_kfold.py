from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode
from export.data.glyphs import GlyphSet
from export.networks import count_parameters
from export.reproduce import __main__ as command
from export.reproduce import fitting
from export.reproduce.recipes import tongji_kfold
from export.reproduce.recipes.tongji_kfold import SETTINGS, TongjiNetwork, confusion_of, cross_validate, load_material
from tests.export.reproduce.benches import bench_at, smoke


@pytest.fixture
def both_data(drawn_data: Path, drawn_digits: GlyphSet) -> Path:
    """A folder with MNIST and Chinese writers, both drawn; the second dark on light, with a broader pen."""
    folder = drawn_data / "chen_mnist"
    folder.mkdir()
    images = np.array([cv2.dilate(glyph, np.ones((2, 2), np.uint8)) for glyph in drawn_digits.glyphs], np.uint8)
    np.savez(folder / "chen_mnist.npz", images=255 - images, labels=drawn_digits.labels)
    return drawn_data


def test_the_network_is_that_of_the_source() -> None:
    network = TongjiNetwork()
    assert count_parameters(network) == 1_087_402
    assert [layer.in_features for layer in network if isinstance(layer, torch.nn.Linear)] == [4096, 64, 32]
    assert network.eval()(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_a_smoke_run_leaves_record_pictures_and_files(both_data: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "run"
    assert command.main(smoke("tongji-kfold", both_data, out)) == ExitCode.OK
    record = json.loads((out / "record.json").read_text())
    figures = record["figures"]
    assert record["source_figures"] == {"chinese_after_mnist_alone": 95.25, "chinese_after_both": 98.36}
    assert figures["epochs"] == {"run": 1, "source": SETTINGS["epochs"]}
    assert set(figures["alone"]["mean"]) == set(figures["chinese"]["deviation"]) == {"folds", "mnist_test", "chinese_holdout"}
    assert figures["digits"]["chinese_holdout"] == len(load_material(bench_at(tmp_path / "b", data=both_data)).chinese_holdout.labels)
    assert set(figures["judged"]) == {"tongji-kfold-alone", "tongji-kfold-chinese"}
    # Writers that a network has trained on are not zero-shot for it.
    assert "chen_holdout" in figures["judged"]["tongji-kfold-alone"]["zero_shot"]
    assert "chen_holdout" not in figures["judged"]["tongji-kfold-chinese"]["zero_shot"]
    assert "chen_holdout" in figures["judged"]["tongji-kfold-chinese"]["writers_met"]
    for way in ("alone", "chinese"):
        matrix = np.array([[int(count) for count in row.split()] for row in figures[way]["confusion"]["folds"]])
        assert matrix.shape == (10, 10)
        # Each training digit is judged by the one fold that left it out.
        assert matrix.sum() == sum(figures["digits"][name] for name in (("mnist",) if way == "alone" else ("mnist", "chinese")))
    pictures = ["losses.png", "confusion-alone.png", "confusion-chinese.png"]
    assert sorted(path.name for path in out.glob("*.png")) == sorted(pictures)
    assert all(cv2.imread(str(out / name)) is not None for name in pictures)
    assert {path.name for path in out.glob("*.onnx")} == {
        f"tongji-kfold-{w}.{k}.onnx" for w in ("alone", "chinese") for k in ("float", "int8")
    }
    assert capsys.readouterr().out == ""


def test_folds_see_no_digit_that_judges_them(both_data: Path, tmp_path: Path) -> None:
    material = load_material(bench_at(tmp_path, data=both_data))
    trained = {image.tobytes() for digits in material.training.values() for image in digits.images}
    assert not trained & {image.tobytes() for image in material.chinese_holdout.images}
    assert len(material.parts("alone")) == 1
    assert len(material.parts("chinese")) == 2
    assert material.chinese_holdout.images.max() == 255
    assert np.median(material.chinese_holdout.images) == 0


def test_a_resumed_run_equals_an_uninterrupted_one(both_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tongji_kfold, "SMOKE_DIGITS", 30)
    whole, broken = (bench_at(tmp_path / name, data=both_data, epochs=2) for name in ("whole", "broken"))
    material = load_material(whole)
    expected, _, last = cross_validate("chinese", material, whole)
    save, saved = fitting.save_state, []

    def stop_in_the_second_fold(path: Path, state: dict[str, Any]) -> None:
        save(path, state)
        saved.append(path.name)
        if len(saved) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fitting, "save_state", stop_in_the_second_fold)
        with pytest.raises(KeyboardInterrupt):
            cross_validate("chinese", material, broken)
    assert saved == ["chinese-fold1.pt", "chinese-fold1.pt", "chinese-fold2.pt"]
    figures, _, again = cross_validate("chinese", material, broken)
    assert figures == expected
    assert all(torch.equal(a, b) for a, b in zip(last.state_dict().values(), again.state_dict().values(), strict=True))


def test_own_sheets_train_with_the_chinese_writers(both_data: Path, drawn_digits: GlyphSet, tmp_path: Path) -> None:
    for index, (glyph, label) in enumerate(zip(drawn_digits.glyphs[:60], drawn_digits.labels[:60], strict=True)):
        folder = both_data / "sheets" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        paper = cv2.copyMakeBorder(255 - glyph, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=255)
        cv2.imwrite(str(folder / f"sheet-01-{index:02d}.png"), paper)
    material = load_material(bench_at(tmp_path, data=both_data, smoke=False))
    assert {name: len(digits.labels) for name, digits in material.training.items()}["sheets"] == 60
    assert len(material.parts("chinese")) == 3
    assert len(material.parts("alone")) == 1
    assert material.training["sheets"].images.shape == (60, 28, 28)


def test_a_confusion_counts_every_digit_once(both_data: Path, tmp_path: Path) -> None:
    bench = bench_at(tmp_path, data=both_data)
    digits = load_material(bench).mnist_test
    network = TongjiNetwork()
    with torch.no_grad():
        network[-1].bias[7] = 1000.0
    matrix = confusion_of(network, digits, bench)
    assert matrix.sum(axis=1).tolist() == np.bincount(digits.labels, minlength=10).tolist()
    assert matrix[:, 7].sum() == len(digits.labels)


def test_without_the_chinese_digits_it_is_one_line(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    assert command.main(smoke("tongji-kfold", drawn_data, tmp_path / "run")) == ExitCode.SOME_INPUTS_FAILED
    last = capsys.readouterr().err.splitlines()
    assert len(last) == 1
    assert "chen_mnist" in last[0]
    assert not (tmp_path / "run" / "record.json").exists()
