"""Two opinions on a cluster: the pieces that give what was read, boxes where no pieces do, and one opinion of both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Fragment, Glyphs, Hypothesis, enclosing, put_together
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.recognition.finder import PageMaps
from edge_digits.recognition.runs import (
    LEAST_PROBABILITY,
    LEAST_SIDE_PX,
    LEFTOVER_COST,
    LEFTOVER_SHARE,
    MOST_FRAGMENTS,
    Judged,
    align,
    column_boxes,
    read_runs,
    runs_to_read,
    sureness,
    together,
)
from edge_digits.recognition.strings import ReadString
from edge_digits.recognition.weights import NOT_ONE_DIGIT

Row = NDArray[np.float32]


def fragment(x: int, width: int, height: int = 20, y: int = 0) -> Fragment:
    return Fragment((x, y, width, height), np.full((height, width), 255, np.uint8))


def row(label: int, probability: float = 0.9) -> Row:
    found = np.full(11, (1 - probability) / 10, np.float32)
    found[label] = probability
    return found


def proposed(cluster: Sequence[Fragment], rows: dict[tuple[int, int], Row] | None = None, longest: int = 4) -> list[Judged]:
    """All runs of up to four fragments, "not one digit" where nothing else is said."""
    judged = []
    for first in range(len(cluster)):
        for last in range(first, min(first + longest, len(cluster))):
            run = cluster[first : last + 1]
            hypothesis = Hypothesis(0, first, last, enclosing(run), put_together(run))
            judged.append((hypothesis, (rows or {}).get((first, last), row(NOT_ONE_DIGIT))))
    return judged


def read_of(*labels: int, middles: Sequence[float] | None = None) -> ReadString:
    places = tuple((at + 0.5) / len(labels) for at in range(len(labels))) if middles is None else tuple(middles)
    return ReadString(labels, 0.9, places, np.array([row(label) for label in labels], np.float32).reshape(-1, 11))


def runs_of(path: Sequence[Judged]) -> list[tuple[int, int]]:
    return [(hypothesis.first, hypothesis.last) for hypothesis, _ in path]


def test_pieces_that_give_the_labels_are_found() -> None:
    cluster = [fragment(10 * at, 10) for at in range(3)]
    path = align(cluster, proposed(cluster, {(0, 1): row(4), (2, 2): row(7)}), read_of(4, 7))
    assert path is not None
    assert runs_of(path) == [(0, 1), (2, 2)]
    other = align(cluster, proposed(cluster, {(0, 1): row(4), (0, 0): row(4), (1, 2): row(7)}), read_of(4, 7))
    assert other is not None
    assert runs_of(other) == [(0, 0), (1, 2)]


def test_a_speck_between_digits_is_left_out() -> None:
    cluster = [fragment(0, 10), fragment(12, 2, 3, 17), fragment(16, 10)]
    path = align(cluster, proposed(cluster, {(0, 0): row(3), (2, 2): row(5)}), read_of(3, 5))
    assert path is not None
    assert runs_of(path) == [(0, 0), (2, 2)]


def test_no_path_has_more_labels_than_fragments_or_leaves_out_large_ones() -> None:
    cluster = [fragment(0, 10), fragment(10, 10)]
    assert align(cluster, proposed(cluster), read_of(1, 2, 3)) is None
    assert align(cluster, proposed(cluster, longest=1), read_of(1)) is None
    assert align(cluster, [], read_of(1)) is None
    assert align(cluster, proposed(cluster), read_of()) is None


def all_ways(cluster: Sequence[Fragment], judged: Sequence[Judged], labels: tuple[int, ...], at: int = 0) -> Iterator[float]:
    """The score of every way to explain the fragments from `at` on by the labels."""
    if at == len(cluster):
        if not labels:
            yield 0.0
        return
    ink = [int(np.count_nonzero(each.shape)) for each in cluster]
    if ink[at] < LEFTOVER_SHARE * sum(ink):
        yield from (score - LEFTOVER_COST for score in all_ways(cluster, judged, labels, at + 1))
    if labels:
        for hypothesis, found in judged:
            if hypothesis.first == at:
                worth = math.log(max(LEAST_PROBABILITY, float(found[labels[0]])))
                yield from (score + worth for score in all_ways(cluster, judged, labels[1:], hypothesis.last + 1))


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(0, 99))
@settings(max_examples=50)
def test_the_path_is_the_best_of_all(widths: list[int], labels: list[int], seed: int) -> None:
    starts = np.cumsum([0, *widths])
    cluster = [fragment(int(start), width) for start, width in zip(starts[:-1], widths, strict=True)]
    chance = np.random.default_rng(seed)
    judged = [(hypothesis, chance.dirichlet(np.full(11, 0.3)).astype(np.float32)) for hypothesis, _ in proposed(cluster)]
    path = align(cluster, judged, read_of(*labels))
    scores = list(all_ways(cluster, judged, tuple(labels)))
    if path is None:
        assert scores == []
        return
    assert len(path) == len(labels)
    kept = [at for hypothesis, _ in path for at in range(hypothesis.first, hypothesis.last + 1)]
    assert kept == sorted(set(kept))
    worth = sum(math.log(max(LEAST_PROBABILITY, float(found[label]))) for (_, found), label in zip(path, labels, strict=True))
    assert worth - LEFTOVER_COST * (len(cluster) - len(kept)) == pytest.approx(max(scores), abs=1e-4)


def test_the_picture_of_a_cluster_holds_all_its_ink() -> None:
    cross = [Fragment((5, 7, 3, 9), np.full((9, 3), 100, np.uint8)), Fragment((2, 10, 9, 3), np.full((3, 9), 255, np.uint8))]
    assert enclosing(cross) == (2, 7, 9, 9)
    picture = put_together(cross)
    assert picture.shape == (9, 9)
    assert (picture[3:6] == 255).all()
    assert picture[0].tolist() == [0, 0, 0, 100, 100, 100, 0, 0, 0]
    assert (put_together(cross[:1]) == 100).all()


def test_boxes_are_cut_half_way_and_drawn_in_to_the_ink() -> None:
    cluster = [fragment(50, 8, 20, 30), fragment(70, 8, 10, 35), fragment(90, 10, 20, 30)]
    boxes = column_boxes(cluster, read_of(1, 2, 3, middles=(0.08, 0.48, 0.9)))
    assert boxes == [(50, 30, 8, 20), (70, 35, 8, 10), (90, 30, 10, 20)]
    assert column_boxes(cluster, read_of(8)) == [(50, 30, 50, 20)]


@given(st.integers(1, 30), st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(max_examples=50)
def test_every_box_lies_in_the_cluster(width: int, middles: list[float]) -> None:
    cluster = [fragment(5, width, 12, 3)]
    boxes = column_boxes(cluster, read_of(*[1] * len(middles), middles=sorted(middles)))
    assert len(boxes) == len(middles)
    for x, y, w, h in boxes:
        assert 5 <= x < x + w <= 5 + width
        assert 3 <= y < y + h <= 15


def test_a_box_without_ink_is_its_columns() -> None:
    cluster = [fragment(0, 4), fragment(36, 4)]
    assert column_boxes(cluster, read_of(1, 2, 3, middles=(0.1, 0.5, 0.9)))[1] == (12, 0, 16, 20)


def glyphs_of(*clusters: tuple[Fragment, ...]) -> Glyphs:
    page = Page(np.zeros((40, 40), np.uint8), np.eye(3), (40, 40), False)
    return Glyphs(clusters, (), 20.0, Ink(page.grey, page.grey, page.grey, 1.0, page))


@pytest.mark.parametrize(
    ("cluster", "wanted"),
    [
        ((fragment(0, 4), fragment(6, 4)), True),
        ((fragment(0, 12),), True),
        ((fragment(0, 8),), False),
        ((fragment(0, 3, LEAST_SIDE_PX - 1), fragment(4, 9, LEAST_SIDE_PX - 1)), False),
        (tuple(fragment(3 * at, 2) for at in range(MOST_FRAGMENTS)), True),
        (tuple(fragment(3 * at, 2) for at in range(MOST_FRAGMENTS + 1)), False),
    ],
    ids=["two pieces", "one wide piece", "a 1", "low", "a long number", "a scribble"],
)
def test_what_may_be_several_digits(cluster: tuple[Fragment, ...], wanted: bool) -> None:
    assert runs_to_read(glyphs_of(cluster)) == ([0] if wanted else [])


class Reader:
    """Reads the width of each picture as its label."""

    def read(self, pictures: Sequence[NDArray[np.uint8]]) -> list[ReadString]:
        return [read_of(picture.shape[1] % 10) for picture in pictures]


def test_runs_are_read_by_their_cluster() -> None:
    glyphs = glyphs_of((fragment(0, 13),), (fragment(30, 4),), (fragment(60, 9), fragment(70, 9)))
    read = read_runs(glyphs, Reader())  # type: ignore[arg-type]
    assert {index: each.labels for index, each in read.items()} == {0: (3,), 2: (9,)}
    assert read_runs(glyphs_of(), Reader()) == {}  # type: ignore[arg-type]


def test_ink_that_is_no_digits_is_not_read_whole() -> None:
    glyphs = glyphs_of((fragment(0, 13),), (fragment(60, 9), fragment(70, 9)))
    strokes = np.zeros((40, 120), np.uint8)
    strokes[:20, :80] = 255
    ink = replace(glyphs.ink, strokes=strokes)
    seen = np.where(np.arange(120) < 40, 0.02, 0.9).astype(np.float32) * np.ones((40, 1), np.float32)
    cells = np.zeros((11, 10, 30), np.float32)
    maps = PageMaps(seen, cells, cells[:2], 1.0)
    assert set(read_runs(replace(glyphs, ink=ink), Reader(), maps=maps)) == {1}  # type: ignore[arg-type]


@given(st.integers(0, 999))
def test_one_opinion_of_two(seed: int) -> None:
    read, judged = (each.astype(np.float32) for each in np.random.default_rng(seed).dirichlet(np.full(11, 0.5), 2))
    both = together(read, judged)
    assert both.dtype == np.float32
    assert both.sum() == pytest.approx(1.0, abs=1e-4)
    assert both[NOT_ONE_DIGIT] == read[NOT_ONE_DIGIT]
    means = np.sqrt(np.maximum(read, LEAST_PROBABILITY) * np.maximum(judged, LEAST_PROBABILITY))[:NOT_ONE_DIGIT]
    assert both[:NOT_ONE_DIGIT] == pytest.approx(means / means.sum() * (1 - read[NOT_ONE_DIGIT]), abs=1e-5)


def test_opinions_that_exclude_each_other_stay_finite() -> None:
    both = together(row(3, 1.0), row(NOT_ONE_DIGIT, 1.0))
    assert both.argmax() == 3
    assert np.isfinite(both).all()
    nothing = together(row(NOT_ONE_DIGIT, 1.0), row(3, 1.0))
    assert nothing.tolist() == pytest.approx([0.0] * 10 + [1.0], abs=1e-6)


def test_how_sure_a_path_is() -> None:
    assert sureness([row(3, 0.9), row(4, 0.5)]) == pytest.approx(0.45)
    assert sureness([row(3, 0.9), row(NOT_ONE_DIGIT, 0.9)]) == 0.0
    assert sureness([]) == 1.0
