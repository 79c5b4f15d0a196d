"""A batch on a Ray cluster of two nodes on this machine, of which one is killed: the same bytes as without any cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_digits.batch.batch import Batch, Job
from edge_digits.batch.inputs import find_inputs
from edge_digits.batch.journal import Journal
from edge_digits.batch.options import BatchOptions, Engine
from edge_digits.batch.ray_actors import _import_ray
from edge_digits.batch.schedule import Event, PageDone
from edge_digits.batch.table import Table
from edge_digits.errors import MissingExtraError
from edge_digits.options import Options
from tests.doubles.readers import ToldReader


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster with a node of no cores, where the batch itself is, and two nodes of one core each."""
    pytest.importorskip("ray", reason="extra cluster is not installed")
    # The nodes' processes find the readers of the tests as this process does.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(entry for entry in sys.path if entry))
    ray = _import_ray()
    from ray.cluster_utils import Cluster

    try:
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        made.nodes_with_cores = [made.add_node(num_cpus=1) for _ in range(2)]
    except Exception as error:  # noqa: BLE001 - Ray raises no other kind when its own 30 seconds have passed
        pytest.skip(f"Ray's nodes do not start on this machine in time: {error}")
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


def read(folder: Path, out: Path, engine: Engine, then: Any = lambda event: None) -> bytes:
    """The table of a batch over a folder. then : called with each event."""
    job = Job(find_inputs([str(folder)]), None, Options(), BatchOptions(2, engine=engine), ToldReader)
    with Journal(out.with_suffix(".journal")) as journal:
        batch = Batch(job, journal)
        with batch:
            batch.start()
            for path in job.files:
                batch.add(batch.task(path))
            for event in batch._pool.run():
                batch.note(event)
                then(event)
        Table(out, "jsonl").write(journal, batch.listed(), batch.tally)
    return out.read_bytes()


@pytest.mark.hardware
@pytest.mark.filterwarnings("ignore")  # Ray's own, of its own files and sockets.
def test_the_same_bytes_though_a_node_and_a_worker_are_killed(cluster: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(12):
        (folder / f"f{index}.png").write_text("\n".join(f"{index}{page}" for page in range(4)), encoding="utf-8")
    (folder / "bad.png").write_text("1\nerror\n3", encoding="utf-8")
    (folder / "once.png").write_text("1\nkill-once\n3", encoding="utf-8")
    expected = read(folder, tmp_path / "local.jsonl", "local")
    (folder / "once.seen").unlink()
    seen = 0

    def kill_a_node(event: Event | None) -> None:
        nonlocal seen
        seen += isinstance(event, PageDone)
        if seen == 10 and len(cluster.nodes_with_cores) == 2:
            cluster.remove_node(cluster.nodes_with_cores.pop(), allow_graceful=False)

    assert read(folder, tmp_path / "ray.jsonl", "ray", kill_a_node) == expected
    assert len(cluster.nodes_with_cores) == 1
    assert (folder / "once.seen").exists()


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r'pip install "edge-digits\[cluster\]"'):
        _import_ray()
