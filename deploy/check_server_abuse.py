"""What `edge-digits serve` does with callers who mean harm: none gets in, none stops it.

    python -m deploy.check_server_abuse [--pictures 1000]

Damaged pictures of every format, bodies that are too large, told and untold; connections that begin and do not go on;
paths that try to leave; tokens that are wrong. After each kind an honest caller is served. Writes
deploy/results/server-abuse.json; exit code 1 when something got in, or the server did not stand it.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from deploy.check_server_load import drawing
from deploy.serving import Served, machine, run_server
from tests.strokes import draw_page

RESULT = Path(__file__).resolve().parent / "results" / "server-abuse.json"
TOKEN = "a-token-of-24-characters"  # noqa: S105 - of a server that lives for this check
FORMATS = (".jpg", ".png", ".bmp", ".tiff", ".webp")
READ_OR_REFUSED = (200, 400, 413, 415)
LIMIT_MB = 5
SLOW_CALLERS = 60
PATHS = (
    "/../pyproject.toml",
    "/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/....//etc/passwd",
    "//etc/passwd",
    "/static/../app.py",
    "/main.js/../../app.py",
    "/main.js%00.py",
    "/index.html",
    "/samples/../../models",
)
HANDS = ("../me", "..", "a/b", "a%2fb", "%2e%2e%2fme", "me%00", "a" * 65, "", "con:1", "digits", "default")
WRONG_TOKENS = (
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": f"Bearer {TOKEN[:-1]}"},
    {"authorization": f"Bearer {TOKEN}x"},
    {"authorization": f"Bearer {TOKEN.upper()}"},
    {"authorization": f"Basic {TOKEN}"},
    {"authorization": "Bearer \xff\xfe"},
)


def mutated(count: int, seed: int = 1) -> Iterator[bytes]:
    """Pictures with bytes changed, cut off, doubled, swapped, or another's middle: half of them in the first 64 bytes,
    where sizes and kinds stand."""
    chance = np.random.default_rng(seed)
    page = draw_page(["407 52", "1936"], width=600, height=400)
    sound = [cv2.imencode(suffix, page)[1].tobytes() for suffix in FORMATS]
    for index in range(count):
        data = bytearray(sound[index % len(sound)])
        reach = 64 if index % 2 else len(data)
        kind = int(chance.integers(0, 5))
        at = int(chance.integers(0, reach))
        if kind == 0:
            for place in chance.integers(0, reach, int(chance.integers(1, 20))):
                data[place] ^= 1 << int(chance.integers(0, 8))
        elif kind == 1:
            data = data[:at]
        elif kind == 2:
            data[at : at + 4] = b"\xff\xff\xff\x7f"
        elif kind == 3:
            data = data[:at] + data[at : at + 200] * 3 + data[at:]
        else:
            other = sound[(index + 1) % len(sound)]
            data = data[:at] + bytearray(other[at:])
        yield bytes(data)


def send_mutated(served: Served, count: int) -> dict[str, Any]:
    """Statuses of damaged pictures; each must be read or refused."""
    statuses: Counter[int] = Counter()
    longest = 0.0
    for index, data in enumerate(tqdm(mutated(count), total=count, unit="picture", file=sys.stderr, disable=count < 100)):
        started = perf_counter()
        # Many addresses, as the rate of one is limited.
        status, _ = served.ask("/read" if index % 3 else "/tile", data, source=f"127.0.2.{index % 200 + 1}")
        longest = max(longest, perf_counter() - started)
        statuses[status] += 1
    stood = set(statuses) <= set(READ_OR_REFUSED)
    return {
        "pictures": count,
        "by_status": {str(s): n for s, n in sorted(statuses.items())},
        "longest_s": round(longest, 2),
        "stood": stood,
    }


def send_oversize(served: Served) -> dict[str, Any]:
    """Bodies above the limit: told in the header, told wrongly, and untold."""
    told, _ = served.ask("/read", b"x" * (LIMIT_MB * 1_000_000 + 1))
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as link:
        head = f"POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {served.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        link.sendall(head.encode())
        part = b"%x\r\n%s\r\n" % (1_000_000, b"x" * 1_000_000)
        try:
            for _ in range(LIMIT_MB + 2):
                link.sendall(part)
        except OSError:
            pass  # the server has closed on us, as it should
        untold = int(link.recv(100).split()[1] or b"0")
    pixels, _ = served.ask("/read", cv2.imencode(".png", np.zeros((9000, 9000), np.uint8))[1].tobytes())
    return {"told": told, "untold": untold, "too_many_pixels": pixels, "stood": (told, untold, pixels) == (413, 413, 413)}


def hold_slowly(served: Served, callers: int = SLOW_CALLERS) -> dict[str, Any]:
    """Half-sent headers and half-sent bodies from one address, while another caller is served."""
    with ExitStack() as links:
        for number in range(callers):
            link = links.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60, source_address=("127.0.3.1", 0)))
            if number % 2:
                link.sendall(b"POST /tile HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            else:
                head = f"POST /tile HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {served.token}\r\nContent-Length: 100000\r\n\r\nx"
                link.sendall(head.encode())
        started = perf_counter()
        status, _ = served.ask("/tile", drawing(3))
        took = perf_counter() - started
    return {"callers": callers, "honest_caller": status, "honest_caller_s": round(took, 2), "stood": status == 200}


def try_paths(served: Served) -> dict[str, Any]:
    """Paths and names of hands that try to leave their place."""
    paths = [served.ask(path)[0] for path in PATHS]
    hands = [served.ask(f"/samples?hand={hand}&digit=3", drawing(3))[0] for hand in HANDS]
    return {"paths": len(PATHS), "hands": len(HANDS), "stood": set(paths) <= {400, 404} and set(hands) == {400}}


def try_tokens(served: Served) -> dict[str, Any]:
    """Wrong tokens, and how soon guessing is slowed down."""
    statuses = [served.ask("/tile", drawing(3), source="127.0.4.1", **headers)[0] for headers in WRONG_TOKENS]
    guesses = [served.ask("/health", source="127.0.4.2", authorization=f"Bearer {number:024}")[0] for number in range(60)]
    slowed = guesses.count(429)
    return {"wrong_tokens": len(WRONG_TOKENS), "guesses": len(guesses), "guesses_slowed": slowed, "stood": set(statuses) <= {401, 400}
            and set(guesses) <= {401, 429} and slowed > 0}  # fmt: skip


def abuse(served: Served, pictures: int, callers: int = SLOW_CALLERS) -> dict[str, Any]:
    """Everything, one kind after the other. The server's limit must be LIMIT_MB, its token TOKEN."""
    kinds = {
        "damaged_pictures": lambda: send_mutated(served, pictures),
        "oversize": lambda: send_oversize(served),
        "slow_callers": lambda: hold_slowly(served, callers),
        "paths": lambda: try_paths(served),
        "tokens": lambda: try_tokens(served),
    }
    found = {}
    for name, work in kinds.items():
        entry = work()
        status, body = served.ask("/tile", drawing(7))
        found[name] = {**entry, "honest_caller_afterwards": status == 200 and json.loads(body)["digit"] == 7 and served.is_well()}
    return found


def main() -> int:
    """Run a server, do it harm, and write the record."""
    parser = argparse.ArgumentParser(description="do harm to `edge-digits serve`")
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    with run_server(TOKEN, "--max-upload-mb", str(LIMIT_MB)) as served:
        served.ask("/tile", drawing(3))
        before = served.resident_bytes()
        found = abuse(served, arguments.pictures)
        memory = {name: round(value / 1e6, 1) for name, value in (("before", before), ("most", served.peak_bytes()))}
        memory["after"] = round(served.resident_bytes() / 1e6, 1)
    record = {"made": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine(), **found, "resident_mb": memory}
    arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record))
    return int(not all(entry["stood"] and entry["honest_caller_afterwards"] for entry in found.values()))


if __name__ == "__main__":
    sys.exit(main())
