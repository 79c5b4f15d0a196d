"""Which number of a frame is which of those before."""

from __future__ import annotations

from edge_digits.live.matching import match_numbers

HIGH = 40


def at(text: str, x: int, y: int) -> tuple[str, tuple[int, int, int, int]]:
    return text, (x, y, 25 * len(text), HIGH)


def test_numbers_that_stay_are_paired_by_place() -> None:
    known = [at("12", 0, 0), at("34", 200, 0), at("12", 0, 100)]
    seen = [at("12", 2, 101), at("12", 1, 2), at("84", 201, 1)]
    assert sorted(match_numbers(known, seen)) == [(0, 1), (1, 2), (2, 0)]


def test_a_number_that_grew_is_still_the_same() -> None:
    assert match_numbers([at("12", 0, 0)], [at("123", 0, 1)]) == [(0, 0)]


def test_nothing_to_pair() -> None:
    assert match_numbers([], [at("1", 0, 0)]) == []
    assert match_numbers([at("1", 0, 0)], []) == []
    assert match_numbers([at("1", 0, 0)], [at("2", 500, 500)]) == []


def test_a_sheet_moved_by_exactly_one_line_does_not_swap_its_numbers() -> None:
    texts = ["101", "202", "303", "404", "505"]
    known = [at(text, 50, 100 * i) for i, text in enumerate(texts)]
    seen = [at(text, 50, 100 * (i + 1)) for i, text in enumerate(texts)]
    assert sorted(match_numbers(known, seen)) == [(i, i) for i in range(5)]


def test_a_lone_number_that_jumped_is_found_by_its_text() -> None:
    assert match_numbers([at("42", 0, 0), at("7", 300, 0)], [at("42", 600, 400), at("7", 300, 0)]) == [(1, 1), (0, 0)]


def test_of_equal_texts_the_nearest_is_taken() -> None:
    known = [at("5", 0, 0), at("5", 1000, 0)]
    seen = [at("5", 900, 60), at("5", 100, 60)]
    assert sorted(match_numbers(known, seen)) == [(0, 1), (1, 0)]


def test_boxes_without_size_do_no_harm() -> None:
    known = [("1", (10, 10, 0, 0))]
    assert match_numbers(known, [("1", (10, 10, 0, 0))]) == [(0, 0)]
