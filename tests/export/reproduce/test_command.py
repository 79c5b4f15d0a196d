from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from torch import nn  # noqa: E402 - after the check for torch

from edge_digits.errors import ExitCode  # noqa: E402
from export.pictures import draw_curves  # noqa: E402
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce.fitting import fit  # noqa: E402
from export.reproduce.mnist import first_of_each_class, load_mnist  # noqa: E402
from export.reproduce.recipe import Recipe, Workbench  # noqa: E402
from export.reproduce.registry import MODULES, find_recipe  # noqa: E402
from tests.export.reproduce.benches import bench_at, smoke  # noqa: E402


def run_line(bench: Workbench) -> dict[str, Any]:
    """A recipe of one dense layer: what the command does around it is looked at here."""
    mnist = load_mnist(bench)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    train = torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    rows = fit(network, optimiser, train, train, epochs=bench.epoch_count(9, 2), batch=32, bench=bench, phase="line")
    draw_curves(bench.out / "curves.png", {"loss": [row["loss"] for row in rows]}, x_label="epoch", y_label="loss")
    (bench.out / "table.md").write_text("| a |\n", encoding="utf-8")
    return {"rows": rows, "judged": {}}


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The recipe `mlp` replaced by one dense layer; its settings may be changed by the test."""
    settings: dict[str, Any] = {"rate": 0.1, "epochs": 9}
    recipe = Recipe("mlp", "one layer", "none", {"mnist": 91.6}, settings, run_line)
    monkeypatch.setattr(command, "find_recipe", lambda _: recipe)
    return settings


def last_line(capsys: Any) -> str:
    return str(capsys.readouterr().err.splitlines()[-1])


def test_the_list_names_every_recipe(capsys: Any) -> None:
    assert command.main(["list"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(MODULES)
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", MODULES)
def test_recipes_say_what_they_are(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.name == name
    assert recipe.source
    assert json.loads(json.dumps(recipe.settings))
    assert all(0.0 < figure <= 100.0 for figure in recipe.source_figures.values())


def test_a_run_leaves_a_record(line: Any, drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "run"
    assert command.main(smoke("mlp", drawn_data, out, "--seed", "4")) == ExitCode.OK
    said = capsys.readouterr()
    assert said.out == ""
    record = json.loads((out / "record.json").read_text())
    assert record["epochs"] == {"line": 2}
    assert record["seed"] == 4
    assert record["smoke"] is True
    assert record["source_figures"] == {"mnist": 91.6}
    assert record["machine"]["threads"] == 1
    assert record["seconds"] > 0.0
    assert record["settings"]["rate"] == line["rate"]
    assert {"commit", "changed", "title", "source", "figures"} <= set(record)
    assert str(tmp_path) not in json.dumps(record)
    assert sorted(path.name for path in out.iterdir()) == ["curves.png", "line.pt", "record.json", "state.json", "table.md"]


def test_a_finished_run_is_not_repeated(line: Any, drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "run"
    assert command.main(smoke("mlp", drawn_data, out)) == ExitCode.OK
    first = (out / "record.json").read_bytes()
    assert command.main(smoke("mlp", drawn_data, out)) == ExitCode.OK
    assert "this run is finished" in last_line(capsys)
    assert (out / "record.json").read_bytes() == first


def test_an_interrupted_run_goes_on(line: Any, drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert command.main(smoke("mlp", drawn_data, whole, "--epochs", "3")) == ExitCode.OK
    with monkeypatch.context() as patched:
        patched.setitem(run_line.__globals__, "draw_curves", interrupt)
        assert command.main(smoke("mlp", drawn_data, broken, "--epochs", "3")) == ExitCode.INTERRUPTED
    assert "the same command goes on" in last_line(capsys)
    assert not (broken / "record.json").exists()
    assert command.main(smoke("mlp", drawn_data, broken, "--epochs", "3")) == ExitCode.OK
    a, b = (json.loads((out / "record.json").read_text())["figures"]["rows"] for out in (whole, broken))
    assert [row["loss"] for row in a] == [row["loss"] for row in b]


def interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("more", "named"), [(["--seed", "9"], "--seed"), (["--epochs", "7"], "--epochs"), (["--precision", "bfloat16"], "--precision")]
)
def test_other_settings_are_refused(line: Any, drawn_data: Path, tmp_path: Path, capsys: Any, more: list[str], named: str) -> None:
    out = tmp_path / "run"
    assert command.main(smoke("mlp", drawn_data, out)) == ExitCode.OK
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert command.main(smoke("mlp", drawn_data, out, *more)) == ExitCode.USAGE
    assert f"was begun with other settings ({named})" in last_line(capsys)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_changed_recipe_is_refused(line: dict[str, Any], drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    assert command.main(smoke("mlp", drawn_data, tmp_path / "run")) == ExitCode.OK
    line["rate"] = 0.2
    assert command.main(smoke("mlp", drawn_data, tmp_path / "run")) == ExitCode.USAGE
    assert "(rate)" in last_line(capsys)


def test_a_damaged_state_is_one_line(line: Any, drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "state.json").write_text("[1, 2]")
    assert command.main(smoke("mlp", drawn_data, tmp_path)) == ExitCode.USAGE
    assert "cannot be read" in last_line(capsys)


def test_results_are_kept(line: Any, drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    real = [argument for argument in smoke("mlp", drawn_data, tmp_path / "run", "--epochs", "1") if argument != "--smoke"]
    (tmp_path / "results" / "mlp").mkdir(parents=True)
    (tmp_path / "results" / "mlp" / "old.png").write_bytes(b"old")
    assert command.main([*real, "--keep"]) == ExitCode.OK
    assert sorted(path.name for path in (tmp_path / "results" / "mlp").iterdir()) == ["curves.png", "record.json", "table.md"]
    assert "kept in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--keep"], "--keep was given with --smoke"),
        (["--samples", "somewhere"], "takes no writer's digits"),
        (["--data", "nowhere-at-all"], "no such folder"),
    ],
)
def test_user_mistakes_are_one_line(line: Any, drawn_data: Path, tmp_path: Path, capsys: Any, more: list[str], said: str) -> None:
    code = command.main([*smoke("mlp", drawn_data, tmp_path / "run"), *more])
    last = last_line(capsys)
    assert code != ExitCode.OK
    assert last.startswith("export.reproduce: ")
    assert said in last
    assert not (tmp_path / "run" / "record.json").exists()


def test_an_unknown_name_is_told_the_others(capsys: Any) -> None:
    assert command.main(["alexnet"]) == ExitCode.USAGE
    assert "choose list, compare, table, lenet5-transfer" in last_line(capsys)


def test_a_folder_without_mnist(line: Any, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "data").mkdir()
    assert command.main(smoke("mlp", tmp_path / "data", tmp_path / "run")) == ExitCode.SOME_INPUTS_FAILED
    assert "no such file" in last_line(capsys)


@pytest.mark.parametrize("more", [["--epochs", "0"], ["--seed", "-1"], ["--threads", "-2"], ["--device", "tpu"], []])
def test_absurd_arguments(capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(["mlp", *more] if more else [])
    assert stop.value.code == 2
    assert (more or ["NAME"])[0] in capsys.readouterr().err


def test_a_smoke_run_takes_few_of_each_class(drawn_data: Path, tmp_path: Path) -> None:
    mnist = load_mnist(bench_at(tmp_path / "bench", data=drawn_data))
    counts = {int((mnist.test_labels == digit).sum()) for digit in range(10)}
    assert counts == {24}  # the drawn set has fewer than a smoke run would take
    labels = torch.arange(100).numpy().astype("uint8") % 10
    kept = first_of_each_class(labels, 30)
    assert len(kept) == 30
    assert kept.max() == 29
    assert len(first_of_each_class(labels[:0], 30)) == 0
