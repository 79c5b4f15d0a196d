"""How often one address may ask: a bucket of permits for each, refilled at a steady rate."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final

BURST_S: Final = 3.0
"""A bucket holds what comes in this time: a page with all its parts, or a quick stroke, is asked for at once."""
MOST_ADDRESSES: Final = 4096
"""Buckets that are remembered; those that rested longest are forgotten first, and start full again."""
IPV6_PREFIX: Final = 64
"""One household has at least this network to choose addresses from, so all of it counts as one."""


class RateLimit:
    """Permits by address. Not for several threads: the event loop alone asks.

    per_s : requests that an address may make each second in the long run, > 0. clock : seconds, monotonic.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._per_s, self._clock = per_s, clock
        self._burst = max(1.0, per_s * BURST_S)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, permits: float = 1.0) -> float:
        """0.0 when the address may go on, else the seconds after which it may.

        permits : how much this request costs. They are taken even beyond an empty bucket where one was left, so that
        what is costly is paid for afterwards.
        """
        now, name = self._clock(), _network(address)
        left, then = self._buckets.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_s)
        wait_s = 0.0 if left >= 1.0 else (1.0 - left) / self._per_s
        self._buckets[name] = (left if wait_s else left - permits, now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return wait_s


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6 and not parsed.is_loopback and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed), IPV6_PREFIX), strict=False))
    return str(parsed)
