"""Pictures of what was measured, by matplotlib, which is imported only here and only when something is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from calibration.errors import CalibrationError
from edge_digits.errors import MissingExtraError
from edge_digits.recognition.confidence_curve import Level

DOTS_PER_INCH: Final = 80
SIZE_INCHES: Final = (6.0, 4.0)
INSTALL_COMMAND: Final = 'pip install -c constraints.txt -e ".[headless,workshop]"'


def load_figure_class() -> Any:
    """matplotlib's Figure, drawn without a window. Raises MissingExtraError."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(f"pictures need matplotlib ({error}); run: {INSTALL_COMMAND}, or leave --pictures out") from error
    return Figure


def draw_robustness(path: Path, summary: Mapping[str, Any]) -> None:
    """A bar for each disturbance: mean accuracy over models, its spread, and clean as a line.

    summary : of calibration.robustness. Raises MissingExtraError, CalibrationError.
    """
    figure = load_figure_class()(figsize=SIZE_INCHES, layout="constrained")
    axis = figure.subplots()
    rows, off = summary["mean"]["robustness"], summary["spread"]["robustness"]
    errors = [100.0 - row["accuracy_percent"] for row in rows.values()]
    axis.barh(list(rows), errors, xerr=[off[name]["accuracy_percent"] for name in rows], color="tab:blue")
    axis.axvline(100.0 - summary["mean"]["clean_accuracy_percent"], color="black", linewidth=1, label="clean")
    axis.invert_yaxis()
    axis.set_xlabel("errors on MNIST test digits, %")
    axis.legend()
    save(figure, path)


def draw_reliability(path: Path, confidence: Mapping[str, Any], counted: str = "tiles") -> None:
    """Accuracy over confidence by bins, above the share of tiles in each; a sure model has nearly all in the last.

    confidence : by model, {"reliability": rows of figures.reliability_rows, "ece_percent"}. counted : what the rows count.
    Raises MissingExtraError, CalibrationError.
    """
    figure = load_figure_class()(figsize=SIZE_INCHES, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 100], [0, 100], color="grey", linewidth=1, linestyle="dashed")
    for name, found in confidence.items():
        rows = found["reliability"]
        given = [row["confidence_percent"] for row in rows]
        upper.plot(given, [row["accuracy_percent"] for row in rows], marker="o", label=f"{name}, ECE {found['ece_percent']:.3f} %")
        total = sum(row[counted] for row in rows)
        lower.plot(given, [100.0 * row[counted] / total for row in rows], marker="o")
    upper.set_ylabel("accuracy, %")
    upper.legend()
    lower.set_yscale("log")
    lower.set_ylabel(f"{counted}, %")
    lower.set_xlabel("confidence, %")
    save(figure, path)


def draw_promises(path: Path, levels: Sequence[Level]) -> None:
    """Share of wrong digits among the named over the share named: what was seen, and what may be promised.

    Raises MissingExtraError, CalibrationError.
    """
    figure = load_figure_class()(figsize=SIZE_INCHES, layout="constrained")
    axis = figure.subplots()
    named = [100.0 * level.named for level in levels]
    axis.plot(named, [100.0 * level.wrong for level in levels], label="seen")
    axis.plot(named, [100.0 * level.at_most for level in levels], label="may be promised")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("digits named, % of those found")
    axis.set_ylabel("wrong among the named, %")
    axis.legend()
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    """Write a PNG, its folder made. Raises CalibrationError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DOTS_PER_INCH)
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be written ({error.strerror}); give another folder") from error
