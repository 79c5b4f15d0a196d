"""Does `edge-digits watch` hold out? Two of them watch cameras that stall, vanish and return, and are measured from outside.

    python -m deploy.long_run

One reads an HTTP stream, one a fake `rpicam-vid`; the faults are those of faulty_cameras.py, in turn, with fair weather
in between. Memory, threads, handles and children of the processes are read from /proc. Then each is ended by SIGTERM,
and after that again and again, out of fair weather and out of faults. Writes deploy/results/long-run.json and .png.

Exit code 1 when a process ended by itself, an exit took more than a second or lost a line, a wrong number settled, or, once every
fault was played twice, threads, handles, children or memory have grown since the faults were played first.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any, Final

import cv2
import numpy as np
from tqdm import tqdm

from deploy.faulty_cameras import FAULTS, FaultyStream, Player, make_program
from edge_digits.bench.machine import machine_facts, software_facts
from edge_digits.errors import ExitCode
from tests.doubles.pages import draw_page, with_noise

RESULT: Final = Path(__file__).parent / "results" / "long-run.json"
SHEETS: Final = {"a": "4072", "b": "385"}
SIZE: Final = (240, 320)
EXPOSURES: Final = 12
CALM_S: Final = 4.0
"""After a fault; samples are compared from here on, since an opening holds more handles for a moment."""
EXIT_S: Final = 1.0
SETTLE_S: Final = 120.0
MOST_GROWTH: Final = {"resident_kb": 8192, "threads": 1, "handles": 1, "children": 0}
"""From the first calm weather after every fault to the last: a leak of one a fault makes dozens; the allocator keeps a few megabytes."""
COUNTS: Final = re.compile(r": (\d+) frames, (\d+) dropped, ")
"""What `watch` says at its end."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process. frames : that had arrived. calm : fair weather for CALM_S."""

    frames: int
    resident_kb: int
    threads: int
    handles: int
    children: int
    calm: bool


class Watched:
    """One `edge-digits watch` on one faulty camera. folder : of its pictures, output and state."""

    def __init__(self, name: str, source: str, folder: Path, path: str) -> None:
        self.name, self.source, self._folder, self._path = name, source, folder, path
        self.samples: list[Sample] = []
        self.warm_from = 0
        self._fair_since = monotonic()
        self.start()

    def start(self, nice: int = 0) -> None:
        """Start the process. nice : added to its niceness."""
        self.set_state("fair")
        command = [
            *(("nice", "-n", str(nice)) if nice else ()),
            sys.executable,
            "-m",
            "edge_digits",
            "watch",
            self.source,
            "--no-window",
            "--threads",
            "1",
        ]
        self.output, self.words = self._folder / "out.jsonl", self._folder / "words.txt"
        with self.output.open("wb") as out, self.words.open("wb") as err:
            environment = {**os.environ, "PATH": self._path}
            # In a session of its own: Ctrl-C is for the run, which then still ends the process and writes what it has seen.
            self.child = subprocess.Popen(command, stdout=out, stderr=err, env=environment, start_new_session=True)  # noqa: S603

    def set_state(self, state: str) -> None:
        """Make the camera misbehave, or not."""
        (self._folder / "state.new").write_text(state, encoding="ascii")
        (self._folder / "state.new").replace(self._folder / "state")
        self._fair_since = monotonic() if state == "fair" else float("inf")

    def entries(self) -> list[dict[str, Any]]:
        """What it has written. Raises ValueError for a line that is no whole JSON object."""
        return [json.loads(line) for line in self.output.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]

    def frames(self) -> int:
        """Number of the last frame of which anything was written."""
        with self.output.open("rb") as file:
            start = max(0, self.output.stat().st_size - 20_000)
            file.seek(start)
            lines = file.read().split(b"\n")[1 if start else 0 : -1]  # whole ones only
        return int(json.loads(lines[-1])["frame"]) if lines else 0

    def look(self) -> None:
        """Take a sample."""
        process = Path("/proc") / str(self.child.pid)
        if self.child.poll() is not None:
            return
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="ascii").splitlines())
        children = sum(len((task / "children").read_text(encoding="ascii").split()) for task in (process / "task").iterdir())
        handles = sum(1 for _ in (process / "fd").iterdir())
        if "VmRSS" not in status:  # it ended this very moment
            return
        calm = monotonic() - self._fair_since > CALM_S
        resident = int(status["VmRSS"].split()[0])
        self.samples.append(Sample(self.frames(), resident, int(status["Threads"]), handles, children, calm))

    def await_settled(self) -> None:
        """Let it start, until its first number has settled or it has ended; a camera that has never opened is not waited for."""
        until = monotonic() + SETTLE_S
        while not self.frames() and self.child.poll() is None and monotonic() < until:
            sleep(0.1)

    def end(self) -> dict[str, Any]:
        """Send SIGTERM; what came of it."""
        asked = monotonic()
        self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        took = monotonic() - asked
        whole = self.output.read_bytes().endswith(b"\n")
        return {"exit_code": code, "seconds": round(took, 3), "lines": len(self.entries()), "last_line_whole": whole}


