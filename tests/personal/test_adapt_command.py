"""`edge-digits adapt`, and `--model NAME` afterwards, from the command line to the file and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_digits import cli
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import as_model_input
from edge_digits.personal.reserve import load_reserve
from edge_digits.recognition.adapted import MOST_FORMER, find_adapted, former_versions, remove_adapted, save_adapted
from edge_digits.recognition.classifier import Classifier
from tests.command_line import Run
from tests.personal.writers import mirrored, write_samples

HABITS = {2: mirrored, 7: mirrored}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own."""
    monkeypatch.setenv("EDGE_DIGITS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_samples(tmp_path_factory.mktemp("samples"), 4, HABITS)
    return write_samples(folder, 2, HABITS, seed=2, split="test")


@pytest.fixture(scope="module")
def adapted(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a model adapted to those samples."""
    home = tmp_path_factory.mktemp("adapted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_DIGITS_HOME", str(home))
        assert cli.main(["adapt", "--samples", str(samples), "--name", "me", "--threads", "1"]) == 0
    return (home / "models" / "me.npz").read_bytes()


@pytest.fixture
def me(home: Path, adapted: bytes) -> Path:
    """The adapted model "me", in the test's own data folder."""
    (home / "models").mkdir(parents=True)
    path = home / "models" / "me.npz"
    path.write_bytes(adapted)
    return path


def test_adapt_use_list_remove(run: Run, samples: Path, good: Path, home: Path) -> None:
    done = run("adapt", "--samples", samples, "--name", "me", "--format", "json")
    assert done.code == 0
    (entry,) = done.pages
    assert entry["samples"]["train"] == [4] * 10
    assert entry["figures"]["test_errors_after"] <= entry["figures"]["test_errors_before"]
    assert [path.name for path in home.rglob("*.*")] == ["me.npz"]
    assert (home / "models" / "me.npz").stat().st_size < 10_000

    (page,) = run("read", good, "--model", "me", "--format", "json").pages
    assert page["model"]["name"] == "me"
    (base,) = run("read", good, "--format", "json").pages
    assert base["model"]["sha256"] != page["model"]["sha256"]

    listed = run("adapt", "--list", "--format", "json").pages
    assert [item["name"] for item in listed] == ["me"]
    assert run("adapt", "--list").out.startswith("me: on ")

    assert run("adapt", "--remove", "me").code == 0
    assert run("adapt", "--list").out == ""
    gone = run("read", good, "--model", "me")
    assert gone.code == 3
    assert "no model 'me'" in gone.err


def test_adapting_again_can_be_rolled_back(run: Run, samples: Path, me: Path, adapted: bytes, good: Path) -> None:
    for _ in range(2):
        assert run("adapt", "--samples", samples, "--name", "me", "--threads", "1").code == 0
    second = former_versions("me")[1].read_bytes()
    assert [path.name for path in former_versions("me")] == ["me.1.npz", "me.2.npz"]
    assert former_versions("me")[0].read_bytes() == adapted
    assert [item["name"] for item in run("adapt", "--list", "--format", "json").pages] == ["me"]
    assert "1 earlier versions are left" in run("adapt", "--rollback", "me").complaints[0]
    assert me.read_bytes() == second
    assert run("adapt", "--rollback", "me").code == 0
    assert me.read_bytes() == adapted
    assert run("read", good, "--model", "me").code == 0
    nothing = run("adapt", "--rollback", "me")
    assert nothing.code == 3
    assert "nothing before it" in nothing.complaints[0]
    assert me.read_bytes() == adapted


def test_only_so_many_former_versions_are_kept(me: Path) -> None:
    head = find_adapted("me")
    assert head is not None
    for number in range(MOST_FORMER + 3):
        save_adapted(replace(head, metadata={**head.metadata, "number": number}))
    kept = former_versions("me")
    assert len(kept) == MOST_FORMER
    (kept[0].parent / "me.1x.npz").write_bytes(b"of somebody else")
    assert former_versions("me") == kept
    assert kept[-1].name == f"me.{MOST_FORMER + 3}.npz"
    save_adapted(replace(head, name="me-too"))
    assert former_versions("me-too") == []
    assert remove_adapted("me") == me
    assert former_versions("me") == []


@pytest.mark.usefixtures("me")
def test_the_adapted_model_judges_digits_anew_and_nothing_else() -> None:
    adapted, base = (Classifier(RecognitionOptions(name, provider="cpu", threads=1)) for name in ("me", "default"))
    tiles = as_model_input(load_reserve().tiles)
    assert not np.array_equal(adapted.logits(tiles), base.logits(tiles))
    assert np.array_equal(adapted.base_outputs(tiles)[0], base.logits(tiles))
    other, shipped = adapted.predict(tiles).probabilities[:, 10], base.predict(tiles).probabilities[:, 10]
    assert np.allclose(other, shipped, atol=1e-5)
    assert adapted.self_test() == base.self_test()
    assert adapted.logits(tiles[:0]).shape == (0, 11)
    assert adapted.features(tiles).shape[0] == len(tiles)


def test_a_refusal_leaves_the_former_model(run: Run, me: Path, adapted: bytes, tmp_path: Path) -> None:
    refused = run("adapt", "--samples", write_samples(tmp_path / "wrong", 2, {}, shift=5), "--name", "me")
    assert refused.code == 1
    assert refused.out == ""
    assert "nothing was written" in refused.complaints[-1]
    assert me.read_bytes() == adapted
    assert list(me.parent.iterdir()) == [me]


def test_another_base_is_refused(run: Run, me: Path, good: Path) -> None:
    with np.load(me) as arrays:
        kept = dict(arrays)
    metadata = json.loads(str(kept["metadata"]))
    metadata["base"]["sha256"] = dict.fromkeys(metadata["base"]["sha256"], "0" * 64)
    np.savez_compressed(me, **{**kept, "metadata": np.array(json.dumps(metadata))})
    refused = run("read", good, "--model", "me")
    assert refused.code == 3
    assert "another version" in refused.complaints[0]


@pytest.mark.parametrize("damage", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_named(run: Run, good: Path, home: Path, damage: bytes) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / "me.npz").write_bytes(damage)
    refused = run("read", good, "--model", "me")
    assert refused.code == 3
    assert "me.npz" in refused.complaints[0]
    assert run("adapt", "--list").code == 3


def test_weights_that_make_no_head_are_refused(run: Run, me: Path) -> None:
    with np.load(me) as arrays:
        kept = dict(arrays)
    np.savez_compressed(me, **{**kept, "bias": np.full(10, np.nan, np.float32)})
    assert run("adapt", "--list").code == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--samples", "SAMPLES"], "--name"),
        (["--samples", "SAMPLES", "--name", "../me"], "letters"),
        (["--samples", "SAMPLES", "--name", "default"], "shipped"),
        (["--samples", "missing", "--name", "me"], "no such folder"),
        (["--samples", "SAMPLES", "--name", "me", "--model", "nobody"], "no model 'nobody'"),
        (["--remove", "nobody"], "no adapted model"),
        (["--rollback", "nobody"], "no adapted model"),
        ([], "required"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, samples: Path, arguments: list[str], says: str) -> None:
    outcome = run("adapt", *(str(samples) if argument == "SAMPLES" else argument for argument in arguments))
    assert outcome.code in (2, 3)
    assert outcome.out == ""
    assert says in outcome.err


@pytest.mark.usefixtures("me")
def test_an_adapted_model_is_no_base(run: Run, samples: Path) -> None:
    again = run("adapt", "--samples", samples, "--name", "you", "--model", "me")
    assert again.code == 2
    assert "itself adapted" in again.err


def test_a_folder_that_cannot_be_written(run: Run, samples: Path, home: Path) -> None:
    home.write_text("in the way", encoding="utf-8")
    outcome = run("adapt", "--samples", samples, "--name", "me")
    assert outcome.code == 2
    assert "EDGE_DIGITS_HOME" in outcome.err


def test_no_adapted_model_of_such_a_name() -> None:
    assert find_adapted("me") is None
    assert find_adapted("../../etc/passwd") is None
