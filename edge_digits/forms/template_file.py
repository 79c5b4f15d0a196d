"""Templates as files: YAML or TOML into a Template, every mistake told with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import MissingExtraError, UsageError
from edge_digits.forms.checks import CHECK_DIGITS, Check, CheckDigit, NeverFalls, RangeCheck, SumCheck
from edge_digits.forms.markers import marker_areas
from edge_digits.forms.template import CELL, Box, Field, Template
from edge_digits.options import SourceOptions
from edge_digits.reading.expect import parse_expectation
from edge_digits.sources.images import open_frames

PAGES_MM: Final = {"a4": (210.0, 297.0), "a5": (148.0, 210.0), "letter": (215.9, 279.4)}
TEMPLATE_KEYS: Final = ("name", "title", "page", "reference", "font", "doubt_below", "fields", "checks")
FIELD_KEYS: Final = ("name", "label", "box", "cells", "expect", "required", "rows", "pitch")
CHECK_KEYS: Final = {
    "sum": ("sum", "equals"),
    "never_falls": ("never_falls", "over_sheets", "for_each"),
    "range": ("range", "from", "to"),
    "check_digit": ("check_digit", "field"),
}
"""Keys of each check, by the one that says which it is."""
RESERVED: Final = ("source", "page", "doubtful", "error")
"""Columns of the table beside the fields."""
MOST_ROWS: Final = 200
MOST_CELLS: Final = 40
SMALLEST_CELL_MM: Final = (3.0, 4.0)
"""Narrower or lower boxes are not written into legibly."""
DEFAULT_DOUBT_BELOW: Final = 0.98
"""Of how sure each digit is (judging.py): chosen on 627 fields of hands that generated pages keep aside."""


def load_template(path: Path) -> Template:
    """The template of a .yaml, .yml or .toml file.

    Raises UsageError, which names the key; MissingExtraError where YAML cannot be read; InputError for a reference picture
    that cannot be read.
    """
    content = _parsed(path)
    _check_keys(content, TEMPLATE_KEYS, str(path))
    if not isinstance(content.get("fields"), list) or not content["fields"]:
        raise UsageError(f"{path}: has no fields; list at least one below 'fields:'")
    reference = None if content.get("reference") is None else path.parent / str(content["reference"])
    size = _page_size(content.get("page"), reference, str(path))
    fields = tuple(field for index, entry in enumerate(content["fields"], 1) for field in _fields(entry, f"{path}: field {index}"))
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{path}: field '{name}' is there twice; give each a name of its own")
    checks = tuple(_check(entry, fields, f"{path}: check {index}") for index, entry in enumerate(content.get("checks") or [], 1))
    doubt_below = content.get("doubt_below", DEFAULT_DOUBT_BELOW)
    if not isinstance(doubt_below, int | float) or isinstance(doubt_below, bool) or not 0.0 <= doubt_below <= 1.0:
        raise UsageError(f"{path}: doubt_below is {doubt_below!r}; give a probability from 0 to 1")
    name = str(content.get("name", path.stem))
    font = None if content.get("font") is None else path.parent / str(content["font"])
    template = Template(name, str(content.get("title", name)), size, fields, checks, reference, font, float(doubt_below))
    _check_places(template, str(path))
    return template


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise UsageError(f"{path}: template cannot be read ({reason}); name a .yaml or .toml file") from error
    suffix = path.suffix.lower()
    if suffix not in (".yaml", ".yml", ".toml"):
        raise UsageError(f"{path}: is no template by its name; name a .yaml or .toml file")
    content = _parse_toml(text, path) if suffix == ".toml" else _parse_yaml(text, path)
    if not isinstance(content, dict):
        raise UsageError(f"{path}: holds no template; see `edge-digits form --example`")
    return content


def _parse_yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError('templates in YAML need an extra; run: pip install "edge-digits[forms]", or write TOML') from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: is no YAML ({' '.join(str(error).split())}); mend that line") from error


def _parse_toml(text: str, path: Path) -> Any:
    try:
        import tomllib
    except ImportError:
        try:
            import tomli as tomllib  # type: ignore[import-not-found,no-redef,unused-ignore]
        except ImportError as error:
            raise MissingExtraError('templates in TOML need an extra on Python 3.10; run: pip install "edge-digits[forms]"') from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is no TOML ({error}); mend that line") from error


def _check_keys(entry: Any, known: Sequence[str], place: str) -> None:
    if not isinstance(entry, dict):
        raise UsageError(f"{place}: is {entry!r}; give keys with values, of {', '.join(known)}")
    for key in entry:
        if key not in known:
            raise UsageError(f"{place}: has an unknown key '{key}'; known are {', '.join(known)}")


def _page_size(page: Any, reference: Path | None, place: str) -> tuple[float, float]:
    if reference is not None:
        if page is not None:
            raise UsageError(f"{place}: has both page and reference; with a reference places are its pixels: leave page out")
        frame = next(open_frames(reference, SourceOptions()))
        return float(frame.width), float(frame.height)
    if page is None or isinstance(page, str):
        found = PAGES_MM.get((page or "a4").lower())
        if found is None:
            raise UsageError(f"{place}: page is '{page}'; give {', '.join(PAGES_MM)} or [width, height] in mm")
        return found
    sides = _numbers(page, 2, f"{place}: page")
    if min(sides) < 50 or max(sides) > 1200:
        raise UsageError(f"{place}: page is {page}; give sides from 50 to 1200 mm")
    return sides[0], sides[1]


def _numbers(value: Any, count: int, place: str) -> list[float]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != count or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        raise UsageError(f"{place} is {value!r}; give {count} numbers in brackets")
    return [float(each) for each in numbers]


def _fields(entry: Any, place: str) -> Iterator[Field]:
    """One field, or a column of them."""
    _check_keys(entry, FIELD_KEYS, place)
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise UsageError(f"{place}: name is {name!r}; give each field a name, the column of the table")
    if name in RESERVED:
        raise UsageError(f"{place}: name '{name}' is that of another column of the table; give another")
    place = f"{place} ('{name}')"
    x, y, width, height = _numbers(entry.get("box"), 4, f"{place}: box")
    if width <= 0 or height <= 0:
        raise UsageError(f"{place}: box is {entry['box']}; width and height must be above 0")
    mask = _mask(entry.get("cells", 0), place)
    required, rows = entry.get("required", False), entry.get("rows", 1)
    if not isinstance(required, bool):
        raise UsageError(f"{place}: required is {required!r}; give true or false")
    if not isinstance(rows, int) or isinstance(rows, bool) or not 1 <= rows <= MOST_ROWS:
        raise UsageError(f"{place}: rows is {rows!r}; give a number from 1 to {MOST_ROWS}")
    expect = entry.get("expect", f"digits:1-{mask.count(CELL)}" if mask and set(mask) == {CELL} else "decimal" if mask else "integer")
    try:
        expectation = parse_expectation(str(expect))
    except UsageError as error:
        raise UsageError(f"{place}: expect: {error}") from error
    label = str(entry.get("label", name))
    if rows == 1:
        yield Field(name, label, (x, y, width, height), mask, expectation, required)
        return
    pitch = entry.get("pitch", height)
    if not isinstance(pitch, int | float) or isinstance(pitch, bool) or pitch < height:
        raise UsageError(f"{place}: pitch is {pitch!r}; give the step from row to row, at least the height of the box")
    for row in range(rows):
        box: Box = (x, y + row * float(pitch), width, height)
        yield Field(f"{name}_{row + 1}", label if row == 0 else "", box, mask, expectation, required, column=name)


def _mask(cells: Any, place: str) -> str:
    """CELL signs and what is printed between them."""
    counted = isinstance(cells, int) and not isinstance(cells, bool)
    mask = CELL * min(cells, MOST_CELLS + 1) if counted else cells
    wrong = not isinstance(mask, str) or (mask and CELL not in mask) or mask.count(CELL) > MOST_CELLS
    if wrong or (counted and cells < 0):
        raise UsageError(f"{place}: cells is {cells!r}; give the number of boxes, up to {MOST_CELLS}, or a mask such as '####.##'")
    if any(sign not in ".,-/: " for sign in mask.replace(CELL, "")):
        raise UsageError(f"{place}: cells is '{mask}'; between boxes only . , - / : and spaces are printed")
    return str(mask)


def _check(entry: Any, fields: tuple[Field, ...], place: str) -> Check:
    kinds = CHECK_KEYS
    kind = next((kind for kind in kinds if isinstance(entry, dict) and kind in entry), None)
    if kind is None:
        raise UsageError(f"{place}: is {entry!r}; give one of {', '.join(kinds)}")
    _check_keys(entry, kinds[kind], place)
    if kind == "sum":
        return SumCheck(_named(entry["sum"], fields, place), _one(entry.get("equals"), fields, f"{place}: equals"))
    if kind == "never_falls":
        return _never_falls(entry, fields, place)
    if kind == "range":
        least, most = _limit(entry.get("from"), place), _limit(entry.get("to"), place)
        if (least is None and most is None) or (least is not None and most is not None and least > most):
            raise UsageError(f"{place}: range from {entry.get('from')} to {entry.get('to')}; give from, to or both, the larger one last")
        return RangeCheck(_one(entry["range"], fields, f"{place}: range"), least, most)
    if entry["check_digit"] not in CHECK_DIGITS:
        raise UsageError(f"{place}: check_digit is '{entry['check_digit']}'; give one of {', '.join(CHECK_DIGITS)}")
    return CheckDigit(entry["check_digit"], _one(entry.get("field"), fields, f"{place}: field"))


def _never_falls(entry: Mapping[str, Any], fields: tuple[Field, ...], place: str) -> NeverFalls:
    sequence, over_sheets = _named(entry["never_falls"], fields, place), entry.get("over_sheets", False)
    if not isinstance(over_sheets, bool):
        raise UsageError(f"{place}: over_sheets is {over_sheets!r}; give true or false")
    if len(sequence) < 2 and not over_sheets:
        raise UsageError(f"{place}: never_falls names one field; name a column or several fields in their order, or give over_sheets: true")
    if "for_each" not in entry:
        return NeverFalls(sequence, over_sheets)
    if not over_sheets:
        raise UsageError(f"{place}: for_each goes with over_sheets: true; add it, or leave for_each out")
    return NeverFalls(sequence, over_sheets, _one(entry["for_each"], fields, f"{place}: for_each"))


def _named(value: Any, fields: tuple[Field, ...], place: str) -> tuple[str, ...]:
    """Names of fields; the name of a column stands for all of its rows."""
    found: list[str] = []
    for name in value if isinstance(value, list) else [value]:
        rows = [field.name for field in fields if name in (field.name, field.column)]
        if not rows:
            raise UsageError(f"{place}: there is no field or column '{name}'; there are {', '.join(_known(fields))}")
        found += rows
    return tuple(found)


def _one(value: Any, fields: tuple[Field, ...], place: str) -> str:
    if value not in [field.name for field in fields]:
        raise UsageError(f"{place} is {value!r}; name one field of {', '.join(_known(fields))}")
    return str(value)


def _known(fields: tuple[Field, ...]) -> list[str]:
    return list(dict.fromkeys(field.column or field.name for field in fields))


def _limit(value: Any, place: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{place}: limit is {value!r}; give a number")
    return Decimal(str(value))


def _check_places(template: Template, place: str) -> None:
    width, height = template.size
    boxes = [(f"field '{field.name}'", field.box) for field in template.fields]
    for name, (x, y, w, h) in boxes:
        if x < 0 or y < 0 or x + w > width or y + h > height:
            raise UsageError(f"{place}: {name} at {[x, y, w, h]} leaves the page of {width:g} x {height:g} {template.unit}; move it")
    taken = (
        boxes
        if template.reference is not None
        else [*boxes, *((f"the marker in corner {i + 1}", a) for i, a in enumerate(marker_areas(template.size)))]
    )
    for index, (name, box) in enumerate(boxes):
        for other, area in taken[index + 1 :]:
            if _overlap(box, area):
                raise UsageError(f"{place}: {name} at {list(box)} lies over {other} at {list(area)}; move one of them")
    if template.reference is None:
        for field in template.fields:
            least = (field.cells or (field.box,))[0][2:]
            if least[0] < SMALLEST_CELL_MM[0] or least[1] < SMALLEST_CELL_MM[1]:
                raise UsageError(
                    f"{place}: boxes of field '{field.name}' are {least[0]:.1f} x {least[1]:.1f} mm; nobody writes into less than "
                    f"{SMALLEST_CELL_MM[0]:g} x {SMALLEST_CELL_MM[1]:g} mm: make the field larger"
                )


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
