"""Starts a command of the user's for each settled number: arguments as a list, no shell, one after the other.

A command that fails or hangs is told on stderr and ends nothing; what the numbers say can never become part of a command
line that somebody interprets.
"""

from __future__ import annotations

import json
import queue
import re
import shlex
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from edge_digits.errors import UsageError

FIELDS: Final = ("text", "value", "confidence", "id", "event", "was", "source", "crop")
"""What {name} in an argument may stand for."""
WAITING: Final = 100
"""Numbers that wait for their turn; more than that are left out, and told."""
POLL_S: Final = 0.02
ENDING_S: Final = 0.2
"""Longest wait, on top of what is allowed for them, for a command to be ended and that to be told."""


def parse_command(text: str) -> list[str]:
    """The command and its arguments, split as a shell would, not run by one. Raises UsageError."""
    try:
        command = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--on-settled '{text}': {str(error).lower()}; close the quotes") from error
    if not command:
        raise UsageError("--on-settled is empty; give a command, such as 'notify-send {text}'")
    unknown = {name for word in command for name in re.findall(r"\{(\w+)\}", word)} - set(FIELDS)
    if unknown:
        raise UsageError(f"--on-settled: {{{min(unknown)}}} is not known; use {', '.join(f'{{{name}}}' for name in FIELDS)}")
    if shutil.which(command[0]) is None:
        raise UsageError(f"--on-settled: '{command[0]}' is no command that can be run; give its path, or install it")
    return command


class SettledHook:
    """Runs the command beside the loop. timeout_s : longest a command may take."""

    def __init__(self, command: list[str], timeout_s: float) -> None:
        self._command, self._timeout_s = command, timeout_s
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(WAITING)
        self._deadline_s: float | None = None
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name="on-settled", daemon=True)
        self._thread.start()

    def tell(self, entry: dict[str, Any]) -> None:
        """Run the command for one settled or changed number, when those before it are done."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            self._left_out += 1
            if self._left_out == 1:
                self._say(f"is too slow, {WAITING} numbers wait; the next ones are left out")

    def close(self, wait_s: float) -> None:
        """Let what waits be run, for so long at most; what still runs then is ended."""
        self._deadline_s = monotonic() + wait_s
        with suppress(queue.Full):
            self._waiting.put(None, timeout=wait_s)
        self._thread.join(wait_s + ENDING_S)
        left = self._left_out + sum(entry is not None for entry in self._waiting.queue)
        if left:
            self._say(f"was not run for {left} numbers")

    def _run(self) -> None:
        while (entry := self._waiting.get()) is not None:
            if self._deadline_s is not None and monotonic() > self._deadline_s:
                self._left_out += 1
                continue
            try:
                self._run_one(entry)
            except OSError as error:
                self._say(f"cannot be run ({error.strerror or error})")

    def _run_one(self, entry: dict[str, Any]) -> None:
        arguments = [filled(word, entry) for word in self._command]
        with subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
            arguments, stdin=subprocess.PIPE, stdout=sys.stderr.fileno(), stderr=sys.stderr.fileno(), text=True
        ) as child:
            started = monotonic()
            _feed(child, json.dumps(entry, ensure_ascii=False) + "\n")
            while child.poll() is None:
                if monotonic() - started > self._timeout_s:
                    child.kill()
                    self._say(f"took longer than {self._timeout_s:g} s and was ended")
                    return
                if self._deadline_s is not None and monotonic() > self._deadline_s:
                    child.kill()
                    self._say("was still running at the end and was ended")
                    return
                threading.Event().wait(POLL_S)
            if child.returncode:
                self._say(f"failed with exit code {child.returncode} for '{entry['number']['text']}'")

    def _say(self, what: str) -> None:
        print(f"edge-digits: --on-settled {self._command[0]}: {what}", file=sys.stderr, flush=True)


def _feed(child: subprocess.Popen[str], line: str) -> None:
    """The JSON object on the command's standard input; one that does not read it is none the worse."""
    assert child.stdin is not None
    try:
        child.stdin.write(line)
        child.stdin.close()
    except BrokenPipeError:
        pass


def filled(word: str, entry: dict[str, Any]) -> str:
    """An argument with its {names} replaced; what is not known of this number is empty."""
    fields = {**entry, **entry["number"]}
    return re.sub(r"\{(\w+)\}", lambda m: "" if fields.get(m[1]) is None else str(fields[m[1]]), word)
