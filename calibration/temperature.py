"""Fits what the model's confidence means: the temperature of its softmax and the threshold below which a digit is "?".

Both are fitted on the logits of the int8 file, which nearly every reader runs, on tiles kept out of training, and are
written into both files, so that a page reads the same at either precision.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from calibration import onnx_files
from calibration.errors import CalibrationError, report
from calibration.figures import Logits, negative_log_likelihood, probabilities
from calibration.tile_sets import LabelledTiles, Labels, load_tile_sets
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import NOT_ONE_DIGIT, ModelCard, read_card

TEMPERATURE_RANGE: Final = (0.2, 5.0)
"""Beyond it the tiles say nothing: a model without a single error would be driven to temperature 0."""

THRESHOLD_RANGE: Final = (0.65, 0.99)
"""Below it some other reading is more than half as likely; above 0.99 the estimate rests on too few tiles."""

NAMED_ERROR_PERCENT: Final = 2.0
"""Default share of named marks that may be wrong, on tuning tiles that are bent and blurred harder than most writing:
a stricter share would leave open much that is plainly legible."""


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature with the least negative log-likelihood. logits : float32 (n, 11). labels : int64 (n,), n > 0."""
    low, high = (math.log(bound) for bound in TEMPERATURE_RANGE)
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    # The likelihood has one peak in the inverse temperature, so a golden-section search finds it.
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if negative_log_likelihood(logits, labels, math.exp(left)) <= negative_log_likelihood(logits, labels, math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2.0)


def fit_threshold(logits: Logits, labels: Labels, temperature: float, named_error_percent: float = NAMED_ERROR_PERCENT) -> float:
    """The lowest threshold at which at most so many percent of the named marks are wrong, within THRESHOLD_RANGE.

    A mark is named when the best guess is a digit whose confidence reaches the threshold; naming a mark that is not
    one digit is wrong. When no threshold reaches the target, the upper bound is returned.
    """
    given = probabilities(logits, temperature)
    guess, confidence = given.argmax(axis=1), given.max(axis=1)
    digits = guess != NOT_ONE_DIGIT
    order = np.argsort(-confidence[digits], kind="stable")
    sure, wrong = confidence[digits][order], (guess != labels)[digits][order]
    error_percent = 100.0 * np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
    good = np.flatnonzero(error_percent <= named_error_percent)
    low, high = THRESHOLD_RANGE
    if len(good) == 0:
        return high
    return low if good[-1] == len(wrong) - 1 else min(max(float(sure[good[-1]]), low), high)


def fit_files(float_path: Path, int8_path: Path, tiles: LabelledTiles | None, named_error_percent: float = NAMED_ERROR_PERCENT) -> None:
    """Fit on the int8 file and write into both files. Without tiles both keep what the float file says."""
    if not 0.0 <= named_error_percent <= 100.0:
        raise CalibrationError(f"named-error is {named_error_percent}; give a percentage from 0 to 100")
    engine = Engine(int8_path.read_bytes(), name=str(int8_path))
    card = read_card(engine.metadata, str(int8_path))
    if tiles is None:
        print(
            f"no 'temperature' tiles were given: temperature {card.temperature:g} and reject threshold {card.reject_threshold:g} stay",
            file=sys.stderr,
        )
        return
    # Confidence is fitted for the share of "not one digit" for which the file says that it holds.
    tiles = tiles.with_share(card.not_one_digit_share)
    logits = engine.run("logits", as_model_input(tiles.tiles))
    temperature = fit_temperature(logits, tiles.labels)
    threshold = fit_threshold(logits, tiles.labels, temperature, named_error_percent)
    for path in (float_path, int8_path):
        onnx_files.write_card(path, ModelCard(temperature, threshold, card.training, card.not_one_digit_share))
    print(f"temperature {temperature:.4f}, reject threshold {threshold:.4f}, fitted on {len(tiles)} tiles", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Fit again on a pair of files, with another share of errors or other tiles."""
    parser = argparse.ArgumentParser(prog="python -m calibration.temperature", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--float", required=True, type=Path, dest="float_path", metavar="F.onnx")
    parser.add_argument("--int8", required=True, type=Path, dest="int8_path", metavar="Q.onnx")
    parser.add_argument("--tiles", required=True, type=Path, metavar="T.npz", help="tiles file that holds `temperature_tiles`")
    parser.add_argument(
        "--named-error", type=float, default=NAMED_ERROR_PERCENT, metavar="PERCENT", help="named marks that may be wrong (%(default)s)"
    )
    arguments = parser.parse_args(argv)

    def work() -> int:
        for path in (arguments.float_path, arguments.int8_path):
            onnx_files.load_model(path)
        fit_files(arguments.float_path, arguments.int8_path, load_tile_sets(arguments.tiles).temperature, arguments.named_error)
        return 0

    return report("calibration.temperature", work)


if __name__ == "__main__":
    sys.exit(main())
