"""`edge-digits doctor`: sound and broken installations, each finding with what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_digits import doctor
from edge_digits.bench.children import ChildDiedError
from edge_digits.cli import main
from edge_digits.doctor import EXTRAS, Finding, verdict
from edge_digits.errors import ExitCode
from edge_digits.options import RecognitionOptions
from edge_digits.recognition.weights import WEIGHTS_FOLDER

NOT_ADDED = ("cpu", "headless", "gpu", "workshop", "dev")
"""Extras that exclude each other, and those for work on the repository itself."""

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def findings_by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def examine(**options: Any) -> dict[str, Finding]:
    return findings_by_check(list(doctor.examine(RecognitionOptions(**options))))


def copy_of_weights(folder: Path) -> Path:
    copy = folder / "weights"
    shutil.copytree(WEIGHTS_FOLDER, copy)
    return copy


def test_this_installation_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--provider", "cpu"]) == ExitCode.OK
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert printed.err == ""
    assert report["exit_code"] == 0
    checks = {finding["check"]: finding for finding in report["findings"]}
    sound = {"python", "numpy", "opencv", "onnxruntime", "model int8", "model float", "provider"}
    assert sound | {"cpu", "speed"} <= set(checks)
    assert all(checks[name]["status"] == "ok" for name in sound)
    assert "golden logits differ by" in checks["model int8"]["found"]
    assert set(report["findings"][0]) == {"check", "status", "found", "advice", "exit_code"}


def test_the_report_fits_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert all(line.startswith(("ok ", "warn ", " ")) for line in lines)


def test_a_damaged_model_fails_with_its_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = copy_of_weights(tmp_path)
    manifest = json.loads((weights / "manifest.json").read_text())
    path = weights / manifest["models"][manifest["default"]]["int8"]["file"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    assert main(["doctor", "--json", "--model", str(weights)]) == ExitCode.MODEL
    checks = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert checks["model int8"]["status"] == "fail"
    assert "SHA-256" in checks["model int8"]["found"]
    assert checks["model float"]["status"] == "ok"


def test_a_model_published_without_int8_is_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = copy_of_weights(tmp_path)
    manifest = json.loads((weights / "manifest.json").read_text())
    entry = manifest["models"][manifest["default"]]
    del entry["int8"]
    entry["int8_refused"] = {"missed": [{"gate": "mnist_test.drop_points"}]}
    (weights / "manifest.json").write_text(json.dumps(manifest))
    assert main(["doctor", "--json", "--provider", "cpu", "--model", str(weights)]) == ExitCode.OK
    checks = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert checks["model int8"]["status"] == checks["model float"]["status"] == checks["provider"]["status"] == "ok"
    assert "not published (missed mnist_test.drop_points)" in checks["model int8"]["found"]
    assert "float model" in checks["provider"]["found"]
    assert "int8" not in checks["speed"]["found"]


def test_no_such_model_leaves_the_provider_untried() -> None:
    found = examine(model="nobody")
    assert found["model int8"].exit_code is ExitCode.MODEL
    assert found["provider"].status == "warn"
    assert "not tried" in found["provider"].found


def test_a_file_without_golden_tiles_is_a_warning(tmp_path: Path) -> None:
    weights = copy_of_weights(tmp_path)
    alone = tmp_path / "alone.onnx"
    shutil.copy(next(weights.glob("digits.int8.onnx")), alone)
    found = examine(model=str(alone), provider="cpu")
    assert found["model int8"].status == "warn"
    assert "no golden tiles" in found["model int8"].found


@pytest.mark.hardware
def test_cuda_that_is_not_there_fails_with_the_providers_code() -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("CUDA is compiled into this onnxruntime")
    found = examine(provider="cuda")
    assert found["provider"].status == "fail"
    assert verdict(list(found.values())) is ExitCode.PROVIDER


def test_cuda_compiled_in_but_not_obtained_is_a_warning() -> None:
    entry = {"compiled_in": ["CUDAExecutionProvider", "CPUExecutionProvider"], "obtained": "CPUExecutionProvider", "precision": "int8"}
    assert doctor._provider("auto", entry).status == "warn"
    assert doctor._provider("cpu", entry).status == "ok"


def test_an_import_that_dies_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.run_child

    def dying(code: str, *arguments: Any) -> Any:
        return real("import os, signal\nos.kill(os.getpid(), signal.SIGILL)" if "import onnxruntime" in code else code, *arguments)

    monkeypatch.setattr(doctor, "run_child", dying)
    found = examine()
    assert found["onnxruntime"].status == "fail"
    assert "SIGILL" in found["onnxruntime"].found
    assert "1.21.0" in found["onnxruntime"].advice
    assert "model int8" not in found
    assert verdict(list(found.values())) is ExitCode.USAGE


@pytest.mark.parametrize(
    ("reason", "advice"),
    [("ImportError: libGL.so.1: cannot open shared object file", "headless"), ("ModuleNotFoundError: No module named 'cv2'", "cpu")],
)
def test_opencv_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch, reason: str, advice: str) -> None:
    def failing(code: str, *arguments: Any) -> Any:
        raise ChildDiedError(reason)

    monkeypatch.setattr(doctor, "run_child", failing)
    finding = doctor._opencv()
    assert finding.status == "fail"
    assert f"edge-digits[{advice}]" in finding.advice


def test_two_wheels_of_one_library_are_a_broken_installation() -> None:
    opencv = doctor._clash("opencv", doctor.OPENCV, {"opencv-python": "4.10", "opencv-python-headless": "5.0"})
    runtime = doctor._clash("onnxruntime", doctor.RUNTIMES, {"onnxruntime": "1.31", "onnxruntime-gpu": "1.31"})
    assert opencv is not None
    assert runtime is not None
    assert "pip uninstall opencv-python opencv-python-headless" in opencv.advice
    assert "only the CPU provider" in runtime.found
    assert verdict([opencv]) is verdict([runtime]) is ExitCode.USAGE
    assert doctor._clash("opencv", doctor.OPENCV, {"opencv-python": "4.10"}) is None
    assert doctor._clash("opencv", doctor.OPENCV, {}) is None


def test_thirty_two_bits_need_another_system() -> None:
    assert doctor._python(64, "aarch64").status == "ok"
    finding = doctor._python(32, "armv7l")
    assert finding.status == "fail"
    assert "64-bit" in finding.advice


def test_int8_that_is_slower_is_a_warning() -> None:
    assert doctor._speed({"int8": 20.0, "float": 10.0}).status == "warn"
    assert doctor._speed({"int8": 10.0, "float": 20.0}).status == "ok"
    assert doctor._speed({"float": 20.0}).status == "ok"


def test_the_worst_failure_gives_the_exit_code() -> None:
    failures = [Finding("x", "fail", "", exit_code=code) for code in (ExitCode.PROVIDER, ExitCode.MODEL, ExitCode.USAGE)]
    assert verdict(failures) is ExitCode.USAGE
    assert verdict(failures[:2]) is ExitCode.MODEL
    assert verdict(failures[:1]) is ExitCode.PROVIDER
    assert verdict([Finding("x", "warn", "")]) is ExitCode.OK
    assert verdict([]) is ExitCode.OK


def test_a_missing_extra_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    finding = doctor._extra("xlsx")
    assert (finding.status, finding.found) == ("ok", 'not installed; pip install "edge-digits[xlsx]" adds it')


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_extras_are_those_that_can_be_installed() -> None:
    import tomllib

    if not PYPROJECT.is_file():
        pytest.skip("no pyproject.toml beside these tests")
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    added = {name: requirements for name, requirements in extras.items() if name not in NOT_ADDED}
    assert set(EXTRAS) == set(added)
    for extra, requirements in added.items():
        names = {re.split(r"[<>=!~\[; ]", requirement)[0].replace("-", "_") for requirement in requirements}
        assert set(EXTRAS[extra]) <= names


def test_an_unknown_provider_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--provider", "abacus"]) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "abacus" in printed.err


def run_without(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process in which a library cannot be imported."""
    root = str(Path(doctor.__file__).resolve().parent.parent)
    code = f"import sys\nsys.path.insert(0, {root!r})\nsys.modules[{module!r}] = None\n"
    code += f"from edge_digits.cli import main\nsys.exit(main({list(words)!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_doctor_runs_where_a_library_is_missing() -> None:
    done = run_without("cv2", "doctor", "--provider", "cpu")
    assert done.returncode == ExitCode.OK
    assert "model int8" in done.stdout


def test_other_commands_say_in_one_line_what_is_missing() -> None:
    done = run_without("cv2", "read", "page.jpg")
    assert done.returncode == ExitCode.USAGE
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "cv2" in done.stderr
    assert "edge-digits doctor" in done.stderr
