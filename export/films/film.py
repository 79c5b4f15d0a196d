"""Renders a film: a generated sheet on a desk, moved, shaken, shadowed and out of focus, as a camera delivers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.films.choreography import Choreography, Moment, choreograph
from export.films.hand import Hand, draw_hand
from export.pages.camera import Camera, focus, take
from export.pages.canvas import Canvas
from export.pages.compose import annotate
from export.pages.geometry import Pose, fit, tilted
from export.pages.layouts import LAYOUTS
from export.pages.light import STEP_PX, Light, field_size, room_light
from export.pages.scenes import surface
from export.pages.sheet import Box, Sheet
from export.pages.view import Sources
from export.pages.visible import LEAST_CONTRAST, contrast

WIDTH_PX: Final = 1280
HEIGHT_PX: Final = 720
FPS: Final = 30.0
KINDS: Final = ("plain", "ruled", "grid", "boxed", "table")
"""Kinds of sheets in films: what people hold under a camera."""
SMALLEST_DIGIT_PX: Final = 24.0
"""Digits of a film are at least so high: who holds a sheet under a camera brings it so near."""
NUMBERS: Final = (6, 60)
"""A sheet has so many numbers."""
SHARE: Final = (0.78, 0.97)
MOST_ENLARGED: Final = 1.6
SHAKE_PX: Final = 14.0
TREMOR_PX: Final = 0.25
"""Standard deviation of how far a camera on a stand moves between two frames."""
SHUTTER: Final = 0.4
"""Share of a frame's time for which the shutter is open."""
MARGIN_PX: Final = 64
LONGEST_KERNEL_PX: Final = 11.0
TRIES: Final = 400


@dataclass(frozen=True, slots=True)
class TrueNumber:
    """A number on the sheet. digits : each digit and its box in pixels of the sheet, left to right."""

    digits: tuple[tuple[int, Box], ...]

    @property
    def text(self) -> str:
        """Its digits, signs left out."""
        return "".join(str(digit) for digit, _ in self.digits)


@dataclass(frozen=True, slots=True)
class Take:
    """Everything of a film that stays the same over its frames.

    layer : uint8 (h, w, 4), the sheet and which of it is paper. home : where the sheet lies at rest.
    """

    choreography: Choreography
    sheet: Sheet
    layer: NDArray[np.uint8]
    home: NDArray[np.float64]
    desk: NDArray[np.uint8]
    light: Light
    camera: Camera
    hand: Hand

    @property
    def length(self) -> int:
        """Number of frames."""
        return int(self.choreography.length_s * FPS)

    @property
    def numbers(self) -> tuple[TrueNumber, ...]:
        """What stands on the sheet and can be made out, line by line."""
        faint = self._faint()
        found: dict[tuple[int, int], list[tuple[int, Box]]] = {}
        for digit in self.sheet.digits:
            found.setdefault((digit.line, digit.number), []).append((digit.digit, digit.box))
        return tuple(TrueNumber(tuple(digits)) for key, digits in sorted(found.items()) if key not in faint)

    @property
    def other_marks(self) -> tuple[tuple[str, Box], ...]:
        """Kind and box of everything else on the sheet; of numbers that are too faint, each digit."""
        faint = self._faint()
        lost = [("faint digit", digit.box) for digit in self.sheet.digits if (digit.line, digit.number) in faint]
        return (*((each.kind, each.box) for each in self.sheet.clutter), *lost)

    def _faint(self) -> set[tuple[int, int]]:
        """Line and number of those of which a digit hardly differs from the paper."""
        limit = 2 * LEAST_CONTRAST  # a webcam shows less than the sheet has
        return {(digit.line, digit.number) for digit in self.sheet.digits if contrast(self.sheet.picture, digit.box) < limit}

    def pose(self, frame: int) -> NDArray[np.float64]:
        """Homography from pixels of the sheet to those of a frame, 0 the first; float64 (3, 3)."""
        moment = self.choreography.at(frame / FPS)
        return _moved(self.home, moment, self.choreography.side_deg, _jitter(frame, moment))


