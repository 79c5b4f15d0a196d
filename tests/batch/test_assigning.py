"""A known list over a whole pile: each value once, all together as likely as can be; nothing forced where nothing fits."""

from __future__ import annotations

import csv
import json
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.batch.assigning import NO_VALUE, Assignment, assign_values
from edge_digits.errors import ExitCode
from edge_digits.reading.evidence import Evidence, make_evidence
from edge_digits.reading.fitting import EXPECTED
from edge_digits.reading.values import ValueList
from tests.command_line import Run
from tests.doubles.pages import number, reading
from tests.picture_files import encode
from tests.strokes import draw_page

pytest.importorskip("scipy")


def torn(text: str, place: int, other: int, share: float, probability: float = 0.98) -> Evidence:
    """Digits read clearly but for one, of which `share` speaks for another digit."""
    rows = np.full((len(text), 10), (1 - probability) / 9)
    for at, character in enumerate(text):
        rows[at, int(character)] = probability
    rows[place, int(text[place])], rows[place, other] = probability - share, share
    return make_evidence(rows, [""] * len(text))


def test_two_that_look_alike_are_told_apart_by_the_list() -> None:
    surer, less_sure = torn("4821", 3, 7, 0.1), torn("4821", 3, 7, 0.4)
    found = assign_values([less_sure, surer], ValueList(["4821", "4827", "1111"]))
    assert {index: assigned.value for index, assigned in found.items()} == {0: "4827", 1: "4821"}
    assert 0.5 < found[0].probability < 0.99


def test_a_second_one_of_the_same_is_left_over() -> None:
    clear = torn("4821", 3, 7, 1e-6, 0.999)
    found = assign_values([clear, clear], ValueList(["4821", "9077"]))
    assert sorted(str(assigned.value) for assigned in found.values()) == ["4821", "None"]
    given_away = next(assigned for assigned in found.values() if assigned.value == "4821")
    assert given_away.probability == pytest.approx(0.5, abs=0.01)


def test_other_numbers_of_the_page_are_left_alone() -> None:
    numbers = [torn("2026", 0, 1, 0.0, 0.999), torn("17", 0, 2, 0.0)]
    assert assign_values(numbers, ValueList(["4821", "9077"])) == {}
    assert assign_values([], ValueList(["1"])) == {}


ROWS = st.lists(st.lists(st.floats(0.001, 1.0), min_size=10, max_size=10), min_size=2, max_size=2)


@given(pages=st.lists(ROWS, min_size=1, max_size=4), values=st.lists(st.integers(10, 99), min_size=1, max_size=4, unique=True))
def test_no_other_assignment_weighs_more(pages: list[list[list[float]]], values: list[int]) -> None:
    numbers = [make_evidence(np.array(rows), ["", ""]) for rows in pages]
    found = assign_values(numbers, ValueList([str(v) for v in values]))
    given_values = [a.value for a in found.values() if a.value is not None]
    assert len(set(given_values)) == len(given_values)

    def weight(chosen: list[int | None]) -> float:
        total = 0.0
        for evidence, value in zip(numbers, chosen, strict=True):
            p = 1.0 if value is None else float(np.prod([evidence.probabilities[at, int(c)] for at, c in enumerate(str(value))]))
            total += NO_VALUE if value is None else float(np.log(EXPECTED / len(values) * 100 * p))
        return total

    ours = weight([None if (a := found.get(i)) is None or a.value is None else int(a.value) for i in range(len(numbers))])
    best = max(weight(list(chosen)) for chosen in permutations([*values, *[None] * len(numbers)], len(numbers)))
    assert ours == pytest.approx(best, abs=1e-9)
    assert all(0.0 <= assigned.probability <= 1.0 for assigned in found.values())


def entry_of(source: str, *numbers: tuple[str, dict[int, tuple[int, float]]]) -> dict[str, Any]:
    """A page's JSON object with all candidates. numbers : text, and by place another digit with its confidence."""
    entry = reading([number(text, (10 + 90 * i, 5, 80, 40)) for i, (text, _) in enumerate(numbers)], source=source).to_dict()
    for written, (_, others) in zip(entry["lines"][0]["numbers"], numbers, strict=True):
        for place, digit in enumerate(written["digits"]):
            other, share = others.get(place, (None, 0.0))
            left = (1 - 0.95) / 9 if other is None else (0.99 - share) / 9
            digit["candidates"] = [{"digit": d, "confidence": share if d == other else left} for d in range(10)]
            digit["candidates"][digit["digit"]]["confidence"] = 0.95 if other is None else 0.99 - share
            digit["candidates"].sort(key=lambda guess: -guess["confidence"])
    return entry


