"""What stands in the files: nothing of one machine, no package host, no left-overs, no file that does two jobs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LONGEST_FILE = 400
LARGEST_FILE_BYTES = 2 * 2**20
TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".json", ".html", ".js", ".css", ".yml", ".yaml", ".sh", ".service", ""}

# An "@" stands in each word of the rules and examples, so that this file passes them itself.
RULES = {
    "paths": [rf"(?<![\w.~$}}/-])/{folder}/" for folder in ("wo@rk", "ro@ot", "tm@p", "Us@ers", "fa@rm", "mn@t")],
    "hosts": [r"py@pi\.org", r"python@hosted\.org", r"npm@js\.org", r"deb@ian\.org", r"download\.py@torch\.org"],
    "left-overs": [r"\bTO@DO\b", r"\bFIX@ME\b", r"\bXX@X\b", r"\bNotImplemented@Error\b", r"\bassert T@rue\b", r"\bexcept\s*:"],
    "words": [r"\bcol@leagues?\b", r"\bas@sistant\b", r"\bthe l@ead\b", r"\bwork@place\b"],
}
EXAMPLES = [
    ("paths", "open('/tm@p/x')"),
    ("hosts", "pip install --index-url https://py@pi.org/simple"),
    ("left-overs", "# TO@DO: later"),
    ("left-overs", "ex@cept :"),
    ("words", "as my col@league said"),
]


def findings(rule: str, text: str) -> list[str]:
    """Lines of a text that break a rule, with their numbers."""
    wanted = re.compile("|".join(RULES[rule]).replace("@", ""))
    return [f"{number}: {line.strip()[:120]}" for number, line in enumerate(text.splitlines(), 1) if wanted.search(line)]


@pytest.fixture(scope="module")
def texts(project_files: list[Path], root: Path) -> dict[str, str]:
    """Relative name -> content of every text file, the licence aside."""
    chosen = (path for path in project_files if path.suffix in TEXT and path.name != "LICENSE")
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in chosen}


@pytest.mark.parametrize("rule", RULES)
def test_no_file_holds(rule: str, texts: dict[str, str]) -> None:
    found = {name: lines for name, text in texts.items() if (lines := findings(rule, text))}
    assert found == {}


@pytest.mark.parametrize(("rule", "line"), EXAMPLES)
def test_the_rule_sees(rule: str, line: str) -> None:
    plain = line.replace("@", "")
    assert findings(rule, f"first\n  {plain}\n") == [f"2: {plain}"]


def test_ordinary_lines_pass() -> None:
    text = "a/tmp/b\n./root/x\n/dev/video0\nraise NotImplemented\nassert Trueness\nexcept ValueError:\n"
    assert [line for rule in RULES for line in findings(rule, text)] == []


def test_python_files_are_short(python_files: list[Path], root: Path) -> None:
    lengths = {path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}
    assert len(lengths) > 20


def test_files_are_small(project_files: list[Path], root: Path) -> None:
    assert [path.relative_to(root).as_posix() for path in project_files if path.stat().st_size > LARGEST_FILE_BYTES] == []


def test_no_file_is_a_drawer(python_files: list[Path]) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools"}
    assert [path.name for path in python_files if path.stem in drawers or path.parent.name in drawers] == []
