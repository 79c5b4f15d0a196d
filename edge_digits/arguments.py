"""Arguments that several commands share, and the Options made of them."""

from __future__ import annotations

import argparse

from edge_digits.errors import UsageError
from edge_digits.options import (
    DEFAULT_MAX_MEGAPIXELS,
    PRECISIONS,
    PROVIDERS,
    ROTATIONS,
    Options,
    PaperOptions,
    ReadingOptions,
    RecognitionOptions,
    SourceOptions,
)
from edge_digits.reading.expect import KINDS


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """--model, --provider, --precision, --threads."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", default="default", metavar="NAME|PATH", help="shipped or adapted model, or an .onnx file")
    group.add_argument("--provider", default="auto", metavar="NAME", help=f"{', '.join(PROVIDERS)}; auto takes CUDA only when obtained")
    group.add_argument("--precision", default="auto", metavar="NAME", help=f"{', '.join(PRECISIONS)}; auto: int8 on the CPU, float on CUDA")
    group.add_argument("--threads", type=int, default=0, metavar="N", help="threads within one run; 0 chooses (default)")


def add_reader_arguments(parser: argparse.ArgumentParser) -> None:
    """All of add_model_arguments, and --min-confidence, --max-error, --expect, --max-megapixels, --dpi, --rotate."""
    group = parser.add_argument_group("reading")
    group.add_argument("--min-confidence", type=float, metavar="P", help="digits below this probability are '?' (default: the model's)")
    group.add_argument("--max-error", metavar="SHARE", help="name only so much that at most this share is wrong: 1/1000, 0.001 or 0.1%%")
    group.add_argument("--expect", metavar="KIND", help=f"what numbers are: {KINDS}")
    group.add_argument(
        "--max-megapixels", type=float, default=DEFAULT_MAX_MEGAPIXELS, metavar="MP", help="refuse larger pictures (default %(default)s)"
    )
    group.add_argument("--dpi", type=int, default=200, help="resolution for PDF pages (default %(default)s)")
    group.add_argument(
        "--rotate",
        default="auto",
        metavar="DEG",
        help=f"turn pictures clockwise first: {', '.join(ROTATIONS)}; auto tells it from the digits",
    )
    add_model_arguments(parser)


def parse_share(text: str | None) -> float | None:
    """A share as a person writes it: 1/1000, 0.001 or 0.1%. None stays None. Raises UsageError."""
    if text is None:
        return None
    number = text.strip().removesuffix("%")
    part, slash, whole = number.partition("/")
    try:
        share = float(part) / (float(whole) if slash else 1.0) / (1.0 if number == text.strip() else 100.0)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"max-error is '{text}'; give a share such as 1/1000, 0.001 or 0.1%") from error
    return share


def model_options(arguments: argparse.Namespace) -> RecognitionOptions:
    """RecognitionOptions of parsed arguments. Raises UsageError."""
    return RecognitionOptions(arguments.model, arguments.provider, arguments.precision, arguments.threads)


def reader_options(arguments: argparse.Namespace) -> Options:
    """Options of parsed arguments. Raises UsageError."""
    return Options(
        SourceOptions(arguments.max_megapixels, arguments.dpi),
        model_options(arguments),
        ReadingOptions(arguments.min_confidence, parse_share(arguments.max_error), expect=arguments.expect),
        PaperOptions(arguments.rotate),
    )
