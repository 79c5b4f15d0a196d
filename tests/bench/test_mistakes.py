"""Mistakes by cause: small cases by hand, and the same number as the score on any page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.bench.mistakes import CAUSES, align, count_causes, count_confusions, find_mistakes
from edge_digits.bench.scoring import digits_of, edit_distance, score_page
from edge_digits.bench.truth import PageTruth

pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")

texts = st.text("0123?", max_size=7)
lines = st.lists(st.text("012? 3x", max_size=8), max_size=5)


@pytest.mark.parametrize(
    ("truth", "read", "causes"),
    [
        ("123", "123", [None, None, None]),
        ("123", "13", [None, "missing", None]),
        ("13", "123", [None, "extra", None]),
        ("123", "193", [None, "confused", None]),
        ("123", "1?3", [None, "unsure", None]),
        ("1?3", "13", [None, None, None]),
        ("1?3", "1?3", [None, None, None]),
        ("", "12", ["extra", "extra"]),
        ("12", "", ["missing", "missing"]),
        ("", "", []),
        ("", "?", ["extra"]),
    ],
)
def test_causes_of_a_string(truth: str, read: str, causes: list[str | None]) -> None:
    assert [step.cause for step in align(truth, read)] == causes


@given(texts, texts)
def test_steps_spell_both_strings_and_cost_the_distance(truth: str, read: str) -> None:
    steps = align(truth, read, 5)
    assert "".join(step.truth for step in steps) == truth
    assert "".join(step.read for step in steps) == read
    assert sum(step.cause is not None for step in steps) == edit_distance(truth, read, 1.0)
    assert [step.place for step in steps if step.place is not None] == list(range(5, 5 + len(read)))


@given(lines, lines, st.sampled_from(["lines", "table"]), st.sampled_from([None, "12"]))
def test_mistakes_of_a_page_are_its_errors(truth: list[str], read: list[str], layout: str, labels: str | None) -> None:
    page = PageTruth("page.jpg", tuple(truth), layout=layout, label_digits=labels)
    mistakes = find_mistakes(page, read)
    assert sum(mistakes.causes.values()) == score_page(page, read).errors
    # Every digit that was read is told of once, by its place.
    places = sorted(step.place for step in mistakes.steps if step.place is not None)
    characters = digits_of("".join(read))
    assert places == list(range(len(characters)))
    assert all(step.read == characters[step.place] for step in mistakes.steps if step.place is not None)


def test_lines_out_of_order_keep_their_places() -> None:
    mistakes = find_mistakes(PageTruth("p", ("12", "345")), ["3?5", "12"])
    assert [[step.truth for step in row] for row in mistakes.rows] == [["1", "2"], ["3", "4", "5"]]
    assert [[step.place for step in row] for row in mistakes.rows] == [[3, 4], [0, 1, 2]]
    assert mistakes.causes == {"unsure": 1}


def test_extra_rows_come_last() -> None:
    rows = find_mistakes(PageTruth("p", ("11", "22")), ["99999", "11", "22"]).rows
    assert ["".join(step.read for step in row) for row in rows] == ["11", "22", "99999"]


def test_counts_over_pages() -> None:
    pages = [find_mistakes(PageTruth("p", (truth,)), [read]) for truth, read in (("14", "19"), ("47", "9"), ("4", "9"), ("1", "1?"))]
    assert count_causes(pages) == {"missing": 1, "extra": 1, "confused": 3, "unsure": 0}
    assert count_confusions(pages)[0] == ("4", "9", 2)
    assert count_causes([]) == dict.fromkeys(CAUSES, 0)
    assert count_confusions([]) == []
