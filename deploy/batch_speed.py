"""How fast is a batch, what does its journal cost, and how much memory does it take? Measured on real and rendered pages.

    python -m deploy.batch_speed PAGE... [--count 2000] [--workers 1 2] [--engines local ray]

PAGE : pictures, or folders of them. They are copied into a temporary folder until there are --count files, each copy with
bytes of its own behind the picture's end, since a batch reads equal files once. Then, in turns so that a busy machine is
busy for all: one process that reads the pages one after the other with a plain Reader, and batches with so many workers.
Processor time is that of the pages: what a batch of one page and one worker takes is taken off first, once a worker.
Writes deploy/results/batch-speed.json: pages a minute by wall clock, and processor seconds a page, which other programs on
the machine disturb less, and the parent's part of them (of local workers only: those of a cluster are not this process's
children); the journal's share of all processor time; peak memory of the parent and of its largest worker.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from edge_digits.batch.batch import Batch, Job, Tally
from edge_digits.batch.inputs import find_inputs
from edge_digits.batch.journal import Journal
from edge_digits.batch.options import BatchOptions
from edge_digits.batch.table import Table
from edge_digits.batch.worker import FilePages
from edge_digits.bench.machine import machine_facts, software_facts, utc_now
from edge_digits.options import Options
from edge_digits.reader import Reader

HERE = Path(__file__).resolve().parent
TIMED = ("add_file", "add_content", "add_page", "pages_done", "is_done", "forget")


def main() -> int:
    """Run the measurement; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m deploy.batch_speed", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="pictures and folders of them")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="files of the pile (default %(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, os.cpu_count() or 1], metavar="N", help="numbers of workers to try")
    parser.add_argument("--engines", nargs="+", default=["local"], metavar="NAME", help="local, ray (default local)")
    parser.add_argument("--repeats", type=int, default=8, metavar="N", help="turns, each over its share of the pile (default %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "batch-speed.json", metavar="FILE.json")
    parser.add_argument("--child", nargs=3, metavar="JOB", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        print(json.dumps(measure(*arguments.child)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        result: dict[str, Any] = {"runs": []}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        for result in compare(arguments, Path(scratch)):
            arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for row in result["runs"]:
        print(f"{row['how']:12} {row['pages_a_minute']:8.0f} pages a minute, {row.get('cpu_ms_a_page', 0.0):7.1f} ms of processor a page")
    return 0


def compare(arguments: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Any]]:
    """All ways in turns, each turn over another share of the pile; after each turn the record of all so far."""
    kinds = ["reader", *(f"{engine} {count}" for engine in arguments.engines for count in arguments.workers)]
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    files, equal = find_inputs(arguments.pages), True
    for turn in range(arguments.repeats):
        folder = scratch / str(turn)
        size = fill(folder, files, arguments.count // arguments.repeats, turn)
        tables = set()
        for kind in kinds:
            print(f"turn {turn + 1} of {arguments.repeats}: {kind} ...", file=sys.stderr)
            row = run_child(kind, folder, scratch / f"{turn} {kind}")
            tables.add(row.pop("table_sha256", None))
            found[kind].append(row)
        equal = equal and len(tables - {None}) == 1
        shutil.rmtree(folder)
        yield {
            "date": utc_now(),
            "machine": machine_facts(),
            "software": software_facts(),
            "pages": sum(row["pages"] for row in found["reader"]),
            "different_pictures": len(files),
            "mean_file_kb": round(size / 1000, 1),
            "turns": turn + 1,
            "tables_equal": equal,
            "runs": [{"how": kind, **middle(rows)} for kind, rows in found.items()],
            "by_turn": found,
        }


def middle(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of every figure over the turns."""
    return {key: round(median(row[key] for row in rows), 5) for key in rows[0] if key != "pages"}


def fill(folder: Path, files: list[Path], count: int, turn: int) -> float:
    """Copies of the pictures, no two alike; their mean size in bytes."""
    folder.mkdir()
    size = 0
    for index in range(count):
        source = files[(turn * count + index) % len(files)]
        size += (folder / f"{index:05d}{source.suffix}").write_bytes(source.read_bytes() + f" copy {turn} {index}".encode())
    return size / count


def run_child(kind: str, folder: Path, out: Path) -> dict[str, Any]:
    """One way over one folder, in a process of its own, so that each has its own peak of memory."""
    out.mkdir()
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [sys.executable, "-m", "deploy.batch_speed", "--child", kind, str(folder), str(out)],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(kind: str, folder: str, out: str) -> dict[str, Any]:
    """What one way takes over one folder."""
    files = find_inputs([folder])
    if kind == "reader":
        return read_alone(files)
    engine, _, workers = kind.partition(" ")
    batch_options = BatchOptions(int(workers), engine=engine)  # type: ignore[arg-type]
    read(Job(files[:1], None, Options(), BatchOptions(1, engine=engine), FilePages), Path(out) / "first.jsonl")  # type: ignore[arg-type]
    own_start, start = processor_s()
    noted, table = TimedCalls(Journal, TIMED), Path(out) / "t.jsonl"
    tally = read(Job(files, None, Options(), batch_options, FilePages), table)
    own, others = (now - before for now, before in zip(processor_s(), (own_start, start), strict=True))
    cpu_s = own + max(0.0, others - int(workers) * start)
    size = sum(path.stat().st_size for path in Path(out).glob("t.jsonl.journal*"))
    result = {
        "pages": tally.read_pages,
        "pages_a_minute": 60 * tally.read_pages / tally.seconds,
        "parent_cpu_ms_a_page": 1000 * own / tally.read_pages,
        "table_sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
    }
    if engine != "local":
        return result
    return result | {
        "cpu_ms_a_page": 1000 * cpu_s / tally.read_pages,
        "journal_cpu_share": noted.cpu_s / cpu_s,
        "journal_wall_share": noted.wall_s / tally.seconds,
        "journal_bytes_a_page": size / tally.read_pages,
        "parent_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "worker_peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000,
    }


def read(job: Job, table: Path) -> Tally:
    """One batch, its journal beside its table."""
    with Journal(table.with_name(table.name + ".journal")) as journal:
        batch = Batch(job, journal)
        with batch:
            batch.run()
        Table(table, "jsonl").write(journal, batch.listed(), batch.tally)
    return batch.tally


def processor_s() -> tuple[float, float]:
    """Seconds of processor that this process has taken, and that its children took that have ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


def read_alone(files: list[Path]) -> dict[str, Any]:
    """One process, one thread, no batch: the rate to which workers are held."""
    import cv2

    cv2.setNumThreads(1)
    reader = Reader(threads=1)
    list(reader.pages(files[0]))
    started, before = time.monotonic(), time.process_time()
    pages = sum(1 for _ in all_pages(reader, files))
    took, cpu_s = time.monotonic() - started, time.process_time() - before
    return {"pages": pages, "pages_a_minute": 60 * pages / took, "cpu_ms_a_page": 1000 * cpu_s / pages}


def all_pages(reader: Reader, files: list[Path]) -> Iterator[Any]:
    """Every page of every file."""
    for file in files:
        with closing(reader.pages(file)) as pages:
            yield from pages


class TimedCalls:
    """Adds up what some methods of a class take. wall_s, cpu_s : so far."""

    def __init__(self, owner: type, names: tuple[str, ...]) -> None:
        """Replace the methods by timed ones."""
        self.wall_s = self.cpu_s = 0.0
        self._inside = False
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if self._inside:
                return method(*arguments, **options)
            self._inside = True
            wall, cpu = time.monotonic(), time.thread_time()
            try:
                return method(*arguments, **options)
            finally:
                self._inside = False
                self.wall_s += time.monotonic() - wall
                self.cpu_s += time.thread_time() - cpu

        return call


if __name__ == "__main__":
    sys.exit(main())
