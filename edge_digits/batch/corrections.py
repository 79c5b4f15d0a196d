"""What a person said of doubtful digits: kept beside the table, and part of it whenever it is written.

Each correction names its digit by source, page, box of the number and place within it, so that it holds for the same
reading only: a page that is read anew and otherwise is not corrected by what was said of the old one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import UsageError
from edge_digits.reading.canonical import canonical
from edge_digits.reading.expect import parse_expectation
from edge_digits.reading.reading import enclosing

SUFFIX: Final = ".corrections"

Entry = Mapping[str, Any]
Key = tuple[str, int, tuple[int, ...]]
"""Source, page and box of a number."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One digit that a person looked at. place : its index in the number as it was read. digit : 0..9, or None for no digit."""

    source: str
    page: int
    box: tuple[int, ...]
    place: int
    digit: int | None

    @property
    def key(self) -> Key:
        """Which number it is in."""
        return self.source, self.page, self.box


def corrections_path(table: Path) -> Path:
    """Where the corrections of a table are kept."""
    return table.with_name(table.name + SUFFIX)


def load_corrections(table: Path) -> list[Correction]:
    """The corrections of a table, [] where nobody made any. Raises UsageError."""
    path = corrections_path(table)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line]
        return [Correction(e["source"], int(e["page"]), tuple(map(int, e["box"])), int(e["place"]), _digit(e["digit"])) for e in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: corrections cannot be read ({error}); mend the file or move it away") from error


def store_corrections(table: Path, corrections: Sequence[Correction]) -> None:
    """Write all corrections of a table, whole or not at all. Raises UsageError."""
    path = corrections_path(table)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text("".join(json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in corrections), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: corrections cannot be written ({error.strerror}); make room, then go on") from error


def corrected(entries: Iterable[Entry], corrections: Sequence[Correction]) -> Iterator[Entry]:
    """Entries of a table with what was said of their digits."""
    by_number: dict[Key, dict[int, int | None]] = {}
    for each in corrections:
        by_number.setdefault(each.key, {})[each.place] = each.digit
    for entry in entries:
        keys = [_key(entry, number) for number in _numbers(entry)]
        yield _corrected_page(entry, by_number) if any(key in by_number for key in keys) else entry


def _digit(value: Any) -> int | None:
    if value is None:
        return None
    if value not in range(10):
        raise ValueError(f"digit {value!r}")
    return int(value)


def _numbers(entry: Entry) -> list[dict[str, Any]]:
    return [number for line in entry.get("lines", ()) for number in line["numbers"]]


def _key(entry: Entry, number: Mapping[str, Any]) -> Key:
    return entry["source"], entry["page"], tuple(number["box"])


def _corrected_page(entry: Entry, by_number: Mapping[Key, Mapping[int, int | None]]) -> Entry:
    page = deepcopy(dict(entry))
    for line in page["lines"]:
        for number in line["numbers"]:
            said = by_number.get(_key(entry, number))
            if said:
                _correct(number, said)
                _correct_field(page, number)
        line["numbers"] = [number for number in line["numbers"] if number["digits"]]
        line["text"] = " ".join(number["text"] for number in line["numbers"])
    page["lines"] = [line for line in page["lines"] if line["numbers"]]
    return page


def _correct(number: dict[str, Any], said: Mapping[int, int | None]) -> None:
    """One number with what was said of its digits, in place."""
    number["was_box"] = number["box"]
    kept: list[dict[str, Any]] = []
    text, signs = "", []
    for place, digit in enumerate(number["digits"]):
        if place in said and said[place] is None:
            continue
        own_signs = [sign for sign in number.get("signs", ()) if sign["before"] == place and (kept or place == 0)]
        text += "".join(sign["sign"] for sign in own_signs)
        signs += [{**sign, "before": len(kept)} for sign in own_signs]
        own = {"digit": said[place], "confidence": 1.0, "box": digit["box"]} if place in said else digit
        kept.append(own)
        text += "?" if own["digit"] is None else str(own["digit"])
    number["digits"], number["text"] = kept, text
    if signs or "signs" in number:
        number["signs"] = signs
    if not kept:
        return
    number["box"] = list(enclosing([tuple(digit["box"]) for digit in kept]))
    if "?" not in text:
        rule = number.get("rule")
        number["value"] = canonical(text) if rule is None else parse_expectation(rule["name"]).canonical(text)
        number["confidence"] = 1.0


def _correct_field(page: dict[str, Any], number: Mapping[str, Any]) -> None:
    """The same in the field of a form."""
    for field in page.get("form", {}).get("fields", ()):
        if field["name"] == number.get("name"):
            field["text"], field["value"] = number["text"], number["value"] if number["digits"] else ""
            field["doubtful"] = field["value"] is None
            field["reasons"] = field["reasons"] if field["doubtful"] else []
