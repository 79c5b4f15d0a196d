"""`python -m export.finetune` from a samples folder to a model folder that the product reads with, and every refusal on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_digits.errors import ExitCode
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.weights import WEIGHTS_FOLDER
from export import finetune, harm_guard
from export.data import folder as data_folder
from export.own_samples import load_folder
from export.personal_model import find_target
from tests.command_line import LINES, Run
from tests.export.conftest import draw_digit, write_idx
from tests.personal.writers import mirrored, write_samples

HABITS = {2: mirrored, 7: mirrored}
DIGITS = 3000
FILES = {f"me.{kind}.{end}" for kind in ("int8", "float") for end in ("onnx", "golden.npz")} | {"manifest.json", "record.json"}

Finetune = Callable[..., int]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data folder with mnist/ of drawn digits, and the digests of its files."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(3)
    labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), DIGITS // 10))
    pictures = np.array([draw_digit(int(label), rng) for label in labels])
    digests = {}
    for prefix, count in (("train", DIGITS), ("t10k", 100)):
        for stem, array in ((f"{prefix}-images-idx3-ubyte", pictures[:count]), (f"{prefix}-labels-idx1-ubyte", labels[:count])):
            digests[stem] = write_idx(folder / "mnist" / f"{stem}.gz", array)
    return folder, digests


@pytest.fixture(scope="module")
def run_it(drawn: tuple[Path, dict[str, str]]) -> Iterator[Finetune]:
    """Calls the command on drawn data with few replayed tiles, to write the model `out`."""

    def call(samples: Path, out: Path, *more: str) -> int:
        fixed = ["--data", str(drawn[0]), "--threads", "1", "--precision", "float32"]
        return int(finetune.main(["--samples", str(samples), "--out", str(out), *fixed, *more]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_folder, "MNIST_IDX_MD5", drawn[1])
        patch.setattr(finetune, "REPLAY_TILES", 256)
        patch.setattr(finetune, "CALIBRATION_TILES", 64)
        yield call


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_samples(tmp_path_factory.mktemp("hand"), 4, HABITS)
    return write_samples(folder, 3, HABITS, seed=2, split="test")


@pytest.fixture(scope="module")
def published(run_it: Finetune, hand: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model "me" as the command wrote it; not to be changed."""
    out = tmp_path_factory.mktemp("published") / "me"
    assert run_it(hand, out, "--way", "head") == ExitCode.OK
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_from_samples_to_a_model_that_reads(published: Path, hand: Path, good: Path, run: Run) -> None:
    assert set(contents(published)) == FILES
    test = load_folder(hand, "test")
    shipped = Classifier(RecognitionOptions("digits", "cpu", "int8", 1))
    for precision in ("int8", "float"):
        tuned = Classifier(RecognitionOptions(str(published), "cpu", precision, 1))  # type: ignore[arg-type]
        assert tuned.card.not_one_digit_share == pytest.approx(shipped.card.not_one_digit_share)
        wrong = [int((each.logits(make_tiles(test.glyphs)).argmax(axis=1) != test.labels).sum()) for each in (tuned, shipped)]
        assert wrong[0] <= 0.7 * wrong[1]
    assert run("read", good, "--model", published).out.splitlines() == LINES


def test_the_files_tell_what_was_done(published: Path) -> None:
    record = json.loads((published / "record.json").read_text(encoding="utf-8"))
    figures = record["figures"]
    assert figures["own_errors_after"] < figures["own_errors_before"]
    assert figures["test_errors_after"] < figures["test_errors_before"]
    assert (record["samples"], figures["test_samples"]) == ([4] * 10, 30)
    assert record["plan"]["way"] == "head"
    assert str(published.parent) not in json.dumps(record)
    entry = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["models"]["me"]
    assert entry["training_sets"]["own_samples"]["glyphs"] == 40
    assert entry["training"]["fine_tuned"]["base"] == "digits"
    assert "figures" not in entry["training"]


