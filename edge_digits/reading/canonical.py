"""The canonical form of a number as it was written: "1.234,56" is 1234.56, and "1,234" may be two things.

Nothing is guessed: where a point or comma can be read in two ways, and in dates, whose order of day and month nobody
wrote down, the value is what was written. An expectation (`--expect decimal`, `--expect date:dmy`) settles it.
"""

from __future__ import annotations

import re
from typing import Final

MARKS: Final = ".,-/:"
"""The signs that a number may hold."""
GAP: Final = " "
"""Stands for the gap in a number that was written in groups."""

GROUPED: Final = re.compile(r"(-?)([0-9]{1,3})((?:([.,])[0-9]{3})(?:\4[0-9]{3})*)(?:([.,])([0-9]+))?")
PLAIN: Final = re.compile(r"(-?[0-9]+)[.,]([0-9]+)")


def canonical(text: str) -> str:
    """The canonical form where the text has only one meaning, else the text.

    text : digits and MARKS. Decimal marks become ".", separators of thousands go; "1,234" and "1.234" stay as they are.
    """
    grouped = GROUPED.fullmatch(text)
    if grouped and (grouped[5] or len(grouped[3]) > 4):
        return text if grouped[5] == grouped[4] else _joined(grouped)
    plain = PLAIN.fullmatch(text)
    if plain and not (grouped and not plain[1].lstrip("-").startswith("0")):
        return f"{plain[1]}.{plain[2]}"
    return text


def decimal(text: str) -> str:
    """The same for a text that is known to be a decimal number: a single mark is a decimal mark."""
    grouped = GROUPED.fullmatch(text)
    if grouped and (grouped[5] or len(grouped[3]) > 4) and grouped[5] != grouped[4]:
        return _joined(grouped)
    plain = PLAIN.fullmatch(text)
    return f"{plain[1]}.{plain[2]}" if plain else text


def _joined(grouped: re.Match[str]) -> str:
    whole = grouped[1] + grouped[2] + re.sub(r"[.,]", "", grouped[3])
    return f"{whole}.{grouped[6]}" if grouped[5] else whole