def main() -> int:
    """Run it; see the module's text."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        watched = [stack.enter_context(_watch(kind, Path(scratch) / kind, arguments.rate)) for kind in ("stream", "pi")]
        started = monotonic()
        played = dict.fromkeys(arguments.fault or FAULTS, 0)
        played_to_the_end = True
        try:
            _play(watched, arguments, played)
        except KeyboardInterrupt:
            print("long_run: interrupted; what was seen so far is written", file=sys.stderr)
            arguments.no_exits, played_to_the_end = True, False
        seconds = monotonic() - started
        reports = [_report(one, played) for one in watched]
        exits = [] if arguments.no_exits else list(_exits(watched, arguments))
    result = {
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": "python -m deploy.long_run",
        "machine": machine_facts(),
        "load_average": os.getloadavg(),
        "software": software_facts(),
        "seconds": round(seconds),
        "faults": played,
        "frames": sum(report["frames_arrived"] for report in reports),
        "watched": reports,
        "exits": exits,
        "slowest_exit_s": max((entry["seconds"] for entry in [*exits, *(report["exit"] for report in reports)]), default=None),
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _draw(watched, arguments.out.with_suffix(".png"))
    problems = _problems(result)
    for problem in problems:
        print(f"long_run: {problem}", file=sys.stderr)
    if played_to_the_end:
        return 1 if problems else 0
    return ExitCode.INTERRUPTED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.long_run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000, help="of both cameras together (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=240.0, help="end after so long with what there is (default %(default)s)")
    parser.add_argument("--rate", type=float, default=120.0, metavar="FPS", help="of each camera (default %(default)s)")
    parser.add_argument("--fair", type=float, default=9.0, metavar="S", help="time between faults (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="exits out of each state (default %(default)s)")
    parser.add_argument(
        "--exit-nice", type=int, default=0, metavar="N", help="niceness of the processes that are ended; below 0 on a busy machine, as root"
    )
    parser.add_argument("--fault", action="append", choices=FAULTS, help="play this one only; may be given again (default: all in turn)")
    parser.add_argument("--no-exits", action="store_true", help="leave out the exits after the long run")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE.json")
    return parser.parse_args()


@contextmanager
def _watch(kind: str, folder: Path, rate: float) -> Iterator[Watched]:
    """A camera and the process that watches it."""
    folder.mkdir()
    for sheet, text in {**SHEETS, "dark": ""}.items():
        page = draw_page({(60, 80): text} if text else {}, SIZE, 50)
        for number in range(EXPOSURES):
            picture = with_noise(page, number) if text else with_noise(np.full_like(page, 4), number)
            assert cv2.imwrite(str(folder / f"{sheet}-{number}.jpg"), picture)
    (folder / "state").write_text("fair", encoding="ascii")
    with ExitStack() as stack:
        if kind == "stream":
            source, path = stack.enter_context(FaultyStream(Player(folder, rate))).url, os.environ["PATH"]
        else:
            source, path = "pi", f"{make_program(folder, rate)}{os.pathsep}{os.environ['PATH']}"
        watched = Watched(kind, source, folder, path)
        try:
            yield watched
        finally:
            watched.child.kill()
            watched.child.wait()


def _play(watched: list[Watched], arguments: argparse.Namespace, played: dict[str, int]) -> None:
    """Fair weather and faults in turn until enough frames have come. played : how often each fault was; counted on here."""
    names = list(played)
    for one in watched:
        one.await_settled()
    ends = monotonic() + 60 * arguments.minutes
    with tqdm(total=arguments.frames, unit="frame", file=sys.stderr) as bar:
        while True:
            _wait(watched, arguments.fair, bar)
            fault = names[sum(played.values()) % len(names)]
            played[fault] += 1
            for one in watched:
                one.set_state(fault)
            _wait(watched, FAULTS[fault], bar)
            for one in watched:
                one.set_state("fair")
                if sum(played.values()) == len(names):
                    one.warm_from = len(one.samples)
            enough = sum(one.frames() for one in watched) >= arguments.frames
            if enough or monotonic() >= ends or any(one.child.poll() is not None for one in watched):
                break
        _wait(watched, arguments.fair, bar)


def _wait(watched: list[Watched], seconds: float, bar: Any) -> None:
    """Let time go by; look at the processes once a second."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:
        sleep(min(1.0, left))
        for one in watched:
            one.look()
        bar.update(sum(one.frames() for one in watched) - bar.n)


