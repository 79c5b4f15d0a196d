"""Cards as tables for a person's eye; the JSON is for everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from edge_digits.recognition.weights import PRECISIONS

ABSENT: Final = "-"


def print_table(rows: Sequence[Sequence[Any]], out: TextIO) -> None:
    """Rows in aligned columns, the first to the left and the others to the right; the first row is the heading."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for row in texts:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip(), file=out)


def _text(cell: Any) -> str:
    if cell is None:
        return ABSENT
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return str(cell)


def print_card(card: Mapping[str, Any], out: TextIO) -> None:
    """A bench card: where it was measured, pages by stage, tiles by precision, cold start, memory."""
    print_head(card, out)
    for page in card["pages"]:
        print(f"\n{page['name']} ({page['origin']}), {page['width']}x{page['height']}, {page['digits']} digits read: ms a page", file=out)
        columns = [(entry, percentile) for entry in page["cases"] for percentile in ("p50", "p95", "p99")]
        heading = ["stage", *(f"{_short(entry)} {percentile}" for entry, percentile in columns)]
        stages = page["cases"][0]["ms"]
        print_table([heading, *([stage, *(e["ms"][stage][p] for e, p in columns)] for stage in stages)], out)
    print("\nclassifier alone", file=out)
    tile_heading = ["precision", "provider", "threads", "batch", "ms p50", "p95", "p99", "us a digit", "digits a s"]
    print_table([tile_heading, *(_tile_row(entry) for entry in card["tiles"])], out)
    cold = card["cold_start"]
    steps = "  ".join(f"{key.removesuffix('_ms')} {cold[key]['p50']:.0f}" for key in cold if key.endswith("_ms"))
    print(f"\ncold start, ms (median of {cold['process_ms']['count']} processes): {steps}", file=out)
    print(f"memory, MiB: {_memory(cold)}", file=out)
    if card["crossover_batch"] is not None:
        print(f"CUDA is faster than int8 on the CPU from {card['crossover_batch']} digits at once", file=out)
    before, after = (_power(card["power"][when]) for when in ("before", "after"))
    if before or after:
        print(f"power: {before or ABSENT} before, {after or ABSENT} after", file=out)


def print_footprint(card: Mapping[str, Any], out: TextIO) -> None:
    """A footprint card: imports beside the libraries' own, the goals, the large page."""
    print_head(card, out)
    heading = ["in a fresh process", "ms p50", "p95", "peak MiB", "with onnxruntime"]
    rows = [
        [entry["statement"], entry["ms"]["p50"], entry["ms"]["p95"], entry["peak_mb"], "yes" if entry["imports_onnxruntime"] else "no"]
        for entry in card["imports"]
    ]
    print(file=out)
    print_table([heading, *rows], out)
    for goal in card["goals"]:
        memory = ABSENT if goal["memory_ratio"] is None else f"{goal['memory_ratio']:.2f}"
        verdict = "met" if goal["met"] else "MISSED"
        print(
            f"{goal['statement']}: {goal['time_ratio']:.2f} times the time (goal {goal['time_goal']:g}), "
            f"{memory} times the memory (goal {goal['memory_goal']:g}): {verdict}",
            file=out,
        )
    page = card["large_page"]
    print(f"\n{page['what']}, {page['digits_found']} digits read, one thread", file=out)
    verdict = ABSENT if page["met"] is None else "met" if page["met"] else "MISSED"
    above = f"above the libraries {_text(page['above_libraries_mb'])} (goal {page['goal_mib']:g}): {verdict}"
    print(f"memory, MiB: {_memory(page)}  {above}", file=out)


def print_head(card: Mapping[str, Any], out: TextIO) -> None:
    """Machine, versions, model and provider, and the networks' files of a card, in four lines."""
    machine, software, provider = card["machine"], card["software"], card["provider"]
    features = " ".join(machine["features"]) or "features unknown"
    print(f"{machine['board'] or machine['cpu'] or machine['architecture']}, {machine['cores_usable']} cores, {features}", file=out)
    print("  ".join(f"{name} {version}" for name, version in software.items()), file=out)
    print(f"model {card['model']['name']}, provider {provider['obtained']} (asked: {provider['asked']})", file=out)
    print(f"files, bytes: {_files(card['model'])}", file=out)


def _files(model: Mapping[str, Any]) -> str:
    """Every network's files and their bytes; those of the classifier go by the model's name."""
    own = {precision: model[precision] for precision in PRECISIONS if precision in model}
    networks = {model["name"]: own, **model["companions"]}
    sizes = {name: [f"{precision} {file['bytes']:,}" for precision, file in files.items()] for name, files in networks.items()}
    return "; ".join(f"{name} {', '.join(texts)}" for name, texts in sizes.items())


def _short(case: Mapping[str, Any]) -> str:
    provider = "" if case["provider"].startswith("CPU") else f" {case['provider'].removesuffix('ExecutionProvider')}"
    return f"{case['precision']}{provider} {case['threads'] or 'auto'} thr"


def _power(facts: Mapping[str, Any]) -> str:
    """Heat and clock, as far as they are told."""
    parts = [f"{name} {degrees:g} degrees Celsius" for name, degrees in facts["temperature_c"].items()]
    parts += [f"{facts['clock_mhz']:.0f} MHz"] if facts["clock_mhz"] else []
    return ", ".join([*parts, *([f"governor {facts['governor']}"] if facts["governor"] else []), *(facts["throttled"] or [])])


def _tile_row(entry: Mapping[str, Any]) -> list[Any]:
    ms = entry["call_ms"]
    provider = entry["provider"].removesuffix("ExecutionProvider")
    return [
        entry["precision"],
        provider,
        entry["threads"],
        entry["batch"],
        ms["p50"],
        ms["p95"],
        ms["p99"],
        entry["us_per_digit"],
        entry["digits_per_second"],
    ]


def _memory(card: Mapping[str, Any]) -> str:
    return "  ".join(f"{key.removesuffix('_mb')} {_text(card[key])}" for key in card if key.endswith("_mb") and not key.startswith("above"))
