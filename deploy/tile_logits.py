"""Runs tiles through ONNX files and stores the logits: the part of the label check that runs on either processor.

    python deploy/tile_logits.py TILES.npy OUT.npz MODEL.onnx...

Needs numpy and onnxruntime only, so that it starts in an emulated root with two wheels unzipped beside it.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import numpy as np
import onnxruntime

BATCH = 256
"""Tiles a run: activations of 10,000 at once would not fit into a small machine."""


def main(argv: list[str]) -> int:
    """TILES.npy: uint8 (n, 28, 28). OUT.npz: one array (n, 11) a model, by its file name, and `facts`, JSON."""
    tiles_path, out_path, *models = (Path(argument) for argument in argv)
    tiles = (np.load(tiles_path)[:, None] / np.float32(255)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    logits = {}
    for model in models:
        session = onnxruntime.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])
        batches = [tiles[start : start + BATCH] for start in range(0, len(tiles), BATCH)]
        logits[model.name] = np.concatenate([session.run(["logits"], {"tiles": batch})[0] for batch in batches])
    facts = {"architecture": platform.machine(), "onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
    facts["python"] = platform.python_version()
    np.savez(out_path, facts=np.array(json.dumps(facts)), **logits)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
