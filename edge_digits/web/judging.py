"""What the endpoints compute: pictures in, JSON values out, by the functions that the command line calls too."""

from __future__ import annotations

import base64
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.paper.single import find_single_glyph
from edge_digits.paper.tiles import make_tiles
from edge_digits.reader import Reader
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

UPLOAD_NAME: Final = "upload"
LARGEST_SHOWN_PX: Final = 1600
JPEG_QUALITY: Final = 85


def open_upload(reader: Reader, data: bytes) -> Frame:
    """The first page of an upload. Raises InputError."""
    frame = next(open_frames(data, reader.options.source), None)
    if frame is None:
        raise InputDecodeError("upload: holds no page")
    return Frame(frame.picture, UPLOAD_NAME, frame.page)


def read_page(reader: Reader, data: bytes, *, with_picture: bool = False) -> dict[str, Any]:
    """The JSON object of `edge-digits read` for the bytes of a picture; of a document, its first page. Raises InputError.

    with_picture : add "picture", the page as it was read, for browsers that cannot draw its format.
    """
    frame = open_upload(reader, data)
    reading = reader.read_frame(frame).to_dict()
    return {**reading, "picture": as_data_url(frame.picture)} if with_picture else reading


def as_data_url(picture: NDArray[np.uint8], largest_px: int = LARGEST_SHOWN_PX) -> str:
    """A picture as the data: URL of a JPEG, its longer side at most largest_px."""
    scale = largest_px / max(picture.shape[:2])
    if scale < 1.0:
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    content = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode('ascii')}"


def judge_tile(reader: Reader, data: bytes) -> dict[str, Any]:
    """What the model says of a picture that holds one digit; "digit" is None when it is unsure or sees none.

    Raises InputError.
    """
    glyph = find_single_glyph(open_upload(reader, data).picture)
    if not glyph.any():
        return {"ink": False, "digit": None, "confidence": 0.0, "probabilities": [0.0] * len(LABELS), "labels": list(LABELS)}
    probabilities = reader.classifier.predict(make_tiles([glyph])).probabilities[0]
    digit = int(probabilities[:NOT_ONE_DIGIT].argmax())
    confidence = float(probabilities[digit])
    return {
        "ink": True,
        "digit": digit if confidence >= reader.min_confidence else None,
        "confidence": round(confidence, 4),
        "probabilities": [round(float(p), 4) for p in probabilities],
        "labels": list(LABELS),
    }
