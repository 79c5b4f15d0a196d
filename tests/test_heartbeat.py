"""The service manager is told over a real socket, in time and not more often than need be."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_digits import heartbeat
from edge_digits.heartbeat import Heartbeat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="datagram sockets of systemd")


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        monkeypatch.chdir(tmp_path)  # paths of sockets are short
        end.bind("notify")
        end.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", "notify")
        monkeypatch.setenv("WATCHDOG_USEC", "8000000")
        yield end


def told(end: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(end.recv(100).decode())
        except BlockingIOError:
            return found


def test_up_at_once_then_alive_four_times_within_the_limit(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(heartbeat, "monotonic", lambda: clock[0])
    heart = Heartbeat()
    assert told(manager) == []
    heart.beat()
    assert told(manager) == ["READY=1", "WATCHDOG=1"]
    for clock[0], expected in ((100.5, []), (101.9, []), (102.0, ["WATCHDOG=1"]), (103.0, []), (110.0, ["WATCHDOG=1"])):
        heart.beat()
        assert told(manager) == expected


def test_without_a_watchdog_only_the_start_is_told(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")
    heart = Heartbeat()
    heart.beat()
    heart.beat()
    assert told(manager) == ["READY=1"]


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0edge-digits-test")
        end.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", "@edge-digits-test")
        Heartbeat().beat()
        assert told(end) == ["READY=1"]


def test_no_manager_and_a_vanished_one_disturb_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Heartbeat().beat()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    heart = Heartbeat()
    heart.beat()
    heart.beat()
