"""`edge-digits bench table CARDS...`: cards as one Markdown table, a row a machine, provider and precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from edge_digits.bench.cards import Card, find_case, machine_name, provider_name
from edge_digits.recognition.weights import PRECISIONS

HEADING: Final = (
    "machine",
    "precision",
    "networks",
    "sample page, ms p50 / p95",
    "camera frame",
    "12-megapixel page",
    "us a digit, alone",
    "64 at once",
    "cold start, s",
    "memory, MiB",
)
NOTE: Final = "One thread. {when}."
BATCHES: Final = (1, 64)


def markdown(cards: Sequence[Card]) -> str:
    """The table, and under it when and with what it was measured."""
    rows = [HEADING, ["---"] * len(HEADING), *(row for card in cards for row in _rows(card))]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", NOTE.format(when="; ".join(dict.fromkeys(map(_when, cards)))), ""])


def _rows(card: Card) -> Iterator[list[str]]:
    for precision in PRECISIONS:
        pages = {page["name"]: find_case(page["cases"], precision=precision, threads=1) for page in card["pages"]}
        tiles = [find_case(card["tiles"], precision=precision, threads=1, batch=batch) for batch in BATCHES]
        if not any((*pages.values(), *tiles)):
            continue
        is_default = card["provider"]["precision"] == precision
        cold = card["cold_start"]
        yield [
            machine_name(card) + ("" if provider_name(card) == "CPU" else f", {provider_name(card)}"),
            precision,
            f"{_network_bytes(card, precision) / 1000:.0f} kB",
            *(_page(card, pages, origin, place) for origin, place in (("sample", 0), ("synthetic", 0), ("synthetic", -1))),
            *("" if entry is None else f"{entry['us_per_digit']:.0f}" for entry in tiles),
            f"{cold['process_ms']['p50'] / 1000:.1f}" if is_default else "",
            f"{cold['peak_mb']:.0f}" if is_default and cold["peak_mb"] is not None else "",
        ]


def _page(card: Card, cases: Mapping[str, Mapping[str, Any] | None], origin: str, place: int) -> str:
    names = [page["name"] for page in card["pages"] if page["origin"] == origin]
    case = cases[names[place]] if names else None
    if case is None:
        return ""
    total = case["ms"]["total"]
    return f"{total['p50']:.0f} / {total['p95']:.0f}"


def _network_bytes(card: Card, precision: str) -> int:
    """All networks of a Reader together."""
    files = [card["model"].get(precision, {}), *(kind.get(precision, {}) for kind in card["model"]["companions"].values())]
    return sum(file.get("bytes", 0) for file in files)


def _when(card: Card) -> str:
    software = card["software"]
    runtime = next(f"ONNX Runtime {software[name]}" for name in ("onnxruntime", "onnxruntime-gpu") if name in software)
    opencv = next(f"OpenCV {version}" for name, version in software.items() if name.startswith("opencv"))
    versions = [f"edge_digits {software['edge_digits']}", f"Python {software['python']}", runtime, opencv, f"NumPy {software['numpy']}"]
    return ", ".join([card["date"][:10], *versions]) + _busy(card)


def _busy(card: Card) -> str:
    """Said of a card whose machine had more to do than it has cores."""
    load, cores = card["machine"].get("load_average"), card["machine"]["cores_usable"]
    return (
        f"; the machine was busy besides, load average {load:.0f} on {cores} cores, and faster when it is not"
        if load and load > cores
        else ""
    )
