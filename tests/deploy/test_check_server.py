"""The commands that load the server and do it harm, in small: a real server in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy import check_server_abuse, check_server_load
from deploy.check_server_load import TILES_A_PAGE
from deploy.serving import Served, run_server


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with run_server(check_server_abuse.TOKEN, "--max-upload-mb", str(check_server_abuse.LIMIT_MB)) as running:
        yield running


def test_none_gets_in_and_none_stops_it(served: Served) -> None:
    found = check_server_abuse.abuse(served, 40, 20)
    assert {name: entry["stood"] and entry["honest_caller_afterwards"] for name, entry in found.items()} == dict.fromkeys(found, True)
    assert found["damaged_pictures"]["pictures"] == 40
    assert set(found["damaged_pictures"]["by_status"]) > {"415"}


def test_many_at_once_get_their_own_answers() -> None:
    with run_server() as running:
        seen = check_server_load.load(running, 8, 0.5, least=TILES_A_PAGE + 1)
    assert (seen.wrong, seen.lost) == (0, 0)
    assert seen.statuses[200] == sum(seen.statuses.values()) >= 8 * (TILES_A_PAGE + 1)
    assert len(seen.times_s["/read"]) >= 8
    assert check_server_load.percentiles_ms(seen.times_s["/tile"])["p99"] > 0


def test_damaged_pictures_are_all_of_another_kind() -> None:
    pictures = list(check_server_abuse.mutated(50))
    assert len(set(pictures)) > 45
    assert pictures == list(check_server_abuse.mutated(50))
