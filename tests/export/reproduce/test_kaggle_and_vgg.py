from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from torch import nn  # noqa: E402 - after the check for torch

from edge_digits.errors import ExitCode  # noqa: E402
from export.networks import count_parameters  # noqa: E402
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce import fitting, judging, mnist, stages  # noqa: E402
from export.reproduce.recipes import kaggle_cnn, vgg16_frozen  # noqa: E402
from export.reproduce.stages import NAMED, load_compared, train_in_stages  # noqa: E402
from tests.export.reproduce.benches import bench_at, smoke  # noqa: E402
from tests.export.reproduce.vgg16_weights import write_half  # noqa: E402

TEST_DIGITS = 20


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Still fewer digits than in a smoke run: VGG16 takes a hundredth of a second for each."""
    for module, name, count in (
        (stages, "SMOKE_TRAIN", 40),
        (stages, "SMOKE_TEST", TEST_DIGITS),
        (mnist, "SMOKE_TEST", TEST_DIGITS),
        (judging, "SMOKE_TILES", 10),
    ):
        monkeypatch.setattr(module, name, count)


def record_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "record.json").read_text())
    return found


def test_both_run_and_the_second_shows_where_they_disagree(
    few: None, drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    write_half(drawn_data, monkeypatch)
    cnn, vgg = tmp_path / "kaggle-cnn", tmp_path / "vgg16-frozen"
    for name, run in (("kaggle-cnn", cnn), ("vgg16-frozen", vgg)):
        assert command.main(smoke(name, drawn_data, run)) == ExitCode.OK
        figures = record_of(run)["figures"]
        assert [row["epoch"] for row in figures["rows"]] == [1, 2]
        judged = figures["judged"][name]
        assert judged["bytes"]["int8"] < 0.3 * judged["bytes"]["float"]
        assert judged["mnist"]["float"]["n"] == TEST_DIGITS
        assert (run / f"{name}.int8.onnx").is_file()
        assert {"curves.png", NAMED.format(1), NAMED.format(2)} <= {path.name for path in run.iterdir()}
    assert record_of(cnn)["figures"]["compared"] is None
    assert record_of(vgg)["figures"]["weights"] == "vgg16_conv_imagenet_fp16.npz"
    named = [np.load(run / NAMED.format(2)) for run in (cnn, vgg)]
    compared = record_of(vgg)["figures"]["compared"]["after_2"]
    assert compared["disagreements"] == int((named[0] != named[1]).sum())
    assert compared["errors"] == [record_of(run)["figures"]["after_2"]["errors"] for run in (cnn, vgg)]
    pictures = {path.name for path in (vgg / "disagreements_after_2").iterdir()}
    truth = load_compared(bench_at(tmp_path, data=drawn_data)).test_labels
    differ = np.flatnonzero(named[0] != named[1])
    assert pictures == {f"{index}_{truth[index]}_{named[0][index]}_{named[1][index]}.png" for index in differ}
    assert capsys.readouterr().out == ""


def test_without_weights_it_is_one_line(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    assert command.main(smoke("vgg16-frozen", drawn_data, tmp_path / "run")) == ExitCode.SOME_INPUTS_FAILED
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "holds neither vgg16_conv_imagenet_fp16.npz nor vgg16_weights" in lines[0]
    assert not (tmp_path / "run" / "record.json").exists()


def test_networks_are_those_of_the_source() -> None:
    cnn, head = kaggle_cnn.build(), vgg16_frozen.build_head()
    # 832 + 25,632 + 18,496 + 36,928 in the convolutions, 803,072 + 2,570 in the dense layers.
    assert count_parameters(cnn) == 887_530
    assert count_parameters(head) == 512 * 512 + 512 + 5_130
    assert [layer.p for layer in cnn if isinstance(layer, nn.Dropout)] == [0.25, 0.25, 0.5]
    assert [layer.p for layer in head if isinstance(layer, nn.Dropout)] == [0.4]
    assert cnn(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_weights_start_as_those_of_keras() -> None:
    torch.manual_seed(1)
    layer = kaggle_cnn.start_as_keras(nn.Sequential(nn.Linear(300, 200)))[0]
    limit = (6.0 / 500) ** 0.5
    assert 0.99 * limit < float(layer.weight.detach().abs().max()) <= limit
    assert not layer.bias.any()


def small_run(drawn_data: Path, out: Path, epochs: int = 3, seed: int = 1) -> stages.Stages:
    """A dense layer in stages on the drawn digits."""
    bench = bench_at(out, data=drawn_data, seed=seed)
    digits = load_compared(bench)
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(784, 10))
    train = torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)
    test = torch.from_numpy(digits.test_images), torch.from_numpy(digits.test_labels)
    optimiser = kaggle_cnn.optimiser_of(network)
    return train_in_stages(network, optimiser, train, test, epochs=epochs, batch=20, bench=bench)


def losses(found: stages.Stages) -> list[float]:
    return [row["loss"] for row in found.rows]


def test_stages_learn_and_keep_what_they_named(drawn_data: Path, tmp_path: Path) -> None:
    found = small_run(drawn_data, tmp_path, epochs=8)
    assert list(found.named) == [1, 8]
    assert [row["epoch"] for row in found.rows] == list(range(1, 9))
    labels = load_compared(bench_at(tmp_path, data=drawn_data)).test_labels
    figures = found.figures(labels)
    assert figures["after_8"]["errors"] < 0.5 * figures["after_1"]["errors"] + 10
    assert figures["after_8"]["accuracy"] > 60.0
    assert np.array_equal(np.load(tmp_path / NAMED.format(8)), found.named[8])


def test_one_epoch_is_one_stage(drawn_data: Path, tmp_path: Path) -> None:
    found = small_run(drawn_data, tmp_path, epochs=1)
    assert list(found.named) == [1]
    assert len(found.rows) == 1


@pytest.mark.parametrize("saves", [1, 2])
def test_a_resumed_run_equals_an_uninterrupted_one(drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: int) -> None:
    whole = small_run(drawn_data, tmp_path / "whole")
    left = [saves]
    save = fitting.save_state

    def save_and_stop(path: Path, state: dict[str, Any]) -> None:
        save(path, state)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fitting, "save_state", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            small_run(drawn_data, tmp_path / "broken")
    broken = small_run(drawn_data, tmp_path / "broken")
    assert losses(broken) == losses(whole)
    assert all(np.array_equal(broken.named[look], whole.named[look]) for look in whole.named)


def test_the_seed_decides(drawn_data: Path, tmp_path: Path) -> None:
    runs = [small_run(drawn_data, tmp_path / str(index), seed=seed) for index, seed in enumerate((1, 1, 2))]
    assert losses(runs[0]) == losses(runs[1]) != losses(runs[2])
