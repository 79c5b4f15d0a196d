"""A batch that is interrupted or killed goes on where it was; a finished one reads only what is new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_digits.errors import ExitCode

BATCH = """
import argparse, sys
from edge_digits.batch.command import add_arguments, run
from edge_digits.errors import EdgeDigitsError
from tests.doubles import readers

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    try:
        sys.exit(run(parser.parse_args(sys.argv[2:]), getattr(readers, sys.argv[1])))
    except EdgeDigitsError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
"""
PATIENCE_S = 60


class Desk:
    """A folder with files for the told readers, and batches over it as programs of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.log = folder / "in", folder / "t.csv", folder / "log"
        self.folder.mkdir()
        self.script = folder / "run_batch.py"
        self.script.write_text(BATCH, encoding="utf-8")

    def put(self, **contents: str) -> None:
        for name, content in contents.items():
            (self.folder / f"{name}.png").write_text(content, encoding="utf-8")

    def start(self, *arguments: str, reader: str = "ToldReader") -> subprocess.Popen[str]:
        self.log.write_text("", encoding="utf-8")
        path = os.pathsep.join(entry for entry in sys.path if entry)
        command = [sys.executable, str(self.script), reader, str(self.folder), "--out", str(self.out), "--workers", "2", *arguments]
        return subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path, "READS_LOG": str(self.log)},
        )

    def batch(self, *arguments: str, reader: str = "ToldReader") -> tuple[int, str]:
        process = self.start(*arguments, reader=reader)
        _, told = process.communicate(timeout=PATIENCE_S)
        return process.returncode, told

    def read(self) -> list[str]:
        """Names of the files that were read in the last batch, in any order."""
        return sorted(self.log.read_text(encoding="utf-8").replace(".png", "").split())

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    def workers(self, session: int) -> list[int]:
        """Processes of a batch that are left, by its session."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, of = entry.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(of) == session and state != "Z":
                found.append(int(entry.parent.name))
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@linux
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_batch_goes_on_and_the_table_is_the_same(desk: Desk, tmp_path: Path, how: signal.Signals) -> None:
    go = tmp_path / "go"
    desk.put(a="1\n2", b="3", c=f"4\nwait {go}\n5", d="error", e=f"6\nwait {go}", f="7", g="8")
    process = desk.start()
    desk.until(lambda: {"c", "e"} <= set(desk.read()))
    before = desk.read()
    (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
    _, told = process.communicate(timeout=PATIENCE_S)
    desk.until(lambda: not desk.workers(process.pid))
    assert not desk.out.exists()
    if how == signal.SIGINT:
        assert process.returncode == ExitCode.INTERRUPTED
        assert "interrupted; 3 of 7 files are kept" in told
        assert "Traceback" not in told
    go.touch()
    code, told = desk.batch()
    assert code == ExitCode.SOME_INPUTS_FAILED
    assert "going on from" in told
    assert {"a", "b"} <= set(before)
    assert desk.read() == ["c", "d", "e", "f", "g"]
    resumed = desk.out.read_bytes()
    assert desk.batch("--overwrite")[0] == ExitCode.SOME_INPUTS_FAILED
    assert desk.out.read_bytes() == resumed
    assert resumed.count(b"\n") == 1 + 2 + 1 + 3 + 1 + 2 + 1 + 1


def test_resume_reads_only_what_is_new_changed_or_failed(desk: Desk) -> None:
    desk.put(a="1", b="2", c="error", d="4")
    assert desk.batch()[0] == ExitCode.SOME_INPUTS_FAILED
    code, told = desk.batch()
    assert (code, desk.read()) == (ExitCode.USAGE, [])
    assert "--resume" in told
    desk.put(b="22", c="3", aa="11")
    (desk.folder / "d.png").unlink()
    assert desk.batch("--resume")[0] == ExitCode.OK
    assert desk.read() == ["aa", "b", "c"]
    assert [line.split(",")[4] for line in desk.out.read_text(encoding="utf-8").splitlines()] == ["text", "1", "11", "22", "3"]
    assert desk.batch("--resume")[0] == ExitCode.OK
    assert desk.read() == []


def test_resume_with_other_settings_or_another_model(desk: Desk) -> None:
    desk.put(a="1")
    assert desk.batch()[0] == ExitCode.OK
    for arguments, reader, says in ((["--dpi", "300"], "ToldReader", "another source options"), ([], "OtherModel", "another model")):
        code, told = desk.batch("--resume", *arguments, reader=reader)
        assert code == ExitCode.USAGE
        assert says in told
        assert "--overwrite" in told
    assert desk.batch("--overwrite", reader="OtherModel")[0] == ExitCode.OK


def test_many_failures_are_told_shortly(desk: Desk) -> None:
    desk.put(**{f"f{index}": "error" for index in range(30)})
    code, told = desk.batch()
    assert code == ExitCode.SOME_INPUTS_FAILED
    lines = told.splitlines()
    assert len(lines) == 20 + 1 + 1
    assert "the table has them" in lines[20]
    assert desk.out.read_text(encoding="utf-8").count("is bad") == 30
