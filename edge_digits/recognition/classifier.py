"""Tiles in, probabilities out: the model with its temperature, checked once when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelContractError, ModelDamagedError, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import TILE_SIDE_PX, as_model_input
from edge_digits.recognition import engine, weights
from edge_digits.recognition.adapted import find_adapted

GOLDEN_TOLERANCE: Final = {"float": 0.01, "int8": 1.5}
"""Largest allowed difference of a golden logit. Float differs by rounding only; int8 by one quantization step a layer,
more where a CPU without VNNI saturates; a broken kernel gives zeros or noise, which differ by 5 and more."""

BATCH_SIZES: Final = (1, 8, 32, 128, 512, 2048)
"""Batches are filled up to one of these on CUDA, which plans anew for each new shape. More tiles than the largest are
run in several batches: beyond it nothing gets faster, and memory would grow with the page."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What the model says of each tile.

    probabilities : float32 (n, 11), rows sum to 1; columns 0..9 are the digits, 10 is "not one digit".
    not_one_digit_share : share of "not one digit" for which they hold, 0..1.
    """

    probabilities: NDArray[np.float32]
    not_one_digit_share: float = weights.DEFAULT_NOT_ONE_DIGIT_SHARE

    def __len__(self) -> int:
        return len(self.probabilities)


class Classifier:
    """A model ready to judge tiles. Built once; calls are re-entrant.

    name, sha256 : of the loaded model, the adapted one where one was named. precision : of the loaded file.
    file : the loaded model file, the base of an adapted model. provider : what the session really obtained.
    reject_threshold : the model's own threshold below which a digit is "?".
    """

    def __init__(self, options: RecognitionOptions | None = None) -> None:
        """Load, verify and self-test the model.

        Raises ModelNotFoundError, ModelDamagedError, ModelContractError, ProviderError, MissingExtraError, UsageError.
        """
        options = options or RecognitionOptions()
        self.adapted = find_adapted(options.model)
        self.file, self.engine = _load(replace(options, model=self.adapted.base_model) if self.adapted else options)
        self.card = weights.read_card(self.engine.metadata, self.file.name)
        _check_shape(self.engine, self.file.name)
        self.name, self.sha256, self.precision = self.file.name, self.file.sha256, self.file.precision
        self.provider, self.reject_threshold = self.engine.provider, self.card.reject_threshold
        if self.adapted is not None:
            self.adapted.check_base(self.file.sha256)
            self.name, self.sha256 = self.adapted.name, self.adapted.sha256
        self.self_test()

    def self_test(self) -> float:
        """Judge the golden tiles; returns the largest difference of a logit from the published one.

        Raises ModelDamagedError beyond the tolerance. A file without golden tiles passes with 0.0.
        """
        if self.file.golden is None:
            return 0.0
        tiles, expected = self.file.golden
        (logits,) = self._run(("logits",), as_model_input(tiles))
        worst = float(np.abs(logits - expected).max())
        same = bool((logits.argmax(axis=1) == expected.argmax(axis=1)).all())
        if not same or not worst <= GOLDEN_TOLERANCE[self.precision]:
            raise ModelDamagedError(
                f"{self.name} {self.precision}: self-test failed, golden logits differ by {worst:.3g}; "
                "try --precision float, and run `edge-digits doctor`"
            )
        return worst

    def logits(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """tiles : float32 (n, 1, 28, 28), ink 1, paper 0. Returns float32 (n, 11), the adapted head applied."""
        if self.adapted is None or len(tiles) == 0:
            return self._run(("logits",), tiles)[0]
        return self.adapted.apply(*self.base_outputs(tiles), self.card.temperature)

    def base_outputs(self, tiles: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (n, 11) and features (n, k) of the base model, both float32, in one run.

        tiles : float32 (n, 1, 28, 28), ink 1, paper 0; n at least 1.
        Raises ModelContractError for a model without features.
        """
        if "features" not in self.engine.outputs:
            raise ModelContractError(f"{self.file.name}: has no output 'features', which adapting needs; export it again")
        logits, features = self._run(("logits", "features"), tiles)
        return logits, features

    def features(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the base model's last layer sees. tiles as for logits, n at least 1. Returns float32 (n, k)."""
        return self.base_outputs(tiles)[1]

    def predict(self, tiles: NDArray[np.float32]) -> Predictions:
        """Calibrated probabilities of all tiles in one batched run.

        tiles : float32 (n, 1, 28, 28), ink 1, paper 0; n may be 0.
        """
        return Predictions(softmax(self.logits(tiles) / np.float32(self.card.temperature)), self.card.not_one_digit_share)

    def _run(self, outputs: tuple[str, ...], tiles: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        if len(tiles) == 0:
            return [np.zeros((0, len(weights.LABELS)), np.float32) for _ in outputs]
        largest = BATCH_SIZES[-1]
        parts = [self._run_batch(outputs, tiles[start : start + largest]) for start in range(0, len(tiles), largest)]
        return parts[0] if len(parts) == 1 else [np.concatenate(results) for results in zip(*parts, strict=True)]

    def _run_batch(self, outputs: tuple[str, ...], tiles: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        batch = tiles if self.provider == engine.CPU else _pad_batch(tiles)
        return [result[: len(tiles)] for result in self.engine.run_all(outputs, batch)]


def _load(options: RecognitionOptions) -> tuple[weights.ModelFile, engine.Engine]:
    """int8 runs on the CPU and the float file of the same name on CUDA, whose provider has no int8 convolution.

    A model without an int8 file runs as float on the CPU too.
    """
    if options.provider == "cuda" or (options.provider == "auto" and options.precision != "int8" and engine.cuda_compiled_in()):
        if options.precision == "int8":
            raise UsageError("precision 'int8' does not run on CUDA; use --precision float or --provider cpu")
        file = weights.find_model(options.model, "float")
        if options.provider == "cuda" and file.precision == "int8":
            raise ModelContractError(f"{file.name}: an int8 model does not run on CUDA; name a float model or use --provider cpu")
        candidate = engine.Engine(file.data, options.provider if file.precision == "float" else "cpu", options.threads, file.name)
        if candidate.provider == engine.CUDA or options.precision == "float":
            return file, candidate
    file = weights.find_model(options.model, options.precision)
    return file, engine.Engine(file.data, "cpu", options.threads, file.name)


def _check_shape(loaded: engine.Engine, name: str) -> None:
    shape, logits = loaded.inputs.get("tiles"), loaded.outputs.get("logits")
    if shape is None or shape[1:] != (1, TILE_SIDE_PX, TILE_SIDE_PX) or logits is None or logits[1:] != (len(weights.LABELS),):
        raise ModelContractError(
            f"{name}: inputs {loaded.inputs}, outputs {loaded.outputs}; wanted 'tiles' [n, 1, 28, 28] and 'logits' [n, 11]; "
            "use a model that `python -m export.to_onnx` wrote"
        )


def _pad_batch(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    count = len(tiles)
    size = next((s for s in BATCH_SIZES if s >= count), count)
    return np.concatenate([tiles, np.zeros((size - count, *tiles.shape[1:]), np.float32)])


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row-wise softmax of float32 (n, k)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float32] = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities
