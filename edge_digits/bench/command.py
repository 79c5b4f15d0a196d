"""`edge-digits bench`: how fast this machine reads, as one JSON card on stdout and a table on stderr."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from edge_digits.bench import cards, compare, latency_plot, latency_table, machine, power, tables
from edge_digits.bench.camera_frames import measure_camera
from edge_digits.bench.cold_start import measure_cold_start
from edge_digits.bench.footprint import STATEMENTS, measure_footprint
from edge_digits.bench.pages import BenchPage, Case, default_pages, given_pages, measure_page, page_cases
from edge_digits.bench.tiles import crossover, load_precisions, measure_tiles, model_facts, threads_to_try
from edge_digits.bench.timing import Effort
from edge_digits.errors import ExitCode, InputError, UsageError
from edge_digits.options import PRECISIONS, PROVIDERS, Options, RecognitionOptions
from edge_digits.reader import Reader

FOOTPRINT: Final = "footprint"
COMPARE: Final = "compare"
TABLE: Final = "table"
DEFAULT_BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
QUICK_BATCHES: Final = (1, 8, 64, 256)
MOST_TILES: Final = 65536


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything is measured, and for how long.

    Each Effort's budget_s is for all pages, or all tiles, together.
    """

    pages: Effort
    tiles: Effort
    cold_starts: int
    cold_start_budget_s: float | None = None


QUICK: Final = Plan(pages=Effort(10, 1, 5.0), tiles=Effort(30, 3, 3.0), cold_starts=3, cold_start_budget_s=4.0)
"""Ends within 20 s on a small machine: 12 s of budgets, and the start of every step."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bench`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "bench compare A.json B.json   how many times as long B takes, with its spread; --json\n"
        "bench table CARD.json...      cards as a Markdown table; --plot FILE.svg draws them\n"
        "bench footprint               what importing the package adds to its libraries, and the memory while a\n"
        "                              12-megapixel page is read; takes --model, --repeat and --out"
    )
    parser.add_argument(
        "pictures", nargs="*", metavar="PICTURE", help="pages to read; without any, the sample photograph and three synthetic pages"
    )
    parser.add_argument("--camera", metavar="SOURCE", help="measure this camera, stream or video as well, from capture to numbers")
    parser.add_argument("--model", default="default", metavar="NAME|PATH", help="model to measure (default %(default)s)")
    parser.add_argument("--provider", default="auto", metavar="NAME", help=f"{', '.join(PROVIDERS)} (default %(default)s)")
    parser.add_argument("--precision", default="auto", metavar="NAME", help=f"of the pages: {', '.join(PRECISIONS)}; auto: int8 and float")
    parser.add_argument("--repeat", type=int, default=None, metavar="N", help="timed rounds (default 100; footprint 10)")
    parser.add_argument("--warm-up", type=int, default=5, metavar="N", help="rounds before them, not counted (default %(default)s)")
    parser.add_argument("--threads", type=numbers, default=None, metavar="N,N", help="default: 1, 2, 4 ... up to the cores; --quick: 1")
    parser.add_argument(
        "--batch", type=numbers, default=None, metavar="N,N", help="tiles a call (default 1,2,4,...,256; --quick: 1,8,64,256)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE|DIR", help="write the card there as well; in a folder it is named by the machine")
    parser.add_argument("--quick", action="store_true", help="end within 20 s; rougher figures, --repeat and --warm-up do not count")
    parser.add_argument("--json", action="store_true", help="of compare: print JSON in place of a table")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="of table: draw microseconds a digit against the batch")


def numbers(text: str) -> tuple[int, ...]:
    """The numbers, each 1 or more, of a list like "1,2,4", each once and in rising order."""
    try:
        values = sorted({int(word) for word in text.split(",")})
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers; give for example 1,2,4") from error
    if values[0] < 1 or values[-1] > MOST_TILES:
        raise argparse.ArgumentTypeError(f"'{text}' holds a number out of range; give numbers from 1 to {MOST_TILES}")
    return tuple(values)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Measure, print the table and the card; or compare cards, or put them into a table."""
    word, *rest = arguments.pictures or [""]
    if word == COMPARE:
        return _compare(rest, arguments.json)
    if word == TABLE:
        return _table([Path(name) for name in rest], arguments.plot)
    if arguments.out is not None and not arguments.out.is_dir():
        check_writable(arguments.out)
    options = Options(recognition=RecognitionOptions(arguments.model, arguments.provider, arguments.precision))
    if arguments.pictures == [FOOTPRINT]:
        card, code = _footprint(arguments, options), ExitCode.OK
        tables.print_footprint(card, sys.stderr)
    else:
        card, code = _bench(arguments, options)
        tables.print_card(card, sys.stderr)
    text = json.dumps(card, indent=1, ensure_ascii=False)
    if arguments.out is not None:
        out = arguments.out / cards.file_name(card) if arguments.out.is_dir() else arguments.out
        out.write_text(text + "\n", encoding="utf-8")
        print(f"edge-digits: wrote {out}", file=sys.stderr)
    print(text)
    return code


def _compare(names: Sequence[str], as_json: bool) -> ExitCode:
    if len(names) != 2:
        raise UsageError(f"compare takes two cards, not {len(names)}: edge-digits bench compare A.json B.json")
    found = compare.compare_cards((Path(names[0]), Path(names[1])))
    if as_json:
        print(compare.as_json(found))
    else:
        compare.print_comparison(found)
    return ExitCode.OK


