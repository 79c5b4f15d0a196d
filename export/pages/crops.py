"""Parts of pages with the meaning of every pixel: what the finder network learns from.

Each page goes through the very rooms that read it later, and is seen at the size at which the finder sees it.

    python -m export.pages.crops --data DIR --fonts DIR --count 3000 --seed 1 --out runs/crops
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.glyphs import find_glyphs
from edge_digits.paper.ink import find_ink
from edge_digits.paper.overview import make_overview, writing_height
from edge_digits.paper.page import find_page
from edge_digits.recognition.companions import CELL_PX
from edge_digits.recognition.finder import CORE_SHARE
from edge_digits.sources.frame import Frame
from export.pages.page_source import add_page_options, check_page_options, save_arrays, write_shards
from export.pages.proposals import boxes_on_page
from export.pages.view import Photograph

SIDE_PX: Final = 128
CROPS_A_PAGE: Final = 6
PAGES_A_SHARD: Final = 200
SIZES: Final = (0.7, 1.45)
"""The typical height is misjudged by a factor between these."""
COVERED: Final = 90
"""A pixel covered this far (of 255) by a pen is its stroke; of one covered by a third of that or more nobody can say."""
RIM: Final = 0.75
"""Cells within CORE_SHARE of a digit's half width and half height (one cell at least) around its middle are that digit; those
further out, within this share, are left open."""
BOX_MARGIN: Final = 0.08
LEFT_OPEN: Final = ("cut digit", "faint digit")
"""Digits that nobody could be blamed for reading or leaving out."""
NO_DIGIT: Final = 10
OPEN: Final = 255


@dataclass(frozen=True, slots=True)
class Crops:
    """Parts of pages.

    pictures : uint8 (n, 128, 128), see paper/overview.py. strokes : uint8 (n, 128, 128), 1 on the ink of a written digit, 0 elsewhere,
    255 where it is left open. cells : uint8 (n, 32, 32), the digit whose middle lies there, 10 for none, 255 left open.
    sizes : uint8 (n, 2, 32, 32), height and width in pixels of that digit.
    """

    pictures: NDArray[np.uint8]
    strokes: NDArray[np.uint8]
    cells: NDArray[np.uint8]
    sizes: NDArray[np.uint8]


def page_crops(photograph: Photograph, index: int, seed: int) -> Crops:
    """Some parts of one page; none of one that lies on its side."""
    rng = np.random.default_rng((seed, index, 7))
    if photograph.rotate:
        return no_crops()
    glyphs = find_glyphs(find_ink(find_page(Frame(photograph.picture, f"page {index}", 1))))
    jitter = float(np.exp(rng.uniform(*np.log(SIZES))))
    overview = make_overview(glyphs, writing_height(glyphs) / jitter)
    picture = overview.picture
    to_frame = glyphs.ink.page.to_frame
    boxes = boxes_on_page([d.box for d in photograph.digits], to_frame) * overview.scale
    strokes = _strokes(photograph, to_frame @ np.diag([1 / overview.scale, 1 / overview.scale, 1.0]), boxes, picture)
    cells, sizes = _cells(picture.shape, boxes, [d.digit for d in photograph.digits])
    left_open = [each.box for each in photograph.clutter if each.kind in LEFT_OPEN]
    for x, y, w, h in boxes_on_page(left_open, to_frame) * overview.scale:
        strokes[_span(y, h, picture.shape[0]), _span(x, w, picture.shape[1])] = OPEN
        cells[_span(y / CELL_PX, h / CELL_PX, cells.shape[0]), _span(x / CELL_PX, w / CELL_PX, cells.shape[1])] = OPEN
    corners = _corners(picture, boxes, rng)
    if not corners:
        return no_crops()
    return Crops(
        np.stack([_part(picture, x, y, SIDE_PX, 0) for x, y in corners]),
        np.stack([_part(strokes, x, y, SIDE_PX, 0) for x, y in corners]),
        np.stack([_part(cells, x // CELL_PX, y // CELL_PX, SIDE_PX // CELL_PX, NO_DIGIT) for x, y in corners]),
        np.stack([[_part(s, x // CELL_PX, y // CELL_PX, SIDE_PX // CELL_PX, 0) for s in sizes] for x, y in corners]),
    )


def no_crops() -> Crops:
    """Those of a page without any."""
    side = SIDE_PX // CELL_PX
    pictures = np.zeros((0, SIDE_PX, SIDE_PX), np.uint8)
    return Crops(pictures, pictures, np.zeros((0, side, side), np.uint8), np.zeros((0, 2, side, side), np.uint8))


def _strokes(
    photograph: Photograph, to_frame: NDArray[np.float64], boxes: NDArray[np.float64], picture: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The ink of written digits: pen strokes within their boxes. Of photographs, whose strokes nobody traced, all that is dark there."""
    inside = np.zeros(picture.shape, np.uint8)
    for x, y, w, h in boxes:
        margin = BOX_MARGIN * max(w, h) + 0.5
        inside[_span(y - margin, h + 2 * margin, picture.shape[0]), _span(x - margin, w + 2 * margin, picture.shape[1])] = 1
    if photograph.written is None:
        return np.where(picture > COVERED, inside, np.where((inside > 0) & (picture > COVERED // 3), OPEN, 0)).astype(np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    covered = np.asarray(cv2.warpPerspective(_softened(photograph.written, to_frame), to_frame, picture.shape[::-1], flags=flags), np.uint8)
    return np.where(covered > COVERED, inside, np.where((inside > 0) & (covered > COVERED // 3), OPEN, 0)).astype(np.uint8)


def _softened(written: NDArray[np.uint8], to_frame: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Averaged as far as it will be made smaller, so that no thin stroke falls between two pixels."""
    step = float(abs(np.linalg.det(to_frame[:2, :2])) ** 0.5)
    side = round(step) | 1
    return np.asarray(cv2.blur(written, (side, side)), np.uint8) if side > 1 else written


def _cells(shape: tuple[int, ...], boxes: NDArray[np.float64], digits: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rows, columns = shape[0] // CELL_PX, shape[1] // CELL_PX
    cells, sizes = np.full((rows, columns), NO_DIGIT, np.uint8), np.zeros((2, rows, columns), np.uint8)
    for reach, least in ((RIM, 1.5), (CORE_SHARE, 0.75)):
        for (x, y, w, h), digit in zip(boxes, digits, strict=True):
            across, down = max(least, reach * w / 2 / CELL_PX), max(least, reach * h / 2 / CELL_PX)
            middle_x, middle_y = (x + w / 2) / CELL_PX, (y + h / 2) / CELL_PX
            place = _span(middle_y - down, 2 * down, rows, 0.5), _span(middle_x - across, 2 * across, columns, 0.5)
            if reach == RIM:
                cells[place] = np.where(cells[place] == NO_DIGIT, OPEN, cells[place])
            else:
                cells[place] = digit
                sizes[0][place], sizes[1][place] = min(255, round(h)), min(255, round(w))
    return cells, sizes


def _span(start: float, length: float, end: int, offset: float = 0.0) -> slice:
    """The whole pixels from start on, within 0..end. offset : 0.5 takes those whose middle lies within."""
    first = int(np.ceil(start - offset)) if offset else int(np.floor(start))
    last = int(np.ceil(start + length - offset)) if offset else int(np.ceil(start + length))
    return slice(min(end, max(0, first)), max(0, min(end, last)))


def _corners(picture: NDArray[np.uint8], boxes: NDArray[np.float64], rng: np.random.Generator) -> list[tuple[int, int]]:
    """Top left corners of the crops, multiples of a cell: half of them around a digit, the others around any ink."""
    rows, columns = np.nonzero(picture > COVERED)
    corners = []
    for at in range(CROPS_A_PAGE):
        if len(boxes) and at % 2 == 0:
            x, y, w, h = boxes[int(rng.integers(len(boxes)))]
            middle = x + w / 2, y + h / 2
        elif len(rows):
            pixel = int(rng.integers(len(rows)))
            middle = float(columns[pixel]), float(rows[pixel])
        else:
            break
        found = []
        for centre, side in zip(middle, picture.shape[::-1], strict=True):
            most = max(0, side - SIDE_PX)
            found.append(int(np.clip(centre - SIDE_PX / 2 + rng.uniform(-0.4, 0.4) * SIDE_PX, 0, most)) // CELL_PX * CELL_PX)
        corners.append((found[0], found[1]))
    return corners


def _part(array: NDArray[np.uint8], x: int, y: int, side: int, beyond: int) -> NDArray[np.uint8]:
    part = np.full((side, side), beyond, np.uint8)
    seen = array[y : y + side, x : x + side]
    part[: seen.shape[0], : seen.shape[1]] = seen
    return part


def make_shards(options: argparse.Namespace) -> None:
    """Write the shards that are not there yet. Raises UsageError, and what loading the data raises."""
    write_shards(partial(page_crops, seed=options.seed), _save, options, PAGES_A_SHARD)


def joined(parts: Sequence[Crops]) -> Crops:
    """Several sets of crops as one."""
    return Crops(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Crops.__slots__})


def _save(path: Path, pages: Sequence[Crops]) -> None:
    save_arrays(path, {name: np.concatenate([getattr(page, name) for page in pages]) for name in Crops.__slots__})


def load_crops(folder: Path) -> Crops:
    """All shards of a folder. Raises UsageError."""
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise UsageError(f"{folder}: no shards; make them with `python -m export.pages.crops --out {folder}`")
    return joined([_load(path) for path in paths])


def _load(path: Path) -> Crops:
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            return Crops(**{name: file[name] for name in Crops.__slots__})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise UsageError(f"{path}: no shard of crops ({error}); delete it and make it again") from error


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.pages.crops", description="Parts of pages with the meaning of every pixel.")
    add_page_options(parser, count=3000)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the shards; those there are kept")
    options = parser.parse_args(arguments)
    check_page_options(parser, options)
    try:
        make_shards(options)
    except EdgeDigitsError as error:
        print(f"export.pages.crops: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
