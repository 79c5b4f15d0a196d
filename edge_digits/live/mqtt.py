"""Tells an MQTT broker what has settled, and Home Assistant what to show of it.

Topics below BASE (the path of the URL, "edge-digits" without one):

    BASE/event     every event and page as `watch` prints it as JSON, QoS 1
    BASE/number    the number that settled or changed last, retained
    BASE/page      the page as it is, retained; "lines" is empty when the sheet has gone
    BASE/crop      PNG of the number that settled or changed last, retained
    BASE/status    "online" or "offline" (also the broker's last will), retained

and homeassistant/.../config, retained: two sensors and an image of one device, as its MQTT discovery wants them. A broker that
is away ends nothing: it is tried again and again, and what is to be told meanwhile waits.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits._version import __version__
from edge_digits.errors import MissingExtraError, UsageError

PASSWORD_VARIABLE: Final = "EDGE_DIGITS_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
DISCOVERY_PREFIX: Final = "homeassistant"
KEEP_ALIVE_S: Final = 30
RETRY_S: Final = (1, 60)
"""Pauses between tries to reach the broker: from, to; doubled each time."""
WAITING: Final = 1000
"""Messages that wait for a broker that is away; of more, the newest."""
LARGEST_STATE: Final = 255
"""Characters that Home Assistant takes as a state."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to tell. base : topic above all others. name : of the address, without user and password."""

    host: str
    port: int
    base: str
    user: str | None
    password: str | None
    tls: bool

    @property
    def name(self) -> str:
        """For messages."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_broker(url: str) -> Broker:
    """Broker of mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/BASE]. Raises UsageError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--mqtt: {error}; give mqtt://HOST, mqtt://USER@HOST:1883/TOPIC or mqtts://HOST") from error
    shown = re.sub(r"//[^/@]*@", "//", url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise UsageError(f"--mqtt is '{shown}'; give mqtt://HOST, mqtt://USER@HOST:1883/TOPIC or mqtts://HOST")
    base = unquote(parts.path).strip("/") or "edge-digits"
    if re.search(r"[+#\x00]", base):
        raise UsageError(f"--mqtt: topic '{base}' holds + or #; give a plain one, such as edge-digits/desk")
    password = unquote(parts.password) if parts.password is not None else os.environ.get(PASSWORD_VARIABLE)
    user = unquote(parts.username) if parts.username else None
    return Broker(parts.hostname, port or PORTS[parts.scheme], base, user, password, parts.scheme == "mqtts")


class MqttTeller:
    """Connects beside the loop and tells what it is given. Raises MissingExtraError without paho-mqtt."""

    def __init__(self, broker: Broker) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise MissingExtraError('--mqtt needs paho-mqtt; run: pip install "edge-digits[mqtt]"') from error
        self._broker, self._topic = broker, broker.base
        self.connected = threading.Event()
        self._complained = False
        self._answered = threading.Event()  # the first try has come to an end, one way or the other
        # The client's own queue would let a message pass those that wait for a connection while it is being made.
        self._waiting: deque[tuple[str, str | bytes, bool]] = deque(maxlen=WAITING)
        self._turn = threading.Lock()
        self._client: Any = Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(WAITING)
        self._client.reconnect_delay_set(*RETRY_S)
        self._client.will_set(f"{self._topic}/status", "offline", qos=1, retain=True)
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            self._client.tls_set()
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda *_: self._complain("cannot be reached")
        self._client.on_disconnect = self._on_disconnect
        self._client.connect_async(broker.host, broker.port, KEEP_ALIVE_S)
        self._client.loop_start()

    def tell(self, entry: dict[str, Any], crop: NDArray[np.uint8] | None = None) -> None:
        """Publish one JSON object of `live.watcher.entries`, and the crop of its number; returns at once."""
        self._publish("event", entry, retain=False)
        if entry["event"] == "page":
            text = "\n".join(line["text"] for line in entry["lines"])
            count = sum(len(line["numbers"]) for line in entry["lines"])
            self._publish("page", {"text": text, "count": count, **entry})
        elif entry["event"] != "removed":
            number = entry["number"]
            self._publish("number", {**number, "event": entry["event"], "at": entry["at"], "source": entry["source"]})
            if crop is not None:
                self._send(f"{self._topic}/crop", cv2.imencode(".png", crop)[1].tobytes(), retain=True)

    def close(self, wait_s: float) -> None:
        """Tell that this is the end, wait for what is under way for so long at most, and disconnect."""
        self._answered.wait(wait_s)  # a film may be over before the broker has been reached
        if self.connected.is_set():
            # Where the connection went meanwhile, or too much was waiting, the last will tells it.
            with suppress(RuntimeError, ValueError):
                self._client.publish(f"{self._topic}/status", "offline", qos=1, retain=True).wait_for_publish(wait_s)
        else:
            print(f"edge-digits: {self._broker.name}: was away at the end; what waited for it was not told", file=sys.stderr)
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, name: str, content: dict[str, Any], *, retain: bool = True) -> None:
        self._send(f"{self._topic}/{name}", json.dumps(content, ensure_ascii=False), retain=retain)

    def _send(self, topic: str, payload: str | bytes, *, retain: bool) -> None:
        with self._turn:
            if self.connected.is_set():
                self._client.publish(topic, payload, qos=1, retain=retain)
            else:
                self._waiting.append((topic, payload, retain))

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        del client, data, flags, properties
        if reason.is_failure:
            self._complain(f"refused the connection ({reason})")
            return
        if self._complained:
            print(f"edge-digits: {self._broker.name}: connected", file=sys.stderr, flush=True)
        self._complained = False
        for topic, content in discovery(self._topic).items():
            self._client.publish(topic, json.dumps(content), qos=1, retain=True)
        self._client.publish(f"{self._topic}/status", "online", qos=1, retain=True)
        with self._turn:
            while self._waiting:
                waiting, payload, retain = self._waiting.popleft()
                self._client.publish(waiting, payload, qos=1, retain=retain)
            self.connected.set()
        self._answered.set()

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        del client, data, flags, properties
        was_connected = self.connected.is_set()
        self.connected.clear()
        if was_connected and reason.is_failure:
            self._complain(f"went away ({reason})")

    def _complain(self, what: str) -> None:
        if not self._complained:
            self._complained = True
            kept = f"it is tried again, and up to {WAITING} messages wait"
            print(f"edge-digits: {self._broker.name}: broker {what}; {kept}", file=sys.stderr, flush=True)
        self._answered.set()


