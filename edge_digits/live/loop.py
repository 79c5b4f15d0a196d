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
from typing import Final, Protocol

from edge_digits.errors import CameraError, ExitCode
from edge_digits.heartbeat import Heartbeat
from edge_digits.live.correcting import Correcting
from edge_digits.live.outputs import Outputs
from edge_digits.live.saving import Keeper
from edge_digits.live.watcher import Look, Watcher, entries, entry_of
from edge_digits.live.window import Key, Window
from edge_digits.sources.camera import LiveFrame

WAIT_S: Final = 0.1
"""How long one turn waits for a frame; keys and signals are looked at in between."""
WINDOW_WAIT_S: Final = 0.02
BAR_DELAY_S: Final = 2.0
SAMPLES_FOLDER: Final = Path("samples")
"""Where corrected digits are stored unless asked otherwise: in the current folder."""


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
    """One run over one source. outputs : are told each event. keeper : of the folder in which the key `s` saves.

    samples : folder in which corrected digits are stored.
    """

    def __init__(
        self,
        source: FrameSource,
        watcher: Watcher,
        limits: Limits,
        *,
        outputs: Outputs,
        window: Window | None = None,
        keeper: Keeper | None = None,
        samples: Path = SAMPLES_FOLDER,
    ) -> None:
        self._source, self._watcher, self._limits, self._outputs = source, watcher, limits, outputs
        self._window, self._keeper, self._samples = window, keeper, samples
        self._stopped_by = 0
        self._frozen = False
        self._correcting: Correcting | None = None
        self._last: Look | None = None

    def run(self) -> ExitCode:
        """Watch to the end. Returns OK, or INTERRUPTED after Ctrl-C.

        Raises CameraError when the source fails, or --once saw no settled page.
        """
        started = monotonic()
        with self._signals(), self._progress() as advance:
            heart = Heartbeat()
            while not self._stopped_by and not self._source.ended:
                heart.beat()
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

    @property
    def was_stopped(self) -> bool:
        """Whether a signal or a key ended it, so that nothing should be waited for."""
        return bool(self._stopped_by)

    def _turn(self) -> Look | None:
        if self._window is not None and not self._obey(self._window, self._window.key()):
            return None
        if self._frozen:
            threading.Event().wait(WINDOW_WAIT_S)
            return None
        live = self._source.next_frame(WAIT_S if self._window is None else WINDOW_WAIT_S)
        if live is None:
            return None
        # No frame of a recording is lost while one is read; what is told of it then depends on nothing but the film.
        look = self._last = self._watcher.look(live, wait=self._source.is_recording)
        if look.read is not None:
            for entry in entries(look):
                self._outputs.tell(entry, look.read, look.page if entry["event"] == "page" else None)
        if self._window is not None:
            self._window.show(look)
        return look

    def _obey(self, window: Window, key: Key) -> bool:
        """Do what a key asks; False when it asks to quit."""
        if self._correcting is not None:
            return self._correct(window, self._correcting, key)
        if key in ("quit", "done"):
            self._stopped_by = signal.SIGTERM
            return False
        if self._last is None:
            return True
        if key == "freeze":
            self._frozen = not self._frozen
            window.show(self._last, frozen=self._frozen)
        if key == "save" and self._keeper is not None and self._last.overlay is not None:
            path = self._keeper.keep_page(self._last.frame.frame, self._last.overlay.reading, self._last.overlay.to_dict())
            if path is not None:
                print(f"edge-digits: saved {path}", file=sys.stderr)
        if key == "correct":
            self._frozen, self._correcting = True, Correcting(self._last, self._samples)
            self._show_choice(window, self._correcting)
        return True

    def _correct(self, window: Window, correcting: Correcting, key: Key) -> bool:
        """Do what a key asks while a digit is being corrected; False when it asks to quit."""
        clicked = window.clicked()
        if clicked is not None:
            correcting.choose_at(*clicked)
        if isinstance(key, int):
            event = correcting.name(key, self._watcher.correct)
            if event is not None and self._last is not None:
                self._outputs.tell(entry_of(event, self._last.frame, self._last.time_s), self._last.frame)
        if key in ("next", "back"):
            correcting.step(1 if key == "next" else -1)
        if key == "quit":
            self._stopped_by = signal.SIGTERM
            return False
        if key in ("done", "correct", "freeze"):
            self._correcting, self._frozen = None, False
            window.show(correcting.look)
        elif key or isinstance(key, int) or clicked is not None:
            self._show_choice(window, correcting)
        return True

    def _show_choice(self, window: Window, correcting: Correcting) -> None:
        chosen = correcting.chosen
        window.show(correcting.look, frozen=True, chosen=None if chosen is None else chosen.box)

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
