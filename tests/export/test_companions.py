"""Companions from a run folder to a float file, and the sets that calibration gets; networks of random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from calibration.companions.candidate import load_candidate
from calibration.companions.sets import load_companion_sets
from edge_digits.errors import ExitCode, UsageError
from edge_digits.paper.surroundings import PATCH_SHAPE
from export import checkpoint, companion_sets, companions_to_onnx
from export.context_network import ContextNetwork
from export.pages.crops import load_crops
from export.pages.proposals import Proposals, no_strips, save_shard
from export.string_network import StringNetwork
from export.strings import save_strips
from export.to_onnx import fold_batch_norm
from tests.export.training_sets import save_crops

KINDS = ("context", "strings", "finder")
PROPOSALS = 60
SHAPES = {"context": (2, *PATCH_SHAPE), "strings": (1, 32, 64), "finder": (1, 64, 96)}


def used(kind: str) -> Any:
    """A network whose batch norms hold statistics of their own, as after training."""
    torch.manual_seed(3)
    network = companions_to_onnx.NETWORKS[kind]()
    if kind == "context":
        torch.nn.init.normal_(network.head.weight, std=0.1)
    network.train()
    for _ in range(3):
        network(torch.rand(8, *SHAPES[kind]))
    return network.eval()


def proposals(count: int = PROPOSALS, page: int = 0) -> Proposals:
    rng = np.random.default_rng(page)
    return Proposals(
        rng.integers(0, 256, (count, 28, 28)).astype(np.uint8),
        rng.integers(0, 256, (count, 2, *PATCH_SHAPE)).astype(np.uint8),
        np.log(rng.dirichlet(np.ones(11), count)).astype(np.float16),
        (np.arange(count) % 12).clip(0, 10).astype(np.uint8),
        np.full(count, page, np.int32),
        *no_strips(),
    )


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two shards of 60 proposals together, two in twelve of which are not one digit."""
    (tmp_path / "proposals").mkdir()
    for page in range(2):
        save_shard(tmp_path / "proposals" / f"{page:04d}.npz", [proposals(PROPOSALS // 2, page)])
    return tmp_path / "proposals"


@pytest.fixture
def runs(tmp_path: Path, shards: Path) -> dict[str, Path]:
    """A finished run folder of each kind."""
    folders = {kind: tmp_path / kind for kind in KINDS}
    for kind, folder in folders.items():
        checkpoint.save(folder, {"average": used(kind).state_dict(), "settings": {"proposals": PROPOSALS}})
        (folder / "record.json").write_text(json.dumps({"network": kind, "commit": "c" * 40, "seed": 1, "history": [1]}), encoding="utf-8")
    return folders


def export(kind: str, runs: dict[str, Path], shards: Path, *more: str) -> tuple[int, Path]:
    out = runs[kind] / "network.onnx"
    given = ["--proposals", str(shards)] if kind == "context" else []
    return companions_to_onnx.main([kind, "--run", str(runs[kind]), *given, "--out", str(out), *more]), out


@pytest.mark.parametrize("kind", KINDS)
def test_folding_changes_nothing(kind: str) -> None:
    network, inputs = used(kind), torch.rand(4, *SHAPES[kind])
    folded = fold_batch_norm(network)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.modules())
    assert torch.allclose(folded(inputs), network(inputs), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_contract_of_the_file(kind: str, runs: dict[str, Path], shards: Path) -> None:
    code, out = export(kind, runs, shards)
    assert code == ExitCode.OK
    model = onnx.load(out)
    assert model.ir_version <= 8
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    candidate = load_candidate(out)
    assert candidate.card.kind == kind
    assert candidate.card.training["commit"] == "c" * 40
    assert "history" not in candidate.card.training
    assert "mnist_train" in candidate.card.training["sets"]
    if kind == "context":
        # On each of two pages 30 labels count 0..11 again and again, those above 10 cut off at 10: four of them.
        assert candidate.card.not_one_digit_share == pytest.approx(8 / 60, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_runtime_says_what_torch_says(kind: str, runs: dict[str, Path], shards: Path) -> None:
    _, out = export(kind, runs, shards)
    assert companions_to_onnx.difference(kind, used(kind), out.read_bytes()) < 1e-4
    network = used(kind)
    with torch.no_grad():
        network.head.bias += 0.25
    assert companions_to_onnx.difference(kind, network, out.read_bytes()) == pytest.approx(0.25, abs=1e-4)


def test_strips_of_any_width_pass(runs: dict[str, Path], shards: Path) -> None:
    _, out = export("strings", runs, shards)
    candidate = load_candidate(out)
    for count, width in ((1, 16), (5, 80), (2, 256)):
        assert candidate.outputs(np.zeros((count, 1, 32, width), np.uint8)).shape == (count, width // 4, 12)


def test_a_file_that_differs_from_torch_is_not_written(
    runs: dict[str, Path], shards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = companions_to_onnx.to_onnx

    def another(kind: str, network: Any, metadata: dict[str, str]) -> bytes:
        torch.manual_seed(8)
        return real(kind, StringNetwork().eval(), metadata)

    monkeypatch.setattr(companions_to_onnx, "to_onnx", another)
    code, out = export("strings", runs, shards)
    assert code == ExitCode.SOME_INPUTS_FAILED
    assert "nothing was written" in capsys.readouterr().err
    assert not out.exists()


def test_an_untrained_context_network_passes(runs: dict[str, Path], shards: Path) -> None:
    checkpoint.save(runs["context"], {"average": ContextNetwork().state_dict(), "settings": {"proposals": PROPOSALS}})
    code, out = export("context", runs, shards)
    assert code == ExitCode.OK
    assert np.abs(load_candidate(out).outputs(proposals().patches)).max() == 0.0


def test_the_same_run_gives_the_same_bytes(runs: dict[str, Path], shards: Path) -> None:
    first = export("strings", runs, shards)[1].read_bytes()
    assert export("strings", runs, shards)[1].read_bytes() == first


def test_other_proposals_than_the_runs_are_refused(runs: dict[str, Path], shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_shard(shards / "0002.npz", [proposals(4, 9)])
    code, out = export("context", runs, shards)
    assert code == ExitCode.USAGE
    assert "64 proposals" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("label", [3, 10])
def test_proposals_of_one_side_alone_are_refused(label: int, runs: dict[str, Path], shards: Path) -> None:
    for path in shards.glob("*.npz"):
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **{**arrays, "labels": np.full_like(arrays["labels"], label)})
    with pytest.raises(UsageError, match="share of not one digit"):
        companions_to_onnx.not_one_digit_share([shards], runs["context"])


def test_no_proposals_and_damaged_ones(runs: dict[str, Path], shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("context", runs, tmp_path / "nowhere")[0] == ExitCode.USAGE
    assert "0 proposals" in capsys.readouterr().err
    (shards / "0001.npz").write_bytes(b"no shard")
    assert export("context", runs, shards)[0] == ExitCode.USAGE
    assert "0001.npz: no proposals" in capsys.readouterr().err


def test_the_run_of_another_network(runs: dict[str, Path], shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("context", {"context": runs["strings"]}, shards)[0] == ExitCode.USAGE
    assert "holds no context network" in capsys.readouterr().err
    assert export("strings", {"strings": shards}, shards)[0] == ExitCode.USAGE
    assert "no checkpoint" in capsys.readouterr().err


def test_sets_are_known_ones(runs: dict[str, Path], shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = export("strings", runs, shards, "--sets", "mnist_train", "usps_train")
    assert code == ExitCode.OK
    assert load_candidate(out).card.training["sets"] == ["mnist_train", "usps_train"]
    assert export("strings", runs, shards, "--sets", "found_in_a_drawer")[0] == ExitCode.USAGE
    assert "found_in_a_drawer" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["context"], ["strings", "--proposals", "x"], ["tiles"], []])
def test_wrong_words(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        companions_to_onnx.main([*words, "--run", str(tmp_path), "--out", str(tmp_path / "x.onnx")])
    assert caught.value.code == ExitCode.USAGE


def write_strips(path: Path, count: int, first: int) -> Path:
    """Strips of several widths, each drawn with a grey of its own, from `first` on."""
    widths = np.random.default_rng(first).choice([16, 32, 48], count)
    strips = [np.full((32, width), first + index, np.uint8) for index, width in enumerate(widths)]
    save_strips(path, strips, [[(first + index) % 10, 10][: 1 + index % 2] for index in range(count)])
    return path


def test_strips_of_training_calibrate_and_those_kept_aside_judge(tmp_path: Path, shards: Path) -> None:
    trained, aside, out = write_strips(tmp_path / "a.npz", 60, 0), write_strips(tmp_path / "b.npz", 90, 100), tmp_path / "sets.npz"
    more = ["--calibration", "30", "--out", str(out)]
    words = ["strings", "--strips", str(trained), "--strips", str(shards), "--validation", str(aside), *more]
    assert companion_sets.main(words) == ExitCode.OK
    sets = load_companion_sets(out)
    assert (sets.kind, len(sets.calibration), len(sets.held_out)) == ("strings", 30, 90)
    for part, greys in ((sets.calibration, range(60)), (sets.held_out, range(100, 190))):
        assert len(part.groups) == 3
        numbers = [int(strip[0, 0, 0]) for group in part.groups for strip in group]
        assert set(numbers) <= set(greys)
        assert [labels[0] for labels in part.labels] == [number % 10 for number in numbers]
        assert all(labels[1:] in ((), (10,)) for labels in part.labels)


def test_proposals_become_sets(shards: Path, tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    save_shard(tmp_path / "aside" / "0000.npz", [proposals(20, 7)])
    out = tmp_path / "sets.npz"
    words = ["context", "--proposals", str(shards), "--validation", str(tmp_path / "aside"), "--out", str(out), "--calibration", "12"]
    assert companion_sets.main(words) == ExitCode.OK
    sets = load_companion_sets(out)
    aside = proposals(20, 7)
    assert np.array_equal(sets.held_out.groups[0], aside.patches)
    assert np.allclose(sets.held_out.said, aside.log_probabilities)
    assert [labels[0] for labels in sets.held_out.labels] == aside.labels.tolist()
    trained = {patch.tobytes() for page in range(2) for patch in proposals(PROPOSALS // 2, page).patches}
    assert len(sets.calibration) == 12
    assert all(patch.tobytes() in trained for patch in sets.calibration.groups[0])


def test_no_strips_and_no_shards(tmp_path: Path, shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--validation", str(shards), "--out", str(tmp_path / "sets.npz")]
    assert companion_sets.main(["strings", "--strips", str(shards), *more]) == ExitCode.USAGE
    assert "no strips" in capsys.readouterr().err
    assert companion_sets.main(["strings", "--strips", str(tmp_path / "nowhere.npz"), *more]) == ExitCode.USAGE
    assert "nowhere.npz: no strips" in capsys.readouterr().err
    assert companion_sets.main(["context", "--proposals", str(tmp_path / "no"), *more]) == ExitCode.USAGE
    assert "no proposals" in capsys.readouterr().err
    (shards / "0009.npz").write_bytes(b"")
    assert companion_sets.main(["context", "--proposals", str(shards), *more]) == ExitCode.USAGE
    assert "cannot be read" in capsys.readouterr().err
    assert companion_sets.main(["strings", "--strips", str(shards), *more]) == ExitCode.USAGE
    assert not (tmp_path / "sets.npz").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["context", "--validation", "x"],
        ["strings", "--validation", "x"],
        ["context", "--proposals", "x"],
        ["context", "--proposals", "x", "--strips", "x", "--validation", "x"],
        ["strings", "--strips", "x", "--validation", "x", "--held-out", "0"],
        ["finder", "--validation", "x"],
        ["finder", "--strips", "x", "--validation", "x"],
        ["tiles", "--validation", "x"],
    ],
)
def test_wrong_words_for_sets(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        companion_sets.main([*words, "--out", str(tmp_path / "x.npz")])
    assert caught.value.code == ExitCode.USAGE


def test_crops_become_sets(tmp_path: Path) -> None:
    trained, aside = (save_crops(tmp_path / name, count) for name, count in (("trained", 20), ("aside", 9)))
    out = tmp_path / "sets.npz"
    words = ["finder", "--crops", str(trained), "--validation", str(aside), "--out", str(out), "--calibration", "12"]
    assert companion_sets.main(words) == ExitCode.OK
    sets = load_companion_sets(out)
    assert (sets.kind, len(sets.calibration), len(sets.held_out)) == ("finder", 12, 9)
    assert np.array_equal(sets.held_out.groups[0][:, 0], load_crops(aside).pictures)
    assert np.array_equal(sets.held_out.strokes, load_crops(aside).strokes)


def test_pages_of_any_size_pass(runs: dict[str, Path], shards: Path) -> None:
    _, out = export("finder", runs, shards)
    candidate = load_candidate(out)
    for height, width in ((16, 16), (48, 160)):
        assert candidate.outputs(np.zeros((1, 1, height, width), np.uint8)).shape == (1, 29, height // 4, width // 4)