def discovery(base: str) -> dict[str, dict[str, Any]]:
    """Home Assistant's discovery messages: topic -> content."""
    identity = re.sub(r"[^a-zA-Z0-9_-]+", "_", base)
    device = {"identifiers": [identity], "name": base, "manufacturer": "edge_digits", "sw_version": __version__}
    common = {"availability_topic": f"{base}/status", "device": device}
    state = "{{ value_json.text[:%d] }}" % LARGEST_STATE  # noqa: UP031 - braces belong to the template
    return {
        f"{DISCOVERY_PREFIX}/sensor/{identity}/number/config": {
            **common,
            "name": "Number",
            "unique_id": f"{identity}_number",
            "state_topic": f"{base}/number",
            "value_template": state,
            "json_attributes_topic": f"{base}/number",
            "icon": "mdi:numeric",
        },
        f"{DISCOVERY_PREFIX}/sensor/{identity}/page/config": {
            **common,
            "name": "Numbers on the page",
            "unique_id": f"{identity}_page",
            "state_topic": f"{base}/page",
            "value_template": "{{ value_json.count }}",
            "json_attributes_topic": f"{base}/page",
            "state_class": "measurement",
            "icon": "mdi:text-box-outline",
        },
        f"{DISCOVERY_PREFIX}/image/{identity}/crop/config": {
            **common,
            "name": "Number as seen",
            "unique_id": f"{identity}_crop",
            "image_topic": f"{base}/crop",
            "content_type": "image/png",
        },
    }
