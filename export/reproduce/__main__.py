"""Runs a reproduction: `python -m export.reproduce NAME --data DIR`; `list` names them, `table` compares them.

A run folder holds `state.json` (what was asked for), a checkpoint a training phase, `record.json` at the end, pictures and
ONNX files. The same command again goes on where an interrupted one stopped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import torch

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from export.optimisation import use_bfloat16
from export.record import RECORD_NAME, describe_commit, describe_machine, write_record
from export.reproduce.recipe import Recipe, Workbench
from export.reproduce.registry import COMMANDS, MODULES, find_recipe
from export.train import choose_device

RUNS: Final = Path("runs") / "reproduce"
RESULTS: Final = Path(__file__).resolve().parent / "results"
STATE_NAME: Final = "state.json"
KEPT_SUFFIXES: Final = (".png", ".md")
PICTURES_BYTES: Final = 150_000
"""What the kept pictures of a recipe should weigh at most: they are read in the repository."""


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given and given[0] in COMMANDS:
            code: ExitCode = import_module(COMMANDS[given[0]]).main(given[1:])
            return code
        options = _parse(given)
        return list_recipes() if options.name == "list" else reproduce(options)
    except EdgeDigitsError as error:
        print(f"export.reproduce: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.reproduce: interrupted; the same command goes on", file=sys.stderr)
        return ExitCode.INTERRUPTED


def list_recipes() -> ExitCode:
    """Print every name with one line."""
    for name in MODULES:
        print(f"{name:16} {find_recipe(name).title}")
    return ExitCode.OK


def reproduce(options: argparse.Namespace) -> ExitCode:
    """Run one recipe as the parsed options say; see main."""
    recipe = find_recipe(options.name)
    bench = _workbench(recipe, options)
    settings = _settings(recipe, bench)
    seconds = _begin(bench, settings)
    record_path = bench.out / RECORD_NAME
    if record_path.is_file():
        bench.tell(f"{record_path}: this run is finished; delete the folder to run it again")
    else:
        began = time.monotonic()
        torch.manual_seed(bench.seed)
        try:
            figures = recipe.run(bench)
        finally:
            seconds += time.monotonic() - began
            write_record(bench.out / STATE_NAME, {"settings": settings, "seconds": seconds})
        write_record(record_path, _record(recipe, bench, settings, figures, seconds))
        bench.tell(f"done: {record_path}, {seconds:.0f} s")
    if options.keep:
        keep(bench.out, RESULTS / recipe.name)
    return ExitCode.OK


def keep(run: Path, place: Path) -> None:
    """Copy the record and what lies beside it as picture or text into the folder of kept results; what was there goes."""
    files = [run / RECORD_NAME, *(path for path in sorted(run.iterdir()) if path.suffix in KEPT_SUFFIXES)]
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, place / path.name)
    size = sum(path.stat().st_size for path in files if path.suffix == ".png")
    print(f"kept in {place}: {len(files)} files, pictures {size / 1000:.0f} kB", file=sys.stderr)
    if size > PICTURES_BYTES:
        print(f"the pictures are over {PICTURES_BYTES / 1000:.0f} kB together", file=sys.stderr)


def _workbench(recipe: Recipe, options: argparse.Namespace) -> Workbench:
    if options.keep and options.smoke:
        raise UsageError("--keep was given with --smoke; only the figures of a real run are kept")
    for name in ("samples", "writers"):
        folder = getattr(options, name)
        if folder is not None and not recipe.takes_samples:
            raise UsageError(f"--{name} was given, but {recipe.name} takes no writer's digits; leave it out")
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; give the folder of the digits by --{name}")
    device = choose_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    out = options.out or RUNS / (f"{recipe.name}-smoke" if options.smoke else recipe.name)
    return Workbench(
        out=out,
        data=options.data,
        device=device,
        seed=options.seed,
        smoke=options.smoke,
        epochs=options.epochs,
        bfloat16=use_bfloat16(options.precision, device),
        samples=None if options.samples is None else options.samples.resolve(),
        writers=None if options.writers is None else options.writers.resolve(),
    )


def _settings(recipe: Recipe, bench: Workbench) -> dict[str, Any]:
    """What a run folder keeps to, as it stands after a way through JSON."""
    asked = {
        "seed": bench.seed,
        "smoke": bench.smoke,
        "epochs": bench.epochs,
        "precision": "bfloat16" if bench.bfloat16 else "float32",
        "device": bench.device.type,
        "samples": None if bench.samples is None else bench.samples.name,
        "writers": None if bench.writers is None else bench.writers.name,
    }
    # A recipe has its own epochs, and may have a setting of any name.
    settings = {"recipe": recipe.name, **{f"--{name}": value for name, value in asked.items()}, **recipe.settings}
    kept: dict[str, Any] = json.loads(json.dumps(settings))
    return kept


def _begin(bench: Workbench, settings: dict[str, Any]) -> float:
    """Open the run folder; returns the seconds that earlier calls took. Raises UsageError for other settings."""
    path = bench.out / STATE_NAME
    try:
        bench.out.mkdir(parents=True, exist_ok=True)
        state = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"settings": settings, "seconds": 0.0}
        before, seconds = state["settings"], float(state["seconds"])
    except OSError as error:
        raise UsageError(f"{bench.out}: cannot be written ({error.strerror}); choose another --out") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); delete the folder or give another --out") from error
    changed = sorted(name for name in before.keys() | settings.keys() if before.get(name) != settings.get(name))
    if changed:
        raise UsageError(f"{bench.out}: was begun with other settings ({', '.join(changed)}); give the same ones or another --out")
    write_record(path, {"settings": settings, "seconds": seconds})
    return seconds


def _record(recipe: Recipe, bench: Workbench, settings: dict[str, Any], figures: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "source": recipe.source,
        "source_figures": recipe.source_figures,
        **describe_commit(),
        "seed": bench.seed,
        "smoke": bench.smoke,
        "epochs": dict(bench.epochs_run),
        "machine": {**describe_machine(bench.device), "threads": torch.get_num_threads()},
        "settings": settings,
        "seconds": round(seconds, 1),
        "figures": figures,
    }


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.reproduce", description="Train a published digit system again and judge it.")
    parser.add_argument("name", metavar="NAME", help=f"list, {', '.join((*COMMANDS, *MODULES))}")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--smoke", action="store_true", help="the whole way on a few hundred digits, to see that it works")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"run folder (default: {RUNS.as_posix()}/NAME)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's own number")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: torch's own choice)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    precisions = ("auto", "float32", "bfloat16")
    parser.add_argument("--precision", choices=precisions, default="auto", help="auto: bfloat16 where the processor has it")
    parser.add_argument("--samples", type=Path, metavar="DIR", help="one writer's digits: train/0..9 and test/0..9, or 0..9")
    parser.add_argument("--writers", type=Path, metavar="DIR", help="a folder with one folder 0..9 a writer")
    parser.add_argument("--keep", action="store_true", help="copy record and pictures to export/reproduce/results")
    options = parser.parse_args(arguments)
    for name, least in (("epochs", 1), ("threads", 0), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name} is {value}; give a number of at least {least}")
    return options


if __name__ == "__main__":
    sys.exit(main())
