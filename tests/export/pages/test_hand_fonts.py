"""Handwriting fonts: letters of another script, digits of a font, which fonts are hands, and what a damaged one does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from export.data.folder import DataError
from export.pages.hand_fonts import HandFont, ScriptFont
from export.pages.lettering import HAND_FOLDER, SCRIPT_FOLDER, load_lettering
from export.pages.sources import SheetSources
from export.pages.writer import LETTERS_OF_A_SCRIPT, choose_writer
from tests.export.pages.drawn_sources import drawn_sources


@pytest.fixture(scope="module")
def font() -> Path:
    matplotlib = pytest.importorskip("matplotlib", reason="its fonts are drawn; run: pip install 'edge-digits[workshop]'")
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def sources_with(fonts: Path) -> SheetSources:
    drawn = drawn_sources()
    return SheetSources(drawn.digits, drawn.strings, drawn.words, load_lettering(fonts / "no data", fonts, "train"))


def test_letters_of_another_script(font: Path) -> None:
    script = ScriptFont(font)
    assert {"Ж", "ω"} <= set(script.alphabet)
    assert not set(script.alphabet) & set("abcXYZ019Àé\u041e\u043e\u0417\u05d5\u05e1")
    sign = script.letter("Ж")
    assert sign is not None
    points = np.concatenate(sign.strokes)
    assert points[:, 1].min() == pytest.approx(0.0, abs=0.3)
    assert points[:, 1].max() == pytest.approx(1.0, abs=0.15)


def test_words_in_another_script_beside_digits(font: Path, tmp_path: Path) -> None:
    (tmp_path / SCRIPT_FOLDER).mkdir()
    shutil.copy(font, tmp_path / SCRIPT_FOLDER / "any.ttf")
    sources = sources_with(tmp_path)
    assert not sources.lettering.hand_fonts
    rng = np.random.default_rng(1)
    writer = choose_writer(rng, sources, script_share=1.0)
    assert len(writer.alphabet) == LETTERS_OF_A_SCRIPT
    assert writer.font is sources.lettering.script_fonts[0]
    assert not writer.font_digits
    first, again = (writer.character("a", rng) for _ in range(2))
    assert first is again is not None
    assert writer.digit(7, rng) is not None
    assert choose_writer(rng, sources, script_share=0.0).alphabet == ""


def test_digits_of_a_font(font: Path, tmp_path: Path) -> None:
    (tmp_path / HAND_FOLDER).mkdir()
    shutil.copy(font, tmp_path / HAND_FOLDER / "any.ttf")
    sources = sources_with(tmp_path)
    writers = [choose_writer(np.random.default_rng(seed), sources) for seed in range(300)]
    with_font = [writer for writer in writers if writer.font_digits and not writer.schooled]
    assert 10 < len(with_font) < 90
    digit = with_font[0].digit(1, np.random.default_rng(2))
    drawn = sources.lettering.hand_fonts[0].letter("1")
    assert drawn is not None
    assert all(np.array_equal(one[:, 2], other[:, 2]) for one, other in zip(digit.strokes, drawn.strokes, strict=False))
    assert (digit.bearing, digit.advance) == (0.0, 0.0)


def test_every_tenth_hand_is_kept_for_validation(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="letters from fonts need Pillow; run: pip install pillow")
    (tmp_path / HAND_FOLDER).mkdir()
    for index in range(30):
        (tmp_path / HAND_FOLDER / f"{index:02}.ttf").touch()
    (tmp_path / "OpenSans-Regular.ttf").touch()
    train, validation = (load_lettering(tmp_path, tmp_path, split) for split in ("train", "validation"))  # type: ignore[arg-type]
    assert [hand.path.stem for hand in validation.hand_fonts] == ["03", "13", "23"]
    assert len(train.hand_fonts) == 27
    assert [printed.path.stem for printed in train.print_fonts] == ["OpenSans-Regular"]


@pytest.mark.parametrize("kind", [HandFont, ScriptFont])
def test_a_damaged_font_is_named(kind: type[HandFont], tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="letters from fonts need Pillow; run: pip install pillow")
    path = tmp_path / "torn.ttf"
    path.write_bytes(b"no font")
    with pytest.raises(DataError, match=r"torn\.ttf: no font"):
        kind(path).letter("a")
