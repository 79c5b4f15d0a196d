"""Which frames are read, and that following and showing never wait for a reading."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from edge_digits.errors import ModelDamagedError
from edge_digits.live.reading_thread import Job, ReadingThread
from edge_digits.live.watcher import RECHECK_S, Look, Watcher
from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from tests.doubles.films import BOX, FPS, Film, FilmReader
from tests.doubles.pages import number, reading, with_noise

WAIT_S = 60.0


def watch(film: Film, reader: FilmReader | None = None) -> tuple[Watcher, FilmReader, list[Look]]:
    reader = reader or FilmReader(film)
    watcher, looks = Watcher(reader), []
    while (live := film.next_frame(0)) is not None:
        looks.append(watcher.look(live, wait=True))
    watcher.close()
    return watcher, reader, looks


def test_a_settled_page_is_read_again_only_now_and_then() -> None:
    frames = 10 * FPS
    _, reader, looks = watch(Film(frames))
    assert sum(look.page is not None for look in looks) == 1
    until_told = next(i for i, look in enumerate(looks) if look.page is not None) + 1
    assert reader.read <= until_told + (frames / FPS) / RECHECK_S + 1
    assert reader.read >= 5


def test_what_changes_is_read_at_once() -> None:
    _, _, looks = watch(Film(100, ["4072"] * 50 + ["385"]))
    changed = [i for i, look in enumerate(looks) if any(event.kind == "changed" for event in look.events)]
    assert len(changed) == 1
    assert 50 < changed[0] < 50 + FPS


def test_nothing_in_sight_is_nothing_told() -> None:
    watcher, reader, looks = watch(Film(60, [""]))
    assert [look for look in looks if look.events or look.page] == []
    assert watcher.settled == 0
    assert 0 < reader.read < 20


class MovedFilm(Film):
    """The page is pushed to the right by so many pixels with every frame."""

    push_px = 0.0

    def next_frame(self, wait_s: float) -> LiveFrame | None:
        live = super().next_frame(wait_s)
        if live is None:
            return None
        way = np.array([[1, 0, self.push_px * live.number], [0, 1, 0]], np.float32)
        moved = cv2.warpAffine(live.frame.picture, way, (live.frame.width, live.frame.height), borderValue=(225, 225, 225))
        return LiveFrame(Frame.from_array(np.asarray(moved, np.uint8), "film"), live.time_s, live.number)


def test_a_page_in_motion_is_not_read() -> None:
    film = MovedFilm(12)
    film.push_px = 12.0
    _, reader, looks = watch(film)
    assert sum(look.moving for look in looks) >= 10
    assert reader.read <= 2


def test_the_overlay_follows_the_page_between_readings() -> None:
    film = Film(40)
    reader = FilmReader(film)
    watcher = Watcher(reader)
    for _ in range(30):
        live = film.next_frame(0)
        assert live is not None
        watcher.look(live, wait=True)
    before = reader.read
    page = live.frame.picture
    for step in range(1, 5):
        moved = cv2.warpAffine(page, np.array([[1, 0, 9 * step], [0, 1, 0]], np.float32), (480, 240), borderValue=(225, 225, 225))
        look = watcher.look(LiveFrame(Frame.from_array(np.asarray(moved, np.uint8)), (30 + step) / FPS, 30 + step), wait=True)
    assert reader.read == before
    assert look.overlay is not None
    assert look.overlay.reading.numbers[0].box[0] == pytest.approx(BOX[0] + 36, abs=3)


def test_skipped_numbers_are_dropped_frames() -> None:
    film = Film(5)
    watcher = Watcher(FilmReader(film))
    live = film.next_frame(0)
    assert live is not None
    watcher.look(live, wait=True)
    watcher.look(LiveFrame(live.frame, 1.0, 7), wait=True)
    assert (watcher.seen, watcher.dropped) == (2, 5)


# The thread that reads


class SlowReader:
    """Reads when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.begun = threading.Semaphore(0)
        self.fault: Exception | None = None

    def read_frame(self, frame: Frame) -> Reading:
        self.begun.release()
        assert self.let.wait(WAIT_S)
        if self.fault is not None:
            raise self.fault
        return reading([number("4072", BOX)])


def frame(index: int) -> LiveFrame:
    picture = with_noise(np.full((240, 480, 3), 225, np.uint8), index)
    return LiveFrame(Frame.from_array(picture, "film"), index / FPS, index)


def job(index: int) -> Job:
    live = frame(index)
    return Job(live, live.frame.grey(), None, 1.0)


def test_frames_are_followed_while_one_is_read() -> None:
    reader = SlowReader()
    watcher = Watcher(reader)
    looks = [watcher.look(frame(index)) for index in range(1, 20)]
    assert all(look.read is None for look in looks)
    reader.let.set()
    index = 20
    while (look := watcher.look(frame(index))).read is None:
        index += 1
        assert index < 10_000
        threading.Event().wait(0.005)
    assert look.read.number == 1
    watcher.close()


def test_a_fault_of_the_reader_reaches_the_loop() -> None:
    reader = SlowReader()
    reader.fault = ModelDamagedError("m.onnx: is damaged; reinstall it")
    reader.let.set()
    thread = ReadingThread(reader)
    thread.submit(job(1))
    with pytest.raises(ModelDamagedError):
        thread.take(wait=True)
    thread.close()


def test_what_was_abandoned_is_never_told() -> None:
    reader = SlowReader()
    thread = ReadingThread(reader)
    thread.submit(job(1))
    assert reader.begun.acquire(timeout=WAIT_S)
    thread.abandon()
    assert not thread.is_busy
    thread.submit(job(2))
    assert reader.begun.acquire(timeout=WAIT_S)
    thread.abandon()  # one is left behind already: this one stays
    assert thread.is_busy
    reader.let.set()
    done = thread.take(wait=True)
    assert done is not None
    assert done[0].live.number == 2
    thread.close()


def test_closing_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    reader = SlowReader()
    reader.let.set()
    thread = ReadingThread(reader)
    thread.submit(job(1))
    assert thread.take(wait=True) is not None
    thread.close()
    assert set(threading.enumerate()) <= before
    ReadingThread(reader).close()
