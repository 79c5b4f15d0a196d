"""The figures of many trials of fine-tuning, a line for each base, writer and number of samples; as table and picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from edge_digits.personal.adaptation import LARGEST_RESERVE_DROP
from export.pictures import load_pyplot, save_figure

BASE_SET: Final = "mnist_test"
Line = dict[str, Any]


def summarise(rows: list[dict[str, Any]]) -> list[Line]:
    """A line for each (base, writer, samples a digit): own errors pooled over seeds, errors on hold-outs as mean of all trials.

    own_cut_percent : share of own errors that went away, None where there was none. worse : trials with more own errors than
    before. base_drop_points : accuracy lost on MNIST test, mean and worst trial.
    """
    groups: dict[tuple[str, str, Any], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["base"], row["writer"], row["samples_a_digit"]), []).append(row)
    return [_line(key, group) for key, group in groups.items()]


def _line(key: tuple[str, str, Any], rows: list[dict[str, Any]]) -> Line:
    trials = [trial for row in rows for trial in row["trials"]]
    before, after, unguarded = (sum(trial[name] for trial in trials) for name in ("own_before", "own_after", "own_after_unguarded"))
    base = {name: [trial["held_out_after"][name] - errors for trial in trials] for name, errors in rows[0]["base_before"].items()}
    tiles = rows[0]["base_tiles"]
    tested = sum(trial["tested"] for trial in trials)
    return {
        "base": key[0],
        "writer": key[1],
        "samples_a_digit": key[2],
        "seeds": len(rows),
        "trials": len(trials),
        "refused": sum(bool(trial["refused"]) for trial in trials),
        "tested": tested,
        "own_before": before,
        "own_after": after,
        "own_after_unguarded": unguarded,
        "own_before_percent": round(100.0 * before / max(1, tested), 3),
        "own_after_percent": round(100.0 * after / max(1, tested), 3),
        "own_cut_percent": round(100.0 * (before - after) / before, 1) if before else None,
        "worse": sum(trial["own_after"] > trial["own_before"] for trial in trials),
        "base_drop_points": {
            name: {
                "mean": round(100.0 * sum(more) / len(more) / max(1, tiles[name]), 4),
                "worst": round(100.0 * max(more) / max(1, tiles[name]), 4),
            }
            for name, more in base.items()
        },
    }


def table(lines: list[Line]) -> str:
    """The lines for people, as Markdown."""
    head = "| base | writer | samples a digit | trials (refused) | own errors | cut | worse | MNIST test, points lost: mean (worst) |"
    rows = [head, "|---|---|---|---|---|---|---|---|"]
    for line in lines:
        cut = "-" if line["own_cut_percent"] is None else f"{line['own_cut_percent']:.0f} %"
        drop = line["base_drop_points"].get(BASE_SET)
        lost = "-" if drop is None else f"{drop['mean']:.3f} ({drop['worst']:.2f})"
        own = f"{line['own_before']} -> {line['own_after']} of {line['tested']}"
        rows.append(
            f"| {line['base']} | {line['writer']} | {line['samples_a_digit']} | {line['trials']} ({line['refused']}) "
            f"| {own} | {cut} | {line['worse']} | {lost} |"
        )
    return "\n".join(rows)


def draw_summary(path: Path, lines: list[Line]) -> None:
    """Own errors before and after, and what MNIST test lost, as PNG. Raises MissingExtraError without matplotlib."""
    plt = load_pyplot()
    figure, (own, lost) = plt.subplots(1, 2, figsize=(12.0, 0.32 * len(lines) + 1.6), layout="constrained", sharey=True)
    names = [f"{line['base']}, {line['writer']}, {line['samples_a_digit']}" for line in lines]
    places = range(len(lines))
    own.barh([place - 0.2 for place in places], [line["own_before_percent"] for line in lines], 0.38, label="before", color="tab:grey")
    own.barh([place + 0.2 for place in places], [line["own_after_percent"] for line in lines], 0.38, label="after", color="tab:blue")
    own.set_yticks(places, names, fontsize="small")
    own.invert_yaxis()
    own.set_xlabel("errors on own digits that were not learned, %")
    own.legend(fontsize="small")
    drops = [line["base_drop_points"].get(BASE_SET, {"mean": 0.0, "worst": 0.0}) for line in lines]
    lost.barh(places, [drop["mean"] for drop in drops], 0.5, label="mean", color="tab:blue")
    lost.scatter([drop["worst"] for drop in drops], places, 14, label="worst trial", color="black", zorder=3)
    lost.axvline(LARGEST_RESERVE_DROP, color="tab:red", linewidth=1.0, label="allowed")
    lost.set_xlabel("accuracy lost on MNIST test, points")
    lost.legend(fontsize="small")
    save_figure(plt, figure, path)
