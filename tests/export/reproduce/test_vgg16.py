from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from torch import nn  # noqa: E402 - after the check for torch

from edge_digits.errors import MissingExtraError  # noqa: E402
from export.data.folder import DataError  # noqa: E402
from export.data.homes import OFFICIAL_FILES, RemoteFile  # noqa: E402
from export.reproduce import vgg16  # noqa: E402
from export.reproduce.fitting import logits_of  # noqa: E402
from export.reproduce.vgg16 import FEATURES, MEANS_BGR, FrozenVgg16, features_of, find_weights, read_weights  # noqa: E402
from tests.export.reproduce.benches import bench_at  # noqa: E402
from tests.export.reproduce.vgg16_weights import random_weights, write_half  # noqa: E402

KERAS_NAME = OFFICIAL_FILES["vgg16"][0].name


class Group(dict[str, Any]):
    """An HDF5 group, as far as reading weights needs one: groups and arrays, names with slashes, a walk over all."""

    def __getitem__(self, name: str) -> Any:
        first, _, rest = name.partition("/")
        item = super().__getitem__(first)
        return item[rest] if rest else item

    def visititems(self, look: Any) -> None:
        for name, item in self.items():
            look(name, item)
            if isinstance(item, Group):
                item.visititems(lambda inner, each, name=name: look(f"{name}/{inner}", each))


@pytest.fixture
def h5py(monkeypatch: pytest.MonkeyPatch) -> dict[str, Group]:
    """A stand-in for h5py that opens what is put into the dictionary, by file name."""
    files: dict[str, Group] = {}

    class File:
        def __init__(self, path: Path, mode: str) -> None:
            if path.name not in files:
                raise OSError("file signature not found")
            self.content = files[path.name]

        def __enter__(self) -> Group:
            return self.content

        def __exit__(self, *_: object) -> None:
            pass

    module = ModuleType("h5py")
    module.File = File  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "h5py", module)
    return files


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a file the published one, whatever it holds."""

    def publish(path: Path, content: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        remote = RemoteFile(
            path.name, "https://nowhere.invalid/" + path.name, "md5", hashlib.md5(content, usedforsecurity=False).hexdigest()
        )
        monkeypatch.setitem(OFFICIAL_FILES, "vgg16", (remote,))
        return path

    return publish


class Row(nn.Module):
    """A quick stand-in for the frozen network: 512 numbers of a digit; counts the digits that it sees."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.dense = nn.Linear(784, FEATURES)
        self.seen = 0

    def forward(self, tiles: Any) -> Any:
        self.seen += len(tiles)
        return self.dense(torch.flatten(tiles, 1))


def digits(count: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (count, 28, 28)).astype(np.uint8)


def test_digits_are_enlarged_and_lose_the_means() -> None:
    network = FrozenVgg16()
    network.body = nn.Sequential(nn.Identity())
    tiles = torch.zeros(3, 1, 28, 28)
    tiles[1] = 1.0
    tiles[2, 0, 14:] = 1.0
    seen = network(tiles).reshape(3, 3, 48, 48)
    for channel, mean in enumerate(MEANS_BGR):
        torch.testing.assert_close(seen[0, channel], torch.full((48, 48), -mean))
        torch.testing.assert_close(seen[1, channel], torch.full((48, 48), 255.0 - mean))
    assert seen[2, 0, :22].max() == seen[0].max()
    assert seen[2, 0, 26:].min() == seen[1, 0].min()


def test_weights_go_to_their_layers() -> None:
    weights = random_weights()
    network = FrozenVgg16()
    network.load(weights)
    layers = [layer for layer in network.body if isinstance(layer, nn.Conv2d)]
    assert len(layers) == 13
    assert torch.equal(layers[0].weight, torch.from_numpy(weights["block1_conv1.weight"]))
    assert torch.equal(layers[12].bias, torch.from_numpy(weights["block5_conv3.bias"]))
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, FEATURES)
    assert network(torch.zeros(0, 1, 28, 28)).shape == (0, FEATURES)


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("block3_conv2.bias", None, "nothing under block3_conv2.bias"),
        ("block1_conv1.weight", np.zeros((3, 3, 3, 64), np.float32), r"shape \(3, 3, 3, 64\) under block1_conv1.weight"),
    ],
)
def test_weights_of_another_network_are_refused(name: str, array: Any, said: str) -> None:
    weights: dict[str, Any] = {**random_weights(), name: array}
    with pytest.raises(DataError, match=said):
        FrozenVgg16().load(weights)


