"""Does a long document need more memory than a short one? A PDF and a TIFF of many pages through a batch.

    python -m deploy.batch_long_documents [--pages 900] [--workers 2]

The documents are made in a temporary folder: pages of A9 at 300 dpi, each with its number and its own grain, as JPEG. Each
is read by a batch in a process of its own, first its --few pages, then all of them, so that peaks of memory can be
compared. Needs the extras documents, forms and workshop. Writes deploy/results/batch-long-documents.json.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from deploy.batch_speed import read
from edge_digits.batch.batch import Job
from edge_digits.batch.options import BatchOptions
from edge_digits.batch.worker import FilePages
from edge_digits.bench.machine import machine_facts, software_facts, utc_now
from edge_digits.options import Options

HERE = Path(__file__).resolve().parent
SIZE_PX: Final = (614, 437)
"""A9 at 300 dpi; a batch draws those of the PDF at its default of 200."""
SIZE_POINTS: Final = (147.4, 104.9)


def main() -> int:
    """Run the measurement; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m deploy.batch_long_documents", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=900, metavar="N", help="pages of the long documents (default %(default)s)")
    parser.add_argument("--few", type=int, default=5, metavar="N", help="pages of the short ones (default %(default)s)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="workers of each batch (default %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "batch-long-documents.json", metavar="FILE.json")
    parser.add_argument("--child", nargs=2, metavar="JOB", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        print(json.dumps(measure(Path(arguments.child[0]), int(arguments.child[1]))))
        return 0
    result: dict[str, Any] = {"date": utc_now(), "machine": machine_facts(), "software": software_facts(), "workers": arguments.workers}
    with tempfile.TemporaryDirectory() as scratch:
        for suffix, write in ((".pdf", write_pdf), (".tif", write_tiff)):
            for count in (arguments.few, arguments.pages):
                path = Path(scratch) / f"{count}{suffix}"
                print(f"{path.name}: making it ...", file=sys.stderr)
                write(path, count)
                print(f"{path.name}: reading it ...", file=sys.stderr)
                row = run_child(path, arguments.workers)
                result.setdefault("runs", []).append({"document": suffix[1:], "file_mb": round(path.stat().st_size / 1e6, 1), **row})
                print(result["runs"][-1])
                path.unlink()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def pages(count: int) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Grey pages, uint8 (h, w): light paper with grain, and the page's number in the middle."""
    grain = np.random.default_rng(7)
    width, height = SIZE_PX
    for number in range(1, count + 1):
        page = grain.normal(225, 5, (height, width))
        ink = cv2.putText(np.zeros((height, width), np.uint8), str(number), (200, 260), cv2.FONT_HERSHEY_SIMPLEX, 2.4, (190,), 8)
        yield np.clip(page - ink, 0, 255).astype(np.uint8)


def write_pdf(path: Path, count: int) -> None:
    """A PDF of a JPEG picture a page."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=SIZE_POINTS)
    for page in pages(count):
        canvas.drawImage(ImageReader(io.BytesIO(cv2.imencode(".jpg", page)[1].tobytes())), 0, 0, *SIZE_POINTS)
        canvas.showPage()
    canvas.save()


def write_tiff(path: Path, count: int) -> None:
    """A TIFF of a JPEG compressed picture a page."""
    from PIL import Image

    pictures = (Image.fromarray(page) for page in pages(count))
    next(pictures).save(path, save_all=True, append_images=pictures, compression="jpeg")


def run_child(path: Path, workers: int) -> dict[str, Any]:
    """One batch, in a process of its own, so that each has its own peak of memory."""
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [sys.executable, "-m", "deploy.batch_long_documents", "--child", str(path), str(workers)],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(path: Path, workers: int) -> dict[str, Any]:
    """What a batch over one document takes. Peaks are of resident memory, of the parent and of its largest worker."""
    tally = read(Job([path], None, Options(), BatchOptions(workers), FilePages), path.with_suffix(f"{path.suffix}.jsonl"))
    return {
        "pages": tally.pages,
        "failed": tally.failed,
        "numbers": tally.numbers,
        "parent_peak_mb": round(own_peak_mb(), 1),
        "worker_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1),
        "seconds": round(tally.seconds, 1),
    }


def own_peak_mb() -> float:
    """Most resident memory of this process so far; ru_maxrss begins with that of whoever started it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1000


if __name__ == "__main__":
    sys.exit(main())
