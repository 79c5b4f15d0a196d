"""Truth files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_digits.bench.truth import PageTruth, load_truth
from edge_digits.errors import UsageError


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_pages_come_in_order_of_their_names(tmp_path: Path) -> None:
    entry = {"lines": ["1 2"], "kind": "form", "grouping": "unclear", "label_digits": "7", "half": "tune"}
    pages = load_truth(write(tmp_path / "t.json", {"b.jpg": entry, "a.jpg": {"lines": []}}))
    assert pages[0] == PageTruth("a.jpg", (), group="pages")
    assert pages[1] == PageTruth("b.jpg", ("1 2",), "form", None, "pages", "tune", "lines", False, "7")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "names no page"),
        ("[1]", "names no page"),
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ({"a.jpg": {}}, "'a.jpg' has no \"lines\""),
        ({"a.jpg": {"lines": "12"}}, "'a.jpg' has no \"lines\""),
        ({"a.jpg": {"lines": [12]}}, "'a.jpg' has no \"lines\""),
        ({"a.jpg": None}, "'a.jpg' has no \"lines\""),
    ],
)
def test_no_truth(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_truth(write(tmp_path / "t.json", content))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_truth(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot be read"):
        load_truth(tmp_path)
