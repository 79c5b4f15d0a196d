"""Compares what `watch` tells of films with what stands on their sheets, and measures whether it keeps up with the camera."""

from __future__ import annotations

import bisect
import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits import Reader
from edge_digits.errors import CameraError
from edge_digits.live.watcher import Look, Watcher, entries
from edge_digits.sources.camera import Camera
from edge_digits.sources.video import CameraOptions
from export.films.film import FPS, HEIGHT_PX, WIDTH_PX
from export.films.play import PlayedFilm, opener_of
from export.films.store import StoredFilm

INSIDE: Final = 0.12
"""A digit belongs to a box that its middle lies in, or misses by so much of the box's height."""
MARKS_BESIDE: Final = ("printed", "struck out", "faint digit", "cut digit")
"""Kinds of marks that are digits often, or were: counted apart, for whoever reads them has not made up everything."""
NO_REOPENING: Final = CameraOptions(WIDTH_PX, HEIGHT_PX, FPS, reopen_tries=0)


@dataclass(slots=True)
class Told:
    """One event, as it came. film_s : when its frame was taken. at_s : when it was told, both seconds from the film's beginning."""

    kind: str
    text: str
    confidence: float
    box: tuple[int, int, int, int]
    frame: int
    film_s: float
    at_s: float
    identity: int


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


def judge_films(films: list[StoredFilm], reader: Reader | None = None) -> dict[str, Any]:
    """Play all films and sum up; see README.md of this folder for the fields."""
    reader = reader or Reader(threads=1)
    played = [play(film, reader) for film in tqdm(films, unit="film", file=sys.stderr)]
    return summary(played, {"name": reader.classifier.name, "sha256": reader.classifier.sha256})


def play(film: StoredFilm, reader: Reader) -> Played:
    """Watch one film in real time."""
    source, watcher, result = PlayedFilm(film), Watcher(reader), Played(film)
    cpu = time.process_time()
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
            now = time.monotonic()
            result.look_ms.append(1000 * (now - began))
            result.ages_ms.append(1000 * (now - source.due_s(_frame_of(source, live.time_s))))
            _note(result, source, look, now)
    watcher.close()
    result.seconds, result.cpu_s = time.monotonic() - source.started_s, time.process_time() - cpu
    result.looks, result.dropped, result.read = watcher.seen, watcher.dropped, watcher.read
    return result


def _note(result: Played, source: PlayedFilm, look: Look, now: float) -> None:
    if look.read is None:
        return
    frame = _frame_of(source, look.read.time_s)
    result.latencies_ms.append(1000 * (now - source.due_s(frame)))
    for entry in entries(look):
        if entry["event"] == "page":
            result.pages += 1
            continue
        number = entry["number"]
        result.told.append(
            Told(
                entry["event"],
                number["text"],
                number["confidence"],
                tuple(number["box"]),
                frame,
                frame / FPS,
                now - source.started_s,
                number["id"],
            )
        )


def _frame_of(source: PlayedFilm, time_s: float) -> int:
    """Which frame of the film a live frame was: the last one that was handed over before its time."""
    at = bisect.bisect_right(source.taken, (time_s, 10**9)) - 1
    return source.taken[max(0, at)][1]


@dataclass(slots=True)
class Verdict:
    """What an event said of which numbers of the sheet.

    kind : "right"; "grouped otherwise", digits right; "unsure", with "?"; "wrong"; "no number", nothing stands there; "mark beside",
    no number of the sheet's, but something printed, struck out or faint.
    """

    told: Told
    kind: str
    numbers: tuple[int, ...]
    truth: str


def verdict_of(told: Told, film: StoredFilm) -> Verdict:
    """Compare one settled or changed number with the digits that stand where it is."""
    pose = film.poses[min(told.frame, len(film.poses) - 1)]
    x, y, w, h = told.box
    slack = INSIDE * h
    inside: list[tuple[int, int, int]] = []
    for index, number in enumerate(film.numbers):
        for place, (digit, box) in enumerate(number.digits):
            middle = pose @ np.array([box[0] + box[2] / 2, box[1] + box[3] / 2, 1.0])
            cx, cy = middle[:2] / middle[2]
            if x - slack <= cx <= x + w + slack and y - slack <= cy <= y + h + slack:
                inside.append((index, place, digit))
    owners = tuple(dict.fromkeys(index for index, _, _ in inside))
    truth = "".join(str(digit) for _, _, digit in inside)
    read = "".join(c for c in told.text if c.isdigit() or c == "?")
    if not inside:
        return Verdict(told, "unsure" if "?" in read else _what_else(told, film, pose), (), "")
    if "?" in read:
        return Verdict(told, "unsure", owners, truth)
    if read != truth:
        return Verdict(told, "wrong", owners, truth)
    whole = all(sum(i == owner for i, _, _ in inside) == len(film.numbers[owner].digits) for owner in owners)
    return Verdict(told, "right" if whole and len(owners) == 1 else "grouped otherwise", owners, truth)


