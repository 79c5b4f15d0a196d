"""The command line: finds the command, turns errors into one line and an exit code.

Each command is a module with `add_arguments(parser)` and `run(arguments) -> ExitCode`, imported only when it is
called, so that `read` never pays for what `serve` needs. Data goes to stdout, words and progress to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Final

from edge_digits.configuration import apply_configuration, configuration_path, load_configuration
from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError, missing_library

COMMANDS: Final = {
    "read": ("edge_digits.reading.command", "read pictures: photo or scan in, numbers out"),
    "watch": ("edge_digits.live.command", "read a camera, video or stream as it goes"),
    "batch": ("edge_digits.batch.command", "read a folder of scans into a table"),
    "review": ("edge_digits.batch.review_command", "look at the doubtful digits of a table, one key each"),
    "form": ("edge_digits.forms.command", "print the sheet of a template, to be filled in and read by batch --template"),
    "bench": ("edge_digits.bench.command", "measure latency, stage by stage"),
    "collect": ("edge_digits.personal.collect_command", "gather samples of one person's digits"),
    "adapt": ("edge_digits.personal.adapt_command", "fit the model to one person's hand"),
    "evaluate": ("edge_digits.bench.evaluate_command", "score readings against a transcription"),
    "serve": ("edge_digits.web.command", "read pictures in a web page on this machine"),
    "doctor": ("edge_digits.doctor.command", "check this installation"),
    "info": ("edge_digits.recognition.info_command", "list the models and their figures"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. No traceback for a user's mistake.

    argv : without the program's name; None is the program itself, which nothing may hold up at its end.
    """
    code = _run(list(sys.argv[1:] if argv is None else argv))
    if argv is None:
        _end_at_once_if_held_up(code)
    return code


def _run(arguments: list[str]) -> int:
    # OpenCV tells its own side of every damaged file on stderr; ours is one line. Read when it is first imported.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    # How long its V4L2 waits for a picture, seconds; the 10 of its own would hold a dead camera's handle for that long.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
    try:
        return int(_dispatch(arguments))
    except EdgeDigitsError as error:
        print(f"edge-digits: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("edge-digits: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our stdout has gone (`| head`): nothing is wrong, and Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)


def _end_at_once_if_held_up(code: int) -> None:
    """End the process here when a thread hangs in a camera driver or in FFmpeg, for seconds to come.

    Taking Python down under it would have to wait for it, or be aborted by it; so what was said is sent off first.
    """
    capture = sys.modules.get("edge_digits.sources.capture")
    if capture is None or not capture.is_anything_left():
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _dispatch(argv: list[str]) -> ExitCode:
    asked, argv = _asked_configuration(argv)
    name = argv[0] if argv else ""
    if name not in COMMANDS:
        _top_parser().parse_args(argv or ["--help"])
        return ExitCode.USAGE
    path = configuration_path(asked)
    try:
        module = importlib.import_module(COMMANDS[name][0])
    except ImportError as error:
        raise missing_library(error) from error
    parser = argparse.ArgumentParser(prog=f"edge-digits {name}", description=COMMANDS[name][1])
    module.add_arguments(parser)
    parser.set_defaults(configuration=path)
    # A broken file is one of the findings of `doctor`, which must run all the same.
    with suppress(UsageError) if name == "doctor" else nullcontext():
        apply_configuration(parser, name, load_configuration(path, list(COMMANDS)), path)
    code: ExitCode = module.run(parser.parse_args(argv[1:]))
    return code


def _asked_configuration(argv: list[str]) -> tuple[str | None, list[str]]:
    """The file that `--config FILE` or `--config=FILE` before the command names, and the words behind it."""
    option, equals, value = (argv[0] if argv else "").partition("=")
    if option != "--config":
        return None, argv
    if equals:
        return value, argv[1:]
    if len(argv) < 2:
        raise UsageError("--config needs the name of a file")
    return argv[1], argv[2:]


def _top_parser() -> argparse.ArgumentParser:
    from edge_digits import __version__

    listing = "\n".join(f"  {name:10}{text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="edge-digits",
        description="Reads handwritten digits off real paper, on this device.",
        epilog=f"commands:\n{listing}\n\n`edge-digits COMMAND --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="defaults of all options (TOML); else $EDGE_DIGITS_CONFIG, else your own file")
    parser.add_argument("--version", action="version", version=f"edge-digits {__version__}")
    parser.add_argument("command", choices=list(COMMANDS), metavar="COMMAND", help="one of those below")
    return parser


if __name__ == "__main__":
    sys.exit(main())
