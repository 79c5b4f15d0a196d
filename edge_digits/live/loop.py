"""The loop of `watch`: frames in, lines out, until the source ends, a limit is reached, or somebody stops it.

Signals set a flag that the loop looks at several times a second, so that no JSON line is cut in two and the camera is
always given back.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, Final, Protocol

from edge_digits.errors import CameraError, ExitCode
from edge_digits.live.saving import save_page
from edge_digits.live.watcher import Look, Watcher, entries
from edge_digits.live.window import Window
from edge_digits.sources.camera import LiveFrame

WAIT_S: Final = 0.1
"""How long one turn waits for a frame; keys and signals are looked at in between."""
WINDOW_WAIT_S: Final = 0.02
BAR_DELAY_S: Final = 2.0


class FrameSource(Protocol):
    """What is used of Camera."""

    @property
    def ended(self) -> bool:
        """Whether no more frames will come."""

    @property
    def announced_frames(self) -> int:
        """Length of a recording in frames, 0 where unknown."""

    @property
    def is_recording(self) -> bool:
        """Whether time_s is the place in a recording."""

    def next_frame(self, wait_s: float) -> LiveFrame | None:
        """The next frame, None when none came in time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end. once : after the first settled page, which must come within wait_s. seconds : in any case."""

    once: bool = False
    wait_s: float | None = None
    seconds: float | None = None


class Watch:
    """One run over one source. sink : is given each JSON object. save : folder for settled pages."""

    def __init__(
        self,
        source: FrameSource,
        watcher: Watcher,
        limits: Limits,
        *,
        sink: Callable[[dict[str, Any]], None],
        window: Window | None = None,
        save: Path | None = None,
        key_folder: Path | None = None,
    ) -> None:
        self._source, self._watcher, self._limits, self._sink = source, watcher, limits, sink
        self._window, self._save, self._key_folder = window, save, save or key_folder
        self._stopped_by = 0
        self._frozen = False
        self._last: Look | None = None

    def run(self) -> ExitCode:
        """Watch to the end. Returns OK, or INTERRUPTED after Ctrl-C.

        Raises CameraError when the source fails, or --once saw no settled page.
        """
        started = monotonic()
        with self._signals(), self._progress() as advance:
            while not self._stopped_by and not self._source.ended:
                if self._is_time_up(monotonic() - started):
                    break
                look = self._turn()
                if look is not None:
                    advance(self._source.announced_frames)
                    if look.page is not None and self._limits.once:
                        return ExitCode.OK
        if self._stopped_by == signal.SIGINT:
            print("edge-digits: interrupted", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if self._limits.once:
            raise CameraError(f"no page settled {self._why(monotonic() - started)}; hold the sheet still and in focus, or raise --timeout")
        return ExitCode.OK

    def _turn(self) -> Look | None:
        if self._window is not None and not self._obey(self._window.key()):
            return None
        if self._frozen:
            threading.Event().wait(WINDOW_WAIT_S)
            return None
        live = self._source.next_frame(WAIT_S if self._window is None else WINDOW_WAIT_S)
        if live is None:
            return None
        look = self._last = self._watcher.look(live)
        told = entries(look)
        for entry in told:
            self._sink(entry)
        if look.page is not None and self._save is not None:
            self._keep(self._save, look, told[-1])
        if self._window is not None:
            self._window.show(look)
        return look

    def _obey(self, key: str) -> bool:
        """Do what a key asks; False when it asks to quit."""
        if key == "quit":
            self._stopped_by = signal.SIGTERM
            return False
        if key == "freeze":
            self._frozen = not self._frozen
            if self._last is not None and self._window is not None:
                self._window.show(self._last, frozen=self._frozen)
        if key == "save" and self._last is not None and self._key_folder is not None:
            entry = self._last.overlay.to_dict() if self._last.overlay is not None else {}
            self._keep(self._key_folder, self._last, entry)
        return True

    def _keep(self, folder: Path, look: Look, entry: dict[str, Any]) -> None:
        """Save, and when that fails go on: a full disk must not end the watch."""
        if look.overlay is None:
            return
        try:
            path = save_page(folder, look.frame.frame, look.overlay.reading, entry)
        except OSError as error:
            print(f"edge-digits: {folder}: page not saved ({error.strerror or error}); make room or check the folder", file=sys.stderr)
        else:
            print(f"edge-digits: saved {path}", file=sys.stderr)

    def _is_time_up(self, elapsed_s: float) -> bool:
        if self._limits.wait_s is not None and elapsed_s >= self._limits.wait_s:
            return True
        if self._limits.seconds is None:
            return False
        of_recording = self._source.is_recording and self._last is not None
        return (self._last.time_s if of_recording and self._last is not None else elapsed_s) >= self._limits.seconds

    def _why(self, elapsed_s: float) -> str:
        if self._stopped_by:
            return "before it was stopped"
        return "before the source ended" if self._source.ended else f"within {elapsed_s:.3g} s"

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: FrameType | None) -> None:
            del frame
            if self._stopped_by:  # asked twice: something hangs, so do not wait for the loop
                raise KeyboardInterrupt
            self._stopped_by = number

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def _progress(self) -> Iterator[Callable[[int], None]]:
        """A bar over the frames of a recording, for a person at a terminal."""
        if self._window is not None or not self._source.is_recording or not sys.stderr.isatty():
            yield lambda _: None
            return
        from tqdm import tqdm

        with tqdm(unit="frame", delay=BAR_DELAY_S, file=sys.stderr) as bar:

            def advance(total: int) -> None:
                bar.total = total or None
                bar.update()

            yield advance
