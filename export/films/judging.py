"""Compares what `watch` tells of films with what stands on their sheets, and measures whether it keeps up with the camera."""

from __future__ import annotations

import bisect
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits import Reader
from edge_digits.errors import CameraError
from edge_digits.live.reading_thread import let_the_loop_go_first
from edge_digits.live.watcher import Look, Watcher, entries
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from export.films.film import FPS, HEIGHT_PX, WIDTH_PX
from export.films.play import PlayedFilm, opener_of
from export.films.simulate import looks_of
from export.films.store import StoredFilm
from export.films.verdict import Told, Verdict, verdict_of

SHORT: Final = ("films", "numbers", "settled_right", "grouped_otherwise", "settled_unsure", "named_events", "wrong_events")
RESTED_S: Final = 0.8
"""The page has come to lie still so long ago, and the hand has gone."""
NO_REOPENING: Final = CameraOptions(WIDTH_PX, HEIGHT_PX, FPS, reopen_tries=0)


@dataclass(slots=True)
class Played:
    """What came of one film. ages_ms : of each frame when it had been followed. latencies_ms : from camera to result, each reading."""

    film: StoredFilm
    told: list[Told] = field(default_factory=list)
    pages: int = 0
    looks: int = 0
    dropped: int = 0
    read: int = 0
    ages_ms: list[float] = field(default_factory=list)
    look_ms: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0


