"""Which digit that was read stands there: judged by hand-made truths and readings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.bench.alignment import JudgedPage, judge_page, tells_signs
from edge_digits.bench.scoring import score_page
from edge_digits.bench.truth import PageTruth, load_truth
from edge_digits.reading.reading import Digit, Line, Number, Reading, Sign

pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")

BOX = (0, 0, 10, 20)
MARKS = {True: "+", False: "-", None: "."}


def number(text: str) -> Number:
    """ "12.5?" becomes four digits and a point; "?" is an unsure digit whose best guess is 8, "!" one without any guess."""
    digits: list[Digit] = []
    signs = []
    for letter in text:
        if letter.isdigit():
            digits.append(Digit(int(letter), 0.9, BOX, ((int(letter), 0.9),)))
        elif letter in "?!":
            digits.append(Digit(None, 0.4, BOX, ((8, 0.4),) if letter == "?" else ()))
        else:
            signs.append(Sign(letter, len(digits), BOX))
    return Number(tuple(digits), tuple(signs))


def reading(*lines: str) -> Reading:
    return Reading("page.png", 1, 100, 100, tuple(Line(tuple(map(number, line.split()))) for line in lines))


def judge(truth: list[str], read: list[str], *, with_signs: bool = False, **changes: object) -> JudgedPage:
    return judge_page(replace(PageTruth("page.png", tuple(truth)), **changes), reading(*read), with_signs=with_signs)


def marks(page: JudgedPage) -> str:
    """One mark a digit: + right, - wrong, . nobody knows."""
    return "".join(MARKS[digit.right] for digit in page.digits)


def whole(page: JudgedPage) -> str:
    """The same for numbers."""
    return "".join(MARKS[number.right] for number in page.numbers)


@pytest.mark.parametrize(
    ("truth", "read", "digits", "numbers"),
    [
        (["407 1892"], ["407 1892"], "+++++++", "++"),
        (["407 1892"], ["401 1892"], "++-++++", "-+"),
        (["407 1892"], ["407 192"], "++++++", "+-"),
        (["407 1892"], ["4071 892"], "+++++++", "--"),
        (["407"], ["4707"], "+-++", "-"),
        (["407", "35"], ["35", "407"], "+++++", "++"),
        (["407"], [], "", ""),
        ([], ["7"], "-", "-"),
        ([""], ["12 3"], "---", "--"),
        (["8"], ["?"], "+", "+"),
        (["7"], ["?"], "-", "-"),
        (["7"], ["!"], "-", "-"),
        (["?7"], ["17"], ".+", "."),
        (["?7"], ["7"], "+", "-"),
        (["?7"], ["12"], ".-", "-"),
        (["x = 12"], ["12"], "++", "+"),
        (["1 2"], ["12"], "++", "-"),
    ],
)
def test_each_digit_and_number_is_judged(truth: list[str], read: list[str], digits: str, numbers: str) -> None:
    page = judge(truth, read)
    assert (marks(page), whole(page)) == (digits, numbers)


def test_a_swapped_digit_is_found_and_an_inserted_one_is_not() -> None:
    assert [digit.found for digit in judge(["407"], ["4017"]).digits] == [True, True, False, True]
    assert [digit.found for digit in judge(["407"], ["401"]).digits] == [True, True, True]


def test_legible_digits_are_counted() -> None:
    assert judge(["4?7 12", "3"], []).true_digits == 5


def test_numbers_of_a_table_are_matched_wherever_they_were_read() -> None:
    truth, read = ["12 34", "56 78"], ["56 12", "78 34"]
    assert marks(judge(truth, read, layout="table")) == "+" * 8
    assert "-" in marks(judge(truth, read))


def test_printed_labels_may_be_read_or_left_out_one_by_one() -> None:
    for read in (["1 2 3", "507"], ["2", "507"], ["507"]):
        page = judge(["507"], read, label_digits="1 2 3")
        assert set(marks(page)) == {"+"}, read
        assert page.true_digits == 3
    label = judge(["507"], ["2", "507"], label_digits="1 2 3").digits[0]
    assert (label.right, label.found) == (True, False)
    assert marks(judge(["507"], ["9", "507"], label_digits="1 2 3")) == "-+++"


def test_numbers_are_not_judged_where_grouping_is_anybodys_guess() -> None:
    page = judge(["05221859"], ["05 221859"], grouping_clear=False)
    assert (marks(page), whole(page)) == ("++++++++", "..")


@pytest.mark.parametrize(
    ("word", "read", "right"),
    [
        ("12.50", "12.50", "+"),
        ("12.50", "1250", "-"),
        ("1250", "12.50", "-"),
        ("12.50", "12,50", "-"),
        ("03/04", "03/04", "+"),
        ("-7", "-7", "+"),
    ],
)
def test_signs_count_where_the_truth_tells_them(word: str, read: str, right: str) -> None:
    assert whole(judge([word], [read], with_signs=True)) == right
    assert whole(judge([word], [read])) == "+"


def test_signs_may_be_told_beside_the_digits(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(json.dumps({"a.png": {"lines": ["1250 7"], "lines_full": ["12.50  -7"]}}))
    (truth,) = load_truth(tmp_path / "truth.json")
    assert not tells_signs([truth])
    assert whole(judge_page(truth, reading("12.50 -7"))) == "++"
    assert whole(judge_page(truth, reading("1250 7"))) == "--"
    assert marks(judge_page(truth, reading("1250 7"))) == "+++++"


def test_signs_of_an_expression_belong_to_no_number() -> None:
    for read in ("3 42 9", "3 -42 9"):
        assert whole(judge(["3 42 9"], [read], written=("3x-42(9)",))) == "+++"


def test_a_truth_tells_signs_or_does_not() -> None:
    pages = [PageTruth("a.png", ("12 407",)), PageTruth("b.png", ("3x + 7",))]
    assert not tells_signs(pages)
    assert tells_signs([*pages, PageTruth("c.png", ("1.5",))])
    assert not tells_signs([])


@given(
    st.lists(st.text("0123456789", min_size=1, max_size=5), max_size=4), st.lists(st.text("0123456789", min_size=1, max_size=5), max_size=4)
)
def test_errors_are_those_of_the_score(truth: list[str], read: list[str]) -> None:
    page = judge(truth, read)
    swapped = sum(digit.right is False and digit.found for digit in page.digits)
    inserted = sum(not digit.found for digit in page.digits)
    missed = page.true_digits - sum(digit.found for digit in page.digits)
    score = score_page(PageTruth("page.png", tuple(truth)), read)
    assert swapped + inserted + missed == score.errors


def test_truths_of_photographs_judged_against_themselves_are_all_right(shared: Path) -> None:
    for truth in load_truth(shared / "pages" / "truth.json"):
        if truth.half != "tune":
            continue
        page = judge_page(truth, reading(*(line.replace("?", "1") for line in truth.lines)))
        assert "-" not in marks(page) + whole(page), truth.name
        assert marks(page).count("+") == page.true_digits


def test_a_page_of_json_truth_is_judged(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(json.dumps({"a.png": {"lines": ["12 3"], "grouping": "unclear"}}))
    (truth,) = load_truth(tmp_path / "truth.json")
    assert whole(judge_page(truth, reading("12 3"))) == ".."
