"""How well the finder tells the ink of written digits from other ink, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration.companions.candidate import Candidate, Outputs
from calibration.companions.sets import Examples
from calibration.errors import CalibrationError
from calibration.judge import PRECISIONS
from edge_digits.recognition.companions import CELL_PX

INKED: Final = 50
"""A pixel of a part of a page, 0..255, that is darker than this is ink."""
UNKNOWN: Final = 255


def stroke_figures(candidates: Mapping[str, Candidate], examples: Examples) -> dict[str, Any]:
    """Percent of ink pixels told right, of those of digits and of others; how often int8 says what float says.

    Raises CalibrationError for examples without digits or without other ink.
    """
    assert examples.strokes is not None
    counts = {kind: dict.fromkeys(("digits", "others"), 0) for kind in PRECISIONS}
    totals = dict.fromkeys(("digits", "others"), 0)
    agreed, largest, start = 0, 0.0, 0
    for batch in examples.batches():
        meant = examples.strokes[start : start + len(batch)]
        start += len(batch)
        outputs = {kind: candidates[kind].outputs(batch) for kind in PRECISIONS}
        found = {kind: strokes_of(outputs[kind]) for kind in PRECISIONS}
        parts = {"digits": meant == 1, "others": (batch[:, 0] > INKED) & (meant == 0)}
        for name, pixels in parts.items():
            totals[name] += int(pixels.sum())
            for kind in PRECISIONS:
                counts[kind][name] += int((found[kind] == (meant == 1))[pixels].sum())
        agreed += int((found["float"] == found["int8"])[parts["digits"] | parts["others"]].sum())
        largest = max(largest, float(np.abs(outputs["float"] - outputs["int8"]).max()))
    if not all(totals.values()):
        raise CalibrationError(f"parts of pages with ink of digits {totals['digits']} px, other ink {totals['others']} px; both are needed")
    total = sum(totals.values())
    result: dict[str, Any] = {"inputs": len(examples)}
    for kind in PRECISIONS:
        result[f"{kind}_accuracy_percent"] = 100 * sum(counts[kind].values()) / total
        result |= {f"{kind}_{name}_accuracy_percent": 100 * counts[kind][name] / totals[name] for name in totals}
    result["drop_points"] = result["float_accuracy_percent"] - result["int8_accuracy_percent"]
    result["agreement_percent"] = 100 * agreed / total
    result["largest_output_difference"] = largest
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in result.items()}


def strokes_of(maps: Outputs) -> NDArray[np.bool_]:
    """Where digits' ink is seen: bool (n, h, w). maps : float32 (n, 29, h / 4, w / 4), see recognition/companions.py."""
    count, _, rows, columns = maps.shape
    pixels = maps[:, : CELL_PX**2].reshape(count, CELL_PX, CELL_PX, rows, columns).transpose(0, 3, 1, 4, 2)
    return pixels.reshape(count, rows * CELL_PX, columns * CELL_PX) > 0
