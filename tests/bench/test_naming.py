"""Named error, coverage, and the curve of both."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge_digits.bench.alignment import JudgedDigit, JudgedPage
from edge_digits.bench.naming import naming_figures, print_naming, risk_coverage
from edge_digits.reading.reading import Digit
from tests.command_line import Run
from tests.confidence_curves import model_with_curve

BOX = (0, 0, 10, 20)


def digit(confidence: float, right: bool | None, *, named: bool = True, found: bool = True) -> JudgedDigit:
    return JudgedDigit(Digit(3 if named else None, confidence, BOX, ((3, confidence),)), right, found)


def reader(max_error: float | None = None) -> Any:
    reading = SimpleNamespace(max_error=max_error)
    return SimpleNamespace(options=SimpleNamespace(reading=reading), min_confidence=0.65, curve=None)


def page(*digits: JudgedDigit, true_digits: int = 10) -> JudgedPage:
    return JudgedPage(digits, (), true_digits)


def test_named_and_wrong_are_counted_over_pages() -> None:
    first = page(digit(0.9, True), digit(0.9, False), digit(0.5, True, named=False))
    second = page(digit(0.8, False, found=False), digit(0.9, None, found=False), true_digits=2)
    found = naming_figures(reader(), [first, second])
    assert (found["named"], found["wrong"], found["named_error"]) == (3, 2, pytest.approx(2 / 3))
    assert (found["covered"], found["true_digits"], found["coverage"]) == (2, 12, pytest.approx(1 / 6))
    assert (found["max_error"], found["kept"], found["calibrated"]) == (None, None, False)


@pytest.mark.parametrize(("asked", "kept"), [(0.5, True), (0.499, False)])
def test_a_promise_is_kept_or_not(asked: float, kept: bool) -> None:
    found = naming_figures(reader(asked), [page(digit(0.9, True), digit(0.8, False))])
    assert found["kept"] is kept
    out = io.StringIO()
    print_naming(found, out)
    first, second = out.getvalue().splitlines()
    assert "1 of 2 wrong (50 %)" in first
    assert second.endswith(": kept on these pages" if kept else ": not kept on these pages")


def test_who_names_nothing_breaks_no_promise() -> None:
    found = naming_figures(reader(0.001), [page(digit(0.9, False, named=False))])
    assert (found["named_error"], found["coverage"], found["kept"]) == (None, 0.0, True)


def test_no_page_has_no_figures() -> None:
    found = naming_figures(reader(), [])
    assert (found["named_error"], found["coverage"], found["risk_coverage"]) == (None, None, [])
    out = io.StringIO()
    print_naming(found, out)
    assert "0 of 0 wrong (-)" in out.getvalue()


def test_the_curve_goes_from_the_surest_down() -> None:
    known = [digit(0.6, False), digit(0.9, True), digit(0.8, True), digit(0.7, False, found=False)]
    curve = risk_coverage(known, 5)
    assert [point["confidence"] for point in curve] == [0.9, 0.8, 0.7, 0.6]
    assert [point["coverage"] for point in curve] == [0.2, 0.4, 0.4, 0.6]
    assert [point["named_error"] for point in curve] == [0.0, 0.0, pytest.approx(1 / 3, abs=1e-6), 0.5]


def test_digits_of_one_confidence_come_together() -> None:
    assert risk_coverage([digit(0.9, True), digit(0.9, False)], 2) == [{"confidence": 0.9, "coverage": 1.0, "named_error": 0.5}]


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    known = [digit(index / 1000, True) for index in range(1000)]
    curve = risk_coverage(known, 1000)
    assert len(curve) == 101
    assert (curve[0]["coverage"], curve[-1]["coverage"]) == (0.001, 1.0)


def test_evaluate_tells_what_the_setting_bought(run: Run, good: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")
    truth, out = tmp_path / "truth.json", tmp_path / "results.json"
    truth.write_text(json.dumps({good.name: {"lines": ["407 1892", "36"]}}))
    words = ["evaluate", good.parent, "--truth", truth, "--model", model_with_curve(tmp_path), "--threads", "1", "--out", out]
    outcome = run(*words, "--max-error", "12%")
    assert outcome.code == 0
    assert "named digits: 1 of 9 wrong (11.1 %); 9 of 9 digits that stand there named (100 %)" in outcome.out
    assert "asked: at most 12 % of the named digits wrong: kept on these pages" in outcome.out
    naming = json.loads(out.read_text())["naming"]
    assert (naming["threshold"], naming["calibrated"], naming["kept"]) == (0.0, True, True)
    assert naming["risk_coverage"][-1]["coverage"] == 1.0
    assert "asked" not in run(*words).out