def prepare(sources: Sources, seed: int, index: int) -> Take:
    """Film `index` of a seed: always the same, whatever was made before it."""
    rng = np.random.default_rng((seed, index, 2))
    sheet, home = _fitting_sheet(rng, sources)
    field = room_light(rng, WIDTH_PX, HEIGHT_PX, float(rng.uniform(0.1, 0.7)))
    gain = np.float32(rng.uniform(0.65, 1.0) / np.percentile(field, 80))
    warmth = rng.normal(0, 0.05)
    light = Light(field * gain, (float(np.exp(-warmth)), 1.0, float(np.exp(warmth))))
    smallest = min(digit.box[3] for digit in sheet.digits) * Pose(home, WIDTH_PX, HEIGHT_PX).scale_at((10.0, 10.0))
    # A webcam: lens a little soft, noise of a small sensor, JPEG of its own.
    camera = Camera(
        defocus_px=min(1.2, 0.025 * smallest) * float(rng.uniform(0.3, 1.0)),
        motion_px=0.0,
        motion_deg=0.0,
        noise=float(rng.uniform(0.8, 3.0)),
        grain_px=0.8,
        gamma=1.0,
        black=4.0,
        white=252.0,
        sharpen=0.0,
        moire=0.0,
        jpeg=0,
    )
    margin = 2 * MARGIN_PX
    desk = surface(rng, sources.surroundings, WIDTH_PX + margin, HEIGHT_PX + margin)
    layer = cv2.merge([sheet.picture, np.full(sheet.picture.shape[:2], 255, np.uint8)])
    return Take(choreograph(rng), sheet, layer, home, desk, light, camera, draw_hand(rng))  # type: ignore[arg-type]


def render(film: Take, sources: Sources, seed: int) -> Iterator[NDArray[np.uint8]]:
    """The frames, uint8 (HEIGHT_PX, WIDTH_PX, 3) BGR, one after the other."""
    rng = np.random.default_rng((seed, 3))
    for frame in range(film.length):
        moment = film.choreography.at(frame / FPS)
        picture = _scene(film, frame, moment)
        if moment.hand < 1:
            tip, angle = _hand_place(film, film.pose(frame), moment)
            film.hand.lay_over(picture, tip, angle, 0.75 * HEIGHT_PX)
        blurred = focus(picture, _out_of_focus(film, moment))
        light = film.light if moment.shadow is None else Light(film.light.field * _shadow(film, moment.shadow), film.light.colour)
        yield take(rng, light.shine(blurred), film.camera, sources.noise)


def _fitting_sheet(rng: np.random.Generator, sources: Sources) -> tuple[Sheet, NDArray[np.float64]]:
    for _ in range(TRIES):
        canvas: Canvas = LAYOUTS[str(rng.choice(KINDS))][0](rng, sources.writing)
        annotate(canvas, rng)
        sheet = canvas.finish(rng)
        h, w = sheet.picture.shape[:2]
        pitch, yaw = (float(v) for v in np.clip(rng.normal(0, 7, 2), -20, 20))
        plane = tilted((w, h), float(rng.normal(0, 3)), pitch, yaw, float(rng.uniform(1.2, 2.2)))
        share = rng.uniform(*SHARE)
        wide, high = WIDTH_PX * share, HEIGHT_PX * share
        home = fit(plane, (w, h), ((WIDTH_PX - wide) * rng.uniform(0.3, 0.7), (HEIGHT_PX - high) * rng.uniform(0.3, 0.7), wide, high))
        scale = Pose(home, WIDTH_PX, HEIGHT_PX).scale_at((w / 2, h / 2))
        heights = [digit.box[3] * scale for digit in sheet.digits]
        count = len({(digit.line, digit.number) for digit in sheet.digits})
        if NUMBERS[0] <= count <= NUMBERS[1] and scale <= MOST_ENLARGED and float(np.percentile(heights, 10)) >= SMALLEST_DIGIT_PX:
            return sheet, home
    raise RuntimeError("no sheet with digits large enough was made")


