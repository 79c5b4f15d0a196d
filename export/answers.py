"""What trained networks say of every tile of a pool: `python -m export.answers --runs A B --pool DIR --out FILE`.

For smaller ones to learn from: the mean of the logits of several teachers, after Hinton, Vinyals and Dean, "Distilling the
knowledge in a neural network" (2015).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
import torch
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode
from edge_digits.recognition.weights import LABELS
from export.epochs import ANSWERS_KIND
from export.networks import ConvNetwork
from export.optimisation import has_fast_bfloat16
from export.tile_pool import TilePool, load_pool
from export.to_onnx import load_network
from export.train import choose_device

BATCH: Final = 512


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.answers", description="Mean logits of teachers for every tile of a pool.")
    parser.add_argument("--runs", type=Path, nargs="+", required=True, metavar="DIR", help="run folders of the teachers")
    parser.add_argument("--pool", type=Path, required=True, metavar="DIR", help="folder of `python -m export.tile_pool`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .npy file to write")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: torch's own choice)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args(arguments)
    try:
        device = choose_device(options.device)
        if options.threads > 0:
            torch.set_num_threads(options.threads)
        teachers = [load_network(run)[0].to(device, memory_format=torch.channels_last) for run in options.runs]
        write_answers(teachers, load_pool(options.pool), device, options.out)
    except EdgeDigitsError as error:
        print(f"export.answers: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.answers: interrupted; give the command again", file=sys.stderr)
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def write_answers(teachers: list[ConvNetwork], pool: TilePool, device: torch.device, path: Path) -> None:
    """Write float16 (e, n, 11); under a name of its own until it is whole."""
    epochs, size = pool.labels.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    answers = np.lib.format.open_memmap(partial, "w+", ANSWERS_KIND, (epochs, size, len(LABELS)))
    fast = has_fast_bfloat16(device)
    with tqdm(total=epochs * size, desc="answers", unit="tile", file=sys.stderr, mininterval=2.0) as bar, torch.inference_mode():
        for epoch in range(epochs):
            for start in range(0, size, BATCH):
                tiles = torch.from_numpy(np.array(pool.tiles[epoch, start : start + BATCH])[:, None]).to(device)
                inputs = (tiles.float() / 255.0).contiguous(memory_format=torch.channels_last)
                with torch.autocast(device.type, torch.bfloat16, enabled=fast):
                    said = torch.stack([teacher(inputs).float() for teacher in teachers]).mean(0)
                answers[epoch, start : start + BATCH] = said.cpu().numpy()
                bar.update(len(tiles))
    answers.flush()
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
