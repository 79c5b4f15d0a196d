"""The same judge for every reproduction: ONNX files in float and int8, their parity, bytes and accuracy, near and far.

MNIST is judged on its own pixels, which the sources train on. The other sets were seen by no network and come by the
tile rule of this project, since their pictures have other sizes.
"""

from __future__ import annotations

import copy
import io
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from calibration.onnx_files import save_model
from calibration.quantize import QuantizeOptions, quantize
from edge_digits.errors import ModelDamagedError
from edge_digits.paper.tiles import TILE_SIDE_PX, as_model_input
from edge_digits.recognition.engine import Engine
from export.data.collect import HOLDOUTS, find_data
from export.data.glyphs import GlyphSet
from export.holdouts import tiles_of
from export.networks import count_parameters
from export.reproduce.fitting import logits_of
from export.reproduce.mnist import Mnist, first_of_each_class, load_mnist
from export.reproduce.recipe import Workbench
from export.to_onnx import NEWEST_IR_VERSION, OPSET

ZERO_SHOT: Final = ("usps_test", "semeion", "optdigits_tes", "chen_holdout")
"""Hold-outs of other writers, scanners and countries (export/data/collect.py)."""

PARITY_TILES: Final = 1000
PARITY_TOLERANCE: Final = 1e-4
"""Largest difference of a logit between torch and ONNX Runtime, as a share of the largest logit where that is over 1."""

CALIBRATION_TILES: Final = 1024
SEARCHABLE_MULTIPLICATIONS: Final = 6_000_000
"""A search of ranges runs the network some hundred times over the calibration tiles: minutes for a large one."""

SMOKE_TILES: Final = 60
BATCH: Final = 100


def judge(network: nn.Module, bench: Workbench, name: str) -> dict[str, Any]:
    """Write NAME.float.onnx and NAME.int8.onnx into the run folder and measure both.

    network : float32 (n, 1, 28, 28), ink 1 and paper 0, to logits (n, 10); what its source does to the pixels first is
    a part of it. Returns parameters, multiplications, bytes, parity, quantization, mnist, agreement, zero_shot.
    Raises ModelDamagedError when ONNX Runtime computes something else than torch.
    """
    plain = copy.deepcopy(network).cpu().float().to(memory_format=torch.contiguous_format).eval()
    mnist = load_mnist(bench)
    multiplications = count_multiplications(plain)
    bench.tell(f"{name}: judging, {multiplications / 1e6:.2f} million multiplications a digit")
    float_model = to_onnx(plain)
    options = quantize_options(multiplications, bench)
    int8_model = quantize(float_model, _calibration_tiles(mnist, options.tiles), options)
    sizes = {kind: save_model(model, bench.out / f"{name}.{kind}.onnx") for kind, model in (("float", float_model), ("int8", int8_model))}
    engines = {kind: open_engine(bench.out / f"{name}.{kind}.onnx") for kind in sizes}
    parity = _parity(plain, engines["float"], mnist.test_images[: bench.limit(PARITY_TILES, SMOKE_TILES)], name)
    named = {kind: run_engine(engine, mnist.test_images, bench, f"{name} {kind}").argmax(1) for kind, engine in engines.items()}
    return {
        "parameters": count_parameters(plain),
        "multiplications": multiplications,
        "bytes": sizes,
        "parity": parity,
        "quantization": {"method": options.method, "float_head": options.float_head, "tiles": options.tiles},
        "mnist": {kind: hits(best, mnist.test_labels) for kind, best in named.items()},
        "agreement": round(100.0 * float((named["float"] == named["int8"]).mean()), 3),
        "zero_shot": _zero_shot(engines["float"], bench, name),
    }