def judge_films(films: list[StoredFilm], jobs: int = 1) -> dict[str, Any]:
    """Play films by their own clock, and sum up what is settled. jobs : processes, each with a reader of its own."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start_worker, (films[:1],)) as pool:
        judged = list(tqdm(pool.map(_judge_in_worker, films), total=len(films), unit="film", file=sys.stderr))
        head = pool.submit(_head_of_worker).result()
    by_clock = [played for played, _ in judged]
    return {
        **head,
        "settling": settling(by_clock),
        "settling_by_kind": {
            kind: {name: value for name, value in settling([p for p in by_clock if p.film.kind == kind]).items() if name in SHORT}
            for kind in sorted({film.kind for film in films})
        },
        "one_reading_at_rest": _sum_of_one_reading([verdict for _, verdicts in judged for verdict in verdicts]),
    }


def judge_speed(films: list[StoredFilm]) -> dict[str, Any]:
    """Play films in real time, and sum up whether the loop keeps up."""
    reader = _warm_reader(films)
    played = [play(film, reader) for film in tqdm(films, unit="film", file=sys.stderr)]
    return {**_head(reader), "keeping_up": keeping_up(played)}


def _head(reader: Reader) -> dict[str, Any]:
    return {"model": {"name": reader.classifier.name, "networks_sha256": list(reader.networks)}, "opencv": cv2.__version__}


_worker: dict[str, Reader] = {}


def _start_worker(films: list[StoredFilm]) -> None:
    cv2.setNumThreads(1)
    _worker["reader"] = _warm_reader(films)


def _judge_in_worker(film: StoredFilm) -> tuple[Played, list[str]]:
    return simulate(film, _worker["reader"]), _one_reading(film, _worker["reader"])


def _head_of_worker() -> dict[str, Any]:
    return _head(_worker["reader"])


def _one_reading(film: StoredFilm, reader: Reader) -> list[str]:
    """What a single reading of the undisturbed page is worth: the verdict on each number it names, without waiting for a second one."""
    frame = int((film.rest_s + RESTED_S) * FPS)
    picture = _picture_at(film, frame)
    numbers = reader.read(picture).numbers if picture is not None else ()
    return [verdict_of(Told("settled", n.text, n.confidence, n.box, frame, 0.0, 0.0, 0), film).kind for n in numbers]


def _sum_of_one_reading(verdicts: list[str]) -> dict[str, int]:
    kinds = Counter(verdicts)
    return {"right": kinds["right"], "grouped_otherwise": kinds["grouped otherwise"], "wrong": kinds["wrong"] + kinds["no number"]}


def _picture_at(film: StoredFilm, frame: int) -> NDArray[np.uint8] | None:
    capture = cv2.VideoCapture(str(film.path), cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
    good, picture = capture.read()
    capture.release()
    return picture if good else None  # type: ignore[return-value]


def _warm_reader(films: list[StoredFilm]) -> Reader:
    """A reader that has read already: the first reading of a process takes longer than all others."""
    reader = Reader(threads=1)
    picture = _picture_at(films[0], int(films[0].leave_s * FPS)) if films else None
    if picture is not None:
        reader.read(picture)
    return reader


def simulate(film: StoredFilm, reader: Reader) -> Played:
    """Watch one film by its own clock."""
    result = Played(film)
    for _, now_s, look in looks_of(film, reader):
        if look.read is None:
            continue
        frame = look.read.number - 1
        for entry in entries(look):
            if entry["event"] == "page":
                result.pages += 1
            else:
                result.told.append(_told(entry, frame, now_s))
    return result


def _told(entry: dict[str, Any], frame: int, at_s: float) -> Told:
    number = entry["number"]
    return Told(entry["event"], number["text"], number["confidence"], tuple(number["box"]), frame, frame / FPS, at_s, number["id"])


def play(film: StoredFilm, reader: Reader) -> Played:
    """Watch one film in real time."""
    let_the_loop_go_first()
    source, watcher, result = PlayedFilm(film), Watcher(reader), Played(film)
    cpu = time.process_time()
    began_s = ended = 0.0
    with Camera("0", NO_REOPENING, opener=opener_of(source), report=lambda _: None) as camera:
        while True:
            try:
                live = camera.next_frame(0.1)
            except CameraError:
                break  # the film is over, as if somebody had pulled the camera
            if live is None:
                continue
            began = time.monotonic()
            look = watcher.look(live)
            now = ended = time.monotonic()
            began_s = began_s or began
            result.look_ms.append(1000 * (now - began))
            result.ages_ms.append(1000 * (now - source.due_s(_frame_of(source, live.time_s))))
            _note(result, source, look, now)
    watcher.close()
    result.seconds, result.cpu_s = ended - began_s, time.process_time() - cpu
    result.looks, result.dropped, result.read = watcher.seen, watcher.dropped, watcher.read
    return result


def _note(result: Played, source: PlayedFilm, look: Look, now: float) -> None:
    if look.read is None:
        return
    frame = _frame_of(source, look.read.time_s)
    result.latencies_ms.append(1000 * (now - source.due_s(frame)))
    for entry in entries(look):
        if entry["event"] != "page":
            result.told.append(_told(entry, frame, now - source.started_s))


def _frame_of(source: PlayedFilm, time_s: float) -> int:
    """Which frame of the film a live frame was: the last one that was handed over before its time."""
    at = bisect.bisect_right(source.taken, (time_s, 10**9)) - 1
    return source.taken[max(0, at)][1]


def settling(played: list[Played]) -> dict[str, Any]:
    """What was told of the numbers, right and wrong."""
    counts = {"numbers": 0, "settled_right": 0, "grouped_otherwise": 0, "settled_unsure": 0, "never_settled": 0}
    kinds: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    to_settle: list[float] = []
    again = digits = digits_right = 0
    for each in played:
        verdicts = [verdict_of(told, each.film) for told in each.told if told.kind in ("settled", "changed")]
        kinds.update(verdict.kind for verdict in verdicts)
        wrong += [_wrong(verdict, each.film) for verdict in verdicts if verdict.kind in ("wrong", "no number")]
        counts["numbers"] += len(each.film.numbers)
        digits += sum(len(number.digits) for number in each.film.numbers)
        digits_right += len({digit for v in verdicts if v.kind in ("right", "grouped otherwise") for digit in v.digits})
        for index in range(len(each.film.numbers)):
            of = [verdict for verdict in verdicts if index in verdict.numbers]
            right = [verdict.told for verdict in of if verdict.kind == "right"]
            to_settle += [right[0].at_s - each.film.rest_s] if right else []
            counts[_outcome(of)] += 1
            again += max(0, sum(told.kind == "settled" for told in right) - 1)
    named = sum(count for kind, count in kinds.items() if kind != "unsure")
    return {
        "films": len(played),
        "frames": sum(len(each.film.poses) for each in played),
        **counts,
        "share_settled_right": round(counts["settled_right"] / max(1, counts["numbers"]), 4),
        "digits": digits,
        "digits_settled_right": digits_right,
        "share_of_digits_settled_right": round(digits_right / max(1, digits), 4),
        "named_events": named,
        "wrong_events": len(wrong),
        "wrong_in_1000_named": round(1000 * len(wrong) / max(1, named), 2),
        "marks_beside_read": kinds["mark beside"],
        "told_again": again,
        "changed_events": sum(told.kind == "changed" for each in played for told in each.told),
        "removed_while_there": sum(t.kind == "removed" and t.film_s < each.film.leave_s for each in played for t in each.told),
        "pages_told": sum(each.pages for each in played),
        "seconds_to_settle": _percentiles(to_settle, 2),
        "wrong": wrong,
    }


def _wrong(verdict: Verdict, film: StoredFilm) -> dict[str, Any]:
    told = verdict.told
    return {
        "film": film.path.name,
        "event": told.kind,
        "text": told.text,
        "truth": verdict.truth,
        "confidence": told.confidence,
        "seconds_since_rest": round(told.film_s - film.rest_s, 2),
        "box": list(told.box),
    }


def keeping_up(played: list[Played]) -> dict[str, Any]:
    """Whether the loop keeps up with a camera, and how long a frame takes from the camera to its result."""
    looks, dropped = sum(each.looks for each in played), sum(each.dropped for each in played)
    seconds = max(1e-9, sum(each.seconds for each in played))
    ages = [age for each in played for age in each.ages_ms]
    return {
        "films": len(played),
        "picture": f"{WIDTH_PX}x{HEIGHT_PX}",
        "cores": len(os.sched_getaffinity(0)),
        "frames_a_second": round(looks / seconds, 2),
        "share_of_frames_followed": round(looks / max(1, looks + dropped), 4),
        "readings_a_second": round(sum(each.read for each in played) / seconds, 2),
        "frame_age_ms": _percentiles(ages, 1),
        "share_of_frames_older_than_two_frame_times": round(float(np.mean([age > 2000 / FPS for age in ages])), 5) if ages else None,
        "follow_ms": _percentiles([ms for each in played for ms in each.look_ms], 1),
        "camera_to_result_ms": _percentiles([ms for each in played for ms in each.latencies_ms], 1),
        "cores_used": round(sum(each.cpu_s for each in played) / seconds, 2),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "real_time_priority": os.sched_getscheduler(0) in (os.SCHED_RR, os.SCHED_FIFO),
    }


def _outcome(of: list[Verdict]) -> str:
    """How it ended for one number of the sheet."""
    kinds = {v.kind for v in of}
    if "right" in kinds:
        return "settled_right"
    if "grouped otherwise" in kinds:
        return "grouped_otherwise"
    return "settled_unsure" if "unsure" in kinds else "never_settled"


def _percentiles(values: list[float], places: int) -> dict[str, float]:
    if not values:
        return {}
    found: NDArray[np.float64] = np.percentile(values, [50, 95, 99])
    return {name: round(float(v), places) for name, v in zip(("p50", "p95", "p99"), found, strict=True)}