def test_entries_are_rewritten_and_say_so() -> None:
    first, second = entry_of("a.png", ("4821", {})), entry_of("b.png", ("4821", {3: (7, 0.45)}), ("2026", {}))
    assignment = Assignment("assign:known.txt", ValueList(["4821", "4827"]), [first, second])
    kept, changed = assignment(first), assignment(second)
    assert kept["lines"][0]["text"] == "4821"
    assert "rule" not in kept["lines"][0]["numbers"][0]
    given_number, other = changed["lines"][0]["numbers"]
    assert changed["lines"][0]["text"] == "4827 2026"
    assert (given_number["text"], given_number["value"]) == ("4827", "4827")
    assert given_number["rule"] == {"name": "assign:known.txt", "was": "4821", "fits": True}
    assert given_number["digits"][3]["digit"] == 7
    assert (other["text"], other["value"]) == ("2026", "2026")
    assert not any("candidates" in digit for line in changed["lines"] for n in line["numbers"] for digit in n["digits"])


def test_a_value_that_is_taken_leaves_none() -> None:
    first, second = entry_of("a.png", ("4821", {})), entry_of("b.png", ("4821", {1: (3, 0.2)}))
    assignment = Assignment("assign:x", ValueList(["4821"]), [first, second])
    assignment(first)
    left = assignment(second)["lines"][0]["numbers"][0]
    assert (left["text"], left["value"]) == ("4821", None)
    assert left["rule"] == {"name": "assign:x", "was": "4821", "fits": False}


def test_failures_and_entries_without_candidates_pass() -> None:
    failed = {"source": "c.png", "error": {"type": "InputDecodeError", "message": "bad"}}
    plain = reading([number("4821", (0, 0, 80, 40))], source="a.png").to_dict()
    assignment = Assignment("assign:x", ValueList(["4821"]), [failed, plain])
    assert assignment(failed) == {"source": "c.png", "error": {"type": "InputDecodeError", "message": "bad"}}
    assert assignment(plain)["lines"][0]["numbers"][0]["value"] == "4821"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, text in (("a", "4072"), ("b", "3856")):
        (folder / f"{name}.png").write_bytes(encode("PNG", draw_page([text], width=600, height=220)))
    return folder


def test_batch_assigns_and_can_be_resumed_with_another_list(run: Run, pages: Path, tmp_path: Path) -> None:
    known, out = tmp_path / "known.txt", tmp_path / "t.jsonl"
    known.write_text("4072\n3856\n7777\n", encoding="utf-8")
    assert run("batch", pages, "--out", out, "--workers", 1, "--assign", known).code == ExitCode.OK
    found = [json.loads(line)["lines"][0]["numbers"][0] for line in out.read_text(encoding="utf-8").splitlines()]
    assert [entry["value"] for entry in found] == ["4072", "3856"]
    assert all("candidates" not in digit for entry in found for digit in entry["digits"])
    known.write_text("4072\n", encoding="utf-8")
    outcome = run("batch", pages, "--out", out, "--workers", 1, "--assign", known)
    assert outcome.code == ExitCode.OK
    assert "nothing was left to read" in outcome.err


def test_batch_reads_as_expected(run: Run, pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    assert run("batch", pages, "--out", out, "--workers", 1, "--expect", "values:4072,3855").code == ExitCode.OK
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["value"] == "4072"
    assert rows[1]["value"] in ("", "3855")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--assign", "{tmp}/missing.txt"], "no such file"),
        (["--assign", "{tmp}/empty.txt"], "holds 0 values"),
        (["--expect", "nonsense"], "--expect 'nonsense': is not known"),
        (["--expect", "regex:(1"], "is not closed"),
    ],
)
def test_what_cannot_be_used_is_told_before_any_work(run: Run, pages: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "empty.txt").touch()
    outcome = run("batch", pages, "--out", tmp_path / "t.csv", *(argument.format(tmp=tmp_path) for argument in arguments))
    assert outcome.code == ExitCode.USAGE
    (line,) = outcome.complaints
    assert says in line
    assert [path.name for path in tmp_path.iterdir()] == ["empty.txt"]


def test_without_scipy_the_extra_is_named(run: Run, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "known.txt").write_text("1\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    outcome = run("batch", pages, "--out", tmp_path / "t.csv", "--assign", tmp_path / "known.txt")
    assert outcome.code == ExitCode.USAGE
    assert 'pip install "edge-digits[assign]"' in outcome.err
