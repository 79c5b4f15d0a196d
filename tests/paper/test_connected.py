"""Pieces are numbered the same whether their numbers take 16 bits or 32."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits.paper.connected import connected_ink


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_those_that_touch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 200, 2))
    strokes = np.where(rng.random((height, width)) < rng.uniform(0, 0.7), 255, 0).astype(np.uint8)
    labels, stats = connected_ink(strokes)
    count, expected = cv2.connectedComponents(strokes, connectivity=8, ltype=cv2.CV_32S)
    assert len(stats) == count
    assert len(np.unique(np.stack([labels.ravel().astype(np.int64), expected.ravel()]), axis=1).T) == count
    assert stats[:, cv2.CC_STAT_AREA].tolist() == np.bincount(labels.ravel(), minlength=count).tolist()


@pytest.mark.parametrize(("step", "kind"), [(8, np.uint16), (6, np.int32)])
def test_more_pieces_than_16_bits_can_number(step: int, kind: type) -> None:
    strokes = np.zeros((600, 1400), np.uint8)
    strokes[::2, ::step] = 255
    labels, stats = connected_ink(strokes)
    assert labels.dtype == kind
    assert len(stats) == labels.max() + 1 == np.count_nonzero(strokes) + 1


def test_a_page_without_ink() -> None:
    labels, stats = connected_ink(np.zeros((5, 7), np.uint8))
    assert not labels.any()
    assert stats.tolist() == [[0, 0, 7, 5, 35]]
