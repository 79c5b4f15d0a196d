"""Filled sheets as people photograph and scan them, with hands that never trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.forms.template import Template
from export.data.collect import HOLDOUTS
from export.data.folder import DataError
from export.forms.answers import fill_in
from export.forms.filling import fill_sheet
from export.pages.camera import Noise
from export.pages.digit_source import DigitSet, digit_set, load_digits
from export.pages.framing import View
from export.pages.geometry import Curl, Pose, fit, tilted, window_pose
from export.pages.lettering import Lettering
from export.pages.scenes import load_surroundings
from export.pages.sheet import Sheet
from export.pages.sources import SheetSources
from export.pages.view import Photograph, Sources, photograph_from, turned
from export.pages.writer import choose_writer

SETTINGS: Final = {"scan": 0.35, "desk": 0.65}
LONG_SIDES_PX: Final = {"scan": (1750, 3508), "desk": (1900, 4000)}
"""150 to 300 dots per inch of A4; a phone or a webcam of 4 to 12 megapixels that sees the sheet and some desk."""
HIGHEST_CURL: Final = 0.006
"""Waves of the paper, as a share of its long side: 1.8 mm of A4, paper that lies on a desk."""
TURNED_SHARE: Final = 0.15
MOST_CUT_MM: Final = 3.0
"""A scanner cuts off so much of a margin at most; all markers stay."""


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A photographed sheet and what was written on it. values : by name of the field, "" for an empty one. home : the hand's set."""

    photo: Photograph
    values: dict[str, str]
    home: str


def load_form_sources(data: Path, sets: Sequence[str]) -> Sources:
    """What forms are written with. sets : names of hold-outs (export/data/collect.py), or "validation" for the digits that generated
    pages keep aside. Raises DataError."""
    digits: list[DigitSet] = []
    for name in sets:
        if name == "validation":
            digits += load_digits(data, "validation")
        elif name in HOLDOUTS:
            digits.append(digit_set(HOLDOUTS[name][1](data)))
        else:
            raise DataError(f"no set of digits '{name}'; give some of validation, {', '.join(HOLDOUTS)}")
    return Sources(SheetSources(tuple(digits), (), (), Lettering((), (), ())), load_surroundings(data), Noise())


def make_form(template: Template, blank: NDArray[np.uint8], sources: Sources, seed: int, index: int) -> FilledForm:
    """Form `index` of a seed: always the same. blank : the printed sheet (filling.print_blank)."""
    rng = np.random.default_rng((seed, index))
    values = fill_in(template, rng)
    # The very pictures of the set: strokes traced from them might show something else than what was written.
    writer = replace(choose_writer(rng, sources.writing), outlined=True)
    sheet = fill_sheet(blank, template, values, writer, rng)
    setting = str(rng.choice(list(SETTINGS), p=np.array(list(SETTINGS.values()))))
    photo = photograph_from(rng, sheet, sources, setting, _view(rng, sheet, setting))
    quarters = int(rng.integers(1, 4)) if rng.random() < TURNED_SHARE else 0
    return FilledForm(turned(photo, quarters), values, writer.home.name)


def _view(rng: np.random.Generator, sheet: Sheet, setting: str) -> View:
    """All of the sheet in the picture: flat under a scanner, or on a desk before a tilted camera."""
    h, w = sheet.picture.shape[:2]
    long_px = float(np.exp(rng.uniform(*np.log(LONG_SIDES_PX[setting]))))
    if setting == "scan":
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)
        angle = float(np.deg2rad(rng.normal(0, 0.8)))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        corners = (corners - (w / 2, h / 2)) @ turn + (w / 2, h / 2) + rng.normal(0, MOST_CUT_MM / 297 * h / 3, 2).clip(-0.01 * h, 0.01 * h)
        scale = long_px / max(w, h)
        return View(window_pose(corners, round(w * scale), round(h * scale)), edges=False)
    roll, pitch, yaw = rng.normal(0, 4), *rng.normal(0, 9, 2).clip(-25, 25)
    plane = tilted((w, h), float(roll), float(pitch), float(yaw), float(rng.uniform(1.0, 2.0)))
    width, height = (3 / 4, 1.0) if h > w else (1.0, 3 / 4)
    share = float(rng.uniform(0.8, 0.98))
    at = np.array([width, height]) * (1 - share) * rng.uniform(0.2, 0.8, 2)
    homography = np.diag([long_px, long_px, 1.0]) @ fit(plane, (w, h), (float(at[0]), float(at[1]), width * share, height * share))
    return View(
        Pose(homography, round(width * long_px), round(height * long_px), _curl(rng, h) if rng.random() < 0.5 else None), edges=True
    )


def _curl(rng: np.random.Generator, long_px: int) -> Curl:
    """One slow wave of paper that does not lie quite flat."""
    angle = float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.1))
    along = float(np.cos(angle)), float(np.sin(angle))
    wave = (float(long_px * rng.uniform(0.1, 1) * HIGHEST_CURL), float(rng.uniform(0.3, 1.0) / long_px), float(rng.uniform(0, 2 * np.pi)))
    return Curl(along, (along[1], along[0]), (wave,))
