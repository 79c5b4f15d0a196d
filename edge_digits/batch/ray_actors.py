"""Workers as actors of a Ray cluster (extra `cluster`): the same worker, the same schedule, other machines.

Actors and not Ray Data: pages are written to the journal one by one as they come, by this process alone, and a page that
takes its worker with it is tried again and given up by the same rules as on one machine. An actor has one core, one session
and one thread. Nothing is restarted by Ray itself: a lost actor is replaced here, wherever there is room.

Files are opened where the actor runs, by the path that the user gave, so the folder must be the same on all machines; so must
a model that is named by its path. The shipped model is in the package of each machine.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any, Final, cast

import cv2

from edge_digits.batch.crew import Member
from edge_digits.batch.limits import limit_memory
from edge_digits.batch.options import BatchOptions
from edge_digits.batch.schedule import Order
from edge_digits.batch.worker import Message, ReaderFactory, Worker
from edge_digits.errors import EdgeDigitsError, MissingExtraError, UsageError
from edge_digits.options import Options

SIZE_HOLDS_S: Final = 5.0
"""How long the number of the cluster's cores is taken for the same."""
NOTHING_TO_WAIT_FOR_S: Final = 0.1


class RayActors:
    """The crew of a cluster: the one that RAY_ADDRESS names, or that runs on this machine, or a new one of this machine alone."""

    def __init__(self, batch: BatchOptions, factory: ReaderFactory, options: Options) -> None:
        """Connect to the cluster. Raises MissingExtraError, UsageError."""
        self._ray = _import_ray()
        self._owned = not self._ray.is_initialized()
        if self._owned:
            try:
                self._ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
            except (ConnectionError, OSError, RuntimeError, ValueError) as error:
                reason = (str(error).strip().splitlines() or ["no reason given"])[0]
                raise UsageError(f"--engine ray: no cluster can be had ({reason}); check RAY_ADDRESS and `ray status`") from error
        self._batch, self._arguments = batch, (factory, options, batch.page_memory_mb)
        self._actor = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(PageActor)
        self._cores, self._counted_at = 1, float("-inf")

    def size(self) -> int:
        """One worker a core of the cluster, unless told otherwise."""
        if self._batch.workers:
            return self._batch.workers
        if monotonic() - self._counted_at > SIZE_HOLDS_S:
            self._cores, self._counted_at = max(1, int(self._ray.cluster_resources().get("CPU", 1))), monotonic()
        return self._cores

    def start(self) -> Member:
        """A new actor, on whatever machine has a core free."""
        return RayActor(self._ray, self._actor.remote(*self._arguments))

    def wait(self, members: Sequence[Member], seconds: float | None) -> None:
        """Until one of the actors has answered, or is lost."""
        pending = [actor.pending[0] for actor in cast("Sequence[RayActor]", members) if actor.pending]
        if pending:
            self._ray.wait(pending, num_returns=1, timeout=seconds)
        else:
            sleep(NOTHING_TO_WAIT_FOR_S if seconds is None else min(seconds, NOTHING_TO_WAIT_FOR_S))

    def close(self) -> None:
        """Leave the cluster, if it was joined here."""
        if self._owned:
            self._ray.shutdown()


class RayActor:
    """One actor, and the answers that are awaited from it."""

    def __init__(self, ray: Any, actor: Any) -> None:
        """actor : being started; its first answer is whether it could load its model."""
        self._ray, self._actor = ray, actor
        self.pending: deque[Any] = deque([actor.ready.remote()])
        self._said: list[Message] = []
        self._end: str | None = None

    def send(self, order: Order) -> None:
        """Give it an order; Ray runs an actor's calls in their order."""
        self.pending.append(self._actor.follow.remote(order))

    def messages(self) -> list[Message]:
        """Answers that have come."""
        said, self._said = self._said, []
        return said

    def ended(self) -> str | None:
        """How it ended, None while it runs; its answers are fetched on the way."""
        while self._end is None and self.pending and self._ray.wait([self.pending[0]], timeout=0)[0]:
            try:
                self._said.append(self._ray.get(self.pending.popleft()))
            except self._ray.exceptions.RayError as error:
                self._end = f"was lost ({type(error).__name__})"
        return self._end

    def finish(self) -> None:
        """It has nothing to finish: all its answers have come."""

    def end(self, patience_s: float) -> None:  # noqa: ARG002 - an idle actor ends at once
        """End it."""
        self._ray.kill(self._actor, no_restart=True)


class PageActor:
    """What runs inside the actor."""

    def __init__(self, factory: ReaderFactory, options: Options, page_memory_mb: int) -> None:
        """Load the model; whether that went well is told by `ready`."""
        os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
        cv2.setNumThreads(1)
        self._worker: Worker | None = None
        try:
            reader = factory(options)
        except EdgeDigitsError as error:
            self._first: Message = ("failed", type(error).__name__, str(error))
            return
        limit_memory(page_memory_mb)
        self._worker, self._first = Worker(reader, page_memory_mb), ("ready", dict(reader.model))

    def ready(self) -> Message:
        """The first message."""
        return self._first

    def follow(self, order: Order) -> Message:
        """The answer to an order."""
        assert self._worker is not None
        return self._worker.follow(order)


def _import_ray() -> Any:
    # A batch sends nothing to anybody, and has no business with accelerators' variables.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError('--engine ray needs an extra; run: pip install "edge-digits[cluster]"') from error
    return ray
