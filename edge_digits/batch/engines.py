"""Which engine runs the workers."""

from __future__ import annotations

from edge_digits.batch.crew import Crew
from edge_digits.batch.options import BatchOptions
from edge_digits.batch.processes import LocalProcesses
from edge_digits.batch.worker import ReaderFactory
from edge_digits.options import Options


def make_crew(batch: BatchOptions, factory: ReaderFactory, options: Options) -> Crew:
    """Processes of this machine, or actors of a Ray cluster. Raises MissingExtraError, UsageError."""
    if batch.engine == "ray":
        from edge_digits.batch.ray_actors import RayActors

        return RayActors(batch, factory, options)
    return LocalProcesses(batch, factory, options)