def test_again_replaces_and_a_refusal_leaves_what_was_there(
    run_it: Finetune, published: Path, hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    out = Path(shutil.copytree(published, tmp_path / "me"))
    assert run_it(hand, out, "--way", "head", "--seed", "2") == ExitCode.OK
    said = capfd.readouterr()
    assert said.out.startswith("me: own errors ")
    assert "test errors" in said.out
    assert f"read with --model {out}" in said.err
    again = contents(out)
    assert again["me.float.onnx"] != contents(published)["me.float.onnx"]
    monkeypatch.setattr(harm_guard, "LARGEST_RESERVE_DROP", -1.0)
    assert run_it(hand, out, "--way", "head") == ExitCode.SOME_INPUTS_FAILED
    said = capfd.readouterr()
    assert said.out == ""
    assert "not fine-tuned, because other hands would lose" in said.err.splitlines()[-1]
    assert contents(out) == again


def test_wrong_labels_are_listed_and_refused(run_it: Finetune, tmp_path: Path, capfd: Any) -> None:
    assert run_it(write_samples(tmp_path / "wrong", 2, {}, shift=5), tmp_path / "me") == ExitCode.SOME_INPUTS_FAILED
    lines = capfd.readouterr().err.splitlines()
    assert sum(line.startswith("export.finetune: review train/") for line in lines) >= 15
    assert "labels cannot be right" in lines[-1]
    assert not (tmp_path / "me").exists()


def test_doubtful_labels_are_left_out_when_asked(run_it: Finetune, tmp_path: Path, capfd: Any) -> None:
    folder = write_samples(tmp_path / "mixed", 1, {})
    for path in (write_samples(tmp_path / "wrong", 1, {}, seed=9, shift=3) / "train").glob("*/*.png"):
        path.rename(folder / "train" / path.parent.name / f"wrong-{path.name}")
    run_it(folder, tmp_path / "me", "--leave-out-doubtful")
    left = next(line for line in capfd.readouterr().err.splitlines() if line.startswith("trained is"))
    assert int(left.split(", ")[1].split()[0]) < 15


def test_int8_that_misses_its_gate_writes_nothing(
    run_it: Finetune, hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text("[file]\nint8_bytes_max = 10", encoding="utf-8")
    monkeypatch.setattr("export.personal_model.GATES", strict)
    assert run_it(hand, tmp_path / "me", "--way", "head") == ExitCode.MODEL
    assert "file.int8_bytes" in capfd.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "me").exists()


def test_all_layers_pass_through_the_same_gate(run_it: Finetune, hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.fine_tuning.ALL_STEPS", 8)
    monkeypatch.setattr(harm_guard, "LARGEST_RESERVE_DROP", 5.0)
    assert run_it(hand, tmp_path / "me", "--way", "all") == ExitCode.OK
    assert json.loads((tmp_path / "me" / "record.json").read_text(encoding="utf-8"))["plan"]["way"] == "all"


def test_a_labelled_page_is_samples_too(run_it: Finetune, good: Path, tmp_path: Path, capfd: Any) -> None:
    labels = " ".join(line.replace(" ", "") for line in LINES)
    # Nine digits stand on the page: one too few.
    assert run_it(good, tmp_path / "me", "--labels", labels) == ExitCode.USAGE
    assert "9 samples are too few" in capfd.readouterr().err.splitlines()[-1]
    assert run_it(good, tmp_path / "me") == ExitCode.USAGE
    assert "--labels" in capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--base", "nobody"], ExitCode.MODEL, "no model 'nobody'"),
        (["--base", str(WEIGHTS_FOLDER / "digits.int8.onnx")], ExitCode.MODEL, "name the float file"),
        (["--way", "some"], ExitCode.USAGE, "auto, head, all"),
        (["--labels", "123"], ExitCode.USAGE, "--labels belongs to a page"),
        (["--samples", "nowhere"], ExitCode.USAGE, "nowhere"),
        (["--data", "nowhere"], ExitCode.SOME_INPUTS_FAILED, "nowhere"),
        (["--limit", "3"], ExitCode.USAGE, "no glyph is kept aside"),
        (["--out", str(WEIGHTS_FOLDER)], ExitCode.USAGE, "shipped"),
        (["--out", "no name"], ExitCode.USAGE, "letters"),
    ],
)
def test_mistakes_are_one_line(
    run_it: Finetune, hand: Path, tmp_path: Path, more: list[str], code: ExitCode, said: str, capfd: Any
) -> None:
    assert run_it(hand, tmp_path / "me", *more) == code
    shown = capfd.readouterr()
    last = shown.err.splitlines()[-1]
    assert shown.out == ""
    assert last.startswith("export.finetune: ")
    assert said in last
    assert "Traceback" not in shown.err
    assert not (tmp_path / "me").exists()


@pytest.mark.parametrize("more", [["--seed", "-1"], ["--limit", "0"], ["--threads", "-2"]])
def test_absurd_numbers(run_it: Finetune, hand: Path, tmp_path: Path, more: list[str], capfd: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        run_it(hand, tmp_path / "me", *more)
    assert stop.value.code == 2
    assert more[0] in capfd.readouterr().err


def test_an_interruption_is_told(run_it: Finetune, hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(finetune, "fit_and_measure", stop)
    assert run_it(hand, tmp_path / "me") == ExitCode.INTERRUPTED
    assert capfd.readouterr().err.splitlines()[-1] == "export.finetune: interrupted; nothing was written"
    assert not (tmp_path / "me").exists()


def test_where_a_model_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_it: Finetune, hand: Path, capfd: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_target("me").folder == Path("runs/finetune/me")
    assert find_target(str(tmp_path / "there")).name == "there"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.jpg").write_bytes(b"kept")
    assert run_it(hand, tmp_path / "full") == ExitCode.USAGE
    assert "holds something else" in capfd.readouterr().err
    assert contents(tmp_path / "full") == {"photo.jpg": b"kept"}
    assert run_it(hand, tmp_path / "full" / "photo.jpg") == ExitCode.USAGE
