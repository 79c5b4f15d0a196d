from __future__ import annotations

from pathlib import Path

import pytest

from export.data import fonts
from export.data.folder import DataError
from export.data.fonts import FONT_LETTERS, load_fonts


def test_a_folder_without_fonts(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="letters from fonts need Pillow; run: pip install pillow")
    with pytest.raises(DataError, match=r"no \.ttf"):
        load_fonts(tmp_path)


def test_letters_of_a_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image_font = pytest.importorskip("PIL.ImageFont", reason="letters from fonts need Pillow; run: pip install pillow")
    # Pillow brings a font of its own: no font file is needed to see that letters are drawn.
    face = image_font.load_default(size=fonts.FONT_PX)
    monkeypatch.setattr(image_font, "truetype", lambda *_: face)
    (tmp_path / "any.ttf").write_bytes(b"")
    letters = load_fonts(tmp_path)
    assert len(letters) > 100
    assert set(letters.labels) == {10}
    assert all(glyph.max() == 255 and max(glyph.shape) <= 56 for glyph in letters.glyphs)


def test_look_alikes_are_no_letters() -> None:
    assert not set(FONT_LETTERS) & set("oOlIiIjJzZsSbBqgGQD")
