"""Calibrated confidence in a Reading, and what a user asks of it on the command line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits import Reader, UsageError
from edge_digits.errors import ExitCode
from edge_digits.options import Options, ReadingOptions, RecognitionOptions
from edge_digits.reading.confidence import calibrate
from edge_digits.reading.reading import Digit, Line, Number
from edge_digits.recognition.confidence_curve import ConfidenceCurve, ConfidenceMap
from tests.command_line import Run
from tests.confidence_curves import model_with_curve

BOX = (0, 0, 10, 20)


def curve(digit_slope: float, number_slope: float = 1.0) -> ConfidenceCurve:
    ends = np.array([-17.0, 17.0])
    return ConfidenceCurve("digits", (), ConfidenceMap(ends, digit_slope * ends), ConfidenceMap(ends, number_slope * ends), (), {})


def page(*confidences: float) -> tuple[Line, ...]:
    """One line with one number; digits below one half are unsure."""
    digits = []
    for index, confidence in enumerate(confidences):
        rest = (1.0 - confidence) / 2
        guesses = ((index % 10, confidence), *(((index + step) % 10, min(rest, confidence)) for step in (1, 2)))
        digits.append(Digit(index % 10 if confidence >= 0.5 else None, confidence, BOX, guesses))
    return (Line((Number(tuple(digits)),)),)


def test_without_a_curve_lines_stay_as_they_are() -> None:
    lines = page(0.9, 0.8)
    assert calibrate(lines, None) is lines


def test_a_page_without_digits_stays_one() -> None:
    assert calibrate((), curve(0.5)) == ()


def test_digits_and_numbers_get_the_confidence_of_the_curve() -> None:
    (line,) = calibrate(page(0.9, 0.8), curve(0.5, 0.5))
    (number,) = line.numbers
    halved = [math.sqrt(p / (1 - p)) / (1 + math.sqrt(p / (1 - p))) for p in (0.9, 0.8)]
    assert [digit.confidence for digit in number.digits] == pytest.approx(halved)
    product = math.prod(halved)
    root = math.sqrt(product / (1 - product))
    assert number.confidence == pytest.approx(root / (1 + root))


def test_a_number_is_never_surer_than_its_least_sure_digit() -> None:
    (line,) = calibrate(page(0.99, 0.6), curve(1.0, 3.0))
    (number,) = line.numbers
    assert number.confidence == pytest.approx(0.6)


def test_a_number_that_was_judged_as_a_whole_keeps_that_judgement() -> None:
    (line,) = page(0.6, 0.6)
    whole = (Line((replace(line.numbers[0], probability=0.97),)),)
    assert calibrate(whole, curve(0.5))[0].numbers[0].confidence == pytest.approx(0.97)


def test_what_is_named_and_what_is_unsure_stays() -> None:
    (line,) = calibrate(page(0.9, 0.3, 0.7), curve(0.2))
    assert line.text == "0?2"


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), st.floats(0.0, 4.0))
def test_guesses_stay_in_order_and_within_one(confidences: list[float], slope: float) -> None:
    (line,) = calibrate(page(*confidences), curve(slope))
    for digit in line.numbers[0].digits:
        shares = [share for _, share in digit.candidates]
        assert shares[0] == digit.confidence
        assert shares == sorted(shares, reverse=True)
        assert all(share >= 0 for share in shares)
        assert sum(shares) <= max(1.0, 3 * digit.confidence) + 1e-9


def test_a_digit_without_guesses_is_borne() -> None:
    lines = (Line((Number((Digit(4, 0.9, BOX),)),)),)
    assert calibrate(lines, curve(0.5))[0].numbers[0].digits[0].candidates == ()


# A Reader with a curve beside its model


def confidences(lines: tuple[Line, ...]) -> list[float]:
    return [digit.confidence for line in lines for number in line.numbers for digit in number.digits]


def test_by_default_a_curve_changes_what_is_told_and_not_what_is_named(good: Path, tmp_path: Path) -> None:
    raw = Reader(threads=1, options=None, model=str(model_with_curve(tmp_path, of_another=True))).read(good)
    mapped = Reader(threads=1, model=str(model_with_curve(tmp_path / "other"))).read(good)
    assert mapped.text == raw.text
    assert all(after < before for after, before in zip(confidences(mapped.lines), confidences(raw.lines), strict=True))


def test_a_curve_of_another_model_is_not_used(tmp_path: Path) -> None:
    reader = Reader(threads=1, model=str(model_with_curve(tmp_path, of_another=True)))
    assert reader.curve is None
    with pytest.raises(UsageError, match="nothing can be promised"):
        Reader(threads=1, model=str(tmp_path / "weights"), max_error=0.01)


def test_the_float_file_of_a_model_has_the_same_curve(tmp_path: Path) -> None:
    model = str(model_with_curve(tmp_path))
    found = [Reader(threads=1, model=model, precision=precision, max_error=0.01).min_confidence for precision in ("int8", "float")]
    assert found == [0.9, 0.9]


def test_who_asks_for_the_networks_own_probabilities_gets_them(tmp_path: Path) -> None:
    model = RecognitionOptions(model=str(model_with_curve(tmp_path)))
    assert Reader(options=Options(recognition=model, reading=ReadingOptions(calibrated=False))).curve is None


def test_a_lower_error_names_no_more(good: Path, tmp_path: Path) -> None:
    levels = [{"threshold": t, "named": n, "wrong": 0.0, "at_most": b} for t, n, b in ((2 / 3, 0.5, 0.01), (0.0, 1.0, 0.2))]
    levels.insert(0, {"threshold": 1.0, "named": 0.5, "wrong": 0.0, "at_most": 0.001})
    model = str(model_with_curve(tmp_path, levels=levels))
    named = [sum(d.digit is not None for d in Reader(model=model, threads=1, max_error=e).read(good).digits) for e in (0.001, 0.01, 0.3)]
    assert named == sorted(named)
    assert named[0] < named[-1] == 9


@pytest.mark.parametrize("command", ["read", "evaluate", "batch", "watch"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-error", "1/10000"], "max-error is 0.0001; model 'digits' can promise 0.004 at best"),
        (["--max-error", "1/100", "--min-confidence", "0.9"], "give one of them"),
        (["--max-error", "0"], "max-error is 0;"),
        (["--max-error", "100%"], "max-error is 1;"),
        (["--max-error", "nan"], "max-error is nan;"),
        (["--max-error=-1/1000"], "max-error is -0.001;"),
        (["--max-error", "1/0"], "max-error is '1/0'; give a share such as 1/1000"),
        (["--max-error", "few"], "max-error is 'few';"),
        (["--max-error", ""], "max-error is '';"),
        (["--max-error", "1%%"], "max-error is '1%%';"),
        (["--max-error", "1/2/3"], "max-error is '1/2/3';"),
    ],
)
def test_what_cannot_be_is_one_clear_line(run: Run, good: Path, tmp_path: Path, command: str, words: list[str], said: str) -> None:
    source: list[str | Path] = [good]
    if command == "evaluate":
        pytest.importorskip("scipy", reason="evaluate needs the extra `evaluate`")
        source = [good.parent]
        (tmp_path / "truth.json").write_text(json.dumps({good.name: {"lines": []}}))
        words = [*words, "--truth", str(tmp_path / "truth.json")]
    out = tmp_path / "table.csv"
    more = {"batch": ["--out", str(out), "--workers", "1"], "watch": ["--no-window", "--once", "--timeout", "5"]}.get(command, [])
    outcome = run(command, *source, "--model", model_with_curve(tmp_path), *more, *words)
    assert (outcome.code, outcome.out) == (ExitCode.USAGE, "")
    (line,) = outcome.complaints
    assert said in line
    assert not out.exists()


@pytest.mark.parametrize("share", ["1/100", "0.01", "1%", " 1 % ", "1e-2", "10/1000"])
def test_a_share_is_written_in_many_ways(run: Run, good: Path, tmp_path: Path, share: str) -> None:
    model = model_with_curve(tmp_path)
    (asked,) = run("read", good, "--model", model, "--max-error", share, "--format", "json").pages
    expected = Reader(threads=1, model=str(model), max_error=0.01).read(good)
    assert [line["text"] for line in asked["lines"]] == [line.text for line in expected.lines]


def test_unsure_digits_are_question_marks_with_candidates_best_first(run: Run, good: Path, tmp_path: Path) -> None:
    model = model_with_curve(tmp_path, levels=[{"threshold": 1.0, "named": 0.5, "wrong": 0.0, "at_most": 0.001}])
    (page,) = run("read", good, "--model", model, "--max-error", "0.1%", "--format", "json").pages
    numbers = [number for line in page["lines"] for number in line["numbers"]]
    digits = [digit for number in numbers for digit in number["digits"]]
    assert [number["text"] for number in numbers] == ["???", "????", "??"]
    assert all(number["value"] is None for number in numbers)
    assert [digit["digit"] for digit in digits] == [None] * 9
    assert [digit["candidates"][0]["digit"] for digit in digits] == [4, 0, 7, 1, 8, 9, 2, 3, 5]
    for digit in digits:
        shares = [guess["confidence"] for guess in digit["candidates"]]
        assert shares == sorted(shares, reverse=True)
        assert shares[0] == digit["confidence"]


def test_min_confidence_speaks_of_the_confidence_that_is_told(run: Run, good: Path, tmp_path: Path) -> None:
    model = model_with_curve(tmp_path)
    (plain,) = run("read", good, "--model", model, "--format", "json").pages
    told = sorted(d["confidence"] for line in plain["lines"] for number in line["numbers"] for d in number["digits"])
    middle = (told[3] + told[4]) / 2
    (asked,) = run("read", good, "--model", model, "--format", "json", "--min-confidence", str(middle)).pages
    digits = [d for line in asked["lines"] for number in line["numbers"] for d in number["digits"]]
    assert all((d["digit"] is None) == (d["confidence"] < middle) for d in digits)
    assert sum(d["digit"] is None for d in digits) == sum(confidence < middle for confidence in told) > 0


def test_batch_keeps_to_the_error_that_was_asked_for(run: Run, good: Path, tmp_path: Path) -> None:
    levels = [{"threshold": 1.0, "named": 0.5, "wrong": 0.0, "at_most": 0.001}]
    out = tmp_path / "table.jsonl"
    batch = ["batch", good, "--out", out, "--workers", "1", "--model", model_with_curve(tmp_path, levels=levels)]
    assert run(*batch, "--max-error", "1/10000").code == ExitCode.USAGE
    assert run(*batch, "--max-error", "1/1000").code == ExitCode.OK, "asking for less after a refusal is no other batch"
    (page,) = map(json.loads, out.read_text().splitlines())
    assert [line["text"] for line in page["lines"]] == ["??? ????", "??"]


def test_info_says_what_the_confidence_rests_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_digits.recognition import info_command

    for of_another, said in ((True, "the networks' own probabilities"), (False, "fitted on 40 pages, 1,000 digits, 2026-11-21")):
        folder = model_with_curve(tmp_path / str(of_another), of_another=of_another)
        monkeypatch.setattr(info_command, "WEIGHTS_FOLDER", folder)
        outcome = run("info")
        assert (outcome.code, outcome.complaints) == (0, [])
        assert said in outcome.out


def test_a_damaged_curve_is_a_damaged_model(run: Run, good: Path, tmp_path: Path) -> None:
    model = model_with_curve(tmp_path)
    (model / "confidence.json").write_text("{")
    outcome = run("read", good, "--model", model)
    assert (outcome.code, outcome.out) == (ExitCode.MODEL, "")
    assert "confidence.json" in outcome.complaints[0]


def test_a_level_is_kept_by_a_reader_built_in_python(tmp_path: Path) -> None:
    assert Reader(threads=1, model=str(model_with_curve(tmp_path)), max_error=0.03).min_confidence == 0.5
    with pytest.raises(UsageError, match="max-error is 2"):
        Reader(max_error=2)
