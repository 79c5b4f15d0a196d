"""Judges a source that does deliver: whether its pictures are dark, far too few, or always the same.

None of these may end a watch, since a room can be dark and a lens can be capped; but a camera can also be stuck in such a
state until it is opened again. So each is told, opened again for once, and then lived with until it is over.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

DARK_LEVEL: Final = 24.0
"""Grey levels of 255. A picture whose 99th percentile lies below shows no paper: even a grey sheet at dusk is brighter."""
LIGHT_LEVEL: Final = 32.0
"""A dark source counts as lit from here on; the gap keeps a flickering one from being told over and over."""
SLOW_SHARE: Final = 0.25
"""Of the rate that the source announced. Automatic exposure alone halves it in a dim room, twice at the most."""
STEP: Final = 16
"""Brightness is judged on every 16th row and column."""


class Watchdog:
    """Sees every new picture of one opening of a live source.

    rate : frames a second that it announced; 0 takes the best that it has reached, since FFmpeg makes rates of streams up.
    window_s : time over which pictures are counted, and for which a state must last before it is told.
    """

    def __init__(self, rate: float, window_s: float) -> None:
        self._rate, self._window_s = rate if 0 < rate <= 1000 else 0.0, window_s
        self._is_announced = self._rate > 0
        self._times: deque[float] = deque()
        self._first: float | None = None
        self._measured: float | None = None  # frames a second, once a whole window was seen
        self._dark_since: float | None = None
        self._same_since: float | None = None

    def see(self, picture: NDArray[np.uint8], now: float, *, same: bool) -> None:
        """Show it one picture, uint8 (h, w) or (h, w, 3), that came at `now` seconds. same : equals the one before."""
        self._measure_rate(now)
        self._same_since = (self._same_since if self._same_since is not None else now) if same else None
        level = float(np.percentile(picture[::STEP, ::STEP], 99))
        if level < DARK_LEVEL:
            self._dark_since = now if self._dark_since is None else self._dark_since
        elif level > LIGHT_LEVEL:
            self._dark_since = None

    def complaint(self, now: float) -> str:
        """What is wrong and has been for window_s, and what to do; "" while nothing is."""
        if self._same_since is not None and now - self._same_since > self._window_s:
            return f"has sent the same picture for {self._window_s:g} s; check the camera behind it"
        if self._dark_since is not None and now - self._dark_since > self._window_s:
            return "is dark; take the cap off the lens, or switch on the light"
        if self._measured is not None and self._measured < SLOW_SHARE * self._rate:
            return f"is slow, {self._measured:.2g} frames/s instead of {self._rate:.3g}; try more light, another cable or a smaller --size"
        return ""

    def _measure_rate(self, now: float) -> None:
        """Measured only when a picture comes: a source that gives none at all has stalled, which is not judged here."""
        self._first = now if self._first is None else self._first
        self._times.append(now)
        while self._times[0] <= now - self._window_s:
            self._times.popleft()
        if now - self._first < self._window_s:
            return
        self._measured = len(self._times) / self._window_s
        if not self._is_announced:
            self._rate = max(self._rate, self._measured)
