"""Pages made of the shipped model's golden digits, for measuring where no photograph is at hand.

They stand for the work of a page of a given size and number of digits, not for the difficulty of real paper.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelNotFoundError
from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition import weights

PAPER: Final = 238
INK: Final = 50
NOISE: Final = 3.0
"""Grey levels of sensor noise, standard deviation: a picture without any would be decoded faster than a photograph."""

DIGITS_A_NUMBER: Final = 5
SEED: Final = 20261101

Tiles = NDArray[np.uint8]


def golden_digits(model: str = "default") -> Tiles:
    """The golden tiles that show one digit each, uint8 (k, 28, 28), ink 255.

    A model file without golden tiles takes those of the shipped default model. Raises ModelError.
    """
    golden = weights.find_model(model, "auto").golden or weights.find_model("default", "auto").golden
    if golden is None:
        raise ModelNotFoundError("the shipped model has no golden tiles; reinstall edge-digits")
    tiles, logits = golden
    one_digit: NDArray[np.bool_] = logits.argmax(axis=1) != weights.NOT_ONE_DIGIT
    return tiles[one_digit]


def make_sheet(tiles: Tiles, width: int, height: int, digits: int) -> NDArray[np.uint8]:
    """A white sheet with `digits` of the tiles written on it in rows, five to a number.

    Returns uint8 (height, width, 3) BGR, always the same for the same arguments. Raises ValueError when the digits
    would be smaller than a tile.
    """
    columns, rows, side = _grid(width, height, digits)
    sheet = np.full((height, width), PAPER, np.float32)
    for index in range(digits):
        row, column = divmod(index, columns)
        glyph = cv2.resize(tiles[index % len(tiles)], (side, side), interpolation=cv2.INTER_CUBIC)
        # A gap of one digit parts the numbers.
        x = round((column + column // DIGITS_A_NUMBER + 1) * width / (columns + columns // DIGITS_A_NUMBER + 2))
        y = round((row + 0.75) * height / (rows + 0.5)) - side // 2
        sheet[y : y + side, x : x + side] -= glyph * ((PAPER - INK) / 255.0)
    noise = np.random.default_rng(SEED).normal(0.0, NOISE, sheet.shape)
    grey = np.clip(sheet + noise, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """The picture as the bytes of a JPEG file, as a camera would deliver it."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not done:
        raise ValueError(f"picture of shape {picture.shape} cannot be encoded as JPEG")
    return data.tobytes()


def _grid(width: int, height: int, digits: int) -> tuple[int, int, int]:
    """Columns, rows and the side of a digit in pixels that fill the sheet with digits about as far apart as they are wide."""
    rows = max(1, round((digits * height / width / 1.5) ** 0.5))
    columns = -(-digits // rows)
    side = int(min(width / (columns + columns // DIGITS_A_NUMBER + 2), height / (rows + 0.5) / 1.3))
    if side < TILE_SIDE_PX:
        raise ValueError(f"{digits} digits do not fit on {width}x{height} pixels")
    return columns, rows, side
