"""How `edge-digits serve` stands many at once: 64 clients for a minute, each asking again as soon as it has its answer.

    python -m deploy.check_server_load [--clients 64] [--seconds 60]

Each client has an address of its own (127.0.1.N), draws a digit nine times and sends a page once, and looks whether the
answer is its own. Writes deploy/results/server-load.json: answers by status, p50, p95 and p99, memory before, at the
most and after. Exit code 1 when an answer was wrong or missing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from deploy.serving import WAIT_S, Served, machine, run_server
from tests.strokes import draw_digit, draw_page

RESULT = Path(__file__).resolve().parent / "results" / "server-load.json"
TILES_A_PAGE = 9
PAGE_TEXT = "1936"


@dataclass
class Seen:
    """What all clients saw. times_s : of answered requests, by path. Lists and counters are only added to."""

    times_s: dict[str, list[float]] = field(default_factory=lambda: {"/tile": [], "/read": []})
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    lost: int = 0


def drawing(digit: int) -> bytes:
    """A digit as the page's pad sends it: PNG, white on black, 280x280."""
    ink = draw_digit(digit, 200, 21)
    top, left = (280 - ink.shape[0]) // 2, (280 - ink.shape[1]) // 2
    pad = np.zeros((280, 280), np.uint8)
    pad[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return cv2.imencode(".png", pad)[1].tobytes()


def load(served: Served, clients: int, seconds: float, least: int = 1) -> Seen:
    """Ask with so many clients for so long. least : each asks so often, however long that takes."""
    seen, lock, until = Seen(), threading.Lock(), monotonic() + seconds
    page = cv2.imencode(".jpg", draw_page([PAGE_TEXT], width=500, height=300))[1].tobytes()
    drawings = [drawing(digit) for digit in range(10)]

    def one(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S, source_address=(f"127.0.1.{number + 1}", 0))
        turn = number
        while monotonic() < until or turn < number + least:
            turn += 1
            is_page = turn % (TILES_A_PAGE + 1) == 0
            path, body = ("/read", page) if is_page else ("/tile", drawings[turn % 10])
            started = perf_counter()
            try:
                connection.request("POST", path, body)
                answer = connection.getresponse()
                value = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                connection.close()
                with lock:
                    seen.lost += 1
                continue
            right = answer.status == 200 and (
                [line["text"] for line in value["lines"]] == [PAGE_TEXT] if is_page else value["digit"] == turn % 10
            )
            with lock:
                seen.times_s[path].append(perf_counter() - started)
                seen.statuses[answer.status] += 1
                seen.wrong += not right
        connection.close()

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    with tqdm(total=round(seconds), unit="s", file=sys.stderr, disable=seconds < 2) as bar:
        while any(thread.is_alive() for thread in threads):
            next(thread for thread in threads if thread.is_alive()).join(1.0)
            bar.update(min(1, max(0, bar.total - bar.n)))
    return seen


def percentiles_ms(times_s: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in milliseconds."""
    values = np.percentile(np.array(times_s) * 1000.0, (50, 95, 99, 100)) if times_s else np.zeros(4)
    return {name: round(float(value), 1) for name, value in zip(("p50", "p95", "p99", "longest"), values, strict=True)}


def measure(clients: int, seconds: float) -> dict[str, Any]:
    """Run a server, load it, and record."""
    before_load = machine()
    with run_server() as served:
        served.ask("/tile", drawing(3))
        before = served.resident_bytes()
        started = perf_counter()
        seen = load(served, clients, seconds)
        took = perf_counter() - started
        after, peak, is_well = served.resident_bytes(), served.peak_bytes(), served.is_well()
    answered = sum(seen.statuses.values())
    return {
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine_before": before_load,
        "machine_after": machine(),
        "clients": clients,
        "seconds": round(took, 1),
        "answers": answered,
        "answers_per_s": round(answered / took, 1),
        "by_status": {str(status): count for status, count in sorted(seen.statuses.items())},
        "wrong_answers": seen.wrong,
        "lost_connections": seen.lost,
        "tile_ms": percentiles_ms(seen.times_s["/tile"]),
        "read_ms": percentiles_ms(seen.times_s["/read"]),
        "resident_mb": {name: round(value / 1e6, 1) for name, value in (("before", before), ("most", peak), ("after", after))},
        "well_afterwards": is_well,
    }


def main() -> int:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description="load `edge-digits serve` with many clients")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    record = measure(arguments.clients, arguments.seconds)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record))
    return int(record["wrong_answers"] > 0 or record["lost_connections"] > 0 or not record["well_afterwards"])


if __name__ == "__main__":
    sys.exit(main())
