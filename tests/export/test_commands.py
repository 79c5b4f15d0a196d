"""Every command of the workshop: it says what it takes, and all of them together bring digits into a model that is read with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from calibration import judge, publish, quantize, temperature
from edge_digits.errors import ExitCode
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier
from export import calibration_tiles, checkpoint, mine, parity, to_onnx, train
from export.data.glyphs import GlyphSet
from tests.calibration.toy import write_idx
from tests.command_line import LINES
from tests.picture_files import encode
from tests.strokes import draw_page

ROOT = Path(__file__).resolve().parents[2]
START_S = 120
"""Patience with a process that imports torch on a busy machine; nothing is measured by it."""

LENIENT_GATES = "[file]\nint8_bytes_max = 100_000\n[mnist_test]\nagreement_percent_min = 50.0\n"
"""A net of a few seconds is no release: the gates' own tests hold the real ones."""


def commands() -> list[str]:
    """Modules of export/ and calibration/ that `python -m` runs; of a package its name."""
    files = [path for folder in ("export", "calibration") for path in sorted((ROOT / folder).rglob("*.py"))]
    started = [path for path in files if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in started]


def test_the_commands_are_found() -> None:
    assert {"export.train", "export.cut_sheet", "export.reproduce.__main__", "calibration.quantize"} <= set(commands())


@pytest.mark.parametrize("name", commands())
def test_a_command_tells_its_own_name_and_what_it_takes(name: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        import_module(name).main(["--help"])
    assert stop.value.code == ExitCode.OK
    said = capsys.readouterr().out
    program = said.removeprefix("usage: python -m ").split(" [")[0]
    # A command within a command is called by its name after the other's.
    assert program.replace(" ", ".").startswith(name.removesuffix(".__main__"))
    assert all(line == line.rstrip() for line in said.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["export.train", "--data", "nowhere", "--out", "run", "--threads", "1"],
        ["export.reproduce", "mlp", "--smoke", "--data", "nowhere", "--out", "run", "--threads", "1"],
        ["export.cut_sheet", "nowhere.jpg", "--labels", "12", "--out", "cut"],
        ["calibration.quantize", "--float", "nowhere.onnx", "--tiles", "nowhere.npz", "--out", "q"],
    ],
)
def test_started_as_a_module_a_mistake_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=START_S, check=False
    )
    assert done.returncode not in (0, None)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"{arguments[0]}: ")
    assert "nowhere" in done.stderr


def train_arguments(data: Path, out: Path, *more: str) -> list[str]:
    how = ["--network", "tiny", "--epoch-tiles", "640", "--batch", "32", "--workers", "0", "--threads", "1", "--device", "cpu"]
    return ["--data", str(data), "--out", str(out), "--precision", "float32", "--epochs", "4", *how, *more]


def test_the_same_seed_gives_the_same_weights(drawn_data: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert (
            train.main(train_arguments(drawn_data, tmp_path / name, "--epochs", "1", "--epoch-tiles", "256", "--seed", "7")) == ExitCode.OK
        )
    a, b = (checkpoint.load(tmp_path / name)["average"] for name in ("a", "b"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_seed_mines_the_same_glyphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "page.png").write_bytes(encode("PNG", draw_page(LINES)))
    monkeypatch.setattr(mine, "SUREST_KEPT", (1.0,) * 10)
    monkeypatch.setattr(mine, "MOST_A_PAGE", 4)
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        arguments = ["--pages", str(tmp_path / "pages"), "--pattern", "*.png", "--seed", seed, "--out", str(tmp_path / f"{name}.npz")]
        assert mine.main(arguments) == ExitCode.OK
    a, b, c = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert a == b != c


def test_from_digits_to_a_model_that_is_read_with(drawn_data: Path, drawn_digits: GlyphSet, tmp_path: Path, capsys: Any) -> None:
    run, tiles, work, weights = (tmp_path / name for name in ("run", "tiles.npz", "work", "weights"))
    gates, verdict = tmp_path / "gates.toml", tmp_path / "verdict.json"
    gates.write_text(LENIENT_GATES, encoding="utf-8")
    pair = ["--float", str(work / "drawn.float.onnx"), "--int8", str(work / "drawn.int8.onnx")]
    assert train.main(train_arguments(drawn_data, run)) == ExitCode.OK
    assert to_onnx.main(["--run", str(run), "--not-one-digit-share", "0.05", "--out", str(tmp_path / "drawn.onnx")]) == ExitCode.OK
    assert parity.main(["--run", str(run), "--onnx", str(tmp_path / "drawn.onnx"), "--tiles", "40"]) == ExitCode.OK
    assert calibration_tiles.main(["--data", str(drawn_data), "--out", str(tiles), "--tiles", "128"]) == ExitCode.OK
    source = ["--float", str(tmp_path / "drawn.onnx"), "--tiles", str(tiles), "--out", str(work), "--name", "drawn"]
    assert quantize.main([*source, "--method", "minmax"]) == ExitCode.OK
    assert temperature.main([*pair, "--tiles", str(tiles)]) == ExitCode.OK
    measured = ["--tiles", str(tiles), "--gates", str(gates), "--rounds", "1", "--out", str(verdict)]
    assert judge.main([*pair, *measured]) == ExitCode.OK, capsys.readouterr()
    shipped = ["--verdict", str(verdict), "--mnist", str(write_idx(tmp_path / "mnist")), "--name", "drawn", "--out", str(weights)]
    assert publish.main([*pair, *shipped]) == ExitCode.OK, capsys.readouterr()
    assert json.loads((weights / "manifest.json").read_text())["models"]["drawn"]
    for precision in ("int8", "float"):
        classifier = Classifier(RecognitionOptions(str(weights / f"drawn.{precision}.onnx"), "cpu", threads=1))
        named = classifier.predict(make_tiles(list(drawn_digits.glyphs))).probabilities[:, :10].argmax(axis=1)
        # One font, few weights, four epochs: a chain that loses the pixels somewhere stays at 10 %.
        assert (named == drawn_digits.labels).mean() > 0.5, precision
