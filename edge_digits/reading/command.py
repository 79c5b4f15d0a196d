"""`edge-digits read`: pictures in, numbers on stdout."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import cv2

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.errors import ExitCode, InputError, UsageError
from edge_digits.reader import Reader
from edge_digits.reading.draw import annotate
from edge_digits.reading.reading import Reading
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

CSV_COLUMNS: Final = ("source", "page", "line", "number", "text", "value", "confidence", "x", "y", "width", "height", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `read`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="JPEG, PNG, WebP, BMP, TIFF or PDF; - reads one from stdin")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text", help="what to print (default %(default)s)")
    parser.add_argument("--annotate", type=Path, metavar="DIR", help="write each picture there with its digits drawn on")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Read every file; a file that fails is reported and the others still read."""
    pictures = _PictureFolder(arguments.annotate)
    reader = Reader(options=reader_options(arguments))
    sink = _make_sink(arguments.format, several=len(arguments.files) > 1)
    failed = False
    for name in _with_progress(arguments.files):
        try:
            for reading in _read(reader, name, pictures):
                sink.reading(reading)
        except InputError as error:
            failed = True
            sink.error(name, error)
            print(f"edge-digits: {error}", file=sys.stderr)
    return ExitCode.SOME_INPUTS_FAILED if failed else ExitCode.OK


def _read(reader: Reader, name: str, pictures: _PictureFolder) -> Iterator[Reading]:
    source = sys.stdin.buffer.read() if name == "-" else name
    for frame in open_frames(source, reader.options.source):
        reading = reader.read_frame(frame)
        pictures.write(frame, reading)
        yield reading


class _PictureFolder:
    """Where annotated pictures go; nowhere without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._written: set[str] = set()
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--annotate {folder}: cannot be made ({error.strerror}); give a folder you may write to") from error

    def write(self, frame: Frame, reading: Reading) -> None:
        """Draw and write one picture. Sources of the same name in several folders get numbers."""
        if self._folder is None:
            return
        page = f"-page{frame.page}" if frame.page > 1 else ""
        stem, count = Path(frame.source).stem, 1
        while (name := f"{stem}{f'-{count}' if count > 1 else ''}{page}-read.png") in self._written:
            count += 1
        self._written.add(name)
        if not cv2.imwrite(str(self._folder / name), annotate(frame, reading)):
            raise UsageError(f"{self._folder / name}: annotated picture cannot be written; check the folder's permissions and space")


def _with_progress(files: list[str]) -> Iterator[str]:
    """The files, with a bar on stderr when they are many and a person looks on."""
    if len(files) < 8 or not sys.stderr.isatty():
        yield from files
        return
    from tqdm import tqdm

    yield from tqdm(files, unit="page", file=sys.stderr)


class _Sink(Protocol):
    """Where readings and errors go, in one format."""

    def reading(self, reading: Reading) -> None: ...
    def error(self, name: str, error: InputError) -> None: ...


def _make_sink(kind: str, *, several: bool) -> _Sink:
    if kind == "text":
        return _TextSink(several=several)
    return _JsonSink() if kind == "json" else _CsvSink()


class _TextSink:
    def __init__(self, *, several: bool) -> None:
        self._several = several

    def reading(self, reading: Reading) -> None:
        if self._several or reading.page > 1:
            print(f"{reading.source}{f' page {reading.page}' if reading.page > 1 else ''}:")
        if reading.text:
            print(reading.text, flush=True)

    def error(self, name: str, error: InputError) -> None:
        """Text has no place for errors; stderr has said it."""


class _JsonSink:
    def reading(self, reading: Reading) -> None:
        print(json.dumps(reading.to_dict(), ensure_ascii=False), flush=True)

    def error(self, name: str, error: InputError) -> None:
        entry = {"source": name, "error": {"type": type(error).__name__, "message": str(error)}}
        print(json.dumps(entry, ensure_ascii=False), flush=True)


class _CsvSink:
    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(CSV_COLUMNS)

    def reading(self, reading: Reading) -> None:
        for line_index, line in enumerate(reading.lines, 1):
            for index, number in enumerate(line.numbers, 1):
                row = (reading.source, reading.page, line_index, index, number.text, number.value or "", f"{number.confidence:.4f}")
                self._writer.writerow((*row, *number.box, ""))
        sys.stdout.flush()

    def error(self, name: str, error: InputError) -> None:
        self._writer.writerow((name, "", "", "", "", "", "", "", "", "", "", f"{type(error).__name__}: {error}"))
