from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_digits import __version__, cli
from edge_digits.recognition import info_command, weights

Edit = Callable[[Path, Callable[[dict[str, Any]], object]], None]


@pytest.fixture
def toy_shipped(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy model as if it were the shipped one."""
    monkeypatch.setattr(info_command, "load_manifest", partial(weights.load_manifest, toy))
    return toy


def test_both_precisions_stand_side_by_side(toy_shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info"]) == 0
    out, err = capsys.readouterr()
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    sizes = [f"{(toy_shipped / f'toy.{kind}.onnx').stat().st_size:,}" for kind in ("int8", "float")]
    assert rows["bytes"][1:] == sizes
    assert rows["mnist_test"][1] == "%"
    assert len(rows["mnist_test"]) == 4
    assert rows["licence"][1] == "Apache-2.0"
    assert "MNIST, training part (CC BY-SA 3.0)" in out
    assert f"edge-digits {__version__}" in out
    assert err == ""


def test_json_holds_the_manifest_and_versions(toy_shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    manifest = json.loads((toy_shipped / "manifest.json").read_text(encoding="utf-8"))
    assert facts["models"] == manifest["models"]
    assert (facts["default"], facts["contract"]) == ("toy", 1)
    assert facts["versions"]["edge-digits"] == __version__
    assert "numpy" in facts["versions"]


def test_a_model_judged_by_other_gates_is_not_praised(toy_shipped: Path, change_manifest: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    change_manifest(toy_shipped, lambda m: m["models"]["toy"]["judged"].update(committed_gates=False))
    assert cli.main(["info"]) == 0
    assert "not the release gates" in capsys.readouterr().out


def test_a_model_without_int8_says_why(toy_shipped: Path, change_manifest: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(manifest: dict[str, Any]) -> None:
        entry = manifest["models"]["toy"]
        del entry["int8"]
        entry["int8_refused"] = {"missed": [{"gate": "mnist_test.drop_points"}]}

    change_manifest(toy_shipped, refuse)
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"int8 +not published: missed mnist_test\.drop_points", out)
    assert re.search(r"^ +float$", out, re.MULTILINE)


def test_an_entry_with_the_least_there_can_be(toy_shipped: Path, change_manifest: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    def strip(manifest: dict[str, Any]) -> None:
        least = {key: manifest["models"]["toy"]["float"][key] for key in ("file", "bytes", "sha256", "golden")}
        manifest["models"]["toy"] = {"float": least}

    change_manifest(toy_shipped, strip)
    assert cli.main(["info"]) == 0
    assert "not stated" in capsys.readouterr().out


def test_without_a_manifest_one_line_and_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(info_command, "load_manifest", partial(weights.load_manifest, tmp_path))
    assert cli.main(["info"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "no model manifest" in err


def test_an_unknown_option_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["info", "--nosuch"])
    assert caught.value.code == 2


def test_the_shipped_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    default = facts["models"][facts["default"]]
    assert default["int8"]["bytes"] <= 100_000
    assert default["licence"]
    assert default["training_sets"]
