"""The Ink: how dark each pixel is against its own paper, and which pixels are pen strokes.

Light and shadow are divided out first: the paper's brightness is what remains when everything narrower than a wide
stroke is closed. What is left is darkness, 0 on paper; strokes are what stands out of its noise, thresholded against
the strongest ink nearby, so that faint pencil and black marker may stand on one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.page import Page
from edge_digits.paper.rules import erase_rules, find_rules
from edge_digits.paper.scaling import enlarge, halve

Grey = NDArray[np.uint8]

SMALLEST_BOARD_PX: Final = 84
POLARITY_HALVINGS: Final = 3
POLARITY_MEDIAN_PX: Final = 7
STRONGEST_MARKS: Final = 99.0
"""The percentile of what stands out from its surroundings by which bright and dark marks are compared."""
BRIGHTER_ON_DARK: Final = 1.1
BRIGHTER_ON_LIGHT: Final = 1.35
"""Bright marks stand out at least this many times as far as dark ones; on light paper, where a highlight is sooner met
than chalk, further. On 70 pages with dark writing they reach 0.8 times, on the same pages inverted at least 1.2 times."""
PAPER_HALVINGS: Final = 3
WIDEST_STROKE_SHARE: Final = 1 / 9
"""Strokes up to this share of the page's long side are closed away when the paper's brightness is estimated."""

SHADOW_EDGE: Final = 0.95
"""Paper darker than this share of its surroundings lies in a shadow."""
SHADOW_REACH: Final = 0.3
"""The edge of a shadow goes over at least this share of the page's long side."""
DARKEST_PAPER: Final = 12
"""Paper darker than this (of 255) holds no contrast that could be told from noise."""
EVEN_LEVEL: Final = 200.0
"""Grey level to which the paper is brought while its light is measured."""
LIGHT_SAMPLES: Final = 3000
LIGHT_ROUNDS: Final = 3
PAPER_SHARE: Final = 0.88
"""Pixels below this share of the surface of light are no paper."""

FAINTEST_INK: Final = 14
"""Darkness (of 255) below which nothing is ink: hard pencil on white paper gives 20 to 40."""
LARGEST_NOISE: Final = 20.0
"""Fine detail of more than so many grey levels is a stroke, not noise."""
NOISE_FACTOR: Final = 5.0
"""Ink is at least this many times the noise of the paper."""
HALF_MAXIMUM: Final = 0.42
"""A stroke's edge lies where its darkness falls to about half of the strongest ink nearby."""
NEARBY_SHARE: Final = 1 / 45


@dataclass(frozen=True, slots=True)
class Ink:
    """Pen strokes of a page, ruled lines taken out.

    darkness : uint8 (h, w), 0 paper, 255 black; in page pixels, origin top left, read-only.
    strokes : uint8 (h, w), 255 on strokes, read-only.
    noise : standard deviation of the paper's darkness, 0..255.
    page : the Page it was found on.
    """

    darkness: Grey
    strokes: Grey
    rules: Grey
    noise: float
    page: Page


def find_ink(page: Page) -> Ink:
    """Separate pen strokes from paper, light and ruled lines."""
    darkness = measure_darkness(_dark_on_light(page.grey))
    noise = paper_noise(darkness)
    floor = max(float(FAINTEST_INK), NOISE_FACTOR * noise)
    rules = find_rules(np.asarray(cv2.threshold(darkness, floor, 255, cv2.THRESH_BINARY)[1], np.uint8))
    if cv2.countNonZero(rules):
        # A black rule beside pencil would raise the threshold around it: it leaves the darkness before strokes are cut.
        clear = np.asarray(cv2.subtract(darkness, cv2.dilate(rules, np.ones((3, 3), np.uint8))), np.uint8)
        strokes = erase_rules(cut_strokes(darkness, floor, clear), rules)
    else:
        strokes = cut_strokes(darkness, floor, darkness)
    for array in (darkness, strokes, rules):
        array.flags.writeable = False
    return Ink(darkness, strokes, rules, noise, page)


def _dark_on_light(grey: Grey) -> Grey:
    """Chalk on a board is turned into pen on paper: inverted when bright marks stand out more than dark ones."""
    if min(grey.shape) < SMALLEST_BOARD_PX:
        return grey
    small = halve(grey, POLARITY_HALVINGS)
    background = cv2.medianBlur(small, POLARITY_MEDIAN_PX)
    bright = float(np.percentile(cv2.subtract(small, background), STRONGEST_MARKS))
    dark = float(np.percentile(cv2.subtract(background, small), STRONGEST_MARKS))
    doubt = BRIGHTER_ON_LIGHT if float(np.median(background)) > 128 else BRIGHTER_ON_DARK
    return np.asarray(cv2.bitwise_not(grey), np.uint8) if bright > doubt * dark + 1 else grey


