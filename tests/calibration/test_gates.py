from __future__ import annotations

from pathlib import Path

import pytest

from calibration.errors import CalibrationError
from calibration.gates import Gate, check_float_alone, load_gates


def test_the_release_gates_ask_what_was_promised() -> None:
    gates = {(gate.group, gate.figure, gate.least): gate.limit for gate in load_gates().gates}
    assert gates["file", "int8_bytes", False] <= 100_000
    assert gates["mnist_test", "int8_accuracy_percent", True] >= 99.4
    assert gates["mnist_test", "drop_points", False] <= 0.05
    assert gates["mnist_test", "agreement_percent", True] >= 99.95


@pytest.mark.parametrize(("value", "passed"), [(99.4, True), (99.3999999, True), (99.39, False), (100.0, True)])
def test_at_least(value: float, passed: bool) -> None:
    assert Gate("s", "f", least=True, limit=99.4).check({"s": {"f": value}})["passed"] is passed


@pytest.mark.parametrize(("value", "passed"), [(99.99 - 99.94, True), (0.06, False), (-0.1, True)])
def test_at_most(value: float, passed: bool) -> None:
    assert Gate("s", "f", least=False, limit=0.05).check({"s": {"f": value}})["passed"] is passed


@pytest.mark.parametrize("figures", [{}, {"s": {}}, {"s": {"f": float("nan")}}])
def test_what_was_not_measured_does_not_pass(figures: dict[str, dict[str, float]]) -> None:
    assert Gate("s", "f", least=True, limit=0.0).check(figures)["passed"] is False
    assert Gate("s", "f", least=False, limit=0.0).check(figures)["passed"] is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no gate"),
        ("[mnist_test]", "holds no gate"),
        ("int8_bytes_max = 1", "stands alone"),
        ("[file]\nint8_bytes = 1", "is no gate"),
        ("[file]\n_max = 1", "is no gate"),
        ('[file]\nint8_bytes_max = "much"', "is no gate"),
        ("[file]\nint8_bytes_max = true", "is no gate"),
        ("[file", "cannot be read"),
    ],
)
def test_gates_that_are_none_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalibrationError, match=message):
        load_gates(path)


def test_a_missing_gates_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        load_gates(tmp_path / "nosuch.toml")


def test_float_alone_must_reach_what_int8_must() -> None:
    found = {
        "s": {"int8_accuracy_percent": 50.0, "float_accuracy_percent": 99.0, "drop_points": 49.0},
        "file": {"int8_bytes": 9, "float_bytes": 99},
    }
    gates = [Gate("s", "int8_accuracy_percent", True, 98.0), Gate("s", "drop_points", False, 0.1), Gate("file", "int8_bytes", False, 10)]
    alone = check_float_alone([gate.check(found) for gate in gates], found)
    assert [(check["gate"], check["value"], check["passed"]) for check in alone] == [("s.float_accuracy_percent", 99.0, True)]


def test_float_alone_fails_where_it_was_not_measured_or_is_too_low() -> None:
    checks = [Gate("s", "int8_accuracy_percent", True, 98.0).check({})]
    assert check_float_alone(checks, {})[0]["passed"] is False
    assert check_float_alone(checks, {"s": {"float_accuracy_percent": 97.0}})[0]["passed"] is False
    assert check_float_alone([], {}) == []
