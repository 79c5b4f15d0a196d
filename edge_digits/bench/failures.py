"""Keeps pictures of the pages that were read wrongly, each with its mistakes marked, and a page to look at them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.bench.evaluation import EvaluatedPage
from edge_digits.bench.failure_index import index_html, picture_name, thumbnail_name
from edge_digits.bench.failure_picture import PANEL_PX, draw_mistakes
from edge_digits.errors import UsageError

INDEX: Final = "index.html"
THUMBNAIL_PX: Final = 260


def make_folder(folder: Path) -> None:
    """Make the folder before the work begins. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--failures {folder}: cannot be made ({error.strerror}); give a folder you may write to") from error


def keep_picture(folder: Path, page: EvaluatedPage) -> None:
    """Write the marked picture of one page and its thumbnail; nothing for a page that could not be opened.

    Raises UsageError when it cannot be written.
    """
    if page.frame is None or page.reading is None:
        return
    picture = draw_mistakes(page.frame, page.reading, page.mistakes)
    _save(folder / picture_name(page), picture)
    marked = picture[:, : picture.shape[1] - PANEL_PX]
    scale = THUMBNAIL_PX / max(marked.shape[:2])
    size = max(1, round(marked.shape[1] * scale)), max(1, round(marked.shape[0] * scale))
    _save(folder / thumbnail_name(page), np.asarray(cv2.resize(marked, size, interpolation=cv2.INTER_AREA), np.uint8))


def write_index(folder: Path, wrong: Sequence[EvaluatedPage], total: int) -> None:
    """Write index.html over the wrong pages of `total`, most errors first. Raises UsageError when it cannot be written."""
    try:
        (folder / INDEX).write_text(index_html(wrong, total), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder / INDEX}: cannot be written ({error.strerror}); check the folder's permissions and space") from error


def _save(path: Path, picture: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), picture):
        raise UsageError(f"{path}: picture cannot be written; check the folder's permissions and space")
