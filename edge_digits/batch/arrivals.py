"""Files that come into a folder, each when it is complete.

The system's own news (watchdog: inotify, FSEvents, ReadDirectoryChanges) tells at once what was closed or renamed. It
may be lost (10,000 files at once overflow inotify's queue) and does not come at all from the other side of a network
folder, so the folder is also walked through every few seconds. A file that was closed is complete when it has then
rested for a moment; one of which nobody told is complete when size and time have stood still for longer.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from edge_digits.batch.inputs import is_wanted, natural_order, walk
from edge_digits.batch.opening import state_of
from edge_digits.batch.schedule import FileState
from edge_digits.errors import MissingExtraError, UsageError

CLOSED_REST_S: Final = 0.5
"""Some scanners close a file after each page and open it again for the next."""
DEFAULT_SETTLE_S: Final = 3.0
DEFAULT_RESCAN_S: Final = 10.0
LOOK_S: Final = 0.25

News = tuple[str, bool]
"""Path of a file, and whether it was closed or renamed (not merely made or written to)."""


@dataclass(slots=True)
class _Candidate:
    """A file that may still grow. since : when it was first seen in this state. rest_s : how long it has to stay so."""

    state: FileState
    since: float
    rest_s: float


class Arrivals:
    """Tells each file of the folders once it is complete, and again when it has changed after that.

    excluded : folders within that are left out. settle_s, rescan_s : seconds; see the module's text.
    clock : seconds, monotonic.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        pattern: str | None = None,
        excluded: Sequence[Path] = (),
        settle_s: float = DEFAULT_SETTLE_S,
        rescan_s: float = DEFAULT_RESCAN_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Nothing is watched before `listen`, and nothing found before `complete`."""
        self._folders, self._pattern, self._clock = folders, pattern, clock
        self._excluded = [folder.resolve() for folder in excluded]
        self._settle_s, self._rescan_s = settle_s, rescan_s
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._candidates: dict[Path, _Candidate] = {}
        self._given: dict[Path, FileState] = {}
        self._looked_at = self._walked_at = float("-inf")

    def complete(self) -> list[Path]:
        """Files that have become complete since this was asked last, in natural order. Raises UsageError: a folder is gone."""
        now = self._clock()
        if now - self._looked_at < LOOK_S:
            return []
        self._looked_at = now
        if now - self._walked_at >= self._rescan_s:
            self._walked_at = now
            self._walk(now)
        while not self.news.empty():
            name, closed = self.news.get()
            self._notice(Path(name), now, CLOSED_REST_S if closed else self._settle_s)
        return sorted(self._settled(now), key=natural_order)

    def listen(self) -> Any:
        """Start the system's news; what must be stopped at the end (`.stop()`). Raises MissingExtraError, UsageError."""
        try:
            from watchdog.events import FileSystemEvent, FileSystemEventHandler
            from watchdog.observers import Observer
        except ImportError as error:
            raise MissingExtraError('--watch needs an extra; run: pip install "edge-digits[watch-folder]"') from error
        news = self.news

        class Handler(FileSystemEventHandler):
            """Passes on what may be a file that has come."""

            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.is_directory or event.event_type not in ("created", "modified", "closed", "moved"):
                    return
                path = event.dest_path if event.event_type == "moved" else event.src_path
                news.put((str(path), event.event_type in ("closed", "moved")))

        observer = Observer()
        try:
            for folder in self._folders:
                observer.schedule(Handler(), str(folder), recursive=True)
            observer.start()
        except OSError as error:
            raise UsageError(
                f"--watch: the system tells no news of the folder ({error.strerror or error}); check it, and its limits"
            ) from error
        return observer

    def _walk(self, now: float) -> None:
        seen = set()
        for folder in self._folders:
            for path in walk(folder, self._pattern, self._excluded):
                seen.add(path)
                if path not in self._candidates and self._given.get(path) != state_of(path):
                    self._notice(path, now, self._settle_s)
        for path in self._given.keys() - seen:
            del self._given[path]

    def _notice(self, path: Path, now: float, rest_s: float) -> None:
        if not is_wanted(path.name, self._pattern) or path.name.startswith(".") or self._is_excluded(path):
            return
        self._candidates[path] = _Candidate(state_of(path), now, rest_s)

    def _is_excluded(self, path: Path) -> bool:
        return bool(self._excluded) and any(folder in path.resolve().parents for folder in self._excluded)

    def _settled(self, now: float) -> list[Path]:
        found = []
        for path, candidate in list(self._candidates.items()):
            state = state_of(path)
            if state.size < 0:
                del self._candidates[path]
            elif state != candidate.state:
                candidate.state, candidate.since = state, now
            elif now - candidate.since >= candidate.rest_s:
                del self._candidates[path]
                if self._given.get(path) != state:
                    self._given[path] = state
                    found.append(path)
        return found