def measure_darkness(grey: Grey) -> Grey:
    """Darkness of each pixel relative to the paper around it.

    grey : uint8 (h, w), dark ink on light paper. Returns uint8 (h, w), 255 * (1 - grey / paper).
    """
    small = halve(grey, PAPER_HALVINGS)
    side = max(3, round(max(small.shape) * WIDEST_STROKE_SHARE)) | 1
    # Closing takes the brightest paper within its reach: on a slope of light that is too bright near the picture's edge.
    light = smooth_light(small)
    even = np.clip(small / light * EVEN_LEVEL, 0, 255).astype(np.uint8)
    # A median first: noise would lift the paper above itself as well.
    closed = cv2.morphologyEx(cv2.medianBlur(even, 3), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    smooth = cv2.GaussianBlur(closed, (0, 0), side / 4).astype(np.float32)
    # Beside the edge of a shadow the smooth surface lies far over the paper: there the paper is taken as it is found.
    found = cv2.erode(closed, np.ones((3, 3), np.uint8)).astype(np.float32)
    shaded = _reaching_across(found < SHADOW_EDGE * smooth)
    paper = np.where(shaded, found, smooth) * (light / EVEN_LEVEL)
    full = enlarge(np.clip(paper, 0, 255).astype(np.uint8), PAPER_HALVINGS, grey.shape)
    below = cv2.subtract(full, cv2.GaussianBlur(grey, (3, 3), 0))
    least = cv2.max(full, DARKEST_PAPER)  # type: ignore[call-overload]
    return np.asarray(cv2.divide(below, least, scale=255.0), np.uint8)


def _reaching_across(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pieces of a mask that come in from the border and go far, as the edge of a shadow does; a blot of thick strokes does not."""
    if not mask.any():
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    at_border = np.zeros(len(stats), bool)
    at_border[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    far = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= SHADOW_REACH * max(mask.shape)
    chosen = at_border & far
    chosen[0] = False
    return np.asarray(chosen[labels], bool)


def smooth_light(grey: Grey) -> NDArray[np.float32]:
    """The smooth part of a page's light: a second-order surface through its paper.

    grey : uint8 (h, w), small. Returns float32 (h, w), at least a fifth of its own maximum and 1.
    """
    height, width = grey.shape
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    terms = np.stack([np.broadcast_to(t, grey.shape) for t in (np.float32(1), x, y, x * y, x * x, y * y)])
    step = max(1, round((grey.size / LIGHT_SAMPLES) ** 0.5))
    samples = terms[:, ::step, ::step].reshape(len(terms), -1).T
    values = grey[::step, ::step].ravel().astype(np.float32)
    kept = np.ones(values.shape, bool)
    for _ in range(LIGHT_ROUNDS):
        chosen = samples[kept]
        # A trace of damping: a picture one pixel wide has no slope across it.
        surface = np.linalg.solve(chosen.T @ chosen + 1e-3 * np.eye(len(terms), dtype=np.float32), chosen.T @ values[kept])
        # What lies well below the surface is ink or desk, not paper.
        kept = values > PAPER_SHARE * (samples @ surface)
        if np.count_nonzero(kept) < 3 * len(terms):
            break
    light = np.tensordot(surface.astype(np.float32), terms, axes=1)
    return np.asarray(np.maximum(light, max(1.0, 0.2 * float(light.max()))), np.float32)


def paper_noise(darkness: Grey) -> float:
    """Standard deviation of the paper's darkness: of fine detail, cut off where strokes begin, in the middle of the page."""
    height, width = darkness.shape
    middle = darkness[height // 4 : height - height // 4, width // 4 : width - width // 4]
    detail = np.asarray(cv2.absdiff(middle, cv2.medianBlur(middle, 5)), np.uint8)
    return 1.4826 * float(cv2.mean(cv2.threshold(detail, LARGEST_NOISE, 0, cv2.THRESH_TRUNC)[1])[0])


def cut_strokes(darkness: Grey, floor: float, reference: Grey) -> Grey:
    """255 where darkness is above the floor and above a share of the strongest reference nearby.

    darkness, reference : uint8 (h, w). Returns uint8 (h, w).
    """
    reach = max(9, round(max(darkness.shape) * NEARBY_SHARE)) // 4 | 1
    strongest = cv2.blur(cv2.dilate(halve(reference, 2), np.ones((reach, reach), np.uint8)), (reach, reach))
    limit = enlarge(np.maximum(strongest * np.float32(HALF_MAXIMUM), floor).astype(np.uint8), 2, darkness.shape)
    return np.asarray(cv2.compare(darkness, limit, cv2.CMP_GT), np.uint8)
