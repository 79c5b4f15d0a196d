from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_digits.errors import ExitCode, ModelContractError, ModelDamagedError, ModelError, ModelNotFoundError
from edge_digits.recognition import weights

Edit = Callable[[Path, Callable[[dict[str, Any]], object]], None]


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_a_folder_gives_the_file_its_manifest_names(toy: Path, precision: str) -> None:
    file = weights.find_model(str(toy), precision)
    data = (toy / f"toy.{precision}.onnx").read_bytes()
    assert (file.name, file.precision, file.data, file.sha256) == ("toy", precision, data, hashlib.sha256(data).hexdigest())
    assert file.golden is not None
    assert file.golden[0].shape == (44, 28, 28)
    assert file.golden[1].shape == (44, 11)


def test_the_path_of_a_published_file_is_checked_like_its_name(toy: Path) -> None:
    file = weights.find_model(str(toy / "toy.float.onnx"), "int8")
    assert (file.precision, file.golden is not None) == ("float", True)


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_a_file_alone_tells_its_own_precision(toy: Path, precision: str) -> None:
    (toy / "manifest.json").unlink()
    other = "float" if precision == "int8" else "int8"
    file = weights.find_model(str(toy / f"toy.{precision}.onnx"), other)
    assert (file.precision, file.golden, file.entry) == (precision, None, {})


def test_one_changed_byte_is_seen(toy: Path) -> None:
    path = toy / "toy.int8.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelDamagedError, match=r"SHA-256 is .*manifest says .*reinstall"):
        weights.find_model(str(toy), "int8")
    assert weights.find_model(str(toy), "float").precision == "float"


def test_a_truncated_file_is_seen(toy: Path) -> None:
    path = toy / "toy.float.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelDamagedError, match="SHA-256"):
        weights.find_model(str(toy), "float")


def test_an_empty_file_is_seen(toy: Path) -> None:
    (toy / "toy.int8.onnx").write_bytes(b"")
    with pytest.raises(ModelDamagedError, match="SHA-256"):
        weights.find_model(str(toy), "int8")


def test_changed_golden_tiles_are_seen(toy: Path) -> None:
    (toy / "toy.int8.golden.npz").write_bytes(b"PK")
    with pytest.raises(ModelDamagedError, match=r"toy\.int8\.golden\.npz"):
        weights.find_model(str(toy), "int8")


def test_golden_tiles_that_are_no_arrays_are_named(toy: Path, change_manifest: Edit) -> None:
    data = b"PK\x03\x04 no zip file"
    (toy / "toy.int8.golden.npz").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    change_manifest(toy, lambda m: m["models"]["toy"]["int8"]["golden"].update(sha256=digest))
    with pytest.raises(ModelDamagedError, match="golden tiles of 'toy' int8"):
        weights.find_model(str(toy), "int8")


@pytest.mark.parametrize("model", ["nosuch", "nosuch.onnx", "folder/nosuch.onnx", "folder/nosuch"])
def test_an_unknown_model_is_not_found(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError, match="nosuch") as caught:
        weights.find_model(model, "int8")
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.exit_code == ExitCode.MODEL


def test_a_folder_without_a_manifest_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no model manifest"):
        weights.find_model(str(tmp_path), "int8")


def test_a_missing_file_of_the_manifest_is_not_found(toy: Path) -> None:
    (toy / "toy.int8.onnx").unlink()
    with pytest.raises(ModelNotFoundError, match=r"toy\.int8\.onnx"):
        weights.find_model(str(toy), "int8")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"text"', "\x00\x01", '{"contract": 1}', '{"contract": 1, "default": "a", "models": {}}']
)
def test_a_manifest_that_is_none_is_damaged(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json"):
        weights.load_manifest(tmp_path)


def test_a_manifest_of_another_contract_is_refused(toy: Path, change_manifest: Edit) -> None:
    change_manifest(toy, lambda m: m.update(contract=2))
    with pytest.raises(ModelContractError, match=r"contract 2, this edge_digits reads 1"):
        weights.load_manifest(toy)


@pytest.mark.parametrize("key", ["file", "sha256", "golden"])
def test_an_entry_that_lacks_something_says_what(key: str, toy: Path, change_manifest: Edit) -> None:
    change_manifest(toy, lambda m: m["models"]["toy"]["int8"].pop(key))
    with pytest.raises(ModelDamagedError, match=f"'toy' int8 lacks '{key}'"):
        weights.find_model(str(toy), "int8")


def test_a_precision_that_is_not_there_says_which_are(toy: Path, change_manifest: Edit) -> None:
    change_manifest(toy, lambda m: m["models"]["toy"].pop("float"))
    with pytest.raises(ModelNotFoundError, match="no float file; it has: int8"):
        weights.find_model(str(toy), "float")


def test_auto_is_int8_where_there_is_one_and_float_where_not(toy: Path, change_manifest: Edit) -> None:
    assert weights.find_model(str(toy), "auto").precision == "int8"
    change_manifest(toy, lambda m: m["models"]["toy"].pop("int8"))
    assert weights.find_model(str(toy), "auto").precision == "float"
    with pytest.raises(ModelNotFoundError, match="no int8 file; it has: float"):
        weights.find_model(str(toy), "int8")


def test_auto_of_a_model_without_any_file_is_not_found(toy: Path, change_manifest: Edit) -> None:
    change_manifest(toy, lambda m: [m["models"]["toy"].pop(kind) for kind in ("int8", "float")])
    with pytest.raises(ModelNotFoundError, match="no int8 file; it has: "):
        weights.find_model(str(toy), "auto")


def card_metadata(**changes: str | None) -> dict[str, str]:
    values: dict[str, str | None] = {
        "contract_version": "1",
        "labels": json.dumps(weights.LABELS),
        "temperature": "1.5",
        "reject_threshold": "0.7",
        "training": '{"seed": 3}',
    }
    return {key: value for key, value in {**values, **changes}.items() if value is not None}


def test_a_card_is_read() -> None:
    assert weights.read_card(card_metadata(), "m") == weights.ModelCard(1.5, 0.7, {"seed": 3})


@pytest.mark.parametrize(
    "changes",
    [
        {"contract_version": "2"},
        {"contract_version": None},
        {"labels": json.dumps(weights.LABELS[:10])},
        {"labels": None},
        {"temperature": None},
        {"temperature": "warm"},
        {"temperature": "0"},
        {"temperature": "-1"},
        {"temperature": "nan"},
        {"reject_threshold": "1.01"},
        {"reject_threshold": "nan"},
        {"training": "{"},
        {"training": None},
    ],
)
def test_a_card_off_the_contract_is_refused(changes: dict[str, str | None]) -> None:
    with pytest.raises(ModelContractError, match=r"^m: "):
        weights.read_card(card_metadata(**changes), "m")
