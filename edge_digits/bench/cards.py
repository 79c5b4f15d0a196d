"""Bench cards as files: read back, named, and the cases in them that can be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import UsageError

CARD: Final = "edge-digits bench"
CARD_VERSION: Final = 2

Card = Mapping[str, Any]


def load_card(path: Path) -> dict[str, Any]:
    """A card as `bench` wrote it. Raises UsageError for anything else."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); give cards that `edge-digits bench --out` wrote") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON ({error}); give cards that `edge-digits bench --out` wrote") from error
    if not isinstance(card, dict) or card.get("card") != CARD:
        raise UsageError(f"{path} is no bench card; give cards that `edge-digits bench --out` wrote")
    if card.get("card_version") != CARD_VERSION:
        raise UsageError(f"{path} is a card of version {card.get('card_version')}, this release reads {CARD_VERSION}; measure again")
    return card


def machine_name(card: Card) -> str:
    """What a person calls the machine: its board or processor, and the cores."""
    machine = card["machine"]
    name = machine["board"] or machine["cpu"] or machine["architecture"]
    return f"{name}, {machine['cores_usable']} cores"


def provider_name(card: Card) -> str:
    """The provider that was obtained, short."""
    return str(card["provider"]["obtained"]).removesuffix("ExecutionProvider")


def file_name(card: Card) -> str:
    """Name of a card's file: machine, provider and date."""
    words = f"{machine_name(card)} {provider_name(card)} {card['date'][:10]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") + ".json"


def latencies(card: Card) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every summary in milliseconds under a name that means the same work on every card."""
    for page in card["pages"]:
        for case in page["cases"]:
            yield f"{page['name']}, {_case_name(case)}", case["ms"]["total"]
    for entry in card["tiles"]:
        yield f"{entry['batch']} tiles, {_case_name(entry)}", entry["call_ms"]
    for step in ("import_ms", "reader_ms", "first_read_ms", "process_ms"):
        yield f"cold start, {step.removesuffix('_ms')}", card["cold_start"][step]


def find_case(cases: Sequence[Mapping[str, Any]], **wanted: Any) -> Mapping[str, Any] | None:
    """The first case with these values."""
    return next((case for case in cases if all(case[key] == value for key, value in wanted.items())), None)


def _case_name(case: Mapping[str, Any]) -> str:
    threads = case["threads"] or "default"
    return f"{case['precision']}, {case['provider'].removesuffix('ExecutionProvider')}, {threads} thread{'' if threads == 1 else 's'}"
