"""`edge-digits bench compare A.json B.json`: how many times as long B takes, case by case, and how sure that is."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_digits.bench.cards import Card, latencies, load_card, machine_name
from edge_digits.bench.tables import print_table


def compare_cards(paths: tuple[Path, Path]) -> dict[str, Any]:
    """The comparison as JSON: what differs between the two runs, and a ratio of medians with its spread for each case of both.

    ratio : B's median by A's; below 1 B is faster. between : the ratio of the ends of both medians' 95 % intervals, so that both
    medians would have to lie outside of theirs for the true ratio to be outside; what a machine did besides is not in it.
    verdict : "faster" or "slower" where that interval leaves 1 out, else "same".
    """
    first, second = (load_card(path) for path in paths)
    others = dict(latencies(second))
    cases = [_ratio(name, summary, others[name]) for name, summary in latencies(first) if name in others]
    only = {
        str(path): sorted(set(mine) - {case["case"] for case in cases})
        for path, mine in zip(paths, (dict(latencies(first)), others), strict=True)
    }
    return {"a": str(paths[0]), "b": str(paths[1]), "differs": _differences(first, second), "cases": cases, "only_in": only}


def print_comparison(found: Mapping[str, Any]) -> None:
    """The comparison on stdout as a table; what cannot be compared on stderr."""
    print(f"A {found['a']}\nB {found['b']}")
    for name, (mine, theirs) in found["differs"].items():
        print(f"differs: {name}: {mine} | {theirs}")
    rows = [
        [c["case"], c["a_ms"], c["b_ms"], c["ratio"], f"{c['between'][0]:.2f} to {c['between'][1]:.2f}", c["verdict"]]
        for c in found["cases"]
    ]
    print_table([["case", "A ms", "B ms", "B / A", "between", "B is"], *rows], sys.stdout)
    for path, names in found["only_in"].items():
        if names:
            print(f"edge-digits: {len(names)} cases are only in {path}", file=sys.stderr)


def as_json(found: Mapping[str, Any]) -> str:
    """For programs."""
    return json.dumps(found, indent=1, ensure_ascii=False)


def _ratio(name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    (my_low, my_high), (their_low, their_high) = mine["median_between"], theirs["median_between"]
    low, high = their_low / my_high, their_high / my_low
    verdict = "faster" if high < 1.0 else "slower" if low > 1.0 else "same"
    ratio = round(theirs["p50"] / mine["p50"], 3)
    return {
        "case": name,
        "a_ms": mine["p50"],
        "b_ms": theirs["p50"],
        "ratio": ratio,
        "between": [round(low, 3), round(high, 3)],
        "verdict": verdict,
    }


def _differences(first: Card, second: Card) -> dict[str, tuple[str, str]]:
    """What else is not the same, and may be why: machine, versions, models."""
    found = {"machine": tuple(machine_name(card) for card in (first, second))}
    names = sorted({*first["software"], *second["software"]})
    found |= {name: tuple(str(card["software"].get(name, "-")) for card in (first, second)) for name in names}
    for precision in ("int8", "float"):
        found[f"{precision} model"] = tuple(card["model"].get(precision, {}).get("sha256", "-")[:12] for card in (first, second))
    return {name: (pair[0], pair[1]) for name, pair in found.items() if pair[0] != pair[1]}
