"""Keeps workers at work: starts them, hands them what the schedule has, replaces those that die or hang."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import edge_digits.errors
from edge_digits.batch.crew import Crew, Member
from edge_digits.batch.schedule import Event, Schedule
from edge_digits.batch.worker import Message
from edge_digits.errors import EdgeDigitsError

ENDED: Final = "ended before it answered"
"""What a table says of a worker's end: how it came is known to one machine, and not to a cluster, whose table must be the same."""
START_TIMEOUT_S: Final = 120.0
END_TIMEOUT_S: Final = 2.0
STARTS_THAT_MAY_FAIL: Final = 3


@dataclass(slots=True, eq=False)
class _Worker:
    """A member of the crew. deadline : when the answer that is awaited comes too late, seconds of the monotonic clock."""

    member: Member
    deadline: float
    is_ready: bool = False


@dataclass(slots=True, eq=False)
class Pool:
    """Workers and the schedule they follow. Whoever has it closes it.

    page_timeout_s : seconds that one page, or the opening of one file, may take.
    """

    crew: Crew
    schedule: Schedule
    page_timeout_s: float
    _workers: list[_Worker] = field(default_factory=list)
    _failed_starts: int = 0
    _model: dict[str, Any] | None = None

    def start(self) -> dict[str, Any]:
        """Wait for one worker to be ready; what its reader says of its model.

        Raises what the worker's start raises (ModelError, ProviderError, ...), and EdgeDigitsError when workers die while
        they start.
        """
        while self._model is None:
            if not self._workers:
                self._hire()
            self._wait(None)
            for _ in self._listen():
                pass  # A worker without orders has nothing to tell but that it is there.
        return self._model

    def run(self, tick_s: float | None = None) -> Iterator[Event | None]:
        """Read until nothing is left; what happened, as it happens.

        tick_s : go on without an end, and give None when nothing has happened for so long. Raises as `start`.
        """
        while tick_s is not None or self.schedule.unfinished:
            while len(self._workers) < min(self.crew.size(), self.schedule.unfinished):
                self._hire()
            for worker in self._workers:
                self._feed(worker)
            self._wait(tick_s)
            silent = True
            for event in self._listen():
                silent = False
                yield event
            if silent and tick_s is not None:
                yield None

    def close(self, *, kill: bool = False) -> None:
        """End all workers: at their leisure, or at once."""
        if not kill:
            for worker in self._workers:
                worker.member.finish()
        for worker in self._workers:
            worker.member.end(0.0 if kill else END_TIMEOUT_S)
        self._workers.clear()
        self.crew.close()

    def _hire(self) -> None:
        self._workers.append(_Worker(self.crew.start(), monotonic() + START_TIMEOUT_S))

    def _is_awaited(self, worker: _Worker) -> bool:
        return not worker.is_ready or self.schedule.is_busy(worker)

    def _wait(self, at_most_s: float | None) -> None:
        """Until a worker says something, dies, or runs out of time."""
        deadlines = [worker.deadline for worker in self._workers if self._is_awaited(worker)]
        patience = max(0.0, min(deadlines) - monotonic()) if deadlines else None
        if at_most_s is not None:
            patience = at_most_s if patience is None else min(patience, at_most_s)
        elif patience is None:
            return
        self.crew.wait([worker.member for worker in self._workers], patience)

    def _feed(self, worker: _Worker) -> None:
        while worker.is_ready:
            busy = self.schedule.is_busy(worker)
            order = self.schedule.next_order(worker)
            if order is None:
                return
            if not busy:
                worker.deadline = monotonic() + self.page_timeout_s
            worker.member.send(order)

    def _listen(self) -> Iterator[Event]:
        for worker in list(self._workers):
            end = worker.member.ended()  # Asked first: what it said before it ended is still to be heard.
            for message in worker.member.messages():
                worker.deadline = monotonic() + self.page_timeout_s
                yield from self._events(worker, message)
            if end is not None:
                yield from self._bury(worker, end, ENDED)
            elif monotonic() > worker.deadline and self._is_awaited(worker):
                seconds = self.page_timeout_s if worker.is_ready else START_TIMEOUT_S
                took = f"took longer than {seconds:g} s"
                yield from self._bury(worker, took, took)
            else:
                self._feed(worker)

    def _events(self, worker: _Worker, message: Message) -> Iterator[Event]:
        kind, *content = message
        if kind == "failed":
            raise _error_named(*content)
        if kind == "ready":
            worker.is_ready, self._failed_starts, self._model = True, 0, content[0]
        elif kind == "opened":
            yield from self.schedule.opened(worker, content[0])
        elif kind == "refused":
            yield from self.schedule.refused(worker, content[0])
        else:
            yield from self.schedule.answered(worker, *content)

    def _bury(self, worker: _Worker, how: str, told: str) -> Iterator[Event]:
        """Take a dead or hung worker away; what it had in hand is tried again or given up. told : of that, in the table."""
        self._workers.remove(worker)
        worker.member.end(0.0)
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= STARTS_THAT_MAY_FAIL:
                raise EdgeDigitsError(f"worker {how} while starting, {self._failed_starts} times in a row; run `edge-digits doctor`")
        if told != how:
            print(f"edge-digits: a worker {how}; another takes its place", file=sys.stderr)
        yield from self.schedule.lost(worker, told)


def _error_named(name: str, message: str) -> EdgeDigitsError:
    kind = getattr(edge_digits.errors, name, EdgeDigitsError)
    error: EdgeDigitsError = kind(message)
    return error
