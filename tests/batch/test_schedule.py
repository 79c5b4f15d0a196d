"""Who reads what next, without any process: every page once, whatever workers do."""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st

from edge_digits.batch.schedule import Event, FileDone, FileState, Opened, OpenFile, PageDone, ReadPage, Refused, Schedule, Task

STATE = FileState(1, 2)


def test_files_first_and_then_help_with_the_longest() -> None:
    schedule = Schedule(lambda _: set())
    long, short = Task(0, "long"), Task(1, "short")
    for task in (long, short):
        schedule.add(task)
    assert schedule.next_order("a") == OpenFile(long)
    assert schedule.next_order("a") is None
    assert list(schedule.opened("a", Opened(long, "L", STATE, 9))) == [Opened(long, "L", STATE, 9)]
    assert [schedule.next_order("a") for _ in range(3)] == [ReadPage(1), ReadPage(2), None]
    assert schedule.next_order("b") == OpenFile(short)
    list(schedule.opened("b", Opened(short, "S", STATE, 1)))
    assert [schedule.next_order("b") for _ in range(2)] == [ReadPage(1), None]
    assert [type(event) for event in schedule.answered("b", 1, {}, None)] == [PageDone, FileDone]
    assert schedule.next_order("b") == OpenFile(long, ("L", STATE))
    assert list(schedule.opened("b", Opened(long, "L", STATE, 9))) == []
    assert schedule.next_order("b") == ReadPage(3)
    assert schedule.unfinished == 9


def test_equal_contents_are_read_once_and_both_are_done() -> None:
    schedule = Schedule(lambda _: set())
    one, two = Task(0, "one"), Task(1, "two")
    schedule.add(one)
    schedule.add(two)
    schedule.next_order("a")
    schedule.next_order("b")
    list(schedule.opened("a", Opened(one, "X", STATE, 1)))
    assert list(schedule.opened("b", Opened(two, "X", STATE, 1))) == [Opened(two, "X", STATE, 1)]
    assert schedule.next_order("b") == OpenFile(one, ("X", STATE))  # Nothing else is left, and a page is still in nobody's hands.
    assert schedule.next_order("a") == ReadPage(1)
    assert [event.task for event in schedule.answered("a", 1, {}, None) if isinstance(event, FileDone)] == [one, two]


def test_a_helper_that_finds_the_file_gone_leaves_it_to_who_has_it_open() -> None:
    schedule = Schedule(lambda _: set())
    task, gone = Task(0, "scan"), {"type": "InputNotFoundError", "message": "scan: no such file"}
    schedule.add(task)
    schedule.next_order("a")
    list(schedule.opened("a", Opened(task, "S", STATE, 5)))
    assert [schedule.next_order("a") for _ in range(2)] == [ReadPage(1), ReadPage(2)]
    assert schedule.next_order("b") == OpenFile(task, ("S", STATE))
    assert list(schedule.refused("b", Refused(task, gone))) == []
    assert schedule.next_order("b") is None
    list(schedule.answered("a", 1, {}, None))
    assert schedule.next_order("a") == ReadPage(3)
    assert list(schedule.lost("a", "died")) == []
    assert schedule.next_order("b") == OpenFile(task, ("S", STATE))
    failed = list(schedule.refused("b", Refused(task, gone)))
    assert [event.page for event in failed if isinstance(event, PageDone)] == [2, 3, 4, 5]
    assert isinstance(failed[-1], FileDone)


def test_pages_that_are_known_are_not_asked_for() -> None:
    schedule = Schedule(lambda opened: {1, 2} if opened.task.path == "half" else {1})
    half, whole = Task(0, "half"), Task(1, "whole")
    for task in (half, whole):
        schedule.add(task)
    schedule.next_order("a")
    list(schedule.opened("a", Opened(half, "H", STATE, 3)))
    assert [schedule.next_order("a") for _ in range(2)] == [ReadPage(3), None]
    list(schedule.answered("a", 3, {}, None))
    schedule.next_order("a")
    assert [type(event) for event in schedule.opened("a", Opened(whole, "W", STATE, 1))] == [Opened, FileDone]
    assert schedule.unfinished == 0


FILES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=6)
"""Pages of each file (0: cannot be opened), and its content."""


@given(FILES, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=60))
def test_every_page_is_done_once_though_workers_die(files: list[tuple[int, int]], deaths: list[tuple[int, int]]) -> None:
    told: list[Event] = []

    def known(opened: Opened) -> set[int]:
        return {event.page for event in told if isinstance(event, PageDone) and event.content == opened.digest}

    schedule = Schedule(known)
    contents = [(count, f"{content}-{count}") for count, content in files]
    for index in range(len(files)):
        schedule.add(Task(index, str(index)))
    orders: dict[str, deque[OpenFile | ReadPage]] = {f"worker {index}-0": deque() for index in range(3)}
    fate = deque(deaths)
    for _ in range(2000):
        if not schedule.unfinished:
            break
        for worker in list(orders):
            while (order := schedule.next_order(worker)) is not None:
                orders[worker].append(order)
            if not orders[worker]:
                continue
            assert schedule.is_busy(worker)
            if fate and fate.popleft()[1] < 3:
                told += schedule.lost(worker, "died")
                del orders[worker]
                name, _, life = worker.rpartition("-")
                orders[f"{name}-{int(life) + 1}"] = deque()
                continue
            told += _follow(schedule, worker, orders[worker].popleft(), contents)
    assert schedule.unfinished == 0
    done = Counter(event.task.number for event in told if isinstance(event, FileDone))
    assert done == dict.fromkeys(range(len(files)), 1)
    pages = Counter((event.content, event.page) for event in told if isinstance(event, PageDone))
    opened = {event.digest: event.count for event in told if isinstance(event, Opened)}
    assert pages == {(content, page): 1 for content, count in opened.items() for page in range(1, count + 1)}


def _follow(schedule: Schedule, worker: str, order: OpenFile | ReadPage, contents: list[tuple[int, str]]) -> list[Event]:
    if isinstance(order, ReadPage):
        return list(schedule.answered(worker, order.page, {}, None))
    count, content = contents[order.task.number]
    if not count:
        return list(schedule.refused(worker, Refused(order.task, {"type": "InputError", "message": "no"})))
    return list(schedule.opened(worker, Opened(order.task, content, STATE, count)))
