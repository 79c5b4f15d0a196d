"""Blur, measured against the frames before."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits.live.sharpness import HISTORY, MOST_SKIPPED, BlurGate, is_dark, measure_sharpness
from tests.doubles.pages import draw_page, with_noise

PAGE = draw_page({(80, 80): "4072", (80, 260): "385", (480, 440): "916"})[:, :, 0]


def exposure(seed: int, blur_px: int = 0, move_px: int = 0) -> np.ndarray:
    picture = PAGE
    if blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), blur_px)
    if move_px:
        picture = cv2.filter2D(picture, -1, np.full((1, move_px), 1 / move_px, np.float32))
    return with_noise(picture, seed)


@pytest.mark.parametrize("fault", [{"blur_px": 3}, {"blur_px": 6}, {"move_px": 15}])
def test_soft_frames_among_sharp_ones_are_found(fault: dict[str, int]) -> None:
    gate = BlurGate()
    judged = [gate.is_blurred(exposure(i, **fault) if i % 5 == 4 else exposure(i)) for i in range(25)]
    assert judged == [i % 5 == 4 for i in range(25)]


def test_the_first_frame_is_taken() -> None:
    assert not BlurGate().is_blurred(exposure(0, blur_px=6))


def test_a_scene_that_is_softer_for_good_is_accepted_soon() -> None:
    gate = BlurGate()
    for i in range(HISTORY):
        gate.is_blurred(exposure(i))
    judged = [gate.is_blurred(exposure(i, blur_px=4)) for i in range(MOST_SKIPPED + 8)]
    # The window of measures is as long as a spell of skipping: at its end the soft frames are the reference.
    first = judged.index(False)
    assert HISTORY // 2 < first <= MOST_SKIPPED
    assert judged[first:] == [False] * (len(judged) - first)


def test_another_scene_begins_anew() -> None:
    gate = BlurGate()
    for i in range(HISTORY):
        gate.is_blurred(exposure(i))
    gate.forget()
    assert not gate.is_blurred(exposure(99, blur_px=4))


def test_after_a_soft_spell_sharpness_counts_again() -> None:
    gate = BlurGate()
    for i in range(20):
        gate.is_blurred(exposure(i, blur_px=4))
    assert [gate.is_blurred(exposure(i)) for i in range(12)] == [False] * 12
    assert gate.is_blurred(exposure(99, blur_px=4))


@pytest.mark.parametrize("picture", [np.zeros((1, 1), np.uint8), np.full((9, 2000), 255, np.uint8), np.zeros((480, 640), np.uint8)])
def test_flat_pictures_measure_nothing(picture: np.ndarray) -> None:
    assert measure_sharpness(picture) == 0.0
    gate = BlurGate()
    assert [gate.is_blurred(picture) for _ in range(3)] == [False] * 3


def test_light_does_not_decide() -> None:
    dim = (exposure(1) * 0.5).astype(np.uint8)
    assert measure_sharpness(dim) == pytest.approx(measure_sharpness(exposure(1)), rel=0.25)


def test_a_covered_lens_is_dark_and_chalk_on_a_board_is_not() -> None:
    assert is_dark(with_noise(np.full((480, 640), 4, np.uint8), 1))
    assert is_dark(np.zeros((1, 1), np.uint8))
    board = np.full((480, 640), 12, np.uint8)
    board[100:200, 100:180] = 200
    assert not is_dark(board)
    assert not is_dark((PAGE // 4).astype(np.uint8))
