"""Networks beside the tile classifier that tests can make in seconds, like the toy of toy.py: random filters, a fitted last layer; a
finder that takes black ink for digits and grey for anything else.

`python -m tests.calibration.toy_companions tests/recognition/toy tests/recognition/toy_companions` writes them as published
beside the toy, for the runtime's tests.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from calibration import onnx_files
from calibration.companions import judge, publish, quantize
from calibration.companions.golden import FAINTEST_INK, side_by_side
from edge_digits.paper.strips import MARGIN_PX, make_strip
from edge_digits.paper.surroundings import GLYPH_SIDE_PX, PATCH_SHAPE
from edge_digits.recognition.companions import CELL_PX, MAP_CHANNELS
from edge_digits.recognition.strings import BLANK, COLUMN_PX
from edge_digits.recognition.weights import CONTRACT_VERSION, LABELS
from tests.calibration.toy import toy_digits, write_idx

SHARE = 0.25
CONTEXT_FILTERS, CONTEXT_SIDE_PX = 16, 8
STRING_FILTERS, STRING_KERNEL = 64, (32, 16)
PART_SHAPE = (32, 48)
GAIN = 14.0


def metadata(kind: str, **changes: str) -> dict[str, str]:
    values = {
        "contract_version": str(CONTRACT_VERSION),
        "kind": kind,
        "labels": json.dumps(LABELS),
        "training": json.dumps({"commit": "0" * 40, "seed": 0, "sets": ["mnist_train"]}),
    }
    return values | ({"not_one_digit_share": str(SHARE)} if kind == "context" else {}) | changes


def toy_patches(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Digits in surroundings of bare paper, uint8 (count, 2, 48, 64), and their labels."""
    tiles, labels = toy_digits(count, seed)
    patches = np.zeros((count, 2, *PATCH_SHAPE), np.uint8)
    for patch, tile in zip(patches, tiles, strict=True):
        ink = side_by_side(tile[None])
        scale = GLYPH_SIDE_PX / max(ink.shape)
        small = cv2.resize(ink, [max(1, round(side * scale)) for side in ink.shape[::-1]], interpolation=cv2.INTER_AREA)
        top, left = ((whole - side) // 2 for whole, side in zip(PATCH_SHAPE, small.shape, strict=True))
        patch[:, top : top + small.shape[0], left : left + small.shape[1]] = small
    return patches, labels


def said_of(labels: NDArray[np.int64], seed: int) -> NDArray[np.float16]:
    """What a tile classifier might say of them, log-probabilities (n, 11): wrong of every fifth."""
    rng = np.random.default_rng(seed)
    seen = np.where(rng.random(len(labels)) < 0.2, (labels + 1) % 10, labels)
    logits = 3.0 * np.eye(len(LABELS))[seen] + rng.normal(0, 0.3, (len(labels), len(LABELS)))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float16)


def toy_runs(count: int, seed: int) -> tuple[list[NDArray[np.uint8]], list[tuple[int, ...]], list[list[float]]]:
    """Strips of one to three digits, their labels, and the middle of each digit in columns."""
    lengths = np.random.default_rng(seed).integers(1, 4, count)
    tiles, labels = toy_digits(int(lengths.sum()), seed)
    ends = np.cumsum(lengths)
    parts = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    runs = [(side_by_side(tiles[part]), tiles[part], labels[part]) for part in parts]
    strips = [make_strip(run) for run, _, _ in runs]
    return strips, [tuple(int(label) for label in named) for _, _, named in runs], [_middles(run, written) for run, written, _ in runs]


def _middles(run: NDArray[np.uint8], tiles: NDArray[np.uint8]) -> list[float]:
    widths = [int(np.ptp(np.flatnonzero((tile > FAINTEST_INK).any(axis=0)))) + 1 for tile in tiles]
    middles = np.cumsum(widths) - np.array(widths) / 2
    return [float(MARGIN_PX + 28 / run.shape[0] * middle) / COLUMN_PX for middle in middles]


