"""The reserve: base tiles shipped beside the model, so that learning one hand forgets no other.

Tiles are stored, not features: they stay good for every model. Made by `python -m calibration.reserve`.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelDamagedError, ModelNotFoundError
from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.adapted import DIGITS
from edge_digits.recognition.weights import WEIGHTS_FOLDER

RESERVE_NAME: Final = "reserve.npz"


@dataclass(frozen=True, slots=True)
class Reserve:
    """Digits of many hands. tiles : uint8 (n, 28, 28), ink 255. labels : uint8 (n,), 0..9."""

    tiles: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


def load_reserve(path: Path = WEIGHTS_FOLDER / RESERVE_NAME) -> Reserve:
    """The shipped reserve. Raises ModelNotFoundError, ModelDamagedError."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            tiles, labels = arrays["tiles"].astype(np.uint8), arrays["labels"].astype(np.uint8)
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{path}: the reserve that adapting needs is missing; reinstall edge-digits") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelDamagedError(f"{path}: reserve cannot be read ({error}); reinstall edge-digits") from error
    if tiles.shape[1:] != (TILE_SIDE_PX, TILE_SIDE_PX) or labels.shape != tiles.shape[:1] or labels.max(initial=0) >= DIGITS:
        raise ModelDamagedError(f"{path}: reserve has tiles {tiles.shape} and labels {labels.shape}; reinstall edge-digits")
    return Reserve(tiles, labels)
