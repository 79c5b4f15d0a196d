"""The tiles that calibration and judging work on, as `python -m export.calibration_tiles` writes them.

One .npz file, so that this folder needs no data set code and no torch: `calibration_tiles`, training tiles that fix
the int8 ranges; `<set>_tiles` with `<set>_labels`, sets that were never trained on; `marks_<kind>_tiles`, marks that are
not one digit, kind by kind, without labels. Two names have a meaning of their own: `temperature`, labelled tiles kept out
of the training sets to fit the temperature on, and `negatives_holdout`, where every label is "not one digit".
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.errors import CalibrationError
from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT

CALIBRATION: Final = "calibration"
TEMPERATURE: Final = "temperature"
NEGATIVES: Final = "negatives_holdout"
MARKS_PREFIX: Final = "marks_"

Tiles = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledTiles:
    """tiles : uint8 (n, 28, 28), ink 255, paper 0. labels : int64 (n,), 0..9, 10 for "not one digit"."""

    tiles: Tiles
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def with_share(self, share: float) -> LabelledTiles:
        """All digits, and so many of the others, taken evenly, that they make at most this share of the tiles, 0..1."""
        digits, others = np.flatnonzero(self.labels != NOT_ONE_DIGIT), np.flatnonzero(self.labels == NOT_ONE_DIGIT)
        wanted = round(len(digits) * share / (1.0 - share))
        if len(digits) and wanted < len(others):
            others = others[np.linspace(0, len(others) - 1, wanted).astype(np.int64)] if wanted else others[:0]
        kept = np.sort(np.concatenate([digits, others]))
        return LabelledTiles(self.tiles[kept], self.labels[kept])


@dataclass(frozen=True, slots=True)
class TileSets:
    """calibration : uint8 (n, 28, 28). temperature : or None. held_out : by name. sha256 : of the file.

    marks : tiles uint8 (n, 28, 28) by kind of mark, all "not one digit"; empty in a file that was written before they were kept.
    """

    calibration: Tiles
    temperature: LabelledTiles | None
    held_out: Mapping[str, LabelledTiles]
    sha256: str
    marks: Mapping[str, Tiles]


def load_tile_sets(path: Path) -> TileSets:
    """Read and check a tiles file. Raises CalibrationError naming what is wrong with it."""
    try:
        data = path.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise CalibrationError(f"{path}: no tiles file ({error}); write one with `python -m export.calibration_tiles`") from error
    calibration = _check_tiles(path, "calibration_tiles", arrays.pop("calibration_tiles", None))
    sets: dict[str, LabelledTiles] = {}
    marks: dict[str, Tiles] = {}
    for key in sorted(key for key in arrays if key.endswith("_tiles")):
        name = key.removesuffix("_tiles")
        tiles = _check_tiles(path, key, arrays[key])
        if name.startswith(MARKS_PREFIX):
            marks[name.removeprefix(MARKS_PREFIX)] = tiles
        else:
            sets[name] = LabelledTiles(tiles, _check_labels(path, f"{name}_labels", arrays.get(f"{name}_labels"), len(tiles)))
    return TileSets(calibration, sets.pop(TEMPERATURE, None), sets, hashlib.sha256(data).hexdigest(), marks)


def _check_tiles(path: Path, key: str, tiles: NDArray[np.generic] | None) -> Tiles:
    if tiles is None:
        raise CalibrationError(f"{path}: holds no '{key}'; write it with `python -m export.calibration_tiles`")
    if tiles.dtype != np.uint8 or tiles.shape[1:] != (TILE_SIDE_PX, TILE_SIDE_PX) or len(tiles) == 0:
        raise CalibrationError(f"{path}: '{key}' is {tiles.dtype} {tiles.shape}; wanted uint8 (n, {TILE_SIDE_PX}, {TILE_SIDE_PX}), n > 0")
    return tiles.astype(np.uint8)


def _check_labels(path: Path, key: str, labels: NDArray[np.generic] | None, count: int) -> Labels:
    if labels is None or labels.shape != (count,) or not np.issubdtype(labels.dtype, np.integer):
        found = "missing" if labels is None else f"{labels.dtype} {labels.shape}"
        raise CalibrationError(f"{path}: '{key}' is {found}; wanted {count} integers")
    checked = labels.astype(np.int64)
    if checked.min() < 0 or checked.max() >= len(LABELS):
        raise CalibrationError(f"{path}: '{key}' holds {checked.min()}..{checked.max()}; labels are 0..{len(LABELS) - 1}")
    return checked