def context_model(seed: int = 0, **changes: str) -> onnx.ModelProto:
    """Corrections that name toy digits."""
    rng = np.random.default_rng(seed)
    side = CONTEXT_SIDE_PX
    filters = rng.normal(0, 0.15, (CONTEXT_FILTERS, 2, side, side)).astype(np.float32)
    bias = rng.normal(0, 0.1, CONTEXT_FILTERS).astype(np.float32)
    patches, labels = toy_patches(1500, 200)
    blocks = patches.reshape(len(patches), 2, PATCH_SHAPE[0] // side, side, PATCH_SHAPE[1] // side, side) / 255.0
    maps = np.einsum("ncyixj,fcij->nfyx", blocks, filters) + bias[:, None, None]
    head, offset = _fit(np.maximum(maps, 0).reshape(len(patches), -1), np.eye(len(LABELS))[labels])
    nodes = [
        helper.make_node("Conv", ["surroundings", "filters", "bias"], ["maps"], kernel_shape=[side] * 2, strides=[side] * 2),
        helper.make_node("Relu", ["maps"], ["rectified"]),
        helper.make_node("Flatten", ["rectified"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "head", "offset"], ["corrections"]),
    ]
    weights = {"filters": filters, "bias": bias, "head": head, "offset": offset}
    shapes = (["n", 2, *PATCH_SHAPE], ["n", len(LABELS)])
    return _model("context", nodes, weights, ("surroundings", "corrections"), shapes, changes)


def string_model(seed: int = 0, **changes: str) -> onnx.ModelProto:
    """Columns that name the toy digits of a run at their middles."""
    rng = np.random.default_rng(seed)
    filters = rng.normal(0, 0.1, (STRING_FILTERS, 1, *STRING_KERNEL)).astype(np.float32)
    bias = rng.normal(0, 0.1, STRING_FILTERS).astype(np.float32)
    features, targets = [], []
    for strip, labels, middles in zip(*toy_runs(900, 201), strict=True):
        padded = np.pad(strip / 255.0, ((0, 0), (6, 6)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, STRING_KERNEL)[0, ::COLUMN_PX]
        features.append(np.maximum(np.einsum("wij,fij->wf", windows, filters[:, 0]) + bias, 0))
        wanted = np.full(len(windows), BLANK)
        wanted[[int(middle) for middle in middles]] = labels
        targets.append(np.eye(BLANK + 1)[wanted])
    joined = np.concatenate(targets)
    importance = np.where(joined[:, BLANK] > 0, 1.0, 4.0)
    head, offset = _fit(np.concatenate(features), joined, importance)
    nodes = [
        helper.make_node("Conv", ["strips", "filters", "bias"], ["maps"], kernel_shape=STRING_KERNEL, strides=[1, 4], pads=[0, 6, 0, 6]),
        helper.make_node("Relu", ["maps"], ["rectified"]),
        helper.make_node("Conv", ["rectified", "head", "offset"], ["row"], kernel_shape=[1, 1]),
        helper.make_node("Squeeze", ["row", "axes"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["columns"], perm=[0, 2, 1]),
    ]
    head = np.ascontiguousarray(head.T)[:, :, None, None]
    weights = {"filters": filters, "bias": bias, "head": head, "offset": offset, "axes": np.array([2], np.int64)}
    shapes = (["n", 1, STRING_KERNEL[0], "w"], ["n", "k", BLANK + 1])
    return _model("strings", nodes, weights, ("strips", "columns"), shapes, changes)


def toy_parts(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Parts of pages, uint8 (count, 1, 32, 48), with a black digit and a grey one, and the strokes of the black one, (count, 32, 48)."""
    tiles, _ = toy_digits(2 * count, seed)
    parts, strokes = np.zeros((count, 1, *PART_SHAPE), np.uint8), np.zeros((count, *PART_SHAPE), np.uint8)
    solid = np.where(tiles > 128, 255, 0).astype(np.uint8)
    for part, stroke, black, grey in zip(parts, strokes, solid[:count], solid[count:], strict=True):
        part[0, 2:30, :24], part[0, 2:30, 24:] = black[:, 2:26], grey[:, 2:26] // 3
        stroke[2:30, :24] = black[:, 2:26] > 0
    return parts, strokes


def finder_model(seed: int = 0, **changes: str) -> onnx.ModelProto:
    """Maps that call black pixels a digit's, and no cell its middle."""
    rng = np.random.default_rng(seed)
    first = rng.normal(0, 0.01, (16, 1, 2, 2)).astype(np.float32)
    second = rng.normal(0, 0.003, (64, 16, 4, 4)).astype(np.float32)
    head = rng.normal(0, 0.01, (MAP_CHANNELS, 64, 1, 1)).astype(np.float32)
    for pixel in range(4):
        first[pixel] = np.eye(4).reshape(4, 1, 2, 2)[pixel]
    for pixel in range(CELL_PX**2):
        row, column = divmod(pixel, CELL_PX)
        second[pixel] = 0
        # The window of the second layer begins one place before the cell.
        second[pixel, 2 * (row % 2) + column % 2, 1 + row // 2, 1 + column // 2] = 1
        head[pixel], head[pixel, pixel] = 0, 20
    bias = np.zeros(MAP_CHANNELS, np.float32)
    bias[: CELL_PX**2], bias[CELL_PX**2 + len(LABELS) - 1] = -10, 5
    nodes = [
        helper.make_node("Conv", ["pages", "first"], ["halves"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["halves"], ["half"]),
        helper.make_node("Conv", ["half", "second"], ["quarters"], kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["quarters"], ["quarter"]),
        helper.make_node("Conv", ["quarter", "head", "bias"], ["maps"], kernel_shape=[1, 1]),
    ]
    weights = {"first": first, "second": second, "head": head, "bias": bias}
    shapes = (["n", 1, "h", "w"], ["n", MAP_CHANNELS, "rows", "columns"])
    return _model("finder", nodes, weights, ("pages", "maps"), shapes, changes)


def _fit(
    features: NDArray[np.float64], targets: NDArray[np.float64], importance: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weighted ridge regression; head (k, labels) and offset (labels,)."""
    weight = np.ones(len(features)) if importance is None else importance
    middle, mean = (np.average(values, axis=0, weights=weight) for values in (features, targets))
    centred = (features - middle) * weight[:, None]
    gram = centred.T @ (features - middle) + 3.0 * np.eye(features.shape[1])
    head = GAIN * np.linalg.solve(gram, centred.T @ (targets - mean))
    return head.astype(np.float32), (GAIN * mean - middle @ head).astype(np.float32)


def _model(
    kind: str,
    nodes: list[Any],
    weights: dict[str, Any],
    names: tuple[str, str],
    shapes: tuple[list[Any], list[Any]],
    changes: dict[str, str],
) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(names, shapes, strict=True)]
    graph = helper.make_graph(nodes, kind, ends[:1], ends[1:], [numpy_helper.from_array(value, key) for key, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata(kind, **changes))
    return model


GATES = """
[companions.context.file]
int8_bytes_max = 100_000
[companions.context.proposals]
drop_points_max = 1.0
int8_gain_points_min = 0.0
[companions.strings.file]
int8_bytes_max = 100_000
[companions.strings.strips]
drop_points_max = 5.0
[companions.finder.parts]
drop_points_max = 1.0
"""
"""What the toys reach; the gates for release ask more of a string network."""

MODELS = {"context": context_model, "strings": string_model, "finder": finder_model}


def write_sets(kind: str, path: Path, held_out: int = 400) -> Path:
    """A sets file as `python -m export.companion_sets` writes it."""
    arrays: dict[str, Any] = {"kind": np.array(kind)}
    for part, count, seed in (("calibration", 120, 300), ("held_out", held_out, 301)):
        if kind == "finder":
            arrays[f"{part}_inputs"], arrays[f"{part}_strokes"] = toy_parts(count, seed)
        elif kind == "context":
            patches, labels = toy_patches(count, seed)
            arrays |= {
                f"{part}_inputs": patches,
                f"{part}_log_probabilities": said_of(labels, seed),
                f"{part}_labels": labels.astype(np.uint8),
            }
        else:
            strips, meant, _ = toy_runs(count, seed)
            table = np.full((count, 8), 255, np.uint8)
            for row, named in zip(table, meant, strict=True):
                row[: len(named)] = named
            arrays[f"{part}_pixels"] = np.concatenate([strip.ravel() for strip in strips])
            arrays |= {f"{part}_widths": np.array([strip.shape[1] for strip in strips], np.int32), f"{part}_labels": table}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def run_chain(kind: str, work: Path) -> list[int]:
    """Through quantize and judge, into WORK/KIND.{float,int8}.onnx, WORK/KIND.npz and WORK/KIND.json; the exit codes."""
    onnx_files.save_model(MODELS[kind](), work / f"{kind}.onnx")
    sets, gates = write_sets(kind, work / f"{kind}.npz"), work / "gates.toml"
    gates.write_text(GATES, encoding="utf-8")
    more = ["--sets", str(sets)]
    return [
        quantize.main(["--float", str(work / f"{kind}.onnx"), *more, "--out", str(work), "--method", "minmax", "--no-float-first"]),
        judge.main([*pair(kind, work), *more, "--out", str(work / f"{kind}.json"), "--rounds", "1", "--gates", str(gates)]),
    ]


def pair(kind: str, work: Path) -> list[str]:
    return ["--float", str(work / f"{kind}.float.onnx"), "--int8", str(work / f"{kind}.int8.onnx")]


def publish_beside(toy: Path, folder: Path) -> None:
    """All through the whole chain; their files and the manifest, which names the toy's own as well, into a folder."""
    with tempfile.TemporaryDirectory() as name:
        work, staged = Path(name), Path(shutil.copytree(toy, Path(name) / "staged"))
        write_idx(work / "mnist")
        for kind in MODELS:
            where = ["--verdict", str(work / f"{kind}.json"), "--mnist", str(work / "mnist"), "--out", str(staged)]
            codes = [*run_chain(kind, work), publish.main([*pair(kind, work), *where])]
            if any(codes):
                raise RuntimeError(f"the toy of kind {kind} did not get through: exit codes {codes}")
        folder.mkdir(parents=True, exist_ok=True)
        for path in (path for path in staged.iterdir() if path.name.startswith((*MODELS, "manifest"))):
            shutil.copy(path, folder)


if __name__ == "__main__":
    publish_beside(Path(sys.argv[1]), Path(sys.argv[2]))
