"""Fresh processes: what they bring home, and how their deaths are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import edge_digits
from edge_digits.bench.children import ChildDiedError, run_child


def test_result_comes_home_whatever_else_was_printed() -> None:
    result, elapsed_ms = run_child("print('noise')\nresult['sum'] = sum(argument)", [1, 2, 3])
    assert result == {"sum": 6}
    assert elapsed_ms > 0


def test_no_code_gives_an_empty_result() -> None:
    assert run_child("")[0] == {}


def test_child_imports_the_same_package_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "edge_digits.py").write_text("raise RuntimeError('the wrong one')\n")
    monkeypatch.chdir(tmp_path)
    result, _ = run_child("import edge_digits\nresult['file'] = edge_digits.__file__")
    assert Path(result["file"]).resolve() == Path(str(edge_digits.__file__)).resolve()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_the_childs_own() -> None:
    """ru_maxrss of a child starts at what its parent held; VmHWM does not."""
    code = "import sys\nfrom edge_digits.bench.children import run_child\nblock = bytearray(300_000_000)\n"
    code += "print(run_child(\"result['mb'] = memory_mb('VmHWM')\")[0]['mb'])"
    root = str(Path(str(edge_digits.__file__)).parent.parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": root})
    assert 1 < float(done.stdout) < 100


def test_an_exception_is_its_last_line() -> None:
    with pytest.raises(ChildDiedError, match="ModuleNotFoundError: No module named 'no_such_module'"):
        run_child("import no_such_module")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_illegal_instruction_is_named() -> None:
    with pytest.raises(ChildDiedError) as caught:
        run_child("import os, signal\nos.kill(os.getpid(), signal.SIGILL)")
    assert caught.value.died_of == "SIGILL"


def test_an_exit_without_result_is_an_error() -> None:
    with pytest.raises(ChildDiedError, match="exit code 0"):
        run_child("sys.stdout.flush()\nimport os\nos._exit(0)")


def test_a_child_that_hangs_is_ended() -> None:
    with pytest.raises(ChildDiedError, match="no answer within"):
        run_child("import time\ntime.sleep(30)", time_limit_s=0.2)
