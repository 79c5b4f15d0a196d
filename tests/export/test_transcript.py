from __future__ import annotations

import pytest

from edge_digits.errors import UsageError
from export.data.transcript import ExpectedLine, pair_lines, parse_transcript


def pairs(read: list[str], labels: str) -> list[tuple[int, int]]:
    return pair_lines(read, parse_transcript(labels))


def test_groups_are_lines() -> None:
    assert parse_transcript(" 0123\n4*  55 ") == [ExpectedLine("0123"), ExpectedLine("4", repeats=True), ExpectedLine("55")]
    assert [line.text for line in parse_transcript("12 4*")] == ["12", "4*"]


@pytest.mark.parametrize(("text", "said"), [("", "empty"), ("  \n", "empty"), ("12a", "'12a'"), ("12*", "12"), ("*", r"\*"), ("٣", "٣")])
def test_what_is_no_transcription(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_transcript(text)


def test_labels_of_a_line() -> None:
    exact, any_number = parse_transcript("407 4*")
    assert exact.labels(3) == [4, 0, 7]
    assert exact.labels(2) is None
    assert any_number.labels(3) == [4, 4, 4]
    assert any_number.labels(0) == []


def test_lines_that_read_as_they_should_are_paired_in_turn() -> None:
    assert pairs(["000", "1111", "22"], "0* 1* 2*") == [(0, 0), (1, 1), (2, 2)]
    assert pairs(["123", "456"], "123 456") == [(0, 0), (1, 1)]


def test_a_line_too_many_and_a_line_too_few_do_not_disturb_the_rest() -> None:
    assert pairs(["88", "123", "456"], "123 456") == [(1, 0), (2, 1)]
    assert pairs(["123", "789"], "123 456 789") == [(0, 0), (1, 2)]


def test_misread_and_unsure_digits_still_pair() -> None:
    assert pairs(["1?3", "?56"], "123 456") == [(0, 0), (1, 1)]
    assert pairs(["??", "99"], "11 99") == [(0, 0), (1, 1)]
    assert pairs(["7177", "999"], "7* 9*") == [(0, 0), (1, 1)]


def test_order_is_kept() -> None:
    assert pairs(["456", "123"], "123 456") in ([(0, 1)], [(1, 0)])


def test_nothing_pairs_with_nothing() -> None:
    assert pairs([], "12 3*") == []
    assert pairs(["999999"], "0*") == []


def test_the_distance_goes_from_same_to_nothing_in_common() -> None:
    line = ExpectedLine("1234")
    assert line.distance("1234") == 0.0
    assert line.distance("123") == line.distance("1235") == 0.25
    assert 0.0 < line.distance("123?") < 0.25
    assert line.distance("9999") == 1.0
    assert line.distance("") == 1.0
