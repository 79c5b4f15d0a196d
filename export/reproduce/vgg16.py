"""The frozen convolutions of VGG16: their weights from a file, and the 512 features of each digit, kept on disk.

K. Simonyan and A. Zisserman, Very Deep Convolutional Networks, 2014; weights CC BY 4.0, as Keras publishes them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_digits.errors import MissingExtraError
from export.data.download import cache_folder, download_set
from export.data.folder import DataError, open_npz
from export.data.homes import OFFICIAL_FILES
from export.reproduce.fitting import logits_of
from export.reproduce.recipe import Workbench

SET: Final = "vgg16"
"""Name of the folder in a data folder, and of the download."""

WIDTHS: Final = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Filters of the convolutions of each block; a pooling follows each block."""

FEATURES: Final = 512
SIDE_PX: Final = 48
MEANS_BGR: Final = (103.939, 116.779, 123.68)
"""Of ImageNet, 0..255 (keras.applications.vgg16.preprocess_input, which divides by nothing)."""

HALF_NAME: Final = "vgg16_conv_imagenet_fp16.npz"
HALF_SHA256: Final = "fcd3a608a1d64c7d54f3e902e88a9681cb47b7a0c753a3cbba40b20e2d5ca7ce"
"""The same weights in half precision, block1_conv1.weight (out, in, 3, 3) and so on; half the bytes, and numpy reads it."""

CHUNK: Final = 250
"""Digits between two writes of the cache: seconds of work."""

Weights = dict[str, NDArray[np.float32]]


class FrozenVgg16(nn.Module):
    """float32 (n, 1, 28, 28), ink 1 and paper 0, to float32 (n, 512): enlarged to 48x48, three equal channels, less the means."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for block in WIDTHS:
            for filters in block:
                layers += [nn.Conv2d(width, filters, 3, padding=1), nn.ReLU(inplace=True)]
                width = filters
            layers.append(nn.MaxPool2d(2))
        self.body = nn.Sequential(*layers).requires_grad_(requires_grad=False)
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1))

    def forward(self, tiles: Tensor) -> Tensor:
        """See the class."""
        large = nn.functional.interpolate(tiles, size=(SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)
        return torch.flatten(self.body(255.0 * large - self.means), 1)

    def load(self, weights: Weights) -> None:
        """Take the weights of a file. Raises DataError when they are those of another network."""
        names = [f"block{b}_conv{c}" for b, block in enumerate(WIDTHS, start=1) for c in range(1, len(block) + 1)]
        layers = [layer for layer in self.body if isinstance(layer, nn.Conv2d)]
        for name, layer in zip(names, layers, strict=True):
            for part, target in (("weight", layer.weight), ("bias", layer.bias)):
                given = weights.get(f"{name}.{part}")
                if given is None or target is None or given.shape != tuple(target.shape):
                    found = "nothing" if given is None else f"shape {given.shape}"
                    raise DataError(f"VGG16 weights: {found} under {name}.{part}; fetch the file again")
                target.data.copy_(torch.from_numpy(given))


def find_weights(data: Path | None) -> Path:
    """The file of weights in DATA/vgg16, in half precision or as Keras publishes it, or downloaded to the cache.

    Raises DataError for a folder without either file or a file that is not the published one, DownloadError.
    """
    folder = download_set(SET, cache_folder()) if data is None else data / SET
    remote = OFFICIAL_FILES[SET][0]
    half, keras = folder / HALF_NAME, folder / remote.name
    if half.is_file():
        return _check(half, "sha256", HALF_SHA256)
    if keras.is_file():
        return _check(keras, remote.algorithm, remote.checksum)
    raise DataError(f"{folder}: holds neither {HALF_NAME} nor {remote.name}; put it there from {remote.url}, or leave --data out")


def read_weights(path: Path) -> Weights:
    """float32 weights (out, in, 3, 3) and biases (out,) by name, from either kind of file.

    Raises DataError for a damaged file, MissingExtraError when that of Keras cannot be read without h5py.
    """
    if path.suffix == ".npz":
        return {name: array.astype(np.float32) for name, array in open_npz(path).items()}
    return read_keras(path)


def read_keras(path: Path) -> Weights:
    """The convolutions of a Keras file of weights: kernels (3, 3, in, out) become (out, in, 3, 3).

    Raises MissingExtraError without h5py, DataError for another kind of file.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(f"{path.name}: h5py is needed to read it ({error}); run: pip install h5py") from error
    weights: Weights = {}
    try:
        with h5py.File(path, "r") as file:
            for name in (name for name in file if "conv" in name):
                for array in (np.asarray(file[name][key], np.float32) for key in _datasets(file[name])):
                    kernel = array.ndim == 4
                    weights[f"{name}.{'weight' if kernel else 'bias'}"] = (
                        np.ascontiguousarray(array.transpose(3, 2, 0, 1)) if kernel else array
                    )
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    return weights


def features_of(network: nn.Module, images: NDArray[np.uint8], path: Path, bench: Workbench) -> Tensor:
    """float32 (n, 512) of images uint8 (n, 28, 28), computed once and then read from `path`.

    The file is float16, finer than the bfloat16 that a network may compute in. An interrupted run goes on after the last
    chunk that it wrote whole. Raises DataError for a file of other digits.
    """
    cache = _open_cache(path, len(images))
    network.to(bench.device)
    starts = [start for start in range(0, len(images), CHUNK) if np.isnan(cache[start : start + CHUNK]).any()]
    for start in bench.progress(starts, path.stem):
        chunk = torch.from_numpy(images[start : start + CHUNK])
        cache[start : start + CHUNK] = logits_of(network, chunk, bfloat16=bench.bfloat16).numpy()
        cache.flush()
    return torch.from_numpy(np.array(cache, np.float32))


def _open_cache(path: Path, count: int) -> Any:
    """float16 (count, 512) on disk; a row that holds NaN has not been computed."""
    if not path.is_file():
        partial = path.with_name(f".{path.name}.part")
        fresh = np.lib.format.open_memmap(partial, "w+", np.float16, (count, FEATURES))
        fresh[:] = np.nan
        fresh.flush()
        del fresh
        partial.replace(path)
    try:
        cache = np.lib.format.open_memmap(path, "r+")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); delete it") from error
    if cache.shape != (count, FEATURES) or cache.dtype != np.float16:
        raise DataError(f"{path}: holds {cache.dtype} {cache.shape}, wanted float16 ({count}, {FEATURES}); delete it")
    return cache


def _check(path: Path, algorithm: str, checksum: str) -> Path:
    digest = hashlib.new(algorithm, path.read_bytes(), usedforsecurity=False).hexdigest()
    if digest != checksum:
        raise DataError(f"{path}: {algorithm} is {digest}, published is {checksum}; fetch it again")
    return path


def _datasets(group: Any) -> list[str]:
    """Names of the arrays in a group of a Keras file, however deep they lie."""
    found: list[str] = []
    group.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
    return found
