"""A batch that is interrupted or killed goes on where it was; a finished one reads only what is new."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from edge_digits.errors import ExitCode
from tests.doubles.desk import PATIENCE_S, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@linux
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_batch_goes_on_and_the_table_is_the_same(desk: Desk, tmp_path: Path, how: signal.Signals) -> None:
    go = tmp_path / "go"
    desk.put(a="1\n2", b="3", c=f"4\nerror\nwait {go}\n5", d="error", e=f"6\nerror\nwait {go}", f="7", g="8")
    process = desk.start()
    # A failure is told when it is in the journal, and so is what the same worker read before it.
    desk.until(lambda: {"c:3", "e:3"} <= set(desk.read()) and desk.told().count("is bad") == 3)
    assert desk.read() == ["a", "a:2", "b", "c", "c:2", "c:3", "d", "e", "e:2", "e:3"]
    (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
    process.wait(PATIENCE_S)
    told = desk.told()
    desk.until(lambda: not desk.workers(process.pid))
    assert not desk.out.exists()
    if how == signal.SIGINT:
        assert process.returncode == ExitCode.INTERRUPTED
        assert "interrupted; 3 of 7 files are kept" in told
        assert "Traceback" not in told
    go.touch()
    assert desk.batch(workers=2)[0] == ExitCode.SOME_INPUTS_FAILED
    assert desk.read() == ["c:3", "c:4", "e:3", "f", "g"]
    resumed = desk.out.read_bytes()
    assert desk.batch("--redo")[0] == ExitCode.SOME_INPUTS_FAILED
    assert len(desk.read()) == 13
    assert desk.out.read_bytes() == resumed
    assert resumed.count(b"\n") == 1 + 2 + 1 + 4 + 1 + 3 + 1 + 1


def test_the_same_command_reads_only_what_is_new_or_changed(desk: Desk) -> None:
    desk.put(a="1", b="2", c="error", d="4")
    assert desk.batch()[0] == ExitCode.SOME_INPUTS_FAILED
    assert desk.batch()[0] == ExitCode.SOME_INPUTS_FAILED
    assert desk.read() == []
    desk.put(b="22", aa="11")
    (desk.folder / "d.png").rename(desk.folder / "dd.png")
    (desk.folder / "e.png").write_bytes((desk.folder / "a.png").read_bytes())
    assert desk.batch()[0] == ExitCode.SOME_INPUTS_FAILED
    assert desk.read() == ["aa", "b"]
    rows = [line.split(",") for line in desk.out.read_text(encoding="utf-8").splitlines()]
    assert [(Path(row[0]).stem, row[4]) for row in rows[1:]] == [("a", "1"), ("aa", "11"), ("b", "22"), ("c", ""), ("dd", "4"), ("e", "1")]


def test_only_what_failed_is_read_again(desk: Desk) -> None:
    desk.put(a="1", b="2\nkill-once\nkill", c="error", d="cannot be opened")
    assert desk.batch()[0] == ExitCode.SOME_INPUTS_FAILED
    desk.put(c="5", new="6")
    code, _ = desk.batch("--only-failed")
    assert code == ExitCode.SOME_INPUTS_FAILED
    assert desk.read() == ["b:3", "b:3", "c"]
    table = desk.out.read_text(encoding="utf-8")
    assert "not read yet, since only what failed was read" in table
    assert desk.batch()[0] == ExitCode.SOME_INPUTS_FAILED
    assert desk.read() == ["new"]


def test_other_settings_and_models_have_pages_of_their_own(desk: Desk) -> None:
    desk.put(a="1", b="2")
    assert desk.batch()[0] == ExitCode.OK
    assert desk.batch("--dpi", "300")[0] == ExitCode.OK
    assert desk.read() == ["a", "b"]
    assert desk.batch(reader="OtherModel")[0] == ExitCode.OK
    assert desk.read() == ["a", "b"]
    assert desk.batch()[0] == ExitCode.OK
    assert desk.read() == []


def test_a_table_that_no_batch_wrote_is_kept(desk: Desk) -> None:
    desk.put(a="1")
    desk.out.write_text("mine", encoding="utf-8")
    code, told = desk.batch()
    assert code == ExitCode.USAGE
    assert "--redo replaces it" in told
    assert desk.out.read_text(encoding="utf-8") == "mine"
    assert desk.batch("--redo")[0] == ExitCode.OK


def test_many_failures_are_told_shortly(desk: Desk) -> None:
    desk.put(**{f"f{index}": f"{index}\nerror" for index in range(30)})
    code, told = desk.batch()
    assert code == ExitCode.SOME_INPUTS_FAILED
    lines = told.splitlines()
    assert len(lines) == 20 + 1 + 1
    assert "the table has them" in lines[20]
    assert desk.out.read_text(encoding="utf-8").count("is bad") == 30
