"""When a number is settled, what is told, and that it is told once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_digits.errors import UsageError
from edge_digits.live.track import Event, VotingOptions
from edge_digits.live.voting import Voting
from edge_digits.reading.reading import Box, Digit, Number, Reading
from tests.doubles.pages import number, reading

PLACE: Box = (100, 100, 80, 40)
SEEN = st.tuples(st.sampled_from(["1", "12", "?", "900"]), st.integers(0, 5), st.integers(0, 5))

STEP_S = 0.11


class Watched(Voting):
    """Shows its readings a ninth of a second apart."""

    def __init__(self, options: VotingOptions | None = None) -> None:
        super().__init__(options)
        self.now_s = 0.0

    def see(self, reading: Reading, *_: object) -> list[Event]:  # type: ignore[override]
        self.now_s += STEP_S
        return super().see(reading, self.now_s)


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.number.number.text) for event in events]


def watch(voting: Voting, texts: list[str | None], place: Box = PLACE) -> list[tuple[str, str]]:
    """Show one number through frames; None is a frame without it."""
    everything: list[tuple[str, str]] = []
    for text in texts:
        everything += told(voting.see(reading([number(text, place)] if text is not None else [])))
    return everything


def test_a_number_settles_once_after_enough_agreeing_frames() -> None:
    voting = Watched()
    assert watch(voting, ["42"] * 3) == []
    assert watch(voting, ["42"]) == [("settled", "42")]
    assert watch(voting, ["42"] * 50) == []


def test_nothing_is_told_of_empty_pages() -> None:
    voting = Watched()
    for _ in range(30):
        assert voting.see(reading()) == []
        assert voting.new_page(reading()) is None


def test_single_misreadings_are_outvoted() -> None:
    voting = Watched()
    assert watch(voting, ["42", "47", "42", "42", "42", "42", "42", "42", "42"]) == [("settled", "42")]
    assert watch(voting, ["47", "42", "41", "42", "42", "47", "42"] * 3) == []


def test_what_never_agrees_never_settles() -> None:
    assert watch(Watched(), ["41", "42", "43"] * 20) == []


def test_what_flickers_without_a_majority_never_settles() -> None:
    assert watch(Watched(), ["8", None, None] * 20) == []


def test_a_moving_number_settles_only_when_it_stands() -> None:
    voting = Watched()
    events = []
    for step in range(20):
        events += voting.see(reading([number("42", (100 + 12 * step, 100, 80, 40))]))
    assert events == []
    assert watch(voting, ["42"] * 4, (100 + 12 * 19, 100, 80, 40)) == [("settled", "42")]


def test_hand_tremor_does_not_count_as_moving() -> None:
    voting, rng = Watched(), np.random.default_rng(3)
    events = []
    for _ in range(10):
        dx, dy = (int(v) for v in rng.integers(-2, 3, 2))
        events += voting.see(reading([number("42", (100 + dx, 100 + dy, 80, 40))]))
    assert told(events) == [("settled", "42")]


def test_a_change_is_told_with_what_was_there() -> None:
    voting = Watched()
    watch(voting, ["12"] * 5)
    events = [event for _ in range(9) for event in voting.see(reading([number("123", (100, 100, 120, 40))]))]
    assert [(event.kind, event.number.number.text, event.was) for event in events] == [("changed", "123", "12")]
    assert events[0].number.identity == 1


def test_a_removed_number_is_told_once_and_a_new_one_is_new() -> None:
    voting = Watched()
    assert watch(voting, ["42"] * 5 + [None] * 9) == [("settled", "42")]
    assert watch(voting, [None] * 20) == [("removed", "42")]
    events = [event for _ in range(4) for event in voting.see(reading([number("42", PLACE)]))]
    assert [event.number.identity for event in events] == [2]


def test_a_number_hidden_for_a_moment_is_not_told_again() -> None:
    assert watch(Watched(), ["42"] * 5 + [None] * 5 + ["42"] * 10) == [("settled", "42")]


def test_a_moved_sheet_is_not_told_again() -> None:
    voting = Watched()
    first = [number("11", (100, 100, 80, 40)), number("22", (100, 200, 80, 40)), number("33", (100, 300, 80, 40))]
    moved = [number("11", (130, 200, 80, 40)), number("22", (130, 300, 80, 40)), number("33", (130, 400, 80, 40))]
    events = [event for page in [first] * 6 + [moved] * 20 for event in voting.see(reading(*[[n] for n in page]))]
    assert told(events) == [("settled", "11"), ("settled", "22"), ("settled", "33")]


def test_the_best_of_the_agreeing_votes_is_told_with_the_confidence_of_all() -> None:
    voting = Watched()
    events = [e for c in (0.97, 0.99, 0.98, 0.98) for e in voting.see(reading([number("7", (100, 100, 20, 40), c)]))]
    assert [(e.number.number.confidence, e.number.votes, e.number.frames) for e in events] == [(pytest.approx(0.98), 4, 4)]
    assert events[0].number.number.digits[0].confidence == pytest.approx(0.98)


def test_an_unsure_number_settles_as_such() -> None:
    voting = Watched()
    half = Number((Digit(4, 0.99, (100, 100, 40, 40)), Digit(None, 0.6, (140, 100, 40, 40))))
    events = [e for _ in range(20) for e in voting.see(reading([half]))]
    assert told(events) == [("settled", "4?")]
    assert events[0].number.to_dict()["value"] is None


def test_numbers_in_equal_places_of_other_sheets_change() -> None:
    assert watch(Watched(), ["42"] * 5 + ["9"] * 9) == [("settled", "42"), ("changed", "9")]


def test_a_number_that_is_never_quite_sure_settles_with_its_weakest_digit_unsure() -> None:
    voting = Watched()
    doubtful = Number((Digit(4, 0.99, (100, 100, 40, 40)), Digit(2, 0.7, (140, 100, 40, 40))))
    events = [e for _ in range(20) for e in voting.see(reading([doubtful]))]
    assert told(events) == [("settled", "4?")]
    better = [e for _ in range(8) for e in voting.see(reading([number("42", PLACE)]))]
    assert [(e.kind, e.number.number.text, e.was) for e in better] == [("changed", "42", "4?")]


def surely_digits(text: str, whole: float) -> Number:
    """A number whose digits are sure, each a little less than the one before; whole : probability that it is right as a number."""
    digits = tuple(Digit(int(c), 0.99 - 0.01 * at, (100 + 40 * at, 100, 40, 40)) for at, c in enumerate(text))
    return Number(digits, probability=whole)


@pytest.mark.parametrize(
    ("text", "whole", "expected"),
    [("5", 0.74, "?"), ("5", 0.85, "5"), ("526", 0.6, "526"), ("526", 0.5, "52?"), ("8", 0.45, None)],
)
def test_sure_digits_that_make_no_sure_number_are_not_all_named(text: str, whole: float, expected: str | None) -> None:
    voting = Watched()
    events = [e for _ in range(30) for e in voting.see(reading([surely_digits(text, whole)]))]
    assert told(events) == ([("settled", expected)] if expected is not None else [])


def test_what_is_hardly_a_number_never_settles() -> None:
    voting = Watched()
    assert [e for _ in range(30) for e in voting.see(reading([number("7", (100, 100, 20, 40), 0.3)]))] == []


def test_a_touched_number_begins_anew() -> None:
    voting = Watched()
    assert watch(voting, ["42"] * 3) == []
    voting.disturb(lambda box: box == PLACE, voting.now_s + STEP_S / 2)
    assert watch(voting, ["42"] * 3) == []
    assert watch(voting, ["42"] * 2) == [("settled", "42")]


def test_a_reading_of_before_the_touch_does_not_count() -> None:
    voting = Watched()
    watch(voting, ["42"] * 3)
    voting.disturb(lambda _: True, voting.now_s + 3 * STEP_S)
    assert watch(voting, ["47"] * 2 + ["42"] * 5) == [("settled", "42")]


def test_a_number_at_the_edge_of_the_picture_may_go_on_beyond_it() -> None:
    assert watch(Watched(), ["42"] * 20, (0, 100, 80, 40)) == []
    assert watch(Watched(), ["42"] * 20, (960 - 80, 100, 80, 40)) == []


def test_a_number_of_which_a_part_is_covered_stays_as_it_was() -> None:
    voting = Watched()
    watch(voting, ["4072"] * 5, (100, 100, 160, 40))
    assert watch(voting, ["40"] * 20, (100, 100, 80, 40)) == []
    assert watch(voting, ["40"] * 20, (100, 100, 80, 40)) == [("changed", "40")]


def test_numbers_follow_a_page_that_moves() -> None:
    voting = Watched()
    watch(voting, ["42"] * 5)
    far = np.array([[1, 0, 300], [0, 1, 200], [0, 0, 1]], np.float64)
    assert Voting.see(voting, reading([number("17", (400, 300, 80, 40))]), voting.now_s + STEP_S, far) == []
    voting.now_s += STEP_S
    assert watch(voting, ["17"] * 6, (400, 300, 80, 40)) == [("changed", "17")]


def test_a_corrected_number_is_not_read_back() -> None:
    voting = Watched()
    watch(voting, ["47"] * 5)
    event = voting.correct(1, 1, 2)
    assert event is not None
    assert (event.kind, event.number.number.text, event.number.number.value, event.was) == ("corrected", "42", "42", "47")
    assert watch(voting, ["47"] * 20) == []
    assert watch(voting, ["42"] * 5) == []
    assert watch(voting, ["99"] * 8) == [("changed", "99")]
    assert voting.correct(1, 2, 0) is None
    assert voting.correct(77, 0, 0) is None


# Pages


def page_texts(voting: Voting, pages: list[list[list[str]]]) -> list[str]:
    """Texts of the pages told while readings of lines of numbers are shown."""
    texts = []
    for page in pages:
        lines = [[number(t, (100 + 150 * j, 100 + 100 * i, 80, 40)) for j, t in enumerate(line)] for i, line in enumerate(page)]
        shown = reading(*lines)
        voting.see(shown)
        settled = voting.new_page(shown)
        if settled is not None:
            texts.append(settled.reading.text)
    return texts


def test_a_page_is_told_once_when_all_has_settled() -> None:
    assert page_texts(Watched(), [[["12", "34"], ["5"]]] * 30) == ["12 34\n5"]


def test_a_page_waits_for_numbers_that_come_late() -> None:
    assert page_texts(Watched(), [[["12"]]] * 3 + [[["12"], ["5"]]] * 20) == ["12\n5"]


def test_a_page_does_not_wait_for_what_never_settles() -> None:
    flicker = [[["12"], [str(i % 9)]] for i in range(60)]
    assert page_texts(Watched(), flicker) == ["12"]


def test_a_turned_page_is_told_anew_and_an_emptied_one_too() -> None:
    pages = [[["12"]]] * 12 + [[]] * 20 + [[["77"]]] * 12
    assert page_texts(Watched(), pages) == ["12", "", "77"]


def test_a_number_missed_in_one_frame_keeps_its_place_in_the_line() -> None:
    voting = Watched()
    one, two, three = (number(t, (x, y, 20, 40)) for t, x, y in (("1", 100, 100), ("2", 200, 102), ("3", 300, 98)))
    below = [number("4", (100, 200, 20, 40))]
    for _ in range(5):
        voting.see(reading([one, two, three], below))
    gap = reading([one, three], below)
    voting.see(gap)
    assert voting.page(gap).reading.text == "1 2 3\n4"
    alone = reading(below)
    voting.see(alone)
    assert voting.page(alone).reading.text == "1 2 3\n4"


def test_a_page_entry_holds_all_of_a_reading_and_the_votes() -> None:
    voting = Watched()
    shown = reading([number("12", PLACE)])
    for _ in range(5):
        voting.see(shown)
    entry = voting.page(shown).to_dict()
    assert {**entry, "lines": None} == {**shown.to_dict(), "lines": None}
    (line,) = entry["lines"]
    plain = shown.to_dict()["lines"][0]
    assert line["box"] == plain["box"]
    assert line["numbers"] == [{"id": 1, **plain["numbers"][0], "confidence": 0.9801, "votes": 5, "frames": 5}]


def test_boxes_follow_the_number() -> None:
    voting = Watched()
    for _ in range(5):
        voting.see(reading([number("12", (100, 100, 80, 40), 0.99)]))
    shown = reading([number("12", (104, 98, 80, 40), 0.7)])
    voting.see(shown)
    assert voting.page(shown).reading.numbers[0].box == (104, 98, 80, 40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(SEEN, max_size=6), max_size=40))
def test_whatever_is_seen_the_events_of_a_number_are_in_order(frames: list[list[tuple[str, int, int]]]) -> None:
    voting = Watched(VotingOptions(agreeing_frames=2, removed_frames=3))
    state: dict[int, str] = {}
    for frame in frames:
        shown = reading(*[[number(text, (100 * x, 60 * y, 25 * len(text), 40))] for text, x, y in dict.fromkeys(frame)])
        for event in voting.see(shown):
            identity, text = event.number.identity, event.number.number.text
            if event.kind == "settled":
                assert identity not in state
                state[identity] = text
            elif event.kind == "changed":
                assert state[identity] == event.was != text
                state[identity] = text
            else:
                assert state.pop(identity) == text
        voting.new_page(shown)
        assert sorted(n.text for n in voting.page(shown).reading.numbers) == sorted(state.values())


@pytest.mark.parametrize(
    "change",
    [{"agreeing_frames": 0}, {"removed_frames": 0}, {"still_share": 0}, {"still_s": -1}, {"certain": 1.5}, {"certain_whole": -0.1}],
)
def test_absurd_options_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        VotingOptions(**change)  # type: ignore[arg-type]
