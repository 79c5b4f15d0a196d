"""What lens, sensor and file make of a lit scene: blur, noise, tone, sharpening, moire, JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

NOISE_SIDE_PX: Final = 1024
NOISE_SEED: Final = 7401

FINEST_STROKE: Final = 0.07
"""Stroke of a thin pen as a share of a digit's height: blur stays in proportion to it, for a person must be able to read the page."""


@dataclass(frozen=True, slots=True)
class Camera:
    """How one picture is taken.

    defocus_px : standard deviation of the blur. motion_px : length of a shake, 0 none; motion_deg : its direction.
    noise : standard deviation in grey levels on white paper; grain_px : size of its grains.
    gamma, black, white : tone; the darkest and brightest levels of the picture, 0..255. sharpen : share of detail added.
    moire : amplitude, 0 none. jpeg : quality, 0 stays uncompressed. grey : the picture has one channel. levels : 2 for fax, else 256.
    """

    defocus_px: float
    motion_px: float
    motion_deg: float
    noise: float
    grain_px: float
    gamma: float
    black: float
    white: float
    sharpen: float
    moire: float
    jpeg: int
    grey: bool = False
    bilevel: bool = False


class Noise:
    """Grains of a sensor, made once: cutting a piece of them costs a hundredth of drawing new ones."""

    def __init__(self) -> None:
        rng = np.random.default_rng(NOISE_SEED)
        white = rng.standard_normal((NOISE_SIDE_PX, NOISE_SIDE_PX, 3), np.float32)
        shared = rng.standard_normal((NOISE_SIDE_PX, NOISE_SIDE_PX, 1), np.float32)
        mixed = 0.6 * white + 0.8 * shared
        self._grains = {0: mixed, 1: _grains(mixed, 0.7), 2: _grains(mixed, 1.3)}

    def add_to(self, rng: np.random.Generator, picture: NDArray[np.float32], deviation: float, grain_px: float) -> None:
        """Add noise of a standard deviation, in place. picture : float32 (h, w, 3)."""
        grains = self._grains[0 if grain_px < 0.5 else 1 if grain_px < 1.0 else 2]
        top, left = (int(v) for v in rng.integers(0, NOISE_SIDE_PX, 2))
        for y in range(-top, picture.shape[0], NOISE_SIDE_PX):
            for x in range(-left, picture.shape[1], NOISE_SIDE_PX):
                place = picture[max(0, y) : y + NOISE_SIDE_PX, max(0, x) : x + NOISE_SIDE_PX]
                piece = grains[max(0, -y) : max(0, -y) + place.shape[0], max(0, -x) : max(0, -x) + place.shape[1]]
                place[...] = cv2.scaleAdd(piece, deviation, place)


def photo_camera(rng: np.random.Generator, digit_px: float, *, gentle: bool) -> Camera:
    """A phone's camera in someone's hand.

    digit_px : height of the smallest digits in the picture. gentle : the ink is faint already.
    """
    stroke = max(0.6, FINEST_STROKE * digit_px)
    defocus = stroke * (rng.uniform(0.1, 0.45) if rng.random() < 0.75 else rng.uniform(0.45, 0.95))
    motion = stroke * rng.uniform(0.8, 2.6) if rng.random() < 0.1 else 0.0
    faint = rng.random() < 0.12 and not gentle
    grain = rng.uniform(0, 1.6)
    return Camera(
        defocus_px=min(defocus, 6.0),
        motion_px=min(motion, 25.0),
        motion_deg=float(rng.uniform(0, 180)),
        # Coarse grains are what a phone left over when it took the fine ones away.
        noise=float(np.exp(rng.uniform(np.log(0.4), np.log(4.5 - 1.8 * grain)))) * (0.5 if gentle else 1.0),
        grain_px=float(grain),
        gamma=float(np.exp(rng.normal(0, 0.15))),
        black=float(rng.uniform(20, 90)) if faint else float(rng.uniform(0, 15)),
        white=float(rng.uniform(170, 235)) if faint else 255.0,
        sharpen=float(rng.uniform(0.2, 1.2)) if rng.random() < 0.4 else 0.0,
        moire=float(rng.uniform(1, 5)) if rng.random() < 0.04 else 0.0,
        jpeg=int(rng.integers(35, 96)),
        grey=bool(rng.random() < 0.06),
    )


