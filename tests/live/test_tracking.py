"""The page is followed: where it went, what changed on it, and when it is lost."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits.live.tracking import CELL_PX, Tracker, moved_box
from tests.doubles.pages import draw_page, with_noise

BOXES = [(160, 160, 400, 80), (160, 420, 300, 80), (800, 300, 300, 80)]
PAGE = draw_page({(160, 160): "4072", (160, 420): "385", (800, 300): "916"}, (720, 1280))


def seen(homography: np.ndarray | None = None, seed: int = 0, gain: float = 1.0) -> np.ndarray:
    picture = PAGE if homography is None else cv2.warpPerspective(PAGE, homography, (1280, 720), borderValue=(225, 225, 225))
    return with_noise((picture * gain).astype(np.uint8), seed)[:, :, 0]


def follower(boxes: list[tuple[int, int, int, int]] = BOXES) -> Tracker:
    tracker = Tracker()
    small = tracker.reduce(seen())
    tracker.follow(small)
    tracker.anchor(small, boxes)
    return tracker


def steps(dx: float, dy: float, turn_deg: float, count: int) -> list[np.ndarray]:
    """The way of a sheet that is moved and turned a little with each frame."""
    ways = []
    for step in range(1, count + 1):
        turn = np.vstack([cv2.getRotationMatrix2D((640, 360), turn_deg * step, 1.0), [0, 0, 1]])
        turn[:2, 2] += (dx * step, dy * step)
        ways.append(turn)
    return ways


@pytest.mark.parametrize(("dx", "dy", "turn_deg"), [(6, 0, 0), (0, -5, 0), (4, 3, 1.0), (0, 0, 1.0)])
def test_a_sheet_is_followed_over_many_frames(dx: float, dy: float, turn_deg: float) -> None:
    tracker = follower()
    for seed, way in enumerate(steps(dx, dy, turn_deg, 12)):
        motion = tracker.follow(tracker.reduce(seen(way, seed)))
        assert motion.to_now is not None
        for box in BOXES:  # to an eighth of their height
            assert np.abs(np.array(moved_box(box, motion.to_now)) - moved_box(box, way)).max() <= 10
    assert motion.speed_px > 1
    # What moves as one sheet has not changed.
    assert motion.changed.mean() < 0.02


def test_a_still_sheet_stands_still() -> None:
    tracker = follower()
    for seed in range(1, 10):
        motion = tracker.follow(tracker.reduce(seen(seed=seed)))
        assert motion.speed_px < 0.5
        assert not motion.changing.any()
        assert not motion.changed.any()


def test_light_that_goes_down_everywhere_is_no_change() -> None:
    tracker = follower()
    motion = tracker.follow(tracker.reduce(seen(seed=1, gain=0.8)))
    assert not motion.changed.any()


def test_what_is_written_is_a_change_at_its_place_alone() -> None:
    tracker = follower()
    picture = seen(seed=1).copy()
    cv2.line(picture, (200, 600), (330, 640), 40, 9)
    motion = tracker.follow(tracker.reduce(picture))
    rows, columns = np.nonzero(motion.changed)
    assert len(rows) >= 2
    scale = 2 * CELL_PX
    assert (rows * scale >= 590 - scale).all()
    assert (columns * scale <= 340).all()
    assert not motion.changed[tracker.cells_of(BOXES[2])].any()


def test_a_page_that_goes_is_lost_and_is_another_scene() -> None:
    tracker = follower()
    motion = tracker.follow(np.full((360, 640), 60, np.uint8))
    motion = tracker.follow(tracker.reduce(seen(seed=5)))
    assert motion.to_now is None
    assert motion.is_other_scene


def test_without_numbers_nothing_is_followed() -> None:
    tracker = follower([])
    motion = tracker.follow(tracker.reduce(seen(seed=1)))
    assert motion.to_now is None
    assert not motion.is_other_scene


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (48, 64)])
def test_odd_pictures_do_no_harm(shape: tuple[int, int]) -> None:
    tracker = Tracker()
    for seed in range(3):
        small = tracker.reduce(np.random.default_rng(seed).integers(0, 255, shape, np.uint8))
        motion = tracker.follow(small)
        tracker.anchor(small, [(0, 0, 1, 1)])
    assert motion.changed.size >= 1


def test_another_size_of_picture_begins_anew() -> None:
    tracker = follower()
    motion = tracker.follow(tracker.reduce(seen()[:480, :640]))
    assert motion.to_now is None


def test_a_box_moves_with_its_page() -> None:
    assert moved_box((10, 20, 30, 40), np.array([[2, 0, 5], [0, 2, -5], [0, 0, 1]], float)) == (25, 35, 60, 80)
