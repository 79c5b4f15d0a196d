"""Permits by address."""

from __future__ import annotations

import pytest

from edge_digits.web.rates import MOST_ADDRESSES, RateLimit


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_let_through_then_the_rate(clock: Clock) -> None:
    limit = RateLimit(2.0, clock)
    assert [limit.take("10.0.0.1") for _ in range(6)] == [0.0] * 6
    assert limit.take("10.0.0.1") == pytest.approx(0.5)
    clock.now = 0.5
    assert limit.take("10.0.0.1") == 0.0
    assert limit.take("10.0.0.1") > 0
    assert limit.take("10.0.0.2") == 0.0


def test_what_is_costly_is_paid_for_afterwards(clock: Clock) -> None:
    limit = RateLimit(1.0, clock)
    assert limit.take("10.0.0.1", 20.0) == 0.0
    assert limit.take("10.0.0.1") == pytest.approx(18.0)
    clock.now = 100.0
    assert limit.take("10.0.0.1") == 0.0


def test_one_network_of_ipv6_is_one_caller(clock: Clock) -> None:
    limit = RateLimit(0.1, clock)
    assert limit.take("2001:db8:0:1::1") == 0.0
    assert limit.take("2001:db8:0:1:ffff::2") > 0
    assert limit.take("2001:db8:0:2::1") == 0.0


def test_memory_does_not_grow_with_addresses(clock: Clock) -> None:
    limit = RateLimit(1.0, clock)
    for number in range(MOST_ADDRESSES + 100):
        limit.take(f"host {number}")
    assert len(limit._buckets) == MOST_ADDRESSES
