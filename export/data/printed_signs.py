"""Signs that nothing trains on, from the fonts that come with matplotlib: kinds of marks for judging "not one digit".

The drawn kinds of export/negatives.py, the letters and the scripts all have relatives in training. What a model says of
marks whose whole kind it never met is told by these alone; they are never to be added to a training set. Signs that a
reader may take for a digit are left out: the empty set, a mirrored E, the hryvnia, arrows that stand upright or run in a ring.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_digits.errors import MissingExtraError
from export.data.folder import crop_to_ink, shrink
from export.data.fonts import FONT_PX, draw_text
from export.data.glyphs import SOURCE_SIDE_PX, GlyphSet, negatives

PRINTED_SIGNS: Final = {
    "arrows": "←→↔⇐⇒⇔↤↦↩↪↭↮⇄⇆⇇⇉⇚⇛⇝⇠⇢⇦⇨",
    "currency": "€£¥₩₪₭₮₱₹₽",
    "mathematics": "√∑∏∀∇∈∉∌∝∠∧∩∴∵≅≈≠≡≢≤≥≪≫⊂⊃⊄⊆⊇⊕⊗⊢⊥",
    "pictures": "☀☁☂☃★☆☎☏☑☒☘☠☢☣☤☮☺☻♔♕♖♗♘♚♛♜♝♞♠♣♥♦♪♫♻⚀⚁⚂⚃⚄⚅⚐⚑⚒⚔⚖✂✈✉✌✍✎✓✔✗✘✚✦✪✽❄❤",
}
"""Name of a kind -> its signs."""

FACES: Final = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono")
"""Fonts of matplotlib (free licence); a face that lacks a sign gives none of it."""

_MISSING: Final = "\U0010fffd"
"""A private character that no font draws: what comes out for it is the box for "no such sign"."""


def load_printed_signs() -> list[GlyphSet]:
    """One set a kind, `printed_<kind>`. Raises MissingExtraError without Pillow or matplotlib."""
    try:
        import matplotlib as mpl
        from PIL import ImageFont
    except ImportError as error:
        raise MissingExtraError(
            f'signs of fonts need Pillow and matplotlib ({error}); run: pip install -c constraints.txt -e ".[headless,workshop]"'
        ) from error
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    faces = [ImageFont.truetype(str(folder / f"{name}.ttf"), FONT_PX) for name in FACES]
    sets = []
    for kind, signs in PRINTED_SIGNS.items():
        glyphs = []
        for face in faces:
            missing = bytes(face.getmask(_MISSING))
            drawn = [draw_text(sign, face) for sign in signs if bytes(face.getmask(sign)) != missing]
            glyphs += [shrink(crop_to_ink(glyph), SOURCE_SIDE_PX) for glyph in drawn if glyph is not None]
        sets.append(negatives(f"printed_{kind}", glyphs))
    return sets
