"""What is told to a real broker, what Home Assistant is told, and a broker that is away."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.errors import ExitCode, MissingExtraError, UsageError
from edge_digits.live.mqtt import PASSWORD_VARIABLE, MqttTeller, discovery, parse_broker
from tests.command_line import program
from tests.doubles.pages import draw_page, with_noise, write_film

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto on this machine (Debian: apt-get install mosquitto)")
WAIT_S = 60.0
SETTLED = {
    "event": "settled",
    "source": "0",
    "frame": 9,
    "time_s": 0.3,
    "at": "2026-01-01T00:00:00+00:00",
    "number": {"id": 1, "text": "42", "value": "42", "confidence": 0.98, "box": [1, 2, 3, 4], "digits": [], "votes": 4, "frames": 4},
}
PAGE = {"event": "page", "source": "0", "lines": [{"text": "42 7", "numbers": [{}, {}]}, {"text": "9", "numbers": [{}]}]}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def broker(port: int, folder: Path, more: str = "allow_anonymous true") -> Iterator[None]:
    pytest.importorskip("paho.mqtt")
    assert MOSQUITTO is not None
    (folder / "broker.conf").write_text(f"listener {port} 127.0.0.1\n{more}\n")
    with subprocess.Popen([MOSQUITTO, "-c", str(folder / "broker.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            until(lambda: reaches(port))
            yield
        finally:
            child.terminate()


def reaches(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Any) -> None:
    end = monotonic() + WAIT_S
    while not condition():
        assert monotonic() < end, "nothing came in time"
        threading.Event().wait(0.02)


@contextmanager
def listening(port: int) -> Iterator[dict[str, list[Any]]]:
    """All messages by topic, as they come."""
    mqtt = pytest.importorskip("paho.mqtt.client")
    heard: dict[str, list[Any]] = {}
    subscribed = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, message: heard.setdefault(message.topic, []).append(message)
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.subscribe("#", qos=1)
    client.loop_start()
    assert subscribed.wait(WAIT_S)
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.mark.hardware
@needs_mosquitto
def test_numbers_pages_and_crops_are_told_to_a_real_broker(port: int, tmp_path: Path) -> None:
    crop = np.full((20, 30, 3), 200, np.uint8)
    with broker(port, tmp_path), listening(port) as heard:
        teller = MqttTeller(parse_broker(f"mqtt://127.0.0.1:{port}/lab/desk"))
        teller.tell(SETTLED, crop)
        teller.tell(PAGE)
        teller.tell({**SETTLED, "event": "removed"})
        until(lambda: len(heard.get("lab/desk/event", [])) == 3 and "lab/desk/crop" in heard and "lab/desk/page" in heard)
        teller.close(WAIT_S)
        until(lambda: len(heard["lab/desk/status"]) == 2)
    assert [m.payload for m in heard["lab/desk/status"]] == [b"online", b"offline"]
    assert [json.loads(m.payload)["event"] for m in heard["lab/desk/event"]] == ["settled", "page", "removed"]
    (number,) = (json.loads(m.payload) for m in heard["lab/desk/number"])
    assert (number["text"], number["event"], number["source"]) == ("42", "settled", "0")
    (page,) = (json.loads(m.payload) for m in heard["lab/desk/page"])
    assert (page["text"], page["count"]) == ("42 7\n9", 3)
    (picture,) = heard["lab/desk/crop"]
    assert np.array_equal(cv2.imdecode(np.frombuffer(picture.payload, np.uint8), cv2.IMREAD_COLOR), crop)


@pytest.mark.hardware
@needs_mosquitto
def test_home_assistant_finds_every_topic_it_is_told_of(port: int, tmp_path: Path) -> None:
    with broker(port, tmp_path):
        with listening(port) as before:
            teller = MqttTeller(parse_broker(f"mqtt://127.0.0.1:{port}/lab/desk"))
            teller.tell(SETTLED, np.zeros((4, 4), np.uint8))
            teller.tell(PAGE)
            until(lambda: "lab/desk/page" in before and "lab/desk/crop" in before and "lab/desk/status" in before)
        with listening(port) as heard:  # who comes later sees what is retained
            until(lambda: len([t for t in heard if t.startswith("homeassistant/")]) == 3 and "lab/desk/page" in heard)
            until(lambda: {"lab/desk/number", "lab/desk/crop", "lab/desk/status"} <= set(heard))
        teller.close(WAIT_S)
    for topic, content in discovery("lab/desk").items():
        assert json.loads(heard[topic][0].payload) == content
        assert heard[content["availability_topic"]][0].payload == b"online"
        for name in ("state_topic", "image_topic", "json_attributes_topic"):
            assert content.get(name, "lab/desk/page") in heard
    assert "lab/desk/event" not in heard


@pytest.mark.hardware
@needs_mosquitto
def test_what_settled_while_the_broker_was_away_is_told_in_order_when_it_is_there(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("paho.mqtt")
    teller = MqttTeller(parse_broker(f"mqtt://127.0.0.1:{port}"))
    frames = range(50)
    for frame in frames:
        teller.tell({**SETTLED, "frame": frame})
    said: list[str] = []
    until(lambda: said.append(capsys.readouterr().err) or "cannot be reached" in "".join(said))
    with broker(port, tmp_path), listening(port) as heard:
        until(lambda: len(heard.get("edge-digits/event", [])) == len(frames))
        teller.close(WAIT_S)
    assert [json.loads(message.payload)["frame"] for message in heard["edge-digits/event"]] == list(frames)
    told = "".join(said) + capsys.readouterr().err
    assert told.count("cannot be reached") == 1
    assert f"mqtt://127.0.0.1:{port}: connected" in told


@pytest.mark.hardware
@needs_mosquitto
def test_what_is_over_before_the_broker_was_reached_is_told_all_the_same(port: int, tmp_path: Path) -> None:
    with broker(port, tmp_path), listening(port) as heard:
        teller = MqttTeller(parse_broker(f"mqtt://127.0.0.1:{port}"))
        teller.tell(SETTLED)
        teller.close(WAIT_S)
        until(lambda: len(heard.get("edge-digits/event", [])) == 1)


@pytest.mark.hardware
@needs_mosquitto
def test_a_wrong_password_is_told(port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with broker(port, tmp_path, "allow_anonymous false"):
        teller = MqttTeller(parse_broker(f"mqtt://someone:secret@127.0.0.1:{port}"))
        said: list[str] = []
        until(lambda: said.append(capsys.readouterr().err) or "refused the connection" in "".join(said))
        teller.close(0.1)
    assert "secret" not in "".join(said)


@pytest.mark.hardware
@needs_mosquitto
def test_the_command_tells_the_broker_what_it_prints(port: int, tmp_path: Path) -> None:
    sheet = draw_page({(80, 80): "4072"}, (240, 480), 60)
    film = write_film(tmp_path / "film.avi", [with_noise(sheet, seed) for seed in range(16)])
    with broker(port, tmp_path), listening(port) as heard:
        done = program("watch", film, "--no-window", "--once", "--mqtt", f"mqtt://127.0.0.1:{port}", timeout=120)
        assert done.returncode == ExitCode.OK, done.stderr
        until(lambda: len(heard.get("edge-digits/event", [])) == 2)
    assert [json.loads(m.payload) for m in heard["edge-digits/event"]] == [json.loads(line) for line in done.stdout.splitlines()]


def test_without_a_broker_the_command_goes_on_and_says_so(port: int, tmp_path: Path) -> None:
    pytest.importorskip("paho.mqtt")
    sheet = draw_page({(80, 80): "4072"}, (240, 480), 60)
    film = write_film(tmp_path / "film.avi", [with_noise(sheet, seed) for seed in range(16)])
    done = program("watch", film, "--no-window", "--once", "--mqtt", f"mqtt://127.0.0.1:{port}", timeout=120)
    assert done.returncode == ExitCode.OK
    words = done.stderr.decode()
    assert "broker cannot be reached" in words
    assert "was not told" in words
    assert "Traceback" not in words


def test_the_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    plain, full = parse_broker("mqtt://pi.local"), parse_broker("mqtts://me:p%40ss@pi.local:9883/home/desk/")
    assert (plain.host, plain.port, plain.base, plain.user, plain.password, plain.tls) == (
        "pi.local",
        1883,
        "edge-digits",
        None,
        None,
        False,
    )
    assert (full.host, full.port, full.base, full.user, full.password, full.tls) == ("pi.local", 9883, "home/desk", "me", "p@ss", True)
    assert full.name == "mqtts://pi.local:9883"
    monkeypatch.setenv(PASSWORD_VARIABLE, "hidden")
    assert parse_broker("mqtt://me@pi.local").password == "hidden"


@pytest.mark.parametrize(
    "url", ["", "pi.local", "http://pi.local", "mqtt://", "mqtt://pi.local:x", "mqtt://me:secret@/x", "mqtt://pi.local/a/+"]
)
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--mqtt") as caught:
        parse_broker(url)
    assert "secret" not in str(caught.value)


def test_without_paho_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "paho.mqtt.client", None)
    with pytest.raises(MissingExtraError, match=r'pip install "edge-digits\[mqtt\]"'):
        MqttTeller(parse_broker("mqtt://pi.local"))
