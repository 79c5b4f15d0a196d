"""The pictures of a run, by matplotlib, which is imported only here and only when something is drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError

PALETTE: Final = 64
DOTS_PER_INCH: Final = 80
PANEL_INCHES: Final = (5.0, 3.6)
INSTALL_COMMAND: Final = 'pip install -c constraints.txt -e ".[headless,workshop]"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes. curves : name -> a value an epoch, the first at `first_x`; log : logarithmic y axis."""

    title: str
    curves: dict[str, list[float]]
    x_label: str
    y_label: str
    log: bool = False
    first_x: int = 1


def draw_curves(path: Path, curves: dict[str, list[float]], *, x_label: str, y_label: str, log: bool = False) -> None:
    """One pair of axes as PNG. Raises MissingExtraError without matplotlib."""
    draw_panels(path, [Panel("", curves, x_label, y_label, log)])


def draw_panels(path: Path, panels: Sequence[Panel], columns: int = 3) -> None:
    """Several pairs of axes side by side as PNG, at most so many in a row. Raises MissingExtraError without matplotlib."""
    plt = load_pyplot()
    across = min(columns, len(panels))
    down = -(-len(panels) // across)
    size = PANEL_INCHES[0] * across, PANEL_INCHES[1] * down
    figure, axes = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
    for axis, panel in zip(axes.flat, panels, strict=False):
        for name, values in panel.curves.items():
            axis.plot(range(panel.first_x, panel.first_x + len(values)), values, label=name, linewidth=1.2)
        axis.set_title(panel.title, fontsize="medium")
        axis.set_xlabel(panel.x_label)
        axis.set_ylabel(panel.y_label)
        if panel.log:
            axis.set_yscale("log")
        axis.grid(visible=True, alpha=0.3)
        if len(panel.curves) > 1:
            axis.legend(fontsize="small")
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    save_figure(plt, figure, path)


def draw_confusion(path: Path, matrix: NDArray[np.int64], title: str) -> None:
    """A confusion matrix as PNG; matrix : int (10, 10), rows true, columns named. Raises MissingExtraError."""
    plt = load_pyplot()
    figure, axis = plt.subplots(figsize=(5.0, 5.0), layout="constrained")
    # The diagonal outshines the mistakes by hundreds to one: the square root shows both.
    axis.imshow(np.sqrt(matrix), cmap="Blues")
    dark = np.sqrt(max(int(matrix.max()), 1)) / 2
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            colour = "white" if np.sqrt(matrix[row, column]) > dark else "black"
            axis.text(column, row, int(matrix[row, column]), ha="center", va="center", fontsize=7, color=colour)
    axis.set_xticks(range(len(matrix)))
    axis.set_yticks(range(len(matrix)))
    axis.set_xlabel("named")
    axis.set_ylabel("written")
    axis.set_title(title, fontsize="medium")
    save_figure(plt, figure, path)


def load_pyplot() -> Any:
    """matplotlib.pyplot without a window. Raises MissingExtraError with the command that installs it."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise MissingExtraError(f"matplotlib cannot be imported ({error}); run: {INSTALL_COMMAND}") from error
    return plt


def save_figure(plt: Any, figure: Any, path: Path) -> None:
    """Write a figure as a small PNG, atomically, and forget it. A palette takes a fifth of the bytes of full colour."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, format="png")
    plt.close(figure)
    partial = path.with_name(f".{path.name}.part")
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(PALETTE).save(partial, format="png", optimize=True)
    partial.replace(path)
