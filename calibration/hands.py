"""The hands that adapting is measured on: real writers, the same with other habits and tools, held-out sets as if one hand each.

The shipped model reads the real writers almost without an error, so that nothing can be cut. What is done to their digits is
steady, as a habit or a tool is, and common: slanted writing, a sheet that always lies askew, a broad marker, a camera that
is out of focus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.disturbances import SCALE, enlarge, sharpen, tilt
from calibration.tile_sets import LabelledTiles, Tiles
from edge_digits.errors import UsageError
from edge_digits.paper.tiles import Glyph, make_tile
from edge_digits.personal.adaptation import own_digits
from edge_digits.personal.jitter import JITTERS
from edge_digits.personal.methods import Own
from edge_digits.personal.samples import find_samples, read_samples, require_some
from edge_digits.recognition.classifier import Classifier

SLANTS: Final = (0.8, -0.8)
"""Shear of a slanted hand, sideways for upwards: 39 degrees, to the right and to the left."""
ASKEW_DEG: Final = 35.0
MARKER_PX: Final = 3.0
"""By so much every stroke is wider than the pen's, in pixels of a tile."""
FOCUS_PX: Final = 2.25
"""Standard deviation of the blur, in pixels of a tile."""
_MARKER: Final = np.ones((round(MARKER_PX * SCALE) + 1,) * 2, np.uint8)
TOOLS: Final[Mapping[str, Callable[[Glyph], Glyph]]] = {
    f"askew by +{ASKEW_DEG:.0f} degrees": lambda ink: tilt(ink, ASKEW_DEG),
    f"askew by -{ASKEW_DEG:.0f} degrees": lambda ink: tilt(ink, -ASKEW_DEG),
    "broad marker": lambda ink: np.asarray(cv2.dilate(sharpen(ink), _MARKER), np.uint8),
    "out of focus": lambda ink: np.asarray(cv2.GaussianBlur(ink, (0, 0), FOCUS_PX * SCALE), np.uint8),
}
"""uint8 (112, 112), a tile enlarged -> the same as that tool gives it."""
SETS: Final = ("semeion", "usps_test", "orand_val")


@dataclass(frozen=True, slots=True)
class Hand:
    """Digits taken as one person's, with all their copies. kind : "writer", "changed" or "set". folder : of a writer's samples."""

    name: str
    kind: str
    own: Own
    folder: Path | None = None


def find_hands(
    classifier: Classifier, personal: Path, held_out: Mapping[str, LabelledTiles], sets: tuple[str, ...] = SETS
) -> Iterator[Hand]:
    """Each writer below a folder as he writes and in each changed way, then the sets. Raises UsageError, InputError."""

    def hand(name: str, kind: str, tiles: Tiles, labels: NDArray[np.int64], folder: Path | None = None) -> Hand:
        return Hand(name, kind, own_digits(classifier, tiles, labels, len(JITTERS)), folder)

    folders = sorted(path for path in personal.iterdir() if path.is_dir()) if personal.is_dir() else []
    if not folders:
        raise UsageError(f"{personal}: holds no writer's folder; give one with a samples folder for each writer")
    for folder in folders:
        samples = read_samples(find_samples(folder))
        require_some(samples, folder)
        tiles = np.array([make_tile(glyph) for glyph in samples.glyphs])
        yield hand(folder.name, "writer", tiles, samples.labels, folder)
        for slant in SLANTS:
            changed = np.array([make_tile(slanted(glyph, slant)) for glyph in samples.glyphs])
            yield hand(f"{folder.name}, slant {slant:+}", "changed", changed, samples.labels)
        for name, tool in TOOLS.items():
            changed = np.array([make_tile(tool(enlarge(tile))) for tile in tiles])
            yield hand(f"{folder.name}, {name}", "changed", changed, samples.labels)
    for name in sets:
        if name not in held_out:
            raise UsageError(f"the tiles have no set '{name}'; they have: {', '.join(sorted(held_out))}")
        chosen = held_out[name]
        yield hand(name, "set", chosen.tiles, chosen.labels.astype(np.int64))


def slanted(glyph: Glyph, shear: float) -> Glyph:
    """A glyph sheared sideways about its middle. Returns uint8 (h, w'), ink 255."""
    height = glyph.shape[0]
    room = int(abs(shear) * height) + 2
    wide = cv2.copyMakeBorder(glyph, 2, 2, room, room, cv2.BORDER_CONSTANT, value=0)
    matrix = np.array([[1.0, -shear, shear * wide.shape[0] / 2], [0.0, 1.0, 0.0]], np.float32)
    return np.asarray(cv2.warpAffine(wide, matrix, (wide.shape[1], wide.shape[0])), np.uint8)