def scanner(rng: np.random.Generator, digit_px: float, *, gentle: bool) -> Camera:
    """A flat-bed scanner, a copier or a scanning app: sharp, even, paper often washed out to white, sometimes to two levels."""
    stroke = max(0.6, FINEST_STROKE * digit_px)
    return Camera(
        defocus_px=stroke * rng.uniform(0.05, 0.35),
        motion_px=0.0,
        motion_deg=0.0,
        noise=float(rng.uniform(0.0, 2.0)),
        grain_px=float(rng.uniform(0, 1.2)),
        gamma=float(np.exp(rng.normal(0, 0.12))),
        black=float(rng.uniform(0, 40)) if rng.random() < 0.3 else 0.0,
        white=255.0,
        sharpen=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.3 else 0.0,
        moire=0.0,
        jpeg=int(rng.integers(45, 96)) if rng.random() < 0.8 else 0,
        grey=bool(rng.random() < 0.3),
        bilevel=bool(rng.random() < 0.08) and not gentle,
    )


def focus(scene: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    """The scene, uint8 (h, w, 3), as sharp as the lens shows it.

    Light is added later: it is smooth itself, and bytes are blurred in a third of the time of floats.
    """
    seen = scene
    if camera.defocus_px > 0.25:
        seen = cv2.GaussianBlur(seen, (0, 0), camera.defocus_px)  # type: ignore[assignment]
    if camera.motion_px > 1.5:
        seen = cv2.filter2D(seen, -1, _shake(camera.motion_px, camera.motion_deg))  # type: ignore[assignment]
    return seen


def take(rng: np.random.Generator, lit: NDArray[np.float32], camera: Camera, noise: Noise) -> NDArray[np.uint8]:
    """The picture that the camera stores of a lit scene; changes `lit`.

    lit : float32 (h, w, 3) BGR, 255 as bright as the sensor takes. Returns uint8 (h, w, 3), or (h, w) when grey.
    """
    h, w = lit.shape[:2]
    if camera.moire:
        lit += _moire(rng, w, h, camera.moire)[:, :, None]
    if camera.noise:
        noise.add_to(rng, lit, camera.noise, camera.grain_px)
    picture = cv2.LUT(cv2.add(lit, 0, dtype=cv2.CV_8U), _tone(camera))
    if camera.sharpen:
        picture = cv2.addWeighted(picture, 1 + camera.sharpen, cv2.GaussianBlur(picture, (0, 0), 1.2), -camera.sharpen, 0)
    if camera.grey or camera.bilevel:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if camera.bilevel:
        picture = cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    elif camera.jpeg:
        picture = _compressed(picture, camera.jpeg)
    return picture  # type: ignore[return-value]


def _shake(length_px: float, direction_deg: float) -> NDArray[np.float32]:
    """Kernel of a camera moved along a straight line."""
    side = int(length_px) | 1
    kernel = np.zeros((side, side), np.uint8)
    reach = length_px / 2 * np.array([np.cos(np.deg2rad(direction_deg)), np.sin(np.deg2rad(direction_deg))])
    ends = np.array([side // 2 - reach, side // 2 + reach]).round()
    cv2.line(kernel, *(tuple(int(v) for v in end) for end in ends), 255, 1, cv2.LINE_AA)
    weights = kernel.astype(np.float32)
    return weights / weights.sum()


def _tone(camera: Camera) -> NDArray[np.uint8]:
    levels = np.linspace(0, 1, 256) ** camera.gamma
    return np.clip(camera.black + (camera.white - camera.black) * levels, 0, 255).round().astype(np.uint8)


def _moire(rng: np.random.Generator, width: int, height: int, amplitude: float) -> NDArray[np.float32]:
    """Slightly bent stripes, as between the grid of a sensor and a fine pattern."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 25)
    bend = rng.uniform(-1, 1) * 30 / max(width, height) ** 2
    xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    phase = (np.cos(angle) * xs + np.sin(angle) * ys + bend * xs * ys) * np.float32(2 * np.pi / period)
    return np.float32(amplitude) * np.sin(phase, dtype=np.float32)


def _compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)  # type: ignore[return-value]


def _grains(noise: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    blurred = cv2.GaussianBlur(noise, (0, 0), sigma)
    return (blurred / blurred.std()).astype(np.float32)
