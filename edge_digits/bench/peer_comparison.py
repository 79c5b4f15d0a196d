"""Another system's figures and times beside ours, from the same pages in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import numpy as np

from edge_digits.bench import scoring, timing
from edge_digits.bench.evaluation import EvaluatedPage
from edge_digits.bench.peers import Peer


def compare(peer: Peer, pages: Sequence[EvaluatedPage]) -> dict[str, Any]:
    """A peer's version, settings, figures and milliseconds, and how many times ours they are.

    times_ours : ratio of the medians and of the means, and the median over pages of the ratio, over the pages that both
    read; None where there is no such page.
    """
    theirs = [page.peers[peer.name] for page in pages]
    both = [
        (t.elapsed_ms, p.elapsed_ms) for t, p in zip(theirs, pages, strict=True) if t.elapsed_ms is not None and p.elapsed_ms is not None
    ]
    times = np.array(both, np.float64).reshape(-1, 2)
    return {
        "version": peer.version,
        "settings": peer.settings,
        "figures": scoring.figures_by_group([(page.truth, t.score) for page, t in zip(pages, theirs, strict=True)]),
        "ms": timing.summarize(times[:, 0].tolist()) if both else None,
        "times_ours": _ratios(times) if both else None,
    }


def _ratios(times: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    """times : float64 (n >= 1, 2), theirs and ours."""
    ratios = {
        "medians": np.median(times[:, 0]) / np.median(times[:, 1]),
        "means": times[:, 0].mean() / times[:, 1].mean(),
        "median_page": np.median(times[:, 0] / times[:, 1]),
    }
    return {name: round(float(value), 2) for name, value in ratios.items()}


def print_times(peers: Mapping[str, Mapping[str, Any]], out: TextIO) -> None:
    """One line a peer."""
    for name, entry in peers.items():
        ms, times = entry["ms"], entry["times_ours"]
        took = f"ms a page: p50 {ms['p50']:.1f}, p95 {ms['p95']:.1f} ({ms['count']} pages)" if ms else "read no page"
        ratio = f"; {times['medians']:.1f} times ours (means {times['means']:.1f}, median page {times['median_page']:.1f})" if times else ""
        print(f"{name} {entry['version']}, {entry['settings']}: {took}{ratio}", file=out)
