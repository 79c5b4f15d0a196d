"""Sheets read back: flat, photographed, of another template, doubtful, without a sheet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import FormNotFoundError
from edge_digits.forms.form_reader import FormReader
from edge_digits.forms.template import Template
from edge_digits.forms.template_file import load_template
from tests.forms.sheets import PX_A_MM, SMALL, VALUES, blank_sheet, filled_sheet, photographed, write_template

EXPECTED = {"date": "2021-04-03", "count_1": "12", "count_2": "340", "count_3": "5", "weight": "71.50", "total": "357", "number": "123455"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    pytest.importorskip("yaml")
    return load_template(write_template(tmp_path_factory.mktemp("form")))


@pytest.fixture(scope="module")
def reader(template: Template) -> FormReader:
    return FormReader(template)


@pytest.mark.parametrize("seen", ["flat", "photographed"])
def test_every_field_is_read(reader: FormReader, template: Template, seen: str) -> None:
    sheet = filled_sheet(template, VALUES)
    found = reader.read(sheet if seen == "flat" else photographed(sheet))
    assert {each.field.name: (each.value, each.reasons) for each in found.fields} == {name: (v, ()) for name, v in EXPECTED.items()}
    entry = found.to_dict()
    assert [line["numbers"][0]["name"] for line in entry["lines"]] == list(EXPECTED)
    assert entry["form"]["fields"][0]["value"] == "2021-04-03"
    x, y, w, h = next(each.box for each in found.fields if each.field.name == "total")
    assert 0 <= x < x + w <= entry["width"]
    assert 0 <= y < y + h <= entry["height"]


def test_checks_raise_doubts_about_clear_digits(reader: FormReader, template: Template) -> None:
    found = {each.field.name: each for each in reader.read(filled_sheet(template, {**VALUES, "total": "  358"})).fields}
    assert found["total"].reasons == ("sum equals total",)
    assert found["total"].value is None
    assert found["total"].text == "358"
    assert found["count_2"].doubtful
    assert not found["weight"].doubtful


def test_a_scribble_a_gap_and_an_empty_required_field_are_doubtful(reader: FormReader, template: Template) -> None:
    sheet = filled_sheet(template, {**VALUES, "date": "", "count_2": "3 40"})
    x, y, w, h = (round(value * PX_A_MM) for value in template.field("weight").cells[2])
    for offset in range(0, w - 8, 5):
        cv2.line(sheet, (x + 4 + offset, y + 8), (x + 8, y + h - 8), 30, 4)
    found = {each.field.name: each for each in reader.read(sheet).fields}
    assert found["date"].reasons == ("empty",)
    assert "gap" in found["count_2"].reasons
    assert found["weight"].doubtful
    assert found["number"].value == "123455"


def test_an_empty_sheet_has_empty_fields_and_no_numbers(reader: FormReader, template: Template) -> None:
    found = reader.read(blank_sheet(template))
    assert [each.value for each in found.fields] == [None, "", "", "", "", "", ""]
    assert found.lines == ()


def test_sheets_of_another_template_are_refused(reader: FormReader, tmp_path: Path) -> None:
    other = load_template(write_template(tmp_path, SMALL.replace("[20, 95, 35, 8]", "[22, 95, 35, 8]")))
    with pytest.raises(FormNotFoundError, match="another template"):
        reader.read(filled_sheet(other, VALUES))


@pytest.mark.parametrize("shape", [(1, 1), (40, 4000), (600, 800)])
def test_pictures_without_a_sheet_are_refused(reader: FormReader, shape: tuple[int, int]) -> None:
    with pytest.raises(FormNotFoundError, match="0 of 4 corner markers"):
        reader.read(np.full(shape, 230, np.uint8))


def test_a_form_that_exists_is_found_by_its_print(template: Template, tmp_path: Path) -> None:
    blank, edge = blank_sheet(template), round(19 * PX_A_MM)
    # No markers: only what is printed on the form itself.
    blank[:edge], blank[-edge:] = 255, 255
    draw_letterhead(blank)
    cv2.imwrite(str(tmp_path / "blank.png"), blank)
    fields = "\n".join(
        f"  - {{name: {f.name}, box: {[v * PX_A_MM for v in f.box]}, cells: '{f.mask}', expect: '{f.expectation.name}'}}"
        for f in template.fields
    )
    existing = load_template(write_template(tmp_path, f"reference: blank.png\nfields:\n{fields}\n"))
    sheet = np.minimum(filled_sheet(template, VALUES), blank)
    sheet[:edge], sheet[-edge:] = blank[:edge], blank[-edge:]
    found = FormReader(existing).read(photographed(sheet))
    assert found.alignment is not None
    assert found.alignment.by == "reference"
    values = {each.field.name: each.value for each in found.fields if not each.doubtful}
    assert values.items() <= EXPECTED.items()
    assert len(values) >= 5


def draw_letterhead(blank: np.ndarray) -> None:
    """Print all over the form, as forms have it."""
    rng = np.random.default_rng(1)
    h, w = blank.shape
    for _ in range(60):
        x, y = int(rng.integers(20, w - 200)), int(rng.choice([*range(20, 150, 25), *range(900, h - 20, 28)]))
        cv2.putText(blank, "".join(chr(c) for c in rng.integers(97, 123, 7)), (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2, cv2.LINE_AA)
