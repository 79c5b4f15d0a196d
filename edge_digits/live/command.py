"""`edge-digits watch`: a camera, stream or recording in, settled numbers out as they come."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.errors import ExitCode, UsageError
from edge_digits.live.formats import FORMATS, line_writer
from edge_digits.live.hook import FIELDS, SettledHook, parse_command
from edge_digits.live.listing import list_cameras
from edge_digits.live.loop import SAMPLES_FOLDER, Limits, Watch
from edge_digits.live.mqtt import MqttTeller, parse_broker
from edge_digits.live.outputs import Outputs
from edge_digits.live.reading_thread import let_the_loop_go_first
from edge_digits.live.saving import Keeper, make_folder
from edge_digits.live.track import VotingOptions
from edge_digits.live.watcher import Watcher
from edge_digits.live.window import Window, check_screen
from edge_digits.reader import Reader
from edge_digits.sources.address import CameraOptions, parse_address
from edge_digits.sources.camera import Camera

DEFAULT_TIMEOUT_S: Final = 30.0
SOURCE: Final = "camera index, pi (Raspberry Pi camera), device path, video file, folder of frames or URL (default: camera 0)"
HOOK_TIMEOUT_S: Final = 10.0
END_S: Final = 0.4
"""Longest wait for commands and messages under way when a signal or a key ended it: it shall be gone within a second."""
SAVE_FOLDER: Final = Path()
"""Where the key `s` saves without --save: the current folder."""
CERTAIN_HELP: Final = "digits below this confidence, over all their readings, are '?' (default %(default)s)"
ON_SETTLED_HELP: Final = f"run this for each settled or changed number, without a shell; its arguments may hold {{{'}, {'.join(FIELDS)}}}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `watch`."""
    parser.add_argument("source", nargs="?", default="0", help=SOURCE)
    parser.add_argument("--list", action="store_true", help="try the cameras of this machine, tell what each delivers, and exit")
    parser.add_argument("--no-window", action="store_true", help="no window, only lines on stdout")
    parser.add_argument("--format", choices=FORMATS, help="of what is printed (default json, of --list text)")
    parser.add_argument("--once", action="store_true", help="exit after the first settled page; exit code 4 when none settles in time")
    parser.add_argument("--timeout", type=float, metavar="S", help=f"longest wait of --once, seconds (default {DEFAULT_TIMEOUT_S:g})")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so many seconds (of a recording: of its own time)")
    parser.add_argument("--certain", type=float, default=VotingOptions().certain, metavar="P", help=CERTAIN_HELP)
    parser.add_argument("--save", type=Path, metavar="DIR", help="keep pages there, with drawn picture and JSON, and a crop of each number")
    parser.add_argument("--crops", action="store_true", help="put a PNG of each settled number into its JSON object, base64")
    parser.add_argument("--on-settled", metavar="COMMAND", help=ON_SETTLED_HELP)
    parser.add_argument(
        "--on-settled-timeout", type=float, default=HOOK_TIMEOUT_S, metavar="S", help="end the command after so long (default %(default)s)"
    )
    parser.add_argument("--mqtt", metavar="URL", help="tell a broker, and Home Assistant: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]")
    parser.add_argument(
        "--samples", type=Path, default=SAMPLES_FOLDER, metavar="DIR", help="where digits corrected in the window go (default %(default)s)"
    )
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="picture size asked of a camera (default %(default)s)")
    parser.add_argument("--fps", type=float, default=30.0, help="frames a second asked of a camera (default 30)")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Watch until the source ends, a limit is reached, or the user stops it."""
    options = _camera_options(arguments)
    if arguments.list:
        return list_cameras(options, as_json=arguments.format == "json")
    limits = _limits(arguments)
    voting = VotingOptions(certain=arguments.certain)
    address = parse_address(arguments.source)
    command = None if arguments.on_settled is None else parse_command(arguments.on_settled)
    broker = None if arguments.mqtt is None else parse_broker(arguments.mqtt)
    if arguments.save is not None:
        make_folder(arguments.save)
    if not arguments.no_window:
        check_screen()
    let_the_loop_go_first()
    watcher = Watcher(Reader(options=reader_options(arguments)), voting)
    outputs = Outputs(
        line_writer(arguments.format or "json", whole_pages=arguments.once),
        keeper=None if arguments.save is None else Keeper(arguments.save),
        hook=None if command is None else SettledHook(command, arguments.on_settled_timeout),
        mqtt=None if broker is None else MqttTeller(broker),
        embed_crops=arguments.crops,
    )
    window = None if arguments.no_window else Window()
    wait_s = END_S
    try:
        with Camera(arguments.source, options) as camera:
            watch = Watch(
                camera,
                watcher,
                limits,
                outputs=outputs,
                window=window,
                keeper=Keeper(arguments.save or SAVE_FOLDER),
                samples=arguments.samples,
            )
            code = watch.run()
            wait_s = END_S if watch.was_stopped else arguments.on_settled_timeout
    finally:
        if window is not None:
            window.close()
        outputs.close(wait_s)
        watcher.close()
    counts = f"{watcher.seen} frames, {watcher.dropped} dropped, {watcher.blurred} blurred, {watcher.settled} numbers settled"
    print(f"edge-digits: {address.name}: {counts}", file=sys.stderr)
    return code


def _camera_options(arguments: argparse.Namespace) -> CameraOptions:
    size = re.fullmatch(r"([0-9]{1,6})[xX]([0-9]{1,6})", arguments.size)
    if not size:
        raise UsageError(f"--size is '{arguments.size}'; give WIDTHxHEIGHT in pixels, such as 1280x720")
    return CameraOptions(int(size[1]), int(size[2]), arguments.fps)


def _limits(arguments: argparse.Namespace) -> Limits:
    if arguments.timeout is not None and not arguments.once:
        raise UsageError("--timeout goes with --once; use --seconds to end after a time")
    for name, value in (
        ("timeout", arguments.timeout),
        ("seconds", arguments.seconds),
        ("on-settled-timeout", arguments.on_settled_timeout),
    ):
        if value is not None and not value > 0:
            raise UsageError(f"--{name} is {value:g}; give seconds above 0")
    wait_s = (DEFAULT_TIMEOUT_S if arguments.timeout is None else arguments.timeout) if arguments.once else None
    return Limits(arguments.once, wait_s, arguments.seconds)
