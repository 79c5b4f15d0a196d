"""Other systems that read pages, run beside this one for comparison where they are installed; nothing here needs them.

Each is asked for what it can give here: one thread where that can be set, digits alone where that can be set. Both take
the decoded, upright picture, since neither turns a photograph by its EXIF record in the same way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, MissingExtraError

TIME_LIMIT_S: Final = 300.0
SAME_LINE: Final = 0.5
"""Boxes stand on one line when their middles are nearer than this share of the lower box's height."""

TESSERACT_LAYOUT: Final = 11
"""Page segmentation "sparse text": numbers stand anywhere on a page."""

Picture = NDArray[np.uint8]


class PeerFailedError(EdgeDigitsError):
    """Another system gave no reading of a picture."""


class Peer(Protocol):
    """A system that reads pages. name, version, settings : for the record."""

    name: str
    version: str
    settings: str

    def read(self, picture: Picture) -> list[str]:
        """Lines of text. picture : uint8 (h, w) grey or (h, w, 3) BGR, upright. Raises PeerFailedError."""
        ...


class RapidOcr:
    """RapidOCR with the models that come with it: PP-OCR's detector and recognizer on ONNX Runtime."""

    name = "rapidocr"

    def __init__(self, threads: int) -> None:
        """threads : of ONNX Runtime; 0 leaves the choice to it. Raises MissingExtraError."""
        try:
            package = import_module("rapidocr")
        except ImportError as error:
            raise MissingExtraError("--peer rapidocr: RapidOCR is not installed; run: pip install rapidocr onnxruntime") from error
        count = threads or -1
        engine = {f"EngineConfig.onnxruntime.{pool}_op_num_threads": count for pool in ("intra", "inter")}
        self._engine: Any = package.RapidOCR(params={**engine, "Global.log_level": "critical"})
        self.version = version("rapidocr")
        self.settings = f"its own models, {_threads(threads)}, text of any kind"

    def read(self, picture: Picture) -> list[str]:
        """Its boxes of text, put together to lines."""
        try:
            result = self._engine(np.array(picture))
        except Exception as error:  # whatever another system raises is its failure, and the run goes on
            raise PeerFailedError(f"rapidocr: {type(error).__name__}: {error}") from error
        if result.txts is None or result.boxes is None:
            return []
        return lines_of_boxes(np.asarray(result.boxes, np.float64), list(result.txts))


class Tesseract:
    """The tesseract program, one process a page, held to digits."""

    name = "tesseract"

    def __init__(self, threads: int) -> None:
        """threads : of OpenMP; 0 leaves the choice to it. Raises MissingExtraError."""
        program = shutil.which("tesseract")
        if program is None:
            raise MissingExtraError("--peer tesseract: the program tesseract is not installed; run: apt-get install tesseract-ocr")
        self._command = [program, "stdin", "stdout", "--psm", str(TESSERACT_LAYOUT), "-c", "tessedit_char_whitelist=0123456789"]
        self._environment = {**os.environ, **({"OMP_THREAD_LIMIT": str(threads)} if threads else {})}
        self.version = self._run(["--version"], b"").split()[1]
        self.settings = f"--psm {TESSERACT_LAYOUT}, digits alone, {_threads(threads)}, one process a page"

    def read(self, picture: Picture) -> list[str]:
        """Its lines that hold anything."""
        done, data = cv2.imencode(".pgm" if picture.ndim == 2 else ".ppm", picture)
        if not done:
            raise PeerFailedError(f"tesseract: a picture of shape {picture.shape} cannot be handed over")
        return [line for line in self._run(self._command[1:], data.tobytes()).splitlines() if line.strip()]

    def _run(self, words: Sequence[str], data: bytes) -> str:
        try:
            done = subprocess.run(  # noqa: S603
                [self._command[0], *words], input=data, capture_output=True, env=self._environment, timeout=TIME_LIMIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PeerFailedError(f"tesseract: {error}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            raise PeerFailedError(f"tesseract: {said[-1]}")
        return done.stdout.decode(errors="replace")


PEERS: Final[dict[str, Callable[[int], Peer]]] = {"rapidocr": RapidOcr, "tesseract": Tesseract}


def _threads(count: int) -> str:
    return "its own choice of threads" if not count else "1 thread" if count == 1 else f"{count} threads"


def load_peers(names: Sequence[str], threads: int) -> list[Peer]:
    """Each named system once. Raises MissingExtraError with the install command."""
    return [PEERS[name](threads) for name in dict.fromkeys(names)]


def lines_of_boxes(boxes: NDArray[np.float64], texts: Sequence[str]) -> list[str]:
    """Texts of boxes that stand side by side joined to lines, left to right, the lines from top to bottom.

    boxes : float64 (n, 4, 2), corners x, y in pixels.
    """
    middles, heights = boxes[:, :, 1].mean(axis=1), np.ptp(boxes[:, :, 1], axis=1)
    rows: list[list[int]] = []
    for index in np.argsort(middles):
        last = rows[-1][-1] if rows else None
        if last is not None and middles[index] - middles[last] < SAME_LINE * min(heights[index], heights[last]):
            rows[-1].append(int(index))
        else:
            rows.append([int(index)])
    return [" ".join(texts[i] for i in sorted(row, key=lambda i: float(boxes[i, :, 0].min()))) for row in rows]
