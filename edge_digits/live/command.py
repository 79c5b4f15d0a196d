"""`edge-digits watch`: a camera, stream or recording in, settled numbers out as they come."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Final

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.errors import ExitCode, UsageError
from edge_digits.live.listing import list_cameras
from edge_digits.live.loop import Limits, Watch
from edge_digits.live.saving import make_folder
from edge_digits.live.watcher import Watcher
from edge_digits.live.window import Window, check_screen
from edge_digits.reader import Reader
from edge_digits.sources.address import CameraOptions, parse_address
from edge_digits.sources.camera import Camera

DEFAULT_TIMEOUT_S: Final = 30.0
SOURCE: Final = "camera index, pi (Raspberry Pi camera), device path, video file, folder of frames or URL (default: camera 0)"
SAVE_FOLDER: Final = Path()
"""Where the key `s` saves without --save: the current folder."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `watch`."""
    parser.add_argument("source", nargs="?", default="0", help=SOURCE)
    parser.add_argument("--list", action="store_true", help="try the cameras of this machine, tell what each delivers, and exit")
    parser.add_argument("--no-window", action="store_true", help="no window, only JSON lines on stdout")
    parser.add_argument("--once", action="store_true", help="exit after the first settled page; exit code 4 when none settles in time")
    parser.add_argument("--timeout", type=float, metavar="S", help=f"longest wait of --once, seconds (default {DEFAULT_TIMEOUT_S:g})")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so many seconds (of a recording: of its own time)")
    parser.add_argument("--save", type=Path, metavar="DIR", help="keep each settled page there: picture, drawn picture, JSON")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="picture size asked of a camera (default %(default)s)")
    parser.add_argument("--fps", type=float, default=30.0, help="frames a second asked of a camera (default 30)")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Watch until the source ends, a limit is reached, or the user stops it."""
    options = _camera_options(arguments)
    if arguments.list:
        return list_cameras(options, as_json=getattr(arguments, "format", "text") == "json")
    limits = _limits(arguments)
    address = parse_address(arguments.source)
    if arguments.save is not None:
        make_folder(arguments.save)
    if not arguments.no_window:
        check_screen()
    reader = Reader(options=reader_options(arguments))
    watcher = Watcher(reader)
    window = None if arguments.no_window else Window()
    try:
        with Camera(arguments.source, options) as camera:
            watch = Watch(camera, watcher, limits, sink=_print_line, window=window, save=arguments.save, key_folder=SAVE_FOLDER)
            code = watch.run()
    finally:
        if window is not None:
            window.close()
    counts = f"{watcher.seen} frames, {watcher.dropped} dropped, {watcher.blurred} blurred, {watcher.settled} numbers settled"
    print(f"edge-digits: {address.name}: {counts}", file=sys.stderr)
    return code


def _print_line(entry: dict[str, object]) -> None:
    print(json.dumps(entry, ensure_ascii=False), flush=True)


def _camera_options(arguments: argparse.Namespace) -> CameraOptions:
    size = re.fullmatch(r"([0-9]{1,6})[xX]([0-9]{1,6})", arguments.size)
    if not size:
        raise UsageError(f"--size is '{arguments.size}'; give WIDTHxHEIGHT in pixels, such as 1280x720")
    return CameraOptions(int(size[1]), int(size[2]), arguments.fps)


def _limits(arguments: argparse.Namespace) -> Limits:
    if arguments.timeout is not None and not arguments.once:
        raise UsageError("--timeout goes with --once; use --seconds to end after a time")
    for name, value in (("timeout", arguments.timeout), ("seconds", arguments.seconds)):
        if value is not None and not value > 0:
            raise UsageError(f"--{name} is {value:g}; give seconds above 0")
    wait_s = (DEFAULT_TIMEOUT_S if arguments.timeout is None else arguments.timeout) if arguments.once else None
    return Limits(arguments.once, wait_s, arguments.seconds)
