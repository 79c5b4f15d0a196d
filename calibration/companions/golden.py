"""Golden inputs of a companion: the few whose outputs a published file carries, so that a runtime can prove its kernels.

Made from digits of the MNIST training part alone, since they are shipped: glyphs of a sheet on which they are written, runs in which
they touch, parts of the sheet. Only inputs of which both files speak so clearly that zeros in place of their outputs would be seen.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.companions.candidate import Candidate, Outputs, decoded
from calibration.errors import CalibrationError
from calibration.tile_sets import LabelledTiles, Tiles
from edge_digits.bench.sample import make_sheet
from edge_digits.paper.glyphs import find_glyphs
from edge_digits.paper.ink import find_ink
from edge_digits.paper.overview import make_overview, writing_height
from edge_digits.paper.page import find_page
from edge_digits.paper.strips import STRIP_HEIGHT_PX, make_strip
from edge_digits.paper.surroundings import make_surroundings
from edge_digits.recognition.companions import GOLDEN_TOLERANCE
from edge_digits.sources.frame import Frame

GOLDEN: Final = 8
LEAST_OUTPUT: Final = 2.0 * GOLDEN_TOLERANCE["int8"]
"""Of the largest correction or column of an input: twice what a self-test forgives."""

PART_PX: Final = 32
"""Side of a part of a page: large enough for the coarsest maps of the network to have two places."""
SHEET_PX: Final = (1600, 1200)
SHEET_DIGITS: Final = 200
RUNS: Final = 200
RUN_LENGTHS: Final = (1, 2, 3, 4)
FAINTEST_INK: Final = 60


def choose_golden(kind: str, digits: LabelledTiles, candidates: Mapping[str, Candidate]) -> NDArray[np.uint8]:
    """The first inputs of which all candidates speak clearly, uint8 (8, channels, h, w).

    digits : of the MNIST training part. Raises CalibrationError when there are too few.
    """
    inputs, clear = {"context": _glyphs, "strings": _runs, "finder": _parts_of_pages}[kind](digits, candidates)
    chosen = np.flatnonzero(clear)[:GOLDEN]
    if len(chosen) < GOLDEN:
        raise CalibrationError(
            f"golden inputs: of {len(inputs)} made of MNIST digits only {len(chosen)} are clear to all files, {GOLDEN} wanted; "
            f"this {kind} network is not fit to be published"
        )
    return inputs[chosen]


def _glyphs(digits: LabelledTiles, candidates: Mapping[str, Candidate]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    width, height = SHEET_PX
    glyphs = find_glyphs(find_ink(find_page(Frame.from_array(make_sheet(digits.tiles, width, height, SHEET_DIGITS)))))
    patches = make_surroundings(glyphs.ink, glyphs.hypotheses, glyphs.typical_height)
    if not len(patches):
        return patches, np.zeros(0, np.bool_)
    return patches, np.logical_and.reduce([_largest(candidate.outputs(patches)) >= LEAST_OUTPUT for candidate in candidates.values()])


def _parts_of_pages(digits: LabelledTiles, candidates: Mapping[str, Candidate]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    width, height = SHEET_PX
    glyphs = find_glyphs(find_ink(find_page(Frame.from_array(make_sheet(digits.tiles, width, height, SHEET_DIGITS)))))
    picture = make_overview(glyphs, writing_height(glyphs)).picture
    rows, columns = (side // PART_PX for side in picture.shape)
    parts = picture[: rows * PART_PX, : columns * PART_PX].reshape(rows, PART_PX, columns, PART_PX).swapaxes(1, 2)
    inputs = np.ascontiguousarray(parts).reshape(-1, 1, PART_PX, PART_PX)
    clear = np.zeros(len(inputs), np.bool_)
    if len(inputs):
        clear = np.logical_and.reduce([_largest(candidate.outputs(inputs)) >= LEAST_OUTPUT for candidate in candidates.values()])
    return inputs, clear & (inputs.reshape(len(inputs), -1).max(axis=1, initial=0) > FAINTEST_INK)


def _runs(digits: LabelledTiles, candidates: Mapping[str, Candidate]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    strips, meant = [], []
    at = 0
    for index in range(RUNS):
        part = slice(at, at + RUN_LENGTHS[index % len(RUN_LENGTHS)])
        at = part.stop
        if at > len(digits):
            break
        strips.append(make_strip(side_by_side(digits.tiles[part])))
        meant.append(tuple(int(label) for label in digits.labels[part]))
    widest = max((strip.shape[1] for strip in strips), default=0)
    inputs = np.zeros((len(strips), 1, STRIP_HEIGHT_PX, widest), np.uint8)
    for row, strip in zip(inputs, strips, strict=True):
        row[0, :, : strip.shape[1]] = strip
    clear = np.ones(len(inputs), np.bool_)
    for candidate in candidates.values():
        columns = candidate.outputs(inputs)
        read = np.array([decoded(row) == labels for row, labels in zip(columns, meant, strict=True)], np.bool_)
        clear &= read & (_largest(columns) >= LEAST_OUTPUT)
    return inputs, clear


def side_by_side(tiles: Tiles) -> NDArray[np.uint8]:
    """Digits written with nothing between them. tiles : uint8 (k, 28, 28). Returns uint8 (h, w), cut to the ink."""
    inks = []
    for tile in tiles:
        columns = np.flatnonzero((tile > FAINTEST_INK).any(axis=0))
        inks.append(tile[:, columns[0] : columns[-1] + 1])
    run = np.concatenate(inks, axis=1)
    rows = np.flatnonzero((run > FAINTEST_INK).any(axis=1))
    return run[rows[0] : rows[-1] + 1]


def _largest(outputs: Outputs) -> NDArray[np.float32]:
    """Largest absolute output of each input."""
    largest: NDArray[np.float32] = np.abs(outputs).reshape(len(outputs), -1).max(axis=1)
    return largest


def as_npz(inputs: NDArray[np.uint8], outputs: Outputs) -> bytes:
    """The bytes of a golden file: `inputs` uint8 and `outputs` float32."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, inputs=inputs, outputs=outputs.astype(np.float32))
    return buffer.getvalue()
