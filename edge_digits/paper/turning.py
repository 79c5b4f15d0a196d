"""Turns a Page: by quarters, for a sheet that was photographed or scanned sideways or upside down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.page import Page


def turn_page(page: Page, quarters: int) -> Page:
    """The page turned counter-clockwise by so many quarters; its pixels still map to the same pixels of the Frame."""
    quarters %= 4
    if quarters == 0:
        return page
    grey = np.ascontiguousarray(np.rot90(page.grey, quarters))
    grey.flags.writeable = False
    return replace(page, grey=grey, to_frame=page.to_frame @ _back(page.grey.shape, quarters))


def _back(shape: tuple[int, ...], quarters: int) -> NDArray[np.float64]:
    """Homography from a turned page to the page of this height and width that it was made of."""
    height, width = shape[:2]
    rows = {
        1: [[0, -1, width], [1, 0, 0]],
        2: [[-1, 0, width], [0, -1, height]],
        3: [[0, 1, 0], [-1, 0, height]],
    }[quarters]
    return np.array([*rows, [0, 0, 1]], np.float64)