def _what_else(told: Told, film: StoredFilm, pose: NDArray[np.float64]) -> str:
    """What was read where no number stands: a digit that is printed, struck out or too faint to count, or no number at all."""
    x, y, w, h = told.box
    for kind, box in film.other_marks:
        middle = pose @ np.array([box[0] + box[2] / 2, box[1] + box[3] / 2, 1.0])
        cx, cy = middle[:2] / middle[2]
        if kind in MARKS_BESIDE and x - w / 2 <= cx <= x + 1.5 * w and y - h / 2 <= cy <= y + 1.5 * h:
            return "mark beside"
    return "no number"


def summary(played: list[Played], model: dict[str, Any]) -> dict[str, Any]:
    """The result file."""
    counts = {"numbers": 0, "settled_right": 0, "grouped_otherwise": 0, "settled_unsure": 0, "never_settled": 0}
    wrong: list[dict[str, Any]] = []
    to_settle: list[float] = []
    beside = named = again = changes = pages = removed_late = 0
    for each in played:
        film = each.film
        verdicts = [verdict_of(told, film) for told in each.told if told.kind in ("settled", "changed")]
        counts["numbers"] += len(film.numbers)
        named += sum(v.kind != "unsure" for v in verdicts)
        for verdict in verdicts:
            beside += verdict.kind == "mark beside"
            if verdict.kind in ("wrong", "no number"):
                told = verdict.told
                wrong.append(
                    {
                        "film": film.path.name,
                        "event": told.kind,
                        "text": told.text,
                        "truth": verdict.truth,
                        "confidence": told.confidence,
                        "at_s": round(told.film_s, 2),
                        "since_rest_s": round(told.film_s - film.rest_s, 2),
                        "box": list(told.box),
                    }
                )
        by_number: dict[int, list[Verdict]] = {}
        for verdict in verdicts:
            for index in verdict.numbers:
                by_number.setdefault(index, []).append(verdict)
        for index in range(len(film.numbers)):
            of = by_number.get(index, [])
            right = [v for v in of if v.kind == "right"]
            if right:
                to_settle.append(right[0].told.at_s - film.rest_s)
            counts[_outcome(of)] += 1
            again += max(0, len([v for v in right if v.told.kind == "settled"]) - 1)
        changes += sum(told.kind == "changed" for told in each.told)
        pages += each.pages
        removed_late += sum(told.kind == "removed" and told.film_s < film.leave_s for told in each.told)
    frames = sum(each.looks for each in played)
    seconds = sum(each.seconds for each in played)
    return {
        "films": len(played),
        "frames_played": sum(len(each.film.poses) for each in played),
        **counts,
        "share_settled_right": round(counts["settled_right"] / max(1, counts["numbers"]), 4),
        "named_events": named,
        "wrong": len(wrong),
        "wrong_in_1000": round(1000 * len(wrong) / max(1, named), 2),
        "marks_beside_read": beside,
        "told_again": again,
        "changed_events": changes,
        "removed_while_there": removed_late,
        "pages_told": pages,
        "seconds_to_settle": _percentiles(to_settle, 2),
        "frames_a_second": round(frames / max(1e-9, seconds), 2),
        "frames_followed_share": round(frames / max(1, frames + sum(each.dropped for each in played)), 4),
        "readings_a_second": round(sum(each.read for each in played) / max(1e-9, seconds), 2),
        "frame_age_ms": _percentiles([v for each in played for v in each.ages_ms], 1),
        "frames_older_than_two_frame_times": round(float(np.mean([v > 2000 / FPS for each in played for v in each.ages_ms])), 5),
        "follow_ms": _percentiles([v for each in played for v in each.look_ms], 1),
        "camera_to_result_ms": _percentiles([v for each in played for v in each.latencies_ms], 1),
        "cores_used": round(sum(each.cpu_s for each in played) / max(1e-9, seconds), 2),
        "load_average": [round(v, 2) for v in os.getloadavg()],
        "opencv": cv2.__version__,
        "model": model,
        "wrong_numbers": wrong,
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
    found: NDArray[np.float64] = np.percentile(values, [50, 95, 99]) if values else np.full(3, np.nan)
    return {name: round(float(v), places) for name, v in zip(("p50", "p95", "p99"), found, strict=True)}
