"""Reading whole runs of ink: labels, their places, and how sure the whole is."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_digits.paper.strips import STRIP_HEIGHT_PX, make_strip
from edge_digits.recognition.strings import BATCH, BLANK, COLUMN_PX, ReadString, StringReader, _places, is_digits, log_probability
from edge_digits.recognition.weights import NOT_ONE_DIGIT

Columns = NDArray[np.float32]


class Engine:
    """Says `label` wherever a column of the strip has ink, else blank; keeps the shapes it was asked."""

    def __init__(self, label: int = 1, height: float = 8.0) -> None:
        self.label, self.height, self.shapes = label, height, []

    def run(self, output: str, inputs: Columns) -> Columns:
        assert output == "columns"
        assert inputs.dtype == np.float32
        assert inputs.max() <= 1.0
        self.shapes.append(inputs.shape)
        inked = inputs[:, 0].max(axis=1).reshape(len(inputs), -1, COLUMN_PX).max(axis=2) > 0.5
        columns = np.zeros((*inked.shape, BLANK + 1), np.float32)
        columns[..., self.label] = self.height * inked
        columns[..., BLANK] = self.height * ~inked
        return columns


def reader(engine: Engine) -> StringReader:
    return StringReader(engine)  # type: ignore[arg-type]


def bars(*places: int, width: int, height: int = 28) -> NDArray[np.uint8]:
    """Bars four pixels wide that begin at these columns."""
    picture = np.zeros((height, width), np.uint8)
    for place in places:
        picture[:, place : place + 4] = 255
    return picture


def normalised(logits: NDArray[np.float64]) -> Columns:
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in groupby(path) if label != BLANK)


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=40)
def test_the_probability_is_the_sum_over_all_placements(seed: int, columns: int) -> None:
    log = normalised(np.random.default_rng(seed).normal(0, 2, (columns, BLANK + 1)))
    used = (3, NOT_ONE_DIGIT, BLANK)
    sums: dict[tuple[int, ...], float] = {}
    for path in product(used, repeat=columns):
        named = collapsed(path)
        sums[named] = sums.get(named, 0.0) + float(np.exp(sum(log[at, label] for at, label in enumerate(path))))
    for labels, expected in sums.items():
        assert np.exp(log_probability(log, labels)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("labels", "columns", "fits"), [((), 1, True), ((5,), 1, True), ((5, 6), 1, False), ((5, 5), 2, False), ((5, 5), 3, True)]
)
def test_more_labels_than_columns_are_impossible(labels: tuple[int, ...], columns: int, fits: bool) -> None:
    probability = log_probability(normalised(np.zeros((columns, BLANK + 1))), labels)
    assert np.isfinite(probability) == fits


@pytest.mark.parametrize(
    ("best", "surest", "places"),
    [
        ([], 0, []),
        ([BLANK] * 4, 0, []),
        ([BLANK, 3, 3, BLANK, 3], 2, [2, 4]),
        ([3, 4, 4, 3], 1, [0, 1, 3]),
        ([NOT_ONE_DIGIT, NOT_ONE_DIGIT, 3, BLANK], 1, [1, 2]),
    ],
    ids=["no columns", "nothing", "the same twice", "side by side", "something else"],
)
def test_a_label_stands_at_its_surest_column(best: list[int], surest: int, places: list[int]) -> None:
    log = np.full((len(best), BLANK + 1), -5.0, np.float32)
    for at, label in enumerate(best):
        log[at, label] = -0.2 if at == surest else -1.0
    assert _places(np.array(best, np.intp), log) == places


def test_bars_are_read_where_they_stand() -> None:
    (read,) = reader(Engine()).read([bars(0, 20, 96, width=100)])
    assert read.labels == (1, 1, 1)
    assert is_digits(read)
    assert read.middles == pytest.approx((0.02, 0.22, 0.98), abs=COLUMN_PX / 100)
    assert read.probabilities.shape == (3, NOT_ONE_DIGIT + 1)
    assert read.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (read.probabilities.argmax(axis=1) == 1).all()
    assert 0.0 < read.probability < 1.0


def test_places_are_shares_of_the_run_at_any_size() -> None:
    small, large, pressed = reader(Engine()).read(
        [bars(0, 40, width=80), np.kron(bars(0, 40, width=80), np.ones((3, 3), np.uint8)), bars(0, 800, width=1600)]
    )
    assert small.middles == pytest.approx(large.middles, abs=0.02)
    # Longer runs are pressed together: a bar at the half stands at the half all the same.
    assert pressed.middles[-1] == pytest.approx(0.5, abs=0.03)


def test_many_widths_keep_their_order() -> None:
    widths = [8, 200, 24, 8, 120, 24, 200, 60]
    engine = Engine(7)
    read = reader(engine).read([bars(*range(0, width, 16), width=width) for width in widths])
    assert [len(each.labels) for each in read] == [-(-width // 16) for width in widths]
    assert len(engine.shapes) == len({make_strip(bars(0, width=width)).shape[1] for width in widths})
    assert all(shape[1:3] == (1, STRIP_HEIGHT_PX) for shape in engine.shapes)


def test_many_of_one_width_go_in_batches() -> None:
    engine = Engine()
    read = reader(engine).read([bars(0, 20, width=40) if index == 40 else bars(0, width=40) for index in range(2 * BATCH + 3)])
    assert [shape[0] for shape in engine.shapes] == [BATCH, BATCH, 3]
    assert [index for index, each in enumerate(read) if len(each.labels) == 2] == [40]


def test_no_pictures_ask_nobody() -> None:
    engine = Engine()
    assert reader(engine).read([]) == []
    assert engine.shapes == []


def test_a_run_of_nothing() -> None:
    (read,) = reader(Engine()).read([np.zeros((20, 20), np.uint8)])
    assert (read.labels, read.middles, read.probabilities.shape) == ((), (), (0, NOT_ONE_DIGIT + 1))
    assert read.probability > 0.9
    assert not is_digits(read)


def test_columns_beyond_all_doubt_give_a_probability_of_at_most_one() -> None:
    (read,) = reader(Engine(height=1e4)).read([bars(0, 40, width=80)])
    assert read.probability == 1.0
    assert np.isfinite(read.probabilities).all()


@pytest.mark.parametrize(("labels", "digits"), [((), False), ((4,), True), ((4, NOT_ONE_DIGIT), False), ((NOT_ONE_DIGIT,), False)])
def test_what_counts_as_digits(labels: tuple[int, ...], digits: bool) -> None:
    read = ReadString(labels, 0.9, tuple(0.5 for _ in labels), np.zeros((len(labels), 11), np.float32))
    assert is_digits(read) is digits
