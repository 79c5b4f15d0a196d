from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edge_digits.errors import MissingExtraError
from export.data.printed_signs import PRINTED_SIGNS, load_printed_signs
from export.mark_kinds import marks_by_kind
from export.negatives import MAKERS

PRINTED = {f"printed_{kind}" for kind in PRINTED_SIGNS}


def test_mnist_alone_gives_made_and_printed_kinds(drawn_data: Path) -> None:
    kinds = marks_by_kind(drawn_data, 12)
    assert set(kinds) == {f"made_{name}" for name in MAKERS} | PRINTED
    for tiles in kinds.values():
        assert (tiles.dtype, tiles.shape) == (np.uint8, (12, 28, 28))
        assert tiles.any(axis=(1, 2)).all()


def test_the_same_marks_every_time(drawn_data: Path) -> None:
    one, two = (marks_by_kind(drawn_data, 5) for _ in range(2))
    assert all(np.array_equal(one[kind], two[kind]) for kind in one)


def test_written_kinds_come_from_the_held_out_parts(shared: Path) -> None:
    kinds = marks_by_kind(shared / "data", 8)
    assert {"letters", "symbols", "omniglot", "cyrillic"} <= set(kinds)
    assert all(len(tiles) == 8 for tiles in kinds.values())


def test_a_folder_without_sets_gives_printed_signs_alone(tmp_path: Path) -> None:
    assert set(marks_by_kind(tmp_path, 3)) == PRINTED


def test_every_sign_is_drawn_by_some_font() -> None:
    for each in load_printed_signs():
        signs = PRINTED_SIGNS[each.name.removeprefix("printed_")]
        assert len(each) >= len(signs)
        assert {glyph.dtype for glyph in each.glyphs} == {np.dtype(np.uint8)}
        assert set(each.labels) == {10}


def test_no_printed_kind_has_a_digit_or_letter() -> None:
    assert not any(sign.isalnum() for signs in PRINTED_SIGNS.values() for sign in signs)


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib.*pip install"):
        load_printed_signs()
