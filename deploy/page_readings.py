"""Reads pictures with the shipped networks and stores what was read: the part of the readings check that runs on either processor.

    python deploy/page_readings.py OUT.json PICTURE...

Needs what the product needs, on PYTHONPATH: edge_digits, numpy, OpenCV and onnxruntime.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from edge_digits import Reader


def main(argv: list[str]) -> int:
    """OUT.json: {"facts", "networks", "pictures_sha256", "pages": [{"text", "digits": [{"digit", "confidence", "box"}]}]}.

    Pages in the order of the pictures.
    """
    out, *pictures = (Path(argument) for argument in argv)
    reader = Reader(provider="cpu", threads=1)
    pages = []
    for picture in pictures:
        reading = reader.read(picture)
        digits = [{"digit": d.digit, "confidence": float(d.confidence), "box": [int(side) for side in d.box]} for d in reading.digits]
        pages.append({"text": reading.text, "digits": digits})
    facts = {"architecture": platform.machine(), "python": platform.python_version(), "onnxruntime": onnxruntime.__version__}
    facts |= {"numpy": np.__version__, "opencv": cv2.__version__}
    sha256 = [hashlib.sha256(picture.read_bytes()).hexdigest() for picture in pictures]
    result = {"facts": facts, "networks": reader.networks, "pictures_sha256": sha256, "pages": pages}
    out.write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
