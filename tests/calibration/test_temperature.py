from __future__ import annotations

import numpy as np
import pytest

from calibration import onnx_files, temperature
from calibration.figures import calibration_error_percent, negative_log_likelihood
from calibration.tile_sets import LabelledTiles
from tests.calibration.conftest import Bench

LOWEST, HIGHEST = temperature.THRESHOLD_RANGE


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is exactly the chance of each label, and labels drawn by it."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2.5, (count, 11)).astype(np.float32)
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return logits, labels.astype(np.int64)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(true: float) -> None:
    logits, labels = drawn(20_000, 1)
    found = temperature.fit_temperature((logits * true).astype(np.float32), labels)
    assert found == pytest.approx(true, rel=0.04)


def test_the_fit_lowers_calibration_error_and_likelihood() -> None:
    logits, labels = drawn(5000, 2)
    sharp = (logits * 3).astype(np.float32)
    found = temperature.fit_temperature(sharp, labels)
    assert negative_log_likelihood(sharp, labels, found) < negative_log_likelihood(sharp, labels, 1.0)
    assert calibration_error_percent(sharp, labels, found) < 3.0 < calibration_error_percent(sharp, labels, 1.0)


def test_a_model_without_errors_stays_in_the_range() -> None:
    labels = np.arange(11, dtype=np.int64)
    found = temperature.fit_temperature(np.eye(11, dtype=np.float32) * 5, labels)
    assert found == pytest.approx(temperature.TEMPERATURE_RANGE[0], rel=1e-3)


@pytest.mark.parametrize("percent", [6.0, 8.0, 12.0])
def test_the_threshold_keeps_its_promise(percent: float) -> None:
    logits, labels = drawn(20_000, 3)
    sharp = (logits * 3).astype(np.float32)
    threshold = temperature.fit_threshold(sharp, labels, 3.0, percent)
    given = np.exp(logits - logits.max(axis=1, keepdims=True))
    given /= given.sum(axis=1, keepdims=True)
    kept = (given.max(axis=1) >= threshold) & (given.argmax(axis=1) != 10)
    assert 0.65 < threshold < 0.99
    # The last one kept may fall on the other side by rounding.
    assert 100 * (given.argmax(axis=1) != labels)[kept].mean() == pytest.approx(percent, abs=0.05)


def test_the_threshold_of_a_model_without_errors_is_the_lowest() -> None:
    labels = np.arange(11, dtype=np.int64)
    assert temperature.fit_threshold(np.eye(11, dtype=np.float32) * 9, labels, 1.0) == 0.65


def test_the_threshold_of_a_model_that_is_always_wrong_is_the_highest() -> None:
    labels = np.roll(np.arange(11), 1).astype(np.int64)
    assert temperature.fit_threshold(np.eye(11, dtype=np.float32) * 9, labels, 1.0) == HIGHEST


def test_naming_a_mark_that_is_no_digit_is_an_error() -> None:
    logits = np.zeros((100, 11), np.float32)
    logits[:, 3] = np.linspace(2, 8, 100)
    all_marks = np.full(100, 10, np.int64)
    assert temperature.fit_threshold(logits, all_marks, 1.0) == HIGHEST


def test_both_files_get_the_same_card(finished_bench: Bench) -> None:
    cards = [onnx_files.metadata(onnx_files.load_model(path)) for path in (finished_bench.float_path, finished_bench.int8_path)]
    assert {**cards[0], "quantization": cards[1]["quantization"]} == cards[1]
    before = onnx_files.metadata(onnx_files.load_model(finished_bench.source))
    assert cards[0]["temperature"] != before["temperature"]
    assert cards[0]["training"] == before["training"]


def test_without_tiles_the_card_stays(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(bench.tiles) as arrays:
        kept = {key: arrays[key] for key in arrays if not key.startswith("temperature")}
    np.savez(bench.tiles, **kept)
    before = bench.int8_path.read_bytes()
    assert temperature.main([*bench.pair, "--tiles", str(bench.tiles)]) == 0
    assert bench.int8_path.read_bytes() == before
    assert "stay" in capsys.readouterr().err


def test_a_stricter_share_raises_the_threshold(bench: Bench) -> None:
    found = []
    for percent in ("100", "0"):
        assert temperature.main([*bench.pair, "--tiles", str(bench.tiles), "--named-error", percent]) == 0
        found.append(float(onnx_files.metadata(onnx_files.load_model(bench.int8_path))["reject_threshold"]))
    assert found[0] == 0.65 < found[1]


@pytest.mark.parametrize("percent", ["-1", "101", "nan"])
def test_an_absurd_share_is_refused(percent: str, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert temperature.main([*bench.pair, "--tiles", str(bench.tiles), "--named-error", percent]) == 1
    assert "named-error" in capsys.readouterr().err


def test_digits_stay_and_the_others_are_thinned_to_the_share() -> None:
    labels = np.array([1] * 90 + [10] * 60)
    tiles = LabelledTiles(np.zeros((150, 28, 28), np.uint8), labels)
    thinned = tiles.with_share(0.1)
    assert (thinned.labels != 10).sum() == 90
    assert (thinned.labels == 10).sum() == 10
    assert len(tiles.with_share(0.9)) == 150
