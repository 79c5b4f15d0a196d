from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

from edge_digits.errors import ExitCode, ModelContractError  # noqa: E402 - after the check for torch
from edge_digits.recognition.engine import Engine  # noqa: E402
from export.networks import count_parameters  # noqa: E402
from export.reproduce import __main__ as command  # noqa: E402
from export.reproduce.browser import describe_for_browser  # noqa: E402
from export.reproduce.fitting import as_input  # noqa: E402
from export.reproduce.recipes import browser_cnn, browser_mlp  # noqa: E402
from tests.export.reproduce.benches import smoke  # noqa: E402

RECIPES = {"browser-mlp": browser_mlp, "browser-cnn": browser_cnn}


def write_graph(path: Path, *operators: str, opset: int = 17, domain: str = "", shape: tuple[Any, ...] = ("n", 1, 28, 28)) -> Path:
    """An ONNX file whose nodes follow each other."""
    names = ["tiles", *(f"t{index}" for index in range(1, len(operators))), "logits"]
    nodes = [helper.make_node(kind, [names[i]], [names[i + 1]], domain=domain) for i, kind in enumerate(operators)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("tiles", "logits")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]), path)
    return path


def losses_of(run: Path) -> list[float]:
    return [row["loss"] for row in json.loads((run / "record.json").read_text())["figures"]["rows"]]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_smoke_run_leaves_a_file_for_the_browser(name: str, drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    run = tmp_path / "run"
    assert command.main(smoke(name, drawn_data, run, "--epochs", "25")) == ExitCode.OK
    assert capsys.readouterr().out == ""
    figures = json.loads((run / "record.json").read_text())["figures"]
    assert figures["browser"]["opset"] == 17
    assert figures["browser"]["input"] == ["n", 1, 28, 28]
    assert set(figures["browser"]["operators"]) <= {"Conv", "Relu", "MaxPool", "Flatten", "Gemm"}
    # Drawn digits in one font are easy: a network that learns nothing stays at 10 %.
    assert figures["judged"][name]["mnist"]["float"]["accuracy"] > 40.0
    assert losses_of(run)[-1] < 0.8 * losses_of(run)[0]
    assert (run / "curves.png").is_file()
    engine = Engine((run / f"{name}.float.onnx").read_bytes(), "cpu", threads=1, name=name)
    tiles = np.random.default_rng(1).random((3, 1, 28, 28), np.float32)
    one_by_one = np.concatenate([engine.run("logits", tiles[index : index + 1]) for index in range(3)])
    np.testing.assert_allclose(engine.run("logits", tiles), one_by_one, atol=1e-5)


def test_the_seed_decides(drawn_data: Path, tmp_path: Path) -> None:
    for out, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert command.main(smoke("browser-mlp", drawn_data, tmp_path / out, "--epochs", "1", "--seed", seed)) == ExitCode.OK
    a, b, c = (losses_of(tmp_path / name) for name in "abc")
    assert a == b != c


def test_networks_are_those_of_the_source() -> None:
    assert count_parameters(browser_mlp.build()) == 785 * 128 + 129 * 64 + 65 * 64 + 650
    assert count_parameters(browser_cnn.build()) == 416 + 12_832 + 1_569 * 128 + 1_290
    for recipe in RECIPES.values():
        assert recipe.build()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_a_known_graph_is_described(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "known.onnx", "Relu", "Relu", "Flatten")
    expected = {"operators": ["Flatten", "Relu"], "opset": 17, "input": ["n", 1, 28, 28], "bytes": path.stat().st_size}
    assert describe_for_browser(path) == expected


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        ({"operators": ("Relu", "NonZero")}, "NonZero"),
        ({"operators": ("Relu",), "domain": "ai.onnx.ml"}, "ai.onnx.ml.Relu"),
        ({"operators": ("Relu",), "opset": 13}, "opset 13"),
        ({"operators": ("Relu",), "shape": ("n", 1, "h", "w")}, "only the batch"),
    ],
)
def test_what_a_browser_may_not_run_is_refused(tmp_path: Path, graph: dict[str, Any], said: str) -> None:
    operators = graph.pop("operators")
    with pytest.raises(ModelContractError, match=said):
        describe_for_browser(write_graph(tmp_path / "strange.onnx", *operators, **graph))


def squares(count: int) -> Any:
    images = torch.zeros(count, 28, 28, dtype=torch.uint8)
    images[:, 9:19, 9:19] = 255
    return images


def test_distorted_digits_differ_and_keep_their_ink() -> None:
    images = squares(40)
    found = browser_cnn.distort(images, torch.Generator().manual_seed(1))
    assert found.shape == (40, 1, 28, 28)
    assert found.dtype == torch.float32
    assert 0.0 <= float(found.min()) <= float(found.max()) <= 1.0
    assert not torch.equal(found[0], found[1])
    ink = found.sum((1, 2, 3))
    assert 60.0 < float(ink.min()) < float(ink.mean()) < float(ink.max()) < 160.0
    assert torch.equal(found, browser_cnn.distort(images, torch.Generator().manual_seed(1)))
    assert not torch.equal(found, browser_cnn.distort(images, torch.Generator().manual_seed(2)))


def test_no_ink_stays_none() -> None:
    assert not browser_cnn.distort(torch.zeros(5, 28, 28, dtype=torch.uint8), torch.Generator()).any()


def test_no_distortion_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rotation_deg", "stretch", "shear", "shift_px", "bend_px"):
        monkeypatch.setitem(browser_cnn.SETTINGS, name, 0.0)
    images = squares(2)
    torch.testing.assert_close(browser_cnn.distort(images, torch.Generator()), as_input(images), atol=1e-5, rtol=0)
