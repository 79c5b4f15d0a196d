"""What a sheet lies on and what lies beside it: desks of real photographs and made ones, pens, fingers, torn edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.things import add_papers

CRUMPLED: Final = "donut_paper_*.jpg"
"""Photographs of crumpled paper in DATA/paper."""

BARE_SURFACES: Final[dict[str, tuple[tuple[float, float, float, float], ...]]] = {
    "scenes/desk_cell_pic.jpg": ((0.0, 0.0, 1.0, 0.2), (0.0, 0.86, 1.0, 1.0)),
    "scenes/desk_chart.jpg": ((0.0, 0.0, 0.95, 0.07),),
    "scenes/desk_desk.jpg": ((0.0, 0.89, 0.66, 1.0), (0.68, 0.0, 1.0, 0.2)),
    "scenes/desk_dollar_bill.jpg": ((0.0, 0.0, 1.0, 0.3), (0.0, 0.75, 1.0, 1.0)),
    "scenes/desk_notepad.jpg": ((0.0, 0.0, 1.0, 0.08), (0.89, 0.1, 1.0, 0.7)),
    "scenes/desk_receipt.jpg": ((0.0, 0.0, 1.0, 0.26), (0.0, 0.86, 1.0, 1.0), (0.77, 0.28, 1.0, 0.86)),
    "paper/breta_page01.jpg": ((0.0, 0.0, 1.0, 0.09), (0.0, 0.94, 1.0, 1.0)),
    "paper/breta_page02.jpg": ((0.0, 0.0, 1.0, 0.12),),
    "paper/breta_page09.jpg": ((0.0, 0.0, 1.0, 0.06),),
    "paper/breta_page10.jpg": ((0.0, 0.0, 0.2, 1.0), (0.78, 0.0, 0.95, 0.7)),
    "paper/breta_text1.jpg": ((0.0, 0.0, 0.05, 1.0),),
}
"""Where a photograph of the data folder shows nothing but desk: left, top, right, bottom as shares of its width and height."""

MOST_STRETCHED: Final = 3.0
"""A small piece of a desk is enlarged so far and mirrored beyond: an enlargement without bounds has no texture left."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Pieces of photographs.

    surfaces : uint8 (h, w, 3) of desks and cloth. crumpled : grey uint8 (h, w) of crumpled paper. Either may be empty.
    """

    surfaces: tuple[Picture, ...]
    crumpled: tuple[Picture, ...]


def load_surroundings(folder: Path) -> Surroundings:
    """What DATA/scenes and DATA/paper hold; everything is optional, made surfaces take its place."""
    surfaces = []
    for name, places in BARE_SURFACES.items():
        photo = cv2.imread(str(folder / name)) if (folder / name).exists() else None
        if photo is None:
            continue
        h, w = photo.shape[:2]
        surfaces += [photo[int(top * h) : int(bottom * h), int(left * w) : int(right * w)].copy() for left, top, right, bottom in places]
    crumpled = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted((folder / "paper").glob(CRUMPLED))]
    small = [cv2.resize(each, (512, 512), interpolation=cv2.INTER_AREA) for each in crumpled if each is not None]
    return Surroundings(tuple(surfaces), tuple(small))  # type: ignore[arg-type]


def surface(rng: np.random.Generator, surroundings: Surroundings, width: int, height: int) -> Picture:
    """A desk, a table cloth, a floor, with other papers on it at times: uint8 (height, width, 3)."""
    if surroundings.surfaces and rng.random() < 0.45:
        desk = _cut(rng, surroundings.surfaces[int(rng.integers(len(surroundings.surfaces)))], width, height)
    else:
        make = _MADE[int(rng.choice(len(_MADE), p=_MADE_SHARES))]
        desk = cv2.resize(make(rng, -(-width // 2), -(-height // 2)), (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    if rng.random() < 0.25:
        add_papers(rng, desk)
    return desk


def room(rng: np.random.Generator, width: int, height: int) -> Picture:
    """A room out of focus, behind a pad that someone holds up: uint8 (height, width, 3)."""
    small = max(2, width // 8), max(2, height // 8)
    grey = clouds(rng, *small, 0.4, 3) * np.float32(rng.uniform(20, 80)) + np.float32(rng.uniform(40, 170))
    picture = np.clip(cv2.merge([grey * np.float32(gain) for gain in np.exp(rng.normal(0, 0.12, 3))]), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 4))):
        add_papers(rng, picture)
    blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.0, 3.0))
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def torn_edge(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Which pixels of a sheet are paper, uint8 (height, width), 255 paper: straight edges, cut askew, or one or two of them torn."""
    mask = np.full((height, width), 255, np.uint8)
    for side in range(4):
        if rng.random() > 0.3:
            continue
        length = width if side % 2 == 0 else height
        rough = rng.random() < 0.5
        steps = max(4, length // (6 if rough else 200))
        walk = np.cumsum(rng.normal(0, 1, steps)) * (1.2 if rough else 0.3) + (rng.normal(0, 0.8, steps) if rough else 0)
        depth = np.clip(walk - walk.min(), 0, 0.02 * max(width, height))
        edge = np.interp(np.arange(length), np.linspace(0, length, steps), depth)
        outside = np.arange(max(1, int(edge.max()) + 1))[:, None] < edge[None, :]
        _strip(mask, side, outside.shape[0])[outside if side % 2 == 0 else outside.T] = 0
    return mask


def _strip(mask: NDArray[np.uint8], side: int, depth: int) -> NDArray[np.uint8]:
    return (mask[:depth], mask[:, :depth], mask[::-1][:depth], mask[:, ::-1][:, :depth])[side]


def _cut(rng: np.random.Generator, photo: Picture, width: int, height: int) -> Picture:
    """A random piece of a surface, turned, mirrored at its edges and enlarged where it is too small."""
    turned = np.rot90(photo, int(rng.integers(4)))
    if rng.random() < 0.5:
        turned = turned[:, ::-1]
    scale = float(np.clip(max(width / turned.shape[1], height / turned.shape[0]), rng.uniform(0.5, 1.2), MOST_STRETCHED))
    w, h = -(-width // scale), -(-height // scale)
    missing = max(0, int(h) - turned.shape[0]), max(0, int(w) - turned.shape[1])
    wide = cv2.copyMakeBorder(turned, 0, missing[0], 0, missing[1], cv2.BORDER_REFLECT) if any(missing) else turned
    x, y = int(rng.integers(0, wide.shape[1] - int(w) + 1)), int(rng.integers(0, wide.shape[0] - int(h) + 1))
    part = np.ascontiguousarray(wide[y : y + int(h), x : x + int(w)])
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def clouds(rng: np.random.Generator, width: int, height: int, coarsest: float, octaves: int, stretch: float = 1.0) -> NDArray[np.float32]:
    """Noise of several sizes added up, float32 (height, width), about -1..1.

    coarsest : largest grains as a share of the long side, each octave half of the one before. stretch : width to height of a grain.
    """
    total = np.zeros((height, width), np.float32)
    size = coarsest * max(width, height)
    for octave in range(octaves):
        grain = max(1.0, size / 2**octave)
        shape = max(2, int(height / grain * stretch**0.5) + 2), max(2, int(width / grain / stretch**0.5) + 2)
        small = rng.standard_normal(shape, np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(0.5 ** (octave + 1))
    return total


def _coloured(colour: NDArray[np.float64], pattern: NDArray[np.float32]) -> Picture:
    """A colour, BGR 0..255, made lighter and darker by a pattern."""
    return np.clip(colour.astype(np.float32) * (1 + pattern[:, :, None]), 0, 255).astype(np.uint8)


def _wood(rng: np.random.Generator, width: int, height: int) -> Picture:
    lying = bool(rng.random() < 0.5)
    w, h = (width, height) if lying else (height, width)
    drift = clouds(rng, w, h, 0.5, 2, stretch=4.0)
    rows = np.arange(h, dtype=np.float32)[:, None] + drift * np.float32(rng.uniform(3, 20))
    rings = np.sin(rows * np.float32(2 * np.pi / rng.uniform(6, 40))) * np.float32(rng.uniform(0.01, 0.07))
    fibre = clouds(rng, w, h, 0.05, 2, stretch=rng.uniform(20, 60)) * np.float32(rng.uniform(0.03, 0.15))
    tones = ((40, 80, 130), (60, 110, 170), (95, 150, 195), (25, 35, 60), (15, 18, 28), (110, 140, 160))
    wood = _coloured(np.array(tones[int(rng.integers(len(tones)))]) * rng.uniform(0.7, 1.25), rings + fibre + drift * np.float32(0.06))
    return wood if lying else np.ascontiguousarray(wood.transpose(1, 0, 2))


def _cloth(rng: np.random.Generator, width: int, height: int) -> Picture:
    period = rng.uniform(2.5, 9)
    xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    fold = clouds(rng, width, height, 0.4, 2)
    weave = np.sin((xs + fold * 6) * np.float32(2 * np.pi / period)) * np.sin((ys + fold * 6) * np.float32(2 * np.pi / period))
    pattern = weave * np.float32(rng.uniform(0.03, 0.2)) + fold * np.float32(rng.uniform(0.02, 0.2))
    return _coloured(rng.uniform(20, 210, 3), pattern)


def _plain(rng: np.random.Generator, width: int, height: int) -> Picture:
    grey = rng.uniform(8, 90) if rng.random() < 0.6 else rng.uniform(90, 235)
    colour = grey * np.exp(rng.normal(0, 0.12, 3))
    return _coloured(colour, clouds(rng, width, height, 0.6, int(rng.integers(1, 6))) * np.float32(rng.uniform(0.01, 0.12)))


def _stone(rng: np.random.Generator, width: int, height: int) -> Picture:
    grains = clouds(rng, width, height, rng.uniform(0.004, 0.03), 3) * np.float32(rng.uniform(0.1, 0.5))
    return _coloured(rng.uniform(50, 200) * np.exp(rng.normal(0, 0.1, 3)), grains + clouds(rng, width, height, 0.5, 2) * np.float32(0.1))


_MADE: Final = (_wood, _cloth, _plain, _stone)
_MADE_SHARES: Final = (0.4, 0.2, 0.28, 0.12)
