"""Takes a picture of a sheet: how it lies, in what light, with what camera; where each digit is seen then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.camera import Noise, focus, photo_camera, scanner, take
from export.pages.compose import compose_sheet
from export.pages.digit_source import Split
from export.pages.framing import View, frame_on_desk, frame_window
from export.pages.geometry import warp
from export.pages.light import Light, crumple, curl_shade, glare, room_light, shadow
from export.pages.scenes import Surroundings, load_surroundings, room, surface, torn_edge
from export.pages.sheet import Box, Clutter, Sheet, WrittenDigit
from export.pages.sources import SheetSources, load_sheet_sources
from export.pages.things import add_fingers, add_pen
from export.pages.visible import contrast, sight

BOARDS: Final = ("whiteboard", "blackboard")


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture of a sheet and what it shows.

    picture : uint8 (h, w, 3) BGR or (h, w) grey. digits, clutter : boxes in pixels of the picture, origin top left.
    kind : of the sheet. setting : how it was taken, one of SETTINGS. lines : the lines that can be seen, as written, signs included.
    rotate : degrees by which the picture must be turned counter-clockwise to stand upright: 0, 90, 180 or 270.
    written : uint8 (h, w) in pixels of the picture, how far a pen covers each, None unless it was asked for.
    """

    picture: NDArray[np.uint8]
    digits: tuple[WrittenDigit, ...]
    clutter: tuple[Clutter, ...]
    kind: str
    setting: str
    lines: tuple[str, ...]
    rotate: int = 0
    written: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What pages are made of: built once by each process, by `load_sources`.

    writing : what sheets are written with. surroundings : what they lie on. noise : of the camera.
    """

    writing: SheetSources
    surroundings: Surroundings
    noise: Noise


def load_sources(data: Path, fonts: Path | None, split: Split) -> Sources:
    """Load everything once.

    data : folder of the data sets. fonts : folder of fonts, for letters and print. split : whose digits are written.
    Raises DataError.
    """
    return Sources(load_sheet_sources(data, fonts, split), load_surroundings(data), Noise())


def make_page(sources: Sources, seed: int, index: int, *, written: bool = False, only: str | None = None) -> Photograph:
    """Page `index` of the pages of a seed: always the same, whatever was made before it.

    written : whether its pen strokes are told. only : the one kind of sheet that is made.
    """
    sheet = compose_sheet(np.random.default_rng((seed, index, 0)), sources.writing, only)
    return photograph(np.random.default_rng((seed, index, 1)), sheet, sources, written=written)


FAINT: Final = 45.0
"""Grey levels between ink and paper of the sheet, below which light and camera do not take more away."""

SETTINGS: Final = ("scan", "page", "crop", "desk", "hand")
"""A scanner; paper from edge to edge of the picture; a piece cut out around some digits; a sheet on a desk; a pad held up."""

_SHARES: Final = (0.18, 0.34, 0.21, 0.22, 0.05)
_BOARD_SHARES: Final = (0.0, 0.6, 0.25, 0.15, 0.0)


def photograph(rng: np.random.Generator, sheet: Sheet, sources: Sources, *, written: bool = False) -> Photograph:
    """One picture of a sheet, in a setting and from a place drawn at random. written : whether its pen strokes are told, too."""
    setting = SETTINGS[int(rng.choice(len(SETTINGS), p=_BOARD_SHARES if sheet.kind in BOARDS else _SHARES))]
    view = frame_on_desk(rng, sheet, held=setting == "hand") if setting in ("desk", "hand") else frame_window(rng, sheet, setting)
    done = photograph_from(rng, sheet, sources, setting, view, written=written)
    return turned(done, int(rng.integers(1, 4)) if rng.random() < 0.05 else 0)


def photograph_from(
    rng: np.random.Generator, sheet: Sheet, sources: Sources, setting: str, view: View, *, written: bool = False
) -> Photograph:
    """One picture of a sheet seen as the view says, in light and with a camera that fit the setting, one of SETTINGS."""
    sighting = sight(sheet, view.pose)
    boxes = [digit.box for digit in sighting.digits]
    smallest = min((box[3] for box in boxes), default=30.0)
    scanned = setting == "scan" or (setting == "crop" and rng.random() < 0.25 and sheet.kind not in BOARDS)
    gentle = _is_faint(sheet)
    camera = (scanner if scanned else photo_camera)(rng, smallest, gentle=gentle)
    picture = _paper_and_desk(rng, sheet, view, sources.surroundings, setting)
    if setting == "hand" or (setting in ("desk", "page") and rng.random() < 0.06):
        add_fingers(rng, picture, boxes)
    if setting == "desk" and rng.random() < 0.2:
        add_pen(rng, picture, boxes)
    light = _even_light(rng, view, gentle) if scanned else _light(rng, sheet, view, sources.surroundings, gentle)
    taken = take(rng, light.shine(focus(picture, camera)), camera, sources.noise)
    sighting = sighting.legible(taken)
    strokes = _strokes(sheet, view) if written else None
    return Photograph(taken, sighting.digits, sighting.clutter, sheet.kind, setting, sighting.lines, written=strokes)


def _strokes(sheet: Sheet, view: View) -> NDArray[np.uint8]:
    """How far a pen covers each pixel of the picture, uint8 (h, w)."""
    if sheet.written is None:
        return np.zeros((view.pose.height, view.pose.width), np.uint8)
    return warp(sheet.written, view.pose, cv2.BORDER_CONSTANT)


def turned(photo: Photograph, turns: int) -> Photograph:
    """The photograph as it comes out of a camera held sideways: turned clockwise `turns` times by 90 degrees."""
    if not turns % 4:
        return photo
    digits, clutter, picture, written = photo.digits, photo.clutter, photo.picture, photo.written
    for _ in range(turns % 4):
        h = picture.shape[0]
        picture = cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE)  # type: ignore[assignment]
        written = None if written is None else np.asarray(cv2.rotate(written, cv2.ROTATE_90_CLOCKWISE), np.uint8)
        digits = tuple(replace(digit, box=_turned(digit.box, h)) for digit in digits)
        clutter = tuple(replace(each, box=_turned(each.box, h)) for each in clutter)
    rotate = (photo.rotate + 90 * turns) % 360
    return replace(photo, picture=picture, digits=digits, clutter=clutter, rotate=rotate, written=written)


def _turned(box: Box, height: int) -> Box:
    x, y, w, h = box
    return height - y - h, x, h, w


def _paper_and_desk(rng: np.random.Generator, sheet: Sheet, view: View, surroundings: Surroundings, setting: str) -> NDArray[np.uint8]:
    """The sheet where the camera sees it, uint8 (h, w, 3), evenly lit."""
    picture = sheet.picture
    if rng.random() < 0.12 and sheet.kind not in BOARDS:
        picture = _bleed_through(rng, picture)
    if not view.edges:
        return warp(picture, view.pose)
    mask = torn_edge(rng, picture.shape[1], picture.shape[0])
    seen = warp(cv2.merge([picture, mask]), view.pose, cv2.BORDER_CONSTANT)  # type: ignore[arg-type]
    size = view.pose.width, view.pose.height
    desk = room(rng, *size) if setting == "hand" else surface(rng, surroundings, *size)
    alpha = seen[:, :, 3]
    dark = _cast_shadow(rng, alpha)
    desk = cv2.multiply(desk, cv2.merge([dark] * 3), scale=1 / 255)  # type: ignore[assignment]
    cover = cv2.merge([alpha] * 3)
    return cv2.add(cv2.multiply(seen[:, :, :3], cover, scale=1 / 255), cv2.multiply(desk, cv2.bitwise_not(cover), scale=1 / 255))  # type: ignore[return-value]


def _cast_shadow(rng: np.random.Generator, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How bright the desk is beside the sheet, uint8 of alpha's shape, 255 unshadowed."""
    h, w = alpha.shape
    small = cv2.resize(alpha, (max(2, w // 4), max(2, h // 4)), interpolation=cv2.INTER_AREA)
    shift = np.array([[1, 0, rng.normal(0, 0.006) * w / 4], [0, 1, rng.normal(0, 0.006) * h / 4]], np.float32)
    moved = cv2.warpAffine(small, shift, (small.shape[1], small.shape[0]))
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.8, rng.uniform(0.003, 0.012) * max(w, h) / 4))
    return cv2.resize(255 - (soft * rng.uniform(0.1, 0.65)).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _bleed_through(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The sheet with what stands on its back shining through, mirrored and faint."""
    back = cv2.GaussianBlur(cv2.flip(picture, int(rng.choice([1, -1]))), (0, 0), rng.uniform(1, 3))
    paper = np.percentile(back[::8, ::8].reshape(-1, 3), 80, axis=0)
    faint = cv2.subtract(np.full_like(back, paper.round().astype(np.uint8)), back)
    return cv2.subtract(picture, cv2.convertScaleAbs(faint, alpha=rng.uniform(0.03, 0.16)))  # type: ignore[return-value]


def _is_faint(sheet: Sheet) -> bool:
    """Whether the weaker half of the digits hardly differs from the paper: then light and camera must be kind, as those of people are."""
    some = sheet.digits[:: max(1, len(sheet.digits) // 12)]
    return bool(some) and float(np.median([contrast(sheet.picture, digit.box) for digit in some])) < FAINT


def _even_light(rng: np.random.Generator, view: View, gentle: bool) -> Light:
    """The light of a scanner."""
    field = room_light(rng, view.pose.width, view.pose.height, float(rng.uniform(0, 0.12)))
    return Light(field * np.float32(rng.uniform(0.92, 1.0 if gentle else 1.06)), (1.0, 1.0, 1.0))


def _light(rng: np.random.Generator, sheet: Sheet, view: View, surroundings: Surroundings, gentle: bool) -> Light:
    """The light of a room, its shadows and its colour, on paper that is seldom flat."""
    size = view.pose.width, view.pose.height
    field = room_light(rng, *size, float(rng.uniform(0.1, 1.0)))
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            field = field * shadow(rng, *size)
    if sheet.kind not in BOARDS and surroundings.crumpled and rng.random() < 0.3:
        paper = surroundings.crumpled[int(rng.integers(len(surroundings.crumpled)))]
        field = field * crumple(rng, paper, *size, float(rng.uniform(0.01, 0.12)))
    if view.pose.curl is not None:
        field = field * curl_shade(view.pose.curl.slope(view.pose.grid()), *size, float(rng.uniform(0.1, 1.2)))
    chance = rng.random() if not gentle else 0.5
    gain = rng.uniform(0.25, 0.6) if chance < 0.1 else rng.uniform(1.1, 1.35) if chance > 0.95 else rng.uniform(0.6, 1.05)
    shiny = not gentle and rng.random() < (0.4 if sheet.kind == "whiteboard" else 0.06)
    reflection = glare(rng, *size, 0.6 if sheet.kind == "whiteboard" else 0.35) if shiny else None
    warmth, tint = rng.normal(0, 0.07), rng.normal(0, 0.025)
    colour = float(np.exp(-warmth)), float(np.exp(tint)), float(np.exp(warmth))
    return Light(field * np.float32(gain / np.percentile(field[::4, ::4], 80)), colour, reflection)
