from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from edge_digits.errors import ExitCode  # noqa: E402 - after the check for torch
from export.data.glyphs import GlyphSet  # noqa: E402
from export.networks import count_parameters  # noqa: E402
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce import fitting  # noqa: E402
from export.reproduce.fitting import as_input  # noqa: E402
from export.reproduce.recipes import mlp  # noqa: E402
from export.reproduce.recipes.mlp import build, epochs_table, move_a_little  # noqa: E402
from tests.export.reproduce.benches import smoke  # noqa: E402


def test_a_smoke_run_goes_the_whole_way(drawn_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert command.main(smoke("mlp", drawn_data, out)) == ExitCode.OK
    record = json.loads((out / "record.json").read_text())
    figures = record["figures"]
    assert set(figures["judged"]) == {"mlp-plain", "mlp-dropout", "mlp-augmented"}
    assert [row["epoch"] for row in figures["by_epochs"]["plain"]] == [5]
    # Drawn digits in one font are easy: a net that learns nothing stays at 10 %.
    assert figures["by_epochs"]["plain"][0]["validation_accuracy"] > 60.0
    losses = {variant: rows[0]["loss"] for variant, rows in figures["by_epochs"].items()}
    assert losses["plain"] < losses["dropout"]
    assert losses["plain"] < losses["augmented"]
    assert {"curves.png", "overfitting.png", "epochs.md", "mlp-plain.int8.onnx"} <= {path.name for path in out.iterdir()}


def test_a_run_broken_off_in_its_second_phase_ends_the_same(drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlp, "judge", lambda *_: {})
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    save = fitting.save_state

    def save_and_stop(path: Path, state: dict[str, Any]) -> None:
        save(path, state)
        if path.name == "dropout.pt":
            raise KeyboardInterrupt

    assert command.main(smoke("mlp", drawn_data, whole, "--epochs", "2")) == ExitCode.OK
    with monkeypatch.context() as patched:
        patched.setattr(fitting, "save_state", save_and_stop)
        assert command.main(smoke("mlp", drawn_data, broken, "--epochs", "2")) == ExitCode.INTERRUPTED
    assert command.main(smoke("mlp", drawn_data, broken, "--epochs", "2")) == ExitCode.OK
    for phase in ("plain", "dropout", "augmented"):
        a, b = (fitting.load_state(run / f"{phase}.pt")["network"] for run in (whole, broken))
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_network_has_its_known_size() -> None:
    assert count_parameters(build()) == 101_770
    assert count_parameters(build(0.2)) == 101_770


def test_moved_digits_are_still_digits(drawn_digits: GlyphSet) -> None:
    images = torch.from_numpy(np.array(drawn_digits.glyphs))
    one, same = (move_a_little(images, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, same)
    assert one.shape == (len(images), 1, 28, 28)
    assert 0.0 <= float(one.min()) <= float(one.max()) <= 1.0
    assert not torch.equal(one[0], one[1])
    still = as_input(images)
    ink = one.sum(dim=(1, 2, 3)) / still.sum(dim=(1, 2, 3))
    assert 0.7 < float(ink.mean()) < 1.3
    at = torch.arange(28.0)
    shift = (one - still).sum(dim=(1, 2)) @ at / still.sum(dim=(1, 2, 3))
    assert float(shift.abs().mean()) > 0.1


def test_the_table_has_a_line_a_milestone() -> None:
    row = {"epoch": 5, "loss": 0.1, "validation_loss": 0.2, "accuracy": 97.0, "validation_accuracy": 96.0}
    assert epochs_table({"plain": [row, {**row, "epoch": 20}]}).splitlines()[2:] == [
        "| plain | 5 | 0.1000 | 0.2000 | 97.00 | 96.00 |",
        "| plain | 20 | 0.1000 | 0.2000 | 97.00 | 96.00 |",
    ]
