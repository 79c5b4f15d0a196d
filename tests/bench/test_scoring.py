"""The scorer: small cases by hand, and agreement with an independent scorer on real transcriptions."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_digits.bench.scoring import (
    digits_of,
    edit_distance,
    figures,
    figures_by_group,
    is_exact,
    match,
    score_page,
)
from edge_digits.bench.truth import PageTruth, load_truth
from edge_digits.errors import MissingExtraError

pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")


def page(*lines: str, **more: Any) -> PageTruth:
    return PageTruth("page.jpg", lines, **more)


@pytest.mark.parametrize(
    ("truth", "read", "errors", "named_errors"),
    [
        ("123", "123", 0, 0),
        ("123", "", 3, 3),
        ("", "45", 2, 2),
        ("123", "1?3", 1, 0),
        ("1?3", "123", 0, 0),
        ("1?3", "13", 0, 0),
        ("1?3", "1??3", 1, 0),
        ("12", "21", 2, 2),
        ("", "", 0, 0),
    ],
)
def test_edit_distance(truth: str, read: str, errors: float, named_errors: float) -> None:
    assert edit_distance(truth, read, 1.0) == errors
    assert edit_distance(truth, read, 0.0) == named_errors


def test_lines_may_come_in_any_order() -> None:
    total, pairs = match(["12", "345"], ["345", "12"], 1.0)
    assert total == 0
    assert sorted(pairs) == [("12", "12"), ("345", "345")]


def test_a_page_read_right() -> None:
    score = score_page(page("12 34", "5"), ["12 34", "5"])
    result = figures([score])
    assert (result["cer"], result["mean_cer"], result["perfect"], result["lines"], result["numbers"]) == (0, 0, 1, 1, 1)
    assert (result["pages"], result["digits"], result["coverage"], result["false_per_negative"]) == (1, 5, 1, None)


def test_a_page_read_empty() -> None:
    result = figures([score_page(page("12 34"), [])])
    assert (result["cer"], result["named_cer"], result["perfect"], result["numbers"], result["coverage"]) == (1, 1, 0, 0, 1)


def test_a_long_wrong_page_counts_once() -> None:
    result = figures([score_page(page("1"), ["23456"]), score_page(page("1"), ["1"])])
    assert result["mean_cer"] == 0.5
    assert result["cer"] == 2.5


def test_unsure_digits_cost_only_the_plain_figures() -> None:
    result = figures([score_page(page("1234"), ["12?4"])])
    assert (result["cer"], result["named_cer"], result["coverage"]) == (0.25, 0, 0.75)


def test_false_digits_count_on_negative_pages_only() -> None:
    negative = score_page(page("7", kind="negative"), ["7 12?"])
    assert (negative.false_digits, negative.errors) == (2, 3)
    assert score_page(page("7", kind="plain"), ["7 12"]).false_digits == 0
    result = figures([score_page(page(kind="negative"), [])])
    assert (result["false_per_negative"], result["perfect"], result["cer"], result["lines"]) == (0, 1, None, None)


def test_label_digits_may_be_read_or_left_out() -> None:
    form = page("12", label_digits="345")
    assert score_page(form, ["12"]).errors == score_page(form, ["12", "345"]).errors == 0
    assert score_page(form, ["12", "9"]).errors == 1


def test_scattered_numbers_match_as_numbers() -> None:
    read = ["34 12", "56"]
    assert score_page(page("12 56 34", layout="scattered"), read).errors == 0
    assert score_page(page("12 56 34", layout="lines"), read).errors > 0


def test_unclear_grouping_counts_no_numbers() -> None:
    assert score_page(page("1 2", grouping_clear=False), ["12"]).numbers == 0
    assert score_page(page("1 ?2"), ["1 ?2"]).numbers == 0


def test_exact_lines_take_one_digit_for_each_unknown() -> None:
    assert is_exact("1?3", "123")
    assert not is_exact("1?3", "13")
    assert not is_exact("", "")


def test_digits_of_absurd_text() -> None:
    assert digits_of("€ 1.234,5x ?\n٣") == "12345?"
    assert score_page(page("1"), ["\U0001f600", "", "1"]).errors == 0


def test_groups() -> None:
    first = page("1", kind="plain", half="tune", difficulty="easy", group="pages")
    second = page("2", kind="form", half="check", difficulty="easy", group="pages")
    groups = figures_by_group([(first, score_page(first, ["1"])), (second, score_page(second, []))])
    assert {key: entry["pages"] for key, entry in groups.items()} == {
        "all": 2, "set:pages": 2, "kind:plain": 1, "kind:form": 1, "half:tune": 1, "half:check": 1, "difficulty:easy": 2,
    }  # fmt: skip
    assert groups["half:tune"]["cer"] == 0
    assert groups["half:check"]["cer"] == 1


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingExtraError, match=r"edge-digits\[evaluate\]"):
        match(["1"], ["2"], 1.0)


def made_up_reading(lines: list[str], rng: random.Random) -> list[str]:
    """What a middling reader might have made of the lines: digits lost, changed, doubled, unsure; lines lost, added, shuffled."""
    read = []
    for line in lines:
        if rng.random() < 0.15:
            continue
        text = ""
        for character in line:
            chance = rng.random()
            if chance < 0.08:
                continue
            text += rng.choice("0123456789?") if chance < 0.16 else character
            text += rng.choice("0123456789 ?") if chance > 0.96 else ""
        read.append(text)
        if rng.random() < 0.1:
            read.append("".join(rng.choice("0123456789?") for _ in range(3)))
    if rng.random() < 0.3:
        rng.shuffle(read)
    return read


@pytest.fixture(scope="module")
def other_scorer(shared: Path) -> Any:
    path = shared / "tools" / "score_pages.py"
    spec = importlib.util.spec_from_file_location("score_pages", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [1, 2])
def test_agreement_with_an_independent_scorer(
    shared: Path, other_scorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    truths = load_truth(shared / "pages" / "truth.json")
    rng = random.Random(seed)
    readings = {t.name: made_up_reading(list(t.lines), rng) for t in truths}
    predictions, theirs_path = tmp_path / "read.jsonl", tmp_path / "theirs.json"
    rows = [{"source": f"some/folder/{name}", "lines": [{"text": line} for line in lines]} for name, lines in readings.items()]
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(sys, "argv", ["score", str(shared / "pages"), str(predictions), "--json", str(theirs_path)])
    assert other_scorer.main() == 0
    printed = parse_table(capsys.readouterr().out)

    ours = {t.name: score_page(t, readings[t.name]) for t in truths}
    for entry in json.loads(theirs_path.read_text()):
        score = ours[entry["page"]]
        assert score.errors == pytest.approx(entry["errors"], abs=1e-9)
        assert score.named_errors == pytest.approx(entry["named_errors"], abs=1e-9)
        assert score.digits == entry["digits"]
    groups = figures_by_group([(t, ours[t.name]) for t in truths])
    assert set(groups) == set(printed)
    for key, entry in groups.items():
        for name, (value, half_step) in printed[key].items():
            if entry[name] is not None:
                assert entry[name] == pytest.approx(value, abs=half_step + 1e-9), (key, name)


@pytest.mark.parametrize("seed", [1, 2])
def test_exact_lines_are_those_of_a_least_cost_pairing(shared: Path, other_scorer: Any, seed: int) -> None:
    """Where several pairings cost the same, both scorers may take another one, but neither leaves the bounds."""
    rng = random.Random(seed)
    raw = json.loads((shared / "pages" / "truth.json").read_text())
    for truth in load_truth(shared / "pages" / "truth.json"):
        read = made_up_reading(list(truth.lines), rng)
        theirs = sum(is_exact(w, f) for w, f in other_scorer.page_cost(raw[truth.name], read, 1.0)[1])
        bounds = exact_bounds(truth, read)
        assert bounds[0] <= theirs <= bounds[1]
        assert bounds[0] <= score_page(truth, read).exact_lines <= bounds[1]


def exact_bounds(truth: PageTruth, read: list[str]) -> tuple[int, int]:
    """Fewest and most lines read exactly over all pairings of least cost."""
    from scipy.optimize import linear_sum_assignment

    options = []
    found = [d for line in read if (d := digits_of(line))]
    for labels in ([], [truth.label_digits]) if truth.label_digits else ([],):
        wanted = [d for line in [*truth.lines, *labels] if (d := digits_of(line))]
        size = max(len(wanted), len(found))
        padded = [*wanted, *[""] * (size - len(wanted))], [*found, *[""] * (size - len(found))]
        cost = np.array([[edit_distance(w, f, 1.0) for f in padded[1]] for w in padded[0]]).reshape(size, size)
        exact = np.array([[is_exact(w, f) for f in padded[1]] for w in padded[0]]).reshape(size, size)
        for sign in (1, -1):
            rows, columns = linear_sum_assignment(cost + sign * exact / (size + 1))
            options.append((float(cost[rows, columns].sum()), int(exact[rows, columns].sum())))
    least = min(total for total, _ in options)
    counts = [count for total, count in options if total == least]
    return min(counts), max(counts)


def parse_table(text: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Figures that the other scorer printed: value and half of its last digit's step."""
    names = ("pages", "digits", "cer", "mean_cer", "named_cer", "coverage", None, "numbers", "perfect", "false_per_negative")
    table = {}
    for line in text.splitlines()[1:]:
        key, *cells = line.split()
        pairs = zip(names, cells, strict=True)
        table[key] = {name: (float(cell), 0.5 * 10.0 ** -len(cell.partition(".")[2])) for name, cell in pairs if name and cell != "-"}
    counts = Counter(len(entry) for entry in table.values())
    assert counts
    return table
