"""The gates: what a model must reach, read from gates.toml, compared with a verdict's figures."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calibration.errors import CalibrationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COMMITTED_GATES: Final = Path(__file__).resolve().parent / "gates.toml"
FILE_GROUP: Final = "file"
COMPANIONS_TABLE: Final = "companions"
"""Holds gates as well, a table for each kind of companion; they say nothing of the tile classifier."""
_INT8_PREFIX: Final = "int8_"
_FLOAT_PREFIX: Final = "float_"


@dataclass(frozen=True, slots=True)
class Gate:
    """group.figure must be at least (`least` True) or at most `limit`."""

    group: str
    figure: str
    least: bool
    limit: float

    def check(self, figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The gate, what was found, and whether that passes. A figure that was not measured does not pass."""
        value = figures.get(self.group, {}).get(self.figure)
        # Half a millionth of slack: 99.94 - 99.99 is -0.0500000000000114 in binary.
        passed = value is not None and (value >= self.limit - 5e-7 if self.least else value <= self.limit + 5e-7)
        return {
            "gate": f"{self.group}.{self.figure}",
            "bound": "min" if self.least else "max",
            "limit": self.limit,
            "value": value,
            "passed": passed,
        }


def check_float_alone(checks: Sequence[Mapping[str, Any]], figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The gates of a verdict, put to the float file where it is to be published without its int8 twin.

    checks, figures : of a verdict. What int8 must reach, float must reach; how near the two are, and how large the int8 file
    is, says nothing of float and is left out.
    """
    result = []
    for check in checks:
        group, figure = str(check["gate"]).split(".", 1)
        if group != FILE_GROUP and figure.startswith(_INT8_PREFIX):
            figure = f"{_FLOAT_PREFIX}{figure.removeprefix(_INT8_PREFIX)}"
        if figure.startswith(_FLOAT_PREFIX):
            result.append(Gate(group, figure, check["bound"] == "min", float(check["limit"])).check(figures))
    return result


@dataclass(frozen=True, slots=True)
class Gates:
    """sha256 : of the gates file, by which a verdict says what it was judged against."""

    gates: tuple[Gate, ...]
    sha256: str


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises CalibrationError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CalibrationError(f"{path}: cannot be read ({error})") from error


def load_gates(path: Path = COMMITTED_GATES, companion: str | None = None) -> Gates:
    """Read the gates of the tile classifier, or of a kind of companion.

    Raises CalibrationError when the file cannot be read or holds what is no gate, or none of that kind.
    """
    tables = read_toml(path)
    companions = tables.pop(COMPANIONS_TABLE, {})
    if companion is not None:
        tables = companions.get(companion, {}) if isinstance(companions, dict) else {}
    gates = tuple(_gate(path, group, key, limit) for group, table in tables.items() for key, limit in _items(path, group, table))
    if not gates:
        raise CalibrationError(f"{path}: holds no gate{f' of {companion} networks' if companion else ''}; every model would pass")
    return Gates(gates, hashlib.sha256(path.read_bytes()).hexdigest())


def _items(path: Path, group: str, table: Any) -> list[tuple[str, Any]]:
    if not isinstance(table, dict):
        raise CalibrationError(f"{path}: '{group}' stands alone; gates belong under [file] or the name of a set")
    return list(table.items())


def _gate(path: Path, group: str, key: str, limit: Any) -> Gate:
    figure, _, bound = key.rpartition("_")
    if bound not in ("min", "max") or not figure or isinstance(limit, bool) or not isinstance(limit, int | float):
        raise CalibrationError(f"{path}: [{group}] {key} = {limit!r} is no gate; wanted FIGURE_min or FIGURE_max and a number")
    return Gate(group, figure, bound == "min", float(limit))
