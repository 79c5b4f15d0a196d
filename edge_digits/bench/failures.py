"""Pictures of the pages that were read wrongly, worst first, on one page to look at."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2

from edge_digits.bench.evaluation import EvaluatedPage
from edge_digits.errors import UsageError
from edge_digits.reading.draw import annotate

LARGEST_SIDE_PX: Final = 1600
INDEX: Final = "index.html"

HEAD: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Pages read wrongly</title>
<style>
body { font: 15px system-ui, sans-serif; margin: 2em; max-width: 70em }
img { max-width: 100%; border: 1px solid #999 }
section { margin: 2em 0; border-top: 1px solid #ccc }
td, th { font-family: ui-monospace, monospace; padding: 0 1em 0 0; text-align: left; vertical-align: top; white-space: pre }
</style>
"""


def make_folder(folder: Path) -> None:
    """Make the folder before the work begins. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--failures {folder}: cannot be made ({error.strerror}); give a folder you may write to") from error


def keep_picture(folder: Path, page: EvaluatedPage) -> None:
    """Write the annotated picture of one page into the folder; nothing for a page that could not be opened.

    Raises UsageError when it cannot be written.
    """
    if page.frame is None or page.reading is None:
        return
    picture = annotate(page.frame, page.reading)
    scale = LARGEST_SIDE_PX / max(picture.shape[:2])
    if scale < 1.0:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    path = folder / _picture_name(page)
    if not cv2.imwrite(str(path), picture):
        raise UsageError(f"{path}: picture cannot be written; check the folder's permissions and space")


def write_index(folder: Path, wrong: Sequence[EvaluatedPage], total: int) -> None:
    """Write index.html: each wrong page with what stands there and what was read, most errors first."""
    ordered = sorted(wrong, key=lambda page: (-page.score.errors, page.truth.name))
    title = f"<h1>{len(ordered)} of {total} pages read wrongly</h1>\n"
    (folder / INDEX).write_text(HEAD + title + "".join(map(_section, ordered)) + "</html>\n", encoding="utf-8")


def _picture_name(page: EvaluatedPage) -> str:
    return page.truth.name.replace("/", "-").replace("\\", "-") + ".read.jpg"


def _section(page: EvaluatedPage) -> str:
    facts = ", ".join(filter(None, [page.truth.kind, page.truth.difficulty, page.truth.half]))
    heading = f"<h2>{_escape(page.truth.name)}</h2>\n<p>{page.score.errors:g} errors in {page.score.digits} digits; {_escape(facts)}</p>\n"
    body = f"<p>{_escape(str(page.error))}</p>\n" if page.error else f'<img src="{_escape(_picture_name(page))}" alt="">\n'
    table = (
        "<table><tr><th>stands there</th><th>was read</th></tr>"
        f"<tr><td>{_escape(chr(10).join(page.truth.lines))}</td><td>{_escape(chr(10).join(page.lines))}</td></tr></table>\n"
    )
    return f"<section>{heading}{body}{table}</section>\n"


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
