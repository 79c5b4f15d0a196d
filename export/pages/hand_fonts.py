"""Handwriting fonts: each is one hand, whose letters and digits are traced and drawn by a pen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError
from export.data.folder import DataError
from export.pages.strokes import TracedSign, trace_sign

TRACED_FONT_PX: Final = 72
_LAST_LATIN: Final = 0x36F
_LIKE_DIGITS: Final = frozenset("ОоЗзЭэбЧчВвΟοΙιΖζסוןاㅇㅣ一丨")
"""Letters of other scripts that are a digit to whoever cannot read them: 0, 3, 6, 4, 8, 1, 2."""
_FEWEST: Final = 8
_MEASURED: Final = 12


@dataclass(slots=True)
class HandFont:
    """A handwriting font whose letters are drawn by a pen; the face is opened on first use."""

    path: Path
    _face: Any = None
    _traced: dict[str, TracedSign | None] = field(default_factory=dict)
    _cap_px: float = 0.0

    @property
    def measured(self) -> str:
        """The letters whose height is that of a digit."""
        return "H"

    def letter(self, character: str) -> TracedSign | None:
        """Strokes of a letter; 0 is the top of a capital H (of `measured`), 1 the line it stands on. None where the font lacks it.

        Raises DataError, MissingExtraError.
        """
        if character not in self._traced:
            self._traced[character] = self._trace(character)
        return self._traced[character]

    def _trace(self, character: str) -> TracedSign | None:
        from PIL import ImageFont

        if self._face is None:
            try:
                self._face = ImageFont.truetype(str(self.path), TRACED_FONT_PX)
            except OSError as error:
                raise _damaged(self.path, error) from error
            tops = [-float(self._face.getbbox(each, anchor="ls")[1]) for each in self.measured]
            self._cap_px = max(8.0, float(np.median(tops)))
        drawn = draw_text(character, self._face)
        if drawn is None:
            return None
        ink, bearing, above = drawn
        traced = trace_sign(ink)
        if traced is None:
            return None
        scale, drop = ink.shape[0] / self._cap_px, 1.0 - above / self._cap_px
        strokes = tuple((stroke * np.float32(scale)) + np.array([0, drop, 0], np.float32) for stroke in traced.strokes)
        advance = float(self._face.getlength(character)) / self._cap_px
        return TracedSign(strokes, traced.width * scale, traced.pen * scale, bearing=bearing / self._cap_px, advance=advance)


@dataclass(slots=True)
class ScriptFont(HandFont):
    """A handwriting font of another script than the Latin."""

    _alphabet: str | None = None

    @property
    def alphabet(self) -> str:
        """Its letters that look like no digit; empty where it holds too few. Raises DataError; MissingExtraError without fontTools."""
        if self._alphabet is None:
            letters = "".join(sorted(c for c in _characters(self.path) if ord(c) > _LAST_LATIN and c.isalpha() and c not in _LIKE_DIGITS))
            self._alphabet = letters if len(letters) >= _FEWEST else ""
        return self._alphabet

    @property
    def measured(self) -> str:
        """Letters from all over the alphabet: no script has a letter of the height that all others share."""
        return self.alphabet[:: max(1, len(self.alphabet) // _MEASURED)] or "H"


def _characters(path: Path) -> list[str]:
    try:
        from fontTools.ttLib import TTFont, TTLibError
    except ImportError as error:
        raise MissingExtraError("fonts of other scripts need fontTools; run: pip install fonttools") from error
    try:
        with TTFont(path, lazy=True) as font:
            return [chr(code) for code in font.getBestCmap()]
    except (TTLibError, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: no font that can be read ({error}); take it out of the folder")


def draw_text(text: str, face: Any) -> tuple[NDArray[np.uint8], int, int] | None:
    """A text in a Pillow font: ink uint8 (h, w) cropped, the left bearing, and how far its top lies above the base line; None if empty."""
    mask, offset = face.getmask2(text, mode="L", anchor="ls")
    width, height = mask.size
    if width < 1 or height < 1:
        return None
    ink = np.frombuffer(bytes(mask), np.uint8).reshape(height, width)
    if not ink.any():
        return None
    rows = np.flatnonzero(ink.any(axis=1))
    columns = np.flatnonzero(ink.any(axis=0))
    cropped = np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return cropped, int(offset[0] + columns[0]), int(-(offset[1] + rows[0]))