def to_onnx(network: nn.Module) -> Any:
    """An onnx.ModelProto: opset 17, input `tiles` [n, 1, 28, 28], output `logits` [n, 10].

    network : on the CPU, in evaluation mode.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs a package more, and writes a newer IR; tracing warns of every shape it fixes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(2, 1, TILE_SIDE_PX, TILE_SIDE_PX),),
            buffer,
            opset_version=OPSET,
            dynamo=False,
            input_names=["tiles"],
            output_names=["logits"],
            dynamic_axes={name: {0: "n"} for name in ("tiles", "logits")},
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = min(model.ir_version, NEWEST_IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def quantize_options(multiplications: int, bench: Workbench) -> QuantizeOptions:
    """All layers in int8: the head of these networks is their largest part. Ranges are searched where that is cheap."""
    method = "search" if multiplications <= SEARCHABLE_MULTIPLICATIONS else "minmax"
    return QuantizeOptions(float_head=False, method=method, tiles=bench.limit(CALIBRATION_TILES, SMOKE_TILES))


def count_multiplications(network: nn.Module) -> int:
    """Multiplications of convolutions and dense layers for one digit; network on the CPU."""
    total = 0

    def count(layer: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal total
        weight: Any = layer.weight
        # Each output number costs one multiplication a weight of its filter.
        total += output[0].numel() * weight[0].numel()

    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear)
    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, kinds)]
    try:
        logits_of(network, torch.zeros(1, 1, TILE_SIDE_PX, TILE_SIDE_PX))
    finally:
        for hook in hooks:
            hook.remove()
    return total


def open_engine(path: Path, threads: int = 0) -> Engine:
    """A session on the CPU with as many threads as torch has. Raises ModelDamagedError."""
    return Engine(path.read_bytes(), "cpu", threads=threads or torch.get_num_threads(), name=str(path))


def run_engine(engine: Engine, tiles: NDArray[np.uint8], bench: Workbench, what: str) -> NDArray[np.float32]:
    """Logits float32 (n, classes) of tiles uint8 (n, 28, 28), with a progress bar."""
    starts = range(0, len(tiles), BATCH)
    parts = [engine.run("logits", as_model_input(tiles[start : start + BATCH])) for start in bench.progress(starts, what)]
    return np.concatenate(parts) if parts else np.zeros((0, 10), np.float32)


def hits(best: NDArray[np.int64], labels: NDArray[np.uint8]) -> dict[str, float]:
    """n, accuracy in percent and the number of errors."""
    errors = int((best != labels).sum())
    return {"n": len(labels), "accuracy": round(100.0 * (1.0 - errors / max(len(labels), 1)), 3), "errors": errors}


def _calibration_tiles(mnist: Mnist, count: int) -> NDArray[np.uint8]:
    """MNIST train, every class alike."""
    return mnist.train_images[first_of_each_class(mnist.train_labels, count)]


def _parity(network: nn.Module, engine: Engine, tiles: NDArray[np.uint8], name: str) -> dict[str, float]:
    inputs = as_model_input(tiles)
    theirs, ours = engine.run("logits", inputs), logits_of(network, torch.from_numpy(inputs), BATCH).numpy()
    largest = float(np.abs(theirs - ours).max(initial=0.0))
    scale = max(1.0, float(np.abs(ours).max(initial=0.0)))
    if not largest <= PARITY_TOLERANCE * scale:
        raise ModelDamagedError(f"{name}: a logit of ONNX Runtime differs by {largest:.3g} from torch; the file is not the network")
    return {"n": len(tiles), "logits": largest, "other_labels": int((theirs.argmax(1) != ours.argmax(1)).sum())}


def _zero_shot(engine: Engine, bench: Workbench, name: str) -> dict[str, dict[str, float]]:
    """Figures of the float model on every other hold-out that the data folder has."""
    folder = find_data(bench.data)
    figures = {}
    for which in ZERO_SHOT:
        place, load = HOLDOUTS[which]
        if not (folder / place).is_dir():
            bench.tell(f"{which}: not in the data folder, left out")
            continue
        glyphs = load(folder)
        if bench.smoke:
            kept = first_of_each_class(glyphs.labels, SMOKE_TILES)
            glyphs = GlyphSet(which, [glyphs.glyphs[index] for index in kept], glyphs.labels[kept])
        figures[which] = hits(run_engine(engine, tiles_of(glyphs), bench, f"{name} {which}").argmax(1), glyphs.labels)
    return figures
