from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from torch import nn  # noqa: E402 - after the check for torch

from edge_digits.errors import UsageError  # noqa: E402
from export.data.glyphs import GlyphSet  # noqa: E402
from export.reproduce import fitting  # noqa: E402
from export.reproduce.fitting import accuracy_of, as_input, fit, logits_of, loss_and_accuracy, predict  # noqa: E402
from tests.export.reproduce.benches import bench_at  # noqa: E402


@pytest.fixture
def digits(drawn_digits: GlyphSet) -> Any:
    return torch.from_numpy(np.array(drawn_digits.glyphs)), torch.from_numpy(drawn_digits.labels)


def network(seed: int = 1) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 10))


def train(digits: Any, out: Path, epochs: int = 3, seed: int = 1, **more: Any) -> Any:
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    settings = {"batch": 32, "bench": bench_at(out, seed=seed), "phase": "phase", **more}
    return net, fit(net, optimiser, digits, digits, epochs=epochs, **settings)


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(mine, theirs) for mine, theirs in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_it_learns_and_tells_each_epoch(digits: Any, tmp_path: Path) -> None:
    net, rows = train(digits, tmp_path, epochs=12)
    assert [row["epoch"] for row in rows] == list(range(1, 13))
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    assert rows[-1]["validation_accuracy"] > 60.0
    assert set(rows[0]) == {"epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds"}
    assert rows[-1]["validation_accuracy"] == pytest.approx(accuracy_of(net, *digits), abs=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["phase.pt"]


def test_a_resumed_run_equals_an_uninterrupted_one(digits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, rows = train(digits, tmp_path / "whole", schedule=lambda progress: 1.0 - progress)
    save = fitting.save_state

    def save_and_stop(path: Path, state: dict[str, Any]) -> None:
        save(path, state)
        if len(state["rows"]) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fitting, "save_state", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(digits, tmp_path / "broken", schedule=lambda progress: 1.0 - progress)
    # Whatever was drawn in between must not matter.
    torch.rand(100)
    resumed, again = train(digits, tmp_path / "broken", schedule=lambda progress: 1.0 - progress)
    assert same(whole, resumed)
    assert [{**row, "seconds": 0} for row in rows] == [{**row, "seconds": 0} for row in again]


def test_the_next_phase_draws_the_same_after_a_resume(digits: Any, tmp_path: Path) -> None:
    train(digits, tmp_path)
    after = torch.rand(5)
    train(digits, tmp_path)  # all epochs are done: only the state comes back
    assert torch.equal(torch.rand(5), after)


def test_the_seed_decides(digits: Any, tmp_path: Path) -> None:
    one, rows = train(digits, tmp_path / "1")
    two, again = train(digits, tmp_path / "2")
    other, _ = train(digits, tmp_path / "3", seed=2)
    assert same(one, two)
    assert [row["loss"] for row in rows] == [row["loss"] for row in again]
    assert not same(one, other)


def test_phases_of_one_seed_draw_differently(digits: Any, tmp_path: Path) -> None:
    one, _ = train(digits, tmp_path, phase="one")
    two, _ = train(digits, tmp_path, phase="two")
    assert not same(one, two)


def test_fewer_epochs_than_done_are_refused(digits: Any, tmp_path: Path) -> None:
    train(digits, tmp_path, epochs=3)
    with pytest.raises(UsageError, match="holds 3 epochs, asked for were 2"):
        train(digits, tmp_path, epochs=2)


def test_a_damaged_checkpoint_is_one_line(digits: Any, tmp_path: Path) -> None:
    (tmp_path / "phase.pt").write_bytes(b"PK nothing")
    with pytest.raises(UsageError, match=r"phase\.pt: cannot be read"):
        train(digits, tmp_path)
    assert (tmp_path / "phase.pt").read_bytes() == b"PK nothing"


def test_prepare_sees_the_bytes_of_a_batch(digits: Any, tmp_path: Path) -> None:
    seen = []

    def prepare(images: Any, generator: Any) -> Any:
        seen.append((images.dtype, tuple(images.shape)))
        return as_input(images) * torch.rand(1, generator=generator)

    train(digits, tmp_path, epochs=1, prepare=prepare)
    count = len(digits[1])
    assert {dtype for dtype, _ in seen} == {torch.uint8}
    assert sum(shape[0] for _, shape in seen) == count
    assert all(shape[1:] == (28, 28) for _, shape in seen)


def test_the_schedule_sets_the_rate(digits: Any, tmp_path: Path) -> None:
    still = network()
    before = {name: value.clone() for name, value in still.state_dict().items()}
    optimiser = torch.optim.SGD(still.parameters(), lr=0.5)
    fit(still, optimiser, digits, None, epochs=1, batch=32, bench=bench_at(tmp_path), phase="still", schedule=lambda _: 0.0)
    assert all(torch.equal(value, before[name]) for name, value in still.state_dict().items())


def test_bfloat16_keeps_weights_in_float32(digits: Any, tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 24 * 24, 10))
    bench = bench_at(tmp_path, bfloat16=True)
    rows = fit(net, torch.optim.Adam(net.parameters()), digits, digits, epochs=3, batch=32, bench=bench, phase="p")
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_float_inputs_go_through_as_they_are(tmp_path: Path) -> None:
    chance = torch.Generator().manual_seed(1)
    features = torch.randn(60, 6, generator=chance)
    labels = (features[:, 0] > 0).to(torch.uint8)
    head = nn.Linear(6, 10)
    rows = fit(
        head,
        torch.optim.SGD(head.parameters(), lr=1.0),
        (features, labels),
        (features, labels),
        epochs=20,
        batch=20,
        bench=bench_at(tmp_path),
        phase="head",
    )
    assert rows[-1]["validation_accuracy"] > 90.0


def test_evaluation_with_samples_and_without(digits: Any) -> None:
    net = network()
    images, labels = digits
    best = predict(net, images, batch=7)
    assert best.shape == (len(labels),)
    assert np.array_equal(best, predict(net, images, batch=100))
    assert accuracy_of(net, images, torch.from_numpy(best)) == 100.0
    loss, accuracy = loss_and_accuracy(net, images, labels)
    assert loss > 0.0
    assert accuracy == pytest.approx(accuracy_of(net, images, labels), abs=1e-4)
    assert logits_of(net, images[:0]).shape == (0, 10)
    assert accuracy_of(net, images[:0], labels[:0]) == 0.0
    assert loss_and_accuracy(net, images[:0], labels[:0]) == (0.0, 0.0)


def test_input_form() -> None:
    white = as_input(torch.full((2, 28, 28), 255, dtype=torch.uint8))
    assert white.shape == (2, 1, 28, 28)
    assert white.dtype == torch.float32
    assert float(white.min()) == 1.0
