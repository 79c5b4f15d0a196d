"""`edge-digits batch --watch` as a program: what comes is read once, moved as told, and survives a kill."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from edge_digits.batch.moving import move_to
from edge_digits.errors import ExitCode
from tests.command_line import Run
from tests.doubles.desk import PATIENCE_S, Desk

pytest.importorskip("watchdog")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@linux
def test_a_folder_that_fills_through_a_kill_and_to_the_end(tmp_path: Path) -> None:
    desk, done, failed = Desk(tmp_path), tmp_path / "in" / "done", tmp_path / "failed"
    options = ("--watch", "--settle", "0.5", "--rescan", "1", "--read-to", done, "--failed-to", failed)

    def texts() -> list[tuple[str, str]]:
        return [(Path(row["source"]).stem, row["text"]) for row in desk.rows()]

    desk.put(a="1\n2", b="error")
    first = desk.start(*options)
    desk.until(lambda: texts() == [("a", "1"), ("a", "2"), ("b", "")])
    desk.until(lambda: (done / "a.png").exists() and (failed / "b.png").exists())
    desk.put(c="3", same="1\n2")
    desk.until(lambda: len(texts()) == 6)
    desk.until(lambda: (done / "c.png").exists() and (done / "same.png").exists())
    assert desk.read() == ["a", "a:2", "b", "c"]
    os.kill(first.pid, signal.SIGKILL)
    first.wait(PATIENCE_S)
    desk.until(lambda: not desk.workers(first.pid))
    desk.put(a="5", d="6")
    second = desk.start(*options)
    desk.until(lambda: len(texts()) == 8)
    desk.until((done / "a-2.png").exists)
    assert (done / "a.png").read_text(encoding="utf-8") == "1\n2"
    os.kill(second.pid, signal.SIGINT)
    assert second.wait(PATIENCE_S) == ExitCode.INTERRUPTED
    assert "Traceback" not in desk.told()
    assert "goes on watching" in desk.told()
    assert desk.read() == ["a", "d"]
    assert sorted(texts()) == sorted([("a", "1"), ("a", "2"), ("a", "5"), ("b", ""), ("c", "3"), ("d", "6"), ("same", "1"), ("same", "2")])
    assert not list(desk.folder.glob("*.png"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{tmp}/none", "--watch"], "is no folder"),
        (["{tmp}", "--watch", "--annotate", "{tmp}/x"], "not with --watch"),
        (["{tmp}", "--watch", "--settle", "0"], "settle is 0"),
        (["{tmp}", "--watch", "--rescan", "nan"], "rescan is nan"),
        (["{tmp}", "--watch", "--read-to", "{tmp}/file/x"], "cannot be made"),
    ],
)
def test_what_cannot_be_watched(run: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "file").touch()
    outcome = run("batch", *(argument.format(tmp=tmp_path) for argument in arguments), "--out", tmp_path / "t.csv")
    assert outcome.code == ExitCode.USAGE
    (line,) = outcome.complaints
    assert says in line


@pytest.mark.parametrize("links", [True, False])
def test_moving_never_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:

        def refuse(*_: object) -> None:
            raise PermissionError(1, "no links here")

        monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "done"
    for content in ("1", "2", "3"):
        (tmp_path / "a.b.png").write_text(content, encoding="utf-8")
        move_to(tmp_path / "a.b.png", target, Path("day", "a.b.png"))
    found = {path.name: path.read_text(encoding="utf-8") for path in (target / "day").iterdir()}
    assert found == {"a.b.png": "1", "a.b-2.png": "2", "a.b-3.png": "3"}
    assert not (tmp_path / "a.b.png").exists()
