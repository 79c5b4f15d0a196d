from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.errors import ModelContractError, ModelDamagedError, UsageError
from edge_digits.options import ReadingOptions
from edge_digits.recognition.confidence_curve import (
    ConfidenceCurve,
    ConfidenceMap,
    Level,
    as_entry,
    load_curve,
    load_curves,
    log_odds,
    naming_threshold,
)
from tests.confidence_curves import curve_entry, write_curves

IDENTITY = ConfidenceMap(np.array([-17.0, 17.0]), np.array([-17.0, 17.0]))
HALF = ConfidenceMap(np.array([-8.0, 8.0]), np.array([-4.0, 4.0]))
STEPS = ConfidenceMap(np.array([-2.0, 0.0, 1.0, 3.0]), np.array([-1.0, -1.0, 2.0, 2.0]))
NETWORKS = ("a" * 64,)


def curve(*levels: tuple[float, float]) -> ConfidenceCurve:
    """levels : threshold and bound, surest first."""
    made = tuple(Level(threshold, 1.0, 0.0, bound) for threshold, bound in levels)
    return ConfidenceCurve("digits", (NETWORKS,), HALF, IDENTITY, made, {})


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with a sound file of curves."""
    write_curves(tmp_path / "confidence.json", curve_entry())
    return tmp_path


def test_a_map_bends_log_odds() -> None:
    assert HALF([0.5]).tolist() == [0.5]
    assert log_odds(HALF([0.9]))[0] == pytest.approx(log_odds([0.9])[0] / 2)
    assert HALF([]).shape == (0,)


def test_a_map_is_constant_beyond_its_ends() -> None:
    assert log_odds(HALF([1.0, 0.0])).tolist() == pytest.approx([4.0, -4.0])


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20), st.sampled_from([IDENTITY, HALF, STEPS]))
def test_what_was_surer_stays_at_least_as_sure(probabilities: list[float], mapping: ConfidenceMap) -> None:
    mapped = mapping(sorted(probabilities))
    assert (np.diff(mapped) >= 0).all()
    assert ((mapped > 0) & (mapped < 1)).all()


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from([IDENTITY, HALF, STEPS]))
def test_the_least_that_reaches_parts_what_reaches_from_what_does_not(wanted: float, probability: float, mapping: ConfidenceMap) -> None:
    least = mapping.least_reaching(wanted)
    reached = float(mapping([probability])[0])
    if probability > least + 1e-6:
        assert reached >= wanted - 1e-6
    if probability < least - 1e-6:
        assert reached < wanted + 1e-6


def test_nothing_reaches_certainty_and_everything_reaches_nothing() -> None:
    assert HALF.least_reaching(1.0) > 1.0
    assert HALF.least_reaching(0.0) == 0.0


def test_the_threshold_is_the_lowest_whose_bound_holds() -> None:
    rising = curve((0.99, 0.001), (0.95, 0.004), (0.9, 0.01), (0.5, 0.03), (0.0, 0.2))
    assert [rising.threshold_for(error) for error in (0.001, 0.005, 0.01, 0.029, 0.5)] == [0.99, 0.95, 0.9, 0.9, 0.0]


def test_what_cannot_be_promised_is_refused_and_what_can_is_told() -> None:
    hard = curve((0.99, 0.00734), (0.9, 0.02), (0.0, 0.2))
    with pytest.raises(UsageError, match=r"max-error is 0\.001; model 'digits' can promise 0\.0074 at best") as refused:
        hard.threshold_for(0.001)
    assert "\n" not in str(refused.value)
    assert hard.threshold_for(0.0074) == 0.99


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), st.floats(1e-6, 1.0))
def test_the_search_keeps_its_word_whatever_the_bounds(bounds: list[float], wanted: float) -> None:
    found = curve(*((1.0 - index / 100, bound) for index, bound in enumerate(bounds)))
    by_threshold = {level.threshold: level.at_most for level in found.levels}
    if wanted >= found.best_promise:
        assert by_threshold[found.threshold_for(wanted)] <= wanted
    else:
        with pytest.raises(UsageError, match="at best"):
            found.threshold_for(wanted)


def test_a_curve_that_can_promise_nothing() -> None:
    with pytest.raises(UsageError, match="can promise 1 at best"):
        curve((0.5, 1.0)).threshold_for(0.5)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (ReadingOptions(), 0.65),
        (ReadingOptions(min_confidence=0.4), 0.4),
        (ReadingOptions(min_confidence=0.0), 0.0),
    ],
)
def test_without_a_curve_confidence_is_the_networks_own(options: ReadingOptions, found: float) -> None:
    assert naming_threshold(options, 0.65, None, "digits") == found


def test_without_a_curve_nothing_is_promised() -> None:
    with pytest.raises(UsageError, match="for model 'mine' nothing can be promised"):
        naming_threshold(ReadingOptions(max_error=0.01), 0.65, None, "mine")


def test_with_a_curve_confidence_is_what_it_says() -> None:
    known = curve((0.9, 0.01), (0.0, 0.2))
    assert naming_threshold(ReadingOptions(), 0.65, known, "digits") == 0.65
    assert naming_threshold(ReadingOptions(max_error=0.01), 0.65, known, "digits") == 0.9
    threshold = naming_threshold(ReadingOptions(min_confidence=0.9), 0.65, known, "digits")
    assert float(HALF([threshold])[0]) == pytest.approx(0.9)


def test_a_stored_curve_is_found_by_its_networks(stored: Path) -> None:
    found = load_curve(stored, NETWORKS)
    assert found is not None
    assert json.loads(json.dumps(as_entry(found))) == curve_entry()


@pytest.mark.parametrize("networks", [("b" * 64,), ("a" * 64, "b" * 64), ()])
def test_a_curve_of_other_networks_is_none(stored: Path, networks: tuple[str, ...]) -> None:
    assert load_curve(stored, networks) is None


def test_no_file_is_no_curve(tmp_path: Path) -> None:
    assert load_curve(tmp_path, NETWORKS) is None
    assert load_curves(tmp_path / "none" / "confidence.json") == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1, 2"])
def test_a_file_that_is_no_json_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "confidence.json").write_bytes(content)
    with pytest.raises(ModelDamagedError, match=r"confidence\.json: confidence curves cannot be read"):
        load_curve(tmp_path, NETWORKS)


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": 2, "curves": []}', '"text"'])
def test_a_file_of_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "confidence.json").write_text(content)
    with pytest.raises(ModelContractError, match="this edge_digits reads 1"):
        load_curve(tmp_path, NETWORKS)


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": []},
        {"levels": [{"threshold": 0.5, "named": 1.0, "wrong": 0.0, "at_most": 1.5}]},
        {"levels": [{"threshold": float("nan"), "named": 1.0, "wrong": 0.0, "at_most": 0.5}]},
        {"levels": [{"threshold": 0.5}]},
        {"levels": None},
        {"digits": {"given": [], "right": []}},
        {"digits": {"given": [0.0, 1.0], "right": [0.0]}},
        {"digits": {"given": [1.0, 0.0], "right": [0.0, 1.0]}},
        {"digits": {"given": [0.0, 1.0], "right": [1.0, 0.0]}},
        {"numbers": {"given": [0.0, float("inf")], "right": [0.0, 1.0]}},
        {"numbers": {"given": ["much"], "right": ["more"]}},
        {"numbers": {}},
        {"networks": 7},
        {"fitted": 3},
    ],
)
def test_a_curve_that_is_none_is_damaged(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_curves(tmp_path / "confidence.json", {**curve_entry(), **changes})
    with pytest.raises(ModelDamagedError, match="holds no sound confidence curve"):
        load_curve(tmp_path, NETWORKS)
