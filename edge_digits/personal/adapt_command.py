"""`edge-digits adapt`: fits the model to one person's hand, lists what was fitted, takes it back.

Exit codes: 0 written; 1 refused by the guard or no usable samples; 2 wrong usage; 3 model missing or damaged.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edge_digits.arguments import add_model_arguments, model_options
from edge_digits.errors import ExitCode, ModelError, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.personal.own_model import make_own_model
from edge_digits.recognition.adapted import adapted_names, find_adapted, former_versions, remove_adapted, roll_back


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--samples, --name, --list, --remove, --rollback, --format and the model's."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--samples", type=Path, metavar="DIR", help="folder with 0..9/*.png, or with train/ and test/ of them")
    what.add_argument("--list", action="store_true", help="list the adapted models and their figures")
    what.add_argument("--remove", metavar="NAME", help="delete an adapted model; the shipped one is read with again")
    what.add_argument("--rollback", metavar="NAME", help="go back to what that model was before it was last adapted")
    parser.add_argument("--name", help="name of the adapted model, used as `--model NAME` from then on")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed (default %(default)s)")
    add_model_arguments(parser)
    parser.epilog = "Nothing is written when own digits, or those of others, would be read worse: exit code 1, with the figures."


def run(arguments: argparse.Namespace) -> ExitCode:
    """Run the command."""
    if arguments.list:
        return _list(arguments.format)
    if arguments.remove is not None:
        print(f"edge-digits: removed {remove_adapted(arguments.remove)}", file=sys.stderr)
        return ExitCode.OK
    if arguments.rollback is not None:
        path, left = roll_back(arguments.rollback), len(former_versions(arguments.rollback))
        print(f"edge-digits: {path} is what it was before; {left} earlier versions are left", file=sys.stderr)
        return ExitCode.OK
    if arguments.name is None:
        raise UsageError("--samples needs a --name for the adapted model, for example --name me")
    return _adapt(arguments.samples, arguments.name, model_options(arguments), arguments.format)


def _adapt(folder: Path, name: str, options: RecognitionOptions, output: str) -> ExitCode:
    model = make_own_model(folder, name, options)
    for line in model.skipped:
        print(f"edge-digits: skipped {line}", file=sys.stderr)
    print(f"edge-digits: wrote {model.path}, {model.path.stat().st_size} bytes; use it with --model {name}", file=sys.stderr)
    print(json.dumps(model.to_dict()) if output == "json" else model.text())
    return ExitCode.OK


def _list(output: str) -> ExitCode:
    code = ExitCode.OK
    for name in adapted_names():
        try:
            head = find_adapted(name)
        except ModelError as error:
            print(f"edge-digits: {error}", file=sys.stderr)
            code = ExitCode.MODEL
            continue
        if head is None:
            continue
        entry: dict[str, Any] = {"name": name, **head.metadata}
        figures = entry.get("figures", {})
        if output == "json":
            print(json.dumps(entry))
        else:
            own = f"own errors {figures.get('own_errors_before')} -> {figures.get('own_errors_after')} of {figures.get('samples')}"
            print(f"{name}: on {head.base_model}, {entry.get('created')}, {own}")
    return code
