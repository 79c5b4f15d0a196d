"""The hands that adapting is measured on: real writers, the same written at a slant, and held-out sets taken as if one hand each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.tile_sets import LabelledTiles
from edge_digits.errors import UsageError
from edge_digits.paper.tiles import Glyph, as_model_input, make_tiles
from edge_digits.personal.adaptation import outputs_of
from edge_digits.personal.head import Outputs
from edge_digits.personal.samples import find_samples, read_samples, require_some
from edge_digits.recognition.classifier import Classifier

SLANTS: Final = (0.8, -0.8)
"""Shear of a slanted hand, sideways for upwards: 39 degrees, to the right and to the left."""
SETS: Final = ("semeion", "usps_test", "orand_val")


@dataclass(frozen=True, slots=True)
class Hand:
    """Digits taken as one person's. kind : "writer", "slanted" or "set". labels : int64 (n,), 0..9. folder : of a writer's samples."""

    name: str
    kind: str
    outputs: Outputs
    labels: NDArray[np.int64]
    folder: Path | None = None


def find_hands(
    classifier: Classifier, personal: Path, held_out: Mapping[str, LabelledTiles], sets: tuple[str, ...] = SETS
) -> Iterator[Hand]:
    """Each writer below a folder as he writes and at two slants, then the sets. Raises UsageError, InputError."""
    folders = sorted(path for path in personal.iterdir() if path.is_dir()) if personal.is_dir() else []
    if not folders:
        raise UsageError(f"{personal}: holds no writer's folder; give one with a samples folder for each writer")
    for folder in folders:
        samples = read_samples(find_samples(folder))
        require_some(samples, folder)
        yield Hand(folder.name, "writer", outputs_of(classifier, make_tiles(samples.glyphs)), samples.labels, folder)
        for slant in SLANTS:
            glyphs = [slanted(glyph, slant) for glyph in samples.glyphs]
            yield Hand(f"{folder.name}, slant {slant:+}", "slanted", outputs_of(classifier, make_tiles(glyphs)), samples.labels)
    for name in sets:
        if name not in held_out:
            raise UsageError(f"the tiles have no set '{name}'; they have: {', '.join(sorted(held_out))}")
        chosen = held_out[name]
        yield Hand(name, "set", outputs_of(classifier, as_model_input(chosen.tiles)), chosen.labels.astype(np.int64))


def slanted(glyph: Glyph, shear: float) -> Glyph:
    """A glyph sheared sideways about its middle. Returns uint8 (h, w'), ink 255."""
    height = glyph.shape[0]
    room = int(abs(shear) * height) + 2
    wide = cv2.copyMakeBorder(glyph, 2, 2, room, room, cv2.BORDER_CONSTANT, value=0)
    matrix = np.array([[1.0, -shear, shear * wide.shape[0] / 2], [0.0, 1.0, 0.0]], np.float32)
    return np.asarray(cv2.warpAffine(wide, matrix, (wide.shape[1], wide.shape[0])), np.uint8)
