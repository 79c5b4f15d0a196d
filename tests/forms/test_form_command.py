"""`edge-digits form`: the sheet of a template, never over something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_digits.cli import main
from tests.forms.sheets import write_template

pytest.importorskip("yaml")
pytest.importorskip("reportlab")


def test_prints_the_sheet_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_template(tmp_path)
    assert main(["form", str(path)]) == 0
    first = (tmp_path / "form.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    assert capsys.readouterr().out == ""
    assert main(["form", str(path)]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["form", str(path), "--overwrite"]) == 0
    assert (tmp_path / "form.pdf").read_bytes() == first


def test_the_example_is_a_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["form", "--example"]) == 0
    assert main(["form", str(write_template(tmp_path, capsys.readouterr().out))]) == 0


@pytest.mark.parametrize("arguments", [[], ["missing.yaml"], ["{}", "--out", "sheet.png"], ["{}", "--out", "nowhere/sheet.pdf"]])
def test_what_cannot_be_printed_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    path = write_template(tmp_path)
    assert main(["form", *[word.format(path) for word in arguments]]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["form.yaml"]
