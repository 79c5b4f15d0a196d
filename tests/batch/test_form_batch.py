"""`batch --template`: a row a sheet, sheets without the form as errors, options that fight it refused."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.cli import main
from edge_digits.forms.template_file import load_template
from tests.forms.sheets import VALUES, filled_sheet, write_template

pytest.importorskip("yaml")


def test_a_row_a_sheet_and_an_error_row(tmp_path: Path) -> None:
    form = write_template(tmp_path)
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans" / "a.png"), filled_sheet(load_template(form), VALUES))
    cv2.imwrite(str(tmp_path / "scans" / "b.png"), np.full((800, 600), 240, np.uint8))
    out = tmp_path / "t.csv"
    assert main(["batch", str(tmp_path / "scans"), "--out", str(out), "--template", str(form), "--workers", "1"]) == 1
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["date"], rows[0]["count_2"], rows[0]["weight"], rows[0]["total"]) == ("2021-04-03", "340", "71.50", "357")
    assert rows[0]["doubtful"] == ""
    assert "0 of 4 corner markers" in rows[1]["error"]


@pytest.mark.parametrize("more", [["--expect", "integer"], ["--template", "missing.yaml"]])
def test_what_a_template_does_not_go_with(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    form = write_template(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), np.full((80, 60), 240, np.uint8))
    assert main(["batch", str(tmp_path / "a.png"), "--out", str(tmp_path / "t.csv"), "--template", str(form), *more]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "t.csv").exists()
