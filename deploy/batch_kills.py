"""Does a batch that is killed over and over end with the table of a batch that nobody disturbed? Byte for byte.

    python -m deploy.batch_kills [--kills 50] [--pages 400] [--seed 7]

Draws a pile of sheets, multi-page TIFF files, equal files and damaged ones; reads it once in peace. Then reads it again, and
again and again kills it at a random moment: the whole batch by SIGKILL, as a power cut would; one of its workers; or Ctrl-C.
Each time the same command is given again, until the table is there and as many kills have been made. Writes
deploy/results/batch-kills.json. Exit code 1 when the tables differ or a process is left over.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from edge_digits.bench.machine import machine_facts, software_facts, utc_now

HERE = Path(__file__).resolve().parent
WAYS = ("batch", "worker", "interrupt")


def main() -> int:
    """Run the check; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m deploy.batch_kills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="kills that must hit a batch at work (default %(default)s)")
    parser.add_argument("--pages", type=int, default=400, metavar="N", help="pages of the pile, about (default %(default)s)")
    parser.add_argument("--seed", type=int, default=7, metavar="N")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "batch-kills.json", metavar="FILE.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = check(Path(scratch), arguments.kills, arguments.pages, arguments.seed)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(
        f"{sum(result['kills'].values())} kills over {result['runs']} runs of {result['pages']} pages: "
        f"table {'the same' if result['tables_equal'] else 'DIFFERENT'}, "
        f"{result['processes_left']} processes left"
    )
    return 0 if result["tables_equal"] and not result["processes_left"] else 1


def check(scratch: Path, kills: int, pages: int, seed: int) -> dict[str, Any]:
    """Both batches and their comparison; the record as it is written."""
    chance, pile = random.Random(seed), scratch / "pile"  # noqa: S311 - moments of a test, no secrets
    draw_pile(pile, pages, seed)
    undisturbed = Run(pile, scratch / "undisturbed.csv")
    undisturbed.start()
    undisturbed.process.wait()
    disturbed = Run(pile, scratch / "disturbed.csv")
    made: Counter[str] = Counter()
    runs = 0
    while True:
        disturbed.start()
        runs += 1
        # Moments are told by the journal's growth and not by a clock: however busy the machine is, a kill hits a batch at work.
        for _ in range(100):
            if sum(made.values()) >= kills or not disturbed.until_more(chance.randint(0, max(1, 2 * pages // kills))):
                break
            time.sleep(chance.random() * 0.2)
            way = chance.choice(WAYS)
            made[way] += disturbed.disturb(way, chance)
            if way != "worker":
                break
        code = disturbed.process.wait()
        if disturbed.out.exists() and code in (0, 1):
            if sum(made.values()) >= kills:
                break
            disturbed.out.unlink()
            disturbed.journal.unlink()  # Done before all kills were made: once more from the beginning.
    base = sqlite3.connect(disturbed.journal)
    ((noted,),) = base.execute("SELECT count(*) FROM pages").fetchall()
    base.close()
    return {
        "date": utc_now(),
        "machine": machine_facts(),
        "software": software_facts(),
        "seed": seed,
        "pages": noted,
        "runs": runs,
        "kills": dict(made),
        "tables_equal": disturbed.out.read_bytes() == undisturbed.out.read_bytes(),
        "table_sha256": hashlib.sha256(undisturbed.out.read_bytes()).hexdigest(),
        "processes_left": len(disturbed.left_over()),
    }


class Run:
    """One batch that is started as often as it takes."""

    def __init__(self, pile: Path, out: Path) -> None:
        """pile : folder to read. out : its table."""
        self.pile, self.out, self.journal = pile, out, out.with_name(out.name + ".journal")
        self.process: subprocess.Popen[bytes]
        self._sessions: list[int] = []

    def start(self) -> None:
        """The command, as a program of its own session."""
        command = [sys.executable, "-m", "edge_digits", "batch", self.pile, "--out", self.out, "--workers", "2"]
        self.process = subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
            [str(word) for word in command],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"},
        )
        self._sessions.append(self.process.pid)

    def until_more(self, commits: int) -> bool:
        """Wait until the journal has been written to so often; False when the batch has ended before."""
        seen, grown = self._journal_state(), 0
        while self.process.poll() is None:
            now = self._journal_state()
            grown += now != seen
            seen = now
            if grown >= commits and self.workers():
                return True
            time.sleep(0.01)
        return False

    def disturb(self, way: str, chance: random.Random) -> bool:
        """Kill as told; whether there was something to kill."""
        if self.process.poll() is not None:
            return False
        if way == "interrupt":
            os.killpg(self.process.pid, signal.SIGINT)
            return True
        if way == "batch":
            self.process.kill()
            return True
        workers = self.workers()
        if not workers:
            return False
        try:
            os.kill(chance.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def workers(self) -> list[int]:
        """Processes that this batch has started and that still run."""
        return [pid for pid, parent, _ in _processes() if parent == self.process.pid]

    def left_over(self) -> list[int]:
        """Processes of any start that still run, a moment after the last ended."""
        end = time.monotonic() + 10
        while (found := [pid for pid, _, session in _processes() if session in self._sessions]) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def _journal_state(self) -> tuple[int, ...]:
        log = self.journal.with_name(self.journal.name + "-wal")
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in (self.journal, log))


def draw_pile(folder: Path, pages: int, seed: int) -> None:
    """Sheets with a line of strokes each, documents of ten, copies, and files that are damaged."""
    import cv2
    import numpy as np

    folder.mkdir(parents=True)
    numbers = np.random.default_rng(seed)
    for index in range(pages * 6 // 10):
        sheet = _sheet(numbers)
        (folder / f"sheet{index}.png").write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
        if index % 20 == 0:
            (folder / f"copy of sheet{index}.png").write_bytes((folder / f"sheet{index}.png").read_bytes())
            (folder / f"cut sheet{index}.png").write_bytes((folder / f"sheet{index}.png").read_bytes()[:-200])
    for index in range(pages * 4 // 100):
        coded = cv2.imencodemulti(".tif", [_sheet(numbers) for _ in range(10)])[1].tobytes()
        (folder / f"scan{index}.tif").write_bytes(coded[: len(coded) * 2 // 3] if index == 0 else coded)
    (folder / "empty.jpg").touch()


def _sheet(numbers: Any) -> Any:
    """A small page with digits of a machine's font: what is read of them does not matter, as long as it is the same."""
    import cv2
    import numpy as np

    sheet = np.full((220, 600), 230, np.uint8)
    text = str(int(numbers.integers(10**6)))
    cv2.putText(sheet, text, (40, 140), cv2.FONT_HERSHEY_SIMPLEX, 3.0, 40, 7)
    return np.clip(sheet + numbers.normal(0, 3, sheet.shape), 0, 255).astype(np.uint8)


def _processes() -> list[tuple[int, int, int]]:
    """Process, parent and session of everything that runs here and is no zombie."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session = entry.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if state != "Z":
            found.append((int(entry.parent.name), int(parent), int(session)))
    return found


if __name__ == "__main__":
    sys.exit(main())