def test_half_precision_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_half(tmp_path, monkeypatch)
    assert find_weights(tmp_path) == path
    weights = read_weights(path)
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(weights["block2_conv1.weight"], random_weights()["block2_conv1.weight"], rtol=1e-3, atol=1e-6)


def test_another_half_precision_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_half(tmp_path, monkeypatch).write_bytes(b"PK and nothing")
    with pytest.raises(DataError, match=r"sha256 is .* published is"):
        find_weights(tmp_path)


def test_a_folder_without_weights_says_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="; put it there from https://"):
        find_weights(tmp_path)


@pytest.mark.parametrize("nested", [False, True])
def test_a_file_of_keras_is_read(nested: bool, tmp_path: Path, h5py: dict[str, Group], published: Any) -> None:
    path = published(tmp_path / "vgg16" / KERAS_NAME, b"keras")
    wanted = random_weights()
    h5py[path.name] = Group(block1_pool=Group())
    for name in (key.removesuffix(".weight") for key in wanted if key.endswith(".weight")):
        arrays = Group({f"{name}_W_1:0": wanted[f"{name}.weight"].transpose(2, 3, 1, 0), f"{name}_b_1:0": wanted[f"{name}.bias"]})
        h5py[path.name][name] = Group({name: arrays}) if nested else arrays
    assert find_weights(tmp_path) == path
    weights = read_weights(path)
    assert weights.keys() == wanted.keys()
    assert all(np.array_equal(weights[name], wanted[name]) for name in wanted)


def test_without_h5py_the_command_is_named(tmp_path: Path, published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = published(tmp_path / "vgg16" / KERAS_NAME, b"keras")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match="pip install h5py"):
        read_weights(path)


def test_a_damaged_file_of_keras(tmp_path: Path, h5py: dict[str, Group], published: Any) -> None:
    path = published(tmp_path / "vgg16" / KERAS_NAME, b"no hdf5")
    with pytest.raises(DataError, match=r"cannot be read .*fetch it again"):
        read_weights(path)
    path.write_bytes(b"changed")
    with pytest.raises(DataError, match="md5 is"):
        find_weights(tmp_path)


def test_features_are_computed_once(tmp_path: Path) -> None:
    network, images, path = Row(), digits(7), tmp_path / "features.npy"
    bench = bench_at(tmp_path)
    features = features_of(network, images, path, bench)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, logits_of(network, torch.from_numpy(images)), rtol=1e-3, atol=1e-3)
    again = features_of(network, images, path, bench)
    assert network.seen == 7 + 7
    assert torch.equal(features, again)


def test_no_digits_have_no_features(tmp_path: Path) -> None:
    assert features_of(Row(), digits(0), tmp_path / "features.npy", bench_at(tmp_path)).shape == (0, FEATURES)


def test_interrupted_features_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg16, "CHUNK", 4)
    images, bench = digits(10), bench_at(tmp_path)
    whole = features_of(Row(), images, tmp_path / "whole.npy", bench)

    def stop(network: Any, chunk: Any, **settings: Any) -> Any:
        if network.seen >= 4:
            raise KeyboardInterrupt
        return logits_of(network, chunk, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(vgg16, "logits_of", stop)
        with pytest.raises(KeyboardInterrupt):
            features_of(Row(), images, tmp_path / "broken.npy", bench)
    network = Row()
    assert torch.equal(features_of(network, images, tmp_path / "broken.npy", bench), whole)
    assert network.seen == 6


def test_features_of_other_digits_are_refused(tmp_path: Path) -> None:
    path, bench = tmp_path / "features.npy", bench_at(tmp_path)
    features_of(Row(), digits(3), path, bench)
    with pytest.raises(DataError, match="delete it"):
        features_of(Row(), digits(4), path, bench)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="delete it"):
        features_of(Row(), digits(3), path, bench)
