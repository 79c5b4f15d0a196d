"""Digits as they are taught can be read, and no two hands write them quite alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier
from export.pages.school_digits import school_digit

HANDS = 12


def drawn(value: int, hand: int) -> NDArray[np.uint8]:
    ink = np.zeros((120, 110), np.uint8)
    for stroke in school_digit(value, np.random.default_rng(hand)).strokes:
        cv2.polylines(ink, [np.rint(stroke[:, :2] * 90 + 15).astype(np.int32)], False, 255, 7, cv2.LINE_AA)
    return ink


@pytest.mark.parametrize("value", range(10))
def test_each_digit_can_be_read(value: int) -> None:
    predictions = Classifier().predict(make_tiles([drawn(value, hand) for hand in range(HANDS)]))
    assert (predictions.probabilities[:, :10].argmax(axis=1) == value).mean() > 0.9


@pytest.mark.parametrize("value", range(10))
def test_hands_differ_and_stay_in_their_place(value: int) -> None:
    signs = [school_digit(value, np.random.default_rng(hand)) for hand in range(HANDS)]
    points = [np.concatenate(sign.strokes) for sign in signs]
    assert all(-0.15 < part[:, 1].min() < 0.15 and 0.85 < part[:, 1].max() < 1.15 for part in points)
    assert all(part[:, 0].max() == pytest.approx(sign.width) for part, sign in zip(points, signs, strict=True))
    assert len({part.tobytes() for part in points}) == HANDS
    again = school_digit(value, np.random.default_rng(3))
    assert np.array_equal(np.concatenate(again.strokes), points[3])