def _table(paths: Sequence[Path], plot: Path | None) -> ExitCode:
    if not paths:
        raise UsageError("table takes one card or more: edge-digits bench table CARD.json...")
    loaded = [cards.load_card(path) for path in paths]
    if plot is not None:
        check_writable(plot, "--plot")
        plot.write_text(latency_plot.svg(loaded), encoding="utf-8")
    print(latency_table.markdown(loaded), end="")
    return ExitCode.OK


def check_writable(path: Path, option: str = "--out") -> None:
    """Fail before the work and not after it. Raises UsageError."""
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({error.strerror}); give a file in a folder that exists") from error


def _bench(arguments: argparse.Namespace, options: Options) -> tuple[dict[str, Any], ExitCode]:
    plan = _plan(arguments)
    threads = arguments.threads or ((1,) if arguments.quick else tuple(threads_to_try()))
    batches = arguments.batch or (QUICK_BATCHES if arguments.quick else DEFAULT_BATCHES)
    asked = given_pages(arguments.pictures) or default_pages(options.recognition.model)[: 1 if arguments.quick else None]
    card = _head(cards.CARD, cards.CARD_VERSION, arguments, options)
    before, energy_j = power.power_facts(), power.package_energy_j()
    started = perf_counter()
    with progress("measuring", len(asked) + 2 + bool(arguments.camera)) as step:
        measured, code = _measure_pages(asked, options, page_cases(options, threads), plan.pages, step)
        card["pages"] = [entry for _, entry in measured]
        if arguments.camera:
            for count in threads:
                chosen = replace(options, recognition=replace(options.recognition, threads=count))
                card["pages"].append(measure_camera(arguments.camera, chosen, plan.pages))
            step()
        card["tiles"] = measure_tiles(options.recognition, threads, batches, plan.tiles)
        card["crossover_batch"] = crossover(card["tiles"])
        step()
        reader = {"model": arguments.model, "provider": arguments.provider, "precision": arguments.precision}
        card["cold_start"] = measure_cold_start(measured[0][0].source, reader, plan.cold_starts, plan.cold_start_budget_s)
        step()
    after_j = power.package_energy_j()
    used_j = None if energy_j is None or after_j is None or after_j < energy_j else round(after_j - energy_j, 1)
    card["power"] = {"before": before, "after": power.power_facts(), "energy_j": used_j, "elapsed_s": round(perf_counter() - started, 1)}
    card["load_average_after"] = machine.machine_facts()["load_average"]
    return card, code


def _measure_pages(
    pages: Sequence[BenchPage], options: Options, cases: Sequence[Case], effort: Effort, step: Callable[[], Any]
) -> tuple[list[tuple[BenchPage, dict[str, Any]]], ExitCode]:
    """Every page that can be read, while the budget lasts. Raises InputError when none can."""
    started = perf_counter()
    measured: list[tuple[BenchPage, dict[str, Any]]] = []
    failed: list[InputError] = []
    share = effort if effort.budget_s is None else replace(effort, budget_s=effort.budget_s / len(pages))
    for index, page in enumerate(pages):
        if measured and effort.budget_s is not None and perf_counter() - started > effort.budget_s:
            print(f"edge-digits: --quick: the last {len(pages) - index} of {len(pages)} pictures were not measured", file=sys.stderr)
            break
        try:
            measured.append((page, measure_page(page, options, cases, share)))
        except InputError as error:
            failed.append(error)
            if len(pages) > 1:
                print(f"edge-digits: {error}", file=sys.stderr)
        step()
    if not measured:
        raise failed[-1]
    return measured, ExitCode.SOME_INPUTS_FAILED if failed else ExitCode.OK


def _footprint(arguments: argparse.Namespace, options: Options) -> dict[str, Any]:
    rounds = Effort(arguments.repeat if arguments.repeat is not None else 10, 0).rounds
    card = _head(f"edge-digits {FOOTPRINT}", 1, arguments, options)
    with progress("starting processes", 2 * rounds + 1) as step:
        return card | measure_footprint(rounds, arguments.model, step) | {"statements": list(STATEMENTS)}


def _plan(arguments: argparse.Namespace) -> Plan:
    effort = Effort(arguments.repeat if arguments.repeat is not None else 100, arguments.warm_up)
    return QUICK if arguments.quick else Plan(effort, effort, cold_starts=min(effort.rounds, 10))


def _head(kind: str, version: int, arguments: argparse.Namespace, options: Options) -> dict[str, Any]:
    classifiers = load_precisions(options.recognition)
    obtained = Reader(options=options)
    return {
        "card": kind,
        "card_version": version,
        "date": machine.utc_now(),
        "command": _command(arguments),
        "machine": machine.machine_facts(),
        "software": machine.software_facts(),
        "model": model_facts(classifiers),
        "provider": {"asked": arguments.provider, "obtained": obtained.classifier.provider, "precision": obtained.classifier.precision},
        "quick": bool(arguments.quick),
    }


def _command(arguments: argparse.Namespace) -> str:
    """The command that gives this card again, every choice spelled out."""
    words = ["edge-digits", "bench", *arguments.pictures]
    for name in ("camera", "model", "provider", "precision", "repeat", "warm_up", "threads", "batch"):
        value = getattr(arguments, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    return shlex.join([*words, *(["--quick"] if arguments.quick else [])])


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], Any]]:
    """A bar on stderr, shown from two seconds on and only to a person; yields the function that moves it by one."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda: None
        return
    with tqdm(total=total, desc=what, file=sys.stderr, disable=None, delay=2.0, leave=False) as bar:
        yield lambda: bar.update(1)
