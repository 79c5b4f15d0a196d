"""Reads pictures with the shipped networks and stores what was read: the part of the readings check that runs on either processor.

    python deploy/page_readings.py OUT.json PICTURE...

Needs what the product needs, on PYTHONPATH: edge_digits, numpy, OpenCV and onnxruntime.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from edge_digits import Reader


def main(argv: list[str]) -> int:
    """OUT.json: {"facts", "pages": [{"text", "digits": [{"digit", "confidence", "box"}]}]}, pages in the order of the pictures."""
    out, *pictures = (Path(argument) for argument in argv)
    reader = Reader(provider="cpu", threads=1)
    pages = []
    for picture in pictures:
        reading = reader.read(picture)
        digits = [{"digit": d.digit, "confidence": float(d.confidence), "box": [int(side) for side in d.box]} for d in reading.digits]
        pages.append({"text": reading.text, "digits": digits})
    facts = {"architecture": platform.machine(), "python": platform.python_version(), "onnxruntime": onnxruntime.__version__}
    facts |= {"numpy": np.__version__, "opencv": cv2.__version__}
    out.write_text(json.dumps({"facts": facts, "networks": reader.networks, "pages": pages}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
