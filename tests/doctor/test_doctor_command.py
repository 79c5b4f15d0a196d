"""`edge-digits doctor`: sound and broken installations, each finding with what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_digits.cli import main
from edge_digits.doctor import command, libraries, models
from edge_digits.doctor.finding import Finding, verdict
from edge_digits.errors import ExitCode
from edge_digits.options import RecognitionOptions
from edge_digits.recognition.weights import WEIGHTS_FOLDER

REAL_MODEL_CODE = models.MODEL_CODE


@pytest.fixture(autouse=True)
def quick_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Precisions are timed in one test only."""
    monkeypatch.setattr(
        models, "MODEL_CODE", f"import edge_digits.doctor.speed as s\ns.time_precisions = lambda *a: {{}}\n{models.MODEL_CODE}"
    )


def examine(**options: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in command.examine(RecognitionOptions(**options))[0]}


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
    assert sound | {"cpu", "power", "settings", "extras"} <= set(checks)
    assert all(checks[name]["status"] == "ok" for name in sound)
    assert "golden logits differ by" in checks["model int8"]["found"]
    assert set(report["findings"][0]) == {"check", "status", "found", "advice", "exit_code"}


def test_the_report_fits_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert len({line[:18] for line in lines if not line.startswith(" ")}) >= 12
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
    assert models._provider("auto", entry).status == "warn"
    assert models._provider("cpu", entry).status == "ok"


def test_an_import_that_dies_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    real = libraries.run_child

    def dying(code: str, *arguments: Any) -> Any:
        return real("import os, signal\nos.kill(os.getpid(), signal.SIGILL)" if "import onnxruntime" in code else code, *arguments)

    monkeypatch.setattr(libraries, "run_child", dying)
    found = examine()
    assert found["onnxruntime"].status == "fail"
    assert "SIGILL" in found["onnxruntime"].found
    assert "1.21.0" in found["onnxruntime"].advice
    assert "model int8" not in found
    assert verdict(list(found.values())) is ExitCode.USAGE


def test_precisions_are_timed_and_the_faster_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models, "MODEL_CODE", f"import edge_digits.doctor.speed as s\ns.BUDGET_S = 0.0\n{REAL_MODEL_CODE}")
    path = tmp_path / "mine.toml"
    path.write_text("threads = 1\n")
    assert main(["--config", str(path), "doctor", "--json", "--apply", "--provider", "cpu"]) == ExitCode.OK
    checks = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert "ms for the networks of a page" in checks["speed"]["found"]
    precision = "float" if checks["speed"]["status"] == "warn" else "auto"
    assert path.read_text().startswith(f'precision = "{precision}"  # int8 ')
    assert path.read_text().endswith("\nthreads = 1\n")
    assert checks["settings"]["found"] == f"{path}: threads"


def test_what_was_not_timed_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "edge-digits.toml"
    assert command.apply_speed({"float": 3.0}, path).status == "warn"
    assert not path.exists()
    assert command.apply_speed({"int8": 3.0, "float": 2.0}, path).found == f'precision = "float" in {path}'
    assert command.apply_speed({"int8": 3.0, "float": 9.0}, path).found == f'precision = "auto" in {path}'
    assert command.apply_speed({"int8": 3.0, "float": 2.0}, path / "x.toml").status == "fail"


def test_the_worst_failure_gives_the_exit_code() -> None:
    failures = [Finding("x", "fail", "", exit_code=code) for code in (ExitCode.PROVIDER, ExitCode.MODEL, ExitCode.USAGE)]
    assert verdict(failures) is ExitCode.USAGE
    assert verdict(failures[:2]) is ExitCode.MODEL
    assert verdict(failures[:1]) is ExitCode.PROVIDER
    assert verdict([Finding("x", "warn", "")]) is ExitCode.OK
    assert verdict([]) is ExitCode.OK


def test_an_unknown_provider_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--provider", "abacus"]) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "abacus" in printed.err


def run_without(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process in which a library cannot be imported."""
    root = str(Path(command.__file__).resolve().parent.parent.parent)
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
