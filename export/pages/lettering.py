"""Letters and words that are no digits: traced from handwriting fonts and real letters, and printed text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError
from export.data.folder import crop_to_ink, is_held_out, open_npz
from export.data.lookalikes import CYRILLIC_LOOKALIKES, LATIN_LOOKALIKES, OMNIGLOT_LOOKALIKES
from export.data.negative_sets import HELD_OUT_DRAWERS
from export.pages.digit_source import Split
from export.pages.strokes import TracedSign, trace_sign

_TRACED_FONT_PX: Final = 72

_HAND_FONT_WORDS: Final = """
because breip dkg ecolier humor kristi delphine steve dancing caveat indie patrick shadows reenie homemade cedarville rock hand
script write pen kalam gloria covered neucha marck bad nanum sue waiting gaegu architects zeyada over handlee crafty coming
schoolbell just nothing daughter walter annie loved permanent swanky sedgwick mansalva fuzzy rancho short sriracha the-girl crayon
delius
"""
HAND_FONT_WORDS: Final = tuple(_HAND_FONT_WORDS.split())
"""A font whose file name holds one of these is handwriting; the others print."""


@dataclass(slots=True)
class HandFont:
    """A handwriting font whose letters are drawn by a pen; the face is opened on first use."""

    path: Path
    _face: Any = None
    _traced: dict[str, TracedSign | None] = field(default_factory=dict)
    _cap_px: float = 0.0

    def letter(self, character: str) -> TracedSign | None:
        """Strokes of a letter; 0 is the top of a capital H, 1 the line it stands on. None where the font lacks it."""
        if character not in self._traced:
            self._traced[character] = self._trace(character)
        return self._traced[character]

    def _trace(self, character: str) -> TracedSign | None:
        from PIL import ImageFont

        if self._face is None:
            self._face = ImageFont.truetype(str(self.path), _TRACED_FONT_PX)
            _, top, _, _ = self._face.getbbox("H", anchor="ls")
            self._cap_px = max(8.0, float(-top))
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


@dataclass(slots=True)
class PrintFont:
    """A printer's font; faces by size."""

    path: Path
    _faces: dict[int, Any] = field(default_factory=dict)

    def draw(self, text: str, size_px: int) -> tuple[NDArray[np.uint8], int, int] | None:
        """See draw_text."""
        from PIL import ImageFont

        if size_px not in self._faces:
            self._faces[size_px] = ImageFont.truetype(str(self.path), size_px)
        return draw_text(text, self._faces[size_px])


@dataclass(slots=True)
class LetterSet:
    """Real letters of one script.

    glyphs : uint8 (h, w) each, cropped to the ink, ink 255. alone : whether each may stand alone, looking like no digit.
    """

    name: str
    glyphs: list[NDArray[np.uint8]]
    alone: list[bool]
    _traced: dict[int, TracedSign | None] = field(default_factory=dict)

    def traced(self, index: int) -> TracedSign | None:
        """Strokes of one letter."""
        if index not in self._traced:
            self._traced[index] = trace_sign(self.glyphs[index])
        return self._traced[index]


@dataclass(frozen=True, slots=True)
class Lettering:
    """All that letters are taken from; any of them may be empty."""

    hand_fonts: tuple[HandFont, ...]
    print_fonts: tuple[PrintFont, ...]
    letters: tuple[LetterSet, ...]


def load_lettering(folder: Path, fonts: Path | None, split: Split) -> Lettering:
    """Letters of a data folder and of a folder of fonts.

    Of fonts and letters every tenth is kept for validation pages. Raises MissingExtraError without Pillow.
    """
    hands: list[HandFont] = []
    prints: list[PrintFont] = []
    if fonts is not None:
        _need_pillow()
        for path in sorted(path for path in fonts.rglob("*") if path.suffix.lower() in {".ttf", ".otf", ".woff"}):
            if any(word in path.stem.lower() for word in HAND_FONT_WORDS):
                hands.append(HandFont(path))
            else:
                prints.append(PrintFont(path))
    sets = [load(folder) for name, load in _LETTER_SETS if (folder / name).is_dir()]
    return Lettering(tuple(hands), tuple(prints), tuple(_of_split(each, split) for each in sets))


def _need_pillow() -> None:
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("letters from fonts need Pillow; run: pip install pillow, or leave --fonts out") from error


def _of_split(letters: LetterSet, split: Split) -> LetterSet:
    keep = [index for index in range(len(letters.glyphs)) if (index % 10 == 3) == (split == "validation")]
    return LetterSet(letters.name, [letters.glyphs[i] for i in keep], [letters.alone[i] for i in keep])


# Held-out letters and drawers stay out, as they do of the negatives that train the classifier.


def _load_latin(folder: Path) -> LetterSet:
    arrays = open_npz(folder / "letters_emnist_subset" / "letters_ABCDFT.npz")
    keep = [i for i, image in enumerate(arrays["images"]) if not is_held_out(image)]
    alone = [bool(arrays["labels"][i] not in LATIN_LOOKALIKES) for i in keep]
    return LetterSet("latin", [crop_to_ink(arrays["images"][i]) for i in keep], alone)


def _load_cyrillic(folder: Path) -> LetterSet:
    arrays = open_npz(folder / "cyrillic_letters" / "cyrillic64.npz")
    ink = 255 - arrays["images"]
    keep = [i for i, image in enumerate(ink) if not is_held_out(image)]
    alone = [bool(arrays["labels"][i] not in CYRILLIC_LOOKALIKES) for i in keep]
    return LetterSet("cyrillic", [crop_to_ink(ink[i]) for i in keep], alone)


def _load_omniglot(folder: Path) -> LetterSet:
    arrays = open_npz(folder / "omniglot_small" / "omniglot_small.npz")
    shape = tuple(int(side) for side in arrays["shape"])
    images = (np.unpackbits(arrays["bits"])[: int(np.prod(shape))].reshape(shape) * 255).astype(np.uint8)
    names = np.char.add(np.char.add(arrays["alphabet"], "/"), arrays["character"])
    keep = np.flatnonzero(~np.isin(arrays["drawer"], HELD_OUT_DRAWERS))
    alone = [bool(names[i] not in OMNIGLOT_LOOKALIKES) for i in keep]
    thick = np.ones((2, 2), np.uint8)
    return LetterSet("omniglot", [crop_to_ink(np.asarray(cv2.dilate(images[i], thick), np.uint8)) for i in keep], alone)


_LETTER_SETS: Final = (
    ("letters_emnist_subset", _load_latin),
    ("cyrillic_letters", _load_cyrillic),
    ("omniglot_small", _load_omniglot),
)