def _report(one: Watched, faults: dict[str, int]) -> dict[str, Any]:
    """End it, and sum up what was seen of it."""
    ended = one.child.poll()
    report = {"exit": one.end()} if ended is None else {"exit": {"exit_code": ended, "seconds": 0.0, "lines": 0, "last_line_whole": False}}
    entries, words = one.entries(), one.words.read_text(encoding="utf-8").splitlines()
    texts = [entry["number"]["text"] for entry in entries if entry["event"] == "settled"]
    warm = [sample for sample in one.samples[one.warm_from :] if sample.calm] if min(faults.values()) else []
    part = max(1, len(warm) // 5)
    slope = 0.0
    if len({sample.frames for sample in warm}) > 2:
        slope = np.polyfit([s.frames for s in warm], [s.resident_kb for s in warm], 1)[0]
    counts = next((match for line in reversed(words) if (match := COUNTS.search(line))), None)
    return {
        "source": one.name,
        "ended_by_itself": ended is not None,
        **report,
        "frames_arrived": int(counts[1]) + int(counts[2]) if counts else one.frames(),
        "frames_followed": int(counts[1]) if counts else None,
        "last_words": words[-1:],
        "opened_again": sum("opening it again" in line for line in words),
        "told": sorted({line.split(": ", 2)[-1].split(";")[0].split(",")[0] for line in words if "opening it again" in line}),
        "settled": len(texts),
        "settled_wrong": [text for text in texts if not any(fnmatch(sheet, text) for sheet in SHEETS.values() if sheet)],
        "first_fifth_once_warm": _medians(warm[:part]),
        "last_fifth": _medians(warm[-part:]),
        "most": {name: max(getattr(s, name) for s in one.samples) for name in ("resident_kb", "threads", "handles", "children")},
        "growth_kb_per_10000_frames": round(10_000 * float(slope), 1),
        "faults_of_each_kind": min(faults.values()),
        "samples": [asdict(sample) for sample in one.samples[:: max(1, len(one.samples) // 100)]],
    }


def _medians(samples: list[Sample]) -> dict[str, float]:
    names = ("resident_kb", "threads", "handles", "children")
    return {name: median(getattr(s, name) for s in samples) for name in names} if samples else {}


def _exits(watched: list[Watched], arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """SIGTERM out of fair weather and out of each fault that lasts, after a number has settled."""
    turns = [(one, state) for one in watched for state in ("fair", "stall", "vanish", "freeze") for _ in range(arguments.repeats)]
    for one, state in tqdm(turns, unit="exit", file=sys.stderr):
        one.start(arguments.exit_nice)
        one.await_settled()
        one.set_state(state)
        sleep(2.0)
        yield {"source": one.name, "out_of": state, "nice": arguments.exit_nice, **one.end()}


def _problems(result: dict[str, Any]) -> list[str]:
    found = [f"{report['source']} ended by itself: {report['last_words']}" for report in result["watched"] if report["ended_by_itself"]]
    found += [f"{report['source']} settled {report['settled_wrong']}" for report in result["watched"] if report["settled_wrong"]]
    for report in (r for r in result["watched"] if r["faults_of_each_kind"] > 1):
        first, last = report["first_fifth_once_warm"], report["last_fifth"]
        grown = [name for name, most in MOST_GROWTH.items() if first and last[name] - first[name] > most]
        found += [f"{report['source']}: {name} grew from {first[name]:g} to {last[name]:g}" for name in grown]
    for entry in [*result["exits"], *(report["exit"] for report in result["watched"])]:
        if entry["seconds"] > EXIT_S or entry["exit_code"] or not entry["lines"] or not entry["last_line_whole"]:
            found.append(f"exit {entry}")
    return found


def _draw(watched: list[Watched], path: Path) -> None:
    """Memory, threads and handles over frames."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(3, 1, figsize=(9, 7), sharex=True, layout="constrained")
    labels = {"resident_kb": ("resident memory, MB", 1 / 1024), "threads": ("threads", 1.0), "handles": ("open handles", 1.0)}
    for axis, (name, (label, unit)) in zip(axes, labels.items(), strict=True):
        for one in watched:
            axis.plot([s.frames for s in one.samples], [getattr(s, name) * unit for s in one.samples], label=one.name, linewidth=1)
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].legend(loc="lower right")
    axes[-1].set_xlabel("frames that arrived")
    figure.suptitle("edge-digits watch on cameras that stall, vanish and return")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
