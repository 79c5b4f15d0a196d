"""Where two reproductions disagree: `python -m export.reproduce compare kaggle-cnn vgg16-frozen`.

Each names the run folder of a network whose classes were kept after its first and its last epoch. Every test digit that
the two call differently becomes a picture INDEX_TRUTH_FIRST_SECOND.png, and the first of them a contact sheet.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from edge_digits.errors import ExitCode, UsageError
from export.record import write_record
from export.reproduce.mnist import Mnist
from export.reproduce.recipe import Workbench
from export.reproduce.stages import NAMED, load_compared

RUNS: Final = Path("runs") / "reproduce"
CNN: Final = "kaggle-cnn"
VGG: Final = "vgg16-frozen"
FIGURES_NAME: Final = "compared.json"

SHEET_COLUMNS: Final = 10
SHEET_ROWS: Final = 6
SHEET_SCALE: Final = 2
CAPTION_PX: Final = 16
"""Height of the line below each digit of a contact sheet."""


def main(arguments: list[str]) -> ExitCode:
    """Run the command; errors are reported by the caller."""
    options = _parse(arguments)
    first, second = (find_run(name, options.smoke) for name in (options.first, options.second))
    out = options.out or second
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
    bench = Workbench(out, options.data, torch.device("cpu"), seed=0, smoke=options.smoke, epochs=None, bfloat16=False)
    figures = compare(first, second, load_compared(bench), out)
    write_record(out / FIGURES_NAME, figures)
    bench.tell(f"{out / FIGURES_NAME}: {describe(figures)}")
    return ExitCode.OK


def compare_with(other: str, name: str, bench: Workbench, mnist: Mnist) -> dict[str, Any] | None:
    """The comparison of this run with that of the other recipe beside it; None where there is none yet.

    The convolutional network comes first in the names of the pictures, whichever of the two is run last.
    """
    theirs = bench.out.with_name(bench.out.name.replace(name, other))
    if theirs == bench.out or not (theirs / NAMED.format(1)).is_file():
        bench.tell(f"no run of {other} beside this one; after it: python -m export.reproduce compare {CNN} {VGG}")
        return None
    first, second = (bench.out, theirs) if name == CNN else (theirs, bench.out)
    figures = compare(first, second, mnist, bench.out)
    bench.tell(f"compared with {other}: {describe(figures)}")
    return figures


def compare(first: Path, second: Path, mnist: Mnist, out: Path) -> dict[str, Any]:
    """Figures of every number of epochs that both runs were looked at, and the pictures of their disagreements.

    first, second : run folders. Writes out/disagreements_after_N/INDEX_TRUTH_FIRST_SECOND.png and, of the first ones,
    out/disagreements_after_N.png. Raises UsageError when the runs do not fit together.
    """
    looks = [set(_looks(run)) for run in (first, second)]
    both = sorted(looks[0] & looks[1])
    if not both:
        raise UsageError(f"{first}, {second}: no number of epochs after which both were looked at; run both with the same --epochs")
    return {f"after_{epochs}": _compare_look(first, second, epochs, mnist, out) for epochs in both}


def describe(figures: dict[str, Any]) -> str:
    """The figures in a line."""
    parts = [
        f"{look.replace('_', ' ')}: {each['errors'][0]} and {each['errors'][1]} errors, {each['disagreements']} disagreements"
        for look, each in figures.items()
    ]
    return "; ".join(parts)


def find_run(name: str, smoke: bool) -> Path:
    """The run folder of a recipe's name, or the folder given itself. Raises UsageError when it holds no such run."""
    folder = Path(name) if Path(name).is_dir() else RUNS / (f"{name}-smoke" if smoke else name)
    if not _looks(folder):
        raise UsageError(f"{folder}: holds no classes of test digits; run `python -m export.reproduce {name}` first, or give its folder")
    return folder


def contact_sheet(images: NDArray[np.uint8], captions: list[str]) -> NDArray[np.uint8]:
    """At most 60 digits with a line below each.

    images : uint8 (n, 28, 28), ink 255. Returns uint8 (h, w), digits as they are, captions black on white.
    """
    count = min(len(images), SHEET_COLUMNS * SHEET_ROWS)
    side = images.shape[1] * SHEET_SCALE
    sheet = np.full((-(-max(count, 1) // SHEET_COLUMNS) * (side + CAPTION_PX), SHEET_COLUMNS * (side + 2)), 255, np.uint8)
    for index in range(count):
        row, column = divmod(index, SHEET_COLUMNS)
        y, x = row * (side + CAPTION_PX), column * (side + 2)
        sheet[y : y + side, x : x + side] = np.kron(images[index], np.ones((SHEET_SCALE, SHEET_SCALE), np.uint8))
        cv2.putText(sheet, captions[index], (x + 2, y + side + CAPTION_PX - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 0, 1, cv2.LINE_AA)
    return sheet


def _compare_look(first: Path, second: Path, epochs: int, mnist: Mnist, out: Path) -> dict[str, Any]:
    named = [_load_named(run, epochs, len(mnist.test_labels)) for run in (first, second)]
    truth = mnist.test_labels
    differ = np.flatnonzero(named[0] != named[1])
    folder = out / f"disagreements_after_{epochs}"
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.png"):
        stale.unlink()
    for index in differ:
        write_png(folder / f"{index}_{truth[index]}_{named[0][index]}_{named[1][index]}.png", mnist.test_images[index])
    captions = [f"{truth[index]}:{named[0][index]}/{named[1][index]}" for index in differ]
    write_png(out / f"{folder.name}.png", contact_sheet(mnist.test_images[differ], captions))
    right = [classes == truth for classes in named]
    return {
        "n": len(truth),
        "errors": [int((~each).sum()) for each in right],
        "disagreements": len(differ),
        "only_first_right": int((right[0] & ~right[1]).sum()),
        "only_second_right": int((right[1] & ~right[0]).sum()),
        "both_wrong_differently": int((~right[0] & ~right[1])[differ].sum()),
        "both_wrong_alike": int((~right[0] & (named[0] == named[1])).sum()),
    }


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """A grey picture uint8 (h, w) as PNG. Raises UsageError when it cannot be written."""
    try:
        path.write_bytes(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def _looks(run: Path) -> list[int]:
    """Numbers of epochs after which the classes of a run were kept."""
    found = [path.stem.rpartition("_")[2] for path in run.glob(NAMED.format("*"))]
    return sorted(int(epochs) for epochs in found if epochs.isdecimal())


def _load_named(run: Path, epochs: int, count: int) -> NDArray[np.uint8]:
    path = run / NAMED.format(epochs)
    try:
        named: NDArray[np.uint8] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); run the reproduction again") from error
    if named.shape != (count,):
        raise UsageError(f"{path}: holds {named.size} classes for {count} test digits; compare a real run with a real one")
    return named


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.reproduce compare", description="Show where two reproductions disagree.")
    parser.add_argument("first", nargs="?", default=CNN, metavar="FIRST", help="name or run folder (default: %(default)s)")
    parser.add_argument("second", nargs="?", default=VGG, metavar="SECOND", help="name or run folder (default: %(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the pictures go (default: the second run folder)")
    parser.add_argument("--smoke", action="store_true", help="the runs are smoke runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