def _scene(film: Take, frame: int, moment: Moment) -> NDArray[np.uint8]:
    """Desk and sheet, evenly lit, with the blur of what moves."""
    jitter = _jitter(frame, moment)
    x, y = (round(MARGIN_PX - v) for v in jitter)
    desk = film.desk[y : y + HEIGHT_PX, x : x + WIDTH_PX]
    if moment.away >= 1:
        return desk.copy()
    pose = film.pose(frame)
    seen = cv2.warpPerspective(film.layer, pose, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    middle = np.array([film.layer.shape[1] / 2, film.layer.shape[0] / 2, 1.0])
    now, before = pose @ middle, film.pose(max(0, frame - 1)) @ middle
    way = (now[:2] / now[2] - before[:2] / before[2]) * SHUTTER
    if np.hypot(*way) > 1.5:
        seen = _smeared(seen, way)
    cover = cv2.merge([seen[:, :, 3]] * 3)
    beside = cv2.multiply(desk, cv2.bitwise_not(cover), scale=1 / 255)
    return cv2.add(cv2.multiply(seen[:, :, :3], cover, scale=1 / 255), beside)  # type: ignore[return-value]


def _smeared(seen: NDArray[np.uint8], way: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The picture, uint8 (h, w, 4), moved by a way in pixels while the shutter is open."""
    length = float(np.hypot(*way))
    # What is smeared far has no detail left: it is done on a picture as small as the kernel then allows.
    shrink = 2 ** max(0, int(np.ceil(np.log2(length / LONGEST_KERNEL_PX))))
    small = cv2.resize(seen, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA) if shrink > 1 else seen
    side = int(length / shrink) | 1
    kernel = np.zeros((side, side), np.uint8)
    reach = way / length * side / 2
    first, last = ((int(side // 2 + s * reach[0]), int(side // 2 + s * reach[1])) for s in (-1, 1))
    cv2.line(kernel, first, last, 255, 1)
    weights = kernel.astype(np.float32)
    smeared = cv2.filter2D(small, -1, weights / weights.sum())
    size = seen.shape[1], seen.shape[0]
    return cv2.resize(smeared, size, interpolation=cv2.INTER_LINEAR) if shrink > 1 else smeared  # type: ignore[return-value]


def _jitter(frame: int, moment: Moment) -> NDArray[np.float64]:
    """How far the camera is off its place in a frame, pixels."""
    rng = np.random.default_rng((frame, 4))
    quick = np.array([np.sin(frame * 1.9 + 0.4), np.cos(frame * 2.3)]) + rng.normal(0, 0.4, 2)
    return rng.normal(0, TREMOR_PX, 2) + SHAKE_PX * moment.shake * quick


def _moved(home: NDArray[np.float64], moment: Moment, side_deg: float, jitter: NDArray[np.float64]) -> NDArray[np.float64]:
    side, turn = np.deg2rad(side_deg), np.deg2rad(moment.turn_deg)
    far = np.hypot(WIDTH_PX, HEIGHT_PX) * moment.away
    middle = np.array([WIDTH_PX / 2, HEIGHT_PX / 2])
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[c, -s], [s, c]])
    offset = middle - rotation @ middle + far * np.array([np.cos(side), np.sin(side)]) + jitter
    return np.vstack([np.column_stack([rotation, offset]), [0, 0, 1]]) @ home


def _hand_place(film: Take, pose: NDArray[np.float64], moment: Moment) -> tuple[tuple[float, float], float]:
    """Where the finger tips are and which way they point: they hold the edge of the sheet that is nearest to where it came from."""
    side = np.deg2rad(film.choreography.side_deg)
    way = np.array([np.cos(side), np.sin(side)])
    h, w = film.layer.shape[:2]
    corners = np.array([[0, 0, 1], [w, 0, 1], [w, h, 1], [0, h, 1]], float) @ pose.T
    corners = corners[:, :2] / corners[:, 2:]
    middle = corners.mean(axis=0)
    edge = float(((corners - middle) @ way).max()) * 0.93
    tip = middle + way * (edge + moment.hand * np.hypot(WIDTH_PX, HEIGHT_PX))
    return (float(tip[0]), float(tip[1])), float(side + np.pi)


def _out_of_focus(film: Take, moment: Moment) -> Camera:
    if not moment.blur:
        return film.camera
    return replace(film.camera, defocus_px=film.camera.defocus_px + 4.0 * moment.blur)


def _shadow(film: Take, share: float) -> NDArray[np.float32]:
    """A soft-edged shadow on its way over the picture: float32 at the resolution of a light's field."""
    w, h = field_size(WIDTH_PX, HEIGHT_PX)
    side = np.deg2rad(film.choreography.side_deg)
    way, across = np.array([np.cos(side), np.sin(side)]), np.array([-np.sin(side), np.cos(side)])
    size = float(np.hypot(w, h))
    middle = np.array([w, h]) / 2 + way * size * (1.2 - 2.4 * share)
    half = size * 0.3
    corners = [middle + way * half * i + across * size * j for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    mask = cv2.fillConvexPoly(np.zeros((h, w), np.uint8), np.array(corners).astype(np.int32), 255)
    return 1 - np.float32(0.5 / 255) * cv2.GaussianBlur(mask, (0, 0), 24 / STEP_PX).astype(np.float32)
