"""The tree in the docstring of errors.py is what users plan by; it must be the tree of the classes."""

from __future__ import annotations

import builtins
import inspect
import re

import pytest

from edge_digits import errors
from edge_digits.errors import EdgeDigitsError, ExitCode

ROW = re.compile(r"^(?P<bars>[ |`-]*)(?P<name>\w+Error)\b\s*(?P<code>\d+)?\s*(?:\(also (?P<also>\w+)\))?")

CLASSES = {name: c for name, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, EdgeDigitsError)}


def _told() -> dict[str, tuple[str | None, int, str | None]]:
    """Name -> (parent, exit code, builtin base) as the docstring draws them."""
    rows: dict[str, tuple[str | None, int, str | None]] = {}
    above: list[tuple[int, str]] = []
    for line in inspect.getsource(errors).split('"""')[1].splitlines():
        match = ROW.match(line)
        if match is None:
            continue
        depth = len(match["bars"])
        above = [(d, n) for d, n in above if d < depth]
        parent = above[-1][1] if above else None
        code = int(match["code"]) if match["code"] else rows[str(parent)][1]
        rows[match["name"]] = (parent, code, match["also"])
        above.append((depth, match["name"]))
    return rows


def test_the_tree_names_every_class_and_no_other() -> None:
    assert sorted(_told()) == sorted(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_parent_exit_code_and_builtin_are_as_told(name: str) -> None:
    parent, code, also = _told()[name]
    bases = [base.__name__ for base in CLASSES[name].__bases__]
    expected = [parent or "Exception", *([also] if also else [])]
    assert bases == expected
    assert int(CLASSES[name].exit_code) == code
    assert also is None or isinstance(getattr(builtins, also), type)


def test_exit_codes_are_pinned() -> None:
    codes = {code.name: code.value for code in ExitCode}
    assert codes == {"OK": 0, "SOME_INPUTS_FAILED": 1, "USAGE": 2, "MODEL": 3, "CAMERA": 4, "PROVIDER": 5, "INTERRUPTED": 130}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_message_is_what_was_said(name: str) -> None:
    assert str(CLASSES[name]("a.jpg: file is empty; give another")) == "a.jpg: file is empty; give another"
