"""Films of sheets before a camera, and how `edge-digits watch` does on them.

    python -m export.films render --data DATA --fonts /usr/share/fonts --out runs/films --count 60 --seed 2
    python -m export.films judge runs/films --jobs 2 --out deploy/results/live.json
    python -m export.films speed runs/films --count 6 --out deploy/results/live_speed.json

What is settled is judged by the films' own clock, whatever else the machine does (simulate.py). Whether the loop keeps up with
a camera is measured in real time, through the Camera of the product: on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from export.films.store import TRUTH_NAME, load_films, make_in_worker, start_worker


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        options.run(options)
    except EdgeDigitsError as error:
        print(f"export.films: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.films: interrupted; films that are finished stay", file=sys.stderr)
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _render(options: argparse.Namespace) -> None:
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{options.out}: cannot be made ({error.strerror}); give another --out") from error
    there = {film.path.name for film in load_films(options.out)} if (options.out / TRUTH_NAME).exists() else set()
    missing = [index for index in range(options.count) if f"{index:04d}.avi" not in there]
    arguments = (options.data, options.fonts, options.split)
    with (
        (options.out / TRUTH_NAME).open("a", encoding="utf-8") as file,
        ProcessPoolExecutor(options.jobs, get_context("spawn"), start_worker, arguments) as pool,
    ):
        made = pool.map(partial(make_in_worker, options.out, options.seed), missing)
        for entry in tqdm(made, total=len(missing), unit="film", file=sys.stderr):
            file.write(json.dumps(entry) + "\n")
            file.flush()


def _judge(options: argparse.Namespace) -> None:
    from export.films.judging import judge_films

    _write(options, judge_films(load_films(options.films)[: options.count or None], options.jobs))


def _speed(options: argparse.Namespace) -> None:
    from export.films.judging import judge_speed

    _write(options, judge_speed(load_films(options.films)[: options.count or None]))


def _write(options: argparse.Namespace, result: dict[str, Any]) -> None:
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    if options.out is None:
        print(text, end="")
        return
    try:
        options.out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{options.out}: cannot be written ({error.strerror}); give another --out") from error


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.films", description="Films of sheets before a camera, and their judge.")
    commands = parser.add_subparsers(required=True, metavar="render|judge|speed")
    render = commands.add_parser("render", help="make films with known truth")
    render.add_argument("--data", type=Path, required=True, metavar="DIR", help="local data folder; mnist/ at least lies in it")
    render.add_argument("--fonts", type=Path, metavar="DIR", help="folder of fonts, handwritten and printed")
    render.add_argument("--split", choices=("train", "validation"), default="validation", help="whose digits (default: %(default)s)")
    render.add_argument("--count", type=int, required=True, metavar="N", help="films in all")
    render.add_argument("--seed", type=int, default=0, metavar="S", help="other films for another seed (default: %(default)s)")
    render.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    render.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the films; finished ones in it are kept")
    render.set_defaults(run=_render)
    for name, run, what in (
        ("judge", _judge, "play films by their own clock, and compare what is settled with the truth"),
        ("speed", _speed, "play films in real time, and measure whether the loop keeps up"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("films", type=Path, help="folder that render made")
        command.add_argument("--count", type=int, default=0, metavar="N", help="the first N films only")
        command.add_argument("--out", type=Path, metavar="FILE", help="JSON file of the result (default: stdout)")
        if name == "judge":
            command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
        command.set_defaults(run=run)
    options = parser.parse_args(arguments)
    for name, least in (("count", 0), ("jobs", 1), ("seed", 0)):
        if getattr(options, name, least) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    return options


if __name__ == "__main__":
    sys.exit(main())
