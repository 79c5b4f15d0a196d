"""A small model and data that tests can make in a second: no trained weights, no data set.

Digits are drawn by OpenCV's stroke font, bent and shifted at random; the model is one random patch convolution with a
head fitted in closed form. It names toy digits almost always rightly, so gates can be passed and missed on purpose.

`python -m tests.calibration.toy tests/recognition/toy` writes the published toy that the runtime's tests load, since
those must run where onnx is not installed.
"""

from __future__ import annotations

import gzip
import json
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from calibration import judge, onnx_files, publish, quantize
from calibration.golden import marks_that_are_no_digit
from edge_digits.paper.tiles import make_tile
from edge_digits.recognition.weights import CONTRACT_VERSION, LABELS, NOT_ONE_DIGIT

FILTERS, PATCH_PX = 16, 4
HEAD_GAIN = 12.0


def toy_digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """tiles uint8 (count, 28, 28) and their labels 0..9."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    return np.stack([_draw(int(label), rng) for label in labels]), labels.astype(np.int64)


def _draw(digit: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    canvas = np.zeros((64, 64), np.uint8)
    cv2.putText(canvas, str(digit), (18, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, int(rng.integers(3, 6)), cv2.LINE_AA)
    slant, squeeze, droop = rng.uniform(-0.3, 0.3), rng.uniform(0.7, 1.3), rng.uniform(-0.25, 0.25)
    bend = np.array([[squeeze, slant, 32 - 32 * squeeze - 32 * slant], [droop, 1, -32 * droop]], np.float32)
    return make_tile(np.asarray(cv2.warpAffine(canvas, bend, (64, 64)), np.uint8))


def toy_marks(count: int, seed: int) -> NDArray[np.uint8]:
    """Tiles of halves and pairs, uint8 (count, 28, 28)."""
    return marks_that_are_no_digit(toy_digits(count + 1, seed)[0])[:count]


def write_idx(folder: Path, count: int = 2000, seed: int = 7) -> Path:
    """Toy digits under the names of the MNIST training files."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles, labels = toy_digits(count, seed)
    images = struct.pack(">IIII", 2051, count, 28, 28) + tiles.tobytes()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images, 1))
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.astype(np.uint8).tobytes())
    return folder


def write_tiles(path: Path) -> Path:
    """A tiles file with every kind of set that calibration knows."""
    arrays: dict[str, Any] = {"calibration_tiles": np.concatenate([toy_digits(400, 1)[0], toy_marks(100, 2)])}
    for name, seed, count in (("mnist_test", 3, 600), ("usps_test", 4, 200), ("temperature", 5, 400)):
        tiles, labels = toy_digits(count, seed)
        marks = toy_marks(100, seed + 10) if name == "temperature" else tiles[:0]
        arrays[f"{name}_tiles"] = np.concatenate([tiles, marks])
        arrays[f"{name}_labels"] = np.concatenate([labels, np.full(len(marks), NOT_ONE_DIGIT)]).astype(np.uint8)
    arrays["negatives_holdout_tiles"] = toy_marks(200, 6)
    arrays["negatives_holdout_labels"] = np.full(200, NOT_ONE_DIGIT, np.uint8)
    arrays["marks_made_pair_tiles"], arrays["marks_foreign_tiles"] = toy_marks(60, 8), toy_marks(40, 9)
    np.savez_compressed(path, **arrays)
    return path


def toy_model(seed: int = 0) -> onnx.ModelProto:
    """The float model: 4x4 patches to 16 filters, features (n, 784), logits (n, 11)."""
    rng = np.random.default_rng(seed)
    filters = rng.normal(0, 0.25, (FILTERS, 1, PATCH_PX, PATCH_PX)).astype(np.float32)
    bias = rng.normal(0, 0.1, FILTERS).astype(np.float32)
    head, offset = _fit_head(filters, bias)
    nodes = [
        helper.make_node("Conv", ["tiles", "filters", "bias"], ["patches"], kernel_shape=[PATCH_PX] * 2, strides=[PATCH_PX] * 2),
        helper.make_node("Relu", ["patches"], ["rectified"]),
        helper.make_node("Flatten", ["rectified"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "head", "offset"], ["logits"]),
    ]
    weights = {"filters": filters, "bias": bias, "head": head, "offset": offset}
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("tiles", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(LABELS)]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", head.shape[0]]),
        ],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, toy_metadata())
    return model


def publish_toy(folder: Path) -> Path:
    """The toy model through the whole chain, into a folder that `--model` takes."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tiles, mnist = write_tiles(work / "tiles.npz"), write_idx(work / "mnist")
        source, float_path, int8_path, verdict = (work / f for f in ("toy.onnx", "q/toy.float.onnx", "q/toy.int8.onnx", "verdict.json"))
        onnx_files.save_model(toy_model(), source)
        pair = ["--float", str(float_path), "--int8", str(int8_path)]
        steps = [
            quantize.main(["--float", str(source), "--tiles", str(tiles), "--out", str(work / "q"), "--name", "toy", "--no-float-head"]),
            judge.main([*pair, "--tiles", str(tiles), "--out", str(verdict), "--rounds", "2"]),
            publish.main([*pair, "--verdict", str(verdict), "--mnist", str(mnist), "--out", str(folder), "--name", "toy"]),
        ]
    if any(steps):
        raise RuntimeError(f"the toy model did not get through: exit codes {steps}")
    return folder


def toy_metadata() -> dict[str, str]:
    return {
        "contract_version": str(CONTRACT_VERSION),
        "labels": json.dumps(LABELS),
        "temperature": "1.0",
        "reject_threshold": "0.5",
        "training": json.dumps({"commit": "0" * 40, "seed": 0, "glyphs": {"mnist_train": 3000}}),
    }


def _fit_head(filters: NDArray[np.float32], bias: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Ridge regression of the labels on the features of toy digits and marks."""
    digits, labels = toy_digits(3000, 100)
    marks = toy_marks(1000, 101)
    features = _features(np.concatenate([digits, marks]), filters, bias)
    targets = np.eye(len(LABELS))[np.concatenate([labels, np.full(len(marks), NOT_ONE_DIGIT)])]
    middle = features.mean(axis=0)
    centred = features - middle
    gram = centred.T @ centred + 5.0 * np.eye(features.shape[1])
    head = HEAD_GAIN * np.linalg.solve(gram, centred.T @ (targets - targets.mean(axis=0)))
    offset = HEAD_GAIN * targets.mean(axis=0) - middle @ head
    return head.astype(np.float32), offset.astype(np.float32)


def _features(tiles: NDArray[np.uint8], filters: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float64]:
    side = tiles.shape[1] // PATCH_PX
    patches = tiles.reshape(len(tiles), side, PATCH_PX, side, PATCH_PX).transpose(0, 1, 3, 2, 4) / 255.0
    maps = np.einsum("nyxij,fij->nfyx", patches, filters[:, 0]) + bias[:, None, None]
    return np.maximum(maps, 0).reshape(len(tiles), -1)


if __name__ == "__main__":
    publish_toy(Path(sys.argv[1]))
