"""Where events go: stdout, the folder of --save, the command of --on-settled, an MQTT broker."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import cv2

from edge_digits.live.hook import SettledHook
from edge_digits.live.mqtt import MqttTeller
from edge_digits.live.page import SettledPage
from edge_digits.live.saving import Keeper, crop_of
from edge_digits.sources.camera import LiveFrame

Entry = dict[str, Any]


class Outputs:
    """Gives each event to all that want it, in the order in which it came.

    write : prints one. keeper, hook, mqtt : the others, where they are asked for. embed_crops : a PNG of each settled number goes
    into its JSON object, base64.
    """

    def __init__(
        self,
        write: Callable[[Entry], None],
        *,
        keeper: Keeper | None = None,
        hook: SettledHook | None = None,
        mqtt: MqttTeller | None = None,
        embed_crops: bool = False,
    ) -> None:
        self._write, self._keeper, self._hook, self._mqtt, self._embed = write, keeper, hook, mqtt, embed_crops

    def tell(self, entry: Entry, frame: LiveFrame, page: SettledPage | None = None) -> None:
        """Tell one event. frame : that its boxes refer to. page : of an event "page"."""
        crop = None
        is_news = entry["event"] in ("settled", "changed")
        if is_news:
            number = entry["number"]
            crop = crop_of(frame.frame, tuple(number["box"]))
            if self._keeper is not None:
                path = self._keeper.keep_crop(frame.frame, tuple(number["box"]), number["id"])
                entry["crop"] = None if path is None else str(path)
            if self._embed:
                entry["crop_png"] = base64.b64encode(cv2.imencode(".png", crop)[1].tobytes()).decode("ascii")
        self._write(entry)
        if page is not None and self._keeper is not None:
            self._keeper.keep_page(frame.frame, page.reading, entry)
        if is_news and self._hook is not None:
            self._hook.tell(entry)
        if self._mqtt is not None:
            self._mqtt.tell({name: value for name, value in entry.items() if name != "crop_png"}, crop)

    def close(self, wait_s: float) -> None:
        """Let commands and messages under way come to an end, for so long at most."""
        if self._hook is not None:
            self._hook.close(wait_s)
        if self._mqtt is not None:
            self._mqtt.close(wait_s)
