"""The command of --on-settled: a list of arguments, no shell, and nothing it does ends the watch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from edge_digits.errors import UsageError
from edge_digits.live import hook
from edge_digits.live.hook import SettledHook, filled, parse_command


def entry(text: str, identity: int = 1) -> dict[str, Any]:
    return {"event": "settled", "source": "0", "number": {"id": identity, "text": text, "value": text, "confidence": 0.99}}


def run(code: str, *entries: dict[str, Any], arguments: tuple[str, ...] = (), timeout_s: float = 60.0, wait_s: float = 60.0) -> None:
    started = SettledHook([sys.executable, "-c", code, *arguments], timeout_s)
    for each in entries:
        started.tell(each)
    started.close(wait_s)


WRITE = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2] + '|' + sys.stdin.read())"


def test_it_is_run_once_for_each_number_in_order(tmp_path: Path) -> None:
    told = tmp_path / "told"
    run(WRITE, entry("12"), entry("7", 2), arguments=(str(told), "{text} {id}"))
    first, second = told.read_text().splitlines()
    assert first.startswith("12 1|")
    assert json.loads(second.partition("|")[2]) == entry("7", 2)


def test_no_shell_reads_what_a_number_says(tmp_path: Path) -> None:
    told = tmp_path / "told"
    text = "$(touch x); `id` \"'"
    run(WRITE, entry(text), arguments=(str(told), "a {text} b"))
    assert told.read_text().startswith(f"a {text} b|")


def test_nothing_is_run_for_no_number(tmp_path: Path) -> None:
    run(WRITE, arguments=(str(tmp_path / "told"), "x"))
    assert not (tmp_path / "told").exists()


def test_a_command_that_fails_is_told_and_the_next_number_is_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "told"
    run(WRITE + "; sys.exit(3 if sys.argv[2] == '12' else 0)", entry("12"), entry("7"), arguments=(str(told), "{text}"))
    assert len(told.read_text().splitlines()) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("failed with exit code 3 for '12'") == 1
    assert err.count("\n") == 1


def test_what_the_command_prints_stays_off_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    run("print('hello')", entry("12"))
    assert capfd.readouterr() == ("", "hello\n")


def test_a_command_that_hangs_is_ended(capfd: pytest.CaptureFixture[str]) -> None:
    run("import time; time.sleep(600)", entry("12"), timeout_s=0.3)
    assert "took longer than 0.3 s and was ended" in capfd.readouterr().err


def test_the_end_does_not_wait_for_a_command_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hook, "ENDING_S", 60.0)  # on a busy machine the thread may need more than its share of a second
    begun = tmp_path / "begun"
    started = SettledHook([sys.executable, "-c", "import sys, time; open(sys.argv[1], 'w'); time.sleep(600)", str(begun)], timeout_s=600)
    started.tell(entry("12"))
    started.tell(entry("13"))
    for _ in range(6000):
        if begun.exists():
            break
        Event().wait(0.01)
    asked = monotonic()
    started.close(0.3)
    assert monotonic() - asked < 60
    err = capfd.readouterr().err
    assert "was still running at the end and was ended" in err
    assert "was not run for 1 numbers" in err


def test_more_than_can_wait_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(hook, "WAITING", 2)
    run("import time; time.sleep(600)", *[entry(str(n), n) for n in range(9)], timeout_s=600, wait_s=0.2)
    assert capfd.readouterr().err.count("the next ones are left out") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("echo 'x", "close the quotes"),
        ("echo {nonsense}", "{nonsense} is not known"),
        ("no-such-command-4711 {text}", "no command that can be run"),
    ],
)
def test_a_command_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_command(text)


def test_quoted_arguments_stay_one() -> None:
    assert parse_command("echo 'a  b' {text}") == ["echo", "a  b", "{text}"]


def test_what_is_not_known_of_a_number_is_empty() -> None:
    assert filled("{value}-{was}-{text}", {"event": "settled", "number": {"text": "4?", "value": None}}) == "--4?"
