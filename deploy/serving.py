"""A server of `edge-digits serve` in a process of its own, watched from outside: for checks that load it or do it harm."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOP_S = 60.0
WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. process : its number. port : on 127.0.0.1. token : what it asks for, "" for nothing."""

    process: int
    port: int
    token: str

    def ask(
        self, path: str, body: bytes | None = None, *, source: str = "127.0.0.1", method: str | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of one request on a connection of its own. source : own address to ask from."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S, source_address=(source, 0))
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            if self.token and "authorization" not in given:
                given["authorization"] = f"Bearer {self.token}"
            connection.request(method or ("GET" if body is None else "POST"), path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def is_well(self) -> bool:
        """Whether it still says that it is."""
        status, body = self.ask("/health")
        return status == 200 and json.loads(body)["status"] == "ok"

    def resident_bytes(self) -> int:
        """Memory that the process holds now."""
        return int(Path(f"/proc/{self.process}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def peak_bytes(self) -> int:
        """The most it ever held."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process}/status").read_text(encoding="ascii"))
        return int(found.group(1)) * 1024 if found else 0


@contextmanager
def run_server(token: str = "", *arguments: str) -> Iterator[Served]:
    """Run `edge-digits serve` on a free port, with a user's folder of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "EDGE_DIGITS_HOME": home, "EDGE_DIGITS_TOKEN": token}
        command = [sys.executable, "-m", "edge_digits", "serve", "--port", "0", "--threads", "1", *arguments]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as program:  # noqa: S603 - this project, no shell
            try:
                assert program.stderr is not None
                line = program.stderr.readline()
                found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
                if found is None:
                    raise RuntimeError(f"the server did not start: {line.strip()}")
                yield Served(program.pid, int(found.group(1)), token)
            finally:
                program.terminate()
                program.communicate(timeout=STOP_S)


def machine() -> dict[str, Any]:
    """How loaded the machine is, for the record: speeds of a busy machine say little."""
    return {"cores": os.cpu_count(), "load_average": [round(value, 1) for value in os.getloadavg()]}
