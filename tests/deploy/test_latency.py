"""The committed latency cards and what README says of them."""

from __future__ import annotations

import re
from pathlib import Path

from edge_digits.bench import cards, latency_plot, latency_table

ROOT = Path(__file__).resolve().parent.parent.parent
PATHS = sorted((ROOT / "deploy" / "latency").glob("*.json"))


def test_cards_are_named_by_machine_provider_and_date() -> None:
    assert PATHS
    assert [path.name for path in PATHS] == [cards.file_name(cards.load_card(path)) for path in PATHS]


def test_readme_holds_the_table_of_the_cards() -> None:
    """After a new card: edge-digits bench table deploy/latency/*.json --plot deploy/latency/latency.svg, and its words into README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- latency-table -->\n(.*?)<!-- end -->", readme, re.DOTALL)
    assert blocks == [latency_table.markdown([cards.load_card(path) for path in PATHS])]


def test_the_picture_is_of_the_cards() -> None:
    drawn = (ROOT / "deploy" / "latency" / "latency.svg").read_text(encoding="utf-8")
    assert drawn == latency_plot.svg([cards.load_card(path) for path in PATHS])
