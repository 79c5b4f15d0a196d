"""Letters and short words drawn in handwriting fonts: an optional source of "not one digit".

Debian has some under free licences: fonts-breip fonts-bwht fonts-dkg-handwriting fonts-sjfonts fonts-kristi
fonts-ecolier-court fonts-humor-sans fonts-dancingscript. Needs Pillow, which OpenCV's own text cannot replace.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError
from export.data.folder import DataError, crop_to_ink, shrink
from export.data.glyphs import SOURCE_SIDE_PX, GlyphSet, negatives

FONT_LETTERS: Final = "ACEFHKLMNPRTUVWXYacdefhkmnprtuvwxy"
FONT_SIGNS: Final = "+=#*%&?@"
WORD_LETTERS: Final = "aaabcdeeeefghhiiklmnnoprrssttuvwy"
"""Letters of made-up words, common ones more often; inside a word even an o is no zero."""

WORDS_A_FONT: Final = 90
FONT_PX: Final = 72


def load_fonts(folder: Path) -> GlyphSet:
    """Letters, signs and words of two to four letters in every font below a folder.

    Raises DataError when there is no font, MissingExtraError without Pillow.
    """
    try:
        from PIL import ImageFont
    except ImportError as error:
        raise MissingExtraError("letters from fonts need Pillow; run: pip install pillow, or leave --fonts out") from error
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".ttf", ".otf"})
    if not paths:
        raise DataError(f"{folder}: no .ttf or .otf font in it; give another folder or leave --fonts out")
    rng = np.random.default_rng(len(paths))
    glyphs = []
    for path in paths:
        face = ImageFont.truetype(str(path), FONT_PX)
        words = ["".join(rng.choice(list(WORD_LETTERS), int(rng.integers(2, 5)))) for _ in range(WORDS_A_FONT)]
        for text in [*FONT_LETTERS, *FONT_SIGNS, *words]:
            glyph = draw_text(text, face)
            if glyph is not None:
                glyphs.append(shrink(crop_to_ink(glyph), SOURCE_SIDE_PX))
    return negatives("fonts", glyphs)


def draw_text(text: str, face: Any) -> NDArray[np.uint8] | None:
    """uint8 (h, w), ink 255, of a text in a Pillow font; None where the font draws nothing."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = face.getbbox(text)
    if right - left < 4 or bottom - top < 4:
        return None
    picture = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
    ImageDraw.Draw(picture).text((2 - left, 2 - top), text, fill=255, font=face)
    return np.asarray(picture, np.uint8)
