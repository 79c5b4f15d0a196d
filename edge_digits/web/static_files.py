"""The page's files, read once: a request chooses among them by name and never reaches the disk."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Final

KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
FIRST: Final = "index.html"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file of the page. kind : its content type."""

    content: bytes
    kind: str


def load_static_files() -> dict[str, StaticFile]:
    """URL path -> file, for every file of the page; "/" is the page itself."""
    files = {}
    for file in resources.files("edge_digits.web").joinpath("static").iterdir():
        kind = KINDS.get("." + file.name.rpartition(".")[2])
        if kind is not None:
            files["/" if file.name == FIRST else f"/{file.name}"] = StaticFile(file.read_bytes(), kind)
    return files
